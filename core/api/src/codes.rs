//! Error codes as every language shows them.

use serde::Serialize;
use whimbrel::{Category, Code, Outcome};

/// One error code.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct CodeInfo {
    /// The stable number.
    pub number: u16,
    /// The stable name, such as `TIMED_OUT`.
    pub name: &'static str,
    /// What it means, and what to do.
    pub doc: &'static str,
    /// The status that a REST surface answers with.
    pub http_status: u16,
}

/// The stable lowercase name of a category.
pub const fn category_name(category: Category) -> &'static str {
    match category {
        Category::Usage => "usage",
        Category::Network => "network",
        Category::Account => "account",
        Category::Service => "service",
        Category::Crypto => "crypto",
        Category::Store => "store",
        Category::Media => "media",
        _ => "internal",
    }
}

/// The stable lowercase name of an outcome.
pub const fn outcome_name(outcome: Outcome) -> &'static str {
    match outcome {
        Outcome::NotSent => "not_sent",
        Outcome::Refused => "refused",
        _ => "unknown",
    }
}

/// Name, documentation and REST status of a code.
pub const fn info(code: Code) -> CodeInfo {
    let (name, http_status, doc) = match code {
        Code::InvalidArgument => {
            ("INVALID_ARGUMENT", 400, "An argument has no valid meaning, such as a malformed address.")
        }
        Code::UnknownOperation => ("UNKNOWN_OPERATION", 404, "There is no operation of that name."),
        Code::WrongState => {
            ("WRONG_STATE", 409, "The call does not fit the present state, such as a second event stream.")
        }
        Code::Closed => ("CLOSED", 409, "The client or engine is closed."),
        Code::Forked => {
            ("FORKED", 409, "The handle was made before the process forked; make a new engine in the child.")
        }
        Code::WouldDeadlock => {
            ("WOULD_DEADLOCK", 409, "A blocking call was made from a callback of the same engine.")
        }
        Code::UnknownFieldSet => {
            ("UNKNOWN_FIELD_SET", 400, "A field that this version does not know was set.")
        }
        Code::NotSupported => ("NOT_SUPPORTED", 501, "The engine does not do this yet."),
        Code::NotConnected => ("NOT_CONNECTED", 503, "There is no connection to the service."),
        Code::ConnectFailed => ("CONNECT_FAILED", 503, "The service could not be reached."),
        Code::TimedOut => {
            ("TIMED_OUT", 504, "The deadline passed; `outcome` says whether the request may have arrived.")
        }
        Code::Cancelled => ("CANCELLED", 503, "The call was cancelled, or its client closed."),
        Code::UntrustedServer => (
            "UNTRUSTED_SERVER",
            503,
            "The server did not prove that it is the service: its certificate has another root or is not valid now, or this clock is wrong.",
        ),
        Code::ProxyFailed => (
            "PROXY_FAILED",
            503,
            "The client's proxy could not be reached, did not accept the credentials, or did not connect.",
        ),
        Code::NotLinked => ("NOT_LINKED", 401, "The client is not linked to a phone; link it first."),
        Code::LoggedOut => {
            ("LOGGED_OUT", 401, "The service removed this device from the account; link again.")
        }
        Code::Replaced => ("REPLACED", 409, "Another connection with the same keys took over."),
        Code::ClientOutdated => (
            "CLIENT_OUTDATED",
            503,
            "The service refuses this protocol version and no newer one was found; set one, or update.",
        ),
        Code::TemporaryBan => ("TEMPORARY_BAN", 403, "The account is banned for some time."),
        Code::LinkFailed => {
            ("LINK_FAILED", 409, "Linking failed: the phone's proofs were wrong, or the codes ran out.")
        }
        Code::Refused => ("REFUSED", 502, "The service refused the request."),
        Code::NotFound => ("NOT_FOUND", 404, "What was asked for does not exist at the service."),
        Code::Forbidden => ("FORBIDDEN", 403, "The account may not do this."),
        Code::RateLimited => ("RATE_LIMITED", 429, "Too many requests; repeat after `retryAfterMs`."),
        Code::InteractiveRefused => (
            "INTERACTIVE_REFUSED",
            403,
            "The service does not take buttons, lists and the like from this account; send text.",
        ),
        Code::TermsNotAccepted => (
            "TERMS_NOT_ACCEPTED",
            403,
            "The account has not accepted the service's terms for this: show them, and accept them in its name.",
        ),
        Code::Superseded => (
            "SUPERSEDED",
            409,
            "Another device of the account changed the same meanwhile, and its word counts.",
        ),
        Code::Restricted => (
            "RESTRICTED",
            403,
            "The account may not begin chats for now; existing chats go on. Repeat after `retryAfterMs`.",
        ),
        Code::NoSession => ("NO_SESSION", 502, "No session with the device could be made."),
        Code::IdentityChanged => {
            ("IDENTITY_CHANGED", 502, "The other side's identity is not the expected one.")
        }
        Code::NoDevice => ("NO_DEVICE", 502, "The recipient has no reachable device."),
        Code::AppStateLost => (
            "APP_STATE_LOST",
            409,
            "What the account's devices share cannot be read any more: link the client anew.",
        ),
        Code::StoreFailed => ("STORE_FAILED", 500, "The store could not be read or written."),
        Code::StoreCorrupt => {
            ("STORE_CORRUPT", 500, "The store file is damaged or is no store of this engine.")
        }
        Code::StoreLocked => ("STORE_LOCKED", 500, "Another process or client has this store open."),
        Code::StoreTooNew => ("STORE_TOO_NEW", 500, "The store was written by a newer version."),
        Code::FileExists => {
            ("FILE_EXISTS", 409, "The path is taken: an import, export or backup overwrites nothing.")
        }
        Code::StoreMoved => (
            "STORE_MOVED",
            409,
            "The store was exported, and its link lives there now; import that file to use it.",
        ),
        Code::ImportRefused => {
            ("IMPORT_REFUSED", 422, "What was to be imported cannot be; the text says what is wrong with it.")
        }
        Code::WrongPassphrase => {
            ("WRONG_PASSPHRASE", 403, "The passphrase is not the one that the file was exported with.")
        }
        Code::HistoryDamaged => {
            ("HISTORY_DAMAGED", 502, "A piece of the history is damaged; what was read of it is kept.")
        }
        Code::HistoryDeclined => ("HISTORY_DECLINED", 502, "The phone does not hand its history over."),
        Code::ExportDamaged => ("EXPORT_DAMAGED", 422, "The exported file is damaged or cut short."),
        Code::MediaGone => (
            "MEDIA_GONE",
            410,
            "The file is gone from the service, and from the phone, or that was not asked.",
        ),
        Code::MediaCorrupt => {
            ("MEDIA_CORRUPT", 502, "What the media hosts have is not the file that the message names.")
        }
        Code::MediaNotAuthentic => {
            ("MEDIA_NOT_AUTHENTIC", 422, "The file was not made with the message's key, or was changed.")
        }
        Code::MediaMalformed => {
            ("MEDIA_MALFORMED", 422, "The sender did not encrypt the file as it should be.")
        }
        Code::MediaMismatch => {
            ("MEDIA_MISMATCH", 422, "The decrypted file is not the one that the message announces.")
        }
        Code::MediaTooLarge => {
            ("MEDIA_TOO_LARGE", 413, "The file is longer than allowed, here or at the service.")
        }
        Code::MediaUnsupported => (
            "MEDIA_UNSUPPORTED",
            415,
            "Nothing is known of the file's format, or it is damaged; send it as a document.",
        ),
        Code::MediaUnreachable => {
            ("MEDIA_UNREACHABLE", 502, "No media host could be reached, or the connection broke each time.")
        }
        Code::MediaRefused => ("MEDIA_REFUSED", 502, "A media host refused; the service's number says how."),
        Code::FileFailed => ("FILE_FAILED", 500, "A local file could not be read or written."),
        Code::PhoneNoAnswer => (
            "PHONE_NO_ANSWER",
            504,
            "The phone did not upload the file again: it did not answer, or could not now. Repeat later.",
        ),
        _ => ("INTERNAL", 500, "A bug of the engine; the client refuses further calls."),
    };
    CodeInfo { number: code.number(), name, doc, http_status }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_code_has_a_name_and_a_number_of_its_own() {
        let mut names = std::collections::BTreeSet::new();
        let mut last = 0;
        for code in Code::ALL {
            let info = info(*code);
            assert!(info.number > last, "codes are sorted: {}", info.name);
            last = info.number;
            assert!(names.insert(info.name), "{} names two codes", info.name);
            assert!(info.doc.ends_with('.'));
            // Only the bug of ours may fall through to the last arm.
            assert_eq!(info.name == "INTERNAL", *code == Code::Internal);
        }
    }
}
