//! The row of the daily round.

use aws_sdk_dynamodb::{
    error::SdkError,
    types::{AttributeValue, ReturnValue},
};
use jiff::Timestamp;

use super::{DynamoDb, UPDATE, item, keys};
use crate::{
    app::{Noted, RoundLog, TakenUp, failure::CallFailed},
    domain::{record::Lease, round::Rounds},
};

/// The attribute that holds a [`Rounds`] as JSON text.
const ROUNDS: &str = "rounds";

impl RoundLog for DynamoDb {
    async fn take_up(&self, lease: &Lease, now: Timestamp) -> Result<TakenUp, CallFailed> {
        let failed =
            |source| CallFailed { operation: UPDATE, object: keys::ROUND.to_owned(), source };
        let lease = item::value(lease).map_err(|error| failed(error.into()))?;
        let answer = self
            .update_row(keys::ROUND)
            .condition_expression("attribute_not_exists(lease) OR lease.#until <= :now")
            .update_expression("SET lease = :lease")
            .expression_attribute_names("#until", "until")
            .expression_attribute_values(":now", AttributeValue::S(now.to_string()))
            .expression_attribute_values(":lease", lease)
            .return_values(ReturnValue::AllNew)
            .send()
            .await;
        match answer.map_err(SdkError::into_service_error) {
            Ok(output) => {
                let row = output.attributes.unwrap_or_default();
                let rounds = row.get(ROUNDS).and_then(|rounds| rounds.as_s().ok());
                let rounds = match rounds {
                    Some(rounds) => {
                        serde_json::from_str(rounds).map_err(|error| failed(error.into()))?
                    }
                    None => Rounds::default(),
                };
                Ok(TakenUp::Yes(Box::new(rounds)))
            }
            Err(error) if error.is_conditional_check_failed_exception() => Ok(TakenUp::HeldByOther),
            Err(error) => Err(failed(error.into())),
        }
    }

    async fn note(
        &self,
        rounds: &Rounds,
        holder: &str,
        lease: Option<&Lease>,
    ) -> Result<Noted, CallFailed> {
        let failed =
            |source| CallFailed { operation: UPDATE, object: keys::ROUND.to_owned(), source };
        let update = self
            .update_row(keys::ROUND)
            .condition_expression("lease.holder = :holder")
            .expression_attribute_values(":holder", AttributeValue::S(holder.to_owned()))
            .expression_attribute_values(
                ":rounds",
                item::json(rounds).map_err(|error| failed(error.into()))?,
            );
        let update = match lease {
            Some(lease) => update
                .update_expression("SET rounds = :rounds, lease = :lease")
                .expression_attribute_values(
                    ":lease",
                    item::value(lease).map_err(|error| failed(error.into()))?,
                ),
            None => update.update_expression("SET rounds = :rounds REMOVE lease"),
        };
        match update.send().await.map_err(SdkError::into_service_error) {
            Ok(_) => Ok(Noted::Yes),
            Err(error) if error.is_conditional_check_failed_exception() => Ok(Noted::HeldByOther),
            Err(error) => Err(failed(error.into())),
        }
    }
}
