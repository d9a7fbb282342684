/* SPDX-License-Identifier: BSD-2-Clause
 * heist/heist.hpp - Heist for C++17: runtimes that end with their scope, callables as actors, messages that
 * are moved in, exceptions that become failures.  A header over heist.h, which it does not hide: everything
 * here has get() or raw(), and works with the functions there.
 *
 *     struct add { std::int64_t by; };
 *     struct total { using reply = std::int64_t; };
 *
 *     heist::system sys;
 *     auto counter = sys.spawn<add, total>(heist::overloaded{
 *         [n](heist::context, add &m) mutable { ... }, ... });
 *     sys.send(counter, add{ 1 });
 *     std::int64_t n = sys.call(counter, total{});
 *
 * Message     any movable type of alignment 8 or less.  It is moved into the message, handed to the actor by
 *             reference, and destroyed when its handler has returned, or when it is lost.  `using reply = R`:
 *             it is a request; R is trivially copyable.
 * Actor       a callable with an overload for each message type: void or heist_next answers as in C, a value
 *             is the reply to a request.  Its captures are the actor's state, destroyed after its last turn.
 * Exceptions  out of a handler: the actor fails as by heist_panic, with the status of a heist::error, else
 *             HEIST_ECRASH; what it threw is destroyed.  Destructors must not throw.
 * Cost        that of the C functions: types and classes are constants, dispatch compares pointers.  A callable
 *             that is not trivially copyable comes with a message of its own, the actor's first.
 * Threads     as in heist.h: system and ref on any, context in its handler only. */
#ifndef HEIST_HEIST_HPP
#define HEIST_HEIST_HPP

#include <heist/heist.h>

#include <array>
#include <chrono>
#include <cstring>
#include <new>
#include <stdexcept>
#include <string_view>
#include <type_traits>
#include <utility>

namespace heist
{

/* A status that is an error. */
class error : public std::runtime_error
{
      public:
	explicit error(heist_status status)
	    : std::runtime_error(heist_strstatus(status)), status_(status)
	{
	}
	heist_status status() const noexcept
	{
		return status_;
	}

