#include "dns/spf.h"

#include "base/net_address.h"
#include "base/text.h"
#include "dns/record_text.h"

#include <stdio.h>
#include <string.h>

#define DEPTH_MAX 8 /* records within records; the limit of lookups ends it, too */

const char *spf_result_name(enum spf_result result)
{
	static const char *const names[] = { "pass", "fail",      "softfail",  "neutral",
					     "none", "temperror", "permerror", "not evaluated" };

	return names[result];
}

static enum spf_result wrong(struct spf *spf, enum spf_result result, const char *what,
			     struct slice term)
{
	snprintf(spf->why, sizeof(spf->why), "%s%s%.*s", what, term.len > 0 ? ": " : "",
		 (int)min_size(term.len, 200), term.len > 0 ? term.ptr : "");
	return result;
}

/* ---- the record ---- */

static bool is_spf(struct slice text)
{
	return slice_has_prefix_nocase(text, SLICE("v=spf1")) &&
	       (text.len == 6 || text.ptr[6] == ' ');
}

enum spf_result spf_read(struct spf *spf, const char *domain, char record[SPF_RECORD_MAX])
{
	struct question_answer answer;
	enum spf_result result = SPF_NONE;

	question_ask(spf->asker, domain, RECORD_TXT, spf->timeout_ms, &answer);
	if (answer.status != QUESTION_OK && answer.status != QUESTION_NO_DATA &&
	    answer.status != QUESTION_NO_DOMAIN)
		result = wrong(spf, SPF_TEMPERROR, question_status_text(answer.status),
			       slice_of(domain));
	for (size_t i = 0; i < answer.count && result != SPF_PERMERROR; i++) {
		struct buf text;

		buf_init(&text, SPF_RECORD_MAX - 1);
		if (!record_txt_value(&text, answer.records[i].bytes, answer.records[i].len) ||
		    !is_spf(buf_slice(&text)))
			;
		else if (result == SPF_PASS)
			result = wrong(spf, SPF_PERMERROR, "there is more than one record",
				       slice_of(domain));
		else if (slice_copy(record, SPF_RECORD_MAX, buf_slice(&text)))
			result = SPF_PASS;
		buf_done(&text);
	}
	question_answer_done(&answer);
	return result;
}

/* ---- mechanisms ---- */

enum match { MATCH_NO, MATCH_YES, MATCH_ERROR };

struct term {
	struct slice whole;
	struct slice name;
	struct slice value; /* behind ':' or '=', without the prefix length */
	u32 bits4;
	u32 bits6;
};

static bool covers(const struct term *term, const struct net_address *one,
		   const struct net_address *address)
{
	const struct net_prefix network = { *one, one->family == 4 ? term->bits4 : term->bits6 };

	return net_prefix_has(&network, address);
}

/* One more term that asks DNS; false: too many. */
static bool may_ask(struct spf *spf, const struct term *term, enum spf_result *error)
{
	if (++spf->lookups <= SPF_LOOKUPS_MAX)
		return true;
	*error = wrong(spf, SPF_PERMERROR, "more than 10 terms ask DNS", term->whole);
	return false;
}

static bool name_of(struct spf *spf, const struct term *term, const char *domain,
		    char name[QUESTION_NAME_SIZE], enum spf_result *error)
{
	struct slice text = term->value.len > 0 ? term->value : slice_of(domain);

	if (slice_find_char(text, '%') >= 0) {
		*error =
			wrong(spf, SPF_NOT_EVALUATED, "macros are not evaluated here", term->whole);
		return false;
	}
	if (slice_copy(name, QUESTION_NAME_SIZE, text))
		return true;
	*error = wrong(spf, SPF_PERMERROR, "the name is too long", term->whole);
	return false;
}

static enum match match_host(struct spf *spf, const struct term *term, const char *name,
			     const struct net_address *address, enum spf_result *error)
{
	bool is_v6 = address->family == 6;
	struct question_answer answer;
	enum match match = MATCH_NO;

	question_ask(spf->asker, name, is_v6 ? RECORD_AAAA : RECORD_A, spf->timeout_ms, &answer);
	if (answer.status >= QUESTION_FAILED) {
		*error =
			wrong(spf, SPF_TEMPERROR, question_status_text(answer.status), term->whole);
		match = MATCH_ERROR;
	}
	for (size_t i = 0; i < answer.count && match == MATCH_NO; i++) {
		struct net_address one = { .family = address->family };

		if (answer.records[i].len != (is_v6 ? 16 : 4))
			continue;
		memcpy(one.ip, answer.records[i].bytes, answer.records[i].len);
		if (covers(term, &one, address))
			match = MATCH_YES;
	}
	question_answer_done(&answer);
	return match;
}

