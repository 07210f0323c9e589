//! Lambda functions, to give events to.

use aws_config::{Region, SdkConfig};
use aws_sdk_lambda::{Client, config::Builder, primitives::Blob, types::InvocationType};

use crate::app::failure::CallFailed;

/// The functions of an account.
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
        let call =
            self.client.invoke().function_name(function).payload(Blob::new(event.as_bytes()));
        // A function is reached in its own Region alone.
        let region = region_of(function).map(|region| Region::new(region.to_owned()));
        let there = region.map_or_else(Builder::new, |region| Builder::new().region(region));
        let answer = call
            .invocation_type(InvocationType::Event)
            .customize()
            .config_override(there)
            .send()
            .await
            .map_err(|error| failed(error.into()))?;
        match answer.function_error() {
            Some(error) => Err(failed(error.to_owned().into())),
            None => Ok(()),
        }
    }
}

/// The Region in the ARN of a function; a name has none.
fn region_of(function: &str) -> Option<&str> {
    let mut parts = function.split(':');
    (parts.next() == Some("arn"))
        .then(|| parts.nth(2))
        .flatten()
        .filter(|region| !region.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_arn_says_where_its_function_is() {
        let arn = "arn:aws:lambda:eu-central-1:111122223333:function:triage";
        assert_eq!(region_of(arn), Some("eu-central-1"));
        for name in ["triage", "111122223333:function:triage"] {
            assert_eq!(region_of(name), None);
        }
    }
}
