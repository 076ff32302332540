//! The boot of a Linux server, event by event.

use efi::{CertType, Guid};
use event_log::{EventType, hash};
use secure_boot_facts::{Architecture, published};
use tpm_wire::TpmAlgId;

use super::certificates::certificates;
use super::encode::{
    Device, PARTITION, image_load, load_option, signature_data, signature_list, ucs2, variable,
};
use super::entry::Entry;
use super::{BootLog, Locality};

/// Who puts entries into the databases of this server.
const OWNER: Guid = Guid::new(0x1111_2222, 0x3333, 0x4444, 0x5555, 0x6666_7777_8888);

/// A list for a dbx that revokes these images of a built log, each named by its content.
///
/// # Panics
/// Without an image: a list has at least one entry.
pub fn revoking(images: &[&str]) -> Vec<u8> {
    let digests: Vec<_> = images.iter().map(|image| digest(image)).collect();
    signature_list(CertType::SHA256, OWNER, &digests)
}

fn digest(image: &str) -> Vec<u8> {
    hash(TpmAlgId::SHA256, &[image.as_bytes()]).expect("SHA-256").as_bytes().to_vec()
}

pub(super) fn entries(log: &BootLog) -> Vec<Entry> {
    let mut entries = Vec::new();
    firmware(log, &mut entries);
    secure_boot(log, &mut entries);
    if log.option_rom {
        option_rom(&mut entries);
    }
    settings(&mut entries);
    entries.push(action(4, "Calling EFI Application from Boot Option"));
    for (pcr_index, value) in (0..).zip(log.separators) {
        if let Some(value) = value {
            let data: &[u8] = if value == [1, 0, 0, 0] { b"firmware error" } else { &value };
            entries.push(Entry::of(pcr_index, EventType::SEPARATOR, &value, data));
        }
    }
    shim(log, &mut entries);
    grub(log, &mut entries);
    kernel(log, &mut entries);
    entries
}

fn action(pcr_index: u32, text: &str) -> Entry {
    Entry::of_data(pcr_index, EventType::EFI_ACTION, text.as_bytes())
}

fn firmware(log: &BootLog, entries: &mut Vec<Entry>) {
    match log.locality {
        Some(Locality::Logged(locality)) => {
            let data = [b"StartupLocality\0", &[locality][..]].concat();
            entries.push(Entry::of(0, EventType::NO_ACTION, &[], &data));
        }
        Some(Locality::HCrtm) => {
            let data = b"StartupLocality\0\x04";
            entries.push(Entry::of(0, EventType::NO_ACTION, &[], data));
            let code = b"code that the processor measured before its reset vector";
            entries.push(Entry::of(0, EventType::EFI_HCRTM_EVENT, code, b"HCRTM"));
        }
        Some(Locality::Unlogged(_)) | None => {}
    }
    let version = [ucs2(&log.firmware), vec![0, 0]].concat();
    entries.push(Entry::of_data(0, EventType::S_CRTM_VERSION, &version));
    for (base, len, name) in
        [(0xff00_0000u64, 0x2_0000u64, "boot block"), (0xff02_0000, 0x1c_0000, "PEI volume")]
    {
        let content = format!("{name} of firmware {}", log.firmware);
        let place = [base.to_le_bytes(), len.to_le_bytes()].concat();
        let event_type = EventType::EFI_PLATFORM_FIRMWARE_BLOB;
        entries.push(Entry::of(0, event_type, content.as_bytes(), &place));
    }
    let content = format!("DXE volume of firmware {}", log.firmware);
    let place =
        [&b"\x0aDXE volume"[..], &0xff1e_0000u64.to_le_bytes(), &0x80_0000u64.to_le_bytes()];
    let event_type = EventType::EFI_PLATFORM_FIRMWARE_BLOB2;
    entries.push(Entry::of(0, event_type, content.as_bytes(), &place.concat()));
}

fn secure_boot(log: &BootLog, entries: &mut Vec<Entry>) {
    let c = certificates();
    let x509 = |der: &Vec<u8>| signature_list(CertType::X509, OWNER, std::slice::from_ref(der));
    let revoked: Vec<_> = match log.n_dbx {
        Some(n) => (0..n).map(|i| digest(&format!("revoked image {i}"))).collect(),
        None => published(Architecture::X64).map(|image| image.sha256.to_vec()).collect(),
    };
    let dbx = match revoked.is_empty() {
        true => Vec::new(),
        false => signature_list(CertType::SHA256, Guid::MICROSOFT, &revoked),
    };
    let allowed = signature_list(CertType::SHA256, OWNER, &[digest("a recovery tool")]);
    let db = [x509(&c.db_vendor), x509(&c.db_third_party), allowed].concat();
    let global = Guid::GLOBAL_VARIABLE;
    let database = Guid::IMAGE_SECURITY_DATABASE;
    let mut measure = |guid, name: &str, value: &[u8]| {
        let event_type = EventType::EFI_VARIABLE_DRIVER_CONFIG;
        entries.push(Entry::of_data(7, event_type, &variable(guid, name, value)));
    };
    if let Some(value) = &log.secure_boot {
        measure(global, "SecureBoot", value);
    }
    measure(global, "PK", &x509(&c.pk));
    measure(global, "KEK", &x509(&c.kek));
    measure(database, "db", &db);
    measure(database, "dbx", &dbx);
}

