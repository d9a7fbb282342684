// SPDX-License-Identifier: BSD-2-Clause
//! Xactor: Actix's API over async-std or Tokio.
use std::process::ExitCode;
use std::sync::{Arc, Mutex};

use futures::channel::oneshot;
use futures::executor::block_on;
use futures::{StreamExt, stream};
use peer_contract::{
    About, Census, Clock, Colour, Idler, Outcome, Pace, Pacer, Peer, Random, Report, reports,
};
use xactor::{Actor, Addr, Context, Handler, Message, message};

#[cfg(not(feature = "tuned"))]
use async_std::task::yield_now;
#[cfg(feature = "tuned")]
use tokio::task::yield_now;

#[cfg(feature = "tuned")]
type Runtime = peer_contract::Runtime;

/// async-std's threads, which are started at the first use and stay.
#[cfg(not(feature = "tuned"))]
struct Runtime;

#[cfg(not(feature = "tuned"))]
impl Runtime {
    fn start(workers: usize, _workload: &str, _slower: &[&str]) -> Self {
        // SAFETY: no other thread reads the environment: they start with the first actor, after the first call.
        unsafe { std::env::set_var("ASYNC_STD_THREAD_COUNT", workers.to_string()) };
        Runtime
    }

    fn enter(&self) -> Anywhere {
        Anywhere
    }
}

/// async-std spawns from any thread.
#[cfg(not(feature = "tuned"))]
struct Anywhere;

fn main() -> ExitCode {
    let lock = include_str!("../Cargo.lock");
    let beside = if peer_contract::TUNED { &["tokio"] } else { &["async-std"] };
    peer_contract::main::<Xactor>(&About { name: "xactor", beside, lock })
}

struct Xactor {
    runtime: Runtime,
    /// Dropped, it ends idle's actors.
    nursery: Mutex<Option<oneshot::Sender<()>>>,
}

async fn start<A: Actor>(actor: A) -> Addr<A> {
    actor.start().await.expect("the actor starts")
}

fn send<A: Handler<M>, M: Message<Result = ()>>(to: &Addr<A>, message: M) {
    to.send(message).expect("the actor is alive");
}

/// The address of an actor that was started later.
struct Meet<A>(Addr<A>);

impl<A: Actor> Message for Meet<A> {
    type Result = ();
}

/// The addresses of all actors of a kind.
struct Peers<A>(Arc<[Addr<A>]>);

impl<A: Actor> Message for Peers<A> {
    type Result = ();
}

// ---- ping_pong, thread_ring, message_ubench ----

/// A message that travels, with the hops it has left.
#[message]
struct Ball(u64);

struct Player {
    peer: Option<Addr<Player>>,
    had: u64,
    report: Report,
}

impl Actor for Player {}

#[async_trait::async_trait]
impl Handler<Meet<Player>> for Player {
    async fn handle(&mut self, _: &mut Context<Self>, Meet(peer): Meet<Player>) {
        self.peer = Some(peer);
    }
}

#[async_trait::async_trait]
impl Handler<Ball> for Player {
    async fn handle(&mut self, _: &mut Context<Self>, Ball(hops): Ball) {
        self.had += 1;
        match (&self.peer, hops) {
            (Some(peer), 1..) => send(peer, Ball(hops - 1)),
            _ => self.report.send(self.had),
        }
    }
}

struct Link {
    next: Option<Addr<Link>>,
    own: usize,
    report: Report,
}

impl Actor for Link {}

#[async_trait::async_trait]
impl Handler<Peers<Link>> for Link {
    async fn handle(&mut self, _: &mut Context<Self>, Peers(ring): Peers<Link>) {
        self.next = Some(ring[(self.own + 1) % ring.len()].clone());
    }
}

