// SPDX-License-Identifier: BSD-2-Clause
//! The timed part of a sample: from the driving thread's first send until it knows the last result.
use std::ops::Range;
use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, OnceLock};
use std::thread::Thread;
use std::time::{Duration, Instant};

use hdrhistogram::Histogram;
use rustix::time::{ClockId, clock_gettime};
use serde_json::{Value, json};

/// A message that is lost would keep a sample waiting for ever.
const PATIENCE: Duration = Duration::from_secs(300);

fn give_up() -> ! {
    eprintln!("no end within {} seconds: a message is lost", PATIENCE.as_secs());
    std::process::exit(1)
}

fn cpu_ns() -> u64 {
    let t = clock_gettime(ClockId::ProcessCPUTime);
    t.tv_sec as u64 * 1_000_000_000 + t.tv_nsec as u64
}

/// What the allocator keeps for later goes back to the system.
#[cfg(feature = "tuned")]
fn give_back() {
    use std::ptr::null_mut;
    // jemalloc's; 4096 stands for all of its arenas
    let purge = unsafe {
        tikv_jemalloc_sys::mallctl(c"arena.4096.purge".as_ptr(), null_mut(), null_mut(), null_mut(), 0)
    };
    assert_eq!(purge, 0, "jemalloc purges no arena");
}

#[cfg(not(feature = "tuned"))]
fn give_back() {
    unsafe extern "C" {
        fn malloc_trim(pad: usize) -> i32;
    }
    unsafe { malloc_trim(0) };
}

/// Resident bytes of the process.
fn resident() -> u64 {
    give_back();
    let text = std::fs::read_to_string("/proc/self/statm").expect("/proc/self/statm");
    let pages: u64 = text.split(' ').nth(1).and_then(|n| n.parse().ok()).expect("pages in statm");
    pages * rustix::param::page_size() as u64
}

/// What a sample measured and what its actors reported.
pub struct Outcome {
    ns: u64,
    cpu_ns: u64,
    pub(crate) result: u64,
    rss: Option<u64>,
    latency: Option<Histogram<u64>>,
}

impl Outcome {
    pub(crate) fn to_json(&self, operations: u64) -> Value {
        let mut line = json!({ "ns": self.ns, "operations": operations, "cpu_ns": self.cpu_ns });
        if let Some(rss) = self.rss {
            line["rss"] = rss.into();
        }
        if let Some(h) = &self.latency {
            let at = |q| h.value_at_quantile(q);
            line["latency_ns"] = json!({ "p50": at(0.5), "p90": at(0.9), "p99": at(0.99),
                                         "p999": at(0.999), "max": h.max() });
        }
        line
    }
}

/// Runs from the first send.
pub struct Clock {
    begun: Instant,
    cpu_ns: u64,
}

impl Clock {
    pub fn start() -> Self {
        Clock { cpu_ns: cpu_ns(), begun: Instant::now() }
    }

    pub fn stop(self, result: u64) -> Outcome {
        let ns = self.begun.elapsed().as_nanos() as u64;
        Outcome { ns, cpu_ns: cpu_ns() - self.cpu_ns, result, rss: None, latency: None }
    }
}

/// The way from actors back to the driving thread; messages do not carry it.
#[derive(Clone)]
pub struct Report(Sender<u64>);

impl Report {
    pub fn send(&self, result: u64) {
        self.0.send(result).expect("the driving thread waits for all reports");
    }
}

pub struct Reports(Receiver<u64>);

/// A channel for results.
pub fn reports() -> (Report, Reports) {
    let (sender, receiver) = channel();
    (Report(sender), Reports(receiver))
}

impl Reports {
    /// Wait for `n` reports and add them up.
    pub fn sum(&self, n: u64) -> u64 {
        (0..n).map(|_| self.0.recv_timeout(PATIENCE).unwrap_or_else(|_| give_up())).sum()
    }
}

/// Counts what happens once to each of many, for the thread that waits for all.
struct Countdown {
    left: AtomicU64,
    waiting: OnceLock<Thread>,
}

impl Countdown {
    const fn new() -> Self {
        Countdown { left: AtomicU64::new(0), waiting: OnceLock::new() }
    }

    /// By the thread that will wait, before anything can arrive.
    fn expect(&self, n: u64) {
        self.waiting.get_or_init(std::thread::current);
        self.left.store(n, Ordering::Release);
    }

    fn arrive(&self) {
        // Release: who waits sees what was noted before.
        if self.left.fetch_sub(1, Ordering::AcqRel) == 1 {
            self.waiting.get().expect("expect() comes first").unpark();
        }
    }

