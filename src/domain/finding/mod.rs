//! What Amazon Inspector reports, as we understand it.
//!
//! [`Finding::read`] takes the JSON of one finding, in the form EventBridge sends or the one
//! `ListFindings` returns, and gives a [`Finding`]: every word of AWS's vocabularies kept open,
//! every date read in whichever form it came, every text bounded, everything optional optional.
//!
//! Required are only the facts without which nothing could be done: `findingArn`, `awsAccountId`,
//! `type`, `severity`, `status`, and at least one of `resources` with `type` and `id`. The service
//! model requires more (dates, description, remediation); a finding without those is still worth
//! telling. What is optional and ill-typed is taken as unknown and noted as an [`Oddity`].

pub mod bounds;
pub mod date;
mod details;
mod fields;
mod owner;
mod remediation;
mod resource;
mod scope;
mod vocabulary;

use std::cell::RefCell;

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use serde_with::skip_serializing_none;

pub use details::{
    CodeVulnerability, CvssEntry, Details, NetworkReachability, PackageVulnerability, PathStep,
    VulnerablePackage,
};
pub use fields::{Malformed, Oddity, show};
pub use owner::{NotOwnerTags, OwnerTags};
pub use remediation::{Remediation, Target};
pub use resource::Resource;
pub use scope::Scope;
pub use vocabulary::{FindingType, FixAvailable, ResourceType, Severity, Status};

use fields::Fields;

/// One finding, as of one event.
#[skip_serializing_none]
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Finding {
    /// Its identity: the same for every event about it.
    pub arn: String,
    /// The account that holds the resource, 12 digits.
    pub account: String,
    /// The Region that Inspector reported from.
    pub region: Option<String>,
    /// What kind of weakness.
    pub kind: FindingType,
    /// Where it is in its life.
    pub status: Status,
    /// Inspector's own rating.
    pub severity: Severity,
    /// A one-line summary by Inspector.
    pub title: Option<String>,
    /// What the weakness is.
    pub description: Option<String>,
    /// When Inspector first saw it.
    pub first_observed_at: Option<Timestamp>,
    /// When Inspector last saw it.
    pub last_observed_at: Option<Timestamp>,
    /// When Inspector last changed it. Moves without anything else moving, too.
    pub updated_at: Option<Timestamp>,
    /// When the event was sent, by its envelope.
    pub sent_at: Option<Timestamp>,
    /// The probability that the vulnerability is exploited in the next 30 days, 0.0 to 1.0
    /// (<https://www.first.org/epss>). Unknown is not zero.
    pub epss: Option<f64>,
    /// Inspector's score for this finding on this resource, 0.0 to 10.0.
    pub inspector_score: Option<f64>,
    /// The CVSS vector that goes with Inspector's score.
    pub inspector_vector: Option<String>,
    /// Whether an exploit is publicly known; `None` if the event does not say.
    pub exploit_available: Option<bool>,
    /// When exploitation was last seen.
    pub last_known_exploit_at: Option<Timestamp>,
    /// Whether a fixed version exists; `None` if the event does not say.
    pub fix_available: Option<FixAvailable>,
    /// What Inspector advises.
    pub recommendation: Option<String>,
    /// A page that goes with the advice.
    pub recommendation_url: Option<String>,
    /// The package, code or network path.
    pub details: Details,
    /// What has the weakness; at least one.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub resources: Vec<Resource>,
}

/// How far a date of an event may be ahead of our clock: as far as two clocks differ.
pub const CLOCK_SKEW: SignedDuration = SignedDuration::from_mins(5);

/// Whether the ARN is of a finding of an on-demand scan of a machine image.
///
/// Such a scan happens once, and nobody closes what it finds. The console does not show these findings, and the API does
/// not list them. Their events can be sent by anybody who may put events on the bus, because their source is not one of
/// those that EventBridge keeps for AWS. So they have a place of their own, and their words are a stranger's.
pub fn is_on_demand(arn: &str) -> bool {
    arn.contains(":finding/ondemand/")
}

