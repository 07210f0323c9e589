//! The Lambda function for tickets.

use std::io;

use inspector_triage::lambda::{self, TicketsFunction};
use jiff::Timestamp;

#[expect(clippy::disallowed_methods, reason = "here the clock and the environment come in")]
#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), lambda_runtime::Error> {
    let lookup = |name: &str| std::env::var(name).ok();
    lambda::run::<TicketsFunction, _>(lookup, Timestamp::now, io::stdout).await
}
