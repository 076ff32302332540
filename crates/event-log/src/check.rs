//! Whether the data of an event is what was measured.

use efi::VariableData;
use tpm_wire::TpmAlgId;

use crate::event_type::EventType;
use crate::hash::{is_hash_of, is_supported};
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
    /// EV_S_CRTM_VERSION of PCR 0: some firmware measures another form of its version than it logs.
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
    let grub = grub_text(event);
    let rule = rule_of(event, grub.is_some());
    if matches!(rule, Rule::Never) {
        return DataCheck::Unverifiable;
    }
    // The one that is asked first is asked for each convention: the cheapest.
    let mut first = None;
    let mut n_counted = 0usize;
    for (alg, digest) in event.digests.iter() {
        if is_supported(alg) && counts(alg) {
            n_counted = n_counted.saturating_add(1);
            if first.is_none() || alg == TpmAlgId::SHA256 {
                first = Some((alg, digest));
            }
        }
    }
    let Some((first_alg, first)) = first else { return DataCheck::Unverifiable };
    let others = || {
        let counted = |alg: &TpmAlgId| *alg != first_alg && is_supported(*alg) && counts(*alg);
        event.digests.iter().filter(move |(alg, _)| counted(alg))
    };
    let are_of = |parts: &[&[u8]]| {
        is_hash_of(first_alg, parts, first)
            && (n_counted == 1 || others().all(|(alg, digest)| is_hash_of(alg, parts, digest)))
    };
    match convention_of(event, grub, are_of) {
        Some(convention) => DataCheck::Matches(convention),
        None => match rule {
            Rule::Must(contradiction) => DataCheck::Contradicts(contradiction),
            Rule::May | Rule::Never => DataCheck::Unverifiable,
        },
    }
}

fn rule_of(event: &Event<'_>, is_grub_text: bool) -> Rule {
    match event.untrusted_event_type {
        // Elsewhere it is no version of a root of trust, and what some firmware does is no excuse.
        EventType::S_CRTM_VERSION if event.pcr_index == 0 => Rule::Must(Contradiction::CrtmVersion),
        EventType::S_CRTM_VERSION
        | EventType::SEPARATOR
        | EventType::ACTION
        | EventType::EFI_ACTION
        | EventType::EFI_GPT_EVENT
        | EventType::EFI_VARIABLE_AUTHORITY
        | EventType::EFI_VARIABLE_DRIVER_CONFIG
        | EventType::EFI_VARIABLE_BOOT
        | EventType::EFI_VARIABLE_BOOT2 => Rule::Must(Contradiction::Other),
        EventType::IPL if is_grub_text => Rule::Must(Contradiction::Other),
        EventType::EFI_BOOT_SERVICES_APPLICATION
        | EventType::EFI_BOOT_SERVICES_DRIVER
        | EventType::EFI_RUNTIME_SERVICES_DRIVER
        | EventType::EFI_PLATFORM_FIRMWARE_BLOB
        | EventType::EFI_PLATFORM_FIRMWARE_BLOB2
        | EventType::EFI_HCRTM_EVENT => Rule::Never,
        _ => Rule::May,
    }
}

/// The first of the conventions for the type of `event` that `are_of` says to hold, the likeliest
/// asked first: each question costs a hash over what was measured, its parts one behind the other.
fn convention_of(
    event: &Event<'_>,
    grub: Option<GrubText<'_>>,
    are_of: impl Fn(&[&[u8]]) -> bool,
) -> Option<Convention> {
    let data = event.untrusted_data;
    let is = |convention, part: &[u8]| are_of(&[part]).then_some(convention);
    let is_whole = || is(Convention::Data, data);
    let is_but_last = || is(Convention::DataButLastByte, data.split_last()?.1);
    match event.untrusted_event_type {
        EventType::IPL => match grub {
            Some(text) => is(Convention::GrubText, text.text)
                .or_else(|| is(Convention::GrubTextWithNul, text.text_with_nul))
                .or_else(is_whole),
            None => is_whole().or_else(|| are_of(&[data, &[0]]).then_some(Convention::DataAndNul)),
        },
        EventType::EFI_VARIABLE_BOOT => VariableData::parse(data)
            .ok()
            .and_then(|variable| is(Convention::VariableValue, variable.value))
            .or_else(is_whole),
        EventType::EFI_VARIABLE_AUTHORITY => is_whole().or_else(is_but_last),
        EventType::EVENT_TAG => {
            is_whole().or_else(|| is(Convention::TaggedData, tagged_data(data)?))
        }
        EventType::ACTION | EventType::EFI_ACTION if data.last() == Some(&0) => {
            is_whole().or_else(is_but_last)
        }
        EventType::SEPARATOR if SeparatorValue::ALL.iter().all(|v| v.bytes() != data) => is_whole()
            .or_else(|| is(Convention::SeparatorStart, data.get(..4)?))
            .or_else(|| is(Convention::SeparatorError, &SeparatorValue::Error.bytes())),
        _ => is_whole(),
    }
}

/// A text that GRUB measured.
#[derive(Clone, Copy)]
struct GrubText<'a> {
    /// What is behind the prefix, without NUL.
    text: &'a [u8],
    /// The same with its NUL, where it has one.
    text_with_nul: &'a [u8],
}

/// The texts that GRUB measures into PCR 8, as its releases and those of distributions log them.
const GRUB_PREFIXES: [&[u8]; 6] = [
    b"grub_cmd: ",
    b"kernel_cmdline: ",
    b"module_cmdline: ",
    b"grub_cmd ",
    b"grub_kernel_cmdline ",
    b"grub_module_cmdline ",
];

/// The text of `event`, where it is one of GRUB's in PCR 8.
fn grub_text<'a>(event: &Event<'a>) -> Option<GrubText<'a>> {
    if event.pcr_index != 8 || event.untrusted_event_type != EventType::IPL {
        return None;
    }
    GRUB_PREFIXES.into_iter().find_map(|prefix| {
        let text_with_nul = event.untrusted_data.strip_prefix(prefix)?;
        let text = text_with_nul.strip_suffix(&[0]).unwrap_or(text_with_nul);
        Some(GrubText { text, text_with_nul })
    })
}

/// taggedEventData of TCG_PCClientTaggedEvent. [PFP-1.06 §10.4.2.1]
fn tagged_data(data: &[u8]) -> Option<&[u8]> {
    let mut reader = efi::Reader::new(data);
    reader.u32("taggedEventID").ok()?;
    let n = usize::try_from(reader.u32("taggedEventDataSize").ok()?).ok()?;
    reader.take("taggedEventData", n).ok()
}
