//! What to do, in a sentence.

use super::{
    lists::{english, japanese},
    wording,
};
use crate::render::view::{Deed, Facts};

wording! {
    /// What to do, in a sentence.
    pub fn deed<'a>(alert: &'a Facts<'a>) by "en/deed.txt", "ja/deed.txt"
}
