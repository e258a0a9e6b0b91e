#include "console/command.h"

#include "base/clock.h"
#include "base/text.h"
#include "console/campaign.h"
#include "console/check_identity.h"
#include "console/human.h"
#include "console/link.h"

#include <string.h>

#define CUSTOMER_SIZE 256 /* a domain */

/* ---- naming a campaign ---- */

json_t *campaign_request(const char *command, const char *word)
{
	u64 id;

	if (!word)
		return json_pack("{s:s}", "command", command);
	if (slice_to_u64(slice_of(word), &id) && id <= INT64_MAX)
		return json_pack("{s:s, s:I}", "command", command, "id", (json_int_t)id);
	return json_pack("{s:s, s:s}", "command", command, "name", word);
}

/* ---- start, pause, resume, cancel ---- */

void campaign_print_line(const json_t *campaign)
{
	struct buf text;

	buf_init(&text, 4096);
	buf_add_text(&text, "campaign ");
	human_number(&text, answer_number(campaign, "id"));
	buf_add_text(&text, " \"");
	human_text(&text, answer_text(campaign, "name"));
	buf_add_text(&text, "\" is ");
	human_text(&text, answer_text(campaign, "state"));
	buf_add_text(&text, ": ");
	human_number(&text, answer_number(campaign, "delivered"));
	buf_add_text(&text, " of ");
	human_number(&text, answer_number(campaign, "total"));
	buf_add_text(&text, " sent");
	puts(buf_text(&text));
	buf_done(&text);
}

static int ask_state(const struct console *console, const char *command, const char *word)
{
	json_t *reply;
	int code = link_run(console, campaign_request(command, word), NULL, NULL, &reply);

	if (code == CONSOLE_OK && !console->json)
		campaign_print_line(reply);
	json_decref(reply);
	return code;
}

static int change_state(struct console *console, const char *command, int argc, char **argv)
{
	int code;

	if (!console_arguments(console, NULL, 0, argc, argv, 1, 1, &code))
		return code;
	return ask_state(console, command, argv[0]);
}

static void take_customer(void *arg, const json_t *campaign)
{
	slice_copy(arg, CUSTOMER_SIZE, answer_text(campaign, "customer"));
}

/* The identity behind a campaign, before it starts. */
static int may_start(const struct console *console, const char *word, bool is_overridden)
{
	struct console quiet = *console;
	char customer[CUSTOMER_SIZE] = "";
	json_t *reply;
	int code;

	if (!link_has_init())
		return CONSOLE_OK;
	quiet.json = false;
	code = link_run(&quiet, campaign_request("campaign.status", word), take_customer, customer,
			&reply);
	json_decref(reply);
	return code == CONSOLE_OK ? check_identity_before_start(console, customer, is_overridden)
				  : code;
}

int campaign_start_run(struct console *console, int argc, char **argv)
{
	bool is_overridden = false;
	const struct option options[] = {
		{ "override-identity", OPTION_FLAG, &is_overridden, NULL,
		  "even if neither SPF nor DKIM vouches for it", NULL },
	};
	int code;

	if (!console_arguments(console, options, array_count(options), argc, argv, 1, 1, &code))
		return code;
	code = may_start(console, argv[0], is_overridden);
	return code == CONSOLE_OK ? ask_state(console, "campaign.start", argv[0]) : code;
}

int campaign_pause_run(struct console *console, int argc, char **argv)
{
	return change_state(console, "campaign.pause", argc, argv);
}

int campaign_resume_run(struct console *console, int argc, char **argv)
{
	return change_state(console, "campaign.resume", argc, argv);
}

int campaign_cancel_run(struct console *console, int argc, char **argv)
{
	return change_state(console, "campaign.cancel", argc, argv);
}

/* ---- status ---- */

static const char *const status_titles[] = { "id",     "name", "state", "total", "sent",
					     "failed", "queued", "held", "rate" };

