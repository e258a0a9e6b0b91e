/*
 * Classes of replies: a corpus of texts that all must get theirs, a second one that the table was
 * not written for, the order of rows, what codes alone say, and that hostile texts cost little.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/clock.h"
#include "base/random.h"
#include "base/text.h"
#include "smtp/reply_class.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const struct smtp_class_table no_rows = { NULL, 0 };
static const struct smtp_class_table *const tables[] = {
	&smtp_class_providers,
	&smtp_class_languages,
	&smtp_class_general,
};

/* ---- corpora ---- */

struct sample {
	u32 line;
	struct smtp_refusal refusal;
	enum smtp_class class;
	struct smtp_reply reply;
};

struct corpus {
	const char *path;
	u32 samples;
	u32 right;
	u32 of_class[SMTP_CLASS_COUNT];
	u32 right_of_class[SMTP_CLASS_COUNT];
};

static enum smtp_stage stage_of(struct slice name)
{
	for (u32 i = SMTP_STAGE_GREETING; i <= SMTP_STAGE_QUIT; i++) {
		if (slice_equal(name, slice_of(smtp_stage_name(i))))
			return i;
	}
	fail_msg("\"%.*s\" is no step", SLICE_FMT(name));
	return SMTP_STAGE_QUIT;
}

/* The reply as the client would read it from the wire: "550 text", lines cut at " / ". */
static void read_reply(struct sample *sample, u32 code, struct slice text)
{
	struct smtp_reply_parser parser;
	enum smtp_reply_result result = SMTP_REPLY_MORE;
	char wire[1024];
	size_t len = 0;
	size_t used;

	smtp_reply_parser_init(&parser);
	while (true) {
		i64 cut = slice_find(text, SLICE(" / "));
		struct slice line = cut < 0 ? text : slice_first(text, (size_t)cut);

		len += (size_t)snprintf(wire + len, sizeof(wire) - len, "%u%c%.*s\r\n", code,
					cut < 0 ? ' ' : '-', SLICE_FMT(line));
		assert_true(len < sizeof(wire));
		if (cut < 0)
			break;
		text = slice_from(text, (size_t)cut + 3);
	}
	result = smtp_reply_feed(&parser, (struct slice){ wire, len }, &used, NULL, NULL);
	assert_int_equal(result, SMTP_REPLY_DONE);
	sample->reply = parser.reply;
}

static void read_sample(struct sample *sample, struct slice line)
{
	struct slice fields[7];
	char enhanced[24] = "-";
	u32 code;

	for (u32 i = 0; i < 7; i++) {
		fields[i] = i < 6 ? slice_split(&line, '\t') : line;
		assert_non_null(fields[i].ptr);
	}
	assert_true(slice_to_u32(fields[1], &code));
	assert_true(smtp_class_find(fields[4], &sample->class));
	read_reply(sample, code, fields[6]);
	if (sample->reply.enhanced[0])
		snprintf(enhanced, sizeof(enhanced), "%u.%u.%u", sample->reply.enhanced[0],
			 sample->reply.enhanced[1], sample->reply.enhanced[2]);
	if (!slice_equal(fields[2], slice_of(enhanced)))
		fail_msg("line %u: enhanced code %.*s, but the text has %s", sample->line,
			 SLICE_FMT(fields[2]), enhanced);
	sample->refusal = (struct smtp_refusal){
		.code = sample->reply.code,
		.stage = stage_of(fields[0]),
		.text = { sample->reply.text, sample->reply.text_len },
		.mx = fields[3],
	};
	memcpy(sample->refusal.enhanced, sample->reply.enhanced, sizeof(sample->reply.enhanced));
}

static void judge_sample(struct corpus *corpus, const struct sample *sample)
{
	struct smtp_judgement judgement = smtp_classify(&sample->refusal, &no_rows);

	corpus->samples++;
	corpus->of_class[sample->class]++;
	if (judgement.class == sample->class) {
		corpus->right++;
		corpus->right_of_class[sample->class]++;
		return;
	}
	printf("%s:%u: %s instead of %s: %.*s\n", corpus->path, sample->line,
	       smtp_class_name(judgement.class), smtp_class_name(sample->class),
	       SLICE_FMT(sample->refusal.text));
}