/// What a database's entry says that allowed an image to run.
fn authority(guid: Guid, name: &str, value: &[u8]) -> Entry {
    Entry::of_data(7, EventType::EFI_VARIABLE_AUTHORITY, &variable(guid, name, value))
}

fn db_third_party() -> Entry {
    let value = signature_data(OWNER, &certificates().db_third_party);
    authority(Guid::IMAGE_SECURITY_DATABASE, "db", &value)
}

fn option_rom(entries: &mut Vec<Entry>) {
    entries.push(db_third_party());
    let event_type = EventType::EFI_BOOT_SERVICES_DRIVER;
    let data = image_load(Device::OptionRom, 0x1_3600);
    entries.push(Entry::of(2, event_type, b"the driver of a network card", &data));
}

fn settings(entries: &mut Vec<Entry>) {
    let tables =
        b"\x01\0\0\0\0\0\0\0\x31\x2d\x9d\xeb\x88\x2d\xd3\x11\x9a\x16\0\x90\x27\x3f\xc1\x4d\
        \0\0\x10\x7f\0\0\0\0";
    entries.push(Entry::of(1, EventType::EFI_HANDOFF_TABLES, b"the SMBIOS tables", tables));
    let options = [
        ("Boot0000", load_option("debian", Device::Disk("\\EFI\\debian\\shimx64.efi"))),
        ("Boot0001", load_option("UEFI PXE", Device::OptionRom)),
    ];
    let order = ("BootOrder", vec![0, 0, 1, 0]);
    for (name, value) in [order].iter().chain(&options) {
        let data = variable(Guid::GLOBAL_VARIABLE, name, value);
        // Of the value alone, as firmware of today does.
        entries.push(Entry::of(1, EventType::EFI_VARIABLE_BOOT, value, &data));
    }
}

fn shim(log: &BootLog, entries: &mut Vec<Entry>) {
    // Firmware names each authority once in a boot: an option ROM may have used this one.
    if !log.option_rom {
        entries.push(db_third_party());
    }
    entries.push(Entry::of_data(5, EventType::EFI_GPT_EVENT, &gpt()));
    let event_type = EventType::EFI_BOOT_SERVICES_APPLICATION;
    let data = image_load(Device::Disk("\\EFI\\debian\\shimx64.efi"), 0xe_0000);
    entries.push(Entry::of(4, event_type, b"shim 16.1", &data));
    // Shim has its own certificate in front of those of the owner.
    let own = &certificates().distribution;
    let mut mok = signature_list(CertType::X509, Guid::SHIM_LOCK, std::slice::from_ref(own));
    if log.mok {
        let owners = std::slice::from_ref(&certificates().mok);
        mok.extend(signature_list(CertType::X509, OWNER, owners));
    }
    let state = |name: &[u8], content: &[u8]| Entry::of(14, EventType::IPL, content, name);
    entries.push(state(b"MokList\0", &mok));
    entries.push(state(b"MokListX\0", b""));
    let sbat = b"sbat,1,2025051000\nshim,4\ngrub,5\ngrub.proxmox,2\n";
    entries.push(authority(Guid::SHIM_LOCK, "SbatLevel", sbat));
    entries.push(state(b"MokListTrusted\0", &[1]));
    let vendor = signature_data(Guid::SHIM_LOCK, &certificates().distribution);
    entries.push(authority(Guid::SHIM_LOCK, "MokListRT", &vendor));
    let data = image_load(Device::File("\\EFI\\debian\\grubx64.efi"), 0x28_0000);
    entries.push(Entry::of(4, event_type, b"GRUB 2.12", &data));
}

/// A text that GRUB measures; its digest is of what is behind the prefix.
fn grub_line(prefix: &str, text: &str) -> Entry {
    let data = format!("{prefix}: {text}\0");
    Entry::of(8, EventType::IPL, text.as_bytes(), data.as_bytes())
}

