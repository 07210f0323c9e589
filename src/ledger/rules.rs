//! Exceptions as Inspector's own suppression rules, as far as a rule can say what they say.
//!
//! A rule is never wider than its exception. What it cannot express is refused if leaving it out would hide more, and said
//! if it hides longer.

use std::{collections::BTreeMap, fmt};

use jiff::{Timestamp, civil::Date};
use serde_json::{Map, Value, json};

use crate::domain::{
    finding::ResourceType,
    ledger::{Condition, Exception, Ledger, PackageSelector, Selectors, VulnerabilityId, end_of},
    round::day,
    text,
};

/// How many values a criterion may have.
const VALUES: usize = 10;
/// How many rules a Region may have:
/// <https://docs.aws.amazon.com/inspector/latest/user/findings-managing-supression-rules.html>.
pub const MOST_RULES: usize = 500;
/// How many characters the name of a rule may have.
const NAME: usize = 64;
/// How many characters its description may have.
const DESCRIPTION: usize = 512;
/// What stands before the id of an exception in the description of a rule.
const MARK: &str = "inspector-triage exception ";

/// The rules of a ledger.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Rules {
    /// The rules, in the order of the exceptions.
    pub rules: Vec<Rule>,
    /// Why some of the exceptions cannot be rules.
    pub refused: Vec<Said>,
    /// What is left out, or what a rule does not say.
    pub notes: Vec<Said>,
}

/// Something to say of an exception.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Said {
    /// The id of the exception; empty if it is about the ledger as a whole.
    pub id: String,
    /// What.
    pub what: String,
}

impl fmt::Display for Said {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.id.is_empty() {
            return f.write_str(&self.what);
        }
        write!(f, "{}: {}", self.id, self.what)
    }
}

/// A rule, by which Inspector hides what an exception covers.
#[derive(Clone, Debug, PartialEq)]
pub struct Rule {
    /// The id of the exception.
    pub id: String,
    /// Its name, once among all rules.
    pub name: String,
    /// Whose it is, its end and why.
    pub description: String,
    /// The last day of the exception.
    pub expires_at: Date,
    /// Who answers for it.
    pub owner: String,
    /// What it hides, as Inspector writes it.
    pub criteria: Value,
    /// The Regions that it is for; all of them where there is none.
    pub regions: Vec<String>,
    /// What of the exception it does not say.
    pub not_said: Vec<String>,
}

/// The id of the exception that a rule was made from, by its description.
pub fn id_in(description: &str) -> Option<&str> {
    let rest = description.split_once(MARK)?.1;
    let end = rest.find(|c: char| !(c.is_ascii_alphanumeric() || "._-".contains(c)));
    Some(&rest[..end.unwrap_or(rest.len())]).filter(|id| !id.is_empty())
}

/// The rules of the exceptions of a ledger that are in force at `now`.
pub fn rules(ledger: &Ledger, now: Timestamp) -> Rules {
    let mut made = Rules::default();
    for exception in &ledger.exceptions {
        let note = |what: String| Said { id: exception.id.clone(), what };
        let expires = exception.terms.expires_at;
        if now >= end_of(expires) {
            made.notes.push(note(format!("left out: it ended with {expires}")));
            continue;
        }
        if day(now) < exception.created_at {
            let begins = exception.created_at;
            made.notes.push(note(format!("left out: it begins with {begins}")));
            continue;
        }
        match of(exception, &ledger.policy.never) {
            Ok(rules) => {
                let said = rules.first().map(|rule| rule.not_said.clone()).unwrap_or_default();
                made.notes.extend(said.into_iter().map(note));
                made.rules.extend(rules);
            }
            Err(whys) => made.refused.extend(whys.into_iter().map(note)),
        }
    }
    let most = made.in_one_region();
    if most > MOST_RULES {
        let what = format!(
            "{most} rules, and a Region may have {MOST_RULES}; join exceptions, or keep them in the ledger alone"
        );
        made.refused.push(Said { id: String::new(), what });
    }
    made.names_differ();
    made
}

