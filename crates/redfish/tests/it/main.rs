//! The client against emulated BMCs: sound ones, and each way of being broken.

mod connect;
mod hostile;
mod support;
