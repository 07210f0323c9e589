//! A finding whose message SNS refuses, in a message that it takes: little more than that there is this finding.

use std::collections::BTreeMap;

use jiff::Timestamp;

use super::{Language, Message, Style, alert};
use crate::domain::{
    finding::{Details, Finding, FindingType, Resource, ResourceType},
    record::{AlertReason, Audience, Record},
    text,
    threat::Threat,
};

/// The message about what is left of `record` when all that a stranger wrote is reduced to short ASCII or left out.
pub fn plain(
    audience: Audience,
    record: &Record,
    why: AlertReason,
    at: Timestamp,
    style: &Style,
) -> Message {
    alert(audience, &plain_record(record, style), why, at, style)
}

/// The records, reduced in the same way.
pub fn plain_records(records: &[&Record], style: &Style) -> Vec<Record> {
    records.iter().map(|record| plain_record(record, style)).collect()
}

fn plain_record(record: &Record, style: &Style) -> Record {
    let finding = essentials(&record.finding, style.language);
    let threat = record.threat.clone().map(Threat::without_text);
    Record { finding, threat, ..record.clone() }
}

fn essentials(finding: &Finding, language: Language) -> Finding {
    let resource = finding.resource().map(|resource| Resource {
        kind: ResourceType::from(plain_text(resource.kind.as_str()).as_str()),
        id: plain_text(&resource.id),
        region: None,
        account: None,
        tags: BTreeMap::new(),
        repository: None,
        image_tags: Vec::new(),
        name: None,
        platform: None,
        ipv4: Vec::new(),
        ipv6: Vec::new(),
        in_use: None,
    });
    Finding {
        arn: plain_text(&finding.arn),
        region: finding.region.as_deref().map(plain_text),
        kind: FindingType::from(plain_text(finding.kind.as_str()).as_str()),
        title: Some(plain_text(&finding.problem())),
        description: Some(notice(language).to_owned()),
        inspector_vector: None,
        recommendation: None,
        recommendation_url: None,
        details: Details::None,
        resources: resource.into_iter().collect(),
        ..finding.clone()
    }
}

fn plain_text(text: &str) -> String {
    let ascii: String =
        text::line(text).chars().map(|c| if c.is_ascii() { c } else { '?' }).collect();
    text::cut_bytes(&ascii, 200).replace(text::ELLIPSIS, "...")
}

fn notice(language: Language) -> &'static str {
    match language {
        Language::En => {
            "Amazon SNS refused the message that has all about this finding. Look the finding up by its ARN."
        }
        Language::Ja => {
            "この検出結果の全内容を含むメッセージは Amazon SNS に拒否されました。ARN で検出結果を確認してください。"
        }
    }
}
