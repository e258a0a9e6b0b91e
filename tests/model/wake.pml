/*
 * A planner and a worker: two queues (src/base/spsc.c) of CAPACITY places, the wake of each one's ring
 * (wake_pending and the eventfd of src/io/ring.c), the loops around them (worker_turn, worker_is_finished,
 * planner_hand_out, planner_collect_results), and the stop.
 *
 * Memory is weak: a store goes into a buffer of its thread and reaches memory later, stores to different places in
 * any order; a release store only behind all that its thread stored before. An exchange waits until its thread's
 * buffer is empty and acts on memory. Loads happen in program order: what acquire is for is litmus.cpp's.
 * Indices have two bits and so wrap all the time.
 *
 * Checked in all interleavings: every lease given comes back once, with what its holder wrote to it (asserts);
 * nobody sleeps with work waiting, and both come to their end (no invalid end state).
 *
 * A mutant is a -DM_...; model/run has the list.
 */
#ifndef SENDS
#define SENDS 3
#endif
#define LEASES 2
#define CAPACITY 2

/* Places in memory. The queue to the worker begins at 0, the one back at 4. */
#define TAIL 0
#define HEAD 1
#define ITEM 2 /* and 3 */
#define INBOX 0
#define OUTBOX 4
#define WAKE 8 /* of the worker; 9: of the planner */
#define STOP 10
#define DATA 11 /* of each lease */
#define PLACES 13

#define PLANNER 0
#define WORKER 1
#define RELAXED 0
#define RELEASE 1

byte memory[PLACES];
chan buffer[2] = [6] of { byte, byte, bit }; /* place, value, release */
byte pending[2 * PLACES]; /* stores of a thread to a place that are in its buffer */
byte last[2 * PLACES];	  /* the newest of them */
bit eventfd[2];		  /* of PLANNER, of WORKER */
bool finished;

/* Into the thread's own buffer: nobody sees that, so it may stand in the middle of an atomic step. */
inline store(t, place, value, order) {
	last[t * PLACES + place] = value;
	pending[t * PLACES + place]++;
	buffer[t]!place, value, order
}

#define load(t, place) (pending[t * PLACES + place] > 0 -> last[t * PLACES + place] : memory[place])

/* Acts on memory; everything before it is there. */
inline exchange(t, place, value, old) {
	atomic {
		empty(buffer[t]);
		old = memory[place];
		memory[place] = value
	}
}

inline arrive(t) {
	memory[place] = value;
	pending[t * PLACES + place]--;
	if
	:: pending[t * PLACES + place] == 0 -> last[t * PLACES + place] = 0
	:: else
	fi;
	place = 0;
	value = 0
}

/* A store that is not the oldest, but the only one to its place. */
#define OVERTAKES(at) \
	:: atomic { \
		pending[t * PLACES + at] == 1 && !buffer[t]?[eval(at), _, _] && \
		buffer[t]??[eval(at), _, RELAXED] -> \
		buffer[t]??eval(at), value, RELAXED; \
		place = at; \
		arrive(t) \
	   }

/* The memory system: takes the oldest store of any place, a release only when it is the oldest of all. */
proctype drain(byte t) {
	byte place, value;

end:	do
	:: atomic { buffer[t]?place, value, _; arrive(t) }
	OVERTAKES(INBOX + TAIL)
	OVERTAKES(INBOX + ITEM)
	OVERTAKES(INBOX + ITEM + 1)
	OVERTAKES(OUTBOX + TAIL)
	OVERTAKES(OUTBOX + ITEM)
	OVERTAKES(OUTBOX + ITEM + 1)
	OVERTAKES(DATA)
	OVERTAKES(DATA + 1)
	od
}

/* ---- spsc.c ---- */

#ifdef M_PUSH_RELAXED
#define PUSH_ORDER RELAXED
#else
#define PUSH_ORDER RELEASE
#endif
#define IS_FULL(tail, head) (((tail - head) & 3) > CAPACITY - 1)

/* The load of the head is all of it that another thread can tell; see store. */
inline push(t, queue, item) {
	tail = load(t, queue + TAIL);
	/* As long as there are leases. */
	assert(!IS_FULL(tail, load(t, queue + HEAD)));
	store(t, queue + ITEM + (tail & 1), item, RELAXED);
	store(t, queue + TAIL, (tail + 1) & 3, PUSH_ORDER);
	tail = 0
}

/* `item` is 0 when it is empty. */
inline pop(t, queue, item) {
	atomic {
		tail = load(t, queue + HEAD);
		if
		:: tail == load(t, queue + TAIL) -> item = 0; tail = 0
		:: else -> item = 1
		fi
	}
	if
	:: item > 0 ->
		atomic {
			item = load(t, queue + ITEM + (tail & 1));
			assert(item > 0 && item <= LEASES);
			store(t, queue + HEAD, (tail + 1) & 3, RELEASE);
			tail = 0
		}
	:: else
	fi
}

/* ---- ring.c ---- */

