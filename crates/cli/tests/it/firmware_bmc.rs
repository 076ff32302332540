//! `bootproof firmware` as a program, against emulated BMCs: changed, stopped, killed, taken back.

use std::{
    fs,
    io::{BufRead as _, BufReader, Read as _},
    os::unix::fs::PermissionsExt as _,
    path::{Path, PathBuf},
    process::{Child, Command, Output, Stdio},
};

use bmc_emulator::{Bmc, Fault, Injection, Options, PASSWORD, Rack, Tree, USER};
use serde_json::Value;

/// Some BMCs, and the files that a person would have for them.
struct Fleet {
    rack: Rack,
    bmcs: Vec<Bmc>,
    folder: tempfile::TempDir,
}

impl Fleet {
    /// One BMC over each of these small trees, in waves.
    fn of(trees: &[(&str, u32)]) -> Self {
        let rack = Rack::new().unwrap();
        let plug = |(tree, _): &(&str, u32)| {
            rack.plug(Tree::small(tree).unwrap().into(), Options::default()).unwrap()
        };
        let bmcs: Vec<_> = trees.iter().map(plug).collect();
        let folder = tempfile::tempdir().unwrap();
        let fleet = Self { rack, bmcs, folder };
        fs::write(fleet.path("ca.pem"), fleet.rack.ca_pem()).unwrap();
        let account = format!("[rack]\nuser = '{USER}'\npassword = '{PASSWORD}'\n");
        fs::write(fleet.path("credentials.toml"), account).unwrap();
        fs::set_permissions(fleet.path("credentials.toml"), fs::Permissions::from_mode(0o600))
            .unwrap();
        let mut csv = "name,address,wave\n".to_owned();
        for (n, ((tree, wave), bmc)) in trees.iter().zip(&fleet.bmcs).enumerate() {
            csv.push_str(&format!("{tree}-{n},{},{wave}\n", bmc.url()));
        }
        fs::write(fleet.path("inventory.csv"), csv).unwrap();
        fleet
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// The program with what the files of this fleet say.
    fn command(&self, verb: &str, more: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_bootproof"));
        command.current_dir(self.folder.path()).args(["firmware", verb]);
        command.args(["--inventory", "inventory.csv", "--ca", "ca.pem"]);
        command.args(["--credentials", "credentials.toml"]).args(more);
        for variable in
            ["BOOTPROOF_BMC_USER", "BOOTPROOF_BMC_PASSWORD", "BOOTPROOF_BMC_CREDENTIALS"]
        {
            command.env_remove(variable);
        }
        command
    }

    fn changing(&self, verb: &str, more: &[&str]) -> Command {
        let mut command = self.command(verb, more);
        command.args(["--yes", "--poll", "1ms", "--boot-limit", "20s", "--settle", "60ms"]);
        command
    }

    fn apply(&self, more: &[&str]) -> Output {
        let profile = ["--profile", "esxi-6.7"];
        self.changing("apply", &[&profile, more].concat()).output().unwrap()
    }

    fn assert_right(&self) {
        for bmc in &self.bmcs {
            let machine = bmc.machine();
            assert!(machine.secure_boot_in_force(), "{}", bmc.url());
            assert!(machine.pending().is_empty());
            assert_eq!(machine.sessions_open(), 0, "{}", bmc.url());
        }
    }
}

const ALL: [(&str, u32); 4] = [("dell", 1), ("hpe", 2), ("lenovo", 2), ("supermicro", 3)];

fn stdout(output: &Output) -> String {
    String::from_utf8(output.stdout.clone()).unwrap()
}

fn stderr(output: &Output) -> String {
    String::from_utf8(output.stderr.clone()).unwrap()
}

#[test]
fn a_fleet_is_changed_wave_by_wave_and_taken_back() {
    let fleet = Fleet::of(&ALL);
    let output = fleet.apply(&["--max-unavailable", "2"]);
    assert_eq!(output.status.code(), Some(0), "{}{}", stdout(&output), stderr(&output));
    fleet.assert_right();
    let text = stdout(&output);
    for word in ["TpmSecurity: Off → On", "Secure Boot: off → on", "PCR 7", "done"] {
        assert!(text.contains(word), "{word} is missing in {text}");
    }
    let output = fleet.command("scan", &["--profile", "esxi-6.7", "--json"]).output().unwrap();
    let scan: Value = serde_json::from_slice(&output.stdout).unwrap();
    for host in scan["hosts"].as_array().unwrap() {
        assert_ne!(host["outcome"], "not ready", "{host:#}");
    }
    // Again: all is as it should be, and nothing restarts.
    let boots: Vec<_> = fleet.bmcs.iter().map(|bmc| bmc.machine().boots()).collect();
    assert_eq!(boots, [2, 1, 1, 1]);
    let output = fleet.apply(&[]);
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    assert_eq!(boots, fleet.bmcs.iter().map(|bmc| bmc.machine().boots()).collect::<Vec<_>>());

    let output = fleet.changing("revert", &["--json"]).output().unwrap();
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    let told: Vec<Value> = serde_json::from_slice(&output.stdout).unwrap();
    assert!(told.iter().all(|host| host["result"] == "done"), "{told:?}");
    assert_eq!(fleet.bmcs[0].machine().attribute("TpmSecurity"), Some(&"Off".into()));
    assert!(fleet.bmcs.iter().all(|bmc| !bmc.machine().secure_boot_in_force()));
}

#[test]
fn the_first_failure_of_a_wave_is_the_last_host_that_is_begun() {
    let fleet = Fleet::of(&[("dell", 1), ("hpe", 1), ("hpe", 1), ("hpe", 2)]);
    fleet.bmcs[0].machine().inject(Fault::JobStuck);
    let output = fleet.apply(&["--json"]);
    assert_eq!(output.status.code(), Some(1));
    let told: Vec<Value> = serde_json::from_slice(&output.stdout).unwrap();
    let results: Vec<_> = told.iter().map(|host| host["result"].as_str().unwrap()).collect();
    assert_eq!(results, ["failed", "not begun", "not begun", "not begun"], "{told:?}");
    assert!(told[0]["why"].as_str().unwrap().contains("PR30"));
    assert!(fleet.bmcs.iter().all(|bmc| bmc.machine().boots() == 0));
    // The cause is mended: the same command goes on.
    fleet.bmcs[0].machine().clear_faults();
    let output = fleet.apply(&[]);
    assert_eq!(output.status.code(), Some(0), "{}{}", stdout(&output), stderr(&output));
    fleet.assert_right();
}

#[test]
fn one_wave_is_that_wave() {
    let fleet = Fleet::of(&ALL);
    let output = fleet.apply(&["--wave", "2"]);
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    let boots: Vec<_> = fleet.bmcs.iter().map(|bmc| bmc.machine().boots()).collect();
    assert_eq!(boots, [0, 1, 1, 0]);
    assert!(fleet.bmcs[0].machine().seen().is_empty(), "others are not even asked");
    assert_eq!(fleet.apply(&["--wave", "9"]).status.code(), Some(2));
}

/// Reads what the program tells until a line has `word`.
fn wait_for(child: &mut Child, word: &str) {
    let mut lines = BufReader::new(child.stderr.take().unwrap()).lines();
    let found = lines.by_ref().any(|line| line.unwrap().contains(word));
    assert!(found, "it never told of {word}");
    // The rest goes where nobody waits for it.
    std::thread::spawn(move || lines.count());
}

#[test]
fn a_program_that_is_killed_in_the_middle_goes_on_with_the_same_command() {
    for word in ["sets what", "restarts (", "waits until", "step 1 is in force", "step 2 of 2"] {
        let fleet = Fleet::of(&[("dell", 1)]);
        let mut command = fleet.changing("apply", &["--profile", "esxi-6.7"]);
        let mut child = command.stdout(Stdio::null()).stderr(Stdio::piped()).spawn().unwrap();
        wait_for(&mut child, word);
        child.kill().unwrap();
        child.wait().unwrap();
        let output = fleet.apply(&[]);
        assert_eq!(output.status.code(), Some(0), "{word}: {}{}", stdout(&output), stderr(&output));
        assert!(fleet.bmcs[0].machine().secure_boot_in_force(), "{word}");
        assert!(fleet.bmcs[0].machine().boots() <= 3, "{word}");
    }
}

#[test]
fn a_wish_to_stop_is_heard_between_two_acts() {
    let fleet = Fleet::of(&[("hpe", 1), ("hpe", 1)]);
    fleet.bmcs[0].machine().inject(Fault::NeverBoots);
    let mut command = fleet.changing("apply", &["--json"]);
    let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    wait_for(&mut child, "waits until");
    let pid = rustix::process::Pid::from_child(&child);
    rustix::process::kill_process(pid, rustix::process::Signal::INT).unwrap();
    let output = child.wait_with_output().unwrap();
    assert_eq!(output.status.code(), Some(1));
    let told: Vec<Value> = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(told[0]["result"], "stopped", "{told:?}");
    assert_eq!(told[1]["result"], "not begun", "{told:?}");
    fleet.bmcs[0].machine().clear_faults();
    let output = fleet.apply(&[]);
    assert_eq!(output.status.code(), Some(0), "{}{}", stdout(&output), stderr(&output));
    assert_eq!(fleet.bmcs[0].machine().boots(), 1);
}

#[test]
fn nobody_is_changed_unasked_or_outside_the_window() {
    let fleet = Fleet::of(&[("hpe", 1)]);
    let output = fleet.command("apply", &[]).stdin(Stdio::null()).output().unwrap();
    assert_eq!(output.status.code(), Some(2));
    assert!(stdout(&output).contains("Tpm") || stdout(&output).contains("Secure Boot"));
    assert!(stderr(&output).contains("--yes"));
    // A window of one minute that ended an hour ago.
    let hour = jiff::Timestamp::now().to_zoned_datetime(jiff::tz::TimeZone::system()).hour();
    let before = (hour + 22) % 24;
    let window = format!("{before:02}:00-{before:02}:01");
    let output = fleet.apply(&["--window", &window, "--json"]);
    assert_eq!(output.status.code(), Some(1), "{}", stderr(&output));
    let told: Vec<Value> = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(told[0]["result"], "stopped", "{told:?}");
    let changed = fleet.bmcs[0].machine().seen().iter().any(|seen| seen.method == "PATCH");
    assert!(!changed);
}

#[test]
fn a_bmc_that_is_not_known_is_not_asked_and_a_file_that_others_read_is_not_used() {
    let fleet = Fleet::of(&[("hpe", 1)]);
    let run = |args: &[&str]| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_bootproof"));
        command.current_dir(fleet.folder.path()).args(["firmware", "apply", "--yes"]).args(args);
        command.env_remove("BOOTPROOF_BMC_USER").stdin(Stdio::null()).output().unwrap()
    };
    let url = fleet.bmcs[0].url();
    let output = run(&["--bmc", &url, "--credentials", "credentials.toml"]);
    assert_eq!(output.status.code(), Some(2));
    assert!(stderr(&output).contains("--pin"), "{}", stderr(&output));
    let output = run(&["--bmc", &url, "--ca", "ca.pem"]);
    assert_eq!(output.status.code(), Some(2), "no account");
    fs::set_permissions(fleet.path("credentials.toml"), fs::Permissions::from_mode(0o644)).unwrap();
    let output = run(&["--bmc", &url, "--ca", "ca.pem", "--credentials", "credentials.toml"]);
    assert_eq!(output.status.code(), Some(2));
    assert!(stderr(&output).contains("chmod 600"), "{}", stderr(&output));
    assert!(fleet.bmcs[0].machine().seen().is_empty());
    // By its pin, with the account out of the environment.
    let mut command = Command::new(env!("CARGO_BIN_EXE_bootproof"));
    command.current_dir(fleet.folder.path()).args(["firmware", "apply", "--json", "--yes"]);
    command.args([
        "--bmc",
        &url,
        "--pin",
        fleet.bmcs[0].pin(),
        "--poll",
        "1ms",
        "--settle",
        "60ms",
    ]);
    command.env("BOOTPROOF_BMC_USER", USER).env("BOOTPROOF_BMC_PASSWORD", PASSWORD);
    let output = command.output().unwrap();
    assert_eq!(output.status.code(), Some(0), "{}{}", stdout(&output), stderr(&output));
    assert!(!stdout(&output).contains(PASSWORD) && !stderr(&output).contains(PASSWORD));
}

