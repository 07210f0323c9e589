//! The review: the whole as of one moment, and what to do first.
//!
//! Pure. Rows go in one by one, the ledger, what Inspector does not look at and the figures of earlier days at the end; out
//! comes a [`Review`], from which every output takes its numbers. What is overdue is part of what is open; what an exception
//! covers counts as that and nowhere else.

mod bounded;
mod due;
mod updates;

use std::{
    cmp::Reverse,
    collections::{BTreeMap, BTreeSet},
};

use jiff::{Span, Timestamp, civil::Date};
use serde::{Deserialize, Serialize};

pub use due::DueIn;
pub use updates::{Update, Updates, Worth};

use super::{
    coverage::{Gap, Subject},
    figures::{Counts, Figures, Standing, Taking},
    finding::OwnerTags,
    ledger::Exception,
    record::Record,
    round::day,
};

/// How many updates a review has.
const FIRST_THINGS: usize = 10;
/// How many days before its end an exception is one that ends.
const ENDING_DAYS: i64 = 30;

/// Where a team stands, as of a moment.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Review {
    /// What is open, overdue, excepted, new and ended, and how old it is.
    #[serde(flatten)]
    pub figures: Figures,
    /// How far what is open is from its due date. The sums are those of `open`, and of what is past it those of `overdue`.
    pub due_in: DueIn,
    /// What to install first: the updates with which most urgent findings go.
    pub first_things: Vec<FirstThing>,
    /// How many updates there are in all.
    #[serde(default)]
    pub updates: u64,
    /// Whose it is, those with most that is overdue first.
    pub owners: Vec<Owner>,
    /// Those who are not among them, where there are too many for a message.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub other_owners: Option<Others>,
    /// The accounts with something that is open.
    #[serde(default)]
    pub accounts: BTreeSet<String>,
    /// How the exceptions of the ledger stand.
    pub exceptions: Exceptions,
    /// What Inspector does not look at.
    pub coverage: Unobserved,
    /// The figures of earlier days, the earliest first, and of this one.
    pub trend: Vec<Point>,
}

/// An update, and what it takes away.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct FirstThing {
    /// The package; several, with a comma between, where one version fixes them all.
    pub package: String,
    /// The version to update to; null for an update of Windows.
    pub version: Option<String>,
    /// How many findings need it.
    pub findings: u64,
    /// On how many resources.
    pub resources: u64,
    /// How many of the findings are P1 or P2.
    pub urgent: u64,
    /// How many of them are in images that running workloads use.
    pub in_use: u64,
    /// Whose resources these are, those with most of it first.
    pub owners: Vec<String>,
}

/// What is somebody's.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Owner {
    /// Who; null for what nobody owns.
    pub owner: Option<String>,
    /// How many findings are open.
    pub open: u64,
    /// How many of them are past their due date.
    pub overdue: u64,
    /// What to install first of that: the first of all updates that concerns them.
    #[serde(default)]
    pub first_thing: Option<OwnersFirst>,
}

/// The update that an owner begins with.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct OwnersFirst {
    /// The package, as in [`FirstThing`].
    pub package: String,
    /// The version to update to, as there.
    pub version: Option<String>,
    /// How many of their findings need it.
    pub findings: u64,
}

/// Owners that are not named one by one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Others {
    /// How many.
    pub owners: u64,
    /// How many findings are open that are theirs.
    pub open: u64,
    /// How many of these are past their due date.
    pub overdue: u64,
}

/// How the exceptions of the ledger stand. Those that have not begun count nowhere.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Exceptions {
    /// In force on this day.
    pub active: u64,
    /// Of these, that end within 30 days.
    pub ending: u64,
    /// Still in the ledger, and past their last day.
    pub ended: u64,
    /// In force, and covering no finding that is open.
    pub unused: u64,
    /// Those of them that somebody has to look at, with why: the first to end first.
    pub attention: Vec<Attention>,
}

