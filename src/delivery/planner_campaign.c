/*
 * Campaigns in memory: loaded when they run, with their message compiled; written with every commit
 * that changed them; let go when they are done.
 */
#include "delivery/planner_parts.h"

#include "base/check.h"
#include "base/log.h"
#include "base/text.h"

#include <stdlib.h>
#include <string.h>

static struct slice id_key(const u32 *id)
{
	return (struct slice){ (const char *)id, sizeof(*id) };
}

struct planner_campaign *planner_campaign(struct planner *planner, u32 id)
{
	return map_find(&planner->campaign_map, id_key(&id));
}

/* ---- compiling ---- */

static const struct dkim_key *key_of(struct planner *planner,
				     const struct config_customer *customer, size_t index)
{
	size_t at = (size_t)(customer - planner->config->customers);

	return &planner->keys[at * CONFIG_DKIM_MAX + index];
}

static size_t split_columns(struct slice text, struct slice *columns, size_t max)
{
	size_t count = 0;

	while (text.ptr && text.len > 0 && count < max)
		columns[count++] = slice_split(&text, '\n');
	return count;
}

struct message *planner_compile(struct planner *planner, const struct config_customer *customer,
				const char *name, const struct planner_source *source,
				size_t *column_count, struct error *error)
{
	struct slice columns[MESSAGE_COLUMNS_MAX];
	const struct dkim_key *keys[CONFIG_DKIM_MAX];
	struct planner_options options;
	struct message_source ms = { .name = name,
				     .whole = source->whole,
				     .headers = source->headers,
				     .text = source->text,
				     .html = source->html };
	struct message_options mo = { .columns = columns, .keys = keys };

	if (!planner_options_unpack(&options, source->options)) {
		error_set(error, "the campaign's options are damaged");
		return NULL;
	}
	mo.charset = options.charset;
	mo.encoding = options.encoding;
	mo.require_unsubscribe = options.require_unsubscribe;
	mo.literal = options.literal;
	mo.unsubscribe_url = options.unsubscribe_url;
	mo.unsubscribe_mailto = options.unsubscribe_mailto;
	/* What needs none (transactional mail) gets it only when it asks for it. */
	if (options.require_unsubscribe && mo.unsubscribe_url.len == 0 && customer->unsubscribe_url)
		mo.unsubscribe_url = slice_of(customer->unsubscribe_url);
	if (options.require_unsubscribe && mo.unsubscribe_mailto.len == 0 &&
	    customer->unsubscribe_mailto)
		mo.unsubscribe_mailto = slice_of(customer->unsubscribe_mailto);
	mo.column_count = split_columns(source->columns, columns, MESSAGE_COLUMNS_MAX);
	mo.key_count = customer->sign ? customer->dkim_count : 0;
	for (size_t i = 0; i < mo.key_count; i++)
		keys[i] = key_of(planner, customer, i);
	*column_count = mo.column_count;
	return message_compile(&ms, &mo, error);
}

static bool get_blob(struct planner *planner, u32 id, const char *name, struct buf *copy,
		     struct slice *out)
{
	struct slice stored;
	enum store_result result = queue_blob_get(planner->queue, id, name, &stored);

	if (result == STORE_NOT_FOUND)
		return true;
	if (result != STORE_OK)
		return false;
	buf_add_slice(copy, stored);
	*out = buf_slice(copy);
	return !copy->failed;
}

/* Reads the source back and compiles it; within a transaction. */
static bool compile_stored(struct planner *planner, struct planner_campaign *c, struct error *error)
{
	static const char *const names[] = { "whole", "headers", "text",
					     "html",  "columns", "options" };
	struct planner_source source = { 0 };
	struct slice *parts[] = { &source.whole, &source.headers, &source.text,
				  &source.html,	 &source.columns, &source.options };
	struct buf copies[array_count(names)];
	struct message *message = NULL;
	size_t columns;
	bool ok = true;

	for (size_t i = 0; i < array_count(names); i++)
		buf_init(&copies[i], MESSAGE_TEMPLATE_MAX);
	for (size_t i = 0; i < array_count(names) && ok; i++)
		ok = get_blob(planner, c->record.id, names[i], &copies[i], parts[i]);
	if (ok)
		message = planner_compile(planner, c->customer, c->record.name, &source, &columns,
					  error);
	else
		error_set(error, "campaign %s: its source cannot be read: %s", c->record.name,
			  queue_error_text(planner->queue));
	for (size_t i = 0; i < array_count(names); i++)
		buf_done(&copies[i]);
	if (!message)
		return false;
	c->mailing =
		mailing_make(&c->record, message, columns, c->customer->bounce, planner->secret);
	if (!c->mailing) {
		message_free(message);
		return error_set(error, "out of memory for campaign %s", c->record.name);
	}
	return true;
}

/* ---- in memory ---- */

static void begin_rate(struct planner *planner, struct planner_campaign *c)
{
	c->rate = (struct rate){ 0 };
	c->rate_delivered = c->record.delivered;
	c->rate_ns = planner->now_ns;
}

