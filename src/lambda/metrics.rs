//! What CloudWatch counts and measures: a line of JSON for each invocation, in the
//! [embedded metric format](https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/CloudWatch_Embedded_Metric_Format_Specification.html).
//!
//! It costs no call and no permission: CloudWatch Logs takes the numbers out of the line.

use std::{
    collections::BTreeMap,
    io::{self, Write},
};

use jiff::{SignedDuration, Timestamp};
use serde_json::{Map, Value, json};

use crate::{
    adapters::calls::CallTime,
    app::{Observation, Outcome, failure::Failure},
    domain::assess::Priority,
};

/// The namespace of the metrics.
pub const NAMESPACE: &str = "InspectorTriage";

/// A metric.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Metric {
    /// Findings that came in and were dealt with, by `outcome` and `priority`.
    Findings,
    /// Invocations that failed, by `failure`, the kind of failure.
    Failures,
    /// Announcements: of a finding alone, or a summary.
    Announcements,
    /// From Inspector's own change of a finding (`updatedAt`) to its announcement.
    AnnouncementDelay,
    /// Flushes that were done. None for a while means that nobody sums up.
    Flushes,
    /// Findings that a flush found waiting.
    Pending,
    /// For how long the oldest of them had waited.
    OldestPendingAge,
    /// Whether somebody listens to an `audience`, 1 or 0: asked at each flush, and by each new environment.
    Listeners,
    /// Messages or summaries that an `audience` could not be told.
    AudienceFailures,
    /// A call to DynamoDB, with its repetitions.
    DynamoDbLatency,
    /// A call to SNS, with its repetitions.
    SnsLatency,
    /// Daily rounds that became complete.
    Rounds,
    /// Parts of a daily round that could not be done, by `part`.
    PartFailures,
    /// Accounts and kinds of scans that a daily round found switched off and the one before had found on.
    SwitchedOff,
    /// Open findings of an account that are so many of those that complete listings lack that none was ended by it.
    DoubtedAbsences,
    /// Judgements by a ledger that has an exception that was to be reviewed before.
    LedgerReviewDue,
    /// A call to Inspector, each repetition for itself.
    InspectorLatency,
    /// What was done to tickets, by `change`: opened, changed, commented, closed, reopened.
    Tickets,
    /// What could not be done to tickets, by `failure`, the kind of failure.
    TicketFailures,
    /// Answers of the tracker that it does not take the token, or that the token may not do that: 401 and 403.
    TrackerRefusals,
    /// For how long the ticket that waits longest has waited past its turn; 0 if none does.
    OldestTicketAge,
    /// A call to the tracker.
    TrackerLatency,
}

impl Metric {
    /// All of them.
    pub const ALL: [Self; 22] = [
        Self::Findings,
        Self::Failures,
        Self::Announcements,
        Self::AnnouncementDelay,
        Self::Flushes,
        Self::Pending,
        Self::OldestPendingAge,
        Self::Listeners,
        Self::AudienceFailures,
        Self::DynamoDbLatency,
        Self::SnsLatency,
        Self::Rounds,
        Self::PartFailures,
        Self::SwitchedOff,
        Self::DoubtedAbsences,
        Self::LedgerReviewDue,
        Self::InspectorLatency,
        Self::Tickets,
        Self::TicketFailures,
        Self::TrackerRefusals,
        Self::OldestTicketAge,
        Self::TrackerLatency,
    ];

