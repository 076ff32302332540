//! One row of the table: a text that programs print, and what it means.

use findings::Code;

/// Who prints a text: it says where to look for it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Source {
    /// vCenter: vpxd.log, events, alarms, the summary page.
    VCenter,
    /// ESXi's kernel: vmkernel.log, vmkwarning.log.
    Vmkernel,
    /// ESXi's host agent: hostd.log.
    Hostd,
    /// ESXi's shell and API.
    EsxiShell,
    /// ESXi's boot loader and its screens.
    EsxiBoot,
    /// The machine's firmware.
    Firmware,
    /// The Linux kernel and its tools: dmesg, the journal, syslog.
    Linux,
    /// Bootproof's server and agent.
    Bootproof,
    /// Any program that talks to a TPM.
    AnyProgram,
}

impl Source {
    /// All of them, in the order of documents.
    pub const ALL: &[Self] = &[
        Self::VCenter,
        Self::Vmkernel,
        Self::Hostd,
        Self::EsxiShell,
        Self::EsxiBoot,
        Self::Firmware,
        Self::Linux,
        Self::Bootproof,
        Self::AnyProgram,
    ];

    /// Who prints it and where it is found, in words.
    pub const fn printed_by(self) -> &'static str {
        match self {
            Self::VCenter => "vCenter: vpxd.log, events, alarms, the summary page of a host",
            Self::Vmkernel => "ESXi's kernel: vmkernel.log, vmkwarning.log",
            Self::Hostd => "ESXi's host agent: hostd.log",
            Self::EsxiShell => "ESXi's shell and API",
            Self::EsxiBoot => "ESXi's boot loader and its screens",
            Self::Firmware => "the machine's firmware",
            Self::Linux => "Linux: dmesg, the journal, syslog",
            Self::Bootproof => "Bootproof's server and agent",
            Self::AnyProgram => "any program that talks to a TPM",
        }
    }

    /// Where people find the text.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::VCenter => "vCenter",
            Self::Vmkernel => "ESXi kernel",
            Self::Hostd => "ESXi hostd",
            Self::EsxiShell => "ESXi shell",
            Self::EsxiBoot => "ESXi boot",
            Self::Firmware => "firmware",
            Self::Linux => "Linux",
            Self::Bootproof => "Bootproof",
            Self::AnyProgram => "any program",
        }
    }
}

/// What a text says of what is wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    /// It names what is to be mended.
    Cause,
    /// Something went wrong because of something else.
    Symptom,
    /// Sound hosts print it, too.
    Harmless,
}

impl Role {
    /// The word used in JSON.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Cause => "cause",
            Self::Symptom => "symptom",
            Self::Harmless => "harmless",
        }
    }
}

/// What a harmless line may point to on a host that is in trouble all the same.
#[derive(Clone, Copy, Debug)]
pub struct Suspicion {
    /// What may be wrong.
    pub says: &'static str,
    /// Why the line makes one think of it.
    pub cause: &'static str,
    /// How to find out, and what to do then.
    pub next_step: &'static str,
    /// The finding that tells it, where evidence can.
    pub finding: Option<Code>,
}

/// One row of the table.
#[derive(Clone, Copy, Debug)]
pub struct Signature {
    /// Its stable name: a letter for the part that prints it, and a number.
    pub id: &'static str,
    /// Who prints it.
    pub source: Source,
    /// What it says of what is wrong.
    pub role: Role,
    /// The texts as they are printed, any of which will do; `*` stands for what varies, `^` in front
    /// says that the message begins with it: words that stand inside other programs' messages, too.
    /// All of a text stands on one line. None where a response code is what is looked for.
    pub texts: &'static [&'static str],
    /// What it means, in a line.
    pub says: &'static str,
    /// Why this happens.
    pub cause: &'static str,
    /// What to do about it.
    pub next_step: &'static str,
    /// The finding of Bootproof that is the same.
    pub finding: Option<Code>,
    /// Signatures whose consequence this one is; `*` stands for every cause.
    pub follows: &'static [&'static str],
    /// A signature that, later on the same host, shows that this is over.
    pub ended_by: Option<&'static str>,
    /// What it may point to where the host is in trouble.
    pub suspicion: Option<Suspicion>,
    /// Whether a TPM's response code stands behind the text and decides the role.
    pub carries: Carries,
    /// Whether it counts on lines that have another signature.
    pub stands: Stands,
}

/// Whether a signature counts on lines that have another one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stands {
    /// It does.
    Beside,
    /// It does not: it only says that there is something of which nothing is known.
    Alone,
}

/// What stands behind a text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Carries {
    /// Nothing that is read.
    Nothing,
    /// A response code in hexadecimal.
    HexCode,
    /// A response code in decimal.
    DecimalCode,
    /// A response code anywhere on a line about a TPM, where no other signature carries it.
    AnyCode,
}

impl Signature {
    /// A row without links.
    pub(crate) const fn new(
        id: &'static str,
        (source, role): (Source, Role),
        texts: &'static [&'static str],
        [says, cause, next_step]: [&'static str; 3],
    ) -> Self {
        Self {
            id,
            source,
            role,
            texts,
            says,
            cause,
            next_step,
            finding: None,
            follows: &[],
            ended_by: None,
            suspicion: None,
            carries: Carries::Nothing,
            stands: Stands::Beside,
        }
    }

    pub(crate) const fn finding(self, code: Code) -> Self {
        Self { finding: Some(code), ..self }
    }

    pub(crate) const fn follows(self, ids: &'static [&'static str]) -> Self {
        Self { follows: ids, ..self }
    }

    pub(crate) const fn ended_by(self, id: &'static str) -> Self {
        Self { ended_by: Some(id), ..self }
    }

    pub(crate) const fn suspicion(self, suspicion: Suspicion) -> Self {
        Self { suspicion: Some(suspicion), ..self }
    }

    pub(crate) const fn stands(self, stands: Stands) -> Self {
        Self { stands, ..self }
    }

    pub(crate) const fn carries(self, carries: Carries) -> Self {
        Self { carries, ..self }
    }
}
