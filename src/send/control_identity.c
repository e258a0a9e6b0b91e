/*
 * identity.show: for each customer the domain, the addresses that mail leaves from with their EHLO
 * names, and what has to stand in DNS for his DKIM keys. Public all of it.
 */
#include "base/text.h"
#include "delivery/planner.h"
#include "dkim/key.h"
#include "send/control_parts.h"

#include <stdio.h>

#define RECORD_MAX 8192

static json_t *addresses_of(const struct config_customer *customer)
{
	json_t *list = json_array();

	for (size_t i = 0; i < customer->address_count; i++)
		json_array_append_new(list,
				      json_pack("{s:s, s:s}", "address", customer->addresses[i].ip,
						"ehlo", customer->addresses[i].ehlo));
	return list;
}

static json_t *keys_of(const struct planner *planner, const struct config *config, size_t at)
{
	const struct config_customer *customer = &config->customers[at];
	json_t *list = json_array();

	for (size_t i = 0; i < customer->dkim_count; i++) {
		char name[340];
		struct buf record;

		snprintf(name, sizeof(name), "%.63s._domainkey.%.253s", customer->dkim[i].selector,
			 customer->domain);
		buf_init(&record, RECORD_MAX);
		if (dkim_key_record(planner_dkim_key(planner, at, i), &record))
			json_array_append_new(list, json_pack("{s:s, s:s}", "name", name, "record",
							      buf_text(&record)));
		buf_done(&record);
	}
	return list;
}

void control_identity_show(struct control_link *link, const struct control_request *request)
{
	struct send_control *control = link->control;
	const struct config *config = control->params.config;
	struct error error;

	if (!control_read(request->json, request->command, NULL, 0, &error)) {
		link_refuse(link, CONTROL_BAD_REQUEST, error.text);
		return;
	}
	for (size_t i = 0; i < config->customer_count; i++) {
		const struct config_customer *customer = &config->customers[i];

		link_item(link, json_pack("{s:s, s:o, s:o}", "domain", customer->domain,
					  "addresses", addresses_of(customer), "keys",
					  keys_of(control->params.planner, config, i)));
	}
	link_reply(link, json_pack("{s:I}", "count", (json_int_t)config->customer_count));
}
