//! Rows that could not be read.

use super::{NAME, SAID};
use crate::{domain::evidence::Unread, render::view::safe};

pub const COLUMNS: [&str; 3] = ["pk", "sk", "why"];

pub fn row(unread: &Unread) -> [String; COLUMNS.len()] {
    let Unread { partition, place, why } = unread;
    [safe(partition, NAME), safe(place, NAME), safe(why, SAID)]
}
