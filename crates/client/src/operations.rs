//! A method for each operation of the API, named as the operation: `list-hosts` is [`Client::list_hosts`].
//!
//! What an operation takes and gives are types of `api`; what a path names is encoded. Each asks again by itself where
//! that can do no harm and may help, some times and some seconds at most: a GET, and a POST that takes an
//! `Idempotency-Key`, which is sent under a key of its own. Where the server says when to come again
//! (`Retry-After`), it is asked then, or not at all if that is long. A test compares this table with the frozen
//! description of the API.

use std::fmt::Write as _;

use api::{
    admin::{
        AttestRequested, HostDetail, HostPage, NewToken, PastAppraisal, ReplaceRequest, Replaced,
        Server, Token, TokenRequest, TrustRequest, TrustedCertificate,
    },
    agent::{
        ActivateReply, ActivateRequest, EnrolReply, EnrolRequest, Evidence, EvidenceReply,
        JoinRequest, Membership, PollReply, PollRequest,
    },
    alarm::{
        AcknowledgeRequest, AlarmGroup, AlarmPage, AlarmQuery, AlarmsChanged, WithdrawRequest,
    },
    approval::{ApprovalPage, ApprovalQuery, DecideReply, DecideRequest},
    attention::Attention,
    audit::{AuditPage, SignedCheckpoint},
    boot_diff::{BootDiff, BootDiffQuery},
    channel::{
        Channel, ChannelChange, ChannelRequest, ChannelTest, DeadLetterPage, DeadLetterQuery,
        NewChannel, RedeliverRequest, Redelivered,
    },
    client_certificate::{
        CertificateChallenge, CertificateRequest, ClientAuthority, ClientCertificatePage,
        ClientCertificateQuery, ClientCrlQuery, IssuedCertificate, RevokeRequest, Revoked,
        RotateClientAuthority,
    },
    ek_list::{AddEksRequest, AddedEks, EkList, EkListRequest, EkPage, EksQuery, UnlistedPage},
    event::{EventPage, EventQuery},
    fleet::{
        AcceptChangeRequest, AcceptedChange, ImportReference, KeptReference, LearnRequest, Peers,
        ReferenceDetail, ReferencePage, ReferenceStateRequest,
    },
    fleet_report::{REPORT_BYTES_MAX, ReportKind, ReportQuery, ReportSchedule, ReportSent},
    host_view::{HostView, ViewQuery},
    inventory::{
        ActionReply, ActionRequest, HostQuery, LabelCount, Labels, LabelsRequest,
        MaintenanceRequest,
    },
    oidc::CodeRequest,
    operation::Readiness,
    people::{
        ApiToken, ApiTokenRequest, GivenPasswordRequest, LoginRequest, LoginWays, NewApiToken,
        PasswordRequest, Session, SessionBegun, SessionsQuery, SetupRequest, User,
        UserChangeRequest, UserRequest, WhoAmI,
    },
    policy::{
        PolicyActivateRequest, PolicyCheck, PolicyCheckRequest, PolicyDiff, PolicyDiffQuery,
        PolicyDocument, PolicyInForce, PolicyPutRequest, PolicyTryPage, PolicyTryRequest,
        PolicyVersion, PolicyVersionPage, PolicyVersionTryRequest, PolicyVersionsQuery,
    },
    result::{AttestedResult, ResultQuery},
    settings::Settings,
    standing::{StandingHistory, StandingQuery},
};
use hyper::{HeaderMap, body::Bytes};
use serde::Serialize;
use serde_json::Value;

use crate::{Client, ClientError};

/// Seconds that an operation may take longer than others which judges stored evidence: 200 hosts with logs of 4 MiB.
const JUDGING_S_MAX: u64 = 60;

/// Seconds that a report may take: one of 10,000 hosts takes some on a small machine.
const REPORT_S_MAX: u64 = 120;

/// An operation of the API that this client has a method for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Operation {
    /// Its name: `list-hosts` is the method `list_hosts`.
    pub method: &'static str,
    /// The method of HTTP.
    pub verb: &'static str,
    /// The address, with its parameters in braces.
    pub path: &'static str,
}

