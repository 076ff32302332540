//! Logging in by a browser: the person shows there who it is, and the browser brings a code to a loopback port
//! of this process. [RFC 8252 §7.3]

use std::{
    path::{Path, PathBuf},
    process::{Command, Stdio},
    time::Duration,
};

use anyhow::{Context as _, anyhow};
use api::{
    oidc::{CODE_BYTES_MAX, CliLogin, CodeRequest},
    people::SessionBegun,
};
use aws_lc_rs::{
    digest::{SHA256, digest},
    rand,
};
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use client::Client;
use tokio::{
    io::{AsyncRead, AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpListener,
    time::timeout,
};
use zeroize::Zeroizing;

use crate::{
    error::CliError,
    output::{Output, plain},
};

/// How long a person may take in the browser: as long as the server lets a login take.
const WAIT_MAX: Duration = Duration::from_secs(600);

/// How long a browser may take for its request once it is connected; some open connections that they never use.
const REQUEST_MAX: Duration = Duration::from_secs(5);

/// Bytes of a request's first line: the code and some words.
const LINE_BYTES_MAX: usize = CODE_BYTES_MAX + 1024;

/// Bytes of a whole request: browsers send a loopback address the cookies of every program that ever answered
/// there.
const HEAD_BYTES_MAX: usize = 64 * 1024;

const DONE: &str = "You are signed in on the command line. This page can be closed.";
const NOT_OURS: &str = "This is not the login that the command line waits for.";

fn random_text() -> Result<Zeroizing<String>, CliError> {
    let mut bytes = Zeroizing::new([0; 32]);
    rand::fill(bytes.as_mut()).map_err(|_| anyhow!("no random numbers"))?;
    Ok(Zeroizing::new(URL_SAFE_NO_PAD.encode(*bytes)))
}

/// Has a person log in by a browser, and begins the session.
pub(super) async fn run(
    client: &Client,
    browser: Option<&Path>,
    output: &Output,
) -> Result<SessionBegun, CliError> {
    let ways = client.get_login_ways().await?;
    let Some(begins) = ways.oidc_login else {
        return Err(CliError::with_hint(
            anyhow!("the server asks no identity provider"),
            "`bootproof login NAME` asks for the password of an account; an administrator sets [oidc] in the \
             server's configuration",
        ));
    };
    if !begins.starts_with("https://") {
        return Err(anyhow!("the server names no https address at which a login begins").into());
    }
    let listener = TcpListener::bind(("127.0.0.1", 0)).await.context("no port of 127.0.0.1")?;
    let verifier = random_text()?;
    let login = CliLogin {
        port: listener.local_addr().context("no port of 127.0.0.1")?.port(),
        challenge: URL_SAFE_NO_PAD.encode(digest(&SHA256, verifier.as_bytes())),
        state: random_text()?.to_string(),
    };
    let CliLogin { port, challenge, state } = &login;
    let address = format!("{begins}?port={port}&challenge={challenge}&state={state}");
    let opened = open(&address, browser);
    let told = if opened { "A browser opens" } else { "Open in a browser on this machine" };
    output.note(&format!("{told}: {}\nIts page must show: {}", plain(&address), login.shown()));
    let waited = timeout(WAIT_MAX, wait_for_code(&listener, state)).await;
    let code = waited.map_err(|_| {
        CliError::with_hint(anyhow!("nobody logged in within ten minutes"), "run it again")
    })??;
    let request = CodeRequest { code: code.to_string(), verifier: verifier.to_string() };
    Ok(client.log_in_by_code(&request).await?)
}

/// Opens the address; `false`: there is nothing to open it with.
fn open(address: &str, named: Option<&Path>) -> bool {
    let of_variable = || std::env::var_os("BROWSER").filter(|name| !name.is_empty());
    let has_desktop =
        || ["WAYLAND_DISPLAY", "DISPLAY"].iter().any(|name| std::env::var_os(name).is_some());
    let program = match named {
        Some(program) => program.to_owned(),
        None => match of_variable() {
            Some(program) => PathBuf::from(program),
            None if has_desktop() => PathBuf::from("xdg-open"),
            None => return false,
        },
    };
    let mut command = Command::new(program);
    command.arg(address).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    // It lives on by itself: a browser that stays open keeps nobody waiting here.
    command.spawn().is_ok()
}

/// Waits for the request with this state; others, of pages that try ports, are told that they are wrong.
async fn wait_for_code(listener: &TcpListener, state: &str) -> Result<Zeroizing<String>, CliError> {
    loop {
        let (mut stream, _) = listener.accept().await.context("no connection")?;
        let line = match timeout(REQUEST_MAX, first_line(&mut stream)).await {
            Ok(Ok(line)) => line,
            _ => continue,
        };
        let code = code_of(&line, state);
        let (status, said) = match code {
            Some(_) => ("200 OK", DONE),
            None => ("404 Not Found", NOT_OURS),
        };
        let answer = format!(
            "HTTP/1.1 {status}\r\ncontent-type: text/plain; charset=utf-8\r\ncontent-length: {}\r\n\
             cache-control: no-store\r\nreferrer-policy: no-referrer\r\nconnection: close\r\n\r\n{said}",
            said.len()
        );
        let _ = timeout(REQUEST_MAX, stream.write_all(answer.as_bytes())).await;
        let _ = stream.shutdown().await;
        if let Some(code) = code {
            return Ok(code);
        }
    }
}

/// The first line of a request, once the whole request is here: a connection that is closed with something
/// unread is reset, and the browser may never show the answer.
async fn first_line(stream: &mut (impl AsyncRead + Unpin)) -> std::io::Result<Zeroizing<String>> {
    let mut head = Zeroizing::new(Vec::with_capacity(LINE_BYTES_MAX));
    let (mut piece, mut rest, mut read) = (Zeroizing::new([0; 4096]), [0; 4], 0);
    while !rest.ends_with(b"\n\r\n") && !rest.ends_with(b"\n\n") {
        let count = stream.read(piece.as_mut()).await?;
        read += count;
        if count == 0 || read > HEAD_BYTES_MAX {
            return Err(std::io::ErrorKind::InvalidData.into());
        }
        let piece = piece.get(..count).unwrap_or_default();
        let room = LINE_BYTES_MAX - head.len();
        head.extend(piece.iter().take(room));
        for byte in piece.iter().skip(count.saturating_sub(rest.len())) {
            rest.rotate_left(1);
            rest[3] = *byte;
        }
    }
    let line = head.split(|byte| *byte == b'\n').next().unwrap_or_default();
    Ok(Zeroizing::new(String::from_utf8_lossy(line).into_owned()))
}

/// The code that a request brings, if it is for this login. Both are plain characters, which no browser
/// escapes.
fn code_of(line: &str, state: &str) -> Option<Zeroizing<String>> {
    let query = line.strip_prefix("GET /?")?.split(' ').next()?;
    let field = |wanted: &str| {
        let mut fields = query.split('&').filter_map(|field| field.split_once('='));
        fields.find(|(name, _)| *name == wanted).map(|(_, value)| value)
    };
    let is_ours = field("state") == Some(state);
    field("code")
        .filter(|code| is_ours && !code.is_empty())
        .map(|code| Zeroizing::new(code.to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_request_is_read_to_its_end_before_it_is_answered() {
        let long = format!("GET / HTTP/1.1\r\ncookie: {}\r\n\r\n", "c".repeat(20_000));
        let over = format!("GET / HTTP/1.1\r\ncookie: {}", "c".repeat(HEAD_BYTES_MAX));
        for (request, in_pieces_of, line) in [
            ("GET /?code=c HTTP/1.1\r\nhost: x\r\n\r\n", 1000, Some("GET /?code=c HTTP/1.1\r")),
            ("GET /?code=c HTTP/1.1\r\nhost: x\r\n\r\n", 1, Some("GET /?code=c HTTP/1.1\r")),
            ("GET / HTTP/1.0\n\n", 3, Some("GET / HTTP/1.0")),
            (&long, 4096, Some("GET / HTTP/1.1\r")),
            ("GET / HTTP/1.1\r\nhost: x\r\n", 1000, None),
            (&over, 4096, None),
            ("", 1, None),
        ] {
            let (mut browser, mut stream) = tokio::io::duplex(in_pieces_of);
            let send = async move {
                let _ = browser.write_all(request.as_bytes()).await;
                let _ = browser.shutdown().await;
                // What is not read stays on the way, and is seen by who closes.
                browser
            };
            let (browser, read) = tokio::join!(send, first_line(&mut stream));
            assert_eq!(read.ok().as_ref().map(|line| line.as_str()), line, "{request:.60}");
            let mut unread = Vec::new();
            drop(browser);
            if line.is_some() {
                stream.read_to_end(&mut unread).await.unwrap();
                assert_eq!(unread, b"", "{request:.60}");
            }
        }
    }

    #[test]
    fn a_code_counts_with_the_state_of_this_login() {
        let code = |line: &str| code_of(line, "s").map(|code| code.to_string());
        assert_eq!(code("GET /?code=c&state=s HTTP/1.1\r").as_deref(), Some("c"));
        assert_eq!(code("GET /?state=s&code=c&x=y HTTP/1.1\r").as_deref(), Some("c"));
        for other in [
            "GET /?code=c&state=t HTTP/1.1",
            "GET /?code=c HTTP/1.1",
            "GET /?code=&state=s HTTP/1.1",
            "GET /favicon.ico HTTP/1.1",
            "POST /?code=c&state=s HTTP/1.1",
            "",
        ] {
            assert_eq!(code(other), None, "{other}");
        }
    }
}
