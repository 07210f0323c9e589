//! The settings of the function `tickets`.

use super::{BadSetting, Environment, Settings, StorageSettings};
use crate::{
    adapters::trackers::{Address, TrackerConfig},
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
    /// Where tickets are kept, and what each has there:
    ///
    /// - `TRACKER`, required: `jira` or `github`.
    /// - `TRACKER_URL`: where its API is. Required for Jira; default for GitHub `https://api.github.com`.
    /// - `TRACKER_ISSUE_TYPE`: what kind of issue a ticket is, default `Task`. Of Jira alone.
    /// - `TRACKER_PRIORITIES`: what P1 to P4 are called, or `none`. Of Jira the names of priorities, default
    ///   `Highest,High,Medium,Low`; of GitHub labels, default `P1,P2,P3,P4`.
    /// - `TRACKER_DUE_DATES`: whether a ticket has a due date, `true` (default) or `false`. Of Jira alone.
    /// - `TRACKER_LABELS`: labels that each ticket has as well, up to 10, default none.
    pub tracker: TrackerConfig,
    /// `TRACKER_PROJECTS`, required: which project gets the tickets of an owner. Of Jira keys of projects, of GitHub
    /// repositories as `owner/repository`.
    pub projects: Projects,
    /// `TICKETS_FROM`: the lowest priority that opens a ticket, default `P2`.
    pub from: Priority,
    /// `TRACKER_SECRET_ARN`, required: the secret in Secrets Manager with the access to the tracker.
    pub secret_arn: String,
}

impl Settings for TicketsSettings {
    fn read(environment: &Environment<'_>) -> Result<Self, BadSetting> {
        let tracker = TrackerConfig::read(environment)?;
        let a_project = match tracker.kind {
            TrackerKind::Jira => JIRA_PROJECTS,
            TrackerKind::GitHub => REPOSITORIES,
        };
        let projects = |text: &str| {
            let projects: Projects = text.parse().ok()?;
            let are_projects = projects.all().all(|project| tracker.kind.is_project(project));
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

impl Settings for TrackerConfig {
    fn read(environment: &Environment<'_>) -> Result<Self, BadSetting> {
        let kind =
            environment.required("TRACKER", TrackerKind::EXPECTED, |kind| kind.parse().ok())?;
        let (default, priorities, a_label) = match kind {
            TrackerKind::Jira => (None, ["Highest", "High", "Medium", "Low"], JIRA_LABELS),
            TrackerKind::GitHub => {
                (Some("https://api.github.com"), ["P1", "P2", "P3", "P4"], LABELS)
            }
        };
        let url = environment
            .optional("TRACKER_URL", Address::EXPECTED, |url| url.parse().ok())?
            .or_else(|| default?.parse().ok())
            .ok_or(BadSetting::Missing { name: "TRACKER_URL", expected: Address::EXPECTED })?;
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
                .optional("TRACKER_LABELS", a_label, |text| read_labels(text, kind))?
                .unwrap_or_default(),
        })
    }
}

const JIRA_PROJECTS: &str =
    "1 to 100 owners, each once, with the key of a project in Jira, such as payments=PAY,*=SEC";

const REPOSITORIES: &str = "1 to 100 owners, each once, with a repository on GitHub, such as payments=acme/payments,*=acme/security";

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

fn read_labels(text: &str, kind: TrackerKind) -> Option<Vec<String>> {
    let labels: Vec<String> = text.split(',').map(|label| label.trim().to_owned()).collect();
    (labels.len() <= 10 && labels.iter().all(|label| kind.is_label(label))).then_some(labels)
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
        let expected = TrackerConfig {
            kind: TrackerKind::Jira,
            url: "https://example.atlassian.net".parse().unwrap(),
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
        assert_eq!(settings.tracker.url.to_string(), "https://api.github.com");
        assert_eq!(settings.tracker.priorities, Some(priorities));
        assert_eq!(settings.projects.of(None), Some("acme/security"));
        let own = github("TRACKER_URL", "https://github.example.com/api/v3/").unwrap();
        assert_eq!(own.tracker.url.to_string(), "https://github.example.com/api/v3");
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
            ("TRACKER_URL", "", "TRACKER_URL is not set; expected an address such as https:"),
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
