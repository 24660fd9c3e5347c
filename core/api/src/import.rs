//! Making a store of a link from elsewhere: the one request that an engine takes, not a client.

use serde::{Deserialize, Serialize};
use whimbrel::{Code, Engine, Error, ImportReport, ImportSource, Passphrase};
use zeroize::Zeroizing;

use crate::events::Identity;
use crate::operations::passphrase;

/// What to import, and where to.
#[derive(Clone, Debug, Deserialize)]
#[serde(tag = "from", rename_all = "snake_case", rename_all_fields = "camelCase", deny_unknown_fields)]
enum Request {
    Baileys {
        folder: String,
        store: String,
    },
    Whatsmeow {
        database: String,
        account: Option<String>,
        store: String,
    },
    Export {
        file: String,
        #[serde(deserialize_with = "passphrase")]
        passphrase: Passphrase,
        store: String,
    },
}

/// What was taken over and what was not.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
struct Report {
    identity: Identity,
    device: u16,
    taken: Vec<Taken>,
    left_out: Vec<LeftOut>,
    warnings: Vec<String>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
struct Taken {
    what: String,
    count: u64,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
struct LeftOut {
    what: String,
    count: u64,
    why: String,
}

/// Imports as the request says, on the calling thread, and returns the report in JSON.
///
/// The request is one of `{"from":"baileys","folder":…,"store":…}`,
/// `{"from":"whatsmeow","database":…,"account":…,"store":…}` and
/// `{"from":"export","file":…,"passphrase":…,"store":…}`.
///
/// # Errors
/// [`Code::InvalidArgument`] for another request; otherwise as [`Engine::import`].
pub fn import(engine: &Engine, request: String) -> Result<String, Error> {
    let request = Zeroizing::new(request);
    // The text of the parser could quote a passphrase.
    let request: Request = serde_json::from_str(&request).map_err(|_| {
        Error::new(Code::InvalidArgument, "the request of an import is malformed").in_operation("import")
    })?;
    let (source, store) = match request {
        Request::Baileys { folder, store } => (ImportSource::Baileys { folder: folder.into() }, store),
        Request::Whatsmeow { database, account, store } => {
            (ImportSource::Whatsmeow { database: database.into(), account }, store)
        }
        Request::Export { file, passphrase, store } => {
            (ImportSource::Export { file: file.into(), passphrase }, store)
        }
    };
    let report = report(engine.import(source, store)?);
    serde_json::to_string(&report)
        .map_err(|error| Error::new(Code::Internal, "the answer could not be written").because(error))
}

/// [`import`] without holding up the calling thread.
///
/// # Errors
/// As there, and [`Code::Closed`] when the engine ends.
pub async fn import_async(engine: Engine, request: String) -> Result<String, Error> {
    let runtime = engine.handle().clone();
    match runtime.spawn_blocking(move || import(&engine, request)).await {
        Ok(result) => result,
        Err(error) if error.is_cancelled() => Err(Error::new(Code::Closed, "the engine is closed")),
        Err(error) => Err(Error::new(Code::Internal, "the import panicked").because(error)),
    }
}

fn report(report: ImportReport) -> Report {
    let taken = report.taken.into_iter().map(|taken| Taken { what: taken.what, count: taken.count });
    let left_out = report.left_out.into_iter();
    let left_out =
        left_out.map(|left| LeftOut { what: left.what, count: left.count, why: left.why }).collect();
    Report {
        identity: (&report.identity).into(),
        device: report.device,
        taken: taken.collect(),
        left_out,
        warnings: report.warnings,
    }
}

#[cfg(test)]
mod tests {
    use whimbrel::EngineOptions;

    use super::*;

    #[test]
    fn a_malformed_request_is_refused_without_a_word_of_it() {
        let engine = Engine::new(EngineOptions::default()).unwrap();
        for request in [
            "",
            r#"{"from":"sesame"}"#,
            r#"{"from":"export","file":"f","passphrase":7,"store":"sesame"}"#,
            r#"{"from":"baileys","folder":"f","store":"s","sesame":1}"#,
        ] {
            let error = import(&engine, request.to_owned()).unwrap_err();
            assert_eq!(error.code(), Code::InvalidArgument);
            assert!(!format!("{error:?}").contains("sesame"), "{error:?}");
        }
        let absent = r#"{"from":"baileys","folder":"/there/is/nothing","store":"store.db"}"#;
        assert_eq!(import(&engine, absent.to_owned()).unwrap_err().code(), Code::ImportRefused);
    }
}
