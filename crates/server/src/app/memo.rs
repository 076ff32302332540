//! What was found in the log of each host, kept for its next evidence. A log changes with a boot,
//! and a host attests many times between two of them. Beside it lies the signature of its last quote,
//! for those who judge the same evidence once more.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
};

use appraise::LogMemo;
use report::BootSection;
use store::HostId;
use verify::CheckedSignature;

/// Bytes that are kept for all hosts together: beyond it hosts are forgotten, and judged in full
/// the next time. A usual boot takes about 10 KiB.
const BYTES_MAX: usize = 128 << 20;

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
    fn n_bytes(&self) -> usize {
        // The host's identifier and the entry of the table, with a signature.
        self.log.n_bytes() + self.boot.n_bytes() + 160
    }
}

/// The memos of all hosts. Trust: each says itself what it rests on, and is used for nothing else.
#[derive(Debug)]
pub(super) struct Memos<M = Memo> {
    kept: Mutex<Kept<M>>,
}

#[derive(Debug)]
struct Kept<M> {
    of: HashMap<HostId, Entry<M>>,
    n_bytes: usize,
}

#[derive(Debug)]
struct Entry<M> {
    memo: Arc<M>,
    n_bytes: usize,
    signature: Option<CheckedSignature>,
}

impl<M> Default for Memos<M> {
    fn default() -> Self {
        Self { kept: Mutex::new(Kept { of: HashMap::new(), n_bytes: 0 }) }
    }
}

impl Memos {
    /// The digest of the log that a host showed last, where what was found in it is kept.
    pub(super) fn log_sha256(&self, host: &HostId) -> Option<[u8; 32]> {
        self.find(host).map(|memo| *memo.log.log_sha256())
    }

    pub(super) fn keep(&self, host: &HostId, memo: Memo) {
        let n_bytes = memo.n_bytes();
        self.keep_within(host, memo, n_bytes, BYTES_MAX);
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

    fn keep_within(&self, host: &HostId, memo: M, n_bytes: usize, bytes_max: usize) {
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        kept.remove(host);
        if n_bytes > HOST_BYTES_MAX {
            return;
        }
        while kept.n_bytes + n_bytes > bytes_max {
            // Any: which host attests next nobody knows.
            let Some(other) = kept.of.keys().next().cloned() else { return };
            kept.remove(&other);
        }
        kept.n_bytes += n_bytes;
        let entry = Entry { memo: Arc::new(memo), n_bytes, signature: None };
        kept.of.insert(host.clone(), entry);
    }

    pub(super) fn forget(&self, host: &HostId) {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner).remove(host);
    }
}

impl<M> Kept<M> {
    fn remove(&mut self, host: &HostId) {
        if let Some(entry) = self.of.remove(host) {
            self.n_bytes -= entry.n_bytes;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_kept_stays_within_its_bounds() {
        let memos = Memos::default();
        let host = |n: usize| HostId::from(n.to_string().as_str());
        let n_kept = || (0..100).filter(|n| memos.find(&host(*n)).is_some()).count();
        let n_bytes = || memos.kept.lock().unwrap().n_bytes;
        for n in 0..100 {
            memos.keep_within(&host(n), n, 1000, 10_500);
            assert_eq!(memos.find(&host(n)).as_deref(), Some(&n), "the newest is there");
        }
        assert_eq!((n_kept(), n_bytes()), (10, 10_000));
        memos.keep_within(&host(99), 1, 500, 10_500);
        assert_eq!(memos.find(&host(99)).as_deref(), Some(&1), "the same host again");
        assert_eq!((n_kept(), n_bytes()), (10, 9_500));
        memos.keep_within(&host(99), 2, HOST_BYTES_MAX + 1, usize::MAX);
        assert_eq!(memos.find(&host(99)), None, "too much of one host, and the old is gone");
        assert_eq!((n_kept(), n_bytes()), (9, 9_000));
        (0..100).for_each(|n| memos.forget(&host(n)));
        assert_eq!((n_kept(), n_bytes()), (0, 0));
    }
}
