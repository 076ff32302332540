//! The file that names many BMCs.

use std::{
    collections::BTreeSet,
    io::Read as _,
    path::{Path, PathBuf},
};

use serde::Deserialize;

use crate::{Address, AddressError, CertificatePin, PinError};

/// Largest inventory: 100,000 BMCs with names, pins and labels have below 20 MB.
const FILE_BYTES_MAX: u64 = 32 * 1024 * 1024;

/// One BMC of an inventory.
#[derive(Clone, Debug, PartialEq)]
pub struct Entry {
    /// Where it is.
    pub address: Address,
    /// What people call its host; else the address.
    pub name: String,
    /// The name of its credential.
    pub credential: Option<String>,
    /// SHA-256 of its certificate, where no authority issued it.
    pub pin: Option<CertificatePin>,
    /// The wave in which it is changed, from 1.
    pub wave: u32,
    /// Words to choose by.
    pub labels: Vec<String>,
}

/// The BMCs of a fleet, in the order of the file.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Inventory {
    /// Each has an address of its own.
    pub entries: Vec<Entry>,
}

/// An inventory cannot be used.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum InventoryError {
    /// The file cannot be read.
    #[error("the inventory {} cannot be read", .path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// Why.
        #[source]
        source: std::io::Error,
    },
    /// It is no TOML of an inventory.
    #[error("the inventory is not what it should be")]
    Toml(#[source] Box<toml::de::Error>),
    /// A line of the CSV is not what it should be.
    #[error("line {line} of the inventory: {what}")]
    Csv {
        /// Which, from 1.
        line: usize,
        /// What is wrong.
        what: &'static str,
    },
    /// An address is none.
    #[error("entry {entry} of the inventory")]
    Address {
        /// Which, from 1.
        entry: usize,
        /// Why.
        #[source]
        source: AddressError,
    },
    /// A pin is none.
    #[error("entry {entry} of the inventory")]
    Pin {
        /// Which, from 1.
        entry: usize,
        /// Why.
        #[source]
        source: PinError,
    },
    /// Two entries have one address: a host would be changed twice at once.
    #[error("{address} stands twice in the inventory")]
    Twice {
        /// The address.
        address: Address,
    },
    /// There is nothing in it.
    #[error("the inventory names no BMC")]
    Empty,
}

/// An entry as it is written.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct Written {
    address: String,
    name: Option<String>,
    credential: Option<String>,
    pin: Option<String>,
    wave: Option<u32>,
    #[serde(default)]
    labels: Vec<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Document {
    #[serde(default)]
    bmc: Vec<Written>,
}

impl Inventory {
    /// Reads a file: CSV where its name ends in `.csv`, else TOML.
    pub fn read(path: &Path) -> Result<Self, InventoryError> {
        let unreadable = |source| InventoryError::Read { path: path.to_owned(), source };
        let file = std::fs::File::open(path).map_err(unreadable)?;
        let mut text = String::new();
        file.take(FILE_BYTES_MAX).read_to_string(&mut text).map_err(unreadable)?;
        let is_csv =
            path.extension().is_some_and(|extension| extension.eq_ignore_ascii_case("csv"));
        if is_csv { Self::from_csv(&text) } else { Self::from_toml(&text) }
    }

    /// Reads TOML: a `[[bmc]]` for each, with `address` and, where they are known, `name`,
    /// `credential`, `pin`, `wave`, `labels`.
    pub fn from_toml(text: &str) -> Result<Self, InventoryError> {
        let document: Document =
            toml::from_str(text).map_err(|err| InventoryError::Toml(Box::new(err)))?;
        Self::of(document.bmc)
    }

