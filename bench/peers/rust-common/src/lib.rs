// SPDX-License-Identifier: BSD-2-Clause
//! The contract of bench/peers/README.md for programs in Rust.  A peer implements [`Peer`] and calls
//! [`main`]; arguments, parameters, output and the check of results are here.

mod cli;
mod measure;
mod plan;
#[cfg(feature = "tokio")]
mod runtime;
mod tools;

pub use measure::{Census, Clock, Idler, Outcome, Pace, Pacer, Report, Reports, reports};
pub use plan::Peer;
#[cfg(feature = "tokio")]
pub use runtime::Runtime;
pub use tools::{Colour, Random};

use std::io::{BufRead, Write};
use std::process::ExitCode;
use std::time::{Duration, Instant};

use cli::{Command, Run};
use plan::{Plan, Wrong};
use serde_json::{Value, json};

#[cfg(feature = "tuned")]
#[global_allocator]
static ALLOCATOR: tikv_jemallocator::Jemalloc = tikv_jemallocator::Jemalloc;

/// What this binary was built for.
pub const TUNED: bool = cfg!(feature = "tuned");
const SETTINGS: &str = if TUNED { "tuned" } else { "default" };

/// The peer as the first line of output tells it.
pub struct About {
    /// The crate that is measured.
    pub name: &'static str,
    /// Crates below it whose versions matter.
    pub beside: &'static [&'static str],
    /// The text of Cargo.lock.
    pub lock: &'static str,
}

/// The whole program.
pub fn main<P: Peer>(about: &About) -> ExitCode {
    match cli::parse(SETTINGS) {
        Ok(Command::List) => {
            for name in plan::WORKLOADS {
                if P::unsupported(name).is_none() {
                    println!("{name}");
                }
            }
            ExitCode::SUCCESS
        }
        Ok(Command::Run(run)) => start::<P>(about, &run),
        Err(message) => misused(about, &message),
    }
}

fn misused(about: &About, message: &str) -> ExitCode {
    eprintln!("{}: {message}", about.name);
    ExitCode::from(2)
}

/// For parameters, where the workload as such can be expressed; ends the program.
pub fn unsupported(why: &str) -> ! {
    println!("{}", json!({ "unsupported": why }));
    std::process::exit(3)
}

fn start<P: Peer>(about: &About, run: &Run) -> ExitCode {
    let plan = match Plan::<P>::new(&run.workload, &run.params) {
        Ok(plan) => plan,
        Err(Wrong::Argument(message)) => return misused(about, &message),
        Err(Wrong::Unsupported(why)) => unsupported(why),
    };
    match samples(about, run, &plan) {
        Ok(()) => ExitCode::SUCCESS,
        Err(message) => {
            eprintln!("{}: {}: {message}", about.name, run.workload);
            ExitCode::FAILURE
        }
    }
}

fn samples<P: Peer>(about: &About, run: &Run, plan: &Plan<P>) -> Result<(), String> {
    if run.workload != "idle" {
        let until = Instant::now() + Duration::from_secs_f64(run.warmup);
        while Instant::now() < until {
            sample(run, plan)?;
        }
    }
    print(&introduction(about, run.workers))?;
    if run.step {
        for line in std::io::stdin().lock().lines() {
            line.map_err(|e| format!("standard input: {e}"))?;
            print(&sample(run, plan)?)?;
        }
    } else {
        for _ in 0..run.samples {
            print(&sample(run, plan)?)?;
        }
    }
    Ok(())
}

fn print(line: &Value) -> Result<(), String> {
    let mut out = std::io::stdout().lock();
    writeln!(out, "{line}").and_then(|()| out.flush()).map_err(|e| format!("standard output: {e}"))
}

/// A fresh runtime, its actors, the timed part, and the check of what they reported.
fn sample<P: Peer>(run: &Run, plan: &Plan<P>) -> Result<Value, String> {
    let peer = P::start(run.workers, &run.workload);
    let outcome = (plan.run)(&peer);
    drop(peer);
    if outcome.result != plan.expected {
        return Err(format!("the result is {}, not {}", outcome.result, plan.expected));
    }
    Ok(outcome.to_json(plan.operations))
}

fn introduction(about: &About, workers: usize) -> Value {
    let version = |of| locked(about.lock, of).unwrap_or("unknown");
    let mut runtime = format!("rustc {}", env!("PEER_RUSTC"));
    for name in about.beside {
        runtime += &format!(", {name} {}", version(name));
    }
    runtime += &match version("tikv-jemalloc-sys").split_once('+') {
        Some((_, jemalloc)) if TUNED => format!(", jemalloc {jemalloc}"),
        _ => ", the system's malloc".to_string(),
    };
    json!({ "peer": about.name, "version": version(about.name), "runtime": runtime,
            "settings": SETTINGS, "workers": workers })
}

/// The version of a package in the text of a Cargo.lock.
fn locked<'a>(lock: &'a str, package: &str) -> Option<&'a str> {
    let entry = lock.split("[[package]]").find(|e| e.contains(&format!("\nname = \"{package}\"\n")))?;
    entry.lines().find_map(|l| l.strip_prefix("version = \"")?.strip_suffix('"'))
}
