//! The floor under the function: as many calls of the same kinds, and nothing else.
//!
//! The same runtime and the same clients, with the same TLS. No logging, no reading, no score, no
//! words: what is sent is small and fixed but for the key. What the function takes above this is
//! what triage itself costs.

use std::collections::HashMap;

use aws_sdk_dynamodb::types::{
    AttributeValue, Put, ReturnValuesOnConditionCheckFailure, TransactWriteItem, Update,
};
use inspector_triage::adapters::aws;
use lambda_runtime::{Error, LambdaEvent, service_fn};
use serde_json::{json, value::RawValue};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    let config = aws::config().load().await;
    let floor = &Floor {
        dynamodb: aws_sdk_dynamodb::Client::new(&config),
        sns: aws_sdk_sns::Client::new(&config),
        table: setting("TABLE_NAME")?,
        topic: setting("TOPIC_ARN")?,
    };
    lambda_runtime::run(service_fn(async |event: LambdaEvent<Box<RawValue>>| {
        floor.handle(event.payload.get()).await.map(|outcome| json!({"outcome": outcome}))
    }))
    .await
}

#[expect(clippy::disallowed_methods, reason = "here the environment comes in")]
fn setting(name: &str) -> Result<String, Error> {
    std::env::var(name).map_err(|error| format!("{name}: {error}").into())
}

struct Floor {
    dynamodb: aws_sdk_dynamodb::Client,
    sns: aws_sdk_sns::Client,
    table: String,
    topic: String,
}

impl Floor {
    /// Makes the calls that the function makes: see the table in `docs/ARCHITECTURE.md`.
    async fn handle(&self, event: &str) -> Result<&'static str, Error> {
        // Two words are looked for, instead of reading it.
        let arn = event.split("arn:aws:inspector2:").nth(1).and_then(|rest| rest.split('"').next());
        let arn = arn.ok_or("there is no ARN of a finding")?;
        if self.is_known(arn).await? {
            if !event.contains(r#""CLOSED""#) {
                return Ok("unchanged");
            }
            self.transact([self.put(arn, "CURRENT")?, self.put(arn, "CLOSED")?]).await?;
            return Ok("closed");
        }
        self.transact([self.put(arn, "CURRENT")?, self.put(arn, "NEW")?]).await?;
        let permit = [self.update(arn)?, self.update("BUCKET")?, self.put(arn, "PROBLEM")?];
        self.transact(permit).await?;
        self.sns.publish().topic_arn(&self.topic).subject("New").message(arn).send().await?;
        self.transact([self.update(arn)?, self.put(arn, "ANNOUNCED")?]).await?;
        Ok("announced")
    }

    /// Tries an update that is refused, and gives back the row if there is one.
    async fn is_known(&self, arn: &str) -> Result<bool, Error> {
        let answer = self
            .dynamodb
            .update_item()
            .table_name(&self.table)
            .set_key(Some(key(arn, "CURRENT")))
            .condition_expression("facts = :facts")
            .update_expression("SET facts = :facts")
            .expression_attribute_values(":facts", text("others"))
            .return_values_on_condition_check_failure(ReturnValuesOnConditionCheckFailure::AllOld)
            .send()
            .await;
        match answer.map_err(aws_sdk_dynamodb::error::SdkError::into_service_error) {
            Ok(_) => Err("the condition should not have held".into()),
            Err(error) => match error {
                aws_sdk_dynamodb::operation::update_item::UpdateItemError
                    ::ConditionalCheckFailedException(refused) => {
                    Ok(refused.item.is_some_and(|item| !item.is_empty()))
                }
                error => Err(error.into()),
            },
        }
    }

    async fn transact<const N: usize>(&self, items: [TransactWriteItem; N]) -> Result<(), Error> {
        let call = self.dynamodb.transact_write_items().set_transact_items(Some(items.into()));
        call.send().await?;
        Ok(())
    }

    fn put(&self, arn: &str, sk: &str) -> Result<TransactWriteItem, Error> {
        let mut item = key(arn, sk);
        item.insert("facts".to_owned(), text("some"));
        let put = Put::builder().table_name(&self.table).set_item(Some(item)).build()?;
        Ok(TransactWriteItem::builder().put(put).build())
    }

    fn update(&self, arn: &str) -> Result<TransactWriteItem, Error> {
        let update = Update::builder()
            .table_name(&self.table)
            .set_key(Some(key(arn, "CURRENT")))
            .update_expression("ADD revision :one")
            .expression_attribute_values(":one", AttributeValue::N("1".to_owned()))
            .build()?;
        Ok(TransactWriteItem::builder().update(update).build())
    }
}

fn key(pk: &str, sk: &str) -> HashMap<String, AttributeValue> {
    HashMap::from([("pk".to_owned(), text(pk)), ("sk".to_owned(), text(sk))])
}

fn text(text: &str) -> AttributeValue {
    AttributeValue::S(text.to_owned())
}
