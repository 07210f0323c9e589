//! Every request to Jira and to GitHub is one that their published descriptions know, whatever befalls a ticket and whatever
//! strangers write, and nothing that they write is alive in a ticket.

use std::collections::{BTreeMap, BTreeSet};

use comrak::{
    Arena, Options,
    nodes::{ListType, NodeValue},
    parse_document,
};
use inspector_triage::{
    adapters::trackers::{TrackerClient, TrackerConfig},
    app::{Clock, TicketAt, Tracker as _},
    domain::{assess::Priority, record::How, ticket::TrackerKind},
    emulator::tracker::{Asked, Ticket, Transition, Trouble},
    render::ticket::{Card, Document},
};
use jiff::SignedDuration;
use proptest::{prelude::*, sample::select};
use serde_json::{Value, json};
use tokio::runtime;

use crate::{
    common::{
        desk::{Desk, TOKEN, Token, project, tracker_config},
        openapi::{Description, GITHUB_TEXT, JIRA_TEXT},
    },
    wording::nasty,
};

const KINDS: [TrackerKind; 2] = [TrackerKind::Jira, TrackerKind::GitHub];
const MARK: &str = "inspector-triage-3f2a9c";

/// What is wrong with the requests that a tracker had, and how many there were of each operation.
fn checked(desk: &Desk, kind: TrackerKind) -> (Vec<String>, BTreeMap<String, usize>) {
    let (mut wrong, mut counts) = (Vec::new(), BTreeMap::new());
    for asked in &desk.tracker.state().requests {
        match Description::of(kind).check(asked) {
            Ok(operation) => *counts.entry(operation.to_owned()).or_default() += 1,
            Err(why) => wrong.push(format!("{why}\nin {asked:?}")),
        }
    }
    (wrong, counts)
}

/// Notes findings, and sees to all that comes of it.
async fn follow(desk: &Desk, news: &[usize]) {
    desk.note(news).await;
    desk.until_quiet().await;
}

/// Closes a finding that is not the ordinary one.
async fn is_fixed(desk: &Desk, number: usize, change: impl FnOnce(&mut Value)) {
    desk.event(number, |finding| {
        change(finding);
        finding["status"] = json!("CLOSED");
    })
    .await;
    desk.explain(number, How::Fixed).await;
}

/// An ordinary finding of another problem.
fn of_problem(number: usize) -> impl FnOnce(&mut Value) {
    move |finding| {
        finding["packageVulnerabilityDetails"]["vulnerabilityId"] =
            json!(format!("CVE-2026-2000{number}"));
    }
}

fn exploited(finding: &mut Value) {
    finding["exploitAvailable"] = json!("YES");
    finding["epss"] = json!({"score": 0.9});
    finding["severity"] = json!("CRITICAL");
}

/// All that befalls a ticket.
async fn life(kind: TrackerKind, change: impl FnOnce(&mut TrackerConfig)) -> Desk {
    let mut desk = Desk::new(kind).await;
    let mut config = tracker_config(kind, &desk.url);
    change(&mut config);
    desk.tickets.tracker = TrackerClient::new(config, Token(TOKEN));
    goes_well(&desk, kind).await;
    goes_wrong(&desk, kind).await;
    is_lost(&desk).await;
    has_pages(&desk, kind).await;
    desk
}

/// Opened, joined and exploited, closed, back again, and closed by hand.
async fn goes_well(desk: &Desk, kind: TrackerKind) {
    desk.event(1, |_| {}).await;
    follow(desk, &[1]).await;
    desk.event(2, |_| {}).await;
    desk.event(1, exploited).await;
    follow(desk, &[1, 2]).await;
    desk.end(1, How::Fixed).await;
    desk.end(2, How::Gone).await;
    follow(desk, &[1, 2]).await;
    desk.event(2, |_| {}).await;
    follow(desk, &[2]).await;
    let by_hand = if kind == TrackerKind::Jira { "Done" } else { "closed" };
    assert_ne!(desk.ticket().status, by_hand);
    by_hand.clone_into(&mut desk.tracker.state().tickets[0].status);
    desk.pass(SignedDuration::from_hours(24));
    desk.until_quiet().await;
    let comments = desk.ticket().comments;
    assert_eq!(comments.len(), 4, "{comments:?}");
}

