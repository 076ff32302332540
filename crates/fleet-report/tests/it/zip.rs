//! Archives of reports, as another's program reads them.

use std::process::Command;

use fleet_report::{ZipFile, zip};

#[test]
fn an_archive_is_one_that_others_open() {
    let folder = tempfile::tempdir().unwrap();
    let long = "a host, ".repeat(100_000);
    let files = [
        ZipFile { name: "report.csv", bytes: long.as_bytes() },
        ZipFile { name: "report.csv.jws", bytes: b"a..b" },
        ZipFile { name: "empty", bytes: b"" },
    ];
    let packed = zip(&files).unwrap();
    assert!(packed.len() < long.len() / 10, "{} bytes", packed.len());
    let archive = folder.path().join("report.zip");
    std::fs::write(&archive, &packed).unwrap();
    // Python's module compares each checksum.
    for arguments in [&["-t"][..], &["-e"][..]] {
        let mut python = Command::new("python3");
        python.args(["-m", "zipfile"]).args(arguments).arg(&archive);
        if arguments == ["-e"] {
            python.arg(folder.path());
        }
        let done = python.output().expect("python3, which `cargo xtask test` installs");
        assert!(done.status.success(), "{done:?}");
        let said = String::from_utf8_lossy(&done.stdout).into_owned();
        assert!(!said.contains("corrupt"), "{said}");
    }
    for file in files {
        assert_eq!(
            std::fs::read(folder.path().join(file.name)).unwrap(),
            file.bytes,
            "{}",
            file.name
        );
    }
}
