//! The score: 0 to 100 points, each with its reason. See `docs/SCORING.md` for what it rests on.
//!
//! Whole numbers only, and the most that each reason can give adds up to 100: nothing is ever cut
//! off, and the points shown are the score.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::{Policy, vector::Vector};
use crate::domain::{
    finding::{Finding, FindingType, FixAvailable, Resource, Severity},
    threat::{Listing, Threat},
};

/// What points are given for.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "factor", rename_all = "kebab-case")]
pub enum Factor {
    /// The probability of exploitation within 30 days. Up to 35 points.
    Epss {
        /// 0.0 to 1.0; `None` if the event does not say.
        probability: Option<f64>,
    },
    /// CISA's catalogue has the vulnerability: it is exploited for certain. 35 points, in place of those for its probability.
    KnownExploited {
        /// Since when it is there.
        added: Option<Timestamp>,
        /// What CISA has agencies do, in its words.
        action: Option<String>,
    },
    /// How new the vulnerability is. Up to 40 points.
    Fresh {
        /// Whole days since it was published, or first seen; `None` if neither is known.
        days: Option<u32>,
        /// Whether the days count from its publication.
        published: bool,
    },
    /// A weakness in one's own code or network, for which there is no EPSS. Up to 30 points.
    OwnWeakness {
        /// Whether it can be reached from the internet.
        internet: bool,
    },
    /// How bad and how easy it is. Up to 8 points.
    Severity {
        /// Inspector's rating.
        severity: Severity,
        /// The CVSS vector that was taken into account.
        vector: Option<String>,
    },
    /// A known exploit. Up to 10 points.
    Exploit {
        /// Whole days since it was last seen; `None` if that is not known.
        days: Option<u32>,
    },
    /// A way in from the internet. 3 points.
    Exposure {
        /// The public address; `None` if an open path was found instead.
        address: Option<String>,
    },
    /// A tag that says that the resource matters more than others. 2 points.
    Environment {
        /// The tag.
        key: String,
        /// Its value.
        value: String,
    },
    /// Whether a fix can be installed. Up to 2 points.
    Fix {
        /// `None` if the event does not say.
        fix: Option<FixAvailable>,
    },
}

impl Factor {
    /// The name of the factor.
    pub fn name(&self) -> &'static str {
        match self {
            Self::Epss { .. } => "epss",
            Self::KnownExploited { .. } => "known-exploited",
            Self::Fresh { .. } => "fresh",
            Self::OwnWeakness { .. } => "own-weakness",
            Self::Severity { .. } => "severity",
            Self::Exploit { .. } => "exploit",
            Self::Exposure { .. } => "exposure",
            Self::Environment { .. } => "environment",
            Self::Fix { .. } => "fix",
        }
    }
}

/// One reason for a score.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Reason {
    /// What it adds to the score.
    pub points: u8,
    /// What for.
    #[serde(flatten)]
    pub factor: Factor,
}

impl Reason {
    fn new(points: u32, factor: Factor) -> Self {
        Self { points: u8::try_from(points).unwrap_or(u8::MAX), factor }
    }
}

/// The reasons for the score of a finding as of `now`, in a fixed order.
pub fn reasons(finding: &Finding, policy: &Policy, now: Option<Timestamp>) -> Vec<Reason> {
    let vector = Vector::of(finding);
    let gravity = gravity(finding, vector.as_ref());
    let own = match finding.kind {
        FindingType::CodeVulnerability => Some(own_weakness(gravity, false)),
        FindingType::NetworkReachability => Some(own_weakness(gravity, finding.has_open_path())),
        FindingType::PackageVulnerability | FindingType::Other(_) => None,
    };
    let threat = match own {
        Some(own) => [Some(own), None],
        None => [Some(epss(finding.epss)), Some(fresh(finding, gravity, now))],
    };
    let rest = [
        Some(severity(finding, gravity, vector.as_ref())),
        exploit(finding.exploit_known(), finding.last_known_exploit_at, now),
        exposure(finding, vector.as_ref()),
        environment(finding, policy),
        fix(finding),
    ];
    threat.into_iter().chain(rest).flatten().collect()
}

