//! Finding the report in a document, and saying what a document is that has none.

use serde_json::Value;

use super::{NotAScan, SHOWN, inspector, json::Object};
use crate::domain::{finding::show, text};

/// What a document may be wrapped in: by the service, by `inspector-sbomgen`, and in the documentation.
const WRAPPERS: [&str; 3] = ["sbom", "inspector", "inspector_alt"];

/// How deep it may be wrapped.
const DEEPEST: usize = 4;

/// The report in an answer, and the status beside it.
pub(super) fn unwrapped(answer: &Value) -> Result<(Object<'_>, Option<&str>), NotAScan> {
    if !answer.is_object() {
        return Err(NotAScan::Unknown(show(Some(answer))));
    }
    let mut root = Object::of(answer, String::new())?;
    let mut status = root.str("status");
    for _ in 0..DEEPEST {
        if root.has(&["bomFormat"]) || inspector::is_it(&root) {
            break;
        }
        let within = WRAPPERS.into_iter().find(|wrapper| root.get(wrapper).is_some());
        let Some(within) = within else { break };
        root = root.object(within)?.ok_or_else(|| root.malformed(within, "an object"))?;
        status = status.or_else(|| root.str("status"));
    }
    Ok((root, status))
}

/// What to say of an object that is no report.
pub(super) fn stranger(root: &Object<'_>) -> NotAScan {
    let error = root.object("Error").ok().flatten();
    let holder = error.as_ref().unwrap_or(root);
    let message = ["message", "Message", "errorMessage"].iter().find_map(|key| holder.str(key));
    let kind = ["__type", "Code", "code", "errorType"].iter().find_map(|key| holder.str(key));
    if message.is_some() || kind.is_some() {
        let said: Vec<&str> = kind.into_iter().chain(message).collect();
        return NotAScan::Error(text::short(&text::cut_bytes(&said.join(": "), 4 * SHOWN), SHOWN));
    }
    let what = if root.has(&["spdxVersion"]) {
        "an SBOM in the form SPDX, which ScanSbom does not take".to_owned()
    } else if root.has(&["findings"]) {
        "findings of the account".to_owned()
    } else {
        let keys = root.fields().map(|(key, _)| text::short(&text::cut_bytes(key, 80), 20));
        let keys = keys.take(5).collect::<Vec<_>>().join(", ");
        if keys.is_empty() {
            "an empty object".to_owned()
        } else {
            format!("an object with {keys}")
        }
    };
    NotAScan::Unknown(what)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::domain::scan_sbom::{SbomScan, sample};

    fn read(answer: &Value) -> Result<SbomScan, NotAScan> {
        SbomScan::read(answer, Some("crm/web:1.4"), "2026-11-20T12:00:00Z".parse().unwrap())
    }

    #[test]
    fn an_answer_is_read_in_every_wrapper() {
        let cyclonedx = &sample::cyclonedx()["sbom"];
        let inspector = &sample::inspector()["inspector"];
        let status = "SBOM parsed successfully, 5 vulnerabilities found";
        for (wrapped, bare) in [
            (json!({"sbom": cyclonedx}), cyclonedx),
            (json!({"status": status, "sbom": cyclonedx}), cyclonedx),
            (json!({"sbom": {"status": status, "sbom": cyclonedx}}), cyclonedx),
            (json!({"sbom": inspector}), inspector),
            (json!({"status": status, "inspector": inspector}), inspector),
            (json!({"sbom": {"status": status, "inspector": inspector}}), inspector),
        ] {
            assert_eq!(read(&wrapped).unwrap(), read(bare).unwrap());
        }
    }

    #[test]
    fn a_document_that_is_no_answer_is_refused_and_named() {
        let sbom = "it is an SBOM, and no answer of ScanSbom: send it to aws inspector-scan scan-sbom first";
        let expected = "expected an answer of ScanSbom, in the form CYCLONE_DX_1_5, INSPECTOR or INSPECTOR_ALT, found";
        for (answer, said) in [
            (json!({"bomFormat": "CycloneDX", "components": [{"name": "a"}]}), sbom.to_owned()),
            (
                json!({"__type": "ValidationException", "message": "too many components"}),
                "the answer is an error of AWS: ValidationException: too many components"
                    .to_owned(),
            ),
            (
                json!({"Error": {"Code": "Throttling", "Message": "slow down"}}),
                "the answer is an error of AWS: Throttling: slow down".to_owned(),
            ),
            (json!({"findings": []}), format!("{expected} findings of the account")),
            (json!({}), format!("{expected} an empty object")),
            (json!({"a": 1, "b": 2}), format!("{expected} an object with a, b")),
            (json!([]), format!("{expected} an empty array")),
            (
                json!({"spdxVersion": "SPDX-2.3"}),
                format!("{expected} an SBOM in the form SPDX, which ScanSbom does not take"),
            ),
            (
                json!({"sbom": "text"}),
                "sbom: expected an object, found the string \"text\"".to_owned(),
            ),
        ] {
            assert_eq!(read(&answer).unwrap_err().to_string(), said);
        }
    }
}
