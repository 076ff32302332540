//! What hosts say of their machines, and what hosts of one model share.

use api::{fleet::Peers, machine::Machine};
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
