//! The deadlines of CISA's Binding Operational Directive 26-04 of June 2026, which asks four questions of a vulnerability:
//! whether CISA lists it as exploited, whether the asset is publicly exposed, whether attacks can be automated, and whether an
//! attack gains all or a part.
//!
//! The table is the one that CERT/CC publishes for it:
//! <https://github.com/CERTCC/SSVC/blob/main/data/csv/cisa/cisa_bod_26_04_1_0_0.csv>. Each answer says what it rests on, and
//! what nobody knows counts as yes.

use jiff::{SignedDuration, Timestamp};
use serde::Serialize;

use super::vector::Vector;
use crate::domain::{
    finding::{Finding, FindingType, Resource},
    threat::{Catalogue, Threat},
};

/// By when to remediate.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Deadline {
    /// Within three days, and look for traces of an intrusion.
    ThreeDaysAndForensics,
    /// Within three days.
    ThreeDays,
    /// Within 14 days.
    FourteenDays,
    /// Within 60 days.
    SixtyDays,
    /// With the next scheduled upgrade or rebuild of the asset.
    NextUpgrade,
}

impl Deadline {
    /// How many days there are, if it is a number of days.
    pub fn days(self) -> Option<u16> {
        match self {
            Self::ThreeDaysAndForensics | Self::ThreeDays => Some(3),
            Self::FourteenDays => Some(14),
            Self::SixtyDays => Some(60),
            Self::NextUpgrade => None,
        }
    }

    /// How much time there is, if that is limited.
    pub fn allowed(self) -> Option<SignedDuration> {
        self.days().map(|days| SignedDuration::from_hours(i64::from(days) * 24))
    }

    /// Whether the asset is to be looked at for traces of an intrusion.
    pub fn asks_for_forensics(self) -> bool {
        self == Self::ThreeDaysAndForensics
    }
}

/// The directive's table, of the answers to the four questions in the order of [`Question`].
pub fn deadline(answers: [bool; 4]) -> Deadline {
    use Deadline::{FourteenDays, NextUpgrade, SixtyDays, ThreeDays, ThreeDaysAndForensics};
    match answers {
        [false, false, false, _] => NextUpgrade,
        [false, false, true, _] | [false, true, false, false] => SixtyDays,
        [false, true, true, true] | [true, true, true, false] => ThreeDays,
        [true, true, _, true] | [true, false, true, true] => ThreeDaysAndForensics,
        _ => FourteenDays,
    }
}

/// What an answer rests on.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(tag = "basis", rename_all = "kebab-case", rename_all_fields = "camelCase")]
pub enum Basis {
    /// CISA's catalogue has it.
    Listed {
        /// Since when.
        since: Option<Timestamp>,
    },
    /// Attacks were seen, and the catalogue has it not: CISA has that handled as if it had.
    SeenExploited,
    /// CISA's catalogue had it not.
    NotListed {
        /// When that was looked up.
        as_of: Timestamp,
    },
    /// The machine has a public address.
    PublicAddress {
        /// The address.
        address: String,
    },
    /// An open path leads through an internet gateway.
    InternetGateway,
    /// All addresses of the machine are private.
    PrivateAddresses,
    /// CISA's own analysis (Vulnrichment), which came with the finding.
    Analysis,
    /// The CVSS vector: a substitute.
    Vector {
        /// The vector.
        vector: String,
    },
    /// Nothing: it is not known.
    Unknown,
}

/// The answer to one of the four questions.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Answer {
    /// Yes or no.
    pub value: bool,
    /// What that rests on.
    #[serde(flatten)]
    pub basis: Basis,
}

impl Answer {
    fn new(value: bool, basis: Basis) -> Self {
        Self { value, basis }
    }

    /// What nobody knows counts as yes.
    fn unknown() -> Self {
        Self::new(true, Basis::Unknown)
    }

    /// Whether nobody knows.
    pub fn is_assumed(&self) -> bool {
        self.basis == Basis::Unknown
    }
}

/// One of the four questions.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Question {
    /// Whether it is known to be exploited.
    KnownExploited,
    /// Whether the asset can be reached from the internet.
    Exposed,
    /// Whether attacks can be automated.
    Automatable,
    /// Whether an attack gains control of all.
    Total,
}

