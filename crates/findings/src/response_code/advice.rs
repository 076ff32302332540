//! Causes and next steps: many codes share one.

use tpm_wire::ResponseCode;

use crate::Code;

/// How much a response code weighs by itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Weight {
    /// Nothing is wrong, unless the thing that it names is needed.
    Harmless,
    /// It passes: the same command again, later, may work.
    Passing,
    /// A fault of the TPM, its settings or a program.
    Fault,
}

impl Weight {
    /// The word used in JSON and on the command line.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Harmless => "harmless",
            Self::Passing => "passing",
            Self::Fault => "fault",
        }
    }
}

/// Cause and next step.
#[derive(Clone, Copy, Debug)]
pub(super) struct Row {
    pub(super) weight: Weight,
    pub(super) cause: &'static str,
    pub(super) next_step: &'static str,
    pub(super) finding: Option<Code>,
}

macro_rules! advice {
    ($($name:ident $weight:ident $(=> $finding:ident)?
        cause $cause:literal next $next:literal)+) => {
        /// What to say of a code.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub(super) enum Advice { $($name),+ }

        impl Advice {
            #[cfg(test)]
            pub(super) const ALL: &[Self] = &[$(Self::$name),+];

            pub(super) const fn row(self) -> Row {
                match self { $(Self::$name => Row {
                    weight: Weight::$weight,
                    cause: $cause,
                    next_step: $next,
                    finding: advice!(@finding $($finding)?),
                }),+ }
            }
        }
    };
    (@finding $finding:ident) => { Some(Code::$finding) };
    (@finding) => { None };
}

