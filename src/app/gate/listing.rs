//! What Inspector lists, all pages of it, once it stands still.

use std::{collections::BTreeSet, time::Duration};

use jiff::Timestamp;

use super::{Asking, INSPECTOR, Progress, Unknown, failed};
use crate::{
    app::{
        attempt::TimeLimit,
        ports::{Clock, FindingQuery, Images, Inspector, NotAnswered, Page, Refusal, Which},
    },
    domain::{
        finding::{Finding, Status},
        gate::{CannotTell, ScanState, Settled},
    },
};

/// How far two listings are apart that have to agree.
const SETTLING_PAUSE: Duration = Duration::from_secs(30);
/// How often a listing is begun whose pages end in the midst of it.
const MAX_LISTINGS: usize = 3;

impl<I: Inspector + Sync, R: Images + Sync, C: Clock + Sync> Asking<'_, I, R, C> {
    /// What Inspector lists, all pages of it, without what is closed.
    pub(super) async fn listed(&self, which: Which) -> Result<Vec<Finding>, Unknown> {
        let query = FindingQuery { which, observed_from: Timestamp::UNIX_EPOCH };
        let listed = self.pages("a finding", async |token, limit| {
            self.inspector.findings(&query, token, limit).await
        });
        let mut listed = listed.await?;
        listed.retain(|finding| finding.status != Status::Closed);
        Ok(listed)
    }

    /// Everything on all pages. A listing whose pages are not taken any more in the midst of it is begun anew.
    pub(super) async fn pages<T>(
        &self,
        what: &str,
        page: impl AsyncFn(Option<&str>, TimeLimit<'_>) -> Result<Page<T>, NotAnswered>,
    ) -> Result<Vec<T>, Unknown> {
        let (mut items, mut token, mut begun) = (Vec::new(), None::<String>, 1);
        loop {
            let call = self.waiting.limited(async |limit| page(token.as_deref(), limit).await);
            match call.await {
                Ok(page) => {
                    if let Some(why) = page.unread.into_iter().next() {
                        let origin = format!("{what} that Inspector lists");
                        return Err(CannotTell::Unread { origin, why }.into());
                    }
                    items.extend(page.items);
                    token = page.next;
                    if token.is_none() {
                        return Ok(items);
                    }
                }
                Err(not) if not.why == Refusal::Token && begun < MAX_LISTINGS => {
                    (items, token) = (Vec::new(), None);
                    begun += 1;
                }
                Err(not) => return Err(failed(INSPECTOR)(not)),
            }
        }
    }

    /// What `list` lists of something that was scanned at `scanned_at`, once that stands still: findings trail a scan.
    pub(super) async fn settled(
        &self,
        of: &str,
        scanned_at: Timestamp,
        list: impl AsyncFn() -> Result<Vec<Finding>, Unknown>,
    ) -> Result<Vec<Finding>, Unknown> {
        let mut before = None;
        loop {
            let settled = ScanState::settled(scanned_at, self.waiting.now());
            let listed = list().await?;
            let states = Some(states(&listed));
            if settled == Settled::Yes || states == before {
                return Ok(listed);
            }
            before = states;
            let progress = Progress::Settling { findings: listed.len() };
            let not_settled =
                |waited| CannotTell::NotSettled { of: of.to_owned(), at: scanned_at, waited };
            self.waiting.pause(SETTLING_PAUSE, progress, not_settled).await?;
        }
    }
}

/// Which findings there are, each in which state.
fn states(findings: &[Finding]) -> BTreeSet<(String, String, Option<Timestamp>)> {
    let state = |one: &Finding| (one.arn.clone(), one.status.to_string(), one.updated_at);
    findings.iter().map(state).collect()
}
