//! A record that people are to be told of once more.

use jiff::Timestamp;

use super::{Audience, PartialDelivery, Record};

impl Record {
    /// The record as one of which people were told at `since` or later, and of which `audience` (or everybody) is to be
    /// told again; `None` if there is nothing to tell again: it has ended, or was not told since then.
    ///
    /// It waits since it was told, so that the next flush has it.
    pub fn untold_since(&self, since: Timestamp, audience: Option<Audience>) -> Option<Self> {
        let told = self.announced.as_ref().filter(|told| told.at >= since && self.is_open())?;
        let others = |audience| Audience::ALL.into_iter().filter(move |other| *other != audience);
        let partial_delivery = audience.map(|audience| PartialDelivery {
            facts: told.facts.clone(),
            opening: told.opening,
            to: others(audience).collect(),
            alone: false,
        });
        let pending_since = self.pending_since.or(Some(told.at));
        Some(Self { announced: None, partial_delivery, pending_since, ..self.clone() })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::{
        finding::sample,
        record::{AlertReason, Decision, decide, sample::record},
    };

    #[test]
    fn what_was_told_since_then_waits_for_whom_it_did_not_reach() {
        let record = record(sample::finding());
        let at = record.last_seen_at;
        let all = [Audience::Email, Audience::Chat];
        let told = record.delivery(AlertReason::New, &all, &all, at, true);
        let told = record.clone().with_delivery(&told, at);

        let again = told.untold_since(at, Some(Audience::Email)).unwrap();
        assert_eq!(decide(&again), Decision::Alert(AlertReason::New));
        assert_eq!(again.not_delivered_to(&all), [Audience::Email]);
        assert_eq!(again.pending_since, Some(at));
        let again = told.untold_since(at, None).unwrap();
        assert_eq!(again.not_delivered_to(&all), all);

        let second = jiff::SignedDuration::from_secs(1);
        assert_eq!(told.untold_since(at + second, None), None);
        assert_eq!(record.untold_since(at, None), None, "it was never told");
    }
}
