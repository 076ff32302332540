//! What is told of saved trees, and what is planned for them.
mod findings;
mod host;
mod hostile;
mod plans;
mod trees;
