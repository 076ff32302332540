//! References: a change is told, accepted, and taken back; stored evidence is judged anew.

use api::{
    finding::Finding,
    fleet::{
        AcceptChangeRequest, AcceptedChange, BeginsAs, Breadth, ImportReference, KeptReference,
        LearnRequest, ReferenceDetail, ReferencePage, ReferenceScope, ReferenceState,
        ReferenceStateRequest, ReferenceUses,
    },
};
use clap::Parser as _;
use cli::{Exit, Output, args::Arguments};
use client::ClientError;
use testkit::{boot::boot, log::BootLog, rim::Vendor, wait};

use crate::bench::{Host, Server, code, fingerprint, has};

const OTHER_COMMAND_LINE: &str = "root=/dev/sda1 init=/bin/sh";

fn changed() -> BootLog {
    BootLog::sound().kernel_cmdline(OTHER_COMMAND_LINE)
}

/// A host that says it is a machine of this model, joined and attested.
async fn attested(server: &Server, name: &str, log: &BootLog) -> Host {
    let host = Host::boot(name, log);
    let put = |file: &str, text: &str| std::fs::write(host.sources.dmi.join(file), text).unwrap();
    put("sys_vendor", "Vendor Inc.");
    put("product_name", "Model 9");
    put("bios_version", "1.2");
    server.join(&host).await;
    host.attest(server).await.unwrap();
    host
}

pub(crate) fn reboot(host: &mut Host, log: &BootLog) {
    let built = log.build();
    std::fs::write(host.log_file(), &built.bytes).unwrap();
    let tpm = host.tpm.as_mut().unwrap();
    tpm.restart().unwrap();
    boot(tpm, &built).unwrap();
}

async fn learn(server: &Server, host: &Host, scope: Breadth) -> Result<KeptReference, ClientError> {
    let request = LearnRequest {
        scope,
        name: "as delivered".to_owned(),
        reason: "first boot".to_owned(),
        state: BeginsAs::Active,
    };
    let path = format!("/v1/hosts/{}/reference", host.credentials().host_id);
    server.admin.post(&path, &request).await
}

fn accepting(scope: Breadth) -> AcceptChangeRequest {
    AcceptChangeRequest {
        scope,
        reason: "ticket 4711".to_owned(),
        until_ms: None,
        uses: ReferenceUses::Any,
        appraised_at_ms: None,
    }
}

async fn accept(
    server: &Server,
    host: &Host,
    request: &AcceptChangeRequest,
) -> Result<AcceptedChange, ClientError> {
    let path = format!("/v1/hosts/{}/accept-change", host.credentials().host_id);
    server.admin.post(&path, request).await
}

async fn step(
    server: &Server,
    id: &str,
    state: ReferenceState,
) -> Result<KeptReference, ClientError> {
    let request = ReferenceStateRequest { state, reason: "decided".to_owned() };
    server.admin.post(&format!("/v1/references/{id}/state"), &request).await
}

async fn verdict(server: &Server, host: &Host) -> String {
    server.host(&host.credentials().host_id).await.host.verdict
}

fn cause<'f>(findings: &'f [Finding], code: &str) -> &'f str {
    let finding = findings.iter().find(|finding| finding.code == code);
    &finding.unwrap_or_else(|| panic!("no {code} in {findings:?}")).cause
}