/// What the directive says of a finding, and why.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Verdict {
    /// Whether it is known to be exploited.
    pub known_exploited: Answer,
    /// Whether the asset can be reached from the internet.
    pub exposed: Answer,
    /// Whether attacks can be automated.
    pub automatable: Answer,
    /// Whether an attack gains control of all.
    pub total: Answer,
    /// By when to remediate.
    pub deadline: Deadline,
}

impl Verdict {
    /// The verdict about a finding of whose vulnerability `threat` is known. None if it is of no vulnerability, which the
    /// directive is about, but of a weakness in one's own code or network.
    pub fn of(finding: &Finding, threat: Option<&Threat>) -> Option<Self> {
        let own = [FindingType::CodeVulnerability, FindingType::NetworkReachability];
        if own.contains(&finding.kind) {
            return None;
        }
        let vector = Vector::of(finding);
        let analysis = threat.and_then(|threat| threat.analysis.as_ref());
        let by_vector = |of: fn(&Vector) -> bool| {
            vector.as_ref().map_or_else(Answer::unknown, |vector| {
                Answer::new(of(vector), Basis::Vector { vector: vector.text.clone() })
            })
        };
        let analysed = |said: Option<bool>, of| {
            said.map_or_else(|| by_vector(of), |value| Answer::new(value, Basis::Analysis))
        };
        let known_exploited = known_exploited(threat);
        let exposed = exposed(finding);
        let automatable =
            analysed(analysis.and_then(|one| one.automatable), Vector::is_automatable);
        let total = analysed(analysis.and_then(|one| one.total_impact), |vector| vector.total);
        let answers = [&known_exploited, &exposed, &automatable, &total];
        let deadline = deadline(answers.map(|answer| answer.value));
        Some(Self { known_exploited, exposed, automatable, total, deadline })
    }

    /// The four answers.
    pub fn answers(&self) -> [(Question, &Answer); 4] {
        [
            (Question::KnownExploited, &self.known_exploited),
            (Question::Exposed, &self.exposed),
            (Question::Automatable, &self.automatable),
            (Question::Total, &self.total),
        ]
    }
}

fn known_exploited(threat: Option<&Threat>) -> Answer {
    let Some(threat) = threat else { return Answer::unknown() };
    match &threat.catalogue {
        Catalogue::Listed(listing) => Answer::new(true, Basis::Listed { since: listing.added }),
        _ if threat.observed.is_some() => Answer::new(true, Basis::SeenExploited),
        Catalogue::NotListed => Answer::new(false, Basis::NotListed { as_of: threat.checked_at }),
        Catalogue::Unknown => Answer::unknown(),
    }
}

