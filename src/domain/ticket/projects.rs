//! Which project of a tracker gets the tickets of an owner.

use std::{fmt, str::FromStr};

/// The projects of a tracker, each with the owner whose tickets it gets. The case of owners does not matter.
///
/// As a text: `payments=PAY,shop=SHOP,*=SEC`. The project of `*` gets the tickets of all other owners, and of what nobody
/// owns; without it these have none.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Projects {
    /// Each owner with a project, in the order of the text.
    owners: Vec<(String, String)>,
    /// The project of `*`.
    others: Option<String>,
}

/// What stands for every owner that is not named, and for nobody.
const OTHERS: &str = "*";

/// The most entries that a text may have.
const MAX_ENTRIES: usize = 100;

impl Projects {
    /// What a text must be to be read as some.
    pub const EXPECTED: &str =
        "1 to 100 owners, each once, with a project, such as payments=PAY,shop=SHOP,*=SEC";

    /// The project that gets the tickets of `owner`, if one does.
    pub fn of(&self, owner: Option<&str>) -> Option<&str> {
        let own = owner.and_then(|owner| {
            let owner = owner.trim().to_lowercase();
            self.owners.iter().find(|(name, _)| name.to_lowercase() == owner)
        });
        own.map(|(_, project)| project).or(self.others.as_ref()).map(String::as_str)
    }

    /// All projects, that of `*` last. One that gets the tickets of two owners comes twice.
    pub fn all(&self) -> impl Iterator<Item = &str> {
        self.owners.iter().map(|(_, project)| project).chain(&self.others).map(String::as_str)
    }
}

impl FromStr for Projects {
    type Err = NotProjects;

    fn from_str(text: &str) -> Result<Self, NotProjects> {
        let mut projects = Self { owners: Vec::new(), others: None };
        for (index, entry) in text.split(',').enumerate() {
            // The tag that names an owner may have an equals sign in it, and no project has.
            let (owner, project) = entry.rsplit_once('=').ok_or(NotProjects)?;
            let (owner, project) = (owner.trim(), project.trim().to_owned());
            let is_named =
                |(name, _): &(String, String)| name.to_lowercase() == owner.to_lowercase();
            let is_twice = match owner {
                OTHERS => projects.others.is_some(),
                _ => projects.owners.iter().any(is_named),
            };
            if index >= MAX_ENTRIES || is_twice || owner.is_empty() || project.is_empty() {
                return Err(NotProjects);
            }
            if owner == OTHERS {
                projects.others = Some(project);
            } else {
                projects.owners.push((owner.to_owned(), project));
            }
        }
        Ok(projects)
    }
}

impl fmt::Display for Projects {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let owners = self.owners.iter().map(|(owner, project)| (owner.as_str(), project));
        let others = self.others.iter().map(|project| (OTHERS, project));
        let entries: Vec<String> =
            owners.chain(others).map(|(owner, project)| format!("{owner}={project}")).collect();
        f.write_str(&entries.join(","))
    }
}

/// A text that names no projects.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("expected {}", Projects::EXPECTED)]
pub struct NotProjects;

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Result<Projects, NotProjects> {
        text.parse()
    }

    #[test]
    fn an_owner_has_the_project_that_is_named_in_whatever_case() {
        let projects = read("payments=PAY, Cost Centre = CC ,*=SEC").unwrap();
        for (owner, project) in [
            ("payments", "PAY"),
            (" Payments ", "PAY"),
            ("cost centre", "CC"),
            ("shop", "SEC"),
            ("*", "SEC"),
        ] {
            assert_eq!(projects.of(Some(owner)), Some(project), "{owner}");
        }
        assert_eq!(projects.of(None), Some("SEC"));
    }

    #[test]
    fn without_a_project_for_all_others_they_have_none() {
        let projects = read("payments=PAY").unwrap();
        assert_eq!(projects.of(Some("payments")), Some("PAY"));
        assert_eq!(projects.of(Some("shop")), None);
        assert_eq!(projects.of(None), None);
        let projects = read("*=SEC").unwrap();
        assert_eq!((projects.of(Some("shop")), projects.of(None)), (Some("SEC"), Some("SEC")));
    }

    #[test]
    fn every_project_is_given_and_that_of_all_others_last() {
        let projects = read("*=SEC,b=SHOP,a=SHOP").unwrap();
        assert_eq!(projects.all().collect::<Vec<_>>(), ["SHOP", "SHOP", "SEC"]);
    }

    #[test]
    fn what_is_written_is_read_again() {
        for text in ["payments=PAY,shop=acme/shop,*=SEC", "team=a=PAY", "東京=TKY"] {
            assert_eq!(read(text).unwrap().to_string(), text);
        }
        assert_eq!(read(" b = B , *= SEC,a=A").unwrap().to_string(), "b=B,a=A,*=SEC");
        assert_eq!(read("team=a=PAY").unwrap().of(Some("Team=A")), Some("PAY"));
    }

    #[test]
    fn a_text_that_leaves_open_where_tickets_go_is_refused() {
        let entries =
            |count: usize| (0..count).map(|n| format!("{n}=SEC")).collect::<Vec<_>>().join(",");
        assert_eq!(read(&entries(100)).unwrap().all().count(), 100);
        for text in [
            "",
            "PAY",
            "payments=",
            "=PAY",
            " = ",
            "payments=PAY,",
            "payments=PAY,,*=SEC",
            "payments=PAY,Payments=SHOP",
            "Äpfel=A,äpfel=B",
            "*=SEC, * =OPS",
            &entries(101),
        ] {
            assert_eq!(read(text), Err(NotProjects), "{text}");
        }
    }
}
