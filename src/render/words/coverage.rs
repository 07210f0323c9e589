//! What a gap in Inspector's coverage means, and what to do about it.
//!
//! Meanings are those of AWS's pages
//! [on coverage](https://docs.aws.amazon.com/inspector/latest/user/assessing-coverage.html) and on what each kind of scan
//! needs; what to do is ours.

use crate::domain::coverage::{Gap, Subject};

/// What a gap means.
pub struct GapInWords {
    /// Why something is not looked at.
    pub meaning: &'static str,
    /// What to do about it.
    pub todo: &'static str,
}

impl From<(&'static str, &'static str)> for GapInWords {
    fn from((meaning, todo): (&'static str, &'static str)) -> Self {
        Self { meaning, todo }
    }
}

/// A gap in words. Of a reason that is not known there is only its own word. A gap is a day old: what passes by itself
/// should have passed.
pub fn gap(gap: &Gap) -> GapInWords {
    let words = match (&gap.subject, gap.reason.as_str()) {
        (Subject::Account, _) if gap.scan.is_empty() => of_account(&gap.reason),
        (Subject::Account, _) => (
            "this kind of scan is off in the account",
            "switch it on, or know why not; a policy of the organisation may decide it",
        ),
        (Subject::Resource { .. }, "INTERNAL_ERROR") => (
            "Inspector has had an error for over a day",
            "look again tomorrow; then ask AWS Support",
        ),
        (Subject::Resource { .. }, reason) if pending(reason).is_some() => {
            ("its scan has been due for over a day", "look again tomorrow; then ask AWS Support")
        }
        (Subject::Resource { kind, .. }, reason) => return resource(kind, &gap.scan, reason),
    };
    words.into()
}

/// Why a resource of a kind, such as `AWS_ECR_CONTAINER_IMAGE`, has no scan of a kind, such as `PACKAGE`, right now. Of a
/// reason that is not known there is only its own word.
pub fn resource(kind: &str, scan: &str, reason: &str) -> GapInWords {
    let words = pending(reason).map(|meaning| (meaning, "wait, and look again"));
    words
        .or_else(|| of_resource(kind, scan, reason))
        .unwrap_or(("not looked at", "see Inspector's page on coverage"))
        .into()
}

/// What passes by itself.
fn pending(reason: &str) -> Option<&'static str> {
    Some(match reason {
        "PENDING_INITIAL_SCAN" => "its first scan is yet to come",
        "SCAN_IN_PROGRESS" => "its scan is under way",
        "PENDING_REVIVAL_SCAN" => "it is scanned again after a pause, which is yet to come",
        "INTERNAL_ERROR" => "Inspector has had an error",
        _ => return None,
    })
}

fn of_account(reason: &str) -> (&'static str, &'static str) {
    match reason {
        "ACCOUNT_SUSPENDED" | "SUSPENDED" | "SUSPENDING" => (
            "the account is suspended",
            "nothing if it is to go; while it is a member, Security Hub's controls on Inspector fail",
        ),
        "REGION_DISABLED" => {
            ("the Region is off in the account", "switch the Region on, or Inspector off for it")
        }
        "ACCESS_DENIED" => (
            "Inspector does not tell of the account",
            "see that it is a member of this administrator",
        ),
        "ENABLING" => ("Inspector is being switched on", "wait"),
        _ => ("nothing in the account is scanned", "switch Inspector on for it"),
    }
}

const A_FUNCTION: &str = "AWS_LAMBDA_FUNCTION";

