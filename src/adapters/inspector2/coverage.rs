//! What Inspector looks at, and what not.

use aws_sdk_inspector2::types::{
    CoverageFilterCriteria, CoverageStringComparison, CoverageStringFilter,
};

use super::{
    Inspector2,
    body::{Body, broken},
};
use crate::{
    app::{NotAnswered, Page, TimeLimit},
    domain::coverage::Coverage,
};

const LIST: &str = "Inspector2 ListCoverage";
/// As many resources as a page may have.
const PAGE_SIZE: i32 = 200;

impl Inspector2 {
    /// A page of the resources of an account that are not scanned well.
    pub(super) async fn list_unobserved(
        &self,
        account: &str,
        token: Option<&str>,
        limit: TimeLimit<'_>,
    ) -> Result<Page<Coverage>, NotAnswered> {
        let broken = |source| broken(LIST, account, source);
        let is = |comparison, value: &str| {
            let filter = CoverageStringFilter::builder().comparison(comparison).value(value);
            filter.build().map_err(|error| broken(error.into()))
        };
        let filter = CoverageFilterCriteria::builder()
            .account_id(is(CoverageStringComparison::Equals, account)?)
            .scan_status_reason(is(CoverageStringComparison::NotEquals, "SUCCESSFUL")?)
            .build();
        let body = Body::default();
        let answer = self.pace.call(LIST, account, limit, || {
            self.client
                .list_coverage()
                .filter_criteria(filter.clone())
                .max_results(PAGE_SIZE)
                .set_next_token(token.map(str::to_owned))
                .customize()
                .interceptor(body.clone())
                .send()
        });
        let next = answer.await?.next_token;
        body.page("coveredResources", token, next, Coverage::read).map_err(broken)
    }
}
