//! Manifests of vendors: from the signed file to the verdict.

use std::{
    fs,
    path::Path,
    process::{Command, Output},
};

use api::{appraisal::Appraisal, machine::Machine};
use appraise::Policy;
use cli::{evidence_dir::EvidenceFolder, judge_with};
use references::{Applied, Baseline, Origin, Scope, State};
use testkit::{
    log::{BootLog, Entry},
    rim::{Vendor, corim},
};
use tpm_wire::{PcrSet, TpmAlgId};

use crate::{finding_cases::Bench, recorded::NOW};

const MODEL: [&str; 3] = ["Vendor Inc.", "Model 9", "1.2"];

fn made() -> BootLog {
    BootLog::sound().banks(&[TpmAlgId::SHA256])
}

/// A folder as a vendor ships it, with the certificates of its signer and of its authority.
fn shipped(vendor: &Vendor, log: &[u8]) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    let put = |name: &str, bytes: &[u8]| fs::write(folder.path().join(name), bytes).unwrap();
    put("firmware.swidtag", vendor.rim(MODEL, &[("firmware.rimel", log)]).as_bytes());
    put("firmware.rimel", log);
    put("signer.crt", &vendor.signer);
    put("authority.crt", &vendor.authority);
    folder
}

fn import(folder: &Path, more: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_bootproof"));
    command.current_dir(folder).args(["reference", "import"]).args(more);
    command.output().unwrap()
}

fn error(output: &Output) -> String {
    assert_eq!(output.status.code(), Some(2), "{output:?}");
    String::from_utf8_lossy(&output.stderr).into_owned()
}

fn applied<'r>(name: &'r str, baseline: &'r Baseline, state: State) -> Applied<'r> {
    Applied {
        name,
        scope: Scope::Cohort,
        state,
        accepted_by: "ada",
        accepted_at: Some(NOW),
        until: None,
        baseline,
    }
}

#[test]
fn a_manifest_is_imported_only_from_the_signer_that_is_named() {
    let (vendor, other) = (Vendor::new(), Vendor::new());
    let folder = shipped(&vendor, &made().build().bytes);
    let at = folder.path();
    fs::write(at.join("other.crt"), &other.signer).unwrap();
    fs::write(at.join("other-authority.crt"), &other.authority).unwrap();
    fs::write(at.join("none.pem"), b"").unwrap();
    let out = ["--out", "out.json"];
    for anchor in [["--signer", "signer.crt"], ["--trust", "authority.crt"]] {
        for source in [".", "firmware.swidtag"] {
            let output = import(at, &[&[source][..], &anchor, &out].concat());
            assert!(output.status.success(), "{output:?}");
            let told = String::from_utf8(output.stdout).unwrap();
            assert!(told.contains("Vendor Inc. Model 9, firmware 1.2"), "{told}");
            assert!(told.contains("CN=Vendor signer"), "{told}");
            let bytes = fs::read(at.join("out.json")).unwrap();
            let baseline = report::reference::read(&bytes).unwrap();
            assert_eq!(baseline.content().origin, Origin::Vendor);
            assert_eq!(report::reference::write(&baseline).unwrap(), bytes);
            fs::remove_file(at.join("out.json")).unwrap();
        }
    }
    let refused = |more: &[&str], why: &str| {
        let told = error(&import(at, &[&["firmware.swidtag"], more, &out].concat()));
        assert!(told.contains(why), "{why}: {told}");
        assert!(!at.join("out.json").exists(), "{why}");
    };
    refused(&[], "nobody is named");
    refused(&["--signer", "other.crt"], "not the pinned certificate");
    refused(&["--signer", "authority.crt"], "not the pinned certificate");
    refused(&["--trust", "other-authority.crt"], "no chain leads");
    refused(&["--trust", "none.pem"], "holds no roots");
    let empty = at.join("empty");
    fs::create_dir(&empty).unwrap();
    refused(&["--trust", "empty"], "holds no certificates");
    refused(&["--signer", "signer.crt", "--trust", "authority.crt"], "cannot be used with");
    // The log is the one that was signed, or none.
    let pinned = ["--signer", "signer.crt"];
    fs::write(at.join("wrong.rimel"), made().firmware("1.3").build().bytes).unwrap();
    refused(&[&pinned[..], &["--support", "wrong.rimel"]].concat(), "not there");
    fs::copy(at.join("wrong.rimel"), at.join("firmware.rimel")).unwrap();
    refused(&pinned, "its digest is another");
    fs::remove_file(at.join("firmware.rimel")).unwrap();
    refused(&pinned, "not there");
    // One changed letter of the manifest.
    let text = fs::read_to_string(at.join("firmware.swidtag")).unwrap();
    fs::write(at.join("firmware.swidtag"), text.replacen("Model 9", "Model 8", 1)).unwrap();
    refused(&pinned, "changed after it was signed");
    // What is no manifest has no signer, and what is one needs no host.
    fs::write(at.join("ours.json"), "{}").unwrap();
    let ours = import(at, &["ours.json", "--signer", "signer.crt", "--reason", "x"]);
    assert!(error(&ours).contains("no manifest"));
    fs::write(at.join("second.swidtag"), "").unwrap();
    assert!(error(&import(at, &[&["."][..], &pinned, &out].concat())).contains("several"));
}

