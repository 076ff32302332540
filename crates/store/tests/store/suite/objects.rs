//! Parts of evidence that lie outside of the database. Not in the list of the suite: each case opens its stores
//! itself, with a place beside them; `objects_suite!` runs them on both databases.

use std::path::Path;
use std::sync::Arc;

use evidence_objects::{Objects, Place};
use store::{
    ANSWER_PART, AppraisalId, EvidenceCensus, EvidenceLoss, EvidenceObjects, EvidencePart,
    EvidencePlace, NewAppraisal, Store, StoreError,
};

use super::make::{appraisal, by, enrolled};

/// Parts of so many bytes lie outside of the database here.
pub(crate) const BYTES_MIN: usize = 100;

/// Objects in a folder.
pub(crate) fn in_folder(folder: &Path) -> EvidenceObjects {
    let objects = Objects::at(&Place::Folder(folder.to_owned())).unwrap();
    EvidenceObjects { objects: Arc::new(objects), bytes_min: BYTES_MIN }
}

/// One `#[tokio::test]` for each case.
macro_rules! objects_suite {
    ($open:path) => { crate::suite::objects::objects_suite!(@cases $open;
        long_parts_lie_outside_and_come_back_as_they_were, a_lost_part_is_said_and_comes_back,
        removal_is_noted_and_meets_no_new_reference, parts_are_moved_there_and_back,
        no_verdict_without_its_evidence, what_is_somewhere_else_is_not_lost); };
    (@cases $open:path; $($case:ident),+) => {
        $(#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
        async fn $case() {
            let folder = tempfile::tempdir().unwrap();
            let objects = crate::suite::objects::in_folder(folder.path());
            objects.objects.claim("us").await.unwrap();
            let (store, _keep) = $open(objects).await;
            crate::suite::objects::$case(&store, folder.path()).await;
        })+
    };
}
pub(crate) use objects_suite;

fn long(n: u8) -> Vec<u8> {
    // Packs, and is another one for each number.
    [vec![n; 5000], vec![7; 5000]].concat()
}

fn with_log(host: &store::Host, nonce: i64, log: Vec<u8>) -> NewAppraisal {
    let mut new = appraisal(host, nonce);
    new.answer = Some(format!("answer {nonce}").into_bytes());
    let state = EvidencePart::hash("state", format!("state {nonce}").into_bytes());
    new.evidence = vec![EvidencePart::hash("log", log), state];
    new
}

/// All that it rests on, as the store gives it.
fn all(new: &NewAppraisal) -> Vec<EvidencePart> {
    let answer = new.answer.clone().unwrap();
    let mut all = vec![EvidencePart::hash(ANSWER_PART, answer)];
    all.extend(new.evidence.clone());
    all
}

async fn record(store: &dyn Store, new: NewAppraisal) -> AppraisalId {
    let at = by(new.at_ms);
    store.record_appraisal(new, at).await.unwrap()
}

/// Files of objects below a folder.
fn files(folder: &Path) -> Vec<std::path::PathBuf> {
    let mut files = Vec::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            files.extend(files_in(&path));
        }
    }
    files
}

fn files_in(folder: &Path) -> Vec<std::path::PathBuf> {
    std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect()
}

