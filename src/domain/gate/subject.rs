//! What stands before the gate, and all that there is to say of it.

use jiff::{Timestamp, civil::Date};

use super::Judgement;

/// The judgement on something, as every format shows it.
#[derive(Clone, Debug, PartialEq)]
pub struct Gate {
    /// What stands before it.
    pub subject: Subject,
    /// What was there before, in a file or an image, if only the rest counts.
    pub new_since: Option<String>,
    /// The judgement on its findings.
    pub judgement: Judgement,
    /// What whoever reads the judgement should know besides.
    pub notes: Vec<Note>,
}

/// What stands before a gate. Its texts may be a stranger's.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Subject {
    /// What people call it, such as `crm/web:1.4`, or a file.
    pub name: String,
    /// The same for each of its versions, such as `crm/web`.
    pub stable_name: String,
    /// The scans whose findings are judged: one of each platform of an image. None where only files tell of it.
    pub scans: Vec<Scan>,
}

/// A scan.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Scan {
    /// What was scanned: the digest of an image, the commit of a code repository.
    pub of: String,
    /// The platform of an image, such as `linux/arm64`, if there are several.
    pub platform: Option<String>,
    /// When.
    pub at: Timestamp,
}

/// What whoever reads a judgement should know besides.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Note {
    /// It was scanned when it was pushed, and never again.
    ScannedOnce {
        /// What.
        of: String,
        /// When.
        at: Timestamp,
    },
    /// Parts of an SBOM were not scanned.
    Skipped {
        /// How many.
        components: usize,
        /// One of them.
        first: String,
        /// Why it was not.
        why: String,
    },
    /// It is not known of these vulnerabilities whether CISA lists them as exploited.
    Unchecked {
        /// How many.
        vulnerabilities: usize,
        /// Why.
        why: Unchecked,
    },
    /// An exception ends within days.
    EndsSoon {
        /// Its name.
        exception: String,
        /// Its last day.
        on: Date,
    },
    /// A suppression rule hides a finding whose vulnerability CISA lists as exploited.
    HiddenThoughExploited {
        /// The vulnerability.
        problem: String,
    },
}

/// Why it is not known whether CISA lists a vulnerability.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Unchecked {
    /// The files do not say, and nobody else is asked.
    NotSaid,
    /// Inspector knows no details.
    NoDetails,
    /// It could not be asked.
    Failed(String),
}
