//! What each key means, and what is wrong with a file: all of it at once, each with its line.
//!
//! The words are those of the fields of [`Config`], read out of the very file that declares them, so that
//! a key without words, or with words of its own somewhere else, cannot be.

use serde::Deserialize as _;
use toml::{Table, Value, de::DeTable};

use super::{Config, Oidc};

/// The declarations.
const SOURCE: &str = include_str!("../config.rs");
const OIDC_SOURCE: &str = include_str!("oidc.rs");

/// How alike two words are that are taken for one: below it a hint misleads.
const ALIKE_MIN: f64 = 0.8;

/// A key of the file.
#[derive(Clone, Debug, PartialEq)]
pub struct Key {
    /// Its name.
    pub name: String,
    /// What it means, in lines.
    pub meaning: Vec<String>,
    /// What counts without it; `None`: nothing does.
    pub default: Option<Value>,
}

/// What is wrong with a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fault {
    /// Where, from 1 on; `None`: not at one place.
    pub line: Option<usize>,
    /// What.
    pub says: String,
    /// What to do about it.
    pub hint: Option<String>,
}

impl std::fmt::Display for Fault {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        if let Some(line) = self.line {
            write!(f, "line {line}: ")?;
        }
        f.write_str(&self.says)?;
        match &self.hint {
            Some(hint) => write!(f, " ({hint})"),
            None => Ok(()),
        }
    }
}

/// All keys, in their order.
pub fn keys() -> Vec<Key> {
    fields(SOURCE, "Config", &Table::try_from(Config::default()).unwrap_or_default())
}

/// Keys of tables below others: the table's name, as a heading of the file has it, and its keys.
fn tables() -> Vec<(&'static str, Vec<Key>)> {
    let least = "issuer = ''\nclient_id = ''\n";
    let defaults = toml::from_str::<Oidc>(least).ok().and_then(|least| Table::try_from(least).ok());
    let mut oidc = fields(OIDC_SOURCE, "Oidc", &defaults.unwrap_or_default());
    oidc.retain(|key| key.name != "role");
    for key in &mut oidc {
        if matches!(key.name.as_str(), "issuer" | "client_id") {
            key.default = None;
        }
    }
    vec![("oidc", oidc), ("[oidc.role]", fields(OIDC_SOURCE, "OidcRole", &Table::new()))]
}

/// The fields of a structure as keys.
fn fields(source: &str, structure: &str, defaults: &Table) -> Vec<Key> {
    let opening = format!("pub struct {structure} {{");
    let (_, fields) = source.split_once(&opening).unwrap_or_default();
    let (fields, _) = fields.split_once("\n}\n").unwrap_or_default();
    let mut keys = Vec::new();
    let (mut meaning, mut is_skipped) = (Vec::new(), false);
    for line in fields.lines().map(str::trim) {
        if let Some(words) = line.strip_prefix("///") {
            meaning.push(words.trim().to_owned());
        } else if line.starts_with("#[serde(skip") && !line.contains("skip_serializing_if") {
            is_skipped = true;
        } else if let Some((name, _)) =
            line.strip_prefix("pub ").and_then(|field| field.split_once(':'))
        {
            let meaning = std::mem::take(&mut meaning);
            if !std::mem::take(&mut is_skipped) {
                let default = defaults.get(name).cloned();
                keys.push(Key { name: name.to_owned(), meaning, default });
            }
        }
    }
    keys
}

/// The values of a configuration by key, without what is secret.
pub fn shown_values(config: &Config) -> Result<Table, toml::ser::Error> {
    let values = Table::try_from(config)?;
    let shown = values.iter().map(|(name, value)| (name.clone(), hidden(name, value)));
    Ok(shown.collect())
}

/// A value without what is secret in it, by its name.
fn hidden(name: &str, value: &Value) -> Value {
    let is_secret = ["secret", "password", "token"].iter().any(|word| name.contains(word));
    match value {
        // Where a secret lies is none.
        _ if is_secret && !name.ends_with("file") => Value::String("…".to_owned()),
        Value::Table(table) => {
            let hidden = table.iter().map(|(name, value)| (name.clone(), hidden(name, value)));
            Value::Table(hidden.collect())
        }
        Value::Array(values) => {
            Value::Array(values.iter().map(|value| hidden(name, value)).collect())
        }
        other => other.clone(),
    }
}

/// All that is wrong with the text of a configuration by itself; what the machine lacks is another thing.
pub fn faults(text: &str) -> Vec<Fault> {
    let line_of = |at: usize| text.get(..at).map(|before| before.matches('\n').count() + 1);
    let (table, values) = match (DeTable::parse(text), toml::from_str::<Table>(text)) {
        (Ok(table), Ok(values)) => (table, values),
        (Err(err), _) | (_, Err(err)) => {
            let line = err.span().and_then(|span| line_of(span.start));
            return vec![Fault { line, says: err.message().to_owned(), hint: None }];
        }
    };
    let known = keys();
    let mut faults = Vec::new();
    for key in table.get_ref().keys() {
        let name: &str = key.get_ref();
        let line = line_of(key.span().start);
        if !known.iter().any(|known| known.name == name) {
            let meant = policy::alike(name, known.iter().map(|key| &*key.name), ALIKE_MIN);
            let hint = meant.map(|key| format!("is `{key}` meant?"));
            faults.push(Fault { line, says: format!("there is no key `{name}`"), hint });
            continue;
        }
        // Each by itself, so that one fault hides no other.
        let alone: Table =
            values.get(name).map(|v| (name.to_owned(), v.clone())).into_iter().collect();
        if let Err(err) = Config::deserialize(alone) {
            let message = err.message().trim_end();
            faults.push(Fault { line, says: format!("`{name}`: {message}"), hint: None });
        }
    }
    if faults.is_empty()
        && let Ok(config) = toml::from_str::<Config>(text)
    {
        let of = |name: &str| {
            let key = table.get_ref().keys().find(|key| key.get_ref() == name)?;
            line_of(key.span().start)
        };
        for says in config.faults() {
            // A fault begins with the key that it is about.
            let line = says.split([' ', ':']).next().and_then(of);
            faults.push(Fault { line, says, hint: None });
        }
    }
    faults.sort_by_key(|fault| fault.line);
    faults
}

