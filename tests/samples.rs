//! Holds the tables of `events/README.md` to what the program does with the files beside it.
use std::{
    collections::BTreeSet,
    fs::{self, File},
    path::Path,
    process::{Command, Output, Stdio},
};

use serde_json::Value;

#[test]
fn every_event_file_is_in_a_table_and_every_row_has_a_file() {
    for (folder, heading) in [("events", "Handled"), ("events/refused", "Refused")] {
        let named: BTreeSet<String> = rows(heading).iter().map(|row| file(&row[0])).collect();
        assert_eq!(named, event_files(folder), "{folder}");
    }
}

#[test]
fn every_event_scores_as_its_row_says() {
    let (origins, lines): (Vec<String>, Vec<String>) =
        events().into_iter().map(|(origin, event)| (origin, event.to_string())).unzip();
    let stdin = Path::new(env!("CARGO_TARGET_TMPDIR")).join("samples.ndjson");
    fs::write(&stdin, lines.join("\n") + "\n").unwrap();

    let done = inspector_triage(&["score"], Stdio::from(File::open(stdin).unwrap()));

    assert_eq!(done.status.code(), Some(0));
    let scores: Vec<Value> =
        stdout(&done).lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let rows = rows("Handled");
    assert_eq!((origins.len(), scores.len()), (rows.len(), rows.len()));
    for ((row, origin), scored) in rows.iter().zip(origins).zip(scores) {
        let priority = scored["priority"].as_str().unwrap();
        let score = scored["score"].to_string();
        assert_eq!(row[..1], [origin]);
        assert_eq!(row[3..], [priority, &score], "{}", row[0]);
        let points = scored["reasons"].as_array().unwrap().iter();
        let sum: u64 = points.map(|reason| reason["points"].as_u64().unwrap()).sum();
        assert_eq!(sum.to_string(), score, "points of {}", row[0]);
    }
}

#[test]
fn every_event_of_a_replay_ends_as_its_row_says() {
    let done = inspector_triage(&["replay", "events"], Stdio::null());

    assert_eq!(done.status.code(), Some(0));
    let said = said(&stdout(&done), "events/");
    let rows = rows("Handled");
    assert_eq!(said.len(), rows.len());
    for (row, said) in rows.iter().zip(said) {
        assert_eq!([&row[0], &row[2]], [&said.origin, &said.outcome]);
        if let Some(message) = said.message {
            let shown = [format!("[{}]", row[3]), format!("{}, score {}", row[3], row[4])];
            assert_eq!(shown, message, "{}", row[0]);
        }
    }
}

#[test]
fn every_refused_event_is_named_with_its_error_and_the_rest_go_on() {
    let done = inspector_triage(&["replay", "events/refused"], Stdio::null());

    assert_eq!(done.status.code(), Some(1));
    let (announced, refused): (Vec<_>, Vec<_>) = said(&stdout(&done), "events/refused/")
        .into_iter()
        .partition(|said| said.message.is_some());
    let rows = rows("Refused");
    assert_eq!(refused.len(), rows.len());
    for (row, said) in rows.iter().zip(refused) {
        let error = said.outcome.strip_prefix("not handled: ");
        assert_eq!((&row[0], Some(row[1].as_str())), (&said.origin, error));
    }
    let announced: Vec<String> = announced.into_iter().map(|said| said.origin).collect();
    assert_eq!(announced, ["lines.ndjson:1", "lines.ndjson:3"]);
}

/// The cells of each row of the table below a heading of the README.
fn rows(heading: &str) -> Vec<Vec<String>> {
    let readme = fs::read_to_string("events/README.md").unwrap();
    let (_, section) = readme.split_once(&format!("## {heading}\n")).unwrap();
    let section = section.split("\n## ").next().unwrap();
    let table = section.lines().filter(|line| line.starts_with("| `"));
    table
        .map(|line| {
            let mut cells: Vec<String> =
                line.trim_matches('|').split('|').map(|cell| cell.trim().to_owned()).collect();
            cells[0] = cells[0].replace('`', "");
            cells
        })
        .collect()
}

/// The file of an origin such as `api-form.json [1]` or `lines.ndjson:2`.
fn file(origin: &str) -> String {
    origin.split([' ', ':']).next().unwrap().to_owned()
}

/// The files in a folder, without its README and its folders.
fn event_files(folder: &str) -> BTreeSet<String> {
    fs::read_dir(folder)
        .unwrap()
        .map(Result::unwrap)
        .filter(|entry| entry.file_type().unwrap().is_file())
        .map(|entry| entry.file_name().into_string().unwrap())
        .filter(|name| name != "README.md")
        .collect()
}

/// Each event in `events/` with its origin, in the order of replay.
fn events() -> Vec<(String, Value)> {
    let mut events = Vec::new();
    for name in event_files("events") {
        let text = fs::read(format!("events/{name}")).unwrap();
        let mut event: Value = serde_json::from_slice(&text).unwrap();
        match event.get_mut("findings").map(Value::take) {
            Some(Value::Array(findings)) => events
                .extend((1..).zip(findings).map(|(n, finding)| (format!("{name} [{n}]"), finding))),
            _ => events.push((name, event)),
        }
    }
    events
}

/// What a replay says about one event.
struct Said {
    origin: String,
    outcome: String,
    /// The priority in the subject, and priority with score in the text, if a message went out.
    message: Option<[String; 2]>,
}

/// Reads the output of a replay: `origin: outcome: reason`, and the message if one went out.
fn said(output: &str, folder: &str) -> Vec<Said> {
    let mut said: Vec<Said> = Vec::new();
    // What follows is the summary of those that waited.
    for line in output.lines().take_while(|line| !line.starts_with("flush: ")) {
        if let Some((origin, outcome)) =
            line.strip_prefix(folder).and_then(|line| line.split_once(": "))
        {
            let (origin, outcome) = (origin.to_owned(), outcome.to_owned());
            said.push(Said { origin, outcome, message: None });
        } else if let Some(last) = said.last_mut() {
            if let Some(subject) = line.strip_prefix("Subject: ") {
                let priority = subject.split(' ').next().unwrap().to_owned();
                last.message = Some([priority, String::new()]);
            } else if let (Some((graded, _)), Some([_, text])) =
                (line.split_once(" of 100. "), &mut last.message)
            {
                graded.clone_into(text);
            }
        }
    }
    said
}

pub fn inspector_triage(arguments: &[&str], stdin: Stdio) -> Output {
    Command::new(env!("CARGO_BIN_EXE_inspector-triage"))
        .args(arguments)
        .stdin(stdin)
        .output()
        .unwrap()
}

fn stdout(done: &Output) -> String {
    String::from_utf8(done.stdout.clone()).unwrap()
}