    fn wait(&self) {
        let until = Instant::now() + PATIENCE;
        while self.left.load(Ordering::Acquire) > 0 {
            if Instant::now() > until {
                give_up();
            }
            std::thread::park_timeout(PATIENCE);
        }
    }
}

/// Of idle's actors, whose 16 bytes of state have no room for a way back.
static UNMET: Countdown = Countdown::new();

/// idle: how the process grows by actors that have had one message each.
pub struct Census {
    actors: u64,
    before: u64,
    clock: Clock,
}

impl Census {
    /// Before the first spawn, by the driving thread.
    pub fn begin(actors: u64) -> Self {
        UNMET.expect(actors);
        Census { actors, before: resident(), clock: Clock::start() }
    }

    /// Wait for all; they must be alive until this returns.
    pub fn end(self) -> Outcome {
        UNMET.wait();
        let outcome = self.clock.stop(0);
        std::thread::sleep(Duration::from_secs(1));
        let met = self.actors.wrapping_sub(UNMET.left.load(Ordering::Acquire));
        Outcome { result: met, rss: Some(resident().saturating_sub(self.before)), ..outcome }
    }
}

/// The 16 bytes of state of idle's actors.
#[derive(Clone, Default)]
pub struct Idler {
    pub had: u64,
    pub sum: u64,
}

impl Idler {
    /// The actor's handler of messages.
    pub fn meet(&mut self, n: u64) {
        self.had += 1;
        self.sum += n;
        UNMET.arrive();
    }
}

/// The paced workloads: an open loop of messages that are due at fixed times.
pub struct Pace {
    /// The sender's first look at the clock, when message 0 is due.
    begin: OnceLock<Instant>,
    period_ns: u64,
    /// Nanoseconds of each message, written by its handler.
    latency: Vec<AtomicU32>,
    unseen: Countdown,
}

impl Pace {
    pub fn new(period_ns: u64, messages: u64) -> Arc<Self> {
        // Not zero, so that the pages are there before the clock runs.
        let latency = (0..messages).map(|_| AtomicU32::new(u32::MAX)).collect();
        Arc::new(Pace { begin: OnceLock::new(), period_ns, latency, unseen: Countdown::new() })
    }

    fn now(&self) -> u64 {
        self.begin.get_or_init(Instant::now).elapsed().as_nanos() as u64
    }

    /// By the handler of message `i`.
    pub fn note(&self, i: u64) {
        let ns = self.now().saturating_sub(i * self.period_ns);
        self.latency[i as usize].store(ns.min(u64::from(u32::MAX)) as u32, Ordering::Relaxed);
        self.unseen.arrive();
    }

    /// paced_outside: the driving thread sends.
    pub fn outside(self: &Arc<Self>, mut send: impl FnMut(u64)) -> Outcome {
        let mut pacer = Pacer::new(self);
        self.timed(|| {
            while let Some(due) = pacer.look() {
                due.for_each(&mut send);
                std::hint::spin_loop();
            }
        })
    }

    /// paced_inside: an actor that has a [`Pacer`] sends, once it is told to.
    pub fn inside(&self, go: impl FnOnce()) -> Outcome {
        self.timed(go)
    }

    /// Until the last message has been noted.
    fn timed(&self, begin: impl FnOnce()) -> Outcome {
        let messages = self.latency.len() as u64;
        self.unseen.expect(messages);
        let clock = Clock::start();
        begin();
        self.unseen.wait();
        let outcome = clock.stop(messages - self.unseen.left.load(Ordering::Acquire));
        Outcome { latency: Some(self.histogram()), ..outcome }
    }

    fn histogram(&self) -> Histogram<u64> {
        let mut h = Histogram::new(3).expect("3 digits are a valid precision");
        for ns in &self.latency {
            h.record(u64::from(ns.load(Ordering::Relaxed))).expect("the histogram grows");
        }
        h
    }
}

/// Tells who sends a [`Pace`]'s messages which are due.
#[derive(Clone)]
pub struct Pacer {
    pace: Arc<Pace>,
    sent: u64,
}

impl Pacer {
    pub fn new(pace: &Arc<Pace>) -> Self {
        Pacer { pace: pace.clone(), sent: 0 }
    }

    /// Look at the clock once: the messages to send now, late ones among them; None after the last.
    pub fn look(&mut self) -> Option<Range<u64>> {
        let (now, first) = (self.pace.now(), self.sent);
        let messages = self.pace.latency.len() as u64;
        while self.sent < messages && self.sent * self.pace.period_ns <= now {
            self.sent += 1;
        }
        (first < messages).then_some(first..self.sent)
    }
}
