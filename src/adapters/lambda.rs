//! Lambda functions, to give events to.

use aws_config::{Region, SdkConfig};
use aws_sdk_lambda::{Client, config::Builder, primitives::Blob, types::InvocationType};

use super::failed;
use crate::app::failure::CallFailed;

/// Whether a function can run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FunctionState {
    /// Such as `Active`.
    pub state: String,
    /// Such as `Successful`.
    pub last_update: String,
    /// Why it is not active, or why its update did not succeed.
    pub reason: Option<String>,
    /// How many of it may run at once; none if that is not limited.
    pub concurrency: Option<i32>,
}

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

    /// Whether `function`, a name or an ARN, can run.
    ///
    /// # Errors
    /// A call failed.
    pub async fn state(&self, function: &str) -> Result<FunctionState, CallFailed> {
        let call = self.client.get_function_configuration().function_name(function);
        let found = call
            .send()
            .await
            .map_err(|error| failed::call("Lambda GetFunctionConfiguration", function, error))?;
        let call = self.client.get_function_concurrency().function_name(function);
        let limit = call
            .send()
            .await
            .map_err(|error| failed::call("Lambda GetFunctionConcurrency", function, error))?;
        Ok(FunctionState {
            state: found.state.map_or_else(String::new, |state| state.as_str().to_owned()),
            last_update: found
                .last_update_status
                .map_or_else(String::new, |status| status.as_str().to_owned()),
            reason: found.state_reason.or(found.last_update_status_reason),
            concurrency: limit.reserved_concurrent_executions,
        })
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
