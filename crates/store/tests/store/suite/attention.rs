//! What of a whole fleet wants a look.

use store::{FindingCount, NewAppraisal, QuotedValues, Store};

use super::make::{appraisal, by, enrolled};

/// A judgement with these findings, of a machine of this cohort whose PCR 7 has this value.
async fn judged(store: &dyn Store, name: &str, cohort: &str, value: u8, findings: &str) {
    let host = enrolled(store, name).await;
    let quoted = QuotedValues {
        bank: "sha256".to_owned(),
        values: vec![(1, vec![value; 32]), (7, vec![value; 32])],
    };
    let new = NewAppraisal {
        findings_json: findings.to_owned(),
        cohort: Some(cohort.to_owned()),
        quoted: Some(quoted),
        ..appraisal(&host, 10)
    };
    store.record_appraisal(new, by(15)).await.unwrap();
}

pub(crate) async fn findings_and_minorities_are_counted(store: &dyn Store) {
    assert_eq!(store.minorities().await.unwrap(), []);
    let outdated = r#"[{"code":"dbx-outdated","severity":"warn"}]"#;
    // A text that only looks like it is none.
    let other = r#"[{"code":"other","cause":"\"code\":\"dbx-outdated\" it says"}]"#;
    judged(store, "a", "one", 1, outdated).await;
    judged(store, "b", "one", 1, outdated).await;
    judged(store, "c", "one", 2, other).await;
    // Half and half is no majority, and one alone is no minority.
    judged(store, "d", "two", 1, "[]").await;
    judged(store, "e", "two", 2, "[]").await;
    judged(store, "f", "three", 3, "[]").await;

    let codes = vec!["dbx-outdated".to_owned(), "ca-2011-only".to_owned()];
    let counts = store.finding_counts(codes).await.unwrap();
    let count = |code: &str, n_hosts| FindingCount { code: code.to_owned(), n_hosts };
    assert_eq!(counts, [count("dbx-outdated", 2), count("ca-2011-only", 0)]);
    let found = store.minorities().await.unwrap();
    let [minority] = &found[..] else { panic!("{found:?}") };
    assert_eq!((minority.cohort.as_str(), minority.pcr_index), ("one", 7));
    assert_eq!((minority.n_hosts, minority.n_minority), (3, 1));
}
