//! Whether Inspector is on: which accounts there are, and what is scanned in each.

use std::collections::BTreeMap;

use super::{Course, Ended, Review, Undone};
use crate::{
    app::{
        attempt::Observation,
        failure::{Failure, chain},
        ports::{Gaps, Inspector, NotAnswered, Refusal, RoundLog},
    },
    domain::{
        coverage::{Enablement, Gap, GapChange, Observed},
        round::Part,
    },
};

/// How many accounts Inspector tells of in one answer.
const ACCOUNTS_PER_CALL: usize = 100;
/// How an account is related to this one that is no longer looked after from here.
const LEFT: [&str; 3] = ["REMOVED", "DELETED", "RESIGNED"];

/// What Inspector says of accounts.
struct Told {
    /// By account.
    all: BTreeMap<String, Enablement>,
    /// Whether these are all accounts there are.
    is_complete: bool,
}

impl<S: Gaps + RoundLog, P, I: Inspector, A> Review<S, P, I, A> {
    /// Asks what is on in which account, and remembers what is off since when.
    pub(super) async fn enabled(&self, course: &mut Course<'_, S>) -> Result<Ended, Undone> {
        let store = &self.triage.store;
        let Told { all, is_complete } = self.told(course).await?;
        let now = course.now();
        let accounts_before = store.accounts().await.map_err(Failure::Store)?.unwrap_or_default();
        let before = store.account_gaps().await.map_err(Failure::Store)?;

        // Of an account that Inspector cannot tell of at the moment is true what was true before.
        let is_as_before = |account: &str| match all.get(account) {
            Some(told) => told.is_unknown(),
            None => !is_complete,
        };
        let mut on: BTreeMap<String, Observed> = BTreeMap::new();
        // But not that its scans are on: absence in a listing says nothing there.
        let unsure = |one: &Observed| Observed { scans: Vec::new(), ..one.clone() };
        let as_before = accounts_before.iter().filter(|one| is_as_before(&one.account)).map(unsure);
        for one in all.values().filter_map(Enablement::observed).chain(as_before) {
            on.entry(one.account.clone()).or_insert(one);
        }
        let is_unsettled = |gap: &Gap| {
            let told = all.get(&gap.account);
            told.map_or(!is_complete, |told| {
                told.unknown().iter().any(|scan| ["", &gap.scan].contains(scan))
            })
        };
        let there: Vec<Gap> = all.values().flat_map(|one| one.gaps(now)).collect();

        let (mut news, mut changes) = (Vec::new(), Vec::new());
        let key = |gap: &Gap| (gap.account.clone(), gap.key());
        let mut known: BTreeMap<_, Gap> = before.into_iter().map(|gap| (key(&gap), gap)).collect();
        let off = there.len();
        for gap in there {
            match known.remove(&key(&gap)) {
                None => news.push(gap),
                Some(before) => changes.extend(gap.after(Some(&before)).change(Some(&before))),
            }
        }
        let mut gone: Vec<Gap> = known.into_values().filter(|gap| !is_unsettled(gap)).collect();
        // What was off when we came is a gap, and no news. Told before it is written down: better twice than never.
        for gap in news.iter().filter(|_| !course.round().is_first) {
            (course.attempt().observe)(Observation::SwitchedOff {
                account: gap.account.clone(),
                scan: gap.scan.clone(),
                status: gap.reason.clone(),
            });
        }
        changes.extend(news.into_iter().map(GapChange::There));
        // Resources of an account that has left, or in which all is off, are asked about no more.
        for Observed { account, .. } in &accounts_before {
            if !on.contains_key(account) {
                gone.extend(store.resource_gaps(account).await.map_err(Failure::Store)?);
            }
        }
        changes.extend(gone.iter().map(|gap| gap.gone(now)));
        if !changes.is_empty() {
            store.change_gaps(&changes, course.limit()).await.map_err(Failure::Store)?;
        }
        let on: Vec<Observed> = on.into_values().collect();
        store.remember_accounts(&on).await.map_err(Failure::Store)?;
        let progress = course.progress(Part::Enabled);
        progress.counts.clear();
        progress.count("accounts", all.len());
        progress.count("off", off);
        if !is_complete {
            progress.count("denied", 1);
        }
        Ok(Ended::Done)
    }

    /// Asks about this account, and all that it administers.
    async fn told(&self, course: &Course<'_, S>) -> Result<Told, Undone> {
        let limit = course.limit();
        // Where the account is not known, Inspector takes the one that asks.
        let own: Vec<String> = course.attempt().account().map(str::to_owned).into_iter().collect();
        let own = self.inspector.enabled(&own, limit).await?;
        let own_account = own.first().map(|own| own.account.clone());
        let mut all: BTreeMap<String, Enablement> =
            own.into_iter().map(|one| (one.account.clone(), one)).collect();
        let members = async {
            match self.inspector.administrator(limit).await? {
                administrator if administrator.is_some() && administrator == own_account => {
                    self.inspector.members(limit).await
                }
                _ => Ok(Vec::new()),
            }
        };
        let members = match members.await {
            Ok(members) => members,
            Err(NotAnswered { why: Refusal::Denied, failed }) => {
                let what =
                    "which accounts this one administers is not known: it is taken to be as before";
                let reason = chain(&failed);
                (course.attempt().observe)(Observation::Warning { what: what.to_owned(), reason });
                return Ok(Told { all, is_complete: false });
            }
            Err(refused) => return Err(refused.into()),
        };
        let (here, away): (Vec<_>, Vec<_>) =
            members.into_iter().partition(|member| member.status == "ENABLED");
        for some in here.chunks(ACCOUNTS_PER_CALL) {
            let accounts: Vec<String> = some.iter().map(|one| one.account.clone()).collect();
            let some = self.inspector.enabled(&accounts, limit).await?;
            all.extend(some.into_iter().map(|one| (one.account.clone(), one)));
        }
        for member in away.into_iter().filter(|member| !LEFT.contains(&member.status.as_str())) {
            all.entry(member.account.clone()).or_insert(member);
        }
        Ok(Told { all, is_complete: true })
    }
}
