//! Secrets Manager on this machine: gives the secrets that it is given.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use aws_smithy_runtime_api::client::orchestrator::HttpRequest;
use axum::{
    Router,
    body::Bytes,
    extract::State,
    http::{HeaderMap, StatusCode, header::CONTENT_TYPE},
    response::IntoResponse,
};
use serde_json::{Value, json};
use tokio::net::TcpListener;

use super::http::{Answer, StandIn};
use crate::app::failure::BoxError;

/// The header `x-amz-target` of the one operation.
const TARGET: &str = "secretsmanager.GetSecretValue";

/// The secrets of an account.
#[derive(Clone, Default)]
pub struct Secrets(Arc<Mutex<Contents>>);

/// What secrets there are.
#[derive(Debug, Default)]
pub struct Contents {
    /// The text of each, by its ARN.
    pub secrets: BTreeMap<String, String>,
    /// Whether nobody may read them.
    pub is_denied: bool,
    /// How many requests came.
    pub requests: usize,
}

impl Secrets {
    /// What secrets there are, to look at and to change.
    pub fn contents(&self) -> MutexGuard<'_, Contents> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Serves them on `listener` for ever.
    pub async fn serve(self, listener: TcpListener) -> Result<(), BoxError> {
        let router = Router::new().fallback(call).with_state(self);
        Ok(axum::serve(listener, router).await?)
    }

    /// Performs a call, given as the header `x-amz-target` and the body of a request.
    fn perform(&self, target: &str, body: &[u8]) -> Answer {
        let mut contents = self.contents();
        contents.requests += 1;
        if target != TARGET {
            return refusal("UnknownOperationException", "it is not served here");
        }
        if contents.is_denied {
            return refusal("AccessDeniedException", "no identity-based policy allows it");
        }
        let request = serde_json::from_slice(body).unwrap_or(Value::Null);
        let arn = request["SecretId"].as_str().unwrap_or_default();
        let Some(secret) = contents.secrets.get(arn) else {
            let why = "Secrets Manager can't find the specified secret.";
            return refusal("ResourceNotFoundException", why);
        };
        let answer = json!({"ARN": arn, "Name": "tracker", "SecretString": secret,
            "VersionStages": ["AWSCURRENT"]});
        Answer::ok(answer.to_string())
    }
}

impl StandIn for Secrets {
    fn answer(&self, request: &HttpRequest) -> Answer {
        let target = request.headers().get("x-amz-target").unwrap_or_default();
        self.perform(target, request.body().bytes().unwrap_or_default())
    }
}

async fn call(
    State(secrets): State<Secrets>,
    headers: HeaderMap,
    body: Bytes,
) -> impl IntoResponse {
    let target = headers.get("x-amz-target").and_then(|target| target.to_str().ok());
    let answer = secrets.perform(target.unwrap_or_default(), &body);
    let status = StatusCode::from_u16(answer.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    (status, [(CONTENT_TYPE, "application/x-amz-json-1.1")], answer.body)
}

fn refusal(code: &str, message: &str) -> Answer {
    let body = json!({"__type": code, "Message": message}).to_string();
    Answer { status: 400, body, retry_after: None }
}
