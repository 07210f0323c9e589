//! `doctor`: whether a deployed stack does its work. Behind the feature `redrive`.

use std::{fmt, io::Write};

use comfy_table::{ContentArrangement, Table, presets::ASCII_MARKDOWN};
use futures_util::future::join_all;
use jiff::{SignedDuration, Timestamp};

use crate::{
    adapters::{
        aws,
        cloudformation::{Stack, StackResource},
        cloudwatch::{self, FunctionMetric},
        dynamodb::DynamoDb,
        eventbridge,
        inspector2::Inspector2,
        kms,
        lambda::Functions,
        sns,
        sqs::Queue,
    },
    app::{
        Attempt, Inspector,
        failure::{BoxError, CallFailed},
    },
    cli::{Verdict, advice},
    domain::text::{self, short},
    lambda::{
        metrics::{Metric, NAMESPACE},
        settings::HISTORY_DAYS,
    },
};

/// Look whether a deployed stack does its work.
///
/// Looks at the stack, who is subscribed, rules, functions, queues, table, alarms and key, and at Amazon Inspector, and says
/// what to do. Changes nothing. Exit status 1 if something is wrong or could not be looked at. Needs AWS credentials that
/// may read these, such as the managed policy ReadOnlyAccess, and a Region.
#[derive(Debug, clap::Args)]
pub struct Arguments {
    /// The stack's name or ARN.
    #[arg(long, value_name = "NAME")]
    stack: String,
}

/// Looks at a stack.
pub async fn run(
    arguments: Arguments,
    now: Timestamp,
    output: &mut impl Write,
) -> Result<Verdict, BoxError> {
    let config = aws::config().load().await;
    let stack = Stack::read(&config, &arguments.stack)
        .await
        .map_err(|failed| advice::on(&failed, &format!("stack {}", arguments.stack)))?;
    let checks = Visit { config: &config, stack: &stack, now }.checks().await;
    show(&checks, output)?;
    output.flush()?;
    let is_well = checks.iter().all(|check| check.state < State::Wrong);
    Ok(if is_well { Verdict::Done } else { Verdict::FoundWrong })
}

/// How something is, the better first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum State {
    /// As it must be.
    Well,
    /// Maybe as it is meant.
    Odd,
    /// Not as it must be.
    Wrong,
    /// It could not be looked at.
    Unknown,
}

impl fmt::Display for State {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Well => "ok",
            Self::Odd => "look",
            Self::Wrong => "WRONG",
            Self::Unknown => "UNKNOWN",
        })
    }
}

/// Something that was looked at.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Check {
    what: String,
    state: State,
    found: String,
    todo: Option<String>,
}

impl Check {
    fn well(what: impl Into<String>, found: impl Into<String>) -> Self {
        Self { what: what.into(), state: State::Well, found: found.into(), todo: None }
    }

    fn not_well(
        state: State,
        what: impl Into<String>,
        found: impl Into<String>,
        todo: impl Into<String>,
    ) -> Self {
        Self { what: what.into(), state, found: found.into(), todo: Some(todo.into()) }
    }

    fn wrong(what: impl Into<String>, found: impl Into<String>, todo: impl Into<String>) -> Self {
        Self::not_well(State::Wrong, what, found, todo)
    }

    fn odd(what: impl Into<String>, found: impl Into<String>, todo: impl Into<String>) -> Self {
        Self::not_well(State::Odd, what, found, todo)
    }

    fn unknown(what: impl Into<String>, failed: &CallFailed) -> Self {
        let what = what.into();
        let todo = advice::on(failed, &what).to_string();
        Self::not_well(State::Unknown, what, failed.to_string(), todo)
    }
}

/// A few calls, and nobody waits for more.
const CALLS_A_SECOND: f64 = 10.0;

/// As long as what was found may be in the table.
const LONGEST: usize = 58;

/// How far back a flush is looked for. One comes every five minutes, and its metric some minutes later.
const FLUSHES_SINCE: SignedDuration = SignedDuration::from_mins(15);

/// The table, then what to do.
fn show(checks: &[Check], output: &mut impl Write) -> Result<(), BoxError> {
    let mut table = Table::new();
    table
        .load_style(ASCII_MARKDOWN)
        .set_content_arrangement(ContentArrangement::Disabled)
        .set_header(["Check", "State", "Found"]);
    for check in checks {
        table.add_row([&check.what, &check.state.to_string(), &short(&check.found, LONGEST)]);
    }
    writeln!(output, "{table}")?;
    let todos = checks.iter().filter_map(|check| Some((check, check.todo.as_ref()?)));
    for (number, (check, todo)) in todos.enumerate() {
        if number == 0 {
            writeln!(output, "\nTo do:")?;
        }
        writeln!(output, "{}. {}: {}", number + 1, check.what, text::line(todo))?;
    }
    Ok(())
}

