//! `bootproof trust import` against a real server: files, folders and cabinets.

use std::io::{Cursor, Write as _};
use std::path::Path;

use api::admin::TrustedCertificate;
use cab::{CabinetBuilder, CompressionType};
use cli::Exit;
use rcgen::{
    BasicConstraints, CertificateParams, DistinguishedName, DnType, IsCa, Issuer, KeyPair,
    KeyUsagePurpose,
};
use testkit::log::certificates;

use crate::bench::Server;
use crate::commands::bootproof;

/// A root, an authority under it, and a certificate of that.
struct Vendor {
    root: Vec<u8>,
    intermediate: Vec<u8>,
    leaf: Vec<u8>,
}

fn params(name: &str, is_ca: IsCa) -> CertificateParams {
    let mut params = CertificateParams::default();
    params.distinguished_name = DistinguishedName::new();
    params.distinguished_name.push(DnType::CommonName, name);
    if matches!(is_ca, IsCa::Ca(_)) {
        params.key_usages = vec![KeyUsagePurpose::KeyCertSign];
    }
    params.is_ca = is_ca;
    params
}

impl Vendor {
    fn new(name: &str) -> Self {
        let ca = || IsCa::Ca(BasicConstraints::Unconstrained);
        let [root_key, key, leaf_key] = [(); 3].map(|()| KeyPair::generate().unwrap());
        let root = params(&format!("{name} Root"), ca());
        let between = params(&format!("{name} Issuing"), ca());
        let leaf = params(&format!("{name} chip"), IsCa::ExplicitNoCa);
        let by_root = Issuer::from_params(&root, &root_key);
        let by_between = Issuer::from_params(&between, &key);
        Self {
            root: root.self_signed(&root_key).unwrap().der().to_vec(),
            intermediate: between.signed_by(&key, &by_root).unwrap().der().to_vec(),
            leaf: leaf.signed_by(&leaf_key, &by_between).unwrap().der().to_vec(),
        }
    }
}

/// A cabinet of another hand than ours.
fn cabinet(files: &[(&str, &[u8])]) -> Vec<u8> {
    let mut builder = CabinetBuilder::new();
    let folder = builder.add_folder(CompressionType::MsZip);
    for (name, _) in files {
        folder.add_file(*name);
    }
    let mut writer = builder.build(Cursor::new(Vec::new())).unwrap();
    let mut contents = files.iter();
    while let Some(mut file) = writer.next_file().unwrap() {
        file.write_all(contents.next().unwrap().1).unwrap();
    }
    writer.finish().unwrap().into_inner()
}

/// Runs `bootproof trust import`, and says whether it was done.
async fn import(server: &Server, arguments: &[&str], paths: &[&Path]) -> Result<Exit, String> {
    let mut all = vec!["trust", "import"];
    all.extend(arguments);
    all.extend(paths.iter().map(|path| path.to_str().unwrap()));
    bootproof(server, &all).await.map_err(|err| format!("{err:?}"))
}

async fn trusted(server: &Server) -> Vec<(String, String)> {
    let trusted: Vec<TrustedCertificate> = server.admin.get("/v1/trust").await.unwrap();
    let mut trusted: Vec<_> =
        trusted.into_iter().map(|known| (known.subject, known.source)).collect();
    trusted.sort();
    trusted
}

