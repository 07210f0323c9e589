//! A finding as a row of the report: bounded, harmless, without a language.

use std::cmp::{Ordering, Reverse};

use jiff::Timestamp;
use serde::Serialize;

use crate::{
    domain::{
        assess::Priority,
        finding::{OwnerTags, Resource},
        record::Record,
        review::Update,
        round::day,
    },
    render::view::safe,
};

/// A finding that is open, as a row.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Line {
    /// Its class.
    pub priority: Priority,
    /// 0 to 100.
    pub score: u8,
    /// The day by which to act: when its exception ends, if one covers it; empty if there is none.
    pub due: String,
    /// Whether that has passed.
    pub overdue: bool,
    /// The problem, such as a CVE.
    pub problem: String,
    /// The updates that it needs.
    pub fix: String,
    /// What people call the resource.
    pub resource: String,
    /// Its account.
    pub account: String,
    /// Its Region.
    pub region: String,
    /// Whose it is; empty if nobody's.
    pub owner: String,
    /// For how many whole days it is open; none if that is not known.
    pub age_days: Option<u64>,
    /// Whether CISA lists it as exploited.
    pub known_exploited: bool,
    /// Whether running workloads use it.
    pub in_use: bool,
    /// The exception that covers it; empty if none does.
    pub exception: String,
    /// Inspector's name of it.
    pub finding_arn: String,
}

impl Line {
    /// The row of a record as of `now`.
    pub fn new(record: &Record, owner_tags: &OwnerTags, now: Timestamp) -> Self {
        let finding = &record.finding;
        let assessment = record.assessment();
        let fix: Vec<String> = Update::all_of(finding).iter().map(Update::to_string).collect();
        let age = record.opened_at.map(|opened| now.duration_since(opened).as_hours() / 24);
        Self {
            priority: assessment.priority,
            score: assessment.score,
            due: record.act_by().map(|due| day(due).to_string()).unwrap_or_default(),
            overdue: record.is_overdue(now),
            problem: safe(&finding.problem(), 60),
            fix: safe(&fix.join("; "), 100),
            resource: finding
                .resource()
                .map(Resource::display_name)
                .map(|name| safe(&name, 80))
                .unwrap_or_default(),
            account: safe(&finding.account, 20),
            region: finding.region.as_deref().map(|region| safe(region, 40)).unwrap_or_default(),
            owner: finding.owner(owner_tags).map(|owner| safe(owner, 60)).unwrap_or_default(),
            age_days: age.and_then(|age| u64::try_from(age).ok()),
            known_exploited: record.is_known_exploited(),
            in_use: finding.in_use().is_some(),
            exception: record.exception().map(|one| safe(&one.id, 64)).unwrap_or_default(),
            finding_arn: safe(&finding.arn, 200),
        }
    }

    /// Its place among others: as [`Record::urgency`].
    pub fn by_urgency(&self, other: &Self) -> Ordering {
        let place = |line: &Self| (Reverse(line.score), !line.in_use, line.due.is_empty());
        place(self)
            .cmp(&place(other))
            .then_with(|| self.due.cmp(&other.due))
            .then_with(|| self.finding_arn.cmp(&other.finding_arn))
    }

    /// Those of its texts that a stranger may have written.
    pub fn texts(&mut self) -> [&mut String; 9] {
        [
            &mut self.problem,
            &mut self.fix,
            &mut self.resource,
            &mut self.account,
            &mut self.region,
            &mut self.owner,
            &mut self.exception,
            &mut self.finding_arn,
            &mut self.due,
        ]
    }
}
