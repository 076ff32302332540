//! Labels, maintenance, and lists of hosts that fit a filter.

use store::{
    Conflict, Host, HostFilter, HostId, HostOrder, Kind, LABELS_PER_HOST_MAX, LabelFilter, Labels,
    LabelsChange, MayStand, NewAppraisal, Settlement, Stood, Store, StoreError, TpmPresence,
};

use super::make::{appraisal, by, enrolled, host, join_token, new_host};

fn labels(pairs: &[(&str, &str)]) -> Labels {
    pairs.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect()
}

fn set(pairs: &[(&str, &str)]) -> LabelsChange {
    LabelsChange { set: labels(pairs), remove: Vec::new() }
}

async fn names(store: &dyn Store, filter: HostFilter) -> Vec<String> {
    store.hosts(filter, None, 500).await.unwrap().into_iter().map(|host| host.name).collect()
}

fn labelled(key: &str, value: Option<&str>) -> HostFilter {
    let filter = LabelFilter { key: key.to_owned(), value: value.map(str::to_owned) };
    HostFilter { labels: vec![filter], ..HostFilter::default() }
}

pub(crate) async fn labels_are_put_on_and_taken_off(store: &dyn Store) {
    let a = enrolled(store, "a").await;
    assert!(a.labels.is_empty());
    let put = store.change_labels(&a.id, set(&[("site", "muc"), ("rack", "7")]), by(4)).await;
    assert_eq!(put.unwrap(), labels(&[("rack", "7"), ("site", "muc")]));
    assert_eq!(names(store, labelled("site", Some("muc"))).await, ["a.example"]);

    // Another value, one off, and one off that is not there.
    let change = LabelsChange {
        set: labels(&[("site", "ber")]),
        remove: vec!["rack".into(), "none".into()],
    };
    assert_eq!(
        store.change_labels(&a.id, change, by(5)).await.unwrap(),
        labels(&[("site", "ber")])
    );
    assert_eq!(host(store, &a.id).await.labels, labels(&[("site", "ber")]));
    assert!(names(store, labelled("site", Some("muc"))).await.is_empty());
    assert!(names(store, labelled("rack", None)).await.is_empty());

    // What changes nothing is no change: no audit row.
    let n_rows = store.audit(0, 100).await.unwrap().len();
    store.change_labels(&a.id, set(&[("site", "ber")]), by(6)).await.unwrap();
    assert_eq!(store.audit(0, 100).await.unwrap().len(), n_rows);

    store.remove_host(&a.id, by(7)).await.unwrap();
    assert!(store.label_counts(None).await.unwrap().is_empty());
    let gone = store.change_labels(&a.id, set(&[("x", "y")]), by(8)).await.unwrap_err();
    assert!(matches!(gone, StoreError::NotFound(Kind::Host)), "{gone:?}");
}

pub(crate) async fn labels_of_a_host_are_limited(store: &dyn Store) {
    let a = enrolled(store, "a").await;
    let many: Labels = (0..LABELS_PER_HOST_MAX).map(|n| (format!("k{n}"), "v".into())).collect();
    let change = LabelsChange { set: many, remove: Vec::new() };
    store.change_labels(&a.id, change, by(4)).await.unwrap();
    let one_more = store.change_labels(&a.id, set(&[("more", "v")]), by(5)).await.unwrap_err();
    assert!(matches!(one_more, StoreError::Limit { max: LABELS_PER_HOST_MAX, .. }), "{one_more:?}");
    // One for another.
    let change = LabelsChange { set: labels(&[("more", "v")]), remove: vec!["k0".into()] };
    store.change_labels(&a.id, change, by(6)).await.unwrap();
}

pub(crate) async fn a_token_labels_what_joins_with_it(store: &dyn Store) {
    let mut token = join_token("t");
    token.labels = labels(&[("site", "muc")]);
    store.add_join_token(token, by(1)).await.unwrap();
    store.create_host(new_host("without-tpm"), by(2)).await.unwrap();
    let mut with_tpm = enrolled(store, "a").await;
    assert_eq!(with_tpm.labels, labels(&[("site", "muc")]));
    store.change_labels(&with_tpm.id, set(&[("site", "ber")]), by(4)).await.unwrap();
    with_tpm = host(store, &with_tpm.id).await;
    assert_eq!(with_tpm.labels, labels(&[("site", "ber")]));
    assert_eq!(names(store, labelled("site", Some("muc"))).await, ["without-tpm.example"]);
    assert_eq!(store.join_tokens().await.unwrap()[0].labels, labels(&[("site", "muc")]));
}

