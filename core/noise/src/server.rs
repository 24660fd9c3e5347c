//! The server's side of the handshakes (transport document §2.3 to §2.5), which the sandbox runs.

use std::fmt;

use whimbrel_crypto::curve::{KeyPair, PublicKey};

use crate::error::{HandshakeError, Part};
use crate::message::{self, ServerHello, required};
use crate::symmetric::{Pattern, Symmetric};
use crate::transport::Transport;

/// What a server shows to every client.
#[derive(Debug, Clone)]
pub struct Server {
    /// Its static key.
    pub own: KeyPair,
    /// The certificates of that key, see [`crate::certificate::issue`].
    pub chain: Vec<u8>,
}

/// Whether a server accepts resumptions.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Resumption {
    /// From clients that know the current key.
    Accept,
    /// From none: all fall back to the full handshake.
    Refuse,
}

/// The answer to a client's hello.
#[derive(Debug)]
pub enum Answer {
    /// The client must still prove itself.
    Full {
        /// The message to send.
        message: Vec<u8>,
        /// Whether the client had tried to resume.
        fallback: bool,
        /// Reads the client's next message.
        pending: Pending,
    },
    /// The client has resumed.
    Resumed {
        /// The message to send.
        message: Vec<u8>,
        /// The client. Anybody can replay its hello, so nothing may come of it until the first frame
        /// has been opened.
        client: Client,
    },
}

/// A client after its handshake.
pub struct Client {
    /// Its static key.
    pub key: PublicKey,
    /// The payload that it has sent, not decoded.
    pub payload: Vec<u8>,
    /// The cipher of what follows.
    pub transport: Transport,
}

impl fmt::Debug for Client {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // The payload says who the client is.
        f.debug_struct("Client").field("key", &self.key).finish_non_exhaustive()
    }
}

impl Server {
    /// Answers a client's hello. `ephemeral` must be fresh.
    ///
    /// # Errors
    /// The hello is not one: the connection must be closed. A resumption that cannot be read is no
    /// error, but falls back to the full handshake.
    pub fn answer(
        &self,
        client_hello: &[u8],
        ephemeral: KeyPair,
        resumption: Resumption,
    ) -> Result<Answer, HandshakeError> {
        let hello = message::read_client_hello(client_hello)?;
        let client_ephemeral = message::key(&required(hello.ephemeral, Part::Ephemeral)?, Part::Ephemeral)?;
        let (sealed_static, sealed_payload) = match (hello.r#static, hello.payload) {
            (None, None) => return self.full(Pattern::Xx, &client_ephemeral, ephemeral),
            (Some(sealed_static), Some(sealed_payload)) => (sealed_static, sealed_payload),
            (None, Some(_)) => return Err(HandshakeError::Missing(Part::Static)),
            (Some(_), None) => return Err(HandshakeError::Missing(Part::Payload)),
        };
        if resumption == Resumption::Accept {
            let resumed = self.resume(&client_ephemeral, &sealed_static, &sealed_payload, &ephemeral);
            if let Ok(answer) = resumed {
                return Ok(answer);
            }
        }
        self.full(Pattern::XxFallback, &client_ephemeral, ephemeral)
    }

    fn full(
        &self,
        pattern: Pattern,
        client_ephemeral: &PublicKey,
        ephemeral: KeyPair,
    ) -> Result<Answer, HandshakeError> {
        let mut state = Symmetric::new(pattern);
        state.mix_hash(client_ephemeral.as_bytes());
        state.mix_hash(ephemeral.public.as_bytes());
        state.mix_key(&ephemeral.private.agree(client_ephemeral)?);
        let sealed_static = state.seal(self.own.public.as_bytes())?;
        state.mix_key(&self.own.private.agree(client_ephemeral)?);
        let sealed_payload = state.seal(&self.chain)?;
        let hello = ServerHello {
            ephemeral: Some(ephemeral.public.as_bytes().to_vec()),
            r#static: Some(sealed_static),
            payload: Some(sealed_payload),
            ..Default::default()
        };
        Ok(Answer::Full {
            message: message::write_server_hello(hello),
            fallback: pattern == Pattern::XxFallback,
            pending: Pending { state, ephemeral },
        })
    }

    fn resume(
        &self,
        client_ephemeral: &PublicKey,
        sealed_static: &[u8],
        sealed_payload: &[u8],
        ephemeral: &KeyPair,
    ) -> Result<Answer, HandshakeError> {
        let mut state = Symmetric::new(Pattern::Ik);
        state.mix_hash(self.own.public.as_bytes());
        state.mix_hash(client_ephemeral.as_bytes());
        state.mix_key(&self.own.private.agree(client_ephemeral)?);
        let key = message::key(&state.open(Part::Static, sealed_static)?, Part::Static)?;
        state.mix_key(&self.own.private.agree(&key)?);
        let payload = state.open(Part::Payload, sealed_payload)?;

        state.mix_hash(ephemeral.public.as_bytes());
        state.mix_key(&ephemeral.private.agree(client_ephemeral)?);
        state.mix_key(&ephemeral.private.agree(&key)?);
        let sealed_chain = state.seal(&self.chain)?;
        let hello = ServerHello {
            ephemeral: Some(ephemeral.public.as_bytes().to_vec()),
            payload: Some(sealed_chain),
            ..Default::default()
        };
        let client = Client { key, payload, transport: transport(state)? };
        Ok(Answer::Resumed { message: message::write_server_hello(hello), client })
    }
}

/// A full handshake in which the client must still prove itself.
#[derive(Debug)]
pub struct Pending {
    state: Symmetric,
    ephemeral: KeyPair,
}

impl Pending {
    /// Reads the client's second message.
    ///
    /// # Errors
    /// It is not the message of the client that sent the hello: the connection must be closed.
    pub fn read(self, client_finish: &[u8]) -> Result<Client, HandshakeError> {
        let Self { mut state, ephemeral } = self;
        let finish = message::read_client_finish(client_finish)?;
        let sealed_static = required(finish.r#static, Part::Static)?;
        let sealed_payload = required(finish.payload, Part::Payload)?;
        let key = message::key(&state.open(Part::Static, &sealed_static)?, Part::Static)?;
        state.mix_key(&ephemeral.private.agree(&key)?);
        let payload = state.open(Part::Payload, &sealed_payload)?;
        Ok(Client { key, payload, transport: transport(state)? })
    }
}

fn transport(state: Symmetric) -> Result<Transport, HandshakeError> {
    let (to_server, to_client) = state.split()?;
    Ok(Transport { sealer: to_client.sealer()?, opener: to_server.opener()? })
}
