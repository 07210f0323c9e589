//! A finding as a vulnerability.

use jiff::Timestamp;

use super::{
    accepted::{Acceptance, Decisions},
    sentences::Sentences,
    vulnerability::{Detection, Disposition, OverdueStatus, Vulnerability},
};
use crate::{
    domain::{
        evidence::{Entry, Outcome, Period, Subject},
        finding::{FixAvailable, Status},
        ledger::Decision,
        record::{Excepted, How},
    },
    render::{evidence::words, view::safe, words::Day},
};

/// Who detects findings.
pub const SOURCE: &str = "Amazon Inspector";

/// A finding of a period.
pub fn vulnerability(entry: &Entry, period: &Period, decisions: &Decisions<'_>) -> Vulnerability {
    let facts = &entry.state.facts;
    let final_disposition = disposition(entry);
    // That somebody knows how is the cautious answer: who can reach it is another question.
    let is_likely_exploitable = facts.exploit || facts.known_exploited;
    let is_there = final_disposition != Some(Disposition::FalsePositive);
    Vulnerability {
        provider_tracking_id: safe(&entry.subject.arn, 512),
        detection: Detection { detected_at: detected_at(entry), detection_source: SOURCE },
        description: description(&entry.subject),
        is_internet_reachable: entry.subject.is_exposed.then_some(true),
        is_likely_exploitable: (is_likely_exploitable && is_there).then_some(true),
        overdue_status: overdue(entry, period),
        supplementary_risk_information: supplement(entry, period, decisions),
        final_disposition,
    }
}

/// When it was detected: when Inspector first saw it, as Inspector says, but not after we first heard of it.
pub fn detected_at(entry: &Entry) -> Timestamp {
    let said = entry.subject.first_observed_at.filter(|at| *at > Timestamp::UNIX_EPOCH);
    said.map_or(entry.first_seen_at, |at| at.min(entry.first_seen_at))
}

/// Since when it is there without having ended: its detection, or when it came back.
pub fn open_since(entry: &Entry) -> Timestamp {
    came_back_at(entry).unwrap_or_else(|| detected_at(entry))
}

fn came_back_at(entry: &Entry) -> Option<Timestamp> {
    entry.state.life.filter(|life| life.opening > 1)?.opened_at
}

/// What it is, and where.
pub fn description(subject: &Subject) -> String {
    let mut text = Sentences::default();
    let (title, problem) = (title(subject), safe(&subject.problem, 100));
    text.add(if title.contains(&problem) { title } else { format!("{problem}: {title}") });
    let region = subject.region.as_deref().map(|region| format!(", Region {}", safe(region, 40)));
    text.add(format!(
        "Resource: {} ({}, {}), account {}{}",
        safe(&subject.resource, 100),
        safe(&subject.resource_id, 512),
        safe(&subject.resource_type, 60),
        safe(&subject.account, 60),
        region.unwrap_or_default()
    ));
    text.text()
}

/// Inspector's summary; the problem, where there is none.
pub fn title(subject: &Subject) -> String {
    safe(subject.title.as_deref().unwrap_or(&subject.problem), 300)
}

/// What a decision says of a finding that is no vulnerability here.
pub fn false_positive(entry: &Entry) -> Option<&Excepted> {
    let exception = entry.state.exception().filter(|_| entry.outcome == Outcome::Excepted);
    exception.filter(|one| matches!(one.decision, Decision::NotAffected | Decision::FalsePositive))
}

fn disposition(entry: &Entry) -> Option<Disposition> {
    match entry.outcome {
        Outcome::Ended(How::Fixed | How::Gone) => Some(Disposition::FullyMitigated),
        Outcome::Excepted => false_positive(entry).map(|_| Disposition::FalsePositive),
        Outcome::Ended(_) | Outcome::Open | Outcome::NeverOpen => None,
    }
}

/// Whether an open finding is overdue, by the provider's own date or that of CISA's catalogue, which VDR-TFR-KEV has kept; none
/// if it has neither.
fn overdue(entry: &Entry, period: &Period) -> Option<OverdueStatus> {
    if entry.outcome != Outcome::Open {
        return None;
    }
    let own = entry.state.due_at();
    let of_cisa = entry.catalogue_due();
    own.or(of_cisa)?;
    let mut text = Sentences::default();
    if let Some(due) = own {
        let policy = safe(&entry.state.policy, 80);
        text.add(match entry.late.filter(|_| entry.is_overdue) {
            Some(late) => format!(
                "It was due on {} by the provider's own policy (version {policy}), and is late by {}",
                Day(&due),
                words::days_late(late.by())
            ),
            None => format!("It is due on {} by the provider's own policy (version {policy})", Day(&due)),
        });
    }
    let is_late_for_cisa = entry.is_past_catalogue_due(period);
    text.add_if(of_cisa.map(|due| {
        let verb = if is_late_for_cisa { "was" } else { "is" };
        format!("It {verb} due on {} by CISA's catalogue", Day(&due))
    }));
    text.add_if(fix(entry));
    Some(OverdueStatus {
        is_overdue: entry.is_overdue || is_late_for_cisa,
        explanation: text.text(),
    })
}

