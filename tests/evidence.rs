//! Evidence of a period, through the program: what is in the files, that they add up, and what is refused.

use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
    process::{Command, Output, Stdio},
};

use serde_json::{Value, json};

use crate::{
    common::{self, World, arn, event_of, scratch},
    ledger,
    reviewing::covered,
    stored,
};
use inspector_triage::{
    app::{Records, WriteOutcome},
    domain::record::Transition,
    emulator::{self, http::Service},
};

/// What `evidence` came to.
pub struct Given {
    pub out: String,
    pub error: String,
    pub status: Option<i32>,
    pub folder: PathBuf,
}

/// A row of a table, by its columns.
pub type Row = BTreeMap<String, String>;

impl Given {
    pub fn text(&self, name: &str) -> String {
        fs::read_to_string(self.folder.join(name)).unwrap_or_else(|error| panic!("{name}: {error}"))
    }

    pub fn json(&self, name: &str) -> Value {
        serde_json::from_str(&self.text(name)).unwrap()
    }

    pub fn rows(&self, name: &str) -> Vec<Row> {
        let text = self.text(name);
        let mut csv = csv::Reader::from_reader(text.as_bytes());
        csv.deserialize().collect::<Result<_, _>>().unwrap()
    }

    /// All files, by their names.
    pub fn files(&self) -> BTreeMap<String, Vec<u8>> {
        let mut files = BTreeMap::new();
        let mut folders = vec![self.folder.clone()];
        while let Some(folder) = folders.pop() {
            for entry in fs::read_dir(folder).unwrap() {
                let path = entry.unwrap().path();
                if path.is_dir() {
                    folders.push(path);
                } else {
                    let name = path.strip_prefix(&self.folder).unwrap().to_str().unwrap();
                    files.insert(name.to_owned(), fs::read(&path).unwrap());
                }
            }
        }
        files
    }
}

/// An empty place for a folder.
pub fn place(name: &str) -> PathBuf {
    scratch(&format!("evidence-{name}")).join("out")
}

/// Runs the program against the stand-ins.
async fn run(world: &World, arguments: &[&str]) -> Output {
    let environment = world.emulator.serve(0).await.unwrap();
    let mut command = Command::new(env!("CARGO_BIN_EXE_inspector-triage"));
    command.args(arguments).env_clear().envs(environment);
    tokio::task::spawn_blocking(move || command.output()).await.unwrap().unwrap()
}

/// Gives evidence of a period into a folder.
pub async fn give(world: &World, days: [&str; 2], folder: &Path, more: &[&str]) -> Given {
    let folder = folder.to_owned();
    let out = folder.to_str().unwrap();
    let table = if more.contains(&"--table") { &[][..] } else { &["--table", emulator::TABLE] };
    let period = ["evidence", "--from", days[0], "--to", days[1], "--out", out];
    let done = run(world, &[&period, table, more].concat()).await;
    Given {
        out: String::from_utf8(done.stdout).unwrap(),
        error: String::from_utf8(done.stderr).unwrap(),
        status: done.status.code(),
        folder,
    }
}

/// Whether a name has an extension.
fn is_a(name: &str, extension: &str) -> bool {
    Path::new(name).extension().is_some_and(|own| own == extension)
}

fn count(rows: &[Row], is: impl Fn(&Row) -> bool) -> u64 {
    rows.iter().filter(|row| is(row)).count() as u64
}

fn sum(rows: &[Row], column: &str) -> u64 {
    rows.iter().map(|row| row[column].parse::<u64>().unwrap()).sum()
}

