//! Stand-ins as HTTP clients of the SDK: what the SDK would send over the network goes straight to them.
//!
//! So `replay` makes the very calls the function makes, without a socket between them.

use std::fmt;

use aws_smithy_runtime_api::{
    client::{
        http::{
            HttpClient, HttpConnector, HttpConnectorFuture, HttpConnectorSettings,
            SharedHttpConnector,
        },
        orchestrator::{HttpRequest, HttpResponse},
        result::ConnectorError,
        runtime_components::RuntimeComponents,
    },
    http::StatusCode,
};
use aws_smithy_types::body::SdkBody;
use dynoxide::{Database, DynoxideError, actions::transact_write_items::TransactWriteItemsRequest};
use serde::{Serialize, de::DeserializeOwned};

use super::{inspector::Inspector, topic::Topic};

/// A service in this process.
#[derive(Clone)]
pub enum Service {
    /// The store.
    Store(Database),
    /// The topic.
    Topic(Topic),
    /// Inspector.
    Inspector(Inspector),
}

/// What a service answers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Answer {
    /// The HTTP status.
    pub status: u16,
    /// The body.
    pub body: String,
    /// For how many seconds it wants to be left alone.
    pub retry_after: Option<u32>,
}

impl Answer {
    /// The answer of a call that was done.
    pub fn ok(body: String) -> Self {
        Self { status: 200, body, retry_after: None }
    }

    /// The answer as the SDK takes it from the network.
    fn into_response(self) -> HttpConnectorFuture {
        HttpConnectorFuture::ready(match StatusCode::try_from(self.status) {
            Ok(status) => {
                let mut response = HttpResponse::new(status, SdkBody::from(self.body));
                if let Some(seconds) = self.retry_after {
                    response.headers_mut().insert("retry-after", seconds.to_string());
                }
                Ok(response)
            }
            Err(error) => Err(ConnectorError::other(error.into(), None)),
        })
    }
}

impl Service {
    /// Performs a call, given as the header `x-amz-target` (the topic's calls have none, and Inspector's a path instead)
    /// and the body of a request.
    pub fn perform(&self, target: &str, body: &[u8]) -> Answer {
        let (status, body) = match self {
            Self::Inspector(inspector) => return inspector.perform(target, body),
            Self::Topic(topic) => topic.perform(body),
            Self::Store(store) => {
                match perform(store, target.rsplit('.').next().unwrap_or_default(), body) {
                    Ok(answer) => (200, answer),
                    Err(error) => (error.status_code(), error.to_json()),
                }
            }
        };
        Answer { status, body, retry_after: None }
    }
}

/// What answers requests of the SDK without a network.
pub trait StandIn: Clone + Send + Sync + 'static {
    /// What it answers.
    fn answer(&self, request: &HttpRequest) -> Answer;
}

impl StandIn for Service {
    fn answer(&self, request: &HttpRequest) -> Answer {
        let path = || request.uri().rsplit_once("amazonaws.com").map(|(_, path)| path);
        let target = request.headers().get("x-amz-target").or_else(path).unwrap_or_default();
        self.perform(target, request.body().bytes().unwrap_or_default())
    }
}

/// A stand-in, as the HTTP client of a client of the SDK.
#[derive(Clone)]
pub struct InProcess<S>(pub S);

impl<S> fmt::Debug for InProcess<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Embedded")
    }
}

impl<S: StandIn> HttpClient for InProcess<S> {
    fn http_connector(
        &self,
        _: &HttpConnectorSettings,
        _: &RuntimeComponents,
    ) -> SharedHttpConnector {
        SharedHttpConnector::new(self.clone())
    }
}

impl<S: StandIn> HttpConnector for InProcess<S> {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        self.0.answer(&request).into_response()
    }
}

/// Performs one of the calls that triage makes.
fn perform(store: &Database, operation: &str, body: &[u8]) -> Result<String, DynoxideError> {
    match operation {
        "UpdateItem" => answer(&store.update_item(read(body)?)?),
        "TransactWriteItems" => {
            let mut request: TransactWriteItemsRequest = read(body)?;
            // The token tells a repeated call from a new one, for which the store would go through
            // all tokens of the last ten minutes each time. Without it a call whose answer was lost
            // is done again: harsher than AWS, and harmless, because every write has a condition.
            request.client_request_token = None;
            answer(&store.transact_write_items(request)?)
        }
        "BatchGetItem" => answer(&store.batch_get_item(read(body)?)?),
        "Query" => answer(&store.query(read(body)?)?),
        "Scan" => answer(&store.scan(read(body)?)?),
        other => Err(DynoxideError::ValidationException(format!("{other} is not used by triage"))),
    }
}

fn read<T: DeserializeOwned>(body: &[u8]) -> Result<T, DynoxideError> {
    serde_json::from_slice(body)
        .map_err(|error| DynoxideError::SerializationException(error.to_string()))
}

fn answer(answer: &impl Serialize) -> Result<String, DynoxideError> {
    serde_json::to_string(answer)
        .map_err(|error| DynoxideError::InternalServerError(error.to_string()))
}
