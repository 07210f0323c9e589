//! The reminders of a day: what is due soon or overdue, and which exceptions end, gathered by whose it is and dealt out into
//! a few messages.
//!
//! Pure. Each owner is in one message; those with most that is urgent have one of their own, and the others share one.

use std::{
    cmp::Reverse,
    collections::{BTreeMap, BTreeSet},
};

use jiff::{Span, Timestamp, civil::Date};

use serde::Serialize;

use super::{
    assess::{Policy, Priority},
    figures::Counts,
    finding::OwnerTags,
    ledger::Exception,
    record::{AlertReason, Record},
    round::Begun,
};

/// How many owners get a message of their own on a day. A mailbox that hears all of them is not to be flooded, and each
/// message takes a token that alerts need.
const ALONE: usize = 5;
/// How many owners share one at most, so that it fits. Others wait for the next day.
const SHARING: usize = 200;
/// How many days before its end the owner of an exception hears of that.
const DAYS_BEFORE: [i64; 3] = [30, 14, 7];

/// What one owner is reminded of.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Section {
    /// The owner; none of what nobody owns.
    pub owner: Option<String>,
    /// All that is overdue of it, whether it is told today or not.
    pub overdue: Counts,
    /// The findings that are told today, the most urgent first.
    pub findings: Vec<Due>,
    /// The accounts that the findings are in.
    pub accounts: BTreeSet<String>,
    /// What is told of exceptions.
    pub notices: Vec<Notice>,
}

impl Section {
    /// How many of the findings are told for this reason.
    pub fn count(&self, why: AlertReason) -> usize {
        self.findings.iter().filter(|due| due.why == why).count()
    }
}

/// A finding that somebody is reminded of: only what its place is decided by, because there may be very many.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Due {
    score: u8,
    is_in_use: bool,
    by: Option<Timestamp>,
    /// The finding, by its ARN.
    pub arn: String,
    /// Why: it is overdue or due soon.
    pub why: AlertReason,
}

impl Due {
    /// Its place, as [`Record::urgency`] has it.
    fn urgency(&self) -> impl Ord + use<'_> {
        (Reverse(self.score), !self.is_in_use, self.by, &self.arn)
    }
}

/// What is told of an exception.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Notice {
    /// Its last day.
    pub expires_at: Date,
    /// Its name.
    pub id: String,
    /// Why it is told.
    pub why: NoticeReason,
}

/// Why an exception is told.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum NoticeReason {
    /// It ends within days.
    Ending,
    /// It was to be reviewed by now.
    ReviewDue,
}

/// What is to be told of the exceptions that are in force on `today`: that one ends within days, or was to be reviewed. That one
/// has ended is told with what it covered. With the names of those who answer for them, if it was told last on the
/// day `since`; what came to pass on `today` alone if it never was.
pub fn notices(
    exceptions: &[Exception],
    since: Option<Date>,
    today: Date,
) -> Vec<(String, Notice)> {
    let earlier = |day: Date, days: i64| day.saturating_sub(Span::new().days(days));
    let since = since.unwrap_or_else(|| earlier(today, 1));
    let has_come = |day: Date| since < day && day <= today;
    let mut notices = Vec::new();
    let is_in_force = |one: &&Exception| one.created_at <= today && today <= one.terms.expires_at;
    for exception in exceptions.iter().filter(is_in_force) {
        let expires_at = exception.terms.expires_at;
        let is_ending = DAYS_BEFORE.iter().any(|days| has_come(earlier(expires_at, *days)));
        let is_review_due = exception.review_at.is_some_and(|by| has_come(earlier(by, -1)));
        let all = [(NoticeReason::Ending, is_ending), (NoticeReason::ReviewDue, is_review_due)];
        for (why, _) in all.into_iter().filter(|(_, is_told)| *is_told) {
            let notice = Notice { expires_at, id: exception.id.clone(), why };
            notices.push((exception.owner.clone(), notice));
        }
    }
    notices.sort();
    notices
}

/// Gathers what is to be told on a day, finding by finding.
#[derive(Debug)]
pub struct Reminders {
    now: Timestamp,
    owner_tags: OwnerTags,
    sections: BTreeMap<Option<String>, Section>,
}

impl Reminders {
    /// Begins to gather as of `now`. The first of `owner_tags` that a resource has names its owner.
    pub fn new(now: Timestamp, owner_tags: OwnerTags) -> Self {
        Self { now, owner_tags, sections: BTreeMap::new() }
    }

