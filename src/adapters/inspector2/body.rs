//! The answer as Inspector wrote it.
//!
//! The SDK fills in what is missing and must not be: an empty text, a time in 1970, "no value was set". So it signs, sends
//! and knows errors, and what is in a finding is read from the answer itself, by the reader that reads events.

use std::sync::{Arc, Mutex, PoisonError};

use aws_smithy_runtime_api::{
    box_error::BoxError,
    client::{
        interceptors::{Intercept, context::AfterDeserializationInterceptorContextRef},
        runtime_components::RuntimeComponents,
    },
};
use aws_smithy_types::config_bag::ConfigBag;
use serde_json::Value;

/// An interceptor that keeps the body of an answer.
#[derive(Clone, Debug, Default)]
pub struct Body(Arc<Mutex<Vec<u8>>>);

impl Body {
    /// The answer, which was kept since.
    ///
    /// # Errors
    /// It is not JSON.
    pub fn json(&self) -> Result<Value, serde_json::Error> {
        serde_json::from_slice(&self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl Intercept for Body {
    fn name(&self) -> &'static str {
        "Body"
    }

    fn read_after_deserialization(
        &self,
        context: &AfterDeserializationInterceptorContextRef<'_>,
        _: &RuntimeComponents,
        _: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        if let Some(body) = context.response().body().bytes() {
            *self.0.lock().unwrap_or_else(PoisonError::into_inner) = body.to_vec();
        }
        Ok(())
    }
}
