/* SPDX-License-Identifier: BSD-2-Clause
 * Names: a writer adds, removes and lets the table grow while two readers search. */
#include "lockfree/names.h"
#include "tests/check/check.h"

struct thing {
	struct name name;
	int value;
};

static struct epoch e;
static struct epoch_record records[3];
static struct names names;
static struct thing *stays, *goes;
static int freed;

static void *get(void *user, size_t size, size_t align)
{
	(void)user;
	return check_alloc(size, align);
}

static void put(void *user, void *p, size_t size)
{
	(void)user, (void)size;
	check_free(p);
}
static const struct heist_memory memory = { get, put, NULL };

static struct thing *add(char text)
{
	struct thing *x = check_alloc(sizeof *x, 8);
	x->name.text[0] = text;
	x->name.text[1] = '\0';
	x->value = text;
	CHECK_ASSERT(heist_names_add(&names, &x->name));
	return x;
}

static void thing_free(struct epoch_entry *entry)
{
	freed++;
	((struct thing *)entry)->value = 0; /* every use of it happened before */
	check_free(entry);
}

static void drop(struct thing *x)
{
	heist_names_remove(&names, &x->name);
	heist_epoch_retire(&records[0], &x->name.retired, thing_free);
}

static void setup(void)
{
	heist_epoch_init(&e);
	for (int i = 0; i < 3; i++)
		heist_epoch_join(&e, &records[i]);
	CHECK_ASSERT(heist_names_init(&names, &memory, &records[0]) == 0);
	stays = add('s');
	freed = 0;
}

static bool find(int t, const char *text)
{
	(void)t;
#ifndef MUTANT_NO_SECTION
	epoch_enter(&records[t]);
#endif
	struct thing *x = (struct thing *)heist_names_find(&names, text);
	CHECK_ASSERT(!x || x->value == text[0]);
#ifndef MUTANT_NO_SECTION
	epoch_leave(&records[t]);
#endif
	return x != NULL;
}

static void thread(int t)
{
	switch (t) {
	case 0:
		goes = add('g'); /* a new table */
		drop(goes);
		goes = add('g'); /* where the tombstone is */
		add('n');
		heist_epoch_reclaim(&records[0]);
		break;
	case 1:
		CHECK_ASSERT(find(t, "s")); /* whatever happens to the others */
		(void)find(t, "g");
		break;
	default:
		if (find(t, "n"))
			CHECK_ASSERT(find(t, "g")); /* it was there before */
		CHECK_ASSERT(!find(t, "x"));
	}
}

static void finish(void)
{
	CHECK_ASSERT(freed == 1);
	static const char *const left[] = { "s", "g", "n" };
	for (int i = 0; i < 3; i++) {
		struct name *x = heist_names_find(&names, left[i]);
		CHECK_ASSERT(x != NULL);
		heist_names_remove(&names, x);
		check_free(x);
	}
	heist_names_destroy(&names);
}

int main(int argc, char **argv)
{
	static const struct check_model m = { "names", 3, setup, thread, finish };
	return check_main(argc, argv, &m);
}
