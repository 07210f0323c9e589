//! What Amazon Inspector's `ScanSbom` answers, in each of its three forms:
//! <https://docs.aws.amazon.com/inspector/v2/APIReference/API_scan_ScanSbom.html>.
//!
//! [`SbomScan::read`] makes findings of it that are scored like those of an account, so that a pipeline is held to what the
//! account will be told. A pipeline must not pass because nothing was looked at: an answer that is not whole, that names no
//! component that was scanned, or that is not understood is an error. Only Inspector's own phrase, or a vulnerability that is listed,
//! says that a component was scanned. Silence does not, nor does any other text.
//!
//! The severity and the CVSS vector of a package of a distribution are the distribution's, as they are in findings of the
//! account. The answer's own severity and counts go by NVD's.

mod answer;
mod counts;
mod cyclonedx;
mod inspector;
mod json;
mod package;
mod subject;
mod vulnerability;

use std::collections::{HashMap, HashSet};

use jiff::Timestamp;
use serde_json::Value;

use super::{
    finding::{CLOCK_SKEW, Finding, Malformed, bounds},
    text,
    threat::Threat,
};
use counts::whole_list;
use subject::Subject;
use vulnerability::Vulnerability;

/// What `ScanSbom` says of an SBOM.
#[derive(Clone, Debug, PartialEq)]
pub struct SbomScan {
    /// What was scanned, by the SBOM's own account, if it says. Most answers have lost it.
    pub name: Option<String>,
    /// Each vulnerability of what was scanned, with what is known of attacks on it.
    pub found: Vec<Scanned>,
    /// How many components were scanned, at least one; `None` if the answer names only those that have a vulnerability.
    pub scanned: Option<usize>,
    /// Components of which it is not known that they were scanned, and those that get no advisories any more. The most telling
    /// come first.
    pub skipped: Vec<Skipped>,
    /// The operating system, if it is past its end of life, and in brackets what Inspector says of that. It gets no advisories
    /// any more: nothing found in its packages means nothing. It stands first in `skipped`, too, if Inspector says it in words.
    pub end_of_life: Option<String>,
}

/// A vulnerability that was found.
#[derive(Clone, Debug, PartialEq)]
pub struct Scanned {
    /// The finding. Its ARN is none of AWS's, but the same in each answer about the same thing. The account is empty unless
    /// the name of what was scanned says it.
    pub finding: Finding,
    /// What is known of attacks; `None` for checks of Inspector's own, such as those of a Dockerfile.
    pub threat: Option<Threat>,
    /// Whether a package is known to be malicious (<https://github.com/ossf/malicious-packages>). Its finding is CRITICAL, with
    /// an exploit, and never grows old.
    pub is_malicious: bool,
}

/// A component of which it is not known that it was scanned.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Skipped {
    /// The component: its package URL, else its name and version.
    pub component: String,
    /// Why, in Inspector's words; in ours if it has none.
    pub why: String,
}

/// Why a document is no scan that a decision could rest on.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NotAScan {
    /// It is an SBOM that nobody has scanned.
    #[error(
        "it is an SBOM, and no answer of ScanSbom: send it to aws inspector-scan scan-sbom first"
    )]
    Sbom,
    /// It is an error of AWS, in its words.
    #[error("the answer is an error of AWS: {0}")]
    Error(String),
    /// The scan did not succeed, by its own account.
    #[error("the scan has not succeeded: {0}")]
    Failed(String),
    /// It is something else.
    #[error(
        "expected an answer of ScanSbom, in the form CYCLONE_DX_1_5, INSPECTOR or INSPECTOR_ALT, found {0}"
    )]
    Unknown(String),
    /// A field is not what it must be.
    #[error(transparent)]
    Malformed(#[from] Malformed),
    /// It lists fewer than it counts.
    #[error("it counts {counted} {what} and lists {listed}: the answer is not whole")]
    NotWhole {
        /// What is counted, such as `critical vulnerabilities`.
        what: String,
        /// How many it counts.
        counted: u64,
        /// How many it lists.
        listed: usize,
    },
    /// Nothing was looked at.
    #[error("none of its {components} components was scanned{why}")]
    NothingScanned {
        /// How many components it names.
        components: usize,
        /// The first reason that it gives, after a colon and a space; empty if it gives none.
        why: String,
    },
}

