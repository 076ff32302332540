//! Structures that no recorded log has, or not in each form: made here, read, and written back.

use efi::{Ascii, CertType, Guid};
use event_log::untrusted::{
    ActionText, CrtmVersion, DeviceReport, EventData, FirmwareBlob, GrubLine, HandoffTable, Ipl,
    KnownAction, NoAction, PlaceKind, SeparatorData, ShimVariable, SipaValue, SpdmContent,
    SpecIdRevision, TAG_DEPTH_MAX, TagValue, UintnWidth, UkiSection, VariableValue,
};
use event_log::{EventType, Format, Log, LogWriter, SeparatorValue, parse};
use proptest::prelude::*;
use testkit::log::{Device, image_load, load_option, signature_list, ucs2, variable};
use tpm_wire::TpmAlgId;

/// A log with one event behind its Spec ID event.
fn log_of(pcr_index: u32, event_type: EventType, data: &[u8]) -> Vec<u8> {
    let mut log = LogWriter::new([TpmAlgId::SHA256]);
    log.measure(pcr_index, event_type, data, data);
    log.finish()
}

/// Hands the data of one event to `check`, and checks that it is written back.
fn with(pcr_index: u32, event_type: EventType, data: &[u8], check: impl FnOnce(EventData<'_>)) {
    let bytes = log_of(pcr_index, event_type, data);
    let log = parse(&bytes).log;
    let read = decoded(&log);
    assert_eq!(read.to_bytes(), data, "{read:?}");
    check(read);
}

fn decoded<'a>(log: &Log<'a>) -> EventData<'a> {
    EventData::read(log.events().last().unwrap(), log.format())
}

/// Each shorter form of `data` must not be read as this kind without an error or a difference.
fn each_cut_is_malformed(pcr_index: u32, event_type: EventType, data: &[u8]) {
    for n in 0..data.len() {
        with(pcr_index, event_type, &data[..n], |read| {
            assert!(
                matches!(read, EventData::Malformed { .. }),
                "{event_type} cut at {n}: {read:?}"
            );
        });
    }
}

fn le(numbers: &[u64]) -> Vec<u8> {
    numbers.iter().flat_map(|n| n.to_le_bytes()).collect()
}

#[test]
fn spec_id_events_of_each_revision() {
    let old = b"Spec ID Event02\0\x01\0\0\0\x02\x01\0\x02\x03abc";
    with(0, EventType::NO_ACTION, old, |read| {
        let EventData::NoAction(NoAction::SpecId(event)) = read else { panic!("{read:?}") };
        assert_eq!(event.revision, SpecIdRevision::R02);
        assert_eq!((event.version_major, event.version_minor, event.platform_class), (1, 2, 1));
        assert_eq!((event.vendor_info, event.algorithms().count()), (&b"abc"[..], 0));
    });
    let new = b"Spec ID Event03\0\0\0\0\0\0\x02\x69\x02\x01\0\0\0\x0c\0\x30\0\x07td-shim";
    with(0, EventType::NO_ACTION, new, |read| {
        let EventData::NoAction(NoAction::SpecId(event)) = read else { panic!("{read:?}") };
        assert_eq!(event.algorithms().collect::<Vec<_>>(), [(TpmAlgId::SHA384, 48)]);
        assert_eq!((event.errata, event.vendor_info), (0x69, &b"td-shim"[..]));
    });
    with(0, EventType::NO_ACTION, b"Spec ID Event00\0\0\0\0\0\x15\x01\0\0\0", |read| {
        assert!(matches!(read, EventData::NoAction(NoAction::SpecId(_))), "{read:?}");
    });
    // Vendor information behind the end of the event, and more algorithms than there are hashes.
    for bad in [&new[..new.len() - 1], b"Spec ID Event03\0\0\0\0\0\0\x02\0\x02\xff\xff\xff\xff"] {
        with(0, EventType::NO_ACTION, bad, |read| {
            assert!(matches!(read, EventData::Malformed { .. }), "{read:?}");
        });
    }
}

