// SPDX-License-Identifier: BSD-2-Clause
//! Ractor: an actor is a handler without state, its state, and one type of messages.
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use futures_util::{StreamExt, stream};
use peer_contract::{
    About, Census, Clock, Colour, Idler, Outcome, Pace, Pacer, Peer, Random, Report, Runtime, reports,
};
use ractor::rpc::CallResult;
use ractor::{Actor, ActorProcessingErr, ActorRef, RpcReplyPort};

fn main() -> ExitCode {
    let lock = include_str!("../Cargo.lock");
    peer_contract::main::<Ractor>(&About { name: "ractor", beside: &["tokio"], lock })
}

struct Ractor(Runtime);

impl Ractor {
    fn spawn<A: Actor>(&self, actor: A, arguments: A::Arguments) -> ActorRef<A::Msg> {
        self.0.block_on(A::spawn(None, actor, arguments)).expect("the actor starts").0
    }

    fn paced(&self, pace: &Arc<Pace>, actors: u64) -> Vec<ActorRef<u64>> {
        (0..actors).map(|_| self.spawn(Paced, pace.clone())).collect()
    }
}

type Handled = Result<(), ActorProcessingErr>;

/// The part that is the same in all actors here: the state comes with the spawn.
macro_rules! starts_with {
    ($message:ty, $state:ty) => {
        type Msg = $message;
        type State = $state;
        type Arguments = $state;

        async fn pre_start(
            &self,
            _: ActorRef<$message>,
            state: $state,
        ) -> Result<$state, ActorProcessingErr> {
            Ok(state)
        }
    };
}

type Peers<M> = Arc<[ActorRef<M>]>;

// ---- ping_pong ----

enum PlayerMessage {
    Meet(ActorRef<PlayerMessage>),
    Ball(u64),
}

struct PlayerState {
    peer: Option<ActorRef<PlayerMessage>>,
    had: u64,
    report: Report,
}

struct Player;

impl Actor for Player {
    starts_with!(PlayerMessage, PlayerState);

    async fn handle(&self, _: ActorRef<PlayerMessage>, m: PlayerMessage, s: &mut PlayerState) -> Handled {
        match (m, &s.peer) {
            (PlayerMessage::Meet(peer), _) => s.peer = Some(peer),
            (PlayerMessage::Ball(hops @ 1..), Some(peer)) => {
                s.had += 1;
                peer.cast(PlayerMessage::Ball(hops - 1))?;
            }
            (PlayerMessage::Ball(_), _) => s.report.send(s.had + 1),
        }
        Ok(())
    }
}

// ---- one_way ----

enum ProducerMessage {
    Meet(ActorRef<u64>),
    Credit,
}

struct ProducerState {
    counter: Option<ActorRef<u64>>,
    sent: u64,
    window: u64,
}

struct Producer;

impl Actor for Producer {
    starts_with!(ProducerMessage, ProducerState);

    async fn handle(
        &self,
        _: ActorRef<ProducerMessage>,
        m: ProducerMessage,
        s: &mut ProducerState,
    ) -> Handled {
        match (m, &s.counter) {
            (ProducerMessage::Meet(counter), _) => s.counter = Some(counter),
            (ProducerMessage::Credit, Some(counter)) => {
                for n in s.sent..s.sent + s.window {
                    counter.cast(n)?;
                }
                s.sent += s.window;
            }
            (ProducerMessage::Credit, None) => return Err("credit before the counter is known".into()),
        }
        Ok(())
    }
}

struct CounterState {
    producer: ActorRef<ProducerMessage>,
    had: u64,
    sum: u64,
    messages: u64,
    window: u64,
    report: Report,
}

struct Counter;

impl Actor for Counter {
    starts_with!(u64, CounterState);

    async fn handle(&self, _: ActorRef<u64>, n: u64, s: &mut CounterState) -> Handled {
        s.had += 1;
        s.sum += n;
        if s.had == s.messages {
            s.report.send(s.sum);
        } else if s.had.is_multiple_of(s.window) {
            s.producer.cast(ProducerMessage::Credit)?;
        }
        Ok(())
    }
}

// ---- thread_ring ----

enum LinkMessage {
    Meet(ActorRef<LinkMessage>),
    Token(u64),
}

struct LinkState {
    next: Option<ActorRef<LinkMessage>>,
    report: Report,
}

