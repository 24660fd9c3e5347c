//! The client's side of the handshakes (transport document §2.3 to §2.5).

use whimbrel_crypto::curve::{KeyPair, PublicKey};

use crate::certificate::{self, Certified, Trust};
use crate::error::{HandshakeError, Part};
use crate::message::{self, ClientFinish, ClientHello, ServerHello, required};
use crate::symmetric::{Pattern, Symmetric};
use crate::transport::Transport;

/// A full handshake whose hello has been sent.
#[derive(Debug)]
pub struct Xx {
    state: Symmetric,
    ephemeral: KeyPair,
}

impl Xx {
    /// Begins; the second value is the message to send. `ephemeral` must be fresh.
    pub fn start(ephemeral: KeyPair) -> (Self, Vec<u8>) {
        let hello =
            ClientHello { ephemeral: Some(ephemeral.public.as_bytes().to_vec()), ..Default::default() };
        (Self::with_pattern(Pattern::Xx, ephemeral), message::write_client_hello(hello))
    }

    fn with_pattern(pattern: Pattern, ephemeral: KeyPair) -> Self {
        let mut state = Symmetric::new(pattern);
        // To the letter Noise would also mix in the empty payload of the hello.
        state.mix_hash(ephemeral.public.as_bytes());
        Self { state, ephemeral }
    }

    /// Reads the server's answer and judges its certificates.
    ///
    /// # Errors
    /// The answer is not that of a certified server.
    pub fn read(self, server_hello: &[u8], trust: &Trust) -> Result<Finish, HandshakeError> {
        self.accept(message::read_server_hello(server_hello)?, trust)
    }

    fn accept(self, hello: ServerHello, trust: &Trust) -> Result<Finish, HandshakeError> {
        let Self { mut state, ephemeral } = self;
        let server_ephemeral = message::key(&required(hello.ephemeral, Part::Ephemeral)?, Part::Ephemeral)?;
        let sealed_static = required(hello.r#static, Part::Static)?;
        let sealed_payload = required(hello.payload, Part::Payload)?;

        state.mix_hash(server_ephemeral.as_bytes());
        state.mix_key(&ephemeral.private.agree(&server_ephemeral)?);
        let server = message::key(&state.open(Part::Static, &sealed_static)?, Part::Static)?;
        state.mix_key(&ephemeral.private.agree(&server)?);
        let chain = state.open(Part::Payload, &sealed_payload)?;
        let server = certificate::verify(&chain, &server, trust)?;
        Ok(Finish { state, server_ephemeral, server })
    }
}

/// A full handshake with a server that has proved itself; the client has yet to.
#[derive(Debug)]
pub struct Finish {
    state: Symmetric,
    server_ephemeral: PublicKey,
    server: Certified,
}

impl Finish {
    /// The server, as a registered client keeps it for [`Ik`].
    pub fn server(&self) -> &Certified {
        &self.server
    }

    /// Ends the handshake with the client's static key and payload; the second value is the message
    /// to send.
    ///
    /// # Errors
    /// The server's ephemeral key allows no agreement.
    pub fn finish(self, own: &KeyPair, payload: &[u8]) -> Result<(Transport, Vec<u8>), HandshakeError> {
        let Self { mut state, server_ephemeral, .. } = self;
        let sealed_static = state.seal(own.public.as_bytes())?;
        state.mix_key(&own.private.agree(&server_ephemeral)?);
        let sealed_payload = state.seal(payload)?;
        let finish = ClientFinish {
            r#static: Some(sealed_static),
            payload: Some(sealed_payload),
            ..Default::default()
        };
        Ok((transport(state)?, message::write_client_finish(finish)))
    }
}

/// A resumption with a server whose key is known, after its hello has been sent.
#[derive(Debug)]
pub struct Ik {
    state: Symmetric,
    ephemeral: KeyPair,
    own: KeyPair,
}

/// What a server makes of a resumption.
#[derive(Debug)]
pub enum IkAnswer {
    /// It accepts; frames may follow.
    Resumed(Transport),
    /// It has another key now, which it has proved; the full handshake goes on.
    Fallback(Finish),
}

impl Ik {
    /// Begins; the second value is the message to send, with the payload in it. Use it only when the
    /// server is [`Certified::valid_at`] this time. `ephemeral` must be fresh.
    ///
    /// # Errors
    /// The server's key allows no agreement.
    pub fn start(
        ephemeral: KeyPair,
        own: KeyPair,
        server: &PublicKey,
        payload: &[u8],
    ) -> Result<(Self, Vec<u8>), HandshakeError> {
        let mut state = Symmetric::new(Pattern::Ik);
        state.mix_hash(server.as_bytes());
        state.mix_hash(ephemeral.public.as_bytes());
        state.mix_key(&ephemeral.private.agree(server)?);
        let sealed_static = state.seal(own.public.as_bytes())?;
        state.mix_key(&own.private.agree(server)?);
        let sealed_payload = state.seal(payload)?;
        let hello = ClientHello {
            ephemeral: Some(ephemeral.public.as_bytes().to_vec()),
            r#static: Some(sealed_static),
            payload: Some(sealed_payload),
            ..Default::default()
        };
        Ok((Self { state, ephemeral, own }, message::write_client_hello(hello)))
    }

    /// Reads the server's answer. What an accepting server sends along only proves that it holds its
    /// key: no source tells for sure what it is.
    ///
    /// # Errors
    /// The answer is neither an acceptance nor that of a certified server. The known key should then
    /// be forgotten.
    pub fn read(self, server_hello: &[u8], trust: &Trust) -> Result<IkAnswer, HandshakeError> {
        let hello = message::read_server_hello(server_hello)?;
        if hello.r#static.is_some() {
            let restarted = Xx::with_pattern(Pattern::XxFallback, self.ephemeral);
            return restarted.accept(hello, trust).map(IkAnswer::Fallback);
        }
        let Self { mut state, ephemeral, own } = self;
        let server_ephemeral = message::key(&required(hello.ephemeral, Part::Ephemeral)?, Part::Ephemeral)?;
        let sealed_payload = required(hello.payload, Part::Payload)?;
        state.mix_hash(server_ephemeral.as_bytes());
        state.mix_key(&ephemeral.private.agree(&server_ephemeral)?);
        state.mix_key(&own.private.agree(&server_ephemeral)?);
        state.open(Part::Payload, &sealed_payload)?;
        Ok(IkAnswer::Resumed(transport(state)?))
    }
}

fn transport(state: Symmetric) -> Result<Transport, HandshakeError> {
    let (to_server, to_client) = state.split()?;
    Ok(Transport { sealer: to_server.sealer()?, opener: to_client.opener()? })
}