      private:
	heist_status status_;
};

inline void check(heist_status status)
{
	if (status < 0)
		throw error(status);
}

/* One callable of several: overloaded{ f, g }. */
template <class... F> struct overloaded : F... {
	using F::operator()...;
};
template <class... F> overloaded(F...) -> overloaded<F...>;

/* ---- what the compiler knows of a message type ---- */

namespace detail
{
template <class M, class = void> struct reply {
	using type = heist_unit;
};
template <class M> struct reply<M, std::void_t<typename M::reply>> {
	using type = typename M::reply;
	static_assert(std::is_trivially_copyable_v<type>, "a reply is copied as bytes");
	static_assert(sizeof(type) != sizeof(heist_unit), "a reply has more than one byte");
};

/* The name of M, out of that of this function. */
template <class M> constexpr std::string_view spelled()
{
	std::string_view all = __PRETTY_FUNCTION__;
	std::size_t begin = all.find("M = ") + 4;
	return all.substr(begin, all.find_first_of("];", begin) - begin);
}
template <class M> constexpr auto make_name()
{
	std::array<char, spelled<M>().size() + 1> text{};
	for (std::size_t i = 0; i + 1 < text.size(); i++)
		text[i] = spelled<M>()[i];
	return text;
}
template <class M> inline constexpr auto name = make_name<M>();

template <class M> void drop(void *payload)
{
	static_cast<M *>(payload)->~M();
}
template <class M> inline constexpr heist_drops drops = { drop<M>, nullptr };
} // namespace detail

template <class M> using reply_t = typename detail::reply<M>::type;
template <class M> inline constexpr bool is_request = !std::is_same_v<reply_t<M>, heist_unit>;

/* The descriptor of a message type, for the functions of heist.h. */
template <class M>
inline constexpr heist_type type = { &type<M>,
				     detail::name<M>.data(),
				     0,
				     sizeof(M),
				     sizeof(reply_t<M>),
				     0,
				     std::is_trivially_destructible_v<M> ? nullptr
									 : &detail::drops<M>,
				     nullptr };

/* ---- handles ---- */

/* An actor that understands these messages.  A plain value. */
template <class... Ms> class ref
{
      public:
	template <class M> static constexpr bool takes = (std::is_same_v<M, Ms> || ...);

	ref() = default;
	explicit ref(heist_ref r) noexcept : ref_(r)
	{
	}
	/* Fewer messages. */
	template <class... More,
		  class = std::enable_if_t<(ref<More...>::template takes<Ms> && ...)>>
	ref(ref<More...> other) noexcept : ref_(other.raw())
	{
	}
	heist_ref raw() const noexcept
	{
		return ref_;
	}
	explicit operator bool() const noexcept
	{
		return ref_.v != 0;
	}
	friend bool operator==(ref a, ref b) noexcept
	{
		return a.ref_.v == b.ref_.v;
	}
	friend bool operator!=(ref a, ref b) noexcept
	{
		return a.ref_.v != b.ref_.v;
	}
	/* A message that is plain bytes, from anywhere. */
	template <class M> heist_status send(const M &m) const noexcept
	{
		static_assert(takes<M>, "the actor does not take this message");
		static_assert(std::is_trivially_copyable_v<M>, "send it by system or context");
		return heist_send(ref_, &type<M>, &m);
	}
	heist_status stop(heist_status why = HEIST_OK) const noexcept
	{
		return heist_stop(ref_, why);
	}
	heist_status kill(heist_status why = HEIST_OK) const noexcept
	{
		return heist_kill(ref_, why);
	}

      private:
	heist_ref ref_ = {};
};

namespace detail
{
/* Not taken: m is as it was, if it can be assigned to. */
template <class M, class Ref>
heist_status move_to(heist_system *s, Ref to,
		     M &m) noexcept(std::is_nothrow_move_constructible_v<M>)
{
	static_assert(Ref::template takes<M>, "the actor does not take this message");
	static_assert(alignof(M) <= 8, "alignment of messages: 8");
	if constexpr (std::is_trivially_copyable_v<M>) {
		return heist_send(to.raw(), &type<M>, &m);
	} else {
		static_assert(std::is_nothrow_move_constructible_v<M>,
			      "messages move without throwing");
		void *p = heist_new(s, &type<M>, 0);
		if (!p)
			return HEIST_ENOMEM;
		M *moved = ::new (p) M(std::move(m));
		heist_status r = heist_post(to.raw(), &p);
		if (r != HEIST_OK) {
			if constexpr (std::is_move_assignable_v<M>)
				m = std::move(*moved);
			heist_discard(&p);
		}
		return r;
	}
}
} // namespace detail

template <class F, class... Ms> struct behaviour;

/* ---- inside a handler ---- */

class context
{
      public:
	context(heist_ctx *ctx) noexcept : ctx_(ctx)
	{
	}
	heist_ctx *get() const noexcept
	{
		return ctx_;
	}
	template <class... Ms> ref<Ms...> self() const noexcept
	{
		return ref<Ms...>(heist_self(ctx_));
	}
	template <class... Ms, class M> heist_status send(ref<Ms...> to, M m) const
	{
		return detail::move_to(heist_system_of(ctx_), to, m);
	}
	/* An actor that ends before this one (heist_spawn_child).  Throws heist::error. */
	template <class... Ms, class F>
	ref<Ms...> spawn_child(F f, const heist_opts *opts = nullptr) const;

