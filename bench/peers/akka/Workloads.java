// SPDX-License-Identifier: BSD-2-Clause
// The workloads of bench/peers/README.md as typed actors, as Akka's documentation writes them: functional
// behaviours where an actor has one kind of message, AbstractBehavior where it has more.
package peer;

import akka.Version;
import akka.actor.typed.ActorRef;
import akka.actor.typed.Behavior;
import akka.actor.typed.javadsl.AbstractBehavior;
import akka.actor.typed.javadsl.ActorContext;
import akka.actor.typed.javadsl.Behaviors;
import akka.actor.typed.javadsl.Receive;
import akka.util.Timeout;
import com.sun.management.HotSpotDiagnosticMXBean;
import java.io.IOException;
import java.lang.management.ManagementFactory;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.BiFunction;
import java.util.function.Consumer;
import java.util.function.Function;
import java.util.function.Supplier;
import java.util.stream.IntStream;
import java.util.stream.LongStream;
import scala.reflect.ClassTag;

final class Workloads {
	static final String PEER = "akka";
	static final String VERSION = Version.current();

	interface Build {
		Sample spawn(ActorContext<String> context, Main.Params params);
	}

	record Workload(String defaults, Consumer<Main.Params> check, Build build) {}

	/** What starts the work, its result, what that must be, the operations, and further keys of the output. */
	record Sample(Runnable start, Result result, long expected, long operations, Supplier<String> more) {
		Sample(Runnable start, Result result, long expected, long operations) {
			this(start, result, expected, operations, () -> "");
		}

		/** What the actors count is the operations. */
		Sample(Runnable start, Result result, long operations) {
			this(start, result, operations, operations);
		}
	}

	/** Adds up what the parts of a workload have counted; known when all have reported. */
	static final class Result {
		private final AtomicInteger missing;
		private final AtomicLong operations = new AtomicLong();
		private final CompletableFuture<Long> done = new CompletableFuture<>();

		Result(long parts) {
			missing = new AtomicInteger(Math.toIntExact(parts));
		}

		void part(long counted) {
			operations.addAndGet(counted);
			if (missing.decrementAndGet() == 0)
				done.complete(operations.get());
		}

		void fail(Throwable why) {
			done.completeExceptionally(why);
		}

		long await() throws Exception {
			return done.get(10, TimeUnit.MINUTES);
		}
	}

	/** xorshift64*. */
	static final class Random {
		private long x;

		Random(long seed) {
			x = seed;
		}

		int below(int n) {
			x ^= x >>> 12;
			x ^= x << 25;
			x ^= x >>> 27;
			return (int) Long.remainderUnsigned(x * 0x2545F4914F6CDD1DL, n);
		}
	}

	private static <T> List<ActorRef<T>> spawn(ActorContext<?> context, long count, Function<Integer, Behavior<T>> behavior) {
		return IntStream.range(0, Math.toIntExact(count))
			.mapToObj(i -> context.<T>spawnAnonymous(behavior.apply(i))).toList();
	}

	/** In whole windows. */
	private static long share(long messages, long shares, long window) {
		return messages / shares / Math.max(window, 1) * Math.max(window, 1);
	}

	private static void require(boolean condition, String message) {
		if (!condition)
			throw new Main.Usage(message);
	}

	// ---- ping_pong, thread_ring: balls with the hops left go to the next player ----

	static final class Player extends AbstractBehavior<Player.Message> {
		interface Message {}
		record Next(ActorRef<Message> player) implements Message {}
		record Ball(long hops) implements Message {}

		private final Result result;
		private final long hops; // of each ball
		private ActorRef<Message> next;

		static Behavior<Message> create(Result result, long hops) {
			return Behaviors.setup(context -> new Player(context, result, hops));
		}

		private Player(ActorContext<Message> context, Result result, long hops) {
			super(context);
			this.result = result;
			this.hops = hops;
		}

		@Override
		public Receive<Message> createReceive() {
			return newReceiveBuilder()
				.onMessage(Ball.class, this::onBall)
				.onMessage(Next.class, this::onNext)
				.build();
		}