static void free_campaign(struct planner *planner, struct planner_campaign *c)
{
	list_unlink(&c->node);
	map_remove(&planner->campaign_map, id_key(&c->record.id));
	ref_queue_done(&c->parked);
	planner_open_free(c);
	mailing_free(c->mailing);
	free(c);
}

static bool load(struct planner *planner, struct planner_campaign *c, struct error *error)
{
	c->customer = config_customer_of(planner->config, slice_of(c->record.customer));
	if (!c->customer)
		return error_set(error, "campaign %s: customer %s is not in the configuration",
				 c->record.name, c->record.customer);
	c->letter_number = c->record.domains;
	/* Its letters are compiled one by one. */
	c->lanes_end = c->record.kind == CAMPAIGN_LETTERS;
	return c->record.kind == CAMPAIGN_LETTERS || compile_stored(planner, c, error);
}

/* Within a transaction. */
struct planner_campaign *planner_campaign_load(struct planner *planner, u32 id, struct error *error)
{
	struct planner_campaign *c = planner_campaign(planner, id);

	if (c)
		return c;
	c = calloc(1, sizeof(*c));
	if (!c || queue_campaign_get(planner->queue, id, &c->record) != STORE_OK) {
		error_set(error, "campaign %u cannot be read", id);
		free(c);
		return NULL;
	}
	list_init(&c->lanes);
	if (!load(planner, c, error) ||
	    !map_add(&planner->campaign_map, id_key(&c->record.id), c)) {
		mailing_free(c->mailing);
		free(c);
		return NULL;
	}
	c->saved = c->record;
	begin_rate(planner, c);
	list_push_back(&planner->campaigns, &c->node);
	return c;
}

/* At start: what runs or waits is loaded, half-imported campaigns are dropped. */
bool planner_load_campaigns(struct planner *planner, struct error *error)
{
	struct queue_campaign record = { 0 };
	enum store_result result;

	while ((result = queue_campaign_next(planner->queue, record.id, &record)) == STORE_OK) {
		bool loads = record.state == CAMPAIGN_RUNNING || record.state == CAMPAIGN_PAUSED ||
			     (record.state == CAMPAIGN_CANCELLED && record.finished_ms == 0);

		if (record.state == CAMPAIGN_IMPORTING) {
			log_warn("delivery", "an import that was broken off is dropped",
				 "campaign=%s", record.name);
			planner_erase(planner, record.id);
		}
		if (loads && !planner_campaign_load(planner, record.id, error))
			return false;
	}
	if (result != STORE_NOT_FOUND)
		return error_set(error, "campaigns: %s", queue_error_text(planner->queue));
	return true;
}

void planner_campaign_touch(struct planner_campaign *c)
{
	c->dirty = true;
}

void planner_campaign_judge(struct planner *planner, struct planner_campaign *c)
{
	struct queue_campaign *r = &c->record;

	if ((r->kind == CAMPAIGN_LETTERS || r->is_open) && r->state != CAMPAIGN_CANCELLED)
		return;
	if (r->state == CAMPAIGN_READY) /* all that it has is to come */
		return;
	if (r->delivered + r->failed + r->cancelled < r->total || r->finished_ms)
		return;
	r->finished_ms = planner->time.wall_ms;
	if (r->state != CAMPAIGN_CANCELLED)
		r->state = CAMPAIGN_DONE;
}

bool planner_write_campaigns(struct planner *planner)
{
	list_for_each(node, &planner->campaigns) {
		struct planner_campaign *c = list_entry(node, struct planner_campaign, node);

		if (!c->dirty)
			continue;
		planner_campaign_judge(planner, c);
		if (!planner_store_ok(planner, queue_campaign_put(planner->queue, &c->record)))
			return false;
	}
	return true;
}

void planner_campaigns_committed(struct planner *planner, bool ok)
{
	list_for_each_safe(node, &planner->campaigns) {
		struct planner_campaign *c = list_entry(node, struct planner_campaign, node);

		if (c->dirty) {
			c->dirty = false;
			if (!ok) {
				c->record = c->saved;
				continue;
			}
			c->saved = c->record;
		}
		if (c->record.finished_ms && c->leases == 0 && list_is_empty(&c->lanes)) {
			log_info("delivery", "campaign finished",
				 "campaign=%s delivered=%llu failed=%llu cancelled=%llu",
				 c->record.name, (unsigned long long)c->record.delivered,
				 (unsigned long long)c->record.failed,
				 (unsigned long long)c->record.cancelled);
			free_campaign(planner, c);
		}
	}
}

void planner_campaigns_free(struct planner *planner)
{
	while (!list_is_empty(&planner->campaigns))
		free_campaign(planner,
			      list_entry(planner->campaigns.next, struct planner_campaign, node));
	map_done(&planner->campaign_map);
}

/* ---- rates ---- */

