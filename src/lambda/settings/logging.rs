//! What is logged.

use tracing::level_filters::LevelFilter;

use super::{BadSetting, Environment, Settings};

/// The log.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LogSettings {
    /// `LOG_LEVEL`: the least important line that is logged: `ERROR`, `WARN` or `INFO` (default).
    pub level: LevelFilter,
}

impl Settings for LogSettings {
    fn read(environment: &Environment<'_>) -> Result<Self, BadSetting> {
        let level = |level: &str| match level {
            "ERROR" => Some(LevelFilter::ERROR),
            "WARN" => Some(LevelFilter::WARN),
            "INFO" => Some(LevelFilter::INFO),
            _ => None,
        };
        let level = environment.optional("LOG_LEVEL", "ERROR, WARN or INFO", level)?;
        Ok(Self { level: level.unwrap_or(LevelFilter::INFO) })
    }
}