#[tokio::test]
async fn a_change_is_told_accepted_and_taken_back_without_the_host() {
    let server = Server::start().await;
    server.trust().await;
    let mut host = attested(&server, "web-1", &BootLog::sound()).await;
    let id = host.credentials().host_id;
    let learnt = learn(&server, &host, Breadth::Host).await.unwrap();
    assert_eq!((learnt.state, learnt.origin.as_str()), (ReferenceState::Active, "learnt"));
    assert_eq!(learnt.scope, ReferenceScope::Host(id.clone()));
    assert_eq!(learnt.created_by, "administrator");
    assert_eq!(host.attest(&server).await.unwrap().verdict, "accepted");
    let nothing = accept(&server, &host, &accepting(Breadth::Host)).await;
    assert_eq!(code(nothing), "nothing-changed");

    // It boots another command line: told in words.
    reboot(&mut host, &changed());
    let reply = host.attest(&server).await.unwrap();
    assert_eq!(reply.verdict, "not accepted");
    let words = cause(&reply.findings, "reference-change");
    assert!(words.contains("init=/bin/sh"), "{words}");
    assert_eq!(code(learn(&server, &host, Breadth::Host).await), "host-not-accepted");

    // What a person did not look at is not accepted by him.
    let before = fingerprint(&server).await;
    let stale = AcceptChangeRequest { appraised_at_ms: Some(1), ..accepting(Breadth::Host) };
    assert_eq!(code(accept(&server, &host, &stale).await), "newer-evidence");
    assert_eq!(fingerprint(&server).await, before);

    // Accepted: green by the evidence that is stored, which gets no younger.
    let judged = server.host(&id).await;
    let request = AcceptChangeRequest {
        appraised_at_ms: judged.host.appraised_at_ms,
        ..accepting(Breadth::Host)
    };
    let accepted = accept(&server, &host, &request).await.unwrap();
    assert_eq!(accepted.verdict, "accepted", "{:?}", accepted.findings);
    assert_eq!(accepted.reference.origin, "accepted-change");
    let now = server.host(&id).await;
    assert_eq!(now.host.verdict, "accepted");
    assert_eq!(now.host.appraised_at_ms, judged.host.appraised_at_ms);
    let appraisal = now.appraisal.unwrap();
    assert!(appraisal.judged_anew);
    assert_eq!(appraisal.facts.reference.unwrap().name, accepted.reference.id);
    assert_eq!(host.attest(&server).await.unwrap().verdict, "accepted");

    // Obsolete still counts, and is told.
    step(&server, &accepted.reference.id, ReferenceState::Obsolete).await.unwrap();
    let now = server.host(&id).await;
    assert_eq!(now.host.verdict, "accepted");
    assert!(has(&now.host.findings, "reference-obsolete"));

    // Revoked: red at once, and for ever.
    step(&server, &accepted.reference.id, ReferenceState::Revoked).await.unwrap();
    let now = server.host(&id).await;
    assert_eq!(now.host.verdict, "not accepted");
    assert!(has(&now.host.findings, "reference-revoked"));
    assert_eq!(host.attest(&server).await.unwrap().verdict, "not accepted");
    let again = accept(&server, &host, &accepting(Breadth::Host)).await;
    assert_eq!(code(again), "host-not-accepted");
    for state in [ReferenceState::Active, ReferenceState::Retired, ReferenceState::Revoked] {
        let refused = step(&server, &accepted.reference.id, state).await;
        assert_eq!(code(refused), "reference-state");
    }

    // Back to what was learnt, it is accepted.
    reboot(&mut host, &BootLog::sound());
    assert_eq!(host.attest(&server).await.unwrap().verdict, "accepted");

    let path = format!("/v1/references/{}", accepted.reference.id);
    let detail: ReferenceDetail = server.admin.get(&path).await.unwrap();
    let life: Vec<_> = detail.life.iter().map(|step| (step.state, step.reason.as_str())).collect();
    let expected = [
        (ReferenceState::Active, "ticket 4711"),
        (ReferenceState::Obsolete, "decided"),
        (ReferenceState::Revoked, "decided"),
    ];
    assert_eq!(life, expected);
}

#[tokio::test]
async fn one_boot_is_one_boot() {
    let server = Server::start().await;
    server.trust().await;
    let mut host = attested(&server, "web-1", &BootLog::sound()).await;
    learn(&server, &host, Breadth::Host).await.unwrap();
    reboot(&mut host, &changed());
    assert_eq!(host.attest(&server).await.unwrap().verdict, "not accepted");
    let once = AcceptChangeRequest { uses: ReferenceUses::OneBoot, ..accepting(Breadth::Host) };
    let accepted = accept(&server, &host, &once).await.unwrap();
    assert_eq!(accepted.verdict, "accepted", "{:?}", accepted.findings);
    for _ in 0..2 {
        assert_eq!(host.attest(&server).await.unwrap().verdict, "accepted");
    }
    // The same again in another boot, and what was expected all along.
    reboot(&mut host, &changed());
    let reply = host.attest(&server).await.unwrap();
    assert_eq!(reply.verdict, "not accepted");
    assert!(has(&reply.findings, "reference-change"));
    reboot(&mut host, &BootLog::sound());
    assert_eq!(host.attest(&server).await.unwrap().verdict, "accepted");

    // Where nothing else is left to compare with, a boot that is used up is not "no reference".
    let page: ReferencePage = server.admin.get("/v1/references").await.unwrap();
    let learnt = page.references.iter().find(|reference| reference.origin == "learnt").unwrap();
    step(&server, &learnt.id, ReferenceState::Retired).await.unwrap();
    reboot(&mut host, &changed());
    let reply = host.attest(&server).await.unwrap();
    assert_eq!(reply.verdict, "not accepted");
    assert!(has(&reply.findings, "reference-expired"));
}

