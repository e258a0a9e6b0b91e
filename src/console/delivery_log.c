/*
 * `log show` and `log export`: the delivery log, for people and for programs.
 */
#include "base/clock.h"
#include "base/smtp_class.h"
#include "base/text.h"
#include "console/command.h"
#include "console/human.h"
#include "console/link.h"
#include "console/moment.h"
#include "store/queue.h"

#include <stdio.h>
#include <string.h>

#define PAGE 10000
#define PAGE_WORK 2000000 /* a second or two of the sender's, in slices */
#define NEWEST 200
#define NEWEST_BEFORE_FOLLOWING 20
#define NEWEST_MAX 100000 /* kept in memory to be turned round */

struct wanted {
	const char *recipient;
	const char *campaign;
	const char *message;
	const char *site;
	const char *domain;
	const char *since;
	const char *until;
	u32 outcomes;
	u32 classes;
	u64 limit; /* 0: not given */
	u64 after; /* UINT64_MAX: not given */
	bool reverse;
	bool follow;
	u64 since_ms;
	u64 until_ms;
};

_Static_assert(LOG_OUTCOME_LAST < 32 && SMTP_CLASS_COUNT <= 32, "bits of OPTION_WORDS");
static const char *outcome_words[LOG_OUTCOME_LAST + 1];
static const char *class_words[SMTP_CLASS_COUNT];

static void fill_words(void)
{
	for (u32 i = LOG_DELIVERED; i <= LOG_OUTCOME_LAST; i++)
		outcome_words[i - 1] = log_outcome_name(i);
	for (u32 i = SMTP_CLASS_NONE + 1; i < SMTP_CLASS_COUNT; i++)
		class_words[i - 1] = smtp_class_name(i);
}

#define WANTED_OPTIONS(w)                                                                          \
	{ "recipient", OPTION_TEXT, &(w).recipient, "ADDRESS", "mail to this address", NULL },     \
		{ "campaign", OPTION_TEXT, &(w).campaign, "ID|NAME", "of one campaign", NULL },    \
		{ "message", OPTION_TEXT, &(w).message, "ID",                                      \
		  "a Message-ID, an address of bounces, or 7.3.42", NULL },   \
		{ "site", OPTION_TEXT, &(w).site, "SITE", "mail to this site", NULL },             \
		{ "domain", OPTION_TEXT, &(w).domain, "DOMAIN", "mail to addresses there", NULL }, \
		{ "class", OPTION_WORDS, &(w).classes, "LIST",                                     \
		  "refusals about: bad-mailbox, rate, reputation, ...", class_words },        \
		{ "outcome", OPTION_WORDS, &(w).outcomes, "LIST",                                  \
		  "only: delivered, failed, deferred, bounced, ...", outcome_words },        \
		{ "since", OPTION_TEXT, &(w).since, "TIME",                                        \
		  "2026-11-30, \"2026-11-30 14:05\", today, 2h (ago)", NULL },                     \
		{ "until", OPTION_TEXT, &(w).until, "TIME", "before then", NULL },                 \
		{ "after", OPTION_NUMBER, &(w).after, "N", "entries numbered above N", NULL }

/* ---- requests ---- */

static json_t *words_json(u32 bits, const char *const *words, size_t count)
{
	json_t *list;

	if (bits == 0)
		return NULL;
	list = json_array();
	for (size_t i = 0; i < count; i++) {
		if (bits >> i & 1)
			json_array_append_new(list, json_string(words[i]));
	}
	return list;
}

static json_t *request_of(const struct wanted *w)
{
	json_t *request = json_pack(
		"{s:s, s:s*, s:s*, s:s*, s:s*, s:s*, s:o*, s:o*, s:I, s:I}", "command", "log.show",
		"recipient", w->recipient, "campaign", w->campaign, "message", w->message, "site",
		w->site, "domain", w->domain, "outcomes",
		words_json(w->outcomes, outcome_words, LOG_OUTCOME_LAST), "classes",
		words_json(w->classes, class_words, SMTP_CLASS_COUNT - 1), "since_ms",
		(json_int_t)w->since_ms, "until_ms", (json_int_t)w->until_ms);

	return request;
}

