//! Whether the data of an event is what was measured.

use efi::VariableData;
use tpm_wire::TpmAlgId;

use crate::event_type::EventType;
use crate::hash::{hash, is_supported};
use crate::log::Event;
use crate::separator::SeparatorValue;

/// Whether the data of an event is what was measured.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DataCheck {
    /// The digests are of the data, or of the part of it that is named.
    Matches(Convention),
    /// Nothing says that the digests should be of the data: images, firmware volumes, files.
    Unverifiable,
    /// The digests should be of the data, and are not.
    Contradicts(Contradiction),
    /// EV_NO_ACTION: nothing was measured.
    NotMeasured,
}

/// What the digests of an event are of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Convention {
    /// The whole data.
    Data,
    /// The data without its last byte. A NUL behind a text; and old shims log one byte more of an
    /// authority than they measure: nothing vouches for that byte.
    DataButLastByte,
    /// The data and a NUL: old systemd-boot logs one byte less of a command line than it measures.
    DataAndNul,
    /// The value of the variable, without its name: nothing vouches for the name.
    VariableValue,
    /// GRUB's text behind `grub_cmd: ` and the like, without a NUL: nothing vouches for the prefix.
    GrubText,
    /// The same with its NUL.
    GrubTextWithNul,
    /// The data behind tag and size of a tagged event: nothing vouches for the tag.
    TaggedData,
    /// The first four bytes of a separator that has more.
    SeparatorStart,
    /// 00000001h, where the separator's data is a text about an error of the firmware.
    SeparatorError,
}

/// Contradictions that a policy may come to treat apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Contradiction {
    /// EV_S_CRTM_VERSION: some firmware measures another form of its version than it logs.
    CrtmVersion,
    /// Each other event.
    Other,
}

/// What the standard says about the digests of a type.
enum Rule {
    /// They are of the data.
    Must(Contradiction),
    /// They may be of the data.
    May,
    /// They are of something else that is not in the log.
    Never,
}

/// Checks the digests of `event` against its data, in the banks that `counts` says; a bank that we
/// have no hash for is not looked at, and if none is left the data cannot be verified. One
/// [`Convention`] must hold in each bank. [PFP-1.06 §10.4.1]
///
/// Trust: [`DataCheck::Matches`] says that data and digest belong together. That the digest was
/// extended is what [`Replayed::covers`](crate::Replayed::covers) says.
pub fn check_data(event: &Event<'_>, counts: impl Fn(TpmAlgId) -> bool) -> DataCheck {
    if !event.is_extended() {
        return DataCheck::NotMeasured;
    }
    let rule = rule_of(event);
    if matches!(rule, Rule::Never) {
        return DataCheck::Unverifiable;
    }
    let digests = || event.digests.iter().filter(|(alg, _)| is_supported(*alg) && counts(*alg));
    if digests().next().is_none() {
        return DataCheck::Unverifiable;
    }
    let are_of = |[first, second]: [&[u8]; 2]| {
        digests().all(|(alg, digest)| {
            hash(alg, &[first, second]).is_some_and(|hashed| hashed.as_bytes() == digest)
        })
    };
    match candidates(event).find(|(_, measured)| are_of(*measured)) {
        Some((convention, _)) => DataCheck::Matches(convention),
        None => match rule {
            Rule::Must(contradiction) => DataCheck::Contradicts(contradiction),
            Rule::May | Rule::Never => DataCheck::Unverifiable,
        },
    }
}

fn rule_of(event: &Event<'_>) -> Rule {
    match event.untrusted_event_type {
        EventType::S_CRTM_VERSION => Rule::Must(Contradiction::CrtmVersion),
        EventType::SEPARATOR
        | EventType::ACTION
        | EventType::EFI_ACTION
        | EventType::EFI_GPT_EVENT
        | EventType::EFI_VARIABLE_AUTHORITY
        | EventType::EFI_VARIABLE_DRIVER_CONFIG
        | EventType::EFI_VARIABLE_BOOT
        | EventType::EFI_VARIABLE_BOOT2 => Rule::Must(Contradiction::Other),
        EventType::IPL if grub_text(event).is_some() => Rule::Must(Contradiction::Other),
        EventType::EFI_BOOT_SERVICES_APPLICATION
        | EventType::EFI_BOOT_SERVICES_DRIVER
        | EventType::EFI_RUNTIME_SERVICES_DRIVER
        | EventType::EFI_PLATFORM_FIRMWARE_BLOB
        | EventType::EFI_PLATFORM_FIRMWARE_BLOB2
        | EventType::EFI_HCRTM_EVENT => Rule::Never,
        _ => Rule::May,
    }
}

