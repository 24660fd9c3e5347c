//! Why a handshake or a frame failed.

use whimbrel_crypto::aead::AeadError;
use whimbrel_crypto::curve::AgreementError;

/// A part of a handshake message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Part {
    /// The message to a client that has just sent its hello.
    ServerHello,
    /// A client's first message.
    ClientHello,
    /// A client's second message.
    ClientFinish,
    /// The sender's ephemeral key.
    Ephemeral,
    /// The sender's static key.
    Static,
    /// What the handshake carries: certificates or the client's payload.
    Payload,
}

impl Part {
    const fn name(self) -> &'static str {
        match self {
            Self::ServerHello => "server hello",
            Self::ClientHello => "client hello",
            Self::ClientFinish => "client finish",
            Self::Ephemeral => "ephemeral key",
            Self::Static => "static key",
            Self::Payload => "payload",
        }
    }
}

/// The other side's handshake message cannot be accepted. None of these is a passing disturbance:
/// timeouts and closed connections are the business of whoever carries the bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum HandshakeError {
    /// The bytes are not a handshake message.
    #[error("the message does not decode")]
    Undecodable,
    /// A part is missing.
    #[error("the {} is missing", .0.name())]
    Missing(Part),
    /// A key has another length than 32.
    #[error("the {} has a wrong length", .0.name())]
    Length(Part),
    /// A part does not decrypt.
    #[error("the {} does not decrypt", .0.name())]
    Decrypt(Part),
    /// A key of the other side is of small order.
    #[error("a key of the other side allows no agreement")]
    Agreement,
    /// The server cannot prove that it is one.
    #[error("the server's certificate is invalid: {0}")]
    Certificate(#[from] CertificateError),
    /// The cipher's provider fails.
    #[error("the cipher is not available")]
    Cipher,
}

impl From<AgreementError> for HandshakeError {
    fn from(_: AgreementError) -> Self {
        Self::Agreement
    }
}

/// Why a certificate chain is not accepted, in the order of the checks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum CertificateError {
    /// The chain or the details of a certificate do not decode.
    #[error("it does not decode")]
    Undecodable,
    /// A certificate lacks its details or a signature of 64 octets.
    #[error("a certificate is incomplete")]
    Incomplete,
    /// The intermediate certificate is not signed by the root.
    #[error("the intermediate is not signed by the root")]
    IntermediateSignature,
    /// The intermediate certificate names another issuer than the root.
    #[error("the intermediate names another issuer")]
    IntermediateIssuer,
    /// The intermediate certificate's key has another length than 32.
    #[error("the intermediate has no key")]
    IntermediateKey,
    /// The leaf is not signed by the intermediate's key.
    #[error("the leaf is not signed by the intermediate")]
    LeafSignature,
    /// The leaf names another issuer than the intermediate.
    #[error("the leaf names another issuer")]
    LeafIssuer,
    /// The leaf is for another key than the one that the server has proved.
    #[error("the leaf is for another key")]
    LeafKey,
    /// A certificate is not valid yet.
    #[error("a certificate is not valid yet")]
    NotYetValid,
    /// A certificate has expired.
    #[error("a certificate has expired")]
    Expired,
}

/// A frame was neither sealed nor opened. The connection is over: no later frame can be.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum TransportError {
    /// The frame was changed, lost or reordered on its way.
    #[error("a frame does not authenticate")]
    Authentication,
    /// All counters of this connection are used up.
    #[error("the frame counter is used up")]
    Exhausted,
    /// The cipher's provider fails.
    #[error("the cipher is not available")]
    Cipher,
}

impl From<AeadError> for TransportError {
    fn from(error: AeadError) -> Self {
        match error {
            AeadError::Tag => Self::Authentication,
            AeadError::Unavailable => Self::Cipher,
        }
    }
}
