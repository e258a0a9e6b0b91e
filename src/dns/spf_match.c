#include "base/text.h"
#include "dns/record_text.h"
#include "dns/spf_macro.h"
#include "dns/spf_parts.h"

/* ---- questions ---- */

/*
 * Asks; the answer is to be freed in every case. False with *error: DNS fails, or there were too
 * many questions that found nothing.
 */
static bool ask(struct spf *spf, const char *name, u16 type, struct question_answer *answer,
		enum spf_result *error)
{
	spf->ask(spf->arg, name, type, answer);
	if (answer->status >= QUESTION_FAILED) {
		*error = spf_wrong(spf, SPF_TEMPERROR, spf_reason_of(answer->status),
				   slice_of(name));
		return false;
	}
	if (answer->count > 0 || ++spf->voids <= SPF_VOIDS_MAX)
		return true;
	*error = spf_wrong(spf, SPF_PERMERROR, SPF_REASON_VOIDS, slice_of(name));
	return false;
}

static bool take_address(const struct question_record *record, u8 family, struct net_address *one)
{
	*one = (struct net_address){ .family = family };
	if (record->len != (family == 6 ? 16 : 4))
		return false;
	memcpy(one->ip, record->bytes, record->len);
	return true;
}

/* Whether one of the name's addresses is within the term's prefix length of the sender's. */
static enum spf_match match_name(struct spf *spf, const char *name, u8 bits4, u8 bits6,
				 enum spf_result *error)
{
	u8 family = spf->address.family;
	struct question_answer answer;
	enum spf_match match = SPF_MATCH_NO;

	if (!ask(spf, name, family == 6 ? RECORD_AAAA : RECORD_A, &answer, error))
		match = SPF_MATCH_ERROR;
	for (size_t i = 0; i < answer.count && match == SPF_MATCH_NO; i++) {
		struct net_prefix network = { .bits = family == 6 ? bits6 : bits4 };

		if (take_address(&answer.records[i], family, &network.address) &&
		    net_prefix_has(&network, &spf->address))
			match = SPF_MATCH_YES;
	}
	question_answer_done(&answer);
	return match;
}

/* ---- names of the address ---- */

static bool is_same_or_below(struct slice name, struct slice domain)
{
	if (name.len > domain.len && name.ptr[name.len - domain.len - 1] != '.')
		return false;
	return name.len >= domain.len &&
	       slice_equal_nocase(slice_from(name, name.len - domain.len), domain);
}

/*
 * Section 5.5: failures of DNS only mean that there are fewer names. False with *error: too many
 * questions found nothing.
 */
static bool find_validated(struct spf *spf, enum spf_result *error)
{
	struct spf_validated *validated = &spf->validated;
	char question[QUESTION_REVERSE_SIZE];
	struct question_answer answer;
	bool ok;

	if (validated->is_known)
		return true;
	validated->is_known = true;
	question_reverse(question, &spf->address);
	ok = ask(spf, question, RECORD_PTR, &answer, error) || *error == SPF_TEMPERROR;
	for (size_t i = 0; ok && i < min_size(answer.count, SPF_HOSTS_MAX); i++) {
		char *name = validated->names[validated->count];

		if (record_name(name, answer.records[i].bytes, answer.records[i].len) == 0 ||
		    !spf_name_is_valid(slice_of(name), false))
			continue;
		switch (match_name(spf, name, 32, 128, error)) {
		case SPF_MATCH_YES:
			validated->count++;
			break;
		case SPF_MATCH_ERROR:
			ok = *error == SPF_TEMPERROR;
			break;
		case SPF_MATCH_NO:
			break;
		}
	}
	question_answer_done(&answer);
	return ok;
}

/* Of the validated names the domain itself, else one below it, else the first (section 7.3). */
static struct slice choose_validated(const struct spf_validated *validated, struct slice domain)
{
	struct slice best = SLICE("unknown");

	for (size_t i = validated->count; i-- > 0;) {
		struct slice name = slice_of(validated->names[i]);

		if (slice_equal_nocase(name, domain))
			return name;
		if (is_same_or_below(name, domain) || !is_same_or_below(best, domain))
			best = name;
	}
	return best;
}

/* ---- names in terms ---- */

bool spf_name_is_valid(struct slice name, bool is_sender)
{
	struct slice rest = name;
	size_t labels = 0;

	if (name.len == 0 || name.len > 253)
		return false;
	for (size_t i = 0; i < name.len; i++) {
		/* A backslash would begin an escape on its way to the resolver. */
		if (name.ptr[i] <= ' ' || name.ptr[i] > '~' || name.ptr[i] == '\\')
			return false;
	}
	while (rest.ptr) {
		struct slice label = slice_split(&rest, '.');

		if (label.len == 0 || label.len > 63)
			return false;
		labels++;
	}
	return !is_sender || (labels > 1 && name.ptr[0] != '[');
}

