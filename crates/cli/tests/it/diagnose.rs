//! `bootproof diagnose`: files, folders, gzip, standard input; exit codes.

use std::{
    fs,
    io::{self, Write as _},
    path::Path,
    process::{Command, Output, Stdio},
};

use flate2::{Compression, write::GzEncoder};
use serde_json::Value;

const VMKERNEL: &str = include_str!("../../../diagnose/tests/story/vmkernel.log");
const VPXD: &str = include_str!("../../../diagnose/tests/story/vpxd.log");
const SOUND: &str =
    "2018-05-10T14:02:27.716Z cpu46:1)tpmDriver: Tpm2CheckInterface:603: TPM is in FIFO mode.\n";

fn command(arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_bootproof"));
    command.arg("diagnose").args(arguments).env("TZ", "UTC").stdin(Stdio::null());
    command
}

fn diagnose(paths: &[&Path]) -> (Option<i32>, Value) {
    let paths: Vec<_> = paths.iter().map(|path| path.to_str().unwrap()).collect();
    let output = command(&paths).arg("--json").output().unwrap();
    (output.status.code(), serde_json::from_slice(&output.stdout).unwrap())
}

fn piped(input: impl FnOnce(&mut dyn io::Write) -> io::Result<()>, arguments: &[&str]) -> Output {
    let mut child = command(arguments)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    input(&mut child.stdin.take().unwrap()).unwrap();
    child.wait_with_output().unwrap()
}

fn gzip(text: &str) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
    encoder.write_all(text.as_bytes()).unwrap();
    encoder.finish().unwrap()
}

fn ids(host: &Value, group: &str) -> Vec<String> {
    let cases = host[group].as_array().unwrap();
    cases.iter().map(|case| case["signature"].as_str().unwrap().to_owned()).collect()
}

#[test]
fn the_founding_story_is_told_from_its_own_logs() {
    let folder = tempfile::tempdir().unwrap();
    // Rotated and packed by ESXi, plain from vCenter.
    fs::write(folder.path().join("vmkernel.0.gz"), gzip(VMKERNEL)).unwrap();
    fs::create_dir(folder.path().join("vcenter")).unwrap();
    fs::write(folder.path().join("vcenter/vpxd-11.log"), VPXD).unwrap();

    let (exit, json) = diagnose(&[folder.path()]);
    assert_eq!(exit, Some(1));
    let [host] = &json["hosts"].as_array().unwrap()[..] else { panic!("{json}") };
    assert_eq!(host["host"], "esxi-117.foobar.com");
    assert_eq!(ids(host, "causes"), ["E05", "L01"]);
    assert_eq!(host["causes"][0]["finding"], "no-identity-key");
    assert_eq!(host["causes"][1]["finding"], "sha256-bank-inactive");
    assert_eq!(host["causes"][1]["since_ms"], 1_525_901_421_060_i64);
    assert_eq!(host["suspicions"][0]["finding"], "dynamic-launch");
    assert_eq!(host["suspicions"][0]["response_code"], "0x18b");
    assert_eq!((&json["read"]["files"], &json["read"]["lines"]), (&2.into(), &19.into()));

    let output = command(&[folder.path().to_str().unwrap()]).output().unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    let at = |part: &str| text.find(part).unwrap_or_else(|| panic!("{part} in {text}"));
    assert!(at("cause: vCenter has no identity key") < at("perhaps: Intel TXT"));
    assert!(at("perhaps: Intel TXT") < at("was: The TPM's SHA-256 bank is off"));
    at("since 2018-05-09 21:30:21 UTC, over at 2018-05-10 14:02:27 UTC");
    at("led to: vCenter gave up an attestation (E03): 1 line");
    at("next step: Put the host into maintenance mode");
    assert!(at("harmless") < at("0x18b TPM_RC_HANDLE (handle 1)"));
}

/// `tar` itself packs, in each of its formats.
fn tar(folder: &Path, archive: &str, arguments: &[&str]) {
    let status = Command::new("tar")
        .current_dir(folder)
        .args(["-cf", archive])
        .args(arguments)
        .status()
        .unwrap();
    assert!(status.success(), "tar {arguments:?}");
}

