#include "init/dhcp_event.h"

#include "base/log.h"
#include "base/types.h"
#include "control/client.h"

#include <stdlib.h>

/* What udhcpc may have heard of the server. */
static const char *const words[] = { "interface", "ip",	      "subnet",	  "mask",   "router",
				     "dns",	  "domain",   "hostname", "ntpsrv", "lease",
				     "mtu",	  "serverid", "siaddr",	  "search", "staticroutes",
				     "message" };

static bool tell(json_t *request, struct error *error)
{
	enum control_problem problem;
	struct control_client *client = control_client_open(DHCP_EVENT_SOCKET, &problem, error);
	enum control_answer answer = CONTROL_LOST;
	json_t *json = NULL;

	if (!client) {
		json_decref(request);
		return false;
	}
	answer = control_client_request(client, request, error);
	if (answer == CONTROL_SENT)
		answer = control_client_next(client, &json, error);
	json_decref(json);
	control_client_close(client);
	return answer == CONTROL_REPLY;
}

int dhcp_event_main(int argc, char **argv)
{
	struct error error = { "" };
	json_t *request;

	if (argc < 2) {
		log_error("dhcp-event", "no event");
		return EXIT_FAILURE;
	}
	request = json_pack("{s:s, s:s}", "command", "network.dhcp", "event", argv[1]);
	for (size_t i = 0; request && i < array_count(words); i++) {
		const char *value = getenv(words[i]);

		/* A server may say anything; what is no text is left out. */
		if (value)
			json_object_set_new(request, words[i], json_string(value));
	}
	if (!request)
		return EXIT_FAILURE;
	if (tell(request, &error))
		return EXIT_SUCCESS;
	log_error("dhcp-event", "not told", "event=%s error=%s", argv[1], error.text);
	return EXIT_FAILURE;
}
