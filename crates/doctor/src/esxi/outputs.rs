//! The words of ESXi's commands that say something of attestation. Only commands that VMware documents:
//! what else the web has of `esxcli … tpm …` was never seen on a host.

/// What outputs say of one thing.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Said<T> {
    /// No output says anything.
    #[default]
    Nothing,
    /// All that say anything say this.
    This(T),
    /// Two say different things.
    Contradicted,
}

impl<T: PartialEq> Said<T> {
    fn say(&mut self, value: T) {
        *self = match std::mem::take(self) {
            Self::Nothing => Self::This(value),
            Self::This(before) if before == value => Self::This(value),
            Self::This(_) | Self::Contradicted => Self::Contradicted,
        };
    }

    /// What is said, where it is one thing.
    pub const fn known(&self) -> Option<&T> {
        match self {
            Self::This(value) => Some(value),
            Self::Nothing | Self::Contradicted => None,
        }
    }
}

/// Names of VIBs that are kept: a person looks at the first few.
const VIBS_MAX: usize = 8;
/// Characters of a name or a version that are kept: vendors' are below 40.
const WORD_CHARS_MAX: usize = 64;

/// What the outputs of one host say.
#[derive(Clone, Debug, Default)]
pub struct Outputs {
    /// The version of ESXi: `8.0.3`.
    pub version: Said<String>,
    /// `secureBoot.py -s`: whether Secure Boot was on when the host started.
    pub secure_boot: Said<bool>,
    /// `secureBoot.py -c` says that it could be.
    pub could_be_on: Said<bool>,
    /// `esxcli software acceptance get`: whether it is CommunitySupported.
    pub takes_unsigned: Said<bool>,
    /// `esxcli software vib list` was given.
    pub vib_list: bool,
    /// Names of VIBs of the level CommunitySupported, a few.
    pub unsigned_vibs: Vec<String>,
    /// `esxcli hardware trustedboot get`: Tpm Present.
    pub tpm_present: Said<bool>,
    /// The same: Drtm Enabled.
    pub dynamic_launch: Said<bool>,
    /// `esxcli system settings encryption get`: whether the mode is TPM.
    pub sealed: Said<bool>,
    /// The same: Require Secure Boot.
    pub secure_boot_enforced: Said<bool>,
    /// The same: Require Executables Only From Installed VIBs.
    pub installed_only: Said<bool>,
    /// `esxcli system settings encryption recovery list`: how many keys, which are not kept.
    pub recovery_keys: Said<u32>,
    /// `esxcli system security keypersistence get`.
    pub key_persistence: Said<bool>,
    /// vsish: the TPM's maker, `NTC`.
    pub vendor: Said<String>,
    /// vsish: its firmware's version.
    pub firmware_version: Said<String>,
}

/// The command under whose line others stand.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Command {
    SecureBootStatus,
    Acceptance,
    VibList,
    RecoveryList,
    KeyPersistence,
    Vendor,
    FirmwareVersion,
    Version,
    /// None of them, or one that needs no line of its own: its words are known by their names.
    Other,
}

/// Parts of a command's line, in small letters.
const COMMANDS: &[(&str, Command)] = &[
    ("secureboot.py -s", Command::SecureBootStatus),
    ("secureboot.py --status", Command::SecureBootStatus),
    ("software acceptance get", Command::Acceptance),
    ("software vib list", Command::VibList),
    ("encryption recovery list", Command::RecoveryList),
    ("keypersistence get", Command::KeyPersistence),
    ("tpmdriver/vendor", Command::Vendor),
    ("tpmdriver/firmware/version", Command::FirmwareVersion),
    ("vmware -v", Command::Version),
    ("system version get", Command::Version),
    ("secureboot.py -c", Command::Other),
    ("trustedboot get", Command::Other),
    ("encryption get", Command::Other),
];