#[test]
fn support_bundles_are_read_as_they_are_nested_and_in_each_format() {
    for format in ["gnu", "pax", "ustar", "v7"] {
        let folder = tempfile::tempdir().unwrap();
        let deep = if format == "v7" { "a".repeat(20) } else { "a".repeat(90) };
        let logs = folder.path().join("esx-esxi-117-2018-05-10--14.30-1").join(&deep).join("log");
        fs::create_dir_all(&logs).unwrap();
        fs::write(logs.join("vmkernel.0.gz"), gzip(VMKERNEL)).unwrap();
        fs::write(logs.join("empty"), "").unwrap();
        std::os::unix::fs::symlink("/etc/passwd", logs.join("link")).unwrap();
        let format = format!("--format={format}");
        tar(folder.path(), "esx.tgz", &["-z", &format, "esx-esxi-117-2018-05-10--14.30-1"]);
        fs::write(folder.path().join("vpxd.log"), VPXD).unwrap();
        tar(folder.path(), "all.tar", &[&format, "vpxd.log", "esx.tgz"]);
        let (exit, json) = diagnose(&[&folder.path().join("all.tar")]);
        assert_eq!(exit, Some(1), "{format}");
        assert_eq!((&json["read"]["files"], &json["read"]["lines"]), (&3.into(), &19.into()));
        let [host] = &json["hosts"].as_array().unwrap()[..] else { panic!("{format}: {json}") };
        assert_eq!(host["host"], "esxi-117.foobar.com", "the folder's short name is this host");
        assert_eq!(ids(host, "causes"), ["E05", "L01"]);
        let file = host["causes"][1]["evidence"][0]["file"].as_str().unwrap();
        assert!(
            file.ends_with("/log/vmkernel.0.gz") && file.contains("all.tar:esx.tgz:"),
            "{file}"
        );
    }
}

/// A zip archive of the members, to a pipe: the sizes stand behind them.
fn zip(folder: &Path, members: &[&str]) -> Vec<u8> {
    let arguments = [&["-qr", "-"], members].concat();
    let output = Command::new("zip").current_dir(folder).args(arguments).output().unwrap();
    assert!(output.status.success(), "{output:?}");
    output.stdout
}

#[test]
fn a_bundle_of_vcenter_is_a_zip_with_bundles_of_hosts_in_it() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path();
    let bundle = "esx-10.1.2.3-2018-05-10--14.30-1";
    fs::create_dir_all(path.join(bundle).join("etc")).unwrap();
    fs::write(path.join(bundle).join("vmkernel.0.gz"), gzip(VMKERNEL)).unwrap();
    // The host is known by its address, and the bundle's own file says who that is.
    fs::write(
        path.join(bundle).join("etc/hosts"),
        "127.0.0.1 localhost\n10.1.2.3 esxi-117.foobar.com esxi-117\n",
    )
    .unwrap();
    tar(path, "esx.tgz", &["-z", bundle]);
    // As Windows' tools write it.
    let vpxd: Vec<u8> = VPXD.encode_utf16().flat_map(u16::to_le_bytes).collect();
    fs::write(path.join("vpxd-11.log"), vpxd).unwrap();
    let outer = zip(path, &["esx.tgz", "vpxd-11.log"]);
    fs::write(path.join("vcenter.zip"), &outer).unwrap();
    let (exit, json) = diagnose(&[&path.join("vcenter.zip")]);
    assert_eq!((exit, &json["read"]["unread"]), (Some(1), &Value::Array(Vec::new())));
    let [host] = &json["hosts"].as_array().unwrap()[..] else { panic!("{json}") };
    assert_eq!(
        (host["host"].as_str(), &json["read"]["files"]),
        (Some("esxi-117.foobar.com"), &3.into())
    );
    assert_eq!(ids(host, "causes"), ["E05", "L01"]);
    // The same out of a pipe.
    let output = piped(|stdin| stdin.write_all(&outer), &["-", "--json"]);
    let piped: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(ids(&piped["hosts"][0], "causes"), ["E05", "L01"]);
    // Cut, it tells what it had and that it is cut.
    fs::write(path.join("vcenter.zip"), &outer[..outer.len() * 2 / 3]).unwrap();
    let (_, json) = diagnose(&[&path.join("vcenter.zip")]);
    assert!(!json["read"]["unread"].as_array().unwrap().is_empty());
}

