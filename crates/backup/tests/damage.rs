//! What is not a sound backup is refused, whatever happened to it.

use std::io::{self, Write};

use backup::age::{AgeError, Encryptor, Identity, Recipient};
use backup::{FileKind, Header, Item, Manifest, ReadError, Writer, read};
use store::portable::{Column, ColumnKind, Piece, Table, Value};

fn header() -> Header {
    Header {
        format: backup::FORMAT,
        id: "00".repeat(16),
        program: "test".to_owned(),
        schema: 5,
        store: "sqlite".to_owned(),
        created_at_ms: 1_000,
    }
}

fn audit_rows() -> Vec<Vec<Value>> {
    let mut before = [0; 32];
    (1..=3)
        .map(|seq| {
            let (actor, action) = ("alice".to_owned(), "host.remove".to_owned());
            let (subject, detail_json) = ("host:a".to_owned(), "{}".to_owned());
            let sha256 = [0; 32];
            let mut row =
                audit_log::AuditRow { seq, at_ms: 5, actor, action, subject, detail_json, sha256 };
            row.sha256 = row.seal(&before);
            before = row.sha256;
            vec![
                Value::Integer(row.seq),
                Value::Integer(row.at_ms),
                Value::Text(row.actor),
                Value::Text(row.action),
                Value::Text(row.subject),
                Value::Text(row.detail_json),
                Value::Bytes(row.sha256.to_vec()),
            ]
        })
        .collect()
}

fn table(name: &str, columns: &[(&str, ColumnKind)]) -> Piece {
    let columns =
        columns.iter().map(|(name, kind)| Column { name: (*name).to_owned(), kind: *kind });
    Piece::Table(Table { name: name.to_owned(), columns: columns.collect() })
}

fn pieces() -> Vec<Piece> {
    use ColumnKind::{Bytes, Integer, Text};
    // Bytes that do not pack, so that there are several parts and chunks.
    let noise = |n: u8| {
        let digest =
            |seed: u32| aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, &seed.to_be_bytes());
        (0..2_000).flat_map(|m| digest(u32::from(n) * 10_000 + m).as_ref().to_vec()).collect()
    };
    let logs = (0..3).map(|n| vec![Value::Integer(i64::from(n)), Value::Bytes(noise(n))]);
    let columns = [
        ("seq", Integer),
        ("at_ms", Integer),
        ("actor", Text),
        ("action", Text),
        ("subject", Text),
        ("detail_json", Text),
        ("sha256", Bytes),
    ];
    vec![
        table("audit", &columns),
        Piece::Rows(audit_rows()),
        table("evidence", &[("id", Integer), ("bytes", Bytes)]),
        Piece::Rows(logs.collect()),
        table("hosts", &[("id", Text)]),
        Piece::Numbered { table: "evidence".to_owned(), last: 9 },
        Piece::End,
    ]
}

fn write<W: Write>(out: W, header: Header, pieces: Vec<Piece>) -> io::Result<(Manifest, W)> {
    let mut writer = Writer::begin(out, header)?;
    writer.file(FileKind::Data, "ca.key", "/var/lib/bootproof/ca.key".to_owned(), b"secret")?;
    for piece in pieces {
        writer.piece(piece)?;
    }
    writer.finish()
}

fn sound() -> Vec<u8> {
    write(Vec::new(), header(), pieces()).unwrap().1
}

fn check(bytes: &[u8], identities: &[Identity]) -> Result<(Manifest, Vec<Piece>), ReadError> {
    let mut come = Vec::new();
    let manifest = read(bytes, identities, |item| {
        if let Item::Piece(piece) = item {
            come.push(piece);
        }
        Ok(())
    })?;
    Ok((manifest, come))
}

/// As a packed archive of these entries.
fn archive(entries: &[(&str, &[u8])]) -> Vec<u8> {
    let mut archive = tar::Builder::new(zstd::Encoder::new(Vec::new(), 3).unwrap());
    for (name, bytes) in entries {
        let mut header = tar::Header::new_ustar();
        header.set_size(bytes.len() as u64);
        archive.append_data(&mut header, name, *bytes).unwrap();
    }
    archive.into_inner().unwrap().finish().unwrap()
}

#[test]
fn what_was_written_is_read() {
    let (written, bytes) = write(Vec::new(), header(), pieces()).unwrap();
    let (manifest, come) = check(&bytes, &[]).unwrap();
    assert_eq!(manifest, written);
    let mut expected = pieces();
    expected.pop();
    assert_eq!(come, expected);
    assert_eq!(manifest.audit.seq, 3);
    assert_eq!(manifest.files[0].part.name, "files/data/ca.key");
}