static void set_number(json_t *request, const char *name, u64 value)
{
	json_object_set_new(request, name, json_integer((json_int_t)min_u64(value, INT64_MAX)));
}

static bool read_times(const struct console *console, struct wanted *w, int *code)
{
	const u64 now_ms = clock_wall_ms();
	struct error error;

	if ((!w->since || moment_parse(slice_of(w->since), now_ms, &w->since_ms, &error)) &&
	    (!w->until || moment_parse(slice_of(w->until), now_ms, &w->until_ms, &error)))
		return true;
	*code = console_fail_error(console, CONSOLE_USAGE, &error);
	return false;
}

/* ---- output ---- */

static const char *const titles[] = { "time",  "outcome", "address", "campaign", "code",
				      "class", "tries",	  "host",    "reply" };

struct output {
	struct table table;
	bool flushes; /* each line, as it comes */
	json_t *kept; /* instead of printing; NULL: not so */
};

static void print_entry(struct output *out, const json_t *item)
{
	struct table *table = &out->table;

	table_time(table, answer_number(item, "time_ms"));
	table_text(table, answer_text(item, "outcome"));
	table_text(table, answer_text(item, "address"));
	table_text(table, answer_text(item, "campaign"));
	table_number(table, answer_number(item, "code"));
	table_text(table, answer_text(item, "class"));
	table_number(table, answer_number(item, "attempts"));
	table_text(table, answer_text(item, "host"));
	table_text(table, answer_text(item, "reply"));
	if (!out->flushes)
		return;
	table_flush(table);
	fflush(stdout);
}

static void on_entry(void *arg, const json_t *item)
{
	struct output *out = arg;

	if (out->kept)
		json_array_append(out->kept, (json_t *)(uintptr_t)item);
	else
		print_entry(out, item);
}

/* The kept ones, the last one first. */
static void print_kept(const struct console *console, struct output *out)
{
	json_t *kept = out->kept;

	out->kept = NULL;
	for (size_t i = json_array_size(kept); i > 0; i--) {
		const json_t *item = json_array_get(kept, i - 1);

		if (console->json)
			link_print_json(item);
		else
			print_entry(out, item);
	}
	json_decref(kept);
	fflush(stdout);
}

/* ---- asking ---- */

/* Page after page, until the log ends or `left` entries have come. */
static int ask_pages(const struct console *console, struct control_client *client,
		     const struct wanted *w, bool newest_first, u64 after, u64 left,
		     struct output *out)
{
	struct console asking = *console;
	bool more = true;
	int code = CONSOLE_OK;

	/* What is kept is printed later. */
	asking.json &= out->kept == NULL;
	while (code == CONSOLE_OK && more && left > 0) {
		json_t *request = request_of(w);
		json_t *reply;

		set_number(request, "after", after);
		set_number(request, "limit", min_u64(left, PAGE));
		set_number(request, "work", PAGE_WORK);
		if (newest_first)
			json_object_set_new(request, "newest_first", json_true());
		code = link_ask(&asking, client, request, on_entry, out, &reply);
		left -= min_u64(left, answer_number(reply, "count"));
		more = answer_flag(reply, "more");
		after = answer_number(reply, "next");
		json_decref(reply);
		if (code == CONSOLE_OK && !console->json && !out->kept)
			table_flush(&out->table);
	}
	return code;
}

/* Number of the newest entry. */
static int ask_last(const struct console *console, struct control_client *client, u64 *last)
{
	json_t *reply;
	struct console quiet = *console;
	int code;

	quiet.json = false;
	code = link_ask(&quiet, client, json_pack("{s:s}", "command", "reader.list"),
			link_ignore_item, NULL, &reply);
	*last = answer_number(reply, "last");
	json_decref(reply);
	return code;
}

static int follow(const struct console *console, struct control_client *client,
		  const struct wanted *w, u64 after, struct output *out)
{
	json_t *request = request_of(w);
	json_t *reply;
	int code;

	out->flushes = true;
	control_client_set_patience(client, 0);
	set_number(request, "after", after);
	json_object_set_new(request, "follow", json_true());
	code = link_ask(console, client, request, on_entry, out, &reply);
	json_decref(reply);
	return code;
}

