//! What each code means, with an example and what to do about it.

use sync_trace::finding::Code;

macro_rules! texts {
    ($($code:literal),* $(,)?) => {
        /// The texts, by their codes. The examples in them are compiled with the tests.
        const TEXTS: &[(&str, &str)] = &[
            $(($code, include_str!(concat!("explain/", $code, ".md")))),*
        ];

        #[cfg(doctest)]
        mod examples {
            $(
                #[doc = include_str!(concat!("explain/", $code, ".md"))]
                const _: () = ();
            )*
        }
    };
}

texts!(
    "ST0001", "ST0002", "ST0003", "ST0101", "ST0102", "ST0103", "ST0104", "ST0201", "ST0202",
    "ST0203", "ST0204", "ST0301", "ST0303", "ST0401", "ST0402", "ST0501",
);

/// The text of a code, in Markdown.
pub fn text(code: &str) -> Option<&'static str> {
    TEXTS.iter().find(|(known, _)| *known == code).map(|(_, text)| *text)
}

/// What a code means, in one line.
pub fn title(code: &str) -> Option<&'static str> {
    let heading = text(code)?.lines().next()?;
    heading.split_once(": ").map(|(_, title)| title)
}

/// The text for a terminal: code is indented, and nothing else is marked.
pub fn plain(code: &str) -> Option<String> {
    let mut plain = String::new();
    let mut is_code = false;
    for line in text(code)?.lines() {
        if line.starts_with("```") {
            is_code = !is_code;
            continue;
        }
        let line = if is_code { line } else { line.trim_start_matches('#').trim_start() };
        if is_code && !line.is_empty() {
            plain.push_str("    ");
        }
        plain.push_str(line);
        plain.push('\n');
    }
    Some(plain)
}

/// All codes, each with what it means.
pub fn list() -> impl Iterator<Item = (&'static str, &'static str)> {
    Code::all().iter().map(|code| (code.as_str(), title(code.as_str()).unwrap_or_default()))
}

/// The code that is meant: in any case, and with or without `ST`.
pub fn meant(text: &str) -> Option<&'static str> {
    let text = text.trim().to_ascii_uppercase();
    let digits = text.strip_prefix("ST").unwrap_or(&text);
    TEXTS.iter().map(|(code, _)| *code).find(|code| code[2..] == *digits)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_code_is_explained_with_an_example_and_what_to_do() {
        assert_eq!(TEXTS.len(), Code::all().len());
        for code in Code::all() {
            let text = text(code.as_str()).unwrap_or_else(|| panic!("{code} is not explained"));
            assert!(text.starts_with(&format!("# {code}: ")), "{code}");
            for part in ["\n## Example\n\n```rust,no_run\n", "\n```\n\n## What to do\n\n- "] {
                assert!(text.contains(part), "{code} lacks {part}");
            }
            assert!(!title(code.as_str()).unwrap().ends_with('.'));
        }
    }

    #[test]
    fn a_code_may_be_written_in_any_way() {
        for (text, expected) in [
            ("ST0101", Some("ST0101")),
            ("st0101", Some("ST0101")),
            ("0101", Some("ST0101")),
            (" 0101 ", Some("ST0101")),
            ("101", None),
            ("ST9999", None),
            ("", None),
        ] {
            assert_eq!(meant(text), expected, "{text}");
        }
    }

    #[test]
    fn on_a_terminal_code_is_indented() {
        let plain = plain("ST0002").unwrap();
        assert!(plain.starts_with("ST0002: one thread"), "{plain}");
        assert!(
            plain.contains("\nExample\n\n    use sync_trace::sync::Mutex;\n\n    let"),
            "{plain}"
        );
        assert!(!plain.contains("```"));
    }
}
