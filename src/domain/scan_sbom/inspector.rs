//! The forms `INSPECTOR` and `INSPECTOR_ALT`: what was found, without the SBOM.
//!
//! `INSPECTOR` is known from <https://docs.aws.amazon.com/inspector/latest/user/cicd-custom.html>, and from a real answer among
//! the tests of <https://github.com/aws-actions/vulnerability-scan-github-action-for-amazon-inspector>, which writes some keys
//! in another way (`cvss_3_base_score` for `cvss3_base_score`, `info_message` for `info`). Of `INSPECTOR_ALT` nothing is
//! published but that it exists (<https://docs.aws.amazon.com/inspector/v2/APIReference/API_scan_ScanSbom.html>). So both ways
//! of writing are read, and also a list of components each of which has its vulnerabilities, even beside a list of all. What fits
//! none of it is refused.

use std::collections::{HashMap, HashSet};

use serde_json::Value;

use super::{
    NotAScan, Report, Said, Skipped,
    counts::Counts,
    json::{Object, Properties, flag},
    package::Purl,
    subject,
    vulnerability::{Affected, Vulnerability, epss, severity},
};
use crate::domain::{
    finding::{Malformed, bounds},
    text::cut_bytes,
};

/// The key of the list of vulnerabilities.
const VULNERABILITIES: &str = "vulnerabilities";
/// Keys of the counts.
const COUNTS: [&str; 2] = ["vulnerability_count", "vulnerability_counts"];
/// Keys of a list of components with their vulnerabilities.
const COMPONENTS: [&str; 3] = ["components", "packages", "affected_components"];
/// Keys of what has a vulnerability.
const AFFECTS: [&str; 5] = ["affects", "affected", "affected_components", "components", "packages"];

/// Whether an object looks like this form.
pub(super) fn is_it(root: &Object<'_>) -> bool {
    root.has(&[VULNERABILITIES]) || root.has(&COUNTS) || has_components(root)
}

/// Whether it lists components with their vulnerabilities.
fn has_components(root: &Object<'_>) -> bool {
    COMPONENTS.iter().any(|key| {
        let items = root.get(key).and_then(Value::as_array);
        items.is_some_and(|items| items.iter().any(|item| item.get(VULNERABILITIES).is_some()))
    })
}

/// Reads the answer.
pub(super) fn read(root: &Object<'_>) -> Result<Report, NotAScan> {
    let mut vulnerabilities = Vec::new();
    for object in root.objects(VULNERABILITIES)? {
        vulnerabilities.push(read_vulnerability(&object)?);
    }
    let mut purls: Vec<Purl> = Vec::new();
    let mut heard = Heard::default();
    // Components may have vulnerabilities of their own, whether there is a list of all or not.
    let mut components = Vec::new();
    for key in COMPONENTS {
        components.append(&mut root.objects(key)?);
    }
    for component in &components {
        read_component(component, &mut vulnerabilities)?;
    }
    let counts = counts(root)?;
    if counts.is_empty() && vulnerabilities.is_empty() {
        return Err(root.malformed(COUNTS[0], "counts of the vulnerabilities").into());
    }
    counts.check(&vulnerabilities)?;

    let messages = root.objects("messages")?;
    for message in messages.iter().chain(&components) {
        let one = component_of(message, None);
        purls.extend(one.purl.clone());
        let is_malicious = message.get("is_malicious").and_then(flag) == Some(true);
        if is_malicious && !has_malicious(&vulnerabilities, &one) {
            vulnerabilities.push(Vulnerability {
                is_malicious: true,
                affects: vec![one],
                ..Vulnerability::default()
            });
        }
    }
    counts.check_malicious(&vulnerabilities)?;
    // Whether by more than a check of Inspector's own.
    let mut affected: HashMap<&str, bool> = HashMap::new();
    for vulnerability in &vulnerabilities {
        for one in &vulnerability.affects {
            *affected.entry(one.component()).or_default() |= !vulnerability.is_check();
            heard.affected.insert(one.called().to_owned());
            purls.extend(one.purl.clone());
        }
    }
    for message in &messages {
        heard.hear(message, false);
    }
    for component in &components {
        heard.hear(component, true);
    }
    let by_more = affected.values().filter(|by_more| **by_more).count();
    let checked = affected.len() - by_more;
    let scanned = super::scanned(heard.scanned + by_more, checked, &heard.skipped);
    let platform = heard.system.or_else(|| purls.iter().find_map(subject::platform_of));
    let is_by_component = !root.has(&[VULNERABILITIES]) || !components.is_empty();
    let knows_all = root.has(&["messages"]) || is_by_component || vulnerabilities.is_empty();
    Ok(Report {
        name: root.text("name", bounds::URL),
        is_image: None,
        has_images_sign: purls.iter().any(Purl::is_of_system) || platform.is_some(),
        platform,
        scanned_at: None,
        // Without messages nothing is said of what has no vulnerability.
        scanned: (knows_all || scanned == 0).then_some(scanned),
        components: scanned + heard.skipped.len(),
        skipped: heard.skipped,
        end_of_life: heard.end_of_life,
        vulnerabilities,
    })
}

