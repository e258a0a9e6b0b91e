#include "delivery/planner.h"

#include "base/check.h"
#include "base/clock.h"
#include "base/durable.h"
#include "base/log.h"
#include "base/text.h"
#include "delivery/planner_letter.h"
#include "delivery/planner_log.h"
#include "delivery/planner_notice.h"
#include "delivery/planner_parts.h"
#include "delivery/planner_suppression.h"
#include "delivery/planner_tls.h"
#include "dns/mx_config.h"
#include "dns/sts_fetch.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define PATH_SIZE PLANNER_PATH_MAX
#define CARE_NS (200 * NS_PER_MS)
#define INBOUND_TRIM 4000
#define LETTER_TRIM 20000 /* a minute */
#define GROUP_ROWS 16 /* a commit of so many makes the next one wait for the whole interval */

/* ---- open ---- */

/* The secret that tokens are made with; made at the first start. */
static bool load_secret(struct planner *planner, struct error *error)
{
	char path[PATH_SIZE];
	int fd;
	ssize_t got;

	snprintf(path, sizeof(path), "%s/token.key", planner->config->data);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0 && errno == ENOENT) {
		random_bytes(planner->secret, sizeof(planner->secret));
		return durable_create(path,
				      (struct slice){ (const char *)planner->secret,
						      sizeof(planner->secret) },
				      error);
	}
	if (fd < 0)
		return error_set_errno(error, errno, "%s", path);
	got = read(fd, planner->secret, sizeof(planner->secret));
	close(fd);
	if (got != (ssize_t)sizeof(planner->secret))
		return error_set(error, "%s: not a token key (%d bytes are needed)", path,
				 MAILING_SECRET_SIZE);
	return true;
}

static bool load_keys(struct planner *planner, struct error *error)
{
	const struct config *config = planner->config;

	planner->keys = calloc(config->customer_count * CONFIG_DKIM_MAX, sizeof(*planner->keys));
	if (!planner->keys)
		return error_set(error, "out of memory for DKIM keys");
	for (size_t i = 0; i < config->customer_count; i++) {
		const struct config_customer *c = &config->customers[i];

		for (size_t k = 0; k < c->dkim_count; k++) {
			if (!dkim_key_load(&planner->keys[i * CONFIG_DKIM_MAX + k], c->dkim[k].key,
					   slice_of(c->domain), slice_of(c->dkim[k].selector),
					   error))
				return false;
		}
	}
	return true;
}

static size_t own_addresses(const struct config *config, struct net_address *own, size_t max)
{
	size_t count = 0;

	for (size_t i = 0; i < config->customer_count; i++) {
		const struct config_customer *c = &config->customers[i];

		for (size_t k = 0; k < c->address_count && count < max; k++) {
			if (net_address_parse(&own[count], slice_of(c->addresses[k].ip), false))
				count++;
		}
	}
	return count;
}

static bool open_resolver(struct planner *planner, struct error *error)
{
	const struct config_dns *dns = &planner->config->dns;
	struct net_range allowed[CONFIG_LIST_MAX];
	struct net_address own[CONFIG_LIST_MAX];
	struct mx_params params = {
		.own = own,
		.mta_sts = dns->mta_sts,
		.tls_report = planner->config->tls_report,
		.seed = planner->params.seed,
	};

	mx_params_take(&params, dns, allowed);
	params.own_count = own_addresses(planner->config, own, array_count(own));
	planner->resolver = mx_resolver_open(&params, error);
	return planner->resolver != NULL;
}

static bool open_store(struct planner *planner, struct error *error)
{
	const struct config *config = planner->config;
	char path[PATH_SIZE];
	struct store_params params;

	if (!durable_folder(config->data, error))
		return false;
	planner_store_params(config, path, &params);
	planner->queue = queue_open(&params, error);
	if (!planner->queue)
		return false;
	snprintf(path, sizeof(path), "%s/journal", config->data);
	planner->journal = journal_open(path, config->queue.in_flight, error);
	return planner->journal != NULL;
}

