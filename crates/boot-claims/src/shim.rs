//! What shim measures of its own state.

use efi::{CertType, Guid, VariableData};
use event_log::{Event, EventType, hash};

use crate::belief::Belief;
use crate::image::measured;
use crate::view::View;

/// The state of shim, as far as it was measured.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Shim<'a> {
    /// The level of SBAT in force, a text.
    pub sbat_level: Option<ShimFact<'a>>,
    /// The event that says that shim verifies nothing (MokSBState).
    pub validation_off: Option<ShimFact<'a>>,
    /// Keys of the owner (MokList): the event, where the list is neither empty nor just the
    /// certificate inside shim, which shim puts in front. Its content is not in the log.
    pub mok_list: Option<u32>,
    /// What the owner refuses (MokListX): the event, where the list is not empty.
    pub mok_list_x: Option<u32>,
    /// Whether kernels may trust the owner's keys for modules (MokListTrusted), where the digest is of
    /// one of its two values: the value itself is not in the log.
    pub mok_list_trusted: Option<bool>,
    /// Authorities that MokList has, by its digest: the lists of those that were named, one behind the
    /// other, are its whole content.
    pub in_mok_list: Vec<u32>,
}

/// Something that shim measured.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ShimFact<'a> {
    /// Number of the event.
    pub event: u32,
    /// Its value.
    pub value: &'a [u8],
    /// Whether that is what was measured.
    pub belief: Belief,
}

/// Reads it. Variables are measured into PCR 7 with their value, lists into PCR 14 by digest, under
/// their name; a list of no byte has the digest of nothing.
pub(crate) fn read_shim<'a>(view: &View<'_, '_, 'a>) -> Shim<'a> {
    let mut shim = Shim::default();
    // The lists that hold one certificate each, which shim names before it starts what that allows.
    // Where it named none, a list of its own alone cannot be told from the owner's.
    let named: Vec<Named> = view.events().filter_map(named_list).take(NAMED_KEPT).collect();
    let mut n_lists = 0usize;
    for event in view.events() {
        if event.pcr_index == 7
            && event.untrusted_event_type == EventType::EFI_VARIABLE_AUTHORITY
            && let Ok((variable, _)) = VariableData::parse_prefix(event.untrusted_data)
            && variable.guid == Guid::SHIM_LOCK
        {
            let fact =
                ShimFact { event: event.number, value: variable.value, belief: view.belief(event) };
            if variable.name.is("SbatLevel") || variable.name.is("SbatLevelRT") {
                shim.sbat_level = shim.sbat_level.or(Some(fact));
            } else if (variable.name.is("MokSBState") || variable.name.is("MokSBStateRT"))
                && variable.value.first() == Some(&1)
            {
                shim.validation_off = shim.validation_off.or(Some(fact));
            }
        }
        if event.pcr_index == 14 && event.untrusted_event_type == EventType::IPL {
            let name = event.untrusted_data.strip_suffix(&[0]).unwrap_or(event.untrusted_data);
            // In one bank that counts: a digest that the TPM was not extended with says what it likes.
            let measured = measured(view, event);
            let is_of = |parts: &[&[u8]]| {
                measured.is_some_and(|(alg, digest)| hash(alg, parts) == Some(digest))
            };
            match name {
                b"MokListTrusted" => {
                    let values = [false, true].into_iter();
                    let mut measured = values.filter(|value| is_of(&[&[u8::from(*value)]]));
                    shim.mok_list_trusted = shim.mok_list_trusted.or(measured.next());
                }
                b"MokList" | b"MokListX" if is_of(&[]) => {}
                b"MokListX" => shim.mok_list_x = shim.mok_list_x.or(Some(event.number)),
                // Shim measures it once.
                b"MokList" if n_lists >= LISTS_MAX => {}
                b"MokList" => {
                    n_lists = n_lists.saturating_add(1);
                    let is_whole = |list: &&Named| list.is_own && is_of(&[&list.list]);
                    let own = named.iter().find(is_whole);
                    if own.is_none() {
                        shim.mok_list = shim.mok_list.or(Some(event.number));
                    }
                    if shim.in_mok_list.is_empty() {
                        shim.in_mok_list = match own {
                            Some(own) => vec![own.event],
                            None => listed(&named, is_of),
                        };
                    }
                }
                _ => {}
            }
        }
    }
    shim
}

/// Named lists that are tried one behind the other: shim has one, and owners enrol a few.
const NAMED_MAX: usize = 4;

/// Named lists that are looked at at all: each may be hashed for each MokList.
const NAMED_KEPT: usize = 16;

/// MokLists that are looked at, for the same reason.
const LISTS_MAX: usize = 4;

/// Bytes of a certificate that is named: real ones have below 4 KiB.
const ENTRY_BYTES_MAX: usize = 16 * 1024;

/// The EFI_SIGNATURE_LIST of the one certificate that an authority names.
struct Named {
    event: u32,
    list: Vec<u8>,
    /// Whether its owner is shim.
    is_own: bool,
}

/// The events of those of `named` that are, one behind the other, what `is_of` says was measured.
fn listed(named: &[Named], is_of: impl Fn(&[&[u8]]) -> bool) -> Vec<u32> {
    let parts: Vec<&[u8]> =
        named.iter().take(NAMED_MAX).map(|named| named.list.as_slice()).collect();
    let whole = (2..=parts.len()).find(|n| parts.get(..*n).is_some_and(&is_of));
    named.iter().take(whole.unwrap_or(0)).map(|named| named.event).collect()
}

/// The list of the one certificate that `event` names under shim's GUID, with its owner.
fn named_list(event: &Event<'_>) -> Option<Named> {
    if event.pcr_index != 7 || event.untrusted_event_type != EventType::EFI_VARIABLE_AUTHORITY {
        return None;
    }
    let (variable, _) = VariableData::parse_prefix(event.untrusted_data).ok()?;
    // Owner and certificate, as they stand in the list.
    let entry = variable.value;
    let is_certificate = entry.get(16..18) == Some(&[0x30, 0x82]);
    if variable.guid != Guid::SHIM_LOCK || !is_certificate || entry.len() > ENTRY_BYTES_MAX {
        return None;
    }
    let size = u32::try_from(entry.len()).ok()?;
    let list_size = size.checked_add(28)?;
    let sizes = [list_size, 0, size].map(u32::to_le_bytes);
    Some(Named {
        event: event.number,
        list: [&CertType::X509.0.0[..], sizes.as_flattened(), entry].concat(),
        is_own: entry.starts_with(&Guid::SHIM_LOCK.0),
    })
}
