//! The administrator's context file: written at each start, read by `bootproof`.

use std::{path::Path, sync::Arc};

use anyhow::Context as _;
use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

use crate::{
    app::App,
    authority::Authority,
    files::{Readable, write_atomically},
};

/// The same shape as the client's context.
#[derive(Serialize, Deserialize)]
struct ContextFile {
    server: String,
    ca_pem: String,
    token: String,
}

/// Writes `admin.toml` into `data_dir`: the address, the authority, and the first administrator's
/// token, which is made where there is none that works, under the name `administrator`.
pub async fn write(
    app: &Arc<App>,
    authority: &Authority,
    data_dir: &Path,
    server: String,
    administrator: &str,
) -> anyhow::Result<()> {
    let path = data_dir.join("admin.toml");
    let kept = match std::fs::read_to_string(&path) {
        Ok(text) => {
            toml::from_str::<ContextFile>(&text).ok().map(|file| Zeroizing::new(file.token))
        }
        Err(_) => None,
    };
    let token = match kept {
        Some(token) if app.is_administrator(&token).await? => token,
        _ => app.new_administrator(administrator).await?,
    };
    let file = ContextFile {
        server,
        ca_pem: authority.pem().to_owned(),
        token: token.as_str().to_owned(),
    };
    let text = Zeroizing::new(toml::to_string(&file)?);
    write_atomically(&path, Readable::ByOwner, text.as_bytes())
        .with_context(|| format!("{} cannot be written", path.display()))
}
