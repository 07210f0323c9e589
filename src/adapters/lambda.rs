//! Lambda functions, to give events to.

use aws_config::SdkConfig;
use aws_sdk_lambda::{Client, primitives::Blob, types::InvocationType};

use crate::app::failure::CallFailed;

/// The functions of an account and Region.
pub struct Functions {
    client: Client,
}

impl Functions {
    /// The functions that `config` reaches.
    pub fn open(config: &SdkConfig) -> Self {
        Self { client: Client::new(config) }
    }

    /// Hands an event over for asynchronous invocation of `function`, a name or an ARN, as EventBridge does.
    ///
    /// # Errors
    /// Lambda did not accept the event.
    pub async fn invoke(&self, function: &str, event: &str) -> Result<(), CallFailed> {
        let failed =
            |source| CallFailed { operation: "Lambda Invoke", object: function.to_owned(), source };
        let answer = self
            .client
            .invoke()
            .function_name(function)
            .invocation_type(InvocationType::Event)
            .payload(Blob::new(event.as_bytes()))
            .send()
            .await
            .map_err(|error| failed(error.into()))?;
        match answer.function_error() {
            Some(error) => Err(failed(error.to_owned().into())),
            None => Ok(()),
        }
    }
}
