//! EFI_DEVICE_PATH_PROTOCOL: where an image was loaded from, as text.

use core::fmt::{self, Write};

use crate::guid::Guid;
use crate::reader::Reader;
use crate::text::{Ascii, Ucs2};

/// Characters of one path as text. Real ones are under 300; a longer one is cut and says so.
pub const DEVICE_PATH_TEXT_LEN_MAX: usize = 1024;

/// A device path: nodes one behind the other. [UEFI-2.10 §10.3]
/// Displays as the UEFI text form ([UEFI-2.10 §10.6]) as far as its nodes are known; never fails.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct DevicePath<'a>(pub &'a [u8]);

/// One node: type, subtype, and what follows its four bytes of header.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Node<'a> {
    /// Type.
    pub node_type: u8,
    /// Sub-Type.
    pub subtype: u8,
    /// What is behind the header.
    pub data: &'a [u8],
}

impl<'a> DevicePath<'a> {
    /// The nodes up to the first End node. A node whose length is under 4 or over what is left
    /// gives `Err` with the rest, once.
    pub fn nodes(self) -> impl Iterator<Item = Result<Node<'a>, &'a [u8]>> + use<'a> {
        let mut rest = self.0;
        core::iter::from_fn(move || {
            let (&[node_type, subtype, l0, l1], _) = match rest.split_first_chunk::<4>() {
                Some(header) => header,
                None if rest.is_empty() => return None,
                None => return Some(Err(core::mem::take(&mut rest))),
            };
            if node_type == 0x7f {
                return None;
            }
            let n = usize::from(u16::from_le_bytes([l0, l1]));
            let node = rest.split_at_checked(n).filter(|_| n >= 4);
            let Some((node, behind)) = node else {
                return Some(Err(core::mem::take(&mut rest)));
            };
            rest = behind;
            Some(Ok(Node { node_type, subtype, data: node.get(4..).unwrap_or_default() }))
        })
    }

    /// The text of the last Media file path node, where there is one: `\EFI\debian\shimx64.efi`.
    pub fn file_path(self) -> Option<Ucs2<'a>> {
        let file = self.nodes().filter_map(Result::ok).filter(|n| n.is(4, 4)).last()?;
        Some(Ucs2(file.data).until_nul())
    }

    /// Whether it starts inside a firmware volume: an application that the firmware brings itself.
    pub fn is_in_firmware_volume(self) -> bool {
        self.nodes().filter_map(Result::ok).any(|n| n.is(4, 6) || n.is(4, 7))
    }
}