/// Compares every count that is in two places.
pub fn add_up(given: &Given) {
    let (findings, exceptions) = (given.rows("findings.csv"), given.rows("exceptions.csv"));
    let gaps = given.rows("coverage.csv");
    let provenance = given.json("provenance.json");
    let counts = &provenance["counts"];
    let is = |column: &'static str, value: &'static str| move |row: &Row| row[column] == value;
    let all = |is: &dyn Fn(&Row) -> bool| json!(count(&findings, is));
    assert_eq!(counts["findings"], all(&|_| true));
    assert_eq!(counts["openAtStart"], all(&is("openAtStart", "yes")));
    assert_eq!(counts["open"]["total"], all(&is("state", "open")));
    assert_eq!(counts["excepted"], all(&is("state", "excepted")));
    assert_eq!(counts["hidden"], all(&is("state", "hidden")));
    assert_eq!(counts["late"], all(&|row| !row["lateDays"].is_empty()));
    assert_eq!(counts["late"], all(&|row| !row["late"].is_empty()));
    for priority in ["P1", "P2", "P3", "P4"] {
        let open = all(&|row| row["state"] == "open" && row["priority"] == priority);
        assert_eq!(counts["open"][priority], open, "{priority}");
        let overdue = all(&|row| row["overdue"] == "yes" && row["priority"] == priority);
        assert_eq!(counts["overdue"][priority], overdue, "{priority}");
    }
    for (how, number) in counts["ended"].as_object().unwrap() {
        assert_eq!(*number, all(&|row| row["endedHow"] == *how), "{how}");
    }
    let ended = count(&findings, is("state", "ended"));
    let states =
        ["open", "excepted", "hidden"].map(|state| count(&findings, |row| row["state"] == state));
    assert_eq!(states.iter().sum::<u64>() + ended, findings.len() as u64);

    // Each finding that an exception covered is counted with one exception, and once.
    let covered = count(&findings, |row| !row["exception"].is_empty());
    assert_eq!(sum(&exceptions, "findings"), covered);
    assert_eq!(sum(&exceptions, "covering"), count(&findings, is("state", "excepted")));
    for exception in &exceptions {
        let named = count(&findings, |row| row["exception"] == exception["id"]);
        let versions = exceptions.iter().filter(|one| one["id"] == exception["id"]);
        let counted: u64 = versions.map(|one| one["findings"].parse::<u64>().unwrap()).sum();
        assert_eq!(named, counted, "{}", exception["id"]);
    }
    assert_eq!(counts["exceptions"], json!(exceptions.len()));
    assert_eq!(counts["coverage"], json!(gaps.len()));
    assert_eq!(counts["coverageAtEnd"], json!(count(&gaps, is("until", ""))));
    assert_eq!(counts["days"], json!(given.rows("reviews/days.csv").len()));

    let files = given.files();
    let listed = provenance["files"].as_array().unwrap();
    assert_eq!(listed.len() + 1, files.len(), "all but itself");
    for file in listed {
        let bytes = &files[file["name"].as_str().unwrap()];
        let digest = inspector_triage::domain::digest::of_content(bytes);
        assert_eq!(
            (&file["bytes"], file["sha256"].as_str()),
            (&json!(bytes.len()), digest.strip_prefix("sha256:"))
        );
    }
    let reviews = files.keys().filter(|name| name.starts_with("reviews/") && is_a(name, "json"));
    assert_eq!(counts["reviews"], json!(reviews.count()));
    for check in provenance["checks"].as_array().unwrap() {
        assert_eq!(check["recorded"], check["recounted"], "{check}");
        assert_eq!(check["agrees"], true);
    }
    // The page has the same total in its table.
    let total = findings.len() as u64 - states[2];
    assert!(given.text("summary.md").contains(&format!("| Total | {total} |")), "{total}");
    assert!(given.text("summary.html").contains(&format!(
        "<th scope=\"row\" class=\"s\">Total</th><td class=\"n\">{total}</td>"
    )));
}

const NOW: &str = "2026-11-20T12:00:00Z";

fn finding(number: usize, updated_at: &str, change: impl FnOnce(&mut Value)) -> Value {
    event_of(&arn(number), updated_at, |f| {
        f["packageVulnerabilityDetails"]["vulnerabilityId"] =
            json!(format!("CVE-2026-{:05}", 20_000 + number));
        f["firstObservedAt"] = json!("2026-11-03T10:00:00Z");
        change(f);
    })
}

/// Three findings: one that is open, one that is closed, and one that came after the days before the tenth.
async fn small() -> World {
    let world = World::new().await;
    let handle = async |event: Value, now: &str| {
        world.handle(&event, now).await.unwrap();
    };
    handle(finding(1, "2026-11-03T10:00:00Z", |_| {}), "2026-11-03T10:01:00Z").await;
    handle(finding(2, "2026-11-03T10:00:00Z", |_| {}), "2026-11-03T10:02:00Z").await;
    let closed = finding(2, "2026-11-14T10:00:00Z", |f| f["status"] = json!("CLOSED"));
    handle(closed, "2026-11-14T10:01:00Z").await;
    handle(finding(3, "2026-11-15T10:00:00Z", |_| {}), "2026-11-15T10:01:00Z").await;
    world
}

const DAYS: [&str; 2] = ["2026-11-01", "2026-11-18"];

