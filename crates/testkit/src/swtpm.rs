//! A software TPM of one's own: [`Swtpm`] makes one, runs it, and ends it when dropped; [`Ca`] signs
//! endorsement key certificates as a vendor would.
//!
//! A swtpm serves one client at a time. A second one connects and then waits, so drop a client
//! before the next one asks, and before [`Swtpm::restart`].

use std::fmt;
use std::fs;
use std::io::{self, Read as _, Write as _};
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::Mutex;
use std::time::{Duration, Instant};

use tempfile::TempDir;
use tpm_wire::command::{self, HEADER_LEN, Shutdown, StartupType};

/// Longest path of a Unix socket with its NUL. [unix(7)]
const SOCKET_PATH_MAX: usize = 108;
/// A swtpm listens within milliseconds; a busy machine with many of them takes longer.
const START_TIME_MAX: Duration = Duration::from_secs(20);
/// Between two looks whether it listens.
const LOOK_AGAIN: Duration = Duration::from_millis(2);
/// For one command: making a key is the slowest.
const COMMAND_TIME_MAX: Duration = Duration::from_secs(60);

/// What went wrong, in a text that says what to do. Shown the same with `{:?}`, so that a test that
/// unwraps it tells.
pub struct SwtpmError(String);

impl fmt::Display for SwtpmError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for SwtpmError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for SwtpmError {}

fn failed<E: fmt::Display>(what: impl fmt::Display) -> impl FnOnce(E) -> SwtpmError {
    move |error| SwtpmError(format!("{what}: {error}"))
}

/// A folder that goes with its owner, or one that stays.
enum Folder {
    Temporary(TempDir),
    Kept(PathBuf),
}

impl Folder {
    fn new(kept: Option<PathBuf>) -> Result<Self, SwtpmError> {
        match kept {
            None => tempfile::tempdir()
                .map(Self::Temporary)
                .map_err(failed("making a temporary folder")),
            Some(path) => match fs::create_dir_all(&path).and_then(|()| fs::canonicalize(&path)) {
                Ok(path) => Ok(Self::Kept(path)),
                Err(error) => Err(failed(path.display())(error)),
            },
        }
    }

    fn path(&self) -> &Path {
        match self {
            Self::Temporary(folder) => folder.path(),
            Self::Kept(path) => path,
        }
    }
}

/// Runs a program to its end; what it said is in the error where it fails.
fn run(program: &str, command: &mut Command) -> Result<(), SwtpmError> {
    let done = command.stdin(Stdio::null()).output().map_err(|error| missing(program, &error))?;
    if done.status.success() {
        return Ok(());
    }
    Err(SwtpmError(format!(
        "{program} failed ({}):\n{}{}",
        done.status,
        String::from_utf8_lossy(&done.stdout),
        String::from_utf8_lossy(&done.stderr),
    )))
}

fn missing(program: &str, error: &io::Error) -> SwtpmError {
    SwtpmError(format!(
        "{program} cannot be run ({error}): install it with `apt-get install swtpm swtpm-tools`"
    ))
}

/// A certificate authority for endorsement keys: a root, and an issuer under it.
pub struct Ca {
    folder: Folder,
    // The issuer's serial number is a file: one certificate after the other.
    lock: Mutex<()>,
}

impl Ca {
    /// One that goes with this value.
    pub fn new() -> Result<Self, SwtpmError> {
        Self::make(None)
    }

    /// The one in `folder`, made where it is not there yet; it stays.
    pub fn in_folder(folder: impl Into<PathBuf>) -> Result<Self, SwtpmError> {
        Self::make(Some(folder.into()))
    }

