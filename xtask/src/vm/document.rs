//! docs/scenarios.md: the table of scenarios, with what was seen when they were played last.

use std::fmt::Write as _;

use super::{
    scenario::{
        Boot, Cards, Content, Disk, Examined, Initrd, Keys, Mok, Revoked, Scenario, Shown, Signer,
        Step, Tpm, Version,
    },
    seen::{Record, Seen},
    table::{IN_CI, SCENARIOS},
};
use crate::sh;

/// What was seen, beside the evidence of it.
pub(super) const RECORD: &str = "testdata/boots/seen.json";
const HEAD: &str = "\
# Machines that boot

Written by `cargo xtask docs` out of the table of scenarios (`xtask/src/vm/table.rs`) and of what was
seen when `cargo xtask vm --record` played them last. Do not edit it.

Each is a virtual machine with OVMF, Secure Boot in its system management mode, and a software TPM
behind real registers. It boots what a server would boot, with `bootproof-agent` in its initramfs as a
single program; the agent joins a `bootproof-server` of its own, and the scenario fails unless the
server comes to the verdict, with these findings against the host and no other.

```
cargo xtask vm                      lists the scenarios
cargo xtask vm sound-own-keys       plays one, and leaves its evidence in target/vm/evidence
cargo xtask vm --ci                 those that continuous integration runs (marked * here)
cargo xtask test --vm               all tests, and all scenarios
```

Seconds are from power on: until the agent waited for challenges, and until the verdict was there. Two
machines ran at one time, without KVM, on two cores. Findings that stand against the host are in bold.
";

fn text(record: &Record) -> String {
    let mut text = HEAD.to_owned();
    for scenario in SCENARIOS {
        let mark = if IN_CI.contains(&scenario.name) { " *" } else { "" };
        let _ = write!(text, "\n## {}{mark}\n\n{}", scenario.name, scenario.about);
        let _ = write!(text, " PCR banks: {}.\n\n", scenario.banks.replace(',', ", "));
        let seen = record.get(scenario.name).map_or(&[][..], Vec::as_slice);
        text.push_str(&steps(scenario, seen));
    }
    text
}

fn steps(scenario: &Scenario, seen: &[Seen]) -> String {
    let mut text = String::new();
    let mut seen = seen.iter();
    for (n, step) in scenario.steps.iter().enumerate() {
        let line = match step {
            Step::Boot(boot) => format!("boots: {}", boot_text(boot)),
            Step::Refused { text } => {
                format!(
                    "the console says \"{text}\"{}",
                    seen.next().map_or_else(String::new, times)
                )
            }
            Step::Judged(judged) | Step::Stands(judged) => {
                let seen = seen.next();
                let codes = codes(judged.against, judged.told, seen);
                let times = seen.map_or_else(String::new, times);
                format!("*{}*{times}{codes}", judged.verdict)
            }
            Step::PowerCut => "the machine's power is cut".to_owned(),
            Step::Silent => "the list calls it *not responding*".to_owned(),
            Step::Page(Shown { connection, verdicts }) => {
                format!("the page shows *{connection}*, and *{}*", verdicts.join("* or *"))
            }
            Step::Doctor(Examined { outcome, first }) => {
                let first = first.map_or_else(String::new, |(check, code)| {
                    format!("; first: {check}, because of {code}")
                });
                format!("`bootproof doctor` on it says *{outcome}*{first}")
            }
            Step::Host(arguments) => format!("`{}`", command(arguments)),
            Step::ClearTpm => "the TPM is cleared (TPM2_Clear), the machine off".to_owned(),
            Step::AcceptTpm => {
                "`bootproof host replace HOST --ek-sha256 DIGEST --reason 'new board'`".to_owned()
            }
            Step::ReplaceDisk => "the agent's state is lost, the machine off".to_owned(),
            Step::DynamicLaunch => "a dynamic launch while the system runs".to_owned(),
            Step::ReplaceTpm => "another TPM is put in, the machine off".to_owned(),
        };
        let _ = writeln!(text, "{}. {line}", n + 1);
    }
    text
}

