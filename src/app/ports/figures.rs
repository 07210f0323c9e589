//! The figures of each day and the reviews of each week, remembered.

use jiff::{Timestamp, civil::Date};

use crate::{
    app::failure::CallFailed,
    domain::{figures::Figures, review::Review, round::Part, rules::Rules},
};

/// Where they are kept.
pub trait FigureLog {
    /// The figures of the last day before `day` that has some.
    fn figures_before(
        &self,
        day: Date,
    ) -> impl Future<Output = Result<Option<Figures>, CallFailed>> + Send;

    /// The figures of each day from `day` on that has some, the earliest first.
    fn figures_since(
        &self,
        day: Date,
    ) -> impl Future<Output = Result<Vec<Figures>, CallFailed>> + Send;

    /// Remembers the figures of a day, in place of others, by what was judged on it, and which parts of its round were done.
    fn remember_figures(
        &self,
        day: Date,
        figures: &Figures,
        rules: &Rules,
        done: &[Part],
    ) -> impl Future<Output = Result<(), CallFailed>> + Send;

    /// Remembers a review, by the moment as of which it is.
    fn remember_review(
        &self,
        review: &Review,
    ) -> impl Future<Output = Result<(), CallFailed>> + Send;

    /// The review as of a moment, if it is remembered.
    fn review(
        &self,
        as_of: Timestamp,
    ) -> impl Future<Output = Result<Option<Review>, CallFailed>> + Send;
}
