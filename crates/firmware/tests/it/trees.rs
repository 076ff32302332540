//! Layouts of saved trees, and the recorded ones.

use std::fs;
use std::path::Path;

use firmware::{ResourcePath, Snapshot, Tree, Unread};

fn path(text: &str) -> ResourcePath {
    ResourcePath::parse(text).unwrap()
}

fn write(root: &Path, name: &str, body: &str) {
    let file = root.join(name);
    fs::create_dir_all(file.parent().unwrap()).unwrap();
    fs::write(file, body).unwrap();
}

fn has_bios(snapshot: &Snapshot) -> bool {
    snapshot.body(&path("/redfish/v1/Systems/1/Bios")).is_some()
}

#[test]
fn each_layout_of_a_tree_is_understood() {
    let root = r#"{"Systems":{"@odata.id":"/redfish/v1/Systems"}}"#;
    let systems = r#"{"Members":[{"@odata.id":"/redfish/v1/Systems/1/"}]}"#;
    let system = r#"{"Bios":{"@odata.id":"/redfish/v1/systems/1/bios"}}"#;
    let bios = r##"{"@odata.type":"#Bios.v1_1_1.Bios","@odata.id":"/redfish/v1/Systems/1/Bios","Attributes":{}}"##;
    for prefix in ["redfish/v1/", "v1/", ""] {
        let tree = tempfile::tempdir().unwrap();
        write(tree.path(), &format!("{prefix}index.json"), root);
        write(tree.path(), &format!("{prefix}Systems/index.json"), systems);
        write(tree.path(), &format!("{prefix}Systems/1/index.json"), system);
        write(tree.path(), &format!("{prefix}Systems/1/Bios.json"), bios);
        assert!(has_bios(&Tree::open(tree.path()).unwrap().snapshot()), "{prefix:?}");
    }
    let loose = tempfile::tempdir().unwrap();
    write(loose.path(), "what-i-saved.json", bios);
    assert!(has_bios(&Tree::open(loose.path()).unwrap().snapshot()));
    assert!(has_bios(&Tree::open(&loose.path().join("what-i-saved.json")).unwrap().snapshot()));
}

#[test]
fn what_is_no_tree_is_said_to_be_none() {
    let empty = tempfile::tempdir().unwrap();
    assert!(Tree::open(empty.path()).unwrap_err().to_string().contains("no resource of Redfish"));
    assert!(Tree::open(&empty.path().join("not there")).is_err());
    write(empty.path(), "broken.json", "{");
    write(empty.path(), "unrelated.json", "{\"a\":1}");
    assert!(Tree::open(empty.path()).is_err());
}

#[test]
fn a_tree_reads_nothing_outside_itself() {
    let outside = tempfile::tempdir().unwrap();
    write(outside.path(), "index.json", r#"{"secret":true}"#);
    let tree = tempfile::tempdir().unwrap();
    write(
        tree.path(),
        "redfish/v1/index.json",
        r#"{"Systems":{"@odata.id":"/redfish/v1/Systems"}}"#,
    );
    std::os::unix::fs::symlink(outside.path(), tree.path().join("redfish/v1/Systems")).unwrap();
    let snapshot = Tree::open(tree.path()).unwrap().snapshot();
    assert_eq!(snapshot.why_unread(&path("/redfish/v1/Systems")), Some(&Unread::NotFound));
}

#[test]
fn each_recorded_tree_gives_its_bios_and_its_registry() {
    let Some(corpus) = testkit::corpus::folder("redfish") else { return };
    for (name, bios, registry) in [
        (
            "dell",
            "/redfish/v1/Systems/System.Embedded.1/Bios",
            "/redfish/v1/Systems/System.Embedded.1/Bios/BiosRegistry",
        ),
        (
            "hpe",
            "/redfish/v1/Systems/1/Bios",
            "/redfish/v1/registrystore/registries/en/biosattributeregistrya42.v1_2_60",
        ),
        (
            "supermicro",
            "/redfish/v1/Systems/1/Bios",
            "/registries/BiosAttributeRegistry.1.0.0.json",
        ),
        (
            "nvidia_gb200",
            "/redfish/v1/Systems/System_0/Bios",
            "/redfish/v1/Registries/BiosAttributeRegistry/BiosAttributeRegistry",
        ),
    ] {
        let snapshot = Tree::open(&corpus.join(name)).unwrap().snapshot();
        assert!(snapshot.body(&path(bios)).is_some(), "{name}: {bios}");
        assert!(snapshot.body(&path(registry)).is_some(), "{name}: {registry}");
        let n = snapshot.resources().count();
        assert!((10..500).contains(&n), "{name}: {n} resources");
    }
}
