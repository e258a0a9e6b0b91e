/*
 * One connection: the protocol engine, its socket, and the message that comes. What the engine does
 * not read, since it waits for the disk or for its replies to go, is held here while the connection
 * pauses.
 */
#include "receive/gate_parts.h"

#include "base/buf.h"
#include "base/check.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/text.h"
#include "metrics/metrics.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/*
 * What is held: all that the ring's buffers may have of one connection when it pauses; and of all
 * connections together, which clients that never read our replies could else make large.
 */
#define HELD_MAX (4u << 20)
#define HELD_TOTAL_MAX (64u << 20)
#define ENVELOPE_MAX (64 * 1024) /* 100 recipients of SMTP_PATH_MAX, and more */
#define SUBMITTED_ENVELOPE_MAX (1024 * 1024) /* 1000, with ORCPT */
/*
 * How long a client may go on sending after our last reply. Closing on unread bytes would reset the
 * connection, and the client would never see why.
 */
#define LINGER_NS (2 * NS_PER_S)

struct visitor {
	struct list node;
	struct gate *gate;
	struct gate_client *client;
	struct net_address peer;
	struct conn conn;
	struct iovec iov;
	struct timer timer; /* the engine's, then the end of lingering */
	struct smtp_server server;
	struct spool_file file;
	struct submitter *submitter; /* NULL: it comes with mail for us */
	struct buf held;
	size_t held_counted; /* memory of it that the gate knows of */
	struct buf envelope; /* of the open transaction */
	char hello[SMTP_DOMAIN_MAX + 1];
	bool esmtp;
	bool early;   /* the handshake comes before the greeting, and is not over */
	bool lingering;
	bool closing; /* conn_close was called */
	bool closed;  /* ... and has ended; freed when no commit is under way */
};

_Static_assert(sizeof(struct visitor) <= 5 * 1024, "a connection's memory is counted");

struct visitor *visitor_of(struct list *node)
{
	return list_entry(node, struct visitor, node);
}

static void visitor_free(struct visitor *visitor)
{
	struct gate *gate = visitor->gate;

	if (!visitor->closed || visitor->file.committing ||
	    submitter_is_busy(visitor->submitter))
		return;
	spool_file_drop(&visitor->file);
	gate->held -= visitor->held_counted;
	timer_stop(gate->params.wheel, &visitor->timer);
	list_unlink(&visitor->node);
	gate->visitor_count--;
	gate_forget(gate, visitor->client);
	submitter_close(visitor->submitter);
	buf_done(&visitor->held);
	buf_done(&visitor->envelope);
	free(visitor);
}

static void visitor_close(struct visitor *visitor)
{
	if (visitor->closing)
		return;
	visitor->closing = true;
	timer_stop(visitor->gate->params.wheel, &visitor->timer);
	conn_close(&visitor->conn);
}

/* ---- one message ---- */

/* Connections are many, and most of them idle: memory goes back. */
static void forget_envelope(struct visitor *visitor)
{
	buf_done(&visitor->envelope);
	buf_init(&visitor->envelope,
		 visitor->submitter ? SUBMITTED_ENVELOPE_MAX : ENVELOPE_MAX);
}

static void begin_envelope(struct visitor *visitor, struct slice from)
{
	char client[NET_ADDRESS_TEXT_SIZE];

	net_address_format(client, &visitor->peer, false);
	buf_reset(&visitor->envelope);
	buf_add_format(&visitor->envelope, "client %s\nhello %s\nfrom %.*s\n", client,
		       visitor->hello, SLICE_FMT(from));
}

/*
 * RFC 5321 section 4.4. The client's name is its own claim: it stands as a comment would. Of a user
 * neither name nor address is told: where people write from is nobody's business, and the log has
 * both under the same id.
 */