      private:
	heist_ctx *ctx_;
};

/* ---- a callable as a class of actors ---- */

template <class F, class... Ms> struct behaviour {
	static_assert(alignof(F) <= 8, "alignment of an actor's state: 8");
	static_assert((!std::is_same_v<F, Ms> && ...), "an actor is no message");
	static constexpr bool is_bytes = std::is_trivially_copyable_v<F>;

	/* Where the callable lives.  Zeroed before its birth. */
	struct state {
		alignas(8) unsigned char room[sizeof(F)];
		bool born;
		F &f() noexcept
		{
			return *std::launder(reinterpret_cast<F *>(room));
		}
	};

	template <class M> static heist_next answer(heist_ctx *ctx, F &f, M &m)
	{
		using result = decltype(f(context(ctx), m));
		if constexpr (std::is_void_v<result>) {
			static_assert(!is_request<M>, "a request is answered by a value");
			f(context(ctx), m);
		} else if constexpr (std::is_same_v<result, heist_next>) {
			return f(context(ctx), m);
		} else {
			static_assert(is_request<M>, "only requests are answered by a value");
			reply_t<M> value = f(context(ctx), m);
			(void)heist_reply(ctx, HEIST_OK, &type<M>, &value);
		}
		return HEIST_CONTINUE;
	}

	/* A handler that completes owns what the payload owned. */
	template <class M> static heist_next handle(heist_ctx *ctx, F &f, void *msg)
	{
		heist_status why = HEIST_OK;
		heist_next next = HEIST_CONTINUE;
		try {
			next = answer<M>(ctx, f, *static_cast<M *>(msg));
		} catch (const error &e) {
			why = e.status();
		} catch (...) {
			why = HEIST_ECRASH;
		}
		if (why != HEIST_OK)
			heist_panic(ctx, why); /* nothing is left on the stack to be destroyed */
		if (next == HEIST_CONTINUE || next == HEIST_STOP)
			static_cast<M *>(msg)->~M();
		return next;
	}

	static heist_next recv(heist_ctx *ctx, void *s, const heist_type *t, void *msg)
	{
		state *st = static_cast<state *>(s);
		heist_next next = HEIST_CONTINUE;
		if constexpr (!is_bytes)
			if (t == &type<F>) {
				::new (st->room) F(std::move(*static_cast<F *>(msg)));
				static_cast<F *>(msg)->~F();
				st->born = true;
				return next;
			}
		bool known =
			((t == &type<Ms> ? (next = handle<Ms>(ctx, st->f(), msg), true) : false) ||
			 ...);
		return known ? next : heist_unhandled(ctx, s, t, msg);
	}

	static heist_next init(heist_ctx *, void *s, const void *arg)
	{
		std::memcpy(static_cast<state *>(s)->room, arg, sizeof(F));
		return HEIST_CONTINUE;
	}

	static void stop(heist_ctx *, void *s, heist_status)
	{
		if (static_cast<state *>(s)->born)
			static_cast<state *>(s)->f().~F();
	}

	static constexpr heist_hooks hooks = { 0, is_bytes ? std::uint32_t{ sizeof(F) } : 0,
					       is_bytes ? init : nullptr, is_bytes ? nullptr : stop,
					       nullptr };
	static constexpr heist_class cls = { detail::name<F>.data(), HEIST_ABI, sizeof(state), recv,
					     &hooks };

	/* spawn(class, argument, handle) starts it.  Throws heist::error; then there is no actor. */
	template <class Spawn> static ref<Ms...> start(heist_system *s, F &f, Spawn spawn)
	{
		heist_ref r{};
		check(spawn(&cls, is_bytes ? &f : nullptr, &r));
		if constexpr (!is_bytes) {
			/* nobody else knows it yet: this is its first message */
			heist_status born = detail::move_to(s, ref<F>(r), f);
			if (born != HEIST_OK) {
				(void)heist_kill(r, born);
				throw error(born);
			}
		}
		return ref<Ms...>(r);
	}
};

template <class... Ms, class F> ref<Ms...> context::spawn_child(F f, const heist_opts *opts) const
{
	return behaviour<F, Ms...>::start(
		heist_system_of(ctx_), f,
		[this, opts](const heist_class *cls, const void *arg, heist_ref *out) {
			return heist_spawn_child(ctx_, cls, opts, arg, out);
		});
}

/* ---- a runtime ---- */

class system
{
      public:
	/* Throws heist::error. */
	system() : system(heist_config_default())
	{
	}
	explicit system(const heist_config &config)
	{
		check(heist_start(&config, &system_));
	}
	system(system &&other) noexcept : system_(std::exchange(other.system_, nullptr))
	{
	}
	system &operator=(system &&other) noexcept
	{
		std::swap(system_, other.system_);
		return *this;
	}
	/* Drains, as long as it takes. */
	~system()
	{
		while (system_ && shutdown(0) == HEIST_ETIMEOUT)
			;
	}
	/* OK: it is gone. */
	heist_status shutdown(heist_time deadline) noexcept
	{
		heist_status r = heist_shutdown(system_, deadline);
		if (r == HEIST_OK)
			system_ = nullptr;
		return r;
	}
	heist_system *get() const noexcept
	{
		return system_;
	}
	heist_time in(std::chrono::nanoseconds d) const noexcept
	{
		return heist_now(system_) + static_cast<heist_time>(d.count());
	}
	/* Throws heist::error. */
	template <class... Ms, class F>
	ref<Ms...> spawn(F f, const heist_opts *opts = nullptr) const
	{
		return behaviour<F, Ms...>::start(
			system_, f,
			[this, opts](const heist_class *cls, const void *arg, heist_ref *out) {
				return heist_spawn(system_, cls, opts, arg, out);
			});
	}
	template <class... Ms, class M> heist_status send(ref<Ms...> to, M m) const
	{
		return detail::move_to(system_, to, m);
	}
	/* Request and wait, not inside a handler; deadline 0: none.  Throws heist::error. */
	template <class... Ms, class M>
	reply_t<M> call(ref<Ms...> to, const M &m, heist_time deadline = 0) const
	{
		static_assert(ref<Ms...>::template takes<M>,
			      "the actor does not take this message");
		static_assert(is_request<M>, "a request has a reply type");
		static_assert(std::is_trivially_copyable_v<M>, "a request is copied as bytes");
		reply_t<M> value{};
		check(heist_call(system_, to.raw(), &type<M>, &m, deadline, &value));
		return value;
	}

      private:
	heist_system *system_ = nullptr;
};

} // namespace heist

#endif