#[test]
fn a_backup_that_is_cut_anywhere_is_refused() {
    let bytes = sound();
    for n in (0..bytes.len()).step_by(bytes.len() / 400).chain(bytes.len() - 40..bytes.len()) {
        let refused = check(&bytes[..n], &[]);
        let known = matches!(
            refused,
            Err(ReadError::Truncated | ReadError::NotABackup | ReadError::Damaged { .. })
        );
        assert!(known, "{n} of {}: {:?}", bytes.len(), refused.map(|(manifest, _)| manifest));
    }
}

#[test]
fn a_backup_with_a_changed_bit_is_refused() {
    let bytes = sound();
    for n in (0..bytes.len()).step_by(bytes.len() / 400) {
        let mut changed = bytes.clone();
        changed[n] ^= 1 << (n % 8);
        if let Ok((manifest, come)) = check(&changed, &[]) {
            // A bit of the frame's header that says nothing of what is in it.
            assert_eq!((manifest, come), check(&bytes, &[]).unwrap(), "{n}");
        }
    }
    let mut longer = bytes;
    longer.push(0);
    assert!(matches!(check(&longer, &[]), Err(ReadError::Damaged { .. })));
}

#[test]
fn what_is_another_thing_or_of_another_version_is_told_so() {
    assert!(matches!(check(b"", &[]), Err(ReadError::NotABackup)));
    assert!(matches!(check(b"SQLite format 3\0", &[]), Err(ReadError::NotABackup)));
    assert!(matches!(check(&archive(&[("a.txt", b"x")]), &[]), Err(ReadError::NotABackup)));
    assert!(matches!(check(&archive(&[]), &[]), Err(ReadError::NotABackup)));
    let newer = write(Vec::new(), Header { format: 2, ..header() }, pieces()).unwrap().1;
    assert!(matches!(check(&newer, &[]), Err(ReadError::Newer { found: 2 })));
}

#[test]
fn entries_that_lead_elsewhere_are_refused() {
    let head = serde_json::to_vec(&header()).unwrap();
    for name in
        ["files/data/.ssh", "files/data/a b", "files/other/x", "etc/passwd", "files/data/x/y"]
    {
        let refused = check(&archive(&[("HEADER.json", &head), (name, b"x")]), &[]);
        assert!(matches!(refused, Err(ReadError::Damaged { .. })), "{name}");
    }
    let mut links = tar::Builder::new(zstd::Encoder::new(Vec::new(), 3).unwrap());
    let mut header = tar::Header::new_ustar();
    header.set_size(head.len() as u64);
    links.append_data(&mut header, "HEADER.json", &*head).unwrap();
    let mut link = tar::Header::new_ustar();
    link.set_entry_type(tar::EntryType::Symlink);
    link.set_size(0);
    links.append_link(&mut link, "files/data/ca.key", "/etc/shadow").unwrap();
    let links = links.into_inner().unwrap().finish().unwrap();
    assert!(matches!(check(&links, &[]), Err(ReadError::Damaged { .. })));
}

#[test]
fn what_unpacks_without_end_is_refused_with_little_memory() {
    let head = serde_json::to_vec(&header()).unwrap();
    let zeros = vec![0; 400 * 1024 * 1024];
    // One line of 400 MiB, and a file of as many bytes.
    let line = check(&archive(&[("HEADER.json", &head), ("tables/x/000001.jsonl", &zeros)]), &[]);
    assert!(matches!(line, Err(ReadError::Bomb)), "{:?}", line.map(|(manifest, _)| manifest));
    let file = check(&archive(&[("HEADER.json", &head), ("files/data/ca.key", &zeros)]), &[]);
    assert!(matches!(file, Err(ReadError::Damaged { .. })));
    // Lines that are short, in a part without an end.
    let lines = [b"{\"table\":\"x\",\"columns\":[]}\n".to_vec(), b"[]\n".repeat(100 * 1024 * 1024)]
        .concat();
    let lines = check(&archive(&[("HEADER.json", &head), ("tables/x/000001.jsonl", &lines)]), &[]);
    assert!(matches!(lines, Err(ReadError::Bomb)), "{:?}", lines.map(|(manifest, _)| manifest));
}

#[test]
fn an_audit_log_that_was_changed_is_neither_written_nor_read() {
    let changed = |row: usize, value: Value| {
        let mut pieces = pieces();
        let Piece::Rows(rows) = &mut pieces[1] else { panic!() };
        rows[row][2] = value;
        write(Vec::new(), header(), pieces)
    };
    assert!(changed(1, Value::Text("alice".to_owned())).is_ok());
    assert!(changed(1, Value::Text("eve".to_owned())).is_err());
    assert!(changed(1, Value::Null).is_err());

    // One that was changed in the file, with digests that fit.
    let tampered = retold(|lines| lines.replace("alice", "eve"));
    assert!(matches!(check(&tampered, &[]), Err(ReadError::Audit(_))));
    // One from which the last row was taken, with digests and counts that fit, ends elsewhere.
    let shorter = retold(|lines| {
        let kept: Vec<&str> = lines.lines().take(3).collect();
        kept.join("\n") + "\n"
    });
    assert!(matches!(check(&shorter, &[]), Err(ReadError::Damaged { .. })));
}

