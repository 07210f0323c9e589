//! Requests to a tracker, over the HTTP client that the SDK has.

use std::{error::Error, io, time::Duration};

use aws_smithy_http_client::{
    Connector,
    tls::{Provider, rustls_provider::CryptoMode},
};
use aws_smithy_runtime_api::client::{
    http::{HttpConnector, HttpConnectorSettings, SharedHttpConnector},
    orchestrator::{HttpRequest, HttpResponse},
    result::ConnectorError,
};
use aws_smithy_types::{body::SdkBody, byte_stream::ByteStream};
use serde_json::Value;

use super::{
    answer::Answer,
    credential::{Credential, Credentials},
};
use crate::app::{
    TrackerFailed, Trouble,
    failure::{BoxError, CallFailed},
};

/// How long a request may take, with connecting and with all of the answer.
pub const EXCHANGE_TIMEOUT: Duration = Duration::from_secs(10);
/// How long connecting may take, with looking the name up.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(2);
/// How long a connection is kept that nobody uses. Servers close idle ones, which is then found out only by a request that is
/// lost.
const IDLE_TIMEOUT: Duration = Duration::from_secs(5);
/// The longest answer that is read, in bytes.
const MAX_ANSWER: usize = 1_000_000;
const USER_AGENT: &str = concat!("inspector-triage/", env!("CARGO_PKG_VERSION"));

/// A client of a tracker. Follows no redirect and repeats nothing, but for a token that was changed.
#[derive(Debug)]
pub struct Http<C> {
    connector: SharedHttpConnector,
    /// With no slash at its end.
    base: String,
    headers: &'static [(&'static str, &'static str)],
    credentials: C,
    pub(super) limit: Duration,
}

/// A request.
pub struct Request<'a> {
    /// What it is called in a log, such as `Jira CreateIssue`.
    pub operation: &'static str,
    /// What it is about, such as a key.
    pub object: &'a str,
    /// The method, such as `GET`.
    pub method: &'static str,
    /// The path and the query.
    pub path: String,
    /// The body.
    pub body: Option<Value>,
}

impl Request<'_> {
    /// A failure of this request.
    pub fn failed(&self, trouble: Trouble, source: impl Into<BoxError>) -> TrackerFailed {
        let (operation, object) = (self.operation, self.object.to_owned());
        TrackerFailed { trouble, failed: CallFailed { operation, object, source: source.into() } }
    }
}

/// Not an address to send a token to.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "expected an address such as https://example.atlassian.net, without query and user, found {0:?}"
)]
pub struct NotAnAddress(pub String);

impl<C: Credentials> Http<C> {
    /// A client for `base`, which sends `headers` with each request.
    pub fn new(
        base: &str,
        headers: &'static [(&'static str, &'static str)],
        credentials: C,
    ) -> Result<Self, NotAnAddress> {
        let base = base.trim_end_matches('/');
        if !is_safe(base) {
            return Err(NotAnAddress(base.to_owned()));
        }
        // Connecting has its own limit, and what is above ends the rest: so a time-out of the connector is one of connecting.
        let settings = HttpConnectorSettings::builder().connect_timeout(CONNECT_TIMEOUT).build();
        let connector = Connector::builder()
            .connector_settings(settings)
            .pool_idle_timeout(IDLE_TIMEOUT)
            .tls_provider(Provider::Rustls(CryptoMode::Ring))
            .build();
        let (connector, base) = (SharedHttpConnector::new(connector), base.to_owned());
        Ok(Self { connector, base, headers, credentials, limit: EXCHANGE_TIMEOUT })
    }

    /// Where requests go.
    pub fn base(&self) -> &str {
        &self.base
    }

    /// The answer to a request, whatever it says.
    pub async fn send(&self, request: &Request<'_>) -> Result<Answer, TrackerFailed> {
        let credential = self.credentials.credential(false).await?;
        let answer = self.exchange(request, &credential).await?;
        if !answer.is_unauthorized() {
            return Ok(answer);
        }
        // The secret may have been changed. Nothing was done, and a token that is the same is not tried again.
        match self.credentials.credential(true).await {
            Ok(fresh) if fresh != credential => self.exchange(request, &fresh).await,
            _ => Ok(answer),
        }
    }

    /// The answer to a request that was done.
    pub async fn done(&self, request: &Request<'_>) -> Result<Answer, TrackerFailed> {
        self.send(request).await?.done(request)
    }

