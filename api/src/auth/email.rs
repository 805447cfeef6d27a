//! E-mail addresses, in the one form that they are kept, looked up and counted in.

use unicode_normalization::UnicodeNormalization;

/// The form in which an address is looked up, whatever was typed: without the space around it, NFKC, in lower case.
pub fn folded(typed: &str) -> String {
    // Lower case can undo the normal form, and the other way round.
    typed.trim().nfkc().collect::<String>().to_lowercase().nfkc().collect()
}

/// An address that mail can be sent to, in that form.
pub fn usable(typed: &str) -> Option<String> {
    let email = folded(typed);
    let (local, domain) = email.rsplit_once('@')?;
    let fine = !local.is_empty()
        && domain.contains('.')
        && !domain.starts_with('.')
        && !domain.ends_with('.')
        && email.len() <= 254
        && !email.contains(|letter: char| letter.is_whitespace() || letter.is_control())
        && !email.contains(['<', '>', ',', ';', '"']);
    fine.then_some(email)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_address_has_one_form() {
        for typed in ["ana@casa.example", " ANA@Casa.Example ", "ａｎａ@casa.example", "ana＠casa.example"]
        {
            assert_eq!(folded(typed), "ana@casa.example", "{typed}");
            assert_eq!(usable(typed).as_deref(), Some("ana@casa.example"), "{typed}");
        }
        for typed in ["", "ana", "@casa.example", "ana@casa", "a b@casa.example", "Ana <ana@casa.example>"] {
            assert_eq!(usable(typed), None, "{typed}");
        }
    }
}
