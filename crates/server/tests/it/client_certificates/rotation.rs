//! An authority that is replaced by another: relying parties take certificates of both while both are good.

use std::path::Path;

use api::{
    client_certificate::ClientAuthority,
    operation::{CheckState, Readiness},
};
use cli::Exit;
use serde_json::json;
use testkit::{log::BootLog, postgres::Database, wait};

use super::{Guest, ON, all_of, authority, referee::openssl, wait_for_revocation};
use crate::{
    bench::{Host, Server, code},
    commands::bootproof,
};

async fn authorities(server: &Server) -> Vec<ClientAuthority> {
    server.admin.get("/v1/client-authorities").await.unwrap()
}

async fn states(server: &Server) -> Vec<(i64, String)> {
    authorities(server).await.into_iter().map(|one| (one.number, one.state)).collect()
}

fn state(number: i64, state: &str) -> (i64, String) {
    (number, state.to_owned())
}

/// Whether OpenSSL takes a certificate where a relying party has all authorities and all lists.
async fn openssl_says(server: &Server, certificate: &Path) -> String {
    let folder = tempfile::tempdir().unwrap();
    let file = |name: &str| folder.path().join(name).display().to_string();
    std::fs::write(file("ca.pem"), authority(server).await).unwrap();
    let mut lists = Vec::new();
    for known in authorities(server).await {
        let path = format!("/v1/crl?authority={}", known.number);
        std::fs::write(file("crl.der"), server.admin.get_bytes(&path).await.unwrap()).unwrap();
        let words = ["crl", "-inform", "DER", "-in", &file("crl.der"), "-out", &file("crl.pem")];
        let made = openssl(&words);
        assert!(made.status.success(), "{made:?}");
        lists.extend(std::fs::read(file("crl.pem")).unwrap());
    }
    std::fs::write(file("crls.pem"), lists).unwrap();
    let said = openssl(&[
        "verify",
        "-x509_strict",
        "-purpose",
        "sslclient",
        "-crl_check_all",
        "-CRLfile",
        &file("crls.pem"),
        "-CAfile",
        &file("ca.pem"),
        &certificate.display().to_string(),
    ]);
    [said.stdout, said.stderr].map(|said| String::from_utf8(said).unwrap()).concat()
}