    async fn exchange(
        &self,
        request: &Request<'_>,
        credential: &Credential,
    ) -> Result<Answer, TrackerFailed> {
        let written = self.write(request, credential);
        let written = written.map_err(|source| request.failed(Trouble::Refused, source))?;
        let exchange = async {
            let response = self.connector.call(written).await.map_err(|error| {
                let is_sent = !is_unsent(&error);
                request.failed(if is_sent { Trouble::Unknown } else { Trouble::NotReached }, error)
            })?;
            read(response).await.map_err(|source| request.failed(Trouble::Unknown, source))
        };
        let answer = tokio::time::timeout(self.limit, exchange).await;
        answer.unwrap_or_else(|_| {
            let source = format!("no answer within {} ms", self.limit.as_millis());
            Err(request.failed(Trouble::Unknown, source))
        })
    }

    fn write(
        &self,
        request: &Request<'_>,
        credential: &Credential,
    ) -> Result<HttpRequest, BoxError> {
        let mut written = HttpRequest::get(format!("{}{}", self.base, request.path))?;
        written.set_method(request.method)?;
        // An error of a header would show it.
        let mut add = |name: &'static str, value: String| {
            let added = written.headers_mut().try_insert(name, value);
            added.map(drop).map_err(|_| format!("the header {name} cannot be sent"))
        };
        add("user-agent", USER_AGENT.to_owned())?;
        for (name, value) in self.headers {
            add(name, (*value).to_owned())?;
        }
        add("authorization", credential.header())?;
        if let Some(body) = &request.body {
            let body = body.to_string();
            add("content-type", "application/json".to_owned())?;
            add("content-length", body.len().to_string())?;
            *written.body_mut() = SdkBody::from(body);
        } else if request.method != "GET" {
            add("content-length", "0".to_owned())?;
        }
        Ok(written)
    }
}

/// Whether a token may be sent there: over TLS, or within this machine.
fn is_safe(base: &str) -> bool {
    let Some((scheme, rest)) = base.split_once("://") else { return false };
    let host = rest.split('/').next().unwrap_or_default();
    let is_plain = |c: char| c.is_ascii_alphanumeric() || "-._~:/[]".contains(c);
    let is_here = || {
        let names = ["127.0.0.1", "[::1]", "localhost"];
        names.iter().any(|name| {
            host.strip_prefix(name).is_some_and(|port| port.is_empty() || port.starts_with(':'))
        })
    };
    !host.is_empty()
        && rest.chars().all(is_plain)
        && (scheme == "https" || scheme == "http" && is_here())
}

/// Whether a request was certainly not sent.
fn is_unsent(error: &ConnectorError) -> bool {
    // The HTTP client's words for a connection that did not come about: no such name, nobody there, no TLS. Its type for that
    // is private to it.
    const NOT_CONNECTED: &str = "client error (Connect)";
    let mut cause: Option<&(dyn Error + 'static)> = Some(error);
    let mut is_unsent = error.is_timeout();
    while let Some(error) = cause {
        let kind = error.downcast_ref::<io::Error>().map(io::Error::kind);
        is_unsent |= error.to_string() == NOT_CONNECTED
            || kind.is_some_and(|kind| {
                matches!(
                    kind,
                    io::ErrorKind::ConnectionRefused
                        | io::ErrorKind::HostUnreachable
                        | io::ErrorKind::NetworkUnreachable
                )
            });
        cause = error.source();
    }
    is_unsent
}

async fn read(response: HttpResponse) -> Result<Answer, BoxError> {
    let status = response.status().as_u16();
    let headers = [
        "retry-after",
        "date",
        "x-ratelimit-remaining",
        "x-ratelimit-reset",
        "x-seraph-loginreason",
    ]
    .map(|name| response.headers().get(name).map(str::to_owned));
    let mut body = Vec::new();
    let mut stream = ByteStream::new(response.into_body());
    while let Some(chunk) = stream.next().await {
        match chunk {
            Ok(chunk) if body.len() + chunk.len() <= MAX_ANSWER => body.extend_from_slice(&chunk),
            // The status of a refusal says enough.
            _ if !(200..300).contains(&status) => break,
            Ok(_) => return Err(format!("the answer has more than {MAX_ANSWER} bytes").into()),
            Err(error) => return Err(error.into()),
        }
    }
    Ok(Answer::new(status, headers, body))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_is_sent_over_tls_alone() {
        for safe in [
            "https://example.atlassian.net",
            "https://api.atlassian.com/ex/jira/11111111-2222",
            "https://git.example.com:8443/api/v3",
            "http://127.0.0.1:8000",
            "http://[::1]:8000",
            "http://localhost",
        ] {
            assert!(is_safe(safe), "{safe}");
        }
        for unsafe_ in [
            "example.atlassian.net",
            "http://example.atlassian.net",
            "http://127.0.0.1.example.com",
            "http://localhost.example.com",
            "https://user:word@example.com",
            "https://example.com?a=b",
            "https://example.com#a",
            "https://exa mple.com",
            "ftp://example.com",
            "https://",
        ] {
            assert!(!is_safe(unsafe_), "{unsafe_}");
        }
    }
}
