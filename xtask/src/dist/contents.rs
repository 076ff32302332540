//! What goes into which package.

use std::path::Path;

use anyhow::Context as _;

use super::{
    package::{Content, File, Kind, Package},
    programs::{Programs, libc_version},
};
use crate::{sh, static_program::is_static};

/// Shells for which there are completions: the name, and where Debian looks for them.
const SHELLS: [(&str, &str, &str, &str); 3] = [
    ("bash", "usr/share/bash-completion/completions/", "", ""),
    ("zsh", "usr/share/zsh/vendor-completions/", "_", ""),
    ("fish", "usr/share/fish/vendor_completions.d/", "", ".fish"),
];

pub(super) const AGENT: &str = "bootproof-agent";
pub(super) const SERVER: &str = "bootproof-server";
pub(super) const CLI: &str = "bootproof";

/// Puts units into place in whichever order packages come.
const INIT_HELPERS: (&str, &str) = ("Pre-Depends", "init-system-helpers (>= 1.54~)");

/// All packages; times in them are `epoch`.
pub(super) fn packages(programs: &Programs, epoch: u64) -> anyhow::Result<Vec<Package>> {
    let dynamic = |program: &Path| -> anyhow::Result<String> {
        Ok(format!("libc6 (>= {}), libgcc-s1", libc_version(program)?))
    };
    let init = || (INIT_HELPERS.0, INIT_HELPERS.1.to_owned());
    Ok(vec![
        Package {
            name: AGENT,
            description: (
                "sends quotes and event logs of this host to a Bootproof server",
                "A courier: it reads the TPM, the boot log and facts of the host, and judges nothing. One\n\
                 static program. Its service waits until `bootproof-agent join` made the host a member.",
            ),
            relations: vec![init()],
            files: common(
                "agent",
                AGENT,
                &programs.agent,
                epoch,
                [unit(AGENT)?, configuration("etc/default/bootproof-agent", "default")?],
            )?,
            scripts: vec![
                ("postinst", script(&["postinst.unit"], AGENT)?),
                ("prerm", script(&["prerm.unit"], AGENT)?),
                ("postrm", script(&["postrm.unit", "postrm.agent"], AGENT)?),
            ],
        },
        Package {
            name: SERVER,
            description: (
                "attests hosts: did Secure Boot do its job?",
                "Keeps the inventory, challenges TPMs, and judges what booted. One process with one SQLite\n\
                 file in /var/lib/bootproof; set `names` in /etc/bootproof/server.toml.",
            ),
            relations: vec![
                init(),
                (
                    "Depends",
                    format!(
                        "{}, systemd | systemd-standalone-sysusers",
                        dynamic(&programs.server)?
                    ),
                ),
                ("Recommends", CLI.to_owned()),
            ],
            files: common(
                "server",
                SERVER,
                &programs.server,
                epoch,
                [
                    unit(SERVER)?,
                    packaged("usr/lib/sysusers.d/bootproof.conf", "sysusers.d/bootproof.conf")?,
                    configuration("etc/default/bootproof-server", "default")?,
                    configuration("etc/bootproof/server.toml", "")?,
                ]
                .into_iter()
                .chain(book()?),
            )?,
            scripts: vec![
                ("postinst", script(&["postinst.user", "postinst.unit"], SERVER)?),
                ("prerm", script(&["prerm.unit"], SERVER)?),
                ("postrm", script(&["postrm.unit", "postrm.server"], SERVER)?),
            ],
        },
        Package {
            name: CLI,
            description: (
                "asks a Bootproof server, and judges evidence without one",
                "The administrator's command: hosts, verdicts and their causes, tokens, trust, references,\n\
                 policies; event logs and folders of evidence on its own.",
            ),
            relations: match is_static(&programs.cli)? {
                true => Vec::new(),
                false => vec![("Depends", dynamic(&programs.cli)?)],
            },
            files: common("cli", CLI, &programs.cli, epoch, [])?,
            scripts: Vec::new(),
        },
    ])
}

