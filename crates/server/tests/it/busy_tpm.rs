//! A way to a software TPM on which somebody sits who answers in its place: that it is busy.

use std::{
    io::{self, Read as _, Write as _},
    os::unix::net::{UnixListener, UnixStream},
    path::{Path, PathBuf},
    sync::{Arc, Mutex},
    thread,
};

use agent::session::TpmChoice;
use testkit::swtpm::Swtpm;

/// TPM2_Quote. [TPM2-P2-1.59 §6.5.2]
pub(crate) const QUOTE: u32 = 0x158;

/// Bytes of a command's and a response's header; at 2 lies the size, at 6 the code.
const HEADER_LEN: usize = 10;

/// The way. The thread on it ends with the test's process.
pub(crate) struct BusyTpm {
    folder: tempfile::TempDir,
    asked: Arc<Mutex<Vec<u32>>>,
}

impl BusyTpm {
    /// A way to `tpm`; `answer` gives the code to answer a command's code with, or `None` where
    /// the TPM shall answer.
    pub(crate) fn before(
        tpm: &Swtpm,
        mut answer: impl FnMut(u32) -> Option<u32> + Send + 'static,
    ) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let listener = UnixListener::bind(folder.path().join("tpm")).unwrap();
        let socket = PathBuf::from(tpm.address().strip_prefix("swtpm:unix:").unwrap());
        let asked = Arc::new(Mutex::new(Vec::new()));
        thread::spawn({
            let asked = Arc::clone(&asked);
            move || {
                for client in listener.incoming() {
                    // A client that ends in between is none of ours to mourn.
                    drop(carry(client.unwrap(), &socket, &asked, &mut answer));
                }
            }
        });
        Self { folder, asked }
    }

    pub(crate) fn choice(&self) -> TpmChoice {
        let path = self.folder.path().join("tpm");
        TpmChoice::At(format!("swtpm:unix:{}", path.display()).parse().unwrap())
    }

    /// How often a command of this code came.
    pub(crate) fn n_asked(&self, code: u32) -> usize {
        self.asked.lock().unwrap().iter().filter(|asked| **asked == code).count()
    }
}

fn carry(
    mut client: UnixStream,
    socket: &Path,
    asked: &Mutex<Vec<u32>>,
    answer: &mut impl FnMut(u32) -> Option<u32>,
) -> io::Result<()> {
    let mut tpm = UnixStream::connect(socket)?;
    loop {
        let command = frame(&mut client)?;
        let code = u32::from_be_bytes(command[6..HEADER_LEN].try_into().unwrap());
        asked.lock().unwrap().push(code);
        let response = match answer(code) {
            Some(code) => [&[0x80, 1, 0, 0, 0, 10][..], &code.to_be_bytes()].concat(),
            None => {
                tpm.write_all(&command)?;
                frame(&mut tpm)?
            }
        };
        client.write_all(&response)?;
    }
}

/// A command, or a response: as long as its header says.
fn frame(from: &mut UnixStream) -> io::Result<Vec<u8>> {
    let mut bytes = vec![0; HEADER_LEN];
    from.read_exact(&mut bytes)?;
    let size = u32::from_be_bytes(bytes[2..6].try_into().unwrap());
    bytes.resize(usize::try_from(size).unwrap().clamp(HEADER_LEN, 4096), 0);
    from.read_exact(&mut bytes[HEADER_LEN..])?;
    Ok(bytes)
}
