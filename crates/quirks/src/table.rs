//! The table.

use findings::Code;

use crate::{Effect, MachinePattern, RestsOn, Row, Sure};

macro_rules! quirks {
    ($($quirk:ident $name:literal $effect:expr, $rests_on:ident, $sure:ident,
        who $who:literal $(machines $machines:expr;)?
        deviates $deviates:literal permits $permits:literal)+) => {
        /// The known quirks.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub enum Quirk { $(#[doc = $deviates] $quirk),+ }

        impl Quirk {
            /// The row of this quirk.
            pub const fn row(self) -> &'static Row {
                match self { $(Self::$quirk => {
                    const MACHINES: &[&[MachinePattern]] = &[$($machines)?];
                    const ROW: Row = Row {
                        quirk: Quirk::$quirk,
                        name: $name,
                        who: $who,
                        machines: match MACHINES { [machines] => machines, _ => &[] },
                        deviates: $deviates,
                        permits: $permits,
                        rests_on: RestsOn::$rests_on,
                        effect: $effect,
                        sure: Sure::$sure,
                    };
                    &ROW
                })+ }
            }
        }

        /// All rows: those of logs, of machines, of certificates.
        pub static QUIRKS: &[&Row] = &[$(Quirk::$quirk.row()),+];
    };
}

