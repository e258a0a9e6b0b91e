#include "console/command.h"

#include "base/clock.h"
#include "base/text.h"
#include "console/campaign.h"
#include "console/check_identity.h"
#include "console/human.h"
#include "console/link.h"
#include "console/moment.h"
#include "console/recipients.h"
#include "console/rejects.h"
#include "console/source.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define BATCH_BYTES (256u << 10)           /* rows are sent when so much has gathered */
#define BATCH_MAX (FRAME_PAYLOAD_MAX - 1)  /* one byte is the tag */
#define PROGRESS_NS (200 * NS_PER_MS)

static const char *const charsets[] = { "utf-8", "iso-2022-jp", NULL };
static const char *const encodings[] = { "auto", "8bit", NULL };
static const char *const kinds[] = { "bulk", "transactional", NULL };
static const char *const delimiters[] = { "auto", "comma", "semicolon", "tab", NULL };
static const char delimiter_bytes[] = { 0, ',', ';', '\t' };

/* What the command line says. */
struct wanted {
	struct source_files files;
	const char *name;
	const char *customer;
	const char *recipients;
	const char *rejects;
	const char *list;
	const char *unsubscribe_url;
	const char *unsubscribe_mailto;
	const char *deadline;
	u64 expire_ms;
	u64 deadline_ms;
	u32 charset;
	u32 encoding;
	u32 kind;
	u32 delimiter;
	bool holds;
	bool starts;
	bool is_overridden; /* starts although the identity would not align */
	bool no_unsubscribe;
};

/* One run of the command. */
struct create {
	const struct console *console;
	const struct wanted *wanted;
	struct control_client *client;
	struct source source;
	struct recipients *recipients;
	struct rejects rejects;
	struct buf batch;
	bool is_over; /* the daemon refused or is lost: `answer` and `error` say how */
	enum control_answer answer;
	struct error error;
	u64 started_ns;
	u64 shown_ns;
	bool shows_progress;
};

/* ---- progress: one line on a terminal, rewritten ---- */

static void progress_clear(const struct create *create)
{
	if (create->shows_progress && create->shown_ns > 0)
		fputs("\r\033[K", stderr);
}

static void progress_bar(struct buf *text, const struct recipients_counts *counts)
{
	const u64 width = 20;
	u64 done = counts->bytes_read * width / counts->bytes_total;

	buf_add_char(text, '[');
	for (u64 i = 0; i < width; i++)
		buf_add_char(text, i < done ? '#' : '.');
	buf_add_format(text, "] %u%%  ",
		       (unsigned)(counts->bytes_read * 100 / counts->bytes_total));
}

static void progress_show(struct create *create)
{
	struct recipients_counts counts;
	u64 now_ns = clock_mono_ns();
	struct buf text;

	if (!create->shows_progress || now_ns - create->shown_ns < PROGRESS_NS)
		return;
	create->shown_ns = now_ns;
	recipients_counts(create->recipients, &counts);
	buf_init(&text, 512);
	if (counts.bytes_total > 0)
		progress_bar(&text, &counts);
	human_number(&text, counts.accepted);
	buf_add_text(&text, " recipients, ");
	human_rate(&text, (double)counts.accepted * 1e9 /
				  (double)max_u64(now_ns - create->started_ns, 1));
	buf_add_text(&text, ", ");
	human_number(&text, counts.refused);
	buf_add_text(&text, " refused");
	fprintf(stderr, "\r\033[K%s", buf_text(&text));
	fflush(stderr);
	buf_done(&text);
}

/* ---- sending ---- */

static bool went_on(struct create *create, enum control_answer answer)
{
	if (answer == CONTROL_SENT)
		return true;
	create->is_over = true;
	create->answer = answer;
	return false;
}

static bool send_part(struct create *create, enum control_data_tag tag)
{
	return went_on(create, control_client_data_all(create->client, tag,
						       create->source.parts[tag], &create->error));
}

