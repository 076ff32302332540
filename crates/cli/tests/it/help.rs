//! What the program says of itself when it is asked, or when it is asked nothing.

use std::{
    io::Read as _,
    process::{Command, Stdio},
};

use clap::{CommandFactory as _, Parser as _};
use cli::args::Arguments;

/// The help of a command, its words parted by single spaces; and its subcommands.
fn help(path: &[String]) -> (String, Vec<String>) {
    let words = ["bootproof".to_owned()].into_iter().chain(path.iter().cloned());
    let help = Arguments::try_parse_from(words.chain(["--help".to_owned()])).unwrap_err();
    let text = help.to_string();
    let mut names = Vec::new();
    let list = text.split_once("Commands:\n").map(|(_, list)| list).unwrap_or_default();
    for line in list.lines().take_while(|line| !line.is_empty()) {
        // What goes on from the line above is further to the right.
        if let Some(name) = line.strip_prefix("  ").filter(|line| !line.starts_with(' ')) {
            names.push(name.split(' ').next().unwrap().to_owned());
        }
    }
    names.retain(|name| name != "help");
    (text.split_whitespace().collect::<Vec<_>>().join(" "), names)
}

fn walk(path: &[String], each: &mut impl FnMut(&str, &str, &[String], &str)) {
    let (listed, names) = help(path);
    for name in names {
        let below = [path, &[name]].concat();
        let (help, verbs) = help(&below);
        each(&below.join(" "), &help, &verbs, &listed);
        walk(&below, each);
    }
}

#[test]
fn a_command_says_of_itself_what_its_list_says_of_it_and_has_an_example() {
    let mut n = 0;
    walk(&[], &mut |path, help, verbs, listed| {
        n += 1;
        let (about, rest) = help.split_once(" Usage: ").unwrap();
        // A longer text begins with the shorter one that the list has.
        let begins = about.split(' ').take(5).collect::<Vec<_>>().join(" ");
        let name = path.rsplit(' ').next().unwrap();
        let is_told = listed.contains(&format!(" {name} {begins}"));
        assert!(is_told, "{path}: {about:?} is not what the list says: {listed}");
        assert!(!verbs.is_empty() || rest.contains("Example"), "{path}: no example");
    });
    assert!(n > 100, "{n} commands");
}

#[test]
fn no_line_of_the_help_is_broken_by_a_terminal() {
    // The parser breaks lines there, also within texts that are lines already.
    const COLUMNS_MAX: usize = 100;
    let mut all = Arguments::command();
    all.build();
    let mut left = vec![all];
    while let Some(command) = left.pop() {
        for help in [command.get_after_help(), command.get_after_long_help()].into_iter().flatten()
        {
            let text = help.to_string();
            let lines: Vec<_> = text.lines().collect();
            for two in lines.windows(2) {
                // One that is a paragraph by itself may be broken.
                let goes_on = !two[1].is_empty();
                let is_wide = two[0].chars().count() > COLUMNS_MAX;
                assert!(!(goes_on && is_wide), "{}: {}", command.get_name(), two[0]);
            }
        }
        left.extend(command.get_subcommands().cloned());
    }
}

#[test]
fn a_noun_alone_is_answered_with_its_verbs() {
    for (words, verb) in
        [(&[][..], "  host "), (&["host"], "  reconnect "), (&["token"], "  revoke ")]
    {
        for context in [None, Some("/nonexistent/context.toml")] {
            let mut command = Command::new(env!("CARGO_BIN_EXE_bootproof"));
            command.args(words).env_remove("BOOTPROOF_CONTEXT");
            let output = command.envs(context.map(|file| ("BOOTPROOF_CONTEXT", file))).output();
            let output = output.unwrap();
            assert_eq!(output.status.code(), Some(2));
            let said = String::from_utf8(output.stderr).unwrap();
            assert!(
                said.contains("Usage: bootproof") && said.contains(verb),
                "{context:?}: {said}"
            );
        }
    }
}

#[test]
fn a_reader_that_goes_away_is_no_fault() {
    for words in [&["completions", "zsh"][..], &["explain"], &["policy", "show"]] {
        let mut child = Command::new(env!("CARGO_BIN_EXE_bootproof"))
            .args(words)
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        drop(child.stdout.take());
        let mut said = String::new();
        child.stderr.take().unwrap().read_to_string(&mut said).unwrap();
        assert_eq!((child.wait().unwrap().code(), &*said), (Some(0), ""), "{words:?}");
    }
}
