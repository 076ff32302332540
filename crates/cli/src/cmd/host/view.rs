//! `bootproof host view …`, and what a list shows.

use api::{
    host_view::{HostView, ViewOf, ViewQuery},
    inventory::HostQuery,
};
use client::Client;

use super::super::Exit;
use crate::{
    args::{HostChoice, HostViews, KeepHostView},
    error::CliError,
    output::{Output, plain},
};

pub(super) async fn run(
    command: &HostViews,
    client: &Client,
    output: &Output,
) -> Result<Exit, CliError> {
    match command {
        HostViews::List => list(client, output).await,
        HostViews::Keep(KeepHostView { view, choice }) => {
            let shown = ViewQuery::from(query(choice, client).await?);
            if view.shared {
                client.share_host_view(&view.name, &shown).await?;
            } else {
                client.keep_host_view(&view.name, &shown).await?;
            }
            output.note(&format!("kept: `bootproof host list --view {:?}`", view.name));
            Ok(Exit::Done)
        }
        HostViews::Remove(view) => {
            if view.shared {
                client.unshare_host_view(&view.name).await?;
            } else {
                client.remove_host_view(&view.name).await?;
            }
            output.note(&format!("the view {} is removed", view.name));
            Ok(Exit::Done)
        }
    }
}

async fn list(client: &Client, output: &Output) -> Result<Exit, CliError> {
    let views = client.list_host_views().await?;
    if output.is_json() {
        output.json(&views)?;
        return Ok(Exit::Done);
    }
    if views.is_empty() {
        output.note("no view is kept: `bootproof host view keep NAME --verdict 'not accepted'`");
        return Ok(Exit::Done);
    }
    let mut table = output.table(&["view", "whose", "shows"]);
    for view in views {
        let whose = match view.of {
            ViewOf::Own => "yours",
            ViewOf::Shared => "everybody's",
        };
        table.add_row([plain(&view.name), whose.to_owned(), plain(&words(&view.query))]);
    }
    output.line(&table.to_string())?;
    Ok(Exit::Done)
}

/// What a view shows, as the options of `host list`.
fn words(query: &ViewQuery) -> String {
    let ViewQuery { search, labels, verdict, connection, code, maintenance, sort } = query;
    let named = [
        ("--search", search),
        ("--select", labels),
        ("--verdict", verdict),
        ("--connection", connection),
        ("--code", code),
    ];
    let mut words: Vec<String> = named
        .into_iter()
        .filter_map(|(option, value)| Some(format!("{option} {:?}", value.as_ref()?)))
        .collect();
    if *maintenance == Some(true) {
        words.push("--in-maintenance".to_owned());
    }
    if let Some(sort) = sort {
        words.push(match sort.strip_prefix('-') {
            None => format!("--sort {sort}"),
            Some(by) => format!("--sort {by} --descending"),
        });
    }
    words.join(" ")
}

/// What a list is to show: of the view that is named, and what is said beside it.
pub(super) async fn query(command: &HostChoice, client: &Client) -> Result<HostQuery, CliError> {
    let HostChoice { search, select, verdict, connection, code, in_maintenance, kept, .. } =
        command;
    let base = match kept {
        None => HostQuery::default(),
        Some(name) => kept_query(name, client.list_host_views().await?)?,
    };
    let said = |said: &Option<String>, kept: Option<String>| said.clone().or(kept);
    Ok(HostQuery {
        search: said(search, base.search),
        labels: said(select, base.labels),
        verdict: said(verdict, base.verdict),
        connection: said(connection, base.connection),
        code: said(code, base.code),
        maintenance: in_maintenance.then_some(true).or(base.maintenance),
        sort: sort(command, base.sort),
        ..HostQuery::default()
    })
}

/// Of two views of one name, one's own.
fn kept_query(name: &str, views: Vec<HostView>) -> Result<HostQuery, CliError> {
    let named = views.into_iter().filter(|view| view.name == name);
    let view = named.max_by_key(|view| view.of == ViewOf::Own).ok_or_else(|| {
        CliError::with_hint(
            anyhow::anyhow!("there is no view {name:?}"),
            "`bootproof host view list` shows the views",
        )
    })?;
    Ok(view.query.into())
}

/// The order that is asked for: what is said, or the view's; from the other end, where that is said.
fn sort(command: &HostChoice, kept: Option<String>) -> Option<String> {
    let by = command.sort.clone().or(kept);
    if !command.descending {
        return by;
    }
    let by = by.unwrap_or_else(|| "name".to_owned());
    Some(format!("-{}", by.strip_prefix('-').unwrap_or(&by)))
}
