//! Tables, as the command line reads them: that of a deployment, or a store that `replay --db` has kept.

use std::{
    fs::File,
    io::{self, Read},
    path::Path,
};

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
    if !is_store(db).map_err(|error| Misuse(format!("cannot read {}: {error}", db.display())))? {
        let what = "it is no store that replay --db has kept";
        return Err(Misuse(format!("cannot read {}: {what}", db.display())).into());
    }
    opened(Some(db)).await
}

/// Whether a file is a store, and not another file or another program's database: opening it would make it one.
fn is_store(db: &Path) -> io::Result<bool> {
    /// What a file of SQLite begins with: <https://www.sqlite.org/fileformat.html>.
    const HEADER: &[u8] = b"SQLite format 3\0";
    let mut beginning = Vec::new();
    // The definitions of tables are in the first pages.
    File::open(db)?.take(1 << 16).read_to_end(&mut beginning)?;
    let table = emulator::TABLE.as_bytes();
    let has_table = beginning.windows(table.len()).any(|window| window == table);
    Ok(beginning.starts_with(HEADER) && has_table)
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
