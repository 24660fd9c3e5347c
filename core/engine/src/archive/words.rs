//! The words of a message, by which it is found.

use prost::Message as _;
use whimbrel_content::classify::Class;
use whimbrel_content::{Content, reread};
use whimbrel_proto::e2e::Message;
use whimbrel_wire::Jid;

/// The beginning of most messages: the rest need not be decoded for their words.
#[derive(Clone, PartialEq, prost::Message)]
struct Plain {
    #[prost(string, optional, tag = "1")]
    conversation: Option<String>,
    #[prost(message, optional, tag = "6")]
    extended: Option<Extended>,
}

#[derive(Clone, PartialEq, prost::Message)]
struct Extended {
    #[prost(string, optional, tag = "1")]
    text: Option<String>,
}

/// What people would look for in an encoded message; `None` if there is nothing.
pub(crate) fn of(content: &[u8]) -> Option<String> {
    if content.is_empty() {
        return None;
    }
    let plain = Plain::decode(content).ok()?;
    let words = match plain {
        Plain { conversation: Some(text), .. } => Some(text),
        Plain { extended: Some(Extended { text: Some(text) }), .. } => Some(text),
        Plain { .. } => {
            let message: Message = whimbrel_proto::decode(content).ok()?;
            match reread(message, &Jid::SERVER, false).class {
                Class::Message(shown) => looked_for(&shown.content),
                _ => None,
            }
        }
    };
    words.filter(|words| !words.trim().is_empty())
}

/// The words of content, and what it is called by.
fn looked_for(content: &Content) -> Option<String> {
    let mut words = content.body().unwrap_or_default();
    let others: &[&str] = match content {
        Content::Document(document) => &[document.file_name.as_deref().unwrap_or_default()],
        _ => &[],
    };
    let options = if let Content::Poll(poll) = content { poll.options.as_slice() } else { &[] };
    for other in others.iter().copied().chain(options.iter().map(String::as_str)) {
        words.push('\n');
        words.push_str(other);
    }
    Some(words)
}
