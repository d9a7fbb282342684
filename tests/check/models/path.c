/* SPDX-License-Identifier: BSD-2-Clause
 * Names in the trees: one actor stays, one ends, one comes, while another thread searches.  Who stays is found in
 * every search, once; who is found bears a name that was searched for; nothing is looked at after it was freed. */
#include "runtime/path.h"

#include "tests/check/models/runtime.h"

static const heist_type END = { .base = &END, .name = "end", .size = 8, .reply_size = 1 };

static heist_system *sys;
static heist_ref stays, ends, comes;
static _Atomic uint32_t searched, changed;

static heist_next recv(heist_ctx *ctx, void *state, const heist_type *type, void *msg)
{
	(void)ctx, (void)state, (void)type, (void)msg;
	return HEIST_STOP;
}
static const heist_class cls = { "named", HEIST_ABI, 0, recv, NULL };

/* What a supervisor without a parent does. */
static heist_ref named(const char *name)
{
	const heist_ref top = { 0 };
	struct path_node *node;
	heist_ref r;
	CHECK_ASSERT(heist_path_prepare(sys, top, name, &node) == HEIST_OK);
	const struct spawn_extra more = { .watch = heist_path_bond(node) };
	CHECK_ASSERT(heist_spawn_with(sys, &cls, NULL, NULL, &more, &r) == HEIST_OK);
	heist_path_add(sys, node, top, r);
	return r;
}

static void setup(void)
{
	SET(searched, 0);
	SET(changed, 0);
	sys = model_start(1);
	comes = (heist_ref){ 0 };
	stays = named("stays");
	ends = named("ends"); /* before it in the list */
}

static void search(void)
{
	heist_ref found[3];
	int stayed = 0;
	size_t n = heist_select(sys, "/*", found, 3);
	CHECK_ASSERT(n <= 3);
	for (size_t i = 0; i < n; i++)
		stayed += found[i].v == stays.v;
	CHECK_ASSERT(stayed == 1);
}

static void change(void)
{
	uint64_t n = 0;
	CHECK_ASSERT(heist_send(ends, &END, &n) == HEIST_OK);
	comes = named("comes");
	model_signal(&changed);
	model_await(&searched, 1);
	CHECK_ASSERT(heist_pool_wait_quiet(&sys->pool, 0));
	heist_ref found[3];
	CHECK_ASSERT(heist_select(sys, "/ends", found, 3) == 0);
	CHECK_ASSERT(heist_select(sys, "/comes", found, 3) == 1 && found[0].v == comes.v);
	CHECK_ASSERT(heist_shutdown(sys, 0) == HEIST_OK);
}

static void thread(int t)
{
	if (t == 0) {
		change();
		return;
	}
	search();
	search();
	model_signal(&searched);
}

static void finish(void)
{
	CHECK_ASSERT(check_live() == 0);
}

int main(int argc, char **argv)
{
	static const struct check_model m = { "path", 2, setup, thread, finish };
	return check_main(argc, argv, &m);
}