static bool send_request(struct create *create)
{
	const struct wanted *wanted = create->wanted;
	const char *const *columns;
	struct control_campaign_create request = {
		.name = wanted->name,
		.customer = wanted->customer,
		.source = wanted->files.whole ? CONTROL_SOURCE_WHOLE : CONTROL_SOURCE_PARTS,
		.source_name = wanted->files.whole ? wanted->files.whole : wanted->files.headers,
		.charset = charsets[wanted->charset],
		.encoding = encodings[wanted->encoding],
		.is_doubt_held = wanted->holds,
		.expire_ms = wanted->expire_ms,
		.deadline_ms = wanted->deadline_ms,
		.kind = kinds[wanted->kind],
		.list = wanted->list,
		.require_unsubscribe = !wanted->no_unsubscribe,
		.unsubscribe_url = wanted->unsubscribe_url,
		.unsubscribe_mailto = wanted->unsubscribe_mailto,
	};

	request.column_count = recipients_columns(create->recipients, &columns);
	for (size_t i = 0; i < request.column_count; i++)
		request.columns[i] = columns[i];
	for (size_t tag = 1; tag <= CONTROL_DATA_PARTS; tag++)
		request.sizes[tag] = create->source.parts[tag].len;
	return went_on(create, control_client_request(create->client, control_create_json(&request),
						      &create->error));
}

static void send_batch(struct create *create)
{
	if (create->batch.len > 0 && !create->is_over)
		went_on(create, control_client_data(create->client, CONTROL_DATA_ROWS,
						    buf_slice(&create->batch), &create->error));
	buf_reset(&create->batch);
}

static void on_row(void *arg, struct slice address, struct slice values)
{
	struct create *create = arg;

	if (create->batch.len + 4 + address.len + values.len > BATCH_MAX)
		send_batch(create);
	control_row_add(&create->batch, address, values);
}

static void on_refused(void *arg, u64 line, const char *reason)
{
	struct create *create = arg;

	progress_clear(create);
	rejects_add(&create->rejects, line, reason);
}

/*
 * A row that the daemon refuses, an ITEM. It knows rows by their number among those sent, so the
 * address stands in for the line.
 */
static void take_item(struct create *create, const json_t *item)
{
	struct error reason;

	error_set(&reason, "%.*s: %.*s", SLICE_FMT(answer_text(item, "address")),
		  SLICE_FMT(answer_text(item, "reason")));
	on_refused(create, 0, reason.text);
}

static void take_items(struct create *create)
{
	json_t *item;

	while ((item = control_client_pending(create->client)) != NULL) {
		take_item(create, item);
		json_decref(item);
	}
}

static bool send_rows(struct create *create)
{
	int more = 1;

	while (more > 0 && !create->is_over) {
		more = recipients_read(create->recipients, &create->error);
		if (create->batch.len >= BATCH_BYTES || more == 0)
			send_batch(create);
		take_items(create);
		progress_show(create);
	}
	progress_clear(create);
	return more == 0 && !create->is_over;
}

/* ---- the run ---- */

static int failed(struct create *create)
{
	if (create->is_over)
		return link_failed(create->console, create->client, create->answer, &create->error);
	return console_fail_error(create->console, CONSOLE_FAILED, &create->error);
}

static void print_summary(const struct create *create, const json_t *reply)
{
	struct recipients_counts counts;
	u64 took_ns = clock_mono_ns() - create->started_ns;
	struct buf text;

	recipients_counts(create->recipients, &counts);
	buf_init(&text, 4096);
	human_number(&text, answer_number(reply, "total"));
	buf_add_text(&text, " recipients at ");
	human_number(&text, answer_number(reply, "domains"));
	buf_add_text(&text, " domains imported in ");
	human_duration(&text, took_ns / NS_PER_MS);
	buf_add_text(&text, " (");
	human_rate(&text, (double)counts.accepted * 1e9 / (double)max_u64(took_ns, 1));
	buf_add_text(&text, ")\n");
	if (counts.quoted > 0) {
		human_number(&text, counts.quoted);
		buf_add_text(&text, " addresses are no plain ones (dots at odd places) and go "
				    "in quotes\n");
	}
	if (create->rejects.count > 0) {
		human_number(&text, create->rejects.count);
		buf_add_text(&text, " rows refused, ");
		human_number(&text, counts.duplicates);
		buf_add_text(&text, " of them duplicates");
		if (create->wanted->rejects)
			buf_add_format(&text, "; see %s", create->wanted->rejects);
		buf_add_char(&text, '\n');
	}
	fputs(buf_text(&text), stdout);
	buf_done(&text);
}

