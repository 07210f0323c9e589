//! The bucket for reports: the only place that speaks to S3.

use std::time::Duration;

use aws_config::SdkConfig;
use aws_sdk_s3::{
    Client,
    config::{self, timeout::TimeoutConfig},
    primitives::ByteStream,
};
use aws_types::service_config::ServiceConfigKey;

use super::failed;
use crate::app::{Archive, ArchivedObject, failure::CallFailed};

/// A bucket, or none.
#[derive(Clone, Debug)]
pub struct S3 {
    client: Client,
    bucket: Option<Bucket>,
}

/// A bucket, and whose it must be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Bucket {
    /// Its name.
    pub name: String,
    /// The id of the account that owns it. A name that is free again can be taken by anybody, who gets nothing then.
    pub owner: String,
}

/// The configuration of a client, from what all clients share. Where S3 has an endpoint of one's own, such as an emulator's,
/// there is no name in the DNS for each bucket: there the bucket stands in the path.
pub fn config(shared: &SdkConfig) -> config::Builder {
    // As the SDK looks for it, which does not tell what it has found.
    let key = ServiceConfigKey::builder()
        .service_id("S3")
        .env("AWS_ENDPOINT_URL")
        .profile("endpoint_url")
        .build();
    let own = shared.service_config().zip(key.ok());
    let own = own.and_then(|(service, key)| service.load_config(key));
    let has_endpoint = own.is_some() || shared.endpoint_url().is_some();
    // A page may have 19 MB, and a small function few processors to send them with.
    let timeouts = TimeoutConfig::builder()
        .connect_timeout(Duration::from_secs(1))
        .operation_attempt_timeout(Duration::from_secs(20))
        .operation_timeout(Duration::from_secs(45))
        .build();
    config::Builder::from(shared).force_path_style(has_endpoint).timeout_config(timeouts)
}

impl S3 {
    /// This bucket.
    pub fn new(config: config::Builder, bucket: Option<Bucket>) -> Self {
        Self { client: Client::from_conf(config.build()), bucket }
    }
}

impl Archive for S3 {
    fn place(&self) -> Option<&str> {
        self.bucket.as_ref().map(|bucket| bucket.name.as_str())
    }

    async fn keep(&self, object: ArchivedObject<'_>) -> Result<(), CallFailed> {
        const OPERATION: &str = "S3 PutObject";
        let Some(Bucket { name, owner }) = &self.bucket else {
            let (object, source) = (object.key.to_owned(), "there is no bucket".into());
            return Err(CallFailed { operation: OPERATION, object, source });
        };
        // How it is encrypted is for the bucket to say. The SDK adds a checksum.
        let call = self
            .client
            .put_object()
            .bucket(name)
            .key(object.key)
            .expected_bucket_owner(owner)
            .content_type(object.content_type)
            .body(ByteStream::from(object.bytes));
        let place = || format!("s3://{name}/{}", object.key);
        call.send().await.map(drop).map_err(|error| failed::call(OPERATION, &place(), error))
    }
}