impl Rules {
    /// How many rules the Region gets that gets the most.
    fn in_one_region(&self) -> usize {
        let everywhere = self.rules.iter().filter(|rule| rule.regions.is_empty()).count();
        let mut regions: BTreeMap<&str, usize> = BTreeMap::new();
        for region in self.rules.iter().flat_map(|rule| &rule.regions) {
            *regions.entry(region).or_default() += 1;
        }
        everywhere + regions.into_values().max().unwrap_or_default()
    }

    /// Refuses rules of one name, which ids that end like the number of a part may have.
    fn names_differ(&mut self) {
        let mut names: Vec<&str> = self.rules.iter().map(|rule| rule.name.as_str()).collect();
        names.sort_unstable();
        let mut twice: Vec<&str> =
            names.windows(2).filter(|pair| pair[0] == pair[1]).map(|pair| pair[0]).collect();
        twice.dedup();
        let refused = twice.into_iter().map(|name| Said {
            id: String::new(),
            what: format!(
                "two rules would have the name {name}; give one of the exceptions another id"
            ),
        });
        let refused: Vec<Said> = refused.collect();
        self.refused.extend(refused);
    }
}

/// The rules of one exception, or everything that a rule cannot express.
fn of(exception: &Exception, never: &[VulnerabilityId]) -> Result<Vec<Rule>, Vec<String>> {
    let mut whys = Vec::new();
    let lists = criteria(exception, never, &mut whys);
    if !whys.is_empty() {
        return Err(whys);
    }
    let combinations = combinations(&lists);
    let parts = combinations.len();
    let not_said = not_said(exception);
    let rules = combinations.into_iter().enumerate().map(|(n, criteria)| Rule {
        id: exception.id.clone(),
        name: name(&exception.id, n + 1, parts),
        description: description(exception),
        expires_at: exception.terms.expires_at,
        owner: exception.owner.clone(),
        criteria: Value::Object(criteria),
        regions: exception.selectors.regions.clone(),
        not_said: not_said.clone(),
    });
    Ok(rules.collect())
}

