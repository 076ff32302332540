//! What hosts say of their machines, and what hosts of one model share.

use api::{
    agent::EvidenceReply,
    fleet::Peers,
    machine::{Lockdown, Machine},
};
use clap::Parser as _;
use cli::{Exit, Output, args::Arguments};
use testkit::log::BootLog;

use crate::bench::{Host, Server, code};

/// A host that says it is a machine of this model.
fn host(name: &str, model: &str, log: &BootLog) -> Host {
    let host = Host::boot(name, log);
    let put = |file: &str, text: &str| std::fs::write(host.sources.dmi.join(file), text).unwrap();
    put("sys_vendor", "Vendor Inc.\n");
    put("product_name", model);
    put("bios_version", "1.2");
    host
}

async fn peers(server: &Server, host: &Host) -> Peers {
    let id = host.credentials().host_id;
    server.admin.get(&format!("/v1/hosts/{id}/peers")).await.unwrap()
}

/// The sentence about one PCR.
fn says(peers: &Peers, pcr: u32) -> String {
    peers.pcrs.iter().find(|found| found.pcr == pcr).unwrap().sentence()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_majority_of_the_cohort_is_shown() {
    let server = Server::start().await;
    server.trust().await;
    let sound = BootLog::sound();
    let off = BootLog::sound().secure_boot_off();
    let hosts =
        [host("a", "Model 9", &sound), host("b", "Model 9", &sound), host("c", "Model 9", &off)];
    let other = host("d", "Model 10", &sound);
    for host in hosts.iter().chain([&other]) {
        server.join(host).await;
        let id = host.credentials().host_id;
        let none = server.admin.get::<Peers>(&format!("/v1/hosts/{id}/peers")).await;
        assert_eq!(code(none), "no-peers");
        host.attest(&server).await.unwrap();
    }
    let [a, _, c] = &hosts;
    let of_a = peers(&server, a).await;
    assert_eq!((of_a.cohort.product_name.as_str(), of_a.bank.as_str()), ("Model 9", "sha256"));
    assert_eq!(says(&of_a, 0), "all 3 hosts of this model share this PCR 0");
    assert_eq!(says(&of_a, 7), "2 of 3 hosts of this model share this PCR 7");
    // A quote that is verified counts, whatever the verdict.
    let of_c = peers(&server, c).await;
    assert_eq!(
        says(&of_c, 7),
        "this host alone has this PCR 7; 2 of 3 hosts of this model share another"
    );
    let of_other = peers(&server, &other).await;
    assert_eq!(says(&of_other, 0), "no other host of this model has quoted PCR 0");

    // What the host says is in the judgement, as its own word, and in the evidence.
    let id = a.credentials().host_id;
    let detail = server.host(&id).await;
    assert_eq!(detail.peers, Some(of_a));
    let said = detail.appraisal.unwrap().facts.untrusted_machine.unwrap();
    assert_eq!(said.system_vendor.as_deref(), Some("Vendor Inc."));
    let evidence: api::agent::Evidence =
        server.admin.get(&format!("/v1/hosts/{id}/evidence")).await.unwrap();
    assert_eq!(evidence.machine, Some(said));

    let context = server.data.path().join("admin.toml");
    for (verb, form) in [("peers", None), ("peers", Some("--json")), ("show", None)] {
        let words = ["bootproof", "host", verb, "a", "--context", context.to_str().unwrap()];
        let arguments = Arguments::try_parse_from(words.into_iter().chain(form)).unwrap();
        let run = move || cli::run(&arguments, &Output::new(arguments.json));
        assert_eq!(tokio::task::spawn_blocking(run).await.unwrap().unwrap(), Exit::Done);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_same_pcrs_are_compared_before_and_after_a_server_knows_a_log() {
    let mut server = Server::start().await;
    server.trust().await;
    let host = host("a", "Model 9", &BootLog::sound());
    server.join(&host).await;
    let compared = async |server: &Server| {
        let reply = host.attest(server).await.unwrap();
        assert_eq!(reply.verdict, "accepted");
        let pcrs: Vec<u32> =
            peers(server, &host).await.pcrs.iter().map(|found| found.pcr).collect();
        pcrs
    };
    // Who does not know the log asks for all PCRs that one may name.
    let first = compared(&server).await;
    assert!(first.contains(&0) && first.contains(&9) && !first.contains(&13), "{first:?}");
    assert_eq!(compared(&server).await, first);
    server.kill_and_restart().await;
    assert_eq!(compared(&server).await, first, "a start changes the values of no host");
    assert_eq!(compared(&server).await, first);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_host_says_of_its_platform_is_shown_and_moves_no_verdict() {
    let server = Server::start().await;
    server.trust().await;
    // It says that Secure Boot is on, and PCR 7 proves that it is off.
    let host = Host::boot("liar", &BootLog::sound().secure_boot_off());
    let put = |file: &str, bytes: &[u8]| {
        let path = host.sources.root.join(file);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, bytes).unwrap();
    };
    let guid = "8be4df61-93ca-11d2-aa0d-00e098032b8c";
    put(&format!("sys/firmware/efi/efivars/SecureBoot-{guid}"), &[6, 0, 0, 0, 1]);
    put("sys/kernel/security/lockdown", b"none integrity [confidentiality]\n");
    put("proc/cpuinfo", b"flags\t: fpu smx\n");
    put("sys/class/iommu/dmar0", b"");
    let id = server.join(&host).await.host_id;
    let serving = host.serve();
    let detail = server.wait_for(&id, "not accepted", Some("secure-boot-off")).await;
    drop(serving);

    let facts = detail.appraisal.unwrap().facts;
    assert_eq!(facts.secure_boot, Some(false), "what is proved is not what is said");
    let platform = facts.untrusted_machine.unwrap().platform;
    assert_eq!(platform.secure_boot, Some(true));
    assert_eq!(platform.lockdown, Some(Lockdown::Confidentiality));
    assert_eq!((platform.txt_capable, platform.tboot), (Some(true), None));
    assert_eq!(platform.iommu, Some(true));
    // The software TPM counts failures as a chip does.
    let lockout = platform.tpm_lockout.unwrap();
    assert!(!lockout.locked && lockout.failures == 0 && lockout.failures_max > 0, "{lockout:?}");

    // A word that we do not know refuses the evidence; it is no word of an agent of ours.
    let evidence: serde_json::Value =
        server.admin.get(&format!("/v1/hosts/{id}/evidence")).await.unwrap();
    assert_eq!(evidence["machine"]["platform"]["lockdown"], "confidentiality");
    let mut odd = evidence.clone();
    odd["machine"]["platform"]["lockdown"] = "full".into();
    let refused = host.client(&server).post::<_, EvidenceReply>("/v1/agent/evidence", &odd).await;
    assert_eq!(code(refused), "body-invalid");

    let context = server.data.path().join("admin.toml");
    let program = ["bootproof", "host", "show", "liar", "--context", context.to_str().unwrap()];
    let arguments = Arguments::try_parse_from(program).unwrap();
    let show = move || cli::run(&arguments, &Output::new(arguments.json));
    tokio::task::spawn_blocking(show).await.unwrap().unwrap();
}

#[tokio::test]
async fn words_about_a_machine_have_bounds() {
    let server = Server::start().await;
    server.trust().await;
    let host = Host::boot("a", &BootLog::sound());
    server.join(&host).await;
    let (nonce, pcrs) = host.challenge(&server).await.unwrap();
    let mut evidence = host.evidence(&nonce, pcrs).await;
    let too_long = api::machine::MACHINE_TEXT_CHARS_MAX + 1;
    for text in ["x".repeat(too_long), String::new(), "a\u{1b}[2J".to_owned()] {
        evidence.machine = Some(Machine { os_name: Some(text), ..Machine::default() });
        assert_eq!(code(host.send(&server, &evidence).await), "evidence-invalid");
    }
    // An agent that says nothing is judged as any other.
    evidence.machine = None;
    assert_eq!(host.send(&server, &evidence).await.unwrap().verdict, "accepted");
    let id = host.credentials().host_id;
    let none = server.admin.get::<Peers>(&format!("/v1/hosts/{id}/peers")).await;
    assert_eq!(code(none), "no-peers");
    assert_eq!(server.host(&id).await.peers, None);
}