impl Node<'_> {
    fn is(&self, node_type: u8, subtype: u8) -> bool {
        self.node_type == node_type && self.subtype == subtype
    }

    /// Writes the node in the text form of its type; `None` where the type is not known or the
    /// node is too short for it.
    fn write_known(&self, out: &mut Capped) -> Option<fmt::Result> {
        let mut r = Reader::new(self.data);
        let r = &mut r;
        Some(match (self.node_type, self.subtype) {
            (1, 1) => {
                let (function, device) = (u8(r)?, u8(r)?);
                write!(out, "Pci({device:#x},{function:#x})")
            }
            (1, 3) => {
                let (memory, first, last) = (u32(r)?, u64(r)?, u64(r)?);
                write!(out, "MemoryMapped({memory:#x},{first:#x},{last:#x})")
            }
            (1, 4) => write!(out, "VenHw({})", guid(r)?),
            (1, 5) => write!(out, "Ctrl({:#x})", u32(r)?),
            (2, 1) => {
                let (hid, uid) = (u32(r)?, u32(r)?);
                match hid {
                    0x0a03_41d0 => write!(out, "PciRoot({uid:#x})"),
                    0x0a08_41d0 => write!(out, "PcieRoot({uid:#x})"),
                    _ => write!(out, "Acpi({hid:#x},{uid:#x})"),
                }
            }
            (2, 3) => write!(out, "AcpiAdr({:#x})", u32(r)?),
            (3, 1) => {
                let (secondary, slave, lun) = (u8(r)?, u8(r)?, u16(r)?);
                write!(out, "Ata({secondary},{slave},{lun})")
            }
            (3, 2) => {
                let (target, lun) = (u16(r)?, u16(r)?);
                write!(out, "Scsi({target},{lun})")
            }
            (3, 3) => {
                let (_reserved, wwn, lun) = (u32(r)?, u64(r)?, u64(r)?);
                write!(out, "Fibre({wwn:#x},{lun:#x})")
            }
            (3, 5) => {
                let (port, interface) = (u8(r)?, u8(r)?);
                write!(out, "USB({port:#x},{interface:#x})")
            }
            (3, 10) => write!(out, "VenMsg({})", guid(r)?),
            (3, 11) => {
                let mac: [u8; 32] = r.array("MAC").ok()?;
                let [a, b, c, d, e, f, ..] = mac;
                write!(out, "MAC({a:02x}{b:02x}{c:02x}{d:02x}{e:02x}{f:02x},{:#x})", u8(r)?)
            }
            (3, 12) => {
                let [_, _, _, _, a, b, c, d] = r.array("IPv4").ok()?;
                write!(out, "IPv4({a}.{b}.{c}.{d})")
            }
            (3, 13) => {
                r.take("IPv6.LocalIpAddress", 16).ok()?;
                let remote: [u8; 16] = r.array("IPv6.RemoteIpAddress").ok()?;
                write!(out, "IPv6({})", core::net::Ipv6Addr::from(remote))
            }
            (3, 15) => {
                let (vendor, product) = (u16(r)?, u16(r)?);
                let (class, subclass, protocol) = (u8(r)?, u8(r)?, u8(r)?);
                write!(
                    out,
                    "UsbClass({vendor:#x},{product:#x},{class:#x},{subclass:#x},{protocol:#x})"
                )
            }
            (3, 16) => {
                let (interface, vendor, product) = (u16(r)?, u16(r)?, u16(r)?);
                write!(out, "UsbWwid({vendor:#x},{product:#x},{interface:#x})")
            }
            (3, 17) => write!(out, "Unit({:#x})", u8(r)?),
            (3, 18) => {
                let (port, multiplier, lun) = (u16(r)?, u16(r)?, u16(r)?);
                write!(out, "Sata({port:#x},{multiplier:#x},{lun:#x})")
            }
            (3, 20) => write!(out, "Vlan({})", u16(r)?),
            (3, 22) => write!(out, "SAS(..)"),
            (3, 23) => {
                let namespace = u32(r)?;
                let id: [u8; 8] = r.array("NVMe.IEEE Extended Unique Identifier").ok()?;
                let [a, b, c, d, e, f, g, h] = id;
                write!(
                    out,
                    "NVMe({namespace:#x},{h:02X}-{g:02X}-{f:02X}-{e:02X}-{d:02X}-{c:02X}-{b:02X}-{a:02X})"
                )
            }
            (3, 24) => write!(out, "Uri({})", Ascii(self.data)),
            (3, 25) => {
                let (target, lun) = (u8(r)?, u8(r)?);
                write!(out, "UFS({target:#x},{lun:#x})")
            }
            (3, 26) => write!(out, "SD({:#x})", u8(r)?),
            (3, 29) => write!(out, "eMMC({:#x})", u8(r)?),
            (3, 31) => write!(out, "Dns(..)"),
            (4, 1) => {
                let (number, start, size) = (u32(r)?, u64(r)?, u64(r)?);
                let signature = guid(r)?;
                let (format, kind) = (u8(r)?, u8(r)?);
                let [a, b, c, d, ..] = signature.0;
                let disk = u32::from_le_bytes([a, b, c, d]);
                match (format, kind) {
                    (2, _) => write!(out, "HD({number},GPT,{signature},{start:#x},{size:#x})"),
                    (1, _) => write!(out, "HD({number},MBR,{disk:#010x},{start:#x},{size:#x})"),
                    _ => write!(out, "HD({number},{format},{kind},{start:#x},{size:#x})"),
                }
            }
            (4, 2) => {
                let (entry, start, size) = (u32(r)?, u64(r)?, u64(r)?);
                write!(out, "CDROM({entry:#x},{start:#x},{size:#x})")
            }
            (4, 3) => write!(out, "VenMedia({})", guid(r)?),
            (4, 4) => write!(out, "{}", Ucs2(self.data).until_nul()),
            (4, 6) => write!(out, "FvFile({})", guid(r)?),
            (4, 7) => write!(out, "Fv({})", guid(r)?),
            (4, 8) => {
                let (_reserved, first, last) = (u32(r)?, u64(r)?, u64(r)?);
                write!(out, "Offset({first:#x},{last:#x})")
            }
            (4, 9) => {
                let (first, last) = (u64(r)?, u64(r)?);
                write!(out, "RamDisk({first:#x},{last:#x})")
            }
            (5, 1) => {
                let (device, _status) = (u16(r)?, u16(r)?);
                write!(out, "BBS({device:#x},{})", Ascii(r.rest()))
            }
            _ => return None,
        })
    }
}

