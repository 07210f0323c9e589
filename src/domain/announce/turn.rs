//! When it is the turn of a finding that waits for a summary. Pure.

use jiff::{SignedDuration, Timestamp};

use crate::domain::{assess::Priority, record::Record};

/// How long what is not urgent waits for a summary, by default.
pub const SUMMARY_AFTER: SignedDuration = SignedDuration::from_mins(60);

/// When a record that waits is to be told at the latest; `None` if it does not wait.
///
/// P1 and P2 that found no token go with the next flush. P3, P4 and further resources of a problem that people know
/// (`is_known`) wait for `summary_after`, so that what is no news does not come every five minutes. What some have heard
/// already (it waits for an audience that could not be told) does not wait any longer.
pub fn turn(record: &Record, is_known: bool, summary_after: SignedDuration) -> Option<Timestamp> {
    let since = record.pending_since?;
    if !record.delivered_to().is_empty() {
        return Some(
            record.partial_delivery.as_ref().and_then(|partly| partly.at).unwrap_or(since),
        );
    }
    let is_urgent = record.priority() >= Priority::P2 && !is_known;
    let waits = if is_urgent { SignedDuration::ZERO } else { summary_after };
    Some(since.saturating_add(waits).unwrap_or(since))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::{
        finding::sample,
        record::{AlertReason, Audience, Record, sample::record},
    };

    #[test]
    fn what_is_urgent_and_no_repetition_goes_with_the_next_flush() {
        let waits = |record: &Record, is_known: bool| {
            let since = record.pending_since.unwrap();
            turn(record, is_known, SUMMARY_AFTER).unwrap().duration_since(since).as_secs() / 60
        };
        let of = |priority: Priority| {
            let mut record = record(sample::finding());
            record.by_event.priority = priority;
            record
        };
        assert_eq!(Priority::ALL.map(|priority| waits(&of(priority), false)), [0, 0, 60, 60]);
        assert_eq!(Priority::ALL.map(|priority| waits(&of(priority), true)), [60; 4]);

        let partly = of(Priority::P4);
        let all = [Audience::Email, Audience::Data];
        let now = partly.last_seen_at;
        let delivery = partly.delivery(AlertReason::New, &all[..1], &all, now, false);
        assert_eq!(waits(&partly.with_delivery(&delivery, now), true), 0);
        assert_eq!(
            turn(&Record { pending_since: None, ..of(Priority::P1) }, false, SUMMARY_AFTER),
            None
        );
    }
}
