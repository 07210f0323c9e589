//! Keys, to see whether they can be used.

use aws_config::SdkConfig;
use aws_sdk_kms::Client;

use super::failed;
use crate::app::failure::CallFailed;

/// The state of a key, such as `Enabled`, the only one in which it can be used.
///
/// # Errors
/// The call failed.
pub async fn state(config: &SdkConfig, key: &str) -> Result<String, CallFailed> {
    let call = Client::new(config).describe_key().key_id(key);
    let answer = call.send().await.map_err(|error| failed::call("KMS DescribeKey", key, error))?;
    let state = answer.key_metadata().and_then(|key| key.key_state());
    Ok(state.map_or_else(String::new, |state| state.as_str().to_owned()))
}