#[test]
fn a_support_bundle_of_our_own_is_read() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path();
    fs::create_dir(path.join("logs")).unwrap();
    let entry = "__CURSOR=s=1\n__REALTIME_TIMESTAMP=1525960947659123\n_HOSTNAME=web-1\n\
        SYSLOG_IDENTIFIER=kernel\nMESSAGE=ima: No TPM chip found, activating TPM-bypass! (rc=-19)\n\n";
    fs::write(path.join("logs/kernel.log"), entry).unwrap();
    fs::write(path.join("findings.json"), r#"{"findings":[{"code":"no-tpm"}]}"#).unwrap();
    fs::write(path.join("facts.json"), "{}").unwrap();
    fs::write(path.join("MANIFEST.json"), "{}").unwrap();
    tar(path, "bundle.tar.gz", &["-z", "logs", "findings.json", "facts.json", "MANIFEST.json"]);
    let (exit, json) = diagnose(&[&path.join("bundle.tar.gz")]);
    assert_eq!((exit, json["hosts"][0]["host"].as_str()), (Some(1), Some("web-1")));
    assert_eq!(ids(&json["hosts"][0], "causes"), ["K02"]);
    assert_eq!(json["hosts"][0]["causes"][0]["since_ms"], 1_525_960_947_659_i64);
}

/// The most memory that `bootproof diagnose` had, in KiB, while `input` was written to it.
fn peak_kib(arguments: &[&str], input: impl FnOnce(&mut dyn io::Write) -> io::Result<()>) -> u64 {
    let mut child = Command::new("/usr/bin/time")
        .args(["-f", "%M", env!("CARGO_BIN_EXE_bootproof"), "diagnose", "--json"])
        .args(arguments)
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    input(&mut child.stdin.take().unwrap()).unwrap();
    let output = child.wait_with_output().unwrap();
    let stderr = String::from_utf8(output.stderr).unwrap();
    stderr.lines().last().unwrap().parse().unwrap_or_else(|_| panic!("{stderr}"))
}

/// What the issue allows, whatever the size of what is read.
const PEAK_KIB_MAX: u64 = 64 * 1024;

#[test]
fn memory_is_bounded_whatever_is_read() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path();
    // Lines of 100 MB, three of them, packed in five layers: they and their like are in the hundreds.
    let piece = vec![b'x'; 1 << 20];
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    for _ in 0..3 {
        (0..100).for_each(|_| encoder.write_all(&piece).unwrap());
        encoder.write_all(b"\n").unwrap();
    }
    fs::write(path.join("long.gz"), encoder.finish().unwrap()).unwrap();
    tar(path, "a.tgz", &["-z", "long.gz"]);
    fs::write(path.join("b.zip"), zip(path, &["a.tgz"])).unwrap();
    tar(path, "c.tgz", &["-z", "b.zip"]);
    let archive = path.join("c.tgz");
    let archive = archive.to_str().unwrap();
    let packed = peak_kib(&[archive], |_| Ok(()));

    // Each host that is kept, with the longest evidence; and twice as many that are not.
    let flood = peak_kib(&["-"], |stdin| {
        // Each of these bytes would be shown by three.
        let rest = [0xff; 600];
        for n in 0..3 * 2 * diagnose::CASES_MAX {
            let host = n % (2 * diagnose::CASES_MAX);
            write!(stdin, "2018-05-10T14:00:00Z h{host} vmkernel: tpmdriver failed to load. ")?;
            stdin.write_all(&rest)?;
            stdin.write_all(b"\n")?;
        }
        Ok(())
    });
    // As many identifiers, addresses and names as anybody likes.
    let names = peak_kib(&["-"], |stdin| {
        let domain = "x".repeat(200);
        (0..200_000_u32).try_for_each(|n| {
            let [a, b, c, d] = n.to_be_bytes();
            writeln!(
                stdin,
                "[vim.HostSystem:host-{n},h{n}.{domain}] h{n}.{domain} (10{a}.{b}.{c}.{d})"
            )
        })
    });
    // Long names in archives, and UTF-16 in one line.
    let wide = peak_kib(&["-"], |stdin| {
        stdin.write_all(b"\xff\xfe")?;
        let piece = b"x\0".repeat(1 << 20);
        (0..60).try_for_each(|_| stdin.write_all(&piece))
    });
    for (what, peak) in [("packed", packed), ("flood", flood), ("names", names), ("wide", wide)] {
        assert!(peak < PEAK_KIB_MAX, "{what}: {peak} KiB");
    }
}

