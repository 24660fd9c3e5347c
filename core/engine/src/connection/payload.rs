//! The `ClientPayload` that ends the handshake (transport document §5): a login of a linked
//! device, or the registration of a new one.

use whimbrel_crypto::digest;
use whimbrel_proto::ProtoMessage as _;
use whimbrel_proto::client::ClientPayload;
use whimbrel_proto::client::client_payload::user_agent::{AppVersion, Platform, ReleaseChannel};
use whimbrel_proto::client::client_payload::web_info::WebSubPlatform;
use whimbrel_proto::client::client_payload::{
    ConnectReason, ConnectType, DevicePairingRegistrationData, UserAgent, WebInfo,
};
use whimbrel_proto::companion::DeviceProps;
use whimbrel_proto::companion::device_props::{self, HistorySyncConfig, PlatformType};

use crate::options::ClientOptions;
use crate::store::{Account, SignedPreKeyRow};

/// Type octet of curve keys.
const KEY_TYPE: u8 = 5;

/// Payload of a linked device; `None` if the account has no phone number of its own.
pub(crate) fn login(account: &Account, version: [u32; 3]) -> Option<Vec<u8>> {
    let phone = account.phone.as_ref()?;
    let payload = ClientPayload {
        username: Some(phone.user().parse().ok()?),
        // The queue at the service is held until this client says `active`.
        passive: Some(true),
        device: Some(phone.device().into()),
        lc: Some(i32::try_from(account.login_counter).unwrap_or(i32::MAX)),
        pull: Some(true),
        lid_db_migrated: Some(true),
        ..common(version)
    };
    Some(payload.encode_to_vec())
}

/// Payload of a device that wants to be linked.
pub(crate) fn registration(
    account: &Account,
    signed_pre_key: &SignedPreKeyRow,
    version: [u32; 3],
    options: &ClientOptions,
) -> Vec<u8> {
    let keys = &account.keys;
    let data = DevicePairingRegistrationData {
        e_regid: Some(keys.registration_id.to_be_bytes().to_vec()),
        e_keytype: Some(vec![KEY_TYPE]),
        e_ident: Some(keys.identity.public.as_bytes().to_vec()),
        e_skey_id: Some(be24(signed_pre_key.id).to_vec()),
        e_skey_val: Some(signed_pre_key.pair.public.as_bytes().to_vec()),
        e_skey_sig: Some(signed_pre_key.signature.to_vec()),
        build_hash: Some(digest::version_hash(&dotted(version)).to_vec()),
        device_props: Some(device_properties(options).encode_to_vec()),
    };
    let payload = ClientPayload {
        passive: Some(false),
        pull: Some(false),
        device_pairing_data: Some(data.into()),
        ..common(version)
    };
    payload.encode_to_vec()
}

fn common(version: [u32; 3]) -> ClientPayload {
    ClientPayload {
        user_agent: Some(Box::new(user_agent(version))),
        web_info: Some(Box::new(WebInfo {
            web_sub_platform: Some(WebSubPlatform::WebBrowser.into()),
            ..WebInfo::default()
        })),
        connect_type: Some(ConnectType::WifiUnknown.into()),
        connect_reason: Some(ConnectReason::UserActivated.into()),
        ..ClientPayload::default()
    }
}

fn user_agent([primary, secondary, tertiary]: [u32; 3]) -> UserAgent {
    UserAgent {
        platform: Some(Platform::Web.into()),
        app_version: Some(AppVersion {
            primary: Some(primary),
            secondary: Some(secondary),
            tertiary: Some(tertiary),
            ..AppVersion::default()
        }),
        mcc: Some("000".to_owned()),
        mnc: Some("000".to_owned()),
        os_version: Some("0.1".to_owned()),
        manufacturer: Some(String::new()),
        device: Some("Desktop".to_owned()),
        os_build_number: Some("0.1".to_owned()),
        release_channel: Some(ReleaseChannel::Release.into()),
        locale_language_iso6391: Some("en".to_owned()),
        locale_country_iso31661_alpha2: Some("US".to_owned()),
        ..UserAgent::default()
    }
}

/// Which history the client can take: of so many days back, where that is said.
pub(crate) fn history_config(
    options: &ClientOptions,
    full_days: Option<u32>,
    recent_days: Option<u32>,
) -> HistorySyncConfig {
    HistorySyncConfig {
        full_sync_days_limit: full_days,
        recent_sync_days_limit: recent_days,
        storage_quota_mb: Some(10_240),
        on_demand_ready: Some(options.archive),
        complete_on_demand_ready: Some(options.archive),
        support_add_on_history_sync_migration: Some(true),
        inline_initial_payload_in_e2_ee_msg: Some(true),
        support_call_log_history: Some(true),
        support_bot_user_agent_chat_history: Some(true),
        support_cag_reactions_and_polls: Some(true),
        support_biz_hosted_msg: Some(true),
        support_recent_sync_chunk_message_count_tuning: Some(true),
        support_hosted_group_msg: Some(true),
        support_fbid_bot_chat_history: Some(true),
        support_message_association: Some(true),
        support_group_history: Some(true),
        thumbnail_sync_days_limit: Some(60),
        support_manus_history: Some(true),
        support_hatch_history: Some(true),
        ..HistorySyncConfig::default()
    }
}

