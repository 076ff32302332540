//! PostgreSQL: the suite, and what is its own.

use std::time::{Duration, Instant};

use store::{
    Alarms as _, Appraisals as _, AuditChain, Conflict, Enrolments as _, Events as _, History as _,
    HostFilter, HostId, Hosts as _, JoinTokenFault, NewAppraisal, NewHost, NewJoinToken, Origin,
    PostgresAddress, PostgresStore, Store, StoreError, Tokens as _,
};
use testkit::postgres::{Cluster, Database};

use crate::suite::appraisal::all;
use crate::suite::event::all as all_events;
use crate::suite::make::{
    appraisal, by, by_token, completion, digest, enrolled, host, join_token, new_host, pending,
    pending_of,
};
use crate::suite::store_suite;

async fn at(address: &str) -> PostgresStore {
    PostgresStore::open(address.parse().unwrap()).await.unwrap()
}

async fn error_at(address: &str) -> StoreError {
    PostgresStore::open(address.parse().unwrap()).await.unwrap_err()
}

async fn open() -> (PostgresStore, Database) {
    let database = Database::new().unwrap();
    (at(&database.address()).await, database)
}

/// Two servers on one database.
async fn two() -> (PostgresStore, PostgresStore, Database) {
    let database = Database::new().unwrap();
    // At once: one of them makes the schema, and the other one waits for it.
    let address: PostgresAddress = database.address().parse().unwrap();
    let (a, b) = tokio::join!(PostgresStore::open(address.clone()), PostgresStore::open(address));
    (a.unwrap(), b.unwrap(), database)
}

store_suite!(super::open => async);

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_one_server_used_is_used_for_the_other() {
    let (a, b, _keep) = two().await;
    let of_a = enrolled(&a, "a").await;
    assert_eq!(host(&b, &of_a.id).await, of_a);
    a.record_appraisal(appraisal(&of_a, 100), by(101)).await.unwrap();
    for stale in [100, 99] {
        let again = b.record_appraisal(appraisal(&of_a, stale), by(102)).await;
        assert!(matches!(again, Err(StoreError::Conflict(Conflict::NonceUsed))), "{again:?}");
    }
    b.record_appraisal(appraisal(&of_a, 101), by(103)).await.unwrap();

    let secret = a.secret_or_insert("key", vec![1]).await.unwrap();
    assert_eq!(b.secret_or_insert("key", vec![2]).await.unwrap(), secret);
    let (now_a, now_b) = (a.now_ms().await.unwrap(), b.now_ms().await.unwrap());
    // Each is behind the database by no more than an answer of it took.
    assert!((-5..60_000).contains(&(now_b - now_a)), "{now_a} {now_b}: one clock");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn racing_servers_have_one_winner() {
    let (a, b, _keep) = two().await;
    let of_a = enrolled(&a, "a").await;
    let both = || [&a as &dyn Store, &b].into_iter().cycle();
    let records = both().take(32).map(|s| s.record_appraisal(appraisal(&of_a, 100), by(101)));
    let won = all(records).await.into_iter().filter(Result::is_ok).count();
    assert_eq!(won, 1, "one nonce");

    let once = NewJoinToken { n_uses_max: Some(1), ..join_token("once") };
    a.add_join_token(once, by(1)).await.unwrap();
    let joins = both().zip(0..16).map(|(s, n)| {
        let new = new_host(&format!("j{n}"));
        s.create_host(NewHost { join_token: "once".into(), ..new }, by(5))
    });
    let (won, lost): (Vec<_>, Vec<_>) = all(joins).await.into_iter().partition(Result::is_ok);
    assert_eq!(won.len(), 1, "one use");
    for lost in lost {
        let fault = Conflict::JoinToken(JoinTokenFault::UsedUp);
        assert!(matches!(&lost, Err(StoreError::Conflict(c)) if *c == fault), "{lost:?}");
    }

    for n in 0..8 {
        let id = format!("p{n}");
        a.begin_enrolment(pending_of(&id, by_token(), "same"), by(6)).await.unwrap();
    }
    let completions = both()
        .zip(0..8)
        .map(|(s, n)| s.complete_enrolment(completion(&format!("p{n}"), "same"), by(7)));
    let (won, lost): (Vec<_>, Vec<_>) = all(completions).await.into_iter().partition(Result::is_ok);
    assert_eq!(won.len(), 1, "one TPM, one host");
    let owner = won[0].as_ref().unwrap().host.clone();
    for lost in lost {
        let Err(StoreError::Conflict(Conflict::EkTaken { host, .. })) = lost else {
            panic!("{lost:?}")
        };
        assert_eq!(host, owner);
    }

    // Whoever wrote what, the log is one chain.
    let mut chain = AuditChain::default();
    for row in a.audit(0, 1_000).await.unwrap() {
        chain.check(&row).unwrap();
    }
}

/// Hosts of one cohort change the same counts, in transactions of two servers.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn counts_of_a_cohort_hold_while_many_write() {
    let (a, b, database) = two().await;
    let mut hosts = Vec::new();
    for n in 0..24 {
        hosts.push(enrolled(&a, &format!("h{n}")).await);
    }
    for round in 1..=4_u8 {
        let records = hosts.iter().enumerate().map(|(n, host)| {
            let value = |pcr: u8| vec![pcr, if n % 2 == 0 { round } else { 0 }];
            // Every host in an order of its own.
            let mut values: Vec<_> = (0..8).map(|pcr| (pcr, value(pcr))).collect();
            values.rotate_left(n % 8);
            let quoted = store::QuotedValues { bank: "sha256".into(), values };
            let new = NewAppraisal {
                cohort: Some(format!("c{}", (n + usize::from(round)) % 3)),
                quoted: Some(quoted),
                ..appraisal(host, i64::from(round) * 10)
            };
            let store: &dyn Store = if n % 3 == 0 { &a } else { &b };
            store.record_appraisal(new, by(i64::from(round) * 10))
        });
        for result in all(records).await {
            result.unwrap();
        }
    }
    for host in &hosts {
        let peers = a.peers(&host.id).await.unwrap().unwrap();
        assert_eq!(peers.pcrs.len(), 8);
        for pcr in peers.pcrs {
            assert_eq!((pcr.n_hosts, pcr.n_same, pcr.n_most_common), (8, 4, 4), "{:?}", host.id);
        }
    }
    let removals = hosts.iter().map(|host| a.remove_host(&host.id, by(90)));
    for result in all(removals).await {
        result.unwrap();
    }
    for table in ["quoted_counts", "quoted_totals", "evidence"] {
        let none = format!("DO $$ BEGIN ASSERT NOT EXISTS (SELECT 1 FROM {table}); END $$");
        database.psql(&none).unwrap();
    }
}

