//! `bootproof fleet …`

use api::{
    attention::Attention as AttentionView,
    standing::{StandingHistory, StandingHour, StandingQuery},
};
use client::Client;

use super::{Exit, local_time::time, watch};
use crate::{
    args::Fleet,
    error::CliError,
    output::{Output, Tone, n_hosts, plain},
};

const DAY_MS: i64 = 24 * 3_600_000;

pub(super) async fn run(
    command: &Fleet,
    client: &Client,
    output: &Output,
) -> Result<Exit, CliError> {
    match command {
        Fleet::Standing(command) => {
            let days = command.days;
            watch::run(&Standing { days }, command.watch, client, output).await
        }
        Fleet::Attention(watch) => watch::run(&Attention, *watch, client, output).await,
        Fleet::Settings => settings(client, output).await,
    }
}

struct Standing {
    days: u32,
}

impl watch::Sight for Standing {
    type Fact = StandingHistory;

    async fn look(&self, client: &Client) -> Result<Self::Fact, CliError> {
        Ok(client.get_standing(&StandingQuery { days: Some(self.days) }).await?)
    }

    fn show(&self, history: &Self::Fact, output: &Output) -> Result<(), CliError> {
        let day = |hour: &StandingHour| hour.hour_ms.div_euclid(DAY_MS);
        let mut table = output.table(&["hour", "passed", "not passed", "not appraised", "silent"]);
        let mut hours = history.hours.iter().peekable();
        while let Some(hour) = hours.next() {
            // The last hour of each day says how that ended.
            if hours.peek().is_none_or(|next| day(next) != day(hour)) {
                table.add_row([
                    time(Some(hour.hour_ms)),
                    hour.n_accepted.to_string(),
                    hour.n_not_accepted.to_string(),
                    hour.n_not_appraised.to_string(),
                    hour.n_not_responding.to_string(),
                ]);
            }
        }
        Ok(output.show_table(table)?)
    }

    fn exit(&self, _: &Self::Fact) -> Exit {
        Exit::Done
    }
}

struct Attention;

impl watch::Sight for Attention {
    type Fact = AttentionView;

    async fn look(&self, client: &Client) -> Result<Self::Fact, CliError> {
        Ok(client.get_attention().await?)
    }

    fn show(&self, attention: &Self::Fact, output: &Output) -> Result<(), CliError> {
        if attention.counted_at_ms.is_none() {
            return Ok(output.remark(
                "not counted yet: the server has just started, and counts within a minute",
            )?);
        }
        if is_nothing(attention) {
            output.line(&output.paint(Tone::Good, "Nothing wants a look."))?;
        }
        for count in attention.findings.iter().filter(|count| count.n_hosts > 0) {
            let code = output.paint(Tone::Strong, &plain(&count.code));
            let n = n_hosts(usize::try_from(count.n_hosts).unwrap_or(usize::MAX));
            output.line(&format!("{code}: {n}: {}", plain(&count.title)))?;
            output.line(&format!("  next: {}", plain(&count.next_step)))?;
        }
        for minority in &attention.minorities {
            output.line(&format!(
                "PCR {}: {} of {} hosts of {} are unlike most",
                minority.pcr,
                minority.n_minority,
                minority.n_hosts,
                plain(&minority.cohort)
            ))?;
        }
        Ok(())
    }

    fn exit(&self, attention: &Self::Fact) -> Exit {
        match attention.counted_at_ms {
            // What was not counted is not nothing.
            None => Exit::Unsure,
            Some(_) if is_nothing(attention) => Exit::Done,
            Some(_) => Exit::No,
        }
    }
}

fn is_nothing(attention: &AttentionView) -> bool {
    attention.findings.iter().all(|count| count.n_hosts == 0) && attention.minorities.is_empty()
}

async fn settings(client: &Client, output: &Output) -> Result<Exit, CliError> {
    let settings = client.get_settings().await?;
    let is_well = settings.checks.iter().all(|check| check.state == "ok");
    let exit = if is_well { Exit::Done } else { Exit::No };
    if output.is_json() {
        output.json(&settings)?;
        return Ok(exit);
    }
    output.line(&format!("bootproof-server {}, {}", settings.version, settings.address))?;
    let store = &settings.store;
    output.line(&format!("{}, schema {}, {} bytes", store.kind, store.schema, store.n_bytes))?;
    for check in &settings.checks {
        let tone = if check.state == "ok" { Tone::Good } else { Tone::Bad };
        let reason = check.reason.as_deref().map_or_else(String::new, |said| format!(": {said}"));
        let state = output.paint(tone, &check.state);
        output.line(&format!("{state} {}{}", plain(&check.name), plain(&reason)))?;
    }
    output.line("")?;
    for key in &settings.keys {
        output.line(&match &key.value {
            Some(value) => format!("{} = {}", key.name, plain(value)),
            None => format!("# {} is not set", key.name),
        })?;
    }
    Ok(exit)
}

#[cfg(test)]
mod tests {
    use super::{watch::Sight as _, *};
    use crate::output::Rows;

    #[test]
    fn what_was_not_counted_is_not_nothing() {
        let output = Output::new(false);
        let told = |attention: &AttentionView| {
            let said = output.collect(Rows::Whole, |output| Attention.show(attention, output));
            (said.unwrap(), Attention.exit(attention))
        };
        let (said, exit) = told(&AttentionView::default());
        assert!(said.starts_with("not counted yet") && exit == Exit::Unsure, "{said}");
        let counted = AttentionView { counted_at_ms: Some(1), ..AttentionView::default() };
        let (said, exit) = told(&counted);
        assert!(said.contains("Nothing wants a look.") && exit == Exit::Done, "{said}");
    }
}
