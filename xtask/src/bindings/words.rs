//! Names and prose in the habits of each language.

/// `camelCase` as `snake_case`.
pub(crate) fn snake(name: &str) -> String {
    let mut text = String::with_capacity(name.len() + 4);
    for character in name.chars() {
        if character.is_ascii_uppercase() {
            text.push('_');
        }
        text.push(character.to_ascii_lowercase());
    }
    text
}

/// `snake_case` or `SCREAMING_CASE` as `PascalCase`.
pub(crate) fn pascal(name: &str) -> String {
    name.split('_')
        .map(|word| {
            let mut characters = word.chars();
            let first = characters.next().map(|first| first.to_ascii_uppercase());
            first.into_iter().chain(characters.map(|rest| rest.to_ascii_lowercase())).collect::<String>()
        })
        .collect()
}

/// Prose in which names in backticks are written as `rename` writes them.
pub(crate) fn rename_in_ticks(prose: &str, rename: fn(&str) -> String) -> String {
    let mut parts = Vec::new();
    for (index, part) in prose.split('`').enumerate() {
        let in_ticks = index % 2 == 1;
        let is_field = part.starts_with(|first: char| first.is_ascii_lowercase())
            && part.chars().all(|character| character.is_ascii_alphanumeric());
        parts.push(if in_ticks && is_field { rename(part) } else { part.to_owned() });
    }
    parts.join("`")
}

/// Breaks paragraphs (one line each, with empty lines between) into lines of at most `width`.
pub(crate) fn wrap(prose: &str, width: usize) -> Vec<String> {
    let mut lines = Vec::new();
    for paragraph in prose.split("\n\n") {
        if !lines.is_empty() {
            lines.push(String::new());
        }
        let mut line = String::new();
        for word in paragraph.split_whitespace() {
            if !line.is_empty() && line.chars().count() + 1 + word.chars().count() > width {
                lines.push(std::mem::take(&mut line));
            }
            if !line.is_empty() {
                line.push(' ');
            }
            line.push_str(word);
        }
        lines.push(line);
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_change_their_case() {
        assert_eq!(snake("recordedAtMs"), "recorded_at_ms");
        assert_eq!(pascal("TIMED_OUT"), "TimedOut");
        assert_eq!(pascal("link_with_qr"), "LinkWithQr");
        assert_eq!(
            rename_in_ticks("set `autoStart` or `Linked`, not autoStart", snake),
            "set `auto_start` or `Linked`, not autoStart"
        );
    }

    #[test]
    fn prose_is_wrapped_by_paragraphs() {
        assert_eq!(wrap("one two three\n\nfour", 8), ["one two", "three", "", "four"]);
    }
}