static void print_row(void *arg, const json_t *campaign)
{
	static const char *const numbers[] = { "total", "delivered", "failed", "queued", "held" };
	struct table *table = arg;

	table_number(table, answer_number(campaign, "id"));
	table_text(table, answer_text(campaign, "name"));
	table_text(table, answer_text(campaign, "state"));
	for (size_t i = 0; i < array_count(numbers); i++)
		table_number(table, answer_number(campaign, numbers[i]));
	table_rate(table, answer_real(campaign, "rate"));
}

static void print_number(const json_t *campaign, const char *title, const char *name)
{
	struct buf text;

	buf_init(&text, 64);
	human_number(&text, answer_number(campaign, name));
	printf("%-13s %14s\n", title, buf_text(&text));
	buf_done(&text);
}

static void print_text(const char *title, struct slice value)
{
	struct buf text;

	buf_init(&text, 8192);
	human_text(&text, slice_first(value, 1024));
	printf("%-13s %s\n", title, buf_text(&text));
	buf_done(&text);
}

static void print_times(const json_t *campaign)
{
	static const char *const names[][2] = { { "created", "created_ms" },
						{ "started", "started_ms" },
						{ "finished", "finished_ms" },
						{ "deadline", "deadline_ms" } };
	u64 started = answer_number(campaign, "started_ms");
	u64 finished = answer_number(campaign, "finished_ms");
	struct buf text;

	buf_init(&text, 64);
	for (size_t i = 0; i < array_count(names); i++) {
		buf_reset(&text);
		if (i > 2 && answer_number(campaign, names[i][1]) == 0)
			continue;
		human_time(&text, answer_number(campaign, names[i][1]));
		printf("%-13s %s\n", names[i][0], buf_text(&text));
	}
	if (started > 0 && finished > started) {
		buf_reset(&text);
		human_duration(&text, finished - started);
		printf("%-13s %s\n", "took", buf_text(&text));
	}
	buf_done(&text);
}

static void print_details(void *arg, const json_t *campaign)
{
	static const char *const numbers[][2] = {
		{ "total", "total" },
		{ "sent", "delivered" },
		{ "failed", "failed" },
		{ "  expired", "expired" },
		{ "cancelled", "cancelled" },
		{ "queued", "queued" },
		{ "  deferred", "deferred" },
		{ "held", "held" },
		{ "deferrals", "deferrals" },
		{ "in doubt ever", "doubts" },
		{ "domains", "domains" },
		{ "bounced", "bounced" },
		{ "complained", "complained" },
		{ "unsubscribed", "unsubscribed" },
	};
	struct buf text;

	(void)arg;
	printf("%-13s %llu\n", "campaign", (unsigned long long)answer_number(campaign, "id"));
	print_text("name", answer_text(campaign, "name"));
	print_text("customer", answer_text(campaign, "customer"));
	print_text("kind", answer_text(campaign, "kind"));
	if (answer_text(campaign, "list").len > 0)
		print_text("list", answer_text(campaign, "list"));
	print_text("state", answer_text(campaign, "state"));
	for (size_t i = 0; i < array_count(numbers); i++)
		print_number(campaign, numbers[i][0], numbers[i][1]);
	buf_init(&text, 64);
	human_rate(&text, answer_real(campaign, "rate"));
	printf("%-13s %14s\n", "rate", buf_text(&text));
	buf_reset(&text);
	if (answer_real(campaign, "rate") > 0) {
		human_duration(&text, (u64)((double)answer_number(campaign, "queued") * 1000 /
					    answer_real(campaign, "rate")));
		printf("%-13s %14s\n", "time left", buf_text(&text));
	}
	buf_done(&text);
	print_times(campaign);
}

