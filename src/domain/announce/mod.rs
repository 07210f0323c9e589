//! Whether a finding gets a message of its own: how many messages there may be, which findings are one problem,
//! whether anybody listens, and how long a finding waits for a summary.

mod budget;
mod listeners;
mod problem;
mod turn;

pub use budget::{Bucket, Budget, Level};
pub use listeners::Listeners;
pub use problem::{Problem, problem_key, problems};
pub use turn::{SUMMARY_AFTER, turn};