fn of_resource(kind: &str, scan: &str, reason: &str) -> Option<(&'static str, &'static str)> {
    Some(match reason {
        "SCAN_ELIGIBILITY_EXPIRED" if kind == A_FUNCTION => (
            "neither invoked nor updated for 90 days",
            "delete it if it is dead; invoking or updating it brings the scan back",
        ),
        "SCAN_ELIGIBILITY_EXPIRED" => (
            "the image is older than what is scanned again",
            "retire it, push it anew, or lengthen the re-scan duration in Inspector",
        ),
        "EXCLUDED_BY_TAG" => (
            "a tag takes it out of the scan",
            "remove the tag, or write down who decided that, why and until when",
        ),
        "UNSUPPORTED_RUNTIME" if scan == "CODE" => (
            "code of this runtime is not scanned",
            "accept it for a custom runtime; else update the runtime",
        ),
        "UNSUPPORTED_RUNTIME" => ("the runtime is not supported", "update the runtime"),
        "UNSUPPORTED_CODE_ARTIFACTS" => {
            ("the package cannot be analysed", "accept it, or deploy it with its sources")
        }
        "UNSUPPORTED_LANGUAGE" => {
            ("the language is not supported", "accept it, or scan it otherwise")
        }
        "NO_SCAN_CONFIGURATION_ASSOCIATED" => {
            ("the repository has no scan configuration", "associate one")
        }
        "INTEGRATION_CONNECTION_LOST" => {
            ("the connection to the repository is lost", "authorise the integration again")
        }
        "ACCESS_DENIED" => ("a policy keeps Inspector out", "let Inspector read it"),
        "ACCESS_DENIED_TO_ENCRYPTION_KEY" => {
            ("a key policy keeps Inspector out", "let Inspector use the key")
        }
        "UNMANAGED_EC2_INSTANCE" | "RESOURCE_UNMANAGED" => (
            "Systems Manager does not manage it",
            "run AWSSupport-TroubleshootManagedInstance, or scan it without an agent",
        ),
        "NO_INVENTORY" | "STALE_INVENTORY" => (
            "Systems Manager has no inventory of it that is new enough",
            "mend the association InspectorInventoryCollection-do-not-delete",
        ),
        "EC2_INSTANCE_STOPPED" | "RESOURCE_STOPPED" => {
            ("it is stopped; its findings stay open", "terminate it if it is dead")
        }
        "DEEP_INSPECTION_PACKAGE_COLLECTION_LIMIT_EXCEEDED"
        | "DEEP_INSPECTION_DAILY_SSM_INVENTORY_LIMIT_EXCEEDED"
        | "DEEP_INSPECTION_COLLECTION_TIME_LIMIT_EXCEEDED"
        | "DEEP_INSPECTION_NO_INVENTORY" => (
            "packages of programming languages are not scanned; those of the system are",
            "narrow the paths of deep inspection, or raise the quota of Systems Manager",
        ),
        "AGENTLESS_INSTANCE_STORAGE_LIMIT_EXCEEDED"
        | "AGENTLESS_INSTANCE_COLLECTION_TIME_LIMIT_EXCEEDED" => {
            ("too large to be scanned without an agent", "install the agent of Systems Manager")
        }
        "STORAGE_LIMIT_EXCEEDED"
        | "EXTRACTION_COLLECTION_TIME_LIMIT_EXCEEDED"
        | "IMAGE_SIZE_EXCEEDED" => ("too large to be scanned", "make it smaller"),
        "INVALID_ARTIFACT" => ("it cannot be read", "build it anew"),
        "UNSUPPORTED_OS" => ("the operating system is not supported", "move to one that is"),
        "UNSUPPORTED_MEDIA_TYPE" => (
            "this kind of manifest is not scanned",
            "nothing for an index whose images are scanned; else push a supported one",
        ),
        "SCAN_FREQUENCY_MANUAL" => {
            ("it is never scanned", "set continuous scanning for its repository in ECR")
        }
        "SCAN_FREQUENCY_SCAN_ON_PUSH" => (
            "it was scanned when it was pushed, and never again",
            "set continuous scanning for its repository in ECR",
        ),
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use jiff::Timestamp;

    use super::*;

    #[test]
    fn a_reason_means_something_else_for_something_else() {
        let of = |kind: &str, scan: &str, reason: &str| {
            let subject = Subject::Resource { kind: kind.to_owned(), id: "id".to_owned() };
            let (scan, reason) = (scan.to_owned(), reason.to_owned());
            let (account, tags) = ("111122223333".to_owned(), BTreeMap::new());
            let since = Timestamp::UNIX_EPOCH;
            gap(&Gap {
                account,
                subject,
                scan,
                reason,
                is_partial: false,
                since,
                reason_since: None,
                tags,
            })
            .meaning
        };
        let expired = "SCAN_ELIGIBILITY_EXPIRED";
        assert!(of(A_FUNCTION, "PACKAGE", expired).contains("90 days"));
        assert!(of("AWS_ECR_CONTAINER_IMAGE", "PACKAGE", expired).contains("image"));
        assert!(of(A_FUNCTION, "CODE", "UNSUPPORTED_RUNTIME").contains("code"));
        assert_eq!(of(A_FUNCTION, "CODE", "SOMETHING_NEW"), "not looked at");
        for passing in ["PENDING_INITIAL_SCAN", "INTERNAL_ERROR"] {
            assert!(of(A_FUNCTION, "PACKAGE", passing).contains("over a day"));
            assert!(!resource(A_FUNCTION, "PACKAGE", passing).meaning.contains("day"));
        }
    }
}
