//! A quarter of many findings, as the functions leave it in the table.
//!
//! The first round finds all of them. Later one in three is closed, with its resource gone; then half of these come back, and
//! people are told of them. Reviews of the week are made in between, and people are reminded of what is overdue. So a finding has
//! a row, and three to six of history.

use inspector_triage::{
    adapters::{
        dynamodb::DynamoDb,
        inspector2::Inspector2,
        s3::S3,
        sns::{Sns, Topics},
    },
    app::{
        Attempt, Audit, FlushOutcome, Triage, TriageConfig,
        failure::BoxError,
        review::{Review, RoundOutcome, RoundResult},
    },
    domain::{finding::Scope, round::Part},
    emulator::{self, Emulator},
    lambda::{self, FunctionError, Response, settings::HISTORY_DAYS},
};
use jiff::{SignedDuration, Timestamp, civil::Date};
use serde_json::{Value, json};

use crate::common;

/// The first day of the quarter, and the last.
pub const DAYS: [Date; 2] = [Date::constant(2027, 1, 1), Date::constant(2027, 3, 31)];
/// From when the evidence looks back at it.
pub const NOW: &str = "2027-04-01T12:00:00Z";

/// One in so many findings is closed.
const CLOSED: usize = 3;
/// One in so many comes back after that.
const BACK: usize = 6;
/// Calls to Inspector a second: as many as there are.
const RATE: f64 = 1000.0;
/// How often people are told at most until they know of all that came back: 2,000 findings or more each time.
const FLUSHES: usize = 1000;

const DAILY: &str = r#"{"source": "inspector-triage", "detail-type": "Triage Daily"}"#;
const FLUSH: &str = r#"{"source": "inspector-triage", "detail-type": "Triage Flush"}"#;

/// The functions, and what they ask.
struct Quarter<'a> {
    emulator: &'a Emulator,
    review: Review<DynamoDb, Sns, Inspector2, S3>,
}

/// Fills the table with a quarter of so many findings. Returns how many rows it has then.
///
/// # Errors
/// A function did not do what it should.
pub async fn fill(emulator: &Emulator, findings: usize) -> Result<u64, BoxError> {
    let quarter = Quarter { emulator, review: review(emulator) };
    quarter.pass(findings).await?;
    // They need not be kept while the evidence is given.
    emulator.inspector.fleet().findings = Vec::new();
    let mut rows = 0;
    let counted = quarter.review.triage.store.each_row(NOW.parse()?, |_| rows += 1).await;
    counted.map_err(|failed| format!("the rows cannot be counted: {failed}"))?;
    Ok(rows)
}

/// The function `review`, as it is deployed, but for the rate.
fn review(emulator: &Emulator) -> Review<DynamoDb, Sns, Inspector2, S3> {
    let topics = Topics { email: emulator::TOPIC.to_owned(), chat: None, data: None };
    let store = DynamoDb::new(emulator.dynamodb(), emulator::TABLE.to_owned(), HISTORY_DAYS);
    let sns = Sns::new(emulator.sns(), topics);
    Review {
        triage: Triage::new(store, sns, TriageConfig::default()),
        inspector: Inspector2::new(emulator.inspector2(), RATE),
        archive: S3::new(emulator.s3(), None),
        scope: Scope::default(),
        own_functions: Vec::new(),
    }
}

/// Finding number `number`, first observed a second after the one before: all of them well before the quarter.
fn listed(number: usize) -> Value {
    let seconds = u32::try_from(number).expect("few");
    let mut finding = common::listed(number);
    finding["firstObservedAt"] = json!(common::OBSERVED_AT + f64::from(seconds));
    finding
}