pub(crate) async fn long_parts_lie_outside_and_come_back_as_they_were(
    store: &dyn Store,
    folder: &Path,
) {
    let (a, b) = (enrolled(store, "a").await, enrolled(store, "b").await);
    assert!(!store.has_objects().await.unwrap());
    let new = with_log(&a, 10, long(1));
    let id = record(store, new.clone()).await;
    // The same log at another host, twice in one judgement, and once more at the first.
    let mut twice = with_log(&b, 11, long(1));
    twice.evidence.push(EvidencePart::hash("again", long(1)));
    let second = record(store, twice.clone()).await;
    record(store, with_log(&a, 12, long(1))).await;
    assert_eq!(files(folder).len(), 1, "one object for all");
    assert!(store.has_objects().await.unwrap());

    assert_eq!(store.evidence(id).await.unwrap(), all(&new));
    assert_eq!(store.evidence(second).await.unwrap(), all(&twice));
    let log = new.evidence[0].sha256;
    assert_eq!(store.evidence_by_sha256(log).await.unwrap(), Some(long(1)));
    let many = store.evidence_of_many(vec![id], 9_999).await.unwrap();
    assert_eq!(many[0][1].bytes, None, "more than was asked for is not fetched");
    let many = store.evidence_of_many(vec![second, id], 10_000).await.unwrap();
    assert_eq!(many[1][1].bytes, Some(long(1)));

    // One byte less than is kept outside, and just enough, packed and not.
    for (nonce, n) in [(20, BYTES_MIN - 1), (21, BYTES_MIN)] {
        let new = with_log(&a, nonce, vec![u8::try_from(nonce).unwrap(); n]);
        let id = record(store, new.clone()).await;
        assert_eq!(store.evidence(id).await.unwrap(), all(&new));
    }
    assert_eq!(files(folder).len(), 2);
    let census = store.evidence_census().await.unwrap();
    assert_eq!((census.n_objects, census.n_lost, census.n_to_remove), (2, 0, 0));
    assert!(census.n_here >= 6, "{census:?}");
}

pub(crate) async fn a_lost_part_is_said_and_comes_back(store: &dyn Store, folder: &Path) {
    let a = enrolled(store, "a").await;
    let new = with_log(&a, 10, long(1));
    let id = record(store, new.clone()).await;
    let log = new.evidence[0].sha256;
    let file = files(folder).remove(0);
    let whole = std::fs::read(&file).unwrap();

    // Changed by a bit, cut, of another part, far too long, empty, gone: each is said, and none is taken.
    let mut flipped = whole.clone();
    *flipped.last_mut().unwrap() ^= 1;
    let cut = whole[..whole.len() - 1].to_vec();
    let others = zstd::bulk::compress(&long(2), 3).unwrap();
    let too_long = vec![0; 9 * 1024 * 1024];
    for damaged in [Some(flipped), Some(cut), Some(others), Some(too_long), Some(Vec::new()), None]
    {
        match &damaged {
            Some(bytes) => std::fs::write(&file, bytes).unwrap(),
            None => std::fs::remove_file(&file).unwrap(),
        }
        let how = if damaged.is_some() { EvidenceLoss::Damaged } else { EvidenceLoss::Missing };
        let said = store.evidence(id).await.unwrap_err();
        let is_said = matches!(&said, StoreError::EvidenceLost { sha256, how: found }
            if *sha256 == log && *found == how);
        assert!(is_said, "{said:?}");
        assert!(store.evidence_by_sha256(log).await.is_err());
        assert_eq!(store.evidence_census().await.unwrap().n_lost, 1);
    }
    // A judgement that does not bring it changes nothing; what was put back is found again.
    record(store, with_log(&a, 11, long(3))).await;
    assert_eq!(store.check_objects(0, 10).await.unwrap().lost, [log]);
    std::fs::write(&file, &whole).unwrap();
    let checked = store.check_objects(0, 10).await.unwrap();
    assert_eq!((checked.n, checked.lost), (2, Vec::new()));
    assert_eq!(store.evidence_census().await.unwrap().n_lost, 0);
    // Gone again, and the host brings the same log again.
    std::fs::remove_file(&file).unwrap();
    assert!(store.evidence(id).await.is_err());
    record(store, with_log(&a, 12, long(1))).await;
    assert_eq!(store.evidence(id).await.unwrap(), all(&new), "the older judgement has it, too");
    assert_eq!(store.evidence_census().await.unwrap().n_lost, 0);
}

pub(crate) async fn removal_is_noted_and_meets_no_new_reference(store: &dyn Store, folder: &Path) {
    let a = enrolled(store, "a").await;
    record(store, with_log(&a, 10, long(1))).await;
    let before = files(folder);
    store.remove_host(&a.id, by(20)).await.unwrap();
    assert_eq!(files(folder), before, "removed later");
    let far = i64::MAX;
    assert_eq!(store.objects_to_remove(0, 10).await.unwrap(), Vec::<String>::new());
    let removed = store.objects_to_remove(far, 10).await.unwrap();
    assert_eq!(removed.len(), 1);
    assert_eq!(store.known_objects(removed.clone()).await.unwrap(), removed);
    // The same bytes come again before the object went: they get another object.
    let b = enrolled(store, "b").await;
    let new = with_log(&b, 30, long(1));
    let id = record(store, new.clone()).await;
    std::fs::remove_file(&before[0]).unwrap();
    store.note_objects_removed(removed.clone()).await.unwrap();
    assert_eq!(store.evidence(id).await.unwrap(), all(&new));
    assert_eq!(store.objects_to_remove(far, 10).await.unwrap(), Vec::<String>::new());
    assert_eq!(store.known_objects(removed).await.unwrap(), Vec::<String>::new());
}

