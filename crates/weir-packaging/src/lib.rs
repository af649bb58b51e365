//! Stage: bundle, model card and run report
