/* SPDX-License-Identifier: BSD-2-Clause
 * A server that is slower than its requests' deadlines executes only those that still have a taker: load is shed, not
 * piled up.  Ten requests at once with 10 ms each, a server that takes 4: three begin in time, two are answered in
 * time, the reply of the third finds nobody.
 *
 * usage: pain_07_expired_work */
#define UNIT_PLAIN /* no test framework */

#include "tests/support/clock.h"

#define BURSTS 1000
#define BURST  10

static const heist_type QUERY = { .base = &QUERY, .name = "query", .size = 8, .reply_size = 8 };
static const heist_type BEGIN = { .base = &BEGIN, .name = "begin", .size = 8, .reply_size = 1 };
static heist_system *sys;
static heist_ref server;
static long executed, in_vain, in_time, too_late;

static heist_next server_recv(heist_ctx *ctx, void *state, const heist_type *type, void *msg)
{
	(void)state;
	executed++;
	in_vain += heist_deadline(ctx) <= test_now;
	test_now += 4 * TEST_MS;
	EXPECT(heist_reply(ctx, HEIST_OK, type, msg) == HEIST_OK);
	return HEIST_CONTINUE;
}
static const heist_class server_class = { "server", HEIST_ABI, 0, server_recv, NULL };

static void on_answer(heist_ctx *ctx, void *state, heist_status status, const void *reply,
		      uint64_t user)
{
	(void)ctx, (void)state, (void)reply, (void)user;
	EXPECT(status == HEIST_OK || status == HEIST_ETIMEOUT);
	*(status == HEIST_OK ? &in_time : &too_late) += 1;
}

static heist_next client_recv(heist_ctx *ctx, void *state, const heist_type *type, void *msg)
{
	uint64_t n = *(uint64_t *)msg;
	(void)state, (void)type;
	for (uint64_t i = 0; i < n; i++)
		EXPECT(heist_ask(ctx, server, &QUERY, &i, test_now + 10 * TEST_MS, on_answer, 0) ==
		       HEIST_OK);
	return HEIST_CONTINUE;
}
static const heist_class client_class = { "client", HEIST_ABI, 0, client_recv, NULL };

int main(void)
{
	heist_config c = test_clock_config();
	c.log_level = HEIST_LOG_OFF;
	EXPECT(heist_start(&c, &sys) == HEIST_OK);
	server = test_spawn(sys, &server_class, NULL);
	heist_ref client = test_spawn(sys, &client_class, NULL);
	for (int i = 0; i < BURSTS; i++) {
		EXPECT(test_tell(client, &BEGIN, BURST) == HEIST_OK);
		test_pass(sys, TEST_S);
	}
	printf("%d requests: %ld executed, %ld of them in vain; %ld answered in time, %ld told "
	       "that "
	       "it was too late\n",
	       BURSTS * BURST, executed, in_vain, in_time, too_late);
	EXPECT(executed == BURSTS * 3 && in_vain == 0);
	EXPECT(in_time == BURSTS * 2 && too_late == BURSTS * (BURST - 2));
	EXPECT(heist_lost_count(sys, HEIST_LOST_EXPIRED) == BURSTS * (BURST - 3));
	EXPECT(heist_lost_count(sys, HEIST_LOST_LATE) >= BURSTS); /* news that came too late, too */
	return heist_shutdown(sys, 0) != HEIST_OK;
}
