//! BMCs that answer: asked over HTTPS, and changed.

mod access;
mod apply;
mod campaign;
mod look;
mod revert;
mod show;

pub(super) use access::{Target, targets};
pub(super) use apply::run as apply;
pub(super) use look::look;
pub(super) use revert::run as revert;
