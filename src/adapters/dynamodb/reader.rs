//! What people look for in the table, and the rows that are to be told again. For the command line.

use std::collections::HashSet;

use aws_sdk_dynamodb::{error::SdkError, types::AttributeValue};
use jiff::Timestamp;

use super::{DynamoDb, UPDATE, index::PAGE, item, keys};
use crate::{
    app::{Queue, WriteOutcome, failure::CallFailed},
    domain::record::Record,
};

impl DynamoDb {
    /// Gives the records of all findings that wait to be told to `each`, those that wait longest first.
    ///
    /// # Errors
    /// A call failed.
    pub async fn pending_records(&self, mut each: impl FnMut(Record)) -> Result<(), CallFailed> {
        let mut entries = self.pending_entries(Queue::Untold, None, usize::MAX).await?;
        entries.extend(self.pending_entries(Queue::PartlyTold, None, usize::MAX).await?);
        entries.sort();
        // One that moves from one queue to the other meanwhile is in both.
        let mut seen = HashSet::new();
        entries.retain(|entry| seen.insert(entry.arn.clone()));
        for page in entries.chunks(PAGE) {
            // The index lags a little behind the rows.
            for record in
                self.get_rows(page).await?.into_iter().filter(|row| row.pending_since.is_some())
            {
                each(record);
            }
        }
        Ok(())
    }

    /// Writes `record`, which [is to be told again](Record::untold_since), if its row is still the one that was read and
    /// nobody is telling people of it now.
    ///
    /// # Errors
    /// The call failed.
    pub async fn untell(
        &self,
        record: &Record,
        now: Timestamp,
    ) -> Result<WriteOutcome, CallFailed> {
        let key = keys::finding(&record.finding.arn);
        let failed = |source| CallFailed { operation: UPDATE, object: key.clone(), source };
        let (shard, since) =
            keys::pending(record).ok_or_else(|| failed("there is nothing to tell of it".into()))?;
        let update = self
            .update_row(&key)
            .condition_expression(
                "revision = :before AND (attribute_not_exists(lease) OR lease.#until <= :now)",
            )
            .expression_attribute_names("#until", "until")
            .expression_attribute_values(":before", AttributeValue::N(record.revision.to_string()))
            .expression_attribute_values(":now", AttributeValue::S(now.to_string()))
            .expression_attribute_values(":one", AttributeValue::N("1".to_owned()))
            .expression_attribute_values(":shard", AttributeValue::S(shard))
            .expression_attribute_values(":since", AttributeValue::S(since.to_string()));
        let set = "SET pending_shard = :shard, pending_since = :since";
        let update = match &record.partial_delivery {
            None => update.update_expression(format!(
                "{set} REMOVE announced, partly_told ADD revision :one"
            )),
            Some(partly) => update
                .expression_attribute_values(
                    ":partly",
                    item::value(partly).map_err(|error| failed(error.into()))?,
                )
                .update_expression(format!(
                    "{set}, partly_told = :partly REMOVE announced ADD revision :one"
                )),
        };
        match update.send().await.map_err(SdkError::into_service_error) {
            Ok(_) => Ok(WriteOutcome::Applied),
            Err(error) if error.is_conditional_check_failed_exception() => {
                Ok(WriteOutcome::Conflict)
            }
            Err(error) => Err(failed(error.into())),
        }
    }
}
