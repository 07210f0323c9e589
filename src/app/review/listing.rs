//! The findings that Inspector has, into the records.
//!
//! They come in the order in which Inspector first observed them, which never changes of a finding. So where the listing
//! stopped is a moment: it goes on there, and what it sees twice changes nothing. No token outlives an invocation.

use std::{
    collections::{BTreeMap, HashMap, HashSet, btree_map::Entry},
    fmt,
};

use futures_util::future::{join, join_all};
use jiff::Timestamp;

use super::{Course, Ended, Noting, Review, Undone};
use crate::{
    app::{
        attempt::{Attempt, CALL_TIMEOUT, Observation},
        failure::{CallFailed, Failure},
        ports::{
            Alerts, Exceptions, FindingQuery, Inspector, NAMES_PER_CALL, NotAnswered, Page,
            Publisher, Records, Refreshed, Refusal, RoundLog, Sweep, Which, WriteOutcome,
        },
    },
    domain::{
        assess::assess,
        digest,
        finding::{Finding, Status},
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
/// How many findings may wait for the next listing because they could not be recorded. More is no matter of findings.
const MAX_UNRECORDED: usize = 100;

/// How far a listing has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Border {
    /// Whether everything that is not closed is listed, and not what changed.
    everything: bool,
    /// What Inspector first observed earlier is done.
    from: Timestamp,
}

/// What findings are counted as that were not recorded before.
const NEW: &str = "new";

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
        noted.unwrap_or(Self { everything: false, from: Timestamp::UNIX_EPOCH })
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
    /// The numbers of its findings.
    numbers: Vec<u64>,
    /// What to ask the next page with.
    next: Option<String>,
    counts: Vec<(&'static str, usize)>,
    writes: Vec<(Record, Transition)>,
    /// Of each write, what it is counted as, and the finding.
    written: Vec<(&'static str, AssessedFinding)>,
    refreshes: Vec<AssessedFinding>,
}

/// What was recorded of a page.
#[derive(Default)]
struct Recorded {
    counts: Vec<(&'static str, usize)>,
    /// The findings that could not be recorded, by their ARNs.
    failed: Vec<String>,
}

/// What came of asking for a few findings.
#[derive(Default)]
pub(super) struct Asked {
    /// Those that Inspector has, by their ARNs.
    pub listed: HashSet<String>,
    /// How many could not be read.
    pub unread: usize,
    /// Those that could not be recorded.
    pub failed: Vec<String>,
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

impl<S, P, I, A> Review<S, P, I, A>
where
    S: Records + Sweep + Alerts + RoundLog + Exceptions,
    P: Publisher,
    I: Inspector,
{
    /// Lists what changed, or everything, and records it.
    pub(super) async fn listing(&self, course: &mut Course<'_, S>) -> Result<Ended, Undone> {
        if !self.ask_again(course).await? {
            return Err(Undone::HeldByOther);
        }
        // Where nothing is open yet, what is closed is no news.
        if course.round().is_first
            && course.progress(Part::Listing).border.is_none()
            && !self.triage.store.has_open().await.map_err(Failure::Store)?
        {
            let border = Border::of(course.round()).after(course.round());
            course.progress(Part::Listing).border = border.map(|border| border.to_string());
        }
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

    /// Asks for the findings that could not be recorded the last time. Returns whether the round may go on.
    async fn ask_again(&self, course: &mut Course<'_, S>) -> Result<bool, Undone> {
        let arns: Vec<String> = course.rounds.unrecorded.iter().cloned().collect();
        for arns in arns.chunks(NAMES_PER_CALL) {
            let failed = self.ask_for(&FindingQuery::these(arns), course).await?.failed;
            // One that Inspector has no more is none to wait for.
            course.rounds.unrecorded.retain(|arn| !arns.contains(arn) || failed.contains(arn));
            if !course.note_in_time().await? {
                return Ok(false);
            }
        }
        Ok(true)
    }

    /// Asks for a few findings, and records them.
    pub(super) async fn ask_for(
        &self,
        query: &FindingQuery,
        course: &Course<'_, S>,
    ) -> Result<Asked, Undone> {
        let mut asked = Asked::default();
        let mut token = None;
        loop {
            let page = self.inspector.findings(query, token.as_deref(), course.limit()).await?;
            asked.listed.extend(page.items.iter().map(|finding| finding.arn.clone()));
            asked.unread += page.unread.len();
            let (next, attempt) = (page.next.clone(), course.attempt());
            let order = Order::from(Timestamp::UNIX_EPOCH);
            let compared = self.compare(page, order, None, attempt).await?;
            asked.failed.extend(self.record_all(compared, attempt).await?.failed);
            token = next;
            if token.is_none() {
                return Ok(asked);
            }
        }
    }

    /// Lists from the border on. While one page is recorded, the next one is asked for and compared with its rows.
    async fn list_on(&self, course: &mut Course<'_, S>) -> Result<Listed, Undone> {
        let (clock, limit) = (course.clock(), course.limit());
        let border = Border::of(course.round());
        let told_at = course.rounds.baseline.as_ref().filter(|_| course.round().is_first);
        let told_at = told_at.map(|baseline| baseline.at);
        let which = if border.everything {
            Which::NotClosed
        } else if course.round().is_full {
            // The others come with everything.
            Which::ClosedSince(course.round().changed_since)
        } else {
            Which::ChangedSince(course.round().changed_since)
        };
        let query = FindingQuery { which, observed_from: border.from };
        let page = async |token: Option<&str>, order: Order| {
            let page = self.inspector.findings(&query, token, limit).await?;
            self.compare(page, order, told_at, clock.attempt()).await
        };
        let mut number: usize = 0;
        let mut compared = page(None, Order::from(border.from)).await?;
        loop {
            number += 1;
            let order = compared.order;
            let is_enough = number.is_multiple_of(PAGES_PER_TOKEN)
                && order.border().is_some_and(|reached| reached > border.from);
            let token = compared.next.take().filter(|_| !is_enough);
            let numbers = std::mem::take(&mut compared.numbers);
            let next = async {
                match &token {
                    Some(token) if !limit.is_over() => Some(page(Some(token), order).await),
                    _ => None,
                }
            };
            let (recorded, next) = join(self.record_all(compared, clock.attempt()), next).await;
            let from = order.border().unwrap_or(border.from);
            let border = Border { from, ..border };
            let recorded = recorded?;
            if course.round().is_full && border.everything {
                course.listed.extend(numbers);
            }
            let may_go_on = note_page(recorded, border, number, course).await?;
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
        order.see(&page, attempt.now);
        let numbers = page.items.iter().map(|finding| digest::long(&finding.arn));
        let mut compared = Compared {
            order,
            numbers: numbers.collect(),
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

    /// Does it, and counts what was done. What fails of one finding keeps no other from being recorded.
    async fn record_all(
        &self,
        compared: Compared,
        attempt: Attempt<'_>,
    ) -> Result<Recorded, Undone> {
        let Compared { counts, writes, written, refreshes, .. } = compared;
        let mut recorded = Recorded { counts, failed: Vec::new() };
        // What was not written because others were faster goes its own way.
        let mut again = Vec::new();
        for (outcome, (what, assessed)) in
            self.write_each(&writes, attempt).await.into_iter().zip(written)
        {
            match outcome {
                Ok(Some(WriteOutcome::Applied)) => recorded.counts.push((what, 1)),
                Ok(Some(WriteOutcome::Conflict)) => again.push(assessed),
                Ok(None) => {
                    let what = assessed.finding.arn;
                    let (left, needed) = ((attempt.left)(), CALL_TIMEOUT);
                    return Err(Failure::OutOfTime { what, left, needed }.into());
                }
                Err(failed) => recorded.fail(&assessed, &Failure::Store(failed), attempt),
            }
        }
        for some in refreshes.chunks(CONCURRENCY) {
            let refreshing = some.iter().map(|assessed| self.triage.store.refresh(assessed));
            for (done, assessed) in join_all(refreshing).await.into_iter().zip(some) {
                match done {
                    Ok(Refreshed::Done(_)) => recorded.counts.push(("refreshed", 1)),
                    Ok(Refreshed::Differs(_) | Refreshed::Missing) => again.push(assessed.clone()),
                    Err(failed) => recorded.fail(assessed, &Failure::Store(failed), attempt),
                }
            }
        }
        for assessed in again {
            match self.triage.recorded(&assessed, attempt).await {
                Ok(()) => recorded.counts.push(("changed", 1)),
                Err(failed) => recorded.fail(&assessed, &failed, attempt),
            }
        }
        Ok(recorded)
    }

    /// Writes rows, and gives what came of each, in their order: none where there was no time. One that cannot be written
    /// may take others with it that are written at the same time, so then each is written for itself.
    pub(super) async fn write_each(
        &self,
        writes: &[(Record, Transition)],
        attempt: Attempt<'_>,
    ) -> Vec<Result<Option<WriteOutcome>, CallFailed>> {
        let store = &self.triage.store;
        if let Ok(outcomes) = store.write_all(writes, attempt.until_the_end()).await {
            return outcomes.into_iter().map(Ok).collect();
        }
        let mut outcomes = Vec::with_capacity(writes.len());
        for some in writes.chunks(CONCURRENCY) {
            let writing = some.iter().map(|(record, what)| store.write(record, *what));
            let done = join_all(writing).await.into_iter();
            outcomes.extend(done.map(|outcome| outcome.map(Some)));
        }
        outcomes
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
            // What a suppression rule hides is worth a row where an exception may explain it.
            let is_hidden =
                assessed.finding.status == Status::Suppressed && self.triage.store.has_ledger();
            if !(is_open || is_hidden) || !self.scope.takes(&assessed.finding) {
                return Change::None("skipped");
            }
            return match step(None, assessed, &self.triage.config.policy) {
                Step::Write(record, transition) if !is_open => {
                    Change::Write("hidden", record, transition)
                }
                Step::Write(record, transition) => {
                    let record = match told_at {
                        Some(at) => Box::new(counted_as_told(*record, at)),
                        None => record,
                    };
                    Change::Write(NEW, record, transition)
                }
                Step::Repetition | Step::Stale => Change::None("unchanged"),
            };
        };
        match step(Some(row), assessed, &self.triage.config.policy) {
            Step::Repetition | Step::Stale => Change::None("unchanged"),
            Step::Write(record, _)
                if row.event_facts().key() == assessed.facts().key()
                    && (row.threat.is_none() || record.shows_the_same_as(row)) =>
            {
                Change::Refresh
            }
            Step::Write(record, transition) => {
                let what = if row.is_open() && !record.is_open() { "ended" } else { "changed" };
                Change::Write(what, record, transition)
            }
        }
    }
}

/// Writes down what was recorded of page `number`, up to which all is done before `border`. Returns whether the round may go on.
async fn note_page<S: RoundLog>(
    recorded: Recorded,
    border: Border,
    number: usize,
    course: &mut Course<'_, S>,
) -> Result<bool, Undone> {
    let is_first = course.round().is_first;
    let progress = course.progress(Part::Listing);
    let mut new = 0;
    for (what, number) in recorded.counts {
        progress.count(what, number);
        if what == NEW {
            new += u64::try_from(number).unwrap_or(u64::MAX);
        }
    }
    progress.border = Some(border.to_string());
    if let Some(baseline) = course.rounds.baseline.as_mut().filter(|_| is_first) {
        baseline.recorded += new;
    }
    course.rounds.unrecorded.extend(recorded.failed);
    if course.rounds.unrecorded.len() > MAX_UNRECORDED {
        let failures = course.rounds.unrecorded.len();
        return Err(Failure::Unrecorded(failures).into());
    }
    let may_go_on = if number.is_multiple_of(PAGES_PER_NOTE) {
        course.note(Noting::GoOn).await?
    } else {
        course.note_in_time().await?
    };
    Ok(may_go_on)
}

impl Recorded {
    /// Counts a finding that could not be recorded, and says why.
    fn fail(&mut self, assessed: &AssessedFinding, failure: &Failure, attempt: Attempt<'_>) {
        let arn = &assessed.finding.arn;
        let what = format!("finding {arn} is not recorded, and is looked at again the next day");
        (attempt.observe)(Observation::Warning { what, reason: failure.chain() });
        self.counts.push(("failed", 1));
        self.failed.push(arn.clone());
    }
}

/// The record as if people had been told of it at `at`.
fn counted_as_told(record: Record, at: Timestamp) -> Record {
    let (facts, opening) = (record.facts(), record.opening);
    let told = Announcement { at, why: AlertReason::New, facts, opening };
    let seen_at = record.last_seen_at;
    record.with_delivery(&Delivery::Complete(told), seen_at)
}

/// The order in which findings come: how far they have been seen, page by page.
#[derive(Clone, Copy)]
struct Order {
    /// The earliest finding of the latest page. What is odd on a page does not move it.
    reached: Timestamp,
    pages: usize,
    /// Pages that reached less far than one before.
    strays: usize,
}

impl Order {
    fn from(reached: Timestamp) -> Self {
        Self { reached, pages: 0, strays: 0 }
    }

    /// Sees the findings of a page, but those without a date and those of the future.
    fn see(&mut self, page: &Page<Finding>, now: Timestamp) {
        let observed = page.items.iter().filter_map(|finding| finding.first_observed_at);
        let Some(earliest) = observed.filter(|observed| *observed <= now).min() else { return };
        self.pages += 1;
        // Dates of filters are whole milliseconds, and findings have more digits.
        if earliest.as_millisecond() < self.reached.as_millisecond() {
            self.strays += 1;
        } else {
            self.reached = earliest;
        }
    }

    /// Before what everything was seen, if they come in order. One page in twenty may be a stray.
    fn border(&self) -> Option<Timestamp> {
        (self.strays <= 1 + self.pages / 20).then_some(self.reached)
    }
}