/// An exception that somebody has to look at.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Attention {
    /// Its name.
    pub id: String,
    /// Who answers for it.
    pub owner: String,
    /// Its last day.
    pub expires_at: Date,
    /// Why.
    pub why: Vec<Why>,
}

/// Why somebody has to look at an exception.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Why {
    /// It has ended.
    Ended,
    /// It ends within 30 days.
    Ending,
    /// It was to be reviewed by now.
    ReviewDue,
    /// It covers nothing.
    Unused,
}

/// What Inspector does not look at.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Unobserved {
    /// How many resources.
    pub unobserved: u64,
    /// How many for each reason, in Inspector's word.
    pub by_reason: BTreeMap<String, u64>,
    /// Kinds of scan that are off, each with its account.
    pub off: BTreeSet<(String, String)>,
}

/// A point of the trend.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Point {
    /// The day.
    pub date: Date,
    /// How many findings were open.
    pub open: u64,
    /// How many of them were past their due date.
    pub overdue: u64,
    /// How many were open, by priority.
    pub by_priority: Counts,
}

/// What a review looks at beside the findings.
#[derive(Clone, Copy, Debug, Default)]
pub struct Beside<'a> {
    /// The exceptions of the ledger in force, each once.
    pub exceptions: &'a [Exception],
    /// What Inspector does not look at.
    pub gaps: &'a [Gap],
    /// The figures of earlier days, the earliest first.
    pub figures: &'a [Figures],
}

/// A review that is being made, record by record. What it needs of memory grows with the updates, owners and days, not with the
/// records.
#[derive(Clone, Debug)]
pub struct Reviewing {
    now: Timestamp,
    owner_tags: OwnerTags,
    taking: Taking,
    due_in: DueIn,
    updates: Updates,
    owners: BTreeMap<Option<String>, (u64, u64)>,
    accounts: BTreeSet<String>,
    /// The exceptions that cover something.
    used: BTreeSet<String>,
}

impl Reviewing {
    /// Begins a review as of `now`; what is new and ended is since `since`. The first of `owner_tags` that a resource has names
    /// its owner.
    pub fn new(now: Timestamp, since: Option<Timestamp>, owner_tags: OwnerTags) -> Self {
        Self {
            now,
            owner_tags,
            taking: Taking::new(now, since),
            due_in: DueIn::default(),
            updates: Updates::default(),
            owners: BTreeMap::new(),
            accounts: BTreeSet::new(),
            used: BTreeSet::new(),
        }
    }

    /// Takes a record into account.
    pub fn add(&mut self, record: &Record) {
        self.taking.add(&Standing::from(record));
        if let Some(exception) = record.exception() {
            self.used.insert(exception.id.clone());
        } else if record.is_open() {
            let owner = record.finding.owner(&self.owner_tags);
            self.due_in.add(record.priority(), record.due_at, self.now);
            self.updates.add(record, owner);
            if !self.accounts.contains(&record.finding.account) {
                self.accounts.insert(record.finding.account.clone());
            }
            let (open, overdue) = self.owners.entry(owner.map(str::to_owned)).or_default();
            *open += 1;
            *overdue += u64::from(record.is_overdue(self.now));
        }
    }

    /// The review.
    pub fn finish(self, beside: Beside<'_>) -> Review {
        let figures = self.taking.finish();
        let today = day(self.now);
        let ranked = self.updates.ranked();
        let mut owners: Vec<Owner> = self
            .owners
            .into_iter()
            .map(|(owner, (open, overdue))| Owner { owner, open, overdue, first_thing: None })
            .collect();
        assign_first_things(&mut owners, &ranked);
        // Stable: of equal ones by name.
        owners.sort_by_key(|owner| Reverse((owner.overdue, owner.open)));
        let earlier = beside.figures.iter().filter(|earlier| day(earlier.as_of) < today);
        let point = |figures: &Figures| Point {
            date: day(figures.as_of),
            open: figures.open.total,
            overdue: figures.overdue.total,
            by_priority: figures.open,
        };
        Review {
            due_in: self.due_in,
            updates: ranked.len().try_into().unwrap_or(u64::MAX),
            first_things: ranked.into_iter().take(FIRST_THINGS).map(first).collect(),
            owners,
            other_owners: None,
            accounts: self.accounts,
            exceptions: exceptions(beside.exceptions, &self.used, today),
            coverage: unobserved(beside.gaps, self.now),
            trend: earlier.map(point).chain([point(&figures)]).collect(),
            figures,
        }
    }
}

