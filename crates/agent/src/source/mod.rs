//! Where evidence comes from, one file per source. Nothing here is judged.

pub mod acpi;
pub mod event_log;
pub mod host;
pub mod ima;
mod limited;
pub mod machine;
pub mod userspace_log;
