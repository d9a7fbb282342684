/* SPDX-License-Identifier: BSD-2-Clause
 * Liveness of shutdown beside parking: a publisher submits to one of two workers, then somebody waits until all is quiet,
 * stops the workers and waits until they have left.  It comes to its end, and nothing is left queued.
 *
 * Broken on purpose
 *   -DSTOP_UNSEEN    a worker that has announced its sleep does not look at the stop flag again
 *   -DSTOP_OVERTAKES it does, but the look overtakes the announcement (no fence)
 *   -DWATCH_LATE     who waits for quiet looks before it says that it waits
 *   -DEXIT_SILENT    a worker that leaves tells nobody */
#define WORKERS 2
#define EACH	2

byte work[WORKERS];	/* in the inbox of each */
bool parked[WORKERS];	/* its bit in the idle set */
byte tokens[WORKERS];	/* notifications of its eventcount */
byte parks[WORKERS];
bool stop, watched;
byte epoch;		/* of the eventcount of those who wait for quiet */
byte timeouts;		/* of sleeping workers, so far */
byte submitted, handled, exited;
bool done;

inline claim(i)
{
	atomic { if :: parked[i] -> parked[i] = false; tokens[i]++ :: else fi }
}

inline tell()
{
	epoch = (epoch + 1) % 16
}

proctype publisher(byte i)
{
	byte n = 0;
	do
	:: n < EACH -> work[i]++; if :: parked[i] -> claim(i) :: else fi; n++
	:: else -> break
	od;
	submitted++
}

/* Either we take ourselves out of the set, or who did notifies us. */
inline unpark(i)
{
	atomic { if :: parked[i] -> parked[i] = false :: else -> tokens[i] > 0 -> tokens[i]-- fi }
}

proctype worker(byte i)
{
	bool stays;
	do
	:: atomic { work[i] > 0 -> work[i]--; handled++ }
	:: work[i] == 0 ->
		if :: stop -> break :: else fi;
		parks[i] = (parks[i] + 1) % 8;
#ifdef STOP_OVERTAKES
		stays = stop;
		parked[i] = true;
#else
		parked[i] = true;
#ifdef STOP_UNSEEN
		stays = false;
#else
		stays = stop;
#endif
#endif
		if
		:: stays || work[i] > 0 -> unpark(i)
		:: else ->
			if :: watched -> tell() :: else fi;
			if
			:: atomic { tokens[i] > 0 -> tokens[i]-- }
			:: atomic { timeouts < 1 -> timeouts++ }; unpark(i)
			fi
		fi
	od;
	exited++;
#ifndef EXIT_SILENT
	tell()
#endif
}

proctype shutdown()
{
	byte key, before, after;
	submitted == 1; /* the intake is closed */
#ifndef WATCH_LATE
	watched = true;
#endif
	do
	:: key = epoch;
		before = parks[0] + parks[1];
		if
		:: parked[0] && parked[1] && work[0] == 0 && work[1] == 0 ->
			after = parks[0] + parks[1];
			if :: before == after -> break :: else fi
		:: else ->
#ifdef WATCH_LATE
			watched = true;
#endif
			epoch != key
		fi
	od;
	assert(handled == EACH);
	stop = true;
	claim(0);
	claim(1);
	do
	:: key = epoch;
		if :: exited == WORKERS -> break :: else -> epoch != key fi
	od;
	assert(work[0] == 0 && work[1] == 0);
	done = true
}

init
{
	atomic { run publisher(0); run worker(0); run worker(1); run shutdown() }
}

ltl live { <> done }
