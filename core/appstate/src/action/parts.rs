//! The parts of an index behind the name of the action.

/// Takes the parts of an index one after the other.
pub(super) struct Parts<'p>(pub(super) std::slice::Iter<'p, String>);

impl Parts<'_> {
    /// Whether nothing is left: an index with more parts than its action knows is another action.
    pub(super) fn end(&self) -> bool {
        self.0.as_slice().is_empty()
    }
}

/// Something that an index holds.
pub(super) trait Part: Sized {
    fn take(parts: &mut Parts<'_>) -> Option<Self>;
    fn put(&self, index: &mut Vec<String>);
}

impl Part for String {
    fn take(parts: &mut Parts<'_>) -> Option<Self> {
        parts.0.next().cloned()
    }

    fn put(&self, index: &mut Vec<String>) {
        index.push(self.clone());
    }
}

impl Part for bool {
    fn take(parts: &mut Parts<'_>) -> Option<Self> {
        match parts.0.next()?.as_str() {
            "0" => Some(false),
            "1" => Some(true),
            _ => None,
        }
    }

    fn put(&self, index: &mut Vec<String>) {
        index.push(if *self { "1" } else { "0" }.to_owned());
    }
}

/// All that is left: for actions of which the parts are not known, or vary.
impl Part for Vec<String> {
    fn take(parts: &mut Parts<'_>) -> Option<Self> {
        Some(parts.0.by_ref().cloned().collect())
    }

    fn put(&self, index: &mut Vec<String>) {
        index.extend(self.iter().cloned());
    }
}

/// Which message an action is about.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct MessageRef {
    /// Chat of the message.
    pub chat: String,
    /// Its id.
    pub id: String,
    /// Whether the account wrote it.
    pub from_me: bool,
    /// Who wrote it; `None` for own messages and in chats with one person.
    pub participant: Option<String>,
}

/// How a missing participant is written.
const NOBODY: &str = "0";

impl Part for MessageRef {
    fn take(parts: &mut Parts<'_>) -> Option<Self> {
        let chat = String::take(parts)?;
        let id = String::take(parts)?;
        let from_me = bool::take(parts)?;
        let participant = Some(String::take(parts)?).filter(|participant| participant != NOBODY);
        Some(Self { chat, id, from_me, participant })
    }

    fn put(&self, index: &mut Vec<String>) {
        self.chat.put(index);
        self.id.put(index);
        self.from_me.put(index);
        index.push(self.participant.clone().unwrap_or_else(|| NOBODY.to_owned()));
    }
}
