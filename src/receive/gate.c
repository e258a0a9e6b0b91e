#include "receive/gate_parts.h"

#include "base/clock.h"
#include "base/log.h"
#include "base/text.h"
#include "metrics/metrics.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define ACCEPTS_MAX 64 /* of one listener in a turn: visitors get theirs, too */
#define ACCEPT_AGAIN_NS (100 * NS_PER_MS)

static const struct slice token_place = SLICE("{{_token}}");

/* ---- addresses ---- */

/* The prefix alone, or with "-" and something behind it. */
static bool is_bounce(struct slice local, struct slice prefix)
{
	if (!slice_has_prefix_nocase(local, prefix))
		return false;
	local = slice_from(local, prefix.len);
	return local.len == 0 || (local.len > 1 && local.ptr[0] == '-');
}

/* The customer's unsubscribe address, with any token in the place of {{_token}}. */
static bool is_unsubscribe(struct slice path, const char *address)
{
	struct slice pattern = slice_of(address);
	i64 at = slice_find(pattern, token_place);
	struct slice head;
	struct slice tail;

	if (at < 0)
		return false;
	head = slice_first(pattern, (size_t)at);
	tail = slice_from(pattern, (size_t)at + token_place.len);
	return path.len > head.len + tail.len && slice_has_prefix_nocase(path, head) &&
	       slice_equal_nocase(slice_from(path, path.len - tail.len), tail);
}

bool gate_takes(const struct gate *gate, const struct smtp_mailbox *to)
{
	const struct config_customer *customer;
	bool host = slice_equal_nocase(to->local, SLICE("postmaster"));

	/* RFC 5321 section 4.5.1: without a domain it is ours. */
	if (to->domain.len == 0)
		return host;
	if (to->literal || to->utf8)
		return false;
	customer = config_customer_of(gate->params.config, to->domain);
	if (!customer)
		return host && slice_equal_nocase(to->domain, gate->servers[GATE_MX].host_name);
	return host || slice_equal_nocase(to->local, SLICE("abuse")) ||
	       is_bounce(to->local, slice_of(customer->bounce)) ||
	       (customer->unsubscribe_mailto &&
		is_unsubscribe(to->path, customer->unsubscribe_mailto));
}

/* ---- clients ---- */

static void key_of(u8 key[CLIENT_KEY_SIZE], const struct net_address *peer)
{
	memset(key, 0, CLIENT_KEY_SIZE);
	key[0] = peer->family;
	memcpy(key + 1, peer->ip, peer->family == 4 ? 4 : 8);
}

/* The client, with one visitor more; NULL: it has too many, or no memory. */
static struct gate_client *client_take(struct gate *gate, const struct net_address *peer)
{
	u8 key[CLIENT_KEY_SIZE];
	struct gate_client *client;

	key_of(key, peer);
	client = map_find(&gate->clients, (struct slice){ (const char *)key, sizeof(key) });
	if (!client) {
		client = calloc(1, sizeof(*client));
		if (!client)
			return NULL;
		memcpy(client->key, key, sizeof(key));
		if (!map_add(&gate->clients,
			     (struct slice){ (const char *)client->key, sizeof(key) }, client)) {
			free(client);
			return NULL;
		}
	}
	if (client->visitors >= gate->params.config->receive.connections_per_client)
		return NULL;
	client->visitors++;
	return client;
}

void gate_forget(struct gate *gate, struct gate_client *client)
{
	metric_set(&gate->params.meter->open, gate->visitor_count);
	if (--client->visitors > 0)
		return;
	map_remove(&gate->clients, (struct slice){ (const char *)client->key, CLIENT_KEY_SIZE });
	free(client);
}

static void let_in(struct gate *gate, enum gate_door door, i32 handle,
		   const struct net_address *peer)
{
	struct gate_client *client = NULL;

	if (gate->visitor_count < gate->params.config->receive.connections)
		client = client_take(gate, peer);
	metric_add(&gate->params.meter->connections, 1);
	if (client && visitor_enter(gate, door, handle, peer, client)) {
		metric_set(&gate->params.meter->open, gate->visitor_count);
		return;
	}
	if (client)
		gate_forget(gate, client);
	metric_add(&gate->params.meter->refused[METER_NO_PLACE], 1);
	log_warn("receive", "too many connections", "open=%u", gate->visitor_count);
	ring_shut(gate->params.ring, handle);
}

/* ---- listeners ---- */

static void poll_listener(struct gate_listener *listener)
{
	listener->polling = true;
	ring_poll(listener->gate->params.ring, &listener->op, listener->fd);
}

