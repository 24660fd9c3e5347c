//! The service's requests of linking: `pair-device` with the refs of the codes, `pair-success`
//! with the phone's proofs (pairing document §3.1, §4). Pure.

use whimbrel_crypto::adv::{self, Hosting, ProofError};
use whimbrel_crypto::curve::PublicKey;
use whimbrel_proto::ProtoMessage as _;
use whimbrel_proto::adv::{
    AdvDeviceIdentity, AdvEncryptionType, AdvSignedDeviceIdentity, AdvSignedDeviceIdentityHmac,
};
use whimbrel_proto::companion::ClientPairingProps;
use whimbrel_wire::{Jid, Node, NodeRef};

use crate::store::DeviceKeys;

/// Longest identity container that is looked at.
const MAX_CONTAINER: usize = 500;

/// The refs of a `pair-device` request, in order; `None` if the stanza is none.
pub(crate) fn refs(request: &NodeRef<'_>) -> Option<Vec<String>> {
    let pair_device = request.child_named("pair-device")?;
    let refs = pair_device.children_named("ref").filter_map(NodeRef::content_text);
    Some(refs.filter(|text| !text.is_empty()).map(str::to_owned).collect())
}

/// A link that the phone proved.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Paired {
    /// Own device by phone number.
    pub(crate) phone: Jid,
    /// Own device by LID.
    pub(crate) lid: Jid,
    /// The phone's platform.
    pub(crate) platform: String,
    /// Verified business name.
    pub(crate) business_name: Option<String>,
    /// The phone says that the account addresses people by LID.
    pub(crate) lid_migrated: bool,
    /// Identity key of the phone.
    pub(crate) account_key: PublicKey,
    /// `ADVSignedDeviceIdentity` with all four fields.
    pub(crate) signed_identity: Vec<u8>,
    /// The answer, to be sent once all of this is durable.
    pub(crate) answer: Node,
}

/// Why the phone's proofs were not accepted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum PairError {
    /// A part is missing or cannot be read.
    #[error("the identity of the account cannot be read")]
    Malformed,
    /// The phone scanned another code.
    #[error("the HMAC does not match")]
    Hmac,
    /// The account did not sign this device's key.
    #[error("the signature does not match")]
    Signature,
}

impl PairError {
    /// A stable lowercase word for the host.
    pub(crate) const fn reason(self) -> &'static str {
        match self {
            Self::Malformed => "refused",
            Self::Hmac => "hmac_mismatch",
            Self::Signature => "signature_mismatch",
        }
    }

    /// Code and text of the error answer.
    pub(crate) const fn answer(self) -> (u16, &'static str) {
        match self {
            Self::Malformed => (500, "internal-error"),
            Self::Hmac => (401, "hmac-mismatch"),
            Self::Signature => (401, "signature-mismatch"),
        }
    }
}

impl From<ProofError> for PairError {
    fn from(error: ProofError) -> Self {
        match error {
            ProofError::Hmac => Self::Hmac,
            ProofError::Signature => Self::Signature,
        }
    }
}

fn hosting(kind: Option<i32>) -> Hosting {
    if kind == Some(AdvEncryptionType::Hosted.into()) { Hosting::Hosted } else { Hosting::Own }
}

fn decode<M: whimbrel_proto::Described + Default>(bytes: &[u8]) -> Result<M, PairError> {
    whimbrel_proto::decode(bytes).map_err(|_| PairError::Malformed)
}

