//! What is known of attacks on a vulnerability beyond what its findings say: whether CISA lists it as exploited, whether
//! somebody has seen it exploited, and its EPSS score.
//!
//! The facts are Inspector's, which has them from CISA, FIRST and others. It may not have all: so a vulnerability is known to
//! be in the catalogue, was not when it was looked up, or nobody knows.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use serde_with::skip_serializing_none;

use super::{
    finding::{Malformed, date, show},
    text,
};

/// The key beside a finding of what is known of attacks on its vulnerability.
pub const INTELLIGENCE: &str = "intelligence";

/// How many bytes of CISA's text are kept.
const ACTION: usize = 1_000;

/// What is known of attacks on a vulnerability.
#[skip_serializing_none]
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Threat {
    /// When that was looked up.
    pub checked_at: Timestamp,
    /// Whether CISA's catalogue of known exploited vulnerabilities has it.
    pub catalogue: Catalogue,
    /// When it was first and last seen exploited, if it was.
    pub observed: Option<Observed>,
    /// The probability of exploitation within 30 days, 0.0 to 1.0.
    pub epss: Option<f64>,
    /// What CISA's analysis says, if it came with a finding: Inspector has it not.
    pub analysis: Option<Analysis>,
}

/// What [CISA's analysis](https://github.com/cisagov/vulnrichment) says of a vulnerability.
#[skip_serializing_none]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Analysis {
    /// Whether attacks can be automated.
    pub automatable: Option<bool>,
    /// Whether an attack gains control of all, and not of a part.
    pub total_impact: Option<bool>,
}

/// Whether [CISA's catalogue](https://www.cisa.gov/known-exploited-vulnerabilities-catalog) has a vulnerability.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Catalogue {
    /// It has.
    Listed(Listing),
    /// It had not, when it was looked up.
    NotListed,
    /// Nobody could say.
    Unknown,
}

/// An entry of the catalogue.
#[skip_serializing_none]
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Listing {
    /// Since when.
    pub added: Option<Timestamp>,
    /// By when CISA has federal agencies act.
    pub due: Option<Timestamp>,
    /// What CISA has them do, in its words.
    pub action: Option<String>,
}

/// When a vulnerability was seen exploited.
#[skip_serializing_none]
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Observed {
    /// First.
    pub first: Option<Timestamp>,
    /// Last.
    pub last: Option<Timestamp>,
}

impl Threat {
    /// What nobody knows anything about at `checked_at`.
    pub fn unknown(checked_at: Timestamp) -> Self {
        Self {
            checked_at,
            catalogue: Catalogue::Unknown,
            observed: None,
            epss: None,
            analysis: None,
        }
    }

    /// Reads the details of a finding, or a vulnerability, as Inspector gives them:
    /// <https://docs.aws.amazon.com/inspector/v2/APIReference/API_FindingDetail.html>,
    /// <https://docs.aws.amazon.com/inspector/v2/APIReference/API_Vulnerability.html>. What is missing or strange in them is
    /// not known.
    pub fn read(details: &Value, checked_at: Timestamp) -> Self {
        let moment = |object: &Value, name: &str| object.get(name).and_then(date::read);
        let block = |name: &str| details.get(name).filter(|block| block.is_object());
        let catalogue = block("cisaData").map_or(Catalogue::NotListed, |cisa| {
            let action = cisa.get("action").and_then(Value::as_str);
            Catalogue::Listed(Listing {
                added: moment(cisa, "dateAdded"),
                due: moment(cisa, "dateDue"),
                action: action.map(|action| text::cut_bytes(action, ACTION)),
            })
        });
        let observed = block("exploitObserved").map(|seen| Observed {
            first: moment(seen, "firstSeen"),
            last: moment(seen, "lastSeen"),
        });
        let epss = details.get("epssScore").or_else(|| details.pointer("/epss/score"));
        let epss = epss.and_then(Value::as_f64).filter(|epss| (0.0..=1.0).contains(epss));
        let analysis = block("ssvc").map(|ssvc| {
            let is = |name: &str, yes: &str, no: &str| {
                let word = ssvc.get(name).and_then(Value::as_str)?;
                let is = |other: &str| word.eq_ignore_ascii_case(other);
                is(yes).then_some(true).or_else(|| is(no).then_some(false))
            };
            Analysis {
                automatable: is("automatable", "yes", "no"),
                total_impact: is("technicalImpact", "total", "partial"),
            }
        });
        Self { checked_at, catalogue, observed, epss, analysis }
    }

