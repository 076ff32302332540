//! What a host sends is text, on each page that shows it and in each report: HTML, control characters, marks of reading
//! direction, formulas of spreadsheets, a megabyte.

use std::fmt::Write as _;

use serde_json::{Value, json};
use testkit::log::BootLog;

use crate::{
    alarms::wait_for,
    bench::{Host, Server},
    browser::{Browser, setup_code},
    references::reboot,
};

/// A formula, an end of an attribute, an element, a script; then what no eye sees.
const HOSTILE: &str = "=cmd|'/c calc'!A1 \"'><img src=x onerror=alert(1)><script>alert(1)</script>\
     \u{202e}gnp.exe\u{200b}\u{1b}[2J\u{7}";

/// Characters of the longest texts.
const LONG: usize = 1024 * 1024;

/// Bytes of a page: the largest show a few long texts, each cut.
const PAGE_BYTES_MAX: usize = 512 * 1024;

/// What a page must not have, and says of itself where it does.
fn faults(path: &str, html: &str) -> Option<String> {
    let mut faults = String::new();
    for no in ["<img", "<script>", "onerror=alert(1)>"] {
        if html.contains(no) {
            write!(faults, " has {no}").unwrap();
        }
    }
    let hidden = html.chars().find(|c| !matches!(c, '\n' | '\t') && pages::text::is_hidden(*c));
    if let Some(hidden) = hidden {
        write!(faults, " has {hidden:?}").unwrap();
    }
    if html.len() > PAGE_BYTES_MAX {
        write!(faults, " has {} bytes", html.len()).unwrap();
    }
    (!faults.is_empty()).then(|| format!("{path}:{faults}"))
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_host_sends_is_text_on_each_page() {
    let server = Server::start().await;
    server.trust().await;
    // A zero would end the text, for the firmware as well.
    let line = |long: usize| format!("root=/dev/sda1 {HOSTILE} {}", "x".repeat(long));
    let mut host = Host::boot("web-1", &BootLog::sound().kernel_cmdline(&line(LONG / 8)));
    for file in ["sys_vendor", "product_name", "bios_version"] {
        std::fs::write(host.log_file().with_file_name(file), HOSTILE).unwrap();
    }
    let id = server.join(&host).await.host_id;
    assert_eq!(host.attest(&server).await.unwrap().verdict, "accepted");
    let said: String = HOSTILE.chars().filter(|c| !c.is_control()).collect();
    let learn = |state: &str| json!({ "scope": "host", "name": "as it is", "reason": said, "state": state });
    let reference = format!("/v1/hosts/{id}/reference");
    let _: Value = server.admin.post(&reference, &learn("active")).await.unwrap();
    reboot(&mut host, &BootLog::sound().kernel_cmdline(&line(7)));
    assert_eq!(host.attest(&server).await.unwrap().verdict, "not accepted");
    wait_for(&server, &[("reference-change", "web-1")]).await;
    let ack = json!({ "alarms": { "code": "reference-change" }, "reason": said });
    let _: Value = server.admin.post("/v1/alarms/acknowledge", &ack).await.unwrap();

    // Worse than any agent and any standard lets through: as if a rule before the pages failed.
    let findings = json!([{
        "code": "reference-change", "severity": "fail", "next_step": HOSTILE,
        "cause": format!("{HOSTILE} {}", "y".repeat(LONG))
    }]);
    let db = server.database();
    let worse =
        "UPDATE hosts SET last_findings_json = ?1, cohort = ?2, name = ?3, labels_json = ?4";
    let cohort = json!([HOSTILE, HOSTILE, HOSTILE]).to_string();
    let name = format!("{HOSTILE}{}", "z".repeat(LONG));
    let labels = json!({ "site": HOSTILE }).to_string();
    db.execute(worse, (findings.to_string(), cohort, &name, labels)).unwrap();
    db.execute(
        "UPDATE boot_references SET name = ?1, reason = ?1, created_by = ?1, state = 'pending'",
        [&name],
    )
    .unwrap();
    db.execute("UPDATE alarms SET cause = ?1, ack_reason = ?1, ack_by = ?1", [&name]).unwrap();
    drop(db);

    let mut ada = Browser::new(&server);
    let account = json!({
        "code": setup_code(&server).unwrap(), "name": "ada", "password": "correct horse battery staple"
    });
    let begun = ada.ask("POST", "/v1/setup", &account);
    ada.take(&begun);
    let mut wrong = Vec::new();
    // Where each shows it: a page that shows nothing hides nothing.
    for (path, is_shown) in [
        ("/".to_owned(), true),
        ("/hosts".to_owned(), true),
        ("/alarms".to_owned(), true),
        ("/alarms/reference-change".to_owned(), true),
        ("/alarms/reference-change?cleared=true".to_owned(), true),
        ("/approvals".to_owned(), true),
        ("/references".to_owned(), true),
        ("/audit".to_owned(), true),
        (format!("/hosts/{id}"), true),
        (format!("/hosts/{id}/log"), true),
        (format!("/hosts/{id}/diff"), true),
        (format!("/reports?host={id}"), true),
        ("/join".to_owned(), false),
        ("/people".to_owned(), false),
    ] {
        let (status, html) = ada.page(&path);
        assert_eq!(status, 200, "{path}: {html}");
        wrong.extend(faults(&path, &html));
        if is_shown && !html.contains("&gt;&lt;img src=x") {
            wrong.push(format!("{path}: does not show it"));
        }
    }
    let (status, _, html) =
        ada.form("/hosts/preview", &[("verb", "attest"), ("host", id.as_str())]);
    assert_eq!(status, 200, "{html}");
    wrong.extend(faults("/hosts/preview", &html));
    assert_eq!(wrong, Vec::<String>::new());

    // And what one hands on.
    let (status, html) = ada.page("/reports/file?kind=fleet&format=html");
    assert_eq!(status, 200, "{html}");
    assert_eq!(faults("HTML", &html), None);
    for table in ["/reports/file?kind=fleet&format=csv", "/hosts.csv"] {
        let (status, csv) = ada.page(table);
        assert_eq!(status, 200, "{csv}");
        assert!(!csv.contains("\"=cmd") && csv.contains("\"'=cmd"), "{table} has a formula");
        let hidden = csv.chars().find(|c| !matches!(c, '\n' | '\r') && pages::text::is_hidden(*c));
        assert_eq!(hidden, None, "{table}");
        assert!(csv.len() < PAGE_BYTES_MAX, "{table} has {} bytes", csv.len());
    }
}
