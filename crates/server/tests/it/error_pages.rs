//! Pages in place of those that cannot be shown: what is wrong, and a way on.

use api::people::{Role, UserRequest};
use serde_json::json;

use crate::{
    bench::{Host, Server},
    browser::Browser,
    page_forms::{PASSWORD, administrator},
};

/// What another one gave, and what lets nobody further than to the page for another one.
const FIRST: &str = "seven green lanterns";

/// Where the menu begins.
const MENU: &str = "<nav class=\"side\" aria-label=\"Main\">";

fn header<'a>(headers: &'a [(String, String)], name: &str) -> &'a str {
    headers.iter().find(|(known, _)| known == name).map_or("", |(_, value)| value)
}

#[tokio::test(flavor = "multi_thread")]
async fn what_cannot_be_shown_is_told_within_the_menu() {
    let server = Server::start().await;
    let ada = administrator(&server);
    let gone = "/hosts/6f9619ff-8b86-d011-b42d-00c04fc964ff";
    for (path, status, says, here) in [
        (gone, 404, "There is no host 6f9619ff-8b86-d011-b42d-00c04fc964ff.", "/hosts"),
        (
            &*format!("{gone}/log"),
            404,
            "There is no host 6f9619ff-8b86-d011-b42d-00c04fc964ff.",
            "/hosts",
        ),
        ("/help/book/no-such", 404, "The book has no such chapter.", "/help"),
        ("/channels/no-such", 404, "Channel not found.", "/channels"),
        // What the library refuses by itself.
        (&*format!("{gone}/diff?before=x"), 400, "No page has this address.", "/hosts"),
        ("/audit?before=x", 400, "No page has this address.", "/audit"),
        ("/hosts/%ff", 400, "No page has this address.", "/hosts"),
        ("/no-such", 404, "There is no such address.", ""),
        // A page that came of a form, asked for anew.
        ("/hosts/preview", 405, "This address does not take this method.", "/hosts"),
    ] {
        let (found, headers, page) = ada.seen(path);
        assert_eq!(found, status, "{path}: {page}");
        assert!(page.contains(&format!("<h1>{says}</h1>")), "{path}: {page}");
        assert!(page.contains(MENU) && page.contains("Sign out"), "{path}: no menu in {page}");
        let current = format!("<a href=\"{here}\" aria-current=\"page\">");
        assert_eq!(page.contains(&current), !here.is_empty(), "{path}: {page}");
        assert!(!page.contains("data-stream"), "{path}: nothing keeps a message true");
        let id = header(&headers, "x-request-id");
        assert!(page.contains(&format!("Request <code>{id}</code>")), "{path}: {id}: {page}");
        assert!(server.log().lines().any(|line| line.contains(id) && line.contains("refused")));
        assert!(header(&headers, "content-security-policy").contains("default-src 'none'"));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_host_that_was_removed_keeps_its_name_in_what_changed() {
    let server = Server::start().await;
    let ada = administrator(&server);
    let id = server.join(&Host::without_tpm("spare")).await.host_id;
    server.admin.delete::<()>(&format!("/v1/hosts/{id}")).await.unwrap();
    let (_, _, page) = ada.seen("/");
    assert!(page.contains("spare"), "{page}");
    assert!(!page.contains(&id), "neither its number nor a link to no page: {page}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_viewer_is_told_what_it_takes_and_a_stranger_sees_no_menu() {
    let server = Server::start().await;
    let ada = administrator(&server);
    let bob = UserRequest { name: "bob".into(), role: Role::Viewer, password: FIRST.into() };
    assert_eq!(ada.ask("POST", "/v1/users", &bob).status, 200);
    let mut bob = Browser::new(&server);
    bob.log_in("bob", FIRST);
    let other = json!({ "old": FIRST, "new": PASSWORD });
    // Until then the menu would lead to nothing but the page for the password.
    let (status, _, page) = bob.seen("/no-such");
    assert!(status == 404 && !page.contains(MENU), "{page}");
    let begun = bob.ask("POST", "/v1/password", &other);
    bob.take(&begun);
    let (status, _, page) = bob.seen("/settings");
    assert!(status == 403 && page.contains(MENU), "{page}");
    assert!(page.contains("This needs the role admin"), "{page}");
    // So the menu does not lead there, nor where one makes tokens.
    let names = |page: &str, to: &str| page.contains(&format!("<li><a href=\"{to}\""));
    for (to, of_bob) in
        [("/hosts", true), ("/people", true), ("/join", false), ("/settings", false)]
    {
        assert_eq!(names(&page, to), of_bob, "{to}: {page}");
        assert!(names(&ada.seen("/hosts").2, to), "{to}");
    }

    let stranger = Browser::new(&server);
    let (status, headers, page) = stranger.seen("/no-such");
    assert_eq!(status, 404);
    assert!(page.contains("There is no such address.") && !page.contains(MENU), "{page}");
    assert!(header(&headers, "content-type").starts_with("text/html"));
    // Programs are told facts, also at the addresses of the interface where a browser asks.
    for (path, accept) in [("/no-such", "*/*"), ("/v1/no-such", "text/html")] {
        let answer = stranger.send("GET", path, &[("accept", accept)], &());
        assert_eq!((answer.status, answer.code()), (404, "address-not-found"), "{path}");
        assert_eq!(answer.body["request_id"], json!(answer.header("x-request-id").unwrap()));
    }
}
