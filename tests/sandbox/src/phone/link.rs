//! Linking and unlinking companions.

use std::sync::atomic::Ordering;
use std::time::Duration;

use rand_core::Rng as _;
use tokio::time::Instant;
use whimbrel_crypto::curve::PublicKey;
use whimbrel_proto::history::history_sync::HistorySyncType;
use whimbrel_wire::Jid;

use super::code::{self, CodeError, Randomness, Typed};
use super::stanza::link::{self, CompanionFinish, CompanionHello, Upload};
use super::state::State;
use super::{KeySharing, Phone, PhoneError, adv, content, keys, qr, receive};
use crate::LidStanding;

/// How long a typed code waits for a companion that asks for one.
const HELLO: Duration = Duration::from_secs(30);
/// How long a companion may take for its answer to the phone's part.
const FINISH: Duration = Duration::from_secs(60);
/// A companion is asked for its keys this often, at this pace, before the phone gives it up.
const KEYS: (u32, Duration) = (240, Duration::from_millis(250));

/// A companion that is about to be linked.
pub(super) struct Candidate {
    pub(super) reference: Vec<u8>,
    pub(super) noise_key: [u8; 32],
    pub(super) identity: [u8; 32],
    pub(super) adv_secret: [u8; 32],
}

impl Phone {
    /// Scans a linking code. Returns the companion's device address once it is linked; what a new
    /// companion needs is sent to it afterwards.
    pub async fn scan(&self, text: &str) -> Result<Jid, PhoneError> {
        let lenient = self.switches().lenient_qr;
        let scanned = qr::parse(text, lenient)?;
        self.link(Candidate {
            reference: scanned.reference.into_bytes(),
            noise_key: scanned.noise_key,
            identity: scanned.identity_key,
            adv_secret: scanned.adv_secret,
        })
        .await
    }

    /// Types a pairing code, for the companion that asked last; waits for one to ask.
    pub async fn enter_code(&self, typed: &str) -> Result<Jid, PhoneError> {
        let code = code::read(typed)?;
        let end = Instant::now() + HELLO;
        let mut after = self.inner.used_hello.load(Ordering::Relaxed);
        loop {
            let left = end.saturating_duration_since(Instant::now());
            let requests = self.inner.hellos.wait_after(after, left).await;
            let (number, hello) = requests.into_iter().next_back().ok_or(PhoneError::NoRequest)?;
            match self.exchange(code.clone(), &hello).await {
                // The companion has asked anew or is gone: its next request may be under way.
                Err(PhoneError::Refused { code: 404, .. }) => after = number,
                Err(error) => return Err(error),
                Ok(candidate) => {
                    let device = self.link(candidate).await?;
                    self.inner.used_hello.store(number, Ordering::Relaxed);
                    return Ok(device);
                }
            }
        }
    }

    /// The exchange that both sides make with the typed code.
    async fn exchange(
        &self,
        code: whimbrel_crypto::pairing_code::Code,
        hello: &CompanionHello,
    ) -> Result<Candidate, PhoneError> {
        let random = {
            let rng = &mut self.state().rng;
            Randomness { ephemeral: keys::draw(rng), salt: keys::draw(rng), counter: keys::draw(rng) }
        };
        let asked = hello.clone();
        // Deriving keys from a code is slow on purpose.
        let typed = tokio::task::spawn_blocking(move || Typed::new(&code, &asked, random));
        let typed = typed.await.map_err(|_| CodeError::Companion)??;

        let seen = self.inner.finishes.newest();
        let identity = *self.state().keys.identity().public.as_bytes();
        let answer = link::primary_hello(typed.wrapped(), &identity, hello.reference.clone());
        self.inner.line.request(answer).await?;
        let ours = |finish: &CompanionFinish| finish.reference == hello.reference;
        let (_, finish) =
            self.inner.finishes.wait_for(seen, FINISH, ours).await.ok_or(PhoneError::Timeout)?;
        let adv_secret = typed.open(&self.state().keys.identity().private, &finish)?;
        Ok(Candidate {
            reference: hello.reference.clone(),
            noise_key: hello.noise_key,
            identity: finish.identity,
            adv_secret,
        })
    }