#[tokio::test]
async fn each_finding_of_the_period_is_there_once_with_its_dates() {
    let world = small().await;
    let given = give(&world, DAYS, &place("dates"), &["--now", NOW]).await;
    assert_eq!(given.status, Some(0), "{}", given.error);
    add_up(&given);
    let rows = given.rows("findings.csv");
    let of = |number: usize| rows.iter().find(|row| row["findingArn"] == arn(number)).unwrap();
    let said = |row: &Row, columns: [&str; 6]| columns.map(|column| row[column].clone());
    let columns = ["recordedAt", "firstToldAt", "dueAt", "state", "endedHow", "lateDays"];
    let first =
        ["2026-11-03T10:01:00Z", "2026-11-03T10:01:00Z", "2026-11-10T10:01:00Z", "open", "", "9"];
    assert_eq!(said(of(1), columns), first);
    let second = [
        "2026-11-03T10:02:00Z",
        "2026-11-03T10:02:00Z",
        "2026-11-10T10:02:00Z",
        "ended",
        "unknown",
        "4",
    ];
    assert_eq!(said(of(2), columns), second);
    assert_eq!(of(2)["endedAt"], "2026-11-14T10:00:00Z");
    assert_eq!((of(3)["priority"].as_str(), of(3)["policy"].as_str()), ("P2", "3"));
}

#[tokio::test]
async fn a_period_that_is_over_is_told_as_it_was() {
    let world = small().await;
    let given = give(&world, ["2026-11-01", "2026-11-12"], &place("past"), &["--now", NOW]).await;
    assert_eq!(given.status, Some(0), "{}", given.error);
    add_up(&given);
    let rows = given.rows("findings.csv");
    let said: Vec<_> = rows
        .iter()
        .map(|row| (row["findingArn"].clone(), row["state"].clone(), row["lateDays"].clone()))
        .collect();
    let open = |number, late: &str| (arn(number), "open".to_owned(), late.to_owned());
    assert_eq!(
        said,
        [open(1, "3"), open(2, "3")],
        "the third had not come, and the second not ended"
    );
    let after = give(&world, ["2026-11-16", "2026-11-18"], &place("after"), &["--now", NOW]).await;
    let arns: Vec<_> =
        after.rows("findings.csv").iter().map(|row| row["findingArn"].clone()).collect();
    assert_eq!(arns, [arn(1), arn(3)], "what had ended before it is not of it");
}

#[tokio::test]
async fn two_runs_are_the_same_to_the_byte() {
    let world = small().await;
    let one =
        give(&world, DAYS, &place("one"), &["--now", NOW, "--profile", "pci-dss-4.0.1"]).await;
    let other =
        give(&world, DAYS, &place("other"), &["--now", NOW, "--profile", "pci-dss-4.0.1"]).await;
    assert_eq!((one.status, other.status), (Some(0), Some(0)), "{}", one.error);
    assert_eq!(one.files(), other.files());
}

#[tokio::test]
async fn what_makes_no_sense_is_refused_in_a_line_and_leaves_nothing() {
    let world = small().await;
    let foreign = r#"{"TableName": "orders", "BillingMode": "PAY_PER_REQUEST",
        "KeySchema": [{"AttributeName": "id", "KeyType": "HASH"}],
        "AttributeDefinitions": [{"AttributeName": "id", "AttributeType": "S"}]}"#;
    let Service::Store(store) = world.emulator.store() else { panic!("a store") };
    store.create_table(serde_json::from_str(foreign).unwrap()).unwrap();
    let refused = scratch("evidence-refused");
    let full = refused.join("full");
    fs::create_dir_all(&full).unwrap();
    fs::write(full.join("mine.txt"), "mine").unwrap();
    let cases: [([&str; 2], &str, &[&str], &str); 6] = [
        (["2026-11-10", "2026-11-09"], "reversed", &[], "before it begins"),
        (["2026-11-10", "2026-11-21"], "future", &[], "which is to come"),
        (
            ["2026-10-01", "2026-11-02"],
            "early",
            &[],
            "before the first row of table inspector-triage-findings, which is of 2026-11-03",
        ),
        (DAYS, "full", &[], "is not empty"),
        (DAYS, "full/mine.txt", &[], "mine.txt"),
        (DAYS, "foreign", &["--table", "orders"], "another program"),
    ];
    for (days, name, more, expected) in cases {
        let folder = refused.join(name);
        let given = give(&world, days, &folder, &[more, &["--now", NOW]].concat()).await;
        assert_eq!(given.status, Some(2), "{name}: {}", given.error);
        assert!(
            given.error.contains(expected) && given.error.lines().count() == 1,
            "{name}: {}",
            given.error
        );
        assert_eq!((given.out.as_str(), folder.is_dir()), ("", name == "full"), "{name}");
    }
    assert_eq!(fs::read_dir(&full).unwrap().count(), 1, "and what was there stays");
    let empty = World::new().await;
    let none = give(&empty, DAYS, &place("none"), &["--now", NOW]).await;
    assert_eq!((none.status, none.folder.exists()), (Some(2), false), "{}", none.error);
}

