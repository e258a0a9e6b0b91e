/*
 * The mail of the day: three campaigns, and letters at a steady trickle. Included by
 * planner_day_test.c alone.
 */
#ifndef TESTS_DELIVERY_DAY_MAIL_H
#define TESTS_DELIVERY_DAY_MAIL_H

#include "day_play.h"

#define LETTER_SHARE 50 /* one letter for so many other messages */
#define BATCH 1000
#define WAITS 64 /* letters being brought at once */
#define DOWN_RECEIVER 6
#define MINUTE_RECEIVER 2 /* has a limit of a minute by a rule of ours */
#define HOUR_RECEIVER 4   /* of an hour */
#define LIMIT 0.6         /* they are so much of what it takes by night, which is a lot */

static const struct {
	const char *name;
	u32 percent; /* of all */
	u64 start_ms;
	u64 within_ms; /* 0: no deadline */
} plan[CAMPAIGNS] = {
	{ "newsletter", 62, 0, 0 },
	{ "offer", 33, HOUR_MS * 3 / 2, 0 },
	{ "notice", 5, HOUR_MS * 4, HOUR_MS * 3 },
};

static const char letter_text[] =
	"From: a@a.example\nTo: you@a.example\nSubject: your order\n"
	"Date: Mon, 30 Nov 2026 10:00:00 +0900\nMessage-ID: <1@a.example>\n\nThank you.\n";

static u32 minute_limit(const struct receiver *r)
{
	return (u32)(r->per_s * LIMIT * 60);
}

static u32 hour_limit(const struct receiver *r)
{
	return (u32)(r->per_s * LIMIT * 3600);
}

/* ---- the configuration ---- */

static size_t add_limit(char *out, size_t size, const struct day *day, u32 receiver)
{
	const struct receiver *r = &day->receivers[receiver];
	const double guess_s = r->per_s * r->guess;
	int len = 0;

	if (day->kind == FIXED && guess_s >= 10)
		len = snprintf(out, size, "rate = %.0f", guess_s);
	else if (day->kind == FIXED)
		len = snprintf(out, size, "per-minute = %.0f", ceil(guess_s * 60));
	else if (day->kind == ADAPTIVE && receiver == MINUTE_RECEIVER)
		len = snprintf(out, size, "per-minute = %u", minute_limit(r));
	else if (day->kind == ADAPTIVE && receiver == HOUR_RECEIVER)
		len = snprintf(out, size, "per-hour = %u", hour_limit(r));
	return (size_t)len;
}

static void open_sender(struct day *day)
{
	static char text[12000];
	size_t len = (size_t)snprintf(
		text, sizeof(text),
		"queue { map-size-max = \"48G\" durability = \"relaxed\" }\n"
		"customer \"a.example\" { address \"any\" { ehlo = \"m.a.example\" } sign = false }\n"
		"site \"default\" { sessions = 4 }\n");

	for (u32 i = 0; i < RECEIVERS; i++) {
		len += (size_t)snprintf(text + len, sizeof(text) - len,
					"site \"r%u\" { mx = {\"*.r%u.test\"} sessions = %u "
					"adaptive = %s ", i, i, day->receivers[i].sessions,
					day->kind == ADAPTIVE ? "true" : "false");
		len += add_limit(text + len, sizeof(text) - len, day, i);
		len += (size_t)snprintf(text + len, sizeof(text) - len, " }\n");
		assert_true(len < sizeof(text));
	}
	fixture_open_config(&day->f, text);
	dns.answer_others = answer_domain;
}

/* ---- the mail ---- */

static void count_row(const struct day *day, struct bulk *bulk, const struct whom *whom)
{
	const bool is_small = whom->receiver == SMALL;

	bulk->total++;
	if (is_small && is_unknown(whom->domain)) {
		bulk->unknown++;
		return;
	}
	bulk->messages[whom->receiver]++;
	bulk->untried[whom->receiver]++;
	if ((is_small && is_dead(whom->domain)) || is_full(day, whom)) {
		bulk->never++;
		return;
	}
	bulk->bad += is_bad(day, whom);
	bulk->open++;
}

static void add_rows(struct day *day, struct planner_intake *intake, u32 c)
{
	static struct planner_recipient batch[BATCH];
	static char addresses[BATCH][48];
	const u32 count = (u32)(day->messages * plan[c].percent / 100);
	struct slice value = SLICE("x");
	struct error error = { "" };
	struct buf values;
	u32 filled = 0;

	buf_init(&values, 64);
	row_values_pack(&values, &value, 1);
	for (u32 i = 0; i < count; i++) {
		const struct whom whom = choose(day, c, i);

		count_row(day, &day->bulk[c], &whom);
		address_of(&whom, addresses[filled], sizeof(addresses[filled]));
		batch[filled] = (struct planner_recipient){ slice_of(addresses[filled]),
							    buf_slice(&values) };
		if (++filled < BATCH && i + 1 < count)
			continue;
		if (!planner_intake_add(intake, batch, filled, &error))
			fail_msg("%s", error.text);
		filled = 0;
	}
	buf_done(&values);
}

static void import(struct day *day, u32 c)
{
	struct planner_intake *intake;
	struct queue_campaign campaign;
	struct error error = { "" };

	day->bulk[c].start_ms = plan[c].start_ms;
	if (plan[c].within_ms > 0)
		day->bulk[c].deadline_ms = plan[c].start_ms + plan[c].within_ms;
	intake = campaign_begin_until(
		&day->f, &campaign, plan[c].name,
		plan[c].within_ms > 0 ? day->f.planner->time.age_ms + day->bulk[c].deadline_ms : 0);
	day->bulk[c].id = campaign.id;
	add_rows(day, intake, c);
	if (!planner_intake_finish(intake, &campaign, &error))
		fail_msg("%s", error.text);
}

static struct letter_wait waits[WAITS];
static struct letter_recipient recipients[WAITS];
static char keys[WAITS][16];
static char letter_addresses[WAITS][48];

static void on_kept(struct letter_wait *wait, enum letter_result result, const char *sentence)
{
	if (result != LETTER_KEPT)
		fail_msg("letter: %s", sentence);
	wait->done = NULL; /* free */
}

static void bring(struct day *day, struct slice options)
{
	const u32 index = day->letter_count++;
	const u32 at = index % WAITS;
	const struct whom whom = choose(day, LETTERS, index);
	struct brought *letter = &day->letters[index];

	assert_null(waits[at].done);
	letter->added_ms = (u32)day->now_ms;
	for (u32 c = 0; whom.receiver != SMALL && c < CAMPAIGNS; c++)
		letter->others -= day->ways[whom.receiver].begun[c];
	snprintf(keys[at], sizeof(keys[at]), "%u", index);
	address_of(&whom, letter_addresses[at], sizeof(letter_addresses[at]));
	recipients[at] = (struct letter_recipient){ .address = slice_of(letter_addresses[at]) };
	waits[at] = (struct letter_wait){
		.done = on_kept,
		.letter = { .key = slice_of(keys[at]),
			    .customer = SLICE("a.example"),
			    .kind = LETTER_SUBMITTED,
			    .source = { .whole = slice_of(letter_text), .options = options },
			    .recipients = &recipients[at],
			    .recipient_count = 1 },
	};
	planner_letter_add(day->f.planner, &waits[at]);
}

#endif
