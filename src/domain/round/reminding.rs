//! The reminders of a day: which of its messages were told.

use std::collections::BTreeMap;

use jiff::civil::Date;
use serde::{Deserialize, Serialize};

use super::Rounds;
use crate::domain::record::Audience;

/// How often a message is begun at most. Who is killed after SNS has taken it and before that is noted says it once more,
/// and not again and again.
const MOST_TRIES: u8 = 2;

/// The reminders of a day.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Reminding {
    /// The day, in UTC.
    pub day: Date,
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

    /// Notes that an audience could not be told, which is known: it may be tried again.
    pub fn failed(&mut self, audience: Audience) {
        self.tries.remove(&audience);
    }
}

impl Rounds {
    /// The reminders of `day`, none of which were told yet if it is a new one.
    pub fn reminding(&mut self, day: Date) -> &mut Reminding {
        let before = self.reminding.take();
        let reminding = match before {
            Some(reminding) if reminding.day >= day => reminding,
            before => {
                let since =
                    before.and_then(|one| if one.is_done { Some(one.day) } else { one.since });
                Reminding { day, since, messages: BTreeMap::new(), is_done: false }
            }
        };
        self.reminding.insert(reminding)
    }
}
