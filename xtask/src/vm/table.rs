//! The scenarios: each with the verdict and the findings that it must give.

use super::scenario::{
    Boot, Cards, Content, Disk, Examined, Initrd, Judged, Keys, Mok, Revoked, Scenario, Shown,
    Signer, Step, Tpm, Version,
};

/// What the distribution made.
const DEBIAN: Content = Content {
    kernel: Version::Usual,
    initrd: Initrd::Usual,
    more_arguments: "",
    signer: Signer::Nobody,
};
/// The same, signed by the machine's owner.
const OWN: Content = Content { signer: Signer::Owner, ..DEBIAN };

const SOUND: Boot = Boot {
    firmware: Version::Usual,
    keys: Keys::Microsoft,
    revoked: Revoked::Nothing,
    mok: Mok::Empty,
    tpm: Tpm::Fifo,
    cards: Cards::WithoutRom,
    disks: &[Disk::ShimGrub(DEBIAN)],
};
/// Keys of the owner alone, and what is quickest to boot.
const OWN_UKI: Boot = Boot { keys: Keys::Owner, disks: &[Disk::Uki(OWN)], ..SOUND };

/// Secure Boot is switched off, and its keys are kept. A unified kernel image, since GRUB starts
/// kernels past the stub then, and no log is left.
const SWITCHED_OFF: Boot =
    Boot { keys: Keys::MicrosoftSwitchedOff, disks: &[Disk::Uki(OWN)], ..SOUND };

