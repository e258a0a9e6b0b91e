#include "dns/spf_record.h"

#include "base/text.h"
#include "dns/spf_macro.h"

static const struct {
	const char *name;
	enum spf_kind kind;
} mechanisms[] = {
	{ "all", SPF_TERM_ALL }, { "include", SPF_TERM_INCLUDE }, { "a", SPF_TERM_A },
	{ "mx", SPF_TERM_MX },   { "ptr", SPF_TERM_PTR },         { "ip4", SPF_TERM_IP4 },
	{ "ip6", SPF_TERM_IP6 }, { "exists", SPF_TERM_EXISTS },
};

bool spf_record_is(struct slice text)
{
	return slice_has_prefix_nocase(text, SLICE("v=spf1")) &&
	       (text.len == 6 || text.ptr[6] == ' ');
}

/* ---- prefix lengths ---- */

/* Digits without a leading zero, at most `max`. */
static bool read_length(struct slice text, u8 max, u8 *bits)
{
	u32 value;

	if ((text.len > 1 && text.ptr[0] == '0') || !slice_to_u32(text, &value) || value > max)
		return false;
	*bits = (u8)value;
	return true;
}

/* Where the digits at the end of a text begin, with the slashes before them; len: none there. */
static size_t find_length(struct slice text, const char *slashes)
{
	size_t count = strlen(slashes);
	size_t at = text.len;

	while (at > 0 && ascii_is_digit(text.ptr[at - 1]))
		at--;
	if (at == text.len || at < count || memcmp(text.ptr + at - count, slashes, count) != 0)
		return text.len;
	return at - count;
}

/* Takes "/24", "//64" or "/24//64" off the end (section 5.6: dual-cidr-length). */
static bool take_dual_length(struct slice *text, struct spf_term *term)
{
	size_t at = find_length(*text, "//");

	if (at < text->len && !read_length(slice_from(*text, at + 2), 128, &term->bits6))
		return false;
	*text = slice_first(*text, at);
	at = find_length(*text, "/");
	if (at < text->len && !read_length(slice_from(*text, at + 1), 32, &term->bits4))
		return false;
	*text = slice_first(*text, at);
	return true;
}

/* ---- values ---- */

static bool read_address(struct slice value, struct spf_term *term, enum spf_reason *wrong)
{
	bool is_v6 = term->kind == SPF_TERM_IP6;
	i64 slash = slice_find_char(value, '/');

	*wrong = SPF_REASON_PREFIX;
	if (slash >= 0 && !read_length(slice_from(value, (size_t)slash + 1), is_v6 ? 128 : 32,
				       is_v6 ? &term->bits6 : &term->bits4))
		return false;
	*wrong = SPF_REASON_ADDRESS;
	return net_address_parse(&term->address,
				 slash >= 0 ? slice_first(value, (size_t)slash) : value, false) &&
	       term->address.family == (is_v6 ? 6 : 4);
}

static bool read_name(struct slice value, struct spf_term *term, enum spf_reason *wrong)
{
	*wrong = SPF_REASON_DOMAIN;
	term->name = value;
	return spf_macro_is_valid(value, SPF_MACRO_DOMAIN);
}

/* `value`: from the colon or the slash on, which may be nothing. */
static bool read_mechanism(struct slice value, struct spf_term *term, enum spf_reason *wrong)
{
	bool has_name = value.len > 0 && value.ptr[0] == ':';

	if (has_name)
		value = slice_from(value, 1);
	switch (term->kind) {
	case SPF_TERM_ALL:
		*wrong = SPF_REASON_BEHIND_ALL;
		return !has_name && value.len == 0;
	case SPF_TERM_IP4:
	case SPF_TERM_IP6:
		*wrong = SPF_REASON_NO_ADDRESS;
		return has_name && read_address(value, term, wrong);
	case SPF_TERM_INCLUDE:
	case SPF_TERM_EXISTS:
		*wrong = SPF_REASON_NO_DOMAIN;
		return has_name && read_name(value, term, wrong);
	case SPF_TERM_A:
	case SPF_TERM_MX:
		*wrong = SPF_REASON_PREFIX;
		if (!take_dual_length(&value, term))
			return false;
		break;
	default:
		break;
	}
	if (has_name)
		return read_name(value, term, wrong);
	*wrong = SPF_REASON_COLON;
	return value.len == 0;
}

static bool read_modifier(struct slice name, struct slice value, struct spf_term *term,
			  enum spf_reason *wrong)
{
	term->kind = slice_equal_nocase(name, SLICE("redirect")) ? SPF_TERM_REDIRECT
		     : slice_equal_nocase(name, SLICE("exp"))    ? SPF_TERM_EXP
								 : SPF_TERM_UNKNOWN;
	if (term->kind != SPF_TERM_UNKNOWN)
		return read_name(value, term, wrong);
	*wrong = SPF_REASON_VALUE;
	return spf_macro_is_valid(value, SPF_MACRO_VALUE);
}

/* ---- terms ---- */

static size_t name_length(struct slice text)
{
	size_t len = 0;

	if (text.len == 0 || !ascii_is_alpha(text.ptr[0]))
		return 0;
	while (len < text.len && (ascii_is_alpha(text.ptr[len]) || ascii_is_digit(text.ptr[len]) ||
				  memchr("-_.", text.ptr[len], 3)))
		len++;
	return len;
}

static bool read_term(struct slice text, struct spf_term *term, enum spf_reason *wrong)
{
	bool has_qualifier = memchr("+-~?", text.ptr[0], 4) != NULL;
	struct slice name;

	*term = (struct spf_term){ .text = text, .qualifier = '+', .bits4 = 32, .bits6 = 128 };
	if (has_qualifier) {
		term->qualifier = text.ptr[0];
		text = slice_from(text, 1);
	}
	name = slice_first(text, name_length(text));
	text = slice_from(text, name.len);
	if (name.len > 0 && text.len > 0 && text.ptr[0] == '=') {
		*wrong = SPF_REASON_NO_QUALIFIER;
		return !has_qualifier && read_modifier(name, slice_from(text, 1), term, wrong);
	}
	*wrong = SPF_REASON_NO_MECHANISM;
	if (text.len > 0 && text.ptr[0] != ':' && text.ptr[0] != '/')
		return false;
	for (size_t i = 0; i < array_count(mechanisms); i++) {
		if (slice_equal_nocase(name, slice_of(mechanisms[i].name))) {
			term->kind = mechanisms[i].kind;
			return read_mechanism(text, term, wrong);
		}
	}
	return false;
}

int spf_record_next(struct slice *rest, struct spf_term *term, enum spf_reason *wrong)
{
	while (rest->ptr) {
		struct slice text = slice_split(rest, ' ');

		if (text.len > 0)
			return read_term(text, term, wrong) ? 1 : -1;
	}
	return 0;
}

bool spf_record_check(struct slice record, struct slice *culprit, enum spf_reason *wrong)
{
	struct slice rest = slice_from(record, 6);
	struct spf_term term;
	bool has_redirect = false;
	bool has_exp = false;
	int n;

	while ((n = spf_record_next(&rest, &term, wrong)) > 0) {
		*culprit = term.text;
		*wrong = SPF_REASON_TWICE;
		if ((term.kind == SPF_TERM_REDIRECT && has_redirect) ||
		    (term.kind == SPF_TERM_EXP && has_exp))
			return false;
		has_redirect |= term.kind == SPF_TERM_REDIRECT;
		has_exp |= term.kind == SPF_TERM_EXP;
	}
	*culprit = n < 0 ? term.text : SLICE("");
	return n == 0;
}
