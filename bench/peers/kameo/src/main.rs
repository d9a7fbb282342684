// SPDX-License-Identifier: BSD-2-Clause
//! Kameo: an actor is its state; messages are types of their own, and tell() waits for room in the mailbox.
use std::convert::Infallible;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use futures_util::{StreamExt, stream};
use kameo::actor::PreparedActor;
use kameo::mailbox::{MailboxReceiver, MailboxSender};
use kameo::prelude::*;
use peer_contract::{
    About, Census, Clock, Colour, Idler, Outcome, Pace, Pacer, Peer, Random, Report, Runtime, TUNED, reports,
};

fn main() -> ExitCode {
    let lock = include_str!("../Cargo.lock");
    peer_contract::main::<Kameo>(&About { name: "kameo", beside: &["tokio"], lock })
}

struct Kameo(Runtime);

/// What spawn() takes by itself, or no bound.
fn new_mailbox<A: Actor>() -> (MailboxSender<A>, MailboxReceiver<A>) {
    if TUNED { mailbox::unbounded() } else { mailbox::bounded(64) }
}

/// Actors that wait for room in each other's mailboxes wait for ever; messages there can be at once.
fn in_flight(messages: u64) {
    if !TUNED && messages > 128 {
        peer_contract::unsupported(
            "mailboxes of 64, the default: full ones that send to each other never go on",
        );
    }
}

/// An actor whose address others can be told before it starts.
fn prepare<A: Actor>() -> (ActorRef<A>, PreparedActor<A>) {
    let prepared = A::prepare_with_mailbox(new_mailbox());
    (prepared.actor_ref().clone(), prepared)
}

fn prepare_all<A: Actor>(n: u64) -> (Arc<[ActorRef<A>]>, Vec<PreparedActor<A>>) {
    let (all, prepared): (Vec<_>, Vec<_>) = (0..n).map(|_| prepare()).unzip();
    (all.into(), prepared)
}

fn spawn<A: Actor>(args: A::Args) -> ActorRef<A> {
    A::spawn_with_mailbox(args, new_mailbox())
}

/// Without a bound there is nothing to wait for.
async fn tell<A: Message<M>, M: Send + 'static>(to: &ActorRef<A>, message: M) {
    let sent = match TUNED {
        true => to.tell(message).try_send(),
        false => to.tell(message).await,
    };
    assert!(sent.is_ok(), "the actor has ended");
}

/// The same from the driving thread.
fn post<A: Message<M>, M: Send + 'static>(to: &ActorRef<A>, message: M) {
    assert!(to.tell(message).blocking_send().is_ok(), "the actor has ended");
}

// ---- ping_pong, thread_ring, message_ubench ----

/// A message that travels, with the hops it has left.
struct Ball(u64);

#[derive(Actor)]
struct Player {
    peer: ActorRef<Player>,
    had: u64,
    report: Report,
}

impl Message<Ball> for Player {
    type Reply = ();

    async fn handle(&mut self, Ball(hops): Ball, _: &mut Context<Self, ()>) {
        self.had += 1;
        match hops {
            0 => self.report.send(self.had),
            _ => tell(&self.peer, Ball(hops - 1)).await,
        }
    }
}

#[derive(Actor)]
struct Link {
    next: ActorRef<Link>,
    report: Report,
}

impl Message<Ball> for Link {
    type Reply = ();

    async fn handle(&mut self, Ball(hops): Ball, _: &mut Context<Self, ()>) {
        match hops {
            0 => self.report.send(1),
            _ => tell(&self.next, Ball(hops - 1)).await,
        }
    }
}

#[derive(Actor)]
struct Pinger {
    all: Arc<[ActorRef<Pinger>]>,
    random: Random,
    report: Report,
}

impl Message<Ball> for Pinger {
    type Reply = ();

    async fn handle(&mut self, Ball(hops): Ball, _: &mut Context<Self, ()>) {
        let to = self.random.below(self.all.len() as u64);
        match hops {
            0 => self.report.send(1),
            _ => tell(&self.all[to as usize], Ball(hops - 1)).await,
        }
    }
}

// ---- one_way ----

