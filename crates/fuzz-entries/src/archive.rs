//! Archives of logs, which anybody may send. Magic numbers and checksums are put right first, which a
//! fuzzer would not find.

use std::io::{self, Read};

use unpack::{Limits, Member, UnpackError, Visitor, walk};

/// Small, so that a bomb costs no time.
const LIMITS: Limits = Limits {
    unpacked_bytes_max: 1 << 20,
    ratio_max: 250,
    bomb_bytes_min: 1 << 19,
    members_max: 1000,
};

/// What came out: names, sizes and checksums of texts, and what was not read.
#[derive(Debug, Default, PartialEq)]
struct Seen {
    texts: Vec<(String, u64, u64)>,
    unread: Vec<(String, String)>,
}

impl Visitor for Seen {
    fn text(&mut self, member: Member<'_>, stream: &mut dyn Read) -> io::Result<()> {
        self.texts.push((member.names.join(":"), 0, 0));
        let mut block = [0; 4096];
        loop {
            let n = stream.read(&mut block)?;
            let Some((_, size, sum)) = self.texts.last_mut().filter(|_| n > 0) else {
                return Ok(());
            };
            *size += n as u64;
            *sum = block[..n]
                .iter()
                .fold(*sum, |sum, byte| sum.wrapping_mul(31).wrapping_add(u64::from(*byte)));
        }
    }

    fn unread(&mut self, member: Member<'_>, why: UnpackError) {
        self.unread.push((member.names.join(":"), why.to_string()));
    }
}

/// Gives what was asked for in small pieces.
struct Dripping<'a>(&'a [u8]);

impl Read for Dripping<'_> {
    fn read(&mut self, block: &mut [u8]) -> io::Result<usize> {
        let n = block.len().min(61);
        self.0.read(&mut block[..n])
    }
}

/// The pieces in which an archive comes change nothing, and limits hold.
fn read(bytes: &[u8]) {
    let mut whole = Seen::default();
    let came = walk(&mut &*bytes, LIMITS, &mut whole).map_err(|err| err.to_string());
    let size: u64 = whole.texts.iter().map(|(_, size, _)| size).sum();
    // Each layer may give one block more than it may; UTF-16 and journals grow by their form.
    let size_max = 4 * (LIMITS.unpacked_bytes_max + (1 << 20) + 64 * bytes.len() as u64);
    assert!(size <= size_max, "{size} bytes came out");
    assert!(whole.texts.len() as u64 <= LIMITS.members_max + 1);
    let is_limit = |why: &str| why.contains("was left out");
    let is_over = came.as_ref().is_err_and(|why| is_limit(why))
        || whole.unread.iter().any(|(_, why)| is_limit(why));
    if !is_over {
        let mut dripped = Seen::default();
        let again = walk(&mut Dripping(bytes), LIMITS, &mut dripped).map_err(|err| err.to_string());
        assert_eq!(again, came);
        assert_eq!(dripped, whole);
    }
    crate::show(&whole);
}

/// A tar archive, the checksum of whose first header is right.
pub(crate) fn tar_archive(bytes: &[u8]) {
    let mut bytes = bytes.to_vec();
    // And those of all blocks that claim to be headers.
    for header in bytes.chunks_exact_mut(512) {
        if header[257..262] == *b"ustar" {
            header[148..156].fill(b' ');
            let sum: u32 = header.iter().map(|byte| u32::from(*byte)).sum();
            header[148..156].copy_from_slice(format!("{sum:06o}\0 ").as_bytes());
        }
    }
    read(&bytes);
}

/// A gzip stream.
pub(crate) fn gzip_stream(bytes: &[u8]) {
    read(&begin(b"\x1f\x8b\x08", bytes));
}

/// A zip archive.
pub(crate) fn zip_archive(bytes: &[u8]) {
    read(&begin(b"PK\x03\x04", bytes));
}

