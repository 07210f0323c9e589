//! The SDK clients, with settings made on purpose.

use std::time::Duration;

pub use aws_config::SdkConfig;
use aws_config::{BehaviorVersion, ConfigLoader, retry::RetryConfig, timeout::TimeoutConfig};
use aws_smithy_http_client::{
    Builder,
    tls::{Provider, rustls_provider::CryptoMode},
};

use super::calls::CallRecorder;
use crate::app;

/// Clients' configuration: from the environment, with our settings.
///
/// - TLS by `rustls` on `ring`, which is ready an order of magnitude sooner than the SDK's default.
/// - Three attempts with exponential back-off and jitter.
/// - Connecting may take a second, an attempt 2, and a call with its retries [`app::CALL_TIMEOUT`]. Triage begins no
///   step that could not end before the function's own time-out, of 30 seconds.
/// - The SDK's behaviour is pinned, so that an update does not change how calls are made.
pub fn config() -> ConfigLoader {
    let tls = Provider::Rustls(CryptoMode::Ring);
    let timeouts = TimeoutConfig::builder()
        .connect_timeout(Duration::from_secs(1))
        .operation_attempt_timeout(Duration::from_secs(2))
        .operation_timeout(app::CALL_TIMEOUT.unsigned_abs())
        .build();
    aws_config::defaults(BehaviorVersion::v2026_01_12())
        .http_client(Builder::new().tls_provider(tls).build_https())
        .retry_config(RetryConfig::standard().with_max_attempts(3))
        .timeout_config(timeouts)
}

/// The same in a Region, instead of that of the environment.
#[cfg(feature = "cli")]
pub fn config_in(region: &str) -> ConfigLoader {
    config().region(aws_config::Region::new(region.to_owned()))
}

/// The clients of a function, which share their configuration and note how long their calls take.
#[derive(Clone, Debug)]
pub struct Clients {
    config: SdkConfig,
    calls: CallRecorder,
}

impl Clients {
    /// Loads the configuration from the environment.
    pub async fn load() -> Self {
        Self { config: config().load().await, calls: CallRecorder::default() }
    }

    /// The configuration of a client of DynamoDB.
    pub fn dynamodb(&self) -> aws_sdk_dynamodb::config::Builder {
        aws_sdk_dynamodb::config::Builder::from(&self.config).interceptor(self.calls.clone())
    }

    /// The configuration of a client of SNS.
    pub fn sns(&self) -> aws_sdk_sns::config::Builder {
        aws_sdk_sns::config::Builder::from(&self.config).interceptor(self.calls.clone())
    }

    /// The configuration of a client of Inspector.
    #[cfg(feature = "review")]
    pub fn inspector2(&self) -> aws_sdk_inspector2::config::Builder {
        aws_sdk_inspector2::config::Builder::from(&self.config).interceptor(self.calls.clone())
    }

    /// The configuration of a client of S3.
    #[cfg(feature = "review")]
    pub fn s3(&self) -> aws_sdk_s3::config::Builder {
        super::s3::config(&self.config).interceptor(self.calls.clone())
    }

    /// The configuration of a client of Secrets Manager.
    #[cfg(feature = "tickets")]
    pub fn secrets_manager(&self) -> aws_sdk_secretsmanager::config::Builder {
        aws_sdk_secretsmanager::config::Builder::from(&self.config).interceptor(self.calls.clone())
    }

    /// The calls that all of them make.
    pub fn calls(&self) -> &CallRecorder {
        &self.calls
    }
}
