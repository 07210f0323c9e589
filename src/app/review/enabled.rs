//! Whether Inspector is on: which accounts there are, and what is scanned in each.

use std::collections::{BTreeMap, BTreeSet};

use super::{Course, Ended, Review, Undone};
use crate::{
    app::{
        attempt::{Observation, TimeLimit},
        failure::Failure,
        ports::{Gaps, Inspector, RoundLog},
    },
    domain::{
        coverage::{Enablement, Gap, Subject},
        round::Part,
    },
};

/// How many accounts Inspector tells of in one answer.
const ACCOUNTS_PER_CALL: usize = 100;

impl<S: Gaps + RoundLog, P, I: Inspector> Review<S, P, I> {
    /// Asks what is on in which account, and remembers what is off since when.
    pub(super) async fn enabled(&self, course: &mut Course<'_, S>) -> Result<Ended, Undone> {
        let limit = course.limit();
        // Where the account is not known, Inspector takes the one that asks.
        let own: Vec<String> = course.attempt.account().map(str::to_owned).into_iter().collect();
        let own = self.inspector.enabled(&own, limit).await?;
        let own_account = own.first().map(|own| own.account.clone());
        let mut all: BTreeMap<String, Enablement> =
            own.into_iter().map(|one| (one.account.clone(), one)).collect();
        let administrator = self.inspector.administrator(limit).await?;
        if administrator.is_some() && administrator == own_account {
            let members = self.inspector.members(limit).await?;
            let (here, away): (Vec<_>, Vec<_>) =
                members.into_iter().partition(|member| member.status == "ENABLED");
            for some in here.chunks(ACCOUNTS_PER_CALL) {
                let accounts: Vec<String> = some.iter().map(|one| one.account.clone()).collect();
                let some = self.inspector.enabled(&accounts, limit).await?;
                all.extend(some.into_iter().map(|one| (one.account.clone(), one)));
            }
            // One that has left is no longer looked after from here.
            let left = ["REMOVED", "DELETED", "RESIGNED"];
            let away = away.into_iter().filter(|member| !left.contains(&member.status.as_str()));
            for member in away {
                all.entry(member.account.clone()).or_insert(member);
            }
        }
        let now = course.attempt.now;
        let gaps: Vec<Gap> = all.values().flat_map(|one| one.gaps(now)).collect();
        let store = &self.triage.store;
        let on: Vec<String> =
            all.values().filter(|one| one.is_on()).map(|one| one.account.clone()).collect();
        let before = store.gaps(None).await.map_err(Failure::Store)?;
        // Resources of an account that has left, or in which all is off, are asked about no more.
        let is_ours = |gap: &Gap| gap.subject == Subject::Account || !on.contains(&gap.account);
        let before: Vec<Gap> = before.into_iter().filter(is_ours).collect();
        let off = gaps.len();
        // What was off when we came is a gap, and no news.
        let is_news = |gap: &&Gap| {
            before.iter().all(|known| (&known.account, known.key()) != (&gap.account, gap.key()))
        };
        for gap in gaps.iter().filter(|_| !course.round().is_first).filter(is_news) {
            (course.attempt.observe)(Observation::SwitchedOff {
                account: gap.account.clone(),
                scan: gap.scan.clone(),
                status: gap.reason.clone(),
            });
        }
        note_gaps(store, before, gaps, limit).await?;
        store.remember_accounts(&on).await.map_err(Failure::Store)?;
        let progress = course.progress(Part::Enabled);
        progress.counts.clear();
        progress.count("accounts", all.len());
        progress.count("off", off);
        Ok(Ended::Done)
    }
}

/// Writes down what changed of gaps: those that are `there` now, and were `before`.
pub(super) async fn note_gaps<S: Gaps>(
    store: &S,
    before: Vec<Gap>,
    there: Vec<Gap>,
    limit: TimeLimit<'_>,
) -> Result<(), Failure> {
    let key = |gap: &Gap| (gap.account.clone(), gap.key());
    let keys: BTreeSet<_> = there.iter().map(key).collect();
    let (still, gone): (Vec<_>, Vec<_>) =
        before.into_iter().partition(|gap| keys.contains(&key(gap)));
    let still: BTreeMap<_, Gap> = still.into_iter().map(|gap| (key(&gap), gap)).collect();
    let changed = there.into_iter().filter_map(|gap| match still.get(&key(&gap)) {
        None => Some(gap),
        Some(before) => {
            let gap = gap.seen_before(before);
            (gap != *before).then_some(gap)
        }
    });
    let changed: Vec<Gap> = changed.collect();
    if changed.is_empty() && gone.is_empty() {
        return Ok(());
    }
    store.change_gaps(&changed, &gone, limit).await.map_err(Failure::Store)
}
