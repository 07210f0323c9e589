//! What an auditor gets of a period: every finding that was open in it, every exception that was in force, all that was not
//! looked at, and how far that agrees with what was counted then.
//!
//! Pure. Rows go in one by one, in whatever order; out comes [`Evidence`], from which every file takes what it says. The same
//! rows give the same, and a period that is over is the same whenever it is looked at, as long as its history is kept.

mod check;
mod decisions;
mod entry;
mod period;
mod subject;
mod trail;

use std::{
    cmp::Reverse,
    collections::{BTreeMap, BTreeSet},
};

use jiff::{SignedDuration, Timestamp, civil::Date};

pub use check::{Check, Counted};
pub use decisions::{Applied, Decided, What, WhyOver};
pub use entry::Entry;
pub use period::{NoPeriod, Period};
pub use subject::Subject;
pub use trail::{Change, Late, Life, Moment, State, Trail};

pub use super::figures::Outcome;
use super::{
    coverage::{Gap, PastGap},
    figures::{Figures, Taking},
    finding::OwnerTags,
    record::{Excepted, Record},
    review::Review,
    round::{Part, day},
    rules::Rules,
};

/// What there is to show of a period.
#[derive(Clone, Debug)]
pub struct Evidence {
    /// The period.
    pub period: Period,
    /// Each finding that was open in it, or hidden, by the names of Inspector.
    pub entries: Vec<Entry>,
    /// The figures as of its end, counted from what is known of all findings: what is new and ended is since it began.
    pub figures: Figures,
    /// The exceptions that were in force in it.
    pub exceptions: Vec<Decided>,
    /// What was not looked at in it.
    pub gaps: Vec<Unobserved>,
    /// The reviews that were told in it, the earliest first.
    pub reviews: Vec<Review>,
    /// Its days, the earliest first.
    pub days: Vec<Day>,
    /// By what was judged, up to the end of the period: each with the first day on which that is kept.
    pub rules: Vec<(Date, Rules)>,
    /// What was counted in the period, and what the history says of the same moments.
    pub checks: Vec<Check>,
    /// Rows that could not be read, by their keys.
    pub unread: Vec<Unread>,
    /// How far back the rows go.
    pub reach: Reach,
}

/// What a daily round left of a day.
#[derive(Clone, Debug, PartialEq)]
pub struct Day {
    /// The day on which the round began.
    pub date: Date,
    /// What it counted.
    pub figures: Figures,
    /// By what was judged; none in rows of before that was kept.
    pub rules: Option<Rules>,
    /// The parts of the round that were done by then, by their words; none in rows of before that was kept.
    pub done: Option<Vec<String>>,
}

impl Day {
    /// Whether a part of the round was done; none if that is not kept.
    pub fn has_done(&self, part: Part) -> Option<bool> {
        self.done.as_ref().map(|done| done.iter().any(|word| word == part.as_str()))
    }
}

/// Something that was not looked at, for one reason, from a moment on.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Unobserved {
    /// What, and why.
    pub gap: Gap,
    /// Since when.
    pub from: Timestamp,
    /// Until when; none if it still was not at the end of the period.
    pub until: Option<Timestamp>,
}

/// A row that could not be read.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Unread {
    /// Its partition key.
    pub partition: String,
    /// Its sort key.
    pub place: String,
    /// What is wrong with it.
    pub why: String,
}

/// How far back the rows go.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Reach {
    /// The earliest moment that a row is of.
    pub first_row_at: Option<Timestamp>,
    /// For how long the deployment keeps its history, by the figures that it wrote last.
    pub kept_for: Option<SignedDuration>,
    /// Since when its history is whole, by the rows that are kept for the shortest time; none if there are no such rows.
    pub whole_since: Option<Timestamp>,
    /// How many ledgers were in force in the period whose exceptions are not kept any more.
    pub lost_ledgers: u64,
    /// How many findings are not in the evidence, because of them only the last of their history is left to expire.
    pub expired_findings: u64,
}

impl Reach {
    /// Whether the period begins before the history does that is kept.
    pub fn is_short_of(&self, period: &Period) -> bool {
        self.whole_since.is_some_and(|whole| period.since < whole)
    }

    /// The day of the first row, if the period begins before it.
    pub fn begins_in(&self, period: &Period) -> Option<Date> {
        self.first_row_at.map(day).filter(|first| period.from < *first)
    }
}

impl Evidence {
    /// How many findings had come to this by the end of the period.
    pub fn count(&self, is: impl Fn(&Entry) -> bool) -> u64 {
        self.entries.iter().filter(|entry| is(entry)).count().try_into().unwrap_or(u64::MAX)
    }

    /// The findings that were open in the period after their due dates, the longest first.
    pub fn breaches(&self) -> Vec<&Entry> {
        let mut late: Vec<&Entry> =
            self.entries.iter().filter(|entry| entry.late.is_some()).collect();
        // Stable: of equal ones by name.
        late.sort_by_key(|entry| Reverse(entry.late.map(|late| late.by())));
        late
    }

