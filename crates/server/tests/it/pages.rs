//! Pages as people use them: Chromium, driven by the scripts of `web/`, against a real server with
//! real hosts.

use std::{
    collections::HashMap,
    io::{BufRead as _, BufReader, Write as _},
    path::PathBuf,
    process::{Child, ChildStdin, ChildStdout, Command, Stdio},
};

use crate::{
    bench::{CA, Host, Server},
    commands::bootproof,
    references::reboot,
};
use agent::session::TpmChoice;
use api::{
    admin::{Approval, NewToken, TokenRequest},
    inventory::{Labels, MaintenanceRequest},
};
use serde_json::{Value, json};
use testkit::{boot::boot, log::BootLog, swtpm::Swtpm};

const NAME: &str = "ada";
const PASSWORD: &str = "correct horse battery staple";

/// A script that uses a browser, and asks for what it cannot do itself.
pub(crate) struct Script {
    child: Child,
    asks: Option<BufReader<ChildStdout>>,
    answers: ChildStdin,
}

impl Script {
    pub(crate) fn start(name: &str, server: &Server, environment: HashMap<&str, String>) -> Self {
        let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../web");
        let hint = "`cargo xtask test` installs what the browser tests need";
        assert!(folder.join("node_modules/playwright-core").is_dir(), "no Playwright: {hint}");
        let mut child = Command::new("node")
            .arg(name)
            .current_dir(folder)
            .env("BOOTPROOF_WEB_BASE", server.admin.base())
            .envs(environment)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap_or_else(|err| panic!("node: {err}; {hint}"));
        let asks = Some(BufReader::new(child.stdout.take().unwrap()));
        let answers = child.stdin.take().unwrap();
        Self { child, asks, answers }
    }

    /// What it asks for next; it must be this.
    pub(crate) async fn asks(&mut self, step: &str) -> Value {
        let mut asks = self.asks.take().unwrap();
        // Hosts of the test go on meanwhile.
        let reading = tokio::task::spawn_blocking(move || {
            let mut line = String::new();
            asks.read_line(&mut line).map(|_| (asks, line))
        });
        let (asks, line) = reading.await.unwrap().unwrap();
        self.asks = Some(asks);
        if line.is_empty() {
            let ended = self.child.wait().unwrap();
            panic!("the script ended ({ended}) before {step:?}; its error is above");
        }
        let asked: Value = serde_json::from_str(&line).unwrap();
        assert_eq!(asked["step"], step);
        asked
    }

    pub(crate) fn answer(&mut self, answer: Value) {
        writeln!(self.answers, "{answer}").unwrap();
    }

    pub(crate) async fn ends_well(mut self) {
        self.asks("done").await;
        self.answer(json!({}));
        assert!(self.child.wait().unwrap().success());
    }
}