/// Evidence that hosts share is forgotten by one server while another one begins to need it.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn shared_evidence_is_there_for_whoever_needs_it() {
    let (a, b, _keep) = two().await;
    let keeper = enrolled(&a, "keeper").await;
    for round in 1..=30_i64 {
        let name = format!("h{round}");
        let goes = enrolled(&a, &name).await;
        a.record_appraisal(appraisal(&goes, 10), by(10)).await.unwrap();
        let (gone, kept) = tokio::join!(
            a.remove_host(&goes.id, by(11)),
            b.record_appraisal(appraisal(&keeper, round), by(round)),
        );
        gone.unwrap();
        let expected = appraisal(&keeper, round).evidence;
        assert_eq!(b.evidence(kept.unwrap()).await.unwrap(), expected);
        b.forget_appraisals(i64::MAX, 100, by(12)).await.unwrap();
        let last = host(&b, &keeper.id).await.last.unwrap().id;
        assert_eq!(b.evidence(last).await.unwrap(), expected);
    }
}

#[tokio::test]
async fn lists_are_in_the_order_of_bytes() {
    let (store, _keep) = open().await;
    store.add_join_token(join_token("t"), by(1)).await.unwrap();
    for (n, name) in ["b", "B", "ä", "a", "_", "Ä"].into_iter().enumerate() {
        let new = NewHost { name: name.into(), ..new_host(&format!("h{n}")) };
        store.create_host(new, by(2)).await.unwrap();
    }
    let hosts = store.hosts(HostFilter::default(), None, 10).await.unwrap();
    let names: Vec<_> = hosts.iter().map(|host| host.name.as_str()).collect();
    assert_eq!(names, ["B", "_", "a", "b", "Ä", "ä"]);
    let part = HostFilter { name_contains: Some("ä".into()), ..HostFilter::default() };
    assert_eq!(store.hosts(part, None, 10).await.unwrap().len(), 1, "capitals of ASCII alone");
}

