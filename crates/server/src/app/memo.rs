//! What was found in the log of each host, kept for its next evidence. A log changes with a boot,
//! and a host attests many times between two of them. Beside it lies the signature of its last quote,
//! for those who judge the same evidence once more.

use std::{
    collections::{HashMap, hash_map::Entry as Slot},
    sync::{Arc, Mutex, PoisonError},
};

use appraise::LogMemo;
use report::BootSection;
use store::HostId;
use verify::CheckedSignature;

/// Bytes that are kept for one host: six times what usual boots take. A host that sends more is
/// judged in full each time, and takes no room from the others.
const HOST_BYTES_MAX: usize = 64 << 10;

/// What was found in a log, and the part of the document that tells of it.
#[derive(Debug)]
pub(super) struct Memo {
    pub(super) log: LogMemo,
    pub(super) boot: BootSection,
}

impl Memo {
    /// Without the boot, which others may share.
    fn own_bytes(&self) -> usize {
        // The host's identifier and the entry of the table, with a signature.
        self.log.n_bytes() + 160
    }
}

/// The memos of all hosts. Trust: each says itself what it rests on, and is used for nothing else.
#[derive(Debug)]
pub(super) struct Memos<M = Memo> {
    /// Bytes that are kept for all hosts together: beyond it hosts are forgotten, and judged in full the next time. A
    /// usual boot takes about 10 KiB, and most of that once for all hosts that boot alike.
    bytes_max: usize,
    kept: Mutex<Kept<M>>,
}

#[derive(Debug)]
struct Kept<M> {
    of: HashMap<HostId, Entry<M>>,
    boots: SharedBoots,
    n_bytes: usize,
}

#[derive(Debug)]
struct Entry<M> {
    memo: Arc<M>,
    n_bytes: usize,
    boot: [u8; 32],
    signature: Option<CheckedSignature>,
}

impl<M> Memos<M> {
    /// Room for so many bytes.
    pub(super) fn within(bytes_max: usize) -> Self {
        let kept = Kept { of: HashMap::new(), boots: SharedBoots::default(), n_bytes: 0 };
        Self { bytes_max, kept: Mutex::new(kept) }
    }
}

impl Memos {
    /// The digest of the log that a host showed last, where what was found in it is kept.
    pub(super) fn log_sha256(&self, host: &HostId) -> Option<[u8; 32]> {
        self.find(host).map(|memo| *memo.log.log_sha256())
    }

    pub(super) fn keep(&self, host: &HostId, memo: Memo) {
        let (own_bytes, boot) = (memo.own_bytes(), memo.boot.clone());
        self.keep_with(host, own_bytes, boot, |boot| Memo { boot, ..memo });
    }
}

impl<M> Memos<M> {
    pub(super) fn find(&self, host: &HostId) -> Option<Arc<M>> {
        self.find_signed(host).map(|(memo, _)| memo)
    }

    /// The same with the signature of the host's last verified quote.
    pub(super) fn find_signed(&self, host: &HostId) -> Option<(Arc<M>, Option<CheckedSignature>)> {
        let kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        kept.of.get(host).map(|entry| (Arc::clone(&entry.memo), entry.signature))
    }

    /// Keeps the signature of a quote of `host`, where there is a memo.
    pub(super) fn note_signature(&self, host: &HostId, signature: CheckedSignature) {
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(entry) = kept.of.get_mut(host) {
            entry.signature = Some(signature);
        }
    }

    /// Keeps what `make` gives of the boot, which is the one that others of the same boot have, where there are some.
    fn keep_with(
        &self,
        host: &HostId,
        own_bytes: usize,
        boot: BootSection,
        make: impl FnOnce(BootSection) -> M,
    ) {
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        kept.remove(host);
        if own_bytes.saturating_add(boot.n_bytes()) > HOST_BYTES_MAX {
            return;
        }
        let sha256 = *boot.sha256();
        let (boot, boot_bytes) = kept.boots.share(boot);
        kept.n_bytes += own_bytes + boot_bytes;
        while kept.n_bytes > self.bytes_max {
            // Any: which host attests next nobody knows.
            let Some(other) = kept.of.keys().next().cloned() else { break };
            kept.remove(&other);
        }
        let entry =
            Entry { memo: Arc::new(make(boot)), n_bytes: own_bytes, boot: sha256, signature: None };
        kept.of.insert(host.clone(), entry);
        if kept.n_bytes > self.bytes_max {
            kept.remove(host);
        }
    }

    pub(super) fn forget(&self, host: &HostId) {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner).remove(host);
    }
}

