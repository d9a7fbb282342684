// SPDX-License-Identifier: BSD-2-Clause
//! Riker: an actor has one type of messages, which can be cloned, and a name and a place in a tree.
use std::process::ExitCode;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, OnceLock};

use futures::executor::{ThreadPool, block_on};
use peer_contract::{
    About, Census, Clock, Colour, Idler, Outcome, Pace, Pacer, Peer, Random, Report, reports,
};
use riker::actors::*;
use slog::{Discard, Logger, o};

fn main() -> ExitCode {
    let lock = include_str!("../Cargo.lock");
    peer_contract::main::<Riker>(&About { name: "riker", beside: &["futures"], lock })
}

struct Riker {
    system: Option<ActorSystem>,
    names: AtomicU64,
}

/// What the arguments of an actor's factory make is the actor itself.
macro_rules! made_from_itself {
    ($actor:ty) => {
        impl ActorFactoryArgs<$actor> for $actor {
            fn create_args(actor: $actor) -> $actor {
                actor
            }
        }
    };
}

/// Names are unique among the children of an actor.
fn spawn<A>(on: &impl ActorRefFactory, name: u64, actor: A) -> ActorRef<A::Msg>
where
    A: Actor + ActorFactoryArgs<A> + ActorArgs,
{
    on.actor_of_args::<A, A>(&name.to_string(), actor).expect("the actor starts")
}

impl Riker {
    fn spawn<A>(&self, actor: A) -> ActorRef<A::Msg>
    where
        A: Actor + ActorFactoryArgs<A> + ActorArgs,
    {
        let system = self.system.as_ref().expect("the system runs");
        spawn(system, self.names.fetch_add(1, Ordering::Relaxed), actor)
    }

    fn paced(&self, pace: &Arc<Pace>, actors: u64) -> Vec<ActorRef<u64>> {
        (0..actors).map(|_| self.spawn(Paced(pace.clone()))).collect()
    }

    /// Actors that know all of each other.
    fn introduce<A>(&self, n: u64, actor: impl Fn(u64, Peers<A::Msg>) -> A) -> Peers<A::Msg>
    where
        A: Actor + ActorFactoryArgs<A> + ActorArgs,
    {
        let all = Peers::default();
        _ = all.set((0..n).map(|own| self.spawn(actor(own, all.clone()))).collect());
        all
    }
}

/// Actors that are started later.  A message cannot carry references to actors that take such messages:
/// whether it can be sent to another thread would depend on itself.
type Known<T> = Arc<OnceLock<T>>;

fn known<T>(later: &Known<T>) -> &T {
    later.get().expect("all are started before the first message")
}

type Peers<M> = Known<Vec<ActorRef<M>>>;

// ---- ping_pong ----

#[derive(Clone)]
struct Player {
    peer: Known<ActorRef<u64>>,
    had: u64,
    report: Report,
}

made_from_itself!(Player);

impl Actor for Player {
    type Msg = u64;

    fn recv(&mut self, _: &Context<u64>, hops: u64, _: Sender) {
        self.had += 1;
        match hops {
            0 => self.report.send(self.had),
            _ => known(&self.peer).tell(hops - 1, None),
        }
    }
}

// ---- one_way ----

#[derive(Clone, Debug)]
struct Credit;

#[derive(Clone)]
struct Producer {
    counter: Known<ActorRef<u64>>,
    sent: u64,
    window: u64,
}

made_from_itself!(Producer);

impl Actor for Producer {
    type Msg = Credit;

    fn recv(&mut self, _: &Context<Credit>, _: Credit, _: Sender) {
        for n in self.sent..self.sent + self.window {
            known(&self.counter).tell(n, None);
        }
        self.sent += self.window;
    }
}

#[derive(Clone)]
struct Counter {
    producer: ActorRef<Credit>,
    had: u64,
    sum: u64,
    messages: u64,
    window: u64,
    report: Report,
}

made_from_itself!(Counter);

impl Actor for Counter {
    type Msg = u64;

