//! A machine that is switched on: QEMU with OVMF, and a software TPM behind its registers.

use std::{
    fs::{self, File},
    io::{self, Read as _, Write as _},
    os::{fd::OwnedFd, unix::net::UnixStream},
    path::{Path, PathBuf},
    process::{Command, Stdio},
    thread::sleep,
    time::{Duration, Instant},
};

use anyhow::{Context as _, bail};

use super::{
    guest,
    packages::{Firmware, OPTION_ROM},
    scenario::{Cards, Tpm},
};
use crate::process::Process;

/// swtpm listens within milliseconds; a busy machine takes longer.
const TPM_START_TIME_MAX: Duration = Duration::from_secs(20);
/// For an answer of swtpm beside the machine.
const TPM_ANSWER_TIME_MAX: Duration = Duration::from_secs(10);
/// Between two looks.
const LOOK_AGAIN: Duration = Duration::from_millis(5);
/// A boot writes some kilobytes to the serial port; what a guest writes without end is cut.
const SERIAL_BYTES_MAX: u64 = 1024 * 1024;

/// What a machine is made of.
pub(super) struct Parts<'a> {
    pub(super) firmware: &'a Firmware,
    pub(super) variables: Vec<u8>,
    pub(super) tpm: Tpm,
    /// The state of the TPM, that outlives the machine.
    pub(super) tpm_state: &'a Path,
    pub(super) disks: &'a [PathBuf],
    pub(super) state_disk: &'a Path,
    pub(super) cards: Cards,
    /// The server's port on the loopback interface.
    pub(super) server_port: u16,
}

/// A software TPM, and the channel to it that the machine has too.
struct RunningTpm {
    _process: Process,
    control: UnixStream,
}

/// A machine that runs. Dropping it is a power cut.
pub(super) struct Machine {
    qemu: Process,
    // Ended after the machine that uses it.
    tpm: Option<RunningTpm>,
    serial: PathBuf,
    started: Instant,
}

impl Machine {
    /// Switches it on; its files are in `folder`, whose path must be short (it has a socket).
    pub(super) fn start(
        parts: Parts<'_>,
        folder: &Path,
        acceleration: &str,
    ) -> anyhow::Result<Self> {
        fs::create_dir_all(folder)?;
        let file = |name: &str| folder.join(name);
        let variables = file("variables.fd");
        fs::write(&variables, &parts.variables)?;
        let serial = file("serial.txt");
        let mut qemu = Command::new("qemu-system-x86_64");
        qemu.args(["-machine", &format!("q35,smm=on,accel={acceleration}")]);
        qemu.args([
            "-cpu",
            if acceleration == "kvm" { "host" } else { "max" },
            "-m",
            "512",
            "-smp",
            "1",
        ]);
        qemu.args(["-nodefaults", "-no-user-config", "-display", "none", "-no-reboot"]);
        qemu.args(["-global", "ICH9-LPC.disable_s3=1"]);
        // Only code in SMM writes variables: without it Secure Boot's keys would be anybody's.
        qemu.args(["-global", "driver=cfi.pflash01,property=secure,value=on"]);
        let flash = |unit, more: &str, path: &Path| {
            format!("if=pflash,format=raw,unit={unit}{more},file={}", path.display())
        };
        qemu.args(["-drive", &flash(0, ",readonly=on", &parts.firmware.code)]);
        qemu.args(["-drive", &flash(1, "", &variables)]);
        for (n, disk) in parts.disks.iter().enumerate() {
            let file = disk.display();
            let drive =
                format!("if=none,id=d{n},file={file},format=raw,snapshot=on,file.locking=off");
            qemu.args(["-drive", &drive]);
            qemu.args(["-device", &format!("virtio-blk-pci,drive=d{n},bootindex={n}")]);
        }
        let state = parts.state_disk.display();
        qemu.args(["-drive", &format!("if=none,id=state,file={state},format=raw")]);
        qemu.args(["-device", "virtio-blk-pci,drive=state"]);
        // The guest reaches this one port of the loopback interface, and nothing else.
        let (address, port) = (guest::SERVER_ADDRESS, guest::SERVER_PORT);
        let forward = format!(
            "user,id=net,restrict=on,guestfwd=tcp:{address}:{port}-cmd:busybox nc 127.0.0.1 {}",
            parts.server_port
        );
        let rom = match parts.cards {
            Cards::WithoutRom => "",
            Cards::WithOptionRom => OPTION_ROM,
        };
        qemu.args(["-netdev", &forward]);
        qemu.args(["-device", &format!("virtio-net-pci,netdev=net,romfile={rom}")]);
        qemu.args(["-serial", &format!("file:{}", serial.display())]);

        let mut input = Stdio::null();
        let tpm = match parts.tpm {
            Tpm::Absent => None,
            Tpm::Fifo | Tpm::Crb => {
                let tpm = start_tpm(parts.tpm_state, &file("tpm.sock"), &file("swtpm.log"))?;
                // As standard input no other program that is started now gets it too.
                input = OwnedFd::from(tpm.control.try_clone()?).into();
                qemu.args(["-chardev", "socket,id=tpm,fd=0"]);
                let interface = if parts.tpm == Tpm::Fifo { "tpm-tis" } else { "tpm-crb" };
                qemu.args(["-tpmdev", "emulator,id=tpm0,chardev=tpm"]);
                qemu.args(["-device", &format!("{interface},tpmdev=tpm0")]);
                Some(tpm)
            }
        };
        let qemu = Process::spawn_with_input(&mut qemu, input, &file("qemu.log"))?;
        Ok(Self { qemu, tpm, serial, started: Instant::now() })
    }

