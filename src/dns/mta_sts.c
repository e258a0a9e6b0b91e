#include "dns/mta_sts.h"

#include "base/clock.h"
#include "base/text.h"
#include "dns/mx_parts.h"

#include <string.h>

static const char *const mode_names[] = {
	[STS_NONE] = "none",
	[STS_TESTING] = "testing",
	[STS_ENFORCE] = "enforce",
};

/* ---- the TXT record ---- */

static bool is_id(struct slice text)
{
	if (text.len == 0 || text.len >= STS_ID_SIZE)
		return false;
	for (size_t i = 0; i < text.len; i++) {
		if (!ascii_is_alpha(text.ptr[i]) && !ascii_is_digit(text.ptr[i]))
			return false;
	}
	return true;
}

enum sts_txt sts_txt_read(char id[STS_ID_SIZE], struct slice txt)
{
	struct slice version = slice_split(&txt, ';');

	id[0] = '\0';
	if (!slice_has_prefix(version, SLICE("v=STSv1")) || slice_trim(version).len != 7)
		return STS_TXT_OTHER;
	while (txt.ptr) {
		struct slice value = slice_trim(slice_split(&txt, ';'));
		struct slice name = slice_split(&value, '=');

		/* Behind the last semicolon there may be nothing. */
		if (name.len == 0 && !value.ptr && !txt.ptr)
			break;
		if (!value.ptr)
			return STS_TXT_BROKEN;
		if (!slice_equal(name, SLICE("id")))
			continue;
		if (id[0] != '\0' || !is_id(value))
			return STS_TXT_BROKEN;
		slice_copy(id, STS_ID_SIZE, value);
	}
	return id[0] != '\0' ? STS_TXT_GOOD : STS_TXT_BROKEN;
}

/* ---- the policy ---- */

static bool read_mode(enum sts_mode *mode, struct slice value)
{
	for (u32 i = 0; i < array_count(mode_names); i++) {
		if (slice_equal(value, slice_of(mode_names[i]))) {
			*mode = (enum sts_mode)i;
			return true;
		}
	}
	return false;
}

static bool read_age(u32 *max_age_s, struct slice value)
{
	u64 seconds;

	if (!slice_to_u64(value, &seconds))
		return false;
	*max_age_s = (u32)min_u64(seconds, STS_AGE_MAX_S);
	return true;
}

static bool add_pattern(struct sts_policy *policy, struct slice value)
{
	char *pattern = policy->mx + policy->mx_len;
	const char *name;

	if (value.len > 1 && value.ptr[value.len - 1] == '.')
		value.len--;
	if (value.len + 1 > STS_MX_BYTES_MAX - policy->mx_len)
		return false;
	slice_copy(pattern, STS_MX_BYTES_MAX - policy->mx_len, value);
	ascii_lower_in_place(pattern, value.len);
	name = strncmp(pattern, "*.", 2) == 0 ? pattern + 2 : pattern;
	/* A NUL within would make a shorter pattern of it. */
	if (strlen(pattern) != value.len || mx_name_kind(name) != MX_NAME_HOST)
		return false;
	policy->mx_len += (u32)value.len + 1;
	return true;
}

/* Which fields were seen: of those that count once the first one does. */
struct seen {
	bool version;
	bool mode;
	bool max_age;
};

/* Section 3.2: fields that are not known are passed over. */
static bool read_field(struct sts_policy *policy, struct seen *seen, struct slice name,
		       struct slice value)
{
	bool *once = slice_equal(name, SLICE("version")) ? &seen->version :
		     slice_equal(name, SLICE("mode"))	 ? &seen->mode :
		     slice_equal(name, SLICE("max_age")) ? &seen->max_age :
							   NULL;

	if (slice_equal(name, SLICE("mx")))
		return add_pattern(policy, value);
	if (!once || *once)
		return true;
	*once = true;
	if (once == &seen->version)
		return slice_equal(value, SLICE("STSv1"));
	if (once == &seen->mode)
		return read_mode(&policy->mode, value);
	return read_age(&policy->max_age_s, value);
}

