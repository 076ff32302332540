//! A noun and its verbs.

use std::ops::Deref;

use clap::{ArgMatches, Args, Command, Error, FromArgMatches, Subcommand};

/// A noun, whose verbs are described when it is asked for.
///
/// clap puts off describing a command's arguments (`defer`), but not what commands a command has.
/// So a noun's verbs are declared as if they were its arguments.
#[derive(Debug)]
pub struct Noun<V>(V);

impl<V> Deref for Noun<V> {
    type Target = V;

    fn deref(&self) -> &V {
        &self.0
    }
}

impl<V: Subcommand> Args for Noun<V> {
    fn augment_args(noun: Command) -> Command {
        V::augment_subcommands(noun.subcommand_required(true).arg_required_else_help(true))
    }

    fn augment_args_for_update(noun: Command) -> Command {
        V::augment_subcommands_for_update(noun)
    }
}

impl<V: Subcommand> FromArgMatches for Noun<V> {
    fn from_arg_matches(matches: &ArgMatches) -> Result<Self, Error> {
        V::from_arg_matches(matches).map(Self)
    }

    fn from_arg_matches_mut(matches: &mut ArgMatches) -> Result<Self, Error> {
        V::from_arg_matches_mut(matches).map(Self)
    }

    fn update_from_arg_matches(&mut self, matches: &ArgMatches) -> Result<(), Error> {
        self.0.update_from_arg_matches(matches)
    }

    fn update_from_arg_matches_mut(&mut self, matches: &mut ArgMatches) -> Result<(), Error> {
        self.0.update_from_arg_matches_mut(matches)
    }
}
