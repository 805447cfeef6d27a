//! Search by name: accents and case do not matter.

use entity::value::Localized;

/// One text of several names, folded, to look for a folded word in.
pub fn fold(names: &[&str]) -> String {
    let mut folded = String::new();
    for name in names {
        push_folded(&mut folded, name);
        folded.push('\n');
    }
    folded
}

/// As [`fold`], with a localized text in all its languages.
pub fn fold_localized(text: &Localized, names: &[&str]) -> String {
    let mut folded = fold(names);
    for translation in text.texts.values() {
        push_folded(&mut folded, &translation.text);
        folded.push('\n');
    }
    folded
}

/// What a person typed, folded like the names.
pub fn needle(typed: &str) -> String {
    let mut folded = String::new();
    push_folded(&mut folded, typed.trim());
    folded
}

fn push_folded(out: &mut String, text: &str) {
    use unicode_normalization::{UnicodeNormalization, char::is_combining_mark};
    out.extend(text.nfd().filter(|letter| !is_combining_mark(*letter)).flat_map(char::to_lowercase));
}

#[cfg(test)]
mod tests {
    use super::{fold, needle};

    #[test]
    fn accents_and_case_do_not_matter() {
        assert!(fold(&["Centro Nezahualcóyotl Sur"]).contains(&needle(" NEZAHUALCOYOTL")));
        assert!(!fold(&["Ecatepec"]).contains(&needle("Barrientos")));
    }
}
