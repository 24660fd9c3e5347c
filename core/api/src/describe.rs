//! The description of the whole surface, from which Python, TypeScript and documentation are
//! generated, and which is compared with the last release.

use schemars::generate::SchemaSettings;
use serde_json::{Map, Value, json};
use whimbrel::Code;

use crate::codes;
use crate::events::EVENTS;
use crate::operations::OPERATIONS;

/// Everything a binding needs to know: operations, events, types and codes.
pub fn describe() -> Value {
    let mut generator = SchemaSettings::draft2020_12().into_generator();
    let operations: Vec<Value> = OPERATIONS
        .iter()
        .map(|entry| {
            json!({
                "name": entry.name,
                "request": entry.request_schema(&mut generator),
                "response": entry.response_schema(&mut generator),
            })
        })
        .collect();
    let events: Vec<Value> = EVENTS
        .iter()
        .map(|entry| {
            json!({
                "number": entry.number,
                "name": entry.name,
                "journaled": entry.journaled,
                "schema": entry.schema(&mut generator),
            })
        })
        .collect();
    let codes: Vec<Value> = Code::ALL
        .iter()
        .map(|code| {
            let info = codes::info(*code);
            json!({
                "number": info.number,
                "name": info.name,
                "category": codes::category_name(code.category()),
                "httpStatus": info.http_status,
                "doc": info.doc,
            })
        })
        .collect();
    let types: Map<String, Value> = generator.take_definitions(true).into_iter().collect();
    json!({ "operations": operations, "events": events, "codes": codes, "types": types })
}
