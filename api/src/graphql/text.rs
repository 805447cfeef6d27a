//! Texts in several languages.

use entity::value::{Localized, Translation, TranslationStatus};

use super::{
    node::Node,
    render::{Object, Writer, Written},
};

/// A text in the language asked for: the argument, else Accept-Language, else the original.
pub struct LocalizedText<'a>(pub &'a Localized);

struct InLanguage<'a> {
    lang: &'a str,
    translation: &'a Translation,
}

impl<'a> LocalizedText<'a> {
    fn best(&self, node: &Node<'_>, w: &mut Writer<'_>) -> Option<InLanguage<'a>> {
        let texts = &self.0.texts;
        let find = |wanted: &str| {
            texts
                .iter()
                .find(|(lang, _)| lang.eq_ignore_ascii_case(wanted))
                .or_else(|| texts.iter().find(|(lang, _)| same_language(lang, wanted)))
        };
        let asked = node.argument::<String>("lang").ok().flatten();
        let found = match &asked {
            Some(lang) => find(lang),
            None => w.languages.iter().find_map(|lang| find(lang)),
        };
        let (lang, translation) =
            found.or_else(|| texts.get_key_value(&self.0.original)).or_else(|| texts.iter().next())?;
        Some(InLanguage { lang, translation })
    }
}

/// Whether two tags are of one language: es and es-CL.
fn same_language(a: &str, b: &str) -> bool {
    let primary = |tag: &str| tag.split('-').next().unwrap_or_default().to_ascii_lowercase();
    primary(a) == primary(b)
}

impl Object for LocalizedText<'_> {
    fn type_name(&self) -> &str {
        "LocalizedText"
    }

    fn field(&self, node: &Node<'_>, w: &mut Writer<'_>) -> Written {
        match node.name {
            "text" => match self.best(node, w) {
                Some(best) => w.str(&best.translation.text),
                None => w.absent(node),
            },
            "original" => w.str(&self.0.original),
            "translation" => match self.best(node, w) {
                Some(best) => w.object(node, &best),
                None => w.absent(node),
            },
            "translations" => w.list(node, &self.0.texts, |w, (lang, translation)| {
                w.object(node, &InLanguage { lang, translation })
            }),
            _ => w.absent(node),
        }
    }
}

impl Object for InLanguage<'_> {
    fn type_name(&self) -> &str {
        "Translation"
    }

    fn field(&self, node: &Node<'_>, w: &mut Writer<'_>) -> Written {
        match node.name {
            "lang" => w.str(self.lang),
            "text" => w.str(&self.translation.text),
            "status" => w.str(match self.translation.status {
                TranslationStatus::Original => "ORIGINAL",
                TranslationStatus::Human => "HUMAN",
                TranslationStatus::Machine => "MACHINE",
            }),
            _ => w.absent(node),
        }
    }
}

/// The languages of an Accept-Language header, best first.
pub fn accepted(header: &str) -> Vec<String> {
    let mut ranked: Vec<(f32, String)> = header
        .split(',')
        .take(20)
        .filter_map(|part| {
            let mut pieces = part.split(';');
            let tag = pieces.next()?.trim();
            let quality = pieces
                .find_map(|piece| piece.trim().strip_prefix("q=").map(str::parse::<f32>))
                .unwrap_or(Ok(1.0))
                .ok()?;
            (super::scalars::language(tag) && quality > 0.0).then(|| (quality, tag.to_owned()))
        })
        .collect();
    ranked.sort_by(|(a, _), (b, _)| b.total_cmp(a));
    ranked.into_iter().map(|(_, tag)| tag).collect()
}

#[cfg(test)]
mod tests {
    #[test]
    fn languages_come_best_first() {
        assert_eq!(super::accepted("en;q=0.5, es-CL, *;q=0.1, xx;q=0"), ["es-CL", "en"]);
        assert!(super::accepted("q=;;;,,").is_empty());
    }
}