#[tokio::test]
async fn what_is_accepted_until_a_time_ends_then() {
    let server = Server::start().await;
    server.trust().await;
    let mut host = attested(&server, "web-1", &BootLog::sound()).await;
    learn(&server, &host, Breadth::Host).await.unwrap();
    reboot(&mut host, &changed());
    assert_eq!(host.attest(&server).await.unwrap().verdict, "not accepted");
    let over = AcceptChangeRequest { until_ms: Some(1), ..accepting(Breadth::Host) };
    assert_eq!(code(accept(&server, &host, &over).await), "reference-invalid");
    // Counted in whole seconds: it ends within the fourth from now at the latest.
    let until_ms = now_ms() + 3_000;
    let soon = AcceptChangeRequest { until_ms: Some(until_ms), ..accepting(Breadth::Host) };
    assert_eq!(accept(&server, &host, &soon).await.unwrap().verdict, "accepted");
    wait::until("the time is over", || (now_ms() > until_ms).then_some(()));
    let reply = host.attest(&server).await.unwrap();
    assert_eq!(reply.verdict, "not accepted");
    assert!(has(&reply.findings, "reference-expired"), "{:?}", reply.findings);
}

fn now_ms() -> i64 {
    let now = std::time::UNIX_EPOCH.elapsed().unwrap();
    i64::try_from(now.as_millis()).unwrap()
}

#[tokio::test]
async fn a_cohort_is_held_to_its_references_and_accepts_for_all() {
    let server = Server::start().await;
    server.trust().await;
    let mut hosts = Vec::new();
    for name in ["a", "b", "c"] {
        hosts.push(attested(&server, name, &BootLog::sound()).await);
    }
    // A machine that says it is another model is held to nothing of theirs.
    let stranger = Host::boot("d", &changed());
    server.join(&stranger).await;
    let no_cohort = stranger.attest(&server).await.unwrap();
    assert_eq!(no_cohort.verdict, "accepted");
    assert_eq!(code(learn(&server, &stranger, Breadth::Cohort).await), "no-cohort");

    let learnt = learn(&server, &hosts[0], Breadth::Cohort).await.unwrap();
    assert!(matches!(learnt.scope, ReferenceScope::Cohort(_)));
    for host in &mut hosts[1..] {
        reboot(host, &changed());
        let reply = host.attest(&server).await.unwrap();
        assert_eq!(reply.verdict, "not accepted");
        assert!(has(&reply.findings, "reference-change"));
    }
    assert_eq!(stranger.attest(&server).await.unwrap().verdict, "accepted");
    // Accepted for all by what one of them booted; the other is judged anew by itself.
    let accepted = accept(&server, &hosts[1], &accepting(Breadth::Cohort)).await.unwrap();
    assert_eq!(accepted.verdict, "accepted");
    let other = hosts[2].credentials().host_id;
    server.wait_for(&other, "accepted", None).await;
    assert_eq!(verdict(&server, &hosts[0]).await, "accepted");
    step(&server, &accepted.reference.id, ReferenceState::Revoked).await.unwrap();
    for host in &hosts[1..] {
        let id = host.credentials().host_id;
        server.wait_for(&id, "not accepted", Some("reference-revoked")).await;
    }
    assert_eq!(verdict(&server, &hosts[0]).await, "accepted");
}