/// Whether there is a fix, as Inspector says.
fn fix(entry: &Entry) -> Option<&'static str> {
    Some(match entry.state.facts.fix.as_ref()? {
        FixAvailable::Yes => "A fix is available",
        FixAvailable::Partial => "A fix is available for some of its packages",
        FixAvailable::No => "No fix is available",
        FixAvailable::Other(_) => return None,
    })
}

/// What else there is to know.
pub fn supplement(entry: &Entry, period: &Period, decisions: &Decisions<'_>) -> String {
    let mut text = Sentences::default();
    let state = &entry.state;
    text.add_if(outcome(entry));
    // What is accepted has its reason beside it.
    if Acceptance::of(entry, period).is_none() {
        let exception = state.exception().filter(|_| entry.outcome == Outcome::Excepted);
        if let Some(exception) = exception {
            decisions.tell(exception, &mut text);
        }
    }
    let (priority, score) = (state.facts.priority, state.score);
    let policy = safe(&state.policy, 80);
    text.add(format!(
        "Priority {priority}, score {score} of 100, by the provider's policy (version {policy})"
    ));
    text.add_if(attacks(entry));
    text.add_if(
        came_back_at(entry)
            .map(|at| format!("It had ended before, and came back: it is open since {}", Day(&at))),
    );
    text.add_if(late(entry));
    text.add_if(ended_exception(entry));
    let fix = Some(safe(&entry.subject.fix, 300)).filter(|fix| !fix.is_empty());
    text.add_if(fix.map(|fix| format!("The update that fixes it: {fix}")));
    text.add_if(entry.is_inferred.then_some(
        "How it stood is inferred from what became of it after the period: its history of then is not kept any more",
    ));
    text.text()
}

/// What became of it, if that is not plain.
fn outcome(entry: &Entry) -> Option<String> {
    /// What may not be taken for remediated.
    const NOT_KNOWN: &str = "it is not known to be remediated";
    let since = entry.ended_at().map(|at| format!(" since {}", Day(&at))).unwrap_or_default();
    let reason = entry.state.end.as_ref().and_then(|end| end.reason.as_deref());
    let reason = reason.map(|reason| format!(" ({})", safe(reason, 100))).unwrap_or_default();
    Some(match entry.outcome {
        Outcome::Open | Outcome::Excepted if entry.state.facts.status == Status::Suppressed => {
            "A suppression rule of Inspector hides it".to_owned()
        }
        Outcome::Open | Outcome::Excepted => return None,
        Outcome::Ended(How::Fixed) => format!(
            "Remediated: not detected any more{since}, while Inspector still scans the resource"
        ),
        Outcome::Ended(How::Gone) => format!("Remediated: the resource is gone{since}{reason}"),
        Outcome::Ended(How::Unobserved) => format!(
            "Not detected any more{since} because Inspector does not scan the resource any more{reason}: {NOT_KNOWN}"
        ),
        Outcome::Ended(How::Suppressed) => format!(
            "Hidden{since} by a suppression rule of Inspector, which no recorded decision explains: {NOT_KNOWN}"
        ),
        Outcome::Ended(How::Unknown) => {
            format!("Closed by Inspector{since}, and nobody knows how: {NOT_KNOWN}")
        }
        Outcome::NeverOpen => format!(
            "Hidden by a suppression rule of Inspector, which no recorded decision explains: {NOT_KNOWN}"
        ),
    })
}

/// What is known of attacks.
fn attacks(entry: &Entry) -> Option<String> {
    let facts = &entry.state.facts;
    if !facts.known_exploited {
        return facts.exploit.then(|| "An exploit is known".to_owned());
    }
    let listing = entry.listing();
    let added = listing.and_then(|listing| listing.added.as_ref());
    let since = added.map(|at| format!(" since {}", Day(at))).unwrap_or_default();
    let due = listing.and_then(|listing| listing.due.as_ref());
    let due = due.map(|at| format!(", to be remediated by {}", Day(at))).unwrap_or_default();
    Some(format!("CISA's catalogue of known exploited vulnerabilities has it{since}{due}"))
}

/// How late it was in the period, if it is not any more.
fn late(entry: &Entry) -> Option<String> {
    let late = entry.late.filter(|_| !entry.is_overdue)?;
    Some(format!(
        "It was open for {} after it was due by the provider's own policy on {}",
        words::days_late(late.by()),
        Day(&late.due_at)
    ))
}

/// The exception that covered it in the period, and does so no more.
fn ended_exception(entry: &Entry) -> Option<String> {
    let exception = entry.exception.as_ref()?;
    let end = exception.ended?;
    Some(format!(
        "Exception {} covered it until {}, and then ended: {}",
        safe(&exception.id, 64),
        Day(&end.at),
        end.why.as_str().replace('-', " ")
    ))
}
