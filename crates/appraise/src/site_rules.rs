//! Rules that a site has beyond what a policy file can say.

use std::fmt;
use std::sync::Arc;

use findings::Finding;

use crate::{Appraisal, Claims};

/// Rules over a judgement, in whatever language. They only add findings.
pub trait EvaluateRules: Send + Sync {
    /// What the rules find in `claims`, which were judged as `judged` without them. What goes wrong
    /// while they run has to be a finding that fails: a judgement without its rules is none.
    fn evaluate(&self, claims: &Claims<'_>, judged: &Appraisal) -> Vec<Finding>;

    /// Their text: rules of equal text are equal.
    fn text(&self) -> &str;
}

/// Rules of a site, shared by all judgements under its policy.
#[derive(Clone)]
pub struct SiteRules(Arc<dyn EvaluateRules>);

impl SiteRules {
    /// Rules that have been read.
    pub fn new(rules: impl EvaluateRules + 'static) -> Self {
        Self(Arc::new(rules))
    }

    /// Their text.
    pub fn text(&self) -> &str {
        self.0.text()
    }

    pub(crate) fn evaluate(&self, claims: &Claims<'_>, judged: &Appraisal) -> Vec<Finding> {
        self.0.evaluate(claims, judged)
    }
}

impl PartialEq for SiteRules {
    fn eq(&self, other: &Self) -> bool {
        self.text() == other.text()
    }
}

impl Eq for SiteRules {}

impl fmt::Debug for SiteRules {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("SiteRules").field(&self.text()).finish()
    }
}
