//! The name that this account gives itself.

use super::stanza;
use crate::appstate::Setting;
use crate::client::Client;
use crate::error::Error;

impl Client {
    /// Changes the name that this account gives itself, 1 to 25 characters. The account's devices share it: a
    /// [`StateWritten`](crate::events::EventKind::StateWritten) event with the returned id tells when they
    /// know. People see it with the next message.
    ///
    /// # Errors
    /// [`crate::Code::InvalidArgument`] for a name that is empty or too long, and those of
    /// [`archive_chat`](Self::archive_chat).
    pub async fn set_push_name(&self, name: &str) -> Result<String, Error> {
        let change = self.set_setting(Setting::PushName(name.to_owned())).await;
        let change = change.map_err(|error| error.in_operation("set_push_name"))?;
        // The service puts the name on messages. If it is not heard now, the next presence says it.
        if let Some(connection) = self.inner().connection() {
            let _ = connection.send(stanza::named(name)).await;
        }
        Ok(change)
    }
}