    fn section(&mut self, owner: Option<&str>) -> &mut Section {
        let owner = owner.map(str::to_owned);
        self.sections.entry(owner.clone()).or_insert_with(|| Section {
            owner,
            overdue: Counts::default(),
            findings: Vec::new(),
            accounts: BTreeSet::new(),
            notices: Vec::new(),
        })
    }

    /// Takes a finding into account.
    pub fn add(&mut self, record: &Record, policy: &Policy) {
        let why = record.reminder(policy, self.now);
        let is_overdue = record.is_overdue(self.now);
        if why.is_none() && !is_overdue {
            return;
        }
        let owner = record.finding.owner(&self.owner_tags).map(str::to_owned);
        let section = self.section(owner.as_deref());
        if is_overdue {
            section.overdue.add(record.priority());
        }
        if let Some(why) = why {
            if !section.accounts.contains(&record.finding.account) {
                section.accounts.insert(record.finding.account.clone());
            }
            section.findings.push(Due {
                score: record.score(),
                is_in_use: record.finding.in_use().is_some(),
                by: record.due_at,
                arn: record.finding.arn.clone(),
                why,
            });
        }
    }

    /// Takes into account what is to be told of exceptions, with who answers for each.
    pub fn add_notices(&mut self, notices: Vec<(String, Notice)>) {
        for (owner, notice) in notices {
            self.section(Some(&owner)).notices.push(notice);
        }
    }

    /// The messages of the day that are yet to be told: those that were `begun` are told to their end, and whom one of
    /// these has reached gets no other.
    pub fn messages(self, begun: &BTreeMap<String, Begun>) -> Vec<Reminder> {
        let is_done = |name: &str| begun.get(name).is_some_and(|begun| begun.is_done);
        let mut sections: Vec<(String, Section)> = self
            .sections
            .into_values()
            .filter(|section| !section.findings.is_empty() || !section.notices.is_empty())
            .map(|section| (name(section.owner.as_deref()), section))
            .filter(|(name, _)| !is_done(name))
            .collect();
        for (_, section) in &mut sections {
            section.findings.sort_unstable_by(|a, b| a.urgency().cmp(&b.urgency()));
        }
        // Stable: of equal ones by name.
        sections.sort_by_key(|(name, section)| {
            let of_class = Priority::ALL.map(|priority| Reverse(section.overdue.of(priority)));
            (!begun.contains_key(name), of_class, Reverse(section.findings.len()))
        });
        let told = begun.iter().filter(|(name, begun)| begun.is_done && *name != SHARED).count();
        let alone = ALONE.saturating_sub(told).min(sections.len());
        let mut shared: Vec<Section> =
            sections.split_off(alone).into_iter().map(|(_, section)| section).collect();
        // What is told of exceptions is told on this day or never. Stable.
        shared.sort_by_key(|section| section.notices.is_empty());
        shared.truncate(SHARING);
        let own = |(name, section)| Reminder { name, sections: vec![section] };
        let mut messages: Vec<Reminder> = sections.into_iter().map(own).collect();
        if !shared.is_empty() && !is_done(SHARED) {
            messages.push(Reminder { name: SHARED.to_owned(), sections: shared });
        }
        messages
    }
}

/// The name of the message that several share.
const SHARED: &str = "others";

/// The name of the message to an owner.
fn name(owner: Option<&str>) -> String {
    owner.map_or_else(|| "nobody".to_owned(), |owner| format!("owner {owner}"))
}

