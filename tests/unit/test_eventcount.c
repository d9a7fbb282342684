/* SPDX-License-Identifier: BSD-2-Clause
 * The eventcount over a futex that is played here: what it asks the kernel, and what it makes of the
 * answers. */
#include "lockfree/eventcount.h"
#include "tests/support/unit.h"

static struct eventcount e;

static struct {
	int waits, wakes;  /* calls */
	int spurious;	   /* waits that return for no reason, first */
	uint32_t expected; /* arguments of the last call */
	uint64_t deadline;
	int count;
	enum heist_wait answer;
	void (*during)(void); /* what happens during the wait that follows the spurious ones */
} futex;

enum heist_wait heist_futex_wait(_Atomic uint32_t *word, uint32_t expected, uint64_t deadline)
{
	EXPECT(word == &e.epoch);
	futex.waits++;
	futex.expected = expected;
	futex.deadline = deadline;
	if (futex.waits <= futex.spurious)
		return HEIST_WAIT_WOKEN;
	EXPECT(futex.during ||
	       futex.answer == HEIST_WAIT_TIMEOUT); /* else it would sleep for ever */
	if (futex.during)
		futex.during();
	return futex.answer;
}

int heist_futex_wake(_Atomic uint32_t *word, int count)
{
	EXPECT(word == &e.epoch);
	futex.wakes++;
	futex.count = count;
	return 1;
}

static void set_up(void)
{
	eventcount_init(&e);
	futex.waits = futex.wakes = futex.spurious = futex.count = 0;
	futex.answer = HEIST_WAIT_WOKEN;
	futex.during = NULL;
}

static void somebody_notifies(void)
{
	EXPECT(eventcount_notify(&e, 1) == 1);
}

TEST(eventcount, notify_without_sleepers_does_not_enter_the_kernel)
{
	set_up();
	uint32_t epoch = e.epoch;
	EXPECT(eventcount_notify(&e, 1) == 0);
	EXPECT(futex.wakes == 0);
	EXPECT(e.epoch == epoch);
}

TEST(eventcount, cancel_takes_the_announcement_back)
{
	set_up();
	eventcount_prepare(&e);
	EXPECT(e.waiters == 1);
	eventcount_cancel(&e);
	EXPECT(e.waiters == 0);
	EXPECT(eventcount_notify(&e, 1) == 0);
	EXPECT(futex.wakes == 0);
}

TEST(eventcount, notification_after_prepare_makes_wait_return_at_once)
{
	set_up();
	uint32_t key = eventcount_prepare(&e);
	EXPECT(eventcount_notify(&e, 1) == 1);
	EXPECT(eventcount_wait(&e, key, 0) == HEIST_WAIT_WOKEN);
	EXPECT(futex.waits == 0);
	EXPECT(e.waiters == 0);
}

TEST(eventcount, wait_passes_key_and_deadline_to_the_futex)
{
	set_up();
	futex.during = somebody_notifies;
	uint32_t key = eventcount_prepare(&e);
	EXPECT(eventcount_wait(&e, key, 12345) == HEIST_WAIT_WOKEN);
	EXPECT(futex.waits == 1);
	EXPECT(futex.expected == key);
	EXPECT(futex.deadline == 12345);
	EXPECT(e.waiters == 0);
}

TEST(eventcount, spurious_wake_ups_are_not_told)
{
	set_up();
	futex.spurious = 3;
	futex.during = somebody_notifies;
	EXPECT(eventcount_wait(&e, eventcount_prepare(&e), 0) == HEIST_WAIT_WOKEN);
	EXPECT(futex.waits == 4);
	EXPECT(e.waiters == 0);
}

TEST(eventcount, timeout_is_told)
{
	set_up();
	futex.answer = HEIST_WAIT_TIMEOUT;
	EXPECT(eventcount_wait(&e, eventcount_prepare(&e), 1) == HEIST_WAIT_TIMEOUT);
	EXPECT(futex.waits == 1);
	EXPECT(e.waiters == 0);
}

TEST(eventcount, notification_during_a_timeout_counts)
{
	set_up();
	futex.answer = HEIST_WAIT_TIMEOUT;
	futex.during = somebody_notifies;
	EXPECT(eventcount_wait(&e, eventcount_prepare(&e), 1) == HEIST_WAIT_WOKEN);
	EXPECT(e.waiters == 0);
}

TEST(eventcount, notify_asks_for_as_many_as_it_was_told)
{
	set_up();
	eventcount_prepare(&e);
	eventcount_prepare(&e);
	EXPECT(eventcount_notify(&e, 7) == 1);
	EXPECT(futex.count == 7);
	EXPECT(e.waiters == 2); /* they leave by themselves */
}

TEST(eventcount, epoch_wraps)
{
	set_up();
	e.epoch = UINT32_MAX;
	uint32_t key = eventcount_prepare(&e);
	EXPECT(key == UINT32_MAX);
	eventcount_notify(&e, 1);
	EXPECT(e.epoch == 0);
	EXPECT(eventcount_wait(&e, key, 0) == HEIST_WAIT_WOKEN);
	EXPECT(futex.waits == 0);
}
