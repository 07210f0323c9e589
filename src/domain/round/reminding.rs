//! The reminders of a day: which of its messages were told.

use std::collections::BTreeMap;

use jiff::{Timestamp, civil::Date};
use serde::{Deserialize, Serialize};

use super::{Rounds, day};
use crate::domain::record::Audience;

/// How often a message is begun at most. Who is killed after SNS has taken it and before that is noted says it once more,
/// and not again and again.
const MOST_TRIES: u8 = 2;

/// The reminders of a day.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Reminding {
    /// The moment as of which they are, whenever on that day they are told.
    pub at: Timestamp,
    /// The last day before it whose reminders were told. None if there was none.
    pub since: Option<Date>,
    /// Its messages that were begun, by whom they are for.
    pub messages: BTreeMap<String, Begun>,
    /// Whether all were told.
    pub is_done: bool,
}

/// A message that was begun.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Begun {
    /// Who has had it.
    pub told: Vec<Audience>,
    /// Who may have had it: how often it was begun to tell them.
    pub tries: BTreeMap<Audience, u8>,
    /// Whether the findings that it is about know of it.
    pub is_done: bool,
}

impl Begun {
    /// Begins to tell an audience. Returns whether it may be told, which it may not once too many were killed over it.
    pub fn begin(&mut self, audience: Audience) -> bool {
        let tries = self.tries.entry(audience).or_default();
        *tries += 1;
        *tries <= MOST_TRIES
    }

    /// Notes that an audience could not be told, and that this is known as far as a call can tell: it may be tried again.
    pub fn failed(&mut self, audience: Audience) {
        self.tries.remove(&audience);
    }
}

impl Rounds {
    /// The reminders of the day of `now`, none of which were told yet if it is a new one.
    pub fn reminding(&mut self, now: Timestamp) -> &mut Reminding {
        let reminding = match self.reminding.take() {
            Some(reminding) if day(reminding.at) >= day(now) => reminding,
            before => {
                let told = |one: Reminding| if one.is_done { Some(day(one.at)) } else { one.since };
                let since = before.and_then(told);
                Reminding { at: now, since, messages: BTreeMap::new(), is_done: false }
            }
        };
        self.reminding.insert(reminding)
    }

    /// The reminders of a day before that of `now` of which something was told, and of which findings do not know yet.
    pub fn reminding_left(&self, now: Timestamp) -> Option<&Reminding> {
        let is_left = |begun: &Begun| !begun.is_done && !begun.told.is_empty();
        self.reminding
            .as_ref()
            .filter(|one| day(one.at) < day(now) && !one.is_done)
            .filter(|one| one.messages.values().any(is_left))
    }
}
