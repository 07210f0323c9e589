//! A registry of images on this machine: an ECR in one account and Region that has the images it is given.
//!
//! It takes as much of ECR's protocol as looking at images needs, and is strict: a field or a word that AWS's own model of the
//! service does not have is refused. What goes wrong now and then is in [`Trouble`].

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use aws_smithy_runtime_api::client::orchestrator::HttpRequest;
use axum::{
    Router,
    body::Bytes,
    extract::State,
    http::{
        HeaderMap, StatusCode,
        header::{CONTENT_TYPE, RETRY_AFTER},
    },
    response::{AppendHeaders, IntoResponse},
};
use serde_json::{Map, Value, json};
use tokio::net::TcpListener;

use super::http::{Answer, StandIn};
use crate::{app::failure::BoxError, domain::digest};

/// What stands before the name of an operation in the header `x-amz-target`.
const TARGET: &str = "AmazonEC2ContainerRegistry_V20150921.";

/// A registry.
#[derive(Clone)]
pub struct Registry(Arc<Mutex<Contents>>);

/// What a registry has, and how it behaves.
pub struct Contents {
    /// The id of the account that it belongs to.
    pub account: String,
    /// The images of each repository.
    pub repositories: BTreeMap<String, Vec<Image>>,
    /// Which images are scanned: a `scanningConfiguration` in the form of the API.
    pub scanning: Value,
    /// How many images a page has at most, if the request does not say.
    pub page_size: usize,
    /// Asked about each request before it is looked at: the number of the request, from 0, and what it is.
    pub trouble: Option<Fate>,
    /// Each request that came: its operation and its body.
    pub requests: Vec<(String, Value)>,
}

/// What befalls the request with this number.
pub type Fate = Box<dyn FnMut(usize, Request<'_>) -> Option<Trouble> + Send>;

/// A request to a registry.
#[derive(Clone, Copy, Debug)]
pub struct Request<'a> {
    /// Its operation, such as `DescribeImages`.
    pub operation: &'a str,
    /// Its body.
    pub body: &'a Value,
}

/// An image of a repository.
#[derive(Clone, Debug, PartialEq)]
pub struct Image {
    /// Its digest.
    pub digest: String,
    /// Its tags.
    pub tags: Vec<String>,
    /// When it was pushed, in seconds since 1970.
    pub pushed_at: f64,
    /// How many bytes its layers have.
    pub size: u64,
    /// The media type of its manifest; none as ECR had it of old.
    pub media_type: Option<String>,
    /// Its manifest.
    pub manifest: String,
    /// `ACTIVE`, `ARCHIVED` or `ACTIVATING`; none as ECR had it of old.
    pub status: Option<String>,
    /// The status of its scan, with a description.
    pub scan: Option<(String, String)>,
}

impl Image {
    /// An image with this manifest, pushed on 20 November 2026, whose digest is that of the manifest.
    pub fn new(media_type: &str, manifest: &str) -> Self {
        Self {
            digest: digest::of_content(manifest),
            tags: Vec::new(),
            pushed_at: 1_795_168_800.125,
            size: 31_415_926,
            media_type: Some(media_type.to_owned()),
            manifest: manifest.to_owned(),
            status: Some("ACTIVE".to_owned()),
            scan: None,
        }
    }

    /// The same with a tag more.
    #[must_use]
    pub fn tagged(mut self, tag: &str) -> Self {
        self.tags.push(tag.to_owned());
        self
    }

    fn is(&self, id: &Id<'_>) -> bool {
        id.digest.is_none_or(|digest| digest == self.digest)
            && id.tag.is_none_or(|tag| self.tags.iter().any(|own| own == tag))
    }

    fn is_archived(&self) -> bool {
        self.status.as_deref() == Some("ARCHIVED")
    }
}

/// How a request names an image.
struct Id<'a> {
    digest: Option<&'a str>,
    tag: Option<&'a str>,
}

/// What becomes of a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Trouble {
    /// It is one too many; come again after so many seconds.
    Throttled(u32),
    /// ECR has an error of its own.
    Error,
    /// It is not allowed.
    Denied,
    /// The credentials are not valid any more.
    TokenExpired,
    /// The answer is cut off in the midst of it.
    CutOff,
    /// There is nothing in the answer.
    Empty,
    /// In the answer, one text stands for another.
    Changed(&'static str, &'static str),
}

