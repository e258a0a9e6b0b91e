/*
 * Who brings letters: small ones, one after the other, each under a key of its own and as often as it
 * takes until the sender says that it is kept. Now and then he brings the same one twice at once. The
 * recipients are those of the world's last campaign.
 */
#include "sim.h"

#include "base/text.h"
#include "delivery/letter.h"
#include "store/row_values.h"

#include <stdio.h>
#include <string.h>

#define RECIPIENTS_MAX 3
#define NONE UINT32_MAX

static struct bringing {
	struct letter_wait wait;
	struct letter_recipient to[RECIPIENTS_MAX];
	u32 indexes[RECIPIENTS_MAX];
	char addresses[RECIPIENTS_MAX][64];
	struct buf values[RECIPIENTS_MAX];
	struct buf options;
	char key[32];
	bool is_busy;
} bringings[2]; /* the letter, and its twin */

static bool is_letters(u32 index)
{
	return world->has_letters && world->recipients[index].campaign + 1u == world->campaign_count;
}

/* The first recipient from `from` on that belongs to a letter and is not known to be kept. */
static u32 next_recipient(u32 from)
{
	for (u32 i = from; i < world->recipient_count; i++) {
		if (is_letters(i) && !world->recipients[i].kept)
			return i;
	}
	return NONE;
}

bool bringer_is_done(void)
{
	return next_recipient(0) == NONE;
}

static void on_done(struct letter_wait *wait, enum letter_result result, const char *sentence)
{
	struct bringing *b = container_of(wait, struct bringing, wait);

	b->is_busy = false;
	sim_trace("letter", result, b->indexes[0]);
	if (result == LETTER_REFUSED)
		sim_fail("a letter is refused: %s", sentence);
	if (result == LETTER_NO_ROOM) {
		if (world->healed || !(world->small_store || world->store_faults))
			sim_fail("there is room, and a letter finds none: %s", sentence);
		return;
	}
	for (u32 i = 0; i < wait->letter.recipient_count; i++)
		world->recipients[b->indexes[i]].kept = true;
	world->campaigns[world->campaign_count - 1].id = wait->id.campaign;
	world->campaigns[world->campaign_count - 1].acknowledged = true;
}

static void add_recipient(struct bringing *b, u32 index)
{
	struct letter *letter = &b->wait.letter;
	struct letter_recipient *to = &b->to[letter->recipient_count];
	char name[32];
	char padding[512];
	struct slice row[2];

	memset(padding, 'p', sizeof(padding));
	snprintf(name, sizeof(name), "name-%u", index);
	snprintf(b->addresses[letter->recipient_count], sizeof(b->addresses[0]), "r%u@d%u.example", index,
		 world->recipients[index].domain);
	row[0] = slice_of(name);
	row[1] = (struct slice){ padding, min_u32(world->padding, sizeof(padding)) };
	buf_reset(&b->values[letter->recipient_count]);
	row_values_pack(&b->values[letter->recipient_count], row, 2);
	*to = (struct letter_recipient){ .address = slice_of(b->addresses[letter->recipient_count]),
					 .values = buf_slice(&b->values[letter->recipient_count]) };
	b->indexes[letter->recipient_count++] = index;
}

/* What belongs to one letter depends on its first recipient alone: after a crash it is the same again. */
static void bring(struct bringing *b, u32 first)
{
	const struct sim_campaign *c = &world->campaigns[world->campaign_count - 1];
	u32 count = 1 + first % RECIPIENTS_MAX;

	for (u32 i = 0; i < RECIPIENTS_MAX; i++)
		buf_init(&b->values[i], 4096);
	buf_reset(&b->options);
	buf_init(&b->options, 4096);
	planner_options_pack(&(struct planner_options){ 0 }, &b->options);
	snprintf(b->key, sizeof(b->key), "letter/%u", first);
	b->wait = (struct letter_wait){
		.done = on_done,
		.letter = { .key = slice_of(b->key),
			    .customer = SLICE("a.example"),
			    .kind = LETTER_SUBMITTED,
			    .source = { .headers = SLICE("From: A <news@a.example>\n"
							 "Subject: hi {{name}}\n"),
					.text = SLICE("Dear {{name}},\n.dot\n..dots\nend\n"),
					.columns = SLICE("name\npadding"),
					.options = buf_slice(&b->options) },
			    .recipients = b->to,
			    .expire_after_ms = c->expire_ms },
	};
	for (u32 i = first; i != NONE && count > 0; i = next_recipient(i + 1), count--)
		add_recipient(b, i);
	b->is_busy = true;
	planner_letter_add(life.planner, &b->wait);
}

void bringer_turn(void)
{
	u32 first = next_recipient(0);

	life.next_letter_ns = world->mono_ns + sim_below(world->healed ? NS_PER_S : 20 * NS_PER_S);
	if (first == NONE || bringings[0].is_busy || bringings[1].is_busy || !life.recovered)
		return;
	bring(&bringings[0], first);
	if (sim_below(4) == 0)
		bring(&bringings[1], first);
	life.planner_wake = true;
}
