//! The daily round: what it consists of, how far it has come, and when the next one begins.
//!
//! Pure. The row of the round keeps a [`Rounds`]; whoever does the work writes it again as it goes on, so that another
//! invocation can go on where this one stopped.

mod reminding;
mod weekly;

use std::collections::{BTreeMap, BTreeSet};

use jiff::{SignedDuration, Timestamp, civil::Date, tz::Offset};
use serde::{Deserialize, Serialize};

pub use reminding::{Begun, Reminding};
pub use weekly::Weekly;

use super::record::Audience;

/// After how long everything is listed again, besides what changed.
pub const FULL_EVERY: SignedDuration = SignedDuration::from_hours(7 * 24);
/// How old the last listing may be for what changed since to be enough. Inspector deletes closed findings after three days
/// at the earliest: <https://docs.aws.amazon.com/inspector/latest/user/findings-understanding.html>.
const CHANGES_REACH: SignedDuration = SignedDuration::from_hours(60);
/// How far a listing of what changed reaches back beyond the one before.
const OVERLAP: SignedDuration = SignedDuration::from_hours(1);
/// How far the first one reaches back: for as long Inspector keeps what it has closed at most.
const CLOSED_FOR: SignedDuration = SignedDuration::from_hours(30 * 24);
/// For how long the right to go on with a round is taken, and taken again while somebody is at it. A function that was
/// killed keeps others from it for no longer.
pub const HELD_FOR: SignedDuration = SignedDuration::from_secs(60);
/// After how long a round that has listed all findings makes room for the next one, whatever it has not done.
const ROUND_LENGTH: SignedDuration = SignedDuration::from_hours(24);

/// A part of the round, in the order in which they are done.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Part {
    /// What of Inspector is on, in which account.
    Enabled,
    /// The findings that Inspector has, into the records.
    Listing,
    /// What it has no more, and how what has ended did.
    Vanished,
    /// What is known of attacks on what is open.
    Threat,
    /// What the ledger covers, and covers no more.
    Ledger,
    /// What Inspector does not look at.
    Coverage,
    /// What is due soon or overdue, told to those whose it is.
    Reminders,
    /// The figures of the day.
    Figures,
    /// The weekly review. It belongs to no round: it is made when it is asked for.
    Review,
}

impl Part {
    /// Those that a round consists of.
    pub const ALL: [Self; 8] = [
        Self::Enabled,
        Self::Listing,
        Self::Vanished,
        Self::Threat,
        Self::Ledger,
        Self::Coverage,
        Self::Reminders,
        Self::Figures,
    ];

    /// The part as one word.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Enabled => "enabled",
            Self::Listing => "listing",
            Self::Vanished => "vanished",
            Self::Threat => "threat",
            Self::Ledger => "ledger",
            Self::Coverage => "coverage",
            Self::Reminders => "reminders",
            Self::Figures => "figures",
            Self::Review => "review",
        }
    }
}

/// What is known of rounds: the one that is under way, or was the last, and what those before have reached.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Rounds {
    /// The round that is under way, or was the last one.
    pub current: Option<Round>,
    /// When the last complete listing began.
    pub listed_at: Option<Timestamp>,
    /// When the last complete listing of everything began.
    pub listed_fully_at: Option<Timestamp>,
    /// When the last round ended in which no part failed.
    pub completed_at: Option<Timestamp>,
    /// The message about everything that was there at first, until it is told.
    pub baseline: Option<OwedMessage>,
    /// The message about all that a new model of EPSS has moved into a higher class, until it is told.
    pub new_model: Option<OwedMessage>,
    /// When the last round began that has compared what is open with all that was listed.
    pub absent_as_of: Option<Timestamp>,
    /// By which ledger, and on which day, all that is open was judged.
    pub ledger: Option<String>,
    /// The reminders of the last day that had some.
    pub reminding: Option<Reminding>,
    /// The weekly review that was asked for last.
    pub weekly: Option<Weekly>,
    /// As of when the one before it was.
    pub reviewed_at: Option<Timestamp>,
    /// Findings that could not be recorded, by their ARNs: the next listing asks for them again.
    pub unrecorded: BTreeSet<String>,
}

/// A message about very many findings at once, which the round itself owes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Owed {
    /// About all that was there at first.
    First,
    /// About all that a new model of EPSS has moved into a higher class.
    NewModel,
}

impl Owed {
    /// All of them.
    pub const ALL: [Self; 2] = [Self::First, Self::NewModel];
}

/// The message about all that the first listing found, or that a new model of EPSS has moved. It is owed once that is complete.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct OwedMessage {
    /// When that listing, or that round, began: rows that it recorded say that they were told at this time.
    pub at: Timestamp,
    /// Who has had the message.
    pub told: Vec<Audience>,
    /// How many findings that listing has recorded.
    #[serde(default)]
    pub recorded: u64,
    /// When that listing, or the moving, had ended.
    #[serde(default)]
    pub listed_at: Option<Timestamp>,
    /// When it was last tried to tell somebody, in vain.
    #[serde(default)]
    pub failed_at: Option<Timestamp>,
}

