//! The review and its report, through the command line.

use std::{fs, path::PathBuf, process::Stdio};

use serde_json::Value;

use crate::{common, samples::inspector_triage};

/// What `report` writes to stdout with these arguments.
fn report(arguments: &[&str]) -> String {
    let done = inspector_triage(&[&["report"], arguments].concat(), Stdio::null());
    assert_eq!(done.status.code(), Some(0), "{}", String::from_utf8_lossy(&done.stderr));
    String::from_utf8(done.stdout).unwrap()
}

fn json(arguments: &[&str]) -> Value {
    serde_json::from_str(&report(&[arguments, &["--format", "json"]].concat())).unwrap()
}

#[test]
fn the_same_moment_gives_the_same_report_to_the_byte_in_each_form() {
    for form in ["html", "markdown", "csv", "json"] {
        let arguments = ["events", "--format", form];
        assert_eq!(report(&arguments), report(&arguments), "{form}");
    }
}

#[test]
fn every_form_has_the_numbers_of_the_review() {
    let review = json(&["events"]);
    let total = review["open"]["total"].as_u64().unwrap();
    let by_priority: u64 =
        ["P1", "P2", "P3", "P4"].map(|p| review["open"][p].as_u64().unwrap()).iter().sum();
    assert_eq!(by_priority, total);
    let owners = review["owners"].as_array().unwrap();
    for (part, whole) in [("open", &review["open"]), ("overdue", &review["overdue"])] {
        let sum: u64 = owners.iter().map(|owner| owner[part].as_u64().unwrap()).sum();
        assert_eq!(sum, whole["total"].as_u64().unwrap(), "{part}");
    }
    let page = report(&["events"]);
    let (_, rows) = page.split_once("<table id=\"findings\">").unwrap();
    assert_eq!(rows.matches("<tr><td class=").count() as u64, total, "a row for each");
    let rows = report(&["events", "--format", "csv"]);
    assert_eq!(rows.lines().count() as u64, total + 1);
    let markdown = report(&["events", "--format", "markdown"]);
    assert!(markdown.contains(&format!("| {total} |")), "{markdown}");
    let spans = review["dueIn"].as_object().unwrap();
    assert_eq!(spans.values().map(|span| span["total"].as_u64().unwrap()).sum::<u64>(), total);
    let row = |words: &str, span: &Value| {
        let number = |key: &str| span[key].as_u64().unwrap();
        let [p1, p2, p3, p4] = ["P1", "P2", "P3", "P4"].map(number);
        format!("| {words} | {p1} | {p2} | {p3} | {p4} | {} |", number("total"))
    };
    assert!(markdown.contains(&row("Due within 7 days", &spans["within7"])), "{markdown}");
    let trend = review["trend"].as_array().unwrap();
    assert_eq!(trend.last().unwrap()["open"].as_u64(), Some(total));
    assert!(trend.len() > 1, "a point for each day of the events");
}

#[test]
fn what_the_ledger_covers_counts_as_excepted_and_nowhere_else() {
    let without = json(&["events"]);
    let with = json(&["events", "--ledger", "security/inspector-exclusions.yaml"]);
    assert_eq!((&without["excepted"], &with["excepted"]), (&Value::from(0), &Value::from(2)));
    let open = |review: &Value| review["open"]["total"].as_u64().unwrap();
    assert_eq!(open(&without), open(&with) + 2);
    assert_eq!(with["exceptions"]["active"], 2);
    assert_eq!(with["exceptions"]["unused"], 0);
}

#[test]
fn a_page_asks_nobody_for_anything_and_strangers_words_do_nothing_in_it() {
    let page = report(&["events"]);
    assert!(page.contains("default-src 'none'"));
    for word in ["http://", "https://", "src=", "@import", "onerror", "style=", "unsafe-inline"] {
        assert!(!page.contains(word), "{word}");
    }
    for (word, own) in [("<script", "<script>"), ("href=", "href=\"#"), ("url(", "url(#")] {
        assert_eq!(page.matches(word).count(), page.matches(own).count(), "{word}");
    }
    assert_eq!(page.matches("<script").count(), 1);
    let rows = report(&["events", "--format", "csv"]);
    let mut csv = csv::Reader::from_reader(rows.as_bytes());
    for row in csv.records() {
        for cell in &row.unwrap() {
            assert!(!cell.starts_with(['=', '+', '-', '@']), "{cell}");
        }
    }
}

#[test]
fn a_kept_store_gives_the_report_of_what_was_replayed_into_it() {
    let folder = common::scratch("report");
    let db = folder.join("kept.db");
    let _ = fs::remove_file(&db);
    let path = |path: &PathBuf| path.to_str().unwrap().to_owned();
    let replayed = inspector_triage(&["replay", "events", "--db", &path(&db)], Stdio::null());
    assert_eq!(replayed.status.code(), Some(0));
    let now = "2026-11-25T09:00:34Z";
    let out = folder.join("report.json");
    let arguments = ["--db", &path(&db), "--now", now, "--format", "json", "--out", &path(&out)];
    assert_eq!(report(&arguments), "");
    let kept: Value = serde_json::from_slice(&fs::read(&out).unwrap()).unwrap();
    let events = json(&["events", "--now", now]);
    for figure in ["open", "overdue", "new", "ended", "firstThings", "owners"] {
        assert_eq!(kept[figure], events[figure], "{figure}");
    }
}

#[test]
fn what_makes_no_sense_is_said_and_ends_with_2() {
    for (arguments, said) in [
        (&["report"][..], "the following required arguments were not provided"),
        (&["report", "events", "--table", "t"], "cannot be used with"),
        (&["report", "--db", "there-is-none.db"], "there is no such file"),
        (&["report", "events", "--since", "2027-01-01T00:00:00Z"], "is after"),
    ] {
        let done = inspector_triage(arguments, Stdio::null());
        let error = String::from_utf8(done.stderr).unwrap();
        assert_eq!(done.status.code(), Some(2), "{error}");
        assert!(error.contains(said), "{error}");
    }
}
