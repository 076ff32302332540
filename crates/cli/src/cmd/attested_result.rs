//! `bootproof result …`

use api::result::{Dialect as Names, RESULT_TYPE, ResultQuery};
use client::Client;
use serde_json::Value;

use super::{
    Exit, host,
    local_time::time,
    signed::{self, Ends},
};
use crate::{
    args::{AttestedResult, Dialect, ResultGet, ResultVerify},
    error::CliError,
    output::{Output, Tone, plain},
};

pub(super) async fn run(
    command: &AttestedResult,
    client: impl Fn() -> Result<Client, CliError>,
    output: &Output,
) -> Result<Exit, CliError> {
    match command {
        AttestedResult::Get(command) => get(command, &client()?, output).await,
        AttestedResult::Verify(command) => verify(command, client, output).await,
        AttestedResult::Keys => {
            let keys = signed::server_keys(&client()?).await?;
            output.json(&keys)?;
            Ok(Exit::Done)
        }
    }
}

async fn get(command: &ResultGet, client: &Client, output: &Output) -> Result<Exit, CliError> {
    let id = match host::find(&command.host, client).await {
        Ok(host) => host.id,
        // Who may get results and nothing else knows hosts by their identifiers.
        Err(err) if err.is_refusal("role-too-low") => {
            host::identifier(&command.host).ok_or(err)?.to_owned()
        }
        Err(err) => return Err(err),
    };
    let query = ResultQuery {
        dialect: match command.dialect {
            Dialect::Ietf => Names::Ietf,
            Dialect::Veraison => Names::Veraison,
        },
        nonce: command.nonce.clone(),
    };
    let result = client.get_result(&id, &query).await?;
    if output.is_json() {
        output.json(&result)?;
    } else {
        output.line(&result.jwt)?;
    }
    Ok(Exit::Done)
}

async fn verify(
    command: &ResultVerify,
    client: impl FnOnce() -> Result<Client, CliError>,
    output: &Output,
) -> Result<Exit, CliError> {
    let token = signed::text(&command.file)?;
    let keys = signed::keys(command.keys.as_deref(), client).await?;
    let refuse = |why: &str| -> Result<Exit, CliError> {
        let title = output.paint(Tone::Bad, "This result proves nothing");
        output.line(&format!("{title}: {}", plain(why)))?;
        Ok(Exit::No)
    };
    let claims: Value = match signed::claims(&token, RESULT_TYPE, &keys, Ends::ByTime) {
        Ok(claims) => claims,
        Err(why) => return refuse(&why),
    };
    if let Some(nonce) = &command.nonce
        && claims["eat_nonce"] != nonce.as_str()
    {
        return refuse("it does not show your nonce: it may be an old one");
    }
    if output.is_json() {
        output.json(&claims)?;
    } else {
        show(&claims, output)?;
    }
    Ok(match status(&claims) {
        "affirming" | "warning" => Exit::Done,
        _ => Exit::No,
    })
}

/// In the names of either dialect.
fn status(claims: &Value) -> &str {
    let host = &claims["submods"]["host"];
    host["ear_status"].as_str().or_else(|| host["ear.status"].as_str()).unwrap_or("none")
}

/// What a claim of the vector says, by its value. [draft-ietf-rats-ar4si §2.3.2]
const fn tier(value: i64) -> &'static str {
    match value {
        2..=31 | -32..=-2 => "affirming",
        32..=95 | -96..=-33 => "warning",
        96..=127 | -128..=-97 => "contraindicated",
        _ => "none",
    }
}

fn show(claims: &Value, output: &Output) -> Result<(), CliError> {
    let host = &claims["submods"]["host"];
    let status = status(claims);
    let tone = match status {
        "affirming" => Tone::Good,
        "contraindicated" => Tone::Bad,
        _ => Tone::Unsure,
    };
    let name = claims["bootproof_untrusted_host_name"].as_str().unwrap_or_default();
    let verdict = host["bootproof_verdict"].as_str().unwrap_or_default();
    output.line(&format!("{}: {} ({verdict})", plain(name), output.paint(tone, status)))?;
    let line = |name: &str, value: &str| output.line(&format!("{name:<20} {}", plain(value)));
    line("identifier", claims["sub"].as_str().unwrap_or_default())?;
    let at = |claim: &str| claims[claim].as_i64().and_then(|at_s| at_s.checked_mul(1000));
    line("said", &time(at("iat")))?;
    line("good until", &time(at("exp")))?;
    let names = ["ear_trustworthiness_vector", "ear.trustworthiness-vector"];
    let vector = names.iter().find_map(|name| host[*name].as_object());
    for (claim, value) in vector.into_iter().flatten() {
        let tier = value.as_i64().map_or("none", tier);
        line(&format!("  {claim}"), &format!("{tier} ({value})"))?;
    }
    for finding in host["bootproof_findings"].as_array().into_iter().flatten() {
        let text = |key: &str| finding[key].as_str().unwrap_or_default();
        line("finding", &format!("{} ({})", text("code"), text("severity")))?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_is_told_in_words_and_none_is_better_than_it_is() {
        let words = [-128, -97, -96, -33, -32, -2, -1, 0, 1, 2, 31, 32, 95, 96, 127, 128].map(tier);
        let (good, bad, unsure, none) = ("affirming", "contraindicated", "warning", "none");
        let below = [bad, bad, unsure, unsure, good, good, none, none];
        let above = [none, good, good, unsure, unsure, bad, bad, none];
        assert_eq!(words, [below, above].concat()[..]);
    }
}
