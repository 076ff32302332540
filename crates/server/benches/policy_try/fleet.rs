//! A server with hosts that attested.

use std::{fmt, sync::Arc, time::SystemTime};

use agent::tpm::{AttestationKey, Endorsement, Tpm};
use api::{
    agent::{Evidence, KeySays, PollReply, PollRequest, Quote, TpmProperties, TpmSays},
    machine::Machine,
    pcrs::Pcrs,
};
use event_log::EventType;
use server::{app::App, authority::Authority, config::Config};
use store::{
    ApprovalRule, By, Completion, EnrolledKeys, Identity, NewJoinToken, Origin, PendingEnrolment,
    SqliteStore, Store,
};
use testkit::{
    boot::boot,
    log::{BootLog, Entry},
    swtpm::Swtpm,
};
use tpm_wire::{
    Digest, PcrSelection, TpmAlgId,
    template::{AK_P256, AK_RSA2048},
};
use verify::check_ak;

/// Hosts: enough that pages and batches are full.
const N_HOSTS: usize = 600;

/// The policy in force: certificates of the hosts are left out, so that one TPM serves for all.
pub(crate) const POLICY: &str = "[findings.ek-cert-absent]\nseverity = \"warn\"\n\
                                 reason = \"a benchmark\"\nexpires = 2100-01-01\n";

/// What quotes are signed with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Key {
    Rsa2048,
    P256,
}

impl fmt::Display for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Rsa2048 => "rsa-2048",
            Self::P256 => "p-256",
        })
    }
}

/// Whether hosts boot alike to the byte.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Logs {
    Shared,
    OfEach,
}

impl fmt::Display for Logs {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Shared => "one log for all hosts",
            Self::OfEach => "a log for each host",
        })
    }
}

pub(crate) struct Fleet {
    pub(crate) app: Arc<App>,
    pub(crate) n_hosts: usize,
    _data: tempfile::TempDir,
}

impl Fleet {
    pub(crate) async fn new(key: Key, logs: Logs) -> Self {
        Self::of(key, logs, N_HOSTS).await
    }

    pub(crate) async fn of(key: Key, logs: Logs, n_hosts: usize) -> Self {
        let data = tempfile::tempdir().unwrap();
        let store: Arc<dyn Store> =
            Arc::new(SqliteStore::open(data.path().join("bootproof.db")).unwrap());
        let authority = Authority::open(data.path(), &[], SystemTime::now()).unwrap();
        let policy = policy::read(POLICY).unwrap();
        let policy = server::config::LoadedPolicy::standard(policy);
        let config = Config { verdict_good_for_s: 3600, ..Config::default() };
        let address = "https://localhost".to_owned();
        let metrics = Arc::new(server::metrics::Metrics::new());
        let app = App::new(Arc::clone(&store), authority, address, config, policy, metrics)
            .await
            .unwrap();

        let server = BootLog::sound().option_rom().mok_kernel().dbx_hashes(430);
        let entries = with_menu(&server);
        let mut log = server.build_from(&entries);
        let swtpm = Swtpm::builder().banks("sha1,sha256").start().unwrap();
        let zero = Digest::filled(0, 20).unwrap();
        log.extends.iter_mut().for_each(|extend| extend.digests.push((TpmAlgId::SHA1, zero)));
        boot(&swtpm, &log).unwrap();
        let mut tpm = Tpm::open(&swtpm.address().parse().unwrap()).unwrap();
        Endorsement::find_or_create(&mut tpm).unwrap();
        let template = match key {
            Key::Rsa2048 => &AK_RSA2048,
            Key::P256 => &AK_P256,
        };
        let ak = AttestationKey::from_template(&mut tpm, template).unwrap();
        let token = NewJoinToken {
            id: "t".into(),
            secret_sha256: [1; 32],
            expires_at_ms: i64::MAX,
            n_uses_max: None,
            approval: ApprovalRule::NotRequired,
            labels: store::Labels::new(),
            admitted: store::AdmittedEks::Any,
            note: String::new(),
        };
        store.add_join_token(token, by()).await.unwrap();
        for n in 0..n_hosts {
            let log = match logs {
                Logs::Shared => log.bytes.clone(),
                Logs::OfEach => {
                    // Of an event that is not extended: the PCRs are those of the others.
                    let serial = format!("serial number {n:08}");
                    let own = Entry::of(0, EventType::NO_ACTION, &[], serial.as_bytes());
                    let entries = [&entries[..1], &[own], &entries[1..]].concat();
                    server.build_from(&entries).bytes
                }
            };
            enrol_and_attest(&app, &*store, n, &mut tpm, &ak, log).await;
        }
        Self { app, n_hosts, _data: data }
    }
}

