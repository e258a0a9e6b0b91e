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

struct evaluation {
	enum spf_result result;
	enum spf_reason reason;
	char term[SPF_TERM_SIZE];
	char in[QUESTION_NAME_SIZE];
	char found[FOUND_SIZE];
};

/* `sender` NULL: the EHLO name is what is checked. */
static void evaluate(struct identity_check *check, const char *address, const char *sender,
		     struct evaluation *evaluation)
{
	struct spf spf = { .ask = check->ask,
			   .arg = check->ask_arg,
			   .sender = sender,
			   .helo = check->records->hostname,
			   .now_s = clock_wall_ms() / 1000 };

	*evaluation = (struct evaluation){ .result = SPF_NONE };
	/* Addresses come from the configuration, or from the kernel. */
	if (net_address_parse(&spf.address, slice_of(address), false))
		evaluation->result = spf_evaluate(&spf);
	evaluation->reason = spf.reason;
	slice_copy(evaluation->term, sizeof(evaluation->term), slice_of(spf.term));
	slice_copy(evaluation->in, sizeof(evaluation->in), slice_of(spf.in));
	snprintf(evaluation->found, FOUND_SIZE, "%s%s%s", spf_result_name(evaluation->result),
		 spf.why[0] ? ", " : "", spf.why);
}

static struct identity_row spf_row(const char *what, enum identity_verdict verdict,
				   const struct evaluation *evaluation)
{
	return (struct identity_row){ .what = what,
				      .verdict = verdict,
				      .code = identity_finding_name((enum identity_finding)(
					      IDENTITY_SPF_PASS + evaluation->result)),
				      .reason = spf_reason_name(evaluation->reason),
				      .details = { evaluation->term, evaluation->in },
				      .found = evaluation->found };
}

/*
 * The record to publish: what is there, if it can be read, with our addresses in front, where no
 * limit comes before them; else one of our own.
 */
static enum identity_advice propose_spf(struct identity_check *check, const bool *is_missing,
					struct buf *out)
{
	const struct records *records = check->records;
	struct spf spf = { .ask = check->ask, .arg = check->ask_arg };
	char current[SPF_RECORD_MAX];
	enum spf_result result = spf_read(&spf, records->domain, current);
	struct slice culprit;
	enum spf_reason wrong;
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
	buf_done(&value);
	return result == SPF_PASS || result == SPF_PERMERROR ? IDENTITY_ADVICE_REPLACE
							     : IDENTITY_ADVICE_NONE;
}

/* Section 2.3 of RFC 7208: the EHLO name is what bounces are judged by, which have no sender. */
void identity_check_ehlo(struct identity_check *check)
{
	const struct records *records = check->records;
	struct evaluation evaluation;
	struct identity_row row;
	struct buf record;

	if (records->address_count == 0)
		return;
	evaluate(check, records->addresses[0], NULL, &evaluation);
	row = spf_row("SPF EHLO",
		      evaluation.result == SPF_PASS   ? IDENTITY_PASS
		      : evaluation.result == SPF_NONE ? IDENTITY_INFO
						      : IDENTITY_WARN,
		      &evaluation);
	buf_init(&record, 1024);
	records_txt(&record, records->hostname, SLICE("v=spf1 a -all"));
	row.record = evaluation.result == SPF_TEMPERROR ? NULL : buf_text(&record);
	identity_tell(check, &row);
	buf_done(&record);
}

/* Bounces come back to the domain, so it is that of the envelope sender. */
void identity_check_spf(struct identity_check *check)
{
	const struct records *records = check->records;
	struct evaluation evaluations[IDENTITY_ADDRESSES_MAX];
	bool is_missing[IDENTITY_ADDRESSES_MAX] = { false };
	enum identity_advice advice = IDENTITY_ADVICE_NONE;
	struct buf record;

	check->is_spf_passed = records->address_count > 0;
	for (size_t i = 0; i < records->address_count; i++) {
		evaluate(check, records->addresses[i], records->domain, &evaluations[i]);
		is_missing[i] = evaluations[i].result != SPF_PASS;
		check->is_spf_passed &= !is_missing[i];
	}
	buf_init(&record, 32768);
	if (!check->is_spf_passed && records->address_count > 0)
		advice = propose_spf(check, is_missing, &record);
	for (size_t i = 0; i < records->address_count; i++) {
		char what[100];
		struct identity_row row = spf_row(
			what, is_missing[i] ? IDENTITY_FAIL : IDENTITY_PASS, &evaluations[i]);

		snprintf(what, sizeof(what), "SPF %s", records->addresses[i]);
		if (is_missing[i] && evaluations[i].result != SPF_TEMPERROR) {
			row.record = buf_text(&record);
			row.advice = advice;
			row.advice_text = "instead of what is there: a domain has one such record";
		}
		identity_tell(check, &row);
	}
	buf_done(&record);
}

