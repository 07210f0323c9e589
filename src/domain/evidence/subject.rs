//! What a finding is about, whatever becomes of it.

use jiff::Timestamp;

use crate::domain::{
    assess::bod_26_04::{Basis, Verdict},
    finding::{Details, Finding, OwnerTags, Resource},
    record::Record,
    review::Update,
    threat::Listing,
};

/// What a finding is about, as its row says it at last. Words of strangers are as they are.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Subject {
    /// Inspector's name of the finding.
    pub arn: String,
    /// The problem, such as a CVE.
    pub problem: String,
    /// Inspector's summary.
    pub title: Option<String>,
    /// What kind of weakness.
    pub kind: String,
    /// The id of the vulnerability, if it is one that others know.
    pub vulnerability: Option<String>,
    /// The updates that it needs.
    pub fix: String,
    /// The type of the resource.
    pub resource_type: String,
    /// Its ARN or id.
    pub resource_id: String,
    /// What people call it.
    pub resource: String,
    /// The account that holds it.
    pub account: String,
    /// The Region that Inspector reported from.
    pub region: Option<String>,
    /// Whose it is.
    pub owner: Option<String>,
    /// When Inspector first saw it, as Inspector says.
    pub first_observed_at: Option<Timestamp>,
    /// What CISA's catalogue says of the vulnerability, if it has it.
    pub listing: Option<Listing>,
    /// Whether the resource can be reached from the internet for sure. That it cannot is never known.
    pub is_exposed: bool,
}

impl Subject {
    /// What the finding of a record is about. The first of `owner_tags` that its resource has names its owner.
    pub fn of(record: &Record, owner_tags: &OwnerTags) -> Self {
        let finding = &record.finding;
        let resource = finding.resource();
        let fix: Vec<String> = Update::all_of(finding).iter().map(Update::to_string).collect();
        let text = |of: fn(&Resource) -> String| resource.map(of).unwrap_or_default();
        Self {
            arn: finding.arn.clone(),
            problem: finding.problem(),
            title: finding.title.clone(),
            kind: finding.kind.to_string(),
            vulnerability: finding.vulnerability().map(str::to_owned),
            fix: fix.join("; "),
            resource_type: text(|resource| resource.kind.to_string()),
            resource_id: text(|resource| resource.id.clone()),
            resource: text(Resource::display_name),
            account: finding.account.clone(),
            region: finding.region.clone(),
            owner: finding.owner(owner_tags).map(str::to_owned),
            first_observed_at: finding.first_observed_at,
            listing: record.threat.as_ref().and_then(|threat| threat.listing()).cloned(),
            is_exposed: is_exposed(finding),
        }
    }
}

/// Whether it is known that the resource can be reached from the internet.
fn is_exposed(finding: &Finding) -> bool {
    if matches!(finding.details, Details::Network(_)) {
        return finding.has_open_path();
    }
    let verdict = Verdict::of(finding, None);
    verdict.is_some_and(|said| {
        matches!(said.exposed.basis, Basis::PublicAddress { .. } | Basis::InternetGateway)
    })
}
