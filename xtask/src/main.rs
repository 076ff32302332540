//! The project's tasks. `cargo xtask --help` lists them.
#![expect(clippy::print_stdout, clippy::print_stderr, reason = "a task talks to a person")]

mod api_document;
mod arrows;
mod bench;
mod book;
mod coverage;
mod dbx_table;
mod demo;
mod dist;
mod docs;
mod fuzz;
mod install;
mod process;
mod sh;
mod site;
mod static_agent;
mod static_program;
mod test;
mod tidy;
mod took;
mod vm;

use clap::{Parser, Subcommand};

/// The project's tasks
#[derive(Parser)]
#[command(name = "cargo xtask")]
struct Arguments {
    #[command(subcommand)]
    task: Task,
}

#[derive(Subcommand)]
enum Task {
    /// Install what is missing, build, and show a server with four hosts
    Demo {
        /// End by itself instead of leaving the server running
        #[arg(long)]
        once: bool,
        /// Boot two virtual machines instead of four software TPMs
        #[arg(long)]
        vm: bool,
    },
    /// Install what is missing, and run all tests and checks
    Test {
        /// Then boot virtual machines, all scenarios of `cargo xtask vm`
        #[arg(long)]
        vm: bool,
    },
    /// Take pictures of all pages, in both themes and three widths
    Screenshots {
        /// Where to
        #[arg(long, default_value = "target/screenshots")]
        folder: std::path::PathBuf,
    },
    /// The same, as continuous integration runs it
    Ci,
    /// Build the agent as one static program, and print its path and size
    Agent {
        /// Let it join a server and attest, and measure its memory
        #[arg(long)]
        check: bool,
    },
    /// Boot virtual machines with Secure Boot and a TPM, and have a server judge them
    Vm(vm::Arguments),
    /// Make Debian packages of agent, server and command line
    Dist {
        /// Make them of the tests' programs, install them into an empty root, try and remove them
        #[arg(long)]
        check: bool,
    },
    /// Measure programs as they are shipped
    Bench {
        /// What to measure
        #[command(subcommand)]
        what: bench::What,
    },
    /// Check the house rules: dependency arrows, generated documents
    Tidy,
    /// Write the documents of docs/ that are generated
    Docs,
    /// Build docs/ as a book, into target/book
    Book,
    /// Write the table of revoked images from Microsoft's dbx_info_msft JSON
    DbxTable {
        /// The file, of microsoft/secureboot_objects, PreSignedObjects/DBX
        file: std::path::PathBuf,
    },
    /// Write the seeds of the fuzz targets
    FuzzSeeds,
    /// Run each fuzz target for a while, where a nightly compiler and cargo-fuzz are installed
    FuzzSmoke {
        /// Seconds for each target
        #[arg(long, default_value_t = 60)]
        seconds: u32,
        /// Only this target
        #[arg(long)]
        only: Option<String>,
        /// Where the inputs begin: one build tries the same ones each time
        #[arg(long, default_value_t = 1)]
        seed: u32,
        /// Watch memory also where Rust does not, in a third of the speed
        #[arg(long)]
        address_sanitizer: bool,
    },
}

fn main() -> anyhow::Result<()> {
    match Arguments::parse().task {
        Task::Demo { once, vm: false } => demo::run(once),
        Task::Demo { once, vm: true } => vm::demo::run(once),
        Task::Test { vm: false } | Task::Ci => test::run(),
        Task::Test { vm: true } => {
            test::run()?;
            vm::run_all()
        }
        Task::Agent { check: true } => static_agent::run(static_agent::Check::Running),
        Task::Agent { check: false } => static_agent::run(static_agent::Check::SizeOnly),
        Task::Vm(arguments) => vm::run(&arguments),
        Task::Dist { check: true } => dist::run(dist::Dist::Check),
        Task::Dist { check: false } => dist::run(dist::Dist::Release),
        Task::Screenshots { folder } => test::screenshots(&folder),
        Task::Bench { what } => bench::run(&what),
        Task::Tidy => tidy::run(),
        Task::Docs => {
            coverage::write()?;
            docs::write()
        }
        Task::Book => book::run(),
        Task::DbxTable { file } => dbx_table::write(&file),
        Task::FuzzSeeds => fuzz::write_seeds(),
        Task::FuzzSmoke { seconds, only, seed, address_sanitizer } => {
            let sanitizer = if address_sanitizer { "address" } else { "none" };
            fuzz::smoke(only.as_deref(), fuzz::Run { seconds, seed, sanitizer })
        }
    }
}
