//! The one write: a unit of work in one transaction.

use rusqlite::{Connection, ToSql, Transaction};

use super::read::signed;
use super::rows::{outbox_state_number, pack_devices};
use super::{StoreError, appstate, archive, failed, history, waiting};
use crate::clock;
use crate::messages::route::Route;
use crate::restrictions::Lock;
use crate::store::{Account, Changes, InboxState, LidMigration, PreKeyRow};
use crate::version;

/// How long received messages are remembered for the duplicate filter, seconds: the service
/// keeps undelivered ones for 30 days.
const INBOX_KEPT: i64 = 35 * 24 * 3600;

/// Messages that could not be opened that are remembered; the oldest go first.
const FAILED_KEPT: i64 = 5_000;

/// How long it is remembered in which session a message went out that was asked for again, seconds.
const BASE_KEY_KEPT: i64 = 24 * 3600;

/// How long sent messages are kept to answer retry receipts, seconds.
const OUTBOX_KEPT: i64 = 14 * 24 * 3600;

/// How long secrets of messages are kept for what is encrypted with them later, seconds.
const SECRETS_KEPT: i64 = 90 * 24 * 3600;

/// The same for polls, for which people vote later than they answer.
const POLLS_KEPT: i64 = 400 * 24 * 3600;

/// How often what is too old is deleted, seconds.
const EXPIRY_INTERVAL: i64 = 3600;

/// Writes a unit of work; all of it or nothing. Once an hour, what is too old goes with it: `expired_at`
/// is when it last did.
pub(super) fn commit(
    connection: &mut Connection,
    changes: &Changes,
    expired_at: &mut i64,
) -> Result<(), StoreError> {
    if changes.is_empty() {
        return Ok(());
    }
    let transaction = connection.transaction().map_err(failed)?;
    if changes.forget_link {
        forget_link(&transaction)?;
    }
    if let Some(account) = &changes.account {
        write_account(&transaction, account)?;
    }
    write_keys(&transaction, changes)?;
    write_people(&transaction, changes)?;
    write_messages(&transaction, changes)?;
    write_journal(&transaction, changes)?;
    history::write(&transaction, changes)?;
    waiting::write(&transaction, &changes.waiting)?;
    appstate::write(&transaction, changes)?;
    archive::apply(&transaction, &changes.archive)?;
    let now = clock::now_seconds();
    // Also when the clock went back.
    let due = !(0..EXPIRY_INTERVAL).contains(&now.saturating_sub(*expired_at));
    if due {
        expire(&transaction, now)?;
    }
    transaction.commit().map_err(failed)?;
    if due {
        *expired_at = now;
    }
    Ok(())
}

fn run(transaction: &Transaction<'_>, sql: &str, parameters: &[&dyn ToSql]) -> Result<(), StoreError> {
    transaction
        .prepare_cached(sql)
        .and_then(|mut statement| statement.execute(parameters))
        .map(drop)
        .map_err(failed)
}

/// Keys of a dead link are set aside, not erased: a wrong "removed" can be investigated.
fn forget_link(transaction: &Transaction<'_>) -> Result<(), StoreError> {
    run(
        transaction,
        "INSERT INTO former_accounts SELECT ?1, noise_key, identity_key, registration_id, phone, lid, \
         signed_identity FROM account WHERE signed_identity IS NOT NULL",
        &[&clock::now_seconds()],
    )?;
    for table in [
        "sessions",
        "identities",
        "pre_keys",
        "signed_pre_keys",
        "sender_keys",
        "own_sender_keys",
        "key_holders",
        "device_lists",
        "groups",
        "inbox",
        "outbox",
        "retry_base_keys",
        "lid_migration",
        "restrictions",
        "notes",
        "privacy_tokens",
        "nct_salt",
        "known_chats",
        "message_secrets",
        "chat_timers",
        "history",
        "history_read",
        "history_nonce",
        "history_owed",
        "waiting_addons",
    ]
    .iter()
    .chain(appstate::OF_THE_LINK)
    {
        run(transaction, &format!("DELETE FROM {table}"), &[])?;
    }
    Ok(())
}

