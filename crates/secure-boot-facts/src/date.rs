//! Dates of releases.

use core::fmt;

/// A day, as releases are named by. Later days are greater.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Date {
    /// Year.
    pub year: u16,
    /// Month, 1 to 12.
    pub month: u8,
    /// Day, 1 to 31.
    pub day: u8,
}

impl Date {
    /// A date of a table.
    pub(crate) const fn new(year: u16, month: u8, day: u8) -> Self {
        Self { year, month, day }
    }

    /// Reads `YYYY-MM-DD`.
    pub fn parse(text: &str) -> Option<Self> {
        let digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
        let mut parts = text.split('-');
        let mut part = |len| parts.next().filter(|part| part.len() == len && digits(part));
        let (year, month, day) = (part(4)?, part(2)?, part(2)?);
        let date =
            Self { year: year.parse().ok()?, month: month.parse().ok()?, day: day.parse().ok()? };
        let is_day = (1..=12).contains(&date.month) && (1..=31).contains(&date.day);
        (is_day && parts.next().is_none()).then_some(date)
    }
}

impl fmt::Display for Date {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:04}-{:02}-{:02}", self.year, self.month, self.day)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_date_is_a_day() {
        assert_eq!(Date::parse("2025-10-14"), Some(Date::new(2025, 10, 14)));
        assert_eq!(Date::new(2025, 1, 4).to_string(), "2025-01-04");
        for text in
            ["", "2025", "2025-1-4", "2025-13-01", "2025-00-01", "2025-01-32", "2025-01-01-"]
        {
            assert_eq!(Date::parse(text), None, "{text}");
        }
    }
}