static void run_corpus(struct corpus *corpus)
{
	FILE *file = fopen(corpus->path, "r");
	struct sample sample = { .line = 0 };
	char line[2048];

	assert_non_null(file);
	while (fgets(line, sizeof(line), file)) {
		sample.line++;
		line[strcspn(line, "\n")] = '\0';
		if (line[0] == '#' || line[0] == '\0')
			continue;
		read_sample(&sample, slice_of(line));
		judge_sample(corpus, &sample);
	}
	fclose(file);
	for (u32 i = 0; i < SMTP_CLASS_COUNT; i++) {
		if (corpus->of_class[i] > 0)
			printf("%-15s %3u of %3u\n", smtp_class_name(i), corpus->right_of_class[i],
			       corpus->of_class[i]);
	}
	printf("%s: %u of %u right\n", corpus->path, corpus->right, corpus->samples);
}

static void every_reply_of_the_corpus_gets_its_class(void **state)
{
	struct corpus corpus = { .path = "tests/smtp/reply_corpus.tsv" };

	(void)state;
	run_corpus(&corpus);
	assert_true(corpus.samples >= 300);
	assert_int_equal(corpus.right, corpus.samples);
	for (u32 i = SMTP_CLASS_UNKNOWN; i < SMTP_CLASS_COUNT; i++)
		assert_true(corpus.of_class[i] >= 5);
}

static void most_replies_that_the_table_was_not_written_for_get_theirs(void **state)
{
	struct corpus corpus = { .path = "tests/smtp/reply_holdout.tsv" };

	(void)state;
	run_corpus(&corpus);
	assert_true(corpus.samples >= 60);
	assert_true(corpus.right * 100 >= corpus.samples * 85);
}

/* ---- the table ---- */

/* What the row was made for, in its own words. */
static struct smtp_refusal refusal_of(const struct smtp_class_row *row, char text[512],
				      const char *mx)
{
	struct smtp_refusal refusal = { .code = 550, .stage = SMTP_STAGE_RCPT,
					.mx = slice_of(mx) };
	size_t len = 0;

	if (row->class == SMTP_CLASS_CONTENT)
		refusal.stage = SMTP_STAGE_DOT;
	if (row->code >= 100)
		refusal.code = row->code;
	else if (row->code >= 10)
		refusal.code = (u16)(row->code * 10);
	else if (row->code > 0 || row->enhanced[0])
		refusal.code = (u16)((row->code ? row->code : row->enhanced[0]) * 100 + 50);
	if (row->enhanced[1]) {
		memcpy(refusal.enhanced, row->enhanced, sizeof(refusal.enhanced));
		if (refusal.enhanced[0] == 0)
			refusal.enhanced[0] = refusal.code / 100;
	}
	for (u32 i = 0; row->stages && !(row->stages >> refusal.stage & 1); i++)
		refusal.stage = i;
	for (u32 i = 0; i < row->text_count; i++)
		len += (size_t)snprintf(text + len, 512 - len, "|%s|", row->text[i]);
	refusal.text = (struct slice){ text, len };
	return refusal;
}

static const char *host_of(enum smtp_provider provider)
{
	static const char *const hosts[] = {
		"mx.any.example", "a.l.google.com", "a.mail.protection.outlook.com",
		"mta5.am0.yahoodns.net", "mx1.mail.yahoo.co.jp", "mx01.mail.icloud.com",
		"mx1.comcast.net", "mx00.gmx.net", "mxs.mail.ru", "eu.mimecast.com",
		"mxa.pphosted.com", "esa.iphmx.com", "mx1.qq.com", "163mx01.mxmail.netease.com",
		"mx00.t-online.de", "mfsmax.docomo.ne.jp", "lsean.ezweb.ne.jp", "mx.softbank.ne.jp",
		"mx.rakuten.jp", "mx.nifty.com",
	};

	assert_true((size_t)provider < array_count(hosts));
	assert_int_equal(smtp_provider_of(slice_of(hosts[provider])), provider);
	return hosts[provider];
}