    /// Its name in CloudWatch.
    pub fn name(self) -> &'static str {
        match self {
            Self::Findings => "Findings",
            Self::Failures => "Failures",
            Self::Announcements => "Announcements",
            Self::AnnouncementDelay => "AnnouncementDelay",
            Self::Flushes => "Flushes",
            Self::Pending => "Pending",
            Self::OldestPendingAge => "OldestPendingAge",
            Self::Listeners => "Listeners",
            Self::AudienceFailures => "AudienceFailures",
            Self::DynamoDbLatency => "DynamoDBLatency",
            Self::SnsLatency => "SNSLatency",
            Self::Rounds => "Rounds",
            Self::PartFailures => "PartFailures",
            Self::SwitchedOff => "SwitchedOff",
            Self::DoubtedAbsences => "DoubtedAbsences",
            Self::LedgerReviewDue => "LedgerReviewDue",
            Self::InspectorLatency => "InspectorLatency",
            Self::Tickets => "Tickets",
            Self::TicketFailures => "TicketFailures",
            Self::TrackerRefusals => "TrackerRefusals",
            Self::OldestTicketAge => "OldestTicketAge",
            Self::TrackerLatency => "TrackerLatency",
        }
    }

    fn unit(self) -> &'static str {
        match self {
            Self::AnnouncementDelay | Self::OldestPendingAge | Self::OldestTicketAge => "Seconds",
            Self::DynamoDbLatency
            | Self::SnsLatency
            | Self::InspectorLatency
            | Self::TrackerLatency => "Milliseconds",
            _ => "Count",
        }
    }

    /// What it is divided by, beside the function's name.
    pub fn dimensions(self) -> &'static [&'static str] {
        match self {
            Self::Findings => &["outcome", "priority"],
            Self::Failures | Self::TicketFailures => &["failure"],
            Self::Listeners | Self::AudienceFailures => &["audience"],
            Self::PartFailures => &["part"],
            Self::Tickets => &["change"],
            _ => &[],
        }
    }

    /// The latency of a service.
    fn latency(service: &str) -> Option<Self> {
        match service {
            "DynamoDB" => Some(Self::DynamoDbLatency),
            "SNS" => Some(Self::SnsLatency),
            "Inspector2" => Some(Self::InspectorLatency),
            "Tracker" => Some(Self::TrackerLatency),
            _ => None,
        }
    }
}

/// A response that the metrics count.
pub trait Measure {
    /// Adds what is to be counted.
    fn measure(&self, measurements: &mut Measurements);
}

/// What is measured of one invocation.
#[derive(Debug, Default)]
pub struct Measurements {
    all: Values,
    dimensions: Dimensions,
    /// By one dimension, such as `audience`, and its value.
    by: BTreeMap<(&'static str, &'static str), Values>,
    waiting: usize,
    oldest: i64,
}

type Values = BTreeMap<Metric, Vec<Value>>;
type Dimensions = BTreeMap<&'static str, &'static str>;

/// As many values as one line may have of a metric.
const MAX_VALUES: usize = 100;

impl Measurements {
    /// Adds what triage told of its work.
    pub fn observe(&mut self, observation: Observation) {
        match observation {
            Observation::Announced { delays } => {
                self.add(Metric::Announcements, 1);
                for delay in delays {
                    self.add(Metric::AnnouncementDelay, seconds(delay));
                }
            }
            Observation::Pending { findings, oldest } => {
                // A flush looks into two queues, and several times into one that has very much.
                self.waiting += findings;
                self.oldest = self.oldest.max(seconds(oldest));
                self.all.insert(Metric::Pending, vec![self.waiting.into()]);
                self.all.insert(Metric::OldestPendingAge, vec![self.oldest.into()]);
            }
            Observation::Listener { audience, listens } => {
                let of_audience = self.of("audience", audience.as_str());
                of_audience.insert(Metric::Listeners, vec![u8::from(listens).into()]);
            }
            Observation::AudienceFailed { audience, .. } => {
                let of_audience = self.of("audience", audience.as_str());
                of_audience.entry(Metric::AudienceFailures).or_default().push(1.into());
            }
            Observation::NotDone(kind) => self.failed(kind),
            Observation::SwitchedOff { .. } => self.add(Metric::SwitchedOff, 1),
            Observation::TooManyAbsent { absent, .. } => {
                self.add(Metric::DoubtedAbsences, u64::try_from(absent).unwrap_or(u64::MAX));
            }
            Observation::ReviewDue { .. } => self.add(Metric::LedgerReviewDue, 1),
            Observation::RoundCompleted => self.add(Metric::Rounds, 1),
            Observation::PartFailed { part, .. } => {
                let of_part = self.of("part", part.as_str());
                of_part.entry(Metric::PartFailures).or_default().push(1.into());
            }
            Observation::TicketChanged(change) => {
                let of_change = self.of("change", change.as_str());
                of_change.entry(Metric::Tickets).or_default().push(1.into());
            }
            Observation::TicketFailed { trouble, .. } => {
                let of_trouble = self.of("failure", trouble.as_str());
                of_trouble.entry(Metric::TicketFailures).or_default().push(1.into());
                if trouble.is_refusal() {
                    self.add(Metric::TrackerRefusals, 1);
                }
            }
            Observation::OldestTicket(age) => {
                self.all.insert(Metric::OldestTicketAge, vec![seconds(age).into()]);
            }
            Observation::Warning { .. } => {}
        }
    }

