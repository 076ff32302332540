//! A noun and its verbs.

use std::ops::Deref;

use clap::{ArgMatches, Args, Command, Error, FromArgMatches, Subcommand, builder::Resettable};

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
        as_declared(noun, |noun| {
            V::augment_subcommands(noun.subcommand_required(true).arg_required_else_help(true))
        })
    }

    fn augment_args_for_update(noun: Command) -> Command {
        V::augment_subcommands_for_update(noun)
    }
}

/// What is said of a command where it is declared, kept: the comment of its arguments' type is for readers of the
/// sources, and clap would put it in its place once the arguments are described.
fn as_declared(command: Command, describe: impl FnOnce(Command) -> Command) -> Command {
    let about = command.get_about().cloned().map_or(Resettable::Reset, Resettable::Value);
    let long_about = command.get_long_about().cloned().map_or(Resettable::Reset, Resettable::Value);
    describe(command).about(about).long_about(long_about)
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

/// A verb with its arguments, which are described when it is asked for. What is said of it is what stands beside it
/// among its noun's verbs.
#[derive(Debug)]
pub struct Verb<A>(A);

impl<A> Deref for Verb<A> {
    type Target = A;

    fn deref(&self) -> &A {
        &self.0
    }
}

impl<A: Args> Args for Verb<A> {
    fn augment_args(verb: Command) -> Command {
        as_declared(verb, A::augment_args)
    }

    fn augment_args_for_update(verb: Command) -> Command {
        as_declared(verb, A::augment_args_for_update)
    }
}

impl<A: Args> FromArgMatches for Verb<A> {
    fn from_arg_matches(matches: &ArgMatches) -> Result<Self, Error> {
        A::from_arg_matches(matches).map(Self)
    }

    fn from_arg_matches_mut(matches: &mut ArgMatches) -> Result<Self, Error> {
        A::from_arg_matches_mut(matches).map(Self)
    }

    fn update_from_arg_matches(&mut self, matches: &ArgMatches) -> Result<(), Error> {
        self.0.update_from_arg_matches(matches)
    }

    fn update_from_arg_matches_mut(&mut self, matches: &mut ArgMatches) -> Result<(), Error> {
        self.0.update_from_arg_matches_mut(matches)
    }
}