    /// Vouches for a companion and has the service link it.
    pub(super) async fn link(&self, candidate: Candidate) -> Result<Jid, PhoneError> {
        self.begin_app_state().await?;
        let _order = self.inner.linking.lock().await;
        let timestamp = self.inner.clock.now();
        let (index, upload) = {
            let mut state = self.state();
            let lid_migrated = state.standing == LidStanding::Migrated;
            let State { companions, keys, rng, .. } = &mut *state;
            let index = companions.allocate();
            let subject = adv::Subject {
                raw_id: companions.raw_id(),
                key_index: index,
                identity: &PublicKey::from_bytes(candidate.identity),
                timestamp,
            };
            let account = &keys.identity().private;
            let upload = Upload {
                reference: candidate.reference,
                noise_key: candidate.noise_key,
                device_identity: adv::device_identity(
                    account,
                    &candidate.adv_secret,
                    subject,
                    &keys::draw(rng),
                ),
                key_index_list: adv::key_index_list(
                    account,
                    indexes(companions, timestamp),
                    &keys::draw(rng),
                ),
                timestamp,
                lid_migrated,
            };
            (index, upload)
        };
        let answer = self.inner.line.request(link::pair_device(upload)).await;
        let linked = answer.and_then(|answer| link::read_device(&answer).ok_or(PhoneError::Answer("device")));
        match linked {
            Ok(device) => {
                {
                    let mut state = self.state();
                    state.companions.linked(device.device(), index);
                    state.companions.published(timestamp);
                }
                self.welcome(device.device());
                Ok(device)
            }
            Err(error) => {
                self.state().companions.abandoned(index);
                Err(error)
            }
        }
    }

    /// Gives a new companion what it waits for (pairing document §12.1), in the background.
    fn welcome(&self, device: u16) {
        let phone = receive::weak(self);
        tokio::spawn(async move {
            let (attempts, pause) = KEYS;
            for _ in 0..attempts {
                let Some(phone) = phone.upgrade().map(|inner| Phone { inner }) else { return };
                // Unlinked meanwhile: nobody waits any more.
                if !phone.companions().contains(&device) {
                    return;
                }
                match phone.try_welcome(device).await {
                    Ok(()) => return,
                    Err(error) => {
                        tracing::debug!(device, %error, "a new companion is not ready for the phone")
                    }
                }
                drop(phone);
                tokio::time::sleep(pause).await;
            }
            tracing::warn!(device, "a new companion never published its keys");
        });
    }

    async fn try_welcome(&self, device: u16) -> Result<(), PhoneError> {
        let address = self.lid().with_device(device);
        self.ensure_sessions(std::slice::from_ref(&address)).await?;
        let (keys, history) = {
            let state = self.state();
            let keys = state.app_state.keys.share_all(&state.companions);
            let history = content::History {
                people: state.people.pairs(),
                own_name: (state.pn.to_string(), self.name().to_owned()),
            };
            (keys, history)
        };
        if self.switches().app_state_keys == KeySharing::Share {
            self.send_peer(&address, &content::key_share(keys)).await?;
        }
        self.send_peer(&address, &content::security_setting(true)).await?;
        for kind in [HistorySyncType::InitialBootstrap, HistorySyncType::PushName, HistorySyncType::Recent] {
            self.send_peer(&address, &content::history(&history, kind)).await?;
        }
        self.hand_over_past(&address).await
    }

    /// Throws a companion out.
    pub async fn unlink(&self, device: u16) -> Result<(), PhoneError> {
        let address = self.jid().with_device(device);
        self.inner.line.request(link::remove_companion(&address)).await?;
        {
            let mut state = self.state();
            let session = state.lid.with_device(device);
            state.companions.removed(device);
            state.sessions.forget(&session);
        }
        self.publish_indexes().await
    }

    /// Throws all companions out.
    pub(super) async fn unlink_all(&self) -> Result<(), PhoneError> {
        for device in self.companions() {
            self.unlink(device).await?;
        }
        Ok(())
    }

    /// Signs and publishes its list under another raw id, as if the account had been made anew, although the
    /// phone's keys and its companions are the same. Nobody is told.
    pub async fn change_raw_id(&self) -> Result<(), PhoneError> {
        {
            let mut state = self.state();
            let raw_id = (state.rng.next_u32() >> 1).max(1);
            state.companions.begin_epoch(raw_id);
        }
        self.publish_indexes().await
    }

    /// Signs and publishes the list of valid key indexes.
    pub(super) async fn publish_indexes(&self) -> Result<(), PhoneError> {
        let _order = self.inner.linking.lock().await;
        let timestamp = self.inner.clock.now();
        let list = {
            let mut state = self.state();
            let State { companions, keys, rng, .. } = &mut *state;
            adv::key_index_list(&keys.identity().private, indexes(companions, timestamp), &keys::draw(rng))
        };
        self.inner.line.request(link::publish_key_indexes(list, timestamp)).await?;
        self.state().companions.published(timestamp);
        Ok(())
    }
}

fn indexes(companions: &super::companions::Companions, timestamp: u64) -> adv::Indexes {
    adv::Indexes {
        raw_id: companions.raw_id(),
        current: companions.current_index(),
        valid: companions.valid_indexes(),
        timestamp,
    }
}