quirks! {
    CrtmVersionOtherForm "crtm-version-other-form"
        Effect::Eases(Code::CrtmVersionData), UntrustedMachine, Recorded,
        who "Dell: PowerEdge and other models, in each firmware seen (texts 1.7.4 to 2.5.1)"
        machines &[MachinePattern { vendor: "Dell Inc.", ..MachinePattern::ANY }];
        deviates "The digest of EV_S_CRTM_VERSION is not of the event's data. [PFP-1.06 §10.4.1]"
        permits "The text is not believed, by anybody. On such a machine `crtm-version-data` is for information, elsewhere it warns; what was measured must lead to the quoted PCR 0 on both."

    StartupLocalityInOldLog "startup-locality-in-old-log" Effect::Accepted, Pcr0, Recorded,
        who "Dell PowerEdge with the SHA-1 bank alone"
        deviates "A log of the old format, which knows no such event, says at which locality the TPM was started. [PFP-1.06 §10.4.5.3]"
        permits "PCR 0 starts where the event says: 0, 3 or 4, once, before it is extended. A wrong one does not lead to the quoted value."

    StartupLocalityPadded "startup-locality-padded" Effect::Accepted, Pcr0, Described,
        who "coreboot and firmware made of it, which write events into slots of one size"
        deviates "Bytes follow the locality in the event of 17 bytes. [PFP-1.06 §10.4.5.3]"
        permits "What is behind the locality is not read. A wrong locality does not lead to the quoted PCR 0."

    HCrtmWithoutLocality "h-crtm-without-locality" Effect::Accepted, Pcr0, Described,
        who "Hygon, and others whose processor measures the first code"
        deviates "An H-CRTM is the first to extend PCR 0, and no event says that the TPM was started at locality 4. [PFP-1.06 §10.4.5.3]"
        permits "PCR 0 starts at 4. If that is not so, it does not lead to the quoted value."

    OldLogWithoutHeader "old-log-without-header" Effect::Accepted, UntrustedLog, Recorded,
        who "Google's virtual machines of 2019 and 2020, HP ProBook, Intel NUC, and most logs of SHA-1 alone"
        deviates "The first event of a log of the old format is extended, where a Spec ID event of EV_NO_ACTION should be. [PFP-1.06 §10.2.1]"
        permits "The log is read as one of SHA-1 alone, and vouches for no bank that is better."

    SeparatorFixedSlot "separator-fixed-slot" Effect::Accepted, Digests, Described,
        who "coreboot and firmware made of it: Dasharo, Star Labs (slots of 50 bytes)"
        deviates "EV_SEPARATOR has more data than the four bytes that were measured. [PFP-1.06 §10.4.1]"
        permits "The first four bytes are the separator, and must hash to the digest; what is behind them is not read."

    ShimAuthorityByte "shim-authority-byte" Effect::Accepted, Digests, Described,
        who "shim of old releases"
        deviates "EV_EFI_VARIABLE_AUTHORITY logs one byte more than was measured. [PFP-1.06 §10.4.1]"
        permits "All but the last byte must hash to the digest; that byte is believed by nobody."

    ExitNotLogged "exit-boot-services-not-logged" Effect::Permissible, Pcr5, Described,
        who "kernels and loaders that do not look into the firmware's table of final events, such as Linux before 5.3, and firmware that does not fill it"
        deviates "PCR 5 holds the end of boot services, and the log lacks events of it. [PFP-1.06 §10.4.4]"
        permits "Nothing by itself, since a log that was cut looks the same: the host is refused by `log-replay`. Where `quirks.permit` in a policy names it, the events of the log and a whole end of boot services must lead to the quoted PCR 5."

    SystemdBootLineNul "systemd-boot-line-nul" Effect::Accepted, Digests, Described,
        who "systemd-boot and systemd-stub of old releases"
        deviates "EV_IPL logs a command line without the NUL that was measured behind it. [PFP-1.06 §10.4.1]"
        permits "The text and a NUL must hash to the digest."

    SecurityLevelText "security-level-text"
        Effect::Names(Code::SecurityLevelDowngraded), Digests, Recorded,
        who "HP: EliteBook and other clients"
        deviates "EV_EFI_ACTION of PCR 7 has a text that the standard does not know: the firmware lowered a level of its own. [PFP-1.06 §10.4.4]"
        permits "Nothing: `security-level-downgraded` warns of it, and names this row."

    EventsOfNoPcr "events-of-no-pcr" Effect::Listed, UntrustedLog, Recorded,
        who "Windows, which ends its copy of the log so"
        deviates "EV_NO_ACTION events have the index FFFFFFFFh, of no PCR. [PFP-1.06 §10.2.2]"
        permits "They are read and extend nothing, as no EV_NO_ACTION does. The SHA-1 digests of such a log may be wrong beside right ones of SHA-256: beside a better bank SHA-1 is not compared and proves nothing."

    PostCodeStructure "post-code-structure" Effect::Listed, UntrustedLog, Recorded,
        who "Supermicro, Dell clients and others with AMI's firmware"
        deviates "EV_POST_CODE has address and length of the measured code, where others have a text. [PFP-1.06 §10.4.1]"
        permits "Its data is shown and not compared with the digest, which is of the code."

    PostCodeText "post-code-text" Effect::Listed, UntrustedLog, Recorded,
        who "Lenovo, HP, and others with Phoenix' or Insyde's firmware"
        deviates "EV_POST_CODE has a short text, where others have address and length of the measured code. [PFP-1.06 §10.4.1]"
        permits "Its data is shown and not compared with the digest, which is of what the text names."

    FinalEventsTwice "final-events-twice" Effect::Explains, UntrustedLog, Described,
        who "Linux on Lenovo ThinkSystem SR635 and other machines, whose table of final events it appends to a log that has them"
        deviates "The last events stand in the log twice, and were extended once. [PFP-1.06 §10.2.2]"
        permits "Nothing: all events are replayed, the log does not lead to the quoted values, and the host is refused by `log-replay`."

    TwoCrtmVersions "two-crtm-versions" Effect::Explains, UntrustedLog, Described,
        who "Lenovo ThinkBook of 2026"
        deviates "Two EV_S_CRTM_VERSION events stand in PCR 0, which does not replay. [PFP-1.06 §3.3.4.1]"
        permits "Nothing: the host is refused by `log-replay`."

    HpeU31Pcr0 "hpe-u31-pcr-0" Effect::Explains, UntrustedMachine, Recorded,
        who "HPE ProLiant DL160 Gen10, firmware U31"
        machines &[MachinePattern {
            vendor: "HPE",
            product: "ProLiant DL160 Gen10",
            firmware: "U31",
            ..MachinePattern::ANY
        }];
        deviates "The events of PCR 0 lead to another value than the TPM has, in each bank. [PFP-1.06 §3.3.4.1]"
        permits "Nothing: what this firmware measured is known to nobody, and the host is refused by `log-replay`."

    VmwareGuestPcr0 "vmware-guest-pcr-0" Effect::Explains, UntrustedMachine, Described,
        who "virtual machines of VMware, some releases"
        machines &[MachinePattern { vendor: "VMware, Inc.", ..MachinePattern::ANY }];
        deviates "The events of PCR 0 lead to another value than the virtual TPM has. [PFP-1.06 §3.3.4.1]"
        permits "Nothing: the host is refused by `log-replay`."

    CorebootLog "coreboot-log" Effect::Explains, UntrustedMachine, Described,
        who "coreboot and firmware made of it: Dasharo, Star Labs, some releases"
        machines &[
            MachinePattern { firmware_vendor: "coreboot", ..MachinePattern::ANY },
            MachinePattern { firmware_vendor: "3mdeb", ..MachinePattern::ANY },
            MachinePattern { vendor: "Star Labs", ..MachinePattern::ANY },
        ];
        deviates "Events of PCR 0 to 7 are missing in the log, or its area was full. [PFP-1.06 §10.2.2]"
        permits "Nothing: the host is refused by `log-replay`."

    EkCertNoExtendedKeyUsage "ek-cert-no-extended-key-usage" Effect::Accepted, Certificate, Described,
        who "makers of TPMs whose certificates are older than the profile of today"
        deviates "The certificate has no extKeyUsage. [TCG-EK-2.6 §3.2]"
        permits "The TPM's manufacturer in subjectAltName marks it as one of an endorsement key. An extKeyUsage of another purpose is refused."

    EkCertNoManufacturer "ek-cert-no-manufacturer" Effect::Accepted, Certificate, Described,
        who "virtual TPMs and single makers"
        deviates "The certificate does not name the TPM's manufacturer in subjectAltName. [TCG-EK-2.6 §3.1.2]"
        permits "The extKeyUsage of an endorsement key certificate marks it as one. With neither it is refused."

    EkCertNoKeyUsage "ek-cert-no-key-usage" Effect::Accepted, Certificate, Described,
        who "makers of TPMs whose certificates are older than the profile of today"
        deviates "The certificate has no keyUsage. [TCG-EK-2.6 §3.2]"
        permits "Its key is used as that of an endorsement key. A keyUsage that forbids this is refused."

    EkCertEccKeyEncipherment "ek-cert-ecc-key-encipherment" Effect::Accepted, Certificate, Described,
        who "Nationz"
        deviates "The certificate of an elliptic curve key allows keyEncipherment instead of keyAgreement. [TCG-EK-2.6 §3.2]"
        permits "Its key is used as that of an endorsement key all the same."

    EkCertNvHeader "ek-cert-nv-header" Effect::Accepted, UntrustedNv, Recorded,
        who "Intel NUC and others, whose TPM was filled in the way of TPM 1.2"
        deviates "Seven bytes of TPM 1.2 lie before the certificate in its NV index. [PCC-1.2 §7.3.2]"
        permits "They are taken off, and are judged as no part of the certificate."
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_kebab_case_unique_and_read_back() {
        for (n, row) in QUIRKS.iter().enumerate() {
            let is_kebab = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
            assert!(row.name.chars().all(is_kebab), "{}", row.name);
            assert!(QUIRKS[..n].iter().all(|other| other.name != row.name), "{}", row.name);
            assert_eq!(Quirk::from_name(row.name), Some(row.quirk));
        }
        assert_eq!(Quirk::from_name("no-such-quirk"), None);
    }

    #[test]
    fn each_row_says_who_what_and_by_which_section() {
        for row in QUIRKS {
            assert!(!row.who.is_empty() && row.permits.ends_with('.'), "{}", row.name);
            assert!(row.deviates.contains(" §") && row.deviates.ends_with(']'), "{}", row.name);
        }
    }

    /// What the host says of itself can be a lie. So no row that rests on it accepts anything.
    #[test]
    fn the_word_of_a_host_accepts_nothing() {
        for row in QUIRKS {
            let rests = row.rests_on == RestsOn::UntrustedMachine;
            assert_eq!(rests, !row.machines.is_empty(), "{}", row.name);
            if rests {
                let eased =
                    matches!(row.effect, Effect::Eases(_) | Effect::Names(_) | Effect::Explains);
                assert!(eased, "{}", row.name);
            }
            if row.effect == Effect::Explains {
                assert!(row.permits.starts_with("Nothing: "), "{}", row.name);
            }
            if let Effect::Eases(code) = row.effect {
                assert_ne!(code.entry().severity, findings::Severity::Fail, "{}", row.name);
            }
        }
    }
}
