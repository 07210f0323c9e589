//! A judgement as SARIF 2.1.0, as GitHub's code scanning takes it:
//! <https://docs.github.com/en/code-security/code-scanning/integrating-with-code-scanning/sarif-support-for-code-scanning>.
//!
//! An alert there is a rule, a place and a fingerprint. If one of these moves whenever an image is built anew, each build
//! closes all alerts and opens them again, and what people decided is lost. So nothing of a tag, a digest or a version is
//! part of them.

mod model;
mod place;

use std::collections::{BTreeMap, HashMap};

use self::model::{
    ArtifactLocation, AutomationDetails, Configuration, Driver, Invocation, Location, Log,
    MarkdownMessage, Message, Notification, PhysicalLocation, Region, ResultProperties, Rule,
    RuleProperties, Run, RunProperties, SarifResult, Suppression, Tool,
};
use super::{
    NotWritten, json,
    quote::{code, data, plain, prose},
    words,
};
use crate::{
    domain::{
        assess::Priority,
        finding::{Details, Finding, FindingType, Severity},
        gate::{Gate, Judged, Standing},
        text,
    },
    render::view,
};

/// What can be chosen.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct SarifOptions {
    /// Whether excepted findings are there, too, as suppressed ones. GitHub does not know these and would open alerts.
    pub with_excepted: bool,
}

/// How many results GitHub takes of a run.
const RESULTS: usize = 25_000;
/// How many tags GitHub takes of a rule.
const TAGS: usize = 20;
/// How many characters of a description GitHub shows.
const DESCRIPTION: usize = 1000;

/// The fingerprint of ours, with its version: another way to make it gets another name.
const FINGERPRINT: &str = "inspectorTriage/v1";
/// The one that GitHub takes, which it makes from the lines of a file where the file is in the repository.
const LINE_HASH: &str = "primaryLocationLineHash";

/// The SARIF of a judgement.
pub fn of(gate: &Gate, options: SarifOptions) -> Result<String, NotWritten> {
    Ok(serde_json::to_string_pretty(&log(gate, options, RESULTS))? + "\n")
}

/// With the `most` urgent results.
fn log(gate: &Gate, options: SarifOptions, most: usize) -> Log<'_> {
    let is_told =
        |one: &&Judged| options.with_excepted || !matches!(one.standing, Standing::Excepted(_));
    let told: Vec<&Judged> = gate.judgement.findings.iter().filter(is_told).collect();
    let shown = &told[..told.len().min(most)];
    let left_out = told.len() - shown.len();
    let (rules, places) = rules(shown);
    let repository = env!("CARGO_PKG_REPOSITORY");
    let driver = Driver {
        name: env!("CARGO_PKG_NAME"),
        semantic_version: env!("CARGO_PKG_VERSION"),
        information_uri: Some(repository).filter(|uri| !uri.is_empty()),
        rules,
    };
    Log {
        schema: "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json",
        version: "2.1.0",
        runs: [Run {
            tool: Tool { driver },
            automation_details: AutomationDetails { id: category(&gate.subject.stable_name) },
            invocations: [invocation(gate, most, left_out)],
            column_kind: "unicodeCodePoints",
            results: results(gate, shown, &places),
            properties: RunProperties { counts: json::Numbers::of(&gate.judgement) },
        }],
    }
}

fn invocation(gate: &Gate, most: usize, left_out: usize) -> Invocation {
    let warning = |text: &str| Notification { level: "warning", message: message(text) };
    let cut = (left_out > 0).then(|| {
        warning(&format!(
            "Less urgent and left out: {left_out}. GitHub takes {most} results at most."
        ))
    });
    let notes = gate.notes.iter().map(|note| warning(&words::note(note)));
    let all: Vec<Notification> = cut.into_iter().chain(notes).collect();
    Invocation {
        execution_successful: true,
        end_time_utc: gate.judgement.now,
        tool_execution_notifications: (!all.is_empty()).then_some(all),
    }
}