struct Credit;

struct Count(u64);

#[derive(Actor)]
struct Producer {
    counter: ActorRef<Counter>,
    sent: u64,
    window: u64,
}

impl Message<Credit> for Producer {
    type Reply = ();

    async fn handle(&mut self, _: Credit, _: &mut Context<Self, ()>) {
        for n in self.sent..self.sent + self.window {
            tell(&self.counter, Count(n)).await;
        }
        self.sent += self.window;
    }
}

#[derive(Actor)]
struct Counter {
    producer: ActorRef<Producer>,
    had: u64,
    sum: u64,
    messages: u64,
    window: u64,
    report: Report,
}

impl Message<Count> for Counter {
    type Reply = ();

    async fn handle(&mut self, Count(n): Count, _: &mut Context<Self, ()>) {
        self.had += 1;
        self.sum += n;
        if self.had == self.messages {
            self.report.send(self.sum);
        } else if self.had.is_multiple_of(self.window) {
            tell(&self.producer, Credit).await;
        }
    }
}

// ---- fan_in ----

#[derive(Actor)]
struct Feeder {
    counter: ActorRef<FanCounter>,
    own: u64,
    window: u64,
}

impl Message<Credit> for Feeder {
    type Reply = ();

    async fn handle(&mut self, _: Credit, _: &mut Context<Self, ()>) {
        for _ in 0..self.window {
            tell(&self.counter, Count(self.own)).await;
        }
    }
}

#[derive(Actor)]
struct FanCounter {
    feeders: Arc<[ActorRef<Feeder>]>,
    had: Vec<u64>,
    all: u64,
    each: u64,
    window: u64,
    report: Report,
}

impl Message<Count> for FanCounter {
    type Reply = ();

    async fn handle(&mut self, Count(from): Count, _: &mut Context<Self, ()>) {
        let had = &mut self.had[from as usize];
        *had += 1;
        self.all += 1;
        if self.all == self.each * self.feeders.len() as u64 {
            self.report.send(self.all);
        } else if had.is_multiple_of(self.window) && *had < self.each {
            tell(&self.feeders[from as usize], Credit).await;
        }
    }
}

// ---- pairs ----

struct Go;

struct Question(u64);

struct Answer(u64);

#[derive(Actor)]
struct First {
    second: ActorRef<Second>,
    answered: u64,
    each: u64,
    window: u64,
    report: Report,
}

impl First {
    async fn send_window(&self) {
        for n in 0..self.window {
            tell(&self.second, Question(n)).await;
        }
    }
}

impl Message<Go> for First {
    type Reply = ();

    async fn handle(&mut self, _: Go, _: &mut Context<Self, ()>) {
        self.send_window().await;
    }
}

impl Message<Answer> for First {
    type Reply = ();

    async fn handle(&mut self, Answer(n): Answer, _: &mut Context<Self, ()>) {
        assert!(n < self.window);
        self.answered += 1;
        if self.answered == self.each {
            self.report.send(self.answered);
        } else if self.answered.is_multiple_of(self.window) {
            self.send_window().await;
        }
    }
}

#[derive(Actor)]
struct Second {
    first: ActorRef<First>,
}

impl Message<Question> for Second {
    type Reply = ();

    async fn handle(&mut self, Question(n): Question, _: &mut Context<Self, ()>) {
        tell(&self.first, Answer(n)).await;
    }
}

// ---- big ----

struct Ping(u64);

struct Pong;

#[derive(Actor)]
struct Big {
    all: Arc<[ActorRef<Big>]>,
    own: u64,
    random: Random,
    pongs: u64,
    pings: u64,
    report: Report,
}

impl Big {
    async fn ping(&mut self) {
        let to = self.random.other(self.all.len() as u64, self.own);
        tell(&self.all[to as usize], Ping(self.own)).await;
    }
}

impl Message<Go> for Big {
    type Reply = ();

    async fn handle(&mut self, _: Go, _: &mut Context<Self, ()>) {
        self.ping().await;
    }
}

impl Message<Ping> for Big {
    type Reply = ();