fn write_account(transaction: &Transaction<'_>, account: &Account) -> Result<(), StoreError> {
    let text = |jid: &Option<whimbrel_wire::jid::Jid>| jid.as_ref().map(ToString::to_string);
    run(
        transaction,
        "INSERT OR REPLACE INTO account (one, noise_key, identity_key, registration_id, adv_secret, \
         adv_secret_shown, signed_pre_key_id, next_pre_key_id, phone, lid, signed_identity, platform, \
         business_name, push_name, pairing_unconfirmed, logging_out, logged_out, server_has_pre_keys, \
         login_counter, routing_info, server_key, server_key_not_before, server_key_not_after, found_version, \
         found_version_at, version_expires_at, expiring_version, staged_signed_pre_key_id, \
         last_signed_pre_key_id) VALUES (1, ?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, \
         ?16, ?17, ?18, ?19, ?20, ?21, ?22, ?23, ?24, ?25, ?26, ?27, ?28)",
        &[
            &account.keys.noise.private.as_bytes(),
            &account.keys.identity.private.as_bytes(),
            &account.keys.registration_id,
            &account.keys.adv_secret,
            &account.adv_secret_shown,
            &account.signed_pre_key_id,
            &account.next_pre_key_id,
            &text(&account.phone),
            &text(&account.lid),
            &account.signed_identity,
            &account.platform,
            &account.business_name,
            &account.push_name,
            &account.pairing_unconfirmed,
            &account.logging_out,
            &account.logged_out,
            &account.server_has_pre_keys,
            &account.login_counter,
            &account.routing_info,
            &account.server_key.map(|(key, ..)| key),
            &account.server_key.map(|(_, not_before, _)| not_before),
            &account.server_key.map(|(.., not_after)| not_after),
            &account.found_version.map(|(version, _)| version::dotted(version)),
            &account.found_version.map(|(_, at)| at),
            &account.version_expires.map(|(at, _)| at),
            &account.version_expires.map(|(_, version)| version::dotted(version)),
            &account.staged_signed_pre_key_id,
            &account.last_signed_pre_key_id,
        ],
    )
}

fn write_keys(transaction: &Transaction<'_>, changes: &Changes) -> Result<(), StoreError> {
    for (id, row) in &changes.pre_keys {
        match row {
            Some(row) => run(
                transaction,
                "INSERT OR REPLACE INTO pre_keys VALUES (?1, ?2, ?3, ?4)",
                &[id, &row.pair.private.as_bytes(), &row.offered, &clock::now_seconds()],
            )?,
            None => run(transaction, "DELETE FROM pre_keys WHERE id = ?1", &[id])?,
        }
    }
    for (id, row) in &changes.signed_pre_keys {
        match row {
            Some(row) => run(
                transaction,
                "INSERT OR REPLACE INTO signed_pre_keys VALUES (?1, ?2, ?3, ?4)",
                &[id, &row.pair.private.as_bytes(), &row.signature, &row.created_at],
            )?,
            None => run(transaction, "DELETE FROM signed_pre_keys WHERE id = ?1", &[id])?,
        }
    }
    for (device, record) in &changes.sessions {
        let device = device.to_string();
        match record {
            Some(record) => {
                run(transaction, "INSERT OR REPLACE INTO sessions VALUES (?1, ?2)", &[&device, record])?;
            }
            None => run(transaction, "DELETE FROM sessions WHERE device = ?1", &[&device])?,
        }
    }
    for ((chat, device), record) in &changes.sender_keys {
        let (chat, device) = (chat.to_string(), device.to_string());
        match record {
            Some(record) => run(
                transaction,
                // An update leaves the index alone.
                "INSERT INTO sender_keys VALUES (?1, ?2, ?3) \
                 ON CONFLICT (chat, device) DO UPDATE SET record = excluded.record",
                &[&chat, &device, record],
            )?,
            None => {
                run(
                    transaction,
                    "DELETE FROM sender_keys WHERE chat = ?1 AND device = ?2",
                    &[&chat, &device],
                )?;
            }
        }
    }
    // Apart from each other: the key changes with every message, its holders hardly ever.
    for (group, record) in &changes.own_sender_keys {
        let group = group.to_string();
        match record {
            Some(record) => {
                run(
                    transaction,
                    "INSERT OR REPLACE INTO own_sender_keys VALUES (?1, ?2)",
                    &[&group, record],
                )?;
            }
            None => run(transaction, "DELETE FROM own_sender_keys WHERE chat = ?1", &[&group])?,
        }
    }
    for (group, devices) in &changes.key_holders {
        let group = group.to_string();
        match devices {
            Some(devices) => {
                run(transaction, "INSERT OR REPLACE INTO key_holders VALUES (?1, ?2)", &[&group, devices])?;
            }
            None => run(transaction, "DELETE FROM key_holders WHERE chat = ?1", &[&group])?,
        }
    }
    Ok(())
}

