//! What is refused before a document is parsed: the parser follows the nesting of its input on the stack.

/// The longest document, in bytes.
pub const LONGEST: usize = 64 * 1024;
const MOST_TOKENS: usize = 5_000;
const DEEPEST: usize = 60;

/// # Errors
/// The code and the words for the client.
pub fn scan(document: &str) -> Result<(), (&'static str, &'static str)> {
    const LARGE: &str = "DOCUMENT_TOO_LARGE";
    if document.len() > LONGEST {
        return Err((LARGE, "The document is longer than 64 KiB."));
    }
    let bytes = document.as_bytes();
    let (mut place, mut depth, mut tokens) = (0, 0_usize, 0_usize);
    while let Some(byte) = bytes.get(place) {
        match byte {
            b'#' => place = after_comment(bytes, place),
            b'"' => {
                tokens += 1;
                let Some(after) = after_string(bytes, place) else {
                    return Err(("GRAPHQL_PARSE_FAILED", "A string in the document does not end."));
                };
                place = after;
                continue;
            }
            b'{' | b'[' | b'(' => {
                tokens += 1;
                depth += 1;
            }
            b'}' | b']' | b')' => {
                tokens += 1;
                depth = depth.saturating_sub(1);
            }
            byte if byte.is_ascii_alphanumeric() || *byte == b'_' => {
                tokens += 1;
                while bytes.get(place + 1).is_some_and(|byte| byte.is_ascii_alphanumeric() || *byte == b'_') {
                    place += 1;
                }
            }
            byte if byte.is_ascii_whitespace() || *byte == b',' => {}
            _ => tokens += 1,
        }
        if depth > DEEPEST {
            return Err((LARGE, "The document is nested too deeply."));
        }
        if tokens > MOST_TOKENS {
            return Err((LARGE, "The document has too many parts."));
        }
        place += 1;
    }
    Ok(())
}

/// The end of the line of a comment that begins here.
fn after_comment(bytes: &[u8], start: usize) -> usize {
    let ends = |byte: &u8| *byte == b'\n' || *byte == b'\r';
    bytes[start..].iter().position(ends).map_or(bytes.len(), |length| start + length)
}

/// The place behind a string that begins here; none when it does not close.
fn after_string(bytes: &[u8], start: usize) -> Option<usize> {
    let block = bytes[start..].starts_with(b"\"\"\"");
    let mut place = start + if block { 3 } else { 1 };
    while place < bytes.len() {
        let rest = &bytes[place..];
        if block {
            if rest.starts_with(b"\\\"\"\"") {
                place += 4;
                continue;
            }
            if rest.starts_with(b"\"\"\"") {
                return Some(place + 3);
            }
        } else {
            match bytes[place] {
                b'\\' => place += 1,
                b'"' => return Some(place + 1),
                b'\n' => return None,
                _ => {}
            }
        }
        place += 1;
    }
    None
}

/// The place after the list or object that begins here.
fn after_nest(bytes: &[u8], mut place: usize) -> usize {
    let mut depth = 0_usize;
    while let Some(byte) = bytes.get(place) {
        place = match byte {
            b'#' => after_comment(bytes, place),
            b'"' => after_string(bytes, place).unwrap_or(bytes.len()),
            _ => place + 1,
        };
        match byte {
            b'{' | b'[' => depth += 1,
            b'}' | b']' => depth = depth.saturating_sub(1),
            _ => {}
        }
        if depth == 0 {
            break;
        }
    }
    place
}

/// A document without comments and without the values that stand in it: names of women may be among them, or an answer, and
/// a digest of what is short can be tried.
pub fn without_values(document: &str) -> Vec<u8> {
    let bytes = document.as_bytes();
    let mut kept: Vec<u8> = Vec::with_capacity(bytes.len());
    let (mut place, mut depth) = (0, 0_usize);
    while let Some(byte) = bytes.get(place) {
        match byte {
            b'#' => place = after_comment(bytes, place),
            b'"' => {
                kept.extend(b"\"\"");
                place = after_string(bytes, place).unwrap_or(bytes.len());
            }
            b'{' | b'[' if depth > 0 => {
                kept.push(b'_');
                place = after_nest(bytes, place);
            }
            // Values are written in parentheses alone; there a word is one unless it is a variable or a name of one.
            byte if depth > 0 && (byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-')) => {
                let rest = bytes.get(place..).unwrap_or_default();
                let is_of_word =
                    |byte: &u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-' | b'+' | b'.');
                let (word, after) = rest.split_at(rest.iter().take_while(|byte| is_of_word(byte)).count());
                let names = after.iter().find(|byte| !byte.is_ascii_whitespace()) == Some(&b':');
                if names || kept.last() == Some(&b'$') {
                    kept.extend(word);
                } else {
                    kept.push(b'_');
                }
                place += word.len();
            }
            byte => {
                match byte {
                    b'(' => depth += 1,
                    b')' => depth = depth.saturating_sub(1),
                    _ => {}
                }
                kept.push(*byte);
                place += 1;
            }
        }
    }
    kept
}

#[cfg(test)]
mod tests {
    use super::{scan, without_values};

    #[test]
    fn nesting_and_length_are_bounded() {
        assert!(scan("{ a(b: \"{{{{\") { c } } # {{{{").is_ok());
        assert!(scan(&"{a".repeat(61)).is_err());
        assert!(scan(&"a ".repeat(5_001)).is_err());
        assert!(scan(&" ".repeat(70_000)).is_err());
        assert!(scan("\"\"\" \\\"\"\" {{{ \"\"\" { a }").is_ok());
        assert!(scan("\"unclosed").is_err());
        assert!(scan("[\"\"\"a\" [[[").is_err());
    }

    #[test]
    fn values_are_left_out() {
        let without = |document: &str| String::from_utf8(without_values(document)).unwrap_or_default();
        assert_eq!(
            without("{ a(b: \"Ana \\\" Soto\", c: \"\"\"x \" y\"\"\") # Ana\n d }"),
            "{ a(b: \"\", c: \"\") \n d }"
        );
        assert_eq!(without("{ a(b: $name, n: 3) { e1 } }"), "{ a(b: $name, n: _) { e1 } }");
        assert_eq!(
            without("{ a(in: [{ q: \"]\", n: -1.5e+3 # ]\n}], yes : true, n: -1.5e+3, m: REFUSED) { b } }"),
            "{ a(in: _, yes : _, n: _, m: _) { b } }"
        );
        assert_eq!(
            without("query($n: Int = 4) { a(b: $n) { c(d: [1 2]) } }"),
            "query($n: _ = _) { a(b: $n) { c(d: _) } }"
        );
        assert_eq!(without("{ a(b: \"Ana"), "{ a(b: \"\"");
    }
}