    async fn handle(&mut self, Ping(from): Ping, _: &mut Context<Self, ()>) {
        tell(&self.all[from as usize], Pong).await;
    }
}

impl Message<Pong> for Big {
    type Reply = ();

    async fn handle(&mut self, _: Pong, _: &mut Context<Self, ()>) {
        self.pongs += 1;
        if self.pongs < self.pings {
            self.ping().await;
        } else {
            self.report.send(self.pongs);
        }
    }
}

// ---- chameneos ----

struct Ask(u32, Colour);

struct Met(Colour);

struct Closed;

#[derive(Actor)]
struct Mall {
    creatures: Arc<[ActorRef<Creature>]>,
    waiting: Option<Ask>,
    left: u64,
    counted: usize,
    sum: u64,
    report: Report,
}

impl Message<Ask> for Mall {
    type Reply = ();

    async fn handle(&mut self, Ask(who, colour): Ask, _: &mut Context<Self, ()>) {
        if self.left == 0 {
            tell(&self.creatures[who as usize], Closed).await;
        } else if let Some(Ask(other, others)) = self.waiting.take() {
            self.left -= 1;
            tell(&self.creatures[other as usize], Met(colour)).await;
            tell(&self.creatures[who as usize], Met(others)).await;
        } else {
            self.waiting = Some(Ask(who, colour));
        }
    }
}

impl Message<Count> for Mall {
    type Reply = ();

    async fn handle(&mut self, Count(met): Count, _: &mut Context<Self, ()>) {
        self.sum += met;
        self.counted += 1;
        if self.counted == self.creatures.len() {
            self.report.send(self.sum);
        }
    }
}

#[derive(Actor)]
struct Creature {
    mall: ActorRef<Mall>,
    own: u32,
    colour: Colour,
    met: u64,
}

impl Message<Go> for Creature {
    type Reply = ();

    async fn handle(&mut self, _: Go, _: &mut Context<Self, ()>) {
        tell(&self.mall, Ask(self.own, self.colour)).await;
    }
}

impl Message<Met> for Creature {
    type Reply = ();

    async fn handle(&mut self, Met(other): Met, _: &mut Context<Self, ()>) {
        self.met += 1;
        self.colour = self.colour.complement(other);
        tell(&self.mall, Ask(self.own, self.colour)).await;
    }
}

impl Message<Closed> for Creature {
    type Reply = ();

    async fn handle(&mut self, _: Closed, _: &mut Context<Self, ()>) {
        tell(&self.mall, Count(self.met)).await;
    }
}

// ---- spawn_stop ----

struct Word;

#[derive(Actor)]
struct Mother {
    lives: u64,
    alive: u64,
    begun: u64,
    ended: u64,
    report: Report,
}

impl Mother {
    async fn begin(&mut self, myself: &ActorRef<Mother>) {
        self.begun += 1;
        let child = spawn::<Child>(Child { mother: myself.clone() });
        tell(&child, Count(1)).await;
    }
}

impl Message<Go> for Mother {
    type Reply = ();

    async fn handle(&mut self, _: Go, ctx: &mut Context<Self, ()>) {
        for _ in 0..self.alive {
            self.begin(ctx.actor_ref()).await;
        }
    }
}

impl Message<Word> for Mother {
    type Reply = ();

    async fn handle(&mut self, _: Word, ctx: &mut Context<Self, ()>) {
        self.ended += 1;
        if self.begun < self.lives {
            self.begin(ctx.actor_ref()).await;
        } else if self.ended == self.lives {
            self.report.send(self.ended);
        }
    }
}

#[derive(Actor)]
struct Child {
    mother: ActorRef<Mother>,
}

impl Message<Count> for Child {
    type Reply = ();

    async fn handle(&mut self, _: Count, ctx: &mut Context<Self, ()>) {
        tell(&self.mother, Word).await;
        ctx.stop();
    }
}

// ---- tree, skynet ----

struct Value(u64);

enum Parent<A: Actor> {
    Node(ActorRef<A>),
    Driver(Report),
}

impl<A: Message<Value>> Parent<A> {
    async fn tell(&self, value: u64) {
        match self {
            Parent::Node(node) => tell(node, Value(value)).await,
            Parent::Driver(report) => report.send(value),
        }
    }
}