struct Link;

impl Actor for Link {
    starts_with!(LinkMessage, LinkState);

    async fn handle(&self, _: ActorRef<LinkMessage>, m: LinkMessage, s: &mut LinkState) -> Handled {
        match (m, &s.next) {
            (LinkMessage::Meet(next), _) => s.next = Some(next),
            (LinkMessage::Token(hops @ 1..), Some(next)) => next.cast(LinkMessage::Token(hops - 1))?,
            (LinkMessage::Token(_), _) => s.report.send(1),
        }
        Ok(())
    }
}

// ---- fan_in ----

struct FeederState {
    counter: ActorRef<FanMessage>,
    own: u64,
    window: u64,
}

struct Credit;

struct Feeder;

impl Actor for Feeder {
    starts_with!(Credit, FeederState);

    async fn handle(&self, _: ActorRef<Credit>, _: Credit, s: &mut FeederState) -> Handled {
        for _ in 0..s.window {
            s.counter.cast(FanMessage::From(s.own))?;
        }
        Ok(())
    }
}

enum FanMessage {
    Meet(Peers<Credit>),
    From(u64),
}

struct FanState {
    feeders: Peers<Credit>,
    had: Vec<u64>,
    all: u64,
    each: u64,
    window: u64,
    report: Report,
}

struct FanCounter;

impl Actor for FanCounter {
    starts_with!(FanMessage, FanState);

    async fn handle(&self, _: ActorRef<FanMessage>, m: FanMessage, s: &mut FanState) -> Handled {
        match m {
            FanMessage::Meet(feeders) => {
                s.had = vec![0; feeders.len()];
                s.feeders = feeders;
            }
            FanMessage::From(from) => {
                let had = &mut s.had[from as usize];
                *had += 1;
                s.all += 1;
                if s.all == s.each * s.feeders.len() as u64 {
                    s.report.send(s.all);
                } else if had.is_multiple_of(s.window) && *had < s.each {
                    s.feeders[from as usize].cast(Credit)?;
                }
            }
        }
        Ok(())
    }
}

// ---- pairs ----

enum FirstMessage {
    Meet(ActorRef<u64>),
    Go,
    Answer,
}

struct FirstState {
    second: Option<ActorRef<u64>>,
    answered: u64,
    each: u64,
    window: u64,
    report: Report,
}

struct First;

impl Actor for First {
    starts_with!(FirstMessage, FirstState);

    async fn handle(&self, _: ActorRef<FirstMessage>, m: FirstMessage, s: &mut FirstState) -> Handled {
        match m {
            FirstMessage::Meet(second) => {
                s.second = Some(second);
                return Ok(());
            }
            FirstMessage::Go => {}
            FirstMessage::Answer => s.answered += 1,
        }
        if s.answered == s.each {
            s.report.send(s.answered);
        } else if s.answered.is_multiple_of(s.window) {
            let second = s.second.as_ref().ok_or("no partner is known")?;
            for n in 0..s.window {
                second.cast(n)?;
            }
        }
        Ok(())
    }
}

struct Second;

impl Actor for Second {
    starts_with!(u64, ActorRef<FirstMessage>);

    async fn handle(&self, _: ActorRef<u64>, _: u64, first: &mut ActorRef<FirstMessage>) -> Handled {
        first.cast(FirstMessage::Answer)?;
        Ok(())
    }
}

// ---- big ----

enum BigMessage {
    Meet(Peers<BigMessage>),
    Go,
    Ping(u64),
    Pong,
}

struct BigState {
    all: Peers<BigMessage>,
    own: u64,
    random: Random,
    pongs: u64,
    pings: u64,
    report: Report,
}

struct Big;

impl Actor for Big {
    starts_with!(BigMessage, BigState);

    async fn handle(&self, _: ActorRef<BigMessage>, m: BigMessage, s: &mut BigState) -> Handled {
        match m {
            BigMessage::Meet(all) => {
                s.all = all;
                return Ok(());
            }
            BigMessage::Ping(from) => {
                s.all[from as usize].cast(BigMessage::Pong)?;
                return Ok(());
            }
            BigMessage::Pong => s.pongs += 1,
            BigMessage::Go => {}
        }
        if s.pongs < s.pings {
            let to = s.random.other(s.all.len() as u64, s.own);
            s.all[to as usize].cast(BigMessage::Ping(s.own))?;
        } else {
            s.report.send(s.pongs);
        }
        Ok(())
    }
}

