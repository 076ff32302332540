//! Reports as documents, read by others than us.

mod documents;
mod sample;
mod zip;
