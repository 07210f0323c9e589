//! What Inspector does not look at: resource by resource, account by account.

use std::collections::{BTreeMap, HashSet};

use jiff::Timestamp;

use super::{Course, Ended, Review, Undone};
use crate::{
    app::{
        attempt::Observation,
        failure::{Failure, chain},
        ports::{Gaps, Inspector, Refusal, RoundLog},
    },
    domain::{
        coverage::{Coverage, Gap, GapChange},
        round::Part,
    },
};

/// How the listing of one account ended.
enum Listed {
    /// There are so many gaps that somebody should look at.
    ToTheEnd(usize),
    OutOfTime,
}

impl<S: Gaps + RoundLog, P, I: Inspector, A> Review<S, P, I, A> {
    /// Asks for the resources of each account that are not looked at, and remembers since when.
    pub(super) async fn coverage(&self, course: &mut Course<'_, S>) -> Result<Ended, Undone> {
        let accounts = self.triage.store.accounts().await.map_err(Failure::Store)?;
        let Some(accounts) = accounts else { return Err(Failure::NoAccounts.into()) };
        let accounts: Vec<String> = accounts.into_iter().map(|one| one.account).collect();
        let border = course.progress(Part::Coverage).border.clone();
        if border.is_none() {
            course.progress(Part::Coverage).counts.clear();
        }
        let rest = accounts
            .iter()
            .filter(|account| border.as_ref().is_none_or(|border| *account > border));
        let mut last = None;
        for account in rest {
            if course.limit().is_over() {
                return Ok(Ended::OutOfTime);
            }
            let is_early = course.clock().is_early();
            match self.coverage_of(account, course).await {
                Ok(Listed::ToTheEnd(due)) => {
                    let progress = course.progress(Part::Coverage);
                    progress.count("accounts", 1);
                    progress.count("unobserved", due);
                }
                // The next invocation begins with this account, unless this one did and it is too large for any.
                Ok(Listed::OutOfTime) if !is_early => return Ok(Ended::OutOfTime),
                Ok(Listed::OutOfTime) => {
                    let what =
                        format!("not all that is not looked at in account {account} is known");
                    let reason = "it has more than one invocation can read".to_owned();
                    (course.attempt().observe)(Observation::Warning { what, reason });
                    course.progress(Part::Coverage).count("partly", 1);
                }
                Err(Undone::NotAnswered(refused)) if refused.why != Refusal::Busy => {
                    // The others go on: of this account stays known what was known.
                    let what = format!("what is not looked at in account {account} is not known");
                    let reason = chain(&refused.failed);
                    (course.attempt().observe)(Observation::Warning { what, reason });
                    let is_denied = refused.why == Refusal::Denied;
                    let progress = course.progress(Part::Coverage);
                    progress.count(if is_denied { DENIED } else { UNANSWERED }, 1);
                    last = Some(refused);
                }
                Err(undone) => return Err(undone),
            }
            course.progress(Part::Coverage).border = Some(account.clone());
            if !course.note_in_time().await? {
                return Err(Undone::HeldByOther);
            }
        }
        let progress = course.progress(Part::Coverage);
        let count = |what: &str| progress.counts.get(what).copied().unwrap_or_default();
        let (none, denied) = (count("accounts") + count("partly") == 0, count(DENIED) > 0);
        if count(UNANSWERED) > 0 || none && denied {
            // All over again with the next event.
            progress.border = None;
            if let Some(refused) = last {
                return Err(refused.into());
            }
            return Err(Failure::NoCoverage.into());
        }
        Ok(Ended::Done)
    }

    /// Asks for the resources of one account, and writes down what changed, page by page. What is not there any more is
    /// forgotten once all of it was seen.
    async fn coverage_of(
        &self,
        account: &str,
        course: &mut Course<'_, S>,
    ) -> Result<Listed, Undone> {
        let store = &self.triage.store;
        let before = store.resource_gaps(account).await.map_err(Failure::Store)?;
        let mut before: BTreeMap<String, Gap> =
            before.into_iter().map(|gap| (gap.key(), gap)).collect();
        let mut seen = HashSet::new();
        let (mut token, mut unread, mut due) = (None, 0, 0);
        loop {
            let limit = course.limit();
            let page = self.inspector.unobserved(account, token.as_deref(), limit).await?;
            unread += page.unread.len();
            let now = course.now();
            let mut changed = Vec::new();
            for found in page.items.into_iter().filter_map(|covered| self.gap(covered, now)) {
                let key = found.key();
                let known = before.remove(&key);
                if !seen.insert(key) {
                    continue;
                }
                let gap = found.after(known.as_ref());
                due += usize::from(gap.is_due(now));
                changed.extend(gap.change(known.as_ref()));
            }
            if !changed.is_empty() {
                store.change_gaps(&changed, limit).await.map_err(Failure::Store)?;
            }
            if !course.note_in_time().await? {
                return Err(Undone::HeldByOther);
            }
            token = page.next;
            if token.is_none() {
                break;
            }
            if course.limit().is_over() {
                return Ok(Listed::OutOfTime);
            }
        }
        course.progress(Part::Coverage).count("unread", unread);
        // What was not read may be there all the same.
        if unread == 0 && !before.is_empty() {
            let now = course.now();
            let gone: Vec<GapChange> = before.values().map(|gap| gap.gone(now)).collect();
            store.change_gaps(&gone, course.limit()).await.map_err(Failure::Store)?;
        } else {
            due += before.values().filter(|gap| gap.is_due(course.now())).count();
        }
        Ok(Listed::ToTheEnd(due))
    }

    /// What is not looked at of a resource, as of `now`.
    fn gap(&self, covered: Coverage, now: Timestamp) -> Option<Gap> {
        // Code of a custom runtime, as our own functions have, is not scanned by anybody.
        let is_own = || self.own_functions.iter().any(|own| is_function(&covered.resource, own));
        if covered.scan == "CODE" && is_own() {
            return None;
        }
        covered.gap(now)
    }
}

/// Accounts that may not be asked about.
const DENIED: &str = "denied";
/// Accounts about which there was no answer.
const UNANSWERED: &str = "unanswered";

/// Whether a resource is a function whose name begins with `name`.
fn is_function(id: &str, name: &str) -> bool {
    id.split_once(":function:").is_some_and(|(_, rest)| rest.starts_with(name))
}