pub(crate) async fn a_list_shows_what_fits(store: &dyn Store) {
    for (name, site, rack) in [("web-1", "muc", "1"), ("web-2", "ber", "1"), ("db-1", "muc", "2")] {
        let host = enrolled(store, name).await;
        store.change_labels(&host.id, set(&[("site", site), ("rack", rack)]), by(4)).await.unwrap();
    }
    enrolled(store, "Web_3%").await;
    let part =
        |text: &str| HostFilter { name_contains: Some(text.into()), ..HostFilter::default() };
    assert_eq!(names(store, part("WEB-")).await, ["web-1.example", "web-2.example"]);
    assert_eq!(names(store, part("_3%")).await, ["Web_3%.example"], "no patterns");
    assert_eq!(names(store, part("'; --")).await, [""; 0]);

    assert_eq!(
        names(store, labelled("site", Some("muc"))).await,
        ["db-1.example", "web-1.example"]
    );
    assert_eq!(names(store, labelled("site", None)).await.len(), 3);
    let mut both = labelled("site", Some("muc"));
    both.labels.extend(labelled("rack", Some("1")).labels);
    assert_eq!(names(store, both).await, ["web-1.example"]);
    let mut named = labelled("site", Some("muc"));
    named.name_contains = Some("db".into());
    assert_eq!(names(store, named).await, ["db-1.example"]);

    // Pages of a filtered list meet.
    let first = store.hosts(labelled("site", None), None, 2).await.unwrap();
    let rest = store
        .hosts(labelled("site", None), Some(first[1].cursor(HostOrder::default())), 2)
        .await
        .unwrap();
    assert_eq!((first.len(), rest.len()), (2, 1));
    assert!(first[1].name < rest[0].name);

    let counts = store.label_counts(Some("site")).await.unwrap();
    let counts: Vec<_> = counts.iter().map(|count| (&*count.value, count.n_hosts)).collect();
    assert_eq!(counts, [("ber", 1), ("muc", 2)]);
    assert_eq!(store.label_counts(None).await.unwrap().len(), 4);
}

/// A host that was judged at 105.
async fn judged(store: &dyn Store, name: &str, verdict: &str) -> Host {
    let known = enrolled(store, name).await;
    let new = NewAppraisal { verdict: verdict.into(), ..appraisal(&known, 100) };
    store.record_appraisal(new, by(105)).await.unwrap();
    host(store, &known.id).await
}

