/*
 * Which command is which, and those that are answered at once.
 */
#include "base/log.h"
#include "base/text.h"
#include "send/control_parts.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

/* ---- naming campaigns ---- */

bool control_find(struct control_link *link, const struct control_campaign_ref *ref,
		  struct queue_campaign *campaign)
{
	char digits[16];
	struct error error;

	snprintf(digits, sizeof(digits), "%u", (u32)ref->id);
	if (planner_campaign_find(link->control->params.planner,
				  slice_of(ref->name ? ref->name : digits), campaign, &error))
		return true;
	link_refuse(link, CONTROL_NOT_FOUND, error.text);
	return false;
}

bool control_find_word(struct control_link *link, const char *word, u32 *id)
{
	struct control_campaign_ref ref = { .name = word };
	struct queue_campaign campaign;

	*id = 0;
	if (!word)
		return true;
	if (!control_find(link, &ref, &campaign))
		return false;
	*id = campaign.id;
	return true;
}

/* ---- naming domains and addresses ---- */

bool control_address(struct control_link *link, const char *typed, struct address *parsed,
		     struct buf *out)
{
	struct error error;

	if (!address_parse(parsed, slice_of(typed), &error)) {
		link_refuse(link, CONTROL_BAD_REQUEST, error.text);
		return false;
	}
	buf_reset(out);
	address_add_wire(parsed, out);
	if (out->failed)
		link_refuse(link, CONTROL_FAILED, "out of memory");
	return !out->failed;
}

bool control_domain(struct control_link *link, const char *typed, struct buf *out,
		    struct slice *domain)
{
	char text[512];
	struct address parsed;

	snprintf(text, sizeof(text), "x@%s", typed);
	if (!control_address(link, text, &parsed, out))
		return false;
	buf_reset(out);
	buf_add_text(out, parsed.domain);
	*domain = buf_slice(out);
	return true;
}

/* ---- campaign.start, pause, resume, cancel ---- */

struct change {
	const char *command;
	bool (*run)(struct planner *planner, u32 id, struct error *error);
	u32 allowed; /* states, as bits */
	const char *done;
};

static const struct change changes[] = {
	{ "campaign.start", planner_campaign_start, 1u << CAMPAIGN_READY, "started" },
	{ "campaign.pause", planner_campaign_pause, 1u << CAMPAIGN_RUNNING, "paused" },
	{ "campaign.resume", planner_campaign_resume, 1u << CAMPAIGN_PAUSED, "resumed" },
	{ "campaign.cancel", planner_campaign_cancel,
	  1u << CAMPAIGN_READY | 1u << CAMPAIGN_RUNNING | 1u << CAMPAIGN_PAUSED, "cancelled" },
};

static void change_run(struct control_link *link, const struct control_request *request,
		       const struct change *change)
{
	struct send_control *control = link->control;
	struct control_campaign_ref ref;
	struct queue_campaign campaign;
	struct error error;

	if (!control_read_campaign(request, false, &ref, &error)) {
		link_refuse(link, CONTROL_BAD_REQUEST, error.text);
		return;
	}
	if (!control_find(link, &ref, &campaign))
		return;
	if (!(change->allowed >> campaign.state & 1)) {
		error_set(&error, "campaign %s is %s: it cannot be %s", campaign.name,
			  queue_campaign_state_name(campaign.state), change->done);
		link_refuse(link, CONTROL_CONFLICT, error.text);
		return;
	}
	log_info("send", "command", "command=%s campaign=%s id=%u", change->command, campaign.name,
		 campaign.id);
	if (!change->run(control->params.planner, campaign.id, &error)) {
		link_refuse(link, CONTROL_FAILED, error.text);
		return;
	}
	ref = (struct control_campaign_ref){ .id = campaign.id };
	if (control_find(link, &ref, &campaign))
		link_reply(link,
			   answer_campaign(&campaign, control_campaign_rate(control, &campaign)));
}

/* ---- queue.retry, queue.bounce, queue.doubt ---- */

/* What a selection means, as the planner filters; texts are copied into `address`. */
static bool filter_of(struct control_link *link, const struct control_selection *selection,
		      struct planner_filter *filter, struct buf *address)
{
	struct address parsed;

