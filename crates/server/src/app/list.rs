//! Lists of hosts: pages of those that fit what a person looks for.

use api::{
    admin::HostPage,
    inventory::{HostQuery, selector},
};
use store::{Host, HostFilter, HostOrder, LabelFilter, MayStand, Stood};

use super::{
    App, AppError, HostScope, RefusalKind,
    host_order::{cursor, cursor_to_text, order},
    paging::{cut, one_more},
    standing,
};

/// Hosts on a page, where the client does not say.
const PAGE_LEN: u32 = 100;

/// Rows that one request looks at: what counts now of a host is worked out when it is looked at, and a
/// few in 100,000 may be sought. The page that comes is shorter then, and says where to go on.
const LOOKED_AT_MAX: usize = 4_000;

/// Characters that are sought in names.
const SEARCH_CHARS_MAX: usize = 100;

/// What lists show beside what the store can choose by.
struct Sought {
    verdict: Option<&'static str>,
    connection: Option<&'static str>,
    code: Option<String>,
    maintenance: Option<bool>,
}

const VERDICTS: [&str; 3] = ["accepted", "not accepted", "not appraised"];
const CONNECTIONS: [&str; 3] = ["connected", "not responding", "disconnected"];

impl Sought {
    fn of(query: &HostQuery) -> Result<Self, AppError> {
        Ok(Self {
            verdict: word("verdict", query.verdict.as_deref(), &VERDICTS)?,
            connection: word("connection", query.connection.as_deref(), &CONNECTIONS)?,
            code: query.code.clone(),
            maintenance: query.maintenance,
        })
    }

    /// Whether the store alone chooses.
    const fn is_all(&self) -> bool {
        self.verdict.is_none()
            && self.connection.is_none()
            && self.code.is_none()
            && self.maintenance.is_none()
    }

    fn has(&self, host: &api::admin::Host) -> bool {
        let code = |code: &String| host.findings.iter().any(|finding| finding.code == *code);
        self.verdict.is_none_or(|verdict| host.verdict == verdict)
            && self.connection.is_none_or(|connection| host.connection == connection)
            && self.maintenance.is_none_or(|is_so| host.maintenance.is_some() == is_so)
            && self.code.as_ref().is_none_or(code)
    }
}

fn invalid(title: String) -> AppError {
    AppError::plain(RefusalKind::Invalid, "query-invalid", title)
}

/// One of `known`.
fn word(
    what: &str,
    said: Option<&str>,
    known: &[&'static str],
) -> Result<Option<&'static str>, AppError> {
    let Some(said) = said else { return Ok(None) };
    let found = known.iter().find(|word| **word == said);
    match found {
        Some(word) => Ok(Some(word)),
        None => Err(invalid(format!("a {what} is one of: {}", known.join(", ")))),
    }
}

fn filter(query: &HostQuery, now_ms: i64) -> Result<HostFilter, AppError> {
    if query.search.as_ref().is_some_and(|text| text.chars().count() > SEARCH_CHARS_MAX) {
        return Err(invalid(format!("a search has {SEARCH_CHARS_MAX} characters at most")));
    }
    let labels = match &query.labels {
        None => Vec::new(),
        Some(text) => selector(text).map_err(|fault| invalid(fault.to_owned()))?,
    };
    Ok(HostFilter {
        name_contains: query.search.clone().filter(|text| !text.is_empty()),
        labels: labels.into_iter().map(|(key, value)| LabelFilter { key, value }).collect(),
        may_stand: query
            .verdict
            .as_deref()
            .map(Stood::of_verdict)
            .or_else(|| standing::stands_with(query.code.as_deref()?))
            .map(|stood| MayStand { stood, due_by_ms: now_ms }),
        has_code: query.code.clone().filter(|code| !standing::is_found_by_a_look(code)),
        order: order(query.sort.as_deref())?,
    })
}