static void add_received(struct visitor *visitor)
{
	struct buf *envelope = &visitor->envelope;
	char client[NET_ADDRESS_TEXT_SIZE];
	char date[CLOCK_RFC5322_SIZE];

	clock_format_rfc5322(date, clock_wall_ms());
	if (visitor->submitter) {
		/* RFC 3848 has the words. */
		buf_add_format(envelope, "\nReceived: by %.*s with %s id %s;\r\n\t%s\r\n",
			       SLICE_FMT(visitor->server.params->host_name),
			       visitor->server.tls_active ? "ESMTPSA" : "ESMTPA", visitor->file.id,
			       date);
		return;
	}
	net_address_format(client, &visitor->peer, false);
	buf_add_format(envelope,
		       "\nReceived: from %s ([%s%s])\r\n\tby %.*s with %s id %s;\r\n\t%s\r\n",
		       visitor->hello, visitor->peer.family == 6 ? "IPv6:" : "", client,
		       SLICE_FMT(visitor->server.params->host_name),
		       visitor->server.tls_active ? "ESMTPS" :
		       visitor->esmtp		  ? "ESMTP" : "SMTP",
		       visitor->file.id, date);
}

/* The file with the envelope in it; false: not now. What failed is told by the answer to END. */
static bool begin_file(struct visitor *visitor)
{
	if (visitor->file.fd >= 0)
		return true;
	if (!spool_file_begin(&visitor->file))
		return false;
	add_received(visitor);
	if (visitor->envelope.failed)
		visitor->file.failed = true;
	return spool_file_write(&visitor->file, buf_slice(&visitor->envelope));
}

static void take_content(struct visitor *visitor, struct slice text)
{
	/* Once it has failed, the rest is read for the client's sake. */
	if (visitor->file.failed || !begin_file(visitor)) {
		visitor->file.failed = true;
		return;
	}
	(void)!spool_file_write(&visitor->file, text);
}

static void drop_message(struct visitor *visitor)
{
	/* A thread that reads the file drops it, when nobody waits for the answer. */
	if (!visitor->file.committing && !submitter_is_busy(visitor->submitter))
		spool_file_drop(&visitor->file);
	visitor->file.failed = false;
	forget_envelope(visitor);
}

static void refuse_for_room(struct visitor *visitor)
{
	metric_add(&visitor->gate->params.meter->refused[METER_NO_ROOM], 1);
	smtp_server_refuse(&visitor->server, 452, SLICE("4.3.1 no room now"), clock_mono_ns());
}

static void on_end(struct visitor *visitor)
{
	if (!visitor->file.failed && begin_file(visitor) && spool_file_flush(&visitor->file)) {
		if (visitor->submitter)
			submitter_end(visitor->submitter);
		else
			spool_file_commit(&visitor->file);
		return;
	}
	drop_message(visitor);
	refuse_for_room(visitor);
}

static void on_mail(struct visitor *visitor, const struct smtp_mail *mail)
{
	if (!spool_has_room(visitor->file.spool, mail->size)) {
		refuse_for_room(visitor);
		return;
	}
	begin_envelope(visitor, mail->from.path);
	if (visitor->submitter &&
	    !submitter_mail(visitor->submitter, mail, &visitor->envelope))
		return;
	smtp_server_accept(&visitor->server, clock_mono_ns());
}

static void on_rcpt(struct visitor *visitor, const struct smtp_rcpt *rcpt)
{
	if (visitor->submitter) {
		if (submitter_rcpt(visitor->submitter, rcpt, &visitor->envelope))
			smtp_server_accept(&visitor->server, clock_mono_ns());
		return;
	}
	if (!gate_takes(visitor->gate, &rcpt->to)) {
		metric_add(&visitor->gate->params.meter->refused[METER_NO_RECIPIENT], 1);
		smtp_server_refuse(&visitor->server, 550, SLICE("5.1.1 nobody of that name here"),
				   clock_mono_ns());
		return;
	}
	buf_add_format(&visitor->envelope, "to %.*s\n", SLICE_FMT(rcpt->to.path));
	smtp_server_accept(&visitor->server, clock_mono_ns());
}

/* ---- the dialogue ---- */

