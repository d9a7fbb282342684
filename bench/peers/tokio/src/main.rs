// SPDX-License-Identifier: BSD-2-Clause
//! Actors as one writes them by hand with Tokio: a task that owns its state, and an unbounded channel.
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use futures_util::{StreamExt, stream};
use peer_contract::{
    About, Census, Clock, Colour, Idler, Outcome, Pace, Pacer, Peer, Random, Report, Runtime, reports,
};
use tokio::sync::mpsc::{UnboundedReceiver as Inbox, UnboundedSender as To, unbounded_channel};
use tokio::sync::oneshot;

fn main() -> ExitCode {
    let lock = include_str!("../Cargo.lock");
    peer_contract::main::<Tokio>(&About { name: "tokio", beside: &[], lock })
}

struct Tokio(Runtime);

/// By an actor, or by the driving thread when it has entered the runtime.
fn spawn<T: Send + 'static, F>(actor: impl FnOnce(Inbox<T>) -> F) -> To<T>
where
    F: Future<Output = ()> + Send + 'static,
{
    let (to, inbox) = unbounded_channel();
    tokio::spawn(actor(inbox));
    to
}

fn channels<T>(n: u64) -> (Arc<[To<T>]>, Vec<Inbox<T>>) {
    let (to, inboxes): (Vec<_>, Vec<_>) = (0..n).map(|_| unbounded_channel()).unzip();
    (to.into(), inboxes)
}

/// A receiver that has gone away has ended its part of the work.
fn send<T>(to: &To<T>, message: T) {
    let _ = to.send(message);
}

// ---- ping_pong ----

async fn player(mut inbox: Inbox<u64>, peer: To<u64>, report: Report) {
    let mut had = 0;
    while let Some(hops) = inbox.recv().await {
        had += 1;
        match hops {
            0 => report.send(had),
            _ => send(&peer, hops - 1),
        }
    }
}

// ---- one_way ----

async fn producer(mut credit: Inbox<()>, counter: To<u64>, window: u64) {
    let mut sent = 0;
    while let Some(()) = credit.recv().await {
        for n in sent..sent + window {
            send(&counter, n);
        }
        sent += window;
    }
}

async fn counter(mut inbox: Inbox<u64>, producer: To<()>, messages: u64, window: u64, report: Report) {
    let (mut had, mut sum) = (0, 0);
    while let Some(n) = inbox.recv().await {
        had += 1;
        sum += n;
        if had == messages {
            report.send(sum);
        } else if had.is_multiple_of(window) {
            send(&producer, ());
        }
    }
}

// ---- thread_ring ----

async fn link(mut inbox: Inbox<u64>, next: To<u64>, report: Report) {
    while let Some(hops) = inbox.recv().await {
        match hops {
            0 => report.send(1),
            _ => send(&next, hops - 1),
        }
    }
}

// ---- fan_in ----

async fn feeder(mut credit: Inbox<()>, counter: To<u64>, number: u64, window: u64) {
    while let Some(()) = credit.recv().await {
        for _ in 0..window {
            send(&counter, number);
        }
    }
}

async fn fan_counter(mut inbox: Inbox<u64>, feeders: Arc<[To<()>]>, each: u64, window: u64, report: Report) {
    let mut had = vec![0u64; feeders.len()];
    let (mut all, end) = (0, each * feeders.len() as u64);
    while let Some(from) = inbox.recv().await {
        let from = from as usize;
        all += 1;
        had[from] += 1;
        if all == end {
            report.send(all);
        } else if had[from].is_multiple_of(window) && had[from] < each {
            send(&feeders[from], ());
        }
    }
}

// ---- pairs ----

/// Its first message starts it; the others are answers.
async fn first(mut inbox: Inbox<u64>, second: To<u64>, each: u64, window: u64, report: Report) {
    inbox.recv().await;
    let mut answered = 0;
    while answered < each {
        for n in 0..window {
            send(&second, n);
        }
        for _ in 0..window {
            inbox.recv().await;
            answered += 1;
        }
    }
    report.send(answered);
}

async fn second(mut inbox: Inbox<u64>, first: To<u64>) {
    while let Some(n) = inbox.recv().await {
        send(&first, n);
    }
}

// ---- big ----

enum Big {
    Go,
    Ping(u32),
    Pong,
}

