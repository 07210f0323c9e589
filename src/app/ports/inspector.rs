//! Amazon Inspector itself, asked.

use std::collections::HashMap;

use jiff::Timestamp;

use crate::{
    app::{attempt::TimeLimit, failure::CallFailed},
    domain::{
        coverage::{Coverage, Enablement},
        finding::Finding,
        suppression::SuppressionRule,
        threat::Threat,
    },
};

/// What Inspector says when it is asked. Each call is one page, at Inspector's pace: an implementation waits between calls,
/// and repeats what may pass until `limit`.
pub trait Inspector {
    /// The Region that it is asked about.
    fn region(&self) -> Option<&str>;

    /// A page of findings, those first that were observed first.
    fn findings(
        &self,
        query: &FindingQuery,
        token: Option<&str>,
        limit: TimeLimit<'_>,
    ) -> impl Future<Output = Result<Page<Finding>, NotAnswered>> + Send;

    /// A page of the resources of an account that are not scanned well.
    fn unobserved(
        &self,
        account: &str,
        token: Option<&str>,
        limit: TimeLimit<'_>,
    ) -> impl Future<Output = Result<Page<Coverage>, NotAnswered>> + Send;

    /// A page of all that there is of these resources, at most ten, in whatever state.
    fn coverage_of(
        &self,
        resources: &[String],
        token: Option<&str>,
        limit: TimeLimit<'_>,
    ) -> impl Future<Output = Result<Page<Coverage>, NotAnswered>> + Send;

    /// A page of the resources, of all accounts that are seen from here, that a tag keeps out of a scan.
    fn excluded(
        &self,
        token: Option<&str>,
        limit: TimeLimit<'_>,
    ) -> impl Future<Output = Result<Page<Coverage>, NotAnswered>> + Send;

    /// A page of all that there is of the functions with these names, at most ten, in whatever account.
    fn functions_called(
        &self,
        names: &[String],
        token: Option<&str>,
        limit: TimeLimit<'_>,
    ) -> impl Future<Output = Result<Page<Coverage>, NotAnswered>> + Send;

    /// A page of all that there is of the code repositories whose project is called so.
    fn coverage_of_project(
        &self,
        project: &str,
        token: Option<&str>,
        limit: TimeLimit<'_>,
    ) -> impl Future<Output = Result<Page<Coverage>, NotAnswered>> + Send;

    /// A page of the rules by which Inspector hides findings.
    fn suppression_rules(
        &self,
        token: Option<&str>,
        limit: TimeLimit<'_>,
    ) -> impl Future<Output = Result<Page<SuppressionRule>, NotAnswered>> + Send;

    /// What is known at `now` of attacks on the vulnerabilities of these findings, at most ten.
    fn details(
        &self,
        arns: &[String],
        now: Timestamp,
        limit: TimeLimit<'_>,
    ) -> impl Future<Output = Result<Details, NotAnswered>> + Send;

    /// What is known at `now` of attacks on the vulnerability with this id of CVE, if Inspector has it.
    fn vulnerability(
        &self,
        id: &str,
        now: Timestamp,
        limit: TimeLimit<'_>,
    ) -> impl Future<Output = Result<Option<Threat>, NotAnswered>> + Send;

    /// What is on in these accounts, at most 100; without any, in this one.
    fn enabled(
        &self,
        accounts: &[String],
        limit: TimeLimit<'_>,
    ) -> impl Future<Output = Result<Vec<Enablement>, NotAnswered>> + Send;

    /// The account that administers Inspector for the organisation, if there is one.
    fn administrator(
        &self,
        limit: TimeLimit<'_>,
    ) -> impl Future<Output = Result<Option<String>, NotAnswered>> + Send;

    /// The accounts that this one administers, each with how it is related to it as its status.
    fn members(
        &self,
        limit: TimeLimit<'_>,
    ) -> impl Future<Output = Result<Vec<Enablement>, NotAnswered>> + Send;
}

/// Which findings are asked for. The same for all pages of a listing, to the byte.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FindingQuery {
    /// Which of them.
    pub which: Which,
    /// Only those that Inspector first observed at this moment or later.
    pub observed_from: Timestamp,
}

/// Which findings a query is about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Which {
    /// Those that Inspector changed at this moment or later, whatever their status.
    ChangedSince(Timestamp),
    /// Those of them that are closed.
    ClosedSince(Timestamp),
    /// Those that have not been closed.
    NotClosed,
    /// Those with these ARNs, at most ten, whatever their status.
    These(Vec<String>),
    /// Those of them that are of the image with this digest, in whatever repository, and have not been closed.
    OfImage(String),
    /// Those of them that are of the code repository whose project is called so, and have not been closed.
    OfProject(String),
}

/// What is known of attacks on the vulnerabilities of findings, by their ARNs.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Details {
    /// What is known. Of what is in neither, Inspector has no details.
    pub known: HashMap<String, Threat>,
    /// Of what Inspector did not answer, its word for why.
    pub refused: HashMap<String, String>,
}

/// How many findings or resources are asked for by name at a time:
/// <https://docs.aws.amazon.com/inspector/v2/APIReference/API_FilterCriteria.html>.
pub const NAMES_PER_CALL: usize = 10;

impl FindingQuery {
    /// The findings with these ARNs, at most ten.
    pub fn these(arns: &[String]) -> Self {
        Self { which: Which::These(arns.to_vec()), observed_from: Timestamp::UNIX_EPOCH }
    }
}

/// A page of a listing.
#[derive(Clone, Debug)]
pub struct Page<T> {
    /// What is on it. It may be empty, and not be the last.
    pub items: Vec<T>,
    /// What is on it and could not be read, each with what was wrong.
    pub unread: Vec<String>,
    /// What to ask the next page with; none after the last.
    pub next: Option<String>,
}

/// A service did not answer.
#[derive(Debug)]
pub struct NotAnswered {
    /// What kind of refusal it is.
    pub why: Refusal,
    /// The call.
    pub failed: CallFailed,
}

/// Why a service does not answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// Whoever asks may not ask that, or Inspector is off.
    Denied,
    /// There is no such thing.
    NotFound,
    /// The token of a page is not, or no longer, taken.
    Token,
    /// It would have answered later than there was time.
    Busy,
    /// Something else.
    Other,
}
