use serde_json::json;

use super::*;

fn dependency(from: Value, to: (&str, &str, Value)) -> Value {
    json!({"Type": "Map", "DependencyFor": to.0, "Dependency": {"MapFrom": from,
        "MapToAttribute": to.0, "MapToProperty": to.1, "MapToValue": to.2}})
}

fn from(attribute: &str, condition: &str, value: Value) -> Value {
    json!({"MapFromAttribute": attribute, "MapFromProperty": "CurrentValue",
        "MapFromCondition": condition, "MapFromValue": value})
}

fn registry(dependencies: Vec<Value>) -> Registry {
    let on_off = json!([{"ValueName": "0", "ValueDisplayName": "Off"},
        {"ValueName": "1", "ValueDisplayName": "On"}]);
    let attributes: Vec<_> = ["A", "B", "C", "D"]
        .map(|name| json!({"AttributeName": name, "Type": "Enumeration", "Value": on_off}))
        .into();
    Registry::read(&json!({"RegistryEntries": {"Attributes": attributes,
        "Dependencies": dependencies}}))
}

fn values(all: &[(&str, Value)]) -> Values {
    all.iter().map(|(name, value)| ((*name).to_owned(), Scalar::of(value).unwrap())).collect()
}

fn locked(registry: &Registry, all: &[(&str, Value)]) -> bool {
    !registry.locks("A", &values(all)).is_empty()
}

#[test]
fn each_condition_compares_as_the_standard_says() {
    for (condition, want, have, holds) in [
        ("EQU", json!("On"), json!("On"), true),
        ("EQU", json!("On"), json!("Off"), false),
        ("EQU", json!("1"), json!("On"), true), // by either name
        ("NEQ", json!("On"), json!("Off"), true),
        ("NEQ", json!("On"), json!("1"), false),
        ("GTR", json!(5), json!(6), true),
        ("GTR", json!(5), json!(5), false),
        ("GEQ", json!(5), json!("5"), true),
        ("GEQ", json!(5), json!(4), false),
        ("LSS", json!(5), json!(4), true),
        ("LSS", json!(5), json!(5), false),
        ("LEQ", json!("5"), json!(5), true),
        ("LEQ", json!(5), json!(6), false),
        ("GTR", json!("x"), json!(6), false), // not known, which locks nothing
        ("XYZ", json!("On"), json!("On"), false),
        ("EQU", json!(null), json!("On"), false),
        ("NEQ", json!(null), json!("On"), true),
    ] {
        let one = json!([from("B", condition, want.clone())]);
        let registry = registry(vec![dependency(one, ("A", "ReadOnly", json!(true)))]);
        let case = format!("{condition} {want} {have}");
        assert_eq!(locked(&registry, &[("B", have)]), holds, "{case}");
        assert!(!locked(&registry, &[]), "{case}: without a value nothing is known");
    }
}

#[test]
fn conditions_are_joined_by_their_words_and_any_will_do_without() {
    let joined = |second: Option<&str>, first: Option<&str>| {
        let mut both = [from("B", "EQU", json!("On")), from("C", "EQU", json!("On"))];
        for (at, word) in [(0, first), (1, second)] {
            if let Some(word) = word {
                both[at]["MapTerms"] = json!(word);
            }
        }
        registry(vec![dependency(json!(both), ("A", "GrayOut", json!(true)))])
    };
    let one = [("B", json!("On")), ("C", json!("Off"))];
    let two = [("B", json!("On")), ("C", json!("On"))];
    assert!(locked(&joined(None, None), &one));
    assert!(locked(&joined(Some("OR"), None), &one));
    assert!(!locked(&joined(Some("AND"), None), &one));
    assert!(locked(&joined(Some("AND"), None), &two));
    assert!(!locked(&joined(None, Some("AND")), &one), "the word stands with the earlier");
    let because = joined(None, None).locks("A", &values(&one)).remove(0).because;
    assert_eq!(because.len(), 1);
    assert_eq!(because[0].attribute, "B");
    // Half known: enough for either, not for both.
    assert!(locked(&joined(Some("OR"), None), &one[..1]));
    let both = joined(Some("AND"), None);
    assert!(!locked(&both, &one[..1]));
    assert!(both.may_be_locked("A", &values(&one[..1])));
    assert!(!both.may_be_locked("A", &values(&one)));
}