#[test]
fn a_broken_bmc_is_a_row_and_the_others_are_changed() {
    let fleet = Fleet::of(&[("hpe", 1), ("dell", 1)]);
    fleet.bmcs[0].machine().inject(Injection::new(Fault::Html));
    let output = fleet.apply(&["--json"]);
    assert_eq!(output.status.code(), Some(1));
    let told: Vec<Value> = serde_json::from_slice(&output.stdout).unwrap();
    let result = |name: &str| {
        let host = told.iter().find(|host| host["host"] == name).unwrap();
        host["result"].as_str().unwrap().to_owned()
    };
    assert_eq!(result("hpe-0"), "not changed");
    assert_eq!(result("dell-1"), "done");
}

/// Whether a file has the mode 0600.
fn is_private(path: &Path) -> bool {
    fs::metadata(path).unwrap().permissions().mode() & 0o777 == 0o600
}

#[test]
fn the_journal_is_its_owners_and_holds_no_secret() {
    let fleet = Fleet::of(&[("dell", 1)]);
    fleet.apply(&["--journal", "j"]);
    let path = fleet.path("j");
    assert!(is_private(&path));
    let mut text = String::new();
    fs::File::open(&path).unwrap().read_to_string(&mut text).unwrap();
    assert!(text.contains("Tpm2Algorithm") && !text.contains(PASSWORD));
}

