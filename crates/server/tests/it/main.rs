//! The server's program, real agents and real software TPMs, over real TLS.

mod alarms;
mod attest;
mod authz;
mod bad_input;
mod bench;
mod busy_tpm;
mod commands;
mod crash;
mod credential;
mod fleet;
mod hostile;
mod ima;
mod inventory;
mod join;
mod new_key;
mod patience;
mod peers;
mod policy;
mod references;
mod replace;
mod results;
mod schedules;
mod shared_store;
mod story;
mod support_bundle;
mod trust_import;
