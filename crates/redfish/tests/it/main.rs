//! The client against emulated BMCs: sound ones, and each way of being broken.

mod apply;
mod apply_faults;
mod connect;
mod corpus;
mod hostile;
mod planned;
mod resume;
mod support;
