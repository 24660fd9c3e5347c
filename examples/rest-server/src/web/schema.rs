//! Bodies are checked against the schemas that the OpenAPI files show, so that both say the same.
//! Compatible dialects first bend what their clients are known to send towards the schema.

use std::sync::Arc;

use jsonschema::Validator;
use jsonschema::error::ValidationErrorKind;
use schemars::SchemaGenerator;
use schemars::generate::SchemaSettings;
use serde_json::{Map, Value};

use super::route::Route;
use crate::failure::{Failure, Violation};

/// The schema of a route's body, ready for use.
#[derive(Clone)]
pub(crate) struct BodySchema {
    schema: Arc<Value>,
    validator: Arc<Validator>,
}

impl BodySchema {
    /// `None` if the route takes no JSON.
    pub(crate) fn of(route: &Route) -> Option<Self> {
        let (form, schema) = route.body.as_ref()?;
        if *form == super::route::BodyForm::Raw {
            return None;
        }
        let mut generator = SchemaGenerator::new(SchemaSettings::draft2020_12());
        let root = schema(&mut generator);
        let mut root = root.to_value();
        let definitions: Map<String, Value> = generator.take_definitions(true).into_iter().collect();
        if let Some(object) = root.as_object_mut() {
            object.insert("$defs".to_owned(), Value::Object(definitions));
        }
        let validator = jsonschema::options().build(&root);
        match validator {
            Ok(validator) => Some(Self { schema: Arc::new(root), validator: Arc::new(validator) }),
            Err(error) => {
                // A schema of ours that is no schema: a test of the table finds it.
                tracing::error!(%error, ?route, "The schema of a route is not valid.");
                None
            }
        }
    }

    /// Bends a value towards the schema: `null` and empty identifiers of optional members go, texts that are
    /// numbers or booleans become them where the schema wants them, and the other way round.
    pub(crate) fn bend(&self, value: &mut Value) {
        bend(value, &self.schema);
    }

    /// Every rule that a value breaks.
    pub(crate) fn check(&self, value: &Value) -> Result<(), Failure> {
        let mut violations = Vec::new();
        for error in self.validator.iter_errors(value) {
            violations_of(&error, &mut violations);
        }
        if violations.is_empty() { Ok(()) } else { Err(Failure::invalid(violations)) }
    }
}

/// The rules behind an error. Of alternatives that all failed, the one that was meant is the one that got past
/// the type.
fn violations_of(error: &jsonschema::ValidationError<'_>, violations: &mut Vec<Violation>) {
    let branches = match error.kind() {
        ValidationErrorKind::AnyOf { context } | ValidationErrorKind::OneOfNotValid { context } => context,
        _ => return violations.push(violation(error)),
    };
    let place = error.instance_path();
    let of_type = |inner: &jsonschema::ValidationError<'_>| {
        matches!(inner.kind(), ValidationErrorKind::Type { .. }) && inner.instance_path() == place
    };
    match branches.iter().find(|branch| !branch.is_empty() && !branch.iter().any(of_type)) {
        Some(branch) => branch.iter().for_each(|inner| violations_of(inner, violations)),
        None => violations.push(violation(error)),
    }
}

fn violation(error: &jsonschema::ValidationError<'_>) -> Violation {
    let path = error.instance_path().to_string();
    let mut field = path.trim_start_matches('/').replace('/', ".");
    let rule = match error.kind() {
        ValidationErrorKind::Required { property } => {
            let name = property.as_str().unwrap_or_default();
            field = if field.is_empty() { name.to_owned() } else { format!("{field}.{name}") };
            "is required".to_owned()
        }
        ValidationErrorKind::AdditionalProperties { unexpected } => {
            format!("has unknown members: {}", unexpected.join(", "))
        }
        ValidationErrorKind::Type { kind } => format!("is not of the type {}", kind_names(kind)),
        ValidationErrorKind::Enum { options } => format!("is not one of {options}"),
        ValidationErrorKind::Minimum { limit } => format!("is less than {limit}"),
        ValidationErrorKind::Maximum { limit } => format!("is more than {limit}"),
        ValidationErrorKind::MinItems { limit } => format!("has fewer than {limit} items"),
        ValidationErrorKind::MaxItems { limit } => format!("has more than {limit} items"),
        ValidationErrorKind::MinLength { limit: 1 } => "is empty".to_owned(),
        ValidationErrorKind::UniqueItems => "has an item twice".to_owned(),
        ValidationErrorKind::Pattern { .. } => "has not the right form".to_owned(),
        _ => "is not valid".to_owned(),
    };
    Violation { field, rule }
}

fn kind_names(kind: &jsonschema::error::TypeKind) -> String {
    match kind {
        jsonschema::error::TypeKind::Single(one) => one.to_string(),
        jsonschema::error::TypeKind::Multiple(several) => {
            several.iter().map(|one| one.to_string()).collect::<Vec<_>>().join(" or ")
        }
    }
}

/// Bends a value towards a schema.
pub(crate) fn bend(value: &mut Value, schema: &Value) {
    bend_at(value, schema, schema, 0);
}

/// How deep bodies are looked into.
const DEPTH: u32 = 32;