static void init_lists(struct planner *planner)
{
	list_init(&planner->campaigns);
	list_init(&planner->routes);
	list_init(&planner->ready[LINE_URGENT]);
	list_init(&planner->ready[LINE_BULK]);
	list_init(&planner->counted);
	list_init(&planner->warmups_changed);
	list_init(&planner->failing);
	list_init(&planner->idle_routes);
	list_init(&planner->doomed);
	list_init(&planner->idle_lanes);
	list_init(&planner->to_ask);
	list_init(&planner->all_domains);
	list_init(&planner->results);
	list_init(&planner->fresh);
	list_init(&planner->sweeps);
	list_init(&planner->idle_letters);
	list_init(&planner->letters_coming);
	map_init(&planner->letters);
	map_init(&planner->campaign_map);
	map_init(&planner->domains);
	map_init(&planner->sites);
	map_init(&planner->suspensions);
	map_init(&planner->overrides);
	map_init(&planner->route_map);
}

struct planner *planner_open(const struct planner_params *params, struct error *error)
{
	struct planner *planner = calloc(1, sizeof(*planner));

	if (!planner) {
		error_set(error, "out of memory for the planner");
		return NULL;
	}
	planner->params = *params;
	planner->config = params->config;
	planner->m = metrics_planner(params->metrics);
	planner->now_ns = clock_mono_ns();
	planner->batch = 1;
	planner->next_sweep = 1;
	planner->must_work = true;
	planner->due_cursor.place = ROW_DEFERRED;
	init_lists(planner);
	random_seed(&planner->random, params->seed);
	timer_wheel_init(&planner->wheel, planner->now_ns);
	error->text[0] = '\0';
	if (!open_store(planner, error) || !load_secret(planner, error) ||
	    !load_keys(planner, error) || !open_resolver(planner, error) ||
	    !planner_replies_open(planner, error) || !planner_leases_open(planner, error) ||
	    !planner_sites_open(planner, error) || !planner_overrides_open(planner, error) ||
	    !planner_suppressions_open(planner, error) || !planner_log_open(planner, error) ||
	    !planner_bounds_open(planner, error) ||
	    !planner_clock_open(planner, clock_wall_ms(), error) ||
	    !planner_warmups_open(planner, error) ||
	    !planner_tls_open(planner, error) ||
	    !planner_recover(planner, error)) {
		planner_close(planner);
		return NULL;
	}
	return planner;
}

void planner_close(struct planner *planner)
{
	if (!planner)
		return;
	sts_fetcher_close(planner->sts_fetcher);
	planner_tls_close(planner);
	planner_lanes_free(&planner->idle_lanes);
	planner_lanes_free(&planner->doomed);
	planner_routes_free(planner);
	planner_domains_free(planner);
	planner_sites_free(planner);
	planner_overrides_free(planner);
	planner_bounds_free(planner);
	planner_warmups_free(planner);
	id_set_done(&planner->suppressed);
	planner_letters_free(planner);
	planner_notices_free(planner);
	planner_log_close(planner);
	planner_campaigns_free(planner);
	planner_leases_close(planner);
	planner_replies_close(planner);
	ref_queue_done(&planner->touched);
	ref_queue_done(&planner->again);
	free(planner->erasing);
	planner_sweeps_free(planner);
	mx_resolver_close(planner->resolver);
	if (planner->keys) {
		for (size_t i = 0; i < planner->config->customer_count * CONFIG_DKIM_MAX; i++)
			dkim_key_done(&planner->keys[i]);
	}
	free(planner->keys);
	journal_close(planner->journal);
	queue_close(planner->queue);
	free(planner);
}

/* ---- transactions ---- */

bool planner_store_ok(struct planner *planner, enum store_result result)
{
	if (result == STORE_OK)
		return true;
	planner->failed_by = result;
	if (result == STORE_FAILED && !planner->broken)
		log_error("delivery", "the queue failed", "reason=%s",
			  queue_error_text(planner->queue));
	return false;
}

