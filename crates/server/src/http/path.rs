//! Parts of paths that name something.

use axum::{extract::FromRequestParts, http::request::Parts};

use super::{
    operation::{Description, Input, Schemas, codes},
    problem::Failure,
};
use crate::app::{AppError, RefusalKind};

/// Bytes of a part of a path: a host's name has 253 at most, and may be written with escapes.
pub(super) const PARAMETER_BYTES_MAX: usize = 512;

/// The part of the path that names something: text, of a sensible length.
pub(super) struct Path<T>(pub(super) T);

fn invalid(title: &str) -> Failure {
    AppError::plain(RefusalKind::Invalid, "path-invalid", title).into()
}

impl<S: Send + Sync> FromRequestParts<S> for Path<String> {
    type Rejection = Failure;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Failure> {
        let axum::extract::Path(text) =
            axum::extract::Path::<String>::from_request_parts(parts, state)
                .await
                .map_err(|_| invalid("a part of the path is no UTF-8"))?;
        if text.len() > PARAMETER_BYTES_MAX {
            return Err(invalid("a part of the path is too long to name anything"));
        }
        if text.contains('\0') {
            return Err(invalid("a part of the path has a character that no name has"));
        }
        Ok(Self(text))
    }
}

impl<T> Input for Path<T> {
    fn describe(operation: &mut Description, _: &mut Schemas) {
        operation.refuses(codes::WITH_PATH);
    }
}
