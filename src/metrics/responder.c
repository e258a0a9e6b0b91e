#include "metrics/responder.h"

#include "base/clock.h"
#include "base/list.h"
#include "base/text.h"
#include "io/conn.h"
#include "metrics/http_head.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#define HEAD_WAIT_NS (10 * NS_PER_S)
#define ANSWER_WAIT_NS (30 * NS_PER_S)
/* How long a client may go on sending after a refusal. Closing on unread bytes would reset the
 * connection, and the client would never see why it was refused. */
#define LINGER_NS (1 * NS_PER_S)
#define ACCEPT_AGAIN_NS (100 * NS_PER_MS)

enum client_state { CLIENT_READING, CLIENT_ANSWERING, CLIENT_LINGERING };

struct client {
	struct list node;
	struct conn conn;
	struct timer timer; /* the end of its patience, by state */
	struct metrics_responder *responder;
	enum client_state state;
	bool must_linger;   /* there are or may be bytes that nobody read */
	struct iovec iov[2]; /* what is left of head and body */
	char answer_head[320];
	struct buf body;
	struct http_head head;
};

struct metrics_responder {
	struct ring *ring;
	struct timer_wheel *wheel;
	void (*expose)(const void *of, bool openmetrics, struct buf *out);
	const void *of;
	struct ring_accept accept;
	struct timer accept_again;
	struct list clients;
	u32 client_count;
	size_t body_bytes; /* of all clients */
	int listener;
	bool accepting;
	bool closing;
};

static void wait_until(struct client *client, u64 wait_ns)
{
	timer_start(client->responder->wheel, &client->timer, clock_mono_ns() + wait_ns);
}

static void drop(struct client *client)
{
	timer_stop(client->responder->wheel, &client->timer);
	conn_close(&client->conn);
}

static void on_patience_ends(struct timer *timer)
{
	drop(container_of(timer, struct client, timer));
}

/* ---- answers ---- */

static const char *reason_of(u32 status)
{
	switch (status) {
	case 200: return "OK";
	case 404: return "Not Found";
	case 405: return "Method Not Allowed";
	case 431: return "Request Header Fields Too Large";
	case 503: return "Service Unavailable";
	case 505: return "HTTP Version Not Supported";
	default: return "Bad Request";
	}
}

static void send_rest(struct client *client)
{
	struct iovec *first = client->iov[0].iov_len > 0 ? &client->iov[0] : &client->iov[1];

	conn_send(&client->conn, first, (u32)(&client->iov[2] - first));
}

static void answer(struct client *client, u32 status, const char *type)
{
	size_t len = client->body.len;
	int head_len;

	/*
	 * 320 bytes hold the longest of each part; the only one that varies in length is the
	 * number.
	 */
	head_len = snprintf(client->answer_head, sizeof(client->answer_head),
			    "HTTP/1.1 %u %s\r\n"
			    "Content-Type: %s\r\n"
			    "Content-Length: %zu\r\n"
			    "%s"
			    "Cache-Control: no-store\r\n"
			    "X-Content-Type-Options: nosniff\r\n"
			    "Connection: close\r\n\r\n",
			    status, reason_of(status), type, len,
			    status == 405 ? "Allow: GET, HEAD\r\n" : "");
	if (client->head.method == HTTP_HEAD)
		len = 0;
	client->iov[0] = (struct iovec){ client->answer_head, (size_t)head_len };
	client->iov[1] = (struct iovec){ client->body.ptr, len };
	client->responder->body_bytes += client->body.size;
	client->must_linger |= status != 200;
	client->state = CLIENT_ANSWERING;
	wait_until(client, ANSWER_WAIT_NS);
	send_rest(client);
}

static void refuse(struct client *client, u32 status)
{
	buf_done(&client->body);
	buf_add_format(&client->body, "%u %s\n", status, reason_of(status));
	answer(client, status, "text/plain; charset=utf-8");
}

static void answer_page(struct client *client)
{
	const struct metrics_responder *responder = client->responder;
	bool openmetrics = client->head.openmetrics;

	/* One page at most goes beyond the limit: it is as long as it is. */
	if (responder->body_bytes + METRICS_EXPOSITION_MAX > RESPONDER_BYTES_MAX) {
		refuse(client, 503);
		return;
	}
	responder->expose(responder->of, openmetrics, &client->body);
	if (client->body.failed)
		refuse(client, 503);
	else
		answer(client, 200, openmetrics ?
		       "application/openmetrics-text; version=1.0.0; charset=utf-8" :
		       "text/plain; version=0.0.4; charset=utf-8");
}

static void answer_request(struct client *client)
{
	bool is_page = slice_equal(client->head.path, SLICE("/metrics"));

	if (!is_page && !slice_equal(client->head.path, SLICE("/healthz"))) {
		refuse(client, 404);
	} else if (client->head.method == HTTP_OTHER) {
		refuse(client, 405);
	} else if (is_page) {
		answer_page(client);
	} else {
		buf_add_text(&client->body, "ok\n");
		answer(client, 200, "text/plain; charset=utf-8");
	}
}

/* ---- a connection ---- */

static void on_bytes(struct conn *conn, struct slice bytes)
{
	struct client *client = container_of(conn, struct client, conn);
	enum http_head_result result;
	size_t used;

	if (client->state != CLIENT_READING) {
		client->must_linger = true;
		return;
	}
	result = http_head_feed(&client->head, bytes, &used);
	client->must_linger = used < bytes.len;
	if (result == HTTP_HEAD_DONE)
		answer_request(client);
	else if (result == HTTP_HEAD_REFUSED)
		refuse(client, client->head.status);
}

