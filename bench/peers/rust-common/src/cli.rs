// SPDX-License-Identifier: BSD-2-Clause
//! The contract's arguments.
use lexopt::{Parser, ValueExt, prelude::*};

pub enum Command {
    List,
    Run(Run),
}

pub struct Run {
    pub workload: String,
    /// Keys and values as they were given.
    pub params: Vec<(String, u64)>,
    pub workers: usize,
    pub samples: u64,
    pub step: bool,
    /// Seconds of samples before the first line.
    pub warmup: f64,
}

pub fn parse(settings: &str) -> Result<Command, String> {
    parse_from(Parser::from_env(), settings).map_err(|e| e.to_string())
}

fn parse_from(mut parser: Parser, settings: &str) -> Result<Command, lexopt::Error> {
    let mut run =
        Run { workload: String::new(), params: vec![], workers: 1, samples: 1, step: false, warmup: 0.0 };
    let mut list = false;
    while let Some(argument) = parser.next()? {
        match argument {
            Long("workload") => run.workload = parser.value()?.string()?,
            Long("params") => run.params = params(&parser.value()?.string()?)?,
            Long("workers") => run.workers = number(&mut parser, "workers", 256)? as usize,
            Long("samples") => run.samples = number(&mut parser, "samples", 1_000_000)?,
            Long("warmup") => run.warmup = seconds(&mut parser)?,
            Long("settings") => fits(&parser.value()?.string()?, settings)?,
            Long("step") => run.step = true,
            Long("list") => list = true,
            Long("json") => {} // there is no other format
            other => return Err(other.unexpected()),
        }
    }
    match (list, run.workload.is_empty()) {
        (true, _) => Ok(Command::List),
        (false, true) => Err("--workload is missing; --list prints the workloads".into()),
        (false, false) => Ok(Command::Run(run)),
    }
}

fn number(parser: &mut Parser, what: &str, most: u64) -> Result<u64, lexopt::Error> {
    let text = parser.value()?.string()?;
    match text.parse() {
        Ok(n) if (1..=most).contains(&n) => Ok(n),
        _ => Err(format!("--{what} must be 1 to {most}, not '{text}'").into()),
    }
}

fn seconds(parser: &mut Parser) -> Result<f64, lexopt::Error> {
    let text = parser.value()?.string()?;
    match text.parse() {
        Ok(s) if (0.0..=3600.0).contains(&s) => Ok(s),
        _ => Err(format!("--warmup must be 0 to 3600 seconds, not '{text}'").into()),
    }
}

/// `run` has chosen the binary by this argument.
fn fits(wanted: &str, built: &str) -> Result<(), lexopt::Error> {
    match wanted {
        _ if wanted == built => Ok(()),
        "tuned" | "default" => Err(format!("this binary is built for {built}").into()),
        _ => Err(format!("--settings must be tuned or default, not '{wanted}'").into()),
    }
}

fn params(text: &str) -> Result<Vec<(String, u64)>, lexopt::Error> {
    text.split(',')
        .filter(|part| !part.is_empty())
        .map(|part| {
            let (key, value) = part.split_once('=').unwrap_or((part, ""));
            let value = value.parse().map_err(|_| format!("'{part}' in --params is not K=NUMBER"))?;
            Ok((key.to_string(), value))
        })
        .collect()
}
