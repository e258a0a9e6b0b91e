#include "dns/dmarc.h"

#include "base/text.h"
#include "dns/record_text.h"

#include <libpsl.h>
#include <stdio.h>

#define TAGS_MAX 64
#define INTERVAL_S 86400

const char *dmarc_policy_name(enum dmarc_policy policy)
{
	static const char *const names[] = { "none", "quarantine", "reject" };

	return names[policy];
}

/* ---- tags ---- */

static bool read_policy(struct slice value, enum dmarc_policy *policy)
{
	for (int i = DMARC_POLICY_NONE; i <= DMARC_POLICY_REJECT; i++) {
		if (slice_equal_nocase(value, slice_of(dmarc_policy_name((enum dmarc_policy)i)))) {
			*policy = (enum dmarc_policy)i;
			return true;
		}
	}
	return false;
}

static bool read_alignment(struct slice value, bool *is_strict)
{
	*is_strict = slice_equal_nocase(value, SLICE("s"));
	return *is_strict || slice_equal_nocase(value, SLICE("r"));
}

static bool read_percent(struct slice value, u32 *percent)
{
	u32 number;

	if (!slice_to_u32(value, &number) || number > 100)
		return false;
	*percent = number;
	return true;
}

static bool read_failure_options(struct slice value, u32 *options)
{
	static const char letters[] = "01ds";
	u32 found = 0;

	while (value.ptr) {
		struct slice part = slice_trim(slice_split(&value, ':'));
		const char *at = NULL;

		if (part.len == 1)
			at = memchr(letters, ascii_lower(part.ptr[0]), 4);
		if (!at)
			return false;
		found |= 1u << (at - letters);
	}
	*options = found;
	return true;
}

/* Whether one of the URIs between the commas has a scheme and something behind it. */
static bool has_uri(struct slice value)
{
	while (value.ptr) {
		struct slice uri = slice_trim(slice_split(&value, ','));
		i64 colon = slice_find_char(uri, ':');

		if (colon <= 0 || (size_t)colon + 1 == uri.len || !ascii_is_alpha(uri.ptr[0]))
			continue;
		if (!slice_has_prefix_nocase(uri, SLICE("mailto:")) ||
		    slice_find_char(uri, '@') > colon + 1)
			return true;
	}
	return false;
}

/* What stands in a record, before it is put together. */
struct reading {
	bool has_policy;
	bool has_subdomains;
	bool is_subdomains_wrong;
	struct slice names[TAGS_MAX];
	size_t name_count;
};

/* False: the value is malformed. Tags that nobody knows are ignored. */
static bool read_tag(struct reading *reading, struct slice name, struct slice value,
		     struct dmarc_record *record)
{
	if (slice_equal(name, SLICE("p")))
		return reading->has_policy = read_policy(value, &record->policy);
	if (slice_equal(name, SLICE("sp"))) {
		reading->has_subdomains = read_policy(value, &record->subdomains);
		reading->is_subdomains_wrong = !reading->has_subdomains;
		return reading->has_subdomains;
	}
	if (slice_equal(name, SLICE("adkim")))
		return read_alignment(value, &record->is_dkim_strict);
	if (slice_equal(name, SLICE("aspf")))
		return read_alignment(value, &record->is_spf_strict);
	if (slice_equal(name, SLICE("pct")))
		return read_percent(value, &record->percent);
	if (slice_equal(name, SLICE("ri")))
		return slice_to_u32(value, &record->interval_s);
	if (slice_equal(name, SLICE("fo")))
		return read_failure_options(value, &record->failure_options);
	if (slice_equal(name, SLICE("rf")))
		return slice_equal_nocase(value, SLICE("afrf"));
	if (slice_equal(name, SLICE("rua"))) {
		record->aggregate_to = value;
		return has_uri(value);
	}
	if (slice_equal(name, SLICE("ruf"))) {
		record->failures_to = value;
		return has_uri(value);
	}
	return true;
}

/* False: it was there before, or there are too many. */
static bool note_name(struct reading *reading, struct slice name)
{
	for (size_t i = 0; i < reading->name_count; i++) {
		if (slice_equal(reading->names[i], name))
			return false;
	}
	if (reading->name_count == TAGS_MAX)
		return false;
	reading->names[reading->name_count++] = name;
	return true;
}

static struct slice split_tag(struct slice tag, struct slice *value)
{
	struct slice name = slice_trim(slice_split(&tag, '='));

	*value = slice_trim(tag);
	return name;
}

/* ---- the record ---- */

static const struct {
	const char *name;
	const char *text;
} faults[DMARC_FAULTS] = {
	[DMARC_FAULT_TWICE] = { "dmarc-twice", "a tag is there twice" },
	[DMARC_FAULT_NO_POLICY] = { "dmarc-no-policy",
				    "it has no policy (p=none, quarantine or reject)" },
	[DMARC_FAULT_SUBDOMAINS] = { "dmarc-subdomains",
				     "its sp= is not none, quarantine or reject" },
};

