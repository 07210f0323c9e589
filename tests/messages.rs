//! Every message of the sample events, in every language, word for word.
//!
//! After a change that is meant, `cargo insta review` or `INSTA_UPDATE=always cargo test`.

use std::process::Command;

/// What `replay` prints of the sample events.
fn replayed(language: &str) -> String {
    let done = Command::new(env!("CARGO_BIN_EXE_inspector-triage"))
        .args(["replay", "events", "--language", language])
        .output()
        .unwrap();
    assert_eq!(String::from_utf8_lossy(&done.stderr), "");
    String::from_utf8(done.stdout).unwrap()
}

#[test]
fn english_messages_stay_as_they_are() {
    insta::assert_snapshot!(replayed("en"));
}

#[test]
fn japanese_messages_stay_as_they_are() {
    insta::assert_snapshot!(replayed("ja"));
}

#[test]
fn no_line_that_people_read_is_wider_than_a_terminal() {
    for language in ["en", "ja"] {
        let shown = replayed(language);
        let lines = shown.lines().filter(|line| !line.starts_with(['|', '─']));
        // Addresses and ARNs are to be copied, subjects have a limit of their own.
        let copied = ["://", "arn:", "/subscriptions/", "Subject: ", "events/", "31 events in "];
        let prose = lines.filter(|line| !copied.iter().any(|mark| line.contains(mark)));
        for line in prose {
            assert!(textwrap::core::display_width(line) <= 72, "{language}: {line}");
        }
    }
}