advice! {
    Success Harmless
        cause "The command was carried out."
        next "Nothing to do."
    FirstHandleAbsent Harmless => EkCertAbsent
        cause "The first handle of the command names an NV index or a persistent object that does not exist, or whose hierarchy is off. Beside TPM2_NV_ReadPublic it only says that this NV index is not defined: programs look in this way whether there is an asset tag, a vendor's key template or an EK certificate. Healthy hosts log it too."
        next "Nothing, unless the index is one that you need. If attestation misses the endorsement key certificate, look up `bootproof explain ek-cert-absent`; otherwise look for another cause in the lines beside it."
    SecondHandleAbsent Harmless => EkCertAbsent
        cause "The second handle of the command does not exist; for TPM2_NV_Read that is the NV index, which is not defined."
        next "Nothing, unless the index is one that you need: then it must be defined and written first."
    HandleWrong Fault
        cause "A handle is not one that this command takes, or what it names does not exist in the TPM."
        next "Compare the handle with `tpm2_getcap handles-persistent`, `handles-nv-index` and `handles-transient`; a TPM that was cleared has lost its keys, and the program must make them anew."
    HierarchyOff Fault => TpmFault
        cause "The hierarchy that the command names (endorsement, owner or platform) is switched off. Firmware does that to a TPM that is present but not enabled."
        next "Switch the TPM and its hierarchies on in the firmware setup (TPM hierarchy: enabled), restart, and try again."
    AuthCounts Fault
        cause "The authorisation (password or HMAC) is wrong, and the TPM counted the try: too many of them lock it out."
        next "Stop what tries again and again, then use the right authorisation. `tpm2_getcap properties-variable` shows the counter; it falls by itself."
    AuthFree Fault
        cause "The authorisation is wrong. It does not count towards lockout. For owner or endorsement hierarchy: other software, often another operating system, has set a password."
        next "Use that password, or clear the TPM in the firmware setup after you saved the recovery keys of everything that is sealed to it."
    PolicyNotMet Fault
        cause "The policy of the key or blob is not satisfied. What is sealed to PCRs meets other values than at sealing: firmware, Secure Boot state, boot loader or kernel have changed."
        next "Find what changed with `bootproof host show HOST` or `bootproof eventlog`; if the change is meant, unlock by the recovery key and seal anew."
    PcrsMoved Passing
        cause "A PCR was extended between the check of the policy and its use."
        next "Begin the policy session anew; if it happens often, take a PCR that is extended at run time (such as 10) out of the policy."
    ForeignBlob Fault
        cause "Another TPM made the blob, or this one before it was cleared or replaced, or the blob is damaged."
        next "If the board or the TPM was replaced or cleared, make keys and seals anew, with the recovery key where there is one; a host then enrols again: `bootproof host replace` or `bootproof host reconnect`."
    Start Fault
        cause "Firmware did not start the TPM (TPM2_Startup); or, harmless, something asked to start it a second time."
        next "Power the machine off and on. If it stays, update the firmware of the board."
    FailureMode Fault => TpmFault
        cause "The TPM failed its self test and refuses all but a few commands."
        next "Take the power off the machine (cable out, not a restart) and switch it on again. If it comes back, update the TPM's firmware or replace the TPM."
    Disabled Fault
        cause "The command is disabled in this TPM, by its firmware, its maker or the state of the hierarchy."
        next "Switch the TPM and its hierarchies on in the firmware setup; if they are, do without the command."
    AuthUnavailable Fault
        cause "The object or hierarchy cannot be authorised in the way that the command asks: it has no auth value or policy for it, or the hierarchy is off."
        next "See which authorisation the object was made with (userWithAuth, adminWithPolicy), and that its hierarchy is on."
    Upgrading Passing
        cause "The TPM waits for the rest of a firmware update."
        next "Finish the update with the tool of the TPM's or board's maker; do not take the power off."
    MustReset Fault
        cause "The TPM must be reset before it goes on, as after an update of its firmware."
        next "Restart the machine."
    NoCommand Fault
        cause "The firmware of this TPM does not have the command: an optional one, one that is newer than the TPM, or a TPM 2.0 command that was sent to a TPM 1.2."
        next "See what it has with `tpm2_getcap commands`; update the TPM's firmware if its maker says that it then has it."
    NvUnwritten Fault
        cause "The NV index is defined, but nothing was written into it."
        next "Write it, or have the program that owns it set it up anew."
    Nv Fault
        cause "The NV index does not allow this: locked, read-only, another authorisation, out of its range, or there already."
        next "See its attributes with `tpm2_nvreadpublic`; if a restart unlocks it, do it early after boot; define it anew if it is yours."
    Full Passing
        cause "The TPM has no room left for keys or sessions: a program left theirs behind, or several programs use the TPM without a resource manager between them."
        next "Use /dev/tpmrm0 and not /dev/tpm0; flush what was left with `tpm2_flushcontext --transient-object` (or `--loaded-session`, `--saved-session`)."
    NotLoaded Fault
        cause "A handle names a key or session that is not loaded (any more): it was flushed, it belongs to another client of the resource manager, or the TPM was reset."
        next "Load it anew. With tools that end after each command use files of contexts or persistent handles."
    Locality Fault
        cause "The command or PCR belongs to another locality: to the firmware, or to a measured launch (TXT)."
        next "Leave it to them; PCRs 17 to 22 can be reset by a measured launch only."
    Wait Passing
        cause "The TPM is busy, testing itself, or spares its NV memory."
        next "Send the command again after a moment. If it lasts for minutes, look for a program that uses the TPM without pause."
    Lockout Passing => TpmFault
        cause "Too many wrong authorisations: the TPM refuses protected objects for a time."
        next "Find and stop the program with the wrong password; then wait (`tpm2_getcap properties-variable` tells the recovery time) or reset with the lockout password: `tpm2_dictionarylockout --clear-lockout`."
    Presence Fault
        cause "The command needs somebody at the machine (physical presence)."
        next "Do it in the firmware setup, or send a physical presence request and confirm it at the next start."
    Unsupported Fault
        cause "The command asks for an algorithm, key size, curve or scheme that this TPM does not have, or that does not fit the key."
        next "See what it has with `tpm2_getcap algorithms` and `ecc-curves`; ask for another, or update the TPM's firmware."
    Malformed Fault
        cause "The TPM did not accept the command as it was built: a size, tag, selector, attribute or value is wrong. Position names the part."
        next "That is a fault of the program, or its version does not fit this TPM: update it, and report the command together with this code."
    Generation Fault => NoTpm
        cause "Command and TPM are of different generations: one speaks 2.0, the other 1.2."
        next "Switch the TPM to 2.0 in the firmware setup where it has a choice, or replace it: a TPM 1.2 cannot be attested."
    Auth Fault
        cause "The password or secret is wrong. A TPM 1.2 may defend itself by a pause after some tries."
        next "Use the right one; if nobody knows it, clear the TPM in the firmware setup after you saved what is sealed to it."
    Off Fault => NoTpm
        cause "The TPM, or this function of it, is switched off or not seen."
        next "Switch the TPM on (enabled and activated) in the firmware setup, and restart."
    Broken Fault => TpmFault
        cause "The TPM reports that it failed."
        next "Take the power off the machine and switch it on again; if it comes back, update or replace the TPM."
    Handle Fault
        cause "A handle names nothing that the TPM has: the key or session was never loaded, or was dropped."
        next "Load it anew, and make it anew where the TPM was cleared."
    Owner Fault
        cause "The TPM has no owner where it needs one, has one already, or the owner must authorise."
        next "Take ownership with the program that is to own it; clear the TPM in the firmware setup first if another one did."
    Blob Fault
        cause "The blob is damaged, or another TPM made it."
        next "Make it anew on this TPM."
    Pcr Fault
        cause "What was measured is not what was sealed to: firmware, boot loader or system have changed."
        next "Find what changed; if it is meant, unlock by the recovery key and seal anew."
    NoEk Fault => EkCertAbsent
        cause "The TPM has no endorsement key yet."
        next "Have it made by the setup tool of the board's maker; a TPM 1.2 cannot be attested in any case."
    Started Fault
        cause "The TPM was started already, or not at all."
        next "Power the machine off and on; if it stays, update the firmware of the board."
    Program Fault
        cause "A TPM 1.2 did not accept the command as the program built it."
        next "Report it to the program's maker. A TPM 1.2 cannot be attested: plan for a TPM 2.0."
    Transport Fault
        cause "The way to the TPM failed: no device, no permission, another program holds it, or the chip hangs."
        next "See that /dev/tpmrm0 exists and that the user may open it (group tss), that a daemon which is named in TCTI runs, and what the kernel says: `journalctl -k --grep tpm`."
    Permission Fault
        cause "Somebody between program and TPM does not allow the command."
        next "Run the program with the rights that it needs, or allow the command in the system's TPM settings."
    Versions Fault
        cause "Libraries of the TPM software stack of different versions meet."
        next "Install tpm2-tss and what uses it from one source, and see that only one set of the libraries is found."
    Software Fault
        cause "A library of the TPM software stack refused what a program asked, before the TPM saw it."
        next "Set TSS2_LOG=all+debug to see the call; update program and tpm2-tss, then report it."
    Setup Fault
        cause "Something is missing or there already in the set-up of the software stack, not in the TPM."
        next "See the profile and key store (/etc/tpm2-tss, `tss2_list`), and provision once with `tss2_provision`; on Windows start the TPM services."
    NoCert Fault => EkCertAbsent
        cause "No certificate is stored for the key."
        next "`bootproof explain ek-cert-absent` says what to do without an endorsement key certificate."
    OfVendor Fault
        cause "Only the maker of the TPM knows what this number means."
        next "Find the maker with `tpm2_getcap properties-fixed`, and ask them with code and firmware version."
    Unknown Fault
        cause "The number is no response code, is newer than this program, or was cut."
        next "Look at the line that it came from: perhaps the number is something else, such as a status of the operating system."
}

