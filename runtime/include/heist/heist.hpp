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
 *             reference, and destroyed when its handler has returned, or when it is lost; one that the handler
 *             takes (heist_take) or stashes has its address, and its life, on.  `using reply = R`: it is a request;
 *             R is trivially copyable.  Functions of heist.h that copy a payload are for messages that are, too.
 * Actor       a callable with an overload for each message type: void or heist_next answers as in C, a value
 *             is the reply to a request.  Its captures are the actor's state, destroyed after its last turn.
 * Ask         context::ask(to, request, deadline, [this](heist::context, heist::answer<R> a) { ... a.value() ... }):
 *             the callable runs once as a turn of this actor, or is destroyed unrun when the actor ends first.
 *             value() throws why there is none.
 * Timers      context::after and every answer a heist::timer: kept in the actor's state, it cancels when it is
 *             destroyed or assigned to; it belongs to its actor and goes nowhere else.
 * Supervision system::supervise(HEIST_ONE_FOR_ONE, heist::child<add, total>([] { return counter(); }), ...): each
 *             incarnation is what its factory makes, which is trivially copyable and may take a heist::context.
 * Exceptions  out of a handler, a continuation: the actor fails as by heist_panic, with the status of a
 *             heist::error, else HEIST_ECRASH; what it threw is destroyed.  Out of a factory: HEIST_EINIT.
 *             Destructors must not throw.
 * Cost        that of the C functions: types and classes are constants, dispatch compares pointers; 16 bytes of
 *             the actor's state.  A message that is not trivially copyable takes a piece of memory of its own,
 *             an ask whose callable is more than a pointer another; so does a callable that is not trivially
 *             copyable, unless a factory makes it, until the actor's first turn.
 * Threads     as in heist.h: system and ref on any, context in its handler only. */
#ifndef HEIST_HEIST_HPP
#define HEIST_HEIST_HPP

#include <heist/heist.h>

#include <array>
#include <chrono>
#include <cstring>
#include <memory>
#include <new>
#include <stdexcept>
#include <string_view>
#include <tuple>
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
				     std::is_trivially_copyable_v<M> ? 0 : HEIST_FIXED_ADDRESS,
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
/* m, moved into a message that nobody has been sent.  NULL: out of memory. */
template <class M> void *moved(heist_system *s, M &m) noexcept
{
	static_assert(std::is_nothrow_move_constructible_v<M>,
		      "messages and callables move without throwing");
	void *p = heist_new(s, &type<M>, 0);
	if (p)
		::new (p) M(std::move(m));
	return p;
}

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
		void *p = detail::moved(s, m);
		if (!p)
			return HEIST_ENOMEM;
		heist_status r = heist_post(to.raw(), &p);
		if (r != HEIST_OK) {
			if constexpr (std::is_move_assignable_v<M>)
				m = std::move(*static_cast<M *>(p));
			heist_discard(&p);
		}
		return r;
	}
}
} // namespace detail

template <class F, class... Ms> struct behaviour;
template <class Make, class... Ms> struct made;

/* ---- what each actor has beside its callable ---- */

namespace detail
{
/* The callable of an ask that is not answered yet. */
struct pending {
	pending *next = nullptr, *previous = nullptr;
	virtual ~pending() = default;
};

/* Zeroed before its birth. */
struct actor {
	heist_ctx *ctx; /* of the present turn */
	std::uintptr_t
		word; /* the first pending, and, in its lowest bit, whether the callable is there */

	bool born() const noexcept
	{
		return word & 1;
	}
	void set_born() noexcept
	{
		word |= 1;
	}
	void add(pending *p) noexcept
	{
		p->next = first();
		if (p->next)
			p->next->previous = p;
		set_first(p);
	}
	void remove(pending *p) noexcept
	{
		if (p->next)
			p->next->previous = p->previous;
		if (p->previous)
			p->previous->next = p->next;
		else
			set_first(p->next);
	}
	void forget() noexcept
	{
		while (pending *p = first()) {
			remove(p);
			delete p;
		}
	}

