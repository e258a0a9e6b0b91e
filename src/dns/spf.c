#include "dns/spf.h"

#include "base/text.h"
#include "dns/record_text.h"
#include "dns/spf_macro.h"
#include "dns/spf_parts.h"

#include <stdio.h>

#define SENDER_MAX 512 /* RFC 5321 section 4.5.3.1 allows 320 */
#define TEXT_MAX 65535

const char *spf_result_name(enum spf_result result)
{
	static const char *const names[] = { "pass", "fail",      "softfail", "neutral",
					     "none", "temperror", "permerror" };

	return names[result];
}

/* What strangers publish gets to a terminal. */
static void make_printable(char *text)
{
	for (; *text; text++) {
		if (*text < ' ' || *text > '~')
			*text = '?';
	}
}

enum spf_result spf_wrong(struct spf *spf, enum spf_result result, enum spf_reason reason,
			  struct slice term)
{
	spf->reason = reason;
	slice_copy(spf->term, sizeof(spf->term), slice_first(term, sizeof(spf->term) - 1));
	make_printable(spf->term);
	spf->in[0] = '\0';
	snprintf(spf->why, sizeof(spf->why), "%s%s%s", spf_reason_text(reason),
		 term.len > 0 ? ": " : "", spf->term);
	return result;
}

/* The same, of a term in that record. */
static enum spf_result wrong_in(struct spf *spf, const struct spf_frame *frame,
				enum spf_result result, enum spf_reason reason, struct slice term)
{
	size_t len;

	spf_wrong(spf, result, reason, term);
	if (slice_equal_nocase(slice_of(frame->domain), spf->sender_domain))
		return result;
	len = strlen(spf->why);
	snprintf(spf->in, sizeof(spf->in), "%.100s", frame->domain);
	snprintf(spf->why + len, sizeof(spf->why) - len, ", in the record of %s", spf->in);
	return result;
}

/* ---- the record ---- */

enum spf_result spf_read(struct spf *spf, const char *domain, char record[SPF_RECORD_MAX])
{
	struct question_answer answer;
	enum spf_result result = SPF_NONE;

	spf->ask(spf->arg, domain, RECORD_TXT, &answer);
	if (answer.status >= QUESTION_FAILED)
		result = spf_wrong(spf, SPF_TEMPERROR, spf_reason_of(answer.status),
				   slice_of(domain));
	for (size_t i = 0; i < answer.count && result != SPF_PERMERROR; i++) {
		struct buf text;

		buf_init(&text, TEXT_MAX);
		if (!record_txt_value(&text, answer.records[i].bytes, answer.records[i].len) ||
		    !spf_record_is(buf_slice(&text)))
			;
		else if (result == SPF_PASS)
			result =
				spf_wrong(spf, SPF_PERMERROR, SPF_REASON_SEVERAL, slice_of(domain));
		else if (slice_find_char(buf_slice(&text), '\0') >= 0 || text.len >= SPF_RECORD_MAX)
			result = spf_wrong(spf, SPF_PERMERROR, SPF_REASON_UNREADABLE,
					   slice_of(domain));
		else if (slice_copy(record, SPF_RECORD_MAX, buf_slice(&text)))
			result = SPF_PASS;
		buf_done(&text);
	}
	question_answer_done(&answer);
	return result;
}

/* ---- the explanation (section 6.2) ---- */

/* Whatever is wrong with it, there is none then. */
static void explain(struct spf *spf, const struct spf_frame *frame, struct slice spec)
{
	struct question_answer answer;
	char name[QUESTION_NAME_SIZE];
	enum spf_result ignored;
	struct buf text;
	struct buf shown;

	if (spf_target(spf, frame, spec, name, &ignored) <= 0)
		return;
	spf->ask(spf->arg, name, RECORD_TXT, &answer);
	buf_init(&text, SPF_RECORD_MAX);
	buf_init(&shown, SPF_EXPLANATION_SIZE - 1);
	if (answer.status == QUESTION_OK && answer.count == 1 &&
	    record_txt_value(&text, answer.records[0].bytes, answer.records[0].len) &&
	    spf_macro_is_valid(buf_slice(&text), SPF_MACRO_EXPLAIN) &&
	    spf_expand(spf, frame, buf_slice(&text), &shown, &ignored) && !shown.failed) {
		slice_copy(spf->explanation, sizeof(spf->explanation), buf_slice(&shown));
		make_printable(spf->explanation);
	}
	buf_done(&shown);
	buf_done(&text);
	question_answer_done(&answer);
}