fn pairs(expected: &[(&str, &str)]) -> Vec<(String, String)> {
    expected.iter().map(|(a, b)| ((*a).to_owned(), (*b).to_owned())).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_cabinet_gives_its_roots_and_where_somebody_says_so_its_intermediates() {
    let server = Server::start().await;
    let (a, b) = (Vendor::new("A"), Vendor::new("B"));
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("TrustedTpm.cab");
    let packed = cabinet(&[
        ("A\\RootCA\\a.crt", &a.root),
        ("A\\IntermediateCA\\a.cer", &a.intermediate),
        ("A\\IntermediateCA\\chip.cer", &a.leaf),
        ("B\\RootCA\\b.der", &b.root),
        ("B\\RootCA\\once-more.der", &b.root),
        ("version.txt", b"2026.11"),
    ]);
    std::fs::write(&file, packed).unwrap();

    assert_eq!(import(&server, &["--dry-run"], &[&file]).await, Ok(Exit::Done));
    assert_eq!(trusted(&server).await, [], "a dry run sends nothing");
    assert_eq!(import(&server, &[], &[&file]).await, Ok(Exit::Done));
    let roots =
        [("CN=A Root", "TrustedTpm.cab: A/RootCA"), ("CN=B Root", "TrustedTpm.cab: B/RootCA")];
    assert_eq!(trusted(&server).await, pairs(&roots));
    // Once more: what is there stays as it is.
    assert_eq!(import(&server, &["--intermediates"], &[&file]).await, Ok(Exit::Done));
    let issuing = ("CN=A Issuing", "TrustedTpm.cab: A/IntermediateCA");
    assert_eq!(trusted(&server).await, pairs(&[issuing, roots[0], roots[1]]));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_folder_is_searched_by_content_and_a_named_file_is_taken_as_it_is() {
    let server = Server::start().await;
    let (a, b) = (Vendor::new("A"), Vendor::new("B"));
    let folder = tempfile::tempdir().unwrap();
    let inside = folder.path().join("roots");
    std::fs::create_dir_all(inside.join("deeper")).unwrap();
    std::fs::write(inside.join("README"), "not a certificate").unwrap();
    std::fs::write(inside.join("no-suffix"), &a.root).unwrap();
    std::fs::write(inside.join("deeper/chip.pem"), &a.leaf).unwrap();
    std::fs::write(inside.join("deeper/vendor.cab"), cabinet(&[("b.cer", &b.root)])).unwrap();
    std::fs::write(inside.join("deeper/broken.cab"), &cabinet(&[("b.cer", &b.root)])[..90])
        .unwrap();
    std::os::unix::fs::symlink(&inside, inside.join("deeper/again")).unwrap();
    assert_eq!(import(&server, &[], &[&inside]).await, Ok(Exit::Done));
    let roots = [("CN=A Root", "roots"), ("CN=B Root", "roots/deeper/vendor.cab")];
    assert_eq!(trusted(&server).await, pairs(&roots));

    let chip = inside.join("deeper/chip.pem");
    assert_eq!(import(&server, &[], &[&chip]).await, Ok(Exit::Done));
    assert_eq!(trusted(&server).await.len(), 3, "somebody named this one");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_cabinet_that_is_not_sound_imports_nothing() {
    let server = Server::start().await;
    let a = Vendor::new("A");
    let folder = tempfile::tempdir().unwrap();
    let packed = cabinet(&[("a.cer", &a.root), ("b.cer", &certificates().pk)]);
    let mut damaged = packed.clone();
    *damaged.last_mut().unwrap() ^= 1;
    let leading_out = cabinet(&[("a.cer", &a.root), ("..\\..\\etc\\a.cer", &a.root)]);
    for (name, bytes, cause) in [
        ("cut.cab", &packed[..packed.len() - 1], "the cabinet is cut"),
        ("damaged.cab", &damaged, "checksum is wrong"),
        ("out.cab", &leading_out, "a name that leads out"),
        ("text.cab", b"MSCF and no more", "the cabinet is cut"),
    ] {
        let file = folder.path().join(name);
        std::fs::write(&file, bytes).unwrap();
        let refused = import(&server, &[], &[&file]).await.unwrap_err();
        assert!(refused.contains(cause), "{name}: {refused}");
    }
    assert_eq!(trusted(&server).await, []);
    assert_eq!(
        import(&server, &[], &[folder.path()]).await,
        Ok(Exit::Done),
        "in a folder: skipped"
    );
    assert_eq!(trusted(&server).await, []);
}
