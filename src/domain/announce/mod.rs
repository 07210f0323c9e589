//! Whether a finding gets a message of its own: how many messages there may be, which findings are one problem, and
//! whether anybody listens.

mod budget;
mod listeners;
mod problem;

pub use budget::{Bucket, Budget, Level};
pub use listeners::Listeners;
pub use problem::{Problem, problem_key, problems};
