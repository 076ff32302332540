//! One emulated host and its BMC: what it is asked, and what it answers.

use std::{collections::BTreeMap, sync::Arc};

use hyper::{HeaderMap, Method, body::Bytes};
use serde_json::{Map, Value, json};

use crate::{
    Clock, EmulatorError, Fault, Injection, Tree,
    answer::Answer,
    boot::{Host, SecureBootWish},
    dialect::Dialect,
    fault::Faults,
    jobs::Job,
    places::Places,
    session::Sessions,
    tree::{Resource, key},
};

/// One request that came, for tests that ask what was done.
#[derive(Clone, Debug, PartialEq)]
pub struct Seen {
    /// The method.
    pub method: String,
    /// The path as it came.
    pub path: String,
    /// The body, where it is JSON.
    pub body: Value,
    /// The status of the answer, 0 where there was none.
    pub status: u16,
}

/// One BMC and its host.
#[derive(Debug)]
pub struct Machine {
    pub(crate) tree: Arc<Tree>,
    pub(crate) places: Places,
    pub(crate) dialect: Dialect,
    pub(crate) clock: Clock,
    pub(crate) faults: Faults,
    pub(crate) sessions: Sessions,
    pub(crate) host: Host,
    /// Attributes in force.
    pub(crate) attributes: Map<String, Value>,
    pub(crate) pending: BTreeMap<String, Value>,
    pub(crate) secure_boot: Option<SecureBootWish>,
    pub(crate) jobs: Vec<Job>,
    /// Until when physical presence is asserted, by this BMC's clock.
    pub(crate) presence_until_ms: Option<u64>,
    /// Messages beside the settings of what the last boot made of them.
    pub(crate) settings_messages: Option<Value>,
    /// Raised to change ETags behind a client's back.
    pub(crate) etag_salt: u32,
    seen: Vec<Seen>,
}

impl Machine {
    pub(crate) fn new(tree: Arc<Tree>, clock: Clock) -> Result<Self, EmulatorError> {
        let places = Places::find(&tree)?;
        let root = tree.find("/redfish/v1").ok_or(EmulatorError::Incomplete { what: "root" })?;
        let dialect = Dialect::of(&root.body);
        let bios = tree.find(&places.bios).map(|resource| &resource.body);
        let attributes = bios.and_then(|body| body.get("Attributes")?.as_object()).cloned();
        let secure_boot = places.secure_boot.as_deref().and_then(|path| tree.find(path));
        let secure_boot = secure_boot.map(|resource| SecureBootWish::read(&resource.body));
        Ok(Self {
            places,
            dialect,
            clock,
            faults: Faults::default(),
            sessions: Sessions::default(),
            host: Host::default(),
            attributes: attributes.unwrap_or_default(),
            pending: BTreeMap::new(),
            secure_boot,
            jobs: Vec::new(),
            presence_until_ms: None,
            settings_messages: None,
            etag_salt: 0,
            seen: Vec::new(),
            tree,
        })
    }

    /// Switches a fault on.
    pub fn inject(&mut self, fault: impl Into<Injection>) {
        let injection = fault.into();
        if injection.fault == Fault::ForeignJob {
            self.add_foreign_job();
        }
        self.faults.add(injection);
    }

    /// Switches all faults off. What they did stays.
    pub fn clear_faults(&mut self) {
        self.faults.clear();
        self.jobs.retain(|job| !job.is_pending());
    }

    /// Lets time go by on a virtual clock.
    pub fn advance(&mut self, ms: u64) {
        self.clock.advance(ms);
        self.settle();
    }

    /// What was asked, oldest first.
    pub fn seen(&self) -> &[Seen] {
        &self.seen
    }

    /// Boots that ended, and that somebody asked for.
    pub const fn boots(&self) -> u32 {
        self.host.n_boots
    }

    /// Sessions that are open.
    pub fn sessions_open(&self) -> usize {
        self.sessions.n_open()
    }

    /// An attribute in force.
    pub fn attribute(&self, name: &str) -> Option<&Value> {
        self.attributes.get(name)
    }

    /// Sets an attribute behind everybody's back, as a person at the machine would.
    pub fn set_attribute(&mut self, name: &str, value: impl Into<Value>) {
        self.attributes.insert(name.to_owned(), value.into());
    }

