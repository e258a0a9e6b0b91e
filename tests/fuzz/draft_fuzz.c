/*
 * What anybody may write into a campaign's draft: each line "field=value". What the checks let pass
 * has a plan in which times and passes are in order, and becomes an issue or a sentence; in one
 * piece when it has images in the mail itself.
 */
#include "base/check.h"
#include "base/text.h"
#include "campaign/issue.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define NOW_MS 1764547200000ull /* 2025-12-01 */

static void read_lines(struct draft *draft, struct slice text)
{
	while (text.len > 0) {
		struct slice value = slice_split(&text, '\n');
		struct slice name = slice_split(&value, '=');
		enum draft_field field;

		if (value.ptr && draft_field_find(name, &field))
			draft->of[field] = value;
	}
}

static void check_plan(const struct draft_plan *plan)
{
	u64 next = send_window_next_ms(&plan->window, &plan->zone, NOW_MS);

	ASSERT(next >= NOW_MS && next <= NOW_MS + 15 * 86400000ull);
	for (size_t i = 0; time_zone_name_at(i); i += 97) {
		struct time_zone zone;

		ASSERT(time_zone_find(slice_of(time_zone_name_at(i)), &zone));
		ASSERT(draft_pass_of(plan, &zone) < draft_pass_count(plan) || plan->ab_share > 0);
	}
	for (u32 contact = 1; contact < 50; contact++)
		ASSERT(draft_variant_of(plan, 7, contact) <= DRAFT_VARIANT_B);
	ASSERT(plan->deadline_ms == 0 || plan->deadline_ms > plan->start_ms);
}

/* Of ids that begin with an odd digit there is one. */
static bool load_image(void *owner, const u8 id[MAIL_IMAGE_ID_SIZE], struct mail_image *image,
		       struct error *error)
{
	(void)owner;
	(void)error;
	if (id[0] & 0x10)
		*image = (struct mail_image){ SLICE("a.png"), IMAGE_PNG, SLICE("bytes") };
	return true;
}

static void check_issue(const struct draft *draft)
{
	static const struct issue_attribute attributes[] = { { SLICE("name"), 1 } };
	const struct issue_facts facts = { .base = SLICE("https://mail.shop.example"),
					   .attributes = attributes,
					   .attribute_count = array_count(attributes),
					   .list_name = SLICE("weekly"),
					   .list_title = SLICE("Weekly"),
					   .load_image = load_image };
	enum draft_field field = DRAFT_FIELDS;
	struct error error = { "" };
	struct issue issue;

	if (!issue_make(&issue, draft, &facts, &field, &error))
		ASSERT(error.text[0] && field < DRAFT_FIELDS);
	else
		ASSERT((issue.whole.len > 0) ==
		       (slice_find(buf_slice(&issue.whole), SLICE("Content-ID: <")) >= 0));
	issue_done(&issue);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct draft draft = { 0 };
	struct draft_plan plan;
	enum draft_field field;
	struct draft back;
	struct buf packed;

	read_lines(&draft, (struct slice){ (const char *)data, size });
	if (draft_check(&draft, &plan, &field) == DRAFT_GOOD) {
		check_plan(&plan);
		check_issue(&draft);
	}
	buf_init(&packed, size + 1024);
	draft_pack(&draft, &packed);
	ASSERT(draft_unpack(buf_slice(&packed), &back));
	for (u32 i = 0; i < DRAFT_FIELDS; i++)
		ASSERT(slice_equal(back.of[i], draft.of[i]));
	buf_done(&packed);
	return 0;
}
