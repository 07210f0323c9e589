//! Where records are kept, and for how long.

use super::{BadSetting, Environment, Settings};

/// How many days history is kept by default.
pub const HISTORY_DAYS: u16 = 400;

/// The table.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StorageSettings {
    /// `TABLE_NAME`: the table of records. Required.
    pub table: String,
    /// `HISTORY_DAYS`: how many days history is kept, 1 to 3650, default 400.
    pub history_days: u16,
}

const A_TABLE: &str = "the name of a DynamoDB table: 3 to 255 letters, digits, '_', '-' or '.'";

impl Settings for StorageSettings {
    fn read(environment: &Environment<'_>) -> Result<Self, BadSetting> {
        let days = |days: &str| days.parse().ok().filter(|days| (1..=3650).contains(days));
        let expected = "a whole number of days from 1 to 3650";
        Ok(Self {
            table: environment
                .required("TABLE_NAME", A_TABLE, |name| is_table(name).then(|| name.to_owned()))?,
            history_days: environment
                .optional("HISTORY_DAYS", expected, days)?
                .unwrap_or(HISTORY_DAYS),
        })
    }
}

fn is_table(name: &str) -> bool {
    // A table's ARN is a name, too: the API takes it.
    (3..=1024).contains(&name.len())
        && name.bytes().all(|b| b.is_ascii_alphanumeric() || b"_-.:/".contains(&b))
}
