#include "delivery/identity_check.h"

#include "base/clock.h"
#include "base/text.h"
#include "dkim/record.h"
#include "dns/dmarc.h"
#include "dns/record_text.h"
#include "dns/spf.h"
#include "dns/spf_record.h"

#include <stdio.h>
#include <string.h>

#define FOUND_SIZE 480

/* ---- SPF ---- */

/* `sender` NULL: the EHLO name is what is checked. */
static enum spf_result evaluate(struct identity_check *check, const char *address,
				const char *sender, char found[FOUND_SIZE])
{
	struct spf spf = { .ask = check->ask,
			   .arg = check->ask_arg,
			   .sender = sender,
			   .helo = check->records->hostname,
			   .now_s = clock_wall_ms() / 1000 };
	enum spf_result result = SPF_NONE;

	/* Addresses come from the configuration, or from the kernel. */
	if (net_address_parse(&spf.address, slice_of(address), false))
		result = spf_evaluate(&spf);
	snprintf(found, FOUND_SIZE, "%s%s%s", spf_result_name(result), spf.why[0] ? ", " : "",
		 spf.why);
	return result;
}

/*
 * The record to publish: what is there, if it can be read, with our addresses in front, where no
 * limit comes before them; else one of our own.
 */
static void propose_spf(struct identity_check *check, const bool *is_missing, struct buf *out)
{
	const struct records *records = check->records;
	struct spf spf = { .ask = check->ask, .arg = check->ask_arg };
	char current[SPF_RECORD_MAX];
	enum spf_result result = spf_read(&spf, records->domain, current);
	struct slice culprit;
	const char *wrong;
	struct buf value;

	buf_init(&value, 2 * SPF_RECORD_MAX);
	if (result == SPF_PASS && spf_record_check(slice_of(current), &culprit, &wrong)) {
		buf_add_text(&value, "v=spf1");
		for (size_t i = 0; i < records->address_count; i++) {
			const char *address = records->addresses[i];

			if (is_missing[i])
				buf_add_format(&value, " %s:%s",
					       strchr(address, ':') ? "ip6" : "ip4", address);
		}
		buf_add_slice(&value, slice_from(slice_of(current), 6));
	} else {
		records_spf(records, &value);
	}
	records_txt(out, records->domain, buf_slice(&value));
	if (result == SPF_PASS || result == SPF_PERMERROR)
		buf_add_text(out, "\n  instead of what is there: a domain has one such record");
	buf_done(&value);
}

/* Section 2.3 of RFC 7208: the EHLO name is what bounces are judged by, which have no sender. */
void identity_check_ehlo(struct identity_check *check)
{
	const struct records *records = check->records;
	char found[FOUND_SIZE];
	enum spf_result result;
	struct buf publish;

	if (records->address_count == 0)
		return;
	result = evaluate(check, records->addresses[0], NULL, found);
	buf_init(&publish, 1024);
	records_txt(&publish, records->hostname, SLICE("v=spf1 a -all"));
	identity_tell(check, "SPF EHLO",
		      result == SPF_PASS   ? IDENTITY_PASS
		      : result == SPF_NONE ? IDENTITY_INFO
					   : IDENTITY_WARN,
		      found, result == SPF_TEMPERROR ? NULL : buf_text(&publish));
	buf_done(&publish);
}

