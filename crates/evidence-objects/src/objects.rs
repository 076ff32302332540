//! Writing, reading, removing and listing objects.

use std::sync::Arc;
use std::time::{Duration, Instant};

use bytes::Bytes;
use futures_util::{StreamExt as _, TryStreamExt as _};
use object_store::path::Path;
use object_store::{ObjectStore, ObjectStoreExt as _, PutMode, PutOptions};
use tokio::sync::Semaphore;
use tokio::time::timeout;

use crate::activity::Counters;
use crate::{ObjectActivity, ObjectError, ObjectName, Place, PlaceError};

/// For one step with all its tries. The store that is away for longer makes who waits come again.
pub const STEP_MAX: Duration = Duration::from_secs(15);

/// Objects that are written and read at one time: each has 6 MiB at most in memory, and a store gives one client
/// no more for more.
const AT_ONCE: usize = 16;

/// For the list of one folder: some hundred requests for some hundred thousand objects.
const LIST_MAX: Duration = Duration::from_secs(120);

/// Objects of one list, of some hundred bytes each in memory. There are 256 folders, so that it is reached with some
/// hundred million objects; what is behind it is listed when those before it went.
const LISTED_MAX: usize = 1_000_000;

/// The object that says whose the others are.
const OWNER: &str = "bootproof-owner";

/// Bytes of it: an identifier.
const OWNER_BYTES_MAX: usize = 256;

/// Where a probe writes.
const PROBES: &str = "probe";

/// Objects of evidence at one place.
pub struct Objects {
    store: Arc<dyn ObjectStore>,
    prefix: String,
    place: String,
    counters: Counters,
    turns: Semaphore,
}

/// Whose the objects at a place are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Claim {
    /// Of who asked: before, or from now on.
    Ours,
    /// Of another one, which is named.
    AnothersNamed(String),
}

/// An object in a list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Listed {
    /// Its name.
    pub name: ObjectName,
    /// When it was written, by the store's clock; Unix milliseconds.
    pub written_at_ms: i64,
    /// How many bytes it has.
    pub n_bytes: u64,
}

impl std::fmt::Debug for Objects {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Objects({})", self.place)
    }
}

impl std::fmt::Display for Objects {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.place)
    }
}

impl Objects {
    /// Objects at `place`. No request is made.
    ///
    /// # Errors
    /// The place cannot be used as it is named.
    pub fn at(place: &Place) -> Result<Self, PlaceError> {
        let (store, prefix) = place.open()?;
        let prefix = prefix.trim_matches('/').to_owned();
        let (counters, turns) = (Counters::default(), Semaphore::new(AT_ONCE));
        Ok(Self { store, prefix, place: place.to_string(), counters, turns })
    }

    /// What was counted.
    #[must_use]
    pub fn activity(&self) -> ObjectActivity {
        self.counters.seen()
    }

    /// Somebody read an object, and it was not what was written.
    pub fn note_damaged(&self) {
        self.counters.lost();
    }

    fn path(&self, name: &str) -> Path {
        match self.prefix.as_str() {
            "" => Path::from(name),
            prefix => Path::from(format!("{prefix}/{name}")),
        }
    }

    /// Writes an object. When it returns, the store has it for good.
    ///
    /// # Errors
    /// [`ObjectError::Unavailable`], [`ObjectError::Refused`]; the object may be there all the same.
    pub async fn put(&self, name: &ObjectName, bytes: Vec<u8>) -> Result<(), ObjectError> {
        let begun = Instant::now();
        let n_bytes = bytes.len();
        let path = self.path(name.as_str());
        let put = self.in_turn(async {
            self.store.put(&path, bytes.into()).await.map(drop).map_err(|error| {
                match error.into() {
                    // Of a bucket that is not there.
                    ObjectError::Missing => {
                        ObjectError::Unavailable { source: "there is no such bucket".into() }
                    }
                    error => error,
                }
            })
        });
        self.counted(put.await)?;
        self.counters.written(n_bytes, begun.elapsed());
        Ok(())
    }

    /// Reads an object of `bytes_max` bytes at most. They are what the store says, not what was written: check
    /// their digest.
    ///
    /// # Errors
    /// See [`ObjectError`].
    pub async fn fetch(&self, name: &ObjectName, bytes_max: usize) -> Result<Vec<u8>, ObjectError> {
        let begun = Instant::now();
        let path = self.path(name.as_str());
        let read = self.counted(self.in_turn(self.bytes_at(&path, bytes_max)).await)?;
        self.counters.read(begun.elapsed());
        Ok(read)
    }

