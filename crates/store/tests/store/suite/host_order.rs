//! Lists of hosts in each order.

use store::{
    Direction, Host, HostFilter, HostOrder, HostSort, NewAppraisal, Settlement, Stood, Store,
};

use super::make::{appraisal, by, enrolled, host};

/// What lists by time know of it.
const HOUR_MS: i64 = 3_600_000;

async fn page(store: &dyn Store, order: HostOrder, n_max: u32) -> Vec<Host> {
    let filter = || HostFilter { order, ..HostFilter::default() };
    let mut seen = Vec::new();
    let mut after = None;
    loop {
        let page = store.hosts(filter(), after.take(), n_max).await.unwrap();
        let Some(last) = page.last() else { return seen };
        let cursor = last.cursor(order);
        assert!(cursor.is_sound(), "{cursor:?}");
        after = Some(cursor);
        seen.extend(page);
    }
}

fn names(hosts: &[Host]) -> Vec<&str> {
    hosts.iter().map(|host| host.name.trim_end_matches(".example")).collect()
}

/// Hosts, each of which differs from the others in another way.
async fn fleet(store: &dyn Store) {
    let judged = [
        ("e", "accepted", 1, Some(r#"["A","9","1"]"#)),
        ("d", "not accepted", 3, Some(r#"["A","9","2"]"#)),
        ("c", "accepted", 2, None),
    ];
    for (name, verdict, hour, cohort) in judged {
        let nonce_at_ms = hour * HOUR_MS;
        let known = enrolled(store, name).await;
        let new = NewAppraisal {
            verdict: verdict.into(),
            cohort: cohort.map(str::to_owned),
            ..appraisal(&known, nonce_at_ms)
        };
        store.record_appraisal(new, by(nonce_at_ms + 5)).await.unwrap();
    }
    for name in ["b", "a"] {
        enrolled(store, name).await;
    }
    store.disconnect_host(&"host-b".into(), by(4 * HOUR_MS)).await.unwrap();
    // In the same hour as c, and after it.
    store.note_seen(&"host-a".into(), 2 * HOUR_MS + 1_000).await.unwrap();
    for due in store.claim_looks(i64::MAX - 1, i64::MAX, 10).await.unwrap() {
        let verdict = due.host.last.as_ref().map_or("", |last| last.verdict.as_str());
        let settlement = Settlement {
            host: due.host.id.clone(),
            change: due.change,
            causes: Vec::new(),
            look_again_at_ms: None,
            stands: Stood::of_verdict(verdict),
            at_ms: 5 * HOUR_MS,
        };
        store.settle_alarms(settlement).await.unwrap();
    }
}

pub(crate) async fn a_list_has_the_order_that_is_asked_for(store: &dyn Store) {
    fleet(store).await;
    let orders = [
        (HostSort::Name, ["a", "b", "c", "d", "e"]),
        // What needs a person first; those that stand alike by name.
        (HostSort::Verdict, ["d", "a", "b", "c", "e"]),
        // Those that name no model first.
        (HostSort::Model, ["a", "b", "c", "e", "d"]),
        // Never judged, and alike in that: by name.
        (HostSort::Judged, ["a", "b", "e", "c", "d"]),
        // The longest silent first, those of one hour by name, and who is disconnected last.
        (HostSort::Seen, ["e", "a", "c", "d", "b"]),
        // All joined at one time.
        (HostSort::Joined, ["a", "b", "c", "d", "e"]),
    ];
    for (by, expected) in orders {
        let ascending = HostOrder { by, direction: Direction::Ascending };
        let descending = HostOrder { by, direction: Direction::Descending };
        let mut turned = expected;
        turned.reverse();
        // Pages meet without gap, wherever they end.
        for n_max in [1, 2, 3, 10] {
            assert_eq!(names(&page(store, ascending, n_max).await), expected, "{by} {n_max}");
            assert_eq!(names(&page(store, descending, n_max).await), turned, "{by} {n_max}");
        }
    }
}

pub(crate) async fn what_stands_is_that_of_the_last_look(store: &dyn Store) {
    let a = enrolled(store, "a").await;
    assert_eq!(a.stood, Stood::NotAppraised, "nobody looked");
    store.record_appraisal(appraisal(&a, 100), by(105)).await.unwrap();
    assert_eq!(host(store, &a.id).await.stood, Stood::NotAppraised);
    let due = store.claim_looks(200, 300, 10).await.unwrap().remove(0);
    let settlement = |change| Settlement {
        host: a.id.clone(),
        change,
        causes: Vec::new(),
        look_again_at_ms: None,
        stands: Stood::Accepted,
        at_ms: 200,
    };
    // One that looked at what has changed since settles nothing.
    store.settle_alarms(settlement(due.change - 1)).await.unwrap();
    assert_eq!(host(store, &a.id).await.stood, Stood::NotAppraised);
    store.settle_alarms(settlement(due.change)).await.unwrap();
    assert_eq!(host(store, &a.id).await.stood, Stood::Accepted);
    assert_eq!(Stood::of_verdict("something new"), Stood::NotAppraised);
}
