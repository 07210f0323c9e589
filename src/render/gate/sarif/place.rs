//! Where a finding is, without what moves when an image is built anew.

use crate::domain::{
    digest,
    finding::{Details, Finding, VulnerablePackage},
    gate::Gate,
};

/// The address of the file, relative; where there is no file, of what stands before the gate.
pub fn uri(gate: &Gate, finding: &Finding) -> String {
    let file = match &finding.details {
        Details::Package(package) => {
            package.packages.iter().find_map(|package| package.file_path.as_deref())
        }
        Details::Code(code) => code.file_path.as_deref(),
        Details::Network(_) | Details::None => None,
    };
    let named = [file, Some(gate.subject.stable_name.as_str())];
    let mut addresses = named.into_iter().flatten().map(relative).filter(|uri| !uri.is_empty());
    addresses.next().unwrap_or_else(|| env!("CARGO_PKG_NAME").to_owned())
}

/// A path as a relative address: its steps, percent-encoded, without digests and without steps upwards.
fn relative(path: &str) -> String {
    let steps = path
        .split(['/', '\\'])
        .filter(|step| !matches!(*step, "" | "." | "..") && !is_digest(step));
    steps.map(encoded).collect::<Vec<_>>().join("/")
}

fn encoded(step: &str) -> String {
    use std::fmt::Write;
    let mut out = String::with_capacity(step.len());
    for byte in step.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            out.push(char::from(byte));
        } else {
            let _ = write!(out, "%{byte:02X}");
        }
    }
    out
}

/// Whether a step of a path is the digest of a layer.
fn is_digest(step: &str) -> bool {
    let digits = step.strip_prefix("sha256:").unwrap_or(step);
    digits.len() == 64 && digits.bytes().all(|byte| byte.is_ascii_hexdigit())
}

/// What a finding is known by: problem, packages, what stands before the gate, and place. The digest of a layer and the
/// version of a package are no part of it.
pub fn fingerprint(stable_name: &str, finding: &Finding) -> String {
    let (mut packages, mut places) = (Vec::new(), Vec::new());
    match &finding.details {
        Details::Package(package) => {
            packages.extend(package.packages.iter().filter_map(|package| package.name.as_deref()));
            places.extend(package.packages.iter().filter_map(stable_place));
        }
        Details::Code(code) => places.extend(code.file_path.as_deref().map(relative)),
        Details::Network(_) | Details::None => {}
    }
    packages.sort_unstable();
    packages.dedup();
    places.sort_unstable();
    places.dedup();
    let parts = serde_json::json!([finding.problem(), packages, stable_name, places]);
    digest::hex(parts.to_string())
}

/// Where a package is, without what moves with its version.
fn stable_place(package: &VulnerablePackage) -> Option<String> {
    if let Some(file) = &package.file_path {
        let version = package.version.as_deref().filter(|version| version.len() > 2);
        let file = version.map_or_else(|| file.clone(), |version| file.replace(version, "*"));
        return Some(relative(&file));
    }
    // A layer of a function ends with the number of its version.
    let layer = package.layer.as_deref()?;
    Some(layer.rsplit_once(':').map_or(layer, |(name, _)| name).to_owned())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::domain::finding::sample;

    #[test]
    fn an_address_is_relative_and_has_no_digest() {
        let digest = "8e1f22fd".repeat(8);
        assert_eq!(relative("/usr/lib/x.jar"), "usr/lib/x.jar");
        assert_eq!(relative(&format!("sha256:{digest}/app/./../a b#c.jar")), "app/a%20b%23c.jar");
        assert_eq!(relative("C:\\Program Files\\x"), "C%3A/Program%20Files/x");
        assert_eq!(relative("//../"), "");
        assert_eq!(relative("javascript:alert(1)"), "javascript%3Aalert%281%29");
    }

    #[test]
    fn a_fingerprint_stays_when_an_image_is_built_anew_and_a_version_moves() {
        let of = |name: &str, version: &str, layer: &str, file: Option<&str>| {
            let finding = sample::with(|f| {
                f["packageVulnerabilityDetails"]["vulnerablePackages"] = json!([{
                    "name": name, "version": version, "sourceLayerHash": layer, "filePath": file
                }]);
            });
            fingerprint("crm/web", &finding)
        };
        let jar =
            |version: &str| of("a", version, "sha256:0", Some(&format!("app/a-{version}.jar")));
        assert_eq!(of("a", "1.0", "sha256:0", None), of("a", "1.1", "sha256:1", None));
        assert_eq!(jar("1.0.0"), jar("1.0.1"));
        assert_ne!(of("a", "1.0", "sha256:0", None), of("b", "1.0", "sha256:0", None));
        assert_ne!(jar("1.0.0"), of("a", "1.0.0", "sha256:0", Some("b.jar")));
    }
}
