/*
 * The operator: brings campaigns in, gives orders at random times, sets the wall clock wrong, and at the
 * end resumes and settles what waits for a person.
 */
#include "sim.h"

#include "base/text.h"
#include "store/row_values.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define BATCH 40
#define PADDING_MAX 512

/* ---- import ---- */

static void make_campaign(u32 index, struct queue_campaign *campaign)
{
	const struct sim_campaign *c = &world->campaigns[index];

	*campaign = (struct queue_campaign){ .doubt_policy = c->doubt_policy,
					     .kind = (world->seed + index) % 3 == 0 ?
							     CAMPAIGN_TRANSACTIONAL :
							     CAMPAIGN_BULK,
					     .expire_after_ms = c->expire_ms };
	snprintf(campaign->name, sizeof(campaign->name), "campaign-%c", (char)('a' + index));
	snprintf(campaign->customer, sizeof(campaign->customer), "a.example");
}

static bool add_recipients(struct planner_intake *intake, u32 index, struct error *error)
{
	struct planner_recipient batch[BATCH];
	char addresses[BATCH][64];
	struct buf values[BATCH];
	char padding[PADDING_MAX];
	bool ok = true;

	memset(padding, 'p', sizeof(padding));
	for (u32 i = 0; i < BATCH; i++)
		buf_init(&values[i], 4096);
	for (u32 at = 0; ok && at < world->recipient_count;) {
		u32 count = 0;

		for (; at < world->recipient_count && count < BATCH; at++) {
			char name[32];
			struct slice row[2];

			if (world->recipients[at].campaign != index)
				continue;
			snprintf(addresses[count], sizeof(addresses[count]), "r%u@d%u.example", at,
				 world->recipients[at].domain);
			snprintf(name, sizeof(name), "name-%u", at);
			row[0] = slice_of(name);
			row[1] = (struct slice){ padding, world->padding };
			buf_reset(&values[count]);
			row_values_pack(&values[count], row, 2);
			batch[count] = (struct planner_recipient){ slice_of(addresses[count]),
								   buf_slice(&values[count]) };
			count++;
		}
		ok = count == 0 || planner_intake_add(intake, batch, count, error);
	}
	for (u32 i = 0; i < BATCH; i++)
		buf_done(&values[i]);
	return ok;
}

static bool import_one(u32 index, struct queue_campaign *campaign, struct error *error)
{
	struct buf options;
	struct planner_source source = { .headers = SLICE("From: A <news@a.example>\nSubject: hi {{name}}\n"),
					 .text = SLICE("Dear {{name}},\n.dot\n..dots\nend\n"),
					 .columns = SLICE("name\npadding") };
	struct planner_intake *intake;

	buf_init(&options, 4096);
	planner_options_pack(&(struct planner_options){ 0 }, &options);
	source.options = buf_slice(&options);
	make_campaign(index, campaign);
	intake = planner_intake_begin(life.planner, campaign, &source, error);
	buf_done(&options);
	if (!intake)
		return false;
	if (!add_recipients(intake, index, error)) {
		planner_intake_abort(intake);
		return false;
	}
	return planner_intake_finish(intake, campaign, error);
}

/* Brings in what is not there yet; a store that is too small may refuse. */
void operator_import(void)
{
	for (u32 i = 0; i < world->campaign_count - world->has_letters; i++) {
		struct queue_campaign campaign;
		struct error error = { "" };
		char name[64];
		bool there;

		make_campaign(i, &campaign);
		snprintf(name, sizeof(name), "%s", campaign.name);
		there = planner_campaign_find(life.planner, slice_of(name), &campaign, &error);
		if (there && campaign.state == CAMPAIGN_IMPORTING)
			sim_fail("campaign %u is being imported by nobody", i);
		if (!there && !import_one(i, &campaign, &error)) {
			sim_trace("refused", i, 0);
			world->refused_imports++;
			if ((!world->small_store && !world->store_faults) || world->healed)
				sim_fail("campaign %u was refused: %s", i, error.text);
			continue;
		}
		if (!world->campaigns[i].acknowledged)
			world->campaigns[i].id = campaign.id;
		world->campaigns[i].acknowledged = true;
		if (campaign.state == CAMPAIGN_READY &&
		    !planner_campaign_start(life.planner, campaign.id, &error) && !world->small_store &&
		    !world->store_faults)
			sim_fail("campaign %u does not start: %s", i, error.text);
	}
}

