//! Linking to a phone.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use whimbrel::{CallOptions, Client, Error};

use super::{Done, Operation};
use crate::events::millis;

/// Begins linking by QR and returns the first code.
///
/// Later codes come as `qr` events, about every 20 seconds; a `linked` event follows the scan.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct LinkWithQr {}

/// A QR text to show.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct QrCode {
    /// What the QR symbol has to hold.
    pub text: String,
    /// How long it is valid, in milliseconds.
    pub valid_for_ms: u64,
}

impl Operation for LinkWithQr {
    const NAME: &'static str = "link_with_qr";
    type Output = QrCode;

    async fn run(self, client: &Client, options: CallOptions) -> Result<QrCode, Error> {
        let code = client.link_with_qr(options).await?;
        Ok(QrCode { text: code.text, valid_for_ms: millis(code.valid_for) })
    }
}

/// Begins linking by a code that is typed on the phone, and returns the code.
///
/// The phone asks for it under "Linked devices", "Link with phone number instead". A `linked`
/// event follows. A code lives three minutes.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct LinkWithCode {
    /// Phone number of the account, with its country code.
    pub phone: String,
}

/// A code to type on the phone.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct PairingCode {
    /// The code, as `ABCD-EFGH`.
    pub code: String,
    /// How long it is valid, in milliseconds.
    pub valid_for_ms: u64,
}

impl Operation for LinkWithCode {
    const NAME: &'static str = "link_with_code";
    type Output = PairingCode;

    async fn run(self, client: &Client, options: CallOptions) -> Result<PairingCode, Error> {
        let code = client.link_with_code(&self.phone, options).await?;
        Ok(PairingCode { code: code.code, valid_for_ms: millis(code.valid_for) })
    }
}

/// Goes on with linking after a `passkey_required` event, and returns the code to compare.
///
/// Waits until the phone has gone on. If the person sees the same code there, call
/// `confirm_passkey`. Give people time by the call's deadline.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct AnswerPasskey {
    /// What the owner's authenticator answered to the options of the event: WebAuthn's
    /// `PublicKeyCredential` as JSON, with base64url values.
    pub assertion: String,
}

/// A code to compare with the phone's.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct PasskeyCode {
    /// The code, as `ABCD-EFGH`.
    pub code: String,
}

impl Operation for AnswerPasskey {
    const NAME: &'static str = "answer_passkey";
    type Output = PasskeyCode;

    async fn run(self, client: &Client, options: CallOptions) -> Result<PasskeyCode, Error> {
        let code = client.answer_passkey(self.assertion, options).await?;
        Ok(PasskeyCode { code: code.code })
    }
}

/// Says that the person has seen the code of `answer_passkey` on the phone.
///
/// Returns when the service has told the phone. A `linked` event follows.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ConfirmPasskey {}

impl Operation for ConfirmPasskey {
    const NAME: &'static str = "confirm_passkey";
    type Output = Done;

    async fn run(self, client: &Client, options: CallOptions) -> Result<Done, Error> {
        client.confirm_passkey(options).await.map(|()| Done {})
    }
}
