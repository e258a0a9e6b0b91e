/*
 * A courier: what one hook does next. It is told what the sender says of it (courier_heard), what
 * entries there are (courier_take) and what the receiver answered (courier_answered), and says what
 * it wants; it neither waits nor posts itself.
 *
 * One post is under way at a time, so entries come in their order; nothing counts as posted before
 * the receiver answered 2xx, so every entry comes at least once. After a failure it waits, twice as
 * long each time up to an hour, with jitter, or as the receiver asks for. After a 410,
 * or when nothing has worked for suspend_after, it is suspended until an operator resumes it.
 */
#ifndef HOOK_COURIER_H
#define HOOK_COURIER_H

#include "base/random.h"
#include "hook/batch.h"
#include "hook/secret.h"

#define COURIER_NOTE_MAX 200

enum courier_wish {
	COURIER_WAITS,
	COURIER_WANTS_ENTRIES, /* courier_take follows */
	COURIER_WANTS_POST,    /* of `batch`; courier_sent follows */
	COURIER_WANTS_TEST,    /* of `test`, after courier_make_test; likewise */
};

struct courier {
	const struct config_hook *config;
	struct hook_secrets secrets;
	struct random random;
	struct hook_batch batch;
	struct hook_batch test;
	u64 position; /* every entry up to here was posted, or is not for this hook */
	u64 acked;    /* as the sender has it on its disk */
	u64 posted;   /* events */
	u64 failed;   /* tries */
	u64 failing_ms;   /* wall clock, for people; 0: it works */
	u64 suspended_ms; /* likewise */
	u64 failing_ns;   /* monotonic, for decisions */
	u64 next_try_ns;
	u64 next_ack_ns;
	u64 tests_wanted;
	u64 tests_done;
	u32 failures; /* in a row */
	bool is_known;     /* the sender has told where it stands */
	bool is_ready;     /* the batch waits to be posted */
	bool is_posting;
	bool is_testing;   /* what is under way is the test */
	bool was_moved;    /* somebody set the position while a post was under way */
	bool has_news;     /* to be told the sender, beyond the position */
	char note[COURIER_NOTE_MAX + 1];
	char test_note[COURIER_NOTE_MAX + 1];
	bool has_test_note; /* to be told */
};

/* What came of a post. */
struct courier_answer {
	u32 status;       /* of HTTP; 0: there was none */
	u64 retry_after_s; /* the receiver asks for it; 0: it does not */
	u64 took_ms;
	const char *words; /* why there was no status */
};

/* What the sender has of it. */
struct courier_news {
	u64 position;
	u64 posted;
	u64 failed;
	u64 failing_ms;
	u64 suspended_ms;
	u64 tests_wanted;
	u64 tests_done;
};

void courier_init(struct courier *courier, const struct config_hook *config, u64 seed);
void courier_done(struct courier *courier);

void courier_heard(struct courier *courier, const struct courier_news *news, u64 now_ns,
		   u64 wall_ms);
/* `last`: number of the log's newest entry. */
enum courier_wish courier_wish(const struct courier *courier, u64 last, u64 now_ns);
/* False: no memory; it is asked for again later. */
bool courier_take(struct courier *courier, const json_t *items, u64 upto, u64 now_ns, u64 wall_ms);
bool courier_make_test(struct courier *courier, u64 wall_ms) MUST_CHECK;
void courier_sent(struct courier *courier, bool is_test);
void courier_answered(struct courier *courier, const struct courier_answer *answer, u64 now_ns,
		      u64 wall_ms);

/*
 * Whether the sender is to be told how far it is: at once when there is nothing else to do or
 * something went wrong, else twice a second. courier_told: it has it on its disk.
 */
bool courier_wants_ack(const struct courier *courier, u64 last, u64 now_ns);
void courier_told(struct courier *courier, u64 position, u64 now_ns);
/* When courier_wish may be another without anything from outside; UINT64_MAX: never. */
u64 courier_next_ns(const struct courier *courier);

#endif