/// Nobody knows what has become of an opening and of a comment; a way is refused, and fields are.
async fn goes_wrong(desk: &Desk, kind: TrackerKind) {
    desk.event(3, of_problem(3)).await;
    desk.tracker.state().trouble.push_back(Trouble::HangsUpAfter);
    follow(desk, &[3]).await;
    // After the ticket was looked at and changed, for which GitHub is asked twice.
    let before = if kind == TrackerKind::Jira { 2 } else { 3 };
    let trouble = std::iter::repeat_n(Trouble::None, before).chain([Trouble::HangsUpAfter]);
    desk.event(4, of_problem(3)).await;
    desk.tracker.state().trouble.extend(trouble);
    follow(desk, &[4]).await;
    let refuses = Transition { refuses: true, ..Transition::new("41", "Done", &[]) };
    desk.tracker.state().workflow.transitions.insert(0, refuses);
    is_fixed(desk, 3, of_problem(3)).await;
    is_fixed(desk, 4, of_problem(3)).await;
    follow(desk, &[3, 4]).await;
    desk.tracker.state().missing_fields = ["priority", "duedate"].map(str::to_owned).into();
    desk.event(5, of_problem(5)).await;
    follow(desk, &[5]).await;
    desk.event(5, |finding| {
        of_problem(5)(finding);
        exploited(finding);
    })
    .await;
    follow(desk, &[5]).await;
    let state = desk.tracker.state();
    let comments: Vec<usize> = state.tickets.iter().map(|ticket| ticket.comments.len()).collect();
    assert_eq!(comments, [4, 2, 1], "of each ticket");
}

/// Somebody deletes a ticket, and it is asked whether the project is still there.
async fn is_lost(desk: &Desk) {
    desk.tracker.state().tickets.pop();
    desk.event(6, of_problem(5)).await;
    follow(desk, &[6]).await;
}

/// There is more than a page of tickets, and of comments.
async fn has_pages(desk: &Desk, kind: TrackerKind) {
    let (tracker, now, project) = (&desk.tickets.tracker, desk.clock.now(), project(kind));
    let text = Document(vec![Document::paragraph("text")]);
    let card = Card { title: "title".to_owned(), text, priority: Priority::P1, due: None };
    let key = tracker.open(project, MARK, &card).await.unwrap();
    let ticket = TicketAt { project, key: &key, mark: MARK };
    tracker.comment(ticket, &card.text).await.unwrap();
    {
        let mut state = desk.tracker.state();
        let last = state.tickets.last_mut().unwrap();
        last.comments = vec![last.comments[0].clone(); 101];
        let last = last.clone();
        for _ in 0..100 {
            let mut next = last.clone();
            next.number = u64::try_from(state.tickets.len()).unwrap() + 1_000;
            state.tickets.push(next);
        }
    }
    assert_eq!(tracker.find(project, MARK, now).await.unwrap().len(), 101);
    assert!(!tracker.has_comment(ticket, MARK, now).await.unwrap());
}

#[tokio::test]
async fn every_request_of_a_ticket_is_one_that_the_descriptions_know() {
    let all: fn(&mut TrackerConfig) = |config| config.labels = vec!["vulnerability".to_owned()];
    let none: fn(&mut TrackerConfig) = |config| {
        (config.priorities, config.due_dates) = (None, false);
    };
    for kind in KINDS {
        for change in [all, none] {
            let desk = life(kind, change).await;
            let (wrong, counts) = checked(&desk, kind);
            assert!(wrong.is_empty(), "{}", wrong.join("\n"));
            let asked: BTreeSet<&str> = counts.keys().map(String::as_str).collect();
            let known: BTreeSet<&str> = Description::of(kind).operations().collect();
            assert_eq!(asked, known, "each operation is asked: {counts:?}");
        }
    }
}

/// A request of each operation with a body or with parameters, of a ticket that went well.
async fn good(kind: TrackerKind) -> BTreeMap<String, Asked> {
    let desk = life(kind, |_| {}).await;
    let state = desk.tracker.state();
    let named =
        |asked: &Asked| (Description::of(kind).check(asked).unwrap().to_owned(), asked.clone());
    state.requests.iter().rev().map(named).collect()
}

