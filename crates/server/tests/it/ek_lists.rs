//! Lists of a purchase: what is imported, who is expected, who is let in.

use api::{
    admin::{Approval, NewToken, TokenRequest},
    ek_list::{EkList, EkPage},
    inventory::Labels,
};
use cli::Exit;
use testkit::log::BootLog;

use crate::{
    bench::{Host, Server, code},
    commands::bootproof,
};

/// A join token that asks for a person and admits what is on this list.
async fn token(server: &Server, listed_on: Option<&str>) -> Result<NewToken, client::ClientError> {
    let request = TokenRequest {
        expires_in_s: 600,
        uses_max: None,
        approval: Approval::Required,
        labels: Labels::new(),
        listed_on: listed_on.map(str::to_owned),
        note: String::new(),
    };
    server.admin.post("/v1/tokens", &request).await
}

/// The certificate of the host's endorsement key, as it shows it.
async fn certificate(server: &Server, host: &Host) -> Vec<u8> {
    let joined = server.join(host).await.host_id;
    let identity = server.host(&joined).await.identity.unwrap();
    let _: () = server.admin.delete(&format!("/v1/hosts/{joined}")).await.unwrap();
    let mut state = host.file.load().unwrap();
    state.member = None;
    host.file.save(&state).unwrap();
    identity.ek_certificate.unwrap().0
}

#[tokio::test(flavor = "multi_thread")]
async fn a_purchase_is_imported_and_its_hosts_are_expected() {
    let server = Server::start().await;
    server.trust().await;
    let (bought, other) =
        (Host::boot("web-1", &BootLog::sound()), Host::boot("web-2", &BootLog::sound()));
    let der = certificate(&server, &bought).await;
    let folder = tempfile::tempdir().unwrap();
    let file = |name: &str, bytes: &[u8]| {
        let path = folder.path().join(name);
        std::fs::write(&path, bytes).unwrap();
        path.to_str().unwrap().to_owned()
    };
    let base64 = serde_json::to_value(api::Bytes(der.clone())).unwrap();
    let base64 = base64.as_str().unwrap();
    let never = "ab".repeat(32);
    let csv = format!(
        "serial,ek_certificate,ek_spki_sha256\nX1,{base64},\nX2,,{never}\nX3,\"-----BEGIN CERTIFICATE-----\n{base64}\n-----END CERTIFICATE-----\n\",\n"
    );
    let csv = file("po.csv", csv.as_bytes());
    let import =
        async |words: &[&str]| bootproof(&server, &[&["ek-list", "import"], words].concat()).await;
    let put = ["--name", "po-4711", "--label", "site=muc", "--expected"];
    assert_eq!(import(&[&[&*csv, "--dry-run"], &put[..]].concat()).await.unwrap(), Exit::No);
    let lists = async || -> Vec<EkList> { server.admin.get("/v1/ek-lists").await.unwrap() };
    assert!(lists().await.is_empty(), "nothing is done for show");
    let bad = file("bad.csv", b"ek_spki_sha256\nxyz\n");
    let refused = format!("{:?}", import(&[&[&*bad], &put[..]].concat()).await.unwrap_err());
    assert!(refused.contains("line 2"), "{refused}");
    assert!(lists().await.is_empty());
    assert_eq!(import(&[&[&*csv], &put[..]].concat()).await.unwrap(), Exit::No, "one is doubled");
    let [list] = &lists().await[..] else { panic!("one list") };
    assert_eq!((list.n_eks, list.n_joined, list.expected), (2, 0, true));
    let taken = import(&[&[&*csv], &put[..]].concat()).await.unwrap_err();
    assert!(taken.hint().is_some_and(|hint| hint.contains("--append")), "{taken}");
    std::fs::create_dir(folder.path().join("der")).unwrap();
    std::fs::write(folder.path().join("der/1.cer"), &der).unwrap();
    let der_folder = folder.path().join("der").to_str().unwrap().to_owned();
    let again = import(&[&der_folder, "--name", "po-4711", "--append"]).await.unwrap();
    assert_eq!((again, lists().await[0].n_eks), (Exit::No, 2), "it was there");

    // The token asks for a person; who bought the machine has said so already.
    let open = token(&server, None).await.unwrap().token;
    let id = bought.join(&server, &open).await.unwrap().host_id;
    let detail = server.host(&id).await;
    assert_eq!(detail.host.labels["site"], "muc");
    assert_eq!(bought.attest(&server).await.unwrap().verdict, "accepted");
    let id = other.join(&server, &open).await.unwrap().host_id;
    server.wait_for(&id, "not appraised", Some("awaiting-approval")).await;
    let page: EkPage = server.admin.get("/v1/ek-lists/po-4711/keys?joined=false").await.unwrap();
    assert_eq!((page.eks.len(), page.eks[0].ek.sha256.as_str()), (1, never.as_str()));
    assert_eq!(page.eks[0].ek.note, "serial X2");
    let run = async |words: &[&str]| bootproof(&server, &[&["ek-list"], words].concat()).await;
    assert_eq!(run(&["unlisted"]).await.unwrap(), Exit::No, "web-2 is on none");
    for words in [&["list"][..], &["show", "po-4711"], &["show", "po-4711", "--missing"]] {
        assert_eq!(run(words).await.unwrap(), Exit::Done, "{words:?}");
    }
    assert_eq!(run(&["remove", "po-4711"]).await.unwrap(), Exit::Done);
    assert!(run(&["show", "po-4711"]).await.is_err());
    assert_eq!(server.host(&detail.host.id).await.host.verdict, "accepted", "hosts stay");
}

#[tokio::test]
async fn a_token_for_a_list_lets_nobody_else_in() {
    let server = Server::start().await;
    server.trust().await;
    assert_eq!(code(token(&server, Some("po-1")).await), "ek-list-not-found");
    let list = serde_json::json!({ "name": "po-1" });
    let _: () = server.admin.post("/v1/ek-lists", &list).await.unwrap();
    let listed = token(&server, Some("po-1")).await.unwrap().token;
    let web = Host::boot("web-1", &BootLog::sound());
    let refused = web.join(&server, &listed).await.unwrap_err();
    assert!(format!("{refused:#}").contains("endorsement keys of a list"), "{refused:#}");
    let bare = Host::without_tpm("bare-1").join(&server, &listed).await.unwrap_err();
    assert!(format!("{bare:#}").contains("endorsement keys of a list"), "{bare:#}");
    assert!(server.hosts().await.is_empty());

    // Whoever knows a digest has not its key: a list lets in whose TPM proves it, and no certificate.
    let key = serde_json::json!({ "eks": [{ "of": "spki", "sha256": "00" }] });
    let answer = server.admin.post::<_, api::ek_list::AddedEks>("/v1/ek-lists/po-1/keys", &key);
    assert_eq!(code(answer.await), "ek-list-invalid");
    for name in ["*", "a b", ""] {
        let list = serde_json::json!({ "name": name });
        let answer = server.admin.post::<_, ()>("/v1/ek-lists", &list).await;
        assert_eq!(code(answer), "ek-list-invalid", "{name:?}");
    }
}