#[tokio::test]
async fn everything_is_there_after_reopening() {
    let (store, database) = open().await;
    let a = enrolled(&store, "a").await;
    let id = store.record_appraisal(appraisal(&a, 10), by(10)).await.unwrap();
    let before = host(&store, &a.id).await;
    let audit = store.audit(0, 100).await.unwrap();
    drop(store);
    let store = at(&database.address()).await;
    assert_eq!(host(&store, &a.id).await, before);
    assert_eq!(store.evidence(id).await.unwrap(), appraisal(&a, 10).evidence);
    assert_eq!(store.audit(0, 100).await.unwrap(), audit);
}

#[tokio::test]
async fn a_newer_schema_is_refused() {
    let (store, database) = open().await;
    drop(store);
    database.psql("INSERT INTO bootproof_schema VALUES (99, 0)").unwrap();
    let error = error_at(&database.address()).await;
    assert!(matches!(error, StoreError::SchemaNewer { found: 99, .. }), "{error:?}");
    database.psql("DELETE FROM bootproof_schema WHERE version = 99").unwrap();
    at(&database.address()).await;
}

#[tokio::test]
async fn a_foreign_database_is_refused_and_left_alone() {
    let database = Database::new().unwrap();
    database.psql("CREATE TABLE songs (title text); INSERT INTO songs VALUES ('x')").unwrap();
    let error = error_at(&database.address()).await;
    assert!(matches!(error, StoreError::NotOurs { .. }), "{error:?}");
    database
        .psql(
            "DO $$ BEGIN ASSERT (SELECT count(*) FROM pg_class
                WHERE relnamespace = 'public'::regnamespace AND relkind = 'r') = 1; END $$",
        )
        .unwrap();
}

#[tokio::test]
async fn a_database_of_another_encoding_is_refused() {
    let database = Database::new().unwrap();
    let name = format!("latin{}", std::process::id());
    let create = "TEMPLATE template0 ENCODING 'LATIN1' LOCALE 'C' LOCALE_PROVIDER libc";
    database.psql(&format!("CREATE DATABASE {name} {create}")).unwrap();
    let error = error_at(&database.address_of(&name)).await;
    database.psql(&format!("DROP DATABASE {name} WITH (FORCE)")).unwrap();
    assert!(matches!(&error, StoreError::Unfit { what } if what.contains("LATIN1")), "{error:?}");
}

#[tokio::test]
async fn the_audit_log_is_append_only_in_the_database() {
    let (store, database) = open().await;
    enrolled(&store, "a").await;
    for sql in ["DELETE FROM audit", "UPDATE audit SET actor = 'eve'", "TRUNCATE audit"] {
        let error = database.psql(sql).unwrap_err();
        assert!(error.to_string().contains("append-only"), "{error}");
    }
}

#[tokio::test]
async fn a_database_that_is_not_there_is_unavailable() {
    for address in ["postgres://u@/db?host=/nowhere", "postgres://u@127.0.0.1:1/db?sslmode=disable"]
    {
        let error = error_at(address).await;
        assert!(matches!(error, StoreError::Unavailable { .. }), "{error:?}");
    }
}

