//! The times that logs begin their lines with.

/// When a line was written, as far as it says so.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LogTime {
    /// Milliseconds since 1970, by UTC. Times without a zone are taken for UTC, as ESXi and vCenter
    /// write them.
    Utc(i64),
    /// Milliseconds after the start of the machine.
    AfterBoot(i64),
    /// The line says nothing that can be read.
    Unknown,
}

/// The year of a log whose lines have none (syslog's), taken from the file's own time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Year {
    /// Such times stay unknown.
    Unknown,
    /// The log ended at this time, in milliseconds since 1970: the last year is taken in which its
    /// lines are not after that.
    EndedAt(i64),
}

/// Where times are looked for. In front of them stand at most a file's name (of `grep`) and the
/// first fields of a JSON record.
const HEAD_BYTES: usize = 160;
/// journald writes its JSON records with the time anywhere in the first fields.
const JOURNAL_HEAD_BYTES: usize = 4096;
const DAY_MS: i64 = 86_400_000;

/// The time of `line`, and the byte behind it.
pub(crate) fn of_line(line: &[u8], year: Year) -> (LogTime, usize) {
    let head = line.get(..HEAD_BYTES).unwrap_or(line);
    if let Some((ms, end)) = (0..head.len()).find_map(|at| iso(head, at)) {
        return (LogTime::Utc(ms), end);
    }
    if line.first() == Some(&b'{')
        && let Some(found) = of_journal(line)
    {
        return (LogTime::Utc(found), 0);
    }
    if let Some((ms, end)) = after_boot(head) {
        return (LogTime::AfterBoot(ms), end);
    }
    if let Some((ms, end)) = ctime(head) {
        return (LogTime::Utc(ms), end);
    }
    match syslog(head) {
        Some((month, day, time_ms, end)) => match in_year(month, day, time_ms, year) {
            Some(ms) => (LogTime::Utc(ms), end),
            None => (LogTime::Unknown, end),
        },
        None => (LogTime::Unknown, 0),
    }
}

/// `2018-05-09T21:30:21.060Z`, with a space for the T, with `+02:00` or `+0200` for the Z, or
/// without a zone.
fn iso(head: &[u8], at: usize) -> Option<(i64, usize)> {
    // Not inside a longer number.
    if at > 0 && head.get(at - 1)?.is_ascii_digit() {
        return None;
    }
    let year = number(head, at, 4)?;
    expect(head, at + 4, b"-")?;
    let month = number(head, at + 5, 2)?;
    expect(head, at + 7, b"-")?;
    let day = number(head, at + 8, 2)?;
    expect(head, at + 10, b"Tt ")?;
    let (time_ms, end) = clock(head, at + 11)?;
    let (offset_min, end) = zone(head, end);
    let days = days_from_civil(year, month, day)?;
    Some((days * DAY_MS + time_ms - offset_min * 60_000, end))
}

fn zone(head: &[u8], at: usize) -> (i64, usize) {
    let offset = || {
        let sign = match head.get(at)? {
            b'+' => 1,
            b'-' => -1,
            _ => return None,
        };
        let hours = number(head, at + 1, 2)?;
        let minutes_at = at + 3 + usize::from(head.get(at + 3) == Some(&b':'));
        let minutes = number(head, minutes_at, 2)?;
        (hours < 24 && minutes < 60).then_some((sign * (hours * 60 + minutes), minutes_at + 2))
    };
    match head.get(at) {
        Some(b'Z' | b'z') => (0, at + 1),
        _ => offset().unwrap_or((0, at)),
    }
}

/// `21:30:21` with any number of digits behind a point or a comma, in milliseconds.
fn clock(head: &[u8], at: usize) -> Option<(i64, usize)> {
    let hours = number(head, at, 2)?;
    expect(head, at + 2, b":")?;
    let minutes = number(head, at + 3, 2)?;
    expect(head, at + 5, b":")?;
    let seconds = number(head, at + 6, 2)?;
    // 60 is a leap second.
    if hours > 23 || minutes > 59 || seconds > 60 {
        return None;
    }
    let whole = ((hours * 60 + minutes) * 60 + seconds) * 1000;
    let end = at + 8;
    if !matches!(head.get(end), Some(b'.' | b',')) {
        return Some((whole, end));
    }
    let digits = head.get(end + 1..)?.iter().take_while(|byte| byte.is_ascii_digit());
    let (mut ms, mut n, mut unit) = (0, 0, 100);
    for digit in digits {
        ms += i64::from(digit - b'0') * unit;
        unit /= 10;
        n += 1;
    }
    Some((whole + ms, end + 1 + n))
}

