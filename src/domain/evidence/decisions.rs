//! The exceptions that were in force, each as it was decided, from when to when, and why it ended.

use std::{collections::BTreeMap, sync::Arc};

use jiff::Timestamp;

use super::{Entry, Outcome, Period};
use crate::domain::{
    ledger::{Exception, beginning_of},
    record::Excepted,
};

/// A ledger that was put in force.
#[derive(Clone, Debug, PartialEq)]
pub struct Applied {
    /// When.
    pub at: Timestamp,
    /// What it says, as a number.
    pub digest: String,
    /// The commit that it comes from, if that was said.
    pub commit: Option<String>,
    /// Who put it in force, if that was said.
    pub by: Option<String>,
    /// Its exceptions; none if they are not kept any more.
    pub exceptions: Option<Vec<Arc<Exception>>>,
}

/// An exception as it was in force.
#[derive(Clone, Debug, PartialEq)]
pub struct Decided {
    /// What was decided.
    pub what: What,
    /// Since when it was in force so.
    pub from: Timestamp,
    /// Until when; none if it still was at the end of the period.
    pub until: Option<Timestamp>,
    /// Why it was not any more.
    pub ended: Option<WhyOver>,
    /// The commit of the ledger that brought it, if that was said.
    pub commit: Option<String>,
    /// Who put that in force, if that was said.
    pub by: Option<String>,
    /// The digest of that ledger; none where no ledger is kept that had it.
    pub ledger: Option<String>,
    /// How many findings of the period it was the last to cover.
    pub findings: u64,
    /// How many of them it covered at the end of the period.
    pub covering: u64,
}

/// What was decided, as far as it is kept.
#[derive(Clone, Debug, PartialEq)]
pub enum What {
    /// As the ledger had it.
    Ledger(Arc<Exception>),
    /// As the findings have it that it covered: no ledger is kept that had it.
    Finding(Box<Excepted>),
}

impl What {
    /// The name of the exception.
    pub fn id(&self) -> &str {
        match self {
            Self::Ledger(exception) => &exception.id,
            Self::Finding(excepted) => &excepted.id,
        }
    }
}

/// Why an exception was in force no more.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum WhyOver {
    /// Its last day was over.
    Expired,
    /// The ledger had it no more.
    Withdrawn,
    /// The ledger had it on other terms, or in other words.
    Changed,
}

impl WhyOver {
    /// One word.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Expired => "expired",
            Self::Withdrawn => "withdrawn",
            Self::Changed => "changed",
        }
    }
}

/// The exceptions that were in force in the period, by name and time, with the findings that they covered.
pub(super) fn decided(ledgers: &[Applied], entries: &[Entry], period: &Period) -> Vec<Decided> {
    let mut all = in_force(ledgers, period);
    for entry in entries {
        let Some(excepted) = &entry.exception else { continue };
        let index = place(&all, excepted).unwrap_or_else(|| {
            all.push(from_finding(excepted, period));
            all.len() - 1
        });
        let one = &mut all[index];
        if let What::Finding(_) = one.what {
            one.from = one.from.min(excepted.since);
        }
        one.findings += 1;
        one.covering += u64::from(entry.outcome == Outcome::Excepted);
    }
    all.sort_by(|a, b| (a.what.id(), a.from).cmp(&(b.what.id(), b.from)));
    all
}

/// What each ledger had that the one before it had not, or otherwise.
fn in_force(ledgers: &[Applied], period: &Period) -> Vec<Decided> {
    let mut over = Vec::new();
    let mut open: BTreeMap<String, Decided> = BTreeMap::new();
    let known = ledgers.iter().filter(|ledger| ledger.at <= period.as_of);
    for ledger in known {
        let Some(exceptions) = &ledger.exceptions else { continue };
        let mut next = BTreeMap::new();
        for exception in exceptions {
            let what = What::Ledger(Arc::clone(exception));
            let before = open.remove(&exception.id);
            if let Some(before) = before {
                if before.what == what {
                    next.insert(exception.id.clone(), before);
                    continue;
                }
                over.push(ended(before, WhyOver::Changed, ledger.at));
            }
            let one = Decided {
                what,
                from: ledger.at.max(beginning_of(exception.created_at)),
                until: None,
                ended: None,
                commit: ledger.commit.clone(),
                by: ledger.by.clone(),
                ledger: Some(ledger.digest.clone()),
                findings: 0,
                covering: 0,
            };
            next.insert(exception.id.clone(), one);
        }
        over.extend(open.into_values().map(|one| ended(one, WhyOver::Withdrawn, ledger.at)));
        open = next;
    }
    over.extend(open.into_values().map(|one| ended(one, WhyOver::Expired, period.as_of)));
    over.retain(|one| one.from <= one.until.unwrap_or(period.as_of));
    over.retain(|one| period.meets(one.from, one.until));
    over
}

/// The exception once it was over: by its last day, if that had passed at `at`, or for the reason that is given.
fn ended(one: Decided, why: WhyOver, at: Timestamp) -> Decided {
    let What::Ledger(exception) = &one.what else { return one };
    let last = exception.terms.end();
    let (until, why) = match why {
        _ if last <= at => (Some(last), Some(WhyOver::Expired)),
        WhyOver::Expired => (None, None),
        why => (Some(at), Some(why)),
    };
    Decided { until, ended: why, ..one }
}

/// Which of them is the exception that covered a finding: of those with its name the one that was in force when the finding
/// took its terms, or was covered.
pub(super) fn place(all: &[Decided], excepted: &Excepted) -> Option<usize> {
    let at = excepted.changed_at.unwrap_or(excepted.since);
    let named = || all.iter().enumerate().filter(|(_, one)| one.what.id() == excepted.id);
    let begun = named().filter(|(_, one)| one.from <= at).max_by_key(|(_, one)| one.from);
    begun.or_else(|| named().min_by_key(|(_, one)| one.from)).map(|(index, _)| index)
}

fn from_finding(excepted: &Excepted, period: &Period) -> Decided {
    let over = excepted.ended.map(|ended| ended.at);
    let expired = Some(excepted.terms.end()).filter(|end| *end <= period.as_of);
    Decided {
        what: What::Finding(Box::new(excepted.clone())),
        from: excepted.since,
        until: expired.filter(|_| over.is_some()),
        ended: expired.filter(|_| over.is_some()).map(|_| WhyOver::Expired),
        commit: None,
        by: None,
        ledger: None,
        findings: 0,
        covering: 0,
    }
}
