//! In which order an auditor reads, and which clause each figure answers.

use std::{fmt, str::FromStr};

/// A standard that evidence is given for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Profile {
    /// PCI DSS 4.0.1.
    PciDss,
    /// SOC 2: the Trust Services Criteria.
    Soc2,
    /// FedRAMP: the Consolidated Rules 2026.
    FedRamp,
}

impl Profile {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::PciDss, Self::Soc2, Self::FedRamp];

    /// The word for it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::PciDss => "pci-dss-4.0.1",
            Self::Soc2 => "soc2",
            Self::FedRamp => "fedramp",
        }
    }
}

impl fmt::Display for Profile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// A word for no profile.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error("expected pci-dss-4.0.1, soc2 or fedramp")]
pub struct UnknownProfile;

impl FromStr for Profile {
    type Err = UnknownProfile;

    fn from_str(word: &str) -> Result<Self, UnknownProfile> {
        Self::ALL.into_iter().find(|profile| profile.as_str() == word).ok_or(UnknownProfile)
    }
}
