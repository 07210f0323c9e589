//! Answers for tests: those of `events/scan-sbom`.

use serde_json::Value;

/// The answer in the form `CYCLONE_DX_1_5`.
pub(super) fn cyclonedx() -> Value {
    parsed(include_str!("../../../events/scan-sbom/cyclonedx.json"))
}

/// The same in the form `INSPECTOR`.
pub(super) fn inspector() -> Value {
    parsed(include_str!("../../../events/scan-sbom/inspector.json"))
}

/// The same in the form `INSPECTOR_ALT`.
pub(super) fn inspector_alt() -> Value {
    parsed(include_str!("../../../events/scan-sbom/inspector-alt.json"))
}

/// The same in each form.
pub(super) fn forms() -> [Value; 3] {
    [cyclonedx(), inspector(), inspector_alt()]
}

/// The list of vulnerabilities of one of [`forms`].
pub(super) fn vulnerabilities(answer: &mut Value) -> &mut Vec<Value> {
    let root = if answer.get("sbom").is_some() { "sbom" } else { "inspector" };
    answer[root]["vulnerabilities"].as_array_mut().expect("the samples have a list")
}

fn parsed(text: &str) -> Value {
    serde_json::from_str(text).expect("the samples are JSON")
}
