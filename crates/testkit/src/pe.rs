//! UEFI images that hold what a test puts in.

/// Sections begin at multiples of this in the file.
const ALIGNMENT: usize = 512;

/// An image for x86-64 with these sections, in this order, without a signature.
///
/// # Panics
/// Where a name is longer than eight bytes.
pub fn image(sections: &[(&str, &[u8])]) -> Vec<u8> {
    let headers_len = (64 + 24 + 240 + 40 * sections.len()).next_multiple_of(ALIGNMENT);
    let mut out = vec![0; 64];
    out[..2].copy_from_slice(b"MZ");
    out[0x3c..0x40].copy_from_slice(&64u32.to_le_bytes());
    out.extend(b"PE\0\0");
    out.extend(0x8664u16.to_le_bytes());
    out.extend(narrow16(sections.len()).to_le_bytes());
    out.extend([0; 12]);
    out.extend(240u16.to_le_bytes());
    out.extend(0x0206u16.to_le_bytes());
    let optional_at = out.len();
    out.extend([0; 240]);
    out[optional_at..optional_at + 2].copy_from_slice(&0x20bu16.to_le_bytes());
    out[optional_at + 60..optional_at + 64].copy_from_slice(&narrow(headers_len).to_le_bytes());
    out[optional_at + 108..optional_at + 112].copy_from_slice(&16u32.to_le_bytes());
    let mut at = headers_len;
    for (name, content) in sections {
        let mut field = [0; 8];
        field[..name.len()].copy_from_slice(name.as_bytes());
        let raw_len = content.len().next_multiple_of(ALIGNMENT);
        out.extend(field);
        for value in [content.len(), at, raw_len, at] {
            out.extend(narrow(value).to_le_bytes());
        }
        out.extend([0; 16]);
        at += raw_len;
    }
    out.resize(headers_len, 0);
    for (_, content) in sections {
        out.extend(*content);
        out.resize(out.len().next_multiple_of(ALIGNMENT), 0);
    }
    out
}

/// A unified kernel image with a stub that calls itself systemd's of `release`.
pub fn uki(release: u32, sections: &[(&str, &[u8])]) -> Vec<u8> {
    let magic = format!("#### LoaderInfo: systemd-stub {release}.1 ####\0");
    let stub: [(&str, &[u8]); 2] = [(".text", b"stub"), (".sdmagic", magic.as_bytes())];
    image(&[&stub, sections].concat())
}

/// `image` with a signature behind it that says that it signs `sha256`, with these certificates.
/// There is no signer: nobody verifies these.
pub fn with_signature(image: &[u8], sha256: &[u8], certificates: &[&[u8]]) -> Vec<u8> {
    const SHA256: &[u8] = &[0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x02, 0x01];
    const SIGNED_DATA: &[u8] = &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x07, 0x02];
    const INDIRECT: &[u8] = &[0x2b, 0x06, 0x01, 0x04, 0x01, 0x82, 0x37, 0x02, 0x01, 0x04];
    let algorithm = element(0x30, &[&element(0x06, &[SHA256]), &[5, 0]]);
    let message = element(0x30, &[&algorithm, &element(0x04, &[sha256])]);
    let indirect = element(0x30, &[&element(0x30, &[]), &message]);
    let content = element(0x30, &[&element(0x06, &[INDIRECT]), &element(0xa0, &[&indirect])]);
    let signed = element(
        0x30,
        &[
            &[2, 1, 1],
            &element(0x31, &[&algorithm]),
            &content,
            &element(0xa0, certificates),
            &element(0x31, &[]),
        ],
    );
    let pkcs7 = element(0x30, &[&element(0x06, &[SIGNED_DATA]), &element(0xa0, &[&signed])]);
    let mut table = narrow(pkcs7.len() + 8).to_le_bytes().to_vec();
    table.extend([0, 2, 2, 0]);
    table.extend(pkcs7);
    table.resize(table.len().next_multiple_of(8), 0);
    let mut out = image.to_vec();
    let directory_at = 64 + 24 + 112 + 4 * 8;
    out[directory_at..directory_at + 4].copy_from_slice(&narrow(image.len()).to_le_bytes());
    out[directory_at + 4..directory_at + 8].copy_from_slice(&narrow(table.len()).to_le_bytes());
    out.extend(table);
    out
}

fn element(tag: u8, parts: &[&[u8]]) -> Vec<u8> {
    let content = parts.concat();
    let len = narrow16(content.len()).to_be_bytes();
    [&[tag, 0x82, len[0], len[1]], content.as_slice()].concat()
}

fn narrow(n: usize) -> u32 {
    u32::try_from(n).expect("a file of a test")
}

fn narrow16(n: usize) -> u16 {
    u16::try_from(n).expect("a small part of a file of a test")
}
