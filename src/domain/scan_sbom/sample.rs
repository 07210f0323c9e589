//! Answers for tests: those of `events/scan-sbom`, and small ones with any facts.

use serde_json::{Value, json};

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

/// A rating: severity, score and vector.
pub(super) type Rated = (&'static str, f64, &'static str);

/// What there is to know of one vulnerability.
pub(super) struct Facts {
    /// Ratings, by who rates.
    pub(super) ratings: Vec<(&'static str, Rated)>,
    /// The probability of exploitation.
    pub(super) epss: Option<f64>,
    /// Whether CISA lists it.
    pub(super) kev: bool,
    /// Whether there is an exploit.
    pub(super) exploit: Option<bool>,
    /// When one was seen.
    pub(super) seen: Option<String>,
    /// When it was published.
    pub(super) created: Option<String>,
    /// Whether there is a fix.
    pub(super) fixed: bool,
}

/// The package that has it.
const PURL: &str = "pkg:deb/ubuntu/tar@1.35-3?distro=noble&epoch=0";

impl Facts {
    /// They in each form.
    pub(super) fn forms(&self) -> [Value; 3] {
        let inspector = |prefix: &str, noise: f64| self.inspector(prefix, noise);
        [self.cyclonedx(), inspector("cvss3", 0.0), inspector("cvss_3", 1.9e-7)]
    }

    fn counts(&self) -> Value {
        let severity = match self.ratings[0].1.0 {
            "info" | "unknown" => "other",
            severity => severity,
        };
        json!({ severity: 1 })
    }

    fn properties(&self) -> Value {
        let mut properties = json!({
            "exploit_available": self.exploit, "exploit_last_seen_in_public": self.seen,
        });
        if self.kev {
            properties["cisa_kev_date_added"] = json!("2026-11-01T00:00:00Z");
            properties["cisa_kev_date_due"] = json!("2026-11-22T00:00:00Z");
        }
        properties
    }

    fn cyclonedx(&self) -> Value {
        let named = |name: &str, value: &Value| {
            let value = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
            json!({"name": format!("amazon:inspector:sbom_scanner:{name}"), "value": value})
        };
        let fields = |value: &Value| value.as_object().expect("an object").clone();
        let counts = fields(&self.counts());
        let counts = counts.iter().map(|(name, n)| named(&format!("{name}_vulnerabilities"), n));
        let properties = fields(&self.properties());
        let said = properties.iter().filter(|(_, value)| !value.is_null());
        let mut properties: Vec<Value> = said.map(|(name, value)| named(name, value)).collect();
        if self.fixed {
            properties.push(named("fixed_version:comp-1", &json!("0:1.36-1")));
        }
        let mut ratings: Vec<Value> = Vec::new();
        ratings.extend(self.epss.map(|epss| {
            json!({"source": {"name": "EPSS"}, "score": epss, "severity": "none", "method": "other"})
        }));
        for (source, (severity, score, vector)) in self.ratings.iter().rev() {
            ratings.push(json!({
                "source": {"name": source}, "severity": severity, "score": score,
                "method": "CVSSv31", "vector": vector,
            }));
        }
        json!({"sbom": {
            "bomFormat": "CycloneDX",
            "metadata": {"properties": counts.collect::<Vec<_>>()},
            "components": [{"bom-ref": "comp-1", "name": "tar", "purl": PURL}],
            "vulnerabilities": [{
                "id": "CVE-2026-10999", "ratings": ratings, "created": self.created,
                "affects": [{"ref": "comp-1"}], "properties": properties,
            }],
        }})
    }

    fn inspector(&self, prefix: &str, noise: f64) -> Value {
        let cvss = self.ratings.iter().map(|(source, (severity, score, vector))| {
            // Version 3 without the prefix, as some answers have it.
            let vector = vector.trim_start_matches("CVSS:3.1/");
            json!({
                "source": source, "severity": severity, format!("{prefix}_base_score"): score + noise,
                format!("{prefix}_base_vector"): vector,
            })
        });
        let mut properties = self.properties();
        properties["cvss"] = cvss.collect();
        properties["epss"] = self.epss.map(|epss| (epss + noise / 10.0).min(1.0)).into();
        json!({"sbom": {
            "messages": [],
            "vulnerability_count": self.counts(),
            "vulnerabilities": [{
                "id": "CVE-2026-10999", "severity": self.ratings[0].1.0, "created": self.created,
                "properties": properties,
                "affects": [{
                    "installed_version": PURL,
                    "fixed_version": if self.fixed { Some("0:1.36-1") } else { None },
                }],
            }],
        }})
    }
}