/// Spoils rows of a table.
fn spoil(world: &World, change: impl Fn(&mut stored::Rows)) {
    let mut rows = stored::rows(world);
    change(&mut rows);
    stored::put(world, &rows);
}

/// A finding that came on the third, is due on the tenth, and what became of it, told by the name of its state and its lateness
/// as of the twentieth.
async fn told(name: &str, world: &World, days: [&str; 2]) -> [String; 4] {
    let given = give(world, days, &place(&format!("late-{name}")), &["--now", NOW]).await;
    assert_eq!(given.status, Some(0), "{}", given.error);
    add_up(&given);
    let rows = given.rows("findings.csv");
    let row = rows.iter().find(|row| row["findingArn"] == arn(1)).expect("the finding");
    ["state", "overdue", "lateDays", "late"].map(|column| row[column].clone())
}

async fn came() -> World {
    let world = World::new().await;
    let event = finding(1, "2026-11-03T10:00:00Z", |_| {});
    world.handle(&event, "2026-11-03T10:01:00Z").await.unwrap();
    world
}

/// Has Inspector list the finding, with this status as of a time, and a round go by at another.
async fn round(world: &World, status: &str, updated_at: &str, now: &str) {
    let event = finding(1, updated_at, |f| {
        f["status"] = json!(status);
        f["resources"][0]["type"] = json!("AWS_LAMBDA_FUNCTION");
        f["resources"][0]["id"] = json!(FUNCTION);
    });
    let row = covered("111122223333", FUNCTION, "PACKAGE", "ACTIVE", "SUCCESSFUL");
    world.emulator.inspector.fleet().coverage = vec![row];
    world.inspect(&[event]);
    let done = world.daily(now, json!({})).await;
    assert_eq!(done["outcome"], "done", "{done}");
}

const FUNCTION: &str = "arn:aws:lambda:eu-central-1:111122223333:function:cron:$LATEST";
const NOVEMBER: [&str; 2] = ["2026-11-01", "2026-11-19"];

#[tokio::test]
async fn what_is_covered_by_one_exception_after_the_other_is_not_late() {
    let world = came().await;
    let exception =
        |id: &str| ledger::exception(id, |e| e["vulnerabilities"] = json!(["CVE-2026-20001"]));
    ledger::put(&world, &[exception("first")], "2026-11-05T00:00:00Z").await;
    round(&world, "ACTIVE", "2026-11-03T10:00:00Z", "2026-11-05T00:10:00Z").await;
    ledger::put(&world, &[exception("second")], "2026-11-15T00:00:00Z").await;
    round(&world, "ACTIVE", "2026-11-03T10:00:00Z", "2026-11-15T00:10:00Z").await;
    let said = told("renewed", &world, NOVEMBER).await;
    assert_eq!(said, ["excepted", "no", "", ""].map(str::to_owned));
}

#[tokio::test]
async fn what_was_late_and_accepted_stays_late_when_the_exception_ends() {
    let world = came().await;
    let exception = ledger::exception("short", |e| {
        e["vulnerabilities"] = json!(["CVE-2026-20001"]);
        e["expiresAt"] = json!("2026-11-15");
    });
    ledger::put(&world, &[exception], "2026-11-12T00:00:00Z").await;
    round(&world, "ACTIVE", "2026-11-03T10:00:00Z", "2026-11-12T10:01:00Z").await;
    round(&world, "ACTIVE", "2026-11-03T10:00:00Z", "2026-11-16T00:10:00Z").await;
    let [state, overdue, days, why] = told("accepted", &world, NOVEMBER).await;
    assert_eq!([state.as_str(), overdue.as_str(), days.as_str()], ["open", "no", "2"]);
    assert!(
        why.contains("then accepted") && why.contains("exception short covered it until"),
        "{why}"
    );
}

#[tokio::test]
async fn what_was_late_and_came_back_stays_late() {
    let world = came().await;
    round(&world, "CLOSED", "2026-11-14T10:00:00Z", "2026-11-15T00:10:00Z").await;
    round(&world, "ACTIVE", "2026-11-17T10:00:00Z", "2026-11-18T00:10:00Z").await;
    let [state, overdue, days, why] = told("back", &world, NOVEMBER).await;
    assert_eq!([state.as_str(), overdue.as_str(), days.as_str()], ["open", "no", "4"]);
    assert!(why.contains("4 days late, then"), "{why}");
}

