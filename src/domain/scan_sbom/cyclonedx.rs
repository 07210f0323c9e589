//! The form `CYCLONE_DX_1_5`: the SBOM that was sent, with what was found.
//!
//! Known from <https://docs.aws.amazon.com/inspector/latest/user/cicd-custom.html>, from the names in
//! <https://docs.aws.amazon.com/inspector/latest/user/cyclonedx-namespace.html>, and from real answers among the tests of
//! <https://github.com/aws-actions/vulnerability-scan-github-action-for-amazon-inspector>. Those show what the pages do not:
//! components within components, ratings in any order, and metadata that has lost the component that was scanned.

use std::collections::HashMap;

use super::{
    NotAScan, Report, Said, Skipped,
    counts::Counts,
    json::{Object, Properties},
    package::Purl,
    subject,
    vulnerability::{Affected, Vulnerability},
};
use crate::domain::{
    finding::{Malformed, bounds},
    text::cut_bytes,
};

/// A component of the SBOM.
struct Component<'a> {
    reference: Option<&'a str>,
    kind: Option<&'a str>,
    name: Option<&'a str>,
    version: Option<&'a str>,
    purl: Option<&'a str>,
    properties: Properties<'a>,
    holds_others: bool,
}

/// Begins the name of a Dockerfile.
const DOCKERFILE: &str = "dockerfile:";

/// Reads the answer.
pub(super) fn read(root: &Object<'_>) -> Result<Report, NotAScan> {
    let metadata = root.object("metadata")?;
    let subject =
        metadata.as_ref().map(|metadata| metadata.object("component")).transpose()?.flatten();
    let counts = match &metadata {
        Some(metadata) => counts(metadata)?,
        None => Counts::default(),
    };
    if counts.is_empty() {
        return Err(NotAScan::Sbom);
    }
    let mut components = Vec::new();
    gather(root.objects("components")?, &mut components)?;
    let scanned = components.len();
    // What was scanned may itself be affected, as a Dockerfile is.
    gather(subject.iter().cloned().collect(), &mut components)?;
    let (components, subjects) = components.split_at(scanned);
    let by_reference: HashMap<&str, &Component<'_>> = subjects
        .iter()
        .chain(components)
        .filter_map(|component| Some((component.reference?, component)))
        .collect();

    // Whether by more than a check of Inspector's own.
    let mut affected: HashMap<&str, bool> = HashMap::new();
    let mut vulnerabilities = Vec::new();
    for vulnerability in root.objects("vulnerabilities")? {
        vulnerabilities.push(read_vulnerability(&vulnerability, &by_reference, &mut affected)?);
    }
    counts.check(&vulnerabilities)?;

    let mut report = Report {
        name: subject.as_ref().and_then(|subject| subject.text("name", bounds::URL)),
        is_image: subject
            .as_ref()
            .and_then(|subject| subject.str("type"))
            .map(|kind| kind == "container"),
        has_images_sign: false,
        platform: platform(components),
        scanned_at: metadata.as_ref().and_then(|metadata| metadata.date("timestamp")),
        scanned: Some(0),
        components: components.len(),
        skipped: Vec::new(),
        end_of_life: None,
        vulnerabilities,
    };
    let (mut packages, mut checked) = (0, 0);
    for component in components {
        let by_more = component.reference.and_then(|known| affected.get(known).copied());
        let is_affected = by_more.is_some();
        if component.is_malicious() && !is_affected {
            report.vulnerabilities.push(component.malicious());
        }
        let is_scanned = component.judge(is_affected, &mut report);
        let is_checked = by_more == Some(false);
        packages += usize::from(is_scanned && !is_checked);
        checked += usize::from(is_scanned && is_checked);
        report.has_images_sign |= component.kind == Some("operating-system")
            || component.purl.and_then(Purl::read).is_some_and(|purl| purl.is_of_system());
    }
    let of_subject = || subjects.iter().find_map(|subject| subject.old_system(&subject.said()));
    report.end_of_life = report.end_of_life.or_else(of_subject);
    counts.check_malicious(&report.vulnerabilities)?;
    report.scanned = Some(super::scanned(packages, checked, &report.skipped));
    Ok(report)
}

