use serde_json::json;

use super::*;

fn path(text: &str) -> ResourcePath {
    ResourcePath::parse(text).unwrap()
}

/// A BMC of these resources; whatever else is asked for is not there.
fn snapshot_of(resources: &[(&str, Value)]) -> Snapshot {
    let bodies: BTreeMap<_, _> =
        resources.iter().map(|(at, body)| (path(at), body.to_string())).collect();
    Walk::new().run(|ask| match bodies.get(&ask.path) {
        Some(body) => Answer::Body { bytes: body.as_bytes(), etag: None },
        None => Answer::Unread(Unread::NotFound),
    })
}

fn id(text: &str) -> Value {
    json!({ "@odata.id": text })
}

const ROOT: &str = "/redfish/v1";

#[test]
fn a_walk_asks_for_what_is_needed_and_nothing_else() {
    let snapshot = snapshot_of(&[
        (
            ROOT,
            json!({"Systems": id("/redfish/v1/Systems/"), "Fabrics": id("/redfish/v1/Fabrics")}),
        ),
        ("/redfish/v1/Systems", json!({"Members": [id("/redfish/v1/systems/1")]})),
        (
            "/redfish/v1/Systems/1",
            json!({"Bios": id("/redfish/v1/systems/1/bios/"),
            "Memory": id("/redfish/v1/Systems/1/Memory")}),
        ),
        ("/redfish/v1/Systems/1/Bios", json!({"Attributes": {}, "@odata.etag": "W/\"1\""})),
        ("/redfish/v1/Fabrics", json!({})),
        ("/redfish/v1/Systems/1/Memory", json!({})),
    ]);
    let read: Vec<_> = snapshot.resources().map(|(path, _)| path.as_str()).collect();
    assert_eq!(
        read,
        [ROOT, "/redfish/v1/Systems", "/redfish/v1/systems/1", "/redfish/v1/systems/1/bios"]
    );
    let bios = snapshot.resource(&path("/redfish/v1/Systems/1/Bios")).unwrap();
    assert_eq!(bios.etag.as_deref(), Some("W/\"1\""));
}

#[test]
fn loops_of_links_end() {
    let snapshot = snapshot_of(&[(
        ROOT,
        json!({"Systems": id(ROOT), "Registries": id(ROOT), "Members": [id(ROOT)],
            "Bios": id(ROOT), "Members@odata.nextLink": ROOT}),
    )]);
    assert_eq!(snapshot.resources().count(), 1);

    // Each page leads to another: a BMC could go on so for ever.
    let mut n = 0;
    let snapshot = Walk::new().run(|ask| {
        n += 1;
        let body = match ask.path == ResourcePath::service_root() {
            true => r#"{"Systems":{"@odata.id":"/redfish/v1/Systems?page=0"}}"#.to_owned(),
            false => format!(r#"{{"Members@odata.nextLink":"/redfish/v1/Systems?page={n}"}}"#),
        };
        Answer::Body { bytes: body.leak().as_bytes(), etag: None }
    });
    assert_eq!(snapshot.resources().count(), PAGES_MAX + 2);
}

#[test]
fn what_could_not_be_read_is_told_with_its_reason() {
    let mut walk = Walk::new();
    let root = walk.next().unwrap();
    let body = br#"{"Systems":"/redfish/v1/Systems","Managers":{"@odata.id":"/m"},
        "Registries":{"@odata.id":"https://elsewhere/x"},"JobService":{"@odata.id":"/j"}}"#;
    walk.answer(&root.path, Answer::Body { bytes: body, etag: Some("bad\netag".into()) });
    let asked: Vec<_> = std::iter::from_fn(|| walk.next()).collect();
    assert_eq!(
        asked.iter().map(Ask::to_uri).collect::<Vec<_>>(),
        ["/redfish/v1/Systems", "/m", "/j"]
    );
    assert!(!walk.is_done());
    walk.answer(&path("/redfish/v1/Systems"), Answer::Body { bytes: b"<html>", etag: None });
    walk.answer(&path("/m"), Answer::Unread(Unread::Status(503)));
    // Twice, and one that nobody asked for.
    walk.answer(&path("/m"), Answer::Body { bytes: b"{}", etag: None });
    walk.answer(&path("/n"), Answer::Body { bytes: b"{}", etag: None });
    let snapshot = walk.finish();
    assert_eq!(snapshot.resource(&root.path).unwrap().etag, None);
    let unread: Vec<_> =
        snapshot.unread().map(|(path, why)| (path.as_str(), why.clone())).collect();
    assert_eq!(
        unread,
        [
            ("/j", Unread::NotAsked),
            ("/m", Unread::Status(503)),
            ("/redfish/v1/Systems", Unread::NotJson),
        ]
    );
}