/// A criterion with all its values.
type Criterion = (&'static str, Vec<Value>);

/// What an exception selects as criteria. `whys` gets what cannot be one.
fn criteria(
    exception: &Exception,
    never: &[VulnerabilityId],
    whys: &mut Vec<String>,
) -> Vec<Criterion> {
    let selectors = &exception.selectors;
    let Selectors { vulnerabilities, packages, accounts, types, names, arns, tags, .. } = selectors;
    let mut lists: Vec<Criterion> = Vec::new();
    if vulnerabilities.is_empty() && !never.is_empty() {
        let what = "it names no vulnerability, so a rule would hide those of policy.never, too";
        whys.push(what.to_owned());
    }
    let ids = vulnerabilities.iter().map(|id| {
        if id.as_str().starts_with("CWE-") {
            whys.push(format!(
                "vulnerabilities: no criterion of a rule is a CWE such as {}",
                id.as_str()
            ));
        }
        is(id.as_str())
    });
    lists.push(("vulnerabilityId", ids.collect()));
    let installed = packages.iter().map(|package| {
        if let PackageSelector::Url(_) = package {
            whys.push(format!(
                "packages: a rule knows names alone, and {package} is about one kind of package; name it, or leave it to the ledger"
            ));
        }
        json!({"name": is(&package.to_string())})
    });
    lists.push(("vulnerablePackages", installed.collect()));
    lists.push(("awsAccountId", accounts.iter().map(|account| is(account)).collect()));
    lists.push(("resourceType", types.iter().map(|kind| is(kind.as_str())).collect()));
    for pattern in arns.iter().chain(names) {
        if pattern.contains(['*', '?']) {
            whys.push(format!("resources: a rule has no wildcards such as in {pattern}"));
        }
    }
    lists.push(("resourceId", arns.iter().map(|arn| is(arn)).collect()));
    if !names.is_empty() {
        let criterion = match types.as_slice() {
            [ResourceType::EcrContainerImage] => Some("ecrImageRepositoryName"),
            [ResourceType::LambdaFunction] => Some("lambdaFunctionName"),
            [ResourceType::Ec2Instance] if tags.is_empty() => Some("resourceTags"),
            _ => None,
        };
        match criterion {
            Some("resourceTags") => {
                lists.push(("resourceTags", names.iter().map(|name| has("Name", name)).collect()));
            }
            Some("ecrImageRepositoryName") if names.iter().any(|name| name.contains(':')) => {
                whys.push("names: a rule has no criterion for a repository with its tag".to_owned());
            }
            Some(criterion) => lists.push((criterion, names.iter().map(|name| is(name)).collect())),
            None => whys.push(
                "names: a rule can take a name of AWS_ECR_CONTAINER_IMAGE, AWS_LAMBDA_FUNCTION or, without other tags, AWS_EC2_INSTANCE, if that is the one of resources.types"
                    .to_owned(),
            ),
        }
    }
    if tags.len() > 1 {
        whys.push("tags: a rule hides what has any of its tags, not only what has all".to_owned());
    }
    if let Some((key, values)) = tags.first_key_value() {
        lists.push(("resourceTags", values.iter().map(|value| has(key, value)).collect()));
    }
    if exception.terms.until_fixed {
        lists.push(("fixAvailable", vec![is("NO")]));
    }
    if exception.terms.ends_if.contains(&Condition::Exploit) {
        lists.push(("exploitAvailable", vec![is("NO")]));
    }
    lists.retain(|(_, values)| !values.is_empty());
    lists
}

/// What an exception says and a rule cannot.
fn not_said(exception: &Exception) -> Vec<String> {
    let terms = &exception.terms;
    let mut said = vec![format!(
        "the rule has no end: take it out of Inspector after {}, the exception's last day",
        terms.expires_at
    )];
    if terms.ends_if.contains(&Condition::KnownExploited) {
        said.push("the rule hides what CISA lists as exploited, too, now and later".to_owned());
    }
    if terms.ends_if.contains(&Condition::PriorityRaised) {
        said.push(format!(
            "the rule hides what is more urgent than {}, too, now and later",
            terms.accepted_priority
        ));
    }
    if !exception.selectors.vulnerabilities.is_empty() {
        said.push("the rule does not know aliases: it hides what Inspector itself calls by one of these ids".to_owned());
    }
    said
}

fn is(value: &str) -> Value {
    json!({"comparison": "EQUALS", "value": value})
}

fn has(key: &str, value: &str) -> Value {
    json!({"comparison": "EQUALS", "key": key, "value": value})
}

/// Every combination of parts of these lists, of so many values as a criterion may have: together they say what the lists say.
fn combinations(lists: &[Criterion]) -> Vec<Map<String, Value>> {
    let mut all = vec![Map::new()];
    for (criterion, values) in lists {
        let parts: Vec<&[Value]> = values.chunks(VALUES).collect();
        // So many that they are refused in any case: no more are made.
        if all.len().saturating_mul(parts.len()) > 100 * MOST_RULES {
            all.truncate(MOST_RULES + 1);
            return all;
        }
        all = all
            .into_iter()
            .flat_map(|made| {
                parts.iter().map(move |part| {
                    let mut made = made.clone();
                    made.insert((*criterion).to_owned(), json!(part));
                    made
                })
            })
            .collect();
    }
    all
}

/// The name of part `n` of `parts`.
fn name(id: &str, n: usize, parts: usize) -> String {
    if parts == 1 {
        return id.to_owned();
    }
    let part = format!("_{n}of{parts}");
    let kept: String = id.chars().take(NAME - part.len()).collect();
    format!("{kept}{part}")
}

fn description(exception: &Exception) -> String {
    let Exception { id, owner, terms, reason, ticket, .. } = exception;
    let ticket = ticket.as_ref().map(|ticket| format!(", {ticket}")).unwrap_or_default();
    let said = format!("{MARK}{id}, until {}, {owner}{ticket}: {reason}", terms.expires_at);
    text::cut_chars(&said, DESCRIPTION)
}
