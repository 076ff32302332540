//! Policies that are kept in the store: put there, compared, tried over the fleet, activated.

use std::{collections::HashMap, sync::Arc, time::Duration};

use api::policy::{
    DiffLine, LineChange, PolicyActivateRequest, PolicyActivated, PolicyCheck, PolicyCheckRequest,
    PolicyDiff, PolicyDocument, PolicyFault, PolicyFiles, PolicyInForce, PolicyNamedFile,
    PolicyPutRequest, PolicySource, PolicyTryPage, PolicyVersion, PolicyVersionPage,
    PolicyVersionTryRequest, PolicyVersionsQuery,
};
use policy::PolicyError;
use similar::{ChangeTag, TextDiff};
use store::{By, NewPolicyVersion, PolicyActivation, PolicyFile};

use super::{
    App, AppError, RefusalKind, cursor,
    paging::{cut, one_more},
    policy::no_policy,
    sha256,
    words::{REASON_CHARS_MAX, is_line},
};
use crate::config;

/// Versions on a page, where the client does not say.
const PAGE_LEN: u32 = 50;

/// Bytes of a file beside a policy that is kept: what a row of a backup bears. Larger lists of digests stay in
/// files of the server.
const KEPT_FILE_BYTES_MAX: usize = 8 * 1024 * 1024;

/// Lines that are the same, around one that is not: so many that one sees where it is.
const LINES_AROUND: usize = 3;

/// For how long the shortest way from one text to the other is looked for; then a longer one will do.
const DIFF_MAX: Duration = Duration::from_millis(250);

/// Whether a policy is one that the store keeps.
pub(super) fn is_kept(new: &NewPolicyVersion) -> bool {
    new.files.iter().all(|file| file.bytes.len() <= KEPT_FILE_BYTES_MAX)
}

fn is_note(text: &str) -> bool {
    text.is_empty() || is_line(text, REASON_CHARS_MAX)
}

fn reason_invalid() -> AppError {
    let title = format!("the reason must have 1 to {REASON_CHARS_MAX} characters, on one line");
    AppError::plain(RefusalKind::Invalid, "reason-invalid", title)
}

/// The number that names a version.
fn numbered(text: &str) -> Result<i64, AppError> {
    text.parse().map_err(|_| store::StoreError::NotFound(store::Kind::PolicyVersion).into())
}

fn fault(err: PolicyError) -> PolicyFault {
    let small = |n: usize| u32::try_from(n).unwrap_or(u32::MAX);
    let PolicyError { line, column, message, hint } = err;
    PolicyFault { line: small(line), column: small(column), message, hint }
}

impl App {
    /// Whether a text is a policy, and what is wrong with it first.
    pub async fn check_policy(&self, request: PolicyCheckRequest) -> Result<PolicyCheck, AppError> {
        let PolicyCheckRequest { policy, files, based_on } = request;
        let files = self.named_files(&policy, files, based_on).await?;
        Ok(match policy::read_with(&policy, &files) {
            Ok(_) => PolicyCheck { valid: true, fault: None },
            Err(err) => PolicyCheck { valid: false, fault: Some(fault(err)) },
        })
    }

    /// The files that a policy names: those that came along, else those of the version that it is based on.
    async fn named_files(
        &self,
        text: &str,
        files: PolicyFiles,
        based_on: Option<i64>,
    ) -> Result<HashMap<String, Vec<u8>>, AppError> {
        let names = policy::named_files(text);
        let mut came: HashMap<String, Vec<u8>> = files
            .into_iter()
            .filter(|(name, _)| names.contains(name))
            .map(|(name, bytes)| (name, bytes.0))
            .collect();
        if let Some(number) = based_on
            && names.iter().any(|name| !came.contains_key(name))
        {
            for file in self.store.policy_document(number).await?.files {
                if names.contains(&file.name) {
                    came.entry(file.name).or_insert(file.bytes);
                }
            }
        }
        Ok(came)
    }

    /// Keeps a policy. It does not count before it is activated.
    pub async fn put_policy(
        &self,
        request: PolicyPutRequest,
        by: By,
    ) -> Result<PolicyVersion, AppError> {
        let PolicyPutRequest { policy: text, files, based_on, note } = request;
        if !is_note(&note) {
            return Err(reason_invalid());
        }
        let named = self.named_files(&text, files, based_on).await?;
        policy::read_with(&text, &named).map_err(no_policy)?;
        let files = named.into_iter().map(|(name, bytes)| PolicyFile { name, bytes }).collect();
        let new = NewPolicyVersion { text, files, note };
        if !is_kept(&new) {
            let title =
                format!("a file beside a policy has {KEPT_FILE_BYTES_MAX} bytes at most here");
            let hint =
                "name the policy in the server's configuration (`policy`), with the file beside it";
            return Err(AppError::refused(RefusalKind::Invalid, "policy-invalid", title, hint));
        }
        let version = self.store.add_policy_version(new, by).await?;
        Ok(self.version_view(version))
    }