/// What the envelope of an event says about the finding inside it.
#[derive(Clone, Debug, Default)]
pub struct Envelope {
    /// When it was sent.
    pub sent_at: Option<Timestamp>,
    /// The Region that sent it.
    pub region: Option<String>,
}

impl Finding {
    /// Reads one finding from `value`, which is called `name` in errors (`detail` in an event, an
    /// empty name for a finding as the API returns it).
    ///
    /// Returns it with what was odd about it.
    ///
    /// # Errors
    /// [`Malformed`] if a required field is missing or of the wrong type.
    pub fn read(
        value: &Value,
        name: &str,
        envelope: Envelope,
    ) -> Result<(Self, Vec<Oddity>), Malformed> {
        let oddities = RefCell::new(Vec::new());
        let finding = Self::read_fields(&Fields::root(value, name, &oddities)?, envelope)?;
        Ok((finding, oddities.into_inner()))
    }

    fn read_fields(fields: &Fields<'_>, envelope: Envelope) -> Result<Self, Malformed> {
        let arn = fields.required_str("findingArn")?;
        if arn.len() > bounds::URL {
            return Err(fields.malformed("findingArn", "an ARN of at most 512 bytes"));
        }
        let account = fields.required_str("awsAccountId")?;
        if account.len() != 12 || !account.bytes().all(|b| b.is_ascii_digit()) {
            return Err(fields.malformed("awsAccountId", "12 digits"));
        }
        let kind = FindingType::from(fields.required_str("type")?);
        let severity = Severity::from(fields.required_str("severity")?);
        let status = Status::from(fields.required_str("status")?);
        let resources = fields
            .array("resources")
            .required_objects(bounds::RESOURCES, |resource| Resource::read(&resource))?;
        if resources.is_empty() {
            return Err(fields.malformed("resources", "an array of one or more resources"));
        }

        let adjusted = fields.object("inspectorScoreDetails");
        let adjusted = adjusted.as_ref().and_then(|d| d.object("adjustedCvss"));
        let exploitability = fields.object("exploitabilityDetails");
        let remediation = fields.object("remediation");
        let recommendation = remediation.as_ref().and_then(|r| r.object("recommendation"));
        let recommendation = recommendation.as_ref();

        Ok(Self {
            arn: arn.to_owned(),
            account: account.to_owned(),
            region: envelope.region.or_else(|| region_of(arn)),
            kind,
            status,
            severity,
            title: fields.text("title", bounds::TEXT),
            description: fields.text("description", bounds::TEXT),
            first_observed_at: fields.date("firstObservedAt"),
            last_observed_at: fields.date("lastObservedAt"),
            updated_at: fields.date("updatedAt"),
            sent_at: envelope.sent_at,
            epss: fields.object("epss").and_then(|epss| epss.number("score", 0.0, 1.0)),
            inspector_score: fields.number("inspectorScore", 0.0, 10.0),
            inspector_vector: adjusted.and_then(|a| a.text("scoringVector", bounds::NAME)),
            exploit_available: match fields.str("exploitAvailable") {
                Some(word) if word.eq_ignore_ascii_case("YES") => Some(true),
                Some(word) if word.eq_ignore_ascii_case("NO") => Some(false),
                _ => None,
            },
            last_known_exploit_at: exploitability.and_then(|e| e.date("lastKnownExploitAt")),
            fix_available: fields.str("fixAvailable").map(FixAvailable::from),
            recommendation: recommendation
                .and_then(|r| r.text("text", bounds::ADVICE))
                .filter(|text| text != "None Provided"),
            recommendation_url: recommendation
                .and_then(|r| r.text("Url", bounds::URL).or_else(|| r.text("url", bounds::URL))),
            details: Details::read(fields),
            resources,
        })
    }

    /// Whether it is of an on-demand scan of a machine image: [`is_on_demand`].
    pub fn is_on_demand(&self) -> bool {
        is_on_demand(&self.arn)
    }

