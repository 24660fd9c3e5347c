//! Who is let in: the checks of the login payload, `<success>` and `<failure>` (transport document §5.5,
//! §6.2, §6.3).

use whimbrel_proto::ProtoMessage as _;
use whimbrel_proto::adv;
use whimbrel_proto::client::ClientPayload;
use whimbrel_proto::client::client_payload::DevicePairingRegistrationData;
use whimbrel_proto::companion::DeviceProps;
use whimbrel_wire::{Jid, Node};

use super::accounts::{Device, Space};
use super::appstate::Collections;
use super::link::Registration;
use super::prekeys::{KeyStore, SignedPrekey};
use super::{Closing, DeviceId, Effect, Service, Stream, StreamId, millis, proof};
use crate::attach::{AttachError, PhoneKeys};
use crate::events::Event;
use crate::faults::{Fault, Point, Seen};
use crate::options::LidStanding;

/// Platform number of the web client.
const WEB: i32 = 14;

/// What the checks of a login payload led to.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Admission {
    /// The stream may go on.
    Admitted,
    /// The stream is refused; the effects say how.
    Refused,
}

impl Service {
    /// A number for a connection that has not said who it is.
    pub(crate) fn open_stream(&mut self) -> StreamId {
        self.new_stream(Stream::Closing)
    }

    /// Checks the login payload of a connection that proved to own `noise_key`.
    pub(crate) fn login(&mut self, stream: StreamId, noise_key: [u8; 32], payload: &[u8]) -> Admission {
        let Ok(payload) = ClientPayload::decode(payload) else {
            self.effects.push(Effect::Close { stream, how: Closing::Code(1002), after_ms: 0 });
            return Admission::Refused;
        };
        let checked = self.check_payload(&payload);
        match (checked, &payload.device_pairing_data, payload.username) {
            (Err(reason), _, _) => self.login_refused(stream, &payload, reason),
            (Ok(()), Some(data), None) => match check_registration(data) {
                Ok(registration) => {
                    self.streams.insert(stream, Stream::Registering);
                    self.offer_refs(stream, Registration { noise_key, ..registration });
                    Admission::Admitted
                }
                Err(broken) => {
                    self.find_fault(None, stream, "registration data", broken.to_owned());
                    self.login_refused(stream, &payload, 400)
                }
            },
            (Ok(()), None, Some(username)) => match self.check_device(username, payload.device, noise_key) {
                Ok(device) => self.let_in(stream, device, &payload),
                Err(reason) => self.login_refused(stream, &payload, reason),
            },
            (Ok(()), _, _) => self.login_refused(stream, &payload, 400),
        }
    }

    fn check_payload(&self, payload: &ClientPayload) -> Result<(), u16> {
        let Some(agent) = &payload.user_agent else { return Err(409) };
        if agent.platform != Some(WEB) {
            return Err(409);
        }
        let version = agent.app_version.as_ref().map(|version| {
            [version.primary, version.secondary, version.tertiary].map(Option::unwrap_or_default)
        });
        if version.unwrap_or_default() < self.options.min_version {
            return Err(405);
        }
        Ok(())
    }

    fn check_device(&self, username: u64, device: Option<u32>, noise_key: [u8; 32]) -> Result<DeviceId, u16> {
        let account = self.accounts.by_pn(&username.to_string()).ok_or(401_u16)?;
        if let Some(reason) = self.accounts.get(account).and_then(|account| account.barred) {
            return Err(reason);
        }
        let number = device.and_then(|number| u16::try_from(number).ok()).filter(|number| *number != 0);
        let id = DeviceId { account, number: number.ok_or(401_u16)? };
        let found = self.accounts.device(id).ok_or(401_u16)?;
        if found.noise_key == Some(noise_key) { Ok(id) } else { Err(401) }
    }

    fn login_refused(&mut self, stream: StreamId, payload: &ClientPayload, reason: u16) -> Admission {
        let device = match (payload.username, payload.device) {
            (Some(pn), Some(device)) => format!("{pn}:{device}"),
            (Some(pn), None) => pn.to_string(),
            (None, _) => format!("connection {}", stream.0),
        };
        self.log(Event::LoginRefused { device, reason });
        let failure = Node::new("failure").attr("reason", reason).attr("location", "loc");
        self.end_with(stream, failure);
        Admission::Refused
    }

    /// From now on older versions of the web client are refused.
    pub(crate) fn set_min_version(&mut self, version: [u32; 3]) {
        self.options.min_version = version;
    }

