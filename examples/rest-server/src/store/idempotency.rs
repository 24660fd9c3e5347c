//! Requests that may be repeated, and what was answered.

use rusqlite::{OptionalExtension as _, params};

use super::{Unit, now_ms};
use crate::failure::Failure;

/// How long an answer is remembered.
pub(crate) const REMEMBERED_MS: i64 = 24 * 3600 * 1000;

/// What is known of a key.
pub(crate) enum Known {
    /// Nothing: the request is to be done, and every id of it made from this seed.
    New([u8; 16]),
    /// It was begun and the server stopped before its end: it is to be done again with the same ids.
    Begun([u8; 16]),
    /// The key was used for another body.
    OtherBody,
    /// What was answered.
    Answered { status: u16, content_type: String, body: Vec<u8> },
}

/// Looks a key up, and claims it if nobody has it.
pub(crate) fn claim(
    unit: &Unit<'_>,
    principal: &str,
    key: &str,
    body_hash: [u8; 32],
    seed: [u8; 16],
) -> Result<Known, Failure> {
    let now = now_ms();
    unit.execute("DELETE FROM idempotency WHERE at < ?1", [now - REMEMBERED_MS])?;
    let found = unit
        .query_row(
            "SELECT body_hash, seed, status, content_type, body FROM idempotency WHERE principal = ?1 AND key = ?2",
            (principal, key),
            |row| {
                Ok((
                    row.get::<_, [u8; 32]>(0)?,
                    row.get::<_, [u8; 16]>(1)?,
                    row.get::<_, Option<u16>>(2)?,
                    row.get::<_, Option<String>>(3)?,
                    row.get::<_, Option<Vec<u8>>>(4)?,
                ))
            },
        )
        .optional()?;
    match found {
        None => {
            unit.execute(
                "INSERT INTO idempotency (principal, key, body_hash, seed, at) VALUES (?1, ?2, ?3, ?4, ?5)",
                params![principal, key, body_hash, seed, now],
            )?;
            Ok(Known::New(seed))
        }
        Some((hash, ..)) if hash != body_hash => Ok(Known::OtherBody),
        Some((_, _, Some(status), content_type, body)) => Ok(Known::Answered {
            status,
            content_type: content_type.unwrap_or_default(),
            body: body.unwrap_or_default(),
        }),
        Some((_, seed, None, ..)) => Ok(Known::Begun(seed)),
    }
}

/// Remembers an answer.
pub(crate) fn answer(
    unit: &Unit<'_>,
    principal: &str,
    key: &str,
    status: u16,
    content_type: &str,
    body: &[u8],
) -> Result<(), Failure> {
    unit.execute(
        "UPDATE idempotency SET status = ?3, content_type = ?4, body = ?5 WHERE principal = ?1 AND key = ?2",
        params![principal, key, status, content_type, body],
    )?;
    Ok(())
}

/// Forgets a key whose request did nothing, so that it may be tried again.
pub(crate) fn release(unit: &Unit<'_>, principal: &str, key: &str) -> Result<(), Failure> {
    unit.execute(
        "DELETE FROM idempotency WHERE principal = ?1 AND key = ?2 AND status IS NULL",
        (principal, key),
    )?;
    Ok(())
}
