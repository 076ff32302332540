//! What leaves the server for others to check: attested results, and the audit log.

use api::{
    audit::{AuditPage, SignedCheckpoint},
    result::{AttestedResult, RESULT_TYPE, ResultQuery},
};
use cli::Exit;
use jsonwebtoken::{Algorithm, DecodingKey, Validation, decode, decode_header, jwk::JwkSet};
use serde_json::Value;
use testkit::log::BootLog;

use crate::{
    bench::{Host, Server, code},
    commands::bootproof,
};

async fn keys(server: &Server) -> JwkSet {
    server.admin.get("/.well-known/jwks.json").await.unwrap()
}

/// The claims, as a relying party reads them that knows the server's keys.
fn claims(result: &AttestedResult, keys: &JwkSet) -> Value {
    let header = decode_header(&result.jwt).unwrap();
    assert_eq!((header.alg, header.typ.as_deref()), (Algorithm::ES256, Some(RESULT_TYPE)));
    let key = keys.find(&header.kid.unwrap()).unwrap();
    let key = DecodingKey::from_jwk(key).unwrap();
    decode(&result.jwt, &key, &Validation::new(Algorithm::ES256)).unwrap().claims
}

async fn result(server: &Server, id: &str, query: &ResultQuery) -> AttestedResult {
    server.admin.get_with(&format!("/v1/hosts/{id}/result"), query).await.unwrap()
}

#[tokio::test]
async fn a_relying_party_gets_what_counts_of_a_host() {
    let mut server = Server::start().await;
    server.trust().await;
    let (sound, off) = (BootLog::sound(), BootLog::sound().secure_boot_off());
    let mut ids = Vec::new();
    for (name, log) in [("web-1", &sound), ("web-2", &off)] {
        let host = Host::boot(name, log);
        ids.push(server.join(&host).await.host_id);
        host.attest(&server).await.unwrap();
    }
    ids.push(server.join(&Host::without_tpm("web-3")).await.host_id);
    let known = keys(&server).await;
    let nonce = Some("nonce-of-mine".to_owned());
    let query = ResultQuery { nonce, ..ResultQuery::default() };
    let of = async |id: &str| claims(&result(&server, id, &query).await, &known);
    let web_1 = of(&ids[0]).await;
    // A software TPM is as good as what runs it.
    assert_eq!(web_1["submods"]["host"]["ear_status"], "warning");
    let vector = &web_1["submods"]["host"]["ear_trustworthiness_vector"];
    assert_eq!((&vector["instance-identity"], &vector["executables"]), (&2.into(), &3.into()));
    assert_eq!(
        (&web_1["sub"], &web_1["eat_nonce"]),
        (&ids[0].clone().into(), &"nonce-of-mine".into())
    );
    assert!(web_1["exp"].as_i64() > web_1["iat"].as_i64());
    let web_2 = of(&ids[1]).await;
    assert_eq!(web_2["submods"]["host"]["ear_status"], "contraindicated");
    let web_3 = of(&ids[2]).await;
    assert_eq!(web_3["submods"]["host"]["ear_status"], "none");
    assert_eq!(web_3["submods"]["host"]["bootproof_findings"][0]["code"], "no-tpm");

    // The keys stay over a start, and so does what they signed.
    let before = result(&server, &ids[0], &query).await;
    server.kill_and_restart().await;
    claims(&before, &keys(&server).await);
    for nonce in ["short", "with space 123", &"x".repeat(89)] {
        let query = ResultQuery { nonce: Some(nonce.to_owned()), ..ResultQuery::default() };
        let path = format!("/v1/hosts/{}/result", ids[0]);
        let answer = server.admin.get_with::<_, AttestedResult>(&path, &query).await;
        assert_eq!(code(answer), "nonce-invalid", "{nonce:?}");
    }
}

