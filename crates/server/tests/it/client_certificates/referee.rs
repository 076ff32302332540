//! Programs of others: OpenSSL checks certificates and lists, and makes handshakes with a key in a TPM through
//! Debian's provider for that.

use std::{
    io::{BufRead as _, BufReader, Write as _},
    path::Path,
    process::{Child, Command, Output, Stdio},
};

use agent::session::TpmChoice;
use testkit::{boot::boot, log::BootLog, swtpm::Swtpm, wait};

use super::{Guest, ON, authority, wait_for_revocation};
use crate::bench::{CA, Host, Server};

pub(super) fn openssl(words: &[&str]) -> Output {
    let done = Command::new("openssl").args(words).stdin(Stdio::null()).output();
    done.expect("openssl is installed: `cargo xtask test` does that")
}

fn text(output: &Output) -> String {
    [&*String::from_utf8_lossy(&output.stdout), &String::from_utf8_lossy(&output.stderr)].concat()
}

/// Writes what relying parties have, and says what OpenSSL says of the host's certificate.
async fn verified(server: &Server, guest: &Guest, folder: &Path) -> String {
    let authority_file = folder.join("authority.pem");
    std::fs::write(&authority_file, authority(server).await).unwrap();
    let (der, pem) = (folder.join("crl.der"), folder.join("crl.pem"));
    std::fs::write(&der, server.admin.get_bytes("/v1/crl").await.unwrap()).unwrap();
    let [authority_file, der, pem] =
        [authority_file, der, pem].map(|path| path.display().to_string());
    // The list by itself: its signature, and its form.
    let words = ["crl", "-inform", "DER", "-in", &der, "-out", &pem, "-CAfile", &authority_file];
    let checked = openssl(&words);
    assert!(text(&checked).contains("verify OK"), "{}", text(&checked));
    let certificate = guest.certificate().display().to_string();
    text(&openssl(&[
        "verify",
        "-x509_strict",
        "-purpose",
        "sslclient",
        "-crl_check_all",
        "-CRLfile",
        &pem,
        "-CAfile",
        &authority_file,
        &certificate,
    ]))
}

