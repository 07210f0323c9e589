//! How long calls to AWS take.

use std::{
    mem,
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, SystemTime},
};

use aws_smithy_runtime_api::{
    box_error::BoxError,
    client::{
        interceptors::{
            Intercept,
            context::{BeforeSerializationInterceptorContextRef, FinalizerInterceptorContextRef},
        },
        orchestrator::Metadata,
        runtime_components::RuntimeComponents,
    },
};
use aws_smithy_types::config_bag::{ConfigBag, Storable, StoreReplace};

/// One call, with all its repetitions.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CallTime {
    /// The service, as its SDK calls it, such as `DynamoDB`.
    pub service: String,
    /// From before the request was written until the answer was read.
    pub took: Duration,
}

/// An interceptor that writes down each call of the clients it is given to.
#[derive(Clone, Debug, Default)]
pub struct CallRecorder(Arc<Mutex<Vec<CallTime>>>);

impl CallRecorder {
    /// The calls that ended since this was last asked.
    pub fn take(&self) -> Vec<CallTime> {
        mem::take(&mut *self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Writes a call down.
    pub fn note(&self, service: &str, took: Duration) {
        let call = CallTime { service: service.to_owned(), took };
        self.0.lock().unwrap_or_else(PoisonError::into_inner).push(call);
    }
}

/// When a call began.
#[derive(Debug)]
struct Began(SystemTime);

impl Storable for Began {
    type Storer = StoreReplace<Self>;
}

impl Intercept for CallRecorder {
    fn name(&self) -> &'static str {
        "Calls"
    }

    fn read_before_serialization(
        &self,
        _: &BeforeSerializationInterceptorContextRef<'_>,
        components: &RuntimeComponents,
        config: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        if let Some(time) = components.time_source() {
            config.interceptor_state().store_put(Began(time.now()));
        }
        Ok(())
    }

    fn read_after_execution(
        &self,
        _: &FinalizerInterceptorContextRef<'_>,
        components: &RuntimeComponents,
        config: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        let ended = components.time_source().map(|time| time.now());
        if let (Some(Began(began)), Some(ended), Some(metadata)) =
            (config.load::<Began>(), ended, config.load::<Metadata>())
        {
            // A clock that was set back meanwhile.
            let took = ended.duration_since(*began).unwrap_or_default();
            self.note(metadata.service(), took);
        }
        Ok(())
    }
}
