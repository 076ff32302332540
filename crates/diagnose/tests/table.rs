//! Each signature has a line that hits it, and lines that just do not.

use std::collections::BTreeSet;

use diagnose::{Carries, Matcher, Source, WITHOUT_TEXT, signatures};

/// A line of each signature, as programs print it.
#[rustfmt::skip]
const LINES: &[(&str, &str)] = &[
    ("E01", "alarm 'Host TPM attestation alarm' on esxi-117 changed status from Green to Red"),
    ("E01", "Default alarm that indicates host TPM attestation failure."),
    ("E02", "2018-05-10T17:41:05.600Z info vpxd[05828] [vpxEvent] Host TPM attestation failed for esxi-117"),
    ("E02", "eventTypeId = com.vmware.vc.host.TPMAttestationFailedEvent"),
    ("E03", "2018-05-10T17:41:05.591Z warning vpxd[05828] [Originator@6876 sub=Attestation opID=HB-host-29@1] Failed to update integrity report; [vim.HostSystem:host-29,esxi-117.foobar.com], N7Vmacore9ExceptionE(x)"),
    ("E04", "2018-05-10T17:41:05.588Z info vpxd[05828] [Originator@6876 sub=Attestation opID=HB-host-29@1] No cached identity key, loading from DB"),
    ("E05", "N7Vmacore9ExceptionE(No identity key in DB, try to reconnect host)"),
    ("E06", "Message: Host secure boot was disabled"),
    ("E06", "Host Secure Boot was disabled"),
    ("E07", "sub=Attestation opID=HB-host-29@1] Attestation failed: Internal failure"),
    ("E07", "Attestation: Internal Error"),
    ("E09", "New TPM host endorsement key doesn't match the one in the DB"),
    ("E09", "The new host TPM endorsement key doesn't match the one stored in the DB"),
    ("E09", "com.vmware.vc.host.TpmEndorsementKeyMismatch"),
    ("E10", "Unable to provision Endorsement Key on TPM 2.0 device: x"),
    ("E10", "esx.problem.hardware.tpm2.ek.provisioning"),
    ("E10", "esx.problem.hardware.tpm2.provisioning"),
    ("E11", "Unable to provision Endorsement Key on TPM 2.0 device: Endorsement Key creation failed on the device"),
    ("E11", "Unable to provision Endorsement Key on TPM 2.0 device: Endorsement Key creation failed on device"),
    ("E12", "device: No RSA Endorsement Key certificate found in TPM 2.0 device's non-volatile memory."),
    ("E13", "device: Endorsement key does not match EK certificate."),
    ("E14", "2021-03-01T10:00:00.000Z info hostd[2099] [Originator@6876 sub=Hostsvc.HostTpmManager] Raised TPM Config Issue: (vim.event.EventEx)"),
    ("E15", "TPM 2.0 device detected but a connection cannot be established."),
    ("E15", "TPM 2.0 device detected, but a connection cannot be established."),
    ("E15", "esx.problem.hardware.tpm2.connection"),
    ("E16", "TPM 2.0 SHA-256 PCR bank not found to be active. Please activate it in the BIOS."),
    ("E16", "esx.problem.hardware.tpm2.nosha256"),
    ("E17", "TPM 2.0 device does not have the TIS interface active. Please activate it in the BIOS."),
    ("E17", "esx.problem.hardware.tpm2.notis"),
    ("E18", "Unable to acquire ownership of TPM 2.0 device. Please clear TPM through the BIOS."),
    ("E18", "esx.problem.hardware.tpm2.ownership"),
    ("E19", "Host configuration is TPM encrypted."),
    ("E19", "Alarm 'TPM Encryption Recovery Key Backup Alarm'"),
    ("E19", "com.vmware.vc.HostTpmConfigEncryptionEvent"),
    ("E20", "Trusted Host attestation failed."),
    ("E20", "Trusted Host attestation status unset."),
    ("E20", "com.vmware.vc.TaHostAttestFailEvent"),
    ("E20", "com.vmware.vc.TaHostAttestUnsetEvent"),
    ("E20-ok", "Trusted Host attestation passed."),
    ("E20-ok", "com.vmware.vc.TaHostAttestPassEvent"),
    ("E21", "Host must be decommissioned when moved out of a Trusted Infrastructure cluster."),
    ("E21", "com.vmware.vc.TrustAuthority.DecommissionHost"),
    ("E23", "com.vmware.vcIntegrity.HostUpgradePrecheckTestFailUnsupportedTPMVersion"),
    ("E24", "2018-05-10T17:41:05.588Z info vpxd[05828] [Originator@6876 sub=Attestation opID=HB-host-29@1] Starting host attestation; [vim.HostSystem:host-29,esxi-117.foobar.com]"),
    ("L01", "2018-05-09T21:30:21.060Z cpu23:2099722)WARNING: tpmDriver: TpmDriverInitImpl:532: TPM 2 SHA-256 PCR bank not found to be active."),
    ("L02", "2018-05-09T21:30:21.060Z cpu23:2099722)tpmdriver failed to load."),
    ("L03", "WARNING: tpmDriver: TPMDriverAttachDevice:120: \\_SB_.TPM_: couldn't perform TIS init"),
    ("L04", "WARNING: Elf: 3144: Kernel based module load of tpmdriver failed: Failure <Mod_LoadDone failed>"),
    ("L04", "WARNING: Elf: 3144: Kernel-based module load of tpmdriver failed: Failure <Mod_LoadDone failed>"),
    ("L05", "2018-05-10T14:02:55.920Z cpu18:2100795)tpmDriver: Tpm2ResMgrProcessResponse:846: Error: TPM command error code 0x18b"),
    ("L06", "2018-05-10T14:02:27.716Z cpu46:2099728)tpmDriver: Tpm2CheckInterface:603: TPM is in FIFO mode."),
    ("L07", "tpmDriver: Tpm2CheckInterface:610: TPM does not appear to be speaking the 2.0 protocol (interfaceType = 0xf)."),
    ("L07", "tpmDriver: Tpm2CheckInterface:612: Continuing on best effort basis using the 2.0 protocol."),
    ("L08", "VMB_TPM: 191: Unsupported 'startMethod': 7"),
    ("L09", "VMB_TPM: 212: Unable to determine TPM IO area base address."),
    ("L10", "tpmDriver: TpmWrite:431: still expects data after 12 bytes transfered"),
    ("L10", "tpmDriver: Tpm_Transmit:612: Send to TPM failed: Failure (0xbad0001)"),
    ("L10", "tpmDriver: Tpm2ResMgr_Transmit:1020: Error: Tpm_Transmit failed"),
    ("L11", "VSISHCmdGetInt () :Get failed: Failure"),
    ("L11", "vsish -e get /vmkModules/tpmdriver/vendor            -> VSISHCmdGetInt () :Get failed: Failure"),
    ("L12", "Preprovisioned endorsement key not found at 0x81010001"),
    ("L13", "warning hostd[2099] [Originator@6876 sub=Hostsvc.Tpm20Provider] NV_ReadPublic: (0x18b) Unknown"),
    ("L14", "Vendor provided RSA endorsement key template is not present in NV memory. Using default template per TGC spec."),
    ("L15", "Could not extract X509 public key."),
    ("L15", "2021-03-01T10:00:00.000Z error hostd[2099] [Originator@6876 sub=Hostsvc.Tpm20Provider] Could not extract X509 public key."),
    ("L16", "Unable to read default RSA EK certificate!"),
    ("L17", "Unable to provision default rsa endorsement key."),
    ("L18", "Unable to get the encryption mode and policy."),
    ("L19", "Unable to change the encryption mode and policy. Verify that the current host configuration can satisfy the new requirement."),
    ("L20", "   tpmLogReliable = false,"),
    ("L21", "TPM Type: ??? - NTC"),
    ("L22", "2018-05-10T14:02:27.817Z cpu46:2099728)tpmdriver loaded successfully."),
    ("S01", "UEFI0073: x"),
    ("S01", "Unable to boot NVMe 1 because of the Secure Boot policy"),
    ("S02", "Fatal error: 39 (Secure Boot Failed)"),
    ("S02", "Fatal error: 27 (Security violation)"),
    ("S03", "Boot module signatures are not valid"),
    ("S03", "Signature check failed on module 3 (/sb.v00)"),
    ("S04", "Signature has unexpected keyid 0123456789abcdef"),
    ("S04", "Invalid signature length 128, should be 256"),
    ("S04", "Error verifying signature: -0x4380"),
    ("S05", "No signature found"),
    ("S05", "Wrong schema version (got 3; expected 4)"),
    ("S05", "Invalid attached signature format"),
    ("S05", "Unknown schema version 9 on module 0"),
    ("S06", "UEFI Secure Boot in progress"),
    ("S06-off", "UEFI Secure Boot is not enabled"),
    ("S07", "UEFI Secure Boot failed:"),
    ("S07", "Failed to verify signatures of the following vib(s): [net-community]. All tardisks validated"),
    ("S07", "Unrecognized tardisks: [x.v00]"),
    ("S08", "Secure boot CANNOT be enabled: Failed"),
    ("S08", "Secure boot cannot be enabled: Failed"),
    ("S09", "Unable to restore system configuration. A security violation was detected."),
    ("S09", "Unable to restore the system configuration. A security violation was detected."),
    ("S10", "Failed to decrypt system configuration."),
    ("S11", "Unable to recover the system configuration."),
    ("S12", "Required TPM PCR bank not enabled: SHA256"),
    ("S13", "Required TCG2 event log format not supported"),
    ("S14", "TCG2 protocol not available: Not Found"),
    ("S14", "No TPM present"),
    ("S14", "Failed to query TPM capability: Device Error"),
    ("S15", "Event log full while measuring event type 6 to PCR 13"),
    ("S16", "Failed to measure '/sb.v00' into TPM: Device Error"),
    ("S16", "Failed to measure command line into TPM: Device Error"),
    ("S17", "TPM log extend failed for ID 2: Device Error"),
    ("S18", "Failed to log certificate 0123: Device Error"),
    ("S19", "Duplicate modules named sb.v00"),
    ("S19", "More than one module named k.b00"),
    ("S20", "Failed to measure version for k.b00: Not Found"),
    ("S21", "TPM asset tag too large: 600 bytes"),
    ("S21", "Failed to read TPM asset tag: Device Error"),
    ("S21-nv", "TPM NV read failure: 0x14a"),
    ("S22", "Invalid TCG2 final event data"),
    ("S22", "Unknown TCG2 final events table version"),
    ("S22", "Unknown event log algorithm: 0x99"),
    ("S23", "Falling back to internal crypto suite"),
    ("S25", "UEFI0046: An issue is observed in the previous invocation of TXT SINIT ACM"),
    ("I01", "Host acceptance level changed from PartnerSupported to CommunitySupported"),
    ("I01", "esx.audit.esximage.hostacceptance.changed"),
    ("I02", "UEFI Secure Boot enabled: Cannot skip signature checks. Installing unsigned VIBs will prevent"),
    ("I02", "esx.audit.esximage.install.nobypasssigcheck"),
    ("I03", "Attempting to install an image profile bypassing signing and acceptance level verification."),
    ("I03", "esx.audit.esximage.install.nosigcheck"),
    ("I04", "Execution of unknown (non VIB installed) binary '/tmp/a' prevented."),
    ("I04", "esx.audit.uw.security.execInstalledOnly.violation"),
    ("I04", "Execution of non-installed file prevented."),
    ("I05", "Execution of unknown (non VIB installed) binary '/tmp/a' detected."),
    ("I05", "Execution of unknown (non VIB installed) binary '/tmp/a'."),
    ("I05", "esx.audit.uw.security.execInstalledOnly.warning"),
    ("I05", "Execution of non-installed file detected."),
    ("I06", "ExecInstalledOnly has been disabled. This allows the execution of non-installed binaries"),
    ("I06", "configenc.reqeio.disable"),
    ("I06", "esx.audit.uw.security.User.ExecInstalledOnly.disabled"),
    ("I07", "ExecInstalledOnly has been enabled. This prevents the execution of non-installed binaries"),
    ("I07", "configenc.reqeio.enable"),
    ("I07", "esx.audit.uw.security.User.ExecInstalledOnly.enabled"),
    ("I08", "configenc.reqsb.disable"),
    ("I09", "configenc.reqsb.enable"),
    ("I10", "configenc.tpm.enable"),
    ("K01", "[    1.234567] tpm tpm0: A TPM error (395) occurred attempting to read a pcr value"),
    ("K02", "[    1.234567] ima: No TPM chip found, activating TPM-bypass! (rc=-19)"),
    ("K03", "[    0.000000] secureboot: Secure boot disabled"),
    ("K04", "[    0.000000] secureboot: Secure boot enabled"),
    ("K05", "[    1.234567] tpm tpm0: [Firmware Bug]: TPM interrupt not working, polling instead"),
    ("K06", "[    1.234567] tpm tpm0: TPM is disabled/deactivated (0x6)"),
    ("B01", "2026-11-28T05:13:27.123456Z  WARN server::app::identity: no identity key in the store, try to reconnect the host"),
    ("B02", "2026-11-28T05:13:27.123456Z  WARN server::app::replace: another TPM was shown host=4f name=\"web-1\" ek_sha256=\"ab\""),
    ("B03", "WARN agent::courier: the TPM was cleared, or is another one: enrolling a new key"),
    ("B03", "WARN agent::session: the TPM does not know the kept attestation key; making a new one"),
    ("B04", "INFO server::app::identity: no cached identity key, loading from the store"),
    ("B05", "WARN server::app::enrol: keys not enrolled host=4f reason=\"x\""),
    ("R01", "tpm2_unseal[81]: ERROR: Esys_Unseal(0x99D) - tpm:session(1):a policy check failed"),
    ("X01", "2023-05-10T14:02:27.716Z cpu46:2099728)WARNING: tpmDriver: Tpm2Foo:1: words of a later version"),
    ("X01", "WARNING: tpmdriver: words of a later version"),
    ("X01", "tpmDriver: Tpm2Foo:1: Error: words of a later version"),
    ("X01", "ALERT: tpmDriver: words of a later version"),
    ("X02", "2023-05-10T17:41:05.591Z warning vpxd[05828] [Originator@6876 sub=Attestation opID=HB-host-29@1] words of a later version"),
    ("X02", "2023-05-10T17:41:05.591Z error vpxd[05828] [Originator@6876 sub=Attestation opID=HB-host-29@1] words of a later version"),
];