impl Outputs {
    /// Reads a text that is clean and has no secrets any more.
    pub(super) fn read(&mut self, text: &str) {
        let mut lines = text.lines().map(str::trim).filter(|line| !line.is_empty());
        if let (Some(only), None) = (lines.next(), lines.next()) {
            // `secureBoot.py -s > file`: no other of these commands prints this word alone.
            self.status(only);
            self.acceptance(only);
        }
        let mut command = Command::Other;
        let mut keys = None;
        for line in text.lines().map(str::trim).filter(|line| !line.is_empty()) {
            if let Some(of_line) = command_of(line) {
                self.end(&mut keys);
                command = of_line;
                // On one line with its answer, as people write it down: `command -> answer`.
                match line.split_once("->") {
                    Some((_, answer)) => self.under(command, answer.trim(), &mut keys),
                    None => continue,
                }
            } else {
                self.under(command, line, &mut keys);
            }
        }
        self.end(&mut keys);
    }

    fn under(&mut self, command: Command, line: &str, keys: &mut Option<u32>) {
        self.by_name(line);
        self.recovery(line, keys);
        let lower = line.to_ascii_lowercase();
        if lower.starts_with("secure boot can be enabled") {
            self.could_be_on.say(true);
        } else if lower.starts_with("secure boot cannot be enabled") {
            self.could_be_on.say(false);
        }
        // `VMware ESXi 8.0.3 build-24022510`, by its own command and at the head of many reports.
        if let Some(version) = version_in(line, "ESXi ").or_else(|| version_in(line, "VMware ESX "))
        {
            self.version.say(version);
        }
        match command {
            Command::SecureBootStatus => self.status(line),
            Command::Acceptance => self.acceptance(line),
            Command::VibList => self.vib(line),
            Command::KeyPersistence => self.persistence(&lower),
            Command::Vendor if is_word(line) => {
                self.vendor.say(kept(line.rsplit([' ', ':']).next().unwrap_or(line)));
            }
            Command::FirmwareVersion if is_word(line) => {
                self.firmware_version.say(kept(line.rsplit([' ', ':']).next().unwrap_or(line)));
            }
            Command::Version => {
                if let Some(version) = version_in(line, "Version: ") {
                    self.version.say(version);
                }
            }
            _ => {}
        }
        if lower.contains("acceptance level") && lower.contains("vendor") {
            // The head of the list of VIBs, without the line of its command.
            self.vib_list = true;
        } else if self.vib_list && command == Command::Other {
            self.vib(line);
        }
    }

    /// Lines `Name: value`, as esxcli, its JSON, and PowerCLI write them.
    fn by_name(&mut self, line: &str) {
        let Some((name, value)) = line.split_once(':') else { return };
        let is_sign = |c: char| c == '"' || c == ',' || c == ' ';
        let name: String = name.chars().filter(|c| !is_sign(*c)).collect();
        let value = value.trim_matches(is_sign).to_ascii_lowercase();
        let truth = match value.as_str() {
            "true" => Some(true),
            "false" => Some(false),
            _ => None,
        };
        match (name.to_ascii_lowercase().as_str(), truth) {
            ("mode", _) if value == "tpm" => self.sealed.say(true),
            ("mode", _) if value == "none" => self.sealed.say(false),
            ("requiresecureboot", Some(is)) => self.secure_boot_enforced.say(is),
            ("requireexecutablesonlyfrominstalledvibs", Some(is)) => self.installed_only.say(is),
            ("drtmenabled", Some(is)) => self.dynamic_launch.say(is),
            ("tpmpresent", Some(is)) => self.tpm_present.say(is),
            _ => {}
        }
    }

    fn status(&mut self, line: &str) {
        match line {
            "Enabled" => self.secure_boot.say(true),
            "Disabled" => self.secure_boot.say(false),
            _ => {}
        }
    }

    fn acceptance(&mut self, line: &str) {
        match line {
            "CommunitySupported" => self.takes_unsigned.say(true),
            "VMwareCertified" | "VMwareAccepted" | "PartnerSupported" => {
                self.takes_unsigned.say(false);
            }
            _ => {}
        }
    }

