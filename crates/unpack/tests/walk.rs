//! Archives as `zip`, `tar` and others make them, and as nobody should.

use std::{
    fs,
    io::{self, Read, Write as _},
    path::Path,
    process::{Command, Stdio},
};

use flate2::{Compression, write::GzEncoder};
use unpack::{Limits, Member, UnpackError, Visitor, walk};

const TEXT: &[u8] = b"a line\nand another\n";

/// What a walk found: names with their contents, and names with what is wrong.
#[derive(Debug, Default)]
struct Found {
    texts: Vec<(String, Vec<u8>)>,
    unread: Vec<(String, String)>,
}

impl Visitor for Found {
    fn text(&mut self, member: Member<'_>, stream: &mut dyn Read) -> io::Result<()> {
        self.texts.push((member.names.join(":"), Vec::new()));
        stream.read_to_end(&mut self.texts.last_mut().unwrap().1).map(drop)
    }

    fn unread(&mut self, member: Member<'_>, why: UnpackError) {
        self.unread.push((member.names.join(":"), why.to_string()));
    }
}

/// Gives what was asked for in small pieces, as pipes do.
struct Dripping<'a>(&'a [u8]);

impl Read for Dripping<'_> {
    fn read(&mut self, block: &mut [u8]) -> io::Result<usize> {
        let n = block.len().min(7);
        self.0.read(&mut block[..n])
    }
}

fn read_within(bytes: &[u8], limits: Limits) -> (Found, Option<String>) {
    let mut found = Found::default();
    let came = walk(&mut &*bytes, limits, &mut found);
    (found, came.err().map(|err| err.to_string()))
}

fn read(bytes: &[u8]) -> (Found, Option<String>) {
    let (found, came) = read_within(bytes, Limits::default());
    let mut dripped = Found::default();
    let again = walk(&mut Dripping(bytes), Limits::default(), &mut dripped);
    assert!(found.texts == dripped.texts && found.unread == dripped.unread, "in pieces");
    assert_eq!(came, again.err().map(|err| err.to_string()), "in pieces");
    (found, came)
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

/// What `program` writes to a pipe, in `folder`.
fn output(folder: &Path, program: &str, arguments: &[&str]) -> Vec<u8> {
    let output = Command::new(program)
        .current_dir(folder)
        .args(arguments)
        .stdin(Stdio::null())
        .output()
        .unwrap_or_else(|err| panic!("{program}: {err}"));
    assert!(output.status.success(), "{program} {arguments:?}: {output:?}");
    output.stdout
}

/// A folder with a text, an empty file and a folder in it.
fn folder() -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    fs::create_dir(folder.path().join("var")).unwrap();
    fs::write(folder.path().join("var/a.log"), TEXT.repeat(500)).unwrap();
    fs::write(folder.path().join("var/empty"), "").unwrap();
    fs::write(folder.path().join("var/z.gz"), gzip(TEXT)).unwrap();
    folder
}

#[test]
fn zip_archives_are_read_however_they_were_made() {
    let folder = folder();
    let path = folder.path();
    let mut made = Vec::new();
    for options in [&["-r"][..], &["-r0"], &["-rfz"], &["-rX"], &["-rD"]] {
        let name = format!("made{}.zip", options[0]);
        output(path, "zip", &[&["-q"], options, &[&name, "var"]].concat());
        made.push((format!("{options:?}"), fs::read(path.join(name)).unwrap()));
        // To a pipe: sizes and checksum stand behind each member.
        if options[0] != "-r0" {
            let arguments = [&["-q"], options, &["-", "var"]].concat();
            made.push((format!("{options:?} to a pipe"), output(path, "zip", &arguments)));
        }
    }
    for (how, archive) in made {
        let (mut found, came) = read(&archive);
        assert_eq!((came, &found.unread), (None, &Vec::new()), "{how}");
        found.texts.sort();
        let names: Vec<_> = found.texts.iter().map(|(name, _)| name.as_str()).collect();
        assert_eq!(names, ["var/a.log", "var/empty", "var/z.gz"], "{how}");
        assert_eq!(found.texts[0].1, TEXT.repeat(500), "{how}");
        assert_eq!(found.texts[2].1, TEXT, "{how}");
    }
}

