//! Stanzas and messages of the exchange. Pure.

use base64::Engine as _;
use base64::engine::general_purpose::{URL_SAFE, URL_SAFE_NO_PAD};
use serde_json::Value;
use whimbrel_crypto::curve::PublicKey;
use whimbrel_crypto::passkey;
use whimbrel_proto::companion::device_props::PlatformType;
use whimbrel_proto::companion::{
    CompanionCommitment, CompanionEphemeralIdentity, EncryptedPairingRequest, PairingRequest,
    PrimaryEphemeralIdentity, ProloguePayload,
};
use whimbrel_wire::{Jid, Node, NodeRef};
use zeroize::{Zeroize as _, Zeroizing};

use crate::store::DeviceKeys;

/// Kind of device that the exchange names: Chrome, as the codes and the device properties do.
pub(super) const KIND: PlatformType = PlatformType::Chrome;

/// Longest texts that are passed on in either direction.
const LONGEST: usize = 64 * 1024;

/// Whether a notification belongs to the exchange.
pub(super) fn is_about(notification: &NodeRef<'_>) -> bool {
    is_demand(notification) || notification.attr_is("type", "crsc_continuation")
}

pub(super) fn is_demand(notification: &NodeRef<'_>) -> bool {
    notification.attr_is("type", "passkey_prologue_request")
}

fn request(kind: &'static str, child: Node) -> Node {
    Node::new("iq").attr("to", Jid::SERVER).attr("xmlns", "md").attr("type", kind).child(child)
}

/// Asks for the options of a demand that came without them.
pub(super) fn options_query() -> Node {
    request("get", Node::new("passkey_request_options"))
}

/// The WebAuthn request options, in a demand or in the answer to the query.
pub(super) fn options(stanza: &NodeRef<'_>) -> Option<String> {
    let bytes = stanza.child_named("passkey_request_options")?;
    let text = bytes.content_text().map(str::to_owned);
    let text = text.or_else(|| String::from_utf8(bytes.content_bytes()?.to_vec()).ok());
    text.filter(|text| !text.is_empty() && text.len() <= LONGEST)
}

/// Asks for the service's name of the exchange.
pub(super) fn reference_query() -> Node {
    request("get", Node::new("ref"))
}

pub(super) fn reference(answer: &NodeRef<'_>) -> Option<String> {
    let bytes = answer.child_bytes("ref")?.to_vec();
    String::from_utf8(bytes).ok().filter(|reference| !reference.is_empty())
}

/// The id of the credential in an authenticator's answer (WebAuthn's `PublicKeyCredential` as JSON).
/// `None` if it is not such an answer.
pub(super) fn credential(assertion: &str) -> Option<Vec<u8>> {
    if assertion.len() > LONGEST {
        return None;
    }
    let assertion: Value = serde_json::from_str(assertion).ok()?;
    let response = assertion.get("response")?;
    let parts = ["clientDataJSON", "authenticatorData", "signature"];
    if !parts.into_iter().all(|part| response.get(part).is_some_and(Value::is_string)) {
        return None;
    }
    let id = assertion.get("rawId").or_else(|| assertion.get("id"))?.as_str()?;
    let id = URL_SAFE_NO_PAD.decode(id).or_else(|_| URL_SAFE.decode(id)).ok()?;
    (!id.is_empty()).then_some(id)
}

/// The companion's part: its ephemeral key for this exchange, and what it commits itself to.
pub(super) fn prologue_payload(key: &PublicKey, reference: &str, nonce: &[u8; 32]) -> Vec<u8> {
    let identity = whimbrel_proto::encode(&CompanionEphemeralIdentity {
        public_key: Some(key.as_bytes().to_vec()),
        device_type: Some(KIND.into()),
        r#ref: Some(reference.to_owned()),
    });
    let hash = passkey::commitment(&identity, nonce).to_vec();
    whimbrel_proto::encode(&ProloguePayload {
        companion_ephemeral_identity: Some(identity),
        commitment: Some(CompanionCommitment { hash: Some(hash) }),
    })
}

/// Tells what the authenticator said, together with the companion's part.
pub(super) fn prologue(credential: Vec<u8>, assertion: &str, payload: Vec<u8>) -> Node {
    let prologue = Node::new("passkey_prologue")
        .child(Node::new("credential_id").bytes(credential))
        .child(Node::new("webauthn_assertion").bytes(assertion.as_bytes().to_vec()))
        .child(Node::new("prologue_payload").bytes(payload));
    request("set", prologue)
}

/// The phone's ephemeral key and nonce.
pub(super) fn continuation(notification: &NodeRef<'_>) -> Option<(PublicKey, [u8; 32])> {
    let part = notification.child_bytes("primary_ephemeral_identity")?;
    let part: PrimaryEphemeralIdentity = whimbrel_proto::decode(part).ok()?;
    let key = PublicKey::parse(part.public_key.as_deref()?).ok()?;
    Some((key, part.nonce?.try_into().ok()?))
}

/// Opens the commitment.
pub(super) fn nonce(nonce: &[u8; 32]) -> Node {
    request("set", Node::new("companion_nonce").bytes(nonce.to_vec()))
}

