/* SPDX-License-Identifier: BSD-2-Clause
 * heist/sim.h - simulation: a program of actors on one thread, in an order drawn from a seed, in virtual
 * time.  C11, included unchanged from C++17.
 *
 * The actors are the same: they are spawned by heist_spawn and talk by heist_send.  What a machine leaves
 * open, the simulation decides: who runs next, how long a message is on its way, how much time passes.
 * Each decision is drawn from the seed and the name of what it is about (the 7th turn of actor 3), never
 * from an address, a hash of one, or the machine's clock.  So a seed says everything: it gives the same
 * trace in every process.
 *
 * Order           One message a turn.  Messages from one sender to one receiver stay in order; a message
 *                 that is delayed is overtaken by those of others.  The control lane overtakes; a
 *                 heist_stop still waits for what was accepted before it.
 * Time            heist_now is virtual: it grows by step_ns a turn, and jumps to the next timer or delayed
 *                 message when nothing can run.  What reads other clocks, random numbers, addresses or
 *                 threads of its own is not simulated.
 * Threads         The thread that began the simulation, in handlers and outside.  To others its actors
 *                 do not exist (HEIST_EDEAD, HEIST_ECLOSED).  One simulation at a time in a process.
 * Left out        Batches and places: workers, pools, opts.worker, opts.pool, opts.own_thread are ignored.
 *                 heist_poll and heist_call run the simulation until nothing is left to do. */
#ifndef HEIST_SIM_H
#define HEIST_SIM_H

#include <heist/heist.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef struct heist_sim heist_sim;

/* From heist_sim_opts_default(); 0 = default; grows at the end only.  Chances are parts of a million; those
 * of faults are 0 by default. */
typedef struct heist_sim_opts {
	uint32_t struct_size;
	uint32_t
		order; /* chance that not the actor that has waited longest runs next; default 500000;
			 * more than a million: never */
	uint64_t seed;
	uint64_t step_ns;   /* time that a turn takes; 1000                                   */
	uint64_t max_turns; /* more than this fail the simulation: it does not end; 1000000   */
	/* Every turn, message, timer and fault, one line each, without newline: `time what who ...`.
	 * Actors are called by class and number (echo#3), messages by number (m17).  It must not call the runtime. */
	void (*trace)(void *user, const char *line);
	void *user;	    /* for trace */
	uint32_t delay;	    /* a message is delayed ... */
	uint32_t crash;	    /* a handler of a supervised actor fails, before or after it has run */
	uint64_t delay_ns;  /* ... by up to this; 100000 */
	uint64_t slow_ns;   /* time that a slow handler takes, up to this; 10000000 */
	uint32_t slow;	    /* a handler is slow: time passes before it runs */
	uint32_t no_memory; /* in a turn, an allocation or a message that is built: ENOMEM */
	uint32_t full;	    /* a mailbox with a bound is full for one message */
	uint32_t vary; /* 1: each seed takes no more than a part of each chance, or none of it */
	/* Of all deviations that the seed draws only these: a list as heist_sim_deviations writes it.  The
	 * others do not happen.  NULL: all do.  Copied. */
	const char *keep;
} heist_sim_opts;
HEIST_DEFAULT_(sim_opts)

/* Begin.  NULL opts, config: defaults.  Memory, dead letters, log and user of the config are used (no log: the
 * trace); its mode, workers, pools, batch and clock are not.  EINVAL: a bad field, or another simulation (the log says which);
 * ENOMEM.  The caller ends it by heist_sim_end. */
HEIST_NEED heist_status heist_sim_start(const heist_sim_opts *opts, const heist_config *config,
					heist_sim **out);
/* Its runtime: owned by the simulation. */
HEIST_API heist_system *heist_sim_system(heist_sim *);
/* The simulation that this runtime belongs to; NULL: none. */
HEIST_API heist_sim *heist_sim_of(heist_system *);
/* For random numbers of the program. */
HEIST_API uint64_t heist_sim_seed(const heist_sim *);
/* Turns so far. */
HEIST_API uint64_t heist_sim_turns(const heist_sim *);

/* No crash and no slow handler for this actor. */
HEIST_API heist_status heist_sim_spare(heist_sim *, heist_ref);
/* Which draws have changed the run so far, in order, as `kind:subject:count` between commas (order:0:17 the
 * 17th turn, crash:3:2 the 2nd message of actor 3): writes up to size bytes, terminated; returns how many
 * there are, as snprintf does. */
