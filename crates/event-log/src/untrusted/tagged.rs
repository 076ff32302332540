//! EV_EVENT_TAG: data behind a number that says what it is.

use core::fmt;

use efi::{Ascii, Reader, Ucs2};
use tpm_wire::{ParseError, ParseErrorKind};

use super::bytes::{Bytes, length};
use super::esxi::EsxiVersion;
use super::sipa::{self, SipaValue};
use super::text::Text;

/// Depth of containers in containers. Windows nests three deep.
pub const TAG_DEPTH_MAX: usize = 6;

/// TCG_PCClientTaggedEvent structures, one behind the other. [PFP-1.06 §10.4.2.1] Little-endian:
/// number, size, data. Windows nests them.
/// Trust: a digest may be of the whole, or of the data alone; never of a number alone.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct TaggedEvents<'a> {
    bytes: &'a [u8],
    pcr_index: u32,
}

/// One tagged event.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TaggedEvent<'a> {
    /// taggedEventID.
    pub id: u32,
    /// taggedEventData.
    pub data: &'a [u8],
    pcr_index: u32,
}

/// What a tagged event says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TagValue<'a> {
    /// Of Linux, systemd and their tools: see [`TaggedEvent::name`].
    Text(Text<'a>),
    /// A loader's configuration file or a table: what was measured is not in the log.
    Bytes(&'a [u8]),
    /// Windows: events in a container.
    Container(TaggedEvents<'a>),
    /// Windows: one value.
    Sipa(SipaValue<'a>),
    /// ESXi: the name of a module or file whose content was measured.
    EsxiFile(Ascii<'a>),
    /// ESXi: the kernel's command line.
    EsxiCommandLine(Ascii<'a>),
    /// ESXi: the asset tag.
    EsxiAssetTag(Ascii<'a>),
    /// ESXi: the certificate that signed modules, in DER.
    EsxiSigner(&'a [u8]),
    /// ESXi: the version of a module.
    EsxiVersion(EsxiVersion<'a>),
    /// The structure that the number stands for is broken.
    Malformed(ParseError),
}

/// Numbers of Linux, systemd and guest components. The numbers of Windows are in [`sipa`].
const NAMES: [(u32, &str); 10] = [
    (0x8f3b_22ed, "Linux load options"),
    (0x8f3b_22ec, "Linux initrd"),
    (0x49df_fe0f, "systemd initrd"),
    (0xf5bc_582a, "systemd loader.conf"),
    (0xd5cb_7cbc, "systemd SMBIOS structure"),
    (0xe0d4_7bc8, "systemd SMBIOS structure"),
    (0xc0b3_bd23, "systemd SMBIOS structure"),
    (0x6c46_f751, "systemd device tree"),
    (0xdac0_8e1a, "systemd microcode"),
    (0x4141_454c, "guest components"),
];

/// Numbers of the boot loader of ESXi, in PCRs 11 to 14.
const ESXI_NAMES: [(u32, &str); 6] = [
    (2, "ESXi module"),
    (3, "ESXi option file"),
    (4, "ESXi command line"),
    (6, "ESXi asset tag"),
    (7, "ESXi signer"),
    (8, "ESXi version"),
];

impl<'a> TaggedEvents<'a> {
    /// Reads them to the last byte, and what they contain.
    pub fn parse(bytes: &'a [u8], pcr_index: u32) -> Result<Self, ParseError> {
        let events = Self { bytes, pcr_index };
        if bytes.is_empty() {
            let kind = ParseErrorKind::Short { want: 8, have: 0 };
            return Err(Reader::new(bytes).error("taggedEventID", kind));
        }
        check(Reader::new(bytes), TAG_DEPTH_MAX)?;
        Ok(events)
    }

    /// The events, in order.
    pub fn iter(&self) -> impl Iterator<Item = TaggedEvent<'a>> + use<'a> {
        let pcr_index = self.pcr_index;
        let mut reader = Reader::new(self.bytes);
        core::iter::from_fn(move || {
            let (id, data) = next(&mut reader).ok()?;
            Some(TaggedEvent { id, data, pcr_index })
        })
    }

    /// Number, size and data of each, again: containers from what they contain.
    pub(super) fn write(&self, out: &mut Bytes) {
        for event in self.iter() {
            out.u32(event.id);
            match event.value() {
                TagValue::Container(inner) => {
                    let mut body = Bytes::default();
                    inner.write(&mut body);
                    out.sized_u32(&body.0);
                }
                _ => {
                    out.sized_u32(event.data);
                }
            }
        }
    }
}

impl fmt::Debug for TaggedEvents<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.iter().map(|event| (event.id, event.data.len()))).finish()
    }
}

impl<'a> TaggedEvent<'a> {
    /// Name of the number, where it is known.
    pub fn name(&self) -> Option<&'static str> {
        let of = |table: &[(u32, &'static str)]| {
            table.iter().find(|(id, _)| *id == self.id).map(|(_, name)| *name)
        };
        match self.is_esxi() {
            true => of(&ESXI_NAMES),
            false => of(&NAMES).or_else(|| sipa::name(self.id)),
        }
    }

    /// The data, as what the number says that it is.
    pub fn value(&self) -> TagValue<'a> {
        let data = self.data;
        if self.is_esxi() {
            return match self.id {
                2 | 3 => TagValue::EsxiFile(Ascii(data)),
                4 => TagValue::EsxiCommandLine(Ascii(data)),
                6 => TagValue::EsxiAssetTag(Ascii(data)),
                7 => TagValue::EsxiSigner(data),
                8 => {
                    EsxiVersion::parse(data).map_or_else(TagValue::Malformed, TagValue::EsxiVersion)
                }
                _ => TagValue::Bytes(data),
            };
        }
        if sipa::is_container(self.id) {
            return TagValue::Container(TaggedEvents { bytes: data, pcr_index: self.pcr_index });
        }
        match sipa::name(self.id) {
            Some(_) => TagValue::Sipa(SipaValue::read(self.id, data)),
            None => Text::sniff(data).map_or(TagValue::Bytes(data), TagValue::Text),
        }
    }

    /// The loader's numbers are small, and firmware uses the same in PCRs 1 to 6.
    const fn is_esxi(&self) -> bool {
        matches!((self.pcr_index, self.id), (11..=14, 1..=8))
    }
}

fn next<'a>(reader: &mut Reader<'a>) -> Result<(u32, &'a [u8]), ParseError> {
    let id = reader.u32("taggedEventID")?;
    let n = length(reader.u32("taggedEventDataSize")?);
    Ok((id, reader.take("taggedEventData", n)?))
}

/// Checks framing down to the last container. Each level looks at each byte once at most.
fn check(mut reader: Reader<'_>, depth_left: usize) -> Result<(), ParseError> {
    while !reader.is_empty() {
        let (id, data) = next(&mut reader)?;
        if !sipa::is_container(id) {
            continue;
        }
        let at = reader.offset().saturating_sub(data.len());
        let inner = Reader::at_offset(data, at);
        let Some(depth_left) = depth_left.checked_sub(1) else {
            let have = TAG_DEPTH_MAX.saturating_add(1);
            return Err(
                inner.error("container", ParseErrorKind::Limit { max: TAG_DEPTH_MAX, have })
            );
        };
        check(inner, depth_left)?;
    }
    Ok(())
}

/// UCS-2 where a value of Windows is text.
pub(super) const fn wide(data: &[u8]) -> Ucs2<'_> {
    Ucs2(data)
}
