#include "hook/courier.h"

#include "base/clock.h"
#include "base/text.h"

#include <stdio.h>
#include <string.h>

#define WAIT_MAX_MS (3600 * 1000ull)
#define JITTER_PERCENT 20
#define MEMORY_WAIT_NS (5 * NS_PER_S)
#define ACK_NS (500 * NS_PER_MS)
#define STATUS_GONE 410

void courier_init(struct courier *courier, const struct config_hook *config, u64 seed)
{
	*courier = (struct courier){ .config = config };
	random_seed(&courier->random, seed);
	hook_batch_init(&courier->batch);
	hook_batch_init(&courier->test);
}

void courier_done(struct courier *courier)
{
	hook_batch_done(&courier->batch);
	hook_batch_done(&courier->test);
}

/* ---- what the sender says ---- */

static void move(struct courier *courier, u64 position)
{
	courier->position = courier->acked = position;
	courier->was_moved = courier->is_posting && !courier->is_testing;
	if (!courier->was_moved)
		courier->is_ready = false;
}

/* The first time: it goes on where an earlier process stood. */
static void begin(struct courier *courier, const struct courier_news *news, u64 now_ns, u64 wall_ms)
{
	courier->is_known = true;
	courier->posted = news->posted;
	courier->failed = news->failed;
	courier->failing_ms = news->failing_ms;
	courier->suspended_ms = news->suspended_ms;
	courier->tests_done = news->tests_done;
	if (news->failing_ms > 0) {
		u64 since_ms = wall_ms > news->failing_ms ? wall_ms - news->failing_ms : 0;

		courier->failing_ns = now_ns - min_u64(since_ms * NS_PER_MS, now_ns - 1);
	}
	move(courier, news->position);
}

void courier_heard(struct courier *courier, const struct courier_news *news, u64 now_ns,
		   u64 wall_ms)
{
	courier->tests_wanted = news->tests_wanted;
	/* The sender was started anew, and counts from 0. */
	courier->tests_done = min_u64(courier->tests_done, news->tests_wanted);
	if (!courier->is_known) {
		begin(courier, news, now_ns, wall_ms);
		return;
	}
	if (news->position != courier->acked)
		move(courier, news->position);
	if (courier->suspended_ms > 0 && news->suspended_ms == 0 && !courier->has_news) {
		courier->suspended_ms = 0;
		courier->failing_ms = 0;
		courier->failing_ns = 0;
		courier->failures = 0;
		courier->next_try_ns = 0;
		courier->note[0] = '\0';
	}
}

/* ---- what it wants ---- */

enum courier_wish courier_wish(const struct courier *courier, u64 last, u64 now_ns)
{
	if (!courier->is_known || courier->is_posting)
		return COURIER_WAITS;
	if (courier->tests_wanted > courier->tests_done)
		return COURIER_WANTS_TEST;
	if (courier->suspended_ms > 0 || now_ns < courier->next_try_ns)
		return COURIER_WAITS;
	if (courier->is_ready)
		return COURIER_WANTS_POST;
	return courier->position < last ? COURIER_WANTS_ENTRIES : COURIER_WAITS;
}

u64 courier_next_ns(const struct courier *courier)
{
	if (!courier->is_known || courier->is_posting || courier->suspended_ms > 0)
		return UINT64_MAX;
	return courier->is_ready ? courier->next_try_ns : UINT64_MAX;
}

bool courier_take(struct courier *courier, const json_t *items, u64 upto, u64 now_ns, u64 wall_ms)
{
	if (!hook_batch_make(&courier->batch, courier->config, items, upto, wall_ms)) {
		courier->next_try_ns = now_ns + MEMORY_WAIT_NS;
		return false;
	}
	courier->is_ready = courier->batch.count > 0;
	if (!courier->is_ready)
		courier->position = max_u64(courier->position, upto);
	return true;
}

bool courier_make_test(struct courier *courier, u64 wall_ms)
{
	return hook_batch_make_test(&courier->test, courier->config, wall_ms);
}

