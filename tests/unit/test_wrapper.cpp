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

heist::system polled(void (*log)(void *, const char *) = nullptr)
{
	heist_config c = heist_config_default();
	c.mode = HEIST_POLLED;
	c.log = log ? log : [](void *, const char *) {};
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

void actors_that_never_start_leak_nothing()
{
	{
		heist::system s = polled();
		auto r = s.spawn<add>([c = counted()](heist::context, add &) {});
		EXPECT(alive == 1 && r);
		EXPECT(s.shutdown(1) == HEIST_OK);
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
	exceptions_are_failures();
	a_call_throws_its_status();
	children_end_first();
	names_can_be_read();
	EXPECT(alive == 0);
	std::puts("ok");
	return 0;
}
