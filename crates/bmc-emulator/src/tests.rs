//! The emulator keeps the ways of each maker, so that a tool that passes against it may be believed.

use std::sync::Arc;

use hyper::{HeaderMap, Method, header::HeaderName};
use serde_json::{Value, json};

use crate::{Clock, Fault, Injection, Machine, Tree, answer::Answer};

const DELL: &str = "/redfish/v1/Systems/System.Embedded.1";
const ONE: &str = "/redfish/v1/Systems/1";

/// A client that has a session.
struct Client {
    machine: Machine,
    headers: HeaderMap,
}

/// Status, headers and body.
type Reply = (u16, Vec<(&'static str, String)>, Value);

impl Client {
    fn of(name: &str) -> Self {
        let tree = Arc::new(Tree::small(name).unwrap());
        let machine = Machine::new(tree, Clock::by_request()).unwrap();
        let mut client = Self { machine, headers: HeaderMap::new() };
        let account = json!({ "UserName": crate::USER, "Password": crate::PASSWORD });
        let (status, headers, _) =
            client.send(Method::POST, "/redfish/v1/SessionService/Sessions", &account);
        assert_eq!(status, 201);
        let token = headers.iter().find(|(name, _)| *name == "x-auth-token").unwrap();
        client.headers.insert("x-auth-token", token.1.parse().unwrap());
        client
    }

    fn send(&mut self, method: Method, path: &str, body: &Value) -> Reply {
        let body = body.to_string();
        match self.machine.respond(&method, path, &self.headers, body.as_bytes()) {
            Answer::Whole { status, headers, body } => {
                (status, headers, serde_json::from_slice(&body).unwrap_or(Value::Null))
            }
            other => panic!("no whole answer: {other:?}"),
        }
    }

    fn get(&mut self, path: &str) -> Value {
        let (status, _, body) = self.send(Method::GET, path, &Value::Null);
        assert_eq!(status, 200, "{path}");
        body
    }

    fn patch(&mut self, path: &str, body: &Value) -> u16 {
        self.send(Method::PATCH, path, body).0
    }

    /// With the ETag that stands in the resource.
    fn patch_matching(&mut self, path: &str, body: &Value) -> u16 {
        let etag = self.get(path)["@odata.etag"].as_str().unwrap().to_owned();
        let name = HeaderName::from_static("if-match");
        self.headers.insert(name.clone(), etag.parse().unwrap());
        let status = self.patch(path, body);
        self.headers.remove(name);
        status
    }

    fn restart(&mut self, system: &str, kind: &str) -> u16 {
        let path = format!("{system}/Actions/ComputerSystem.Reset");
        self.send(Method::POST, &path, &json!({ "ResetType": kind })).0
    }

    fn attribute(&mut self, bios: &str, name: &str) -> Value {
        self.get(bios)["Attributes"][name].clone()
    }
}

fn attributes(values: Value) -> Value {
    json!({ "Attributes": values })
}

fn at_reset(values: Value) -> Value {
    json!({ "Attributes": values, "@Redfish.SettingsApplyTime": { "ApplyTime": "OnReset" } })
}

#[test]
fn dell_makes_a_job_and_sets_nothing_before_it_ended() {
    let mut client = Client::of("dell");
    let (bios, settings) = (format!("{DELL}/Bios"), format!("{DELL}/Bios/Settings"));
    let wanted = at_reset(json!({ "TpmSecurity": "On" }));
    let (status, headers, _) = client.send(Method::PATCH, &settings, &wanted);
    assert_eq!(status, 202);
    let job = headers.iter().find(|(name, _)| *name == "location").unwrap().1.clone();
    assert_eq!(client.get(&job)["JobState"], "Scheduled");
    // One at a time.
    assert_eq!(client.patch(&settings, &at_reset(json!({ "IntelTxt": "On" }))), 400);
    assert_eq!(client.attribute(&bios, "TpmSecurity"), "Off");
    assert_eq!(client.restart(DELL, "GracefulRestart"), 204);
    assert_eq!(client.get(&job)["JobState"], "Running");
    assert_eq!(client.attribute(&bios, "TpmSecurity"), "Off");
    client.machine.advance(10_000);
    assert_eq!(client.get(&job)["JobState"], "Completed");
    assert_eq!(client.get(&job)["MessageId"], "PR19");
    assert_eq!(client.attribute(&bios, "TpmSecurity"), "On");
}

#[test]
fn dell_sets_nothing_without_a_job() {
    let mut client = Client::of("dell");
    let settings = format!("{DELL}/Bios/Settings");
    assert_eq!(client.patch(&settings, &attributes(json!({ "TpmSecurity": "On" }))), 200);
    client.restart(DELL, "ForceRestart");
    client.machine.advance(10_000);
    assert_eq!(client.attribute(&format!("{DELL}/Bios"), "TpmSecurity"), "Off");
    let jobs = "/redfish/v1/Managers/iDRAC.Embedded.1/Jobs";
    let target = json!({ "TargetSettingsURI": settings });
    assert_eq!(client.send(Method::POST, jobs, &target).0, 202);
    assert_eq!(client.send(Method::POST, jobs, &target).0, 400);
}

#[test]
fn the_registry_rules_what_may_be_set() {
    let mut client = Client::of("dell");
    let settings = format!("{DELL}/Bios/Settings");
    for (values, refused_for) in [
        (json!({ "Tpm2Algorithm": "SHA256" }), "PropertyNotWritable"),
        (json!({ "TpmSecurity": "Enabled" }), "PropertyValueNotInList"),
        (json!({ "TpmFirmware": "1" }), "PropertyNotWritable"),
        (json!({ "Tpm": "On" }), "PropertyUnknown"),
        (json!({ "TpmSecurity": 1 }), "PropertyValueTypeError"),
    ] {
        let (status, _, body) = client.send(Method::PATCH, &settings, &at_reset(values.clone()));
        let id = body["error"]["@Message.ExtendedInfo"][0]["MessageId"].as_str().unwrap();
        assert_eq!((status, id.ends_with(refused_for)), (400, true), "{values}: {id}");
    }
    client.machine.set_attribute("TpmSecurity", "On");
    assert_eq!(client.patch(&settings, &at_reset(json!({ "Tpm2Algorithm": "SHA256" }))), 202);
}

#[test]
fn hpe_answers_in_any_case_and_runs_operations_once() {
    let mut client = Client::of("hpe");
    let settings = "/redfish/v1/Systems/1/BIOS/Settings/";
    let wanted = attributes(json!({ "Tpm20SoftwareInterfaceOperation": "Fifo" }));
    let (status, _, body) = client.send(Method::PATCH, settings, &wanted);
    assert_eq!(status, 200);
    let id = &body["error"]["@Message.ExtendedInfo"][0]["MessageId"];
    assert!(id.as_str().unwrap().ends_with("SystemResetRequired"));
    client.restart(ONE, "GracefulRestart");
    assert_eq!(client.get(ONE)["Oem"]["Hpe"]["PostState"], "InPost");
    client.machine.advance(10_000);
    let bios = client.get("/redfish/v1/systems/1/bios");
    assert_eq!(bios["Attributes"]["Tpm20SoftwareInterfaceStatus"], "Fifo");
    assert_eq!(bios["Attributes"]["Tpm20SoftwareInterfaceOperation"], "NoAction");
    assert_eq!(bios["@Redfish.Settings"]["Messages"][0]["MessageId"], "Base.1.18.1.Success");
}

#[test]
fn lenovo_demands_an_etag_and_physical_presence_that_lapses() {
    let mut client = Client::of("lenovo");
    let secure_boot = format!("{ONE}/SecureBoot");
    let enable = json!({ "SecureBootEnable": true });
    assert_eq!(client.patch(&secure_boot, &enable), 428);
    client.headers.insert("if-match", "\"other\"".parse().unwrap());
    assert_eq!(client.patch(&secure_boot, &enable), 412);
    client.headers.remove("if-match");
    assert_eq!(client.patch_matching(&secure_boot, &enable), 403);
    let presence = json!({ "Oem": { "Lenovo": { "TPMSettings": { "AssertRPP": true } } } });
    assert_eq!(client.patch_matching(ONE, &presence), 200);
    client.machine.advance(31 * 60 * 1_000);
    assert_eq!(client.get(ONE)["Oem"]["Lenovo"]["TPMSettings"]["AssertRPP"], false);
    assert_eq!(client.patch_matching(&secure_boot, &enable), 403);
    assert_eq!(client.patch_matching(ONE, &presence), 200);
    assert_eq!(client.patch_matching(&secure_boot, &enable), 200);
    // Wanted, and not in force before a boot.
    assert_eq!(client.get(&secure_boot)["SecureBootEnable"], true);
    assert_eq!(client.get(&secure_boot)["SecureBootCurrentBoot"], "Disabled");
    client.restart(ONE, "GracefulRestart");
    client.machine.advance(10_000);
    assert_eq!(client.get(&secure_boot)["SecureBootCurrentBoot"], "Enabled");
}

#[test]
fn supermicro_takes_the_texts_of_its_menus_and_tells_how_far_a_boot_is() {
    let mut client = Client::of("supermicro");
    let settings = format!("{ONE}/Bios/SD");
    let by_name = attributes(json!({ "SHA256PCRBank_0065": "2" }));
    assert_eq!(client.patch(&settings, &by_name), 400);
    let by_text = attributes(json!({ "SHA256PCRBank_0065": "Enabled" }));
    assert_eq!(client.patch(&settings, &by_text), 204);
    assert_eq!(client.restart(ONE, "GracefulRestart"), 400);
    assert_eq!(client.restart(ONE, "GracefulShutdown"), 204);
    client.machine.advance(2_000);
    assert_eq!(client.get(ONE)["PowerState"], "Off");
    assert_eq!(client.restart(ONE, "On"), 204);
    let progress = client.get(ONE)["BootProgress"]["LastState"].clone();
    assert_eq!(progress, "PrimaryProcessorInitializationStarted");
    client.machine.advance(10_000);
    assert_eq!(client.get(ONE)["BootProgress"]["LastState"], "OSRunning");
    assert_eq!(client.attribute(&format!("{ONE}/Bios"), "SHA256PCRBank_0065"), "Enabled");
}

#[test]
fn a_fault_strikes_where_and_as_often_as_it_was_asked_to() {
    let mut client = Client::of("dell");
    client.machine.inject(Injection::new(Fault::Unavailable).at("/bios").times(1));
    client.get(DELL);
    let bios = format!("{DELL}/Bios");
    assert_eq!(client.send(Method::GET, &bios, &Value::Null).0, 503);
    client.get(&bios);
    client.machine.inject(Injection::new(Fault::SessionLost).times(1));
    assert_eq!(client.send(Method::GET, &bios, &Value::Null).0, 401);
}

#[test]
fn faults_of_a_boot_leave_what_they_should() {
    for (fault, job, algorithm) in [
        (Fault::JobStuck, "PR30", "Off"),
        (Fault::JobFails, "PR21", "Off"),
        (Fault::SettingsIgnored, "PR19", "Off"),
        (Fault::NeverBoots, "PR20", "Off"),
    ] {
        let mut client = Client::of("dell");
        client.machine.inject(fault);
        let wanted = at_reset(json!({ "TpmSecurity": "On" }));
        let (_, headers, _) = client.send(Method::PATCH, &format!("{DELL}/Bios/Settings"), &wanted);
        let place = headers.iter().find(|(name, _)| *name == "location").unwrap().1.clone();
        client.restart(DELL, "ForceRestart");
        client.machine.advance(100_000);
        assert_eq!(client.get(&place)["MessageId"], job, "{fault:?}");
        assert_eq!(
            client.attribute(&format!("{DELL}/Bios"), "TpmSecurity"),
            algorithm,
            "{fault:?}"
        );
    }
}
