//! The Lambda function.

use inspector_triage::{
    aws, lambda, publish::Sns, settings::Settings, store::DynamoDb, triage::Triage,
};
use jiff::{Timestamp, Unit};
use lambda_runtime::{Error, LambdaEvent, service_fn};

#[expect(clippy::disallowed_methods, reason = "here the clock and the environment come in")]
#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    lambda_runtime::tracing::init_default_subscriber();
    let settings = Settings::read(|name| std::env::var(name).ok())?;
    let config = aws::config().load().await;
    let triage = Triage {
        store: DynamoDb::new(
            aws_sdk_dynamodb::Client::new(&config),
            settings.table,
            settings.history_days,
        ),
        publisher: Sns::new(aws_sdk_sns::Client::new(&config), settings.topic),
        policy: settings.policy,
        notify: settings.notify,
        language: settings.language,
    };
    let triage = &triage;
    lambda_runtime::run(service_fn(|event: LambdaEvent<lambda::Payload>| async move {
        let now = Timestamp::now();
        let attempt = format!("{}@{now}", event.context.request_id);
        // As fine as Inspector's own times, and as people like to read them.
        let now = now.round(Unit::Millisecond).unwrap_or(now);
        let event = event.payload.json().map_err(lambda::Failed)?;
        lambda::handle(triage, event.get().as_bytes(), now, &attempt).await
    }))
    .await
}
