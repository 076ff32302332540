//! Events that are something else than they say.

use core::fmt;

use efi::{Guid, SignatureLists, VariableData};
use event_log::{Convention, DataCheck, Event, EventType};

use crate::database::{DatabaseName, owned_signature};
use crate::view::View;

/// An event that is something else than its type says. Types are not covered by a digest, so this
/// is either odd firmware or a log edited to hide or to feign something.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LookAlike {
    /// Number of the event.
    pub event: u32,
    /// Its PCR.
    pub pcr_index: u32,
    /// What it looks like.
    pub kind: LookAlikeKind,
}

/// What an event looks like, against its type.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LookAlikeKind {
    /// Its digest is a separator's, its type is not.
    Separator,
    /// It carries and measures a variable in PCR 7, and its type is not one of variables.
    Variable,
    /// It is a Secure Boot variable that the firmware would have measured before the separator of
    /// PCR 7, and comes after it.
    ConfigAfterSeparator,
    /// It says that it is an authority, and is a variable that the firmware measures of itself.
    ConfigAsAuthority,
    /// It says that it is a database, and is one entry of it: an authority.
    AuthorityAsConfig,
    /// It is of PCR 7, and its data does not show what was measured: all that belongs there does, so
    /// that anything may be hidden behind it.
    Hidden,
}

impl fmt::Display for LookAlike {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "event {} of PCR {} ", self.event, self.pcr_index)?;
        f.write_str(match self.kind {
            LookAlikeKind::Separator => "has the digest of a separator and another type",
            LookAlikeKind::Variable => "measures a variable and says another type",
            LookAlikeKind::ConfigAfterSeparator => "is a Secure Boot variable after the separator",
            LookAlikeKind::ConfigAsAuthority => "is a Secure Boot variable and says an authority",
            LookAlikeKind::AuthorityAsConfig => "is an authority and says a Secure Boot variable",
            LookAlikeKind::Hidden => "does not show what was measured",
        })
    }
}

/// Finds look-alikes in PCR 0 to 7.
pub(crate) fn read_lookalikes(view: &View<'_, '_, '_>) -> Vec<LookAlike> {
    let of_firmware = view.events().filter(|event| event.pcr_index <= 7);
    of_firmware
        .filter_map(|event| {
            let kind = kind_of(view, event)?;
            Some(LookAlike { event: event.number, pcr_index: event.pcr_index, kind })
        })
        .collect()
}

fn kind_of(view: &View<'_, '_, '_>, event: &Event<'_>) -> Option<LookAlikeKind> {
    let event_type = event.untrusted_event_type;
    if event_type != EventType::SEPARATOR && view.separator_value(event).is_some() {
        return Some(LookAlikeKind::Separator);
    }
    if event.pcr_index != 7 {
        return None;
    }
    let check = view.check(event);
    let data = event.untrusted_data;
    match event_type {
        EventType::SEPARATOR => None,
        EventType::EFI_VARIABLE_DRIVER_CONFIG => {
            if view.fence7.is_some_and(|fence| fence < event.number) {
                return Some(LookAlikeKind::ConfigAfterSeparator);
            }
            is_authority(data).then_some(LookAlikeKind::AuthorityAsConfig)
        }
        EventType::EFI_VARIABLE_AUTHORITY => {
            is_config(data).then_some(LookAlikeKind::ConfigAsAuthority)
        }
        _ => {
            let measured = match check {
                DataCheck::Matches(Convention::Data) => Some(data),
                DataCheck::Matches(Convention::DataButLastByte) => data.split_last().map(|d| d.1),
                _ => None,
            };
            let is_variable = measured.is_some_and(|measured| {
                VariableData::parse(measured).is_ok_and(|variable| {
                    // Keys of devices are variables of their own. [PFP-1.06 §10.2.7]
                    let of_devices = matches!(
                        event_type,
                        EventType::EFI_SPDM_DEVICE_POLICY | EventType::EFI_SPDM_DEVICE_AUTHORITY
                    );
                    !of_devices || is_of_secure_boot(variable.guid)
                })
            });
            if is_variable {
                return Some(LookAlikeKind::Variable);
            }
            // What contradicts is a finding of its own.
            let is_shown = measured.is_some() || matches!(check, DataCheck::Contradicts(_));
            (!is_shown && view.replayed.covers(event)).then_some(LookAlikeKind::Hidden)
        }
    }
}

fn is_of_secure_boot(guid: Guid) -> bool {
    [Guid::GLOBAL_VARIABLE, Guid::IMAGE_SECURITY_DATABASE, Guid::SHIM_LOCK].contains(&guid)
}

/// Whether the data of an authority is a variable that vouches for nothing: a mode, a key, the list
/// of what is refused, or a whole database.
fn is_config(data: &[u8]) -> bool {
    let Ok((variable, _)) = VariableData::parse_prefix(data) else { return false };
    let is_list = || {
        let mut lists = SignatureLists::new(variable.value).peekable();
        lists.peek().is_some() && lists.all(|list| list.is_ok())
    };
    let database = DatabaseName::of(&variable);
    variable.guid == Guid::GLOBAL_VARIABLE
        || database == Some(DatabaseName::Dbx)
        || (database.is_some() && is_list())
}

/// Whether the data of a database is one entry instead of lists.
fn is_authority(data: &[u8]) -> bool {
    VariableData::parse(data).is_ok_and(|variable| {
        DatabaseName::of(&variable).is_some()
            && owned_signature(variable.value).is_some()
            && SignatureLists::new(variable.value).any(|list| list.is_err())
    })
}
