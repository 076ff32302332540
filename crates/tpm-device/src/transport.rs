//! One command there, one response back.

use std::fs::{File, OpenOptions};
use std::io::{self, ErrorKind, Read as _, Write as _};
use std::net::TcpStream;
use std::os::unix::net::UnixStream;
use std::time::{Duration, Instant};

use rustix::event::{PollFd, PollFlags, Timespec};
use rustix::io::Errno;
use tpm_wire::command::{FRAME_LEN_MAX, HEADER_LEN};

use crate::address::Address;
use crate::error::DeviceError;

/// Carries one command to a TPM and its response back. After an error the two sides may not agree
/// on what comes next: nothing more is to be sent.
pub trait Transport: Send {
    /// Sends `command` and puts what comes back within `time` into `response`, which is emptied
    /// first. A response has 10 to 4096 bytes and is as long as its header says.
    fn transmit(
        &mut self,
        command: &[u8],
        response: &mut Vec<u8>,
        time: Duration,
    ) -> Result<(), DeviceError>;
}

/// Opens what is at `address`.
pub fn open(address: &Address) -> Result<Box<dyn Transport>, DeviceError> {
    let opened: io::Result<Box<dyn Transport>> = match address {
        Address::Device(path) => OpenOptions::new()
            .read(true)
            .write(true)
            .open(path)
            .map(|file| -> Box<dyn Transport> { Box::new(CharDevice { file }) }),
        Address::SwtpmUnix(path) => UnixStream::connect(path)
            .map(|stream| -> Box<dyn Transport> { Box::new(Socket { stream }) }),
        Address::SwtpmTcp { host, port } => {
            TcpStream::connect(format!("{host}:{port}")).and_then(|stream| {
                stream.set_nodelay(true)?;
                let socket: Box<dyn Transport> = Box::new(Socket { stream });
                Ok(socket)
            })
        }
    };
    opened.map_err(|source| {
        let address = address.clone();
        match source.kind() {
            ErrorKind::NotFound | ErrorKind::ConnectionRefused => {
                DeviceError::Missing { address, source }
            }
            ErrorKind::PermissionDenied => DeviceError::Denied { address, source },
            ErrorKind::ResourceBusy => DeviceError::Busy { address, source },
            // ENXIO, ENODEV: the node is there and the chip is not.
            _ if matches!(source.raw_os_error(), Some(6 | 19)) => {
                DeviceError::Missing { address, source }
            }
            _ => DeviceError::Open { address, source },
        }
    })
}

/// The size that the header of `front` says, once it is one that a response can have.
fn response_len(front: &[u8]) -> Result<usize, DeviceError> {
    let size = match front.get(2..6) {
        Some(&[a, b, c, d]) => usize::try_from(u32::from_be_bytes([a, b, c, d])),
        _ => Ok(front.len()),
    };
    let size = size.unwrap_or(usize::MAX);
    if (HEADER_LEN..=FRAME_LEN_MAX).contains(&size) {
        Ok(size)
    } else {
        Err(DeviceError::ResponseSize { size })
    }
}

/// A node of the kernel. One write is one command and one read is one response.
struct CharDevice {
    file: File,
}

impl Transport for CharDevice {
    fn transmit(
        &mut self,
        command: &[u8],
        response: &mut Vec<u8>,
        time: Duration,
    ) -> Result<(), DeviceError> {
        let deadline = Instant::now() + time;
        response.clear();
        let n_written = retry_interrupted(|| self.file.write(command)).map_err(DeviceError::Io)?;
        if n_written != command.len() {
            return Err(DeviceError::Io(ErrorKind::WriteZero.into()));
        }
        loop {
            let left = deadline.saturating_duration_since(Instant::now());
            let timeout = Timespec::try_from(left).map_err(|_| too_long(time))?;
            let mut fds = [PollFd::new(&self.file, PollFlags::IN)];
            match rustix::event::poll(&mut fds, Some(&timeout)) {
                Ok(0) => return Err(too_long(time)),
                Ok(_) => break,
                Err(Errno::INTR) => {}
                Err(error) => return Err(DeviceError::Io(error.into())),
            }
        }
        // What one read does not take is lost: the buffer holds the largest response.
        response.resize(FRAME_LEN_MAX, 0);
        let read = retry_interrupted(|| self.file.read(response));
        response.truncate(*read.as_ref().unwrap_or(&0));
        read.map_err(DeviceError::Io)?;
        if response_len(response)? == response.len() {
            Ok(())
        } else {
            Err(DeviceError::ResponseSize { size: response.len() })
        }
    }
}

