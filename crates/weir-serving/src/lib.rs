//! The predictor: Open Inference Protocol v1 and v2, raw flows in, metrics out.