#[tokio::test]
async fn an_end_that_is_recorded_in_the_next_period_is_late_in_that() {
    let world = came().await;
    round(&world, "CLOSED", "2026-11-14T22:00:00Z", "2026-11-15T00:10:00Z").await;
    let [state, _, days, why] = told("edge", &world, ["2026-11-15", "2026-11-19"]).await;
    assert_eq!([state.as_str(), days.as_str()], ["ended", "5"], "{why}");
    let [state, _, days, why] = told("edge-before", &world, ["2026-11-01", "2026-11-14"]).await;
    assert_eq!([state.as_str(), days.as_str()], ["open", "5"], "{why}");
}

#[tokio::test]
async fn a_state_that_is_listed_again_after_it_was_gone_loses_none_of_its_history() {
    let world = came().await;
    let urgent = |f: &mut Value| f["epss"] = json!({"score": 0.9});
    world
        .handle(&finding(1, "2026-11-05T10:00:00Z", urgent), "2026-11-05T10:01:00Z")
        .await
        .unwrap();
    let record = world.record(&arn(1)).await;
    let gone = record.vanished("2026-11-10T00:00:00Z".parse().unwrap()).rewritten();
    let written = world.triage.store.write(&gone, Transition::Vanished).await.unwrap();
    assert_eq!(written, WriteOutcome::Applied);
    world
        .handle(&finding(1, "2026-11-05T10:00:00Z", urgent), "2026-11-12T10:01:00Z")
        .await
        .unwrap();
    let given = give(&world, ["2026-11-01", "2026-11-08"], &place("again"), &["--now", NOW]).await;
    let rows = given.rows("findings.csv");
    let said = ["state", "priority", "basis"].map(|column| rows[0][column].as_str());
    assert_eq!(said, ["open", "P1", "history"]);
    assert_eq!(world.record(&arn(1)).await.opening, 2, "it is open again");
}

#[tokio::test]
async fn what_a_suppression_rule_hides_stays_in_the_evidence() {
    let world = came().await;
    let hidden = finding(1, "2026-11-05T10:00:00Z", |f| f["status"] = json!("SUPPRESSED"));
    world.handle(&hidden, "2026-11-05T10:01:00Z").await.unwrap();
    let [state, ..] = told("hidden-then", &world, ["2026-11-01", "2026-11-09"]).await;
    assert_eq!(state, "ended", "it was open in these days");
    let [state, ..] = told("hidden-now", &world, ["2026-11-10", "2026-11-19"]).await;
    assert_eq!(state, "hidden", "and nobody has decided about it since");
}

#[tokio::test]
async fn without_a_daily_round_nothing_is_said_of_what_only_a_round_asks() {
    let world = small().await;
    let given = give(&world, DAYS, &place("no-round"), &["--now", NOW]).await;
    let summary = given.text("summary.md");
    for said in [
        "figures on 0 of 18 days",
        "Whether everything was looked at is not known",
        "so this is not known",
    ] {
        assert!(summary.contains(said), "{said}: {summary}");
    }
    let history = given.json("provenance.json")["history"].clone();
    assert_eq!(history["keptDays"], json!(null), "{history}");
    assert!(history["wholeSince"].is_string(), "rows say for how long they are kept: {history}");
}

#[tokio::test]
async fn a_file_that_is_no_store_is_refused_and_stays_as_it_is() {
    let folder = scratch("evidence-foreign");
    let file = folder.join("other.db");
    fs::write(&file, b"SQLite format 3\0 and something else").unwrap();
    let program = env!("CARGO_BIN_EXE_inspector-triage");
    let arguments = [
        "evidence",
        "--db",
        "other.db",
        "--from",
        "2026-11-01",
        "--to",
        "2026-11-02",
        "--out",
        "out",
    ];
    let done = Command::new(program).args(arguments).current_dir(&folder).output().unwrap();
    let said = String::from_utf8(done.stderr).unwrap();
    assert_eq!((done.status.code(), said.lines().count()), (Some(2), 1), "{said}");
    assert_eq!(fs::read(&file).unwrap(), b"SQLite format 3\0 and something else");
    assert_eq!(fs::read_dir(&folder).unwrap().count(), 1, "nothing else is there");
}

