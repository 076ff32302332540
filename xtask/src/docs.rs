//! Documents that are generated: what the code knows is written down once.

use findings::{CATALOGUE, Group, response_code};
use firmware::assess::CODES;
use quirks::{MachinePattern, QUIRKS};

use crate::{api_document, sh, vm};

/// A document: its path, and what writes it.
type Document = (&'static str, fn() -> String);

const DOCUMENTS: [Document; 3] = [
    ("docs/troubleshooting.md", troubleshooting),
    ("docs/quirks.md", quirks),
    ("docs/scenarios.md", vm::document::document),
];

/// What clients of version 1 of the API may rely on. The server's test writes and compares it.
const OPENAPI: &str = "docs/openapi-v1.json";

/// The faults: documents that are not what the code would write.
pub(crate) fn check() -> anyhow::Result<Vec<String>> {
    let is_old = |(name, text): &Document| {
        std::fs::read_to_string(sh::root().join(name)).unwrap_or_default() != text()
    };
    let old = DOCUMENTS.iter().filter(|document| is_old(document));
    let fault = |name: &str| format!("{name} is out of date: `cargo xtask docs` writes it");
    let faults = old.map(|(name, _)| fault(name));
    let mut faults: Vec<_> = faults.chain(operations_not_told()?).collect();
    let api = std::fs::read_to_string(sh::root().join(api_document::FILE)).unwrap_or_default();
    if api != api_document::text()? {
        faults.push(fault(api_document::FILE));
    }
    Ok(faults)
}

/// Operations that the sources name and the frozen document does not. The server's test compares all of it;
/// this costs nothing, and is asked before anything lands.
fn operations_not_told() -> anyhow::Result<Vec<String>> {
    let text = std::fs::read_to_string(sh::root().join(OPENAPI))?;
    let document: serde_json::Value = serde_json::from_str(&text)?;
    let mut faults = Vec::new();
    for entry in std::fs::read_dir(sh::root().join("crates/server/src/http"))? {
        let path = entry?.path();
        if path.extension().is_none_or(|extension| extension != "rs") {
            continue;
        }
        let source = std::fs::read_to_string(&path)?;
        for verb in ["get", "post", "put", "patch", "delete"] {
            for call in source.split(&format!("all.{verb}(")).skip(1) {
                let Some((_, call)) = call.split_once('"') else { continue };
                let Some((address, _)) = call.split_once('"') else { continue };
                if document["paths"][address].get(verb).is_none() {
                    faults.push(format!(
                        "{OPENAPI} does not tell {verb} {address}: `cargo xtask docs` writes it"
                    ));
                }
            }
        }
    }
    Ok(faults)
}

/// Has the server's test write the frozen document, where no client of before breaks by it.
fn write_openapi() -> anyhow::Result<()> {
    let test = ["test", "-q", "-p", "server", "--test", "it", "--"];
    let status = std::process::Command::new("cargo")
        .args(test)
        .arg("the_frozen_document_is_what_the_server_says")
        .env("BOOTPROOF_WRITE_OPENAPI", "1")
        .stdout(std::process::Stdio::null())
        .current_dir(sh::root())
        .status()?;
    anyhow::ensure!(
        status.success(),
        "{OPENAPI} was not written: see above. Before the first release, where a change has to break \
         clients, remove the file and run this again"
    );
    println!("written: {OPENAPI}");
    Ok(())
}

/// Writes them.
pub(crate) fn write() -> anyhow::Result<()> {
    for (name, text) in DOCUMENTS {
        std::fs::write(sh::root().join(name), text())?;
        println!("written: {name}");
    }
    // The server's own words; a test of the server compares them.
    let run =
        ["run", "-q", "-p", "server", "--bin", "bootproof-server", "--", "config", "reference"];
    std::fs::write(sh::root().join("docs/config.md"), sh::output(sh::cargo(), &run)?)?;
    println!("written: docs/config.md");
    write_openapi()?;
    std::fs::write(sh::root().join(api_document::FILE), api_document::text()?)?;
    println!("written: {}", api_document::FILE);
    Ok(())
}

fn quirks() -> String {
    let mut text = String::from(
        "# Quirks\n\n\
         <!-- Written by `cargo xtask docs` from the table of the crate `quirks`; edit that. -->\n\n\
         Known deviations of firmware, boot loaders and certificates. A quirk is never a second try:\n\
         what decides is always one comparison with what the TPM signed, and no row makes anything\n\
         pass that no digest covers. A deviation that no row names is judged as it stands.\n\n\
         `accepted` ones are told by the finding `quirk-accepted`, once for each with the number of\n\
         events; `eased` and `named` ones by the finding that is named; `listed` ones only among the\n\
         facts (`facts.event_log.quirks`), since nothing rests on them and common machines have them.\n\
         What is `refused, explained` stays refused; `quirk-explains` is a hint, and no proof. What is\n\
         `refused, unless permitted` is so, too, where no policy has it in `quirks.permit`.\n\n\
         `bootproof quirks NAME` prints the same as this page. A policy refuses one by its name:\n\n\
         ```toml\n[quirks]\nrefuse = [\"ek-cert-no-manufacturer\"]\n```\n",
    );
    for row in QUIRKS {
        text.push_str(&format!("\n## {}\n\n{}\n\n", row.name, row.deviates));
        let told = row.effect.told_by().map(|code| format!(" (`{}`)", code.as_str()));
        let mut part = |name: &str, what: &str| text.push_str(&format!("- {name}: {what}\n"));
        part("who", row.who);
        for machine in row.machines {
            part("a host that says", &said(machine));
        }
        part("permitted", row.permits);
        part("the match rests on", row.rests_on.as_str());
        part("effect", &format!("{}{}", row.effect.as_str(), told.unwrap_or_default()));
        part("known", row.sure.as_str());
    }
    text
}

fn said(machine: &MachinePattern) -> String {
    let texts = [
        ("maker", machine.vendor),
        ("model", machine.product),
        ("maker of the firmware", machine.firmware_vendor),
        ("firmware", machine.firmware),
    ];
    let said = texts.iter().filter(|(_, text)| !text.is_empty());
    said.map(|(name, text)| format!("{name} `{text}…`")).collect::<Vec<_>>().join(", ")
}

fn troubleshooting() -> String {
    let mut text = String::from(
        "# Troubleshooting\n\n\
         <!-- Written by `cargo xtask docs` from the catalogue of findings, the table of the crate\n\
         `diagnose` and the response codes of `findings`; edit those. -->\n\n\
         Each verdict names its findings. `bootproof explain CODE` prints the same as this page.\n\
         `bootproof diagnose FILE…` finds the [lines of logs](#lines-of-logs), `bootproof tpm rc CODE`\n\
         explains the [response codes](#response-codes) below.\n\n\
         Under the default policy `fail` makes a host *not accepted*, `hold` makes it *not\n\
         appraised*, `warn` and `info` leave the verdict as it is.\n",
    );
    let groups = [
        Group::Identity,
        Group::Quote,
        Group::Log,
        Group::SecureBoot,
        Group::Reference,
        Group::Platform,
        Group::Runtime,
        Group::Policy,
        Group::Inventory,
    ];
    for group in groups {
        text.push_str(&format!("\n## {}\n", group.title()));
        for entry in CATALOGUE.iter().filter(|entry| entry.group == group) {
            text.push_str(&format!(
                "\n### {}\n\n**{}** ({})\n\n{}\n\nNext step: {}\n",
                entry.name,
                entry.title,
                entry.severity.as_str(),
                entry.cause,
                entry.next_step
            ));
        }
    }
    firmware_settings(&mut text);
    lines_of_logs(&mut text);
    response_codes(&mut text);
    text
}

/// What `bootproof firmware scan` finds.
fn firmware_settings(text: &mut String) {
    text.push_str(
        "\n## Firmware settings, as BMCs tell them\n\n\
         What `bootproof firmware scan` finds. It is the BMC's word and changes no verdict: `fail` says that\n\
         the host would not be accepted or not be measured, `unknown` that the BMC does not say.\n",
    );
    for entry in CODES {
        text.push_str(&format!(
            "\n### firmware: {}\n\n**{}** ({}; who mends it: {})\n\n{}\n\nNext step: {}\n",
            entry.name,
            entry.title,
            entry.severity.as_str(),
            entry.by.as_str(),
            entry.cause,
            entry.next_step
        ));
    }
}

/// What `bootproof diagnose` recognises, as it is told.
fn lines_of_logs(text: &mut String) {
    text.push_str(
        "\n## Lines of logs\n\n\
         What `bootproof diagnose` recognises, by who prints it. `*` stands for what varies, `^` in front\n\
         says that the message begins so. A *cause* is to be mended, a *symptom* follows from something\n\
         else, and *harmless* lines stand in logs of sound hosts, too. The name in brackets is the\n\
         finding that is the same.\n",
    );
    for source in diagnose::Source::ALL {
        text.push_str(&format!("\n### Printed by {}\n", source.printed_by()));
        for row in diagnose::signatures().filter(|row| row.source == *source) {
            text.push_str(&format!("\n#### {}: {} ({}", row.id, row.says, row.role.as_str()));
            if let Some(code) = row.finding {
                text.push_str(&format!(", `{}`", code.as_str()));
            }
            text.push_str(")\n\n");
            match row.texts {
                [] => text.push_str(
                    "- a [response code](#response-codes) anywhere on a line about a TPM\n",
                ),
                texts => texts.iter().for_each(|line| text.push_str(&format!("- `{line}`\n"))),
            }
            text.push_str(&format!("\n{}\n\nNext step: {}\n", row.cause, row.next_step));
            if let Some(suspicion) = row.suspicion {
                text.push_str(&format!(
                    "\nPerhaps: {}. {} {}\n",
                    suspicion.says, suspicion.cause, suspicion.next_step
                ));
            }
        }
    }
}

/// The codes that people meet, as `bootproof tpm rc` explains them.
fn response_codes(text: &mut String) {
    text.push_str(
        "\n## Response codes\n\n\
         What TPMs and the software around them answer, as `bootproof tpm rc CODE` explains it and\n\
         `bootproof diagnose` finds it in logs. Here are those that people meet; the command knows all.\n\
         A *harmless* code says nothing by itself, one that is *passing* may be gone at the next try.\n",
    );
    for code in response_code::OFTEN_MET {
        let told = response_code::explain(*code);
        text.push_str(&format!(
            "\n### {told}\n\n({}, {})\n\n{}\n\nNext step: {}\n",
            told.origin,
            told.weight.as_str(),
            told.cause,
            told.next_step
        ));
    }
}

#[cfg(test)]
mod tests {
    #[test]
    fn documents_are_what_the_code_writes() {
        assert_eq!(super::check().unwrap(), Vec::<String>::new());
    }
}