    async fn bytes_at(&self, path: &Path, bytes_max: usize) -> Result<Vec<u8>, ObjectError> {
        let got = self.store.get(path).await?;
        let too_long = || ObjectError::TooLong { bytes_max };
        // A length that is said is believed only where it refuses.
        if usize::try_from(got.meta.size).map_or(true, |n| n > bytes_max) {
            return Err(too_long());
        }
        let mut read = Vec::new();
        let mut pieces = got.into_stream();
        while let Some(piece) = pieces.try_next().await? {
            let piece: Bytes = piece;
            if piece.len() > bytes_max.saturating_sub(read.len()) {
                return Err(too_long());
            }
            read.extend_from_slice(&piece);
        }
        Ok(read)
    }

    /// Removes an object; one that is not there is removed already.
    ///
    /// # Errors
    /// [`ObjectError::Unavailable`], [`ObjectError::Refused`].
    pub async fn remove(&self, name: &ObjectName) -> Result<(), ObjectError> {
        let removed = self.in_turn(self.remove_at(&self.path(name.as_str()))).await;
        self.counted(removed)?;
        self.counters.removed();
        Ok(())
    }

    async fn remove_at(&self, path: &Path) -> Result<(), ObjectError> {
        match self.store.delete(path).await.map_err(ObjectError::from) {
            Err(ObjectError::Missing) => Ok(()),
            removed => removed,
        }
    }

    /// Objects of parts whose digest begins with `first`, in no order. What is no object of evidence is passed over.
    ///
    /// # Errors
    /// [`ObjectError::Unavailable`], [`ObjectError::Refused`].
    pub async fn list(&self, first: u8) -> Result<Vec<Listed>, ObjectError> {
        let prefix = self.path(&hex::encode([first]));
        let found = async {
            let all = self.store.list(Some(&prefix));
            let objects = all.try_filter_map(|meta| async move { Ok(self.listed(&meta)) });
            Ok(objects.take(LISTED_MAX).try_collect().await?)
        };
        let found = timeout(LIST_MAX, found).await;
        self.counted(found.unwrap_or_else(|late| Err(unavailable(late))))
    }

    fn listed(&self, meta: &object_store::ObjectMeta) -> Option<Listed> {
        let path = meta.location.as_ref();
        let name = match self.prefix.as_str() {
            "" => path,
            prefix => path.strip_prefix(prefix)?.strip_prefix('/')?,
        };
        Some(Listed {
            name: name.parse().ok()?,
            written_at_ms: meta.last_modified.timestamp_millis(),
            n_bytes: meta.size,
        })
    }

    /// Whose the objects here are; `None`: nobody said yet, or the place is not there.
    ///
    /// # Errors
    /// [`ObjectError::Unavailable`], [`ObjectError::Refused`].
    pub async fn owner(&self) -> Result<Option<String>, ObjectError> {
        let path = self.path(OWNER);
        let read = self.in_turn(async {
            match self.bytes_at(&path, OWNER_BYTES_MAX).await {
                Ok(known) => Ok(Some(String::from_utf8_lossy(&known).into_owned())),
                Err(ObjectError::Missing) => Ok(None),
                Err(error) => Err(error),
            }
        });
        self.counted(read.await)
    }

    /// Says that the objects here are `owner`'s, where nobody said so before. Two databases at one place would
    /// each remove what only the other one knows.
    ///
    /// # Errors
    /// [`ObjectError::Unavailable`], [`ObjectError::Refused`].
    pub async fn claim(&self, owner: &str) -> Result<Claim, ObjectError> {
        let path = self.path(OWNER);
        match self.owner().await? {
            Some(known) if known == owner => return Ok(Claim::Ours),
            Some(known) => return Ok(Claim::AnothersNamed(known)),
            None => {}
        }
        let claimed = self.in_turn(async {
            let owner = Bytes::from(owner.to_owned());
            let only_new = PutOptions { mode: PutMode::Create, ..PutOptions::default() };
            match self.store.put_opts(&path, owner.clone().into(), only_new).await {
                Ok(_) => {}
                // Somebody was first, a moment ago; or it knows no such condition.
                Err(object_store::Error::AlreadyExists { .. }) => {}
                Err(_) => self.store.put(&path, owner.clone().into()).await.map(drop)?,
            }
            let known = self.bytes_at(&path, OWNER_BYTES_MAX).await?;
            Ok(match known == owner {
                true => Claim::Ours,
                false => Claim::AnothersNamed(String::from_utf8_lossy(&known).into_owned()),
            })
        });
        self.counted(claimed.await)
    }