int campaign_status_run(struct console *console, int argc, char **argv)
{
	struct table table;
	json_t *request;
	json_t *reply;
	int words;
	int code;

	if (!console_options(console, NULL, 0, argc, argv, &words, &code))
		return code;
	if (words > 1)
		return console_fail(console, CONSOLE_USAGE, "too many words: \"%.64s\"", argv[1]);
	request = campaign_request("campaign.status", words ? argv[0] : NULL);
	if (words) {
		code = link_run(console, request, print_details, NULL, &reply);
		json_decref(reply);
		return code;
	}
	table_init(&table, stdout, status_titles, array_count(status_titles), 0x1f9);
	code = link_run(console, request, print_row, &table, &reply);
	if (code == CONSOLE_OK && !console->json)
		table_flush(&table);
	table_done(&table);
	json_decref(reply);
	return code;
}

/* ---- report ---- */

static const char *const report_titles[] = { "time",  "outcome", "address", "code",
					     "class", "tries",	 "host",    "reply" };

static void print_recipient(void *arg, const json_t *item)
{
	struct table *table = arg;

	table_time(table, answer_number(item, "time_ms"));
	table_text(table, answer_text(item, "outcome"));
	table_text(table, answer_text(item, "address"));
	table_number(table, answer_number(item, "code"));
	table_text(table, answer_text(item, "class"));
	table_number(table, answer_number(item, "attempts"));
	table_text(table, answer_text(item, "host"));
	table_text(table, answer_text(item, "reply"));
}

static json_t *outcomes_json(u32 bits)
{
	json_t *list = json_array();

	for (size_t i = 0; i < CONTROL_OUTCOME_COUNT; i++) {
		if (bits >> i & 1)
			json_array_append_new(list, json_string(control_outcome_names[i]));
	}
	return list;
}

struct report {
	const char *campaign;
	u32 outcomes; /* 0: the daemon's choice */
	u64 left;     /* rows that may still be printed */
	char after[256];
};

/* Asks for the next page; *is_over when the daemon has no more or enough is printed. */
static int report_page(const struct console *console, struct control_client *client,
		       struct report *report, struct table *table, bool *is_over)
{
	json_t *request = campaign_request("campaign.report", report->campaign);
	json_t *reply;
	u64 count;
	int code;

	if (report->outcomes)
		json_object_set_new(request, "outcomes", outcomes_json(report->outcomes));
	if (report->after[0])
		json_object_set_new(request, "after", json_string(report->after));
	json_object_set_new(request, "limit",
			    json_integer((json_int_t)min_u64(report->left, 10000)));
	code = link_ask(console, client, request, print_recipient, table, &reply);
	count = answer_number(reply, "count");
	report->left -= min_u64(report->left, count);
	*is_over = code != CONSOLE_OK || report->left == 0 || !answer_flag(reply, "more") ||
		   !slice_copy(report->after, sizeof(report->after), answer_text(reply, "next"));
	json_decref(reply);
	return code;
}

int campaign_report_run(struct console *console, int argc, char **argv)
{
	const char *words[CONTROL_OUTCOME_COUNT + 1] = { NULL };
	struct report report = { .left = UINT64_MAX };
	const struct option options[] = {
		{ "outcome", OPTION_WORDS, &report.outcomes, "LIST",
		  "only these, separated by commas", words },
		{ "limit", OPTION_NUMBER, &report.left, "N", "at most so many lines", NULL },
	};
	struct control_client *client;
	struct table table;
	bool is_over = false;
	int code;

	memcpy(words, control_outcome_names, sizeof(control_outcome_names));
	if (!console_arguments(console, options, array_count(options), argc, argv, 1, 1, &code))
		return code;
	if (report.left == 0)
		return console_fail(console, CONSOLE_USAGE, "--limit must be 1 or more");
	report.campaign = argv[0];
	code = link_open(console, &client);
	if (code != CONSOLE_OK)
		return code;
	table_init(&table, stdout, report_titles, array_count(report_titles), 0x28);
	while (!is_over)
		code = report_page(console, client, &report, &table, &is_over);
	if (code == CONSOLE_OK && !console->json)
		table_flush(&table);
	table_done(&table);
	control_client_close(client);
	return code;
}