#[async_trait::async_trait]
impl Handler<Ball> for Link {
    async fn handle(&mut self, _: &mut Context<Self>, Ball(hops): Ball) {
        match (&self.next, hops) {
            (Some(next), 1..) => send(next, Ball(hops - 1)),
            _ => self.report.send(1),
        }
    }
}

struct Pinger {
    all: Arc<[Addr<Pinger>]>,
    random: Random,
    report: Report,
}

impl Actor for Pinger {}

#[async_trait::async_trait]
impl Handler<Peers<Pinger>> for Pinger {
    async fn handle(&mut self, _: &mut Context<Self>, Peers(all): Peers<Pinger>) {
        self.all = all;
    }
}

#[async_trait::async_trait]
impl Handler<Ball> for Pinger {
    async fn handle(&mut self, _: &mut Context<Self>, Ball(hops): Ball) {
        match hops {
            0 => self.report.send(1),
            _ => send(&self.all[self.random.below(self.all.len() as u64) as usize], Ball(hops - 1)),
        }
    }
}

// ---- one_way ----

#[message]
struct Credit;

#[message]
struct Count(u64);

struct Producer {
    counter: Option<Addr<Counter>>,
    sent: u64,
    window: u64,
}

impl Actor for Producer {}

#[async_trait::async_trait]
impl Handler<Meet<Counter>> for Producer {
    async fn handle(&mut self, _: &mut Context<Self>, Meet(counter): Meet<Counter>) {
        self.counter = Some(counter);
    }
}

#[async_trait::async_trait]
impl Handler<Credit> for Producer {
    async fn handle(&mut self, _: &mut Context<Self>, _: Credit) {
        let counter = self.counter.as_ref().expect("the counter is known");
        for n in self.sent..self.sent + self.window {
            send(counter, Count(n));
        }
        self.sent += self.window;
    }
}

struct Counter {
    producer: Addr<Producer>,
    had: u64,
    sum: u64,
    messages: u64,
    window: u64,
    report: Report,
}

impl Actor for Counter {}

#[async_trait::async_trait]
impl Handler<Count> for Counter {
    async fn handle(&mut self, _: &mut Context<Self>, Count(n): Count) {
        self.had += 1;
        self.sum += n;
        if self.had == self.messages {
            self.report.send(self.sum);
        } else if self.had.is_multiple_of(self.window) {
            send(&self.producer, Credit);
        }
    }
}

// ---- fan_in ----

struct Feeder {
    counter: Addr<FanCounter>,
    own: u64,
    window: u64,
}

impl Actor for Feeder {}

#[async_trait::async_trait]
impl Handler<Credit> for Feeder {
    async fn handle(&mut self, _: &mut Context<Self>, _: Credit) {
        for _ in 0..self.window {
            send(&self.counter, Count(self.own));
        }
    }
}

struct FanCounter {
    feeders: Arc<[Addr<Feeder>]>,
    had: Vec<u64>,
    all: u64,
    each: u64,
    window: u64,
    report: Report,
}

impl Actor for FanCounter {}

#[async_trait::async_trait]
impl Handler<Peers<Feeder>> for FanCounter {
    async fn handle(&mut self, _: &mut Context<Self>, Peers(feeders): Peers<Feeder>) {
        self.had = vec![0; feeders.len()];
        self.feeders = feeders;
    }
}

#[async_trait::async_trait]
impl Handler<Count> for FanCounter {
    async fn handle(&mut self, _: &mut Context<Self>, Count(from): Count) {
        let had = &mut self.had[from as usize];
        *had += 1;
        self.all += 1;
        if self.all == self.each * self.feeders.len() as u64 {
            self.report.send(self.all);
        } else if had.is_multiple_of(self.window) && *had < self.each {
            send(&self.feeders[from as usize], Credit);
        }
    }
}

// ---- pairs ----

#[message]
struct Go;

#[message]
struct Question(u64);

#[message]
struct Answer(u64);

struct First {
    second: Option<Addr<Second>>,
    answered: u64,
    each: u64,
    window: u64,
    report: Report,
}

