//! Which way an event takes: the envelope.
//!
//! The ordinary case is read in one pass, with the envelope of `aws_lambda_events`. Only what that
//! does not take (a finding in API form, a strange date, something else altogether) is looked at
//! again, to be understood or to be refused with a reason.

use aws_lambda_events::event::eventbridge::EventBridgeEvent;
use jiff::Timestamp;
use serde_json::Value;

use crate::{
    app::failure::Failure,
    domain::{
        finding::{Envelope, Finding, Malformed, Oddity, date, is_on_demand, show},
        round::Ask,
        text,
    },
};

/// The detail-type and the source of the schedule's event.
pub const FLUSH: (&str, &str) = ("Triage Flush", "inspector-triage");
/// The detail-type and the source of the daily round's event.
pub const DAILY: (&str, &str) = ("Triage Daily", "inspector-triage");
/// The detail-type and the source of the weekly review's event.
pub const WEEKLY: (&str, &str) = ("Triage Weekly", "inspector-triage");
/// The detail-type of a finding on EventBridge.
pub const FINDING: &str = "Inspector2 Finding";
/// The source of the findings of an on-demand scan of a machine image, whose detail-type differs. Unlike those that begin
/// with `aws.`, anybody can send it: only findings of such scans are taken from it, and none of them from another.
pub const ON_DEMAND_SOURCE: &str = "inspector2.ami.ondemand";

/// An event that the function deals with.
#[derive(Clone, Debug)]
pub enum Event {
    /// A finding, to be triaged.
    Finding(Box<FindingEvent>),
    /// It is time to sum up what waits.
    Flush,
}

/// A finding, and what was odd about it.
#[derive(Clone, Debug)]
pub struct FindingEvent {
    /// The finding.
    pub finding: Finding,
    /// Optional fields that could not be understood.
    pub oddities: Vec<Oddity>,
}

/// Reads one event: a finding on EventBridge, a bare finding as `ListFindings` returns it, or the
/// schedule's.
///
/// # Errors
/// [`Failure::NotJson`], [`Failure::Malformed`] or [`Failure::Unsupported`].
pub fn read(event: &[u8]) -> Result<Event, Failure> {
    match serde_json::from_slice::<EventBridgeEvent>(event) {
        Ok(event) => {
            let sent_at = event.time.and_then(|time| {
                Timestamp::new(time.timestamp(), time.timestamp_subsec_nanos().cast_signed()).ok()
            });
            let envelope = Envelope { sent_at, region: event.region };
            sent(&event.detail_type, &event.source, Some(&event.detail), envelope, Vec::new())
        }
        Err(_) => read_again(event),
    }
}

/// What an event asks of the function `review`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scheduled {
    /// The daily round, and what beyond what is due.
    Daily(Ask),
    /// The weekly review of a moment.
    Weekly(Timestamp),
}

/// Reads an event of the function `review`, as of `now`.
///
/// # Errors
/// [`Failure::NotJson`], [`Failure::Malformed`] or [`Failure::NotScheduled`].
pub fn scheduled(event: &[u8], now: Timestamp) -> Result<Scheduled, Failure> {
    let event: Value = serde_json::from_slice(event).map_err(Failure::NotJson)?;
    let of = one_of(&event, &[DAILY, WEEKLY])?;
    let asks = |what| asks(&event, what);
    let asks_now = asks("now")?;
    if of == WEEKLY {
        // The same event once more is the same review.
        let sent_at = match event.get("time").filter(|time| !time.is_null() && !asks_now) {
            None => now,
            Some(time) => {
                date::read(time).ok_or_else(|| malformed("time", "a date", Some(time)))?
            }
        };
        return Ok(Scheduled::Weekly(sent_at.min(now)));
    }
    Ok(Scheduled::Daily(Ask {
        now: asks_now,
        full: asks("full")?,
        believe: asks("believeAbsence")?,
        go_on: asks("continue")?,
        review: None,
    }))
}

