//! Secrets in texts, and outputs of ESXi.

use doctor::{Checklist, esxi::Host};

/// What no text that comes out has, whatever stands before it.
const PLANTED: &str = "hunter2hunter2";

/// Whatever goes before it, a secret is taken out.
pub(crate) fn redaction(bytes: &[u8]) {
    // A blank in its place: what stood around it must not become another one.
    let junk = String::from_utf8_lossy(bytes).replace(PLANTED, " ");
    for line in [
        "Authorization: Bearer hunter2hunter2",
        "GET https://root:hunter2hunter2@bmc/",
        "password=hunter2hunter2",
        "{\"api_token\": \"hunter2hunter2\"}",
        "-----BEGIN PRIVATE KEY-----hunter2hunter2-----END PRIVATE KEY-----",
    ] {
        let text = redaction::text(&format!("{junk}\n{line}\n"));
        assert!(!text.text.contains(PLANTED), "{line}");
    }
    let settings = redaction::settings(&format!("{junk}\nkey = \"{PLANTED}\"\n"), &["other"]);
    assert!(!settings.text.contains(PLANTED));
}

/// A checklist comes out, in which no recovery key stands.
pub(crate) fn esxi_outputs(bytes: &[u8]) {
    let row = "\n{2DDD5424-7F3F-406A-8DA8-D62630F6C8BC}  478269-039194-473926-430939-686855\n";
    let pasted = [bytes, row.as_bytes()].concat();
    let Ok(mut host) = Host::new() else { panic!("the table is sound") };
    host.read("pasted", &pasted);
    let profile = host.profile();
    let list = Checklist::of(host.observe(profile), profile);
    let shown = format!("{list:?}");
    // In another encoding than ours the row is none.
    assert!(!shown.contains("478269-039194"), "{shown}");
    assert!(list.items().len() > 10);
}

pub(crate) fn redaction_seeds() -> Vec<Vec<u8>> {
    [
        "a https://u:p@h/ b\n{\"token\":\"x\\\"y\"}\npassword: 'z'\n",
        "-----BEGIN EC PRIVATE KEY-----\nx\n",
        "{2DDD5424-7F3F-406A-8DA8-D62630F6C8BC}  478269-039194-473926\n430939-686855\n",
        "[a.b]\nk = \"\"\"\nv\n\"\"\"\nl = [\n1]\nexport X=1 # c\n",
        "eyJhbGciOiJ9.eyJzdWIiOiJ9.c2lnbmF0 bpj_0011223344 --token x Set-Cookie: y\n",
    ]
    .map(|text| text.as_bytes().to_vec())
    .to_vec()
}

pub(crate) fn esxi_seeds() -> Vec<Vec<u8>> {
    let text = "[root@e:~] vmware -v\nVMware ESXi 8.0.3 build-1\n[root@e:~] secureBoot.py -s\nEnabled\n   \
                Drtm Enabled: true\n   Tpm Present: true\n   Mode: TPM\n   Require Secure Boot: true\n\
                ~ # vsish -e get /vmkModules/tpmdriver/vendor\nNTC\ntpmDriver: TPM is in FIFO mode.\n";
    let utf16 = [0xff, 0xfe].into_iter().chain(text.encode_utf16().flat_map(u16::to_le_bytes));
    vec![
        text.as_bytes().to_vec(),
        utf16.collect(),
        b"\x1b[1;32mEnabled\x1b[0m\r\n".to_vec(),
        b"Name Vendor Acceptance Level\nx 1 y CommunitySupported\n".to_vec(),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_planted_does_not_come_out_of_what_stands_around_another() {
        redaction(format!("hu{PLANTED}nter2hunter2").as_bytes());
    }
}