#[tokio::test]
async fn rows_that_cannot_be_read_are_listed_and_lose_nothing_around_them() {
    let world = small().await;
    spoil(&world, |rows| {
        let row =
            rows.iter_mut().find(|(key, _)| key.contains(&arn(2)) && key.ends_with("CURRENT"));
        row.unwrap().1["finding"] = json!({"S": "{\"arn\": 7}"});
        let odd = json!({"pk": {"S": "SOMETHING#NEW"}, "sk": {"S": "=1+1"}});
        rows.insert("odd".to_owned(), odd);
    });
    let given = give(&world, DAYS, &place("unread"), &["--now", NOW]).await;
    assert_eq!(given.status, Some(1), "{}", given.error);
    assert!(
        given.error.contains("2 rows") && given.error.contains("unread.csv"),
        "{}",
        given.error
    );
    add_up(&given);
    // Who does not read what is said gets the same status.
    let out = place("unread-again");
    let environment = world.emulator.serve(0).await.unwrap();
    let mut command = Command::new(env!("CARGO_BIN_EXE_inspector-triage"));
    let [from, to] = DAYS;
    let table = emulator::TABLE;
    command
        .args(["evidence", "--table", table, "--from", from, "--to", to, "--now", NOW, "--out"])
        .arg(&out)
        .env_clear()
        .envs(environment)
        .stdout(Stdio::piped())
        .stderr(Stdio::null());
    let status = tokio::task::spawn_blocking(move || {
        let mut child = command.spawn().unwrap();
        drop(child.stdout.take());
        child.wait().unwrap().code()
    });
    assert_eq!(status.await.unwrap(), Some(1));
    let unread = given.rows("unread.csv");
    assert_eq!(unread.len(), 2, "{unread:?}");
    assert_eq!(unread[0]["pk"], format!("FINDING#{}", arn(2)));
    assert_eq!(unread[1]["sk"], "'=1+1", "no formula");
    assert_eq!(given.rows("findings.csv").len(), 2, "the others are there");
    assert!(given.text("summary.md").contains("2 rows of the table could not be read"));
}

#[tokio::test]
async fn who_decided_what_until_when_is_kept_when_the_ledger_goes_on() {
    let world = small().await;
    let file = scratch("evidence-ledger").join("ledger.yaml");
    let apply = async |text: &str, commit: &str, now: &str| {
        fs::write(&file, text).unwrap();
        let file = file.to_str().unwrap();
        let arguments = [
            "ledger",
            "apply",
            file,
            "--table",
            emulator::TABLE,
            "--commit",
            commit,
            "--by",
            "ana",
            "--now",
            now,
        ];
        let done = run(&world, &arguments).await;
        assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
    };
    let ledger = |reason: &str| {
        format!(
            "version: 1\nexceptions:\n  - id: vendor-image\n    vulnerabilities: [CVE-2026-20001]\n    decision: accept\n    reason: {reason}\n    owner: crm-team\n    approved_by: sec-lead\n    created_at: 2026-11-01\n    expires_at: 2027-01-29\n    accepted_priority: P1\n"
        )
    };
    apply(&ledger("The vendor updates it."), "c0ffee1", NOW).await;
    apply(&ledger("The vendor is late."), "c0ffee2", NOW).await;
    apply("version: 1\nexceptions: []\n", "c0ffee3", NOW).await;
    let today = run(
        &world,
        &["evidence", "--table", "x", "--from", "2026-11-01", "--to", "2999-01-01", "--out", "x"],
    )
    .await;
    let said = String::from_utf8(today.stderr).unwrap();
    // `apply` puts in force by the clock, whatever it judges by: the period has to reach today.
    let today = said.rsplit("is ").next().unwrap().trim().to_owned();
    let given = give(&world, ["2026-11-01", &today], &place("decided"), &[]).await;
    assert_eq!(given.status, Some(0), "{}", given.error);
    let rows = given.rows("exceptions.csv");
    let said: Vec<[&str; 5]> = rows
        .iter()
        .map(|row| {
            ["id", "reason", "approvedBy", "commit", "ended"].map(|column| row[column].as_str())
        })
        .collect();
    assert_eq!(
        said,
        [
            ["vendor-image", "The vendor updates it.", "sec-lead", "c0ffee1", "changed"],
            ["vendor-image", "The vendor is late.", "sec-lead", "c0ffee2", "withdrawn"],
        ]
    );
    assert!(rows.iter().all(|row| row["appliedBy"] == "ana" && row["source"] == "ledger"));
}