/* ---- terms ---- */

static enum spf_result check_host(struct spf *spf, const struct spf_frame *frame);

/* One more term that asks DNS; false: too many. */
static bool may_ask(struct spf *spf, const struct spf_frame *frame, const struct spf_term *term,
		    enum spf_result *error)
{
	if (spf->lookups < SPF_LOOKUPS_MAX) {
		spf->lookups++;
		return true;
	}
	*error = wrong_in(spf, frame, SPF_PERMERROR, SPF_REASON_TERMS, term->text);
	return false;
}

static enum spf_match match_include(struct spf *spf, const struct spf_frame *frame,
				    const struct spf_term *term, enum spf_result *error)
{
	char name[QUESTION_NAME_SIZE];
	const struct spf_frame inner = { .domain = name, .is_included = true };
	int n = spf_target(spf, frame, term->name, name, error);

	if (n < 0)
		return SPF_MATCH_ERROR;
	*error = n > 0 ? check_host(spf, &inner) : SPF_NONE;
	switch (*error) {
	case SPF_PASS:
		return SPF_MATCH_YES;
	case SPF_FAIL:
	case SPF_SOFTFAIL:
	case SPF_NEUTRAL:
		return SPF_MATCH_NO;
	case SPF_NONE:
		*error = wrong_in(spf, frame, SPF_PERMERROR, SPF_REASON_INCLUDED, term->text);
		return SPF_MATCH_ERROR;
	default:
		return SPF_MATCH_ERROR;
	}
}

static enum spf_match match_term(struct spf *spf, const struct spf_frame *frame,
				 const struct spf_term *term, enum spf_result *error)
{
	const struct net_prefix network = { term->address,
					    term->kind == SPF_TERM_IP6 ? term->bits6 :
									 term->bits4 };

	switch (term->kind) {
	case SPF_TERM_ALL:
		return SPF_MATCH_YES;
	case SPF_TERM_IP4:
	case SPF_TERM_IP6:
		return net_prefix_has(&network, &spf->address) ? SPF_MATCH_YES : SPF_MATCH_NO;
	case SPF_TERM_INCLUDE:
		if (!may_ask(spf, frame, term, error))
			return SPF_MATCH_ERROR;
		return match_include(spf, frame, term, error);
	case SPF_TERM_A:
	case SPF_TERM_MX:
	case SPF_TERM_PTR:
	case SPF_TERM_EXISTS:
		if (!may_ask(spf, frame, term, error))
			return SPF_MATCH_ERROR;
		return spf_match_hosts(spf, frame, term, error);
	default:
		return SPF_MATCH_NO; /* modifiers */
	}
}

static enum spf_result qualified(struct spf *spf, const struct spf_frame *frame,
				 const struct spf_term *term)
{
	enum spf_result result = term->qualifier == '-'   ? SPF_FAIL
				 : term->qualifier == '~' ? SPF_SOFTFAIL
				 : term->qualifier == '?' ? SPF_NEUTRAL
							  : SPF_PASS;

	return wrong_in(spf, frame, result, SPF_REASON_MATCHED, term->text);
}

static enum spf_result redirected(struct spf *spf, const struct spf_frame *frame,
				  const struct spf_term *term)
{
	char name[QUESTION_NAME_SIZE];
	const struct spf_frame next = { .domain = name, .is_included = frame->is_included };
	enum spf_result result = SPF_NONE;
	int n;

	if (!may_ask(spf, frame, term, &result))
		return result;
	n = spf_target(spf, frame, term->name, name, &result);
	if (n < 0)
		return result;
	if (n > 0)
		result = check_host(spf, &next);
	return result == SPF_NONE
		       ? wrong_in(spf, frame, SPF_PERMERROR, SPF_REASON_REDIRECTED, term->text)
		       : result;
}

