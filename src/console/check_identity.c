/*
 * `check identity`: whether DNS says of us what receivers look for, with the record to publish for
 * what it does not.
 */
#include "base/text.h"
#include "console/command.h"
#include "console/human.h"
#include "console/identity.h"
#include "console/link.h"
#include "console/lookup.h"
#include "dns/record_text.h"
#include "dns/spf.h"

#include <stdio.h>
#include <string.h>

#define TIMEOUT_MS 5000 /* of each question; without a network there are many such waits */

enum verdict { VERDICT_PASS, VERDICT_WARN, VERDICT_FAIL };
static const char *const verdict_names[] = { "pass", "warn", "FAIL" };

struct check {
	const struct console *console;
	const struct identity *identity;
	struct lookup_dns dns;
	struct table table;
	struct buf publish; /* what to do about it, line by line */
	json_t *list;
	u32 failed;
};

/* One row. `publish` (NULL: nothing to do) is told below the table. */
static void tell(struct check *check, const char *what, enum verdict verdict, const char *found,
		 const char *publish)
{
	if (verdict == VERDICT_FAIL)
		check->failed++;
	json_array_append_new(check->list,
			      json_pack("{s:s, s:s, s:s, s:s?}", "check", what, "result",
					verdict == VERDICT_FAIL ? "fail" : verdict_names[verdict],
					"found", found, "publish", publish));
	if (check->console->json)
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

/* ---- the address ---- */

static void check_address(struct check *check, const char *address)
{
	const char *hostname = check->identity->hostname;
	char name[QUESTION_NAME_SIZE];
	char what[100];
	char found[400];
	char publish[600];
	enum question_status status = lookup_ptr(&check->dns, address, TIMEOUT_MS, name);

	snprintf(what, sizeof(what), "PTR %s", address);
	snprintf(publish, sizeof(publish), "ask your provider for the PTR %s -> %s", address,
		 hostname);
	if (status != QUESTION_OK) {
		tell(check, what, VERDICT_FAIL, question_status_text(status), publish);
	} else {
		bool is_confirmed = lookup_has_address(&check->dns, name, address, TIMEOUT_MS);
		bool is_ours = slice_equal_nocase(slice_of(name), slice_of(hostname));

		snprintf(found, sizeof(found), "%s%s%s", name,
			 is_confirmed ? "" : ", which does not have this address",
			 is_ours ? "" : ", which is not what EHLO says");
		tell(check, what,
		     !is_confirmed ? VERDICT_FAIL
		     : is_ours     ? VERDICT_PASS
				   : VERDICT_WARN,
		     found, publish);
	}
	snprintf(what, sizeof(what), "EHLO %s", address);
	snprintf(publish, sizeof(publish), "%s. IN %s %s", hostname,
		 strchr(address, ':') ? "AAAA" : "A", address);
	if (lookup_has_address(&check->dns, hostname, address, TIMEOUT_MS)) {
		snprintf(found, sizeof(found), "%s has this address", hostname);
		tell(check, what, VERDICT_PASS, found, NULL);
	} else {
		snprintf(found, sizeof(found), "%s does not have this address", hostname);
		tell(check, what, VERDICT_FAIL, found, publish);
	}
}

/* ---- the domain's records ---- */

/* The value of a tag of a record such as "k=rsa; p=MII..." with blanks taken out. */
static void take_tag(const char *record, char tag, struct buf *out)
{
	struct slice rest = slice_of(record);

	while (rest.ptr) {
		struct slice part = slice_trim(slice_split(&rest, ';'));

		if (part.len < 2 || part.ptr[0] != tag ||
		    slice_trim(slice_from(part, 1)).ptr[0] != '=')
			continue;
		part = slice_from(slice_trim(slice_from(part, 1)), 1);
		for (size_t i = 0; i < part.len; i++) {
			if (part.ptr[i] != ' ' && part.ptr[i] != '\t')
				buf_add_char(out, part.ptr[i]);
		}
		return;
	}
}

static bool same_key(const char *ours, const char *theirs)
{
	struct buf a;
	struct buf b;
	bool same;

	buf_init(&a, 8192);
	buf_init(&b, 8192);
	take_tag(ours, 'p', &a);
	take_tag(theirs, 'p', &b);
	same = a.len > 0 && slice_equal(buf_slice(&a), buf_slice(&b));
	buf_done(&a);
	buf_done(&b);
	return same;
}

/* The TXT of a name that begins with `begin` (NULL: the only one) in `out`. */
static enum question_status find_txt(struct check *check, const char *name, const char *begin,
				     struct buf *out)
{
	struct question_answer answer;
	enum question_status status;

	question_ask(check->dns.asker, name, RECORD_TXT, TIMEOUT_MS, &answer);
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

static void check_key(struct check *check, const struct identity_key *key)
{
	char what[360];
	struct buf theirs;
	struct buf publish;
	enum question_status status;

	buf_init(&theirs, 16384);
	buf_init(&publish, 16384);
	snprintf(what, sizeof(what), "DKIM %.*s", (int)strcspn(key->name, "."), key->name);
	buf_add_format(&publish, "%s. IN TXT ", key->name);
	records_strings(&publish, slice_of(key->record));
	status = find_txt(check, key->name, NULL, &theirs);
	if (status != QUESTION_OK)
		tell(check, what, VERDICT_FAIL, question_status_text(status), buf_text(&publish));
	else if (!same_key(key->record, buf_text(&theirs)))
		tell(check, what, VERDICT_FAIL, "another key is published", buf_text(&publish));
	else
		tell(check, what, VERDICT_PASS, "published, the key that signs", NULL);
	buf_done(&theirs);
	buf_done(&publish);
}

static void ask(void *arg, const char *name, u16 type, struct question_answer *answer)
{
	const struct check *check = arg;

	question_ask(check->dns.asker, name, type, TIMEOUT_MS, answer);
}

/* Bounces come back to the domain, so it is that of the envelope sender. */
static void check_spf(struct check *check, const char *address)
{
	const struct records *records = &check->identity->records;
	struct spf spf = { .ask = ask,
			   .arg = check,
			   .sender = records->domain,
			   .helo = records->hostname };
	enum spf_result result;
	struct buf publish;
	char what[100];
	char found[440];

	if (!net_address_parse(&spf.address, slice_of(address), false))
		return;
	result = spf_evaluate(&spf);
	buf_init(&publish, 16384);
	if (result == SPF_NONE) {
		struct buf value;

		buf_init(&value, 8192);
		records_spf(records, &value);
		buf_add_format(&publish, "%s. IN TXT ", records->domain);
		records_strings(&publish, buf_slice(&value));
		buf_done(&value);
	} else {
		buf_add_format(&publish, "put %s:%s into the SPF record of %s, before its \"all\"",
			       spf.address.family == 6 ? "ip6" : "ip4", address, records->domain);
	}
	snprintf(what, sizeof(what), "SPF %s", address);
	snprintf(found, sizeof(found), "%s%s%s", spf_result_name(result), spf.why[0] ? ", " : "",
		 spf.why);
	tell(check, what, result == SPF_PASS ? VERDICT_PASS : VERDICT_FAIL, found,
	     buf_text(&publish));
	buf_done(&publish);
}

/* At the domain, or at one above it: receivers look at the organisation's domain as well. */
static void check_dmarc(struct check *check)
{
	const char *domain = check->identity->domain;
	const char *at = domain;
	enum question_status status = QUESTION_NO_DATA;
	char name[QUESTION_NAME_SIZE + 8];
	char found[700];
	char publish[700];
	struct buf record;
	struct buf policy;

	buf_init(&record, 8192);
	buf_init(&policy, 1024);
	while (strchr(at, '.')) {
		snprintf(name, sizeof(name), "_dmarc.%.250s", at);
		status = find_txt(check, name, "v=DMARC1", &record);
		if (status != QUESTION_NO_DATA && status != QUESTION_NO_DOMAIN)
			break;
		at = strchr(at, '.') + 1;
	}
	records_dmarc(&check->identity->records, &policy);
	snprintf(publish, sizeof(publish), "_dmarc.%.250s. IN TXT \"%.300s\"", domain,
		 buf_text(&policy));
	buf_reset(&policy);
	take_tag(buf_text(&record), 'p', &policy);
	if (status == QUESTION_OK && policy.len > 0) {
		snprintf(found, sizeof(found), "p=%.32s, of %.250s; SPF and DKIM are of %s itself",
			 buf_text(&policy), at, domain);
		tell(check, "DMARC", VERDICT_PASS, found, NULL);
	} else {
		tell(check, "DMARC", VERDICT_FAIL,
		     status == QUESTION_OK ? "the record has no policy (p=)"
					   : question_status_text(status),
		     publish);
	}
	buf_done(&record);
	buf_done(&policy);
}

static void check_mx(struct check *check)
{
	const struct identity *identity = check->identity;
	struct question_answer answer;
	char publish[600];
	char found[100];

	question_ask(check->dns.asker, identity->domain, RECORD_MX, TIMEOUT_MS, &answer);
	snprintf(publish, sizeof(publish), "%s. IN MX 10 %s.", identity->domain,
		 identity->hostname);
	if (answer.status == QUESTION_OK) {
		snprintf(found, sizeof(found), "%zu host%s for replies and bounces", answer.count,
			 answer.count == 1 ? "" : "s");
		tell(check, "MX", VERDICT_PASS, found, NULL);
	} else {
		tell(check, "MX", VERDICT_WARN, question_status_text(answer.status), publish);
	}
	question_answer_done(&answer);
}

/* ---- the whole ---- */

static void check_all(struct check *check)
{
	const struct records *records = &check->identity->records;

	for (size_t i = 0; i < records->address_count; i++)
		check_address(check, records->addresses[i]);
	for (size_t i = 0; i < records->address_count; i++)
		check_spf(check, records->addresses[i]);
	if (records->address_count == 0)
		tell(check, "address", VERDICT_FAIL, "no address is known to send from", NULL);
	for (size_t i = 0; i < check->identity->key_count; i++)
		check_key(check, &check->identity->keys[i]);
	if (check->identity->key_count == 0)
		tell(check, "DKIM", VERDICT_FAIL, "no key can be read", NULL);
	check_dmarc(check);
	check_mx(check);
}

static void finish(struct check *check)
{
	json_t *json;

	if (check->console->json) {
		json = json_pack("{s:s, s:b, s:O}", "domain", check->identity->domain, "ok",
				 check->failed == 0, "checks", check->list);
		link_print_json(json);
		json_decref(json);
	}
	table_done(&check->table);
	if (check->publish.len > 0)
		printf("\nTo publish:\n%s", buf_text(&check->publish));
}

int check_identity_run(struct console *console, int argc, char **argv)
{
	static const char *const titles[] = { "", "of", "found" };
	struct check check = { .console = console };
	struct identity identity;
	struct error error;
	int code;

	if (!identity_of_arguments(console, argc, argv, &identity, &code))
		return code;
	check.identity = &identity;
	if (!lookup_open(console, &check.dns, &error)) {
		identity_done(&identity);
		return console_fail_error(console, CONSOLE_FAILED, &error);
	}
	check.list = json_array();
	buf_init(&check.publish, 256u << 10);
	table_init(&check.table, stdout, titles, array_count(titles), 0);
	for (size_t i = 0; i < identity.records.address_count; i++)
		check.table.widths[1] = max_u64(check.table.widths[1],
						strlen("EHLO ") +
							strlen(identity.records.addresses[i]));
	if (!console->json)
		printf("identity of %s, as %s\n\n", identity.domain, identity.hostname);
	check_all(&check);
	finish(&check);
	json_decref(check.list);
	buf_done(&check.publish);
	lookup_close(&check.dns);
	identity_done(&identity);
	return check.failed == 0 ? CONSOLE_OK : CONSOLE_FAILED;
}