fn write_people(transaction: &Transaction<'_>, changes: &Changes) -> Result<(), StoreError> {
    for (device, key) in &changes.identities {
        let device = device.to_string();
        match key {
            Some(key) => {
                run(transaction, "INSERT OR REPLACE INTO identities VALUES (?1, ?2)", &[&device, key])?
            }
            None => run(transaction, "DELETE FROM identities WHERE device = ?1", &[&device])?,
        }
    }
    for (user, list) in &changes.device_lists {
        let user = user.to_string();
        match list {
            Some(list) => run(
                transaction,
                "INSERT OR REPLACE INTO device_lists VALUES (?1, ?2, ?3, ?4, ?5)",
                &[&user, &pack_devices(&list.devices), &list.raw_id, &list.signed_at, &list.fetched_at],
            )?,
            None => run(transaction, "DELETE FROM device_lists WHERE user = ?1", &[&user])?,
        }
    }
    for (id, group) in &changes.groups {
        let id = id.to_string();
        match group {
            Some(group) => run(
                transaction,
                "INSERT OR REPLACE INTO groups VALUES (?1, ?2, ?3, ?4, ?5)",
                &[&id, &group.encode_details(), &group.encode_members(), &group.fetched_at, &group.stale],
            )?,
            None => run(transaction, "DELETE FROM groups WHERE id = ?1", &[&id])?,
        }
    }
    for (lid, phone) in &changes.lid_pairs {
        // OR REPLACE removes the stale pair on either side.
        run(
            transaction,
            "INSERT OR REPLACE INTO lid_map VALUES (?1, ?2)",
            &[&lid.to_string(), &phone.to_string()],
        )?;
    }
    for (address, lid) in &changes.former_addresses {
        let address = address.to_string();
        match lid {
            Some(lid) => run(
                transaction,
                "INSERT OR REPLACE INTO former_addresses VALUES (?1, ?2)",
                &[&address, &lid.to_string()],
            )?,
            None => run(transaction, "DELETE FROM former_addresses WHERE address = ?1", &[&address])?,
        }
    }
    if let Some(LidMigration { migrated, refused_at }) = &changes.lid_migration {
        run(transaction, "INSERT OR REPLACE INTO lid_migration VALUES (1, ?1, ?2)", &[migrated, refused_at])?;
    }
    for (kind, lock) in &changes.restrictions {
        let number = kind.number();
        match lock {
            Some(Lock { until, named, .. }) => run(
                transaction,
                "INSERT OR REPLACE INTO restrictions VALUES (?1, ?2, ?3)",
                &[&number, until, named],
            )?,
            None => run(transaction, "DELETE FROM restrictions WHERE kind = ?1", &[&number])?,
        }
    }
    for (subject, note) in &changes.notes {
        match note {
            Some(note) => run(transaction, "INSERT OR REPLACE INTO notes VALUES (?1, ?2)", &[subject, note])?,
            None => run(transaction, "DELETE FROM notes WHERE subject = ?1", &[subject])?,
        }
    }
    Ok(())
}

