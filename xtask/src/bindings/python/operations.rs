//! `_operations.py` and `_sync_operations.py`: one typed method per operation, for event loops and for
//! programs without one.

use std::collections::BTreeSet;
use std::fmt::Write as _;

use super::super::api::{Api, Operation};
use super::super::words::{rename_in_ticks, wrap};
use super::types::request_lines;
use super::{NOTHING, annotation, exports, head, python_name};

const TIMEOUT: &str =
    "Seconds until the call fails with ``TimedOutError``; the client's ``request_timeout`` if ``None``.";

/// How the methods wait.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Front {
    /// They are coroutines.
    Async,
    /// They hold up their thread.
    Sync,
}

impl Front {
    /// Words of the source: the class, who inherits it, before `def`, and before a call.
    fn words(self) -> (&'static str, &'static str, &'static str, &'static str) {
        match self {
            Self::Async => ("Operations", "Client", "async ", "await "),
            Self::Sync => ("SyncOperations", "whimbrel.sync.Client", "", ""),
        }
    }
}

/// The text of a file.
pub(super) fn file(api: &Api, front: Front) -> Result<String, String> {
    let (class, heir, before, _) = front.words();
    let mut text = head("One method per operation of the engine.");
    text.push_str("from typing import Any\n\n");
    let mut used = BTreeSet::new();
    for operation in &api.operations {
        let (_, fields) = api.record(&operation.request)?;
        used.extend(fields.iter().filter_map(|field| field.kind.named()));
        if fields.iter().any(|field| field.kind.has_address()) {
            used.insert("Address");
        }
        if operation.response != NOTHING {
            used.insert(&operation.response);
        }
    }
    let used: Vec<String> = used.into_iter().map(str::to_owned).collect();
    text.push_str("from ._types import (\n");
    for name in used {
        let _ = writeln!(text, "    {name},");
    }
    text.push_str(")\n\n");
    text.push_str(&exports(&[class.to_owned()]));
    let _ = write!(
        text,
        "\n\nclass {class}:\n    \"\"\"The operations of a client; ``{heir}`` inherits them.\"\"\"\n\n    \
         {before}def _request(self, name: str, request: dict[str, object], timeout: float | None) -> Any:\n        \
         \"\"\"Runs an operation by name and returns its decoded answer.\"\"\"\n        \
         raise NotImplementedError\n",
    );
    for operation in &api.operations {
        text.push('\n');
        text.push_str(&method(api, operation, front)?);
    }
    Ok(text)
}

fn method(api: &Api, operation: &Operation, front: Front) -> Result<String, String> {
    let (_, _, before, waits) = front.words();
    let name = &operation.name;
    let (doc, fields) = api.record(&operation.request)?;
    let answer = if operation.response == NOTHING { "None" } else { operation.response.as_str() };
    let mut text = format!("    {before}def {name}(\n        self,\n        *,\n");
    for field in fields {
        let annotation = annotation(&field.kind, field.nullable || field.optional, true);
        let default = if field.optional { " = None" } else { "" };
        let _ = writeln!(text, "        {}: {annotation}{default},", python_name(&field.name));
    }
    let _ = writeln!(text, "        timeout: float | None = None,\n    ) -> {answer}:");
    let mut lines = wrap(&prose(doc), 88);
    lines.extend([String::new(), String::from("Args:")]);
    for field in fields {
        lines.extend(argument(&python_name(&field.name), &prose(&field.doc)));
    }
    lines.extend(argument("timeout", TIMEOUT));
    text.push_str("        \"\"\"");
    for (index, line) in lines.iter().enumerate() {
        if index > 0 && !line.is_empty() {
            text.push_str("        ");
        }
        let _ = writeln!(text, "{line}");
    }
    text.push_str("        \"\"\"\n");
    text.push_str(&request_lines(api, fields, "", 8));
    let call = format!("{waits}self._request(\"{name}\", request, timeout)");
    if operation.response == NOTHING {
        let _ = writeln!(text, "        {call}");
    } else {
        let _ = writeln!(text, "        return {answer}._decode({call})");
    }
    Ok(text)
}

fn prose(doc: &str) -> String {
    rename_in_ticks(doc, python_name).replace('`', "``")
}

/// The lines of one argument's documentation.
fn argument(name: &str, doc: &str) -> Vec<String> {
    let mut lines = wrap(&format!("{name}: {doc}"), 84).into_iter();
    let first = lines.next().map(|line| format!("    {line}"));
    first.into_iter().chain(lines.map(|line| format!("        {line}"))).collect()
}
