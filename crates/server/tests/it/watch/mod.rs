//! `--watch`: the real program on a real terminal, through pipes, and over a server that comes and goes.

mod terminal;

use std::{
    io::{BufRead as _, BufReader, Read as _},
    path::Path,
    process::{Child, ChildStdout, Command, Stdio},
};

use api::inventory::MaintenanceRequest;
use rustix::process::{Pid, Signal, kill_process};
use serde_json::{Value, json};
use testkit::{log::BootLog, wait};

use crate::{
    bench::{Host, Server},
    references::reboot,
};
use terminal::Terminal;

/// The command's words, for the program that this test is then.
const WORDS: &str = "BOOTPROOF_TEST_WORDS";

/// Is `bootproof`, where it was started with words; else starts itself so, for a context that is not there.
#[test]
fn the_program_ends_with_2_without_a_context() {
    use clap::Parser as _;
    let Ok(words) = std::env::var(WORDS) else {
        let done = program(Path::new("/nonexistent/context.toml"), &["host", "list", "--watch"])
            .stderr(Stdio::piped())
            .output()
            .unwrap();
        assert_eq!(done.status.code(), Some(2), "{done:?}");
        assert!(String::from_utf8_lossy(&done.stderr).contains("hint:"), "{done:?}");
        return;
    };
    let words: Vec<String> = serde_json::from_str(&words).unwrap();
    let arguments = cli::args::Arguments::parse_from(words);
    let output = cli::Output::new(arguments.json);
    let code = match cli::run(&arguments, &output) {
        Ok(cli::Exit::Done) => 0,
        Ok(cli::Exit::No) => 1,
        Ok(cli::Exit::Unsure) => 2,
        Err(err) => {
            cli::report_error(&err, &output);
            2
        }
    };
    std::process::exit(code)
}

/// `bootproof` with these words.
fn program(context: &Path, words: &[&str]) -> Command {
    let mut all = vec!["bootproof", "--context", context.to_str().unwrap()];
    all.extend(words);
    let mut command = Command::new(std::env::current_exe().unwrap());
    let test = "watch::the_program_ends_with_2_without_a_context";
    command.args(["--exact", test, "--nocapture"]).stdin(Stdio::null());
    command.env(WORDS, json!(all).to_string()).env("TZ", "UTC").env_remove("NO_COLOR");
    command
}

/// One that watches through pipes.
struct Watching {
    child: Child,
    stdout: BufReader<ChildStdout>,
}

impl Watching {
    fn start(context: &Path, words: &[&str]) -> Self {
        let mut command = program(context, words);
        let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        let stdout = BufReader::new(child.stdout.take().unwrap());
        Self { child, stdout }
    }

    /// The next line that is JSON: before the first the test's own words stand.
    fn json(&mut self) -> Value {
        loop {
            let line = self.line();
            if let Ok(value @ (Value::Array(_) | Value::Object(_))) = serde_json::from_str(&line) {
                return value;
            }
        }
    }

    /// The next line with these words.
    fn line_with(&mut self, words: &str) -> String {
        loop {
            let line = self.line();
            if line.contains(words) {
                return line;
            }
        }
    }

    fn line(&mut self) -> String {
        let mut line = String::new();
        assert_ne!(self.stdout.read_line(&mut line).unwrap(), 0, "it ended");
        line
    }

    /// Ctrl-C: the exit code, and what was remarked.
    fn interrupt(self) -> (Option<i32>, String) {
        kill_process(Pid::from_child(&self.child), Signal::INT).unwrap();
        self.end()
    }

    fn end(mut self) -> (Option<i32>, String) {
        let mut remarks = String::new();
        self.child.stderr.take().unwrap().read_to_string(&mut remarks).unwrap();
        (self.child.wait().unwrap().code(), remarks)
    }
}

fn context(server: &Server) -> std::path::PathBuf {
    server.data.path().join("admin.toml")
}

async fn maintenance(server: &Server, id: &str, reason: &str) {
    let request = MaintenanceRequest { reason: reason.to_owned(), until_ms: None };
    server.admin.post::<_, ()>(&format!("/v1/hosts/{id}/maintenance"), &request).await.unwrap();
}

