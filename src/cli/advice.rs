//! What to do about a call to AWS that failed, for the person who made it.

use crate::app::failure::{BoxError, CallFailed, chain};

/// A call to AWS that failed, with what to do.
#[derive(Debug, thiserror::Error)]
#[error("{said}; {todo}")]
struct Advised {
    said: String,
    todo: String,
}

/// A failed call to the table `name`.
pub fn on_table(failed: &CallFailed, name: &str) -> BoxError {
    on(failed, &format!("table {name}"))
}

/// A failed call to something in AWS, such as `table findings`.
pub fn on(failed: &CallFailed, what: &str) -> BoxError {
    let (said, todo) = (chain(failed), todo(failed, what));
    Advised { said, todo }.into()
}

fn todo(failed: &CallFailed, what: &str) -> String {
    todo_or(failed, what, "nothing more was done")
}

/// What to do about it; `otherwise` if nothing is known to help.
pub fn todo_or(failed: &CallFailed, what: &str, otherwise: &str) -> String {
    let said = chain(failed);
    let has = |words: &[&str]| words.iter().any(|word| said.contains(word));
    if has(&[
        "ResourceNotFound",
        "NonExistentQueue",
        "resource not found",
        "not found",
        "does not exist",
    ]) {
        format!("see that there is a {what} in this account and in the Region of AWS_REGION")
    } else if has(&["AccessDenied", "ACCESS_DENIED", "not authorized", "UnauthorizedOperation"]) {
        format!("see that these credentials may do that to {what}")
    } else if has(&["Missing Region", "region"]) {
        "set AWS_REGION, or a Region in the profile".to_owned()
    } else if has(&["ExpiredToken", "expired", "InvalidClientTokenId", "UnrecognizedClient"]) {
        "log in again: the credentials are not, or no longer, valid".to_owned()
    } else if has(&["Throttling", "TooManyRequests", "Rate exceeded", "as often as it may"]) {
        format!("try again later, or for longer: {what} is asked too often")
    } else if has(&["credential"]) {
        "log in, or set AWS_PROFILE: there are no AWS credentials".to_owned()
    } else {
        otherwise.to_owned()
    }
}
