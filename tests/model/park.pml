/* SPDX-License-Identifier: BSD-2-Clause
 * Liveness of parking, with the store buffers written out: two publishers, one worker that parks.
 * -DNO_FENCE: the publisher's load may overtake its store.  Then the worker can sleep beside work. */
byte visible = 0;      /* work in memory */
bool parked = false;   /* the worker's bit */
byte tokens = 0;       /* notifications */
byte done = 0;

proctype publisher()
{
	bool saw;
#ifdef NO_FENCE
	saw = parked;  /* the load overtakes the store */
	visible++;
#else
	visible++;
	saw = parked;
#endif
	if
	:: saw -> atomic { if :: parked -> parked = false; tokens++ :: else fi }
	:: else
	fi
}

active proctype worker()
{
	do
	:: done == 2 -> break
	:: else ->
		if
		:: atomic { visible > 0 -> visible--; done++ }
		:: visible == 0 ->
			parked = true;
			if
			:: visible > 0 -> atomic { if :: parked -> parked = false :: else -> tokens > 0 -> tokens-- fi }
			:: else -> tokens > 0 -> tokens--
			fi
		fi
	od
}

init { run publisher(); run publisher() }

ltl live { <> (done == 2) }
