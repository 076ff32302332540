//! Documents that are generated: what the code knows is written down once.

use findings::{CATALOGUE, Group};

use crate::sh;

const TROUBLESHOOTING: &str = "docs/troubleshooting.md";

/// The faults: documents that are not what the code would write.
pub(crate) fn check() -> anyhow::Result<Vec<String>> {
    let kept = std::fs::read_to_string(sh::root().join(TROUBLESHOOTING)).unwrap_or_default();
    let fault = format!("{TROUBLESHOOTING} is out of date: `cargo xtask docs` writes it");
    Ok(if kept == troubleshooting() { Vec::new() } else { vec![fault] })
}

/// Writes them.
pub(crate) fn write() -> anyhow::Result<()> {
    std::fs::write(sh::root().join(TROUBLESHOOTING), troubleshooting())?;
    println!("written: {TROUBLESHOOTING}");
    Ok(())
}

fn troubleshooting() -> String {
    let mut text = String::from(
        "# Troubleshooting\n\n\
         <!-- Written by `cargo xtask docs` from the finding catalogue; edit that. -->\n\n\
         Each verdict names its findings. `bootproof explain CODE` prints the same as this page.\n\
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
    text
}
