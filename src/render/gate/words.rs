//! A judgement in words. English, as the command line is.

use std::cmp::Reverse;

use super::quote::{Quote, data, end_of, plain};
use crate::{
    domain::{
        assess::{Assessment, Factor, Priority},
        finding::{Finding, FixAvailable, Remediation, VulnerablePackage},
        gate::{
            Counts, CoveredBy, Covering, Gate, Judged, Note, Rules, Scan, Standing, Threshold,
            Unchecked, UpdateWorth, Verdict,
        },
        ledger::Decision,
        text,
        threat::Listing,
    },
    render::{
        view::moment,
        words::{self, Day, Percent, number_of},
    },
};

/// How many characters of a name there is room for.
pub const NAME: usize = 80;
/// How many characters of what strangers say there is room for.
pub const SAID: usize = 300;
/// How many names a sentence has before it says how many more there are.
const NAMED: usize = 3;

/// The first of several names, and how many more there are.
pub fn few<'a>(
    names: impl IntoIterator<Item = &'a str>,
    most: usize,
    max: usize,
    quote: Quote,
) -> String {
    let names: Vec<&str> = names.into_iter().collect();
    let first: Vec<String> = names.iter().take(most).map(|name| quote(name, max)).collect();
    match names.len().saturating_sub(most) {
        0 => first.join(", "),
        more => format!("{} and {more} more", first.join(", ")),
    }
}

/// What closes the gate.
fn rules(rules: Rules, new_since: Option<&str>, quote: Quote) -> String {
    let from = match rules.fail_on {
        Threshold::Priority(Priority::P1) => "P1".to_owned(),
        Threshold::Priority(priority) => format!("{priority} or more urgent"),
        Threshold::Score(score) => format!("a score of {score} or more"),
    };
    let with = if rules.only_fixable { " with a fix" } else { "" };
    let new = new_since.map(|before| format!(" and not in {}", quote(before, 200)));
    format!("{from}{with}{}, or known to be exploited", new.unwrap_or_default())
}

/// The verdict in a line.
pub fn verdict(gate: &Gate, quote: Quote) -> String {
    let counts = &gate.judgement.counts;
    let (subject, total) = (quote(&gate.subject.name, 200), number_of(counts.total, "finding"));
    let rules = rules(gate.judgement.rules, gate.new_since.as_deref(), quote);
    match (gate.judgement.verdict(), counts.closing()) {
        (Verdict::Open, _) if counts.total == 0 => {
            format!("open: no findings in {subject} ({rules})")
        }
        (Verdict::Open, _) => {
            format!("open: none of {total} in {subject} closes the gate ({rules})")
        }
        (Verdict::Closed, 1) => {
            format!("closed: 1 of {total} in {subject} closes the gate ({rules})")
        }
        (Verdict::Closed, closing) => {
            format!("closed: {closing} of {total} in {subject} close the gate ({rules})")
        }
    }
}

/// How many findings stand how, in a line.
pub fn counts(counts: &Counts) -> String {
    let some = |parts: &[(usize, &str)]| -> Vec<String> {
        let there = parts.iter().filter(|(number, _)| *number > 0);
        there.map(|(number, what)| format!("{number} {what}")).collect()
    };
    let mut line = number_of(counts.total, "finding");
    if counts.closing() > 0 {
        let why = [(counts.known_exploited, "known to be exploited"), (counts.urgent, "urgent")];
        let close = if counts.closing() == 1 { "closes" } else { "close" };
        let close = format!(", {} {close} the gate ({})", counts.closing(), some(&why).join(", "));
        line += &close;
    }
    let rest = some(&[
        (counts.excepted, "excepted"),
        (counts.less_urgent, "less urgent"),
        (counts.not_new, "there before"),
        (counts.not_fixable, "without a fix"),
    ]);
    for part in rest {
        line += ", ";
        line += &part;
    }
    line
}

/// How a finding stands, in words.
pub fn standing(standing: &Standing, quote: Quote) -> String {
    match standing {
        Standing::KnownExploited => "closes the gate: CISA lists it as exploited".to_owned(),
        Standing::Urgent => "closes the gate: as urgent as the rules say".to_owned(),
        Standing::Excepted(by) => format!("excepted by {}", covered_by(by, quote)),
        Standing::LessUrgent => "less urgent than the rules say".to_owned(),
        Standing::NotNew => "was there before".to_owned(),
        Standing::NotFixable => "has no fix, which the rules let be".to_owned(),
    }
}

