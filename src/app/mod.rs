//! In what order things are done, over ports to whatever does them.

mod attempt;
mod deliver;
pub mod evidence;
pub mod failure;
mod flush;
pub mod gate;
mod look;
mod ports;
mod reach;
pub mod review;
mod service;
mod survey;
pub mod tickets;
mod triage;

pub use attempt::{Attempt, CALL_TIMEOUT, Observation, TimeLimit};
pub use flush::{FlushFailed, FlushOutcome, FlushResult};
pub use ports::{
    Alerts, AnnouncedProblem, Archive, ArchivedObject, Audit, AuditRow, Clock, Details, Exceptions,
    FigureLog, FindingQuery, FindingSet, Found, Gaps, Images, Inspector, Leased, LedgerHead,
    Looked, Marked, Marking, Moved, NotAnswered, NotPublished, Noted, Page, Pending, Permit,
    PermitRequest, Publisher, PutInForce, Queue, REQUEST_TIMEOUT, REVIEWS, Records, Refreshed,
    Refusal, RoundLog, Summaries, SummaryLock, Sweep, TakenUp, Threats, TicketAt, TicketLog,
    TicketRow, Tracker, TrackerFailed, TrackerTurn, Trouble, Which, WriteOutcome,
};
pub use service::{Triage, TriageConfig};
pub use survey::Survey;
pub use triage::{Outcome, TriageResult};