    fn version_view(&self, version: store::PolicyVersion) -> PolicyVersion {
        PolicyVersion {
            in_force: self.rules().kept_as.get() == Some(&version.number),
            number: version.number,
            sha256: hex::encode(version.sha256),
            note: version.note,
            created_at_ms: version.created_at_ms,
            created_by: version.created_by,
        }
    }

    /// The policy by which this server judges now.
    pub async fn policy_now(&self) -> Result<PolicyInForce, AppError> {
        let rules = self.rules();
        let (source, file) = match &rules.source {
            config::PolicySource::Default => (PolicySource::Default, None),
            config::PolicySource::File(file) => {
                (PolicySource::File, Some(file.display().to_string()))
            }
            config::PolicySource::Version(_) => (PolicySource::Version, None),
        };
        let activated = self.store.active_policy().await?;
        Ok(PolicyInForce {
            source,
            number: rules.kept_as.get().copied(),
            file,
            activated: activated.map(|active| PolicyActivated {
                number: active.number,
                at_ms: active.at_ms,
                by: active.actor,
                reason: active.reason,
            }),
        })
    }

    /// The text of the policy that counts; that of the default one says every key.
    pub(crate) fn policy_text(&self) -> String {
        let rules = self.rules();
        match rules.source {
            config::PolicySource::Default => policy::defaults(),
            _ => rules.policy_text.clone(),
        }
    }

    /// Policies that are kept, the newest first.
    pub async fn policy_versions(
        &self,
        query: PolicyVersionsQuery,
    ) -> Result<PolicyVersionPage, AppError> {
        let limit = query.limit.unwrap_or(PAGE_LEN).clamp(1, store::HISTORY_PAGE_MAX);
        let before = cursor::number(query.cursor.as_deref())?;
        let versions = self.store.policy_versions(before, one_more(limit)).await?;
        let (versions, follows) = cut(versions, limit, store::HISTORY_PAGE_MAX);
        let next_cursor =
            versions.last().filter(|_| follows).map(|last| cursor::to_text(last.number));
        let versions = versions.into_iter().map(|version| self.version_view(version)).collect();
        Ok(PolicyVersionPage { in_force: self.policy_now().await?, versions, next_cursor })
    }

    /// One that is kept, all of it but the bytes of its files.
    pub async fn policy_version(&self, number: &str) -> Result<PolicyDocument, AppError> {
        let document = self.store.policy_document(numbered(number)?).await?;
        let file = |file: PolicyFile| PolicyNamedFile {
            sha256: hex::encode(sha256(&file.bytes)),
            n_bytes: u64::try_from(file.bytes.len()).unwrap_or(u64::MAX),
            name: file.name,
        };
        Ok(PolicyDocument {
            version: self.version_view(document.version),
            policy: document.text,
            files: document.files.into_iter().map(file).collect(),
        })
    }

    /// Judges one page of hosts under a version. Only what would change is told.
    pub async fn try_version(
        self: &Arc<Self>,
        number: &str,
        request: PolicyVersionTryRequest,
    ) -> Result<PolicyTryPage, AppError> {
        let document = self.store.policy_document(numbered(number)?).await?;
        let policy =
            policy::read_with(&document.text, &by_name(document.files)).map_err(no_policy)?;
        self.try_read(policy, request.cursor.as_deref(), request.limit).await
    }

    /// What is another line in a version than in version `from`, or than in what counts now.
    pub async fn policy_diff(
        &self,
        number: &str,
        from: Option<i64>,
    ) -> Result<PolicyDiff, AppError> {
        let to = self.store.policy_document(numbered(number)?).await?;
        let from = match from.or_else(|| self.rules().kept_as.get().copied()) {
            Some(number) => self.store.policy_document(number).await.map(Some)?,
            None => None,
        };
        let (from_text, from_files) = match from {
            Some(document) => (document.text, by_name(document.files)),
            // Of the default policy nothing is written: all of the other is new.
            None => (self.rules().policy_text.clone(), HashMap::new()),
        };
        let to_files = by_name(to.files);
        let mut files: Vec<String> = from_files
            .keys()
            .chain(to_files.keys())
            .filter(|name| from_files.get(*name) != to_files.get(*name))
            .cloned()
            .collect();
        files.sort();
        files.dedup();
        Ok(PolicyDiff { pieces: diff(&from_text, &to.text), files })
    }

