//! What a ticket does not say yet.

use jiff::civil::Date;

use super::{MemberState, Standing, TicketFacts};
use crate::domain::{assess::Priority, record::Record};

/// What has become of a ticket's findings since it was last changed.
#[derive(Clone, Debug)]
pub struct News<'a> {
    /// Findings that stand otherwise than the ticket says, by what has become of them.
    pub changed: Vec<(Changed, Vec<&'a Record>)>,
    /// What else is other than the ticket says.
    pub facts: Vec<Change>,
}

/// What has become of a finding.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Changed {
    /// It is new.
    Joined,
    /// It is found again.
    Returned,
    /// No exception covers it any more.
    Uncovered,
    /// An exception covers it.
    Excepted,
    /// It is fixed.
    Fixed,
    /// Its resource is gone.
    Gone,
    /// It belongs to another ticket.
    Moved,
    /// Inspector does not look any more.
    Unobserved,
    /// A suppression rule hides it.
    Hidden,
    /// It has ended, and nobody knows how.
    Unknown,
}

/// What is other than a ticket says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Change {
    /// The highest class.
    Priority {
        /// What it says.
        from: Priority,
        /// What it is.
        to: Priority,
    },
    /// The day by which to act.
    Due {
        /// What it says.
        from: Option<Date>,
        /// What it is.
        to: Option<Date>,
    },
    /// CISA's catalogue has the vulnerability now.
    KnownExploited,
    /// An exploit is known now.
    Exploit,
    /// There is something to update to now.
    Fix,
}

impl<'a> News<'a> {
    /// What a ticket that says `told` does not say of `standing`.
    pub fn new(standing: &Standing<'a>, told: Option<&TicketFacts>) -> Self {
        let mut changed: Vec<(Changed, Vec<&'a Record>)> = Vec::new();
        for member in &standing.members {
            let Some(what) = Changed::between(member.told, member.state) else { continue };
            let Some(record) = member.record else { continue };
            // What the ticket does not follow any more may have been here before.
            let what = match what {
                Changed::Joined if record.opening > 1 => Changed::Returned,
                what => what,
            };
            match changed.iter_mut().find(|(other, _)| *other == what) {
                Some((_, records)) => records.push(record),
                None => changed.push((what, vec![record])),
            }
        }
        changed.sort_by_key(|(what, _)| *what);
        let facts = match (told, standing.facts()) {
            (Some(told), Some(is)) => changes(told, &is),
            _ => Vec::new(),
        };
        Self { changed, facts }
    }

    /// Whether there is nothing to say.
    pub fn is_empty(&self) -> bool {
        self.changed.is_empty() && self.facts.is_empty()
    }
}

impl Changed {
    fn between(told: Option<MemberState>, is: MemberState) -> Option<Self> {
        use MemberState::{Ended, Excepted, Fixed, Gone, Hidden, Moved, Open, Unknown, Unobserved};
        match (told, is) {
            _ if told == Some(is) => None,
            // Nobody was told that it was there.
            (None, Fixed | Gone | Moved) | (_, Ended) => None,
            (None, Open) => Some(Self::Joined),
            (Some(Excepted), Open) => Some(Self::Uncovered),
            (Some(_), Open) => Some(Self::Returned),
            (_, Excepted) => Some(Self::Excepted),
            (_, Fixed) => Some(Self::Fixed),
            (_, Gone) => Some(Self::Gone),
            (_, Moved) => Some(Self::Moved),
            (_, Unobserved) => Some(Self::Unobserved),
            (_, Hidden) => Some(Self::Hidden),
            (_, Unknown) => Some(Self::Unknown),
        }
    }
}

fn changes(told: &TicketFacts, is: &TicketFacts) -> Vec<Change> {
    let changes = [
        (told.priority != is.priority)
            .then_some(Change::Priority { from: told.priority, to: is.priority }),
        (told.due != is.due).then_some(Change::Due { from: told.due, to: is.due }),
        (is.known_exploited && !told.known_exploited).then_some(Change::KnownExploited),
        (is.exploit && !told.exploit).then_some(Change::Exploit),
        (is.fix && !told.fix).then_some(Change::Fix),
    ];
    changes.into_iter().flatten().collect()
}