/// Whether one of them says already that this is malicious.
fn has_malicious(vulnerabilities: &[Vulnerability], one: &Affected) -> bool {
    let mut malicious = vulnerabilities.iter().filter(|known| known.is_malicious);
    malicious.any(|known| known.affects.iter().any(|other| other.is_same(one)))
}

/// What the answer says of components in texts.
#[derive(Default)]
struct Heard {
    /// How many were scanned that have no vulnerability.
    scanned: usize,
    skipped: Vec<Skipped>,
    /// What has a vulnerability, as it is called.
    affected: HashSet<String>,
    /// What has been named, and what was said of it.
    told: HashMap<String, HashSet<String>>,
    /// The platform, if a message says of an operating system that it is old. Of others nothing is said.
    system: Option<String>,
    /// The same in words.
    end_of_life: Option<String>,
}

impl Heard {
    /// Takes in what is said of a component, under keys such as `info`, `info_message` and `warning`.
    /// `again` is whether it may have been taken in from another list, and counts once.
    fn hear(&mut self, message: &Object<'_>, again: bool) {
        let name = ["purl", "name", "component", "file"].iter().find_map(|key| message.str(key));
        let (name, version) = (name.unwrap_or("unnamed"), message.str("version"));
        let mut said = Said::default();
        for (key, value) in message.fields() {
            said.hear(key, value);
        }
        let called = component_of(message, None).called().to_owned();
        let is_affected = self.affected.contains(&called);
        let is_told = again && self.told.contains_key(&called);
        let told = self.told.entry(called).or_default();
        let kind = message.str("type");
        let has_purl = message.str("purl").is_some();
        let has_nothing_to_scan = !has_purl
            && (kind == Some("operating-system")
                || message.has(&["file"])
                || message.has(&COMPONENTS));
        let why = said.why_skipped(is_affected || is_told || has_nothing_to_scan);
        if let Some(why) = why.filter(|why| told.insert(why.clone()) || !again) {
            self.skipped.push(Skipped::new(name, version, &why));
        }
        // Messages name an operating system without saying that it is one.
        let is_system = kind.map_or(!has_purl, |kind| kind == "operating-system");
        if let Some(words) = said.end_of_life.as_ref().filter(|_| is_system) {
            self.system = self.system.take().or_else(|| subject::platform(name, Some(version?)));
            self.end_of_life.get_or_insert_with(|| super::old_system(name, version, words));
        }
        self.scanned += usize::from(said.is_scanned() && !is_affected && !is_told);
    }
}

/// What the answer counts.
fn counts(root: &Object<'_>) -> Result<Counts, Malformed> {
    for key in COUNTS {
        if let Some(counts) = root.object(key)? {
            return Counts::read(
                |severity| counts.get(severity),
                counts.get("malicious").or_else(|| counts.get("malicious_packages")),
                |severity| counts.malformed(severity, "a whole number"),
            );
        }
    }
    Ok(Counts::default())
}