#[test]
fn reference_manifests_of_each_revision() {
    let guid = [9; 16];
    let first = [&b"SP800-155 Event\0\x79\x2b\0\0"[..], &guid].concat();
    with(0, EventType::NO_ACTION, &first, |read| {
        let EventData::NoAction(NoAction::ReferenceManifest(event)) = read else {
            panic!("{read:?}")
        };
        assert_eq!((event.revision(), event.vendor_id, event.guid), (1, 0x2b79, Guid(guid)));
    });
    let names = b"\x05Acme\0\x03R7\0\x021\0\x03FW\0\x01\0\0\0\x045.6\0";
    let second = [&b"SP800-155 Event2\x79\x2b\0\0"[..], &guid, names].concat();
    with(0, EventType::NO_ACTION, &second, |read| {
        let EventData::NoAction(NoAction::ReferenceManifest(event)) = read else {
            panic!("{read:?}")
        };
        assert_eq!((event.revision(), event.names.unwrap().model), (2, Ascii(b"R7\0")));
    });
    let places = b"\x01\0\0\0\x0d\0\0\0https://a.b/c\0\0\0\0\0\0\0\0";
    let third = [&b"SP800-155 Event3\x79\x2b\0\0"[..], &guid, names, places].concat();
    with(0, EventType::NO_ACTION, &third, |read| {
        let EventData::NoAction(NoAction::ReferenceManifest(event)) = read else {
            panic!("{read:?}")
        };
        let places = event.places.unwrap();
        assert_eq!(event.revision(), 3);
        assert_eq!(places.manifest.kind(), PlaceKind::Uri(Ascii(b"https://a.b/c")));
        assert_eq!(places.platform_certificate.kind(), PlaceKind::Raw(b""));
    });
    for n in 16..third.len() {
        with(0, EventType::NO_ACTION, &third[..n], |read| {
            assert!(matches!(read, EventData::Malformed { .. }), "cut at {n}: {read:?}");
        });
    }
}

#[test]
fn a_startup_locality_may_have_padding_and_must_have_a_locality() {
    let slot = [&b"StartupLocality\0\x03"[..], &[0; 33]].concat();
    with(0, EventType::NO_ACTION, &slot, |read| {
        let EventData::NoAction(NoAction::StartupLocality { locality, padding }) = read else {
            panic!("{read:?}")
        };
        assert_eq!((locality, padding.len()), (3, 33));
    });
    with(0, EventType::NO_ACTION, b"StartupLocality\0", |read| {
        assert!(matches!(read, EventData::Malformed { .. }), "{read:?}");
    });
}

#[test]
fn h_crtm_components_and_text() {
    let digest = [&[0x0b, 0][..], &[7; 32]].concat();
    let data = [&b"H-CRTM CompMeas\0\x06H-CRTM\0\x22\0"[..], &digest].concat();
    with(0, EventType::NO_ACTION, &data, |read| {
        let EventData::NoAction(NoAction::HCrtmComponent(component)) = read else {
            panic!("{read:?}")
        };
        assert_eq!((component.description, component.format), (Ascii(b"H-CRTM"), 0));
        assert_eq!(component.measurement, digest);
    });
    with(0, EventType::EFI_HCRTM_EVENT, b"HCRTM", |read| {
        assert_eq!(read.to_string(), "HCRTM");
    });
    with(0, EventType::EFI_HCRTM_EVENT, b"\x01\x02", |read| {
        assert!(matches!(read, EventData::Malformed { .. }), "{read:?}");
    });
}

/// DEVICE_SECURITY_EVENT_DATA2 of a PCI device, with this sub header.
fn device2(kind: u32, sub_header: &[u8]) -> Vec<u8> {
    let path = Device::OptionRom.to_bytes();
    let context = [1, 0, 16, 0, 0x86, 0x80, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10];
    let body = [
        &1u32.to_le_bytes()[..],
        &kind.to_le_bytes(),
        &u32::try_from(sub_header.len()).unwrap().to_le_bytes(),
        &77u64.to_le_bytes(),
        &le(&[path.len() as u64]),
        &path,
        sub_header,
        &context,
    ]
    .concat();
    let len = u32::try_from(body.len()).unwrap().to_le_bytes();
    [&b"SPDM Device Sec2\x02\0\x00\0"[..], &len, &body].concat()
}