static void on_sent(struct conn *conn, i32 result)
{
	struct client *client = container_of(conn, struct client, conn);
	size_t sent = result > 0 ? (size_t)result : 0;

	for (u32 i = 0; i < array_count(client->iov); i++) {
		struct iovec *iov = &client->iov[i];
		size_t part = min_size(sent, iov->iov_len);

		iov->iov_base = (char *)iov->iov_base + part;
		iov->iov_len -= part;
		sent -= part;
	}
	if (result > 0 && client->iov[0].iov_len + client->iov[1].iov_len > 0 &&
	    conn_may_send(conn)) {
		send_rest(client);
	} else if (result > 0 && client->must_linger && !conn->has_ended) {
		client->state = CLIENT_LINGERING;
		wait_until(client, LINGER_NS);
	} else {
		drop(client);
	}
}

static void on_ended(struct conn *conn, i32 result)
{
	struct client *client = container_of(conn, struct client, conn);

	/* A peer that only ended its own side still reads what is on its way. */
	if (result < 0 || client->state != CLIENT_ANSWERING)
		drop(client);
}

static void on_closed(struct conn *conn)
{
	struct client *client = container_of(conn, struct client, conn);
	struct metrics_responder *responder = client->responder;

	if (client->state != CLIENT_READING)
		responder->body_bytes -= client->body.size;
	responder->client_count--;
	list_unlink(&client->node);
	buf_done(&client->body);
	free(client);
}

/* Connections are accepted, never dialled, and in plain text: the other events do not happen. */
static const struct conn_events client_events = {
	.bytes = on_bytes,
	.sent = on_sent,
	.ended = on_ended,
	.closed = on_closed,
};

/* ---- the listener ---- */

static void on_accepted(struct ring_accept *accept, i32 handle)
{
	struct metrics_responder *responder =
		container_of(accept, struct metrics_responder, accept);
	struct client *client = NULL;

	if (!responder->closing && responder->client_count < RESPONDER_CLIENTS_MAX)
		client = malloc(sizeof(*client));
	if (!client) {
		ring_shut(responder->ring, handle);
		return;
	}
	client->responder = responder;
	client->state = CLIENT_READING;
	client->must_linger = false;
	timer_init(&client->timer, on_patience_ends);
	buf_init(&client->body, METRICS_EXPOSITION_MAX);
	http_head_init(&client->head);
	list_push_back(&responder->clients, &client->node);
	responder->client_count++;
	conn_init(&client->conn, responder->ring, &client_events);
	conn_adopt(&client->conn, handle);
	wait_until(client, HEAD_WAIT_NS);
}

static void start_accepting(struct metrics_responder *responder)
{
	responder->accepting = true;
	ring_accept_start(responder->ring, &responder->accept, responder->listener);
}

/* Accepting ends by our wish, or for want of sockets or memory; these come back with time. */
static void on_accept_end(struct ring_accept *accept, i32 result)
{
	struct metrics_responder *responder =
		container_of(accept, struct metrics_responder, accept);

	(void)result;
	responder->accepting = false;
	if (!responder->closing)
		timer_start(responder->wheel, &responder->accept_again,
			    clock_mono_ns() + ACCEPT_AGAIN_NS);
}

static void on_accept_again(struct timer *timer)
{
	start_accepting(container_of(timer, struct metrics_responder, accept_again));
}

static void expose_metrics(const void *of, bool openmetrics, struct buf *out)
{
	metrics_expose(of, openmetrics, out);
}

struct metrics_responder *metrics_responder_open(struct ring *ring, struct timer_wheel *wheel,
						 const struct net_address *at,
						 const struct metrics *metrics, struct error *error)
{
	return metrics_responder_open_for(ring, wheel, at, expose_metrics, metrics, error);
}

struct metrics_responder *metrics_responder_open_for(
	struct ring *ring, struct timer_wheel *wheel, const struct net_address *at,
	void (*expose)(const void *of, bool openmetrics, struct buf *out), const void *of,
	struct error *error)
{
	struct metrics_responder *responder = calloc(1, sizeof(*responder));
	char text[NET_ADDRESS_TEXT_SIZE];

	if (!responder) {
		error_set(error, "out of memory for the metrics page");
		return NULL;
	}
	responder->ring = ring;
	responder->wheel = wheel;
	responder->expose = expose;
	responder->of = of;
	responder->accept.accepted = on_accepted;
	responder->accept.end = on_accept_end;
	list_init(&responder->clients);
	timer_init(&responder->accept_again, on_accept_again);
	responder->listener = ring_listen(at);
	if (responder->listener < 0) {
		net_address_format(text, at, true);
		error_set_errno(error, -responder->listener, "cannot listen on %s for metrics",
				text);
		free(responder);
		return NULL;
	}
	start_accepting(responder);
	return responder;
}

void metrics_responder_close(struct metrics_responder *responder)
{
	if (!responder)
		return;
	responder->closing = true;
	timer_stop(responder->wheel, &responder->accept_again);
	if (responder->accepting)
		ring_accept_stop(responder->ring, &responder->accept);
	list_for_each(node, &responder->clients)
		drop(list_entry(node, struct client, node));
	while (responder->accepting || responder->client_count > 0)
		ring_turn(responder->ring, NS_PER_MS);
	close(responder->listener);
	ring_turn(responder->ring, 0);
	free(responder);
}