/// What each package has (the program, what it says of itself, copyright and changes), and behind it
/// what only this one has.
fn common(
    krate: &str,
    name: &str,
    program: &Path,
    epoch: u64,
    more: impl IntoIterator<Item = File>,
) -> anyhow::Result<Vec<File>> {
    let plain = |path: String, content| File { path, content, kind: Kind::Plain };
    let mut files = vec![
        File {
            path: format!("usr/bin/{name}"),
            content: Content::Of(program.to_owned()),
            kind: Kind::Program,
        },
        plain(format!("usr/share/doc/{name}/copyright"), Content::Text(copyright(krate)?)),
        plain(
            format!("usr/share/doc/{name}/changelog.gz"),
            Content::Packed(debian_changelog(name, epoch)?),
        ),
        plain(
            format!("usr/share/doc/{name}/CHANGELOG.md.gz"),
            Content::Packed(std::fs::read_to_string(sh::root().join("CHANGELOG.md"))?),
        ),
    ];
    for (shell, folder, front, back) in SHELLS {
        let script = sh::output(program, &["completions", shell])?;
        files.push(plain(format!("{folder}{front}{name}{back}"), Content::Text(script)));
    }
    let pages = tempfile::tempdir()?;
    sh::output(program, &["man", &pages.path().to_string_lossy()])?;
    for page in std::fs::read_dir(pages.path())? {
        let page = page?;
        let text = std::fs::read_to_string(page.path())?;
        let path = format!("usr/share/man/man1/{}.gz", page.file_name().to_string_lossy());
        files.push(plain(path, Content::Packed(text)));
    }
    files.extend(more);
    Ok(files)
}

/// The chapters of the book, as they are written: for a pager, and where no server runs.
fn book() -> anyhow::Result<Vec<File>> {
    let mut files = Vec::new();
    for entry in std::fs::read_dir(sh::root().join("docs"))? {
        let path = entry?.path();
        let Some(name) = path.file_name().and_then(|name| name.to_str()) else { continue };
        if name.ends_with(".md") {
            files.push(File {
                path: format!("usr/share/doc/{SERVER}/book/{name}"),
                content: Content::Text(std::fs::read_to_string(&path)?),
                kind: Kind::Plain,
            });
        }
    }
    // As a folder lists them is no order.
    files.sort_by(|one, other| one.path.cmp(&other.path));
    Ok(files)
}

fn packaging(name: &str) -> anyhow::Result<String> {
    let path = sh::root().join("packaging").join(name);
    std::fs::read_to_string(&path).with_context(|| format!("{}", path.display()))
}

fn packaged(path: &str, from: &str) -> anyhow::Result<File> {
    let content = Content::Text(packaging(from)?);
    Ok(File { path: path.to_owned(), content, kind: Kind::Plain })
}

fn unit(name: &str) -> anyhow::Result<File> {
    packaged(&format!("lib/systemd/system/{name}.service"), &format!("{name}.service"))
}

/// A file of the administrator, which lies below `packaging` in `folder` under the same name.
fn configuration(path: &str, folder: &str) -> anyhow::Result<File> {
    let name = path.rsplit('/').next().unwrap_or(path);
    let from = if folder.is_empty() { name.to_owned() } else { format!("{folder}/{name}") };
    Ok(File { kind: Kind::Configuration, ..packaged(path, &from)? })
}

fn script(parts: &[&str], name: &str) -> anyhow::Result<String> {
    let mut text = "#!/bin/sh\nset -e\n".to_owned();
    for part in parts {
        text.push_str(&packaging(&format!("debian/{part}"))?);
    }
    Ok(text.replace("@UNIT@", &format!("{name}.service")))
}

/// The licence of ours, and the crates that the program contains with theirs.
fn copyright(krate: &str) -> anyhow::Result<String> {
    let mit = std::fs::read_to_string(sh::root().join("LICENSE-MIT"))?;
    // Fields of such a file go on in lines with a space in front, an empty one as a dot.
    let field = |text: &str| {
        let lines = text.trim().lines().map(|line| match line.trim() {
            "" => " .".to_owned(),
            line => format!(" {line}"),
        });
        lines.collect::<Vec<_>>().join("\n")
    };
    let cargo = sh::cargo();
    let tree = ["tree", "--locked", "-p", krate, "-e", "normal,no-proc-macro", "--prefix", "none"];
    let listed = sh::output(cargo, &[&tree[..], &["--no-dedupe", "-f", "{p} {l}"]].concat())?;
    let mut crates: Vec<&str> = listed.lines().filter(|line| !line.contains(" (/")).collect();
    crates.sort_unstable();
    crates.dedup();
    let text = packaging("debian/copyright")?;
    let ofl = std::fs::read_to_string(sh::root().join("crates/fleet-report/fonts/OFL.txt"))?;
    let text = text.replace("@MIT@", &field(&mit)).replace("@OFL@", &field(&ofl));
    Ok(text.replace("@CRATES@", &field(&crates.join("\n"))))
}

/// A changelog as Debian wants it, with one entry that names ours.
fn debian_changelog(name: &str, epoch: u64) -> anyhow::Result<String> {
    let date = sh::output("date", &["-u", "-R", "-d", &format!("@{epoch}")])?;
    Ok(format!(
        "{name} ({}) unstable; urgency=medium\n\n  * What changed is in CHANGELOG.md.\n\n -- {}  {}\n",
        super::build::VERSION,
        super::build::MAINTAINER,
        date.trim()
    ))
}