impl Quarter<'_> {
    async fn pass(&self, findings: usize) -> Result<(), BoxError> {
        self.emulator.inspector.fleet().findings = (0..findings).map(listed).collect();
        let round = self.daily("2027-01-02T00:10:00Z").await?;
        expect(&round, Part::Listing, "new", findings)?;
        self.weekly("2027-01-04T07:00:00Z").await?;

        self.change(CLOSED, "CLOSED", "2027-02-01T12:00:00Z")?;
        let round = self.daily("2027-02-02T00:10:00Z").await?;
        expect(&round, Part::Vanished, "explained", findings.div_ceil(CLOSED))?;
        self.weekly("2027-02-08T07:00:00Z").await?;

        self.change(BACK, "ACTIVE", "2027-03-01T12:00:00Z")?;
        let round = self.daily("2027-03-02T00:10:00Z").await?;
        let open = findings - findings.div_ceil(CLOSED) + findings.div_ceil(BACK);
        expect(&round, Part::Figures, "open", open)?;
        self.tell("2027-03-02T01:10:00Z", findings.div_ceil(BACK)).await?;
        self.weekly("2027-03-08T07:00:00Z").await?;
        self.daily("2027-03-31T00:10:00Z").await?;
        Ok(())
    }

    /// Has Inspector change the status of one in so many findings.
    fn change(&self, one_in: usize, status: &str, at: &str) -> Result<(), BoxError> {
        let at = at.parse::<Timestamp>()?.as_second();
        for finding in self.emulator.inspector.fleet().findings.iter_mut().step_by(one_in) {
            finding["status"] = json!(status);
            finding["updatedAt"] = json!(at);
        }
        Ok(())
    }

    async fn daily(&self, at: &str) -> Result<RoundResult, BoxError> {
        self.handle(DAILY, at).await
    }

    async fn weekly(&self, at: &str) -> Result<RoundResult, BoxError> {
        let event =
            json!({"source": "inspector-triage", "detail-type": "Triage Weekly", "time": at});
        self.handle(&event.to_string(), at).await
    }

    /// Handles an event of the function `review` at a time.
    async fn handle(&self, event: &str, at: &str) -> Result<RoundResult, BoxError> {
        let attempt = Attempt::new(at, at.parse()?);
        let handled = Box::pin(lambda::handle_daily(&self.review, event.as_bytes(), attempt)).await;
        let result = handled.map_err(|failed| not_done(at, &failed))?;
        let has_failed = result.parts.values().any(|counts| counts.contains_key("failed"));
        if result.outcome != RoundOutcome::Done || has_failed {
            return Err(format!("not all was done at {at}: {result:?}").into());
        }
        Ok(result)
    }

    /// Tells people of all that waits, from a time on: of so many findings.
    async fn tell(&self, from: &str, findings: usize) -> Result<(), BoxError> {
        let (mut now, mut told): (Timestamp, usize) = (from.parse()?, 0);
        for _ in 0..FLUSHES {
            let name = now.to_string();
            let attempt = Attempt::new(&name, now);
            match lambda::handle(&self.review.triage, FLUSH.as_bytes(), attempt).await {
                Ok(Response::Flush(flushed)) if flushed.outcome == FlushOutcome::Flushed => {
                    told += flushed.findings;
                }
                Ok(_) => break,
                Err(failed) => return Err(not_done(&name, &failed)),
            }
            now += SignedDuration::from_mins(5);
        }
        if told != findings {
            return Err(format!("people were told of {told} findings instead of {findings}").into());
        }
        Ok(())
    }
}

fn not_done(at: &str, failed: &FunctionError) -> BoxError {
    format!("what was due at {at} failed: {failed:?}").into()
}

/// Whether a part of a round counted so many of `what`.
fn expect(round: &RoundResult, part: Part, what: &str, number: usize) -> Result<(), BoxError> {
    let counted = round.parts.get(&part).and_then(|counts| counts.get(what)).copied();
    if counted != Some(u64::try_from(number)?) {
        let part = part.as_str();
        return Err(format!("{part} {what}: not {number} findings were counted: {round:?}").into());
    }
    Ok(())
}