/* ---- what is known of the state at the start of a life ---- */

static void read_campaigns(void)
{
	struct queue_campaign c = { 0 };

	while (queue_campaign_next(planner_queue(life.planner), c.id, &c) == STORE_OK) {
		for (u32 i = 0; i < world->campaign_count; i++) {
			if (world->campaigns[i].id != c.id)
				continue;
			life.paused[i] = c.state == CAMPAIGN_PAUSED;
			life.cancelled[i] = c.state == CAMPAIGN_CANCELLED;
		}
	}
}

void operator_read_state(void)
{
	struct queue *queue = planner_queue(life.planner);
	struct slice prefix = SLICE("suspended/");
	struct slice name = SLICE_NONE;
	struct slice value;
	char after[300] = "";

	if (queue_begin(queue) != STORE_OK)
		sim_fail("the store cannot be read");
	read_campaigns();
	while (queue_setting_next(queue, prefix, slice_of(after), &name, &value) == STORE_OK &&
	       life.suspended_count < SIM_SUSPENDED_MAX) {
		slice_copy(after, sizeof(after), name);
		slice_copy(life.suspended[life.suspended_count++], 256, slice_from(name, prefix.len));
	}
	queue_abort(queue);
}

/* ---- orders ---- */

static void set_campaign(u32 index)
{
	struct sim_campaign *c = &world->campaigns[index];
	struct error error;
	const u64 what = sim_below(20);

	if (!c->acknowledged)
		return;
	sim_trace("campaign", index, what);
	if (what == 0) {
		struct planner_sweep *sweep = planner_campaign_cancel(life.planner, c->id, &error);

		life.cancelled[index] |= sweep != NULL;
		planner_sweep_leave(sweep);
	} else if (what < 8 && planner_campaign_pause(life.planner, c->id, &error))
		life.paused[index] = true;
	else if (what >= 8 && planner_campaign_resume(life.planner, c->id, &error))
		life.paused[index] = false;
}

struct choice {
	u32 left;
	char name[256];
};

static bool choose_site(void *context, const struct planner_route_status *status)
{
	struct choice *choice = context;

	snprintf(choice->name, sizeof(choice->name), "%s", status->site);
	return choice->left-- > 0;
}

static void suspend_site(void)
{
	struct choice choice = { .left = (u32)sim_below(8) };
	struct error error;

	planner_routes(life.planner, sim_mono_ns(), choose_site, &choice);
	if (!choice.name[0] || life.suspended_count == SIM_SUSPENDED_MAX)
		return;
	for (u32 i = 0; i < life.suspended_count; i++) {
		if (strcmp(life.suspended[i], choice.name) == 0)
			return;
	}
	sim_trace("suspend", 0, 0);
	if (planner_site_suspend(life.planner, slice_of(choice.name), &error))
		snprintf(life.suspended[life.suspended_count++], 256, "%s", choice.name);
}

static void resume_site(void)
{
	struct error error;
	u32 at;

	if (life.suspended_count == 0)
		return;
	at = (u32)sim_below(life.suspended_count);
	sim_trace("unsuspend", at, 0);
	if (!planner_site_resume(life.planner, slice_of(life.suspended[at]), &error))
		return;
	life.suspended_count--;
	memmove(life.suspended[at], life.suspended[at + 1],
		(life.suspended_count - at) * sizeof(life.suspended[0]));
}

