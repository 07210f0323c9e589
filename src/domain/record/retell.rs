//! A record that people are to be told of once more.

use jiff::Timestamp;

use super::{Audience, PartialDelivery, Record};

impl Record {
    /// The record as one of which people were told at `since` or later, and of which `audience` (or everybody) is to be
    /// told again; `None` if there is nothing to tell again: it has ended, an exception covers it, or it was not told since then.
    ///
    /// It waits since it was told, so that the next flush has it.
    pub fn untold_since(&self, since: Timestamp, audience: Option<Audience>) -> Option<Self> {
        if !self.is_open() || self.exception().is_some() {
            return None;
        }
        let is_recent = |at: &Timestamp| *at >= since;
        let is_meant = |heard: &Audience| audience.is_none_or(|audience| audience == *heard);
        let (at, partial_delivery) = match (&self.announced, &self.partial_delivery) {
            // The newest that some have heard, and not those others.
            (_, Some(partly)) if partly.to.iter().any(is_meant) => {
                let at = partly.at.filter(is_recent)?;
                let to = partly.to.iter().copied().filter(|heard| !is_meant(heard)).collect();
                (at, PartialDelivery { to, ..partly.clone() })
            }
            (Some(told), None) => {
                let to = Audience::ALL.into_iter().filter(|heard| !is_meant(heard)).collect();
                let (facts, opening) = (told.facts.clone(), told.opening);
                let at = Some(told.at).filter(is_recent)?;
                (at, PartialDelivery { facts, opening, to, alone: false, at: Some(at) })
            }
            _ => return None,
        };
        let partial_delivery = Some(partial_delivery).filter(|partly| !partly.to.is_empty());
        let pending_since = self.pending_since.or(Some(at));
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

        // Chat was told, and e-mail heard it in vain.
        let partly = record.delivery(AlertReason::New, &all[..1], &all, at, true);
        let partly = record.clone().with_delivery(&partly, at);
        let again = partly.untold_since(at, Some(Audience::Email)).unwrap();
        assert_eq!(again.not_delivered_to(&all), all);
        assert_eq!(partly.untold_since(at, Some(Audience::Chat)), None);

        let second = jiff::SignedDuration::from_secs(1);
        assert_eq!(told.untold_since(at + second, None), None);
        assert_eq!(record.untold_since(at, None), None, "it was never told");
    }
}