    fn let_in(&mut self, stream: StreamId, id: DeviceId, payload: &ClientPayload) -> Admission {
        let label = self.accounts.label(id);
        match self.faults.take(Point::Login, &label, &Seen::default()) {
            Some(Fault::Failure { reason }) => {
                self.log(Event::FaultApplied { device: label, fault: format!("failure {reason}") });
                return self.login_refused(stream, payload, reason);
            }
            Some(Fault::FailureSaying { attributes }) => {
                self.log(Event::FaultApplied { device: label, fault: format!("failure {attributes:?}") });
                let mut failure = Node::new("failure");
                for (name, value) in attributes {
                    failure = failure.attr(name, value);
                }
                self.end_with(stream, failure);
                return Admission::Refused;
            }
            _ => {}
        }
        if let Some(name) = payload.push_name.as_ref().filter(|name| !name.is_empty())
            && let Some(account) = self.accounts.get_mut(id.account)
        {
            account.name.clone_from(name);
        }
        self.enter(stream, id, payload.passive.unwrap_or(false));
        Admission::Admitted
    }

    /// Makes a stream the device's connection and greets it.
    fn enter(&mut self, stream: StreamId, id: DeviceId, passive: bool) {
        let older = self.accounts.device(id).and_then(|device| device.stream);
        if let Some(older) = older {
            self.stream_error(older, None, Some("replaced"));
        }
        self.streams.insert(stream, Stream::Device(id));
        let now = self.now;
        let Some(account) = self.accounts.get(id.account) else { return };
        let success = Node::new("success")
            .attr("t", now)
            .attr("props", "27")
            .attr("companion_enc_static", "NULL")
            .attr("abprops", "35")
            .attr("group_abprops", "4")
            .attr("location", "loc")
            .attr("lid", account.jid(id.number, Space::Lid))
            .attr_opt("display_name", Some(account.name.clone()).filter(|name| !name.is_empty()))
            .attr("creation", account.created);
        if let Some(device) = self.accounts.device_mut(id) {
            device.stream = Some(stream);
            device.active = false;
            device.available = false;
            device.last_seen = now;
            device.queue.disconnected();
        }
        self.send(stream, success);
        let label = self.accounts.label(id);
        self.log(Event::LoggedIn { device: label, passive });
        if !passive {
            self.activate(stream, id);
        }
    }

    /// The device wants to be served from now on.
    pub(super) fn activate(&mut self, stream: StreamId, id: DeviceId) {
        let Some(device) = self.accounts.device_mut(id) else { return };
        if std::mem::replace(&mut device.active, true) {
            return;
        }
        let label = self.accounts.label(id);
        self.log(Event::Active { device: label });
        self.drain(id, stream);
    }

    /// The device wants nothing delivered for now.
    pub(super) fn deactivate(&mut self, id: DeviceId) {
        if let Some(device) = self.accounts.device_mut(id) {
            device.active = false;
        }
    }

    /// A phone comes online; creates its account if it is new.
    pub(crate) fn attach(
        &mut self,
        stream: StreamId,
        keys: PhoneKeys,
    ) -> Result<(Jid, Jid, LidStanding), AttachError> {
        let digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
        let number_fits =
            (7..=15).contains(&keys.number.len()) && digits(&keys.number) && !keys.number.starts_with('0');
        let lid_fits = keys.lid.as_ref().is_none_or(|lid| (5..=20).contains(&lid.len()) && digits(lid));
        if !number_fits || !lid_fits {
            return Err(AttachError::BadNumber);
        }
        let signed = SignedPrekey {
            id: keys.signed_prekey_id,
            public: keys.signed_prekey,
            signature: keys.signed_prekey_signature,
        };
        if !proof::signed_prekey(&keys.identity, &signed) {
            return Err(AttachError::BadSignature);
        }
        let id = match self.accounts.by_pn(&keys.number) {
            Some(account) => {
                let phone = DeviceId { account, number: 0 };
                let known = self.accounts.get(account).ok_or(AttachError::Taken)?;
                let same_lid = keys.lid.as_ref().is_none_or(|lid| *lid == known.lid);
                if known.identity() != Some(keys.identity) || !same_lid {
                    return Err(AttachError::Taken);
                }
                phone
            }
            None => {
                let lid = match keys.lid {
                    Some(lid) if self.accounts.by_lid(&lid).is_some() => return Err(AttachError::Taken),
                    Some(lid) => lid,
                    None => self.free_lid(),
                };
                let store = KeyStore::new(keys.registration_id, keys.identity, signed);
                let phone = Device::new(store, self.now);
                let usual =
                    if self.options.lid_migrated { LidStanding::Migrated } else { LidStanding::Unmigrated };
                let standing = keys.standing.unwrap_or(usual);
                let account = self.accounts.create(keys.number, lid, keys.name, standing, phone, self.now);
                DeviceId { account, number: 0 }
            }
        };
        self.enter(stream, id, false);
        let account = self.accounts.get(id.account).ok_or(AttachError::Taken)?;
        Ok((account.bare(Space::Pn), account.bare(Space::Lid), account.standing))
    }

