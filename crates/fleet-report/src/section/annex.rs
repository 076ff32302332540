//! Each host by itself: what its last evidence shows.

use api::fleet_report::{Report, ReportedHost, Shown};

use super::{Block, Level, Sink, Tone, part, say, verdict};
use crate::time::time;

pub(super) fn tell(report: &Report, sink: &mut Sink<'_>) {
    part(sink, "Annex: host by host");
    if report.hosts.is_empty() {
        return say(sink, "There are none.");
    }
    for host in &report.hosts {
        sink(Block::Heading(Level::Sub, host.name.clone()));
        sink(Block::Facts(facts(host)));
    }
}

/// What is known of a host, by name.
pub(super) fn facts(host: &ReportedHost) -> Vec<(&'static str, String)> {
    let mut facts = vec![
        ("Verdict", {
            let judged = time(host.appraised_at_ms);
            let until = time(host.good_until_ms);
            format!("{}; judged {judged}, counts until {until}", verdict(&host.verdict).text)
        }),
        ("Identifier", host.id.clone()),
    ];
    for finding in host.findings.iter().filter(|it| it.severity != "info").take(4) {
        facts.push(("Finding", {
            let waived = match &finding.waived {
                Some(reason) => format!(" (waived: {reason})"),
                None => String::new(),
            };
            format!("{}: {}{waived}", finding.code, finding.cause)
        }));
    }
    if !host.labels.is_empty() {
        let labels: Vec<_> =
            host.labels.iter().map(|(key, value)| format!("{key}={value}")).collect();
        facts.push(("Labels", labels.join(", ")));
    }
    match &host.evidence {
        Some(shown) => evidence(shown, &mut facts),
        None => facts.push(("Evidence", "none was judged yet".to_owned())),
    }
    if let Some(ek) = &host.ek_sha256 {
        facts.push(("Endorsement key", format!("SHA-256 {ek}")));
    }
    facts
}

fn evidence(shown: &Shown, facts: &mut Vec<(&'static str, String)>) {
    if !shown.quote_verified {
        let text = "the quote is not verified: nothing below is proved";
        facts.push(("Evidence", text.to_owned()));
    }
    let mut add = |name, value: &Option<String>| {
        if let Some(value) = value {
            facts.push((name, value.clone()));
        }
    };
    add("TPM, certified", &shown.certified_tpm);
    add("TPM, its own word", &shown.untrusted_tpm);
    add("Machine, its own word", &shown.untrusted_machine);
    add("Firmware, its own word", &shown.untrusted_firmware);
    add("System, its own word", &shown.untrusted_system);
    facts.push(("Secure Boot", {
        let on = match shown.secure_boot {
            Some(true) => "on",
            Some(false) => "off",
            None => "not proved to be on",
        };
        let dbx = shown.dbx.as_deref().unwrap_or("not known");
        let sbat = shown.sbat_level.as_deref().unwrap_or("not known");
        format!("{on}; dbx {dbx}; SBAT level {sbat}")
    }));
    if !shown.keys.is_empty() {
        facts.push(("Secure Boot keys", shown.keys.join("; ")));
    }
    if let Some(reference) = &shown.reference {
        facts.push(("Reference", reference.clone()));
    }
    if !shown.boot.is_empty() {
        let steps: Vec<_> = shown
            .boot
            .iter()
            .map(|step| {
                let path = step.untrusted_path.as_deref().map(|path| format!(" {path}"));
                let digest = step.digest.as_deref().map(|digest| format!(" {}", short(digest)));
                format!("{}{}{}", step.what, path.unwrap_or_default(), digest.unwrap_or_default())
            })
            .collect();
        let before = match shown.n_more_steps {
            0 => String::new(),
            n => format!("({n} steps before) > "),
        };
        facts.push(("Boot chain", format!("{before}{}", steps.join(" > "))));
    }
    facts.push(("Quoted", {
        let digest = shown.pcr_digest.as_deref().unwrap_or("not known");
        format!("{}; SHA-256 over the values {digest}", shown.quoted.join(" "))
    }));
}

fn short(digest: &str) -> &str {
    pages::text::short(digest)
}

/// A finding's severity as a look.
pub(super) fn tone(severity: &str) -> Tone {
    match severity {
        "fail" => Tone::Bad,
        "hold" | "warn" => Tone::Unsure,
        _ => Tone::Quiet,
    }
}
