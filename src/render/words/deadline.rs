//! What a rule for due dates says of a finding, in words.

use super::{Day, Language, wording};
use crate::domain::{
    assess::bod_26_04::{Basis, Deadline, Question, Verdict},
    text,
};

wording! {
    fn in_words<'a>(verdict: &'a Verdict) by "en/deadline.txt", "ja/deadline.txt"
}

/// The verdict of CISA's directive in lines: by when, and the four answers with what each rests on.
pub fn deadline(verdict: &Verdict, language: Language) -> String {
    let words = in_words(verdict, language);
    words.lines().map(|line| text::defang(line) + "\n").collect()
}