/// A refusal: a status, a code and what is wrong.
type Refusal = (u16, &'static str, String);

impl Registry {
    /// The registry of an account. It has no repository, and Inspector scans continuously whatever it gets.
    pub fn new(account: &str) -> Self {
        let filter = json!({"filter": "*", "filterType": "WILDCARD"});
        let rule = json!({"scanFrequency": "CONTINUOUS_SCAN", "repositoryFilters": [filter]});
        Self(Arc::new(Mutex::new(Contents {
            account: account.to_owned(),
            repositories: BTreeMap::new(),
            scanning: json!({"scanType": "ENHANCED", "rules": [rule]}),
            page_size: 100,
            trouble: None,
            requests: Vec::new(),
        })))
    }

    /// What it has, to look at and to change.
    pub fn contents(&self) -> MutexGuard<'_, Contents> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Serves it on `listener` for ever.
    pub async fn serve(self, listener: TcpListener) -> Result<(), BoxError> {
        let router = Router::new().fallback(call).with_state(self);
        Ok(axum::serve(listener, router).await?)
    }

    /// Performs a call, given as the header `x-amz-target` and the body of a request.
    pub fn perform(&self, target: &str, body: &[u8]) -> Answer {
        let Some(operation) = target.strip_prefix(TARGET) else {
            let why = format!("{target} is not served here");
            return refusal((400, "UnknownOperationException", why));
        };
        let body: Value = match serde_json::from_slice(body) {
            Ok(body) => body,
            Err(error) => return refusal((400, "SerializationException", error.to_string())),
        };
        let mut contents = self.contents();
        let number = contents.requests.len();
        contents.requests.push((operation.to_owned(), body.clone()));
        let request = Request { operation, body: &body };
        let trouble = contents.trouble.as_mut().and_then(|trouble| trouble(number, request));
        let refused = |code, why: &str| refusal((400, code, why.to_owned()));
        match trouble {
            Some(Trouble::Throttled(seconds)) => {
                let answer = refused("ThrottlingException", "Rate exceeded");
                return Answer { retry_after: Some(seconds), ..answer };
            }
            Some(Trouble::Error) => {
                return Answer { status: 500, ..refused("ServerException", "an error") };
            }
            Some(Trouble::Denied) => {
                return refused("AccessDeniedException", "is not authorized to perform this");
            }
            Some(Trouble::TokenExpired) => {
                let why = "The security token included in the request is expired";
                return refused("ExpiredTokenException", why);
            }
            _ => {}
        }
        let mut answer = match contents.answer(operation, &body) {
            Ok(answer) => answer.to_string(),
            Err(refused) => return refusal(refused),
        };
        match trouble {
            Some(Trouble::CutOff) => answer.truncate(answer.len() / 2),
            Some(Trouble::Empty) => "{}".clone_into(&mut answer),
            Some(Trouble::Changed(from, to)) => answer = answer.replace(from, to),
            _ => {}
        }
        Answer::ok(answer)
    }
}

impl StandIn for Registry {
    fn answer(&self, request: &HttpRequest) -> Answer {
        let target = request.headers().get("x-amz-target").unwrap_or_default();
        self.perform(target, request.body().bytes().unwrap_or_default())
    }
}

async fn call(
    State(registry): State<Registry>,
    headers: HeaderMap,
    body: Bytes,
) -> impl IntoResponse {
    let target = headers.get("x-amz-target").and_then(|target| target.to_str().ok());
    let Answer { status, body, retry_after } = registry.perform(target.unwrap_or_default(), &body);
    let status = StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let retry_after = retry_after.map(|seconds| (RETRY_AFTER, seconds.to_string()));
    let headers = AppendHeaders(retry_after.into_iter().collect::<Vec<_>>());
    (status, [(CONTENT_TYPE, "application/x-amz-json-1.1")], headers, body)
}

impl Contents {
    /// Has an image that Inspector knows by this ARN, with these tags, if it is one of this account. Of its manifest nothing
    /// is known.
    pub fn know(&mut self, arn: &str, tags: &[String]) {
        let image = arn.split_once(&format!(":{}:repository/", self.account));
        let Some((repository, digest)) = image.and_then(|(_, image)| image.rsplit_once('/')) else {
            return;
        };
        let images = self.repositories.entry(repository.to_owned()).or_default();
        if images.iter().all(|image| image.digest != digest) {
            let image = Image::new("application/vnd.docker.distribution.manifest.v2+json", "");
            images.push(Image { digest: digest.to_owned(), tags: tags.to_vec(), ..image });
        }
    }

    fn answer(&self, operation: &str, body: &Value) -> Result<Value, Refusal> {
        let request = body.as_object().ok_or_else(|| invalid("the request is no object"))?;
        match operation {
            "DescribeImages" => self.describe_images(request),
            "BatchGetImage" => self.batch_get_image(request),
            "GetRegistryScanningConfiguration" => {
                known(request, &[])?;
                let (account, scanning) = (&self.account, &self.scanning);
                Ok(json!({"registryId": account, "scanningConfiguration": scanning}))
            }
            _ => {
                let why = format!("{operation} is not served here");
                Err((400, "UnknownOperationException", why))
            }
        }
    }

    fn describe_images(&self, request: &Map<String, Value>) -> Result<Value, Refusal> {
        let fields =
            ["registryId", "repositoryName", "imageIds", "nextToken", "maxResults", "filter"];
        known(request, &fields)?;
        let (name, images) = self.repository(request)?;
        let filter = match request.get("filter") {
            None => &Map::new(),
            Some(filter) => filter.as_object().ok_or_else(|| invalid("filter is no object"))?,
        };
        known(filter, &["tagStatus", "imageStatus"])?;
        let word = |field: &str, words: &[&str], otherwise| match filter.get(field) {
            None => Ok(otherwise),
            Some(Value::String(word)) if words.contains(&word.as_str()) => Ok(word.clone()),
            Some(other) => Err(invalid(&format!("{field} is {other}"))),
        };
        let tagged = word("tagStatus", &["TAGGED", "UNTAGGED", "ANY"], "ANY".to_owned())?;
        // Without a filter, a listing has no images of the archive. Who asks for an image by name gets it wherever it is.
        let otherwise = if request.contains_key("imageIds") { "ANY" } else { "ACTIVE" };
        let statuses = ["ACTIVE", "ARCHIVED", "ACTIVATING", "ANY"];
        let status = word("imageStatus", &statuses, otherwise.to_owned())?;
        let passes = |image: &&Image| {
            let is_tagged = !image.tags.is_empty();
            (tagged == "ANY" || is_tagged == (tagged == "TAGGED"))
                && (status == "ANY" || image.status.as_deref().unwrap_or("ACTIVE") == status)
        };
        if request.contains_key("imageIds") {
            if request.contains_key("nextToken") || request.contains_key("maxResults") {
                return Err(invalid("imageIds come in one page"));
            }
            let found = ids(request)?.into_iter().map(|id| {
                let found = images.iter().filter(passes).find(|image| image.is(&id));
                found.ok_or_else(|| {
                    let (digest, tag) = (id.digest.unwrap_or("null"), id.tag.unwrap_or("null"));
                    let why = format!(
                        "The image with imageId {{imageDigest:'{digest}', imageTag:'{tag}'}} does not exist within the \
                         repository with name '{name}' in the registry with id '{}'",
                        self.account
                    );
                    (400, "ImageNotFoundException", why)
                })
            });
            let found = found.map(|image| Ok(self.detail(name, image?)));
            return Ok(json!({"imageDetails": found.collect::<Result<Vec<_>, _>>()?}));
        }
        let most = match request.get("maxResults") {
            None => self.page_size,
            Some(most) => {
                let most = most.as_u64().filter(|most| (1..=1000).contains(most));
                let most = most.and_then(|most| usize::try_from(most).ok());
                most.ok_or_else(|| invalid("maxResults is not in 1 to 1000"))?
            }
        };
        let from: usize = match request.get("nextToken") {
            None => 0,
            Some(token) => {
                let token = token.as_str().and_then(|token| token.parse().ok());
                token.ok_or_else(|| invalid("nextToken is none"))?
            }
        };
        let listed: Vec<Value> =
            images.iter().filter(passes).map(|image| self.detail(name, image)).collect();
        let mut answer =
            json!({"imageDetails": listed.iter().skip(from).take(most).collect::<Vec<_>>()});
        if from + most < listed.len() {
            answer["nextToken"] = json!((from + most).to_string());
        }
        Ok(answer)
    }

    fn batch_get_image(&self, request: &Map<String, Value>) -> Result<Value, Refusal> {
        known(request, &["registryId", "repositoryName", "imageIds", "acceptedMediaTypes"])?;
        let (name, images) = self.repository(request)?;
        let accepted = request.get("acceptedMediaTypes").and_then(Value::as_array);
        let (mut found, mut failures) = (Vec::new(), Vec::new());
        for id in ids(request)? {
            let mut named = Map::new();
            named.extend(id.digest.map(|digest| ("imageDigest".to_owned(), json!(digest))));
            named.extend(id.tag.map(|tag| ("imageTag".to_owned(), json!(tag))));
            let mut fail = |code: &str, reason: &str| {
                failures
                    .push(json!({"imageId": named, "failureCode": code, "failureReason": reason}));
            };
            match images.iter().find(|image| image.is(&id)) {
                None => fail("ImageNotFound", "Requested image not found"),
                Some(image) if image.is_archived() => {
                    let why =
                        "The requested image is in an inaccessible state. Please restore if needed";
                    fail("ImageInaccessible", why);
                }
                // ECR makes another form of an image if it can, which of an index it cannot.
                Some(image)
                    if accepted.is_some_and(|accepted| {
                        image.media_type.as_ref().is_some_and(|own| !accepted.contains(&json!(own)))
                    }) =>
                {
                    fail("ImageNotFound", "there is no such form of the image");
                }
                Some(image) => {
                    let mut image_id = named.clone();
                    image_id.insert("imageDigest".to_owned(), json!(image.digest));
                    found.push(json!({
                        "registryId": self.account, "repositoryName": name, "imageId": image_id,
                        "imageManifest": image.manifest, "imageManifestMediaType": image.media_type,
                    }));
                }
            }
        }
        Ok(json!({"images": found, "failures": failures}))
    }

    /// The repository that a request is about.
    fn repository<'a>(
        &self,
        request: &'a Map<String, Value>,
    ) -> Result<(&'a str, &[Image]), Refusal> {
        let name = request.get("repositoryName").and_then(Value::as_str);
        let name = name.ok_or_else(|| invalid("repositoryName is missing"))?;
        let registry = match request.get("registryId") {
            None => &self.account,
            Some(Value::String(id)) if id.len() == 12 => id,
            Some(other) => return Err(invalid(&format!("registryId is {other}"))),
        };
        let images = self.repositories.get(name).filter(|_| *registry == self.account);
        let images = images.ok_or_else(|| {
            let why = format!(
                "The repository with name '{name}' does not exist in the registry with id '{registry}'"
            );
            (400, "RepositoryNotFoundException", why)
        })?;
        Ok((name, images))
    }

    /// An image in the form of the API.
    fn detail(&self, repository: &str, image: &Image) -> Value {
        let mut detail = json!({
            "registryId": self.account,
            "repositoryName": repository,
            "imageDigest": image.digest,
            "imageSizeInBytes": image.size,
            "imagePushedAt": image.pushed_at,
        });
        if !image.tags.is_empty() {
            detail["imageTags"] = json!(image.tags);
        }
        if let Some(media_type) = &image.media_type {
            detail["imageManifestMediaType"] = json!(media_type);
        }
        if let Some(status) = &image.status {
            detail["imageStatus"] = json!(status);
        }
        if let Some((status, description)) = &image.scan {
            detail["imageScanStatus"] = json!({"status": status, "description": description});
        }
        detail
    }
}

