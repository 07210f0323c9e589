//! The bucket for reviews is private, and one function may put reviews into it, and nothing else.

use serde_json::{Value, json};

use super::{OWN_KEY, default, everything, list};
use crate::common::cloudformation::Stack;

const BUCKET: (&str, &str) = ("EnableReviewBucket", "true");

/// With the bucket and no key of one's own.
fn with_bucket() -> Stack {
    Stack::new(&[BUCKET])
}

#[test]
fn without_the_parameter_there_is_no_bucket_and_no_right() {
    let stack = default();
    for kind in ["AWS::S3::Bucket", "AWS::S3::BucketPolicy"] {
        assert!(stack.resources(kind).is_empty(), "{kind}");
    }
    assert!(!stack.resource("ReviewRole").to_string().contains("s3:"));
    for (stack, bucket) in [(default(), ""), (with_bucket(), "inspector-triage-reviewbucket")] {
        let variables = &stack.resource("ReviewFunction")["Environment"]["Variables"];
        assert_eq!(variables["REVIEW_BUCKET"], bucket);
        assert_eq!(variables["REVIEW_BUCKET_OWNER"], "111122223333");
        let output = &stack.template()["Outputs"]["ReviewBucket"];
        assert_eq!(output["Condition"], "HasReviewBucket");
    }
}

#[test]
fn nothing_in_it_is_public() {
    let bucket = with_bucket().resource("ReviewBucket");
    let all = json!({
        "BlockPublicAcls": true, "BlockPublicPolicy": true,
        "IgnorePublicAcls": true, "RestrictPublicBuckets": true,
    });
    assert_eq!(bucket["PublicAccessBlockConfiguration"], all);
    let rules = json!([{"ObjectOwnership": "BucketOwnerEnforced"}]);
    assert_eq!(bucket["OwnershipControls"]["Rules"], rules);
    for public in ["AccessControl", "WebsiteConfiguration", "CorsConfiguration"] {
        assert_eq!(bucket[public], Value::Null);
    }
}

#[test]
fn it_is_encrypted_with_an_own_key_if_there_is_one() {
    for (stack, expected) in [
        (with_bucket(), json!({"ServerSideEncryptionByDefault": {"SSEAlgorithm": "AES256"}})),
        (
            everything(),
            json!({
                "BucketKeyEnabled": true,
                "ServerSideEncryptionByDefault":
                    {"SSEAlgorithm": "aws:kms", "KMSMasterKeyID": OWN_KEY.1},
            }),
        ),
    ] {
        let bucket = stack.resource("ReviewBucket");
        let rules = &bucket["BucketEncryption"]["ServerSideEncryptionConfiguration"];
        assert_eq!(*rules, json!([expected]));
    }
}

#[test]
fn what_is_in_it_is_not_lost_by_mistake_and_not_kept_for_ever() {
    for (days, expected) in [(None, "400"), (Some("30"), "30")] {
        let days = days.map(|days| ("ReviewRetentionDays", days));
        let stack = Stack::new(&[Some(BUCKET), days].into_iter().flatten().collect::<Vec<_>>());
        let bucket = stack.resource("ReviewBucket");
        assert_eq!(bucket["VersioningConfiguration"]["Status"], "Enabled");
        let rules = json!([{
            "Id": "forget", "Status": "Enabled", "ExpirationInDays": expected,
            "NoncurrentVersionExpiration": {"NoncurrentDays": 30},
            "AbortIncompleteMultipartUpload": {"DaysAfterInitiation": 1},
        }]);
        assert_eq!(bucket["LifecycleConfiguration"]["Rules"], rules);
    }
    for resource in ["ReviewBucket", "ReviewBucketPolicy"] {
        for policy in ["DeletionPolicy", "UpdateReplacePolicy"] {
            assert_eq!(with_bucket().raw(resource)[policy], "Retain", "{resource}");
        }
    }
}

#[test]
fn its_policy_refuses_what_is_not_encrypted_on_the_way_and_nobody_else() {
    let policy = with_bucket().resource("ReviewBucketPolicy");
    assert_eq!(policy["Bucket"], "inspector-triage-reviewbucket");
    let statements = policy["PolicyDocument"]["Statement"].as_array().unwrap();
    let conditions = [
        json!({"Bool": {"aws:SecureTransport": "false"}}),
        json!({"NumericLessThan": {"s3:TlsVersion": "1.2"}}),
    ];
    assert_eq!(statements.len(), conditions.len());
    for (statement, condition) in statements.iter().zip(conditions) {
        assert_eq!(statement["Effect"], "Deny");
        assert_eq!(statement["Principal"], "*");
        assert_eq!(statement["Action"], "s3:*");
        let both = [
            "arn:aws:s3:::inspector-triage-reviewbucket",
            "arn:aws:s3:::inspector-triage-reviewbucket/*",
        ];
        assert_eq!(list(&statement["Resource"]), both);
        assert_eq!(statement["Condition"], condition);
    }
}

#[test]
fn the_function_may_put_reviews_into_it_and_no_other_role_may_anything() {
    let own_key = json!({
        "Effect": "Allow", "Action": "kms:GenerateDataKey", "Resource": OWN_KEY.1,
        "Condition": {"StringEquals": {
            "kms:ViaService": "s3.eu-central-1.amazonaws.com",
            "kms:EncryptionContext:aws:s3:arn": "arn:aws:s3:::inspector-triage-reviewbucket",
        }},
    });
    for (stack, key) in [(with_bucket(), None), (everything(), Some(own_key))] {
        for (name, role) in stack.resources("AWS::IAM::Role") {
            let policies = role["Policies"].as_array().into_iter().flatten();
            let about: Vec<&Value> =
                policies.filter(|policy| policy.to_string().contains("s3")).collect();
            if name != "ReviewRole" {
                assert!(about.is_empty(), "{name}");
                continue;
            }
            let [policy] = about[..] else { panic!("{about:?}") };
            let put = json!({
                "Effect": "Allow", "Action": "s3:PutObject",
                "Resource": "arn:aws:s3:::inspector-triage-reviewbucket/reviews/*",
                "Condition": {"StringEquals": {"aws:ResourceAccount": "111122223333"}},
            });
            let expected: Vec<Value> = [Some(put), key.clone()].into_iter().flatten().collect();
            assert_eq!(policy["PolicyDocument"]["Statement"], json!(expected));
        }
    }
}
