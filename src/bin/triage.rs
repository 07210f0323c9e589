//! The Lambda function.

use std::io;

use inspector_triage::{
    adapters::{aws, calls::CallRecorder, dynamodb::DynamoDb, sns::Sns},
    app::Triage,
    lambda::{self, Payload, logs, settings::Settings},
};
use jiff::Timestamp;
use lambda_runtime::{Error, LambdaEvent, service_fn};

#[expect(clippy::disallowed_methods, reason = "here the clock and the environment come in")]
#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    let settings = Settings::read(|name| std::env::var(name).ok())?;
    logs::start(settings.log_level, io::stdout)?;
    tracing::info!(
        policy.stamp = settings.policy.stamp(),
        policy.sla_days = %settings.policy.sla,
        policy.urgent_tags = %settings.policy.urgent_tags,
        "the policy in effect"
    );
    let config = aws::config().load().await;
    let calls = CallRecorder::default();
    let dynamodb = aws_sdk_dynamodb::config::Builder::from(&config).interceptor(calls.clone());
    let sns = aws_sdk_sns::config::Builder::from(&config).interceptor(calls.clone());
    let triage = Triage {
        store: DynamoDb::new(dynamodb, settings.table, settings.history_days),
        publisher: Sns::new(sns, settings.topics),
        policy: settings.policy,
        notify: settings.notify,
        language: settings.language,
        budget: settings.budget,
    };
    lambda_runtime::run(service_fn(|event: LambdaEvent<Payload>| {
        lambda::invoke(&triage, event, &calls, Timestamp::now, io::stdout())
    }))
    .await
}