/// Text in UTF-16, an exported journal, or anything else.
pub(crate) fn log_encodings(bytes: &[u8]) {
    read(bytes);
}

fn begin(magic: &[u8], bytes: &[u8]) -> Vec<u8> {
    let mut bytes = bytes.to_vec();
    if let Some(start) = bytes.get_mut(..magic.len()) {
        start.copy_from_slice(magic);
    }
    bytes
}

/// What a name in an archive must not do it does not: it is only shown.
const NAME: &[u8] = b"../../var/log/vmkernel.log";
const LOG: &[u8] = b"2018-05-09T21:30:21.060Z cpu23:2099722)tpmdriver failed to load.\n";

fn tar(contents: &[u8]) -> Vec<u8> {
    let mut header = [0; 512];
    header[..NAME.len()].copy_from_slice(NAME);
    header[124..136].copy_from_slice(format!("{:011o}\0", contents.len()).as_bytes());
    header[136..148].copy_from_slice(b"13273472242\0");
    header[156] = b'0';
    header[257..265].copy_from_slice(b"ustar\x0000");
    let fill = vec![0; contents.len().next_multiple_of(512) - contents.len()];
    let mut archive = [&header, contents, &fill, &[0; 1024]].concat();
    archive[148..156].fill(b' ');
    let sum: u32 = archive[..512].iter().map(|byte| u32::from(*byte)).sum();
    archive[148..156].copy_from_slice(format!("{sum:06o}\0 ").as_bytes());
    archive
}

/// `contents` without a change, as deflate and gzip have it.
fn deflated(contents: &[u8]) -> Vec<u8> {
    let length = u16::try_from(contents.len()).expect("seeds are small").to_le_bytes();
    [&[1][..], &length, &length.map(|byte| !byte), contents].concat()
}

fn gzip(contents: &[u8]) -> Vec<u8> {
    let size = (contents.len() as u32).to_le_bytes();
    let head = *b"\x1f\x8b\x08\0\0\0\0\0\0\x03";
    [&head[..], &deflated(contents), &crc(contents), &size].concat()
}

/// A member with its sizes in front, and one with them behind.
fn zip(contents: &[u8], method: u8, sizes: Sizes) -> Vec<u8> {
    let stored = if method == 8 { deflated(contents) } else { contents.to_vec() };
    let (packed, unpacked) =
        ((stored.len() as u32).to_le_bytes(), (contents.len() as u32).to_le_bytes());
    let told = [&crc(contents)[..], &packed, &unpacked].concat();
    let (flags, front, behind) = match sizes {
        Sizes::InFront => (0, told, Vec::new()),
        Sizes::Behind => (8, vec![0; 12], [b"PK\x07\x08", &told[..]].concat()),
    };
    let extra = *b"UT\x05\0\x01\x33\x51\xf4\x5a";
    let head = [
        &b"PK\x03\x04\x14\0"[..],
        &[flags, 0, method, 0, 0x4d, 0x70, 0xaa, 0x4c],
        &front,
        &(NAME.len() as u16).to_le_bytes(),
        &(extra.len() as u16).to_le_bytes(),
        NAME,
        &extra,
    ];
    [&head.concat()[..], &stored, &behind, b"PK\x01\x02"].concat()
}

#[derive(Clone, Copy)]
enum Sizes {
    InFront,
    Behind,
}

/// The checksum of gzip and zip.
fn crc(bytes: &[u8]) -> [u8; 4] {
    let step = |crc: u32, byte: &u8| {
        (0..8).fold(crc ^ u32::from(*byte), |crc, _| {
            if crc & 1 == 1 { crc >> 1 ^ 0xedb8_8320 } else { crc >> 1 }
        })
    };
    (!bytes.iter().fold(u32::MAX, step)).to_le_bytes()
}