struct Fib {
    parent: Parent<Fib>,
    sum: u64,
    missing: u32,
}

impl Actor for Fib {
    type Args = (u64, Parent<Fib>);
    type Error = Infallible;

    async fn on_start((n, parent): Self::Args, myself: ActorRef<Self>) -> Result<Self, Infallible> {
        if n <= 2 {
            parent.tell(1).await;
            _ = myself.stop_gracefully().await;
        } else {
            spawn::<Fib>((n - 1, Parent::Node(myself.clone())));
            spawn::<Fib>((n - 2, Parent::Node(myself)));
        }
        Ok(Fib { parent, sum: 0, missing: 2 })
    }
}

impl Message<Value> for Fib {
    type Reply = ();

    async fn handle(&mut self, Value(value): Value, ctx: &mut Context<Self, ()>) {
        self.sum += value;
        self.missing -= 1;
        if self.missing == 0 {
            self.parent.tell(self.sum).await;
            ctx.stop();
        }
    }
}

struct Sky {
    parent: Parent<Sky>,
    sum: u64,
    missing: u32,
}

impl Actor for Sky {
    type Args = (u64, u64, Parent<Sky>);
    type Error = Infallible;

    async fn on_start(
        (first, leaves, parent): Self::Args,
        myself: ActorRef<Self>,
    ) -> Result<Self, Infallible> {
        if leaves == 1 {
            parent.tell(first).await;
            _ = myself.stop_gracefully().await;
        } else {
            let leaves = leaves / 10;
            for i in 0..10 {
                spawn::<Sky>((first + i * leaves, leaves, Parent::Node(myself.clone())));
            }
        }
        Ok(Sky { parent, sum: 0, missing: 10 })
    }
}

impl Message<Value> for Sky {
    type Reply = ();

    async fn handle(&mut self, Value(value): Value, ctx: &mut Context<Self, ()>) {
        self.sum += value;
        self.missing -= 1;
        if self.missing == 0 {
            self.parent.tell(self.sum).await;
            ctx.stop();
        }
    }
}

// ---- idle ----

#[derive(Actor)]
struct Idle(Idler);

impl Message<Count> for Idle {
    type Reply = ();

    async fn handle(&mut self, Count(n): Count, _: &mut Context<Self, ()>) {
        self.0.meet(n);
    }
}

/// A thousand at a time, so that they start while others are spawned; an actor nobody knows stops.
async fn nursery(actors: u64) {
    let mut known = Vec::with_capacity(actors as usize);
    for n in 1..=actors {
        let idle = spawn::<Idle>(Idle(Idler::default()));
        tell(&idle, Count(n)).await;
        known.push(idle);
        if n % 1000 == 0 {
            tokio::task::yield_now().await;
        }
    }
    std::future::pending::<()>().await;
    drop(known);
}

// ---- ask ----

struct Add(u64);

#[derive(Actor)]
struct Adder;

impl Message<Add> for Adder {
    type Reply = u64;

    async fn handle(&mut self, Add(n): Add, _: &mut Context<Self, u64>) -> u64 {
        n + 1
    }
}

#[derive(Actor)]
struct Asker {
    adder: ActorRef<Adder>,
    asks: u64,
    window: u64,
    report: Report,
}

async fn ask(adder: &ActorRef<Adder>, n: u64) -> u64 {
    let answer = adder.ask(Add(n)).reply_timeout(Duration::from_secs(10)).await;
    answer.expect("an answer within 10 s")
}

impl Message<Go> for Asker {
    type Reply = ();

    async fn handle(&mut self, _: Go, _: &mut Context<Self, ()>) {
        let adder = &self.adder;
        let mut sum = 0;
        if self.window == 1 {
            for n in 0..self.asks {
                sum += ask(adder, n).await;
            }
        } else {
            let answers = stream::iter(0..self.asks).map(|n| ask(adder, n));
            let mut answers = answers.buffer_unordered(self.window as usize);
            while let Some(answer) = answers.next().await {
                sum += answer;
            }
        }
        self.report.send(sum);
    }
}

