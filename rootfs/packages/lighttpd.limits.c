/*
 * A module of lighttpd's that is ours: what one client may hold of a server that everybody needs.
 *
 * limits.connections-per-client: of one IPv4 address or IPv6 /64; one more is closed as it comes.
 * limits.head-seconds: until a request's head is there, the handshake of TLS included. lighttpd's
 * own time limit begins anew with every byte, so who sends one now and then stays for hours.
 * 0, or not said: no limit.
 */
#include "first.h"

#include "base.h"
#include "chunk.h"
#include "log.h"
#include "plugin.h"
#include "plugin_config.h"
#include "request.h"
#include "sock_addr.h"

#define IPV4_BITS 32
#define IPV6_BITS 64

typedef struct {
	PLUGIN_DATA;
	unsigned int connections;
	unsigned int head_seconds;
} plugin_data;

INIT_FUNC(mod_limits_init)
{
	return ck_calloc(1, sizeof(plugin_data));
}

SETDEFAULTS_FUNC(mod_limits_set_defaults)
{
	static const config_plugin_keys_t keys[] = {
		{ CONST_STR_LEN("limits.connections-per-client"), T_CONFIG_INT, T_CONFIG_SCOPE_SERVER },
		{ CONST_STR_LEN("limits.head-seconds"), T_CONFIG_INT, T_CONFIG_SCOPE_SERVER },
		{ NULL, 0, T_CONFIG_UNSET, T_CONFIG_SCOPE_UNSET },
	};
	plugin_data *const p = p_d;

	if (!config_plugin_values_init(srv, p, keys, "mod_limits"))
		return HANDLER_ERROR;
	/* They stand outside of all conditions: in the first list, if there is one. */
	if (p->nconfig > 0 && p->cvlist->v.u2[1]) {
		const config_plugin_value_t *value = p->cvlist + p->cvlist->v.u2[0];

		for (; value->k_id != -1; value++)
			*(value->k_id == 0 ? &p->connections : &p->head_seconds) = value->v.u;
	}
	return HANDLER_GO_ON;
}

static int is_same_client(const connection *a, const connection *b)
{
	int family = sock_addr_get_family(&a->dst_addr);

	if (family != sock_addr_get_family(&b->dst_addr))
		return 0;
	if (family != AF_INET && family != AF_INET6)
		return 0;
	return sock_addr_is_addr_eq_bits(&a->dst_addr, &b->dst_addr,
					 family == AF_INET ? IPV4_BITS : IPV6_BITS);
}

static handler_t mod_limits_accept(connection *con, void *p_d)
{
	const plugin_data *const p = p_d;
	unsigned int count = 0; /* the new one counts: it is on the list */

	if (p->connections == 0)
		return HANDLER_GO_ON;
	for (const connection *other = con->srv->conns; other; other = other->next)
		count += is_same_client(other, con) != 0;
	return count > p->connections ? HANDLER_ERROR : HANDLER_GO_ON;
}

/* Whether it waits for a head that has been coming for too long. */
static int is_late(const connection *con, unsigned int seconds)
{
	const request_st *const r = &con->request;

	if (r->state != CON_STATE_READ)
		return 0;
	if (con->request_count <= 1)
		return log_monotonic_secs - con->connection_start > (unix_time64_t)seconds;
	/* Between requests keep-alive has its own limit; the clock of this one is the wall's. */
	return !chunkqueue_is_empty(&r->read_queue) &&
	       log_epoch_secs - r->start_hp.tv_sec > (unix_time64_t)seconds;
}

TRIGGER_FUNC(mod_limits_trigger)
{
	const plugin_data *const p = p_d;

	if (p->head_seconds == 0)
		return HANDLER_GO_ON;
	for (connection *con = srv->conns; con; con = con->next) {
		if (is_late(con, p->head_seconds)) {
			request_set_state_error(&con->request, CON_STATE_ERROR);
			joblist_append(con);
		}
	}
	return HANDLER_GO_ON;
}

int mod_limits_plugin_init(plugin *p);

int mod_limits_plugin_init(plugin *p)
{
	p->version = LIGHTTPD_VERSION_ID;
	p->name = "limits";
	p->init = mod_limits_init;
	p->set_defaults = mod_limits_set_defaults;
	p->handle_connection_accept = mod_limits_accept;
	p->handle_trigger = mod_limits_trigger;
	return 0;
}
