/* SPDX-License-Identifier: BSD-2-Clause
 * limits.c - heist-bench calibrate: the limits of this machine, for scripts that watch it change. */
#include "bench/cli.h"

#include <argp.h>
#include <cjson/cJSON.h>

#include "bench/common/report.h"

static error_t parse(int key, char *arg, struct argp_state *state)
{
	(void)arg;
	if (key != 'j')
		return ARGP_ERR_UNKNOWN;
	*(bool *)state->input = true;
	return 0;
}

static const struct argp_option keys[] = {
	{ "json", 'j', NULL, 0, "One JSON object, in nanoseconds; 0: not measurable here", 0 },
	{ 0 },
};

static const struct argp argp = {
	.options = keys,
	.parser = parse,
	.doc = "Measure what bounds a message on this machine: one core, and a line that moves "
	       "between two.\vThe same figures open every run; here alone, about a second.",
};

int bench_calibrate_main(int argc, char **argv)
{
	struct calibration c;
	bool json = false;
	argp_parse(&argp, argc, argv, 0, NULL, &json);
	calibrate(&c);
	if (!json) {
		report_environment(stdout);
		report_calibration(stdout, &c);
		return 0;
	}
	cJSON *o = report_calibration_json(&c);
	char *text = o ? cJSON_PrintUnformatted(o) : NULL;
	if (!text)
		bench_failed("out of memory");
	puts(text);
	cJSON_free(text);
	cJSON_Delete(o);
	return 0;
}