/// A message, with a section an owner.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reminder {
    /// What it is called among those of the day.
    pub name: String,
    /// What it says, to whom.
    pub sections: Vec<Section>,
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::domain::{
        finding::sample,
        record::sample::{after, assessed},
    };

    const NOW: &str = "2026-12-11T00:10:00Z";

    fn overdue(number: usize, team: Option<&str>) -> Record {
        let seen = assessed(|f| {
            f["findingArn"] = json!(sample::ARN.replace("001", &format!("{number:03}")));
            f["resources"][0]["tags"] = team.map_or(json!({}), |team| json!({"team": team}));
        });
        Record { due_at: "2026-12-10T12:00:00Z".parse().ok(), ..after(&[seen]) }
    }

    fn gathered(records: &[Record]) -> Reminders {
        let mut reminders = Reminders::new(NOW.parse().unwrap(), OwnerTags::default());
        for record in records {
            reminders.add(record, &Policy::default());
        }
        reminders
    }

    /// A message by its name, with the owner of each section and how many findings it has.
    type Shape<'a> = (&'a str, Vec<(Option<&'a str>, usize)>);

    fn shape(messages: &[Reminder]) -> Vec<Shape<'_>> {
        messages
            .iter()
            .map(|message| {
                let sections = message.sections.iter();
                let sections = sections.map(|one| (one.owner.as_deref(), one.findings.len()));
                (message.name.as_str(), sections.collect())
            })
            .collect()
    }

    #[test]
    fn everybody_is_in_one_message_and_those_with_most_have_their_own() {
        let teams = ["a", "b", "c", "d", "e", "f", "g"];
        let mut records = Vec::new();
        for (place, team) in teams.iter().enumerate() {
            for number in 0..=place {
                records.push(overdue(records.len() + number, Some(team)));
            }
        }
        records.push(overdue(999, None));
        let messages = gathered(&records).messages(&BTreeMap::new());
        let shape = shape(&messages);
        let own = ["g", "f", "e", "d", "c"].map(|team| format!("owner {team}"));
        assert_eq!(shape[..5].iter().map(|(name, _)| *name).collect::<Vec<_>>(), own);
        assert_eq!(shape[5], ("others", vec![(Some("b"), 2), (None, 1), (Some("a"), 1)]));
        assert_eq!(shape.len(), 6);
    }

    #[test]
    fn of_very_many_owners_some_wait_for_the_next_day() {
        let names: Vec<String> = (0..5_000).map(|number| format!("team-{number:04}")).collect();
        let template = overdue(1, None);
        let mut reminders = Reminders::new(NOW.parse().unwrap(), OwnerTags::default());
        for name in &names {
            let mut record = template.clone();
            record.finding.resources[0].tags.insert("team".to_owned(), name.clone());
            record.finding.arn = format!("{} {name}", record.finding.arn);
            reminders.add(&record, &Policy::default());
        }
        let messages = reminders.messages(&BTreeMap::new());
        let owners: Vec<usize> = messages.iter().map(|message| message.sections.len()).collect();
        assert_eq!(owners, [1, 1, 1, 1, 1, 200]);
    }

    #[test]
    fn who_has_had_a_message_of_the_day_gets_no_other_and_what_was_begun_is_ended() {
        let records = [overdue(1, Some("shop")), overdue(2, Some("crm")), overdue(3, Some("crm"))];
        let done = Begun { is_done: true, ..Begun::default() };
        let begun = BTreeMap::from([
            ("owner crm".to_owned(), done.clone()),
            ("owner shop".to_owned(), Begun::default()),
        ]);
        let messages = gathered(&records).messages(&begun);
        assert_eq!(shape(&messages), [("owner shop", vec![(Some("shop"), 1)])]);
        let begun = BTreeMap::from([
            ("owner crm".to_owned(), done.clone()),
            ("owner shop".to_owned(), done),
        ]);
        assert_eq!(gathered(&records).messages(&begun), []);
    }

    #[test]
    fn who_answers_for_an_exception_hears_before_it_ends_and_when_it_is_to_be_reviewed() {
        let exception: Exception = serde_json::from_value(json!({
            "id": "one", "packages": ["libexample"], "decision": "accept", "reason": "r", "owner": "shop",
            "createdAt": "2026-11-01", "reviewAt": "2026-11-20", "expiresAt": "2026-12-31",
            "acceptedPriority": "P1", "endsIf": [],
        })).unwrap();
        let on = |since: Option<&str>, today: &str| {
            let since = since.map(|day| day.parse().unwrap());
            let told = notices(std::slice::from_ref(&exception), since, today.parse().unwrap());
            told.into_iter().map(|(owner, notice)| (owner, notice.why)).collect::<Vec<_>>()
        };
        let told = |why| vec![("shop".to_owned(), why)];
        for (day, expected) in [
            ("2026-11-20", Vec::new()),
            ("2026-11-21", told(NoticeReason::ReviewDue)),
            ("2026-11-30", Vec::new()),
            ("2026-12-01", told(NoticeReason::Ending)),
            ("2026-12-17", told(NoticeReason::Ending)),
            ("2026-12-18", Vec::new()),
            ("2026-12-24", told(NoticeReason::Ending)),
            ("2026-12-31", Vec::new()),
            ("2027-01-01", Vec::new()),
        ] {
            assert_eq!(on(None, day), expected, "{day}");
        }
        assert_eq!(
            on(Some("2026-11-28"), "2026-12-03"),
            told(NoticeReason::Ending),
            "days without a round"
        );
    }
}
