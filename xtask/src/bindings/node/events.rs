//! `events.ts`: one interface per kind of event, and their union.

use std::collections::BTreeSet;
use std::fmt::Write as _;

use super::super::api::Api;
use super::{Role, Roles, comment, head, import};

const BASES: &str = "
/** What every event has that is a fact: durable, numbered, and offered again until acknowledged. */
export interface JournaledEvent {
  /** Position in the journal, from 1, without gaps. */
  sequence: number
  /** Stable id, the same on every delivery: compare it to act once. */
  id: string
  /** When the engine recorded it, milliseconds since 1970. */
  recordedAtMs: number
}

/** What every event has that is a moment. */
export interface EphemeralEvent {
  sequence?: undefined
  /** Always empty. */
  id: string
  /** When the engine recorded it, milliseconds since 1970. */
  recordedAtMs: number
}

/** An event of a kind that this version does not know: ignore it. */
export interface UnknownEvent {
  kind: 'unknown'
  sequence?: number
  id: string
  recordedAtMs: number
}
";

/// The text of the file.
pub(super) fn file(api: &Api) -> Result<String, String> {
    let roles = Roles::new(api);
    let mut text = head("What a client tells its host.");
    let mut mentioned = BTreeSet::new();
    for event in &api.events {
        mentioned.extend(roles.mentioned(api.record(&event.record)?.1, Role::Taken));
    }
    text.push_str(&import(&mentioned, "./types.js"));
    text.push_str(BASES);
    for event in &api.events {
        let (doc, fields) = api.record(&event.record)?;
        let base = if event.journaled { "JournaledEvent" } else { "EphemeralEvent" };
        let _ = write!(
            text,
            "\n{}export interface {} extends {base} {{\n  kind: '{}'\n{}}}\n",
            comment(doc, 0),
            event.record,
            event.name,
            roles.fields(fields, Role::Taken)
        );
    }
    text.push_str("\n/** What happened: look at `kind`. */\nexport type ClientEvent =\n");
    for event in &api.events {
        let _ = writeln!(text, "  | {}", event.record);
    }
    text.push_str("  | UnknownEvent\n");
    Ok(text)
}
