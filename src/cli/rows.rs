//! Lists, as people, spreadsheets and programs get them.

use std::io::Write;

use serde::Serialize;

use super::values::Format;
use crate::app::failure::BoxError;

/// A row, as programs and spreadsheets get it.
pub trait Row: Serialize {
    /// Those of its texts that a stranger may have written.
    fn texts(&mut self) -> Vec<&mut String>;
}

/// Writes rows in a format, of which `for_people` makes the table.
pub fn show<R: Row, I: Iterator<Item = R>>(
    rows: I,
    format: Format,
    for_people: impl FnOnce(I) -> String,
    output: &mut impl Write,
) -> Result<(), BoxError> {
    match format {
        Format::Table => writeln!(output, "{}", for_people(rows))?,
        Format::Json => {
            serde_json::to_writer_pretty(&mut *output, &rows.collect::<Vec<_>>())?;
            writeln!(output)?;
        }
        Format::Csv => {
            let mut csv = csv::Writer::from_writer(&mut *output);
            for mut row in rows {
                row.texts().into_iter().for_each(defuse);
                csv.serialize(row)?;
            }
            csv.flush()?;
        }
    }
    Ok(output.flush()?)
}

/// What a formula begins with, also in full width.
const FORMULA: [char; 8] = ['=', '+', '-', '@', '＝', '＋', '－', '＠'];

/// Makes a text one that no spreadsheet takes for a formula.
pub fn defuse(text: &mut String) {
    if text.starts_with(FORMULA) {
        text.insert(0, '\'');
    }
}
