//! The figures of each day, as they were counted then.

use super::{moment, perhaps};
use crate::domain::{assess::Priority, evidence::Day};
use crate::render::view::safe;

pub const COLUMNS: [&str; 26] = [
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
    "partsDone",
];

pub fn row(of: &Day) -> [String; COLUMNS.len()] {
    let figures = &of.figures;
    let [open_p1, open_p2, open_p3, open_p4] =
        Priority::ALL.map(|one| figures.open.of(one).to_string());
    let [late_p1, late_p2, late_p3, late_p4] =
        Priority::ALL.map(|one| figures.overdue.of(one).to_string());
    let ended = figures.ended;
    [
        of.date.to_string(),
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
        of.done.as_ref().map(|done| safe(&done.join(" "), 200)).unwrap_or_default(),
    ]
}