/* Bounces come back to the domain, so it is that of the envelope sender. */
void identity_check_spf(struct identity_check *check)
{
	const struct records *records = check->records;
	enum spf_result results[IDENTITY_ADDRESSES_MAX];
	bool is_missing[IDENTITY_ADDRESSES_MAX] = { false };
	char found[IDENTITY_ADDRESSES_MAX][FOUND_SIZE];
	struct buf publish;

	check->is_spf_passed = records->address_count > 0;
	for (size_t i = 0; i < records->address_count; i++) {
		results[i] = evaluate(check, records->addresses[i], records->domain, found[i]);
		is_missing[i] = results[i] != SPF_PASS;
		check->is_spf_passed &= !is_missing[i];
	}
	buf_init(&publish, 32768);
	if (!check->is_spf_passed && records->address_count > 0)
		propose_spf(check, is_missing, &publish);
	for (size_t i = 0; i < records->address_count; i++) {
		bool is_record = is_missing[i] && results[i] != SPF_TEMPERROR;
		char what[100];

		snprintf(what, sizeof(what), "SPF %s", records->addresses[i]);
		identity_tell(check, what, is_missing[i] ? IDENTITY_FAIL : IDENTITY_PASS, found[i],
			      is_record ? buf_text(&publish) : NULL);
	}
	buf_done(&publish);
}

/* ---- DKIM ---- */

void identity_check_key(struct identity_check *check, size_t index)
{
	const struct identity_key *key = &check->keys[index];
	const char *fault;
	char what[360];
	struct buf theirs;
	struct buf publish;
	enum question_status status;

	buf_init(&theirs, 16384);
	buf_init(&publish, 16384);
	snprintf(what, sizeof(what), "DKIM %.*s", (int)strcspn(key->name, "."), key->name);
	records_txt(&publish, key->name, slice_of(key->record));
	status = identity_find_txt(check, key->name, NULL, &theirs);
	fault = status == QUESTION_OK ? dkim_record_fault(slice_of(key->record), buf_slice(&theirs))
				      : question_status_text(status);
	check->is_key_published[index] = !fault;
	if (fault)
		identity_tell(check, what, IDENTITY_FAIL, fault, buf_text(&publish));
	else if (dkim_record_is_on_trial(buf_slice(&theirs)))
		identity_tell(check, what, IDENTITY_WARN,
			      "published, but only on trial (t=y): take that off",
			      buf_text(&publish));
	else
		identity_tell(check, what, IDENTITY_PASS, "published, the key that signs", NULL);
	buf_done(&theirs);
	buf_done(&publish);
}

/* ---- DMARC ---- */

static void tell_policy(struct identity_check *check, const struct dmarc_answer *answer)
{
	char found[800];
	char publish[600];
	struct buf policy;
	const char *text = "no such record";

	buf_init(&policy, 1024);
	records_dmarc(check->records, &policy);
	snprintf(publish, sizeof(publish), "_dmarc.%.250s. IN TXT \"%.300s\"",
		 answer->status == DMARC_BROKEN || answer->status == DMARC_SEVERAL
			 ? answer->at
			 : check->records->domain,
		 buf_text(&policy));
	buf_done(&policy);
	if (answer->status == DMARC_FOUND) {
		const struct dmarc_record *record = &answer->record;
		struct slice ignored = slice_first(record->ignored, 100);

		snprintf(found, sizeof(found), "p=%s, of %s; alignment of DKIM %s, of SPF %s%s%.*s",
			 dmarc_policy_name(answer->policy), answer->at,
			 record->is_dkim_strict ? "strict" : "relaxed",
			 record->is_spf_strict ? "strict" : "relaxed",
			 ignored.len > 0 ? "; receivers ignore " : "", (int)ignored.len,
			 ignored.len > 0 ? ignored.ptr : "");
		identity_tell(check, "DMARC", ignored.len > 0 ? IDENTITY_WARN : IDENTITY_PASS,
			      found, NULL);
		return;
	}
	if (answer->status == DMARC_SEVERAL)
		text = "there is more than one record: receivers take none";
	else if (answer->status == DMARC_BROKEN)
		text = answer->wrong;
	else if (answer->status == DMARC_TEMPERROR)
		text = "no answer";
	identity_tell(check, "DMARC", IDENTITY_FAIL, text,
		      answer->status == DMARC_TEMPERROR ? NULL : publish);
}

/* The domain that a key signs for (d=): behind SELECTOR._domainkey. */
static const char *key_domain(const struct identity_key *key)
{
	const char *at = strstr(key->name, "._domainkey.");

	return at ? at + strlen("._domainkey.") : "";
}

