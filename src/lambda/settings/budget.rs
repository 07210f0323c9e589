//! How many messages there are.

use super::{BadSetting, Environment, Settings};
use crate::domain::announce::Budget;

/// `ALERT_BUDGET`: messages at once about P1 and about all others, default `3,5`.
impl Settings for Budget {
    fn read(environment: &Environment<'_>) -> Result<Self, BadSetting> {
        let budget = environment.optional("ALERT_BUDGET", A_BUDGET, read_budget)?;
        Ok(budget.unwrap_or_default())
    }
}

const A_BUDGET: &str = "two whole numbers such as 3,5: messages at once about P1, at most 7, and about all others, \
     together 1 to 8";

fn read_budget(text: &str) -> Option<Budget> {
    let (p1, others) = text.split_once(',')?;
    let (p1, others): (u8, u8) = (p1.trim().parse().ok()?, others.trim().parse().ok()?);
    // A summary may go out beside them.
    let allowed =
        p1 < Budget::MOST_AT_ONCE && (1..=Budget::MOST_AT_ONCE).contains(&p1.checked_add(others)?);
    allowed.then_some(Budget { p1, others })
}
