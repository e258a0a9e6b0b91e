/*
 * Messages from files: tests/smtp/reports/NAME.eml, and in tests/smtp/reports/expected what each means.
 * A name stands at the start of a line; below it, each behind a tab, a word and its value:
 *
 *   kind, form            names as report_kind_name and report_form_name give them
 *   count                 of recipients
 *   recipient             "kind reason status code address" of the next recipient; address may be empty
 *   diagnostic            text that stands in the diagnostic of the last recipient named
 *   original, remote      of the last recipient named
 *   id, to, list          of the message that was sent; campaign: its X-Campaign
 *   mta, envelope, subject, from, challenge
 *   type, agent, mailfrom, ip, arrival, domain, incidents, redacted    of a feedback report
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/random.h"
#include "smtp/mail.h"
#include "smtp/report_check.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>

#define FOLDER "tests/smtp/reports"
#define LARGE (1u << 20)

static struct arena arena;

static struct slice read_file(const char *path)
{
	FILE *file = fopen(path, "rb");
	char *bytes = malloc(LARGE);
	size_t len;

	assert_non_null(file);
	assert_non_null(bytes);
	len = fread(bytes, 1, LARGE, file);
	assert_true(len < LARGE);
	fclose(file);
	return (struct slice){ bytes, len };
}

static void free_file(struct slice file)
{
	free((void *)(uintptr_t)file.ptr);
}

static void read_report(struct slice message, struct report *report)
{
	read_and_check(&arena, message, report);
}

/* ---- the table ---- */

/* All that is wrong is shown, and the test fails at its end. */
#define wrong(...) (print_error(__VA_ARGS__), wrong_count++)
static u32 wrong_count;

static const struct report_recipient nobody = { .diagnostic = { "", 0 } };

struct expectation {
	const char *name;
	const struct report *report;
	const struct report_recipient *next;
	const struct report_recipient *recipient;
};

static void describe(const struct report_recipient *recipient, char *to, size_t size)
{
	snprintf(to, size, "%s %s %u.%u.%u %u %.*s", report_kind_name(recipient->kind),
		 report_reason_name(recipient->reason), recipient->status[0], recipient->status[1],
		 recipient->status[2], recipient->code, SLICE_FMT(recipient->address));
}

static void expect_text(const struct expectation *e, struct slice word, struct slice value,
			struct slice found)
{
	if (!slice_equal(value, found))
		wrong("%s: %.*s is \"%.*s\", not \"%.*s\"\n", e->name, SLICE_FMT(word), SLICE_FMT(found),
			 SLICE_FMT(value));
}

static void expect_number(const struct expectation *e, struct slice word, struct slice value, u64 found)
{
	char text[24];

	snprintf(text, sizeof(text), "%llu", (unsigned long long)found);
	expect_text(e, word, value, slice_of(text));
}

static void expect_recipient(struct expectation *e, struct slice word, struct slice value)
{
	char text[1024];

	if (!e->next) {
		wrong("%s: there are fewer recipients\n", e->name);
		return;
	}
	e->recipient = e->next;
	e->next = e->recipient->next;
	describe(e->recipient, text, sizeof(text));
	/* Editors take white space off the ends of lines. */
	expect_text(e, word, slice_trim(value), slice_trim(slice_of(text)));
}

static bool expect_of_recipient(struct expectation *e, struct slice word, struct slice value)
{
	if (slice_equal(word, SLICE("recipient"))) {
		expect_recipient(e, word, value);
	} else if (slice_equal(word, SLICE("diagnostic"))) {
		if (slice_find(e->recipient->diagnostic, value) < 0)
			wrong("%s: the diagnostic is \"%.*s\"\n", e->name,
				 SLICE_FMT(e->recipient->diagnostic));
	} else if (slice_equal(word, SLICE("original"))) {
		expect_text(e, word, value, e->recipient->original);
	} else if (slice_equal(word, SLICE("remote"))) {
		expect_text(e, word, value, e->recipient->remote);
	} else {
		return false;
	}
	return true;
}

static bool expect_number_of(struct expectation *e, struct slice word, struct slice value)
{
	const struct report *report = e->report;
	const struct {
		const char *word;
		u64 found;
	} numbers[] = {
		{ "count", report->recipient_count },
		{ "challenge", report->is_challenge },
		{ "incidents", report->feedback.incidents },
		{ "redacted", report->feedback.is_redacted },
	};

	for (size_t i = 0; i < array_count(numbers); i++) {
		if (slice_equal(word, slice_of(numbers[i].word))) {
			expect_number(e, word, value, numbers[i].found);
			return true;
		}
	}
	return false;
}