/// Gives each owner the first update that concerns them.
fn assign_first_things(owners: &mut [Owner], ranked: &[Worth]) {
    let mut firsts: BTreeMap<Option<&str>, OwnersFirst> = BTreeMap::new();
    for worth in ranked {
        for (owner, findings) in &worth.owners {
            firsts.entry(owner.as_deref()).or_insert_with(|| OwnersFirst {
                package: worth.update.packages.join(", "),
                version: worth.update.version.clone(),
                findings: *findings,
            });
        }
    }
    for owner in owners {
        owner.first_thing = firsts.remove(&owner.owner.as_deref());
    }
}

fn first(worth: Worth) -> FirstThing {
    FirstThing {
        package: worth.update.packages.join(", "),
        version: worth.update.version,
        findings: worth.findings,
        resources: worth.resources,
        urgent: worth.urgent,
        in_use: worth.in_use,
        owners: worth.owners.into_iter().filter_map(|(owner, _)| owner).collect(),
    }
}

fn exceptions(all: &[Exception], used: &BTreeSet<String>, today: Date) -> Exceptions {
    let mut counted = Exceptions::default();
    let soon = today.saturating_add(Span::new().days(ENDING_DAYS));
    for exception in all.iter().filter(|exception| exception.created_at <= today) {
        let expires_at = exception.terms.expires_at;
        let mut why = Vec::new();
        if expires_at < today {
            counted.ended += 1;
            why.push(Why::Ended);
        } else {
            counted.active += 1;
            if expires_at <= soon {
                counted.ending += 1;
                why.push(Why::Ending);
            }
            if exception.review_at.is_some_and(|by| by < today) {
                why.push(Why::ReviewDue);
            }
            if !used.contains(&exception.id) {
                counted.unused += 1;
                why.push(Why::Unused);
            }
        }
        if !why.is_empty() {
            let (id, owner) = (exception.id.clone(), exception.owner.clone());
            counted.attention.push(Attention { id, owner, expires_at, why });
        }
    }
    counted.attention.sort_by(|a, b| (a.expires_at, &a.id).cmp(&(b.expires_at, &b.id)));
    counted
}

/// A first scan that is under way is no gap yet.
fn unobserved(gaps: &[Gap], now: Timestamp) -> Unobserved {
    let mut counted = Unobserved::default();
    for gap in gaps.iter().filter(|gap| gap.is_due(now)) {
        match &gap.subject {
            Subject::Account => {
                counted.off.insert((gap.account.clone(), gap.scan.clone()));
            }
            Subject::Resource { .. } => {
                counted.unobserved += 1;
                *counted.by_reason.entry(gap.reason.clone()).or_default() += 1;
            }
        }
    }
    counted
}

#[cfg(test)]
mod tests {
    use jiff::SignedDuration;
    use proptest::{collection::vec, option, prelude::*};
    use serde_json::{Value, json};

    use super::*;
    use crate::domain::{
        finding::sample,
        record::sample::{after, assessed},
    };

    const NOW: &str = "2026-11-21T00:10:00Z";

    fn now() -> Timestamp {
        NOW.parse().unwrap()
    }

