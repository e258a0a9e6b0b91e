/*
 * tls-report.show, send: what TLS came to with domains that ask for reports, and the reports.
 */
#include "base/clock.h"
#include "base/log.h"
#include "base/text.h"
#include "delivery/tls_report.h"
#include "send/control_parts.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct tls_show {
	struct control_stream stream;
	char after[SETTING_NAME_MAX + 1];
	char domain[256]; /* "": all */
	u64 count;
};

static json_t *text_of(const struct net_address *address)
{
	char text[NET_ADDRESS_TEXT_SIZE] = "";

	if (address->family)
		net_address_format(text, address, false);
	return json_string(text);
}

static json_t *failures_of(const struct tls_tally *tally, u32 policy)
{
	json_t *list = json_array();

	for (u32 i = 0; i < tally->detail_count; i++) {
		const struct tls_detail *detail = &tally->details[i];

		if (detail->policy != policy)
			continue;
		json_array_append_new(
			list, json_pack("{s:s, s:I, s:s, s:o, s:o, s:s}", "result",
					tls_outcome_name(detail->outcome), "count",
					(json_int_t)detail->count, "host", detail->host, "address",
					text_of(&detail->receiver), "source",
					text_of(&detail->source), "reason", detail->reason));
	}
	return list;
}

static const char *state_of(const struct tls_tally *tally, u64 day)
{
	if (day >= clock_wall_ms() / TLS_DAY_MS)
		return "counting";
	if (tls_tally_is_told(tally))
		return "done";
	return tally->tries > 0 ? "trying" : "waiting";
}

static void add_items(struct control_link *link, struct tls_show *show, u64 day,
		      struct slice domain, const struct tls_tally *tally)
{
	struct clock_date d;
	char date[16];

	clock_date_of(day * TLS_DAY_MS, &d);
	snprintf(date, sizeof(date), "%04u-%02u-%02u", d.year % 10000, d.month % 100,
		 d.day % 100);
	for (u32 i = 0; i < tally->policy_count; i++) {
		const struct tls_policy *policy = &tally->policies[i];

		show->count++;
		link_item(link,
			  json_pack("{s:s, s:o, s:s, s:I, s:I, s:s, s:s, s:o}", "day", date,
				    "domain", answer_text_of(domain), "policy",
				    tls_policy_type_name(policy->type), "ok",
				    (json_int_t)policy->successes, "failed",
				    (json_int_t)tls_tally_failures(tally, i), "report",
				    state_of(tally, day), "to", tally->rua, "failures",
				    failures_of(tally, i)));
	}
}

static void show_free(struct control_stream *stream)
{
	free(container_of(stream, struct tls_show, stream));
}

static bool show_step(struct control_link *link, struct control_stream *stream)
{
	struct tls_show *show = container_of(stream, struct tls_show, stream);
	struct planner *planner = link->control->params.planner;
	enum store_result result = STORE_OK;
	struct slice name;
	struct slice domain;
	struct slice value;
	u64 day;

	if (!slice_begin(link))
		return false;
	for (u32 i = 0; i < SLICE_ROWS && link_unsent(link) < LINK_OUTPUT_SOFT; i++) {
		struct tls_tally tally;

		result = planner_tls_next(planner, slice_of(show->after), &name, &day, &domain,
					  &value);
		if (result != STORE_OK)
			break;
		slice_copy(show->after, sizeof(show->after), name);
		if ((show->domain[0] && !slice_equal(domain, slice_of(show->domain))) ||
		    !tls_tally_read(&tally, value))
			continue;
		add_items(link, show, day, domain, &tally);
		tls_tally_done(&tally);
	}
	if (!slice_end(link, result))
		return false;
	if (result == STORE_OK)
		return true;
	link_reply(link, json_pack("{s:I}", "count", (json_int_t)show->count));
	return false;
}

/* The domain that is meant, if one is. */
static bool read_domain(struct control_link *link, const char *typed, struct tls_show *show)
{
	struct slice domain;
	struct buf bytes;
	bool ok = true;

	if (!typed)
		return true;
	buf_init(&bytes, ADDRESS_WIRE_MAX + 1);
	ok = control_domain(link, typed, &bytes, &domain);
	if (ok)
		slice_copy(show->domain, sizeof(show->domain), domain);
	buf_done(&bytes);
	return ok;
}

void control_tls_show(struct control_link *link, const struct control_request *request)
{
	const char *domain = NULL;
	const struct control_arg args[] = { { "domain", CONTROL_TEXT, false, &domain } };
	struct tls_show *show;
	struct error error;

	if (!control_read(request->json, request->command, args, array_count(args), &error)) {
		link_refuse(link, CONTROL_BAD_REQUEST, error.text);
		return;
	}
	if (!planner_tls_keep(link->control->params.planner, &error)) {
		link_refuse(link, CONTROL_FULL, error.text);
		return;
	}
	show = calloc(1, sizeof(*show));
	if (show) {
		show->stream = (struct control_stream){ .step = show_step, .free = show_free };
		if (!read_domain(link, domain, show)) {
			free(show);
			return;
		}
	}
	link_stream(link, show ? &show->stream : NULL);
}

void control_tls_send(struct control_link *link, const struct control_request *request)
{
	struct error error;

	if (!control_read(request->json, request->command, NULL, 0, &error)) {
		link_refuse(link, CONTROL_BAD_REQUEST, error.text);
		return;
	}
	if (!planner_tls_send_now(link->control->params.planner)) {
		link_refuse(link, CONTROL_CONFLICT, "the configuration says: tls-report = false");
		return;
	}
	log_info("send", "command", "command=%s", request->command);
	link_reply(link, json_object());
}