    /// Reads CSV: the first line names the columns (as in TOML); labels are separated by semicolons.
    pub fn from_csv(text: &str) -> Result<Self, InventoryError> {
        let text = text.strip_prefix('\u{feff}').unwrap_or(text);
        let lines = text.lines().enumerate().map(|(index, line)| (index + 1, line.trim()));
        let mut lines = lines.filter(|(_, line)| !line.is_empty() && !line.starts_with('#'));
        let Some((first, columns)) = lines.next() else { return Err(InventoryError::Empty) };
        let columns = fields(columns, first)?;
        if !columns.iter().any(|column| column == "address") {
            let what = "the first line names the columns, and one of them is address";
            return Err(InventoryError::Csv { line: first, what });
        }
        let mut written = Vec::new();
        for (line, text) in lines {
            let fault = |what| InventoryError::Csv { line, what };
            let mut entry = Written::default();
            let values = fields(text, line)?;
            if values.len() > columns.len() {
                return Err(fault("there are more values than columns"));
            }
            for (column, value) in columns.iter().zip(values) {
                let some = (!value.is_empty()).then(|| value.clone());
                match column.as_str() {
                    "address" => entry.address = value,
                    "name" => entry.name = some,
                    "credential" => entry.credential = some,
                    "pin" => entry.pin = some,
                    "wave" => {
                        let wave = some.map(|value| value.parse()).transpose();
                        entry.wave = wave.map_err(|_| fault("a wave is a number from 1"))?;
                    }
                    "labels" => {
                        let labels =
                            value.split(';').map(str::trim).filter(|label| !label.is_empty());
                        entry.labels = labels.map(str::to_owned).collect();
                    }
                    _ => {
                        let what = "a column is address, name, credential, pin, wave or labels";
                        return Err(InventoryError::Csv { line: first, what });
                    }
                }
            }
            written.push(entry);
        }
        Self::of(written)
    }

    fn of(written: Vec<Written>) -> Result<Self, InventoryError> {
        let mut seen = BTreeSet::new();
        let mut entries = Vec::with_capacity(written.len());
        for (index, entry) in written.into_iter().enumerate() {
            let number = index + 1;
            let address: Address = entry
                .address
                .parse()
                .map_err(|source| InventoryError::Address { entry: number, source })?;
            if !seen.insert(address.clone()) {
                return Err(InventoryError::Twice { address });
            }
            let pin = entry.pin.map(|pin| pin.parse()).transpose();
            let pin = pin.map_err(|source| InventoryError::Pin { entry: number, source })?;
            let shown = || address.as_str().trim_start_matches("https://").to_owned();
            entries.push(Entry {
                name: entry.name.unwrap_or_else(shown),
                credential: entry.credential,
                pin,
                wave: entry.wave.unwrap_or(1),
                labels: entry.labels,
                address,
            });
        }
        if entries.is_empty() {
            return Err(InventoryError::Empty);
        }
        Ok(Self { entries })
    }
}

/// The values of a line. Quotes hold commas; two of them are one. [RFC 4180 §2]
fn fields(line: &str, number: usize) -> Result<Vec<String>, InventoryError> {
    let mut fields = vec![String::new()];
    let mut chars = line.chars().peekable();
    let mut is_quoted = false;
    while let Some(c) = chars.next() {
        let last = fields.len() - 1;
        let field = &mut fields[last];
        match c {
            '"' if is_quoted && chars.peek() == Some(&'"') => {
                chars.next();
                field.push('"');
            }
            '"' => is_quoted = !is_quoted,
            ',' if !is_quoted => fields.push(String::new()),
            c => field.push(c),
        }
    }
    if is_quoted {
        return Err(InventoryError::Csv { line: number, what: "a quote is not closed" });
    }
    Ok(fields.into_iter().map(|field| field.trim().to_owned()).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn toml_and_csv_say_the_same() {
        let pin = "ab".repeat(32);
        let toml = format!(
            "[[bmc]]\naddress = '10.0.0.1'\nname = 'web-1'\ncredential = 'rack7'\npin = '{pin}'\n\
             wave = 2\nlabels = ['rack 7', 'web']\n[[bmc]]\naddress = 'https://bmc-2:8443'\n"
        );
        let csv = format!(
            "# our machines\naddress,name,credential,pin,wave,labels\n\
             10.0.0.1,\"web-1\",rack7,{pin},2,rack 7;web\nhttps://bmc-2:8443\n"
        );
        let inventory = Inventory::from_toml(&toml).unwrap();
        assert_eq!(inventory, Inventory::from_csv(&csv).unwrap());
        assert_eq!(inventory.entries[0].wave, 2);
        assert_eq!(inventory.entries[1].name, "bmc-2:8443");
        assert_eq!(inventory.entries[1].wave, 1);
    }

    #[test]
    fn what_is_wrong_is_said_with_its_place() {
        let csv = |text: &str| Inventory::from_csv(text).unwrap_err().to_string();
        assert!(csv("name\nx").contains("line 1"));
        assert!(csv("address\na\n\"b").contains("line 3"));
        assert!(csv("address\na,b").contains("line 2"));
        assert!(csv("address,password\na,b").contains("a column is"));
        assert!(csv("address\nhttp://a").contains("entry 1"));
        assert!(csv("address\na\nA").contains("twice"));
        assert!(csv("").contains("no BMC"));
        assert!(Inventory::from_toml("[[bmc]]\naddress = 'a'\npassword = 'x'").is_err());
    }
}