/// The advice for a named code of TPM 2.0; positions count for handles only.
pub(super) fn of_tpm_2_0(code: ResponseCode) -> Advice {
    match code.0 {
        0x18b => return Advice::FirstHandleAbsent,
        0x28b => return Advice::SecondHandleAbsent,
        _ => {}
    }
    match code.error().0 {
        0x000 => Advice::Success,
        0x01e => Advice::Generation,
        0x085 => Advice::HierarchyOff,
        0x08b => Advice::HandleWrong,
        0x08e => Advice::AuthCounts,
        0x0a2 => Advice::AuthFree,
        0x09d | 0x0a3 | 0x0a4 | 0x126 | 0x127 | 0x151 => Advice::PolicyNotMet,
        0x09f | 0x0a0 | 0x0a5 | 0x150 => Advice::ForeignBlob,
        0x090 => Advice::Presence,
        0x081 | 0x083 | 0x087..=0x089 | 0x08c | 0x092 | 0x096 | 0x0a6 | 0x0a8 | 0x0a9 => {
            Advice::Unsupported
        }
        0x100 => Advice::Start,
        0x101 | 0x153 => Advice::FailureMode,
        0x120 | 0x156 => Advice::Disabled,
        0x128 => Advice::PcrsMoved,
        0x12d => Advice::Upgrading,
        0x12f => Advice::AuthUnavailable,
        0x130 => Advice::MustReset,
        0x143 => Advice::NoCommand,
        0x14a => Advice::NvUnwritten,
        0x146..=0x149 | 0x14b | 0x14c => Advice::Nv,
        0x12e | 0x154 | 0x901..=0x906 => Advice::Full,
        0x907 => Advice::Locality,
        0x908..=0x90a | 0x920 | 0x922 | 0x923 => Advice::Wait,
        0x910..=0x91e => Advice::NotLoaded,
        0x921 => Advice::Lockout,
        _ => Advice::Malformed,
    }
}