impl Actor for First {}

#[async_trait::async_trait]
impl Handler<Meet<Second>> for First {
    async fn handle(&mut self, _: &mut Context<Self>, Meet(second): Meet<Second>) {
        self.second = Some(second);
    }
}

impl First {
    fn send_window(&self) {
        let second = self.second.as_ref().expect("the second is known");
        for n in 0..self.window {
            send(second, Question(n));
        }
    }
}

#[async_trait::async_trait]
impl Handler<Go> for First {
    async fn handle(&mut self, _: &mut Context<Self>, _: Go) {
        self.send_window();
    }
}

#[async_trait::async_trait]
impl Handler<Answer> for First {
    async fn handle(&mut self, _: &mut Context<Self>, Answer(n): Answer) {
        assert!(n < self.window);
        self.answered += 1;
        if self.answered == self.each {
            self.report.send(self.answered);
        } else if self.answered.is_multiple_of(self.window) {
            self.send_window();
        }
    }
}

struct Second {
    first: Addr<First>,
}

impl Actor for Second {}

#[async_trait::async_trait]
impl Handler<Question> for Second {
    async fn handle(&mut self, _: &mut Context<Self>, Question(n): Question) {
        send(&self.first, Answer(n));
    }
}

// ---- big ----

#[message]
struct Ping(u64);

#[message]
struct Pong;

struct Big {
    all: Arc<[Addr<Big>]>,
    own: u64,
    random: Random,
    pongs: u64,
    pings: u64,
    report: Report,
}

impl Actor for Big {}

impl Big {
    fn ping(&mut self) {
        let to = self.random.other(self.all.len() as u64, self.own);
        send(&self.all[to as usize], Ping(self.own));
    }
}

#[async_trait::async_trait]
impl Handler<Peers<Big>> for Big {
    async fn handle(&mut self, _: &mut Context<Self>, Peers(all): Peers<Big>) {
        self.all = all;
    }
}

#[async_trait::async_trait]
impl Handler<Go> for Big {
    async fn handle(&mut self, _: &mut Context<Self>, _: Go) {
        self.ping();
    }
}

#[async_trait::async_trait]
impl Handler<Ping> for Big {
    async fn handle(&mut self, _: &mut Context<Self>, Ping(from): Ping) {
        send(&self.all[from as usize], Pong);
    }
}

#[async_trait::async_trait]
impl Handler<Pong> for Big {
    async fn handle(&mut self, _: &mut Context<Self>, _: Pong) {
        self.pongs += 1;
        if self.pongs < self.pings {
            self.ping();
        } else {
            self.report.send(self.pongs);
        }
    }
}

// ---- chameneos ----

#[message]
struct Ask(u32, Colour);

#[message]
struct Met(Colour);

#[message]
struct Closed;

struct Mall {
    creatures: Arc<[Addr<Creature>]>,
    waiting: Option<Ask>,
    left: u64,
    counted: usize,
    sum: u64,
    report: Report,
}

impl Actor for Mall {}

#[async_trait::async_trait]
impl Handler<Peers<Creature>> for Mall {
    async fn handle(&mut self, _: &mut Context<Self>, Peers(creatures): Peers<Creature>) {
        self.creatures = creatures;
    }
}

#[async_trait::async_trait]
impl Handler<Ask> for Mall {
    async fn handle(&mut self, _: &mut Context<Self>, Ask(who, colour): Ask) {
        if self.left == 0 {
            send(&self.creatures[who as usize], Closed);
        } else if let Some(Ask(other, others)) = self.waiting.take() {
            self.left -= 1;
            send(&self.creatures[other as usize], Met(colour));
            send(&self.creatures[who as usize], Met(others));
        } else {
            self.waiting = Some(Ask(who, colour));
        }
    }
}

