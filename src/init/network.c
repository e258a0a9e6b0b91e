#include "init/network.h"

#include <stdlib.h>
#include <sys/eventfd.h>

struct network {
	int fd;
};

struct network *network_new(struct error *error)
{
	struct network *network = calloc(1, sizeof(*network));

	if (!network)
		error_set(error, "no memory");
	else
		network->fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	return network;
}

int network_fd(const struct network *network)
{
	return network->fd;
}

void network_run(struct network *network, u64 now_ms)
{
	(void)network;
	(void)now_ms;
}

u64 network_next_ms(const struct network *network)
{
	(void)network;
	return UINT64_MAX;
}

bool network_configure(struct network *network, const struct appliance *appliance, u64 now_ms,
		       struct error *error)
{
	(void)network;
	(void)appliance;
	(void)now_ms;
	(void)error;
	return true;
}

json_t *network_json(const struct network *network)
{
	(void)network;
	return json_object();
}

bool network_dhcp_event(struct network *network, const json_t *request, u64 now_ms,
			struct error *error)
{
	(void)network;
	(void)request;
	(void)now_ms;
	return error_set(error, "network.dhcp is not there yet");
}

u32 network_dhcp_wanted(const struct network *network, const char **names, u32 max)
{
	(void)network;
	(void)names;
	(void)max;
	return 0;
}

bool network_is_up(const struct network *network)
{
	(void)network;
	return false;
}
