//! Settings: what is in force, what waits, and the registry.

use serde_json::Value;

use super::{Bios, Fact, Settings};
use crate::json::{at, elements, link_at, text};
use crate::registry::{Registry, Values};
use crate::scalar::shown;
use crate::walk::registry::{Step, step};
use crate::{ResourcePath, Scalar, Snapshot};

/// Most settings that are kept: recorded BMCs have up to 700.
const VALUES_MAX: usize = 8192;

/// Most messages that are kept of a change that was refused: one for each setting that was named.
const MESSAGES_MAX: usize = 32;

pub(super) fn read(snapshot: &Snapshot, system: &Value) -> Option<Bios> {
    let path =
        link_at(system, &["Bios"]).or_else(|| link_at(system, &["Oem", "Hp", "links", "BIOS"]))?;
    let body = snapshot.body(&path)?;
    let (values, n_left_out) = values(body);
    let registry = match step(snapshot, &path) {
        Step::Found(at) => snapshot.body(&at).map(|body| (at.clone(), Registry::read(body))),
        Step::Ask(_) | Step::Nowhere => None,
    };
    let settings = settings(snapshot, body, &values, registry.as_ref().map(|(_, r)| r));
    Some(Bios {
        n_left_out,
        settings,
        registry_name: text(body, &["AttributeRegistry"]).map(shown),
        registry,
        refused: refused(&path, body),
        values,
        path,
    })
}

/// The values, and how many entries are none.
fn values(body: &Value) -> (Values, usize) {
    // iLO 4 has them without `Attributes` around.
    let is_bare = || {
        let kind = text(body, &["Type"]).or_else(|| text(body, &["@odata.type"]));
        kind.is_some_and(|kind| kind.trim_start_matches('#').starts_with("HpBios")).then_some(body)
    };
    let attributes = body.get("Attributes").or_else(is_bare).and_then(Value::as_object);
    let mut values = Values::new();
    let mut n_left_out = 0usize;
    for (name, value) in attributes.into_iter().flatten().take(VALUES_MAX) {
        if name.starts_with('@') || value.is_null() {
            continue;
        }
        // Names go back to the BMC as they came, so that one that is not plain is not taken.
        match (Scalar::of(&Value::from(name.as_str())), Scalar::of(value)) {
            (Some(_), Some(value)) => {
                values.insert(name.clone(), value);
            }
            _ => n_left_out = n_left_out.saturating_add(1),
        }
    }
    (values, n_left_out)
}

fn settings(
    snapshot: &Snapshot,
    bios: &Value,
    current: &Values,
    registry: Option<&Registry>,
) -> Option<Settings> {
    let path = link_at(bios, &["@Redfish.Settings", "SettingsObject"])
        .or_else(|| link_at(bios, &["links", "Settings"]))?;
    let resource = snapshot.resource(&path);
    let waiting = resource.map(|resource| values(&resource.body).0).unwrap_or_default();
    // HPE lists all settings there, and most of them wait for nothing.
    let differs = |name: &String, value: &Scalar| {
        let same = |have: &Scalar| match registry.and_then(|r| r.attribute(name)) {
            Some(attribute) => attribute.same(have, value),
            None => have.says(value),
        };
        !current.get(name).is_some_and(same)
    };
    let pending = waiting.into_iter().filter(|(name, value)| differs(name, value)).collect();
    let apply_times = elements(at(bios, &["@Redfish.Settings", "SupportedApplyTimes"]));
    Some(Settings {
        etag: resource.and_then(|resource| resource.etag.clone()),
        apply_times: apply_times.iter().filter_map(Value::as_str).take(16).map(shown).collect(),
        pending,
        path,
    })
}

/// Messages of the last change that say that something was not taken.
fn refused(path: &ResourcePath, bios: &Value) -> Vec<Fact<String>> {
    let messages = elements(at(bios, &["@Redfish.Settings", "Messages"]));
    let of = |(n, message): (usize, &Value)| {
        let id = text(message, &["MessageId"])?;
        let key = id.rsplit('.').next().unwrap_or(id);
        // The success messages of the standard, and HPE's word that it waits for a restart.
        let is_fine =
            matches!(key, "Success" | "SystemResetRequired" | "SettingsApplied" | "Created")
                || text(message, &["MessageSeverity"]) == Some("OK")
                || text(message, &["Severity"]) == Some("OK");
        if is_fine {
            return None;
        }
        let related = elements(message.get("RelatedProperties")).iter().filter_map(Value::as_str);
        let related: Vec<_> = related.take(8).map(shown).collect();
        let text = match related.is_empty() {
            true => shown(id),
            false => format!("{} ({})", shown(id), related.join(", ")),
        };
        Some(Fact::new(text, path, format!("@Redfish.Settings/Messages/{n}")))
    };
    messages.iter().take(MESSAGES_MAX).enumerate().filter_map(of).collect()
}