/// An answer in whichever form, before findings are made of it.
#[derive(Debug)]
struct Report {
    /// What was scanned.
    name: Option<String>,
    /// Whether that is a container image, if the answer says.
    is_image: Option<bool>,
    /// Whether there is something in it that images have: an operating system, or packages of one.
    has_images_sign: bool,
    /// The operating system.
    platform: Option<String>,
    /// When it was scanned.
    scanned_at: Option<Timestamp>,
    /// How many components were.
    scanned: Option<usize>,
    /// How many components it names.
    components: usize,
    /// Those that were not scanned.
    skipped: Vec<Skipped>,
    /// The operating system that is past its end of life, by the words about it.
    end_of_life: Option<String>,
    /// What was found.
    vulnerabilities: Vec<Vulnerability>,
}

impl SbomScan {
    /// Reads an answer of `ScanSbom` as of `now`: what `aws inspector-scan scan-sbom` prints, what
    /// `inspector-sbomgen --scan-sbom` writes, or the report in it. `name` is what the ledger calls what was scanned, such as
    /// `crm/web:1.4`, by default the SBOM's own name.
    ///
    /// What was scanned is a container image if the answer says so. Where it does not say, it is one if it has packages of an
    /// operating system, or is called as images are.
    ///
    /// # Errors
    /// [`NotAScan`] if it is something else, is not whole, or says of no component that it was scanned.
    pub fn read(answer: &Value, name: Option<&str>, now: Timestamp) -> Result<Self, NotAScan> {
        let (root, status) = answer::unwrapped(answer)?;
        let is_cyclonedx =
            root.str("bomFormat").is_some_and(|format| format.eq_ignore_ascii_case("CycloneDX"));
        let mut report = if is_cyclonedx {
            cyclonedx::read(&root)?
        } else if inspector::is_it(&root) {
            inspector::read(&root)?
        } else {
            return Err(answer::stranger(&root));
        };
        report.skipped.sort_by_key(Skipped::order);
        report.check_status(status)?;
        report.check_scanned()?;

        let end_of_life = report
            .end_of_life
            .take()
            .or_else(|| report.vulnerabilities.iter().find_map(Vulnerability::discontinued));
        let as_of = report.scanned_at.filter(|then| then.duration_since(now) <= CLOCK_SKEW);
        let as_of = as_of.unwrap_or(now);
        let called = name.map(str::trim).filter(|name| !name.is_empty());
        let called = called.or(report.name.as_deref());
        let is_image = report.is_image.unwrap_or_else(|| {
            report.has_images_sign || called.is_some_and(subject::is_image_name)
        });
        let subject = Subject::of(called, report.platform, is_image);
        let mut found: Vec<Scanned> = report
            .vulnerabilities
            .into_iter()
            .map(|vulnerability| vulnerability.scanned(&subject, as_of))
            .collect();
        tell_apart(&mut found);
        let Report { name, scanned, skipped, .. } = report;
        Ok(Self { name, found, scanned, skipped, end_of_life })
    }
}

impl Report {
    /// Checks what stands beside the report: `SBOM parsed successfully, 3 vulnerabilities found`.
    fn check_status(&self, status: Option<&str>) -> Result<(), NotAScan> {
        let Some(status) = status else { return Ok(()) };
        let lower = status.to_ascii_lowercase();
        if lower.contains("fail") || lower.contains("error") {
            return Err(NotAScan::Failed(text::short(status, SHOWN)));
        }
        let words: Vec<&str> = lower.split_whitespace().collect();
        let counted = words.windows(2).find_map(|pair| match pair {
            [count, what] if what.starts_with("vulnerabilit") => count.parse().ok(),
            _ => None,
        });
        // Nobody says whether it counts vulnerabilities, or what has them.
        let affected = self.vulnerabilities.iter().map(|one| one.affects.len().max(1)).sum();
        whole_list(counted.unwrap_or(0), affected, "vulnerabilities")
    }

