//! What handlers take and give, as the document tells it.

use std::{future::Future, sync::Arc};

use axum::{Extension, Json, extract::State, handler::Handler};
use schemars::JsonSchema;

use super::{Answer, Description, Schemas};
use crate::{app::App, http::problem::Failure};

/// What a handler takes.
#[diagnostic::on_unimplemented(
    message = "`{Self}` does not say how it is described",
    note = "take parameters by `http::query::Query` and `http::path::Path`, bodies by `http::body::Body`"
)]
pub(in crate::http) trait Input {
    /// Says it.
    fn describe(operation: &mut Description, schemas: &mut Schemas);
}

impl Input for State<Arc<App>> {
    fn describe(_: &mut Description, _: &mut Schemas) {}
}

/// What a layer of ours left with the request is nothing that a client sends.
impl<T> Input for Extension<T> {
    fn describe(_: &mut Description, _: &mut Schemas) {}
}

/// What a handler gives.
#[diagnostic::on_unimplemented(message = "`{Self}` does not say how it is described")]
pub(in crate::http) trait Output {
    /// Says it.
    fn describe(operation: &mut Description, schemas: &mut Schemas);
}

impl<T: JsonSchema> Output for Json<T> {
    fn describe(operation: &mut Description, schemas: &mut Schemas) {
        let schema = schemas.of_answer::<T>();
        operation.answer = Some(Answer { media_type: "application/json", schema });
    }
}

impl Output for &'static str {
    fn describe(operation: &mut Description, _: &mut Schemas) {
        let schema = serde_json::json!({ "type": "string" });
        operation.answer = Some(Answer { media_type: "text/plain; charset=utf-8", schema });
    }
}

impl<T: Output> Output for Result<T, Failure> {
    fn describe(operation: &mut Description, schemas: &mut Schemas) {
        T::describe(operation, schemas);
    }
}

/// A handler that says what it takes and gives. `T` is what axum tells handlers apart by.
pub(in crate::http) trait Described<T>: Handler<T, Arc<App>> {
    /// Says it.
    fn describe(operation: &mut Description, schemas: &mut Schemas);
}

impl<F, Future_> Described<((),)> for F
where
    F: FnOnce() -> Future_ + Handler<((),), Arc<App>>,
    Future_: Future<Output: Output>,
{
    fn describe(operation: &mut Description, schemas: &mut Schemas) {
        Future_::Output::describe(operation, schemas);
    }
}

macro_rules! described {
    ($($input:ident)+) => {
        impl<F, Future_, M, $($input),+> Described<(M, $($input,)+)> for F
        where
            F: FnOnce($($input),+) -> Future_ + Handler<(M, $($input,)+), Arc<App>>,
            Future_: Future<Output: Output>,
            $($input: Input,)+
        {
            fn describe(operation: &mut Description, schemas: &mut Schemas) {
                $($input::describe(operation, schemas);)+
                Future_::Output::describe(operation, schemas);
            }
        }
    };
}

described!(A);
described!(A B);
described!(A B C);
described!(A B C D);
described!(A B C D E);
described!(A B C D E G);
