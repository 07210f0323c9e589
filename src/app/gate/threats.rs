//! What is known of attacks, asked for where it could close the gate.

use std::collections::HashMap;

use futures_util::{StreamExt, TryStreamExt, stream};

use super::{Asking, INSPECTOR, Unknown, failed};
use crate::{
    app::{
        failure::chain,
        ports::{Clock, Images, Inspector, NAMES_PER_CALL, NotAnswered},
    },
    domain::{
        gate::{Candidate, Judging, Note, Unchecked, Verdict, judge},
        threat::Threat,
    },
};

/// How many calls are under way at a time.
const CONCURRENCY: usize = 4;

impl<I: Inspector + Sync, R: Images + Sync, C: Clock + Sync> Asking<'_, I, R, C> {
    /// Has findings know what is known of attacks on their vulnerabilities, where that could close the gate. Gives what could
    /// not be learned.
    ///
    /// # Errors
    /// A call failed, and the gate is not closed without it.
    pub async fn learn(
        &self,
        candidates: &mut [Candidate],
        judging: &Judging<'_>,
    ) -> Result<Option<Note>, Unknown> {
        // One finding speaks for all of its vulnerability.
        let mut vulnerabilities: HashMap<String, String> = HashMap::new();
        for candidate in candidates.iter().filter(|one| judging.could_close(one)) {
            if let Some(id) = candidate.finding.vulnerability() {
                let arn = || candidate.finding.arn.clone();
                vulnerabilities.entry(id.to_owned()).or_insert_with(arn);
            }
        }
        let unchecked = |vulnerabilities, why| Note::Unchecked { vulnerabilities, why };
        let arns: Vec<String> = vulnerabilities.values().cloned().collect();
        let known = match self.details(arns).await {
            Ok(known) => known,
            // It is closed whatever else there is to know.
            Err(not) if judge(candidates.to_vec(), judging).verdict() == Verdict::Closed => {
                let why = Unchecked::Failed(chain(&not.failed));
                return Ok(Some(unchecked(vulnerabilities.len(), why)));
            }
            Err(not) => return Err(failed(INSPECTOR)(not)),
        };
        for candidate in candidates.iter_mut() {
            let arn = candidate.finding.vulnerability().and_then(|id| vulnerabilities.get(id));
            if let Some(threat) = arn.and_then(|arn| known.get(arn)) {
                candidate.threat = Some(threat.clone());
            }
        }
        let missing = vulnerabilities.len().saturating_sub(known.len());
        Ok((missing > 0).then(|| unchecked(missing, Unchecked::NoDetails)))
    }

    /// What is known of attacks on the vulnerabilities of these findings, by their ARNs.
    async fn details(&self, arns: Vec<String>) -> Result<HashMap<String, Threat>, NotAnswered> {
        let now = self.waiting.now();
        let calls = arns.chunks(NAMES_PER_CALL).map(|arns| {
            self.waiting.limited(async move |limit| self.inspector.details(arns, now, limit).await)
        });
        stream::iter(calls)
            .buffer_unordered(CONCURRENCY)
            .try_fold(HashMap::new(), async |mut all, some| {
                all.extend(some);
                Ok(all)
            })
            .await
    }
}
