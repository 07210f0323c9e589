//! The figures of each day, remembered.

use jiff::civil::Date;

use crate::{app::failure::CallFailed, domain::figures::Figures};

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

    /// Remembers the figures of a day, in place of others.
    fn remember_figures(
        &self,
        day: Date,
        figures: &Figures,
    ) -> impl Future<Output = Result<(), CallFailed>> + Send;
}
