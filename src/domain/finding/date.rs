//! The dates of Inspector: five spellings of one instant.
//!
//! | form | where it was seen |
//! |---|---|
//! | `Mar 20, 2023, 6:08:05 PM` | events until October 2023; no zone, UTC |
//! | `Wed Sep 04 16:59:44.356 UTC 2024` | events since 2024 |
//! | `2024-09-04T16:59:44.356Z`, also with an offset, a space for the `T`, or no zone (UTC) | envelopes, on-demand scans, `aws` CLI |
//! | `1678220584.098`, `1.678220584098E9` | the API on the wire: seconds since 1970 |
//! | `1678220584098` | milliseconds since 1970, told apart by size |

use jiff::{Timestamp, civil::DateTime, fmt::temporal::DateTimeParser, tz::Offset};
use serde_json::Value;

/// From here on a number counts milliseconds: as seconds it would be the year 5138.
const MILLISECONDS_FROM: f64 = 1e11;

static ISO: DateTimeParser = DateTimeParser::new();

/// Reads a date in any of the forms above; `None` if it is in none of them.
pub fn read(value: &Value) -> Option<Timestamp> {
    match value {
        Value::String(text) => read_text(text.trim()),
        Value::Number(number) => read_number(number.as_f64()?),
        _ => None,
    }
}

fn read_text(text: &str) -> Option<Timestamp> {
    if text.starts_with(|c: char| c.is_ascii_digit()) { read_iso(text) } else { read_words(text) }
}

fn read_iso(text: &str) -> Option<Timestamp> {
    ISO.parse_timestamp(text).or_else(|_| ISO.parse_datetime(text).and_then(utc)).ok()
}

fn read_words(text: &str) -> Option<Timestamp> {
    // Newer Java versions put a narrow no-break space before AM and PM.
    let plain;
    let text = if text.is_ascii() {
        text
    } else {
        plain = text.replace(['\u{202f}', '\u{a0}'], " ");
        &plain
    };
    let format =
        if text.contains(',') { "%b %d, %Y, %I:%M:%S %p" } else { "%a %b %d %H:%M:%S%.f UTC %Y" };
    DateTime::strptime(format, text).and_then(utc).ok()
}

fn utc(civil: DateTime) -> Result<Timestamp, jiff::Error> {
    Offset::UTC.to_timestamp(civil)
}

#[expect(clippy::cast_possible_truncation, reason = "what is too large is refused by jiff")]
fn read_number(number: f64) -> Option<Timestamp> {
    let seconds = if number.abs() >= MILLISECONDS_FROM { number / 1000.0 } else { number };
    // A float of this size is exact to less than a microsecond; what lies below is noise.
    Timestamp::from_microsecond((seconds * 1e6).round() as i64).ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use serde_json::json;

    fn iso(value: &Value) -> String {
        read(value).map_or("unknown".into(), |t| t.to_string())
    }

    #[test]
    fn every_form_inspector_has_used_is_read() {
        for (value, expected) in [
            (json!("Mar 20, 2023, 6:08:05 PM"), "2023-03-20T18:08:05Z"),
            (json!("Mar 20, 2023, 12:08:05 AM"), "2023-03-20T00:08:05Z"),
            (json!("Mar 20, 2023, 6:08:05\u{202f}PM"), "2023-03-20T18:08:05Z"),
            (json!("Wed Sep 04 16:59:44.356 UTC 2024"), "2024-09-04T16:59:44.356Z"),
            (json!("Wed Sep 04 16:59:44 UTC 2024"), "2024-09-04T16:59:44Z"),
            (json!("2024-09-04T16:59:44.356Z"), "2024-09-04T16:59:44.356Z"),
            (json!("2024-09-04T18:59:44.356+02:00"), "2024-09-04T16:59:44.356Z"),
            (json!("2024-09-04 16:59:44.356000+00:00"), "2024-09-04T16:59:44.356Z"),
            (json!("2022-05-04T16:23:03.692000"), "2022-05-04T16:23:03.692Z"),
            (json!("2022-05-04"), "2022-05-04T00:00:00Z"),
            (json!(1_678_220_584), "2023-03-07T20:23:04Z"),
            (serde_json::from_str("1.678220584098E9").unwrap(), "2023-03-07T20:23:04.098Z"),
            (json!(1_678_220_584_098_i64), "2023-03-07T20:23:04.098Z"),
        ] {
            assert_eq!(iso(&value), expected, "{value}");
        }
    }

    #[test]
    fn what_is_no_date_is_unknown_and_never_an_error() {
        for value in [
            json!(""),
            json!("yesterday"),
            json!("Wed Foo 04 16:59:44.356 UTC 2024"),
            json!("2024-13-41T00:00:00Z"),
            json!(1e300),
            json!(-1e300),
            json!(true),
            json!({}),
            json!([1]),
        ] {
            assert_eq!(read(&value), None, "{value}");
        }
    }

    proptest! {
        #[test]
        fn no_text_makes_it_panic(text in any::<String>()) {
            let _ = read(&Value::String(text));
        }

        #[test]
        fn no_number_makes_it_panic(number in any::<f64>()) {
            let _ = read(&json!(number));
        }

        #[test]
        fn a_date_written_in_the_event_form_reads_back(millis in 0i64..4_000_000_000_000) {
            let time = Timestamp::from_millisecond(millis).unwrap();
            let text = Offset::UTC.to_datetime(time).strftime("%a %b %d %H:%M:%S.%3f UTC %Y").to_string();
            prop_assert_eq!(read(&json!(text)), Some(time));
        }
    }
}
