//! The data of an event as JSON: a `kind`, and the fields that the kind has. Field names follow
//! the structures of the specification; bytes are hex, texts are escaped. All of it is the host's
//! word.

use efi::{Ascii, DevicePath, SignatureList};
use event_log::SeparatorValue;
use event_log::untrusted::{
    ActionText, CrtmVersion, DeviceReport, DeviceSecurity, EventData, GrubLine, Ipl, NoAction,
    Opaque, Place, PlaceKind, ReferenceManifest, SeparatorData, SipaValue, SpdmContent,
    SpecIdRevision, TagValue, TaggedEvents, Text, VariableEvent, VariableValue,
};
use serde_json::{Value, json};

/// The object of `data`. `kind` is there always.
pub(super) fn decoded(data: &EventData<'_>) -> Value {
    let mut fields = fields(data);
    match &mut fields {
        Value::Object(object) => {
            object.insert("kind".to_owned(), data.kind().into());
            fields
        }
        // Each kind below gives an object.
        _ => json!({ "kind": data.kind() }),
    }
}

fn fields(data: &EventData<'_>) -> Value {
    match data {
        EventData::NoAction(data) => no_action(data),
        EventData::WindowsTrailer(events) | EventData::Tagged(events) => {
            json!({ "events": tagged(events) })
        }
        EventData::Separator(data) => separator(data),
        EventData::Action(ActionText::Known { action, .. }) => {
            json!({ "text": action.text(), "known": true })
        }
        EventData::Action(ActionText::Other(text)) => {
            json!({ "text": text.to_string(), "known": false })
        }
        EventData::Text(data) => text(*data),
        EventData::CrtmVersion(CrtmVersion::Text(data)) => text(*data),
        EventData::CrtmVersion(CrtmVersion::Guid(guid)) => json!({ "guid": guid.to_string() }),
        EventData::CrtmVersion(CrtmVersion::Platform(bytes)) => {
            json!({ "bytes": hex::encode(bytes) })
        }
        EventData::FirmwareBlob(blob) => json!({
            "description": blob.description.map(|text| text.to_string()),
            "base": blob.base,
            "length": blob.len,
        }),
        EventData::HandoffTables(tables) => json!({
            "description": tables.description.map(|text| text.to_string()),
            "tables": tables
                .iter()
                .map(|table| json!({ "guid": table.guid.to_string(), "address": table.address }))
                .collect::<Vec<_>>(),
        }),
        EventData::Variable(event) => variable(event),
        EventData::Image(load) => json!({
            "location": load.image.untrusted_location,
            "length": load.image.untrusted_len,
            "link_time_address": load.image.untrusted_link_time_address,
            "device_path": device_path(load.image.untrusted_device_path),
            "file_path": load.image.untrusted_device_path.file_path().map(|p| p.to_string()),
        }),
        EventData::Gpt(gpt) => json!({
            "disk_guid": gpt.disk_guid.to_string(),
            "partitions": gpt
                .partitions()
                .map(|partition| {
                    json!({
                        "type_guid": partition.type_guid.to_string(),
                        "unique_guid": partition.unique_guid.to_string(),
                        "first_lba": partition.first_lba,
                        "last_lba": partition.last_lba,
                        "attributes": partition.attributes,
                        "name": partition.name.to_string(),
                    })
                })
                .collect::<Vec<_>>(),
        }),
        EventData::DeviceSecurity(device) => device_security(device),
        EventData::Ipl(data) => ipl(data),
        EventData::GceNonHostInfo(info) => json!({
            "technology": info.technology,
            "technology_name": info.technology_name(),
        }),
        EventData::Txt { event_type, data } => json!({
            "event_type_name": event_type.name(),
            "bytes": hex::encode(data),
        }),
        EventData::Platform(data) | EventData::Unknown(data) => opaque(*data),
        EventData::Malformed { error, .. } => json!({
            "error": error.to_string(),
            "structure": error.what,
            "at": error.at,
        }),
        // A kind that is newer than this command has its name, and the description.
        _ => json!({}),
    }
}

fn text(data: Text<'_>) -> Value {
    let encoding = match data {
        Text::Ascii(_) => "ascii",
        Text::Ucs2(_) => "ucs2",
    };
    json!({ "text": data.to_string(), "encoding": encoding })
}