/// The entries of `log` and a menu of GRUB's.
fn with_menu(log: &BootLog) -> Vec<Entry> {
    let mut entries = log.entries();
    let at = entries.iter().rposition(|entry| entry.pcr_index == 8).unwrap();
    for i in 0..50 {
        let text = format!("menuentry Debian GNU/Linux, with Linux 6.1.0-{i}-amd64 --class debian");
        let data = format!("grub_cmd: {text}\0");
        entries.insert(at, Entry::of(8, EventType::IPL, text.as_bytes(), data.as_bytes()));
    }
    entries
}

fn by() -> By {
    By::new("benchmark", 1)
}

/// 32 bytes of their own for each host.
fn own(n: usize, kind: u8) -> [u8; 32] {
    let mut bytes = [kind; 32];
    bytes[..8].copy_from_slice(&n.to_le_bytes());
    bytes
}

async fn enrol_and_attest(
    app: &Arc<App>,
    store: &dyn Store,
    n: usize,
    tpm: &mut Tpm,
    ak: &AttestationKey,
    log: Vec<u8>,
) {
    let id = format!("host-{n}");
    let pending = PendingEnrolment {
        id: id.as_str().into(),
        origin: Origin::JoinToken("t".into()),
        keys: EnrolledKeys { ek_spki_sha256: own(n, 4), ak_name: Vec::new() },
        host_name: format!("server{n}.example"),
        documents_json: "{}".to_owned(),
        proof_sha256: own(n, 2),
        expires_at_ms: i64::MAX,
    };
    store.begin_enrolment(pending, by()).await.unwrap();
    let completion = Completion {
        pending: id.as_str().into(),
        proof_sha256: own(n, 2),
        new_host: id.as_str().into(),
        api_token_sha256: own(n, 3),
        identity: Identity {
            ek_public: Vec::new(),
            ek_cert_der: None,
            ek_chain_der: Vec::new(),
            ek_spki_sha256: own(n, 4),
            ak_public: ak.public().to_vec(),
            ak_name: check_ak(ak.public()).unwrap().name().as_bytes().to_vec(),
            judgement_json: "{}".to_owned(),
            enrolled_at_ms: 1,
        },
        approval: ApprovalRule::NotRequired,
    };
    let host = store.complete_enrolment(completion, by()).await.unwrap().host;
    let host = || async { store.host(&host).await.unwrap().unwrap() };
    let poll = PollRequest {
        tpm: TpmSays::Present,
        agent_version: "1".to_owned(),
        up_s: None,
        key: KeySays::Kept,
    };
    let PollReply::Attest { nonce, pcrs, .. } = app.poll(host().await, poll).await.unwrap() else {
        panic!("no challenge");
    };
    let selection = PcrSelection::one(TpmAlgId::SHA256, pcrs.into_iter().collect());
    let quoted = ak.quote_with_pcrs(tpm, &nonce, &selection).unwrap();
    let mut acpi_tpm2 = b"TPM2".to_vec();
    acpi_tpm2.resize(76, 0);
    acpi_tpm2[48] = 6;
    let text = |text: &str| Some(text.to_owned());
    let evidence = Evidence {
        nonce,
        quote: Some(Quote { attest: quoted.attest.into(), signature: quoted.signature.into() }),
        pcrs: quoted.banks.into_iter().collect::<Pcrs>(),
        event_log: Some(log.into()),
        ak_public: Some(ak.public().to_vec().into()),
        active_banks: vec!["sha1".to_owned(), "sha256".to_owned()],
        acpi_tpm2: Some(acpi_tpm2.into()),
        machine: Some(Machine {
            system_vendor: text("Example Systems"),
            product_name: text("Server 4711"),
            firmware_vendor: text("Example Systems"),
            firmware_version: text("1.2.3"),
            kernel_release: text("6.1.0-55-amd64"),
            os_name: text("Debian GNU/Linux 12"),
            ..Machine::default()
        }),
        tpm: Some(TpmProperties {
            manufacturer: u32::from_be_bytes(*b"IFX\0"),
            vendor_string: "SLB9672".to_owned(),
            firmware_version: [0x000f_0016, 0x0000_4100],
            ak_parent: None,
        }),
        ..Evidence::default()
    };
    let reply = app.attest(host().await, evidence).await.unwrap();
    assert_eq!(reply.verdict, "accepted", "{:?}", reply.findings);
}