impl Drop for Script {
    fn drop(&mut self) {
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

/// The code that the server printed for making the first account.
fn setup_code(server: &Server) -> String {
    let log = server.log();
    let at = log.find(SETUP_PREFIX).unwrap_or_else(|| panic!("no code in\n{log}"));
    log[at..].chars().take_while(|c| c.is_ascii_alphanumeric() || *c == '_').collect()
}

const SETUP_PREFIX: &str = "bpc_";

#[tokio::test]
async fn the_founding_story_is_walked_on_the_page() {
    let server = Server::start().await;
    server.trust().await;
    let environment = HashMap::from([("BOOTPROOF_SETUP_CODE", setup_code(&server))]);
    let mut script = Script::start("story.mjs", &server, environment);

    let log = BootLog::sound().build();
    let mut tpm = Swtpm::builder().ek_cert(&CA).name("esx-117").start().unwrap();
    tpm.stop();
    let choice = TpmChoice::At(tpm.address().parse().unwrap());
    let host = Host::with("esx-117", choice, &log.bytes, None);

    let asked = script.asks("join without a TPM").await;
    let command = asked["command"].as_str().unwrap();
    let mut words = command.split_whitespace().skip_while(|word| *word != "--token");
    let token = words.nth(1).unwrap();
    host.join(&server, token).await.unwrap();
    let serving = host.serve();
    script.answer(json!({ "host": "esx-117" }));

    script.asks("switch the TPM on").await;
    tpm.start().unwrap();
    boot(&tpm, &log).unwrap();
    script.answer(json!({}));

    script.ends_well().await;
    drop(serving);
}

/// The first account, made without a browser.
pub(crate) async fn set_up(server: &Server) {
    let request = api::people::SetupRequest {
        code: setup_code(server),
        name: NAME.to_owned(),
        password: PASSWORD.to_owned(),
        shown_as: api::people::ShownAs::Token,
    };
    let _: api::people::SessionBegun = server.admin.post("/v1/setup", &request).await.unwrap();
}

/// How a script signs in.
pub(crate) fn account() -> HashMap<&'static str, String> {
    HashMap::from([
        ("BOOTPROOF_WEB_NAME", NAME.to_owned()),
        ("BOOTPROOF_WEB_PASSWORD", PASSWORD.to_owned()),
    ])
}

#[tokio::test]
async fn a_policy_is_written_tried_and_activated_on_the_page() {
    let server = Server::start().await;
    server.trust().await;
    set_up(&server).await;
    let host = Host::boot("lab-1", &BootLog::sound().secure_boot_off());
    let id = server.join(&host).await.host_id;
    assert_eq!(host.attest(&server).await.unwrap().verdict, "not accepted");
    let mut script = Script::start("policy.mjs", &server, account());

    // The session ends while somebody writes.
    script.asks("end the session").await;
    let sessions: Vec<api::people::Session> =
        server.admin.get("/v1/sessions?all=true").await.unwrap();
    for session in sessions {
        server.admin.delete::<Value>(&format!("/v1/sessions/{}", session.id)).await.unwrap();
    }
    script.answer(json!({}));

    // Somebody else activates another one while this person looks at what would change.
    let asked = script.asks("activate another one").await;
    let request = json!({ "policy": "[banks]\nminimum = 'sha256'\n", "note": "of somebody else" });
    let other: api::policy::PolicyVersion =
        server.admin.post("/v1/policy/versions", &request).await.unwrap();
    let path = format!("/v1/policy/versions/{}/activate", other.number);
    let request = json!({ "before": null, "reason": "in a hurry" });
    let _: Value = server.admin.post(&path, &request).await.unwrap();
    script.answer(json!({ "number": other.number }));
    assert_eq!(asked["host"], "lab-1");

    script.ends_well().await;
    server.wait_for(&id, "accepted", None).await;
}

#[tokio::test]
async fn people_tokens_and_channels_are_looked_after_on_the_page() {
    let server = Server::start().await;
    set_up(&server).await;
    Script::start("people.mjs", &server, account()).ends_well().await;
    let audit: api::audit::AuditPage = server.admin.get("/v1/audit?limit=200").await.unwrap();
    let done: Vec<_> = audit.rows.iter().map(|row| row.action.as_str()).collect();
    for action in ["user.add", "user.change", "api-token.add", "channel.add", "channel.remove"] {
        assert!(done.contains(&action), "{action} is not in {done:?}");
    }
}

#[tokio::test]
async fn a_change_is_compared_and_accepted_on_the_page() {
    let server = Server::start().await;
    server.trust().await;
    set_up(&server).await;
    let mut host = Host::boot("web-1", &BootLog::sound());
    let id = server.join(&host).await.host_id;
    assert_eq!(host.attest(&server).await.unwrap().verdict, "accepted");
    let learn = json!({
        "scope": "host", "name": "as delivered", "reason": "first boot", "state": "active"
    });
    let path = format!("/v1/hosts/{id}/reference");
    let _: Value = server.admin.post(&path, &learn).await.unwrap();
    reboot(&mut host, &BootLog::sound().kernel_cmdline("root=/dev/sda1 init=/bin/sh"));
    assert_eq!(host.attest(&server).await.unwrap().verdict, "not accepted");

    let mut environment = account();
    environment.insert("BOOTPROOF_WEB_HOST", format!("/hosts/{id}"));
    let mut script = Script::start("change.mjs", &server, environment);
    script.asks("judge it again").await;
    host.attest(&server).await.unwrap();
    script.answer(json!({}));
    script.ends_well().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_alarm_is_acknowledged_and_cleared_on_the_page_and_a_report_downloaded() {
    let server = Server::start().await;
    server.trust().await;
    set_up(&server).await;
    let mut host = Host::boot("web-1", &BootLog::sound().secure_boot_off());
    server.join(&host).await;
    assert_eq!(host.attest(&server).await.unwrap().verdict, "not accepted");

    let mut script = Script::start("alarms.mjs", &server, account());
    script.asks("boot with Secure Boot on").await;
    reboot(&mut host, &BootLog::sound());
    assert_eq!(host.attest(&server).await.unwrap().verdict, "accepted");
    script.answer(json!({}));
    // As somebody checks them who got them: as they are, or out of the ZIP.
    for ending in ["pdf", "jws", "html.zip", "csv.zip", "json.zip"] {
        let asked = script.asks("look at the report").await;
        assert_eq!(asked["ending"], ending);
        let file = PathBuf::from(asked["file"].as_str().unwrap());
        let folder = tempfile::tempdir().unwrap();
        let report = if ending.ends_with(".zip") { unpacked(&file, folder.path()) } else { file };
        let verify = ["report", "verify", report.to_str().unwrap()];
        assert_eq!(bootproof(&server, &verify).await.unwrap(), cli::Exit::Done, "{ending}");
        if ending == "csv.zip" {
            // One letter of another's hand.
            let table = std::fs::read_to_string(&report).unwrap();
            std::fs::write(&report, table.replace("\"web-1\"", "\"web-2\"")).unwrap();
            assert_eq!(bootproof(&server, &verify).await.unwrap(), cli::Exit::No);
        }
        script.answer(json!({}));
    }
    let asked = script.asks("look at the report").await;
    let table = std::fs::read_to_string(asked["file"].as_str().unwrap()).unwrap();
    assert!(table.contains("\"web-1\""), "{table}");
    script.answer(json!({}));
    script.ends_well().await;
}

/// Unpacks a report with its signature by another's program, and says where the report is.
fn unpacked(archive: &std::path::Path, folder: &std::path::Path) -> PathBuf {
    let mut python = Command::new("python3");
    python.args(["-m", "zipfile", "-e"]).args([archive, folder]);
    let done = python.output().expect("python3, which `cargo xtask test` installs");
    assert!(done.status.success(), "{done:?}");
    let files = std::fs::read_dir(folder).unwrap().map(|file| file.unwrap().path());
    let mut files: Vec<_> = files.collect();
    files.sort();
    let [report, signature] = files.as_slice() else { panic!("{files:?}") };
    assert_eq!(signature.to_str().unwrap(), format!("{}.jws", report.display()));
    report.clone()
}

#[tokio::test]
async fn each_page_is_for_everybody_and_shows_hostile_names_as_text() {
    let server = Server::start().await;
    server.trust().await;
    set_up(&server).await;

    // One that passes, one that does not, and one that was never judged.
    let sound = Host::boot("web-1", &BootLog::sound());
    let sound_id = server.join(&sound).await.host_id;
    assert_eq!(sound.attest(&server).await.unwrap().verdict, "accepted");
    let off = Host::boot("without-secure-boot", &BootLog::sound().secure_boot_off());
    let off_id = server.join(&off).await.host_id;
    assert_eq!(off.attest(&server).await.unwrap().verdict, "not accepted");
    let silent = Host::boot("silent", &BootLog::sound());
    let silent_id = server.join(&silent).await.host_id;
    // One that booted something else.
    let mut rebooted = Host::boot("rebooted", &BootLog::sound());
    let rebooted_id = server.join(&rebooted).await.host_id;
    rebooted.attest(&server).await.unwrap();
    let hostile = format!("root=/dev/sda1 init=/bin/sh {HOSTILE}");
    reboot(&mut rebooted, &BootLog::sound().kernel_cmdline(&hostile));
    rebooted.attest(&server).await.unwrap();
    // One that waits for a person.
    let waiting = Host::boot("waiting", &BootLog::sound());
    let token = server.token(Some(1), Approval::Required).await;
    waiting.join(&server, &token.token).await.unwrap();
    // Host names are names; what people write is any text, and so is what machines say.
    let request = TokenRequest {
        expires_in_s: 600,
        uses_max: Some(1),
        approval: Approval::Required,
        labels: Labels::from([("owner".to_owned(), "<b onclick>\u{202e}".to_owned())]),
        note: HOSTILE.to_owned(),
        listed_on: None,
    };
    let _: NewToken = server.admin.post("/v1/tokens", &request).await.unwrap();
    let request = MaintenanceRequest { reason: HOSTILE.to_owned(), until_ms: None };
    let path = format!("/v1/hosts/{off_id}/maintenance");
    let _: Value = server.admin.post(&path, &request).await.unwrap();

    // A policy that somebody keeps, with a text in it that would be more.
    let request = api::policy::PolicyPutRequest {
        policy: format!("# {}\n[banks]\nminimum = 'sha384'\n", HOSTILE.replace('\u{202e}', "")),
        note: HOSTILE.replace('\u{202e}', ""),
        ..Default::default()
    };
    let kept: api::policy::PolicyVersion =
        server.admin.post("/v1/policy/versions", &request).await.unwrap();

    // References, of which one waits and one is of the hostile boot.
    for (id, name, state) in [
        (&rebooted_id, HOSTILE.replace('\u{202e}', ""), "active"),
        (&sound_id, "as delivered".to_owned(), "pending"),
    ] {
        let learn = json!({ "scope": "host", "name": name, "reason": HOSTILE.replace('\u{202e}', ""), "state": state });
        let _: Value =
            server.admin.post(&format!("/v1/hosts/{id}/reference"), &learn).await.unwrap();
    }
    // A list that somebody keeps.
    let view = json!({ "verdict": "not appraised", "sort": "-judged" });
    let _: () = server.admin.post("/v1/host-views/shared/not%20proved", &view).await.unwrap();

    // Some hours of before, for the plot.
    let db = server.database();
    db.execute_batch(
        "WITH RECURSIVE count(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM count WHERE n < 100)
         INSERT INTO standing_hours
            SELECT (unixepoch() / 3600 - n) * 3600000, 2 + n % 3, n % 7 = 0, 1, 0 FROM count",
    )
    .unwrap();
    drop(db);

    // A channel that tells nobody, and a token of a program.
    let channel = json!({
        "name": "operations",
        "settings": { "kind": "webhook", "url": "https://127.0.0.1:9/hook" },
        "filter": { "severities": ["fail"], "labels": "site=muc" }
    });
    let _: Value = server.admin.post("/v1/channels", &channel).await.unwrap();
    let token =
        json!({ "name": "ci", "role": "viewer", "hosts": { "site": "muc" }, "expires_in_s": 600 });
    let _: Value = server.admin.post("/v1/api-tokens", &token).await.unwrap();

    let mut pages: Vec<String> = [
        "/",
        "/hosts",
        "/hosts?verdict=not+appraised&sort=-judged",
        "/alarms",
        "/alarms/secure-boot-off",
        "/alarms/secure-boot-off?cleared=true",
        "/approvals",
        "/references",
        "/policies",
        "/policies/new",
        "/people",
        "/channels",
        "/channels/new?kind=smtp",
        "/channels/new?kind=webhook",
        "/settings",
        "/trust",
        "/join",
        "/reports",
        "/audit",
        "/help",
        "/help?q=waivers",
        "/help/book/introduction",
        "/help/book/policy",
        "/help/book/client-certificates",
        "/password",
    ]
    .map(str::to_owned)
    .to_vec();
    pages.extend([&sound_id, &off_id, &silent_id].map(|id| format!("/hosts/{id}")));
    pages.push(format!("/hosts/{rebooted_id}"));
    pages.push(format!("/hosts/{rebooted_id}/log"));
    pages.push(format!("/reports?host={sound_id}"));
    pages.push(format!("/hosts/{rebooted_id}/diff"));
    pages.push(format!("/policies/{}", kept.number));
    pages.push("/channels/operations".to_owned());
    pages.push("/channels/operations/edit".to_owned());
    pages.push(format!("/policies/new?from={}", kept.number));
    let mut environment = account();
    environment.insert("BOOTPROOF_WEB_PAGES", json!(pages).to_string());
    environment.insert("BOOTPROOF_WEB_HOST", format!("/hosts/{sound_id}"));
    environment.insert("BOOTPROOF_WEB_POLICY", format!("/policies/{}", kept.number));
    // Pictures of all pages, for whoever wants to look at them.
    if let Some(folder) = std::env::var_os("BOOTPROOF_WEB_SHOTS") {
        environment.insert("BOOTPROOF_WEB_SHOTS", folder.into_string().unwrap());
    }
    Script::start("everything.mjs", &server, environment).ends_well().await;
}

/// A text that would be a script, would turn the reading direction, and would leave an attribute.
const HOSTILE: &str = "a\"'><img src=x onerror=globalThis.owned=true><script>globalThis.owned=true</script>\u{202e}gnp.exe";
