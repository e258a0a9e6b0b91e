#include "campaign/segment_run_parts.h"
#include "campaign/segment_words.h"
#include "message/address.h"

static bool combine(const struct segment_node *node, bool *held)
{
	bool holds = node->kind != SEGMENT_ANY;

	if (node->kind == SEGMENT_TEST)
		return held[node->number];
	for (const struct segment_node *child = node->first; child; child = child->next) {
		bool child_holds = combine(child, held);

		if (node->kind == SEGMENT_NOT)
			holds = !child_holds;
		else if (child_holds == (node->kind == SEGMENT_ANY))
			holds = child_holds;
	}
	held[node->number] = holds;
	return holds;
}

bool segment_run_explain(struct segment_run *run, const struct contact *contact, bool *held)
{
	const struct segment_program *program = run->segment->program;

	run->behaviour_of = 0;
	for (u32 i = 0; i < program->step_count; i++)
		held[program->steps[i].test->number] =
			segment_run_test(run, &program->steps[i], contact);
	return combine(run->segment->root, held);
}

static void add_moment(const struct segment_run *run, u64 moment_ms, struct buf *out)
{
	struct clock_date date;

	if (moment_ms < 1000)
		return; /* 0 and 1: none, or one of which nobody noted the time */
	time_zone_local(run->clock.zone, moment_ms, &date);
	buf_add_format(out, "%04u-%02u-%02u %02u:%02u", date.year, date.month, date.day, date.hour,
		       date.minute);
}

void segment_run_found(struct segment_run *run, const struct segment_node *test,
		       const struct contact *contact, struct buf *out)
{
	struct slice value;

	run->behaviour_of = 0;
	switch (test->subject) {
	case SEGMENT_STATE:
		buf_add_text(out, segment_state_word(contact->state));
		return;
	case SEGMENT_EMAIL:
		buf_add_slice(out, contact->address);
		return;
	case SEGMENT_DOMAIN:
		buf_add_slice(out, address_wire_domain(contact->address));
		return;
	case SEGMENT_ATTRIBUTE:
		value = contact_find_value(contact->values, (u16)test->id);
		if (test->type == SEGMENT_YES_NO && value.len > 0)
			value = value.ptr[0] == '1' ? SLICE("yes") : SLICE("no");
		buf_add_slice(out, value);
		return;
	default:
		add_moment(run, segment_run_moment(run, test, contact), out);
	}
}
