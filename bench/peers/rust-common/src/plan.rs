// SPDX-License-Identifier: BSD-2-Clause
//! The workloads: their parameters, the work that follows from them, and the result that must come out.
use std::ops::RangeInclusive;
use std::sync::Arc;

use crate::{Outcome, Pace};

pub const WORKLOADS: [&str; 15] = [
    "ping_pong",
    "one_way",
    "thread_ring",
    "fan_in",
    "pairs",
    "big",
    "chameneos",
    "message_ubench",
    "spawn_stop",
    "tree",
    "skynet",
    "idle",
    "ask",
    "paced_outside",
    "paced_inside",
];

/// A runtime and the workloads as one writes them for it.  Each method builds its actors, starts a
/// [`crate::Clock`] before its first send, stops it with what the actors report, and is checked against
/// the result that is named with it.  Shares are rounded already and hold whole windows.
pub trait Peer: Sized {
    /// A fresh runtime with so many threads for actors, for this workload; dropped after the sample.
    fn start(workers: usize, workload: &str) -> Self;

    /// Why a workload cannot be expressed; the method is then not called.
    fn unsupported(_workload: &str) -> Option<&'static str> {
        None
    }

    /// One ball; the player who gets the last reports how many it has had: half, rounded up.
    fn ping_pong(&self, hops: u64) -> Outcome;
    /// Messages 0, 1, 2 ...; the counter reports their sum.
    fn one_way(&self, messages: u64, window: u64) -> Outcome;
    /// Each token is reported as 1 when it has made its hops; token t starts at actor t * actors / tokens.
    fn thread_ring(&self, actors: u64, tokens: u64, hops_each: u64) -> Outcome;
    /// The counter reports how many it has had.
    fn fan_in(&self, producers: u64, messages_each: u64, window: u64) -> Outcome;
    /// The first of each pair reports its answers, `each` in whole windows.
    fn pairs(&self, pairs: u64, each: u64, window: u64) -> Outcome;
    /// Each actor reports its pongs.
    fn big(&self, actors: u64, pings: u64, seed: u64) -> Outcome;
    /// The mall reports the sum of what the creatures have counted.
    fn chameneos(&self, creatures: u64, meetings: u64) -> Outcome;
    /// Each ball is reported as 1 when it has made its hops.
    fn message_ubench(&self, pingers: u64, balls: u64, hops_each: u64, seed: u64) -> Outcome;
    /// The mother reports the lives that have told her.
    fn spawn_stop(&self, lives: u64, alive: u64) -> Outcome;
    /// fib(n), by one actor a call.
    fn tree(&self, n: u64) -> Outcome;
    /// The sum of the leaves' numbers.
    fn skynet(&self, leaves: u64) -> Outcome;
    /// By a [`crate::Census`].
    fn idle(&self, actors: u64) -> Outcome;
    /// Ask for n + 1 with n = 0, 1, 2 ...; the asker reports the sum of the answers.
    fn ask(&self, asks: u64, window: u64) -> Outcome;
    /// By [`Pace::outside`]; message i goes to actor i % actors.
    fn paced_outside(&self, pace: &Arc<Pace>, actors: u64) -> Outcome;
    /// By [`Pace::inside`], to the same actors.
    fn paced_inside(&self, pace: &Arc<Pace>, actors: u64) -> Outcome;
}

/// A workload with its parameters.
pub struct Plan<P> {
    /// What one sample counts.
    pub operations: u64,
    /// The result of a correct sample.
    pub expected: u64,
    pub run: Box<dyn Fn(&P) -> Outcome>,
}

pub enum Wrong {
    Argument(String),
    Unsupported(&'static str),
}

/// Of anything that is only counted.
const MOST: u64 = 1 << 40;
const MILLION: u64 = 1_000_000;

impl<P: Peer> Plan<P> {
    pub fn new(workload: &str, params: &[(String, u64)]) -> Result<Self, Wrong> {
        let mut given = Given { workload, left: params.to_vec() };
        if !WORKLOADS.contains(&workload) {
            return Err(Wrong::Argument(format!("there is no workload '{workload}'; see --list")));
        }
        let plan = given.plan().map_err(Wrong::Argument)?;
        if let Some((key, _)) = given.left.first() {
            return Err(Wrong::Argument(format!("{workload} has no parameter '{key}'")));
        }
        P::unsupported(workload).map_or(Ok(plan), |why| Err(Wrong::Unsupported(why)))
    }

    fn checked(
        operations: u64,
        expected: u64,
        run: impl Fn(&P) -> Outcome + 'static,
    ) -> Result<Self, String> {
        Ok(Plan { operations, expected, run: Box::new(run) })
    }
}

/// What --params gave, less what has been taken.
struct Given<'a> {
    workload: &'a str,
    left: Vec<(String, u64)>,
}

