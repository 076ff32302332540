//! Event data as one line for people: escaped, and cut where it is long.

use core::fmt::{self, Write};

use super::*;

/// Characters of one line: what a terminal wraps a dozen times. Windows has events of 36 KiB.
const LINE_CHARS_MAX: usize = 1000;

/// Characters of one text in a line. Command lines of kernels are under it; menus that GRUB logs
/// go on for pages.
const TEXT_CHARS_MAX: usize = 480;

/// Bytes that are shown in hex where nothing better is known.
const HEX_BYTES_MAX: usize = 24;

/// Entries of a list that are shown before the rest is counted.
const LIST_LEN_MAX: usize = 8;

/// One line: escaped, and cut with `…` where it is long.
impl fmt::Display for EventData<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        cut_at(f, &Line(self), LINE_CHARS_MAX)
    }
}

struct Line<'a>(&'a EventData<'a>);

impl fmt::Display for Line<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        use EventData as Data;
        match self.0 {
            Data::NoAction(data) => no_action(f, data),
            Data::WindowsTrailer(data) | Data::Tagged(data) => tagged(f, data, 0),
            Data::Separator(data) => separator(f, data),
            Data::Action(ActionText::Known { action, .. }) => f.write_str(action.text()),
            Data::Action(ActionText::Other(text)) | Data::Text(text) => cut(f, text),
            Data::CrtmVersion(CrtmVersion::Text(text)) => cut(f, text),
            Data::CrtmVersion(CrtmVersion::Guid(guid)) => write!(f, "{guid}"),
            Data::CrtmVersion(CrtmVersion::Platform(bytes)) => hex(f, bytes),
            Data::FirmwareBlob(FirmwareBlob { description, base, len }) => {
                if let Some(description) = description {
                    cut(f, description)?;
                    f.write_str(" ")?;
                }
                write!(f, "{len} bytes at {base:#x}")
            }
            Data::HandoffTables(tables) => handoff_tables(f, tables),
            Data::Variable(event) => variable(f, event),
            Data::Image(ImageLoad { image, .. }) => match image.untrusted_device_path.0 {
                [] => write!(f, "{} bytes", image.untrusted_len),
                _ => cut(f, &image.untrusted_device_path),
            },
            Data::Gpt(gpt) => {
                write!(f, "disk {}: {} partitions", gpt.disk_guid, gpt.partitions().count())
            }
            Data::DeviceSecurity(device) => device_security(f, device),
            Data::Ipl(data) => ipl(f, data),
            Data::GceNonHostInfo(info) => match info.technology_name() {
                Some(name) => write!(f, "GCE NonHostInfo: confidential computing {name}"),
                None => write!(f, "GCE NonHostInfo: {:#04x}", info.technology),
            },
            Data::Txt { event_type, data } => {
                write!(f, "{event_type}: ")?;
                hex(f, data)
            }
            Data::Platform(data) | Data::Unknown(data) => opaque(f, data),
            Data::Malformed { error, bytes } => {
                write!(f, "malformed: {error}: ")?;
                hex(f, bytes)
            }
        }
    }
}

fn no_action(f: &mut fmt::Formatter<'_>, data: &NoAction<'_>) -> fmt::Result {
    match data {
        NoAction::SpecId(event) => {
            let SpecIdEvent { version_major, version_minor, errata, .. } = event;
            let signature = efi::Ascii(event.revision.signature());
            write!(f, "{signature}: {version_major}.{version_minor} errata {errata}")?;
            event.algorithms().try_for_each(|(alg, _)| write!(f, ", {alg}"))
        }
        NoAction::ReferenceManifest(event) => {
            write!(f, "SP800-155 {}", event.guid)?;
            if let Some(names) = event.names {
                write!(f, " {} {}", names.manufacturer, names.model)?;
                write!(f, ", firmware {}", names.firmware_version)?;
            }
            if let Some(places) = event.places
                && let PlaceKind::Uri(uri) = places.manifest.kind()
            {
                f.write_str(" ")?;
                cut(f, &uri)?;
            }
            Ok(())
        }
        NoAction::StartupLocality { locality, .. } => write!(f, "StartupLocality {locality}"),
        NoAction::HCrtmComponent(component) => {
            write!(f, "H-CRTM component {}: ", component.description)?;
            hex(f, component.measurement)
        }
        NoAction::NvIndexInstance { device, .. } => {
            f.write_str("NvIndexInstance: ")?;
            device_security(f, device)
        }
        NoAction::NvIndexDynamic(event) => {
            write!(f, "NvIndexDynamic: {} {:#x}: ", event.description, event.uid)?;
            hex(f, event.data)
        }
        NoAction::Other(bytes) => opaque(f, &Opaque::read(bytes)),
    }
}

