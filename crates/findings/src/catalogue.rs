//! The table: what each code means, whatever its arguments.

/// What a finding does to the verdict.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Severity {
    /// The host is not accepted.
    Fail,
    /// There is nothing to judge, or nobody allowed it yet: the host is not appraised.
    Hold,
    /// Worth an administrator's look; the verdict stands.
    Warn,
    /// Worth knowing; the verdict stands.
    Info,
    /// A policy set it aside; it is shown, and the verdict stands. Of no row of the catalogue.
    Ignore,
}

impl Severity {
    /// The word used in JSON and on the command line.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Fail => "fail",
            Self::Hold => "hold",
            Self::Warn => "warn",
            Self::Info => "info",
            Self::Ignore => "ignore",
        }
    }
}

/// What a finding is about, for headings.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Group {
    /// Endorsement key, attestation key, enrolment.
    Identity,
    /// The signed quote and the challenge that it answers.
    Quote,
    /// The event log and its agreement with the quote.
    Log,
    /// Secure Boot, as PCR 7 proves it.
    SecureBoot,
    /// What was expected to boot, and what changed.
    Reference,
    /// The TPM and the platform around it.
    Platform,
    /// What runs, as IMA measures it.
    Runtime,
    /// What the policy of the site asks for beyond that.
    Policy,
    /// The host in the inventory.
    Inventory,
}

impl Group {
    /// A heading.
    pub const fn title(self) -> &'static str {
        match self {
            Self::Identity => "Identity",
            Self::Quote => "Quote",
            Self::Log => "Event log",
            Self::SecureBoot => "Secure Boot",
            Self::Reference => "References",
            Self::Platform => "Platform",
            Self::Runtime => "Running system",
            Self::Policy => "Rules of the site",
            Self::Inventory => "Inventory",
        }
    }
}

/// One row of the catalogue.
#[derive(Clone, Copy, Debug)]
pub struct Entry {
    /// The code.
    pub code: Code,
    /// The code's stable name, in kebab-case; also its anchor in `docs/troubleshooting.md`.
    pub name: &'static str,
    /// What it is about.
    pub group: Group,
    /// What it does to the verdict under the default policy.
    pub severity: Severity,
    /// A line that names it.
    pub title: &'static str,
    /// Why this happens, in general; [`crate::Finding::cause`] tells the case at hand.
    pub cause: &'static str,
    /// What to do about it.
    pub next_step: &'static str,
}

macro_rules! catalogue {
    ($($code:ident $name:literal $group:ident $severity:ident $title:literal
        cause $cause:literal next $next:literal)+) => {
        /// The codes of all findings, in the order of [`CATALOGUE`].
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub enum Code { $(#[doc = $title] $code),+ }

        impl Code {
            /// The row of this code.
            pub const fn entry(self) -> &'static Entry {
                match self { $(Self::$code => {
                    const ENTRY: Entry = Entry {
                        code: Code::$code,
                        name: $name,
                        group: Group::$group,
                        severity: Severity::$severity,
                        title: $title,
                        cause: $cause,
                        next_step: $next,
                    };
                    &ENTRY
                })+ }
            }

            /// The code of this name. Each judgement asks for its findings, so no row is looked at.
            pub fn from_name(name: &str) -> Option<Self> {
                match name {
                    $($name => Some(Self::$code),)+
                    _ => None,
                }
            }
        }

        /// All rows, in the order in which people should read them: identity first, advice last.
        pub static CATALOGUE: &[&Entry] = &[$(Code::$code.entry()),+];
    };
}

impl Code {
    /// The stable name, in kebab-case.
    pub const fn as_str(self) -> &'static str {
        self.entry().name
    }
}

