//! The hours in which hosts may be changed.

use std::str::FromStr;

use jiff::{Timestamp, civil::Time, tz::TimeZone};

/// From one time of day to another, perhaps over midnight, by the clock of this machine.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Window {
    from: Time,
    to: Time,
}

/// A text is not a window.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a window is written as 22:00-04:00")]
pub struct WindowError;

impl FromStr for Window {
    type Err = WindowError;

    fn from_str(text: &str) -> Result<Self, WindowError> {
        let (from, to) = text.split_once('-').ok_or(WindowError)?;
        let time = |text: &str| {
            let (hours, minutes) = text.trim().split_once(':').ok_or(WindowError)?;
            let number = |text: &str| text.parse::<i8>().map_err(|_| WindowError);
            Time::new(number(hours)?, number(minutes)?, 0, 0).map_err(|_| WindowError)
        };
        let window = Self { from: time(from)?, to: time(to)? };
        // An empty window would be one in which nothing ever happens, or everything.
        if window.from == window.to { Err(WindowError) } else { Ok(window) }
    }
}

impl Window {
    /// Whether `now` lies in it; its end does not.
    pub fn is_open(&self, now: Time) -> bool {
        if self.from < self.to {
            self.from <= now && now < self.to
        } else {
            self.from <= now || now < self.to
        }
    }

    /// Whether it is open by this machine's clock and zone.
    pub fn is_open_now(&self) -> bool {
        let now = Timestamp::now().to_zoned_datetime(TimeZone::system());
        self.is_open(now.time())
    }
}

impl std::fmt::Display for Window {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { from, to } = self;
        write!(f, "{:02}:{:02}-{:02}:{:02}", from.hour(), from.minute(), to.hour(), to.minute())
    }
}

#[cfg(test)]
mod tests {
    use jiff::civil::time;

    use super::*;

    #[test]
    fn a_window_may_go_over_midnight() {
        let night: Window = "22:00-04:30".parse().unwrap();
        for (hour, minute, is_open) in
            [(21, 59, false), (22, 0, true), (0, 0, true), (4, 29, true), (4, 30, false)]
        {
            assert_eq!(night.is_open(time(hour, minute, 0, 0)), is_open, "{hour}:{minute}");
        }
        let day: Window = "09:00-17:00".parse().unwrap();
        assert!(day.is_open(time(12, 0, 0, 0)));
        assert!(!day.is_open(time(17, 0, 0, 0)));
        for wrong in ["", "22-4", "22:00-22:00", "24:00-01:00", "22:60-01:00", "22:00"] {
            assert_eq!(wrong.parse::<Window>(), Err(WindowError), "{wrong}");
        }
    }
}