    fn make(kept: Option<PathBuf>) -> Result<Self, SwtpmError> {
        let folder = Folder::new(kept)?;
        let ca = Self { folder, lock: Mutex::new(()) };
        let at = ca.folder.path().display();
        let files = [
            (
                "setup.conf",
                format!(
                    "create_certs_tool = swtpm_localca\ncreate_certs_tool_config = {at}/localca.conf\n\
                 create_certs_tool_options = {at}/localca.options\n"
                ),
            ),
            (
                "localca.conf",
                format!(
                    "statedir = {at}\nsigningkey = {at}/signkey.pem\nissuercert = {at}/issuercert.pem\n\
                 certserial = {at}/certserial\n"
                ),
            ),
            (
                "localca.options",
                "--platform-manufacturer Bootproof\n--platform-version 1\n\
                 --platform-model testkit\n"
                    .to_owned(),
            ),
        ];
        for (name, text) in files {
            fs::write(ca.file(name), text).map_err(failed(name))?;
        }
        if !ca.file("issuercert.pem").exists() {
            ca.sign_first()?;
        }
        Ok(ca)
    }

    /// The tool makes root and issuer with the first certificate that it signs. This one is for a
    /// key that nobody has (P-384's base point), and is thrown away.
    fn sign_first(&self) -> Result<(), SwtpmError> {
        let thrown_away = Folder::new(None)?;
        run(
            "swtpm_localca",
            Command::new("swtpm_localca")
                .args(["--type", "ek", "--tpm2", "--vmid", "nobody"])
                .args(["--tpm-spec-family", "2.0", "--tpm-spec-level", "0"])
                .args(["--tpm-spec-revision", "164", "--tpm-manufacturer", "id:00001014"])
                .args(["--tpm-model", "swtpm", "--tpm-version", "id:20191023"])
                .args(["--ek", &format!("x={},y={},id=secp384r1", P384_BASE.0, P384_BASE.1)])
                .arg("--dir")
                .arg(thrown_away.path())
                .arg("--configfile")
                .arg(self.file("localca.conf"))
                .arg("--optsfile")
                .arg(self.file("localca.options")),
        )
    }

    fn file(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// The root's certificate, PEM.
    pub fn root_pem(&self) -> Result<String, SwtpmError> {
        read(&self.file("swtpm-localca-rootca-cert.pem"))
    }

    /// The issuer's certificate, signed by the root, PEM.
    pub fn issuer_pem(&self) -> Result<String, SwtpmError> {
        read(&self.file("issuercert.pem"))
    }
}

const P384_BASE: (&str, &str) = (
    "aa87ca22be8b05378eb1c71ef320ad746e1d3b628ba79b9859f741e082542a385502f25dbf55296c3a545e3872760ab7",
    "3617de4a96262c6f5d9e98bf9292dc29f8f41dbd289a147ce9da3113b5f0b8c00a60b1ce1d7e819d7a431d7c90ea0e5f",
);

fn read(path: &Path) -> Result<String, SwtpmError> {
    fs::read_to_string(path).map_err(failed(path.display()))
}

/// What kind of TPM to make.
pub struct Builder<'a> {
    banks: &'a str,
    ca: Option<&'a Ca>,
    rsa_ek_bits: u16,
    name: &'a str,
    folder: Option<PathBuf>,
    tcp: bool,
}

impl<'a> Builder<'a> {
    /// The active PCR banks, with commas between: `sha256` by default.
    #[must_use]
    pub const fn banks(mut self, banks: &'a str) -> Self {
        self.banks = banks;
        self
    }

    /// Gives it endorsement keys with certificates by `ca`: RSA at NV 0x01C00002 and 0x81010001,
    /// P-384 at 0x01C00016 and 0x81010016. Without, it has neither keys nor certificates.
    #[must_use]
    pub const fn ek_cert(mut self, ca: &'a Ca) -> Self {
        self.ca = Some(ca);
        self
    }

    /// Bits of the RSA endorsement key: 2048, or 3072 (then its certificate is at 0x01C0001C).
    #[must_use]
    pub const fn rsa_ek_bits(mut self, bits: u16) -> Self {
        self.rsa_ek_bits = bits;
        self
    }

    /// The common name in its certificates.
    #[must_use]
    pub const fn name(mut self, name: &'a str) -> Self {
        self.name = name;
        self
    }