    /// The exception that covered a finding, as it was in force when the finding took its terms.
    pub fn decided(&self, excepted: &Excepted) -> Option<&Decided> {
        decisions::place(&self.exceptions, excepted).map(|index| &self.exceptions[index])
    }
}

/// Evidence that is being collected, row by row.
#[derive(Debug)]
pub struct Collecting {
    period: Period,
    now: Timestamp,
    owner_tags: OwnerTags,
    trails: BTreeMap<String, Trail>,
    gaps: Vec<Gap>,
    past_gaps: Vec<PastGap>,
    ledgers: Vec<Applied>,
    reviews: Vec<Review>,
    days: Vec<Day>,
    unread: Vec<Unread>,
    first_row_at: Option<Timestamp>,
    /// For how long rows are kept: by the last figures, and at least.
    kept_for: Option<(Timestamp, SignedDuration)>,
    least_kept_for: Option<SignedDuration>,
}

impl Collecting {
    /// Begins to collect evidence of a period, at `now`. The first of `owner_tags` that a resource has names its owner.
    pub fn new(period: Period, now: Timestamp, owner_tags: OwnerTags) -> Self {
        Self {
            period,
            now,
            owner_tags,
            trails: BTreeMap::new(),
            gaps: Vec::new(),
            past_gaps: Vec::new(),
            ledgers: Vec::new(),
            reviews: Vec::new(),
            days: Vec::new(),
            unread: Vec::new(),
            first_row_at: None,
            kept_for: None,
            least_kept_for: None,
        }
    }

    /// Takes the row of a finding.
    pub fn add_finding(&mut self, record: &Record) {
        self.saw(record.first_seen_at);
        let arn = record.finding.arn.clone();
        self.trails.entry(arn).or_default().add_row(record, &self.owner_tags);
    }

    /// Takes a row of the history of a finding, which is kept for so long.
    pub fn add_moment(&mut self, arn: String, moment: Moment, kept_for: Option<SignedDuration>) {
        self.saw(moment.at);
        self.is_kept_for(kept_for);
        self.trails.entry(arn).or_default().add_moment(moment);
    }

    /// Takes that people were told of a finding.
    pub fn add_told(&mut self, arn: String, at: Timestamp) {
        self.saw(at);
        self.trails.entry(arn).or_default().add_told(at);
    }

    /// Takes a day, which is kept for so long.
    pub fn add_day(&mut self, day: Day, kept_for: SignedDuration) {
        let as_of = day.figures.as_of;
        self.saw(as_of);
        self.is_kept_for(Some(kept_for));
        if self.kept_for.is_none_or(|(before, _)| before < as_of) {
            self.kept_for = Some((as_of, kept_for));
        }
        if as_of <= self.period.as_of {
            self.days.push(day);
        }
    }

    fn is_kept_for(&mut self, kept_for: Option<SignedDuration>) {
        self.least_kept_for = self.least_kept_for.into_iter().chain(kept_for).min();
    }

    /// Takes a review.
    pub fn add_review(&mut self, review: Review) {
        if self.period.has(review.figures.as_of) {
            self.reviews.push(review);
        }
    }

    /// Takes what is not looked at now.
    pub fn add_gap(&mut self, gap: Gap) {
        self.gaps.push(gap);
    }

    /// Takes what was not looked at until some moment.
    pub fn add_past_gap(&mut self, past: PastGap) {
        self.past_gaps.push(past);
    }

    /// Takes a ledger that was put in force.
    pub fn add_ledger(&mut self, ledger: Applied) {
        self.ledgers.push(ledger);
    }

    /// Takes that a row could not be read.
    pub fn add_unread(&mut self, unread: Unread) {
        self.unread.push(unread);
    }

    /// The earliest moment that a row is of, so far.
    pub fn first_row_at(&self) -> Option<Timestamp> {
        self.first_row_at
    }

    fn saw(&mut self, at: Timestamp) {
        self.first_row_at = Some(self.first_row_at.map_or(at, |before| before.min(at)));
    }

    /// The evidence.
    pub fn finish(mut self) -> Evidence {
        let period = self.period;
        for trail in self.trails.values_mut() {
            trail.settle();
        }
        let expired_findings = self.add_missing();
        self.unread.sort();
        self.reviews.sort_by_key(|review| review.figures.as_of);
        self.days.sort_by_key(|day| day.figures.as_of);
        let rules = rules(&self.days);
        self.days.retain(|day| period.has(day.figures.as_of));
        self.ledgers.sort_by(|a, b| (a.at, &a.digest).cmp(&(b.at, &b.digest)));

        let mut taking = Taking::new(period.as_of, Some(period.since));
        self.trails
            .values()
            .filter_map(|trail| trail.standing(period.as_of))
            .for_each(|one| taking.add(&one));
        let checks = self.checks();
        let reach = Reach { expired_findings, ..self.reach() };
        // A list that grows holds twice what is in it for a moment.
        let mut entries = Vec::with_capacity(self.trails.len());
        let whole_since = reach.whole_since;
        let trails = std::mem::take(&mut self.trails).into_values();
        entries.extend(trails.filter_map(|trail| Entry::of(trail, &period, whole_since)));
        let exceptions = decisions::decided(&self.ledgers, &entries, &period);
        Evidence {
            period,
            entries,
            figures: taking.finish(),
            exceptions,
            gaps: unobserved(self.gaps, self.past_gaps, &period),
            reviews: self.reviews,
            days: self.days,
            rules,
            checks,
            unread: self.unread,
            reach,
        }
    }

