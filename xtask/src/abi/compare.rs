//! What differs between two surfaces, and whether a program that uses the first one notices.

use std::collections::BTreeSet;

use crate::bindings::api::{Api, Definition, Field, Kind};

/// One difference.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Difference {
    pub(super) breaking: bool,
    pub(super) what: String,
}

/// Who writes a type: what may change depends on it.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Side {
    /// Programs write it, the engine reads it.
    Request,
    /// The engine writes it, programs read it.
    Answer,
}

/// All differences.
pub(super) fn surfaces(old: &Api, new: &Api) -> Vec<Difference> {
    let mut found = Comparison { old, new, found: BTreeSet::new() };
    found.operations();
    found.events();
    found.codes();
    for side in [Side::Request, Side::Answer] {
        for name in reachable(old, side) {
            found.types(&name, side);
        }
    }
    found.found.into_iter().collect()
}

/// The types that come up in requests, or in answers and events.
fn reachable(api: &Api, side: Side) -> BTreeSet<String> {
    let mut next: Vec<&str> = match side {
        Side::Request => api.operations.iter().map(|one| one.request.as_str()).collect(),
        Side::Answer => {
            let events = api.events.iter().map(|one| one.record.as_str());
            api.operations.iter().map(|one| one.response.as_str()).chain(events).collect()
        }
    };
    let mut seen = BTreeSet::new();
    while let Some(name) = next.pop() {
        if seen.insert(name.to_owned()) {
            next.extend(api.parts(name));
        }
    }
    seen
}

struct Comparison<'a> {
    old: &'a Api,
    new: &'a Api,
    found: BTreeSet<Difference>,
}

impl Comparison<'_> {
    fn note(&mut self, breaking: bool, what: String) {
        self.found.insert(Difference { breaking, what });
    }

    fn operations(&mut self) {
        let (old, new) = (self.old, self.new);
        for was in &old.operations {
            match new.operations.iter().find(|one| one.name == was.name) {
                None => self.note(true, format!("operation {} is gone", was.name)),
                Some(is) if (&is.request, &is.response) != (&was.request, &was.response) => {
                    self.note(true, format!("operation {} has other types", was.name));
                }
                Some(_) => {}
            }
        }
        for is in &new.operations {
            if old.operations.iter().all(|one| one.name != is.name) {
                self.note(false, format!("operation {}", is.name));
            }
        }
    }

    fn events(&mut self) {
        let (old, new) = (self.old, self.new);
        for was in &old.events {
            match new.events.iter().find(|one| one.number == was.number) {
                None => self.note(true, format!("event {} is gone", was.name)),
                Some(is)
                    if (&is.name, is.journaled, &is.record) != (&was.name, was.journaled, &was.record) =>
                {
                    self.note(true, format!("event {} has another name, class or type", was.name));
                }
                Some(_) => {}
            }
        }
        for is in &new.events {
            if old.events.iter().all(|one| one.number != is.number) {
                self.note(false, format!("event {}", is.name));
            }
        }
    }

    fn codes(&mut self) {
        let (old, new) = (self.old, self.new);
        for was in &old.codes {
            match new.codes.iter().find(|one| one.number == was.number) {
                Some(is) if (&is.name, &is.category) == (&was.name, &was.category) => {}
                Some(_) => self.note(true, format!("code {} has another name or category", was.number)),
                None => self.note(true, format!("code {} is gone", was.name)),
            }
        }
        for is in &new.codes {
            if old.codes.iter().all(|one| one.number != is.number) {
                self.note(false, format!("code {}", is.name));
            }
        }
    }

    fn types(&mut self, name: &str, side: Side) {
        let Some(was) = self.old.types.get(name) else { return };
        match (was, self.new.types.get(name)) {
            (_, None) => self.note(true, format!("type {name} is gone")),
            (Definition::Record { fields: was, .. }, Some(Definition::Record { fields: is, .. })) => {
                self.fields(name, was, is, side);
            }
            (Definition::Enumeration { words: was, .. }, Some(Definition::Enumeration { words: is, .. })) => {
                let names = |words: &[crate::bindings::api::Word]| {
                    words.iter().map(|word| word.name.clone()).collect::<Vec<_>>()
                };
                self.words(name, &names(was), &names(is));
            }
            (
                Definition::Union { tag: was_tag, variants: was, .. },
                Some(Definition::Union { tag: is_tag, variants: is, .. }),
            ) => {
                if was_tag != is_tag {
                    self.note(true, format!("type {name} is told apart by another field"));
                }
                let names = |variants: &[crate::bindings::api::Variant]| {
                    variants.iter().map(|one| one.word.clone()).collect::<Vec<_>>()
                };
                self.words(name, &names(was), &names(is));
            }
            (_, Some(_)) => self.note(true, format!("type {name} is of another sort")),
        }
    }

    fn words(&mut self, name: &str, was: &[String], is: &[String]) {
        for word in was.iter().filter(|word| !is.contains(word)) {
            self.note(true, format!("{name}: the word {word} is gone"));
        }
        for word in is.iter().filter(|word| !was.contains(word)) {
            self.note(false, format!("{name}: the word {word}"));
        }
    }

    fn fields(&mut self, name: &str, was: &[Field], is: &[Field], side: Side) {
        for old in was {
            let Some(new) = is.iter().find(|field| field.name == old.name) else {
                self.note(true, format!("{name}.{} is gone", old.name));
                continue;
            };
            if let Some(why) = clash(old, new, side) {
                self.note(true, format!("{name}.{} {why}", old.name));
            }
        }
        for new in is.iter().filter(|field| was.iter().all(|old| old.name != field.name)) {
            let required = side == Side::Request && !new.optional;
            let word = if required { " must be given" } else { "" };
            self.note(required, format!("{name}.{}{word}", new.name));
        }
    }
}