		private Behavior<Message> onBall(Ball ball) {
			if (ball.hops == 0)
				result.part(hops);
			else
				next.tell(new Ball(ball.hops - 1));
			return this;
		}

		private Behavior<Message> onNext(Next message) {
			next = message.player;
			return this;
		}
	}

	private static Sample ring(ActorContext<String> context, long actors, long tokens, long hops) {
		Result result = new Result(tokens);
		List<ActorRef<Player.Message>> players = spawn(context, actors, i -> Player.create(result, hops));
		for (int i = 0; i < actors; i++)
			players.get(i).tell(new Player.Next(players.get((int) ((i + 1) % actors))));
		return new Sample(() -> {
			for (int i = 0; i < tokens; i++)
				players.get((int) (i % actors)).tell(new Player.Ball(hops - 1));
		}, result, hops * tokens);
	}

	// ---- one_way, fan_in: a credit back per window, the next window starts with it ----

	static final class Counter extends AbstractBehavior<Counter.Message> {
		interface Message {}
		record Producers(List<ActorRef<Producer.Message>> refs) implements Message {}
		record Item(long producer) implements Message {}

		private final Result result;
		private final long window, total;
		private List<ActorRef<Producer.Message>> producers;
		private long[] counts;
		private long count;

		static Behavior<Message> create(Result result, long window, long total) {
			return Behaviors.setup(context -> new Counter(context, result, window, total));
		}

		private Counter(ActorContext<Message> context, Result result, long window, long total) {
			super(context);
			this.result = result;
			this.window = window;
			this.total = total;
		}

		@Override
		public Receive<Message> createReceive() {
			return newReceiveBuilder()
				.onMessage(Item.class, this::onItem)
				.onMessage(Producers.class, this::onProducers)
				.build();
		}

		private Behavior<Message> onItem(Item item) {
			int from = (int) item.producer;
			if (++counts[from] == window) {
				counts[from] = 0;
				producers.get(from).tell(Producer.Credit.INSTANCE);
			}
			if (++count == total)
				result.part(count);
			return this;
		}

		private Behavior<Message> onProducers(Producers message) {
			producers = message.refs;
			counts = new long[producers.size()];
			return this;
		}
	}

	static final class Producer {
		interface Message {}
		enum Credit implements Message { INSTANCE }

		static Behavior<Message> create(ActorRef<Counter.Message> counter, int self, long messages, long window) {
			long first = window == 0 ? messages : Math.min(window, messages);
			return Behaviors.receiveMessage(credit -> {
				for (long i = 0; i < first; i++)
					counter.tell(new Counter.Item(self));
				return messages == first ? Behaviors.ignore() : create(counter, self, messages - first, window);
			});
		}
	}

	private static Sample fanIn(ActorContext<String> context, long count, long messages, long window) {
		long each = share(messages, count, window), total = each * count;
		Result result = new Result(1);
		ActorRef<Counter.Message> counter = context.spawnAnonymous(Counter.create(result, window, total));
		List<ActorRef<Producer.Message>> producers =
			spawn(context, count, i -> Producer.create(counter, i, each, window));
		counter.tell(new Counter.Producers(producers));
		return new Sample(() -> producers.forEach(p -> p.tell(Producer.Credit.INSTANCE)), result, total);
	}

	// ---- pairs: a window there, each answered; the next after the last answer ----

	record Ping(ActorRef<Pong> replyTo) {}
	record Pong(long n) {}

	private static Behavior<Ping> ponger() {
		return Behaviors.receiveMessage(ping -> {
			ping.replyTo.tell(new Pong(1));
			return Behaviors.same();
		});
	}

	/** Begins with one answer that nobody gave. */
	private static Behavior<Pong> windowPinger(Result result, ActorRef<Ping> other, long messages, long window) {
		return Behaviors.setup(context -> new WindowPinger(context, result, other, messages, window));
	}

