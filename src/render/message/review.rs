//! The weekly review as a message: what is overdue and whose, what to do first, and whether it gets better. One screen.

use std::cmp::Reverse;

use jiff::Timestamp;

use super::{
    Language, Message, Style, attributes, chat, data, fit, subject,
    summary::{ShownUpdate, counted},
};
use crate::{
    domain::{
        assess::Priority,
        figures::{Counts, Ends, Figures, Spread},
        record::{Audience, How},
        review::{Exceptions, Owner, Point, Review, Why},
    },
    render::{
        view::{moment, safe},
        words::{
            lists::{english, japanese},
            wording,
        },
    },
};

/// How many owners, updates, exceptions and reasons people see before it says how many more there are.
const OWNERS: usize = 6;
const UPDATES: usize = 5;
const EXCEPTIONS: usize = 4;
const REASONS: usize = 3;
const SCANS: usize = 3;

/// A review as its template sees it.
struct Shown<'a> {
    figures: &'a Figures,
    as_of: String,
    since: Option<String>,
    owners: Vec<ShownOwner>,
    /// The owners that are not named.
    others: u64,
    others_open: u64,
    others_overdue: u64,
    updates: Vec<ShownUpdate>,
    more_updates: u64,
    /// How many have ended, by how: of what there is.
    ends: Vec<(How, u64)>,
    weeks: Vec<Option<&'a Point>>,
    exceptions: &'a Exceptions,
    attention: Vec<ShownException<'a>>,
    more_attention: usize,
    unobserved: u64,
    reasons: Vec<(String, u64)>,
    more_reasons: usize,
    off: Vec<(String, String)>,
    more_off: usize,
    page: Option<&'a str>,
}

struct ShownOwner {
    /// None for what nobody owns.
    name: Option<String>,
    open: u64,
    overdue: u64,
    first: Option<(String, u64)>,
}

struct ShownException<'a> {
    id: String,
    owner: String,
    expires_at: String,
    why: &'a [Why],
}

wording! {
    fn in_words<'a>(review: &'a Shown<'a>) by "en/review.txt", "ja/review.txt"
}

/// The message with a review for `audience`, sent at `at`. `page` is where all of it is to be seen.
pub fn review(
    audience: Audience,
    review: &Review,
    page: Option<&str>,
    at: Timestamp,
    style: &Style,
) -> Message {
    let attributes = attributes::review(review);
    let text = || in_words(&Shown::new(review, page), style.language);
    match audience {
        Audience::Email => Message {
            subject: Some(subject::fitting(&title(review))),
            body: fit(&text()),
            attributes,
        },
        Audience::Chat => {
            let asked = format!("review {}", review.figures.as_of);
            chat::report(asked, "reviews", "review", &title(review), &text(), attributes)
        }
        Audience::Data => data::review(review, page, at, attributes),
    }
}

/// One line: how it stands, and which way it goes.
fn title(review: &Review) -> String {
    let Figures { open, overdue, new, ended, known_exploited, .. } = &review.figures;
    let exploited = if *known_exploited > 0 {
        format!("{known_exploited} known exploited, ")
    } else {
        String::new()
    };
    format!(
        "[Weekly] {} overdue of {} open, {exploited}{new} new, {} ended",
        overdue.total, open.total, ended.total
    )
}

