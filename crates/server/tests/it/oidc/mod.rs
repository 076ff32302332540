//! People whom an identity provider vouches for: a certified one that others wrote, and one that lies.

mod certified;
mod command_line;
mod hostile;
mod logout;
mod operated;
mod surfer;

use std::{
    io::{BufRead as _, BufReader, Write as _},
    path::{Path, PathBuf},
    process::{Child, ChildStdin, ChildStdout, Command, Stdio},
};

use api::audit::{AuditPage, AuditRow};
use serde_json::{Value, json};

use self::surfer::{Page, Surfer};
use crate::{bench::Server, channels::sink::Pki};

const SECRET: &str = "a secret of 100% + some &";

/// The provider of `web/provider`, ended with the test.
struct Provider {
    child: Child,
    says: BufReader<ChildStdout>,
    hears: ChildStdin,
    port: u16,
}

impl Provider {
    fn start(pki: &Pki, folder: &Path) -> Self {
        let scripts = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../web/provider");
        let hint = "`cargo xtask test` installs what tests of logging in need";
        assert!(scripts.join("node_modules/oidc-provider").is_dir(), "no provider: {hint}");
        let (cert, key) = pki.write(folder);
        let log = std::fs::File::create(folder.join("provider.log")).unwrap();
        let mut child = Command::new("node")
            .arg("provider.mjs")
            .current_dir(scripts)
            .env("PROVIDER_CERT", cert)
            .env("PROVIDER_KEY", key)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(log)
            .spawn()
            .unwrap_or_else(|err| panic!("node: {err}; {hint}"));
        let says = BufReader::new(child.stdout.take().unwrap());
        let hears = child.stdin.take().unwrap();
        let mut provider = Self { child, says, hears, port: 0 };
        provider.port = provider.says()["port"].as_u64().unwrap().try_into().unwrap();
        provider
    }

    fn says(&mut self) -> Value {
        let mut line = String::new();
        self.says.read_line(&mut line).unwrap();
        serde_json::from_str(&line)
            .unwrap_or_else(|err| panic!("{err}: the provider said {line:?}"))
    }

    /// Has it serve this server, with new keys that sign by `alg`.
    fn serve(&mut self, server: &Server, secret: Option<&str>, alg: &str) {
        self.serve_at(&address(server), secret, alg);
    }

    /// The same, of servers with this address.
    fn serve_at(&mut self, own: &str, secret: Option<&str>, alg: &str) {
        self.be(own, json!({ "client_secret": secret, "alg": alg }));
    }

    /// Has it serve servers with this address as `more` says, with new keys.
    fn be(&mut self, own: &str, more: Value) {
        let mut be = json!({
            "redirect_uri": format!("{own}/v1/oidc/callback"),
            "post_logout_redirect_uri": format!("{own}/login"),
        });
        be.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        writeln!(self.hears, "{be}").unwrap();
        assert_eq!(self.says()["ready"], true);
    }
}

impl Drop for Provider {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// The server as browsers have it.
fn address(server: &Server) -> String {
    let (_, port) = server.listen().rsplit_once(':').unwrap();
    format!("https://localhost:{port}")
}

/// A configuration that asks the provider on this port.
fn configuration(folder: &Path, pki: &Pki, port: u16, secret: Option<&str>) -> String {
    std::fs::write(folder.join("provider-ca.pem"), &pki.ca_pem).unwrap();
    let ca = folder.join("provider-ca.pem").display().to_string();
    let mut text = format!(
        "names = ['localhost']\n\
         [oidc]\nissuer = 'https://127.0.0.1:{port}'\nclient_id = 'bootproof'\nname = 'Example & Co'\n\
         ca_file = '{ca}'\n"
    );
    if let Some(secret) = secret {
        std::fs::write(folder.join("client-secret"), format!("{secret}\n")).unwrap();
        let file = folder.join("client-secret").display().to_string();
        text.push_str(&format!("client_secret_file = '{file}'\n"));
    }
    text.push_str(
        "[[oidc.role]]\ngroups = ['boot-admins', 'others']\nrole = 'admin'\n\
         [[oidc.role]]\ngroups = ['muc-operators']\nrole = 'operator'\nhosts = { site = 'muc' }\n",
    );
    text
}

fn surfer(server: &Server, pki: &Pki) -> Surfer {
    let own = std::fs::read_to_string(server.data.path().join("ca.pem")).unwrap();
    Surfer::new(&[&own, &pki.ca_pem])
}

/// Who is at the end of a request with the session's cookie.
fn who(surfer: &mut Surfer, server: &Server) -> Value {
    let page = surfer.ask("GET", &format!("{}/v1/whoami", address(server)), &[]);
    serde_json::from_str(&page.body).unwrap()
}

/// Rows of the audit log with this action.
async fn told(server: &Server, action: &str) -> Vec<AuditRow> {
    let audit: AuditPage = server.admin.get("/v1/audit").await.unwrap();
    audit.rows.into_iter().filter(|row| row.action == action).collect()
}

/// Shows the provider who one is, where it asks, and agrees to what it asks then.
fn sign_in(surfer: &mut Surfer, page: Page, name: &str, until: &str) -> Page {
    let mut page = surfer.follow_until(page, until);
    let mut n_forms = 0;
    while page.status == 200 && page.body.contains("<form") && page.url.contains("/interaction/") {
        n_forms += 1;
        assert!(n_forms < 4, "the provider asks again and again: {}", page.body);
        let prompt = if page.body.contains("name=\"login\"") { "login" } else { "consent" };
        let form = [("prompt", prompt), ("login", name), ("password", "x")];
        let sent = surfer.ask("POST", &page.action(), &form);
        page = surfer.follow_until(sent, until);
    }
    page
}