/// Crash and restart of the database in the middle of work: each request either took place or did not,
/// and the same stores go on afterwards.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_restart_fails_requests_and_nothing_else() {
    let mut cluster = Cluster::start().unwrap();
    let store = at(&cluster.address()).await;
    let mut hosts = Vec::new();
    for n in 0..8 {
        hosts.push(enrolled(&store, &format!("h{n}")).await);
    }
    let mut recorded = 0;
    for round in 1..=6_i64 {
        let records =
            all(hosts.iter().map(|host| store.record_appraisal(appraisal(host, round), by(round))));
        let (results, ()) = tokio::join!(records, async {
            if round % 3 == 0 {
                cluster.end();
            }
        });
        for (host, result) in hosts.iter().zip(results) {
            match result {
                Ok(_) => recorded += 1,
                Err(StoreError::Unavailable { .. }) => assert_eq!(round % 3, 0, "{}", host.id),
                Err(other) => panic!("{other:?}"),
            }
        }
        if round % 3 == 0 {
            let gone = store.host(&hosts[0].id).await;
            assert!(matches!(gone, Err(StoreError::Unavailable { .. })), "{gone:?}");
            cluster.run().unwrap();
        }
    }
    let mut n_rows = 0;
    for known in &hosts {
        let rows = store.appraisals(&known.id, 100).await.unwrap();
        let last = host(&store, &known.id).await.last.unwrap();
        assert_eq!(last.id, rows[0].id, "host and history are of one transaction");
        n_rows += rows.len();
        for row in rows {
            assert_eq!(store.evidence(row.id).await.unwrap().len(), 2);
        }
    }
    // One that was not answered may have taken place; none that was is lost.
    assert!((recorded..=48).contains(&n_rows), "{recorded} acknowledged, {n_rows} there");
    let mut chain = AuditChain::default();
    for row in store.audit(0, 1_000).await.unwrap() {
        chain.check(&row).unwrap();
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_database_that_hangs_is_unavailable_and_comes_back() {
    let cluster = Cluster::start().unwrap();
    let store = at(&cluster.address()).await;
    let a = enrolled(&store, "a").await;
    cluster.freeze();
    let start = Instant::now();
    let (read, change) =
        tokio::join!(store.host(&a.id), store.record_appraisal(appraisal(&a, 10), by(10)),);
    assert!(matches!(read, Err(StoreError::Unavailable { .. })), "{read:?}");
    assert!(matches!(change, Err(StoreError::Unavailable { .. })), "{change:?}");
    assert!(start.elapsed() < Duration::from_secs(30), "{:?}", start.elapsed());
    cluster.thaw();
    store.record_appraisal(appraisal(&a, 20), by(20)).await.unwrap();
    let rows = store.appraisals(&a.id, 10).await.unwrap();
    assert_eq!(host(&store, &a.id).await.last.unwrap().id, rows[0].id);
}

/// Who holds a row longer than anybody waits for it makes requests fail, and not for longer.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_lock_that_stays_is_unavailable_not_broken() {
    let (store, database) = open().await;
    let a = enrolled(&store, "a").await;
    let hold = "BEGIN; SELECT 1 FROM hosts FOR UPDATE; SELECT pg_sleep(6); COMMIT";
    let (sent, held) = std::thread::scope(|scope| {
        let holder = scope.spawn(|| database.psql(hold));
        testkit::wait::until("the row is held", || {
            database.psql("DO $$ BEGIN PERFORM 1 FROM hosts FOR UPDATE NOWAIT; END $$").err()
        });
        let runtime = tokio::runtime::Handle::current();
        let sent = tokio::task::block_in_place(|| {
            runtime.block_on(store.record_appraisal(appraisal(&a, 10), by(10)))
        });
        (sent, holder.join().unwrap())
    });
    assert!(matches!(sent, Err(StoreError::Unavailable { .. })), "{sent:?}");
    held.unwrap();
    store.record_appraisal(appraisal(&a, 10), by(10)).await.unwrap();
}

#[tokio::test]
async fn a_password_is_wanted_over_tcp_and_a_wrong_one_is_no_secret_told() {
    let cluster = Cluster::start().unwrap();
    let address = |password: &str| {
        let port = cluster.port();
        format!("postgres://bootproof{password}@127.0.0.1:{port}/bootproof?sslmode=disable")
    };
    at(&address(":secret")).await;
    for wrong in ["", ":hunter2"] {
        let error = error_at(&address(wrong)).await;
        assert!(matches!(error, StoreError::Unavailable { .. }), "{error:?}");
        assert!(!format!("{error:?}").contains("hunter2"), "{error:?}");
    }
}