    /// Keeps state and socket in `folder`. Where a TPM is in it already, that one is started as
    /// it is.
    #[must_use]
    pub fn folder(mut self, folder: impl Into<PathBuf>) -> Self {
        self.folder = Some(folder.into());
        self
    }

    /// Listens on two TCP ports of the loopback interface instead of a Unix socket, as tpm2-tools
    /// need it.
    #[must_use]
    pub const fn tcp(mut self) -> Self {
        self.tcp = true;
        self
    }

    /// Makes the TPM and starts it: TPM2_Startup(CLEAR) is done.
    pub fn start(self) -> Result<Swtpm, SwtpmError> {
        let folder = Folder::new(self.folder.clone())?;
        let socket = folder.path().join("control.sock");
        if socket.as_os_str().len() >= SOCKET_PATH_MAX {
            return Err(SwtpmError(format!(
                "{} is longer than a socket's path can be ({SOCKET_PATH_MAX} bytes): use a shorter \
                 folder",
                socket.display()
            )));
        }
        if !folder.path().join("tpm2-00.permall").exists() {
            self.manufacture(folder.path())?;
        }
        let mut swtpm = Swtpm { folder, child: None, port: None };
        if !self.tcp {
            swtpm.start()?;
            return Ok(swtpm);
        }
        // Another program may take a port between our look and swtpm's start.
        let mut result = Err(SwtpmError("no two TCP ports in a row are free".to_owned()));
        for port in free_port_pairs().take(PORT_TRIES_MAX) {
            swtpm.port = Some(port);
            result = swtpm.start();
            if result.is_ok() {
                break;
            }
        }
        result.map(|()| swtpm)
    }

    fn manufacture(&self, state: &Path) -> Result<(), SwtpmError> {
        let mut setup = Command::new("swtpm_setup");
        setup.args(["--tpm2", "--pcr-banks", self.banks, "--tpmstate"]).arg(state);
        let Some(ca) = self.ca else {
            return run("swtpm_setup", &mut setup);
        };
        setup
            .args(["--create-ek-cert", "--create-platform-cert", "--lock-nvram"])
            .args(["--rsa-keysize", &self.rsa_ek_bits.to_string()])
            .args(["--vmid", self.name, "--config"])
            .arg(ca.file("setup.conf"));
        let _one_at_a_time = ca.lock.lock();
        run("swtpm_setup", &mut setup)
    }
}

/// How many pairs of ports are tried.
const PORT_TRIES_MAX: usize = 10;

/// First ports of free pairs, below the range that the system gives to outgoing connections. Where
/// it begins depends on the process, so that tests at the same time do not meet.
fn free_port_pairs() -> impl Iterator<Item = u16> {
    let first = u16::try_from(std::process::id() % 6000).unwrap_or(0) * 2 + 20_000;
    (0..500).map(move |n| first + 2 * n).filter(|port| {
        let free = |port| TcpListener::bind((Ipv4Addr::LOCALHOST, port)).is_ok();
        free(*port) && free(*port + 1)
    })
}

/// A running software TPM. Dropping it ends its process, and removes its state unless
/// [`Builder::folder`] keeps it.
pub struct Swtpm {
    folder: Folder,
    child: Option<Child>,
    // The data channel's TCP port, with the control channel's behind it; `None` on Unix sockets.
    port: Option<u16>,
}

impl Swtpm {
    /// What kind of TPM to make.
    pub const fn builder<'a>() -> Builder<'a> {
        Builder {
            banks: "sha256",
            ca: None,
            rsa_ek_bits: 2048,
            name: "testkit",
            folder: None,
            tcp: false,
        }
    }

    /// Its address, as `tpm-device` reads it.
    pub fn address(&self) -> String {
        match self.port {
            None => format!("swtpm:unix:{}", self.socket().display()),
            Some(port) => format!("swtpm:tcp:127.0.0.1:{port}"),
        }
    }

