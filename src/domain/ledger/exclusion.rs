//! Resources that are kept out of Inspector's scans by a tag, on purpose.

use jiff::civil::Date;

use super::words;

/// A decision to keep a resource out of scans.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Exclusion {
    /// The resource.
    pub target: Target,
    /// The tag that keeps it out.
    pub tag: ExclusionTag,
    /// Why.
    pub reason: String,
    /// Where it is followed up.
    pub ticket: Option<String>,
    /// What protects meanwhile.
    pub compensating_controls: Vec<String>,
    /// Who answers for it.
    pub owner: String,
    /// Who agreed.
    pub approved_by: Option<String>,
    /// Who put the tag there.
    pub applied_by: Option<String>,
    /// From which day on it holds.
    pub applied_at: Option<Date>,
    /// Its last day, to the end of it in UTC.
    pub expires_at: Date,
    /// By when somebody looks at it again.
    pub review_at: Option<Date>,
}

/// A resource that is kept out of scans.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Target {
    /// A function, by its name, its ARN or both, and what of it is not scanned.
    Lambda {
        /// Its name.
        name: Option<String>,
        /// Its ARN, without a version.
        arn: Option<String>,
        /// What is not scanned.
        scan: ScanType,
    },
    /// An instance, by its id, such as `i-0a1b2c3d4e5f60718`, or its ARN.
    Ec2(String),
}

words! {
    /// What of a function is not scanned.
    ScanType {
        /// Its packages.
        Standard = "standard",
        /// Its code.
        Code = "code",
    }
}

/// A tag that keeps a resource out of scans:
/// <https://docs.aws.amazon.com/inspector/latest/user/scanning-lambda.html>,
/// <https://docs.aws.amazon.com/inspector/latest/user/scanning-ec2.html>.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ExclusionTag {
    /// Its key.
    pub key: String,
    /// Its value; none where any does, as on instances.
    pub value: Option<String>,
}

impl ExclusionTag {
    /// The key of the tag that keeps instances out.
    pub const EC2: &str = "InspectorEc2Exclusion";

    /// Key and value of the tag that keeps a function out of a scan.
    pub fn of_lambda(scan: ScanType) -> (&'static str, &'static str) {
        match scan {
            ScanType::Standard => ("InspectorExclusion", "LambdaStandardScanning"),
            ScanType::Code => ("InspectorCodeExclusion", "LambdaCodeScanning"),
        }
    }
}

impl Exclusion {
    /// What people call the resource.
    pub fn name(&self) -> &str {
        match &self.target {
            Target::Lambda { name, arn, .. } => {
                name.as_deref().or(arn.as_deref()).unwrap_or_default()
            }
            Target::Ec2(id) => id,
        }
    }
}