	private static final class WindowPinger extends AbstractBehavior<Pong> {
		private final Result result;
		private final ActorRef<Ping> other;
		private final long messages, window;
		private long answered = -1;

		WindowPinger(ActorContext<Pong> context, Result result, ActorRef<Ping> other, long messages, long window) {
			super(context);
			this.result = result;
			this.other = other;
			this.messages = messages;
			this.window = window;
		}

		@Override
		public Receive<Pong> createReceive() {
			return newReceiveBuilder().onMessage(Pong.class, this::onPong).build();
		}

		private Behavior<Pong> onPong(Pong pong) {
			if (++answered == messages)
				result.part(2 * answered);
			else if (answered % window == 0)
				for (long i = 0; i < window; i++)
					other.tell(new Ping(getContext().getSelf()));
			return this;
		}
	}

	private static Sample pairs(ActorContext<String> context, long pairs, long messages, long window) {
		long each = share(messages, pairs * 2, window);
		Result result = new Result(pairs);
		List<ActorRef<Pong>> pingers = spawn(context, pairs,
			i -> windowPinger(result, context.spawnAnonymous(ponger()), each, window));
		return new Sample(() -> pingers.forEach(p -> p.tell(new Pong(0))), result, 2 * each * pairs);
	}

	// ---- big: pings to random others, the next after the pong ----

	static final class Big extends AbstractBehavior<Big.Message> {
		interface Message {}
		record All(List<ActorRef<Message>> refs) implements Message {}
		record BigPing(ActorRef<Message> replyTo) implements Message {}
		enum BigPong implements Message { INSTANCE }

		private final Result result;
		private final int self;
		private final long pings;
		private final Random random;
		private List<ActorRef<Message>> all;
		private long pongs = -1;

		static Behavior<Message> create(Result result, int self, long pings, long seed) {
			return Behaviors.setup(context -> new Big(context, result, self, pings, seed));
		}

		private Big(ActorContext<Message> context, Result result, int self, long pings, long seed) {
			super(context);
			this.result = result;
			this.self = self;
			this.pings = pings;
			random = new Random(seed);
		}

		@Override
		public Receive<Message> createReceive() {
			return newReceiveBuilder()
				.onMessage(BigPing.class, this::onPing)
				.onMessage(BigPong.class, this::onPong)
				.onMessage(All.class, this::onAll)
				.build();
		}

		private Behavior<Message> onPing(BigPing ping) {
			ping.replyTo.tell(BigPong.INSTANCE);
			return this;
		}

		private Behavior<Message> onPong(BigPong pong) {
			if (++pongs == pings) {
				result.part(2 * pongs);
				return this;
			}
			int to = random.below(all.size() - 1);
			all.get(to < self ? to : to + 1).tell(new BigPing(getContext().getSelf()));
			return this;
		}

		private Behavior<Message> onAll(All message) {
			all = message.refs;
			return this;
		}
	}

	private static Sample big(ActorContext<String> context, long actors, long pings, long seed) {
		Result result = new Result(actors);
		List<ActorRef<Big.Message>> all = spawn(context, actors, i -> Big.create(result, i, pings, seed + i));
		all.forEach(a -> a.tell(new Big.All(all)));
		return new Sample(() -> all.forEach(a -> a.tell(Big.BigPong.INSTANCE)), result, 2 * actors * pings);
	}

	// ---- chameneos ----

	enum Colour {
		BLUE, RED, YELLOW;

		private static final Colour[] ALL = values(); // values() copies

		static Colour of(int number) {
			return ALL[number % ALL.length];
		}

		Colour complement(Colour other) {
			return this == other ? this : ALL[3 - ordinal() - other.ordinal()];
		}
	}

	static final class Mall extends AbstractBehavior<Mall.Message> {
		interface Message {}
		record Meet(Colour colour, ActorRef<Creature.Message> who) implements Message {}
		record Met(long meetings) implements Message {}

		private final Result result;
		private long left, meetings;
		private Meet waiting;

		static Behavior<Message> create(Result result, long meetings) {
			return Behaviors.setup(context -> new Mall(context, result, meetings));
		}