    /// The moment this state of the finding is from: `updatedAt`, else `lastObservedAt`, else when
    /// the event was sent. `None` if the event holds no date that can be read.
    pub fn as_of(&self) -> Option<Timestamp> {
        self.updated_at.or(self.last_observed_at).or(self.sent_at)
    }

    /// The same for an event received at `now`. A moment that is yet to come, by more than [`CLOCK_SKEW`], counts as the
    /// one at which the event was sent, or as `now`: nobody can date a state so that no later one is believed.
    pub fn as_of_by(&self, now: Timestamp) -> Option<Timestamp> {
        let has_come = |moment: &Timestamp| moment.duration_since(now) <= CLOCK_SKEW;
        let as_of = self.as_of()?;
        Some(if has_come(&as_of) { as_of } else { self.sent_at.filter(has_come).unwrap_or(now) })
    }

    /// What is odd about the date of an event received at `now`, if it is yet to come: see [`Finding::as_of_by`].
    pub fn date_ahead_of(&self, now: Timestamp) -> Option<Oddity> {
        let as_of = self.as_of().filter(|_| self.as_of_by(now) != self.as_of())?;
        let path = match (self.updated_at, self.last_observed_at) {
            (Some(_), _) => "updatedAt",
            (None, Some(_)) => "lastObservedAt",
            (None, None) => "time",
        };
        let expected = "a date that is not ahead of the clock";
        Some(Oddity { path: path.to_owned(), expected, found: as_of.to_string() })
    }

    /// When the event came about, by its own account: when it was sent, else [`Finding::as_of`].
    pub fn own_time(&self) -> Option<Timestamp> {
        self.sent_at.or_else(|| self.as_of())
    }

    /// Whether an exploit is known: the event says so, or says when one was last seen.
    pub fn exploit_known(&self) -> bool {
        self.exploit_available == Some(true) || self.last_known_exploit_at.is_some()
    }

    /// Whether its network path leads through an internet gateway. One that is for leaving only does not let anybody in.
    pub fn has_open_path(&self) -> bool {
        let Details::Network(network) = &self.details else {
            return false;
        };
        let mut components = network.path.iter().filter_map(|step| step.component.as_deref());
        components.any(|component| component.ends_with("::InternetGateway"))
    }

    /// How many running workloads use its images, if Inspector sees any.
    pub fn in_use(&self) -> Option<u64> {
        let counts = self.resources.iter().filter_map(|resource| resource.in_use);
        counts.max().filter(|count| *count > 0)
    }

    /// The package details, if it has any.
    pub fn package(&self) -> Option<&PackageVulnerability> {
        match &self.details {
            Details::Package(package) => Some(package),
            _ => None,
        }
    }

    /// Whether Inspector has it in this Region, whatever the Region of its resource.
    pub fn is_of_region(&self, region: &str) -> bool {
        self.arn.split(':').nth(3) == Some(region)
    }

    /// The id of the vulnerability, if others may know something of it: findings of on-demand scans are nobody's to look up.
    pub fn vulnerability(&self) -> Option<&str> {
        self.package()?.id.as_deref().filter(|_| !self.is_on_demand())
    }

    /// What the problem is called: the vulnerability, the weakness class and detector, or the open
    /// port; else Inspector's title; else the type.
    pub fn problem(&self) -> String {
        let named = match &self.details {
            Details::Package(package) => package.id.clone(),
            Details::Code(code) => match (code.cwes.first(), &code.detector) {
                (Some(cwe), Some(detector)) => Some(format!("{cwe} {detector}")),
                (cwe, detector) => cwe.or(detector.as_ref()).cloned(),
            },
            Details::Network(network) => network.ports(),
            Details::None => None,
        };
        named.or_else(|| self.title.clone()).unwrap_or_else(|| self.kind.to_string())
    }

