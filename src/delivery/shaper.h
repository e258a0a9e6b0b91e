/*
 * How much one route may send: the limits that somebody set, and those that the receiver's answers
 * teach. Decisions only; the planner tells it what was lent and what came back, and the time.
 *
 * Limits that are set: messages a second (a token bucket), and in any minute, hour and day. The
 * latter are counted in twelfths of the period and never let through more than they say in any
 * period of that length.
 *
 * What is learned (adaptive routes):
 *
 *   - A new route starts with SHAPER_START messages under way; each one that is taken allows one
 *     more, until the route's own bounds are all that holds it (slow start).
 *   - A receiver that says "too fast" halves the rate and what is under way, and has a pause that
 *     doubles as long as nothing is taken. The rate comes back along a cubic: quickly towards the
 *     one that was too fast, carefully around it, then in growing steps beyond, until it is free.
 *   - One that refuses us for who we are, SHAPER_BLOCKS_MIN times and more often than not, gets
 *     nothing for 15 minutes, then one message; each time that is refused, too, the pause doubles,
 *     up to 4 hours (a circuit breaker).
 */
#ifndef DELIVERY_SHAPER_H
#define DELIVERY_SHAPER_H

#include "base/buf.h"
#include "base/types.h"

#define SHAPER_START 4
#define SHAPER_BLOCKS_MIN 5 /* of the last 20 answers */
#define SHAPER_SLOTS 12
#define SHAPER_UNLIMITED UINT32_MAX
#define SHAPER_NEVER UINT64_MAX

/* Zero: no limit. */
struct shaper_limits {
	u32 sessions; /* beyond so many under way nothing is learned: the route is open */
	u32 per_second;
	u32 per_minute;
	u32 per_hour;
	u32 per_day;
	bool is_adaptive;
};

/* What an answer says of how much is taken from us. */
enum shaper_signal {
	SHAPER_TAKEN,	  /* a message was taken, or refused for its own or its recipient's sake */
	SHAPER_NEUTRAL,	  /* says nothing about that: greylisting, a full mailbox */
	SHAPER_SLOW_DOWN, /* too fast, too much, too many connections */
	SHAPER_BLOCKED,	  /* refuses whoever we are: block lists, reputation, policy */
};

enum shaper_state {
	SHAPER_OPEN,     /* nothing but the limits that were set */
	SHAPER_STARTING, /* slow start */
	SHAPER_SLOWED,   /* the receiver asked for less */
	SHAPER_BROKEN,   /* the receiver refuses us: nothing goes, or one message that tries */
};
/* "open", "starting", "slowed", "blocked" */
const char *shaper_state_name(enum shaper_state state);

enum shaper_period { SHAPER_MINUTE, SHAPER_HOUR, SHAPER_DAY, SHAPER_PERIODS };

/* Messages of one period, by twelfths: the one under way, and those before it. */
struct shaper_window {
	u64 slot; /* number of the twelfth under way */
	u32 sum;
	u32 counts[SHAPER_SLOTS + 1]; /* by number modulo their number */
};

struct shaper {
	enum shaper_state state;
	double width;     /* messages that may be under way, unless OPEN */
	double threshold; /* up to here each message taken adds one, beyond a share of one */
	double rate;      /* a second; what was learned; 0: nothing */
	double rate_high; /* the rate that was too fast */
	u64 slowed_ns;    /* when that was; 0: never */
	u64 measured_ns;  /* since when messages are counted for the rate */
	u32 measured;
	double recent;    /* messages a second, lately: taken, or put off for their own sake */
	double tokens;
	u64 tokens_ns;
	u64 paused_until_ns;
	u32 pauses; /* in a row, without a message that was taken */
	u32 breaks; /* likewise */
	u32 history; /* a bit for each of the last 20 answers: refused for who we are */
	u32 history_count;
	struct shaper_window windows[SHAPER_PERIODS];
};

void shaper_init(struct shaper *shaper, const struct shaper_limits *limits, u64 now_ns);

/*
 * Messages that may be lent now, while `in_flight` are; SHAPER_UNLIMITED: as many as the caller
 * likes. `due_ms` is the clock that outlives restarts (timekeeper.h): periods are counted by it.
 */
u32 shaper_room(struct shaper *shaper, const struct shaper_limits *limits, u32 in_flight,
		u64 now_ns, u64 due_ms) MUST_CHECK;
/* When there may be room though nothing comes back: monotonic; SHAPER_NEVER: not by waiting. */
u64 shaper_next_ns(const struct shaper *shaper, const struct shaper_limits *limits, u64 now_ns,
		   u64 due_ms) MUST_CHECK;

void shaper_lent(struct shaper *shaper, u32 count, u64 due_ms);
/* Came back without having been tried. */
void shaper_returned(struct shaper *shaper, u32 count, u64 due_ms);
/* True when it is worth a line in the log: the receiver's mind has changed. */
bool shaper_answered(struct shaper *shaper, const struct shaper_limits *limits,
		     enum shaper_signal signal, u64 now_ns);
/* Whatever was learned is forgotten; the periods' counts stay. For operators. */
void shaper_forgive(struct shaper *shaper, const struct shaper_limits *limits, u64 now_ns);

/* What was lent lately, as text behind what is in *out; and taken up again by another run. */
#define SHAPER_PACKED_MAX 1024
void shaper_pack(const struct shaper *shaper, struct buf *out);
/* False, with nothing taken up, for anything else than that text. */
bool shaper_unpack(struct shaper *shaper, struct slice text) MUST_CHECK;

/* One made anew would allow no more: what was lent is over, and nothing bad was learned. */
bool shaper_has_no_debts(const struct shaper *shaper, const struct shaper_limits *limits,
			 u64 now_ns, u64 due_ms) MUST_CHECK;

/* Messages lent in the last minute, hour or day. */
u32 shaper_used(const struct shaper *shaper, enum shaper_period period, u64 due_ms);

#endif
