//! What is told of recorded trees.
mod trees;
