//! What Amazon Inspector looks at, and what it does not: accounts, kinds of scans, and resources.

use std::collections::BTreeMap;

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::{
    finding::{FindingType, ResourceType, date},
    record::How,
};

/// How long a first scan may take before it counts as missing.
const PATIENCE: SignedDuration = SignedDuration::from_hours(24);

/// A resource as Inspector's coverage has it. There is a row for each kind of scan.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Coverage {
    /// The account that holds it.
    pub account: String,
    /// Its ARN or id.
    pub resource: String,
    /// Its type, such as `AWS_LAMBDA_FUNCTION`.
    pub kind: String,
    /// The kind of scan: `PACKAGE`, `CODE` or `NETWORK`.
    pub scan: String,
    /// `ACTIVE` or `INACTIVE`.
    pub status: String,
    /// Why, such as `SUCCESSFUL`.
    pub reason: String,
    /// When it was last scanned, if it ever was.
    pub last_scanned_at: Option<Timestamp>,
    /// The commit that was last scanned, of a code repository.
    pub commit: Option<String>,
    /// Its tags, if Inspector knows them.
    pub tags: BTreeMap<String, String>,
}

/// A resource as Inspector and the AWS CLI write it:
/// <https://docs.aws.amazon.com/inspector/v2/APIReference/API_CoveredResource.html>.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct CoveredResource {
    account_id: String,
    resource_id: String,
    resource_type: String,
    scan_type: String,
    scan_status: Option<ScanStatus>,
    #[serde(default)]
    last_scanned_at: Value,
    #[serde(default)]
    resource_metadata: Value,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct ScanStatus {
    status_code: String,
    reason: String,
}

impl Coverage {
    /// Reads one of the `coveredResources` of `ListCoverage`.
    ///
    /// # Errors
    /// A field that must be there is missing, or not a text.
    pub fn read(value: &Value) -> Result<Self, serde_json::Error> {
        let read = CoveredResource::deserialize(value)?;
        let (status, reason) = match read.scan_status {
            Some(status) => (status.status_code, status.reason),
            None => (INACTIVE.to_owned(), UNKNOWN.to_owned()),
        };
        let tags = ["/lambdaFunction/functionTags", "/ec2/tags"]
            .into_iter()
            .filter_map(|path| read.resource_metadata.pointer(path)?.as_object())
            .flatten()
            .filter_map(|(name, value)| Some((name.clone(), value.as_str()?.to_owned())));
        let commit = read.resource_metadata.pointer("/codeRepository/lastScannedCommitId");
        Ok(Self {
            tags: tags.collect(),
            last_scanned_at: date::read(&read.last_scanned_at),
            commit: commit.and_then(Value::as_str).map(str::to_owned),
            account: read.account_id,
            resource: read.resource_id,
            kind: read.resource_type,
            scan: read.scan_type,
            status,
            reason,
        })
    }

    /// Whether Inspector goes on looking.
    pub fn is_active(&self) -> bool {
        self.status == ACTIVE
    }

    /// Whether it does not, or not any more.
    pub fn is_inactive(&self) -> bool {
        self.status == INACTIVE
    }

    /// What is not looked at here, as of `now`: nothing if all is well, or the resource is going away.
    pub fn gap(self, now: Timestamp) -> Option<Gap> {
        let is_well = self.reason == SUCCESSFUL && self.status != INACTIVE;
        if is_well || GOING_AWAY.contains(&self.reason.as_str()) {
            return None;
        }
        let is_partial = self.status != INACTIVE;
        Some(Gap {
            account: self.account,
            subject: Subject::Resource { kind: self.kind, id: self.resource },
            scan: self.scan,
            reason: self.reason,
            is_partial,
            since: now,
            reason_since: None,
            tags: self.tags,
        })
    }
}

const SUCCESSFUL: &str = "SUCCESSFUL";
const ACTIVE: &str = "ACTIVE";
const INACTIVE: &str = "INACTIVE";
const UNKNOWN: &str = "UNKNOWN";

