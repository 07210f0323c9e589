//! The Lambda function.

use inspector_triage::{
    aws, lambda,
    publish::Sns,
    settings::Settings,
    store::DynamoDb,
    triage::{Attempt, Triage},
};
use jiff::{Timestamp, Unit};
use lambda_runtime::{Error, LambdaEvent, service_fn};

#[expect(clippy::disallowed_methods, reason = "here the clock and the environment come in")]
#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    lambda_runtime::tracing::init_default_subscriber();
    let settings = Settings::read(|name| std::env::var(name).ok())?;
    tracing::info!(
        policy.stamp = settings.policy.stamp(),
        policy.sla_days = %settings.policy.sla,
        policy.urgent_tags = %settings.policy.urgent_tags,
        "the policy in effect"
    );
    let config = aws::config().load().await;
    let triage = Triage {
        store: DynamoDb::new(
            aws_sdk_dynamodb::config::Builder::from(&config),
            settings.table,
            settings.history_days,
        ),
        publisher: Sns::new(aws_sdk_sns::config::Builder::from(&config), settings.topics),
        policy: settings.policy,
        notify: settings.notify,
        language: settings.language,
        budget: settings.budget,
    };
    let triage = &triage;
    lambda_runtime::run(service_fn(|event: LambdaEvent<lambda::Payload>| async move {
        let began = Timestamp::now();
        let left = || lambda::time_left(event.context.deadline, began, Timestamp::now());
        let attempt = Attempt {
            name: &format!("{}@{began}", event.context.request_id),
            // As fine as Inspector's own times, and as people like to read them.
            now: began.round(Unit::Millisecond).unwrap_or(began),
            left: &left,
        };
        let event = event.payload.json().map_err(lambda::Failed)?;
        lambda::handle(triage, event.get().as_bytes(), attempt).await
    }))
    .await
}