    fn recv(&mut self, _: &Context<u64>, n: u64, _: Sender) {
        self.had += 1;
        self.sum += n;
        if self.had == self.messages {
            self.report.send(self.sum);
        } else if self.had.is_multiple_of(self.window) {
            self.producer.tell(Credit, None);
        }
    }
}

// ---- thread_ring ----

#[derive(Clone)]
struct Link {
    ring: Peers<u64>,
    own: usize,
    report: Report,
}

made_from_itself!(Link);

impl Actor for Link {
    type Msg = u64;

    fn recv(&mut self, _: &Context<u64>, hops: u64, _: Sender) {
        let ring = known(&self.ring);
        match hops {
            0 => self.report.send(1),
            _ => ring[(self.own + 1) % ring.len()].tell(hops - 1, None),
        }
    }
}

// ---- fan_in ----

#[derive(Clone)]
struct Feeder {
    counter: ActorRef<u64>,
    own: u64,
    window: u64,
}

made_from_itself!(Feeder);

impl Actor for Feeder {
    type Msg = Credit;

    fn recv(&mut self, _: &Context<Credit>, _: Credit, _: Sender) {
        for _ in 0..self.window {
            self.counter.tell(self.own, None);
        }
    }
}

#[derive(Clone)]
struct FanCounter {
    feeders: Peers<Credit>,
    had: Vec<u64>,
    all: u64,
    each: u64,
    window: u64,
    report: Report,
}

made_from_itself!(FanCounter);

impl Actor for FanCounter {
    type Msg = u64;

    fn recv(&mut self, _: &Context<u64>, from: u64, _: Sender) {
        let end = self.each * self.had.len() as u64;
        let had = &mut self.had[from as usize];
        *had += 1;
        self.all += 1;
        if self.all == end {
            self.report.send(self.all);
        } else if had.is_multiple_of(self.window) && *had < self.each {
            known(&self.feeders)[from as usize].tell(Credit, None);
        }
    }
}

// ---- pairs ----

#[derive(Clone, Debug)]
enum FirstMessage {
    Go,
    Answer,
}

#[derive(Clone)]
struct First {
    second: Known<ActorRef<u64>>,
    answered: u64,
    each: u64,
    window: u64,
    report: Report,
}

made_from_itself!(First);

impl Actor for First {
    type Msg = FirstMessage;

    fn recv(&mut self, _: &Context<FirstMessage>, m: FirstMessage, _: Sender) {
        if let FirstMessage::Answer = m {
            self.answered += 1;
        }
        if self.answered == self.each {
            self.report.send(self.answered);
        } else if self.answered.is_multiple_of(self.window) {
            (0..self.window).for_each(|n| known(&self.second).tell(n, None));
        }
    }
}

#[derive(Clone)]
struct Second {
    first: ActorRef<FirstMessage>,
}

made_from_itself!(Second);

impl Actor for Second {
    type Msg = u64;

    fn recv(&mut self, _: &Context<u64>, _: u64, _: Sender) {
        self.first.tell(FirstMessage::Answer, None);
    }
}

// ---- big ----

#[derive(Clone, Debug)]
enum BigMessage {
    Go,
    Ping(u64),
    Pong,
}

#[derive(Clone)]
struct Big {
    all: Peers<BigMessage>,
    own: u64,
    random: Random,
    pongs: u64,
    pings: u64,
    report: Report,
}

made_from_itself!(Big);

impl Actor for Big {
    type Msg = BigMessage;

    fn recv(&mut self, _: &Context<BigMessage>, m: BigMessage, _: Sender) {
        let all = known(&self.all);
        match m {
            BigMessage::Ping(from) => return all[from as usize].tell(BigMessage::Pong, None),
            BigMessage::Pong => self.pongs += 1,
            BigMessage::Go => {}
        }
        if self.pongs < self.pings {
            let to = self.random.other(all.len() as u64, self.own);
            all[to as usize].tell(BigMessage::Ping(self.own), None);
        } else {
            self.report.send(self.pongs);
        }
    }
}

// ---- chameneos ----

#[derive(Clone, Debug)]
enum MallMessage {
    Ask(u32, Colour),
    Count(u64),
}

