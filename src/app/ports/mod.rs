//! What triage needs of the world, a trait a need. Whoever implements one keeps to [`CALL_TIMEOUT`](super::CALL_TIMEOUT).
//!
//! If a call fails, whether it took effect is unknown, and it may be repeated.

mod alerts;
mod archive;
mod audit;
mod clock;
mod exceptions;
mod figures;
mod gaps;
mod images;
mod inspector;
mod publisher;
mod records;
mod rounds;
mod summaries;
mod threats;
mod tickets;
mod tracker;

pub use alerts::{Alerts, AnnouncedProblem, Leased, Marked, Marking, Permit, PermitRequest};
pub use archive::{Archive, ArchivedObject, REVIEWS};
pub use audit::{Audit, AuditRow};
pub use clock::Clock;
pub use exceptions::{Exceptions, LedgerHead, Looked, PutInForce};
pub use figures::FigureLog;
pub use gaps::Gaps;
pub use images::{Found, Images};
pub use inspector::{
    Details, FindingQuery, Inspector, NAMES_PER_CALL, NotAnswered, Page, Refusal, Which,
};
pub use publisher::{NotPublished, Publisher};
pub use records::{Records, Refreshed, Sweep, WriteOutcome};
pub use rounds::{FindingSet, Noted, RoundLog, TakenUp};
pub use summaries::{Pending, Queue, Summaries, SummaryLock};
pub use threats::Threats;
pub use tickets::{TicketLog, TicketRow, TrackerTurn};
pub use tracker::{Moved, REQUEST_TIMEOUT, TicketAt, Tracker, TrackerFailed, Trouble};
