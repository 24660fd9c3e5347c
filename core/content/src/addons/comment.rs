//! Comments on posts (messages document §7.7).

use whimbrel_proto::e2e::Message;
use whimbrel_proto::e2e::message::CommentMessage;

use crate::context::{Context, slot};
use crate::key::Key;
use crate::kinds::Content;
use crate::secret::Secret;
use crate::unwrap;

/// Somebody commented on a post.
#[derive(Clone, Debug, PartialEq)]
pub struct Comment {
    /// The post.
    pub target: Key,
    /// What they say.
    pub content: Box<Content>,
    /// What surrounds it.
    pub context: Box<Context>,
    /// The comment's own secret, for reactions to it. In clear it stands around the comment.
    pub secret: Option<Secret>,
}

impl Comment {
    pub(crate) fn read(comment: CommentMessage) -> Self {
        let message = comment.message.map(|message| *message).unwrap_or_default();
        Self::new(Key::read(comment.target_message_key), message)
    }

    pub(crate) fn new(target: Key, message: Message) -> Self {
        let mut opened = unwrap::open(message);
        let context = slot::take(&mut opened.content).map(Context::read).unwrap_or_default();
        Self {
            target,
            content: Box::new(Content::take(&mut opened.content)),
            context: Box::new(context),
            secret: opened.info.message_secret.map(Secret::new),
        }
    }
}