fn command(arguments: &[&str]) -> String {
    let mut words = vec!["bootproof host".to_owned()];
    for (n, argument) in arguments.iter().enumerate() {
        words.push(if argument.contains(' ') {
            format!("'{argument}'")
        } else {
            (*argument).into()
        });
        if n == 0 {
            words.push("HOST".to_owned());
        }
    }
    words.join(" ")
}

fn times(seen: &Seen) -> String {
    match seen.ready_s {
        Some(ready_s) => format!(" (ready {ready_s:.0} s, {:.0} s)", seen.after_s),
        None => format!(" ({:.0} s)", seen.after_s),
    }
}

/// Codes against the host in bold, then all others that were seen.
fn codes(against: &[&str], told: &[&str], seen: Option<&Seen>) -> String {
    let mut codes: Vec<String> = against.iter().map(|code| format!("**{code}**")).collect();
    let others: Vec<&str> = match seen {
        None => told.to_vec(),
        Some(seen) => seen.codes(|severity| !matches!(severity, "fail" | "hold")).collect(),
    };
    for code in others.iter().map(|code| (*code).to_owned()) {
        if !codes.contains(&code) {
            codes.push(code);
        }
    }
    if codes.is_empty() { String::new() } else { format!(": {}", codes.join(", ")) }
}

fn boot_text(boot: &Boot) -> String {
    let mut words = vec![
        match boot.keys {
            Keys::Microsoft => "Microsoft's keys",
            Keys::MicrosoftSwitchedOff => "Microsoft's keys with Secure Boot off",
            Keys::Owner => "the owner's keys",
            Keys::Nobody => "no keys",
        }
        .to_owned(),
    ];
    words.extend(boot.disks.iter().map(disk_text));
    let or_nothing = |is_so: bool, text: &str| is_so.then(|| text.to_owned());
    words.extend(or_nothing(boot.firmware == Version::Other, "another firmware"));
    words.extend(or_nothing(boot.revoked == Revoked::SomethingElse, "one more digest in dbx"));
    words.extend(or_nothing(boot.revoked == Revoked::Loader, "the loader's digest in dbx"));
    words.extend(or_nothing(boot.mok == Mok::Enrolled, "a key in MokList"));
    words.extend(or_nothing(boot.cards == Cards::WithOptionRom, "a card with an option ROM"));
    words.push(match boot.tpm {
        Tpm::Absent => "no TPM".to_owned(),
        Tpm::Fifo => "TPM by FIFO".to_owned(),
        Tpm::Crb => "TPM by CRB".to_owned(),
    });
    words.join("; ")
}

fn disk_text(disk: &Disk) -> String {
    let (how, content) = match disk {
        Disk::ShimGrub(content) => ("shim, GRUB and a kernel", content),
        Disk::Uki(content) => ("a unified kernel image", content),
        Disk::SystemdBoot(content) => ("systemd-boot and a unified kernel image", content),
    };
    let Content { kernel, initrd, more_arguments, signer } = content;
    let mut text = how.to_owned();
    let signer = match (signer, disk) {
        (Signer::Owner, _) => " signed by the owner",
        (Signer::Mok, _) => " signed by the machine's owner",
        (Signer::Nobody, Disk::Uki(_)) => " that nobody signed",
        (Signer::Nobody, _) => "",
    };
    text.push_str(signer);
    if *kernel == Version::Other {
        text.push_str(", another kernel");
    }
    if *initrd == Initrd::OneMoreFile {
        text.push_str(", one more file in the initrd");
    }
    if !more_arguments.is_empty() {
        let _ = write!(text, ", `{more_arguments}` on its command line");
    }
    text
}

/// The document as it must be. Where nothing was seen yet, it has no times.
pub(crate) fn document() -> String {
    let record = std::fs::read_to_string(sh::root().join(RECORD)).ok();
    text(&record.and_then(|text| serde_json::from_str(&text).ok()).unwrap_or_default())
}
