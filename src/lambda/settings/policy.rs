//! How findings are assessed.

use super::{BadSetting, Environment, Settings};
use crate::domain::assess::{Deadlines, Policy, Sla, UrgentTags};

/// `SLA_DAYS`: the days P1 to P4 may stay open, default `2,7,30,90`. `URGENT_TAGS`: tags of resources that matter more
/// than others, default none.
/// `DEADLINES`: the rule for due dates, `priority` (default) or `bod-26-04`.
impl Settings for Policy {
    fn read(environment: &Environment<'_>) -> Result<Self, BadSetting> {
        let sla = environment.optional("SLA_DAYS", Sla::EXPECTED, |days| days.parse().ok())?;
        let urgent_tags =
            environment.optional("URGENT_TAGS", UrgentTags::EXPECTED, |tags| tags.parse().ok())?;
        let deadlines =
            environment.optional("DEADLINES", Deadlines::EXPECTED, |rule| rule.parse().ok())?;
        let default = Self::default();
        Ok(Self {
            sla: sla.unwrap_or(default.sla),
            urgent_tags: urgent_tags.unwrap_or(default.urgent_tags),
            deadlines: deadlines.unwrap_or(default.deadlines),
        })
    }
}
