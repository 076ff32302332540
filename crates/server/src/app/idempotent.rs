//! Requests that are to be done once: what is known of them.

use store::{Begun, IdempotentRequest, Sha256};

use super::{App, AppError};

impl App {
    /// The time that all servers on this store go by.
    pub(crate) async fn store_now_ms(&self) -> Result<i64, AppError> {
        Ok(self.store.now_ms().await?)
    }

    /// Whether a request is the first of its key.
    pub(crate) async fn begin_idempotent(
        &self,
        request: IdempotentRequest,
    ) -> Result<Begun, AppError> {
        Ok(self.store.begin_idempotent(request).await?)
    }

    /// Keeps its answer.
    pub(crate) async fn answer_idempotent(
        &self,
        id: Sha256,
        sealed: Vec<u8>,
    ) -> Result<(), AppError> {
        Ok(self.store.answer_idempotent(id, sealed).await?)
    }

    /// Forgets one that failed.
    pub(crate) async fn forget_idempotent(&self, id: Sha256) -> Result<(), AppError> {
        Ok(self.store.forget_idempotent(id).await?)
    }
}