#[test]
fn devices_that_speak_spdm() {
    let block = [&[1, 1, 5, 0][..], b"hello"].concat();
    let path = Device::OptionRom.to_bytes();
    let body =
        [&2u32.to_le_bytes()[..], &1u32.to_le_bytes(), &block, &le(&[path.len() as u64]), &path]
            .concat();
    let len = u16::try_from(body.len()).unwrap().to_le_bytes();
    let first = [&b"SPDM Device Sec\0\x01\0"[..], &len, &body].concat();
    with(2, EventType::EFI_SPDM_FIRMWARE_BLOB, &first, |read| {
        let EventData::DeviceSecurity(device) = read else { panic!("{read:?}") };
        let DeviceReport::Block { block, .. } = device.report else { panic!("{device:?}") };
        assert_eq!((block.measurement, device.device_type_name()), (&b"hello"[..], Some("PCI")));
    });
    each_cut_is_malformed(2, EventType::EFI_SPDM_FIRMWARE_BLOB, &first);

    let two = [&[0x12, 0, 2, 0, 2, 0, 0, 0][..], &block, &[2, 1, 1, 0, 9]].concat();
    let second = device2(0, &two);
    with(2, EventType::EFI_SPDM_FIRMWARE_CONFIG, &second, |read| {
        let EventData::DeviceSecurity(device) = read else { panic!("{read:?}") };
        let DeviceReport::Authenticated { content, uid, .. } = device.report else {
            panic!("{device:?}")
        };
        let lens: Vec<_> = content.blocks().map(|block| block.measurement.len()).collect();
        assert_eq!((lens, uid, device.device_context.len()), (vec![5, 1], 77, 16));
        assert!(read.to_string().contains("authenticated, 2 measurements"), "{read}");
    });
    each_cut_is_malformed(2, EventType::EFI_SPDM_FIRMWARE_CONFIG, &second);
    // A count of blocks over what is there.
    let mut three = two.clone();
    three[2] = 3;
    with(2, EventType::EFI_SPDM_FIRMWARE_BLOB, &device2(0, &three), |read| {
        assert!(matches!(read, EventData::Malformed { .. }), "{read:?}");
    });

    let chain = device2(1, &[&[0x12, 0, 0, 0, 2, 0, 0, 0][..], b"chain"].concat());
    let instance = [&b"NvIndexInstance\0\x01\0\0\0\0\0\0\0"[..], &chain].concat();
    with(6, EventType::NO_ACTION, &instance, |read| {
        let EventData::NoAction(NoAction::NvIndexInstance { device, .. }) = read else {
            panic!("{read:?}")
        };
        let DeviceReport::Authenticated { content, .. } = device.report else {
            panic!("{device:?}")
        };
        assert!(matches!(content, SpdmContent::Certificates { slot: 0, chain: b"chain", .. }));
    });
    with(2, EventType::EFI_SPDM_FIRMWARE_BLOB, &device2(9, b"new"), |read| {
        assert!(read.to_string().contains("type 9, 3 bytes"), "{read}");
    });
    for end in [b"NvIndexDynamic\0\0", b"NvIndexDynamic \0"] {
        let tail = b"\x01\0\0\0\0\0\0\0\x4d\0\0\0\0\0\0\0\x0f\0SPDM CHALLENGE\0\x02\0\x83\0";
        with(6, EventType::NO_ACTION, &[&end[..], tail].concat(), |read| {
            let EventData::NoAction(NoAction::NvIndexDynamic(event)) = read else {
                panic!("{read:?}")
            };
            assert_eq!((event.uid, event.data), (77, &[0x83, 0][..]));
        });
    }
}