#define ROWS_MAX 1024

/* With the rows before it giving a class that it has not, its own words must reach it. */
static void every_row_decides_what_no_row_before_it_does(void **state)
{
	static struct smtp_class_row rows[ROWS_MAX];
	struct smtp_class_table before = { rows, 0 };

	(void)state;
	for (u32 t = 0; t < array_count(tables); t++) {
		for (size_t i = 0; i < tables[t]->count; i++) {
			const struct smtp_class_row *row = &tables[t]->rows[i];
			char text[512] = "";
			struct smtp_refusal refusal =
				refusal_of(row, text, host_of(row->provider));

			for (size_t j = 0; j < before.count; j++)
				rows[j].class = SMTP_CLASS_NONE;
			if (smtp_classify(&refusal, &before).class != row->class)
				fail_msg("table %u row %zu (%s \"%s\") is hidden", t, i,
					 smtp_class_name(row->class), text);
			assert_int_equal(smtp_classify(&refusal, &no_rows).class, row->class);
			assert_true(before.count < ROWS_MAX);
			rows[before.count++] = *row;
		}
	}
}

static void fragments_are_in_the_spelling_that_texts_are_compared_in(void **state)
{

	(void)state;
	for (u32 t = 0; t < array_count(tables); t++) {
		for (size_t i = 0; i < tables[t]->count; i++) {
			const struct smtp_class_row *row = &tables[t]->rows[i];

			assert_true(row->text_count > 0 || row->enhanced[1] != 0);
			assert_true(row->class > SMTP_CLASS_UNKNOWN &&
				    row->class < SMTP_CLASS_COUNT);
			for (u32 j = 0; j < row->text_count; j++) {
				const char *text = row->text[j];

				assert_true(strlen(text) >= SMTP_FRAGMENT_MIN);
				assert_null(strstr(text, "  "));
				for (; *text; text++)
					assert_true(*text == ascii_lower(*text));
			}
		}
	}
}

/* ---- how a row is matched ---- */

static struct smtp_judgement judge(const struct smtp_class_table *own, u16 code, const char *mx,
				   const char *text)
{
	struct smtp_refusal refusal = { .code = code, .stage = SMTP_STAGE_RCPT,
					.text = slice_of(text), .mx = slice_of(mx) };

	return smtp_classify(&refusal, own);
}

static const char *const moon[] = { "moon phase", "wrong" };
static const char *const hosts[] = { "*.lunar.example", "mx.solar.example" };

static void operators_rows_come_first(void **state)
{
	static const char *const unknown[] = { "user unknown" };
	const struct smtp_class_row row = { .class = SMTP_CLASS_RATE, .text = unknown,
					    .text_count = 1 };
	const struct smtp_class_table own = { &row, 1 };

	(void)state;
	assert_int_equal(judge(&no_rows, 550, "", "User unknown").class, SMTP_CLASS_BAD_MAILBOX);
	assert_int_equal(judge(&own, 550, "", "User unknown").class, SMTP_CLASS_RATE);
	assert_false(judge(&own, 550, "", "User unknown").guessed);
}

static void fragments_must_come_in_their_order_and_not_overlap(void **state)
{
	static const char *const twice[] = { "abcabc", "abc" };
	const struct smtp_class_row rows[] = {
		{ .class = SMTP_CLASS_RATE, .text = moon, .text_count = 2 },
		{ .class = SMTP_CLASS_POLICY, .text = twice, .text_count = 2 },
	};
	const struct smtp_class_table own = { rows, 2 };

	(void)state;
	assert_int_equal(judge(&own, 550, "", "Moon-Phase is wrong").class, SMTP_CLASS_UNKNOWN);
	assert_int_equal(judge(&own, 550, "", "Moon  Phase is wrong").class, SMTP_CLASS_RATE);
	assert_int_equal(judge(&own, 550, "", "Wrong moon phase").class, SMTP_CLASS_UNKNOWN);
	assert_int_equal(judge(&own, 550, "", "abcabc").class, SMTP_CLASS_UNKNOWN);
	assert_int_equal(judge(&own, 550, "", "abcabcabc").class, SMTP_CLASS_POLICY);
}

