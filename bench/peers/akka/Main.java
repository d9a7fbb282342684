// SPDX-License-Identifier: BSD-2-Clause
// The contract of bench/peers/README.md: arguments, samples, output.  The actors are in Workloads.java.
package peer;

import akka.actor.typed.ActorRef;
import akka.actor.typed.ActorSystem;
import akka.actor.typed.Behavior;
import akka.actor.typed.PostStop;
import akka.actor.typed.Props;
import akka.actor.typed.SpawnProtocol;
import akka.actor.typed.javadsl.AskPattern;
import akka.actor.typed.javadsl.Behaviors;
import com.sun.management.OperatingSystemMXBean;
import com.typesafe.config.ConfigFactory;
import java.io.BufferedReader;
import java.io.InputStreamReader;
import java.lang.management.CompilationMXBean;
import java.lang.management.ManagementFactory;
import java.time.Duration;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;

public final class Main {
	/** What the user got wrong: exit status 2. */
	static final class Usage extends RuntimeException {
		Usage(String message) {
			super(message);
		}
	}

	private final OperatingSystemMXBean os =
		(OperatingSystemMXBean) ManagementFactory.getOperatingSystemMXBean();
	private Workloads.Workload workload;
	private Params params;
	private String name, given = "", settings = "default";
	private long workers = 1, samples = 1;
	private double warmup;
	private boolean step, json;
	private ActorSystem<SpawnProtocol.Command> system;
	private Runnable stop = () -> { };
	/** ns. */
	private static final long REST = 1_000_000_000;
	/** ms of compilation, of both compilers, in such a time. */
	private static final long HARDLY = 20;

	public static void main(String[] args) {
		try {
			new Main().run(args);
		} catch (Usage e) {
			System.err.println(Workloads.PEER + ": " + e.getMessage());
			System.exit(2);
		} catch (Exception e) {
			System.err.println(Workloads.PEER + ": " + e);
			System.exit(1);
		}
		// Not exit(): its hooks would stop the last sample's actors one by one.
		System.out.flush();
		Runtime.getRuntime().halt(0);
	}

	private void run(String[] args) throws Exception {
		if (List.of(args).equals(List.of("--list"))) {
			Workloads.ALL.keySet().forEach(System.out::println);
			return;
		}
		parse(args);
		System.setProperty("workers", Long.toString(workers));
		System.setProperty("throughput", name.equals("paced_inside") ? "1" : "100");
		system = ActorSystem.create(SpawnProtocol.create(), "bench",
			ConfigFactory.load(settings));
		String settled = warmup > 0 ? ", \"settled\": " + warmUp() : "";
		System.out.printf("{\"peer\": \"%s\", \"version\": \"%s\", \"runtime\": \"%s %s\", \"settings\": \"%s\", \"workers\": %d%s}%n",
			Workloads.PEER, Workloads.VERSION, System.getProperty("java.vm.name"),
			System.getProperty("java.vm.version"), settings, workers, settled);
		BufferedReader in = new BufferedReader(new InputStreamReader(System.in));
		for (long i = 0; step ? in.readLine() != null : i < samples; i++)
			System.out.println(sample());
	}

	// ---- arguments ----

	private void parse(String[] args) {
		for (int i = 0; i < args.length; i++) {
			String option = args[i];
			switch (option) {
			case "--json" -> json = true;
			case "--step" -> step = true;
			case "--workload", "--params", "--workers", "--samples", "--warmup", "--settings" -> {
				if (++i == args.length)
					throw new Usage(option + " takes a value");
				option(option, args[i]);
			}
			default -> throw new Usage("unknown argument " + option);
			}
		}
		workload = Workloads.ALL.get(name);
		if (workload == null)
			throw new Usage("unknown workload " + name + "; --list shows them");
		if (!json)
			throw new Usage("the only output is --json");
		params = new Params(workload.defaults(), given);
		workload.check().accept(params);
		if (name.equals("idle"))
			warmup = 0;
	}

	private void option(String option, String value) {
		switch (option) {
		case "--workload" -> name = value;
		case "--params" -> given = value;
		case "--workers" -> workers = Params.number(option, value, 1);
		case "--samples" -> samples = Params.number(option, value, 1);
		case "--warmup" -> warmup = seconds(option, value);
		default -> {
			if (!value.equals("default") && !value.equals("tuned"))
				throw new Usage("--settings is tuned or default, not " + value);
			settings = value;
		}
		}
	}

