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

use super::{Course, Ended, Review, Undone};
use crate::{
    app::{
        attempt::{Attempt, Observation},
        failure::Failure,
        ports::{
            Alerts, FindingQuery, Inspector, NotAnswered, Page, Publisher, Records, Refreshed,
            Refusal, RoundLog, Sighting, WriteOutcome,
        },
    },
    domain::{
        assess::assess,
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
                Err(Undone::NotAnswered(NotAnswered { why: Refusal::Busy, .. })) => {
                    return Ok(Ended::OutOfTime);
                }
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

    /// Lists from the border on.
    async fn list_on(&self, course: &mut Course<'_, S>) -> Result<Listed, Undone> {
        let limit = course.limit();
        let border = Border::of(course.round());
        let from = border.from;
        let changed_since = course.round().changed_since.filter(|_| !border.everything);
        let query = FindingQuery { changed_since, observed_from: from };
        let mut order = Order { latest: from, holds: true };
        let mut page = self.inspector.findings(&query, None, limit).await?;
        for number in 1.. {
            order.see(&page);
            let is_enough =
                number % PAGES_PER_TOKEN == 0 && order.border().is_some_and(|to| to > from);
            let token = page.next.take().filter(|_| !is_enough);
            // The next page is asked for while this one is recorded.
            let next = async {
                match &token {
                    Some(token) if !limit.is_over() => {
                        Some(self.inspector.findings(&query, Some(token), limit).await)
                    }
                    _ => None,
                }
            };
            let (done, next) = join(self.take_in(page, course), next).await;
            done?;
            let from = order.border().unwrap_or(from);
            course.progress(Part::Listing).border = Some(Border { from, ..border }.to_string());
            let may_go_on = if number % PAGES_PER_NOTE == 0 {
                course.note(super::Noting::GoOn).await?
            } else {
                course.note_in_time().await?
            };
            if !may_go_on {
                return Err(Undone::HeldByOther);
            }
            page = match next {
                Some(next) => next?,
                None if token.is_some() => return Ok(Listed::OutOfTime),
                None if is_enough => return Ok(Listed::Partly),
                None => return Ok(Listed::ToTheEnd),
            };
        }
        Ok(Listed::ToTheEnd)
    }

    /// Records what is on a page.
    async fn take_in(
        &self,
        page: Page<Sighting>,
        course: &mut Course<'_, S>,
    ) -> Result<(), Undone> {
        let attempt = course.attempt;
        let told_at = course.rounds.baseline.as_ref().filter(|_| course.round().is_first);
        let told_at = told_at.map(|baseline| baseline.at);
        for why in &page.unread {
            let what = "a finding that Inspector lists cannot be read, and is not recorded";
            (attempt.observe)(Observation::Warning { what: what.to_owned(), reason: why.clone() });
        }
        let mut counts = vec![("listed", page.items.len()), ("unread", page.unread.len())];
        let sightings = self.newest(page, attempt);
        let arns: Vec<&str> = sightings.keys().map(String::as_str).collect();
        let rows = self.triage.store.read_all(&arns).await.map_err(Failure::Store)?;
        let rows: HashMap<String, Record> =
            rows.into_iter().map(|row| (row.finding.arn.clone(), row)).collect();

        let (mut writes, mut refreshes) = (Vec::new(), Vec::new());
        let mut written = Vec::new();
        for assessed in sightings.into_values() {
            match self.change(rows.get(&assessed.finding.arn), &assessed, told_at) {
                Change::None(what) => counts.push((what, 1)),
                Change::Refresh => refreshes.push(assessed),
                Change::Write(what, record, transition) => {
                    writes.push((*record, transition));
                    written.push((what, assessed));
                }
            }
        }
        // What was not written because others were faster goes its own way.
        let limit = attempt.until_the_end();
        let outcomes = self.triage.store.write_all(&writes, limit).await.map_err(Failure::Store)?;
        let mut again = Vec::new();
        for (outcome, (what, assessed)) in outcomes.into_iter().zip(written) {
            match outcome {
                Some(WriteOutcome::Applied) => counts.push((what, 1)),
                Some(WriteOutcome::Conflict) | None => again.push(assessed),
            }
        }
        for some in refreshes.chunks(CONCURRENCY) {
            let refreshing = some.iter().map(|assessed| self.triage.store.refresh(assessed));
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
        let progress = course.progress(Part::Listing);
        for (what, number) in counts {
            progress.count(what, number);
        }
        Ok(())
    }

    /// The findings of a page, assessed. Of one that it has twice, because it changed meanwhile, the newest state.
    fn newest(
        &self,
        page: Page<Sighting>,
        attempt: Attempt<'_>,
    ) -> BTreeMap<String, AssessedFinding> {
        let mut newest: BTreeMap<String, AssessedFinding> = BTreeMap::new();
        for Sighting { finding, .. } in page.items {
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
struct Order {
    latest: Timestamp,
    holds: bool,
}

impl Order {
    fn see(&mut self, page: &Page<Sighting>) {
        for seen in &page.items {
            match seen.finding.first_observed_at {
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