    fn vib(&mut self, line: &str) {
        let mut words = line.split_whitespace();
        let Some(name) = words.next() else { return };
        let is_level = |word: &str| {
            ["VMwareCertified", "VMwareAccepted", "PartnerSupported", "CommunitySupported"]
                .contains(&word)
        };
        let Some(level) = words.find(|word| is_level(word)) else { return };
        self.vib_list = true;
        let name = kept(name);
        if level == "CommunitySupported"
            && self.unsigned_vibs.len() < VIBS_MAX
            && !self.unsigned_vibs.contains(&name)
        {
            self.unsigned_vibs.push(name);
        }
    }

    fn persistence(&mut self, lower: &str) {
        let value = lower.rsplit(':').next().unwrap_or(lower).trim();
        match value {
            "true" | "enabled" => self.key_persistence.say(true),
            "false" | "disabled" => self.key_persistence.say(false),
            _ if lower.contains("does not have a tpm") || lower.contains("not supported") => {
                self.key_persistence.say(false);
            }
            _ => {}
        }
    }

    /// Rows of the list of recovery keys: an identifier in braces, and what is left of the key.
    fn recovery(&mut self, line: &str, keys: &mut Option<u32>) {
        let lower = line.to_ascii_lowercase();
        if lower.starts_with("recovery id") {
            keys.get_or_insert(0);
        } else if line.starts_with('{') && line.contains("[removed: recovery key]") {
            *keys = Some(keys.unwrap_or(0).saturating_add(1));
        }
    }

    /// A list of recovery keys has ended.
    fn end(&mut self, keys: &mut Option<u32>) {
        if let Some(n) = keys.take() {
            self.recovery_keys.say(n);
        }
    }
}

/// The command of a line that has one, with its prompt or without; of a prompt with any other command
/// [`Command::Other`], since what stands below is that one's.
fn command_of(line: &str) -> Option<Command> {
    let lower = line.to_ascii_lowercase();
    let known = COMMANDS.iter().find(|(part, _)| lower.contains(part));
    if let Some((_, command)) = known {
        return Some(*command);
    }
    let is_prompt =
        lower.starts_with("[root@") || lower.starts_with("~ #") || lower.starts_with("ps ");
    is_prompt.then_some(Command::Other)
}

/// The version behind `lead`: numbers with dots between, two at least.
fn version_in(line: &str, lead: &str) -> Option<String> {
    let behind = line.get(line.find(lead)? + lead.len()..)?;
    let end = behind.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(behind.len());
    let version = behind.get(..end)?.trim_matches('.');
    (version.contains('.') && version.len() < WORD_CHARS_MAX).then(|| version.to_owned())
}

/// Whether a line is an answer of vsish and no complaint.
fn is_word(line: &str) -> bool {
    !line.contains("failed") && line.split_whitespace().count() <= 4
}

