//! The findings that Inspector has, into the records.
//!
//! They come in the order in which Inspector first observed them, which never changes of a finding. So where the listing
//! stopped is a moment: it goes on there, and what it sees twice changes nothing. No token outlives an invocation.

use std::{
    collections::{BTreeMap, HashMap, btree_map::Entry},
    fmt,
};

use futures_util::future::{join, join_all};
use jiff::Timestamp;

use super::{Course, Ended, Noting, Review, Undone};
use crate::{
    app::{
        attempt::{Attempt, CALL_TIMEOUT, Observation},
        failure::Failure,
        ports::{
            Alerts, FindingQuery, Inspector, NotAnswered, Page, Publisher, Records, Refreshed,
            Refusal, RoundLog, WriteOutcome,
        },
    },
    domain::{
        assess::assess,
        finding::Finding,
        record::{
            AlertReason, Announcement, AssessedFinding, Delivery, Record, Step, Transition, step,
        },
        round::{Part, Round},
    },
};

/// After how many pages a listing begins anew where it stands: nobody says for how long Inspector takes a token. Five
/// minutes at the usual pace.
const PAGES_PER_TOKEN: usize = 600;
/// After how many pages it is written down how far it came, however fast they come.
const PAGES_PER_NOTE: usize = 20;
/// How many rows are refreshed at once.
const CONCURRENCY: usize = 16;
/// How often in a row a token may be refused.
const MAX_REFUSALS: usize = 3;

/// How far a listing has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Border {
    /// Whether everything that is not closed is listed, and not what changed.
    everything: bool,
    /// What Inspector first observed earlier is done.
    from: Timestamp,
}

const CHANGES: &str = "changes";
const EVERYTHING: &str = "everything";

impl Border {
    /// Where the listing of a round stands, given how far it is written down that it came.
    fn of(round: &Round) -> Self {
        let noted = round.parts.get(&Part::Listing).and_then(|part| part.border.as_deref());
        let noted = noted.and_then(|noted| {
            let (what, from) = noted.split_once(' ')?;
            Some(Self { everything: what == EVERYTHING, from: from.parse().ok()? })
        });
        let everything = round.changed_since.is_none();
        noted.unwrap_or(Self { everything, from: Timestamp::UNIX_EPOCH })
    }

    /// What comes after this listing, if anything.
    fn after(self, round: &Round) -> Option<Self> {
        let is_left = !self.everything && round.is_full;
        is_left.then_some(Self { everything: true, from: Timestamp::UNIX_EPOCH })
    }
}

impl fmt::Display for Border {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", if self.everything { EVERYTHING } else { CHANGES }, self.from)
    }
}

/// How a listing from one border on ended.
enum Listed {
    ToTheEnd,
    /// As far as one token is used.
    Partly,
    OutOfTime,
}