impl OwedMessage {
    /// The message about what a listing finds that begins at `at`.
    pub fn new(at: Timestamp) -> Self {
        Self { at, told: Vec::new(), recorded: 0, listed_at: None, failed_at: None }
    }
}

/// One round.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Round {
    /// When it began.
    pub began_at: Timestamp,
    /// What changed since this moment is listed, in whatever state it is.
    pub changed_since: Timestamp,
    /// Whether everything is listed, too, that Inspector has not closed.
    pub is_full: bool,
    /// Whether nothing was ever listed before.
    pub is_first: bool,
    /// Whether what is absent ends however much that is.
    #[serde(default)]
    pub believes_absence: bool,
    /// How far its parts have come. A part that is not here was not begun.
    pub parts: BTreeMap<Part, Progress>,
}

/// How far a part has come.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Progress {
    /// Where it stands.
    pub state: PartState,
    /// Where to go on, in the part's own words.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub border: Option<String>,
    /// What was done, by name.
    pub counts: BTreeMap<String, u64>,
}

/// Where a part stands.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum PartState {
    /// There is something left to do.
    #[default]
    Open,
    /// It is done for this round.
    Done,
    /// It could not be done, and is tried again with the next event.
    Failed,
}

impl Progress {
    /// Counts `number` more of `what`.
    pub fn count(&mut self, what: &str, number: usize) {
        let number = u64::try_from(number).unwrap_or(u64::MAX);
        let count = self.counts.entry(what.to_owned()).or_default();
        *count = count.saturating_add(number);
    }
}

/// What an event asks for beyond what is due.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[expect(clippy::struct_excessive_bools, reason = "each is a field of the event")]
pub struct Ask {
    /// A round although there was one today.
    pub now: bool,
    /// A listing of everything.
    pub full: bool,
    /// An end of all that is absent for the second time, however much that is.
    pub believe: bool,
    /// Nothing but that a round goes on which is under way, or the very first one begins.
    pub go_on: bool,
    /// The weekly review of this moment, and no part of a round.
    pub review: Option<Timestamp>,
}

impl Round {
    /// Whether a part has something left to do.
    pub fn is_under_way(&self) -> bool {
        Part::ALL.iter().any(|part| self.state(*part) == PartState::Open)
    }

    /// Whether all parts are done.
    pub fn is_complete(&self) -> bool {
        Part::ALL.iter().all(|part| self.state(*part) == PartState::Done)
    }

    /// Opens the parts again that have failed, and what stands on them.
    fn reopen(&mut self) {
        let has_failed = |part: &Part| self.state(*part) == PartState::Failed;
        if [Part::Enabled, Part::Listing].iter().any(has_failed) {
            let standing =
                [Part::Vanished, Part::Threat, Part::Ledger, Part::Reminders, Part::Figures];
            for part in standing {
                self.parts.remove(&part);
            }
        }
        for progress in self.parts.values_mut() {
            if progress.state == PartState::Failed {
                progress.state = PartState::Open;
            }
        }
    }

    /// How often a part has counted `what`.
    pub fn count(&self, part: Part, what: &str) -> u64 {
        let counts = self.parts.get(&part).map(|progress| &progress.counts);
        counts.and_then(|counts| counts.get(what)).copied().unwrap_or_default()
    }

    /// Whether it has had its time, and what it came for.
    fn is_overdue(&self, now: Timestamp) -> bool {
        let is_old = now.duration_since(self.began_at) >= ROUND_LENGTH;
        is_old && self.state(Part::Listing) != PartState::Open
    }

    /// Where a part stands.
    pub fn state(&self, part: Part) -> PartState {
        self.parts.get(&part).map_or(PartState::Open, |progress| progress.state)
    }
}

impl Rounds {
    /// Has a round under way, if one is due at `now` or asked for: goes on with the one that is, tries the parts again that
    /// failed today, or begins another. Returns it.
    pub fn set_out(&mut self, ask: Ask, now: Timestamp) -> Round {
        let round = match self.current.take() {
            Some(round) if ask.go_on || ask.review.is_some() => round,
            Some(round) if round.is_under_way() && !round.is_overdue(now) => round,
            Some(mut round) if !ask.now && !ask.full && is_same_day(round.began_at, now) => {
                round.reopen();
                round
            }
            _ => self.next(ask, now),
        };
        let mut round = round;
        round.believes_absence |= ask.believe;
        if self.listed_fully_at.is_none() && self.baseline.is_none() {
            self.baseline = Some(OwedMessage::new(round.began_at));
        }
        self.current = Some(round.clone());
        round
    }

    /// The round that begins now.
    fn next(&self, ask: Ask, now: Timestamp) -> Round {
        let is_older = |moment: Option<Timestamp>, age: SignedDuration| {
            moment.is_none_or(|moment| now.duration_since(moment) >= age)
        };
        let is_full = ask.full
            || is_older(self.listed_at, CHANGES_REACH)
            || is_older(self.listed_fully_at, FULL_EVERY);
        let before = |moment: Timestamp, time| moment.checked_sub(time).unwrap_or(moment);
        Round {
            began_at: now,
            changed_since: match self.listed_at {
                Some(listed) => before(listed, OVERLAP),
                // What had ended before anything was listed, and whose event was lost.
                None => before(now, CLOSED_FOR),
            },
            is_full,
            is_first: self.listed_fully_at.is_none(),
            believes_absence: ask.believe,
            parts: BTreeMap::new(),
        }
    }
}

