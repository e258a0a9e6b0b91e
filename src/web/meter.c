#include "web/meter.h"

#include "base/clock.h"
#include "base/text.h"
#include "metrics/lines.h"
#include "store/audience_count.h"
#include "store/contact_record.h"
#include "web/identity.h"

static const char *const kinds[METER_KINDS] = {
	[METER_API] = "api",	 [METER_ADMIN] = "admin",
	[METER_OPEN] = "open",	 [METER_CLICK] = "click",
	[METER_IMAGE] = "image",
	[METER_FORM] = "form",	 [METER_UNSUBSCRIBE] = "unsubscribe",
	[METER_OTHER] = "other",
};

static const char *const statuses[5] = { "1xx", "2xx", "3xx", "4xx", "5xx" };

static const char *const states[CONTACT_COMPLAINED + 1] = {
	[CONTACT_PENDING] = "pending",	  [CONTACT_ACTIVE] = "active",
	[CONTACT_BOUNCED] = "bounced",	  [CONTACT_UNSUBSCRIBED] = "unsubscribed",
	[CONTACT_COMPLAINED] = "complained",
};

enum meter_kind web_meter_kind_of(struct slice target)
{
	static const struct {
		const char *prefix;
		enum meter_kind kind;
	} places[] = {
		{ "/api/", METER_API },	   { "/admin", METER_ADMIN },
		{ "/t/o/", METER_OPEN },	   { "/t/c/", METER_CLICK },
		{ "/u/", METER_UNSUBSCRIBE }, { "/p/", METER_UNSUBSCRIBE },
		{ "/f/", METER_FORM },	   { "/i/", METER_IMAGE },
	};

	for (size_t i = 0; i < array_count(places); i++) {
		if (slice_has_prefix(target, slice_of(places[i].prefix)))
			return places[i].kind;
	}
	return METER_OTHER;
}

/* A counter of all workers together: where it stands in a worker's block. */
static u64 sum(const struct meter *meter, size_t offset)
{
	u64 all = 0;

	for (u32 i = 0; i < meter->worker_count; i++)
		all += metric_get((const void *)((const char *)&meter->workers[i] + offset));
	return all;
}

static void add_answers(struct buf *out, bool openmetrics, const struct meter *meter)
{
	lines_family(out, openmetrics, "hikyaku_web_answers", COUNTER,
		     "Requests answered, by what was asked for and the status.");
	for (u32 kind = 0; kind < METER_KINDS; kind++) {
		for (u32 status = 1; status < 5; status++) {
			buf_add_text(out, "hikyaku_web_answers_total");
			lines_label(out, '{', "kind", kinds[kind]);
			lines_label(out, ',', "status", statuses[status]);
			buf_add_format(
				out, "} %llu\n",
				(unsigned long long)sum(
					meter, offsetof(struct meter_worker, answers) +
						       (kind * 5 + status) * sizeof(u64)));
		}
	}
	lines_family(out, openmetrics, "hikyaku_web_answer_seconds", HISTOGRAM,
		     "Time from a request's connection to its answer.");
	for (u32 kind = 0; kind < METER_KINDS; kind++) {
		struct metrics_histogram all = { 0 };

		for (u32 i = 0; i < meter->worker_count; i++)
			metric_sum_histogram(&all, &meter->workers[i].times[kind]);
		lines_histogram(out, "hikyaku_web_answer_seconds", "kind", kinds[kind], &all);
	}
	lines_family(out, openmetrics, "hikyaku_web_reactions", COUNTER,
		     "Opens and clicks that were kept.");
	lines_sample(out, "hikyaku_web_reactions", COUNTER,
		     sum(meter, offsetof(struct meter_worker, reactions_kept)));
	lines_family(out, openmetrics, "hikyaku_web_reactions_dropped", COUNTER,
		     "Those that were not: too many at once, or no room.");
	lines_sample(out, "hikyaku_web_reactions_dropped", COUNTER,
		     sum(meter, offsetof(struct meter_worker, reactions_dropped)));
	lines_family(out, openmetrics, "hikyaku_web_turned_away", COUNTER,
		     "Requests for which there was no place or no memory.");
	lines_sample(out, "hikyaku_web_turned_away", COUNTER,
		     sum(meter, offsetof(struct meter_worker, turned_away)));
	lines_family(out, openmetrics, "hikyaku_web_requests_open", GAUGE, "Requests now.");
	lines_sample(out, "hikyaku_web_requests_open", GAUGE,
		     sum(meter, offsetof(struct meter_worker, open)));
}

