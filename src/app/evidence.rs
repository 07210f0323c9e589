//! The evidence of a period, collected from all that is remembered.

use std::{
    collections::{BTreeMap, HashMap},
    sync::Arc,
};

use jiff::Timestamp;

use super::{
    failure::CallFailed,
    ports::{Audit, AuditRow, LedgerHead},
};
use crate::domain::{
    evidence::{Applied, Collecting, Period},
    finding::OwnerTags,
    ledger::Exception,
};

/// What was collected.
#[derive(Debug)]
pub struct Collected {
    /// What there is to make evidence of.
    pub evidence: Collecting,
    /// Whether any row is one of this program.
    pub is_own: bool,
}

/// Reads everything in `store`, as of `now`, and collects what is evidence of `period`. The first of `owner_tags` that a
/// resource has names its owner.
///
/// # Errors
/// A call failed.
pub async fn collect<S: Audit>(
    store: &S,
    period: Period,
    now: Timestamp,
    owner_tags: OwnerTags,
) -> Result<Collected, CallFailed> {
    let mut evidence = Collecting::new(period, now, owner_tags);
    let mut ledgers = Ledgers::default();
    let mut is_own = false;
    let each = |row: AuditRow| {
        is_own |= !matches!(row, AuditRow::Unread(_));
        match row {
            AuditRow::Finding(record) => evidence.add_finding(&record),
            AuditRow::Moment(arn, moment, kept_for) => evidence.add_moment(arn, *moment, kept_for),
            AuditRow::Told(arn, at) => evidence.add_told(arn, at),
            AuditRow::Day(day, kept_for) => evidence.add_day(*day, kept_for),
            AuditRow::Review(review) => evidence.add_review(*review),
            AuditRow::Gap(gap) => evidence.add_gap(gap),
            AuditRow::PastGap(past) => evidence.add_past_gap(past),
            AuditRow::InForce(head) | AuditRow::Applied(head) => ledgers.add_head(head),
            AuditRow::Exceptions(digest, some) => ledgers.add_exceptions(digest, some),
            AuditRow::Unread(unread) => evidence.add_unread(unread),
            AuditRow::Beside => {}
        }
    };
    store.each_row(now, each).await?;
    ledgers.applied().for_each(|ledger| evidence.add_ledger(ledger));
    Ok(Collected { evidence, is_own })
}

/// Ledgers, head by head and row by row.
#[derive(Default)]
struct Ledgers {
    /// By when they were put in force. The one that is in force is among those that were put, unless that was not kept then.
    heads: BTreeMap<(Timestamp, String), LedgerHead>,
    /// By digest and name.
    exceptions: HashMap<String, BTreeMap<String, Arc<Exception>>>,
    /// Each version of each exception once, by name: most ledgers have most of what the one before had.
    known: HashMap<String, Vec<Arc<Exception>>>,
}

impl Ledgers {
    fn add_head(&mut self, head: LedgerHead) {
        self.heads.insert((head.applied_at, head.digest.clone()), head);
    }

    fn add_exceptions(&mut self, digest: String, some: Vec<Exception>) {
        let ledger = self.exceptions.entry(digest).or_default();
        for exception in some {
            let id = exception.id.clone();
            let versions = self.known.entry(id.clone()).or_default();
            let known = versions.iter().find(|known| ***known == exception).cloned();
            let exception = known.unwrap_or_else(|| {
                versions.push(Arc::new(exception));
                Arc::clone(&versions[versions.len() - 1])
            });
            ledger.insert(id, exception);
        }
    }

    /// The ledgers. Of one of which something is gone, nothing counts as kept.
    fn applied(self) -> impl Iterator<Item = Applied> {
        self.heads.into_values().map(move |head| {
            let of = |named: &BTreeMap<_, Arc<Exception>>| named.values().cloned().collect();
            let kept = self.exceptions.get(&head.digest).map(of);
            let none = (head.exceptions == 0).then(Vec::new);
            let exceptions: Option<Vec<Arc<Exception>>> = kept.or(none);
            Applied {
                at: head.applied_at,
                digest: head.digest,
                commit: head.commit,
                by: head.applied_by,
                exceptions: exceptions.filter(|kept| kept.len() >= head.exceptions),
            }
        })
    }
}
