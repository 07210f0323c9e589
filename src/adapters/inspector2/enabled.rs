//! Whether Inspector is on, and who administers it.

use aws_config::SdkConfig;
use aws_sdk_inspector2::{Client, error::ProvideErrorMetadata, types::State};

use crate::{adapters::failed, app::failure::CallFailed};

/// What of Inspector is on in an account and Region.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Enabled {
    /// The account.
    pub account: String,
    /// Such as `ENABLED`.
    pub status: String,
    /// Each kind of scan, whether it is on or not.
    pub scans: Vec<ScanType>,
}

/// A kind of scan.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ScanType {
    /// Such as `EC2`.
    pub name: &'static str,
    /// Such as `ENABLED`.
    pub status: String,
}

/// What is on in the account of the credentials.
///
/// # Errors
/// The call failed, or Inspector does not say.
pub async fn enabled(config: &SdkConfig) -> Result<Enabled, CallFailed> {
    let (operation, object) = ("Inspector2 BatchGetAccountStatus", "of this account");
    let wrong = |source| CallFailed { operation, object: object.to_owned(), source };
    let call = Client::new(config).batch_get_account_status();
    let answer = call.send().await.map_err(|error| failed::call(operation, object, error))?;
    if let Some(account) = answer.failed_accounts().first() {
        let message = account.error_message();
        return Err(wrong(format!("{}: {message}", account.error_code().as_str()).into()));
    }
    let Some(account) = answer.accounts().first() else {
        return Err(wrong("the answer has no account".into()));
    };
    let status = |state: Option<&State>| {
        state.map_or_else(String::new, |state| state.status().as_str().to_owned())
    };
    let scans = account.resource_state().map(|on| {
        [
            ("EC2", on.ec2()),
            ("ECR", on.ecr()),
            ("Lambda", on.lambda()),
            ("Lambda code", on.lambda_code()),
            ("code repositories", on.code_repository()),
            ("machine images", on.ami()),
        ]
    });
    let scans = scans.into_iter().flatten().filter(|(_, state)| state.is_some());
    Ok(Enabled {
        account: account.account_id().to_owned(),
        status: status(account.state()),
        scans: scans.map(|(name, state)| ScanType { name, status: status(state) }).collect(),
    })
}

/// The account that administers Inspector for the organisation; none if there is no such.
///
/// # Errors
/// The call failed.
pub async fn administrator(config: &SdkConfig) -> Result<Option<String>, CallFailed> {
    match Client::new(config).get_delegated_admin_account().send().await {
        Ok(answer) => {
            let account = answer.delegated_admin().and_then(|admin| admin.account_id());
            Ok(account.map(str::to_owned))
        }
        Err(error) if error.code() == Some("ResourceNotFoundException") => Ok(None),
        Err(error) => {
            Err(failed::call("Inspector2 GetDelegatedAdminAccount", "of the organisation", error))
        }
    }
}