bool planner_begin(struct planner *planner, struct error *error)
{
	planner->failed_by = queue_begin(planner->queue);
	if (planner->failed_by == STORE_OK)
		return true;
	planner->broken |= planner->failed_by == STORE_FAILED;
	return error_set(error, "the queue: %s", queue_error_text(planner->queue));
}

bool planner_commit(struct planner *planner, struct error *error)
{
	u64 started = clock_mono_ns();
	enum store_result result = queue_commit(planner->queue);

	metric_observe(&planner->m->commit, clock_mono_ns() - started);
	if (result == STORE_OK) {
		metric_add(&planner->m->commits, 1);
		return true;
	}
	planner->failed_by = result;
	planner->broken |= result == STORE_FAILED;
	return error_set(error, "the queue: %s", queue_error_text(planner->queue));
}

bool planner_read_settings(struct planner *planner, struct slice prefix,
			   bool (*take)(struct planner *planner, struct slice name,
					struct slice value, struct error *error),
			   struct error *error)
{
	char after[SETTING_NAME_MAX + 1] = "";
	struct slice name;
	struct slice value;
	enum store_result result;

	if (!planner_begin(planner, error))
		return false;
	while ((result = queue_setting_next(planner->queue, prefix, slice_of(after), &name,
					    &value)) == STORE_OK) {
		slice_copy(after, sizeof(after), name);
		if (!take(planner, slice_from(name, prefix.len), value, error)) {
			queue_abort(planner->queue);
			return false;
		}
	}
	queue_abort(planner->queue);
	return result == STORE_NOT_FOUND ||
	       error_set(error, "the queue: %s", queue_error_text(planner->queue));
}

/* Rows that were settled in a transaction that did not come to be are placed anew. */
void planner_rolled_back(struct planner *planner)
{
	struct row_ref ref;

	while (ref_queue_pop(&planner->touched, &ref))
		planner_row_wait(planner, &planner->again, &ref);
	planner_campaigns_committed(planner, false);
	planner->must_work = true;
	if (planner->failed_by == STORE_FULL && !queue_grow(planner->queue))
		planner_room_lacked(planner);
}

static void fill_transaction(struct planner *planner)
{
	planner_notices_drop(planner);
	planner_apply_results(planner);
	if (planner->failed_by == STORE_OK)
		planner_letters_take(planner);
	planner_domain_ask(planner);
	planner_domain_answers(planner);
	planner_sts_results(planner);
	planner_place_again(planner);
	planner_shed(planner);
	planner_warmup_move(planner);
	planner_activate_lanes(planner);
	planner_take_due(planner);
	if (planner_may_settle(planner))
		planner_settle_doomed(planner);
	if (planner->failed_by == STORE_OK)
		planner_sweep_some(planner);
	if (planner->failed_by == STORE_OK)
		planner_erase_some(planner);
	if (planner->failed_by == STORE_OK)
		planner_lease_rows(planner);
	if (planner->failed_by == STORE_OK)
		planner_notices_write(planner);
	if (planner->failed_by == STORE_OK)
		planner_write_leases(planner);
	if (planner->failed_by == STORE_OK)
		planner_counts_write(planner);
	if (planner->failed_by == STORE_OK)
		planner_warmups_write(planner);
	if (planner->failed_by == STORE_OK)
		planner_write_campaigns(planner);
	if (planner->failed_by == STORE_OK)
		planner_tls_write(planner);
	if (planner->failed_by == STORE_OK)
		planner_clock_note(planner);
}

/*
 * Results that come many at once are worth waiting for; a single mail, whose import, start, lease
 * and result are a commit each, waits for nobody.
 */
static u64 pause_after(const struct planner *planner, u32 rows)
{
	u64 interval_ns = planner->config->queue.commit_interval_ms * NS_PER_MS;

	return interval_ns * min_u32(rows, GROUP_ROWS) / GROUP_ROWS;
}

