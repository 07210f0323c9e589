//! Whether a finding gets a message of its own: how many messages there may be, and which findings
//! are one problem.

mod budget;
mod problem;

pub use budget::{Bucket, Budget, Level};
pub use problem::{Problem, problem_key, problems};
