//! Weir on Kubernetes: submits workflows, deploys the predictor, watches.
