//! Cohorts and the values that their hosts share.

use store::{Host, HostId, NewAppraisal, PeerPcr, QuotedValues, Store};

use super::make::{appraisal, by, enrolled, host};

const COHORT: &str = r#"["Vendor","Model 9","1.2"]"#;
const UPDATED: &str = r#"["Vendor","Model 9","1.3"]"#;

/// Records a verified quote of `host` in which PCR 0 and 4 have values of one byte.
async fn quote(store: &dyn Store, host: &Host, nonce: i64, cohort: Option<&str>, pcrs: [u8; 2]) {
    let [pcr_0, pcr_4] = pcrs;
    let quoted = QuotedValues {
        bank: "sha256".into(),
        values: vec![(0, vec![pcr_0; 32]), (4, vec![pcr_4; 32])],
    };
    let cohort = cohort.map(str::to_owned);
    let new = NewAppraisal { cohort, quoted: Some(quoted), ..appraisal(host, nonce) };
    store.record_appraisal(new, by(nonce)).await.unwrap();
}

async fn pcrs(store: &dyn Store, id: &HostId) -> Vec<(u8, u8, u64, u64, u8, u64)> {
    let peers = store.peers(id).await.unwrap().expect("it has peers");
    let pcr = |pcr: &PeerPcr| {
        let PeerPcr { pcr_index, value, n_same, n_hosts, most_common, n_most_common } = pcr;
        (*pcr_index, value[0], *n_same, *n_hosts, most_common[0], *n_most_common)
    };
    peers.pcrs.iter().map(pcr).collect()
}

pub(crate) async fn a_majority_is_counted(store: &dyn Store) {
    let mut hosts = Vec::new();
    for (name, pcr_4) in [("a", 1), ("b", 2), ("c", 3)] {
        let host = enrolled(store, name).await;
        let pcr_0 = if name == "c" { 8 } else { 7 };
        quote(store, &host, 100, Some(COHORT), [pcr_0, pcr_4]).await;
        hosts.push(host);
    }
    let [a, b, c] = &hosts[..] else { panic!() };
    let of_a = pcrs(store, &a.id).await;
    assert_eq!(of_a[0], (0, 7, 2, 3, 7, 2));
    assert_eq!((of_a[1].2, of_a[1].3, of_a[1].5), (1, 3, 1));
    assert_eq!(pcrs(store, &c.id).await[0], (0, 8, 1, 3, 7, 2));

    // The same again changes nothing; other values move; evidence without a verified quote keeps
    // those known.
    quote(store, c, 101, Some(COHORT), [8, 3]).await;
    assert_eq!(pcrs(store, &c.id).await[0], (0, 8, 1, 3, 7, 2));
    quote(store, c, 102, Some(COHORT), [7, 3]).await;
    assert_eq!(pcrs(store, &c.id).await[0], (0, 7, 3, 3, 7, 3));
    let without = NewAppraisal { cohort: Some(COHORT.into()), ..appraisal(c, 103) };
    store.record_appraisal(without, by(103)).await.unwrap();
    assert_eq!(pcrs(store, &c.id).await[0], (0, 7, 3, 3, 7, 3));

    // Another firmware is another cohort.
    quote(store, c, 104, Some(UPDATED), [9, 3]).await;
    assert_eq!(pcrs(store, &c.id).await[0], (0, 9, 1, 1, 9, 1));
    assert_eq!(store.peers(&c.id).await.unwrap().unwrap().cohort, UPDATED);
    assert_eq!(pcrs(store, &a.id).await[0], (0, 7, 2, 2, 7, 2));
    // A host that says nothing of itself any more is in none.
    quote(store, c, 105, None, [9, 3]).await;
    assert_eq!(store.peers(&c.id).await.unwrap(), None);
    store.remove_host(&b.id, by(106)).await.unwrap();
    assert_eq!(pcrs(store, &a.id).await[0], (0, 7, 1, 1, 7, 1));
}

pub(crate) async fn hosts_of_a_cohort_come_in_pages(store: &dyn Store) {
    let mut expected = Vec::new();
    for name in ["a", "b", "c", "d", "e"] {
        let host = enrolled(store, name).await;
        let cohort = if name == "c" { UPDATED } else { COHORT };
        quote(store, &host, 100, Some(cohort), [7, 1]).await;
        assert_eq!(self::host(store, &host.id).await.cohort.as_deref(), Some(cohort));
        if name != "c" {
            expected.push(host.id);
        }
    }
    assert_eq!(store.n_hosts().await.unwrap(), 5);
    let mut seen: Vec<HostId> = Vec::new();
    loop {
        let page = store.hosts_of_cohort(COHORT, seen.last().cloned(), 3).await.unwrap();
        if page.is_empty() {
            break;
        }
        seen.extend(page.into_iter().map(|host| host.id));
    }
    assert_eq!(seen, expected);
}
