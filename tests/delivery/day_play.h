/*
 * A day of the real planner over a real store: what its worker's sessions and the receivers do is
 * played. Included by planner_day_test.c alone.
 *
 * What is added to the receivers of day_model.h:
 *
 *   - one mail in 25 is for the many small receivers, each with hosts of its own, that take what
 *     comes; of their domains one in fifty is unknown, at one in a hundred nobody ever answers
 *   - every third small receiver and every tenth large one puts off what it sees first (451), for
 *     five minutes
 *   - one address in a hundred does not exist, one in 330 is full all day
 *   - one large receiver is down for forty minutes
 *   - a worker's session carries one message after the other; a large receiver has as many sessions
 *     as its rule says, opened at once
 */
#ifndef TESTS_DELIVERY_DAY_PLAY_H
#define TESTS_DELIVERY_DAY_PLAY_H

#include "day_model.h"
#include "planner_fixture.h"

#include "delivery/planner_letter.h"

#define CAMPAIGNS 3
#define LETTERS CAMPAIGNS   /* stands for them where campaigns are counted */
#define SMALL RECEIVERS     /* stands for all small receivers where receivers are counted */
#define TICK_MS 20
#define TICKS 64            /* no message takes longer; a power of two */
#define SMALL_LATENCY_MS 400
#define DAY_MS (24 * HOUR_MS)
#define WINDOW_MS (HOUR_MS / 2) /* over which fairness is judged */

enum sender_kind { NAIVE, FIXED, ADAPTIVE, SENDERS };

/* Whom a row is for: read from its address. */
struct whom {
	u32 campaign; /* or LETTERS */
	u32 index;    /* within the campaign */
	u32 receiver; /* or SMALL */
	u32 domain;
};

/* The worker's way to one receiver. */
struct way {
	struct worker_route *route; /* NULL: nothing was lent yet */
	u32 busy;
	u64 begun[CAMPAIGNS + 1]; /* attempts */
	u64 wasted;               /* of them */
	u64 done_ms;              /* the last one that decided something */
	u64 window[CAMPAIGNS];    /* of these, before the window of fairness began */
	bool had_rows[CAMPAIGNS]; /* when it did */
	u32 seconds[60];          /* attempts of the last minute and hour, as the receiver sees them */
	u64 second;
	u32 minutes[60];
	u64 minute;
	u32 most_a_minute;
	u32 most_an_hour;
	u32 most_sessions;
};

struct bulk {
	u32 id;
	u64 start_ms;
	u64 deadline_ms; /* 0: none */
	u64 total;
	u64 bad;     /* no such mailbox */
	u64 unknown; /* no such domain */
	u64 never;   /* full, or nobody answers: they wait at the end of the day */
	u64 open;    /* of the others and the bad ones, not decided yet */
	u64 in_time; /* decided before the deadline */
	u64 finished_ms; /* 0: not within the day */
	u64 untried[RECEIVERS + 1];
	u64 messages[RECEIVERS + 1];
};

struct brought {
	u32 added_ms;
	u32 begun_ms; /* 0: not yet */
	u64 others;   /* attempts of bulk mail at its receiver until it was brought; then, since */
};

struct day {
	struct fixture f;
	enum sender_kind kind;
	u64 seed;
	u64 messages;
	u64 now_ms; /* since midnight */
	struct receiver receivers[RECEIVERS];
	u64 weights[RECEIVERS + 1]; /* sums; the last one is that of all */
	struct way ways[RECEIVERS];
	struct list ends[TICKS]; /* leases under way, by when they end */
	u32 under_way;
	struct bulk bulk[CAMPAIGNS];
	struct brought *letters;
	u32 letter_count;
	u32 letters_max;
	u64 attempts;
	u64 wasted;
	u64 turns;
	u64 cpu_ns; /* of the planner */
	u64 bytes_most;
	double jain_sum;
	double jain_least;
	u32 windows;
};

/* ---- who is who ---- */

static u64 mix(u64 seed, u64 a, u64 b)
{
	u64 x = seed * 0x9e3779b97f4a7c15ull ^ a * 0xbf58476d1ce4e5b9ull ^
		(b + 1) * 0x94d049bb133111ebull;

	x = (x ^ x >> 31) * 0xd6e8feb86659fd93ull;
	x = (x ^ x >> 29) * 0xd6e8feb86659fd93ull;
	return x ^ x >> 32;
}

