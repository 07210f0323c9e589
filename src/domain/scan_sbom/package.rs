//! Packages, as an answer names them: by package URL.

use crate::domain::{
    finding::{VulnerablePackage, bounds},
    text::cut_bytes,
};

/// A package URL: <https://github.com/package-url/purl-spec/blob/main/PURL-SPECIFICATION.rst>.
///
/// Read leniently: what a strict reader would refuse still names a package that somebody has to deal with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Purl {
    /// The type, in small letters, such as `deb`.
    pub(super) kind: String,
    /// What stands before the name, such as `debian`, `@scope` or `org.apache.logging.log4j`.
    pub(super) namespace: Option<String>,
    /// The name.
    pub(super) name: String,
    /// The version.
    pub(super) version: Option<String>,
    /// The qualifiers, such as `distro`, in their order.
    qualifiers: Vec<(String, String)>,
}

impl Purl {
    /// Reads a package URL; `None` if it is none.
    pub(super) fn read(text: &str) -> Option<Self> {
        let rest = text.trim().strip_prefix("pkg:")?.trim_start_matches('/');
        let rest = rest.split_once('#').map_or(rest, |(before, _subpath)| before);
        let (rest, qualifiers) = rest.split_once('?').unwrap_or((rest, ""));
        let (kind, rest) = rest.split_once('/')?;
        let rest = rest.trim_matches('/');
        let (namespace, last) = match rest.rsplit_once('/') {
            Some((namespace, last)) => (Some(namespace), last),
            None => (None, rest),
        };
        // A scope that is not encoded begins with an at sign, too, but no name ends before it.
        let (name, version) = match last.rsplit_once('@') {
            Some((name, version)) if !name.is_empty() => (name, Some(version)),
            _ => (last, None),
        };
        let name = decoded(name);
        if kind.is_empty() || name.is_empty() {
            return None;
        }
        let qualifiers = qualifiers.split('&').filter_map(|pair| pair.split_once('='));
        Some(Self {
            kind: kind.to_ascii_lowercase(),
            namespace: namespace.map(decoded).filter(|namespace| !namespace.is_empty()),
            name,
            version: version.map(decoded).filter(|version| !version.is_empty()),
            qualifiers: qualifiers
                .map(|(key, value)| (key.to_ascii_lowercase(), decoded(value)))
                .collect(),
        })
    }

    /// The value of a qualifier.
    pub(super) fn qualifier(&self, key: &str) -> Option<&str> {
        let mut found =
            self.qualifiers.iter().filter(|(known, value)| known == key && !value.is_empty());
        found.next().map(|(_, value)| value.as_str())
    }

    /// Whether it comes with an operating system.
    pub(super) fn is_of_system(&self) -> bool {
        matches!(self.kind.as_str(), "deb" | "rpm" | "apk")
    }

    /// What Inspector calls the package in findings: with its scope, its group, or the whole path of a Go module; packages of
    /// an operating system by their name alone.
    fn full_name(&self) -> String {
        match (self.kind.as_str(), &self.namespace) {
            ("maven", Some(group)) => format!("{group}:{}", self.name),
            ("deb" | "rpm" | "apk", _) | (_, None) => self.name.clone(),
            (_, Some(namespace)) => format!("{namespace}/{}", self.name),
        }
    }

    /// Epoch, version and release of a package of an operating system, which findings have apart.
    fn parts(&self) -> (u64, Option<&str>, Option<&str>) {
        let Some(version) = self.version.as_deref() else { return (0, None, None) };
        if !self.is_of_system() {
            return (0, Some(version), None);
        }
        let epoch = self.qualifier("epoch").and_then(|epoch| epoch.parse().ok());
        let (said, version) = match version.split_once(':') {
            Some((before, after)) if before.parse::<u64>().is_ok() => (before.parse().ok(), after),
            _ => (None, version),
        };
        let epoch = epoch.or(said).unwrap_or(0);
        match version.rsplit_once('-') {
            Some((version, release)) if !version.is_empty() && !release.is_empty() => {
                (epoch, Some(version), Some(release))
            }
            _ => (epoch, Some(version), None),
        }
    }

