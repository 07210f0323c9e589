//! The figures of each day and the reviews that were told: a row each.

use aws_sdk_dynamodb::{operation::query::builders::QueryFluentBuilder, types::AttributeValue};
use jiff::{SignedDuration, Timestamp, civil::Date};

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
    domain::{figures::Figures, review::Review, round::Part, rules::Rules},
};

/// The attribute that holds a [`Review`] as JSON text.
const REVIEW: &str = "review";
/// The attribute that holds [`Rules`] as JSON text.
const RULES: &str = "rules";
/// The attribute that holds a list of [`Part`] as JSON text.
const DONE: &str = "done";
/// The attribute that holds [`Figures`] as JSON text.
const FIGURES: &str = "figures";

fn failed(source: BoxError) -> CallFailed {
    CallFailed { operation: "DynamoDB Query", object: keys::FIGURES.to_owned(), source }
}

/// The figures in a row.
pub(super) fn read(row: &Item) -> Result<Figures, BoxError> {
    let figures = row.get(FIGURES).and_then(|figures| figures.as_s().ok());
    Ok(serde_json::from_str(figures.ok_or("the row has no figures")?)?)
}

/// The day that a row with figures is of.
#[cfg(feature = "cli")]
pub(super) fn day(row: &Item, place: &str) -> Result<crate::domain::evidence::Day, BoxError> {
    let text = |name| row.get(name).and_then(|value: &AttributeValue| value.as_s().ok());
    let rules = text(RULES).map(|rules| serde_json::from_str(rules)).transpose()?;
    let done = text(DONE).map(|done| serde_json::from_str(done)).transpose()?;
    Ok(crate::domain::evidence::Day { date: place.parse()?, figures: read(row)?, rules, done })
}

/// The review in a row.
pub(super) fn review(row: &Item) -> Result<Review, BoxError> {
    let review = row.get(REVIEW).and_then(|review| review.as_s().ok());
    Ok(serde_json::from_str(review.ok_or("the row has no review")?)?)
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
    /// Writes values, as JSON text, into attributes of a row, which expires as the history does that is noted at `as_of`.
    async fn remember<const N: usize>(
        &self,
        (partition, place): (&str, &str),
        values: [(&str, Result<AttributeValue, serde_json::Error>); N],
        as_of: Timestamp,
    ) -> Result<(), CallFailed> {
        let failed = |source: BoxError| CallFailed {
            operation: UPDATE,
            object: format!("{partition} {place}"),
            source,
        };
        let expires_at = AttributeValue::N(self.expiry(as_of).to_string());
        let mut set = "SET expires_at = :expires_at".to_owned();
        let mut update = self
            .update_row_at(partition, place)
            .expression_attribute_values(":expires_at", expires_at);
        for (name, value) in values {
            let value = value.map_err(|error| failed(error.into()))?;
            // Some of these names are words that expressions keep for themselves.
            set += &[", #", name, " = :", name].concat();
            update = update
                .expression_attribute_names(format!("#{name}"), name)
                .expression_attribute_values(format!(":{name}"), value);
        }
        let updated = update.update_expression(set).send().await;
        updated.map(drop).map_err(|error| failed(error.into_service_error().into()))
    }
}

impl DynamoDb {
    /// For how long the deployment keeps its history, by the last figures that it wrote; none if it wrote none.
    pub(super) async fn kept_for(&self) -> Result<Option<SignedDuration>, CallFailed> {
        let row = self.last_figures(Date::MAX).await?;
        row.as_ref().map(kept_for).transpose().map_err(failed)
    }

    /// The row of the last day before `day` that has figures.
    async fn last_figures(&self, day: Date) -> Result<Option<Item>, CallFailed> {
        let query =
            self.figures("pk = :figures AND sk < :day", day).scan_index_forward(false).limit(1);
        let answer =
            query.send().await.map_err(|error| failed(error.into_service_error().into()))?;
        Ok(answer.items.unwrap_or_default().pop())
    }
}

/// For how long a row with figures is kept.
pub(super) fn kept_for(row: &Item) -> Result<SignedDuration, BoxError> {
    let expires_at = row.get(keys::EXPIRES_AT).and_then(|at| at.as_n().ok());
    let expires_at: i64 = expires_at.ok_or("the row does not expire")?.parse()?;
    Ok(SignedDuration::from_secs(expires_at - read(row)?.as_of.as_second()))
}

impl FigureLog for DynamoDb {
    async fn figures_before(&self, day: Date) -> Result<Option<Figures>, CallFailed> {
        self.last_figures(day).await?.as_ref().map(read).transpose().map_err(failed)
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

    async fn remember_figures(
        &self,
        day: Date,
        figures: &Figures,
        rules: &Rules,
        done: &[Part],
    ) -> Result<(), CallFailed> {
        let as_of = figures.as_of;
        let values =
            [(FIGURES, item::json(figures)), (RULES, item::json(rules)), (DONE, item::json(&done))];
        self.remember((keys::FIGURES, &day.to_string()), values, as_of).await
    }

    async fn remember_review(&self, review: &Review) -> Result<(), CallFailed> {
        let as_of = review.figures.as_of;
        let values = [(REVIEW, item::json(review))];
        self.remember((keys::REVIEWS, &as_of.to_string()), values, as_of).await
    }

    async fn review(&self, as_of: Timestamp) -> Result<Option<Review>, CallFailed> {
        let read = |row: Item| review(&row);
        let mut rows = self.read_rows(keys::REVIEWS, &as_of.to_string(), read).await?;
        Ok(rows.pop())
    }
}
