//! The whole of a table in one pass: what a review is made from.

use std::collections::BTreeMap;

use jiff::{Span, Timestamp};

use super::{
    attempt::TimeLimit,
    failure::CallFailed,
    ports::{Exceptions, FigureLog, Gaps, Sweep},
};
use crate::domain::{
    coverage::Gap,
    figures::Figures,
    finding::OwnerTags,
    ledger::Exception,
    record::{EndQueue, Record},
    review::{Beside, Review, Reviewing},
    round::day,
};

/// How many days back the trend of a review goes: eight weeks.
const TREND_DAYS: i64 = 56;

/// What a review is about.
#[derive(Clone, Debug)]
pub struct Survey {
    /// The moment as of which it is.
    pub now: Timestamp,
    /// Since when it counts what is new and what has ended.
    pub since: Timestamp,
    /// The tags that name the owner of a resource.
    pub owner_tags: OwnerTags,
}

impl Survey {
    /// Reads all that is open, and what has ended since then, and makes the review of it. Gives each record that is open to
    /// `each`, in no order. None if that was not done before `limit`.
    ///
    /// # Errors
    /// A call failed.
    pub async fn of<S: Sweep + Exceptions + Gaps + FigureLog>(
        &self,
        store: &S,
        limit: TimeLimit<'_>,
        mut each: impl FnMut(&Record) + Send,
    ) -> Result<Option<Review>, CallFailed> {
        let mut reviewing = Reviewing::new(self.now, Some(self.since), self.owner_tags.clone());
        let see = |record: Record| {
            reviewing.add(&record);
            if record.is_open() {
                each(&record);
            }
        };
        if !store.each_open_and_ended(&EndQueue::ALL, Some(self.since), limit, see).await? {
            return Ok(None);
        }
        let exceptions = exceptions(store).await?;
        let gaps = gaps(store).await?;
        let figures = self.figures(store).await?;
        let beside = Beside { exceptions: &exceptions, gaps: &gaps, figures: &figures };
        Ok(Some(reviewing.finish(beside)))
    }

    async fn figures<S: FigureLog>(&self, store: &S) -> Result<Vec<Figures>, CallFailed> {
        let from = day(self.now).saturating_sub(Span::new().days(TREND_DAYS));
        store.figures_since(from).await
    }
}

/// The exceptions of the ledger in force, each once.
pub(super) async fn exceptions<S: Exceptions>(store: &S) -> Result<Vec<Exception>, CallFailed> {
    let Some(head) = store.ledger_head().await? else { return Ok(Vec::new()) };
    let ledger = store.ledger(&head).await?;
    let all = ledger.by_vulnerability.values().flatten().chain(ledger.others.iter());
    let once: BTreeMap<&str, &Exception> = all.map(|one| (one.id.as_str(), one)).collect();
    Ok(once.into_values().cloned().collect())
}

/// What Inspector does not look at, in all accounts.
async fn gaps<S: Gaps>(store: &S) -> Result<Vec<Gap>, CallFailed> {
    let mut gaps = store.account_gaps().await?;
    for observed in store.accounts().await?.unwrap_or_default() {
        gaps.extend(store.resource_gaps(&observed.account).await?);
    }
    Ok(gaps)
}