    /// Takes the host's power away.
    pub fn power_off(&mut self) {
        self.host.power_off();
    }

    /// Attributes that wait for a boot.
    pub const fn pending(&self) -> &BTreeMap<String, Value> {
        &self.pending
    }

    /// Whether Secure Boot is in force.
    pub fn secure_boot_in_force(&self) -> bool {
        self.secure_boot.is_some_and(|wish| wish.in_force)
    }

    /// Whether connections are dropped now. Each that is costs time, as a request does.
    pub(crate) fn refuses(&mut self) -> bool {
        if self.faults.on(Fault::Refuse) || self.host.bmc_is_away(self.clock.now_ms()) {
            self.clock.tick();
            return true;
        }
        false
    }

    pub(crate) fn respond(
        &mut self,
        method: &Method,
        path: &str,
        headers: &HeaderMap,
        body: &[u8],
    ) -> Answer {
        self.clock.tick();
        self.settle();
        let sent = serde_json::from_slice(body).unwrap_or(Value::Null);
        let answer = self.answer(method, path, headers, &sent);
        let status = match &answer {
            Answer::Whole { status, .. } => *status,
            Answer::Stream { .. } | Answer::Short { .. } => 200,
            Answer::Never | Answer::Drop => 0,
        };
        // A password is no test's business.
        let body = if path.contains("Sessions") { Value::Null } else { sent };
        self.seen.push(Seen { method: method.to_string(), path: path.to_owned(), body, status });
        answer
    }

    fn answer(&mut self, method: &Method, path: &str, headers: &HeaderMap, sent: &Value) -> Answer {
        let now_ms = self.clock.now_ms();
        if self.host.bmc_is_away(now_ms) {
            return Answer::Drop;
        }
        if self.host.bmc_is_starting(now_ms) {
            return Answer::empty(503);
        }
        if let Some(answer) = self.fault_on_the_wire(path) {
            return answer;
        }
        let path = path.split('?').next().unwrap_or_default();
        let at = key(path);
        if *method == Method::POST && at.ends_with("/sessions") {
            return self.open_session(sent);
        }
        if self.faults.strikes(Fault::SessionLost, path) {
            self.sessions.close_all();
        }
        let is_public = ["/redfish", "/redfish/v1", "/redfish/v1/$metadata"].contains(&&*at);
        if !is_public && !self.sessions.admits(headers) {
            let text = "There is no valid session established with the implementation.";
            return Answer::refusal(401, "Base.1.18.1.NoValidSession", text);
        }
        match *method {
            Method::GET => match self.resource(path) {
                Some(resource) => Answer::resource(&resource),
                None => not_found(path),
            },
            Method::PATCH => self.patch(path, headers, sent),
            Method::POST => self.post(path, sent),
            Method::DELETE => self.delete(path, headers),
            _ => Answer::empty(405),
        }
    }

    fn fault_on_the_wire(&mut self, path: &str) -> Option<Answer> {
        let mut strikes = |fault| self.faults.strikes(fault, path);
        if strikes(Fault::Hang) {
            return Some(Answer::Never);
        }
        if strikes(Fault::Unavailable) {
            return Some(Answer::empty(503));
        }
        if strikes(Fault::RedirectLoop) {
            let next = format!("{}x", path.trim_end_matches('/'));
            return Some(Answer::empty(308).with("location", next));
        }
        if strikes(Fault::RedirectElsewhere) {
            let elsewhere = "https://198.51.100.7/redfish/v1".to_owned();
            return Some(Answer::empty(308).with("location", elsewhere));
        }
        if strikes(Fault::Html) {
            let body = Bytes::from_static(b"<!doctype html><title>Log in</title>");
            let headers = vec![("content-type", "text/html".to_owned())];
            return Some(Answer::Whole { status: 200, headers, body });
        }
        if strikes(Fault::HugeJson) {
            let piece = Bytes::from(format!("{}\n", "[1,2,3],".repeat(8 * 1024)));
            return Some(Answer::Stream { piece, n_pieces: 1_600 });
        }
        if strikes(Fault::DeepJson) {
            let body = Bytes::from("[".repeat(100_000));
            return Some(Answer::Whole { status: 200, headers: Vec::new(), body });
        }
        let (lying, cut) = (strikes(Fault::LyingContentLength), strikes(Fault::CutJson));
        let body = self.resource(path).map(|resource| resource.bytes)?;
        let half = body.slice(..body.len() / 2);
        if lying {
            return Some(Answer::Short { body: half, claimed: 1 << 40 });
        }
        cut.then_some(Answer::Whole { status: 200, headers: Vec::new(), body: half })
    }