/// `[   12.345678]`, the kernel's own.
fn after_boot(head: &[u8]) -> Option<(i64, usize)> {
    let inner = head.strip_prefix(b"[")?;
    let close = inner.iter().position(|byte| *byte == b']')?;
    let text = std::str::from_utf8(inner.get(..close)?).ok()?.trim();
    let (seconds, micros) = text.split_once('.')?;
    let is_number = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    if !is_number(seconds) || !is_number(micros) || micros.len() != 6 {
        return None;
    }
    let seconds: i64 = seconds.parse().ok().filter(|s| *s < i64::MAX / 2000)?;
    let micros: i64 = micros.parse().ok()?;
    Some((seconds * 1000 + micros / 1000, close + 2))
}

/// `[Thu May 10 14:02:27 2018]`, of `dmesg -T`.
fn ctime(head: &[u8]) -> Option<(i64, usize)> {
    let inner = head.strip_prefix(b"[")?;
    let month = month(inner.get(4..7)?)?;
    expect(inner, 7, b" ")?;
    let day = day_of_month(inner, 8)?;
    expect(inner, 10, b" ")?;
    let (time_ms, end) = clock(inner, 11)?;
    let year = number(inner, end + 1, 4)?;
    expect(inner, end + 5, b"]")?;
    Some((days_from_civil(year, month, day)? * DAY_MS + time_ms, end + 7))
}

/// `May  9 21:30:21`, behind an optional `<30>`.
fn syslog(head: &[u8]) -> Option<(i64, i64, i64, usize)> {
    let priority = match head.first() {
        Some(b'<') => head.iter().take(6).position(|byte| *byte == b'>')? + 1,
        _ => 0,
    };
    let line = head.get(priority..)?;
    let month = month(line.get(..3)?)?;
    expect(line, 3, b" ")?;
    let day = day_of_month(line, 4)?;
    expect(line, 6, b" ")?;
    let (time_ms, end) = clock(line, 7)?;
    Some((month, day, time_ms, priority + end))
}

fn in_year(month: i64, day: i64, time_ms: i64, year: Year) -> Option<i64> {
    let Year::EndedAt(ended_ms) = year else { return None };
    // A file may be written some hours after its last line, and its clock may be in another zone.
    let latest_ms = ended_ms.saturating_add(DAY_MS);
    let mut candidate = civil_year(latest_ms)?;
    // Nine years: the 29th of February comes at least every eighth.
    for _ in 0..9 {
        if let Some(days) = days_from_civil(candidate, month, day) {
            let ms = days * DAY_MS + time_ms;
            if ms <= latest_ms {
                return Some(ms);
            }
        }
        candidate -= 1;
    }
    None
}

/// `"__REALTIME_TIMESTAMP":"1525988547659000"`, in microseconds.
fn of_journal(line: &[u8]) -> Option<i64> {
    let head = line.get(..JOURNAL_HEAD_BYTES).unwrap_or(line);
    let key: &[u8] = b"\"__REALTIME_TIMESTAMP\"";
    let rest = head.get(memchr::memmem::find(head, key)? + key.len()..)?;
    let at = rest.iter().position(|byte| byte.is_ascii_digit()).filter(|at| *at < 4)?;
    let digits = rest.get(at..)?;
    let n = digits.iter().take_while(|byte| byte.is_ascii_digit()).count();
    let micros: i64 = std::str::from_utf8(digits.get(..n)?).ok()?.parse().ok()?;
    Some(micros / 1000)
}

fn number(bytes: &[u8], at: usize, n: usize) -> Option<i64> {
    let digits = bytes.get(at..at.checked_add(n)?)?;
    digits.iter().try_fold(0, |value: i64, digit| {
        digit.is_ascii_digit().then(|| value * 10 + i64::from(digit - b'0'))
    })
}

fn expect(bytes: &[u8], at: usize, any_of: &[u8]) -> Option<()> {
    any_of.contains(bytes.get(at)?).then_some(())
}

fn day_of_month(bytes: &[u8], at: usize) -> Option<i64> {
    match bytes.get(at)? {
        b' ' => number(bytes, at + 1, 1),
        _ => number(bytes, at, 2),
    }
}

fn month(name: &[u8]) -> Option<i64> {
    const NAMES: &[u8] = b"JanFebMarAprMayJunJulAugSepOctNovDec";
    let at = NAMES.chunks(3).position(|month| month == name)?;
    i64::try_from(at + 1).ok()
}

