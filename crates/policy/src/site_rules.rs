//! Rules in Rego, as a policy has them.

use appraise::{Appraisal, Claims, EvaluateRules};
use findings::Finding;
use rules::Rules;

/// Rules with their text.
pub(crate) struct Rego {
    pub(crate) rules: Rules,
    pub(crate) text: String,
}

impl EvaluateRules for Rego {
    /// Over the document that people and programs see, so that a rule can be tried with what
    /// `bootproof verify --json` prints.
    fn evaluate(&self, claims: &Claims<'_>, judged: &Appraisal) -> Vec<Finding> {
        self.rules.evaluate(&report::appraisal(claims, judged))
    }

    fn text(&self) -> &str {
        &self.text
    }
}