/// What is told of together: a later upload of the same category takes the place of an earlier one.
fn category(stable_name: &str) -> String {
    let is_taken = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '-' | '/');
    let name: String =
        text::short(stable_name, 200).chars().map(|c| if is_taken(c) { c } else { '-' }).collect();
    format!("{}/{}/", env!("CARGO_PKG_NAME"), name.trim_matches('/'))
}

/// The id of the rule that a finding breaks: the problem.
fn rule_id(finding: &Finding) -> String {
    let id = plain(&finding.problem(), 200);
    if id.is_empty() { "unnamed".to_owned() } else { id }
}

/// A rule for each problem, in the order of the findings, and where each is.
fn rules(findings: &[&Judged]) -> (Vec<Rule>, HashMap<String, usize>) {
    let mut places: HashMap<String, usize> = HashMap::new();
    let mut all: Vec<Vec<&Judged>> = Vec::new();
    for one in findings {
        let place = *places.entry(rule_id(&one.finding)).or_insert_with(|| {
            all.push(Vec::new());
            all.len() - 1
        });
        all[place].push(one);
    }
    (all.iter().map(|findings| rule(findings)).collect(), places)
}

/// The rule of findings that have the same problem; the first is the most urgent.
fn rule(findings: &[&Judged]) -> Rule {
    let first = &findings[0].finding;
    let id = rule_id(first);
    let title = first.title.as_deref().unwrap_or(&id);
    let description = first.description.as_deref().unwrap_or(title);
    let helps = format!("{} {}", words::what_helps(first, plain), plain(description, DESCRIPTION));
    let markdown =
        format!("**{}**\n\n{}\n", words::what_helps(first, code), prose(description, DESCRIPTION));
    let is_https = |(_, url): &(view::Page, String)| url.starts_with("https://");
    let is_about = |(page, _): &(view::Page, String)| {
        matches!(page, view::Page::Vendor | view::Page::Nvd | view::Page::Advice)
    };
    let mut links = view::links(first).into_iter();
    Rule {
        short_description: message(&plain(title, 200)),
        full_description: message(&plain(description, DESCRIPTION)),
        default_configuration: Configuration { level: level(findings[0]) },
        help_uri: links.find(|link| is_https(link) && is_about(link)).map(|(_, url)| url),
        help: MarkdownMessage { text: message(&helps).text, markdown },
        properties: RuleProperties {
            tags: tags(findings),
            security_severity: security_severity(findings),
        },
        id,
    }
}

fn tags(findings: &[&Judged]) -> Vec<String> {
    let first = &findings[0].finding;
    let mut tags = vec!["security".to_owned()];
    tags.extend(match &first.kind {
        FindingType::PackageVulnerability => Some("vulnerability".to_owned()),
        FindingType::CodeVulnerability => Some("code".to_owned()),
        FindingType::NetworkReachability => Some("network".to_owned()),
        FindingType::Other(_) => None,
    });
    if findings.iter().any(|one| one.is_known_exploited()) {
        tags.push("known-exploited".to_owned());
    }
    if let Details::Code(code) = &first.details {
        // As CodeQL has them, and GitHub shows them.
        tags.extend(
            code.cwes
                .iter()
                .map(|cwe| format!("external/cwe/{}", text::short(cwe, 60).to_ascii_lowercase())),
        );
    }
    let mut tags = words::distinct(tags);
    tags.truncate(TAGS);
    tags
}

/// The severity that GitHub shows: the highest score that the problem got from anybody, or else one that fits Inspector's word.
/// 0 is none there.
fn security_severity(findings: &[&Judged]) -> String {
    const LEAST: f64 = 0.1;
    let scores = findings.iter().flat_map(|one| {
        let cvss = one.finding.package().map_or(&[][..], |package| &package.cvss);
        cvss.iter().filter_map(|entry| entry.score).chain(one.finding.inspector_score)
    });
    let by_word = |severity: &Severity| match severity {
        Severity::Critical => 9.5,
        Severity::High => 8.0,
        Severity::Medium | Severity::Untriaged | Severity::Other(_) => 5.5,
        Severity::Low => 2.0,
        Severity::Informational => LEAST,
    };
    let highest = scores.filter(|score| *score > 0.0).max_by(f64::total_cmp);
    let by_words =
        || findings.iter().map(|one| by_word(&one.finding.severity)).fold(LEAST, f64::max);
    format!("{:.1}", highest.unwrap_or_else(by_words).clamp(LEAST, 10.0))
}

