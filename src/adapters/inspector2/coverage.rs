//! What Inspector looks at, and what not.

use aws_sdk_inspector2::types::{
    CoverageFilterCriteria, CoverageStringComparison, CoverageStringFilter,
};
use serde_json::Value;

use super::{Inspector2, body::Body};
use crate::{
    app::{
        NotAnswered, Page, Refusal, TimeLimit,
        failure::{BoxError, CallFailed},
    },
    domain::{coverage::Coverage, finding::show},
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
        let broken = |source: BoxError| NotAnswered {
            why: Refusal::Other,
            failed: CallFailed { operation: LIST, object: account.to_owned(), source },
        };
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
        let answer = answer.await?;
        let json = body.json().map_err(|error| broken(error.into()))?;
        let Some(listed) = json.get("coveredResources").and_then(Value::as_array) else {
            let found = show(json.get("coveredResources"));
            return Err(broken(
                format!("expected coveredResources, an array; found {found}").into(),
            ));
        };
        let next = answer.next_token.filter(|token| !token.is_empty());
        let mut page = Page { items: Vec::with_capacity(listed.len()), unread: Vec::new(), next };
        for covered in listed {
            match Coverage::read(covered) {
                Ok(covered) => page.items.push(covered),
                Err(error) => page.unread.push(error.to_string()),
            }
        }
        if page.next.is_some() && page.next.as_deref() == token {
            return Err(broken("the token of the next page is that of this page".into()));
        }
        Ok(page)
    }
}