pub(crate) async fn a_list_shows_hosts_with_a_finding(store: &dyn Store) {
    let a = enrolled(store, "a").await;
    let with = |code: &str| HostFilter { has_code: Some(code.into()), ..HostFilter::default() };
    let judge = async |findings: &str, at_ms| {
        let known = host(store, &a.id).await;
        let new = NewAppraisal { findings_json: findings.into(), ..appraisal(&known, at_ms) };
        store.record_appraisal(new, by(at_ms)).await.unwrap();
    };
    // A cause is the host's word, up to a zero character, and no finding of another kind.
    let hostile = r#"[{"code":"secure-boot-off","cause":"'; \"x\" \u0000 \"code\":\"no-tpm\""}]"#;
    judge(hostile, 100).await;
    let b = enrolled(store, "b").await;
    let problem = r#"[{"code":"ek-cert-untrusted"},{"code":"secure-boot-off"}]"#;
    store.note_enrolment_problem(&b.id, problem.to_owned()).await.unwrap();
    enrolled(store, "c").await;
    assert_eq!(names(store, with("secure-boot-off")).await, ["a.example", "b.example"]);
    assert_eq!(names(store, with("ek-cert-untrusted")).await, ["b.example"]);
    for other in ["secure-boot", "boot-off", "%", "'; --", "no-tpm", "x"] {
        assert!(names(store, with(other)).await.is_empty(), "{other}");
    }

    // It goes with the next judgement; and what is no list of findings keeps none from being written.
    judge(r#"[{"code":"tpm-virtual"},{"code":"dbx-outdated"}]"#, 200).await;
    assert_eq!(names(store, with("secure-boot-off")).await, ["b.example"]);
    assert_eq!(names(store, with("dbx-outdated")).await, ["a.example"]);
    for (at_ms, damaged) in [(300, "x"), (400, "7"), (500, r#"["t",null,{"code":{}}]"#), (600, "")]
    {
        judge(damaged, at_ms).await;
        assert!(names(store, with("dbx-outdated")).await.is_empty(), "{damaged}");
    }
    store.remove_host(&b.id, by(700)).await.unwrap();
    assert!(names(store, with("ek-cert-untrusted")).await.is_empty());
}

/// Looks at all hosts that are due, as if this were found.
async fn looked_at(store: &dyn Store, stands: Stood, again_ms: i64) {
    for due in store.claim_looks(1_000, 1_000, 100).await.unwrap() {
        let settlement = Settlement {
            host: due.host.id,
            change: due.change,
            causes: Vec::new(),
            look_again_at_ms: Some(again_ms),
            stands,
            at_ms: 1_000,
        };
        store.settle_alarms(settlement).await.unwrap();
    }
}

pub(crate) async fn a_list_lets_through_what_may_have_the_verdict(store: &dyn Store) {
    judged(store, "good", "accepted").await;
    looked_at(store, Stood::Accepted, 5_000).await;
    judged(store, "bad", "not accepted").await;
    looked_at(store, Stood::NotAccepted, 6_000).await;
    judged(store, "unknown", "not appraised").await;
    looked_at(store, Stood::NotAppraised, 7_000).await;
    let may = async |stood, due_by_ms| {
        let may_stand = Some(MayStand { stood, due_by_ms });
        names(store, HostFilter { may_stand, ..HostFilter::default() }).await
    };
    for (stood, name) in [
        (Stood::Accepted, "good.example"),
        (Stood::NotAccepted, "bad.example"),
        (Stood::NotAppraised, "unknown.example"),
    ] {
        assert_eq!(may(stood, 4_999).await, [name], "{stood:?}");
    }
    // Its age may have ended its verdict, and nobody looked yet.
    assert_eq!(may(Stood::NotAppraised, 5_000).await, ["good.example", "unknown.example"]);
    // What changed since somebody looked may stand in any way.
    let good = store.hosts_by_name("good.example").await.unwrap().remove(0);
    store.note_tpm(&good.id, TpmPresence::Absent).await.unwrap();
    assert_eq!(may(Stood::NotAccepted, 4_999).await, ["bad.example", "good.example"]);
    looked_at(store, Stood::NotAppraised, i64::MAX).await;
    assert_eq!(may(Stood::NotAccepted, 4_999).await, ["bad.example"]);
    assert_eq!(may(Stood::NotAppraised, 4_999).await, ["good.example", "unknown.example"]);
    assert!(may(Stood::Accepted, 4_999).await.is_empty());
}

pub(crate) async fn maintenance_begins_and_ends(store: &dyn Store) {
    let a = enrolled(store, "a").await;
    assert_eq!(a.maintenance, None);
    store.enter_maintenance(&a.id, Some(50), "new firmware", by(10)).await.unwrap();
    let worked_on = host(store, &a.id).await;
    let maintenance = worked_on.maintenance_at(49).unwrap();
    assert_eq!(
        (maintenance.since_ms, &*maintenance.reason, &*maintenance.by),
        (10, "new firmware", "alice")
    );
    assert_eq!(worked_on.maintenance_at(50), None, "it ends by itself");

    store.enter_maintenance(&a.id, None, "and a new board", by(20)).await.unwrap();
    let longer = host(store, &a.id).await;
    assert_eq!(longer.maintenance_at(i64::MAX).unwrap().since_ms, 20);
    store.leave_maintenance(&a.id, by(30)).await.unwrap();
    store.leave_maintenance(&a.id, by(31)).await.unwrap();
    assert_eq!(host(store, &a.id).await.maintenance, None);
    let actions: Vec<_> =
        store.audit(0, 100).await.unwrap().into_iter().map(|row| (row.action, row.at_ms)).collect();
    let told: Vec<_> = actions
        .iter()
        .filter(|(action, _)| action.ends_with("maintenance"))
        .map(|(_, at)| *at)
        .collect();
    assert_eq!(told, [10, 20, 30], "leaving twice is told once");
    let nobody = HostId::from("none");
    let gone = store.enter_maintenance(&nobody, None, "", by(40)).await.unwrap_err();
    assert!(matches!(gone, StoreError::NotFound(Kind::Host)), "{gone:?}");
}

pub(crate) async fn labels_are_replaced_where_they_are_known(store: &dyn Store) {
    let id = enrolled(store, "a").await.id;
    let (none, muc) = (Labels::new(), labels(&[("site", "muc"), ("rack", "7")]));
    store.replace_labels(&id, none.clone(), muc.clone(), by(4)).await.unwrap();
    let ber = labels(&[("site", "ber")]);
    let lost = store.replace_labels(&id, none, ber.clone(), by(5)).await;
    assert!(matches!(lost, Err(StoreError::Conflict(Conflict::LabelsChanged))), "{lost:?}");
    store.replace_labels(&id, muc, ber.clone(), by(6)).await.unwrap();
    assert_eq!(store.host(&id).await.unwrap().unwrap().labels, ber);
}
