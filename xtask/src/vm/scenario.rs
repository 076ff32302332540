//! What a machine boots, and what must come of it.

/// A story of one host.
#[derive(Debug)]
pub(super) struct Scenario {
    pub(super) name: &'static str,
    /// For people: what happens, in a sentence.
    pub(super) about: &'static str,
    /// The PCR banks of its TPM, with commas between.
    pub(super) banks: &'static str,
    pub(super) steps: &'static [Step],
}

impl Scenario {
    /// Whether the doctor is asked after one of its boots.
    pub(super) fn has_doctor(&self) -> bool {
        self.steps.iter().any(|step| matches!(step, Step::Doctor(_)))
    }

    /// Whether a browser looks at the pages.
    pub(super) fn has_page(&self) -> bool {
        self.steps.iter().any(|step| matches!(step, Step::Page(_)))
    }

    /// What its disks have.
    pub(super) fn contents(&self) -> impl Iterator<Item = Content> {
        let boots = self.steps.iter().filter_map(|step| match step {
            Step::Boot(boot) => Some(boot),
            _ => None,
        });
        boots.flat_map(|boot| boot.disks).map(|disk| match disk {
            Disk::ShimGrub(content) | Disk::Uki(content) | Disk::SystemdBoot(content) => *content,
        })
    }
}

/// One thing that happens, or that must then be so.
#[derive(Debug)]
pub(super) enum Step {
    /// The machine is switched off, where it runs, and boots.
    Boot(Boot),
    /// It does not start what it was told to, and says this on its console.
    Refused { text: &'static str },
    /// The machine's power is cut: it says goodbye to nobody.
    PowerCut,
    /// The server has heard nothing of it for so long that the list says so.
    Silent,
    /// The pages show this of it, in a browser.
    Page(Shown),
    /// The server judges what this boot sent.
    Judged(Judged),
    /// The list of hosts says so, without evidence of this boot that it could rest on.
    Stands(Judged),
    /// `bootproof doctor` in the guest says so.
    Doctor(Examined),
    /// A person does this to the host: `bootproof host …`.
    Host(&'static [&'static str]),
    /// The TPM's owner is cleared while the machine is off.
    ClearTpm,
    /// Another TPM is put in while the machine is off.
    ReplaceTpm,
    /// A person takes the TPM that the host showed last for its own: `bootproof host replace`.
    AcceptTpm,
    /// Another disk for the agent's state, that of before is lost.
    ReplaceDisk,
    /// The processor measures a second start, of something, while the system runs.
    DynamicLaunch,
}

impl Step {
    /// For people who wait.
    pub(super) fn text(&self) -> String {
        match self {
            Self::Boot(_) => "booting".to_owned(),
            Self::Refused { text } => format!("waiting for \"{text}\""),
            Self::Judged(judged) | Self::Stands(judged) => {
                format!("waiting for {}", judged.verdict)
            }
            Self::PowerCut => "cutting the power".to_owned(),
            Self::Silent => "waiting for not responding".to_owned(),
            Self::Page(shown) => format!("looking at the page for {}", shown.connection),
            Self::Doctor(_) => "waiting for bootproof doctor".to_owned(),
            Self::Host(arguments) => format!("bootproof host {}", arguments.join(" ")),
            Self::ClearTpm => "clearing the TPM".to_owned(),
            Self::AcceptTpm => "bootproof host replace".to_owned(),
            Self::ReplaceDisk => "putting another disk in".to_owned(),
            Self::DynamicLaunch => "launching a second time".to_owned(),
            Self::ReplaceTpm => "putting another TPM in".to_owned(),
        }
    }
}

/// What pages must show of the host, in their own words.
#[derive(Debug)]
pub(super) struct Shown {
    pub(super) connection: &'static str,
    /// One of these.
    pub(super) verdicts: &'static [&'static str],
}

/// What the doctor must say.
#[derive(Debug)]
pub(super) struct Examined {
    pub(super) outcome: &'static str,
    /// The check to mend first, and the code of its reason.
    pub(super) first: Option<(&'static str, &'static str)>,
}

/// What the server must say.
#[derive(Debug)]
pub(super) struct Judged {
    /// The folder that the evidence is kept in; nothing where the host can send none.
    pub(super) evidence: Option<&'static str>,
    pub(super) verdict: &'static str,
    /// All codes of findings that stand against it: no other may.
    pub(super) against: &'static [&'static str],
    /// Codes that must be among the others: what is advised or told.
    pub(super) told: &'static [&'static str],
}

/// How the machine boots.
#[derive(Clone, Copy, Debug)]
pub(super) struct Boot {
    pub(super) firmware: Version,
    pub(super) keys: Keys,
    pub(super) revoked: Revoked,
    pub(super) mok: Mok,
    pub(super) tpm: Tpm,
    pub(super) cards: Cards,
    /// The first from which something starts is booted.
    pub(super) disks: &'static [Disk],
}

/// Of firmware and kernels there are two builds each.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Version {
    Usual,
    Other,
}

impl Version {
    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::Usual => "usual",
            Self::Other => "other",
        }
    }
}

/// Whose keys the firmware has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Keys {
    Microsoft,
    /// Microsoft's, with Secure Boot switched off in the set-up.
    MicrosoftSwitchedOff,
    Owner,
    /// None: set-up mode.
    Nobody,
}

/// What dbx has beside what came with the firmware.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Revoked {
    Nothing,
    SomethingElse,
    /// What the first disk is booted by.
    Loader,
}

/// The list of keys that shim takes from the machine's owner.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Mok {
    Empty,
    Enrolled,
}

/// The TPM, by the registers that it is reached by.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Tpm {
    Absent,
    Fifo,
    Crb,
}

/// What is plugged in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Cards {
    WithoutRom,
    /// A network card whose ROM has a program for the firmware.
    WithOptionRom,
}

/// How a disk boots.
#[derive(Clone, Copy, Debug)]
pub(super) enum Disk {
    /// shim, GRUB and a kernel, signed by the distribution.
    ShimGrub(Content),
    /// A unified kernel image, started by the firmware.
    Uki(Content),
    /// systemd-boot, and a unified kernel image.
    SystemdBoot(Content),
}

impl Disk {
    /// One of its own for each content.
    pub(super) fn name(&self) -> String {
        let (how, content) = match self {
            Self::ShimGrub(content) => ("grub", content),
            Self::Uki(content) => ("uki", content),
            Self::SystemdBoot(content) => ("sdboot", content),
        };
        format!("{how}-{}", content.name())
    }
}

/// What the disk has, and who signed it.
#[derive(Clone, Copy, Debug)]
pub(super) struct Content {
    pub(super) kernel: Version,
    pub(super) initrd: Initrd,
    pub(super) more_arguments: &'static str,
    pub(super) signer: Signer,
}

impl Content {
    pub(super) fn name(&self) -> String {
        let arguments: String =
            self.more_arguments.chars().filter(char::is_ascii_alphanumeric).collect();
        let Self { kernel, initrd, signer, .. } = self;
        format!("{}-{initrd:?}-{signer:?}-{arguments}", kernel.name())
    }
}

/// The first files of a kernel.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Initrd {
    Usual,
    OneMoreFile,
}

/// By whose key the lab signed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Signer {
    /// Nobody: it is as it came.
    Nobody,
    Owner,
    Mok,
}