	*filter = (struct planner_filter){ 0 };
	if (!control_find_word(link, selection->campaign, &filter->campaign))
		return false;
	if (selection->domain && !control_domain(link, selection->domain, address, &filter->domain))
		return false;
	if (!selection->address)
		return true;
	if (!control_address(link, selection->address, &parsed, address))
		return false;
	/* Both must hold: an address of another domain matches nothing, and that is a mistake. */
	if (selection->domain && strcasecmp(selection->domain, parsed.domain) != 0) {
		link_refuse(link, CONTROL_BAD_REQUEST, "the address is not of the domain");
		return false;
	}
	filter->domain = SLICE_NONE;
	filter->address = buf_slice(address);
	return true;
}

typedef bool sweep_fn(struct planner *planner, const struct planner_filter *filter, u64 *count,
		      struct error *error);

static bool resend_held(struct planner *planner, const struct planner_filter *filter, u64 *count,
			struct error *error)
{
	return planner_doubt_settle(planner, filter, true, count, error);
}

static bool drop_held(struct planner *planner, const struct planner_filter *filter, u64 *count,
		      struct error *error)
{
	return planner_doubt_settle(planner, filter, false, count, error);
}

static void sweep_run(struct control_link *link, const struct control_request *request,
		      const struct control_selection *selection, sweep_fn *sweep)
{
	struct planner_filter filter;
	struct buf address;
	struct error error;
	u64 count = 0;

	buf_init(&address, ADDRESS_WIRE_MAX + 1);
	if (!filter_of(link, selection, &filter, &address))
		goto out;
	log_info("send", "command", "command=%s action=%s campaign=%u domain=%.*s all=%d",
		 request->command, selection->action ? selection->action : "-", filter.campaign,
		 SLICE_FMT(filter.domain), selection->all);
	if (sweep(link->control->params.planner, &filter, &count, &error))
		link_reply(link, json_pack("{s:I}", "count", (json_int_t)count));
	else
		link_refuse(link, CONTROL_FAILED, error.text);
out:
	buf_done(&address);
}

static void run_retry(struct control_link *link, const struct control_request *request)
{
	const u32 must = SELECT_CAMPAIGN | SELECT_DOMAIN | SELECT_ADDRESS | SELECT_ALL;
	struct control_selection selection;
	struct error error;

	if (!control_read_selection(request, must, must, &selection, &error))
		link_refuse(link, CONTROL_BAD_REQUEST, error.text);
	else
		sweep_run(link, request, &selection, planner_retry);
}

static void run_bounce(struct control_link *link, const struct control_request *request)
{
	const u32 must = SELECT_CAMPAIGN | SELECT_DOMAIN | SELECT_ADDRESS;
	struct control_selection selection;
	struct error error;

	if (!control_read_selection(request, must, must, &selection, &error))
		link_refuse(link, CONTROL_BAD_REQUEST, error.text);
	else
		sweep_run(link, request, &selection, planner_bounce);
}

static void run_doubt(struct control_link *link, const struct control_request *request)
{
	static const char *const actions[] = { "list", "resend", "drop" };
	static sweep_fn *const sweeps[] = { NULL, resend_held, drop_held };
	const u32 must = SELECT_CAMPAIGN | SELECT_ADDRESS | SELECT_ALL;
	struct control_selection selection;
	struct error error;
	int action = -1;

	if (control_read_selection(request, must | SELECT_ACTION, 0, &selection, &error))
		action = control_word(selection.action, request->command, "action", actions,
				      array_count(actions), &error);
	/* Only listing may be about everything without saying so. */
	if (action > 0 &&
	    !control_read_selection(request, must | SELECT_ACTION, must, &selection, &error))
		action = -1;
	if (action < 0)
		link_refuse(link, CONTROL_BAD_REQUEST, error.text);
	else if (action == 0)
		control_doubt_list(link, &selection);
	else
		sweep_run(link, request, &selection, sweeps[action]);
}

/* ---- queue.suspend, queue.resume ---- */

/* The site that is meant; NULL: refused. */
static const char *site_of(struct control_link *link, const struct control_selection *selection,
			   char name[256])
{
	struct planner *planner = link->control->params.planner;
	struct slice domain;
	struct error error;
	struct buf bytes;
	const char *site = NULL;

	if (selection->site && selection->domain) {
		link_refuse(link, CONTROL_BAD_REQUEST, "give \"site\" or \"domain\", not both");
		return NULL;
	}
	if (selection->site)
		return selection->site;
	buf_init(&bytes, ADDRESS_WIRE_MAX + 1);
	if (control_domain(link, selection->domain, &bytes, &domain)) {
		site = planner_site_of_domain(planner, domain);
		if (site && slice_copy(name, 256, slice_of(site))) {
			site = name;
		} else {
			error_set(&error, "it is not known yet which site takes the mail of %s",
				  selection->domain);
			link_refuse(link, CONTROL_NOT_FOUND, error.text);
		}
	}
	buf_done(&bytes);
	return site;
}