/* ---- DKIM ---- */

/* What verifiers make of the key's record: code, sentence and verdict. */
static void judge_key(const struct identity_key *key, enum question_status status,
		      struct slice theirs, struct identity_row *row)
{
	enum dkim_fault fault = status == QUESTION_OK
					? dkim_record_fault(slice_of(key->record), theirs)
					: DKIM_FAULT_NONE;

	row->verdict = IDENTITY_FAIL;
	if (status != QUESTION_OK) {
		row->code = identity_finding_name(identity_finding_of(status));
		row->found = question_status_text(status);
	} else if (fault != DKIM_FAULT_NONE) {
		row->code = dkim_fault_name(fault);
		row->found = dkim_fault_text(fault);
	} else if (dkim_record_is_on_trial(theirs)) {
		row->verdict = IDENTITY_WARN;
		row->code = identity_finding_name(IDENTITY_KEY_ON_TRIAL);
		row->found = "published, but only on trial (t=y): take that off";
	} else {
		row->verdict = IDENTITY_PASS;
		row->code = identity_finding_name(IDENTITY_KEY);
		row->found = "published, the key that signs";
	}
}

void identity_check_key(struct identity_check *check, size_t index)
{
	const struct identity_key *key = &check->keys[index];
	char what[360];
	struct buf theirs;
	struct buf record;
	struct identity_row row = { .what = what };
	enum question_status status;

	buf_init(&theirs, 16384);
	buf_init(&record, 16384);
	snprintf(what, sizeof(what), "DKIM %.*s", (int)strcspn(key->name, "."), key->name);
	records_txt(&record, key->name, slice_of(key->record));
	row.record = buf_text(&record);
	status = identity_find_txt(check, key->name, NULL, &theirs);
	judge_key(key, status, buf_slice(&theirs), &row);
	check->is_key_published[index] = row.verdict != IDENTITY_FAIL;
	identity_tell(check, &row);
	buf_done(&theirs);
	buf_done(&record);
}

/* ---- DMARC ---- */

static const char *mode_name(bool is_strict)
{
	return is_strict ? "strict" : "relaxed";
}

static void tell_found_policy(struct identity_check *check, const struct dmarc_answer *answer)
{
	const struct dmarc_record *record = &answer->record;
	const char *policy = dmarc_policy_name(answer->policy);
	const char *dkim = mode_name(record->is_dkim_strict);
	const char *spf = mode_name(record->is_spf_strict);
	bool is_whole = record->ignored.len == 0;
	char ignored[101];
	char found[800];

	slice_copy(ignored, sizeof(ignored), slice_first(record->ignored, sizeof(ignored) - 1));
	snprintf(found, sizeof(found), "p=%s, of %s; alignment of DKIM %s, of SPF %s%s%s", policy,
		 answer->at, dkim, spf, is_whole ? "" : "; receivers ignore ", ignored);
	identity_tell(check, &(struct identity_row){
				     .what = "DMARC",
				     .verdict = is_whole ? IDENTITY_PASS : IDENTITY_WARN,
				     .code = identity_finding_name(
					     is_whole ? IDENTITY_DMARC : IDENTITY_DMARC_IGNORED),
				     .details = { policy, answer->at, dkim, spf, ignored },
				     .found = found });
}

/* Why there is no policy. */
static void judge_policy(const struct dmarc_answer *answer, struct identity_row *row)
{
	enum identity_finding finding = IDENTITY_DMARC_NONE;

	row->found = "no such record";
	if (answer->status == DMARC_SEVERAL) {
		finding = IDENTITY_DMARC_SEVERAL;
		row->found = "there is more than one record: receivers take none";
	} else if (answer->status == DMARC_TEMPERROR) {
		finding = IDENTITY_DMARC_SILENT;
		row->found = "no answer";
	}
	row->code = identity_finding_name(finding);
	if (answer->status == DMARC_BROKEN) {
		row->code = dmarc_fault_name(answer->fault);
		row->found = dmarc_fault_text(answer->fault);
	}
}

