//! Cells that a spreadsheet would take for a formula.
//!
//! A cell of a file that begins with `=`, `+`, `-`, `@` or a control character can be run by the program that opens
//! it. What we write is therefore guarded by an apostrophe, and what we read loses it again: a text comes back as it
//! went, whatever it is.

use std::borrow::Cow;

/// The text as a cell may hold it.
pub fn guard(text: &str) -> Cow<'_, str> {
    if is_risky(text) { Cow::Owned(format!("'{text}")) } else { Cow::Borrowed(text) }
}

/// The text that [`guard`] made a cell of.
pub fn unguard(cell: &str) -> &str {
    cell.strip_prefix('\'').filter(|text| is_risky(text)).unwrap_or(cell)
}

/// Apostrophes and blanks before it do not count, so that a guarded text is risky itself and no two texts make
/// the same cell. The wide forms are read as the plain ones by some programs.
fn is_risky(text: &str) -> bool {
    let first = text.trim_start_matches(['\'', ' ']).chars().next();
    first.is_some_and(|c| c.is_control() || matches!(c, '=' | '+' | '-' | '@' | '＝' | '＋' | '－' | '＠'))
}

#[cfg(test)]
mod tests {
    use super::{guard, unguard};

    #[test]
    fn a_text_comes_back_as_it_went() {
        for text in [
            "",
            "'",
            "''",
            "acta-1",
            "'acta",
            "=1+1",
            "'=1",
            "''=1",
            " =1",
            "' =1",
            "+56 9",
            "-",
            "@SUM(A1)",
            "\t=1",
            "\r",
            "\u{0}",
            "'\u{1}a",
            "＝1",
            "O'Higgins",
            "' ",
            "a=b",
        ] {
            let cell = guard(text);
            let first = cell.trim_start().chars().next();
            assert!(
                !first.is_some_and(|c| "=+-@＝＋－＠".contains(c) || c.is_control()),
                "{text:?}: {cell:?}"
            );
            assert_eq!(unguard(&cell), text, "{cell:?}");
        }
    }
}