    /// Checks that something was looked at.
    fn check_scanned(&self) -> Result<(), NotAScan> {
        if self.scanned != Some(0) {
            return Ok(());
        }
        let why = self.skipped.first().map(|first| format!(": {}", text::short(&first.why, SHOWN)));
        let why = why.unwrap_or_default();
        Err(NotAScan::NothingScanned { components: self.components, why })
    }
}

impl Skipped {
    fn new(component: &str, version: Option<&str>, why: &str) -> Self {
        let version = version.filter(|_| !component.starts_with("pkg:"));
        let component = match version {
            Some(version) => format!("{component} {version}"),
            None => component.to_owned(),
        };
        Self {
            component: text::cut_bytes(&component, bounds::URL),
            why: text::cut_bytes(why, bounds::NAME),
        }
    }

    /// Its place among others: only the first is shown, so that the most telling comes first. Inspector has no rules for most
    /// packages of a distribution, which says little.
    fn order(&self) -> u8 {
        let why = self.why.to_ascii_lowercase();
        if says_old(&why) {
            0
        } else if why == SILENCE.to_ascii_lowercase() {
            4
        } else if !why.contains("component skipped") {
            1
        } else if !why.contains("rules found") {
            2
        } else {
            3
        }
    }
}

/// How much of a text of AWS an error shows, in characters.
const SHOWN: usize = 200;

/// How each text begins with which Inspector says that it has scanned a component. Real answers go on with `: no known
/// vulnerabilities.` or `: no vulnerabilities found.`
const SCANNED: &str = "Component scanned";

/// Why a component counts as skipped of which the answer says nothing. In real answers each has a text or a vulnerability, but
/// the operating system.
const SILENCE: &str = "Inspector says nothing of it";

/// What an answer says of a component in texts.
#[derive(Debug, Default)]
struct Said {
    /// Whether a text says that it was scanned.
    is_scanned: bool,
    /// Each other text. It need not say that the component was skipped: what is not understood is no scan.
    others: Vec<String>,
    /// What says that it is past its end of life.
    end_of_life: Option<String>,
}

impl Said {
    /// Takes in a text under a key such as `info`, `info_message` or `warning`. Other keys say something else.
    fn hear(&mut self, key: &str, value: &Value) {
        let key = key.to_ascii_lowercase();
        if key == "end_of_life" {
            self.hear_end_of_life(value);
            return;
        }
        let is = |words: [&str; 2]| words.iter().any(|word| key.contains(word));
        let is_warning = is(["warn", "error"]);
        let text = value.as_str().map(str::trim).filter(|text| !text.is_empty());
        let Some(text) = text.filter(|_| is_warning || is(["info", "message"])) else { return };
        let begins = text.get(..SCANNED.len());
        if says_old(text) {
            self.end_of_life.get_or_insert_with(|| text.to_owned());
            self.others.push(text.to_owned());
        } else if !is_warning && begins.is_some_and(|begins| begins.eq_ignore_ascii_case(SCANNED)) {
            self.is_scanned = true;
        } else {
            self.others.push(text.to_owned());
        }
    }

    /// Takes in when the life of the component has ended, which one form has as a date and the others in words.
    fn hear_end_of_life(&mut self, value: &Value) {
        if value.is_null() || *value == "" || json::flag(value) == Some(false) {
            return;
        }
        let words = match value.as_str() {
            Some(date) => format!("Component end-of-life: {date}"),
            None => "Component end-of-life".to_owned(),
        };
        self.others.insert(0, words.clone());
        self.end_of_life.get_or_insert(words);
    }