#[test]
fn no_number_of_resources_is_too_much() {
    let members: Vec<_> = (0..20_000).map(|n| id(&format!("/s/{n}"))).collect();
    let resources = [
        (ROOT, json!({"Systems": id("/systems")})),
        ("/systems", json!({"Members": [id("/s")]})),
        ("/s", json!({"SecureBoot": id("/sb")})),
        ("/sb", json!({"SecureBootDatabases": id("/dbs")})),
        ("/dbs", json!({"Members": [id("/dbx"), id("/x2"), id("/x3")]})),
        ("/dbx", json!({"Signatures": id("/list")})),
        ("/x2", json!({"Signatures": {"@odata.id": "/list?2"}})),
        ("/x3", json!({"Signatures": {"@odata.id": "/list?3"}})),
        ("/list", json!({"Members": members})),
        (
            "/list?2",
            json!({"Members": (0..9999).map(|n| id(&format!("/b/{n}"))).collect::<Vec<_>>()}),
        ),
        (
            "/list?3",
            json!({"Members": (0..9999).map(|n| id(&format!("/c/{n}"))).collect::<Vec<_>>()}),
        ),
    ];
    let snapshot = snapshot_of(&resources);
    let n_refused = snapshot.unread().filter(|(_, why)| **why == Unread::NotAsked).count();
    let n_asked = snapshot.resources().count() + snapshot.unread().count() - n_refused;
    assert_eq!(n_asked, RESOURCES_MAX);
    assert!(n_refused > 0, "what was left out is told");
}

#[test]
fn members_come_with_their_collection_where_the_bmc_says_so_and_alone_where_it_cannot() {
    let root = json!({"Tasks": id("/t"),
        "ProtocolFeaturesSupported": {"ExpandQuery": {"NoLinks": true, "Levels": true}}});
    let inline = json!({"Members": [{"@odata.id": "/t/1", "TaskState": "New"}]});
    let mut uris = Vec::new();
    let mut run = |refuses: bool| {
        uris.clear();
        let snapshot = Walk::new().run(|ask| {
            uris.push(ask.to_uri());
            let body = match ask.to_uri().as_str() {
                ROOT => root.to_string(),
                "/t" => json!({"Tasks": id("/tt")}).to_string(),
                "/tt?$expand=.($levels=1)" if refuses => {
                    return Answer::Unread(Unread::Status(501));
                }
                "/tt?$expand=.($levels=1)" => inline.to_string(),
                "/tt" => json!({"Members": [id("/t/1")]}).to_string(),
                _ => json!({"TaskState": "New"}).to_string(),
            };
            Answer::Body { bytes: body.leak().as_bytes(), etag: None }
        });
        let state = json::text(snapshot.body(&path("/t/1")).unwrap(), &["TaskState"]).unwrap();
        assert_eq!(state, "New");
        uris.len()
    };
    assert_eq!(run(false), 3);
    assert_eq!(run(true), 5);
}