static void sweep(u64 what)
{
	struct planner_filter filter = { 0 };
	struct planner_sweep *order;
	struct error error;
	char text[64];

	snprintf(text, sizeof(text), "d%llu.example", (unsigned long long)sim_below(SIM_DOMAINS));
	if (sim_below(3) > 0)
		filter.domain = slice_of(text);
	else
		filter.campaign = world->campaigns[sim_below(world->campaign_count)].id;
	if (what == 0)
		order = planner_retry(life.planner, &(struct planner_filter){ 0 }, &error);
	else if (what == 1)
		order = planner_bounce(life.planner, &filter, &error);
	else
		order = planner_doubt_settle(life.planner, &filter, what == 2, &error);
	planner_sweep_leave(order);
	sim_trace("sweep", what, order != NULL);
}

void operator_command(void)
{
	life.next_command_ns = world->mono_ns + sim_below(40 * NS_PER_S);
	life.planner_wake = true;
	switch (sim_below(12)) {
	case 0:
	case 1:
	case 2:
		set_campaign((u32)sim_below(world->campaign_count));
		break;
	case 3:
		suspend_site();
		break;
	case 4:
	case 5:
		resume_site();
		break;
	case 6:
		clock_sim_jump();
		break;
	case 7:
	case 8:
	case 9:
		sweep(sim_below(4));
		break;
	case 10:
		/* Somebody else fills the disk for a while. */
		if (world->store_faults)
			world->no_room_until_ns = world->mono_ns + sim_below(200 * NS_PER_S);
		break;
	default:
		break;
	}
}

void operator_heal(void)
{
	struct error error;

	life.next_command_ns = world->mono_ns + 30 * NS_PER_S;
	life.planner_wake = true;
	for (u32 i = 0; i < world->campaign_count; i++) {
		if (life.paused[i] &&
		    planner_campaign_resume(life.planner, world->campaigns[i].id, &error))
			life.paused[i] = false;
	}
	resume_site();
	planner_sweep_leave(planner_doubt_settle(life.planner, &(struct planner_filter){ 0 }, sim_below(2),
						 &error));
}

bool operator_is_done(void)
{
	struct queue *queue = planner_queue(life.planner);
	bool done = true;

	if (queue_begin(queue) != STORE_OK)
		sim_fail("the store cannot be read");
	for (u32 i = 0; i < world->campaign_count && done; i++) {
		struct queue_campaign c;

		if (world->has_letters && i + 1 == world->campaign_count)
			done = bringer_is_done() &&
			       (!world->campaigns[i].acknowledged ||
				(queue_campaign_get(queue, world->campaigns[i].id, &c) == STORE_OK &&
				 c.delivered + c.failed + c.cancelled == c.total));
		else
			done = queue_campaign_get(queue, world->campaigns[i].id, &c) == STORE_OK &&
			       c.finished_ms != 0;
	}
	queue_abort(queue);
	return done;
}

void operator_fail_unfinished(void)
{
	struct queue *queue = planner_queue(life.planner);
	struct queue_row row;
	struct queue_campaign c;
	struct row_ref at = { .place = ROW_DEFERRED };
	char where[64] = "in its lane";

	if (queue_begin(queue) != STORE_OK)
		sim_fail("the store cannot be read");
	for (u32 i = 0; i < world->campaign_count; i++) {
		if (queue_campaign_get(queue, world->campaigns[i].id, &c) == STORE_OK && !c.finished_ms)
			break;
	}
	if (queue_row_next(queue, &at, UINT64_MAX, &row) == STORE_OK)
		snprintf(where, sizeof(where), "deferred until %llu of %llu",
			 (unsigned long long)row.ref.due_ms,
			 (unsigned long long)planner_due_now(life.planner));
	sim_fail("the work does not come to its end: campaign %s is %s, %llu of %llu done, %llu deferred, "
		 "%llu held; a row is %s", c.name, queue_campaign_state_name(c.state),
		 (unsigned long long)(c.delivered + c.failed + c.cancelled), (unsigned long long)c.total,
		 (unsigned long long)c.deferred, (unsigned long long)c.held, where);
}
