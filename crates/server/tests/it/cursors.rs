//! One cursor for all lists: what goes on where a page ended has the same name everywhere.

use serde_json::Value;
use server::http;

use crate::bench::{Host, Server, code};

/// The lists that come in pages: their addresses, and the fields of what they answer with.
fn lists(document: &Value) -> Vec<(String, Vec<String>, Value)> {
    let mut found = Vec::new();
    for (path, methods) in document["paths"].as_object().unwrap() {
        let operation = &methods["get"];
        let parameters = operation["parameters"].as_array().into_iter().flatten();
        let query: Vec<_> = parameters
            .filter(|parameter| parameter["in"] == "query")
            .map(|parameter| parameter["name"].as_str().unwrap().to_owned())
            .collect();
        if query.iter().any(|name| name == "limit") {
            let schema = &operation["responses"]["200"]["content"]["application/json"]["schema"];
            let name = schema["$ref"].as_str().unwrap().rsplit('/').next().unwrap();
            let page = document["components"]["schemas"][name]["properties"].clone();
            found.push((path.clone(), query, page));
        }
    }
    found
}

#[test]
fn each_list_in_pages_goes_on_by_cursor() {
    let found = lists(&http::document());
    assert!(found.len() >= 12, "{found:?}");
    for (path, query, page) in found {
        assert!(query.iter().any(|name| name == "cursor"), "{path} has {query:?}");
        assert!(!query.iter().any(|name| name == "after" || name == "before"), "{path}");
        let types = &page["next_cursor"]["type"];
        let is_text = types == "string" || types.as_array().is_some_and(|all| all[0] == "string");
        assert!(is_text, "the cursor of {path} is no text: {page}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_no_cursor_is_refused_by_each_list() {
    let server = Server::start_with("client_trust_domain = 'example.org'\n").await;
    let id = server.join(&Host::without_tpm("web-1")).await.host_id;
    let channel = serde_json::json!({
        "name": "ops",
        "settings": { "kind": "webhook", "url": "https://127.0.0.1:1/" },
    });
    let _: Value = server.admin.post("/v1/channels", &channel).await.unwrap();
    let list = serde_json::json!({ "name": "spring", "note": "", "labels": {} });
    let _: () = server.admin.post("/v1/ek-lists", &list).await.unwrap();
    for (path, ..) in lists(&http::document()) {
        let name = if path.contains("ek-lists") { "spring" } else { "ops" };
        let path = path.replace("{id}", &id).replace("{name}", name);
        let of = async |query: &str| server.admin.get::<Value>(&format!("{path}?{query}")).await;
        assert_eq!(code(of("cursor=no!").await), "cursor-invalid", "{path}");
        let page = of("limit=1").await.unwrap();
        let Some(next) = page["next_cursor"].as_str() else { continue };
        of(&format!("limit=1&cursor={next}")).await.unwrap();
    }
}
