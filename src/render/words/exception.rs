//! Exceptions in words. English, as the command line is.

use crate::domain::ledger::WhyEnded;

/// Why an exception does not cover a finding.
pub fn why_uncovered(why: WhyEnded) -> &'static str {
    match why {
        WhyEnded::Never => "the ledger allows none for this vulnerability",
        WhyEnded::KnownExploited => "CISA lists the vulnerability as exploited",
        WhyEnded::Exploit => "an exploit is known",
        WhyEnded::PriorityRaised => "it is more urgent than what was accepted",
        WhyEnded::FixAvailable => "there is a fix",
        WhyEnded::Expired => "its last day has passed",
        WhyEnded::NotBegun => "it has not begun",
        WhyEnded::Withdrawn => "it was taken out of the ledger, or changed",
        WhyEnded::Other => "it has ended",
    }
}