fn columns(line: &str) -> usize {
    line.chars().count()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_list_is_drawn_over_itself_and_fits_its_window() {
    let server = Server::start().await;
    server.trust().await;
    let off = Host::boot("web-1", &BootLog::sound().secure_boot_off());
    let off_id = server.join(&off).await.host_id;
    off.attest(&server).await.unwrap();
    server.wait_for(&off_id, "not accepted", Some("secure-boot-off")).await;

    let (terminal, program_side) = Terminal::open(120, 24);
    let mut command = program(&context(&server), &["host", "list", "--watch"]);
    let mut child = command.stdout(program_side).stderr(Stdio::null()).spawn().unwrap();
    drop(command);
    let pid = Pid::from_child(&child);
    let shows = |words: &str| {
        wait::until(words, || {
            let seen = terminal.seen();
            seen.iter().any(|line| line.contains(words)).then_some(seen)
        })
    };
    let seen = shows("Ctrl-C ends");
    let table = |seen: &[String]| -> Vec<String> {
        seen.iter().filter(|line| line.contains(['│', '┌', '└', '╞'])).cloned().collect()
    };
    let rows = table(&seen);
    assert!(
        rows.iter().any(|line| line.contains("web-1") && line.contains("not accepted")),
        "{seen:?}"
    );
    let width = columns(&rows[0]);
    assert!(width <= 120 && rows.iter().all(|line| columns(line) == width), "{rows:#?}");
    assert!(rows.iter().any(|line| line.contains('…')), "what does not fit is cut: {rows:#?}");
    assert!(terminal.written().contains("\x1b[?25l"), "the cursor is hidden");

    // A change is seen without asking, in the same place.
    maintenance(&server, &off_id, "new board").await;
    let seen = shows("in maint");
    assert_eq!(table(&seen).len(), rows.len(), "{seen:#?}");
    assert_eq!(seen.iter().filter(|line| line.contains("web-1")).count(), 1, "{seen:#?}");
    server.join(&Host::without_tpm("another")).await;
    let seen = shows("another");
    assert!(table(&seen).len() > rows.len(), "{seen:#?}");
    assert!(!terminal.written().contains("\x1b[2J"), "the window was never cleared");

    // A window of another size.
    terminal.resize(44, 24);
    kill_process(pid, Signal::WINCH).unwrap();
    wait::until("a narrow table", || {
        let written = terminal.written();
        let last = &written[written.rfind("\x1b[?2026h")?..];
        let lines: Vec<_> =
            last.split("\x1b[K").map(plain).filter(|line| line.contains('│')).collect();
        let fits = lines.iter().all(|line| columns(line) <= 44);
        (last.contains("\x1b[?2026l") && !lines.is_empty() && fits).then_some(())
    });

    kill_process(pid, Signal::INT).unwrap();
    assert_eq!(child.wait().unwrap().code(), Some(0));
    wait::until("the cursor is there again", || {
        terminal.written().ends_with("\x1b[?25h").then_some(())
    });
}

/// A line without what colours it.
fn plain(line: &str) -> String {
    let mut shown = String::new();
    let mut is_code = false;
    for c in line.chars() {
        match c {
            '\x1b' => is_code = true,
            c if is_code => is_code = !c.is_ascii_alphabetic(),
            '\r' | '\n' => {}
            c => shown.push(c),
        }
    }
    shown
}

#[tokio::test(flavor = "multi_thread")]
async fn through_a_pipe_each_change_is_a_line_or_a_block() {
    let server = Server::start().await;
    server.trust().await;
    let mut host = Host::boot("web-1", &BootLog::sound());
    let id = server.join(&host).await.host_id;
    host.attest(&server).await.unwrap();
    server.wait_for(&id, "accepted", None).await;

    let mut alarms = Watching::start(&context(&server), &["alarm", "list", "--watch", "--json"]);
    assert_eq!(alarms.json(), json!([]));
    let mut shown = Watching::start(&context(&server), &["host", "show", "web-1", "--watch"]);
    assert!(shown.line_with("web-1: ").contains("accepted"));
    shown.line_with("PCRs, sha256");

    reboot(&mut host, &BootLog::sound().secure_boot_off());
    host.attest(&server).await.unwrap();
    loop {
        let groups = alarms.json();
        if groups.as_array().unwrap().iter().any(|group| group["code"] == "secure-boot-off") {
            break;
        }
    }
    shown.line_with("--- ");
    shown.line_with("web-1: not accepted");
    shown.line_with("next: ");
    assert!(shown.line_with("judgements").contains("✓✕"));

    let (code, remarks) = alarms.interrupt();
    assert_eq!((code, remarks.as_str()), (Some(1), ""), "an alarm stands that nobody knows of");
    let (code, remarks) = shown.interrupt();
    assert_eq!((code, remarks.as_str()), (Some(0), ""));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_comes_back_is_listened_to_again_and_an_ended_token_is_told() {
    let mut server = Server::start().await;
    let folder = tempfile::tempdir().unwrap();
    let host = Host::without_tpm("web-1");
    let id = server.join(&host).await.host_id;
    // Another context, whose token will end.
    let request = json!({ "name": "wall", "role": "viewer", "expires_in_s": 3600 });
    let made: Value = server.admin.post("/v1/api-tokens", &request).await.unwrap();
    let own = std::fs::read_to_string(context(&server)).unwrap();
    let other: String = own
        .lines()
        .map(|line| match line.starts_with("token") {
            true => format!("token = {}\n", made["token"]),
            false => format!("{line}\n"),
        })
        .collect();
    let wall_context = folder.path().join("wall.toml");
    std::fs::write(&wall_context, other).unwrap();
    std::fs::set_permissions(&wall_context, std::os::unix::fs::PermissionsExt::from_mode(0o600))
        .unwrap();

    let mut list = Watching::start(&context(&server), &["host", "list", "--watch", "--json"]);
    assert_eq!(list.json()[0]["name"], "web-1");
    let mut wall = Watching::start(&wall_context, &["host", "list", "--watch", "--json"]);
    assert_eq!(wall.json()[0]["name"], "web-1");
    server.admin.delete::<()>("/v1/api-tokens/wall").await.unwrap();

    server.kill_and_restart().await;
    maintenance(&server, &id, "while nobody listened").await;
    let seen = list.json();
    assert_eq!(seen[0]["maintenance"]["reason"], "while nobody listened", "{seen}");
    let (code, remarks) = list.interrupt();
    assert_eq!(code, Some(0));
    assert!(remarks.contains("again"), "{remarks}");

    let (code, remarks) = wall.end();
    assert_eq!(code, Some(2), "{remarks}");
    assert!(remarks.contains("error: ") && remarks.contains("hint: "), "{remarks}");
}
