//! What the documents say one can type can be typed: each command line of `docs/` and the README is read by the
//! command line's own definitions, and so is each option that a sentence names.

use clap::{Command, CommandFactory as _, error::ErrorKind};
use cli::args::Arguments;

/// A place where something is said to be typed.
struct Said {
    at: String,
    line: String,
    form: Form,
}

/// How it is said.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Form {
    /// To be typed as it stands.
    Whole,
    /// Within a sentence, which may leave out what the command is given.
    Named,
}

#[test]
fn each_command_of_the_documents_can_be_typed() {
    let mut faults = Vec::new();
    let mut n = 0;
    for said in said() {
        for words in commands(&said.line) {
            n += 1;
            if let Err(fault) = typed(&words, said.form) {
                faults.push(format!("{}: {}: {fault}", said.at, words.join(" ")));
            }
        }
    }
    assert_eq!(faults, Vec::<String>::new(), "{} faults", faults.len());
    assert!(n > 150, "only {n} commands were found");
}

#[test]
fn a_command_that_cannot_be_typed_is_found() {
    let words = |line: &str| commands(line).remove(0);
    for wrong in [
        "bootproof host lits",
        "bootproof host list --verdikt accepted",
        "bootproof nothing",
        "bootproof host show web-1 --frobnicate",
        "bootproof host label web-1",
    ] {
        assert!(typed(&words(wrong), Form::Whole).is_err(), "{wrong}");
    }
    for right in [
        "bootproof host list --verdict 'not accepted' # a remark",
        "bootproof host show HOST",
        "bootproof report fleet --format csv --out - | head",
        "bootproof host …",
        "bootproof report fleet|host|readiness --format pdf|html",
        "bootproof host label web-1 --set site=muc",
    ] {
        assert_eq!(typed(&words(right), Form::Whole), Ok(()), "{right}");
    }
    assert_eq!(words("journalctl -k | bootproof diagnose - > out"), ["bootproof", "diagnose", "-"]);
}

/// What pages, findings and hints tell people to type, out of the sources: between marks of code, on one line.
fn said_by_programs() -> Vec<Said> {
    let root = concat!(env!("CARGO_MANIFEST_DIR"), "/..");
    let mut folders = Vec::new();
    for name in [
        "agent", "api", "cli", "client", "doctor", "findings", "firmware", "pages", "report",
        "server",
    ] {
        folders.extend([format!("{root}/{name}/src"), format!("{root}/{name}/templates")]);
    }
    let mut said = Vec::new();
    while let Some(folder) = folders.pop() {
        let Ok(entries) = std::fs::read_dir(&folder) else { continue };
        for path in entries.map(|entry| entry.unwrap().path()) {
            let at = path.display().to_string();
            if path.is_dir() {
                folders.push(at);
                continue;
            }
            let (begin, end) = match path.extension().and_then(|kind| kind.to_str()) {
                Some("rs") => ("`bootproof ", '`'),
                Some("html") => ("<code>bootproof ", '<'),
                _ => continue,
            };
            // A text may go on in the next line of its source.
            let text = std::fs::read_to_string(&path).unwrap();
            let parts = text.split("\\\n").map(str::trim_start).collect::<Vec<_>>().join("");
            for line in parts.lines() {
                let spans = line.split(begin).skip(1).filter_map(|rest| rest.split_once(end));
                let spans = spans.map(|(span, _)| format!("bootproof {span}"));
                // What a program puts in is known when it runs.
                said.extend(spans.filter(|span| !span.contains(['{', '\\'])).map(|line| Said {
                    at: at.clone(),
                    line,
                    form: Form::Named,
                }));
            }
        }
    }
    assert!(said.len() > 150, "only {} commands were found in the sources", said.len());
    said
}

/// All lines of blocks of code, and code within sentences.
fn said() -> Vec<Said> {
    let root = concat!(env!("CARGO_MANIFEST_DIR"), "/../..");
    let readme = std::fs::read_to_string(format!("{root}/README.md")).unwrap();
    let readme: &'static str = readme.leak();
    let files = handbook::FILES.iter().map(|(name, text)| (format!("docs/{name}.md"), *text));
    let mut said = said_by_programs();
    for (file, text) in files.chain([("README.md".to_owned(), readme)]) {
        let text = handbook::read(text);
        for block in &text.code_blocks {
            let joined = block.replace("\\\n", " ");
            said.extend(joined.lines().map(|line| Said {
                at: file.clone(),
                line: line.to_owned(),
                form: Form::Whole,
            }));
        }
        // In a sentence a command may go on in the next line.
        let spans = text.code_spans.iter().map(|span| span.replace('\n', " "));
        said.extend(spans.map(|line| Said { at: file.clone(), line, form: Form::Named }));
    }
    said
}

