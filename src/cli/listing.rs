//! What the AWS CLI prints of a listing.

use std::{fmt, fs, path::Path};

use serde_json::Value;

use super::{Misuse, input::Extent};
use crate::app::failure::BoxError;

/// The items of the first of these lists that each document in a file has: the output of a command, one JSON document, or one
/// after the other, as from page to page.
///
/// # Errors
/// There is no such file, or it holds something else.
pub fn listed(file: &Path, lists: &[&str], command: &str) -> Result<Vec<Value>, BoxError> {
    listing(file, lists, command).map(|(items, _)| items)
}

/// The same, and whether that is all.
///
/// # Errors
/// As [`listed`].
pub fn listing(
    file: &Path,
    lists: &[&str],
    command: &str,
) -> Result<(Vec<Value>, Extent), BoxError> {
    let named = |error: &dyn fmt::Display| format!("{}: {error}", file.display());
    let expected = || format!("expected {}, as {command} prints it", lists.join(" or "));
    let json = fs::read(file).map_err(|error| Misuse(named(&error)))?;
    let (mut items, mut extent) = (Vec::new(), Extent::Whole);
    let mut pages = 0;
    for page in serde_json::Deserializer::from_slice(&json).into_iter::<Value>() {
        let mut page = page.map_err(|error| named(&error))?;
        pages += 1;
        let token = ["nextToken", "NextToken"].iter().find_map(|key| page.get(*key)?.as_str());
        extent = Extent::by_token(token);
        let list = lists.iter().find(|list| page.get(**list).is_some_and(Value::is_array));
        match list.and_then(|list| page.get_mut(*list)).map(Value::take) {
            Some(Value::Array(listed)) => items.extend(listed),
            _ => return Err(named(&expected()).into()),
        }
    }
    if pages == 0 {
        return Err(named(&format!("it is empty; {}", expected())).into());
    }
    Ok((items, extent))
}
