//! The settings of the function `tickets`.

use super::{BadSetting, Environment, Settings, StorageSettings};
use crate::{
    domain::{
        assess::Priority,
        ticket::{Projects, TrackerKind},
    },
    render::Style,
};

/// Everything that can be set of it, but for what it logs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TicketsSettings {
    /// Where records are kept.
    pub storage: StorageSettings,
    /// How tickets are made.
    pub style: Style,
    /// Where tickets are kept, and what each has there.
    pub tracker: TrackerSettings,
    /// `TRACKER_PROJECTS`, required: which project gets the tickets of an owner. Of Jira keys of projects, of GitHub
    /// repositories as `owner/repository`.
    pub projects: Projects,
    /// `TICKETS_FROM`: the lowest priority that opens a ticket, default `P2`.
    pub from: Priority,
    /// `TRACKER_SECRET_ARN`, required: the secret in Secrets Manager with the access to the tracker.
    pub secret_arn: String,
}

/// A tracker, and what a ticket has there beside its title and text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TrackerSettings {
    /// `TRACKER`, required: `jira` or `github`.
    pub kind: TrackerKind,
    /// `TRACKER_URL`: where it is, without a slash at the end. Required for Jira; default for GitHub
    /// `https://api.github.com`.
    pub url: String,
    /// `TRACKER_ISSUE_TYPE`: what kind of issue a ticket is, default `Task`. Of Jira alone.
    pub issue_type: String,
    /// `TRACKER_PRIORITIES`: what P1 to P4 are called, or `none`. Of Jira the names of priorities, default
    /// `Highest,High,Medium,Low`; of GitHub labels, default `P1,P2,P3,P4`.
    pub priorities: Option<[String; 4]>,
    /// `TRACKER_DUE_DATES`: whether a ticket has a due date, `true` (default) or `false`.
    pub due_dates: bool,
    /// `TRACKER_LABELS`: labels that each ticket has as well, up to 10, default none.
    pub labels: Vec<String>,
}

impl Settings for TicketsSettings {
    fn read(environment: &Environment<'_>) -> Result<Self, BadSetting> {
        let tracker = TrackerSettings::read(environment)?;
        let (a_project, is_project): (_, fn(&str) -> bool) = match tracker.kind {
            TrackerKind::Jira => (JIRA_PROJECTS, is_jira_project),
            TrackerKind::GitHub => (REPOSITORIES, is_repository),
        };
        let projects = |text: &str| {
            let projects: Projects = text.parse().ok()?;
            let are_projects = projects.all().all(is_project);
            are_projects.then_some(projects)
        };
        Ok(Self {
            storage: StorageSettings::read(environment)?,
            style: Style::read(environment)?,
            projects: environment.required("TRACKER_PROJECTS", a_project, projects)?,
            from: environment
                .optional("TICKETS_FROM", "P1, P2, P3 or P4", |class| class.parse().ok())?
                .unwrap_or(Priority::P2),
            secret_arn: environment.required("TRACKER_SECRET_ARN", A_SECRET, |arn| {
                is_secret(arn).then(|| arn.to_owned())
            })?,
            tracker,
        })
    }
}

impl Settings for TrackerSettings {
    fn read(environment: &Environment<'_>) -> Result<Self, BadSetting> {
        let kind =
            environment.required("TRACKER", TrackerKind::EXPECTED, |kind| kind.parse().ok())?;
        let (url, priorities, a_label, may_have_spaces) = match kind {
            TrackerKind::Jira => (
                environment.required("TRACKER_URL", A_SITE, |url| read_url(url, false))?,
                ["Highest", "High", "Medium", "Low"],
                JIRA_LABELS,
                false,
            ),
            TrackerKind::GitHub => (
                environment
                    .optional("TRACKER_URL", AN_API, |url| read_url(url, true))?
                    .unwrap_or_else(|| "https://api.github.com".to_owned()),
                ["P1", "P2", "P3", "P4"],
                LABELS,
                true,
            ),
        };
        Ok(Self {
            kind,
            url,
            issue_type: environment
                .optional("TRACKER_ISSUE_TYPE", AN_ISSUE_TYPE, read_name)?
                .unwrap_or_else(|| "Task".to_owned()),
            priorities: environment
                .optional("TRACKER_PRIORITIES", PRIORITIES, read_priorities)?
                .unwrap_or_else(|| priorities.map(str::to_owned).to_vec())
                .try_into()
                .ok(),
            due_dates: environment
                .optional("TRACKER_DUE_DATES", "true or false", |is| is.parse().ok())?
                .unwrap_or(true),
            labels: environment
                .optional("TRACKER_LABELS", a_label, |text| read_labels(text, may_have_spaces))?
                .unwrap_or_default(),
        })
    }
}

