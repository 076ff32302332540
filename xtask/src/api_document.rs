//! docs/api.md: the operations of the API in a table, out of the frozen document.

use std::collections::BTreeMap;

use anyhow::Context as _;
use serde_json::Value;

use crate::sh;

/// Where it lies.
pub(crate) const FILE: &str = "docs/api.md";

const FRONT: &str = "\
# The API

<!-- Written by `cargo xtask docs` out of docs/openapi-v1.json; edit xtask/src/api_document.rs for these words. -->

Everything that the pages and `bootproof` do goes through one API over HTTPS, and so can a program. The document in
OpenAPI 3.1, [openapi-v1.json](openapi-v1.json), has each request and answer with its fields, limits and refusals; every
server serves its own as `/v1/openapi.json`. Within version 1 nothing is taken away that a client may rely on.

## Asking

```
TOKEN=$(bootproof api-token create dashboard --role viewer --json | jq -r .token)
curl --cacert ca.pem -H \"Authorization: Bearer $TOKEN\" https://bootproof.example.org:8443/v1/hosts?limit=10
```

`ca.pem` is the server's authority; it stands in the context file, too. [People and rights](people.md) says which token may do
what: the column *role* below names the least one.

- **Errors** are `application/problem+json` (RFC 9457): `code` stays, `title` says what is wrong, `hint` what to do.
- **Unknown** fields and parameters of requests are refused; answers may gain fields, so ignore those that you do not know.
- **Times** are milliseconds since 1970 in UTC where their name ends in `_ms`; bytes are base64.
- **Lists** come in pages: `limit`, and `next_cursor` of one page as `cursor` of the following one. The last page has none.
- **Once**: a `POST` with an `Idempotency-Key` that is sent again is answered with the same, and not done twice.
- **Unchanged**: a `GET` with `If-None-Match` costs a `304`; what replaces all of something takes `If-Match`.
- **Busy** or away: `429` and `503` say with `Retry-After` when to come again.
- **What changes** is a stream: [Events](events.md).

In Rust the crate `client` has a method for each operation, named as it.
";

/// What the file should say.
pub(crate) fn text() -> anyhow::Result<String> {
    let document = std::fs::read_to_string(sh::root().join("docs/openapi-v1.json"))?;
    of(&serde_json::from_str(&document)?)
}

fn of(document: &Value) -> anyhow::Result<String> {
    let paths = document["paths"].as_object().context("the document has no paths")?;
    let mut parts: BTreeMap<&str, Vec<[&str; 4]>> = BTreeMap::new();
    for (address, operations) in paths {
        for (verb, operation) in operations.as_object().context("no operations")? {
            let tag = operation["tags"][0].as_str().context("an operation has no tag")?;
            let role = operation["x-bootproof-role"].as_str().unwrap_or("host");
            let summary = operation["summary"].as_str().context("an operation has no summary")?;
            parts.entry(tag).or_default().push([verb, address, summary, role]);
        }
    }
    let mut text = FRONT.to_owned();
    for (tag, operations) in parts {
        text.push_str(&format!(
            "\n## Operations: {tag}\n\n| operation | what it does | role |\n| --- | --- | --- |\n"
        ));
        for [verb, address, summary, role] in operations {
            let verb = verb.to_uppercase();
            text.push_str(&format!("| `{verb} {address}` | {summary} | {role} |\n"));
        }
    }
    Ok(text)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    #[test]
    fn each_operation_is_a_row_under_its_tag() {
        let one = json!({ "tags": ["hosts"], "summary": "Shows it", "x-bootproof-role": "viewer" });
        let text = super::of(&json!({ "paths": { "/v1/hosts": { "get": one } } })).unwrap();
        assert!(text.contains("## Operations: hosts\n"), "{text}");
        assert!(text.ends_with("| `GET /v1/hosts` | Shows it | viewer |\n"), "{text}");
        assert!(super::of(&json!({ "paths": { "/x": { "get": {} } } })).is_err());
    }
}
