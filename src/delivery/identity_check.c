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

void identity_tell(struct identity_check *check, const char *what, enum identity_verdict verdict,
		   const char *found, const char *publish)
{
	if (verdict == IDENTITY_FAIL)
		check->failed++;
	check->tell(check->tell_arg, what, verdict, found,
		    verdict == IDENTITY_PASS ? NULL : publish);
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
		identity_tell(check, "DKIM", IDENTITY_FAIL, "no key can be read", NULL);
	identity_check_dmarc(check);
}

void identity_check_all(struct identity_check *check)
{
	const struct records *records = check->records;

	for (size_t i = 0; i < records->address_count; i++)
		identity_check_address(check, records->addresses[i]);
	if (records->address_count == 0)
		identity_tell(check, "address", IDENTITY_FAIL, "no address is known to send from",
			      NULL);
	identity_check_alignment(check);
	identity_check_ehlo(check);
	identity_check_mx(check);
	identity_check_mta_sts(check);
	identity_check_block_lists(check);
}