// ---- chameneos ----

enum MallMessage {
    Meet(Peers<CreatureMessage>),
    Ask(u32, Colour),
    Count(u64),
}

struct MallState {
    creatures: Peers<CreatureMessage>,
    waiting: Option<(u32, Colour)>,
    left: u64,
    counted: usize,
    sum: u64,
    report: Report,
}

struct Mall;

impl Actor for Mall {
    starts_with!(MallMessage, MallState);

    async fn handle(&self, _: ActorRef<MallMessage>, m: MallMessage, s: &mut MallState) -> Handled {
        match m {
            MallMessage::Meet(creatures) => s.creatures = creatures,
            MallMessage::Ask(who, _) if s.left == 0 => {
                s.creatures[who as usize].cast(CreatureMessage::Closed)?;
            }
            MallMessage::Ask(who, colour) => match s.waiting.take() {
                None => s.waiting = Some((who, colour)),
                Some((other, others)) => {
                    s.left -= 1;
                    s.creatures[other as usize].cast(CreatureMessage::Met(colour))?;
                    s.creatures[who as usize].cast(CreatureMessage::Met(others))?;
                }
            },
            MallMessage::Count(met) => {
                s.sum += met;
                s.counted += 1;
                if s.counted == s.creatures.len() {
                    s.report.send(s.sum);
                }
            }
        }
        Ok(())
    }
}

enum CreatureMessage {
    Go,
    Met(Colour),
    Closed,
}

struct CreatureState {
    mall: ActorRef<MallMessage>,
    own: u32,
    colour: Colour,
    met: u64,
}

struct Creature;

impl Actor for Creature {
    starts_with!(CreatureMessage, CreatureState);

    async fn handle(
        &self,
        _: ActorRef<CreatureMessage>,
        m: CreatureMessage,
        s: &mut CreatureState,
    ) -> Handled {
        match m {
            CreatureMessage::Go => {}
            CreatureMessage::Met(other) => {
                s.met += 1;
                s.colour = s.colour.complement(other);
            }
            CreatureMessage::Closed => {
                s.mall.cast(MallMessage::Count(s.met))?;
                return Ok(());
            }
        }
        s.mall.cast(MallMessage::Ask(s.own, s.colour))?;
        Ok(())
    }
}

// ---- message_ubench ----

enum PingerMessage {
    Meet(Peers<PingerMessage>),
    Ball(u64),
}

struct PingerState {
    all: Peers<PingerMessage>,
    random: Random,
    report: Report,
}

struct Pinger;

impl Actor for Pinger {
    starts_with!(PingerMessage, PingerState);

    async fn handle(&self, _: ActorRef<PingerMessage>, m: PingerMessage, s: &mut PingerState) -> Handled {
        match m {
            PingerMessage::Meet(all) => s.all = all,
            PingerMessage::Ball(0) => s.report.send(1),
            PingerMessage::Ball(hops) => {
                let to = s.random.below(s.all.len() as u64);
                s.all[to as usize].cast(PingerMessage::Ball(hops - 1))?;
            }
        }
        Ok(())
    }
}

// ---- spawn_stop ----

enum MotherMessage {
    Go,
    Word,
}

struct MotherState {
    lives: u64,
    alive: u64,
    begun: u64,
    ended: u64,
    report: Report,
}

struct Mother;

impl Mother {
    async fn begin(&self, myself: &ActorRef<MotherMessage>, s: &mut MotherState) -> Handled {
        s.begun += 1;
        let (child, _) = Child::spawn(None, Child, myself.clone()).await?;
        child.cast(1)?;
        Ok(())
    }
}

impl Actor for Mother {
    starts_with!(MotherMessage, MotherState);

    async fn handle(
        &self,
        myself: ActorRef<MotherMessage>,
        m: MotherMessage,
        s: &mut MotherState,
    ) -> Handled {
        match m {
            MotherMessage::Go => {
                for _ in 0..s.alive {
                    self.begin(&myself, s).await?;
                }
            }
            MotherMessage::Word => {
                s.ended += 1;
                if s.begun < s.lives {
                    self.begin(&myself, s).await?;
                } else if s.ended == s.lives {
                    s.report.send(s.ended);
                }
            }
        }
        Ok(())
    }
}