static void words_go_on_over_the_lines_of_a_reply(void **state)
{
	const struct smtp_class_row row = { .class = SMTP_CLASS_RATE, .text = moon,
					    .text_count = 2 };
	const struct smtp_class_table own = { &row, 1 };

	(void)state;
	assert_int_equal(judge(&own, 550, "", "5.7.1 moon / 5.7.1 phase wrong").class,
			 SMTP_CLASS_RATE);
	assert_int_equal(judge(&own, 550, "", "moon / phase / wrong").class, SMTP_CLASS_RATE);
	assert_int_equal(judge(&own, 550, "", "moon/phase wrong").class, SMTP_CLASS_UNKNOWN);
}

static void a_row_with_hosts_is_read_there_alone(void **state)
{
	const struct smtp_class_row row = { .class = SMTP_CLASS_RATE, .text = moon,
					    .text_count = 2, .mx = hosts, .mx_count = 2 };
	const struct smtp_class_table own = { &row, 1 };
	const char *text = "moon phase wrong";

	(void)state;
	assert_int_equal(judge(&own, 550, "a.lunar.example", text).class, SMTP_CLASS_RATE);
	assert_int_equal(judge(&own, 550, "MX.Solar.Example.", text).class, SMTP_CLASS_RATE);
	assert_int_equal(judge(&own, 550, "lunar.example", text).class, SMTP_CLASS_UNKNOWN);
	assert_int_equal(judge(&own, 550, "", text).class, SMTP_CLASS_UNKNOWN);
	assert_int_equal(judge(&no_rows, 421, "mfsmax.docomo.ne.jp", "Service not available").class,
			 SMTP_CLASS_RATE);
	assert_int_equal(judge(&no_rows, 421, "mx.other.example", "Service not available").class,
			 SMTP_CLASS_TRANSIENT_HOST);
}

static void codes_of_a_row_are_leading_digits(void **state)
{
	struct smtp_class_row row = { .class = SMTP_CLASS_RATE, .text = moon, .text_count = 2 };
	const struct smtp_class_table own = { &row, 1 };
	static const struct {
		u16 wanted;
		u16 code;
		bool matches;
	} cases[] = {
		{ 0, 450, true },   { 4, 450, true },   { 5, 450, false },   { 45, 450, true },
		{ 42, 450, false }, { 450, 450, true }, { 451, 450, false },
	};

	(void)state;
	for (u32 i = 0; i < array_count(cases); i++) {
		row.code = cases[i].wanted;
		assert_int_equal(judge(&own, cases[i].code, "", "moon phase wrong").class,
				 cases[i].matches ? SMTP_CLASS_RATE : SMTP_CLASS_UNKNOWN);
	}
}

/* ---- codes alone ---- */

