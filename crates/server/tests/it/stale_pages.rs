//! Pages that are not true any more while somebody looks at them.

use serde_json::json;

use crate::{
    bench::{Host, Server},
    pages::{Script, account, set_up},
};

#[tokio::test]
async fn a_page_says_that_it_is_of_before() {
    let mut server = Server::start().await;
    set_up(&server).await;
    let id = server.join(&Host::without_tpm("spare")).await.host_id;
    let mut environment = account();
    environment.insert("BOOTPROOF_WEB_HOST", format!("/hosts/{id}"));
    let mut script = Script::start("stale.mjs", &server, environment);
    script.asks("end the server").await;
    server.kill();
    script.answer(json!({}));
    script.asks("start the server").await;
    server.restart().await;
    script.answer(json!({}));
    script.asks("remove the host").await;
    server.admin.delete::<()>(&format!("/v1/hosts/{id}")).await.unwrap();
    script.answer(json!({}));
    script.ends_well().await;
}
