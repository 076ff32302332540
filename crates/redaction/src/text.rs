//! Secrets in texts that anybody may have written: logs, pasted output.

use crate::{Redacted, named, private_key::PrivateKeys, recovery_key::RecoveryKeys, shaped, url};

/// `untrusted_text` without recovery keys of ESXi, private keys in PEM, passwords in addresses, headers
/// that open a session, tokens of Bootproof and signed ones, and without values that are called a
/// password, a token or a secret. Lines stay lines, and JSON stays JSON.
pub fn text(untrusted_text: &str) -> Redacted {
    let mut done = Redacted::default();
    let (mut private, mut recovery) = (PrivateKeys::default(), RecoveryKeys::default());
    for line in untrusted_text.split_inclusive('\n') {
        let (line, end) = match line.strip_suffix('\n') {
            Some(line) => (line, "\n"),
            None => (line, ""),
        };
        let removed = &mut done.removed;
        let Some(line) = private.take_out(line, removed) else { continue };
        let line = recovery.take_out(&line, removed);
        let line = url::take_out(&line, removed);
        let line = named::take_out(&line, removed);
        let line = shaped::take_out(&line, removed);
        done.text.push_str(&line);
        done.text.push_str(end);
    }
    done
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Secret;

    const KEY: &str = "478269-039194-473926-430939-686855-231401-642208-184477-\
                       602511-225586-551660-586542-338394-092578-687140-267425";

    fn is_gone(input: &str, secret: &str, kind: Secret) {
        let done = text(input);
        assert!(!done.text.contains(secret), "{input:?} -> {:?}", done.text);
        assert!(done.removed.n_of(kind) > 0, "{input:?} -> {:?}", done.removed);
    }

    #[test]
    fn each_kind_of_secret_is_taken_out() {
        let token = format!("bpj_{}", "0f".repeat(32));
        let jwt = "eyJhbGciOiJFUzI1NiJ9.eyJzdWIiOiJ3ZWItMSJ9.c2lnbmF0dXJl";
        for (input, secret, kind) in [
            (format!("join --token {token} https://server"), token.as_str(), Secret::Token),
            (format!("a token {token}."), &token, Secret::Token),
            (format!("x={jwt};"), jwt, Secret::Token),
            ("api_token = \"hunter2\"".to_owned(), "hunter2", Secret::Token),
            ("{\"client_secret\":\"hunter2\",\"n\":1}".to_owned(), "hunter2", Secret::Token),
            ("\\\"password\\\": \\\"hunter2\\\"".to_owned(), "hunter2", Secret::Password),
            ("password: \"it's hunter2\" x".to_owned(), "hunter2", Secret::Password),
            ("{\\\"password\\\":\\\"a\\\\\\\"hunter2\\\"}".to_owned(), "hunter2", Secret::Password),
            ("GET /x?access_token=hunter2&n=1".to_owned(), "hunter2", Secret::Token),
            ("curl --password hunter2 -k".to_owned(), "hunter2", Secret::Password),
            ("DB_PASSWORD='hun ter2'".to_owned(), "hun ter2", Secret::Password),
            (
                "https://root:hunter2@bmc.example.org/redfish".to_owned(),
                "hunter2",
                Secret::Password,
            ),
            ("postgres://u:hun/ter2@db/x".to_owned(), "hun/ter2", Secret::Password),
            ("https://hunter2@host/".to_owned(), "hunter2", Secret::Password),
            ("Authorization: Basic aHVudGVyMg==".to_owned(), "aHVudGVyMg", Secret::Authorization),
            ("authorization: Bearer a b c".to_owned(), "a b c", Secret::Authorization),
            ("{\"x-auth-token\":\"hunter2\"}".to_owned(), "hunter2", Secret::Authorization),
            ("sent bearer hunter2hunter2".to_owned(), "hunter2", Secret::Authorization),
            ("Set-Cookie: s=hunter2; Path=/".to_owned(), "hunter2", Secret::Authorization),
            (format!("key {KEY} end"), KEY, Secret::RecoveryKey),
            (format!("encryptionRecoveryKey={KEY}"), "478269", Secret::RecoveryKey),
        ] {
            is_gone(&input, secret, kind);
        }
    }

    #[test]
    fn what_is_no_secret_stays() {
        for line in [
            "2026-11-28T07:11:08.123Z cpu46:2099728)tpmDriver: Tpm2LogVendor:1551: Vendor ID: NTC",
            "https://bootproof.example.org:8443/v1/hosts?limit=500",
            "evidence judged host=web-1 verdict=\"accepted\"",
            "sha256 0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f",
            "wrong authorisations: 3 of 32; TPM_RC_AUTH_FAIL (0x98e)",
            "20260101-123456 mail to a@example.org",
            "TPM 2.0 tokens_left",
            "-----BEGIN CERTIFICATE-----",
            "passwords set: none",
        ] {
            let done = text(line);
            assert_eq!((done.text.as_str(), done.removed.is_empty()), (line, true));
        }
    }

    #[test]
    fn what_stands_beside_a_secret_stays() {
        let done = text("https://hunter2@h/ ").text;
        assert_eq!(text(&done).text, done);
        let done = text("a https://root:hunter2@bmc/x b\r\nx\n{\"password\":\"p\\\"q\",\"n\":1}\n");
        assert_eq!(
            done.text,
            "a https://root:[removed: password]@bmc/x b\r\nx\n{\"password\":\"[removed: password]\",\"n\":1}\n"
        );
        assert_eq!(done.removed.n_of(Secret::Password), 2);
        assert_eq!(text(&done.text).text, done.text, "the marks are no secrets");
    }

    #[test]
    fn a_recovery_key_is_taken_out_however_a_terminal_wrapped_it() {
        let row = "{2DDD5424-7F3F-406A-8DA8-D62630F6C8BC}  ";
        for at in 1..KEY.len() {
            let (front, back) = KEY.split_at(at);
            for wrap in ["\n", "\r\n", "\n  "] {
                let pasted = format!("Recovery ID  Key\n{row}{front}{wrap}{back}\nnext line 12\n");
                let done = text(&pasted);
                let digits = |text: &str| {
                    let groups = text.split(|c: char| !c.is_ascii_digit());
                    groups.filter(|group| group.len() == 6).count()
                };
                assert_eq!(digits(&done.text), 0, "{at}: {}", done.text);
                assert!(done.text.ends_with("next line 12\n"), "{at}: {}", done.text);
                assert!(done.text.contains(row.trim()), "{at}");
            }
        }
    }

    #[test]
    fn a_private_key_is_taken_out_with_all_its_lines() {
        for name in ["", "EC ", "RSA ", "ENCRYPTED ", "OPENSSH ", "TSS2 "] {
            let pem = format!(
                "-----BEGIN {name}PRIVATE KEY-----\nMIIBsecret\nMOREsecret==\n-----END {name}PRIVATE KEY-----"
            );
            is_gone(&format!("a\n{pem}\nb"), "secret", Secret::PrivateKey);
            assert!(text(&format!("a\n{pem}\nb")).text.ends_with("\nb"));
            is_gone(
                &format!("{{\"k\":\"{}\"}}", pem.replace('\n', "\\n")),
                "secret",
                Secret::PrivateKey,
            );
            let prefixed = pem.replace('\n', "\nNov 28 07:11:08 web-1 x[1]: ");
            is_gone(&prefixed, "secret", Secret::PrivateKey);
            // A log that was cut has no end.
            is_gone(pem.split("-----END").next().unwrap(), "secret", Secret::PrivateKey);
        }
    }

    #[test]
    fn junk_is_harmless() {
        for junk in [
            "",
            "\n",
            "=",
            "token",
            "token=",
            "password:",
            "://",
            "://@",
            "-",
            "\u{e9}token=\u{e9}",
            "Authorization:",
            "eyJ..",
            "bpj_",
            "\"\\\"",
            "password=\"\\\\\"",
            "{}-",
            "-----BEGIN PRIVATE KEY-----",
        ] {
            let _ = text(junk);
            let _ = text(&junk.repeat(50));
        }
    }
}