#[tokio::test]
async fn what_is_not_looked_at_is_told_from_when_to_when_and_why() {
    let world = World::new().await;
    let function = FUNCTION;
    for (day, status) in [
        (1, Some("EXCLUDED_BY_TAG")),
        (2, Some("EXCLUDED_BY_TAG")),
        (3, Some("UNSUPPORTED_RUNTIME")),
        (4, None),
        (5, None),
    ] {
        let row =
            status.map(|reason| covered("111122223333", function, "PACKAGE", "INACTIVE", reason));
        world.emulator.inspector.fleet().coverage = row.into_iter().collect();
        world.inspect(&[finding(1, "2026-11-01T00:00:00Z", |_| {})]);
        world.daily(&format!("2026-11-0{day}T00:10:00Z"), json!({})).await;
    }
    let given = give(&world, ["2026-11-02", "2026-11-05"], &place("gaps"), &["--now", NOW]).await;
    assert_eq!(given.status, Some(0), "{}", given.error);
    add_up(&given);
    let rows = given.rows("coverage.csv");
    let said: Vec<[&str; 4]> = rows
        .iter()
        .filter(|row| row["resource"] == function)
        .map(|row| ["reason", "from", "until", "firstSeenAt"].map(|column| row[column].as_str()))
        .collect();
    let first = "2026-11-01T00:10:00Z";
    assert_eq!(
        said,
        [
            ["EXCLUDED_BY_TAG", first, "2026-11-03T00:10:00Z", first],
            ["UNSUPPORTED_RUNTIME", "2026-11-03T00:10:00Z", "2026-11-04T00:10:00Z", first],
        ]
    );
    let then =
        give(&world, ["2026-11-02", "2026-11-02"], &place("gaps-then"), &["--now", NOW]).await;
    let rows = then.rows("coverage.csv");
    let row = rows.iter().find(|row| row["resource"] == function).unwrap();
    assert_eq!(
        (row["reason"].as_str(), row["until"].as_str()),
        ("EXCLUDED_BY_TAG", ""),
        "as it was then"
    );
}

#[tokio::test]
async fn a_period_that_reaches_further_back_than_the_history_says_so() {
    let world = small().await;
    world.daily("2026-11-18T00:10:00Z", json!({})).await;
    let later = "2027-12-20T12:00:00Z";
    let given = give(&world, DAYS, &place("further-back"), &["--now", later]).await;
    assert_eq!(given.status, Some(0), "{}", given.error);
    assert!(
        given.error.contains("HistoryDays") && given.error.contains("2026-11-15"),
        "{}",
        given.error
    );
    assert!(
        given.text("summary.md").contains("keeps it for 400 days"),
        "{}",
        given.text("summary.md")
    );
    assert_eq!(given.json("provenance.json")["history"]["isWholeForPeriod"], false);
    let whole = give(&world, DAYS, &place("whole"), &["--now", NOW]).await;
    assert!(whole.text("summary.md").contains("is whole for the period"));
    let before =
        give(&world, ["2026-10-01", "2026-11-18"], &place("before"), &["--now", NOW]).await;
    assert!(
        before.error.contains("the first row of the table is of 2026-11-03"),
        "{}",
        before.error
    );
}

#[tokio::test]
async fn what_strangers_wrote_is_no_formula_no_markup_and_no_line() {
    let world = World::new().await;
    let hostile = finding(1, "2026-11-03T10:00:00Z", |f| {
        f["title"] = json!("=cmd|' /C calc'!A0");
        f["packageVulnerabilityDetails"]["vulnerabilityId"] =
            json!("<script>alert(1)</script>\n| x | [a](http://evil.example) \u{202e}gpj");
        f["resources"][0]["tags"] = json!({"team": "@here\n+1+1", "Name": "-2+3"});
    });
    world.handle(&hostile, "2026-11-03T10:01:00Z").await.unwrap();
    let given = give(&world, DAYS, &place("hostile"), &["--now", NOW]).await;
    assert_eq!(given.status, Some(0), "{}", given.error);
    for (name, bytes) in given.files() {
        let text = String::from_utf8(bytes).unwrap();
        assert!(
            !text.contains("<script") && !text.contains("](http") && !text.contains('\u{202e}'),
            "{name}: {text}"
        );
    }
    for row in given.rows("findings.csv") {
        for (column, cell) in row {
            assert!(
                !cell.starts_with(['=', '+', '-', '@']) && !cell.contains('\n'),
                "{column}: {cell}"
            );
        }
    }
    let html = given.text("summary.html");
    assert!(
        html.contains("default-src 'none'")
            && !html.contains("http://")
            && !html.contains("https://")
    );
}

#[tokio::test]
async fn each_profile_names_the_clauses_that_its_figures_answer() {
    let world = small().await;
    let clauses: [(&str, &[&str]); 3] = [
        ("fedramp", &["## VDR-CSO-FAV", "## VDR-TFR-KEV", "## VER-RPT-VDT", "## VER-RPT-AVI"]),
        ("pci-dss-4.0.1", &["## 6.3.1", "## 6.3.3", "## 11.3.1 ", "## 11.3.1.1"]),
        ("soc2", &["## CC7.1"]),
    ];
    for (profile, clauses) in clauses {
        let folder = place(&format!("profile-{profile}"));
        let given = give(&world, DAYS, &folder, &["--now", NOW, "--profile", profile]).await;
        assert_eq!(given.status, Some(0), "{}", given.error);
        let summary = given.text("summary.md");
        let places: Vec<usize> = clauses
            .iter()
            .map(|clause| summary.find(clause).unwrap_or_else(|| panic!("{clause}: {summary}")))
            .collect();
        assert!(places.is_sorted(), "in the order of the standard: {places:?}");
        assert!(
            summary.contains("Not in the data"),
            "what the data cannot say is said to be missing"
        );
    }
    let unknown = give(&world, DAYS, &place("profile"), &["--now", NOW, "--profile", "iso"]).await;
    assert_eq!(unknown.status, Some(2));
    assert!(unknown.error.contains("pci-dss-4.0.1, soc2 or fedramp"), "{}", unknown.error);
}

