//! Buckets of S3 on this machine: keep what is put into them, for whoever looks at it.
//!
//! They take as much of S3's protocol as keeping reports needs, `PutObject`, and are strict where AWS is: an object without
//! the digest of its bytes, or for another owner, is refused.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use aws_smithy_runtime_api::client::orchestrator::HttpRequest;
use axum::{
    Router,
    body::Bytes,
    extract::{DefaultBodyLimit, State},
    http::{HeaderMap, Method, StatusCode, Uri, header::CONTENT_TYPE},
    response::IntoResponse,
};
use tokio::net::TcpListener;

use super::http::{Answer, StandIn};
use crate::{app::failure::BoxError, domain::digest};

/// How many bytes an object has at most over a network. S3 itself takes 5 GB in one request.
const LARGEST: usize = 100_000_000;

/// The buckets of an account.
#[derive(Clone)]
pub struct Buckets {
    /// The id of the account that owns them.
    owner: &'static str,
    contents: Arc<Mutex<Contents>>,
}

/// What is in buckets, and how they answer.
#[derive(Debug, Default)]
pub struct Contents {
    /// Their names.
    pub buckets: BTreeSet<String>,
    /// What was put into them, in the order in which it came.
    pub objects: Vec<Stored>,
    /// What becomes of the next requests, the first of them first.
    pub trouble: Vec<Trouble>,
    /// How many requests came.
    pub requests: usize,
}

/// An object as it was put into a bucket.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stored {
    /// The name of the bucket.
    pub bucket: String,
    /// The object's key.
    pub key: String,
    /// What it says that it is.
    pub content_type: String,
    /// What is in it.
    pub bytes: Vec<u8>,
    /// The headers of the request, their names in lower case.
    pub headers: BTreeMap<String, String>,
}

/// What becomes of a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Trouble {
    /// It is one too many.
    SlowDown,
    /// S3 has an error of its own.
    Error,
    /// It is not allowed.
    Denied,
}

/// A request to S3.
#[derive(Clone, Debug)]
pub struct Request<'a> {
    /// The method, such as `PUT`.
    pub method: &'a str,
    /// The name of the host.
    pub host: &'a str,
    /// The path and the query.
    pub path: &'a str,
    /// The headers, their names in lower case.
    pub headers: BTreeMap<String, String>,
    /// The body.
    pub body: &'a [u8],
}