/// What the metadata counts.
fn counts(metadata: &Object<'_>) -> Result<Counts, Malformed> {
    let properties = Properties::of(metadata)?;
    Counts::read(
        |severity| properties.get(&format!("{severity}_vulnerabilities")),
        properties.get("malicious_packages"),
        |_| metadata.malformed("properties", "counts that are whole numbers"),
    )
}

/// The components in `objects`, and those within them.
fn gather<'a>(objects: Vec<Object<'a>>, into: &mut Vec<Component<'a>>) -> Result<(), Malformed> {
    let mut waiting = objects;
    waiting.reverse();
    while let Some(object) = waiting.pop() {
        let mut within = object.objects("components")?;
        into.push(Component {
            reference: object.str("bom-ref"),
            kind: object.str("type"),
            name: object.str("name"),
            version: object.str("version"),
            purl: object.str("purl"),
            properties: Properties::of(&object)?,
            holds_others: !within.is_empty(),
        });
        within.reverse();
        waiting.append(&mut within);
    }
    Ok(())
}

fn read_vulnerability<'a>(
    object: &Object<'a>,
    components: &HashMap<&str, &Component<'_>>,
    affected: &mut HashMap<&'a str, bool>,
) -> Result<Vulnerability, Malformed> {
    let id = object.required_str("id")?;
    let properties = Properties::of(object)?;
    let source = object.object("source")?;
    let source = source.as_ref();
    let pages = object.objects("advisories")?;
    let pages = pages.iter().filter_map(|page| page.text("url", bounds::URL));
    let related = object.objects("references")?;
    let related = related.iter().filter_map(|other| other.text("id", bounds::NAME));
    let cwes = object.list("cwes")?.iter().filter_map(super::cwe);
    let mut vulnerability = Vulnerability {
        id: Some(cut_bytes(id, bounds::NAME)),
        source: source.and_then(|source| source.text("name", bounds::NAME)),
        source_url: source.and_then(|source| source.text("url", bounds::URL)),
        description: object.text("description", bounds::TEXT),
        recommendation: object.text("recommendation", bounds::ADVICE),
        references: super::distinct(pages),
        related: super::distinct(related),
        cwes: super::distinct(cwes),
        published_at: object.date("published").or_else(|| object.date("created")),
        ..Vulnerability::default()
    };
    vulnerability.learn(&properties);
    vulnerability.rate(object)?;
    for affects in object.objects("affects")? {
        let reference = affects.required_str("ref")?;
        *affected.entry(reference).or_default() |= !vulnerability.is_check();
        let fixed_in = properties.str(&format!("fixed_version:{reference}"));
        let Some(component) = components.get(reference) else {
            // It is there, whatever it is.
            let one = Affected::new(None, (Some(reference), None), None, fixed_in);
            vulnerability.affects.push(one);
            continue;
        };
        vulnerability.is_malicious |= component.is_malicious();
        let one = component.affected(fixed_in);
        let lines = component.properties.str(&format!("dockerfile_finding:{id}"));
        vulnerability.affects.push(one.at_lines(lines));
    }
    Ok(vulnerability)
}