/// Whether all parts of `text` stand in `line` in their order: the slow and plain way.
fn has(line: &[u8], text: &str) -> bool {
    let mut rest = line;
    if let Some(text) = text.strip_prefix('^') {
        // These lines have neither a time nor a program in front.
        let first = text.split('*').next().unwrap();
        return line.starts_with(first.as_bytes()) && has(line, text);
    }
    text.split('*').map(str::as_bytes).all(|part| {
        match rest.windows(part.len().max(1)).position(|window| window == part) {
            Some(at) => {
                rest = &rest[at + part.len()..];
                true
            }
            None => part.is_empty(),
        }
    })
}

fn ids(matcher: &Matcher, line: &[u8]) -> BTreeSet<&'static str> {
    matcher.hits(line).iter().map(|hit| hit.signature.id).collect()
}

#[test]
fn each_text_of_each_signature_has_a_line_that_hits_it() {
    let matcher = Matcher::new().unwrap();
    for (id, line) in LINES {
        assert!(ids(&matcher, line.as_bytes()).contains(id), "{id}: {line}");
    }
    for signature in signatures() {
        for text in signature.texts {
            let hit =
                LINES.iter().any(|(id, line)| *id == signature.id && has(line.as_bytes(), text));
            assert!(hit, "{}: no line has {text}", signature.id);
        }
    }
}

