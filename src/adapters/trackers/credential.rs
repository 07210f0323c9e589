//! Who asks.

use std::fmt;

use crate::app::TrackerFailed;

/// Where a token comes from.
pub trait Credentials: Send + Sync {
    /// The token, `fresh` if the one that is known is not taken any more.
    ///
    /// # Errors
    /// There is none. Nothing was asked of the tracker then.
    fn credential(
        &self,
        fresh: bool,
    ) -> impl Future<Output = Result<Credential, TrackerFailed>> + Send;
}

/// A token, with the user that it is of where it takes one. For the header `authorization`, and nothing else.
#[derive(Clone, PartialEq, Eq)]
pub struct Credential {
    user: Option<String>,
    token: String,
}

impl Credential {
    /// This token; none if it is empty, or has characters that no header can have.
    pub fn new(user: Option<&str>, token: &str) -> Option<Self> {
        let user = user.map(str::trim).filter(|user| !user.is_empty()).map(str::to_owned);
        let token = token.trim().to_owned();
        let is_token = !token.is_empty() && token.bytes().all(|byte| byte.is_ascii_graphic());
        is_token.then_some(Self { user, token })
    }

    /// The header `authorization`.
    pub(super) fn header(&self) -> String {
        match &self.user {
            Some(user) => {
                let pair = format!("{user}:{}", self.token);
                format!("Basic {}", aws_smithy_types::base64::encode(pair))
            }
            None => format!("Bearer {}", self.token),
        }
    }
}

impl fmt::Debug for Credential {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Credential")
    }
}