/* From is the customer's domain, as are the envelope sender and d=. */
void identity_check_dmarc(struct identity_check *check)
{
	const char *domain = check->records->domain;
	struct dmarc_answer answer;
	bool has_spf;
	bool has_dkim = false;

	dmarc_find(check->ask, check->ask_arg, domain, &answer);
	tell_policy(check, &answer);
	has_spf = check->is_spf_passed &&
		  dmarc_is_aligned(domain, domain, answer.record.is_spf_strict);
	for (size_t i = 0; i < check->key_count; i++)
		has_dkim |= check->is_key_published[i] &&
			    dmarc_is_aligned(domain, key_domain(&check->keys[i]),
					     answer.record.is_dkim_strict);
	check->is_aligned = has_spf || has_dkim;
	identity_tell(check, "alignment", check->is_aligned ? IDENTITY_PASS : IDENTITY_FAIL,
		      has_spf && has_dkim ? "DKIM and SPF both vouch for the domain"
		      : has_dkim          ? "DKIM vouches for the domain"
		      : has_spf           ? "SPF vouches for the domain"
					  : "neither SPF nor DKIM vouches for the domain",
		      "the records of SPF or DKIM above");
}

/* ---- mail for the domain ---- */

static bool has_address(struct identity_check *check, const char *name)
{
	static const u16 types[] = { RECORD_A, RECORD_AAAA };
	bool has = false;

	for (size_t i = 0; i < array_count(types) && !has; i++) {
		struct question_answer answer;

		identity_ask(check, name, types[i], &answer);
		has = answer.count > 0;
		question_answer_done(&answer);
	}
	return has;
}

/* A null MX (RFC 7505 section 3): one record, whose host is the root. */
static bool is_null(const struct question_answer *answer)
{
	return answer->count == 1 && answer->records[0].len == 3 &&
	       answer->records[0].bytes[2] == 0;
}

/* Bounces come to the envelope sender's domain; receivers refuse one that takes none. */
void identity_check_mx(struct identity_check *check)
{
	const struct records *records = check->records;
	struct question_answer answer;
	char publish[600];
	char found[100];

	identity_ask(check, records->domain, RECORD_MX, &answer);
	snprintf(publish, sizeof(publish), "%s. IN MX 10 %s.", records->domain, records->hostname);
	if (is_null(&answer)) {
		identity_tell(check, "MX", IDENTITY_FAIL, "the domain says that it takes no mail",
			      publish);
	} else if (answer.status == QUESTION_OK) {
		snprintf(found, sizeof(found), "%zu host%s for replies and bounces", answer.count,
			 answer.count == 1 ? "" : "s");
		identity_tell(check, "MX", IDENTITY_PASS, found, NULL);
	} else if (answer.status >= QUESTION_FAILED) {
		identity_tell(check, "MX", IDENTITY_FAIL, question_status_text(answer.status),
			      NULL);
	} else if (has_address(check, records->domain)) {
		identity_tell(check, "MX", IDENTITY_WARN,
			      "no such record: replies and bounces go to the domain's own address",
			      publish);
	} else {
		identity_tell(check, "MX", IDENTITY_FAIL,
			      "neither such a record nor an address: bounces go nowhere", publish);
	}
	question_answer_done(&answer);
}

void identity_check_mta_sts(struct identity_check *check)
{
	char name[QUESTION_NAME_SIZE + 16];
	struct buf text;
	enum question_status status;

	buf_init(&text, 4096);
	snprintf(name, sizeof(name), "_mta-sts.%s", check->records->domain);
	status = identity_find_txt(check, name, "v=STSv1", &text);
	identity_tell(check, "MTA-STS", status == QUESTION_OK ? IDENTITY_PASS : IDENTITY_INFO,
		      status == QUESTION_OK ? "published, for mail that comes to the domain"
					    : "not published; it is about mail that comes in",
		      NULL);
	buf_done(&text);
}