#[tokio::test(flavor = "multi_thread")]
async fn certificates_of_both_authorities_are_taken_until_the_former_ones_end() {
    let mut server = Server::start_with(ON).await;
    server.trust().await;
    let (old, new) = (Guest::accepted(&server, "old").await, Guest::accepted(&server, "new").await);
    let issued_before = old.fetch().await.unwrap();
    let only = authority(&server).await;

    // Announced: relying parties know it, and the first issues still.
    let rotate = ["certificate", "rotate", "--reason", "yearly"];
    assert_eq!(bootproof(&server, &rotate).await.unwrap(), Exit::Done);
    assert_eq!(states(&server).await, [state(1, "issuing"), state(2, "announced")]);
    let bundle: serde_json::Value = server.admin.get("/v1/spiffe-bundle").await.unwrap();
    assert_eq!(bundle["keys"].as_array().unwrap().len(), 2);
    let both = authority(&server).await;
    assert!(both.starts_with(&only) && both.len() > only.len(), "the one that issues is first");
    new.fetch().await.unwrap();
    assert_eq!(all_of(&server, &new.id).await[0].authority, 1);
    // A second one waits for the first.
    let request = json!({ "reason": "again" });
    let path = "/v1/client-authorities/rotate";
    let again = server.admin.post::<_, ClientAuthority>(path, &request).await;
    assert_eq!(code(again), "client-authority-known");
    for request in
        [json!({ "reason": "" }), json!({ "reason": "x", "announced_for_s": 99_999_999 })]
    {
        let refused = server.admin.post::<_, ClientAuthority>(path, &request).await;
        assert_eq!(code(refused), "rotation-invalid", "{request}");
    }
    let unknown = server.admin.get_bytes("/v1/crl?authority=3").await;
    assert_eq!(code(unknown), "client-authority-not-found");

    // It begins; the time of its announcement is over.
    let begin = "UPDATE client_authorities SET begins_at_ms = 1 WHERE number = 2";
    server.database().execute(begin, []).unwrap();
    server.kill_and_restart().await;
    assert_eq!(states(&server).await, [state(1, "former"), state(2, "issuing")]);
    new.fetch().await.unwrap();
    assert_eq!(all_of(&server, &new.id).await[0].authority, 2);
    for guest in [&old, &new] {
        let said = openssl_says(&server, &guest.certificate()).await;
        assert!(said.trim_end().ends_with(": OK"), "{said}");
    }
    let kept = tempfile::tempdir().unwrap();
    let kept = kept.path().join("certificate.pem");
    std::fs::create_dir_all(kept.parent().unwrap()).unwrap();
    std::fs::copy(old.certificate(), &kept).unwrap();
    old.turns(&server).await;
    wait_for_revocation(&server, &issued_before.serial).await;
    let said = openssl_says(&server, &kept).await;
    assert!(said.contains("certificate revoked"), "{said}");
    assert_eq!(bootproof(&server, &["certificate", "authorities"]).await.unwrap(), Exit::Done);
    assert_eq!(bootproof(&server, &["certificate", "crl"]).await.unwrap(), Exit::Done);

    // The last certificate of the former one ends, and with it the authority. The server looks when it starts.
    let end = "UPDATE client_certificates SET not_after_ms = 1 WHERE authority_number = 1";
    server.database().execute(end, []).unwrap();
    server.kill_and_restart().await;
    let deadline = tokio::time::Instant::now() + wait::TIME_MAX;
    while states(&server).await != [state(2, "issuing")] {
        assert!(tokio::time::Instant::now() < deadline, "{:?}", states(&server).await);
        tokio::time::sleep(std::time::Duration::from_millis(20)).await;
    }
    let said = openssl_says(&server, &kept).await;
    assert!(!said.contains(": OK"), "nobody takes what it issued: {said}");
    let said = openssl_says(&server, &new.certificate()).await;
    assert!(said.trim_end().ends_with(": OK"), "{said}");
    let key: Vec<u8> = server
        .database()
        .query_row("SELECT material FROM client_authorities WHERE number = 1", [], |row| row.get(0))
        .unwrap();
    assert!(key.is_empty(), "its key is kept");
    let audit: api::audit::AuditPage = server.admin.get("/v1/audit?limit=1000").await.unwrap();
    let of = |action: &str| audit.rows.iter().filter(|row| row.action == action).count();
    assert_eq!((of("client-authority.add"), of("client-authority.retire")), (2, 1));
    let readiness: Readiness = server.admin.get_readiness().await.unwrap();
    let said = readiness.checks.iter().find(|check| check.name == "client-authority");
    assert!(said.is_none_or(|check| check.state == CheckState::Ok), "{said:?}");
    let metrics = server.admin.get_metrics().await.unwrap();
    assert!(metrics.contains("{certificate=\"client-authority\"} "), "{metrics}");
    assert!(metrics.contains("bootproof_client_crl_signed_timestamp_seconds 1"), "{metrics}");
}

#[tokio::test(flavor = "multi_thread")]
async fn two_servers_replace_the_authority_once() {
    let database = Database::new().unwrap();
    let a = Server::start_with(&format!("store = \"{}\"\n{ON}", database.address())).await;
    let b = a.beside().await;
    a.trust().await;
    let guest = Guest::joined(&a, Host::boot("web-1", &BootLog::sound())).await;
    guest.host.attest(&a).await.unwrap();
    assert_eq!(authority(&a).await, authority(&b).await);
    let request = json!({ "reason": "stolen", "announced_for_s": 0 });
    let path = "/v1/client-authorities/rotate";
    let (one, other) = tokio::join!(
        a.admin.post::<_, ClientAuthority>(path, &request),
        b.admin.post::<_, ClientAuthority>(path, &request),
    );
    // Both may be done one after the other; never the same one twice.
    let made: Vec<_> = [&one, &other].into_iter().flatten().map(|made| made.number).collect();
    let n = i64::try_from(made.len()).unwrap();
    assert!(n >= 1 && made.iter().max() == Some(&(n + 1)), "{one:?} {other:?}");
    // Each knows at once what the other did.
    assert_eq!(authorities(&a).await, authorities(&b).await);
    assert_eq!(states(&b).await.last(), Some(&state(n + 1, "issuing")));
    guest.fetch().await.unwrap();
    assert_eq!(all_of(&b, &guest.id).await[0].authority, n + 1);
    let said = openssl_says(&b, &guest.certificate()).await;
    assert!(said.trim_end().ends_with(": OK"), "{said}");
}