#[async_trait::async_trait]
impl Handler<Count> for Mall {
    async fn handle(&mut self, _: &mut Context<Self>, Count(met): Count) {
        self.sum += met;
        self.counted += 1;
        if self.counted == self.creatures.len() {
            self.report.send(self.sum);
        }
    }
}

struct Creature {
    mall: Addr<Mall>,
    own: u32,
    colour: Colour,
    met: u64,
}

impl Actor for Creature {}

#[async_trait::async_trait]
impl Handler<Go> for Creature {
    async fn handle(&mut self, _: &mut Context<Self>, _: Go) {
        send(&self.mall, Ask(self.own, self.colour));
    }
}

#[async_trait::async_trait]
impl Handler<Met> for Creature {
    async fn handle(&mut self, _: &mut Context<Self>, Met(other): Met) {
        self.met += 1;
        self.colour = self.colour.complement(other);
        send(&self.mall, Ask(self.own, self.colour));
    }
}

#[async_trait::async_trait]
impl Handler<Closed> for Creature {
    async fn handle(&mut self, _: &mut Context<Self>, _: Closed) {
        send(&self.mall, Count(self.met));
    }
}

// ---- spawn_stop ----

#[message]
struct Word;

struct Mother {
    lives: u64,
    alive: u64,
    begun: u64,
    ended: u64,
    report: Report,
}

impl Actor for Mother {}

impl Mother {
    async fn begin(&mut self, ctx: &mut Context<Self>) {
        self.begun += 1;
        send(&start(Child { mother: ctx.address() }).await, Count(1));
    }
}

#[async_trait::async_trait]
impl Handler<Go> for Mother {
    async fn handle(&mut self, ctx: &mut Context<Self>, _: Go) {
        for _ in 0..self.alive {
            self.begin(ctx).await;
        }
    }
}

#[async_trait::async_trait]
impl Handler<Word> for Mother {
    async fn handle(&mut self, ctx: &mut Context<Self>, _: Word) {
        self.ended += 1;
        if self.begun < self.lives {
            self.begin(ctx).await;
        } else if self.ended == self.lives {
            self.report.send(self.ended);
        }
    }
}

struct Child {
    mother: Addr<Mother>,
}

impl Actor for Child {}

#[async_trait::async_trait]
impl Handler<Count> for Child {
    async fn handle(&mut self, ctx: &mut Context<Self>, _: Count) {
        send(&self.mother, Word);
        ctx.stop(None);
    }
}

// ---- tree, skynet ----

#[message]
struct Value(u64);

enum Parent<A> {
    Node(Addr<A>),
    Driver(Report),
}

impl<A: Handler<Value>> Parent<A> {
    fn tell(&self, value: u64) {
        match self {
            Parent::Node(node) => send(node, Value(value)),
            Parent::Driver(report) => report.send(value),
        }
    }
}

struct Fib {
    n: u64,
    parent: Parent<Fib>,
    /// An actor whose addresses are dropped has none to give.
    children: Vec<Addr<Fib>>,
    sum: u64,
    missing: u32,
}

impl Fib {
    fn new(n: u64, parent: Parent<Fib>) -> Self {
        Fib { n, parent, children: vec![], sum: 0, missing: 2 }
    }
}

impl Actor for Fib {}

/// started() runs in the parent's task, which would build the tree alone.
#[async_trait::async_trait]
impl Handler<Go> for Fib {
    async fn handle(&mut self, ctx: &mut Context<Self>, _: Go) {
        if self.n <= 2 {
            self.parent.tell(1);
            return ctx.stop(None);
        }
        for n in [self.n - 1, self.n - 2] {
            let child = start(Fib::new(n, Parent::Node(ctx.address()))).await;
            send(&child, Go);
            self.children.push(child);
        }
    }
}

#[async_trait::async_trait]
impl Handler<Value> for Fib {
    async fn handle(&mut self, ctx: &mut Context<Self>, Value(value): Value) {
        self.sum += value;
        self.missing -= 1;
        if self.missing == 0 {
            self.parent.tell(self.sum);
            ctx.stop(None);
        }
    }
}

