//! Amazon Inspector itself: the only place that speaks to Inspector2.

mod body;
mod coverage;
mod enabled;
mod findings;
mod rules;
mod threats;

use aws_sdk_inspector2::{Client, config, config::retry::RetryConfig};
use jiff::Timestamp;

use super::pace::{self, Pace};
use crate::{
    app::{Details, FindingQuery, Inspector, NotAnswered, Page, TimeLimit},
    domain::{
        coverage::{Coverage, Enablement},
        finding::Finding,
        suppression::SuppressionRule,
        threat::Threat,
    },
};

/// Amazon Inspector in one Region.
#[derive(Clone, Debug)]
pub struct Inspector2 {
    client: Client,
    region: Option<String>,
    pace: Pace,
}

impl Inspector2 {
    /// Inspector, asked at most `calls_a_second` times a second.
    pub fn new(config: config::Builder, calls_a_second: f64) -> Self {
        Self::at(config, Pace::new(calls_a_second))
    }

    /// Inspector, asked as fast as it answers: for the few calls that somebody waits for.
    pub fn unpaced(config: config::Builder) -> Self {
        Self::at(config, Pace::unpaced())
    }

    fn at(config: config::Builder, pace: Pace) -> Self {
        let config = config.retry_config(RetryConfig::disabled()).timeout_config(pace::timeouts());
        let config = config.build();
        let region = config.region().map(|region| region.as_ref().to_owned());
        Self { client: Client::from_conf(config), region, pace }
    }
}

impl Inspector for Inspector2 {
    fn region(&self) -> Option<&str> {
        self.region.as_deref()
    }

    async fn findings(
        &self,
        query: &FindingQuery,
        token: Option<&str>,
        limit: TimeLimit<'_>,
    ) -> Result<Page<Finding>, NotAnswered> {
        self.list_findings(query, token, limit).await
    }

    async fn unobserved(
        &self,
        account: &str,
        token: Option<&str>,
        limit: TimeLimit<'_>,
    ) -> Result<Page<Coverage>, NotAnswered> {
        self.list_unobserved(account, token, limit).await
    }

    async fn coverage_of(
        &self,
        resources: &[String],
        token: Option<&str>,
        limit: TimeLimit<'_>,
    ) -> Result<Page<Coverage>, NotAnswered> {
        self.list_resources(resources, token, limit).await
    }

    async fn excluded(
        &self,
        token: Option<&str>,
        limit: TimeLimit<'_>,
    ) -> Result<Page<Coverage>, NotAnswered> {
        self.list_excluded(token, limit).await
    }

    async fn functions_called(
        &self,
        names: &[String],
        token: Option<&str>,
        limit: TimeLimit<'_>,
    ) -> Result<Page<Coverage>, NotAnswered> {
        self.list_functions(names, token, limit).await
    }

    async fn coverage_of_project(
        &self,
        project: &str,
        token: Option<&str>,
        limit: TimeLimit<'_>,
    ) -> Result<Page<Coverage>, NotAnswered> {
        self.list_project(project, token, limit).await
    }

    async fn suppression_rules(
        &self,
        token: Option<&str>,
        limit: TimeLimit<'_>,
    ) -> Result<Page<SuppressionRule>, NotAnswered> {
        self.list_rules(token, limit).await
    }

    async fn details(
        &self,
        arns: &[String],
        now: Timestamp,
        limit: TimeLimit<'_>,
    ) -> Result<Details, NotAnswered> {
        self.details_of(arns, now, limit).await
    }

    async fn vulnerability(
        &self,
        id: &str,
        now: Timestamp,
        limit: TimeLimit<'_>,
    ) -> Result<Option<Threat>, NotAnswered> {
        self.search(id, now, limit).await
    }

    async fn enabled(
        &self,
        accounts: &[String],
        limit: TimeLimit<'_>,
    ) -> Result<Vec<Enablement>, NotAnswered> {
        self.status_of(accounts, limit).await
    }

    async fn administrator(&self, limit: TimeLimit<'_>) -> Result<Option<String>, NotAnswered> {
        self.delegated_administrator(limit).await
    }

    async fn members(&self, limit: TimeLimit<'_>) -> Result<Vec<Enablement>, NotAnswered> {
        self.list_members(limit).await
    }
}