/* What is held behind our 220 is the beginning of the handshake. */
static void start_tls(struct visitor *visitor)
{
	bool started = conn_accept_tls(&visitor->conn, visitor->gate->params.tls,
				       buf_slice(&visitor->held));

	buf_reset(&visitor->held);
	if (!started)
		smtp_server_tls_failed(&visitor->server, clock_mono_ns());
}

static void on_event(struct visitor *visitor, const struct smtp_server_event *event)
{
	switch (event->type) {
	case SMTP_SERVER_HELLO:
		drop_message(visitor);
		slice_copy(visitor->hello, sizeof(visitor->hello), event->text);
		visitor->esmtp = event->esmtp;
		break;
	case SMTP_SERVER_MAIL:
		on_mail(visitor, &event->mail);
		break;
	case SMTP_SERVER_RCPT:
		on_rcpt(visitor, &event->rcpt);
		break;
	case SMTP_SERVER_CONTENT:
		take_content(visitor, event->text);
		break;
	case SMTP_SERVER_END:
		on_end(visitor);
		break;
	case SMTP_SERVER_RESET:
		drop_message(visitor);
		break;
	case SMTP_SERVER_CLOSE:
		drop_message(visitor);
		log_debug("receive", "connection ended", "why=%s",
			  smtp_server_why_name(event->why));
		visitor->lingering = !visitor->conn.has_ended &&
				     event->why != SMTP_SERVER_WHY_CLOSED;
		if (!visitor->lingering)
			visitor_close(visitor);
		break;
	case SMTP_SERVER_START_TLS:
		drop_message(visitor);
		start_tls(visitor);
		break;
	case SMTP_SERVER_AUTH:
		ASSERT(visitor->submitter); /* to others it is not offered */
		submitter_auth(visitor->submitter, &event->credentials);
	}
}

static void take_events(struct visitor *visitor)
{
	struct smtp_server_event event;

	while (smtp_server_next_event(&visitor->server, &event))
		on_event(visitor, &event);
}

static void send_replies(struct visitor *visitor)
{
	struct slice out;

	if (!conn_may_send(&visitor->conn))
		return;
	out = smtp_server_output(&visitor->server);
	if (out.len == 0)
		return;
	visitor->iov = (struct iovec){ (char *)out.ptr, out.len };
	conn_send(&visitor->conn, &visitor->iov, 1);
}

static void set_timer(struct visitor *visitor)
{
	u64 deadline = smtp_server_deadline(&visitor->server);

	if (visitor->early)
		return; /* the handshake's own time runs */
	if (visitor->lingering) {
		if (!timer_is_running(&visitor->timer))
			timer_start(visitor->gate->params.wheel, &visitor->timer,
				    clock_mono_ns() + LINGER_NS);
		return;
	}
	if (deadline == UINT64_MAX)
		timer_stop(visitor->gate->params.wheel, &visitor->timer);
	else
		timer_start(visitor->gate->params.wheel, &visitor->timer, deadline);
}

static void count_held(struct visitor *visitor)
{
	if (visitor->held.len == 0) {
		buf_done(&visitor->held);
		buf_init(&visitor->held, HELD_MAX);
	}
	visitor->gate->held += visitor->held.size - visitor->held_counted;
	visitor->held_counted = visitor->held.size;
}

static void hold(struct visitor *visitor, struct slice bytes)
{
	buf_add_slice(&visitor->held, bytes);
	count_held(visitor);
	if (!visitor->held.failed && visitor->gate->held <= HELD_TOTAL_MAX)
		return;
	log_warn("receive", "connection holds too much", "bytes=%zu", visitor->held.len);
	smtp_server_closed(&visitor->server, clock_mono_ns());
	buf_reset(&visitor->held);
}

/* Reads on in what is held; the connection is received from while nothing is. */
static void read_held(struct visitor *visitor)
{
	size_t before = visitor->held.len;

	if (before > 0) {
		smtp_server_receive(&visitor->server, buf_slice(&visitor->held), clock_mono_ns());
		take_events(visitor);
		buf_drop_front(&visitor->held,
			       before - smtp_server_take_unread(&visitor->server).len);
	}
	count_held(visitor);
	if (visitor->held.len > 0)
		conn_pause(&visitor->conn);
	else
		conn_resume(&visitor->conn);
}