/// The backup with the rows of the audit log changed, by somebody who mends digests and counts.
fn retold(change: impl Fn(&str) -> String) -> Vec<u8> {
    let bytes = sound();
    let mut all = Vec::new();
    let mut archive_of = tar::Archive::new(zstd::Decoder::new(&*bytes).unwrap());
    for entry in archive_of.entries().unwrap() {
        let mut entry = entry.unwrap();
        let name = entry.path().unwrap().display().to_string();
        let mut bytes = Vec::new();
        io::Read::read_to_end(&mut entry, &mut bytes).unwrap();
        if name.starts_with("tables/audit/") {
            bytes = change(&String::from_utf8(bytes).unwrap()).into_bytes();
        }
        all.push((name, bytes));
    }
    let audit = all.iter().find(|(name, _)| name.starts_with("tables/audit/")).unwrap().1.clone();
    let (_, manifest) = all.last_mut().unwrap();
    let mut read: Manifest = serde_json::from_slice(manifest).unwrap();
    read.parts[0].n_bytes = audit.len() as u64;
    read.parts[0].sha256 =
        hex::encode(aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, &audit));
    read.tables[0].n_rows = audit.iter().filter(|byte| **byte == b'\n').count() as u64 - 1;
    *manifest = serde_json::to_vec(&read).unwrap();
    let entries: Vec<(&str, &[u8])> =
        all.iter().map(|(name, bytes)| (name.as_str(), bytes.as_slice())).collect();
    archive(&entries)
}

/// A disk with so much room.
struct Disk(usize);

impl Write for Disk {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if self.0 == 0 {
            return Err(io::ErrorKind::StorageFull.into());
        }
        let n = bytes.len().min(self.0);
        self.0 -= n;
        Ok(n)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[test]
fn a_disk_that_is_full_at_any_point_is_an_error() {
    let n_bytes = sound().len();
    for room in (0..n_bytes).step_by(n_bytes / 100).chain([n_bytes - 1]) {
        let error = write(Disk(room), header(), pieces()).map(drop).unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::StorageFull, "{room}");
    }
    assert!(write(Disk(n_bytes), header(), pieces()).is_ok());
}

// Of the format's own tests, known to all tools.
const SECRET: &str = "AGE-SECRET-KEY-1GFPYYSJZGFPYYSJZGFPYYSJZGFPYYSJZGFPYYSJZGFPYYSJZGFPQ4EGAEX";
const PUBLIC: &str = "age1zvkyg2lqzraa2lnjvqej32nkuu0ues2s82hzrye869xeexvn73equnujwj";

fn encrypted() -> Vec<u8> {
    let recipient: Recipient = PUBLIC.parse().unwrap();
    let out = Encryptor::begin(Vec::new(), &[recipient]).unwrap();
    write(out, header(), pieces()).unwrap().1.finish().unwrap()
}

fn identity() -> Identity {
    SECRET.parse().unwrap()
}

#[test]
fn an_encrypted_backup_is_opened_by_its_recipient_alone() {
    let bytes = encrypted();
    assert!(matches!(check(&bytes, &[]), Err(ReadError::Encrypted)));
    let (_, come) = check(&bytes, &[identity()]).unwrap();
    assert_eq!(come.len(), pieces().len() - 1);
    assert!(!bytes.windows(6).any(|window| window == b"secret"));
    for wrong in [SECRET.to_lowercase(), PUBLIC.to_owned(), SECRET.replace("GFPYY", "GFPYP")] {
        assert_eq!(wrong.parse::<Identity>().unwrap_err(), AgeError::NotAnIdentity);
    }
    for wrong in [SECRET, "age1", "", &PUBLIC.to_uppercase()] {
        assert_eq!(wrong.parse::<Recipient>().unwrap_err(), AgeError::NotARecipient);
    }
}

#[test]
fn an_encrypted_backup_that_was_changed_or_cut_is_refused() {
    let bytes = encrypted();
    for n in (0..bytes.len()).step_by(bytes.len() / 300) {
        assert!(check(&bytes[..n], &[identity()]).is_err(), "cut at {n}");
        let mut changed = bytes.clone();
        changed[n] ^= 1 << (n % 8);
        assert!(check(&changed, &[identity()]).is_err(), "changed at {n}");
    }
    let mut longer = bytes;
    longer.push(0);
    assert!(check(&longer, &[identity()]).is_err());
}