struct Sky {
    first: u64,
    leaves: u64,
    parent: Parent<Sky>,
    /// An actor whose addresses are dropped has none to give.
    children: Vec<Addr<Sky>>,
    sum: u64,
    missing: u32,
}

impl Sky {
    fn new(first: u64, leaves: u64, parent: Parent<Sky>) -> Self {
        Sky { first, leaves, parent, children: vec![], sum: 0, missing: 10 }
    }
}

impl Actor for Sky {}

#[async_trait::async_trait]
impl Handler<Go> for Sky {
    async fn handle(&mut self, ctx: &mut Context<Self>, _: Go) {
        if self.leaves == 1 {
            self.parent.tell(self.first);
            return ctx.stop(None);
        }
        let leaves = self.leaves / 10;
        for i in 0..10 {
            let child = Sky::new(self.first + i * leaves, leaves, Parent::Node(ctx.address()));
            let child = start(child).await;
            send(&child, Go);
            self.children.push(child);
        }
    }
}

#[async_trait::async_trait]
impl Handler<Value> for Sky {
    async fn handle(&mut self, ctx: &mut Context<Self>, Value(value): Value) {
        self.sum += value;
        self.missing -= 1;
        if self.missing == 0 {
            self.parent.tell(self.sum);
            ctx.stop(None);
        }
    }
}

// ---- idle ----

struct Idle(Idler);

impl Actor for Idle {}

#[async_trait::async_trait]
impl Handler<Count> for Idle {
    async fn handle(&mut self, _: &mut Context<Self>, Count(n): Count) {
        self.0.meet(n);
    }
}

/// After each thousand it waits, so that they start while others are spawned; an actor nobody knows stops.
async fn nursery(actors: u64, end: oneshot::Receiver<()>) {
    let mut known = Vec::with_capacity(actors as usize);
    for n in 1..=actors {
        let idle = start(Idle(Idler::default())).await;
        match n % 1000 {
            0 => idle.call(Count(n)).await.expect("the actor is alive"),
            _ => send(&idle, Count(n)),
        }
        known.push(idle);
    }
    _ = end.await;
}

// ---- ask ----

#[message(result = "u64")]
struct Add(u64);

struct Adder;

impl Actor for Adder {}

#[async_trait::async_trait]
impl Handler<Add> for Adder {
    async fn handle(&mut self, _: &mut Context<Self>, Add(n): Add) -> u64 {
        n + 1
    }
}

struct Asker {
    adder: Addr<Adder>,
    asks: u64,
    window: u64,
    report: Report,
}

impl Actor for Asker {}

/// There is no timeout in the API.
#[async_trait::async_trait]
impl Handler<Go> for Asker {
    async fn handle(&mut self, _: &mut Context<Self>, _: Go) {
        let adder = &self.adder;
        let mut sum = 0;
        if self.window == 1 {
            for n in 0..self.asks {
                sum += adder.call(Add(n)).await.expect("an answer");
            }
        } else {
            let answers = stream::iter(0..self.asks).map(|n| adder.call(Add(n)));
            let mut answers = answers.buffer_unordered(self.window as usize);
            while let Some(answer) = answers.next().await {
                sum += answer.expect("an answer");
            }
        }
        self.report.send(sum);
    }
}

// ---- paced_outside, paced_inside ----

struct Paced(Arc<Pace>);

impl Actor for Paced {}

#[async_trait::async_trait]
impl Handler<Count> for Paced {
    async fn handle(&mut self, _: &mut Context<Self>, Count(i): Count) {
        self.0.note(i);
    }
}

/// It yields: a message to itself would be taken in the same turn.
struct PacingActor {
    pacer: Pacer,
    to: Vec<Addr<Paced>>,
}

impl Actor for PacingActor {}