/// A page, compared with the rows of its findings.
struct Compared {
    /// The order of all findings up to the end of it.
    order: Order,
    /// What to ask the next page with.
    next: Option<String>,
    counts: Vec<(&'static str, usize)>,
    writes: Vec<(Record, Transition)>,
    /// Of each write, what it is counted as, and the finding.
    written: Vec<(&'static str, AssessedFinding)>,
    refreshes: Vec<AssessedFinding>,
}

/// What is to be done about a finding.
enum Change {
    /// Nothing: it is as recorded, or newer there, or not of those that are recorded.
    None(&'static str),
    /// Its row is to be written.
    Write(&'static str, Box<Record>, Transition),
    /// Its row has the same facts, and an older version.
    Refresh,
}

impl<S: Records + Alerts + RoundLog, P: Publisher, I: Inspector> Review<S, P, I> {
    /// Lists what changed, or everything, and records it.
    pub(super) async fn listing(&self, course: &mut Course<'_, S>) -> Result<Ended, Undone> {
        let mut refusals = 0;
        loop {
            let before = course.progress(Part::Listing).border.clone();
            match self.list_on(course).await {
                Ok(Listed::ToTheEnd) => match Border::of(course.round()).after(course.round()) {
                    Some(border) => {
                        course.progress(Part::Listing).border = Some(border.to_string());
                    }
                    None => return Ok(Ended::Done),
                },
                Ok(Listed::Partly) => refusals = 0,
                Ok(Listed::OutOfTime) => return Ok(Ended::OutOfTime),
                Err(Undone::NotAnswered(NotAnswered { why: Refusal::Token, failed })) => {
                    let has_moved = course.progress(Part::Listing).border != before;
                    refusals = if has_moved { 1 } else { refusals + 1 };
                    if refusals >= MAX_REFUSALS {
                        return Err(NotAnswered { why: Refusal::Token, failed }.into());
                    }
                }
                Err(undone) => return Err(undone),
            }
        }
    }

    /// Lists from the border on. While one page is recorded, the next one is asked for and compared with its rows.
    async fn list_on(&self, course: &mut Course<'_, S>) -> Result<Listed, Undone> {
        let (attempt, limit) = (course.attempt, course.limit());
        let border = Border::of(course.round());
        let changed_since = course.round().changed_since.filter(|_| !border.everything);
        let told_at = course.rounds.baseline.as_ref().filter(|_| course.round().is_first);
        let told_at = told_at.map(|baseline| baseline.at);
        let query = FindingQuery { changed_since, observed_from: border.from };
        let page = async |token: Option<&str>, order: Order| {
            let page = self.inspector.findings(&query, token, limit).await?;
            self.compare(page, order, told_at, attempt).await
        };
        let mut number = 0;
        let mut compared = page(None, Order { latest: border.from, holds: true }).await?;
        loop {
            number += 1;
            let order = compared.order;
            let is_enough = number % PAGES_PER_TOKEN == 0
                && order.border().is_some_and(|reached| reached > border.from);
            let token = compared.next.take().filter(|_| !is_enough);
            let next = async {
                match &token {
                    Some(token) if !limit.is_over() => Some(page(Some(token), order).await),
                    _ => None,
                }
            };
            let (counts, next) = join(self.record_all(compared, attempt), next).await;
            let progress = course.progress(Part::Listing);
            for (what, number) in counts? {
                progress.count(what, number);
            }
            let from = order.border().unwrap_or(border.from);
            progress.border = Some(Border { from, ..border }.to_string());
            let may_go_on = if number % PAGES_PER_NOTE == 0 {
                course.note(Noting::GoOn).await?
            } else {
                course.note_in_time().await?
            };
            if !may_go_on {
                return Err(Undone::HeldByOther);
            }
            compared = match next {
                Some(next) => next?,
                None if token.is_some() => return Ok(Listed::OutOfTime),
                None if is_enough => return Ok(Listed::Partly),
                None => return Ok(Listed::ToTheEnd),
            };
        }
    }

    /// What is to be done about the findings on a page, which come after those in `order`.
    async fn compare(
        &self,
        page: Page<Finding>,
        mut order: Order,
        told_at: Option<Timestamp>,
        attempt: Attempt<'_>,
    ) -> Result<Compared, Undone> {
        for why in &page.unread {
            let what = "a finding that Inspector lists cannot be read, and is not recorded";
            (attempt.observe)(Observation::Warning { what: what.to_owned(), reason: why.clone() });
        }
        order.see(&page);
        let mut compared = Compared {
            order,
            next: page.next,
            counts: vec![("listed", page.items.len()), ("unread", page.unread.len())],
            writes: Vec::new(),
            written: Vec::new(),
            refreshes: Vec::new(),
        };
        let sightings = self.newest(page.items, attempt);
        let arns: Vec<&str> = sightings.keys().map(String::as_str).collect();
        let rows = self.triage.store.read_all(&arns).await.map_err(Failure::Store)?;
        let rows: HashMap<String, Record> =
            rows.into_iter().map(|row| (row.finding.arn.clone(), row)).collect();
        for assessed in sightings.into_values() {
            match self.change(rows.get(&assessed.finding.arn), &assessed, told_at) {
                Change::None(what) => compared.counts.push((what, 1)),
                Change::Refresh => compared.refreshes.push(assessed),
                Change::Write(what, record, transition) => {
                    compared.writes.push((*record, transition));
                    compared.written.push((what, assessed));
                }
            }
        }
        Ok(compared)
    }

    /// Does it, and counts what was done.
    async fn record_all(
        &self,
        compared: Compared,
        attempt: Attempt<'_>,
    ) -> Result<Vec<(&'static str, usize)>, Undone> {
        let Compared { mut counts, writes, written, refreshes, .. } = compared;
        let store = &self.triage.store;
        let outcomes = store.write_all(&writes, attempt.until_the_end()).await;
        // What was not written because others were faster goes its own way.
        let mut again = Vec::new();
        for (outcome, (what, assessed)) in
            outcomes.map_err(Failure::Store)?.into_iter().zip(written)
        {
            match outcome {
                Some(WriteOutcome::Applied) => counts.push((what, 1)),
                Some(WriteOutcome::Conflict) => again.push(assessed),
                None => {
                    let what = assessed.finding.arn;
                    let (left, needed) = ((attempt.left)(), CALL_TIMEOUT);
                    return Err(Failure::OutOfTime { what, left, needed }.into());
                }
            }
        }
        for some in refreshes.chunks(CONCURRENCY) {
            let refreshing = some.iter().map(|assessed| store.refresh(assessed));
            for (done, assessed) in join_all(refreshing).await.into_iter().zip(some) {
                match done.map_err(Failure::Store)? {
                    Refreshed::Done(_) => counts.push(("refreshed", 1)),
                    Refreshed::Differs(_) | Refreshed::Missing => again.push(assessed.clone()),
                }
            }
        }
        for assessed in again {
            self.triage.recorded(&assessed, attempt).await?;
            counts.push(("changed", 1));
        }
        Ok(counts)
    }

    /// The findings of a page, assessed. Of one that it has twice, because it changed meanwhile, the newest state.
    fn newest(
        &self,
        page: Vec<Finding>,
        attempt: Attempt<'_>,
    ) -> BTreeMap<String, AssessedFinding> {
        let mut newest: BTreeMap<String, AssessedFinding> = BTreeMap::new();
        for finding in page {
            let assessment = assess(&finding, &self.triage.config.policy, Some(attempt.now));
            let assessed = AssessedFinding::new(finding, assessment, attempt.now);
            match newest.entry(assessed.finding.arn.clone()) {
                Entry::Vacant(place) => drop(place.insert(assessed)),
                Entry::Occupied(mut other) if other.get().version < assessed.version => {
                    other.insert(assessed);
                }
                Entry::Occupied(_) => {}
            }
        }
        newest
    }

    /// What a finding that is listed changes. What the first listing finds counts as told at `told_at`.
    fn change(
        &self,
        row: Option<&Record>,
        assessed: &AssessedFinding,
        told_at: Option<Timestamp>,
    ) -> Change {
        let is_open = assessed.finding.status.is_open();
        let Some(row) = row else {
            if !is_open || !self.scope.takes(&assessed.finding) {
                return Change::None("skipped");
            }
            return match step(None, assessed, &self.triage.config.policy) {
                Step::Write(record, transition) => {
                    let record = match told_at {
                        Some(at) => Box::new(counted_as_told(*record, at)),
                        None => record,
                    };
                    Change::Write("new", record, transition)
                }
                Step::Repetition | Step::Stale => Change::None("unchanged"),
            };
        };
        match step(Some(row), assessed, &self.triage.config.policy) {
            Step::Repetition | Step::Stale => Change::None("unchanged"),
            Step::Write(..) if row.facts().key() == assessed.facts().key() => Change::Refresh,
            Step::Write(record, transition) => {
                let what = if row.is_open() && !is_open { "ended" } else { "changed" };
                Change::Write(what, record, transition)
            }
        }
    }
}

/// The record as if people had been told of it at `at`.
fn counted_as_told(record: Record, at: Timestamp) -> Record {
    let (facts, opening) = (record.facts(), record.opening);
    let told = Announcement { at, why: AlertReason::New, facts, opening };
    let seen_at = record.last_seen_at;
    record.with_delivery(&Delivery::Complete(told), seen_at)
}

/// The order in which findings come.
#[derive(Clone, Copy)]
struct Order {
    latest: Timestamp,
    holds: bool,
}

impl Order {
    fn see(&mut self, page: &Page<Finding>) {
        for finding in &page.items {
            match finding.first_observed_at {
                Some(observed) if observed >= self.latest => self.latest = observed,
                // Dates of filters are whole milliseconds, and findings have more digits.
                Some(observed) if observed.as_millisecond() >= self.latest.as_millisecond() => {}
                _ => self.holds = false,
            }
        }
    }

    /// Up to where everything was seen, if they come in order.
    fn border(&self) -> Option<Timestamp> {
        self.holds.then_some(self.latest)
    }
}
