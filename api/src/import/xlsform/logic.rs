//! The few expressions of a form that an instrument can hold.

/// Which answers of which question a condition names: `${q} = 'x'` or `selected(${q}, 'x')`, and any of several of one
/// question joined by `or`. None when it says anything else.
pub(super) fn condition(text: &str) -> Option<(&str, Vec<&str>)> {
    let mut parts = Vec::new();
    let mut rest = text.trim();
    while let Some((first, more)) = split_word(rest, "or") {
        parts.push(first);
        rest = more;
    }
    parts.push(rest);
    let mut named = None;
    let mut codes = Vec::with_capacity(parts.len());
    for part in parts {
        let (question, code) = equality(part.trim())?;
        if named.replace(question).is_some_and(|before| before != question) {
            return None;
        }
        if !codes.contains(&code) {
            codes.push(code);
        }
    }
    Some((named?, codes))
}

/// The least and the greatest number of `. >= a and . <= b`, or one of both.
pub(super) fn bounds(text: &str) -> Option<(Option<i32>, Option<i32>)> {
    let (first, second) = match split_word(text, "and") {
        Some((first, second)) => (first, Some(second)),
        None => (text, None),
    };
    let (mut least, mut greatest) = (None, None);
    for part in [Some(first), second].into_iter().flatten() {
        let compared = part.trim().strip_prefix('.')?.trim_start();
        let (bound, number) = if let Some(number) = compared.strip_prefix(">=") {
            (&mut least, whole(number)?)
        } else if let Some(number) = compared.strip_prefix("<=") {
            (&mut greatest, whole(number)?)
        } else if let Some(number) = compared.strip_prefix('>') {
            (&mut least, whole(number)?.checked_add(1)?)
        } else {
            (&mut greatest, whole(compared.strip_prefix('<')?)?.checked_sub(1)?)
        };
        if bound.replace(number).is_some() {
            return None;
        }
    }
    Some((least, greatest))
}

/// The ends of a scale out of `start=0 end=10 step=1`, which is from 1 to 10 where it says nothing else.
pub(super) fn scale(text: &str) -> Option<(i32, i32)> {
    let (mut start, mut end) = (1, 10);
    let parts = text.split(|c: char| c.is_whitespace() || c == ';' || c == ',');
    for part in parts.filter(|part| !part.is_empty()) {
        match part.split_once('=')? {
            ("start", number) => start = whole(number)?,
            ("end", number) => end = whole(number)?,
            ("step", number) if whole(number)? == 1 => {}
            _ => return None,
        }
    }
    Some((start, end))
}

/// The text before and after the first such word outside of quotation marks.
fn split_word<'t>(text: &'t str, word: &str) -> Option<(&'t str, &'t str)> {
    let mut quote = None;
    let mut place = 0;
    for (at, letter) in text.char_indices() {
        match quote {
            Some(mark) if mark == letter => quote = None,
            None if matches!(letter, '\'' | '"') => quote = Some(letter),
            _ => {}
        }
        let ends = letter.is_whitespace() && quote.is_none();
        if ends && at > place && text.get(place..at) == Some(word) {
            return Some((text.get(..place)?, text.get(at..)?));
        }
        if ends {
            place = at + letter.len_utf8();
        }
    }
    None
}

fn equality(part: &str) -> Option<(&str, &str)> {
    let (question, code) = match part.strip_prefix("selected") {
        Some(rest) => rest.trim_start().strip_prefix('(')?.strip_suffix(')')?.split_once(',')?,
        None => part.split_once('=')?,
    };
    let question = question.trim().strip_prefix("${")?.strip_suffix('}')?.trim();
    let code = code.trim();
    let quoted = |mark: char| code.strip_prefix(mark)?.strip_suffix(mark);
    let code = quoted('\'').or_else(|| quoted('"'))?;
    (!code.contains(['\'', '"']) && !question.is_empty()).then_some((question, code))
}

fn whole(text: &str) -> Option<i32> {
    text.trim().parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn conditions_that_can_be_held() {
        assert_eq!(condition("${why} = 'money'"), Some(("why", vec!["money"])));
        assert_eq!(condition(" selected( ${why} , \"money\" ) "), Some(("why", vec!["money"])));
        assert_eq!(
            condition("selected(${why}, 'money')  or ${why}='learn' or ${why} = 'money'"),
            Some(("why", vec!["money", "learn"]))
        );
        assert_eq!(condition("${why} = 'this or that'"), Some(("why", vec!["this or that"])));
    }

    #[test]
    fn conditions_that_cannot() {
        for text in [
            "",
            "or",
            "${why}",
            "${why} != 'money'",
            "${why} = 3",
            "${why} = money",
            "'money' = ${why}",
            "${why} = 'money' and ${busy} = 'yes'",
            "${why} = 'money' or ${busy} = 'yes'",
            "not(selected(${why}, 'money'))",
            "selected(${why}, 'money'",
            "count-selected(${why}) > 1",
            "${why} = 'money' or ",
            "${} = 'money'",
            "${why} = 'it's'",
            "${why",
            "é = 'ñ'",
        ] {
            assert_eq!(condition(text), None, "{text}");
        }
    }

    #[test]
    fn bounds_of_numbers() {
        assert_eq!(bounds(". >= 0 and . <= 20"), Some((Some(0), Some(20))));
        assert_eq!(bounds(".<=20 and .>=-3"), Some((Some(-3), Some(20))));
        assert_eq!(bounds(". > 0"), Some((Some(1), None)));
        assert_eq!(bounds(". < 5"), Some((None, Some(4))));
        for text in [
            "",
            ".",
            ". >= 0 or . <= 20",
            ". >= 0 and . >= 3",
            ". >= 0 and . <= 20 and . < 5",
            ". = 4",
            ". >= 1.5",
            ". <= ${other}",
            ". > 2147483647",
            ". < -2147483648",
            ". <= 99999999999",
        ] {
            assert_eq!(bounds(text), None, "{text}");
        }
    }

    #[test]
    fn ends_of_scales() {
        assert_eq!(scale("start=0 end=5 step=1"), Some((0, 5)));
        assert_eq!(scale("end=7;start=1"), Some((1, 7)));
        assert_eq!(scale(""), Some((1, 10)));
        for text in ["start=0 step=2", "start", "start=a", "low=1", "start=0.5"] {
            assert_eq!(scale(text), None, "{text}");
        }
    }
}