/// Every byte of a text counts: a line that differs in one of them has not this signature, unless
/// another text of it stands there, too.
#[test]
fn a_line_that_differs_in_one_byte_of_a_text_just_misses() {
    let matcher = Matcher::new().unwrap();
    for (id, line) in LINES {
        let signature = signatures().find(|row| row.id == *id).unwrap();
        let mut n_missed = 0;
        for text in signature.texts {
            let mut at = 0;
            let found: Option<Vec<_>> = text
                .trim_start_matches('^')
                .split('*')
                .map(|part| {
                    let start = at + line.get(at..)?.find(part)?;
                    at = start + part.len();
                    Some(start..at)
                })
                .collect();
            for place in found.unwrap_or_default().into_iter().flatten() {
                let mut changed = line.as_bytes().to_vec();
                changed[place] ^= 0x01;
                let hit = ids(&matcher, &changed).contains(id);
                assert_eq!(hit, signature.texts.iter().any(|text| has(&changed, text)), "{id}");
                n_missed += usize::from(!hit);
            }
        }
        assert!(
            n_missed > 0 || signature.texts.is_empty(),
            "{id}: {line} hits it by two texts, and so has no near miss"
        );
    }
}

#[test]
fn every_number_of_the_collected_catalogue_is_here() {
    let known: BTreeSet<&str> = signatures().map(|row| row.id).collect();
    assert_eq!(known.len(), signatures().count(), "an identifier stands there twice");
    for (letter, last) in [("E", 23), ("L", 21), ("S", 24), ("I", 7)] {
        for number in 1..=last {
            let id = format!("{letter}{number:02}");
            let without = WITHOUT_TEXT.iter().any(|(other, _)| *other == id);
            assert!(known.contains(id.as_str()) != without, "{id}");
        }
    }
}