static void add_scribe(struct buf *out, bool openmetrics, const struct meter_scribe *scribe)
{
	struct metrics_histogram commit = { 0 };

	lines_family(out, openmetrics, "hikyaku_audience_orders", COUNTER,
		     "Changes of the audience that were asked for.");
	lines_sample(out, "hikyaku_audience_orders", COUNTER, metric_get(&scribe->orders));
	lines_family(out, openmetrics, "hikyaku_audience_orders_failed", COUNTER,
		     "Those that could not be kept: no room, or the store is broken.");
	lines_sample(out, "hikyaku_audience_orders_failed", COUNTER, metric_get(&scribe->failed));
	metric_sum_histogram(&commit, &scribe->commit);
	lines_family(out, openmetrics, "hikyaku_audience_commit_seconds", HISTOGRAM,
		     "Time of a durable commit of the audience, with what it changed.");
	lines_histogram(out, "hikyaku_audience_commit_seconds", NULL, NULL, &commit);
}

/* A page without these numbers is better than none. */
static void add_contacts(struct buf *out, bool openmetrics, struct audience_txn *reader)
{
	u64 count;

	if (audience_begin_read(reader) != STORE_OK)
		return;
	lines_family(out, openmetrics, "hikyaku_contacts", GAUGE, "Contacts by state.");
	for (u32 state = CONTACT_PENDING; state <= CONTACT_COMPLAINED; state++) {
		if (audience_count_get(reader, COUNTED_CONTACTS, state, &count) == STORE_OK)
			lines_labelled(out, "hikyaku_contacts", GAUGE, "state", states[state],
				       count);
	}
	audience_abort(reader);
}

static void add_room(struct buf *out, bool openmetrics, const struct audience *audience)
{
	struct audience_size size;

	if (!audience_size(audience, &size))
		return;
	lines_family(out, openmetrics, "hikyaku_audience_bytes", GAUGE,
		     "Bytes of the audience's file that are in use.");
	lines_sample(out, "hikyaku_audience_bytes", GAUGE, size.used);
	lines_family(out, openmetrics, "hikyaku_audience_max_bytes", GAUGE,
		     "Bytes that it may become.");
	lines_sample(out, "hikyaku_audience_max_bytes", GAUGE, size.max);
}

static u64 aligned_of(const json_t *identity)
{
	return identity_is_aligned(identity);
}

static u64 checked_of(const json_t *identity)
{
	return (u64)json_integer_value(json_object_get(identity, "checked_ms")) / MS_PER_S;
}

/* As the identity was checked last (identity.h); a domain that never was has none. */
static void add_identity(struct buf *out, bool openmetrics, const struct meter *meter)
{
	static const struct {
		const char *name;
		const char *help;
		u64 (*value)(const json_t *identity);
	} families[] = {
		{ "hikyaku_web_identity_aligned",
		  "Whether SPF or DKIM vouches for a domain's mail, as last checked.", aligned_of },
		{ "hikyaku_web_identity_checked_timestamp_seconds", "When it was last checked.",
		  checked_of },
	};

	if (audience_begin_read(meter->reader) != STORE_OK)
		return;
	for (size_t i = 0; i < array_count(families); i++) {
		lines_family(out, openmetrics, families[i].name, GAUGE, families[i].help);
		for (size_t k = 0; k < meter->config->customer_count; k++) {
			const char *domain = meter->config->customers[k].domain;
			json_t *identity = identity_latest(meter->reader, slice_of(domain));

			if (identity)
				lines_labelled(out, families[i].name, GAUGE, "domain", domain,
					       families[i].value(identity));
			json_decref(identity);
		}
	}
	audience_abort(meter->reader);
}

void web_meter_expose(const void *of, bool openmetrics, struct buf *out)
{
	const struct meter *meter = of;

	add_answers(out, openmetrics, meter);
	add_scribe(out, openmetrics, &meter->scribe);
	add_contacts(out, openmetrics, meter->reader);
	add_room(out, openmetrics, meter->audience);
	add_identity(out, openmetrics, meter);
	if (openmetrics)
		buf_add_text(out, "# EOF\n");
}