struct Child;

impl Actor for Child {
    starts_with!(u64, ActorRef<MotherMessage>);

    async fn handle(&self, myself: ActorRef<u64>, _: u64, mother: &mut ActorRef<MotherMessage>) -> Handled {
        mother.cast(MotherMessage::Word)?;
        myself.stop(None);
        Ok(())
    }
}

// ---- tree, skynet ----

enum Parent {
    Node(ActorRef<u64>),
    Driver(Report),
}

impl Parent {
    fn tell(&self, value: u64) -> Handled {
        match self {
            Parent::Node(node) => node.cast(value)?,
            Parent::Driver(report) => report.send(value),
        }
        Ok(())
    }
}

struct NodeState {
    parent: Parent,
    sum: u64,
    missing: u32,
}

impl NodeState {
    fn add(&mut self, value: u64, myself: &ActorRef<u64>) -> Handled {
        self.sum += value;
        self.missing -= 1;
        if self.missing == 0 {
            self.parent.tell(self.sum)?;
            myself.stop(None);
        }
        Ok(())
    }
}

struct Fib {
    n: u64,
}

impl Actor for Fib {
    starts_with!(u64, NodeState);

    async fn post_start(&self, myself: ActorRef<u64>, s: &mut NodeState) -> Handled {
        if self.n <= 2 {
            s.parent.tell(1)?;
            myself.stop(None);
            return Ok(());
        }
        for n in [self.n - 1, self.n - 2] {
            let state = NodeState { parent: Parent::Node(myself.clone()), sum: 0, missing: 2 };
            Fib::spawn(None, Fib { n }, state).await?;
        }
        Ok(())
    }

    async fn handle(&self, myself: ActorRef<u64>, value: u64, s: &mut NodeState) -> Handled {
        s.add(value, &myself)
    }
}

struct Sky {
    first: u64,
    leaves: u64,
}

impl Actor for Sky {
    starts_with!(u64, NodeState);

    async fn post_start(&self, myself: ActorRef<u64>, s: &mut NodeState) -> Handled {
        if self.leaves == 1 {
            s.parent.tell(self.first)?;
            myself.stop(None);
            return Ok(());
        }
        let leaves = self.leaves / 10;
        for i in 0..10 {
            let state = NodeState { parent: Parent::Node(myself.clone()), sum: 0, missing: 10 };
            Sky::spawn(None, Sky { first: self.first + i * leaves, leaves }, state).await?;
        }
        Ok(())
    }

    async fn handle(&self, myself: ActorRef<u64>, value: u64, s: &mut NodeState) -> Handled {
        s.add(value, &myself)
    }
}

// ---- idle ----

struct Idle;

impl Actor for Idle {
    starts_with!(u64, Idler);

    async fn handle(&self, _: ActorRef<u64>, n: u64, s: &mut Idler) -> Handled {
        s.meet(n);
        Ok(())
    }
}

/// A thousand at a time, so that they start while others are spawned.
async fn nursery(actors: u64) {
    for n in 1..=actors {
        let (idle, _) = Idle::spawn(None, Idle, Idler::default()).await.expect("the actor starts");
        idle.cast(n).expect("the actor is alive");
        if n % 1000 == 0 {
            tokio::task::yield_now().await;
        }
    }
}

// ---- ask ----

struct Add(u64, RpcReplyPort<u64>);

struct Adder;

impl Actor for Adder {
    starts_with!(Add, ());

    async fn handle(&self, _: ActorRef<Add>, Add(n, reply): Add, (): &mut ()) -> Handled {
        reply.send(n + 1)?;
        Ok(())
    }
}

struct AskerState {
    adder: ActorRef<Add>,
    asks: u64,
    window: u64,
    report: Report,
}

async fn ask(adder: &ActorRef<Add>, n: u64) -> u64 {
    match adder.call(|reply| Add(n, reply), Some(Duration::from_secs(10))).await {
        Ok(CallResult::Success(answer)) => answer,
        _ => panic!("no answer within 10 s"),
    }
}

struct Go;

struct Asker;

impl Actor for Asker {
    starts_with!(Go, AskerState);

