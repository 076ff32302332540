//! Reports as a server makes them.

use std::collections::BTreeMap;

use api::{
    admin::Host,
    appraisal::{
        Appraisal, BootStep, DbxFacts, EndorsementFacts, Facts, KeyFacts, QuoteFacts,
        SecureBootFacts,
    },
    finding::Finding,
    fleet_report::{
        AcknowledgedAlarm, Decision, Exceptions, JudgedBy, Made, PastVerdict, REPORT_SCHEMA,
        Report, ReportKind, Selection, Waiver,
    },
    inventory::{Labels, Maintenance},
    machine::Machine,
    pcrs::Pcrs,
};
use fleet_report::{Standing, controls, reported, summarise};

const AT_MS: i64 = 1_790_000_000_000;

fn key(variable: &str, known: &str) -> KeyFacts {
    KeyFacts {
        variable: variable.to_owned(),
        subject: None,
        issuer: None,
        sha256: None,
        key: None,
        not_after: None,
        known: Some(known.to_owned()),
        is_test_key: false,
        belief: "verified".to_owned(),
    }
}

fn step(pcr: u32, kind: &str, role: Option<&str>, path: Option<&str>) -> BootStep {
    BootStep {
        pcr,
        kind: kind.to_owned(),
        digest: Some(format!("sha256:{}", "5c".repeat(32))),
        untrusted_path: path.map(str::to_owned),
        untrusted_role: role.map(str::to_owned),
        ..BootStep::default()
    }
}

pub(crate) fn appraisal(name: &str) -> Appraisal {
    let state = SecureBootFacts {
        audit_mode: Some(false),
        deployed_mode: Some(true),
        keys: vec![
            key("PK", "Windows OEM Devices PK"),
            key("KEK", "Microsoft Corporation KEK CA 2011"),
            key("KEK", "Microsoft Corporation KEK 2K CA 2023"),
            key("db", "Microsoft Corporation UEFI CA 2011"),
            key("db", "Microsoft UEFI CA 2023"),
        ],
        dbx: Some(DbxFacts {
            release: Some("2025-10-14".to_owned()),
            newest: "2025-10-14".to_owned(),
            n_known: 431,
            n_unknown: 0,
            n_missing: 0,
            n_releases_behind: 0,
            architecture: "x64".to_owned(),
            operator_list_signed: None,
            operator_list_entries: None,
        }),
        authorities: Vec::new(),
        sbat_level: Some("2025021800".to_owned()),
        mok_enrolled: false,
        mok_list_trusted: None,
        mok_revokes: false,
        shim_validates_nothing: false,
    };
    let facts = Facts {
        quote_verified: true,
        secure_boot: Some(true),
        secure_boot_state: Some(state),
        quote: Some(QuoteFacts {
            clock_ms: 1,
            reset_count: 17,
            restart_count: 0,
            safe: true,
            firmware_version: "0007000200020000".to_owned(),
            selection: vec!["sha256:0-9,14".to_owned()],
            ak_name: None,
            signer: "verified".to_owned(),
        }),
        endorsement: Some(EndorsementFacts {
            manufacturer: Some("id:4E544300".to_owned()),
            model: Some("NPCT75x".to_owned()),
            version: Some("id:00070002".to_owned()),
            out_of_date: false,
            root: Some("Nuvoton TPM Root CA 2111".to_owned()),
            root_sha256: "11".repeat(32),
            spki_sha256: "22".repeat(32),
        }),
        untrusted_machine: Some(Machine {
            system_vendor: Some("Dell Inc.".to_owned()),
            product_name: Some("PowerEdge R750".to_owned()),
            firmware_vendor: Some("Dell Inc.".to_owned()),
            firmware_version: Some("1.18.1".to_owned()),
            firmware_date: Some("06/17/2026".to_owned()),
            os_name: Some("Debian GNU/Linux 12".to_owned()),
            kernel_release: Some("6.1.0-40-amd64".to_owned()),
            ..Machine::default()
        }),
        boot: vec![
            step(
                2,
                "driver",
                None,
                Some("PciRoot(0x0)/Pci(0x2,0x0)/Pci(0x0,0x0)/Offset(0x4a50,0x1b3ff)"),
            ),
            step(4, "application", Some("shim"), Some("\\EFI\\debian\\shimx64.efi")),
            step(4, "application", Some("GRUB"), Some("\\EFI\\debian\\grubx64.efi")),
            step(4, "application", Some("kernel"), Some("/boot/vmlinuz-6.1.0-40-amd64")),
        ],
        pcrs: Pcrs(BTreeMap::from([(
            "sha256".to_owned(),
            (0..10).map(|pcr| (pcr, format!("{pcr:02x}").repeat(32))).collect(),
        )])),
        ..Facts::default()
    };
    let _ = name;
    Appraisal { verdict: "accepted".to_owned(), findings: Vec::new(), facts, judged_anew: false }
}