/// Seeds of each of the four.
pub(crate) fn seeds() -> [(&'static str, Vec<Vec<u8>>); 4] {
    let utf16: Vec<u8> = LOG.iter().flat_map(|byte| [*byte, 0]).collect();
    let journal = b"__CURSOR=s=1\n__REALTIME_TIMESTAMP=1525960947659123\n_HOSTNAME=web-1\nMESSAGE\n\x03\0\0\0\0\0\0\0a\nb\n\n";
    let inner = tar(&gzip(LOG));
    [
        ("tar_archive", vec![tar(LOG), inner.clone(), tar(&zip(LOG, 8, Sizes::Behind))]),
        ("gzip_stream", vec![gzip(LOG), gzip(&inner), gzip(&gzip(journal))]),
        (
            "zip_archive",
            vec![
                zip(LOG, 0, Sizes::InFront),
                zip(LOG, 8, Sizes::InFront),
                zip(LOG, 8, Sizes::Behind),
                zip(&inner, 8, Sizes::Behind),
                zip(LOG, 12, Sizes::InFront),
            ],
        ),
        (
            "log_encodings",
            vec![utf16.clone(), [b"\xff\xfe", &utf16[..]].concat(), journal.to_vec()],
        ),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What is told of `archive`, which is the same in small pieces.
    fn told(archive: &[u8]) -> String {
        let (mut whole, mut dripped) = (Seen::default(), Seen::default());
        let came = walk(&mut &*archive, LIMITS, &mut whole);
        let again = walk(&mut Dripping(archive), LIMITS, &mut dripped);
        assert_eq!(format!("{again:?} {dripped:?}"), format!("{came:?} {whole:?}"));
        format!("{came:?} {:?}", whole.unread)
    }

    #[test]
    fn of_two_faults_the_same_is_told_however_the_file_is_read() {
        // A tar archive with no header where one must be, and behind it a block of the stream that is none.
        let inner = [&tar(&gzip(LOG))[..1024], &[b'x'; 1024]].concat();
        let mut archive = zip(&inner, 8, Sizes::Behind);
        let stream = 30 + NAME.len() + 9;
        assert_eq!(archive[stream], 1, "the last block, as it is");
        archive[stream] = 0;
        assert!(told(&archive).contains("corrupt deflate stream"));
    }

    #[test]
    fn damage_behind_the_end_of_an_archive_is_told() {
        // In a gzip stream: a checksum that is wrong, a block that is none, and an end that is missing.
        for inner in [tar(LOG), zip(LOG, 8, Sizes::InFront)] {
            let sound = gzip(&inner);
            assert_eq!(told(&sound), "Ok(()) []");
            let mut archive = sound.clone();
            let checksum = archive.len() - 8;
            archive[checksum] ^= 1;
            assert!(told(&archive).contains("checksum"), "{}", told(&archive));
            let mut archive = sound.clone();
            assert_eq!(archive[10], 1, "the last block, as it is");
            archive[10] = 0;
            archive.insert(checksum, 0b111);
            assert!(told(&archive).contains("corrupt deflate stream"), "{}", told(&archive));
            assert!(told(&sound[..sound.len() - 4]).contains("Cut"));
        }
        // In a member of a zip archive, whose checksum stands in front of it.
        let mut archive = zip(&tar(LOG), 8, Sizes::InFront);
        archive[14] ^= 1;
        assert!(told(&archive).contains("a member's checksum"), "{}", told(&archive));
    }

    #[test]
    fn the_seeds_are_sound() {
        for (target, seeds) in seeds() {
            for seed in seeds {
                let mut seen = Seen::default();
                walk(&mut &seed[..], LIMITS, &mut seen)
                    .unwrap_or_else(|err| panic!("{target}: {err}"));
                let is_other =
                    seen.unread.first().is_some_and(|(_, why)| why.contains("method 12"));
                assert!(
                    is_other || (seen.texts.len() == 1 && seen.unread.is_empty()),
                    "{target}: {seen:?}"
                );
            }
        }
    }
}
