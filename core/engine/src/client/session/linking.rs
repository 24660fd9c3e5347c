//! The part of a session without a link: showing codes until a phone proves the link (pairing
//! document §3, §4).

use std::time::Duration;

use tokio::time::Instant;
use whimbrel_wire::Node;

use super::{End, Phase, RESTART, Session};
use crate::connection::iq;
use crate::events::ConnectionState;
use crate::link;
use crate::link::pair::{self, PairError, Paired};
use crate::link::qr::Round;
use crate::random;
use crate::store::{Changes, LidMigration};

/// How often a live pairing code is looked at when the QR codes have run out.
const CODE_CHECK: Duration = Duration::from_secs(5);

/// How long a round without refs waits for a pairing code.
const WITHOUT_CODES: Duration = Duration::from_secs(60);

/// Codes of the present round.
pub(super) struct Linking {
    round: Round,
}

impl Session<'_> {
    /// The service gives refs: a round of codes begins.
    pub(super) async fn on_pair_device(&mut self, request: &Node) -> Result<(), End> {
        if !matches!(self.phase, Phase::FirstWord | Phase::Linking(_)) {
            self.reply(iq::result(request)).await;
            return Ok(());
        }
        link::begin_round(&self.client).await?;
        self.reply(iq::result(request)).await;
        let refs = pair::refs(request).unwrap_or_default();
        self.client.set_status(ConnectionState::Linking, None, self.wish);
        self.client.link.set_ready(&self.connection);
        let without_codes = refs.is_empty();
        self.phase = Phase::Linking(Linking { round: Round::new(refs) });
        if without_codes {
            tracing::warn!("The service gave no refs; only a pairing code can link this client.");
            self.deadline = Some(Instant::now() + WITHOUT_CODES);
            return Ok(());
        }
        self.next_code()
    }

    /// Shows the next code. When there is none, a pairing code that is still alive, or a passkey that
    /// somebody is busy with, keeps the connection.
    pub(super) fn next_code(&mut self) -> Result<(), End> {
        let Phase::Linking(linking) = &mut self.phase else { return Ok(()) };
        match linking.round.next() {
            Some((reference, valid_for)) => {
                link::show(&self.client, reference, valid_for);
                self.deadline = Some(Instant::now() + valid_for);
                Ok(())
            }
            None if self.client.link.code_is_alive() || self.client.link.passkey_is_alive() => {
                self.deadline = Some(Instant::now() + CODE_CHECK);
                Ok(())
            }
            None => Err(End::CodesExpired),
        }
    }

    /// The phone proved the link: durable first, then signed.
    pub(super) async fn on_pair_success(&mut self, request: &Node) -> Result<(), End> {
        if !matches!(self.phase, Phase::Linking(_)) {
            tracing::debug!("A repeated proof of the link is ignored.");
            return Ok(());
        }
        let Some(account) = self.client.account() else { return Ok(()) };
        if let Some(time) = request.attr_u64("t") {
            self.client.learn_server_time(time);
        }
        let random = random::bytes(&mut self.client.rng());
        let paired = match pair::accept(request, &account.keys, &random) {
            Ok(paired) => paired,
            Err(error) => return Err(self.refuse(request, error).await),
        };
        let answer = paired.answer.clone();
        if let Err(error) = self.keep(paired).await {
            self.reply(iq::error_result(request, 500, "internal-error")).await;
            return Err(End::StoreFailed(error));
        }
        self.reply(Some(answer)).await;
        self.phase = Phase::Paired;
        self.deadline = Some(Instant::now() + RESTART);
        Ok(())
    }

    async fn refuse(&self, request: &Node, error: PairError) -> End {
        tracing::warn!(%error, "The phone did not prove the link.");
        let (code, text) = error.answer();
        self.reply(iq::error_result(request, code, text)).await;
        End::LinkFailed(error.reason())
    }

    /// Makes the link durable, in one commit.
    async fn keep(&self, paired: Paired) -> Result<(), crate::error::Error> {
        let (phone, lid) = (paired.phone.to_bare(), paired.lid.to_bare());
        let mut changes = Changes { lid_pairs: vec![(lid.clone(), phone)], ..Changes::default() };
        changes.identities.insert(lid, Some(*paired.account_key.as_bytes()));
        if paired.lid_migrated {
            changes.lid_migration = Some(LidMigration { migrated: true, refused_at: 0 });
        }
        self.client
            .commit_account(changes, |account| {
                account.phone = Some(paired.phone);
                account.lid = Some(paired.lid);
                account.signed_identity = Some(paired.signed_identity);
                account.platform = paired.platform;
                account.business_name = paired.business_name;
                account.login_counter = 0;
                account.server_has_pre_keys = false;
                account.pairing_unconfirmed = true;
                account.logging_out = false;
            })
            .await
    }
}