#[async_trait::async_trait]
impl Handler<Go> for PacingActor {
    async fn handle(&mut self, _: &mut Context<Self>, _: Go) {
        while let Some(due) = self.pacer.look() {
            for i in due {
                send(&self.to[i as usize % self.to.len()], Count(i));
            }
            yield_now().await;
        }
    }
}

// ---- the workloads ----

impl Xactor {
    /// From the driving thread.
    fn start<A: Actor>(&self, actor: A) -> Addr<A> {
        let _context = self.runtime.enter();
        block_on(start(actor))
    }

    fn paced(&self, pace: &Arc<Pace>, actors: u64) -> Vec<Addr<Paced>> {
        (0..actors).map(|_| self.start(Paced(pace.clone()))).collect()
    }
}

/// Tell actors of each other, and wait until they know.
fn introduce<A: Actor, B: Handler<Peers<A>>>(to: &[Addr<B>], all: &Arc<[Addr<A>]>) {
    for actor in to {
        block_on(actor.call(Peers(all.clone()))).expect("the actor is alive");
    }
}

impl Peer for Xactor {
    fn start(workers: usize, workload: &str) -> Self {
        Xactor { runtime: Runtime::start(workers, workload, &["tree", "skynet"]), nursery: Mutex::new(None) }
    }

    fn ping_pong(&self, hops: u64) -> Outcome {
        let (report, end) = reports();
        let a = self.start(Player { peer: None, had: 0, report: report.clone() });
        let b = self.start(Player { peer: Some(a.clone()), had: 0, report });
        block_on(a.call(Meet(b))).expect("the player is alive");
        let clock = Clock::start();
        send(&a, Ball(hops - 1));
        clock.stop(end.sum(1))
    }

    fn one_way(&self, messages: u64, window: u64) -> Outcome {
        let (report, end) = reports();
        let producer = self.start(Producer { counter: None, sent: 0, window });
        let counter = Counter { producer: producer.clone(), had: 0, sum: 0, messages, window, report };
        block_on(producer.call(Meet(self.start(counter)))).expect("the producer is alive");
        let clock = Clock::start();
        send(&producer, Credit);
        clock.stop(end.sum(1))
    }

    fn thread_ring(&self, actors: u64, tokens: u64, hops_each: u64) -> Outcome {
        let (report, end) = reports();
        let link = |own| self.start(Link { next: None, own: own as usize, report: report.clone() });
        let ring: Arc<[_]> = (0..actors).map(link).collect();
        introduce(&ring, &ring);
        let clock = Clock::start();
        for t in 0..tokens {
            send(&ring[(t * actors / tokens) as usize], Ball(hops_each - 1));
        }
        clock.stop(end.sum(tokens))
    }

    fn fan_in(&self, producers: u64, messages_each: u64, window: u64) -> Outcome {
        let (report, end) = reports();
        let (feeders, had) = (Arc::default(), vec![]);
        let counter = FanCounter { feeders, had, all: 0, each: messages_each, window, report };
        let counter = self.start(counter);
        let feeder = |own| self.start(Feeder { counter: counter.clone(), own, window });
        let feeders: Arc<[_]> = (0..producers).map(feeder).collect();
        introduce(&[counter], &feeders);
        let clock = Clock::start();
        feeders.iter().for_each(|f| send(f, Credit));
        clock.stop(end.sum(1))
    }

    fn pairs(&self, pairs: u64, each: u64, window: u64) -> Outcome {
        let (report, end) = reports();
        let pair = |_| {
            let first = First { second: None, answered: 0, each, window, report: report.clone() };
            let first = self.start(first);
            let second = self.start(Second { first: first.clone() });
            block_on(first.call(Meet(second))).expect("the first is alive");
            first
        };
        let firsts: Vec<_> = (0..pairs).map(pair).collect();
        let clock = Clock::start();
        firsts.iter().for_each(|f| send(f, Go));
        clock.stop(end.sum(pairs))
    }