/* After anything that may have moved the engine on. */
static void go_on(struct visitor *visitor)
{
	take_events(visitor);
	if (!visitor->closing)
		read_held(visitor);
	if (visitor->closing)
		return;
	if (visitor->lingering)
		timer_stop(visitor->gate->params.wheel, &visitor->timer);
	send_replies(visitor);
	set_timer(visitor);
}

static void on_bytes(struct conn *conn, struct slice bytes)
{
	struct visitor *visitor = container_of(conn, struct visitor, conn);

	if (visitor->lingering)
		return;
	if (visitor->held.len == 0) {
		smtp_server_receive(&visitor->server, bytes, clock_mono_ns());
		take_events(visitor);
		bytes = smtp_server_take_unread(&visitor->server);
	}
	if (bytes.len > 0)
		hold(visitor, bytes);
	go_on(visitor);
}

static void on_sent(struct conn *conn, i32 result)
{
	struct visitor *visitor = container_of(conn, struct visitor, conn);

	if (result < 0)
		smtp_server_closed(&visitor->server, clock_mono_ns());
	else
		smtp_server_sent(&visitor->server, (size_t)result, clock_mono_ns());
	go_on(visitor);
}

static void on_tls_ended(struct conn *conn, bool ok)
{
	struct visitor *visitor = container_of(conn, struct visitor, conn);

	if (ok && visitor->early) {
		visitor->early = false;
		smtp_server_start(&visitor->server, true, clock_mono_ns());
	} else if (ok) {
		smtp_server_tls_started(&visitor->server, clock_mono_ns());
	} else {
		log_debug("receive", "TLS failed", "why=%s", conn_why(conn));
		if (visitor->early)
			visitor_close(visitor);
		else
			smtp_server_tls_failed(&visitor->server, clock_mono_ns());
	}
	go_on(visitor);
}

static void on_ended(struct conn *conn, i32 result)
{
	struct visitor *visitor = container_of(conn, struct visitor, conn);

	if (result < 0)
		log_debug("receive", "connection broke", "errno=%d tls=%s", -result,
			  conn_why(conn));
	if (visitor->lingering || visitor->early)
		visitor_close(visitor);
	smtp_server_closed(&visitor->server, clock_mono_ns());
	go_on(visitor);
}

static void on_closed(struct conn *conn)
{
	struct visitor *visitor = container_of(conn, struct visitor, conn);

	visitor->closed = true;
	visitor_free(visitor);
}

static const struct conn_events visitor_events = {
	.bytes = on_bytes,
	.sent = on_sent,
	.tls_ended = on_tls_ended,
	.ended = on_ended,
	.closed = on_closed,
};

static void on_timer(struct timer *timer)
{
	struct visitor *visitor = container_of(timer, struct visitor, timer);

	if (visitor->lingering || visitor->early) {
		visitor_close(visitor);
		return;
	}
	smtp_server_tick(&visitor->server, clock_mono_ns());
	go_on(visitor);
}

static void count_message(struct visitor *visitor, bool durable)
{
	const struct gate_params *params = &visitor->gate->params;

	if (!durable) {
		metric_add(&params->meter->refused[METER_DISK], 1);
		return;
	}
	metric_add(&params->meter->messages, 1);
	metric_add(&params->meter->bytes, visitor->file.size);
	if (visitor->submitter) {
		metric_add(&params->meter->submitted, 1);
		log_info("receive", "submitted", "id=%s user=%s bytes=%llu", visitor->file.id,
			 submitter_user(visitor->submitter),
			 (unsigned long long)visitor->file.size);
		submission_has_mail(params->submission);
		return;
	}
	log_info("receive", "message", "id=%s bytes=%llu", visitor->file.id,
		 (unsigned long long)visitor->file.size);
	reader_wake(params->reader);
}

