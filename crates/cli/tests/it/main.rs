//! `bootproof` as a program, and its judgement over recorded evidence.

mod boot_path;
mod commands;
mod corpus;
mod diagnose;
mod doctor;
mod event_mutations;
mod finding_cases;
mod firmware;
mod firmware_bmc;
mod follow;
mod from_image;
mod ima;
mod manifest;
mod mutations;
mod policy;
mod quirks;
mod real_boots;
mod recorded;
mod referee;
mod references;
mod rules;
mod secure_boot;
mod tpm;
mod tpm_cases;
mod unchanged;
mod userspace;
