//! Who has heard of a finding, and who may tell it now.

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use super::{AlertReason, Decision, Facts, Record, decide};

/// What people were last told about a finding.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Announcement {
    /// When.
    pub at: Timestamp,
    /// Why.
    pub why: AlertReason,
    /// The facts at that time.
    pub facts: Facts,
    /// Which opening of the finding it was about.
    pub opening: u32,
}

/// Those who are told, each over a topic of their own.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Audience {
    /// People who read e-mail.
    Email,
    /// A channel of a chat, through Amazon Q Developer.
    Chat,
    /// Programs.
    Data,
}

impl Audience {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Email, Self::Chat, Self::Data];

    /// The audience as one word.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Email => "email",
            Self::Chat => "chat",
            Self::Data => "data",
        }
    }
}

/// An announcement that some have heard and others have not.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct PartialDelivery {
    /// What was told.
    pub facts: Facts,
    /// Which opening of the finding it was about.
    pub opening: u32,
    /// Who has heard.
    pub to: Vec<Audience>,
    /// Whether in a message of its own, which took a token.
    pub alone: bool,
    /// When the last of them heard it; `None` in rows of before there was this field.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub at: Option<Timestamp>,
}

/// Who has heard of a finding, after an announcement.
#[derive(Clone, Debug, PartialEq)]
pub enum Delivery {
    /// Everybody.
    Complete(Announcement),
    /// Some.
    Partial(PartialDelivery),
    /// Nobody, so that there is nothing to remember.
    None,
}

/// The right to announce a finding, until it runs out.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Lease {
    /// Who holds it: one attempt of one invocation.
    pub holder: String,
    /// Until when. Then the holder has surely ended.
    pub until: Timestamp,
}

impl Lease {
    /// How long an announcement may take: longer than the function may run, shorter than the
    /// minute that Lambda waits before it tries again.
    pub const LENGTH: SignedDuration = SignedDuration::from_secs(45);

    /// A lease for `holder` from `now` on.
    pub fn new(holder: &str, now: Timestamp) -> Self {
        Self { holder: holder.to_owned(), until: now.saturating_add(Self::LENGTH).unwrap_or(now) }
    }
}

impl Record {
    /// Who has already heard what there is to tell, if not all have.
    pub fn delivered_to(&self) -> &[Audience] {
        match &self.partial_delivery {
            Some(told)
                if told.opening == self.opening
                    && self.facts().news_since(&told.facts).is_none()
                    && self.ended_exception(told.at).is_none() =>
            {
                &told.to
            }
            _ => &[],
        }
    }

    /// Whether all that there is to tell is that its priority rose, and nobody has heard of that yet.
    pub fn waits_for_its_rise(&self) -> bool {
        let priority = self.priority();
        let is_all = |told: &Announcement| {
            let told = Facts { priority, ..told.facts.clone() };
            self.facts().news_since(&told).is_none()
        };
        decide(self) == Decision::Alert(AlertReason::PriorityRaised)
            && self.delivered_to().is_empty()
            && self.announced.as_ref().is_some_and(is_all)
    }

    /// The record, with its rise counted as told at `at`, if that is all that there is to tell: somebody owes a message about it.
    #[must_use]
    pub fn with_its_rise_told(self, at: Timestamp) -> Self {
        // What was told since then has a time of its own.
        let is_before = self.announced.as_ref().is_some_and(|told| told.at <= at);
        if !is_before || !self.waits_for_its_rise() {
            return self;
        }
        let (facts, opening) = (self.facts(), self.opening);
        let told = Announcement { at, why: AlertReason::PriorityRaised, facts, opening };
        let seen_at = self.last_seen_at;
        self.with_delivery(&Delivery::Complete(told), seen_at)
    }

    /// Those of `audiences` that have not heard yet what there is to tell.
    pub fn not_delivered_to(&self, audiences: &[Audience]) -> Vec<Audience> {
        let delivered_to = self.delivered_to();
        audiences.iter().copied().filter(|audience| !delivered_to.contains(audience)).collect()
    }

    /// Whether some have heard what there is to tell in a message of its own, and others have not.
    pub fn token_is_spent(&self) -> bool {
        !self.delivered_to().is_empty()
            && self.partial_delivery.as_ref().is_some_and(|told| told.alone)
    }

    /// What is to be remembered after `to` have heard `why` at `at`, in addition to who has
    /// already, out of `all`; in a message about this finding `alone`, or in a summary.
    pub fn delivery(
        &self,
        why: AlertReason,
        to: &[Audience],
        all: &[Audience],
        at: Timestamp,
        alone: bool,
    ) -> Delivery {
        let mut heard = self.delivered_to().to_vec();
        heard.extend(to);
        let facts = self.facts();
        // An attempt counts from its beginning, and may know of an exception that has ended since then.
        let ended = self.excepted.as_ref().and_then(|excepted| excepted.ended);
        let at = ended.map_or(at, |ended| ended.at.max(at));
        if heard.is_empty() {
            // Also where there is nobody to be told: what nobody heard was not told.
            Delivery::None
        } else if all.iter().all(|audience| heard.contains(audience)) {
            Delivery::Complete(Announcement { at, why, facts, opening: self.opening })
        } else {
            let (opening, at) = (self.opening, Some(at));
            Delivery::Partial(PartialDelivery { facts, opening, to: heard, alone, at })
        }
    }

    /// The record after a delivery at `at`, still waiting if there is more to announce.
    #[must_use]
    pub fn with_delivery(mut self, told: &Delivery, at: Timestamp) -> Self {
        match told {
            Delivery::Complete(announced) => {
                self.announced = Some(announced.clone());
                self.partial_delivery = None;
            }
            Delivery::Partial(partly) => self.partial_delivery = Some(partly.clone()),
            Delivery::None => {}
        }
        self.waiting(at)
    }
}