/// What a vendor says is held beside what the site accepted; neither stands for the other.
#[test]
fn a_manifest_asks_for_more_and_accepts_nothing() {
    let vendor = Vendor::new();
    let folder = shipped(&vendor, &made().build().bytes);
    let read = |more: &[&str]| {
        let all = [&[".", "--signer", "signer.crt", "--out", "out.json"], more].concat();
        assert!(import(folder.path(), &all).status.success());
        report::reference::read(&fs::read(folder.path().join("out.json")).unwrap()).unwrap()
    };
    let manifest = read(&[]);
    let mut bench = Bench::new("sha256");
    let roots = bench.roots();
    let pcrs: PcrSet = (0..=14).collect();
    let sound = bench.evidence(&made().build(), pcrs);
    let other_kernel = bench.evidence(&made().kernel_cmdline("init=/bin/sh").build(), pcrs);
    let other_firmware = bench.evidence(&made().firmware("6.6").build(), pcrs);
    let mut entries = made().entries();
    let flags = event_log::EventType::PLATFORM_CONFIG_FLAGS;
    entries.insert(1, Entry::of_data(1, flags, b"power on by network"));
    let other_settings = bench.evidence(&made().build_from(&entries), pcrs);
    let card = bench.evidence(&made().option_rom().build(), pcrs);
    let learnt = |evidence: &EvidenceFolder| {
        let policy = Policy::default();
        cli::with_claims(&policy, evidence, &roots, NOW, |claims| {
            let context = appraise::Context::default();
            appraise::learn(claims, &context, &policy, NOW, appraise::Learning::Accepted).unwrap()
        })
    };
    let ours = learnt(&sound);
    let of_site = applied("ours", &ours, State::Active);
    let of_vendor = applied("theirs", &manifest, State::Active);
    let judged = |policy: &str, all: &[Applied<'_>], evidence: &EvidenceFolder| -> Appraisal {
        judge_with(&policy::read(policy).unwrap(), all, evidence, &roots, NOW)
    };
    let is = |policy: &str, all: &[Applied<'_>], evidence: &EvidenceFolder, expected: &[&str]| {
        let appraisal = judged(policy, all, evidence);
        let found = appraisal.findings.iter().map(|finding| finding.code.as_str());
        let mut found: Vec<_> = found.filter(|code| code.starts_with("reference-")).collect();
        found.sort_unstable();
        found.dedup();
        assert_eq!(found, expected, "{policy} {appraisal:#?}");
        appraisal
    };

    // Firmware as it was signed, and whatever the site starts with it.
    for evidence in [&sound, &other_kernel, &other_settings] {
        let appraisal = is("", &[of_vendor], evidence, &[]);
        assert_eq!(appraisal.verdict, "accepted");
        assert_eq!(appraisal.facts.reference.unwrap().name, "theirs");
    }
    let changed = is("", &[of_vendor], &other_firmware, &["reference-vendor-change"]);
    assert_eq!(changed.verdict, "not accepted");
    is("references.mode = 'observe'", &[of_vendor], &other_firmware, &["reference-vendor-change"]);
    is("references.mode = 'off'", &[of_vendor], &other_firmware, &[]);
    for state in [State::Pending, State::Retired] {
        is("", &[applied("theirs", &manifest, state)], &other_firmware, &[]);
    }
    let obsolete = applied("theirs", &manifest, State::Obsolete);
    is("", &[obsolete], &sound, &["reference-obsolete"]);
    let revoked = applied("theirs", &manifest, State::Revoked);
    is("", &[revoked], &sound, &["reference-revoked"]);
    is("", &[revoked], &other_firmware, &[]);
    // A card is not the vendor's, and the operator may leave its PCR out.
    is("", &[of_vendor], &card, &["reference-vendor-change"]);
    let narrow = read(&["--pcrs", "0"]);
    is("", &[applied("theirs", &narrow, State::Active)], &card, &[]);
    let wide = read(&["--pcrs", "0-7"]);
    is("", &[applied("theirs", &wide, State::Active)], &sound, &[]);

    // Both: each is held, and no host is accepted because the other fits.
    for all in [[of_site, of_vendor], [of_vendor, of_site]] {
        let appraisal = is("", &all, &sound, &[]);
        assert_eq!(appraisal.facts.reference.unwrap().name, "ours");
        let appraisal = is("", &all, &other_kernel, &["reference-change"]);
        assert_eq!((&*appraisal.verdict, appraisal.facts.reference), ("not accepted", None));
        let both = ["reference-change", "reference-vendor-change"];
        is("", &all, &other_firmware, &both);
    }
    let updated = learnt(&other_firmware);
    let updated = applied("updated", &updated, State::Active);
    is("", &[of_site, updated, of_vendor], &other_firmware, &["reference-vendor-change"]);
    // A policy that wants a reference wants one of the site.
    let require = "references.mode = 'require'";
    is(require, &[of_vendor], &sound, &["reference-missing"]);
    is(require, &[of_vendor, of_site], &sound, &[]);
}