		private Mall(ActorContext<Message> context, Result result, long meetings) {
			super(context);
			this.result = result;
			left = meetings;
		}

		@Override
		public Receive<Message> createReceive() {
			return newReceiveBuilder()
				.onMessage(Meet.class, this::onMeet)
				.onMessage(Met.class, this::onMet)
				.build();
		}

		private Behavior<Message> onMeet(Meet meet) {
			if (left == 0) {
				meet.who.tell(new Creature.End(getContext().getSelf()));
			} else if (waiting == null) {
				waiting = meet;
			} else {
				waiting.who.tell(new Creature.Other(meet.colour));
				meet.who.tell(new Creature.Other(waiting.colour));
				waiting = null;
				left--;
			}
			return this;
		}

		private Behavior<Message> onMet(Met met) {
			result.part(met.meetings);
			return this;
		}
	}

	static final class Creature extends AbstractBehavior<Creature.Message> {
		interface Message {}
		record Other(Colour colour) implements Message {}
		record End(ActorRef<Mall.Message> replyTo) implements Message {}
		enum Go implements Message { INSTANCE }

		private final ActorRef<Mall.Message> mall;
		private Colour colour;
		private long meetings;

		static Behavior<Message> create(ActorRef<Mall.Message> mall, Colour colour) {
			return Behaviors.setup(context -> new Creature(context, mall, colour));
		}

		private Creature(ActorContext<Message> context, ActorRef<Mall.Message> mall, Colour colour) {
			super(context);
			this.mall = mall;
			this.colour = colour;
		}

		@Override
		public Receive<Message> createReceive() {
			return newReceiveBuilder()
				.onMessage(Other.class, this::onOther)
				.onMessage(Go.class, go -> meet())
				.onMessage(End.class, this::onEnd)
				.build();
		}

		private Behavior<Message> meet() {
			mall.tell(new Mall.Meet(colour, getContext().getSelf()));
			return this;
		}

		private Behavior<Message> onOther(Other other) {
			meetings++;
			colour = colour.complement(other.colour);
			return meet();
		}

		private Behavior<Message> onEnd(End end) {
			end.replyTo.tell(new Mall.Met(meetings));
			return this;
		}
	}

	/** The creatures' counts add up to two a meeting. */
	private static Sample chameneos(ActorContext<String> context, long count, long meetings) {
		Result result = new Result(count);
		ActorRef<Mall.Message> mall = context.spawnAnonymous(Mall.create(result, meetings));
		List<ActorRef<Creature.Message>> creatures =
			spawn(context, count, i -> Creature.create(mall, Colour.of(i)));
		return new Sample(() -> creatures.forEach(c -> c.tell(Creature.Go.INSTANCE)), result, 2 * meetings, meetings);
	}

	// ---- message_ubench: balls forwarded at random ----

	static final class Pinger extends AbstractBehavior<Pinger.Message> {
		interface Message {}
		record All(List<ActorRef<Message>> refs) implements Message {}
		record Ball(long hops) implements Message {}

		private final Result result;
		private final long hops; // of each ball
		private final Random random;
		private List<ActorRef<Message>> all;

		static Behavior<Message> create(Result result, long hops, long seed) {
			return Behaviors.setup(context -> new Pinger(context, result, hops, seed));
		}

		private Pinger(ActorContext<Message> context, Result result, long hops, long seed) {
			super(context);
			this.result = result;
			this.hops = hops;
			random = new Random(seed);
		}

		@Override
		public Receive<Message> createReceive() {
			return newReceiveBuilder()
				.onMessage(Ball.class, this::onBall)
				.onMessage(All.class, this::onAll)
				.build();
		}

		private Behavior<Message> onBall(Ball ball) {
			if (ball.hops == 0)
				result.part(hops);
			else
				all.get(random.below(all.size())).tell(new Ball(ball.hops - 1));
			return this;
		}

		private Behavior<Message> onAll(All message) {
			all = message.refs;
			return this;
		}
	}

