//! What Inspector knows of attacks on vulnerabilities.

use aws_sdk_inspector2::types::{
    FindingDetailsErrorCode::FindingDetailsNotFound as NoDetails,
    SearchVulnerabilitiesFilterCriteria,
};
use jiff::Timestamp;
use serde_json::Value;

use super::{Inspector2, body::Body};
use crate::{
    adapters::failed::broken,
    app::{Details, NotAnswered, TimeLimit},
    domain::threat::Threat,
};

const DETAILS: &str = "Inspector2 BatchGetFindingDetails";
const SEARCH: &str = "Inspector2 SearchVulnerabilities";

impl Inspector2 {
    /// What the details of findings say.
    pub(super) async fn details_of(
        &self,
        arns: &[String],
        now: Timestamp,
        limit: TimeLimit<'_>,
    ) -> Result<Details, NotAnswered> {
        let object = format!("of {} findings", arns.len());
        let body = Body::default();
        let answer = self.pace.call(DETAILS, &object, limit, || {
            let call = self.client.batch_get_finding_details();
            let call = call.set_finding_arns(Some(arns.to_vec())).customize();
            call.interceptor(body.clone()).send()
        });
        let errors = answer.await?.errors.unwrap_or_default();
        // That there are none is an answer; that one may not know them is not.
        let refused = errors.into_iter().filter(|one| one.error_code != NoDetails);
        let refused = refused.map(|one| (one.finding_arn, one.error_code.as_str().to_owned()));
        let details =
            body.list("findingDetails").map_err(|error| broken(DETAILS, &object, error))?;
        let known = details.iter().filter_map(|details| {
            let arn = details.get("findingArn").and_then(Value::as_str)?;
            Some((arn.to_owned(), Threat::read(details, now)))
        });
        Ok(Details { known: known.collect(), refused: refused.collect() })
    }

    /// What Inspector's list of vulnerabilities says of one, if it has it.
    pub(super) async fn search(
        &self,
        id: &str,
        now: Timestamp,
        limit: TimeLimit<'_>,
    ) -> Result<Option<Threat>, NotAnswered> {
        let filter = SearchVulnerabilitiesFilterCriteria::builder().vulnerability_ids(id).build();
        let filter = filter.map_err(|error| broken(SEARCH, id, error.into()))?;
        let body = Body::default();
        let answer = self.pace.call(SEARCH, id, limit, || {
            let call = self.client.search_vulnerabilities().filter_criteria(filter.clone());
            call.customize().interceptor(body.clone()).send()
        });
        answer.await?;
        let found = body.list("vulnerabilities").map_err(|error| broken(SEARCH, id, error))?;
        let is_it = |one: &&Value| one.get("id").and_then(Value::as_str) == Some(id);
        Ok(found.iter().find(is_it).map(|found| Threat::read(found, now)))
    }
}
