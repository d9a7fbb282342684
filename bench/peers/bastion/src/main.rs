// SPDX-License-Identifier: BSD-2-Clause
//! Bastion: supervised children with an executor of its own.
use std::cell::Cell;
use std::future::Future;
use std::process::ExitCode;
use std::sync::{Arc, Once};

use bastion::prelude::*;
use futures::{StreamExt, stream};
use peer_contract::{
    About, Census, Clock, Colour, Idler, Outcome, Pace, Pacer, Peer, Random, Report, Reports, reports,
    unsupported,
};

fn main() -> ExitCode {
    let (lock, beside) = (include_str!("../Cargo.lock"), &["bastion-executor"]);
    peer_contract::main::<Sample>(&About { name: "bastion", beside, lock })
}

/// What an actor's body returns: an error would have its supervisor restart it.
type End = Result<(), ()>;

/// One actor: a group of children with one element.
fn spawn<F>(under: &SupervisorRef, body: impl Fn(BastionContext) -> F + Send + 'static) -> ChildRef
where
    F: Future<Output = End> + Send + 'static,
{
    let group = under.children(|group| group.with_exec(body)).expect("the supervisor is alive");
    group.elems()[0].clone()
}

/// By an actor.
fn tell<M: Message>(ctx: &BastionContext, to: &RefAddr, message: M) {
    ctx.tell(to, message).expect("the actor is alive");
}

/// By the driving thread.
fn send<M: Message>(to: &ChildRef, message: M) {
    to.tell_anonymously(message).expect("the actor is alive");
}

fn unknown(message: Msg) -> ! {
    unreachable!("nobody sends {message:?}")
}

/// The addresses of all actors of a kind; a question, whose answer says that they are known.
#[derive(Debug)]
struct Peers(Arc<[RefAddr]>);

/// Tell actors of each other, and wait until they know.
fn introduce(to: &[ChildRef], all: &[ChildRef]) {
    let all: Arc<[_]> = all.iter().map(ChildRef::addr).collect();
    for actor in to {
        let known = actor.ask_anonymously(Peers(all.clone())).expect("the actor is alive");
        run!(known).expect("an answer");
    }
}

/// An actor's first message.
async fn meet(ctx: &BastionContext) -> Result<Arc<[RefAddr]>, ()> {
    msg! { ctx.recv().await?,
        peers: Peers =!> {
            answer!(ctx, ()).expect("who has asked waits");
            Ok(peers.0)
        };
        other: _ => unknown(other);
    }
}

// ---- ping_pong, thread_ring, message_ubench ----

/// A message that travels, with the hops it has left.
#[derive(Debug)]
struct Ball(u64);

/// Without a peer it returns the ball to who has sent it.
async fn player(ctx: BastionContext, peer: Option<RefAddr>, report: Report) -> End {
    let mut had = 0;
    loop {
        msg! { ctx.recv().await?,
            ball: Ball => {
                had += 1;
                match ball.0 {
                    0 => report.send(had),
                    hops => tell(&ctx, peer.as_ref().unwrap_or(&signature!()), Ball(hops - 1)),
                }
            };
            other: _ => unknown(other);
        }
    }
}

async fn link(ctx: BastionContext, own: usize, report: Report) -> End {
    let ring = meet(&ctx).await?;
    let next = &ring[(own + 1) % ring.len()];
    loop {
        msg! { ctx.recv().await?,
            ball: Ball => match ball.0 {
                0 => report.send(1),
                hops => tell(&ctx, next, Ball(hops - 1)),
            };
            other: _ => unknown(other);
        }
    }
}

async fn pinger(ctx: BastionContext, mut random: Random, report: Report) -> End {
    let all = meet(&ctx).await?;
    loop {
        msg! { ctx.recv().await?,
            ball: Ball => match ball.0 {
                0 => report.send(1),
                hops => tell(&ctx, &all[random.below(all.len() as u64) as usize], Ball(hops - 1)),
            };
            other: _ => unknown(other);
        }
    }
}

// ---- one_way ----

#[derive(Debug)]
struct Credit;

#[derive(Debug)]
struct Count(u64);

async fn producer(ctx: BastionContext, counter: RefAddr, window: u64) -> End {
    let mut sent = 0;
    loop {
        msg! { ctx.recv().await?,
            _credit: Credit => {
                (sent..sent + window).for_each(|n| tell(&ctx, &counter, Count(n)));
                sent += window;
            };
            other: _ => unknown(other);
        }
    }
}

async fn counter(ctx: BastionContext, messages: u64, window: u64, report: Report) -> End {
    let (mut had, mut sum) = (0, 0);
    loop {
        msg! { ctx.recv().await?,
            count: Count => {
                had += 1;
                sum += count.0;
                if had == messages {
                    report.send(sum);
                } else if had % window == 0 {
                    tell(&ctx, &signature!(), Credit);
                }
            };
            other: _ => unknown(other);
        }
    }
}

// ---- fan_in ----

async fn feeder(ctx: BastionContext, counter: RefAddr, own: u64, window: u64) -> End {
    loop {
        msg! { ctx.recv().await?,
            _credit: Credit => (0..window).for_each(|_| tell(&ctx, &counter, Count(own)));
            other: _ => unknown(other);
        }
    }
}

async fn fan_counter(ctx: BastionContext, producers: u64, each: u64, window: u64, report: Report) -> End {
    let mut had = vec![0; producers as usize];
    let mut all = 0;
    loop {
        msg! { ctx.recv().await?,
            from: Count => {
                let had = &mut had[from.0 as usize];
                *had += 1;
                all += 1;
                if all == each * producers {
                    report.send(all);
                } else if *had % window == 0 && *had < each {
                    tell(&ctx, &signature!(), Credit);
                }
            };
            other: _ => unknown(other);
        }
    }
}

// ---- pairs ----

#[derive(Debug)]
struct Go;

#[derive(Debug)]
struct Question(u64);

#[derive(Debug)]
struct Answered(u64);

async fn first(ctx: BastionContext, second: RefAddr, each: u64, window: u64, report: Report) -> End {
    let send_window = || (0..window).for_each(|n| tell(&ctx, &second, Question(n)));
    let mut answered = 0;
    loop {
        msg! { ctx.recv().await?,
            _go: Go => send_window();
            answer: Answered => {
                assert!(answer.0 < window);
                answered += 1;
                if answered == each {
                    report.send(answered);
                } else if answered % window == 0 {
                    send_window();
                }
            };
            other: _ => unknown(other);
        }
    }
}

async fn second(ctx: BastionContext) -> End {
    loop {
        msg! { ctx.recv().await?,
            question: Question => tell(&ctx, &signature!(), Answered(question.0));
            other: _ => unknown(other);
        }
    }
}

// ---- big ----

#[derive(Debug)]
struct Ping(u64);

#[derive(Debug)]
struct Pong;

async fn big(ctx: BastionContext, own: u64, mut random: Random, pings: u64, report: Report) -> End {
    let all = meet(&ctx).await?;
    let mut ping = || tell(&ctx, &all[random.other(all.len() as u64, own) as usize], Ping(own));
    let mut pongs = 0;
    loop {
        msg! { ctx.recv().await?,
            _go: Go => ping();
            from: Ping => tell(&ctx, &all[from.0 as usize], Pong);
            _pong: Pong => {
                pongs += 1;
                if pongs < pings { ping() } else { report.send(pongs) }
            };
            other: _ => unknown(other);
        }
    }
}

// ---- chameneos ----

#[derive(Debug)]
struct Meeting(u32, Colour);

#[derive(Debug)]
struct Met(Colour);

#[derive(Debug)]
struct Closed;

async fn mall(ctx: BastionContext, mut left: u64, report: Report) -> End {
    let creatures = meet(&ctx).await?;
    let mut waiting: Option<Meeting> = None;
    let (mut counted, mut sum) = (0, 0);
    loop {
        msg! { ctx.recv().await?,
            asks: Meeting => {
                let here = &creatures[asks.0 as usize];
                if left == 0 {
                    tell(&ctx, here, Closed);
                } else if let Some(there) = waiting.take() {
                    left -= 1;
                    tell(&ctx, &creatures[there.0 as usize], Met(asks.1));
                    tell(&ctx, here, Met(there.1));
                } else {
                    waiting = Some(asks);
                }
            };
            met: Count => {
                counted += 1;
                sum += met.0;
                if counted == creatures.len() {
                    report.send(sum);
                }
            };
            other: _ => unknown(other);
        }
    }
}

async fn creature(ctx: BastionContext, mall: RefAddr, own: u32) -> End {
    let mut colour = Colour::of(u64::from(own));
    let mut meetings = 0;
    loop {
        msg! { ctx.recv().await?,
            _go: Go => tell(&ctx, &mall, Meeting(own, colour));
            met: Met => {
                meetings += 1;
                colour = colour.complement(met.0);
                tell(&ctx, &mall, Meeting(own, colour));
            };
            _closed: Closed => tell(&ctx, &mall, Count(meetings));
            other: _ => unknown(other);
        }
    }
}

// ---- spawn_stop ----

#[derive(Debug)]
struct Word;

/// The own supervisor, under which actors are spawned by others.
fn supervisor(ctx: &BastionContext) -> &SupervisorRef {
    ctx.supervisor().expect("an actor has a supervisor")
}

/// The end of an actor with its group; else the group would live on, empty.
fn leave(ctx: &BastionContext) -> End {
    ctx.parent().stop()
}

async fn mother(ctx: BastionContext, lives: u64, alive: u64, report: Report) -> End {
    let mut begun = 0;
    let mut ended = 0;
    let mut begin = || {
        let to = ctx.signature();
        let child = spawn(supervisor(&ctx), move |ctx| child(ctx, to.clone()));
        tell(&ctx, &child.addr(), Count(1));
        begun += 1;
        begun < lives
    };
    let mut more = true;
    loop {
        msg! { ctx.recv().await?,
            _go: Go => (0..alive).for_each(|_| more = begin());
            _word: Word => {
                ended += 1;
                if more {
                    more = begin();
                } else if ended == lives {
                    report.send(ended);
                }
            };
            other: _ => unknown(other);
        }
    }
}

async fn child(ctx: BastionContext, mother: RefAddr) -> End {
    msg! { ctx.recv().await?,
        _count: Count => tell(&ctx, &mother, Word);
        other: _ => unknown(other);
    }
    leave(&ctx)
}

// ---- tree, skynet ----

#[derive(Debug)]
struct Value(u64);

#[derive(Clone)]
enum Parent {
    Node(RefAddr),
    Driver(Report),
}

impl Parent {
    fn tell(&self, ctx: &BastionContext, value: u64) {
        match self {
            Parent::Node(node) => tell(ctx, node, Value(value)),
            Parent::Driver(report) => report.send(value),
        }
    }
}

async fn values(ctx: &BastionContext, n: u64) -> Result<u64, ()> {
    let mut sum = 0;
    for _ in 0..n {
        msg! { ctx.recv().await?,
            value: Value => sum += value.0;
            other: _ => unknown(other);
        }
    }
    Ok(sum)
}

/// The root is built before it is told to begin; the others begin as they are spawned.
async fn begin(ctx: &BastionContext, parent: &Parent) -> End {
    match parent {
        Parent::Node(_) => Ok(()),
        Parent::Driver(_) => msg! { ctx.recv().await?,
            _go: Go => Ok(());
            other: _ => unknown(other);
        },
    }
}

fn spawn_fib(under: &SupervisorRef, n: u64, parent: Parent) -> ChildRef {
    spawn(under, move |ctx| fib(ctx, n, parent.clone()))
}

async fn fib(ctx: BastionContext, n: u64, parent: Parent) -> End {
    begin(&ctx, &parent).await?;
    if n <= 2 {
        parent.tell(&ctx, 1);
    } else {
        for n in [n - 1, n - 2] {
            spawn_fib(supervisor(&ctx), n, Parent::Node(ctx.signature()));
        }
        parent.tell(&ctx, values(&ctx, 2).await?);
    }
    leave(&ctx)
}

fn spawn_sky(under: &SupervisorRef, first: u64, leaves: u64, parent: Parent) -> ChildRef {
    spawn(under, move |ctx| sky(ctx, first, leaves, parent.clone()))
}

async fn sky(ctx: BastionContext, first: u64, leaves: u64, parent: Parent) -> End {
    begin(&ctx, &parent).await?;
    if leaves == 1 {
        parent.tell(&ctx, first);
    } else {
        let each = leaves / 10;
        for i in 0..10 {
            spawn_sky(supervisor(&ctx), first + i * each, each, Parent::Node(ctx.signature()));
        }
        parent.tell(&ctx, values(&ctx, 10).await?);
    }
    leave(&ctx)
}

// ---- idle ----

/// What an actor takes: it is three tasks, a supervised group and its heartbeat among them.
const BYTES_AN_ACTOR: u64 = 14_000;

/// Bytes that the machine has left.
fn memory() -> u64 {
    let text = std::fs::read_to_string("/proc/meminfo").expect("/proc/meminfo");
    let line = text.lines().find_map(|l| l.strip_prefix("MemAvailable:")).expect("MemAvailable");
    line.trim_end_matches("kB").trim().parse::<u64>().expect("a number of kB") * 1024
}

async fn idle(ctx: BastionContext) -> End {
    let mut idler = Idler::default();
    loop {
        msg! { ctx.recv().await?,
            count: Count => idler.meet(count.0);
            other: _ => unknown(other);
        }
    }
}

// ---- ask ----

#[derive(Debug)]
struct Add(u64);

async fn adder(ctx: BastionContext) -> End {
    loop {
        msg! { ctx.recv().await?,
            add: Add =!> answer!(ctx, add.0 + 1).expect("the asker waits");
            other: _ => unknown(other);
        }
    }
}

/// There is no timeout in the API.
async fn ask(ctx: &BastionContext, adder: &RefAddr, n: u64) -> Result<u64, ()> {
    msg! { ctx.ask(adder, Add(n)).expect("the adder is alive").await?,
        answer: u64 => Ok(answer);
        other: _ => unknown(other);
    }
}

async fn asker(ctx: BastionContext, adder: RefAddr, asks: u64, window: u64, report: Report) -> End {
    loop {
        msg! { ctx.recv().await?,
            _go: Go => {
                let mut sum = 0;
                if window == 1 {
                    for n in 0..asks {
                        sum += ask(&ctx, &adder, n).await?;
                    }
                } else {
                    let answers = stream::iter(0..asks).map(|n| ask(&ctx, &adder, n));
                    let mut answers = answers.buffer_unordered(window as usize);
                    while let Some(answer) = answers.next().await {
                        sum += answer?;
                    }
                }
                report.send(sum);
            };
            other: _ => unknown(other);
        }
    }
}

// ---- paced_outside, paced_inside ----

async fn paced(ctx: BastionContext, pace: Arc<Pace>) -> End {
    loop {
        msg! { ctx.recv().await?,
            count: Count => pace.note(count.0);
            other: _ => unknown(other);
        }
    }
}

/// Its message to itself comes after those of the others that are waiting.
async fn pacing(ctx: BastionContext, mut pacer: Pacer, to: Vec<RefAddr>) -> End {
    let own = ctx.signature();
    loop {
        msg! { ctx.recv().await?,
            _go: Go => if let Some(due) = pacer.look() {
                due.for_each(|i| tell(&ctx, &to[i as usize % to.len()], Count(i)));
                tell(&ctx, &own, Go);
            };
            other: _ => unknown(other);
        }
    }
}

// ---- the workloads ----

/// The system is one of the process and is not started twice; a sample's actors are those of a supervisor.
struct Sample {
    supervisor: SupervisorRef,
    ended: Reports,
    /// Of idle, whose process has one sample: to end a million takes as long as to begin them.
    stays: Cell<bool>,
}

/// The executor's threads; the environment is the one way to say it.
fn start_system(workers: usize) {
    static SYSTEM: Once = Once::new();
    SYSTEM.call_once(|| {
        // SAFETY: no other thread reads the environment: the executor's start with init().
        unsafe { std::env::set_var("BASTION_BLOCKING_THREADS", workers.to_string()) };
        Bastion::init();
        Bastion::start();
    });
}

impl Sample {
    fn spawn<F>(&self, body: impl Fn(BastionContext) -> F + Send + 'static) -> ChildRef
    where
        F: Future<Output = End> + Send + 'static,
    {
        spawn(&self.supervisor, body)
    }

    fn paced(&self, pace: &Arc<Pace>, actors: u64) -> Vec<ChildRef> {
        let start = |_| {
            let pace = pace.clone();
            self.spawn(move |ctx| paced(ctx, pace.clone()))
        };
        (0..actors).map(start).collect()
    }
}

/// A supervisor that has ended is started again by the system, here without its actors; then all are gone.
impl Drop for Sample {
    fn drop(&mut self) {
        if !self.stays.get() {
            self.supervisor.kill().expect("the supervisor is alive");
            self.ended.sum(1);
        }
    }
}

impl Peer for Sample {
    fn start(workers: usize, _workload: &str) -> Self {
        start_system(workers);
        let (report, ended) = reports();
        let again = Callbacks::new().with_after_restart(move || report.send(1));
        let never = RestartStrategy::default().with_restart_policy(RestartPolicy::Never);
        let supervisor = Bastion::supervisor(|s| s.with_restart_strategy(never).with_callbacks(again));
        Sample { supervisor: supervisor.expect("the system is alive"), ended, stays: Cell::new(false) }
    }

    fn ping_pong(&self, hops: u64) -> Outcome {
        let (report, end) = reports();
        let last = report.clone();
        let b = self.spawn(move |ctx| player(ctx, None, last.clone())).addr();
        let a = self.spawn(move |ctx| player(ctx, Some(b.clone()), report.clone()));
        let clock = Clock::start();
        send(&a, Ball(hops - 1));
        clock.stop(end.sum(1))
    }

    fn one_way(&self, messages: u64, window: u64) -> Outcome {
        let (report, end) = reports();
        let counter = self.spawn(move |ctx| counter(ctx, messages, window, report.clone())).addr();
        let producer = self.spawn(move |ctx| producer(ctx, counter.clone(), window));
        let clock = Clock::start();
        send(&producer, Credit);
        clock.stop(end.sum(1))
    }

    fn thread_ring(&self, actors: u64, tokens: u64, hops_each: u64) -> Outcome {
        let (report, end) = reports();
        let start = |own| {
            let report = report.clone();
            self.spawn(move |ctx| link(ctx, own as usize, report.clone()))
        };
        let ring: Vec<_> = (0..actors).map(start).collect();
        introduce(&ring, &ring);
        let clock = Clock::start();
        for t in 0..tokens {
            send(&ring[(t * actors / tokens) as usize], Ball(hops_each - 1));
        }
        clock.stop(end.sum(tokens))
    }

    fn fan_in(&self, producers: u64, messages_each: u64, window: u64) -> Outcome {
        let (report, end) = reports();
        let counter =
            self.spawn(move |ctx| fan_counter(ctx, producers, messages_each, window, report.clone()));
        let start = |own| {
            let to = counter.addr();
            self.spawn(move |ctx| feeder(ctx, to.clone(), own, window))
        };
        let feeders: Vec<_> = (0..producers).map(start).collect();
        let clock = Clock::start();
        feeders.iter().for_each(|f| send(f, Credit));
        clock.stop(end.sum(1))
    }

    fn pairs(&self, pairs: u64, each: u64, window: u64) -> Outcome {
        let (report, end) = reports();
        let pair = |_| {
            let (to, report) = (self.spawn(second).addr(), report.clone());
            self.spawn(move |ctx| first(ctx, to.clone(), each, window, report.clone()))
        };
        let firsts: Vec<_> = (0..pairs).map(pair).collect();
        let clock = Clock::start();
        firsts.iter().for_each(|f| send(f, Go));
        clock.stop(end.sum(pairs))
    }

    fn big(&self, actors: u64, pings: u64, seed: u64) -> Outcome {
        let (report, end) = reports();
        let start = |own| {
            let report = report.clone();
            self.spawn(move |ctx| big(ctx, own, Random::new(seed + own), pings, report.clone()))
        };
        let all: Vec<_> = (0..actors).map(start).collect();
        introduce(&all, &all);
        let clock = Clock::start();
        all.iter().for_each(|a| send(a, Go));
        clock.stop(end.sum(actors))
    }

    fn chameneos(&self, creatures: u64, meetings: u64) -> Outcome {
        let (report, end) = reports();
        let mall = self.spawn(move |ctx| mall(ctx, meetings, report.clone()));
        let start = |own| {
            let mall = mall.addr();
            self.spawn(move |ctx| creature(ctx, mall.clone(), own as u32))
        };
        let all: Vec<_> = (0..creatures).map(start).collect();
        introduce(&[mall.clone()], &all);
        let clock = Clock::start();
        all.iter().for_each(|c| send(c, Go));
        clock.stop(end.sum(1))
    }

    fn message_ubench(&self, pingers: u64, balls: u64, hops_each: u64, seed: u64) -> Outcome {
        let (report, end) = reports();
        let start = |own| {
            let report = report.clone();
            self.spawn(move |ctx| pinger(ctx, Random::new(seed + own), report.clone()))
        };
        let all: Vec<_> = (0..pingers).map(start).collect();
        introduce(&all, &all);
        let clock = Clock::start();
        for ball in 0..pingers * balls {
            send(&all[(ball % pingers) as usize], Ball(hops_each - 1));
        }
        clock.stop(end.sum(pingers * balls))
    }

    fn spawn_stop(&self, lives: u64, alive: u64) -> Outcome {
        let (report, end) = reports();
        let mother = self.spawn(move |ctx| mother(ctx, lives, alive, report.clone()));
        let clock = Clock::start();
        send(&mother, Go);
        clock.stop(end.sum(1))
    }

    fn tree(&self, n: u64) -> Outcome {
        let (report, end) = reports();
        let root = spawn_fib(&self.supervisor, n, Parent::Driver(report));
        let clock = Clock::start();
        send(&root, Go);
        clock.stop(end.sum(1))
    }

    fn skynet(&self, leaves: u64) -> Outcome {
        let (report, end) = reports();
        let root = spawn_sky(&self.supervisor, 0, leaves, Parent::Driver(report));
        let clock = Clock::start();
        send(&root, Go);
        clock.stop(end.sum(1))
    }

    fn idle(&self, actors: u64) -> Outcome {
        if actors * BYTES_AN_ACTOR > memory() {
            unsupported("so many actors take more memory than this machine has left");
        }
        self.stays.set(true);
        let census = Census::begin(actors);
        (1..=actors).for_each(|n| send(&self.spawn(idle), Count(n)));
        census.end()
    }

    fn ask(&self, asks: u64, window: u64) -> Outcome {
        let (report, end) = reports();
        let adder = self.spawn(adder).addr();
        let asker = self.spawn(move |ctx| asker(ctx, adder.clone(), asks, window, report.clone()));
        let clock = Clock::start();
        send(&asker, Go);
        clock.stop(end.sum(1))
    }

    fn paced_outside(&self, pace: &Arc<Pace>, actors: u64) -> Outcome {
        let to = self.paced(pace, actors);
        pace.outside(|i| send(&to[(i % actors) as usize], Count(i)))
    }

    fn paced_inside(&self, pace: &Arc<Pace>, actors: u64) -> Outcome {
        let to: Vec<_> = self.paced(pace, actors).iter().map(ChildRef::addr).collect();
        let pacer = Pacer::new(pace);
        let pacer = self.spawn(move |ctx| pacing(ctx, pacer.clone(), to.clone()));
        pace.inside(|| send(&pacer, Go))
    }
}