static bool is_bad(const struct day *day, const struct whom *whom)
{
	return mix(day->seed, whom->campaign, whom->index) % 1000 < 10;
}

static bool is_full(const struct day *day, const struct whom *whom)
{
	return mix(day->seed, whom->campaign, whom->index) % 1000 >= 997;
}

static bool is_unknown(u32 domain)
{
	return domain % 50 == 0;
}

static bool is_dead(u32 domain)
{
	return domain % 100 == 1;
}

static bool greylists(u32 receiver)
{
	return receiver % 10 == 9;
}

/* By the weights of the receivers, the same for all campaigns. */
static struct whom choose(const struct day *day, u32 campaign, u32 index)
{
	struct whom whom = { .campaign = campaign, .index = index, .receiver = SMALL };
	u64 at = mix(day->seed + 1, campaign, index);
	const u64 which = mix(day->seed + 2, campaign, index);
	u32 low = 0;

	if (at % 25 == 0) {
		whom.domain = (u32)(which % (day->messages / 100 + 100));
		return whom;
	}
	at = at / 25 % day->weights[RECEIVERS];
	while (day->weights[low] <= at)
		low++;
	whom.receiver = low;
	whom.domain = (u32)(which % (1 + low % 4));
	return whom;
}

static void address_of(const struct whom *whom, char *out, size_t size)
{
	const char who = "abcl"[whom->campaign]; /* nobody gets mail of two */

	if (whom->receiver == SMALL)
		snprintf(out, size, "%c%u@t%u.test", who, whom->index, whom->domain);
	else
		snprintf(out, size, "%c%u@d%u.r%u.test", who, whom->index, whom->domain,
			 whom->receiver);
}

static u32 read_number(struct slice *s)
{
	u32 value = 0;

	while (s->len > 0 && (*s->ptr < '0' || *s->ptr > '9'))
		*s = slice_from(*s, 1);
	while (s->len > 0 && *s->ptr >= '0' && *s->ptr <= '9') {
		value = value * 10 + (u32)(*s->ptr - '0');
		*s = slice_from(*s, 1);
	}
	return value;
}

static struct whom whom_of(const struct day *day, const struct lease *lease)
{
	struct slice rest = lease->address;
	struct whom whom = { .campaign = LETTERS, .receiver = SMALL };

	for (u32 c = 0; c < CAMPAIGNS; c++) {
		if (day->bulk[c].id == lease->ref.id.campaign)
			whom.campaign = c;
	}
	whom.index = read_number(&rest);
	whom.domain = read_number(&rest);
	if (memchr(rest.ptr, 'r', rest.len))
		whom.receiver = read_number(&rest);
	return whom;
}

/* "d1.r7.test" is of receiver 7; "t8.test" a small receiver of its own. */
static void answer_domain(const char *domain, struct mx_answer *answer)
{
	char hosts[128];
	u32 a = 0;
	u32 b = 0;

	if (sscanf(domain, "d%u.r%u.test", &a, &b) == 2)
		snprintf(hosts, sizeof(hosts), "mx.r%u.test=20.0.0.%u", b, b + 1);
	else if (sscanf(domain, "t%u.test", &a) == 1 && !is_unknown(a))
		snprintf(hosts, sizeof(hosts), "mx.t%u.test=30.%u.%u.%u", a, a >> 16 & 255,
			 a >> 8 & 255, a & 255);
	else
		return;
	answer->status = MX_OK;
	answer->ttl_s = 3600;
	answer_parse(answer, hosts);
}

/* ---- what receivers say ---- */

enum words { TAKEN, SLOWER, BLOCKED, LATER, NOBODY, FULL, DOWN };