#[test]
fn each_row_says_what_it_means_why_and_what_next() {
    let known: BTreeSet<&str> = signatures().map(|row| row.id).collect();
    for row in signatures() {
        for text in [row.cause, row.next_step] {
            assert!(text.len() > 12 && text.ends_with(['.', ')']), "{}: {text}", row.id);
        }
        assert!(!row.says.is_empty() && !row.says.ends_with('.'), "{}", row.id);
        assert_eq!(row.texts.is_empty(), row.carries == Carries::AnyCode, "{}", row.id);
        for text in row.texts {
            let longest = text.split('*').map(str::len).max().unwrap();
            assert!(longest >= 8, "{}: {text} is found in any log", row.id);
        }
        for id in row.follows.iter().chain(row.ended_by.iter()) {
            assert!(*id == "*" || known.contains(id), "{} names {id}", row.id);
        }
    }
}

#[test]
fn parts_of_a_text_stand_in_their_order() {
    let matcher = Matcher::new().unwrap();
    assert!(ids(&matcher, b"Send to TPM failed: Tpm_Transmit:612").is_empty());
    assert!(ids(&matcher, b"TPM 2 SHA-256 PCR bank not found to be active tpmDriver: ").is_empty());
}

#[test]
fn response_codes_behind_a_text_are_read() {
    let matcher = Matcher::new().unwrap();
    let code =
        |line: &str| matcher.hits(line.as_bytes()).first().and_then(|hit| Some(hit.code?.code));
    let esxi = "tpmDriver: Tpm2ResMgrProcessResponse:846: Error: TPM command error code 0x";
    assert_eq!(code(&format!("{esxi}18b")), Some(0x18b));
    assert_eq!(code(&format!("{esxi}98e, again")), Some(0x98e));
    assert_eq!(code("tpm tpm0: A TPM error (395) occurred attempting"), Some(0x18b));
    assert_eq!(code("TPM NV read failure: 0x14a"), Some(0x14a));
    for wrong in ["", "zz", "1ffffffff"] {
        assert_eq!(code(&format!("{esxi}{wrong}")), None, "{wrong}");
    }
}