fn kept(word: &str) -> String {
    word.chars().filter(|c| c.is_ascii_graphic()).take(WORD_CHARS_MAX).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn outputs(text: &str) -> Outputs {
        let mut outputs = Outputs::default();
        outputs.read(&redaction::text(text).text);
        outputs
    }

    #[test]
    fn words_are_known_by_their_names_whoever_writes_them() {
        for text in [
            "   Mode: TPM\n   Require Executables Only From Installed VIBs: false\n   Require Secure Boot: true\n",
            "Mode                                    : TPM\nRequireExecutablesOnlyFromInstalledVIBs : false\n\
             RequireSecureBoot                       : true\n",
            "{\n \"Mode\": \"TPM\",\n \"Require Executables Only From Installed VIBs\": false,\n \
             \"Require Secure Boot\": true\n}\n",
        ] {
            let said = outputs(text);
            assert_eq!(said.sealed, Said::This(true), "{text}");
            assert_eq!(said.installed_only, Said::This(false));
            assert_eq!(said.secure_boot_enforced, Said::This(true));
            assert_eq!(said.tpm_present, Said::Nothing);
        }
    }

    #[test]
    fn a_bare_word_counts_under_its_command_or_alone() {
        let prompt = "[root@esx-1:~] /usr/lib/vmware/secureboot/bin/secureBoot.py -s";
        assert_eq!(outputs(&format!("{prompt}\nEnabled\n")).secure_boot, Said::This(true));
        assert_eq!(outputs("Disabled\n").secure_boot, Said::This(false));
        assert_eq!(outputs("x\nEnabled\n").secure_boot, Said::Nothing, "nobody knows of what");
        let other = format!("{prompt}\n[root@esx-1:~] esxcli network firewall get\nEnabled\n");
        assert_eq!(outputs(&other).secure_boot, Said::Nothing);
        let keys = "# esxcli system security keypersistence get\n   Enabled: false\n";
        assert_eq!(outputs(keys).key_persistence, Said::This(false));
        assert_eq!(outputs("   Enabled: false\n").key_persistence, Said::Nothing);
    }

    #[test]
    fn what_outputs_contradict_is_not_known() {
        let said = outputs("   Tpm Present: true\n   Tpm Present: false\n   Tpm Present: false\n");
        assert_eq!(said.tpm_present, Said::Contradicted);
        assert_eq!(outputs("Tpm Present: true\nTpm Present: true").tpm_present, Said::This(true));
    }

    #[test]
    fn unsigned_vibs_are_named() {
        let list = "Name   Version   Vendor   Acceptance Level   Install Date\n-----  ---\n\
                    esx-base  8.0.3-0  VMware  VMwareCertified  2026-01-01\n\
                    net-community  1.2.7  VMW  CommunitySupported  2026-01-01\n";
        let said = outputs(list);
        assert_eq!((said.vib_list, said.unsigned_vibs), (true, vec!["net-community".to_owned()]));
        assert_eq!(said.takes_unsigned, Said::Nothing, "the level of the host is another thing");
        assert_eq!(outputs("CommunitySupported\n").takes_unsigned, Said::This(true));
    }

    #[test]
    fn recovery_keys_are_counted_and_not_kept() {
        let head = "Recovery ID                             Key\n------  ---\n";
        let row = "{2DDD5424-7F3F-406A-8DA8-D62630F6C8BC}  478269-039194-473926-430939-686855-231401-\
                   642208-184477-602511-225586-551660-586542-338394-092578-687140-267425\n";
        let said = outputs(&format!("{head}{row}"));
        assert_eq!(said.recovery_keys, Said::This(1));
        assert!(!format!("{said:?}").contains("478269"));
        assert_eq!(outputs(head).recovery_keys, Said::This(0));
        assert_eq!(outputs("nothing").recovery_keys, Said::Nothing);
    }

    #[test]
    fn vendor_and_version_of_the_tpm_stand_under_their_commands() {
        let said = outputs(
            "~ # vsish -e get /vmkModules/tpmdriver/vendor\nNTC\n\
             ~ # vsish -e get /vmkModules/tpmdriver/firmware/version\n7.2.2.0\n",
        );
        assert_eq!(said.vendor, Said::This("NTC".to_owned()));
        assert_eq!(said.firmware_version, Said::This("7.2.2.0".to_owned()));
        let failed = outputs(
            "vsish -e get /vmkModules/tpmdriver/vendor            -> VSISHCmdGetInt () :Get failed: Failure\n",
        );
        assert_eq!(failed.vendor, Said::Nothing);
    }

    #[test]
    fn the_version_is_known_by_its_words() {
        for text in [
            "VMware ESXi 8.0.3 build-24022510\n",
            "[root@esx-1:~] esxcli system version get\n   Product: VMware ESXi\n   Version: 8.0.3\n",
        ] {
            assert_eq!(outputs(text).version, Said::This("8.0.3".to_owned()), "{text}");
        }
        assert_eq!(outputs("VMware ESX 9.0.0 build-1\n").version, Said::This("9.0.0".to_owned()));
        assert_eq!(outputs("Version: 8.0.3\n").version, Said::Nothing, "of what?");
    }
}