    /// Whether it says that the component was scanned, and nothing else.
    fn is_scanned(&self) -> bool {
        self.is_scanned && self.others.is_empty()
    }

    /// Why the component counts as skipped; `None` if it does not. `is_known` is whether it is known otherwise that it was
    /// scanned, or that there is nothing to scan.
    fn why_skipped(&self, is_known: bool) -> Option<String> {
        if !self.others.is_empty() {
            return Some(self.others.join(" "));
        }
        (!self.is_scanned && !is_known).then(|| SILENCE.to_owned())
    }
}

/// Whether Inspector says with this that something gets no advisories any more.
fn says_old(text: &str) -> bool {
    let text = text.to_ascii_lowercase();
    text.contains("end-of-life") || text.contains("end of life")
}

/// An operating system that is past its end of life, and the words about it.
fn old_system(name: &str, version: Option<&str>, words: &str) -> String {
    let Skipped { component, why } = Skipped::new(name, version, words);
    format!("{component} ({why})")
}

/// How many were scanned, if `packages` were, and only checks of Inspector's own say it of `checked`. That a Dockerfile was checked
/// does not make up for packages all of which were skipped.
fn scanned(packages: usize, checked: usize, skipped: &[Skipped]) -> usize {
    if packages == 0 && !skipped.is_empty() { 0 } else { packages + checked }
}

/// A class of weakness, which answers have as a number.
fn cwe(value: &Value) -> Option<String> {
    match value {
        Value::Number(number) => Some(format!("CWE-{number}")),
        Value::String(text) => Some(text::cut_bytes(text, bounds::NAME)),
        _ => None,
    }
}

/// The first texts, each once, as many as a finding keeps.
fn distinct(texts: impl Iterator<Item = String>) -> Vec<String> {
    let mut seen = HashSet::new();
    texts.filter(|text| seen.insert(text.clone())).take(bounds::REFERENCES).collect()
}

/// Gives findings that are the same by all that identifies them an ARN of their own: none of them is lost.
fn tell_apart(found: &mut [Scanned]) {
    let mut counts: HashMap<String, usize> = HashMap::new();
    for scanned in found {
        let arn = &mut scanned.finding.arn;
        let count = counts.entry(arn.clone()).or_default();
        *count += 1;
        if *count > 1 {
            *arn = format!("{arn}:{count}");
        }
    }
}