fn write_messages(transaction: &Transaction<'_>, changes: &Changes) -> Result<(), StoreError> {
    for chat in changes.known_chats() {
        run(transaction, "INSERT OR IGNORE INTO known_chats VALUES (?1)", &[&chat.to_string()])?;
    }
    for entry in &changes.inbox {
        let (retries, event_id) = match &entry.state {
            InboxState::Done => (None, None),
            InboxState::History => (None, Some("history")),
            InboxState::Failed { retries, event_id, .. } => (Some(*retries), Some(event_id.as_str())),
        };
        let phone_asked = matches!(entry.state, InboxState::Failed { phone_asked: true, .. });
        run(
            transaction,
            "INSERT OR REPLACE INTO inbox (chat, author, message_id, ciphertext_hash, retries, event_id, phone_asked, \
             seen_at) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)",
            &[
                &entry.chat.to_string(),
                &entry.author.to_string(),
                &entry.message_id,
                &entry.ciphertext_hash,
                &retries,
                &event_id,
                &phone_asked,
                &entry.seen_at,
            ],
        )?;
    }
    for row in &changes.outbox {
        // A later state of the same message keeps its place in the queue.
        run(
            transaction,
            "INSERT INTO outbox (chat, message_id, content, state, created_at_ms, confirmed_at, delivered_at, \
             told, route) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9) ON CONFLICT (message_id, chat) DO UPDATE SET \
             content = excluded.content, state = excluded.state, confirmed_at = excluded.confirmed_at, \
             delivered_at = excluded.delivered_at, told = excluded.told, route = excluded.route",
            &[
                &row.chat.to_string(),
                &row.message_id,
                &row.content,
                &outbox_state_number(row.state),
                &row.created_at_ms,
                &row.confirmed_at,
                &row.delivered_at,
                &row.told,
                &row.route.as_ref().map(Route::pack),
            ],
        )?;
    }
    write_fates(transaction, changes)?;
    for (chat, message_id) in &changes.outbox_dropped {
        run(
            transaction,
            "DELETE FROM outbox WHERE message_id = ?1 AND chat = ?2",
            &[message_id, &chat.to_string()],
        )?;
    }
    for ((device, message_id), key) in &changes.retry_base_keys {
        run(
            transaction,
            "INSERT OR REPLACE INTO retry_base_keys VALUES (?1, ?2, ?3, ?4)",
            &[&device.to_string(), message_id, key, &clock::now_seconds()],
        )?;
    }
    write_parents(transaction, changes)?;
    bound_repairs(transaction, changes)
}

/// What is kept of messages for what belongs to them later, and the timers of chats.
fn write_parents(transaction: &Transaction<'_>, changes: &Changes) -> Result<(), StoreError> {
    for ((chat, author, id), row) in &changes.parents {
        let (chat, author) = (chat.to_string(), author.to_string());
        match row {
            Some(row) => run(
                transaction,
                "INSERT OR REPLACE INTO message_secrets (chat, sender, message_id, secret, poll, sent_at, \
                 saved_at) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
                &[&chat, &author, id, &row.secret.expose(), &row.poll, &row.sent_at, &row.saved_at],
            )?,
            None => run(
                transaction,
                "DELETE FROM message_secrets WHERE message_id = ?1 AND chat = ?2 AND sender = ?3",
                &[id, &chat, &author],
            )?,
        }
    }
    for (chat, row) in &changes.timers {
        run(
            transaction,
            "INSERT OR REPLACE INTO chat_timers VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
            &[
                &chat.to_string(),
                &row.seconds,
                &row.set_at,
                &row.initiator,
                &row.trigger,
                &row.initiated_by_me,
            ],
        )?;
    }
    Ok(())
}

