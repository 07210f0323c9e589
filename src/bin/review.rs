//! The Lambda function for the daily round.

use std::io;

use inspector_triage::lambda::{self, ReviewFunction};
use jiff::Timestamp;

#[expect(clippy::disallowed_methods, reason = "here the clock and the environment come in")]
#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), lambda_runtime::Error> {
    let lookup = |name: &str| std::env::var(name).ok();
    lambda::run::<ReviewFunction, _>(lookup, Timestamp::now, io::stdout).await
}
