//! What to do, in a sentence.

use super::{
    lists::{english, japanese},
    wording,
};
use crate::render::view::{AlertView, Deed};

wording! {
    /// What to do, in a sentence.
    pub fn deed<'a>(alert: &'a AlertView<'a>) by "en/deed.txt", "ja/deed.txt"
}
