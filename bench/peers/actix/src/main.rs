// SPDX-License-Identifier: BSD-2-Clause
//! Actix: typed actors in arbiters, which are threads with an event loop each.  do_send() is what its
//! documentation has for messages that want no answer, send() for those that do.
use std::cell::RefCell;
use std::ops::Range;
use std::process::ExitCode;
use std::rc::Rc;
use std::sync::{Arc, mpsc};
use std::thread::JoinHandle;
use std::time::Duration;

use actix::dev::ToEnvelope;
use actix::prelude::*;
use actix_rt::task::yield_now;
use futures::executor::block_on;
use futures::future::join_all;
use peer_contract::{
    About, Census, Clock, Colour, Idler, Outcome, Pace, Pacer, Peer, Random, Report, TUNED, reports,
};

fn main() -> ExitCode {
    let lock = include_str!("../Cargo.lock");
    peer_contract::main::<Actix>(&About { name: "actix", beside: &["actix-rt", "tokio"], lock })
}

/// A system in a thread of its own, which is its first arbiter, and more arbiters beside it.
struct Actix {
    arbiters: Arc<[ArbiterHandle]>,
    system: System,
    thread: Option<JoinHandle<()>>,
}

impl Actix {
    /// Where the i-th of independent actors goes, and those that it talks to.
    fn on(&self, i: u64) -> &ArbiterHandle {
        &self.arbiters[i as usize % self.arbiters.len()]
    }

    /// Receiver i goes where the place(i)-th of independent actors would.
    fn paced(&self, pace: &Arc<Pace>, actors: u64, place: impl Fn(u64) -> u64) -> Arc<[Addr<Paced>]> {
        let actor = |i| {
            let paced = Paced(pace.clone());
            Paced::start_in_arbiter(self.on(place(i)), |_| paced)
        };
        (0..actors).map(actor).collect()
    }

    /// Tell all actors of each other, wait until all arbiters have started theirs, and start the clock.
    fn introduce<A>(&self, all: &Arc<[Addr<A>]>) -> Clock
    where
        A: Handler<Peers<A>>,
        A::Context: ToEnvelope<A, Peers<A>>,
    {
        block_on(join_all(all.iter().map(|a| a.send(Peers(all.clone())))));
        self.ready()
    }

    /// Wait until all arbiters have started their actors, and start the clock.
    fn ready(&self) -> Clock {
        let (done, all) = mpsc::channel();
        for arbiter in self.arbiters.iter() {
            let done = done.clone();
            arbiter.spawn_fn(move || _ = done.send(()));
        }
        self.arbiters.iter().for_each(|_| all.recv().expect("the arbiters run"));
        Clock::start()
    }
}

/// The addresses of all actors of a kind.
#[derive(Message)]
#[rtype(result = "()")]
struct Peers<A: Actor>(Arc<[Addr<A>]>);

// ---- ping_pong, thread_ring, message_ubench ----

/// A message that travels, with the hops it has left.
#[derive(Message)]
#[rtype(result = "()")]
struct Ball(u64);

struct Player {
    peer: Addr<Player>,
    had: u64,
    report: Report,
}

impl Actor for Player {
    type Context = Context<Self>;
}

impl Handler<Ball> for Player {
    type Result = ();

    fn handle(&mut self, Ball(hops): Ball, _: &mut Context<Self>) {
        self.had += 1;
        match hops {
            0 => self.report.send(self.had),
            _ => self.peer.do_send(Ball(hops - 1)),
        }
    }
}

struct Link {
    next: Option<Addr<Link>>,
    own: usize,
    report: Report,
}

impl Actor for Link {
    type Context = Context<Self>;
}

impl Handler<Peers<Link>> for Link {
    type Result = ();

    fn handle(&mut self, Peers(ring): Peers<Link>, _: &mut Context<Self>) {
        self.next = Some(ring[(self.own + 1) % ring.len()].clone());
    }
}

impl Handler<Ball> for Link {
    type Result = ();

    fn handle(&mut self, Ball(hops): Ball, _: &mut Context<Self>) {
        match (&self.next, hops) {
            (Some(next), 1..) => next.do_send(Ball(hops - 1)),
            _ => self.report.send(1),
        }
    }
}