/// Reasons of resources that need no scan any more.
const GOING_AWAY: [&str; 3] = ["IMAGE_ARCHIVED", "RESOURCE_TERMINATED", "PENDING_DISABLE"];
/// Those of them by which the resource is not there any more.
const REMOVED: [&str; 2] = ["IMAGE_ARCHIVED", "RESOURCE_TERMINATED"];
/// Reasons that pass by themselves.
pub const PASSING: [&str; 4] =
    ["PENDING_INITIAL_SCAN", "SCAN_IN_PROGRESS", "PENDING_REVIVAL_SCAN", "INTERNAL_ERROR"];

/// How a finding of `kind` ended, given all that Inspector's coverage has of its resource, and Inspector's word for why it does
/// not look any more. None as long as that is not settled.
pub fn how_ended(kind: &FindingType, covered: &[Coverage]) -> Option<(How, Option<String>)> {
    if covered.is_empty() {
        return Some((How::Gone, None));
    }
    let scan = match kind {
        FindingType::CodeVulnerability => "CODE",
        FindingType::NetworkReachability => "NETWORK",
        FindingType::PackageVulnerability | FindingType::Other(_) => "PACKAGE",
    };
    let own = covered.iter().find(|row| row.scan == scan);
    if own.is_none() && *kind == FindingType::CodeVulnerability {
        // Code is not scanned here any more.
        return Some((How::Unobserved, None));
    }
    // Of some resources there is one row for packages and network.
    let row = own.or(covered.first())?;
    let reason = row.reason.as_str();
    let how = if REMOVED.contains(&reason) {
        How::Gone
    } else if PASSING.contains(&reason) {
        return None;
    } else if reason == SUCCESSFUL && row.status != INACTIVE {
        return Some((How::Fixed, None));
    } else {
        How::Unobserved
    };
    Some((how, Some(reason.to_owned())))
}

/// The kind of scan, as accounts have it on or off, that finds a finding of `kind` in a resource; none if no account of AWS's
/// has it.
pub fn scan_of(kind: &FindingType, resource: &ResourceType) -> Option<&'static str> {
    match resource {
        ResourceType::Ec2Instance => Some("EC2"),
        ResourceType::EcrContainerImage | ResourceType::EcrRepository => Some("ECR"),
        ResourceType::LambdaFunction if *kind == FindingType::CodeVulnerability => {
            Some("LAMBDA_CODE")
        }
        ResourceType::LambdaFunction => Some("LAMBDA"),
        ResourceType::CodeRepository => Some("CODE_REPOSITORY"),
        ResourceType::MachineImage => Some("MACHINE_IMAGE"),
        _ => None,
    }
}

/// An account in which Inspector is on.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Observed {
    /// The account.
    pub account: String,
    /// The kinds of scans that are on for sure.
    pub scans: Vec<String>,
}

/// Something that Inspector does not look at, or not at all of it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Gap {
    /// The account.
    pub account: String,
    /// What is not looked at.
    pub subject: Subject,
    /// By which kind of scan: `PACKAGE`, `CODE` or `NETWORK` of a resource, and `EC2`, `ECR`, `LAMBDA` or `LAMBDA_CODE` of
    /// an account; empty where nothing of an account is scanned.
    pub scan: String,
    /// Why, in Inspector's word, such as `EXCLUDED_BY_TAG`.
    pub reason: String,
    /// Whether a part of it is looked at.
    pub is_partial: bool,
    /// When we first saw that it is not looked at.
    pub since: Timestamp,
    /// When we first saw the reason that there is now; none if there was no other before.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason_since: Option<Timestamp>,
    /// Its tags, if they are known.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub tags: BTreeMap<String, String>,
}

/// What a gap is about.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Subject {
    /// A whole account.
    Account,
    /// A resource.
    Resource {
        /// Its type, such as `AWS_LAMBDA_FUNCTION`.
        kind: String,
        /// Its ARN or id.
        id: String,
    },
}

impl Gap {
    /// What tells it from every other gap of its account.
    pub fn key(&self) -> String {
        match &self.subject {
            Subject::Account => format!("ACCOUNT#{}", self.scan),
            Subject::Resource { id, .. } => format!("RESOURCE#{}#{id}", self.scan),
        }
    }