fn retry_interrupted(mut io: impl FnMut() -> io::Result<usize>) -> io::Result<usize> {
    loop {
        match io() {
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            done => return done,
        }
    }
}

const fn too_long(time: Duration) -> DeviceError {
    DeviceError::Timeout { time_s: time.as_secs() }
}

/// What both kinds of socket can do.
trait Stream: io::Read + io::Write + Send {
    fn limit(&self, time: Duration) -> io::Result<()>;
}

impl Stream for UnixStream {
    fn limit(&self, time: Duration) -> io::Result<()> {
        self.set_read_timeout(Some(time))?;
        self.set_write_timeout(Some(time))
    }
}

impl Stream for TcpStream {
    fn limit(&self, time: Duration) -> io::Result<()> {
        self.set_read_timeout(Some(time))?;
        self.set_write_timeout(Some(time))
    }
}

/// The data channel of swtpm: frames without anything around them, one after the other.
struct Socket<S> {
    stream: S,
}

impl<S: Stream> Transport for Socket<S> {
    fn transmit(
        &mut self,
        command: &[u8],
        response: &mut Vec<u8>,
        time: Duration,
    ) -> Result<(), DeviceError> {
        let failed = |error: io::Error| match error.kind() {
            ErrorKind::WouldBlock | ErrorKind::TimedOut => too_long(time),
            _ => DeviceError::Io(error),
        };
        let deadline = Instant::now() + time;
        response.clear();
        self.stream.limit(time).map_err(DeviceError::Io)?;
        self.stream.write_all(command).map_err(failed)?;
        let mut want = HEADER_LEN;
        while response.len() < want {
            let left = deadline.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return Err(too_long(time));
            }
            self.stream.limit(left).map_err(DeviceError::Io)?;
            let have = response.len();
            response.resize(want, 0);
            let room = response.get_mut(have..).unwrap_or(&mut []);
            let read = self.stream.read(room);
            response.truncate(have + read.as_ref().unwrap_or(&0));
            match read {
                Ok(0) => return Err(DeviceError::Io(ErrorKind::UnexpectedEof.into())),
                Ok(_) => {}
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) => return Err(failed(error)),
            }
            if response.len() == HEADER_LEN {
                want = response_len(response)?;
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Gives `answer` to one command over a socket pair.
    fn ask(answer: &[u8], time: Duration) -> Result<Vec<u8>, DeviceError> {
        let (ours, mut theirs) = UnixStream::pair().unwrap();
        theirs.write_all(answer).unwrap();
        let mut response = vec![7; 3];
        let sent = Socket { stream: ours }.transmit(&[1; 12], &mut response, time);
        let mut command = [0; 12];
        theirs.read_exact(&mut command).unwrap();
        assert_eq!(command, [1; 12]);
        sent.map(|()| response)
    }

    const TIME: Duration = Duration::from_millis(50);

    #[test]
    fn a_response_ends_where_its_header_says() {
        let two = [0x80, 1, 0, 0, 0, 12, 0, 0, 0, 0, 5, 6, 0x80, 1];
        assert_eq!(ask(&two, TIME).unwrap(), &two[..12]);
        assert_eq!(
            ask(&two[..10], TIME).unwrap_err().to_string(),
            "the TPM did not answer within 0 s"
        );
    }

    #[test]
    fn sizes_that_no_response_has_are_refused() {
        for size in [0_u32, 9, 4097, u32::MAX] {
            let answer = [&[0x80, 1][..], &size.to_be_bytes(), &[0; 4]].concat();
            assert!(matches!(ask(&answer, TIME), Err(DeviceError::ResponseSize { .. })), "{size}");
        }
    }

    #[test]
    fn silence_and_a_closed_connection_differ() {
        assert!(matches!(ask(&[], TIME), Err(DeviceError::Timeout { .. })));
        let (ours, theirs) = UnixStream::pair().unwrap();
        drop(theirs);
        let sent = Socket { stream: ours }.transmit(&[1], &mut Vec::new(), TIME);
        assert!(matches!(sent, Err(DeviceError::Io(_))));
    }

    #[test]
    fn what_cannot_be_opened_says_what_to_do() {
        let missing = open(&"device:/nonexistent/tpmrm0".parse().unwrap()).err().unwrap();
        assert!(missing.hint().unwrap().contains("firmware"));
        let missing = open(&"swtpm:unix:/nonexistent/sock".parse().unwrap()).err().unwrap();
        assert!(missing.hint().unwrap().contains("start swtpm"));
        let directory = open(&"device:/".parse().unwrap()).err().unwrap();
        assert!(matches!(directory, DeviceError::Open { .. }));
    }
}
