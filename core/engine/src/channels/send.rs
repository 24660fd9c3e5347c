//! A post on its way out. It is kept and repeated as every message is; nothing is encrypted.

use whimbrel_content::compose::{Composed as Made, Draft};
use whimbrel_content::stanza::attributes;

use super::stanza;
use crate::error::{Code, Error};
use crate::media::file_of;
use crate::messages::Unit;
use crate::messages::compose::refused;
use crate::messages::outbox::Ticket;
use crate::messages::route::Route;
use crate::messages::send::{self, Composed};
use crate::store::StoreError;

/// Makes a post of a draft, or new content for one. It has no secret: who reads it is not known.
pub(crate) fn compose_post(mut draft: Draft) -> Result<Made, Error> {
    let wrong = |message| Err(Error::new(Code::InvalidArgument, message));
    if draft.view_once || draft.context.quote.is_some() || draft.association.is_some() {
        return wrong("a post of a channel quotes nothing, belongs to nothing and is not to be seen once");
    }
    if file_of(&mut draft.content).is_some_and(|(_, media)| media.key.is_some()) {
        return wrong("files of a channel's posts are uploaded without being encrypted");
    }
    let mut made = draft.compose([0; 32]).map_err(|reason| refused(&reason))?;
    made.message.message_context_info = None;
    let about = attributes(&made.message);
    if about.biz.is_some() || about.mediatype.is_some_and(|mediatype| !stanza::takes(mediatype)) {
        return Err(Error::new(Code::NotSupported, "channels have no content of this kind"));
    }
    Ok(made)
}

/// Makes the stanza.
pub(crate) fn compose(unit: &mut Unit<'_>, ticket: &Ticket) -> Result<Composed, StoreError> {
    let row = &ticket.row;
    let handle = match &row.route {
        Some(Route::Post { media_handle }) => media_handle.as_deref(),
        _ => None,
    };
    let stanza = stanza::post(&row.chat, &row.message_id, &row.content, handle);
    send::keep(unit, ticket)?;
    Ok(Composed::Stanza { stanza: Box::new(stanza), keys: None })
}
