//! Tables, as the command line reads them: that of a deployment, or a store that `replay --db` has kept.

use std::path::Path;

use super::Misuse;
use crate::{
    adapters::{aws, dynamodb::DynamoDb},
    app::failure::BoxError,
    emulator::{
        self, Emulator,
        template::{OWN, Template},
    },
    lambda::settings::HISTORY_DAYS,
};

/// The table of a deployment.
pub async fn deployed(table: &str) -> DynamoDb {
    let config = aws::config().load().await;
    DynamoDb::new((&config).into(), table.to_owned(), HISTORY_DAYS)
}

/// A store that `replay --db` has kept, and what it lives in.
///
/// # Errors
/// There is no such file, or it is no store.
pub async fn kept(db: &Path) -> Result<(DynamoDb, Emulator), BoxError> {
    if !db.exists() {
        return Err(Misuse(format!("cannot read {}: there is no such file", db.display())).into());
    }
    opened(Some(db)).await
}

/// The store in `db`, or a new one in memory, and what it lives in.
///
/// # Errors
/// The file is no store.
pub async fn opened(db: Option<&Path>) -> Result<(DynamoDb, Emulator), BoxError> {
    let emulator = Emulator::open(&Template::read(OWN)?, db).await?;
    let store = DynamoDb::new(emulator.dynamodb(), emulator::TABLE.to_owned(), HISTORY_DAYS);
    Ok((store, emulator))
}
