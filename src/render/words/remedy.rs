//! What helps against a finding, in two or three words.

use crate::domain::finding::{Details, Finding, FixAvailable};

use super::wording;
use crate::render::view::{is_windows_update, safe};

/// What helps.
pub enum Remedy {
    /// A fixed version.
    Version(String),
    /// An update, of a version that nobody names.
    Update,
    /// Nothing yet.
    None,
    /// Nobody says.
    Unknown,
    /// An update of Windows.
    Install,
    /// A change of the code.
    Code,
    /// Closing a port.
    Close,
    /// Looking for oneself.
    Look,
}

impl Remedy {
    /// What helps against `finding`.
    pub fn of(finding: &Finding) -> Self {
        let package = match &finding.details {
            Details::Code(_) => return Self::Code,
            Details::Network(_) => return Self::Close,
            Details::None => return Self::Look,
            Details::Package(package) => package,
        };
        if package.id.as_deref().is_some_and(is_windows_update) {
            return Self::Install;
        }
        let version = package.packages.iter().find_map(|package| package.fixed_in.as_deref());
        match (version, &finding.fix_available) {
            (Some(version), _) => Self::Version(safe(version, 60)),
            (None, Some(FixAvailable::Yes | FixAvailable::Partial)) => Self::Update,
            (None, Some(FixAvailable::No)) => Self::None,
            (None, _) => Self::Unknown,
        }
    }
}

wording! {
    /// A remedy in words: `fix 2.17.1`, `no fix yet`.
    pub fn remedy<'a>(remedy: &'a Remedy) by "en/remedy.txt", "ja/remedy.txt"
}
