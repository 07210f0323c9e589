//! What an organisation may set about the assessment.

use std::{collections::BTreeMap, fmt, str::FromStr};

use jiff::{SignedDuration, Timestamp};

use super::{Priority, bod_26_04::Verdict};
use crate::domain::{digest, finding::Finding, threat::Threat};

/// The settings of the assessment.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Policy {
    /// How long each priority may stay open.
    pub sla: Sla,
    /// What tags say that a resource matters more than others.
    pub urgent_tags: UrgentTags,
    /// By which rule due dates come about.
    pub deadlines: Deadlines,
}

/// A rule for due dates.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Deadlines {
    /// By priority: [`Sla`].
    #[default]
    Priority,
    /// Of vulnerabilities by CISA's directive: [`super::bod_26_04`]; of weaknesses of one's own by priority.
    Bod2604,
}

impl Deadlines {
    /// What a text must be to be read as one.
    pub const EXPECTED: &str = "priority or bod-26-04";

    /// What the rule says of a finding of which `threat` is known, if it is a rule that says more than the priority does.
    pub fn verdict(self, finding: &Finding, threat: Option<&Threat>) -> Option<Verdict> {
        match self {
            Self::Priority => None,
            Self::Bod2604 => Verdict::of(finding, threat),
        }
    }
}

/// A text that names no rule for due dates.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error("expected {}", Deadlines::EXPECTED)]
pub struct NotDeadlines;

impl FromStr for Deadlines {
    type Err = NotDeadlines;

    fn from_str(text: &str) -> Result<Self, NotDeadlines> {
        match text {
            "priority" => Ok(Self::Priority),
            "bod-26-04" => Ok(Self::Bod2604),
            _ => Err(NotDeadlines),
        }
    }
}

impl fmt::Display for Deadlines {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Priority => "priority",
            Self::Bod2604 => "bod-26-04",
        })
    }
}

impl Policy {
    /// The version of formula and thresholds. Raise it with every change to either.
    pub const VERSION: &str = "3";

    /// By when to act, by the rule that is set, on a finding of this priority, of which `threat` is known, that is to be acted on from `now` on; none if nobody can end
    /// it.
    pub fn due_at(
        &self,
        finding: &Finding,
        threat: Option<&Threat>,
        priority: Priority,
        now: Timestamp,
    ) -> Option<Timestamp> {
        if finding.is_on_demand() {
            return None;
        }
        if let Some(verdict) = self.deadlines.verdict(finding, threat) {
            return verdict.deadline.allowed().and_then(|allowed| now.checked_add(allowed).ok());
        }
        let is_exploited = threat.is_some_and(Threat::is_worth_telling);
        let allowed = self.sla.allowed(priority, finding.exploit_known() || is_exploited);
        now.checked_add(allowed).ok()
    }

    /// By when to act on a finding that was due at `due`, once more is known of it at `now` than when that was set: `threat`
    /// now, `before` then. None if nothing that was assumed then is known now.
    pub fn corrected(
        &self,
        finding: &Finding,
        (before, threat): (Option<&Threat>, Option<&Threat>),
        due: Timestamp,
        now: Timestamp,
    ) -> Option<Option<Timestamp>> {
        let was = self.deadlines.verdict(finding, before)?;
        let is = self.deadlines.verdict(finding, threat)?;
        if !was.known_exploited.is_assumed() || is.known_exploited.is_assumed() {
            return None;
        }
        // Whatever rule has set it: nobody gets more time than if it were found now.
        let since = due.checked_sub(was.deadline.allowed()?).ok()?.min(now);
        Some(is.deadline.allowed().and_then(|allowed| since.checked_add(allowed).ok()))
    }

    /// Whether an assessment with this stamp was made with this version of the formula, under whatever settings.
    pub fn is_stamp_of_this_version(stamp: &str) -> bool {
        stamp.split('-').next() == Some(Self::VERSION)
    }

    /// What the assessments of this policy are stamped with: the version, and a digest of the
    /// settings if they are not the defaults.
    pub fn stamp(&self) -> String {
        if *self == Self::default() {
            return Self::VERSION.to_owned();
        }
        let digest = digest::of(format!("{} {} {}", self.sla, self.urgent_tags, self.deadlines));
        format!("{}-{digest:08x}", Self::VERSION)
    }
}

/// Tags of resources that matter more than others, such as `stage=prod`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct UrgentTags(Vec<(String, String)>);

impl UrgentTags {
    /// What a text must be to be read as such tags.
    pub const EXPECTED: &str = "at most 20 tags such as stage=prod,env=production";

    /// The first of `tags` that is one of these. Keys have to be the same to the letter, values in
    /// any case.
    pub fn find<'a>(&self, tags: &'a BTreeMap<String, String>) -> Option<(&'a str, &'a str)> {
        let is_one = |key: &str, value: &str| {
            self.0.iter().any(|(k, v)| k == key && v.eq_ignore_ascii_case(value))
        };
        tags.iter().map(|(k, v)| (k.as_str(), v.as_str())).find(|(k, v)| is_one(k, v))
    }
}

/// A text that names no tags.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error("expected {}", UrgentTags::EXPECTED)]
pub struct NotTags;

impl FromStr for UrgentTags {
    type Err = NotTags;

