#include "web/exchange.h"

#include "base/check.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/text.h"

#include <stdlib.h>
#include <string.h>

#define OUT_MAX (CONTROL_TEMPLATE_MAX + (64u << 20)) /* a template, and the rows of one call */
#define CHUNK_MAX (512u << 10)			     /* of a template, in one frame */

enum exchange_state { EXCHANGE_NEW, EXCHANGE_WAITS, EXCHANGE_RUNS };

struct exchange {
	struct list node; /* of waiting, or of running */
	enum exchange_state state;
	struct exchange_line *line;
	const struct exchange_events *events; /* NULL: told already, or dropped */
	void *owner;
	struct conn conn;
	struct timer timer;
	struct ring_op later; /* tells `over` from the next turn */
	struct frame_decoder decoder;
	struct buf out;
	size_t sent;
	struct iovec iov;
	bool is_failed; /* the request could not be made */
	bool has_conn;
};

static void start_waiting(struct exchange_line *line);

void exchange_line_init(struct exchange_line *line, struct ring *ring, struct timer_wheel *wheel,
			const char *path)
{
	*line = (struct exchange_line){ .ring = ring, .wheel = wheel, .path = path };
	list_init(&line->waiting);
	list_init(&line->running);
}

static void exchange_free(struct exchange *exchange)
{
	list_unlink(&exchange->node);
	frame_decoder_done(&exchange->decoder);
	buf_done(&exchange->out);
	free(exchange);
}

/* ---- the end ---- */

static void leave(struct exchange *exchange)
{
	struct exchange_line *line = exchange->line;

	line->running_count--;
	exchange_free(exchange);
	start_waiting(line);
}

static void close_conn(struct exchange *exchange)
{
	timer_stop(exchange->line->wheel, &exchange->timer);
	conn_close(&exchange->conn);
}

static void tell(struct exchange *exchange, enum exchange_end end, const json_t *json)
{
	const struct exchange_events *events = exchange->events;

	exchange->events = NULL;
	if (exchange->has_conn)
		close_conn(exchange);
	if (events)
		events->over(exchange->owner, end, json);
}

static void on_closed(struct conn *conn)
{
	leave(container_of(conn, struct exchange, conn));
}

static void on_silence(struct timer *timer)
{
	tell(container_of(timer, struct exchange, timer), EXCHANGE_LOST, NULL);
}

static void watch(struct exchange *exchange)
{
	timer_start(exchange->line->wheel, &exchange->timer,
		    clock_mono_ns() + EXCHANGE_PATIENCE_NS);
}

/* ---- talking ---- */

static void send_rest(struct exchange *exchange)
{
	exchange->iov = (struct iovec){ exchange->out.ptr + exchange->sent,
					exchange->out.len - exchange->sent };
	conn_send(&exchange->conn, &exchange->iov, 1);
}

static void on_sent(struct conn *conn, i32 result)
{
	struct exchange *exchange = container_of(conn, struct exchange, conn);

	if (!exchange->events)
		return;
	/* The sender may refuse and close while bytes are under way: its reason comes as bytes. */
	if (result <= 0)
		return;
	exchange->sent += (size_t)result;
	watch(exchange);
	if (exchange->sent < exchange->out.len && conn_may_send(conn))
		send_rest(exchange);
}

static void on_frame(struct exchange *exchange, const struct frame *frame)
{
	struct error error;
	json_t *json;

	if (frame->type != FRAME_REPLY && frame->type != FRAME_ITEM && frame->type != FRAME_ERROR) {
		tell(exchange, EXCHANGE_LOST, NULL);
		return;
	}
	json = control_json_parse(frame->payload, &error);
	if (!json)
		tell(exchange, EXCHANGE_LOST, NULL);
	else if (frame->type != FRAME_ITEM)
		tell(exchange,
		     frame->type == FRAME_REPLY ? EXCHANGE_REPLIED : EXCHANGE_REFUSED, json);
	else if (exchange->events->item)
		exchange->events->item(exchange->owner, json);
	json_decref(json);
}

static void on_bytes(struct conn *conn, struct slice bytes)
{
	struct exchange *exchange = container_of(conn, struct exchange, conn);
	enum frame_result result = FRAME_READY;
	struct frame frame;
	struct error error;

	if (exchange->events)
		watch(exchange);
	while (exchange->events && result == FRAME_READY) {
		result = frame_decoder_take(&exchange->decoder, &bytes, &frame, &error);
		if (result == FRAME_READY)
			on_frame(exchange, &frame);
		else if (result == FRAME_BAD)
			tell(exchange, EXCHANGE_LOST, NULL);
	}
}