    async fn handle(&self, _: ActorRef<Go>, _: Go, s: &mut AskerState) -> Handled {
        let adder = &s.adder;
        let mut sum = 0;
        if s.window == 1 {
            for n in 0..s.asks {
                sum += ask(adder, n).await;
            }
        } else {
            let answers = stream::iter(0..s.asks).map(|n| ask(adder, n));
            let mut answers = answers.buffer_unordered(s.window as usize);
            while let Some(answer) = answers.next().await {
                sum += answer;
            }
        }
        s.report.send(sum);
        Ok(())
    }
}

// ---- paced_outside, paced_inside ----

struct Paced;

impl Actor for Paced {
    starts_with!(u64, Arc<Pace>);

    async fn handle(&self, _: ActorRef<u64>, i: u64, pace: &mut Arc<Pace>) -> Handled {
        pace.note(i);
        Ok(())
    }
}

/// It yields: a message to itself would be taken in the same turn, until Tokio's budget is used up.
struct PacingActor;

impl Actor for PacingActor {
    starts_with!(Go, (Pacer, Vec<ActorRef<u64>>));

    async fn handle(&self, _: ActorRef<Go>, _: Go, (pacer, to): &mut Self::State) -> Handled {
        while let Some(due) = pacer.look() {
            for i in due {
                to[i as usize % to.len()].cast(i)?;
            }
            tokio::task::yield_now().await;
        }
        Ok(())
    }
}

// ---- the workloads ----

fn cast<M: ractor::Message>(to: &ActorRef<M>, message: M) {
    assert!(to.cast(message).is_ok(), "the actor has ended");
}

impl Peer for Ractor {
    fn start(workers: usize, workload: &str) -> Self {
        Ractor(Runtime::start(workers, workload, &["tree", "skynet"]))
    }

    fn ping_pong(&self, hops: u64) -> Outcome {
        let (report, end) = reports();
        let a = self.spawn(Player, PlayerState { peer: None, had: 0, report: report.clone() });
        let b = self.spawn(Player, PlayerState { peer: Some(a.clone()), had: 0, report });
        cast(&a, PlayerMessage::Meet(b));
        let clock = Clock::start();
        cast(&a, PlayerMessage::Ball(hops - 1));
        clock.stop(end.sum(1))
    }

    fn one_way(&self, messages: u64, window: u64) -> Outcome {
        let (report, end) = reports();
        let producer = self.spawn(Producer, ProducerState { counter: None, sent: 0, window });
        let state = CounterState { producer: producer.clone(), had: 0, sum: 0, messages, window, report };
        cast(&producer, ProducerMessage::Meet(self.spawn(Counter, state)));
        let clock = Clock::start();
        cast(&producer, ProducerMessage::Credit);
        clock.stop(end.sum(1))
    }

    fn thread_ring(&self, actors: u64, tokens: u64, hops_each: u64) -> Outcome {
        let (report, end) = reports();
        let link = |_| self.spawn(Link, LinkState { next: None, report: report.clone() });
        let ring: Vec<_> = (0..actors).map(link).collect();
        for (i, link) in ring.iter().enumerate() {
            cast(link, LinkMessage::Meet(ring[(i + 1) % ring.len()].clone()));
        }
        let clock = Clock::start();
        for t in 0..tokens {
            cast(&ring[(t * actors / tokens) as usize], LinkMessage::Token(hops_each - 1));
        }
        clock.stop(end.sum(tokens))
    }

    fn fan_in(&self, producers: u64, messages_each: u64, window: u64) -> Outcome {
        let (report, end) = reports();
        let (feeders, had) = (Arc::default(), vec![]);
        let state = FanState { feeders, had, all: 0, each: messages_each, window, report };
        let counter = self.spawn(FanCounter, state);
        let feeder = |own| self.spawn(Feeder, FeederState { counter: counter.clone(), own, window });
        let feeders: Peers<_> = (0..producers).map(feeder).collect();
        cast(&counter, FanMessage::Meet(feeders.clone()));
        let clock = Clock::start();
        feeders.iter().for_each(|f| cast(f, Credit));
        clock.stop(end.sum(1))
    }

    fn pairs(&self, pairs: u64, each: u64, window: u64) -> Outcome {
        let (report, end) = reports();
        let pair = |_| {
            let state = FirstState { second: None, answered: 0, each, window, report: report.clone() };
            let first = self.spawn(First, state);
            cast(&first, FirstMessage::Meet(self.spawn(Second, first.clone())));
            first
        };
        let firsts: Vec<_> = (0..pairs).map(pair).collect();
        let clock = Clock::start();
        firsts.iter().for_each(|f| cast(f, FirstMessage::Go));
        clock.stop(end.sum(pairs))
    }

