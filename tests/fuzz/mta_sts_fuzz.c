/*
 * Any bytes as an announcement, as a policy file, and as what was kept: what is taken keeps the
 * header's promises and comes back from text as it was.
 */
#include "base/check.h"
#include "base/text.h"
#include "dns/mta_sts.h"
#include "dns/mx_parts.h"

#include <string.h>

int LLVMFuzzerTestOneInput(const u8 *data, size_t size);

static void check_policy(const struct sts_policy *policy)
{
	u32 at = 0;

	ASSERT(policy->mode <= STS_ENFORCE && policy->max_age_s <= STS_AGE_MAX_S);
	ASSERT(policy->mx_len <= STS_MX_BYTES_MAX);
	while (at < policy->mx_len) {
		const char *pattern = policy->mx + at;
		bool wild = strncmp(pattern, "*.", 2) == 0;
		char host[300];

		ASSERT(memchr(pattern, '\0', policy->mx_len - at));
		ASSERT(mx_name_kind(wild ? pattern + 2 : pattern) == MX_NAME_HOST);
		slice_copy(host, sizeof(host), slice_of(pattern));
		if (wild)
			host[0] = 'x';
		ASSERT(sts_policy_allows(policy, host));
		at += (u32)strlen(pattern) + 1;
	}
	ASSERT(at == policy->mx_len);
}

static void check_kept(const struct sts_entry *entry)
{
	struct sts_entry back;
	struct buf text;

	check_policy(&entry->policy);
	buf_init(&text, STS_ENTRY_TEXT_MAX);
	sts_entry_write(entry, &text);
	ASSERT(!text.failed && sts_entry_read(&back, buf_slice(&text)));
	ASSERT(strcmp(back.id, entry->id) == 0 && back.fetched_ms == entry->fetched_ms &&
	       back.tried_ms == entry->tried_ms && back.policy.mode == entry->policy.mode &&
	       back.policy.max_age_s == entry->policy.max_age_s &&
	       back.policy.mx_len == entry->policy.mx_len &&
	       memcmp(back.policy.mx, entry->policy.mx, back.policy.mx_len) == 0);
	buf_done(&text);
}

int LLVMFuzzerTestOneInput(const u8 *data, size_t size)
{
	const struct slice input = { (const char *)data, size };
	struct sts_entry entry = { .id = "" };
	struct sts_policy policy;
	char id[STS_ID_SIZE];

	if (sts_txt_read(id, input) == STS_TXT_GOOD)
		ASSERT(strlen(id) > 0 && strlen(id) < STS_ID_SIZE);
	if (sts_policy_read(&policy, input)) {
		ASSERT(policy.mode == STS_NONE || policy.mx_len > 0);
		sts_entry_fetched(&entry, "id", &policy, 1);
		check_kept(&entry);
	}
	if (sts_entry_read(&entry, input))
		check_kept(&entry);
	return 0;
}