    /// Inspector's word for the package manager, which depends on the file in which the package was found:
    /// <https://docs.aws.amazon.com/inspector/v2/APIReference/API_VulnerablePackage.html>. `None` for types that it has no word
    /// for.
    fn manager(&self, path: Option<&str>) -> Option<&'static str> {
        let file = path.unwrap_or_default().rsplit(['/', '\\']).next().unwrap_or_default();
        let is = |name: &str| file.eq_ignore_ascii_case(name);
        Some(match self.kind.as_str() {
            "deb" | "rpm" | "apk" => "OS",
            "npm" if is("yarn.lock") => "YARN",
            "npm" if is("pnpm-lock.yaml") => "PNPM",
            "npm" if is("package.json") => "NODEPKG",
            "npm" => "NPM",
            "pypi" if is("Pipfile.lock") => "PIPENV",
            "pypi" if is("poetry.lock") => "POETRY",
            "pypi" if is("uv.lock") => "UV",
            "pypi" if is("METADATA") || is("PKG-INFO") || file.ends_with("-info") => "PYTHONPKG",
            "pypi" => "PIP",
            "maven" if is("pom.xml") => "POM",
            "maven" => "JAR",
            "gem" if is("Gemfile.lock") => "BUNDLER",
            "gem" => "GEMSPEC",
            "golang" if is("go.mod") || is("go.sum") => "GOMOD",
            "golang" => "GOBINARY",
            "cargo" => "CARGO",
            "composer" => "COMPOSER",
            "nuget" if file.ends_with(".deps.json") => "DOTNET_CORE",
            "nuget" => "NUGET",
            _ => return None,
        })
    }

    /// The package as a finding has it: found at `path`, and fixed in the version `fixed_in`.
    pub(super) fn package(&self, path: Option<&str>, fixed_in: Option<&str>) -> VulnerablePackage {
        let (epoch, version, release) = self.parts();
        let text = |text: &str| cut_bytes(text, bounds::NAME);
        VulnerablePackage {
            name: Some(text(&self.full_name())),
            version: version.map(text),
            release: release.map(text),
            epoch,
            manager: self.manager(path).map(str::to_owned),
            file_path: path.map(|path| cut_bytes(path, bounds::URL)),
            layer: None,
            image_layer: None,
            fixed_in: fixed_in.and_then(fixed),
            remediation: None,
        }
    }
}

/// A version that fixes, as findings have it: without an epoch of 0, and `None` for words that say that there is none.
pub(super) fn fixed(version: &str) -> Option<String> {
    let version = version.trim();
    let version = version.strip_prefix("0:").unwrap_or(version);
    let is_none = ["", "NotAvailable", "null", "none", "N/A"];
    (!is_none.iter().any(|none| none.eq_ignore_ascii_case(version)))
        .then(|| cut_bytes(version, bounds::NAME))
}