/// A CoRIM says values instead of events, and is held in the same way.
#[test]
fn a_corim_holds_the_firmware_to_its_values() {
    let vendor = Vendor::new();
    let built = made().build();
    let bank = built.bank(TpmAlgId::SHA256);
    let value = |pcr: u32| (u64::from(pcr), bank.get(pcr).unwrap().as_bytes().to_vec());
    let payload = corim::payload(MODEL, &[value(0), value(2), value(4)]);
    let folder = tempfile::tempdir().unwrap();
    let put = |name: &str, bytes: &[u8]| fs::write(folder.path().join(name), bytes).unwrap();
    put("firmware.corim", &vendor.corim(&payload));
    put("signer.crt", &vendor.signer);
    put("other.crt", &Vendor::new().signer);
    let out = ["--out", "out.json"];
    for source in [".", "firmware.corim"] {
        let refused =
            import(folder.path(), &[&[source, "--signer", "other.crt"][..], &out].concat());
        assert!(error(&refused).contains("not the pinned certificate"));
        let all = [&[source, "--signer", "signer.crt"][..], &out].concat();
        assert!(import(folder.path(), &all).status.success());
    }
    let bytes = fs::read(folder.path().join("out.json")).unwrap();
    let baseline = report::reference::read(&bytes).unwrap();
    assert_eq!(baseline.pcrs(), [0, 2].into_iter().collect());

    let mut bench = Bench::new("sha256");
    let roots = bench.roots();
    let all = [applied("theirs", &baseline, State::Active)];
    let mut verdict = |log: &BootLog| {
        let evidence = bench.evidence(&log.build(), (0..=14).collect());
        let judged = judge_with(&Policy::default(), &all, &evidence, &roots, NOW);
        let is_told = judged.findings.iter().any(|f| f.code == "reference-vendor-change");
        assert_eq!(is_told, judged.verdict != "accepted", "{judged:#?}");
        judged.verdict
    };
    assert_eq!(verdict(&made()), "accepted");
    assert_eq!(verdict(&made().kernel_cmdline("init=/bin/sh")), "accepted");
    assert_eq!(verdict(&made().firmware("6.6")), "not accepted");
}

#[test]
fn a_manifest_is_for_the_machines_that_it_names() {
    let vendor = Vendor::new();
    let log = made().build();
    let folder = shipped(&vendor, &log.bytes);
    let all = [".", "--signer", "signer.crt", "--out", "out.json", "--json"];
    let output = import(folder.path(), &all);
    let document: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(document["origin"], "vendor");
    assert_eq!(document["manifest"]["cohort"]["product_name"], "Model 9");

    // Evidence of a machine and no quote: not accepted where the manifest is for it, else not judged.
    let evidence = folder.path().join("evidence");
    fs::create_dir(&evidence).unwrap();
    let text = |text: &str| Some(text.to_owned());
    let [vendor, product, firmware] = MODEL.map(text);
    let machine = Machine {
        system_vendor: vendor,
        product_name: product,
        firmware_version: firmware,
        ..Machine::default()
    };
    for verb in [
        &["verify", "evidence", "--reference", "out.json"][..],
        &["reference", "compare", "out.json", "evidence"],
    ] {
        let run = |machine: &Machine| {
            let bytes = serde_json::to_vec(machine).unwrap();
            fs::write(evidence.join("machine.json"), bytes).unwrap();
            let mut command = Command::new(env!("CARGO_BIN_EXE_bootproof"));
            command.current_dir(folder.path()).args(verb).output().unwrap()
        };
        let fits = run(&machine);
        assert!(!String::from_utf8_lossy(&fits.stderr).contains("is for"), "{fits:?}");
        let newer = Machine { firmware_version: text("1.3"), ..machine.clone() };
        assert!(error(&run(&newer)).contains("firmware 1.3"));
        let unknown = Machine { product_name: None, ..machine.clone() };
        assert!(error(&run(&unknown)).contains("does not say"));
    }
}