#[tokio::test]
async fn nothing_is_learnt_from_a_boot_that_is_not_in_order() {
    let server = Server::start().await;
    server.trust().await;
    let mut host = attested(&server, "web-1", &BootLog::sound()).await;
    learn(&server, &host, Breadth::Host).await.unwrap();
    reboot(&mut host, &changed().secure_boot_off());
    let reply = host.attest(&server).await.unwrap();
    assert!(has(&reply.findings, "reference-change") && has(&reply.findings, "secure-boot-off"));
    let before = fingerprint(&server).await;
    for scope in [Breadth::Host, Breadth::Cohort] {
        assert_eq!(code(learn(&server, &host, scope).await), "host-not-accepted");
        let Err(ClientError::Problem(problem)) = accept(&server, &host, &accepting(scope)).await
        else {
            panic!("not refused");
        };
        assert_eq!((problem.code.as_str(), problem.status), ("host-not-accepted", 409));
        assert!(problem.title.contains("secure-boot-off"), "{}", problem.title);
        assert!(!problem.title.contains("reference-change"), "{}", problem.title);
    }
    // A quote that is another TPM's proves nothing, and teaches nothing.
    let other = attested(&server, "web-2", &BootLog::sound()).await;
    let (nonce, pcrs) = host.challenge(&server).await.unwrap();
    let evidence = other.evidence(&nonce, pcrs).await;
    assert_eq!(host.send(&server, &evidence).await.unwrap().verdict, "not accepted");
    assert_eq!(code(learn(&server, &host, Breadth::Host).await), "host-not-accepted");
    let refused = accept(&server, &host, &accepting(Breadth::Host)).await;
    assert_eq!(code(refused), "host-not-accepted");
    // Nor one that was never judged.
    let waiting = Host::boot("web-3", &BootLog::sound());
    server.join(&waiting).await;
    assert_eq!(code(learn(&server, &waiting, Breadth::Host).await), "host-not-judged");
    let page: ReferencePage = server.admin.get("/v1/references").await.unwrap();
    assert_eq!(page.references.len(), 1);
    drop(before);
}

#[tokio::test]
async fn where_a_reference_is_required_a_person_gives_it() {
    let mut server = Server::start().await;
    server.trust().await;
    std::fs::write(server.data.path().join("policy.toml"), "[references]\nmode = 'require'\n")
        .unwrap();
    std::fs::write(server.data.path().join("server.toml"), "policy = 'policy.toml'").unwrap();
    server.kill_and_restart().await;
    let host = attested(&server, "web-1", &BootLog::sound()).await;
    let reply = host.attest(&server).await.unwrap();
    assert_eq!(reply.verdict, "not accepted");
    assert!(has(&reply.findings, "reference-missing"));
    assert_eq!(code(learn(&server, &host, Breadth::Host).await), "host-not-accepted");
    let accepted = accept(&server, &host, &accepting(Breadth::Host)).await.unwrap();
    assert_eq!(accepted.verdict, "accepted");
    // References are there after a restart, and a policy that is tried sees them too.
    server.kill_and_restart().await;
    assert_eq!(host.attest(&server).await.unwrap().verdict, "accepted");
    let request = serde_json::json!({ "policy": "[references]\nmode = 'require'\n" });
    let tried: api::policy::PolicyTryPage =
        server.admin.post("/v1/policy/try", &request).await.unwrap();
    assert_eq!((tried.n_judged, tried.changes.len()), (1, 0));
}