const JIRA_PROJECTS: &str =
    "1 to 100 owners, each once, with the key of a project in Jira, such as payments=PAY,*=SEC";

fn is_jira_project(key: &str) -> bool {
    key.starts_with(|c: char| c.is_ascii_uppercase())
        && (2..=255).contains(&key.len())
        && key.bytes().all(|b| b.is_ascii_uppercase() || b.is_ascii_digit() || b == b'_')
}

const REPOSITORIES: &str = "1 to 100 owners, each once, with a repository on GitHub, such as payments=acme/payments,*=acme/security";

fn is_repository(name: &str) -> bool {
    let Some((owner, repository)) = name.split_once('/') else { return false };
    let is_made_of = |text: &str, more: &[u8], longest: usize| {
        (1..=longest).contains(&text.len())
            && text.bytes().all(|b| b.is_ascii_alphanumeric() || more.contains(&b))
    };
    is_made_of(owner, b"-_", 39)
        && is_made_of(repository, b"-_.", 100)
        && ![".", ".."].contains(&repository)
}

const A_SECRET: &str = "the ARN of a secret, such as arn:aws:secretsmanager:eu-central-1:111122223333:secret:tracker-AbCdEf";

fn is_secret(arn: &str) -> bool {
    let parts: Vec<&str> = arn.split(':').collect();
    matches!(parts[..], ["arn", partition, "secretsmanager", region, account, "secret", name]
        if partition.starts_with("aws")
            && !region.is_empty()
            && account.len() == 12
            && account.bytes().all(|b| b.is_ascii_digit())
            && !name.is_empty()
            && name.bytes().all(|b| b.is_ascii_alphanumeric() || b"/_+=.@-".contains(&b)))
}

const A_SITE: &str =
    "the address of a site in Jira without a path, such as https://example.atlassian.net";
const AN_API: &str = "the address of GitHub's API, such as https://api.github.com or https://github.example.com/api/v3";

/// An address without the slash at its end: `https://`, or `http://` on this machine; with a path only if it may have one.
fn read_url(text: &str, may_have_path: bool) -> Option<String> {
    let url = text.trim();
    let url = url.strip_suffix('/').unwrap_or(url);
    let (scheme, rest) = url.split_once("://")?;
    let (authority, path) = match rest.split_once('/') {
        Some((authority, path)) => (authority, Some(path)),
        None => (rest, None),
    };
    let (host, port) = match authority.strip_prefix("[::1]") {
        Some(port) => ("[::1]", port),
        None => authority.split_at(authority.find(':').unwrap_or(authority.len())),
    };
    let is_here = ["127.0.0.1", "localhost", "[::1]"].contains(&host);
    let is_name = |name: &str| {
        name.starts_with(|c: char| c.is_ascii_alphanumeric())
            && name.bytes().all(|b| b.is_ascii_alphanumeric() || b"-.".contains(&b))
    };
    let is_segment = |segment: &str| {
        segment.starts_with(|c: char| c.is_ascii_alphanumeric())
            && segment.bytes().all(|b| b.is_ascii_alphanumeric() || b"-_.".contains(&b))
    };
    let is_safe = scheme == "https" || scheme == "http" && is_here;
    let has_host = is_here || is_name(host);
    let has_port = port.is_empty()
        || port
            .strip_prefix(':')
            .is_some_and(|port| port.parse::<u16>().is_ok_and(|port| port > 0));
    let has_path = path.is_none_or(|path| may_have_path && path.split('/').all(is_segment));
    (is_safe && has_host && has_port && has_path).then(|| url.to_owned())
}

