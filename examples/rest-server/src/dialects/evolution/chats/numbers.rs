//! Which numbers are registered.

use axum::http::Method;
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::{Value, json};

use super::path;
use crate::access::Scope;
use crate::commands::recipients::{self, Named, look_up};
use crate::web::call::{Answer, Call, Reply};
use crate::web::route::{Gate, Origin, Route, route};

pub(super) fn routes() -> Vec<Route> {
    let names = [
        ("whatsappNumbers", Origin::Stated),
        ("checkNumbers", Origin::Stated),
        ("checkIsWhatsappNumber", Origin::Ours),
    ];
    let row = |(name, origin): (&'static str, Origin)| {
        route(Method::POST, path(name), name, Gate::Account(Scope::Read), check)
            .about("Tells which numbers are registered, in their order.")
            .origin(origin)
            .native("check_numbers")
            .takes::<Numbers>()
            .answers::<Value>(200, "An entry for each.")
    };
    names.map(row).into()
}

/// Numbers.
#[derive(Deserialize, JsonSchema)]
struct Numbers {
    /// Phone numbers with their country codes, and addresses.
    #[schemars(length(min = 1))]
    numbers: Vec<String>,
}

async fn check(call: Call) -> Answer {
    let form: Numbers = call.body()?;
    let account = call.account()?;
    account.demand_online().await?;
    let number_of = |text: &str| match recipients::read(text) {
        Some(Named::Number(number)) => Some(number),
        Some(Named::Address(address)) => address.strip_suffix("@s.whatsapp.net").map(str::to_owned),
        None => None,
    };
    let numbers: Vec<String> = form.numbers.iter().filter_map(|text| number_of(text)).collect();
    let looked = look_up(&account, &numbers).await?;
    let mut looked = looked.into_iter();
    let entries = form.numbers.iter().map(|text| {
        if number_of(text).is_none() {
            let exists = recipients::read(text).is_some();
            return json!({"jid": text, "exists": exists, "number": text});
        }
        let found = looked.next().and_then(|looked| looked.found);
        match found {
            Some(found) => json!({"jid": found.shown(), "exists": true, "number": text, "lid": found.lid}),
            None => json!({
                "jid": format!("{}@s.whatsapp.net", number_of(text).unwrap_or_default()),
                "exists": false, "number": text,
            }),
        }
    });
    Reply::json(200, &entries.collect::<Vec<_>>())
}