/// A refusal: a status, a code and what is wrong.
type Refusal = (u16, &'static str, String);

impl Buckets {
    /// The buckets of an account, of which one is there.
    pub fn new(owner: &'static str, bucket: &str) -> Self {
        let contents =
            Contents { buckets: BTreeSet::from([bucket.to_owned()]), ..Contents::default() };
        Self { owner, contents: Arc::new(Mutex::new(contents)) }
    }

    /// What is in them, to look at and to change.
    pub fn contents(&self) -> MutexGuard<'_, Contents> {
        self.contents.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Serves them on `listener` for ever.
    pub async fn serve(self, listener: TcpListener) -> Result<(), BoxError> {
        let limit = DefaultBodyLimit::max(LARGEST);
        let router = Router::new().fallback(call).layer(limit).with_state(self);
        Ok(axum::serve(listener, router).await?)
    }

    /// Performs a call.
    pub fn perform(&self, request: &Request<'_>) -> Answer {
        let mut contents = self.contents();
        contents.requests += 1;
        let trouble = (!contents.trouble.is_empty()).then(|| contents.trouble.remove(0));
        let refused = match trouble {
            Some(Trouble::SlowDown) => Some((503, "SlowDown", "Please reduce your request rate.")),
            Some(Trouble::Error) => {
                Some((500, "InternalError", "We encountered an internal error."))
            }
            Some(Trouble::Denied) => Some(DENIED),
            None => None,
        };
        if let Some((status, code, reason)) = refused {
            return refusal((status, code, reason.to_owned()));
        }
        match self.read(request, &contents.buckets) {
            Ok(stored) => {
                contents.objects.push(stored);
                Answer::ok(String::new())
            }
            Err(refused) => refusal(refused),
        }
    }

    /// An object as AWS would take it, or the refusal.
    /// Rules: <https://docs.aws.amazon.com/AmazonS3/latest/API/API_PutObject.html>.
    fn read(&self, request: &Request<'_>, buckets: &BTreeSet<String>) -> Result<Stored, Refusal> {
        let refused = |status, code, reason: &str| Err((status, code, reason.to_owned()));
        let (path, query) = request.path.split_once('?').unwrap_or((request.path, ""));
        if request.method != "PUT" || !["", "x-id=PutObject"].contains(&query) {
            let reason = format!("{} {} is not served here", request.method, request.path);
            return Err((501, "NotImplemented", reason));
        }
        let path = path.trim_start_matches('/');
        let (bucket, key) = match request.host.split_once(".s3.") {
            Some((bucket, _)) => (bucket, path),
            None => path.split_once('/').unwrap_or((path, "")),
        };
        if !buckets.contains(bucket) {
            return refused(404, "NoSuchBucket", "The specified bucket does not exist");
        }
        let header = |name: &str| request.headers.get(name).map(String::as_str);
        if header("x-amz-expected-bucket-owner").is_some_and(|owner| owner != self.owner) {
            let (status, code, reason) = DENIED;
            return refused(status, code, reason);
        }
        if !(1..=1024).contains(&key.len()) {
            return refused(400, "KeyTooLongError", "Your key is too long");
        }
        let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b"/-_.".contains(&byte);
        if !key.bytes().all(is_plain) {
            return refused(501, "NotImplemented", "this stand-in takes plain keys alone");
        }
        if header("content-encoding").is_some_and(|encoding| encoding.contains("aws-chunked")) {
            return refused(501, "NotImplemented", "this stand-in takes an object in one piece");
        }
        // What the sender signed is what came.
        let digest = digest::hex(request.body);
        if !header("x-amz-content-sha256").is_some_and(|signed| signed.starts_with(&digest)) {
            let reason =
                "The provided 'x-amz-content-sha256' header does not match what was computed.";
            return refused(400, "XAmzContentSHA256Mismatch", reason);
        }
        Ok(Stored {
            bucket: bucket.to_owned(),
            key: key.to_owned(),
            // What S3 takes an object for that does not say.
            content_type: header("content-type").unwrap_or("binary/octet-stream").to_owned(),
            bytes: request.body.to_vec(),
            headers: request.headers.clone(),
        })
    }
}

const DENIED: (u16, &str, &str) = (403, "AccessDenied", "Access Denied");

impl StandIn for Buckets {
    fn answer(&self, request: &HttpRequest) -> Answer {
        let uri = request.uri();
        let address = uri.split_once("://").map_or(uri, |(_, address)| address);
        let (host, path) = address.split_at(address.find('/').unwrap_or(address.len()));
        let headers = request.headers().iter();
        let asked = Request {
            method: request.method(),
            host,
            path,
            headers: headers.map(|(name, value)| (name.to_lowercase(), value.to_owned())).collect(),
            body: request.body().bytes().unwrap_or_default(),
        };
        self.perform(&asked)
    }
}

async fn call(
    State(buckets): State<Buckets>,
    method: Method,
    uri: Uri,
    headers: HeaderMap,
    body: Bytes,
) -> impl IntoResponse {
    let text =
        |value: &axum::http::HeaderValue| String::from_utf8_lossy(value.as_bytes()).into_owned();
    let headers: BTreeMap<_, _> =
        headers.iter().map(|(name, value)| (name.as_str().to_owned(), text(value))).collect();
    let request = Request {
        method: method.as_str(),
        host: &headers.get("host").cloned().unwrap_or_default(),
        path: uri.path_and_query().map_or("", |path| path.as_str()),
        headers,
        body: &body,
    };
    let answer = buckets.perform(&request);
    let status = StatusCode::from_u16(answer.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    (status, [(CONTENT_TYPE, "application/xml")], answer.body)
}

fn refusal((status, code, reason): Refusal) -> Answer {
    let reason = reason.replace('&', "&amp;").replace('<', "&lt;");
    let body = format!(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?><Error><Code>{code}</Code><Message>{reason}</Message>\
         <RequestId>0</RequestId></Error>"
    );
    Answer { status, body, retry_after: None }
}
