//! Operations: routes that cannot be without their description.
//!
//! One list makes both the router and the OpenAPI document. What a handler takes and gives is described
//! by the types that it takes and gives ([`Input`], [`Output`]), so that a role, a parameter or a body
//! that the document names is the one that the handler asks for.

pub(super) mod codes;
mod describe;
mod document;
mod schemas;

use std::{
    collections::{BTreeMap, BTreeSet, HashMap},
    sync::Arc,
};

use axum::{
    Router,
    http::Method,
    routing::{MethodFilter, on},
};

pub(super) use describe::{Described, Input, Output};
pub(super) use schemas::Schemas;

use super::idempotency;
use crate::app::App;

/// Whose token an operation wants, at least.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Needs {
    /// No token.
    Nobody,
    /// That of a host.
    Host,
    /// That of a person or program that may get attested results.
    RelyingParty,
    /// That of one that may look.
    Viewer,
    /// That of one that may steer hosts.
    Operator,
    /// That of one that may do everything.
    Admin,
}

impl Needs {
    /// The word of `x-bootproof-role`.
    pub(super) const fn as_str(self) -> &'static str {
        match self {
            Self::Nobody => "nobody",
            Self::Host => "host",
            Self::RelyingParty => "relying-party",
            Self::Viewer => "viewer",
            Self::Operator => "operator",
            Self::Admin => "admin",
        }
    }
}

/// What an operation answers with where it succeeds.
#[derive(Clone, Debug)]
pub(super) struct Answer {
    /// The media type.
    pub(super) media_type: &'static str,
    /// The schema.
    pub(super) schema: serde_json::Value,
}

/// A parameter of the query.
#[derive(Clone, Debug)]
pub(super) struct QueryParameter {
    /// Its name.
    pub(super) name: String,
    /// Whether it must be there.
    pub(super) required: bool,
    /// What it is.
    pub(super) schema: serde_json::Value,
}

/// A header that an operation takes.
#[derive(Clone, Debug)]
pub(super) struct HeaderParameter {
    /// Its name.
    pub(super) name: &'static str,
    /// What it does.
    pub(super) about: &'static str,
    /// Whether it must be there.
    pub(super) required: bool,
    /// What it is.
    pub(super) schema: serde_json::Value,
}

/// What the document says of one operation.
#[derive(Clone, Debug)]
pub(super) struct Description {
    pub(super) method: Method,
    pub(super) path: &'static str,
    pub(super) id: &'static str,
    pub(super) summary: &'static str,
    pub(super) needs: Needs,
    /// What else is to be known.
    pub(super) notes: Option<&'static str>,
    pub(super) query: Option<Vec<QueryParameter>>,
    pub(super) body: Option<serde_json::Value>,
    /// A body as JSON, as it could be.
    pub(super) example: Option<&'static str>,
    pub(super) answer: Option<Answer>,
    /// What it gives instead to who asks for that.
    pub(super) gives_too: Option<&'static str>,
    pub(super) codes: BTreeSet<&'static str>,
    pub(super) headers: Vec<HeaderParameter>,
    /// Whether its answers have a validator, and are left out where the client has them.
    pub(super) has_etag: bool,
    /// Whether it changes the version that the client names, or nothing.
    pub(super) takes_if_match: bool,
}

impl Description {
    /// Whether a person or program asks.
    pub(super) const fn is_of_person(&self) -> bool {
        !matches!(self.needs, Needs::Nobody | Needs::Host)
    }

    /// Adds codes with which it refuses, beside those that its extractors bring along.
    pub(super) fn refuses(&mut self, codes: &[&'static str]) -> &mut Self {
        self.codes.extend(codes);
        self
    }

    /// Gives its answers a validator.
    pub(super) fn etag(&mut self) -> &mut Self {
        self.has_etag = true;
        self
    }

    /// Shows a body as it could be: JSON.
    pub(super) fn example(&mut self, json: &'static str) -> &mut Self {
        self.example = Some(json);
        self
    }

    /// Says what else is to be known.
    pub(super) fn notes(&mut self, notes: &'static str) -> &mut Self {
        self.notes = Some(notes);
        self
    }
}

/// All operations of the server.
pub(super) struct Operations {
    router: Router<Arc<App>>,
    schemas: Schemas,
    described: Vec<Description>,
}

/// What requests are checked by, and answers in development.
#[derive(Debug, Default)]
pub(super) struct Contract {
    by_path: HashMap<&'static str, Vec<Description>>,
}

impl Contract {
    /// The operation at a path as it was routed.
    pub(super) fn operation(&self, path: &str, method: &Method) -> Option<&Description> {
        // A HEAD request is a GET without its body.
        let method = if method == Method::HEAD { &Method::GET } else { method };
        self.by_path.get(path)?.iter().find(|operation| operation.method == *method)
    }
}

impl Operations {
    /// All that the modules of addresses name.
    pub(super) fn all() -> Self {
        let mut all =
            Self { router: Router::new(), schemas: Schemas::new(), described: Vec::new() };
        super::add_operations(&mut all);
        all
    }