/// How a request names images: one to a hundred.
fn ids(request: &Map<String, Value>) -> Result<Vec<Id<'_>>, Refusal> {
    let ids = request.get("imageIds").and_then(Value::as_array);
    let ids = ids.filter(|ids| (1..=100).contains(&ids.len()));
    let ids = ids.ok_or_else(|| invalid("imageIds is no list of 1 to 100"))?;
    let read = |id| {
        let id = Value::as_object(id).ok_or_else(|| invalid("an imageId is no object"))?;
        known(id, &["imageDigest", "imageTag"])?;
        let text = |field: &str| id.get(field).and_then(Value::as_str);
        match (text("imageDigest"), text("imageTag")) {
            (None, None) => Err(invalid("an imageId has neither a digest nor a tag")),
            (digest, tag) => Ok(Id { digest, tag }),
        }
    };
    ids.iter().map(read).collect()
}

/// Refuses what the model does not have.
fn known(request: &Map<String, Value>, fields: &[&str]) -> Result<(), Refusal> {
    match request.keys().find(|name| !fields.contains(&name.as_str())) {
        Some(name) => Err(invalid(&format!("{name} is not in the model"))),
        None => Ok(()),
    }
}

fn invalid(why: &str) -> Refusal {
    (400, "InvalidParameterException", why.to_owned())
}

fn refusal((status, code, message): Refusal) -> Answer {
    let body = json!({"__type": code, "message": message}).to_string();
    Answer { status, body, retry_after: None }
}
