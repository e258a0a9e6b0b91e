/*
 * site.list, site.show, site.set, site.unset, site.forgive: limits of receivers, where each comes
 * from, and what was learned of them.
 */
#include "base/log.h"
#include "base/text.h"
#include "send/control_parts.h"

#include <string.h>

#define TEXT_MAX 16384

/* Who says that an option is so. */
static const char *origin_of(const struct planner_site_view *view, size_t option)
{
	if (view->set >> option & 1)
		return "set";
	if (view->own >> option & 1)
		return "file";
	if (view->shipped >> option & 1)
		return "provider";
	return view->by_default >> option & 1 ? "default" : "built-in";
}

static json_t *options_of(const struct planner_site_view *view)
{
	json_t *options = json_array();
	struct buf text;

	buf_init(&text, TEXT_MAX);
	for (size_t i = 0; options && config_site_option(i); i++) {
		buf_reset(&text);
		config_site_value(&view->limits, i, &text);
		if (text.failed ||
		    json_array_append_new(options,
					  json_pack("{s:s, s:s, s:s}", "option",
						    config_site_option(i), "value", buf_text(&text),
						    "from", origin_of(view, i))) < 0) {
			json_decref(options);
			options = NULL;
		}
	}
	buf_done(&text);
	return options;
}

/* ---- routes ---- */

struct routes_of {
	const struct planner_site_view *view;
	json_t *routes; /* NULL: no memory */
};

static const char *state_of(const struct planner_route_status *status)
{
	if (status->suspended)
		return "suspended";
	return status->paused_for_ms ? "paused" : status->pace;
}

static bool add_route(void *context, const struct planner_route_status *status)
{
	struct routes_of *of = context;
	json_t *route;
	bool is_meant = of->view->site ? strcmp(of->view->site, status->site) == 0
				       : strcmp(of->view->rule, status->rule) == 0;

	if (!is_meant)
		return true;
	route = json_pack("{s:s, s:s, s:s, s:s, s:f, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:o, s:I,"
			  " s:I, s:I}",
			  "site", status->site, "customer", status->customer, "source",
			  status->source, "state", state_of(status), "rate", status->rate, "width",
			  (json_int_t)status->width, "in_flight", (json_int_t)status->in_flight,
			  "waiting", (json_int_t)status->waiting, "paused_ms",
			  (json_int_t)status->paused_for_ms, "minute",
			  (json_int_t)status->used[0], "hour", (json_int_t)status->used[1], "day",
			  (json_int_t)status->used[2], "reason",
			  answer_text_of(slice_of(status->reason)), "warmup_day",
			  (json_int_t)status->warmup_day, "warmup_sent",
			  (json_int_t)status->warmup_sent, "warmup_quota",
			  (json_int_t)status->warmup_quota);
	if (json_array_append_new(of->routes, route) == 0)
		return true;
	json_decref(of->routes);
	of->routes = NULL;
	return false;
}

static json_t *routes_of(struct send_control *control, const struct planner_site_view *view)
{
	struct routes_of of = { view, json_array() };

	if (of.routes)
		planner_routes(control->params.planner, control_now_ns(control), add_route, &of);
	return of.routes;
}

static void reply_view(struct control_link *link, const struct planner_site_view *view)
{
	json_t *total = view->has_total ?
				json_pack("{s:I, s:I, s:I}", "minute", (json_int_t)view->total[0],
					  "hour", (json_int_t)view->total[1], "day",
					  (json_int_t)view->total[2]) :
				NULL;
	json_t *reply = json_pack("{s:s, s:s, s:o, s:o, s:o*}", "rule", view->rule, "site",
				  view->site ? view->site : "", "options", options_of(view),
				  "routes", routes_of(link->control, view), "total",
				  total);

	link_reply(link, reply);
}

/* ---- commands ---- */

/* Looks at what the request names; false: it was refused. */
static bool look(struct control_link *link, const char *name, const char *host, const char *more,
		 struct planner_site_view *view)
{
	struct error error;

	if (planner_site_look(link->control->params.planner, slice_of(name),
			      slice_of(host ? host : ""), slice_of(more ? more : ""), view, &error))
		return true;
	link_refuse(link, CONTROL_NOT_FOUND, error.text);
	return false;
}

void control_site_show(struct control_link *link, const struct control_request *request)
{
	struct planner_site_view view;
	const char *name = NULL;
	const char *host = NULL;
	const char *options = NULL;
	const struct control_arg args[] = {
		{ "name", CONTROL_TEXT, true, &name },
		{ "host", CONTROL_TEXT, false, &host },
		{ "options", CONTROL_TEXT, false, &options },
	};
	struct error error;

	if (!control_read(request->json, request->command, args, array_count(args), &error)) {
		link_refuse(link, CONTROL_BAD_REQUEST, error.text);
		return;
	}
	if (look(link, name, host, options, &view))
		reply_view(link, &view);
}

/* site.set, site.unset, site.forgive: answered with what counts now. */
void control_site_change(struct control_link *link, const struct control_request *request)
{
	struct planner *planner = link->control->params.planner;
	const bool sets = strcmp(request->command, "site.set") == 0;
	struct planner_site_view view;
	const char *name = NULL;
	const char *options = NULL;
	const struct control_arg args[] = {
		{ "name", CONTROL_TEXT, true, &name },
		{ "options", CONTROL_TEXT, true, &options },
	};
	struct error error = { "" };
	bool done;

	if (!control_read(request->json, request->command, args, sets ? 2 : 1, &error)) {
		link_refuse(link, CONTROL_BAD_REQUEST, error.text);
		return;
	}
	if (!look(link, name, NULL, NULL, &view))
		return;
	/* A domain stands for its site. */
	if (strcmp(name, view.rule) != 0 && view.site)
		name = view.site;
	log_info("send", "command", "command=%s name=%s options=%s", request->command, name,
		 options ? options : "");
	if (sets)
		done = planner_site_set(planner, slice_of(name), slice_of(options), &error);
	else if (strcmp(request->command, "site.unset") == 0)
		done = planner_site_unset(planner, slice_of(name), &error);
	else
		done = planner_site_forgive(planner, slice_of(name)) ||
		       error_set(&error, "nothing was sent to \"%s\" lately", name);
	if (!done)
		link_refuse(link, planner_is_broken(planner) ? CONTROL_FAILED : CONTROL_BAD_REQUEST,
			    error.text);
	else if (look(link, name, NULL, NULL, &view))
		reply_view(link, &view);
}

void control_site_list(struct control_link *link, const struct control_request *request)
{
	struct planner_site_view view;
	struct error error;
	size_t count = 0;

	if (!control_read(request->json, request->command, NULL, 0, &error)) {
		link_refuse(link, CONTROL_BAD_REQUEST, error.text);
		return;
	}
	for (; planner_rule_look(link->control->params.planner, count, &view); count++)
		link_item(link, json_pack("{s:s, s:s, s:o}", "rule", view.rule, "from",
					  count == 0 ? "default"
					  : view.own ? "file"
						     : "provider",
					  "options", options_of(&view)));
	link_reply(link, json_pack("{s:I}", "count", (json_int_t)count));
}
