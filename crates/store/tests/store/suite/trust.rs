//! Trust roots.

use store::{Added, EvidencePart, Kind, NewTrustRoot, Store, StoreError};

use super::make::by;

pub(crate) async fn generation_moves_only_on_change(store: &dyn Store) {
    let root = NewTrustRoot {
        der: vec![0x30, 0x82, 1],
        name: "Vendor root".into(),
        source: "vendor.pem".into(),
    };
    let sha256 = EvidencePart::hash("", root.der.clone()).sha256;
    let first = store.trust_generation().await.unwrap();
    assert_eq!(store.add_trust_root(root.clone(), by(7)).await.unwrap(), Added::New);
    let second = store.trust_generation().await.unwrap();
    assert!(second > first);
    assert_eq!(store.add_trust_root(root.clone(), by(8)).await.unwrap(), Added::AlreadyThere);
    let roots = store.trust_roots().await.unwrap();
    assert_eq!(roots.generation, second);
    assert_eq!(roots.roots.len(), 1);
    let found = &roots.roots[0];
    assert_eq!((found.sha256, &found.der, found.added_at_ms), (sha256, &root.der, 7));
    assert_eq!((&found.name, &found.source), (&root.name, &root.source));

    store.remove_trust_root(sha256, by(9)).await.unwrap();
    let third = store.trust_roots().await.unwrap();
    assert!(third.generation > second && third.roots.is_empty());
    let again = store.remove_trust_root(sha256, by(10)).await;
    assert!(matches!(again, Err(StoreError::NotFound(Kind::TrustRoot))));
    assert_eq!(store.trust_generation().await.unwrap(), third.generation);
}
