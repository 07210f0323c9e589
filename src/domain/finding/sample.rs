//! Findings for tests.

use serde_json::{Value, json};

use super::{Envelope, Finding};

/// The ARN of the findings here.
pub const ARN: &str =
    "arn:aws:inspector2:eu-central-1:111122223333:finding/00000000000000000000000000000001";

/// The JSON of an ordinary package finding, as it stands in `detail`.
pub fn json() -> Value {
    json!({
        "findingArn": ARN,
        "awsAccountId": "111122223333",
        "type": "PACKAGE_VULNERABILITY",
        "status": "ACTIVE",
        "severity": "HIGH",
        "title": "CVE-2026-10001 - libexample",
        "description": "A crafted file makes libexample write past the end of a buffer.",
        "firstObservedAt": "Fri Nov 20 10:00:00.000 UTC 2026",
        "lastObservedAt": "Fri Nov 20 10:00:00.000 UTC 2026",
        "updatedAt": "Fri Nov 20 10:00:00.000 UTC 2026",
        "epss": {"score": 0.01},
        "exploitAvailable": "NO",
        "fixAvailable": "YES",
        "inspectorScore": 8.1,
        "inspectorScoreDetails": {"adjustedCvss": {
            "score": 8.1, "scoreSource": "NVD", "version": "3.1",
            "scoringVector": "CVSS:3.1/AV:N/AC:H/PR:N/UI:N/S:U/C:H/I:H/A:H"
        }},
        "packageVulnerabilityDetails": {
            "vulnerabilityId": "CVE-2026-10001",
            "source": "NVD",
            "sourceUrl": "https://nvd.nist.gov/vuln/detail/CVE-2026-10001",
            "vendorCreatedAt": "Sun Oct 11 00:00:00.000 UTC 2026",
            "cvss": [],
            "vulnerablePackages": [{
                "name": "libexample", "version": "1.4.2", "epoch": 0, "release": "3",
                "packageManager": "OS", "fixedInVersion": "0:1.4.3-1",
                "remediation": "apt-get update && apt-get upgrade"
            }]
        },
        "remediation": {"recommendation": {"text": "None Provided"}},
        "resources": [{
            "type": "AWS_EC2_INSTANCE", "id": "i-0123456789abcdef0", "partition": "aws",
            "region": "eu-central-1", "tags": {"Name": "web-1", "team": "shop"},
            "details": {"awsEc2Instance": {"platform": "DEBIAN_12", "ipV4Addresses": ["10.0.0.7"]}}
        }]
    })
}

/// The finding of [`json`] after `change`.
pub fn with(change: impl FnOnce(&mut Value)) -> Finding {
    let mut json = json();
    change(&mut json);
    Finding::read(&json, "detail", Envelope::default()).expect("a sample finding is well formed").0
}

/// The finding of [`json`].
pub fn finding() -> Finding {
    with(|_| {})
}
