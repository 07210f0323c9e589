//! All that is remembered, read for whoever has to give evidence of it.

use jiff::{SignedDuration, Timestamp};

use super::LedgerHead;
use crate::{
    app::failure::CallFailed,
    domain::{
        coverage::{Gap, PastGap},
        evidence::{Day, Moment, Unread},
        ledger::Exception,
        record::Record,
        review::Review,
    },
};

/// Where everything is kept.
pub trait Audit {
    /// Gives every row to `each`, in no order, but those that have expired by `now`. A row that changes meanwhile comes as it is
    /// or as it was.
    fn each_row(
        &self,
        now: Timestamp,
        each: impl FnMut(AuditRow) + Send,
    ) -> impl Future<Output = Result<(), CallFailed>> + Send;
}

/// A row of the table.
#[derive(Clone, Debug)]
pub enum AuditRow {
    /// A finding.
    Finding(Box<Record>),
    /// What became of the finding with this ARN, and for how long such rows are kept.
    Moment(String, Box<Moment>, Option<SignedDuration>),
    /// That people were told of the finding with this ARN.
    Told(String, Timestamp),
    /// A day, and for how long such rows are kept.
    Day(Box<Day>, SignedDuration),
    /// A review.
    Review(Box<Review>),
    /// What is not looked at.
    Gap(Gap),
    /// What was not.
    PastGap(PastGap),
    /// The ledger that is in force.
    InForce(LedgerHead),
    /// A ledger that was put in force.
    Applied(LedgerHead),
    /// Exceptions of the ledger with this digest. One may be in several rows.
    Exceptions(String, Vec<Exception>),
    /// Something that no evidence needs.
    Beside,
    /// Something that cannot be read.
    Unread(Unread),
}
