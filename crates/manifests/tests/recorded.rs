//! Recorded manifests, made by the best-known tool for them.

use std::fs;
use std::path::{Path, PathBuf};

use event_log::{compare, parse, replay};
use manifests::{BaseRim, FIRMWARE_PCRS, ManifestError};
use references::{Boot, Rules};
use tpm_wire::TpmAlgId;
use verify::{RootStore, SignerAnchor, UnixTime};

/// Within the validity of the certificates.
const NOW: UnixTime = UnixTime(1_790_000_000);

const TOOL: &str = "tools/tcg_rim_tool/src/test/resources";
const PROFILES: &str = ".ci/system-tests/profiles/laptop";

fn folder() -> Option<PathBuf> {
    testkit::corpus::folder("machines/nsacyber+HIRS")
}

fn signer(folder: &Path) -> SignerAnchor {
    SignerAnchor::pinned(&fs::read(folder.join(TOOL).join("RimSignCert.pem")).unwrap()).unwrap()
}

#[test]
fn recorded_manifests_hold_as_they_were_signed() {
    let Some(folder) = folder() else { return };
    let chain = fs::read(folder.join(TOOL).join("RimCertChain.pem")).unwrap();
    let chain = SignerAnchor::roots(RootStore::from_file_bytes(&chain).unwrap()).unwrap();
    // The last two have the time of signing beside the document.
    for (name, carries_certificate) in [
        ("generated_default_cert", false),
        ("generated_user_cert", false),
        ("generated_user_cert_embed", true),
        ("generated_timestamp_rfc3339", false),
        ("generated_timestamp_rfc3852", false),
    ] {
        let path = folder.join(TOOL).join(name).with_extension("swidtag");
        let text = fs::read_to_string(path).unwrap();
        // Somebody indented these after they were signed: they are not what was signed.
        let indented = BaseRim::verify(text.as_bytes(), &signer(&folder), NOW);
        assert!(matches!(indented, Err(ManifestError::Signature(_))), "{name}: {indented:?}");
        let parts = text.split('>').map(|part| match part.trim_start() {
            trimmed if trimmed.starts_with('<') => trimmed,
            _ => part,
        });
        let text = parts.collect::<Vec<_>>().join(">");
        let rim = BaseRim::verify(text.as_bytes(), &signer(&folder), NOW).unwrap();
        assert_eq!(rim.model().product_name, "ProductA", "{name}");
        let log = fs::read(folder.join(TOOL).join("TpmLog.bin")).unwrap();
        assert!(rim.baseline(name, &[("TpmLog.bin", &log)], FIRMWARE_PCRS).is_ok(), "{name}");
        let altered = fs::read(folder.join(TOOL).join("TPMLog_Altered.bin")).unwrap();
        let altered = rim.baseline(name, &[("TpmLog.bin", &altered)], FIRMWARE_PCRS);
        assert!(matches!(altered, Err(ManifestError::NoFile { .. })), "{name}: {altered:?}");
        let by_chain = BaseRim::verify(text.as_bytes(), &chain, NOW);
        assert_eq!(by_chain.is_ok(), carries_certificate, "{name}: {by_chain:?}");
    }
}

/// The names of the profiles are the expected verdicts of a machine whose log is recorded, too.
#[test]
fn a_recorded_machine_fits_the_manifest_that_is_its_own_and_no_other() {
    let Some(folder) = folder() else { return };
    let profiles = folder.join(PROFILES);
    let log = fs::read(profiles.join("default/laptop_default_binary_bios_measurements")).unwrap();
    let log = parse(&log).log;
    let replay = replay(&log, [TpmAlgId::SHA256]);
    let quoted: Vec<_> = replay.banks().cloned().collect();
    let replayed = compare(&log, &replay, &quoted, &Default::default()).replayed;
    let replayed = [(TpmAlgId::SHA256, replayed.pcrs())];
    let boot = Boot { log: &log, replayed: &replayed, quoted: &quoted };
    let held = |pcrs: tpm_wire::PcrSet| Rules { pcrs, ..Rules::default() };
    let everything = (0..8).collect();
    for (profile, name, fits_firmware, fits_all) in [
        ("default", "laptop.default.1", true, true),
        ("badOemInstall", "laptop_badOemInstall_oem.1", false, false),
        ("badVarInstall", "laptop_badVarInstall_oem.1", true, false),
        ("varOsInstall", "laptop_varOsInstall_oem.1", true, false),
    ] {
        let profile = profiles.join(profile);
        let tag = fs::read(profile.join("swidtags").join(format!("{name}.swidtag"))).unwrap();
        let log = fs::read(profile.join("rims").join(format!("{name}.rimel"))).unwrap();
        let rim = BaseRim::verify(&tag, &signer(&folder), NOW).unwrap();
        assert_eq!(rim.model().product_name, "Latitude 5580");
        let fits = |pcrs| {
            let baseline = rim.baseline(name, &[(name, &log)], pcrs).unwrap();
            let found = baseline.compare(&boot, &held(pcrs), NOW);
            found.is_match()
        };
        assert_eq!((fits(FIRMWARE_PCRS), fits(everything)), (fits_firmware, fits_all), "{name}");
    }
    // What it adds belongs to another manifest.
    let added = profiles.join("varOsInstall/swidtags/laptop_varOsInstall_var.1.swidtag");
    let added = BaseRim::verify(&fs::read(added).unwrap(), &signer(&folder), NOW);
    assert!(matches!(added, Err(ManifestError::Other { .. })), "{added:?}");
}
