//! Claims of built and recorded logs; one program, so that it is linked once.

mod claims;
mod common;
mod corpus;
mod hidden;
mod mutations;
mod path;
mod secure_boot;
mod separators;