/* The message is on the disk, or it is not; the client may have gone meanwhile. */
static void on_committed(struct spool_file *file, bool durable)
{
	struct visitor *visitor = container_of(file, struct visitor, file);

	count_message(visitor, durable);
	forget_envelope(visitor);
	file->failed = false;
	if (durable)
		smtp_server_accept(&visitor->server, clock_mono_ns());
	else
		smtp_server_refuse(&visitor->server, 451, SLICE("4.3.0 disk error"),
				   clock_mono_ns());
	if (visitor->closed)
		visitor_free(visitor);
	else if (!visitor->closing)
		go_on(visitor);
}

/* A submitter has moved on by itself: as on_committed. */
static void on_moved(void *owner)
{
	struct visitor *visitor = owner;

	if (visitor->closed)
		visitor_free(visitor);
	else if (!visitor->closing)
		go_on(visitor);
}

static bool make_submitter(struct visitor *visitor)
{
	char address[NET_ADDRESS_TEXT_SIZE];
	struct submitter_params params = { .submission = visitor->gate->params.submission,
					   .server = &visitor->server,
					   .file = &visitor->file,
					   .client = { (const char *)visitor->client->key,
						       CLIENT_KEY_SIZE },
					   .address = address,
					   .moved = on_moved,
					   .owner = visitor };

	net_address_format(address, &visitor->peer, false);
	visitor->submitter = submitter_open(&params);
	return visitor->submitter != NULL;
}

/* TLS from the first byte on (RFC 8314 section 3), or the greeting. */
static void begin(struct visitor *visitor, enum gate_door door)
{
	struct gate *gate = visitor->gate;

	conn_init(&visitor->conn, gate->params.ring, &visitor_events);
	visitor->early = door == GATE_SUBMISSION_TLS;
	if (!visitor->early) {
		smtp_server_start(&visitor->server, false, clock_mono_ns());
		return;
	}
	timer_start(gate->params.wheel, &visitor->timer,
		    clock_mono_ns() + visitor->server.params->tls_ms * NS_PER_MS);
}

bool visitor_enter(struct gate *gate, enum gate_door door, i32 handle,
		   const struct net_address *peer, struct gate_client *client)
{
	struct visitor *visitor = malloc(sizeof(*visitor));

	if (!visitor)
		return false;
	memset(visitor, 0, offsetof(struct visitor, server));
	visitor->gate = gate;
	visitor->client = client;
	visitor->peer = *peer;
	visitor->held_counted = 0;
	visitor->hello[0] = '\0';
	visitor->esmtp = visitor->lingering = visitor->closing = visitor->closed = false;
	visitor->submitter = NULL;
	if (door != GATE_MX && !make_submitter(visitor)) {
		free(visitor);
		return false;
	}
	timer_init(&visitor->timer, on_timer);
	buf_init(&visitor->held, HELD_MAX);
	buf_init(&visitor->envelope,
		 visitor->submitter ? SUBMITTED_ENVELOPE_MAX : ENVELOPE_MAX);
	spool_file_init(&visitor->file,
			visitor->submitter ? submission_spool(gate->params.submission)
					   : gate->params.spool,
			on_committed);
	smtp_server_init(&visitor->server, &gate->servers[door]);
	list_push_back(&gate->visitors, &visitor->node);
	gate->visitor_count++;
	begin(visitor, door);
	conn_adopt(&visitor->conn, handle);
	if (visitor->early && !conn_accept_tls(&visitor->conn, gate->params.tls, SLICE_NONE))
		visitor_close(visitor);
	else if (!visitor->early)
		go_on(visitor);
	return true;
}

void visitor_leave(struct visitor *visitor)
{
	if (visitor->closing || visitor->lingering)
		return;
	if (visitor->early) {
		visitor_close(visitor);
		return;
	}
	smtp_server_leave(&visitor->server, clock_mono_ns());
	go_on(visitor);
}

void visitor_break_off(struct visitor *visitor)
{
	visitor_close(visitor);
}