/* ring_wake of the other's ring. */
inline wake(t, other) {
#ifdef M_WAKE_BY_STORE
	old = load(t, WAKE + 1 - other);
	if
	:: old == 0 -> atomic { store(t, WAKE + 1 - other, 1, RELEASE) } eventfd[other] = 1
	:: else
	fi;
	old = 0
#else
	exchange(t, WAKE + 1 - other, 1, old);
	if
	:: old == 0 -> eventfd[other] = 1
	:: else -> old = 0
	fi
#endif
}

/* KIND_WAKE of one's own ring. */
inline clear_wake(t) {
#ifdef M_CLEAR_BY_STORE
	atomic { store(t, WAKE + 1 - t, 0, RELEASE) }
#else
	exchange(t, WAKE + 1 - t, 0, old);
	old = 0
#endif
}

/* The wait of ring_turn: without limit if `idle`, else just a look. */
inline turn(t) {
	if
	:: eventfd[t] == 1 -> eventfd[t] = 0; woken = true
	:: !idle && eventfd[t] == 0 -> woken = false
	fi;
#ifndef M_CLEAR_LATE
	if
	:: woken -> clear_wake(t)
	:: else
	fi
#endif
}

inline turn_over(t) {
#ifdef M_CLEAR_LATE
	if
	:: woken -> clear_wake(t)
	:: else
	fi
#endif
	woken = false
}

/* ---- worker.c ---- */

#ifdef M_FINISH_WITHOUT_INBOX
#define INBOX_DONE true
#else
#define INBOX_DONE (load(WORKER, INBOX + HEAD) == load(WORKER, INBOX + TAIL))
#endif

inline take_leases() {
	do
	:: pop(WORKER, INBOX, item);
	   if
	   :: item == 0 -> break
	   :: else ->
		assert(load(WORKER, DATA + item - 1) == 1); /* as the planner filled it */
		held[item - 1] = true;
		held_count++
	   fi
	od
}

/* Any lease held is decided at any time; when stopping, all are. */
inline decide() {
	do
	:: held_count > 0 ->
		if
		:: held[0] -> item = 1
		:: held[1] -> item = 2
		fi;
		atomic {
			held[item - 1] = false;
			held_count--;
			store(WORKER, DATA + item - 1, 2, RELAXED);
			push(WORKER, OUTBOX, item);
			notify = true
		}
	:: held_count == 0 || stopping == 0 -> break
	od;
	item = 0
}

proctype worker() {
	byte tail, item, old, held_count, stopping;
	bool notify, woken, idle;
	bool held[LEASES];

	do
	:: stopping > 0 && held_count == 0 && INBOX_DONE -> break
	:: else ->
		/* Sessions go on by themselves: with leases held it does not sleep for ever. */
		idle = held_count == 0 && load(WORKER, INBOX + HEAD) == load(WORKER, INBOX + TAIL);
		turn(WORKER);
		take_leases();
		stopping = load(WORKER, STOP);
		decide();
		if
		:: notify ->
			notify = false;
#ifndef M_NO_NOTIFY
			wake(WORKER, PLANNER)
#endif
		:: else
		fi;
		turn_over(WORKER)
	od;
	finished = true
}

/* ---- planner ---- */

inline hand_out() {
	do
	:: sent < SENDS && (is_free[0] || is_free[1]) ->
		if
		:: is_free[0] -> item = 1
		:: is_free[1] -> item = 2
		fi;
#ifdef M_WAKE_BEFORE_PUSH
		wake(PLANNER, WORKER);
#endif
		atomic {
			is_free[item - 1] = false;
			store(PLANNER, DATA + item - 1, 1, RELAXED);
			push(PLANNER, INBOX, item);
			sent++;
			out++;
			given = true
		}
	:: break
	od;
	item = 0;
	if
	:: given ->
		given = false;
#ifndef M_WAKE_BEFORE_PUSH
		wake(PLANNER, WORKER)
#endif
	:: else
	fi
}

inline collect() {
	do
	:: pop(PLANNER, OUTBOX, item);
	   if
	   :: item == 0 -> break
	   :: else ->
		assert(!is_free[item - 1]);			/* once */
		assert(load(PLANNER, DATA + item - 1) == 2);	/* as the worker left it */
		is_free[item - 1] = true;
		out--
	   fi
	od
}

proctype planner() {
	byte tail, item, old, sent, out;
	bool given, woken, idle, stops;
	bool is_free[LEASES];

	is_free[0] = true;
	is_free[1] = true;
	do
	:: stops && out == 0 -> break
	:: else ->
		/* While it has rows to send and leases for them it does not sleep; it never looks at the queue. */
		idle = stops || sent == SENDS || out == LEASES;
		turn(PLANNER);
		collect();
		if
		:: !stops -> hand_out()
		:: else
		fi;
		turn_over(PLANNER);
		if
		:: !stops && (sent == SENDS || out > 0) ->
			stops = true;
			atomic { store(PLANNER, STOP, 1, RELEASE) }
#ifndef M_STOP_WITHOUT_WAKE
			wake(PLANNER, WORKER)
#endif
		:: !stops && (sent < SENDS || out > 0)
		:: stops
		fi
	od;
	finished /* the join */
}

init {
	atomic {
		run drain(PLANNER);
		run drain(WORKER);
		run planner();
		run worker()
	}
}