/// The platform: that of the operating system, if its version is known, else the one that packages come with.
fn platform(components: &[Component<'_>]) -> Option<String> {
    let system = components.iter().find(|component| component.kind == Some("operating-system"));
    let of_version =
        system.and_then(|system| subject::platform(system.name?, Some(system.version?)));
    let mut purls = components.iter().filter_map(|component| component.purl.and_then(Purl::read));
    of_version
        .or_else(|| purls.find_map(|purl| subject::platform_of(&purl)))
        .or_else(|| subject::platform(system?.name?, None))
}

impl Component<'_> {
    fn is_malicious(&self) -> bool {
        self.properties.flag("is_malicious") == Some(true)
    }

    fn affected(&self, fixed_in: Option<&str>) -> Affected {
        // The name of a Dockerfile says that it is one.
        let name = self.name.map(|name| name.strip_prefix(DOCKERFILE).unwrap_or(name));
        let path = self.properties.str("path");
        Affected::new(self.purl, (name, self.version), path, fixed_in)
    }

    /// What is wrong with a malicious package of which nothing else is said.
    fn malicious(&self) -> Vulnerability {
        Vulnerability {
            is_malicious: true,
            affects: vec![self.affected(None)],
            ..Vulnerability::default()
        }
    }

    /// Whether it is known that it was scanned. If not, or if the answer says something else of it, the report gets to know.
    fn judge(&self, is_affected: bool, report: &mut Report) -> bool {
        let said = self.said();
        let is_known = is_affected || self.is_malicious();
        if let Some(why) = said.why_skipped(is_known || self.has_nothing_to_scan()) {
            report.skipped.push(Skipped::new(self.called(), self.version, &why));
        }
        report.end_of_life = report.end_of_life.take().or_else(|| self.old_system(&said));
        is_known || said.is_scanned()
    }

    fn called(&self) -> &str {
        self.purl.or(self.name).or(self.reference).unwrap_or("unnamed")
    }

    fn said(&self) -> Said {
        let mut said = Said::default();
        for (key, value) in self.properties.fields() {
            // After a colon stands what it is of.
            said.hear(key.split(':').next().unwrap_or(key), value);
        }
        said
    }

    /// The operating system, if it is one, and past its end of life.
    fn old_system(&self, said: &Said) -> Option<String> {
        let is_system = self.kind.map_or(self.purl.is_none(), |kind| kind == "operating-system");
        let words = said.end_of_life.as_ref().filter(|_| is_system)?;
        Some(super::old_system(self.called(), self.version, words))
    }

    /// Whether it is natural that nothing is said of it: the operating system, whose packages are scanned; what holds others and
    /// is no package itself; a Dockerfile in which nothing is wrong.
    fn has_nothing_to_scan(&self) -> bool {
        let is_dockerfile = || {
            let name = self.name.filter(|_| self.kind == Some("file"));
            name.is_some_and(|name| name.starts_with(DOCKERFILE))
        };
        self.purl.is_none()
            && (self.kind == Some("operating-system") || self.holds_others || is_dockerfile())
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use crate::domain::{
        finding::{Details, FindingType, Severity},
        scan_sbom::{NotAScan, SbomScan, sample},
    };

    fn read(change: impl FnOnce(&mut Value)) -> Result<SbomScan, NotAScan> {
        let mut answer = sample::cyclonedx();
        change(&mut answer["sbom"]);
        SbomScan::read(&answer, None, "2026-11-20T12:00:00Z".parse().unwrap())
    }

    #[test]
    fn components_within_components_are_scanned_and_affected_like_others() {
        let scan = read(|_| {}).unwrap();
        let packages = &scan.found[0].finding.package().unwrap().packages;
        let names: Vec<_> = packages.iter().filter_map(|one| one.name.as_deref()).collect();
        assert_eq!(names, ["openssl", "libssl3t64"]);
        assert_eq!(scan.scanned, Some(8), "six that are affected, and two that are not");
        assert_eq!(scan.skipped[0].component, "entrypoint");
        assert_eq!(scan.skipped[0].why, "Component skipped: no purl provided.");
    }

    #[test]
    fn a_vulnerability_that_cannot_be_read_is_an_error_that_names_it() {
        let said = |change: fn(&mut Value)| read(change).unwrap_err().to_string();
        assert_eq!(
            said(|sbom| sbom["vulnerabilities"][3]["id"] = json!(7)),
            "sbom.vulnerabilities[3].id: expected a non-empty string, found the number 7"
        );
        assert_eq!(
            said(|sbom| sbom["vulnerabilities"][0]["affects"][1] = json!("comp-4")),
            "sbom.vulnerabilities[0].affects[1]: expected an object, found the string \"comp-4\""
        );
        assert_eq!(
            said(|sbom| sbom["metadata"]["properties"][0]["value"] = json!("many")),
            "sbom.metadata.properties: expected counts that are whole numbers, found an array of 5"
        );
    }

    #[test]
    fn a_vulnerability_of_what_is_not_listed_or_of_nothing_is_kept() {
        let scan = read(|sbom| {
            sbom["vulnerabilities"][0]["affects"] = json!([]);
            sbom["vulnerabilities"][1]["affects"] = json!([{"ref": "comp-99"}]);
        });
        let scan = scan.unwrap();
        assert_eq!(scan.found.len(), 5);
        let packages = &scan.found[0].finding.package().unwrap().packages;
        assert_eq!((packages.len(), scan.found[0].finding.fix_available.clone()), (0, None));
        let package = &scan.found[1].finding.package().unwrap().packages[0];
        assert_eq!(package.name.as_deref(), Some("comp-99"));
    }

    #[test]
    fn an_unrated_vulnerability_is_not_low() {
        let scan = read(|sbom| {
            let others = &mut sbom["metadata"]["properties"];
            others[0]["value"] = json!("0");
            sbom["vulnerabilities"][0]["ratings"] = json!([
                {"source": {"name": "AMAZON_INSPECTOR"}, "severity": "unknown", "method": "other"}
            ]);
        });
        assert_eq!(scan.unwrap().found[0].finding.severity, Severity::Untriaged);
    }

    #[test]
    fn a_check_of_a_dockerfile_is_a_weakness_of_ones_own() {
        let scan = read(|sbom| {
            sbom["components"].as_array_mut().unwrap().push(json!({
                "bom-ref": "comp-20", "type": "file", "name": "dockerfile:Dockerfile",
                "properties": [{
                    "name": "amazon:inspector:sbom_scanner:dockerfile_finding:IN-DOCKER-007-001",
                    "value": "affected_lines:10-12"
                }]
            }));
            sbom["vulnerabilities"].as_array_mut().unwrap().push(json!({
                "id": "IN-DOCKER-007-001", "description": "A secret stands in it.",
                "ratings": [{
                    "source": {"name": "AMAZON_INSPECTOR"}, "severity": "critical", "method": "other"
                }],
                "affects": [{"ref": "comp-20"}]
            }));
        });
        let one = scan.unwrap().found.pop().unwrap();
        assert_eq!(one.finding.kind, FindingType::CodeVulnerability);
        assert_eq!((one.finding.severity, one.threat), (Severity::Critical, None));
        let Details::Code(code) = one.finding.details else { panic!("it is no package") };
        assert_eq!(code.file_path.as_deref(), Some("Dockerfile"));
        assert_eq!((code.start_line, code.end_line), (Some(10), Some(12)));
    }

    #[test]
    fn of_what_has_nothing_to_scan_it_is_natural_that_nothing_is_said() {
        let with = |component: Value| {
            let scan = read(|sbom| sbom["components"].as_array_mut().unwrap().push(component));
            let skipped = scan.unwrap().skipped;
            skipped.into_iter().skip(1).map(|one| one.component).collect::<Vec<_>>()
        };
        let silent = |purl: &str| json!({"type": "library", "name": "b", "purl": purl});
        let known = json!([{
            "name": "amazon:inspector:sbom_scanner:info",
            "value": "Component scanned: no known vulnerabilities."
        }]);
        let within = json!([{"name": "c", "purl": "pkg:npm/c@3", "properties": known}]);
        for natural in [
            json!({"type": "operating-system", "name": "Ubuntu", "version": "24.04"}),
            json!({"type": "application", "name": "package-lock.json", "components": within}),
            json!({"type": "file", "name": "dockerfile:Dockerfile"}),
        ] {
            assert_eq!(with(natural.clone()), [""; 0], "{natural}");
        }
        assert_eq!(with(silent("pkg:npm/b@1")), ["pkg:npm/b@1"]);
        let mut holder = silent("pkg:deb/ubuntu/b@1");
        holder["components"] = within;
        assert_eq!(with(holder), ["pkg:deb/ubuntu/b@1"], "it is a package itself");
        let group = json!({"name": "lock", "components": [silent("pkg:npm/d@4")]});
        assert_eq!(with(group), ["pkg:npm/d@4"], "what is within is looked at");
        assert_eq!(with(json!({"type": "application", "name": "cgo"})), ["cgo"]);
    }

    #[test]
    fn another_text_about_what_is_affected_is_told() {
        let scan = read(|sbom| {
            sbom["components"][2]["properties"] = json!([{
                "name": "amazon:inspector:sbom_scanner:warning", "value": "Only half of it was read."
            }]);
        });
        let scan = scan.unwrap();
        assert_eq!(scan.scanned, Some(8));
        assert_eq!(scan.skipped[0].why, "Only half of it was read.");
    }

    #[test]
    fn an_operating_system_that_is_too_old_is_told() {
        let scan = read(|sbom| {
            sbom["components"][0]["properties"] = json!([{
                "name": "amazon:inspector:sbom_scanner:end_of_life", "value": "2026-04-01T00:00:00Z"
            }]);
        });
        let scan = scan.unwrap();
        let words = "Component end-of-life: 2026-04-01T00:00:00Z";
        assert_eq!(scan.end_of_life, Some(format!("Ubuntu 24.04 ({words})")));
        assert_eq!(scan.skipped[0].component, "Ubuntu 24.04");
        assert_eq!(scan.skipped[0].why, words);
        assert_eq!(read(|_| {}).unwrap().end_of_life, None);
    }

    #[test]
    fn what_was_scanned_may_itself_be_an_operating_system_that_is_too_old() {
        let scan = read(|sbom| {
            sbom["metadata"]["component"] = json!({
                "bom-ref": "comp-1", "type": "operating-system", "name": "Ubuntu", "version": "14.04",
                "properties": [{
                    "name": "amazon:inspector:sbom_scanner:end_of_life", "value": "2024-04-01T00:00:00Z"
                }]
            });
        });
        let expected = "Ubuntu 14.04 (Component end-of-life: 2024-04-01T00:00:00Z)";
        assert_eq!(scan.unwrap().end_of_life.as_deref(), Some(expected));
    }

    #[test]
    fn an_end_of_life_that_is_no_date_is_one_nevertheless_and_no_is_none() {
        let of = |value: Value| {
            let scan = read(|sbom| {
                sbom["components"][0]["properties"] = json!([{
                    "name": "amazon:inspector:sbom_scanner:end_of_life", "value": value
                }]);
            });
            scan.unwrap().end_of_life
        };
        assert_eq!(of(json!(true)).as_deref(), Some("Ubuntu 24.04 (Component end-of-life)"));
        for no in [json!(false), json!("false"), json!(""), Value::Null] {
            assert_eq!(of(no), None);
        }
    }

    #[test]
    fn the_end_of_life_of_a_package_is_told_and_is_not_that_of_the_system() {
        let scan = read(|sbom| {
            sbom["components"][6]["properties"] = json!([{
                "name": "amazon:inspector:sbom_scanner:end_of_life", "value": "2026-04-01T00:00:00Z"
            }]);
        });
        let scan = scan.unwrap();
        assert_eq!(scan.end_of_life, None);
        assert_eq!(scan.skipped[0].component, "pkg:npm/tabular@1.0.2");
    }
}