/// Refuses what no list can be asked for.
pub(super) fn check(query: &HostQuery) -> Result<(), AppError> {
    Sought::of(query)?;
    filter(query, 0).map(drop)
}

impl App {
    /// One page of hosts of `within`, in the order that is asked for.
    pub async fn hosts(&self, query: HostQuery, within: &HostScope) -> Result<HostPage, AppError> {
        let now_ms = self.store.now_ms().await?;
        let rules = self.rules();
        let view = |host: &Host| standing::view(host, &rules.config, now_ms);
        // Looked at before a name makes them of no effect: what is wrong is wrong beside it, too.
        let sought = Sought::of(&query)?;
        let mut filter = filter(&query, now_ms)?;
        if let Some(name) = &query.name {
            // Names are the hosts' own words and need not be unique.
            let hosts = self.store.hosts_by_name(name).await?;
            let hosts = hosts.iter().filter(|host| within.has(&host.labels)).map(view).collect();
            return Ok(HostPage { hosts, next_cursor: None });
        }
        // A word that is no finding's needs no look at any host.
        if query.code.as_deref().is_some_and(|code| findings::Code::from_name(code).is_none()) {
            return Ok(HostPage { hosts: Vec::new(), next_cursor: None });
        }
        let of_scope = within.labels().iter();
        filter.labels.extend(
            of_scope
                .map(|(key, value)| LabelFilter { key: key.clone(), value: Some(value.clone()) }),
        );
        let limit = page_len(query.limit.unwrap_or(PAGE_LEN));
        let order = filter.order;
        let mut after = cursor(query.cursor.as_deref(), order)?;
        // One more than is shown: without it nothing follows.
        let n_sought = usize::try_from(one_more(limit)).unwrap_or(usize::MAX);
        let (mut found, mut n_looked_at) = (Vec::new(), 0);
        let mut shown_to = None;
        // What the store lets through is what is sought, in most cases; else more is looked at in one go.
        let mut n_wanted = one_more(limit).min(store::HOSTS_PAGE_MAX);
        loop {
            let rows = self.store.hosts(filter.clone(), after.clone(), n_wanted).await?;
            let is_last = rows.len() < usize::try_from(n_wanted).unwrap_or(usize::MAX);
            n_looked_at += rows.len();
            n_wanted = if sought.is_all() { 1 } else { store::HOSTS_PAGE_MAX };
            after = rows.last().map(|row| row.cursor(order));
            for row in &rows {
                let host = view(row);
                if !sought.has(&host) {
                    continue;
                }
                if found.len().saturating_add(1) >= n_sought {
                    let next_cursor = shown_to.as_ref().map(cursor_to_text);
                    return Ok(HostPage { hosts: found, next_cursor });
                }
                found.push(host);
                shown_to = Some(row.cursor(order));
            }
            if is_last {
                return Ok(HostPage { hosts: found, next_cursor: None });
            }
            if n_looked_at >= LOOKED_AT_MAX {
                let next_cursor = after.as_ref().map(cursor_to_text);
                return Ok(HostPage { hosts: found, next_cursor });
            }
        }
    }

    /// The rows of one page of all hosts, and where the next one begins.
    pub(super) async fn page(
        &self,
        from: Option<&str>,
        limit: u32,
    ) -> Result<(Vec<Host>, Option<String>), AppError> {
        let limit = page_len(limit);
        let order = HostOrder::default();
        let after = cursor(from, order)?;
        let hosts = self.store.hosts(HostFilter::default(), after, one_more(limit)).await?;
        let (hosts, follows) = cut(hosts, limit, store::HOSTS_PAGE_MAX);
        let next_cursor =
            hosts.last().filter(|_| follows).map(|last| cursor_to_text(&last.cursor(order)));
        Ok((hosts, next_cursor))
    }
}

fn page_len(wanted: u32) -> u32 {
    wanted.clamp(1, store::HOSTS_PAGE_MAX)
}
