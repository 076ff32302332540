//! Cabinets of another hand than ours, and what is done to them.

use std::io::{Cursor, Write as _};

use cab::{CabinetBuilder, CompressionType};
use cabinet::{CabinetError, FILES_MAX, UNPACKED_BYTES_MAX, is_cabinet, read};
use testkit::cabinet::{lzx, of_block};

/// A cabinet with one folder of these files.
fn cabinet(compression: CompressionType, files: &[(&str, Vec<u8>)]) -> Vec<u8> {
    let mut builder = CabinetBuilder::new();
    let folder = builder.add_folder(compression);
    for (name, _) in files {
        folder.add_file(*name);
    }
    let mut writer = builder.build(Cursor::new(Vec::new())).unwrap();
    let mut contents = files.iter();
    while let Some(mut file) = writer.next_file().unwrap() {
        file.write_all(&contents.next().unwrap().1).unwrap();
    }
    writer.finish().unwrap().into_inner()
}

/// Bytes that deflate does not swallow whole, and that repeat over block boundaries.
fn content(seed: u8, n: usize) -> Vec<u8> {
    (0..n).map(|i| (i % 251) as u8 ^ (i / 977) as u8 ^ seed).collect()
}

fn files() -> Vec<(&'static str, Vec<u8>)> {
    vec![
        ("AMD\\RootCA\\a.crt", content(1, 900)),
        ("Intel/IntermediateCA/b.cer", content(2, 70_000)),
        ("version.txt", Vec::new()),
        ("NTC\\RootCA\\c.cer", content(1, 40_000)),
    ]
}

#[test]
fn what_was_packed_is_read() {
    for compression in [CompressionType::None, CompressionType::MsZip] {
        let packed = cabinet(compression, &files());
        assert!(is_cabinet(&packed));
        let read = read(&packed).unwrap();
        let found: Vec<_> = read.files().collect();
        assert_eq!(found.len(), files().len());
        for (found, (name, bytes)) in found.iter().zip(files()) {
            assert_eq!((found.name, found.bytes), (&*name.replace('\\', "/"), &bytes[..]));
        }
    }
}

#[test]
fn lzx_is_read_and_what_lies_behind_the_cabinet_is_not() {
    let packed = of_block(0x0f03, &lzx(b"a root of trust!"), 16, b"a.cer");
    let signed = [&packed[..], b"a signature"].concat();
    for bytes in [packed, signed] {
        let read = read(&bytes).unwrap();
        let file = read.files().next().unwrap();
        assert_eq!((file.name, file.bytes), ("a.cer", &b"a root of trust!"[..]));
    }
}

#[test]
fn a_cut_or_flipped_cabinet_is_refused_or_what_it_was() {
    let small = [("a\\b.cer", content(3, 1200)), ("c.cer", content(4, 700))];
    for packed in [
        cabinet(CompressionType::MsZip, &small),
        cabinet(CompressionType::None, &small),
        of_block(0x0f03, &lzx(b"a root of trust!"), 16, b"a.cer"),
    ] {
        for n in 0..packed.len() {
            assert!(read(&packed[..n]).is_err(), "cut at {n}");
        }
        for at in 0..packed.len() {
            let mut flipped = packed.clone();
            flipped[at] ^= 0x41;
            // Whatever comes out, its files lie inside: nothing panics, nothing is made up.
            if let Ok(read) = read(&flipped) {
                let n: usize = read.files().map(|file| file.bytes.len()).sum();
                assert!(n <= 2 * UNPACKED_BYTES_MAX, "byte {at}");
            }
        }
        // A byte of the content is told by its block's checksum.
        if packed[36 + 8..].len() > 500 {
            let mut flipped = packed.clone();
            *flipped.last_mut().unwrap() ^= 1;
            let err = read(&flipped).unwrap_err();
            assert_eq!(err, CabinetError::Checksum { folder: 0, block: 0 });
        }
    }
}