    /// Hosts are judged by this version from now on; what they sent last is judged anew in the background.
    pub async fn activate_policy(
        self: &Arc<Self>,
        number: &str,
        request: PolicyActivateRequest,
        by: By,
    ) -> Result<PolicyInForce, AppError> {
        let PolicyActivateRequest { before, reason } = request;
        if !is_line(&reason, REASON_CHARS_MAX) {
            return Err(reason_invalid());
        }
        let number = numbered(number)?;
        let rules = self.rules();
        if let config::PolicySource::File(file) = &rules.source {
            let title = format!(
                "this server judges by the file {}, which its configuration names: that counts before any \
                 version",
                file.display()
            );
            let hint = "take `policy` out of the server's configuration, then activate the version that has \
                        the file's text, or yours; nothing was done";
            return Err(AppError::refused(RefusalKind::Conflict, "policy-from-file", title, hint));
        }
        let document = self.store.policy_document(number).await?;
        let configured = rules.configured();
        let reading = configured.clone();
        let read =
            tokio::task::spawn_blocking(move || reading.load_policy_or(Some(&document))).await;
        let loaded = read.map_err(|err| AppError::Bug(err.into()))?.map_err(|err| {
            let title = format!("this version cannot be judged by: {err:#}");
            AppError::plain(RefusalKind::Invalid, "policy-invalid", title)
        })?;
        let actor = by.actor.clone();
        self.store.activate_policy(PolicyActivation { number, before, reason }, by).await?;
        self.set_rules(configured, loaded);
        tracing::info!(number, actor, "another version of the policy was activated");
        self.begin_policy(&actor).await?;
        self.policy_now().await
    }

    /// The version that was activated; `None` where none was.
    pub async fn activated_policy(&self) -> Result<Option<store::PolicyDocument>, AppError> {
        let Some(active) = self.store.active_policy().await? else { return Ok(None) };
        Ok(Some(self.store.policy_document(active.number).await?))
    }

    /// Whether another version was activated than this server judges by. A file counts before any.
    pub async fn is_other_version_activated(&self) -> bool {
        let judged_by = match self.rules().source {
            config::PolicySource::File(_) => return false,
            config::PolicySource::Default => None,
            config::PolicySource::Version(number) => Some(number),
        };
        // Where the store does not answer, the next look is soon.
        let active = self.store.active_policy().await.ok().flatten().map(|active| active.number);
        active.is_some() && active != judged_by
    }
}

fn by_name(files: Vec<PolicyFile>) -> HashMap<String, Vec<u8>> {
    files.into_iter().map(|file| (file.name, file.bytes)).collect()
}

/// Lines that differ, with some that are the same around them.
fn diff(from: &str, to: &str) -> Vec<Vec<DiffLine>> {
    let diff = TextDiff::configure().timeout(DIFF_MAX).diff_lines(from, to);
    let line = |change: similar::Change<&str>| DiffLine {
        change: match change.tag() {
            ChangeTag::Equal => LineChange::Same,
            ChangeTag::Delete => LineChange::Removed,
            ChangeTag::Insert => LineChange::Added,
        },
        number: change.new_index().and_then(|index| u32::try_from(index.saturating_add(1)).ok()),
        text: change.value().trim_end_matches(['\n', '\r']).to_owned(),
    };
    let groups = diff.grouped_ops(LINES_AROUND);
    groups
        .iter()
        .map(|ops| ops.iter().flat_map(|op| diff.iter_changes(op)).map(line).collect())
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_that_changed_is_shown_with_its_neighbours() {
        let from = "a\nb\nc\nd\ne\nf\ng\nh\n";
        assert_eq!(diff(from, from), Vec::<Vec<DiffLine>>::new());
        let pieces = diff(from, &from.replace('e', "E"));
        let shown: Vec<String> = pieces[0]
            .iter()
            .map(|line| {
                let sign = match line.change {
                    LineChange::Same => ' ',
                    LineChange::Removed => '-',
                    LineChange::Added => '+',
                };
                let number = line.number.map_or_else(String::new, |number| number.to_string());
                format!("{sign}{number}{}", line.text)
            })
            .collect();
        assert_eq!(
            (pieces.len(), shown),
            (
                1,
                vec![
                    " 2b".to_owned(),
                    " 3c".into(),
                    " 4d".into(),
                    "-e".into(),
                    "+5E".into(),
                    " 6f".into(),
                    " 7g".into(),
                    " 8h".into()
                ]
            )
        );
    }

    #[test]
    fn texts_that_share_nothing_are_compared_in_no_time() {
        let text = |word: &str| (0..8_000).map(|n| format!("{word}{n}\n")).collect::<String>();
        let begun = std::time::Instant::now();
        let pieces = diff(&text("a"), &text("b"));
        assert_eq!(pieces.iter().map(Vec::len).sum::<usize>(), 16_000);
        assert!(begun.elapsed() < DIFF_MAX * 40, "{:?}", begun.elapsed());
    }
}
