//! A server process and hosts, for one test.

use std::{
    fs::File,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    sync::LazyLock,
};

use agent::{
    Fixed, Sources, courier, enrol,
    enrol::Enrolled,
    session::{Session, SharedSession, TpmChoice},
    source,
    state::{Credentials, Member, StateFile},
};
use api::{
    admin::{Approval, HostDetail, HostPage, NewToken, TokenRequest, TrustRequest},
    agent::{Evidence, EvidenceReply, KeySays, PollReply, PollRequest, TpmSays},
    inventory::Labels,
};
use client::{CaPin, Client, ClientError, Context, Trust};
use store::{SqliteStore, Store};
use testkit::{
    boot::boot,
    log::BootLog,
    swtpm::{Ca, Swtpm},
    wait,
};
use tpm_wire::PcrSet;

/// The authority of all TPMs of these tests: made once a process.
pub(crate) static CA: LazyLock<Ca> = LazyLock::new(|| Ca::new().unwrap());

/// A server process with its data. Dropping it ends the process by a signal that cannot be caught.
pub(crate) struct Server {
    child: Child,
    listen: String,
    pub(crate) data: tempfile::TempDir,
    pub(crate) admin: Client,
}

impl Server {
    pub(crate) async fn start() -> Self {
        Self::start_with("").await
    }

    /// With lines of a configuration.
    pub(crate) async fn start_with(config: &str) -> Self {
        let data = tempfile::tempdir().unwrap();
        std::fs::write(data.path().join("server.toml"), config).unwrap();
        Self::start_in(data).await
    }

    /// With variables of the environment.
    pub(crate) async fn start_in_environment(config: &str, variables: &[(&str, &str)]) -> Self {
        let data = tempfile::tempdir().unwrap();
        std::fs::write(data.path().join("server.toml"), config).unwrap();
        let child = command(data.path(), "127.0.0.1:0").envs(variables.iter().copied()).spawn();
        let admin = admin(data.path()).await;
        let listen = admin.base().strip_prefix("https://").unwrap().to_owned();
        Self { child: child.unwrap(), listen, data, admin }
    }

    /// SIGTERM, and its end.
    pub(crate) async fn end_gracefully(&mut self) {
        let pid = self.pid().to_string();
        assert!(Command::new("kill").args(["-TERM", &pid]).status().unwrap().success());
        let deadline = tokio::time::Instant::now() + wait::TIME_MAX;
        while self.child.try_wait().unwrap().is_none() {
            assert!(tokio::time::Instant::now() < deadline, "it does not end");
            tokio::time::sleep(std::time::Duration::from_millis(20)).await;
        }
    }

    pub(crate) async fn start_in(data: tempfile::TempDir) -> Self {
        let child = spawn(data.path(), "127.0.0.1:0");
        let admin = admin(data.path()).await;
        let listen = admin.base().strip_prefix("https://").unwrap().to_owned();
        Self { child, listen, data, admin }
    }

    /// kill -9, and a start on the same data and port.
    pub(crate) async fn kill_and_restart(&mut self) {
        self.kill();
        self.restart().await;
    }

    /// kill -9.
    pub(crate) fn kill(&mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }

    /// SIGTERM, and its end.
    pub(crate) fn terminate(&mut self) {
        let id = i32::try_from(self.child.id()).ok().and_then(rustix::process::Pid::from_raw);
        rustix::process::kill_process(id.unwrap(), rustix::process::Signal::TERM).unwrap();
        assert!(self.child.wait().unwrap().success());
    }

    /// A start on the same data and port, of one that was killed.
    pub(crate) async fn restart(&mut self) {
        self.child = spawn(self.data.path(), &self.listen);
        self.admin = admin(self.data.path()).await;
    }

    /// A start on the same data and port with variables of the environment, of one that was killed.
    pub(crate) async fn restart_in_environment(&mut self, variables: &[(&str, &str)]) {
        let mut command = command(self.data.path(), &self.listen);
        self.child = command.envs(variables.iter().copied()).spawn().unwrap();
        self.admin = admin(self.data.path()).await;
    }

    /// Waits until it ended by itself, without a fault.
    pub(crate) fn ends_well(&mut self) {
        let ended = wait::until("the server ends", || self.child.try_wait().unwrap());
        assert!(ended.success(), "{ended}");
    }

    /// Where it listens.
    pub(crate) fn listen(&self) -> &str {
        &self.listen
    }