	private static Sample messageUbench(ActorContext<String> context, long pingers, long balls, long messages, long seed) {
		long hops = messages / (pingers * balls);
		Result result = new Result(pingers * balls);
		List<ActorRef<Pinger.Message>> all = spawn(context, pingers, i -> Pinger.create(result, hops, seed + i));
		all.forEach(a -> a.tell(new Pinger.All(all)));
		return new Sample(() -> {
			for (long i = 0; i < balls; i++)
				all.forEach(a -> a.tell(new Pinger.Ball(hops)));
		}, result, hops * pingers * balls);
	}

	// ---- spawn_stop: lives of one message ----

	record Live(ActorRef<Mother.Message> mother) {}

	private static final Behavior<Live> CHILD = Behaviors.receiveMessage(live -> {
		live.mother.tell(Mother.Ended.INSTANCE);
		return Behaviors.stopped();
	});

	static final class Mother extends AbstractBehavior<Mother.Message> {
		interface Message {}
		record Begin(long alive) implements Message {}
		enum Ended implements Message { INSTANCE }

		private final Result result;
		private final long lives;
		private long begun, ended;

		static Behavior<Message> create(Result result, long lives) {
			return Behaviors.setup(context -> new Mother(context, result, lives));
		}

		private Mother(ActorContext<Message> context, Result result, long lives) {
			super(context);
			this.result = result;
			this.lives = lives;
		}

		@Override
		public Receive<Message> createReceive() {
			return newReceiveBuilder()
				.onMessage(Ended.class, this::onEnded)
				.onMessage(Begin.class, this::onBegin)
				.build();
		}

		private Behavior<Message> onBegin(Begin begin) {
			for (long i = 0; i < begin.alive; i++)
				next();
			return this;
		}

		private Behavior<Message> onEnded(Ended message) {
			if (++ended == lives)
				result.part(ended);
			else
				next();
			return this;
		}

		private void next() {
			if (begun < lives) {
				begun++;
				getContext().spawnAnonymous(CHILD).tell(new Live(getContext().getSelf()));
			}
		}
	}

	private static Sample spawnStop(ActorContext<String> context, long lives, long alive) {
		Result result = new Result(1);
		ActorRef<Mother.Message> mother = context.spawnAnonymous(Mother.create(result, lives));
		return new Sample(() -> mother.tell(new Mother.Begin(alive)), result, lives);
	}

	// ---- tree, skynet: nodes add up what their children send ----

	record Sum(long value) {}

	private static Behavior<Sum> node(ActorRef<Sum> parent, int missing, long value) {
		return Behaviors.receiveMessage(sum -> {
			if (missing > 1)
				return node(parent, missing - 1, value + sum.value);
			parent.tell(new Sum(value + sum.value));
			return Behaviors.stopped();
		});
	}

	private static Behavior<Sum> fib(ActorRef<Sum> parent, long n) {
		return Behaviors.setup(context -> {
			if (n <= 2) {
				parent.tell(new Sum(1));
				return Behaviors.stopped();
			}
			context.spawnAnonymous(fib(context.getSelf(), n - 1));
			context.spawnAnonymous(fib(context.getSelf(), n - 2));
			return node(parent, 2, 0);
		});
	}

	private static Behavior<Sum> sky(ActorRef<Sum> parent, long first, long leaves) {
		return Behaviors.setup(context -> {
			if (leaves == 1) {
				parent.tell(new Sum(first));
				return Behaviors.stopped();
			}
			long share = leaves / 10;
			for (int i = 0; i < 10; i++)
				context.spawnAnonymous(sky(context.getSelf(), first + i * share, share));
			return node(parent, 10, 0);
		});
	}

	/** The root is spawned when the work starts. */
	private static Sample tree(ActorContext<String> context, Function<ActorRef<Sum>, Behavior<Sum>> root,
				   long sum, long actors) {
		Result result = new Result(1);
		ActorRef<Sum> last = context.spawnAnonymous(Behaviors.receiveMessage(s -> {
			result.part(s.value);
			return Behaviors.stopped();
		}));
		ActorRef<String> starter = context.spawnAnonymous(Behaviors.receive((c, go) -> {
			c.spawnAnonymous(root.apply(last));
			return Behaviors.same();
		}));
		return new Sample(() -> starter.tell("go"), result, sum, actors);
	}

