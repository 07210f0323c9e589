//! The figures of each day: a row a day.

use aws_sdk_dynamodb::types::AttributeValue;
use jiff::civil::Date;

use super::{DynamoDb, UPDATE, item, keys};
use crate::{
    app::{
        FigureLog,
        failure::{BoxError, CallFailed},
    },
    domain::figures::Figures,
};

/// The attribute that holds [`Figures`] as JSON text.
const FIGURES: &str = "figures";

impl FigureLog for DynamoDb {
    async fn figures_before(&self, day: Date) -> Result<Option<Figures>, CallFailed> {
        let failed = |source: BoxError| CallFailed {
            operation: "DynamoDB Query",
            object: keys::FIGURES.to_owned(),
            source,
        };
        let query = self
            .client
            .query()
            .table_name(&self.table)
            .consistent_read(true)
            .key_condition_expression("pk = :figures AND sk < :day")
            .expression_attribute_values(":figures", AttributeValue::S(keys::FIGURES.to_owned()))
            .expression_attribute_values(":day", AttributeValue::S(day.to_string()))
            .scan_index_forward(false)
            .limit(1);
        let answer =
            query.send().await.map_err(|error| failed(error.into_service_error().into()))?;
        let row = answer.items.unwrap_or_default().pop();
        let figures = row.as_ref().and_then(|row| row.get(FIGURES)?.as_s().ok());
        let read = |figures: &String| serde_json::from_str(figures);
        figures.map(read).transpose().map_err(|error| failed(error.into()))
    }

    async fn remember_figures(&self, day: Date, figures: &Figures) -> Result<(), CallFailed> {
        let failed = |source: BoxError| CallFailed {
            operation: UPDATE,
            object: format!("{} {day}", keys::FIGURES),
            source,
        };
        let expires_at = AttributeValue::N(self.expiry(figures.as_of).to_string());
        let update = self
            .update_row_at(keys::FIGURES, &day.to_string())
            .update_expression("SET figures = :figures, expires_at = :expires_at")
            .expression_attribute_values(
                ":figures",
                item::json(figures).map_err(|error| failed(error.into()))?,
            )
            .expression_attribute_values(":expires_at", expires_at);
        let updated = update.send().await;
        updated.map(drop).map_err(|error| failed(error.into_service_error().into()))
    }
}
