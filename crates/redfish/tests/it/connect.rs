//! Who is trusted, and how one logs in.

use bmc_emulator::{Certificate, Fault, Injection, Options, Protocol};
use firmware::ResourcePath;
use redfish::{Bmc, CertificatePin, RedfishError, Trust};

use crate::support::{block_on, client, client_with, credential, pace, plug, rack};

#[test]
fn a_bmc_is_known_by_its_authority_or_by_its_pin_and_by_nothing_else() {
    let rack = rack();
    let other = bmc_emulator::Rack::new().unwrap();
    for (certificate, by_authority) in [
        (Certificate::Issued, true),
        (Certificate::SelfSigned, false),
        (Certificate::Expired, false),
        (Certificate::OtherName, false),
    ] {
        let bmc = plug(&rack, "hpe", Options { certificate, ..Options::default() });
        let log_in = |trust: Trust| block_on(client_with(&trust, &bmc, pace()).log_in());
        let result = log_in(Trust::Authorities(rack.ca_pem()));
        match by_authority {
            true => assert!(result.is_ok(), "{certificate:?}: {result:?}"),
            false => {
                assert!(matches!(result, Err(RedfishError::Untrusted { .. })), "{certificate:?}")
            }
        }
        let right = bmc.pin().parse().unwrap();
        assert!(log_in(Trust::Pin(right)).is_ok(), "{certificate:?}");
        let wrong: CertificatePin = "ab".repeat(32).parse().unwrap();
        let err = log_in(Trust::Pin(wrong)).unwrap_err();
        let said = std::error::Error::source(&err).unwrap().to_string();
        assert!(said.contains(bmc.pin()), "what is to be compared is said: {said}");
        for trust in [Trust::Pin(wrong), Trust::Authorities(other.ca_pem())] {
            assert!(
                matches!(log_in(trust), Err(RedfishError::Untrusted { .. })),
                "{certificate:?}"
            );
        }
        let n = bmc.machine().seen().iter().filter(|seen| seen.method == "POST").count();
        assert_eq!(n, 1 + usize::from(by_authority), "no password went to who is not trusted");
    }
}

#[test]
fn old_bmcs_speak_tls_12() {
    let rack = rack();
    let bmc = plug(&rack, "dell", Options { protocol: Protocol::Tls12, ..Options::default() });
    let pin = Trust::Pin(bmc.pin().parse().unwrap());
    for trust in [Trust::Authorities(rack.ca_pem()), pin] {
        block_on(client_with(&trust, &bmc, pace()).log_in()).unwrap();
    }
}

#[test]
fn a_session_is_made_once_made_anew_once_and_ended() {
    let rack = rack();
    let emulated = plug(&rack, "dell", Options::default());
    let bmc = client(&rack, &emulated);
    block_on(async {
        bmc.get("/redfish/v1/Systems").await.unwrap();
        assert_eq!(emulated.machine().sessions_open(), 1);
        emulated.machine().inject(Injection::new(Fault::SessionLost).times(1));
        bmc.get("/redfish/v1/Managers").await.unwrap();
        let logins = |method: &str| {
            let machine = emulated.machine();
            machine
                .seen()
                .iter()
                .filter(|s| s.method == method && s.path.contains("Sessions"))
                .count()
        };
        assert_eq!(logins("POST"), 2);
        bmc.log_out().await;
        assert_eq!(emulated.machine().sessions_open(), 0);
        emulated.machine().inject(Fault::SessionLost);
        let err = bmc.get("/redfish/v1/Systems").await.unwrap_err();
        assert!(matches!(err, RedfishError::SessionsLost { .. }), "{err}");
    });
}

#[test]
fn without_sessions_the_password_goes_along() {
    let rack = rack();
    for fault in [Fault::NoSessions, Fault::SessionLimit] {
        let emulated = plug(&rack, "lenovo", Options::default());
        emulated.machine().inject(fault);
        let bmc = client(&rack, &emulated);
        block_on(bmc.get("/redfish/v1/Systems")).unwrap();
        assert_eq!(emulated.machine().sessions_open(), 0);
    }
}

#[test]
fn a_wrong_password_is_tried_once_and_shown_nowhere() {
    let rack = rack();
    let emulated = plug(&rack, "dell", Options::default());
    let tls = Trust::Authorities(rack.ca_pem()).tls().unwrap();
    let address = emulated.url().parse().unwrap();
    let bmc = Bmc::new(address, &tls, credential("wrong-geheim"), pace());
    let err = block_on(bmc.gather()).unwrap_err();
    assert!(matches!(err, RedfishError::Unauthorised { .. }), "{err}");
    assert!(!format!("{err} {err:?} {bmc:?}").contains("geheim"));
    assert_eq!(emulated.machine().seen().iter().filter(|seen| seen.method == "POST").count(), 1);
}

#[test]
fn each_small_tree_is_walked_to_its_registry() {
    let rack = rack();
    for (tree, bios) in [
        ("dell", "/redfish/v1/Systems/System.Embedded.1/Bios"),
        ("hpe", "/redfish/v1/Systems/1/Bios"),
        ("lenovo", "/redfish/v1/Systems/1/Bios"),
        ("supermicro", "/redfish/v1/Systems/1/Bios"),
    ] {
        let emulated = plug(&rack, tree, Options::default());
        let snapshot = block_on(client(&rack, &emulated).gather()).unwrap();
        assert_eq!(snapshot.unread().count(), 0, "{tree}: {:?}", snapshot.unread().next());
        let bios = ResourcePath::parse(bios).unwrap();
        assert!(snapshot.resource(&bios).unwrap().etag.is_some(), "{tree}");
        let has_registry = snapshot
            .resources()
            .any(|(_, resource)| resource.body.pointer("/RegistryEntries/Attributes").is_some());
        assert!(has_registry, "{tree}");
    }
}

#[test]
fn a_password_does_not_follow_to_another_host() {
    let rack = rack();
    let emulated = plug(&rack, "dell", Options::default());
    emulated.machine().inject(Injection::new(Fault::RedirectElsewhere).at("/Sessions"));
    let err = block_on(client(&rack, &emulated).log_in()).unwrap_err();
    assert!(matches!(err, RedfishError::Redirected { .. }), "{err}");
    // In circles on the same host it goes round once.
    let emulated = plug(&rack, "dell", Options::default());
    emulated.machine().inject(Injection::new(Fault::RedirectLoop).at("/Sessions"));
    let err = block_on(client(&rack, &emulated).log_in()).unwrap_err();
    assert!(matches!(err, RedfishError::Status { status: 308, .. }), "{err}");
    let n = emulated.machine().seen().iter().filter(|seen| seen.method == "POST").count();
    assert_eq!(n, 2);
}
