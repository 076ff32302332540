//! Putting the changes of a step where the next boot finds them.

use serde_json::{Map, Value, json};

use super::{
    error::ApplyError,
    journal::Act,
    observe::Observed,
    run::{Halt, Host, may_have_been_done},
    work::{Change, Step},
};
use crate::{RedfishError, Reply};

/// Writes of one change: somebody else may write between our reading and our writing.
const WRITES_MAX: u32 = 3;

impl Host<'_> {
    /// Makes all of `step` pending that is not in force; `seen` is how the host is now.
    pub(super) async fn set(&mut self, step: &Step, seen: Observed) -> Result<(), Halt> {
        let foreign = seen.foreign(step);
        if !foreign.is_empty() {
            return Err(ApplyError::Foreign { what: foreign.join(", ") }.into());
        }
        self.check_jobs(&seen)?;
        self.assert_presence(step).await?;
        if !seen.secure_boot_is_set(step) {
            self.set_secure_boot(step).await?;
        }
        let lacks = seen.lacks(step);
        let all_wait = lacks.iter().all(|change| seen.waits(change));
        match seen.job_waits() {
            // Ours, of a run that was stopped: its values are the ones that wait.
            Some(job) if !lacks.is_empty() && all_wait => self.job = Some(job.path.clone()),
            Some(job) => return Err(ApplyError::Foreign { what: job.path.clone() }.into()),
            None if lacks.is_empty() => (),
            None if all_wait && self.work.places.apply_times.is_empty() => self.make_job().await?,
            None => self.set_attributes(step, &lacks).await?,
        }
        Ok(())
    }

    async fn set_attributes(&mut self, step: &Step, lacks: &[&Change]) -> Result<(), Halt> {
        let places = &self.work.places;
        let Some(settings) = places.settings.as_ref().map(|path| path.to_uri()) else {
            let what = "settings: the BMC has no place for them".to_owned();
            return Err(ApplyError::Forgotten { what }.into());
        };
        let values = lacks.iter().map(|change| (change.attribute.clone(), change.to.clone()));
        let values: Map<_, _> = values.collect();
        let mut body = json!({ "Attributes": values });
        if places.apply_times.iter().any(|time| time == "OnReset") {
            body["@Redfish.SettingsApplyTime"] = json!({
                "@odata.type": "#Settings.v1_3_0.PreferredApplyTime",
                "ApplyTime": "OnReset",
            });
        }
        let mut has_presence = step.presence.is_some();
        for _ in 0..WRITES_MAX {
            let etag = self.look().await?.settings_etag;
            self.gate()?;
            self.does(&Act::Settings)?;
            let sent = self.bmc.patch(&settings, etag.as_deref(), &body).await;
            match self.weigh(&settings, sent)? {
                Written::Done(reply) => {
                    let job = self.job_of(&reply);
                    self.did(Act::Settings, reply.status, job.clone())?;
                    self.job = job;
                    if self.work.places.apply_times.is_empty() {
                        self.make_job().await?;
                    }
                    return self.check_taken(lacks).await;
                }
                Written::Another => (),
                Written::Refused(RedfishError::Forbidden { .. }) if has_presence => {
                    // It lapses after a while.
                    has_presence = false;
                    self.assert_presence(step).await?;
                }
                Written::Refused(err) => return Err(self.refused(lacks, err).await?.into()),
                Written::Unknown(err) => {
                    let seen = self.look().await?;
                    if lacks.iter().all(|change| seen.waits(change)) {
                        self.job = seen.job_waits().map(|job| job.path.clone());
                        return Ok(());
                    }
                    if !err.is_transient() {
                        return Err(err.into());
                    }
                }
            }
        }
        Err(ApplyError::Contended.into())
    }

    /// That what was taken is there, before a host is reset for it.
    async fn check_taken(&mut self, lacks: &[&Change]) -> Result<(), Halt> {
        let seen = self.look().await?;
        self.check_jobs(&seen)?;
        let missing = lacks.iter().filter(|change| !seen.waits(change) && !seen.has(change));
        let missing: Vec<_> = missing.map(|change| change.attribute.clone()).collect();
        if missing.is_empty() || seen.hides_pending {
            return Ok(());
        }
        Err(ApplyError::Forgotten { what: missing.join(", ") }.into())
    }

    /// A refusal counts as one only where nothing of the change is pending.
    async fn refused(&mut self, lacks: &[&Change], err: RedfishError) -> Result<ApplyError, Halt> {
        let seen = self.look().await?;
        let is_taken = lacks.iter().any(|change| seen.waits(change));
        Ok(if is_taken { ApplyError::RefusedAndTaken(err) } else { ApplyError::Refused(err) })
    }

    async fn make_job(&mut self) -> Result<(), Halt> {
        let places = &self.work.places;
        let (Some(maker), Some(settings)) = (&places.job_maker, &places.settings) else {
            return Ok(());
        };
        let uri = maker.to_uri();
        self.does(&Act::Job)?;
        let reply = self.bmc.post(&uri, &json!({ "TargetSettingsURI": settings.to_uri() })).await?;
        self.bmc.succeeded(&uri, &reply).map_err(ApplyError::Refused)?;
        self.job = self.job_of(&reply);
        self.did(Act::Job, reply.status, self.job.clone())?;
        Ok(())
    }

    async fn set_secure_boot(&mut self, step: &Step) -> Result<(), Halt> {
        let (Some(path), Some(switch)) = (&self.work.places.secure_boot, step.secure_boot) else {
            let what = "SecureBootEnable: the BMC has no Secure Boot resource".to_owned();
            return Err(ApplyError::Forgotten { what }.into());
        };
        let uri = path.to_uri();
        let body = json!({ "SecureBootEnable": switch.to });
        let mut has_presence = step.presence.is_some();
        for _ in 0..WRITES_MAX {
            let etag = self.look().await?.secure_boot_etag;
            self.gate()?;
            self.does(&Act::SecureBoot)?;
            let sent = self.bmc.patch(&uri, etag.as_deref(), &body).await;
            match self.weigh(&uri, sent)? {
                Written::Done(reply) => {
                    self.did(Act::SecureBoot, reply.status, None)?;
                    if self.look().await?.secure_boot_is_set(step) {
                        return Ok(());
                    }
                    let what = "SecureBootEnable".to_owned();
                    return Err(ApplyError::Forgotten { what }.into());
                }
                Written::Another => (),
                Written::Refused(RedfishError::Forbidden { .. }) if has_presence => {
                    has_presence = false;
                    self.assert_presence(step).await?;
                }
                Written::Refused(err) => {
                    let is_taken = self.look().await?.secure_boot_is_set(step);
                    return Err(match is_taken {
                        true => ApplyError::RefusedAndTaken(err).into(),
                        false => ApplyError::Refused(err).into(),
                    });
                }
                Written::Unknown(err) => {
                    if self.look().await?.secure_boot_is_set(step) {
                        return Ok(());
                    }
                    if !err.is_transient() {
                        return Err(err.into());
                    }
                }
            }
        }
        Err(ApplyError::Contended.into())
    }

    /// [Lenovo XCC: Oem.Lenovo.TPMSettings.AssertRPP, for 30 minutes]
    async fn assert_presence(&mut self, step: &Step) -> Result<(), Halt> {
        let Some(presence) = &step.presence else { return Ok(()) };
        let uri = presence.resource.to_uri();
        let names = presence.property.split('/').rev();
        let body = names.fold(Value::Bool(true), |inner, name| json!({ name: inner }));
        for _ in 0..WRITES_MAX {
            let (_, etag) = self.bmc.get(&uri).await?;
            self.gate()?;
            self.does(&Act::AssertPresence)?;
            let sent = self.bmc.patch(&uri, etag.as_deref(), &body).await;
            match self.weigh(&uri, sent)? {
                Written::Done(reply) => {
                    self.did(Act::AssertPresence, reply.status, None)?;
                    return Ok(());
                }
                Written::Refused(err) => return Err(ApplyError::Refused(err).into()),
                Written::Another => (),
                // Asserting it twice does no harm.
                Written::Unknown(err) if err.is_transient() => (),
                Written::Unknown(err) => return Err(err.into()),
            }
        }
        Err(ApplyError::Contended.into())
    }

    /// What an answer to a write means.
    fn weigh(&self, uri: &str, sent: Result<Reply, RedfishError>) -> Result<Written, ApplyError> {
        let reply = match sent {
            Ok(reply) => reply,
            Err(err) if may_have_been_done(&err) => return Ok(Written::Unknown(err)),
            Err(err) => return Err(err.into()),
        };
        Ok(match self.bmc.succeeded(uri, &reply) {
            Ok(()) => Written::Done(reply),
            Err(_) if reply.status == 412 => Written::Another,
            Err(err) if err.is_transient() => Written::Unknown(err),
            Err(err) => Written::Refused(err),
        })
    }

    /// The job that an answer names, as a path of this BMC.
    fn job_of(&self, reply: &Reply) -> Option<String> {
        let location = reply.untrusted_location.as_deref()?;
        let local = self.bmc.address().local(location)?;
        let path = firmware::ResourcePath::parse(local).ok()?;
        let is_named = reply.status == 202 || path.name().starts_with("JID");
        is_named.then(|| path.to_uri())
    }
}

/// What became of a write.
enum Written {
    Done(Reply),
    /// The resource was another one meanwhile.
    Another,
    Refused(RedfishError),
    /// It may have been done, or not.
    Unknown(RedfishError),
}
