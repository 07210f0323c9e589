//! What Inspector looks at, and what not.

use aws_sdk_inspector2::types::{
    CoverageFilterCriteria, CoverageStringComparison, CoverageStringFilter,
};

use super::{Inspector2, body::Body};
use crate::{
    adapters::failed::broken,
    app::{NotAnswered, Page, TimeLimit, failure::BoxError},
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
        let filter = || {
            let filter = CoverageFilterCriteria::builder()
                .account_id(filter(CoverageStringComparison::Equals, account)?)
                .scan_status_reason(filter(CoverageStringComparison::NotEquals, "SUCCESSFUL")?);
            Ok(filter.build())
        };
        self.list_coverage(account, filter(), token, limit).await
    }

    /// A page of all that there is of these resources.
    pub(super) async fn list_resources(
        &self,
        resources: &[String],
        token: Option<&str>,
        limit: TimeLimit<'_>,
    ) -> Result<Page<Coverage>, NotAnswered> {
        let ids = resources.iter().map(|id| filter(CoverageStringComparison::Equals, id));
        let filter = ids
            .collect::<Result<_, _>>()
            .map(|ids| CoverageFilterCriteria::builder().set_resource_id(Some(ids)).build());
        let object = resources.first().map(String::as_str).unwrap_or_default();
        self.list_coverage(object, filter, token, limit).await
    }

    /// A page of the resources that a tag keeps out of a scan.
    pub(super) async fn list_excluded(
        &self,
        token: Option<&str>,
        limit: TimeLimit<'_>,
    ) -> Result<Page<Coverage>, NotAnswered> {
        let reason = filter(CoverageStringComparison::Equals, "EXCLUDED_BY_TAG");
        let filter = reason
            .map(|reason| CoverageFilterCriteria::builder().scan_status_reason(reason).build());
        self.list_coverage("that a tag excludes", filter, token, limit).await
    }

    /// A page of all that there is of the functions with these names.
    pub(super) async fn list_functions(
        &self,
        names: &[String],
        token: Option<&str>,
        limit: TimeLimit<'_>,
    ) -> Result<Page<Coverage>, NotAnswered> {
        let called = names.iter().map(|name| filter(CoverageStringComparison::Equals, name));
        let filter = called.collect::<Result<_, _>>().map(|called| {
            CoverageFilterCriteria::builder().set_lambda_function_name(Some(called)).build()
        });
        let object = names.first().map(String::as_str).unwrap_or_default();
        self.list_coverage(object, filter, token, limit).await
    }

    /// A page of all that there is of the code repositories whose project is called so.
    pub(super) async fn list_project(
        &self,
        project: &str,
        token: Option<&str>,
        limit: TimeLimit<'_>,
    ) -> Result<Page<Coverage>, NotAnswered> {
        let called = filter(CoverageStringComparison::Equals, project);
        let filter = called.map(|called| {
            CoverageFilterCriteria::builder().code_repository_project_name(called).build()
        });
        self.list_coverage(project, filter, token, limit).await
    }

    async fn list_coverage(
        &self,
        object: &str,
        filter: Result<CoverageFilterCriteria, BoxError>,
        token: Option<&str>,
        limit: TimeLimit<'_>,
    ) -> Result<Page<Coverage>, NotAnswered> {
        let broken = |source| broken(LIST, object, source);
        let filter = filter.map_err(broken)?;
        let body = Body::default();
        let answer = self.pace.call(LIST, object, limit, || {
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

fn filter(
    comparison: CoverageStringComparison,
    value: &str,
) -> Result<CoverageStringFilter, BoxError> {
    Ok(CoverageStringFilter::builder().comparison(comparison).value(value).build()?)
}