fn grub(log: &BootLog, entries: &mut Vec<Entry>) {
    let command = |text: &str| grub_line("grub_cmd", text);
    let file = |name: &str, content: &str| {
        Entry::of(9, EventType::IPL, content.as_bytes(), format!("{name}\0").as_bytes())
    };
    entries.push(file("(hd0,gpt1)/EFI/debian/grub.cfg", "search, then configfile"));
    entries.push(command("search.fs_uuid 5a1c2c1e-0d0b-4c0e-9c0e-2f3d4e5f6a7b root"));
    entries.push(command("set prefix=(hd0,gpt2)/grub"));
    entries.push(command("configfile (hd0,gpt2)/grub/grub.cfg"));
    entries.push(file("(hd0,gpt2)/grub/grub.cfg", "the menu"));
    for text in [
        "[ -s (hd0,gpt2)/grub/grubenv ]",
        "load_env",
        "set default=0",
        "set timeout_style=menu",
        "set timeout=5",
        "terminal_output console",
        "menuentry Debian GNU/Linux --class debian",
        "setparams Debian GNU/Linux",
        "insmod gzio",
        "insmod part_gpt",
        "insmod ext2",
    ] {
        entries.push(command(text));
    }
    for n in 0..log.n_modules {
        entries.push(command(&format!("insmod module{n}")));
    }
    let BootLog { kernel, kernel_cmdline, .. } = log;
    entries.push(command(&format!("linux /vmlinuz-{kernel} {kernel_cmdline}")));
}

fn kernel(log: &BootLog, entries: &mut Vec<Entry>) {
    let BootLog { kernel, kernel_cmdline, .. } = log;
    if log.mok {
        let owner = signature_data(OWNER, &certificates().mok);
        entries.push(authority(Guid::SHIM_LOCK, "MokList", &owner));
    }
    let image = format!("Linux {kernel}");
    let name = format!("/vmlinuz-{kernel}\0");
    entries.push(Entry::of(9, EventType::IPL, image.as_bytes(), name.as_bytes()));
    let event_type = EventType::EFI_BOOT_SERVICES_APPLICATION;
    let data = image_load(Device::Unnamed, 0xd8_77c0);
    entries.push(Entry::of(4, event_type, image.as_bytes(), &data));
    let text = format!("/vmlinuz-{kernel} {kernel_cmdline}");
    entries.push(grub_line("kernel_cmdline", &text));
    entries.push(grub_line("grub_cmd", &format!("initrd /initrd.img-{kernel}")));
    let initrd = format!("the initrd of {image}");
    let name = format!("/initrd.img-{kernel}\0");
    entries.push(Entry::of(9, EventType::IPL, initrd.as_bytes(), name.as_bytes()));
    entries.push(grub_line("grub_cmd", "boot"));
    let tagged = |id: u32, name: &[u8], content: &[u8]| {
        let len = u32::try_from(name.len()).expect("a short name").to_le_bytes();
        let data = [&id.to_le_bytes()[..], &len, name].concat();
        Entry::of(9, EventType::EVENT_TAG, content, &data)
    };
    entries.push(tagged(0x8f3b_22ed, b"LOADED_IMAGE::LoadOptions\0", &ucs2(&text)));
    entries.push(tagged(0x8f3b_22ec, b"Linux initrd\0", initrd.as_bytes()));
    entries.push(action(5, "Exit Boot Services Invocation"));
    entries.push(action(5, "Exit Boot Services Returned with Success"));
}

/// UEFI_GPT_DATA: a system partition and one of Linux.
fn gpt() -> Vec<u8> {
    let mut header = b"EFI PART\0\0\x01\0\x5c\0\0\0".to_vec();
    header.extend([0; 8]);
    for lba in [1u64, 0x3fff_ffff, 0x800, 0x3fff_ffde] {
        header.extend(lba.to_le_bytes());
    }
    header.extend(Guid::new(0x2222_2222, 0x3333, 0x4444, 0x5555, 0x6666_6666_6666).0);
    header.extend(2u64.to_le_bytes());
    for n in [128u32, 128, 0] {
        header.extend(n.to_le_bytes());
    }
    let linux = Guid::new(0x0fc6_3daf, 0x8483, 0x4772, 0x8e79, 0x3d69_d847_7de4);
    let second = Guid::new(0x6666_6666, 0x7777, 0x8888, 0x9999, 0xbbbb_bbbb_bbbb);
    let mut entries = Vec::new();
    for (kind, unique, name, first, last) in [
        (Guid::EFI_SYSTEM_PARTITION, PARTITION, "esp", 0x800u64, 0x10_07ffu64),
        (linux, second, "boot", 0x10_0800, 0x3fff_ffde),
    ] {
        entries.extend(kind.0);
        entries.extend(unique.0);
        entries.extend(first.to_le_bytes());
        entries.extend(last.to_le_bytes());
        entries.extend([0; 8]);
        let mut text = ucs2(name);
        text.resize(72, 0);
        entries.extend(text);
    }
    [&header[..], &2u64.to_le_bytes(), &entries].concat()
}
