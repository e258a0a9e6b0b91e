/*
 * Which command is which, and those that are answered at once.
 */
#include "base/log.h"
#include "base/text.h"
#include "send/control_parts.h"

#include <stdio.h>
#include <string.h>

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

void control_reply_campaign(struct control_link *link, u32 id)
{
	const struct control_campaign_ref ref = { .id = id };
	struct queue_campaign campaign;

	if (control_find(link, &ref, &campaign))
		link_reply(link, answer_campaign(link->control->params.planner, &campaign,
						 control_campaign_rate(link->control, &campaign)));
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
	/* NULL: control_cancel */
	bool (*run)(struct planner *planner, u32 id, struct error *error);
	u32 allowed; /* states, as bits */
	const char *done;
};

static const struct change changes[] = {
	{ "campaign.start", planner_campaign_start, 1u << CAMPAIGN_READY, "started" },
	{ "campaign.pause", planner_campaign_pause, 1u << CAMPAIGN_RUNNING, "paused" },
	{ "campaign.resume", planner_campaign_resume, 1u << CAMPAIGN_PAUSED, "resumed" },
	{ "campaign.cancel", NULL,
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
	/* The rows that wait for another try are many, perhaps. */
	if (!change->run) {
		control_cancel(link, campaign.id);
		return;
	}
	if (!change->run(control->params.planner, campaign.id, &error)) {
		link_refuse(link, CONTROL_FAILED, error.text);
		return;
	}
	control_reply_campaign(link, campaign.id);
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
		link_reply(link, json_pack("{s:i, s:s}", "count", 1, "site", site));
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
	{ "campaign.append", control_append_begin },
	{ "campaign.close", control_close },
	{ "letter.send", control_letter_begin },
	{ "letter.status", control_letter_status },
	{ "letter.recipients", control_letter_recipients },
	{ "campaign.status", control_campaign_status },
	{ "campaign.report", control_campaign_report },
	{ "queue.list", control_queue_list },
	{ "queue.show", control_queue_show },
	{ "queue.retry", control_retry },
	{ "queue.bounce", control_bounce },
	{ "queue.suspend", run_suspend },
	{ "queue.resume", run_resume },
	{ "queue.doubt", control_doubt },
	{ "queue.unknown", control_queue_unknown },
	{ "log.show", control_log_show },
	{ "reader.list", control_reader_list },
	{ "reader.put", control_reader_put },
	{ "reader.remove", control_reader_remove },
	{ "reader.resume", control_reader_resume },
	{ "reader.test", control_reader_test },
	{ "reader.tested", control_reader_tested },
	{ "inbound.report", control_inbound_report },
	{ "suppression.add", control_suppression_change },
	{ "suppression.remove", control_suppression_change },
	{ "suppression.show", control_suppression_show },
	{ "suppression.find", control_suppression_find },
	{ "suppression.list", control_suppression_list },
	{ "site.list", control_site_list },
	{ "site.show", control_site_show },
	{ "site.set", control_site_change },
	{ "site.unset", control_site_change },
	{ "site.forgive", control_site_change },
	{ "warmup.list", control_warmup_list },
	{ "warmup.start", control_warmup_change },
	{ "warmup.pause", control_warmup_change },
	{ "warmup.skip", control_warmup_change },
	{ "warmup.stop", control_warmup_change },
	{ "tls-report.show", control_tls_show },
	{ "tls-report.send", control_tls_send },
	{ "identity.show", control_identity_show },
	{ "status", control_status },
	{ "stop", run_stop },
};

static void dispatch(struct control_link *link, const struct control_request *request)
{
	struct error error;

	if (!control_may(&link->control->rights, link->user, request->command)) {
		log_warn("send", "a command is refused: it is not for this user",
			 "command=%s user=%u", request->command, link->user);
		error_set(&error, "\"%.64s\" is not for this user", request->command);
		link_refuse(link, CONTROL_FORBIDDEN, error.text);
		return;
	}
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