	private static Sample fibTree(ActorContext<String> context, long n) {
		long a = 0, b = 1;
		for (long i = 1; i < n; i++) {
			long c = a + b;
			a = b;
			b = c;
		}
		return tree(context, parent -> fib(parent, n), b, 2 * b - 1);
	}

	private static Sample skynet(ActorContext<String> context, long leaves) {
		long actors = 0;
		for (long n = leaves; n > 0; n /= 10)
			actors += n;
		return tree(context, parent -> sky(parent, 0, leaves), leaves * (leaves - 1) / 2, actors);
	}

	// ---- idle: what an actor costs that has had its message ----

	private static Behavior<Long> idler(Result result, long sum, long messages) {
		return Behaviors.receiveMessage(n -> {
			result.part(1);
			return idler(result, sum + n, messages + 1);
		});
	}

	private static Sample idle(ActorContext<String> context, long actors) {
		Result result = new Result(actors);
		ActorRef<String> nursery = context.spawnAnonymous(Behaviors.receive((c, go) -> {
			for (long i = 0; i < actors; i++)
				c.<Long>spawnAnonymous(idler(result, 0, 0)).tell(i);
			return Behaviors.same();
		}));
		long before = resident();
		return new Sample(() -> nursery.tell("go"), result, actors, actors,
			() -> ", \"rss\": " + (resident() - before));
	}

	/**
	 * In bytes, with a heap shrunk to what lives.  Only while measured: a heap that must not grow ahead
	 * of its need would be collected each time it grows, as often as there are actors to add.
	 */
	private static long resident() {
		try {
			Thread.sleep(1000);
			freeHeap(0, 1);
			System.gc();
			String pages = Files.readString(Path.of("/proc/self/statm")).split(" ")[1];
			freeHeap(40, 70);
			return 4096 * Long.parseLong(pages);
		} catch (IOException | InterruptedException e) {
			throw new IllegalStateException(e);
		}
	}

	/** The least and most free part of the heap after a collection, in percent; 40 and 70 are the JVM's own. */
	private static void freeHeap(int least, int most) {
		var vm = ManagementFactory.getPlatformMXBean(HotSpotDiagnosticMXBean.class);
		vm.setVMOption("MinHeapFreeRatio", "0"); // never above the other
		vm.setVMOption("MaxHeapFreeRatio", Integer.toString(most));
		vm.setVMOption("MinHeapFreeRatio", Integer.toString(least));
	}

	// ---- ask ----

	record Question(long n, ActorRef<Answer> replyTo) {}
	record Answer(long n) {}

	private static Behavior<Question> answerer() {
		return Behaviors.receiveMessage(question -> {
			question.replyTo.tell(new Answer(question.n));
			return Behaviors.same();
		});
	}

	static final class Asker extends AbstractBehavior<Asker.Message> {
		interface Message {}
		record Begin(long window) implements Message {}
		record Answered(long n) implements Message {}
		record Failed(Throwable why) implements Message {}

		private static final Timeout TIMEOUT = Timeout.create(Duration.ofSeconds(10));
		private static final ClassTag<Answer> ANSWER = ClassTag.apply(Answer.class);
		private final Result result;
		private final ActorRef<Question> answerer;
		private final long asks;
		private long asked, answered;

		static Behavior<Message> create(Result result, ActorRef<Question> answerer, long asks) {
			return Behaviors.setup(context -> new Asker(context, result, answerer, asks));
		}

		private Asker(ActorContext<Message> context, Result result, ActorRef<Question> answerer, long asks) {
			super(context);
			this.result = result;
			this.answerer = answerer;
			this.asks = asks;
		}