/// The text without percent encoding. What is no encoding stays as it is.
fn decoded(text: &str) -> String {
    let digit = |byte: Option<&u8>| byte.and_then(|byte| char::from(*byte).to_digit(16));
    let bytes = text.as_bytes();
    let mut out = Vec::with_capacity(bytes.len());
    let mut at = 0;
    while let Some(byte) = bytes.get(at) {
        let (high, low) = (digit(bytes.get(at + 1)), digit(bytes.get(at + 2)));
        let encoded = high.zip(low).and_then(|(high, low)| u8::try_from(16 * high + low).ok());
        if let Some(encoded) = encoded.filter(|_| *byte == b'%') {
            out.push(encoded);
            at += 3;
        } else {
            out.push(*byte);
            at += 1;
        }
    }
    String::from_utf8_lossy(&out).into_owned()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;
    use crate::domain::{
        finding::sample,
        ledger::{PackageSelector, PackageUrl, Selectors},
    };

    fn package(purl: &str, path: Option<&str>) -> VulnerablePackage {
        Purl::read(purl).unwrap().package(path, None)
    }

    #[test]
    fn a_package_is_called_what_findings_call_it() {
        for (purl, name, installed, manager) in [
            (
                "pkg:deb/ubuntu/openssl@3.0.2-0ubuntu1?arch=amd64&distro=jammy&epoch=1",
                "openssl",
                "1:3.0.2-0ubuntu1",
                "OS",
            ),
            ("pkg:deb/debian/tzdata@2026a?epoch=0", "tzdata", "2026a", "OS"),
            ("pkg:deb/debian/glibc@2.36-9%2Bdeb12u4", "glibc", "2.36-9+deb12u4", "OS"),
            ("pkg:rpm/amazon/curl@2:8.5.0-1.amzn2023", "curl", "2:8.5.0-1.amzn2023", "OS"),
            ("pkg:apk/alpine/zlib@1.3.1-r0", "zlib", "1.3.1-r0", "OS"),
            ("pkg:npm/%40shop/cart@1.0.0-rc.1", "@shop/cart", "1.0.0-rc.1", "NPM"),
            ("pkg:npm/@shop/cart@1.0.0", "@shop/cart", "1.0.0", "NPM"),
            ("pkg:maven/org.example/web-core@2.1", "org.example:web-core", "2.1", "JAR"),
            ("pkg:golang/example.org/a/b@v0.1.0#cmd/c", "example.org/a/b", "v0.1.0", "GOBINARY"),
            ("pkg:pypi/Flask@2.0.0", "Flask", "2.0.0", "PIP"),
            ("pkg:composer/shop/cart@1", "shop/cart", "1", "COMPOSER"),
        ] {
            let read = package(purl, None);
            assert_eq!(read.name.as_deref(), Some(name), "{purl}");
            assert_eq!(read.installed().as_deref(), Some(installed), "{purl}");
            assert_eq!(read.manager.as_deref(), Some(manager), "{purl}");
        }
        let scoped = Purl::read("pkg:npm/@shop/cart").unwrap();
        assert_eq!((scoped.name.as_str(), scoped.version), ("cart", None));
    }

    #[test]
    fn the_file_says_which_manager_it_is() {
        for (purl, path, manager) in [
            ("pkg:npm/a@1", "/app/node_modules/a/package.json", "NODEPKG"),
            ("pkg:npm/a@1", "/app/yarn.lock", "YARN"),
            ("pkg:pypi/a@1", "/usr/lib/python3/a-1.dist-info/METADATA", "PYTHONPKG"),
            ("pkg:pypi/a@1", "/usr/lib/python2/A-1.egg-info", "PYTHONPKG"),
            ("pkg:golang/a.example/b@1", "/src/go.mod", "GOMOD"),
            ("pkg:maven/a/b@1", "/src/pom.xml", "POM"),
            ("pkg:nuget/a@1", "C:\\app\\web.deps.json", "DOTNET_CORE"),
        ] {
            assert_eq!(package(purl, Some(path)).manager.as_deref(), Some(manager), "{path}");
        }
    }

    #[test]
    fn each_type_that_a_ledger_may_name_is_selected_by_its_url() {
        for kind in PackageUrl::kinds() {
            let purl = Purl::read(&format!("pkg:{kind}/debian/thing@1-2")).unwrap();
            let mut finding = sample::with(|f| {
                f["resources"][0]["details"] = json!({"image": {"platform": "DEBIAN_12"}});
            });
            if let crate::domain::finding::Details::Package(details) = &mut finding.details {
                details.packages = vec![purl.package(None, None)];
            }
            let url = PackageUrl {
                kind: kind.to_owned(),
                namespace: Some("debian".to_owned()),
                name: "thing".to_owned(),
            };
            let selectors =
                Selectors { packages: vec![PackageSelector::Url(url)], ..Selectors::default() };
            // Python has no namespaces, so the ledger does not look at them.
            let is_selected = selectors.select(&finding) || kind == "pypi";
            assert!(is_selected, "{kind}");
        }
    }

    #[test]
    fn words_for_no_fix_are_no_version() {
        assert_eq!(fixed("NotAvailable"), None);
        assert_eq!(fixed("0:1.4.3-1").as_deref(), Some("1.4.3-1"));
        assert_eq!(fixed("2:1.4").as_deref(), Some("2:1.4"));
    }

    proptest! {
        #[test]
        fn no_text_makes_it_panic(text in any::<String>(), tail in "[a-z%@/?#&=0-9]{0,30}") {
            for text in [text.clone(), format!("pkg:{text}"), format!("pkg:deb/{tail}")] {
                if let Some(purl) = Purl::read(&text) {
                    purl.package(Some(&text), Some(&text));
                }
            }
        }
    }
}
