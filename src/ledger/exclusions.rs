//! One exclusion of a file.

use super::{
    exceptions::{CONTROL, CONTROLS, NAME, REASON, differ, word_of},
    fields::{Object, Reader},
    read::WrittenExclusion,
    yaml::Node,
};
use crate::domain::ledger::{Exclusion, ExclusionTag, ScanType, Target};

/// Kinds of resources that a tag keeps out of scans.
#[derive(Clone, Copy)]
enum Kind {
    Lambda,
    Ec2,
}

/// Reads an exclusion.
pub fn read(reader: &mut Reader, node: &Node, path: String) -> Option<WrittenExclusion> {
    let keys = ["target", "tag", "reason", "owner", "dates"];
    let object = reader.object(node, path, &keys)?;
    for key in keys {
        reader.require(&object, key);
    }
    let target = target(reader, &object);
    let tag = tag(reader, &object, target.as_ref());
    let reason =
        reader.object_in(&object, "reason", &["summary", "ticket", "compensating_controls"]);
    let summary = reason.as_ref().and_then(|one| reader.required(one, "summary", REASON));
    let ticket = reason.as_ref().and_then(|one| reader.text(one, "ticket", NAME));
    let controls =
        reason.as_ref().map(|one| reader.texts(one, "compensating_controls", CONTROLS, CONTROL));
    let owner = reader.object_in(&object, "owner", &["team", "approved_by", "applied_by"]);
    let team = owner.as_ref().and_then(|one| reader.required(one, "team", NAME));
    let approved_by = owner.as_ref().and_then(|one| reader.text(one, "approved_by", NAME));
    let applied_by = owner.as_ref().and_then(|one| reader.text(one, "applied_by", NAME));
    if let Some(owner) = &owner {
        differ(reader, owner, team.as_ref(), approved_by.as_ref());
    }
    let dates = reader.object_in(&object, "dates", &["applied_at", "expires_at", "next_review_at"]);
    let applied_at = dates.as_ref().and_then(|one| reader.day(one, "applied_at"));
    let expires_at = dates.as_ref().and_then(|one| reader.required_day(one, "expires_at"));
    let review_at = dates.as_ref().and_then(|one| reader.day(one, "next_review_at"));
    if let (Some(applied), Some(expires)) = (&applied_at, &expires_at)
        && expires.value < applied.value
    {
        let what = format!("{} is before applied_at, {}", expires.value, applied.value);
        reader.wrong(expires.place, &format!("{}.dates.expires_at", object.path), what);
    }
    if let (Some(review), Some(expires)) = (&review_at, &expires_at)
        && review.value > expires.value
    {
        let what = format!("{} is after expires_at, {}", review.value, expires.value);
        reader.wrong(review.place, &format!("{}.dates.next_review_at", object.path), what);
    }
    let expires_at = expires_at?;
    let value = |said: super::fields::Placed<String>| said.value;
    Some(WrittenExclusion {
        path: object.path.clone(),
        place: object.place,
        approved_by: approved_by.as_ref().map(|said| said.place),
        expires_at: expires_at.place,
        review_at: review_at.as_ref().map(|said| said.place),
        exclusion: Exclusion {
            target: target?,
            tag: tag?,
            reason: summary?.value,
            ticket: ticket.map(value),
            compensating_controls: controls.into_iter().flatten().map(value).collect(),
            owner: team?.value,
            approved_by: approved_by.map(value),
            applied_by: applied_by.map(value),
            applied_at: applied_at.map(|said| said.value),
            expires_at: expires_at.value,
            review_at: review_at.map(|said| said.value),
        },
    })
}

fn target(reader: &mut Reader, object: &Object<'_>) -> Option<Target> {
    let keys = ["type", "function_name", "function_arn", "scan_type", "instance_id"];
    let target = reader.object_in(object, "target", &keys)?;
    reader.require(&target, "type");
    let word = |kind| match kind {
        Kind::Lambda => "lambda",
        Kind::Ec2 => "ec2",
    };
    let kind = word_of(reader, &target, "type", &[Kind::Lambda, Kind::Ec2], word)?;
    let (allowed, others): (&[&str], &[&str]) = match kind {
        Kind::Lambda => (&["function_name", "function_arn"], &["instance_id"]),
        Kind::Ec2 => (&["instance_id"], &["function_name", "function_arn", "scan_type"]),
    };
    if allowed.iter().all(|key| target.get(key).is_none()) {
        let what = format!("names nothing; expected {}", allowed.join(" or "));
        reader.wrong(target.place, &target.path, what);
    }
    for key in others {
        if let Some(node) = target.get(key) {
            let what = format!("a target of the type {} has none", word(kind));
            reader.wrong(node.place, &target.path_of(key), what);
        }
    }
    match kind {
        Kind::Ec2 => Some(Target::Ec2(reader.text(&target, "instance_id", 512)?.value)),
        Kind::Lambda => {
            let name = reader.text(&target, "function_name", NAME).map(|said| said.value);
            let arn = reader.text(&target, "function_arn", 512);
            if let Some(said) = &arn
                && !(said.value.starts_with("arn:") && said.value.contains(":lambda:"))
            {
                let what = format!("{} is no ARN of a function", said.value);
                reader.wrong(said.place, &target.path_of("function_arn"), what);
            }
            reader.require(&target, "scan_type");
            let scan = word_of(reader, &target, "scan_type", ScanType::ALL, ScanType::as_str);
            Some(Target::Lambda { name, arn: arn.map(|said| said.value), scan: scan? })
        }
    }
}

/// The tag, which has to be the one that keeps the target out of the scan.
fn tag(reader: &mut Reader, object: &Object<'_>, target: Option<&Target>) -> Option<ExclusionTag> {
    let tag = reader.object_in(object, "tag", &["key", "value"])?;
    let key = reader.required(&tag, "key", NAME)?;
    let value = reader.text(&tag, "value", 256);
    let (expected_key, expected_value) = match target? {
        Target::Lambda { scan, .. } => {
            let (key, value) = ExclusionTag::of_lambda(*scan);
            (key, Some(value))
        }
        Target::Ec2(_) => (ExclusionTag::EC2, None),
    };
    let is_value = expected_value
        .is_none_or(|expected| value.as_ref().is_some_and(|said| said.value == expected));
    if key.value != expected_key || !is_value {
        let expected = match expected_value {
            Some(value) => format!("{expected_key}={value}"),
            None => expected_key.to_owned(),
        };
        let said = value.as_ref().map_or_else(String::new, |said| format!("={}", said.value));
        let what =
            format!("{}{said} keeps nothing out of this scan; expected {expected}", key.value);
        reader.wrong(key.place, &tag.path, what);
    }
    Some(ExclusionTag { key: key.value, value: value.map(|said| said.value) })
}