	pending *first() const noexcept
	{
		return reinterpret_cast<pending *>(word & ~std::uintptr_t{ 1 });
	}
	void set_first(pending *p) noexcept
	{
		word = reinterpret_cast<std::uintptr_t>(p) | (word & 1);
	}
};

/* What it throws, as the status that the actor fails with; HEIST_OK: nothing. */
template <class Fn> heist_status guarded(Fn fn)
{
	try {
		fn();
	} catch (const error &e) {
		return e.status() < 0 ? e.status() : HEIST_ECRASH;
	} catch (...) {
		return HEIST_ECRASH;
	}
	return HEIST_OK;
}

template <class M>
inline constexpr bool is_plain = std::is_trivially_copyable_v<M> && alignof(M) <= 8;
} // namespace detail

/* ---- inside a handler ---- */

/* What an ask has come to; valid in the callable. */
template <class R> class answer
{
      public:
	answer(heist_status status, const void *reply) noexcept
	    : status_(status), reply_(static_cast<const R *>(reply))
	{
	}
	heist_status status() const noexcept
	{
		return status_;
	}
	explicit operator bool() const noexcept
	{
		return reply_ != nullptr;
	}
	/* Throws heist::error: why there is none. */
	const R &value() const
	{
		if (!reply_)
			throw error(status_ < 0 ? status_ : HEIST_ENOREPLY);
		return *reply_;
	}

      private:
	heist_status status_;
	const R *reply_;
};

/* A message for later that is not sent any more when this is destroyed. */
class timer
{
      public:
	timer() = default;
	timer(detail::actor *self, heist_timer id) noexcept : self_(self), id_(id)
	{
	}
	timer(timer &&other) noexcept : self_(other.self_), id_(other.release())
	{
	}
	timer &operator=(timer &&other) noexcept
	{
		if (this != &other) {
			(void)cancel();
			self_ = other.self_;
			id_ = other.release();
		}
		return *this;
	}
	~timer()
	{
		(void)cancel();
	}
	/* OK: it is not handled any more.  EDEAD: it has ended before, or there is none. */
	heist_status cancel() noexcept
	{
		heist_timer id = release();
		return id ? heist_cancel(self_->ctx, id) : HEIST_EDEAD;
	}
	/* Nobody cancels it: it ends with the actor. */
	heist_timer release() noexcept
	{
		return std::exchange(id_, heist_timer{ 0 });
	}
	explicit operator bool() const noexcept
	{
		return id_ != 0;
	}

      private:
	detail::actor *self_ = nullptr;
	heist_timer id_ = 0;
};

