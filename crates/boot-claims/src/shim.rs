//! What shim measures of its own state.

use efi::{CertType, Guid, VariableData};
use event_log::{Event, EventType, hash};

use crate::belief::Belief;
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
    // The lists that hold one certificate of shim's own, which it names before it starts what that
    // allows. Where it named none, a list of it alone cannot be told from the owner's.
    let own: Vec<Vec<u8>> = view.events().filter_map(own_list).collect();
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
            let slot = match name {
                b"MokList" => &mut shim.mok_list,
                b"MokListX" => &mut shim.mok_list_x,
                _ => continue,
            };
            let is_of = |content: &[u8]| {
                event.digests.iter().any(|(alg, digest)| {
                    hash(alg, &[content]).is_some_and(|hash| hash.as_bytes() == digest)
                })
            };
            if !is_of(&[]) && !own.iter().any(|list| is_of(list)) {
                *slot = slot.or(Some(event.number));
            }
        }
    }
    shim
}

/// The EFI_SIGNATURE_LIST of the one certificate that `event` names as shim's own: an authority with
/// shim for its owner.
fn own_list(event: &Event<'_>) -> Option<Vec<u8>> {
    if event.pcr_index != 7 || event.untrusted_event_type != EventType::EFI_VARIABLE_AUTHORITY {
        return None;
    }
    let (variable, _) = VariableData::parse_prefix(event.untrusted_data).ok()?;
    // Owner and certificate, as they stand in the list.
    let entry = variable.value;
    if variable.guid != Guid::SHIM_LOCK || !entry.starts_with(&Guid::SHIM_LOCK.0) {
        return None;
    }
    let size = u32::try_from(entry.len()).ok()?;
    let list_size = size.checked_add(28)?;
    let sizes = [list_size, 0, size].map(u32::to_le_bytes);
    Some([&CertType::X509.0.0[..], sizes.as_flattened(), entry].concat())
}
