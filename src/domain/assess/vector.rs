//! What a CVSS vector says, on one scale for all versions of CVSS.

use cvss::Cvss;

use crate::domain::finding::{CvssEntry, Finding};

/// How much a vulnerability costs its victim and how little its attacker.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Vector {
    /// The vector itself.
    pub text: String,
    /// 0 to 6: for confidentiality, integrity and availability each none 0, some 1, all 2.
    pub impact: u32,
    /// 0 to 8: reach, complexity, privileges and interaction each 0 (hard for the attacker) to 2.
    pub ease: u32,
    /// Whether it can be attacked over the network.
    pub network: bool,
    /// Whether confidentiality and integrity are lost altogether: the attacker reads and changes all.
    pub total: bool,
}

impl Vector {
    /// The vector to go by: Inspector's own, which knows the package and may be lower than the
    /// public one; else the best of the published: NVD's first, then version 3 or later, then the
    /// highest score, then the latest version. One that cannot be read is passed over.
    pub fn of(finding: &Finding) -> Option<Self> {
        let own = finding.inspector_vector.as_deref().and_then(Self::read);
        own.or_else(|| Some(best(&finding.package()?.cvss)?.1))
    }

    /// Reads a vector of version 2.0, 3.0, 3.1 or 4.0; `None` if it is none or lacks a base metric.
    pub fn read(text: &str) -> Option<Self> {
        // Version 2.0 is at times written in parentheses.
        let text = text.trim().trim_start_matches('(').trim_end_matches(')');
        let version = match text.parse::<Cvss>().ok()? {
            Cvss::CvssV20(_) => 2,
            Cvss::CvssV30(_) | Cvss::CvssV31(_) => 3,
            _ => 4,
        };
        // The crate has checked every metric; the letters are the same in all versions.
        let metric = |name: &str| {
            text.split('/').find_map(|part| part.strip_prefix(name)?.strip_prefix(':'))
        };
        let points = |name, two: &[&str], one: &[&str]| {
            let letter = metric(name)?;
            Some(if two.contains(&letter) { 2 } else { u32::from(one.contains(&letter)) })
        };
        let loss = |name| points(name, &["H", "C"], &["L", "P"]);
        let reach = points("AV", &["N"], &["A"])?;
        let (impact, ease) = match version {
            // Interaction is part of the complexity, which therefore counts twice.
            2 => (
                loss("C")? + loss("I")? + loss("A")?,
                reach + 2 * points("AC", &["L"], &["M"])? + points("Au", &["N"], &["S"])?,
            ),
            3 => (
                loss("C")? + loss("I")? + loss("A")?,
                reach
                    + points("AC", &["L"], &[])?
                    + points("PR", &["N"], &["L"])?
                    + points("UI", &["N"], &[])?,
            ),
            // The vulnerable system alone; requirements make an easy attack harder.
            _ => (
                loss("VC")? + loss("VI")? + loss("VA")?,
                reach
                    + points("AC", &["L"], &[])?.min(points("AT", &["N"], &["P"])?)
                    + points("PR", &["N"], &["L"])?
                    + points("UI", &["N"], &["P"])?,
            ),
        };
        let is_lost = |name| matches!(metric(name), Some("H" | "C"));
        let total = match version {
            4 => is_lost("VC") && is_lost("VI"),
            _ => is_lost("C") && is_lost("I"),
        };
        let network = metric("AV") == Some("N");
        Some(Self { text: text.to_owned(), impact, ease, network, total })
    }

    /// Whether nothing stands in the way of a program that attacks: reach over the network, low complexity, no privileges, and
    /// nobody who has to do something.
    pub fn is_automatable(&self) -> bool {
        self.ease == 8
    }
}

/// The published rating to go by where Inspector has none of its own: see [`Vector::of`]. `None` if no vector can be read.
pub(crate) fn preferred<'a>(
    entries: impl IntoIterator<Item = &'a CvssEntry>,
) -> Option<&'a CvssEntry> {
    best(entries).map(|(entry, _)| entry)
}

fn best<'a>(entries: impl IntoIterator<Item = &'a CvssEntry>) -> Option<(&'a CvssEntry, Vector)> {
    let mut entries: Vec<&CvssEntry> = entries.into_iter().collect();
    // A stable sort: of equal ones the first in the event is taken.
    entries.sort_by(|a, b| rank(b).partial_cmp(&rank(a)).unwrap_or(std::cmp::Ordering::Equal));
    entries.into_iter().find_map(|entry| Some((entry, Vector::read(entry.vector.as_deref()?)?)))
}

/// The order in which published ratings are preferred, best last.
fn rank(entry: &CvssEntry) -> (bool, bool, f64, &str) {
    let vector = entry.vector.as_deref().unwrap_or_default().trim();
    let version = vector.strip_prefix("CVSS:").and_then(|rest| rest.get(..3)).unwrap_or("2.0");
    let nvd = entry.source.as_deref().is_some_and(|source| source.eq_ignore_ascii_case("NVD"));
    (nvd, version >= "3", entry.score.unwrap_or(0.0), version)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Option<(u32, u32, bool)> {
        Vector::read(text).map(|v| (v.impact, v.ease, v.network))
    }

    #[test]
    fn every_version_of_cvss_is_read_on_the_same_scale() {
        for (vector, expected) in [
            ("CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H", (6, 8, true)),
            ("CVSS:3.0/AV:L/AC:H/PR:H/UI:R/S:U/C:L/I:N/A:N", (1, 0, false)),
            ("CVSS:3.1/AV:A/AC:L/PR:L/UI:N/S:C/C:N/I:N/A:H/E:P/RL:O", (2, 6, false)),
            ("CVSS:4.0/AV:N/AC:L/AT:N/PR:N/UI:N/VC:H/VI:H/VA:H/SC:N/SI:N/SA:N", (6, 8, true)),
            ("CVSS:4.0/AV:N/AC:L/AT:P/PR:L/UI:P/VC:L/VI:N/VA:H/SC:H/SI:H/SA:H", (3, 5, true)),
            ("AV:N/AC:L/Au:N/C:C/I:C/A:C", (6, 8, true)),
            ("(AV:L/AC:M/Au:S/C:P/I:N/A:N)", (1, 3, false)),
        ] {
            assert_eq!(read(vector), Some(expected), "{vector}");
        }
    }

    #[test]
    fn what_is_no_vector_or_lacks_a_metric_is_not_read() {
        for text in [
            "",
            "HIGH",
            "CVSS:3.1/AV:N",
            "CVSS:9.9/AV:N/AC:L",
            "AV:N/AC:L/Au:N",
            "CVSS:3.1/AV:X/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H",
        ] {
            assert_eq!(read(text), None, "{text}");
        }
    }
}