/// Spoils the good request of an operation, and says what is wrong with it then.
fn spoiled(
    good: &BTreeMap<String, Asked>,
    kind: TrackerKind,
    operation: &str,
    spoil: impl FnOnce(&mut Asked),
) -> String {
    let mut asked = good[operation].clone();
    spoil(&mut asked);
    assert_ne!(asked, good[operation], "{operation}");
    let checked = Description::of(kind).check(&asked).map(str::to_owned);
    checked.expect_err(&format!("{operation} is not spoiled by {asked:?}"))
}

/// An entry of a body under another name.
fn renamed(body: &mut Value, from: &str, to: &str) {
    let fields = body.as_object_mut().unwrap();
    let value = fields.remove(from).unwrap();
    fields.insert(to.to_owned(), value);
}

type Spoil = fn(&mut Asked);

#[tokio::test]
async fn a_request_that_the_description_of_jira_does_not_know_is_found() {
    let good = good(TrackerKind::Jira).await;
    let create: [Spoil; 19] = [
        |asked| renamed(&mut asked.body, "fields", "feilds"),
        |asked| asked.body["propertys"] = json!([]),
        |asked| asked.body["properties"] = json!({"key": 1}),
        |asked| renamed(&mut asked.body["fields"], "summary", "sumary"),
        |asked| asked.body["fields"]["summary"] = json!(5),
        |asked| asked.body["fields"]["summary"] = json!("x".repeat(256)),
        |asked| asked.body["fields"]["summary"] = json!("two\nlines"),
        |asked| asked.body["fields"]["project"] = json!("SEC"),
        |asked| asked.body["fields"]["issuetype"] = json!({"names": "Task"}),
        |asked| asked.body["fields"]["labels"] = json!(["a label"]),
        |asked| asked.body["fields"]["priority"] = json!({"name": 1}),
        |asked| asked.body["fields"]["duedate"] = json!("2026-02-30"),
        |asked| asked.body["fields"]["duedate"] = json!("1 December 2026"),
        |asked| asked.body["fields"]["description"] = json!("a text"),
        |asked| asked.body["fields"]["description"]["content"][0]["type"] = json!("paragraf"),
        |asked| asked.body["fields"]["description"]["content"][0]["content"][0]["text"] = json!(""),
        |asked| {
            let long = "x".repeat(JIRA_TEXT);
            asked.body["fields"]["description"]["content"][0]["content"][0]["text"] = json!(long);
        },
        |asked| asked.body["update"] = json!({"labels": [{"add": "a"}]}),
        |asked| asked.body = Value::Null,
    ];
    let paths: [Spoil; 6] = [
        |asked| asked.path.push('s'),
        |asked| asked.path = asked.path.replace("/rest/api/3", "/rest/api/9"),
        |asked| "PATCH".clone_into(&mut asked.method),
        |asked| asked.path.push_str("?updateHistory=perhaps"),
        |asked| asked.path.push_str("?update_history=true"),
        |asked| asked.path.push_str("?updateHistory=true&updateHistory=true"),
    ];
    for spoil in create.into_iter().chain(paths).chain(HEADERS) {
        spoiled(&good, TrackerKind::Jira, "createIssue", spoil);
    }
    let others: [(&str, Spoil); 18] = [
        ("editIssue", |asked| asked.body["update"]["labels"] = json!([{"append": "a"}])),
        ("editIssue", |asked| asked.body["update"]["labels"] = json!({"add": "a"})),
        ("editIssue", |asked| asked.body["fields"]["labels"] = json!(["a"])),
        ("editIssue", |asked| asked.body["fields"]["project"] = json!({"key": "SEC"})),
        ("addComment", |asked| asked.body["body"] = json!("a text")),
        ("addComment", |asked| asked.body["body"]["content"][0]["type"] = json!("mentions")),
        ("addComment", |asked| renamed(&mut asked.body, "body", "text")),
        ("addComment", |asked| asked.body["author"] = json!({})),
        ("doTransition", |asked| asked.body["transition"]["id"] = json!(31)),
        ("doTransition", |asked| renamed(&mut asked.body, "transition", "transitions")),
        ("doTransition", |asked| asked.body["fields"] = json!({"resolution": "Done"})),
        ("getIssue", |asked| asked.path = asked.path.replace("labels", "lables")),
        ("getIssue", |asked| asked.body = json!({})),
        ("getComments", |asked| asked.path = asked.path.replace("-created", "created_at")),
        ("getComments", |asked| asked.path = asked.path.replace("=100", "=all")),
        ("searchAndReconsileIssuesUsingJqlPost", |asked| asked.body["startAt"] = json!(0)),
        ("searchAndReconsileIssuesUsingJqlPost", |asked| asked.body["nextPageToken"] = Value::Null),
        ("searchAndReconsileIssuesUsingJqlPost", |asked| asked.body["maxResults"] = json!("100")),
    ];
    for (operation, spoil) in others {
        spoiled(&good, TrackerKind::Jira, operation, spoil);
    }
    let why = spoiled(&good, TrackerKind::Jira, "createIssue", |asked| {
        renamed(&mut asked.body["fields"], "duedate", "dueDate");
    });
    assert!(why.contains("'dueDate'") && why.starts_with("createIssue: "), "{why}");
}