    fn big(&self, actors: u64, pings: u64, seed: u64) -> Outcome {
        let (report, end) = reports();
        let actor = |own| {
            let (all, random) = (Arc::default(), Random::new(seed + own));
            self.spawn(Big, BigState { all, own, random, pongs: 0, pings, report: report.clone() })
        };
        let all: Peers<_> = (0..actors).map(actor).collect();
        all.iter().for_each(|a| cast(a, BigMessage::Meet(all.clone())));
        let clock = Clock::start();
        all.iter().for_each(|a| cast(a, BigMessage::Go));
        clock.stop(end.sum(actors))
    }

    fn chameneos(&self, creatures: u64, meetings: u64) -> Outcome {
        let (report, end) = reports();
        let creatures_to_come = Arc::default();
        let state = MallState {
            creatures: creatures_to_come,
            waiting: None,
            left: meetings,
            counted: 0,
            sum: 0,
            report,
        };
        let mall = self.spawn(Mall, state);
        let creature = |own| {
            let colour = Colour::of(own);
            let state = CreatureState { mall: mall.clone(), own: own as u32, colour, met: 0 };
            self.spawn(Creature, state)
        };
        let all: Peers<_> = (0..creatures).map(creature).collect();
        cast(&mall, MallMessage::Meet(all.clone()));
        let clock = Clock::start();
        all.iter().for_each(|c| cast(c, CreatureMessage::Go));
        clock.stop(end.sum(1))
    }

    fn message_ubench(&self, pingers: u64, balls: u64, hops_each: u64, seed: u64) -> Outcome {
        let (report, end) = reports();
        let pinger = |own| {
            let (all, random) = (Arc::default(), Random::new(seed + own));
            self.spawn(Pinger, PingerState { all, random, report: report.clone() })
        };
        let all: Peers<_> = (0..pingers).map(pinger).collect();
        all.iter().for_each(|p| cast(p, PingerMessage::Meet(all.clone())));
        let clock = Clock::start();
        for ball in 0..pingers * balls {
            cast(&all[(ball % pingers) as usize], PingerMessage::Ball(hops_each - 1));
        }
        clock.stop(end.sum(pingers * balls))
    }

    fn spawn_stop(&self, lives: u64, alive: u64) -> Outcome {
        let (report, end) = reports();
        let mother = self.spawn(Mother, MotherState { lives, alive, begun: 0, ended: 0, report });
        let clock = Clock::start();
        cast(&mother, MotherMessage::Go);
        clock.stop(end.sum(1))
    }

    fn tree(&self, n: u64) -> Outcome {
        let (report, end) = reports();
        let state = NodeState { parent: Parent::Driver(report), sum: 0, missing: 2 };
        let clock = Clock::start();
        self.spawn(Fib { n }, state);
        clock.stop(end.sum(1))
    }

    fn skynet(&self, leaves: u64) -> Outcome {
        let (report, end) = reports();
        let state = NodeState { parent: Parent::Driver(report), sum: 0, missing: 10 };
        let clock = Clock::start();
        self.spawn(Sky { first: 0, leaves }, state);
        clock.stop(end.sum(1))
    }

    fn idle(&self, actors: u64) -> Outcome {
        let census = Census::begin(actors);
        self.0.spawn(nursery(actors));
        census.end()
    }

    fn ask(&self, asks: u64, window: u64) -> Outcome {
        let (report, end) = reports();
        let adder = self.spawn(Adder, ());
        let asker = self.spawn(Asker, AskerState { adder, asks, window, report });
        let clock = Clock::start();
        cast(&asker, Go);
        clock.stop(end.sum(1))
    }

    fn paced_outside(&self, pace: &Arc<Pace>, actors: u64) -> Outcome {
        let to = self.paced(pace, actors);
        pace.outside(|i| cast(&to[(i % actors) as usize], i))
    }

    fn paced_inside(&self, pace: &Arc<Pace>, actors: u64) -> Outcome {
        let pacer = self.spawn(PacingActor, (Pacer::new(pace), self.paced(pace, actors)));
        pace.inside(|| cast(&pacer, Go))
    }
}
