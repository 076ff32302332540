//! The table: what is looked at, in the order in which one should mend it.

use findings::Code;

use crate::State;

/// One line of the checklist.
#[derive(Clone, Copy, Debug)]
pub struct Row {
    /// The check.
    pub check: Check,
    /// Its stable name, in kebab-case.
    pub name: &'static str,
    /// What holds where it passes.
    pub title: &'static str,
    /// The findings that stand under it, those first that are to be mended first: without keys Secure
    /// Boot cannot be turned on.
    pub codes: &'static [Code],
    /// What those of them are that leave a verdict alone: a remark, or worth a look.
    pub told: State,
    /// Why nobody can say on Linux, where nothing was seen, and what to do then; `None`: nobody looks
    /// there.
    pub on_linux: Option<Unknown>,
    /// The same of ESXi, whose shell shows other things.
    pub on_esxi: Option<Unknown>,
}

/// Why nobody can say how a check comes out, and what to do then.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Unknown {
    /// Why, a sentence.
    pub why: &'static str,
    /// What to do, a sentence.
    pub next_step: &'static str,
}

/// What a host runs that is looked at.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum System {
    /// Linux, on the host itself or as a copy of its files.
    #[default]
    Linux,
    /// ESXi, by what its commands and logs print.
    Esxi,
}

impl Row {
    /// Why nobody can say, where nothing was seen on such a system; `None` where nobody looks there.
    pub const fn unknown_on(&self, system: System) -> Option<Unknown> {
        match system {
            System::Linux => self.on_linux,
            System::Esxi => self.on_esxi,
        }
    }
}

/// What to do where a check needs what others give: those come before it.
pub const MEND_ABOVE: &str = "Mend what stands above, then run this again.";

macro_rules! unknown {
    () => {
        None
    };
    ($why:expr, $next_step:expr) => {
        Some(Unknown { why: $why, next_step: $next_step })
    };
}

macro_rules! checks {
    ($($check:ident $name:literal $title:literal told $told:ident
        [$($code:ident)*]
        $(linux $linux:literal next $linux_next:tt)?
        $(esxi $esxi:literal next $esxi_next:tt)?;)+) => {
        /// What is looked at, in the order in which one should mend it.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum Check { $(#[doc = $title] $check),+ }

        impl Check {
            /// The row of this check.
            pub const fn row(self) -> &'static Row {
                match self { $(Self::$check => {
                    const ROW: Row = Row {
                        check: Check::$check,
                        name: $name,
                        title: $title,
                        codes: &[$(Code::$code),*],
                        told: State::$told,
                        on_linux: unknown![$($linux, $linux_next)?],
                        on_esxi: unknown![$($esxi, $esxi_next)?],
                    };
                    &ROW
                })+ }
            }
        }

        /// All rows in their order.
        pub static CHECKS: &[&Row] = &[$(Check::$check.row()),+];
    };
}

impl Check {
    /// The check under which this finding stands. One that no row names stands under the last, so
    /// that none is lost.
    pub fn of(code: Code) -> Self {
        let named = CHECKS.iter().find(|row| row.codes.contains(&code));
        named.map_or(Self::Other, |row| row.check)
    }
}

