//! Listings of findings.

use aws_sdk_inspector2::{
    error::BuildError,
    types::{
        DateFilter, FilterCriteria, SortCriteria, SortField, SortOrder, StringComparison,
        StringFilter, builders::FilterCriteriaBuilder,
    },
};
use aws_smithy_types::DateTime;
use jiff::Timestamp;
use serde_json::Value;

use super::{Inspector2, body::Body};
use crate::{
    adapters::failed::broken,
    app::{FindingQuery, NotAnswered, Page, TimeLimit, Which, failure::BoxError},
    domain::finding::{Envelope, Finding},
};

const LIST: &str = "Inspector2 ListFindings";
/// As many findings as a page may have: <https://docs.aws.amazon.com/inspector/v2/APIReference/API_ListFindings.html>.
const PAGE_SIZE: i32 = 100;
/// The last moment that a filter may name, in seconds since 1970: it takes no date from 2033 on.
const END: i64 = 1_956_528_000;

impl Inspector2 {
    pub(super) async fn list_findings(
        &self,
        query: &FindingQuery,
        token: Option<&str>,
        limit: TimeLimit<'_>,
    ) -> Result<Page<Finding>, NotAnswered> {
        let broken = |source| broken(LIST, "", source);
        let filter = filter(query).map_err(broken)?;
        let sort = SortCriteria::builder()
            .field(SortField::FirstObservedAt)
            .sort_order(SortOrder::Asc)
            .build()
            .map_err(|error| broken(error.into()))?;
        let body = Body::default();
        let answer = self.pace.call(LIST, "", limit, || {
            self.client
                .list_findings()
                .filter_criteria(filter.clone())
                .sort_criteria(sort.clone())
                .max_results(PAGE_SIZE)
                .set_next_token(token.map(str::to_owned))
                .customize()
                .interceptor(body.clone())
                .send()
        });
        let next = answer.await?.next_token;
        // A field that is odd is unknown, as in an event.
        let read = |finding: &Value| {
            Finding::read(finding, "", Envelope::default()).map(|(finding, _)| finding)
        };
        body.page("findings", token, next, read).map_err(broken)
    }
}

fn is(value: &str) -> Result<StringFilter, BuildError> {
    StringFilter::builder().comparison(StringComparison::Equals).value(value).build()
}

/// The filter of a query: the same bytes for the same query.
fn filter(query: &FindingQuery) -> Result<FilterCriteria, BoxError> {
    let from = |moment: Timestamp| {
        let start = DateTime::from_millis(moment.as_millisecond().max(0));
        DateFilter::builder().start_inclusive(start).end_inclusive(DateTime::from_secs(END)).build()
    };
    let mut filter = FilterCriteria::builder().first_observed_at(from(query.observed_from));
    let not_closed = |filter: FilterCriteriaBuilder| {
        let statuses = ["ACTIVE", "SUPPRESSED"].into_iter().map(is);
        Ok::<_, BoxError>(filter.set_finding_status(Some(statuses.collect::<Result<_, _>>()?)))
    };
    match &query.which {
        Which::ChangedSince(since) => filter = filter.updated_at(from(*since)),
        Which::ClosedSince(since) => {
            filter = filter.updated_at(from(*since)).finding_status(is("CLOSED")?);
        }
        // Without a filter all come, closed ones for up to thirty days.
        Which::NotClosed => filter = not_closed(filter)?,
        Which::OfImage(digest) => filter = not_closed(filter.ecr_image_hash(is(digest)?))?,
        Which::OfProject(project) => {
            filter = not_closed(filter.code_repository_project_name(is(project)?))?;
        }
        Which::These(arns) => {
            for arn in arns {
                filter = filter.finding_arn(is(arn)?);
            }
        }
    }
    Ok(filter.build())
}