static void run_transaction(struct planner *planner)
{
	struct error error;
	u32 rows;
	bool ok;

	if (!planner_begin(planner, &error)) {
		planner->must_work = true;
		if (!planner->broken)
			planner_room_lacked(planner);
		return;
	}
	fill_transaction(planner);
	rows = planner->results_applied + planner->fresh_count + planner->touched.count +
	       planner->swept;
	ok = planner->failed_by == STORE_OK && planner_commit(planner, &error);
	if (!ok) {
		queue_abort(planner->queue);
		planner->broken |= planner->failed_by == STORE_FAILED;
		planner_sweeps_committed(planner, false);
		planner_counts_drop(planner);
		planner_warmups_drop(planner);
		planner_take_back_fresh(planner);
		planner_rolled_back(planner);
		planner_letters_committed(planner, false);
		planner_tls_committed(planner, false);
		return;
	}
	ref_queue_done(&planner->touched);
	planner_hand_out(planner);
	planner_results_committed(planner);
	planner_sweeps_committed(planner, true);
	planner_erase_committed(planner);
	planner_campaigns_committed(planner, true);
	planner_letters_committed(planner, true);
	if (rows > 0)
		planner_room_found(planner);
	planner_clock_noted(planner);
	planner->next_commit_ns = planner->now_ns + pause_after(planner, rows);
	planner_tls_committed(planner, true);
}

/* ---- care ---- */

static void measure(struct planner *planner, const struct queue_stats *stats)
{
	struct metrics_planner *m = planner->m;
	u64 running = 0;

	list_for_each(node, &planner->campaigns)
		running += list_entry(node, struct planner_campaign, node)->record.state ==
			   CAMPAIGN_RUNNING;
	metric_set(&m->campaigns_running, running);
	metric_set(&m->leases_out, planner_leases_out(planner));
	metric_set(&m->lane_rows, stats->lane_rows);
	metric_set(&m->deferred_rows, stats->deferred_rows);
	metric_set(&m->doubt_rows, stats->doubt_rows);
	metric_set(&m->log_rows, stats->log_rows);
	metric_set(&m->domains_known, planner->domains.count);
	metric_set(&m->sites_known, planner->sites.count);
	metric_set(&m->routes_known, planner->route_count);
	metric_set(&m->suppressed, planner->suppressed.count);
	metric_set(&m->map_bytes, stats->map_size);
	metric_set(&m->pages_used, stats->pages_used);
	metric_set(&m->pages_free, stats->pages_free);
	metric_set(&m->oldest_due_ms, planner->next_due_ms < planner->time.due_ms
					      ? planner->time.due_ms - planner->next_due_ms
					      : 0);
}

static void trim_letters(struct planner *planner)
{
	if (queue_begin(planner->queue) != STORE_OK)
		return;
	if (!planner_letters_trim(planner, LETTER_TRIM) || queue_commit(planner->queue) != STORE_OK)
		queue_abort(planner->queue);
}

/* Now and then, outside of the work's transaction: room ahead of need, old log entries, figures. */
static void take_care(struct planner *planner)
{
	struct queue_stats stats;

	planner->next_care_ns = planner->now_ns + CARE_NS;
	planner_note_rates(planner);
	planner_deadlines(planner);
	planner_forget_routes(planner);
	if (queue_stats(planner->queue, &stats) != STORE_OK)
		return;
	measure(planner, &stats);
	planner_room_measure(planner, &stats);
	if ((stats.pages_used + stats.pages_free) * stats.page_size > stats.map_size / 4 * 3)
		queue_grow(planner->queue);
	planner->must_work |= stats.deferred_rows > 0 && planner_clock_is_stale(planner);
	if (planner->recovering)
		return;
	planner_log_measure(planner);
	planner_log_trim(planner, &stats);
	if (planner->now_ns < planner->next_trim_ns)
		return;
	planner->next_trim_ns = planner->now_ns + 60 * NS_PER_S;
	planner_counts_clean(planner);
	trim_letters(planner);
	planner_inbound_trim(planner, INBOUND_TRIM);
}

/* ---- turns ---- */