static const struct reply_words {
	enum smtp_class class;
	enum smtp_verdict verdict;
	enum smtp_stage stage;
	u16 code;
	u16 enhanced[3];
	const char *text;
} says[] = {
	[TAKEN] = { SMTP_CLASS_NONE, SMTP_VERDICT_ACCEPTED, SMTP_STAGE_DOT, 250, { 2, 0, 0 }, "ok" },
	[SLOWER] = { SMTP_CLASS_RATE, SMTP_VERDICT_TEMPORARY, SMTP_STAGE_MAIL, 421, { 4, 7, 0 },
		     "too many messages from your address, please slow down" },
	[BLOCKED] = { SMTP_CLASS_REPUTATION, SMTP_VERDICT_PERMANENT, SMTP_STAGE_MAIL, 554,
		      { 5, 7, 1 }, "your address is blocked for its poor reputation" },
	[LATER] = { SMTP_CLASS_GREYLISTED, SMTP_VERDICT_TEMPORARY, SMTP_STAGE_RCPT, 451,
		    { 4, 7, 1 }, "greylisted, please try again in 300 seconds" },
	[NOBODY] = { SMTP_CLASS_BAD_MAILBOX, SMTP_VERDICT_PERMANENT, SMTP_STAGE_RCPT, 550,
		     { 5, 1, 1 }, "no such user here" },
	[FULL] = { SMTP_CLASS_MAILBOX_FULL, SMTP_VERDICT_TEMPORARY, SMTP_STAGE_RCPT, 452,
		   { 4, 2, 2 }, "mailbox is full" },
	[DOWN] = { SMTP_CLASS_TRANSIENT_HOST, SMTP_VERDICT_TEMPORARY, SMTP_STAGE_GREETING, 0,
		   { 0, 0, 0 }, "connection refused" },
};

static enum words about_recipient(const struct day *day, const struct whom *whom)
{
	if (is_bad(day, whom))
		return NOBODY;
	return is_full(day, whom) ? FULL : TAKEN;
}

/* Seen for the first time, which counts as a message that is taken does. */
static bool is_new(const struct whom *whom, const struct lease *lease)
{
	return lease->attempts == 0 &&
	       (whom->receiver == SMALL ? whom->domain % 3 == 0 : greylists(whom->receiver));
}

static enum words answer_of(struct day *day, const struct whom *whom, const struct lease *lease)
{
	struct receiver *r = &day->receivers[whom->receiver];

	if (whom->receiver == SMALL ? is_dead(whom->domain) : receiver_is_down(r, day->now_ms))
		return DOWN;
	switch (whom->receiver == SMALL ? SHAPER_TAKEN : receiver_answers(r, day->now_ms)) {
	case SHAPER_BLOCKED:
		return BLOCKED;
	case SHAPER_SLOW_DOWN:
		return SLOWER;
	default:
		return is_new(whom, lease) ? LATER : about_recipient(day, whom);
	}
}

/* ---- the worker ---- */

static void count_second(struct way *way, u64 now_ms)
{
	u32 sum = 0;

	for (; way->second < now_ms / 1000; way->second++)
		way->seconds[(way->second + 1) % 60] = 0;
	for (; way->minute < now_ms / 60000; way->minute++)
		way->minutes[(way->minute + 1) % 60] = 0;
	way->seconds[way->second % 60]++;
	way->minutes[way->minute % 60]++;
	for (u32 i = 0; i < 60; i++)
		sum += way->seconds[i];
	way->most_a_minute = (u32)max_u64(way->most_a_minute, sum);
	sum = 0;
	for (u32 i = 0; i < 60; i++)
		sum += way->minutes[i];
	way->most_an_hour = (u32)max_u64(way->most_an_hour, sum);
}

static void note_letter(struct day *day, const struct whom *whom)
{
	struct brought *letter = &day->letters[whom->index];

	if (letter->begun_ms > 0)
		return;
	letter->begun_ms = (u32)day->now_ms;
	if (whom->receiver != SMALL) {
		for (u32 c = 0; c < CAMPAIGNS; c++)
			letter->others += day->ways[whom->receiver].begun[c];
	}
}

static void note_first(struct day *day, const struct whom *whom, const struct lease *lease)
{
	if (whom->campaign != LETTERS && lease->attempts == 0)
		day->bulk[whom->campaign].untried[whom->receiver]--;
}

static void note_begin(struct day *day, const struct whom *whom, const struct lease *lease)
{
	day->attempts++;
	if (whom->campaign == LETTERS)
		note_letter(day, whom);
	note_first(day, whom, lease);
	if (whom->receiver != SMALL)
		day->ways[whom->receiver].begun[whom->campaign]++;
}

