//! The stored form of a session record.

use super::state::{MAX_RECEIVING_CHAINS, PendingPreKey, ReceivingChain, SessionState};
use super::{MAX_ARCHIVED_SESSIONS, SessionRecord};
use crate::RecordError;
use crate::kdf::{ChainKey, RootKey};
use crate::sending::SendingChain;
use crate::store::{KEY_PAIR_LEN, Reader, Writer, skipped_len};

const FORMAT: u8 = 1;

impl SessionRecord {
    /// The form to store. It holds secrets, and it counts leased positions as used.
    pub fn serialize(&self) -> Vec<u8> {
        let capacity = 2 + self.sessions().map(stored_len).sum::<usize>();
        let mut out = Writer::new(FORMAT, capacity);
        out.u8(self.current.is_some().into());
        if let Some(session) = &self.current {
            write_session(&mut out, session);
        }
        out.u8(self.archived.len() as u8);
        for session in &self.archived {
            write_session(&mut out, session);
        }
        out.finish()
    }

    /// Reads the stored form. Sending chains continue behind the lease that was stored with them, so
    /// nothing that may have been used before a crash is used again.
    pub fn deserialize(bytes: &[u8]) -> Result<Self, RecordError> {
        let mut input = Reader::new(bytes, FORMAT)?;
        let current = if input.flag()? { Some(read_session(&mut input)?) } else { None };
        let count = input.count(MAX_ARCHIVED_SESSIONS)?;
        let mut archived = Vec::with_capacity(count);
        for _ in 0..count {
            archived.push(read_session(&mut input)?);
        }
        input.finish()?;
        Ok(SessionRecord { current, archived })
    }
}

const FIXED_LEN: usize = 3 * 32 + 4 + 32 + KEY_PAIR_LEN + SendingChain::STORED_LEN + 4 + 1 + 1;
const PENDING_LEN: usize = 4 + 4 + 1 + 4;

fn stored_len(session: &SessionState) -> usize {
    let pending = if session.pending.is_some() { PENDING_LEN } else { 0 };
    let chains = session.receiving.iter().map(|chain| 32 + 32 + 4 + skipped_len(&chain.skipped));
    FIXED_LEN + pending + chains.sum::<usize>()
}

fn write_session(out: &mut Writer, session: &SessionState) {
    out.bytes(session.local_identity.as_bytes());
    out.bytes(session.remote_identity.as_bytes());
    out.bytes(session.base_key.as_bytes());
    out.u32(session.remote_registration_id);
    out.bytes(session.root.as_bytes());
    out.key_pair(&session.ratchet);
    session.sending.write(out);
    out.u32(session.previous_counter);
    out.u8(session.pending.is_some().into());
    if let Some(pending) = &session.pending {
        out.u32(pending.registration_id);
        out.u32(pending.signed_prekey_id);
        out.u8(pending.one_time_prekey_id.is_some().into());
        out.u32(pending.one_time_prekey_id.unwrap_or(0));
    }
    out.u8(session.receiving.len() as u8);
    for chain in &session.receiving {
        out.bytes(chain.ratchet_key.as_bytes());
        out.bytes(chain.key.as_bytes());
        out.u32(chain.next);
        out.skipped(&chain.skipped);
    }
}

fn read_session(input: &mut Reader<'_>) -> Result<SessionState, RecordError> {
    Ok(SessionState {
        local_identity: input.public_key()?,
        remote_identity: input.public_key()?,
        base_key: input.public_key()?,
        remote_registration_id: input.u32()?,
        root: RootKey::new(input.array()?),
        ratchet: input.key_pair()?,
        sending: SendingChain::read(input)?,
        previous_counter: input.u32()?,
        pending: if input.flag()? { Some(read_pending(input)?) } else { None },
        receiving: read_receiving(input)?,
    })
}

fn read_pending(input: &mut Reader<'_>) -> Result<PendingPreKey, RecordError> {
    let registration_id = input.u32()?;
    let signed_prekey_id = input.u32()?;
    let has_one_time = input.flag()?;
    let one_time = input.u32()?;
    if !has_one_time && one_time != 0 {
        return Err(RecordError::Damaged("an absent prekey has an id"));
    }
    Ok(PendingPreKey {
        registration_id,
        signed_prekey_id,
        one_time_prekey_id: has_one_time.then_some(one_time),
    })
}

fn read_receiving(input: &mut Reader<'_>) -> Result<Vec<ReceivingChain>, RecordError> {
    let count = input.count(MAX_RECEIVING_CHAINS)?;
    let mut chains = Vec::with_capacity(count);
    for _ in 0..count {
        let ratchet_key = input.public_key()?;
        let key = ChainKey::new(input.array()?);
        let next = input.u32()?;
        chains.push(ReceivingChain { ratchet_key, key, next, skipped: input.skipped(next)? });
    }
    Ok(chains)
}
