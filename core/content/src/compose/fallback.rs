//! Interactive content in words, for clients that do not draw it.

use crate::kinds::Content;
use crate::kinds::interactive::{Action, Interactive};

/// What content of best effort says, one line each.
pub(super) fn text(content: &Content) -> String {
    let mut lines = Vec::new();
    match content {
        Content::Interactive(it) => interactive(it, &mut lines),
        Content::List(list) => {
            lines.extend(list.title.clone());
            lines.push(list.description.clone());
            for section in &list.sections {
                lines.extend(section.title.clone());
                for row in &section.rows {
                    lines.push(match &row.description {
                        Some(description) => format!("- {}: {description}", row.title),
                        None => format!("- {}", row.title),
                    });
                }
            }
            lines.extend(list.footer.clone());
        }
        _ => lines.extend(content.body()),
    }
    lines.retain(|line| !line.is_empty());
    lines.join("\n")
}

fn interactive(message: &Interactive, lines: &mut Vec<String>) {
    lines.extend(message.header.as_ref().and_then(|header| header.title.clone()));
    lines.push(message.body.clone());
    match &message.action {
        Some(Action::NativeFlow(flow)) => {
            lines.extend(flow.buttons.iter().filter_map(|button| Some(format!("- {}", button.label()?))));
        }
        Some(Action::Carousel { cards, .. }) => {
            for card in cards {
                interactive(card, lines);
            }
        }
        _ => {}
    }
    lines.extend(message.footer.clone());
}