/// What findings are excepted by.
pub fn covered_by(by: &CoveredBy, quote: Quote) -> String {
    match by {
        CoveredBy::Exception(id) => format!("the exception {}", quote(id, NAME)),
        CoveredBy::Rule => "a suppression rule of Inspector".to_owned(),
    }
}

/// What was decided, in a word or two.
pub fn decision(decision: Decision) -> &'static str {
    match decision {
        Decision::Accept => "accept",
        Decision::Defer => "defer",
        Decision::NotAffected => "not affected",
        Decision::FalsePositive => "false positive",
    }
}

/// How long something still covers findings.
pub fn days_left(covering: &Covering) -> String {
    match covering.days_left {
        None => "no end".to_owned(),
        Some(days) if days <= 1 => "last day: ENDS TODAY".to_owned(),
        Some(days) if covering.ends_soon() => format!("{days}: ENDS SOON"),
        Some(days) => days.to_string(),
    }
}

/// Something that findings are excepted by, in a sentence.
pub fn excepted(covering: &Covering, quote: Quote) -> String {
    let by = covered_by(&covering.by, quote);
    let Some(exception) = &covering.exception else {
        return format!("excepted by {by}, which has no end");
    };
    let ticket = exception.ticket.as_deref().map(|ticket| format!(", {}", quote(ticket, NAME)));
    let ends = match covering.days_left {
        Some(1) => ", which is today",
        _ if covering.ends_soon() => ", which is soon",
        _ => "",
    };
    format!(
        "excepted by {by} ({}) until {}{ends}; {}{}: {}",
        decision(exception.decision),
        exception.terms.expires_at,
        quote(&exception.owner, NAME),
        ticket.unwrap_or_default(),
        quote(&exception.reason, SAID),
    )
}

/// An update, and what it takes away.
pub fn update(worth: &UpdateWorth, quote: Quote) -> String {
    let packages = few(worth.update.packages.iter().map(String::as_str), NAMED, NAME, quote);
    let what = match &worth.update.version {
        None => format!("Install {packages}"),
        Some(version) => {
            let installed = few(worth.installed.iter().map(String::as_str), 2, NAME, quote);
            let from = if installed.is_empty() { installed } else { format!(" from {installed}") };
            format!("Update {packages}{from} to {}", quote(version, NAME))
        }
    };
    let go = if worth.findings == 1 { "goes" } else { "go" };
    let closing = match worth.closing {
        1 if worth.findings == 1 => "which closes the gate".to_owned(),
        closing if closing == worth.findings => "all of which close the gate".to_owned(),
        1 => "1 of them closes the gate".to_owned(),
        closing => format!("{closing} of them close the gate"),
    };
    let places: Vec<String> = worth.places.iter().map(|place| shown_place(place, NAME)).collect();
    let places = few(places.iter().map(String::as_str), 2, NAME, quote);
    let places = if places.is_empty() { places } else { format!(" ({places})") };
    format!("{what}: {} {go}, {closing}{places}", number_of(worth.findings, "finding"))
}

/// What to do about findings that close the gate and that no update takes away, a sentence for all of a kind.
pub fn without_update(findings: &[Judged], quote: Quote) -> Vec<String> {
    let (mut unfixed, mut unnamed, mut code) = (vec![], vec![], vec![]);
    let (mut ports, mut others) = (vec![], vec![]);
    for one in findings.iter().filter(|one| one.standing.closes()) {
        let problem = one.finding.problem();
        match Remediation::of(&one.finding) {
            Remediation::Mitigate(_) => unfixed.push(problem),
            Remediation::CheckForUpdate(_) => unnamed.push(problem),
            Remediation::Update { targets, .. } => {
                if targets.iter().all(|one| one.version.is_none() || one.packages.is_empty()) {
                    unnamed.push(problem);
                }
            }
            Remediation::FixCode { file, line } => {
                let line = line.map(|line| format!(":{line}")).unwrap_or_default();
                let file = file.map(|file| format!(" at {}{line}", end_of(&file, NAME)));
                code.push(format!("{problem}{}", file.unwrap_or_default()));
            }
            Remediation::ClosePort => ports.push(problem),
            Remediation::Investigate => others.push(problem),
            Remediation::InstallUpdate(_) => {}
        }
    }
    let sentence = |before: &str, problems: Vec<String>, after: &str| {
        // The same on each platform of an image.
        let problems = distinct(problems);
        let named = few(problems.iter().map(String::as_str), NAMED, 2 * NAME, quote);
        (!problems.is_empty()).then(|| format!("{before}{named}{after}"))
    };
    let sentences = [
        sentence(
            "There is no fix yet for ",
            unfixed,
            ": take the package out, or write into the ledger who lives with it, why and until when",
        ),
        sentence("See whether a newer package removes ", unnamed, ": Inspector names no version"),
        sentence("Fix the code: ", code, ""),
        sentence("Close or restrict ", ports, ", unless that is meant"),
        sentence("Look into ", others, ""),
    ];
    sentences.into_iter().flatten().collect()
}

