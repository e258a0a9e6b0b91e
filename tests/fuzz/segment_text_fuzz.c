/*
 * Any bytes as the text of a segment: refused with a place within it, or read; then both of its
 * spellings read as the same again, and a contact is in both or in none.
 */
#include "base/check.h"
#include "campaign/segment_names.h"
#include "campaign/segment_run.h"

#include <string.h>

int LLVMFuzzerTestOneInput(const u8 *data, size_t size);

static void no_behaviour(void *owner, u32 contact, struct behaviour *behaviour)
{
	(void)owner;
	*behaviour = (struct behaviour){ .of = { [BEHAVIOUR_LAST_OPEN] = 1790000000 + contact } };
}

static void no_activity(void *owner, u32 campaign, u32 contact, struct activity *activity)
{
	(void)owner;
	*activity = (struct activity){ .of = { [ACTIVITY_SENT] = 1790000000 + campaign + contact } };
}

static u64 consent(void *owner, u32 contact)
{
	(void)owner;
	return contact % 2 ? 1790000000000 : 0;
}

static const struct segment_facts facts = { NULL, no_behaviour, no_activity, consent };

static bool holds(const struct segment *segment)
{
	static const struct time_zone tokyo = { .standard_s = 32400, .summer_s = 32400 };
	static const char lists[] = "\0\1\2\x6a\0\0\0\0\2\3\0\0\0\0";
	static const char values[] = "\0\1\0\6\xe6\x9d\xb1\xe4\xba\xac"
				     "\0\2\0\4" "12.5" "\0\3\0\12" "2000-02-29";
	const struct contact contact = { .id = 7,
					 .state = CONTACT_ACTIVE,
					 .created_ms = 1700000000000,
					 .changed_ms = 1795996800000,
					 .address = SLICE("Info@x.test"),
					 .lists = { lists, sizeof(lists) - 1 },
					 .values = { values, sizeof(values) - 1 } };
	struct segment_clock clock = { 1796007600000, &tokyo };
	struct segment_run *run = segment_run_open(segment, &clock, &facts);
	bool held[SEGMENT_NODES_MAX];
	bool is_in;

	ASSERT(run);
	is_in = segment_run_holds(run, &contact);
	ASSERT(is_in == segment_run_explain(run, &contact, held));
	segment_run_close(run);
	return is_in;
}

static void print(const struct segment *segment, enum segment_spelling spelling, struct buf *out)
{
	buf_reset(out);
	segment_print(segment->root, spelling, out);
	ASSERT(!out->failed);
}

static void must_be_the_same(const struct segment *segment, enum segment_spelling spelling)
{
	struct segment_problem problem;
	struct segment *again;
	struct buf first;
	struct buf second;

	buf_init(&first, 1u << 20);
	buf_init(&second, 1u << 20);
	print(segment, spelling, &first);
	/* One that is no longer short enough is refused, and nothing else is. */
	again = segment_of_text(buf_slice(&first), &segment_test_names, &problem);
	ASSERT(again || first.len > SEGMENT_TEXT_MAX);
	if (again) {
		print(again, spelling, &second);
		ASSERT(slice_equal(buf_slice(&first), buf_slice(&second)));
		ASSERT(holds(segment) == holds(again));
	}
	segment_free(again);
	buf_done(&first);
	buf_done(&second);
}

int LLVMFuzzerTestOneInput(const u8 *data, size_t size)
{
	struct slice text = { (const char *)data, size };
	struct segment_problem problem;
	struct segment *segment = segment_of_text(text, &segment_test_names, &problem);

	if (!segment) {
		ASSERT(problem.column >= 1 && problem.column <= size + 1 && problem.error.text[0]);
		return 0;
	}
	must_be_the_same(segment, SEGMENT_BY_NAME);
	must_be_the_same(segment, SEGMENT_BY_ID);
	segment_free(segment);
	return 0;
}
