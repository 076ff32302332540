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
    /// Why nobody can say, where nothing was seen.
    pub unknown: &'static str,
    /// What to do then.
    pub next_step: &'static str,
}

/// What to do where a check needs what others give: those come before it.
pub const MEND_ABOVE: &str = "Mend what stands above, then run this again.";

macro_rules! checks {
    ($($check:ident $name:literal $title:literal told $told:ident
        [$($code:ident)*] unknown $unknown:literal next $next:expr;)+) => {
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
                        unknown: $unknown,
                        next_step: $next,
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
        unknown "The kernel does not show by what it was started."
        next "Mount sysfs, or give a copy of `/sys/firmware` below `--root`.";

    SecureBoot "secure-boot" "Secure Boot is on, with keys" told Pass
        [SetupMode AuditMode SecureBootOff MokInsecure]
        unknown "Neither the firmware's variables nor PCR 7 say whether Secure Boot is on."
        next "Mount efivarfs (`mount -t efivarfs efivarfs /sys/firmware/efi/efivars`) and run this as root.";

    Tpm "tpm" "A TPM 2.0 is there and answers" told Pass [NoTpm TpmFault TpmVirtual]
        unknown "No TPM was asked."
        next "Run this on the host itself, or name its TPM with `--tpm`.";

    Sha256Bank "sha256-bank" "A PCR bank of SHA-256 or better is on" told Pass [Sha256BankInactive Sha256NotQuoted]
        unknown "No TPM said which banks are on."
        next MEND_ABOVE;

    Sha256Extended "sha256-extended" "The firmware measures into that bank" told Pass []
        unknown "No values of PCR 0 to 7 of such a bank could be read."
        next MEND_ABOVE;

    // For ESXi this is a fault, for Linux it is none: worth a look.
    Interface "interface" "The TPM is used through FIFO" told Warn [InterfaceNotFifo]
        unknown "There is no ACPI table TPM2, which names the interface."
        next "Run this as root; where the machine has no such table, its firmware may not know of the TPM.";

    DynamicLaunch "dynamic-launch" "No second start was measured (Intel TXT, DRTM)" told Warn
        [DynamicLaunch]
        unknown "No TPM said whether PCR 17 and 18 were extended."
        next MEND_ABOVE;

    Quote "quote" "The TPM signs its PCR values" told Pass
        [NoQuote QuoteParse QuoteMagic QuoteType QuoteSignature QualifiedSigner NonceMismatch PcrSelection
         PcrDigest PcrValues ClockWentBack AkUnfit AkNotEnrolled]
        unknown "No quote was made and verified."
        next MEND_ABOVE;

    EventLog "event-log" "The kernel has the firmware's event log" told Pass [NoEventLog]
        unknown "Nobody looked for an event log."
        next "Run this as root on the host, or name the log with `--event-log`.";

    LogComplete "event-log-complete" "The event log leads to what the TPM signed" told Pass
        [LogParse LogReplay EventData CrtmVersionData EventType Separator LogContinued LogPadding LogFull
         LogEarlierBoots BootApplicationMissing MeasuredLate MeasuredEarly BootAttemptFailed UserspaceLog
         QuirkAccepted QuirkExplains QuirkRefused]
        unknown "An event log and signed values are needed to compare them."
        next MEND_ABOVE;

    SecureBootProved "secure-boot-proved" "PCR 7 proves how Secure Boot was set" told Pass
        [SecureBootUnknown SecureBootOrder AuthorityUnknown AuthorityMissing AuthorityNotAllowed DebugMode
         DmaProtectionDisabled SecurityLevelDowngraded MokEnrolled]
        unknown "Nothing signed says how Secure Boot was set; that the system says so proves nothing."
        next MEND_ABOVE;

    EkCertificate "ek-certificate" "The TPM has a certificate of its maker" told Pass
        [EkCertAbsent EkCertMalformed EkCertPinned]
        unknown "No TPM was asked for its certificate."
        next MEND_ABOVE;

    EkChain "ek-chain" "That certificate leads to a trusted root and is this TPM's" told Pass
        [EkCertUntrusted EkCertExpired EkCertNotYetValid EkCertWrongUse EkCertKeyMismatch EkChanged]
        unknown "No root of a TPM vendor was named, so that the chain was not followed."
        next "Name the vendor's root, and the certificates between, with `--ek-root FILE`.";

    TpmLockout "tpm-lockout" "The TPM is not locked out" told Pass []
        unknown "No TPM said how its guard against guessing stands."
        next MEND_ABOVE;

    TpmFirmware "tpm-firmware" "No advisory is known of the TPM's firmware" told Pass
        [TpmFirmwareAdvisory TpmFirmwareBelowMinimum TpmFirmwareChanged]
        unknown "No TPM said its maker and version."
        next MEND_ABOVE;

    TpmKeys "tpm-keys" "The TPM's keys cannot be computed from their public parts" told Pass [KeyWeakRoca]
        unknown "No keys of a TPM were seen."
        next MEND_ABOVE;

    PlatformKey "platform-key" "The platform key is one that nobody else has" told Pass
        [TestPlatformKey PlatformKey WeakCertificate]
        unknown "No platform key was measured that the TPM vouches for."
        next MEND_ABOVE;

    Authorities "microsoft-authorities" "The authorities of 2023 are there" told Pass [Ca2011Only]
        unknown "No db and KEK were measured that the TPM vouches for."
        next MEND_ABOVE;

    Dbx "dbx" "The list of revoked images is up to date" told Pass
        [DbxOutdated DbxBelowMinimum ImageRevoked]
        unknown "No dbx was measured that the TPM vouches for."
        next MEND_ABOVE;

    Sbat "sbat" "The level of SBAT is up to date" told Pass [SbatOutdated SbatBelowMinimum]
        unknown "No shim measured its level: none was used, it is older than 15.3, or the log is not proved."
        next "Where shim starts the system update it; where nothing of shim is used there is nothing to do.";

    Clock "clock" "The clock is plausible" told Pass []
        unknown "Nobody looked at the clock of that machine."
        next "Run this on the host itself.";

    Other "other" "Nothing else speaks against the host" told Pass []
        unknown "Without signed values and their log nobody can say."
        next MEND_ABOVE;
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
            assert!(row.unknown.ends_with('.') && row.next_step.ends_with('.'), "{}", row.name);
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
                    || entry.name.starts_with("rule-")
                    || ["no-identity-key", "state-copied", "ak-renewed"].contains(&entry.name);
            assert_eq!(rows.is_empty(), of_a_server, "{}", entry.name);
            let check = Check::of(entry.code);
            assert_eq!(check == Check::Other, rows.is_empty(), "{}", entry.name);
        }
    }
}