static void expect(struct expectation *e, struct slice word, struct slice value)
{
	const struct report *report = e->report;
	const struct {
		const char *word;
		struct slice found;
	} texts[] = {
		{ "kind", slice_of(report_kind_name(report->kind)) },
		{ "form", slice_of(report_form_name(report->form)) },
		{ "id", report->original.message_id },
		{ "to", report->original.to },
		{ "list", report->original.list_unsubscribe },
		{ "campaign", slice_trim(mail_find(report->original.headers, SLICE("X-Campaign"))) },
		{ "mta", report->reporting_mta },
		{ "envelope", report->envelope_id },
		{ "subject", report->subject },
		{ "from", report->from },
		{ "type", report->feedback.type },
		{ "agent", report->feedback.user_agent },
		{ "mailfrom", report->feedback.mail_from },
		{ "ip", report->feedback.source_ip },
		{ "arrival", report->feedback.arrival_date },
		{ "domain", report->feedback.reported_domain },
	};

	for (size_t i = 0; i < array_count(texts); i++) {
		if (slice_equal(word, slice_of(texts[i].word))) {
			expect_text(e, word, value, texts[i].found);
			return;
		}
	}
	if (!expect_number_of(e, word, value) && !expect_of_recipient(e, word, value))
		fail_msg("%s: no such word: %.*s", e->name, SLICE_FMT(word));
}

/* How a message's line ends are written anew. */
enum ends { ENDS_AS_THEY_ARE, ENDS_LF, ENDS_CRLF, ENDS_RANDOM, ENDS_COUNT };

static struct slice with_ends(struct slice message, enum ends ends, struct buf *out, u64 seed)
{
	struct random random;

	random_seed(&random, seed);
	buf_reset(out);
	for (size_t i = 0; i < message.len; i++) {
		char c = message.ptr[i];

		if (ends != ENDS_AS_THEY_ARE && c == '\r')
			continue;
		if (c == '\n' && (ends == ENDS_CRLF || (ends == ENDS_RANDOM && random_below(&random, 2))))
			buf_add_char(out, '\r');
		buf_add_char(out, c);
	}
	return buf_slice(out);
}

/* Calls check for each name in the table; returns how many there are. */
static u32 each(void (*check)(const char *name, struct slice message, struct slice expected))
{
	struct slice table = read_file(FOLDER "/expected");
	struct slice rest = table;
	u32 count = 0;

	while (rest.len > 0) {
		struct slice line = slice_split(&rest, '\n');
		char name[128];
		char path[256];
		struct slice message;
		struct slice expected = rest;

		if (line.len == 0 || line.ptr[0] == '#' || line.ptr[0] == '\t')
			continue;
		while (rest.len > 0 && rest.ptr[0] == '\t')
			slice_split(&rest, '\n');
		expected.len -= rest.ptr ? rest.len : 0;
		assert_true(slice_copy(name, sizeof(name), line));
		snprintf(path, sizeof(path), FOLDER "/%s.eml", name);
		message = read_file(path);
		check(name, message, expected);
		free_file(message);
		count++;
	}
	free_file(table);
	return count;
}

static void check_meaning(const char *name, struct slice message, struct slice expected)
{
	struct buf again;

	buf_init(&again, 2 * LARGE);
	for (int ends = 0; ends < ENDS_COUNT; ends++) {
		struct report report;
		struct expectation e = { .name = name, .report = &report, .recipient = &nobody };
		struct slice rest = expected;

		read_report(with_ends(message, (enum ends)ends, &again, 7), &report);
		e.next = report.recipients;
		while (rest.len > 0) {
			struct slice value = slice_from(slice_split(&rest, '\n'), 1);
			struct slice word = slice_split(&value, ' ');

			expect(&e, word, value.ptr ? value : SLICE(""));
			if (!rest.ptr)
				break;
		}
	}
	buf_done(&again);
}

static void every_message_means_what_the_table_says_with_any_line_ends(void **state)
{
	(void)state;
	assert_true(each(check_meaning) >= 80);
	assert_int_equal(wrong_count, 0);
}

static void every_message_of_the_folder_is_in_the_table(void **state)
{
	struct slice table = read_file(FOLDER "/expected");
	DIR *folder = opendir(FOLDER);
	struct dirent *entry;

	(void)state;
	assert_non_null(folder);
	while ((entry = readdir(folder))) {
		char line[300];
		char *end = strstr(entry->d_name, ".eml");

		if (!end)
			continue;
		snprintf(line, sizeof(line), "\n%.*s\n", (int)(end - entry->d_name), entry->d_name);
		if (slice_find(table, slice_of(line)) < 0)
			fail_msg("%s is not in the table", entry->d_name);
	}
	closedir(folder);
	free_file(table);
}