#[test]
fn each_row_is_of_a_source_that_documents_have() {
    for row in signatures() {
        assert_eq!(
            Source::ALL.iter().filter(|source| **source == row.source).count(),
            1,
            "{}",
            row.id
        );
    }
}

/// Words of the table that stand in lines of other programs, too.
#[test]
fn lines_of_other_programs_have_no_signature() {
    let matcher = Matcher::new().unwrap();
    for line in [
        "2018-05-10T14:02:27Z web-1 apt: No signature found in Release.gpg",
        "May 10 14:02:27 web-1 dockerd[1]: Error verifying signature: -0x2",
        "kernel: Invalid signature length 64, should be 256",
        "ansible: Signature has unexpected keyid 0123456789abcdef",
        "May 10 14:02:27 web-1 db: Wrong schema version (got 3; expected 4)",
        "loader: Unknown schema version 9 on module x",
        "pkcs7: Invalid attached signature format",
        "inventory: No TPM present on node 4",
        "python: Duplicate modules named x",
        "python: More than one module named x",
        "curl: Falling back to internal crypto suite",
        "ctlog: Failed to log certificate 0123",
        "apt: Failed to measure version for x",
        "auditd: Unknown event log algorithm: x",
        "openssl: Could not extract X509 public key.",
        "net: VSISHCmdGetInt () :Get failed: Failure",
        "sensor type ??? - NTC thermistor",
        "httpmanager: failed with error 0x18b",
        "smtpmailer: failed with rc 0x18b",
        "NVMe: failed with error 0x18b",
        "2023-05-10T17:41:05.591Z info vpxd[05828] [Originator@6876 sub=Attestation] all is well",
        "2023-05-10T14:02:27.716Z cpu46:2099728)tpmDriver: Tpm2Foo:1: words of a later version",
    ] {
        assert_eq!(ids(&matcher, line.as_bytes()), BTreeSet::new(), "{line}");
    }
    for line in [
        "No signature found",
        "2018-05-10T14:02:27Z No signature found",
        "2018-05-10T14:02:27Z mboot: No signature found",
        "[    0.000001] esxboot: No signature found",
    ] {
        assert_eq!(ids(&matcher, line.as_bytes()), BTreeSet::from(["S05"]), "{line}");
    }
}

/// Our own bundles hold findings beside logs, and people paste what `explain` says into tickets.
#[test]
fn what_is_said_of_findings_is_no_line_of_a_log() {
    let matcher = Matcher::new().unwrap();
    for entry in findings::CATALOGUE {
        for text in [entry.title, entry.cause, entry.next_step] {
            assert_eq!(ids(&matcher, text.as_bytes()), BTreeSet::new(), "{}: {text}", entry.name);
        }
    }
}

/// What only says that there is something unknown stands back behind what is known.
#[test]
fn a_known_complaint_is_not_told_as_an_unknown_one() {
    let matcher = Matcher::new().unwrap();
    for (line, id) in [
        (
            "WARNING: tpmDriver: TpmDriverInitImpl:532: TPM 2 SHA-256 PCR bank not found to be active.",
            "L01",
        ),
        ("tpmDriver: Tpm2ResMgrProcessResponse:846: Error: TPM command error code 0x18b", "L05"),
        ("warning vpxd[1] [sub=Attestation] Failed to update integrity report; [x", "E03"),
    ] {
        assert_eq!(ids(&matcher, line.as_bytes()), BTreeSet::from([id]), "{line}");
    }
}