/// Which of the schedule's events it is: its detail-type and its source, which all of them share.
pub(super) fn one_of(
    event: &Value,
    known: &[(&'static str, &'static str)],
) -> Result<(&'static str, &'static str), Failure> {
    let word = |key: &'static str| {
        let word = event.get(key).and_then(Value::as_str);
        word.ok_or_else(|| malformed(key, "a string", event.get(key)))
    };
    let is = (word("detail-type")?, word("source")?);
    known.iter().copied().find(|of| *of == is).ok_or_else(|| {
        let types: Vec<String> = known.iter().map(|(known, _)| format!("\"{known}\"")).collect();
        let source = known.first().map_or("", |(_, source)| source);
        Failure::NotScheduled {
            detail_type: text::short(is.0, 60),
            from: text::short(is.1, 60),
            expected: format!("{} from source \"{source}\"", types.join(" or ")),
        }
    })
}

/// Whether an event of the schedule asks for something in its detail.
pub(super) fn asks(event: &Value, what: &str) -> Result<bool, Malformed> {
    match event.get("detail").and_then(|detail| detail.get(what)) {
        None | Some(Value::Null) => Ok(false),
        Some(Value::Bool(asked)) => Ok(*asked),
        other => Err(malformed(&format!("detail.{what}"), "true or false", other)),
    }
}

/// Reads one finding.
///
/// # Errors
/// As [`read`]; [`Failure::Unsupported`] also for the schedule's event.
pub fn finding(event: &[u8]) -> Result<FindingEvent, Failure> {
    match read(event)? {
        Event::Finding(sent) => Ok(*sent),
        Event::Flush => Err(unsupported(FLUSH.0, FLUSH.1)),
    }
}

/// Reads an event whose envelope is not as AWS documents it.
fn read_again(event: &[u8]) -> Result<Event, Failure> {
    let event: Value = serde_json::from_slice(event).map_err(Failure::NotJson)?;
    let Some(object) = event.as_object() else {
        return Err(Failure::Malformed(malformed("event", "an object", Some(&event))));
    };
    let word = |key: &str| object.get(key).and_then(Value::as_str);

    if word("detail-type").is_none() && object.contains_key("findingArn") {
        let (finding, oddities) = Finding::read(&event, "", Envelope::default())?;
        return Ok(Event::Finding(Box::new(FindingEvent { finding, oddities })));
    }
    let required =
        |key: &'static str| word(key).ok_or_else(|| malformed(key, "a string", object.get(key)));
    let (detail_type, source) = (required("detail-type")?, required("source")?);
    let time = object.get("time").filter(|time| !time.is_null());
    let sent_at = time.and_then(date::read);
    let odd =
        time.filter(|_| sent_at.is_none()).map(|time| malformed("time", "a date", Some(time)));
    let envelope = Envelope { sent_at, region: word("region").map(str::to_owned) };
    sent(detail_type, source, object.get("detail"), envelope, Vec::from_iter(odd))
}

fn sent(
    detail_type: &str,
    source: &str,
    detail: Option<&Value>,
    envelope: Envelope,
    mut oddities: Vec<Oddity>,
) -> Result<Event, Failure> {
    if (detail_type, source) == FLUSH {
        return Ok(Event::Flush);
    }
    if detail_type != FINDING && source != ON_DEMAND_SOURCE {
        return Err(unsupported(detail_type, source));
    }
    let detail = detail.ok_or_else(|| malformed("detail", "an object", None))?;
    let (finding, more) = Finding::read(detail, "detail", envelope)?;
    if is_on_demand(&finding.arn) != (source == ON_DEMAND_SOURCE) {
        let (from, arn) = (text::short(source, 60), text::line(&finding.arn));
        return Err(Failure::Forged { from, arn });
    }
    oddities.extend(more);
    Ok(Event::Finding(Box::new(FindingEvent { finding, oddities })))
}

fn unsupported(detail_type: &str, source: &str) -> Failure {
    Failure::Unsupported {
        detail_type: text::short(detail_type, 60),
        from: text::short(source, 60),
    }
}

pub(super) fn malformed(path: &str, expected: &'static str, found: Option<&Value>) -> Malformed {
    Malformed { path: path.to_owned(), expected, found: show(found) }
}