#[tokio::test]
async fn a_request_that_the_description_of_github_does_not_know_is_found() {
    let good = good(TrackerKind::GitHub).await;
    let create: [Spoil; 11] = [
        |asked| renamed(&mut asked.body, "labels", "label"),
        |asked| renamed(&mut asked.body, "title", "titel"),
        |asked| asked.body["title"] = json!(5),
        |asked| asked.body["title"] = json!("x".repeat(257)),
        |asked| asked.body["title"] = json!("two\nlines"),
        |asked| asked.body["body"] = Value::Null,
        |asked| asked.body["body"] = json!("x".repeat(GITHUB_TEXT + 1)),
        |asked| asked.body["labels"] = json!("vulnerability"),
        |asked| asked.body["labels"] = json!(["x".repeat(51)]),
        |asked| asked.path = asked.path.replace("issues", "issue"),
        |asked| asked.body = Value::Null,
    ];
    for spoil in create.into_iter().chain(HEADERS) {
        spoiled(&good, TrackerKind::GitHub, "issues/create", spoil);
    }
    let others: [(&str, Spoil); 12] = [
        ("issues/create", |asked| drop(asked.headers.remove("x-github-api-version"))),
        ("issues/update", |asked| asked.body = json!({"state": "done"})),
        ("issues/update", |asked| asked.body = json!({"state": "closed", "state_reason": "fixed"})),
        ("issues/update", |asked| asked.body = json!({"stat": "closed"})),
        ("issues/update", |asked| asked.path = asked.path.replace("issues/", "issues/x")),
        ("issues/create-comment", |asked| asked.body["body"] = json!({"type": "doc"})),
        ("issues/create-comment", |asked| renamed(&mut asked.body, "body", "text")),
        ("issues/list-for-repo", |asked| asked.path = asked.path.replace("=all", "=any")),
        ("issues/list-for-repo", |asked| asked.path = asked.path.replace("page=1", "page=first")),
        ("issues/list-for-repo", |asked| asked.path = asked.path.replace("since=2", "since=on-2")),
        ("issues/list-comments", |asked| asked.path.push_str("&sort=created")),
        ("issues/get", |asked| asked.path.push_str("/events")),
    ];
    for (operation, spoil) in others {
        spoiled(&good, TrackerKind::GitHub, operation, spoil);
    }
}

/// What each request must have in its head.
const HEADERS: [Spoil; 6] = [
    |asked| drop(asked.headers.remove("content-type")),
    |asked| drop(asked.headers.insert("content-type".to_owned(), "text/plain".to_owned())),
    |asked| drop(asked.headers.remove("accept")),
    |asked| drop(asked.headers.remove("user-agent")),
    |asked| drop(asked.headers.remove("authorization")),
    |asked| drop(asked.headers.insert("authorization".to_owned(), "t0ken".to_owned())),
];

