//! Handshake messages, as protobuf.

use whimbrel_crypto::curve::PublicKey;
use whimbrel_proto::handshake::HandshakeMessage;
use whimbrel_proto::handshake::handshake_message;

use crate::error::{HandshakeError, Part};

pub(crate) use handshake_message::{ClientFinish, ClientHello, ServerHello};

fn decode(bytes: &[u8]) -> Result<HandshakeMessage, HandshakeError> {
    whimbrel_proto::decode(bytes).map_err(|_| HandshakeError::Undecodable)
}

pub(crate) fn read_client_hello(bytes: &[u8]) -> Result<ClientHello, HandshakeError> {
    let hello = decode(bytes)?.client_hello.ok_or(HandshakeError::Missing(Part::ClientHello))?;
    Ok(*hello)
}

pub(crate) fn read_server_hello(bytes: &[u8]) -> Result<ServerHello, HandshakeError> {
    let hello = decode(bytes)?.server_hello.ok_or(HandshakeError::Missing(Part::ServerHello))?;
    Ok(*hello)
}

pub(crate) fn read_client_finish(bytes: &[u8]) -> Result<ClientFinish, HandshakeError> {
    decode(bytes)?.client_finish.ok_or(HandshakeError::Missing(Part::ClientFinish))
}

pub(crate) fn write_client_hello(hello: ClientHello) -> Vec<u8> {
    whimbrel_proto::encode(&HandshakeMessage { client_hello: Some(Box::new(hello)), ..Default::default() })
}

pub(crate) fn write_server_hello(hello: ServerHello) -> Vec<u8> {
    whimbrel_proto::encode(&HandshakeMessage { server_hello: Some(Box::new(hello)), ..Default::default() })
}

pub(crate) fn write_client_finish(finish: ClientFinish) -> Vec<u8> {
    whimbrel_proto::encode(&HandshakeMessage { client_finish: Some(finish), ..Default::default() })
}

/// A field that must be there.
pub(crate) fn required(field: Option<Vec<u8>>, part: Part) -> Result<Vec<u8>, HandshakeError> {
    field.ok_or(HandshakeError::Missing(part))
}

/// The octets of a field that holds a key: 32, without a type.
pub(crate) fn key(octets: &[u8], part: Part) -> Result<PublicKey, HandshakeError> {
    octets.try_into().map(PublicKey::from_bytes).map_err(|_| HandshakeError::Length(part))
}