/// Of machines Inspector knows the addresses. Of what stands behind a load balancer, and of images and functions, it knows
/// nothing of the kind.
fn exposed(finding: &Finding) -> Answer {
    if finding.has_open_path() {
        return Answer::new(true, Basis::InternetGateway);
    }
    let public = finding.resources.iter().find_map(Resource::public_address);
    if let Some(address) = public {
        return Answer::new(true, Basis::PublicAddress { address: address.to_string() });
    }
    if finding.resources.iter().all(Resource::has_private_addresses_alone) {
        return Answer::new(false, Basis::PrivateAddresses);
    }
    Answer::unknown()
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;
    use crate::domain::finding::sample;

    /// CISA's table as CERT/CC publishes it, row by row: in KEV, exposed, automatable, technical impact, timeline.
    const TABLE: &str = "\
        0,no,no,no,partial,fix on system upgrade\n\
        1,yes,no,no,partial,14 days\n\
        2,no,yes,no,partial,60 days\n\
        3,no,no,yes,partial,60 days\n\
        4,no,no,no,total,fix on system upgrade\n\
        5,yes,yes,no,partial,14 days\n\
        6,yes,no,yes,partial,14 days\n\
        7,no,yes,yes,partial,14 days\n\
        8,yes,no,no,total,14 days\n\
        9,no,yes,no,total,14 days\n\
        10,no,no,yes,total,60 days\n\
        11,yes,yes,yes,partial,3 days\n\
        12,yes,yes,no,total,3 days & forensic investigation\n\
        13,yes,no,yes,total,3 days & forensic investigation\n\
        14,no,yes,yes,total,3 days\n\
        15,yes,yes,yes,total,3 days & forensic investigation\n";

    #[test]
    fn the_table_is_that_of_the_directive() {
        let mut seen = std::collections::BTreeSet::new();
        for row in TABLE.lines() {
            let cells: Vec<&str> = row.trim().split(',').collect();
            let [_, kev, exposed, automatable, impact, timeline] = cells[..] else {
                panic!("{row}")
            };
            let answers = [kev == "yes", exposed == "yes", automatable == "yes", impact == "total"];
            assert!(seen.insert(answers), "{row}");
            let expected = match timeline {
                "fix on system upgrade" => Deadline::NextUpgrade,
                "60 days" => Deadline::SixtyDays,
                "14 days" => Deadline::FourteenDays,
                "3 days" => Deadline::ThreeDays,
                "3 days & forensic investigation" => Deadline::ThreeDaysAndForensics,
                other => panic!("{other}"),
            };
            assert_eq!(deadline(answers), expected, "{row}");
        }
        assert_eq!(seen.len(), 16);
    }

    #[test]
    fn a_yes_never_gives_more_time() {
        let order = |answers: u8| {
            let is = |bit: u8| answers & (1 << bit) != 0;
            let deadline = deadline([0, 1, 2, 3].map(is));
            (deadline.days().unwrap_or(u16::MAX), !deadline.asks_for_forensics())
        };
        for answers in 0..16 {
            for bit in 0..4 {
                assert!(order(answers | 1 << bit) <= order(answers), "{answers:04b} {bit}");
            }
        }
    }

    fn verdict(threat: Option<&Value>, change: impl FnOnce(&mut Value)) -> Verdict {
        let now = "2026-11-20T12:00:00Z".parse().unwrap();
        let threat = threat.map(|threat| Threat::read(threat, now));
        Verdict::of(&sample::with(change), threat.as_ref()).unwrap()
    }

    #[test]
    fn what_is_not_known_counts_as_yes_and_says_so() {
        let unknown = verdict(None, |f| {
            f["resources"][0] = json!({"type": "AWS_LAMBDA_FUNCTION", "id": "x"});
            f["inspectorScoreDetails"] = Value::Null;
            f["packageVulnerabilityDetails"]["cvss"] = json!([]);
        });
        let Verdict { known_exploited, exposed, automatable, total, deadline } = unknown;
        for answer in [known_exploited, exposed, automatable, total] {
            assert_eq!(answer, Answer::unknown());
        }
        assert_eq!(deadline, Deadline::ThreeDaysAndForensics);
    }

    #[test]
    fn each_answer_says_what_it_rests_on() {
        let at = |address: &'static str| {
            move |f: &mut Value| {
                f["resources"][0]["details"]["awsEc2Instance"]["ipV4Addresses"] = json!([address]);
                f["inspectorScoreDetails"]["adjustedCvss"]["scoringVector"] =
                    json!("CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:N");
            }
        };
        let private = verdict(Some(&json!({})), at("10.0.0.7"));
        assert!(matches!(private.known_exploited.basis, Basis::NotListed { .. }));
        assert_eq!(private.exposed, Answer::new(false, Basis::PrivateAddresses));
        assert!(private.automatable.value && private.total.value);
        assert!(matches!(private.total.basis, Basis::Vector { .. }));
        assert_eq!(private.deadline, Deadline::SixtyDays);

        let analysed = json!({
            "exploitObserved": {"lastSeen": 1_790_000_000},
            "ssvc": {"automatable": "no", "technicalImpact": "partial"},
        });
        let public = verdict(Some(&analysed), at("198.51.100.7"));
        assert_eq!(public.known_exploited, Answer::new(true, Basis::SeenExploited));
        assert!(matches!(public.exposed.basis, Basis::PublicAddress { .. }));
        assert_eq!(public.automatable, Answer::new(false, Basis::Analysis));
        assert_eq!(public.deadline, Deadline::FourteenDays);
        let listed = verdict(Some(&json!({"cisaData": {}})), at("198.51.100.7"));
        assert_eq!(listed.deadline, Deadline::ThreeDaysAndForensics);
    }

    #[test]
    fn a_weakness_of_ones_own_is_none_of_its_business() {
        let code = sample::with(|f| f["type"] = json!("CODE_VULNERABILITY"));
        assert_eq!(Verdict::of(&code, None), None);
    }
}