fn u8(reader: &mut Reader<'_>) -> Option<u8> {
    reader.u8("node").ok()
}

fn u16(reader: &mut Reader<'_>) -> Option<u16> {
    reader.u16("node").ok()
}

fn u32(reader: &mut Reader<'_>) -> Option<u32> {
    reader.u32("node").ok()
}

fn u64(reader: &mut Reader<'_>) -> Option<u64> {
    reader.u64("node").ok()
}

fn guid(reader: &mut Reader<'_>) -> Option<Guid> {
    Guid::read(reader, "node").ok()
}

impl fmt::Display for DevicePath<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut out = Capped { text: String::new() };
        // A full buffer ends the writing; what is in it is shown.
        let done = self.write(&mut out);
        f.write_str(&out.text)?;
        if done.is_err() { f.write_str("..") } else { Ok(()) }
    }
}

impl DevicePath<'_> {
    fn write(&self, out: &mut Capped) -> fmt::Result {
        for (i, node) in self.nodes().enumerate() {
            if i > 0 {
                out.write_char('/')?;
            }
            match node {
                Ok(node) => match node.write_known(out) {
                    Some(written) => written?,
                    None => write!(out, "Path({},{})", node.node_type, node.subtype)?,
                },
                Err(rest) => write!(out, "malformed({} bytes)", rest.len())?,
            }
        }
        Ok(())
    }
}

impl fmt::Debug for DevicePath<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "DevicePath({self})")
    }
}

/// Text that refuses to grow over the limit.
struct Capped {
    text: String,
}

impl Write for Capped {
    fn write_str(&mut self, s: &str) -> fmt::Result {
        let room = DEVICE_PATH_TEXT_LEN_MAX.saturating_sub(self.text.len());
        let fits = s.floor_char_boundary(room);
        self.text.push_str(s.get(..fits).unwrap_or_default());
        if fits == s.len() { Ok(()) } else { Err(fmt::Error) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const DISK: &[u8] = b"\x02\x01\x0c\x00\xd0A\x03\n\0\0\0\0\x01\x01\x06\x00\x00\x1f\
        \x03\x12\x0a\0\x01\0\xff\xff\0\0\
        \x04\x01\x2a\0\x01\0\0\0\0\x08\0\0\0\0\0\0\0\xf0\x02\0\0\0\0\0ffffww\x88\x88\x99\x99\xaa\xaa\xaa\xaa\xaa\xaa\x02\x02\
        \x04\x04\x0c\0\\\0a\0/\0\0\0\x7f\xff\x04\0";

    #[test]
    fn a_disk_path_reads_as_people_write_it() {
        let path = DevicePath(DISK);
        assert_eq!(
            path.to_string(),
            "PciRoot(0x0)/Pci(0x1f,0x0)/Sata(0x1,0xffff,0x0)/\
             HD(1,GPT,66666666-7777-8888-9999-aaaaaaaaaaaa,0x800,0x2f000)/\\a/"
        );
        assert_eq!(path.file_path().unwrap().to_string(), "\\a/");
        assert!(!path.is_in_firmware_volume());
    }

    #[test]
    fn each_cut_still_gives_text() {
        for n in 0..DISK.len() {
            assert!(DevicePath(&DISK[..n]).to_string().len() < 256, "cut at {n}");
        }
        assert_eq!(DevicePath(b"\x01\x01\x03\0xx").to_string(), "malformed(6 bytes)");
        assert_eq!(DevicePath(b"\x09\x01\x05\0x").to_string(), "Path(9,1)");
        assert_eq!(DevicePath(b"\x01\x01\x04\0").to_string(), "Path(1,1)");
    }

    #[test]
    fn a_long_path_is_cut_and_says_so() {
        let node = b"\x09\x01\x04\0".repeat(1000);
        let text = DevicePath(&node).to_string();
        assert_eq!(text.len(), DEVICE_PATH_TEXT_LEN_MAX + 2);
        assert!(text.ends_with(".."));
    }
}