static void print_reply(const struct create *create, json_t *reply)
{
	struct recipients_counts counts;
	u64 id = answer_number(reply, "id");

	if (create->console->json) {
		recipients_counts(create->recipients, &counts);
		json_object_set_new(reply, "quoted", json_integer((json_int_t)counts.quoted));
		json_object_set_new(reply, "refused",
				    json_integer((json_int_t)create->rejects.count));
		json_object_set_new(reply, "duplicates",
				    json_integer((json_int_t)counts.duplicates));
		link_print_json(reply);
		return;
	}
	print_summary(create, reply);
	if (!create->wanted->starts)
		printf("campaign %llu is ready; start it with: hikyaku campaign start %llu\n",
		       (unsigned long long)id, (unsigned long long)id);
}

/* With --start: one output all the same, so with --json the answer is that of campaign.start. */
static int start(struct create *create, const json_t *created)
{
	json_t *request = json_pack("{s:s, s:I}", "command", "campaign.start", "id",
				    (json_int_t)answer_number(created, "id"));
	json_t *reply;
	int code = link_ask(create->console, create->client, request, NULL, NULL, &reply);

	if (code == CONSOLE_OK && !create->console->json)
		campaign_print_line(reply);
	json_decref(reply);
	return code;
}

static int finish(struct create *create)
{
	struct recipients_counts counts;
	json_t *reply = NULL;
	int code = CONSOLE_OK;

	recipients_counts(create->recipients, &counts);
	if (counts.accepted == 0)
		return console_fail(create->console, CONSOLE_FAILED,
				    "%s: no row can be mailed; nothing was created",
				    create->wanted->recipients);
	if (!went_on(create, control_client_end(create->client, &create->error)))
		return failed(create);
	do {
		create->answer = control_client_next(create->client, &reply, &create->error);
		if (create->answer == CONTROL_ITEM) {
			take_item(create, reply);
			json_decref(reply);
		}
	} while (create->answer == CONTROL_ITEM);
	if (create->answer != CONTROL_REPLY)
		return link_failed(create->console, create->client, create->answer, &create->error);
	print_reply(create, reply);
	if (create->wanted->starts)
		code = start(create, reply);
	json_decref(reply);
	return code;
}

/* Everything that can be refused without the daemon is, before it is asked. */
static bool prepare(struct create *create)
{
	const struct wanted *wanted = create->wanted;
	const struct recipients_params params = {
		.path = wanted->recipients,
		.delimiter = delimiter_bytes[wanted->delimiter],
		.on_row = on_row,
		.on_refused = on_refused,
		.arg = create,
	};

	if (!source_read(&create->source, &wanted->files, &create->error))
		return false;
	create->recipients = recipients_open(&params, &create->error);
	return create->recipients &&
	       rejects_open(&create->rejects, create->console, wanted->rejects, &create->error) &&
	       recipients_read_header(create->recipients, &create->error);
}

static int run(struct create *create)
{
	struct error error;
	int code;

	create->started_ns = clock_mono_ns();
	create->shows_progress = !create->console->json && isatty(STDERR_FILENO);
	buf_init(&create->batch, BATCH_MAX);
	if (!prepare(create)) {
		code = console_fail_error(create->console, CONSOLE_FAILED, &create->error);
		goto out;
	}
	code = link_open(create->console, &create->client);
	if (code != CONSOLE_OK)
		goto out;
	if (!send_request(create) || !send_part(create, CONTROL_DATA_WHOLE) ||
	    !send_part(create, CONTROL_DATA_HEADERS) || !send_part(create, CONTROL_DATA_TEXT) ||
	    !send_part(create, CONTROL_DATA_HTML) || !send_rows(create))
		code = failed(create);
	else
		code = finish(create);
out:
	if (!rejects_close(&create->rejects, &error) && code == CONSOLE_OK)
		code = console_fail_error(create->console, CONSOLE_FAILED, &error);
	control_client_close(create->client);
	recipients_close(create->recipients);
	source_done(&create->source);
	buf_done(&create->batch);
	return code;
}

/* A moment, or a while from now on (where moments of the past have "so long ago"). */
static bool read_deadline(struct wanted *wanted, struct error *error)
{
	const struct slice text = slice_of(wanted->deadline);
	u64 from_now_ms;

	if (!slice_to_duration_ms(text, &from_now_ms) || from_now_ms > INT64_MAX / 2)
		return moment_parse(text, clock_wall_ms(), &wanted->deadline_ms, error);
	wanted->deadline_ms = clock_wall_ms() + from_now_ms;
	return true;
}

