// SPDX-License-Identifier: BSD-2-Clause
// The workloads of bench/peers/README.md as dynamically typed, function-based actors of CAF 0.17; those with
// state are stateful actors.  The driving thread is a scoped actor.
#include <algorithm>
#include <cstring>
#include <functional>
#include <memory>
#include <string>
#include <unistd.h>
#include <vector>

#include <caf/all.hpp>

#include "bench/peers/c-common/contract.h"

using namespace caf;

namespace
{

std::unique_ptr<actor_system_config> config;
std::unique_ptr<actor_system> sys;
std::unique_ptr<scoped_actor> driver;

using actors = std::shared_ptr<std::vector<actor>>;

// Of the sample that is under way: what sets off its work, what is left to measure, the actors to be ended.
struct {
	std::function<void()> start;
	std::function<void(sample *)> measure;
	actors all;
} current;

using go_atom = atom_constant<atom("go")>;
using ping_atom = atom_constant<atom("ping")>;
using pong_atom = atom_constant<atom("pong")>;
using credit_atom = atom_constant<atom("credit")>;
using ended_atom = atom_constant<atom("ended")>;
using had_atom = atom_constant<atom("had")>;
using look_atom = atom_constant<atom("look")>;

void finish(sample *s)
{
	if (current.measure)
		current.measure(s);
	for (auto &a : *current.all)
		anon_send_exit(a, exit_reason::user_shutdown);
	(*driver)->wait_for(*current.all);
	current = {};
}

// For the workload's function to fill in.
void prepare(sample *s, int64_t parts, int64_t operations, std::function<void()> start)
{
	*s = {};
	s->parts = parts;
	s->operations = operations;
	current.start = std::move(start);
	s->start = [] { current.start(); };
	s->end = finish;
}

template <class F> actors spawn_all(int64_t count, F f)
{
	auto all = std::make_shared<std::vector<actor>>();
	current.all = all;
	for (int64_t i = 0; i < count; i++)
		all->push_back(f(all, i));
	return all;
}

actor drive()
{
	return actor{ *driver };
}

template <class... Ts> void send_all(const actors &all, const Ts &...message)
{
	for (auto &a : *all)
		anon_send(a, message...);
}

// ---- ping_pong, thread_ring: balls with the hops left go to the next player ----

behavior player(event_based_actor *self, actor driving, actors all, int64_t next, int64_t hops)
{
	return { [=](int64_t left) {
		if (left == 0)
			self->send(driving, hops);
		else
			self->send((*all)[static_cast<size_t>(next)], left - 1);
	} };
}

void ring(int64_t count, int64_t tokens, int64_t hops, sample *s)
{
	auto all = spawn_all(count, [=](const actors &all, int64_t i) {
		return sys->spawn(player, drive(), all, (i + 1) % count, hops);
	});
	prepare(s, tokens, hops * tokens, [=] {
		for (int64_t i = 0; i < tokens; i++)
			anon_send((*all)[static_cast<size_t>(i % count)], hops - 1);
	});
}

// ---- one_way, fan_in: a credit back per window, the next window starts with it ----

struct left_state {
	int64_t left = 0;
};

behavior producer(stateful_actor<left_state> *self, actor counter, int64_t number, int64_t messages,
		  int64_t window)
{
	self->state.left = messages;
	return { [=](credit_atom) {
		int64_t n = std::min(self->state.left, window);
		self->state.left -= n;
		for (int64_t i = 0; i < n; i++)
			self->send(counter, number);
	} };
}

struct counter_state {
	int64_t count = 0;
	std::vector<int64_t> counts; // by producer
};

// The producers are behind it.
behavior counter(stateful_actor<counter_state> *self, actor driving, actors all, int64_t producers,
		 int64_t total, int64_t window)
{
	self->state.counts.resize(static_cast<size_t>(producers));
	return { [=](int64_t from) {
		auto &s = self->state;
		if (++s.counts[static_cast<size_t>(from)] == window) {
			s.counts[static_cast<size_t>(from)] = 0;
			self->send((*all)[static_cast<size_t>(from) + 1], credit_atom::value);
		}
		if (++s.count == total)
			self->send(driving, s.count);
	} };
}

void fan_in(const int64_t *p, sample *s)
{
	int64_t producers = p[0], window = p[2], each = share(p[1], producers, window),
		total = each * producers;
	auto all = spawn_all(producers + 1, [=](const actors &all, int64_t i) -> actor {
		if (i == 0)
			return sys->spawn(counter, drive(), all, producers, total, window);
		return sys->spawn(producer, all->front(), i - 1, each, window ? window : each);
	});
	prepare(s, 1, total, [=] {
		for (size_t i = 1; i < all->size(); i++)
			anon_send((*all)[i], credit_atom::value);
	});
}

void one_way(const int64_t *p, sample *s)
{
	int64_t q[] = { 1, p[0], p[1] };
	fan_in(q, s);
}

// ---- pairs: a window there, each answered; the next after the last answer ----

behavior ponger()
{
	return { [](ping_atom) { return pong_atom::value; } };
}

struct answered_state {
	int64_t answered = -1; // it begins with an answer that nobody gave
};

behavior window_pinger(stateful_actor<answered_state> *self, actor driving, actor other,
		       int64_t messages, int64_t window)
{
	return { [=](pong_atom) {
		int64_t n = ++self->state.answered;
		if (n == messages)
			self->send(driving, 2 * n);
		else if (n % window == 0)
			for (int64_t i = 0; i < window; i++)
				self->send(other, ping_atom::value);
	} };
}

void pairs(const int64_t *p, sample *s)
{
	int64_t window = p[2], each = share(p[1], p[0] * 2, window);
	auto all = spawn_all(2 * p[0], [=](const actors &all, int64_t i) -> actor {
		if (i % 2 == 0)
			return sys->spawn(ponger);
		return sys->spawn(window_pinger, drive(), all->back(), each, window);
	});
	prepare(s, p[0], 2 * each * p[0], [=] {
		for (size_t i = 1; i < all->size(); i += 2)
			anon_send((*all)[i], pong_atom::value);
	});
}

// ---- big: pings to random others, the next after the pong ----

struct big_state {
	uint64_t random = 0;
	int64_t pongs = -1;
};

behavior big_actor(stateful_actor<big_state> *self, actor driving, actors all, int64_t number,
		   int64_t count, int64_t pings, int64_t seed)
{
	self->state.random = static_cast<uint64_t>(seed);
	return {
		[](ping_atom) { return pong_atom::value; },
		[=](pong_atom) {
			auto &s = self->state;
			if (++s.pongs == pings) {
				self->send(driving, 2 * pings);
				return;
			}
			int64_t to = draw(&s.random, count - 1);
			self->send((*all)[static_cast<size_t>(to < number ? to : to + 1)],
				   ping_atom::value);
		},
	};
}

void big(const int64_t *p, sample *s)
{
	int64_t count = p[0], pings = p[1], seed = p[2];
	auto all = spawn_all(count, [=](const actors &all, int64_t i) {
		return sys->spawn(big_actor, drive(), all, i, count, pings, seed + i);
	});
	prepare(s, count, 2 * count * pings, [=] { send_all(all, pong_atom::value); });
}

// ---- chameneos ----

constexpr int64_t no_colour = 3; // there is nobody to meet any more

struct mall_state {
	int64_t left = 0, colour = 0;
	strong_actor_ptr waiting;
};

behavior mall(stateful_actor<mall_state> *self, int64_t meetings)
{
	self->state.left = meetings;
	return { [=](int64_t colour) {
		auto &s = self->state;
		auto &who = self->current_sender();
		if (s.left == 0) {
			self->send(actor_cast<actor>(who), no_colour);
		} else if (!s.waiting) {
			s.waiting = who;
			s.colour = colour;
		} else {
			self->send(actor_cast<actor>(s.waiting), colour);
			self->send(actor_cast<actor>(who), s.colour);
			s.waiting = nullptr;
			s.left--;
		}
	} };
}

struct creature_state {
	int64_t colour = 0, meetings = 0;
};

behavior creature(stateful_actor<creature_state> *self, actor driving, actor the_mall,
		  int64_t colour)
{
	self->state.colour = colour;
	return {
		[=](int64_t other) {
			auto &s = self->state;
			if (other == no_colour) {
				self->send(driving, s.meetings);
				return;
			}
			s.meetings++;
			if (other != s.colour)
				s.colour = 3 - s.colour - other;
			self->send(the_mall, s.colour);
		},
		[=](go_atom) { self->send(the_mall, self->state.colour); },
	};
}

void chameneos(const int64_t *p, sample *s)
{
	int64_t count = p[0], meetings = p[1];
	auto all = spawn_all(count + 1, [=](const actors &all, int64_t i) -> actor {
		if (i == 0)
			return sys->spawn(mall, meetings);
		return sys->spawn(creature, drive(), all->front(), (i - 1) % 3);
	});
	prepare(s, count, meetings, [=] {
		for (size_t i = 1; i < all->size(); i++)
			anon_send((*all)[i], go_atom::value);
	});
	s->expected = 2 * meetings;
}

// ---- message_ubench: balls forwarded at random ----

struct random_state {
	uint64_t random = 0;
};

behavior pinger(stateful_actor<random_state> *self, actor driving, actors all, int64_t count,
		int64_t hops, int64_t seed)
{
	self->state.random = static_cast<uint64_t>(seed);
	return { [=](int64_t left) {
		if (left == 0)
			self->send(driving, hops);
		else
			self->send((*all)[static_cast<size_t>(draw(&self->state.random, count))],
				   left - 1);
	} };
}

void message_ubench(const int64_t *p, sample *s)
{
	int64_t count = p[0], balls = p[1], hops = p[2] / (count * balls), seed = p[3];
	auto all = spawn_all(count, [=](const actors &all, int64_t i) {
		return sys->spawn(pinger, drive(), all, count, hops, seed + i);
	});
	prepare(s, count * balls, count * balls * hops, [=] {
		for (int64_t i = 0; i < balls; i++)
			send_all(all, hops);
	});
}

// ---- spawn_stop: lives of one message ----

behavior child(event_based_actor *self)
{
	return { [=](go_atom) {
		self->quit();
		return ended_atom::value;
	} };
}

struct mother_state {
	int64_t begun = 0, ended = 0;
};

behavior mother(stateful_actor<mother_state> *self, actor driving, int64_t lives)
{
	auto bear = [=] {
		if (self->state.begun == lives)
			return;
		self->state.begun++;
		self->send(self->spawn(child), go_atom::value);
	};
	return {
		[=](ended_atom) {
			if (++self->state.ended == lives)
				self->send(driving, lives);
			else
				bear();
		},
		[=](int64_t alive) {
			for (int64_t i = 0; i < alive; i++)
				bear();
		},
	};
}

void spawn_stop(const int64_t *p, sample *s)
{
	int64_t lives = p[0], alive = p[1];
	auto all = spawn_all(
		1, [=](const actors &, int64_t) { return sys->spawn(mother, drive(), lives); });
	prepare(s, 1, lives, [=] { send_all(all, alive); });
}

// ---- tree, skynet: nodes add up what their children send ----

struct node_state {
	int64_t sum = 0, missing = 0;
};

behavior node(stateful_actor<node_state> *self, actor parent, int64_t children)
{
	self->state.missing = children;
	return { [=](int64_t n) {
		auto &s = self->state;
		s.sum += n;
		if (--s.missing == 0) {
			self->send(parent, s.sum);
			self->quit();
		}
	} };
}

behavior fib(stateful_actor<node_state> *self, actor parent, int64_t n)
{
	if (n <= 2) {
		self->send(parent, int64_t{ 1 });
		return {};
	}
	self->spawn(fib, actor{ self }, n - 1);
	self->spawn(fib, actor{ self }, n - 2);
	return node(self, parent, 2);
}

behavior sky(stateful_actor<node_state> *self, actor parent, int64_t first, int64_t leaves)
{
	if (leaves == 1) {
		self->send(parent, first);
		return {};
	}
	for (int64_t i = 0; i < 10; i++)
		self->spawn(sky, actor{ self }, first + i * (leaves / 10), leaves / 10);
	return node(self, parent, 10);
}

void tree(const int64_t *p, sample *s)
{
	int64_t n = p[0];
	spawn_all(0, [](const actors &, int64_t) { return actor{}; });
	prepare(s, 1, 2 * fibonacci(n) - 1, [=] { sys->spawn(fib, drive(), n); });
	s->expected = fibonacci(n);
}

void skynet(const int64_t *p, sample *s)
{
	int64_t leaves = p[0];
	spawn_all(0, [](const actors &, int64_t) { return actor{}; });
	prepare(s, 1, (10 * leaves - 1) / 9,
		[=] { sys->spawn(sky, drive(), int64_t{ 0 }, leaves); });
	s->expected = leaves * (leaves - 1) / 2;
}

// ---- idle: what an actor costs that has had its message ----

struct idler_state {
	int64_t sum = 0, messages = 0;
};

behavior idler(stateful_actor<idler_state> *self)
{
	return { [=](int64_t n) {
		self->state.sum += n;
		self->state.messages++;
		return had_atom::value;
	} };
}

struct nursery_state {
	std::vector<actor> born;
	int64_t had = 0;
};

behavior nursery(stateful_actor<nursery_state> *self, actor driving, int64_t count)
{
	self->state.born.reserve(static_cast<size_t>(count));
	self->set_exit_handler([=](exit_msg &m) {
		for (auto &a : self->state.born)
			self->send_exit(a, m.reason);
		self->quit(m.reason);
	});
	return {
		[=](had_atom) {
			if (++self->state.had == count)
				self->send(driving, count);
		},
		[=](go_atom) {
			for (int64_t i = 0; i < count; i++) {
				self->state.born.push_back(self->spawn(idler));
				self->send(self->state.born.back(), i);
			}
		},
	};
}

void idle(const int64_t *p, sample *s)
{
	int64_t count = p[0], before = resident();
	auto all = spawn_all(
		1, [=](const actors &, int64_t) { return sys->spawn(nursery, drive(), count); });
	prepare(s, 1, count, [=] { send_all(all, go_atom::value); });
	s->tells_rss = true;
	current.measure = [=](sample *s) {
		sleep(1);
		s->rss = resident() - before;
	};
}

// ---- ask ----

behavior answerer()
{
	return { [](int64_t n) { return n; } };
}

struct asker_state {
	int64_t asked = 0, answered = 0;
};

void ask_next(stateful_actor<asker_state> *self, const actor &driving, const actor &other,
	      int64_t asks)
{
	if (self->state.asked == asks)
		return;
	self->request(other, std::chrono::seconds(10), ++self->state.asked).then([=](int64_t) {
		if (++self->state.answered == asks)
			self->send(driving, asks);
		else
			ask_next(self, driving, other, asks);
	});
}

behavior asker(stateful_actor<asker_state> *self, actor driving, actor other, int64_t asks)
{
	return { [=](go_atom, int64_t window) {
		for (int64_t i = 0; i < window; i++)
			ask_next(self, driving, other, asks);
	} };
}

void ask(const int64_t *p, sample *s)
{
	int64_t asks = p[0], window = p[1];
	auto all = spawn_all(2, [=](const actors &all, int64_t i) -> actor {
		if (i == 0)
			return sys->spawn(answerer);
		return sys->spawn(asker, drive(), all->front(), asks);
	});
	prepare(s, 1, asks, [=] { anon_send(all->back(), go_atom::value, window); });
}

// ---- paced_outside, paced_inside: sent at fixed times, whatever becomes of them ----

struct paced_state {
	int64_t count = 0;
};

behavior paced_receiver(stateful_actor<paced_state> *self, actor driving, int64_t *latencies,
			int64_t expected)
{
	return { [=](int64_t due) {
		auto &n = self->state.count;
		latencies[n++] = now_ns() - due;
		if (n == expected)
			self->send(driving, n);
	} };
}

struct pace {
	actors to; // the first so many
	int64_t count = 0, period = 0, messages = 0;
	int64_t sent = 0, due = 0; // due: the next one, from the first look on

