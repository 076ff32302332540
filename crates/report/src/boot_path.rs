//! The path of a boot, as a document.

use api::appraisal::{BootAttempt, BootStep, Facts, WindowsFacts};
use boot_claims::{
    Attempt, Belief, BootActionKind, BootPath, FileUse, ImageKind, MeasuredBy, Part, Phase, Step,
    WindowsBoot,
};

use crate::appraisal::{belief, shown};

/// Tells `path` in `facts`.
pub(crate) fn tell(path: &BootPath<'_>, facts: &mut Facts) {
    facts.boot = path.steps.iter().map(step).collect();
    facts.n_more_boot_steps = path.n_more;
    facts.boot_attempts = path.attempts.iter().map(attempt).collect();
    facts.windows = path.windows.as_ref().map(windows);
    let verified = path.steps.iter().filter(|step| step.belief == Belief::Verified);
    let lines = verified.filter_map(|step| match step.part {
        Part::CommandLine { untrusted_by: MeasuredBy::GrubModule, .. } => None,
        Part::CommandLine { text, .. } => Some(shown(&text.to_string())),
        _ => None,
    });
    facts.kernel_command_lines = lines.collect();
}

fn step(step: &Step<'_>) -> BootStep {
    let told = BootStep {
        event: step.event,
        pcr: step.pcr_index,
        digest: step.digest.map(|(alg, digest)| format!("{alg}:{digest}")),
        belief: belief(step.belief).to_owned(),
        phase: step.phase.map(|phase| {
            match phase {
                Phase::BeforeSeparator => "firmware",
                Phase::AfterSeparator => "boot",
            }
            .to_owned()
        }),
        attempt: step.attempt,
        again: step.again,
        ..BootStep::default()
    };
    match step.part {
        Part::Image {
            untrusted_kind,
            untrusted_path,
            untrusted_source,
            untrusted_role,
            untrusted_loader,
            untrusted_entry,
        } => BootStep {
            kind: match untrusted_kind {
                ImageKind::Application => "application",
                ImageKind::BootDriver => "driver",
                ImageKind::RuntimeDriver => "runtime-driver",
            }
            .to_owned(),
            // An image that a loader brought into memory itself has a path without a node.
            untrusted_path: untrusted_path
                .map(|path| shown(&path.to_string()))
                .filter(|path| !path.is_empty()),
            untrusted_source: Some(untrusted_source.as_str().to_owned()),
            untrusted_role: untrusted_role.map(|role| role.as_str().to_owned()),
            untrusted_loader,
            untrusted_entry: untrusted_entry
                .map(|entry| shown(&format!("{} {}", entry.name.until_nul(), entry.description))),
            ..told
        },
        Part::Action(kind) => {
            let kind = match kind {
                BootActionKind::Called => "entry-called",
                BootActionKind::Returned => "entry-returned",
                BootActionKind::Omitted => "attempts-omitted",
            };
            BootStep { kind: kind.to_owned(), ..told }
        }
        Part::File { untrusted_name, untrusted_use } => BootStep {
            kind: "file".to_owned(),
            untrusted_path: Some(shown(&untrusted_name.to_string())),
            untrusted_role: match untrusted_use {
                FileUse::Kernel => Some("kernel".to_owned()),
                FileUse::Initrd => Some("initrd".to_owned()),
                FileUse::Other => None,
            },
            ..told
        },
        Part::CommandLine { untrusted_by, text } => BootStep {
            kind: "command-line".to_owned(),
            text: Some(shown(&text.to_string())),
            untrusted_role: match untrusted_by {
                MeasuredBy::Grub => None,
                MeasuredBy::GrubModule => Some("module".to_owned()),
                MeasuredBy::Systemd => Some("systemd".to_owned()),
                MeasuredBy::Esxi => Some("ESXi".to_owned()),
            },
            ..told
        },
        Part::Section { section, .. } => BootStep {
            kind: "uki-section".to_owned(),
            text: Some(section.name().to_owned()),
            ..told
        },
        Part::Extra { untrusted_name } => BootStep {
            kind: "stub-file".to_owned(),
            untrusted_path: Some(shown(&untrusted_name.to_string())),
            ..told
        },
        Part::Tagged { untrusted_name } => BootStep { kind: untrusted_name.to_owned(), ..told },
    }
}

fn attempt(attempt: &Attempt) -> BootAttempt {
    BootAttempt {
        number: attempt.number,
        called: attempt.called,
        returned: attempt.returned,
        n_applications: attempt.n_applications,
        outcome: attempt.outcome().as_str().to_owned(),
    }
}

fn windows(boot: &WindowsBoot) -> WindowsFacts {
    WindowsFacts {
        event: boot.event,
        boot_count: boot.boot_count,
        event_count: boot.event_count,
        resumed: boot.resumed,
        belief: belief(boot.belief).to_owned(),
    }
}