/* ---- what holds of anything ---- */

static void check_prefixes(const char *name, struct slice message, struct slice expected)
{
	(void)name;
	(void)expected;
	for (size_t len = 0; len < message.len; len++) {
		char *copy = malloc(len + 1);
		struct report report;

		assert_non_null(copy);
		memcpy(copy, message.ptr, len);
		/* At the block's end, so that one octet too far is seen. */
		memmove(copy + 1, copy, len);
		read_report((struct slice){ copy + 1, len }, &report);
		free(copy);
	}
}

static void every_prefix_of_a_message_is_read(void **state)
{
	(void)state;
	assert_true(each(check_prefixes) >= 80);
}

static void check_damaged(const char *name, struct slice message, struct slice expected)
{
	struct random random;
	struct buf damaged;

	(void)name;
	(void)expected;
	random_seed(&random, message.len);
	buf_init(&damaged, LARGE);
	for (u32 round = 0; round < 200; round++) {
		struct report report;

		buf_reset(&damaged);
		buf_add_slice(&damaged, message);
		for (u64 left = random_below(&random, 12) + 1; left > 0; left--)
			damaged.ptr[random_below(&random, damaged.len)] =
				"\r\n\0\xff =?:;<>@\"\\(-\x1b+%"[random_below(&random, 20)];
		read_report(buf_slice(&damaged), &report);
	}
	buf_done(&damaged);
}

static void a_damaged_message_is_read(void **state)
{
	(void)state;
	assert_true(each(check_damaged) >= 80);
}

static void check_small_arenas(const char *name, struct slice message, struct slice expected)
{
	struct report whole;
	struct report report;
	u32 incomplete = 0;

	(void)expected;
	arena_reset(&arena);
	report_read(message, &whole, &arena);
	for (size_t max = 0; max < 64u << 10; max += 509) {
		struct arena small;

		arena_init(&small, 512, max);
		report_read(message, &report, &small);
		if (report.is_incomplete) {
			assert_int_equal(report.kind, REPORT_UNKNOWN);
			assert_null(report.recipients);
			incomplete++;
		} else if (report.kind != whole.kind || report.recipient_count != whole.recipient_count) {
			fail_msg("%s: with %zu octets it means something else", name, max);
		}
		arena_done(&small);
	}
	assert_true(incomplete > 0);
}

static void without_room_a_report_is_incomplete_and_never_wrong(void **state)
{
	(void)state;
	assert_true(each(check_small_arenas) >= 80);
}

static void xtext_is_undone_or_refused_whole(void **state)
{
	static const struct {
		const char *in;
		const char *out; /* NULL: refused */
	} cases[] = {
		{ "", "" },	       { "abc", "abc" },  { "a+2Bb+3Dc", "a+b=c" }, { "+00+7F", NULL },
		{ "a+2bc", NULL },     { "a+", NULL },	  { "a+2", NULL },	    { "a+G0", NULL },
		{ "a=b", NULL },       { "a b", NULL },	  { "a\tb", NULL },	    { "\xe3\x81\x82", NULL },
		{ "+E3+81+82", "\xe3\x81\x82" },
	};

	(void)state;
	for (size_t i = 0; i < array_count(cases); i++) {
		char room[64];
		struct buf out = { .ptr = room, .size = sizeof(room), .max = sizeof(room) };
		bool done = report_xtext_decode(&out, slice_of(cases[i].in));

		if (i == 3) { /* any octet can be written */
			assert_true(done);
			assert_memory_equal(room, "\0\x7f", 2);
			continue;
		}
		assert_int_equal(done, cases[i].out != NULL);
		assert_int_equal(out.len, done ? strlen(cases[i].out) : 0);
		if (done)
			assert_memory_equal(room, cases[i].out, out.len);
	}
}

static int set_up(void **state)
{
	(void)state;
	arena_init(&arena, REPORT_ARENA_CHUNK, REPORT_ARENA_MAX);
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	arena_done(&arena);
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_message_means_what_the_table_says_with_any_line_ends),
		cmocka_unit_test(every_message_of_the_folder_is_in_the_table),
		cmocka_unit_test(every_prefix_of_a_message_is_read),
		cmocka_unit_test(a_damaged_message_is_read),
		cmocka_unit_test(without_room_a_report_is_incomplete_and_never_wrong),
		cmocka_unit_test(xtext_is_undone_or_refused_whole),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