#[test]
fn post_codes_are_text_or_either_blob() {
    with(0, EventType::POST_CODE, b"POST CODE", |read| assert_eq!(read.to_string(), "POST CODE"));
    let blob = le(&[0xff00_0000, 0x1000]);
    with(0, EventType::POST_CODE, &blob, |read| {
        let expected = FirmwareBlob { description: None, base: 0xff00_0000, len: 0x1000 };
        assert_eq!(read, EventData::FirmwareBlob(expected));
    });
    let named = [&b"\x04Boot"[..], &blob].concat();
    for event_type in [
        EventType::POST_CODE,
        EventType::POST_CODE2,
        EventType::S_CRTM_CONTENTS,
        EventType::EFI_PLATFORM_FIRMWARE_BLOB2,
    ] {
        with(0, event_type, &named, |read| {
            let EventData::FirmwareBlob(blob) = read else { panic!("{event_type} {read:?}") };
            assert_eq!(blob.description, Some(Ascii(b"Boot")), "{event_type}");
        });
    }
    each_cut_is_malformed(0, EventType::EFI_PLATFORM_FIRMWARE_BLOB, &blob);
    each_cut_is_malformed(0, EventType::EFI_PLATFORM_FIRMWARE_BLOB2, &named);
}

#[test]
fn crtm_versions_are_text_guid_or_the_platforms_own() {
    with(0, EventType::S_CRTM_VERSION, &ucs2("2.14.7\0"), |read| {
        assert_eq!(read.to_string(), "2.14.7");
    });
    with(0, EventType::S_CRTM_VERSION, &[0x81; 16], |read| {
        assert_eq!(read, EventData::CrtmVersion(CrtmVersion::Guid(Guid([0x81; 16]))));
    });
    with(0, EventType::S_CRTM_VERSION, &[0, 0], |read| assert_eq!(read.to_string(), ""));
    with(0, EventType::S_CRTM_VERSION, &[1, 2, 3], |read| assert_eq!(read.to_string(), "010203"));
}

#[test]
fn handoff_tables_of_either_width_and_revision() {
    let entry = [&[5; 16][..], &le(&[0x7f00])].concat();
    let first = [&le(&[1])[..], &entry].concat();
    let table = HandoffTable { guid: Guid([5; 16]), address: 0x7f00 };
    with(1, EventType::EFI_HANDOFF_TABLES, &first, |read| {
        let EventData::HandoffTables(tables) = read else { panic!("{read:?}") };
        assert_eq!(tables.iter().collect::<Vec<_>>(), [table]);
    });
    each_cut_is_malformed(1, EventType::EFI_HANDOFF_TABLES, &first);
    let second = [&b"\x04ACPI"[..], &first].concat();
    with(1, EventType::EFI_HANDOFF_TABLES2, &second, |read| {
        let EventData::HandoffTables(tables) = read else { panic!("{read:?}") };
        assert_eq!((tables.description, tables.len()), (Some(Ascii(b"ACPI")), 1));
    });
    each_cut_is_malformed(1, EventType::EFI_HANDOFF_TABLES2, &second);
    with(1, EventType::EFI_HANDOFF_TABLES, &le(&[u64::MAX]), |read| {
        assert!(matches!(read, EventData::Malformed { .. }), "{read:?}");
    });

    // The Spec ID event of 32-bit firmware: uintnSize is 1.
    let small = [&[1, 0, 0, 0][..], &[5; 16], &[0, 0x7f, 0, 0]].concat();
    let mut bytes = log_of(1, EventType::EFI_HANDOFF_TABLES, &small);
    bytes[32 + 23] = 1;
    let log = parse(&bytes).log;
    let EventData::HandoffTables(tables) = decoded(&log) else { panic!("{:?}", decoded(&log)) };
    assert_eq!((tables.width, tables.iter().next()), (UintnWidth::Four, Some(table)));
    assert_eq!(decoded(&log).to_bytes(), small);
}

