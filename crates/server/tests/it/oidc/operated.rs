//! What operators see and change: the configuration, its check, reading it anew, and Chromium.

use std::collections::HashMap;

use testkit::wait;

use super::*;
use crate::pages::Script;

fn check(file: &Path) -> (i32, String) {
    let out = Command::new(env!("CARGO_BIN_EXE_bootproof-server"))
        .arg("--config")
        .arg(file)
        .args(["config", "check"])
        .output()
        .unwrap();
    let said = [out.stdout, out.stderr].concat();
    (out.status.code().unwrap(), String::from_utf8(said).unwrap())
}

#[tokio::test]
async fn the_check_of_a_configuration_asks_the_provider() {
    let (pki, folder) = (Pki::new(), tempfile::tempdir().unwrap());
    let mut provider = Provider::start(&pki, folder.path());
    let own = configuration(folder.path(), &pki, provider.port, Some(SECRET));
    let file = folder.path().join("server.toml");
    std::fs::write(&file, format!("connections_max = 8\n{own}")).unwrap();
    provider.serve_at("https://localhost:9", Some(SECRET), "ES256");
    let (exit, said) = check(&file);
    assert_eq!((exit, said.contains("warning")), (0, false), "{said}");
    // One that is away is no fault of the configuration.
    drop(provider);
    let (exit, said) = check(&file);
    assert_eq!(exit, 0, "{said}");
    assert!(said.contains("warning: oidc") && said.contains("hint: "), "{said}");
    // A file that is not there is one.
    std::fs::remove_file(folder.path().join("client-secret")).unwrap();
    let (exit, said) = check(&file);
    assert_eq!(exit, 1, "{said}");
    assert!(said.contains("client-secret"), "{said}");
    let data = tempfile::tempdir().unwrap();
    std::fs::copy(&file, data.path().join("server.toml")).unwrap();
    assert!(Server::refused(data.path()).contains("client-secret"));
}

/// Writes another configuration, and has the server read it.
fn configure(server: &Server, text: &str) {
    std::fs::write(server.data.path().join("server.toml"), text).unwrap();
    let id = i32::try_from(server.pid()).ok().and_then(rustix::process::Pid::from_raw);
    rustix::process::kill_process(id.unwrap(), rustix::process::Signal::HUP).unwrap();
}

#[tokio::test]
async fn a_configuration_that_changes_counts_at_the_next_login() {
    let (pki, folder) = (Pki::new(), tempfile::tempdir().unwrap());
    let mut provider = Provider::start(&pki, folder.path());
    let config = configuration(folder.path(), &pki, provider.port, None);
    let server = Server::start_with(&config).await;
    provider.serve(&server, None, "ES256");
    let log_in = |name: &str| {
        let mut surfer = surfer(&server, &pki);
        let page = surfer.ask("GET", &format!("{}/v1/oidc/login", address(&server)), &[]);
        let page = sign_in(&mut surfer, page, name, "no such address");
        (page.status, surfer)
    };
    assert_eq!(log_in("carol").0, 403);
    let (status, mut alice) = log_in("alice");
    assert_eq!(status, 200);
    let more = "[[oidc.role]]\ngroups = ['staff']\nrole = 'viewer'\n";
    configure(&server, &format!("{config}{more}"));
    let mut carol = wait::until("the new role counts", || {
        let (status, surfer) = log_in("carol");
        (status == 200).then_some(surfer)
    });
    assert_eq!(who(&mut carol, &server)["role"], "viewer");
    // One that cannot be used leaves what counted.
    let broken = config.replace("[oidc]\n", "[oidc]\nclient_secret_file = 'nowhere'\n");
    configure(&server, &broken);
    wait::until("it is refused", || server.log().contains("nowhere").then_some(()));
    assert_eq!(log_in("carol").0, 200);
    // Without one nobody goes there, and who is in stays in.
    configure(&server, "names = ['localhost']\n");
    let begin = format!("{}/v1/oidc/login", address(&server));
    wait::until("nobody is asked any more", || {
        let page = surfer(&server, &pki).ask("GET", &begin, &[]);
        (page.status == 404).then_some(())
    });
    assert_eq!(who(&mut alice, &server)["actor"], "oidc:alice");
}

#[tokio::test]
async fn a_person_logs_in_with_chromium() {
    let (pki, folder) = (Pki::new(), tempfile::tempdir().unwrap());
    let mut provider = Provider::start(&pki, folder.path());
    let config = configuration(folder.path(), &pki, provider.port, Some(SECRET));
    let server = Server::start_with(&config).await;
    provider.serve(&server, Some(SECRET), "ES256");
    let environment = HashMap::from([("BOOTPROOF_WEB_BASE", address(&server))]);
    Script::start("provider-login.mjs", &server, environment).ends_well().await;
    let begun = told(&server, "session.begin").await;
    assert_eq!(begun.len(), 1);
    assert_eq!(begun[0].actor, "oidc:alice");
}

#[tokio::test]
async fn a_held_form_is_carried_through_the_provider_with_chromium() {
    let (pki, folder) = (Pki::new(), tempfile::tempdir().unwrap());
    let mut provider = Provider::start(&pki, folder.path());
    let config = configuration(folder.path(), &pki, provider.port, Some(SECRET));
    let server = Server::start_with(&config).await;
    provider.serve(&server, Some(SECRET), "ES256");
    let environment = HashMap::from([("BOOTPROOF_WEB_BASE", address(&server))]);
    let mut script = Script::start("provider-held.mjs", &server, environment);
    for _ in 0..2 {
        script.asks("end the session").await;
        let sessions: Vec<api::people::Session> =
            server.admin.get("/v1/sessions?all=true").await.unwrap();
        for session in sessions {
            server.admin.delete::<Value>(&format!("/v1/sessions/{}", session.id)).await.unwrap();
        }
        script.answer(serde_json::json!({}));
    }
    script.ends_well().await;
}

#[tokio::test]
async fn a_short_form_outlives_its_server_and_a_long_one_is_said_to_be_gone() {
    let (pki, folder) = (Pki::new(), tempfile::tempdir().unwrap());
    let mut provider = Provider::start(&pki, folder.path());
    let config = configuration(folder.path(), &pki, provider.port, Some(SECRET));
    let mut server = Server::start_with(&config).await;
    provider.serve(&server, Some(SECRET), "ES256");
    let long = format!("policy={}&note=x", "%23+a+line%0A".repeat(500));
    for (held, status, words) in [
        ("reason=ticket+4711+%3Cb%3E", 200, "ticket 4711 &lt;b&gt;"),
        (long.as_str(), 410, "not here any more"),
    ] {
        let mut surfer = surfer(&server, &pki);
        let form = [("then", "/alarms/secure-boot-off/acknowledge"), ("held", held)];
        let sent = surfer.ask("POST", &format!("{}/login/provider", address(&server)), &form);
        assert_eq!(sent.status, 200, "{sent:?}");
        let leads_on = sent.header("refresh").unwrap().to_owned();
        let away = sent.link(&format!("127.0.0.1:{}", provider.port));
        assert_eq!(leads_on, format!("0; url={away}"));
        assert!(!away.contains("4711"), "the provider learns nothing of it: {away}");
        server.kill_and_restart().await;
        let page = surfer.ask("GET", &away, &[]);
        let page = sign_in(&mut surfer, page, "alice", "no such address");
        assert_eq!(page.status, status, "{page:?}");
        assert!(page.body.contains(words), "{page:?}");
        assert_eq!(who(&mut surfer, &server)["actor"], "oidc:alice", "she is in, in any case");
    }
}
