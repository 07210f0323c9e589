//! What a ticket says of its findings as they stand.

use super::{
    Block, Card, Document, Inline, TITLE,
    lines::{self, of_resources},
    phrase::Phrase,
};
use crate::{
    domain::{
        finding::Remediation,
        record::{AlertReason, Record},
        text,
        ticket::{MemberState, Standing, TicketFacts, TicketKey},
    },
    render::{
        Style,
        message::packages,
        reason,
        view::{AlertView, Package, safe},
        words::{in_brief, what_to_do},
    },
};

/// How many resources are listed of each kind.
const RESOURCES: usize = 50;
/// How many lines of advice there are, and how long each is.
const ADVICE: (usize, usize) = (8, 300);

/// What the ticket `key` says of `standing`. All that is said of the problem is said by the most urgent of its findings.
pub fn card(standing: &Standing<'_>, facts: &TicketFacts, key: &TicketKey, style: &Style) -> Card {
    let states = [MemberState::Open, MemberState::Excepted];
    let lead = states.into_iter().find_map(|state| standing.in_state(state).next());
    let lead = lead.or_else(|| standing.members.iter().find_map(|member| member.record));
    let alert = lead.map(|record| AlertView::new(record, AlertReason::New, style));
    let mut blocks = Vec::new();
    if let Some(alert) = &alert {
        let helps = what_to_do(alert, style.language);
        blocks.push(Block::Paragraph(vec![Inline::Strong(helps)]));
    }
    let scores = standing.in_state(MemberState::Open).map(Record::score);
    let score = scores.max().or(alert.as_ref().map(|alert| alert.score)).unwrap_or_default();
    let say = |phrase: Phrase| phrase.in_words(style.language);
    let mut urgency = say(Phrase::Urgency { priority: facts.priority, score, due: facts.due });
    if let Some(owner) = &key.owner {
        let owner = say(Phrase::Owner(safe(owner, 80)));
        urgency = format!("{urgency} {owner}");
    }
    blocks.push(Document::paragraph(urgency));
    blocks.extend(resources(standing, style));
    if let Some(alert) = &alert {
        blocks.extend(why(alert, style));
        blocks.extend(remedy(alert, style));
        blocks.extend(about(alert, style));
    }
    blocks.push(Document::paragraph(say(Phrase::Kept)));
    Card {
        title: lead.map_or_else(|| text::short(&key.problem, TITLE), |record| title(record, style)),
        text: Document(blocks),
        priority: facts.priority,
        due: facts.due,
    }
}

/// `CVE-2026-12345 log4j-core: fix 2.17.1`: the same as long as what helps is the same.
fn title(record: &Record, style: &Style) -> String {
    let finding = &record.finding;
    let problem = safe(&finding.problem(), 80);
    let packages = safe(&packages(finding), 80);
    let helps = in_brief(&Remediation::of(finding), style.language);
    let packages = if packages.is_empty() { packages } else { format!(" {packages}") };
    safe(&format!("{problem}{packages}: {helps}"), TITLE)
}

/// Where it is, by how it stands.
fn resources(standing: &Standing<'_>, style: &Style) -> Vec<Block> {
    let headings = [
        (MemberState::Open, None),
        (MemberState::Excepted, Some(Phrase::Covered)),
        (MemberState::Unobserved, Some(Phrase::NotLookedAt)),
        (MemberState::Hidden, Some(Phrase::Suppressed)),
        (MemberState::Ended, Some(Phrase::Ended)),
        (MemberState::Unknown, Some(Phrase::EndUnknown)),
    ];
    let mut blocks = Vec::new();
    for (state, heading) in headings {
        let records: Vec<&Record> = standing.in_state(state).collect();
        if records.is_empty() {
            continue;
        }
        let open = if standing.is_cut { Phrase::OpenAtLeast } else { Phrase::Open };
        let heading = heading.unwrap_or(open(records.len()));
        blocks.push(Block::Heading(heading.in_words(style.language)));
        blocks.push(of_resources(&records, RESOURCES, style));
    }
    blocks
}

fn why(alert: &AlertView, style: &Style) -> [Block; 2] {
    let reasons = alert.reasons.iter().map(|because| {
        let reason = reason(&because.factor, style.language);
        let points = Phrase::Points { points: because.points, reason };
        vec![Inline::Text(points.in_words(style.language))]
    });
    [Block::Heading(Phrase::Why.in_words(style.language)), Block::Points(reasons.collect())]
}

/// The packages to update, and what Inspector advises.
fn remedy(alert: &AlertView, style: &Style) -> Vec<Block> {
    let say = |phrase: Phrase| phrase.in_words(style.language);
    let package = |package: &Package| {
        let installed = package.installed.as_deref().unwrap_or_default();
        let fixed = match &package.fixed {
            Some(version) => Phrase::Fixed(version.clone()),
            None => Phrase::NoFix,
        };
        vec![
            Inline::Code(format!("{} {installed}", package.name).trim().to_owned()),
            Inline::Text(format!(" {}", say(fixed))),
        ]
    };
    let mut points: Vec<Vec<Inline>> = alert.packages.iter().map(package).collect();
    if alert.more_packages > 0 {
        points.push(vec![Inline::Text(say(Phrase::More(alert.more_packages)))]);
    }
    points.extend(alert.path.iter().map(|step| vec![Inline::Code(step.clone())]));
    let advice = alert.advice.iter().take(ADVICE.0).map(|line| text::cut_chars(line, ADVICE.1));
    points.extend(advice.map(|line| vec![Inline::Text(line)]));
    let asked = [(alert.rebuild, Phrase::Rebuild), (alert.mitigate, Phrase::Mitigate)];
    let asked = asked.into_iter().filter(|(is_asked, _)| *is_asked);
    points.extend(asked.map(|(_, phrase)| vec![Inline::Text(say(phrase))]));
    if points.is_empty() {
        return Vec::new();
    }
    vec![Block::Heading(say(Phrase::WhatToDo)), Block::Points(points)]
}

fn about(alert: &AlertView, style: &Style) -> Vec<Block> {
    let say = |phrase: Phrase| phrase.in_words(style.language);
    let mut blocks = Vec::new();
    let lines = alert.about.iter().filter(|line| !line.is_empty());
    let lines: Vec<Block> = lines.map(|line| Document::paragraph(line.clone())).collect();
    if !lines.is_empty() {
        blocks.push(Block::Heading(say(Phrase::About)));
        blocks.extend(lines);
    }
    if !alert.links.is_empty() {
        let link = |(page, url): &(_, String)| vec![lines::link(say(Phrase::Link(*page)), url)];
        blocks.push(Block::Heading(say(Phrase::ReadOn)));
        blocks.push(Block::Points(alert.links.iter().map(link).collect()));
    }
    blocks
}