    /// Says that the objects here are `owner`'s, whoever's they were.
    ///
    /// # Errors
    /// [`ObjectError::Unavailable`], [`ObjectError::Refused`].
    pub async fn adopt(&self, owner: &str) -> Result<(), ObjectError> {
        let path = self.path(OWNER);
        let owner = Bytes::from(owner.to_owned());
        let put = async { Ok(self.store.put(&path, owner.into()).await.map(drop)?) };
        self.counted(self.in_turn(put).await)
    }

    /// Writes an object, reads it and removes it: whether all that is needed is allowed.
    ///
    /// # Errors
    /// What failed; [`ObjectError::Missing`] where something was written and is not there.
    pub async fn probe(&self) -> Result<(), ObjectError> {
        let name = ObjectName::fresh(&[0; 32], crate::Packed::No);
        let name = name.ok_or_else(|| ObjectError::Unavailable { source: "no random".into() })?;
        let path = self.path(&format!("{PROBES}/{}", name.as_str().replace('/', "-")));
        let content = name.as_str().as_bytes();
        let probed = self.in_turn(async {
            self.store.put(&path, content.to_vec().into()).await?;
            let read = self.bytes_at(&path, content.len()).await?;
            self.remove_at(&path).await?;
            match read == content {
                true => Ok(()),
                false => Err(ObjectError::Unavailable {
                    source: "it gives back something else than was written".into(),
                }),
            }
        });
        self.counted(probed.await)
    }

    /// Waits for a turn, and not for ever.
    async fn in_turn<T>(
        &self,
        step: impl Future<Output = Result<T, ObjectError>>,
    ) -> Result<T, ObjectError> {
        let taken = async {
            let _turn = self.turns.acquire().await;
            step.await
        };
        timeout(STEP_MAX, taken).await.unwrap_or_else(|late| Err(unavailable(late)))
    }

    fn counted<T>(&self, outcome: Result<T, ObjectError>) -> Result<T, ObjectError> {
        outcome.inspect_err(|error| self.counters.failed(error))
    }
}

fn unavailable(source: impl std::error::Error + Send + Sync + 'static) -> ObjectError {
    ObjectError::Unavailable { source: Box::new(source) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Packed;

    fn name(n: u8) -> ObjectName {
        ObjectName::fresh(&[n; 32], Packed::No).unwrap()
    }

    #[tokio::test]
    async fn objects_live_in_a_folder() {
        let folder = tempfile::tempdir().unwrap();
        let objects = Objects::at(&Place::Folder(folder.path().to_owned())).unwrap();
        objects.probe().await.unwrap();
        let (a, b) = (name(1), name(2));
        objects.put(&a, b"one".to_vec()).await.unwrap();
        objects.put(&b, b"two".to_vec()).await.unwrap();
        assert_eq!(objects.fetch(&a, 3).await.unwrap(), b"one");
        assert!(matches!(objects.fetch(&a, 2).await, Err(ObjectError::TooLong { .. })));
        std::fs::write(folder.path().join("stranger"), b"not ours").unwrap();
        let listed = objects.list(1).await.unwrap();
        assert_eq!(listed.iter().map(|l| &l.name).collect::<Vec<_>>(), [&a]);
        assert!(listed.iter().all(|l| l.n_bytes == 3 && l.written_at_ms > 1_700_000_000_000));
        assert_eq!(objects.list(3).await.unwrap(), []);
        objects.remove(&a).await.unwrap();
        objects.remove(&a).await.unwrap();
        assert!(matches!(objects.fetch(&a, 3).await, Err(ObjectError::Missing)));
        let seen = objects.activity();
        assert_eq!((seen.n_written, seen.n_read, seen.n_removed, seen.n_lost), (2, 1, 2, 2));
    }

    #[tokio::test]
    async fn a_place_is_ones_until_another_one_adopts_it() {
        let folder = tempfile::tempdir().unwrap();
        let objects = Objects::at(&Place::Folder(folder.path().to_owned())).unwrap();
        assert_eq!(objects.claim("a").await.unwrap(), Claim::Ours);
        assert_eq!(objects.claim("a").await.unwrap(), Claim::Ours);
        assert_eq!(objects.claim("b").await.unwrap(), Claim::AnothersNamed("a".to_owned()));
        objects.adopt("b").await.unwrap();
        assert_eq!(objects.claim("b").await.unwrap(), Claim::Ours);
        assert_eq!(objects.list(0).await.unwrap(), []);
    }

    #[test]
    fn a_folder_must_be_there() {
        let none = Place::Folder("/nonexistent/evidence".into());
        assert!(matches!(Objects::at(&none), Err(PlaceError::Folder { .. })));
    }
}