async fn big(mut inbox: Inbox<Big>, all: Arc<[To<Big>]>, own: u64, pings: u64, seed: u64, report: Report) {
    let mut random = Random::new(seed + own);
    let mut pongs = 0;
    while let Some(message) = inbox.recv().await {
        match message {
            Big::Ping(from) => {
                send(&all[from as usize], Big::Pong);
                continue;
            }
            Big::Pong => pongs += 1,
            Big::Go => {}
        }
        if pongs < pings {
            send(&all[random.other(all.len() as u64, own) as usize], Big::Ping(own as u32));
        } else {
            report.send(pongs);
        }
    }
}

// ---- chameneos ----

enum ToMall {
    Ask(u32, Colour),
    Count(u64),
}

enum ToCreature {
    Go,
    Met(Colour),
    Closed,
}

async fn mall(mut inbox: Inbox<ToMall>, creatures: Arc<[To<ToCreature>]>, meetings: u64, report: Report) {
    let (mut left, mut waiting) = (meetings, None);
    let (mut missing, mut sum) = (creatures.len(), 0);
    while let Some(message) = inbox.recv().await {
        match message {
            ToMall::Ask(who, _) if left == 0 => send(&creatures[who as usize], ToCreature::Closed),
            ToMall::Ask(who, colour) => match waiting.take() {
                None => waiting = Some((who, colour)),
                Some((other, others)) => {
                    left -= 1;
                    send(&creatures[other as usize], ToCreature::Met(colour));
                    send(&creatures[who as usize], ToCreature::Met(others));
                }
            },
            ToMall::Count(met) => {
                sum += met;
                missing -= 1;
                if missing == 0 {
                    report.send(sum);
                }
            }
        }
    }
}

async fn creature(mut inbox: Inbox<ToCreature>, mall: To<ToMall>, own: u64) {
    let (mut colour, mut met) = (Colour::of(own), 0);
    while let Some(message) = inbox.recv().await {
        match message {
            ToCreature::Go => {}
            ToCreature::Met(other) => {
                met += 1;
                colour = colour.complement(other);
            }
            ToCreature::Closed => {
                send(&mall, ToMall::Count(met));
                continue;
            }
        }
        send(&mall, ToMall::Ask(own as u32, colour));
    }
}

// ---- message_ubench ----

async fn pinger(mut inbox: Inbox<u64>, all: Arc<[To<u64>]>, seed: u64, report: Report) {
    let mut random = Random::new(seed);
    while let Some(hops) = inbox.recv().await {
        match hops {
            0 => report.send(1),
            _ => send(&all[random.below(all.len() as u64) as usize], hops - 1),
        }
    }
}

// ---- spawn_stop ----

async fn mother(mut inbox: Inbox<()>, own: To<()>, lives: u64, alive: u64, report: Report) {
    inbox.recv().await;
    let begin = || send(&spawn(|inbox| child(inbox, own.clone())), 1);
    (0..alive).for_each(|_| begin());
    for _ in alive..lives {
        inbox.recv().await;
        begin();
    }
    for _ in 0..alive {
        inbox.recv().await;
    }
    report.send(lives);
}

async fn child(mut inbox: Inbox<u64>, mother: To<()>) {
    inbox.recv().await;
    send(&mother, ());
}

// ---- tree, skynet: leaves get no message, so they have no channel ----

fn fib(n: u64, parent: To<u64>) {
    tokio::spawn(async move {
        if n <= 2 {
            return send(&parent, 1);
        }
        let (own, inbox) = unbounded_channel();
        fib(n - 1, own.clone());
        fib(n - 2, own);
        send(&parent, sum(inbox, 2).await);
    });
}

fn sky(first: u64, leaves: u64, parent: To<u64>) {
    tokio::spawn(async move {
        if leaves == 1 {
            return send(&parent, first);
        }
        let (own, inbox) = unbounded_channel();
        let each = leaves / 10;
        for i in 0..10 {
            sky(first + i * each, each, own.clone());
        }
        send(&parent, sum(inbox, 10).await);
    });
}

/// Of what so many children send.
async fn sum(mut inbox: Inbox<u64>, children: u64) -> u64 {
    let mut sum = 0;
    for _ in 0..children {
        sum += inbox.recv().await.expect("every child sends");
    }
    sum
}

async fn root(mut inbox: Inbox<u64>, report: Report) {
    report.send(inbox.recv().await.unwrap_or(0));
}

// ---- idle ----

