//! Rules, to see whether they are enabled.

use aws_config::SdkConfig;
use aws_sdk_eventbridge::{Client, types::RuleState};

use super::failed;
use crate::app::failure::CallFailed;

/// Whether `rule`, a name, on the default bus, is enabled.
///
/// # Errors
/// The call failed.
pub async fn is_enabled(config: &SdkConfig, rule: &str) -> Result<bool, CallFailed> {
    let call = Client::new(config).describe_rule().name(rule);
    let answer =
        call.send().await.map_err(|error| failed::call("EventBridge DescribeRule", rule, error))?;
    Ok(answer.state().is_some_and(|state| *state != RuleState::Disabled))
}
