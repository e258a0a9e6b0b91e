/*
 * `check identity`: whether DNS says of us what receivers look for, with the record to publish for
 * what it does not.
 */
#include "console/check_identity.h"

#include "base/text.h"
#include "console/audit.h"
#include "console/command.h"
#include "console/human.h"
#include "console/identity.h"
#include "console/link.h"
#include "console/lookup.h"

#include <jansson.h>
#include <stdio.h>
#include <string.h>

struct check {
	struct identity_check base;
	const struct console *console;
	bool is_quiet; /* nothing is printed */
	const struct identity *identity;
	struct lookup_dns dns;
	struct question_within within;
	struct table table;
	struct buf publish; /* what to do about it, line by line */
	struct buf last;    /* the last of it: rows that one record mends follow each other */
	json_t *list;
};

static void print_row(struct check *check, const struct identity_row *row, struct slice publish)
{
	const char *result = identity_verdict_name(row->verdict);

	table_text(&check->table, slice_of(row->verdict == IDENTITY_FAIL ? "FAIL" : result));
	table_text(&check->table, slice_of(row->what));
	table_text(&check->table, slice_of(row->found));
	/* Row by row: a question may take its time. */
	table_flush(&check->table);
	fflush(stdout);
	if (publish.len == 0 || slice_equal(buf_slice(&check->last), publish))
		return;
	buf_add_format(&check->publish, "%s:\n  %.*s\n", row->what, SLICE_FMT(publish));
	buf_reset(&check->last);
	buf_add_slice(&check->last, publish);
}

static void tell(void *arg, const struct identity_row *row)
{
	struct check *check = arg;
	struct buf publish;

	buf_init(&publish, 64u << 10);
	identity_add_publish(row, &publish);
	json_array_append_new(check->list,
			      json_pack("{s:s, s:s, s:s, s:s, s:s?}", "check", row->what, "result",
					identity_verdict_name(row->verdict), "code", row->code,
					"found", row->found, "publish",
					publish.len > 0 ? buf_text(&publish) : NULL));
	if (!check->console->json && !check->is_quiet)
		print_row(check, row, buf_slice(&publish));
	buf_done(&publish);
}

/* ---- the whole ---- */

static void finish(struct check *check)
{
	json_t *json;

	if (check->console->json) {
		json = json_pack("{s:s, s:b, s:b, s:O}", "domain", check->identity->domain, "ok",
				 check->base.failed == 0, "aligned", check->base.is_aligned,
				 "checks", check->list);
		link_print_json(json);
		json_decref(json);
	}
	if (check->publish.len > 0)
		printf("\nTo publish:\n%s", buf_text(&check->publish));
}

/* False: the operator has been told, and the identity is done with. */
static bool begin(struct check *check, const struct console *console, struct identity *identity)
{
	static const char *const titles[] = { "", "of", "found" };
	struct error error;

	*check = (struct check){ .console = console, .identity = identity };
	if (!lookup_open(console, &check->dns, &error)) {
		identity_done(identity);
		(void)console_fail_error(console, CONSOLE_FAILED, &error);
		return false;
	}
	check->within = (struct question_within){ check->dns.asker, IDENTITY_TIMEOUT_MS };
	check->base = (struct identity_check){ .records = &identity->records,
					       .keys = identity->keys,
					       .key_count = identity->key_count,
					       .block_lists = &check->dns.config.dns.block_lists,
					       .ask = question_ask_within,
					       .ask_arg = &check->within,
					       .tell = tell,
					       .tell_arg = check };
	check->list = json_array();
	buf_init(&check->publish, 256u << 10);
	buf_init(&check->last, 64u << 10);
	table_init(&check->table, stdout, titles, array_count(titles), 0);
	for (size_t i = 0; i < identity->records.address_count; i++)
		check->table.widths[1] =
			max_u64(check->table.widths[1],
				strlen("EHLO ") + strlen(identity->records.addresses[i]));
	return true;
}

static void end(struct check *check, struct identity *identity)
{
	json_decref(check->list);
	table_done(&check->table);
	buf_done(&check->publish);
	buf_done(&check->last);
	lookup_close(&check->dns);
	identity_done(identity);
}

int check_identity_run(struct console *console, int argc, char **argv)
{
	struct check check;
	struct identity identity;
	int code;

	if (!identity_of_arguments(console, argc, argv, &identity, &code))
		return code;
	if (!begin(&check, console, &identity))
		return CONSOLE_FAILED;
	if (!console->json)
		printf("identity of %s, as %s\n\n", identity.domain, identity.hostname);
	identity_check_all(&check.base);
	finish(&check);
	link_tell_init(json_pack("{s:s, s:s, s:b, s:i}", "command", "identity.note", "domain",
				 identity.domain, "aligned", check.base.is_aligned, "failed",
				 (int)check.base.failed));
	end(&check, &identity);
	return check.base.failed == 0 ? CONSOLE_OK : CONSOLE_FAILED;
}

/* ---- before a campaign starts ---- */

/* What failed, in one line. */
static void add_failures(const struct check *check, struct buf *out)
{
	for (size_t i = 0; i < json_array_size(check->list); i++) {
		const json_t *row = json_array_get(check->list, i);

		if (!slice_equal(answer_text(row, "result"), SLICE("fail")))
			continue;
		buf_add_format(out, "%s%.*s: ", out->len > 0 ? "; " : "",
			       SLICE_FMT(answer_text(row, "check")));
		human_text(out, answer_text(row, "found"));
	}
}

int check_identity_before_start(const struct console *console, const char *domain,
				bool is_overridden)
{
	struct identity identity;
	struct error error;
	struct check check;
	struct buf why;
	struct buf note;
	int code = CONSOLE_OK;

	if (!link_has_init())
		return CONSOLE_OK;
	if (!identity_read(console, domain, &identity, &error))
		return console_fail_error(console, CONSOLE_FAILED, &error);
	if (!begin(&check, console, &identity))
		return CONSOLE_FAILED;
	check.is_quiet = true;
	identity_check_alignment(&check.base);
	buf_init(&why, 64u << 10);
	buf_init(&note, 64u << 10);
	add_failures(&check, &why);
	buf_add_format(&note, "a campaign of %s starts although its mail would not align: %s",
		       domain, buf_text(&why));
	if (!check.base.is_aligned && is_overridden)
		audit_note(buf_text(&note));
	else if (!check.base.is_aligned)
		code = console_fail(console, CONSOLE_FAILED,
				    "mail of %s would not align, and receivers refuse it: %s. "
				    "`check identity` tells what to publish; "
				    "--override-identity starts it all the same",
				    domain, buf_text(&why));
	buf_done(&note);
	buf_done(&why);
	end(&check, &identity);
	return code;
}