// Firmware settings come before the TPM's, and both before what can only be read through them: the
// order in which a setting decides whether the next can be seen at all. Keys, lists and dates, which
// are mended in the running system, come last.
checks! {
    Uefi "uefi" "The firmware boots by UEFI" told Pass []
        linux "The kernel does not show by what it was started."
            next "Mount sysfs, or give a copy of `/sys/firmware` below `--root`.";

    SignedVibs "signed-vibs" "All that is installed is signed, so that Secure Boot can be on" told Pass []
        esxi "No output says whether the host would start with Secure Boot."
            next "Give the output of `/usr/lib/vmware/secureboot/bin/secureBoot.py -c` and of `esxcli software vib list`.";

    SecureBoot "secure-boot" "Secure Boot is on, with keys" told Pass
        [SetupMode AuditMode SecureBootOff MokInsecure]
        linux "Neither the firmware's variables nor PCR 7 say whether Secure Boot is on."
            next "Mount efivarfs (`mount -t efivarfs efivarfs /sys/firmware/efi/efivars`) and run this as root."
        esxi "No output says whether Secure Boot was on when the host started."
            next "Give the output of `/usr/lib/vmware/secureboot/bin/secureBoot.py -s`, with the line of the command.";

    Tpm "tpm" "A TPM 2.0 is there and answers" told Pass [NoTpm TpmFault TpmVirtual]
        linux "No TPM was asked."
            next "Run this on the host itself, or name its TPM with `--tpm`."
        esxi "No output says that the host has a TPM 2.0 and uses it."
            next "Give the output of `esxcli hardware trustedboot get`.";

    Sha256Bank "sha256-bank" "A PCR bank of SHA-256 or better is on" told Pass [Sha256BankInactive Sha256NotQuoted]
        linux "No TPM said which banks are on."
            next MEND_ABOVE
        esxi "No log says that the driver found the bank of SHA-256."
            next "Give `grep -i tpm /var/log/vmkernel.log` of a start of the host, or the file itself.";

    Sha256Extended "sha256-extended" "The firmware measures into that bank" told Pass []
        linux "No values of PCR 0 to 7 of such a bank could be read."
            next MEND_ABOVE;

    // What this and the next mean depends on the profile.
    Interface "interface" "The TPM is used through FIFO" told Pass [InterfaceNotFifo]
        linux "There is no ACPI table TPM2, which names the interface."
            next "Run this as root; where the machine has no such table, its firmware may not know of the TPM."
        esxi "No log says how the driver speaks to the TPM."
            next "Give `grep -i tpm /var/log/vmkernel.log` of a start of the host, or the file itself.";

    DynamicLaunch "dynamic-launch" "The second start (Intel TXT, DRTM) is as the system wants it" told Pass
        [DynamicLaunch]
        linux "No TPM said whether PCR 17 and 18 were extended."
            next MEND_ABOVE
        esxi "No output says whether the host was launched by Intel TXT."
            next "Give the output of `esxcli hardware trustedboot get`.";

    Quote "quote" "The TPM signs its PCR values" told Pass
        [NoQuote QuoteParse QuoteMagic QuoteType QuoteSignature QualifiedSigner NonceMismatch PcrSelection
         PcrDigest PcrValues ClockWentBack AkUnfit AkNotEnrolled]
        linux "No quote was made and verified."
            next MEND_ABOVE;

    EventLog "event-log" "The kernel has the firmware's event log" told Pass [NoEventLog]
        linux "Nobody looked for an event log."
            next "Run this as root on the host, or name the log with `--event-log`.";

    LogComplete "event-log-complete" "The event log leads to what the TPM signed" told Pass
        [LogParse LogReplay EventData CrtmVersionData EventType Separator LogContinued LogPadding LogFull
         LogEarlierBoots BootApplicationMissing MeasuredLate MeasuredEarly BootAttemptFailed UserspaceLog
         QuirkAccepted QuirkExplains QuirkRefused]
        linux "An event log and signed values are needed to compare them."
            next MEND_ABOVE;

    SecureBootProved "secure-boot-proved" "PCR 7 proves how Secure Boot was set" told Pass
        [SecureBootUnknown SecureBootOrder AuthorityUnknown AuthorityMissing AuthorityNotAllowed DebugMode
         DmaProtectionDisabled SecurityLevelDowngraded MokEnrolled]
        linux "Nothing signed says how Secure Boot was set; that the system says so proves nothing."
            next MEND_ABOVE;

    EkCertificate "ek-certificate" "The TPM has a certificate of its maker" told Pass
        [EkCertAbsent EkCertMalformed EkCertPinned]
        linux "No TPM was asked for its certificate."
            next MEND_ABOVE
        esxi "No log of hostd speaks of the endorsement key."
            next "Give `grep Tpm20Provider /var/log/hostd.log` of a start of the host, or the file itself.";

    EkChain "ek-chain" "That certificate leads to a trusted root and is this TPM's" told Pass
        [EkCertUntrusted EkCertExpired EkCertNotYetValid EkCertWrongUse EkCertKeyMismatch EkChanged]
        linux "No root of a TPM vendor was named, so that the chain was not followed."
            next "Name the vendor's root, and the certificates between, with `--ek-root FILE`.";

    IdentityKey "identity-key" "vCenter has the TPM's identity key" told Pass [NoIdentityKey]
        esxi "No log of vCenter speaks of this host's identity key."
            next "Give `grep Attestation /var/log/vmware/vpxd/vpxd.log` of vCenter.";

    TpmLockout "tpm-lockout" "The TPM is not locked out" told Pass []
        linux "No TPM said how its guard against guessing stands."
            next MEND_ABOVE;

    TpmFirmware "tpm-firmware" "No advisory is known of the TPM's firmware" told Pass
        [TpmFirmwareAdvisory TpmFirmwareBelowMinimum TpmFirmwareChanged]
        linux "No TPM said its maker and version."
            next MEND_ABOVE
        esxi "No output says who made the TPM, and its version."
            next "Give the output of `vsish -e get /vmkModules/tpmdriver/vendor` and `vsish -e get /vmkModules/tpmdriver/firmware/version`, with the lines of the commands.";

    TpmKeys "tpm-keys" "The TPM's keys cannot be computed from their public parts" told Pass [KeyWeakRoca]
        linux "No keys of a TPM were seen."
            next MEND_ABOVE;

    PlatformKey "platform-key" "The platform key is one that nobody else has" told Pass
        [TestPlatformKey PlatformKey WeakCertificate]
        linux "No platform key was measured that the TPM vouches for."
            next MEND_ABOVE;

    Authorities "microsoft-authorities" "The authorities of 2023 are there" told Pass [Ca2011Only]
        linux "No db and KEK were measured that the TPM vouches for."
            next MEND_ABOVE;

    Dbx "dbx" "The list of revoked images is up to date" told Pass
        [DbxOutdated DbxBelowMinimum ImageRevoked]
        linux "No dbx was measured that the TPM vouches for."
            next MEND_ABOVE;

    Sbat "sbat" "The level of SBAT is up to date" told Pass [SbatOutdated SbatBelowMinimum]
        linux "No shim measured its level: none was used, it is older than 15.3, or the log is not proved."
            next "Where shim starts the system update it; where nothing of shim is used there is nothing to do.";

    SecureBootEnforced "secure-boot-enforced" "ESXi refuses to start without Secure Boot" told Pass []
        esxi "No output says what the host demands of its next start."
            next "Give the output of `esxcli system settings encryption get`.";

    SealedConfiguration "sealed-configuration" "The host's configuration is sealed to its TPM" told Pass []
        esxi "No output says how the host's configuration is kept."
            next "Give the output of `esxcli system settings encryption get`.";

    InstalledOnly "installed-only" "Only programs of installed VIBs run" told Pass []
        esxi "No output says which programs may run."
            next "Give the output of `esxcli system settings encryption get`.";

    RecoveryKey "recovery-key" "The sealed configuration has a recovery key" told Pass []
        esxi "No output says whether there is a recovery key."
            next "Give the output of `esxcli system settings encryption recovery list`: the key itself is taken out before anything is looked at, and never shown.";

    KeyPersistence "key-persistence" "The host keeps no keys of its virtual machines" told Pass []
        esxi "No output says whether keys are kept."
            next "Give the output of `esxcli system security keypersistence get`, with the line of the command.";

    Clock "clock" "The clock is plausible" told Pass []
        linux "Nobody looked at the clock of that machine."
            next "Run this on the host itself.";

    Other "other" "Nothing else speaks against the host" told Pass []
        linux "Without signed values and their log nobody can say."
            next MEND_ABOVE
        esxi "No log was given in which there could be more."
            next "Give `/var/log/vmkernel.log`, `/var/log/hostd.log` and vCenter's vpxd.log; `bootproof diagnose` tells more of them.";
}

