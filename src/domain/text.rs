//! Text written by strangers, made harmless and short.
//!
//! Package names, tags, titles and descriptions are chosen by people we do not know. Before such
//! text reaches a terminal, a mailbox or a log it passes through here.

/// What stands where text was cut off.
pub const ELLIPSIS: char = '…';

/// Cuts `text` to at most `max` bytes, on a character border, ending in `…` where it was cut.
///
/// `max` must leave room for the ellipsis (3 bytes); a smaller one gives an empty string.
pub fn cut_bytes(text: &str, max: usize) -> String {
    if text.len() <= max {
        return text.to_owned();
    }
    let Some(room) = max.checked_sub(ELLIPSIS.len_utf8()) else {
        return String::new();
    };
    let end = (0..=room).rev().find(|&i| text.is_char_boundary(i)).unwrap_or(0);
    let mut cut = text[..end].trim_end().to_owned();
    cut.push(ELLIPSIS);
    cut
}

/// Cuts `text` to at most `max` characters, ending in `…` where it was cut.
pub fn cut_chars(text: &str, max: usize) -> String {
    if text.chars().nth(max).is_none() {
        return text.to_owned();
    }
    let kept: String = text.chars().take(max.saturating_sub(1)).collect();
    format!("{}{ELLIPSIS}", kept.trim_end())
}

/// One line of harmless text: control characters and line ends become single spaces, characters
/// that reorder or hide text (bidi controls, zero-width characters, tags) are dropped.
pub fn line(text: &str) -> String {
    let without_escapes;
    let text = if text.contains(ESCAPE) {
        without_escapes = strip_ansi_escapes::strip_str(text.replace(LINE_ENDS, " "));
        &without_escapes
    } else {
        text
    };
    let mut out = String::with_capacity(text.len());
    for c in text.chars().filter(|&c| !is_deceptive(c)) {
        let blank = c.is_whitespace() || c.is_control();
        match (blank, out.ends_with(' ')) {
            (true, true) => {}
            (true, false) => out.push(' '),
            (false, _) => out.push(c),
        }
    }
    out.trim().to_owned()
}

/// One line of harmless text, of at most `max` characters.
pub fn short(text: &str, max: usize) -> String {
    cut_chars(&line(text), max)
}

/// Begins an escape sequence of a terminal.
const ESCAPE: char = '\u{1b}';

/// What ends a line.
const LINE_ENDS: [char; 7] = ['\n', '\r', '\u{b}', '\u{c}', '\u{85}', '\u{2028}', '\u{2029}'];

/// Text that nothing can be clicked in and nobody is called by: like [`strip_markup`], and addresses
/// are broken (`https[:]//`, `www[.]`).
pub fn defang(text: &str) -> String {
    let text = text.replace("://", "[:]//");
    let text = break_after(&text, "mailto", ':');
    strip_markup(&break_after(&text, "www", '.'))
}

/// Puts brackets around `mark` where it follows `word`, in any case.
fn break_after(text: &str, word: &str, mark: char) -> String {
    let lower = text.to_ascii_lowercase();
    let mut out = String::with_capacity(text.len() + 8);
    let mut from = 0;
    for (at, found) in lower.match_indices(&format!("{word}{mark}")) {
        let mark_at = at + found.len() - mark.len_utf8();
        out.push_str(&text[from..mark_at]);
        out.extend(['[', mark, ']']);
        from = at + found.len();
    }
    out.push_str(&text[from..]);
    out
}

/// Text without mark-up: angle brackets are none any more, nor are links of Markdown, and the words
/// that call a whole channel lose their at sign's grip.
pub fn strip_markup(text: &str) -> String {
    let out = text.replace("](", "] (").replace('<', "‹").replace('>', "›");
    MENTIONS.iter().fold(out, |out, word| defang_mention(&out, word))
}

/// Words that call everybody in a chat.
const MENTIONS: [&str; 4] = ["@channel", "@here", "@everyone", "@all"];

/// Sets the at sign of `word` apart where it stands as a word of its own, in any case; `@allthings`
/// and `@here-maps` are names. Where another script begins, a line can be broken, and the word ends.
fn defang_mention(text: &str, word: &str) -> String {
    let lower = text.to_ascii_lowercase();
    let mut out = String::with_capacity(text.len() + 8);
    let mut from = 0;
    for (at, _) in lower.match_indices(word) {
        let end = at + word.len();
        let goes_on = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '_';
        if !text[end..].starts_with(goes_on) {
            out.push_str(&text[from..at]);
            out.push_str("@ ");
            from = at + 1;
        }
    }
    out.push_str(&text[from..]);
    out
}

/// Markdown links as plain text: `[text](address)` becomes `text (address)`, or just the address
/// where the text says nothing else.
pub fn plain_links(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((before, label, address, after)) = next_link(rest) {
        out.push_str(before);
        if label == address {
            out.push_str(address);
        } else {
            out.extend([label, " (", address, ")"]);
        }
        rest = after;
    }
    out.push_str(rest);
    out
}