#[derive(Clone)]
struct Mall {
    creatures: Peers<CreatureMessage>,
    waiting: Option<(u32, Colour)>,
    left: u64,
    counted: usize,
    sum: u64,
    report: Report,
}

made_from_itself!(Mall);

impl Actor for Mall {
    type Msg = MallMessage;

    fn recv(&mut self, _: &Context<MallMessage>, m: MallMessage, _: Sender) {
        match m {
            MallMessage::Ask(who, _) if self.left == 0 => {
                known(&self.creatures)[who as usize].tell(CreatureMessage::Closed, None);
            }
            MallMessage::Ask(who, colour) => match self.waiting.take() {
                None => self.waiting = Some((who, colour)),
                Some((other, others)) => {
                    self.left -= 1;
                    known(&self.creatures)[other as usize].tell(CreatureMessage::Met(colour), None);
                    known(&self.creatures)[who as usize].tell(CreatureMessage::Met(others), None);
                }
            },
            MallMessage::Count(met) => {
                self.sum += met;
                self.counted += 1;
                if self.counted == known(&self.creatures).len() {
                    self.report.send(self.sum);
                }
            }
        }
    }
}

#[derive(Clone, Debug)]
enum CreatureMessage {
    Go,
    Met(Colour),
    Closed,
}

#[derive(Clone)]
struct Creature {
    mall: ActorRef<MallMessage>,
    own: u32,
    colour: Colour,
    met: u64,
}

made_from_itself!(Creature);

impl Actor for Creature {
    type Msg = CreatureMessage;

    fn recv(&mut self, _: &Context<CreatureMessage>, m: CreatureMessage, _: Sender) {
        match m {
            CreatureMessage::Go => {}
            CreatureMessage::Met(other) => {
                self.met += 1;
                self.colour = self.colour.complement(other);
            }
            CreatureMessage::Closed => {
                self.mall.tell(MallMessage::Count(self.met), None);
                return;
            }
        }
        self.mall.tell(MallMessage::Ask(self.own, self.colour), None);
    }
}

// ---- message_ubench ----

#[derive(Clone)]
struct Pinger {
    all: Peers<u64>,
    random: Random,
    report: Report,
}

made_from_itself!(Pinger);

impl Actor for Pinger {
    type Msg = u64;

    fn recv(&mut self, _: &Context<u64>, hops: u64, _: Sender) {
        let all = known(&self.all);
        match hops {
            0 => self.report.send(1),
            _ => all[self.random.below(all.len() as u64) as usize].tell(hops - 1, None),
        }
    }
}

// ---- spawn_stop ----

#[derive(Clone, Debug)]
enum MotherMessage {
    Go,
    Word,
}

#[derive(Clone)]
struct Mother {
    lives: u64,
    alive: u64,
    begun: u64,
    ended: u64,
    report: Report,
}

made_from_itself!(Mother);

impl Mother {
    fn begin(&mut self, ctx: &Context<MotherMessage>) {
        self.begun += 1;
        let child = Child { mother: ctx.myself() };
        spawn(ctx, self.begun, child).tell(1u64, None);
    }
}

impl Actor for Mother {
    type Msg = MotherMessage;

    fn recv(&mut self, ctx: &Context<MotherMessage>, m: MotherMessage, _: Sender) {
        match m {
            MotherMessage::Go => (0..self.alive).for_each(|_| self.begin(ctx)),
            MotherMessage::Word => {
                self.ended += 1;
                if self.begun < self.lives {
                    self.begin(ctx);
                } else if self.ended == self.lives {
                    self.report.send(self.ended);
                }
            }
        }
    }
}

#[derive(Clone)]
struct Child {
    mother: ActorRef<MotherMessage>,
}

made_from_itself!(Child);

impl Actor for Child {
    type Msg = u64;

    fn recv(&mut self, ctx: &Context<u64>, _: u64, _: Sender) {
        self.mother.tell(MotherMessage::Word, None);
        ctx.stop(ctx.myself());
    }
}

// ---- tree, skynet ----

#[derive(Clone)]
enum Parent {
    Node(ActorRef<u64>),
    Driver(Report),
}