/// What the digests of `event` may be of, the likeliest first; each as two parts to be hashed one
/// behind the other.
fn candidates<'a>(event: &Event<'a>) -> impl Iterator<Item = (Convention, [&'a [u8]; 2])> {
    let data = event.untrusted_data;
    let but_last = || data.split_last().map(|(_, front)| front);
    let whole = Some((Convention::Data, data));
    let mut list: [Option<(Convention, &'a [u8])>; 3] = [whole, None, None];
    let mut suffix: &[u8] = &[];
    match event.untrusted_event_type {
        EventType::IPL => match grub_text(event) {
            Some(text) => {
                let with_nul = (Convention::GrubTextWithNul, text.text_with_nul);
                list = [Some((Convention::GrubText, text.text)), Some(with_nul), whole];
            }
            None => suffix = &[0],
        },
        EventType::EFI_VARIABLE_BOOT => {
            let value =
                VariableData::parse(data).ok().map(|v| (Convention::VariableValue, v.value));
            list = [value, whole, None];
        }
        EventType::EFI_VARIABLE_AUTHORITY => {
            list = [whole, but_last().map(|front| (Convention::DataButLastByte, front)), None];
        }
        EventType::EVENT_TAG => {
            list = [whole, tagged_data(data).map(|d| (Convention::TaggedData, d)), None];
        }
        EventType::ACTION | EventType::EFI_ACTION if data.last() == Some(&0) => {
            list = [whole, but_last().map(|front| (Convention::DataButLastByte, front)), None];
        }
        EventType::SEPARATOR if SeparatorValue::ALL.iter().all(|v| v.bytes() != data) => {
            let start = data.get(..4).map(|start| (Convention::SeparatorStart, start));
            list = [whole, start, Some((Convention::SeparatorError, &[1, 0, 0, 0]))];
        }
        _ => {}
    }
    let with_nul = (!suffix.is_empty()).then_some((Convention::DataAndNul, [data, suffix]));
    list.into_iter().flatten().map(|(convention, part)| (convention, [part, &[]])).chain(with_nul)
}

/// A text that GRUB measured.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct GrubText<'a> {
    /// `grub_cmd`, `kernel_cmdline`, `module_cmdline`. No digest covers it.
    pub untrusted_prefix: &'static str,
    /// What is behind the prefix, without NUL.
    pub text: &'a [u8],
    /// The same with its NUL, where it has one.
    text_with_nul: &'a [u8],
}

/// The texts that GRUB measures into PCR 8, as its releases and those of distributions log them.
const GRUB_PREFIXES: [(&str, &[u8]); 6] = [
    ("grub_cmd", b"grub_cmd: "),
    ("kernel_cmdline", b"kernel_cmdline: "),
    ("module_cmdline", b"module_cmdline: "),
    ("grub_cmd", b"grub_cmd "),
    ("kernel_cmdline", b"grub_kernel_cmdline "),
    ("module_cmdline", b"grub_module_cmdline "),
];

/// The text of `event`, where it is one of GRUB's in PCR 8.
pub fn grub_text<'a>(event: &Event<'a>) -> Option<GrubText<'a>> {
    if event.pcr_index != 8 || event.untrusted_event_type != EventType::IPL {
        return None;
    }
    GRUB_PREFIXES.into_iter().find_map(|(name, prefix)| {
        let text_with_nul = event.untrusted_data.strip_prefix(prefix)?;
        let text = text_with_nul.strip_suffix(&[0]).unwrap_or(text_with_nul);
        Some(GrubText { untrusted_prefix: name, text, text_with_nul })
    })
}

/// taggedEventData of TCG_PCClientTaggedEvent. [PFP-1.06 §10.4.2.1]
fn tagged_data(data: &[u8]) -> Option<&[u8]> {
    let mut reader = efi::Reader::new(data);
    reader.u32("taggedEventID").ok()?;
    let n = usize::try_from(reader.u32("taggedEventDataSize").ok()?).ok()?;
    reader.take("taggedEventData", n).ok()
}
