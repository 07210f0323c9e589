//! What is known of attacks, asked for where it could close the gate.

use std::collections::{BTreeMap, HashMap};

use futures_util::{StreamExt, TryStreamExt, stream};

use super::{Asking, INSPECTOR, Unknown, failed};
use crate::{
    app::{
        failure::{CallFailed, chain},
        ports::{Clock, Details, Images, Inspector, NAMES_PER_CALL, NotAnswered, Refusal},
    },
    domain::{
        gate::{Candidate, Judging, Note, Unchecked, Verdict, judge},
        threat::Threat,
    },
};

/// How many calls are under way at a time.
const CONCURRENCY: usize = 4;
/// How many findings of a vulnerability are asked about at most, one after the other, until one has details.
const MAX_FINDINGS: usize = 3;

/// The findings of each vulnerability, by their ARNs.
type Vulnerabilities = BTreeMap<String, Vec<String>>;

impl<I: Inspector + Sync, R: Images + Sync, C: Clock + Sync> Asking<'_, I, R, C> {
    /// Has findings know what is known of attacks on their vulnerabilities: where that could close the gate, and where a
    /// suppression rule hides what is exploited, because a rule outlives the facts. Gives what could not be learned.
    ///
    /// # Errors
    /// A call failed, and the gate is not closed without it.
    pub async fn learn(
        &self,
        candidates: &mut [Candidate],
        judging: &Judging<'_>,
    ) -> Result<Vec<Note>, Unknown> {
        let could_close = vulnerabilities(candidates, |one| judging.could_close(one));
        let hidden = vulnerabilities(candidates, |one| judging.is_hidden(one));
        let mut notes = Vec::new();
        for (vulnerabilities, is_decisive) in [(could_close, true), (hidden, false)] {
            let vulnerabilities_asked = vulnerabilities.len();
            let unchecked = |vulnerabilities, why| Note::Unchecked { vulnerabilities, why };
            let known = match self.known(vulnerabilities).await {
                Ok(known) => known,
                // It is closed, or these are excepted, whatever else there is to know.
                Err(not) if !is_decisive || is_closed(candidates, judging) => {
                    let why = Unchecked::Failed(chain(&not.failed));
                    notes.push(unchecked(vulnerabilities_asked, why));
                    continue;
                }
                Err(not) => return Err(failed(INSPECTOR)(not)),
            };
            for candidate in candidates.iter_mut() {
                let threat = candidate.finding.vulnerability().and_then(|id| known.get(id));
                if let Some(threat) = threat {
                    candidate.threat = Some(threat.clone());
                }
            }
            let missing = vulnerabilities_asked.saturating_sub(known.len());
            notes.extend((missing > 0).then(|| unchecked(missing, Unchecked::NoDetails)));
        }
        Ok(notes)
    }

    /// What is known of attacks on vulnerabilities: what one of their findings has of them.
    async fn known(
        &self,
        mut vulnerabilities: Vulnerabilities,
    ) -> Result<HashMap<String, Threat>, NotAnswered> {
        let mut known = HashMap::new();
        for turn in 0..MAX_FINDINGS {
            let arns =
                vulnerabilities.values().filter_map(|arns| arns.get(turn).cloned()).collect();
            let details = self.details(arns).await?;
            vulnerabilities.retain(|id, arns| {
                let threat = arns.get(turn).and_then(|arn| details.get(arn));
                known.extend(threat.map(|threat| (id.clone(), threat.clone())));
                threat.is_none()
            });
        }
        Ok(known)
    }

    /// What the details of findings say, by their ARNs.
    async fn details(&self, arns: Vec<String>) -> Result<HashMap<String, Threat>, NotAnswered> {
        let now = self.waiting.now();
        let calls = arns.chunks(NAMES_PER_CALL).map(|arns| {
            self.waiting.limited(async move |limit| self.inspector.details(arns, now, limit).await)
        });
        stream::iter(calls)
            .buffer_unordered(CONCURRENCY)
            .try_fold(HashMap::new(), async |mut all, Details { known, refused }| {
                if let Some((arn, why)) = refused.into_iter().next() {
                    let operation = "Inspector2 BatchGetFindingDetails";
                    let failed = CallFailed { operation, object: arn, source: why.into() };
                    return Err(NotAnswered { why: Refusal::Other, failed });
                }
                all.extend(known);
                Ok(all)
            })
            .await
    }
}

fn is_closed(candidates: &[Candidate], judging: &Judging<'_>) -> bool {
    judge(candidates.to_vec(), judging).verdict() == Verdict::Closed
}

/// The vulnerabilities of some findings.
fn vulnerabilities(
    candidates: &[Candidate],
    is_asked: impl Fn(&Candidate) -> bool,
) -> Vulnerabilities {
    let mut vulnerabilities = Vulnerabilities::new();
    for candidate in candidates.iter().filter(|one| is_asked(one)) {
        if let Some(id) = candidate.finding.vulnerability() {
            let arns = vulnerabilities.entry(id.to_owned()).or_default();
            arns.push(candidate.finding.arn.clone());
        }
    }
    vulnerabilities
}