static void on_ended(struct conn *conn, i32 result)
{
	(void)result;
	tell(container_of(conn, struct exchange, conn), EXCHANGE_LOST, NULL);
}

static const struct conn_events conn_events = {
	.bytes = on_bytes,
	.sent = on_sent,
	.ended = on_ended,
	.closed = on_closed,
};

/* ---- beginning ---- */

static void on_later(struct ring_op *op, i32 result)
{
	struct exchange *exchange = container_of(op, struct exchange, later);

	(void)result;
	tell(exchange, EXCHANGE_AWAY, NULL);
	leave(exchange);
}

static void start(struct exchange *exchange)
{
	struct exchange_line *line = exchange->line;
	i32 handle = ring_connect_unix(line->ring, line->path);

	exchange->state = EXCHANGE_RUNS;
	list_push_back(&line->running, &exchange->node);
	line->running_count++;
	if (handle < 0) {
		log_warn("web", "the sender cannot be reached", "socket=%s reason=%s", line->path,
			 strerror(-handle));
		ring_later(line->ring, &exchange->later);
		return;
	}
	exchange->has_conn = true;
	conn_init(&exchange->conn, line->ring, &conn_events);
	conn_adopt(&exchange->conn, handle);
	watch(exchange);
	send_rest(exchange);
}

static void start_waiting(struct exchange_line *line)
{
	struct list *node;

	while (line->running_count < EXCHANGES_MAX &&
	       (node = list_pop_front(&line->waiting)) != NULL)
		start(list_entry(node, struct exchange, node));
}

struct exchange *exchange_new(struct exchange_line *line, const struct exchange_events *events,
			      void *owner)
{
	struct exchange *exchange = calloc(1, sizeof(*exchange));

	if (!exchange)
		return NULL;
	exchange->line = line;
	exchange->events = events;
	exchange->owner = owner;
	exchange->later.done = on_later;
	list_init(&exchange->node);
	timer_init(&exchange->timer, on_silence);
	frame_decoder_init(&exchange->decoder);
	buf_init(&exchange->out, OUT_MAX);
	return exchange;
}

void exchange_request(struct exchange *exchange, json_t *request)
{
	if (!control_add_json(&exchange->out, FRAME_REQUEST, request))
		exchange->is_failed = true;
}

static void add_frame(struct exchange *exchange, enum control_data_tag tag, struct slice bytes)
{
	size_t begin = frame_begin(&exchange->out, FRAME_DATA);

	buf_add_char(&exchange->out, (char)tag);
	buf_add_slice(&exchange->out, bytes);
	if (!frame_end(&exchange->out, begin))
		exchange->is_failed = true;
}

void exchange_data(struct exchange *exchange, enum control_data_tag tag, struct slice bytes)
{
	bool are_rows = tag == CONTROL_DATA_ROWS || tag == CONTROL_DATA_RECIPIENTS;

	ASSERT(!are_rows || bytes.len < FRAME_PAYLOAD_MAX);
	while (bytes.len > 0) {
		struct slice chunk = are_rows ? bytes : slice_first(bytes, CHUNK_MAX);

		add_frame(exchange, tag, chunk);
		bytes = slice_from(bytes, chunk.len);
	}
}

void exchange_fail(struct exchange *exchange)
{
	exchange->is_failed = true;
}

void exchange_end(struct exchange *exchange)
{
	if (!frame_add(&exchange->out, FRAME_END, SLICE_NONE))
		exchange->is_failed = true;
}

bool exchange_start(struct exchange *exchange)
{
	if (exchange->is_failed || exchange->out.failed) {
		exchange_free(exchange);
		return false;
	}
	exchange->state = EXCHANGE_WAITS;
	list_push_back(&exchange->line->waiting, &exchange->node);
	start_waiting(exchange->line);
	return true;
}

void exchange_drop(struct exchange *exchange)
{
	exchange->events = NULL;
	if (exchange->has_conn)
		close_conn(exchange);
	else if (exchange->state != EXCHANGE_RUNS)
		exchange_free(exchange);
}