#[test]
fn a_bmc_says_the_same_as_its_saved_tree() {
    let fleet = Fleet::of(&ALL);
    let json = |output: Output| -> Value {
        assert!(matches!(output.status.code(), Some(0 | 1)), "{}", stderr(&output));
        serde_json::from_slice(&output.stdout).unwrap()
    };
    let profile = ["--profile", "esxi-6.7", "--json"];
    let plans = json(fleet.command("plan", &profile).output().unwrap());
    let mut scan = json(fleet.command("scan", &profile).output().unwrap());
    assert_eq!(scan["failed"], Value::Array(Vec::new()));
    for (n, (tree, _)) in ALL.iter().enumerate() {
        let folder = fleet.path(tree);
        Tree::small(tree).unwrap().write(&folder).unwrap();
        let of_tree = |verb: &str| {
            let mut command = Command::new(env!("CARGO_BIN_EXE_bootproof"));
            command.args(["firmware", verb, "--tree"]).arg(&folder).args(profile);
            json(command.output().unwrap())
        };
        assert_eq!(plans[n], of_tree("plan")[0], "{tree}");
        let mut saved = of_tree("scan")["hosts"][0].take();
        let live = &mut scan["hosts"][n];
        assert_eq!(live["source"], format!("{tree}-{n}"));
        saved["source"] = live["source"].clone();
        assert_eq!(*live, saved, "{tree}");
    }
    let n_writes: usize = fleet.bmcs.iter().map(writes).sum();
    assert_eq!(n_writes, 0, "looking changes nothing");
}

