//! The policy that counts: the file that the configuration names, else the version that was activated, else
//! the default one.

use std::{
    fs::File,
    io::Read as _,
    path::{Path, PathBuf},
    sync::Arc,
};

use anyhow::Context as _;
use appraise::Policy;
use aws_lc_rs::digest::{Context, SHA256};
use policy::{FolderFiles, NamedFiles as _};
use secure_boot_facts::{REVOCATIONS_BYTES_MAX, Revocations};
use store::{NewPolicyVersion, PolicyDocument, PolicyFile};

use super::Config;

/// A policy, and by what it is known.
#[derive(Debug)]
pub struct LoadedPolicy {
    /// The policy.
    pub policy: Policy,
    /// SHA-256 over all that it was read from: its text, the files that it names, the list of revoked
    /// images. Servers that judge alike have the same.
    pub sha256: [u8; 32],
    /// Where it comes from.
    pub source: PolicySource,
    /// Its text; empty for the default one.
    pub text: String,
    /// The same to keep, where it came from a file.
    pub to_keep: Option<NewPolicyVersion>,
}

/// Where a policy comes from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PolicySource {
    /// Nobody said another.
    Default,
    /// A file that the configuration names.
    File(PathBuf),
    /// A version of the store.
    Version(i64),
}

impl LoadedPolicy {
    /// The default one, with nothing beside it.
    pub fn standard(policy: Policy) -> Self {
        let (source, text) = (PolicySource::Default, String::new());
        Self { policy, sha256: [0; 32], source, text, to_keep: None }
    }

    fn new(policy: Policy, digest: Context, source: PolicySource, text: String) -> Self {
        let mut sha256 = [0; 32];
        sha256.copy_from_slice(digest.finish().as_ref());
        Self { policy, sha256, source, text, to_keep: None }
    }
}

impl Config {
    /// The policy that the file says, or the default one where none is named.
    pub fn load_policy(&self) -> anyhow::Result<LoadedPolicy> {
        self.load_policy_or(None)
    }

    /// The policy that the file says; where none is named, the `activated` one, or the default one. Which of two
    /// times a verdict counts for must not be a riddle, so only one place may say it.
    pub fn load_policy_or(
        &self,
        activated: Option<&PolicyDocument>,
    ) -> anyhow::Result<LoadedPolicy> {
        let mut digest = Context::new(&SHA256);
        let revocations = self.load_revocations(&mut digest)?;
        let mut loaded = match (&self.policy, activated) {
            (Some(file), _) => self.policy_of_file(file, digest)?,
            (None, Some(document)) => self.policy_of_store(document, digest)?,
            (None, None) => {
                LoadedPolicy::new(Policy::default(), digest, PolicySource::Default, String::new())
            }
        };
        loaded.policy.secure_boot.revocations = revocations;
        Ok(loaded)
    }

    fn policy_of_file(&self, file: &Path, mut digest: Context) -> anyhow::Result<LoadedPolicy> {
        let (policy, text) = policy::load(file)
            .context("no server without its policy; `bootproof policy check` says more")?;
        self.check_one_time(&policy, || file.display().to_string())?;
        digest.update(text.as_bytes());
        let folder = FolderFiles(file.parent().unwrap_or_else(|| Path::new("")));
        let mut files: Vec<PolicyFile> = Vec::new();
        for name in policy::named_files(&text) {
            // One that was there a moment ago. What changes in between is seen by who watches files.
            let bytes = folder.bytes(&name).unwrap_or_default();
            digest.update(&bytes);
            if files.iter().all(|file| file.name != name) {
                files.push(PolicyFile { name, bytes });
            }
        }
        let note = format!("from {}", file.display());
        let to_keep = Some(NewPolicyVersion { text: text.clone(), files, note });
        let source = PolicySource::File(file.to_owned());
        Ok(LoadedPolicy { to_keep, ..LoadedPolicy::new(policy, digest, source, text) })
    }

    fn policy_of_store(
        &self,
        document: &PolicyDocument,
        mut digest: Context,
    ) -> anyhow::Result<LoadedPolicy> {
        let PolicyDocument { version, text, files } = document;
        let number = version.number;
        let named: std::collections::HashMap<_, _> =
            files.iter().map(|file| (file.name.clone(), file.bytes.clone())).collect();
        let policy = policy::read_with(text, &named).with_context(|| {
            format!(
                "version {number} of the policy, which was activated, cannot be read by this program: name a \
                 policy file in the configuration (`policy`), which counts before it"
            )
        })?;
        self.check_one_time(&policy, || format!("version {number} of the policy"))?;
        digest.update(text.as_bytes());
        for name in policy::named_files(text) {
            digest.update(named.get(&name).map_or(&[][..], Vec::as_slice));
        }
        Ok(LoadedPolicy::new(policy, digest, PolicySource::Version(number), text.clone()))
    }

    fn check_one_time(&self, policy: &Policy, of: impl Fn() -> String) -> anyhow::Result<()> {
        anyhow::ensure!(
            policy.verdict_good_for_s.is_none() || self.verdict_good_for_s == 0,
            "{} sets verdict.good_for_s and the configuration sets verdict_good_for_s: keep one",
            of()
        );
        Ok(())
    }

    fn load_revocations(&self, digest: &mut Context) -> anyhow::Result<Arc<Revocations>> {
        let Some(file) = &self.dbx else { return Ok(Arc::default()) };
        let mut bytes = Vec::new();
        let bytes_max = u64::try_from(REVOCATIONS_BYTES_MAX)?;
        File::open(file)
            // One byte more than is allowed, so that the reader sees that there is more.
            .and_then(|file| file.take(bytes_max + 1).read_to_end(&mut bytes))
            .with_context(|| format!("the list {} cannot be read", file.display()))?;
        digest.update(&bytes);
        let read = Revocations::with_update(&bytes);
        let read = read.with_context(|| format!("{} revokes nothing", file.display()))?;
        Ok(Arc::new(read))
    }
}
