//! Accounts, sessions, and the code for the first account.

use store::{
    AccountState, Conflict, Kind, Labels, LoginFailure, NewSession, NewUser, PasswordState, Role,
    SESSIONS_PER_PERSON_MAX, SessionOf, Store, StoreError, StoredPassword, UserChange,
    VOUCHED_MS_MAX, VouchedSessions, Voucher,
};

use super::make::{by, digest};

fn password(phc: &str) -> StoredPassword {
    StoredPassword { phc: phc.into(), state: PasswordState::Chosen }
}

fn user(name: &str, role: Role) -> NewUser {
    NewUser { name: name.into(), role, password: password("phc") }
}

fn session(id: &str, name: &str) -> NewSession {
    NewSession {
        id: id.into(),
        secret_sha256: digest(id),
        of: SessionOf::Account { name: name.into(), phc: "phc".into() },
        address: "192.0.2.1".into(),
        expires_at_ms: 1_000,
    }
}

async fn is_good(store: &dyn Store, id: &str) -> bool {
    store.session_by_sha256(digest(id), 100, 0).await.unwrap().is_some()
}

fn is(error: &StoreError, conflict: &Conflict) -> bool {
    matches!(error, StoreError::Conflict(found) if found == conflict)
}

pub(crate) async fn accounts_are_added_and_changed(store: &dyn Store) {
    store.add_user(user("alice", Role::Admin), by(10)).await.unwrap();
    let taken = store.add_user(user("alice", Role::Viewer), by(11)).await.unwrap_err();
    assert!(is(&taken, &Conflict::NameTaken { name: "alice".into() }), "{taken:?}");
    store.add_user(user("bob", Role::Viewer), by(12)).await.unwrap();
    let bob = store.user("bob").await.unwrap().unwrap();
    assert_eq!((bob.role, bob.state, bob.created_at_ms), (Role::Viewer, AccountState::Enabled, 12));
    assert_eq!((&bob.password, bob.password_at_ms), (&password("phc"), 12));
    let role = UserChange { role: Some(Role::Operator), state: None };
    store.change_user("bob", role, by(13)).await.unwrap();
    let n_rows = store.audit(0, 100).await.unwrap().len();
    store.change_user("bob", role, by(14)).await.unwrap();
    assert_eq!(store.audit(0, 100).await.unwrap().len(), n_rows, "nothing was changed");
    let given = StoredPassword { phc: "other".into(), state: PasswordState::Given };
    store.set_password("bob", given.clone(), by(15)).await.unwrap();
    let bob = store.user("bob").await.unwrap().unwrap();
    assert_eq!((bob.role, bob.password, bob.password_at_ms), (Role::Operator, given.clone(), 15));
    let names: Vec<_> = store.users().await.unwrap().into_iter().map(|user| user.name).collect();
    assert_eq!(names, ["alice", "bob"]);
    store.remove_user("bob", by(16)).await.unwrap();
    for gone in [
        store.remove_user("bob", by(17)).await,
        store.change_user("bob", role, by(17)).await,
        store.set_password("bob", given, by(17)).await,
    ] {
        assert!(matches!(gone, Err(StoreError::NotFound(Kind::User))));
    }
}

pub(crate) async fn the_last_administrator_stays(store: &dyn Store) {
    store.add_user(user("alice", Role::Admin), by(1)).await.unwrap();
    store.add_user(user("bob", Role::Operator), by(1)).await.unwrap();
    let lower = UserChange { role: Some(Role::Operator), state: None };
    let disable = UserChange { role: None, state: Some(AccountState::Disabled) };
    for refused in [
        store.change_user("alice", lower, by(2)).await,
        store.change_user("alice", disable, by(2)).await,
        store.remove_user("alice", by(2)).await,
    ] {
        assert!(is(&refused.unwrap_err(), &Conflict::LastAdministrator));
    }
    let raise = UserChange { role: Some(Role::Admin), state: None };
    store.change_user("bob", raise, by(3)).await.unwrap();
    store.change_user("alice", disable, by(4)).await.unwrap();
    // One that is disabled is no way in.
    let refused = store.remove_user("bob", by(5)).await.unwrap_err();
    assert!(is(&refused, &Conflict::LastAdministrator));
    store.remove_user("alice", by(6)).await.unwrap();
}

