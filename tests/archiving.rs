//! What is kept in a bucket, through the SDK's own client.

use aws_config::SdkConfig;
use aws_types::service_config::{LoadServiceConfig, ServiceConfigKey};
use inspector_triage::{
    adapters::{
        aws,
        s3::{self, Bucket, S3},
    },
    app::{Archive, ArchivedObject, REVIEWS},
    emulator::{
        self, ACCOUNT, BUCKET,
        bucket::{Buckets, Trouble},
        http::InProcess,
    },
};
use tokio::net::TcpListener;

const KEY: &str = "reviews/2026-11-23/review.html";
const HTML: &str = "text/html; charset=utf-8";
const PAGE: &str = "<p>41 findings, 3 件\n";

fn page() -> ArchivedObject<'static> {
    ArchivedObject { key: KEY, content_type: HTML, bytes: PAGE.as_bytes().to_vec() }
}

/// What all clients share.
async fn shared() -> SdkConfig {
    let credentials = aws_sdk_s3::config::Credentials::new("local", "local", None, None, "test");
    let region = aws_sdk_s3::config::Region::from_static(emulator::REGION);
    aws::config().region(region).credentials_provider(credentials).load().await
}

/// A bucket there is, and where it is kept.
async fn archive_of(name: &str, owner: &str) -> (S3, Buckets) {
    let buckets = Buckets::new(ACCOUNT, BUCKET);
    let config = s3::config(&shared().await).http_client(InProcess(buckets.clone()));
    let bucket = Bucket { name: name.to_owned(), owner: owner.to_owned() };
    (S3::new(config, Some(bucket)), buckets)
}

/// How many requests came, and how many objects are there.
fn counts(buckets: &Buckets) -> (usize, usize) {
    let contents = buckets.contents();
    (contents.requests, contents.objects.len())
}

/// What is said of a failure: the operation with its object, and why.
async fn refusal(archive: &S3) -> (String, String) {
    let failed = archive.keep(page()).await.unwrap_err();
    (failed.to_string(), failed.source.to_string())
}

#[tokio::test]
async fn what_is_kept_arrives_as_it_is() {
    let (archive, buckets) = archive_of(BUCKET, ACCOUNT).await;
    assert_eq!(archive.place(), Some(BUCKET));
    assert!(KEY.starts_with(REVIEWS));
    // Larger than what is sent in one piece over a network.
    let large = vec![0x80; 3_000_000];
    let data = ArchivedObject {
        key: "reviews/data.json",
        content_type: "application/json",
        bytes: large.clone(),
    };
    for object in [page(), data] {
        archive.keep(object.clone()).await.unwrap();
        let contents = buckets.contents();
        let stored = contents.objects.last().unwrap();
        assert_eq!((stored.bucket.as_str(), stored.key.as_str()), (BUCKET, object.key));
        assert_eq!(stored.content_type, object.content_type);
        assert!(stored.bytes == object.bytes);
        assert_eq!(stored.headers["x-amz-expected-bucket-owner"], ACCOUNT);
        assert!(stored.headers.contains_key("x-amz-checksum-crc32"), "{:?}", stored.headers);
        // Who may read, and with which key it is encrypted, is for the bucket to say.
        let said = |name: &&String| name.starts_with("x-amz-acl") || name.contains("encryption");
        assert_eq!(stored.headers.keys().find(said), None);
    }
}

#[tokio::test]
async fn a_bucket_of_somebody_else_gets_nothing() {
    let (archive, buckets) = archive_of(BUCKET, "999988887777").await;
    let object = format!("S3 PutObject s3://{BUCKET}/{KEY} failed");
    assert_eq!(refusal(&archive).await, (object, "AccessDenied: Access Denied".to_owned()));
    assert_eq!(buckets.contents().objects, []);
}

#[tokio::test]
async fn what_s3_refuses_names_the_operation_and_the_object() {
    let (archive, _) = archive_of("another-bucket", ACCOUNT).await;
    let (what, why) = refusal(&archive).await;
    assert_eq!(what, format!("S3 PutObject s3://another-bucket/{KEY} failed"));
    assert_eq!(why, "NoSuchBucket: The specified bucket does not exist");

    let (archive, buckets) = archive_of(BUCKET, ACCOUNT).await;
    buckets.contents().trouble = vec![Trouble::Denied];
    let (what, why) = refusal(&archive).await;
    assert_eq!(what, format!("S3 PutObject s3://{BUCKET}/{KEY} failed"));
    assert_eq!(why, "AccessDenied: Access Denied");
    assert_eq!(buckets.contents().requests, 1, "what is denied is not asked again");
}