const char *dmarc_fault_name(enum dmarc_fault fault)
{
	return faults[fault].name;
}

const char *dmarc_fault_text(enum dmarc_fault fault)
{
	return faults[fault].text;
}

static bool is_dmarc(struct slice first)
{
	struct slice value;
	struct slice name = split_tag(first, &value);

	return slice_equal(name, SLICE("v")) && slice_equal(value, SLICE("DMARC1"));
}

enum dmarc_reading dmarc_read(struct slice text, struct dmarc_record *record,
			      enum dmarc_fault *fault)
{
	struct reading reading = { 0 };

	*record = (struct dmarc_record){ .percent = 100,
					 .interval_s = INTERVAL_S,
					 .failure_options = DMARC_FAILURE_ALL };
	if (!is_dmarc(slice_split(&text, ';')))
		return DMARC_IS_OTHER;
	*fault = DMARC_FAULT_TWICE;
	while (text.ptr) {
		struct slice tag = slice_trim(slice_split(&text, ';'));
		struct slice value;
		struct slice name = split_tag(tag, &value);

		if (tag.len == 0)
			continue;
		if (name.len > 0 && (!note_name(&reading, name) || slice_equal(name, SLICE("v"))))
			return DMARC_IS_BROKEN;
		if ((!value.ptr || !read_tag(&reading, name, value, record)) &&
		    record->ignored.len == 0)
			record->ignored = tag;
	}
	if (reading.has_policy && !reading.has_subdomains)
		record->subdomains = record->policy;
	if (reading.has_policy && !reading.is_subdomains_wrong)
		return DMARC_IS_RECORD;
	*fault = reading.has_policy ? DMARC_FAULT_SUBDOMAINS : DMARC_FAULT_NO_POLICY;
	record->policy = DMARC_POLICY_NONE;
	record->subdomains = DMARC_POLICY_NONE;
	return has_uri(record->aggregate_to) ? DMARC_IS_RECORD : DMARC_IS_BROKEN;
}

/* ---- discovery ---- */

/* The records at one domain. NONE: another may be asked. */
static void look_at(question_source *ask, void *arg, const char *domain,
		    struct dmarc_answer *answer)
{
	struct question_answer texts;
	char name[QUESTION_NAME_SIZE + 8];

	answer->status = DMARC_NONE;
	slice_copy(answer->at, sizeof(answer->at), slice_of(domain));
	snprintf(name, sizeof(name), "_dmarc.%s", domain);
	ask(arg, name, RECORD_TXT, &texts);
	if (texts.status >= QUESTION_FAILED)
		answer->status = DMARC_TEMPERROR;
	for (size_t i = 0; i < texts.count && answer->status != DMARC_SEVERAL; i++) {
		struct slice first;
		struct buf text;

		buf_init(&text, DMARC_RECORD_MAX - 1);
		if (!record_txt_value(&text, texts.records[i].bytes, texts.records[i].len))
			buf_reset(&text);
		first = buf_slice(&text);
		first = slice_split(&first, ';');
		if (is_dmarc(first)) {
			answer->status = answer->status == DMARC_NONE ? DMARC_FOUND : DMARC_SEVERAL;
			slice_copy(answer->text, sizeof(answer->text), buf_slice(&text));
		}
		buf_done(&text);
	}
	question_answer_done(&texts);
}

void dmarc_find(question_source *ask, void *arg, const char *domain, struct dmarc_answer *answer)
{
	char organisation[QUESTION_NAME_SIZE];
	bool is_above = false;

	*answer = (struct dmarc_answer){ 0 };
	dmarc_organisation(domain, organisation);
	look_at(ask, arg, domain, answer);
	if (answer->status == DMARC_NONE &&
	    !slice_equal_nocase(slice_of(domain), slice_of(organisation))) {
		look_at(ask, arg, organisation, answer);
		is_above = true;
	}
	if (answer->status != DMARC_FOUND)
		return;
	if (dmarc_read(slice_of(answer->text), &answer->record, &answer->fault) != DMARC_IS_RECORD)
		answer->status = DMARC_BROKEN;
	answer->policy = is_above ? answer->record.subdomains : answer->record.policy;
}

/* ---- alignment ---- */

void dmarc_organisation(const char *domain, char organisation[QUESTION_NAME_SIZE])
{
	char lower[QUESTION_NAME_SIZE];
	const char *found;

	slice_copy(lower, sizeof(lower), slice_of(domain));
	ascii_lower_in_place(lower, strlen(lower));
	found = psl_registrable_domain(psl_builtin(), lower);
	slice_copy(organisation, QUESTION_NAME_SIZE, slice_of(found ? found : lower));
}

bool dmarc_is_aligned(const char *from, const char *vouched, bool is_strict)
{
	char ours[QUESTION_NAME_SIZE];
	char theirs[QUESTION_NAME_SIZE];

	if (is_strict)
		return slice_equal_nocase(slice_of(from), slice_of(vouched));
	dmarc_organisation(from, ours);
	dmarc_organisation(vouched, theirs);
	return strcmp(ours, theirs) == 0;
}
