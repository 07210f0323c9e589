//! Where a record stands, as far as news of attacks on its vulnerability may move it: the same for very many.

use super::Record;
use crate::domain::{
    assess::{Assessment, Deadlines, Factor, Policy, Priority, Reason},
    threat::Threat,
};

/// What decides whether news of attacks changes a record.
#[derive(Clone, Debug, PartialEq)]
pub struct Stance {
    /// Its class, by all that is known.
    priority: Priority,
    /// The points that no probability gives, and the probability that its event says. None if it has none.
    others: Option<(u8, Option<f64>)>,
    /// What it knows that is worth telling.
    threat: Option<Threat>,
    /// Whether it knows if CISA lists it.
    knows_catalogue: bool,
}

impl Stance {
    /// Where `record` stands under `policy`.
    pub fn of(record: &Record, policy: &Policy) -> Self {
        let record = record.reassessed_under(policy);
        let assessment = record.assessment();
        let is_threat = |reason: &&Reason| {
            matches!(reason.factor, Factor::Epss { .. } | Factor::KnownExploited { .. })
        };
        let points = assessment.reasons.iter().find(is_threat).map(|reason| reason.points);
        Self {
            priority: assessment.priority,
            others: points.map(|points| (assessment.score - points, record.finding.epss)),
            threat: record.threat.as_ref().and_then(Threat::worth_telling),
            knows_catalogue: record.threat.as_ref().is_some_and(Threat::knows_catalogue),
        }
    }

    /// Whether a record that stands here may be another one once `threat` is known, under this rule for due dates.
    pub fn is_moved_by(&self, threat: &Threat, deadlines: Deadlines) -> bool {
        let is_told = match (&self.threat, threat.worth_telling()) {
            (Some(known), Some(threat)) => known.agrees_with(&threat),
            (None, None) => true,
            _ => false,
        };
        let class = |(others, probability)| Assessment::class_with(others, probability, threat);
        let asks = deadlines == Deadlines::Bod2604;
        let is_answered = asks && !self.knows_catalogue && threat.knows_catalogue();
        !is_told || is_answered || self.others.is_some_and(|others| class(others) != self.priority)
    }
}
