//! `bootproof host list`

use api::{admin::Host as HostView, inventory::HostQuery};
use client::Client;
use comfy_table::Cell;

use super::{all, deciding, state, view};
use crate::{
    args::HostList,
    cmd::{Exit, watch},
    error::CliError,
    output::{Output, Tone, plain},
};

struct List {
    query: HostQuery,
}

pub(super) async fn run(
    command: &HostList,
    client: &Client,
    output: &Output,
) -> Result<Exit, CliError> {
    let HostList { choice, watch } = command;
    let query = view::query(choice, client).await?;
    watch::run(&List { query }, *watch, client, output).await
}

impl watch::Sight for List {
    type Fact = Vec<HostView>;

    async fn look(&self, client: &Client) -> Result<Self::Fact, CliError> {
        all(client, self.query.clone()).await
    }

    fn show(&self, hosts: &Self::Fact, output: &Output) -> Result<(), CliError> {
        if hosts.is_empty() {
            let is_all = HostQuery { sort: self.query.sort.clone(), ..HostQuery::default() };
            return Ok(match self.query == is_all {
                true => output.remark("no host has joined yet: `bootproof token create` shows how"),
                false => output.remark("no host fits"),
            }?);
        }
        let mut table = output.table(&["host", "verdict", "connection", "cause", "next step"]);
        for host in hosts {
            let deciding = deciding(&host.findings);
            let causes: Vec<_> = deciding
                .iter()
                .map(|finding| format!("{}: {}", finding.code, finding.cause))
                .collect();
            let next_step = deciding.first().map(|finding| finding.next_step.clone());
            table.add_row([
                Cell::new(plain(&host.name)),
                output.cell(Tone::of_verdict(&host.verdict), &host.verdict),
                Cell::new(state(host)),
                Cell::new(plain(&causes.join("\n"))),
                Cell::new(plain(&next_step.unwrap_or_default())),
            ]);
        }
        Ok(output.show_table(table)?)
    }

    fn exit(&self, _: &Self::Fact) -> Exit {
        Exit::Done
    }
}