    /// The phone with this number is about to be set up anew with these keys (pairing document §8.7).
    pub(crate) fn forget_identity(&mut self, keys: &PhoneKeys) {
        let signed = SignedPrekey {
            id: keys.signed_prekey_id,
            public: keys.signed_prekey,
            signature: keys.signed_prekey_signature,
        };
        let Some(account) = self.accounts.by_pn(&keys.number) else { return };
        if !proof::signed_prekey(&keys.identity, &signed) {
            return;
        }
        let phone = DeviceId { account, number: 0 };
        if let Some(stream) = self.accounts.device(phone).and_then(|phone| phone.stream) {
            self.cut(stream);
        }
        for device in self.accounts.devices(account) {
            self.remove_device(device);
        }
        let now = self.now;
        let Some(found) = self.accounts.get_mut(account) else { return };
        found.key_index_list = None;
        found.collections = Collections::default();
        found.devices.insert(0, Device::new(KeyStore::new(keys.registration_id, keys.identity, signed), now));
        let (pn, lid, mut known) = (found.bare(Space::Pn), found.twin(Space::Pn), found.contacts.clone());
        known.extend(self.groups.companions_of(account));
        for contact in known {
            self.notify_account(contact, None, |service| {
                service
                    .notification("encrypt", pn.clone())
                    .attr_opt("lid", lid.clone())
                    .child(Node::new("identity"))
            });
        }
    }

    pub(super) fn free_lid(&mut self) -> String {
        loop {
            let lid = self.random_digits(15);
            if self.accounts.by_lid(&lid).is_none() {
                return lid;
            }
        }
    }

    /// Closes after a frame that could not be opened.
    pub(crate) fn unreadable(&mut self, stream: StreamId, code: u16) {
        if code != 1000 {
            self.find_fault(None, stream, "unreadable frame", format!("closed with {code}"));
        }
        self.close(stream, Closing::Code(code), 0);
    }

    /// Closes after a stanza that could not be read.
    pub(crate) fn malformed(&mut self, stream: StreamId) {
        self.send(stream, Node::new("stream:error").child(Node::new("xml-not-well-formed")));
        let after_ms = millis(self.options.limits.close_delay);
        self.close(stream, Closing::Code(1002), after_ms);
    }
}

/// Reads registration data; the Noise key is filled in by the caller.
fn check_registration(data: &DevicePairingRegistrationData) -> Result<Registration, &'static str> {
    fn exactly<const N: usize>(field: Option<&Vec<u8>>, name: &'static str) -> Result<[u8; N], &'static str> {
        field.and_then(|bytes| bytes.as_slice().try_into().ok()).ok_or(name)
    }
    let registration_id = u32::from_be_bytes(exactly(data.e_regid.as_ref(), "eRegid is not 4 octets")?);
    let [key_type] = exactly(data.e_keytype.as_ref(), "eKeytype is not 1 octet")?;
    if key_type != proof::KEY_TYPE {
        return Err("eKeytype is not 5");
    }
    let identity = exactly(data.e_ident.as_ref(), "eIdent is not 32 octets")?;
    let [high, middle, low] = exactly(data.e_skey_id.as_ref(), "eSkeyId is not 3 octets")?;
    let signed_prekey = SignedPrekey {
        id: u32::from_be_bytes([0, high, middle, low]),
        public: exactly(data.e_skey_val.as_ref(), "eSkeyVal is not 32 octets")?,
        signature: exactly(data.e_skey_sig.as_ref(), "eSkeySig is not 64 octets")?,
    };
    exactly::<16>(data.build_hash.as_ref(), "buildHash is not 16 octets")?;
    let props = data.device_props.clone().ok_or("deviceProps are missing")?;
    DeviceProps::decode(props.as_slice()).map_err(|_| "deviceProps do not decode")?;
    if !proof::signed_prekey(&identity, &signed_prekey) {
        return Err("eSkeySig is not eIdent's");
    }
    Ok(Registration { noise_key: [0; 32], registration_id, identity, signed_prekey, props })
}

/// Key index in the signed identity of a companion.
pub(super) fn key_index(details: &[u8]) -> Option<u32> {
    adv::AdvDeviceIdentity::decode(details).ok()?.key_index
}
