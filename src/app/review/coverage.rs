//! What Inspector does not look at: resource by resource, account by account.

use std::collections::BTreeMap;

use super::{Course, Ended, Review, Undone, enabled::note_gaps};
use crate::{
    app::{
        attempt::Observation,
        failure::{Failure, chain},
        ports::{Gaps, Inspector, NotAnswered, Refusal, RoundLog},
    },
    domain::{
        coverage::{Gap, Subject},
        round::Part,
    },
};

/// How many pages of one account are read at most: 400,000 resources that are not looked at.
const MAX_PAGES: usize = 2_000;

impl<S: Gaps + RoundLog, P, I: Inspector> Review<S, P, I> {
    /// Asks for the resources of each account that are not looked at, and remembers since when.
    pub(super) async fn coverage(&self, course: &mut Course<'_, S>) -> Result<Ended, Undone> {
        let accounts = self.triage.store.accounts().await.map_err(Failure::Store)?;
        let border = course.progress(Part::Coverage).border.clone();
        let rest = accounts
            .iter()
            .filter(|account| border.as_ref().is_none_or(|border| *account > border));
        for account in rest {
            if course.limit().is_over() {
                return Ok(Ended::OutOfTime);
            }
            match self.coverage_of(account, course).await {
                Ok(gaps) => {
                    let progress = course.progress(Part::Coverage);
                    progress.count("accounts", 1);
                    progress.count("unobserved", gaps);
                }
                // The others go on: of this account stays known what was known.
                Err(Undone::NotAnswered(NotAnswered { why: Refusal::Denied, failed })) => {
                    let what = format!("what is not looked at in account {account} is not known");
                    let reason = chain(&failed);
                    (course.attempt.observe)(Observation::Warning { what, reason });
                    course.progress(Part::Coverage).count("denied", 1);
                }
                Err(undone) => return Err(undone),
            }
            course.progress(Part::Coverage).border = Some(account.clone());
            if !course.note_in_time().await? {
                return Err(Undone::HeldByOther);
            }
        }
        Ok(Ended::Done)
    }

    /// Asks for the resources of one account. Returns how many gaps there are that somebody should look at.
    async fn coverage_of(
        &self,
        account: &str,
        course: &mut Course<'_, S>,
    ) -> Result<usize, Undone> {
        let now = course.attempt.now;
        let mut there: BTreeMap<String, Gap> = BTreeMap::new();
        let (mut token, mut unread) = (None, 0);
        for _ in 0..MAX_PAGES {
            let limit = course.limit();
            let page = self.inspector.unobserved(account, token.as_deref(), limit).await?;
            unread += page.unread.len();
            let is_foreign = |id: &str| !self.own_functions.iter().any(|own| is_function(id, own));
            for covered in page.items {
                // Code of a custom runtime, as our own functions have, is not scanned by anybody.
                let is_expected = covered.scan == "CODE" && !is_foreign(&covered.resource);
                if let Some(gap) = covered.gap(now).filter(|_| !is_expected) {
                    there.insert(gap.key(), gap);
                }
            }
            token = page.next;
            if token.is_none() {
                break;
            }
        }
        course.progress(Part::Coverage).count("unread", unread);
        let before = self.triage.store.gaps(Some(account)).await.map_err(Failure::Store)?;
        let is_resource = |gap: &Gap| matches!(gap.subject, Subject::Resource { .. });
        let before: Vec<Gap> = before.into_iter().filter(is_resource).collect();
        let since: BTreeMap<String, _> = before.iter().map(|gap| (gap.key(), gap.since)).collect();
        let is_due = |gap: &&Gap| {
            let since = since.get(&gap.key()).copied().unwrap_or(gap.since);
            Gap { since, ..(*gap).clone() }.is_due(now)
        };
        let due = there.values().filter(is_due).count();
        if token.is_some() || unread > 0 {
            // What was not seen may be there all the same.
            let known: Vec<Gap> =
                before.iter().filter(|gap| !there.contains_key(&gap.key())).cloned().collect();
            there.extend(known.into_iter().map(|gap| (gap.key(), gap)));
        }
        let there = there.into_values().collect();
        note_gaps(&self.triage.store, before, there, course.limit()).await?;
        Ok(due)
    }
}

/// Whether a resource is a function whose name begins with `name`.
fn is_function(id: &str, name: &str) -> bool {
    id.split_once(":function:").is_some_and(|(_, rest)| rest.starts_with(name))
}
