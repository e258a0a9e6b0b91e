/*
 * The promises, checked against the ledger: every recipient is at exactly one place, nothing was
 * accepted twice but what is on the in-doubt list, nothing is called delivered that nobody took, the
 * counters are what the log says, limits hold.
 */
#include "sim.h"

#include "base/text.h"
#include "delivery/worker_parts.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define SILENCE_NS (11 * 60 * NS_PER_S) /* the longest timeout (10 min behind the dot) and some more */
#define LATE_NS (150 * NS_PER_S) /* to ask again: the answer takes its time */

#define REST_NS (280 * NS_PER_S) /* the longest wait of the schedule with its jitter, and some more */

struct tally {
	u32 places;
	u32 finals;
	u32 doubts;
	bool delivered;
	u64 rests_due_ms; /* due time of a deferred row that is not in the planner's memory; 0: none */
};

struct sums {
	bool known;
	struct queue_campaign record;
	u64 delivered, failed, expired, cancelled, deferrals, deferred, doubts, held;
	u64 rows; /* that wait */
};

static struct tally tallies[SIM_RECIPIENTS_MAX];
static struct sums sums[SIM_CAMPAIGNS];
/* Its oldest entries went for want of room: what they told is not known here. */
static bool log_is_cut;

u32 check_recipient_of(struct slice address)
{
	char text[64];
	unsigned index;

	slice_copy(text, sizeof(text), address);
	if (sscanf(text, "r%u@", &index) != 1 || index >= world->recipient_count)
		sim_fail("the store holds an address that nobody put there: %s", text);
	return index;
}

/* The campaign with that id; NULL: one whose import is under way or was dropped. */
static struct sums *sums_of(u32 id)
{
	for (u32 i = 0; i < world->campaign_count; i++) {
		if (sums[i].known && sums[i].record.id == id)
			return &sums[i];
	}
	return NULL;
}

static void read_campaigns(struct queue *queue)
{
	struct queue_campaign c = { 0 };

	memset(sums, 0, sizeof(sums));
	while (queue_campaign_next(queue, c.id, &c) == STORE_OK) {
		const u32 index = c.kind == CAMPAIGN_LETTERS ? world->campaign_count - 1 :
							       (u32)(c.name[9] - 'a');

		if (c.state == CAMPAIGN_IMPORTING || index >= world->campaign_count)
			continue;
		if (sums[index].known)
			sim_fail("campaign %u is there twice", index);
		sums[index].known = true;
		sums[index].record = c;
	}
	for (u32 i = 0; i < world->campaign_count; i++) {
		if (world->campaigns[i].acknowledged && !sums[i].known)
			sim_fail("campaign %u was acknowledged and is gone", i);
	}
}

static void place_row(const struct queue_row *row)
{
	struct sums *s = sums_of(row->ref.id.campaign);
	u32 index;

	if (!s)
		return;
	index = check_recipient_of(row->address);
	tallies[index].places++;
	if (row->ref.place == ROW_DEFERRED &&
	    row->ref.due_ms > planner_due_cursor(life.planner).due_ms)
		tallies[index].rests_due_ms = row->ref.due_ms;
	s->deferred += row->ref.place == ROW_DEFERRED &&
		       (s->record.kind != CAMPAIGN_LETTERS || row->attempts > 0);
	s->rows++;
	s->held += row->ref.place == ROW_DOUBT;
}

static void read_rows(struct queue *queue)
{
	struct row_ref at = { .place = ROW_DEFERRED };
	struct queue_lane lane;
	struct queue_row row;

	while (queue_row_next(queue, &at, UINT64_MAX, &row) == STORE_OK) {
		at = row.ref;
		place_row(&row);
	}
	at = (struct row_ref){ .place = ROW_DOUBT };
	while (queue_row_next(queue, &at, 0, &row) == STORE_OK) {
		at = row.ref;
		place_row(&row);
	}
	for (u32 i = 0; i < world->campaign_count; i++) {
		lane.number = 0;
		while (sums[i].known && queue_lane_next(queue, sums[i].record.id, lane.number, &lane) ==
						STORE_OK) {
			at = (struct row_ref){ .place = ROW_LANE,
					       .id = { sums[i].record.id, lane.number, 0 } };
			while (queue_row_next(queue, &at, 0, &row) == STORE_OK) {
				at = row.ref;
				place_row(&row);
			}
		}
	}
}

