//! The operator's own certificate beside the server's.

use std::{fs, path::Path};

use api::admin::Server as Described;
use client::{Client, ClientError, Trust};
use rcgen::{BasicConstraints, CertificateParams, IsCa, Issuer, KeyPair};
use testkit::{log::BootLog, wait};

use crate::bench::{Host, Server};

/// An authority of the site.
struct Site {
    issuer: Issuer<'static, KeyPair>,
    pem: String,
}

impl Site {
    fn new(name: &str) -> Self {
        let key = KeyPair::generate().unwrap();
        let mut params = CertificateParams::default();
        params.distinguished_name.push(rcgen::DnType::CommonName, name);
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let pem = params.self_signed(&key).unwrap().pem();
        Self { issuer: Issuer::new(params, key), pem }
    }

    fn issue(&self, folder: &Path) {
        let key = KeyPair::generate().unwrap();
        let params = CertificateParams::new(vec!["localhost".to_owned()]).unwrap();
        let leaf = params.signed_by(&key, &self.issuer).unwrap();
        // The key first: between the two writes they do not fit, which the server must not mind.
        fs::write(folder.join("tls.key"), key.serialize_pem()).unwrap();
        fs::write(folder.join("tls.pem"), leaf.pem()).unwrap();
    }

    async fn ask(&self, server: &Server) -> Result<Described, ClientError> {
        let (_, port) = server.listen().rsplit_once(':').unwrap();
        let client =
            Client::new(&format!("https://localhost:{port}"), &Trust::CaPem(self.pem.clone()));
        client.unwrap().get("/v1/server").await
    }
}

#[tokio::test]
async fn browsers_see_the_operators_certificate_and_agents_the_servers_own() {
    let data = tempfile::tempdir().unwrap();
    let site = Site::new("site");
    site.issue(data.path());
    let config = "tls_certificate = 'tls.pem'\ntls_key = 'tls.key'\nnames = ['localhost']\n";
    fs::write(data.path().join("server.toml"), config).unwrap();
    let server = Server::start_in(data).await;
    assert!(site.ask(&server).await.is_ok());
    // By the pin, and by the authority of its context, under the same name.
    server.trust().await;
    let (_, port) = server.listen().rsplit_once(':').unwrap();
    let address = format!("https://localhost:{port}");
    let pem = fs::read_to_string(server.data.path().join("ca.pem")).unwrap();
    for trust in [Trust::CaPin(server.pin().await), Trust::CaPem(pem)] {
        let client = Client::new(&address, &trust).unwrap();
        assert!(client.get::<Described>("/v1/server").await.is_ok(), "{trust:?}");
    }
    let host = Host::boot("web-1", &BootLog::sound());
    server.join(&host).await;
    assert_eq!(host.attest(&server).await.unwrap().verdict, "accepted");

    // Another one in its place is seen by itself.
    let other = Site::new("other site");
    assert!(matches!(other.ask(&server).await, Err(ClientError::Untrusted(_))));
    other.issue(server.data.path());
    let deadline = tokio::time::Instant::now() + wait::TIME_MAX;
    while other.ask(&server).await.is_err() {
        assert!(tokio::time::Instant::now() < deadline, "{}", server.log());
    }
    assert!(site.ask(&server).await.is_err());

    // One that cannot be used leaves it.
    fs::write(server.data.path().join("tls.pem"), "nothing").unwrap();
    wait::until("it is refused", || server.log().contains("cannot be used").then_some(()));
    assert!(other.ask(&server).await.is_ok());
    assert_eq!(host.attest(&server).await.unwrap().verdict, "accepted");
}
