//! Schemathesis reads the document and asks what it says, and what it does not: no failure of the server, and
//! no answer that the document does not foresee.

use std::{path::PathBuf, process::Command};

use api::admin::Approval;
use testkit::log::BootLog;

use crate::{
    bench::{Host, Server},
    raw,
};

/// Where `cargo xtask test` installs it.
fn program() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../target/tools/schemathesis/bin/st")
}

/// What is checked of each answer. That a person's role is asked for is the table's of `authz`.
const CHECKS: &str = "not_a_server_error,status_code_conformance,content_type_conformance,\
response_schema_conformance,response_headers_conformance,unsupported_method,\
missing_required_header,negative_data_rejection,allow_header_conformance";

/// Requests to each operation beyond those that cover its parameters: some seconds for all.
const N_EXAMPLES: &str = "10";

#[tokio::test(flavor = "multi_thread")]
async fn the_server_answers_as_its_document_says() {
    let server = Server::start().await;
    server.trust().await;
    let (host, gone) =
        (Host::boot("web-1", &BootLog::sound()), Host::boot("web-2", &BootLog::sound()));
    let id = server.join(&host).await.host_id;
    server.join(&gone).await;
    assert_eq!(host.attest(&server).await.unwrap().verdict, "accepted");
    let token = server.token(None, Approval::Required).await;

    let folder = tempfile::tempdir().unwrap();
    let document = folder.path().join("openapi.json");
    std::fs::write(&document, server::http::document().to_string()).unwrap();
    // A host's addresses want its token, and a path that names something names one that is there.
    let config = format!(
        "[checks]\nmissing_required_header.expected-statuses = [400, 428]\n\
         [[operations]]\ninclude-tag = \"agent\"\nheaders = {{ Authorization = \"Bearer {}\" }}\n\
         [[operations]]\ninclude-tag = \"hosts\"\nparameters = {{ \"path.id\" = \"{id}\" }}\n\
         [[operations]]\ninclude-tag = \"tokens\"\nparameters = {{ \"path.id\" = \"{}\" }}\n",
        host.credentials().host_token,
        token.id
    );
    std::fs::write(folder.path().join("schemathesis.toml"), config).unwrap();
    let output = Command::new(program())
        .current_dir(folder.path())
        .args(["run", "openapi.json", "--url", server.admin.base()])
        .arg("--tls-verify")
        .arg(server.data.path().join("ca.pem"))
        .args(["--header", &format!("Authorization: Bearer {}", raw::administrator(&server))])
        // One worker: each sets the interpreter's limit of recursion for all, and another that reads source code meanwhile
        // ends with an error of its own.
        .args(["--phases", "coverage,fuzzing", "--max-examples", N_EXAMPLES, "--workers", "1"])
        .args(["--seed", "7", "--continue-on-failure", "--no-shrink", "--checks", CHECKS])
        // Held until there is something to do; takes the tokens away that this run shows; takes away the
        // host that the others name.
        .args(["--exclude-operation-id", "poll", "--exclude-operation-id", "revoke-api-token"])
        .args(["--exclude-operation-id", "remove-host", "--exclude-operation-id", "act-on-hosts"])
        // Waits for evidence that is younger than a time which may be far ahead.
        .args(["--exclude-operation-id", "get-host", "--request-retries", "2"])
        .args(["--exclude-path-regex", "/v1/(users|sessions?|setup|events)"])
        .output()
        .expect("`cargo xtask test` installs schemathesis");
    let said = String::from_utf8_lossy(&output.stdout);
    let erred = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{said}\n{erred}");
    assert!(said.contains("Test cases:"), "it tested nothing:\n{said}\n{erred}");
    assert!(!server.log().contains("ERROR"), "{}", server.log());
    // After all of it hosts are judged as before.
    let detail = server.host(&id).await;
    assert_eq!(detail.host.id, id);
}
