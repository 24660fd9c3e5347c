//! `operations.ts`: one typed method per operation.

use std::collections::BTreeSet;

use super::super::api::{Api, Field, Kind, Operation};
use super::{NOTHING, Role, Roles, camel, comment, head, import};

/// Operations that the client has in a better form.
pub(super) const BY_HAND: &[&str] = &[
    // A native call, which needs no answer.
    "acknowledge",
];

const CLASS: &str = "
/** Options of every call. */
export interface CallOptions {
  /**
   * Ends the waiting, and rejects with the signal's reason. What had left by then is not taken
   * back.
   */
  signal?: AbortSignal | undefined
  /** Deadline in milliseconds; the client's `requestTimeoutMs` if absent. */
  timeoutMs?: number | undefined
}

/** The operations of a client; `Client` inherits them. */
export abstract class Operations {
  /** Runs an operation by name; the answer is decoded JSON. */
  abstract request<T = unknown>(operation: string, request?: object, options?: CallOptions): Promise<T>
";

/// The text of the file.
pub(super) fn file(api: &Api) -> Result<String, String> {
    let roles = Roles::new(api);
    let operations: Vec<&Operation> =
        api.operations.iter().filter(|one| !BY_HAND.contains(&one.name.as_str())).collect();
    let mut mentioned = BTreeSet::new();
    let mut encoded = BTreeSet::new();
    for operation in &operations {
        let (_, fields) = api.record(&operation.request)?;
        if !fields.is_empty() {
            mentioned.insert(roles.name(&operation.request, Role::Given));
        }
        if operation.response != NOTHING {
            mentioned.insert(roles.name(&operation.response, Role::Taken));
        }
        encoders(api, &operation.request, &mut encoded);
    }
    mentioned.insert(String::from("Address"));
    mentioned.extend(encoded.iter().map(|name| roles.name(name, Role::Given)));
    let mut text = head("One method per operation of the engine.");
    text.push_str(&import(&mentioned, "./types.js"));
    text.push_str(CLASS);
    for operation in operations {
        text.push_str(&method(api, &roles, operation, encoded.contains(operation.request.as_str()))?);
    }
    text.push_str("}\n");
    text.push_str(
        "\n/** The address of what may be an identity. Anything else is for the engine to judge. */\n\
         function address<T extends Address | null | undefined>(value: T): unknown {\n  \
         return typeof value === 'object' && value !== null ? value.id : value\n}\n",
    );
    for name in encoded {
        text.push_str(&encoder(api, &roles, name)?);
    }
    Ok(text)
}

fn method(api: &Api, roles: &Roles<'_>, operation: &Operation, encoded: bool) -> Result<String, String> {
    let (doc, fields) = api.record(&operation.request)?;
    let (parameter, value) = match (fields.is_empty(), encoded) {
        (true, _) => (String::new(), String::from("{}")),
        (false, true) => (request(roles, operation), format!("{}(request)", lower(&operation.request))),
        (false, false) => (request(roles, operation), String::from("request")),
    };
    let name = camel(&operation.name);
    let call = format!("('{}', {value}, options)", operation.name);
    let body = if operation.response == NOTHING {
        format!(
            "async {name}({parameter}options?: CallOptions): Promise<void> {{\n    await this.request{call}\n"
        )
    } else {
        let answer = roles.name(&operation.response, Role::Taken);
        format!(
            "async {name}({parameter}options?: CallOptions): Promise<{answer}> {{\n    return this.request<{answer}>{call}\n"
        )
    };
    Ok(format!("\n{}  {body}  }}\n", comment(doc, 2)))
}

fn request(roles: &Roles<'_>, operation: &Operation) -> String {
    format!("request: {}, ", roles.name(&operation.request, Role::Given))
}

/// Adds the records from `name` on that hold addresses, themselves or in their parts.
fn encoders<'a>(api: &'a Api, name: &'a str, into: &mut BTreeSet<&'a str>) -> bool {
    // The records of unions hold none so far; they are given on as they are.
    let Ok((_, fields)) = api.record(name) else { return false };
    let mut holds = false;
    for field in fields {
        holds |= field.kind.has_address();
        holds |= field.kind.named().is_some_and(|part| encoders(api, part, into));
    }
    if holds {
        into.insert(name);
    }
    holds
}

/// The function that turns identities in a record into addresses.
fn encoder(api: &Api, roles: &Roles<'_>, name: &str) -> Result<String, String> {
    let (_, fields) = api.record(name)?;
    let is_request = api.operations.iter().any(|one| one.request == name);
    let parts: Vec<String> = fields.iter().filter_map(|field| part(api, field)).collect();
    // Requests are there; their parts may be absent.
    let (absent, guard) = if is_request { ("", "") } else { (" | null | undefined", "value && ") };
    Ok(format!(
        "\nfunction {}(value: {}{absent}): object{absent} {{\n  return {guard}{{ ...value, {} }}\n}}\n",
        lower(name),
        roles.name(name, Role::Given),
        parts.join(", ")
    ))
}

/// The member of an encoded record that differs from the given one.
fn part(api: &Api, field: &Field) -> Option<String> {
    let name = &field.name;
    let value = format!("value.{name}");
    let encoded = |kind: &Kind| match kind {
        Kind::Address => Some(String::from("address")),
        Kind::Named(part) if encoders(api, part, &mut BTreeSet::new()) => Some(lower(part)),
        _ => None,
    };
    match &field.kind {
        Kind::List(item) => {
            encoded(item).map(|function| format!("{name}: {value}?.map((one) => {function}(one))"))
        }
        kind => encoded(kind).map(|function| format!("{name}: {function}({value})")),
    }
}

fn lower(name: &str) -> String {
    let mut characters = name.chars();
    characters.next().map(|first| first.to_ascii_lowercase()).into_iter().chain(characters).collect()
}