static void codes_speak_when_words_do_not(void **state)
{
	static const struct {
		u16 code;
		u16 enhanced[3];
		enum smtp_stage stage;
		enum smtp_class class;
		bool guessed;
	} cases[] = {
		{ 550, { 5, 1, 1 }, SMTP_STAGE_RCPT, SMTP_CLASS_BAD_MAILBOX, false },
		{ 550, { 5, 1, 1 }, SMTP_STAGE_MAIL, SMTP_CLASS_POLICY, true },
		{ 452, { 4, 2, 2 }, SMTP_STAGE_RCPT, SMTP_CLASS_MAILBOX_FULL, false },
		{ 452, { 4, 3, 1 }, SMTP_STAGE_MAIL, SMTP_CLASS_TRANSIENT_HOST, false },
		{ 556, { 5, 1, 10 }, SMTP_STAGE_RCPT, SMTP_CLASS_BAD_MAILBOX, false },
		{ 550, { 5, 7, 27 }, SMTP_STAGE_MAIL, SMTP_CLASS_DNS, false },
		{ 550, { 5, 7, 25 }, SMTP_STAGE_MAIL, SMTP_CLASS_DNS, false },
		{ 550, { 5, 7, 20 }, SMTP_STAGE_DOT, SMTP_CLASS_AUTH_FAILURE, false },
		{ 550, { 5, 7, 23 }, SMTP_STAGE_MAIL, SMTP_CLASS_AUTH_FAILURE, false },
		{ 550, { 5, 7, 1 }, SMTP_STAGE_RCPT, SMTP_CLASS_POLICY, true },
		{ 554, { 5, 6, 0 }, SMTP_STAGE_DOT, SMTP_CLASS_CONTENT, false },
		{ 553, { 5, 6, 7 }, SMTP_STAGE_MAIL, SMTP_CLASS_PROTOCOL, false },
		{ 452, { 4, 5, 3 }, SMTP_STAGE_RCPT, SMTP_CLASS_RATE, false },
		{ 550, { 5, 9, 9 }, SMTP_STAGE_RCPT, SMTP_CLASS_UNKNOWN, true },
		{ 550, { 0 }, SMTP_STAGE_RCPT, SMTP_CLASS_UNKNOWN, true },
		{ 551, { 0 }, SMTP_STAGE_RCPT, SMTP_CLASS_BAD_MAILBOX, false },
		{ 552, { 0 }, SMTP_STAGE_RCPT, SMTP_CLASS_MAILBOX_FULL, true },
		{ 552, { 0 }, SMTP_STAGE_DOT, SMTP_CLASS_CONTENT, true },
		{ 553, { 0 }, SMTP_STAGE_MAIL, SMTP_CLASS_POLICY, true },
		{ 503, { 0 }, SMTP_STAGE_MAIL, SMTP_CLASS_PROTOCOL, true },
		{ 535, { 0 }, SMTP_STAGE_MAIL, SMTP_CLASS_POLICY, true },
		{ 421, { 0 }, SMTP_STAGE_RCPT, SMTP_CLASS_TRANSIENT_HOST, true },
		{ 450, { 0 }, SMTP_STAGE_RCPT, SMTP_CLASS_UNKNOWN, true },
		{ 599, { 0 }, SMTP_STAGE_DOT, SMTP_CLASS_UNKNOWN, true },
	};

	(void)state;
	for (u32 i = 0; i < array_count(cases); i++) {
		struct smtp_refusal refusal = { .code = cases[i].code, .stage = cases[i].stage,
						.text = SLICE("Xyzzy") };
		struct smtp_judgement judgement;

		memcpy(refusal.enhanced, cases[i].enhanced, sizeof(refusal.enhanced));
		judgement = smtp_classify(&refusal, &no_rows);
		if (judgement.class != cases[i].class || judgement.guessed != cases[i].guessed)
			fail_msg("case %u (%u): %s%s", i, cases[i].code,
				 smtp_class_name(judgement.class),
				 judgement.guessed ? ", guessed" : "");
	}
}

/* ---- names and what follows from them ---- */

static void every_class_but_unknown_is_about_one_thing(void **state)
{
	enum smtp_class class;

	(void)state;
	for (u32 i = SMTP_CLASS_NONE; i < SMTP_CLASS_COUNT; i++) {
		u32 things = smtp_class_is_about_recipient(i) + smtp_class_is_about_message(i) +
			     smtp_class_is_about_sender(i) + smtp_class_is_about_host(i);

		assert_int_equal(things, i > SMTP_CLASS_UNKNOWN);
		if (i == SMTP_CLASS_NONE)
			continue;
		assert_true(smtp_class_find(slice_of(smtp_class_name(i)), &class));
		assert_int_equal(class, i);
	}
	assert_false(smtp_class_find(SLICE(""), &class));
	assert_false(smtp_class_find(SLICE("Rate"), &class));
	assert_string_equal(smtp_class_name(SMTP_CLASS_COUNT), "");
	assert_string_equal(smtp_class_name(255), "");
}

