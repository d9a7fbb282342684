/* SPDX-License-Identifier: BSD-2-Clause
 * table.h - the table of runtimes by id, and the locals of each that foreign threads borrow.
 *
 * Static, so that a lock outlives its runtime: whoever holds the lock of a local sees whether the runtime
 * still exists, and a runtime waits for all that are inside by taking each lock once.  A thread has at most one
 * local of a runtime: a hook of a message that is lost inside gets the same one again.
 *
 * Threads   any.  hold, release_held and orphan: around a fork (fork.c). */
#ifndef HEIST_RUNTIME_TABLE_H
#define HEIST_RUNTIME_TABLE_H

#include "runtime/system.h"

/* A free id, and the generation at which its handles begin; 0: too many, or a second simulation. */
uint32_t heist_table_claim(bool simulated, uint32_t *generation);
void heist_table_release(uint32_t id, uint32_t generation);

/* From now on foreign threads find the runtime, or do not. */
void heist_foreign_attach(struct heist_system *s, bool attach);
/* Wait until no other foreign thread is where it was. */
void heist_foreign_grace(struct heist_system *s);
/* Trim local i, unless somebody has it. */
void heist_foreign_trim(struct heist_system *s, uint32_t i);

/* Before a fork, and after it in both processes: no id is claimed or released meanwhile. */
void heist_table_hold(void);
void heist_table_let_go(void);
/* In a child: whoever was inside is not there.  No runtime is found any more; each is told. */
void heist_table_orphan(void (*each)(struct heist_system *));

#endif