impl Parent {
    fn tell(&self, value: u64) {
        match self {
            Parent::Node(node) => node.tell(value, None),
            Parent::Driver(report) => report.send(value),
        }
    }
}

#[derive(Clone)]
struct Fib {
    n: u64,
    parent: Parent,
    sum: u64,
    missing: u32,
}

made_from_itself!(Fib);

impl Actor for Fib {
    type Msg = u64;

    fn post_start(&mut self, ctx: &Context<u64>) {
        if self.n <= 2 {
            self.parent.tell(1);
            return ctx.stop(ctx.myself());
        }
        for n in [self.n - 1, self.n - 2] {
            spawn(ctx, n, Fib { n, parent: Parent::Node(ctx.myself()), sum: 0, missing: 2 });
        }
    }

    fn recv(&mut self, ctx: &Context<u64>, value: u64, _: Sender) {
        self.sum += value;
        self.missing -= 1;
        if self.missing == 0 {
            self.parent.tell(self.sum);
            ctx.stop(ctx.myself());
        }
    }
}

#[derive(Clone)]
struct Sky {
    first: u64,
    leaves: u64,
    parent: Parent,
    sum: u64,
    missing: u32,
}

made_from_itself!(Sky);

impl Actor for Sky {
    type Msg = u64;

    fn post_start(&mut self, ctx: &Context<u64>) {
        if self.leaves == 1 {
            self.parent.tell(self.first);
            return ctx.stop(ctx.myself());
        }
        let leaves = self.leaves / 10;
        for i in 0..10 {
            let (first, parent) = (self.first + i * leaves, Parent::Node(ctx.myself()));
            spawn(ctx, i, Sky { first, leaves, parent, sum: 0, missing: 10 });
        }
    }

    fn recv(&mut self, ctx: &Context<u64>, value: u64, _: Sender) {
        self.sum += value;
        self.missing -= 1;
        if self.missing == 0 {
            self.parent.tell(self.sum);
            ctx.stop(ctx.myself());
        }
    }
}

// ---- idle ----

#[derive(Clone)]
struct Idle(Idler);

made_from_itself!(Idle);

impl Actor for Idle {
    type Msg = u64;

    fn recv(&mut self, _: &Context<u64>, n: u64, _: Sender) {
        self.0.meet(n);
    }
}

#[derive(Clone)]
struct Nursery;

made_from_itself!(Nursery);

/// A thousand at a time, so that they start while others are spawned; the message is how many are left.
impl Actor for Nursery {
    type Msg = u64;

    fn recv(&mut self, ctx: &Context<u64>, left: u64, _: Sender) {
        let now = left.min(1000);
        for n in left - now..left {
            spawn(ctx, n, Idle(Idler::default())).tell(n, None);
        }
        if left > now {
            ctx.myself().tell(left - now, None);
        }
    }
}

// ---- ask: the way back is in the request ----

#[derive(Clone)]
struct Adder;

made_from_itself!(Adder);

impl Actor for Adder {
    type Msg = u64;

    fn recv(&mut self, _: &Context<u64>, n: u64, sender: Sender) {
        let asker = sender.expect("who asks is told");
        asker.try_tell(AskerMessage::Answer(n + 1), None).expect("who asks takes answers");
    }
}

#[derive(Clone, Debug)]
enum AskerMessage {
    Go,
    Answer(u64),
}

#[derive(Clone)]
struct Asker {
    adder: ActorRef<u64>,
    asked: u64,
    answered: u64,
    sum: u64,
    asks: u64,
    window: u64,
    report: Report,
}

made_from_itself!(Asker);

impl Asker {
    fn ask(&mut self, ctx: &Context<AskerMessage>) {
        if self.asked < self.asks {
            self.adder.tell(self.asked, Some(ctx.myself().into()));
            self.asked += 1;
        }
    }
}

impl Actor for Asker {
    type Msg = AskerMessage;

    fn recv(&mut self, ctx: &Context<AskerMessage>, m: AskerMessage, _: Sender) {
        match m {
            AskerMessage::Go => (0..self.window).for_each(|_| self.ask(ctx)),
            AskerMessage::Answer(n) => {
                self.answered += 1;
                self.sum += n;
                if self.answered == self.asks {
                    self.report.send(self.sum);
                }
                self.ask(ctx);
            }
        }
    }
}