fn read_vulnerability(object: &Object<'_>) -> Result<Vulnerability, Malformed> {
    let id = object.required_str("id")?;
    let properties = Properties::of(object)?;
    let source = object.str("source");
    let is_url = |source: &&str| source.contains("://");
    let mut vulnerability = Vulnerability {
        id: Some(cut_bytes(id, bounds::NAME)),
        source: source.filter(|source| !is_url(source)).map(|name| cut_bytes(name, bounds::NAME)),
        source_url: source.filter(is_url).map(|url| cut_bytes(url, bounds::URL)),
        severity: object.str("severity").and_then(severity),
        description: object.text("description", bounds::TEXT),
        recommendation: object.text("recommendation", bounds::ADVICE),
        references: super::distinct(
            object.strings("references", usize::MAX, bounds::URL)?.into_iter(),
        ),
        related: super::distinct(object.strings("related", usize::MAX, bounds::NAME)?.into_iter()),
        published_at: object.date("published").or_else(|| object.date("created")),
        ..Vulnerability::default()
    };
    vulnerability.learn(&properties);
    vulnerability.rate(object)?;
    let beside = object.object("properties").ok().flatten();
    for holder in beside.iter().chain([object]) {
        let cwes = holder.list("cwes")?.iter().filter_map(super::cwe);
        vulnerability.cwes = super::distinct(vulnerability.cwes.into_iter().chain(cwes));
        for entry in holder.objects("cvss")? {
            vulnerability.rate_cvss(&entry);
        }
        let said = holder.get("epss").map(|said| said.get("score").unwrap_or(said));
        vulnerability.epss = vulnerability.epss.or_else(|| said.and_then(epss));
    }
    for key in AFFECTS {
        for (index, value) in object.list(key)?.iter().enumerate() {
            let one = if let Some(purl) = value.as_str() {
                Affected::new(Some(purl), (None, None), None, None)
            } else {
                let one = Object::of(value, format!("{VULNERABILITIES} {id}.{key}[{index}]"))?;
                vulnerability.is_malicious |= one.get("is_malicious").and_then(flag) == Some(true);
                component_of(&one, None)
            };
            vulnerability.affects.push(one);
        }
    }
    Ok(vulnerability)
}

/// Reads a component with its vulnerabilities. One that several components have is one, and one that is listed otherwise, too.
fn read_component(
    component: &Object<'_>,
    vulnerabilities: &mut Vec<Vulnerability>,
) -> Result<(), Malformed> {
    for object in component.objects(VULNERABILITIES)? {
        let mut vulnerability = read_vulnerability(&object)?;
        if vulnerability.affects.is_empty() {
            vulnerability.affects.push(component_of(component, object.str("fixed_version")));
        }
        vulnerability.is_malicious |= component.get("is_malicious").and_then(flag) == Some(true);
        // The same may be listed twice, with other components: rather with this one.
        let is_known = |known: &Vulnerability| known.id == vulnerability.id;
        let has_all = |known: &Vulnerability| {
            let mut affects = vulnerability.affects.iter();
            affects.all(|one| known.affects.iter().any(|other| other.is_same(one)))
        };
        let position = vulnerabilities.iter().position(|known| is_known(known) && has_all(known));
        let position = position.or_else(|| vulnerabilities.iter().position(is_known));
        match position {
            Some(position) => vulnerabilities[position].merge(vulnerability),
            None => vulnerabilities.push(vulnerability),
        }
    }
    Ok(())
}

