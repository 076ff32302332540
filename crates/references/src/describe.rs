//! An event in words.

use efi::{CertType, SignatureList};
use event_log::untrusted::{
    ActionText, CrtmVersion, EventData, GrubLine, ImageLoad, Ipl, VariableEvent, VariableValue,
};
use event_log::{Convention, DataCheck, Event, EventType, Format, check_data};
use x509_parser::prelude::{FromDer as _, X509Certificate};

use crate::hint::plain;
use crate::{Hint, NAME_CHARS_MAX, NAMES_MAX, TEXT_CHARS_MAX, Told, What};

/// What `event` is. Its text is said to be measured only where each strong bank's digest is of it.
pub(crate) fn describe(event: &Event<'_>, format: Format<'_>) -> Hint {
    let data = EventData::read(event, format);
    let (what, subject, names) = match &data {
        EventData::CrtmVersion(_) => (What::FirmwareVersion, String::new(), Vec::new()),
        EventData::FirmwareBlob(blob) => {
            let subject = match &blob.description {
                Some(description) => description.to_string(),
                None => format!("at {:#x}", blob.base),
            };
            (What::FirmwareCode, subject, Vec::new())
        }
        EventData::Text(text) => (What::FirmwareCode, text.to_string(), Vec::new()),
        EventData::HandoffTables(_) => (What::FirmwareTables, String::new(), Vec::new()),
        EventData::Separator(_) => (What::Separator, String::new(), Vec::new()),
        EventData::Action(ActionText::Known { action, .. }) => {
            (What::Action, action.text().to_owned(), Vec::new())
        }
        EventData::Action(ActionText::Other(text)) => (What::Action, text.to_string(), Vec::new()),
        EventData::Variable(variable) => of_variable(event, variable),
        EventData::Image(ImageLoad { image, .. }) => {
            let what = match event.untrusted_event_type {
                EventType::EFI_BOOT_SERVICES_APPLICATION => What::Application,
                _ => What::Driver,
            };
            let path = image.untrusted_device_path;
            let subject = match path.file_path() {
                Some(file) => file.until_nul().to_string(),
                None => path.to_string(),
            };
            (what, subject, Vec::new())
        }
        EventData::Gpt(_) => (What::PartitionTable, String::new(), Vec::new()),
        EventData::Tagged(_) => (What::Tagged, String::new(), Vec::new()),
        EventData::Ipl(ipl) => of_ipl(ipl),
        _ => (What::Other, event.untrusted_event_type.to_string(), Vec::new()),
    };
    let text = match (&data, what) {
        (EventData::CrtmVersion(version), _) => version_text(version),
        (EventData::Variable(variable), _) => variable_text(event, variable, &names),
        // The subject says it all.
        (EventData::Image(_) | EventData::Action(_) | EventData::Separator(_), _) => String::new(),
        (EventData::Text(_) | EventData::FirmwareBlob(_), _) => String::new(),
        (EventData::Ipl(Ipl::ShimVariable { .. } | Ipl::UkiSection { .. }), _) => String::new(),
        (EventData::Ipl(Ipl::GrubFile(_) | Ipl::StubExtra(_)), _) => String::new(),
        (_, What::LoaderCommand) => String::new(),
        (EventData::Ipl(Ipl::Grub { text, .. }), _) => text.to_string(),
        (EventData::Ipl(Ipl::KernelCommandLine(text)), _) => text.until_nul().to_string(),
        (data, _) => data.to_string(),
    };
    Hint {
        what,
        subject: plain(&subject, NAME_CHARS_MAX),
        text: plain(&text, TEXT_CHARS_MAX),
        names,
        told: told(event),
    }
}

/// A name that is not measured with its value, or a tag, does not make a subject that is measured.
fn told(event: &Event<'_>) -> Told {
    match check_data(event, tpm_wire::TpmAlgId::is_strong_hash) {
        DataCheck::Matches(
            Convention::VariableValue | Convention::TaggedData | Convention::SeparatorError,
        ) => Told::Untrusted,
        DataCheck::Matches(_) => Told::Measured,
        _ => Told::Untrusted,
    }
}

