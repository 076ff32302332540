//! What a browser sends of a form.

use pages::HeldField;

use crate::app::{AppError, RefusalKind};

/// Bytes of a form. The largest is a policy of which each byte is written as three; as many hosts as one action
/// takes, each with its identifier, are a sixth of it.
pub(super) const FORM_BYTES_MAX: usize = 3 * policy::POLICY_BYTES_MAX + 16 * 1024;

/// Bytes of a form that brings along another, which is held until somebody is signed in: a policy, in which one
/// character of four is written as five.
pub(super) const HOLDING_FORM_BYTES_MAX: usize = 2 * FORM_BYTES_MAX;

/// Fields that are not held: what is secret goes to who wrote it, and is typed once more.
const SECRET_FIELDS: &[&str] = &["password", "old", "new", "secret", "code"];

/// The field in which a page shows its session.
const CSRF_FIELD: &str = "csrf";

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

    /// The text of this name, whole, with the ends of lines that texts have here.
    pub(super) fn lines(&self, name: &str) -> String {
        self.secret(name).replace("\r\n", "\n")
    }

    /// What is held of it until it can be sent again; `None`: a part of it is secret, or there is nothing.
    pub(super) fn held(&self) -> Option<Vec<HeldField>> {
        let fields = self.0.iter().filter(|(name, _)| name != CSRF_FIELD);
        let fields: Vec<_> = fields
            .map(|(name, value)| HeldField {
                name: name.clone(),
                value: value.replace("\r\n", "\n"),
            })
            .collect();
        let has_secret = fields.iter().any(|field| SECRET_FIELDS.contains(&field.name.as_str()));
        (!has_secret && !fields.is_empty()).then_some(fields)
    }

    /// The same as one text, in the form in which browsers send it.
    pub(super) fn held_text(fields: &[HeldField]) -> String {
        let mut text = form_urlencoded::Serializer::new(String::new());
        fields.iter().for_each(|field| {
            text.append_pair(&field.name, &field.value);
        });
        text.finish()
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
    fn a_form_is_held_but_for_what_is_secret() {
        let form = Form::read(b"csrf=x&policy=a%0D%0Ab&note=&host=1&host=2");
        let held = form.held().unwrap();
        assert_eq!(held.len(), 4, "{held:?}");
        assert_eq!(Form::read(Form::held_text(&held).as_bytes()).held().unwrap(), held);
        assert_eq!(form.lines("policy"), "a\nb");
        assert_eq!(Form::read(b"csrf=x&name=bob&password=hunter2").held(), None);
        assert_eq!(Form::read(b"csrf=x").held(), None);
    }

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