	private static double seconds(String option, String value) {
		try {
			double s = Double.parseDouble(value);
			if (s >= 0 && s <= 3600)
				return s;
		} catch (NumberFormatException e) {
			// said below
		}
		throw new Usage(option + " is a number of seconds up to 3600, not " + value);
	}

	/** The parameters of a workload, by name: its defaults, and what was given instead. */
	static final class Params {
		private final Map<String, Long> values = new LinkedHashMap<>();

		Params(String defaults, String given) {
			for (String p : defaults.split(","))
				values.put(p.split("=")[0], Long.valueOf(p.split("=")[1]));
			for (String p : given.isEmpty() ? new String[0] : given.split(",")) {
				String[] kv = p.split("=", 2);
				if (kv.length < 2 || !values.containsKey(kv[0]))
					throw new Usage("unknown parameter " + p + "; this workload has " + defaults);
				values.put(kv[0], number(kv[0], kv[1], kv[0].equals("window") ? 0 : 1));
			}
		}

		static long number(String what, String value, long least) {
			try {
				long n = Long.parseLong(value);
				if (n >= least && n <= 1L << 40)
					return n;
			} catch (NumberFormatException e) {
				// said below
			}
			throw new Usage(what + " is a whole number from " + least + ", not " + value);
		}

		long get(String name) {
			return values.get(name);
		}
	}

	// ---- samples ----

	/**
	 * Samples for the time given, then until the virtual machine's compilers have hardly worked for a second:
	 * what is hot has then been compiled by the last of them, C2, while something rare always is to be
	 * compiled.  At most twice the time given; whether they rested.
	 */
	private boolean warmUp() throws Exception {
		CompilationMXBean compilers = ManagementFactory.getCompilationMXBean();
		long given = (long) (warmup * 1e9), begin = System.nanoTime(), now = begin, rest = begin;
		long worked = compilers.getTotalCompilationTime();
		while (now - begin < given || now - rest < REST && now - begin < 2 * given) {
			sample();
			now = System.nanoTime();
			long works = compilers.getTotalCompilationTime();
			if (works - worked > HARDLY) {
				rest = now;
				worked = works;
			}
		}
		return now - rest >= REST;
	}

	/** Stops the actors of the sample before, builds new ones, times from the first send to the last result. */
	private String sample() throws Exception {
		stop.run();
		CompletableFuture<Workloads.Sample> built = new CompletableFuture<>();
		CompletableFuture<Void> stopped = new CompletableFuture<>();
		ActorRef<String> root = AskPattern.<SpawnProtocol.Command, ActorRef<String>>ask(system,
			replyTo -> new SpawnProtocol.Spawn<>(root(built, stopped), "", Props.empty(), replyTo),
			Duration.ofSeconds(10), system.scheduler()).toCompletableFuture().get();
		stop = () -> {
			root.tell("stop");
			stopped.join();
		};
		Workloads.Sample sample = built.get();

		long cpu = os.getProcessCpuTime(), begin = System.nanoTime();
		sample.start().run();
		long counted = sample.result().await();
		long ns = System.nanoTime() - begin, cpuNs = os.getProcessCpuTime() - cpu;

		if (counted != sample.expected())
			throw new IllegalStateException("wrong result: " + counted + " instead of " + sample.expected());
		return String.format("{\"ns\": %d, \"operations\": %d, \"cpu_ns\": %d%s}", ns, sample.operations(), cpuNs,
			sample.more().get());
	}

	/** The parent of one sample's actors, which stop with it. */
	private Behavior<String> root(CompletableFuture<Workloads.Sample> built, CompletableFuture<Void> stopped) {
		return Behaviors.setup(context -> {
			built.complete(workload.build().spawn(context, params));
			return Behaviors.receive(String.class)
				.onMessage(String.class, stop -> Behaviors.stopped())
				.onSignal(PostStop.class, signal -> {
					stopped.complete(null);
					return Behaviors.same();
				})
				.build();
		});
	}
}