/* As much of the log's end as is wanted, in the order of time. */
static int show_newest(const struct console *console, struct control_client *client,
		       const struct wanted *w, u64 last, u64 count, struct output *out)
{
	int code;

	out->kept = json_array();
	code = ask_pages(console, client, w, true, last + 1, count, out);
	print_kept(console, out);
	return code;
}

static int show(const struct console *console, struct control_client *client,
		const struct wanted *w, struct output *out)
{
	const bool from_start = w->since || w->after != UINT64_MAX;
	const u64 first = w->after == UINT64_MAX ? 0 : w->after;
	u64 count = w->limit;
	u64 last;
	int code = ask_last(console, client, &last);

	if (code != CONSOLE_OK)
		return code;
	if (w->reverse)
		return ask_pages(console, client, w, true, last + 1,
				 count ? count : UINT64_MAX, out);
	if (from_start && w->follow)
		return follow(console, client, w, first, out);
	if (from_start)
		return ask_pages(console, client, w, false, first,
				 count ? count : UINT64_MAX, out);
	if (count == 0)
		count = w->follow ? NEWEST_BEFORE_FOLLOWING : NEWEST;
	code = show_newest(console, client, w, last, count, out);
	return code == CONSOLE_OK && w->follow ? follow(console, client, w, last, out) : code;
}

int delivery_log_show_run(struct console *console, int argc, char **argv)
{
	static char follow_option[] = "--follow";
	struct wanted wanted = { .after = UINT64_MAX };
	const struct option options[] = {
		WANTED_OPTIONS(wanted),
		{ "limit", OPTION_NUMBER, &wanted.limit, "N",
		  "at most so many; without --since the newest (200)", NULL },
		{ "reverse", OPTION_FLAG, &wanted.reverse, NULL, "the newest first", NULL },
		{ "follow", OPTION_FLAG, &wanted.follow, NULL, "go on until interrupted; also -f",
		  NULL },
	};
	struct control_client *client;
	struct output out = { 0 };
	int code;

	fill_words();
	for (int i = 0; i < argc; i++) {
		if (strcmp(argv[i], "-f") == 0)
			argv[i] = follow_option;
	}
	if (!console_arguments(console, options, array_count(options), argc, argv, 0, 0, &code) ||
	    !read_times(console, &wanted, &code))
		return code;
	if (wanted.follow && (wanted.reverse || wanted.until))
		return console_fail(console, CONSOLE_USAGE,
				    "--follow goes with neither --reverse nor --until");
	if (!wanted.since && wanted.after == UINT64_MAX && !wanted.reverse &&
	    wanted.limit > NEWEST_MAX)
		return console_fail(console, CONSOLE_USAGE,
				    "--limit: at most %d of the newest; or say --since",
				    NEWEST_MAX);
	code = link_open(console, &client);
	if (code != CONSOLE_OK)
		return code;
	/* Each line at once, also into a pipe; before anything is printed. */
	if (wanted.follow)
		setvbuf(stdout, NULL, _IOLBF, 0);
	table_init(&out.table, stdout, titles, array_count(titles), 0x50);
	code = show(console, client, &wanted, &out);
	if (code == CONSOLE_OK && !console->json)
		table_flush(&out.table);
	table_done(&out.table);
	control_client_close(client);
	return code;
}

int delivery_log_export_run(struct console *console, int argc, char **argv)
{
	struct wanted wanted = { .after = 0 };
	const struct option options[] = { WANTED_OPTIONS(wanted) };
	struct control_client *client;
	struct output out = { 0 };
	int code;

	fill_words();
	if (!console_arguments(console, options, array_count(options), argc, argv, 0, 0, &code) ||
	    !read_times(console, &wanted, &code))
		return code;
	code = link_open(console, &client);
	if (code != CONSOLE_OK)
		return code;
	console->json = true;
	code = ask_pages(console, client, &wanted, false, wanted.after, UINT64_MAX, &out);
	control_client_close(client);
	/* A disk that is full has to be seen: what is missing would be missed by nobody. */
	if (code == CONSOLE_OK && (fflush(stdout) != 0 || ferror(stdout)))
		return console_fail(console, CONSOLE_FAILED, "the export could not be written");
	return code;
}
