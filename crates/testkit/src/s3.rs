//! A store that speaks the protocol of Amazon S3, as others wrote it: s3rver, which checks whose keys a
//! request names (not its signature) and keeps objects in a folder.

use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use crate::wait;

/// The only keys that it knows.
pub const ACCESS_KEY_ID: &str = "S3RVER";
/// The secret of [`ACCESS_KEY_ID`].
pub const SECRET_ACCESS_KEY: &str = "S3RVER";
/// The bucket that is there.
pub const BUCKET: &str = "evidence";

/// A running store with one bucket, on loopback with TLS. Ended with its value; its objects outlive a stop.
#[derive(Debug)]
pub struct S3Server {
    child: Option<Child>,
    folder: tempfile::TempDir,
    port: u16,
    /// The certificate that vouches for it, PEM.
    pub ca_pem: String,
}

impl S3Server {
    /// Starts one.
    #[must_use]
    pub fn start() -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let key = rcgen::KeyPair::generate().expect("a key");
        let names = vec!["localhost".to_owned(), "127.0.0.1".to_owned()];
        let certificate = rcgen::CertificateParams::new(names).expect("names").self_signed(&key);
        let ca_pem = certificate.expect("a certificate").pem();
        std::fs::write(folder.path().join("cert.pem"), &ca_pem).expect("written");
        std::fs::write(folder.path().join("key.pem"), key.serialize_pem()).expect("written");
        std::fs::create_dir(folder.path().join("data")).expect("a folder");
        let port = TcpListener::bind("127.0.0.1:0").and_then(|free| free.local_addr());
        let port = port.expect("a free port").port();
        let mut server = Self { child: None, folder, port, ca_pem };
        server.start_again();
        server
    }

    /// Its address.
    #[must_use]
    pub fn endpoint(&self) -> String {
        format!("https://127.0.0.1:{}", self.port)
    }

    /// Ends it; what was written stays.
    pub fn stop(&mut self) {
        if let Some(mut child) = self.child.take() {
            let _ = child.kill();
            let _ = child.wait();
        }
    }

    /// Starts it again at the same address, with the same objects.
    pub fn start_again(&mut self) {
        self.stop();
        let program = Path::new(env!("CARGO_MANIFEST_DIR"))
            .join("../../referees/node_modules/s3rver/bin/s3rver.js");
        assert!(program.exists(), "s3rver is not there: `cargo xtask test` installs it");
        let log = std::fs::File::create(self.folder.path().join("log")).expect("a log");
        let child = Command::new("node")
            .arg(program)
            .args(["-a", "127.0.0.1", "-p", &self.port.to_string(), "--no-vhost-buckets"])
            .args(["--configure-bucket", BUCKET, "-d"])
            .arg(self.folder.path().join("data"))
            .arg("--key")
            .arg(self.folder.path().join("key.pem"))
            .arg("--cert")
            .arg(self.folder.path().join("cert.pem"))
            .stdin(Stdio::null())
            .stdout(log.try_clone().expect("a log"))
            .stderr(log)
            .spawn()
            .expect("node is there: `cargo xtask test` installs it");
        self.child = Some(child);
        let port = self.port;
        wait::until("s3rver listens", || TcpStream::connect(("127.0.0.1", port)).ok());
    }

    /// Files that have the bytes of objects whose names begin with `prefix`.
    #[must_use]
    pub fn objects(&self, prefix: &str) -> Vec<PathBuf> {
        let mut found = Vec::new();
        let mut folders = vec![self.folder.path().join("data").join(BUCKET).join(prefix)];
        while let Some(folder) = folders.pop() {
            for entry in std::fs::read_dir(folder).into_iter().flatten().flatten() {
                let path = entry.path();
                if path.is_dir() {
                    folders.push(path);
                } else if path.to_string_lossy().ends_with("._S3rver_object") {
                    found.push(path);
                }
            }
        }
        found.sort();
        found
    }
}

impl Drop for S3Server {
    fn drop(&mut self) {
        self.stop();
    }
}
