//! OpenAPI 3.1 files, made from the rows of the table: what is served, what is tested and what is described
//! are the same thing.

use schemars::SchemaGenerator;
use schemars::generate::SchemaSettings;
use serde_json::{Map, Value, json};

use super::route::{BodyForm, Gate, Route};

/// How a dialect is described.
pub(crate) struct Description {
    pub(crate) title: &'static str,
    pub(crate) about: &'static str,
    /// Security schemes by name, as OpenAPI writes them; each route needs all of them.
    pub(crate) security: Vec<(&'static str, Value)>,
    /// Where the routes lie.
    pub(crate) server: String,
    /// The schema of errors.
    pub(crate) error: Value,
    /// Events that are posted to webhooks: name, when, schema of the body.
    pub(crate) webhooks: Vec<(String, String, Value)>,
}

/// The file of a dialect.
pub(crate) fn render<'a>(description: &Description, routes: impl Iterator<Item = &'a Route>) -> Value {
    let mut settings = SchemaSettings::draft2020_12();
    settings.definitions_path = "/components/schemas".into();
    let mut generator = SchemaGenerator::new(settings);
    let mut paths = Map::new();
    let mut tags: Vec<&str> = Vec::new();
    for route in routes {
        if !route.tag.is_empty() && !tags.contains(&route.tag) {
            tags.push(route.tag);
        }
        let path = paths.entry(route.path.clone()).or_insert_with(|| json!({}));
        if let Some(methods) = path.as_object_mut() {
            methods.insert(
                route.method.as_str().to_ascii_lowercase(),
                operation(description, route, &mut generator),
            );
        }
    }
    tags.sort_unstable();
    let mut schemas: Map<String, Value> = generator.take_definitions(true).into_iter().collect();
    schemas.insert("Error".to_owned(), description.error.clone());
    let security: Map<String, Value> =
        description.security.iter().map(|(name, scheme)| ((*name).to_owned(), scheme.clone())).collect();
    let webhooks: Map<String, Value> = description
        .webhooks
        .iter()
        .map(|(name, about, schema)| {
            let content = json!({"application/json": {"schema": schema}});
            let body = json!({"post": {
                "summary": about,
                "operationId": format!("on_{}", name.replace(['.', '-'], "_")),
                "requestBody": {"required": true, "content": content},
                "responses": {"200": {"description": "Any 2xx status: taken."}},
            }});
            (name.clone(), body)
        })
        .collect();
    json!({
        "openapi": "3.1.0",
        "info": {
            "title": description.title,
            "description": description.about,
            "version": env!("CARGO_PKG_VERSION"),
            "license": {"name": "MIT OR Apache-2.0", "identifier": "MIT OR Apache-2.0"},
        },
        "servers": [{"url": description.server}],
        "tags": tags.iter().map(|tag| json!({"name": tag})).collect::<Vec<_>>(),
        "paths": paths,
        "webhooks": webhooks,
        "components": {"schemas": schemas, "securitySchemes": security},
    })
}

fn operation(description: &Description, route: &Route, generator: &mut SchemaGenerator) -> Value {
    let mut parameters: Vec<Value> = route
        .parameters()
        .map(|name| json!({"name": name, "in": "path", "required": true, "schema": {"type": "string"}}))
        .collect();
    for parameter in &route.query {
        parameters.push(json!({
            "name": parameter.name,
            "in": "query",
            "required": parameter.required,
            "description": parameter.about,
            "schema": (parameter.schema)(generator),
        }));
    }
    let mut operation = json!({
        "operationId": route.id,
        "summary": route.about,
        "tags": [route.tag],
        "parameters": parameters,
        "responses": responses(route, generator),
        "x-provenance": route.origin.mark(),
    });
    let Some(members) = operation.as_object_mut() else { return operation };
    if route.alias {
        // Ids are unique: the spelling belongs to the operation that has a row of its own.
        members.insert("operationId".to_owned(), Value::from(spelled(route)));
        members.insert("x-alias-of".to_owned(), Value::from(route.id));
    }
    if let Some(native) = route.native {
        members.insert("x-native".to_owned(), Value::from(native));
    }
    if route.gate == Gate::Open {
        members.insert("security".to_owned(), json!([]));
    } else {
        let needs: Map<String, Value> =
            description.security.iter().map(|(name, _)| ((*name).to_owned(), json!([]))).collect();
        members.insert("security".to_owned(), json!([needs]));
    }
    if let Some((form, schema)) = &route.body {
        let schema = schema(generator).to_value();
        let content = match form {
            BodyForm::Json => json!({"application/json": {"schema": schema}}),
            BodyForm::Upload => json!({
                "application/json": {"schema": schema},
                "multipart/form-data": {"schema": {"type": "object", "properties": {
                    "file": {"type": "string", "format": "binary"},
                }}},
            }),
            BodyForm::Raw => {
                json!({"application/octet-stream": {"schema": {"type": "string", "format": "binary"}}})
            }
        };
        members
            .insert("requestBody".to_owned(), json!({"required": route.body_required, "content": content}));
    }
    operation
}

/// An id for another spelling of an operation.
fn spelled(route: &Route) -> String {
    let path: String = route
        .path
        .chars()
        .map(|character| if character.is_ascii_alphanumeric() { character } else { '_' })
        .collect();
    format!("{}_{}{}", route.id, route.method.as_str().to_ascii_lowercase(), path)
}

fn responses(route: &Route, generator: &mut SchemaGenerator) -> Value {
    let mut responses = Map::new();
    for response in &route.responses {
        let entry = responses
            .entry(response.status.to_string())
            .or_insert_with(|| json!({"description": response.about}));
        if response.content_type.is_empty() {
            continue;
        }
        let schema = match &response.schema {
            Some(schema) => schema(generator).to_value(),
            None => json!({"type": "string"}),
        };
        if let Some(members) = entry.as_object_mut() {
            let content = members.entry("content").or_insert_with(|| json!({}));
            if let Some(content) = content.as_object_mut() {
                content.insert(response.content_type.to_owned(), json!({"schema": schema}));
            }
        }
    }
    responses.insert(
        "default".to_owned(),
        json!({
            "description": "An error.",
            "content": {"application/json": {"schema": {"$ref": "#/components/schemas/Error"}}},
        }),
    );
    Value::Object(responses)
}