/// What the phone needs to vouch for this device.
pub(super) fn pairing_request(keys: &DeviceKeys, secret: &[u8; 32]) -> Zeroizing<Vec<u8>> {
    let mut request = PairingRequest {
        companion_public_key: Some(keys.noise.public.as_bytes().to_vec()),
        companion_identity_key: Some(keys.identity.public.as_bytes().to_vec()),
        adv_secret: Some(secret.to_vec()),
    };
    let encoded = Zeroizing::new(whimbrel_proto::encode(&request));
    request.adv_secret.zeroize();
    encoded
}

pub(super) fn encrypted_request(sealed: Vec<u8>, iv: [u8; 12]) -> Node {
    let sealed = whimbrel_proto::encode(&EncryptedPairingRequest {
        encrypted_payload: Some(sealed),
        iv: Some(iv.to_vec()),
    });
    request("set", Node::new("encrypted_pairing_request").bytes(sealed))
}

#[cfg(test)]
mod tests {
    use whimbrel_crypto::curve::{KeyPair, PrivateKey};

    use super::*;

    fn vectors(name: &str) -> Value {
        let path = format!("{}/../../tests/vectors/{name}.json", env!("CARGO_MANIFEST_DIR"));
        serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap()
    }

    fn octets(value: &Value) -> Vec<u8> {
        hex::decode(value.as_str().unwrap()).unwrap()
    }

    fn array<const N: usize>(value: &Value) -> [u8; N] {
        octets(value).try_into().unwrap()
    }

    #[test]
    fn options_are_read_from_text_and_bytes() {
        let demand =
            |child: Node| Node::new("notification").attr("type", "passkey_prologue_request").child(child);
        let child = || Node::new("passkey_request_options");
        assert_eq!(options(&demand(child().text("{}"))).as_deref(), Some("{}"));
        assert_eq!(options(&demand(child().bytes(b"{\"a\":1}".to_vec()))).as_deref(), Some("{\"a\":1}"));
        assert_eq!(options(&demand(child())), None);
        assert!(is_about(&demand(child())) && is_about(&Node::new("x").attr("type", "crsc_continuation")));
        assert!(!is_about(&Node::new("notification").attr("type", "devices")));
    }

    #[test]
    fn only_what_an_authenticator_says_has_a_credential() {
        let response = r#"{"clientDataJSON":"e30","authenticatorData":"AA","signature":"AA"}"#;
        let answer = |id: &str| format!(r#"{{{id}"type":"public-key","response":{response}}}"#);
        assert_eq!(credential(&answer(r#""id":"x","rawId":"-_8","#)), Some(vec![0xfb, 0xff]));
        assert_eq!(credential(&answer(r#""id":"-_8=","#)), Some(vec![0xfb, 0xff]));
        for wrong in ["", "{}", "[]", &answer(""), &answer(r#""rawId":"","#), &answer(r#""rawId":"+/8","#)] {
            assert_eq!(credential(wrong), None, "{wrong}");
        }
        assert_eq!(credential(r#"{"rawId":"AA","response":{"signature":"AA"}}"#), None);
        assert_eq!(credential(&" ".repeat(LONGEST + 1)), None);
    }

    #[test]
    fn messages_are_those_of_the_vectors() {
        let all = vectors("pairing-code");
        let vectors = &all["passkey"];
        let key = PublicKey::from_bytes(array(&vectors["companion_ephemeral"]["public"]));
        let reference = vectors["ref_ascii"].as_str().unwrap();
        let payload = prologue_payload(&key, reference, &array(&vectors["companion_nonce"]));
        assert_eq!(payload, octets(&vectors["prologue_payload"]));

        let part = octets(&vectors["primary_ephemeral_identity"]);
        let notification =
            Node::new("notification").child(Node::new("primary_ephemeral_identity").bytes(part));
        let (phone, nonce) = continuation(&notification).unwrap();
        assert_eq!(*phone.as_bytes(), array(&vectors["primary_ephemeral"]["public"]));
        assert_eq!(nonce, array(&vectors["primary_nonce"]));
        assert!(continuation(&Node::new("notification")).is_none());

        let request = octets(&vectors["pairing_request"]);
        let request: PairingRequest = whimbrel_proto::decode(&request).unwrap();
        let pair = |public: Option<Vec<u8>>| KeyPair {
            private: PrivateKey::from_bytes([1; 32]),
            public: PublicKey::from_bytes(public.unwrap().try_into().unwrap()),
        };
        let keys = DeviceKeys {
            noise: pair(request.companion_public_key),
            identity: pair(request.companion_identity_key),
            registration_id: 1,
            adv_secret: [0; 32],
        };
        let secret = array(&vectors["new_adv_secret"]);
        assert_eq!(*pairing_request(&keys, &secret), octets(&vectors["pairing_request"]));
        let encrypted = encrypted_request(octets(&vectors["encrypted_payload"]), array(&vectors["iv"]));
        let encrypted = encrypted.child_bytes("encrypted_pairing_request").unwrap().to_vec();
        assert_eq!(encrypted, octets(&vectors["encrypted_pairing_request"]));
    }
}