impl<'a> Shown<'a> {
    fn new(review: &'a Review, page: Option<&'a str>) -> Self {
        let rest = review.owners.get(OWNERS..).unwrap_or_default();
        let beyond = review.other_owners;
        let sum = |of: fn(&Owner) -> u64| rest.iter().map(of).sum::<u64>();
        let attention = &review.exceptions.attention;
        let mut reasons: Vec<(&String, &u64)> = review.coverage.by_reason.iter().collect();
        // Stable: of equal ones by name.
        reasons.sort_by_key(|(_, number)| Reverse(**number));
        let update = |package: &str, version: Option<&str>| match version {
            Some(version) => format!("{} {}", safe(package, 60), safe(version, 40)),
            None => safe(package, 60),
        };
        Self {
            figures: &review.figures,
            as_of: moment(review.figures.as_of).to_string(),
            since: review.figures.since.map(|since| moment(since).to_string()),
            owners: review
                .owners
                .iter()
                .take(OWNERS)
                .map(|owner| ShownOwner {
                    name: owner.owner.as_deref().map(|name| safe(name, 60)),
                    open: owner.open,
                    overdue: owner.overdue,
                    first: owner.first_thing.as_ref().map(|first| {
                        (update(&first.package, first.version.as_deref()), first.findings)
                    }),
                })
                .collect(),
            others: count(rest.len()) + beyond.map_or(0, |others| others.owners),
            others_open: sum(|owner| owner.open) + beyond.map_or(0, |others| others.open),
            others_overdue: sum(|owner| owner.overdue) + beyond.map_or(0, |others| others.overdue),
            updates: review.first_things.iter().take(UPDATES).map(ShownUpdate::from).collect(),
            more_updates: review.updates.saturating_sub(count(UPDATES)),
            ends: ends(&review.figures.ended),
            weeks: review.weeks(),
            exceptions: &review.exceptions,
            attention: attention
                .iter()
                .take(EXCEPTIONS)
                .map(|one| ShownException {
                    id: safe(&one.id, 40),
                    owner: safe(&one.owner, 40),
                    expires_at: one.expires_at.to_string(),
                    why: &one.why,
                })
                .collect(),
            more_attention: attention.len().saturating_sub(EXCEPTIONS),
            unobserved: review.coverage.unobserved,
            more_reasons: reasons.len().saturating_sub(REASONS),
            reasons: reasons
                .into_iter()
                .take(REASONS)
                .map(|(reason, number)| (safe(reason, 50), *number))
                .collect(),
            off: review
                .coverage
                .off
                .iter()
                .take(SCANS)
                .map(|(account, scan)| (safe(account, 20), safe(scan, 40)))
                .collect(),
            more_off: review.coverage.off.len().saturating_sub(SCANS),
            page,
        }
    }
}

fn count(number: usize) -> u64 {
    u64::try_from(number).unwrap_or(u64::MAX)
}

/// How many have ended, by how, without what there is none of.
fn ends(ended: &Ends) -> Vec<(How, u64)> {
    let all = [
        (How::Fixed, ended.fixed),
        (How::Gone, ended.gone),
        (How::Unobserved, ended.unobserved),
        (How::Suppressed, ended.suppressed),
        (How::Unknown, ended.unknown),
    ];
    all.into_iter().filter(|(_, number)| *number > 0).collect()
}

/// What there is of each class: `4 P1, 38 P2`.
pub fn by_class(counts: &Counts, language: Language) -> String {
    let of = |priority: Priority| (priority.as_str(), counts.of(priority));
    let some = Priority::ALL.map(of).into_iter().filter(|(_, number)| *number > 0);
    let some: Vec<String> = some
        .map(|(class, number)| match language {
            Language::En => format!("{number} {class}"),
            Language::Ja => format!("{class} {number} 件"),
        })
        .collect();
    some.join(match language {
        Language::En => ", ",
        Language::Ja => "、",
    })
}

/// Numbers of weeks, one after the other, with a dash for a week without figures.
fn row(weeks: &[Option<&Point>], number: fn(&Point) -> u64) -> String {
    let number = |week: Option<&Point>| {
        week.map_or_else(|| "–".to_owned(), |point| number(point).to_string())
    };
    weeks.iter().copied().map(number).collect::<Vec<_>>().join("  ")
}

/// How many were open, week by week.
fn open_by_week(weeks: &[Option<&Point>]) -> String {
    row(weeks, |point| point.open)
}

/// How many were overdue, week by week.
fn overdue_by_week(weeks: &[Option<&Point>]) -> String {
    row(weeks, |point| point.overdue)
}

/// The first day of the weeks.
fn first_day(weeks: &[Option<&Point>]) -> String {
    weeks.iter().flatten().next().map(|point| point.date.to_string()).unwrap_or_default()
}

/// The median and the greatest, if there are some.
fn both(days: &Spread) -> Option<(u64, u64)> {
    days.median.zip(days.max)
}