/// The day of a moment, in UTC.
pub fn day(moment: Timestamp) -> Date {
    Offset::UTC.to_datetime(moment).date()
}

fn is_same_day(one: Timestamp, other: Timestamp) -> bool {
    day(one) == day(other)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(time: &str) -> Timestamp {
        time.parse().unwrap()
    }

    fn done(rounds: &mut Rounds, state: PartState) {
        let round = rounds.current.as_mut().unwrap();
        for part in Part::ALL {
            round.parts.entry(part).or_default().state = state;
        }
    }

    #[test]
    fn there_is_one_round_a_day_and_another_if_it_is_asked_for() {
        let mut rounds = Rounds::default();
        let mut began = |ask, time| {
            rounds.set_out(ask, at(time));
            let began_at = rounds.current.as_ref().unwrap().began_at;
            let is_begun = began_at == at(time);
            done(&mut rounds, PartState::Done);
            is_begun
        };
        assert!(began(Ask::default(), "2026-11-20T00:10:00Z"));
        assert!(!began(Ask::default(), "2026-11-20T23:10:00Z"));
        assert!(began(Ask { now: true, ..Ask::default() }, "2026-11-20T23:20:00Z"));
        assert!(!began(Ask { go_on: true, ..Ask::default() }, "2026-11-21T00:05:00Z"));
        assert!(began(Ask::default(), "2026-11-21T00:10:00Z"));
    }

    #[test]
    fn a_round_that_is_under_way_goes_on_even_into_the_next_day() {
        let mut rounds = Rounds::default();
        rounds.set_out(Ask::default(), at("2026-11-20T23:50:00Z"));
        let asked = Ask { now: true, full: true, ..Ask::default() };
        for ask in [Ask::default(), Ask { go_on: true, ..Ask::default() }, asked] {
            rounds.set_out(ask, at("2026-11-21T00:10:00Z"));
            assert_eq!(rounds.current.as_ref().unwrap().began_at, at("2026-11-20T23:50:00Z"));
        }
    }

    #[test]
    fn a_round_that_has_listed_everything_makes_room_for_the_next_after_a_day() {
        let began_next = |listing, ask, time| {
            let mut rounds = Rounds::default();
            rounds.set_out(Ask::default(), at("2026-11-20T00:10:00Z"));
            let round = rounds.current.as_mut().unwrap();
            round.parts.entry(Part::Listing).or_default().state = listing;
            rounds.set_out(ask, at(time)).began_at == at(time)
        };
        let daily = Ask::default();
        assert!(!began_next(PartState::Done, daily, "2026-11-20T23:10:00Z"));
        assert!(began_next(PartState::Done, daily, "2026-11-21T00:10:00Z"));
        assert!(!began_next(PartState::Open, daily, "2026-11-21T00:10:00Z"));
        let go_on = Ask { go_on: true, ..daily };
        assert!(!began_next(PartState::Done, go_on, "2026-11-21T00:10:00Z"));
    }

    #[test]
    fn what_failed_is_tried_again_the_same_day() {
        let mut rounds = Rounds::default();
        rounds.set_out(Ask::default(), at("2026-11-20T00:10:00Z"));
        done(&mut rounds, PartState::Failed);
        assert!(!rounds.current.as_ref().unwrap().is_under_way());
        rounds.set_out(Ask::default(), at("2026-11-20T01:10:00Z"));
        let round = rounds.current.unwrap();
        assert!(round.is_under_way() && round.began_at == at("2026-11-20T00:10:00Z"));
    }

    #[test]
    fn everything_is_listed_at_first_once_a_week_and_after_days_without_a_listing() {
        let since = |listed: Option<&str>, fully: Option<&str>| {
            let mut rounds = Rounds {
                listed_at: listed.map(at),
                listed_fully_at: fully.map(at),
                ..Rounds::default()
            };
            rounds.set_out(Ask::default(), at("2026-11-20T00:10:00Z"));
            let round = rounds.current.unwrap();
            (round.changed_since.to_string(), round.is_full, round.is_first)
        };
        let yesterday = Some("2026-11-19T00:10:00Z");
        assert_eq!(since(None, None), ("2026-10-21T00:10:00Z".to_owned(), true, true));
        let changed = "2026-11-18T23:10:00Z".to_owned();
        assert_eq!(since(yesterday, Some("2026-11-14T00:10:00Z")), (changed.clone(), false, false));
        assert_eq!(since(yesterday, Some("2026-11-13T00:10:00Z")), (changed, true, false));
        let long_ago = Some("2026-11-17T00:10:00Z");
        let changed = "2026-11-16T23:10:00Z".to_owned();
        assert_eq!(since(long_ago, long_ago), (changed, true, false));
    }
}
