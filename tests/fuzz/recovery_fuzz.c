/*
 * Any slots in the journal that a killed sender left, over a real queue: the next sender starts,
 * each row is at one place or final, counters say so, and the journal is empty. Three bytes of the
 * input are one slot: its state, a row (most of them real ones), an answer; what is left over fills
 * the rest.
 */
#include "planner_world.h"

#include "delivery/planner_parts.h"

#include <stdatomic.h>

#define SLOTS_MAX 16
#define SLOT_BYTES 3

int LLVMFuzzerTestOneInput(const u8 *data, size_t size);

/* ---- the journal that it is killed with ---- */

static void fill_slot(struct journal_slot *slot, const u8 *bytes, struct slice *rest)
{
	size_t len = min_size(rest->len, sizeof(*slot));

	memset(slot, 0, sizeof(*slot));
	memcpy(slot, rest->ptr, len);
	*rest = slice_from(*rest, len);
	atomic_store(&slot->state, bytes[0] < 250 ? bytes[0] % 4u : bytes[0]);
	if (bytes[1] < 200)
		slot->ref = the.rows[bytes[1] % ROWS];
	if (bytes[1] >= 100 && bytes[1] < 200)
		slot->ref.place = bytes[2];
	else if (bytes[2] < 200)
		slot->verdict = bytes[2] % 8;
}

static void write_journal(const u8 *data, size_t size)
{
	static struct {
		u8 head[JOURNAL_HEAD];
		struct journal_slot slots[SLOTS_MAX];
	} file;
	u32 count = size > 0 ? data[0] % SLOTS_MAX + 1u : 1;
	size_t given = 1 + (size_t)count * SLOT_BYTES;
	struct slice rest = slice_from((struct slice){ (const char *)data, size }, given);
	static const u8 none[SLOT_BYTES];

	memcpy(file.head, the.head, sizeof(file.head));
	memcpy(file.head + 12, &count, sizeof(count));
	for (u32 i = 0; i < count; i++) {
		size_t at = 1 + (size_t)i * SLOT_BYTES;

		fill_slot(&file.slots[i], at + SLOT_BYTES <= size ? data + at : none, &rest);
	}
	write_file(the.journal_path, &file, JOURNAL_HEAD + count * sizeof(struct journal_slot));
}

/* ---- what must hold ---- */

static void check_queue(struct planner *planner)
{
	struct queue *queue = planner_queue(planner);
	struct queue_campaign c;

	ASSERT(queue_begin(queue) == STORE_OK);
	ASSERT(queue_campaign_get(queue, the.campaign, &c) == STORE_OK);
	ASSERT(c.total == ROWS);
	check_campaign(queue, &c);
	ASSERT(c.deferred == rows_at(queue, (struct row_ref){ .place = ROW_DEFERRED }));
	ASSERT(c.held == rows_at(queue, (struct row_ref){ .place = ROW_DOUBT }));
	queue_abort(queue);
	ASSERT(journal_is_current(planner->journal));
	for (u32 i = 0; i < journal_slot_count(planner->journal); i++)
		ASSERT(atomic_load(&journal_slot(planner->journal, i)->state) == JOURNAL_FREE);
}

int LLVMFuzzerTestOneInput(const u8 *data, size_t size)
{
	struct planner *planner;

	put_back_queue();
	write_journal(data, size);
	planner = start();
	check_queue(planner);
	planner_close(planner);
	return 0;
}