// ---- paced_outside, paced_inside ----

#[derive(Actor)]
struct Paced(Arc<Pace>);

impl Message<Count> for Paced {
    type Reply = ();

    async fn handle(&mut self, Count(i): Count, _: &mut Context<Self, ()>) {
        self.0.note(i);
    }
}

/// It yields: a message to itself would be taken in the same turn, until Tokio's budget is used up.
#[derive(Actor)]
struct PacingActor {
    pacer: Pacer,
    to: Vec<ActorRef<Paced>>,
}

impl Message<Go> for PacingActor {
    type Reply = ();

    async fn handle(&mut self, _: Go, _: &mut Context<Self, ()>) {
        while let Some(due) = self.pacer.look() {
            for i in due {
                tell(&self.to[i as usize % self.to.len()], Count(i)).await;
            }
            tokio::task::yield_now().await;
        }
    }
}

fn paced_actors(pace: &Arc<Pace>, actors: u64) -> Vec<ActorRef<Paced>> {
    (0..actors).map(|_| spawn::<Paced>(Paced(pace.clone()))).collect()
}

// ---- the workloads ----

impl Peer for Kameo {
    fn start(workers: usize, workload: &str) -> Self {
        Kameo(Runtime::start(workers, workload, &["tree", "skynet"]))
    }

    fn ping_pong(&self, hops: u64) -> Outcome {
        let _context = self.0.enter();
        let (report, end) = reports();
        let (a, player) = prepare();
        let peer = spawn::<Player>(Player { peer: a.clone(), had: 0, report: report.clone() });
        player.spawn(Player { peer, had: 0, report });
        let clock = Clock::start();
        post(&a, Ball(hops - 1));
        clock.stop(end.sum(1))
    }

    fn one_way(&self, messages: u64, window: u64) -> Outcome {
        let _context = self.0.enter();
        let (report, end) = reports();
        let (producer, prepared) = prepare::<Producer>();
        let counter = Counter { producer: producer.clone(), had: 0, sum: 0, messages, window, report };
        prepared.spawn(Producer { counter: spawn(counter), sent: 0, window });
        let clock = Clock::start();
        post(&producer, Credit);
        clock.stop(end.sum(1))
    }

    fn thread_ring(&self, actors: u64, tokens: u64, hops_each: u64) -> Outcome {
        in_flight(tokens / actors);
        let _context = self.0.enter();
        let (report, end) = reports();
        let (ring, prepared) = prepare_all::<Link>(actors);
        for (i, link) in prepared.into_iter().enumerate() {
            link.spawn(Link { next: ring[(i + 1) % ring.len()].clone(), report: report.clone() });
        }
        let clock = Clock::start();
        for t in 0..tokens {
            post(&ring[(t * actors / tokens) as usize], Ball(hops_each - 1));
        }
        clock.stop(end.sum(tokens))
    }

    fn fan_in(&self, producers: u64, messages_each: u64, window: u64) -> Outcome {
        let _context = self.0.enter();
        let (report, end) = reports();
        let (feeders, prepared) = prepare_all::<Feeder>(producers);
        let had = vec![0; feeders.len()];
        let counter =
            FanCounter { feeders: feeders.clone(), had, all: 0, each: messages_each, window, report };
        let counter: ActorRef<FanCounter> = spawn(counter);
        for (own, feeder) in (0..).zip(prepared) {
            feeder.spawn(Feeder { counter: counter.clone(), own, window });
        }
        let clock = Clock::start();
        feeders.iter().for_each(|f| post(f, Credit));
        clock.stop(end.sum(1))
    }

    fn pairs(&self, pairs: u64, each: u64, window: u64) -> Outcome {
        in_flight(window);
        let _context = self.0.enter();
        let (report, end) = reports();
        let pair = |_| {
            let (first, prepared) = prepare::<First>();
            let second = spawn(Second { first: first.clone() });
            prepared.spawn(First { second, answered: 0, each, window, report: report.clone() });
            first
        };
        let firsts: Vec<_> = (0..pairs).map(pair).collect();
        let clock = Clock::start();
        firsts.iter().for_each(|f| post(f, Go));
        clock.stop(end.sum(pairs))
    }