fn finding(code: &str, severity: &str, cause: &str, next_step: &str) -> Finding {
    Finding {
        code: code.to_owned(),
        severity: severity.to_owned(),
        cause: cause.to_owned(),
        next_step: next_step.to_owned(),
        pcr: None,
        event: None,
        offset: None,
        arguments: BTreeMap::new(),
    }
}

fn host(name: &str, n: usize) -> Host {
    Host {
        id: format!("7b0c3f6e-0000-4000-8000-{n:012}"),
        name: name.to_owned(),
        connection: "connected".to_owned(),
        verdict: "accepted".to_owned(),
        findings: Vec::new(),
        appraised_at_ms: Some(AT_MS - 60_000),
        cohort: None,
        last_seen_ms: Some(AT_MS - 1_000),
        has_identity_key: true,
        tpm: "present".to_owned(),
        labels: Labels::from([
            ("site".to_owned(), "muc".to_owned()),
            ("rack".to_owned(), "7".to_owned()),
        ]),
        maintenance: None,
    }
}

pub(crate) fn standing(host: Host) -> Standing {
    Standing {
        since_ms: (host.verdict != "accepted").then_some(AT_MS - 7_200_000),
        host,
        good_until_ms: Some(AT_MS + 600_000),
        joined_at_ms: AT_MS - 86_400_000,
        ek_sha256: Some("22".repeat(32)),
    }
}

/// A report of `n` hosts; the first ones have what goes wrong in fleets.
pub(crate) fn report(kind: ReportKind, n: usize) -> Report {
    named(kind, (0..n).map(|n| format!("web-{n:05}")).collect())
}

/// A report of hosts that call themselves so.
pub(crate) fn named(kind: ReportKind, names: Vec<String>) -> Report {
    let mut hosts = Vec::with_capacity(names.len());
    for (n, name) in names.iter().enumerate() {
        let mut host = host(name, n);
        let mut judged = Some(appraisal(name));
        match n {
            1 => {
                host.verdict = "not accepted".to_owned();
                host.findings.push(finding(
                    "secure-boot-off",
                    "fail",
                    "Secure Boot was off when the machine started, so that it checked nothing of what it \
                     loaded.",
                    "Turn Secure Boot on in the firmware setup, restart, and attest again.",
                ));
                host.maintenance = Some(Maintenance {
                    since_ms: AT_MS - 3_600_000,
                    until_ms: Some(AT_MS + 3_600_000),
                    reason: "new firmware, ticket 4711".to_owned(),
                    by: "user:ada".to_owned(),
                });
                if let Some(judged) = &mut judged {
                    judged.facts.secure_boot = Some(false);
                }
            }
            2 => {
                host.verdict = "not appraised".to_owned();
                host.connection = "not responding".to_owned();
                host.findings.push(finding(
                    "no-tpm",
                    "hold",
                    "The agent finds no TPM 2.0 on this host.",
                    "Turn the TPM on in the firmware setup, restart, and join again.",
                ));
                judged = None;
            }
            _ => {}
        }
        hosts.push(reported(standing(host), judged.as_ref(), kind));
    }
    let is_host = kind == ReportKind::Host;
    Report {
        schema: REPORT_SCHEMA.to_owned(),
        kind,
        made: Made {
            at_ms: AT_MS,
            by: "user:ada".to_owned(),
            server: "https://bootproof.example:8443".to_owned(),
            version: "0.1.0".to_owned(),
            authority_sha256: "ab".repeat(32),
            audit_seq: 4_711,
            audit_sha256: "cd".repeat(32),
        },
        selection: Selection {
            labels: (!is_host).then(|| "site=muc".to_owned()),
            host: is_host.then(|| names.first().cloned().unwrap_or_default()),
            ..Selection::default()
        },
        policy: JudgedBy { sha256: "ef".repeat(32) },
        summary: summarise(&hosts),
        controls: controls(&hosts),
        exceptions: Exceptions {
            waivers: vec![Waiver {
                code: "tpm-virtual".to_owned(),
                severity: "info".to_owned(),
                reason: "test machines, ticket 12".to_owned(),
                until: "2027-01-01".to_owned(),
                in_force: true,
            }],
            acknowledged: vec![AcknowledgedAlarm {
                host_id: "h".to_owned(),
                host: "web-00001".to_owned(),
                code: "secure-boot-off".to_owned(),
                by: "user:grace".to_owned(),
                at_ms: AT_MS,
                reason: "board comes on Monday".to_owned(),
                until_ms: None,
            }],
            ..Exceptions::default()
        },
        decisions: vec![Decision {
            audit_seq: 812,
            at_ms: AT_MS - 86_400_000,
            by: "user:grace".to_owned(),
            action: "host.replace".to_owned(),
            subject: "web-00003".to_owned(),
            reason: Some("board replaced, ticket 4712".to_owned()),
        }],
        more_decisions: false,
        hosts,
        history: if is_host {
            let past = |n: i64| PastVerdict {
                at_ms: AT_MS - n * 300_000,
                verdict: "accepted".to_owned(),
                codes: Vec::new(),
                reset_count: Some(17),
            };
            (0..40).map(past).collect()
        } else {
            Vec::new()
        },
    }
}