struct Pinger {
    all: Arc<[Addr<Pinger>]>,
    random: Random,
    report: Report,
}

impl Actor for Pinger {
    type Context = Context<Self>;
}

impl Handler<Peers<Pinger>> for Pinger {
    type Result = ();

    fn handle(&mut self, Peers(all): Peers<Pinger>, _: &mut Context<Self>) {
        self.all = all;
    }
}

impl Handler<Ball> for Pinger {
    type Result = ();

    fn handle(&mut self, Ball(hops): Ball, _: &mut Context<Self>) {
        match hops {
            0 => self.report.send(1),
            _ => self.all[self.random.below(self.all.len() as u64) as usize].do_send(Ball(hops - 1)),
        }
    }
}

// ---- one_way ----

#[derive(Message)]
#[rtype(result = "()")]
struct Credit;

#[derive(Message)]
#[rtype(result = "()")]
struct Count(u64);

struct Producer {
    counter: Addr<Counter>,
    sent: u64,
    window: u64,
}

impl Actor for Producer {
    type Context = Context<Self>;
}

impl Handler<Credit> for Producer {
    type Result = ();

    fn handle(&mut self, _: Credit, _: &mut Context<Self>) {
        for n in self.sent..self.sent + self.window {
            self.counter.do_send(Count(n));
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

impl Actor for Counter {
    type Context = Context<Self>;
}

impl Handler<Count> for Counter {
    type Result = ();

    fn handle(&mut self, Count(n): Count, _: &mut Context<Self>) {
        self.had += 1;
        self.sum += n;
        if self.had == self.messages {
            self.report.send(self.sum);
        } else if self.had.is_multiple_of(self.window) {
            self.producer.do_send(Credit);
        }
    }
}

// ---- fan_in ----

struct Feeder {
    counter: Addr<FanCounter>,
    own: u64,
    window: u64,
}

impl Actor for Feeder {
    type Context = Context<Self>;
}

impl Handler<Credit> for Feeder {
    type Result = ();

    fn handle(&mut self, _: Credit, _: &mut Context<Self>) {
        for _ in 0..self.window {
            self.counter.do_send(Count(self.own));
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

impl Actor for FanCounter {
    type Context = Context<Self>;
}

impl Handler<Peers<Feeder>> for FanCounter {
    type Result = ();

    fn handle(&mut self, Peers(feeders): Peers<Feeder>, _: &mut Context<Self>) {
        self.had = vec![0; feeders.len()];
        self.feeders = feeders;
    }
}

impl Handler<Count> for FanCounter {
    type Result = ();

    fn handle(&mut self, Count(from): Count, _: &mut Context<Self>) {
        let had = &mut self.had[from as usize];
        *had += 1;
        self.all += 1;
        if self.all == self.each * self.feeders.len() as u64 {
            self.report.send(self.all);
        } else if had.is_multiple_of(self.window) && *had < self.each {
            self.feeders[from as usize].do_send(Credit);
        }
    }
}

// ---- pairs ----

#[derive(Message)]
#[rtype(result = "()")]
struct Go;

#[derive(Message)]
#[rtype(result = "()")]
struct Question(u64);

#[derive(Message)]
#[rtype(result = "()")]
struct Answer(u64);

struct First {
    second: Addr<Second>,
    answered: u64,
    each: u64,
    window: u64,
    report: Report,
}

impl Actor for First {
    type Context = Context<Self>;
}

impl First {
    fn send_window(&self) {
        for n in 0..self.window {
            self.second.do_send(Question(n));
        }
    }
}

impl Handler<Go> for First {
    type Result = ();

    fn handle(&mut self, _: Go, _: &mut Context<Self>) {
        self.send_window();
    }
}

impl Handler<Answer> for First {
    type Result = ();

    fn handle(&mut self, Answer(n): Answer, _: &mut Context<Self>) {
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

impl Actor for Second {
    type Context = Context<Self>;
}

impl Handler<Question> for Second {
    type Result = ();

    fn handle(&mut self, Question(n): Question, _: &mut Context<Self>) {
        self.first.do_send(Answer(n));
    }
}

// ---- big ----

#[derive(Message)]
#[rtype(result = "()")]
struct Ping(u64);

#[derive(Message)]
#[rtype(result = "()")]
struct Pong;

struct Big {
    all: Arc<[Addr<Big>]>,
    own: u64,
    random: Random,
    pongs: u64,
    pings: u64,
    report: Report,
}

impl Actor for Big {
    type Context = Context<Self>;
}

impl Big {
    fn ping(&mut self) {
        let to = self.random.other(self.all.len() as u64, self.own);
        self.all[to as usize].do_send(Ping(self.own));
    }
}

impl Handler<Peers<Big>> for Big {
    type Result = ();

    fn handle(&mut self, Peers(all): Peers<Big>, _: &mut Context<Self>) {
        self.all = all;
    }
}

impl Handler<Go> for Big {
    type Result = ();

    fn handle(&mut self, _: Go, _: &mut Context<Self>) {
        self.ping();
    }
}

impl Handler<Ping> for Big {
    type Result = ();

    fn handle(&mut self, Ping(from): Ping, _: &mut Context<Self>) {
        self.all[from as usize].do_send(Pong);
    }
}

impl Handler<Pong> for Big {
    type Result = ();

    fn handle(&mut self, _: Pong, _: &mut Context<Self>) {
        self.pongs += 1;
        if self.pongs < self.pings {
            self.ping();
        } else {
            self.report.send(self.pongs);
        }
    }
}

// ---- chameneos ----

#[derive(Message)]
#[rtype(result = "()")]
struct Ask(u32, Colour);

#[derive(Message)]
#[rtype(result = "()")]
struct Met(Colour);

#[derive(Message)]
#[rtype(result = "()")]
struct Closed;

struct Mall {
    creatures: Arc<[Addr<Creature>]>,
    waiting: Option<Ask>,
    left: u64,
    counted: usize,
    sum: u64,
    report: Report,
}

impl Actor for Mall {
    type Context = Context<Self>;
}

impl Handler<Peers<Creature>> for Mall {
    type Result = ();

    fn handle(&mut self, Peers(creatures): Peers<Creature>, _: &mut Context<Self>) {
        self.creatures = creatures;
    }
}

impl Handler<Ask> for Mall {
    type Result = ();

    fn handle(&mut self, Ask(who, colour): Ask, _: &mut Context<Self>) {
        if self.left == 0 {
            self.creatures[who as usize].do_send(Closed);
        } else if let Some(Ask(other, others)) = self.waiting.take() {
            self.left -= 1;
            self.creatures[other as usize].do_send(Met(colour));
            self.creatures[who as usize].do_send(Met(others));
        } else {
            self.waiting = Some(Ask(who, colour));
        }
    }
}

impl Handler<Count> for Mall {
    type Result = ();

    fn handle(&mut self, Count(met): Count, _: &mut Context<Self>) {
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

impl Actor for Creature {
    type Context = Context<Self>;
}

impl Handler<Go> for Creature {
    type Result = ();

    fn handle(&mut self, _: Go, _: &mut Context<Self>) {
        self.mall.do_send(Ask(self.own, self.colour));
    }
}

impl Handler<Met> for Creature {
    type Result = ();

    fn handle(&mut self, Met(other): Met, _: &mut Context<Self>) {
        self.met += 1;
        self.colour = self.colour.complement(other);
        self.mall.do_send(Ask(self.own, self.colour));
    }
}

impl Handler<Closed> for Creature {
    type Result = ();

    fn handle(&mut self, _: Closed, _: &mut Context<Self>) {
        self.mall.do_send(Count(self.met));
    }
}

// ---- spawn_stop ----

#[derive(Message)]
#[rtype(result = "()")]
struct Word;

struct Mother {
    lives: u64,
    alive: u64,
    begun: u64,
    ended: u64,
    report: Report,
}

impl Actor for Mother {
    type Context = Context<Self>;
}

impl Mother {
    fn begin(&mut self, ctx: &mut Context<Self>) {
        self.begun += 1;
        Child { mother: ctx.address() }.start().do_send(Count(1));
    }
}

impl Handler<Go> for Mother {
    type Result = ();

    fn handle(&mut self, _: Go, ctx: &mut Context<Self>) {
        for _ in 0..self.alive {
            self.begin(ctx);
        }
    }
}

impl Handler<Word> for Mother {
    type Result = ();

    fn handle(&mut self, _: Word, ctx: &mut Context<Self>) {
        self.ended += 1;
        if self.begun < self.lives {
            self.begin(ctx);
        } else if self.ended == self.lives {
            self.report.send(self.ended);
        }
    }
}

struct Child {
    mother: Addr<Mother>,
}

impl Actor for Child {
    type Context = Context<Self>;
}

impl Handler<Count> for Child {
    type Result = ();

    fn handle(&mut self, _: Count, ctx: &mut Context<Self>) {
        self.mother.do_send(Word);
        ctx.stop();
    }
}

// ---- tree, skynet ----

#[derive(Message)]
#[rtype(result = "()")]
struct Value(u64);

enum Parent<A: Actor> {
    Node(Addr<A>),
    Driver(Report),
}

impl<A> Parent<A>
where
    A: Handler<Value>,
    A::Context: ToEnvelope<A, Value>,
{
    fn tell(&self, value: u64) {
        match self {
            Parent::Node(node) => node.do_send(Value(value)),
            Parent::Driver(report) => report.send(value),
        }
    }
}

/// Where a node of a tree starts its children.
#[derive(Clone)]
enum Place {
    Here,
    /// On all arbiters in turn, and so down to this depth.
    Spread(Arc<[ArbiterHandle]>, u32),
}

impl Place {
    fn start<A: Actor<Context = Context<A>> + Send>(&self, i: usize, make: impl FnOnce(Place) -> A) {
        match self {
            Place::Here | Place::Spread(_, 0) => _ = make(Place::Here).start(),
            Place::Spread(arbiters, depth) => {
                let child = make(Place::Spread(arbiters.clone(), depth - 1));
                A::start_in_arbiter(&arbiters[i % arbiters.len()], |_| child);
            }
        }
    }
}

struct Fib {
    n: u64,
    parent: Parent<Fib>,
    place: Place,
    sum: u64,
    missing: u32,
}

impl Fib {
    fn new(n: u64, parent: Parent<Fib>, place: Place) -> Self {
        Fib { n, parent, place, sum: 0, missing: 2 }
    }
}

impl Actor for Fib {
    type Context = Context<Self>;

    fn started(&mut self, ctx: &mut Context<Self>) {
        if self.n <= 2 {
            self.parent.tell(1);
            return ctx.stop();
        }
        for i in 0..2 {
            let parent = Parent::Node(ctx.address());
            self.place.start(i, |place| Fib::new(self.n - 1 - i as u64, parent, place));
        }
    }
}

impl Handler<Value> for Fib {
    type Result = ();

    fn handle(&mut self, Value(value): Value, ctx: &mut Context<Self>) {
        self.sum += value;
        self.missing -= 1;
        if self.missing == 0 {
            self.parent.tell(self.sum);
            ctx.stop();
        }
    }
}

struct Sky {
    first: u64,
    leaves: u64,
    parent: Parent<Sky>,
    place: Place,
    sum: u64,
    missing: u32,
}

impl Sky {
    fn new(first: u64, leaves: u64, parent: Parent<Sky>, place: Place) -> Self {
        Sky { first, leaves, parent, place, sum: 0, missing: 10 }
    }
}

impl Actor for Sky {
    type Context = Context<Self>;

    fn started(&mut self, ctx: &mut Context<Self>) {
        if self.leaves == 1 {
            self.parent.tell(self.first);
            return ctx.stop();
        }
        let leaves = self.leaves / 10;
        for i in 0..10 {
            let parent = Parent::Node(ctx.address());
            self.place.start(i, |place| Sky::new(self.first + i as u64 * leaves, leaves, parent, place));
        }
    }
}

impl Handler<Value> for Sky {
    type Result = ();

    fn handle(&mut self, Value(value): Value, ctx: &mut Context<Self>) {
        self.sum += value;
        self.missing -= 1;
        if self.missing == 0 {
            self.parent.tell(self.sum);
            ctx.stop();
        }
    }
}

// ---- idle ----

struct Idle(Idler);

impl Actor for Idle {
    type Context = Context<Self>;
}

impl Handler<Count> for Idle {
    type Result = ();

    fn handle(&mut self, Count(n): Count, _: &mut Context<Self>) {
        self.0.meet(n);
    }
}

/// A thousand at a time, so that they start while others are spawned; an actor without addresses stops.
async fn nursery(actors: u64) {
    let mut addresses = Vec::with_capacity(actors as usize);
    for n in 1..=actors {
        let idle = Idle(Idler::default()).start();
        idle.do_send(Count(n));
        addresses.push(idle);
        if n % 1000 == 0 {
            yield_now().await;
        }
    }
    std::future::pending::<()>().await;
    drop(addresses);
}

// ---- ask ----

#[derive(Message)]
#[rtype(result = "u64")]
struct Add(u64);

struct Adder;

impl Actor for Adder {
    type Context = Context<Self>;
}

impl Handler<Add> for Adder {
    type Result = u64;

    fn handle(&mut self, Add(n): Add, _: &mut Context<Self>) -> u64 {
        n + 1
    }
}

struct Asker {
    adder: Addr<Adder>,
    asks: u64,
    window: u64,
    report: Report,
}

impl Actor for Asker {
    type Context = Context<Self>;
}

/// One question at a time, as long as there are numbers.
async fn ask(adder: Addr<Adder>, numbers: Rc<RefCell<Range<u64>>>) -> u64 {
    let next = || numbers.borrow_mut().next();
    let mut sum = 0;
    while let Some(n) = next() {
        let answer = adder.send(Add(n)).timeout(Duration::from_secs(10)).await;
        sum += answer.expect("an answer within 10 s");
    }
    sum
}

/// As many tasks ask as may be in flight.
impl Handler<Go> for Asker {
    type Result = ResponseFuture<()>;

    fn handle(&mut self, _: Go, _: &mut Context<Self>) -> Self::Result {
        let numbers = Rc::new(RefCell::new(0..self.asks));
        let task = |_| actix::spawn(ask(self.adder.clone(), numbers.clone()));
        let tasks: Vec<_> = (0..self.window).map(task).collect();
        let report = self.report.clone();
        Box::pin(async move {
            let mut sum = 0;
            for task in tasks {
                sum += task.await.expect("a sum");
            }
            report.send(sum);
        })
    }
}

// ---- paced_outside, paced_inside ----

struct Paced(Arc<Pace>);

impl Actor for Paced {
    type Context = Context<Self>;
}

impl Handler<Count> for Paced {
    type Result = ();

    fn handle(&mut self, Count(i): Count, _: &mut Context<Self>) {
        self.0.note(i);
    }
}

/// It yields: a message to itself, by notify() too, would be handled before the others go on.
struct PacingActor {
    pacer: Pacer,
    to: Arc<[Addr<Paced>]>,
}

impl Actor for PacingActor {
    type Context = Context<Self>;
}

impl Handler<Go> for PacingActor {
    type Result = ResponseFuture<()>;

    fn handle(&mut self, _: Go, _: &mut Context<Self>) -> Self::Result {
        let (mut pacer, to) = (self.pacer.clone(), self.to.clone());
        Box::pin(async move {
            while let Some(due) = pacer.look() {
                due.for_each(|i| to[i as usize % to.len()].do_send(Count(i)));
                yield_now().await;
            }
        })
    }
}

// ---- the workloads ----

impl Peer for Actix {
    fn start(workers: usize, _workload: &str) -> Self {
        // Actor::start() stays in the arbiter it is called in, so that who does nothing has one thread.
        let more = if TUNED { workers - 1 } else { 0 };
        let (send, started) = mpsc::channel();
        let thread = std::thread::spawn(move || {
            let runner = System::new();
            let others: Vec<Arbiter> = (0..more).map(|_| Arbiter::new()).collect();
            let first = System::current().arbiter().clone();
            let handles = std::iter::once(first).chain(others.iter().map(|a| a.handle())).collect();
            send.send((handles, System::current())).expect("start() waits");
            runner.run().expect("the system stops without error");
            for arbiter in others {
                arbiter.stop();
                arbiter.join().expect("the arbiter ends");
            }
        });
        let (arbiters, system) = started.recv().expect("the system starts");
        Actix { arbiters, system, thread: Some(thread) }
    }

    fn ping_pong(&self, hops: u64) -> Outcome {
        let (report, end) = reports();
        let player = Player::start_in_arbiter(self.on(0), |ctx| {
            let peer = Player { peer: ctx.address(), had: 0, report: report.clone() }.start();
            Player { peer, had: 0, report }
        });
        let clock = self.ready();
        player.do_send(Ball(hops - 1));
        clock.stop(end.sum(1))
    }

    fn one_way(&self, messages: u64, window: u64) -> Outcome {
        let (report, end) = reports();
        let producer = Producer::start_in_arbiter(self.on(0), move |ctx| {
            let producer = ctx.address();
            let counter = Counter { producer, had: 0, sum: 0, messages, window, report }.start();
            Producer { counter, sent: 0, window }
        });
        let clock = self.ready();
        producer.do_send(Credit);
        clock.stop(end.sum(1))
    }

    fn thread_ring(&self, actors: u64, tokens: u64, hops_each: u64) -> Outcome {
        let (report, end) = reports();
        // An arc of the ring on each arbiter; a lone token would only wait for the other threads.
        let arcs = if tokens > 1 { self.arbiters.len() as u64 } else { 1 };
        let link = |own| {
            let report = report.clone();
            let arc = self.on(own * arcs / actors);
            Link::start_in_arbiter(arc, move |_| Link { next: None, own: own as usize, report })
        };
        let ring: Arc<[_]> = (0..actors).map(link).collect();
        let clock = self.introduce(&ring);
        for t in 0..tokens {
            ring[(t * actors / tokens) as usize].do_send(Ball(hops_each - 1));
        }
        clock.stop(end.sum(tokens))
    }

    fn fan_in(&self, producers: u64, messages_each: u64, window: u64) -> Outcome {
        let (report, end) = reports();
        let counter = FanCounter::start_in_arbiter(self.on(0), move |_| FanCounter {
            feeders: Arc::default(),
            had: vec![],
            all: 0,
            each: messages_each,
            window,
            report,
        });
        let feeder = |own| {
            let counter = counter.clone();
            Feeder::start_in_arbiter(self.on(own), move |_| Feeder { counter, own, window })
        };
        let feeders: Arc<[_]> = (0..producers).map(feeder).collect();
        block_on(counter.send(Peers(feeders.clone()))).expect("the counter runs");
        let clock = self.ready();
        feeders.iter().for_each(|f| f.do_send(Credit));
        clock.stop(end.sum(1))
    }

    fn pairs(&self, pairs: u64, each: u64, window: u64) -> Outcome {
        let (report, end) = reports();
        let pair = |i| {
            let report = report.clone();
            First::start_in_arbiter(self.on(i), move |ctx| {
                let second = Second { first: ctx.address() }.start();
                First { second, answered: 0, each, window, report }
            })
        };
        let firsts: Vec<_> = (0..pairs).map(pair).collect();
        let clock = self.ready();
        firsts.iter().for_each(|f| f.do_send(Go));
        clock.stop(end.sum(pairs))
    }

    fn big(&self, actors: u64, pings: u64, seed: u64) -> Outcome {
        let (report, end) = reports();
        let actor = |own| {
            let report = report.clone();
            Big::start_in_arbiter(self.on(own), move |_| Big {
                all: Arc::default(),
                own,
                random: Random::new(seed + own),
                pongs: 0,
                pings,
                report,
            })
        };
        let all: Arc<[_]> = (0..actors).map(actor).collect();
        let clock = self.introduce(&all);
        all.iter().for_each(|a| a.do_send(Go));
        clock.stop(end.sum(actors))
    }

    fn chameneos(&self, creatures: u64, meetings: u64) -> Outcome {
        let (report, end) = reports();
        let mall = Mall::start_in_arbiter(self.on(0), move |_| Mall {
            creatures: Arc::default(),
            waiting: None,
            left: meetings,
            counted: 0,
            sum: 0,
            report,
        });
        let creature = |own| {
            let (mall, colour) = (mall.clone(), Colour::of(own));
            let make = move |_: &mut _| Creature { mall, own: own as u32, colour, met: 0 };
            Creature::start_in_arbiter(self.on(0), make)
        };
        let all: Arc<[_]> = (0..creatures).map(creature).collect();
        block_on(mall.send(Peers(all.clone()))).expect("the mall runs");
        let clock = self.ready();
        all.iter().for_each(|c| c.do_send(Go));
        clock.stop(end.sum(1))
    }

    fn message_ubench(&self, pingers: u64, balls: u64, hops_each: u64, seed: u64) -> Outcome {
        let (report, end) = reports();
        let pinger = |own| {
            let (random, report) = (Random::new(seed + own), report.clone());
            Pinger::start_in_arbiter(self.on(0), move |_| Pinger { all: Arc::default(), random, report })
        };
        let all: Arc<[_]> = (0..pingers).map(pinger).collect();
        let clock = self.introduce(&all);
        for ball in 0..pingers * balls {
            all[(ball % pingers) as usize].do_send(Ball(hops_each - 1));
        }
        clock.stop(end.sum(pingers * balls))
    }

    fn spawn_stop(&self, lives: u64, alive: u64) -> Outcome {
        let (report, end) = reports();
        let mother = Mother { lives, alive, begun: 0, ended: 0, report };
        let mother = Mother::start_in_arbiter(self.on(0), |_| mother);
        let clock = self.ready();
        mother.do_send(Go);
        clock.stop(end.sum(1))
    }

    fn tree(&self, n: u64) -> Outcome {
        let (report, end) = reports();
        // Deep enough for some subtrees of unequal size on each arbiter.
        let depth = if self.arbiters.len() > 1 { self.arbiters.len().ilog2() + 3 } else { 0 };
        let root = Fib::new(n, Parent::Driver(report), Place::Spread(self.arbiters.clone(), depth));
        let clock = self.ready();
        Fib::start_in_arbiter(self.on(0), |_| root);
        clock.stop(end.sum(1))
    }

    fn skynet(&self, leaves: u64) -> Outcome {
        let (report, end) = reports();
        let depth = if self.arbiters.len() > 1 { self.arbiters.len().ilog10() + 1 } else { 0 };
        let place = Place::Spread(self.arbiters.clone(), depth);
        let root = Sky::new(0, leaves, Parent::Driver(report), place);
        let clock = self.ready();
        Sky::start_in_arbiter(self.on(0), |_| root);
        clock.stop(end.sum(1))
    }

    fn idle(&self, actors: u64) -> Outcome {
        let _ = self.ready();
        let n = self.arbiters.len() as u64;
        let census = Census::begin(actors);
        for (i, arbiter) in (0..).zip(self.arbiters.iter()) {
            arbiter.spawn(nursery(actors * (i + 1) / n - actors * i / n));
        }
        census.end()
    }

    fn ask(&self, asks: u64, window: u64) -> Outcome {
        let (report, end) = reports();
        let asker = Asker::start_in_arbiter(self.on(0), move |_| {
            let adder = Adder.start();
            Asker { adder, asks, window, report }
        });
        let clock = self.ready();
        asker.do_send(Go);
        clock.stop(end.sum(1))
    }

    fn paced_outside(&self, pace: &Arc<Pace>, actors: u64) -> Outcome {
        let to = self.paced(pace, actors, |i| i);
        let _ = self.ready();
        pace.outside(|i| to[(i % actors) as usize].do_send(Count(i)))
    }

    fn paced_inside(&self, pace: &Arc<Pace>, actors: u64) -> Outcome {
        let pacing = PacingActor { pacer: Pacer::new(pace), to: self.paced(pace, actors, |_| 0) };
        let pacing = PacingActor::start_in_arbiter(self.on(0), |_| pacing);
        let _ = self.ready();
        pace.inside(|| pacing.do_send(Go))
    }
}

impl Drop for Actix {
    fn drop(&mut self) {
        self.system.stop();
        if let Some(thread) = self.thread.take() {
            thread.join().expect("the system ends");
        }
    }
}
