/* SPDX-License-Identifier: BSD-2-Clause
 * heist.hpp: what is moved in arrives whole and is destroyed once, exceptions are failures with a reason,
 * scopes end runtimes.  Polled: what happens when is decided here. */
#include <heist/heist.hpp>

#include <cstdio>
#include <cstdlib>
#include <memory>
#include <string>
#include <vector>

#define EXPECT(cond)                                                                               \
	do {                                                                                       \
		if (!(cond)) {                                                                     \
			std::fprintf(stderr, "%s:%d: expected: %s\n", __FILE__, __LINE__, #cond);  \
			std::exit(1);                                                              \
		}                                                                                  \
	} while (0)

namespace
{

long alive; /* objects that count themselves */

struct counted {
	counted()
	{
		alive++;
	}
	counted(counted &&) noexcept
	{
		alive++;
	}
	counted(const counted &) = delete;
	counted &operator=(counted &&) noexcept = default;
	~counted()
	{
		alive--;
	}
};

struct text {
	std::string s; /* short ones point into themselves */
	counted c;
};
struct large {
	std::vector<std::string> lines;
	std::array<char, 100> more;
	counted c;
};
struct add {
	std::int64_t by;
};
struct total {
	using reply = std::int64_t;
};
struct fail {
	int how;
};

heist::system polled(void (*log)(void *, const heist_log_line *) = nullptr)
{
	heist_config c = heist_config_default();
	c.mode = HEIST_POLLED;
	c.log = log ? log : [](void *, const heist_log_line *) {};
	return heist::system(c);
}

void run(const heist::system &s)
{
	while (heist_poll(s.get(), 0, 100) > 0)
		;
}

void captures_are_state()
{
	heist::system s = polled();
	auto counter = s.spawn<add, total>(heist::overloaded{
		[n = std::int64_t{ 0 }](heist::context, auto &m) mutable {
			if constexpr (std::is_same_v<std::decay_t<decltype(m)>, add>) {
				n += m.by;
				return HEIST_CONTINUE;
			} else {
				return n;
			}
		},
	});
	for (int i = 1; i <= 10; i++)
		EXPECT(counter.send(add{ i }) == HEIST_OK);
	EXPECT(s.call(counter, total{}) == 55);
	heist::ref<add> less = counter;
	EXPECT(less && less.raw().v == counter.raw().v && heist::ref<add>() != less);
	EXPECT(less.stop() == HEIST_OK);
	run(s);
	EXPECT(less.send(add{ 1 }) == HEIST_EDEAD);
}

void payloads_are_moved_and_destroyed_once()
{
	std::string heard;
	{
		heist::system s = polled();
		auto r = s.spawn<text, large>(heist::overloaded{
			[&heard](heist::context, text &m) { heard += m.s; },
			[&heard, keep = std::vector<large>()](heist::context, large &m) mutable {
				keep.push_back(std::move(m));
				heard += keep.back().lines.back();
			},
		});
		EXPECT(s.send(r, text{ "short", {} }) == HEIST_OK);
		EXPECT(s.send(r, text{ std::string(1000, 'x'), {} }) == HEIST_OK);
		EXPECT(s.send(r, large{ { "a", "end" }, {}, {} }) == HEIST_OK);
		run(s);
		EXPECT(heard == "short" + std::string(1000, 'x') + "end");
		EXPECT(alive == 1); /* in the actor's state */
		EXPECT(s.send(r, text{ "never heard", {} }) == HEIST_OK);
		EXPECT(r.kill() == HEIST_OK);
		EXPECT(alive == 2);
		run(s);
		EXPECT(alive == 0);
		heist_status dead = s.send(r, text{ "to the dead", {} });
		EXPECT(dead == HEIST_EDEAD && alive == 0);
	}
	EXPECT(heard.size() == 1008);
}

/* Of a shutdown that is late. */
const int more_than_turns = 2000;

void actors_that_never_start_leak_nothing()
{
	int started = 0;
	{
		heist::system s = polled();
		for (int i = 0; i < more_than_turns; i++) {
			auto r = s.spawn<add>(
				[&, c = counted()](heist::context, add &) { started++; });
			EXPECT(r && r.send(add{ 1 }) == HEIST_OK);
		}
		EXPECT(alive == more_than_turns);
		EXPECT(s.shutdown(1) == HEIST_OK);
		EXPECT(started > 0 && started < more_than_turns);
		EXPECT(alive == 0 && s.get() == nullptr);
	}
	heist::system s = polled();
	EXPECT(heist_close(s.get()) == HEIST_OK);
	bool refused = false;
	try {
		(void)s.spawn<add>([c = counted()](heist::context, add &) {});
	} catch (const heist::error &e) {
		refused = e.status() == HEIST_ECLOSED && std::string(e.what()).size() > 0;
	}
	EXPECT(refused && alive == 0);
}

/* A runtime that may allocate so many pieces of memory more. */
int pieces;

heist::system rationed()
{
	heist_config c = heist_config_default();
	c.mode = HEIST_POLLED;
	c.log = [](void *, const heist_log_line *) {};
	c.alloc = [](void *, std::size_t size, std::size_t align) -> void * {
		return pieces-- > 0 ? std::aligned_alloc(align, (size + align - 1) / align * align)
				    : nullptr;
	};
	c.dealloc = [](void *, void *p, std::size_t) { std::free(p); };
	pieces = 1000000;
	return heist::system(c);
}

void a_spawn_that_fails_destroys_its_callable()
{
	heist::system s = rationed();
	heist_opts o = heist_opts_default();
	o.stash_cap = 1; /* takes memory */
	int tried = -1;
	for (heist::ref<add> r; !r;) {
		pieces = ++tried;
		try {
			r = s.spawn<add>([c = counted()](heist::context, add &) {}, &o);
		} catch (const heist::error &e) {
			EXPECT(e.status() == HEIST_ENOMEM && alive == 0);
		}
	}
	pieces = 1000000;
	EXPECT(tried >= 2 && alive == 1); /* without memory for the callable, for the actor */
	EXPECT(s.shutdown(1) == HEIST_OK);
	EXPECT(alive == 0);
}

void a_child_that_never_starts_leaks_nothing()
{
	int started = 0;
	heist::system s = polled();
	auto parent = s.spawn<add>([&started, c = counted()](heist::context me, add &m) {
		for (int i = 0; i < more_than_turns; i++) {
			auto child = me.spawn_child<add>(
				[&started, o = counted()](heist::context, add &) { started++; });
			EXPECT(me.send(child, m) == HEIST_OK);
		}
	});
	EXPECT(parent.send(add{ 1 }) == HEIST_OK);
	EXPECT(heist_poll(s.get(), 0, 1) == 1);
	EXPECT(alive == 1 + more_than_turns);
	EXPECT(s.shutdown(1) == HEIST_OK);
	EXPECT(started > 0 && started < more_than_turns && alive == 0);
}

/* ---- a callable is there before any message ---- */

struct heard {
	std::int64_t sum = 0, elsewhere = 0;
};

heist::ref<add> listening(const heist::system &s, heard &h, const heist_opts *o)
{
	return s.spawn<add>([&h, v = std::vector<std::int64_t>{ 1, 10, 100 },
			     c = counted()](heist::context, add &m) { h.sum += v.at(2) * m.by; },
			    o);
}

void a_full_mailbox_has_room_for_the_callable()
{
	for (heist_overflow how :
	     { HEIST_REJECT, HEIST_DROP_NEW, HEIST_DROP_OLD, HEIST_REDIRECT }) {
		heard h;
		heist::system s = polled();
		heist_opts o = heist_opts_default();
		auto other = s.spawn<add>([&h](heist::context, add &m) { h.elsewhere += m.by; });
		o.mailbox_cap = 1;
		o.overflow = how;
		if (how == HEIST_REDIRECT)
			o.redirect = other.raw();
		auto r = listening(s, h, &o);
		EXPECT(r.send(add{ 1 }) == HEIST_OK);
		EXPECT(r.send(add{ 2 }) == (how == HEIST_REJECT ? HEIST_EFULL : HEIST_OK));
		run(s);
		EXPECT(h.sum == (how == HEIST_DROP_OLD ? 200 : 100));
		EXPECT(h.elsewhere == (how == HEIST_REDIRECT ? 2 : 0));
		EXPECT(alive == 1 && r.kill() == HEIST_OK);
		run(s);
		EXPECT(alive == 0);
	}
}

void nothing_overtakes_the_callable()
{
	heard h;
	heist::system s = polled();
	auto r = listening(s, h, nullptr);
	add urgent = { 5 };
	EXPECT(heist_send_urgent(r.raw(), &heist::type<add>, &urgent) == HEIST_OK);
	run(s);
	EXPECT(h.sum == 500 && r.kill() == HEIST_OK);
	auto killed = listening(s, h, nullptr);
	EXPECT(killed.kill() == HEIST_OK);
	run(s);
	EXPECT(h.sum == 500 && alive == 0);
}

/* ---- messages that are kept ---- */

/* Points to itself, and owns nothing. */
struct rooted {
	const rooted *here = this;
	rooted() = default;
	rooted(rooted &&) noexcept : here(this)
	{
	}
};
static_assert(sizeof(rooted) <= 40 && sizeof(text) <= 40 && sizeof(large) > 40);

bool is_whole(const rooted &m)
{
	return m.here == &m;
}
bool is_whole(const text &m)
{
	const char *begin = reinterpret_cast<const char *>(&m), *p = m.s.data();
	return m.s == "short" && p >= begin && p < begin + sizeof m;
}
bool is_whole(const large &m)
{
	return m.lines.size() == 2 && m.lines[0] == "a" && m.more[99] == 'z';
}

template <class M> M whole()
{
	if constexpr (std::is_same_v<M, text>) {
		return text{ "short", {} };
	} else if constexpr (std::is_same_v<M, large>) {
		large m{ { "a", "end" }, {}, {} };
		m.more[99] = 'z';
		return m;
	} else {
		return M();
	}
}

struct keep {
	enum how { STASH, UNSTASH, STASH_AND_THROW, TAKE, TAKE_AND_STOP, DISCARD, POST, ASK } how;
};
struct silent {
	using reply = std::int64_t;
};

/* Does with a message what it was told last. */
template <class M> struct keeper {
	heist::ref<M> next;
	heist::ref<silent> asked;
	std::vector<void *> *taken;
	int *seen;
	enum keep::how how = keep::UNSTASH;
	counted c = {};

	void operator()(heist::context me, keep &k)
	{
		how = k.how;
		if (how == keep::UNSTASH)
			(void)heist_unstash(me.get());
		if (how != keep::ASK)
			return;
		me.ask(asked, silent{}, 0, [](heist::context, heist::answer<std::int64_t>) {});
		EXPECT(heist_hold(me.get()) == HEIST_OK);
	}
	heist_next operator()(heist::context me, M &m)
	{
		EXPECT(is_whole(m));
		if (how == keep::STASH || how == keep::STASH_AND_THROW)
			EXPECT(heist_stash(me.get(), &m) == HEIST_OK);
		if (how == keep::STASH_AND_THROW)
			throw 1;
		if (how == keep::UNSTASH || how == keep::ASK)
			++*seen;
		if (how == keep::STASH || how == keep::UNSTASH || how == keep::ASK)
			return HEIST_CONTINUE;
		void *mine = heist_take(me.get(), &m);
		EXPECT(mine == &m && heist_take(me.get(), &m) == nullptr);
		if (how == keep::POST)
			EXPECT(heist_post(next.raw(), &mine) == HEIST_OK);
		if (how == keep::DISCARD)
			heist_discard(&mine);
		if (mine)
			taken->push_back(mine);
		return how == keep::TAKE_AND_STOP ? HEIST_STOP : HEIST_CONTINUE;
	}
};

template <class M> struct keeping {
	heist::system s = polled();
	int seen = 0, arrived = 0, objects = std::is_same_v<M, rooted> ? 0 : 1;
	std::vector<void *> taken;
	heist_token owed = {};
	heist::ref<silent> server = s.spawn<silent>([this](heist::context c, silent &) {
		owed = heist_reply_later(c.get(), &heist::type<silent>);
		return HEIST_CONTINUE;
	});
	heist::ref<M> sink = s.spawn<M>([this](heist::context, M &m) { arrived += is_whole(m); });
	heist::ref<keep, M> r = s.spawn<keep, M>(keeper<M>{ sink, server, &taken, &seen });

	/* Messages that are left are n. */
	bool left(long n)
	{
		run(s);
		return alive == 1 + n * objects;
	}
	void tell(enum keep::how how, int messages)
	{
		EXPECT(r.send(keep{ how }) == HEIST_OK);
		for (int i = 0; i < messages; i++)
			EXPECT(s.send(r, whole<M>()) == HEIST_OK);
	}
};

template <class M> void what_is_stashed_lives_on()
{
	keeping<M> k;
	k.tell(keep::STASH, 3);
	EXPECT(k.left(3) && k.seen == 0);
	k.tell(keep::UNSTASH, 1);
	EXPECT(k.left(0) && k.seen == 4);
	k.tell(keep::STASH, 2);
	EXPECT(k.left(2));
	k.tell(keep::STASH_AND_THROW, 1);
	run(k.s);
	EXPECT(alive == 0 && heist_lost_count(k.s.get(), HEIST_LOST_STOPPED) == 3);
}

template <class M> void what_is_taken_is_its_takers()
{
	keeping<M> k;
	k.tell(keep::TAKE, 2);
	EXPECT(k.left(2) && k.taken.size() == 2 && is_whole(*static_cast<M *>(k.taken[1])));
	k.tell(keep::POST, 2);
	EXPECT(k.left(2) && k.arrived == 2);
	k.tell(keep::DISCARD, 2);
	EXPECT(k.left(2));
	k.tell(keep::TAKE_AND_STOP, 1);
	run(k.s);
	EXPECT(alive == 3 * k.objects && k.r.send(keep{ keep::TAKE }) == HEIST_EDEAD);
	EXPECT(heist_post(k.sink.raw(), &k.taken[0]) == HEIST_OK);
	heist_discard(&k.taken[1]);
	heist_discard(&k.taken[2]);
	run(k.s);
	EXPECT(alive == 0 && k.arrived == 3);
}

template <class M> void what_is_held_back_comes_whole()
{
	std::int64_t reply = 1;
	{
		keeping<M> k;
		k.tell(keep::ASK, 3);
		EXPECT(k.left(3) && k.seen == 0);
		EXPECT(heist_reply_to(k.owed, HEIST_OK, &heist::type<silent>, &reply) == HEIST_OK);
		EXPECT(k.left(0) && k.seen == 3);
		k.tell(keep::ASK, 2);
		EXPECT(k.left(2) && k.r.kill() == HEIST_OK);
		run(k.s);
		EXPECT(alive == 0);
	}
	keeping<M> k; /* the runtime ends before the answer */
	k.tell(keep::ASK, 2);
	EXPECT(k.left(2) && k.s.shutdown(1) == HEIST_OK);
	EXPECT(alive == 0);
}

template <class M> void messages_are_kept()
{
	what_is_stashed_lives_on<M>();
	what_is_taken_is_its_takers<M>();
	what_is_held_back_comes_whole<M>();
}

heist_status reason;
int ends;

void exceptions_are_failures()
{
	static const heist_hooks hooks = {
		0, sizeof(heist_ref),
		[](heist_ctx *c, void *, const void *arg) {
			return heist_monitor(c, *static_cast<const heist_ref *>(arg)) == HEIST_OK
				       ? HEIST_CONTINUE
				       : HEIST_FAIL;
		},
		nullptr,
		[](heist_ctx *, void *, const heist_signal *sig) {
			reason = sig->how == HEIST_EXIT_CRASHED ? sig->status : HEIST_OK;
			ends++;
			return HEIST_CONTINUE;
		}
	};
	static const heist_class watcher = { "watcher", HEIST_ABI, 0, heist_unhandled, &hooks };
	static const heist_status mine = static_cast<heist_status>(HEIST_EUSER - 7);
	const heist_status expected[] = { HEIST_ECRASH, mine, HEIST_ECRASH };
	for (int how = 0; how < 3; how++) {
		heist::system s = polled();
		auto r = s.spawn<fail, text>(heist::overloaded{
			[](heist::context, fail &m) {
				std::unique_ptr<counted> local = std::make_unique<counted>();
				if (m.how == 0)
					throw std::runtime_error("unwound");
				if (m.how == 1)
					throw heist::error(mine);
				throw 3;
			},
			[c = counted()](heist::context, text &) -> heist_next { throw 1; },
		});
		heist_ref w, raw = r.raw();
		run(s);
		EXPECT(heist_spawn(s.get(), &watcher, nullptr, &raw, &w) == HEIST_OK);
		run(s);
		EXPECT(r.send(fail{ how }) == HEIST_OK);
		run(s);
		EXPECT(ends == how + 1 && reason == expected[how] && alive == 0);
		EXPECT(heist_lost_count(s.get(), HEIST_LOST_FAILED) == 1);
	}
	heist::system s = polled(); /* a message whose handler throws is destroyed, too */
	auto r = s.spawn<text>([](heist::context, text &) { throw 1; });
	EXPECT(s.send(r, text{ "x", {} }) == HEIST_OK);
	run(s);
	EXPECT(alive == 0);
}

void a_call_throws_its_status()
{
	heist::system s = polled();
	auto r = s.spawn<total>([](heist::context, total &) -> std::int64_t { throw 1; });
	heist_status got = HEIST_OK;
	try {
		(void)s.call(r, total{});
	} catch (const heist::error &e) {
		got = e.status();
	}
	EXPECT(got == HEIST_ECRASH);
}

void children_end_first()
{
	std::string order;
	struct last_word {
		std::string *order;
		char c;
		last_word(std::string *o, char x) : order(o), c(x)
		{
		}
		last_word(last_word &&other) noexcept
		    : order(std::exchange(other.order, nullptr)), c(other.c)
		{
		}
		~last_word()
		{
			if (order)
				*order += c;
		}
	};
	heist::system s = polled();
	auto p = s.spawn<add>([w = last_word(&order, 'p'), &order](heist::context c, add &m) {
		char name = static_cast<char>('a' + m.by);
		auto child =
			c.spawn_child<add>([w = last_word(&order, name)](heist::context, add &) {});
		EXPECT(c.send(child, add{ 1 }) == HEIST_OK);
	});
	for (int i = 0; i < 3; i++)
		EXPECT(s.send(p, add{ i }) == HEIST_OK);
	run(s);
	EXPECT(order.empty());
	EXPECT(p.stop() == HEIST_OK);
	run(s);
	EXPECT(order == "cbap");
}

/* ---- asks ---- */

struct go {
	int how;
};
struct number {
	using reply = std::int64_t;
	std::int64_t n;
};
struct never {
	using reply = std::int64_t;
};

heist::ref<number, never> answering(const heist::system &s)
{
	return s.spawn<number, never>([](heist::context, auto &m) {
		if constexpr (std::is_same_v<std::decay_t<decltype(m)>, number>) {
			if (m.n < 0)
				throw heist::error(static_cast<heist_status>(HEIST_EUSER - 1));
			return m.n * 2;
		} else {
			return HEIST_CONTINUE; /* owes the reply, and gives none */
		}
	});
}

void asks_are_answered_by_callables()
{
	std::int64_t sum = 0;
	heist_status why = HEIST_OK;
	std::string kept;
	heist::system s = polled();
	auto server = answering(s);
	auto client = s.spawn<go>([&, server](heist::context c, go &m) {
		if (m.how == 0) /* travels with the request */
			c.ask(server, number{ 4 }, 0,
			      [&sum](heist::context, heist::answer<std::int64_t> a) {
				      sum += a.value();
			      });
		if (m.how == 1) /* is kept by the actor */
			c.ask(server, number{ 5 }, 0,
			      [&, text = std::string(100, 'x'),
			       o = counted()](heist::context me, heist::answer<std::int64_t> a) {
				      sum += a ? a.value() : 0;
				      kept = text;
				      EXPECT(me.self<go>().raw().v != 0 && alive > 0);
			      });
		if (m.how == 2)
			c.ask(server, never{}, 0,
			      [&why, o = counted()](heist::context, heist::answer<std::int64_t> a) {
				      why = a.status();
				      EXPECT(!a);
			      });
	});
	for (int how = 0; how < 3; how++)
		EXPECT(client.send(go{ how }) == HEIST_OK);
	run(s);
	EXPECT(sum == 18 && kept == std::string(100, 'x') && why == HEIST_ENOREPLY && alive == 0);
}

void an_actor_that_ends_forgets_what_it_asked()
{
	bool told = false;
	{
		heist::system s = polled();
		auto silent = s.spawn<never>([](heist::context c, never &) {
			(void)heist_reply_later(c.get(), &heist::type<never>);
			return HEIST_CONTINUE;
		});
		auto client = s.spawn<go>([&told, silent](heist::context c, go &) {
			for (int i = 0; i < 3; i++)
				c.ask(silent, never{}, 0,
				      [&told, o = counted()](heist::context,
							     heist::answer<std::int64_t>) {
					      told = true;
				      });
		});
		EXPECT(client.send(go{ 0 }) == HEIST_OK);
		run(s);
		EXPECT(alive == 3 && !told);
		EXPECT(client.stop() == HEIST_OK);
		run(s);
		EXPECT(alive == 0 && !told);
	}
	EXPECT(alive == 0 && !told);
}

void what_a_continuation_throws_is_a_failure()
{
	std::int64_t after = 0;
	heist::system s = polled();
	auto server = answering(s);
	auto client = s.spawn<go, total>([&, server](heist::context c, auto &m) {
		if constexpr (std::is_same_v<std::decay_t<decltype(m)>, total>) {
			return std::int64_t{ 1 };
		} else {
			c.ask(server, number{ -1 }, 0,
			      [&after, o = counted()](heist::context,
						      heist::answer<std::int64_t> a) {
				      after = a.value(); /* there is none */
			      });
		}
	});
	EXPECT(client.send(go{ 0 }) == HEIST_OK);
	run(s);
	EXPECT(after == 0 && alive == 0 && client.send(go{ 0 }) == HEIST_EDEAD);
}

void an_ask_that_cannot_be_sent_is_thrown()
{
	bool caught = false;
	heist::system s = polled();
	auto gone = answering(s);
	EXPECT(gone.kill() == HEIST_OK);
	run(s);
	auto client = s.spawn<go>([&caught, gone](heist::context c, go &) {
		try {
			c.ask(gone, number{ 1 }, 0,
			      [o = counted()](heist::context, heist::answer<std::int64_t>) {});
		} catch (const heist::error &e) {
			caught = e.status() == HEIST_EDEAD && alive == 0;
		}
	});
	EXPECT(client.send(go{ 0 }) == HEIST_OK);
	run(s);
	EXPECT(caught);
}

/* ---- timers ---- */

std::uint64_t instant;

heist::system clocked()
{
	heist_config c = heist_config_default();
	c.mode = HEIST_POLLED;
	instant = 1000000000;
	c.clock = [](void *, heist_clock) { return instant; };
	return heist::system(c);
}

void pass(const heist::system &s, std::chrono::nanoseconds d)
{
	for (auto step = d / 10; d.count() > 0; d -= step) {
		instant += static_cast<std::uint64_t>(step.count());
		run(s);
	}
}

struct tick {
	int which;
};

void timers_end_with_their_object()
{
	using namespace std::chrono_literals;
	int ticks[4] = {};
	heist::system s = clocked();
	auto a = s.spawn<go, tick>([&ticks, t = heist::timer(),
				    u = heist::timer()](heist::context c, auto &m) mutable {
		auto me = c.self<go, tick>();
		EXPECT(c.recent() != 0 && c.recent() <= heist_now(heist_system_of(c.get())));
		if constexpr (std::is_same_v<std::decay_t<decltype(m)>, tick>) {
			ticks[m.which]++;
		} else if (m.how == 0) {
			t = c.every(me, tick{ 0 }, 10ms);
			u = c.after(me, tick{ 1 }, 15ms);
			heist::timer gone =
				c.after(me, tick{ 2 }, 1ms); /* at the end of this block */
			EXPECT(gone && !heist::timer());
			(void)c.after(me, tick{ 3 }, 1ms).release();
		} else if (m.how == 1) {
			EXPECT(u.cancel() == HEIST_EDEAD); /* it has fired */
			t = c.after(me, tick{ 1 }, 10ms);  /* the one before is cancelled */
		} else {
			t = heist::timer();
		}
	});
	EXPECT(a.send(go{ 0 }) == HEIST_OK);
	run(s);
	pass(s, 100ms);
	EXPECT(ticks[0] >= 9 && ticks[0] <= 10 && ticks[1] == 1 && ticks[2] == 0 && ticks[3] == 1);
	EXPECT(a.send(go{ 1 }) == HEIST_OK);
	run(s);
	int before = ticks[0];
	pass(s, 100ms);
	EXPECT(ticks[0] == before && ticks[1] == 2);
	EXPECT(a.send(go{ 1 }) == HEIST_OK && a.send(go{ 2 }) == HEIST_OK);
	run(s);
	pass(s, 100ms);
	EXPECT(ticks[1] == 2);
	heist_stats st = heist_stats_default();
	EXPECT(a.send(go{ 0 }) == HEIST_OK && a.stop() == HEIST_OK);
	run(s);
	EXPECT(heist_get_stats(s.get(), &st) == HEIST_OK);
	EXPECT(st.timers_armed == st.timers_fired + st.timers_cancelled);
}

/* ---- supervision ---- */

struct parser {
	std::int64_t sum = 100;
	counted c = {};
	std::int64_t operator()(heist::context, total &)
	{
		return sum;
	}
	void operator()(heist::context, add &m)
	{
		if (m.by < 0)
			throw std::runtime_error("no number");
		sum += m.by;
	}
};

void children_are_made_anew()
{
	int made = 0;
	heist::system s = polled();
	auto [sup, first, second] = s.supervise(
		HEIST_ONE_FOR_ONE,
		heist::child<add, total>([&made] { return made++, parser(); }).named("first"),
		heist::child<add>([](heist::context c) {
			return [me = c.self<add>().raw().v, o = counted()](heist::context, add &m) {
				EXPECT(m.by == 1 && me != 0);
			};
		}).restart(HEIST_TEMPORARY));
	run(s);
	EXPECT(sup && made == 1 && alive == 2);
	EXPECT(first.send(add{ 5 }) == HEIST_OK && second.send(add{ 1 }) == HEIST_OK);
	EXPECT(s.call(first, total{}) == 105);
	EXPECT(first.send(add{ -1 }) == HEIST_OK && first.send(add{ 7 }) == HEIST_OK);
	EXPECT(s.call(first, total{}) == 107 && made == 2 && alive == 2); /* the same handle */
	auto third = s.add_child(sup, heist::child<add, total>([] { return parser(); }));
	run(s);
	EXPECT(alive == 3 && s.call(third, total{}) == 100);
	EXPECT(sup.stop() == HEIST_OK);
	run(s);
	EXPECT(alive == 0 && first.send(add{ 1 }) == HEIST_EDEAD);
}

void a_factory_that_throws_fails_its_child()
{
	int tries = 0;
	heist::system s = polled();
	heist_sup how = heist_sup_default();
	how.intensity = 3;
	auto [sup, child] = s.supervise(how, heist::child<add, total>([&tries] {
						     tries++;
						     if (tries > 0)
							     throw std::bad_alloc();
						     return parser();
					     }).restart(HEIST_PERMANENT));
	run(s);
	EXPECT(tries == 4 && alive == 0 && child.send(add{ 1 }) == HEIST_EDEAD);
	EXPECT(sup.stop() == HEIST_EDEAD); /* too many in too short a time */
	auto [empty] = s.supervise(HEIST_ONE_FOR_ALL);
	run(s);
	EXPECT(empty.stop() == HEIST_OK);
}

void names_can_be_read()
{
	EXPECT(std::string(heist::type<add>.name).find("add") != std::string::npos);
	EXPECT(heist::type<add>.drops == nullptr && heist::type<text>.drops != nullptr);
	EXPECT(heist::type<total>.reply_size == 8 && heist::type<add>.reply_size == 1);
}

} // namespace

int main()
{
	captures_are_state();
	payloads_are_moved_and_destroyed_once();
	actors_that_never_start_leak_nothing();
	a_spawn_that_fails_destroys_its_callable();
	a_child_that_never_starts_leaks_nothing();
	a_full_mailbox_has_room_for_the_callable();
	nothing_overtakes_the_callable();
	messages_are_kept<rooted>();
	messages_are_kept<text>();
	messages_are_kept<large>();
	exceptions_are_failures();
	a_call_throws_its_status();
	children_end_first();
	asks_are_answered_by_callables();
	an_actor_that_ends_forgets_what_it_asked();
	what_a_continuation_throws_is_a_failure();
	an_ask_that_cannot_be_sent_is_thrown();
	timers_end_with_their_object();
	children_are_made_anew();
	a_factory_that_throws_fails_its_child();
	names_can_be_read();
	EXPECT(alive == 0);
	std::puts("ok");
	return 0;
}