#[tokio::test(flavor = "multi_thread")]
async fn openssl_takes_a_certificate_until_it_is_revoked() {
    let server = Server::start_with(ON).await;
    server.trust().await;
    let folder = tempfile::tempdir().unwrap();
    let guest = Guest::accepted(&server, "web-1").await;
    let issued = guest.fetch().await.unwrap();
    let said = verified(&server, &guest, folder.path()).await;
    assert!(said.trim_end().ends_with(": OK"), "{said}");
    guest.turns(&server).await;
    wait_for_revocation(&server, &issued.serial).await;
    let said = verified(&server, &guest, folder.path()).await;
    assert!(said.contains("certificate revoked"), "{said}");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_authority_vouches_for_nobody_else() {
    // By its own key another name: as somebody would that stole it.
    use server::client_authority::{ClientAuthority, Material, NameConstraint};
    let now = std::time::SystemTime::now();
    let made = Material::new("fleet.example.org", 1, NameConstraint::Uri, now).unwrap();
    let key = rcgen::KeyPair::from_pem(&made.key_pem).unwrap();
    let authority = ClientAuthority::new("fleet.example.org", 1, &made).unwrap();
    let folder = tempfile::tempdir().unwrap();
    let authority_file = folder.path().join("authority.pem");
    std::fs::write(&authority_file, authority.pem()).unwrap();
    let mut params = rcgen::CertificateParams::default();
    params.distinguished_name = rcgen::DistinguishedName::new();
    params.distinguished_name.push(rcgen::DnType::OrganizationName, "Bootproof");
    let common = "Bootproof hosts of fleet.example.org";
    params.distinguished_name.push(rcgen::DnType::CommonName, common);
    params.is_ca = rcgen::IsCa::Ca(rcgen::BasicConstraints::Constrained(0));
    let issuer = rcgen::Issuer::new(params, key);
    let check = |name: rcgen::SanType| {
        let mut params = rcgen::CertificateParams::default();
        params.distinguished_name = rcgen::DistinguishedName::new();
        params.subject_alt_names = vec![name];
        params.use_authority_key_identifier_extension = true;
        let leaf_key = rcgen::KeyPair::generate().unwrap();
        let leaf = params.signed_by(&leaf_key, &issuer).unwrap();
        let path = folder.path().join("leaf.pem");
        std::fs::write(&path, leaf.pem()).unwrap();
        let (authority, leaf) = (authority_file.display(), path.display());
        text(&openssl(&["verify", "-CAfile", &authority.to_string(), &leaf.to_string()]))
    };
    let uri = |name: &str| rcgen::SanType::URI(name.try_into().unwrap());
    let said = check(uri("spiffe://fleet.example.org/host/1"));
    assert!(said.trim_end().ends_with(": OK"), "{said}");
    for other in [
        uri("spiffe://other.example.org/host/1"),
        uri("spiffe://sub.fleet.example.org/host/1"),
        rcgen::SanType::DnsName("fleet.example.org".try_into().unwrap()),
        rcgen::SanType::IpAddress([127, 0, 0, 1].into()),
    ] {
        let said = check(other.clone());
        assert!(said.contains("subtree violation"), "{other:?}: {said}");
    }
}

/// A server of OpenSSL that wants a client's certificate; it ends when dropped.
struct RelyingParty {
    child: Child,
    port: u16,
}

impl Drop for RelyingParty {
    fn drop(&mut self) {
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

impl RelyingParty {
    fn start(folder: &Path) -> Self {
        // No algorithm of TPMs: the provider would check this signature in the TPM too, in which there is room
        // for three objects where nothing manages them.
        let [own, key] = ["own.pem", "own.key"].map(|name| folder.join(name).display().to_string());
        let made = openssl(&[
            "req",
            "-x509",
            "-newkey",
            "ed25519",
            "-nodes",
            "-subj",
            "/CN=localhost",
            "-out",
            &own,
            "-keyout",
            &key,
        ]);
        assert!(made.status.success(), "{}", text(&made));
        let mut child = Command::new("openssl")
            .args(["s_server", "-accept", "127.0.0.1:0", "-www", "-tls1_3", "-Verify", "1"])
            .args(["-verify_return_error", "-crl_check", "-cert", "own.pem", "-key", "own.key"])
            .args(["-CAfile", "authority.pem", "-CRL", "crl.pem"])
            .current_dir(folder)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        // "ACCEPT 127.0.0.1:PORT" is the first that it says where it chose the port itself.
        let mut said = BufReader::new(child.stdout.take().unwrap()).lines();
        let port = loop {
            let line = said.next().expect("it listens").unwrap();
            if let Some(port) = line.rsplit(':').next().and_then(|port| port.trim().parse().ok()) {
                break port;
            }
        };
        // What it says from here on must not stop it.
        std::thread::spawn(move || said.for_each(drop));
        Self { child, port }
    }

    /// A handshake with the key of `guest`, by its TPM; what the client says.
    fn shake_hands(&self, guest: &Guest, tcti: &str) -> String {
        let mut child = Command::new("openssl")
            // The first provider hashes; the second signs, since the key is its own.
            .args(["s_client", "-provider", "default", "-provider", "tpm2"])
            .args(["-propquery", "?provider=tpm2,tpm2.digest!=yes,tpm2.cipher!=yes"])
            .args(["-tls1_3", "-ign_eof"])
            .args(["-connect", &format!("127.0.0.1:{}", self.port)])
            .arg("-cert")
            .arg(guest.certificate())
            .arg("-key")
            .arg(guest.key())
            .env("TPM2OPENSSL_TCTI", tcti)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let mut asks = child.stdin.take().unwrap();
        // It may have ended already, with the reason in what it says.
        drop(asks.write_all(b"GET / HTTP/1.0\r\n\r\n"));
        drop(asks);
        text(&child.wait_with_output().unwrap())
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn openssl_makes_a_handshake_with_the_key_in_the_tpm() {
    let server = Server::start_with(ON).await;
    server.trust().await;
    let folder = tempfile::tempdir().unwrap();
    // Its provider knows no Unix sockets.
    let tpm = Swtpm::builder().tcp().ek_cert(&CA).name("web-1").start().unwrap();
    let built = BootLog::sound().build();
    boot(&tpm, &built).unwrap();
    let (address, tcti) = (tpm.address().parse().unwrap(), tpm.tcti().unwrap());
    let host = Host::with("web-1", TpmChoice::At(address), &built.bytes, Some(tpm));
    let guest = Guest::joined(&server, host).await;
    guest.host.attest(&server).await.unwrap();
    let issued = guest.fetch().await.unwrap();
    let said = verified(&server, &guest, folder.path()).await;
    assert!(said.trim_end().ends_with(": OK"), "{said}");

    let party = RelyingParty::start(folder.path());
    let said = party.shake_hands(&guest, &tcti);
    assert!(said.contains("HTTP/1.0 200") && said.contains("Client certificate"), "{said}");
    assert!(said.contains(&guest.id), "it shows whom it saw: {said}");
    drop(party);

    guest.turns(&server).await;
    wait_for_revocation(&server, &issued.serial).await;
    verified(&server, &guest, folder.path()).await;
    let party = RelyingParty::start(folder.path());
    let said = wait::until("it refuses", || Some(party.shake_hands(&guest, &tcti)));
    assert!(!said.contains("HTTP/1.0 200"), "{said}");
    assert!(said.contains("certificate revoked"), "{said}");
}

/// What a relying party on rustls says of the host's certificate.
async fn rustls_says(server: &Server, guest: &Guest) -> Result<(), rustls::Error> {
    use rustls::{
        RootCertStore,
        crypto::aws_lc_rs as provider,
        pki_types::{CertificateDer, CertificateRevocationListDer, UnixTime},
        server::WebPkiClientVerifier,
    };
    let certificate = |pem: &str| CertificateDer::from(super::der(pem));
    let mut roots = RootCertStore::empty();
    roots.add(certificate(&authority(server).await)).unwrap();
    let list = server.admin.get_bytes("/v1/crl").await.unwrap();
    let provider = std::sync::Arc::new(provider::default_provider());
    let verifier = WebPkiClientVerifier::builder_with_provider(roots.into(), provider)
        .with_crls([CertificateRevocationListDer::from(list)])
        .enforce_revocation_expiration()
        .build()
        .unwrap();
    let leaf = certificate(&std::fs::read_to_string(guest.certificate()).unwrap());
    verifier.verify_client_cert(&leaf, &[], UnixTime::now()).map(drop)
}

#[tokio::test(flavor = "multi_thread")]
async fn rustls_takes_one_where_uris_are_not_constrained() {
    let not_hosts = format!("{ON}client_name_constraint = 'not-hosts'\n");
    let server = Server::start_with(&not_hosts).await;
    server.trust().await;
    let guest = Guest::accepted(&server, "web-1").await;
    let issued = guest.fetch().await.unwrap();
    rustls_says(&server, &guest).await.unwrap();
    let folder = tempfile::tempdir().unwrap();
    let said = verified(&server, &guest, folder.path()).await;
    assert!(said.trim_end().ends_with(": OK"), "{said}");
    guest.turns(&server).await;
    wait_for_revocation(&server, &issued.serial).await;
    let revoked = rustls_says(&server, &guest).await.unwrap_err();
    assert_eq!(revoked, rustls::Error::InvalidCertificate(rustls::CertificateError::Revoked));

    // What docs/client-certificates.md says of the other constraint.
    let server = Server::start_with(ON).await;
    server.trust().await;
    let guest = Guest::accepted(&server, "web-1").await;
    guest.fetch().await.unwrap();
    rustls_says(&server, &guest).await.unwrap_err();
}