void planner_note_rates(struct planner *planner)
{
	list_for_each(node, &planner->campaigns) {
		struct planner_campaign *c = list_entry(node, struct planner_campaign, node);

		if (c->record.state != CAMPAIGN_RUNNING || planner->now_ns <= c->rate_ns)
			continue;
		rate_note(&c->rate, c->record.delivered - c->rate_delivered,
			  planner->now_ns - c->rate_ns);
		c->rate_delivered = c->record.delivered;
		c->rate_ns = planner->now_ns;
	}
}

double planner_campaign_rate(struct planner *planner, u32 id)
{
	const struct planner_campaign *c = planner_campaign(planner, id);

	return c && c->record.state == CAMPAIGN_RUNNING ? rate_per_s(&c->rate) : 0;
}

/* ---- commands ---- */

bool planner_campaign_find(struct planner *planner, struct slice id_or_name,
			   struct queue_campaign *campaign, struct error *error)
{
	enum store_result result;
	u32 id;
	bool by_id = slice_to_u32(id_or_name, &id);

	if (!planner_begin(planner, error))
		return false;
	memset(campaign, 0, sizeof(*campaign));
	while ((result = queue_campaign_next(planner->queue, campaign->id, campaign)) == STORE_OK) {
		if ((slice_equal(slice_of(campaign->name), id_or_name) ||
		     (by_id && campaign->id == id)) &&
		    !planner_is_erasing(planner, campaign->id))
			break;
	}
	queue_abort(planner->queue);
	if (result != STORE_OK)
		return error_set(error, "there is no campaign \"%.*s\"", SLICE_FMT(id_or_name));
	return true;
}

/* Loads, changes the state by `change`, commits. */
static bool change_state(struct planner *planner, u32 id, enum queue_campaign_state to,
			 u32 allowed_from, struct error *error)
{
	struct planner_campaign *c;

	if (!planner_takes_orders(planner, error) || !planner_begin(planner, error))
		return false;
	c = planner_campaign_load(planner, id, error);
	if (!c) {
		queue_abort(planner->queue);
		return false;
	}
	if (!(allowed_from >> c->record.state & 1)) {
		queue_abort(planner->queue);
		return error_set(error, "campaign %s is %s", c->record.name,
				 queue_campaign_state_name(c->record.state));
	}
	if (to == CAMPAIGN_CANCELLED && c->record.kind == CAMPAIGN_LETTERS) {
		queue_abort(planner->queue);
		return error_set(error, "%s holds single messages and stands for ever: "
					"`queue bounce` gives up those that wait",
				 c->record.name);
	}
	if (to == CAMPAIGN_RUNNING && c->record.deadline_ms > 0 &&
	    planner->time.age_ms >= c->record.deadline_ms) {
		queue_abort(planner->queue);
		return error_set(error, "campaign %s: its deadline is over", c->record.name);
	}
	c->record.state = to;
	if (to == CAMPAIGN_CANCELLED)
		c->record.is_open = false;
	if (to == CAMPAIGN_RUNNING && c->record.started_ms == 0)
		c->record.started_ms = planner->time.wall_ms;
	if (c->mailing)
		c->mailing->date_ms = c->record.started_ms / 1000 * 1000;
	planner_campaign_judge(planner, c);
	if (queue_campaign_put(planner->queue, &c->record) != STORE_OK ||
	    !planner_commit(planner, error)) {
		queue_abort(planner->queue);
		c->record = c->saved;
		return error_set(error, "the queue: %s", queue_error_text(planner->queue));
	}
	c->saved = c->record;
	begin_rate(planner, c);
	if (to == CAMPAIGN_RUNNING)
		planner_unpark(planner, c);
	else
		planner_park_lanes(planner, c);
	planner->must_work = true;
	return true;
}

bool planner_campaign_start(struct planner *planner, u32 id, struct error *error)
{
	return change_state(planner, id, CAMPAIGN_RUNNING, 1u << CAMPAIGN_READY, error);
}

bool planner_campaign_pause(struct planner *planner, u32 id, struct error *error)
{
	return change_state(planner, id, CAMPAIGN_PAUSED, 1u << CAMPAIGN_RUNNING, error);
}

bool planner_campaign_resume(struct planner *planner, u32 id, struct error *error)
{
	return change_state(planner, id, CAMPAIGN_RUNNING, 1u << CAMPAIGN_PAUSED, error);
}

struct planner_sweep *planner_campaign_cancel(struct planner *planner, u32 id,
					      struct error *error)
{
	struct planner_filter filter = { .campaign = id };
	struct planner_campaign *c;

	if (!change_state(planner, id, CAMPAIGN_CANCELLED,
			  1u << CAMPAIGN_READY | 1u << CAMPAIGN_RUNNING | 1u << CAMPAIGN_PAUSED,
			  error))
		return NULL;
	c = planner_campaign(planner, id);
	if (c)
		planner_unpark(planner, c);
	return planner_sweep_begin(planner, SWEEP_CANCEL, ROW_DEFERRED, &filter, error);
}