    /// Another server that shares the store, its authority and its administrator with this one.
    pub(crate) async fn beside(&self) -> Self {
        let data = tempfile::tempdir().unwrap();
        for name in ["server.toml", "ca.pem", "ca.key", "admin.toml"] {
            std::fs::copy(self.data.path().join(name), data.path().join(name)).unwrap();
        }
        // Until the server has written its own, the context leads to the first one.
        let first = std::fs::read_to_string(data.path().join("admin.toml")).unwrap();
        let child = spawn(data.path(), "127.0.0.1:0");
        wait::until("the second server writes its own context", || {
            let context = std::fs::read_to_string(data.path().join("admin.toml")).ok()?;
            (context != first).then_some(())
        });
        let admin = admin(data.path()).await;
        let listen = admin.base().strip_prefix("https://").unwrap().to_owned();
        Self { child, listen, data, admin }
    }

    /// Starts a server that does not come up, and gives what it says about that.
    pub(crate) fn refused(data: &Path) -> String {
        let mut child = spawn(data, "127.0.0.1:0");
        let ended = wait::until("the server ends by itself", || child.try_wait().unwrap());
        assert_eq!(ended.code(), Some(1));
        std::fs::read_to_string(data.join("server.log")).unwrap()
    }

    /// Ends the server and gives its database.
    pub(crate) fn into_store(mut self) -> (SqliteStore, tempfile::TempDir) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
        let store = SqliteStore::open(self.data.path().join("bootproof.db")).unwrap();
        let data = std::mem::replace(&mut self.data, tempfile::tempdir().unwrap());
        (store, data)
    }

    /// The file of the database, as somebody else on the machine would open it.
    pub(crate) fn database(&self) -> rusqlite::Connection {
        rusqlite::Connection::open(self.data.path().join("bootproof.db")).unwrap()
    }

    /// Its process.
    pub(crate) fn pid(&self) -> u32 {
        self.child.id()
    }

    /// The lines that the server wrote.
    pub(crate) fn log(&self) -> String {
        std::fs::read_to_string(self.data.path().join("server.log")).unwrap()
    }

    pub(crate) async fn pin(&self) -> CaPin {
        let server: api::admin::Server = self.admin.get("/v1/server").await.unwrap();
        server.ca_sha256.parse().unwrap()
    }

    /// Trusts the authority of the test TPMs.
    pub(crate) async fn trust(&self) {
        for pem in [CA.root_pem().unwrap(), CA.issuer_pem().unwrap()] {
            let certificates = pem.into_bytes().into();
            let request = TrustRequest { certificates, source: "test".to_owned() };
            let _: Vec<api::admin::TrustedCertificate> =
                self.admin.post("/v1/trust", &request).await.unwrap();
        }
    }

    pub(crate) async fn token(&self, uses_max: Option<u32>, approval: Approval) -> NewToken {
        let (labels, note) = (Labels::new(), String::new());
        let request =
            TokenRequest { expires_in_s: 600, uses_max, approval, labels, listed_on: None, note };
        self.admin.post("/v1/tokens", &request).await.unwrap()
    }

    /// Joins `host` with a token of its own.
    pub(crate) async fn join(&self, host: &Host) -> Enrolled {
        let token = self.token(Some(1), Approval::NotRequired).await;
        host.join(self, &token.token).await.unwrap()
    }

    pub(crate) async fn hosts(&self) -> Vec<api::admin::Host> {
        let page: HostPage = self.admin.get("/v1/hosts").await.unwrap();
        page.hosts
    }

    pub(crate) async fn host(&self, id: &str) -> HostDetail {
        self.admin.get(&format!("/v1/hosts/{id}")).await.unwrap()
    }

    pub(crate) async fn steer(&self, id: &str, verb: &str) {
        let path = format!("/v1/hosts/{id}/{verb}");
        let _: serde_json::Value = self.admin.post(&path, &()).await.unwrap();
    }

    /// Waits until the host stands so.
    pub(crate) async fn wait_for(&self, id: &str, verdict: &str, code: Option<&str>) -> HostDetail {
        let deadline = tokio::time::Instant::now() + wait::TIME_MAX;
        loop {
            let detail = self.host(id).await;
            let found = code.is_none_or(|code| has(&detail.host.findings, code));
            if detail.host.verdict == verdict && found {
                return detail;
            }
            let now = &detail.host;
            assert!(
                tokio::time::Instant::now() < deadline,
                "{verdict} {code:?} never came: {now:?}"
            );
            tokio::time::sleep(std::time::Duration::from_millis(20)).await;
        }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

fn spawn(data: &Path, listen: &str) -> Child {
    command(data, listen).spawn().unwrap()
}

fn command(data: &Path, listen: &str) -> Command {
    let log = File::options().create(true).append(true).open(data.join("server.log")).unwrap();
    // A file that may not grow is refused, as on a disk without room, and no reason to be killed.
    let mut command = Command::new("sh");
    command
        .args(["-c", "trap '' XFSZ; exec \"$@\"", "sh", env!("CARGO_BIN_EXE_bootproof-server")])
        .arg("--config")
        .arg(data.join("server.toml"))
        .arg("--data-dir")
        .arg(data)
        .args(["--listen", listen])
        .stdin(Stdio::null())
        .stdout(log.try_clone().unwrap())
        .stderr(log);
    command
}

async fn admin(data: &Path) -> Client {
    let deadline = tokio::time::Instant::now() + wait::TIME_MAX;
    loop {
        if let Ok(context) = Context::load(Some(&data.join("admin.toml"))) {
            let client = context.client().unwrap();
            if client.get::<HostPage>("/v1/hosts").await.is_ok() {
                return client;
            }
        }
        let log = || std::fs::read_to_string(data.join("server.log")).unwrap_or_default();
        assert!(tokio::time::Instant::now() < deadline, "the server did not start:\n{}", log());
        tokio::time::sleep(std::time::Duration::from_millis(10)).await;
    }
}

/// The challenge that stored evidence answers.
pub(crate) fn answered(parts: &[store::EvidencePart]) -> Vec<u8> {
    let answer = parts.iter().find(|part| part.name == "answer").unwrap();
    serde_json::from_slice::<Evidence>(&answer.bytes).unwrap().nonce.0
}

/// Whether there is a finding of this code.
pub(crate) fn has(findings: &[api::finding::Finding], code: &str) -> bool {
    findings.iter().any(|finding| finding.code == code)
}

/// A host: a software TPM that booted a log, and an agent's state.
pub(crate) struct Host {
    pub(crate) name: String,
    pub(crate) tpm: Option<Swtpm>,
    pub(crate) session: SharedSession,
    pub(crate) file: StateFile,
    pub(crate) sources: Sources,
    folder: tempfile::TempDir,
}

impl Host {
    pub(crate) fn boot(name: &str, log: &BootLog) -> Self {
        Self::boot_with_banks(name, "sha256", log)
    }

    pub(crate) fn boot_with_banks(name: &str, banks: &str, log: &BootLog) -> Self {
        let tpm = Swtpm::builder().banks(banks).ek_cert(&CA).name(name).start().unwrap();
        let built = log.build();
        boot(&tpm, &built).unwrap();
        Self::with(name, TpmChoice::At(tpm.address().parse().unwrap()), &built.bytes, Some(tpm))
    }

    pub(crate) fn without_tpm(name: &str) -> Self {
        Self::with(name, TpmChoice::Without, &[], None)
    }

    pub(crate) fn with(name: &str, choice: TpmChoice, log: &[u8], tpm: Option<Swtpm>) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let event_log = folder.path().join("eventlog.bin");
        std::fs::write(&event_log, log).unwrap();
        Self {
            name: name.to_owned(),
            tpm,
            session: SharedSession::new(Session::new(choice)),
            file: StateFile::in_folder(&folder.path().join("state")).unwrap(),
            sources: Sources {
                event_log,
                acpi_tpm2: folder.path().join("none"),
                userspace_log: folder.path().join("tpm2-measure.log"),
                ima_list: None,
                dmi: folder.path().to_owned(),
                os_release: folder.path().join("none"),
                root: folder.path().join("kernel"),
                fixed: Fixed::default(),
            },
            folder,
        }
    }

    pub(crate) fn log_file(&self) -> PathBuf {
        self.folder.path().join("eventlog.bin")
    }

    pub(crate) async fn join(&self, server: &Server, token: &str) -> anyhow::Result<Enrolled> {
        let mut state = self.file.load()?;
        let client = Client::new(server.admin.base(), &Trust::CaPin(server.pin().await))?;
        let described: api::admin::Server = client.get("/v1/server").await?;
        state.member = Some(Member {
            server: client.base().to_owned(),
            ca_pem: described.ca_pem,
            credentials: None,
        });
        let says = source::host::says(Some(self.name.clone()));
        let token = token.to_owned();
        enrol::join(&client, &self.file, &mut state, &self.session, says, token).await
    }

    pub(crate) fn credentials(&self) -> Credentials {
        self.file.load().unwrap().member.unwrap().credentials.unwrap()
    }

    /// A client that shows the host's token.
    pub(crate) fn client(&self, server: &Server) -> Client {
        server.admin.with_token(self.credentials().host_token)
    }

    /// Runs the real courier until the returned task is dropped.
    pub(crate) fn serve(&self) -> Serving {
        let (file, session, sources) =
            (self.file.clone(), self.session.clone(), self.sources.clone());
        Serving(tokio::spawn(async move {
            let (accepted, _) = tokio::sync::watch::channel(None);
            courier::run(&file, &session, &sources, &accepted).await.unwrap();
        }))
    }

    /// Asks for evidence as an administrator, and takes the challenge as an agent.
    pub(crate) async fn challenge(
        &self,
        server: &Server,
    ) -> Result<(Vec<u8>, PcrSet), ClientError> {
        let id = self.credentials().host_id;
        let asked: api::admin::AttestRequested =
            server.admin.post(&format!("/v1/hosts/{id}/attest"), &()).await?;
        assert!(asked.requested_at_ms > 0);
        self.wait_for_challenge(server).await
    }

    /// Waits for a challenge, as an agent does.
    pub(crate) async fn wait_for_challenge(
        &self,
        server: &Server,
    ) -> Result<(Vec<u8>, PcrSet), ClientError> {
        let request = PollRequest {
            tpm: TpmSays::Present,
            agent_version: "test".to_owned(),
            up_s: None,
            key: KeySays::Kept,
        };
        let client = self.client(server);
        match client.post_waiting("/v1/agent/poll", &request, api::POLL_S_MAX).await? {
            PollReply::Attest { nonce, pcrs, .. } => Ok((nonce.0, pcrs.into_iter().collect())),
            other => panic!("{other:?} instead of a challenge"),
        }
    }

    /// Evidence for a challenge, as the agent collects it.
    pub(crate) async fn evidence(&self, nonce: &[u8], pcrs: PcrSet) -> Evidence {
        let kept = self.file.load().unwrap().ak;
        let nonce_bytes = nonce.to_vec();
        let attested = self
            .session
            .run(move |session| session.attest(kept.as_ref(), &nonce_bytes, pcrs))
            .await
            .unwrap()
            .unwrap();
        Evidence {
            nonce: nonce.into(),
            quote: Some(attested.quote),
            pcrs: attested.pcrs,
            event_log: Some(std::fs::read(self.log_file()).unwrap().into()),
            event_log_sha256: None,
            ak_public: Some(attested.ak.public),
            active_banks: attested
                .active_banks
                .iter()
                .filter_map(|alg| alg.hash_name().map(str::to_owned))
                .collect(),
            acpi_tpm2: None,
            userspace_log: None,
            ima_list: None,
            tpm_error: None,
            machine: Some(source::machine::says(&self.sources.dmi)),
            tpm: Some(attested.tpm),
        }
    }

    pub(crate) async fn send(
        &self,
        server: &Server,
        evidence: &Evidence,
    ) -> Result<EvidenceReply, ClientError> {
        self.client(server).post("/v1/agent/evidence", evidence).await
    }

    /// A whole attestation.
    pub(crate) async fn attest(&self, server: &Server) -> Result<EvidenceReply, ClientError> {
        let (nonce, pcrs) = self.challenge(server).await?;
        let evidence = self.evidence(&nonce, pcrs).await;
        self.send(server, &evidence).await
    }
}