/* A record whose syntax has been checked. */
static enum spf_result walk(struct spf *spf, const struct spf_frame *frame, const char *record)
{
	struct slice rest = slice_from(slice_of(record), 6);
	struct spf_term redirect = { 0 };
	struct slice exp = SLICE_NONE;
	enum spf_match match = SPF_MATCH_NO;
	enum spf_result result = SPF_NEUTRAL;
	enum spf_reason ignored;
	struct spf_term term;
	struct spf_term decided = { 0 };

	/* To the end, because "exp" may stand behind the term that decides. */
	while (spf_record_next(&rest, &term, &ignored) > 0) {
		if (term.kind == SPF_TERM_REDIRECT)
			redirect = term;
		if (term.kind == SPF_TERM_EXP)
			exp = term.name;
		if (match != SPF_MATCH_NO)
			continue;
		match = match_term(spf, frame, &term, &result);
		decided = term;
	}
	if (match == SPF_MATCH_ERROR)
		return result;
	if (match == SPF_MATCH_NO)
		return redirect.text.len > 0
			       ? redirected(spf, frame, &redirect)
			       : wrong_in(spf, frame, SPF_NEUTRAL, SPF_REASON_NO_TERM, SLICE(""));
	if (decided.qualifier == '-' && exp.ptr && !frame->is_included)
		explain(spf, frame, exp);
	return qualified(spf, frame, &decided);
}

static enum spf_result check_host(struct spf *spf, const struct spf_frame *frame)
{
	char record[SPF_RECORD_MAX];
	struct slice culprit;
	enum spf_reason wrong;
	enum spf_result result;

	if (!spf_name_is_valid(slice_of(frame->domain), true))
		return spf_wrong(spf, SPF_NONE, SPF_REASON_NAME, slice_of(frame->domain));
	result = spf_read(spf, frame->domain, record);
	if (result != SPF_PASS)
		return result;
	if (!spf_record_check(slice_of(record), &culprit, &wrong))
		return wrong_in(spf, frame, SPF_PERMERROR, wrong, culprit);
	return walk(spf, frame, record);
}

/* ---- the whole ---- */

/* Section 2.4: without a sender it is postmaster at the EHLO name. */
static void take_sender(struct spf *spf)
{
	struct slice sender = slice_of(spf->sender ? spf->sender : "");
	size_t at = sender.len;

	while (at > 0 && sender.ptr[at - 1] != '@')
		at--;
	spf->local = at > 1 ? slice_first(sender, at - 1) : SLICE("postmaster");
	spf->sender_domain = slice_from(sender, at);
	if (sender.len == 0)
		spf->sender_domain = slice_of(spf->helo ? spf->helo : "");
	if (spf->sender_domain.len > 0 &&
	    spf->sender_domain.ptr[spf->sender_domain.len - 1] == '.')
		spf->sender_domain.len--;
}

enum spf_result spf_evaluate(struct spf *spf)
{
	static const u8 mapped[12] = { [10] = 0xff, [11] = 0xff };
	char domain[QUESTION_NAME_SIZE];
	const struct spf_frame frame = { .domain = domain };

	spf->lookups = 0;
	spf->voids = 0;
	spf->why[0] = '\0';
	spf->reason = SPF_REASON_NONE;
	spf->term[0] = '\0';
	spf->in[0] = '\0';
	spf->explanation[0] = '\0';
	spf->validated = (struct spf_validated){ 0 };
	if (spf->address.family == 6 && memcmp(spf->address.ip, mapped, sizeof(mapped)) == 0) {
		struct net_address plain = { .family = 4 };

		memcpy(plain.ip, spf->address.ip + 12, 4);
		spf->address = plain;
	}
	take_sender(spf);
	if ((spf->sender && strlen(spf->sender) > SENDER_MAX) ||
	    !slice_copy(domain, sizeof(domain), spf->sender_domain))
		return spf_wrong(spf, SPF_NONE, SPF_REASON_NAME, spf->sender_domain);
	return check_host(spf, &frame);
}