/// What somebody might try.
const NASTY: &[&str] = &[
    "@octocat",
    "@acme/security",
    "[~accountid:5b10a2844c20165700ede21g]",
    "[~admin]",
    "{code}",
    "{noformat}",
    "{color:red}red{color}",
    "h1. heading",
    "!https://evil.example/x.png!",
    "[a|https://evil.example]",
    "</details>",
    "<details><summary>a</summary>",
    "<img src=https://evil.example/x.png>",
    "<script>alert(1)</script>",
    "<!--",
    "closes #1",
    "fixes acme/security#1",
    "GH-12",
    "0123456789abcdef0123456789abcdef01234567",
    "https://evil.example",
    "http://evil.example/x?y=z",
    "www.evil.example",
    "mailto:a@evil.example",
    "[a](https://evil.example)",
    "![a](https://evil.example/x.png)",
    "[a]: https://evil.example",
    "```\nrm\n```",
    "`",
    "| a | b |\n|---|---|",
    "# heading",
    "- [ ] task",
    "> [!NOTE]",
    "$a$",
    ":smile:",
    "*",
    "_a_",
    "\\",
    "&#64;octocat",
    "\u{0}\u{7}\u{1b}[31m",
    "a\r\n\r\nb",
    "\u{85}\u{2028}\u{2029}",
    "\u{202e}gnp.exe\u{2066}",
    "a\u{200b}\u{feff}b",
    "脆弱性@here",
    "\u{1f4a3}",
    "\"}]}",
    MARK,
];

/// Addresses that findings come with. Those that are harmless are first.
const ADDRESSES: [&str; 9] = [
    "https://security.example/advisories/CVE-2026-10001?a=1&b=2#fix",
    "https://evil.example/x",
    "http://plain.example/x",
    "javascript:alert(1)",
    "https://nvd.nist.gov@evil.example/CVE-2026-10001",
    "https://a.example/](https://evil.example)",
    "https://a.example/<b>",
    "//evil.example",
    "",
];
const HARMLESS: usize = 2;

/// A text of a stranger.
fn stranger() -> BoxedStrategy<String> {
    let some = (prop::collection::vec(select(NASTY), 1..4), select(&["", " ", "\n"][..]));
    let long = select(NASTY).prop_map(|trick| {
        let text = format!("{trick} ").repeat(4_000);
        text.chars().take(4_000).collect()
    });
    prop_oneof![
        6 => some.prop_map(|(parts, between)| parts.join(between)),
        1 => long,
        1 => nasty(),
        1 => any::<String>(),
    ]
    .boxed()
}

/// Gives a finding of one of three kinds all the texts that strangers may write.
fn estrange(finding: &mut Value, kind: usize, texts: &[String], addresses: &[&str]) {
    let mut texts = texts.iter().cycle();
    let mut next = || texts.next().unwrap().clone();
    finding["title"] = next().into();
    finding["description"] = next().into();
    finding["remediation"] = json!({"recommendation": {"text": next(), "Url": addresses[0]}});
    let resource = &mut finding["resources"][0];
    resource["id"] = format!("{}{}", resource["id"].as_str().unwrap(), next()).into();
    resource["tags"] = json!({"Name": next(), "owner": next()});
    match kind {
        0 => {
            let details = &mut finding["packageVulnerabilityDetails"];
            details["sourceUrl"] = json!(addresses[1]);
            details["source"] = next().into();
            details["vulnerablePackages"] = (0..5)
                .map(|_| {
                    json!({"name": next(), "version": next(), "fixedInVersion": next(),
                        "filePath": next(), "remediation": next()})
                })
                .collect();
            finding["severity"] = json!("CRITICAL");
        }
        1 => {
            // An event without one is refused.
            resource["type"] = format!("x{}", next()).into();
            resource["region"] = next().into();
            finding["packageVulnerabilityDetails"]["vulnerabilityId"] = next().into();
        }
        _ => {
            finding["type"] = json!("CODE_VULNERABILITY");
            finding.as_object_mut().unwrap().remove("packageVulnerabilityDetails");
            finding["codeVulnerabilityDetails"] = json!({
                "cwes": [next()], "detectorId": next(), "detectorName": next(),
                "filePath": {"fileName": next(), "filePath": next(), "startLine": 1, "endLine": 2},
            });
        }
    }
}

/// A ticket of such findings, from its beginning to its end.
async fn strange_life(kind: TrackerKind, strange: impl Fn(&mut Value)) -> Desk {
    let desk = Desk::new(kind).await;
    desk.event(1, &strange).await;
    desk.event(2, &strange).await;
    follow(&desk, &[1, 2]).await;
    desk.event(3, &strange).await;
    desk.event(1, |finding| {
        strange(finding);
        exploited(finding);
    })
    .await;
    follow(&desk, &[1, 3]).await;
    for number in [1, 2, 3] {
        is_fixed(&desk, number, &strange).await;
    }
    follow(&desk, &[1, 2, 3]).await;
    desk
}