/// A running courier.
pub(crate) struct Serving(tokio::task::JoinHandle<()>);

impl Drop for Serving {
    fn drop(&mut self) {
        self.0.abort();
    }
}

/// What the store holds, to see that a refused request changed nothing. The last contact of a host
/// and tokens made by the test itself do not count.
pub(crate) async fn fingerprint(server: &Server) -> String {
    let hosts = server.hosts().await;
    let mut rows = Vec::new();
    for host in hosts {
        let mut detail = server.host(&host.id).await;
        detail.host.last_seen_ms = None;
        detail.host.connection.clear();
        detail.next_due_s = None;
        rows.push(serde_json::to_string(&detail).unwrap());
    }
    let tokens: Vec<api::admin::Token> = server.admin.get("/v1/tokens").await.unwrap();
    let uses: Vec<_> = tokens.iter().map(|token| (token.id.clone(), token.uses)).collect();
    format!("{rows:#?} {uses:?}")
}

/// The code of a refusal.
pub(crate) fn code<T: std::fmt::Debug>(result: Result<T, ClientError>) -> String {
    match result {
        Err(err) => match err.code() {
            Some(code) => code.to_owned(),
            None => panic!("no refusal but {err:?}"),
        },
        Ok(answer) => panic!("not refused: {answer:?}"),
    }
}

/// Pre-sets the key of the server's challenges, so that a test can make some of another time.
pub(crate) async fn with_nonce_key(key: [u8; 32]) -> tempfile::TempDir {
    let data = tempfile::tempdir().unwrap();
    std::fs::write(data.path().join("server.toml"), "").unwrap();
    let store = SqliteStore::open(data.path().join("bootproof.db")).unwrap();
    let kept = store.secret_or_insert("nonce-key", key.to_vec()).await.unwrap();
    assert_eq!(kept, key);
    data
}