impl Given<'_> {
    /// The last value given for a parameter, or its default.
    fn take(&mut self, name: &str, default: u64, range: RangeInclusive<u64>) -> Result<u64, String> {
        let value = self.left.iter().rev().find(|(key, _)| key == name).map_or(default, |(_, v)| *v);
        self.left.retain(|(key, _)| key != name);
        if range.contains(&value) {
            return Ok(value);
        }
        Err(format!("{name} of {} must be {} to {}, not {value}", self.workload, range.start(), range.end()))
    }

    fn share(&self, whole: u64, parts: u64, unit: u64) -> Result<u64, String> {
        match whole / parts / unit * unit {
            0 => Err(format!("{whole} are too few for the other parameters of {}", self.workload)),
            share => Ok(share),
        }
    }

    fn plan<P: Peer>(&mut self) -> Result<Plan<P>, String> {
        match self.workload {
            "ping_pong" | "one_way" | "thread_ring" | "fan_in" | "pairs" | "ask" => self.plan_regular(),
            "big" | "chameneos" | "message_ubench" | "paced_outside" | "paced_inside" => self.plan_many(),
            _ => self.plan_spawning(),
        }
    }

    fn plan_regular<P: Peer>(&mut self) -> Result<Plan<P>, String> {
        match self.workload {
            "ping_pong" => {
                let hops = self.take("hops", 2 * MILLION, 1..=MOST)?;
                Plan::checked(hops, hops.div_ceil(2), move |p: &P| p.ping_pong(hops))
            }
            "one_way" => {
                let messages = self.take("messages", MILLION, 1..=u64::from(u32::MAX))?;
                let window = flood(self.take("window", 100, 0..=MOST)?, messages);
                let messages = self.share(messages, 1, window)?;
                let sum = messages * (messages - 1) / 2;
                Plan::checked(messages, sum, move |p: &P| p.one_way(messages, window))
            }
            "thread_ring" => {
                let actors = self.take("actors", 100, 1..=MILLION)?;
                let tokens = self.take("tokens", 1, 1..=MILLION)?;
                let hops = self.take("hops", 2 * MILLION, 1..=MOST)?;
                let each = self.share(hops, tokens, 1)?;
                Plan::checked(tokens * each, tokens, move |p: &P| p.thread_ring(actors, tokens, each))
            }
            "fan_in" => {
                let producers = self.take("producers", 60, 1..=100_000)?;
                let messages = self.take("messages", MILLION, 1..=MOST)?;
                let window = flood(self.take("window", 1000, 0..=MOST)?, messages / producers);
                let each = self.share(messages, producers, window)?;
                Plan::checked(producers * each, producers * each, move |p: &P| {
                    p.fan_in(producers, each, window)
                })
            }
            "pairs" => {
                let pairs = self.take("pairs", 4, 1..=100_000)?;
                let messages = self.take("messages", 400_000, 1..=MOST)?;
                let window = self.take("window", 50, 1..=MOST)?;
                let each = self.share(messages, 2 * pairs, window)?;
                Plan::checked(2 * pairs * each, pairs * each, move |p: &P| p.pairs(pairs, each, window))
            }
            _ => {
                let asks = self.take("asks", 500_000, 1..=u64::from(u32::MAX))?;
                let window = self.take("window", 1, 1..=MILLION)?;
                let sum = asks * (asks + 1) / 2;
                Plan::checked(asks, sum, move |p: &P| p.ask(asks, window))
            }
        }
    }

    fn plan_many<P: Peer>(&mut self) -> Result<Plan<P>, String> {
        match self.workload {
            "big" => {
                let actors = self.take("actors", 120, 2..=100_000)?;
                let pings = self.take("pings", 5000, 1..=MILLION)?;
                let seed = self.take("seed", 1, 1..=MOST)?;
                Plan::checked(2 * actors * pings, actors * pings, move |p: &P| p.big(actors, pings, seed))
            }
            "chameneos" => {
                let creatures = self.take("creatures", 100, 2..=100_000)?;
                let meetings = self.take("meetings", 100_000, 1..=MOST)?;
                Plan::checked(meetings, 2 * meetings, move |p: &P| p.chameneos(creatures, meetings))
            }
            "message_ubench" => {
                let pingers = self.take("pingers", 8, 1..=100_000)?;
                let balls = self.take("balls", 5, 1..=100_000)?;
                let messages = self.take("messages", 2 * MILLION, 1..=MOST)?;
                let seed = self.take("seed", 1, 1..=MOST)?;
                let all = pingers * balls;
                let each = self.share(messages, all, 1)?;
                Plan::checked(all * each, all, move |p: &P| p.message_ubench(pingers, balls, each, seed))
            }
            _ => {
                let period = self.take("period_ns", 10_000, 100..=1000 * MILLION)?;
                let actors = self.take("actors", 64, 1..=100_000)?;
                let messages = self.take("messages", 300_000, 1..=MOST)?;
                let inside = self.workload == "paced_inside";
                Plan::checked(messages, messages, move |p: &P| {
                    let pace = Pace::new(period, messages);
                    if inside { p.paced_inside(&pace, actors) } else { p.paced_outside(&pace, actors) }
                })
            }
        }
    }

    fn plan_spawning<P: Peer>(&mut self) -> Result<Plan<P>, String> {
        match self.workload {
            "spawn_stop" => {
                let lives = self.take("lives", 300_000, 1..=MOST)?;
                let alive = self.take("alive", 1000, 1..=MILLION)?.min(lives);
                Plan::checked(lives, lives, move |p: &P| p.spawn_stop(lives, alive))
            }
            "tree" => {
                let n = self.take("n", 25, 1..=40)?;
                let fib = (0..n).fold((0, 1), |(a, b), _| (b, a + b)).0;
                Plan::checked(2 * fib - 1, fib, move |p: &P| p.tree(n))
            }
            "skynet" => {
                let leaves = self.take("leaves", MILLION, 1..=10 * MILLION)?;
                if 10u64.pow(leaves.ilog10()) != leaves {
                    return Err(format!("leaves of skynet must be a power of ten, not {leaves}"));
                }
                let sum = leaves * (leaves - 1) / 2;
                Plan::checked((leaves * 10 - 1) / 9, sum, move |p: &P| p.skynet(leaves))
            }
            _ => {
                let actors = self.take("actors", MILLION, 1..=100 * MILLION)?;
                Plan::checked(actors, actors, move |p: &P| p.idle(actors))
            }
        }
    }
}

/// A window of 0 is one that holds all.
fn flood(window: u64, all: u64) -> u64 {
    if window == 0 { all.max(1) } else { window }
}