/// The query of a page that has nothing to choose.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct PageQuery {
    /// Where the page begins.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cursor: Option<String>,
    /// How much is on it at most.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub limit: Option<u32>,
}

/// The query of `GET /v1/labels`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct LabelsQuery {
    /// Of this key alone.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub key: Option<String>,
}

/// Each line is a method: how it is sent, its name, what its path names, its path; what else it takes; what it gives.
///
/// `get` asks again, `once` too, under a key; `judge` is `once` with more time for the answer; `study` changes nothing,
/// and is asked again without a key. `send` goes once: what is one of thousands, each of which the server would
/// have to remember, and what may not be tried twice.
macro_rules! operations {
    ($($(#[$doc:meta])* $how:ident $name:ident[$($param:ident),*] $path:literal
        $(, query $query:ty)? $(, body $body:ty)? => $answer:ty;)+) => {
        impl Client {
            $($(#[$doc])*
            ///
            /// # Errors
            /// See [`ClientError`].
            pub async fn $name(
                &self
                $(, $param: &str)*
                $(, query: &$query)?
                $(, request: &$body)?
            ) -> Result<$answer, ClientError> {
                let path = format!($path $(, $param = Segment($param))*);
                $(let path = with_query::<$query>(path, query)?;)?
                operations!(@send $how, self, &path $(, request as &$body)?)
            })+
        }

        const TABLE: &[Operation] = &[$(Operation {
            method: stringify!($name),
            verb: operations!(@verb $how),
            path: $path,
        }),+];
    };
    (@send get, $client:ident, $path:expr) => { $client.get_patiently($path).await };
    (@send delete, $client:ident, $path:expr) => { $client.delete($path).await };
    (@send once, $client:ident, $path:expr) => { $client.post_once($path, &()).await };
    (@send once, $client:ident, $path:expr, $body:expr) => { $client.post_once($path, $body).await };
    (@send judge, $client:ident, $path:expr, $body:expr) => {
        $client.post_once_waiting($path, $body, JUDGING_S_MAX).await
    };
    (@send study, $client:ident, $path:expr, $body:expr) => {
        $client.post_patiently($path, $body, JUDGING_S_MAX).await
    };
    (@send judge, $client:ident, $path:expr) => {
        $client.post_once_waiting($path, &(), JUDGING_S_MAX).await
    };
    (@send send, $client:ident, $path:expr) => { $client.post($path, &()).await };
    (@send send, $client:ident, $path:expr, $body:expr) => { $client.post($path, $body).await };
    (@verb get) => { "GET" };
    (@verb delete) => { "DELETE" };
    (@verb $post:ident) => { "POST" };
}

operations! {
    // The server itself.

    /// What anybody may know of the server.
    get get_server[] "/v1/server" => Server;
    /// The description of the API.
    get get_openapi[] "/v1/openapi.json" => Value;
    /// The keys by which the server signs. [RFC 7517]
    get get_keys[] "/.well-known/jwks.json" => Value;

    // Hosts.

    /// A page of hosts that fit.
    get list_hosts[] "/v1/hosts", query HostQuery => HostPage;
    /// A host, by identifier.
    get get_host[id] "/v1/hosts/{id}" => HostDetail;
    /// Removes a host.
    delete remove_host[id] "/v1/hosts/{id}" => ();
    /// Past judgements of a host.
    get list_appraisals[id] "/v1/hosts/{id}/appraisals" => Vec<PastAppraisal>;
    /// The evidence that was judged last.
    get get_evidence[id] "/v1/hosts/{id}/evidence" => Evidence;
    /// How a host compares with its like.
    get get_peers[id] "/v1/hosts/{id}/peers" => Peers;
    /// What the server attests of a host, signed.
    get get_result[id] "/v1/hosts/{id}/result", query ResultQuery => AttestedResult;
    /// Asks a host for evidence now.
    once attest_host[id] "/v1/hosts/{id}/attest" => AttestRequested;
    /// A person approves a host.
    once approve_host[id] "/v1/hosts/{id}/approve" => ();
    /// Takes a host out of attestation.
    once disconnect_host[id] "/v1/hosts/{id}/disconnect" => ();
    /// Takes a host back.
    once reconnect_host[id] "/v1/hosts/{id}/reconnect" => ();
    /// Asks a host's agent for another attestation key.
    once rotate_key[id] "/v1/hosts/{id}/rotate-key" => ();
    /// Puts a TPM that was shown in the place of the enrolled one.
    once replace_tpm[id] "/v1/hosts/{id}/replace", body ReplaceRequest => Replaced;
    /// Somebody works on a host.
    once enter_maintenance[id] "/v1/hosts/{id}/maintenance", body MaintenanceRequest => ();
    /// Nobody works on a host any more.
    delete leave_maintenance[id] "/v1/hosts/{id}/maintenance" => ();
    /// The labels of a host.
    get get_labels[id] "/v1/hosts/{id}/labels" => Labels;
    /// Puts labels on a host, and takes some off.
    once label_host[id] "/v1/hosts/{id}/labels", body LabelsRequest => Labels;
    /// How many hosts have which label.
    get list_labels[] "/v1/labels", query LabelsQuery => Vec<LabelCount>;
    /// Lists of hosts that are kept under a name.
    get list_host_views[] "/v1/host-views" => Vec<HostView>;
    /// Keeps a list for who asks.
    once keep_host_view[name] "/v1/host-views/own/{name}", body ViewQuery => ();
    /// Removes one of who asks.
    delete remove_host_view[name] "/v1/host-views/own/{name}" => ();
    /// Keeps a list for everybody.
    once share_host_view[name] "/v1/host-views/shared/{name}", body ViewQuery => ();
    /// Removes one of everybody's.
    delete unshare_host_view[name] "/v1/host-views/shared/{name}" => ();
    /// The same to many hosts.
    send act_on_hosts[] "/v1/hosts/actions", body ActionRequest => ActionReply;

    // Alarms, and who is told.

    /// A page of alarms.
    get list_alarms[] "/v1/alarms", query AlarmQuery => AlarmPage;
    /// Alarms that stand, by their cause.
    get list_alarm_groups[] "/v1/alarm-groups" => Vec<AlarmGroup>;
    /// A person knows of alarms.
    once acknowledge_alarms[] "/v1/alarms/acknowledge", body AcknowledgeRequest => AlarmsChanged;
    /// Takes that back.
    once withdraw_acknowledgements[] "/v1/alarms/withdraw", body WithdrawRequest => AlarmsChanged;
    /// All channels.
    get list_channels[] "/v1/channels" => Vec<Channel>;
    /// Adds a channel.
    once add_channel[] "/v1/channels", body ChannelRequest => NewChannel;
    /// A channel.
    get get_channel[name] "/v1/channels/{name}" => Channel;
    /// Removes a channel.
    delete remove_channel[name] "/v1/channels/{name}" => ();
    /// Changes a channel.
    once change_channel[name] "/v1/channels/{name}/change", body ChannelChange => Channel;
    /// Holds a channel.
    once pause_channel[name] "/v1/channels/{name}/pause" => Channel;
    /// Lets a channel go on.
    once resume_channel[name] "/v1/channels/{name}/resume" => Channel;
    /// Sends a test through a channel.
    once test_channel[name] "/v1/channels/{name}/test" => ChannelTest;
    /// A page of what a channel could not tell.
    get list_dead_letters[name] "/v1/channels/{name}/dead-letters", query DeadLetterQuery => DeadLetterPage;
    /// Tells dead letters again.
    once redeliver[name] "/v1/channels/{name}/redeliver", body RedeliverRequest => Redelivered;
    /// A page of events; [`Client::event_stream`] is them as they come.
    get list_events[] "/v1/events", query EventQuery => EventPage;

    // What waits for a person, references, policy.

    /// A page of what waits for a decision.
    get list_approvals[] "/v1/approvals", query ApprovalQuery => ApprovalPage;
    /// Decides.
    send decide_approvals[] "/v1/approvals", body DecideRequest => DecideReply;
    /// A page of references.
    get list_references[] "/v1/references", query PageQuery => ReferencePage;
    /// Adds a reference.
    judge import_reference[] "/v1/references", body ImportReference => KeptReference;
    /// A reference.
    get get_reference[id] "/v1/references/{id}" => ReferenceDetail;
    /// Another state of a reference.
    judge set_reference_state[id] "/v1/references/{id}/state", body ReferenceStateRequest => KeptReference;
    /// Makes the last boot of a host a reference.
    judge learn_reference[id] "/v1/hosts/{id}/reference", body LearnRequest => KeptReference;
    /// Accepts what changed in the last boot of a host.
    judge accept_change[id] "/v1/hosts/{id}/accept-change", body AcceptChangeRequest => AcceptedChange;
    /// Judges a page of hosts by a policy that is not in force.
    study try_policy[] "/v1/policy/try", body PolicyTryRequest => PolicyTryPage;

    // Who may join, and whom to trust.

    /// All join tokens.
    get list_join_tokens[] "/v1/tokens" => Vec<Token>;
    /// Makes a join token.
    once create_join_token[] "/v1/tokens", body TokenRequest => NewToken;
    /// Ends a join token.
    delete revoke_join_token[id] "/v1/tokens/{id}" => ();
    /// The certificates that are trusted.
    get list_trust[] "/v1/trust" => Vec<TrustedCertificate>;
    /// Trusts certificates.
    send add_trust[] "/v1/trust", body TrustRequest => Vec<TrustedCertificate>;
    /// Trusts a certificate no more.
    delete remove_trust[sha256] "/v1/trust/{sha256}" => ();
    /// All lists of endorsement keys.
    get list_ek_lists[] "/v1/ek-lists" => Vec<EkList>;
    /// Makes a list of endorsement keys.
    once create_ek_list[] "/v1/ek-lists", body EkListRequest => ();
    /// Removes a list of endorsement keys.
    delete remove_ek_list[name] "/v1/ek-lists/{name}" => ();
    /// A page of the keys of a list.
    get list_listed_eks[name] "/v1/ek-lists/{name}/keys", query EksQuery => EkPage;
    /// Puts keys on a list.
    send add_listed_eks[name] "/v1/ek-lists/{name}/keys", body AddEksRequest => AddedEks;
    /// A page of hosts whose keys are on no list.
    get list_unlisted_hosts[] "/v1/unlisted-hosts", query PageQuery => UnlistedPage;

    // Policies that are kept.

    /// A page of the policies that are kept, and the one in force.
    get list_policies[] "/v1/policy/versions", query PolicyVersionsQuery => PolicyVersionPage;
    /// Keeps a policy.
    once put_policy[] "/v1/policy/versions", body PolicyPutRequest => PolicyVersion;
    /// Whether a text is a policy, and where not.
    study check_policy[] "/v1/policy/check", body PolicyCheckRequest => PolicyCheck;
    /// A policy that is kept, by its number.
    get get_policy[number] "/v1/policy/versions/{number}" => PolicyDocument;
    /// How a policy differs from another.
    get diff_policy[number] "/v1/policy/versions/{number}/diff", query PolicyDiffQuery => PolicyDiff;
    /// Judges a page of hosts by a policy that is kept.
    study try_version[number] "/v1/policy/versions/{number}/try", body PolicyVersionTryRequest => PolicyTryPage;
    /// Has hosts judged by a policy from now on.
    once activate_policy[number] "/v1/policy/versions/{number}/activate", body PolicyActivateRequest => PolicyInForce;

    // The fleet as a whole, and the server's settings.

    /// How the fleet stood, hour by hour.
    get get_standing[] "/v1/standing", query StandingQuery => StandingHistory;
    /// What is ahead: hosts that are not ready, and those whose measurement few share.
    get get_attention[] "/v1/attention" => Attention;
    /// What the server was told, without secrets.
    get get_settings[] "/v1/settings" => Settings;
    /// How two boots of a host differ.
    get diff_boots[id] "/v1/hosts/{id}/boots/diff", query BootDiffQuery => BootDiff;
    /// Reports that are sent by themselves.
    get list_report_schedules[] "/v1/report-schedules" => Vec<ReportSchedule>;
    /// Makes one of them, and sends it now.
    judge send_report[name] "/v1/report-schedules/{name}/send" => ReportSent;

    // Certificates of hosts.

    /// What verifies certificates of hosts, in the form of SPIFFE.
    get get_spiffe_bundle[] "/v1/spiffe-bundle" => Value;
    /// The authorities of client certificates that relying parties need now.
    get list_client_authorities[] "/v1/client-authorities" => Vec<ClientAuthority>;
    /// Makes another authority of client certificates.
    once rotate_client_authority[] "/v1/client-authorities/rotate", body RotateClientAuthority => ClientAuthority;
    /// A page of certificates of hosts.
    get list_client_certificates[] "/v1/client-certificates", query ClientCertificateQuery => ClientCertificatePage;
    /// A page of a host's certificates.
    get list_host_client_certificates[id] "/v1/hosts/{id}/client-certificates", query ClientCertificateQuery => ClientCertificatePage;
    /// Revokes a host's certificates.
    once revoke_client_certificates[id] "/v1/hosts/{id}/client-certificates/revoke", body RevokeRequest => Revoked;

    // People and programs.

    /// Begins the session of a person that an identity provider vouches for. It is sent once: a code is good once.
    send log_in_by_code[] "/v1/oidc/session", body CodeRequest => SessionBegun;

    /// Who asks.
    get who_am_i[] "/v1/whoami" => WhoAmI;
    /// How people log in here.
    get get_login_ways[] "/v1/login" => LoginWays;
    /// Begins a session. It is sent once: each try counts.
    send log_in[] "/v1/session", body LoginRequest => SessionBegun;
    /// Ends the session of who asks.
    delete log_out[] "/v1/session" => ();
    /// Makes the first account. It is sent once: each try counts.
    send set_up[] "/v1/setup", body SetupRequest => SessionBegun;
    /// Another password of who asks.
    once change_password[] "/v1/password", body PasswordRequest => SessionBegun;
    /// Sessions.
    get list_sessions[] "/v1/sessions", query SessionsQuery => Vec<Session>;
    /// Ends a session.
    delete end_session[session] "/v1/sessions/{session}" => ();
    /// All accounts.
    get list_users[] "/v1/users" => Vec<User>;
    /// Adds an account.
    once add_user[] "/v1/users", body UserRequest => User;
    /// Changes an account.
    once change_user[name] "/v1/users/{name}", body UserChangeRequest => User;
    /// Gives an account a password.
    once give_password[name] "/v1/users/{name}/password", body GivenPasswordRequest => ();
    /// Removes an account.
    delete remove_user[name] "/v1/users/{name}" => ();
    /// All API tokens.
    get list_api_tokens[] "/v1/api-tokens" => Vec<ApiToken>;
    /// Makes an API token.
    once create_api_token[] "/v1/api-tokens", body ApiTokenRequest => NewApiToken;
    /// Ends an API token.
    delete revoke_api_token[name] "/v1/api-tokens/{name}" => ();
    /// A page of the audit log.
    get list_audit[] "/v1/audit", query PageQuery => AuditPage;
    /// The end of the audit log, signed.
    get get_audit_checkpoint[] "/v1/audit/checkpoint" => SignedCheckpoint;

    // Agents. They know by themselves what passes, and when to come again.

    /// A machine joins, by a join token.
    send join[] "/v1/agent/join", body JoinRequest => EnrolReply;
    /// A host enrols anew.
    send enrol[] "/v1/agent/enrol", body EnrolRequest => EnrolReply;
    /// A host shows that its TPM opened the credential.
    send activate[] "/v1/agent/activate", body ActivateRequest => ActivateReply;
    /// A host answers a challenge.
    send send_evidence[] "/v1/agent/evidence", body Evidence => EvidenceReply;
    /// What a host has to certify for a certificate.
    send challenge_certificate[] "/v1/agent/certificate-challenge" => CertificateChallenge;
    /// A certificate for a key in the host's TPM.
    send issue_client_certificate[] "/v1/agent/certificate", body CertificateRequest => IssuedCertificate;
}

/// Those whose methods are written out below.
const WRITTEN: &[Operation] = &[
    Operation { method: "get_health", verb: "GET", path: "/healthz" },
    Operation { method: "get_metrics", verb: "GET", path: "/metrics" },
    Operation { method: "get_readiness", verb: "GET", path: "/readyz" },
    Operation { method: "get_client_ca", verb: "GET", path: "/v1/client-ca" },
    Operation { method: "get_client_crl", verb: "GET", path: "/v1/crl" },
    Operation { method: "get_report", verb: "GET", path: "/v1/reports/{kind}" },
    Operation { method: "get_membership", verb: "GET", path: "/v1/agent/member" },
    Operation { method: "poll", verb: "POST", path: "/v1/agent/poll" },
    Operation { method: "replace_labels", verb: "PUT", path: "/v1/hosts/{id}/labels" },
];

/// Each operation that has a method here.
pub fn operations() -> impl Iterator<Item = &'static Operation> {
    TABLE.iter().chain(WRITTEN)
}

impl Client {
    /// Whether the server is there at all, in a word.
    ///
    /// # Errors
    /// See [`ClientError`].
    pub async fn get_health(&self) -> Result<String, ClientError> {
        self.text("/healthz").await
    }

    /// What the server counts, as OpenMetrics.
    ///
    /// # Errors
    /// See [`ClientError`].
    pub async fn get_metrics(&self) -> Result<String, ClientError> {
        self.text("/metrics").await
    }

    /// Whether the server can do its work, check by check; also where it cannot.
    ///
    /// # Errors
    /// See [`ClientError`].
    pub async fn get_readiness(&self) -> Result<Readiness, ClientError> {
        self.get_whatever_status("/readyz").await
    }

    /// What issues certificates of hosts, as PEM.
    ///
    /// # Errors
    /// See [`ClientError`].
    pub async fn get_client_ca(&self) -> Result<String, ClientError> {
        self.text("/v1/client-ca").await
    }

    /// The certificates of hosts that are revoked, as DER, signed by the authority of the query. [RFC 5280 §5]
    ///
    /// # Errors
    /// See [`ClientError`].
    pub async fn get_client_crl(&self, query: &ClientCrlQuery) -> Result<Vec<u8>, ClientError> {
        let query = serde_urlencoded::to_string(query).map_err(|_| ClientError::Query)?;
        self.get_bytes(&format!("/v1/crl?{query}")).await
    }

    /// A report, with the headers of the answer: digest, signature, name of the file.
    ///
    /// # Errors
    /// See [`ClientError`].
    pub async fn get_report(
        &self,
        kind: ReportKind,
        query: &ReportQuery,
    ) -> Result<(Bytes, HeaderMap), ClientError> {
        let path = format!("/v1/reports/{}", kind.as_str());
        self.document(&path, query, REPORT_BYTES_MAX, REPORT_S_MAX).await
    }

    /// Whether the token is a host's. An agent's: it is asked once, since who asks knows what passes.
    ///
    /// # Errors
    /// See [`ClientError`].
    pub async fn get_membership(&self) -> Result<Membership, ClientError> {
        self.get("/v1/agent/member").await
    }

    /// An agent says that it is there, and waits for something to do.
    ///
    /// # Errors
    /// See [`ClientError`].
    pub async fn poll(&self, request: &PollRequest) -> Result<PollReply, ClientError> {
        self.post_waiting("/v1/agent/poll", request, api::POLL_S_MAX).await
    }

    /// Puts these labels in the place of all of a host, where those are still the ones that `etag` names.
    ///
    /// # Errors
    /// See [`ClientError`].
    pub async fn replace_labels(
        &self,
        id: &str,
        labels: &Labels,
        etag: &str,
    ) -> Result<Labels, ClientError> {
        self.put(&format!("/v1/hosts/{}/labels", Segment(id)), labels, etag).await
    }

    /// A host when it was judged by evidence that was asked for at or after `appraised_after_ms`, or as it is
    /// when the server has waited long enough.
    ///
    /// # Errors
    /// See [`ClientError`].
    pub async fn get_host_appraised_after(
        &self,
        id: &str,
        appraised_after_ms: i64,
    ) -> Result<HostDetail, ClientError> {
        let path = format!("/v1/hosts/{}?appraised_after_ms={appraised_after_ms}", Segment(id));
        self.get_waiting(&path, api::POLL_S_MAX).await
    }
}

/// What a path names, as it stands there: all but unreserved characters is encoded. [RFC 3986 §2.3]
struct Segment<'a>(&'a str);

