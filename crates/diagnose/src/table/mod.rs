//! The table of signatures. Facts are of public sources; the words are ours.

mod boot;
mod bootproof;
mod codes;
mod esxi;
mod image;
mod linux;
mod unknown;
mod vcenter;

use crate::signature::Signature;

/// All signatures, in the order in which causes are told: what stands first is mended first.
pub fn signatures() -> impl Iterator<Item = &'static Signature> {
    [
        boot::ROWS,
        esxi::ROWS,
        vcenter::ROWS,
        linux::ROWS,
        bootproof::ROWS,
        image::ROWS,
        codes::ROWS,
        unknown::ROWS,
    ]
    .into_iter()
    .flatten()
}

/// Numbers of the collected catalogue that no line of a log shows, and why.
pub const WITHOUT_TEXT: &[(&str, &str)] = &[
    ("E08", "the page shows N/A, which stands in any log"),
    ("E22", "the page shows Failed, which stands in any log; the event is E20"),
    ("S24", "Quick Boot beside a TPM before 8.0 U1 prints nothing"),
];
