//! Listings of findings.

use aws_sdk_inspector2::types::{
    DateFilter, FilterCriteria, SortCriteria, SortField, SortOrder, StringComparison, StringFilter,
    builders::FilterCriteriaBuilder,
};
use aws_smithy_types::DateTime;
use jiff::Timestamp;
use serde_json::Value;

use super::{Inspector2, body::Body};
use crate::{
    app::{
        FindingQuery, NotAnswered, Page, Refusal, Sighting, TimeLimit,
        failure::{BoxError, CallFailed},
    },
    domain::finding::{Envelope, Finding, show},
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
    ) -> Result<Page<Sighting>, NotAnswered> {
        let broken = |source: BoxError| NotAnswered {
            why: Refusal::Other,
            failed: CallFailed { operation: LIST, object: String::new(), source },
        };
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
        let answer = answer.await?;
        let json = body.json().map_err(|error| broken(error.into()))?;
        let Some(listed) = json.get("findings").and_then(Value::as_array) else {
            let found = show(json.get("findings"));
            return Err(broken(format!("expected findings, an array; found {found}").into()));
        };
        let mut page = Page {
            items: Vec::with_capacity(listed.len()),
            unread: Vec::new(),
            // An empty one is not one that Inspector takes.
            next: answer.next_token.filter(|token| !token.is_empty()),
        };
        for finding in listed {
            match Finding::read(finding, "", Envelope::default()) {
                Ok((finding, oddities)) => page.items.push(Sighting { finding, oddities }),
                Err(malformed) => page.unread.push(malformed.to_string()),
            }
        }
        if page.next.is_some() && page.next.as_deref() == token {
            return Err(broken("the token of the next page is that of this page".into()));
        }
        Ok(page)
    }
}

/// The filter of a query: the same bytes for the same query.
fn filter(query: &FindingQuery) -> Result<FilterCriteria, BoxError> {
    let from = |moment: Timestamp| {
        let start = DateTime::from_millis(moment.as_millisecond().max(0));
        DateFilter::builder().start_inclusive(start).end_inclusive(DateTime::from_secs(END)).build()
    };
    let filter = FilterCriteria::builder().first_observed_at(from(query.observed_from));
    Ok(match query.changed_since {
        Some(since) => filter.updated_at(from(since)),
        None => not_closed(filter)?,
    }
    .build())
}

/// The statuses of findings that were not closed. Without a filter all come, closed ones for up to thirty days.
fn not_closed(mut filter: FilterCriteriaBuilder) -> Result<FilterCriteriaBuilder, BoxError> {
    for status in ["ACTIVE", "SUPPRESSED"] {
        let is = StringFilter::builder().comparison(StringComparison::Equals).value(status);
        filter = filter.finding_status(is.build()?);
    }
    Ok(filter)
}