#[test]
fn a_damaged_archive_tells_what_it_had_and_that_it_is_damaged() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("broken.gz"), b"\x1f\x8bnot gzip").unwrap();
    fs::write(folder.path().join("sound.log"), SOUND.repeat(100)).unwrap();
    tar(folder.path(), "all.tar", &["broken.gz", "sound.log"]);
    let archive = folder.path().join("all.tar");
    let whole = fs::read(&archive).unwrap();
    let (exit, json) = diagnose(&[&archive]);
    assert_eq!((exit, &json["read"]["lines"]), (Some(2), &100.into()));
    assert!(json["read"]["unread"][0]["file"].as_str().unwrap().ends_with("all.tar:broken.gz"));
    assert_eq!(json["read"]["unread"].as_array().unwrap().len(), 1);

    // Cut at any block, also right behind a member. (After one, the first member is just empty.)
    for n_blocks in 2..whole.len() / 512 {
        fs::write(&archive, &whole[..n_blocks * 512]).unwrap();
        let at_the_end = whole[n_blocks * 512..].iter().all(|byte| *byte == 0)
            && whole[..n_blocks * 512].ends_with(&[0; 512]);
        let (exit, json) = diagnose(&[&archive]);
        let n_unread = json["read"]["unread"].as_array().unwrap().len();
        assert_eq!(
            (exit, n_unread),
            (Some(2), if at_the_end { 1 } else { 2 }),
            "{n_blocks} blocks"
        );
    }
    // A size that is not there is neither believed nor allocated.
    let mut huge = whole.clone();
    huge[124..136].copy_from_slice(b"77777777777\0");
    let sum: u32 = huge[..148].iter().chain(&huge[156..512]).map(|byte| u32::from(*byte)).sum();
    huge[148..156].copy_from_slice(format!("{:06o}\0 ", sum + 8 * 32).as_bytes());
    fs::write(&archive, &huge).unwrap();
    assert_eq!(diagnose(&[&archive]).0, Some(2));
}

#[test]
fn names_in_archives_lead_nowhere() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("x.log"), VPXD).unwrap();
    let climb = "--transform=s,^,../../../tmp/bootproof-climbs/,";
    tar(folder.path(), "all.tar", &["-P", climb, "x.log"]);
    let (exit, json) = diagnose(&[&folder.path().join("all.tar")]);
    assert_eq!(exit, Some(1));
    let evidence = &json["hosts"][0]["causes"][0]["evidence"][0]["file"];
    assert!(evidence.as_str().unwrap().contains("../"), "{evidence}");
    assert!(!Path::new("/tmp/bootproof-climbs").exists());
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 2);
}

#[test]
fn exit_codes_say_whether_something_is_wrong() {
    let folder = tempfile::tempdir().unwrap();
    let (sound, wrong) = (folder.path().join("sound.log"), folder.path().join("wrong.log"));
    fs::write(&sound, SOUND).unwrap();
    fs::write(&wrong, VPXD).unwrap();
    let missing = folder.path().join("missing.log");
    assert_eq!(diagnose(&[&sound]).0, Some(0));
    assert_eq!(diagnose(&[&sound, &wrong]).0, Some(1));
    // That nothing was found says nothing of what was not read; what was found, stands.
    assert_eq!(diagnose(&[&sound, &missing]).0, Some(2));
    let (exit, json) = diagnose(&[&wrong, &missing]);
    assert_eq!(exit, Some(1));
    assert!(json["read"]["unread"][0]["file"].as_str().unwrap().ends_with("missing.log"));

    let output = command(&[missing.to_str().unwrap()]).output().unwrap();
    assert_eq!(output.status.code(), Some(2));
    let stderr = String::from_utf8(output.stderr).unwrap();
    assert!(stderr.contains("\n\nhint: ") && stderr.contains("1 file was not read"), "{stderr}");
    assert_eq!(command(&[]).output().unwrap().status.code(), Some(2));
}