    /// Counts as unread each history without the row of its finding, but those that will soon expire, too. Returns how many of
    /// these there are: their rows were the first to go.
    fn add_missing(&mut self) -> u64 {
        /// How much earlier a finding's row may expire than the last row of its history: how it ended is noted for so long.
        const AT_MOST: SignedDuration = SignedDuration::from_hours(24 * 31);
        let border = self.whole_since().and_then(|whole| whole.checked_add(AT_MOST).ok());
        let last_part = |row: &Unread| row.partition.rsplit('#').next().map(str::to_owned);
        let unread: BTreeSet<String> = self.unread.iter().filter_map(last_part).collect();
        let is_left = |(arn, trail): &(&String, &Trail)| {
            trail.subject().is_none() && !unread.contains(arn.as_str())
        };
        let has_expired = |trail: &Trail| {
            border.is_some_and(|border| trail.last_at().is_none_or(|last| last < border))
        };
        let left = self.trails.iter().filter(is_left);
        let (expired, missing): (Vec<_>, Vec<_>) = left.partition(|(_, trail)| has_expired(trail));
        let missing = missing.into_iter().map(|(arn, _)| Unread {
            partition: arn.clone(),
            place: String::new(),
            why: "there is a history, and no row of the finding that it is of".to_owned(),
        });
        let (expired, missing) = (expired.len(), missing.collect::<Vec<_>>());
        self.unread.extend(missing);
        expired.try_into().unwrap_or(u64::MAX)
    }

    /// Since when the history is whole: for as long as any row is kept. That was not always as long as it is now.
    fn whole_since(&self) -> Option<Timestamp> {
        self.now.checked_sub(self.least_kept_for?).ok()
    }

    /// Counts anew what each review of the period counted, and the last figures of it.
    fn checks(&self) -> Vec<Check> {
        let recorded = self.reviews.iter().map(|review| (true, &review.figures));
        let last_day = self.days.last().map(|day| (false, &day.figures));
        let recount = |(is_review, figures): (bool, &Figures)| {
            let mut taking = Taking::new(figures.as_of, figures.since);
            let standings = self.trails.values().filter_map(|one| one.standing(figures.as_of));
            standings.for_each(|one| taking.add(&one));
            Check::new(is_review, figures, &taking.finish())
        };
        recorded.chain(last_day).map(recount).collect()
    }

    fn reach(&self) -> Reach {
        let kept_for = self.kept_for.map(|(_, kept_for)| kept_for);
        let lost = |(place, ledger): (usize, &Applied)| {
            let until = self.ledgers.get(place + 1).map(|next| next.at);
            ledger.exceptions.is_none() && self.period.meets(ledger.at, until)
        };
        let lost_ledgers = self.ledgers.iter().enumerate().filter(|one| lost(*one)).count();
        Reach {
            first_row_at: self.first_row_at,
            kept_for,
            whole_since: self.whole_since(),
            lost_ledgers: lost_ledgers.try_into().unwrap_or(u64::MAX),
            expired_findings: 0,
        }
    }
}

/// By what was judged, each time that it changed.
fn rules(days: &[Day]) -> Vec<(Date, Rules)> {
    let mut all: Vec<(Date, Rules)> = Vec::new();
    for (date, rules) in days.iter().filter_map(|day| Some((day.date, day.rules.as_ref()?))) {
        if all.last().is_none_or(|(_, before)| before != rules) {
            all.push((date, rules.clone()));
        }
    }
    all
}

/// What was not looked at in the period, account by account. A first scan that was under way is no gap yet.
fn unobserved(gaps: Vec<Gap>, past: Vec<PastGap>, period: &Period) -> Vec<Unobserved> {
    let now = gaps.into_iter().map(|gap| (gap, None));
    let past = past.into_iter().filter(PastGap::was_due).map(|past| (past.gap, Some(past.until)));
    let mut all: Vec<Unobserved> = now
        .chain(past)
        .filter_map(|(gap, until)| {
            let (from, until) = (gap.for_its_reason_since(), period.by_its_end(until));
            let is_due = gap.is_due(until.unwrap_or(period.as_of));
            (is_due && period.meets(from, until)).then_some(Unobserved { gap, from, until })
        })
        .collect();
    all.sort();
    all
}
