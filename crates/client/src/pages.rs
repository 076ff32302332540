//! Lists, page by page: a page says with which cursor the next one is asked for.

use std::marker::PhantomData;

use api::{
    admin::HostPage,
    alarm::{AlarmPage, AlarmQuery},
    approval::{ApprovalPage, ApprovalQuery},
    audit::AuditPage,
    channel::{DeadLetterPage, DeadLetterQuery},
    ek_list::{EkPage, EksQuery, UnlistedPage},
    event::{EventPage, EventQuery},
    fleet::ReferencePage,
    inventory::HostQuery,
    policy::{PolicyTryPage, PolicyTryRequest},
};

use crate::{Client, ClientError, PageQuery};

/// A page of a list: what it holds, and what the next one is asked for with.
pub trait Page: Sized {
    /// The query of the list.
    type Query;
    /// What the list is of.
    type Item;

    /// Changes the query of this page into that of the next; `false` where this is the last.
    fn turn(&self, query: &mut Self::Query) -> bool;

    /// What is on it.
    fn into_items(self) -> Vec<Self::Item>;
}

/// Pages of one list, in order. Each is asked for when it is wanted.
#[derive(Debug)]
pub struct Pages<P: Page, F> {
    query: Option<P::Query>,
    ask: F,
    page: PhantomData<P>,
}

impl<P: Page, F: AsyncFn(&P::Query) -> Result<P, ClientError>> Pages<P, F> {
    fn new(query: P::Query, ask: F) -> Self {
        Self { query: Some(query), ask, page: PhantomData }
    }

    /// The next page; `None` behind the last. A page that could not be had is asked for again.
    ///
    /// # Errors
    /// See [`ClientError`].
    pub async fn next(&mut self) -> Result<Option<P>, ClientError> {
        let Some(query) = &mut self.query else { return Ok(None) };
        let page = (self.ask)(query).await?;
        if !page.turn(query) {
            self.query = None;
        }
        Ok(Some(page))
    }

    /// All that is on all pages. For lists whose length has a bound that one knows.
    ///
    /// # Errors
    /// See [`ClientError`].
    pub async fn all(mut self) -> Result<Vec<P::Item>, ClientError> {
        let mut items = Vec::new();
        while let Some(page) = self.next().await? {
            items.extend(page.into_items());
        }
        Ok(items)
    }
}

/// A kind of page, and the methods of its lists.
macro_rules! pages {
    ($($(#[$doc:meta])* $method:ident[$($param:ident),*] by $list:ident:
        $page:ty, $query:ty, $items:ident: $item:ty;)+) => {
        $(impl Page for $page {
            type Query = $query;
            type Item = $item;

            fn turn(&self, query: &mut $query) -> bool {
                let has_next = self.next_cursor.is_some();
                query.cursor.clone_from(&self.next_cursor);
                has_next
            }

            fn into_items(self) -> Vec<$item> {
                self.$items
            }
        })+

        impl Client {
            $($(#[$doc])*
            pub fn $method(
                &self
                $(, $param: &str)*,
                query: $query,
            ) -> Pages<$page, impl AsyncFn(&$query) -> Result<$page, ClientError>> {
                let client = self.clone();
                $(let $param = $param.to_owned();)*
                Pages::new(query, async move |query: &$query| {
                    client.$list($(&$param,)* query).await
                })
            })+
        }
    };
}

pages! {
    /// Pages of [`Client::list_hosts`].
    pages_of_hosts[] by list_hosts:
        HostPage, HostQuery, hosts: api::admin::Host;
    /// Pages of [`Client::list_alarms`].
    pages_of_alarms[] by list_alarms:
        AlarmPage, AlarmQuery, alarms: api::alarm::Alarm;
    /// Pages of [`Client::list_approvals`].
    pages_of_approvals[] by list_approvals:
        ApprovalPage, ApprovalQuery, waiting: api::approval::Waiting;
    /// Pages of [`Client::list_listed_eks`].
    pages_of_listed_eks[name] by list_listed_eks:
        EkPage, EksQuery, eks: api::ek_list::ListedEk;
    /// Pages of [`Client::list_unlisted_hosts`].
    pages_of_unlisted_hosts[] by list_unlisted_hosts:
        UnlistedPage, PageQuery, hosts: api::ek_list::UnlistedHost;
    /// Pages of [`Client::list_references`].
    pages_of_references[] by list_references:
        ReferencePage, PageQuery, references: api::fleet::KeptReference;
    /// Pages of [`Client::list_audit`].
    pages_of_audit[] by list_audit:
        AuditPage, PageQuery, rows: api::audit::AuditRow;
    /// Pages of [`Client::list_dead_letters`].
    pages_of_dead_letters[name] by list_dead_letters:
        DeadLetterPage, DeadLetterQuery, dead_letters: api::channel::DeadLetter;
    /// Pages of [`Client::try_policy`].
    pages_of_policy_try[] by try_policy:
        PolicyTryPage, PolicyTryRequest, changes: api::policy::PolicyChange;
}

impl Page for EventPage {
    type Query = EventQuery;
    type Item = api::event::CloudEvent;

    fn turn(&self, query: &mut EventQuery) -> bool {
        query.cursor = Some(self.next_cursor.clone());
        self.more
    }

    fn into_items(self) -> Vec<api::event::CloudEvent> {
        self.events
    }
}

impl Client {
    /// Pages of [`Client::list_events`], up to what there is now.
    pub fn pages_of_events(
        &self,
        query: EventQuery,
    ) -> Pages<EventPage, impl AsyncFn(&EventQuery) -> Result<EventPage, ClientError>> {
        let client = self.clone();
        Pages::new(query, async move |query: &EventQuery| client.list_events(query).await)
    }
}