#[test]
fn archives_stand_in_one_another() {
    let folder = folder();
    let tgz = output(folder.path(), "tar", &["-cz", "var"]);
    fs::write(folder.path().join("esx.tgz"), tgz).unwrap();
    let inner = output(folder.path(), "zip", &["-q", "-", "esx.tgz"]);
    fs::write(folder.path().join("inner.zip"), inner).unwrap();
    let outer = output(folder.path(), "zip", &["-q0", "-", "esx.tgz"]);
    fs::write(folder.path().join("stored.zip"), outer).unwrap();
    let tar = output(folder.path(), "tar", &["-c", "inner.zip"]);
    let (found, came) = read(&gzip(&tar));
    assert_eq!((came, found.unread.len()), (None, 0), "{:?}", found.unread);
    let mut names: Vec<_> = found.texts.iter().map(|(name, _)| name.as_str()).collect();
    names.sort();
    let within = |name: &str| format!("inner.zip:esx.tgz:var/{name}");
    assert_eq!(names, [within("a.log"), within("empty"), within("z.gz")]);
}

#[test]
fn what_is_not_opened_is_named_with_what_opens_it() {
    let folder = folder();
    let path = folder.path();
    output(path, "xz", &["-k", "var/a.log"]);
    output(path, "zstd", &["-q", "-k", "var/a.log"]);
    for (file, program) in [("var/a.log.xz", "xz -dc FILE"), ("var/a.log.zst", "zstd -dc FILE")] {
        let (found, came) = read(&fs::read(path.join(file)).unwrap());
        assert!(found.texts.is_empty());
        assert!(came.as_ref().is_some_and(|why| why.contains(program)), "{came:?}");
    }
    // In an archive it is told of the member, and the others are read.
    let tar = output(path, "tar", &["-c", "var/a.log.xz", "var/a.log"]);
    let (found, came) = read(&tar);
    assert_eq!((came, found.unread[0].0.as_str(), found.texts.len()), (None, "var/a.log.xz", 1));

    output(path, "zip", &["-qP", "secret", "locked.zip", "var/a.log", "var/z.gz"]);
    let (found, came) = read(&fs::read(path.join("locked.zip")).unwrap());
    assert!(found.texts.is_empty());
    let why = came.unwrap_or_else(|| found.unread[0].1.clone());
    assert!(why.contains("encrypted") || found.unread[0].1.contains("encrypted"), "{why}");
    output(path, "zip", &["-qZ", "bzip2", "b.zip", "var/a.log"]);
    output(path, "zip", &["-q", "b.zip", "var/z.gz"]);
    let (found, came) = read(&fs::read(path.join("b.zip")).unwrap());
    assert_eq!((came, found.texts.len()), (None, 1));
    assert!(found.unread[0].1.contains("method 12"), "{:?}", found.unread);
}

#[test]
fn a_cut_or_changed_archive_is_never_called_whole() {
    let folder = tempfile::tempdir().unwrap();
    let lines: String =
        (0..2000_u32).map(|n| format!("{:x}\n", n.wrapping_mul(2_654_435_761))).collect();
    fs::write(folder.path().join("a.log"), lines).unwrap();
    output(folder.path(), "zip", &["-q", "a.zip", "a.log"]);
    let whole = fs::read(folder.path().join("a.zip")).unwrap();
    let table = whole.windows(4).rposition(|window| window == b"PK\x01\x02").unwrap();
    for archive in [whole, output(folder.path(), "zip", &["-q", "-", "a.log"])] {
        let end = archive.windows(4).rposition(|window| window == b"PK\x01\x02").unwrap();
        for at in (4..end).step_by(37).chain(end - 30..end) {
            let (found, came) = read(&archive[..at]);
            assert!(came.is_some() || !found.unread.is_empty(), "cut at {at} of {end}");
        }
        // Any byte of the contents, which begin behind header, name and extra field.
        for at in (100..end - 40).step_by(53) {
            let mut changed = archive.clone();
            changed[at] ^= 0x10;
            let (found, came) = read(&changed);
            assert!(came.is_some() || !found.unread.is_empty(), "changed at {at}");
        }
    }
    assert!(table > 0);
}