#[tokio::test]
async fn tls_is_taken_only_where_the_server_is_who_was_asked_for() {
    let certificate = |names: &[&str]| {
        let names: Vec<String> = names.iter().map(|name| (*name).to_owned()).collect();
        let signed = rcgen::generate_simple_self_signed(names).unwrap();
        (signed.cert.pem(), signed.signing_key.serialize_pem())
    };
    let (ours, key) = certificate(&["127.0.0.1"]);
    let (anothers, _) = certificate(&["127.0.0.1"]);
    let folder = tempfile::tempdir().unwrap();
    let file = |name: &str, pem: &str| {
        let path = folder.path().join(name);
        std::fs::write(&path, pem).unwrap();
        path.display().to_string()
    };
    let (ours_pem, anothers_pem) = (file("ours.pem", &ours), file("anothers.pem", &anothers));
    let cluster = Cluster::start_with_tls(&ours, &key).unwrap();
    let address = |host: &str, query: &str| {
        let port = cluster.port();
        format!("postgres://bootproof:secret@{host}:{port}/bootproof?{query}")
    };
    let store = at(&address("127.0.0.1", &format!("sslrootcert={ours_pem}"))).await;
    enrolled(&store, "a").await;

    for (host, query, why) in [
        ("127.0.0.1", format!("sslrootcert={anothers_pem}"), "an authority that nobody named"),
        ("localhost", format!("sslrootcert={ours_pem}"), "another name"),
        ("127.0.0.1", "sslmode=disable".to_owned(), "without TLS"),
        ("127.0.0.1", format!("sslrootcert={}", folder.path().display()), "no roots"),
        ("127.0.0.1", format!("sslrootcert={}", file("empty.pem", "")), "empty roots"),
    ] {
        let error = error_at(&address(host, &query)).await;
        assert!(matches!(error, StoreError::Unavailable { .. }), "{why}: {error:?}");
        assert!(!format!("{error:?}").contains("secret"), "{error:?}");
    }

    // And where TLS is wanted and not there.
    let plain = Cluster::start().unwrap();
    let port = plain.port();
    let wanted =
        format!("postgres://bootproof:secret@127.0.0.1:{port}/bootproof?sslrootcert={ours_pem}");
    let error = error_at(&wanted).await;
    assert!(matches!(error, StoreError::Unavailable { .. }), "{error:?}");
}

/// NUL, which SQLite keeps.
#[tokio::test]
async fn a_text_that_cannot_be_kept_is_refused_and_no_failure() {
    let (store, _keep) = open().await;
    let part = HostFilter { name_contains: Some("a\0b".into()), ..HostFilter::default() };
    let found = store.hosts(part, None, 10).await;
    assert!(matches!(found, Err(StoreError::Unstorable)), "{found:?}");
    let token = NewJoinToken { note: "\0".into(), ..join_token("t") };
    let added = store.add_join_token(token, by(1)).await;
    assert!(matches!(added, Err(StoreError::Unstorable)), "{added:?}");
    store.add_join_token(join_token("t"), by(1)).await.unwrap();
}

#[tokio::test]
async fn unknown_origin_and_hosts_are_the_same_errors_as_ever() {
    let (store, _keep) = open().await;
    let nobody = HostId::from("nobody");
    let begun = store.begin_enrolment(pending("x", Origin::Host(nobody)), by(1)).await;
    assert!(matches!(begun, Err(StoreError::NotFound(store::Kind::Host))), "{begun:?}");
    let begun = store.begin_enrolment(pending("x", by_token()), by(1)).await;
    let fault = Conflict::JoinToken(JoinTokenFault::Unknown);
    assert!(matches!(&begun, Err(StoreError::Conflict(c)) if *c == fault), "{begun:?}");
    assert!(store.join_token_by_sha256(digest("t")).await.unwrap().is_none());
}

/// A change that commits late, behind one that began later: its reader must not be past it.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_event_that_commits_late_is_not_missed() {
    let (store, database) = open().await;
    let a = enrolled(&store, "a").await;
    let first = all_events(&store).await.last().unwrap().cursor;
    let config: tokio_postgres::Config = database.address().parse().unwrap();
    let (slow, driver) = config.connect(tokio_postgres::NoTls).await.unwrap();
    let driver = tokio::spawn(driver);
    slow.batch_execute(
        "BEGIN; INSERT INTO events
            (at_ms, kind, host_id, host_name, labels_json, is_muted, data_json)
         VALUES (5, 'host.state-changed', 'slow', 'slow', '{}', false, '{}')",
    )
    .await
    .unwrap();
    store.disconnect_host(&a.id, by(6)).await.unwrap();
    let seen = all_events(&store).await;
    let last = seen.last().unwrap();
    assert_eq!((&last.host, last.cursor.seq), (&a.id, first.seq + 1), "does not wait for it");
    slow.batch_execute("COMMIT").await.unwrap();
    store.publish_events().await.unwrap();
    let late = store.events(last.cursor, 9).await.unwrap();
    assert_eq!(late.len(), 1);
    assert_eq!((late[0].host.as_str(), late[0].cursor.seq), ("slow", first.seq + 2));
    drop(slow);
    driver.await.unwrap().unwrap();
}