    /// A finding that is open since the day before, in a resource of a team, with a package and the version that fixes it.
    fn open(number: usize, team: Option<&str>, package: &str, change: fn(&mut Value)) -> Record {
        let seen = assessed(|f| {
            f["findingArn"] = json!(sample::ARN.replace("001", &format!("{number:03}")));
            f["resources"][0]["id"] = json!(format!("i-{number}"));
            f["resources"][0]["tags"] = team.map_or(json!({}), |team| json!({"team": team}));
            let packages = &mut f["packageVulnerabilityDetails"]["vulnerablePackages"];
            packages[0]["name"] = json!(package);
            change(f);
        });
        after(&[seen])
    }

    fn review(records: &[Record], beside: Beside<'_>) -> Review {
        let since = "2026-11-14T00:10:00Z".parse().ok();
        let mut reviewing = Reviewing::new(now(), since, OwnerTags::default());
        for record in records {
            reviewing.add(record);
        }
        reviewing.finish(beside)
    }

    fn exception(id: &str, until: &str, change: impl FnOnce(&mut Value)) -> Exception {
        let mut json = json!({
            "id": id, "packages": ["libexample"], "decision": "accept", "reason": "r", "owner": "o",
            "createdAt": "2026-11-01", "expiresAt": until, "acceptedPriority": "P1", "endsIf": [],
        });
        change(&mut json);
        serde_json::from_value(json).unwrap()
    }

    #[test]
    fn what_takes_away_most_comes_first_and_everybody_sees_what_is_theirs() {
        let plain: fn(&mut Value) = |_| {};
        let urgent: fn(&mut Value) = |f| f["epss"] = json!({"score": 0.9});
        let mild: fn(&mut Value) = |f| {
            f["packageVulnerabilityDetails"]["vendorCreatedAt"] = json!("2020-01-01T00:00:00Z");
        };
        let unfixed: fn(&mut Value) = |f| {
            f["fixAvailable"] = json!("NO");
            f["packageVulnerabilityDetails"]["vulnerablePackages"][0]["fixedInVersion"] =
                json!("NotAvailable");
        };
        let mut records: Vec<Record> =
            (0..3).map(|number| open(number, Some("shop"), "many", mild)).collect();
        records.push(open(3, Some("crm"), "urgent", urgent));
        records.push(open(4, None, "urgent", plain));
        records.push(open(5, Some("crm"), "none", unfixed));
        let late = &mut records[0];
        late.due_at = "2026-11-20T12:00:00Z".parse().ok();
        let review = review(&records, Beside::default());

        let first: Vec<_> = review
            .first_things
            .iter()
            .map(|one| {
                (one.package.as_str(), one.findings, one.urgent, one.resources, &one.owners[..])
            })
            .collect();
        let owners =
            |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect::<Vec<_>>();
        assert_eq!(
            first,
            [("urgent", 2, 2, 2, &owners(&["crm"])[..]), ("many", 3, 0, 3, &owners(&["shop"])[..]),],
            "without what nothing can be installed for"
        );
        let owner = |owner: Option<&str>, open, overdue| Owner {
            owner: owner.map(str::to_owned),
            open,
            overdue,
            first_thing: None,
        };
        let first_of = |owner: &Owner| {
            owner.first_thing.as_ref().map(|first| (first.package.clone(), first.findings))
        };
        let firsts: Vec<_> = review.owners.iter().map(first_of).collect();
        let thing = |package: &str, findings| Some((package.to_owned(), findings));
        assert_eq!(firsts, [thing("many", 3), thing("urgent", 1), thing("urgent", 1)]);
        let plain = review.owners.iter().map(|one| Owner { first_thing: None, ..one.clone() });
        assert_eq!(
            plain.collect::<Vec<_>>(),
            [owner(Some("shop"), 3, 1), owner(Some("crm"), 2, 0), owner(None, 1, 0)]
        );
        assert_eq!((review.figures.open.total, review.figures.overdue.total), (6, 1));
        let sum: u64 = review.owners.iter().map(|owner| owner.open).sum();
        assert_eq!(sum, review.figures.open.total);
    }