/// Whether an address is one of the pages that tickets link to.
fn is_page(url: &str, given: &[&str]) -> bool {
    let host = url.strip_prefix("https://").and_then(|rest| rest.split(['/', '?', '#']).next());
    let cve = url.strip_prefix("https://nvd.nist.gov/vuln/detail/CVE-");
    cve.is_some_and(|cve| cve.bytes().all(|byte| byte.is_ascii_digit() || byte == b'-'))
        || host.is_some_and(|host| host.ends_with(".console.aws.amazon.com"))
        || given.contains(&url) && ADDRESSES[..HARMLESS].contains(&url)
}

/// What of a text could not be read as it stands: what ends lines, and what turns them around.
fn unseen(text: &str) -> bool {
    text.chars()
        .any(|c| c.is_control() || matches!(c, '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}'))
}

/// What is alive in a document of Atlassian's and is not meant to be.
fn alive_in_adf(node: &Value, given: &[&str]) -> Vec<String> {
    let mut alive = Vec::new();
    let is_known = match node["type"].as_str().unwrap_or_default() {
        "doc" | "heading" | "paragraph" | "bulletList" | "listItem" | "strong" | "code" => true,
        "text" => !unseen(node["text"].as_str().unwrap_or_default()),
        "link" => is_page(node["attrs"]["href"].as_str().unwrap_or_default(), given),
        _ => false,
    };
    if !is_known {
        alive.push(node.to_string());
    }
    for field in ["content", "marks"] {
        let inner = node[field].as_array().into_iter().flatten();
        alive.extend(inner.flat_map(|inner| alive_in_adf(inner, given)));
    }
    alive
}

/// What is alive in Markdown as GitHub reads it and is not meant to be.
fn alive_in_markdown(text: &str, given: &[&str]) -> Vec<String> {
    let mut options = Options::default();
    options.extension.autolink = true;
    options.extension.table = true;
    options.extension.tasklist = true;
    options.extension.strikethrough = true;
    options.extension.footnotes = true;
    options.extension.alerts = true;
    options.extension.math_dollars = true;
    options.extension.math_code = true;
    let (arena, mut alive) = (Arena::new(), Vec::new());
    for node in parse_document(&arena, text, &options).descendants() {
        let value = &node.data().value;
        let is_known = match value {
            NodeValue::Document
            | NodeValue::Paragraph
            | NodeValue::Strong
            | NodeValue::Item(_)
            | NodeValue::SoftBreak => true,
            NodeValue::List(list) => list.list_type == ListType::Bullet,
            NodeValue::Heading(heading) => heading.level == 3 && !heading.setext,
            NodeValue::Code(code) => !unseen(&code.literal),
            NodeValue::Text(text) => {
                let lower = text.to_ascii_lowercase();
                let signs = ["@", "#", "://", "www.", "gh-", "mailto:", "$"];
                !signs.iter().any(|sign| lower.contains(sign)) && !unseen(text)
            }
            NodeValue::Link(link) => is_page(&link.url, given) && link.title.is_empty(),
            _ => false,
        };
        if !is_known {
            alive.push(format!("{value:?}"));
        }
    }
    alive
}

/// What is alive in a request and is not meant to be.
fn alive(asked: &Asked, given: &[&str]) -> Vec<String> {
    let mut alive = Vec::new();
    for title in [&asked.body["title"], &asked.body["fields"]["summary"]] {
        let title = title.as_str().unwrap_or_default();
        let lower = title.to_ascii_lowercase();
        if unseen(title) || lower.contains("://") || lower.contains("www.") {
            alive.push(title.to_owned());
        }
    }
    for text in [&asked.body["body"], &asked.body["fields"]["description"]] {
        match text {
            Value::Null => {}
            Value::String(text) => alive.extend(alive_in_markdown(text, given)),
            document => alive.extend(alive_in_adf(document, given)),
        }
    }
    alive
}