fn opaque(data: Opaque<'_>) -> Value {
    match data {
        Opaque::Text(data) => text(data),
        Opaque::Bytes(bytes) => json!({ "bytes": hex::encode(bytes) }),
    }
}

/// Text, and the nodes that it was made of.
fn device_path(path: DevicePath<'_>) -> Option<String> {
    (!path.0.is_empty()).then(|| path.to_string())
}

fn no_action(data: &NoAction<'_>) -> Value {
    match data {
        NoAction::SpecId(event) => json!({
            "structure": "spec-id",
            "revision": match event.revision {
                SpecIdRevision::R00 => 0,
                SpecIdRevision::R02 => 2,
                SpecIdRevision::R03 => 3,
            },
            "platform_class": event.platform_class,
            "version": format!("{}.{}", event.version_major, event.version_minor),
            "errata": event.errata,
            "uintn_size": event.uintn_size,
            "algorithms": event
                .algorithms()
                .map(|(alg, len)| json!({ "algorithm": alg.to_string(), "digest_size": len }))
                .collect::<Vec<_>>(),
            "vendor_info": hex::encode(event.vendor_info),
        }),
        NoAction::ReferenceManifest(event) => reference_manifest(event),
        NoAction::StartupLocality { locality, padding } => json!({
            "structure": "startup-locality",
            "locality": locality,
            "n_padding_bytes": padding.len(),
        }),
        NoAction::HCrtmComponent(component) => json!({
            "structure": "hcrtm-component",
            "description": component.description.to_string(),
            "format": component.format,
            "measurement": hex::encode(component.measurement),
        }),
        NoAction::NvIndexInstance { version, device, .. } => json!({
            "structure": "nv-index-instance",
            "version": version,
            "device": device_security(device),
        }),
        NoAction::NvIndexDynamic(event) => json!({
            "structure": "nv-index-dynamic",
            "version": event.version,
            "uid": event.uid,
            "description": event.description.to_string(),
            "data": hex::encode(event.data),
        }),
        NoAction::Other(bytes) => {
            json!({ "structure": Value::Null, "bytes": hex::encode(bytes) })
        }
    }
}

fn reference_manifest(event: &ReferenceManifest<'_>) -> Value {
    json!({
        "structure": "sp800-155",
        "revision": event.revision(),
        "vendor_id": event.vendor_id,
        "guid": event.guid.to_string(),
        "platform": event.names.map(|names| json!({
            "manufacturer": names.manufacturer.to_string(),
            "model": names.model.to_string(),
            "version": names.version.to_string(),
            "firmware_manufacturer": names.firmware_manufacturer.to_string(),
            "firmware_manufacturer_id": names.firmware_manufacturer_id,
            "firmware_version": names.firmware_version.to_string(),
        })),
        "manifest": event.places.map(|places| place(&places.manifest)),
        "platform_certificate": event.places.map(|places| place(&places.platform_certificate)),
    })
}

fn place(place: &Place<'_>) -> Value {
    match place.kind() {
        PlaceKind::Raw(bytes) => json!({ "kind": "raw", "bytes": hex::encode(bytes) }),
        PlaceKind::Uri(uri) => json!({ "kind": "uri", "uri": uri.to_string() }),
        PlaceKind::DevicePath(path) => {
            json!({ "kind": "device-path", "device_path": device_path(path) })
        }
        PlaceKind::Variable(bytes) => json!({ "kind": "variable", "bytes": hex::encode(bytes) }),
        PlaceKind::Unknown(bytes) => {
            json!({ "kind": place.kind_number, "bytes": hex::encode(bytes) })
        }
    }
}

fn separator(data: &SeparatorData<'_>) -> Value {
    match data {
        SeparatorData::Value { value, padding } => json!({
            "value": match value {
                SeparatorValue::Zero => "zero",
                SeparatorValue::Ones => "ones",
                SeparatorValue::Error => "error",
            },
            "n_padding_bytes": padding.len(),
        }),
        SeparatorData::Windows => json!({ "value": "windows" }),
        SeparatorData::Text(text) => json!({ "value": "text", "text": text.to_string() }),
        SeparatorData::Other(bytes) => json!({ "value": "other", "bytes": hex::encode(bytes) }),
    }
}