#[tokio::test]
async fn a_document_comes_out_as_it_went_in() {
    let server = Server::start().await;
    server.trust().await;
    let mut host = attested(&server, "web-1", &BootLog::sound()).await;
    let id = host.credentials().host_id;
    let learnt = learn(&server, &host, Breadth::Host).await.unwrap();
    let path = format!("/v1/references/{}", learnt.id);
    let detail: ReferenceDetail = server.admin.get(&path).await.unwrap();
    assert!(report::reference::read(&detail.document).is_ok());
    let import = |scope| ImportReference {
        document: detail.document.clone(),
        scope,
        name: "golden".to_owned(),
        reason: "of the vendor".to_owned(),
        state: BeginsAs::Pending,
        until_ms: None,
    };
    let twice = import(ReferenceScope::Host(id.clone()));
    let twice = server.admin.post::<_, KeptReference>("/v1/references", &twice).await;
    assert_eq!(code(twice), "reference-known");
    let cohort = detail_cohort(&server, &id).await;
    let kept: KeptReference =
        server.admin.post("/v1/references", &import(ReferenceScope::Cohort(cohort))).await.unwrap();
    assert_eq!((kept.origin.as_str(), kept.state), ("imported", ReferenceState::Pending));
    assert_eq!(kept.sha256, learnt.sha256);
    let path = format!("/v1/references/{}", kept.id);
    let back: ReferenceDetail = server.admin.get(&path).await.unwrap();
    assert_eq!(back.document, detail.document);

    // Pending holds nobody to it; in force it does.
    step(&server, &learnt.id, ReferenceState::Retired).await.unwrap();
    reboot(&mut host, &changed());
    assert_eq!(host.attest(&server).await.unwrap().verdict, "accepted");
    step(&server, &kept.id, ReferenceState::Active).await.unwrap();
    server.wait_for(&id, "not accepted", Some("reference-change")).await;

    // Pages together are the whole.
    let first: ReferencePage = server.admin.get("/v1/references?limit=1").await.unwrap();
    let path = format!("/v1/references?limit=1&cursor={}", first.next_cursor.unwrap());
    let second: ReferencePage = server.admin.get(&path).await.unwrap();
    assert_eq!((&first.references[0].id, &second.references[0].id), (&learnt.id, &kept.id));
}

async fn detail_cohort(server: &Server, id: &str) -> api::machine::Cohort {
    let facts = server.host(id).await.appraisal.unwrap().facts;
    facts.untrusted_machine.unwrap().cohort().unwrap()
}

