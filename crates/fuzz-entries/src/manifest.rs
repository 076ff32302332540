//! Manifests of vendors.

use std::sync::OnceLock;

use manifests::{BaseRim, Corim, FIRMWARE_PCRS};
use testkit::rim::{self, Rim, Vendor};
use verify::{SignerAnchor, UnixTime};

use crate::show;

const NOW: UnixTime = UnixTime(1_790_000_000);
const MODEL: [&str; 3] = ["Vendor Inc.", "Model 9", "1.2"];
const LOG_NAME: &str = "firmware.rimel";

/// The vendor of this process, and what it signed.
struct Signed {
    anchor: SignerAnchor,
    log: Vec<u8>,
    manifests: Vec<String>,
    corims: Vec<Vec<u8>>,
}

fn signed() -> &'static Signed {
    static SIGNED: OnceLock<Signed> = OnceLock::new();
    SIGNED.get_or_init(|| {
        let vendor = Vendor::new();
        let log = testkit::log::BootLog::sound().build().bytes;
        let mut named = Rim::of(MODEL, &[(LOG_NAME, &log)]);
        named.attributes = format!(" Id=\"all\"{}", named.attributes);
        "#all".clone_into(&mut named.uri);
        let exclusive = "http://www.w3.org/2001/10/xml-exc-c14n#";
        exclusive.clone_into(&mut named.form);
        named.transforms.push(exclusive.to_owned());
        let named = named.signed(|message| vendor.sign(message));
        Signed {
            anchor: SignerAnchor::pinned(&vendor.signer).expect("an anchor"),
            manifests: vec![vendor.rim(MODEL, &[(LOG_NAME, &log)]), named],
            log,
            corims: [&[0][..], &[0, 7]]
                .map(|pcrs| {
                    let values: Vec<_> = pcrs.iter().map(|pcr| (*pcr, vec![0xa0; 32])).collect();
                    vendor.corim(&rim::corim::payload(MODEL, &values))
                })
                .to_vec(),
        }
    })
}

pub(crate) fn corim_seeds() -> Vec<Vec<u8>> {
    signed().corims.clone()
}

/// A CoRIM: as a base RIM.
pub(crate) fn corim(bytes: &[u8]) {
    match Corim::verify(bytes, &signed().anchor, NOW) {
        Ok(corim) => {
            assert_eq!(corim.model().product_name, MODEL[1], "a model that nobody signed");
            let baseline = corim.baseline("m", FIRMWARE_PCRS).expect("what was signed");
            assert_eq!(baseline.content().values.len(), 1, "values that nobody signed");
        }
        Err(err) => show(&err.to_string()),
    }
}

pub(crate) fn seeds() -> Vec<Vec<u8>> {
    signed().manifests.iter().map(|text| text.clone().into_bytes()).collect()
}

/// A base RIM: only what the vendor signed is ever believed, whatever bytes it comes in.
pub(crate) fn base_rim(bytes: &[u8]) {
    let Signed { anchor, log, .. } = signed();
    match BaseRim::verify(bytes, anchor, NOW) {
        Ok(rim) => {
            let model = rim.model();
            let words = [&model.system_vendor, &model.product_name, &model.firmware_version];
            assert_eq!(words, MODEL, "a model that nobody signed");
            let [file] = rim.files() else { panic!("files that nobody signed") };
            assert_eq!(file.name, LOG_NAME);
            let baseline = rim.baseline("m", &[(LOG_NAME, log)], FIRMWARE_PCRS);
            show(&baseline.expect("what was signed"));
        }
        Err(err) => show(&err.to_string()),
    }
}