/* Rows that could be lent, if only there is room for what becomes of them. */
static bool may_send(const struct planner *planner)
{
	if (planner->stopping || planner->short_of_room)
		return false;
	return !list_is_empty(&planner->ready[LINE_URGENT]) ||
	       !list_is_empty(&planner->ready[LINE_BULK]) ||
	       (planner->time.due_ms >= planner->next_due_ms && planner_has_room_for_due(planner));
}

static bool has_work(const struct planner *planner)
{
	return planner->must_work || planner->result_count > 0 || planner->answers ||
	       planner_sts_has_results(planner) || planner_tls_has_work(planner) ||
	       (!list_is_empty(&planner->doomed) && planner_may_settle(planner)) ||
	       (!list_is_empty(&planner->to_ask) && planner->now_ns >= planner->next_ask_ns) ||
	       planner->again.count > 0 || planner->dead_batch_count > 1024 ||
	       planner_may_activate(planner) || planner_may_sweep(planner) ||
	       planner_may_erase(planner) || may_send(planner) ||
	       planner_warmup_may_move(planner);
}

/* The start, gone on with as soon as there is room. */
static void recover_now(struct planner *planner)
{
	struct error error = { "" };

	if (planner->now_ns < planner->full_until_ns)
		return;
	if (!planner_recover(planner, &error)) {
		log_error("delivery", "what the last run left cannot be noted", "reason=%s",
			  error.text);
		planner->broken = true;
	}
}

void planner_turn(struct planner *planner, u64 now_ns, u64 wall_ms)
{
	planner_clock_turn(planner, now_ns, wall_ms);
	timer_wheel_advance(&planner->wheel, now_ns);
	planner_collect_results(planner);
	if (planner->broken || planner->recovering)
		planner_letters_refuse(planner);
	if (planner->broken)
		return;
	if (now_ns >= planner->next_care_ns)
		take_care(planner);
	planner_tls_send(planner);
	if (planner->recovering) {
		recover_now(planner);
	} else if (has_work(planner) && now_ns >= planner->next_commit_ns &&
		   now_ns >= planner->full_until_ns) {
		planner->must_work = false;
		run_transaction(planner);
	} else if (planner->careful > 0 && !has_work(planner)) {
		planner_room_unasked(planner);
	}
}

u64 planner_wait_ns(const struct planner *planner, u64 now_ns)
{
	u64 at = min_u64(timer_wheel_next(&planner->wheel), planner->next_care_ns + NS_PER_S);
	u64 commit_ns = max_u64(planner->next_commit_ns, planner->full_until_ns);
	u64 wait;

	if (planner->recovering)
		return max_u64(planner->full_until_ns, now_ns) - now_ns;
	if (!list_is_empty(&planner->to_ask))
		at = min_u64(at, max_u64(planner->next_ask_ns, commit_ns));
	if (has_work(planner))
		at = min_u64(at, commit_ns);
	wait = at > now_ns ? at - now_ns : 0;
	if (!planner->stopping && planner->next_due_ms != UINT64_MAX &&
	    planner->next_due_ms > planner->time.due_ms)
		wait = min_u64(wait, (planner->next_due_ms - planner->time.due_ms) * NS_PER_MS);
	return min_u64(wait, min_u64(planner_sts_wait_ns(planner), planner_tls_wait_ns(planner)));
}

int planner_resolver_fd(const struct planner *planner)
{
	return mx_resolver_fd(planner->resolver);
}

void planner_resolver_ready(struct planner *planner)
{
	mx_resolver_process(planner->resolver);
	planner->answers = true;
}

void planner_set_workers(struct planner *planner, struct worker **workers)
{
	planner->params.workers = workers;
}

void planner_stop(struct planner *planner)
{
	planner->stopping = true;
}

bool planner_is_quiet(const struct planner *planner)
{
	return planner_leases_out(planner) == 0 && planner->result_count == 0;
}

bool planner_is_broken(const struct planner *planner)
{
	return planner->broken || queue_is_broken(planner->queue);
}

bool planner_is_recovering(const struct planner *planner)
{
	return planner->recovering;
}

struct queue *planner_queue(struct planner *planner)
{
	return planner->queue;
}
