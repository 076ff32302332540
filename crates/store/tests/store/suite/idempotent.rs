//! Requests that are to be done once.

use store::{Begun, IDEMPOTENT_REQUESTS_MAX, IdempotentRequest, Sha256, Store, StoreError};

const DAY_MS: i64 = 24 * 3_600_000;

fn request(id: u8, said: u8, at_ms: i64) -> IdempotentRequest {
    IdempotentRequest {
        id: [id; 32],
        caller: [7; 32],
        request_sha256: [said; 32],
        at_ms,
        expires_at_ms: at_ms + DAY_MS,
    }
}

pub(crate) async fn one_is_done_and_answered_again(store: &dyn Store) {
    let begin = |request| store.begin_idempotent(request);
    assert_eq!(begin(request(1, 1, 100)).await.unwrap(), Begun::First);
    let unanswered = Begun::Unanswered { begun_at_ms: 100 };
    assert_eq!(begin(request(1, 1, 200)).await.unwrap(), unanswered);
    assert_eq!(begin(request(1, 2, 200)).await.unwrap(), Begun::Other);
    store.answer_idempotent([1; 32], b"sealed".to_vec()).await.unwrap();
    let answered = Begun::Answered { sealed: b"sealed".to_vec() };
    assert_eq!(begin(request(1, 1, 300)).await.unwrap(), answered);
    assert_eq!(begin(request(1, 2, 300)).await.unwrap(), Begun::Other);
    // What was answered is not forgotten before its time, and goes then.
    store.forget_idempotent([1; 32]).await.unwrap();
    assert_eq!(begin(request(1, 1, 99 + DAY_MS)).await.unwrap(), answered);
    assert_eq!(begin(request(1, 2, 100 + DAY_MS)).await.unwrap(), Begun::First);
    // What failed may be tried again.
    store.forget_idempotent([1; 32]).await.unwrap();
    assert_eq!(begin(request(1, 3, 101 + DAY_MS)).await.unwrap(), Begun::First);
}

pub(crate) async fn one_of_many_that_come_at_once_is_the_first(store: &dyn Store) {
    let begun = futures(8, |_| store.begin_idempotent(request(1, 1, 100))).await;
    let n_first = begun.iter().filter(|begun| matches!(begun, Ok(Begun::First))).count();
    assert_eq!(n_first, 1, "{begun:?}");
    let waits = Begun::Unanswered { begun_at_ms: 100 };
    let others = begun.iter().filter(|begun| begun.as_ref().is_ok_and(|begun| *begun == waits));
    assert_eq!(others.count(), 7, "{begun:?}");
}

/// All at once: each is polled until all are done.
async fn futures<'a, T>(
    n: usize,
    make: impl Fn(usize) -> store::Reply<'a, T>,
) -> Vec<Result<T, StoreError>> {
    let mut waiting: Vec<_> = (0..n).map(&make).map(Some).collect();
    let mut done: Vec<_> = (0..n).map(|_| None).collect();
    std::future::poll_fn(|context| {
        for (waiting, done) in waiting.iter_mut().zip(&mut done) {
            if let Some(future) = waiting
                && let std::task::Poll::Ready(result) = future.as_mut().poll(context)
            {
                *done = Some(result);
                *waiting = None;
            }
        }
        match done.iter().all(Option::is_some) {
            true => std::task::Poll::Ready(()),
            false => std::task::Poll::Pending,
        }
    })
    .await;
    done.into_iter().flatten().collect()
}

pub(crate) async fn those_of_a_caller_are_limited(store: &dyn Store) {
    let numbered = |n: u32, caller: u8| {
        let mut id: Sha256 = [caller; 32];
        id[..4].copy_from_slice(&n.to_be_bytes());
        IdempotentRequest { id, caller: [caller; 32], ..request(0, 1, 100) }
    };
    for n in 0..IDEMPOTENT_REQUESTS_MAX {
        assert_eq!(store.begin_idempotent(numbered(n, 1)).await.unwrap(), Begun::First);
    }
    let refused = store.begin_idempotent(numbered(IDEMPOTENT_REQUESTS_MAX, 1)).await;
    assert!(matches!(refused, Err(StoreError::Limit { .. })), "{refused:?}");
    // One that is known is told all the same, and others are not held up.
    let known = store.begin_idempotent(numbered(0, 1)).await.unwrap();
    assert_eq!(known, Begun::Unanswered { begun_at_ms: 100 });
    assert_eq!(store.begin_idempotent(numbered(0, 2)).await.unwrap(), Begun::First);
    // After a day there is room again.
    let later = IdempotentRequest {
        at_ms: 101 + DAY_MS,
        expires_at_ms: 101 + 2 * DAY_MS,
        ..numbered(IDEMPOTENT_REQUESTS_MAX, 1)
    };
    assert_eq!(store.begin_idempotent(later).await.unwrap(), Begun::First);
}