fn separator(f: &mut fmt::Formatter<'_>, data: &SeparatorData<'_>) -> fmt::Result {
    match data {
        SeparatorData::Value { value, padding } => {
            let name = match value {
                crate::SeparatorValue::Zero => "00000000",
                crate::SeparatorValue::Ones => "ffffffff",
                crate::SeparatorValue::Error => "00000001, the firmware met an error",
            };
            match padding.len() {
                0 => f.write_str(name),
                n => write!(f, "{name}, {n} bytes behind it"),
            }
        }
        SeparatorData::Windows => f.write_str("WBCL, Windows ends its phase"),
        SeparatorData::Text(text) => cut(f, text),
        SeparatorData::Other(bytes) => hex(f, bytes),
    }
}

fn handoff_tables(f: &mut fmt::Formatter<'_>, tables: &HandoffTables<'_>) -> fmt::Result {
    if let Some(description) = tables.description {
        write!(f, "{description} ")?;
    }
    let show = |f: &mut fmt::Formatter<'_>, table: HandoffTable| {
        write!(f, "{} at {:#x}", table.guid, table.address)
    };
    list(f, tables.iter(), tables.len(), show)
}

fn variable(f: &mut fmt::Formatter<'_>, event: &VariableEvent<'_>) -> fmt::Result {
    cut(f, &event.variable.name)?;
    f.write_str(": ")?;
    match event.value() {
        VariableValue::Empty => f.write_str("empty"),
        VariableValue::Flag(flag) => write!(f, "{flag:02x}"),
        VariableValue::Order(order) => {
            let n = order.len();
            list(f, order.into_iter(), n, |f, number| write!(f, "{number:04X}"))
        }
        VariableValue::LoadOption(option) => {
            cut(f, &option.description)?;
            if option.is_active() { Ok(()) } else { f.write_str(", not active") }
        }
        VariableValue::SignatureLists(lists) => {
            let n = lists.len();
            list(f, lists.into_iter(), n, |f, list| write!(f, "{} {}", list.len(), list.cert_type))
        }
        VariableValue::Authority(signature) => {
            write!(f, "owner {}, {} bytes", signature.owner, signature.data.len())
        }
        VariableValue::Certificate(der) => write!(f, "a certificate of {} bytes", der.len()),
        VariableValue::Sbat(text) => cut(f, &text),
        VariableValue::Bytes(bytes) => hex(f, bytes),
        VariableValue::Malformed(error) => {
            write!(f, "malformed: {error}: ")?;
            hex(f, event.variable.value)
        }
    }
}

fn device_security(f: &mut fmt::Formatter<'_>, device: &DeviceSecurity<'_>) -> fmt::Result {
    match device.device_type_name() {
        Some(name) => write!(f, "{name} device ")?,
        None => write!(f, "device of type {} ", device.device_type)?,
    }
    cut(f, &device.device_path)?;
    match device.report {
        DeviceReport::Block { block, .. } => {
            write!(f, ": measurement {} ", block.index)?;
            hex(f, block.measurement)
        }
        DeviceReport::Authenticated { auth_state, content, .. } => {
            let state = match auth_state {
                0 => "authenticated",
                1 => "not authenticated",
                2 => "not bound",
                3 => "no signature",
                4 => "an invalid signature",
                0xff => "no SPDM",
                _ => "an unknown state",
            };
            write!(f, ": {state}, ")?;
            match content {
                SpdmContent::Blocks { n_blocks, .. } => write!(f, "{n_blocks} measurements"),
                SpdmContent::Certificates { slot, chain, .. } => {
                    write!(f, "certificates of slot {slot}, {} bytes", chain.len())
                }
                SpdmContent::Other { kind, bytes } => {
                    write!(f, "type {kind}, {} bytes", bytes.len())
                }
            }
        }
    }
}

fn ipl(f: &mut fmt::Formatter<'_>, data: &Ipl<'_>) -> fmt::Result {
    match data {
        Ipl::Grub { line, text, .. } => {
            f.write_str(match line {
                GrubLine::Command => "grub_cmd: ",
                GrubLine::KernelCommandLine => "kernel_cmdline: ",
                GrubLine::ModuleCommandLine => "module_cmdline: ",
            })?;
            cut(f, text)
        }
        Ipl::GrubFile(text) => cut(f, text),
        Ipl::ShimVariable { variable, .. } => f.write_str(variable.name()),
        Ipl::UkiSection { section, .. } => f.write_str(section.name()),
        Ipl::KernelCommandLine(text) => cut(f, text),
        Ipl::StubExtra(text) => cut(f, text),
        Ipl::Other(data) => opaque(f, data),
    }
}

