//! What was measured, and what it must be.

use std::fmt;

use serde::Serialize;

/// What a figure must be.
#[derive(Clone, Copy, Debug, Serialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Bar {
    /// This or less.
    AtMost(f64),
    /// This or more.
    AtLeast(f64),
    /// Nothing: it is there to be seen.
    None,
}

/// A figure.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Figure {
    pub(crate) name: String,
    pub(crate) value: f64,
    pub(crate) unit: &'static str,
    pub(crate) bar: Bar,
}

impl Figure {
    pub(crate) fn holds(&self) -> bool {
        match self.bar {
            Bar::AtMost(bar) => self.value <= bar,
            Bar::AtLeast(bar) => self.value >= bar,
            Bar::None => true,
        }
    }
}

impl fmt::Display for Figure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { name, value, unit, .. } = self;
        let digits = if *value < 10.0 {
            2
        } else if *value < 100.0 {
            1
        } else {
            0
        };
        write!(f, "{name}: {value:.digits$}")?;
        if !unit.is_empty() {
            write!(f, " {unit}")?;
        }
        let word = if self.holds() { "holds" } else { "MISSED" };
        match self.bar {
            Bar::AtMost(bar) => write!(f, " (bar {bar}) {word}"),
            Bar::AtLeast(bar) => write!(f, " (bar {bar} or more) {word}"),
            Bar::None => Ok(()),
        }
    }
}

/// The figures of a run, told as they come.
#[derive(Debug, Default)]
pub(crate) struct Figures(pub(crate) Vec<Figure>);

impl Figures {
    pub(crate) fn add(
        &mut self,
        name: impl Into<String>,
        value: f64,
        unit: &'static str,
        bar: Bar,
    ) {
        let figure = Figure { name: name.into(), value, unit, bar };
        eprintln!("{figure}");
        self.0.push(figure);
    }
}

/// The middle one; of an even number the lower of both.
pub(crate) fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values.get(values.len().saturating_sub(1) / 2).copied().unwrap_or(f64::NAN)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bar_is_held_or_missed() {
        let figure = |value, bar| Figure { name: "x".to_owned(), value, unit: "", bar };
        assert_eq!(figure(1.6, Bar::AtMost(1.6)).to_string(), "x: 1.60 (bar 1.6) holds");
        assert_eq!(figure(1.7, Bar::AtMost(1.6)).to_string(), "x: 1.70 (bar 1.6) MISSED");
        assert!(!figure(0.5, Bar::AtLeast(0.6)).holds());
        // Nothing measured is nothing held.
        assert!(!figure(f64::NAN, Bar::AtMost(1.0)).holds());
        assert!(!figure(f64::NAN, Bar::AtLeast(1.0)).holds());
        assert!(median(Vec::new()).is_nan());
        assert_eq!(median(vec![3.0, 1.0, 2.0]), 2.0);
    }
}
