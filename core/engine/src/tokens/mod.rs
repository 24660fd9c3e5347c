//! Tokens of trust between people who know each other (features document §9): whoever was given one may
//! write to the giver, and see what contacts see, though the service restricts the account. Each side gives
//! one after it wrote; the newest counts. Strangers are written to with one made of a salt, where the
//! service wants that.

mod issue;
mod kept;
pub(crate) mod notify;
mod stanza;
mod time;

pub(crate) use issue::issue;
pub(crate) use kept::{Credential, Standing};
