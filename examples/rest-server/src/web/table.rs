//! All routes of all dialects in one tree.

use std::collections::BTreeMap;
use std::sync::Arc;

use axum::http::Method;
use percent_encoding::percent_decode_str;

use super::route::Route;
use super::schema::BodySchema;
use crate::dialects::Dialect;

/// A route in its place.
#[derive(Clone)]
pub(crate) struct Bound {
    pub(crate) dialect: Arc<dyn Dialect>,
    pub(crate) route: Arc<Route>,
    pub(crate) schema: Option<BodySchema>,
}

/// What a path and method lead to.
pub(crate) enum Found {
    Route(Bound, BTreeMap<String, String>),
    /// The path exists with other methods.
    WrongMethod(Arc<dyn Dialect>, Vec<Method>),
    Nothing,
}

/// The tree.
#[derive(Default)]
pub(crate) struct Table {
    tree: matchit::Router<usize>,
    paths: Vec<BTreeMap<String, Bound>>,
    by_pattern: BTreeMap<String, usize>,
}

/// Two routes that cannot both be.
#[derive(Debug, thiserror::Error)]
#[error("{0} is a route twice, or beside another one: {1}")]
pub(crate) struct Collision(String, String);

/// A pattern whose parameters are named by their places: dialects name them as they like.
fn nameless(path: &str) -> String {
    let mut count = 0;
    let segments = path.split('/').map(|segment| match segment.starts_with('{') {
        true => {
            count += 1;
            format!("{{p{count}}}")
        }
        false => segment.to_ascii_lowercase(),
    });
    segments.collect::<Vec<_>>().join("/")
}

impl Table {
    /// Adds the routes of a dialect.
    pub(crate) fn add(&mut self, dialect: &Arc<dyn Dialect>, routes: Vec<Route>) -> Result<(), Collision> {
        for route in routes {
            let (pattern, method) = (nameless(&route.path), route.method.as_str().to_owned());
            let name = format!("{method} {}", route.path);
            let index = match self.by_pattern.get(&pattern) {
                Some(index) => *index,
                None => {
                    let index = self.paths.len();
                    self.tree
                        .insert(&pattern, index)
                        .map_err(|error| Collision(name.clone(), error.to_string()))?;
                    self.paths.push(BTreeMap::new());
                    self.by_pattern.insert(pattern, index);
                    index
                }
            };
            let schema = BodySchema::of(&route);
            let bound = Bound { dialect: Arc::clone(dialect), route: Arc::new(route), schema };
            let methods = self.paths.get_mut(index);
            if methods.is_some_and(|methods| methods.insert(method, bound).is_some()) {
                return Err(Collision(name, "the same method and path".to_owned()));
            }
        }
        Ok(())
    }

    /// Looks a request up. A slash at the end does not matter, nor do letters' cases in the fixed parts.
    pub(crate) fn find(&self, method: &Method, path: &str) -> Found {
        let trimmed = path.trim_end_matches('/');
        let path = if trimmed.is_empty() { "/" } else { trimmed };
        // Parameters keep their letters: the lower-case path only finds the way.
        let lower = path.to_ascii_lowercase();
        let Ok(matched) = self.tree.at(&lower) else { return Found::Nothing };
        let Some(methods) = self.paths.get(*matched.value) else { return Found::Nothing };
        // HEAD is GET without the body.
        let wanted = if method == Method::HEAD { Method::GET.as_str() } else { method.as_str() };
        if let Some(bound) = methods.get(wanted) {
            let parts = path.split('/').zip(bound.route.path.split('/'));
            let values = parts.filter_map(|(value, part)| {
                let name = part.strip_prefix('{')?.strip_suffix('}')?;
                Some((name.to_owned(), percent_decode_str(value).decode_utf8_lossy().into_owned()))
            });
            return Found::Route(bound.clone(), values.collect());
        }
        let allowed = methods.keys().filter_map(|name| name.parse().ok()).collect();
        match methods.values().next() {
            Some(bound) => Found::WrongMethod(Arc::clone(&bound.dialect), allowed),
            None => Found::Nothing,
        }
    }

    /// All rows.
    pub(crate) fn rows(&self) -> impl Iterator<Item = &Bound> {
        self.paths.iter().flat_map(BTreeMap::values)
    }
}
