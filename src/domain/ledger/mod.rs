//! The ledger of exceptions: what is not fixed today, who decided so, and until when.
//!
//! Pure. An [`Exception`] has selectors, which say what it is about, and [`Terms`], which say when it ends: with its last
//! day, or as soon as the facts change for which it was made. [`Ledger::cover`] is the one answer to whether a finding is
//! excepted; everything that counts or tells asks it. How a ledger is written in a file is the business of the room `ledger`.

mod cover;
mod exclusion;
mod in_force;
mod selector;
mod terms;

use std::collections::BTreeMap;

use jiff::civil::Date;
use serde::{Deserialize, Serialize};
use serde_with::skip_serializing_none;

pub use cover::{Cover, Uncovered};
pub use exclusion::{Exclusion, ExclusionTag, ScanType, Target};
pub use in_force::InForce;
pub use selector::{PackageSelector, PackageUrl, Selectors, VulnerabilityId};
pub use terms::{Condition, Situation, Terms, WhyEnded, beginning_of, end_of};

use super::assess::Priority;

/// What was decided, by the files of a team.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Ledger {
    /// What an exception may be.
    pub policy: Policy,
    /// Findings that are not fixed for now.
    pub exceptions: Vec<Exception>,
    /// Resources that Inspector does not look at on purpose.
    pub exclusions: Vec<Exclusion>,
}

/// What an organisation allows in its ledger.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Policy {
    /// For how many days an exception may last, by the priority that it accepts. Without a limit where there is none.
    pub max_days: BTreeMap<Priority, i32>,
    /// How many days before its end an exception is announced to its owner, the most first.
    pub warn_days: Vec<i32>,
    /// Vulnerabilities that no exception covers.
    pub never: Vec<VulnerabilityId>,
    /// Who may approve; anybody, and nobody has to, where there is no list.
    pub approvers: Option<Vec<String>>,
}

impl Default for Policy {
    fn default() -> Self {
        Self {
            max_days: BTreeMap::new(),
            warn_days: vec![30, 14, 7],
            never: Vec::new(),
            approvers: None,
        }
    }
}

/// A decision not to fix some findings for now.
#[skip_serializing_none]
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Exception {
    /// Its name, once in a ledger.
    pub id: String,
    /// What it is about.
    #[serde(flatten)]
    pub selectors: Selectors,
    /// What was decided.
    pub decision: Decision,
    /// Why the vulnerability does no harm, where that was decided.
    pub justification: Option<Justification>,
    /// Why.
    pub reason: String,
    /// What protects meanwhile.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub compensating_controls: Vec<String>,
    /// Where it is followed up.
    pub ticket: Option<String>,
    /// Who answers for it.
    pub owner: String,
    /// Who agreed.
    pub approved_by: Option<String>,
    /// From which day on it holds, in UTC.
    pub created_at: Date,
    /// By when somebody looks at it again, which changes nothing by itself.
    pub review_at: Option<Date>,
    /// When it ends.
    #[serde(flatten)]
    pub terms: Terms,
}

/// Words that a ledger may use, and how they are written.
macro_rules! words {
    ($(#[$doc:meta])* $name:ident { $($(#[$variant_doc:meta])* $variant:ident = $word:literal,)+ }) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize, serde::Deserialize)]
        pub enum $name {
            $($(#[$variant_doc])* #[serde(rename = $word)] $variant,)+
        }

        impl $name {
            /// All of them.
            pub const ALL: &[Self] = &[$(Self::$variant),+];

            /// The word.
            pub fn as_str(self) -> &'static str {
                match self {
                    $(Self::$variant => $word,)+
                }
            }
        }
    };
}
use words;

words! {
    /// What was decided about findings.
    Decision {
        /// The risk is taken.
        Accept = "accept",
        /// It is fixed later.
        Defer = "defer",
        /// The vulnerability is there, and does no harm here.
        NotAffected = "not_affected",
        /// The vulnerability is not there.
        FalsePositive = "false_positive",
    }
}

words! {
    /// Why a vulnerability does no harm: <https://github.com/openvex/spec>, *status justifications*.
    Justification {
        /// The product does not have the component.
        ComponentNotPresent = "component_not_present",
        /// The component does not have the code.
        VulnerableCodeNotPresent = "vulnerable_code_not_present",
        /// The code is never run.
        VulnerableCodeNotInExecutePath = "vulnerable_code_not_in_execute_path",
        /// The code is run, and an attacker cannot reach it.
        VulnerableCodeCannotBeControlledByAdversary = "vulnerable_code_cannot_be_controlled_by_adversary",
        /// Something else keeps attackers off.
        InlineMitigationsAlreadyExist = "inline_mitigations_already_exist",
    }
}