// ---- paced_outside, paced_inside ----

#[derive(Clone)]
struct Paced(Arc<Pace>);

made_from_itself!(Paced);

impl Actor for Paced {
    type Msg = u64;

    fn recv(&mut self, _: &Context<u64>, i: u64, _: Sender) {
        self.0.note(i);
    }
}

#[derive(Clone, Debug)]
struct Look;

#[derive(Clone)]
struct PacingActor {
    pacer: Pacer,
    to: Vec<ActorRef<u64>>,
}

made_from_itself!(PacingActor);

impl Actor for PacingActor {
    type Msg = Look;

    fn recv(&mut self, ctx: &Context<Look>, _: Look, _: Sender) {
        if let Some(due) = self.pacer.look() {
            due.for_each(|i| tell(&self.to[i as usize % self.to.len()], i));
            // An actor takes up to 1000 messages a turn, so a future sends the next, from the pool's queue.
            let myself = ctx.myself();
            ctx.system.run(async move { myself.tell(Look, None) }).expect("the pool runs").forget();
        }
    }
}

// ---- the workloads ----

/// From the driving thread.
fn tell<M: riker::Message>(to: &ActorRef<M>, message: M) {
    to.tell(message, None);
}

impl Peer for Riker {
    fn start(workers: usize, _workload: &str) -> Self {
        let pool = ThreadPool::builder().pool_size(workers).create().expect("a thread pool");
        // Its own logger writes to standard output.
        let silent = Logger::root(Discard, o!());
        let system = SystemBuilder::new().name("peer").exec(pool).log(silent).create();
        Riker { system: Some(system.expect("the system starts")), names: AtomicU64::new(0) }
    }

    fn ping_pong(&self, hops: u64) -> Outcome {
        let (report, end) = reports();
        let peer = Known::default();
        let a = self.spawn(Player { peer: peer.clone(), had: 0, report: report.clone() });
        let first = Known::from(OnceLock::from(a.clone()));
        _ = peer.set(self.spawn(Player { peer: first, had: 0, report }));
        let clock = Clock::start();
        tell(&a, hops - 1);
        clock.stop(end.sum(1))
    }

    fn one_way(&self, messages: u64, window: u64) -> Outcome {
        let (report, end) = reports();
        let counter = Known::default();
        let producer = self.spawn(Producer { counter: counter.clone(), sent: 0, window });
        let to = Counter { producer: producer.clone(), had: 0, sum: 0, messages, window, report };
        _ = counter.set(self.spawn(to));
        let clock = Clock::start();
        tell(&producer, Credit);
        clock.stop(end.sum(1))
    }

    fn thread_ring(&self, actors: u64, tokens: u64, hops_each: u64) -> Outcome {
        let (report, end) = reports();
        let ring =
            self.introduce(actors, |own, ring| Link { ring, own: own as usize, report: report.clone() });
        let clock = Clock::start();
        for t in 0..tokens {
            tell(&known(&ring)[(t * actors / tokens) as usize], hops_each - 1);
        }
        clock.stop(end.sum(tokens))
    }

    fn fan_in(&self, producers: u64, messages_each: u64, window: u64) -> Outcome {
        let (report, end) = reports();
        let (feeders, had) = (Peers::default(), vec![0; producers as usize]);
        let to = feeders.clone();
        let counter =
            self.spawn(FanCounter { feeders: to, had, all: 0, each: messages_each, window, report });
        let feeder = |own| self.spawn(Feeder { counter: counter.clone(), own, window });
        _ = feeders.set((0..producers).map(feeder).collect());
        let clock = Clock::start();
        known(&feeders).iter().for_each(|f| tell(f, Credit));
        clock.stop(end.sum(1))
    }