/// The reasons for the score of a finding as of `now`, which were these by the finding alone, once `threat` is known of its
/// vulnerability. The newer EPSS counts, the later exploit, and what CISA lists is certain.
pub fn knowing(
    reasons: &[Reason],
    finding: &Finding,
    threat: &Threat,
    now: Option<Timestamp>,
) -> Vec<Reason> {
    let as_of = now.map_or_else(|| finding.as_of(), |now| finding.as_of_by(now));
    let is_newer = as_of.is_none_or(|as_of| as_of <= threat.checked_at);
    let mut known = Vec::with_capacity(reasons.len() + 1);
    for reason in reasons {
        match reason.factor {
            Factor::Epss { .. } if is_newer || threat.listing().is_some() => {
                known.push(likelihood(finding.epss, threat));
            }
            Factor::Exploit { .. } if threat.observed.is_some() => {}
            _ => known.push(reason.clone()),
        }
        if let (Factor::Severity { .. }, Some(seen)) = (&reason.factor, &threat.observed) {
            let said = exploit(finding.exploit_known(), finding.last_known_exploit_at, now);
            let seen = exploit(true, seen.last.or(seen.first), now);
            known.extend(said.into_iter().chain(seen).max_by_key(|reason| reason.points));
        }
    }
    known
}

/// The gravity of the worst there can be.
const WORST: u32 = 96;

/// How bad and how easy a weakness is, in 96ths: half of it Inspector's rating, a quarter each the
/// impact and the ease in its vector. Without a vector the rating stands in for it.
///
/// Each rating counts twice the one below: fresh CRITICAL ones are exploited about six times as
/// often as fresh HIGH ones, and points go with the square root of that. What nobody has rated is
/// taken as MEDIUM.
fn gravity(finding: &Finding, vector: Option<&Vector>) -> u32 {
    let (rating, stand_in) = match finding.severity {
        Severity::Critical => (48, 48),
        Severity::High => (24, 36),
        Severity::Medium | Severity::Untriaged | Severity::Other(_) => (12, 24),
        Severity::Low => (6, 12),
        Severity::Informational => (0, 0),
    };
    rating + vector.map_or(stand_in, |vector| 4 * vector.impact + 3 * vector.ease)
}

/// 35 points times the square root of the probability: rates of exploitation span three orders of
/// magnitude, and the root keeps 0.1 % and 1 % apart without making them half of the score.
///
/// An unknown probability counts as 2 %, which is more than what nine in ten HIGH and CRITICAL
/// vulnerabilities have in version 3 of EPSS and eight in ten in version 4: low, but not nothing.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "a number from 0 to 35"
)]
fn epss(probability: Option<f64>) -> Reason {
    const UNKNOWN: f64 = 0.02;
    let taken = probability.unwrap_or(UNKNOWN).clamp(0.0, 1.0);
    // A square root is exactly rounded on every machine, so that class borders never flicker.
    let points = (35.0 * taken.sqrt() + 0.5).floor() as u32;
    Reason::new(points, Factor::Epss { probability })
}

/// How likely exploitation is, once `threat` is known beside what an event says.
pub fn likelihood(probability: Option<f64>, threat: &Threat) -> Reason {
    match threat.listing() {
        Some(listing) => known_exploited(listing),
        None => epss(threat.epss.or(probability)),
    }
}

/// The points of probability 1: what CISA has evidence of is no matter of probability.
fn known_exploited(listing: &Listing) -> Reason {
    let (added, action) = (listing.added, listing.action.clone());
    Reason::new(35, Factor::KnownExploited { added, action })
}

/// After how many days news counts half.
const HALF_AFTER: u32 = 90;

/// Up to 40 points by gravity, half of them after 90 days, a third after 180.
///
/// Much of what is exploited is attacked in the first weeks after publication, before EPSS can see
/// it. Without a date of publication the age counts from when Inspector first saw it, and without
/// that as none.
fn fresh(finding: &Finding, gravity: u32, now: Option<Timestamp>) -> Reason {
    let published = finding.package().and_then(|package| package.published_at);
    let days = days_between(published.or(finding.first_observed_at), now);
    let age = days.unwrap_or(0);
    let points = share(40 * gravity * HALF_AFTER, WORST * (HALF_AFTER + age));
    Reason::new(points, Factor::Fresh { days, published: published.is_some() })
}