async fn idler(mut inbox: Inbox<u64>) {
    let mut state = Idler::default();
    while let Some(n) = inbox.recv().await {
        state.meet(n);
    }
}

/// A thousand at a time, so that they start while others are spawned; their channels must stay open.
async fn nursery(actors: u64) {
    let mut open = Vec::with_capacity(actors as usize);
    for n in 1..=actors {
        let to = spawn(idler);
        send(&to, n);
        open.push(to);
        if n % 1000 == 0 {
            tokio::task::yield_now().await;
        }
    }
    std::future::pending::<()>().await;
    drop(open);
}

// ---- ask ----

struct Add {
    n: u64,
    reply: oneshot::Sender<u64>,
}

async fn adder(mut inbox: Inbox<Add>) {
    while let Some(add) = inbox.recv().await {
        let _ = add.reply.send(add.n + 1);
    }
}

async fn ask(adder: &To<Add>, n: u64) -> u64 {
    let (reply, answer) = oneshot::channel();
    send(adder, Add { n, reply });
    let answer = tokio::time::timeout(Duration::from_secs(10), answer).await;
    answer.expect("an answer within 10 s").expect("an answer")
}

async fn asker(mut go: Inbox<()>, adder: To<Add>, asks: u64, window: u64, report: Report) {
    go.recv().await;
    let mut sum = 0;
    if window == 1 {
        for n in 0..asks {
            sum += ask(&adder, n).await;
        }
    } else {
        let mut answers = stream::iter(0..asks).map(|n| ask(&adder, n)).buffer_unordered(window as usize);
        while let Some(answer) = answers.next().await {
            sum += answer;
        }
    }
    report.send(sum);
}

// ---- paced_outside, paced_inside ----

async fn paced(mut inbox: Inbox<u64>, pace: Arc<Pace>) {
    while let Some(i) = inbox.recv().await {
        pace.note(i);
    }
}

async fn pacer(mut go: Inbox<()>, mut pacer: Pacer, to: Vec<To<u64>>) {
    go.recv().await;
    while let Some(due) = pacer.look() {
        due.for_each(|i| send(&to[i as usize % to.len()], i));
        tokio::task::yield_now().await;
    }
}

fn paced_actors(pace: &Arc<Pace>, actors: u64) -> Vec<To<u64>> {
    (0..actors).map(|_| spawn(|inbox| paced(inbox, pace.clone()))).collect()
}

// ---- the workloads ----

impl Peer for Tokio {
    fn start(workers: usize, workload: &str) -> Self {
        Tokio(Runtime::start(workers, workload, &["tree"]))
    }

    fn ping_pong(&self, hops: u64) -> Outcome {
        let _context = self.0.enter();
        let (report, end) = reports();
        let (to_b, inbox) = unbounded_channel();
        let a = spawn(|inbox| player(inbox, to_b, report.clone()));
        tokio::spawn(player(inbox, a.clone(), report));
        let clock = Clock::start();
        send(&a, hops - 1);
        clock.stop(end.sum(1))
    }

    fn one_way(&self, messages: u64, window: u64) -> Outcome {
        let _context = self.0.enter();
        let (report, end) = reports();
        let (to, inbox) = unbounded_channel();
        let producer = spawn(|credit| producer(credit, to, window));
        tokio::spawn(counter(inbox, producer.clone(), messages, window, report));
        let clock = Clock::start();
        send(&producer, ());
        clock.stop(end.sum(1))
    }

    fn thread_ring(&self, actors: u64, tokens: u64, hops_each: u64) -> Outcome {
        let _context = self.0.enter();
        let (report, end) = reports();
        let (ring, inboxes) = channels(actors);
        for (i, inbox) in inboxes.into_iter().enumerate() {
            tokio::spawn(link(inbox, ring[(i + 1) % ring.len()].clone(), report.clone()));
        }
        let clock = Clock::start();
        for t in 0..tokens {
            send(&ring[(t * actors / tokens) as usize], hops_each - 1);
        }
        clock.stop(end.sum(tokens))
    }

    fn fan_in(&self, producers: u64, messages_each: u64, window: u64) -> Outcome {
        let _context = self.0.enter();
        let (report, end) = reports();
        let (feeders, inboxes) = channels(producers);
        let all = feeders.clone();
        let counter = spawn(|inbox| fan_counter(inbox, all, messages_each, window, report));
        for (n, credit) in (0..).zip(inboxes) {
            tokio::spawn(feeder(credit, counter.clone(), n, window));
        }
        let clock = Clock::start();
        feeders.iter().for_each(|f| send(f, ()));
        clock.stop(end.sum(1))
    }

