//! What every store must do, and what SQLite and PostgreSQL must do besides.

mod kill;
mod looks;
mod portable;
mod postgres;
mod routine;
mod sqlite;
mod suite;
mod upgrade;