/// Up to 20 points by gravity, up to 30 where it can be reached from the internet: scanners find
/// an open port within hours. It does not fade, as it is nobody else's news.
fn own_weakness(gravity: u32, internet: bool) -> Reason {
    let most = if internet { 30 } else { 20 };
    Reason::new(share(most * gravity, WORST), Factor::OwnWeakness { internet })
}

/// Up to 8 points by gravity: what remains of it when the vulnerability is old.
fn severity(finding: &Finding, gravity: u32, vector: Option<&Vector>) -> Reason {
    let factor = Factor::Severity {
        severity: finding.severity.clone(),
        vector: vector.map(|vector| vector.text.clone()),
    };
    Reason::new(share(8 * gravity, WORST), factor)
}

/// 5 points for a known exploit, and up to 5 for how recently it was seen. EPSS has learned from
/// old exploits; the new one is what it is slow to see. Without a date: as 90 days ago.
fn exploit(is_known: bool, last: Option<Timestamp>, now: Option<Timestamp>) -> Option<Reason> {
    if !is_known {
        return None;
    }
    let days = days_between(last, now);
    let since = days.unwrap_or(HALF_AFTER);
    let points = share(5 * (HALF_AFTER + since) + 5 * HALF_AFTER, HALF_AFTER + since);
    Some(Reason::new(points, Factor::Exploit { days }))
}

/// 3 points for an open path from the internet, or for a public address of a machine, unless the
/// vulnerability cannot be attacked over the network.
fn exposure(finding: &Finding, vector: Option<&Vector>) -> Option<Reason> {
    let address = match finding.kind {
        FindingType::NetworkReachability if finding.has_open_path() => None,
        FindingType::NetworkReachability | FindingType::CodeVulnerability => return None,
        _ if vector.is_some_and(|vector| !vector.network) => return None,
        _ => Some(finding.resources.iter().find_map(Resource::public_address)?.to_string()),
    };
    Some(Reason::new(3, Factor::Exposure { address }))
}

/// 2 points where a tag of the resource is one of [`Policy::urgent_tags`]: of two equal findings the
/// one in production comes first. More would be wrong: where a weakness is does not make it more
/// likely to be attacked, and an attacker in a test environment is inside all the same.
fn environment(finding: &Finding, policy: &Policy) -> Option<Reason> {
    let tagged = finding.resources.iter().find_map(|r| policy.urgent_tags.find(&r.tags));
    let (key, value) = tagged?;
    Some(Reason::new(2, Factor::Environment { key: key.to_owned(), value: value.to_owned() }))
}

/// 2 points where a fix can be installed, 1 where it can in part or nobody knows: of two equal
/// findings the one that can be dealt with comes first. More would be wrong: a missing fix makes
/// nothing less dangerous. It decides what to do instead. Code and network findings have no fix to
/// install.
fn fix(finding: &Finding) -> Option<Reason> {
    let own = [FindingType::CodeVulnerability, FindingType::NetworkReachability];
    if finding.fix_available.is_none() && own.contains(&finding.kind) {
        return None;
    }
    let points = match finding.fix_available {
        Some(FixAvailable::Yes) => 2,
        Some(FixAvailable::Partial | FixAvailable::Other(_)) | None => 1,
        Some(FixAvailable::No) => 0,
    };
    Some(Reason::new(points, Factor::Fix { fix: finding.fix_available.clone() }))
}

/// Whole days from `then` to `now`, from 0 to a hundred years.
fn days_between(then: Option<Timestamp>, now: Option<Timestamp>) -> Option<u32> {
    let days = now?.duration_since(then?).as_hours() / 24;
    u32::try_from(days.clamp(0, 36_500)).ok()
}

/// `top / bottom`, halves up.
fn share(top: u32, bottom: u32) -> u32 {
    (2 * top + bottom) / (2 * bottom)
}