    /// Adds calls to AWS.
    pub fn calls(&mut self, calls: &[CallTime]) {
        for call in calls {
            if let Some(metric) = Metric::latency(&call.service) {
                let micros = u32::try_from(call.took.as_micros()).unwrap_or(u32::MAX);
                self.add(metric, f64::from(micros) / 1_000.0);
            }
        }
    }

    /// Adds a finding that was dealt with.
    pub fn finding(&mut self, outcome: Outcome, priority: Priority) {
        self.add(Metric::Findings, 1);
        self.dimensions.insert("outcome", outcome.as_str());
        self.dimensions.insert("priority", priority.as_str());
    }

    /// Adds a flush that was done.
    pub fn flush(&mut self) {
        self.add(Metric::Flushes, 1);
    }

    /// Adds a failure.
    pub fn failure(&mut self, failure: &Failure) {
        self.failed(failure.kind());
    }

    fn failed(&mut self, kind: &'static str) {
        self.add(Metric::Failures, 1);
        self.dimensions.insert("failure", kind);
    }

    /// Writes it down for the function called `function`: one line, one more for each audience and part, and several if there
    /// are more values than fit in one.
    pub fn write(&self, function: &str, now: Timestamp, output: &mut impl Write) -> io::Result<()> {
        write(&self.all, &self.dimensions, function, now, output)?;
        for (dimension, values) in &self.by {
            write(values, &Dimensions::from([*dimension]), function, now, output)?;
        }
        output.flush()
    }

    /// What is measured for one value of a dimension.
    fn of(&mut self, dimension: &'static str, value: &'static str) -> &mut Values {
        self.by.entry((dimension, value)).or_default()
    }

    fn add(&mut self, metric: Metric, value: impl Into<Value>) {
        self.all.entry(metric).or_default().push(value.into());
    }
}

/// Writes down values that have `dimensions` in common.
fn write(
    values: &Values,
    dimensions: &Dimensions,
    function: &str,
    now: Timestamp,
    output: &mut impl Write,
) -> io::Result<()> {
    let most = values.values().map(Vec::len).max().unwrap_or_default();
    for from in (0..most).step_by(MAX_VALUES) {
        let mut line = Map::from_iter([("function".to_owned(), json!(function))]);
        let mut directives: BTreeMap<&[&str], Vec<Value>> = BTreeMap::new();
        for (metric, values) in values {
            let some = match values.get(from..values.len().min(from + MAX_VALUES)) {
                None | Some([]) => continue,
                Some([one]) => one.clone(),
                Some(some) => json!(some),
            };
            line.insert(metric.name().to_owned(), some);
            directives
                .entry(metric.dimensions())
                .or_default()
                .push(json!({"Name": metric.name(), "Unit": metric.unit()}));
        }
        line.extend(dimensions.iter().map(|(name, value)| ((*name).to_owned(), json!(value))));
        let directives = directives.into_iter().map(|(dimensions, metrics)| {
            let dimensions: Vec<&str> =
                ["function"].into_iter().chain(dimensions.iter().copied()).collect();
            json!({"Namespace": NAMESPACE, "Dimensions": [dimensions], "Metrics": metrics})
        });
        line.insert(
            "_aws".to_owned(),
            json!({
                "Timestamp": now.as_millisecond(),
                "CloudWatchMetrics": directives.collect::<Vec<_>>(),
            }),
        );
        writeln!(output, "{}", Value::Object(line))?;
    }
    Ok(())
}

