//! Whether a finding is excepted.

use std::cmp::Reverse;

use jiff::Timestamp;

use super::{
    Exception, Ledger, Situation, VulnerabilityId, WhyEnded, selector::ids_of, terms::beginning_of,
};

/// Whether a finding is excepted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Cover<'a> {
    /// It is, by this exception.
    By(&'a Exception),
    /// It is not. The exceptions that are about it, each with why it does not cover it (any more).
    None(Vec<Uncovered<'a>>),
}

/// An exception that is about a finding, and does not cover it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Uncovered<'a> {
    /// The exception.
    pub exception: &'a Exception,
    /// Why it does not.
    pub why: WhyEnded,
}

impl Ledger {
    /// Whether this ledger excepts a finding at `now`.
    pub fn cover<'a>(&'a self, situation: &Situation<'_>, now: Timestamp) -> Cover<'a> {
        Cover::of(&self.exceptions, &self.policy.never, situation, now)
    }
}

impl<'a> Cover<'a> {
    /// Whether one of these exceptions covers a finding at `now`, unless it has one of the vulnerabilities in `never`. Of
    /// several the one that ends last.
    pub fn of(
        exceptions: impl IntoIterator<Item = &'a Exception>,
        never: &[VulnerabilityId],
        situation: &Situation<'_>,
        now: Timestamp,
    ) -> Self {
        let is_never = ids_of(situation.finding).any(|id| never.iter().any(|never| never.is(id)));
        let mut covering: Vec<&Exception> = Vec::new();
        let mut others = Vec::new();
        for exception in exceptions {
            if !exception.selectors.select(situation.finding) {
                continue;
            }
            let why = if is_never {
                Some(WhyEnded::Never)
            } else if now < beginning_of(exception.created_at) {
                Some(WhyEnded::NotBegun)
            } else {
                exception.terms.ended(situation, now)
            };
            match why {
                Some(why) => others.push(Uncovered { exception, why }),
                None => covering.push(exception),
            }
        }
        let last =
            |exception: &&Exception| (exception.terms.expires_at, Reverse(exception.id.clone()));
        match covering.into_iter().max_by_key(last) {
            Some(exception) => Self::By(exception),
            None => Self::None(others),
        }
    }
}
