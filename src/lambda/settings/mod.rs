//! The settings of the functions, read once at start from the environment: a file a concern, which functions share.

mod budget;
mod delivery;
mod logging;
mod policy;
#[cfg(feature = "review")]
mod review;
mod storage;
mod style;
#[cfg(feature = "tickets")]
mod tickets;
mod triage;

use std::fmt;

pub use delivery::DeliverySettings;
pub use logging::LogSettings;
#[cfg(feature = "review")]
pub use review::ReviewSettings;
pub use storage::{HISTORY_DAYS, StorageSettings};
#[cfg(feature = "tickets")]
pub use tickets::{TicketsSettings, TrackerSettings};
pub use triage::TriageSettings;

use crate::domain::text::short;

/// What can be set of a function.
pub trait Settings: Sized {
    /// Reads it.
    ///
    /// # Errors
    /// [`BadSetting`] names the variable, what stands there, and what is allowed.
    fn read(environment: &Environment<'_>) -> Result<Self, BadSetting>;
}

/// Reads all that a function asks of its environment. `lookup` gives the value of a variable.
///
/// # Errors
/// As [`Settings::read`].
pub fn read<S: Settings>(
    lookup: impl Fn(&str) -> Option<String>,
) -> Result<(LogSettings, S), BadSetting> {
    let environment = Environment(&lookup);
    Ok((LogSettings::read(&environment)?, S::read(&environment)?))
}

/// The environment of a function. A variable that is empty counts as not set.
pub struct Environment<'a>(&'a dyn Fn(&str) -> Option<String>);

impl Environment<'_> {
    fn value(&self, name: &str) -> Option<String> {
        (self.0)(name).filter(|value| !value.trim().is_empty())
    }

    /// A variable that must be set, to something that `read` understands.
    fn required<T>(
        &self,
        name: &'static str,
        expected: &'static str,
        read: impl Fn(&str) -> Option<T>,
    ) -> Result<T, BadSetting> {
        self.optional(name, expected, read)?.ok_or(BadSetting::Missing { name, expected })
    }

    /// A variable that may be set, to something that `read` understands.
    fn optional<T>(
        &self,
        name: &'static str,
        expected: &'static str,
        read: impl Fn(&str) -> Option<T>,
    ) -> Result<Option<T>, BadSetting> {
        let Some(value) = self.value(name) else { return Ok(None) };
        let read = read(&value);
        let malformed = || BadSetting::Malformed { name, value: short(&value, 60), expected };
        read.ok_or_else(malformed).map(Some)
    }
}

/// A setting that keeps the function from starting.
#[derive(PartialEq, Eq, thiserror::Error)]
pub enum BadSetting {
    /// A required one is missing or empty.
    #[error("{name} is not set; expected {expected}")]
    Missing {
        /// The environment variable.
        name: &'static str,
        /// What is allowed.
        expected: &'static str,
    },
    /// One cannot be understood.
    #[error("{name} is \"{value}\"; expected {expected}")]
    Malformed {
        /// The environment variable.
        name: &'static str,
        /// What stands there.
        value: String,
        /// What is allowed.
        expected: &'static str,
    },
}

// A program that ends with an error shows it by its debug form: a line that a person can read.
impl fmt::Debug for BadSetting {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}