#[test]
fn variables_are_read_by_name_and_vendor() {
    let config = EventType::EFI_VARIABLE_DRIVER_CONFIG;
    let value_is = |event_type, data: &[u8], check: &dyn Fn(VariableValue<'_>)| {
        with(7, event_type, data, |read| {
            let EventData::Variable(event) = read else { panic!("{read:?}") };
            check(event.value());
        });
    };
    let global = Guid::GLOBAL_VARIABLE;
    value_is(config, &variable(global, "SecureBoot", &[1]), &|value| {
        assert_eq!(value, VariableValue::Flag(1));
    });
    value_is(config, &variable(global, "SecureBoot", &[]), &|value| {
        assert_eq!(value, VariableValue::Empty);
    });
    value_is(config, &variable(global, "SecureBoot", &[1, 1]), &|value| {
        assert!(matches!(value, VariableValue::Malformed(_)), "{value:?}");
    });
    value_is(config, &variable(Guid([1; 16]), "SecureBoot", &[1]), &|value| {
        assert_eq!(value, VariableValue::Bytes(&[1]));
    });
    let list = signature_list(CertType::SHA256, Guid::MICROSOFT, &[vec![1; 32], vec![2; 32]]);
    for name in ["db", "dbx", "dbt", "dbr"] {
        let data = variable(Guid::IMAGE_SECURITY_DATABASE, name, &list);
        value_is(config, &data, &|value| {
            let VariableValue::SignatureLists(lists) = value else { panic!("{name} {value:?}") };
            assert_eq!((lists.len(), lists[0].len()), (1, 2), "{name}");
        });
    }
    let data = variable(Guid::IMAGE_SECURITY_DATABASE, "dbx", &list[..list.len() - 1]);
    value_is(config, &data, &|value| {
        assert!(matches!(value, VariableValue::Malformed(_)), "{value:?}");
    });
    for event_type in [EventType::EFI_VARIABLE_BOOT, EventType::EFI_VARIABLE_BOOT2] {
        value_is(event_type, &variable(global, "BootOrder", &[3, 0, 1, 0]), &|value| {
            assert_eq!(value, VariableValue::Order(vec![3, 1]));
        });
        let option = load_option("debian", Device::Disk("\\EFI\\debian\\shimx64.efi"));
        value_is(event_type, &variable(global, "Boot0003", &option), &|value| {
            let VariableValue::LoadOption(option) = value else { panic!("{value:?}") };
            assert_eq!(option.description.to_string(), "debian");
        });
    }
    let authority = EventType::EFI_VARIABLE_AUTHORITY;
    let entry = [&Guid::MICROSOFT.0[..], b"der"].concat();
    value_is(authority, &variable(Guid::IMAGE_SECURITY_DATABASE, "db", &entry), &|value| {
        let VariableValue::Authority(signature) = value else { panic!("{value:?}") };
        assert_eq!((signature.owner, signature.data), (Guid::MICROSOFT, &b"der"[..]));
    });
    value_is(authority, &variable(Guid::SHIM_LOCK, "SbatLevel", b"sbat,1\n"), &|value| {
        assert_eq!(value, VariableValue::Sbat(Ascii(b"sbat,1\n")));
    });
}

#[test]
fn authorities_of_old_shims_keep_what_is_behind_them() {
    let der = [&[0x30, 0x82, 1, 0][..], &[7; 256]].concat();
    let data = [&variable(Guid::SHIM_LOCK, "Shim", &der)[..], b"x"].concat();
    with(7, EventType::EFI_VARIABLE_AUTHORITY, &data, |read| {
        let EventData::Variable(event) = read else { panic!("{read:?}") };
        assert_eq!(event.value(), VariableValue::Certificate(&der));
        assert_eq!(event.behind, b"x");
    });
}

#[test]
fn images_keep_what_is_behind_them() {
    let data = image_load(Device::Disk("\\EFI\\BOOT\\BOOTX64.EFI"), 4096);
    each_cut_is_malformed(4, EventType::EFI_BOOT_SERVICES_APPLICATION, &data);
    let longer = [&data[..], &[0; 9]].concat();
    with(4, EventType::EFI_BOOT_SERVICES_APPLICATION, &longer, |read| {
        let EventData::Image(image) = read else { panic!("{read:?}") };
        assert_eq!((image.behind.len(), image.image.untrusted_len), (9, 4096));
        assert!(read.to_string().ends_with("\\EFI\\BOOT\\BOOTX64.EFI"), "{read}");
    });
}