    /// Reads what stands beside a finding under [`INTELLIGENCE`], in a document in which somebody has put it there: the
    /// details of the finding as Inspector gives them, with `checkedAt` or as of `as_of`. None if nothing does.
    ///
    /// # Errors
    /// It is no object.
    pub fn beside(document: &Value, as_of: Timestamp) -> Result<Option<Self>, Malformed> {
        let places = ["", "detail."];
        let found = places.iter().find_map(|place| {
            let holder = if place.is_empty() { Some(document) } else { document.get("detail") };
            let block = holder?.get(INTELLIGENCE).filter(|block| !block.is_null())?;
            Some((place, block))
        });
        let Some((place, block)) = found else { return Ok(None) };
        if !block.is_object() {
            return Err(Malformed {
                path: format!("{place}{INTELLIGENCE}"),
                expected: "an object",
                found: show(Some(block)),
            });
        }
        let checked_at = block.get("checkedAt").and_then(date::read).unwrap_or(as_of);
        Ok(Some(Self::read(block, checked_at)))
    }

    /// The entry in CISA's catalogue, if it is there.
    pub fn listing(&self) -> Option<&Listing> {
        match &self.catalogue {
            Catalogue::Listed(listing) => Some(listing),
            Catalogue::NotListed | Catalogue::Unknown => None,
        }
    }

    /// Whether it is known if CISA's catalogue has it.
    pub fn knows_catalogue(&self) -> bool {
        self.catalogue != Catalogue::Unknown
    }

    /// Whether it is news for anybody: it is in the catalogue, or was seen exploited.
    pub fn is_worth_telling(&self) -> bool {
        self.listing().is_some() || self.observed.is_some()
    }

    /// What of it findings keep: nothing if it is not worth telling, and not when it was looked up, or how likely that is.
    #[must_use]
    pub fn worth_telling(&self) -> Option<Self> {
        let kept = Self { epss: None, ..self.clone() };
        self.is_worth_telling().then_some(kept)
    }

    /// The same without what others wrote.
    #[must_use]
    pub fn without_text(self) -> Self {
        let catalogue = match self.catalogue {
            Catalogue::Listed(listing) => Catalogue::Listed(Listing { action: None, ..listing }),
            other => other,
        };
        Self { catalogue, ..self }
    }

    /// Whether `other` says the same of what matters. When attacks were last seen changes from day to day.
    pub fn agrees_with(&self, other: &Self) -> bool {
        self.catalogue == other.catalogue && self.observed.is_some() == other.observed.is_some()
    }

    /// What is known once this was looked up after `before`: an answer that is no answer takes nothing back.
    #[must_use]
    pub fn after(self, before: Option<&Self>) -> Self {
        match before {
            Some(before) if self.catalogue == Catalogue::Unknown => {
                Self { checked_at: self.checked_at, ..before.clone() }
            }
            _ => self,
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn now() -> Timestamp {
        "2026-11-20T00:10:00Z".parse().unwrap()
    }

    #[test]
    fn what_inspector_says_is_read_from_a_finding_and_from_a_vulnerability() {
        let cisa =
            json!({"dateAdded": 1_795_000_000, "dateDue": 1_796_000_000, "action": "Update."});
        let seen = json!({"firstSeen": 1_790_000_000, "lastSeen": 1_795_100_000});
        let finding = json!({"cisaData": cisa, "exploitObserved": seen, "epssScore": 0.5});
        let vulnerability =
            json!({"cisaData": cisa, "exploitObserved": seen, "epss": {"score": 0.5}});
        let threat = Threat::read(&finding, now());
        assert_eq!(threat, Threat::read(&vulnerability, now()));
        let added = threat.listing().and_then(|listing| listing.added).unwrap();
        assert_eq!((added.as_second(), threat.epss), (1_795_000_000, Some(0.5)));
        assert!(threat.is_worth_telling());
    }

    #[test]
    fn absent_is_not_listed_and_strange_is_not_known() {
        let threat = Threat::read(&json!({"epssScore": 7, "exploitObserved": null}), now());
        assert_eq!(threat.catalogue, Catalogue::NotListed);
        assert_eq!((threat.epss, threat.observed), (None, None));
        let odd = Threat::read(&json!({"cisaData": {"dateAdded": "soon", "action": 3}}), now());
        assert_eq!(odd.listing(), Some(&Listing::default()), "it is listed, whatever else");
    }

    #[test]
    fn no_answer_takes_nothing_back() {
        let before = Threat::read(&json!({"cisaData": {}}), now());
        let later = "2026-11-21T00:10:00Z".parse().unwrap();
        let after = Threat::unknown(later).after(Some(&before));
        assert_eq!((after.checked_at, after.listing().is_some()), (later, true));
        let gone = Threat::read(&json!({}), later).after(Some(&before));
        assert_eq!(gone.catalogue, Catalogue::NotListed, "CISA has taken entries out");
    }
}
