//! Linking to a phone.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use whimbrel::{CallOptions, Client, Error};

use super::Operation;
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
