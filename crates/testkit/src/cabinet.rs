//! Cabinets of one file in one block, written by hand: what no other writer makes.

/// A cabinet of one block as it stands, unpacking to `n` bytes, with one file of all of them. Without
/// checksums. [MS-CAB §2]
///
/// # Panics
/// Where it has more bytes than its fields can say.
pub fn of_block(kind: u16, packed: &[u8], n: u16, name: &[u8]) -> Vec<u8> {
    let file = [&u32::from(n).to_le_bytes()[..], &[0; 12], name, &[0]].concat();
    let block_at = 36 + 8 + file.len();
    let said = block_at + 8 + packed.len();
    let u32s = |n: usize| u32::try_from(n).expect("short").to_le_bytes();
    let n_packed = u16::try_from(packed.len()).expect("short").to_le_bytes();
    [
        b"MSCF\0\0\0\0",
        &u32s(said)[..],
        &[0; 4],
        &u32s(36 + 8),
        &[0; 4],
        &[3, 1, 1, 0, 1, 0, 0, 0, 0, 0, 0, 0],
        &u32s(block_at),
        &[1, 0],
        &kind.to_le_bytes(),
        &file,
        &[0; 4],
        &n_packed,
        &n.to_le_bytes(),
        packed,
    ]
    .concat()
}

/// One uncompressed block of LZX: its kind and length in bits, three offsets, then the bytes.
///
/// # Panics
/// Where the bytes are too many for one block.
pub fn lzx(content: &[u8]) -> Vec<u8> {
    let head = (0b0011u32 << 28) | (u32::try_from(content.len()).expect("short") << 4);
    let words = [head >> 16, head & 0xffff].map(|word| u16::try_from(word).expect("half"));
    let offsets = [1u32; 3].map(u32::to_le_bytes).concat();
    [&words.map(u16::to_le_bytes).concat(), &offsets, content].concat()
}