fn variable(event: &VariableEvent<'_>) -> Value {
    let mut value = match event.value() {
        VariableValue::Empty => json!({ "type": "empty" }),
        VariableValue::Flag(flag) => json!({ "type": "flag", "flag": flag }),
        VariableValue::Order(order) => json!({ "type": "order", "order": order }),
        VariableValue::LoadOption(option) => json!({
            "type": "load-option",
            "attributes": option.attributes,
            "active": option.is_active(),
            "description": option.description.to_string(),
            "device_path": device_path(option.paths),
            "optional_data": hex::encode(option.optional_data),
        }),
        VariableValue::SignatureLists(lists) => json!({
            "type": "signature-lists",
            "lists": lists.iter().map(signature_list).collect::<Vec<_>>(),
        }),
        VariableValue::Authority(signature) => json!({
            "type": "signature",
            "owner": signature.owner.to_string(),
            "data": hex::encode(signature.data),
        }),
        VariableValue::Certificate(der) => {
            json!({ "type": "certificate", "data": hex::encode(der) })
        }
        VariableValue::Sbat(text) => json!({ "type": "sbat", "text": text.to_string() }),
        VariableValue::Bytes(bytes) => json!({ "type": "bytes", "bytes": hex::encode(bytes) }),
        VariableValue::Malformed(error) => {
            json!({ "type": "malformed", "error": error.to_string() })
        }
    };
    if let Value::Object(value) = &mut value {
        value.insert("size".to_owned(), event.variable.value.len().into());
    }
    json!({
        "guid": event.variable.guid.to_string(),
        "name": event.variable.name.to_string(),
        "value": value,
        "n_bytes_behind": event.behind.len(),
    })
}

fn signature_list(list: &SignatureList<'_>) -> Value {
    json!({
        "cert_type": list.cert_type.to_string(),
        "signatures": list
            .iter()
            .map(|signature| {
                json!({
                    "owner": signature.owner.to_string(),
                    "data": hex::encode(signature.data),
                })
            })
            .collect::<Vec<_>>(),
    })
}

fn device_security(device: &DeviceSecurity<'_>) -> Value {
    let report = match device.report {
        DeviceReport::Block { hash_algorithm, block } => json!({
            "hash_algorithm": hash_algorithm,
            "blocks": [json!({
                "index": block.index,
                "specification": block.specification,
                "measurement": hex::encode(block.measurement),
            })],
        }),
        DeviceReport::Authenticated { auth_state, uid, content, .. } => json!({
            "auth_state": auth_state,
            "uid": uid,
            "content": spdm_content(&content),
        }),
    };
    json!({
        "version": device.version,
        "device_type": device.device_type,
        "device_type_name": device.device_type_name(),
        "device_path": device_path(device.device_path),
        "device_context": hex::encode(device.device_context),
        "report": report,
    })
}

fn spdm_content(content: &SpdmContent<'_>) -> Value {
    match content {
        SpdmContent::Blocks { spdm_version, hash_algorithm, .. } => json!({
            "spdm_version": spdm_version,
            "hash_algorithm": hash_algorithm,
            "blocks": content
                .blocks()
                .map(|block| {
                    json!({
                        "index": block.index,
                        "specification": block.specification,
                        "measurement": hex::encode(block.measurement),
                    })
                })
                .collect::<Vec<_>>(),
        }),
        SpdmContent::Certificates { spdm_version, slot, hash_algorithm, chain, .. } => json!({
            "spdm_version": spdm_version,
            "slot": slot,
            "hash_algorithm": hash_algorithm,
            "certificate_chain": hex::encode(chain),
        }),
        SpdmContent::Other { kind, bytes } => {
            json!({ "sub_header_type": kind, "bytes": hex::encode(bytes) })
        }
    }
}

fn ipl(data: &Ipl<'_>) -> Value {
    match data {
        Ipl::Grub { line, text, .. } => json!({
            "loader": "grub",
            "line": match line {
                GrubLine::Command => "command",
                GrubLine::KernelCommandLine => "kernel-command-line",
                GrubLine::ModuleCommandLine => "module-command-line",
            },
            "text": text.to_string(),
        }),
        Ipl::GrubFile(path) => json!({ "loader": "grub", "file": path.to_string() }),
        Ipl::ShimVariable { variable, .. } => {
            json!({ "loader": "shim", "variable": variable.name() })
        }
        Ipl::UkiSection { section, .. } => {
            json!({ "loader": "systemd-stub", "section": section.name() })
        }
        Ipl::KernelCommandLine(text) => {
            json!({ "loader": "systemd", "kernel_command_line": text.until_nul().to_string() })
        }
        Ipl::StubExtra(text) => json!({ "loader": "systemd-stub", "extra": text.to_string() }),
        Ipl::Other(data) => opaque(*data),
    }
}