static void read_entry(const struct queue_log_entry *entry)
{
	struct sums *s = sums_of(entry->id.campaign);
	struct tally *t = &tallies[check_recipient_of(entry->address)];

	if (!s)
		sim_fail("the log tells of campaign %u, which is not there", entry->id.campaign);
	s->delivered += entry->outcome == LOG_DELIVERED;
	s->failed += entry->outcome == LOG_FAILED || entry->outcome == LOG_EXPIRED;
	s->expired += entry->outcome == LOG_EXPIRED;
	s->cancelled += entry->outcome == LOG_CANCELLED;
	s->deferrals += entry->outcome == LOG_DEFERRED;
	s->doubts += entry->outcome == LOG_IN_DOUBT || entry->outcome == LOG_HELD;
	t->doubts += entry->outcome == LOG_IN_DOUBT || entry->outcome == LOG_HELD;
	t->delivered |= entry->outcome == LOG_DELIVERED;
	t->finals += entry->outcome == LOG_DELIVERED || entry->outcome == LOG_FAILED ||
		     entry->outcome == LOG_EXPIRED || entry->outcome == LOG_CANCELLED;
}

static void read_log(struct queue *queue)
{
	struct queue_log_entry entry = { 0 };
	bool any = false;

	log_is_cut = false;
	while (queue_log_next(queue, entry.number, &entry) == STORE_OK) {
		log_is_cut |= !any && entry.number > 1;
		any = true;
		read_entry(&entry);
	}
	if (log_is_cut && !world->small_store)
		sim_fail("the log lost its oldest entries though there is room");
}

static void check_recipient(u32 index, bool recovered)
{
	const struct sim_recipient *r = &world->recipients[index];
	const struct tally *t = &tallies[index];

	if (!sums[r->campaign].known)
		return;
	/* A letter may be kept already, and the sender have died before it could say so. */
	if (sums[r->campaign].record.kind == CAMPAIGN_LETTERS && !r->kept && t->places + t->finals == 0)
		return;
	if (log_is_cut && t->places + t->finals == 0)
		return;
	if (t->places + t->finals != 1)
		sim_fail("recipient %u of campaign %u is at %u places and final %u times", index, r->campaign,
			 t->places, t->finals);
	if (log_is_cut)
		return;
	if (r->accepted > 1 + t->doubts)
		sim_fail("recipient %u was accepted %u times and in doubt %u times", index, r->accepted,
			 t->doubts);
	if (t->delivered && r->accepted == 0)
		sim_fail("recipient %u is called delivered, nobody took it", index);
	if (t->finals && !t->delivered && r->accepted > 0 && t->doubts == 0)
		sim_fail("recipient %u was accepted and never in doubt, and is called failed", index);
	if (recovered && r->accepted > 0 && !t->delivered && t->doubts == 0)
		sim_fail("recipient %u was accepted; after the restart nobody knows", index);
}

/* Nothing is at rest for longer than a row may have to wait, whatever the wall clock says. */
static void check_rest(u32 index)
{
	struct sim_recipient *r = &world->recipients[index];
	const u64 due_ms = tallies[index].rests_due_ms;

	if (due_ms != r->rests_due_ms) {
		r->rests_due_ms = due_ms;
		r->rests_ns = sim_alive_ns();
	}
	if (due_ms && sim_alive_ns() - r->rests_ns > (i64)REST_NS)
		sim_fail("recipient %u is at rest for %lld s", index,
			 (long long)((sim_alive_ns() - r->rests_ns) / (i64)NS_PER_S));
}

static void same(u32 campaign, const char *what, u64 record, u64 counted)
{
	if (record != counted)
		sim_fail("campaign %u: %s is %llu, the store holds %llu", campaign, what,
			 (unsigned long long)record, (unsigned long long)counted);
}

static void check_campaign(u32 index)
{
	const struct sums *s = &sums[index];
	const struct queue_campaign *c = &s->record;

	if (!s->known)
		return;
	same(index, "deferred", c->deferred, s->deferred);
	same(index, "held", c->held, s->held);
	if (log_is_cut)
		return;
	same(index, "delivered", c->delivered, s->delivered);
	same(index, "failed", c->failed, s->failed);
	same(index, "expired", c->expired, s->expired);
	same(index, "cancelled", c->cancelled, s->cancelled);
	same(index, "deferrals", c->deferrals, s->deferrals);
	same(index, "doubts", c->doubts, s->doubts);
	same(index, "total", c->total, s->rows + s->delivered + s->failed + s->cancelled);
}

