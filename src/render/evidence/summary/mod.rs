//! The summary: one page, in the order in which its reader asks.

mod fedramp;
mod parts;
mod pci_dss;
mod soc2;

use super::{
    Profile, Source,
    page::{Page, Section},
};
use crate::{domain::evidence::Evidence, render::view::safe};
use parts::Parts;

/// The page about a period.
pub fn page(evidence: &Evidence, source: &Source, profile: Option<Profile>) -> Page {
    let parts = Parts { evidence, source };
    let (standard, sections) = match profile {
        None => (String::new(), plain(&parts)),
        Some(Profile::PciDss) => (" for PCI DSS 4.0.1".to_owned(), pci_dss::sections(&parts)),
        Some(Profile::Soc2) => (" for SOC 2, CC7.1".to_owned(), soc2::sections(&parts)),
        Some(Profile::FedRamp) => (" for FedRAMP".to_owned(), fedramp::sections(&parts)),
    };
    let period = evidence.period;
    let (account, region) = (safe(source.account(), 12), safe(source.region(), 40));
    let place =
        if account.is_empty() { account } else { format!(" · account {account} · {region}") };
    Page {
        title: format!("Evidence of vulnerability management{standard}"),
        about: format!(
            "{} to {} · table {}{place}",
            period.from,
            period.to,
            safe(&source.table, 255)
        ),
        sections,
    }
}

fn plain(parts: &Parts<'_>) -> Vec<Section> {
    vec![
        parts.scope("Scope"),
        parts.method("Method"),
        parts.figures("Findings", &parts::ALL),
        parts.time_to_fix("In time, and late", &parts::ALL),
        parts.breaches("Open after their due dates", &parts::ALL),
        parts.exceptions("Exceptions"),
        parts.coverage("Not looked at"),
        parts.checks("Counted then, and counted now"),
        parts.limits("Limits"),
    ]
}