/// Why a program that knows the old field would break on the new one.
fn clash(old: &Field, new: &Field, side: Side) -> Option<&'static str> {
    match side {
        Side::Request => {
            if !takes(&new.kind, &old.kind) {
                Some("takes less than it did")
            } else if old.optional && !new.optional {
                Some("must be given")
            } else if old.nullable && !new.nullable {
                Some("may not be null any more")
            } else if old.default != new.default {
                Some("means something else when it is left out")
            } else {
                None
            }
        }
        Side::Answer => {
            if old.kind != new.kind {
                Some("has another type")
            } else if !old.optional && new.optional {
                Some("may be missing")
            } else if !old.nullable && new.nullable {
                Some("may be null")
            } else {
                None
            }
        }
    }
}

/// Whether a field of kind `new` takes everything that one of kind `old` took.
fn takes(new: &Kind, old: &Kind) -> bool {
    match (new, old) {
        (Kind::List(new), Kind::List(old)) => takes(new, old),
        // An address is text, or the identity that an event gave.
        (Kind::Address, Kind::Text) | (Kind::Number, Kind::Integer) => true,
        (new, old) => new == old,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn surface() -> Value {
        json!({
            "codes": [{ "number": 1, "name": "BAD", "category": "usage", "doc": "" }],
            "events": [{ "number": 1, "name": "rain", "journaled": true, "schema": { "$ref": "#/$defs/Rain" } }],
            "operations": [{ "name": "ask", "request": { "$ref": "#/$defs/Ask" },
                             "response": { "$ref": "#/$defs/Told" } }],
            "types": {
                "Ask": { "properties": {
                    "count": { "type": "integer" },
                    "way": { "$ref": "#/$defs/Way" },
                    "note": { "type": ["string", "null"] },
                }, "required": ["count"] },
                "Told": { "properties": { "words": { "type": "string" } }, "required": ["words"] },
                "Rain": { "properties": { "drops": { "type": "integer" } }, "required": ["drops"] },
                "Way": { "enum": ["by_foot", "by_boat"] },
            },
        })
    }

    /// What is said about a surface that was changed; breaking things are marked.
    fn said(change: impl FnOnce(&mut Value)) -> Vec<String> {
        let (old, mut new) = (surface(), surface());
        change(&mut new);
        surfaces(&Api::parse(&old).unwrap(), &Api::parse(&new).unwrap())
            .into_iter()
            .map(|one| format!("{}{}", if one.breaking { "! " } else { "" }, one.what))
            .collect()
    }

    fn with(path: &str, value: Value) -> impl FnOnce(&mut Value) {
        move |surface| *surface.pointer_mut(path).unwrap() = value
    }

    #[test]
    fn the_same_is_the_same() {
        assert_eq!(said(|_| {}), Vec::<String>::new());
    }

    #[test]
    fn what_is_only_more_is_listed() {
        let more = said(|new| {
            new["types"]["Ask"]["properties"]["soon"] = json!({ "type": "boolean" });
            new["types"]["Told"]["properties"]["also"] = json!({ "type": "string" });
            new["types"]["Way"] = json!({ "enum": ["by_foot", "by_boat", "by_air"] });
            new["types"]["Ask"]["properties"]["count"] = json!({ "type": "number" });
            let code = json!({ "number": 2, "name": "WORSE", "category": "usage", "doc": "" });
            new["codes"].as_array_mut().unwrap().push(code);
        });
        assert_eq!(more, ["Ask.soon", "Told.also", "Way: the word by_air", "code WORSE"]);
    }

    #[test]
    fn what_a_caller_would_notice_is_breaking() {
        for (path, value, wanted) in [
            ("/operations/0/name", json!("tell"), "! operation ask is gone"),
            ("/events/0/name", json!("snow"), "! event rain has another name, class or type"),
            ("/events/0/journaled", json!(false), "! event rain has another name, class or type"),
            ("/codes/0/category", json!("network"), "! code 1 has another name or category"),
            ("/codes/0/number", json!(2), "! code BAD is gone"),
            ("/types/Way", json!({ "enum": ["by_foot"] }), "! Way: the word by_boat is gone"),
            ("/types/Ask/required", json!(["count", "way"]), "! Ask.way must be given"),
            (
                "/types/Ask/properties/note",
                json!({ "type": "string" }),
                "! Ask.note may not be null any more",
            ),
            (
                "/types/Ask/properties/count",
                json!({ "type": "string" }),
                "! Ask.count takes less than it did",
            ),
            ("/types/Told/required", json!([]), "! Told.words may be missing"),
            ("/types/Rain/properties/drops", json!({ "type": "number" }), "! Rain.drops has another type"),
            ("/types/Rain/properties", json!({ "size": { "type": "integer" } }), "! Rain.drops is gone"),
            (
                "/types/Told/properties/words",
                json!({ "type": ["string", "null"] }),
                "! Told.words may be null",
            ),
            (
                "/types/Ask/properties/note",
                json!({ "type": ["string", "null"], "default": "x" }),
                "! Ask.note means something else when it is left out",
            ),
        ] {
            let said = said(with(path, value));
            assert!(said.iter().any(|one| one == wanted), "{path}: {said:?}");
        }
        let required = said(|new| {
            new["types"]["Ask"]["properties"]["where"] = json!({ "type": "string" });
            new["types"]["Ask"]["required"] = json!(["count", "where"]);
        });
        assert_eq!(required, ["! Ask.where must be given"]);
    }
}
