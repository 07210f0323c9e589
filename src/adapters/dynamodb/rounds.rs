//! The row of the daily round.

use std::time::Duration;

use aws_sdk_dynamodb::{
    error::SdkError,
    types::{AttributeValue, ReturnValue},
};
use jiff::{SignedDuration, Timestamp};
use tokio::time::{Instant, sleep};

use super::{
    DynamoDb, UPDATE,
    item::{self, Item},
    keys,
};
use crate::{
    app::{
        FindingSet, Noted, RoundLog, TakenUp,
        failure::{CallFailed, chain},
    },
    domain::{
        digest,
        record::Lease,
        round::{HELD_FOR, Rounds},
    },
};

/// After how long the right to go on is renewed.
const KEPT_EVERY: Duration = Duration::from_secs(20);

/// The attribute that holds findings, eight bytes each.
const FINDINGS: &str = "findings";
/// For how long sets of findings are of use: until the next full listing, and some more if that is late.
const SETS_KEPT_FOR: SignedDuration = SignedDuration::from_hours(30 * 24);
/// The attribute that says for when the weekly review was asked last. Who asks need not have the right to go on.
const REVIEW_ASKED: &str = "review_asked";
/// The attribute that holds a [`Rounds`] as JSON text.
const ROUNDS: &str = "rounds";

impl RoundLog for DynamoDb {
    async fn take_up(&self, lease: &Lease, now: Timestamp) -> Result<TakenUp, CallFailed> {
        let failed =
            |source| CallFailed { operation: UPDATE, object: keys::ROUND.to_owned(), source };
        let holder = AttributeValue::S(lease.holder.clone());
        let lease = item::value(lease).map_err(|error| failed(error.into()))?;
        let answer = self
            .update_row(keys::ROUND)
            .condition_expression(
                // One's own, if the answer to this very call was lost.
                "attribute_not_exists(lease) OR lease.#until <= :now OR lease.holder = :holder",
            )
            .update_expression("SET lease = :lease")
            .expression_attribute_names("#until", "until")
            .expression_attribute_values(":now", AttributeValue::S(now.to_string()))
            .expression_attribute_values(":lease", lease)
            .expression_attribute_values(":holder", holder)
            .return_values(ReturnValue::AllNew)
            .send()
            .await;
        match answer.map_err(SdkError::into_service_error) {
            Ok(output) => {
                let row = output.attributes.unwrap_or_default();
                let rounds = row.get(ROUNDS).and_then(|rounds| rounds.as_s().ok());
                let mut rounds: Rounds = match rounds {
                    Some(rounds) => {
                        serde_json::from_str(rounds).map_err(|error| failed(error.into()))?
                    }
                    None => Rounds::default(),
                };
                let asked = row.get(REVIEW_ASKED).and_then(|asked| asked.as_s().ok());
                if let Some(asked_at) = asked.and_then(|asked| asked.parse().ok()) {
                    rounds.ask_for_review(asked_at);
                }
                Ok(TakenUp::Yes(Box::new(rounds)))
            }
            Err(error) if error.is_conditional_check_failed_exception() => Ok(TakenUp::HeldByOther),
            Err(error) => Err(failed(error.into())),
        }
    }

    async fn ask_for_review(&self, asked_at: Timestamp) -> Result<(), CallFailed> {
        let answer = self
            .update_row(keys::ROUND)
            // An event that is late asks for nothing that a later one has not.
            .condition_expression("attribute_not_exists(review_asked) OR review_asked < :asked_at")
            .update_expression("SET review_asked = :asked_at")
            .expression_attribute_values(":asked_at", AttributeValue::S(format!("{asked_at:.3}")))
            .send()
            .await;
        match answer.map_err(SdkError::into_service_error) {
            Ok(_) => Ok(()),
            Err(error) if error.is_conditional_check_failed_exception() => Ok(()),
            Err(error) => Err(CallFailed {
                operation: UPDATE,
                object: keys::ROUND.to_owned(),
                source: error.into(),
            }),
        }
    }

    async fn keep(&self, holder: &str, now: Timestamp) {
        let began = Instant::now();
        loop {
            sleep(KEPT_EVERY).await;
            let took = SignedDuration::try_from(began.elapsed()).unwrap_or_default();
            let until = now.saturating_add(took + HELD_FOR).unwrap_or(now);
            let kept = self
                .update_row(keys::ROUND)
                .condition_expression("lease.holder = :holder")
                .update_expression("SET lease.#until = :until")
                .expression_attribute_names("#until", "until")
                .expression_attribute_values(":holder", AttributeValue::S(holder.to_owned()))
                .expression_attribute_values(":until", AttributeValue::S(until.to_string()));
            match kept.send().await.map_err(SdkError::into_service_error) {
                Err(error) if error.is_conditional_check_failed_exception() => return,
                // The next time may be in time.
                Err(error) => {
                    let error = chain(&error);
                    tracing::warn!(error, "the right to go on with the round was not renewed");
                }
                Ok(_) => {}
            }
        }
    }

    async fn add_findings(
        &self,
        set: FindingSet,
        began_at: Timestamp,
        findings: &[u64],
        now: Timestamp,
    ) -> Result<(), CallFailed> {
        let bytes: Vec<u8> = findings.iter().flat_map(|finding| finding.to_be_bytes()).collect();
        // The same ones again are the same row.
        let key = keys::finding_set(set, began_at) + &format!("{:016x}", digest::long(&bytes));
        let expires_at = now.saturating_add(SETS_KEPT_FOR).unwrap_or(now).as_second();
        let update = self
            .update_row_at(keys::ROUND, &key)
            .update_expression("SET findings = :findings, expires_at = :expires_at")
            .expression_attribute_values(":findings", AttributeValue::B(bytes.into()))
            .expression_attribute_values(":expires_at", AttributeValue::N(expires_at.to_string()));
        update.send().await.map(drop).map_err(|error| CallFailed {
            operation: UPDATE,
            object: format!("{} {key}", keys::ROUND),
            source: error.into_service_error().into(),
        })
    }

    async fn findings_of(
        &self,
        set: FindingSet,
        began_at: Timestamp,
    ) -> Result<Vec<u64>, CallFailed> {
        let beginning = keys::finding_set(set, began_at);
        let read = |item: Item| {
            let bytes = item.get(FINDINGS).and_then(|bytes| bytes.as_b().ok());
            let (numbers, _) = bytes.ok_or("a row of it has no findings")?.as_ref().as_chunks();
            Ok(numbers.iter().map(|number| u64::from_be_bytes(*number)).collect())
        };
        let rows: Vec<Vec<u64>> = self.read_rows(keys::ROUND, &beginning, read).await?;
        Ok(rows.concat())
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
