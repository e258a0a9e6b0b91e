/*
 * Any bytes as a DMARC record, and what stands before its first line end as a domain: tags stay within
 * their ranges and the record, and an organisation is the end of its domain.
 */
#include "base/check.h"
#include "base/text.h"
#include "dns/dmarc.h"

int LLVMFuzzerTestOneInput(const u8 *data, size_t size);

static void check_slice(struct slice part, struct slice whole)
{
	ASSERT(part.len == 0 || (part.ptr >= whole.ptr && part.ptr + part.len <= whole.ptr + whole.len));
}

static void check_record(struct slice text)
{
	struct dmarc_record record;
	enum dmarc_fault fault = DMARC_FAULTS;
	enum dmarc_reading reading = dmarc_read(text, &record, &fault);

	ASSERT(reading != DMARC_IS_BROKEN || fault < DMARC_FAULTS);
	ASSERT(record.percent <= 100 && record.failure_options < 16);
	ASSERT(record.failure_options != 0);
	ASSERT(record.policy <= DMARC_POLICY_REJECT && record.subdomains <= DMARC_POLICY_REJECT);
	check_slice(record.aggregate_to, text);
	check_slice(record.failures_to, text);
	check_slice(record.ignored, text);
}

static void check_domain(struct slice name)
{
	char domain[QUESTION_NAME_SIZE];
	char organisation[QUESTION_NAME_SIZE];
	char again[QUESTION_NAME_SIZE];
	size_t len;

	if (memchr(name.len > 0 ? name.ptr : "", '\0', name.len) ||
	    !slice_copy(domain, sizeof(domain), name))
		return;
	dmarc_organisation(domain, organisation);
	len = strlen(organisation);
	ASSERT(len <= name.len);
	ASSERT(slice_equal_nocase(slice_from(name, name.len - len), slice_of(organisation)));
	dmarc_organisation(organisation, again);
	ASSERT(strcmp(organisation, again) == 0);
	ASSERT(dmarc_is_aligned(domain, organisation, false));
}

int LLVMFuzzerTestOneInput(const u8 *data, size_t size)
{
	struct slice rest = { (const char *)data, size };

	check_domain(slice_split(&rest, '\n'));
	if (rest.ptr)
		check_record(rest);
	return 0;
}