    /// How tpm2-tools reach it: what `-T` and `TPM2TOOLS_TCTI` take. Only with [`Builder::tcp`]:
    /// Debian 12's tools know no Unix sockets.
    pub fn tcti(&self) -> Result<String, SwtpmError> {
        match self.port {
            Some(port) => Ok(format!("swtpm:host=127.0.0.1,port={port}")),
            None => Err(SwtpmError("tpm2-tools need a TPM that was built with `tcp()`".to_owned())),
        }
    }

    fn socket(&self) -> PathBuf {
        self.folder.path().join("tpm.sock")
    }

    fn connect(&self) -> io::Result<Stream> {
        match self.port {
            None => UnixStream::connect(self.socket()).map(Stream::Unix),
            Some(port) => TcpStream::connect((Ipv4Addr::LOCALHOST, port)).map(Stream::Tcp),
        }
    }

    /// Its control channel, for [`crate::machine`]; not with [`Builder::tcp`].
    pub fn control(&self) -> io::Result<UnixStream> {
        UnixStream::connect(self.folder.path().join("control.sock"))
    }

    /// What it wrote about itself.
    pub fn log(&self) -> String {
        fs::read_to_string(self.folder.path().join("swtpm.log")).unwrap_or_default()
    }

    /// Its process.
    pub fn pid(&self) -> Option<u32> {
        self.child.as_ref().map(Child::id)
    }

    /// Lets the process live on by itself: nothing ends it and its state is kept.
    pub fn detach(mut self) -> Option<u32> {
        if let Folder::Temporary(folder) = &mut self.folder {
            folder.disable_cleanup(true);
        }
        self.child.take().map(|child| child.id())
    }

    /// A reboot: an orderly shutdown where no client is in the way, then a start with the same
    /// state. The TPM's resetCount goes up, PCRs start anew.
    pub fn restart(&mut self) -> Result<(), SwtpmError> {
        drop(self.client().and_then(|mut client| {
            client.limit(Duration::from_secs(1))?;
            client.run(&Shutdown(StartupType::Clear))
        }));
        self.stop();
        self.start()
    }

    /// Ends the process as a power cut would; the state stays.
    pub fn stop(&mut self) {
        if let Some(mut child) = self.child.take() {
            drop(child.kill());
            drop(child.wait());
        }
    }

    /// Starts it again with the state that it has.
    pub fn start(&mut self) -> Result<(), SwtpmError> {
        self.stop();
        let dir = self.folder.path();
        let (socket, control) = (self.socket(), dir.join("control.sock"));
        for old in [&socket, &control] {
            drop(fs::remove_file(old));
        }
        let (server, control) = match self.port {
            None => (
                format!("type=unixio,path={}", socket.display()),
                format!("type=unixio,path={}", control.display()),
            ),
            Some(port) => (
                format!("type=tcp,port={port},bindaddr=127.0.0.1"),
                format!("type=tcp,port={},bindaddr=127.0.0.1", port + 1),
            ),
        };
        let log = fs::File::create(dir.join("swtpm.log")).map_err(failed("swtpm.log"))?;
        let to_log = log.try_clone().map_err(failed("swtpm.log"))?;
        let child = Command::new("swtpm")
            .args(["socket", "--tpm2", "--flags", "not-need-init,startup-clear", "--tpmstate"])
            .arg(format!("dir={}", dir.display()))
            .args(["--server", &server, "--ctrl", &control])
            .stdin(Stdio::null())
            .stdout(to_log)
            .stderr(log)
            .spawn()
            .map_err(|error| missing("swtpm", &error))?;
        self.child = Some(child);
        self.wait_until_it_listens()
    }

    fn wait_until_it_listens(&mut self) -> Result<(), SwtpmError> {
        let deadline = Instant::now() + START_TIME_MAX;
        loop {
            if self.connect().is_ok() {
                return Ok(());
            }
            let ended = self.child.as_mut().and_then(|child| child.try_wait().ok().flatten());
            if let Some(status) = ended {
                let log = self.log();
                return Err(SwtpmError(format!("swtpm ended by itself ({status}):\n{log}")));
            }
            if Instant::now() > deadline {
                let log = self.log();
                return Err(SwtpmError(format!(
                    "swtpm did not listen within {} s:\n{log}",
                    START_TIME_MAX.as_secs()
                )));
            }
            std::thread::sleep(LOOK_AGAIN);
        }
    }

