//! The evidence of a period as the Consolidated Rules 2026 of FedRAMP have it reported: what was detected (VER-RPT-VDT), and
//! what of it is accepted (VER-RPT-AVI); and the plan of action and milestones (POA&M) of before.
//!
//! Both reports follow the schemas of <https://github.com/FedRAMP/schemas>. Every finding of the evidence, and every gap in
//! what was looked at, is in exactly one of them. What the data cannot say is left out: when an evaluation was completed, what
//! the impact on an agency is (the ratings N1 to N5), and which reduction of it is planned.

mod accepted;
mod entry;
mod gap;
pub mod poam;
mod sentences;
mod vulnerability;

use jiff::Timestamp;
use serde::{Serialize, Serializer};

use accepted::{Acceptance, Decisions};
use gap::Gaps;
use vulnerability::Vulnerability;

use crate::domain::{
    evidence::{Entry, Evidence, Period},
    ledger::beginning_of,
};

/// What stands for the address of the provider's Certification Package Overview where nobody has given it.
pub const NO_PACKAGE: &str = "urn:inspector-triage:not-given:certification-package-overview";

/// After how many days a vulnerability that is still there counts as accepted: VER-TFR-MAV. That rule counts from when the
/// vulnerability was evaluated. Nobody records that here, so the days are counted from its detection, which is earlier.
pub const ACCEPTED_AFTER_DAYS: i64 = 192;

/// Whether a finding of a period is in the report of what is accepted; else it is in the other.
pub fn is_accepted(entry: &Entry, period: &Period) -> bool {
    Acceptance::of(entry, period).is_some()
}

/// The report of what was detected and is not accepted, by
/// `https://fedramp.gov/schemas/fedramp-vulnerability-detail-report-schema-2026-06-24.json`. `package` is the URI of the
/// provider's Certification Package Overview; where there is none, [`NO_PACKAGE`] says so.
pub fn vulnerability_details<'a>(
    evidence: &'a Evidence,
    package: Option<&'a str>,
) -> impl Serialize + 'a {
    DetailReport {
        certification_package_overview_uri: package.unwrap_or(NO_PACKAGE),
        report_period: (&evidence.period).into(),
        vulnerabilities: Details(evidence),
    }
}

/// The report of what is accepted, and why, by
/// `https://fedramp.gov/schemas/fedramp-accepted-vulnerability-info-schema-2026-06-24.json`. `package` is the URI of the
/// provider's Certification Package Overview; where there is none, [`NO_PACKAGE`] says so.
pub fn accepted_vulnerabilities<'a>(
    evidence: &'a Evidence,
    package: Option<&'a str>,
) -> impl Serialize + 'a {
    AcceptedReport {
        certification_package_overview_uri: package.unwrap_or(NO_PACKAGE),
        report_period: (&evidence.period).into(),
        accepted_vulnerabilities: AllAccepted(evidence),
    }
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct DetailReport<'a> {
    certification_package_overview_uri: &'a str,
    report_period: ReportPeriod,
    vulnerabilities: Details<'a>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct AcceptedReport<'a> {
    certification_package_overview_uri: &'a str,
    report_period: ReportPeriod,
    accepted_vulnerabilities: AllAccepted<'a>,
}

#[derive(Serialize)]
struct ReportPeriod {
    from: Timestamp,
    to: Timestamp,
}

impl From<&Period> for ReportPeriod {
    fn from(period: &Period) -> Self {
        Self { from: beginning_of(period.from), to: period.as_of }
    }
}

/// The list of what is not accepted. Each item is made when it is written: there may be 100,000.
struct Details<'a>(&'a Evidence);

impl Serialize for Details<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let Evidence { entries, period, .. } = self.0;
        let decisions = Decisions::of(self.0);
        let entries = entries.iter().filter(|entry| !is_accepted(entry, period));
        let of_entries = entries.map(|entry| entry::vulnerability(entry, period, &decisions));
        let gaps = Gaps::of(self.0);
        serializer.collect_seq(of_entries.chain(gaps.not_accepted()))
    }
}

/// The list of what is accepted, made in the same way.
struct AllAccepted<'a>(&'a Evidence);

impl Serialize for AllAccepted<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let Evidence { entries, period, .. } = self.0;
        let decisions = Decisions::of(self.0);
        let of_entries = entries.iter().filter_map(|entry| {
            let rationale = Acceptance::of(entry, period)?.rationale(&decisions);
            Some((entry::vulnerability(entry, period, &decisions), rationale))
        });
        let gaps = Gaps::of(self.0);
        let all = of_entries.chain(gaps.accepted());
        serializer.collect_seq(all.map(|(vulnerability_detail, acceptance_rationale)| Accepted {
            vulnerability_detail,
            acceptance_rationale,
        }))
    }
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Accepted {
    vulnerability_detail: Vulnerability,
    acceptance_rationale: String,
}
