//! From an EK certificate up to a root that is trusted.

use x509_parser::extensions::ParsedExtension;

use crate::certificate::{Certificate, SignatureFault};
use crate::oid;
use crate::roots::{Fingerprint, RootStore};

/// Intermediates between an EK certificate and its root. The longest chain known, of Intel's
/// on-die CA, has four.
pub const CHAIN_DEPTH_MAX: usize = 6;
/// Signature checks for one chain. Intermediates come from the host, and each with the right
/// name costs a check: a chain of full depth with two wrong candidates at each step needs 21.
pub const CHAIN_SIGNATURES_MAX: u32 = 24;

/// Why no way leads from the EK certificate to a trusted root. In the order in which one tells
/// more than another: where several ways were tried, the last of this list is reported.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, thiserror::Error)]
#[non_exhaustive]
pub enum UntrustedCause {
    /// Nobody of this name is among the roots or intermediates.
    #[error("its issuer {issuer:?} is neither a trusted root nor an intermediate that came along")]
    NoIssuer {
        /// The name that the last certificate of the way gives for its issuer.
        issuer: String,
    },
    /// A certificate signed itself and is not trusted.
    #[error("{subject:?} is signed by itself and is not a trusted root")]
    SelfSigned {
        /// Its name.
        subject: String,
    },
    /// An issuer may not issue: not a CA, without keyCertSign, or with a critical extension that
    /// we do not process.
    #[error("its issuer {issuer:?} may not issue certificates")]
    IssuerNotCa {
        /// The issuer's name.
        issuer: String,
    },
    /// An issuer allows fewer intermediates below itself than there are.
    #[error("its issuer {issuer:?} does not allow {n_below} intermediates below itself")]
    PathLen {
        /// The issuer's name.
        issuer: String,
        /// Intermediates below it.
        n_below: usize,
    },
    /// An algorithm that we cannot check, or a key that we do not accept.
    #[error("the signature by {issuer:?} is of an algorithm that is not supported")]
    UnsupportedSignature {
        /// The issuer's name.
        issuer: String,
    },
    /// Signed with SHA-1.
    #[error("the signature by {issuer:?} uses SHA-1")]
    WeakSignature {
        /// The issuer's name.
        issuer: String,
    },
    /// A certificate was not signed by the issuer that it names, or changed afterwards.
    #[error("the signature does not match its issuer {issuer:?}")]
    BadSignature {
        /// The issuer's name.
        issuer: String,
    },
    /// More than [`CHAIN_DEPTH_MAX`] intermediates.
    #[error("the chain has more than {CHAIN_DEPTH_MAX} intermediates")]
    TooDeep,
    /// More than [`CHAIN_SIGNATURES_MAX`] signatures would have to be checked.
    #[error("more than {CHAIN_SIGNATURES_MAX} signatures would have to be checked")]
    TooManySignatures,
}

/// A way from a certificate to a trusted root.
#[derive(Debug)]
pub(crate) struct Path {
    /// The root.
    pub(crate) root: Fingerprint,
    /// Positions of the intermediates, from the leaf upwards.
    pub(crate) intermediates: Vec<usize>,
}

/// Finds a way from `leaf` over `intermediates` to one of `roots`, checking every signature on
/// it. A leaf whose fingerprint is trusted is its own way.
pub(crate) fn find(
    leaf: &Certificate<'_>,
    fingerprint: &Fingerprint,
    intermediates: &[Certificate<'_>],
    roots: &RootStore,
) -> Result<Path, UntrustedCause> {
    if roots.find(fingerprint).is_some() {
        return Ok(Path { root: *fingerprint, intermediates: Vec::new() });
    }
    let mut search = Search {
        intermediates,
        roots,
        n_signatures_left: CHAIN_SIGNATURES_MAX,
        way: Vec::new(),
        cause: None,
    };
    match search.climb(leaf) {
        Some(root) => Ok(Path { root, intermediates: search.way }),
        None => Err(search.cause.unwrap_or(UntrustedCause::NoIssuer { issuer: leaf.issuer() })),
    }
}

struct Search<'a> {
    intermediates: &'a [Certificate<'a>],
    roots: &'a RootStore,
    n_signatures_left: u32,
    way: Vec<usize>,
    cause: Option<UntrustedCause>,
}

