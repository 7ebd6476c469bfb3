//! Tests of the model without an engine.