/// Days since 1970 of a day of the Gregorian calendar, or `None` for one that there is not.
fn days_from_civil(year: i64, month: i64, day: i64) -> Option<i64> {
    let is_leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    let length = match month {
        2 if is_leap => 29,
        2 => 28,
        4 | 6 | 9 | 11 => 30,
        1..=12 => 31,
        _ => return None,
    };
    if day < 1 || day > length {
        return None;
    }
    // Years that begin in March, so that the leap day is the last of them.
    let shifted = if month <= 2 { year - 1 } else { year };
    let era = shifted.div_euclid(400);
    let year_of_era = shifted.rem_euclid(400);
    let day_of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
    let day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
    Some(era * 146_097 + day_of_era - 719_468)
}

fn civil_year(ms: i64) -> Option<i64> {
    // Within one of the right one; the days decide.
    let guess = 1970 + ms.div_euclid(DAY_MS) / 365;
    (guess - 60..=guess + 1).rev().find(|year| {
        days_from_civil(*year, 1, 1).is_some_and(|days| days.saturating_mul(DAY_MS) <= ms)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn utc(text: &str) -> LogTime {
        of_line(text.as_bytes(), Year::EndedAt(1_526_000_000_000)).0
    }

    #[test]
    fn times_of_all_logs_are_read() {
        // 2018-05-10T14:02:27Z
        let at = 1_525_960_947_000;
        for (line, ms) in [
            ("2018-05-10T14:02:27.659Z cpu29:2097807)Activating Jumpstart plugin tpm.", at + 659),
            ("vpxd-11.log:2018-05-10T14:02:27.588Z info vpxd[05828] [Originator@6876]", at + 588),
            ("2018-05-10T16:02:27.588+02:00 info vpxd[05828]", at + 588),
            ("2018-05-10T14:02:27+0000 web-1 kernel: tpm", at),
            ("2018-05-10 14:02:27,659 INFO", at + 659),
            ("2018-05-10T14:02:27.659123Z  INFO server::app: text", at + 659),
            (r#"{"timestamp":"2018-05-10T14:02:27.659123Z","level":"INFO"}"#, at + 659),
            (r#"{"_BOOT_ID":"x","__REALTIME_TIMESTAMP":"1525960947659000"}"#, at + 659),
            ("[Thu May 10 14:02:27 2018] tpm tpm0: x", at),
            ("May 10 14:02:27 web-1 kernel: tpm", at),
            ("<30>May 10 14:02:27 web-1 kernel: tpm", at),
        ] {
            assert_eq!(utc(line), LogTime::Utc(ms), "{line}");
        }
        assert_eq!(utc("[   12.345678] tpm_tis"), LogTime::AfterBoot(12_345));
    }

    #[test]
    fn a_line_without_a_time_has_none() {
        for line in [
            "",
            "text",
            "[",
            "[x.y]",
            "2018-13-10T14:02:27Z",
            "2018-02-29T00:00:00Z",
            "2018-05-10T24:00:00Z",
            "May 32 14:02:27 x",
            "[12345678901234567890.123456]",
            "{",
            r#"{"__REALTIME_TIMESTAMP":"99999999999999999999999"}"#,
            "12018-05-10T14:02:27",
        ] {
            assert_eq!(utc(line), LogTime::Unknown, "{line}");
        }
    }

    #[test]
    fn a_log_without_years_ends_when_its_file_does() {
        // The file ended on 2018-01-02.
        let year = Year::EndedAt(1_514_851_200_000);
        let read = |line: &str, year| of_line(line.as_bytes(), year).0;
        assert_eq!(read("Dec 31 00:00:00 h x: y", year), LogTime::Utc(1_514_678_400_000));
        assert_eq!(read("Jan  1 00:00:00 h x: y", year), LogTime::Utc(1_514_764_800_000));
        assert_eq!(read("Feb 29 00:00:00 h x: y", year), LogTime::Utc(1_456_704_000_000));
        assert_eq!(read("Jan  1 00:00:00 h x: y", Year::Unknown), LogTime::Unknown);
    }

    #[test]
    fn days_are_those_of_the_calendar() {
        assert_eq!(days_from_civil(1970, 1, 1), Some(0));
        assert_eq!(days_from_civil(2000, 2, 29), Some(11_016));
        assert_eq!(days_from_civil(1900, 2, 29), None);
        assert_eq!(civil_year(-1), Some(1969));
        assert_eq!(civil_year(1_525_960_947_000), Some(2018));
    }
}