static void a_full_mailbox_is_the_recipients_and_a_block_list_the_senders(void **state)
{
	(void)state;
	assert_true(smtp_class_is_about_recipient(SMTP_CLASS_BAD_MAILBOX));
	assert_true(smtp_class_is_about_recipient(SMTP_CLASS_MAILBOX_FULL));
	assert_true(smtp_class_is_about_message(SMTP_CLASS_CONTENT));
	assert_true(smtp_class_is_about_message(SMTP_CLASS_GREYLISTED));
	assert_true(smtp_class_is_about_sender(SMTP_CLASS_REPUTATION));
	assert_true(smtp_class_is_about_sender(SMTP_CLASS_RATE));
	assert_true(smtp_class_is_about_host(SMTP_CLASS_TRANSIENT_HOST));
}

/* ---- hostile texts ---- */

static void any_bytes_of_any_length_are_judged(void **state)
{
	char text[2 * SMTP_REPLY_TEXT_MAX];
	struct random random;

	(void)state;
	random_seed(&random, 7);
	for (u32 i = 0; i < 20000; i++) {
		struct smtp_refusal refusal = {
			.code = (u16)(400 + random_below(&random, 200)),
			.stage = random_below(&random, SMTP_STAGE_QUIT + 1),
			.text = { text, random_below(&random, sizeof(text) + 1) },
		};

		for (size_t j = 0; j < refusal.text.len; j++)
			text[j] = (char)(random_below(&random, 4) ? random_below(&random, 256) :
								    ' ');
		refusal.mx = slice_first(refusal.text, 30);
		assert_true(smtp_classify(&refusal, &no_rows).class > SMTP_CLASS_NONE);
	}
}

/* A text made of fragments' beginnings and ends passes many a row's first question. */
static void no_text_costs_much(void **state)
{
	char text[SMTP_REPLY_TEXT_MAX];
	struct smtp_refusal refusal = { .code = 550, .stage = SMTP_STAGE_RCPT,
					.text = { text, sizeof(text) } };
	const struct smtp_class_table *table = &smtp_class_general;
	u64 began_ns;

	(void)state;
	for (size_t i = 0; i + 3 <= sizeof(text); i += 3) {
		const struct smtp_class_row *row = &table->rows[i * 7 % table->count];

		memcpy(text + i, row->text_count ? row->text[0] : "  x", 3);
	}
	text[sizeof(text) - 1] = ' ';
	began_ns = clock_mono_ns();
	for (u32 i = 0; i < 1000; i++)
		assert_true(smtp_classify(&refusal, &no_rows).class > SMTP_CLASS_NONE);
	/* With sanitizers and a busy machine; it is a thirtieth of that without. */
	assert_true(clock_mono_ns() - began_ns < 1000 * 2 * NS_PER_MS);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_reply_of_the_corpus_gets_its_class),
		cmocka_unit_test(most_replies_that_the_table_was_not_written_for_get_theirs),
		cmocka_unit_test(every_row_decides_what_no_row_before_it_does),
		cmocka_unit_test(fragments_are_in_the_spelling_that_texts_are_compared_in),
		cmocka_unit_test(operators_rows_come_first),
		cmocka_unit_test(fragments_must_come_in_their_order_and_not_overlap),
		cmocka_unit_test(words_go_on_over_the_lines_of_a_reply),
		cmocka_unit_test(a_row_with_hosts_is_read_there_alone),
		cmocka_unit_test(codes_of_a_row_are_leading_digits),
		cmocka_unit_test(codes_speak_when_words_do_not),
		cmocka_unit_test(every_class_but_unknown_is_about_one_thing),
		cmocka_unit_test(a_full_mailbox_is_the_recipients_and_a_block_list_the_senders),
		cmocka_unit_test(any_bytes_of_any_length_are_judged),
		cmocka_unit_test(no_text_costs_much),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