bool sts_policy_read(struct sts_policy *policy, struct slice body)
{
	struct seen seen = { 0 };

	policy->mode = STS_NONE;
	policy->max_age_s = 0;
	policy->mx_len = 0;
	while (body.ptr) {
		struct slice line = slice_split(&body, '\n');
		struct slice name;

		if (line.len > 0 && line.ptr[line.len - 1] == '\r')
			line.len--;
		line = slice_trim(line);
		if (line.len == 0)
			continue;
		name = slice_trim(slice_split(&line, ':'));
		if (!line.ptr || !read_field(policy, &seen, name, slice_trim(line)))
			return false;
	}
	if (!seen.version || !seen.mode || !seen.max_age)
		return false;
	return policy->mode == STS_NONE || policy->mx_len > 0;
}

static bool matches(const char *pattern, const char *host)
{
	const char *dot;

	if (strncmp(pattern, "*.", 2) != 0)
		return strcmp(pattern, host) == 0;
	dot = strchr(host, '.');
	return dot && dot != host && strcmp(dot + 1, pattern + 2) == 0;
}

bool sts_policy_allows(const struct sts_policy *policy, const char *host)
{
	for (u32 at = 0; at < policy->mx_len; at += (u32)strlen(policy->mx + at) + 1) {
		if (matches(policy->mx + at, host))
			return true;
	}
	return false;
}

/* ---- what is known of a domain ---- */

bool sts_entry_is_alive(const struct sts_entry *entry, u64 now_ms)
{
	return entry->id[0] != '\0' &&
	       now_ms < entry->fetched_ms + entry->policy.max_age_s * MS_PER_S;
}

bool sts_entry_is_old(const struct sts_entry *entry, const char *id, u64 now_ms)
{
	u64 fresh_ms;

	if (id[0] == '\0')
		return false;
	if (!entry)
		return true;
	if (entry->tried_ms != 0 && now_ms < entry->tried_ms + STS_RETRY_MS)
		return false;
	fresh_ms = min_u64(entry->policy.max_age_s * MS_PER_S / 2, STS_REFRESH_MS);
	return strcmp(entry->id, id) != 0 || now_ms >= entry->fetched_ms + fresh_ms;
}

void sts_entry_fetched(struct sts_entry *entry, const char *id, const struct sts_policy *policy,
		       u64 now_ms)
{
	slice_copy(entry->id, sizeof(entry->id), slice_of(id));
	entry->fetched_ms = now_ms;
	entry->tried_ms = now_ms;
	entry->policy = *policy;
}

void sts_entry_failed(struct sts_entry *entry, u64 now_ms)
{
	entry->tried_ms = now_ms;
}

void sts_entry_write(const struct sts_entry *entry, struct buf *out)
{
	const struct sts_policy *policy = &entry->policy;

	buf_add_format(out, "%s %llu %llu %s %u", entry->id, (unsigned long long)entry->fetched_ms,
		       (unsigned long long)entry->tried_ms, mode_names[policy->mode],
		       policy->max_age_s);
	for (u32 at = 0; at < policy->mx_len; at += (u32)strlen(policy->mx + at) + 1)
		buf_add_format(out, " %s", policy->mx + at);
}

bool sts_entry_read(struct sts_entry *entry, struct slice text)
{
	struct slice id = slice_split(&text, ' ');

	*entry = (struct sts_entry){ .id = "" };
	if ((id.len > 0 && !is_id(id)) || !slice_copy(entry->id, sizeof(entry->id), id))
		return false;
	if (!slice_to_u64(slice_split(&text, ' '), &entry->fetched_ms) ||
	    !slice_to_u64(slice_split(&text, ' '), &entry->tried_ms) ||
	    !read_mode(&entry->policy.mode, slice_split(&text, ' ')) ||
	    !read_age(&entry->policy.max_age_s, slice_split(&text, ' ')))
		return false;
	while (text.ptr) {
		if (!add_pattern(&entry->policy, slice_split(&text, ' ')))
			return false;
	}
	return true;
}