/// The longest name of a priority, a label or a kind of issue: GitHub takes labels of this many characters, Jira all of them.
const LONGEST_NAME: usize = 50;

fn read_name(text: &str) -> Option<String> {
    let name = text.trim();
    (1..=LONGEST_NAME).contains(&name.chars().count()).then(|| name.to_owned())
}

const AN_ISSUE_TYPE: &str = "the name of a kind of issue, such as Task, of at most 50 characters";

const PRIORITIES: &str = "none, or four names for P1 to P4 such as Highest,High,Medium,Low, each of at most 50 characters";

/// Four names, or no name at all.
fn read_priorities(text: &str) -> Option<Vec<String>> {
    if text.trim() == "none" {
        return Some(Vec::new());
    }
    let names: Vec<String> = text.split(',').map(read_name).collect::<Option<_>>()?;
    (names.len() == 4).then_some(names)
}

const LABELS: &str = "up to 10 labels such as security,inspector, each of at most 50 characters";
const JIRA_LABELS: &str =
    "up to 10 labels such as security,inspector, each of at most 50 characters and without spaces";

fn read_labels(text: &str, may_have_spaces: bool) -> Option<Vec<String>> {
    let labels: Vec<String> = text.split(',').map(read_name).collect::<Option<_>>()?;
    let is_allowed = |label: &String| may_have_spaces || !label.contains(char::is_whitespace);
    (labels.len() <= 10 && labels.iter().all(is_allowed)).then_some(labels)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{lambda::settings, render::Language};

    const SECRET: &str = "arn:aws:secretsmanager:eu-central-1:111122223333:secret:tracker-AbCdEf";
    const JIRA: [(&str, &str); 3] = [
        ("TRACKER", "jira"),
        ("TRACKER_URL", "https://example.atlassian.net"),
        ("TRACKER_PROJECTS", "payments=PAY,*=SEC"),
    ];
    const GITHUB: [(&str, &str); 2] =
        [("TRACKER", "github"), ("TRACKER_PROJECTS", "payments=acme/payments,*=acme/security")];

    fn read(
        tracker: &[(&str, &str)],
        more: &[(&str, &str)],
    ) -> Result<TicketsSettings, BadSetting> {
        let base = [("TABLE_NAME", "findings"), ("TRACKER_SECRET_ARN", SECRET)];
        let all: Vec<_> = more.iter().chain(tracker).chain(&base).collect();
        let lookup = |name: &str| {
            all.iter().find(|(key, _)| *key == name).map(|(_, value)| (*value).to_owned())
        };
        settings::read(lookup).map(|(_, settings)| settings)
    }

    fn jira(name: &str, value: &str) -> Result<TicketsSettings, BadSetting> {
        read(&JIRA, &[(name, value)])
    }

    fn github(name: &str, value: &str) -> Result<TicketsSettings, BadSetting> {
        read(&GITHUB, &[(name, value)])
    }

    #[test]
    fn jira_needs_a_site_and_has_defaults_for_the_rest() {
        let settings = read(&JIRA, &[]).unwrap();
        let expected = TrackerSettings {
            kind: TrackerKind::Jira,
            url: "https://example.atlassian.net".to_owned(),
            issue_type: "Task".to_owned(),
            priorities: Some(["Highest", "High", "Medium", "Low"].map(str::to_owned)),
            due_dates: true,
            labels: Vec::new(),
        };
        assert_eq!(settings.tracker, expected);
        assert_eq!(settings.projects.of(Some("Payments")), Some("PAY"));
        assert_eq!((settings.from, settings.secret_arn.as_str()), (Priority::P2, SECRET));
        assert_eq!(settings.style, Style::default());
        assert_eq!(settings.storage.table, "findings");
    }

    #[test]
    fn github_is_found_by_itself() {
        let settings = read(&GITHUB, &[]).unwrap();
        let priorities = ["P1", "P2", "P3", "P4"].map(str::to_owned);
        assert_eq!(settings.tracker.kind, TrackerKind::GitHub);
        assert_eq!(settings.tracker.url, "https://api.github.com");
        assert_eq!(settings.tracker.priorities, Some(priorities));
        assert_eq!(settings.projects.of(None), Some("acme/security"));
        let own = github("TRACKER_URL", "https://github.example.com/api/v3/").unwrap();
        assert_eq!(own.tracker.url, "https://github.example.com/api/v3");
    }

    #[test]
    fn every_setting_is_read() {
        let settings = read(
            &GITHUB,
            &[
                ("LANGUAGE", "ja"),
                ("OWNER_TAGS", "squad"),
                ("DEADLINES", "bod-26-04"),
                ("TICKETS_FROM", "P4"),
                ("TRACKER_ISSUE_TYPE", " Bug "),
                ("TRACKER_PRIORITIES", "now, this week,later,later"),
                ("TRACKER_DUE_DATES", "false"),
                ("TRACKER_LABELS", "security, from inspector"),
            ],
        )
        .unwrap();
        assert_eq!(settings.style.language, Language::Ja);
        assert_eq!(settings.style.owner_tags.to_string(), "squad");
        assert_eq!(settings.style.deadlines.to_string(), "bod-26-04");
        assert_eq!(settings.from, Priority::P4);
        let tracker = settings.tracker;
        assert_eq!(tracker.issue_type, "Bug");
        let priorities = ["now", "this week", "later", "later"].map(str::to_owned);
        assert_eq!(tracker.priorities, Some(priorities));
        assert!(!tracker.due_dates);
        assert_eq!(tracker.labels, ["security", "from inspector"]);
        assert_eq!(jira("TRACKER_PRIORITIES", "none").unwrap().tracker.priorities, None);
    }

    #[test]
    fn an_address_is_of_https_or_of_this_machine() {
        for (text, url) in [
            ("https://example.atlassian.net/", "https://example.atlassian.net"),
            ("https://jira.example.com:8443", "https://jira.example.com:8443"),
            ("http://127.0.0.1:8080", "http://127.0.0.1:8080"),
            ("http://localhost", "http://localhost"),
            ("http://[::1]:8080/", "http://[::1]:8080"),
        ] {
            assert_eq!(jira("TRACKER_URL", text).unwrap().tracker.url, url);
            assert_eq!(github("TRACKER_URL", text).unwrap().tracker.url, url);
        }
        for text in [
            "example.atlassian.net",
            "http://example.atlassian.net",
            "http://localhost.example.com",
            "ftp://localhost",
            "https://",
            "https:///",
            "https://example.atlassian.net//",
            "https://user@example.atlassian.net",
            "https://example.atlassian.net?a=b",
            "https://example.atlassian.net/#a",
            "https://example.atlassian.net:0",
            "https://example.atlassian.net:port",
            "https://[::1]8080",
            "https://[::2]",
            "https://example .net",
        ] {
            for error in [jira("TRACKER_URL", text), github("TRACKER_URL", text)] {
                let error = error.unwrap_err().to_string();
                assert!(error.starts_with(&format!("TRACKER_URL is \"{text}\"; exp")), "{error}");
            }
        }
        assert!(jira("TRACKER_URL", "https://example.atlassian.net/wiki").is_err());
        for path in ["api/../v3", "api//v3", "api/v3?a", "api/v 3"] {
            github("TRACKER_URL", &format!("https://github.example.com/{path}")).unwrap_err();
        }
    }

    #[test]
    fn projects_are_such_as_the_tracker_has() {
        let longest = format!("*={}", "A".repeat(255));
        for projects in ["*=SEC", "*=A1", "*=A_B", &longest] {
            jira("TRACKER_PROJECTS", projects).unwrap();
        }
        let too_long = format!("*={}", "A".repeat(256));
        for projects in ["SEC", "*=S", "*=sec", "*=1A", "*=acme/security", "a=OK,*=", &too_long] {
            let error = jira("TRACKER_PROJECTS", projects).unwrap_err().to_string();
            assert!(error.ends_with(&format!("; expected {JIRA_PROJECTS}")), "{error}");
        }
        for projects in ["*=acme/security", "*=a/.github", "a=Acme-Corp/a.b_c-d"] {
            github("TRACKER_PROJECTS", projects).unwrap();
        }
        for projects in ["*=SEC", "*=acme/", "*=/a", "*=a/b/c", "*=a/..", "*=a.b/c", "*=a/b c"] {
            let error = github("TRACKER_PROJECTS", projects).unwrap_err().to_string();
            assert!(error.ends_with(&format!("; expected {REPOSITORIES}")), "{error}");
        }
    }

    #[test]
    fn labels_are_such_as_the_tracker_takes() {
        let (ten, eleven) = (["a"; 10].join(","), ["a"; 11].join(","));
        let (longest, too_long) = ("é".repeat(50), "é".repeat(51));
        for labels in ["security", &ten, &longest] {
            jira("TRACKER_LABELS", labels).unwrap();
            github("TRACKER_LABELS", labels).unwrap();
        }
        for labels in ["a,", &eleven, &too_long] {
            jira("TRACKER_LABELS", labels).unwrap_err();
            github("TRACKER_LABELS", labels).unwrap_err();
        }
        assert!(github("TRACKER_LABELS", "from inspector").is_ok());
        let error = jira("TRACKER_LABELS", "from inspector").unwrap_err().to_string();
        assert!(error.ends_with("and without spaces"), "{error}");
    }

    #[test]
    fn a_bad_setting_is_named_with_its_value_and_what_is_allowed() {
        for (name, value, expected) in [
            ("TABLE_NAME", "", "TABLE_NAME is not set; expected the name of a DynamoDB table"),
            ("TRACKER", "", "TRACKER is not set; expected jira or github"),
            ("TRACKER", "none", "TRACKER is \"none\"; expected jira or github"),
            ("TRACKER_URL", "", "TRACKER_URL is not set; expected the address of a site in Jira"),
            ("TRACKER_PROJECTS", " ", "TRACKER_PROJECTS is not set; expected 1 to 100 owners"),
            ("TRACKER_SECRET_ARN", "", "TRACKER_SECRET_ARN is not set; expected the ARN of a"),
            ("TRACKER_SECRET_ARN", "token", "TRACKER_SECRET_ARN is \"token\"; expected the ARN"),
            ("TRACKER_SECRET_ARN", "arn:aws:ssm:eu-central-1:111122223333:secret:a", "TRACKER_"),
            ("TICKETS_FROM", "P5", "TICKETS_FROM is \"P5\"; expected P1, P2, P3 or P4"),
            ("TRACKER_PRIORITIES", "a,b,c", "TRACKER_PRIORITIES is \"a,b,c\"; expected none, or"),
            ("TRACKER_PRIORITIES", "a,b,c,", "TRACKER_PRIORITIES is \"a,b,c,\"; expected none,"),
            ("TRACKER_DUE_DATES", "no", "TRACKER_DUE_DATES is \"no\"; expected true or false"),
            ("LANGUAGE", "fr", "LANGUAGE is \"fr\"; expected en or ja"),
        ] {
            let error = jira(name, value).unwrap_err().to_string();
            assert!(error.starts_with(expected), "{error}");
        }
        let error = jira("TRACKER_ISSUE_TYPE", &"a".repeat(51)).unwrap_err().to_string();
        assert!(error.ends_with("such as Task, of at most 50 characters"), "{error}");
    }
}