/// What the phone shows of this device and which history it sends (pairing document §11.1).
fn device_properties(options: &ClientOptions) -> DeviceProps {
    let number = |text: &str| text.parse().ok();
    let full = options.full_history && options.archive;
    let days = options.history_days.filter(|_| options.archive);
    DeviceProps {
        os: Some(options.device_name.clone()),
        version: Some(device_props::AppVersion {
            primary: number(env!("CARGO_PKG_VERSION_MAJOR")),
            secondary: number(env!("CARGO_PKG_VERSION_MINOR")),
            tertiary: number(env!("CARGO_PKG_VERSION_PATCH")),
            ..device_props::AppVersion::default()
        }),
        platform_type: Some(PlatformType::Chrome.into()),
        require_full_sync: Some(full),
        history_sync_config: Some(history_config(options, days.filter(|_| full), days)),
    }
}

/// A number of 24 bits, as ids of prekeys travel.
pub(crate) fn be24(number: u32) -> [u8; 3] {
    let [_, high, middle, low] = number.to_be_bytes();
    [high, middle, low]
}

fn dotted([primary, secondary, tertiary]: [u32; 3]) -> String {
    format!("{primary}.{secondary}.{tertiary}")
}

#[cfg(test)]
mod tests {
    use serde_json::Value;
    use whimbrel_crypto::curve::{KeyPair, PrivateKey, PublicKey};
    use whimbrel_wire::Jid;

    use super::*;
    use crate::store::DeviceKeys;

    const VERSION: [u32; 3] = [2, 3000, 1_043_857_760];

    fn vectors() -> Value {
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../tests/vectors/client-payload.json");
        serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap()
    }

    fn payload(vectors: &Value, name: &str) -> ClientPayload {
        let payloads = vectors["payloads"].as_array().unwrap();
        let payload = payloads.iter().find(|payload| payload["name"] == name).unwrap();
        ClientPayload::decode(hex::decode(payload["hex"].as_str().unwrap()).unwrap().as_slice()).unwrap()
    }

    fn pair(public: &str) -> KeyPair {
        let public = PublicKey::parse(&hex::decode(public).unwrap()).unwrap();
        KeyPair { private: PrivateKey::from_bytes([1; 32]), public }
    }

    fn account(vectors: &Value) -> (Account, SignedPreKeyRow) {
        let credentials = &vectors["credentials"];
        let text = |value: &Value| value.as_str().unwrap().to_owned();
        let keys = DeviceKeys {
            noise: pair(&"11".repeat(32)),
            identity: pair(&text(&credentials["identity_public"])),
            registration_id: u32::try_from(credentials["registration_id"].as_u64().unwrap()).unwrap(),
            adv_secret: [0; 32],
        };
        let mut account = crate::link::new_account(keys);
        account.phone = Some(Jid::pn("31612345678").with_device(7));
        account.login_counter = 3;
        let signed = &credentials["signed_prekey"];
        let signature = hex::decode(text(&signed["signature"])).unwrap().try_into().unwrap();
        let row = SignedPreKeyRow { id: 1, pair: pair(&text(&signed["public"])), signature, created_at: 0 };
        (account, row)
    }

    #[test]
    fn a_login_differs_from_the_captured_one_in_the_login_counter_only() {
        let vectors = vectors();
        let (account, _) = account(&vectors);
        let mut ours = ClientPayload::decode(login(&account, VERSION).unwrap().as_slice()).unwrap();
        assert_eq!(ours.lc.take(), Some(3));
        assert_eq!(ours, payload(&vectors, "whatsmeow login"));
    }

    #[test]
    fn a_registration_differs_from_the_captured_one_in_the_device_properties_only() {
        let vectors = vectors();
        let (account, signed) = account(&vectors);
        let options = ClientOptions { history_days: Some(90), ..ClientOptions::default() };
        let mut ours =
            ClientPayload::decode(registration(&account, &signed, VERSION, &options).as_slice()).unwrap();
        let mut theirs = payload(&vectors, "whatsmeow registration");
        let props = ours.device_pairing_data.as_mut().unwrap().device_props.take().unwrap();
        theirs.device_pairing_data.as_mut().unwrap().device_props.take().unwrap();
        assert_eq!(ours, theirs);
        let props = DeviceProps::decode(props.as_slice()).unwrap();
        assert_eq!(props.os(), "whimbrel");
        assert!(props.platform_type() == PlatformType::Chrome);
        let history = props.history_sync_config.unwrap();
        assert_eq!((history.storage_quota_mb(), history.thumbnail_sync_days_limit()), (10_240, 60));
        assert_eq!((history.recent_sync_days_limit, history.full_sync_days_limit), (Some(90), None));
        let options = ClientOptions { full_history: true, ..options };
        let props = device_properties(&options);
        assert_eq!(props.require_full_sync, Some(true));
        assert_eq!(props.history_sync_config.unwrap().full_sync_days_limit, Some(90));
        let without = ClientOptions { archive: false, ..options };
        assert_eq!(device_properties(&without).require_full_sync, Some(false));
    }

    #[test]
    fn an_unlinked_device_cannot_log_in() {
        let vectors = vectors();
        let (mut account, _) = account(&vectors);
        account.phone = None;
        assert!(login(&account, VERSION).is_none());
    }

    #[test]
    fn ids_travel_in_three_octets() {
        assert_eq!(be24(0x00ab_cdef), [0xab, 0xcd, 0xef]);
    }
}
