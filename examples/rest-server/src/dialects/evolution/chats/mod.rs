//! Chats, stored messages, numbers, profiles and privacy: everything under `/chat`.

mod acts;
mod lists;
mod numbers;
mod people;
mod privacy;
mod states;
mod stored;

use axum::http::Method;

pub(super) use lists::{shown_chat, shown_contact};
pub(super) use people::set_picture;
pub(super) use stored::{all, stored};

use crate::web::route::Route;

/// At most so many rows are read for an answer.
const MOST: usize = 5000;

pub(super) fn routes() -> Vec<Route> {
    let rows = [
        numbers::routes(),
        stored::routes(),
        acts::routes(),
        states::routes(),
        lists::routes(),
        people::routes(),
        privacy::routes(),
    ];
    rows.into_iter().flatten().map(|route| route.tag("Chats")).collect()
}

fn path(name: &str) -> String {
    format!("/chat/{name}/{{instanceName}}")
}

/// A row by POST and, as version 1 has it, by PUT.
fn both(make: impl Fn(Method) -> Route) -> [Route; 2] {
    [make(Method::POST), make(Method::PUT).alias()]
}