    /// Whether somebody should look at it: what passes by itself has a day to do so.
    pub fn is_due(&self, now: Timestamp) -> bool {
        !PASSING.contains(&self.reason.as_str()) || now.duration_since(self.since) >= PATIENCE
    }

    /// Since when it is there for the reason that there is.
    pub fn for_its_reason_since(&self) -> Timestamp {
        self.reason_since.unwrap_or(self.since)
    }

    /// The gap, first seen now, or again: it is there since it was first seen, whatever the reason was then.
    #[must_use]
    pub fn after(self, before: Option<&Self>) -> Self {
        let Some(before) = before else { return self };
        let reason_since = if self.is_as(before) { before.reason_since } else { Some(self.since) };
        Self { since: before.since, reason_since, ..self }
    }

    /// What is to be written once it is there as it is, and was as it was `before`; none if that is the same.
    pub fn change(&self, before: Option<&Self>) -> Option<GapChange> {
        if before == Some(self) {
            return None;
        }
        Some(match before {
            Some(before) if !self.is_as(before) => {
                let until = self.for_its_reason_since();
                GapChange::Turned(self.clone(), before.past(until))
            }
            _ => GapChange::There(self.clone()),
        })
    }

    /// What is to be written once it is gone, at `now`.
    pub fn gone(&self, now: Timestamp) -> GapChange {
        GapChange::Gone(self.past(now))
    }

    fn past(&self, until: Timestamp) -> PastGap {
        PastGap { gap: self.clone(), until }
    }

    /// Whether both are there for the same reason, and of as much.
    fn is_as(&self, other: &Self) -> bool {
        (&self.reason, self.is_partial) == (&other.reason, other.is_partial)
    }
}

/// A gap that was there until a moment, for the reason that it had last.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct PastGap {
    /// The gap.
    #[serde(flatten)]
    pub gap: Gap,
    /// The first moment at which it was seen no more, or for another reason.
    pub until: Timestamp,
}

impl PastGap {
    /// Whether somebody should have looked at it. What passed by itself within a day is no gap.
    pub fn was_due(&self) -> bool {
        self.gap.is_due(self.until)
    }
}

/// What became of a gap.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum GapChange {
    /// It is there, for the first time, or as before but for its tags.
    There(Gap),
    /// It is there for another reason than before.
    Turned(Gap, PastGap),
    /// It is there no more.
    Gone(PastGap),
}

impl GapChange {
    /// The gap, as it is or was.
    pub fn gap(&self) -> &Gap {
        match self {
            Self::There(gap) | Self::Turned(gap, _) => gap,
            Self::Gone(past) => &past.gap,
        }
    }

    /// What there was until now.
    pub fn past(&self) -> Option<&PastGap> {
        match self {
            Self::There(_) => None,
            Self::Turned(_, past) | Self::Gone(past) => Some(past),
        }
    }
}

/// What of Inspector is on in an account.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Enablement {
    /// The account.
    pub account: String,
    /// `ENABLED`, or something else.
    pub status: String,
    /// Each kind of scan with its status.
    pub scans: Vec<(&'static str, String)>,
}

/// The kinds of scans that are missed where they are off: those of Security Hub's controls Inspector.1 to .4,
/// <https://docs.aws.amazon.com/securityhub/latest/userguide/inspector-controls.html>.
const EXPECTED: [&str; 4] = ["EC2", "ECR", "LAMBDA", "LAMBDA_CODE"];

const ENABLED: &str = "ENABLED";

/// What Inspector says of an account, or of a kind of scan, of which it cannot say at the moment whether it is on: it is being
/// switched on, or errors that pass.
/// <https://docs.aws.amazon.com/inspector/v2/APIReference/API_FailedAccount.html>.
const UNSETTLED: [&str; 8] = [
    "ENABLING",
    "ENABLE_IN_PROGRESS",
    "INTERNAL_ERROR",
    "SSM_UNAVAILABLE",
    "SSM_THROTTLED",
    "EVENTBRIDGE_UNAVAILABLE",
    "EVENTBRIDGE_THROTTLED",
    "ALREADY_ENABLED",
];

impl Enablement {
    /// Whether anything is scanned in the account.
    pub fn is_on(&self) -> bool {
        self.status == ENABLED
    }

