//! Words of the core as values of arguments, each with its line in the help.

use clap::{ValueEnum, builder::PossibleValue};

use crate::{
    domain::{assess::Priority, record::Audience},
    render::Language,
};

/// How a list is shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Format {
    /// For people
    Table,
    /// For spreadsheets
    Csv,
    /// For programs: an array of objects
    Json,
}

impl ValueEnum for Audience {
    fn value_variants<'a>() -> &'a [Self] {
        &[Self::Email, Self::Chat, Self::Data]
    }

    fn to_possible_value(&self) -> Option<PossibleValue> {
        Some(match self {
            Self::Email => PossibleValue::new("email").help("People who read e-mail"),
            Self::Chat => {
                PossibleValue::new("chat").help("A channel of a chat, through Amazon Q Developer")
            }
            Self::Data => PossibleValue::new("data").help("Programs"),
        })
    }
}

impl ValueEnum for Priority {
    fn value_variants<'a>() -> &'a [Self] {
        &Self::ALL
    }

    fn to_possible_value(&self) -> Option<PossibleValue> {
        Some(PossibleValue::new(self.as_str()))
    }
}

impl ValueEnum for Language {
    fn value_variants<'a>() -> &'a [Self] {
        &[Self::En, Self::Ja]
    }

    fn to_possible_value(&self) -> Option<PossibleValue> {
        Some(match self {
            Self::En => PossibleValue::new("en").help("English"),
            Self::Ja => PossibleValue::new("ja").help("Japanese"),
        })
    }
}
