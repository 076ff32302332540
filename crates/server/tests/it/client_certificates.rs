//! Client certificates for keys in TPMs: real agents, software TPMs, and the programs of others that check
//! what comes out.

mod hostile;
mod referee;
mod rotation;

use std::path::{Path, PathBuf};

use agent::certificate::{KEY_MODE, Place, fetch, keep};
use api::{
    admin::HostDetail,
    client_certificate::{ClientCertificate, ClientCertificatePage, IssuedCertificate},
};
use cli::Exit;
use testkit::{log::BootLog, wait};
use x509_parser::prelude::{FromDer as _, GeneralName, ParsedExtension};

use crate::{
    bench::{Host, Server},
    commands::bootproof,
};

/// The configuration of a server that issues.
const ON: &str = "client_trust_domain = 'fleet.example.org'\n";

/// A host with a folder for its certificate.
struct Guest {
    host: Host,
    id: String,
    place: Place,
    _folder: tempfile::TempDir,
}

impl Guest {
    /// One that is accepted.
    async fn accepted(server: &Server, name: &str) -> Self {
        let host = Host::boot(name, &BootLog::sound());
        let guest = Self::joined(server, host).await;
        assert_eq!(guest.host.attest(server).await.unwrap().verdict, "accepted");
        guest
    }

    async fn joined(server: &Server, host: Host) -> Self {
        let id = server.join(&host).await.host_id;
        let folder = tempfile::tempdir().unwrap();
        let place = Place { folder: folder.path().into(), key_mode: KEY_MODE, command: None };
        Self { host, id, place, _folder: folder }
    }

    async fn fetch(&self) -> anyhow::Result<IssuedCertificate> {
        fetch(&self.place, &self.host.file, &self.host.session).await
    }

    /// The code with which it is refused.
    async fn refused(&self) -> String {
        let err = self.fetch().await.expect_err("refused");
        let code =
            err.chain().find_map(|cause| cause.downcast_ref::<client::ClientError>()?.code());
        code.unwrap_or_else(|| panic!("no refusal but {err:#}")).to_owned()
    }

    fn certificate(&self) -> PathBuf {
        self.place.folder.join("certificate.pem")
    }

    fn key(&self) -> PathBuf {
        self.place.folder.join("key.pem")
    }

    /// Boots something that no verdict accepts.
    async fn turns(&self, server: &Server) {
        let (nonce, pcrs) = self.host.challenge(server).await.unwrap();
        let mut evidence = self.host.evidence(&nonce, pcrs).await;
        evidence.event_log = Some(BootLog::sound().secure_boot_off().build().bytes.into());
        let reply = self.host.send(server, &evidence).await.unwrap();
        assert_eq!(reply.verdict, "not accepted");
    }
}

fn der(pem: &str) -> Vec<u8> {
    server::client_authority::der_of_pem(pem).unwrap()
}

async fn authority(server: &Server) -> String {
    String::from_utf8(server.admin.get_bytes("/v1/client-ca").await.unwrap()).unwrap()
}

/// The serial numbers on the list that the server gives now, in hex.
async fn revoked(server: &Server) -> Vec<String> {
    let list = server.admin.get_bytes("/v1/crl").await.unwrap();
    let (rest, list) = x509_parser::parse_x509_crl(&list).unwrap();
    assert!(rest.is_empty());
    list.iter_revoked_certificates().map(|revoked| hex::encode(revoked.raw_serial())).collect()
}

/// Waits until this one is on the list.
async fn wait_for_revocation(server: &Server, serial: &str) {
    let deadline = tokio::time::Instant::now() + wait::TIME_MAX;
    while !revoked(server).await.iter().any(|listed| listed == serial) {
        assert!(tokio::time::Instant::now() < deadline, "{serial} is never listed");
        tokio::time::sleep(std::time::Duration::from_millis(20)).await;
    }
}

async fn all_of(server: &Server, id: &str) -> Vec<ClientCertificate> {
    let path = format!("/v1/hosts/{id}/client-certificates");
    server.admin.get::<ClientCertificatePage>(&path).await.unwrap().certificates
}

fn mode(path: &Path) -> u32 {
    use std::os::unix::fs::PermissionsExt as _;
    std::fs::metadata(path).unwrap().permissions().mode() & 0o777
}