    /// TPM2_Clear by lockout authorization. [TPM2-P3-1.59 §24.6] Keys of the owner are gone and counters
    /// begin anew; the endorsement seed, and so the endorsement key, stays.
    pub fn clear(&self) -> Result<(), SwtpmError> {
        // With an empty password: tag, size, code, TPM_RH_LOCKOUT, and one session of 9 bytes.
        const CLEAR: [u8; 27] = [
            0x80, 0x02, 0, 0, 0, 27, 0, 0, 0x01, 0x26, 0x40, 0, 0, 0x0A, 0, 0, 0, 9, 0x40, 0, 0, 9,
            0, 0, 0, 0, 0,
        ];
        let response = self.client()?.transmit(&CLEAR).map_err(failed("TPM2_Clear"))?;
        match response.get(6..10) {
            Some([0, 0, 0, 0]) => Ok(()),
            code => Err(SwtpmError(format!("TPM2_Clear: {code:02x?}"))),
        }
    }

    /// A connection of its own, for what a test does to the TPM beside the program it tests.
    pub fn client(&self) -> Result<Client, SwtpmError> {
        let stream = self.connect().map_err(failed(self.address()))?;
        let client = Client { stream };
        client.limit(COMMAND_TIME_MAX)?;
        Ok(client)
    }
}

impl Drop for Swtpm {
    fn drop(&mut self) {
        self.stop();
    }
}

enum Stream {
    Unix(UnixStream),
    Tcp(TcpStream),
}

impl Stream {
    fn limit(&self, time: Option<Duration>) -> io::Result<()> {
        match self {
            Self::Unix(stream) => {
                stream.set_read_timeout(time)?;
                stream.set_write_timeout(time)
            }
            Self::Tcp(stream) => {
                stream.set_nodelay(true)?;
                stream.set_read_timeout(time)?;
                stream.set_write_timeout(time)
            }
        }
    }

    fn write_all(&mut self, bytes: &[u8]) -> io::Result<()> {
        match self {
            Self::Unix(stream) => stream.write_all(bytes),
            Self::Tcp(stream) => stream.write_all(bytes),
        }
    }

    fn read_exact(&mut self, bytes: &mut [u8]) -> io::Result<()> {
        match self {
            Self::Unix(stream) => stream.read_exact(bytes),
            Self::Tcp(stream) => stream.read_exact(bytes),
        }
    }
}

/// A plain connection to a [`Swtpm`]. While it lives, no other client is served.
pub struct Client {
    stream: Stream,
}

impl Client {
    fn limit(&self, time: Duration) -> Result<(), SwtpmError> {
        self.stream.limit(Some(time)).map_err(failed("setting a time limit"))
    }

    /// Sends `command` and reads its response. Nothing is sent again.
    pub fn run<C: command::Command>(&mut self, command: &C) -> Result<C::Response, SwtpmError> {
        let bytes = command::encode(command).map_err(failed(C::NAME))?;
        let response = self.transmit(&bytes).map_err(failed(C::NAME))?;
        command::decode::<C>(&response).map_err(failed(C::NAME))
    }

    /// Sends the bytes of a command and gives those of the response.
    pub fn transmit(&mut self, command: &[u8]) -> io::Result<Vec<u8>> {
        self.stream.write_all(command)?;
        let mut response = vec![0; HEADER_LEN];
        self.stream.read_exact(&mut response)?;
        let size = u32::from_be_bytes([response[2], response[3], response[4], response[5]]);
        let size = usize::try_from(size).unwrap_or(0);
        response.resize(size.clamp(HEADER_LEN, command::FRAME_LEN_MAX), 0);
        self.stream.read_exact(&mut response[HEADER_LEN..])?;
        Ok(response)
    }
}