#[test]
fn a_cut_archive_tells_what_it_had_and_that_it_is_cut() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("vpxd.log.gz");
    let mut text = SOUND.repeat(2000);
    for n in 0..20_000_u32 {
        text += &format!("{:x}\n", n.wrapping_mul(2_654_435_761));
    }
    let packed = gzip(&text);
    fs::write(&file, &packed[..packed.len() / 2]).unwrap();
    let (exit, json) = diagnose(&[&file]);
    assert_eq!(exit, Some(2));
    assert!(json["read"]["lines"].as_u64().unwrap() >= 2000);
    assert_eq!(json["hosts"][0]["harmless"][0]["n_lines"], 2000);
    // What only begins like gzip is no log, and no panic.
    fs::write(&file, b"\x1f\x8bnot gzip").unwrap();
    assert_eq!(diagnose(&[&file]).0, Some(2));
    // Two streams behind one another are one file, as `cat a.gz b.gz` makes it.
    fs::write(&file, [gzip(SOUND), gzip(VPXD)].concat()).unwrap();
    assert_eq!(diagnose(&[&file]).0, Some(1));
}

#[test]
fn standard_input_is_read_packed_or_plain_and_junk_is_harmless() {
    let output = piped(|stdin| stdin.write_all(VPXD.as_bytes()), &["-"]);
    assert_eq!(output.status.code(), Some(1));
    let output = piped(|stdin| stdin.write_all(&gzip(VPXD)), &["-"]);
    assert_eq!(output.status.code(), Some(1));
    let junk: Vec<u8> =
        (0..1_000_000_u32).map(|n| (n.wrapping_mul(2_654_435_761) >> 24) as u8).collect();
    let output = piped(|stdin| stdin.write_all(&junk), &["-"]);
    assert_eq!(output.status.code(), Some(0));
    let utf_16: Vec<u8> = VPXD.bytes().flat_map(|byte| [byte, 0]).collect();
    assert_eq!(piped(|stdin| stdin.write_all(&utf_16), &["-"]).status.code(), Some(1));
}

#[test]
fn a_line_of_a_hundred_megabytes_does_not_hide_the_next() {
    let long = |stdin: &mut dyn io::Write| {
        let piece = vec![b'x'; 1 << 20];
        (0..100).try_for_each(|_| stdin.write_all(&piece))?;
        stdin.write_all(format!("\n{VPXD}").as_bytes())
    };
    let output = piped(long, &["-", "--json"]);
    assert_eq!(output.status.code(), Some(1));
    let json: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(json["read"]["lines_cut"], 1);
    assert_eq!(ids(&json["hosts"][0], "causes"), ["E05"]);
}

#[test]
fn a_flood_of_harmless_lines_hides_nothing_without_a_word() {
    let flood = |n: usize| {
        let line =
            |n| format!("2018-05-10T14:00:00Z h{n} vmkernel: tpmdriver loaded successfully.\n");
        (0..n).map(line).collect::<String>() + VPXD
    };
    let exit = |log: String| piped(|stdin| stdin.write_all(log.as_bytes()), &["-"]).status.code();
    assert_eq!(exit(flood(10)), Some(1));
    assert_eq!(exit(flood(diagnose::CASES_MAX)), Some(2));
}

#[test]
fn a_folder_is_read_without_following_links_out_of_it_or_in_circles() {
    let (folder, other) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    fs::write(other.path().join("vpxd.log"), VPXD).unwrap();
    std::os::unix::fs::symlink(folder.path(), folder.path().join("again")).unwrap();
    std::os::unix::fs::symlink(other.path(), folder.path().join("out")).unwrap();
    std::os::unix::fs::symlink(other.path().join("vpxd.log"), folder.path().join("x.log")).unwrap();
    fs::write(folder.path().join("a.log"), SOUND).unwrap();
    let (exit, json) = diagnose(&[folder.path()]);
    assert_eq!((exit, &json["read"]["files"]), (Some(0), &1.into()));
    // A link that somebody names is meant.
    assert_eq!(diagnose(&[&folder.path().join("x.log")]).0, Some(1));
}

#[test]
fn a_support_bundles_folder_names_the_host_and_a_logs_words_cannot_steer_the_terminal() {
    let folder = tempfile::tempdir().unwrap();
    let bundle = folder.path().join("esx-esxi-9.lab-2018-05-10--14.30-4711");
    fs::create_dir(&bundle).unwrap();
    let log = format!("{}\u{1b}[2J\n", VMKERNEL.lines().next().unwrap());
    fs::write(bundle.join("vmkernel.log"), log).unwrap();
    let (_, json) = diagnose(&[folder.path()]);
    assert_eq!(json["hosts"][0]["host"], "esxi-9.lab");
    let output = command(&[folder.path().to_str().unwrap()]).output().unwrap();
    assert!(!output.stdout.contains(&0x1b));
}
