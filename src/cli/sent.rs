//! A finding in a file, and what stands beside it.

use serde_json::Value;

use crate::{
    app::failure::Failure,
    domain::{
        finding::Finding,
        threat::{INTELLIGENCE, Threat},
    },
    lambda::event,
};

/// The finding in an event, or as the API has it, and what is known of attacks on its vulnerability if somebody has put that
/// beside it.
///
/// # Errors
/// It is no finding, or what stands beside it is nothing of the kind.
pub fn finding(event: &[u8]) -> Result<(Finding, Option<Threat>), Failure> {
    let finding = event::finding(event)?.finding;
    // Most have none, and need not be read twice.
    if !std::str::from_utf8(event).is_ok_and(|text| text.contains(INTELLIGENCE)) {
        return Ok((finding, None));
    }
    let document: Value = serde_json::from_slice(event).map_err(Failure::NotJson)?;
    let threat = Threat::beside(&document, finding.own_time().unwrap_or_default())?;
    Ok((finding, threat))
}