class context
{
      public:
	context(heist_ctx *ctx, detail::actor *self) noexcept : ctx_(ctx), self_(self)
	{
	}
	heist_ctx *get() const noexcept
	{
		return ctx_;
	}
	heist_time recent() const noexcept
	{
		return heist_recent(ctx_);
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
	/* Request; k(context, answer<R>) has the reply, or why there is none.  deadline 0: that of the request
	 * being handled, if it has one.  Throws heist::error: then k is not called. */
	template <class... Ms, class M, class K>
	void ask(ref<Ms...> to, const M &m, heist_time deadline, K k) const;
	/* Throw heist::error; a negative time is none. */
	template <class... Ms, class M>
	[[nodiscard]] timer after(ref<Ms...> to, const M &m, std::chrono::nanoseconds delay) const
	{
		heist_timer id = 0;
		check_timed<M, ref<Ms...>>();
		check(heist_send_after(ctx_, to.raw(), &type<M>, &m, count(delay), &id));
		return timer(self_, id);
	}
	template <class... Ms, class M>
	[[nodiscard]] timer every(ref<Ms...> to, const M &m, std::chrono::nanoseconds period,
				  heist_pace pace = HEIST_FIXED_RATE) const
	{
		heist_timer id = 0;
		check_timed<M, ref<Ms...>>();
		check(heist_send_every(ctx_, to.raw(), &type<M>, &m, count(period), count(period),
				       pace, &id));
		return timer(self_, id);
	}

      private:
	template <class M, class Ref> static constexpr void check_timed()
	{
		static_assert(Ref::template takes<M>, "the actor does not take this message");
		static_assert(detail::is_plain<M>, "a message for later is copied as bytes");
	}
	static std::uint64_t count(std::chrono::nanoseconds d) noexcept
	{
		return d.count() > 0 ? static_cast<std::uint64_t>(d.count()) : 0;
	}

	heist_ctx *ctx_;
	detail::actor *self_;
};

namespace detail
{
/* The continuation of an ask: a pointer's worth of bytes travels with it, anything more is kept. */
template <class R, class K> struct asked : pending {
	explicit asked(K &&f) : k(std::move(f))
	{
	}
	K k;
	static constexpr bool travels = std::is_trivially_copyable_v<K> &&
					sizeof(K) <= sizeof(std::uint64_t) && alignof(K) <= 8;

	static void call(actor *self, heist_status status, const void *reply, std::uint64_t user)
	{
		context c(self->ctx, self);
		if constexpr (travels) {
			alignas(8) unsigned char room[sizeof user];
			std::memcpy(room, &user, sizeof user);
			(*std::launder(reinterpret_cast<K *>(room)))(c, answer<R>(status, reply));
		} else {
			std::unique_ptr<asked> one(
				reinterpret_cast<asked *>(static_cast<std::uintptr_t>(user)));
			self->remove(one.get());
			one->k(c, answer<R>(status, reply));
		}
	}
	static void told(heist_ctx *ctx, void *state, heist_status status, const void *reply,
			 std::uint64_t user)
	{
		actor *self = static_cast<actor *>(state);
		self->ctx = ctx;
		heist_status why = guarded([&] { call(self, status, reply, user); });
		if (why != HEIST_OK)
			heist_panic(ctx, why);
	}
};
} // namespace detail

template <class... Ms, class M, class K>
void context::ask(ref<Ms...> to, const M &m, heist_time deadline, K k) const
{
	using asked = detail::asked<reply_t<M>, K>;
	static_assert(ref<Ms...>::template takes<M>, "the actor does not take this message");
	static_assert(is_request<M>, "a request has a reply type");
	static_assert(detail::is_plain<M>, "a request is copied as bytes");
	static_assert(std::is_nothrow_move_constructible_v<K>, "callables move without throwing");
	std::uint64_t user = 0;
	if constexpr (asked::travels) {
		std::memcpy(&user, &k, sizeof k);
		check(heist_ask(ctx_, to.raw(), &type<M>, &m, deadline, asked::told, user));
	} else {
		auto one = std::make_unique<asked>(std::move(k));
		user = reinterpret_cast<std::uintptr_t>(one.get());
		check(heist_ask(ctx_, to.raw(), &type<M>, &m, deadline, asked::told, user));
		self_->add(one.release());
	}
}

/* ---- a callable as a class of actors ---- */

namespace detail
{
/* The spawn argument by which a callable that is no bytes comes to its actor: a message that is not sent. */
inline void drop_box(void *arg)
{
	heist_discard(static_cast<void **>(arg));
}
inline constexpr heist_drops box_drops = { drop_box, nullptr };
inline constexpr heist_type box = { &box,
				    "heist.callable",
				    0,
				    sizeof(void *),
				    sizeof(heist_unit),
				    0,
				    &box_drops,
				    nullptr };
} // namespace detail

template <class F, class... Ms> struct behaviour {
	static_assert(alignof(F) <= 8, "alignment of an actor's state: 8");
	static constexpr bool is_bytes = std::is_trivially_copyable_v<F>;

	/* Where the callable lives; the actor comes first. */
	struct state {
		detail::actor self;
		alignas(8) unsigned char room[sizeof(F)];
		F &f() noexcept
		{
			return *std::launder(reinterpret_cast<F *>(room));
		}
	};
	static_assert(std::is_standard_layout_v<state>, "the runtime hands the actor's state");
	static state *at(void *s, heist_ctx *ctx) noexcept
	{
		state *st = static_cast<state *>(s);
		st->self.ctx = ctx;
		return st;
	}

	template <class M> static heist_next answer_to(context c, F &f, M &m)
	{
		using result = decltype(f(c, m));
		if constexpr (std::is_void_v<result>) {
			static_assert(!is_request<M>, "a request is answered by a value");
			f(c, m);
		} else if constexpr (std::is_same_v<result, heist_next>) {
			return f(c, m);
		} else {
			static_assert(is_request<M>, "only requests are answered by a value");
			reply_t<M> value = f(c, m);
			(void)heist_reply(c.get(), HEIST_OK, &type<M>, &value);
		}
		return HEIST_CONTINUE;
	}

	/* A handler that completes owns what the payload owned, unless it has taken or stashed it. */
	template <class M> static heist_next handle(state *st, void *msg)
	{
		heist_next next = HEIST_CONTINUE;
		heist_status why = detail::guarded([&] {
			next = answer_to<M>(context(st->self.ctx, &st->self), st->f(),
					    *static_cast<M *>(msg));
		});
		if (why != HEIST_OK)
			heist_panic(st->self.ctx,
				    why); /* nothing is left on the stack to be destroyed */
		if constexpr (!std::is_trivially_destructible_v<M>)
			if (next == HEIST_CONTINUE || next == HEIST_STOP) {
				void *left = heist_take(st->self.ctx, msg);
				heist_discard(&left);
			}
		return next;
	}

	static heist_next recv(heist_ctx *ctx, void *s, const heist_type *t, void *msg)
	{
		state *st = at(s, ctx);
		heist_next next = HEIST_CONTINUE;
		bool known = ((t == &type<Ms> ? (next = handle<Ms>(st, msg), true) : false) || ...);
		return known ? next : heist_unhandled(ctx, s, t, msg);
	}

	static heist_next init(heist_ctx *ctx, void *s, const void *arg)
	{
		state *st = at(s, ctx);
		if constexpr (is_bytes) {
			std::memcpy(st->room, arg, sizeof(F));
		} else {
			void *box = *static_cast<void *const *>(arg);
			::new (st->room) F(std::move(*static_cast<F *>(box)));
			heist_discard(&box);
		}
		st->self.set_born();
		return HEIST_CONTINUE;
	}

	static void stop(heist_ctx *ctx, void *s, heist_status)
	{
		state *st = at(s, ctx);
		st->self.forget();
		if (st->self.born())
			st->f().~F();
	}

	static constexpr heist_hooks hooks = { 0, is_bytes ? sizeof(F) : sizeof(void *), init, stop,
					       nullptr };
	static constexpr heist_class cls = { detail::name<F>.data(), HEIST_ABI, sizeof(state), recv,
					     &hooks };

	/* spawn(class, options, argument, handle) starts it.  Throws heist::error; then there is no actor. */
	template <class Spawn>
	static ref<Ms...> start(heist_system *s, const heist_opts *opts, F &f, Spawn spawn)
	{
		heist_ref r{};
		if constexpr (is_bytes) {
			check(spawn(&cls, opts, &f, &r));
		} else {
			heist_opts o = opts ? *opts : heist_opts_default();
			o.arg_type = &detail::box;
			void *box = detail::moved(s, f);
			heist_status status = box ? spawn(&cls, &o, &box, &r) : HEIST_ENOMEM;
			if (status != HEIST_OK)
				heist_discard(&box);
			check(status);
		}
		return ref<Ms...>(r);
	}
};

template <class... Ms, class F> ref<Ms...> context::spawn_child(F f, const heist_opts *opts) const
{
	return behaviour<F, Ms...>::start(
		heist_system_of(ctx_), opts, f,
		[this](const heist_class *cls, const heist_opts *o, const void *arg,
		       heist_ref *out) { return heist_spawn_child(ctx_, cls, o, arg, out); });
}

/* ---- supervision ---- */

namespace detail
{
template <class Make> auto make_by(Make &f, context c)
{
	if constexpr (std::is_invocable_v<Make &, context>)
		return f(c);
	else
		return f();
}
} // namespace detail

/* The class of a callable that a factory makes, anew for each incarnation. */
template <class Make, class... Ms> struct made {
	static_assert(detail::is_plain<Make>, "a factory is copied as bytes");
	using F = decltype(detail::make_by(std::declval<Make &>(), std::declval<context>()));
	using behaves = behaviour<F, Ms...>;

	static heist_next init(heist_ctx *ctx, void *s, const void *arg)
	{
		typename behaves::state *st = behaves::at(s, ctx);
		alignas(8) unsigned char copy[sizeof(Make)];
		std::memcpy(copy, arg, sizeof copy);
		heist_status why = detail::guarded([&] {
			::new (st->room)
				F(detail::make_by(*std::launder(reinterpret_cast<Make *>(copy)),
						  context(ctx, &st->self)));
			st->self.set_born();
		});
		return why == HEIST_OK ? HEIST_CONTINUE : HEIST_FAIL;
	}
	static constexpr heist_hooks hooks = { 0, sizeof(Make), init, behaves::stop, nullptr };
	static constexpr heist_class cls = { detail::name<F>.data(), HEIST_ABI,
					     sizeof(typename behaves::state), behaves::recv,
					     &hooks };
};

/* How a child is started and treated.  `spec` is heist.h's, but for class and argument. */
template <class Make, class... Ms> class child_of
{
      public:
	using ref_type = ref<Ms...>;
	heist_child spec = heist_child_default();

	explicit child_of(Make make) noexcept : make_(make)
	{
	}
	child_of &restart(heist_restart r) noexcept
	{
		spec.restart = r;
		return *this;
	}
	child_of &named(const char *name) noexcept
	{
		spec.name = name;
		return *this;
	}
	child_of &backoff(std::chrono::milliseconds least, std::chrono::milliseconds most,
			  std::uint32_t jitter_percent = 0) noexcept
	{
		spec.backoff_min_ms = static_cast<std::uint32_t>(least.count());
		spec.backoff_max_ms = static_cast<std::uint32_t>(most.count());
		spec.jitter_percent = jitter_percent;
		return *this;
	}
	/* Complete; as long as this is. */
	heist_child get() const noexcept
	{
		heist_child c = spec;
		c.cls = &made<Make, Ms...>::cls;
		c.arg = &make_;
		return c;
	}

      private:
	Make make_;
};

template <class... Ms, class Make> child_of<Make, Ms...> child(Make make) noexcept
{
	return child_of<Make, Ms...>(make);
}

/* A supervisor: it takes no messages. */
using supervisor = ref<>;

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
			system_, opts, f,
			[this](const heist_class *cls, const heist_opts *o, const void *arg,
			       heist_ref *out) { return heist_spawn(system_, cls, o, arg, out); });
	}
	/* The supervisor, then its children in their order.  Throws heist::error. */
	template <class... Child>
	std::tuple<supervisor, typename Child::ref_type...> supervise(heist_sup how,
								      const Child &...child) const
	{
		std::array<heist_child, sizeof...(Child)> specs{ child.get()... };
		std::array<heist_ref, sizeof...(Child) + 1> refs{};
		how.children = specs.data();
		how.child_count = sizeof...(Child);
		check(heist_supervise(system_, &how, &refs[sizeof...(Child)], refs.data()));
		return handles<Child...>(refs, std::index_sequence_for<Child...>{});
	}
	template <class... Child>
	std::tuple<supervisor, typename Child::ref_type...> supervise(heist_strategy strategy,
								      const Child &...child) const
	{
		heist_sup how = heist_sup_default();
		how.strategy = strategy;
		return supervise(how, child...);
	}
	/* One more child.  Throws heist::error. */
	template <class Child>
	typename Child::ref_type add_child(supervisor to, const Child &child) const
	{
		heist_child spec = child.get();
		heist_ref r{};
		check(heist_add_child(system_, to.raw(), &spec, &r));
		return typename Child::ref_type(r);
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
	/* The supervisor's is the last. */
	template <class... Child, std::size_t... I, class Refs>
	static auto handles(const Refs &refs, std::index_sequence<I...>)
	{
		return std::tuple<supervisor, typename Child::ref_type...>(
			supervisor(refs[sizeof...(I)]), typename Child::ref_type(refs[I])...);
	}

	heist_system *system_ = nullptr;
};

} // namespace heist

#endif