/// Checks the proofs of a `pair-success` request in the documented order, and signs the answer.
pub(crate) fn accept(
    request: &NodeRef<'_>,
    keys: &DeviceKeys,
    random: &[u8; 64],
) -> Result<Paired, PairError> {
    let malformed = PairError::Malformed;
    let success = request.child_named("pair-success").ok_or(malformed)?;
    let container = success.child_bytes("device-identity").ok_or(malformed)?;
    if container.len() > MAX_CONTAINER {
        return Err(malformed);
    }
    let (identity, device, account_key) = prove(container, keys)?;
    let details = identity.details.as_deref().unwrap_or_default();
    let signature =
        adv::sign_device(&keys.identity.private, &keys.identity.public, details, &account_key, random);

    let address = success.child_named("device").ok_or(malformed)?;
    let phone = address.attr_jid("jid").filter(|jid| jid.is_pn() && jid.device() > 0).ok_or(malformed)?;
    let lid = address.attr_jid("lid").filter(|jid| jid.is_lid() && jid.device() > 0).ok_or(malformed)?;
    let name = |tag| {
        success.child_named(tag).and_then(|child| child.attr_text("name")).map(|name| name.into_owned())
    };

    let complete = AdvSignedDeviceIdentity { device_signature: Some(signature.to_vec()), ..identity };
    let signed_identity = complete.encode_to_vec();
    // The service knows the account's key, so the answer leaves it out.
    let reply = AdvSignedDeviceIdentity { account_signature_key: None, ..complete };
    let id = request.attr_text("id").ok_or(malformed)?.into_owned();
    let signed = Node::new("device-identity")
        .attr("key-index", device.key_index.unwrap_or(0))
        .bytes(reply.encode_to_vec());
    let answer = Node::new("iq")
        .attr("id", id)
        .attr("to", Jid::SERVER)
        .attr("type", "result")
        .child(Node::new("pair-device-sign").child(signed));
    Ok(Paired {
        phone,
        lid,
        platform: name("platform").unwrap_or_default(),
        business_name: name("biz"),
        // What is malformed says nothing.
        lid_migrated: success
            .child_bytes("client-props")
            .and_then(|props| whimbrel_proto::decode::<ClientPairingProps>(props).ok())
            .and_then(|props| props.is_chat_db_lid_migrated)
            .unwrap_or(false),
        account_key,
        signed_identity,
        answer,
    })
}

fn prove(
    container: &[u8],
    keys: &DeviceKeys,
) -> Result<(AdvSignedDeviceIdentity, AdvDeviceIdentity, PublicKey), PairError> {
    let outer: AdvSignedDeviceIdentityHmac = decode(container)?;
    let signed = outer.details.as_deref().ok_or(PairError::Malformed)?;
    let mac = outer.hmac.as_deref().unwrap_or_default();
    adv::verify_hmac(&keys.adv_secret, hosting(outer.account_type), signed, mac)?;
    let identity: AdvSignedDeviceIdentity = decode(signed)?;
    let details = identity.details.as_deref().ok_or(PairError::Malformed)?;
    let device: AdvDeviceIdentity = decode(details)?;
    let account_key = identity.account_signature_key.as_deref().and_then(|key| PublicKey::parse(key).ok());
    let account_key = account_key.ok_or(PairError::Signature)?;
    let signature = identity.account_signature.as_deref().ok_or(PairError::Signature)?;
    adv::verify_account(
        &account_key,
        hosting(device.device_type),
        details,
        &keys.identity.public,
        signature,
    )?;
    Ok((identity, device, account_key))
}

#[cfg(test)]
mod tests {
    use serde_json::Value;
    use whimbrel_crypto::curve::{KeyPair, PrivateKey};

    use super::*;

    fn vectors() -> Value {
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../tests/vectors/pairing-qr.json");
        serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap()
    }

    fn bytes(value: &Value) -> Vec<u8> {
        hex::decode(value.as_str().unwrap()).unwrap()
    }

    fn keys(vectors: &Value) -> DeviceKeys {
        let pair = |value: &Value| {
            KeyPair::from_private(PrivateKey::from_bytes(bytes(&value["private"]).try_into().unwrap()))
        };
        let companion = &vectors["companion"];
        DeviceKeys {
            noise: pair(&companion["noise"]),
            identity: pair(&companion["identity"]),
            registration_id: 10_875,
            adv_secret: bytes(&companion["adv_secret"]).try_into().unwrap(),
        }
    }

