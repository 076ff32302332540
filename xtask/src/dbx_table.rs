//! The table of revoked images, out of what Microsoft publishes.

use std::path::Path;

use anyhow::Context as _;
use serde_json::Value;

use crate::sh;

const TABLE: &str = "crates/secure-boot-facts/data/dbx.txt";

/// Writes the table from `file`, a dbx_info_msft JSON: one line per image, in order.
pub(crate) fn write(file: &Path) -> anyhow::Result<()> {
    let text = std::fs::read(file).with_context(|| format!("{} cannot be read", file.display()))?;
    let lines = lines(&serde_json::from_slice(&text).context("it is no JSON")?)?;
    std::fs::write(sh::root().join(TABLE), lines.concat())?;
    println!("written: {TABLE}, {} images", lines.len());
    println!("now set DBX_DATE and its source in crates/secure-boot-facts/src/dbx.rs");
    Ok(())
}

fn lines(info: &Value) -> anyhow::Result<Vec<String>> {
    let images = info["images"].as_object().context("it has no images")?;
    let mut lines = Vec::new();
    let mut seen = std::collections::BTreeSet::new();
    // A few stand under two architectures: x64 keeps them, else the first one.
    let mut images: Vec<_> = images.iter().collect();
    images.sort_by_key(|(architecture, _)| *architecture != "x64");
    for (architecture, images) in images {
        for image in images.as_array().context("images are lists")? {
            let field = |name: &str| image[name].as_str().unwrap_or_default().trim();
            anyhow::ensure!(field("hashType") == "SHA256", "a digest that is not SHA-256: {image}");
            let digest = field("authenticodeHash").to_ascii_lowercase();
            anyhow::ensure!(digest.len() == 64, "a digest of another length: {image}");
            if !seen.insert(digest.clone()) {
                continue;
            }
            let (company, name) = (field("companyName"), field("filename"));
            let product =
                [company, name].map(|part| if part.is_empty() { "unnamed" } else { part });
            let product: String =
                product.join(": ").chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
            lines.push(format!("{architecture} {} {digest} {product}\n", field("dateOfAddition")));
        }
    }
    lines.sort_unstable();
    Ok(lines)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_image_is_a_line_and_comes_once() {
        let digest = "AB".repeat(32);
        let image = serde_json::json!({
            "authenticodeHash": digest, "hashType": "SHA256", "filename": "a.efi",
            "companyName": "A Maker", "dateOfAddition": "2024-01-02",
        });
        let info = serde_json::json!({ "images": { "ia32": [image], "x64": [image] } });
        let line = format!("x64 2024-01-02 {} A Maker: a.efi\n", "ab".repeat(32));
        assert_eq!(lines(&info).unwrap(), [line]);
        assert!(lines(&serde_json::json!({})).is_err());
    }
}