impl Search<'_> {
    /// One step up from `child`; recursion is at most [`CHAIN_DEPTH_MAX`] deep.
    fn climb(&mut self, child: &Certificate<'_>) -> Option<Fingerprint> {
        let (roots, intermediates) = (self.roots, self.intermediates);
        let mut found_issuer = false;
        for root in roots.iter().filter(|root| root.subject_der() == child.issuer_der()) {
            found_issuer = true;
            if !root.may_issue() {
                self.fail(UntrustedCause::IssuerNotCa { issuer: child.issuer() });
            } else if self.signature_holds(child, root.key()) {
                return Some(root.fingerprint());
            }
        }
        for (at, issuer) in intermediates.iter().enumerate() {
            if issuer.subject_der() != child.issuer_der() || self.way.contains(&at) {
                continue;
            }
            if core::ptr::eq(issuer, child) {
                continue;
            }
            found_issuer = true;
            if self.way.len() >= CHAIN_DEPTH_MAX {
                self.fail(UntrustedCause::TooDeep);
                continue;
            }
            if !self.may_issue(issuer) {
                continue;
            }
            let Ok(key) = issuer.key() else {
                self.fail(UntrustedCause::UnsupportedSignature { issuer: child.issuer() });
                continue;
            };
            if !self.signature_holds(child, &key) {
                continue;
            }
            self.way.push(at);
            if let Some(root) = self.climb(issuer) {
                return Some(root);
            }
            self.way.pop();
        }
        if child.is_self_issued() {
            self.fail(UntrustedCause::SelfSigned { subject: child.subject() });
        } else if !found_issuer {
            self.fail(UntrustedCause::NoIssuer { issuer: child.issuer() });
        }
        None
    }

    /// Whether `issuer` may issue a certificate below itself. [RFC5280 §4.2.1.3, §4.2.1.9]
    fn may_issue(&mut self, issuer: &Certificate<'_>) -> bool {
        if !is_issuing_ca(issuer) {
            self.fail(UntrustedCause::IssuerNotCa { issuer: issuer.subject() });
            return false;
        }
        // Self-issued intermediates are not counted. [RFC5280 §4.2.1.9]
        let below = self.way.iter().filter_map(|at| self.intermediates.get(*at));
        let n_below = below.filter(|below| !below.is_self_issued()).count();
        if let Some(max) = issuer.path_len_max()
            && u32::try_from(n_below).is_ok_and(|n| n > max)
        {
            self.fail(UntrustedCause::PathLen { issuer: issuer.subject(), n_below });
            return false;
        }
        true
    }

    fn signature_holds(&mut self, child: &Certificate<'_>, key: &crate::PublicKey) -> bool {
        let Some(n_left) = self.n_signatures_left.checked_sub(1) else {
            self.fail(UntrustedCause::TooManySignatures);
            return false;
        };
        self.n_signatures_left = n_left;
        let issuer = || child.issuer();
        let cause = match child.check_signature(key) {
            Ok(()) => return true,
            Err(SignatureFault::Wrong) => UntrustedCause::BadSignature { issuer: issuer() },
            Err(SignatureFault::Weak) => UntrustedCause::WeakSignature { issuer: issuer() },
            Err(SignatureFault::Unsupported) => {
                UntrustedCause::UnsupportedSignature { issuer: issuer() }
            }
        };
        self.fail(cause);
        false
    }

    fn fail(&mut self, cause: UntrustedCause) {
        self.cause = self.cause.take().max(Some(cause));
    }
}

/// basicConstraints says CA, keyUsage where present allows keyCertSign, and each critical
/// extension is one of those that real TPM vendors mark so and that cannot widen what we accept.
/// Policies are not evaluated: we ask for none. extKeyUsage of an issuer is not judged: vendors
/// put it on the leaf only.
fn is_issuing_ca(issuer: &Certificate<'_>) -> bool {
    issuer.is_ca()
        && issuer.extensions().all(|extension| {
            if let ParsedExtension::KeyUsage(usage) = extension.parsed_extension()
                && !usage.key_cert_sign()
            {
                return false;
            }
            !extension.critical
                || matches!(
                    extension.oid.as_bytes(),
                    oid::EXT_BASIC_CONSTRAINTS
                        | oid::EXT_KEY_USAGE
                        | oid::EXT_EXTENDED_KEY_USAGE
                        | oid::EXT_SUBJECT_ALT_NAME
                        | oid::EXT_SUBJECT_KEY_IDENTIFIER
                        | oid::EXT_AUTHORITY_KEY_IDENTIFIER
                        | oid::EXT_SUBJECT_DIRECTORY_ATTRIBUTES
                        | oid::EXT_CERTIFICATE_POLICIES
                        | oid::EXT_POLICY_MAPPINGS
                        | oid::EXT_POLICY_CONSTRAINTS
                        | oid::EXT_INHIBIT_ANY_POLICY
                )
        })
}