#[test]
fn a_registry_is_found_by_what_it_lists_in_english() {
    let bios =
        json!({"AttributeRegistry": "BiosAttributeRegistry.v1_0_3", "Attributes": {"Tpm": 1}});
    let listed = |name: &str| json!({"RegistryEntries": {"Attributes": [{"AttributeName": name}]}});
    let resources = |members: Value, location: Value| {
        vec![
            (ROOT, json!({"Systems": id("/systems"), "Registries": id("/r")})),
            ("/systems", json!({"Members": [id("/s")]})),
            ("/s", json!({"Bios": id("/b")})),
            ("/b", bios.clone()),
            ("/r", json!({"Members": members})),
            ("/r/Base.1.0", json!({"Location": [{"Uri": "/base"}]})),
            ("/r/NicAttributeRegistry.v1", json!({"Location": [{"Uri": "/nic"}]})),
            ("/r/BiosAttributeRegistry.v1_0_0", json!({"Location": location})),
            (
                "/r/odd",
                json!({"Registry": "BiosAttributeRegistry.1.0", "Location": [{"Uri": "/en"}]}),
            ),
            ("/base", json!({})),
            ("/nic", listed("Nic")),
            ("/en", listed("Tpm")),
            ("/ja", listed("Tpm")),
            ("/html", json!({})),
        ]
    };
    let all = json!([
        id("/r/Base.1.0"),
        id("/r/NicAttributeRegistry.v1"),
        id("/r/BiosAttributeRegistry.v1_0_0")
    ]);
    let locations = json!([{"Language": "ja", "Uri": "/ja"}, {"Language": "en", "Uri": "/en"}]);
    let find = |members: Value, location: Value| {
        let snapshot = snapshot_of(&resources(members, location));
        assert!(snapshot.body(&path("/base")).is_none(), "another registry was read");
        registry::step(&snapshot, &path("/b"))
    };
    let found = |at: &str| registry::Step::Found(path(at));
    assert_eq!(find(all.clone(), locations), found("/en"));
    assert_eq!(
        find(all.clone(), json!({"Uri": {"extref": "/en/"}})),
        found("/en"),
        "a bare object"
    );
    let broken = json!([{"Language": "en", "Uri": "/html"}, {"Language": "ja", "Uri": "/ja"}]);
    assert_eq!(find(all.clone(), broken), found("/ja"), "the next that can be read");
    assert_eq!(find(json!([id("/r/Base.1.0"), id("/r/odd")]), json!([])), found("/en"));
    assert_eq!(find(all, json!([])), registry::Step::Nowhere);
}

#[test]
fn neither_many_bytes_nor_many_values_are_kept() {
    let one = |bytes: Vec<u8>| {
        let mut walk = Walk::new();
        let ask = walk.next().unwrap();
        walk.answer(&ask.path, Answer::Body { bytes: &bytes, etag: None });
        walk.finish().why_unread(&ask.path).cloned()
    };
    let list = |n: usize| format!(r#"{{"a":[{}0]}}"#, "0,".repeat(n)).into_bytes();
    assert_eq!(one(list(VALUES_MAX - 10)), None);
    assert_eq!(one(list(VALUES_MAX)), Some(Unread::NotAsked));
    let text = |n: usize| format!(r#"{{"a":"{}"}}"#, "x".repeat(n)).into_bytes();
    assert_eq!(one(text(BODY_BYTES_MAX - 8)), None);
    let too_large = Some(Unread::TooLarge { bytes_max: BODY_BYTES_MAX });
    assert_eq!(one(text(BODY_BYTES_MAX - 7)), too_large);
    assert_eq!(one("[".repeat(1 << 20).into_bytes()), Some(Unread::NotAsked));
    let deep = [r#"{"a":"#.repeat(200), "0".into(), "}".repeat(200)].concat();
    assert_eq!(one(deep.into_bytes()), Some(Unread::NotJson), "nested deeper than anything real");
    assert_eq!(one(Vec::new()), Some(Unread::NotJson));
    assert_eq!(one(b"\xef\xbb\xbf{}".to_vec()), None, "a byte order mark");
    assert_eq!(one(b"{\"a\":\"\xff\"}".to_vec()), Some(Unread::NotJson));
}
