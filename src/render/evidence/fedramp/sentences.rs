//! Sentences of one text.

use jiff::SignedDuration;

use crate::domain::text;

/// The most characters of a text.
const MOST: usize = 4_000;

/// Sentences of one text, in their order.
#[derive(Default)]
pub struct Sentences(Vec<String>);

impl Sentences {
    /// Adds a sentence. A stranger's words in it have been through `safe`.
    pub fn add(&mut self, sentence: impl Into<String>) {
        let mut sentence = sentence.into();
        if !sentence.ends_with(['.', '!', '?', text::ELLIPSIS]) {
            sentence.push('.');
        }
        self.0.push(sentence);
    }

    /// Adds a sentence, if there is one.
    pub fn add_if(&mut self, sentence: Option<impl Into<String>>) {
        if let Some(sentence) = sentence {
            self.add(sentence);
        }
    }

    /// The text, bounded.
    pub fn text(self) -> String {
        text::cut_chars(&self.0.join(" "), MOST)
    }
}

/// How many days are over in a time.
pub fn days(time: SignedDuration) -> i64 {
    time.as_hours() / 24
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sentences_end_once_and_the_text_is_bounded() {
        let mut sentences = Sentences::default();
        sentences.add("One");
        sentences.add("Two.");
        sentences.add_if(None::<String>);
        sentences.add("Why?");
        assert_eq!(sentences.text(), "One. Two. Why?");
        let mut sentences = Sentences::default();
        (0..2).for_each(|_| sentences.add("脆".repeat(MOST)));
        assert_eq!(sentences.text().chars().count(), MOST);
    }
}