fn level(one: &Judged) -> &'static str {
    match one.assessment.priority {
        _ if one.standing.closes() => "error",
        Priority::P1 | Priority::P2 => "error",
        Priority::P3 => "warning",
        Priority::P4 => "note",
    }
}

fn results<'a>(
    gate: &'a Gate,
    shown: &[&'a Judged],
    rules: &HashMap<String, usize>,
) -> Vec<SarifResult<'a>> {
    let fingerprints = fingerprints(&gate.subject.stable_name, shown);
    shown
        .iter()
        .zip(fingerprints)
        .map(|(one, fingerprint)| result(gate, one, rules, fingerprint))
        .collect()
}

fn result<'a>(
    gate: &'a Gate,
    one: &'a Judged,
    rules: &HashMap<String, usize>,
    fingerprint: String,
) -> SarifResult<'a> {
    let finding = &one.finding;
    let rule_id = rule_id(finding);
    let said = format!(
        "{} {}, {} points: {}. It {}",
        words::what_helps(finding, plain),
        one.assessment.priority,
        one.assessment.score,
        words::why(one, plain),
        match &one.standing {
            Standing::Excepted(_) | Standing::LessUrgent => {
                format!("is {}", words::standing(&one.standing, plain))
            }
            standing => words::standing(standing, plain),
        },
    );
    let code = match &finding.details {
        Details::Code(code) => Some(code),
        _ => None,
    };
    let mut partial_fingerprints = BTreeMap::from([(FINGERPRINT, fingerprint.clone())]);
    if code.is_none() {
        partial_fingerprints.insert(LINE_HASH, fingerprint);
    }
    let start_line = code.and_then(|code| code.start_line).unwrap_or(1).max(1);
    SarifResult {
        rule_index: rules.get(&rule_id).copied().unwrap_or_default(),
        rule_id,
        level: level(one),
        rank: f64::from(one.assessment.score),
        message: message(&said),
        locations: [Location {
            physical_location: PhysicalLocation {
                artifact_location: ArtifactLocation { uri: place::uri(gate, finding) },
                region: Region {
                    start_line,
                    end_line: code
                        .and_then(|code| code.end_line)
                        .filter(|line| *line >= start_line),
                },
            },
        }],
        partial_fingerprints,
        suppressions: suppression(gate, one).map(|one| [one]),
        properties: ResultProperties {
            priority: one.assessment.priority.as_str(),
            standing: json::standing(&one.standing),
            epss: words::epss(one),
            known_exploited: one.is_known_exploited(),
            packages: json::packages(one),
            finding_arn: data(&finding.arn),
        },
    }
}

fn suppression(gate: &Gate, one: &Judged) -> Option<Suppression> {
    let Standing::Excepted(by) = &one.standing else {
        return None;
    };
    let covering = gate.judgement.covering.iter().find(|covering| covering.by == *by);
    Some(Suppression {
        kind: "external",
        status: "accepted",
        justification: covering.map_or_else(
            || words::standing(&one.standing, plain),
            |covering| words::excepted(covering, plain),
        ),
    })
}

/// The fingerprints of findings. Of several that have one, as the same problem at two lines of a file or on two platforms of an
/// image, each has a number.
fn fingerprints(stable_name: &str, findings: &[&Judged]) -> Vec<String> {
    let line = |one: &Judged| match &one.finding.details {
        Details::Code(code) => code.start_line,
        _ => None,
    };
    let mut order: Vec<usize> = (0..findings.len()).collect();
    order.sort_by_key(|&at| line(findings[at]));
    let mut numbers: HashMap<String, usize> = HashMap::new();
    let mut all = vec![String::new(); findings.len()];
    for at in order {
        let fingerprint = place::fingerprint(stable_name, &findings[at].finding);
        let number = numbers.entry(fingerprint.clone()).or_default();
        *number += 1;
        all[at] = format!("{fingerprint}:{number}");
    }
    all
}