pub(crate) async fn sessions_end_by_time_and_with_what_they_rest_on(store: &dyn Store) {
    store.add_user(user("alice", Role::Admin), by(1)).await.unwrap();
    store.add_user(user("bob", Role::Viewer), by(1)).await.unwrap();
    store.begin_session(session("s", "bob"), by(10)).await.unwrap();
    let at = async |now_ms, used_after_ms| {
        store.session_by_sha256(digest("s"), now_ms, used_after_ms).await.unwrap()
    };
    let found = at(999, 9).await.unwrap();
    assert_eq!((found.actor.as_str(), found.account.as_deref()), ("user:bob", Some("bob")));
    assert_eq!((found.role, found.used_at_ms, found.begun_at_ms), (Role::Viewer, 10, 10));
    assert_eq!(at(1_000, 9).await, None, "its time is over");
    assert_eq!(at(999, 10).await, None, "it was not used");
    store.note_session_used(&"s".into(), 50).await.unwrap();
    store.note_session_used(&"s".into(), 40).await.unwrap();
    assert_eq!(at(999, 49).await.unwrap().used_at_ms, 50);

    // A change of what it rests on ends it.
    let role = UserChange { role: Some(Role::Operator), state: None };
    store.change_user("bob", role, by(11)).await.unwrap();
    assert!(!is_good(store, "s").await);
    store.begin_session(session("s2", "bob"), by(12)).await.unwrap();
    store.set_password("bob", password("phc"), by(13)).await.unwrap();
    assert!(!is_good(store, "s2").await);
    store.begin_session(session("s3", "bob"), by(14)).await.unwrap();
    let disable = UserChange { role: None, state: Some(AccountState::Disabled) };
    store.change_user("bob", disable, by(15)).await.unwrap();
    assert!(!is_good(store, "s3").await);

    // None begins for who is not let in any more.
    let refused = store.begin_session(session("s4", "bob"), by(16)).await.unwrap_err();
    assert!(is(&refused, &Conflict::AccountChanged), "disabled: {refused:?}");
    store.set_password("alice", password("newer"), by(17)).await.unwrap();
    for name in ["alice", "nobody"] {
        let refused = store.begin_session(session("s5", name), by(18)).await.unwrap_err();
        assert!(is(&refused, &Conflict::AccountChanged), "{name}: {refused:?}");
    }
}

pub(crate) async fn sessions_are_listed_and_ended(store: &dyn Store) {
    store.add_user(user("alice", Role::Admin), by(1)).await.unwrap();
    let vouched = |id: &str| NewSession {
        of: SessionOf::Vouched {
            actor: "oidc:bob".into(),
            role: Role::Viewer,
            hosts: Labels::from([("site".into(), "muc".into())]),
            voucher: Voucher {
                issuer: "https://id.example".into(),
                subject: "4711".into(),
                sid: None,
                at_ms: 10,
            },
        },
        ..session(id, "")
    };
    store.begin_session(session("a", "alice"), by(10)).await.unwrap();
    store.begin_session(vouched("b"), by(11)).await.unwrap();
    let list = store.sessions(12, 0).await.unwrap();
    let [bob, alice] = &list[..] else { panic!("{list:?}") };
    assert_eq!((bob.actor.as_str(), &bob.account, bob.role), ("oidc:bob", &None, Role::Viewer));
    assert_eq!((bob.hosts.len(), alice.actor.as_str()), (1, "user:alice"));

    let rows = store.audit(0, 100).await.unwrap();
    let begun = rows.iter().find(|row| row.subject == "oidc:bob").unwrap();
    for word in ["https://id.example", "4711", "viewer"] {
        assert!(begun.detail_json.contains(word), "who vouches is told: {}", begun.detail_json);
    }
    // What a login is known by begins one session.
    let other_secret = NewSession { secret_sha256: digest("other"), ..vouched("b") };
    let again = store.begin_session(other_secret, by(12)).await.unwrap_err();
    assert!(is(&again, &Conflict::LoginUsed), "{again:?}");
    assert_eq!(store.sessions(12, 0).await.unwrap().len(), 2);

    // Of another person it is not found.
    let not_his = store.end_session(&"a".into(), Some("oidc:bob"), by(13)).await;
    assert!(matches!(not_his, Err(StoreError::NotFound(Kind::Session))));
    store.end_session(&"a".into(), Some("user:alice"), by(14)).await.unwrap();
    store.end_session(&"b".into(), None, by(15)).await.unwrap();
    assert!(store.sessions(16, 0).await.unwrap().is_empty());

    for n in 0..=SESSIONS_PER_PERSON_MAX {
        let at_ms = 20 + i64::from(n);
        store.begin_session(vouched(&format!("n{n}")), by(at_ms)).await.unwrap();
    }
    assert!(!is_good(store, "n0").await, "the oldest made room");
    assert!(is_good(store, "n1").await);
    // A new one takes with it what has ended by time.
    store.begin_session(vouched("late"), by(5_000)).await.unwrap();
    assert!(!is_good(store, "n1").await);
}

