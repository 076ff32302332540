//! Commands of a TPM 2.0 by the names that programs give them. [TPM2-P3-1.59]

/// The commands that programs of hosts send; those of certification labs are left out.
const COMMANDS: &[&str] = &[
    "TPM2_ActivateCredential",
    "TPM2_Certify",
    "TPM2_Clear",
    "TPM2_ContextLoad",
    "TPM2_ContextSave",
    "TPM2_Create",
    "TPM2_CreateLoaded",
    "TPM2_CreatePrimary",
    "TPM2_DictionaryAttackLockReset",
    "TPM2_Duplicate",
    "TPM2_EncryptDecrypt",
    "TPM2_EventSequenceComplete",
    "TPM2_EvictControl",
    "TPM2_FlushContext",
    "TPM2_GetCapability",
    "TPM2_GetRandom",
    "TPM2_GetTime",
    "TPM2_Hash",
    "TPM2_HierarchyChangeAuth",
    "TPM2_HierarchyControl",
    "TPM2_HMAC",
    "TPM2_Import",
    "TPM2_Load",
    "TPM2_LoadExternal",
    "TPM2_MakeCredential",
    "TPM2_NV_Certify",
    "TPM2_NV_DefineSpace",
    "TPM2_NV_Extend",
    "TPM2_NV_Increment",
    "TPM2_NV_Read",
    "TPM2_NV_ReadPublic",
    "TPM2_NV_UndefineSpace",
    "TPM2_NV_Write",
    "TPM2_ObjectChangeAuth",
    "TPM2_PCR_Allocate",
    "TPM2_PCR_Event",
    "TPM2_PCR_Extend",
    "TPM2_PCR_Read",
    "TPM2_PCR_Reset",
    "TPM2_PolicyAuthorize",
    "TPM2_PolicyAuthValue",
    "TPM2_PolicyCommandCode",
    "TPM2_PolicyGetDigest",
    "TPM2_PolicyOR",
    "TPM2_PolicyPCR",
    "TPM2_PolicySecret",
    "TPM2_PolicySigned",
    "TPM2_Quote",
    "TPM2_ReadClock",
    "TPM2_ReadPublic",
    "TPM2_RSA_Decrypt",
    "TPM2_RSA_Encrypt",
    "TPM2_SelfTest",
    "TPM2_Shutdown",
    "TPM2_Sign",
    "TPM2_StartAuthSession",
    "TPM2_Startup",
    "TPM2_Unseal",
    "TPM2_VerifySignature",
];

/// What libraries and tools put in front of a command's name, in small letters.
const PREFIXES: [&str; 6] = ["tpm2_cc_", "tpm_cc_", "tpm2_", "esys_", "tss2_sys_", "fapi_"];

/// The first command that `line` names: by a library's or a tool's name of it (`Esys_Unseal`,
/// `tpm2_unseal`), or bare where no other word is written so (`NV_ReadPublic`).
pub(crate) fn on(line: &[u8]) -> Option<&'static str> {
    let words = line.split(|byte| !byte.is_ascii_alphanumeric() && *byte != b'_');
    words.filter(|word| word.len() > 5 && word.contains(&b'_')).find_map(of_word)
}

fn of_word(word: &[u8]) -> Option<&'static str> {
    let word = std::str::from_utf8(word).ok().filter(|word| word.len() < 64)?.to_ascii_lowercase();
    let word = PREFIXES.iter().find_map(|prefix| word.strip_prefix(prefix)).unwrap_or(&word);
    let word = word
        .strip_suffix("_finish")
        .or_else(|| word.strip_suffix("_async"))
        .or_else(|| word.strip_suffix("_complete"))
        .unwrap_or(word);
    COMMANDS.iter().copied().find(|command| {
        let bare = command.strip_prefix("TPM2_").unwrap_or(command);
        let letters = |text: &str| text.bytes().filter(|byte| *byte != b'_').collect::<Vec<_>>();
        letters(&bare.to_ascii_lowercase()) == letters(word)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn commands_are_known_by_the_names_of_libraries_and_tools() {
        for (line, command) in [
            ("Esys_NV_ReadPublic_Finish() Received TPM Error", Some("TPM2_NV_ReadPublic")),
            ("tpm2_nvreadpublic: ERROR", Some("TPM2_NV_ReadPublic")),
            ("NV_ReadPublic: (0x18b) Unknown", Some("TPM2_NV_ReadPublic")),
            ("TPM2_CC_Unseal failed", Some("TPM2_Unseal")),
            ("Tss2_Sys_PolicyPCR", Some("TPM2_PolicyPCR")),
            ("tpm2_getcap: ERROR", None),
            ("load and sign the import", None),
            ("", None),
        ] {
            assert_eq!(on(line.as_bytes()), command, "{line}");
        }
    }
}