    fn big(&self, actors: u64, pings: u64, seed: u64) -> Outcome {
        let (report, end) = reports();
        let actor = |own| {
            let (all, random) = (Arc::default(), Random::new(seed + own));
            self.start(Big { all, own, random, pongs: 0, pings, report: report.clone() })
        };
        let all: Arc<[_]> = (0..actors).map(actor).collect();
        introduce(&all, &all);
        let clock = Clock::start();
        all.iter().for_each(|a| send(a, Go));
        clock.stop(end.sum(actors))
    }

    fn chameneos(&self, creatures: u64, meetings: u64) -> Outcome {
        let (report, end) = reports();
        let nobody = Arc::default();
        let mall = Mall { creatures: nobody, waiting: None, left: meetings, counted: 0, sum: 0, report };
        let mall = self.start(mall);
        let creature = |own| {
            let colour = Colour::of(own);
            self.start(Creature { mall: mall.clone(), own: own as u32, colour, met: 0 })
        };
        let all: Arc<[_]> = (0..creatures).map(creature).collect();
        introduce(&[mall], &all);
        let clock = Clock::start();
        all.iter().for_each(|c| send(c, Go));
        clock.stop(end.sum(1))
    }

    fn message_ubench(&self, pingers: u64, balls: u64, hops_each: u64, seed: u64) -> Outcome {
        let (report, end) = reports();
        let pinger = |own| {
            let (all, random) = (Arc::default(), Random::new(seed + own));
            self.start(Pinger { all, random, report: report.clone() })
        };
        let all: Arc<[_]> = (0..pingers).map(pinger).collect();
        introduce(&all, &all);
        let clock = Clock::start();
        for ball in 0..pingers * balls {
            send(&all[(ball % pingers) as usize], Ball(hops_each - 1));
        }
        clock.stop(end.sum(pingers * balls))
    }

    fn spawn_stop(&self, lives: u64, alive: u64) -> Outcome {
        let (report, end) = reports();
        let mother = self.start(Mother { lives, alive, begun: 0, ended: 0, report });
        let clock = Clock::start();
        send(&mother, Go);
        clock.stop(end.sum(1))
    }

    fn tree(&self, n: u64) -> Outcome {
        let (report, end) = reports();
        let root = self.start(Fib::new(n, Parent::Driver(report)));
        let clock = Clock::start();
        send(&root, Go);
        clock.stop(end.sum(1))
    }

    fn skynet(&self, leaves: u64) -> Outcome {
        let (report, end) = reports();
        let root = self.start(Sky::new(0, leaves, Parent::Driver(report)));
        let clock = Clock::start();
        send(&root, Go);
        clock.stop(end.sum(1))
    }

    fn idle(&self, actors: u64) -> Outcome {
        let (ender, end) = oneshot::channel();
        let _context = self.runtime.enter();
        let census = Census::begin(actors);
        xactor::spawn(nursery(actors, end));
        *self.nursery.lock().expect("one thread") = Some(ender);
        census.end()
    }

    fn ask(&self, asks: u64, window: u64) -> Outcome {
        let (report, end) = reports();
        let adder = self.start(Adder);
        let asker = self.start(Asker { adder, asks, window, report });
        let clock = Clock::start();
        send(&asker, Go);
        clock.stop(end.sum(1))
    }

    fn paced_outside(&self, pace: &Arc<Pace>, actors: u64) -> Outcome {
        let to = self.paced(pace, actors);
        pace.outside(|i| send(&to[(i % actors) as usize], Count(i)))
    }

    fn paced_inside(&self, pace: &Arc<Pace>, actors: u64) -> Outcome {
        let pacer = self.start(PacingActor { pacer: Pacer::new(pace), to: self.paced(pace, actors) });
        pace.inside(|| send(&pacer, Go))
    }
}