/// The first Markdown link: what stands before it, its text, its address, what stands after it.
fn next_link(text: &str) -> Option<(&str, &str, &str, &str)> {
    let middle = text.find("](http")?;
    let start = text[..middle].rfind('[')?;
    let end = middle + text[middle..].find(')')?;
    Some((&text[..start], &text[start + 1..middle], &text[middle + 2..end], &text[end + 1..]))
}

/// Several lines of harmless text: like [`line()`], but line ends stay; never two blank lines in a
/// row, none at the start or the end.
pub fn paragraph(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for next in text.split(['\n', '\u{2028}', '\u{2029}', '\u{b}', '\u{c}', '\u{85}']).map(line) {
        if next.is_empty() && (out.is_empty() || out.ends_with("\n\n")) {
            continue;
        }
        out.push_str(&next);
        out.push('\n');
    }
    out.trim_end().to_owned()
}

/// True for characters that change how the text around them is shown, or that show nothing:
/// bidi controls and isolates (CVE-2021-42574), zero-width characters, soft hyphens, variation
/// selectors, interlinear annotations, the tag block and other default-ignorable characters.
fn is_deceptive(c: char) -> bool {
    matches!(c,
        '\u{ad}' | '\u{34f}' | '\u{61c}' | '\u{115f}'..='\u{1160}' | '\u{17b4}'..='\u{17b5}'
        | '\u{180b}'..='\u{180f}' | '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}'
        | '\u{2060}'..='\u{206f}' | '\u{3164}' | '\u{fe00}'..='\u{fe0f}' | '\u{feff}'
        | '\u{ffa0}' | '\u{fff0}'..='\u{fffb}' | '\u{1bca0}'..='\u{1bca3}'
        | '\u{1d173}'..='\u{1d17a}' | '\u{e0000}'..='\u{e0fff}')
        // Noncharacters, which XML and so SQS and SNS do not take, or replace.
        || matches!(c, '\u{fdd0}'..='\u{fdef}')
        || u32::from(c) & 0xfffe == 0xfffe
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn text_is_cut_on_a_character_border() {
        assert_eq!(cut_bytes("abc", 3), "abc");
        assert_eq!(cut_bytes("脆弱性の説明", 10), "脆弱…");
        assert_eq!(cut_bytes("abcdef", 2), "");
        assert_eq!(cut_chars("脆弱性の説明", 4), "脆弱性…");
        assert_eq!(cut_chars("four", 4), "four");
    }

    #[test]
    fn escapes_bidi_overrides_and_hidden_characters_do_not_survive() {
        assert_eq!(line("a\u{1b}[31mred\u{202e}b\u{200b}c\r\nd\u{9b}e"), "aredbc de");
        assert_eq!(paragraph("\n one\n\n\n\ntwo\u{7}\t three \n\n"), "one\n\ntwo three");
    }

    #[test]
    fn nothing_can_be_clicked_and_nobody_is_called() {
        assert_eq!(
            defang("<!channel> see https://login.example.net @Here @EVERYONE @scope/pkg"),
            "‹!channel› see https[:]//login.example.net @ Here @ EVERYONE @scope/pkg"
        );
        assert_eq!(
            defang("www.example.net mailto:a@b.example"),
            "www[.]example.net mailto[:]a@b.example"
        );
        assert_eq!(
            defang("WWW.Example.net Mailto:A@b.example"),
            "WWW[.]Example.net Mailto[:]A@b.example"
        );
        assert_eq!(line("a\u{fffe}b\u{ffff}c\u{1ffff}d\u{fdd0}e"), "abcde");
        assert_eq!(
            defang("@all, @allthings/x @here-maps/y [a](javascript:b) @all"),
            "@ all, @allthings/x @here-maps/y [a] (javascript:b) @ all"
        );
        assert_eq!(defang("説明@here説明"), "説明@ here説明");
    }

    #[test]
    fn markdown_links_become_plain_text() {
        assert_eq!(
            plain_links(
                "see [https://a.example](https://a.example) and [the guide](https://b.example)."
            ),
            "see https://a.example and the guide (https://b.example)."
        );
        assert_eq!(plain_links("[not a link] (http"), "[not a link] (http");
        assert_eq!(plain_links("](http://x)"), "](http://x)");
    }

    proptest! {
        #[test]
        fn no_text_gets_a_control_character_through(text in any::<String>(), max in 0usize..50) {
            prop_assert!(!line(&text).chars().any(|c| c.is_control() || is_deceptive(c)));
            prop_assert!(!paragraph(&text).chars().any(|c| c != '\n' && (c.is_control() || is_deceptive(c))));
            let defang = defang(&text);
            prop_assert!(!defang.contains("://") && !defang.contains(['<', '>']));
            plain_links(&text);
            prop_assert!(cut_bytes(&text, max).len() <= max.max(text.len().min(max)));
            prop_assert!(cut_chars(&text, max.max(1)).chars().count() <= max.max(1));
        }
    }
}
