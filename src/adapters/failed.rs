//! Calls that failed, in a line.

use aws_smithy_runtime_api::client::result::SdkError;
use aws_smithy_types::error::metadata::ProvideErrorMetadata;

use crate::app::failure::CallFailed;
#[cfg(feature = "review")]
use crate::app::{NotAnswered, Refusal, failure::BoxError};

/// What a service answered instead of doing something.
#[derive(Debug, thiserror::Error)]
#[error("{code}: {message}")]
struct Refused {
    code: String,
    message: String,
}

/// The failure of a call. Errors that the SDK does not model are told by code and message too, not by how they are built.
pub fn call<E, R>(operation: &'static str, object: &str, error: SdkError<E, R>) -> CallFailed
where
    E: std::error::Error + ProvideErrorMetadata + Send + Sync + 'static,
    R: std::fmt::Debug + Send + Sync + 'static,
{
    let refused = error.as_service_error().and_then(|error| {
        Some(Refused { code: error.code()?.to_owned(), message: error.message()?.to_owned() })
    });
    let source = match refused {
        Some(refused) => refused.into(),
        None => error.into(),
    };
    CallFailed { operation, object: object.to_owned(), source }
}

/// An answer that is not what it must be, or a question that cannot be put.
#[cfg(feature = "review")]
pub fn broken(operation: &'static str, object: &str, source: BoxError) -> NotAnswered {
    let failed = CallFailed { operation, object: object.to_owned(), source };
    NotAnswered { why: Refusal::Other, failed }
}
