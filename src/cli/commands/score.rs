//! `score`: events in, scores out, line by line. No store, no network, no clock.

use std::io::{BufRead, BufWriter, Write};

use jiff::Timestamp;
use serde::Serialize;

use crate::{
    app::failure::BoxError,
    app::failure::Failure,
    cli::{Verdict, sent},
    domain::assess::{Deadlines, Policy, Priority, Reason, judge},
    render::{Language, reason},
};

/// Score events: NDJSON on stdin, one JSON object a line on stdout, in the same order.
///
/// What Inspector knows besides may stand beside a finding, as `intelligence`: what `aws inspector2
/// batch-get-finding-details` prints for it.
#[derive(Debug, clap::Args)]
pub struct Arguments {
    /// The rule for due dates: priority or bod-26-04.
    #[arg(long, value_name = "RULE", default_value_t)]
    deadlines: Deadlines,
}

/// A line of output.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Scored<'a> {
    finding_arn: &'a str,
    score: u8,
    priority: Priority,
    due_at: Option<Timestamp>,
    reasons: Vec<Said<'a>>,
}

#[derive(Serialize)]
struct Said<'a> {
    factor: &'a str,
    points: u8,
    text: String,
}

#[derive(Serialize)]
struct Refused {
    error: String,
}

/// Scores each line of `input` as of the event's own time. A line that cannot be read gives a line
/// that says why.
pub fn run(
    score: &Arguments,
    mut input: impl BufRead,
    output: &mut impl Write,
) -> Result<Verdict, BoxError> {
    let policy = Policy { deadlines: score.deadlines, ..Policy::default() };
    let mut output = BufWriter::with_capacity(1 << 16, output);
    let mut verdict = Verdict::Done;
    let mut line = Vec::new();
    loop {
        line.clear();
        if input.read_until(b'\n', &mut line)? == 0 {
            break;
        }
        if let Err(failure) = write_score(line.trim_ascii_end(), &policy, &mut output)? {
            verdict = Verdict::FoundWrong;
            serde_json::to_writer(&mut output, &Refused { error: failure.chain() })?;
        }
        output.write_all(b"\n")?;
    }
    output.flush()?;
    Ok(verdict)
}

/// Writes the score of one event, or gives the reason why there is none.
fn write_score(
    event: &[u8],
    policy: &Policy,
    output: &mut impl Write,
) -> Result<Result<(), Failure>, BoxError> {
    let (finding, threat) = match sent::finding(event) {
        Ok(sent) => sent,
        Err(failure) => return Ok(Err(failure)),
    };
    let now = finding.own_time();
    let assessment = judge(&finding, threat.as_ref(), policy, now);
    let said = |Reason { points, factor }: &Reason| Said {
        factor: factor.name(),
        points: *points,
        text: reason(factor, Language::En),
    };
    let scored = Scored {
        finding_arn: &finding.arn,
        score: assessment.score,
        priority: assessment.priority,
        due_at: assessment.due_at,
        reasons: assessment.reasons.iter().map(said).collect(),
    };
    serde_json::to_writer(output, &scored)?;
    Ok(Ok(()))
}
