/*
 * One slot of the in-doubt journal (src/store/journal.h) through the life of two rows that use it one after the
 * other: the planner fills it (fill_slot), the worker notes the receiver, the end of the message and the answer
 * (note_endings, note_answer), the planner commits the result and frees the slot (planner_results_committed).
 * At any step the process is killed. Its threads stop between any two stores; what they stored is in the page
 * cache, each thread's stores in their order. Then recover_from_journal reads the slot.
 *
 * Checked for every kill: no row is sent again without being told in doubt when the receiver may have it; nothing
 * is said of a row that is another row's; an answer that is noted is the receiver's.
 *
 * A mutant is a -DM_...; model/run has the list.
 */
#define ROWS 2

mtype = { FREE, LEASED, DOT_SENT, ANSWERED };

/* The slot. */
mtype state = FREE;
byte ref;
byte host; /* of the receiver: the row's number stands for it */
byte code; /* 0: none, else 10 * row + what the receiver said */

/* The world outside: what the receiver took, and what it said; what is committed. */
byte got[ROWS + 1];
byte said[ROWS + 1];
bool committed[ROWS + 1];

chan to_worker = [1] of { byte };
chan back = [1] of { byte, byte }; /* row, code: 0 unsent */
bool killed;

#define alive !killed ->

proctype planner() {
	byte row, result;

	for (row : 1 .. ROWS) {
#ifdef M_STATE_BEFORE_REF
		atomic { alive state = LEASED }
		atomic { alive ref = row }
		atomic { alive code = 0 }
#else
		atomic { alive ref = row }
		atomic { alive code = 0 }
		atomic { alive state = LEASED }
#endif
again:		atomic { alive to_worker!row }
		atomic { alive back?eval(row), result }
		if
		:: result == 0 -> goto again /* unsent: the row is lent anew */
		:: else
		fi;
#ifdef M_FREE_BEFORE_COMMIT
		atomic { alive state = FREE }
		atomic { alive committed[row] = true }
#else
		atomic { alive committed[row] = true }
		atomic { alive state = FREE }
#endif
	}
	killed = true /* as good a moment as any */
}

inline note_ending() {
#ifndef M_HOST_AFTER_DOT
	atomic { alive host = row }
	atomic { alive state = DOT_SENT }
#else
	atomic { alive state = DOT_SENT }
	atomic { alive host = row }
#endif
}

proctype worker() {
	byte row, tries;

end:	do
	:: atomic { alive to_worker?row };
	   if
	   :: tries == 0 -> /* no session: back as it came */
		tries = 1;
		atomic { alive back!row, 0 }
	   :: tries < 2 -> /* the end is noted, and never leaves: the send failed */
		note_ending();
		tries = 2;
		atomic { alive state = LEASED }
		atomic { alive back!row, 0 }
	   :: else
#ifdef M_DOT_AFTER_SEND
		atomic { alive got[row]++ }
		note_ending();
#else
		note_ending();
		atomic { alive got[row]++ }
#endif
		/* The receiver says yes or no. */
		if
		:: said[row] = 10 * row + 1
		:: said[row] = 10 * row + 2
		fi;
#ifdef M_ANSWER_BEFORE_CODE
		atomic { alive state = ANSWERED }
		atomic { alive code = said[row] }
#else
		atomic { alive code = said[row] }
		atomic { alive state = ANSWERED }
#endif
		atomic { alive back!row, said[row] }
	   fi;
	   row = 0
	od
}

/* The next start. `open` rows are sent again. */
proctype next_start() {
	byte row;
	bool in_doubt[ROWS + 1];

end:	atomic {
		killed;
		if
		:: (state == DOT_SENT || state == ANSWERED) && !committed[ref] ->
			assert(ref > 0 && host == ref);
			if
			:: state == DOT_SENT -> in_doubt[ref] = true
			:: else ->
				assert(code == said[ref]);
				committed[ref] = true
			fi
		:: else
		fi;
		for (row : 1 .. ROWS) {
			assert(committed[row] || in_doubt[row] || got[row] == 0);
			assert(got[row] <= 1)
		}
	}
}

proctype killer() {
end:	killed = true
}

init {
	atomic {
		run planner();
		run worker();
		run next_start();
		run killer()
	}
}