fn bend_at(value: &mut Value, schema: &Value, root: &Value, depth: u32) {
    if depth > DEPTH {
        return;
    }
    let schema = resolve(schema, root);
    match value {
        Value::Object(members) => {
            let required: Vec<&str> = schema
                .get("required")
                .and_then(Value::as_array)
                .map(|names| names.iter().filter_map(Value::as_str).collect())
                .unwrap_or_default();
            members.retain(|name, value| !value.is_null() || required.contains(&name.as_str()));
            for (name, value) in members.iter_mut() {
                if let Some(schema) = property(schema, name, root) {
                    bend_at(value, schema, root, depth + 1);
                }
            }
        }
        Value::Array(items) => {
            if let Some(schema) = schema.get("items") {
                for item in items {
                    bend_at(item, schema, root, depth + 1);
                }
            }
        }
        Value::String(text) => {
            let text = text.trim();
            if wants(schema, root, "string") {
                return;
            }
            if wants(schema, root, "boolean")
                && let Some(flag) = truth(text)
            {
                *value = Value::Bool(flag);
            } else if wants(schema, root, "integer")
                && let Ok(number) = text.parse::<i64>()
            {
                *value = Value::from(number);
            } else if wants(schema, root, "number")
                && let Some(number) = text.parse::<f64>().ok().and_then(serde_json::Number::from_f64)
            {
                *value = Value::Number(number);
            } else if (wants(schema, root, "object") || wants(schema, root, "array"))
                && let Ok(inner @ (Value::Object(_) | Value::Array(_))) = serde_json::from_str(text)
            {
                // A form can only carry texts.
                *value = inner;
                bend_at(value, schema, root, depth + 1);
            } else if wants(schema, root, "array") && !text.is_empty() {
                *value = Value::Array(text.split(',').map(|item| Value::from(item.trim())).collect());
                bend_at(value, schema, root, depth + 1);
            }
        }
        Value::Number(number) if wants(schema, root, "string") && !wants(schema, root, "number") => {
            *value = Value::String(number.to_string());
        }
        Value::Number(number) if wants(schema, root, "boolean") => match number.as_i64() {
            Some(0) => *value = Value::Bool(false),
            Some(1) => *value = Value::Bool(true),
            _ => {}
        },
        _ => {}
    }
}

fn truth(text: &str) -> Option<bool> {
    match text.to_ascii_lowercase().as_str() {
        "true" | "1" | "yes" | "on" => Some(true),
        "false" | "0" | "no" | "off" | "" => Some(false),
        _ => None,
    }
}

fn resolve<'a>(schema: &'a Value, root: &'a Value) -> &'a Value {
    let reference = schema.get("$ref").and_then(Value::as_str);
    let pointed = reference.and_then(|text| text.strip_prefix('#')).and_then(|pointer| root.pointer(pointer));
    pointed.unwrap_or(schema)
}

/// The alternatives of a schema, or itself.
fn branches<'a>(schema: &'a Value, root: &'a Value) -> Vec<&'a Value> {
    let several = ["anyOf", "oneOf", "allOf"].iter().filter_map(|name| schema.get(name)?.as_array());
    let mut branches: Vec<_> = several.flatten().map(|branch| resolve(branch, root)).collect();
    branches.push(schema);
    branches
}

fn property<'a>(schema: &'a Value, name: &str, root: &'a Value) -> Option<&'a Value> {
    branches(schema, root).into_iter().find_map(|branch| branch.get("properties")?.get(name))
}

fn wants(schema: &Value, root: &Value, kind: &str) -> bool {
    branches(schema, root).into_iter().any(|branch| match branch.get("type") {
        Some(Value::String(one)) => one == kind,
        Some(Value::Array(several)) => several.iter().any(|one| one == kind),
        // A choice of words is text.
        _ => kind == "string" && (branch.get("enum").is_some() || branch.get("const").is_some()),
    })
}

#[cfg(test)]
mod tests {
    use axum::http::Method;
    use schemars::JsonSchema;
    use serde::Deserialize;
    use serde_json::json;

    use super::super::call::Reply;
    use super::super::route::{Gate, route};
    use super::*;

    #[derive(Deserialize, JsonSchema)]
    #[expect(dead_code, reason = "only the schema is used")]
    struct Place {
        latitude: f64,
        name: Option<String>,
    }

    #[derive(Deserialize, JsonSchema)]
    #[expect(dead_code, reason = "only the schema is used")]
    struct Body {
        number: String,
        delay: Option<u32>,
        #[serde(default)]
        encoding: bool,
        place: Option<Place>,
        #[serde(default)]
        names: Vec<String>,
    }

    fn schema() -> BodySchema {
        let route = route(Method::POST, "/x", "x", Gate::Open, |_| async { Ok(Reply::empty(204)) });
        BodySchema::of(&route.takes::<Body>()).unwrap()
    }

    #[test]
    fn what_clients_send_is_bent_towards_the_schema() {
        let mut body = json!({
            "number": 5511999, "delay": "1200", "encoding": "true", "names": "a,b",
            "place": {"latitude": "-23.5", "name": null}, "more": null,
        });
        schema().bend(&mut body);
        let expected = json!({
            "number": "5511999", "delay": 1200, "encoding": true, "names": ["a", "b"],
            "place": {"latitude": -23.5},
        });
        assert_eq!(body, expected);
        schema().check(&body).unwrap();
    }

    #[test]
    fn every_broken_rule_is_named_with_its_place() {
        let failure = schema().check(&json!({"delay": "soon", "place": {}})).unwrap_err();
        let mut told: Vec<_> =
            failure.violations.iter().map(|one| format!("{} {}", one.field, one.rule)).collect();
        told.sort();
        assert_eq!(told.len(), 3, "{told:?}");
        assert!(told[0].starts_with("delay is not of the type"), "{told:?}");
        assert_eq!(told[1..], ["number is required", "place.latitude is required"]);
    }
}
