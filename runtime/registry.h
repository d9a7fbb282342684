/* SPDX-License-Identifier: BSD-2-Clause
 * registry.h - names of actors: register, unregister, whereis.
 *
 * Made by the first heist_register; a runtime without names pays nothing.  A name belongs to a handle.
 * The moment the actor ends, its name is free: whereis compares the generation, and register takes the
 * place of a name whose actor has ended.  The memory of such names is swept up a few at a time, by
 * register and by workers about to park, so the end of an actor costs nothing and there is never more
 * garbage than about as many names as are alive.
 *
 * Threads   whereis, unregister: any, lock-free (an epoch section) for workers; others borrow a local.
 *           register: any, under the lock.
 * Life      of an entry: TAKEN -> GIVEN_UP, by one CAS: of heist_unregister, which pushes it onto
 *           given_up; or of whoever holds the lock and finds its actor ended.  Whoever did the CAS, or
 *           drains given_up, retires the entry through the epoch. */
#ifndef HEIST_RUNTIME_REGISTRY_H
#define HEIST_RUNTIME_REGISTRY_H

#include <heist/heist.h>

#include "lockfree/names.h"
#include "lockfree/stack.h"
#include "runtime/readers.h"
#include "runtime/spinlock.h"

struct registry;

/* NULL, or what is wrong with a name. */
const char *heist_name_bad(const char *name);
/* The name of an actor, "" if it has none; of several, the one that it was given last.  Any thread. */
void heist_registry_name(struct heist_system *s, heist_ref actor, char name[NAMES_TEXT]);
/* A worker is about to sleep: clean up a little. */
void heist_registry_trim(struct heist_system *s);
/* Nobody calls into the runtime any more. */
void heist_registry_destroy(struct heist_system *s);

#endif
