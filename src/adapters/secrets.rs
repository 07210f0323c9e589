//! The secret with the tracker's token: the only place that speaks to Secrets Manager.

use std::sync::{Mutex, PoisonError};

use aws_sdk_secretsmanager::{
    Client, config,
    error::{ProvideErrorMetadata, SdkError},
    operation::get_secret_value::GetSecretValueError,
};
use serde::Deserialize;

use super::{
    failed,
    trackers::{Credential, Credentials},
};
use crate::app::{TrackerFailed, Trouble, failure::CallFailed};

const GET: &str = "Secrets Manager GetSecretValue";

/// A secret.
#[derive(Debug)]
pub struct Secrets {
    client: Client,
    arn: String,
    known: Mutex<Option<Credential>>,
}

/// A secret in parts: `{"user": "…", "token": "…"}`.
#[derive(Deserialize)]
struct Parts {
    user: Option<String>,
    token: String,
}

impl Secrets {
    /// The secret with this ARN. It is fetched when it is first asked for, and stays in memory.
    pub fn new(config: config::Builder, arn: &str) -> Self {
        let client = Client::from_conf(config.build());
        Self { client, arn: arn.to_owned(), known: Mutex::default() }
    }

    /// The secret as it is now.
    async fn fetch(&self) -> Result<Credential, TrackerFailed> {
        let answer = self.client.get_secret_value().secret_id(&self.arn).send().await;
        let answer = answer.map_err(|error| TrackerFailed {
            trouble: meaning(&error),
            failed: failed::call(GET, &self.arn, error),
        })?;
        // What does not fit is not told: it may be the token.
        answer.secret_string().and_then(read).ok_or_else(|| {
            let source = "expected a token, or JSON such as {\"user\": \"…\", \"token\": \"…\"}";
            let (object, source) = (self.arn.clone(), source.into());
            let failed = CallFailed { operation: GET, object, source };
            TrackerFailed { trouble: Trouble::Unauthorized, failed }
        })
    }
}

impl Credentials for Secrets {
    async fn credential(&self, fresh: bool) -> Result<Credential, TrackerFailed> {
        let known = || self.known.lock().unwrap_or_else(PoisonError::into_inner);
        if !fresh {
            let kept = known().clone();
            if let Some(kept) = kept {
                return Ok(kept);
            }
        }
        let fetched = self.fetch().await?;
        *known() = Some(fetched.clone());
        Ok(fetched)
    }
}

/// A secret as people write it.
fn read(secret: &str) -> Option<Credential> {
    let secret = secret.trim();
    if secret.starts_with('{') {
        let Parts { user, token } = serde_json::from_str(secret).ok()?;
        return Credential::new(user.as_deref(), &token);
    }
    Credential::new(None, secret)
}

/// What a failure means for the tracker: nothing was asked of it. Who may not read the secret has no token.
fn meaning<R>(error: &SdkError<GetSecretValueError, R>) -> Trouble {
    let codes = ["AccessDeniedException", "DecryptionFailure", "ResourceNotFoundException"];
    let code = error.as_service_error().and_then(ProvideErrorMetadata::code);
    if code.is_some_and(|code| codes.contains(&code)) {
        Trouble::Unauthorized
    } else {
        Trouble::NotReached
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_is_a_token_with_or_without_a_user() {
        let basic = Credential::new(Some("bot@example.com"), "t0ken");
        assert_eq!(read(r#"{"user": "bot@example.com", "token": "t0ken"}"#), basic);
        let bearer = Credential::new(None, "t0ken");
        assert_eq!(read(r#"{"token": "t0ken"}"#), bearer);
        assert_eq!(read(r#"{"user": "", "token": " t0ken\n"}"#), bearer);
        assert_eq!(read(" t0ken\n"), bearer);
        for none in
            ["", "{}", r#"{"token": ""}"#, r#"{"token": 1}"#, "{t0ken", "t0 ken", "t0\u{7f}ken"]
        {
            assert_eq!(read(none), None, "{none}");
        }
    }

    #[test]
    fn nobody_sees_it() {
        let secret = read(r#"{"user": "bot@example.com", "token": "t0ken"}"#);
        assert!(!format!("{secret:?}").contains("t0ken"));
    }
}
