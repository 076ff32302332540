//! Where evidence comes from, one file per source. Nothing here is judged.

pub mod acpi;
pub mod event_log;
pub mod host;
pub mod ima;
mod iommu;
mod limited;
mod lockdown;
pub mod log_memo;
pub mod machine;
pub mod platform;
mod processor;
mod tboot;
pub mod uefi_mode;
pub mod userspace_log;
