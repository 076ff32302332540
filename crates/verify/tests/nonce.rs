//! Challenges that a server recognises as its own.

use verify::{FUTURE_MS_MAX, IssuedAt, Nonce, NonceError, NonceKey};

const NOW: u64 = 1_795_000_000_000;
const AGE: u64 = 30_000;

#[test]
fn a_challenge_holds_for_its_host_and_time() {
    let key = NonceKey::new([1; 32]);
    let nonce = key.challenge(b"host-1", NOW, [2; 8]);
    assert_eq!(nonce.as_bytes().len(), 32, "fits a TPM whose largest hash is SHA-256");
    assert_eq!(nonce.as_bytes()[..16], [NOW.to_be_bytes(), [2; 8]].concat());
    let check = |now| key.check(b"host-1", &nonce, now, AGE);
    assert_eq!(check(NOW), Ok(IssuedAt(NOW)));
    assert_eq!(check(NOW + AGE), Ok(IssuedAt(NOW)));
    let stale = NonceError::Stale { age_ms: AGE + 1, age_ms_max: AGE };
    assert_eq!(check(NOW + AGE + 1), Err(stale));
    assert_eq!(check(NOW - FUTURE_MS_MAX), Ok(IssuedAt(NOW)));
    let ahead_ms = FUTURE_MS_MAX + 1;
    assert_eq!(check(NOW - ahead_ms), Err(NonceError::Future { ahead_ms }));
}

#[test]
fn a_challenge_of_another_purpose_is_foreign() {
    let key = NonceKey::new([1; 32]);
    let (one, two) = (key.for_purpose("one"), key.for_purpose("two"));
    let nonce = one.challenge(b"host-1", NOW, [2; 8]);
    assert_eq!(one.check(b"host-1", &nonce, NOW, AGE), Ok(IssuedAt(NOW)));
    assert_eq!(key.for_purpose("one").check(b"host-1", &nonce, NOW, AGE), Ok(IssuedAt(NOW)));
    for other in [&key, &two, &key.for_purpose("")] {
        assert_eq!(other.check(b"host-1", &nonce, NOW, AGE), Err(NonceError::Foreign));
    }
}

#[test]
fn a_challenge_of_others_is_foreign() {
    let key = NonceKey::new([1; 32]);
    let nonce = key.challenge(b"host-1", NOW, [2; 8]);
    let foreign = Err(NonceError::Foreign);
    assert_eq!(key.check(b"host-2", &nonce, NOW, AGE), foreign);
    assert_eq!(key.check(b"host-", &nonce, NOW, AGE), foreign);
    assert_eq!(NonceKey::new([3; 32]).check(b"host-1", &nonce, NOW, AGE), foreign);
    for at in 0..32 {
        let mut changed = nonce.as_bytes().to_vec();
        changed[at] ^= 1;
        let changed = Nonce::new(&changed).unwrap();
        assert_eq!(key.check(b"host-1", &changed, NOW, AGE), foreign, "byte {at}");
    }
    for len in [1, 8, 16, 31] {
        let cut = Nonce::new(&nonce.as_bytes()[..len]).unwrap();
        assert_eq!(key.check(b"host-1", &cut, NOW, AGE), foreign, "{len} bytes");
    }
    let longer = Nonce::new(&[nonce.as_bytes(), &[0]].concat()).unwrap();
    assert_eq!(key.check(b"host-1", &longer, NOW, AGE), foreign);
}

#[test]
fn two_challenges_of_one_moment_differ() {
    let key = NonceKey::new([1; 32]);
    assert_ne!(key.challenge(b"a", NOW, [1; 8]), key.challenge(b"a", NOW, [2; 8]));
    assert_ne!(key.challenge(b"a", NOW, [1; 8]), key.challenge(b"b", NOW, [1; 8]));
}
