/* `tls-report`: what TLS came to with domains that ask for reports about it (RFC 8460). */
#include "console/command.h"

#include "base/text.h"
#include "console/human.h"
#include "console/link.h"

static const char *const titles[] = { "day",	"domain", "policy", "ok",   "failed", "report",
				      "result", "count",  "host",   "reason" };

/* "mx.example [192.0.2.1]" */
static void table_host(struct table *table, const json_t *failure)
{
	const struct slice host = answer_text(failure, "host");
	const struct slice address = answer_text(failure, "address");
	struct buf text;

	buf_init(&text, 512);
	buf_add_slice(&text, host);
	if (address.len > 0)
		buf_add_format(&text, host.len > 0 ? " [%.*s]" : "[%.*s]", SLICE_FMT(address));
	table_text(table, buf_slice(&text));
	buf_done(&text);
}

static void print_head(struct table *table, const json_t *item, bool is_first)
{
	if (!is_first) {
		for (u32 i = 0; i < 6; i++)
			table_text(table, SLICE(" "));
		return;
	}
	table_text(table, answer_text(item, "day"));
	table_text(table, answer_text(item, "domain"));
	table_text(table, answer_text(item, "policy"));
	table_number(table, answer_number(item, "ok"));
	table_number(table, answer_number(item, "failed"));
	table_text(table, answer_text(item, "report"));
}

static void print_one(void *arg, const json_t *item)
{
	const json_t *failures = json_object_get(item, "failures");
	const size_t count = json_array_size(failures);
	struct table *table = arg;

	for (size_t i = 0; i < count || i == 0; i++) {
		const json_t *failure = json_array_get(failures, i);

		print_head(table, item, i == 0);
		if (!failure) {
			for (u32 k = 0; k < 4; k++)
				table_text(table, SLICE_NONE);
			continue;
		}
		table_text(table, answer_text(failure, "result"));
		table_number(table, answer_number(failure, "count"));
		table_host(table, failure);
		table_text(table, answer_text(failure, "reason"));
	}
}

int tls_report_show_run(struct console *console, int argc, char **argv)
{
	struct table table;
	json_t *reply;
	int words;
	int code;

	if (!console_options(console, NULL, 0, argc, argv, &words, &code))
		return code;
	if (words > 1)
		return console_fail(console, CONSOLE_USAGE, "too many words: \"%.64s\"", argv[1]);
	table_init(&table, stdout, titles, array_count(titles), 0x98);
	code = link_run(console,
			json_pack("{s:s, s:s*}", "command", "tls-report.show", "domain",
				  words > 0 ? argv[0] : NULL),
			print_one, &table, &reply);
	table_done(&table);
	if (code == CONSOLE_OK && !console->json && answer_number(reply, "count") == 0)
		printf("Nothing is kept: no domain that mail went to asks for reports about "
		       "TLS.\n");
	json_decref(reply);
	return code;
}

int tls_report_send_run(struct console *console, int argc, char **argv)
{
	json_t *reply;
	int code;

	if (!console_arguments(console, NULL, 0, argc, argv, 0, 0, &code))
		return code;
	code = link_run(console, json_pack("{s:s}", "command", "tls-report.send"), NULL, NULL,
			&reply);
	json_decref(reply);
	return code;
}