pub(crate) async fn parts_are_moved_there_and_back(store: &dyn Store, folder: &Path) {
    let a = enrolled(store, "a").await;
    let mut ids = Vec::new();
    for n in 1..=5 {
        let new = with_log(&a, i64::from(n), long(n));
        ids.push((record(store, new.clone()).await, all(&new)));
    }
    let whole = async |what: &str| {
        for (id, evidence) in &ids {
            assert_eq!(store.evidence(*id).await.unwrap(), *evidence, "{what}");
        }
    };
    let all = async |to| {
        let (mut after, mut n) = (0, 0);
        while let Some(next) = {
            let moved = store.move_evidence(to, after, 2).await.unwrap();
            assert_eq!(moved.n_lost, 0);
            n += moved.n;
            moved.next
        } {
            assert!(next > after);
            after = next;
        }
        n
    };
    // A part of the way, and the rest by another run.
    assert_eq!(store.move_evidence(EvidencePlace::Database, 0, 2).await.unwrap().n, 2);
    whole("halfway").await;
    assert_eq!(all(EvidencePlace::Database).await, 3);
    whole("in the database").await;
    assert!(!store.has_objects().await.unwrap());
    let removed = store.objects_to_remove(i64::MAX, 10).await.unwrap();
    assert_eq!(removed.len(), 5, "all objects are left behind");
    assert_eq!(all(EvidencePlace::Objects).await, 5);
    whole("as objects").await;
    assert_eq!(all(EvidencePlace::Objects).await, 0, "nothing is left to do");
    assert_eq!(files(folder).len(), 10);
    let EvidenceCensus { n_objects, n_here, n_to_remove, .. } =
        store.evidence_census().await.unwrap();
    assert_eq!((n_objects, n_here, n_to_remove), (5, 5, 5));
}

pub(crate) async fn no_verdict_without_its_evidence(store: &dyn Store, folder: &Path) {
    let a = enrolled(store, "a").await;
    let id = record(store, with_log(&a, 10, long(1))).await;
    // Nothing can be written any more: a file is where folders are to be.
    let away = folder.with_extension("away");
    std::fs::rename(folder, &away).unwrap();
    std::fs::write(folder, b"").unwrap();
    let refused = store.record_appraisal(with_log(&a, 20, long(2)), by(20)).await;
    assert!(matches!(refused, Err(StoreError::Unavailable { .. })), "{refused:?}");
    let last = store.host(&a.id).await.unwrap().unwrap().last.unwrap();
    assert_eq!(last.id, id, "what was before counts");
    // What brings nothing new needs no object.
    record(store, with_log(&a, 21, long(1))).await;
    std::fs::remove_file(folder).unwrap();
    std::fs::rename(&away, folder).unwrap();
    record(store, with_log(&a, 22, long(2))).await;
}

pub(crate) async fn what_is_somewhere_else_is_not_lost(store: &dyn Store, folder: &Path) {
    let a = enrolled(store, "a").await;
    let new = with_log(&a, 10, long(1));
    let id = record(store, new.clone()).await;
    let away = folder.with_extension("away");
    std::fs::rename(folder, &away).unwrap();
    std::fs::create_dir(folder).unwrap();
    let said = store.evidence(id).await;
    assert!(matches!(said, Err(StoreError::Unavailable { .. })), "an empty place: {said:?}");
    assert_eq!(store.evidence_census().await.unwrap().n_lost, 0);
    std::fs::remove_dir(folder).unwrap();
    std::fs::rename(&away, folder).unwrap();
    assert_eq!(store.evidence(id).await.unwrap(), all(&new));
}
