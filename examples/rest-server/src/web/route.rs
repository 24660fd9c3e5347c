//! A route as a row of a table: what it is called, who may use it, what it takes and what it answers with.
//! The router, the OpenAPI files and the tests that walk all routes are made from the same rows.

use std::pin::Pin;
use std::sync::Arc;

use axum::http::Method;
use schemars::{JsonSchema, Schema, SchemaGenerator};

use super::call::{Answer, Call};
use crate::access::Scope;

/// Who may use a route.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Gate {
    /// Everybody.
    Open,
    /// The root key.
    Root,
    /// Any key with the scope.
    Key(Scope),
    /// Any key with the scope that sees the account that the request names.
    Account(Scope),
}

/// What the row says about where a statement comes from: a description, the public project behind it, or us.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Origin {
    Stated,
    Project,
    Ours,
}

impl Origin {
    pub(crate) fn mark(self) -> &'static str {
        match self {
            Self::Stated => "S",
            Self::Project => "P",
            Self::Ours => "D",
        }
    }
}

/// The form of a body.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum BodyForm {
    /// JSON, and in compatible dialects what their clients send for it.
    Json,
    /// JSON or a form with a file.
    Upload,
    /// Octets.
    Raw,
}

/// A parameter of the query.
pub(crate) struct QueryParameter {
    pub(crate) name: String,
    pub(crate) about: &'static str,
    pub(crate) required: bool,
    pub(crate) schema: MakeSchema,
}

/// An answer in the description.
pub(crate) struct Response {
    pub(crate) status: u16,
    pub(crate) about: &'static str,
    pub(crate) content_type: &'static str,
    pub(crate) schema: Option<MakeSchema>,
}

type Running = Pin<Box<dyn Future<Output = Answer> + Send>>;
type Handler = Arc<dyn Fn(Call) -> Running + Send + Sync>;
/// Adds a schema to a description.
pub(crate) type MakeSchema = Arc<dyn Fn(&mut SchemaGenerator) -> Schema + Send + Sync>;

/// A route.
pub(crate) struct Route {
    pub(crate) method: Method,
    /// With parameters as `{name}`.
    pub(crate) path: String,
    /// The operation's id within its dialect.
    pub(crate) id: &'static str,
    pub(crate) tag: &'static str,
    pub(crate) about: &'static str,
    pub(crate) gate: Gate,
    pub(crate) origin: Origin,
    /// The native operation behind it.
    pub(crate) native: Option<&'static str>,
    pub(crate) query: Vec<QueryParameter>,
    pub(crate) body: Option<(BodyForm, MakeSchema)>,
    pub(crate) body_required: bool,
    pub(crate) responses: Vec<Response>,
    /// Bodies up to the limit of media instead of that of JSON.
    pub(crate) large: bool,
    /// Another spelling of an operation that has its own row.
    pub(crate) alias: bool,
    pub(crate) handler: Handler,
}

fn schema_of<T: JsonSchema>() -> MakeSchema {
    Arc::new(|generator| generator.subschema_for::<T>())
}

/// A route with a handler.
pub(crate) fn route<F, R>(
    method: Method,
    path: impl Into<String>,
    id: &'static str,
    gate: Gate,
    handler: F,
) -> Route
where
    F: Fn(Call) -> R + Send + Sync + 'static,
    R: Future<Output = Answer> + Send + 'static,
{
    Route {
        method,
        path: path.into(),
        id,
        tag: "",
        about: "",
        gate,
        origin: Origin::Ours,
        native: None,
        query: Vec::new(),
        body: None,
        body_required: true,
        responses: Vec::new(),
        large: false,
        alias: false,
        handler: Arc::new(move |call| Box::pin(handler(call))),
    }
}

impl Route {
    /// The group of the reference that it is in.
    pub(crate) fn tag(mut self, tag: &'static str) -> Self {
        self.tag = tag;
        self
    }

    /// What it does, in a sentence.
    pub(crate) fn about(mut self, about: &'static str) -> Self {
        self.about = about;
        self
    }

    /// Where it comes from.
    pub(crate) fn origin(mut self, origin: Origin) -> Self {
        self.origin = origin;
        self
    }

    /// The native operation behind it.
    pub(crate) fn native(mut self, native: &'static str) -> Self {
        self.native = Some(native);
        self
    }

    /// It takes a JSON body of this form.
    pub(crate) fn takes<T: JsonSchema>(mut self) -> Self {
        self.body = Some((BodyForm::Json, schema_of::<T>()));
        self
    }

    /// It takes a JSON body of a form that is not known by type.
    pub(crate) fn takes_schema(mut self, schema: MakeSchema) -> Self {
        self.body = Some((BodyForm::Json, schema));
        self
    }

    /// It answers with JSON of a form that is not known by type.
    pub(crate) fn answers_schema(mut self, status: u16, about: &'static str, schema: MakeSchema) -> Self {
        self.responses.push(Response {
            status,
            about,
            content_type: "application/json",
            schema: Some(schema),
        });
        self
    }

    /// It takes a body of this form, or a form whose part `file` is the file.
    pub(crate) fn takes_upload<T: JsonSchema>(mut self) -> Self {
        self.body = Some((BodyForm::Upload, schema_of::<T>()));
        self.large = true;
        self
    }

    /// It takes octets.
    pub(crate) fn takes_octets(mut self) -> Self {
        self.body = Some((BodyForm::Raw, schema_of::<String>()));
        self.large = true;
        self
    }

    /// The body may be absent.
    pub(crate) fn body_optional(mut self) -> Self {
        self.body_required = false;
        self
    }

    /// It takes JSON bodies up to the limit of media.
    pub(crate) fn large(mut self) -> Self {
        self.large = true;
        self
    }

    /// It has a parameter in its query.
    pub(crate) fn query<T: JsonSchema>(mut self, name: &'static str, about: &'static str) -> Self {
        self.query.push(QueryParameter {
            name: name.to_owned(),
            about,
            required: false,
            schema: schema_of::<T>(),
        });
        self
    }

    /// It has a parameter in its query of a form that is not known by type.
    pub(crate) fn query_schema(mut self, name: String, schema: MakeSchema) -> Self {
        self.query.push(QueryParameter { name, about: "", required: false, schema });
        self
    }

    /// It answers with JSON of this form.
    pub(crate) fn answers<T: JsonSchema>(mut self, status: u16, about: &'static str) -> Self {
        let schema = Some(schema_of::<T>());
        self.responses.push(Response { status, about, content_type: "application/json", schema });
        self
    }

    /// It answers with something that is not JSON.
    pub(crate) fn answers_with(
        mut self,
        status: u16,
        content_type: &'static str,
        about: &'static str,
    ) -> Self {
        self.responses.push(Response { status, about, content_type, schema: None });
        self
    }

    /// It answers without a body.
    pub(crate) fn answers_nothing(mut self, status: u16, about: &'static str) -> Self {
        self.responses.push(Response { status, about, content_type: "", schema: None });
        self
    }

    /// It is another spelling of an operation with a row of its own.
    pub(crate) fn alias(mut self) -> Self {
        self.alias = true;
        self
    }

    /// The names of its path's parameters, in order.
    pub(crate) fn parameters(&self) -> impl Iterator<Item = &str> {
        let segments = self.path.split('/');
        segments.filter_map(|segment| segment.strip_prefix('{').and_then(|name| name.strip_suffix('}')))
    }
}

impl std::fmt::Debug for Route {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} {} ({})", self.method, self.path, self.id)
    }
}