HEIST_API size_t heist_sim_deviations(const heist_sim *, char *text, size_t size);

/* Run until nothing is left to do, timers and messages under way included, or, if `until` is not 0, while it
 * is not later than that instant, which then has come.  OK; ETIMEOUT: max_turns are used up; EINVAL: inside a handler. */
HEIST_API heist_status heist_sim_run(heist_sim *, heist_time until);
/* Run until `ns` have passed. */
HEIST_API heist_status heist_sim_pass(heist_sim *, uint64_t ns);

/* The simulation has failed: print what (printf), the seed, and how to see it again; the first time only.
 * NULL: ignored.  Any place, handlers included; it goes on. */
HEIST_API __attribute__((format(printf, 2, 3))) void heist_sim_fail(heist_sim *, const char *what,
								    ...);
HEIST_API bool heist_sim_failed(const heist_sim *);
#define HEIST_SIM_CHECK(sim, cond)                                                                 \
	((cond) ? (void)0 : heist_sim_fail(sim, "%s:%d: %s", __FILE__, __LINE__, #cond))

/* ---- probes: actors that stand in for the program's neighbours, and for the test ----
 *
 * A probe keeps what it is sent until somebody looks.  The functions that expect something run the simulation
 * until it has come, for at most `within` ns (0: as long as anything is left to do); what does not come, or is
 * something else, fails the simulation (heist_sim_fail).  Not inside a handler (EINVAL). */

/* Start a probe.  It ends with the simulation, or by heist_stop. */
HEIST_NEED heist_status heist_sim_probe(heist_sim *, heist_ref *out);
/* The oldest message that was not looked at is of this type: out, which may be NULL, receives type->size
 * bytes and what they own.  ETIMEOUT: none came; EUSER: another one did, and is dropped. */
HEIST_API heist_status heist_sim_expect(heist_sim *, heist_ref probe, const heist_type *,
					uint64_t within, void *out);
/* No message comes for `ns`.  EUSER: one did; it is still there. */
HEIST_API heist_status heist_sim_expect_none(heist_sim *, heist_ref probe, uint64_t ns);
/* Answer the request that was expected last.  EDEAD: it was none, or it was answered. */
HEIST_API heist_status heist_sim_reply(heist_sim *, heist_ref probe, heist_status,
				       const void *reply);
/* Watch an actor from now on. */
HEIST_API heist_status heist_sim_watch(heist_sim *, heist_ref probe, heist_ref who);
/* An actor that is watched ends; out, which may be NULL, receives how.  ETIMEOUT: it did not. */
HEIST_API heist_status heist_sim_expect_end(heist_sim *, heist_ref probe, heist_ref who,
					    uint64_t within, heist_signal *out);

/* End: what is on its way arrives, actors drain without timers, the runtime shuts down, and each message
 * that was accepted must have been handled, or lost once.  OK: nothing has failed.  ECRASH: something has.
 * The pointer is dead.  EINVAL: inside a handler. */
HEIST_API heist_status heist_sim_end(heist_sim *);

/* ---- many seeds ---- */

/* A program under test: spawns, sends, runs, expects. */
typedef void heist_sim_fn(heist_sim *, heist_system *, void *user);

/* The main function of a test: begin, run, end for each seed.  The tool heist-sim (heist-sim --help) runs it
 * over many seeds in several processes, and shrinks what fails.  Environment:
 *     HEIST_SIM_SEED=17     that seed; 17+1000: a thousand from 17 on; default: opts->seed
 *     HEIST_SIM_KEEP=LIST   opts->keep; @FILE: what is in that file
 *     HEIST_SIM_TRACE=2     the trace, to that file descriptor
 *     HEIST_SIM_STATUS=3    a line `seed 17` to that file descriptor, before each
 * Prints the command that runs a failing seed again, also for one that aborts or faults.  Returns an exit
 * status: 0, 1: a seed failed, 2: wrong environment or options.  opts NULL: defaults. */
HEIST_API int heist_sim_main(int argc, char **argv, const heist_sim_opts *opts, heist_sim_fn *run,
			     void *user);

#ifdef __cplusplus
}
#endif

#endif
