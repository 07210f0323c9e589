//! The rules by which Inspector hides findings.

use aws_sdk_inspector2::types::FilterAction;

use super::{Inspector2, body::Body};
use crate::{
    adapters::failed::broken,
    app::{NotAnswered, Page, TimeLimit},
    domain::suppression::SuppressionRule,
};

const LIST: &str = "Inspector2 ListFilters";
/// As many rules as a page may have.
const PAGE_SIZE: i32 = 100;

impl Inspector2 {
    pub(super) async fn list_rules(
        &self,
        token: Option<&str>,
        limit: TimeLimit<'_>,
    ) -> Result<Page<SuppressionRule>, NotAnswered> {
        let body = Body::default();
        let answer = self.pace.call(LIST, "", limit, || {
            self.client
                .list_filters()
                .action(FilterAction::Suppress)
                .max_results(PAGE_SIZE)
                .set_next_token(token.map(str::to_owned))
                .customize()
                .interceptor(body.clone())
                .send()
        });
        let next = answer.await?.next_token;
        let page = body.page("filters", token, next, SuppressionRule::read);
        page.map_err(|source| broken(LIST, "", source))
    }
}