    fn open_session(&mut self, sent: &Value) -> Answer {
        if self.faults.on(Fault::NoSessions) {
            return Answer::empty(404);
        }
        let limit = "The maximum number of sessions has been reached.";
        let limited = || Answer::refusal(503, "Base.1.18.1.SessionLimitExceeded", limit);
        if self.faults.on(Fault::SessionLimit) {
            return limited();
        }
        let shown = |name: &str| sent.get(name).and_then(Value::as_str);
        if shown("UserName") != Some(crate::USER) || shown("Password") != Some(crate::PASSWORD) {
            let text = "The user name or password is wrong.";
            return Answer::refusal(401, "Base.1.18.1.NoValidSession", text);
        }
        match self.sessions.open() {
            Some(token) => {
                let place = format!("/redfish/v1/SessionService/Sessions/{token}");
                Answer::json(201, &json!({ "@odata.id": place, "Id": token }))
                    .with("location", place)
                    .with("x-auth-token", token)
            }
            None => limited(),
        }
    }

    /// A resource as it is now.
    pub(crate) fn resource(&mut self, path: &str) -> Option<Resource> {
        let at = key(path);
        if let Some(collection) = self.places.jobs.iter().find(|jobs| at.starts_with(&key(jobs))) {
            return self.job_resource(&collection.clone(), &at);
        }
        let saved = self.tree.find(&at)?;
        if !self.dialect.ignores_case() && saved.path != path.trim_end_matches('/') {
            return None;
        }
        let saved = saved.clone();
        let mut body = saved.body.as_object()?.clone();
        if at == key(&self.places.bios) {
            self.show_bios(&mut body);
        } else if at == key(&self.places.settings) {
            self.show_pending(&mut body);
        } else if at == key(&self.places.system) {
            self.show_system(&mut body);
        } else if self.places.secure_boot.as_deref().map(key).as_deref() == Some(&at) {
            self.show_secure_boot(&mut body);
        } else {
            return Some(saved);
        }
        let mut resource = Resource::new(&saved.path, Value::Object(body));
        if self.etag_salt > 0 {
            resource.etag = format!("{}-{}\"", resource.etag.trim_end_matches('"'), self.etag_salt);
        }
        Some(resource)
    }

    fn show_bios(&mut self, body: &mut Map<String, Value>) {
        let mut shown = self.attributes.clone();
        if !self.pending.is_empty() && self.faults.on(Fault::AttributesLie) {
            shown.extend(self.pending.clone());
        }
        body.insert("Attributes".to_owned(), Value::Object(shown));
        if let (Some(messages), Some(settings)) =
            (&self.settings_messages, body.get_mut("@Redfish.Settings"))
        {
            settings["Messages"] = messages.clone();
        }
    }

    fn show_pending(&self, body: &mut Map<String, Value>) {
        let mut shown =
            if self.dialect.pending_shows_all() { self.attributes.clone() } else { Map::new() };
        shown.extend(self.pending.clone());
        body.insert("Attributes".to_owned(), Value::Object(shown));
    }

    fn job_resource(&self, collection: &str, at: &str) -> Option<Resource> {
        let saved = self.tree.find(at);
        let id = at.strip_prefix(&key(collection))?.trim_start_matches('/');
        if !id.is_empty() {
            let job = self.jobs.iter().find(|job| job.id.eq_ignore_ascii_case(id));
            return match job {
                Some(job) => Some(Resource::new(at, job.body(collection))),
                None => saved.cloned(),
            };
        }
        let mut body = saved?.body.clone();
        let ours =
            self.jobs.iter().map(|job| json!({ "@odata.id": format!("{collection}/{}", job.id) }));
        body.get_mut("Members")?.as_array_mut()?.extend(ours);
        Some(Resource::new(collection, body))
    }
}

pub(crate) fn not_found(path: &str) -> Answer {
    let text = format!("The resource at the URI '{path}' was not found.");
    Answer::error(404, &[("Base.1.18.1.ResourceMissingAtURI", vec![path.to_owned()], text)])
}
