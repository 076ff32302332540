//! CBOR as a tree, and no more of it than manifests need: definite lengths, each key once.
//! [RFC8949]

use crate::ManifestError;

/// Items within one another: a manifest has twelve.
const DEPTH_MAX: usize = 20;
/// Items of one document: each costs a byte of it, and a manifest of 24 registers has 200.
const ITEMS_MAX: usize = 16_384;
/// Entries of one map, each of which is compared with the others.
const ENTRIES_MAX: usize = 64;

/// One item.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Item<'a> {
    Unsigned(u64),
    /// The number -1 - n.
    Negative(u64),
    Bytes(&'a [u8]),
    Text(&'a str),
    Array(Vec<Item<'a>>),
    Map(Vec<(Item<'a>, Item<'a>)>),
    Tag(u64, Box<Item<'a>>),
    /// A truth value, a float or nothing: no part of a manifest that counts.
    Simple(u64),
}

const fn broken(what: &'static str) -> ManifestError {
    ManifestError::Form { what }
}

/// The one item that `bytes` are.
pub(crate) fn read(bytes: &[u8]) -> Result<Item<'_>, ManifestError> {
    let mut reader = Reader { rest: bytes, n_items: 0 };
    let item = reader.item(0)?;
    match reader.rest {
        [] => Ok(item),
        _ => Err(broken("something follows behind its end")),
    }
}

struct Reader<'a> {
    rest: &'a [u8],
    n_items: usize,
}

impl<'a> Reader<'a> {
    /// One item; recursion is at most [`DEPTH_MAX`] deep.
    fn item(&mut self, depth: usize) -> Result<Item<'a>, ManifestError> {
        self.n_items = self.n_items.saturating_add(1);
        if depth > DEPTH_MAX || self.n_items > ITEMS_MAX {
            return Err(broken("it has too many items, or too deep within one another"));
        }
        let below = depth.saturating_add(1);
        let (first, value) = self.head()?;
        Ok(match first >> 5 {
            0 => Item::Unsigned(value),
            1 => Item::Negative(value),
            2 => Item::Bytes(self.take(value)?),
            3 => {
                let text = core::str::from_utf8(self.take(value)?);
                Item::Text(text.map_err(|_| broken("a text of it is not UTF-8"))?)
            }
            // Each item takes a byte, so nothing is ever made that the bytes cannot hold.
            4 => Item::Array((0..value).map(|_| self.item(below)).collect::<Result<_, _>>()?),
            5 => Item::Map(self.entries(value, below)?),
            6 => Item::Tag(value, Box::new(self.item(below)?)),
            _ => Item::Simple(value),
        })
    }

    fn entries(
        &mut self,
        n: u64,
        depth: usize,
    ) -> Result<Vec<(Item<'a>, Item<'a>)>, ManifestError> {
        let mut entries: Vec<(Item<'a>, Item<'a>)> = Vec::new();
        for _ in 0..n {
            let key = self.item(depth)?;
            if entries.len() >= ENTRIES_MAX || entries.iter().any(|(have, _)| *have == key) {
                return Err(broken("a map has too many entries, or one key twice"));
            }
            let value = self.item(depth)?;
            entries.push((key, value));
        }
        Ok(entries)
    }

    /// The first byte of an item, and its number: a value or a length.
    fn head(&mut self) -> Result<(u8, u64), ManifestError> {
        let [first] = self.fixed::<1>()?;
        let value = match first & 0x1f {
            short @ 0..=23 => u64::from(short),
            24 => self.fixed::<1>().map(|[value]| u64::from(value))?,
            25 => u64::from(u16::from_be_bytes(self.fixed()?)),
            26 => u64::from(u32::from_be_bytes(self.fixed()?)),
            27 => u64::from_be_bytes(self.fixed()?),
            _ => return Err(broken("an item of it has no definite length")),
        };
        Ok((first, value))
    }

    fn fixed<const N: usize>(&mut self) -> Result<[u8; N], ManifestError> {
        let (value, rest) = self.rest.split_first_chunk().ok_or(broken("it ends too early"))?;
        self.rest = rest;
        Ok(*value)
    }

    fn take(&mut self, n: u64) -> Result<&'a [u8], ManifestError> {
        let n = usize::try_from(n).unwrap_or(usize::MAX);
        let split = self.rest.split_at_checked(n);
        let (taken, rest) = split.ok_or(broken("it ends too early"))?;
        self.rest = rest;
        Ok(taken)
    }
}

impl<'a> Item<'a> {
    /// The entry of a map with this small number for its key.
    pub(crate) fn at(&self, key: u64) -> Option<&Item<'a>> {
        let Self::Map(entries) = self else { return None };
        entries.iter().find(|(have, _)| *have == Item::Unsigned(key)).map(|(_, value)| value)
    }

    /// The entries of a map whose keys are numbers, in which none but `known` occurs.
    pub(crate) fn has_only(&self, known: &[u64]) -> bool {
        let Self::Map(entries) = self else { return false };
        let is_known = |key: &Item<'_>| matches!(key, Item::Unsigned(n) if known.contains(n));
        entries.iter().all(|(key, _)| is_known(key))
    }

    pub(crate) fn bytes(&self) -> Option<&'a [u8]> {
        match self {
            Self::Bytes(bytes) => Some(bytes),
            _ => None,
        }
    }

    pub(crate) fn text(&self) -> Option<&'a str> {
        match self {
            Self::Text(text) => Some(text),
            _ => None,
        }
    }

    pub(crate) fn array(&self) -> Option<&[Item<'a>]> {
        match self {
            Self::Array(items) => Some(items),
            _ => None,
        }
    }

    /// What the tag of this number is put on.
    pub(crate) fn tagged(&self, number: u64) -> Option<&Item<'a>> {
        match self {
            Self::Tag(have, item) if *have == number => Some(item),
            _ => None,
        }
    }
}

/// A byte string with its head.
pub(crate) fn put_bytes(out: &mut Vec<u8>, bytes: &[u8]) {
    const BYTES: u8 = 0x40;
    // Never longer than a manifest, which is limited far below.
    match u32::try_from(bytes.len()).unwrap_or(u32::MAX).to_be_bytes() {
        [0, 0, 0, n @ 0..=23] => out.push(BYTES | n),
        [0, 0, 0, n] => out.extend([BYTES | 24, n]),
        [0, 0, high, low] => out.extend([BYTES | 25, high, low]),
        [a, b, c, d] => out.extend([BYTES | 26, a, b, c, d]),
    }
    out.extend_from_slice(bytes);
}