/// Nests as deep as the reader of the core lets it.
fn tagged(events: &TaggedEvents<'_>) -> Vec<Value> {
    let one = |event: event_log::untrusted::TaggedEvent<'_>| {
        let shown = |text: Ascii<'_>| text.to_string();
        let value = match event.value() {
            TagValue::Text(data) => text(data),
            TagValue::Bytes(bytes) | TagValue::Sipa(SipaValue::Bytes(bytes)) => {
                json!({ "bytes": hex::encode(bytes) })
            }
            TagValue::Container(inner) => json!({ "events": tagged(&inner) }),
            TagValue::Sipa(SipaValue::Flag(flag)) => json!({ "flag": flag }),
            TagValue::Sipa(SipaValue::Number(number)) => json!({ "number": number }),
            TagValue::Sipa(SipaValue::Text(text)) => {
                json!({ "text": text.until_nul().to_string(), "encoding": "ucs2" })
            }
            TagValue::EsxiFile(name) => json!({ "file": shown(name) }),
            TagValue::EsxiCommandLine(text) => json!({ "kernel_command_line": shown(text) }),
            TagValue::EsxiAssetTag(text) => json!({ "asset_tag": shown(text) }),
            TagValue::EsxiSigner(der) => json!({ "certificate": hex::encode(der) }),
            TagValue::EsxiVersion(version) => json!({
                "component": shown(version.component),
                "product": shown(version.product),
                "version": shown(version.version),
                "file": shown(version.file),
            }),
            TagValue::Malformed(error) => json!({ "error": error.to_string() }),
        };
        json!({ "id": event.id, "name": event.name(), "value": value })
    };
    events.iter().map(one).collect()
}

#[cfg(test)]
mod tests {
    use event_log::{EventType, LogWriter, parse};
    use testkit::log::BootLog;
    use tpm_wire::TpmAlgId;

    use super::*;

    fn all(bytes: &[u8]) -> Vec<Value> {
        let log = parse(bytes).log;
        let read = |event| decoded(&EventData::read(event, log.format()));
        log.events().iter().map(read).collect()
    }

    #[test]
    fn a_boot_is_told_in_typed_fields() {
        let events = all(&BootLog::sound().build().bytes);
        let of = |kind: &str| events.iter().filter(|event| event["kind"] == kind).count();
        assert_eq!(of("malformed") + of("unknown"), 0);
        let has = |pointer: &str, value: &Value| {
            events.iter().any(|event| event.pointer(pointer) == Some(value))
        };
        assert!(has("/value/flag", &json!(1)), "SecureBoot");
        assert!(has("/value/type", &json!("signature-lists")), "db");
        assert!(has("/file_path", &json!("\\EFI\\debian\\shimx64.efi")), "shim");
        assert!(has("/line", &json!("kernel-command-line")), "GRUB");
        assert!(has("/variable", &json!("MokList")), "shim's variables");
        assert!(has("/partitions/0/name", &json!("esp")), "the disk");
        assert!(has("/events/0/name", &json!("Linux initrd")), "the EFI stub");
        assert!(has("/structure", &json!("spec-id")), "the format");
    }

    #[test]
    fn steering_text_is_escaped_and_the_malformed_has_its_place() {
        let mut log = LogWriter::new([TpmAlgId::SHA256]);
        log.measure(8, EventType::IPL, b"", b"grub_cmd: \x1b[2J");
        log.measure(4, EventType::EFI_BOOT_SERVICES_APPLICATION, b"", b"short");
        let [_, grub, image] = &all(&log.finish())[..] else { panic!("three events") };
        assert_eq!(grub["text"], "\\u{1b}[2J");
        assert_eq!((&image["kind"], &image["at"]), (&json!("malformed"), &json!(0)));
    }
}