#[test]
fn separators_of_each_value_and_size() {
    for value in SeparatorValue::ALL {
        for n in [0, 46] {
            let data = [&value.bytes()[..], &vec![0; n]].concat();
            with(7, EventType::SEPARATOR, &data, |read| {
                let EventData::Separator(SeparatorData::Value { value: have, padding }) = read
                else {
                    panic!("{read:?}")
                };
                assert_eq!((have, padding.len()), (value, n));
            });
        }
    }
    with(12, EventType::SEPARATOR, b"WBCL", |read| {
        assert_eq!(read, EventData::Separator(SeparatorData::Windows));
    });
    with(0, EventType::SEPARATOR, b"Memory error", |read| {
        assert_eq!(read.to_string(), "Memory error");
    });
    with(0, EventType::SEPARATOR, &[0xff], |read| {
        assert_eq!(read, EventData::Separator(SeparatorData::Other(&[0xff])));
    });
}

#[test]
fn actions_of_the_specification_are_known() {
    for action in KnownAction::ALL {
        for event_type in [EventType::EFI_ACTION, EventType::ACTION] {
            with(7, event_type, action.text().as_bytes(), |read| {
                let known = ActionText::Known { action: *action, padding: &[] };
                assert_eq!(read, EventData::Action(known));
            });
        }
    }
    with(7, EventType::EFI_ACTION, b"UEFI Debug Mode\0", |read| {
        let known = ActionText::Known { action: KnownAction::DebugMode, padding: &[0] };
        assert_eq!(read, EventData::Action(known));
    });
    with(7, EventType::EFI_ACTION, b"UEFI Debug Mode 2", |read| {
        assert!(matches!(read, EventData::Action(ActionText::Other(_))), "{read:?}");
    });
    with(7, EventType::EFI_ACTION, &[], |read| {
        assert!(matches!(read, EventData::Malformed { .. }), "{read:?}");
    });
}

#[test]
fn lines_of_grub_with_each_prefix() {
    for (prefix, expected) in [
        ("grub_cmd: ", GrubLine::Command),
        ("grub_cmd ", GrubLine::Command),
        ("kernel_cmdline: ", GrubLine::KernelCommandLine),
        ("grub_kernel_cmdline ", GrubLine::KernelCommandLine),
        ("module_cmdline: ", GrubLine::ModuleCommandLine),
        ("grub_module_cmdline ", GrubLine::ModuleCommandLine),
    ] {
        for nul in ["", "\0"] {
            let data = format!("{prefix}linux /vmlinuz root=LABEL=\u{fc}{nul}");
            with(8, EventType::IPL, data.as_bytes(), |read| {
                let EventData::Ipl(Ipl::Grub { line, text, .. }) = read else { panic!("{read:?}") };
                assert_eq!((line, text.0.len()), (expected, data.len() - prefix.len()));
            });
        }
    }
    with(9, EventType::IPL, b"(hd0,gpt2)/vmlinuz\0", |read| {
        assert!(matches!(read, EventData::Ipl(Ipl::GrubFile(_))), "{read:?}");
    });
}

#[test]
fn names_that_shim_and_systemd_measure() {
    for name in ShimVariable::ALL {
        with(14, EventType::IPL, format!("{}\0", name.name()).as_bytes(), |read| {
            let EventData::Ipl(Ipl::ShimVariable { variable, .. }) = read else {
                panic!("{read:?}")
            };
            assert_eq!(variable, *name);
        });
    }
    for name in UkiSection::ALL {
        for data in [ucs2(&format!("{}\0", name.name())), name.name().as_bytes().to_vec()] {
            with(11, EventType::IPL, &data, |read| {
                let EventData::Ipl(Ipl::UkiSection { section, .. }) = read else {
                    panic!("{read:?}")
                };
                assert_eq!(section, *name);
            });
        }
    }
    for pcr_index in [8, 12] {
        with(pcr_index, EventType::IPL, &ucs2("root=/dev/vda1 quiet\0"), |read| {
            assert!(matches!(read, EventData::Ipl(Ipl::KernelCommandLine(_))), "{read:?}");
            assert_eq!(read.to_string(), "root=/dev/vda1 quiet");
        });
    }
    with(13, EventType::IPL, &ucs2("debug.sysext.raw\0"), |read| {
        assert!(matches!(read, EventData::Ipl(Ipl::StubExtra(_))), "{read:?}");
    });
}

