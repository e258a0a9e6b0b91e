/*
 * Intake: a new campaign and its recipients come in. Everything is durable before it is
 * acknowledged; a campaign exists for good only when its import was finished.
 */
#include "delivery/planner_parts.h"

#include "base/text.h"

#include <stdlib.h>
#include <string.h>

#define BATCH_TRIES 40 /* doublings of the map that one batch may need */

struct intake_domain {
	u32 number;
	u32 seq;
	u32 saved_seq;
	u32 batch; /* of the last change, for a batch that fails */
	char name[];
};

struct planner_intake {
	struct planner *planner;
	struct queue_campaign campaign;
	struct map domains;
	u32 batch;
	struct planner_placed *rows;
	struct slice *addresses;
	u32 size; /* of both */
};

static bool name_is_free(struct planner *planner, const char *name)
{
	struct queue_campaign other = { 0 };

	while (queue_campaign_next(planner->queue, other.id, &other) == STORE_OK) {
		if (strcmp(other.name, name) == 0 && !planner_is_erasing(planner, other.id))
			return false;
	}
	return true;
}

static bool store_source(struct planner *planner, u32 id, const struct planner_source *s)
{
	const struct {
		const char *name;
		struct slice bytes;
	} blobs[] = {
		{ "whole", s->whole }, { "headers", s->headers }, { "text", s->text },
		{ "html", s->html },   { "columns", s->columns }, { "options", s->options },
	};

	for (size_t i = 0; i < array_count(blobs); i++) {
		if (blobs[i].bytes.len > 0 &&
		    queue_blob_put(planner->queue, id, blobs[i].name, blobs[i].bytes) != STORE_OK)
			return false;
	}
	return true;
}

/* One transaction; tried again with a larger map when it was full. */
static bool create(struct planner *planner, struct queue_campaign *campaign,
		   const struct planner_source *source, struct error *error)
{
	for (u32 tries = 0; tries < BATCH_TRIES; tries++) {
		if (!planner_begin(planner, error))
			return false;
		if (!name_is_free(planner, campaign->name)) {
			queue_abort(planner->queue);
			return error_set(error, "there is a campaign named \"%s\" already",
					 campaign->name);
		}
		if (queue_campaign_create(planner->queue, campaign) == STORE_OK &&
		    store_source(planner, campaign->id, source) && planner_commit(planner, error))
			return true;
		queue_abort(planner->queue);
		if (!queue_grow(planner->queue))
			break;
	}
	return error_set(error, "the queue takes no campaign: %s",
			 queue_error_text(planner->queue));
}

struct planner_intake *planner_intake_begin(struct planner *planner,
					    struct queue_campaign *campaign,
					    const struct planner_source *source,
					    struct error *error)
{
	const struct config_customer *customer =
		config_customer_of(planner->config, slice_of(campaign->customer));
	struct planner_intake *intake;
	struct message *message;
	struct message_facts facts;
	size_t columns;

	if (!customer) {
		error_set(error, "customer %s is not in the configuration", campaign->customer);
		return NULL;
	}
	if (!planner_takes_recipients(planner, error))
		return NULL;
	message = planner_compile(planner, customer, campaign->name, source, &columns, error);
	if (!message)
		return NULL;
	message_facts(message, &facts);
	message_free(message);
	if (strcmp(facts.from_domain, customer->domain) != 0) {
		error_set(error,
			  "%s: From is of %s, but the customer's domain is %s: it would not align",
			  campaign->name, facts.from_domain, customer->domain);
		return NULL;
	}
	intake = calloc(1, sizeof(*intake));
	if (!intake) {
		error_set(error, "out of memory for an import");
		return NULL;
	}
	campaign->state = CAMPAIGN_IMPORTING;
	campaign->created_ms = planner->time.wall_ms;
	if (!create(planner, campaign, source, error)) {
		free(intake);
		return NULL;
	}
	intake->planner = planner;
	intake->campaign = *campaign;
	map_init(&intake->domains);
	return intake;
}

static struct intake_domain *domain_of(struct planner_intake *intake, struct slice name)
{
	struct intake_domain *domain = map_find(&intake->domains, name);

	if (domain)
		return domain;
	domain = calloc(1, sizeof(*domain) + name.len + 1);
	if (!domain)
		return NULL;
	memcpy(domain->name, name.ptr, name.len);
	if (!map_add(&intake->domains, (struct slice){ domain->name, name.len }, domain)) {
		free(domain);
		return NULL;
	}
	return domain;
}

static bool add_row(struct planner_intake *intake, const struct planner_recipient *r,
		    struct planner_placed *placed)
{
	struct queue *queue = intake->planner->queue;
	struct queue_row row = { .ref = { .place = ROW_LANE },
				 .address = r->address,
				 .values = r->values };
	struct slice name = address_wire_domain(r->address);
	struct intake_domain *domain;

	domain = domain_of(intake, name);
	if (!domain)
		return false;
	if (domain->batch != intake->batch) {
		domain->batch = intake->batch;
		domain->saved_seq = domain->seq;
	}
	/* A lane made in a batch that failed is made again: its number was not kept. */
	if (domain->seq == 0 &&
	    queue_lane_create(queue, &intake->campaign, name, &domain->number) != STORE_OK)
		return false;
	row.ref.id = (struct row_id){ intake->campaign.id, domain->number, ++domain->seq };
	*placed = (struct planner_placed){ domain->number, domain->seq, r->address };
	return queue_row_put(queue, &row) == STORE_OK;
}

