//! Rules of an operator, in Rego, over the document of a judgement.
//!
//! A module of `package bootproof` may have three sets of texts, `fail`, `warn` and `info`: each
//! text becomes a finding of that severity. It may have `pass`, which must then be `true`: what is
//! not defined does not pass. Rules only add findings: they cannot take one away, nor make a host
//! accepted that is not. What goes wrong while they run is a finding that fails.

use std::num::{NonZeroU32, NonZeroUsize};
use std::time::Duration;

use api::appraisal::Appraisal;
use findings::{Argument, Code, Finding};
use regorus::utils::limits::{ExecutionTimerConfig, PolicyLengthConfig};
use regorus::{Engine, Value};

/// Bytes of a module: it lies inside a policy file, which has as many at most.
pub const RULES_BYTES_MAX: usize = 64 * 1024;

/// Milliseconds for which rules may run on one judgement. Sensible ones take a fifth of one, and a
/// server judges many hosts on one core.
pub const RULES_MS_MAX: u64 = 200;

/// Findings of one set: nobody reads more.
const FINDINGS_MAX: usize = 24;

/// Characters of the text of a finding.
const TEXT_CHARS_MAX: usize = 300;

/// What a module is called in messages.
const PATH: &str = "rules";

const PACKAGE: &str = "data.bootproof";

/// Rules that compile.
#[derive(Clone)]
pub struct Rules {
    engine: Engine,
    has: [bool; 4],
}

impl std::fmt::Debug for Rules {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Rules").field("has", &self.has).finish_non_exhaustive()
    }
}

/// Why a text is no rules.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum RulesError {
    /// It is not Rego, or does not compile.
    #[error("the rules do not compile: {message}")]
    Rego {
        /// What is wrong, with its line.
        message: String,
    },
    /// It is of another package.
    #[error("the rules are of package {have}, not of package bootproof")]
    Package {
        /// The package that it names.
        have: String,
    },
    /// It has none of `fail`, `warn`, `info` and `pass`.
    #[error("the rules define none of fail, warn, info and pass, so that they would find nothing")]
    Nothing,
}

/// The sets and the boolean that a module may have, and the code of what they find.
const SETS: [(&str, Code); 3] =
    [("fail", Code::RuleFailed), ("warn", Code::RuleWarned), ("info", Code::RuleTold)];

impl Rules {
    /// Compiles `text`, and runs it once on an empty document, so that what can never run is told
    /// here and not with the first host.
    ///
    /// # Errors
    /// No Rego, another package, or nothing in it that could find something.
    pub fn compile(text: &str) -> Result<Self, RulesError> {
        let rego = |err: anyhow::Error| RulesError::Rego { message: one_line(&err.to_string()) };
        let mut engine = Engine::new();
        engine.set_strict_builtin_errors(true);
        let bytes = NonZeroUsize::new(RULES_BYTES_MAX).unwrap_or(NonZeroUsize::MIN);
        engine.set_policy_length_config(PolicyLengthConfig {
            max_file_bytes: bytes,
            ..PolicyLengthConfig::default()
        });
        engine.set_execution_timer_config(ExecutionTimerConfig {
            limit: Duration::from_millis(RULES_MS_MAX),
            check_interval: NonZeroU32::new(64).unwrap_or(NonZeroU32::MIN),
        });
        let package = engine.add_policy(PATH.to_owned(), text.to_owned()).map_err(rego)?;
        if package != PACKAGE {
            let have = package.trim_start_matches("data.").to_owned();
            return Err(RulesError::Package { have });
        }
        let mut has = [false; 4];
        for (has, name) in has.iter_mut().zip(["fail", "warn", "info", "pass"]) {
            *has = engine.has_declared_rule_rooted_at(PATH, name).map_err(rego)?;
        }
        if has == [false; 4] {
            return Err(RulesError::Nothing);
        }
        let rules = Self { engine, has };
        match rules.run(Value::new_object()) {
            Ok(_) => Ok(rules),
            // A document that lacks what a built-in function needs is an error of the document.
            Err(Fault::Run(_)) => Ok(rules),
            Err(Fault::Shape(message)) => Err(RulesError::Rego { message }),
        }
    }

    /// What the rules find in `document`; its verdict and findings are those of the judgement
    /// before them.
    pub fn evaluate(&self, document: &Appraisal) -> Vec<Finding> {
        let failed =
            |reason: String| vec![Finding::new(Code::RuleError).because(one_line(&reason))];
        let input = match serde_json::to_value(document) {
            Ok(value) => Value::from(value),
            Err(err) => return failed(err.to_string()),
        };
        match self.run(input) {
            Ok(findings) => findings,
            Err(Fault::Run(reason) | Fault::Shape(reason)) => failed(reason),
        }
    }

    fn run(&self, input: Value) -> Result<Vec<Finding>, Fault> {
        let mut engine = self.engine.clone();
        engine.set_input(input);
        let mut findings = Vec::new();
        let [has_sets @ .., has_pass] = self.has;
        for ((name, code), _) in SETS.into_iter().zip(has_sets).filter(|(_, has)| *has) {
            let value = evaluate(&mut engine, name)?;
            findings.extend(found(name, code, &value)?);
        }
        if has_pass {
            match evaluate(&mut engine, "pass")? {
                Value::Bool(true) => {}
                Value::Bool(false) => {
                    findings.push(Finding::new(Code::RuleFailed).because("pass is false"));
                }
                Value::Undefined => {
                    findings.push(Finding::new(Code::RuleFailed).because("pass is not defined"));
                }
                _ => return Err(Fault::Shape("pass must be true or false".to_owned())),
            }
        }
        Ok(findings)
    }
}

