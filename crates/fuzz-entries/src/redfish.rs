//! What a BMC sends: resources, its registry and what follows from both.

use firmware::plan::{Goal, Installed, PLAN_SCHEMA, Plan, plan};
use firmware::registry::{Registry, Values};
use firmware::{Answer, Profile, RESOURCES_MAX, Scalar, Unread, Walk, assess, read};
use secure_boot_facts::Date;
use serde_json::Value;

use crate::show;

const TODAY: Date = Date { year: 2026, month: 11, day: 28 };

/// A registry: values settle, and what is told to be locked is told the same when asked again.
pub(crate) fn registry(bytes: &[u8]) {
    let Ok(body) = serde_json::from_slice::<Value>(bytes) else { return };
    let registry = Registry::read(&body);
    let mut values = Values::new();
    for attribute in registry.attributes() {
        let first = attribute.values.first().map(|value| Scalar::Text(value.name.clone()));
        let value = attribute.default.clone().or(first).unwrap_or(Scalar::Bool(false));
        values.insert(attribute.name.clone(), value);
    }
    let names: Vec<_> = values.keys().cloned().collect();
    registry.settle(&mut values);
    assert!(values.keys().eq(names.iter()), "a forced value is of a setting that is there");
    for name in &names {
        let locks = registry.locks(name, &values);
        assert_eq!(locks, registry.locks(name, &values));
        show(&locks);
        show(&registry.forced(name, &values));
        show(&registry.may_be_locked(name, &values));
    }
}

/// The answers of a BMC, one a line, given to whatever is asked for in turn: the walk ends, and what it
/// gathered is judged and planned for without a panic. A plan names nothing that the host does not have,
/// is the same each time, and survives being written down.
pub(crate) fn walk(bytes: &[u8]) {
    let mut lines = bytes.split(|byte| *byte == b'\n');
    let mut n_asked = 0usize;
    let snapshot = Walk::new().run(|ask| {
        n_asked = n_asked.saturating_add(1);
        show(&ask.to_uri());
        match lines.next() {
            Some(bytes) => Answer::Body { bytes, etag: None },
            None => Answer::Unread(Unread::NotFound),
        }
    });
    // Twice for collections that would not come with their members.
    assert!(n_asked <= RESOURCES_MAX.saturating_mul(2), "a walk ends");
    for system in read(&snapshot) {
        for profile in Profile::ALL {
            for installed in [Installed::Unknown, Installed::ForUefi] {
                let goal = Goal { profile, installed };
                show(&assess(&system, goal, TODAY));
                let made = plan(&system, goal);
                assert_eq!(made, plan(&system, goal));
                assert_eq!((made.schema, made.steps.len()), (PLAN_SCHEMA, made.reboots));
                let text = serde_json::to_string(&made).expect("a plan is JSON");
                let read: Plan = serde_json::from_str(&text).expect("a plan is read again");
                assert_eq!(read, made);
                let clears = ["clear", "tpm clear", "deleteallkeys", "deletepk"];
                for change in made.steps.iter().flat_map(|step| &step.changes) {
                    let to = change.to.to_string().to_ascii_lowercase();
                    assert!(!clears.contains(&to.as_str()), "no plan clears a TPM or keys");
                }
            }
        }
    }
}