impl<M> Kept<M> {
    fn remove(&mut self, host: &HostId) {
        if let Some(entry) = self.of.remove(host) {
            self.n_bytes -= entry.n_bytes + self.boots.leave(&entry.boot);
        }
    }
}

/// What tells of boots, each once for all hosts that booted so.
#[derive(Debug, Default)]
struct SharedBoots(HashMap<[u8; 32], (BootSection, usize)>);

impl SharedBoots {
    /// The one of the same content, and the bytes that it takes newly.
    fn share(&mut self, boot: BootSection) -> (BootSection, usize) {
        match self.0.entry(*boot.sha256()) {
            Slot::Occupied(mut slot) => {
                let (boot, n_hosts) = slot.get_mut();
                *n_hosts += 1;
                (boot.clone(), 0)
            }
            Slot::Vacant(slot) => {
                let n_bytes = boot.n_bytes();
                (slot.insert((boot, 1)).0.clone(), n_bytes)
            }
        }
    }

    /// A host has it no more; the bytes that are free by that.
    fn leave(&mut self, sha256: &[u8; 32]) -> usize {
        let Slot::Occupied(mut slot) = self.0.entry(*sha256) else { return 0 };
        let (_, n_hosts) = slot.get_mut();
        *n_hosts -= 1;
        match *n_hosts {
            0 => slot.remove().0.n_bytes(),
            _ => 0,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What tells of a boot, of `n_bytes` or some more.
    fn boot(n: usize, n_bytes: usize) -> BootSection {
        let facts = api::appraisal::Facts {
            kernel_command_lines: vec![format!("{n:0n_bytes$}")],
            ..Default::default()
        };
        let (verdict, findings) = ("accepted".to_owned(), Vec::new());
        let mut whole = api::appraisal::Appraisal { verdict, findings, facts, judged_anew: false };
        BootSection::take(&mut whole).unwrap()
    }

    fn host(n: usize) -> HostId {
        HostId::from(n.to_string().as_str())
    }

    fn n_bytes(memos: &Memos<usize>) -> usize {
        memos.kept.lock().unwrap().n_bytes
    }

    fn n_kept(memos: &Memos<usize>) -> usize {
        (0..100).filter(|n| memos.find(&host(*n)).is_some()).count()
    }

    #[test]
    fn what_is_kept_stays_within_its_bounds() {
        let each = 1000 + boot(0, 500).n_bytes();
        let memos = Memos::within(10 * each + each / 2);
        let keep = |n, own_bytes| memos.keep_with(&host(n), own_bytes, boot(n, 500), |_| n);
        for n in 0..100 {
            keep(n, 1000);
            assert_eq!(memos.find(&host(n)).as_deref(), Some(&n), "the newest is there");
        }
        assert_eq!((n_kept(&memos), n_bytes(&memos)), (10, 10 * each));
        keep(99, 500);
        assert_eq!((n_kept(&memos), n_bytes(&memos)), (10, 10 * each - 500), "the same host again");
        keep(99, HOST_BYTES_MAX);
        assert_eq!(memos.find(&host(99)), None, "too much of one host, and the old is gone");
        assert_eq!((n_kept(&memos), n_bytes(&memos)), (9, 9 * each));
        let small = Memos::within(each - 1);
        small.keep_with(&host(1), 1000, boot(1, 500), |_| 1);
        assert_eq!((n_kept(&small), n_bytes(&small)), (0, 0), "there is no room for a single one");
        (0..100).for_each(|n| memos.forget(&host(n)));
        assert_eq!((n_kept(&memos), n_bytes(&memos)), (0, 0));
        assert!(memos.kept.lock().unwrap().boots.0.is_empty());
    }

    #[test]
    fn hosts_that_booted_alike_share_what_tells_of_it() {
        let of_one = boot(7, 5000);
        let memos = Memos::within(100 * 1000 + of_one.n_bytes());
        let mut places = Vec::new();
        for n in 0..100 {
            memos.keep_with(&host(n), 1000, boot(7, 5000), |boot| {
                places.push(boot.as_bytes().as_ptr());
                n
            });
        }
        assert_eq!((n_kept(&memos), n_bytes(&memos)), (100, 100 * 1000 + of_one.n_bytes()));
        places.dedup();
        assert_eq!(places.len(), 1, "each has one of its own");
        // Another boot of one host pushes out others, and what they shared stays for the rest.
        memos.keep_with(&host(0), 1000, boot(8, 5000), |_| 0);
        assert!(n_kept(&memos) < 100 && n_bytes(&memos) <= 100 * 1000 + of_one.n_bytes());
        (0..100).for_each(|n| memos.forget(&host(n)));
        assert_eq!(n_bytes(&memos), 0);
    }
}
