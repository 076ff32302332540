//! What every store must do, and what SQLite must do besides.

mod kill;
mod sqlite;
mod suite;