void courier_sent(struct courier *courier, bool is_test)
{
	courier->is_posting = true;
	courier->is_testing = is_test;
}

/* ---- what the receiver answers ---- */

static void set_note(char note[COURIER_NOTE_MAX + 1], const struct courier_answer *answer)
{
	char text[COURIER_NOTE_MAX + 1];

	if (answer->status)
		snprintf(text, sizeof(text), "it answered %u", answer->status);
	else
		snprintf(text, sizeof(text), "%s", answer->words ? answer->words : "no answer");
	/* Of libcurl and of the peer: what is not plain would not be JSON. */
	for (char *at = text; *at; at++)
		*at = *at >= ' ' && *at <= '~' ? *at : '?';
	memcpy(note, text, sizeof(text));
}

static bool is_taken(const struct courier_answer *answer)
{
	return answer->status >= 200 && answer->status < 300;
}

static void test_answered(struct courier *courier, const struct courier_answer *answer)
{
	char words[COURIER_NOTE_MAX + 1];

	set_note(words, answer);
	snprintf(courier->test_note, sizeof(courier->test_note), "%s%.150s after %llu ms",
		 is_taken(answer) ? "ok: " : "", words, (unsigned long long)answer->took_ms);
	courier->has_test_note = true;
	courier->tests_done = courier->tests_wanted;
}

static void taken(struct courier *courier)
{
	courier->has_news = courier->failures > 0 || courier->failing_ms > 0;
	courier->is_ready = false;
	courier->posted += courier->batch.count;
	courier->failures = 0;
	courier->failing_ms = 0;
	courier->failing_ns = 0;
	courier->next_try_ns = 0;
	courier->note[0] = '\0';
	if (!courier->was_moved)
		courier->position = courier->batch.upto;
}

static void refused(struct courier *courier, const struct courier_answer *answer, u64 now_ns,
		    u64 wall_ms)
{
	u64 wait_ms = courier->config->retry_ms << min_u32(courier->failures, 16);
	bool is_over;

	set_note(courier->note, answer);
	courier->failed++;
	courier->failures++;
	courier->has_news = true;
	if (courier->failing_ns == 0) {
		courier->failing_ns = now_ns;
		courier->failing_ms = wall_ms;
	}
	is_over = now_ns - courier->failing_ns >= courier->config->suspend_after_ms * NS_PER_MS;
	if (answer->status == STATUS_GONE || is_over)
		courier->suspended_ms = wall_ms;
	wait_ms = min_u64(random_jitter(&courier->random, wait_ms, JITTER_PERCENT), WAIT_MAX_MS);
	wait_ms = max_u64(wait_ms, min_u64(answer->retry_after_s * MS_PER_S, WAIT_MAX_MS));
	courier->next_try_ns = now_ns + wait_ms * NS_PER_MS;
}

void courier_answered(struct courier *courier, const struct courier_answer *answer, u64 now_ns,
		      u64 wall_ms)
{
	courier->is_posting = false;
	if (courier->is_testing)
		test_answered(courier, answer);
	else if (is_taken(answer))
		taken(courier);
	else
		refused(courier, answer, now_ns, wall_ms);
	courier->is_testing = false;
	if (courier->was_moved)
		courier->is_ready = false;
	courier->was_moved = false;
}

/* ---- what the sender is told ---- */

bool courier_wants_ack(const struct courier *courier, u64 last, u64 now_ns)
{
	if (!courier->is_known)
		return false;
	if (courier->has_news)
		return true;
	if (courier->position == courier->acked)
		return false;
	return now_ns >= courier->next_ack_ns ||
	       (!courier->is_posting && courier_wish(courier, last, now_ns) == COURIER_WAITS);
}

void courier_told(struct courier *courier, u64 position, u64 now_ns)
{
	courier->has_news = false;
	courier->next_ack_ns = now_ns + ACK_NS;
	courier->acked = position;
	/* Beyond the log's end, or before its beginning: the sender knows better. */
	if (position != courier->position)
		move(courier, position);
}
