//! Images of Debian, and other tools that compute the same. `cargo xtask test` installs them.

use std::path::{Path, PathBuf};
use std::process::Command;

use image::{Image, uki};
use tpm_wire::{Digest, TpmAlgId};

const BOOT: &str = "/usr/lib/systemd/boot/efi";
const MEASURE: &str = "/usr/lib/systemd/systemd-measure";

fn read(path: &Path) -> Vec<u8> {
    let hint = "`cargo xtask test` installs what tests need, or xtask/src/install.rs lists it";
    std::fs::read(path).unwrap_or_else(|error| panic!("{}: {error}. {hint}", path.display()))
}

#[expect(clippy::print_stdout, reason = "the output of a test")]
fn skipped(why: &str) {
    println!("skipped: {why}");
}

fn run(program: &str, arguments: &[&str]) -> String {
    let output = Command::new(program).args(arguments).output();
    let output =
        output.unwrap_or_else(|error| panic!("{program}: {error}; see xtask/src/install.rs"));
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(output.status.success(), "{program}: {}", String::from_utf8_lossy(&output.stderr));
    text
}

/// Images of the packages shim-helpers-amd64-signed, shim-unsigned and systemd-boot-efi.
fn images() -> Vec<PathBuf> {
    let mut all = Vec::new();
    for folder in ["/usr/lib/shim", BOOT] {
        let entries = std::fs::read_dir(folder).unwrap_or_else(|error| {
            panic!("{folder}: {error}; see xtask/src/install.rs for the packages")
        });
        let paths = entries.map(|entry| entry.expect("an entry").path());
        all.extend(paths.filter(|path| {
            let name = path.to_string_lossy().into_owned();
            name.ends_with(".efi") || name.ends_with(".signed") || name.ends_with(".efi.stub")
        }));
    }
    assert!(all.len() >= 5, "{all:?}");
    all
}

#[test]
fn what_distributions_signed_has_our_digest() {
    let mut n_signed = 0;
    for path in images() {
        let bytes = read(&path);
        let image = Image::parse(&bytes).unwrap();
        let (signatures, fault) = image.signatures();
        assert_eq!(fault, None, "{}", path.display());
        for signature in &signatures {
            assert!(signature.names(&image), "{}", path.display());
            assert!(!signature.untrusted_certificates.is_empty(), "{}", path.display());
        }
        n_signed += usize::from(!signatures.is_empty());
        assert!(path.extension().is_none_or(|end| end != "signed") || !signatures.is_empty());
    }
    assert!(n_signed >= 2);
}

#[test]
fn pesign_computes_the_same_digest() {
    for path in images() {
        let bytes = read(&path);
        let image = Image::parse(&bytes).unwrap();
        let ours = image.authenticode(TpmAlgId::SHA256).unwrap().to_string();
        let theirs = run("pesign", &["-h", "-i", &path.to_string_lossy()]);
        assert!(theirs.contains(&ours), "{}: {ours}, {theirs}", path.display());
    }
}

#[test]
fn systemd_measure_computes_the_same_values_of_pcr_11() {
    let folder = tempfile::tempdir().unwrap();
    let file = |name: &str, content: &[u8]| {
        let path = folder.path().join(name);
        std::fs::write(&path, content).unwrap();
        path.to_string_lossy().into_owned()
    };
    let parts = [
        ("linux", file("linux", &[0x4d; 70_001])),
        ("osrel", file("osrel", b"ID=ours\nVERSION_ID=1\n")),
        ("cmdline", file("cmdline", b"root=LABEL=x quiet\0")),
        ("initrd", file("initrd", &[0x30; 12_345])),
        ("pcrpkey", file("pcrpkey", b"-----BEGIN PUBLIC KEY-----\n")),
    ];
    let mut arguments = Vec::new();
    for (n, (name, path)) in parts.iter().enumerate() {
        arguments.push("--add-section".to_owned());
        arguments.push(format!(".{name}={path}"));
        arguments.push("--change-section-vma".to_owned());
        arguments.push(format!(".{name}={:#x}", 0x20_0000 * (n + 1)));
    }
    let made = folder.path().join("uki.efi").to_string_lossy().into_owned();
    arguments.extend([format!("{BOOT}/linuxx64.efi.stub"), made.clone()]);
    run("objcopy", &arguments.iter().map(String::as_str).collect::<Vec<_>>());

    let bytes = read(Path::new(&made));
    let image = Image::parse(&bytes).unwrap();
    let sections = uki::measured_sections(&image).unwrap();
    let ours: Vec<&str> = sections.iter().map(|section| section.name).collect();
    // Later stubs measure their own .sbat too.
    assert_eq!(&ours[..4], [".linux", ".osrel", ".cmdline", ".initrd"]);

    let mut ask = vec!["calculate".to_owned(), "--json=short".to_owned()];
    for (name, path) in &parts {
        ask.push(format!("--{name}={path}"));
    }
    if let Some(sbat) = sections.iter().find(|section| section.name == ".sbat") {
        ask.push(format!("--sbat={}", file("sbat", sbat.content)));
    }
    let theirs = run(MEASURE, &ask.iter().map(String::as_str).collect::<Vec<_>>());
    for alg in [TpmAlgId::SHA256, TpmAlgId::SHA384] {
        let values: [Digest; 5] = uki::values(&sections, alg).unwrap();
        for value in &values[1..] {
            assert!(theirs.contains(&value.to_string()), "{alg}: {value} is not in {theirs}");
        }
    }
}

#[test]
fn a_recorded_boot_measured_the_digest_of_the_packages_file() {
    let Some(corpus) = testkit::corpus::root() else { return };
    let mut bytes = read(Path::new(BOOT).join("systemd-bootx64.efi").as_path());
    // It was signed before it was installed there, which pads it.
    bytes.resize(bytes.len().next_multiple_of(8), 0);
    let image = Image::parse(&bytes).unwrap();
    // The recorded boot ran this release; what another has says nothing of it.
    let magic = image.named(b".sdmagic").next().unwrap().raw;
    if !magic.starts_with(b"#### LoaderInfo: systemd-boot 252.39-1~deb12u2 ") {
        skipped("another release of systemd-boot is installed");
        return;
    }
    let log = read(&corpus.join("boots/b-sdboot-tis-own/eventlog.bin"));
    let parsed = event_log::parse(&log);
    let ours = image.authenticode(TpmAlgId::SHA256).unwrap();
    let measured = parsed.log.events().iter().any(|event| {
        event.pcr_index == 4 && event.digests.of(TpmAlgId::SHA256) == Some(ours.as_bytes())
    });
    assert!(measured, "{ours}");
}
