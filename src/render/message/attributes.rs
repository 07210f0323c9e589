//! What subscriptions can filter by.

use crate::domain::{
    finding::Finding,
    record::{AlertReason, Record},
    text,
};

/// What subscriptions can filter by.
pub fn attributes(record: &Record, why: AlertReason) -> Vec<(&'static str, String)> {
    let (priority, severity) = (record.assessment.priority.as_str(), &record.finding.severity);
    filters(priority, severity.as_str(), properties(&record.finding), why.as_str())
}

/// What a finding has that several can have in common.
pub type Properties<'a> = [(&'static str, &'a str); 5];

/// What `finding` has of them.
pub fn properties(finding: &Finding) -> Properties<'_> {
    let resource = finding.resource();
    let fix = finding.fix_available.as_ref();
    [
        ("account", &finding.account),
        ("region", finding.region.as_deref().unwrap_or_default()),
        ("resource_type", resource.map_or("", |resource| resource.kind.as_str())),
        ("finding_type", finding.kind.as_str()),
        ("fix_available", fix.map_or("UNKNOWN", |fix| fix.as_str())),
    ]
}

/// Attributes that SNS takes: short lines, none empty.
pub fn filters(
    priority: &str,
    severity: &str,
    properties: Properties<'_>,
    reason: &str,
) -> Vec<(&'static str, String)> {
    let urgency = [("priority", priority), ("severity", severity)];
    let all = urgency.into_iter().chain(properties).chain([("reason", reason)]);
    all.map(|(name, value)| (name, text::cut_bytes(&text::line(value), 128)))
        .filter(|(_, value)| !value.is_empty())
        .collect()
}