static int compare_rows(const void *a, const void *b)
{
	const struct planner_placed *x = a;
	const struct planner_placed *y = b;

	if (x->lane != y->lane)
		return x->lane < y->lane ? -1 : 1;
	return x->seq < y->seq ? -1 : x->seq > y->seq;
}

bool planner_note_placed(struct planner *planner, u32 campaign, struct planner_placed *rows,
			 struct slice *addresses, u32 count)
{
	u32 end;

	qsort(rows, count, sizeof(*rows), compare_rows);
	for (u32 at = 0; at < count; at = end) {
		const struct planner_placed *first = &rows[at];
		const struct row_id id = { campaign, first->lane, first->seq };

		for (end = at; end < count && rows[end].lane == first->lane; end++)
			addresses[end - at] = rows[end].address;
		if (queue_recipients_put(planner->queue, &id, planner->time.age_ms, addresses,
					 end - at, false) != STORE_OK)
			return false;
	}
	return true;
}

static bool make_room(struct planner_intake *intake, u32 count, struct error *error)
{
	struct planner_placed *rows;
	struct slice *addresses;

	if (count <= intake->size)
		return true;
	rows = realloc(intake->rows, count * sizeof(*rows));
	if (rows)
		intake->rows = rows;
	addresses = rows ? realloc(intake->addresses, count * sizeof(*addresses)) : NULL;
	if (!addresses)
		return error_set(error, "out of memory for recipients");
	intake->addresses = addresses;
	intake->size = count;
	return true;
}

static void undo_batch(struct planner_intake *intake)
{
	struct intake_domain *domain;
	u32 at = 0;

	while ((domain = map_next(&intake->domains, &at))) {
		if (domain->batch == intake->batch)
			domain->seq = domain->saved_seq;
	}
}

static bool add_batch(struct planner_intake *intake, const struct planner_recipient *recipients,
		      u32 count, struct error *error)
{
	struct planner *planner = intake->planner;
	bool ok = true;

	if (!make_room(intake, count, error) || !planner_begin(planner, error))
		return false;
	for (u32 i = 0; ok && i < count; i++)
		ok = add_row(intake, &recipients[i], &intake->rows[i]);
	if (!ok || !planner_note_placed(planner, intake->campaign.id, intake->rows,
					intake->addresses, count)) {
		queue_abort(planner->queue);
		return error_set(error, "recipients could not be stored: %s",
				 queue_error_text(planner->queue));
	}
	intake->campaign.total += count;
	if (queue_campaign_put(planner->queue, &intake->campaign) != STORE_OK) {
		queue_abort(planner->queue);
		return error_set(error, "%s", queue_error_text(planner->queue));
	}
	return planner_commit(planner, error);
}

bool planner_intake_add(struct planner_intake *intake, const struct planner_recipient *recipients,
			u32 count, struct error *error)
{
	struct queue_campaign saved = intake->campaign;

	/* What is left is for results and recovery: an import must not take it. */
	if (!planner_takes_recipients(intake->planner, error))
		return false;
	for (u32 tries = 0; tries < BATCH_TRIES; tries++) {
		intake->batch++;
		if (add_batch(intake, recipients, count, error))
			return true;
		undo_batch(intake);
		intake->campaign = saved;
		if (!queue_grow(intake->planner->queue))
			break;
	}
	return false;
}

static void free_intake(struct planner_intake *intake)
{
	struct intake_domain *domain;
	u32 at = 0;

	while ((domain = map_next(&intake->domains, &at)))
		free(domain);
	map_done(&intake->domains);
	free(intake->rows);
	free(intake->addresses);
	free(intake);
}

bool planner_intake_finish(struct planner_intake *intake, struct queue_campaign *campaign,
			   struct error *error)
{
	struct planner *planner = intake->planner;
	bool ok = planner_begin(planner, error);

	intake->campaign.state = CAMPAIGN_READY;
	if (ok && queue_campaign_put(planner->queue, &intake->campaign) != STORE_OK) {
		queue_abort(planner->queue);
		ok = error_set(error, "%s", queue_error_text(planner->queue));
	} else if (ok) {
		ok = planner_commit(planner, error);
	}
	*campaign = intake->campaign;
	if (ok)
		free_intake(intake);
	else
		planner_intake_abort(intake);
	return ok;
}

void planner_intake_abort(struct planner_intake *intake)
{
	planner_erase(intake->planner, intake->campaign.id);
	free_intake(intake);
}

/* ---- options of a campaign ---- */

void planner_options_pack(const struct planner_options *o, struct buf *out)
{
	buf_add_char(out, 1); /* layout */
	buf_add_char(out, (char)o->charset);
	buf_add_char(out, (char)o->encoding);
	buf_add_char(out, (char)(o->require_unsubscribe | o->literal << 1));
	buf_add_slice(out, o->unsubscribe_url);
	buf_add_char(out, '\n');
	buf_add_slice(out, o->unsubscribe_mailto);
}

bool planner_options_unpack(struct planner_options *o, struct slice packed)
{
	struct slice rest = slice_from(packed, 4);

	if (packed.len < 4 || packed.ptr[0] != 1)
		return false;
	o->charset = (u8)packed.ptr[1];
	o->encoding = (u8)packed.ptr[2];
	o->require_unsubscribe = packed.ptr[3] & 1;
	o->literal = packed.ptr[3] & 2;
	o->unsubscribe_url = slice_split(&rest, '\n');
	o->unsubscribe_mailto = rest.ptr ? rest : SLICE_NONE;
	return o->charset <= MESSAGE_ISO_2022_JP && o->encoding <= MESSAGE_ENCODING_8BIT;
}
