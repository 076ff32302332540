//! What `journalctl -o export` writes, as lines of syslog. [JOURNAL-EXPORT]
//!
//! An entry is some lines `FIELD=value`, and an empty one; a value with line feeds or other bytes
//! stands behind its length. Lines of an entry are one line of a log: `TIME HOST PROGRAM[PID]: TEXT`.

use std::io::{self, BufRead, Read};

use crate::UnpackError;

/// A field's name: journald takes 64 bytes.
const NAME_BYTES_MAX: u64 = 128;
/// What is kept of a value: more than is looked at of a line.
const VALUE_BYTES_MAX: u64 = 64 * 1024;

/// Entries, read as lines.
pub(crate) struct JournalExport<R> {
    stream: R,
    line: Vec<u8>,
    given: usize,
}

/// What is kept of an entry.
#[derive(Default)]
struct Entry {
    time_us: Vec<u8>,
    host: Vec<u8>,
    program: Vec<u8>,
    pid: Vec<u8>,
    message: Vec<u8>,
}

impl<R: BufRead> JournalExport<R> {
    pub(crate) fn new(stream: R) -> Self {
        Self { stream, line: Vec::new(), given: 0 }
    }

    /// The next entry; `None` at the end.
    fn entry(&mut self) -> Result<Option<Entry>, UnpackError> {
        let mut entry = Entry::default();
        let mut has_fields = false;
        loop {
            let mut line = Vec::new();
            let n_max = NAME_BYTES_MAX + VALUE_BYTES_MAX;
            (&mut self.stream).take(n_max).read_until(b'\n', &mut line)?;
            match line.pop() {
                None => return Ok(has_fields.then_some(entry)),
                Some(b'\n') => {}
                // Longer than is kept, or the last one.
                Some(last) => {
                    line.push(last);
                    self.stream.skip_until(b'\n')?;
                }
            }
            if line.is_empty() {
                if has_fields {
                    return Ok(Some(entry));
                }
                continue;
            }
            has_fields = true;
            match line.iter().position(|byte| *byte == b'=') {
                Some(at) => entry.set(&line[..at], line[at + 1..].to_vec()),
                None => {
                    let value = self.value()?;
                    entry.set(&line, value);
                }
            }
        }
    }

    /// A value behind its length, and the line feed behind it.
    fn value(&mut self) -> Result<Vec<u8>, UnpackError> {
        let mut length = [0; 8];
        self.stream.read_exact(&mut length)?;
        let length = u64::from_le_bytes(length);
        let mut value = Vec::new();
        (&mut self.stream).take(length.min(VALUE_BYTES_MAX)).read_to_end(&mut value)?;
        let left = (length - value.len() as u64).saturating_add(1);
        let n = io::copy(&mut (&mut self.stream).take(left), &mut io::sink())?;
        if n == left { Ok(value) } else { Err(UnpackError::Cut) }
    }
}

impl Entry {
    fn set(&mut self, name: &[u8], value: Vec<u8>) {
        let field = match name {
            b"__REALTIME_TIMESTAMP" => &mut self.time_us,
            b"_HOSTNAME" => &mut self.host,
            b"SYSLOG_IDENTIFIER" => &mut self.program,
            b"_COMM" if self.program.is_empty() => &mut self.program,
            b"_PID" => &mut self.pid,
            b"MESSAGE" => &mut self.message,
            _ => return,
        };
        *field = value;
    }

    /// Each line of the message behind what all of them share.
    fn lines(&self) -> Vec<u8> {
        let time = str::from_utf8(&self.time_us).ok().and_then(|us| us.parse::<u64>().ok());
        let mut head = time.map(|us| iso(us).into_bytes()).unwrap_or_default();
        for (before, part, after) in
            [(" ", &self.host, ""), (" ", &self.program, ""), ("[", &self.pid, "]")]
        {
            if !part.is_empty() {
                head.extend([before.as_bytes(), part, after.as_bytes()].concat());
            }
        }
        head.extend_from_slice(b": ");
        head.iter_mut().filter(|byte| **byte == b'\n').for_each(|byte| *byte = b' ');
        let mut lines = Vec::with_capacity(head.len() + self.message.len() + 1);
        for line in self.message.split(|byte| *byte == b'\n') {
            // A message of feeds alone must not become a hundred times as long.
            if !line.is_empty() && lines.len() < 4 * VALUE_BYTES_MAX as usize {
                lines.extend([&head[..], line, b"\n"].concat());
            }
        }
        if lines.is_empty() {
            lines.push(b'\n');
        }
        lines
    }
}

