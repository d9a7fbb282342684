/* SPDX-License-Identifier: BSD-2-Clause
 * counter.cpp - C++: a lambda is an actor, its capture its state; what it is sent is moved; what it throws is
 * a failure with a reason, and the runtime ends with its scope. */
#include <heist/heist.hpp>

#include <iostream>
#include <string>

struct word {
	std::string text;
};
struct total {
	using reply = std::int64_t;
};

int main()
{
	std::int64_t letters = 0;
	heist::system sys;
	auto counter =
		sys.spawn<word, total>([n = std::int64_t{ 0 }](heist::context, auto &m) mutable {
			if constexpr (std::is_same_v<std::decay_t<decltype(m)>, total>) {
				return n;
			} else {
				if (m.text == "stop")
					throw heist::error(HEIST_ECRASH);
				n += static_cast<std::int64_t>(m.text.size());
			}
		});
	for (const char *text : { "moved", "in", "and destroyed once" })
		heist::check(sys.send(counter, word{ text }));
	letters = sys.call(counter, total{}, sys.in(std::chrono::seconds(30)));
	heist::check(sys.send(counter, word{ "stop" }));
	try {
		(void)sys.call(counter, total{}, sys.in(std::chrono::seconds(30)));
	} catch (const heist::error &e) {
		std::cout << letters << " letters, then: " << e.what() << "\n";
		return letters == 25 ? 0 : 1;
	}
	return 1;
}