/// A sentence as a plain message. Brackets would be a link (SARIF 2.1.0, 3.11.6), braces a place for an argument (3.11.5).
fn message(text: &str) -> Message {
    let mut out = String::with_capacity(text.len() + 8);
    for c in text.chars() {
        match c {
            '\\' | '[' | ']' => out.extend(['\\', c]),
            '{' => out.push('('),
            '}' => out.push(')'),
            _ => out.push(c),
        }
    }
    if !out.ends_with(['.', '!', '?', text::ELLIPSIS]) {
        out.push('.');
    }
    Message { text: out }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::domain::{
        assess::Policy,
        finding::sample,
        gate::{Candidate, Judging, Rules, Subject, judge},
        ledger::Ledger,
    };

    fn gate(findings: Vec<Finding>) -> Gate {
        let candidates =
            findings.into_iter().map(|finding| Candidate { finding, threat: None }).collect();
        let (policy, ledger) = (Policy::default(), Ledger::default());
        let now = "2026-11-20T12:00:00Z".parse().unwrap();
        let rules = Rules::default();
        let judging = Judging { rules, policy: &policy, ledger: &ledger, baseline: None, now };
        let (name, stable_name) = ("crm/web:1.4".to_owned(), "crm/web".to_owned());
        let subject = Subject { name, stable_name, scans: Vec::new() };
        Gate { subject, new_since: None, judgement: judge(candidates, &judging), notes: Vec::new() }
    }

    fn numbered(number: usize, score: f64) -> Finding {
        sample::with(|f| {
            f["findingArn"] = json!(format!(
                "arn:aws:inspector2:eu-central-1:111122223333:finding/{number:032x}"
            ));
            f["epss"] = json!({"score": score});
        })
    }

    #[test]
    fn of_too_many_results_the_most_urgent_are_told_and_how_many_are_not() {
        let gate = gate(vec![numbered(1, 0.1), numbered(2, 0.9), numbered(3, 0.5)]);
        let log = log(&gate, SarifOptions::default(), 2);
        let run = &log.runs[0];
        let epss: Vec<_> = run.results.iter().map(|one| one.properties.epss).collect();
        assert_eq!(epss, [Some(0.9), Some(0.5)]);
        let notes = run.invocations[0].tool_execution_notifications.as_ref().unwrap();
        let expected = "Less urgent and left out: 1. GitHub takes 2 results at most.";
        assert_eq!(notes[0].message.text, expected);
        assert_eq!(run.properties.counts.total, 3, "the counts are of all");
    }

    #[test]
    fn a_category_stays_and_has_no_letters_that_mean_something() {
        assert_eq!(category("crm/web"), "inspector-triage/crm/web/");
        assert_eq!(category("a b:c@d"), "inspector-triage/a-b-c-d/");
    }

    #[test]
    fn a_severity_is_the_highest_that_anybody_gave_and_never_nothing() {
        let severity = |change: &dyn Fn(&mut serde_json::Value)| {
            let gate = gate(vec![sample::with(change)]);
            security_severity(&gate.judgement.findings.iter().collect::<Vec<_>>())
        };
        assert_eq!(severity(&|_| {}), "8.1");
        assert_eq!(
            severity(&|f| f["packageVulnerabilityDetails"]["cvss"] = json!([{"baseScore": 9.8}])),
            "9.8"
        );
        assert_eq!(severity(&|f| f["inspectorScore"] = json!(0.0)), "8.0");
        let informational = |f: &mut serde_json::Value| {
            f["inspectorScore"] = json!(null);
            f["severity"] = json!("INFORMATIONAL");
        };
        assert_eq!(severity(&informational), "0.1");
    }

    #[test]
    fn a_message_has_neither_links_nor_arguments() {
        let text = message("a [b](c) {0} d\\e").text;
        assert_eq!(text, "a \\[b\\](c) (0) d\\\\e.");
    }
}