static void tell_policy(struct identity_check *check, const struct dmarc_answer *answer)
{
	struct identity_row row = { .what = "DMARC", .verdict = IDENTITY_FAIL };
	char line[600];
	struct buf policy;

	if (answer->status == DMARC_FOUND) {
		tell_found_policy(check, answer);
		return;
	}
	buf_init(&policy, 1024);
	records_dmarc(check->records, &policy);
	snprintf(line, sizeof(line), "_dmarc.%.250s. IN TXT \"%.300s\"",
		 answer->status == DMARC_BROKEN || answer->status == DMARC_SEVERAL
			 ? answer->at
			 : check->records->domain,
		 buf_text(&policy));
	buf_done(&policy);
	judge_policy(answer, &row);
	row.record = answer->status == DMARC_TEMPERROR ? NULL : line;
	identity_tell(check, &row);
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
	identity_tell(
		check,
		&(struct identity_row){
			.what = "alignment",
			.verdict = check->is_aligned ? IDENTITY_PASS : IDENTITY_FAIL,
			.code = identity_finding_name(has_spf && has_dkim ? IDENTITY_ALIGNED_BOTH
						      : has_dkim          ? IDENTITY_ALIGNED_DKIM
						      : has_spf           ? IDENTITY_ALIGNED_SPF
									  : IDENTITY_ALIGNED_NOT),
			.found = has_spf && has_dkim ? "DKIM and SPF both vouch for the domain"
				 : has_dkim          ? "DKIM vouches for the domain"
				 : has_spf           ? "SPF vouches for the domain"
						     : "neither SPF nor DKIM vouches for the "
						       "domain",
			.advice = IDENTITY_ADVICE_ALIGN,
			.advice_text = "the records of SPF or DKIM above" });
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

/* Of an answer without MX records. */
static void judge_no_mx(struct identity_check *check, const struct question_answer *answer,
			struct identity_row *row)
{
	enum identity_finding finding = IDENTITY_MX_NOTHING;

	row->found = "neither such a record nor an address: bounces go nowhere";
	if (answer->status >= QUESTION_FAILED) {
		finding = identity_finding_of(answer->status);
		row->found = question_status_text(answer->status);
		row->record = NULL;
	} else if (has_address(check, check->records->domain)) {
		finding = IDENTITY_MX_ADDRESS;
		row->verdict = IDENTITY_WARN;
		row->found = "no such record: replies and bounces go to the domain's own address";
	}
	row->code = identity_finding_name(finding);
}

/* Bounces come to the envelope sender's domain; receivers refuse one that takes none. */
void identity_check_mx(struct identity_check *check)
{
	const struct records *records = check->records;
	struct question_answer answer;
	char record[600];
	char found[100];
	char count[24];
	struct identity_row row = {
		.what = "MX", .verdict = IDENTITY_FAIL, .details = { count }, .record = record
	};

	identity_ask(check, records->domain, RECORD_MX, &answer);
	snprintf(count, sizeof(count), "%zu", answer.count);
	snprintf(record, sizeof(record), "%s. IN MX 10 %s.", records->domain, records->hostname);
	if (is_null(&answer)) {
		row.code = identity_finding_name(IDENTITY_MX_NULL);
		row.found = "the domain says that it takes no mail";
	} else if (answer.status == QUESTION_OK) {
		snprintf(found, sizeof(found), "%s host%s for replies and bounces", count,
			 answer.count == 1 ? "" : "s");
		row.verdict = IDENTITY_PASS;
		row.code = identity_finding_name(IDENTITY_MX);
		row.found = found;
	} else {
		judge_no_mx(check, &answer, &row);
	}
	identity_tell(check, &row);
	question_answer_done(&answer);
}

void identity_check_mta_sts(struct identity_check *check)
{
	char name[QUESTION_NAME_SIZE + 16];
	struct buf text;

	buf_init(&text, 4096);
	snprintf(name, sizeof(name), "_mta-sts.%s", check->records->domain);
	if (identity_find_txt(check, name, "v=STSv1", &text) == QUESTION_OK)
		identity_tell_plain(check, "MTA-STS", IDENTITY_PASS, IDENTITY_MTA_STS,
				    "published, for mail that comes to the domain");
	else
		identity_tell_plain(check, "MTA-STS", IDENTITY_INFO, IDENTITY_MTA_STS_NONE,
				    "not published; it is about mail that comes in");
	buf_done(&text);
}
