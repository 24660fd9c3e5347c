//! What must hold for any bytes at all. The fuzz target and the tests run the same checks.
#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "a panic is the report")]

use whimbrel_crypto::curve::{KeyPair, PrivateKey};
use whimbrel_noise::certificate::{self, Issuer, Statement, issue};
use whimbrel_noise::client::{Ik, IkAnswer, Xx};
use whimbrel_noise::server::{Answer, Pending, Resumption, Server};
use whimbrel_noise::{HandshakeError, NoiseRoot, Trust, Validity};
use whimbrel_proto::handshake::HandshakeMessage;

const NOW: u64 = 1_800_000_000;

/// One side of a connection, waiting for a message.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Role {
    /// A server that waits for the first message.
    Server,
    /// A client that has sent the hello of the full handshake.
    Xx,
    /// A client that tries to resume with the right key.
    Ik,
    /// A client that tries to resume with an outdated key.
    OutdatedIk,
    /// A server that has answered a full handshake.
    Pending,
    /// A client that looks at certificates.
    Certificates,
}

const ROLES: [Role; 6] =
    [Role::Server, Role::Xx, Role::Ik, Role::OutdatedIk, Role::Pending, Role::Certificates];

fn pair(seed: u8) -> KeyPair {
    KeyPair::from_private(PrivateKey::from_bytes([seed; 32]))
}

fn server() -> Server {
    let validity = Validity { not_before: NOW, not_after: NOW };
    let middle = Statement { serial: 1, issuer_serial: 0, key: pair(2).public, validity };
    let leaf = Statement { serial: 2, issuer_serial: 1, key: pair(3).public, validity };
    let chain = issue(
        (&middle, &Issuer { key: &pair(1).private, random: &[1; 64] }),
        (&leaf, &Issuer { key: &pair(2).private, random: &[1; 64] }),
    );
    Server { own: pair(3), chain }
}

fn trust() -> Trust {
    Trust::new(NoiseRoot { public_key: pair(1).public, serial: 0 }, NOW)
}

fn ik(server: u8) -> (Ik, Vec<u8>) {
    Ik::start(pair(6), pair(5), &pair(server).public, b"payload").unwrap()
}

fn answer(hello: &[u8]) -> Result<(Vec<u8>, Option<Pending>), HandshakeError> {
    Ok(match server().answer(hello, pair(4), Resumption::Accept)? {
        Answer::Full { message, pending, .. } => (message, Some(pending)),
        Answer::Resumed { message, .. } => (message, None),
    })
}

fn pending() -> (Pending, Vec<u8>) {
    let (xx, hello) = Xx::start(pair(6));
    let (message, pending) = answer(&hello).unwrap();
    let (_, finish) = xx.read(&message, &trust()).unwrap().finish(&pair(5), b"payload").unwrap();
    (pending.unwrap(), finish)
}

impl Role {
    /// What the other side really sends.
    pub(crate) fn genuine(self) -> Vec<u8> {
        match self {
            Self::Server => ik(3).1,
            Self::Xx => answer(&Xx::start(pair(6)).1).unwrap().0,
            Self::Ik => answer(&ik(3).1).unwrap().0,
            Self::OutdatedIk => answer(&ik(7).1).unwrap().0,
            Self::Pending => pending().1,
            Self::Certificates => server().chain,
        }
    }

    /// Whether the role accepts a message; a client that resumes also accepts to fall back.
    pub(crate) fn accepts(self, message: &[u8]) -> bool {
        match self {
            Self::Server => answer(message).is_ok_and(|(_, pending)| pending.is_none()),
            Self::Xx => Xx::start(pair(6)).0.read(message, &trust()).is_ok(),
            Self::Ik => matches!(ik(3).0.read(message, &trust()), Ok(IkAnswer::Resumed(_))),
            Self::OutdatedIk => matches!(ik(7).0.read(message, &trust()), Ok(IkAnswer::Fallback(_))),
            Self::Pending => pending().0.read(message).is_ok(),
            Self::Certificates => certificate::verify(message, &pair(3).public, &trust()).is_ok(),
        }
    }

    fn number(self) -> u8 {
        ROLES.iter().position(|role| *role as u8 == self as u8).unwrap().try_into().unwrap()
    }

    /// The input by which [`handshake`] gives this role a message.
    pub(crate) fn input(self, message: &[u8]) -> Vec<u8> {
        [&[self.number()], message].concat()
    }
}

/// What authenticates itself in a message.
fn content(message: &[u8]) -> Vec<Option<Vec<u8>>> {
    let message: HandshakeMessage = whimbrel_proto::decode(message).unwrap();
    let mut content = Vec::new();
    if let Some(hello) = message.client_hello {
        content.extend([hello.ephemeral, hello.r#static, hello.payload]);
    }
    if let Some(hello) = message.server_hello {
        content.extend([hello.ephemeral, hello.r#static, hello.payload]);
    }
    if let Some(finish) = message.client_finish {
        content.extend([finish.r#static, finish.payload]);
    }
    content
}

/// The first octet names a [`Role`], the rest is the message for it. No message breaks any role, and
/// every role accepts only what the other side really sends.
pub(crate) fn handshake(data: &[u8]) {
    let Some((number, message)) = data.split_first() else { return };
    let role = ROLES[usize::from(*number) % ROLES.len()];
    if !role.accepts(message) {
        return;
    }
    // What else a chain or a message may carry is not looked at.
    match role {
        Role::Certificates => {
            let read =
                |bytes: &[u8]| whimbrel_proto::decode::<whimbrel_proto::handshake::CertChain>(bytes).unwrap();
            assert_eq!(read(message), read(&role.genuine()));
        }
        _ => {
            let genuine = content(&role.genuine());
            let found = content(message);
            assert!(
                found.windows(genuine.len()).any(|window| window == genuine),
                "{role:?} accepts a forgery"
            );
        }
    }
}
