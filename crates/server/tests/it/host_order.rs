//! Lists of hosts in another order than by name: over the API, on the command line and on the page.

use api::{admin::HostPage, inventory::HostQuery};
use cli::Exit;
use testkit::log::BootLog;

use crate::{
    alarms::wait_for,
    bench::{Host, Server, code},
    browser::{Browser, setup_code},
    commands::bootproof,
};

fn sorted(sort: &str) -> HostQuery {
    HostQuery { sort: Some(sort.to_owned()), limit: Some(1), ..HostQuery::default() }
}

/// All pages of a list, one host each.
async fn names(server: &Server, mut query: HostQuery) -> Vec<String> {
    let mut seen = Vec::new();
    loop {
        let page: HostPage = server.admin.get_with("/v1/hosts", &query).await.unwrap();
        seen.extend(page.hosts.into_iter().map(|host| host.name));
        match page.next_cursor {
            Some(cursor) => query.cursor = Some(cursor),
            None => return seen,
        }
    }
}

/// One that passed, one that did not, and one that has no TPM, in the order in which they joined.
async fn fleet() -> Server {
    let server = Server::start().await;
    server.trust().await;
    let sound = Host::boot("b-sound", &BootLog::sound());
    server.join(&sound).await;
    assert_eq!(sound.attest(&server).await.unwrap().verdict, "accepted");
    let off = Host::boot("c-off", &BootLog::sound().secure_boot_off());
    server.join(&off).await;
    assert_eq!(off.attest(&server).await.unwrap().verdict, "not accepted");
    server.join(&Host::without_tpm("a-none")).await;
    // Who looked at the alarm looked at the verdict.
    wait_for(&server, &[("no-tpm", "a-none"), ("secure-boot-off", "c-off")]).await;
    server
}

#[tokio::test(flavor = "multi_thread")]
async fn a_list_is_sorted_by_what_somebody_asks_for() {
    let server = fleet().await;
    let orders = [
        ("name", ["a-none", "b-sound", "c-off"]),
        ("-name", ["c-off", "b-sound", "a-none"]),
        ("verdict", ["c-off", "a-none", "b-sound"]),
        ("-verdict", ["b-sound", "a-none", "c-off"]),
        ("judged", ["a-none", "b-sound", "c-off"]),
        ("-judged", ["c-off", "b-sound", "a-none"]),
        ("joined", ["b-sound", "c-off", "a-none"]),
        ("-joined", ["a-none", "c-off", "b-sound"]),
    ];
    for (sort, expected) in orders {
        assert_eq!(names(&server, sorted(sort)).await, expected, "{sort}");
    }
    // By the hour, and by name in it.
    let of_all: HostPage = server.admin.get("/v1/hosts").await.unwrap();
    let mut seen: Vec<_> = of_all
        .hosts
        .iter()
        .map(|host| (host.last_seen_ms.unwrap() / 3_600_000, host.name.as_str()))
        .collect();
    seen.sort_unstable();
    let seen: Vec<_> = seen.into_iter().map(|(_, name)| name).collect();
    assert_eq!(names(&server, sorted("seen")).await, seen);
    // An order goes with what is sought.
    let failed = HostQuery { verdict: Some("not accepted".into()), ..sorted("-judged") };
    assert_eq!(names(&server, failed).await, ["c-off"]);

    let first: HostPage = server.admin.get_with("/v1/hosts", &sorted("judged")).await.unwrap();
    for other in ["name", "-judged", "seen"] {
        let query = HostQuery { cursor: first.next_cursor.clone(), ..sorted(other) };
        let refused = server.admin.get_with::<_, HostPage>("/v1/hosts", &query).await;
        assert_eq!(code(refused), "cursor-invalid", "{other}");
    }
    for wrong in ["colour", "-", "Name", "name,judged"] {
        let refused = server.admin.get_with::<_, HostPage>("/v1/hosts", &sorted(wrong)).await;
        assert_eq!(code(refused), "query-invalid", "{wrong}");
    }

    let done = async |words: &[&str]| {
        let words = [&["host", "list"], words].concat();
        assert_eq!(bootproof(&server, &words).await.unwrap(), Exit::Done, "{words:?}");
    };
    done(&["--sort", "seen"]).await;
    done(&["--sort", "verdict", "--descending"]).await;
    done(&["--descending"]).await;

    a_page_says_how_it_is_sorted(&server);
}

fn a_page_says_how_it_is_sorted(server: &Server) {
    let mut browser = Browser::new(server);
    let code = setup_code(server).unwrap();
    let account = serde_json::json!({ "code": code, "name": "ada", "password": "correct horse battery staple" });
    let begun = browser.ask("POST", "/v1/setup", &account);
    browser.take(&begun);
    let at =
        |page: &str, text: &str| page.find(text).unwrap_or_else(|| panic!("{text} in\n{page}"));

    let (status, page) = browser.page("/hosts");
    assert_eq!(status, 200);
    assert_eq!(page.matches("aria-sort").count(), 1);
    at(&page, r#"<th aria-sort="ascending"><a href="/hosts?sort=-name">Host</a>"#);
    at(&page, r#"<a href="/hosts?sort=judged">Judged</a>"#);

    let (_, page) = browser.page("/hosts?sort=-judged&limit=2");
    at(&page, r#"<th aria-sort="descending"><a href="/hosts?sort=judged&amp;limit=2">Judged</a>"#);
    assert!(at(&page, ">c-off<") < at(&page, ">b-sound<"));
    // The next page is of the same order; what comes after it in another one is said to be none.
    let next = page.split("rel=\"next\" href=\"").nth(1).unwrap().split('"').next().unwrap();
    let next = next.replace("&amp;", "&");
    assert!(browser.page(&next).1.contains(">a-none<"), "{next}");
    let (status, refused) = browser.page(&next.replace("sort=-judged", "sort=judged"));
    assert_eq!(status, 400);
    at(&refused, "Begin at the first page of the other order");
}