		@Override
		public Receive<Message> createReceive() {
			return newReceiveBuilder()
				.onMessage(Answered.class, this::onAnswered)
				.onMessage(Begin.class, this::onBegin)
				.onMessage(Failed.class, failed -> {
					result.fail(failed.why);
					return Behaviors.stopped();
				})
				.build();
		}

		private Behavior<Message> onBegin(Begin begin) {
			for (long i = 0; i < begin.window; i++)
				next();
			return this;
		}

		private Behavior<Message> onAnswered(Answered message) {
			if (++answered == asks)
				result.part(answered);
			else
				next();
			return this;
		}

		/**
		 * The Scala API's.  The Java API's passes the answer on by CompletableFuture.whenCompleteAsync(), and
		 * with less than three CPUs that starts a thread for each: 110 us an answer instead of 1.
		 */
		private void next() {
			if (asked == asks)
				return;
			long n = asked++;
			getContext().asScala().<Question, Answer>ask(answerer,
				replyTo -> new Question(n, replyTo),
				answer -> answer.isSuccess() ? new Answered(answer.get().n) : new Failed(answer.failed().get()),
				TIMEOUT, ANSWER);
		}
	}

	private static Sample ask(ActorContext<String> context, long asks, long window) {
		Result result = new Result(1);
		ActorRef<Asker.Message> asker =
			context.spawnAnonymous(Asker.create(result, context.spawnAnonymous(answerer()), asks));
		return new Sample(() -> asker.tell(new Asker.Begin(window)), result, asks);
	}

	// ---- paced_outside, paced_inside: sent at fixed times, whatever becomes of them ----

	record Paced(long due) {}

	enum Look { INSTANCE }

	private static Behavior<Paced> pacedReceiver(Result result, long[] latencies) {
		int[] count = {0};
		return Behaviors.receiveMessage(paced -> {
			latencies[count[0]++] = System.nanoTime() - paced.due;
			if (count[0] == latencies.length)
				result.part(count[0]);
			return Behaviors.same();
		});
	}

	private static final class Pace {
		private final List<ActorRef<Paced>> receivers;
		private final long periodNs, messages;
		private long sent, due; // due: the next one, from the first look on

		Pace(List<ActorRef<Paced>> receivers, long periodNs, long messages) {
			this.receivers = receivers;
			this.periodNs = periodNs;
			this.messages = messages;
		}

		/** Looks at the clock once and sends what is due; false: that was all. */
		boolean sendDue() {
			long now = System.nanoTime();
			if (sent == 0)
				due = now;
			for (; sent < messages && due - now <= 0; due += periodNs)
				receivers.get((int) (sent++ % receivers.size())).tell(new Paced(due));
			return sent < messages;
		}
	}

	private static Runnable outside(ActorContext<String> context, Pace pace) {
		return () -> {
			while (pace.sendDue())
				Thread.onSpinWait();
		};
	}

	private static Behavior<Look> pacer(Pace pace) {
		return Behaviors.receive((context, look) -> {
			if (pace.sendDue())
				context.getSelf().tell(look);
			return Behaviors.same();
		});
	}

	private static Runnable inside(ActorContext<String> context, Pace pace) {
		ActorRef<Look> pacer = context.spawnAnonymous(pacer(pace));
		return () -> pacer.tell(Look.INSTANCE);
	}

	private static Sample paced(ActorContext<String> context, Main.Params params,
			BiFunction<ActorContext<String>, Pace, Runnable> sender) {
		long messages = params.get("messages"), actors = params.get("actors");
		Result result = new Result(actors);
		List<long[]> latencies = LongStream.range(0, actors)
			.mapToObj(i -> new long[(int) ((messages + actors - 1 - i) / actors)]).toList();
		List<ActorRef<Paced>> receivers = spawn(context, actors, i -> pacedReceiver(result, latencies.get(i)));
		return new Sample(sender.apply(context, new Pace(receivers, params.get("period_ns"), messages)), result,
			messages, messages, () -> percentiles(latencies));
	}