enum Fault {
    /// An error while the rules ran.
    Run(String),
    /// A rule gives something else than it should.
    Shape(String),
}

fn evaluate(engine: &mut Engine, name: &str) -> Result<Value, Fault> {
    engine.eval_rule(format!("{PACKAGE}.{name}")).map_err(|err| Fault::Run(err.to_string()))
}

fn found(name: &str, code: Code, value: &Value) -> Result<Vec<Finding>, Fault> {
    let set = match value {
        Value::Undefined => return Ok(Vec::new()),
        Value::Set(set) => set,
        _ => {
            let shape = format!("{name} must be a set: `{name} contains \"text\" if {{ ... }}`");
            return Err(Fault::Shape(shape));
        }
    };
    let mut findings = Vec::new();
    for text in set.iter().take(FINDINGS_MAX) {
        let Value::String(text) = text else {
            return Err(Fault::Shape(format!("{name} must hold texts")));
        };
        findings.push(Finding::new(code).because(one_line(text)));
    }
    let more = set.len().saturating_sub(FINDINGS_MAX);
    if more > 0 {
        let more = Argument::count(more);
        findings.push(Finding::new(code).with("more", more));
    }
    Ok(findings)
}

/// One line of bounded length, of printable characters.
fn one_line(text: &str) -> String {
    let words = text.split(|c: char| c.is_control() || c.is_whitespace());
    let line = words.filter(|word| !word.is_empty()).collect::<Vec<_>>().join(" ");
    line.chars().take(TEXT_CHARS_MAX).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use api::appraisal::Facts;

    fn document() -> Appraisal {
        let facts = Facts { secure_boot: Some(true), ..Facts::default() };
        Appraisal {
            verdict: "accepted".to_owned(),
            findings: Vec::new(),
            facts,
            judged_anew: false,
        }
    }

    fn findings(text: &str) -> Vec<(Code, String)> {
        let rules = Rules::compile(text).unwrap();
        let findings = rules.evaluate(&document());
        findings.iter().map(|finding| (finding.code(), finding.cause())).collect()
    }

    #[test]
    fn each_set_finds_what_it_says() {
        let found = findings(
            r#"
            package bootproof
            fail contains "Secure Boot is on" if input.facts.secure_boot == true
            fail contains "it is off" if input.facts.secure_boot == false
            warn contains sprintf("verdict is %v", [input.verdict])
            info contains "two\nlines"
            "#,
        );
        let codes: Vec<_> = found.iter().map(|(code, _)| *code).collect();
        assert_eq!(codes, [Code::RuleFailed, Code::RuleWarned, Code::RuleTold]);
        assert!(found[0].1.ends_with("Secure Boot is on"), "{}", found[0].1);
        assert!(found[1].1.ends_with("verdict is accepted"), "{}", found[1].1);
        assert!(found[2].1.ends_with("two lines"), "{}", found[2].1);
    }

    #[test]
    fn pass_has_to_be_true() {
        let with = |rule: &str| findings(&format!("package bootproof\n{rule}"));
        assert_eq!(with("pass if input.facts.secure_boot"), []);
        assert_eq!(with("pass if input.facts.secure_bot")[0].0, Code::RuleFailed);
        assert_eq!(with("default pass := false\npass if input.verdict == \"x\"")[0].0, {
            Code::RuleFailed
        });
    }

    #[test]
    fn what_goes_wrong_fails() {
        let with = |rule: &str| findings(&format!("package bootproof\n{rule}"));
        let runs_wrong = "fail contains \"x\" if to_number(input.verdict) > 1";
        assert_eq!(with(runs_wrong)[0].0, Code::RuleError);
        let not_text = "fail contains n if { some n in input.facts.boot; n > 1 }\nwarn contains input.facts if input.facts";
        assert_eq!(with(not_text)[0].0, Code::RuleError);
        let endless = "fail contains \"x\" if { some a in numbers.range(1, 3000); some b in numbers.range(1, 3000); a * b == -1 }\n";
        let started = std::time::Instant::now();
        assert_eq!(with(endless)[0].0, Code::RuleError);
        assert!(started.elapsed() < Duration::from_secs(60), "rules are ended");
    }

    #[test]
    fn what_would_find_nothing_does_not_compile() {
        let error = |text: &str| Rules::compile(text).unwrap_err();
        assert!(matches!(error("not rego"), RulesError::Rego { .. }));
        assert_eq!(error("package bootproof\nallow if true"), RulesError::Nothing);
        let other = error("package other\nfail contains \"x\"");
        assert_eq!(other, RulesError::Package { have: "other".to_owned() });
        assert!(matches!(error("package bootproof\nfail := 1"), RulesError::Rego { .. }));
        let long = format!("package bootproof\n# {}\n", "x".repeat(RULES_BYTES_MAX));
        assert!(matches!(error(&long), RulesError::Rego { .. }));
    }

    #[test]
    fn a_thousand_texts_are_24_and_a_count() {
        let text = "package bootproof\nfail contains sprintf(\"%v\", [n]) if some n in numbers.range(1, 1000)";
        let found = findings(text);
        assert_eq!(found.len(), FINDINGS_MAX + 1);
        assert!(found[FINDINGS_MAX].1.contains("more 976"), "{}", found[FINDINGS_MAX].1);
    }

    #[test]
    fn rules_serve_several_threads() {
        fn shared<T: Send + Sync>() {}
        shared::<Rules>();
    }
}
