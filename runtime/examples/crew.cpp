/* SPDX-License-Identifier: BSD-2-Clause
 * crew.cpp - C++: a supervised worker that a factory makes anew after each crash, and a clerk that asks it with a
 * lambda for the answer, and again after a while if there was none. */
#include <heist/heist.hpp>

#include <iostream>
#include <string>
#include <vector>

using namespace std::chrono_literals;

struct square { /* a request */
	using reply = std::int64_t;
	std::int64_t n;
};
struct errand {
	std::int64_t n;
};
struct again {
};
struct total {
	using reply = std::int64_t;
};

/* Fails at its third request, whoever it is: then there is a new one. */
struct worker {
	std::string name = "a name that is too long to be in place";
	int asked = 0;
	std::int64_t operator()(heist::context, square &m)
	{
		if (++asked == 3)
			throw std::runtime_error(name);
		return m.n * m.n;
	}
};

class clerk
{
      public:
	using ref = heist::ref<errand, again, total>;

	explicit clerk(heist::ref<square> worker) : worker_(worker)
	{
	}
	void operator()(heist::context c, errand &m)
	{
		open_.push_back(m.n);
		if (open_.size() == 1)
			ask(c);
	}
	void operator()(heist::context c, again &)
	{
		ask(c);
	}
	std::int64_t operator()(heist::context, total &)
	{
		return open_.empty() ? sum_ : 0;
	}

      private:
	void ask(heist::context c)
	{
		c.ask(worker_, square{ open_.front() }, 0,
		      [this](heist::context me, heist::answer<std::int64_t> a) {
			      if (a) {
				      sum_ += a.value();
				      open_.erase(open_.begin());
				      if (!open_.empty())
					      ask(me);
			      } else { /* it failed; the next incarnation has the same handle */
				      retry_ = me.after(me.self<errand, again, total>(), again{},
							1ms);
			      }
		      });
	}

	heist::ref<square> worker_;
	heist::timer retry_; /* cancelled with the clerk */
	std::vector<std::int64_t> open_;
	std::int64_t sum_ = 0;
};

int main()
{
	heist::system sys;
	auto [boss, squares] =
		sys.supervise(HEIST_ONE_FOR_ONE, heist::child<square>([] { return worker(); }));
	clerk::ref c = sys.spawn<errand, again, total>(clerk(squares));
	for (std::int64_t n = 1; n <= 6; n++)
		heist::check(sys.send(c, errand{ n }));
	std::int64_t sum = 0;
	while (sum == 0)
		sum = sys.call(c, total{}, sys.in(30s));
	std::cout << "sum of squares: " << sum << "\n";
	return boss && sum == 91 ? 0 : 1;
}
