//! What runs, from the agent's file to the verdict.

use api::policy::{PolicyTryPage, PolicyTryRequest};
use testkit::{
    ima::{Entry, binary, boot_aggregate, measure, ng},
    log::BootLog,
};
use tpm_wire::TpmAlgId;

use crate::bench::{Host, Server};

const SHELL: [u8; 32] = [0x51; 32];
const POLICY: &str = "[ima]\nmode = 'enforce'\nallow_list = 'allow.txt'";

async fn server(policy: &str) -> Server {
    let data = tempfile::tempdir().unwrap();
    let write = |name: &str, text: &str| std::fs::write(data.path().join(name), text).unwrap();
    write("policy.toml", policy);
    write("allow.txt", &format!("{}  /bin/sh\n", hex::encode(SHELL)));
    write("server.toml", "policy = 'policy.toml'");
    let server = Server::start_in(data).await;
    server.trust().await;
    server
}

fn booted() -> (Host, Vec<Entry>) {
    let log = BootLog::sound().banks(&[TpmAlgId::SHA256]);
    let mut host = Host::boot("runs", &log);
    let list = host.log_file().with_file_name("ima.bin");
    host.sources.ima_list = Some(list);
    (host, vec![boot_aggregate(&log.build()), ng("/bin/sh", &SHELL)])
}

fn write(host: &Host, entries: &[Entry]) {
    std::fs::write(host.sources.ima_list.as_ref().unwrap(), binary(entries)).unwrap();
}

#[tokio::test]
async fn a_program_that_nothing_allows_turns_its_host_red() {
    let server = server(POLICY).await;
    let (host, mut entries) = booted();
    measure(host.tpm.as_ref().unwrap(), &entries).unwrap();
    write(&host, &entries);
    let id = server.join(&host).await.host_id;
    let serving = host.serve();
    let sound = server.wait_for(&id, "accepted", None).await;
    assert!(!crate::bench::has(&sound.host.findings, "ima-absent"));

    let other = ng("/tmp/miner", &[9; 32]);
    measure(host.tpm.as_ref().unwrap(), std::slice::from_ref(&other)).unwrap();
    entries.push(other);
    write(&host, &entries);
    server.steer(&id, "attest").await;
    let red = server.wait_for(&id, "not accepted", Some("ima-file")).await;
    let finding = red.host.findings.iter().find(|finding| finding.code == "ima-file").unwrap();
    assert!(finding.cause.contains("/tmp/miner"), "{}", finding.cause);

    // What is stored can be judged under another list, with the file that the policy names.
    let allowed =
        format!("{}  /bin/sh\n{}  /tmp/miner\n", hex::encode(SHELL), hex::encode([9; 32]));
    let request = PolicyTryRequest {
        policy: POLICY.to_owned(),
        files: [("allow.txt".to_owned(), allowed.into_bytes().into())].into(),
        cursor: None,
        limit: None,
    };
    let page: PolicyTryPage = server.admin.post("/v1/policy/try", &request).await.unwrap();
    assert_eq!(page.changes.len(), 1);
    assert_eq!(page.changes[0].to, "accepted");
    let without = PolicyTryRequest { files: [].into(), ..request };
    let refused = server.admin.post::<_, PolicyTryPage>("/v1/policy/try", &without).await;
    assert_eq!(crate::bench::code(refused), "policy-invalid");
    drop(serving);
}

#[tokio::test]
async fn a_list_that_does_not_come_is_a_finding_only_where_it_is_asked_for() {
    let enforcing = server(POLICY).await;
    let (mut host, entries) = booted();
    measure(host.tpm.as_ref().unwrap(), &entries).unwrap();
    host.sources.ima_list = None;
    let id = enforcing.join(&host).await.host_id;
    let serving = host.serve();
    enforcing.wait_for(&id, "not accepted", Some("ima-absent")).await;
    drop(serving);

    let default = server("").await;
    let (host, entries) = booted();
    measure(host.tpm.as_ref().unwrap(), &entries).unwrap();
    write(&host, &entries);
    let id = default.join(&host).await.host_id;
    let _serving = host.serve();
    default.wait_for(&id, "accepted", None).await;
}
