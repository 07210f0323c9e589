//! Lines that texts of a ticket have in common.

use super::{Block, Inline, phrase::Phrase};
use crate::{
    domain::{finding::ResourceType, record::Record},
    render::{Style, view::safe, words::kind},
};

/// A resource with a finding, one a point; of more than `most` how many more there are.
pub fn of_resources(records: &[&Record], most: usize, style: &Style) -> Block {
    let mut points: Vec<Vec<Inline>> =
        records.iter().take(most).map(|record| of_resource(record, style)).collect();
    if let Some(more) = records.len().checked_sub(most).filter(|more| *more > 0) {
        points.push(vec![Inline::Text(Phrase::More(more).in_words(style.language))]);
    }
    Block::Points(points)
}

/// `prod-api (EC2 instance, 111122223333, eu-central-1), P1`.
fn of_resource(record: &Record, style: &Style) -> Vec<Inline> {
    let finding = &record.finding;
    let resource = finding.resource();
    let name = resource.map(|resource| safe(&resource.display_name(), 100)).unwrap_or_default();
    let id = resource.map(|resource| safe(&resource.id, 200)).filter(|id| *id != name);
    let kind = resource.map(|resource| match &resource.kind {
        ResourceType::Other(word) => safe(word, 60),
        known => kind(known, style.language).to_owned(),
    });
    let region = resource.and_then(|resource| resource.region.as_ref()).or(finding.region.as_ref());
    let text = |text: String| Inline::Text(text);
    let cover = record.exception().map(|exception| {
        let id = safe(&exception.id, 64);
        let until = exception.terms.expires_at;
        Phrase::CoveredBy { id, until }.in_words(style.language)
    });
    let about = [
        kind.map(text),
        id.map(Inline::Code),
        Some(Inline::Code(safe(&finding.account, 20))),
        region.map(|region| text(safe(region, 40))),
        Some(text(record.priority().as_str().to_owned())),
        cover.map(text),
    ];
    let mut line = vec![Inline::Code(name)];
    for (index, part) in about.into_iter().flatten().enumerate() {
        line.push(text(if index == 0 { " (" } else { ", " }.to_owned()));
        line.push(part);
    }
    line.push(text(")".to_owned()));
    line
}

/// A page. Only `https` can be clicked.
pub fn link(text: String, url: &str) -> Inline {
    if url.starts_with("https://") {
        Inline::Link { text, url: url.to_owned() }
    } else {
        Inline::Text(format!("{text}: {}", safe(url, 512)))
    }
}