    /// How long it has been on.
    pub(super) fn age(&self) -> Duration {
        self.started.elapsed()
    }

    /// What it wrote to its serial port so far.
    pub(super) fn console(&self) -> String {
        let mut bytes = Vec::new();
        if let Ok(file) = File::open(&self.serial) {
            // Unreadable is as silent.
            let _ = file.take(SERIAL_BYTES_MAX).read_to_end(&mut bytes);
        }
        text(&bytes)
    }

    /// A dynamic launch, as a processor does it. Only while nobody asks the TPM anything: machine
    /// and lab share one channel, on which each waits for its answer.
    pub(super) fn launch_dynamically(&mut self) -> anyhow::Result<()> {
        let tpm = self.tpm.as_ref().context("the machine has no TPM")?;
        Ok(testkit::machine::dynamic_launch(Patient(&tpm.control), b"a second system")?)
    }

    /// An error where it ended by itself.
    pub(super) fn check_is_on(&mut self) -> anyhow::Result<()> {
        if let Some(status) = self.qemu.ended()? {
            bail!("the machine went off by itself ({status})");
        }
        Ok(())
    }
}

/// A connection that the machine made one that never waits: this waits.
struct Patient<'a>(&'a UnixStream);

impl Patient<'_> {
    fn wait<T>(&self, mut once: impl FnMut(&UnixStream) -> io::Result<T>) -> io::Result<T> {
        let deadline = Instant::now() + TPM_ANSWER_TIME_MAX;
        loop {
            match once(self.0) {
                Err(err)
                    if err.kind() == io::ErrorKind::WouldBlock && Instant::now() < deadline =>
                {
                    sleep(LOOK_AGAIN);
                }
                done => return done,
            }
        }
    }
}

impl io::Read for Patient<'_> {
    fn read(&mut self, bytes: &mut [u8]) -> io::Result<usize> {
        self.wait(|mut stream| stream.read(bytes))
    }
}

impl io::Write for Patient<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.wait(|mut stream| stream.write(bytes))
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Terminals' commands and empty lines left out.
fn text(bytes: &[u8]) -> String {
    let text = String::from_utf8_lossy(bytes).replace('\r', "\n");
    let mut plain = String::new();
    let mut characters = text.chars();
    while let Some(character) = characters.next() {
        match character {
            '\x1b' => {
                // A command ends with its first letter.
                let _ = characters.by_ref().find(char::is_ascii_alphabetic);
            }
            '\n' => plain.push('\n'),
            other if other.is_control() => {}
            other => plain.push(other),
        }
    }
    let lines: Vec<_> = plain.lines().filter(|line| !line.trim().is_empty()).collect();
    lines.join("\n")
}

fn start_tpm(state: &Path, socket: &Path, log: &Path) -> anyhow::Result<RunningTpm> {
    let _ = fs::remove_file(socket);
    let mut swtpm = Command::new("swtpm");
    swtpm.args(["socket", "--tpm2", "--terminate", "--tpmstate"]);
    swtpm.arg(format!("dir={}", state.display()));
    swtpm.arg("--ctrl").arg(format!("type=unixio,path={}", socket.display()));
    let mut process = Process::spawn(&mut swtpm, log)?;
    let deadline = Instant::now() + TPM_START_TIME_MAX;
    let control = loop {
        if let Ok(control) = UnixStream::connect(socket) {
            break control;
        }
        if let Some(status) = process.ended()? {
            bail!("swtpm ended ({status}): {}", fs::read_to_string(log).unwrap_or_default());
        }
        if Instant::now() > deadline {
            bail!("swtpm did not listen within {} s", TPM_START_TIME_MAX.as_secs());
        }
        sleep(LOOK_AGAIN);
    };
    Ok(RunningTpm { _process: process, control })
}

/// How processors are made: by KVM where it can do the system management mode that the firmware
/// needs, otherwise in software.
pub(super) fn acceleration() -> anyhow::Result<&'static str> {
    let mut probe = Command::new("qemu-system-x86_64")
        .args(["-machine", "q35,smm=on,accel=kvm", "-cpu", "host", "-m", "32", "-S"])
        .args(["-nodefaults", "-no-user-config", "-display", "none", "-qmp", "stdio"])
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .context("qemu-system-x86_64 cannot be started")?;
    let quit = b"{\"execute\":\"qmp_capabilities\"}\n{\"execute\":\"quit\"}\n";
    if let Some(mut input) = probe.stdin.take() {
        // Where it ended already, it cannot.
        let _ = input.write_all(quit);
        let ends = probe.wait()?;
        return Ok(if ends.success() { "kvm" } else { "tcg" });
    }
    Ok("tcg")
}

#[cfg(test)]
mod tests {
    #[test]
    fn a_console_is_told_without_a_terminals_commands() {
        let said = b"\x1b[2J\x1b[01;01HBdsDxe: loading\r\n\r\n\x1b[0mnext\0 line\r";
        assert_eq!(super::text(said), "BdsDxe: loading\nnext line");
    }
}
