//! Lists of hosts that somebody keeps under a name.

use store::{HOST_VIEWS_MAX, Kind, NewUser, Role, Store, StoreError, ViewOf};

use super::make::by;

fn own(name: &str) -> ViewOf {
    ViewOf::Person(format!("user:{name}"))
}

async fn seen(store: &dyn Store, person: Option<&str>) -> Vec<(String, String)> {
    let views = store.host_views(person.map(|name| format!("user:{name}"))).await.unwrap();
    views.into_iter().map(|view| (view.name, view.query_json)).collect()
}

fn pair(name: &str, query: &str) -> (String, String) {
    (name.to_owned(), query.to_owned())
}

async fn add_user(store: &dyn Store, name: &str) {
    let user = NewUser {
        name: name.to_owned(),
        role: Role::Admin,
        password: store::StoredPassword {
            phc: "x".to_owned(),
            state: store::PasswordState::Chosen,
        },
    };
    store.add_user(user, by(1)).await.unwrap();
}

pub(crate) async fn each_sees_their_own_and_everybodys(store: &dyn Store) {
    let n_rows = store.audit(0, 100).await.unwrap().len();
    store.put_host_view(own("ada"), "mine", "1", by(1)).await.unwrap();
    store.put_host_view(own("bob"), "mine", "2", by(2)).await.unwrap();
    assert_eq!(store.audit(0, 100).await.unwrap().len(), n_rows, "nobody else's matter");
    store.put_host_view(ViewOf::Everybody, "mine", "3", by(3)).await.unwrap();
    assert_eq!(seen(store, Some("ada")).await, [pair("mine", "3"), pair("mine", "1")]);
    assert_eq!(seen(store, Some("bob")).await, [pair("mine", "3"), pair("mine", "2")]);
    assert_eq!(seen(store, None).await, [pair("mine", "3")]);

    // The same name again is the same view.
    store.put_host_view(own("ada"), "mine", "4", by(5)).await.unwrap();
    assert_eq!(seen(store, Some("ada")).await, [pair("mine", "3"), pair("mine", "4")]);
    let views = store.host_views(Some("user:ada".to_owned())).await.unwrap();
    assert_eq!((views[1].kept_at_ms, views[1].kept_by.as_str()), (5, "alice"));
    assert_eq!((&views[0].of, &views[1].of), (&ViewOf::Everybody, &own("ada")));

    store.remove_host_view(own("ada"), "mine", by(6)).await.unwrap();
    let again = store.remove_host_view(own("ada"), "mine", by(7)).await.unwrap_err();
    assert!(matches!(again, StoreError::NotFound(Kind::HostView)), "{again:?}");
    store.remove_host_view(ViewOf::Everybody, "mine", by(8)).await.unwrap();
    assert_eq!(seen(store, Some("ada")).await, []);
    assert_eq!(seen(store, Some("bob")).await, [pair("mine", "2")]);
    let rows = store.audit(0, 100).await.unwrap();
    let told: Vec<_> = rows[n_rows..].iter().map(|row| (&*row.action, &*row.subject)).collect();
    let subject = "host-view:mine";
    assert_eq!(told, [("host-view.keep", subject), ("host-view.remove", subject)]);
}

pub(crate) async fn views_go_with_their_account_and_are_limited(store: &dyn Store) {
    add_user(store, "ada").await;
    add_user(store, "bob").await;
    for n in 0..HOST_VIEWS_MAX {
        store.put_host_view(own("ada"), &format!("v{n}"), "1", by(1)).await.unwrap();
    }
    let more = store.put_host_view(own("ada"), "more", "1", by(2)).await.unwrap_err();
    assert!(matches!(more, StoreError::Limit { max: HOST_VIEWS_MAX, .. }), "{more:?}");
    store.put_host_view(own("ada"), "v0", "2", by(2)).await.unwrap();
    store.put_host_view(own("bob"), "more", "1", by(2)).await.unwrap();
    store.put_host_view(ViewOf::Everybody, "more", "1", by(2)).await.unwrap();

    store.remove_user("ada", by(3)).await.unwrap();
    add_user(store, "ada").await;
    assert_eq!(seen(store, Some("ada")).await, [pair("more", "1")], "another's account");
    assert_eq!(seen(store, Some("bob")).await.len(), 2);
}