void check_store(bool recovered)
{
	struct queue *queue = planner_queue(life.planner);

	memset(tallies, 0, sizeof(tallies));
	if (queue_begin(queue) != STORE_OK)
		sim_fail("the store cannot be read: %s", queue_error_text(queue));
	read_campaigns(queue);
	read_rows(queue);
	read_log(queue);
	queue_abort(queue);
	world->doubts = 0;
	for (u32 i = 0; i < world->recipient_count; i++) {
		check_recipient(i, recovered);
		/* Right after a start all is at rest; without room, so is what cannot be moved. */
		if (!recovered && !world->small_store && !world->store_faults)
			check_rest(i);
		world->doubts += tallies[i].doubts;
	}
	for (u32 i = 0; i < world->campaign_count; i++)
		check_campaign(i);
	sim_trace("checked", world->doubts, world->copies);
}

void check_connections(void)
{
	for (u32 i = 0; i < SIM_CONNS_MAX; i++) {
		const struct sim_conn *conn = &world->conns[i];

		if (!conn->used || !conn->client_open)
			continue;
		if (world->mono_ns - conn->active_ns > SILENCE_NS)
			sim_fail("a session outlives its timeouts: %llu s without a sign",
				 (unsigned long long)((world->mono_ns - conn->active_ns) / NS_PER_S));
	}
}

/* ---- where rows go ---- */

/*
 * Hosts 0 and 1 are preferred to 2, or the other way round. A host that an incomplete answer lacks
 * stands where the answer before had it.
 */
static u32 hosts_of(const struct path *path, u32 *site, const struct sim_domain *d)
{
	const bool turned = d->told_turned;
	u32 hosts = 0;
	u32 before = turned ? SIM_HOSTS - 1 : 0;
	u32 host;

	for (u32 i = 0; i < path->host_count; i++) {
		if (sscanf(path_text(path, path->hosts[i]), "h%u.s%u.", &host, site) != 2)
			sim_fail("a path to a host that nobody listed");
		hosts |= 1u << host;
		if (!(d->told_hosts >> host & 1))
			continue;
		if (turned ? host / 2 > before / 2 : host / 2 < before / 2)
			sim_fail("host %u comes behind host %u, which is worse", host, before);
		before = host;
	}
	return hosts;
}

/* A row goes where its domain's last answer says, and that answer is not out of date. */
void check_destination(u32 recipient, const struct path *path)
{
	const u32 number = world->recipients[recipient].domain;
	const struct sim_domain *d = &world->domains[number];
	u32 site = SIM_SITES;
	u32 hosts = hosts_of(path, &site, d);

	if (!d->told)
		sim_fail("a row of domain %u was lent, which takes no mail or was not asked", number);
	if (site != d->told_site)
		sim_fail("a row of domain %u was lent to site %u; by now it is at %u", number, site,
			 d->told_site);
	if (d->told_incomplete ? (hosts & d->told_hosts) != d->told_hosts : hosts != d->told_hosts)
		sim_fail("a row of domain %u was lent to hosts %x of its site; it lists %x", number,
			 hosts, d->told_hosts);
	if (world->mono_ns > d->told_until_ns + LATE_NS)
		sim_fail("a row of domain %u was lent by an answer that is over since %llu s", number,
			 (unsigned long long)((world->mono_ns - d->told_until_ns) / NS_PER_S));
}

/* ---- limits ---- */

static u32 count_sessions(const struct session *like)
{
	const char *key = like->route->key;
	u32 count = 0;

	for (u32 i = 0; i < world->worker_count; i++) {
		list_for_each(node, &life.workers[i]->sessions_all)
			count += strcmp(list_entry(node, struct session, all)->route->key, key) == 0;
	}
	return count;
}

/* Sessions of all workers to one site from one source address. */
void check_session_limits(void)
{
	for (u32 i = 0; i < world->worker_count; i++) {
		list_for_each(node, &life.workers[i]->sessions_all) {
			const struct session *session = list_entry(node, struct session, all);
			const char *host = path_text(session->path, session->path->hosts[0]);
			const struct config_site *limits =
				config_site_of(&life.config, slice_of(host));
			u32 count = count_sessions(session);

			if (count > limits->sessions)
				sim_fail("site %s: %u sessions, %u are allowed",
					 path_text(session->path, session->path->site), count,
					 limits->sessions);
		}
	}
}
