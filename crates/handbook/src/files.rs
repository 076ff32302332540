//! The files, as they were when the program was built. A test compares them with the folder.

/// The parts and chapters, in order.
pub const SUMMARY: &str = include_str!("../../../docs/SUMMARY.md");

/// Each chapter's name, and its text.
pub const FILES: &[(&str, &str)] = &[
    ("api", include_str!("../../../docs/api.md")),
    ("ARCHITECTURE", include_str!("../../../docs/ARCHITECTURE.md")),
    ("attacks", include_str!("../../../docs/attacks.md")),
    ("backup", include_str!("../../../docs/backup.md")),
    ("benchmarks", include_str!("../../../docs/benchmarks.md")),
    ("channels", include_str!("../../../docs/channels.md")),
    ("client-certificates", include_str!("../../../docs/client-certificates.md")),
    ("comparison", include_str!("../../../docs/comparison.md")),
    ("concepts", include_str!("../../../docs/concepts.md")),
    ("config", include_str!("../../../docs/config.md")),
    ("coverage", include_str!("../../../docs/coverage.md")),
    ("events", include_str!("../../../docs/events.md")),
    ("evidence-format", include_str!("../../../docs/evidence-format.md")),
    ("evidence-store", include_str!("../../../docs/evidence-store.md")),
    ("firmware", include_str!("../../../docs/firmware.md")),
    ("firmware-changes", include_str!("../../../docs/firmware-changes.md")),
    ("introduction", include_str!("../../../docs/introduction.md")),
    ("operation", include_str!("../../../docs/operation.md")),
    ("people", include_str!("../../../docs/people.md")),
    ("policy", include_str!("../../../docs/policy.md")),
    ("quick-start", include_str!("../../../docs/quick-start.md")),
    ("quirks", include_str!("../../../docs/quirks.md")),
    ("references", include_str!("../../../docs/references.md")),
    ("reports", include_str!("../../../docs/reports.md")),
    ("retention", include_str!("../../../docs/retention.md")),
    ("scale", include_str!("../../../docs/scale.md")),
    ("scenarios", include_str!("../../../docs/scenarios.md")),
    ("specs", include_str!("../../../docs/specs.md")),
    ("troubleshooting", include_str!("../../../docs/troubleshooting.md")),
];
