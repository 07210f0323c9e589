//! What was not looked at, as a vulnerability: VDR-CSO-FAV has failures of the detection reported as such.

use std::collections::BTreeSet;

use jiff::Timestamp;

use super::{
    accepted::{by_rule, too_long},
    sentences::Sentences,
    vulnerability::{Detection, Disposition, Vulnerability},
};
use crate::{
    domain::{
        coverage::Subject,
        evidence::{Evidence, Unobserved},
    },
    render::{
        view::safe,
        words::{Day, coverage},
    },
};

/// Who sees what is not looked at.
const SOURCE: &str = "daily coverage check of inspector-triage";

/// What was not looked at in a period.
pub struct Gaps<'a> {
    evidence: &'a Evidence,
    /// The beginnings of all: account, what, and when.
    begun: BTreeSet<(&'a str, String, Timestamp)>,
}

impl<'a> Gaps<'a> {
    /// All of the evidence.
    pub fn of(evidence: &'a Evidence) -> Self {
        let begun = evidence.gaps.iter().map(|one| key(one, one.from));
        Self { evidence, begun: begun.collect() }
    }

    /// Each that is not accepted.
    pub fn not_accepted(&self) -> impl Iterator<Item = Vulnerability> {
        let gaps = self.evidence.gaps.iter().filter(|gap| self.rationale(gap).is_none());
        gaps.map(|gap| self.vulnerability(gap))
    }

    /// Each that is accepted, and why.
    pub fn accepted(&self) -> impl Iterator<Item = (Vulnerability, String)> {
        let gaps = self.evidence.gaps.iter();
        gaps.filter_map(|gap| Some((self.vulnerability(gap), self.rationale(gap)?)))
    }

    fn vulnerability(&self, gap: &'a Unobserved) -> Vulnerability {
        let closed = gap.until.filter(|until| !self.goes_on(gap, *until));
        Vulnerability {
            provider_tracking_id: tracking_id(gap),
            detection: Detection { detected_at: gap.from, detection_source: SOURCE },
            description: description(gap),
            is_internet_reachable: None,
            is_likely_exploitable: None,
            overdue_status: None,
            supplementary_risk_information: self.supplement(gap),
            final_disposition: closed.map(|_| Disposition::FullyMitigated),
        }
    }

    /// Whether it is not looked at from then on for another reason.
    fn goes_on(&self, gap: &'a Unobserved, until: Timestamp) -> bool {
        self.begun.contains(&key(gap, until))
    }

    /// Why what is still not looked at is accepted; none if it is not.
    fn rationale(&self, gap: &Unobserved) -> Option<String> {
        if gap.until.is_some() {
            return None;
        }
        let days = too_long(gap.gap.since, self.evidence.period.as_of)?;
        let mut text = Sentences::default();
        text.add(format!("It has not been looked at for {days} days"));
        text.add("Whether somebody has decided that is not recorded with it");
        text.add(by_rule());
        Some(text.text())
    }

    fn supplement(&self, gap: &'a Unobserved) -> String {
        let mut text = Sentences::default();
        match gap.until {
            None => text.add(format!("What to do: {}", coverage::gap(&gap.gap).todo)),
            Some(until) if self.goes_on(gap, until) => {
                text.add(format!("Since {} it is not looked at for another reason", Day(&until)));
            }
            Some(until) => {
                text.add(format!(
                    "Remediated: the check of {} did not see it any more",
                    Day(&until)
                ));
            }
        }
        text.text()
    }
}

fn key(one: &Unobserved, from: Timestamp) -> (&str, String, Timestamp) {
    (one.gap.account.as_str(), one.gap.key(), from)
}

/// `coverage:<account>:<scan>:<resource>:<since>`. The moment tells it from what was not looked at before, and the same gap
/// has the same name in each report.
fn tracking_id(Unobserved { gap, from, .. }: &Unobserved) -> String {
    let scan = if gap.scan.is_empty() { "all" } else { &gap.scan };
    let of_resource = match &gap.subject {
        Subject::Account => String::new(),
        Subject::Resource { id, .. } => format!(":{}", safe(id, 512)),
    };
    format!("coverage:{}:{}{of_resource}:{from}", safe(&gap.account, 60), safe(scan, 60))
}

fn description(Unobserved { gap, .. }: &Unobserved) -> String {
    let scan = match gap.scan.as_str() {
        "" => "Amazon Inspector".to_owned(),
        scan => format!("the {} scan of Amazon Inspector", safe(scan, 60)),
    };
    let account = safe(&gap.account, 60);
    let what = match &gap.subject {
        Subject::Account => format!("account {account}"),
        Subject::Resource { kind, id } => {
            format!("{} ({}) in account {account}", safe(id, 512), safe(kind, 60))
        }
    };
    let how = if gap.is_partial { "looked at only in part" } else { "not looked at" };
    let mut text = Sentences::default();
    text.add(format!("Vulnerabilities may go undetected: {what} is {how} by {scan}"));
    let (meaning, word) = (coverage::gap(gap).meaning, safe(&gap.reason, 100));
    text.add(format!("Why: {meaning} ({word})"));
    text.text()
}