    fn big(&self, actors: u64, pings: u64, seed: u64) -> Outcome {
        in_flight(actors);
        let _context = self.0.enter();
        let (report, end) = reports();
        let (all, prepared) = prepare_all::<Big>(actors);
        for (own, big) in (0..).zip(prepared) {
            let (all, random) = (all.clone(), Random::new(seed + own));
            big.spawn(Big { all, own, random, pongs: 0, pings, report: report.clone() });
        }
        let clock = Clock::start();
        all.iter().for_each(|a| post(a, Go));
        clock.stop(end.sum(actors))
    }

    fn chameneos(&self, creatures: u64, meetings: u64) -> Outcome {
        let _context = self.0.enter();
        let (report, end) = reports();
        let (all, prepared) = prepare_all::<Creature>(creatures);
        let mall = Mall { creatures: all.clone(), waiting: None, left: meetings, counted: 0, sum: 0, report };
        let mall: ActorRef<Mall> = spawn(mall);
        for (own, creature) in (0..).zip(prepared) {
            let colour = Colour::of(own);
            creature.spawn(Creature { mall: mall.clone(), own: own as u32, colour, met: 0 });
        }
        let clock = Clock::start();
        all.iter().for_each(|c| post(c, Go));
        clock.stop(end.sum(1))
    }

    fn message_ubench(&self, pingers: u64, balls: u64, hops_each: u64, seed: u64) -> Outcome {
        in_flight(pingers * balls);
        let _context = self.0.enter();
        let (report, end) = reports();
        let (all, prepared) = prepare_all::<Pinger>(pingers);
        for (own, pinger) in (0..).zip(prepared) {
            let random = Random::new(seed + own);
            pinger.spawn(Pinger { all: all.clone(), random, report: report.clone() });
        }
        let clock = Clock::start();
        for ball in 0..pingers * balls {
            post(&all[(ball % pingers) as usize], Ball(hops_each - 1));
        }
        clock.stop(end.sum(pingers * balls))
    }

    fn spawn_stop(&self, lives: u64, alive: u64) -> Outcome {
        let _context = self.0.enter();
        let (report, end) = reports();
        let mother = spawn::<Mother>(Mother { lives, alive, begun: 0, ended: 0, report });
        let clock = Clock::start();
        post(&mother, Go);
        clock.stop(end.sum(1))
    }

    fn tree(&self, n: u64) -> Outcome {
        let _context = self.0.enter();
        let (report, end) = reports();
        let clock = Clock::start();
        spawn::<Fib>((n, Parent::Driver(report)));
        clock.stop(end.sum(1))
    }

    fn skynet(&self, leaves: u64) -> Outcome {
        let _context = self.0.enter();
        let (report, end) = reports();
        let clock = Clock::start();
        spawn::<Sky>((0, leaves, Parent::Driver(report)));
        clock.stop(end.sum(1))
    }

    fn idle(&self, actors: u64) -> Outcome {
        let census = Census::begin(actors);
        self.0.spawn(nursery(actors));
        census.end()
    }

    fn ask(&self, asks: u64, window: u64) -> Outcome {
        let _context = self.0.enter();
        let (report, end) = reports();
        let adder = spawn(Adder);
        let asker = spawn::<Asker>(Asker { adder, asks, window, report });
        let clock = Clock::start();
        post(&asker, Go);
        clock.stop(end.sum(1))
    }

    fn paced_outside(&self, pace: &Arc<Pace>, actors: u64) -> Outcome {
        let _context = self.0.enter();
        let to = paced_actors(pace, actors);
        pace.outside(|i| post(&to[(i % actors) as usize], Count(i)))
    }

    fn paced_inside(&self, pace: &Arc<Pace>, actors: u64) -> Outcome {
        let _context = self.0.enter();
        let to = paced_actors(pace, actors);
        let pacer = spawn::<PacingActor>(PacingActor { pacer: Pacer::new(pace), to });
        pace.inside(|| post(&pacer, Go))
    }
}