	private static void addPaced(String name, BiFunction<ActorContext<String>, Pace, Runnable> sender) {
		add(name, "period_ns=10000,actors=64,messages=300000",
			p -> require(p.get("period_ns") > 0 && p.get("messages") >= p.get("actors"), "each actor has at least one message"),
			(c, p) -> paced(c, p, sender));
	}

	private static String percentiles(List<long[]> latencies) {
		long[] all = latencies.stream().flatMapToLong(Arrays::stream).sorted().toArray();
		Function<Double, Long> at = p -> all[(int) Math.ceil(p * all.length) - 1];
		return String.format(", \"latency_ns\": {\"p50\": %d, \"p90\": %d, \"p99\": %d, \"p999\": %d, \"max\": %d}",
			at.apply(0.5), at.apply(0.9), at.apply(0.99), at.apply(0.999), at.apply(1.0));
	}

	// ---- their names, parameters and limits ----

	static final Map<String, Workload> ALL = new LinkedHashMap<>();

	private static void add(String name, String defaults, Consumer<Main.Params> check, Build build) {
		ALL.put(name, new Workload(defaults, check, build));
	}

	static {
		add("ping_pong", "hops=2000000", p -> { },
			(c, p) -> ring(c, 2, 1, p.get("hops")));
		add("one_way", "messages=1000000,window=100",
			p -> require(p.get("messages") >= p.get("window"), "messages is at least a window"),
			(c, p) -> fanIn(c, 1, p.get("messages"), p.get("window")));
		add("thread_ring", "actors=100,tokens=1,hops=2000000",
			p -> require(p.get("hops") >= p.get("tokens"), "hops is at least one a token"),
			(c, p) -> ring(c, p.get("actors"), p.get("tokens"), p.get("hops") / p.get("tokens")));
		add("fan_in", "producers=60,messages=1000000,window=1000",
			p -> require(share(p.get("messages"), p.get("producers"), p.get("window")) > 0,
				"messages is at least a window a producer"),
			(c, p) -> fanIn(c, p.get("producers"), p.get("messages"), p.get("window")));
		add("pairs", "pairs=4,messages=400000,window=50",
			p -> require(p.get("window") > 0 && share(p.get("messages"), p.get("pairs") * 2, p.get("window")) > 0,
				"messages is at least a window there and back a pair, and window at least 1"),
			(c, p) -> pairs(c, p.get("pairs"), p.get("messages"), p.get("window")));
		add("big", "actors=120,pings=5000,seed=1",
			p -> require(p.get("actors") >= 2, "actors is at least 2"),
			(c, p) -> big(c, p.get("actors"), p.get("pings"), p.get("seed")));
		add("chameneos", "creatures=100,meetings=100000",
			p -> require(p.get("creatures") >= 2, "creatures is at least 2"),
			(c, p) -> chameneos(c, p.get("creatures"), p.get("meetings")));
		add("message_ubench", "pingers=8,balls=5,messages=2000000,seed=1",
			p -> require(p.get("messages") >= p.get("pingers") * p.get("balls"), "messages is at least one a ball"),
			(c, p) -> messageUbench(c, p.get("pingers"), p.get("balls"), p.get("messages"), p.get("seed")));
		add("spawn_stop", "lives=300000,alive=1000", p -> { },
			(c, p) -> spawnStop(c, p.get("lives"), p.get("alive")));
		add("tree", "n=25", p -> require(p.get("n") <= 40, "n is at most 40"),
			(c, p) -> fibTree(c, p.get("n")));
		add("skynet", "leaves=1000000",
			p -> require(Long.toString(p.get("leaves")).matches("10*"), "leaves is a power of ten"),
			(c, p) -> skynet(c, p.get("leaves")));
		add("idle", "actors=1000000", p -> { },
			(c, p) -> idle(c, p.get("actors")));
		add("ask", "asks=500000,window=1",
			p -> require(p.get("window") > 0, "window is at least 1"),
			(c, p) -> ask(c, p.get("asks"), p.get("window")));
		addPaced("paced_outside", Workloads::outside);
		addPaced("paced_inside", Workloads::inside);
	}

	private Workloads() {}
}