/// What to do about a finding, in a sentence.
pub fn what_helps(finding: &Finding, quote: Quote) -> String {
    let remediation = Remediation::of(finding).map(|text| quote(text, NAME));
    words::what_helps(remediation, quote(&finding.problem(), NAME))
}

/// Why a finding is as urgent as it is, in few words: that CISA lists it, else what adds most to its score.
pub fn why(one: &Judged, quote: Quote) -> String {
    if let Some(listing) = listing(one) {
        return in_few_words(&Factor::KnownExploited { added: listing.added, action: None }, quote);
    }
    most(&one.assessment)
        .into_iter()
        .map(|factor| in_few_words(factor, quote))
        .collect::<Vec<_>>()
        .join(", ")
}

/// The one or two factors with most points, and that have more than a few.
fn most(assessment: &Assessment) -> Vec<&Factor> {
    let mut reasons: Vec<_> = assessment.reasons.iter().filter(|one| one.points > 0).collect();
    // Stable: of equal ones in their order.
    reasons.sort_by_key(|one| Reverse(one.points));
    reasons.into_iter().take(2).map(|one| &one.factor).collect()
}

fn in_few_words(factor: &Factor, quote: Quote) -> String {
    match factor {
        Factor::Epss { probability: Some(probability) } => format!("EPSS {}", Percent(probability)),
        Factor::Epss { probability: None } => "no EPSS yet".to_owned(),
        Factor::KnownExploited { added: Some(added), .. } => format!("KEV since {}", Day(added)),
        Factor::KnownExploited { added: None, .. } => "KEV".to_owned(),
        Factor::Fresh { days: Some(0), .. } => "new today".to_owned(),
        Factor::Fresh { days: Some(1), .. } => "1 day old".to_owned(),
        Factor::Fresh { days: Some(days), .. } => format!("{days} days old"),
        Factor::Fresh { days: None, .. } => "age unknown".to_owned(),
        Factor::OwnWeakness { internet: true } => "open to the internet".to_owned(),
        Factor::OwnWeakness { internet: false } => "your own weakness".to_owned(),
        Factor::Severity { severity, .. } => quote(severity.as_str(), 20).to_lowercase(),
        Factor::Exploit { .. } => "exploit known".to_owned(),
        Factor::Exposure { .. } => "exposed".to_owned(),
        Factor::Environment { key, value } => format!("{} {}", quote(key, 20), quote(value, 20)),
        Factor::Fix { fix } => match fix {
            Some(FixAvailable::Yes) => "fix there",
            Some(FixAvailable::Partial) => "fix in part",
            Some(FixAvailable::No) => "no fix",
            _ => "fix unknown",
        }
        .to_owned(),
    }
}

/// Where a package is: its file, or the layer of a function or of an image, in short. A stranger's text.
pub fn place(package: &VulnerablePackage, max: usize) -> Option<String> {
    package.place().map(|place| shown_place(place, max))
}

fn shown_place(place: &str, max: usize) -> String {
    match place.split_once(":layer:") {
        _ if is_digest(place) => format!("layer {}", short_digest(place)),
        Some((arn, layer)) if arn.starts_with("arn:") => format!("layer {}", end_of(layer, max)),
        _ => end_of(place, max),
    }
}

fn is_digest(text: &str) -> bool {
    text.strip_prefix("sha256:").is_some_and(|digits| digits.bytes().all(|b| b.is_ascii_hexdigit()))
}

/// A digest with as many digits as people compare; another text as it is.
fn short_digest(text: &str) -> String {
    const LENGTH: usize = "sha256:".len() + 12;
    let length = if is_digest(text) { LENGTH } else { usize::MAX };
    text.chars().take(length).collect()
}

/// A scan, and when it was.
pub fn scan(scan: &Scan, quote: Quote) -> String {
    let platform = scan.platform.as_deref().map(|platform| format!("{}, ", quote(platform, NAME)));
    format!(
        "{} ({}{})",
        quote(&short_digest(&scan.of), 120),
        platform.unwrap_or_default(),
        moment(scan.at)
    )
}

