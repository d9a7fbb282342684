/* SPDX-License-Identifier: BSD-2-Clause
 * watchdog.h - the last words of a test program that hangs.
 *
 * Linked into a program it starts by itself if HEIST_TEST_HANG says after how many seconds, which
 * tests/meson.build sets a little below each test's time limit (HEIST_TEST_SLOWER: times so many, under a
 * sanitizer).  A program that is still there then prints, for each of its runtimes, what every worker does,
 * how many are parked and searching, what is queued where and the last events if they are recorded; then the
 * stack of every thread, by gdb where there is one; and aborts. */
#ifndef HEIST_TESTS_WATCHDOG_H
#define HEIST_TESTS_WATCHDOG_H

/* From now on that many seconds are left. */
void watchdog_arm(unsigned seconds);
/* Any thread: print all that, once. */
void watchdog_report(void);

#endif