static void suspend_run(struct control_link *link, const struct control_request *request,
			bool suspends)
{
	struct planner *planner = link->control->params.planner;
	const u32 must = SELECT_SITE | SELECT_DOMAIN;
	struct control_selection selection;
	char name[256];
	const char *site;
	struct error error;
	bool ok;

	if (!control_read_selection(request, must, must, &selection, &error)) {
		link_refuse(link, CONTROL_BAD_REQUEST, error.text);
		return;
	}
	site = site_of(link, &selection, name);
	if (!site)
		return;
	if (suspends && !planner_site_is_known(planner, slice_of(site))) {
		error_set(&error, "no mail goes to a site named \"%.200s\"", site);
		link_refuse(link, CONTROL_NOT_FOUND, error.text);
		return;
	}
	log_info("send", "command", "command=%s site=%s", request->command, site);
	ok = suspends ? planner_site_suspend(planner, slice_of(site), &error)
		      : planner_site_resume(planner, slice_of(site), &error);
	if (ok)
		link_reply(link, json_pack("{s:i}", "count", 1));
	else
		link_refuse(link, planner_is_broken(planner) ? CONTROL_FAILED : CONTROL_NOT_FOUND,
			    error.text);
}

/* ---- stop ---- */

static void run_stop(struct control_link *link, const struct control_request *request)
{
	struct error error;

	if (!control_read(request->json, request->command, NULL, 0, &error)) {
		link_refuse(link, CONTROL_BAD_REQUEST, error.text);
		return;
	}
	log_info("send", "command", "command=stop");
	link->control->stop_requested = true;
	link->waits_for_end = true;
	link_reply(link, json_pack("{s:I}", "sessions",
				   (json_int_t)control_sessions_open(link->control)));
}

/* ---- the table ---- */

static void run_suspend(struct control_link *link, const struct control_request *request)
{
	suspend_run(link, request, true);
}

static void run_resume(struct control_link *link, const struct control_request *request)
{
	suspend_run(link, request, false);
}

static const struct {
	const char *name;
	void (*run)(struct control_link *link, const struct control_request *request);
} commands[] = {
	{ "campaign.create", control_create_begin },
	{ "campaign.status", control_campaign_status },
	{ "campaign.report", control_campaign_report },
	{ "queue.list", control_queue_list },
	{ "queue.show", control_queue_show },
	{ "queue.retry", run_retry },
	{ "queue.bounce", run_bounce },
	{ "queue.suspend", run_suspend },
	{ "queue.resume", run_resume },
	{ "queue.doubt", run_doubt },
	{ "status", control_status },
	{ "stop", run_stop },
};

static void dispatch(struct control_link *link, const struct control_request *request)
{
	struct error error;

	for (size_t i = 0; i < array_count(commands); i++) {
		if (strcmp(commands[i].name, request->command) == 0) {
			commands[i].run(link, request);
			return;
		}
	}
	for (size_t i = 0; i < array_count(changes); i++) {
		if (strcmp(changes[i].command, request->command) == 0) {
			change_run(link, request, &changes[i]);
			return;
		}
	}
	error_set(&error, "there is no command \"%.64s\"", request->command);
	link_refuse(link, CONTROL_BAD_REQUEST, error.text);
}

void control_request_run(struct control_link *link, struct slice payload)
{
	struct control_request request = { 0 };
	struct error error;

	if (link->is_extra) {
		link->ends_when_sent = true;
		link_refuse(link, CONTROL_FULL,
			    "too many control connections: try again in a moment");
	} else if (link->control->is_leaving) {
		link_refuse(link, CONTROL_FAILED, "the sender is ending");
	} else if (!control_request_parse(&request, payload, &error)) {
		link_refuse(link, CONTROL_BAD_REQUEST, error.text);
	} else {
		dispatch(link, &request);
	}
	control_request_done(&request);
}