/// A file of this content, in a folder that is gone with what is returned.
fn file(folder: &tempfile::TempDir, name: &str, text: &str) -> String {
    let path = folder.path().join(name);
    std::fs::write(&path, text).unwrap();
    path.display().to_string()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_result_is_checked_on_the_command_line() {
    let server = Server::start().await;
    server.trust().await;
    let folder = tempfile::tempdir().unwrap();
    let host = Host::boot("web-1", &BootLog::sound());
    let id = server.join(&host).await.host_id;
    host.attest(&server).await.unwrap();
    let query = ResultQuery { nonce: Some("12345678".to_owned()), ..ResultQuery::default() };
    let jwt = result(&server, &id, &query).await.jwt;
    let known = serde_json::to_string(&keys(&server).await).unwrap();
    let (token, known) = (file(&folder, "jwt", &jwt), file(&folder, "jwks.json", &known));
    let verify = async |words: &[&str]| {
        bootproof(&server, &[&["result", "verify"], words].concat()).await.unwrap()
    };
    assert_eq!(verify(&[&token, "--keys", &known]).await, Exit::Done);
    assert_eq!(verify(&[&token, "--nonce", "12345678"]).await, Exit::Done);
    assert_eq!(verify(&[&token, "--nonce", "87654321"]).await, Exit::No);
    let mut changed = jwt.clone();
    changed.replace_range(60..61, if &jwt[60..61] == "A" { "B" } else { "A" });
    let changed = file(&folder, "changed", &changed);
    assert_eq!(verify(&[&changed, "--keys", &known]).await, Exit::No);
    // The keys of another server.
    let other = Server::start().await;
    let others = serde_json::to_string(&keys(&other).await).unwrap();
    let others = file(&folder, "others.json", &others);
    assert_eq!(verify(&[&token, "--keys", &others]).await, Exit::No);
    // A checkpoint is signed by the same key, and is no result.
    let checkpoint: SignedCheckpoint = server.admin.get("/v1/audit/checkpoint").await.unwrap();
    let checkpoint = file(&folder, "checkpoint", &checkpoint.jws);
    assert_eq!(verify(&[&checkpoint, "--keys", &known]).await, Exit::No);
    assert_eq!(bootproof(&server, &["result", "get", "web-1"]).await.unwrap(), Exit::Done);
    assert_eq!(bootproof(&server, &["result", "keys"]).await.unwrap(), Exit::Done);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_changed_audit_log_does_not_hold() {
    let mut server = Server::start().await;
    let folder = tempfile::tempdir().unwrap();
    for name in ["web-1", "web-2", "web-3"] {
        let id = server.join(&Host::without_tpm(name)).await.host_id;
        server.steer(&id, "disconnect").await;
    }
    let page: AuditPage = server.admin.get("/v1/audit?limit=2").await.unwrap();
    assert_eq!((page.rows.len(), page.next_cursor), (2, Some(page.rows[1].seq.to_string())));
    let checkpoint: SignedCheckpoint = server.admin.get("/v1/audit/checkpoint").await.unwrap();
    let kept = file(&folder, "kept.jws", &checkpoint.jws);
    let known = serde_json::to_string(&keys(&server).await).unwrap();
    let known = file(&folder, "jwks.json", &known);
    let all = ["audit", "verify", "--checkpoint", &kept, "--keys", &known];
    assert_eq!(bootproof(&server, &["audit", "list"]).await.unwrap(), Exit::Done);
    assert_eq!(bootproof(&server, &["audit", "verify", "--json"]).await.unwrap(), Exit::Done);
    assert_eq!(bootproof(&server, &all).await.unwrap(), Exit::Done);

    // Whoever can write the file takes the last row away: only the checkpoint knows.
    server.kill();
    let change = |sql: &str| {
        let db = server.database();
        db.execute_batch(&format!(
            "DROP TRIGGER IF EXISTS audit_keeps; DROP TRIGGER IF EXISTS audit_stays; {sql}"
        ))
        .unwrap();
    };
    change("DELETE FROM audit WHERE seq = (SELECT max(seq) FROM audit);");
    server.restart().await;
    assert_eq!(bootproof(&server, &["audit", "verify"]).await.unwrap(), Exit::Done);
    assert_eq!(bootproof(&server, &all).await.unwrap(), Exit::No);

    server.kill();
    let db = server.database();
    db.execute("UPDATE audit SET actor = 'eve' WHERE seq = 2", []).unwrap();
    drop(db);
    server.restart().await;
    assert_eq!(bootproof(&server, &["audit", "verify"]).await.unwrap(), Exit::No);
}