pub(crate) async fn the_setup_code_makes_one_account(store: &dyn Store) {
    assert!(!store.is_setup_open().await.unwrap());
    assert!(store.keep_setup_code(digest("first"), 1).await.unwrap());
    assert!(store.keep_setup_code(digest("second"), 2).await.unwrap());
    assert!(store.is_setup_open().await.unwrap());
    let refused = store.set_up(digest("first"), user("eve", Role::Admin), by(3)).await.unwrap_err();
    assert!(is(&refused, &Conflict::SetupCode), "the one before counts no more: {refused:?}");
    store.set_up(digest("second"), user("alice", Role::Admin), by(4)).await.unwrap();
    let again = store.set_up(digest("second"), user("eve", Role::Admin), by(5)).await.unwrap_err();
    assert!(is(&again, &Conflict::SetupCode), "{again:?}");
    assert!(!store.keep_setup_code(digest("third"), 6).await.unwrap());
    assert!(!store.is_setup_open().await.unwrap());
}

pub(crate) async fn an_account_ends_the_setup_code(store: &dyn Store) {
    assert!(store.keep_setup_code(digest("code"), 1).await.unwrap());
    store.add_user(user("alice", Role::Admin), by(2)).await.unwrap();
    assert!(!store.is_setup_open().await.unwrap());
    let late = store.set_up(digest("code"), user("eve", Role::Admin), by(3)).await.unwrap_err();
    assert!(is(&late, &Conflict::SetupCode), "{late:?}");
}

pub(crate) async fn failed_logins_are_told_without_unknown_names(store: &dyn Store) {
    let address = "192.0.2.1".to_owned();
    let failure = |subject: Option<&str>, n_more| LoginFailure {
        subject: subject.map(str::to_owned),
        address: address.clone(),
        n_more,
        reason: None,
    };
    store.note_login_failure(failure(Some("user:alice"), 0), by(1)).await.unwrap();
    store.note_login_failure(failure(None, 7), by(2)).await.unwrap();
    let rows = store.audit(0, 10).await.unwrap();
    let subjects: Vec<_> = rows.iter().map(|row| row.subject.as_str()).collect();
    assert_eq!(subjects, ["user:alice", "unknown"]);
    assert!(rows.iter().all(|row| row.action == "login.fail"));
    assert!(rows[1].detail_json.contains("\"n_more\":7"), "{}", rows[1].detail_json);
    assert!(rows.iter().all(|row| !row.detail_json.contains("reason")));
    let reason = Some("no role".to_owned());
    let of_provider = LoginFailure { reason, ..failure(Some("oidc:bob"), 0) };
    store.note_login_failure(of_provider, by(3)).await.unwrap();
    let last = store.audit(0, 10).await.unwrap().pop().unwrap();
    assert_eq!(last.subject, "oidc:bob");
    assert!(last.detail_json.contains("\"reason\":\"no role\""), "{}", last.detail_json);
}

