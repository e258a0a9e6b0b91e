#include "init/dhcp_event.h"

#include "base/log.h"
#include "base/types.h"
#include "init/ask.h"

#include <stdlib.h>

/* What udhcpc may have heard of the server. */
static const char *const words[] = { "interface", "ip",	      "subnet",	  "mask",   "router",
				     "dns",	  "domain",   "hostname", "ntpsrv", "lease",
				     "mtu",	  "serverid", "siaddr",	  "search", "staticroutes",
				     "message" };

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
	if (ask_init(request, &error))
		return EXIT_SUCCESS;
	log_error("dhcp-event", "not told", "event=%s error=%s", argv[1], error.text);
	return EXIT_FAILURE;
}