/// Two servers write and number at once, and a third reads: no gap, nothing doubled, each host in order.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn events_of_two_servers_are_one_row_without_gaps() {
    const CHANGES: i64 = 60;
    let (a, b, database) = two().await;
    let hosts = [enrolled(&a, "a").await.id, enrolled(&b, "b").await.id];
    let from = all_events(&a).await.last().unwrap().cursor;
    let reader = at(&database.address()).await;
    let write = async |store: &PostgresStore, id: &HostId| {
        for n in 0..CHANGES {
            match n % 2 {
                0 => store.enter_maintenance(id, None, "x", by(1_000 + n)).await.unwrap(),
                _ => store.leave_maintenance(id, by(1_000 + n)).await.unwrap(),
            }
            store.publish_events().await.unwrap();
        }
    };
    let read = async {
        let (mut cursor, mut seen) = (from, Vec::new());
        while seen.len() < 2 * usize::try_from(CHANGES).unwrap() {
            let page = reader.events(cursor, 7).await.unwrap();
            for event in page {
                assert_eq!(event.cursor.seq, cursor.seq + 1);
                cursor = event.cursor;
                seen.push(event);
            }
        }
        seen
    };
    let (seen, (), ()) = tokio::join!(read, write(&a, &hosts[0]), write(&b, &hosts[1]));
    for host in &hosts {
        let times: Vec<_> =
            seen.iter().filter(|e| e.host == *host).map(|e| e.cursor.at_ms).collect();
        assert_eq!(times, (1_000..1_000 + CHANGES).collect::<Vec<_>>());
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn servers_tell_each_other_of_events() {
    let (a, b, _keep) = two().await;
    // What may have been missed before it listened.
    assert_eq!(b.told().await.unwrap(), store::Told::Anything);
    a.tell_of_events().await.unwrap();
    assert_eq!(b.told().await.unwrap(), store::Told::Events);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn servers_share_the_looks_and_take_over_those_of_one_that_is_gone() {
    let (a, b, _keep) = two().await;
    a.add_join_token(join_token("t"), by(1)).await.unwrap();
    for n in 0..60 {
        a.create_host(new_host(&format!("h{n:02}")), by(2)).await.unwrap();
    }
    let ids = |looks: &[store::DueLook]| -> Vec<String> {
        looks.iter().map(|due| due.host.id.to_string()).collect()
    };
    // At once, and each wants nearly all.
    let (of_a, of_b) = tokio::join!(a.claim_looks(10, 1_000, 50), b.claim_looks(10, 1_000, 50));
    let (of_a, of_b) = (of_a.unwrap(), of_b.unwrap());
    let rest = a.claim_looks(10, 1_000, 50).await.unwrap();
    let mut all: Vec<_> = [&of_a, &of_b, &rest].into_iter().flat_map(|looks| ids(looks)).collect();
    all.sort();
    let n_all = all.len();
    all.dedup();
    assert_eq!((n_all, all.len()), (60, 60), "each is one server's");
    assert!(b.claim_looks(999, 2_000, 500).await.unwrap().is_empty());

    // `a` settles one of its own, and is gone with the others.
    let settle = |due: &store::DueLook| store::Settlement {
        host: due.host.id.clone(),
        change: due.change,
        causes: Vec::new(),
        look_again_at_ms: None,
        stands: store::Stood::Accepted,
        at_ms: 11,
    };
    a.settle_alarms(settle(&of_a[0])).await.unwrap();
    let taken_over = b.claim_looks(1_000, 2_000, 500).await.unwrap();
    assert_eq!(taken_over.len(), 59, "when the lease ends, all but what is settled");

    // A change during the look leaves the host due, and not the claimer's for longer.
    let late = &taken_over[0];
    b.note_tpm(&late.host.id, store::TpmPresence::Present).await.unwrap();
    b.settle_alarms(settle(late)).await.unwrap();
    assert_eq!(ids(&a.claim_looks(1_001, 3_000, 500).await.unwrap()), [late.host.id.to_string()]);
}

mod objects {
    use store::{EvidenceObjects, PostgresStore};
    use testkit::postgres::Database;

    async fn open(objects: EvidenceObjects) -> (PostgresStore, Database) {
        let (store, database) = super::open().await;
        (store.with_objects(objects), database)
    }

    crate::suite::objects::objects_suite!(open);
}