/// Requests that may have changed something.
fn writes(bmc: &Bmc) -> usize {
    let machine = bmc.machine();
    let writes = machine.seen().iter().filter(|seen| {
        seen.method == "PATCH" || (seen.method == "POST" && !seen.path.contains("Sessions"))
    });
    writes.count()
}

#[test]
fn a_scan_tells_of_bmcs_that_cannot_be_asked_and_hides_no_other() {
    let fleet = Fleet::of(&[("dell", 1), ("hpe", 1), ("lenovo", 1), ("hpe", 1), ("hpe", 1)]);
    fleet.bmcs[0].machine().inject(Fault::Html);
    fleet.bmcs[1].machine().inject(Fault::HugeJson);
    fleet.bmcs[2].machine().inject(Fault::Hang);
    fleet.bmcs[3].machine().inject(Fault::SessionLost);
    let output = fleet.command("scan", &["--json", "--answer-limit", "300ms"]).output().unwrap();
    assert_eq!(output.status.code(), Some(1), "{}", stderr(&output));
    let scan: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(scan["hosts"].as_array().unwrap().len(), 1);
    assert_eq!(scan["hosts"][0]["source"], "hpe-4");
    let failed: Vec<_> =
        scan["failed"].as_array().unwrap().iter().map(|f| f["source"].as_str().unwrap()).collect();
    assert_eq!(failed, ["dell-0", "hpe-1", "lenovo-2", "hpe-3"]);
    // As a table: a line for each.
    let output = fleet.command("scan", &["--answer-limit", "300ms"]).output().unwrap();
    for word in ["dell-0", "hpe-1", "lenovo-2", "hpe-3", "hpe-4"] {
        assert!(stdout(&output).contains(word), "{word}: {}", stdout(&output));
    }
}

#[test]
fn labels_choose_and_an_account_may_be_named_for_each() {
    let fleet = Fleet::of(&[("hpe", 1), ("dell", 1)]);
    let account = format!(
        "[one]\nuser = '{USER}'\npassword = '{PASSWORD}'\n[two]\nuser = 'x'\npassword = 'wrong'\n"
    );
    fs::write(fleet.path("credentials.toml"), account).unwrap();
    let bmc = |n: usize, credential: &str, label: &str| {
        let (url, pin) = (fleet.bmcs[n].url(), fleet.bmcs[n].pin());
        format!(
            "[[bmc]]\naddress = '{url}'\npin = '{pin}'\nname = 'host-{n}'\n\
                 credential = '{credential}'\nlabels = ['{label}']\n"
        )
    };
    let text = bmc(0, "one", "rack 7") + &bmc(1, "two", "rack 8");
    fs::write(fleet.path("fleet.toml"), text).unwrap();
    let scan = |more: &[&str]| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_bootproof"));
        command.current_dir(fleet.folder.path()).args(["firmware", "scan", "--json"]);
        command.args(["--inventory", "fleet.toml", "--credentials", "credentials.toml"]).args(more);
        let output = command.output().unwrap();
        serde_json::from_slice::<Value>(&output.stdout)
            .unwrap_or_else(|_| panic!("{}", stderr(&output)))
    };
    let all = scan(&[]);
    assert_eq!(all["hosts"][0]["source"], "host-0");
    assert!(all["failed"][0]["error"].as_str().unwrap().contains("refuses the user name"));
    let one = scan(&["--label", "rack 7"]);
    assert_eq!(
        (one["hosts"].as_array().unwrap().len(), one["failed"].as_array().unwrap().len()),
        (1, 0)
    );
}
