//! Lists that the tests write themselves, and recorded ones.

mod judged;
mod read;
mod recorded;
