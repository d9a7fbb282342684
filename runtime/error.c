/* SPDX-License-Identifier: BSD-2-Clause
 * error.c - texts of status values, and what happens to wrong arguments. */
#include "runtime/system.h"

#include <stdio.h>
#include <stdlib.h>

const char *heist_strstatus(heist_status status)
{
	switch (status) {
	case HEIST_OK:
		return "ok";
	case HEIST_EFULL:
		return "the mailbox is full";
	case HEIST_EDEAD:
		return "the actor has ended";
	case HEIST_ETIMEOUT:
		return "the deadline has passed";
	case HEIST_ENOMEM:
		return "out of memory";
	case HEIST_EINVAL:
		return "invalid argument, or not allowed here";
	case HEIST_ECLOSED:
		return "the runtime is shutting down";
	case HEIST_EEXIST:
		return "an actor that is alive has this name";
	case HEIST_ECRASH:
		return "the actor failed";
	case HEIST_EINIT:
		return "the actor's init hook did not succeed";
	case HEIST_ENOREPLY:
		return "the asked actor did not reply";
	case HEIST_EKILLED:
		return "the actor was killed";
	case HEIST_EFAULT:
		return "the actor's handler had a fault";
	case HEIST_EUSER:
		break;
	}
	return (int)status <= (int)HEIST_EUSER ? "application error" : "unknown status";
}

uint32_t heist_abi_version(void)
{
	return HEIST_ABI;
}

#ifndef NDEBUG
HEIST_COLD heist_status heist_bad_arg(const char *function, const char *cause)
{
	fprintf(stderr, "heist: %s: %s\n", function, cause);
	abort();
}
#endif