    fn from_str(text: &str) -> Result<Self, NotTags> {
        let tags = text.split(',').map(|tag| {
            let (key, value) = tag.split_once('=').ok_or(NotTags)?;
            let (key, value) = (key.trim(), value.trim());
            if key.is_empty() || value.is_empty() { Err(NotTags) } else { Ok((key, value)) }
        });
        let tags: Vec<_> = tags.collect::<Result<_, _>>()?;
        let tags: Vec<_> = tags.into_iter().map(|(k, v)| (k.to_owned(), v.to_owned())).collect();
        if tags.len() <= 20 { Ok(Self(tags)) } else { Err(NotTags) }
    }
}

impl fmt::Display for UrgentTags {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let tags: Vec<String> =
            self.0.iter().map(|(key, value)| format!("{key}={value}")).collect();
        f.write_str(&tags.join(","))
    }
}

/// The days within which a finding of each priority has to be dealt with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Sla {
    /// For P1 to P4.
    days: [u16; 4],
}

impl Sla {
    /// What a text must be to be read as one.
    pub const EXPECTED: &str = "four whole numbers of days for P1 to P4, each from 1 to 999 and \
                                none less than the one before, such as 2,7,30,90";

    /// The time a finding of this priority may stay open. If an exploit is known, as long as one of
    /// the class above; in the highest class half as long.
    pub fn allowed(self, priority: Priority, exploit: bool) -> SignedDuration {
        let [p1, p2, p3, p4] =
            self.days.map(|days| SignedDuration::from_hours(i64::from(days) * 24));
        match (priority, exploit) {
            (Priority::P1, true) => p1 / 2,
            (Priority::P1, false) | (Priority::P2, true) => p1,
            (Priority::P2, false) | (Priority::P3, true) => p2,
            (Priority::P3, false) | (Priority::P4, true) => p3,
            (Priority::P4, false) => p4,
        }
    }
}

/// A text that gives no allowed days.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error("expected {}", Sla::EXPECTED)]
pub struct NotAnSla;

impl Default for Sla {
    fn default() -> Self {
        Self { days: [2, 7, 30, 90] }
    }
}

impl fmt::Display for Sla {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [p1, p2, p3, p4] = self.days;
        write!(f, "{p1},{p2},{p3},{p4}")
    }
}

impl FromStr for Sla {
    type Err = NotAnSla;

    fn from_str(text: &str) -> Result<Self, NotAnSla> {
        let days: Vec<u16> = text
            .split(',')
            .map(|day| day.trim().parse().map_err(|_| NotAnSla))
            .collect::<Result<_, _>>()?;
        let days: [u16; 4] = days.try_into().map_err(|_| NotAnSla)?;
        let allowed = days.is_sorted() && days.iter().all(|day| (1..=999).contains(day));
        if allowed { Ok(Self { days }) } else { Err(NotAnSla) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn days_are_read_for_each_priority() {
        let sla: Sla = "1, 2,3,4".parse().unwrap();
        let days = |priority, exploit| sla.allowed(priority, exploit).as_hours() / 24;
        assert_eq!(Priority::ALL.map(|priority| days(priority, false)), [1, 2, 3, 4]);
        assert_eq!(sla.to_string(), "1,2,3,4");
    }

    #[test]
    fn with_a_known_exploit_there_is_less_time() {
        let hours = |priority| Sla::default().allowed(priority, true).as_hours();
        assert_eq!(Priority::ALL.map(hours), [24, 48, 7 * 24, 30 * 24]);
    }

    #[test]
    fn tags_are_found_by_key_and_value() {
        let urgent: UrgentTags = "stage=prod, env = production".parse().unwrap();
        let tags = |key: &str, value: &str| BTreeMap::from([(key.to_owned(), value.to_owned())]);
        assert_eq!(urgent.find(&tags("stage", "PROD")), Some(("stage", "PROD")));
        assert_eq!(urgent.find(&tags("env", "production")), Some(("env", "production")));
        assert_eq!(urgent.find(&tags("stage", "test")), None);
        assert_eq!(urgent.find(&tags("Stage", "prod")), None);
        for text in ["", "stage", "stage=", "=prod", "a=b,,c=d", &["a=b"; 21].join(",")] {
            assert_eq!(text.parse::<UrgentTags>(), Err(NotTags), "{text}");
        }
    }

    #[test]
    fn a_policy_is_stamped_with_its_version_and_its_settings() {
        let policy = Policy::default();
        assert_eq!(policy.stamp(), Policy::VERSION);
        let other = Policy { urgent_tags: "stage=prod".parse().unwrap(), ..Policy::default() };
        assert!(other.stamp().starts_with("3-") && other.stamp().len() == 10, "{}", other.stamp());
        assert_ne!(
            other.stamp(),
            Policy { sla: "1,2,3,4".parse().unwrap(), ..other.clone() }.stamp()
        );
    }

    #[test]
    fn anything_but_four_rising_numbers_is_refused() {
        for text in [
            "",
            "2,7,30",
            "2,7,30,90,91",
            "2,7,thirty,90",
            "0,7,30,90",
            "9,7,30,90",
            "-1,7,30,90",
            "2,7,30,1000",
        ] {
            assert_eq!(text.parse::<Sla>(), Err(NotAnSla), "{text}");
        }
    }
}