static int check_wanted(const struct console *console, struct wanted *wanted)
{
	struct error error;
	const char *missing = !wanted->name	    ? "name" :
			      !wanted->customer	    ? "customer" :
			      !wanted->recipients   ? "recipients" :
						      NULL;

	if (missing)
		return console_fail(
			console, CONSOLE_USAGE,
			"--%s is needed; `hikyaku campaign create --help` shows examples", missing);
	if (strlen(wanted->name) > CONTROL_NAME_MAX)
		return console_fail(console, CONSOLE_USAGE, "--name: at most %d bytes",
				    CONTROL_NAME_MAX);
	if (!source_files_are_complete(&wanted->files))
		return console_fail(console, CONSOLE_USAGE,
				    "give --template, or --headers with --text, --html or both");
	if (wanted->deadline && !read_deadline(wanted, &error))
		return console_fail(console, CONSOLE_USAGE, "--deadline: %s", error.text);
	return CONSOLE_OK;
}

int campaign_create_run(struct console *console, int argc, char **argv)
{
	struct wanted wanted = { 0 };
	struct create create = { .console = console, .wanted = &wanted };
	const struct option options[] = {
		{ "name", OPTION_TEXT, &wanted.name, "NAME", "of the campaign, for people", NULL },
		{ "customer", OPTION_TEXT, &wanted.customer, "DOMAIN",
		  "of the configuration: the domain in From", NULL },
		{ "template", OPTION_TEXT, &wanted.files.whole, "FILE",
		  "a whole message with merge fields", NULL },
		{ "headers", OPTION_TEXT, &wanted.files.headers, "FILE",
		  "or: its header fields (From, Subject, ...)", NULL },
		{ "text", OPTION_TEXT, &wanted.files.text, "FILE", "with its plain text", NULL },
		{ "html", OPTION_TEXT, &wanted.files.html, "FILE", "and/or its HTML", NULL },
		{ "recipients", OPTION_TEXT, &wanted.recipients, "FILE",
		  "CSV with a header line; - is standard input", NULL },
		{ "delimiter", OPTION_WORD, &wanted.delimiter, "WORD",
		  "auto (default), comma, semicolon or tab", delimiters },
		{ "rejects", OPTION_TEXT, &wanted.rejects, "FILE",
		  "write refused rows with their reasons there (CSV)", NULL },
		{ "charset", OPTION_WORD, &wanted.charset, "WORD",
		  "utf-8 (default) or iso-2022-jp", charsets },
		{ "encoding", OPTION_WORD, &wanted.encoding, "WORD", "auto (default) or 8bit",
		  encodings },
		{ "kind", OPTION_WORD, &wanted.kind, "WORD",
		  "bulk (default) or transactional, which goes first", kinds },
		{ "list", OPTION_TEXT, &wanted.list, "NAME",
		  "the newsletter that this is an issue of", NULL },
		{ "expire", OPTION_DURATION, &wanted.expire_ms, "TIME",
		  "give up after so long (as configured)", NULL },
		{ "deadline", OPTION_TEXT, &wanted.deadline, "TIME",
		  "nothing is sent after it: 2026-12-24T18:00, or 36h", NULL },
		{ "hold-in-doubt", OPTION_FLAG, &wanted.holds, NULL,
		  "hold messages in doubt instead of resending", NULL },
		{ "unsubscribe-url", OPTION_TEXT, &wanted.unsubscribe_url, "URL",
		  "for List-Unsubscribe, has {{_token}}", NULL },
		{ "unsubscribe-mailto", OPTION_TEXT, &wanted.unsubscribe_mailto, "ADDRESS",
		  "for List-Unsubscribe, has {{_token}}", NULL },
		{ "no-unsubscribe", OPTION_FLAG, &wanted.no_unsubscribe, NULL,
		  "mail without List-Unsubscribe (not for bulk mail)", NULL },
		{ "start", OPTION_FLAG, &wanted.starts, NULL, "begin to send at once", NULL },
		{ "override-identity", OPTION_FLAG, &wanted.is_overridden, NULL,
		  "even if neither SPF nor DKIM vouches for it", NULL },
	};
	int code;

	if (!console_arguments(console, options, array_count(options), argc, argv, 0, 0, &code))
		return code;
	code = check_wanted(console, &wanted);
	if (code == CONSOLE_OK && wanted.starts)
		code = check_identity_before_start(console, wanted.customer, wanted.is_overridden);
	return code == CONSOLE_OK ? run(&create) : code;
}