impl std::fmt::Display for Segment<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        // A segment of dots alone is resolved away by whoever is between.
        let are_dots = matches!(self.0, "." | "..");
        for byte in self.0.bytes() {
            let is_plain = byte.is_ascii_alphanumeric() || b"-_~".contains(&byte);
            if is_plain || (byte == b'.' && !are_dots) {
                f.write_char(char::from(byte))?;
            } else {
                write!(f, "%{byte:02X}")?;
            }
        }
        Ok(())
    }
}

fn with_query<Q: Serialize>(path: String, query: &Q) -> Result<String, ClientError> {
    let query = serde_urlencoded::to_string(query).map_err(|_| ClientError::Query)?;
    Ok(if query.is_empty() { path } else { format!("{path}?{query}") })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_path_names_cannot_leave_its_place() {
        for (name, written) in [
            ("web-1.example_~", "web-1.example_~"),
            ("a/b?c#d%", "a%2Fb%3Fc%23d%25"),
            ("..", "%2E%2E"),
            (".", "%2E"),
            ("ü \n", "%C3%BC%20%0A"),
        ] {
            assert_eq!(Segment(name).to_string(), written);
        }
    }

    #[test]
    fn each_operation_of_the_api_has_its_method_and_no_other() {
        let document: Value =
            serde_json::from_str(include_str!("../../../docs/openapi-v1.json")).unwrap();
        let mut described = Vec::new();
        for (path, item) in document["paths"].as_object().unwrap() {
            for (verb, operation) in item.as_object().unwrap() {
                let Some(id) = operation["operationId"].as_str() else { continue };
                described.push((verb.to_uppercase(), path.clone(), id.replace('-', "_")));
            }
        }
        let mut methods: Vec<_> = operations()
            .map(|one| (one.verb.to_owned(), one.path.to_owned(), one.method.to_owned()))
            .collect();
        described.sort();
        methods.sort();
        assert!(described.len() > 80);
        let missing: Vec<_> = described.iter().filter(|one| !methods.contains(one)).collect();
        assert!(missing.is_empty(), "without a method: {missing:?}");
        let unknown: Vec<_> = methods.iter().filter(|one| !described.contains(one)).collect();
        assert!(unknown.is_empty(), "not of the API: {unknown:?}");
        assert_eq!(described, methods, "one method each");
    }

    /// Those that take a key and are sent without: thousands in a row, or such as change nothing.
    const KEYLESS: [&str; 7] = [
        "act_on_hosts",
        "add_listed_eks",
        "add_trust",
        "check_policy",
        "decide_approvals",
        "try_policy",
        "try_version",
    ];

    #[test]
    fn what_is_sent_under_a_key_is_what_takes_one() {
        let document: Value =
            serde_json::from_str(include_str!("../../../docs/openapi-v1.json")).unwrap();
        let source = include_str!("operations.rs");
        for one in operations().filter(|one| one.verb == "POST") {
            let parameters = &document["paths"][one.path]["post"]["parameters"];
            let takes_key = parameters.as_array().is_some_and(|all| {
                all.iter().any(|parameter| parameter["name"] == "Idempotency-Key")
            });
            let is_sent = |how: &str| source.contains(&format!("    {how} {}[", one.method));
            let has_key = is_sent("once") || is_sent("judge");
            assert!(takes_key || !has_key, "{} takes no key", one.method);
            let without = KEYLESS.contains(&one.method);
            assert_eq!(takes_key && !has_key, without, "{}", one.method);
        }
    }
}
