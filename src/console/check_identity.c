/*
 * `check identity`: whether DNS says of us what receivers look for, with the record to publish for
 * what it does not.
 */
#include "console/check_identity.h"

#include "base/text.h"
#include "console/audit.h"
#include "console/command.h"
#include "console/link.h"
#include "dns/record_text.h"

#include <stdio.h>
#include <string.h>

static const char *const verdict_names[] = { "pass", "info", "warn", "FAIL" };

void check_tell(struct check *check, const char *what, enum verdict verdict, const char *found,
		const char *publish)
{
	if (verdict == VERDICT_FAIL)
		check->failed++;
	json_array_append_new(check->list,
			      json_pack("{s:s, s:s, s:s, s:s?}", "check", what, "result",
					verdict == VERDICT_FAIL ? "fail" : verdict_names[verdict],
					"found", found, "publish",
					verdict == VERDICT_PASS ? NULL : publish));
	if (check->console->json || check->is_quiet)
		return;
	table_text(&check->table, slice_of(verdict_names[verdict]));
	table_text(&check->table, slice_of(what));
	table_text(&check->table, slice_of(found));
	/* Row by row: a question may take its time. */
	table_flush(&check->table);
	fflush(stdout);
	if (verdict != VERDICT_PASS && publish)
		buf_add_format(&check->publish, "%s:\n  %s\n", what, publish);
}

/* ---- DNS ---- */

void check_ask(void *arg, const char *name, u16 type, struct question_answer *answer)
{
	const struct check *check = arg;

	question_ask(check->dns.asker, name, type, CHECK_TIMEOUT_MS, answer);
}

enum question_status check_find_txt(struct check *check, const char *name, const char *begin,
				    struct buf *out)
{
	struct question_answer answer;
	enum question_status status;

	check_ask(check, name, RECORD_TXT, &answer);
	status = answer.status == QUESTION_OK ? QUESTION_NO_DATA : answer.status;
	for (size_t i = 0; i < answer.count && status != QUESTION_OK; i++) {
		buf_reset(out);
		if (record_txt_value(out, answer.records[i].bytes, answer.records[i].len) &&
		    (!begin || slice_has_prefix_nocase(buf_slice(out), slice_of(begin))))
			status = QUESTION_OK;
	}
	if (status != QUESTION_OK)
		buf_reset(out);
	question_answer_done(&answer);
	return status;
}

void check_publish_txt(struct buf *out, const char *name, struct slice value)
{
	buf_add_format(out, "%s. IN TXT ", name);
	records_strings(out, value);
}

/* ---- the whole ---- */

/* What decides whether the domain is vouched for. */
static void check_alignment(struct check *check)
{
	check_domain_spf(check);
	for (size_t i = 0; i < check->identity->key_count; i++)
		check_domain_key(check, i);
	if (check->identity->key_count == 0)
		check_tell(check, "DKIM", VERDICT_FAIL, "no key can be read", NULL);
	check_domain_dmarc(check);
}

static void check_all(struct check *check)
{
	const struct records *records = &check->identity->records;

	for (size_t i = 0; i < records->address_count; i++)
		check_host_address(check, records->addresses[i]);
	if (records->address_count == 0)
		check_tell(check, "address", VERDICT_FAIL, "no address is known to send from",
			   NULL);
	check_alignment(check);
	check_domain_ehlo(check);
	check_domain_mx(check);
	check_domain_mta_sts(check);
	check_host_block_lists(check);
}

static void finish(struct check *check)
{
	json_t *json;

	if (check->console->json) {
		json = json_pack("{s:s, s:b, s:b, s:O}", "domain", check->identity->domain, "ok",
				 check->failed == 0, "aligned", check->is_aligned, "checks",
				 check->list);
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
	check->list = json_array();
	buf_init(&check->publish, 256u << 10);
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
	check_all(&check);
	finish(&check);
	link_tell_init(json_pack("{s:s, s:s, s:b, s:i}", "command", "identity.note", "domain",
				 identity.domain, "aligned", check.is_aligned, "failed",
				 (int)check.failed));
	end(&check, &identity);
	return check.failed == 0 ? CONSOLE_OK : CONSOLE_FAILED;
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
	check_alignment(&check);
	buf_init(&why, 64u << 10);
	buf_init(&note, 64u << 10);
	add_failures(&check, &why);
	buf_add_format(&note, "a campaign of %s starts although its mail would not align: %s",
		       domain, buf_text(&why));
	if (!check.is_aligned && is_overridden)
		audit_note(buf_text(&note));
	else if (!check.is_aligned)
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