    fn request(container: Vec<u8>) -> Node {
        let device = Node::new("device")
            .attr("jid", Jid::pn("15550001111").with_device(7))
            .attr("lid", Jid::lid("240000000000001").with_device(7));
        let success = Node::new("pair-success")
            .child(Node::new("platform").attr("name", "android"))
            .child(Node::new("device-identity").bytes(container))
            .child(device)
            .child(Node::new("biz").attr("name", "Shop"));
        Node::new("iq").attr("id", "3452189211").attr("from", Jid::SERVER).attr("type", "set").child(success)
    }

    #[test]
    fn every_proved_link_is_accepted_and_answered_with_the_received_bytes() {
        let vectors = vectors();
        let keys = keys(&vectors);
        for case in vectors["cases"].as_array().unwrap() {
            let name = &case["name"];
            let container = bytes(&case["pair_success"]["device_identity"]);
            let paired = accept(&request(container), &keys, &[9; 64]).unwrap();
            let details = bytes(&case["adv_device_identity"]);
            assert_eq!(
                (paired.platform.as_str(), paired.business_name.as_deref()),
                ("android", Some("Shop"))
            );
            assert_eq!(paired.lid, Jid::lid("240000000000001").with_device(7));

            let stored = AdvSignedDeviceIdentity::decode(paired.signed_identity.as_slice()).unwrap();
            assert_eq!(stored.details(), details, "{name}");
            assert_eq!(stored.account_signature(), bytes(&case["account_signature"]));
            assert_eq!(stored.account_signature_key(), paired.account_key.as_bytes());
            let hosting = hosting(AdvDeviceIdentity::decode(details.as_slice()).unwrap().device_type);
            adv::verify_device(
                &keys.identity.public,
                hosting,
                &details,
                &paired.account_key,
                stored.device_signature(),
            )
            .unwrap();

            let signed = paired.answer.child_named("pair-device-sign").unwrap();
            let signed = signed.child_named("device-identity").unwrap();
            let key_index = case["server_must_check"]["key_index"].as_str().unwrap();
            assert!(signed.attr_is("key-index", key_index), "{name}");
            let reply = AdvSignedDeviceIdentity::decode(signed.content_bytes().unwrap()).unwrap();
            assert_eq!(reply, AdvSignedDeviceIdentity { account_signature_key: None, ..stored });
        }
    }

    #[test]
    fn every_wrong_proof_has_its_answer() {
        let vectors = vectors();
        let keys = keys(&vectors);
        for case in vectors["invalid"].as_array().unwrap() {
            let error = accept(&request(bytes(&case["device_identity"])), &keys, &[9; 64]).unwrap_err();
            let (code, text) = error.answer();
            let expected = case["client_error"].as_str().unwrap();
            assert!(expected.starts_with(&format!("{code} {text}")), "{}: {code} {text}", case["name"]);
        }
    }

    #[test]
    fn a_link_without_addresses_is_refused() {
        let vectors = vectors();
        let container = bytes(&vectors["cases"][0]["pair_success"]["device_identity"]);
        let success = Node::new("pair-success").child(Node::new("device-identity").bytes(container));
        let stanza = Node::new("iq").attr("id", "1").child(success);
        assert_eq!(accept(&stanza, &keys(&vectors), &[9; 64]), Err(PairError::Malformed));
        let huge = request(vec![0; MAX_CONTAINER + 1]);
        assert_eq!(accept(&huge, &keys(&vectors), &[9; 64]), Err(PairError::Malformed));
    }

    #[test]
    fn refs_are_read_in_order_and_other_children_skipped() {
        let pair_device = Node::new("pair-device")
            .child(Node::new("ref").text("2@a"))
            .child(Node::new("other").text("x"))
            .child(Node::new("ref"))
            .child(Node::new("ref").text("2@b,c"));
        assert_eq!(
            refs(&Node::new("iq").child(pair_device)),
            Some(vec!["2@a".to_owned(), "2@b,c".to_owned()])
        );
        assert_eq!(refs(&Node::new("iq")), None);
    }
}