#[test]
fn a_bomb_ends_at_the_limit_whatever_it_is_packed_in() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("bomb"), vec![b'\n'; 8 << 20]).unwrap();
    let bomb = gzip(&vec![b'\n'; 8 << 20]);
    let zip = output(folder.path(), "zip", &["-q", "-", "bomb"]);
    let few = Limits { unpacked_bytes_max: 8 << 20, ..Limits::default() };
    let (found, came) = read_within(&bomb, few);
    assert_eq!((found.texts[0].1.len(), came), (8 << 20, None));

    for packed in [&bomb, &gzip(&bomb), &zip] {
        let n = |limits: Limits| {
            let (found, came) = read_within(packed, limits);
            let why = came.or_else(|| found.unread.first().map(|(_, why)| why.clone()));
            (found.texts[0].1.len(), why.unwrap_or_default())
        };
        let (bytes, why) = n(Limits { unpacked_bytes_max: 1 << 20, ..Limits::default() });
        assert!(bytes <= 1 << 21 && why.contains("it unpacks to more than"), "{bytes} {why}");
        let (bytes, why) = n(Limits { bomb_bytes_min: 1 << 20, ..Limits::default() });
        assert!(bytes <= 5 << 20 && why.contains("over 250 times its size"), "{bytes} {why}");
    }
    // A log that is packed as well as logs are is none.
    let log: String = (0..50_000).map(|n| format!("2018-05-10T14:00:{n} cpu1:{n})x\n")).collect();
    let limits = Limits { bomb_bytes_min: 1 << 10, ..Limits::default() };
    assert_eq!(read_within(&gzip(log.as_bytes()), limits).1, None);
}

#[test]
fn layers_and_members_are_counted() {
    let mut packed = TEXT.to_vec();
    for _ in 0..8 {
        packed = gzip(&packed);
    }
    assert_eq!(read(&packed).0.texts[0].1, TEXT);
    assert!(read(&gzip(&packed)).1.unwrap().contains("packed too often"));

    let folder = folder();
    let limits = Limits { members_max: 2, ..Limits::default() };
    for archive in [
        output(folder.path(), "tar", &["-c", "var"]),
        output(folder.path(), "zip", &["-qr", "-", "var"]),
    ] {
        assert!(read_within(&archive, limits).1.unwrap().contains("over 2 files"));
    }
}

#[test]
fn streams_of_gzip_stand_behind_one_another_and_zeros_behind_them() {
    let two = [gzip(TEXT), gzip(TEXT)].concat();
    assert_eq!(read(&two).0.texts[0].1, TEXT.repeat(2));
    let (found, came) = read(&[&two[..], &[0; 10_000]].concat());
    assert_eq!((found.texts[0].1.as_slice(), came), (&TEXT.repeat(2)[..], None));
    for behind in [&b"x"[..], b"\0\0x", b"\x1f", b"\x1fx"] {
        let (found, came) = read(&[&two[..], behind].concat());
        assert!(came.is_some() && found.texts[0].1 == TEXT.repeat(2), "{behind:?}");
    }
}

#[test]
fn a_sparse_file_is_told_and_what_is_behind_it_is_read() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path();
    // More pieces than a header has room for.
    let file = fs::File::create(path.join("sparse")).unwrap();
    for n in 0..40 {
        std::os::unix::fs::FileExt::write_all_at(&file, TEXT, n << 20).unwrap();
    }
    file.sync_all().unwrap();
    fs::write(path.join("a.log"), TEXT).unwrap();
    let archive =
        output(path, "tar", &["-cS", "--format=gnu", "--hole-detection=raw", "sparse", "a.log"]);
    let (found, came) = read(&archive);
    assert_eq!((came, found.texts), (None, vec![("a.log".to_owned(), TEXT.to_vec())]));
    let [(name, why)] = &found.unread[..] else { panic!("{:?}", found.unread) };
    assert!(name == "sparse" && why.contains("sparse file of GNU tar"), "{why}");
}

#[test]
fn encodings_and_journals_are_read_as_text() {
    let text = "TPM \u{e4}\n".repeat(100);
    let little: Vec<u8> = text.encode_utf16().flat_map(u16::to_le_bytes).collect();
    let big: Vec<u8> = text.encode_utf16().flat_map(u16::to_be_bytes).collect();
    let marked = [b"\xff\xfe", &little[..]].concat();
    for bytes in [little, big, marked, [b"\xef\xbb\xbf", text.as_bytes()].concat()] {
        assert_eq!(read(&bytes).0.texts[0].1, text.as_bytes());
    }
    let export =
        b"__CURSOR=s=1\n__REALTIME_TIMESTAMP=1525960947659123\n_HOSTNAME=web-1\nMESSAGE=x\n\n";
    assert_eq!(read(export).0.texts[0].1, b"2018-05-10T14:02:27.659123Z web-1: x\n");
    let latin_1 = b"caf\xe9 TPM\n";
    assert_eq!(read(latin_1).0.texts[0].1, latin_1);
}
