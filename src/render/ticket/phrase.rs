//! What tickets say, in words.

use jiff::civil::Date;

use crate::{
    domain::{
        assess::Priority,
        ticket::{Change, Changed},
    },
    render::{Language, view::Page, words::wording},
};

/// Something that a ticket says. What is a stranger's in it is harmless already.
pub(super) enum Phrase {
    /// How urgent it is.
    Urgency {
        /// The highest class of what is open.
        priority: Priority,
        /// The highest score.
        score: u8,
        /// By when to act.
        due: Option<Date>,
    },
    /// Whose it is.
    Owner(String),
    /// On how many resources it is open.
    Open(usize),
    /// On how many resources it is open at least.
    OpenAtLeast(usize),
    /// What an exception covers.
    Covered,
    /// Which exception, and its last day.
    CoveredBy {
        /// Its id.
        id: String,
        /// Its last day.
        until: Date,
    },
    /// What Inspector does not look at any more.
    NotLookedAt,
    /// What a suppression rule hides.
    Suppressed,
    /// What has ended, and is looked into.
    Ended,
    /// What has ended, and nobody knows how.
    EndUnknown,
    /// How many more there are.
    More(usize),
    /// The reasons for the score.
    Why,
    /// One of them.
    Points {
        /// What it adds to the score.
        points: u8,
        /// In words.
        reason: String,
    },
    /// The packages and commands.
    WhatToDo,
    /// The version that fixes a package.
    Fixed(String),
    /// That there is none.
    NoFix,
    /// That images are built anew.
    Rebuild,
    /// What to do without a fix.
    Mitigate,
    /// What the problem is.
    About,
    /// Pages.
    ReadOn,
    /// One of them.
    Link(Page),
    /// Who writes what in the ticket.
    Kept,
    /// What has become of some findings.
    Changed {
        /// What.
        what: Changed,
        /// Of how many.
        count: usize,
    },
    /// What else has changed.
    Fact(Change),
    /// That it is closed.
    Closed,
    /// The same, though something is open that belongs to another ticket.
    ClosedHere,
    /// That it could not be closed.
    NotClosed,
    /// That it is open again.
    Reopened,
    /// That it could not be opened again.
    NotReopened,
    /// That it was closed by hand while so many are open.
    StillOpen(usize),
}

wording! {
    fn worded<'a>(phrase: &'a Phrase) by "en/ticket.txt", "ja/ticket.txt"
}

impl Phrase {
    /// In words.
    pub fn in_words(&self, language: Language) -> String {
        worded(self, language).trim().to_owned()
    }
}