    /// The first resource. [`Finding::read`] refuses a finding without one.
    pub fn resource(&self) -> Option<&Resource> {
        self.resources.first()
    }
}

impl NetworkReachability {
    /// The open ports in words: `TCP 22`, `TCP 8000-8080`.
    pub fn ports(&self) -> Option<String> {
        let protocol = self.protocol.as_deref().unwrap_or("port");
        match (self.from_port?, self.to_port) {
            (from, Some(to)) if to != from => Some(format!("{protocol} {from}-{to}")),
            (from, _) => Some(format!("{protocol} {from}")),
        }
    }
}

/// The Region in an ARN: its fourth part.
fn region_of(arn: &str) -> Option<String> {
    arn.split(':').nth(3).filter(|region| !region.is_empty()).map(str::to_owned)
}

#[cfg(test)]
pub(crate) mod sample;

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn refusal(change: impl FnOnce(&mut Value)) -> String {
        let mut json = sample::json();
        change(&mut json);
        Finding::read(&json, "detail", Envelope::default()).unwrap_err().to_string()
    }

    #[test]
    fn a_required_field_that_is_missing_or_ill_typed_is_named_with_what_stood_there() {
        type Change = fn(&mut Value);
        let cases: [(Change, &str); 11] = [
            (
                |f| drop(f.as_object_mut().unwrap().remove("findingArn")),
                "detail.findingArn: expected a non-empty string, found nothing",
            ),
            (
                |f| f["findingArn"] = json!(7),
                "detail.findingArn: expected a non-empty string, found the number 7",
            ),
            (
                |f| f["findingArn"] = json!(""),
                "detail.findingArn: expected a non-empty string, found an empty string",
            ),
            (
                |f| f["awsAccountId"] = json!("42"),
                "detail.awsAccountId: expected 12 digits, found the string \"42\"",
            ),
            (
                |f| f["severity"] = json!(["HIGH"]),
                "detail.severity: expected a non-empty string, found an array of 1",
            ),
            (
                |f| f["status"] = Value::Null,
                "detail.status: expected a non-empty string, found null",
            ),
            (
                |f| f["type"] = json!({"a": 1}),
                "detail.type: expected a non-empty string, found an object with 1 keys",
            ),
            (
                |f| f["resources"] = json!([]),
                "detail.resources: expected an array of one or more resources, found an empty array",
            ),
            (
                |f| f["resources"] = json!("i-1"),
                "detail.resources: expected an array of one or more resources, found the string \"i-1\"",
            ),
            (
                |f| f["resources"][0] = json!(true),
                "detail.resources[0]: expected an object, found the boolean true",
            ),
            (
                |f| f["resources"][0]["id"] = json!(1),
                "detail.resources[0].id: expected a non-empty string, found the number 1",
            ),
        ];
        for (change, expected) in cases {
            assert_eq!(refusal(change), expected);
        }
        let not_an_object = Finding::read(&json!(1), "detail", Envelope::default()).unwrap_err();
        assert_eq!(not_an_object.to_string(), "detail: expected an object, found the number 1");
    }

    #[test]
    fn an_error_shows_what_stood_there_harmless_and_short() {
        let error = refusal(|f| {
            f["awsAccountId"] = json!(format!("\u{1b}[31m\u{202e}{}", "x".repeat(500)));
        });
        assert!(!error.contains(['\u{1b}', '\u{202e}']), "{error}");
        assert!(error.chars().count() < 140, "{error}");
    }

    #[test]
    fn an_optional_field_that_is_ill_typed_is_unknown_and_noted() {
        let mut json = sample::json();
        json["epss"] = json!({"score": "high"});
        json["updatedAt"] = json!("some day");
        json["packageVulnerabilityDetails"]["vulnerablePackages"][0]["name"] = json!(5);
        json["packageVulnerabilityDetails"]["cvss"] = json!(["?"]);
        json["resources"][0]["details"] = json!([]);
        let (finding, oddities) = Finding::read(&json, "detail", Envelope::default()).unwrap();
        assert_eq!(finding.epss, None);
        assert_eq!(finding.updated_at, None);
        let mut paths: Vec<&str> = oddities.iter().map(|oddity| oddity.path.as_str()).collect();
        paths.sort_unstable();
        assert_eq!(
            paths,
            [
                "detail.epss.score",
                "detail.packageVulnerabilityDetails.cvss[0]",
                "detail.packageVulnerabilityDetails.vulnerablePackages[0].name",
                "detail.resources[0].details",
                "detail.updatedAt",
            ]
        );
    }

    #[test]
    fn all_that_is_optional_may_be_missing() {
        let json = json!({
            "findingArn": "arn:aws:test456", "awsAccountId": "111122223333", "type": "NEW_TYPE",
            "status": "ACTIVE", "severity": "HIGH", "resources": [{"type": "NEW_RESOURCE", "id": "x"}]
        });
        let (finding, oddities) = Finding::read(&json, "", Envelope::default()).unwrap();
        assert!(oddities.is_empty(), "{oddities:?}");
        assert_eq!(finding.kind, FindingType::Other("NEW_TYPE".into()));
        assert_eq!(finding.resources[0].kind, ResourceType::Other("NEW_RESOURCE".into()));
        assert_eq!(finding.as_of(), None);
        assert_eq!(finding.details, Details::None);
    }

    #[test]
    fn a_finding_is_read_to_the_last_detail() {
        let finding = sample::finding();
        let package = &finding.package().unwrap().packages[0];
        assert_eq!(package.installed().as_deref(), Some("1.4.2-3"));
        assert_eq!(package.fixed_in.as_deref(), Some("1.4.3-1"));
        assert_eq!(finding.region.as_deref(), Some("eu-central-1"));
        assert_eq!(finding.recommendation, None);
        assert_eq!(finding.resources[0].display_name(), "web-1");
        assert_eq!(finding.resources[0].tags["team"], "shop");
        assert!(!finding.exploit_known());
    }

    #[test]
    fn the_largest_finding_that_is_kept_fits_a_row_of_400_kb() {
        let long = "ä".repeat(2_500);
        let many = |item: Value| Value::Array(vec![item; 60]);
        let finding = sample::with(|f| {
            for key in ["title", "description"] {
                f[key] = json!(long);
            }
            f["remediation"]["recommendation"] = json!({"text": long, "Url": long});
            let tags: serde_json::Map<_, _> =
                (0..100).map(|n| (format!("{n}{long}"), json!(long))).collect();
            f["resources"] = many(json!({
                "type": long, "id": long, "region": long, "tags": tags,
                "details": {"awsEc2Instance": {"platform": long, "ipV4Addresses": many(json!(long))},
                            "image": {"repositoryName": long, "imageTags": many(json!(long))},
                            "codeRepository": {"projectName": long}}
            }));
            let details = &mut f["packageVulnerabilityDetails"];
            details["referenceUrls"] = (0..100).map(|n| json!(format!("{n}{long}"))).collect();
            details["relatedVulnerabilities"] = details["referenceUrls"].clone();
            details["cvss"] = (0..100).map(|n| json!({"baseScore": 1.0, "scoringVector": format!("{n}{long}"), "source": long, "version": long})).collect();
            details["vulnerablePackages"] = many(json!({
                "name": long, "version": long, "release": long, "packageManager": long, "filePath": long,
                "sourceLambdaLayerArn": long, "fixedInVersion": long, "remediation": long
            }));
        });
        let size = serde_json::to_vec(&finding).unwrap().len();
        assert!(size < 400_000, "{size}");
    }

    #[test]
    fn an_arn_that_is_no_arn_of_inspector_is_still_an_identity_but_a_novel_is_not() {
        assert!(
            refusal(|f| f["findingArn"] = json!("x".repeat(513)))
                .starts_with("detail.findingArn: expected an ARN of at most 512 bytes")
        );
    }
}