#[test]
fn properties_of_others_are_looked_at_and_circles_end() {
    let read_only = |of: &str| {
        json!([{"MapFromAttribute": of, "MapFromProperty": "ReadOnly", "MapFromCondition": "EQU",
            "MapFromValue": true}])
    };
    let of_b = json!([from("B", "EQU", json!("On"))]);
    let chain = registry(vec![
        dependency(of_b, ("C", "ReadOnly", json!(true))),
        dependency(read_only("C"), ("A", "Hidden", json!(true))),
    ]);
    assert!(locked(&chain, &[("B", json!("On"))]));
    assert!(!locked(&chain, &[("B", json!("Off"))]));
    let circle = registry(vec![
        dependency(read_only("C"), ("A", "ReadOnly", json!(true))),
        dependency(read_only("A"), ("C", "ReadOnly", json!(true))),
    ]);
    assert!(!locked(&circle, &[]));
    assert!(circle.may_be_locked("A", &values(&[])));
}

#[test]
fn values_force_others_until_they_are_settled() {
    let when_on = |of: &str| json!([from(of, "EQU", json!("On"))]);
    let registry = registry(vec![
        dependency(when_on("A"), ("B", "CurrentValue", json!("On"))),
        dependency(when_on("B"), ("C", "CurrentValue", json!("On"))),
        dependency(when_on("A"), ("D", "CurrentValue", json!("Off"))),
        dependency(when_on("A"), ("E", "CurrentValue", json!("Off"))),
    ]);
    let off = json!("Off");
    let mut host = values(&[("A", json!("On")), ("B", off.clone()), ("C", off), ("D", json!("0"))]);
    let forced = registry.settle(&mut host);
    let names: Vec<_> = forced.iter().map(|forced| forced.attribute.as_str()).collect();
    assert_eq!(names, ["B", "C"], "D is off by its other name, E is not there");
    assert_eq!(host["C"], Scalar::from("On"));
    assert_eq!(registry.settle(&mut host), []);
}

#[test]
fn settings_that_fight_each_other_end() {
    let registry = registry(vec![
        dependency(json!([from("A", "EQU", json!("On"))]), ("B", "CurrentValue", json!("Off"))),
        dependency(json!([from("B", "EQU", json!("Off"))]), ("A", "CurrentValue", json!("Off"))),
        dependency(json!([from("A", "EQU", json!("Off"))]), ("B", "CurrentValue", json!("On"))),
        dependency(json!([from("B", "EQU", json!("On"))]), ("A", "CurrentValue", json!("On"))),
    ]);
    let mut host = values(&[("A", json!("On")), ("B", json!("On"))]);
    assert!(!registry.settle(&mut host).is_empty());
}

#[test]
fn a_plain_lock_counts_unless_a_dependency_frees_it() {
    let body = json!({"RegistryEntries": {
        "Attributes": [{"AttributeName": "A", "ReadOnly": true}, {"AttributeName": "B"}],
        "Dependencies": [dependency(json!([from("B", "EQU", json!("On"))]),
            ("A", "ReadOnly", json!(false)))]}});
    let registry = Registry::read(&body);
    assert!(locked(&registry, &[("B", json!("Off"))]));
    assert!(!locked(&registry, &[("B", json!("On"))]));
    assert!(registry.locks("B", &values(&[])).is_empty());
    assert!(registry.locks("unlisted", &values(&[])).is_empty());
}

#[test]
fn what_is_no_entry_is_counted_and_breaks_nothing() {
    let registry = Registry::read(&json!({"RegistryEntries": {
        "Attributes": [1, {}, {"AttributeName": 5}, {"AttributeName": "a\u{0}"},
            {"AttributeName": "A", "Value": 7, "ReadOnly": "yes"}],
        "Dependencies": [null, {}, {"Dependency": {}}, {"Dependency": {"MapFrom": []}},
            {"Type": "Script", "Dependency": {"MapFrom": [from("A", "EQU", json!(1))]}},
            {"Dependency": {"MapFrom": [{}], "MapToAttribute": "A", "MapToProperty": "Hidden"}}]}}));
    assert_eq!(registry.attributes().count(), 1);
    assert_eq!(registry.n_dependencies(), 0);
    assert_eq!(registry.n_not_understood(), 10);
    assert_eq!(Registry::read(&json!([])), Registry::default());
}