    fn pairs(&self, pairs: u64, each: u64, window: u64) -> Outcome {
        let (report, end) = reports();
        let pair = |_| {
            let second = Known::default();
            let first = First { second: second.clone(), answered: 0, each, window, report: report.clone() };
            let first = self.spawn(first);
            _ = second.set(self.spawn(Second { first: first.clone() }));
            first
        };
        let firsts: Vec<_> = (0..pairs).map(pair).collect();
        let clock = Clock::start();
        firsts.iter().for_each(|f| tell(f, FirstMessage::Go));
        clock.stop(end.sum(pairs))
    }

    fn big(&self, actors: u64, pings: u64, seed: u64) -> Outcome {
        let (report, end) = reports();
        let all = self.introduce(actors, |own, all| {
            let random = Random::new(seed + own);
            Big { all, own, random, pongs: 0, pings, report: report.clone() }
        });
        let clock = Clock::start();
        known(&all).iter().for_each(|a| tell(a, BigMessage::Go));
        clock.stop(end.sum(actors))
    }

    fn chameneos(&self, creatures: u64, meetings: u64) -> Outcome {
        let (report, end) = reports();
        let all = Peers::default();
        let (left, to) = (meetings, all.clone());
        let mall = self.spawn(Mall { creatures: to, waiting: None, left, counted: 0, sum: 0, report });
        let creature = |own| {
            let colour = Colour::of(own);
            self.spawn(Creature { mall: mall.clone(), own: own as u32, colour, met: 0 })
        };
        _ = all.set((0..creatures).map(creature).collect());
        let clock = Clock::start();
        known(&all).iter().for_each(|c| tell(c, CreatureMessage::Go));
        clock.stop(end.sum(1))
    }

    fn message_ubench(&self, pingers: u64, balls: u64, hops_each: u64, seed: u64) -> Outcome {
        let (report, end) = reports();
        let all = self.introduce(pingers, |own, all| Pinger {
            all,
            random: Random::new(seed + own),
            report: report.clone(),
        });
        let clock = Clock::start();
        for ball in 0..pingers * balls {
            tell(&known(&all)[(ball % pingers) as usize], hops_each - 1);
        }
        clock.stop(end.sum(pingers * balls))
    }

    fn spawn_stop(&self, lives: u64, alive: u64) -> Outcome {
        let (report, end) = reports();
        let mother = self.spawn(Mother { lives, alive, begun: 0, ended: 0, report });
        let clock = Clock::start();
        tell(&mother, MotherMessage::Go);
        clock.stop(end.sum(1))
    }

    fn tree(&self, n: u64) -> Outcome {
        let (report, end) = reports();
        let clock = Clock::start();
        self.spawn(Fib { n, parent: Parent::Driver(report), sum: 0, missing: 2 });
        clock.stop(end.sum(1))
    }

    fn skynet(&self, leaves: u64) -> Outcome {
        let (report, end) = reports();
        let clock = Clock::start();
        self.spawn(Sky { first: 0, leaves, parent: Parent::Driver(report), sum: 0, missing: 10 });
        clock.stop(end.sum(1))
    }

    fn idle(&self, actors: u64) -> Outcome {
        let nursery = self.spawn(Nursery);
        let census = Census::begin(actors);
        tell(&nursery, actors);
        census.end()
    }

    fn ask(&self, asks: u64, window: u64) -> Outcome {
        let (report, end) = reports();
        let adder = self.spawn(Adder);
        let asker = self.spawn(Asker { adder, asked: 0, answered: 0, sum: 0, asks, window, report });
        let clock = Clock::start();
        tell(&asker, AskerMessage::Go);
        clock.stop(end.sum(1))
    }

    fn paced_outside(&self, pace: &Arc<Pace>, actors: u64) -> Outcome {
        let to = self.paced(pace, actors);
        pace.outside(|i| tell(&to[(i % actors) as usize], i))
    }

    fn paced_inside(&self, pace: &Arc<Pace>, actors: u64) -> Outcome {
        let pacer = self.spawn(PacingActor { pacer: Pacer::new(pace), to: self.paced(pace, actors) });
        pace.inside(|| tell(&pacer, Look))
    }
}

impl Drop for Riker {
    fn drop(&mut self) {
        if let Some(system) = self.system.take() {
            block_on(system.shutdown()).expect("the system ends");
        }
    }
}