    fn pairs(&self, pairs: u64, each: u64, window: u64) -> Outcome {
        let _context = self.0.enter();
        let (report, end) = reports();
        let pair = |_| {
            let (to_second, inbox) = unbounded_channel();
            let a = spawn(|inbox| first(inbox, to_second, each, window, report.clone()));
            tokio::spawn(second(inbox, a.clone()));
            a
        };
        let firsts: Vec<_> = (0..pairs).map(pair).collect();
        let clock = Clock::start();
        firsts.iter().for_each(|a| send(a, 0));
        clock.stop(end.sum(pairs))
    }

    fn big(&self, actors: u64, pings: u64, seed: u64) -> Outcome {
        let _context = self.0.enter();
        let (report, end) = reports();
        let (all, inboxes) = channels(actors);
        for (own, inbox) in (0..).zip(inboxes) {
            tokio::spawn(big(inbox, all.clone(), own, pings, seed, report.clone()));
        }
        let clock = Clock::start();
        all.iter().for_each(|a| send(a, Big::Go));
        clock.stop(end.sum(actors))
    }

    fn chameneos(&self, creatures: u64, meetings: u64) -> Outcome {
        let _context = self.0.enter();
        let (report, end) = reports();
        let (all, inboxes) = channels(creatures);
        let mall = spawn(|inbox| mall(inbox, all.clone(), meetings, report));
        for (own, inbox) in (0..).zip(inboxes) {
            tokio::spawn(creature(inbox, mall.clone(), own));
        }
        let clock = Clock::start();
        all.iter().for_each(|c| send(c, ToCreature::Go));
        clock.stop(end.sum(1))
    }

    fn message_ubench(&self, pingers: u64, balls: u64, hops_each: u64, seed: u64) -> Outcome {
        let _context = self.0.enter();
        let (report, end) = reports();
        let (all, inboxes) = channels(pingers);
        for (own, inbox) in (0..).zip(inboxes) {
            tokio::spawn(pinger(inbox, all.clone(), seed + own, report.clone()));
        }
        let clock = Clock::start();
        for ball in 0..pingers * balls {
            send(&all[(ball % pingers) as usize], hops_each - 1);
        }
        clock.stop(end.sum(pingers * balls))
    }

    fn spawn_stop(&self, lives: u64, alive: u64) -> Outcome {
        let _context = self.0.enter();
        let (report, end) = reports();
        let (to, inbox) = unbounded_channel();
        tokio::spawn(mother(inbox, to.clone(), lives, alive, report));
        let clock = Clock::start();
        send(&to, ());
        clock.stop(end.sum(1))
    }

    fn tree(&self, n: u64) -> Outcome {
        let _context = self.0.enter();
        let (report, end) = reports();
        let parent = spawn(|inbox| root(inbox, report));
        let clock = Clock::start();
        fib(n, parent);
        clock.stop(end.sum(1))
    }

    fn skynet(&self, leaves: u64) -> Outcome {
        let _context = self.0.enter();
        let (report, end) = reports();
        let parent = spawn(|inbox| root(inbox, report));
        let clock = Clock::start();
        sky(0, leaves, parent);
        clock.stop(end.sum(1))
    }

    fn idle(&self, actors: u64) -> Outcome {
        let _context = self.0.enter();
        let census = Census::begin(actors);
        tokio::spawn(nursery(actors));
        census.end()
    }

    fn ask(&self, asks: u64, window: u64) -> Outcome {
        let _context = self.0.enter();
        let (report, end) = reports();
        let adder = spawn(adder);
        let asker = spawn(|go| asker(go, adder, asks, window, report));
        let clock = Clock::start();
        send(&asker, ());
        clock.stop(end.sum(1))
    }

    fn paced_outside(&self, pace: &Arc<Pace>, actors: u64) -> Outcome {
        let _context = self.0.enter();
        let to = paced_actors(pace, actors);
        pace.outside(|i| send(&to[(i % actors) as usize], i))
    }

    fn paced_inside(&self, pace: &Arc<Pace>, actors: u64) -> Outcome {
        let _context = self.0.enter();
        let to = paced_actors(pace, actors);
        let pacer = spawn(|go| pacer(go, Pacer::new(pace), to));
        pace.inside(|| send(&pacer, ()))
    }
}