/// Forgets what is too old to be of use.
fn expire(transaction: &Transaction<'_>, now: i64) -> Result<(), StoreError> {
    run(transaction, "DELETE FROM inbox WHERE seen_at < ?1", &[&now.saturating_sub(INBOX_KEPT)])?;
    run(
        transaction,
        "DELETE FROM outbox WHERE state <> 0 AND created_at_ms < ?1",
        &[&now.saturating_sub(OUTBOX_KEPT).saturating_mul(1000)],
    )?;
    run(
        transaction,
        "DELETE FROM message_secrets WHERE poll IS NULL AND saved_at < ?1",
        &[&now.saturating_sub(SECRETS_KEPT)],
    )?;
    run(transaction, "DELETE FROM message_secrets WHERE saved_at < ?1", &[&now.saturating_sub(POLLS_KEPT)])?;
    run(transaction, "DELETE FROM retry_base_keys WHERE saved_at < ?1", &[&now.saturating_sub(BASE_KEY_KEPT)])
}

/// What became of sent messages.
fn write_fates(transaction: &Transaction<'_>, changes: &Changes) -> Result<(), StoreError> {
    for fate in &changes.outbox_settled {
        run(
            transaction,
            "UPDATE outbox SET state = ?3, confirmed_at = ?4, told = ?5 WHERE message_id = ?1 AND chat = ?2",
            &[
                &fate.message_id,
                &fate.chat.to_string(),
                &outbox_state_number(fate.state),
                &fate.confirmed_at,
                &fate.told,
            ],
        )?;
    }
    for (chat, message_id, time) in &changes.outbox_delivered {
        run(
            transaction,
            "UPDATE outbox SET delivered_at = ?3 WHERE message_id = ?1 AND chat = ?2 AND delivered_at = 0",
            &[message_id, &chat.to_string(), time],
        )?;
    }
    for (chat, message_id) in &changes.outbox_told {
        run(
            transaction,
            "UPDATE outbox SET told = 1 WHERE message_id = ?1 AND chat = ?2",
            &[message_id, &chat.to_string()],
        )?;
    }
    Ok(())
}

/// What others can make this device write down by sending what cannot be opened is bounded.
fn bound_repairs(transaction: &Transaction<'_>, changes: &Changes) -> Result<(), StoreError> {
    if changes.inbox.iter().any(|entry| matches!(entry.state, InboxState::Failed { .. })) {
        run(
            transaction,
            "DELETE FROM inbox WHERE retries IS NOT NULL AND seen_at < (SELECT seen_at FROM inbox \
             WHERE retries IS NOT NULL ORDER BY seen_at DESC LIMIT 1 OFFSET ?1)",
            &[&FAILED_KEPT],
        )?;
    }
    let for_retries = changes.pre_keys.range(PreKeyRow::FOR_RETRIES..).any(|(_, row)| row.is_some());
    if for_retries {
        run(
            transaction,
            "DELETE FROM pre_keys WHERE id IN (SELECT id FROM pre_keys WHERE id >= ?1 \
             ORDER BY made_at DESC, id LIMIT -1 OFFSET ?2)",
            &[&PreKeyRow::FOR_RETRIES, &i64::try_from(PreKeyRow::RETRIES_KEPT).unwrap_or(i64::MAX)],
        )?;
    }
    if !changes.retry_base_keys.is_empty() {
        run(
            transaction,
            "DELETE FROM retry_base_keys WHERE saved_at < ?1",
            &[&clock::now_seconds().saturating_sub(BASE_KEY_KEPT)],
        )?;
    }
    Ok(())
}

fn write_journal(transaction: &Transaction<'_>, changes: &Changes) -> Result<(), StoreError> {
    for row in &changes.journal {
        run(transaction, "INSERT INTO journal VALUES (?1, ?2)", &[&signed(row.sequence), &row.payload])?;
    }
    if let Some(last) = changes.journal.last() {
        run(transaction, "UPDATE journal_bounds SET last = ?1", &[&signed(last.sequence)])?;
    }
    if let Some(sequence) = changes.acknowledged {
        run(transaction, "DELETE FROM journal WHERE sequence <= ?1", &[&signed(sequence)])?;
        run(
            transaction,
            "UPDATE journal_bounds SET acknowledged = max(acknowledged, ?1)",
            &[&signed(sequence)],
        )?;
    }
    Ok(())
}
