/* SPDX-License-Identifier: BSD-2-Clause
 * examples.c - an example of runtime/examples, unchanged, under simulation: its heist_start gives it the
 * simulation's runtime.  Each seed has a process of its own, as the example's variables are made for one run.
 *
 * usage: sim_example_NAME [on-time], with the environment of heist_sim_main; heist-sim for many seeds; on-time: in any
 * order, but no message is late */
#include <heist/sim.h>

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

int example_main(void) __asm__(EXAMPLE_MAIN); /* its main: of C, or as C++ writes the name */
heist_status example_start(const heist_config *config, heist_system **out);

static heist_system *given; /* to the example, when it starts; NULL: it has been */

heist_status example_start(const heist_config *config, heist_system **out)
{
	(void)config; /* it comes too late: the simulation has begun */
	if (!given)
		return HEIST_EINVAL;
	*out = given;
	given = NULL;
	return HEIST_OK;
}

static void run(heist_sim *sim, heist_system *s, void *user)
{
	(void)user;
	given = s;
	int status = example_main();
	if (status != 0)
		heist_sim_fail(sim, "the example's exit status is %d", status);
	HEIST_SIM_CHECK(sim, !given);
}

static int simulate(int argc, char **argv)
{
	heist_sim_opts o = heist_sim_opts_default();
	o.order = 1000000;
	o.delay = argc > 1 && strcmp(argv[1], "on-time") == 0 ? 0 : 300000;
	o.slow = 20000;
	o.slow_ns = 100000;
	o.vary = 1;
	return heist_sim_main(argc, argv, &o, run, NULL);
}

static int simulate_apart(unsigned long long seed, int argc, char **argv)
{
	char text[24];
	int status = 0;
	pid_t child = fork();
	if (child == 0) {
		snprintf(text, sizeof text, "%llu", seed);
		setenv("HEIST_SIM_SEED", text, 1);
		exit(simulate(argc, argv));
	}
	if (child < 0 || waitpid(child, &status, 0) != child)
		return 2;
	if (WIFSIGNALED(status)) /* as it is told by heist-sim */
		raise(WTERMSIG(status));
	return WEXITSTATUS(status);
}

int main(int argc, char **argv)
{
	const char *seeds = getenv("HEIST_SIM_SEED");
	unsigned long long first, count;
	int status = 0, used = 0;
	if (!seeds || sscanf(seeds, "%llu+%llu%n", &first, &count, &used) != 2 || seeds[used])
		return simulate(argc, argv);
	for (unsigned long long i = 0; i < count && status == 0; i++)
		status = simulate_apart(first + i, argc, argv);
	return status;
}