#[cfg(test)]
mod tests {
    use findings::{CATALOGUE, Group};

    use super::*;

    #[test]
    fn each_check_has_its_name_and_says_what_to_do_where_nothing_was_seen() {
        for (n, row) in CHECKS.iter().enumerate() {
            assert_eq!(CHECKS[n].check.row().name, row.name);
            assert!(
                row.name.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-')
            );
            assert!(CHECKS[..n].iter().all(|other| other.name != row.name), "{}", row.name);
            assert!(CHECKS[..n].iter().all(|other| other.check < row.check), "{}", row.name);
            let unknown: Vec<_> = row.on_linux.into_iter().chain(row.on_esxi).collect();
            assert!(!unknown.is_empty(), "{}", row.name);
            for Unknown { why, next_step } in unknown {
                assert!(why.ends_with('.') && next_step.ends_with('.'), "{}", row.name);
            }
            assert!(!row.title.ends_with('.'), "{}", row.name);
        }
    }

    #[test]
    fn each_finding_stands_under_one_check_and_the_rest_is_what_no_host_alone_can_have() {
        for entry in CATALOGUE {
            let rows: Vec<_> =
                CHECKS.iter().filter(|row| row.codes.contains(&entry.code)).collect();
            assert!(rows.len() <= 1, "{} stands under two checks", entry.name);
            let of_a_server =
                matches!(entry.group, Group::Reference | Group::Runtime | Group::Inventory)
                    && entry.name != "no-identity-key"
                    || entry.name.starts_with("rule-")
                    || ["state-copied", "ak-renewed"].contains(&entry.name);
            assert_eq!(rows.is_empty(), of_a_server, "{}", entry.name);
            let check = Check::of(entry.code);
            assert_eq!(check == Check::Other, rows.is_empty(), "{}", entry.name);
        }
    }
}
