//! What a browser sends of a form.

use api::inventory::ACTION_HOSTS_MAX;

use crate::app::{AppError, RefusalKind};

/// Bytes of a form: as many hosts as one action takes, each with its identifier and the name of its
/// field, and some sentences.
pub(super) const FORM_BYTES_MAX: usize = ACTION_HOSTS_MAX * 64 + 16 * 1024;

/// Fields of a form, each of which may be there more than once.
#[derive(Debug, Default)]
pub(super) struct Form(Vec<(String, String)>);

impl Form {
    pub(super) fn read(bytes: &[u8]) -> Self {
        Self(form_urlencoded::parse(bytes).into_owned().collect())
    }

    /// The field of this name; empty where there is none.
    pub(super) fn text(&self, name: &str) -> &str {
        self.0.iter().find(|(known, _)| known == name).map_or("", |(_, value)| value.trim())
    }

    /// The secret of this name, byte for byte.
    pub(super) fn secret(&self, name: &str) -> &str {
        self.0.iter().find(|(known, _)| known == name).map_or("", |(_, value)| value)
    }

    /// The field of this name, where something was written.
    pub(super) fn maybe(&self, name: &str) -> Option<String> {
        Some(self.text(name)).filter(|text| !text.is_empty()).map(str::to_owned)
    }

    /// A number of this name, where something was written.
    pub(super) fn number<T: std::str::FromStr>(&self, name: &str) -> Result<Option<T>, AppError> {
        let Some(text) = self.maybe(name) else { return Ok(None) };
        let no_number = || {
            let title = format!("{text} is not a number that {name} can be");
            AppError::plain(RefusalKind::Invalid, "form-invalid", title)
        };
        text.parse().map(Some).map_err(|_| no_number())
    }

    /// All fields of this name.
    pub(super) fn all(&self, name: &str) -> Vec<String> {
        let of_name = |(known, value): &(String, String)| (known == name).then(|| value.clone());
        self.0.iter().filter_map(of_name).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_are_read_by_name() {
        let form = Form::read(b"host=a&reason=a+b%20%C3%BC&host=b&hours=&n=x");
        assert_eq!(form.all("host"), ["a", "b"]);
        assert_eq!(form.text("reason"), "a b \u{fc}");
        assert_eq!(form.maybe("hours"), None);
        assert!(form.number::<u32>("n").is_err());
        assert_eq!(form.number::<u32>("hours").ok().flatten(), None);
    }
}