#[tokio::test(start_paused = true)]
async fn what_passes_is_tried_three_times() {
    let (archive, buckets) = archive_of(BUCKET, ACCOUNT).await;
    buckets.contents().trouble = vec![Trouble::SlowDown, Trouble::Error];
    archive.keep(page()).await.unwrap();
    assert_eq!(counts(&buckets), (3, 1));

    let (archive, buckets) = archive_of(BUCKET, ACCOUNT).await;
    buckets.contents().trouble = vec![Trouble::SlowDown; 3];
    let (what, why) = refusal(&archive).await;
    assert_eq!(what, format!("S3 PutObject s3://{BUCKET}/{KEY} failed"));
    assert_eq!(why, "SlowDown: Please reduce your request rate.");
    assert_eq!(counts(&buckets), (3, 0));
}

#[tokio::test]
async fn without_a_bucket_nobody_is_asked() {
    let buckets = Buckets::new(ACCOUNT, BUCKET);
    let config = s3::config(&shared().await).http_client(InProcess(buckets.clone()));
    let archive = S3::new(config, None);
    assert_eq!(archive.place(), None);
    let expected = (format!("S3 PutObject {KEY} failed"), "there is no bucket".to_owned());
    assert_eq!(refusal(&archive).await, expected);
    assert_eq!(buckets.contents().requests, 0);
}

/// An environment that has `AWS_ENDPOINT_URL_S3`.
#[derive(Debug)]
struct WithEndpoint(String);

impl LoadServiceConfig for WithEndpoint {
    fn load_config(&self, key: ServiceConfigKey<'_>) -> Option<String> {
        let is_endpoint = (key.service_id(), key.env()) == ("S3", "AWS_ENDPOINT_URL");
        is_endpoint.then(|| self.0.clone())
    }
}

#[tokio::test]
async fn with_an_endpoint_of_ones_own_the_bucket_stands_in_the_path() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    // No address: that would be in the path anyhow.
    let endpoint = format!("http://localhost:{}", listener.local_addr().unwrap().port());
    let buckets = Buckets::new(ACCOUNT, BUCKET);
    tokio::spawn(buckets.clone().serve(listener));
    let of_service =
        shared().await.into_builder().service_config(WithEndpoint(endpoint.clone())).build();
    let of_all = shared().await.into_builder().endpoint_url(endpoint).build();
    for shared in [of_service, of_all] {
        let bucket = Bucket { name: BUCKET.to_owned(), owner: ACCOUNT.to_owned() };
        S3::new(s3::config(&shared), Some(bucket)).keep(page()).await.unwrap();
        let stored = buckets.contents().objects.pop().unwrap();
        assert_eq!((stored.bucket.as_str(), stored.key.as_str()), (BUCKET, KEY));
        assert_eq!(stored.bytes, PAGE.as_bytes());
        assert!(stored.headers["host"].starts_with("localhost:"));
    }
}

#[tokio::test]
async fn a_page_of_a_hundred_thousand_findings_goes_over_a_network() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let endpoint = format!("http://localhost:{}", listener.local_addr().unwrap().port());
    let buckets = Buckets::new(ACCOUNT, BUCKET);
    tokio::spawn(buckets.clone().serve(listener));
    let shared = shared().await.into_builder().endpoint_url(endpoint).build();
    let bucket = Bucket { name: BUCKET.to_owned(), owner: ACCOUNT.to_owned() };
    let large = ArchivedObject { bytes: vec![b'x'; 20_000_000], ..page() };
    S3::new(s3::config(&shared), Some(bucket)).keep(large).await.unwrap();
    assert_eq!(buckets.contents().objects[0].bytes.len(), 20_000_000);
}

#[tokio::test]
async fn buckets_take_objects_and_nothing_else() {
    let buckets = Buckets::new(ACCOUNT, BUCKET);
    let client = aws_sdk_s3::Client::from_conf(
        s3::config(&shared().await).http_client(InProcess(buckets.clone())).build(),
    );
    for refused in [
        client.get_object().bucket(BUCKET).key(KEY).send().await.err().map(|e| code(&e)),
        client.delete_object().bucket(BUCKET).key(KEY).send().await.err().map(|e| code(&e)),
        client.list_objects_v2().bucket(BUCKET).send().await.err().map(|e| code(&e)),
        client.put_object_acl().bucket(BUCKET).key(KEY).send().await.err().map(|e| code(&e)),
    ] {
        assert_eq!(refused.as_deref(), Some("NotImplemented"));
    }
    assert_eq!(buckets.contents().objects, []);
}

fn code(error: &impl aws_sdk_s3::error::ProvideErrorMetadata) -> String {
    error.code().unwrap_or_default().to_owned()
}
