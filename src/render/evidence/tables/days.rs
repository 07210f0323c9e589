//! The figures of each day, as they were counted then.

use super::{moment, perhaps};
use crate::domain::{assess::Priority, figures::Figures, round::day};

pub const COLUMNS: [&str; 25] = [
    "date",
    "asOf",
    "openP1",
    "openP2",
    "openP3",
    "openP4",
    "open",
    "overdueP1",
    "overdueP2",
    "overdueP3",
    "overdueP4",
    "overdue",
    "excepted",
    "pending",
    "knownExploited",
    "new",
    "ended",
    "fixed",
    "gone",
    "unobserved",
    "suppressed",
    "unknown",
    "openAgeMedianDays",
    "openAgeMaxDays",
    "timeToFixMedianDays",
];

pub fn row(figures: &Figures) -> [String; COLUMNS.len()] {
    let [open_p1, open_p2, open_p3, open_p4] =
        Priority::ALL.map(|one| figures.open.of(one).to_string());
    let [late_p1, late_p2, late_p3, late_p4] =
        Priority::ALL.map(|one| figures.overdue.of(one).to_string());
    let ended = figures.ended;
    [
        day(figures.as_of).to_string(),
        moment(figures.as_of),
        open_p1,
        open_p2,
        open_p3,
        open_p4,
        figures.open.total.to_string(),
        late_p1,
        late_p2,
        late_p3,
        late_p4,
        figures.overdue.total.to_string(),
        figures.excepted.to_string(),
        figures.pending.to_string(),
        figures.known_exploited.to_string(),
        figures.new.to_string(),
        ended.total.to_string(),
        ended.fixed.to_string(),
        ended.gone.to_string(),
        ended.unobserved.to_string(),
        ended.suppressed.to_string(),
        ended.unknown.to_string(),
        perhaps(figures.open_age_days.median),
        perhaps(figures.open_age_days.max),
        perhaps(figures.time_to_fix_days.median),
    ]
}