	// Looks at the clock once and sends what is due; false: that was all.
	template <class Send> bool send_due(Send send)
	{
		int64_t now = now_ns();
		if (sent == 0)
			due = now;
		for (; sent < messages && due <= now; due += period)
			send((*to)[static_cast<size_t>(sent++ % count)], due);
		return sent < messages;
	}
};

behavior pacer(stateful_actor<pace> *self, pace p)
{
	self->state = std::move(p);
	return { [=](look_atom look) {
		if (self->state.send_due(
			    [=](const actor &to, int64_t due) { self->send(to, due); }))
			self->send(self, look);
	} };
}

// Without what starts it.
pace paced(const int64_t *p, sample *s)
{
	int64_t period = p[0], count = p[1], messages = p[2];
	auto latencies = std::make_shared<std::vector<int64_t>>(static_cast<size_t>(messages));
	int64_t *rest = latencies->data();
	auto all = spawn_all(count, [=](const actors &, int64_t i) mutable {
		int64_t expected = (messages + count - 1 - i) / count;
		rest += expected;
		return sys->spawn(paced_receiver, drive(), rest - expected, expected);
	});
	prepare(s, count, messages, nullptr);
	current.measure = [=](sample *s) { percentiles(latencies->data(), messages, s->latency); };
	return { all, count, period, messages };
}

void paced_outside(const int64_t *p, sample *s)
{
	current.start = [pace = paced(p, s)]() mutable {
		while (pace.send_due([](const actor &to, int64_t due) { anon_send(to, due); }))
			;
	};
}

void paced_inside(const int64_t *p, sample *s)
{
	actor sender = sys->spawn(pacer, paced(p, s));
	current.all->push_back(sender);
	current.start = [] { anon_send(current.all->back(), look_atom::value); };
}

void ping_pong(const int64_t *p, sample *s)
{
	ring(2, 1, p[0], s);
}

void thread_ring(const int64_t *p, sample *s)
{
	ring(p[0], p[1], p[2] / p[1], s);
}

// The documented settings that are best for a workload, where the defaults are not.
void tune(int workers, const std::string &workload)
{
	if (workload == "message_ubench" || workload == "chameneos" || workload == "spawn_stop" ||
	    (workload == "skynet" && workers == 1))
		config->set("scheduler.policy", atom("sharing"));
	// The worker looks for work without a pause.
	if (workload == "paced_outside")
		config->set("work-stealing.aggressive-poll-attempts", size_t{ 1 } << 40);
}

} // namespace

extern "C" {

const char peer_name[] = "caf", peer_runtime[] = PEER_BUILD;
const char peer_version[] = PEER_VERSION;

void peer_start(int workers, const char *workload)
{
	config = std::make_unique<actor_system_config>();
	config->set("scheduler.max-threads", static_cast<size_t>(workers));
	// An actor that sends itself messages would never end its turn.
	if (strcmp(workload, "paced_inside") == 0)
		config->set("scheduler.max-throughput", size_t{ 1 });
	if (PEER_TUNED)
		tune(workers, workload);
	sys = std::make_unique<actor_system>(*config);
	driver = std::make_unique<scoped_actor>(*sys);
}

// Not left to the end of the process: the system needs what the main thread has of its own.
void peer_stop(void)
{
	driver.reset();
	sys.reset();
	config.reset();
}

int64_t peer_await(int64_t parts)
{
	int64_t i = 0, sum = 0;
	(*driver)->receive_for(i, parts)([&](int64_t counted) { sum += counted; });
	return sum;
}

#include "bench/peers/c-common/table.h"
}