fn tag(id: u32, data: &[u8]) -> Vec<u8> {
    [&id.to_le_bytes()[..], &u32::try_from(data.len()).unwrap().to_le_bytes(), data].concat()
}

#[test]
fn tags_of_linux_and_systemd() {
    for (id, name) in [
        (0x8f3b_22ed, "Linux load options"),
        (0x8f3b_22ec, "Linux initrd"),
        (0x49df_fe0f, "systemd initrd"),
        (0xf5bc_582a, "systemd loader.conf"),
        (0xd5cb_7cbc, "systemd SMBIOS structure"),
        (0xe0d4_7bc8, "systemd SMBIOS structure"),
        (0xc0b3_bd23, "systemd SMBIOS structure"),
        (0x6c46_f751, "systemd device tree"),
        (0xdac0_8e1a, "systemd microcode"),
    ] {
        with(9, EventType::EVENT_TAG, &tag(id, b"text\0"), |read| {
            assert_eq!(read.to_string(), format!("{name}: text"));
        });
    }
    let data = tag(0x8f3b_22ed, b"LOADED_IMAGE::LoadOptions\0");
    each_cut_is_malformed(9, EventType::EVENT_TAG, &data);
}

#[test]
fn containers_of_windows_are_read_to_a_bounded_depth() {
    let values = [tag(0x5_0003, &[1]), tag(0x2_0002, &[7, 0, 0, 0, 0, 0, 0, 0])].concat();
    let module = tag(0x4001_0003, &tag(0x7_0001, &ucs2("\\Windows\\x.sys\0")));
    let data = tag(0x4001_0001, &[values, module].concat());
    with(13, EventType::EVENT_TAG, &data, |read| {
        let EventData::Tagged(events) = read else { panic!("{read:?}") };
        let TagValue::Container(inner) = events.iter().next().unwrap().value() else {
            panic!("{read:?}")
        };
        let values: Vec<_> = inner.iter().map(|event| event.value()).collect();
        assert_eq!(values[0], TagValue::Sipa(SipaValue::Flag(1)));
        assert_eq!(values[1], TagValue::Sipa(SipaValue::Number(7)));
        assert!(matches!(values[2], TagValue::Container(_)));
        assert!(read.to_string().contains("TestSigning: 01, BootCounter: 0x7"), "{read}");
    });
    each_cut_is_malformed(13, EventType::EVENT_TAG, &data);
    let mut nested = tag(0x5_0003, &[1]);
    for depth in 1..=TAG_DEPTH_MAX + 1 {
        nested = tag(0x4001_0001, &nested);
        with(13, EventType::EVENT_TAG, &nested, |read| {
            let is_malformed = matches!(read, EventData::Malformed { .. });
            assert_eq!(is_malformed, depth > TAG_DEPTH_MAX, "{depth}");
        });
    }
}

