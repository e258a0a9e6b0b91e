#include "delivery/identity_check.h"

#include "base/text.h"
#include "dns/record_text.h"

const char *identity_verdict_name(enum identity_verdict verdict)
{
	switch (verdict) {
	case IDENTITY_PASS:
		return "pass";
	case IDENTITY_INFO:
		return "info";
	case IDENTITY_WARN:
		return "warn";
	case IDENTITY_FAIL:
		return "fail";
	}
	return "?";
}

const char *identity_finding_name(enum identity_finding finding)
{
	static const char *const names[IDENTITY_FINDINGS] = {
		[IDENTITY_NO_ADDRESS] = "no-address",
		[IDENTITY_NO_KEY] = "no-key",
		[IDENTITY_DNS_NO_RECORD] = "dns-no-record",
		[IDENTITY_DNS_NO_NAME] = "dns-no-name",
		[IDENTITY_DNS_FAILED] = "dns-failed",
		[IDENTITY_DNS_TIMEOUT] = "dns-timeout",
		[IDENTITY_DNS_BOGUS] = "dns-bogus",
		[IDENTITY_PTR] = "ptr",
		[IDENTITY_PTR_OTHER] = "ptr-other",
		[IDENTITY_PTR_UNCONFIRMED] = "ptr-unconfirmed",
		[IDENTITY_PTR_OTHER_UNCONFIRMED] = "ptr-other-unconfirmed",
		[IDENTITY_EHLO] = "ehlo",
		[IDENTITY_EHLO_LACKS] = "ehlo-lacks",
		[IDENTITY_LIST_CLEAN] = "list-clean",
		[IDENTITY_LIST_LISTED] = "list-listed",
		[IDENTITY_LIST_TEST_POINT] = "list-test-point",
		[IDENTITY_LIST_REFUSES] = "list-refuses",
		[IDENTITY_LIST_STRANGE] = "list-strange",
		[IDENTITY_LIST_SILENT] = "list-silent",
		[IDENTITY_LIST_NOT_ASKED] = "list-not-asked",
		[IDENTITY_SPF_PASS] = "spf-pass",
		[IDENTITY_SPF_FAIL] = "spf-fail",
		[IDENTITY_SPF_SOFTFAIL] = "spf-softfail",
		[IDENTITY_SPF_NEUTRAL] = "spf-neutral",
		[IDENTITY_SPF_NONE] = "spf-none",
		[IDENTITY_SPF_TEMPERROR] = "spf-temperror",
		[IDENTITY_SPF_PERMERROR] = "spf-permerror",
		[IDENTITY_KEY] = "key",
		[IDENTITY_KEY_ON_TRIAL] = "key-on-trial",
		[IDENTITY_DMARC] = "dmarc",
		[IDENTITY_DMARC_IGNORED] = "dmarc-ignored",
		[IDENTITY_DMARC_NONE] = "dmarc-none",
		[IDENTITY_DMARC_SEVERAL] = "dmarc-several",
		[IDENTITY_DMARC_SILENT] = "dmarc-silent",
		[IDENTITY_ALIGNED_BOTH] = "aligned-both",
		[IDENTITY_ALIGNED_DKIM] = "aligned-dkim",
		[IDENTITY_ALIGNED_SPF] = "aligned-spf",
		[IDENTITY_ALIGNED_NOT] = "aligned-not",
		[IDENTITY_MX] = "mx",
		[IDENTITY_MX_NULL] = "mx-null",
		[IDENTITY_MX_ADDRESS] = "mx-address",
		[IDENTITY_MX_NOTHING] = "mx-nothing",
		[IDENTITY_MTA_STS] = "mta-sts",
		[IDENTITY_MTA_STS_NONE] = "mta-sts-none",
	};

	return names[finding];
}

const char *identity_advice_name(enum identity_advice advice)
{
	static const char *const names[IDENTITY_ADVICES] = {
		[IDENTITY_ADVICE_PTR] = "ptr",           [IDENTITY_ADVICE_REPLACE] = "replace",
		[IDENTITY_ADVICE_RESOLVER] = "resolver", [IDENTITY_ADVICE_LIST_SAYS] = "list-says",
		[IDENTITY_ADVICE_LIST_ASK] = "list-ask", [IDENTITY_ADVICE_ALIGN] = "align",
	};

	return names[advice];
}

enum identity_finding identity_finding_of(enum question_status status)
{
	switch (status) {
	case QUESTION_OK:
	case QUESTION_NO_DATA:
		return IDENTITY_DNS_NO_RECORD;
	case QUESTION_NO_DOMAIN:
		return IDENTITY_DNS_NO_NAME;
	case QUESTION_FAILED:
		return IDENTITY_DNS_FAILED;
	case QUESTION_TIMEOUT:
		return IDENTITY_DNS_TIMEOUT;
	case QUESTION_BOGUS:
		return IDENTITY_DNS_BOGUS;
	}
	return IDENTITY_DNS_FAILED;
}

void identity_add_publish(const struct identity_row *row, struct buf *out)
{
	if (row->record)
		buf_add_text(out, row->record);
	if (row->advice != IDENTITY_ADVICE_NONE)
		buf_add_format(out, "%s%s", row->record ? "\n  " : "", row->advice_text);
}

void identity_tell(struct identity_check *check, const struct identity_row *row)
{
	struct identity_row told = *row;

	if (row->verdict == IDENTITY_FAIL)
		check->failed++;
	if (row->verdict == IDENTITY_PASS) {
		told.record = NULL;
		told.advice = IDENTITY_ADVICE_NONE;
	}
	check->tell(check->tell_arg, &told);
}

void identity_tell_plain(struct identity_check *check, const char *what,
			 enum identity_verdict verdict, enum identity_finding finding,
			 const char *found)
{
	identity_tell(check, &(struct identity_row){ .what = what,
						     .verdict = verdict,
						     .code = identity_finding_name(finding),
						     .found = found });
}

void identity_ask(struct identity_check *check, const char *name, u16 type,
		  struct question_answer *answer)
{
	check->ask(check->ask_arg, name, type, answer);
}

enum question_status identity_find_txt(struct identity_check *check, const char *name,
				       const char *begin, struct buf *out)
{
	struct question_answer answer;
	enum question_status status;

	identity_ask(check, name, RECORD_TXT, &answer);
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

void identity_check_alignment(struct identity_check *check)
{
	identity_check_spf(check);
	for (size_t i = 0; i < check->key_count; i++)
		identity_check_key(check, i);
	if (check->key_count == 0)
		identity_tell_plain(check, "DKIM", IDENTITY_FAIL, IDENTITY_NO_KEY,
				    "no key can be read");
	identity_check_dmarc(check);
}

void identity_check_all(struct identity_check *check)
{
	const struct records *records = check->records;

	for (size_t i = 0; i < records->address_count; i++)
		identity_check_address(check, records->addresses[i]);
	if (records->address_count == 0)
		identity_tell_plain(check, "address", IDENTITY_FAIL, IDENTITY_NO_ADDRESS,
				    "no address is known to send from");
	identity_check_alignment(check);
	identity_check_ehlo(check);
	identity_check_mx(check);
	identity_check_mta_sts(check);
	identity_check_block_lists(check);
}