#[tokio::test(flavor = "multi_thread")]
async fn an_accepted_host_gets_one_with_its_name_alone() {
    let server = Server::start_with(ON).await;
    server.trust().await;
    let guest = Guest::accepted(&server, "web-1").await;
    let issued = guest.fetch().await.unwrap();
    assert_eq!(issued.spiffe_id, format!("spiffe://fleet.example.org/host/{}", guest.id));
    assert_eq!((mode(&guest.key()), mode(&guest.certificate())), (0o640, 0o644));
    let pem = std::fs::read_to_string(guest.certificate()).unwrap();
    assert_eq!(pem, issued.certificate_pem);

    // What a relying party reads. [SPIFFE-X509-SVID §2 to §5]
    let leaf = der(&pem);
    let (_, leaf) = x509_parser::certificate::X509Certificate::from_der(&leaf).unwrap();
    let names = &leaf.subject_alternative_name().unwrap().unwrap().value.general_names;
    assert_eq!(names[..], [GeneralName::URI(&issued.spiffe_id)]);
    assert!(!leaf.basic_constraints().unwrap().is_some_and(|basic| basic.value.ca));
    let usage = leaf.key_usage().unwrap().unwrap();
    assert!(usage.critical);
    assert_eq!(usage.value.flags, 1, "digitalSignature alone");
    let extended = leaf.extended_key_usage().unwrap().unwrap().value;
    assert!(extended.client_auth && !extended.server_auth && !extended.any);
    assert_eq!(hex::encode(leaf.raw_serial()), issued.serial);
    assert_eq!(leaf.raw_serial().len(), 16);
    let has_authority = leaf.extensions().iter().any(|extension| {
        matches!(extension.parsed_extension(), ParsedExtension::AuthorityKeyIdentifier(_))
    });
    assert!(has_authority);

    // It ends with the verdict, which the hour that is configured would outlive.
    let detail: HostDetail = server.host(&guest.id).await;
    let until_ms = detail.verdict_good_until_ms.unwrap();
    assert_eq!(leaf.validity().not_after.timestamp(), until_ms / 1000);
    assert_eq!(detail.client_certificate_until_ms, Some(until_ms / 1000 * 1000));
    assert!(issued.renew_after_s <= issued.good_for_s * 2 / 3 && issued.renew_after_s > 0);

    assert!(revoked(&server).await.is_empty());
    let known = all_of(&server, &guest.id).await;
    assert_eq!(known.len(), 1);
    assert!(known[0].counts && known[0].serial == issued.serial && known[0].host_name == "web-1");
    let rows: api::audit::AuditPage = server.admin.get("/v1/audit?limit=1000").await.unwrap();
    let row = rows.rows.iter().find(|row| row.action == "client-certificate.issue").unwrap();
    assert_eq!(row.actor, format!("host:{}", guest.id));

    // The same key for the next one, by the kept file, and over a start of the server the same authority.
    let before = std::fs::read(guest.key()).unwrap();
    let mut server = server;
    let authority_before = authority(&server).await;
    server.kill_and_restart().await;
    let next = guest.fetch().await.unwrap();
    assert_ne!(next.serial, issued.serial);
    assert_eq!(std::fs::read(guest.key()).unwrap(), before);
    assert_eq!(authority(&server).await, authority_before);
    let bundle: serde_json::Value = server.admin.get("/v1/spiffe-bundle").await.unwrap();
    let key = &bundle["keys"][0];
    assert_eq!((&key["use"], &key["kty"]), (&"x509-svid".into(), &"EC".into()));
    assert!(key.get("kid").is_none() && bundle["spiffe_sequence"].is_i64());
    let bytes: api::Bytes = serde_json::from_value(key["x5c"][0].clone()).unwrap();
    assert_eq!(bytes.0, der(&authority_before));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_host_that_is_not_accepted_gets_none() {
    let server = Server::start_with(ON).await;
    server.trust().await;
    let guest = Guest::joined(&server, Host::boot("web-1", &BootLog::sound())).await;
    assert_eq!(guest.refused().await, "host-not-accepted", "never judged");
    guest.host.attest(&server).await.unwrap();
    guest.fetch().await.unwrap();
    guest.turns(&server).await;
    assert_eq!(guest.refused().await, "host-not-accepted");
    assert!(!guest.certificate().exists(), "a revoked one is not left lying about");
    assert!(guest.key().exists(), "the key is as good as it was");
    guest.host.attest(&server).await.unwrap();
    guest.fetch().await.unwrap();

    // A verdict that is too old counts no more.
    let age = "UPDATE hosts SET last_at_ms = last_at_ms - 86400000";
    server.database().execute(age, []).unwrap();
    assert_eq!(guest.refused().await, "host-not-accepted");
    guest.host.attest(&server).await.unwrap();
    guest.fetch().await.unwrap();

    server.steer(&guest.id, "disconnect").await;
    assert_eq!(guest.refused().await, "host-disconnected");
    // Maintenance changes nothing of what is accepted.
    let other = Guest::accepted(&server, "web-2").await;
    let maintenance = serde_json::json!({ "reason": "new fan" });
    let path = format!("/v1/hosts/{}/maintenance", other.id);
    let _: serde_json::Value = server.admin.post(&path, &maintenance).await.unwrap();
    other.fetch().await.unwrap();

    let off = Server::start().await;
    off.trust().await;
    let guest = Guest::accepted(&off, "web-1").await;
    assert_eq!(guest.refused().await, "client-certificates-off");
    for path in ["/v1/crl", "/v1/client-ca"] {
        let err = off.admin.get_bytes(path).await.unwrap_err();
        assert_eq!(err.code(), Some("client-certificates-off"));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_host_may_not_have_any_more_is_revoked() {
    let server = Server::start_with(ON).await;
    server.trust().await;
    let (turned, out, gone) = (
        Guest::accepted(&server, "turned").await,
        Guest::accepted(&server, "out").await,
        Guest::accepted(&server, "gone").await,
    );
    let stays = Guest::accepted(&server, "stays").await;
    let mut serials = Vec::new();
    for guest in [&turned, &out, &gone, &stays] {
        serials.push(guest.fetch().await.unwrap().serial);
    }
    assert!(revoked(&server).await.is_empty());
    turned.turns(&server).await;
    server.steer(&out.id, "disconnect").await;
    server.admin.delete::<()>(&format!("/v1/hosts/{}", gone.id)).await.unwrap();
    for serial in &serials[..3] {
        wait_for_revocation(&server, serial).await;
    }
    assert!(!revoked(&server).await.contains(&serials[3]));
    let why =
        async |guest: &Guest| all_of(&server, &guest.id).await[0].revoked.clone().unwrap().why;
    assert_eq!(why(&turned).await, "not-accepted");
    assert_eq!(why(&out).await, "host-disconnected");
    let page: ClientCertificatePage = server.admin.get("/v1/client-certificates").await.unwrap();
    let removed = page.certificates.iter().find(|row| row.serial == serials[2]).unwrap();
    assert_eq!(removed.revoked.as_ref().unwrap().why, "host-removed");

    // The list is that of before as long as nothing changes, and its number goes up where something does.
    let number = async || {
        let list = server.admin.get_bytes("/v1/crl").await.unwrap();
        let (_, list) = x509_parser::parse_x509_crl(&list).unwrap();
        list.crl_number().unwrap().clone()
    };
    let before = number().await;
    assert_eq!(number().await, before);
    stays.turns(&server).await;
    wait_for_revocation(&server, &serials[3]).await;
    assert!(number().await > before);
}

#[tokio::test(flavor = "multi_thread")]
async fn another_tpm_in_the_hosts_place_ends_its_certificate() {
    let server = Server::start_with(ON).await;
    server.trust().await;
    let guest = Guest::accepted(&server, "web-1").await;
    let issued = guest.fetch().await.unwrap();
    // The row says another TPM, as after a replacement by a person.
    let other = "UPDATE client_certificates SET ek_spki_sha256 = zeroblob(32)";
    server.database().execute(other, []).unwrap();
    // Any look at the host finds it: the next certificate causes one.
    let next = guest.fetch().await.unwrap();
    wait_for_revocation(&server, &issued.serial).await;
    let all = all_of(&server, &guest.id).await;
    assert_eq!(all[1].revoked.as_ref().unwrap().why, "tpm-replaced");
    assert!(all[0].counts && all[0].serial == next.serial);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_person_sees_and_revokes_them() {
    let server = Server::start_with(ON).await;
    server.trust().await;
    let guest = Guest::accepted(&server, "web-1").await;
    assert_eq!(bootproof(&server, &["certificate", "show", "web-1"]).await.unwrap(), Exit::No);
    let issued = guest.fetch().await.unwrap();
    let key = std::fs::read(guest.key()).unwrap();
    for words in [
        &["certificate", "show", "web-1"][..],
        &["certificate", "list"],
        &["certificate", "list", "web-1", "--json"],
        &["certificate", "authority"],
        &["certificate", "crl"],
        &["host", "show", "web-1"],
        &["certificate", "revoke", "web-1", "--reason", "a copy of its disk was found"],
    ] {
        assert_eq!(bootproof(&server, words).await.unwrap(), Exit::Done, "{words:?}");
    }
    assert_eq!(revoked(&server).await, [issued.serial]);
    let revocation = all_of(&server, &guest.id).await[0].revoked.clone().unwrap();
    assert_eq!(
        (&*revocation.why, &*revocation.reason),
        ("by-person", "a copy of its disk was found")
    );
    assert_eq!(bootproof(&server, &["certificate", "show", "web-1"]).await.unwrap(), Exit::No);

    // The host is accepted, so it gets another one: for another key.
    let next = guest.fetch().await.unwrap();
    assert_ne!(std::fs::read(guest.key()).unwrap(), key);
    let all = all_of(&server, &guest.id).await;
    assert!(all[0].serial == next.serial && all[0].key_name != all[1].key_name);
    let path = format!("/v1/hosts/{}/client-certificates/revoke", guest.id);
    for reason in ["", "two\nlines", &"x".repeat(501)] {
        let body = serde_json::json!({ "reason": reason });
        let answer = server.admin.post::<_, serde_json::Value>(&path, &body).await;
        assert_eq!(answer.unwrap_err().code(), Some("revocation-invalid"));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_agent_keeps_one_as_long_as_its_host_is_accepted() {
    let server = Server::start_with(ON).await;
    server.trust().await;
    let mut guest = Guest::joined(&server, Host::boot("web-1", &BootLog::sound())).await;
    let told = guest.place.folder.join("told");
    let program = guest.place.folder.join("reload");
    let script = "#!/bin/sh\necho \"$BOOTPROOF_CERTIFICATE_DIR\" >>\"${0%/*}/told\"\n";
    std::fs::write(&program, script).unwrap();
    let executable = std::os::unix::fs::PermissionsExt::from_mode(0o755);
    std::fs::set_permissions(&program, executable).unwrap();
    guest.place.command = Some(program);

    let (accepted, hears) = tokio::sync::watch::channel(None);
    let keeping = {
        let (place, file) = (guest.place.clone(), guest.host.file.clone());
        let session = guest.host.session.clone();
        tokio::spawn(async move { keep(&place, &file, &session, hears).await })
    };
    let there = |is_there: bool| {
        let path = guest.certificate();
        async move {
            let deadline = tokio::time::Instant::now() + wait::TIME_MAX;
            while path.exists() != is_there {
                assert!(tokio::time::Instant::now() < deadline, "there: {}", path.exists());
                tokio::time::sleep(std::time::Duration::from_millis(10)).await;
            }
        }
    };
    guest.host.attest(&server).await.unwrap();
    accepted.send_replace(Some(true));
    there(true).await;
    guest.turns(&server).await;
    accepted.send_replace(Some(false));
    there(false).await;
    guest.host.attest(&server).await.unwrap();
    accepted.send_replace(Some(true));
    there(true).await;
    wait::until("the command ran each time", || {
        let lines = std::fs::read_to_string(&told).unwrap_or_default();
        let folder = guest.place.folder.display().to_string();
        (lines.lines().filter(|line| *line == folder).count() == 3).then_some(())
    });
    keeping.abort();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_courier_tells_when_the_verdict_changes() {
    let server = Server::start_with(ON).await;
    server.trust().await;
    let guest = Guest::joined(&server, Host::boot("web-1", &BootLog::sound())).await;
    let (accepted, mut hears) = tokio::sync::watch::channel(None);
    let (file, session, sources) =
        (guest.host.file.clone(), guest.host.session.clone(), guest.host.sources.clone());
    let serving = tokio::spawn(async move {
        agent::courier::run(&file, &session, &sources, &accepted).await.unwrap();
    });
    let told = tokio::time::timeout(wait::TIME_MAX, hears.wait_for(Option::is_some));
    assert_eq!(*told.await.unwrap().unwrap(), Some(true));
    let off = BootLog::sound().secure_boot_off().build();
    std::fs::write(guest.host.log_file(), off.bytes).unwrap();
    server.steer(&guest.id, "attest").await;
    let told = tokio::time::timeout(wait::TIME_MAX, hears.wait_for(|told| *told == Some(false)));
    told.await.unwrap().unwrap();
    serving.abort();
}

#[tokio::test(flavor = "multi_thread")]
async fn servers_that_share_a_store_are_one_authority() {
    let database = testkit::postgres::Database::new().unwrap();
    let config = format!("{ON}store = \"{}\"\n", database.address());
    let a = Server::start_with(&config).await;
    let b = a.beside().await;
    a.trust().await;
    assert_eq!(authority(&a).await, authority(&b).await);
    let guest = Guest::accepted(&a, "web-1").await;
    let issued = guest.fetch().await.unwrap();
    assert!(revoked(&b).await.is_empty());
    // Turned at one, listed at both; whichever looks first.
    guest.turns(&a).await;
    for server in [&a, &b] {
        wait_for_revocation(server, &issued.serial).await;
    }
    assert_eq!(guest.refused().await, "host-not-accepted");
}