    #[test]
    fn an_exception_counts_as_active_ending_ended_or_unused_and_says_who_has_to_look() {
        let all = [
            exception("long", "2027-06-30", |_| {}),
            exception("soon", "2026-12-21", |_| {}),
            exception("later", "2026-12-22", |e| e["reviewAt"] = json!("2026-11-20")),
            exception("over", "2026-11-20", |_| {}),
            exception("today", "2026-11-21", |_| {}),
            exception("to come", "2027-06-30", |e| e["createdAt"] = json!("2026-11-22")),
        ];
        let review = review(&[], Beside { exceptions: &all, ..Beside::default() });
        let Exceptions { active, ending, ended, unused, attention } = review.exceptions;
        assert_eq!((active, ending, ended, unused), (4, 2, 1, 4));
        let attention: Vec<_> =
            attention.iter().map(|one| (one.id.as_str(), &one.why[..])).collect();
        assert_eq!(
            attention,
            [
                ("over", &[Why::Ended][..]),
                ("today", &[Why::Ending, Why::Unused]),
                ("soon", &[Why::Ending, Why::Unused]),
                ("later", &[Why::ReviewDue, Why::Unused]),
                ("long", &[Why::Unused]),
            ]
        );
    }

    #[test]
    fn the_trend_ends_with_the_present_and_has_each_day_once() {
        let at = |time: &str| Figures {
            as_of: time.parse().unwrap(),
            ..review(&[], Beside::default()).figures
        };
        let earlier = [at("2026-11-14T00:10:00Z"), at("2026-11-21T00:05:00Z")];
        let records = [open(1, None, "a", |_| {})];
        let review = review(&records, Beside { figures: &earlier, ..Beside::default() });
        let trend: Vec<_> = review.trend.iter().map(|at| (at.date.to_string(), at.open)).collect();
        assert_eq!(trend, [("2026-11-14".to_owned(), 0), ("2026-11-21".to_owned(), 1)]);
    }

    proptest! {
        #[test]
        fn what_is_due_when_adds_up_to_what_is_open_and_to_what_is_overdue(
            dues in vec((any::<bool>(), option::of(-3000_i64..3000)), 0..20),
        ) {
            let urgent: fn(&mut Value) = |f| f["epss"] = json!({"score": 0.9});
            let mut records = Vec::new();
            for (number, (is_urgent, hours)) in dues.into_iter().enumerate() {
                let mut record = open(number, None, "a", if is_urgent { urgent } else { |_| {} });
                record.due_at = hours.map(|hours| now() + SignedDuration::from_hours(hours));
                records.push(record);
            }
            let review = review(&records, Beside::default());
            let spans = review.due_in.spans();
            let sum = |spans: &[Counts], of: fn(&Counts) -> u64| spans.iter().map(of).sum::<u64>();
            let each: [fn(&Counts) -> u64; 5] = [|c| c.p1, |c| c.p2, |c| c.p3, |c| c.p4, |c| c.total];
            for of in each {
                prop_assert_eq!(sum(&spans, of), of(&review.figures.open));
                prop_assert_eq!(sum(&spans[..3], of), of(&review.figures.overdue));
            }
        }
    }

    #[test]
    fn as_json_it_is_what_the_contract_says() {
        let json = serde_json::to_value(review(&[], Beside::default())).unwrap();
        for key in [
            "asOf",
            "open",
            "overdue",
            "excepted",
            "pending",
            "knownExploited",
            "since",
            "new",
            "ended",
            "timeToFixDays",
            "openAgeDays",
            "dueIn",
            "firstThings",
            "owners",
            "exceptions",
            "coverage",
            "trend",
        ] {
            assert!(json.get(key).is_some(), "{key}");
        }
        let back: Review = serde_json::from_value(json.clone()).unwrap();
        assert_eq!(serde_json::to_value(back).unwrap(), json);
    }
}
