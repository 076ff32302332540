//! Channels, with receivers as others have them.

mod referees;
mod report;
mod shared_reports;
pub(crate) mod sink;
mod webhook;

use api::channel::{Channel, ChannelTest};
use serde_json::{Value, json};
use testkit::wait;

use crate::bench::Server;

/// Adds a channel, and gives what was answered.
async fn add(server: &Server, name: &str, settings: Value, secret: Option<&str>) -> Value {
    let request = json!({ "name": name, "settings": settings, "secret": secret });
    server.admin.post("/v1/channels", &request).await.unwrap()
}

async fn show(server: &Server, name: &str) -> Channel {
    server.admin.get(&format!("/v1/channels/{name}")).await.unwrap()
}

async fn test(server: &Server, name: &str) -> ChannelTest {
    let path = format!("/v1/channels/{name}/test");
    server.admin.post_waiting(&path, &(), 30).await.unwrap()
}

/// Waits until the channel is as it should be.
async fn wait_for(server: &Server, name: &str, is_so: impl Fn(&Channel) -> bool) -> Channel {
    let deadline = tokio::time::Instant::now() + wait::TIME_MAX;
    loop {
        let channel = show(server, name).await;
        if is_so(&channel) {
            return channel;
        }
        assert!(tokio::time::Instant::now() < deadline, "{channel:?}");
        tokio::time::sleep(std::time::Duration::from_millis(50)).await;
    }
}