/* An attempt begins; what comes of it is known, and told when its time is over. */
static void begin(struct day *day, struct lease *lease, const struct whom *whom)
{
	const u64 takes_ms = whom->receiver == SMALL ?
				     SMALL_LATENCY_MS :
				     (u64)(day->receivers[whom->receiver].latency_s * 1000);
	const u64 ends = (day->now_ms + takes_ms + TICK_MS - 1) / TICK_MS;
	const enum words words = answer_of(day, whom, lease);
	const struct reply_words *say = &says[words];

	note_begin(day, whom, lease);
	if (words == SLOWER || words == BLOCKED) {
		day->wasted++;
		day->ways[whom->receiver].wasted++;
	}
	lease->verdict = say->verdict;
	lease->stage = say->stage;
	lease->code = say->code;
	memcpy(lease->enhanced, say->enhanced, sizeof(lease->enhanced));
	lease_set_reply(lease, slice_of(say->text));
	lease->site_failed = words == DOWN;
	list_push_back(&day->ends[ends % TICKS], &lease->node);
	day->under_way++;
}

/* As worker_route_pop_for does. */
static struct lease *pop(struct day *day, struct way *way)
{
	if (!way->route)
		return NULL;
	worker_route_heed_recalls(day->f.worker, way->route);
	return worker_route_pop(way->route);
}

static void go_on(struct day *day, u32 receiver)
{
	struct way *way = &day->ways[receiver];
	struct lease *lease;

	while (way->busy < day->receivers[receiver].sessions && (lease = pop(day, way))) {
		const struct whom whom = whom_of(day, lease);

		way->busy++;
		way->most_sessions = (u32)max_u64(way->most_sessions, way->busy);
		count_second(way, day->now_ms);
		begin(day, lease, &whom);
	}
}

static void take_leases(struct day *day)
{
	struct lease *lease;

	while ((lease = next_lease(&day->f))) {
		const struct whom whom = whom_of(day, lease);
		struct way *way;

		list_init(&lease->node);
		if (whom.receiver == SMALL) {
			begin(day, lease, &whom);
			continue;
		}
		assert_true(lease->path->sessions[0] == day->receivers[whom.receiver].sessions);
		way = &day->ways[whom.receiver];
		way->route = worker_route_of(day->f.worker, lease);
		assert_non_null(way->route);
		worker_route_add(day->f.worker, way->route, lease, false);
		go_on(day, whom.receiver);
	}
}

static void note_end(struct day *day, const struct whom *whom, const struct lease *lease)
{
	struct bulk *bulk = &day->bulk[whom->campaign];

	if (whom->campaign == LETTERS || (lease->verdict != SMTP_VERDICT_ACCEPTED &&
					  lease->code != says[NOBODY].code))
		return;
	if (whom->receiver != SMALL)
		day->ways[whom->receiver].done_ms = day->now_ms;
	bulk->in_time += bulk->deadline_ms > 0 && day->now_ms <= bulk->deadline_ms;
	if (--bulk->open == 0)
		bulk->finished_ms = day->now_ms;
}

static void push_result(struct day *day, struct lease *lease)
{
	assert_true(spsc_push(&day->f.worker->outbox, lease));
}

/* Nobody answers there: what waits for a session comes back as well. */
static void fail_way(struct day *day, struct way *way, const struct lease *failed)
{
	struct lease *lease;

	while ((lease = pop(day, way))) {
		const struct whom whom = whom_of(day, lease);

		note_first(day, &whom, lease);
		lease->verdict = failed->verdict;
		lease->stage = failed->stage;
		lease->code = failed->code;
		lease->site_failed = true;
		lease_set_reply(lease, (struct slice){ failed->reply, failed->reply_len });
		push_result(day, lease);
	}
}

/* Attempts that are over by now go back to the planner, and their sessions take the next ones. */
static void end_attempts(struct day *day)
{
	struct list *ends = &day->ends[day->now_ms / TICK_MS % TICKS];
	struct list *node;

	while ((node = list_pop_front(ends))) {
		struct lease *lease = list_entry(node, struct lease, node);
		const struct whom whom = whom_of(day, lease);

		day->under_way--;
		note_end(day, &whom, lease);
		if (whom.receiver != SMALL) {
			day->ways[whom.receiver].busy--;
			if (lease->site_failed)
				fail_way(day, &day->ways[whom.receiver], lease);
		}
		push_result(day, lease);
		if (whom.receiver != SMALL)
			go_on(day, whom.receiver);
	}
}

#endif