#[test]
fn what_is_alive_is_found() {
    let given = &ADDRESSES[..];
    let link = |href: &str| json!({"type": "text", "text": "a", "marks": [{"type": "link", "attrs": {"href": href}}]});
    for page in [
        ADDRESSES[0],
        "https://nvd.nist.gov/vuln/detail/CVE-2026-10001",
        "https://eu-central-1.console.aws.amazon.com/inspector/v2/home",
    ] {
        assert!(alive_in_adf(&link(page), given).is_empty());
        assert!(alive_in_markdown(&format!("[a]({page})"), given).is_empty());
    }
    assert_eq!(alive_in_adf(&link(ADDRESSES[0]), &[]).len(), 1);
    for address in ADDRESSES.iter().skip(HARMLESS) {
        assert_eq!(alive_in_adf(&link(address), given).len(), 1, "{address}");
    }
    for node in [json!({"type": "mention"}), json!({"type": "text", "text": "a\u{202e}"})] {
        let document =
            json!({"type": "doc", "content": [{"type": "paragraph", "content": [node]}]});
        assert_eq!(alive_in_adf(&document, given).len(), 1);
    }
    for text in [
        "@octocat",
        "closes #1",
        "https://other.example",
        "www.evil.example",
        "![a](https://evil.example/x.png)",
        "[a](https://other.example)",
        "<b>",
        "</details>",
        "- [ ] task",
        "# heading",
        "---",
    ] {
        assert!(!alive_in_markdown(text, given).is_empty(), "{text}");
    }
}

#[tokio::test]
async fn a_ticket_that_is_too_long_is_cut_to_a_valid_one() {
    let long = "*_@octocat <脆弱性> ".repeat(250);
    let strange = |finding: &mut Value| {
        estrange(finding, 1, std::slice::from_ref(&long), &[ADDRESSES[0], ADDRESSES[1]]);
    };
    for (kind, limit) in [(TrackerKind::Jira, JIRA_TEXT), (TrackerKind::GitHub, GITHUB_TEXT)] {
        let desk = Desk::new(kind).await;
        let numbers: Vec<usize> = (0..100).collect();
        let (open, hidden) = numbers.split_at(50);
        for number in &numbers {
            desk.event(*number, strange).await;
        }
        for some in numbers.chunks(25) {
            follow(&desk, some).await;
        }
        for number in hidden {
            desk.event(*number, |finding| {
                strange(finding);
                finding["status"] = json!("SUPPRESSED");
            })
            .await;
        }
        follow(&desk, hidden).await;
        follow(&desk, open).await;
        let (wrong, _) = checked(&desk, kind);
        assert!(wrong.is_empty(), "{}", wrong.join("\n"));
        let ticket = desk.ticket();
        let text = ticket.text.as_str().map_or_else(|| ticket.text.to_string(), str::to_owned);
        assert!(text.len() > limit * 4 / 5, "{} of {limit}", text.len());
        // A last paragraph says that something is missing.
        let is_cut = match kind {
            TrackerKind::Jira => {
                let last = ticket.text["content"].as_array().unwrap().last().unwrap();
                last["content"] == json!([{"type": "text", "text": "…"}])
            }
            TrackerKind::GitHub => text.contains("\n\n…\n"),
        };
        assert!(is_cut, "{text}");
        for asked in &desk.tracker.state().requests {
            assert!(alive(asked, &ADDRESSES).is_empty());
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]
    #[test]
    fn tickets_of_findings_that_strangers_wrote_are_valid_and_harmless(
        texts in prop::collection::vec(stranger(), 12..36),
        addresses in prop::array::uniform2(select(&ADDRESSES[..])),
        kind in 0_usize..3,
        is_jira in any::<bool>(),
    ) {
        let tracker = if is_jira { TrackerKind::Jira } else { TrackerKind::GitHub };
        let runtime = runtime::Builder::new_current_thread().enable_all().build().unwrap();
        let strange = |finding: &mut Value| estrange(finding, kind, &texts, &addresses);
        let desk = runtime.block_on(strange_life(tracker, strange));
        let (wrong, _) = checked(&desk, tracker);
        prop_assert!(wrong.is_empty(), "{}", wrong.join("\n"));
        // Both are written: what the ticket says, and what comments say.
        let tickets = desk.tracker.state().tickets.clone();
        let is_over = |ticket: &Ticket| {
            ["Done", "closed"].contains(&ticket.status.as_str()) && !ticket.comments.is_empty()
        };
        prop_assert!(!tickets.is_empty() && tickets.iter().all(is_over), "{:?}", tickets);
        for asked in &desk.tracker.state().requests {
            let alive = alive(asked, &addresses);
            prop_assert!(alive.is_empty(), "{:?}\nin {}", alive, asked.body);
        }
    }
}
