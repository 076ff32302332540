//! boot-claims