/// The component that an object names: by package URL, by name and version, or by a file.
fn component_of(object: &Object<'_>, fixed_in: Option<&str>) -> Affected {
    let installed = object.str("installed_version");
    let is_purl = |text: &&str| text.starts_with("pkg:");
    let purl = object.str("purl").or_else(|| installed.filter(is_purl));
    let file = object.str("file").map(|file| file.strip_prefix("dockerfile:").unwrap_or(file));
    let version = object.str("version").or_else(|| installed.filter(|text| !is_purl(text)));
    let fixed_in = object.str("fixed_version").or(fixed_in);
    let name = object.str("name").or_else(|| object.str("component")).or(file);
    Affected::new(purl, (name, version), object.str("path"), fixed_in).at_lines(object.str("lines"))
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use crate::domain::{
        finding::{Details, Severity},
        scan_sbom::{NotAScan, SbomScan, sample},
    };

    fn read(answer: &Value) -> Result<SbomScan, NotAScan> {
        SbomScan::read(answer, Some("crm/web:1.4"), "2026-11-20T12:00:00Z".parse().unwrap())
    }

    #[test]
    fn both_ways_of_writing_the_keys_say_the_same() {
        let (one, other) = (read(&sample::inspector()), read(&sample::inspector_alt()));
        assert_eq!(one.unwrap(), other.unwrap());
    }

    #[test]
    fn a_list_of_components_with_their_vulnerabilities_says_the_same_as_one_of_vulnerabilities() {
        let by_component = json!({
            "vulnerability_count": {"critical": 1, "high": 1},
            "components": [
                {"purl": "pkg:npm/a@1", "path": "/app/package-lock.json", "vulnerabilities": [
                    {"id": "CVE-2026-10201", "severity": "critical", "fixed_version": "1.1"},
                    {"id": "CVE-2026-10202", "severity": "high"}
                ]},
                {"purl": "pkg:npm/b@2", "vulnerabilities": [
                    {"id": "CVE-2026-10201", "severity": "critical", "fixed_version": "2.1"}
                ]},
                {"purl": "pkg:npm/c@3", "info": "Component scanned: no known vulnerabilities.",
                 "vulnerabilities": []}
            ]
        });
        let by_vulnerability = json!({
            "vulnerability_count": {"critical": 1, "high": 1},
            "messages": [
                {"purl": "pkg:npm/c@3", "info": "Component scanned: no known vulnerabilities."}
            ],
            "vulnerabilities": [
                {"id": "CVE-2026-10201", "severity": "critical", "affects": [
                    {"installed_version": "pkg:npm/a@1", "fixed_version": "1.1",
                     "path": "/app/package-lock.json"},
                    {"installed_version": "pkg:npm/b@2", "fixed_version": "2.1"}
                ]},
                {"id": "CVE-2026-10202", "severity": "high", "affects": [
                    {"installed_version": "pkg:npm/a@1", "path": "/app/package-lock.json"}
                ]}
            ]
        });
        let scan = read(&by_component).unwrap();
        assert_eq!(scan.scanned, Some(3));
        assert_eq!(scan, read(&by_vulnerability).unwrap());
    }

    #[test]
    fn a_check_of_a_dockerfile_has_file_and_lines() {
        let mut answer = sample::inspector();
        sample::vulnerabilities(&mut answer).push(json!({
            "id": "IN-DOCKER-002", "severity": "high", "properties": {},
            "affects": [{"file": "dockerfile:Dockerfile", "lines": "3-4"}]
        }));
        let one = read(&answer).unwrap().found.pop().unwrap();
        let Details::Code(code) = one.finding.details else { panic!("it is no package") };
        assert_eq!(code.file_path.as_deref(), Some("Dockerfile"));
        assert_eq!((code.start_line, code.end_line), (Some(3), Some(4)));
        assert_eq!(code.detector_id.as_deref(), Some("IN-DOCKER-002"));
    }

    #[test]
    fn without_messages_it_is_not_known_how_many_were_scanned() {
        let mut answer = sample::inspector();
        answer["inspector"].as_object_mut().unwrap().remove("messages");
        assert_eq!(read(&answer).unwrap().scanned, None);
    }

    #[test]
    fn a_vulnerability_of_nothing_says_of_no_component_that_it_was_scanned() {
        let answer = json!({
            "vulnerability_count": {"low": 1},
            "vulnerabilities": [{"id": "CVE-2026-10201", "severity": "low", "affects": []}]
        });
        let expected = "none of its 0 components was scanned";
        assert_eq!(read(&answer).unwrap_err().to_string(), expected);
    }

    #[test]
    fn an_operating_system_that_is_too_old_is_told_by_a_message_or_by_a_check() {
        let words = "Component end-of-life: 2026-04-01T00:00:00Z";
        let mut answer = sample::inspector();
        let messages = answer["inspector"]["messages"].as_array_mut().unwrap();
        messages.push(json!({"name": "Ubuntu", "version": "24.04", "info_message": words}));
        let scan = read(&answer).unwrap();
        assert_eq!(scan.end_of_life, Some(format!("Ubuntu 24.04 ({words})")));
        assert_eq!(scan.skipped[0].why, words);
        let resource = scan.found[0].finding.resource().unwrap();
        assert_eq!(resource.platform.as_deref(), Some("UBUNTU_24_04"));

        let mut answer = sample::inspector();
        sample::vulnerabilities(&mut answer).push(json!({
            "id": "IN-DISCONTINUED-001", "severity": "critical",
            "affects": [{"name": "Ubuntu", "version": "24.04"}]
        }));
        let scan = read(&answer).unwrap();
        assert_eq!(scan.end_of_life.as_deref(), Some("Ubuntu 24.04 (IN-DISCONTINUED-001)"));

        let mut answer = sample::inspector();
        let message = &mut answer["inspector"]["messages"][0];
        message["info"] = json!(words);
        assert_eq!(read(&answer).unwrap().end_of_life, None, "it is a package");
    }

    #[test]
    fn what_only_a_component_has_is_read_beside_a_list_of_all() {
        let mut answer = json!({
            "vulnerability_count": {"critical": 1},
            "vulnerabilities": [],
            "messages": [
                {"purl": "pkg:npm/a@1", "info": "Component scanned: no known vulnerabilities."}
            ],
            "components": [{"purl": "pkg:npm/b@2", "vulnerabilities": [
                {"id": "CVE-2026-10201", "severity": "critical"}
            ]}]
        });
        let scan = read(&answer).unwrap();
        assert_eq!((scan.found.len(), scan.scanned), (1, Some(2)));
        assert_eq!(scan.found[0].finding.severity, Severity::Critical);
        assert_eq!(scan.skipped, []);

        answer["vulnerability_count"]["high"] = json!(1);
        let expected = "it counts 1 high vulnerabilities and lists 0: the answer is not whole";
        assert_eq!(read(&answer).unwrap_err().to_string(), expected);
        answer["vulnerabilities"] = json!([
            {"id": "CVE-2026-10202", "severity": "high", "affects": [{"purl": "pkg:npm/b@2"}]}
        ]);
        assert_eq!(read(&answer).unwrap().found.len(), 2, "the counts are of both lists");
    }

    #[test]
    fn what_both_lists_have_is_one_and_the_worse_of_the_two() {
        let scan = read(&json!({
            "vulnerability_count": {"critical": 1},
            "vulnerabilities": [
                {"id": "CVE-2026-10201", "severity": "low",
                 "affects": [{"installed_version": "pkg:npm/b@2"}]}
            ],
            "components": [
                {"purl": "pkg:npm/b@2", "path": "/app/package-lock.json", "vulnerabilities": [
                    {"id": "CVE-2026-10201", "severity": "critical", "fixed_version": "2.1",
                     "properties": {"exploit_available": true}}
                ]},
                {"purl": "pkg:npm/c@3", "vulnerabilities": [
                    {"id": "CVE-2026-10201", "severity": "critical"}
                ]}
            ]
        }));
        let scan = scan.unwrap();
        assert_eq!((scan.found.len(), scan.scanned), (1, Some(2)));
        let finding = &scan.found[0].finding;
        assert_eq!(finding.severity, Severity::Critical);
        assert_eq!(finding.exploit_available, Some(true));
        let packages = &finding.package().unwrap().packages;
        let fixes: Vec<_> = packages.iter().map(|one| one.fixed_in.as_deref()).collect();
        assert_eq!(fixes, [Some("2.1"), None]);
    }

    #[test]
    fn what_is_said_of_a_component_in_both_lists_counts_once() {
        let text = "Component skipped: no rules found.";
        let scanned = "Component scanned: no known vulnerabilities.";
        let scan = read(&json!({
            "vulnerability_count": {"critical": 0}, "vulnerabilities": [],
            "messages": [
                {"purl": "pkg:npm/a@1", "info": scanned}, {"purl": "pkg:npm/b@2", "info": text},
                {"purl": "pkg:npm/c@3", "info": scanned}
            ],
            "components": [
                {"purl": "pkg:npm/a@1", "vulnerabilities": []},
                {"purl": "pkg:npm/b@2", "info": text},
                {"purl": "pkg:npm/c@3", "warning": "Only half of it was read."},
                {"purl": "pkg:npm/d@4"}
            ]
        }));
        let scan = scan.unwrap();
        assert_eq!(scan.scanned, Some(2));
        let skipped: Vec<&str> = scan.skipped.iter().map(|one| one.component.as_str()).collect();
        assert_eq!(skipped, ["pkg:npm/c@3", "pkg:npm/b@2", "pkg:npm/d@4"]);
    }

    #[test]
    fn a_list_that_is_none_is_an_error() {
        let mut answer = sample::inspector();
        answer["inspector"]["vulnerabilities"] = json!({"CVE-2026-10101": {}});
        assert_eq!(
            read(&answer).unwrap_err().to_string(),
            "inspector.vulnerabilities: expected an array, found an object with 1 keys"
        );
    }
}
