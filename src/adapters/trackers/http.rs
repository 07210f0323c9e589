//! Requests to a tracker, over the HTTP client that the SDK has.

use std::{error::Error, fmt, io, str::FromStr, time::Duration};

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
use tokio::time::Instant;

use super::{
    answer::Answer,
    credential::{Credential, Credentials},
};
use crate::{
    adapters::calls::CallRecorder,
    app::{
        REQUEST_TIMEOUT, TrackerFailed, Trouble,
        failure::{BoxError, CallFailed},
    },
};

/// How long connecting may take, with looking the name up.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(2);
/// How long a connection is kept that nobody uses. Servers close idle ones, which is then found out only by a request that is
/// lost.
const IDLE_TIMEOUT: Duration = Duration::from_secs(5);
/// The longest answer that is read, in bytes.
const MAX_ANSWER: usize = 1_000_000;
/// What the tracker is called among the services whose calls are measured.
const SERVICE: &str = "Tracker";
const USER_AGENT: &str = concat!("inspector-triage/", env!("CARGO_PKG_VERSION"));

/// A client of a tracker. Follows no redirect and repeats nothing, but for a token that was changed.
#[derive(Debug)]
pub struct Http<C> {
    connector: SharedHttpConnector,
    base: Address,
    headers: &'static [(&'static str, &'static str)],
    credentials: C,
    pub(super) limit: Duration,
    /// Where it is written down how long each request takes.
    pub(super) calls: CallRecorder,
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

/// An address that a token may be sent to, with no slash at its end.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Address(String);

impl Address {
    /// What a text must be to be read as one.
    pub const EXPECTED: &str =
        "an address such as https://example.atlassian.net, without user and query";
}

impl FromStr for Address {
    type Err = NotAnAddress;

    fn from_str(text: &str) -> Result<Self, NotAnAddress> {
        read_address(text).map(Self).ok_or(NotAnAddress)
    }
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Not an address to send a token to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("expected {}", Address::EXPECTED)]
pub struct NotAnAddress;

impl<C: Credentials> Http<C> {
    /// A client for `base`, which sends `headers` with each request.
    pub fn new(
        base: &Address,
        headers: &'static [(&'static str, &'static str)],
        credentials: C,
    ) -> Self {
        // Connecting has its own limit, and what is above ends the rest: so a time-out of the connector is one of connecting.
        let settings = HttpConnectorSettings::builder().connect_timeout(CONNECT_TIMEOUT).build();
        let connector = Connector::builder()
            .connector_settings(settings)
            .pool_idle_timeout(IDLE_TIMEOUT)
            .tls_provider(Provider::Rustls(CryptoMode::Ring))
            .build();
        let (connector, base) = (SharedHttpConnector::new(connector), base.clone());
        let limit = REQUEST_TIMEOUT.unsigned_abs();
        Self { connector, base, headers, credentials, limit, calls: CallRecorder::default() }
    }

    /// Where requests go.
    pub fn base(&self) -> &str {
        &self.base.0
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
        let began = Instant::now();
        let answer = tokio::time::timeout(self.limit, exchange).await;
        self.calls.note(SERVICE, began.elapsed());
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
        let mut written = HttpRequest::get(format!("{}{}", self.base.0, request.path))?;
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

/// An address without the slash at its end: `https://`, or `http://` within this machine.
fn read_address(text: &str) -> Option<String> {
    let url = text.trim();
    let url = url.strip_suffix('/').unwrap_or(url);
    let (scheme, rest) = url.split_once("://")?;
    let (authority, path) = match rest.split_once('/') {
        Some((authority, path)) => (authority, Some(path)),
        None => (rest, None),
    };
    let (host, port) = match authority.strip_prefix("[::1]") {
        Some(port) => ("[::1]", port),
        None => authority.split_at(authority.find(':').unwrap_or(authority.len())),
    };
    let is_here = ["127.0.0.1", "localhost", "[::1]"].contains(&host);
    let is_name = |name: &str| {
        name.starts_with(|c: char| c.is_ascii_alphanumeric())
            && name.bytes().all(|b| b.is_ascii_alphanumeric() || b"-.".contains(&b))
    };
    let is_segment = |segment: &str| {
        segment.starts_with(|c: char| c.is_ascii_alphanumeric())
            && segment.bytes().all(|b| b.is_ascii_alphanumeric() || b"-_.".contains(&b))
    };
    let is_safe = scheme == "https" || scheme == "http" && is_here;
    let has_host = is_here || is_name(host);
    let number = port.strip_prefix(':').and_then(|port| port.parse::<u16>().ok());
    let has_port = port.is_empty() || number.is_some_and(|number| number > 0);
    let has_path = path.is_none_or(|path| path.split('/').all(is_segment));
    (is_safe && has_host && has_port && has_path).then(|| url.to_owned())
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
    fn a_token_is_sent_over_tls_alone_or_within_this_machine() {
        for (text, address) in [
            ("https://example.atlassian.net/", "https://example.atlassian.net"),
            (
                "https://api.atlassian.com/ex/jira/11111111-2222",
                "https://api.atlassian.com/ex/jira/11111111-2222",
            ),
            ("https://git.example.com:8443/api/v3", "https://git.example.com:8443/api/v3"),
            ("http://127.0.0.1:8080", "http://127.0.0.1:8080"),
            ("http://localhost", "http://localhost"),
            (" http://[::1]:8080/", "http://[::1]:8080"),
        ] {
            assert_eq!(text.parse::<Address>().unwrap().to_string(), address);
        }
        for text in [
            "",
            "example.atlassian.net",
            "http://example.atlassian.net",
            "http://127.0.0.1.example.com",
            "http://localhost.example.com",
            "ftp://localhost",
            "https://",
            "https:///",
            "https://user:word@example.com",
            "https://example.com?a=b",
            "https://example.com#a",
            "https://example.com/a//b",
            "https://example.com/..",
            "https://example.com:0",
            "https://example.com:port",
            "https://exa mple.com",
        ] {
            assert_eq!(text.parse::<Address>(), Err(NotAnAddress), "{text}");
        }
    }
}