bool spf_expand(struct spf *spf, const struct spf_frame *frame, struct slice text, struct buf *out,
		enum spf_result *error)
{
	struct spf_macro_values values = {
		.address = spf->address,
		.local = spf->local,
		.sender_domain = spf->sender_domain,
		.domain = slice_of(frame->domain),
		.helo = slice_of(spf->helo ? spf->helo : ""),
		.receiver = slice_of(spf->receiver ? spf->receiver : "unknown"),
		.now_s = spf->now_s,
	};

	if (spf_macro_wants_validated(text)) {
		if (!find_validated(spf, error))
			return false;
		values.validated = choose_validated(&spf->validated, values.domain);
	}
	spf_macro_expand(out, text, &values);
	return true;
}

int spf_target(struct spf *spf, const struct spf_frame *frame, struct slice spec,
	       char name[QUESTION_NAME_SIZE], enum spf_result *error)
{
	struct slice target;
	struct buf expanded;
	int result = 0;

	if (spec.len == 0)
		return slice_copy(name, QUESTION_NAME_SIZE, slice_of(frame->domain));
	buf_init(&expanded, SPF_RECORD_MAX);
	if (!spf_expand(spf, frame, spec, &expanded, error))
		result = -1;
	target = buf_slice(&expanded);
	if (target.len > 0 && target.ptr[target.len - 1] == '.')
		target.len--;
	while (target.len > 253) {
		i64 dot = slice_find_char(target, '.');

		target = dot < 0 ? SLICE_NONE : slice_from(target, (size_t)dot + 1);
	}
	if (result == 0 && !expanded.failed && spf_name_is_valid(target, false))
		result = slice_copy(name, QUESTION_NAME_SIZE, target);
	buf_done(&expanded);
	return result;
}

/* ---- mechanisms ---- */

static enum spf_match match_mx(struct spf *spf, const struct spf_term *term, const char *name,
			       enum spf_result *error)
{
	struct question_answer answer;
	enum spf_match match = SPF_MATCH_NO;

	if (!ask(spf, name, RECORD_MX, &answer, error)) {
		match = SPF_MATCH_ERROR;
	} else if (answer.count > SPF_HOSTS_MAX) {
		*error = spf_wrong(spf, SPF_PERMERROR, SPF_REASON_MX_HOSTS, term->text);
		match = SPF_MATCH_ERROR;
	}
	for (size_t i = 0; i < answer.count && match == SPF_MATCH_NO; i++) {
		char host[QUESTION_NAME_SIZE];

		if (answer.records[i].len > 2 &&
		    record_name(host, answer.records[i].bytes + 2, answer.records[i].len - 2) > 0 &&
		    spf_name_is_valid(slice_of(host), false))
			match = match_name(spf, host, term->bits4, term->bits6, error);
	}
	question_answer_done(&answer);
	return match;
}

/* Any A record will do, whatever the address that sends (section 5.7). */
static enum spf_match match_exists(struct spf *spf, const char *name, enum spf_result *error)
{
	struct question_answer answer;
	enum spf_match match = SPF_MATCH_NO;

	if (!ask(spf, name, RECORD_A, &answer, error))
		match = SPF_MATCH_ERROR;
	else if (answer.count > 0)
		match = SPF_MATCH_YES;
	question_answer_done(&answer);
	return match;
}

static enum spf_match match_ptr(struct spf *spf, const char *name, enum spf_result *error)
{
	if (!find_validated(spf, error))
		return SPF_MATCH_ERROR;
	for (size_t i = 0; i < spf->validated.count; i++) {
		if (is_same_or_below(slice_of(spf->validated.names[i]), slice_of(name)))
			return SPF_MATCH_YES;
	}
	return SPF_MATCH_NO;
}

enum spf_match spf_match_hosts(struct spf *spf, const struct spf_frame *frame,
			       const struct spf_term *term, enum spf_result *error)
{
	char name[QUESTION_NAME_SIZE];
	int n = spf_target(spf, frame, term->name, name, error);

	if (n <= 0)
		return n < 0 ? SPF_MATCH_ERROR : SPF_MATCH_NO;
	switch (term->kind) {
	case SPF_TERM_A:
		return match_name(spf, name, term->bits4, term->bits6, error);
	case SPF_TERM_MX:
		return match_mx(spf, term, name, error);
	case SPF_TERM_EXISTS:
		return match_exists(spf, name, error);
	default:
		return match_ptr(spf, name, error);
	}
}