    /// The account, if anything is scanned in it, with what is.
    pub fn observed(&self) -> Option<Observed> {
        let on = self.scans.iter().filter(|(_, status)| status == ENABLED);
        let scans = on.map(|(scan, _)| (*scan).to_owned()).collect();
        self.is_on().then(|| Observed { account: self.account.clone(), scans })
    }

    /// Whether that is not known at the moment: then it is as it was.
    pub fn is_unknown(&self) -> bool {
        UNSETTLED.contains(&self.status.as_str())
    }

    /// The kinds of scans of which it is not known whether they are on; an empty one for all.
    pub fn unknown(&self) -> Vec<&str> {
        if !self.is_on() {
            return if self.is_unknown() { vec![""] } else { Vec::new() };
        }
        let unknown = self.scans.iter().filter(|(_, status)| UNSETTLED.contains(&status.as_str()));
        unknown.map(|(scan, _)| *scan).collect()
    }

    /// What is off, as of `now`.
    pub fn gaps(&self, now: Timestamp) -> Vec<Gap> {
        let gap = |scan: &str, reason: &str| Gap {
            account: self.account.clone(),
            subject: Subject::Account,
            scan: scan.to_owned(),
            reason: reason.to_owned(),
            is_partial: false,
            since: now,
            reason_since: None,
            tags: BTreeMap::new(),
        };
        if self.is_unknown() {
            return Vec::new();
        }
        if !self.is_on() {
            return vec![gap("", &self.status)];
        }
        let is_off = |(scan, status): &&(&str, String)| {
            EXPECTED.contains(scan) && status != ENABLED && !UNSETTLED.contains(&status.as_str())
        };
        self.scans.iter().filter(is_off).map(|(scan, status)| gap(scan, status)).collect()
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn at(time: &str) -> Timestamp {
        time.parse().unwrap()
    }

    fn gap(status: &str, reason: &str) -> Option<Gap> {
        let covered = json!({
            "accountId": "111122223333", "resourceId": "i-0", "resourceType": "AWS_EC2_INSTANCE", "scanType": "PACKAGE",
            "scanStatus": {"statusCode": status, "reason": reason},
            "resourceMetadata": {"ec2": {"tags": {"team": "shop"}}},
        });
        Coverage::read(&covered).unwrap().gap(at("2026-11-20T00:00:00Z"))
    }

    #[test]
    fn what_is_scanned_or_going_away_is_no_gap() {
        assert_eq!(gap("ACTIVE", "SUCCESSFUL"), None);
        assert_eq!(gap("INACTIVE", "RESOURCE_TERMINATED"), None);
        let excluded = gap("INACTIVE", "EXCLUDED_BY_TAG").unwrap();
        assert_eq!((excluded.is_partial, excluded.tags["team"].as_str()), (false, "shop"));
        assert!(gap("ACTIVE", "DEEP_INSPECTION_NO_INVENTORY").unwrap().is_partial);
        assert!(gap("INACTIVE", "SOMETHING_NEW").is_some(), "an unknown reason hides nothing");
        assert!(gap("INACTIVE", "SUCCESSFUL").is_some());
    }

    #[test]
    fn how_a_finding_ended_is_said_by_what_is_still_looked_at() {
        let row = |scan: &str, status: &str, reason: &str| Coverage {
            account: "111122223333".to_owned(),
            resource: "i-0".to_owned(),
            kind: "AWS_EC2_INSTANCE".to_owned(),
            scan: scan.to_owned(),
            status: status.to_owned(),
            reason: reason.to_owned(),
            last_scanned_at: None,
            commit: None,
            tags: BTreeMap::new(),
        };
        let package = |rows: &[Coverage]| how_ended(&FindingType::PackageVulnerability, rows);
        let because = |how, reason: &str| Some((how, Some(reason.to_owned())));
        assert_eq!(package(&[]), Some((How::Gone, None)));
        assert_eq!(package(&[row("PACKAGE", "ACTIVE", "SUCCESSFUL")]), Some((How::Fixed, None)));
        for reason in ["SCAN_ELIGIBILITY_EXPIRED", "EXCLUDED_BY_TAG", "SOMETHING_NEW"] {
            let expected = because(How::Unobserved, reason);
            assert_eq!(package(&[row("PACKAGE", "INACTIVE", reason)]), expected);
        }
        let removed = [row("PACKAGE", "INACTIVE", "RESOURCE_TERMINATED")];
        assert_eq!(package(&removed), because(How::Gone, "RESOURCE_TERMINATED"));
        assert_eq!(package(&[row("PACKAGE", "ACTIVE", "PENDING_REVIVAL_SCAN")]), None);
        let two =
            [row("CODE", "INACTIVE", "EXCLUDED_BY_TAG"), row("PACKAGE", "ACTIVE", "SUCCESSFUL")];
        assert_eq!(package(&two), Some((How::Fixed, None)));
        let code = how_ended(&FindingType::CodeVulnerability, &two);
        assert_eq!(code, because(How::Unobserved, "EXCLUDED_BY_TAG"));
    }

    #[test]
    fn what_passes_by_itself_has_a_day() {
        let waiting = gap("ACTIVE", "PENDING_INITIAL_SCAN").unwrap();
        assert!(!waiting.is_due(at("2026-11-20T23:00:00Z")));
        assert!(waiting.is_due(at("2026-11-21T00:00:00Z")));
        assert!(gap("INACTIVE", "UNSUPPORTED_OS").unwrap().is_due(at("2026-11-20T00:00:00Z")));
    }

    #[test]
    fn a_gap_that_turns_into_another_leaves_what_it_was() {
        let (first, then) = (at("2026-11-20T00:00:00Z"), at("2026-11-22T00:00:00Z"));
        let old = gap("INACTIVE", "UNSUPPORTED_OS").unwrap();
        assert_eq!(old.change(None), Some(GapChange::There(old.clone())));
        let seen =
            |reason| Gap { since: then, ..gap("INACTIVE", reason).unwrap() }.after(Some(&old));
        assert_eq!(seen("UNSUPPORTED_OS"), old);
        assert_eq!(old.change(Some(&old)), None);
        let new = seen("EXCLUDED_BY_TAG");
        assert_eq!((new.since, new.for_its_reason_since()), (first, then));
        let was = PastGap { gap: old.clone(), until: then };
        assert_eq!(new.change(Some(&old)), Some(GapChange::Turned(new.clone(), was.clone())));
        assert_eq!(old.gone(then), GapChange::Gone(was));
    }

    #[test]
    fn a_field_that_is_missing_is_named() {
        let refused = Coverage::read(&json!({"accountId": "111122223333"})).unwrap_err();
        assert!(refused.to_string().contains("resourceId"), "{refused}");
    }

    #[test]
    fn what_is_off_in_an_account_is_one_gap_or_one_for_each_kind_of_scan() {
        let enablement = |status: &str, lambda: &str| Enablement {
            account: "111122223333".to_owned(),
            status: status.to_owned(),
            scans: vec![
                ("EC2", "ENABLED".to_owned()),
                ("LAMBDA", lambda.to_owned()),
                ("MACHINE_IMAGE", "DISABLED".to_owned()),
            ],
        };
        let off = |enablement: Enablement| {
            let gaps = enablement.gaps(at("2026-11-20T00:00:00Z"));
            gaps.into_iter().map(|gap| (gap.scan, gap.reason)).collect::<Vec<_>>()
        };
        let one = |scan: &str, reason: &str| vec![(scan.to_owned(), reason.to_owned())];
        assert_eq!(off(enablement("ENABLED", "ENABLED")), []);
        assert_eq!(off(enablement("ENABLED", "DISABLED")), one("LAMBDA", "DISABLED"));
        assert_eq!(off(enablement("SUSPENDED", "DISABLED")), one("", "SUSPENDED"));
        assert_eq!(off(enablement("ENABLED", "ENABLING")), [], "it is not known yet");
        assert_eq!(off(enablement("INTERNAL_ERROR", "DISABLED")), [], "nor is that");
        assert_eq!(enablement("ENABLED", "ENABLING").unknown(), ["LAMBDA"]);
        assert_eq!(enablement("INTERNAL_ERROR", "").unknown(), [""]);
    }
}