/// Why it is not known whether CISA lists something, and what to do.
fn unchecked(why: &Unchecked, quote: Quote) -> (String, &'static str) {
    match why {
        Unchecked::NotSaid => (
            "the files do not say".to_owned(),
            "Put beside the findings, as intelligence, what aws inspector2 batch-get-finding-details prints for them.",
        ),
        Unchecked::NoDetails => {
            ("Inspector has no details".to_owned(), "Look into CISA's catalogue where it matters.")
        }
        Unchecked::Failed(why) => (
            quote(why, SAID),
            "See that these credentials may call inspector2:BatchGetFindingDetails.",
        ),
    }
}

/// What whoever reads a judgement should know besides, in a harmless line.
pub fn note(note: &Note) -> String {
    quoted_note(note, plain)
}

/// The same with what strangers wrote as a format takes it.
pub fn quoted_note(note: &Note, quote: Quote) -> String {
    match note {
        Note::ScannedOnce { of, at } => format!(
            "{} was scanned when it was pushed ({}), and never again: what became known later is not found. Set continuous \
             scanning for its repository in ECR.",
            quote(of, 120),
            moment(*at),
        ),
        Note::Skipped { components, first, why } => format!(
            "{} of the SBOM {} {} ({}). Give what was skipped a package URL that Inspector knows, or look at it otherwise.",
            number_of(*components, "component"),
            if *components == 1 {
                "was not scanned, or not in full:"
            } else {
                "were not scanned, or not in full, such as"
            },
            quote(first, 120),
            quote(why, SAID),
        ),
        Note::Unchecked { vulnerabilities, why } => {
            let (of, them) = match vulnerabilities {
                1 => ("1 vulnerability".to_owned(), "it"),
                many => (format!("{many} vulnerabilities"), "them"),
            };
            let (why, todo) = unchecked(why, quote);
            format!("It is not known of {of} whether CISA lists {them} as exploited: {why}. {todo}")
        }
        Note::EndsSoon { exception, on } => format!(
            "The exception {} ends after {on}. Fix what it is about, or decide anew before it closes the gate.",
            quote(exception, NAME),
        ),
        Note::HiddenThoughExploited { problem } => format!(
            "A suppression rule of Inspector hides {}, which CISA lists as exploited. Take the rule away, or write into the \
             ledger who decided that, why and until when.",
            quote(problem, NAME),
        ),
    }
}

/// Names that are there once each, in their order.
pub fn distinct<T: PartialEq>(all: impl IntoIterator<Item = T>) -> Vec<T> {
    let mut distinct = Vec::new();
    for one in all {
        if !distinct.contains(&one) {
            distinct.push(one);
        }
    }
    distinct
}

/// The names of a finding's packages.
pub fn packages(finding: &Finding) -> Vec<&str> {
    let packages = finding.package().map_or(&[][..], |package| &package.packages);
    distinct(packages.iter().filter_map(|package| package.name.as_deref()))
}

/// The one EPSS of what an event says and what is known besides that counts.
pub fn epss(one: &Judged) -> Option<f64> {
    let counted = one.assessment.reasons.iter().find_map(|reason| match reason.factor {
        Factor::Epss { probability } => probability,
        _ => None,
    });
    counted.or_else(|| one.threat.as_ref()?.epss).or(one.finding.epss)
}

/// CISA's entry, if its catalogue has the vulnerability, as far as is known.
pub fn listing(one: &Judged) -> Option<&Listing> {
    one.threat.as_ref()?.listing()
}

/// A word of AWS's as data.
pub fn word(text: &str) -> String {
    data(&text::line(text))
}

#[cfg(test)]
mod tests {
    use jiff::Timestamp;

    use super::*;
    use crate::render::gate::quote::is_line;

    #[test]
    fn each_note_has_words_and_something_to_do() {
        let hostile = || "x\n::error::##[error]\u{1b}[31m https://a.example".to_owned();
        let notes = [
            Note::ScannedOnce { of: hostile(), at: Timestamp::UNIX_EPOCH },
            Note::Skipped { components: 2, first: hostile(), why: hostile() },
            Note::Unchecked { vulnerabilities: 1, why: Unchecked::Failed(hostile()) },
            Note::Unchecked { vulnerabilities: 2, why: Unchecked::NotSaid },
            Note::Unchecked { vulnerabilities: 2, why: Unchecked::NoDetails },
            Note::EndsSoon { exception: hostile(), on: "2026-11-24".parse().unwrap() },
            Note::HiddenThoughExploited { problem: hostile() },
        ];
        for one in notes {
            let line = note(&one);
            assert!(is_line(&line), "{line}");
            assert_eq!(line.matches(". ").count(), 1, "what it is, and what to do: {line}");
        }
    }
}