/// The page of all keys.
pub fn reference() -> String {
    let mut text = String::from(
        "# Configuration of the server\n\n\
         <!-- Written by `cargo xtask docs` from the fields of `server::config::Config`; edit those. -->\n\n\
         `bootproof-server --config FILE` reads a TOML file, of the package `/etc/bootproof/server.toml`.\n\
         Every key may be left out. Flags and variables of the environment win over the file\n\
         (`bootproof-server --help` names them). `bootproof-server config check` says all that is wrong\n\
         with a file and with this machine, `config show` what counts and where each value comes from,\n\
         `config reference` prints this page.\n\n\
         At SIGHUP (`systemctl reload bootproof-server`), and when a file changes, the server reads anew:\n\
         `attest_interval_s`, `verdict_good_for_s`, `challenge_good_for_s`, `policy` with the files that it\n\
         names, `dbx`, `tls_certificate`, `tls_key`, `log` and `oidc`. Other keys count from the next start on;\n\
         `/readyz` names those that changed. What cannot be used leaves what counted before: that is said\n\
         in the log, by `/readyz`, by the metric `bootproof_reload_failing` and in the audit log.\n",
    );
    let sections = |text: &mut String, keys: Vec<Key>, level: &str| {
        for Key { name, meaning, default } in keys {
            let default = default.map_or_else(|| "none".to_owned(), |value| format!("`{value}`"));
            text.push_str(&format!(
                "\n{level} {name}\n\n{}\n\nDefault: {default}\n",
                meaning.join("\n")
            ));
        }
    };
    sections(&mut text, keys(), "##");
    for (table, keys) in tables() {
        text.push_str(&format!("\n## [{table}]\n"));
        sections(&mut text, keys, "###");
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    fn said(text: &str) -> Vec<String> {
        faults(text).iter().map(ToString::to_string).collect()
    }

    #[test]
    fn what_is_secret_is_not_shown() {
        let table: Value = toml::from_str(
            "[oidc]\nclient_secret = 'hunter2'\nclient_secret_file = '/x'\nissuer = 'y'",
        )
        .unwrap();
        let shown = hidden("all", &table).to_string();
        assert!(
            !shown.contains("hunter2") && shown.contains("/x") && shown.contains('y'),
            "{shown}"
        );
    }

    #[test]
    fn each_key_has_its_words() {
        let keys = keys();
        let defaults = Table::try_from(Config::default()).unwrap();
        for name in defaults.keys() {
            assert!(keys.iter().any(|key| key.name == *name), "{name} is not found in the source");
        }
        for key in &keys {
            assert!(!key.meaning.is_empty(), "{}", key.name);
            let one: Table =
                key.default.clone().map(|v| (key.name.clone(), v)).into_iter().collect();
            assert!(Config::deserialize(one).is_ok() || key.name == "store", "{}", key.name);
        }
        assert!(keys.len() > 12 && !keys.iter().any(|key| key.name == "schedules"));
        for (table, keys) in tables() {
            assert!(keys.len() > 2, "{table}");
            assert!(keys.iter().all(|key| !key.meaning.is_empty()), "{table}");
        }
    }

    #[test]
    fn all_faults_are_told_at_once_with_their_lines() {
        let text = "lisen = '0.0.0.0:1'\n# a word\nattest_interval_s = 'soon'\n\nzzz = 1\n";
        assert_eq!(
            said(text),
            [
                "line 1: there is no key `lisen` (is `listen` meant?)".to_owned(),
                "line 3: `attest_interval_s`: invalid type: string \"soon\", expected u64"
                    .to_owned(),
                "line 5: there is no key `zzz`".to_owned(),
            ]
        );
        assert_eq!(said("a = \n").len(), 1);
        assert!(said("x = 1\nx = 2\n")[0].starts_with("line 2: "), "{:?}", said("x = 1\nx = 2\n"));
        let values = said("joins_per_s = 1\nconnections_max = 0\nattest_interval_s = 0\n");
        assert_eq!(values.len(), 2, "{values:?}");
        assert!(values[0].starts_with("line 2: connections_max"), "{values:?}");
        assert!(values[1].starts_with("line 3: attest_interval_s is 0"), "{values:?}");
        assert_eq!(said(""), Vec::<String>::new());
        assert_eq!(said(include_str!("../../../../packaging/server.toml")), Vec::<String>::new());
    }

    #[test]
    fn the_page_is_what_the_code_writes() {
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/config.md");
        assert!(
            std::fs::read_to_string(path).unwrap_or_default() == reference(),
            "docs/config.md is out of date: `cargo xtask docs` writes it"
        );
    }
}