/// The commands of `bootproof` on a line of a shell, as words.
fn commands(line: &str) -> Vec<Vec<String>> {
    let mut commands = Vec::new();
    let mut words: Vec<String> = Vec::new();
    let mut word: Option<String> = None;
    let mut quote = None;
    let mut chars = line.chars().peekable();
    let mut end = |words: &mut Vec<String>| {
        // `$ ` in front, and variables that are set, are not of the command.
        let at = words.iter().position(|word| word == "bootproof");
        let is_first =
            |at: &usize| words[..*at].iter().all(|word| word == "$" || word.contains('='));
        if let Some(at) = at.filter(is_first) {
            commands.push(words.split_off(at));
        }
        words.clear();
    };
    while let Some(c) = chars.next() {
        match (quote, c) {
            (Some(open), c) if c == open => quote = None,
            (Some(_), c) => word.get_or_insert_default().push(c),
            (None, '\'' | '"') => {
                quote = Some(c);
                word.get_or_insert_default();
            }
            (None, '#') if word.is_none() => break,
            (None, ' ' | '\t') => words.extend(word.take()),
            // An alternative has no space around it.
            (None, '|') if word.is_none() || chars.peek() == Some(&' ') => {
                words.extend(word.take());
                end(&mut words);
            }
            (None, ';' | '(' | ')') => {
                words.extend(word.take());
                end(&mut words);
            }
            (None, '&' | '>' | '<') if word.is_none() => {
                if c == '&' {
                    end(&mut words);
                } else {
                    // What follows is a file.
                    while chars.next_if(|c| *c == ' ' || *c == '>').is_some() {}
                    while chars.next_if(|c| *c != ' ').is_some() {}
                }
            }
            (None, c) => word.get_or_insert_default().push(c),
        }
    }
    words.extend(word.take());
    end(&mut words);
    commands
}

/// Whether this can be typed: commands and options are there, and where it is whole it is accepted.
fn typed(words: &[String], form: Form) -> Result<(), String> {
    let mut command = Arguments::command();
    command.build();
    known(&command, &words[1..])?;
    let is_left_open =
        |word: &String| word.contains('…') || word.contains('[') || word.contains('|');
    if words.iter().any(is_left_open) {
        return Ok(());
    }
    let is_placeholder = |word: &String| word.len() > 2 && word.chars().all(char::is_uppercase);
    let Err(err) = command.try_get_matches_from(words) else { return Ok(()) };
    let is_well = match err.kind() {
        ErrorKind::DisplayHelp
        | ErrorKind::DisplayVersion
        | ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand
        | ErrorKind::MissingSubcommand => true,
        ErrorKind::MissingRequiredArgument => form == Form::Named,
        // `PIN` stands for one.
        ErrorKind::ValueValidation => words.iter().any(is_placeholder),
        _ => false,
    };
    let said = || err.to_string().lines().next().unwrap_or_default().to_owned();
    if is_well { Ok(()) } else { Err(said()) }
}

/// Whether each word that stands where a command must is one, and each option is known there.
fn known(command: &Command, words: &[String]) -> Result<(), String> {
    let mut at = command.clone();
    at.build();
    for (n, word) in words.iter().enumerate() {
        if let Some(option) = word.strip_prefix("--") {
            let name = option.split(['=', '|']).next().unwrap_or_default();
            let has = |command: &Command| {
                command.get_arguments().any(|argument| {
                    argument.get_long() == Some(name)
                        || argument.get_all_aliases().is_some_and(|all| all.contains(&name))
                })
            };
            if !name.is_empty() && !matches!(name, "help" | "version") && !has(&at) {
                return Err(format!("{} has no option --{name}", at.get_name()));
            }
            continue;
        }
        if !at.has_subcommands() || word.starts_with('-') {
            continue;
        }
        let is_placeholder = |word: &str| {
            word == "…" || word.starts_with('[') || word.chars().all(|c| !c.is_lowercase())
        };
        let first = word.split('|').next().unwrap_or_default();
        if n > 0
            && words[n - 1].starts_with("--")
            && !word.contains('|')
            && at.find_subcommand(first).is_none()
        {
            // What an option of all commands is given.
            continue;
        }
        for one in word.split('|') {
            if is_placeholder(one) {
                return Ok(());
            }
            if at.find_subcommand(one).is_none() {
                return Err(format!("{} has no command {one:?}", at.get_name()));
            }
        }
        let Some(next) = at.find_subcommand(first) else { return Ok(()) };
        at = next.clone();
        at.build();
    }
    Ok(())
}
