//! An event's data as a line for people. The host's words: what no digest covers may be a lie.

use efi::{Ascii, GptEvent, ImageLoadEvent, LoadOption, Ucs2, VariableData};
use event_log::{Event, EventType};

/// Characters of a description. A line of a terminal, wrapped some times.
const CHARS_MAX: usize = 240;

/// Bytes of data that are shown in hex where nothing better is known.
const HEX_BYTES_MAX: usize = 24;

pub(super) fn describe(event: &Event<'_>) -> String {
    let data = event.untrusted_data;
    let text = match event.untrusted_event_type {
        EventType::EFI_VARIABLE_DRIVER_CONFIG
        | EventType::EFI_VARIABLE_AUTHORITY
        | EventType::EFI_VARIABLE_BOOT
        | EventType::EFI_VARIABLE_BOOT2 => variable(data),
        EventType::EFI_BOOT_SERVICES_APPLICATION
        | EventType::EFI_BOOT_SERVICES_DRIVER
        | EventType::EFI_RUNTIME_SERVICES_DRIVER => {
            ImageLoadEvent::parse(data).ok().map(|image| image.untrusted_device_path.to_string())
        }
        EventType::EFI_GPT_EVENT => {
            GptEvent::parse(data).ok().map(|gpt| format!("{} partitions", gpt.partitions().count()))
        }
        EventType::SEPARATOR => None,
        EventType::S_CRTM_VERSION => wide(data),
        EventType::IPL => ascii(data).or_else(|| wide(data)),
        _ => ascii(data),
    };
    let text = text.unwrap_or_else(|| bytes(data));
    match text.char_indices().nth(CHARS_MAX) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text,
    }
}

fn variable(data: &[u8]) -> Option<String> {
    let (variable, _) = VariableData::parse_prefix(data).ok()?;
    let name = variable.name.to_string();
    let is_boot_option = name.len() == 8 && name.starts_with("Boot") && name != "BootNext";
    if is_boot_option && let Ok(option) = LoadOption::parse(variable.value) {
        return Some(format!("{name}: {}", option.description));
    }
    Some(match variable.value {
        [] => format!("{name}: empty"),
        value if value.len() <= HEX_BYTES_MAX => format!("{name}: {}", hex::encode(value)),
        value => format!("{name}: {} bytes", value.len()),
    })
}

/// Printable ASCII, but for NULs at its end.
fn ascii(data: &[u8]) -> Option<String> {
    let end = data.iter().rposition(|byte| *byte != 0).map_or(0, |last| last + 1);
    let text = &data[..end];
    let printable = |byte: &u8| matches!(byte, b' '..=b'~' | b'\n' | b'\t');
    (!text.is_empty() && text.iter().all(printable)).then(|| Ascii(text).to_string())
}

/// UCS-2 of printable ASCII, which is what loaders and firmware write.
fn wide(data: &[u8]) -> Option<String> {
    let text = Ucs2(data).until_nul();
    let mut units = text.units().peekable();
    units.peek()?;
    units.all(|unit| (0x20..0x7f).contains(&unit)).then(|| text.to_string())
}

fn bytes(data: &[u8]) -> String {
    match data {
        [] => String::new(),
        data if data.len() <= HEX_BYTES_MAX => hex::encode(data),
        data => format!("{}… {} bytes", hex::encode(&data[..HEX_BYTES_MAX]), data.len()),
    }
}
