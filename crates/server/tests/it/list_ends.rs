//! Where lists end: a page that shows all there is says that nothing follows, also where it is exactly full.

use api::admin::Approval;
use serde_json::{Value, json};
use testkit::log::BootLog;

use crate::{
    alarms::wait_for,
    bench::{Host, Server},
    browser::{Browser, setup_code},
    references::reboot,
};

/// Lists in pages, and what their rows are called.
const LISTS: &[(&str, &str)] = &[
    ("/v1/hosts", "hosts"),
    ("/v1/hosts?verdict=not+accepted", "hosts"),
    ("/v1/hosts?code=secure-boot-off", "hosts"),
    ("/v1/hosts?sort=-judged", "hosts"),
    ("/v1/alarms", "alarms"),
    ("/v1/approvals", "waiting"),
    ("/v1/references", "references"),
    ("/v1/policy/versions", "versions"),
    ("/v1/unlisted-hosts", "hosts"),
    ("/v1/audit", "rows"),
];

/// A page: how many rows, and where the next one begins.
async fn page(server: &Server, path: &str, rows: &str) -> (usize, Option<String>) {
    let page: Value = server.admin.get(path).await.unwrap();
    let n = page[rows].as_array().unwrap_or_else(|| panic!("{path}: {page}")).len();
    (n, page["next_cursor"].as_str().map(str::to_owned))
}

#[tokio::test(flavor = "multi_thread")]
async fn a_list_that_fits_on_a_page_has_no_other() {
    let server = Server::start().await;
    server.trust().await;
    for name in ["web-1", "web-2"] {
        let mut host = Host::boot(name, &BootLog::sound());
        let id = server.join(&host).await.host_id;
        assert_eq!(host.attest(&server).await.unwrap().verdict, "accepted");
        let learn =
            json!({ "scope": "host", "name": name, "reason": "first boot", "state": "pending" });
        let _: Value =
            server.admin.post(&format!("/v1/hosts/{id}/reference"), &learn).await.unwrap();
        reboot(&mut host, &BootLog::sound().secure_boot_off());
        assert_eq!(host.attest(&server).await.unwrap().verdict, "not accepted");
        let policy = json!({ "policy": format!("# {name}\n"), "note": name });
        let _: Value = server.admin.post("/v1/policy/versions", &policy).await.unwrap();
    }
    let token = server.token(None, Approval::Required).await.token;
    for name in ["new-1", "new-2"] {
        Host::without_tpm(name).join(&server, &token).await.unwrap();
    }
    let off = "secure-boot-off";
    let held = "awaiting-approval";
    wait_for(&server, &[(held, "new-1"), (held, "new-2"), (off, "web-1"), (off, "web-2")]).await;

    for (list, rows) in LISTS {
        let and = if list.contains('?') { '&' } else { '?' };
        let (n, next) = page(&server, list, rows).await;
        assert!(n >= 2, "{list}: {n}");
        assert_eq!(next, None, "{list}: all of it fits");
        let exactly = format!("{list}{and}limit={n}");
        assert_eq!(page(&server, &exactly, rows).await, (n, None), "{list}: exactly one page");
        // One less: one row follows, and behind that nothing.
        let (shown, next) = page(&server, &format!("{list}{and}limit={}", n - 1), rows).await;
        let next = next.unwrap_or_else(|| panic!("{list}: a row follows"));
        assert_eq!(shown, n - 1, "{list}");
        let rest = format!("{list}{and}limit={}&cursor={next}", n - 1);
        assert_eq!(page(&server, &rest, rows).await, (1, None), "{list}");
        // Row by row, over all parts of a list of several.
        let (mut seen, mut cursor) = (0, None::<String>);
        loop {
            let from =
                cursor.as_ref().map(|cursor| format!("&cursor={cursor}")).unwrap_or_default();
            let (shown, next) = page(&server, &format!("{list}{and}limit=1{from}"), rows).await;
            assert_eq!(shown, 1, "{list}: no page is empty");
            seen += shown;
            cursor = next;
            if cursor.is_none() {
                break;
            }
        }
        assert_eq!(seen, n, "{list}");
    }

    // And so do pages that people see.
    let mut ada = Browser::new(&server);
    let account = json!({
        "code": setup_code(&server).unwrap(), "name": "ada", "password": "correct horse battery staple"
    });
    let begun = ada.ask("POST", "/v1/setup", &account);
    ada.take(&begun);
    for path in ["/hosts", "/approvals", "/references", "/alarms/secure-boot-off", "/audit"] {
        let (status, html) = ada.page(path);
        assert_eq!(status, 200, "{path}");
        for word in ["Next page", "Older", "rel=\"next\""] {
            assert!(!html.contains(word), "{path} has {word:?}");
        }
    }
    // One that does go on.
    let (_, html) = ada.page("/hosts?limit=1");
    assert!(html.contains("Next page"), "{html}");
}