#[test]
fn the_boot_loader_of_esxi() {
    let value_is = |pcr_index, data: &[u8], check: &dyn Fn(TagValue<'_>)| {
        with(pcr_index, EventType::EVENT_TAG, data, |read| {
            let EventData::Tagged(events) = read else { panic!("{read:?}") };
            check(events.iter().next().unwrap().value());
        });
    };
    value_is(12, &tag(2, b"k.b00\0"), &|value| {
        assert_eq!(value, TagValue::EsxiFile(Ascii(b"k.b00\0")));
    });
    value_is(14, &tag(3, b"useropts.gz\0"), &|value| {
        assert_eq!(value, TagValue::EsxiFile(Ascii(b"useropts.gz\0")));
    });
    value_is(14, &tag(4, b"autoPartition=FALSE"), &|value| {
        assert_eq!(value, TagValue::EsxiCommandLine(Ascii(b"autoPartition=FALSE")));
    });
    value_is(14, &tag(6, b"rack 7"), &|value| {
        assert_eq!(value, TagValue::EsxiAssetTag(Ascii(b"rack 7")));
    });
    value_is(14, &tag(7, &[0x30, 0x82]), &|value| {
        assert_eq!(value, TagValue::EsxiSigner(&[0x30, 0x82]));
    });
    let texts = b"vmkernelVMware ESXi8.0.3b.b00\0";
    let (mut record, mut offset) = (Vec::new(), 32u16);
    record.extend((32 + u32::try_from(texts.len()).unwrap()).to_le_bytes());
    record.extend(1u32.to_le_bytes());
    record.extend(0u64.to_le_bytes());
    for len in [8u16, 11, 5, 6] {
        record.extend(offset.to_le_bytes());
        record.extend(len.to_le_bytes());
        offset += len;
    }
    record.extend(texts);
    value_is(13, &tag(8, &record), &|value| {
        let TagValue::EsxiVersion(version) = value else { panic!("{value:?}") };
        assert_eq!((version.product, version.version), (Ascii(b"VMware ESXi"), Ascii(b"8.0.3")));
        assert_eq!(version.file, Ascii(b"b.b00\0"));
    });
    // An offset behind the end.
    record[16..18].copy_from_slice(&0xfff0u16.to_le_bytes());
    value_is(13, &tag(8, &record), &|value| {
        assert!(matches!(value, TagValue::Malformed(_)), "{value:?}");
    });
    // The same number of a firmware.
    value_is(1, &tag(6, b"board\x01"), &|value| {
        assert_eq!(value, TagValue::Bytes(b"board\x01"));
    });
}

#[test]
fn types_outside_the_standard_are_shown() {
    with(17, EventType(0x40e), &[0], |read| assert_eq!(read.to_string(), "EVTYPE_STM_HASH: 00"));
    with(17, EventType(0x501), &[], |read| assert_eq!(read.kind(), "txt"));
    with(2, EventType(0x40e), &[1, 2], |read| {
        assert_eq!((read.kind(), &*read.to_string()), ("unknown", "0102"));
    });
    with(
        0,
        EventType::NONHOST_INFO,
        b"GCE NonHostInfo\0\x03\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0",
        |read| {
            assert_eq!(read.to_string(), "GCE NonHostInfo: confidential computing Intel TDX");
        },
    );
}

#[test]
fn long_and_steering_text_is_cut_and_escaped() {
    let data = [&b"grub_cmd: \x1b[2J\xff"[..], &[b'a'; 5000]].concat();
    with(8, EventType::IPL, &data, |read| {
        let shown = read.to_string();
        assert!(shown.starts_with("grub_cmd: \\u{1b}[2J\\xffaaa"), "{shown}");
        assert!(shown.ends_with('…') && shown.chars().count() < 520, "{}", shown.len());
    });
}

proptest! {
    #[test]
    fn any_data_of_any_type_is_shown_and_written_back(
        pcr_index in 0u32..24,
        type_index in 0..EventType::KNOWN.len(),
        prefix in 0usize..10,
        tail in proptest::collection::vec(any::<u8>(), 0..200),
    ) {
        const PREFIXES: [&[u8]; 10] = [
            b"", b"Spec ID Event03\0", b"SP800-155 Event3", b"StartupLocality\0",
            b"H-CRTM CompMeas\0", b"NvIndexInstance\0", b"NvIndexDynamic\0\0",
            b"SPDM Device Sec\0", b"SPDM Device Sec2", b"\x01\0\x01\x40",
        ];
        let data = [PREFIXES[prefix], &tail].concat();
        let bytes = log_of(pcr_index, EventType::KNOWN[type_index], &data);
        let log = parse(&bytes).log;
        let event = log.events()[1];
        for format in [log.format(), Format::Sha1] {
            let read = EventData::read(&event, format);
            prop_assert_eq!(read.to_bytes(), &data[..]);
            prop_assert!(!read.to_string().chars().any(char::is_control));
        }
    }
}