fn of_ipl(ipl: &Ipl<'_>) -> (What, String, Vec<String>) {
    let (what, subject) = match ipl {
        Ipl::Grub { line: GrubLine::Command, text, .. } => (What::LoaderCommand, text.to_string()),
        Ipl::Grub { line: GrubLine::KernelCommandLine, .. } | Ipl::KernelCommandLine(_) => {
            (What::KernelCommandLine, String::new())
        }
        Ipl::Grub { line: GrubLine::ModuleCommandLine, .. } => {
            (What::ModuleCommandLine, String::new())
        }
        Ipl::GrubFile(name) => (What::LoadedFile, name.to_string()),
        Ipl::ShimVariable { variable, .. } => (What::ShimVariable, variable.name().to_owned()),
        Ipl::UkiSection { section, .. } => (What::UkiSection, section.name().to_owned()),
        Ipl::StubExtra(name) => (What::LoadedFile, name.to_string()),
        Ipl::Other(_) => (What::Other, "EV_IPL".to_owned()),
    };
    (what, subject, Vec::new())
}

fn version_text(version: &CrtmVersion<'_>) -> String {
    match version {
        CrtmVersion::Text(text) => text.to_string(),
        _ => EventData::CrtmVersion(*version).to_string(),
    }
}

fn of_variable(event: &Event<'_>, variable: &VariableEvent<'_>) -> (What, String, Vec<String>) {
    let subject = variable.variable.name.until_nul().to_string();
    match event.untrusted_event_type {
        EventType::EFI_VARIABLE_AUTHORITY | EventType::EFI_SPDM_DEVICE_AUTHORITY => {
            let certificate = match variable.value() {
                VariableValue::Authority(signature) => Some(signature.data),
                VariableValue::Certificate(der) => Some(der),
                _ => None,
            };
            (What::Authority, subject, certificate.map(certificate_name).into_iter().collect())
        }
        EventType::EFI_VARIABLE_DRIVER_CONFIG if event.pcr_index == 7 => {
            let names = match variable.value() {
                VariableValue::SignatureLists(lists) => certificate_names(&lists),
                _ => Vec::new(),
            };
            (What::SecureBootVariable, subject, names)
        }
        _ => (What::Variable, subject, Vec::new()),
    }
}

fn certificate_names(lists: &[SignatureList<'_>]) -> Vec<String> {
    let certificates = lists.iter().filter(|list| list.cert_type == CertType::X509);
    let entries = certificates.flat_map(|list| list.iter());
    entries.take(NAMES_MAX).map(|entry| certificate_name(entry.data)).collect()
}

/// The common name of a certificate, and the start of its SHA-256: names are not unique.
fn certificate_name(der: &[u8]) -> String {
    let name = X509Certificate::from_der(der).ok().and_then(|(_, certificate)| {
        let subject = certificate.subject();
        let common = subject.iter_common_name().next()?.as_str().ok().map(str::to_owned);
        Some(common.unwrap_or_else(|| subject.to_string()))
    });
    let name = plain(name.as_deref().unwrap_or("unreadable"), NAME_CHARS_MAX.saturating_sub(32));
    match event_log::hash(tpm_wire::TpmAlgId::SHA256, &[der]) {
        Some(digest) => {
            let text = digest.to_string();
            format!("{name} (sha256 {})", text.get(..16).unwrap_or(&text))
        }
        None => name,
    }
}

fn variable_text(event: &Event<'_>, variable: &VariableEvent<'_>, names: &[String]) -> String {
    if event.untrusted_event_type == EventType::EFI_VARIABLE_AUTHORITY {
        return match names.first() {
            Some(_) => String::new(),
            None => EventData::Variable(*variable).to_string(),
        };
    }
    match variable.value() {
        VariableValue::SignatureLists(lists) => {
            let n = |x509: CertType| {
                let lists = lists.iter().filter(|list| list.cert_type == x509);
                lists.fold(0usize, |n, list| n.saturating_add(list.len()))
            };
            let all = lists.iter().fold(0usize, |n, list| n.saturating_add(list.len()));
            let certificates = n(CertType::X509);
            format!("{certificates} certificates, {} others", all.saturating_sub(certificates))
        }
        VariableValue::Empty => "empty".to_owned(),
        _ => {
            // The subject is the name already.
            let all = EventData::Variable(*variable).to_string();
            match all.split_once(": ") {
                Some((_, value)) => value.to_owned(),
                None => all,
            }
        }
    }
}