/// A visit to a stack.
struct Visit<'a> {
    config: &'a aws::SdkConfig,
    stack: &'a Stack,
    now: Timestamp,
}

impl Visit<'_> {
    async fn checks(&self) -> Vec<Check> {
        let mut checks = vec![self.status()];
        checks.extend(self.inspector().await);
        checks.extend(join_all(self.of("AWS::Events::Rule").map(|rule| self.rule(rule))).await);
        let functions = self.of("AWS::Lambda::Function");
        checks.extend(join_all(functions.map(|function| self.function(function))).await);
        if let Some(function) = self.stack.outputs.get("FunctionName") {
            checks.push(self.flush(function).await);
        }
        if let Some(name) = self.stack.outputs.get("TableName") {
            checks.extend(self.table(name).await);
        }
        checks.extend(join_all(self.of("AWS::SNS::Topic").map(|topic| self.topic(topic))).await);
        // What waits for a function is no failure.
        let queues = self.of("AWS::SQS::Queue").filter(|queue| queue.logical_id != "TicketsQueue");
        checks.extend(join_all(queues.map(|queue| self.queue(queue))).await);
        checks.extend(self.alarms().await);
        if let Some(key) = self.parameter("KmsKeyArn") {
            checks.push(self.key(key).await);
        }
        checks
    }

    /// Resources of a type, by their names in the template.
    fn of(&self, kind: &str) -> impl Iterator<Item = &StackResource> {
        let mut resources: Vec<_> =
            self.stack.resources.iter().filter(|resource| resource.kind == kind).collect();
        resources.sort_by(|a, b| a.logical_id.cmp(&b.logical_id));
        resources.into_iter()
    }

    fn parameter(&self, name: &str) -> Option<&str> {
        self.stack.parameters.get(name).map(String::as_str).filter(|value| !value.is_empty())
    }

    fn status(&self) -> Check {
        let (what, status) = ("stack", self.stack.status.as_str());
        let found = match &self.stack.reason {
            Some(reason) => format!("{status}: {reason}"),
            None => status.to_owned(),
        };
        match status {
            "CREATE_COMPLETE" | "UPDATE_COMPLETE" | "IMPORT_COMPLETE" => Check::well(what, found),
            "UPDATE_ROLLBACK_COMPLETE" => Check::odd(
                what,
                found,
                "the last update failed and was taken back; its reason is in the stack's events",
            ),
            _ if status.ends_with("_IN_PROGRESS") => {
                Check::odd(what, found, "look again when it has ended")
            }
            _ => Check::wrong(what, found, "see the stack's events, and deploy it again"),
        }
    }

    async fn inspector(&self) -> Vec<Check> {
        let what = "Amazon Inspector";
        let inspector = Inspector2::new(self.config.into(), CALLS_A_SECOND);
        let limit = Attempt::new("doctor", self.now).until(SignedDuration::ZERO);
        let on = match inspector.enabled(&[], limit).await {
            Ok(mut on) => on.remove(0),
            Err(refused) => return vec![Check::unknown(what, &refused.failed)],
        };
        let is_on = |status: &str| status == "ENABLED";
        let list = |on_or_off: bool| {
            let scans = on.scans.iter().filter(|(_, status)| is_on(status) == on_or_off);
            scans.map(|(scan, _)| *scan).collect::<Vec<_>>().join(", ")
        };
        let (scans, off) = (list(true), list(false));
        let there = format!("account {}, {}", on.account, self.stack.region());
        let enabled = if !is_on(&on.status) || scans.is_empty() {
            Check::wrong(
                what,
                format!("{} in {there}", on.status),
                format!("enable Inspector in {there}: nothing is scanned, and no event comes"),
            )
        } else if off.is_empty() {
            Check::well(what, format!("scans {scans}"))
        } else {
            Check::well(what, format!("scans {scans}; off: {off}"))
        };
        let what = "administrator";
        let administrator = match inspector.administrator(limit).await {
            Ok(None) => Check::well(what, "none: this account hears of itself"),
            Ok(Some(account)) if account == on.account => {
                Check::well(what, "this account, for the organisation")
            }
            Ok(Some(account)) => Check::odd(
                what,
                format!("account {account}"),
                format!(
                    "this account hears of its own findings alone; account {account} hears of all: a stack there tells \
                     of these too"
                ),
            ),
            Err(refused) => Check::unknown(what, &refused.failed),
        };
        vec![enabled, administrator]
    }

    async fn rule(&self, rule: &StackResource) -> Check {
        let what = format!("rule {}", rule.logical_id);
        match eventbridge::is_enabled(self.config, &rule.physical_id).await {
            Ok(true) => Check::well(what, "enabled"),
            Ok(false) => Check::wrong(
                what,
                "disabled",
                format!(
                    "aws events enable-rule --name {}; the events of meanwhile are lost",
                    rule.physical_id
                ),
            ),
            Err(failed) => Check::unknown(what, &failed),
        }
    }

    async fn function(&self, function: &StackResource) -> Check {
        let what = format!("function {}", function.logical_id);
        let found = match Functions::open(self.config).state(&function.physical_id).await {
            Ok(found) => found,
            Err(failed) => return Check::unknown(what, &failed),
        };
        let why = found.reason.map(|reason| format!(": {reason}")).unwrap_or_default();
        match (found.state.as_str(), found.last_update.as_str(), found.concurrency) {
            (_, _, Some(0)) => Check::wrong(
                what,
                "may not run: its reserved concurrency is 0",
                format!(
                    "aws lambda delete-function-concurrency --function-name {}",
                    function.physical_id
                ),
            ),
            // One that has not run for weeks is inactive until its next event.
            ("Active" | "Inactive", "Successful", _) => Check::well(what, found.state),
            (state, update, _) if state == "Pending" || update == "InProgress" => {
                Check::odd(what, format!("{state}, update {update}{why}"), "look again in a minute")
            }
            (state, update, _) => Check::wrong(
                what,
                format!("{state}, update {update}{why}"),
                format!("{state}, update {update}{why}; deploy the stack again"),
            ),
        }
    }

    async fn flush(&self, function: &str) -> Check {
        let what = "last flush";
        let metric =
            FunctionMetric { namespace: NAMESPACE, name: Metric::Flushes.name(), function };
        let since = self.stack.changed_at.unwrap_or(Timestamp::MIN);
        match cloudwatch::last_seen(self.config, metric, self.now, FLUSHES_SINCE).await {
            Ok(Some(at)) => Check::well(what, format!("at or after {at}")),
            Ok(None) if self.now.duration_since(since) < FLUSHES_SINCE => Check::odd(
                what,
                "none yet",
                "the stack has just been deployed: look again in fifteen minutes",
            ),
            Ok(None) => Check::wrong(
                what,
                format!("none for {FLUSHES_SINCE:#}"),
                format!(
                    "what waits is not told; see that FlushRule is enabled, and what the log of {function} says"
                ),
            ),
            Err(failed) => Check::unknown(what, &failed),
        }
    }

    async fn table(&self, name: &str) -> Vec<Check> {
        let what = "table";
        let store = DynamoDb::new(self.config.into(), name.to_owned(), HISTORY_DAYS);
        let health = match store.health().await {
            Ok(health) => health,
            Err(failed) => return vec![Check::unknown(what, &failed)],
        };
        let missing: Vec<_> = health.missing_indexes().collect();
        let table = if health.status != "ACTIVE" {
            Check::wrong(what, &health.status, format!("see what became of the table {name}"))
        } else if !missing.is_empty() {
            let missing = missing.join(", ");
            Check::wrong(
                what,
                format!("no index {missing}"),
                format!("give {name} the index {missing}, as template.yaml has it"),
            )
        } else {
            Check::well(what, "active, with its indexes")
        };
        let what = "table: expiry";
        let expiry = if health.expires {
            Check::well(what, "by expires_at")
        } else {
            Check::wrong(
                what,
                "off",
                format!(
                    "nothing is ever deleted: aws dynamodb update-time-to-live --table-name {name} \
                     --time-to-live-specification Enabled=true,AttributeName=expires_at"
                ),
            )
        };
        let what = "table: backups";
        let backups = if health.can_be_restored {
            Check::well(what, "to any time of the last 35 days")
        } else {
            Check::wrong(
                what,
                "off",
                format!(
                    "aws dynamodb update-continuous-backups --table-name {name} \
                     --point-in-time-recovery-specification PointInTimeRecoveryEnabled=true"
                ),
            )
        };
        let what = "table: deletion";
        let protection = if health.is_protected {
            Check::well(what, "protected")
        } else {
            Check::odd(
                what,
                "not protected",
                format!(
                    "aws dynamodb update-table --table-name {name} --deletion-protection-enabled"
                ),
            )
        };
        vec![table, expiry, backups, protection]
    }

    async fn topic(&self, topic: &StackResource) -> Check {
        let what = format!("topic {}", topic.logical_id);
        let found = match sns::subscriptions(self.config, &topic.physical_id).await {
            Ok(found) => found,
            Err(failed) => return Check::unknown(what, &failed),
        };
        let waiting = found.unconfirmed.iter().map(|end| short(end, 60)).collect::<Vec<_>>();
        let waiting = waiting.join(", ");
        let confirm = format!(
            "{waiting}: click the link in SNS's e-mail. It is valid for three days; aws sns subscribe sends a new one"
        );
        let nobody = "nobody is subscribed";
        match (found.confirmed, found.unconfirmed.len()) {
            (0, 0)
                if topic.logical_id == "AlertsTopic"
                    && self.parameter("NotificationEmail").is_none() =>
            {
                Check::odd(what, nobody, "fine if the chat or programs are told in place of e-mail")
            }
            (0, 0) => Check::wrong(
                what,
                nobody,
                format!(
                    "nothing of it reaches anybody: subscribe somebody to {}",
                    topic.physical_id
                ),
            ),
            (0, _) => Check::wrong(what, "nobody has confirmed", confirm),
            (confirmed, 0) => Check::well(what, format!("{confirmed} confirmed")),
            (confirmed, others) => {
                Check::odd(what, format!("{confirmed} confirmed, {others} not"), confirm)
            }
        }
    }

    async fn queue(&self, queue: &StackResource) -> Check {
        let what = format!("queue {}", queue.logical_id);
        let (kind, todo) = match queue.logical_id.as_str() {
            "TicketsFailedQueue" => (
                "message",
                "see the log of TicketsFunction; when the cause is mended, aws sqs start-message-move-task, as \
                 docs/OPERATIONS.md has it under Messages for tickets"
                    .to_owned(),
            ),
            _ => (
                "event",
                format!(
                    "inspector-triage replay --from-queue {url} shows them; when the cause is mended, inspector-triage \
                     redrive --from-queue {url}",
                    url = queue.physical_id
                ),
            ),
        };
        match Queue::open(self.config, queue.physical_id.clone()).count().await {
            Ok(0) => Check::well(what, "empty"),
            Ok(count) => {
                let found = format!("about {count} {kind}{}", if count == 1 { "" } else { "s" });
                Check::wrong(what, found, todo)
            }
            Err(failed) => Check::unknown(what, &failed),
        }
    }

    async fn alarms(&self) -> Vec<Check> {
        let what = "alarms";
        let names: Vec<&str> =
            self.of("AWS::CloudWatch::Alarm").map(|alarm| alarm.physical_id.as_str()).collect();
        if names.is_empty() {
            return Vec::new();
        }
        let alarms = match cloudwatch::alarms(self.config, &names).await {
            Ok(alarms) => alarms,
            Err(failed) => return vec![Check::unknown(what, &failed)],
        };
        let mut checks: Vec<Check> = Vec::new();
        for alarm in &alarms {
            let what = format!("alarm {}", alarm.name);
            if alarm.rings {
                let todo = format!("{}; docs/OPERATIONS.md, When an alarm fires", alarm.reason);
                checks.push(Check::wrong(&what, "rings", todo));
            }
            if !alarm.is_heard {
                let todo =
                    format!("aws cloudwatch enable-alarm-actions --alarm-names {}", alarm.name);
                checks.push(Check::wrong(&what, "tells nobody: its actions are off", todo));
            }
        }
        for gone in names.iter().filter(|name| !alarms.iter().any(|alarm| alarm.name == **name)) {
            checks.push(Check::wrong(format!("alarm {gone}"), "gone", "deploy the stack again"));
        }
        if checks.is_empty() {
            checks.push(Check::well(what, format!("none of {} rings", alarms.len())));
        }
        checks
    }

    async fn key(&self, key: &str) -> Check {
        let what = "key";
        match kms::state(self.config, key).await {
            Ok(state) if state == "Enabled" => Check::well(what, "enabled"),
            Ok(state) => Check::wrong(
                what,
                state,
                format!(
                    "nothing can be read or told without it: aws kms enable-key --key-id {key}"
                ),
            ),
            Err(failed) => Check::unknown(what, &failed),
        }
    }
}
