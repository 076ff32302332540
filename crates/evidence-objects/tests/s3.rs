//! Against a store that others wrote, over TLS.

use std::time::Instant;

use evidence_objects::{
    Addressing, Claim, Encryption, ObjectError, ObjectName, Objects, Packed, Place, S3, S3Keys,
    STEP_MAX,
};
use testkit::s3::{ACCESS_KEY_ID, BUCKET, S3Server, SECRET_ACCESS_KEY};

fn s3(server: &S3Server, prefix: &str) -> S3 {
    S3 {
        endpoint: Some(server.endpoint()),
        bucket: BUCKET.to_owned(),
        prefix: prefix.to_owned(),
        region: "us-east-1".to_owned(),
        addressing: Addressing::Path,
        keys: S3Keys {
            access_key_id: ACCESS_KEY_ID.to_owned(),
            secret_access_key: SECRET_ACCESS_KEY.to_owned(),
            session_token: None,
        },
        ca_pem: Some(server.ca_pem.clone()),
        encryption: Encryption::OfTheBucket,
    }
}

fn at(s3: S3) -> Objects {
    Objects::at(&Place::S3(Box::new(s3))).unwrap()
}

fn name(n: u8, packed: Packed) -> ObjectName {
    ObjectName::fresh(&[n; 32], packed).unwrap()
}

#[tokio::test]
async fn objects_live_in_a_bucket() {
    let server = S3Server::start();
    for prefix in ["", "bootproof/evidence"] {
        let objects = at(s3(&server, prefix));
        objects.probe().await.unwrap();
        let (a, b) = (name(1, Packed::No), name(1, Packed::Zstd));
        objects.put(&a, b"one".to_vec()).await.unwrap();
        // Once more is as once.
        objects.put(&a, b"one".to_vec()).await.unwrap();
        let large = vec![7; 6 * 1024 * 1024];
        objects.put(&b, large.clone()).await.unwrap();
        assert_eq!(objects.fetch(&a, 3).await.unwrap(), b"one");
        assert_eq!(objects.fetch(&b, large.len()).await.unwrap(), large);
        let cut = objects.fetch(&b, large.len() - 1).await;
        assert!(matches!(cut, Err(ObjectError::TooLong { .. })), "{cut:?}");
        let mut listed = objects.list(1).await.unwrap();
        listed.sort_by_key(|listed| listed.n_bytes);
        let names: Vec<_> = listed.iter().map(|listed| &listed.name).collect();
        assert_eq!(names, [&a, &b], "{prefix}");
        assert!(listed.iter().all(|listed| listed.written_at_ms > 1_700_000_000_000));
        assert_eq!(objects.list(2).await.unwrap(), []);
        objects.remove(&a).await.unwrap();
        objects.remove(&a).await.unwrap();
        assert!(matches!(objects.fetch(&a, 3).await, Err(ObjectError::Missing)));
        assert_eq!(server.objects(prefix).len(), 1, "the probe is gone, too");
        objects.remove(&b).await.unwrap();
        let seen = objects.activity();
        assert_eq!((seen.n_written, seen.n_failed, seen.n_lost), (3, 0, 2));
    }
}

#[tokio::test]
async fn a_bucket_is_ones_until_another_one_adopts_it() {
    let server = S3Server::start();
    let objects = at(s3(&server, "p"));
    assert_eq!(objects.owner().await.unwrap(), None);
    assert_eq!(objects.claim("a").await.unwrap(), Claim::Ours);
    assert_eq!(objects.claim("b").await.unwrap(), Claim::AnothersNamed("a".to_owned()));
    objects.adopt("b").await.unwrap();
    assert_eq!(objects.owner().await.unwrap().as_deref(), Some("b"));
    // Another prefix is another place.
    assert_eq!(at(s3(&server, "q")).claim("a").await.unwrap(), Claim::Ours);
}

#[tokio::test]
async fn who_may_not_or_cannot_is_told_which() {
    let mut server = S3Server::start();
    let one = name(1, Packed::No);
    let mut wrong = s3(&server, "");
    wrong.keys.access_key_id = "another".to_owned();
    let refused = at(wrong).put(&one, b"x".to_vec()).await;
    assert!(matches!(refused, Err(ObjectError::Refused { .. })), "{refused:?}");

    let mut wrong = s3(&server, "");
    wrong.bucket = "no-such-bucket".to_owned();
    let nowhere = at(wrong).put(&one, b"x".to_vec()).await;
    assert!(matches!(nowhere, Err(ObjectError::Unavailable { .. })), "{nowhere:?}");

    // Another authority vouches for it than the one that is named.
    let mut wrong = s3(&server, "");
    wrong.ca_pem = Some(S3Server::start().ca_pem.clone());
    let stranger = at(wrong).put(&one, b"x".to_vec()).await;
    assert!(matches!(stranger, Err(ObjectError::Unavailable { .. })), "{stranger:?}");
    assert!(server.objects("").is_empty(), "none of them wrote anything");

    // Away, and back: who waits is told within the time that is promised.
    let objects = at(s3(&server, ""));
    objects.put(&one, b"x".to_vec()).await.unwrap();
    server.stop();
    let begun = Instant::now();
    let away = objects.fetch(&one, 1).await;
    assert!(matches!(away, Err(ObjectError::Unavailable { .. })), "{away:?}");
    assert!(begun.elapsed() < STEP_MAX * 2, "{:?}", begun.elapsed());
    assert!(objects.activity().n_failed > 0);
    server.start_again();
    assert_eq!(objects.fetch(&one, 1).await.unwrap(), b"x");
}