    /// Adds `GET path`, named `id`.
    pub(super) fn get<T: 'static, H: Described<T>>(
        &mut self,
        path: &'static str,
        id: &'static str,
        summary: &'static str,
        handler: H,
    ) -> &mut Description {
        self.add(Method::GET, MethodFilter::GET, path, id, summary, handler)
    }

    /// Adds `POST path`, named `id`.
    pub(super) fn post<T: 'static, H: Described<T>>(
        &mut self,
        path: &'static str,
        id: &'static str,
        summary: &'static str,
        handler: H,
    ) -> &mut Description {
        self.add(Method::POST, MethodFilter::POST, path, id, summary, handler)
    }

    /// Adds `PUT path`, named `id`.
    pub(super) fn put<T: 'static, H: Described<T>>(
        &mut self,
        path: &'static str,
        id: &'static str,
        summary: &'static str,
        handler: H,
    ) -> &mut Description {
        self.add(Method::PUT, MethodFilter::PUT, path, id, summary, handler)
    }

    /// Adds `DELETE path`, named `id`.
    pub(super) fn delete<T: 'static, H: Described<T>>(
        &mut self,
        path: &'static str,
        id: &'static str,
        summary: &'static str,
        handler: H,
    ) -> &mut Description {
        self.add(Method::DELETE, MethodFilter::DELETE, path, id, summary, handler)
    }

    fn add<T: 'static, H: Described<T>>(
        &mut self,
        method: Method,
        filter: MethodFilter,
        path: &'static str,
        id: &'static str,
        summary: &'static str,
        handler: H,
    ) -> &mut Description {
        let mut description = Description {
            method,
            path,
            id,
            summary,
            needs: Needs::Nobody,
            notes: None,
            query: None,
            body: None,
            example: None,
            answer: None,
            gives_too: None,
            codes: codes::ALWAYS.iter().copied().collect(),
            headers: Vec::new(),
            has_etag: false,
            takes_if_match: false,
        };
        H::describe(&mut description, &mut self.schemas);
        if description.method == Method::POST {
            idempotency::describe(&mut description);
        }
        let router = std::mem::take(&mut self.router);
        self.router = router.route(path, on(filter, handler));
        let at = self.described.len();
        self.described.push(description);
        &mut self.described[at]
    }

    /// The document.
    pub(super) fn document(self) -> serde_json::Value {
        document::document(&self.described, self.schemas)
    }

    /// The routes, and what they are checked by.
    pub(super) fn into_parts(self) -> (Router<Arc<App>>, Contract) {
        let mut by_path: HashMap<_, Vec<_>> = HashMap::new();
        for operation in self.described {
            by_path.entry(operation.path).or_default().push(operation);
        }
        (self.router, Contract { by_path })
    }
}

/// Who needs what, by method and path: what tests hold against tables of their own.
pub(super) fn roles() -> BTreeMap<(String, String), &'static str> {
    let all = Operations::all();
    let role = |operation: Description| {
        let method = operation.method.as_str().to_ascii_lowercase();
        ((method, operation.path.to_owned()), operation.needs.as_str())
    };
    all.described.into_iter().map(role).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_that_operations_name_are_known_and_none_is_left_over() {
        let all = Operations::all();
        let mut named: BTreeSet<&str> =
            all.described.iter().flat_map(|operation| operation.codes.iter().copied()).collect();
        // Of addresses and methods that are no operations.
        named.extend(["address-not-found", "method-not-allowed"]);
        let known: BTreeSet<&str> = codes::CODES.iter().map(|code| code.name).collect();
        assert_eq!(named, known);
    }
}