/// `2018-05-10T14:02:27.659123Z`, of microseconds since 1970.
fn iso(us: u64) -> String {
    let (seconds, micros) = (us / 1_000_000, us % 1_000_000);
    let (days, second) = (seconds / 86_400, seconds % 86_400);
    // Years that begin in March, in eras of 400 of them, which all have the same days.
    let day = days + 719_468;
    let (era, day_of_era) = (day / 146_097, day % 146_097);
    let year_of_era =
        (day_of_era - day_of_era / 1460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let shifted_month = (5 * day_of_year + 2) / 153;
    let day_of_month = day_of_year - (153 * shifted_month + 2) / 5 + 1;
    let month = if shifted_month < 10 { shifted_month + 3 } else { shifted_month - 9 };
    let year = era * 400 + year_of_era + u64::from(month <= 2);
    let (hour, minute, second) = (second / 3600, second / 60 % 60, second % 60);
    format!("{year:04}-{month:02}-{day_of_month:02}T{hour:02}:{minute:02}:{second:02}.{micros:06}Z")
}

impl<R: BufRead> Read for JournalExport<R> {
    fn read(&mut self, block: &mut [u8]) -> io::Result<usize> {
        while self.given == self.line.len() {
            let Some(entry) = self.entry()? else { return Ok(0) };
            (self.given, self.line) = (0, entry.lines());
        }
        let n = (&self.line[self.given..]).read(block)?;
        self.given += n;
        Ok(n)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lines(bytes: &[u8]) -> io::Result<String> {
        let mut text = String::new();
        JournalExport::new(bytes).read_to_string(&mut text).map(|_| text)
    }

    #[test]
    fn entries_are_lines() {
        let mut export = b"__CURSOR=s=1\n__REALTIME_TIMESTAMP=1525960947659123\n_HOSTNAME=web-1\n\
            MESSAGE=tpm tpm0: A TPM error (395) occurred\nSYSLOG_IDENTIFIER=kernel\n\n\
            __CURSOR=s=2\n__REALTIME_TIMESTAMP=951782400000000\n_COMM=app\n_PID=7\n_HOSTNAME=web-1\nMESSAGE\n"
            .to_vec();
        export.extend(3_u64.to_le_bytes());
        export.extend_from_slice(b"a\nb\n\n");
        let expected = "2018-05-10T14:02:27.659123Z web-1 kernel: tpm tpm0: A TPM error (395) occurred\n\
            2000-02-29T00:00:00.000000Z web-1 app[7]: a\n2000-02-29T00:00:00.000000Z web-1 app[7]: b\n";
        assert_eq!(lines(&export).unwrap(), expected);
        // Cut inside the last value.
        assert!(lines(&export[..export.len() - 3]).is_err());
    }

    #[test]
    fn a_length_that_lies_is_not_believed() {
        let mut export = b"__CURSOR=x\nMESSAGE\n".to_vec();
        export.extend(u64::MAX.to_le_bytes());
        assert!(lines(&export).is_err());
        let long = format!("__CURSOR=x\nMESSAGE={}\n\n", "x".repeat(1 << 20));
        assert!(lines(long.as_bytes()).unwrap().len() < 140_000);
        let feeds = [
            "__CURSOR=x\nMESSAGE\n".as_bytes(),
            &60_000_u64.to_le_bytes(),
            &b"a\n".repeat(30_000)[..],
            b"\n",
        ]
        .concat();
        assert!(lines(&feeds).unwrap().len() < 300_000);
        assert_eq!(lines(b"\n\n\n").unwrap(), "");
    }
}