#[cfg(test)]
mod properties;
#[cfg(test)]
mod sample;

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::domain::{
        assess::{self, Assessment, Policy, Priority},
        finding::{FixAvailable, ResourceType, Severity},
        ledger::{PackageSelector, PackageUrl, Selectors, VulnerabilityId},
        threat::Catalogue,
    };

    fn now() -> Timestamp {
        "2026-11-20T12:00:00Z".parse().unwrap()
    }

    fn read(answer: &Value) -> Result<SbomScan, NotAScan> {
        SbomScan::read(answer, Some("crm/web:1.4"), now())
    }

    fn scan(answer: &Value) -> SbomScan {
        read(answer).unwrap()
    }

    fn refusal(answer: &Value) -> String {
        read(answer).unwrap_err().to_string()
    }

    fn found<'a>(scan: &'a SbomScan, id: &str) -> &'a Scanned {
        let is_it = |one: &&Scanned| one.finding.problem() == id;
        scan.found.iter().find(is_it).unwrap()
    }

    fn judged(scanned: &Scanned) -> Assessment {
        let (finding, threat) = (&scanned.finding, scanned.threat.as_ref());
        assess::judge(finding, threat, &Policy::default(), Some(now()))
    }

    #[test]
    fn each_form_says_the_same_of_the_same_image() {
        let [one, others @ ..] = sample::forms().map(|answer| scan(&answer));
        assert_eq!(one.found.len(), 5);
        for other in &others {
            for (a, b) in one.found.iter().zip(&other.found) {
                assert_eq!(judged(a), judged(b), "{}", a.finding.arn);
                assert_eq!(a.finding.arn, b.finding.arn);
                assert_eq!(a.finding.title, b.finding.title);
                let packages = |one: &Scanned| one.finding.package().unwrap().packages.clone();
                assert_eq!(packages(a), packages(b));
            }
            assert_eq!(one.found.len(), other.found.len());
            assert_eq!((one.scanned, &one.skipped), (other.scanned, &other.skipped));
        }
        let priorities: Vec<Priority> = one.found.iter().map(|one| judged(one).priority).collect();
        assert_eq!(
            priorities,
            [Priority::P1, Priority::P2, Priority::P4, Priority::P3, Priority::P3],
            "what is exploited comes first, what is low last"
        );
    }

    #[test]
    fn an_image_is_called_by_the_name_that_is_given_else_by_its_own() {
        let own = SbomScan::read(&sample::cyclonedx(), None, now()).unwrap();
        assert_eq!(own.name.as_deref(), Some("crm/web:1.4"));
        let resource = own.found[0].finding.resource().unwrap();
        assert_eq!(resource.kind, ResourceType::EcrContainerImage);
        assert_eq!(resource.repository.as_deref(), Some("crm/web"));
        assert_eq!(resource.image_tags, ["1.4"]);
        assert_eq!(resource.platform.as_deref(), Some("UBUNTU_24_04"));

        let given = "111122223333.dkr.ecr.eu-central-1.amazonaws.com/crm/web:2";
        let given = SbomScan::read(&sample::inspector(), Some(given), now()).unwrap();
        assert_eq!(given.name, None, "this form has lost it");
        assert_eq!(given.found[0].finding.account, "111122223333");
        assert_eq!(given.found[0].finding.resource().unwrap().display_name(), "crm/web:2");

        let mut program = sample::cyclonedx();
        program["sbom"]["metadata"]["component"] = json!({"type": "application", "name": "till"});
        let program = SbomScan::read(&program, None, now()).unwrap();
        let resource = program.found[0].finding.resource().unwrap().clone();
        assert_eq!(resource.kind, ResourceType::Other("SBOM".into()));
        assert_eq!(
            (resource.repository.as_deref(), resource.name.as_deref()),
            (None, Some("till"))
        );
    }

    #[test]
    fn exceptions_of_the_ledger_select_what_was_found() {
        for answer in sample::forms() {
            let scan = scan(&answer);
            let url = |kind: &str, namespace: &str, name: &str| {
                PackageSelector::Url(PackageUrl {
                    kind: kind.to_owned(),
                    namespace: Some(namespace.to_owned()),
                    name: name.to_owned(),
                })
            };
            for (id, package) in [
                ("CVE-2026-10101", url("deb", "ubuntu", "libssl3t64")),
                ("USN-9101-1", PackageSelector::Name("openssl".to_owned())),
                ("CVE-2026-10104", url("npm", "@crm", "forms")),
            ] {
                let selectors = Selectors {
                    vulnerabilities: vec![VulnerabilityId::new(id)],
                    packages: vec![package],
                    types: vec![ResourceType::EcrContainerImage],
                    names: vec!["crm/web".to_owned()],
                    ..Selectors::default()
                };
                let selected = scan.found.iter().filter(|one| selectors.select(&one.finding));
                assert_eq!(selected.count(), 1, "{id}");
            }
            let other = Selectors {
                packages: vec![url("deb", "debian", "openssl")],
                ..Selectors::default()
            };
            assert!(!scan.found.iter().any(|one| other.select(&one.finding)), "it is not Debian");
        }
    }

    #[test]
    fn what_is_known_of_attacks_comes_with_it() {
        for answer in sample::forms() {
            let scan = scan(&answer);
            let exploited = found(&scan, "CVE-2026-10101");
            let threat = exploited.threat.as_ref().unwrap();
            let added = threat.listing().and_then(|listing| listing.added).unwrap();
            assert_eq!(added.to_string(), "2026-11-10T00:00:00Z");
            assert_eq!(threat.epss, Some(0.91234));
            assert_eq!(exploited.finding.exploit_available, Some(true));
            assert!(exploited.finding.last_known_exploit_at.is_some());
            let other = found(&scan, "CVE-2026-10102");
            assert_eq!(other.threat.as_ref().unwrap().catalogue, Catalogue::NotListed);
            assert_eq!(other.finding.exploit_available, None);
        }
    }

    #[test]
    fn a_fix_is_there_for_all_packages_for_some_or_for_none() {
        let mut answer = sample::inspector();
        let one = &mut answer["inspector"]["vulnerabilities"][0]["affects"];
        one[1]["fixed_version"] = json!("NotAvailable");
        let scan = scan(&answer);
        let fix = |id| found(&scan, id).finding.fix_available.clone();
        assert_eq!(fix("CVE-2026-10101"), Some(FixAvailable::Partial));
        assert_eq!(fix("CVE-2026-10102"), Some(FixAvailable::No));
        assert_eq!(fix("CVE-2026-10103"), Some(FixAvailable::Yes));
    }

    #[test]
    fn packages_of_a_distribution_are_rated_by_it_as_in_findings_of_the_account() {
        for answer in sample::forms() {
            let scan = scan(&answer);
            let finding = &found(&scan, "CVE-2026-10105").finding;
            assert_eq!(finding.severity, Severity::Medium, "NVD says HIGH");
            assert_eq!(finding.inspector_score, Some(5.9));
            assert!(finding.inspector_vector.as_ref().unwrap().contains("AC:H"));
        }
    }

    #[test]
    fn fewer_than_are_counted_are_not_the_whole() {
        let mut answer = sample::cyclonedx();
        answer["sbom"]["vulnerabilities"].as_array_mut().unwrap().remove(0);
        let expected = "it counts 1 critical vulnerabilities and lists 0: the answer is not whole";
        assert_eq!(refusal(&answer), expected);

        let mut answer = sample::inspector_alt();
        answer["sbom"]["vulnerability_count"]["other"] = json!(2);
        let expected = "it counts 7 vulnerabilities and lists 5: the answer is not whole";
        assert_eq!(refusal(&answer), expected);

        let mut answer = sample::inspector();
        answer["status"] = json!("SBOM parsed successfully, 12 vulnerabilities found");
        let expected = "it counts 12 vulnerabilities and lists 6: the answer is not whole";
        assert_eq!(refusal(&answer), expected);
        answer["status"] = json!("SBOM parsing failed");
        assert_eq!(refusal(&answer), "the scan has not succeeded: SBOM parsing failed");
    }

    #[test]
    fn nothing_found_in_nothing_that_was_scanned_is_an_error() {
        let mut answer = sample::cyclonedx();
        answer["sbom"]["vulnerabilities"] = Value::Null;
        for property in answer["sbom"]["metadata"]["properties"].as_array_mut().unwrap() {
            property["value"] = json!("0");
        }
        assert_eq!(scan(&answer).found, []);
        let sbom = &mut answer["sbom"];
        sbom["components"] = json!([{"name": "a", "properties": [
            {"name": "amazon:inspector:sbom_scanner:info", "value": "Component skipped: no rules found."}
        ]}]);
        let expected = "none of its 1 components was scanned: Component skipped: no rules found.";
        assert_eq!(refusal(&answer), expected);
        answer["sbom"]["components"] = Value::Null;
        assert_eq!(refusal(&answer), "none of its 0 components was scanned");
        let counts = json!({"vulnerability_count": {"critical": 0}, "vulnerabilities": []});
        assert_eq!(refusal(&counts), "none of its 0 components was scanned");
        let uncounted = json!({"vulnerabilities": []});
        let expected = "vulnerability_count: expected counts of the vulnerabilities, found nothing";
        assert_eq!(refusal(&uncounted), expected);
    }

    /// An answer without vulnerabilities whose components are said to be this, in two forms.
    fn texts(texts: &[&str]) -> [Value; 2] {
        let purl = |index: usize| format!("pkg:npm/p{index}@1");
        let component = |(index, text): (usize, &&str)| {
            let name = "amazon:inspector:sbom_scanner:info";
            json!({"name": "p", "purl": purl(index), "properties": [{"name": name, "value": text}]})
        };
        let message =
            |(index, text): (usize, &&str)| json!({"purl": purl(index), "info_message": text});
        let components: Vec<Value> = texts.iter().enumerate().map(component).collect();
        let messages: Vec<Value> = texts.iter().enumerate().map(message).collect();
        let count = "amazon:inspector:sbom_scanner:critical_vulnerabilities";
        [
            json!({"sbom": {
                "bomFormat": "CycloneDX", "components": components,
                "metadata": {"properties": [{"name": count, "value": "0"}]},
            }}),
            json!({"inspector": {
                "messages": messages, "vulnerability_count": {"critical": 0}, "vulnerabilities": [],
            }}),
        ]
    }

    #[test]
    fn a_text_that_is_not_known_to_mean_a_scan_is_none() {
        for text in ["Component could not be scanned", "weird", "not examined", "scanned"] {
            for answer in texts(&[text]) {
                let expected = format!("none of its 1 components was scanned: {text}");
                assert_eq!(refusal(&answer), expected);
            }
            for answer in texts(&["COMPONENT SCANNED: no known vulnerabilities.", text]) {
                let scan = scan(&answer);
                assert_eq!(scan.scanned, Some(1));
                let skipped = Skipped { component: "pkg:npm/p1@1".into(), why: text.into() };
                assert_eq!(scan.skipped, [skipped]);
            }
        }
    }

    #[test]
    fn a_component_of_which_nothing_is_said_is_not_scanned() {
        for answer in texts(&[""; 499]) {
            let expected = "none of its 499 components was scanned: Inspector says nothing of it";
            assert_eq!(refusal(&answer), expected);
        }
        for answer in texts(&["", "Component scanned: no vulnerabilities found.", " "]) {
            let scan = scan(&answer);
            assert_eq!((scan.scanned, scan.skipped.len()), (Some(1), 2));
            assert_eq!(scan.skipped[1].why, "Inspector says nothing of it");
        }
    }

    #[test]
    fn that_a_dockerfile_was_checked_does_not_make_up_for_packages_that_were_skipped() {
        let weakness = json!({"id": "IN-DOCKER-002", "severity": "low"});
        let with_check = |text: &str| {
            let [mut cyclonedx, mut inspector] = texts(&[text]);
            let mut listed = weakness.clone();
            listed["affects"] = json!([{"ref": "comp-1"}]);
            cyclonedx["sbom"]["vulnerabilities"] = json!([listed]);
            let file =
                json!({"bom-ref": "comp-1", "type": "file", "name": "dockerfile:Dockerfile"});
            cyclonedx["sbom"]["components"].as_array_mut().unwrap().push(file);
            let mut listed = weakness.clone();
            listed["affects"] = json!([{"file": "dockerfile:Dockerfile", "lines": "3-4"}]);
            inspector["inspector"]["vulnerabilities"] = json!([listed]);
            [cyclonedx, inspector]
        };
        for answer in with_check("") {
            let refusal = refusal(&answer);
            assert!(refusal.ends_with("was scanned: Inspector says nothing of it"), "{refusal}");
        }
        for mut answer in with_check("Component scanned: no known vulnerabilities.") {
            assert_eq!(scan(&answer).scanned, Some(2));
            for list in ["/sbom/components", "/inspector/messages"] {
                if let Some(list) = answer.pointer_mut(list).and_then(Value::as_array_mut) {
                    list.retain(|one| one["type"] == "file");
                }
            }
            assert_eq!(scan(&answer).scanned, Some(1), "there is nothing else");
        }
    }

    #[test]
    fn what_tells_most_of_what_was_skipped_comes_first() {
        let said = [
            "",
            "Component skipped: no rules found.",
            "Component scanned: no known vulnerabilities.",
            "Component skipped: no purl provided.",
            "Component could not be scanned",
        ];
        for answer in texts(&said) {
            let skipped = scan(&answer).skipped;
            let whys: Vec<&str> = skipped.iter().map(|one| one.why.as_str()).collect();
            assert_eq!(whys, [said[4], said[3], said[1], SILENCE]);
        }
    }

    #[test]
    fn a_malicious_package_is_urgent_however_old_and_unrated_it_is() {
        let flag = json!({"name": "amazon:inspector:sbom_scanner:is_malicious", "value": "true"});
        let mut by_component = sample::cyclonedx();
        let component = &mut by_component["sbom"]["components"][6];
        component["properties"].as_array_mut().unwrap().push(flag);
        let title = "malicious package: tabular";
        let component_alone = scan(&by_component);

        let mut by_vulnerability = sample::inspector();
        by_vulnerability["inspector"]["vulnerabilities"].as_array_mut().unwrap().push(json!({
            "id": "MAL-2024-101", "severity": "unknown", "created": "2024-01-01T00:00:00Z",
            "affects": [{"installed_version": "pkg:npm/tabular@1.0.2"}]
        }));
        let named = scan(&by_vulnerability);
        for (scan, title) in
            [(component_alone, title), (named, "MAL-2024-101 - malicious package: tabular")]
        {
            assert_eq!(scan.found.iter().filter(|one| one.is_malicious).count(), 1);
            let one = scan.found.last().unwrap();
            assert_eq!(one.finding.title.as_deref(), Some(title));
            assert_eq!(one.finding.severity, Severity::Critical);
            assert_eq!(judged(one).priority, Priority::P1);
        }

        let count =
            json!({"name": "amazon:inspector:sbom_scanner:malicious_packages", "value": "2"});
        by_component["sbom"]["metadata"]["properties"].as_array_mut().unwrap().push(count);
        let expected = "it counts 2 malicious packages and lists 1: the answer is not whole";
        assert_eq!(refusal(&by_component), expected);
    }

    #[test]
    fn findings_with_the_same_identity_are_both_kept() {
        let mut answer = sample::inspector();
        let list = answer["inspector"]["vulnerabilities"].as_array_mut().unwrap();
        list.push(list[0].clone());
        let scan = scan(&answer);
        let arns: HashSet<&str> = scan.found.iter().map(|one| one.finding.arn.as_str()).collect();
        assert_eq!(arns.len(), 6);
    }

    #[test]
    fn a_scan_that_is_dated_ahead_of_the_clock_is_of_now() {
        let mut answer = sample::cyclonedx();
        assert_eq!(
            scan(&answer).found[0].finding.as_of().unwrap().to_string(),
            "2026-11-20T10:00:00Z"
        );
        answer["sbom"]["metadata"]["timestamp"] = json!("2030-01-01T00:00:00Z");
        assert_eq!(scan(&answer).found[0].finding.as_of(), Some(now()));
    }

    #[test]
    fn texts_of_strangers_are_bounded() {
        let long = "ä".repeat(5_000);
        let mut answer = sample::inspector();
        let one = &mut answer["inspector"]["vulnerabilities"][0];
        for key in ["id", "description", "source"] {
            one[key] = json!(long);
        }
        one["related"] = (0..100).map(|n| json!(format!("{n}{long}"))).collect();
        one["affects"] =
            (0..100).map(|n| json!({"purl": format!("pkg:npm/{n}{long}"), "path": long})).collect();
        let scan = SbomScan::read(&answer, Some(&long), now()).unwrap();
        let size = serde_json::to_vec(&scan.found[0].finding).unwrap().len();
        assert!(size < 400_000, "{size}");
        assert!(scan.found[0].finding.arn.len() <= bounds::URL);
    }
}