static enum match match_mx(struct spf *spf, const struct term *term, const char *name,
			   const struct net_address *address, enum spf_result *error)
{
	struct question_answer answer;
	enum match match = MATCH_NO;

	question_ask(spf->asker, name, RECORD_MX, spf->timeout_ms, &answer);
	if (answer.status >= QUESTION_FAILED) {
		*error =
			wrong(spf, SPF_TEMPERROR, question_status_text(answer.status), term->whole);
		match = MATCH_ERROR;
	}
	for (size_t i = 0; i < min_size(answer.count, 10) && match == MATCH_NO; i++) {
		char host[QUESTION_NAME_SIZE];

		if (answer.records[i].len > 2 &&
		    record_name(host, answer.records[i].bytes + 2, answer.records[i].len - 2) > 0)
			match = match_host(spf, term, host, address, error);
	}
	question_answer_done(&answer);
	return match;
}

static enum match match_range(struct spf *spf, const struct term *term, u8 family,
			      const struct net_address *address, enum spf_result *error)
{
	struct net_address one;

	if (!net_address_parse(&one, term->value, false) || one.family != family) {
		*error = wrong(spf, SPF_PERMERROR, "that is no address", term->whole);
		return MATCH_ERROR;
	}
	return covers(term, &one, address) ? MATCH_YES : MATCH_NO;
}

static enum spf_result evaluate(struct spf *spf, const char *domain,
				const struct net_address *address, u32 depth);

static enum match match_include(struct spf *spf, const struct term *term, const char *name,
				const struct net_address *address, u32 depth,
				enum spf_result *error)
{
	enum spf_result result = evaluate(spf, name, address, depth + 1);

	switch (result) {
	case SPF_PASS:
		return MATCH_YES;
	case SPF_FAIL:
	case SPF_SOFTFAIL:
	case SPF_NEUTRAL:
		return MATCH_NO;
	case SPF_NONE:
		*error = wrong(spf, SPF_PERMERROR, "what is included has no record", term->whole);
		return MATCH_ERROR;
	default:
		*error = result;
		return MATCH_ERROR;
	}
}

static enum match match_term(struct spf *spf, const struct term *term, const char *domain,
			     const struct net_address *address, u32 depth, enum spf_result *error)
{
	char name[QUESTION_NAME_SIZE];

	if (slice_equal_nocase(term->name, SLICE("all")))
		return MATCH_YES;
	if (slice_equal_nocase(term->name, SLICE("ip4")))
		return match_range(spf, term, 4, address, error);
	if (slice_equal_nocase(term->name, SLICE("ip6")))
		return match_range(spf, term, 6, address, error);
	if (slice_equal_nocase(term->name, SLICE("exists")) ||
	    slice_equal_nocase(term->name, SLICE("ptr"))) {
		*error = wrong(spf, SPF_NOT_EVALUATED, "not evaluated here", term->whole);
		return MATCH_ERROR;
	}
	if (!name_of(spf, term, domain, name, error) || !may_ask(spf, term, error))
		return MATCH_ERROR;
	if (slice_equal_nocase(term->name, SLICE("a")))
		return match_host(spf, term, name, address, error);
	if (slice_equal_nocase(term->name, SLICE("mx")))
		return match_mx(spf, term, name, address, error);
	if (slice_equal_nocase(term->name, SLICE("include")) && term->value.len > 0)
		return match_include(spf, term, name, address, depth, error);
	*error = wrong(spf, SPF_PERMERROR, "no such mechanism", term->whole);
	return MATCH_ERROR;
}

/* ---- terms ---- */

