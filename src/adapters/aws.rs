//! The SDK clients, with settings made on purpose.

use std::time::Duration;

use aws_config::{BehaviorVersion, ConfigLoader, retry::RetryConfig, timeout::TimeoutConfig};
use aws_smithy_http_client::{
    Builder,
    tls::{Provider, rustls_provider::CryptoMode},
};

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