#[tokio::test]
async fn what_makes_no_sense_is_refused_and_nothing_is_lost() {
    let server = Server::start().await;
    server.trust().await;
    let host = attested(&server, "web-1", &BootLog::sound()).await;
    let id = host.credentials().host_id;
    let learnt = learn(&server, &host, Breadth::Host).await.unwrap();
    let before = fingerprint(&server).await;
    let refused = async |path: &str, body: serde_json::Value| {
        let answer = server.admin.post::<_, serde_json::Value>(path, &body).await;
        let Err(ClientError::Problem(problem)) = answer else { panic!("{path}: {answer:?}") };
        (problem.status, problem.code)
    };
    let state = format!("/v1/references/{}/state", learnt.id);
    for (path, body, status, code) in [
        (&*state, serde_json::json!({ "state": "gone", "reason": "x" }), 400, "body-invalid"),
        (&*state, serde_json::json!({ "state": "retired" }), 400, "body-invalid"),
        (
            &*state,
            serde_json::json!({ "state": "retired", "reason": "" }),
            400,
            "reference-invalid",
        ),
        (&*state, serde_json::json!({ "state": "pending", "reason": "x" }), 409, "reference-state"),
        (
            "/v1/references/ref-none/state",
            serde_json::json!({ "state": "retired", "reason": "x" }),
            404,
            "reference-not-found",
        ),
        (
            "/v1/hosts/nobody/accept-change",
            serde_json::json!({ "scope": "host", "reason": "x" }),
            404,
            "host-not-found",
        ),
        (
            "/v1/hosts/nobody/reference",
            serde_json::json!({ "scope": "host", "name": "x", "reason": "x", "state": "active" }),
            404,
            "host-not-found",
        ),
    ] {
        assert_eq!(refused(path, body.clone()).await, (status, code.to_owned()), "{path} {body}");
    }
    let import = |document: &[u8], scope| ImportReference {
        document: document.into(),
        scope,
        name: "x".to_owned(),
        reason: "x".to_owned(),
        state: BeginsAs::Active,
        until_ms: None,
    };
    let this = || ReferenceScope::Host(id.clone());
    let empty = api::machine::Cohort {
        system_vendor: String::new(),
        product_name: "x".to_owned(),
        firmware_version: "x".to_owned(),
    };
    let too_large = vec![b' '; api::reference::REFERENCE_BYTES_MAX + 1];
    let path = format!("/v1/references/{}", learnt.id);
    let detail: ReferenceDetail = server.admin.get(&path).await.unwrap();
    for (body, status, code) in [
        (import(b"{}", this()), 400, "reference-invalid"),
        (import(b"\xff", this()), 400, "reference-invalid"),
        (import(&too_large, this()), 400, "reference-invalid"),
        (import(&detail.document, ReferenceScope::Cohort(empty)), 400, "reference-invalid"),
        (
            import(&detail.document, ReferenceScope::Host("nobody".to_owned())),
            404,
            "host-not-found",
        ),
        (
            ImportReference { reason: "a\nb".to_owned(), ..import(&detail.document, this()) },
            400,
            "reference-invalid",
        ),
        (
            ImportReference { until_ms: Some(0), ..import(&detail.document, this()) },
            400,
            "reference-invalid",
        ),
    ] {
        let body = serde_json::to_value(&body).unwrap();
        assert_eq!(refused("/v1/references", body).await, (status, code.to_owned()));
    }
    assert_eq!(
        code(server.admin.get::<ReferenceDetail>("/v1/references/none").await),
        "reference-not-found"
    );
    assert_eq!(fingerprint(&server).await, before);
    let page: ReferencePage = server.admin.get("/v1/references").await.unwrap();
    assert_eq!(page.references, [learnt]);

    // A host's token and a stranger's open nothing of it.
    for client in [host.client(&server), server.admin.with_token("bpa_0000")] {
        for path in ["/v1/references", "/v1/references/x", "/v1/hosts/x/peers"] {
            assert_eq!(code(client.get::<serde_json::Value>(path).await), "unauthenticated");
        }
        for path in [
            "/v1/references",
            "/v1/references/x/state",
            "/v1/hosts/x/reference",
            "/v1/hosts/x/accept-change",
        ] {
            let answer = client.post::<_, serde_json::Value>(path, &()).await;
            assert_eq!(code(answer), "unauthenticated", "{path}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_commands_do_it_all() {
    let server = Server::start().await;
    server.trust().await;
    let mut host = attested(&server, "web-1", &BootLog::sound()).await;
    let context = server.data.path().join("admin.toml").display().to_string();
    let run = async |words: &[&str]| {
        let words = ["bootproof"].into_iter().chain(words.iter().copied());
        let words = words.chain(["--context", &context]);
        let arguments = Arguments::try_parse_from(words).unwrap();
        let run = move || cli::run(&arguments, &Output::new(arguments.json));
        tokio::task::spawn_blocking(run).await.unwrap()
    };
    let done =
        async |words: &[&str]| assert_eq!(run(words).await.unwrap(), Exit::Done, "{words:?}");
    done(&["reference", "list"]).await;
    done(&["host", "learn", "web-1", "--reason", "first boot"]).await;
    reboot(&mut host, &changed());
    assert_eq!(host.attest(&server).await.unwrap().verdict, "not accepted");
    done(&["host", "accept-change", "web-1", "--reason", "ticket", "--until", "9000-01-01"]).await;
    assert_eq!(verdict(&server, &host).await, "accepted");
    done(&["reference", "list", "--json"]).await;
    let page: ReferencePage = server.admin.get("/v1/references").await.unwrap();
    let [learnt, accepted] = &page.references[..] else { panic!("{page:?}") };
    assert_eq!(accepted.until_ms, Some(221_845_478_400_000));
    done(&["reference", "show", &learnt.id]).await;
    done(&["reference", "show", &learnt.id, "--json"]).await;
    let file = server.data.path().join("out.json").display().to_string();
    done(&["reference", "export", &learnt.id, "--out", &file]).await;
    done(&["reference", "show", &file]).await;
    let import = ["reference", "import", &file, "--cohort-of", "web-1", "--reason", "for all"];
    done(&import).await;
    for verb in ["obsolete", "retire"] {
        done(&["reference", verb, &learnt.id, "--reason", "newer"]).await;
    }
    let page: ReferencePage = server.admin.get("/v1/references").await.unwrap();
    let imported = &page.references[2];
    assert_eq!((imported.state, imported.name.as_str()), (ReferenceState::Pending, "out.json"));
    done(&["reference", "activate", &imported.id, "--reason", "looked at"]).await;
    done(&["reference", "revoke", &accepted.id, "--reason", "found out"]).await;
    assert_eq!(verdict(&server, &host).await, "not accepted");
    let refused = run(&["host", "accept-change", "web-1", "--reason", "x"]).await;
    assert!(refused.is_err());
}

/// A manifest of a vendor holds hosts of its model, and no word of a person stands for it.
#[tokio::test(flavor = "multi_thread")]
async fn a_manifest_of_a_vendor_holds_the_hosts_of_its_model() {
    let server = Server::start().await;
    server.trust().await;
    let vendor = Vendor::new();
    let log = BootLog::sound().build().bytes;
    let put = |name: &str, bytes: &[u8]| {
        let file = server.data.path().join(name);
        std::fs::write(&file, bytes).unwrap();
        file.display().to_string()
    };
    let files: [(&str, &[u8]); 1] = [("firmware.rimel", &log)];
    let rim = vendor.rim(["Vendor Inc.", "Model 9", "1.2"], &files);
    let rim = put("firmware.swidtag", rim.as_bytes());
    put("firmware.rimel", &log);
    let signer = put("signer.crt", &vendor.signer);
    let mut host = attested(&server, "web-1", &BootLog::sound()).await;
    let id = host.credentials().host_id;
    let context = server.data.path().join("admin.toml").display().to_string();
    let run = async |words: &[&str]| {
        let words = ["bootproof", "--context", &context].into_iter().chain(words.iter().copied());
        let arguments = Arguments::try_parse_from(words).unwrap();
        let run = move || cli::run(&arguments, &Output::new(arguments.json));
        tokio::task::spawn_blocking(run).await.unwrap()
    };
    let import = ["reference", "import", &rim, "--reason", "firmware 1.2", "--signer", &signer];
    assert!(run(&[&import[..], &["--host", "web-1"]].concat()).await.is_err());
    assert!(run(&import[..5]).await.is_err());
    let done = run(&[&import[..], &["--cohort-of", "web-1", "--active"]].concat()).await;
    assert_eq!(done.unwrap(), Exit::Done);
    let page: ReferencePage = server.admin.get("/v1/references").await.unwrap();
    let [kept] = &page.references[..] else { panic!("{page:?}") };
    assert_eq!((kept.origin.as_str(), kept.name.as_str()), ("vendor", "firmware.swidtag"));
    let cohort = detail_cohort(&server, &id).await;
    assert_eq!(kept.scope, ReferenceScope::Cohort(cohort.clone()));
    assert_eq!(run(&["reference", "show", &kept.id]).await.unwrap(), Exit::Done);
    assert_eq!(host.attest(&server).await.unwrap().verdict, "accepted");

    // Changed firmware: nobody may wave it through, not even with what the host boots.
    learn(&server, &host, Breadth::Host).await.unwrap();
    reboot(&mut host, &BootLog::sound().firmware("6.6"));
    let reply = host.attest(&server).await.unwrap();
    assert_eq!(reply.verdict, "not accepted");
    assert!(
        has(&reply.findings, "reference-vendor-change") && has(&reply.findings, "reference-change")
    );
    for scope in [Breadth::Host, Breadth::Cohort] {
        assert_eq!(code(accept(&server, &host, &accepting(scope)).await), "host-not-accepted");
    }

    // For another scope than its model the server takes it from nobody.
    let path = format!("/v1/references/{}", kept.id);
    let detail: ReferenceDetail = server.admin.get(&path).await.unwrap();
    let newer = api::machine::Cohort { firmware_version: "1.3".to_owned(), ..cohort };
    for scope in [ReferenceScope::Host(id.clone()), ReferenceScope::Cohort(newer)] {
        let request = ImportReference {
            document: detail.document.clone(),
            scope,
            name: "theirs".to_owned(),
            reason: "elsewhere".to_owned(),
            state: BeginsAs::Active,
            until_ms: None,
        };
        let refused = server.admin.post::<_, KeptReference>("/v1/references", &request).await;
        assert_eq!(code(refused), "reference-invalid");
    }

    // With its new version the host is of another model; without the manifest it may be accepted.
    let dmi = host.sources.dmi.join("bios_version");
    std::fs::write(&dmi, "6.6").unwrap();
    let reply = host.attest(&server).await.unwrap();
    assert!(!has(&reply.findings, "reference-vendor-change"), "{reply:?}");
    std::fs::write(&dmi, "1.2").unwrap();
    assert!(has(&host.attest(&server).await.unwrap().findings, "reference-vendor-change"));
    step(&server, &kept.id, ReferenceState::Retired).await.unwrap();
    accept(&server, &host, &accepting(Breadth::Host)).await.unwrap();
    assert_eq!(verdict(&server, &host).await, "accepted");
}