const fn accepted(evidence: &'static str, told: &'static [&'static str]) -> Step {
    Step::Judged(Judged { evidence: Some(evidence), verdict: "accepted", against: &[], told })
}

const fn refused(evidence: &'static str, against: &'static [&'static str]) -> Step {
    Step::Judged(Judged { evidence: Some(evidence), verdict: "not accepted", against, told: &[] })
}

/// What the server says without evidence.
const fn stands(verdict: &'static str, against: &'static [&'static str]) -> Step {
    Step::Stands(Judged { evidence: None, verdict, against, told: &[] })
}

/// What `bootproof doctor` says on the machine itself.
const fn doctor(outcome: &'static str, first: Option<(&'static str, &'static str)>) -> Step {
    Step::Doctor(Examined { outcome, first })
}

/// Nothing speaks against the host. That the owner's firmware has an empty dbx is worth a word.
const NOTHING_TO_MEND: Step = doctor("warned", Some(("dbx", "dbx-outdated")));

/// A sound boot, before something changes: of its evidence there is enough.
const ACCEPTED: Step =
    Step::Judged(Judged { evidence: None, verdict: "accepted", against: &[], told: &[] });

/// From here on the host is held to what it booted.
const LEARN: Step = Step::Host(&["learn", "--reason", "as it was set up"]);

/// It speaks, and what it said last was good.
const PASSED_ON_THE_PAGE: Step =
    Step::Page(Shown { connection: "Connected", verdicts: &["Passed"] });
/// Nobody hears of it, and nothing speaks against it: what it said last was good, and grows too old.
const SILENT_ON_THE_PAGE: Step =
    Step::Page(Shown { connection: "Not responding", verdicts: &["Passed", "Not appraised"] });

/// What the firmware says of a loader that it does not start.
const ACCESS_DENIED: &str = "Access Denied";

/// A sound host that is held to what it booted, and boots something else.
macro_rules! changed {
    ($name:literal, $about:literal, $before:expr, $after:expr) => {
        Scenario {
            name: $name,
            about: $about,
            banks: "sha256",
            steps: &[
                Step::Boot($before),
                ACCEPTED,
                LEARN,
                Step::Boot($after),
                refused($name, &["reference-change"]),
            ],
        }
    };
}

/// Those that continuous integration runs, the longest first.
pub(super) const IN_CI: &[&str] =
    &["founding-story", "sound-microsoft", "sha1-only", "sound-own-keys", "secure-boot-off"];

pub(super) const SCENARIOS: &[Scenario] = &[
    Scenario {
        name: "sound-microsoft",
        about: "Secure Boot with Microsoft's keys; shim, GRUB and the distribution's kernel.",
        banks: "sha256",
        steps: &[Step::Boot(SOUND), accepted("sound-microsoft", &[])],
    },
    Scenario {
        name: "sound-own-keys",
        about: "Secure Boot with keys of the owner's; systemd-boot and a unified kernel image.",
        banks: "sha256",
        steps: &[
            Step::Boot(Boot { disks: &[Disk::SystemdBoot(OWN)], ..OWN_UKI }),
            ACCEPTED,
            Step::Host(&["attest"]),
            accepted("sound-own-keys", &[]),
            NOTHING_TO_MEND,
        ],
    },
    Scenario {
        name: "secure-boot-off",
        about: "Secure Boot switched off in the firmware's set-up, the keys kept.",
        banks: "sha256",
        steps: &[
            Step::Boot(SWITCHED_OFF),
            refused("secure-boot-off", &["secure-boot-off"]),
            doctor("failed", Some(("secure-boot", "secure-boot-off"))),
        ],
    },
    Scenario {
        name: "secure-boot-off-grub",
        about: "The same with GRUB, which then starts the kernel past the stub that hands the log over.",
        banks: "sha256",
        steps: &[
            Step::Boot(Boot { disks: SOUND.disks, ..SWITCHED_OFF }),
            refused("secure-boot-off-grub", &["no-event-log"]),
        ],
    },
    Scenario {
        name: "setup-mode",
        about: "No keys in the firmware: anything boots.",
        banks: "sha256",
        steps: &[
            Step::Boot(Boot { keys: Keys::Nobody, ..OWN_UKI }),
            refused("setup-mode", &["secure-boot-off", "setup-mode"]),
        ],
    },
    Scenario {
        name: "unsigned-then-signed",
        about: "The first disk's loader is unsigned and refused; the second disk's is signed.",
        banks: "sha256",
        steps: &[
            Step::Boot(Boot { disks: &[Disk::Uki(DEBIAN), Disk::Uki(OWN)], ..OWN_UKI }),
            accepted("unsigned-then-signed", &["boot-attempt-failed"]),
        ],
    },
    Scenario {
        name: "unsigned",
        about: "An unsigned loader and no other: nothing boots, the host stays silent.",
        banks: "sha256",
        steps: &[
            Step::Boot(Boot { disks: &[Disk::Uki(DEBIAN)], ..OWN_UKI }),
            Step::Refused { text: ACCESS_DENIED },
        ],
    },
    Scenario {
        name: "founding-story",
        about: "The host joins without a TPM, gets one, and is then disconnected and reconnected.",
        banks: "sha256",
        steps: &[
            Step::Boot(Boot { tpm: Tpm::Absent, ..OWN_UKI }),
            stands("not appraised", &["no-tpm"]),
            doctor("failed", Some(("tpm", "no-tpm"))),
            Step::Boot(OWN_UKI),
            refused("founding-story-tpm-added", &["no-identity-key"]),
            Step::Host(&["disconnect"]),
            Step::Host(&["reconnect"]),
            accepted("founding-story-reconnected", &[]),
            NOTHING_TO_MEND,
        ],
    },
    Scenario {
        name: "sha1-only",
        about: "The TPM has its SHA-1 bank on and no other.",
        banks: "sha1",
        steps: &[
            Step::Boot(OWN_UKI),
            refused("sha1-only", &["sha256-bank-inactive"]),
            doctor("failed", Some(("sha256-bank", "sha256-bank-inactive"))),
        ],
    },
    Scenario {
        name: "sha256-sha384",
        about: "Two banks are on, and both are quoted and replayed.",
        banks: "sha256,sha384",
        steps: &[Step::Boot(OWN_UKI), accepted("sha256-sha384", &[])],
    },
    Scenario {
        name: "crb",
        about: "The TPM is reached by CRB registers instead of FIFO.",
        banks: "sha256",
        steps: &[
            Step::Boot(Boot { tpm: Tpm::Crb, ..OWN_UKI }),
            accepted("crb", &["interface-not-fifo"]),
            doctor("warned", Some(("interface", "interface-not-fifo"))),
        ],
    },
    changed!(
        "command-line-changed",
        "A word more on the kernel's command line than when the host was learnt.",
        SOUND,
        Boot { disks: &[Disk::ShimGrub(Content { more_arguments: "debug", ..DEBIAN })], ..SOUND }
    ),
    changed!(
        "kernel-changed",
        "Another kernel of the same distribution than when the host was learnt.",
        SOUND,
        Boot { disks: &[Disk::ShimGrub(Content { kernel: Version::Other, ..DEBIAN })], ..SOUND }
    ),
    changed!(
        "initrd-changed",
        "One more file in the initrd, of which Secure Boot knows nothing.",
        SOUND,
        Boot {
            disks: &[Disk::ShimGrub(Content { initrd: Initrd::OneMoreFile, ..DEBIAN })],
            ..SOUND
        }
    ),
    changed!(
        "mok-enrolled",
        "The owner's key is in shim's list, and has signed the kernel.",
        SOUND,
        Boot {
            mok: Mok::Enrolled,
            disks: &[Disk::ShimGrub(Content { signer: Signer::Mok, ..DEBIAN })],
            ..SOUND
        }
    ),
    changed!(
        "option-rom-added",
        "A network card is plugged in whose ROM has a program for the firmware.",
        OWN_UKI,
        Boot { cards: Cards::WithOptionRom, ..OWN_UKI }
    ),
    changed!(
        "dbx-updated",
        "dbx has one more digest, of something that does not boot here.",
        OWN_UKI,
        Boot { revoked: Revoked::SomethingElse, ..OWN_UKI }
    ),
    Scenario {
        name: "dbx-revokes-loader",
        about: "dbx names what the disk is booted by: nothing boots any more, and the host falls silent.",
        banks: "sha256",
        steps: &[
            Step::Boot(OWN_UKI),
            ACCEPTED,
            Step::Boot(Boot { revoked: Revoked::Loader, ..OWN_UKI }),
            Step::Refused { text: ACCESS_DENIED },
            Step::Silent,
            SILENT_ON_THE_PAGE,
        ],
    },
    Scenario {
        name: "power-cut",
        about: "The machine goes off without a word, which is no reason to distrust it, and comes back by itself.",
        banks: "sha256",
        steps: &[
            Step::Boot(OWN_UKI),
            ACCEPTED,
            PASSED_ON_THE_PAGE,
            Step::PowerCut,
            Step::Silent,
            SILENT_ON_THE_PAGE,
            Step::Boot(OWN_UKI),
            ACCEPTED,
            PASSED_ON_THE_PAGE,
        ],
    },
    changed!(
        "firmware-changed",
        "Another build of the firmware than when the host was learnt.",
        OWN_UKI,
        Boot { firmware: Version::Other, ..OWN_UKI }
    ),
    Scenario {
        name: "tpm-cleared",
        about: "The TPM is cleared: its attestation key is gone, its endorsement key is the same.",
        banks: "sha256",
        steps: &[
            Step::Boot(OWN_UKI),
            ACCEPTED,
            Step::ClearTpm,
            Step::Boot(OWN_UKI),
            accepted("tpm-cleared", &["ak-renewed"]),
        ],
    },
    Scenario {
        name: "key-rotated",
        about: "A person asks for a new attestation key while the system runs.",
        banks: "sha256",
        steps: &[
            Step::Boot(OWN_UKI),
            ACCEPTED,
            Step::Host(&["rotate-key"]),
            Step::Host(&["attest"]),
            accepted("key-rotated", &[]),
        ],
    },
    Scenario {
        name: "tpm-replaced",
        about: "Another board with another TPM boots the host's disk: refused until a person takes it.",
        banks: "sha256",
        steps: &[
            Step::Boot(OWN_UKI),
            ACCEPTED,
            Step::ReplaceTpm,
            Step::Boot(OWN_UKI),
            stands("not accepted", &["ek-changed"]),
            Step::AcceptTpm,
            accepted("tpm-replaced", &[]),
        ],
    },
    Scenario {
        name: "board-replaced",
        about: "Another board with another TPM and a new disk joins under the host's name.",
        banks: "sha256",
        steps: &[
            Step::Boot(OWN_UKI),
            ACCEPTED,
            Step::ReplaceTpm,
            Step::ReplaceDisk,
            Step::Boot(OWN_UKI),
            stands("not accepted", &["ek-changed"]),
            Step::AcceptTpm,
            accepted("board-replaced", &[]),
        ],
    },
    Scenario {
        name: "dynamic-launch",
        about: "The processor measures a second start (Intel TXT, AMD SKINIT) after the first.",
        banks: "sha256",
        steps: &[
            Step::Boot(OWN_UKI),
            ACCEPTED,
            Step::DynamicLaunch,
            Step::Host(&["attest"]),
            accepted("dynamic-launch", &["dynamic-launch"]),
        ],
    },
];
