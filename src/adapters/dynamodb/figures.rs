//! The figures of each day and the reviews that were told: a row each.

use aws_sdk_dynamodb::{operation::query::builders::QueryFluentBuilder, types::AttributeValue};
use jiff::{Timestamp, civil::Date};
use serde::Serialize;

use super::{
    DynamoDb, UPDATE,
    item::{self, Item},
    keys,
};
use crate::{
    app::{
        FigureLog,
        failure::{BoxError, CallFailed},
    },
    domain::{figures::Figures, review::Review},
};

/// The attribute that holds a [`Review`] as JSON text.
const REVIEW: &str = "review";
/// The attribute that holds [`Figures`] as JSON text.
const FIGURES: &str = "figures";

fn failed(source: BoxError) -> CallFailed {
    CallFailed { operation: "DynamoDB Query", object: keys::FIGURES.to_owned(), source }
}

/// The figures in a row.
fn read(row: &Item) -> Result<Figures, BoxError> {
    let figures = row.get(FIGURES).and_then(|figures| figures.as_s().ok());
    Ok(serde_json::from_str(figures.ok_or("the row has no figures")?)?)
}

impl DynamoDb {
    /// A query for figures, by a condition on the day `:day`.
    fn figures(&self, condition: &str, day: Date) -> QueryFluentBuilder {
        self.client
            .query()
            .table_name(&self.table)
            .consistent_read(true)
            .key_condition_expression(condition)
            .expression_attribute_values(":figures", AttributeValue::S(keys::FIGURES.to_owned()))
            .expression_attribute_values(":day", AttributeValue::S(day.to_string()))
    }
}

impl DynamoDb {
    /// Writes `value` as JSON text into an attribute of a row, which expires as the history does that is noted at `as_of`.
    async fn remember(
        &self,
        (partition, place): (&str, &str),
        attribute: &str,
        value: &impl Serialize,
        as_of: Timestamp,
    ) -> Result<(), CallFailed> {
        let failed = |source: BoxError| CallFailed {
            operation: UPDATE,
            object: format!("{partition} {place}"),
            source,
        };
        let expires_at = AttributeValue::N(self.expiry(as_of).to_string());
        let update = self
            .update_row_at(partition, place)
            .update_expression(format!("SET {attribute} = :value, expires_at = :expires_at"))
            .expression_attribute_values(
                ":value",
                item::json(value).map_err(|error| failed(error.into()))?,
            )
            .expression_attribute_values(":expires_at", expires_at);
        let updated = update.send().await;
        updated.map(drop).map_err(|error| failed(error.into_service_error().into()))
    }
}

impl FigureLog for DynamoDb {
    async fn figures_before(&self, day: Date) -> Result<Option<Figures>, CallFailed> {
        let query =
            self.figures("pk = :figures AND sk < :day", day).scan_index_forward(false).limit(1);
        let answer =
            query.send().await.map_err(|error| failed(error.into_service_error().into()))?;
        answer.items.unwrap_or_default().pop().as_ref().map(read).transpose().map_err(failed)
    }

    async fn figures_since(&self, day: Date) -> Result<Vec<Figures>, CallFailed> {
        let mut rows =
            self.figures("pk = :figures AND sk >= :day", day).into_paginator().items().send();
        let mut all = Vec::new();
        while let Some(row) = rows.next().await {
            let row = row.map_err(|error| failed(error.into_service_error().into()))?;
            all.push(read(&row).map_err(failed)?);
        }
        Ok(all)
    }

    async fn remember_figures(&self, day: Date, figures: &Figures) -> Result<(), CallFailed> {
        self.remember((keys::FIGURES, &day.to_string()), FIGURES, figures, figures.as_of).await
    }

    async fn remember_review(&self, review: &Review) -> Result<(), CallFailed> {
        let as_of = review.figures.as_of;
        self.remember((keys::REVIEWS, &as_of.to_string()), REVIEW, review, as_of).await
    }

    async fn review(&self, as_of: Timestamp) -> Result<Option<Review>, CallFailed> {
        let read = |row: Item| {
            let review = row.get(REVIEW).and_then(|review| review.as_s().ok());
            Ok(serde_json::from_str(review.ok_or("the row has no review")?)?)
        };
        let mut rows = self.read_rows(keys::REVIEWS, &as_of.to_string(), read).await?;
        Ok(rows.pop())
    }
}