#[test]
fn a_bomb_is_refused_by_its_size() {
    // One block of 64 KiB of zeros, named again and again by folders that all begin there.
    let zeros = cabinet(CompressionType::MsZip, &[("zeros", vec![0; 32 << 10])]);
    assert!(zeros.len() < 200, "{}", zeros.len());
    let head = &zeros[..36];
    let folder = &zeros[36..44];
    let rest = &zeros[44..];
    let n_folders = 256u16;
    let shift = 8 * (u32::from(n_folders) - 1);
    let shifted = |at: usize, from: &[u8]| {
        let offset = u32::from_le_bytes(from[at..at + 4].try_into().unwrap());
        (offset + shift).to_le_bytes()
    };
    let mut head = head.to_vec();
    let (said, files_at) = (shifted(8, &head), shifted(16, &head));
    head[8..12].copy_from_slice(&said);
    head[16..20].copy_from_slice(&files_at);
    head[26..28].copy_from_slice(&n_folders.to_le_bytes());
    let mut folder = folder.to_vec();
    let at = shifted(0, &folder);
    folder[..4].copy_from_slice(&at);
    let bomb = [head, folder.repeat(n_folders.into()), rest.to_vec()].concat();
    assert_eq!(read(&bomb).unwrap().files().count(), 1, "8 MiB are allowed");

    // A block that says to unpack to 64 KiB, 1,025 of them.
    let mut many = of_block(0, &[0; 4], 4, b"a");
    let file_len = many.len() - 36 - 8 - 8 - 4;
    let blocks = [[0; 4].as_slice(), &[0xff; 4], &[7; 0xffff]].concat().repeat(1_025);
    let blocks_at = 36 + 8 + file_len;
    many.truncate(blocks_at);
    many.extend(&blocks);
    let said = u32::try_from(many.len()).unwrap().to_le_bytes();
    many[8..12].copy_from_slice(&said);
    many[40..42].copy_from_slice(&1_025u16.to_le_bytes());
    assert_eq!(read(&many).unwrap_err(), CabinetError::TooLarge { max: UNPACKED_BYTES_MAX });
}

#[test]
fn counts_compressions_and_sets_have_limits() {
    let sound = of_block(0, b"abcd", 4, b"a.cer");
    let changed = |at: usize, bytes: &[u8]| {
        let mut changed = sound.clone();
        changed[at..at + bytes.len()].copy_from_slice(bytes);
        read(&changed).unwrap_err()
    };
    assert_eq!(read(&sound).unwrap().files().count(), 1);
    let have = FILES_MAX + 1;
    let n = u16::try_from(have).unwrap().to_le_bytes();
    assert_eq!(changed(28, &n), CabinetError::TooMany { what: "files", have, max: FILES_MAX });
    assert!(matches!(changed(26, &[1, 1]), CabinetError::TooMany { what: "folders", .. }));
    assert_eq!(changed(42, &[2, 0]), CabinetError::Compression { kind: 2 });
    assert_eq!(changed(42, &[3, 22]), CabinetError::Compression { kind: 0x1603 });
    assert_eq!(changed(30, &[2, 0]), CabinetError::Spanned);
    assert_eq!(changed(0, b"MSCG"), CabinetError::NotACabinet);
    assert_eq!(changed(25, &[2]), CabinetError::NotACabinet);
    // cbFile, uoffFolderStart and iFolder of the one file.
    assert_eq!(changed(44, &[5]), CabinetError::Outside { n: 0 });
    assert_eq!(changed(48, &[1]), CabinetError::Outside { n: 0 });
    assert_eq!(changed(51, &[0xff]), CabinetError::Outside { n: 0 });
    assert_eq!(changed(52, &[1]), CabinetError::Outside { n: 0 });
    assert_eq!(changed(52, &[0xfd, 0xff]), CabinetError::Spanned);
    assert!(matches!(changed(16, &[0xff, 0xff]), CabinetError::Parse(_)));
}

#[test]
fn a_name_stays_inside() {
    let named = |name: &[u8]| read(&of_block(0, b"abcd", 4, name));
    for name in
        [&b"..\\a.cer"[..], b"a/../../b", b"/etc/passwd", b"C:\\a.cer", b"a\x1b[2J", b"", b"a\\\\b"]
    {
        assert_eq!(named(name).unwrap_err(), CabinetError::Name { n: 0 }, "{name:?}");
    }
    assert_eq!(named(&[b'a'; 256]).unwrap_err(), CabinetError::Name { n: 0 });
    assert!(named(&[b'a'; 255]).is_ok());
    assert_eq!(named(b"a\\b..\\c.cer").unwrap().files().next().unwrap().name, "a/b../c.cer");
}