#[tokio::test]
async fn each_column_is_explained_in_the_documents() {
    let world = small().await;
    spoil(&world, |rows| {
        rows.insert("odd".to_owned(), json!({"pk": {"S": "ODD"}, "sk": {"S": "ODD"}}));
    });
    let given = give(&world, DAYS, &place("columns"), &["--now", NOW]).await;
    let document = fs::read_to_string(common::project("docs/EVIDENCE.md")).unwrap();
    let mut names = 0;
    for (name, bytes) in given.files() {
        let is_table = is_a(&name, "csv");
        let header = String::from_utf8(bytes).unwrap();
        for column in header.lines().next().unwrap_or_default().split(',').filter(|_| is_table) {
            names += 1;
            let is_span = |name: &str| {
                column.starts_with(name) && ["P2", "P3"].iter().any(|p| column.ends_with(p))
            };
            let is_named = document.contains(&format!("`{column}`"));
            assert!(is_named || is_span("open") || is_span("overdue"), "{name}: {column}");
        }
        assert!(!is_table || document.contains(&name), "{name}");
    }
    assert!(names > 90, "{names}");
}

#[test]
fn the_example_in_the_documents_is_real() {
    let folder = scratch("evidence-example");
    let fleet = common::project("docs/demo/fleet.ndjson");
    let run = |arguments: &[&str]| {
        let program = env!("CARGO_BIN_EXE_inspector-triage");
        let done = Command::new(program).args(arguments).current_dir(&folder).output().unwrap();
        assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
        String::from_utf8(done.stdout).unwrap()
    };
    run(&["replay", fleet.to_str().unwrap(), "--db", "fleet.db"]);
    let document = fs::read_to_string(common::project("docs/EVIDENCE.md")).unwrap();
    let line = document.lines().find(|line| line.contains("evidence --db fleet.db")).unwrap();
    let said = run(&line.split(' ').skip(1).collect::<Vec<_>>());
    assert_eq!(said.lines().count(), 3, "{said}");
    for line in said.lines().take(2) {
        assert!(document.contains(line), "{line}");
    }
}

#[tokio::test]
async fn rows_of_before_the_history_said_so_much_are_read() {
    let world = World::new().await;
    let file = common::project("tests/stored/0.2.0-pre.json");
    let rows: stored::Rows = serde_json::from_slice(&fs::read(file).unwrap()).unwrap();
    stored::put(&world, &rows);
    let given = give(
        &world,
        ["2026-11-20", "2026-11-20"],
        &place("stored"),
        &["--now", "2026-11-21T00:00:00Z"],
    )
    .await;
    assert_eq!(given.status, Some(0), "{}", given.error);
    add_up(&given);
    let rows = given.rows("findings.csv");
    assert_eq!(rows.len(), 13, "all but the one that was never open here");
    let open = rows.iter().filter(|row| row["state"] == "open");
    assert!(
        open.clone().all(|row| !row["dueAt"].is_empty()),
        "the rows of findings say when they are due"
    );
    let exceptions = given.rows("exceptions.csv");
    let in_force = exceptions.iter().find(|row| row["id"] == "vendor-image").unwrap();
    assert_eq!((in_force["ended"].as_str(), in_force["covering"].as_str()), ("", "1"));
    // What the table knew of it before the head of a ledger was noted.
    let ledger = ledger::exception("others", |_| {});
    ledger::put(&world, &[ledger], "2026-11-20T13:00:00Z").await;
    let given = give(
        &world,
        ["2026-11-20", "2026-11-20"],
        &place("stored-on"),
        &["--now", "2026-11-21T00:00:00Z"],
    )
    .await;
    let exceptions = given.rows("exceptions.csv");
    let withdrawn = exceptions.iter().find(|row| row["id"] == "vendor-image").unwrap();
    let said = ["inForceFrom", "inForceUntil", "ended"].map(|column| withdrawn[column].as_str());
    assert_eq!(said, ["2026-11-20T12:28:00Z", "2026-11-20T13:00:00Z", "withdrawn"]);
}