/* "a:example.jp/24//64": takes the lengths off the value. */
static bool take_lengths(struct term *term, struct slice *text)
{
	i64 slash = slice_find_char(*text, '/');
	struct slice lengths;

	term->bits4 = 32;
	term->bits6 = 128;
	if (slash < 0)
		return true;
	lengths = slice_from(*text, (size_t)slash);
	*text = slice_first(*text, (size_t)slash);
	if (slice_equal_nocase(term->name, SLICE("ip6")))
		return slice_to_u32(slice_from(lengths, 1), &term->bits6) && term->bits6 <= 128;
	if (!slice_has_prefix(lengths, SLICE("//"))) {
		struct slice rest = slice_from(lengths, 1);
		struct slice four = slice_split(&rest, '/');

		if (!slice_to_u32(four, &term->bits4) || term->bits4 > 32)
			return false;
		/* One more slash was taken by the split. */
		return !rest.ptr ||
		       (slice_has_prefix(rest, SLICE("/")) &&
			slice_to_u32(slice_from(rest, 1), &term->bits6) && term->bits6 <= 128);
	}
	return slice_to_u32(slice_from(lengths, 2), &term->bits6) && term->bits6 <= 128;
}

static bool parse_term(struct slice text, struct term *term)
{
	size_t len = 0;

	*term = (struct term){ .whole = text };
	if (text.len > 0 && strchr("+-~?", text.ptr[0]))
		text = slice_from(text, 1);
	while (len < text.len && !strchr(":=/", text.ptr[len]))
		len++;
	term->name = slice_first(text, len);
	text = slice_from(text, len);
	if (text.len > 0 && text.ptr[0] != '/')
		text = slice_from(text, 1);
	if (!take_lengths(term, &text))
		return false;
	term->value = text;
	return true;
}

static enum spf_result qualified(struct spf *spf, const struct term *term)
{
	char qualifier = term->whole.ptr[0];

	if (qualifier == '-')
		return wrong(spf, SPF_FAIL, "matched", term->whole);
	if (qualifier == '~')
		return wrong(spf, SPF_SOFTFAIL, "matched", term->whole);
	if (qualifier == '?')
		return wrong(spf, SPF_NEUTRAL, "matched", term->whole);
	return SPF_PASS;
}

static enum spf_result redirected(struct spf *spf, const struct term *term, const char *domain,
				  const struct net_address *address, u32 depth)
{
	char name[QUESTION_NAME_SIZE];
	enum spf_result result = SPF_NEUTRAL;

	if (term->whole.len == 0)
		return wrong(spf, SPF_NEUTRAL, "no term matched", SLICE(""));
	if (!name_of(spf, term, domain, name, &result) || !may_ask(spf, term, &result))
		return result;
	result = evaluate(spf, name, address, depth + 1);
	return result == SPF_NONE ? wrong(spf, SPF_PERMERROR, "it leads to no record", term->whole)
				  : result;
}

static enum spf_result evaluate(struct spf *spf, const char *domain,
				const struct net_address *address, u32 depth)
{
	char record[SPF_RECORD_MAX];
	struct slice rest;
	struct term redirect = { 0 };
	enum spf_result result = SPF_NONE;

	if (depth > DEPTH_MAX)
		return wrong(spf, SPF_PERMERROR, "records lead on and on", slice_of(domain));
	result = spf_read(spf, domain, record);
	if (result != SPF_PASS)
		return result;
	rest = slice_from(slice_of(record), 6);
	while (rest.ptr) {
		struct slice text = slice_trim(slice_split(&rest, ' '));
		struct term term;

		if (text.len == 0)
			continue;
		if (!parse_term(text, &term))
			return wrong(spf, SPF_PERMERROR, "a prefix length is wrong", text);
		if (slice_find_char(text, '=') >= 0 && slice_find_char(text, ':') < 0) {
			if (slice_equal_nocase(term.name, SLICE("redirect")))
				redirect = term;
			continue; /* exp and unknown modifiers decide nothing */
		}
		switch (match_term(spf, &term, domain, address, depth, &result)) {
		case MATCH_YES:
			return qualified(spf, &term);
		case MATCH_ERROR:
			return result;
		case MATCH_NO:
			break;
		}
	}
	return redirected(spf, &redirect, domain, address, depth);
}

enum spf_result spf_evaluate(struct spf *spf, const char *domain, const struct net_address *address)
{
	spf->lookups = 0;
	spf->why[0] = '\0';
	return evaluate(spf, domain, address, 0);
}
