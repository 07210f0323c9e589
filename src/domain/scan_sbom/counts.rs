//! How many vulnerabilities an answer says that it has.

use super::{NotAScan, json::whole, vulnerability::Vulnerability};
use crate::domain::finding::{Malformed, Severity};

/// What an answer counts, by severity.
///
/// Real answers count each vulnerability once, in however many components it is, and under one severity: mostly NVD's, and
/// `other` where NVD has none. That was so in each of some twenty answers of 2024 and 2025, to the last vulnerability. Which
/// rating is taken has changed in that time. So a severity is taken to be counted right if as many vulnerabilities as it says
/// have that severity by anybody's rating.
#[derive(Clone, Debug, Default)]
pub(super) struct Counts {
    /// By severity, in small letters, such as `critical`.
    by_severity: Vec<(&'static str, u64)>,
    /// Packages that are known to be malicious.
    malicious: Option<u64>,
}

/// The severities that are counted under their own name.
const SEVERITIES: [&str; 4] = ["critical", "high", "medium", "low"];

/// The rest: unrated, informational.
const OTHER: &str = "other";

impl Counts {
    /// Reads the counts, each by `get`, where there are any.
    ///
    /// # Errors
    /// What `malformed` makes of one that is no whole number.
    pub(super) fn read<'v>(
        get: impl Fn(&str) -> Option<&'v serde_json::Value>,
        malicious: Option<&serde_json::Value>,
        malformed: impl Fn(&str) -> Malformed,
    ) -> Result<Self, Malformed> {
        let mut by_severity = Vec::new();
        for name in SEVERITIES.into_iter().chain([OTHER]) {
            if let Some(value) = get(name) {
                by_severity.push((name, whole(value).ok_or_else(|| malformed(name))?));
            }
        }
        let malicious = malicious.map(|value| whole(value).ok_or_else(|| malformed("malicious")));
        Ok(Self { by_severity, malicious: malicious.transpose()? })
    }

    /// Whether nothing is counted.
    pub(super) fn is_empty(&self) -> bool {
        self.by_severity.is_empty()
    }

    /// Checks that as many are listed as are counted. More may be: not all answers count what is unrated.
    ///
    /// # Errors
    /// [`NotAScan::NotWhole`] if fewer are.
    pub(super) fn check(&self, listed: &[Vulnerability]) -> Result<(), NotAScan> {
        for (severity, counted) in &self.by_severity {
            if SEVERITIES.contains(severity) {
                let wanted = Severity::from(*severity);
                let rated = listed.iter().filter(|one| one.is_rated(&wanted)).count();
                whole_list(*counted, rated, &format!("{severity} vulnerabilities"))?;
            }
        }
        let total =
            self.by_severity.iter().fold(0u64, |sum, (_, count)| sum.saturating_add(*count));
        whole_list(total, listed.len(), "vulnerabilities")
    }

    /// The same for malicious packages, of which there may be no vulnerability.
    ///
    /// # Errors
    /// [`NotAScan::NotWhole`] if fewer are listed than are counted.
    pub(super) fn check_malicious(&self, listed: &[Vulnerability]) -> Result<(), NotAScan> {
        // It is not known whether packages are counted, or what is known of them.
        let malicious = listed.iter().filter(|one| one.is_malicious);
        let packages: usize = malicious.map(|one| one.affects.len().max(1)).sum();
        whole_list(self.malicious.unwrap_or(0), packages, "malicious packages")
    }
}

/// Checks that the list has as many as were counted.
pub(super) fn whole_list(counted: u64, listed: usize, what: &str) -> Result<(), NotAScan> {
    if counted > u64::try_from(listed).unwrap_or(u64::MAX) {
        return Err(NotAScan::NotWhole { what: what.to_owned(), counted, listed });
    }
    Ok(())
}