fn tagged(f: &mut fmt::Formatter<'_>, events: &TaggedEvents<'_>, depth: usize) -> fmt::Result {
    let n = events.iter().count();
    list(f, events.iter(), n, |f, event| {
        match event.name() {
            Some(name) => write!(f, "{name}: ")?,
            None => write!(f, "{:#010x}: ", event.id)?,
        }
        match event.value() {
            TagValue::Text(text) => cut(f, &text),
            TagValue::Bytes(bytes) | TagValue::Sipa(SipaValue::Bytes(bytes)) => hex(f, bytes),
            TagValue::Sipa(SipaValue::Flag(flag)) => write!(f, "{flag:02x}"),
            TagValue::Sipa(SipaValue::Number(number)) => write!(f, "{number:#x}"),
            TagValue::Sipa(SipaValue::Text(text)) => cut(f, &text.until_nul()),
            // One level down is a list of modules or values; below that they are counted.
            TagValue::Container(inner) if depth == 0 => {
                f.write_str("[")?;
                tagged(f, &inner, depth.saturating_add(1))?;
                f.write_str("]")
            }
            TagValue::Container(inner) => write!(f, "{} events", inner.iter().count()),
            TagValue::EsxiFile(text)
            | TagValue::EsxiCommandLine(text)
            | TagValue::EsxiAssetTag(text) => cut(f, &text),
            TagValue::EsxiSigner(der) => write!(f, "a certificate of {} bytes", der.len()),
            TagValue::EsxiVersion(version) => {
                let EsxiVersion { component, product, version, file, .. } = version;
                cut(f, &format_args!("{file}: {component} {product} {version}"))
            }
            TagValue::Malformed(error) => {
                write!(f, "malformed: {error}: ")?;
                hex(f, event.data)
            }
        }
    })
}

fn opaque(f: &mut fmt::Formatter<'_>, data: &Opaque<'_>) -> fmt::Result {
    match data {
        Opaque::Text(text) => cut(f, text),
        Opaque::Bytes(bytes) => hex(f, bytes),
    }
}

fn hex(f: &mut fmt::Formatter<'_>, bytes: &[u8]) -> fmt::Result {
    write!(f, "{}", tpm_wire::Hex(bytes.get(..HEX_BYTES_MAX).unwrap_or(bytes)))?;
    match bytes.len() {
        n if n > HEX_BYTES_MAX => write!(f, "… {n} bytes"),
        _ => Ok(()),
    }
}

/// The first of `items` with commas between, and how many more there are.
fn list<T>(
    f: &mut fmt::Formatter<'_>,
    items: impl Iterator<Item = T>,
    n: usize,
    mut show: impl FnMut(&mut fmt::Formatter<'_>, T) -> fmt::Result,
) -> fmt::Result {
    for (i, item) in items.take(LIST_LEN_MAX).enumerate() {
        if i > 0 {
            f.write_str(", ")?;
        }
        show(f, item)?;
    }
    match n.saturating_sub(LIST_LEN_MAX) {
        0 => Ok(()),
        more => write!(f, ", and {more} more"),
    }
}

/// Writes `text`, and cuts it at the limit of one text.
fn cut(f: &mut fmt::Formatter<'_>, text: &impl fmt::Display) -> fmt::Result {
    cut_at(f, text, TEXT_CHARS_MAX)
}

/// Writes `text`, and cuts it without building it first.
fn cut_at(f: &mut fmt::Formatter<'_>, text: &impl fmt::Display, chars_max: usize) -> fmt::Result {
    let mut left = Cut { f, left: chars_max };
    let done = write!(left, "{text}");
    match (done, left.left) {
        (Err(_), 0) => f.write_str("…"),
        (done, _) => done,
    }
}

struct Cut<'f, 'g> {
    f: &'f mut fmt::Formatter<'g>,
    left: usize,
}

impl Write for Cut<'_, '_> {
    fn write_str(&mut self, s: &str) -> fmt::Result {
        match s.char_indices().nth(self.left) {
            None => {
                self.left = self.left.saturating_sub(s.chars().count());
                self.f.write_str(s)
            }
            Some((end, _)) => {
                self.left = 0;
                self.f.write_str(s.get(..end).unwrap_or_default())?;
                Err(fmt::Error)
            }
        }
    }
}