/// Whole seconds; none if clocks disagree.
fn seconds(time: SignedDuration) -> i64 {
    time.as_secs().max(0)
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    const NOW: &str = "2026-11-20T12:00:00Z";

    fn lines(measured: &Measurements) -> Vec<Value> {
        let mut output = Vec::new();
        measured.write("triage", NOW.parse().unwrap(), &mut output).unwrap();
        let text = String::from_utf8(output).unwrap();
        text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
    }

    #[test]
    fn a_flush_is_one_line_with_all_that_was_seen() {
        let mut measured = Measurements::default();
        for (findings, minutes) in [(2_000, 12), (30, 4)] {
            let oldest = SignedDuration::from_mins(minutes);
            measured.observe(Observation::Pending { findings, oldest });
        }
        let delays = [300, -1].map(SignedDuration::from_secs).to_vec();
        measured.observe(Observation::Announced { delays });
        measured.flush();
        let call = |service: &str, millis| CallTime {
            service: service.to_owned(),
            took: Duration::from_millis(millis),
        };
        measured.calls(&[call("DynamoDB", 4), call("SNS", 31), call("SSO", 900)]);

        let metric = |name: &str, unit: &str| json!({"Name": name, "Unit": unit});
        let expected = json!({
            "_aws": {
                "Timestamp": 1_795_176_000_000_u64,
                "CloudWatchMetrics": [{
                    "Namespace": "InspectorTriage",
                    "Dimensions": [["function"]],
                    "Metrics": [
                        metric("Announcements", "Count"),
                        metric("AnnouncementDelay", "Seconds"),
                        metric("Flushes", "Count"),
                        metric("Pending", "Count"),
                        metric("OldestPendingAge", "Seconds"),
                        metric("DynamoDBLatency", "Milliseconds"),
                        metric("SNSLatency", "Milliseconds"),
                    ],
                }],
            },
            "function": "triage",
            "Announcements": 1,
            "AnnouncementDelay": [300, 0],
            "Flushes": 1,
            "Pending": 2_030,
            "OldestPendingAge": 720,
            "DynamoDBLatency": 4.0,
            "SNSLatency": 31.0,
        });
        assert_eq!(lines(&measured), [expected]);
    }

    #[test]
    fn a_failure_is_counted_by_its_kind() {
        let mut measured = Measurements::default();
        let malformed = crate::lambda::event::read(b"{}").unwrap_err();
        measured.failure(&malformed);
        let [line] = &lines(&measured)[..] else { panic!("one line") };
        assert_eq!((&line["Failures"], &line["failure"]), (&json!(1), &json!("MalformedEvent")));
        let directive = &line["_aws"]["CloudWatchMetrics"][0];
        assert_eq!(directive["Dimensions"], json!([["function", "failure"]]));
    }

    #[test]
    fn more_values_than_a_line_may_have_are_more_lines() {
        let mut measured = Measurements::default();
        let delays = (0..250).map(SignedDuration::from_secs).collect();
        measured.observe(Observation::Announced { delays });
        let lines = lines(&measured);
        let delays = |line: &Value| line["AnnouncementDelay"].as_array().unwrap().len();
        assert_eq!(lines.iter().map(delays).collect::<Vec<_>>(), [100, 100, 50]);
        let announcements: Vec<_> = lines.iter().map(|line| line.get("Announcements")).collect();
        assert_eq!(announcements, [Some(&json!(1)), None, None], "counted once");
    }

    #[test]
    fn nothing_measured_is_nothing_written() {
        assert_eq!(lines(&Measurements::default()), [Value::Null; 0]);
    }
}
