//! What tickets say, word for word, in each language.
//!
//! After a change that is meant, `cargo insta review` or `INSTA_UPDATE=always cargo test`.

use std::fmt::Write;

use inspector_triage::{
    domain::{record::How, ticket::TrackerKind},
    render::Language,
};
use jiff::SignedDuration;
use serde_json::json;

use crate::{common::desk::Desk, ledger};

/// A story in which everything comes that a ticket can say: its text after each chapter, and the comments.
async fn story(language: Language) -> String {
    let mut desk = Desk::new(TrackerKind::GitHub).await;
    desk.tickets.config.style.language = language;
    let mut told = String::new();
    let chapter = |desk: &Desk, name: &str, told: &mut String| {
        let ticket = desk.ticket();
        let text = ticket.text.as_str().unwrap().to_owned();
        writeln!(told, "# {name}: {} ({})\n\n{text}", ticket.title, ticket.status).unwrap();
    };
    for number in 1..4 {
        desk.event(number, |f| {
            f["fixAvailable"] = json!("NO");
            f["packageVulnerabilityDetails"]["vulnerablePackages"][0]
                .as_object_mut()
                .unwrap()
                .remove("fixedInVersion");
        })
        .await;
    }
    desk.note(&[1, 2, 3]).await;
    desk.settle().await;
    chapter(&desk, "opened", &mut told);

    // A fix and an exploit appear, one joins, one is excepted.
    for number in 1..4 {
        desk.event(number, |f| {
            f["exploitAvailable"] = json!("YES");
            f["epss"] = json!({"score": 0.9});
            f["severity"] = json!("CRITICAL");
        })
        .await;
    }
    let exception = ledger::exception("crm-upload", |one| {
        one["tags"] = json!({"stage": ["test"]});
    });
    ledger::put(&desk.world, &[exception], &desk.clock_text()).await;
    desk.pass(SignedDuration::from_mins(6));
    desk.event(4, |f| f["resources"][0]["tags"]["stage"] = json!("test")).await;
    desk.note(&[1, 2, 3, 4]).await;
    desk.settle().await;
    chapter(&desk, "changed", &mut told);

    // It ends in every way but the last.
    desk.end(1, How::Unobserved).await;
    desk.end(2, How::Unknown).await;
    desk.event(3, |f| f["status"] = json!("SUPPRESSED")).await;
    desk.note(&[1, 2, 3]).await;
    desk.pass(SignedDuration::from_mins(10));
    desk.settle().await;
    chapter(&desk, "no end", &mut told);

    // All of it is over.
    for (number, how) in [(1, How::Fixed), (2, How::Gone), (3, How::Gone)] {
        desk.explain(number, how).await;
    }
    desk.end(4, How::Fixed).await;
    desk.note(&[1, 2, 3, 4]).await;
    desk.pass(SignedDuration::from_mins(10));
    desk.settle().await;
    chapter(&desk, "closed", &mut told);

    // It comes back, and a person closes it all the same.
    desk.event(1, |_| {}).await;
    desk.note(&[1]).await;
    desk.settle().await;
    "closed".clone_into(&mut desk.tracker.state().tickets[0].status);
    desk.pass(SignedDuration::from_hours(24));
    desk.settle().await;
    for (number, comment) in desk.ticket().comments.iter().enumerate() {
        let text = comment.text.as_str().unwrap();
        writeln!(told, "# comment {}\n\n{text}", number + 1).unwrap();
    }
    told
}

#[tokio::test]
async fn tickets_speak_english() {
    insta::assert_snapshot!("ticket.en", story(Language::En).await);
}

#[tokio::test]
async fn tickets_speak_japanese() {
    insta::assert_snapshot!("ticket.ja", story(Language::Ja).await);
}
