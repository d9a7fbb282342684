/* SPDX-License-Identifier: BSD-2-Clause
 * Groups: one member stays, one is taken out by a thread and ends by another's message, one joins, while others
 * read the list; an actor watches.  Who stays is in every copy, once; nobody is in it twice; the watcher is told
 * of each join and of each leave, once, and of a leave after its join; nothing is read after it was freed. */
#include "tests/check/models/runtime.h"

#ifndef READERS
#define READERS 1
#endif

static const heist_type END = { .base = &END, .name = "end", .size = 8, .reply_size = 1 };
static const heist_type TOLD = {
	.base = &TOLD, .name = "told", .size = sizeof(heist_member_event), .reply_size = 1
};

static heist_system *sys;
static heist_ref member[3], watcher;
static _Atomic uint32_t read_by, told_left;
static int joined[3], left[3]; /* plain: the watcher's */

static heist_next member_recv(heist_ctx *ctx, void *state, const heist_type *type, void *msg)
{
	(void)ctx, (void)state, (void)type, (void)msg;
	return HEIST_STOP;
}
static const heist_class member_class = { "member", HEIST_ABI, 0, member_recv, NULL };

static heist_next watcher_recv(heist_ctx *ctx, void *state, const heist_type *type, void *msg)
{
	const heist_member_event *e = msg;
	int i = 0;
	(void)ctx, (void)state, (void)type;
	while (member[i].v != e->who.v)
		i++;
	if (e->change == HEIST_MEMBER_JOINED) {
		CHECK_ASSERT(joined[i]++ == 0);
	} else {
		CHECK_ASSERT(joined[i] == 1 && left[i]++ == 0);
		model_signal(&told_left);
	}
	return HEIST_CONTINUE;
}
static const heist_class watcher_class = { "watcher", HEIST_ABI, 0, watcher_recv, NULL };

static void setup(void)
{
	SET(read_by, 0);
	SET(told_left, 0);
	sys = model_start(1);
	CHECK_ASSERT(heist_spawn(sys, &watcher_class, NULL, NULL, &watcher) == HEIST_OK);
	for (int i = 0; i < 3; i++) {
		joined[i] = left[i] = 0;
		CHECK_ASSERT(heist_spawn(sys, &member_class, NULL, NULL, &member[i]) == HEIST_OK);
	}
	for (int i = 0; i < 2; i++)
		CHECK_ASSERT(heist_group_join(sys, "g", member[i]) == HEIST_OK);
	CHECK_ASSERT(heist_group_watch(sys, "g", watcher, &TOLD, 0) == HEIST_OK);
}

static void writer(void)
{
	uint64_t n = 0;
	CHECK_ASSERT(heist_send(member[1], &END, &n) == HEIST_OK);
	heist_status r = heist_group_leave(sys, "g", member[1]);
	CHECK_ASSERT(r == HEIST_OK || r == HEIST_EDEAD);
	CHECK_ASSERT(heist_group_join(sys, "g", member[2]) == HEIST_OK);
	model_await(&told_left, 1);
	model_await(&read_by, READERS);
	CHECK_ASSERT(heist_pool_wait_quiet(&sys->pool, 0));
	CHECK_ASSERT(joined[0] == 1 && joined[1] == 1 && joined[2] == 1);
	CHECK_ASSERT(left[0] == 0 && left[1] == 1 && left[2] == 0);
	model_accounts(sys);
	CHECK_ASSERT(heist_shutdown(sys, 0) == HEIST_OK);
}

static void reader(void)
{
	heist_ref got[3];
	int times[3] = { 0, 0, 0 };
	size_t n = heist_group_members(sys, "g", got, 3);
	CHECK_ASSERT(n <= 3);
	for (size_t i = 0; i < n; i++)
		for (int k = 0; k < 3; k++)
			times[k] += got[i].v == member[k].v;
	CHECK_ASSERT(times[0] == 1 && times[1] <= 1 && times[2] <= 1);
}

static void thread(int t)
{
	if (t == 0) {
		writer();
		return;
	}
	reader();
	reader();
	model_signal(&read_by);
}

static void finish(void)
{
	CHECK_ASSERT(check_live() == 0);
}

int main(int argc, char **argv)
{
	static const struct check_model m = { "roster", 1 + READERS, setup, thread, finish };
	return check_main(argc, argv, &m);
}