catalogue! {
    NoIdentityKey "no-identity-key" Identity Fail
        "No identity key is stored for this host"
        cause "The host was added before its TPM was on, or its enrolment did not complete, so that no attestation key bound to its TPM is stored. Whatever it sends cannot be checked."
        next "Disconnect and reconnect the host: `bootproof host disconnect HOST`, then `bootproof host reconnect HOST`. It need not be removed from the inventory."

    AkNotEnrolled "ak-not-enrolled" Identity Fail
        "The attestation key is not the enrolled one"
        cause "The host signs with another attestation key than the one that was bound to its TPM at enrolment: its TPM was cleared or replaced, its agent lost its state, or the evidence comes from another machine."
        next "Find out why the key changed. If it was a TPM clear or a new installation, disconnect and reconnect the host; if nobody changed anything, treat the host as suspect."

    EkChanged "ek-changed" Identity Fail
        "The host shows another endorsement key than the enrolled one"
        cause "The endorsement key identifies the TPM chip. Another one means another chip (a new mainboard), a TPM whose endorsement seed was changed, or another machine under this name. Nothing is accepted of it, and the host is not accepted until a person decides."
        next "If the board or the TPM was replaced, compare the digest with the new one's (`bootproof host show HOST`), then `bootproof host replace HOST --ek-sha256 DIGEST --reason TEXT`: the host keeps its history. If nothing was replaced, treat the machine that shows it as suspect."

    StateCopied "state-copied" Identity Warn
        "Another TPM was shown for this host, which still has its own"
        cause "A machine with another TPM showed this host's membership or joined under its name, while the enrolled TPM goes on answering: the agent's state was copied with a disk or an image, or two machines have one name. Nothing is accepted of that other machine, and the verdict is the enrolled TPM's."
        next "Find the other machine. If it is a copy, remove its agent's state there (`bootproof-agent leave`) and join it under a name of its own; then remove what was noted of it: `bootproof host disconnect HOST`, `bootproof host reconnect HOST`."

    AkRenewed "ak-renewed" Identity Info
        "The host's attestation key was made anew"
        cause "The same TPM, known by its endorsement key, proved a new attestation key: a person asked for it, or the TPM was cleared (TPM2_Clear), or the agent lost its key. Earlier verdicts and evidence stay, each with the key that signed it."
        next "Nothing to do where you know why. If nobody cleared the TPM or asked for a new key, find out who did: what else the TPM kept under its owner (disk keys) is gone after a clear."

    EkCertAbsent "ek-cert-absent" Identity Fail
        "The TPM has no endorsement key certificate"
        cause "Without a certificate nothing proves that the key lives in a genuine TPM chip. Some firmware TPMs fetch theirs from the vendor; some virtual TPMs never have one."
        next "Install the TPM's certificate with the vendor's tool (or recreate the virtual TPM with one), then disconnect and reconnect the host. Where there is none to be had and you know this machine, approve this one key: [[endorsement.approved]] in the policy file with ek_sha256 (the digest that this finding names), reason and expires."

    EkCertMalformed "ek-cert-malformed" Identity Fail
        "The endorsement key certificate cannot be read"
        cause "What the TPM holds in its certificate index is not an X.509 certificate, even read leniently."
        next "Read the index on the host (`tpm2_nvread 0x01c00002` or `0x01c00016`) and give it to the TPM's vendor; a cleared or rewritten index has to be provisioned again."

    EkCertUntrusted "ek-cert-untrusted" Identity Fail
        "The endorsement key certificate leads to no trusted root"
        cause "The certificate chain does not end, with valid signatures, in a root that this server trusts: the vendor's root or intermediate was not imported, or the certificate was made or changed by somebody else."
        next "If the TPM is genuine, import its vendor's root with `bootproof trust import FILE` (and the intermediates), then disconnect and reconnect the host. If a root of that name is already there, treat the certificate as forged."

    EkCertExpired "ek-cert-expired" Identity Fail
        "A certificate of the endorsement key's chain has expired"
        cause "The period of validity is over. TPM chips outlive some of their certificates."
        next "Ask the vendor for a renewed certificate or intermediate. A policy may permit expired endorsement certificates."

    EkCertNotYetValid "ek-cert-not-yet-valid" Identity Fail
        "A certificate of the endorsement key's chain is not valid yet"
        cause "Its period of validity begins later: most often the server's clock is behind."
        next "Check the server's clock (`timedatectl`). If it is right, check where the certificate comes from."

    EkCertWrongUse "ek-cert-wrong-use" Identity Fail
        "The certificate is not one for an endorsement key"
        cause "It does not carry the extended key usage of an endorsement key certificate, or is itself a certificate authority's, or a certificate of its chain may not issue others."
        next "Check with the vendor's tool which certificate lies in the TPM; another one (of the platform, of the attestation key) may have been stored in its place."

    EkCertPinned "ek-cert-pinned" Identity Info
        "The endorsement certificate itself was imported as trusted"
        cause "No authority vouches for it: somebody imported this one certificate as a trust anchor. It is as good as that person's knowledge of where it came from."
        next "Nothing to do where you know of it. Otherwise find it in `bootproof trust list`, and import the root of the TPM's vendor in its place."

    EkCertKeyMismatch "ek-cert-key-mismatch" Identity Fail
        "The certificate belongs to another endorsement key"
        cause "The public key of the certificate is not that of the endorsement key that the TPM holds: the endorsement seed was changed after the certificate was made, or the certificate was copied from another machine."
        next "If the TPM's endorsement hierarchy was reset, its certificate must be provisioned again by the vendor's tool; if not, treat the host as suspect."

    AkUnfit "ak-unfit" Identity Fail
        "The attestation key is not fit to attest"
        cause "The key is not restricted, not fixed to this TPM, may decrypt, or is too weak: it could sign a quote that no TPM made."
        next "Let the agent make a new key: stop it, delete its `ak` state, start it, then disconnect and reconnect the host."

    KeyWeakRoca "key-weak-roca" Identity Fail
        "A key of the TPM can be factored (ROCA)"
        cause "The numbers of this RSA key show that Infineon's weak library made it (CVE-2017-15361): who knows its public part can compute the private one, and then needs no TPM to sign."
        next "Update the TPM's firmware (7.62, 6.43, 5.62, 4.43, 4.34, 133.33 or later), clear the TPM so that it makes new keys, let the vendor's tool install a new certificate, then remove the host and join it again. Use elliptic curve keys where the update is not to be had."

    NoQuote "no-quote" Quote Fail
        "There is no quote"
        cause "The host sent no signed statement of its PCR values. Without one the event log is only a text."
        next "Check on the host that a TPM 2.0 is on (`ls /dev/tpmrm0`) and that the agent may use it; its log says what the TPM answered."

    QuoteParse "quote-parse" Quote Fail
        "The quote cannot be read"
        cause "The attestation structure or its signature is cut or damaged."
        next "Attest again. If it stays so, update the agent; if that does not help, somebody changes the evidence on its way."

    QuoteMagic "quote-magic" Quote Fail
        "The quote was not made by a TPM"
        cause "The structure does not begin with TPM_GENERATED: it was signed as foreign data, which a TPM's restricted key refuses to do for structures that do."
        next "Treat the host as suspect: evidence of this kind is made by hand."

    QuoteType "quote-type" Quote Fail
        "The signed structure is not a quote"
        cause "The TPM signed another kind of attestation (time, certification, audit), which says nothing of PCR values."
        next "Update the agent. If it is current, treat the host as suspect."

    QuoteSignature "quote-signature" Quote Fail
        "The quote's signature is not valid under the enrolled key"
        cause "The quote was changed after it was signed, was signed by another TPM, or its signature is damaged."
        next "Attest again. If it stays so, disconnect and reconnect the host; if the finding comes back, treat the host as suspect."

    QualifiedSigner "qualified-signer" Quote Fail
        "The quote names another key as its signer"
        cause "A TPM writes into each quote the name of the key that signs it, with the names of the keys above. It is not the one that the enrolled key and its parent have together."
        next "Update the agent. If it is current, disconnect and reconnect the host; if the finding comes back, treat the host as suspect."

    NonceMismatch "nonce-mismatch" Quote Fail
        "The quote does not answer this challenge"
        cause "The quote was made for another challenge: an old quote was sent again, or two agents answer for one host."
        next "Make sure that one agent runs on the host, and attest again. If it stays so, treat the host as suspect."

    PcrSelection "pcr-selection" Quote Fail
        "The quote does not cover the PCRs that were asked for"
        cause "The signed selection differs from the one asked for, or leaves out PCRs that a verdict needs (0 to 7)."
        next "Update the agent. If it is current, treat the host as suspect: a host that hides a PCR hides what it booted."

    PcrDigest "pcr-digest" Quote Fail
        "The PCR values do not hash to the quoted digest"
        cause "The values that the host sent beside the quote are not the ones that the TPM signed."
        next "Attest again: a PCR may have moved between reading and quoting. If it stays so, treat the host as suspect."

    PcrValues "pcr-values" Quote Fail
        "PCR values are missing or were not quoted"
        cause "The host sent no value for a quoted PCR, or values for PCRs that the quote does not cover."
        next "Update the agent and attest again."

    ClockWentBack "clock-went-back" Quote Fail
        "The TPM's counters went back"
        cause "The quote's reset count or clock is lower than in this host's last accepted quote: an old quote was stored and sent again, the TPM was cleared or replaced, or a virtual TPM was restored from an older snapshot."
        next "If the TPM was cleared or restored, disconnect and reconnect the host; if not, treat the host as suspect."

    Sha256BankInactive "sha256-bank-inactive" Platform Fail
        "The TPM's SHA-256 PCR bank is not active"
        cause "The TPM measures with SHA-1 only, which is too weak to prove anything. Many servers leave the factory so."
        next "Enable the SHA-256 bank in the firmware setup (for instance: TPM Advanced Settings, TPM2 Algorithm Selection, SHA256), restart, and attest again."

    Sha256NotQuoted "sha256-not-quoted" Quote Fail
        "No bank of SHA-256 or better was quoted"
        cause "The TPM has a SHA-256 bank, but the quote covers only SHA-1 or nothing: a downgrade."
        next "Update the agent. If it is current, treat the host as suspect."

    NoEventLog "no-event-log" Log Fail
        "There is no event log"
        cause "The firmware or the boot loader handed no log to the kernel. With Secure Boot off, GRUB's plain `linux` command loses it; a kernel without securityfs cannot show it."
        next "Check `/sys/kernel/security/tpm0/binary_bios_measurements` on the host: mount securityfs, boot by UEFI, and turn Secure Boot on (with it on, GRUB hands the log over)."

    LogParse "log-parse" Log Fail
        "The event log cannot be read to its end"
        cause "The log is cut, damaged, or does not follow the format."
        next "Attest again. If it stays so, look at the named byte with `bootproof eventlog FILE`; update the host's firmware."

    LogReplay "log-replay" Log Fail
        "The event log does not replay to the quoted PCR values"
        cause "Extending the log's digests in order does not give the values that the TPM signed: the log was changed, lacks events, or belongs to another boot."
        next "Attest again. If it stays so after a restart of the host and a firmware update, treat the host as suspect."

    EventData "event-data" Log Fail
        "An event's data does not hash to its digest"
        cause "The digest was extended into the PCR, but the text beside it says something else: the text was edited, or the firmware logs something else than it measures."
        next "Look at the named event with `bootproof eventlog FILE`. Update the firmware; if it stays so and the vendor knows no such fault, treat the host as suspect."

    CrtmVersionData "crtm-version-data" Log Warn
        "The firmware's version text is not what it measured"
        cause "Some firmware measures its version in another form than it writes into the log, so that the text beside the digest proves nothing. The measured value itself is as good as any other."
        next "Nothing to do for the verdict: the text is not believed. Update the firmware; the vendor may have mended it."

    EventType "event-type" Log Fail
        "An event is not what its type says"
        cause "The type of an event is covered by no digest. This one carries or measures something that belongs under another type: odd firmware, or a log edited to hide or feign something."
        next "Look at the named event with `bootproof eventlog FILE`. Update the firmware; if it stays so and the vendor knows no such fault, treat the host as suspect."

    Separator "separator" Log Fail
        "A separator event is missing, repeated or reports an error"
        cause "In each of PCR 0 to 7 one separator ends what the firmware measures before it starts an operating system. Without it facts before and after cannot be told apart; value 1 means that the firmware met an error while measuring."
        next "Restart the host and attest again; update its firmware. If the firmware is current, treat the host as suspect."

    LogContinued "log-continued" Log Info
        "A PCR goes on in another log"
        cause "Its value is not what the firmware's log replays to, which is normal for PCRs that the running system extends (10 by IMA, 11 to 15 by systemd)."
        next "Nothing to do. What the firmware's log says of this PCR is shown as not verified."

    LogPadding "log-padding" Log Info
        "Unused bytes follow the event log"
        cause "The firmware hands over its whole buffer, the rest filled with zeros or ones."
        next "Nothing to do."

    LogFull "log-full" Log Warn
        "The event log fills the area that the firmware has for it"
        cause "The log does not replay, and there was next to no room left for more events. Firmware goes on extending PCRs when its log is full, so that the last events may be missing."
        next "Update the firmware. Fewer devices, boot entries or Secure Boot keys make a shorter log; some firmware setups have a larger area to choose."

    LogEarlierBoots "log-earlier-boots" Log Info
        "Logs of earlier boots lie before the event log"
        cause "What came as one file holds several logs, one behind the other. The last one is that of the current boot, and was judged."
        next "Nothing to do."

    BootApplicationMissing "boot-application-missing" Log Warn
        "No boot application was measured after the firmware handed over"
        cause "An operating system runs, so something loaded it, and the firmware has to measure that into PCR 4 after the separator there. Some firmware (coreboot on small machines) does not; a kernel that the machine monitor loads itself is not measured either."
        next "Look at PCR 4 with `bootproof eventlog FILE`. Update the firmware; if it stays so, the loader of this host is not proved, whatever else is."

    MeasuredLate "measured-after-handover" Log Warn
        "Something was measured as firmware after the firmware had handed over"
        cause "PCR 0 is closed by its separator, and its digests prove that more was extended into it behind that: by an operating system, or by firmware that does not follow the standard. It is not believed to be the firmware's."
        next "Look at the named event with `bootproof eventlog FILE`. If nobody measures into PCR 0 on purpose there, treat the host as suspect."

    MeasuredEarly "measured-before-handover" Log Warn
        "A register of the operating system was extended before the firmware handed over"
        cause "PCRs 8 to 15 belong to boot loaders and operating systems. The log has an event of one of them in front of the firmware's separators: firmware or the driver of a card measured there. No digest covers the order of two PCRs, so this is what the log says."
        next "Look at the named event with `bootproof eventlog FILE`. Update the firmware and that of the cards; if it stays so, ask the maker what measures there."

    BootAttemptFailed "boot-attempt-failed" Log Info
        "A boot entry came back before the system started"
        cause "The firmware started a boot entry, and control came back to it: there was nothing to boot, the network gave no answer, an image was refused, or a loader gave up. Then it went on with the next entry."
        next "`bootproof host show HOST` tells what was loaded in each attempt. Take entries that never work out of the boot order; a loader that is refused needs an update."

    UserspaceLog "userspace-log" Log Warn
        "The running system's log of its measurements cannot be read to its end"
        cause "What the host sent beside the boot log is not what systemd writes, or is cut. PCRs that only its end explains are told as going on in another log."
        next "Look at the named byte of `/run/log/systemd/tpm2-measure.log` on the host; restart the host, which begins that log anew."

    SecureBootOff "secure-boot-off" SecureBoot Fail
        "Secure Boot is off"
        cause "PCR 7 proves that the firmware started the operating system without checking signatures."
        next "Turn on Secure Boot in the firmware setup, make sure that the system boots with it, and attest again. Change nothing else in the same step."

    SecureBootUnknown "secure-boot-unknown" SecureBoot Fail
        "Whether Secure Boot is on cannot be told"
        cause "The log has no SecureBoot variable in PCR 7 that the quote proves: it is missing, repeated, comes too late, or its data does not match its digest."
        next "Look at PCR 7 with `bootproof eventlog FILE`. Update the firmware, reset it to its defaults with Secure Boot on, and attest again."

    ReferenceRevoked "reference-revoked" Reference Fail
        "What booted is what a revoked reference describes"
        cause "A person revoked this reference, so that a boot that fits it is never accepted again: its kernel, loader or firmware has a flaw, or the host was found to be compromised with it."
        next "Update the host to what an active reference describes, boot it, and attest again. The reference says who revoked it."

    ReferenceMissing "reference-missing" Reference Fail
        "No reference says what this host should boot"
        cause "The policy wants a reference for each host (`[references]`, mode require), and none that is active or obsolete applies to this one."
        next "If the host is as it should be, have what it booted kept as its reference: `bootproof host accept-change HOST --reason TEXT`."

    ReferenceChange "reference-change" Reference Fail
        "What booted is not what the reference expects"
        cause "Something was measured that the reference of the host does not name, or something that it names was not measured: an update of firmware, loader or kernel, another command line, other keys, or an attack."
        next "Find out who changed it. If it was an update that you made, accept it: `bootproof host accept-change HOST --reason TEXT`, with --cohort for all hosts of the model. If nobody changed anything, treat the host as suspect."

    ReferenceVendorChange "reference-vendor-change" Reference Fail
        "The firmware is not what the vendor's manifest says"
        cause "The vendor of this model signed what its firmware measures, and this host measured something else: another version than it tells, settings or cards that the vendor's machine had not, or changed firmware."
        next "Compare the firmware's version with the manifest's: `bootproof reference show ID`. Where cards were added, import the manifest for fewer PCRs (`--pcrs 0`) and retire this one. If neither explains it, treat the host as suspect."

    ReferenceExpired "reference-expired" Reference Fail
        "The time for which a reference was accepted is over"
        cause "What booted was accepted up to a date or for one boot, and that is over. No other reference of the host accepts it."
        next "Update the host to what another reference describes, or accept what it boots once more: `bootproof host accept-change HOST --reason TEXT`."

    ReferenceObsolete "reference-obsolete" Reference Warn
        "What booted fits an obsolete reference only"
        cause "A newer state of this host was accepted, and the older one is told to be left behind. It still works."
        next "Update the host to what its active reference describes, and attest again."

    ReferenceIgnored "reference-change-set-aside" Reference Info
        "A change was set aside by the policy"
        cause "The policy has a rule that sets this change aside for a reason and for a time."
        next "Nothing, while the reason holds. `[[references.ignore]]` of the policy has the rule."

    ReferenceVaried "reference-varied" Reference Info
        "Settings differ from those that the reference saw"
        cause "PCRs that vary on sound machines, such as boot order, firmware settings and partition tables, are not those of the reference. They are shown and not held to be equal."
        next "Nothing. To hold a PCR to be equal, name it in `pcrs` under `[references]` of the policy."
    SetupMode "setup-mode" SecureBoot Fail
        "Secure Boot is in setup mode"
        cause "No platform key is enrolled, so whoever reaches the machine can put keys of their own into the databases, and no signature is required."
        next "Enrol a platform key: restore the factory keys in the firmware setup, or enrol your own. Then restart and attest again."

    AuditMode "audit-mode" SecureBoot Fail
        "Secure Boot is in audit mode"
        cause "In this mode the firmware notes images that no key allows, and starts them nevertheless."
        next "Leave audit mode in the firmware setup (deployed or user mode), restart and attest again."

    SecureBootOrder "secure-boot-order" SecureBoot Warn
        "The Secure Boot variables were measured in another way than the standard has"
        cause "The standard has SecureBoot, PK, KEK, db, dbx and then the others, each once, also where it is empty. Another order, one that is missing or one that comes twice is odd firmware, and makes its PCR 7 unlike that of other machines with the same keys; what is missing is not judged."
        next "Update the firmware. If it stays so, and only on this machine of its model, treat the host as suspect."

    PlatformKey "platform-key" SecureBoot Warn
        "The platform key is not one certificate that can be read"
        cause "Exactly one platform key decides who may change the other keys. Here there are several, or its certificate is damaged, so that nobody can tell whose machine this is."
        next "Restore the factory keys in the firmware setup, or enrol a platform key of your own, and attest again."

    TestPlatformKey "test-platform-key" SecureBoot Fail
        "The platform key is one that was made for tests"
        cause "Its private half is known to others than the owner (PKfail, CVE-2024-8105): whoever has it can permit any boot loader without any setting being changed."
        next "Update the firmware to a version with a real platform key, or enrol your own; then restore the factory keys, restart and attest again. Treat what ran meanwhile with suspicion."

    Ca2011Only "ca-2011-only" SecureBoot Warn
        "Only Microsoft's authorities of 2011 are enrolled"
        cause "Their certificates ended in June and October 2026. The machine starts as before, but updates of dbx, and loaders and option ROMs that are signed under the authorities of 2023 alone, will not be accepted."
        next "Update the firmware, or let the operating system enrol the authorities of 2023 into KEK and db. Do this before the next exchange of a card or a new installation; do not remove those of 2011, since option ROMs rest on them."

    WeakCertificate "weak-certificate" SecureBoot Warn
        "A Secure Boot key is weak"
        cause "A certificate in PK, KEK or db has an RSA key below 2048 bits, or is signed over MD5 or SHA-1: what it vouches for can be forged with effort."
        next "Remove it from the database in the firmware setup if nothing rests on it, or update the firmware; ask the maker for a successor."

    DbxBelowMinimum "dbx-below-minimum" SecureBoot Fail
        "The list of revoked images is older than the policy asks for"
        cause "The policy names a release of dbx that each host must have at least, and this host's content is of an earlier one."
        next "Install the update of dbx (`fwupdmgr update` on Linux, Windows Update, or the maker's firmware), restart and attest again."

    DbxOutdated "dbx-outdated" SecureBoot Warn
        "The list of revoked images is not up to date"
        cause "The firmware would still start images that were revoked since. The content of dbx was compared with what is published."
        next "Install the update of dbx (`fwupdmgr update` on Linux, Windows Update, or the maker's firmware) after the boot loaders are up to date, and restart."

    ImageRevoked "image-revoked" SecureBoot Fail
        "What was started is revoked"
        cause "The digest of a boot application or driver, or the key that allowed it, is in the current list of revocations. It has a known hole through which Secure Boot is passed; this host's own dbx does not stop it."
        next "Update the boot loader (shim, GRUB, boot manager) or the card's firmware, then dbx. Until then anything may have run on this host: treat it as suspect."

    AuthorityUnknown "authority-unknown" SecureBoot Fail
        "Something was allowed by a key that no database has"
        cause "PCR 7 proves that an image was allowed by an entry of db, and the db that was measured in the same boot does not have it. The firmware is at fault, or its databases were changed while it ran."
        next "Look at PCR 7 with `bootproof eventlog FILE`. Update the firmware, restore its keys, and attest again; if it stays so treat the host as suspect."

    AuthorityMissing "authority-missing" SecureBoot Warn
        "Nothing says who allowed what was started"
        cause "PCR 7 proves that Secure Boot was on, and a boot application was measured, but no entry of db that allowed one. Firmware has to measure that entry before it starts what it allows."
        next "Update the firmware. Until then nobody can tell from outside by whose signature this host booted; a reference of the host still holds the images themselves."

    AuthorityNotAllowed "authority-not-allowed" SecureBoot Fail
        "Something was allowed by a key that the policy does not name"
        cause "The policy lists the authorities that may allow images to run, and this host started something under another one."
        next "If it belongs there, add the fingerprint to `secure_boot.allowed_authorities`. If not, find out what was started (`bootproof eventlog FILE`), and remove the key from db or MOK."

    MokInsecure "mok-insecure" SecureBoot Fail
        "Shim verifies nothing"
        cause "Its verification was turned off (MokSBState), so that any boot loader and any kernel runs although Secure Boot is on."
        next "Run `mokutil --enable-validation` on the host, restart, confirm at the screen, and attest again."

    MokEnrolled "mok-enrolled" SecureBoot Info
        "The owner enrolled keys of their own in shim"
        cause "Kernels and modules that these keys signed run, too: usual for drivers that are built on the host."
        next "Nothing to do where you know of it. `mokutil --list-enrolled` on the host lists them."

    SbatBelowMinimum "sbat-below-minimum" SecureBoot Fail
        "The level of SBAT is lower than the policy asks for"
        cause "The policy names a level of SBAT that each host must have at least; this host's shim measured an older one, or none."
        next "Update shim; `mokutil --set-sbat-policy latest`, restart, and attest again."

    SbatOutdated "sbat-outdated" SecureBoot Warn
        "The level of SBAT is not up to date"
        cause "Shim refuses boot loaders with known holes by generation (SBAT). The level that it applied is older than the newest published one, so that it would start some that are revoked."
        next "Update shim and GRUB; then `mokutil --set-sbat-policy latest` and restart. Distributions follow new levels with some delay."

    DebugMode "debug-mode" SecureBoot Fail
        "The firmware was in debug mode"
        cause "PCR 7 proves that a debugger could be attached to the firmware, and so that anything can have been changed while it ran."
        next "Turn off debugging in the firmware setup, or install firmware that is not a debug build. Restart and attest again."

    DmaProtectionDisabled "dma-protection-disabled" SecureBoot Warn
        "The firmware did not protect memory from devices"
        cause "PCR 7 proves that protection from direct memory access was off before the operating system started: a device in a slot or port can have changed what ran."
        next "Turn on the IOMMU and DMA protection before boot in the firmware setup, restart and attest again."

    SecurityLevelDowngraded "security-level-downgraded" SecureBoot Warn
        "The firmware lowered a level of its own security"
        cause "PCR 7 proves that the firmware says so; some makers do this where a protection of theirs was turned off in the setup."
        next "Look for protections of the maker that are off in the firmware setup, turn them on, restart and attest again."

    TpmFirmwareBelowMinimum "tpm-firmware-below-minimum" Platform Fail
        "The TPM's firmware is older than the policy asks for"
        cause "The policy names the oldest firmware that TPMs of this vendor may have, and this one has older, or its version is not known. The version is the host's word; without it, the one in the certificate, of the day on which the chip was made."
        next "Update the TPM's firmware with the system maker's tool, restart, and attest again. Where the version is missing, update the agent."

    TpmFirmwareAdvisory "tpm-firmware-advisory" Platform Warn
        "The TPM's firmware has a known fault"
        cause "Vendor and version of the TPM are among those of a published advisory. The version is the host's word, or that of the day on which the chip was made."
        next "Update the TPM's firmware with the system maker's tool, restart, and attest again. Read the advisory first: some updates make new keys necessary, so that the host must be joined again."

    TpmFirmwareChanged "tpm-firmware-changed" Platform Warn
        "The TPM's firmware is another than at the last attestation"
        cause "The number for the TPM's firmware in the signed quote differs from the one in this host's last accepted quote: the firmware was updated, or replaced by an older one. Which it is now, the host says beside the quote."
        next "If the TPM's firmware was updated, nothing: the next attestation does not show this. If nobody did that, find out who did, and check the version with the system maker's tool."

    TpmVirtual "tpm-virtual" Platform Info
        "The TPM is a program, not a chip"
        cause "A software or virtual TPM is as good as the machine that runs it: who controls that one can make it say anything."
        next "Nothing to do for virtual machines on hosts that are attested themselves. To refuse such TPMs, set this finding's severity to fail in the policy, and trust no authority that issues for them."

    InterfaceNotFifo "interface-not-fifo" Platform Info
        "The TPM is used through CRB, not FIFO"
        cause "The ACPI table TPM2 names the Command Response Buffer interface. Some systems (ESXi 6.7) want TIS/FIFO. The host says so; no quote proves it."
        next "If the operating system needs FIFO, set the TPM's interface to TIS/FIFO in the firmware setup, where it can be chosen."

    DynamicLaunch "dynamic-launch" Platform Info
        "The processor measured a second start"
        cause "PCRs that only a dynamic launch sets back (Intel TXT, AMD SKINIT, Secure Launch) are not as they were when the machine started. What was launched was measured into them; it is not judged."
        next "Nothing to do where a dynamic launch is wanted. Otherwise turn it off in the firmware setup (Intel TXT, Trusted Execution, DRTM), change nothing else in the same step, restart and attest again."

    QuirkAccepted "quirk-accepted" Platform Info
        "A known deviation from the standard was accepted"
        cause "The firmware, the boot loader or the maker of the TPM does something in a way of its own. The deviation has a row in the table of quirks, which says what is permitted because of it; what was measured must fit the quote all the same."
        next "Nothing to do. `bootproof quirks NAME` tells the row; `[quirks] refuse` in a policy refuses one by its name."

    QuirkExplains "quirk-explains" Platform Info
        "A known fault of such machines may be the cause"
        cause "The event log does not lead to the quoted values, and machines that look or call themselves like this one are known for it. That is a hint and no proof: whoever edits a log can make it look so. Nothing was accepted because of it."
        next "Read the row with `bootproof quirks NAME`, and update the firmware. Where the maker has no better firmware, the host cannot be proved by its log."

    NoTpm "no-tpm" Platform Hold
        "The host has no TPM that can be used"
        cause "The agent found no TPM 2.0 device: there is none, it is off in the firmware setup, or its driver is not loaded."
        next "Turn on the TPM 2.0 in the firmware setup and restart. Then disconnect and reconnect the host, so that its identity key is stored."

    TpmFault "tpm-fault" Platform Fail
        "The TPM answered with an error"
        cause "The agent has a TPM, but a command failed; the response code says why."
        next "Look the response code up with `bootproof explain CODE`; a lockout ends by itself after some hours or with the owner's password."

    ImaAbsent "ima-absent" Runtime Fail
        "There is no measurement list of IMA"
        cause "The policy asks for what the running system measures, and the host sent none: its kernel measures nothing, its agent does not send the list, or the list is larger than an agent may send."
        next "Boot with an IMA policy (`ima_policy=tcb` on the kernel command line, or a policy of your own), and run the agent with `--ima`. A list of megabytes says that the policy measures too much."

    ImaList "ima-list" Runtime Fail
        "The measurement list of IMA cannot be read to its end"
        cause "It is cut, damaged, or of a host whose integers are the other way round."
        next "Attest again. If it stays so, look at the named byte of `/sys/kernel/security/ima/binary_runtime_measurements` on the host; a big-endian host needs the kernel parameter `ima_canonical_fmt`."

    ImaReplay "ima-replay" Runtime Fail
        "The measurement list of IMA does not lead to the quoted PCR"
        cause "Extending its entries one after the other never gives the value that the TPM signed: the list was changed, lacks entries, or something else extended the same PCR."
        next "Attest again. If it stays so after a restart of the host, treat the host as suspect."

    ImaBootAggregate "ima-boot-aggregate" Runtime Fail
        "The measurement list of IMA is not tied to this boot"
        cause "Its first entry is a hash over PCRs that the firmware and the boot loader extended. It is missing, or not the one of the quoted values."
        next "Restart the host and attest again. If its kernel loads the TPM driver as a module, build it in: IMA begins before modules are loaded."

    ImaFile "ima-file" Runtime Fail
        "A file was measured that nothing allows"
        cause "IMA measured a file whose digest is not in the allow list, and that none of the permitted signers signed."
        next "If the file belongs there (an update, a new package), add its line to the allow list with `sha256sum`, or sign it. If not, treat the host as suspect."

    ImaViolation "ima-violation" Runtime Warn
        "A file was written to while IMA measured it"
        cause "The kernel noted that what it measured may not be what was read: the file was open for writing at the same time. Logs that something follows while they grow do that."
        next "Take such files out of the IMA policy of the host (`dont_measure`), so that real violations are seen."

    ImaWeak "ima-weak" Runtime Warn
        "IMA extends this bank with SHA-1 only"
        cause "A kernel before 5.8, or one that has not loaded the hash of the bank, extends it with a SHA-1 and zeros. Two files that collide in SHA-1 cannot be told apart then."
        next "Update the kernel, or build the hash of the bank into it."

    RuleFailed "rule-failed" Policy Fail
        "A rule of this site is not fulfilled"
        cause "The policy in force has rules of its own in Rego, and one of them says that this host must not be accepted."
        next "Read the reason; who wrote the rule knows what to do. `bootproof policy show` tells where the policy comes from."

    RuleWarned "rule-warned" Policy Warn
        "A rule of this site warns"
        cause "The policy in force has rules of its own in Rego, and one of them asks for attention."
        next "Read the reason; who wrote the rule knows what to do."

    RuleTold "rule-told" Policy Info
        "A rule of this site says something"
        cause "The policy in force has rules of its own in Rego, and one of them tells a fact."
        next "Nothing to do."

    RuleError "rule-error" Policy Fail
        "The rules of this site could not be evaluated"
        cause "They met an error, gave something else than texts, or took too long. What they would have found is not known, and so the host is not accepted."
        next "Mend the rules: `bootproof policy check FILE`, and try them with `bootproof verify FOLDER --policy FILE`."

    QuirkRefused "quirk-refused" Policy Fail
        "The policy refuses a known deviation"
        cause "The policy in force names this row of the table of quirks in `[quirks] refuse`, and the host has the deviation."
        next "Read the row with `bootproof quirks NAME`. Update the firmware, the boot loader or the certificate; or take the name out of the policy."

    AwaitingApproval "awaiting-approval" Inventory Hold
        "The host waits for a person's approval"
        cause "Its join token asks that somebody approves each host that joins with it."
        next "Check that the host is the one you expect (`bootproof host show HOST`), then `bootproof host approve HOST`."

    NeverAppraised "never-appraised" Inventory Hold
        "The host was not appraised yet"
        cause "It joined, but no evidence of it was judged yet."
        next "Wait for the agent's first evidence, or ask for it: `bootproof host attest HOST`."

    VerdictExpired "verdict-expired" Inventory Hold
        "The last verdict is too old to count"
        cause "No new evidence was judged within the time for which a verdict counts: the host is off, its agent does not run, or the network is cut."
        next "Check the agent on the host (`systemctl status bootproof-agent`); the old verdict stays in the history."
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_kebab_case_and_unique() {
        for (n, entry) in CATALOGUE.iter().enumerate() {
            assert!(
                entry
                    .name
                    .chars()
                    .all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-'),
                "{}",
                entry.name
            );
            assert!(CATALOGUE[..n].iter().all(|other| other.name != entry.name), "{}", entry.name);
            assert_eq!(Code::from_name(entry.name), Some(entry.code));
        }
        assert_eq!(Code::from_name("no-such-code"), None);
    }

    #[test]
    fn each_row_says_why_and_what_next() {
        for entry in CATALOGUE {
            for text in [entry.cause, entry.next_step] {
                assert!(text.len() > 12 && text.ends_with('.'), "{}: {text}", entry.name);
            }
            assert!(!entry.title.ends_with('.'), "{}", entry.name);
        }
    }
}