pub(crate) async fn a_provider_ends_sessions_that_are_yet_to_begin(store: &dyn Store) {
    const ID: &str = "https://id.example";
    let end = async |subject: Option<&str>, sid: Option<&str>, at_ms: i64| {
        let text = |text: Option<&str>| text.map(str::to_owned);
        let which = VouchedSessions { issuer: ID.into(), subject: text(subject), sid: text(sid) };
        assert_eq!(store.end_vouched_sessions(which, by(at_ms)).await.unwrap(), 0);
    };
    let begins = async |id: &str, issuer: &str, subject: &str, sid: Option<&str>, at_ms: i64| {
        let (issuer, sid) = (issuer.into(), sid.map(str::to_owned));
        let voucher = Voucher { issuer, subject: subject.into(), sid, at_ms };
        let actor = format!("oidc:{subject}");
        let of = SessionOf::Vouched { actor, role: Role::Viewer, hosts: Labels::new(), voucher };
        match store.begin_session(NewSession { of, ..session(id, "") }, by(200)).await {
            Ok(()) => true,
            Err(err) if is(&err, &Conflict::LoggedOut) => false,
            Err(err) => panic!("{err}"),
        }
    };
    end(None, None, 100).await;
    assert!(begins("n", ID, "nobody", Some("s0"), 100).await);
    end(Some("bob"), Some("s1"), 100).await;
    assert!(!begins("b1", ID, "bob", Some("s1"), 100).await);
    assert!(begins("b2", ID, "bob", Some("s1"), 101).await, "vouched for since");
    assert!(begins("b3", ID, "bob", Some("s2"), 99).await, "another session there");
    assert!(begins("b4", ID, "carol", Some("s1"), 99).await, "both must fit");
    assert!(begins("b5", "https://other.example", "bob", Some("s1"), 99).await);
    assert!(!begins("b6", ID, "bob", None, 99).await, "one without a name is any of its person");
    end(None, Some("s7"), 110).await;
    assert!(!begins("c1", ID, "carol", Some("s7"), 105).await);
    assert!(begins("c2", ID, "carol", None, 105).await, "of no session that was named");
    end(Some("dave"), None, 120).await;
    assert!(!begins("d1", ID, "dave", Some("s8"), 120).await, "all of the person");
    // Who logged out long ago is remembered no more: no login takes so long.
    end(Some("erin"), None, 121 + VOUCHED_MS_MAX).await;
    assert!(begins("d2", ID, "dave", Some("s8"), 120).await);
    assert!(!begins("e1", ID, "erin", None, 121).await);
}

pub(crate) async fn a_provider_ends_sessions_that_it_vouched_for(store: &dyn Store) {
    store.add_user(user("alice", Role::Admin), by(1)).await.unwrap();
    let begin = async |id: &str, issuer: &str, subject: &str, sid: Option<&str>| {
        let voucher = Voucher {
            issuer: issuer.into(),
            subject: subject.into(),
            sid: sid.map(str::to_owned),
            at_ms: 10,
        };
        let actor = format!("oidc:{subject}");
        let (role, hosts) = (Role::Viewer, Labels::new());
        let of = SessionOf::Vouched { actor, role, hosts, voucher };
        store.begin_session(NewSession { of, ..session(id, "") }, by(10)).await.unwrap();
    };
    let end = async |issuer: &str, subject: Option<&str>, sid: Option<&str>| {
        let which = VouchedSessions {
            issuer: issuer.into(),
            subject: subject.map(str::to_owned),
            sid: sid.map(str::to_owned),
        };
        store.end_vouched_sessions(which, by(20)).await.unwrap()
    };
    let left = async || {
        let mut ids: Vec<_> =
            store.sessions(21, 0).await.unwrap().iter().map(|one| one.id.to_string()).collect();
        ids.sort();
        ids.join(" ")
    };
    const ID: &str = "https://id.example";
    store.begin_session(session("own", "alice"), by(10)).await.unwrap();
    begin("b1", ID, "bob", Some("s1")).await;
    begin("b2", ID, "bob", Some("s2")).await;
    begin("b3", ID, "bob", None).await;
    begin("c1", ID, "carol", Some("s3")).await;
    begin("o1", "https://other.example", "bob", Some("s1")).await;
    assert_eq!(end(ID, None, None).await, 0, "of nobody");
    assert_eq!(end(ID, None, Some("s9")).await, 0);
    assert_eq!(end(ID, Some("carol"), Some("s1")).await, 0, "both must fit");
    assert_eq!(end(ID, None, Some("s1")).await, 1);
    assert_eq!(left().await, "b2 b3 c1 o1 own");
    // One without a name there is any of its person.
    assert_eq!(end(ID, Some("bob"), Some("s9")).await, 1);
    assert_eq!(left().await, "b2 c1 o1 own");
    begin("b4", ID, "bob", Some("s4")).await;
    assert_eq!(end(ID, Some("bob"), None).await, 2, "all of the person");
    assert_eq!(left().await, "c1 o1 own");
    let rows = store.audit(0, 100).await.unwrap();
    let ended = rows.iter().filter(|row| row.action == "session.end");
    assert_eq!(ended.clone().count(), 4);
    assert!(ended.into_iter().all(|row| row.subject == "oidc:bob"));
}