static void on_listener(struct ring_op *op, i32 result)
{
	struct gate_listener *listener = container_of(op, struct gate_listener, op);
	struct gate *gate = listener->gate;
	struct net_address peer;
	i32 handle = 0;

	listener->polling = false;
	if (result < 0 || gate->leaving)
		return;
	for (u32 i = 0; i < ACCEPTS_MAX && handle != -EAGAIN; i++) {
		handle = ring_accept_one(gate->params.ring, listener->fd, &peer);
		if (handle >= 0) {
			let_in(gate, listener->door, handle, &peer);
		} else if (handle != -EAGAIN && handle != -ECONNABORTED) {
			/* Sockets or memory lack: these come back with time. */
			timer_start(gate->params.wheel, &listener->again,
				    clock_mono_ns() + ACCEPT_AGAIN_NS);
			return;
		}
	}
	poll_listener(listener);
}

static void on_again(struct timer *timer)
{
	poll_listener(container_of(timer, struct gate_listener, again));
}

static bool listen_at(struct gate *gate, enum gate_door door, const char *text,
		      struct error *error)
{
	struct gate_listener *listener = &gate->listeners[gate->listener_count];
	struct net_address at;

	if (!net_address_parse(&at, slice_of(text), true))
		return error_set(error, "%s is no address with a port", text);
	listener->gate = gate;
	listener->door = door;
	listener->op.done = on_listener;
	timer_init(&listener->again, on_again);
	listener->fd = ring_listen(&at);
	if (listener->fd < 0)
		return error_set_errno(error, -listener->fd, "cannot listen on %s", text);
	gate->listener_count++;
	if (fcntl(listener->fd, F_SETFL, O_NONBLOCK) < 0)
		return error_set_errno(error, errno, "cannot listen on %s", text);
	poll_listener(listener);
	return true;
}

static bool listen_all(struct gate *gate, enum gate_door door, const struct config_list *list,
		       struct error *error)
{
	for (size_t i = 0; i < list->count; i++) {
		if (strcmp(list->items[i], CONFIG_NOWHERE) != 0 &&
		    !listen_at(gate, door, list->items[i], error))
			return false;
	}
	return true;
}

static void set_servers(struct gate *gate)
{
	const struct config *config = gate->params.config;

	for (u32 door = 0; door < GATE_DOORS; door++) {
		struct smtp_server_params *server = &gate->servers[door];

		*server = smtp_server_usual;
		server->host_name = slice_of(config->receive.hostname);
		server->tls_offered = true;
		server->size_max = config->receive.message_max;
		if (door == GATE_MX || !gate->params.submission)
			continue;
		server->mode = SMTP_SERVER_SUBMISSION;
		server->size_max = config->submission.message_max;
		server->recipients_max = config->submission.recipients;
		server->clear_auth = door == GATE_SUBMISSION_CLEAR;
	}
}

static bool open_doors(struct gate *gate, struct error *error)
{
	const struct config_submission *submission = &gate->params.config->submission;

	return listen_all(gate, GATE_MX, &gate->params.config->receive.listen, error) &&
	       (!gate->params.submission ||
		(listen_all(gate, GATE_SUBMISSION, &submission->listen, error) &&
		 listen_all(gate, GATE_SUBMISSION_TLS, &submission->listen_tls, error) &&
		 listen_all(gate, GATE_SUBMISSION_CLEAR, &submission->listen_clear, error)));
}

struct gate *gate_open(const struct gate_params *params, struct error *error)
{
	struct gate *gate = calloc(1, sizeof(*gate));

	if (!gate) {
		error_set(error, "out of memory for connections");
		return NULL;
	}
	gate->params = *params;
	map_init(&gate->clients);
	list_init(&gate->visitors);
	set_servers(gate);
	if (open_doors(gate, error))
		return gate;
	gate_close(gate);
	return NULL;
}

static void stop_listening(struct gate *gate)
{
	gate->leaving = true;
	for (u32 i = 0; i < gate->listener_count; i++) {
		timer_stop(gate->params.wheel, &gate->listeners[i].again);
		if (gate->listeners[i].polling)
			ring_cancel_op(gate->params.ring, &gate->listeners[i].op);
	}
}

void gate_leave(struct gate *gate)
{
	stop_listening(gate);
	list_for_each(node, &gate->visitors)
		visitor_leave(visitor_of(node));
}

bool gate_is_empty(const struct gate *gate)
{
	return gate->visitor_count == 0;
}

static bool is_polling(const struct gate *gate)
{
	for (u32 i = 0; i < gate->listener_count; i++) {
		if (gate->listeners[i].polling)
			return true;
	}
	return false;
}

void gate_close(struct gate *gate)
{
	if (!gate)
		return;
	if (!gate->leaving)
		stop_listening(gate);
	list_for_each(node, &gate->visitors)
		visitor_break_off(visitor_of(node));
	while (gate->visitor_count > 0 || is_polling(gate)) {
		ring_turn(gate->params.ring, NS_PER_MS);
		submission_work(gate->params.submission);
	}
	for (u32 i = 0; i < gate->listener_count; i++)
		close(gate->listeners[i].fd);
	ring_turn(gate->params.ring, 0);
	map_done(&gate->clients);
	free(gate);
}
