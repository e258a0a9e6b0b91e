#include "send/control.h"

#include "base/check.h"
#include "base/log.h"
#include "send/control_parts.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#define ACCEPT_AGAIN_NS (100 * NS_PER_MS)
#define EXTRA_PATIENCE_NS (10 * NS_PER_S)
#define CLOSE_TURNS_MAX 1000
#define CLOSE_TURN_NS (10 * NS_PER_MS)

/* The wheel's time: what the loop last looked at. */
u64 control_now_ns(const struct send_control *control)
{
	const struct timer_wheel *wheel = control->params.wheel;

	return wheel->started_ns + wheel->now_tick * NS_PER_MS;
}

/* ---- the end of a link ---- */

static void free_if_over(struct control_link *link)
{
	if (!link->is_closed || link->is_later)
		return;
	list_unlink(&link->node);
	link->control->link_count--;
	frame_decoder_done(&link->decoder);
	buf_done(&link->ahead);
	buf_done(&link->out);
	buf_done(&link->sending);
	free(link);
}

static void on_closed(struct conn *conn)
{
	struct control_link *link = container_of(conn, struct control_link, conn);

	link->is_closed = true;
	free_if_over(link);
}

void link_close(struct control_link *link)
{
	if (link->is_closing)
		return;
	link->is_closing = true;
	timer_stop(link->control->params.wheel, &link->timer);
	timer_stop(link->control->params.wheel, &link->pause);
	control_create_abort(link);
	control_letter_abort(link);
	control_append_abort(link);
	stream_drop(link);
	conn_close(&link->conn);
}

static void on_silence(struct timer *timer)
{
	struct control_link *link = container_of(timer, struct control_link, timer);

	log_warn("send", "a control connection is closed: nothing moved", "importing=%d",
		 link->state == LINK_IMPORT);
	link_close(link);
}

/* Patience begins anew with every byte, while somebody waits for something. */
static void watch(struct control_link *link)
{
	struct timer_wheel *wheel = link->control->params.wheel;

	if (link->is_closing || link->is_extra)
		return;
	if (link->state == LINK_IMPORT || link->state == LINK_DRAIN || link_unsent(link) > 0)
		timer_start(wheel, &link->timer, control_now_ns(link->control) + LINK_PATIENCE_NS);
	else
		timer_stop(wheel, &link->timer);
}

/* ---- output ---- */

size_t link_unsent(const struct control_link *link)
{
	return link->out.len + link->sending.len - link->sent;
}

static void send_rest(struct control_link *link)
{
	link->iov =
		(struct iovec){ link->sending.ptr + link->sent, link->sending.len - link->sent };
	conn_send(&link->conn, &link->iov, 1);
}

/* Starts to send what waits; what is under way stays where it is, so there are two buffers. */
static void pump(struct control_link *link)
{
	if (link->is_closing)
		return;
	if (link->out.failed) {
		log_warn("send", "a control connection is closed: no room for its answers", "");
		link_close(link);
		return;
	}
	if (link->sending.len == 0 && link->out.len > 0 && conn_may_send(&link->conn)) {
		struct buf empty = link->sending;

		link->sending = link->out;
		link->out = empty;
		link->sent = 0;
		send_rest(link);
	}
	watch(link);
}

static void on_sent(struct conn *conn, i32 result)
{
	struct control_link *link = container_of(conn, struct control_link, conn);

	if (result <= 0) {
		link_close(link);
		return;
	}
	link->sent += (size_t)result;
	if (link->sent < link->sending.len) {
		if (conn_may_send(conn))
			send_rest(link);
	} else {
		buf_reset(&link->sending);
		link->sent = 0;
	}
	pump(link);
	if (link->is_closing)
		return;
	if (link->ends_when_sent && link_unsent(link) == 0)
		link_close(link);
	else if (link->state == LINK_STREAM && link_unsent(link) < LINK_OUTPUT_SOFT)
		link_later(link);
}

static void add(struct control_link *link, enum frame_type type, json_t *json)
{
	if (control_add_json(&link->out, type, json) || link->out.failed)
		return;
	/* No memory. The link is closed when its handler is done with it (pump). */
	log_error("send", "an answer could not be made", "");
	link->out.failed = true;
}

void link_item(struct control_link *link, json_t *item)
{
	add(link, FRAME_ITEM, item);
}

void link_reply(struct control_link *link, json_t *reply)
{
	add(link, FRAME_REPLY, reply);
}

void link_refuse(struct control_link *link, enum control_code code, const char *sentence)
{
	if (!control_add_error(&link->out, code, sentence))
		link->out.failed = true;
}

/* ---- input ---- */

static void refuse_frame(struct control_link *link, const char *why)
{
	log_warn("send", "a control connection is closed: it does not speak the protocol",
		 "reason=%s", why);
	link_close(link);
}

static void on_frame(struct control_link *link, const struct frame *frame)
{
	switch (frame->type) {
	case FRAME_REQUEST:
		if (link->state == LINK_IMPORT) {
			refuse_frame(link, "a request within an import");
			return;
		}
		link->state = LINK_IDLE;
		control_request_run(link, frame->payload);
		return;
	case FRAME_DATA:
		if (link->state == LINK_IMPORT && link->sending_letter)
			control_letter_data(link, frame->payload);
		else if (link->state == LINK_IMPORT && link->append)
			control_append_data(link, frame->payload);
		else if (link->state == LINK_IMPORT)
			control_create_data(link, frame->payload);
		else if (link->state != LINK_DRAIN)
			refuse_frame(link, "data without an import");
		return;
	case FRAME_END:
		if (link->state == LINK_IMPORT && link->sending_letter)
			control_letter_end(link);
		else if (link->state == LINK_IMPORT && link->append)
			control_append_end(link);
		else if (link->state == LINK_IMPORT)
			control_create_end(link);
		else if (link->state == LINK_DRAIN)
			link->state = LINK_IDLE;
		else
			refuse_frame(link, "end without an import");
		return;
	default:
		refuse_frame(link, "a frame that only the sender sends");
	}
}

static void keep(struct control_link *link, struct slice bytes)
{
	buf_add_slice(&link->ahead, bytes);
	if (link->ahead.failed)
		refuse_frame(link, "too many requests ahead of their answers");
}

static void feed(struct control_link *link, struct slice bytes)
{
	enum frame_result result = FRAME_READY;
	struct frame frame;
	struct error error;

	while (!link->is_closing && result == FRAME_READY) {
		if (link->state == LINK_STREAM || link->state == LINK_WAIT ||
		    link->ends_when_sent) {
			keep(link, bytes);
			break;
		}
		result = frame_decoder_take(&link->decoder, &bytes, &frame, &error);
		if (result == FRAME_READY)
			on_frame(link, &frame);
		else if (result == FRAME_BAD)
			refuse_frame(link, error.text);
	}
	pump(link);
}

static void on_bytes(struct conn *conn, struct slice bytes)
{
	struct control_link *link = container_of(conn, struct control_link, conn);

	feed(link, bytes);
}

/* What came while a stream was under way. */
static void feed_ahead(struct control_link *link)
{
	struct buf ahead = link->ahead;

	if (ahead.len == 0)
		return;
	buf_init(&link->ahead, LINK_INPUT_MAX);
	feed(link, buf_slice(&ahead));
	buf_done(&ahead);
}

static void step_again(struct control_link *link)
{
	const u32 pause_ms = link->stream->pause_ms;

	if (pause_ms > 0)
		timer_start(link->control->params.wheel, &link->pause,
			    control_now_ns(link->control) + pause_ms * NS_PER_MS);
	else
		link_later(link);
}

static void on_later(struct ring_op *op, i32 result)
{
	struct control_link *link = container_of(op, struct control_link, later);

	(void)result;
	link->is_later = false;
	if (link->is_closing) {
		free_if_over(link);
		return;
	}
	if (link->state == LINK_STREAM)
		stream_step(link);
	pump(link);
	if (link->is_closing)
		return;
	if (link->state != LINK_STREAM)
		feed_ahead(link);
	else if (link_unsent(link) < LINK_OUTPUT_SOFT)
		step_again(link);
}

void link_later(struct control_link *link)
{
	if (!link->is_later)
		ring_later(link->control->params.ring, &link->later);
	link->is_later = true;
}

static void on_pause_end(struct timer *timer)
{
	link_later(container_of(timer, struct control_link, pause));
}

static void on_ended(struct conn *conn, i32 result)
{
	(void)result;
	link_close(container_of(conn, struct control_link, conn));
}

/* ---- accepting ---- */

static const struct conn_events link_events = {
	.bytes = on_bytes,
	.sent = on_sent,
	.ended = on_ended,
	.closed = on_closed,
};

static void on_accepted(struct ring_accept *accept, i32 handle)
{
	struct send_control *control = container_of(accept, struct send_control, accept);
	struct control_link *link = NULL;

	if (!control->is_leaving && control->link_count < CONTROL_ACCEPTED_MAX)
		link = calloc(1, sizeof(*link));
	if (!link) {
		ring_shut(control->params.ring, handle);
		return;
	}
	link->control = control;
	link->later.done = on_later;
	link->user = accept->user;
	link->is_extra = control->link_count >= CONTROL_LINKS_MAX;
	link->ends_when_sent = false;
	timer_init(&link->timer, on_silence);
	timer_init(&link->pause, on_pause_end);
	frame_decoder_init(&link->decoder);
	buf_init(&link->ahead, LINK_INPUT_MAX);
	buf_init(&link->out, LINK_OUTPUT_MAX);
	buf_init(&link->sending, LINK_OUTPUT_MAX);
	list_push_back(&control->links, &link->node);
	control->link_count++;
	if (link->is_extra)
		timer_start(control->params.wheel, &link->timer,
			    control_now_ns(control) + EXTRA_PATIENCE_NS);
	conn_init(&link->conn, control->params.ring, &link_events);
	conn_adopt(&link->conn, handle);
}

static void start_accepting(struct send_control *control)
{
	control->is_accepting = true;
	ring_accept_start(control->params.ring, &control->accept, control->listener);
}

static void on_accept_end(struct ring_accept *accept, i32 result)
{
	struct send_control *control = container_of(accept, struct send_control, accept);

	control->is_accepting = false;
	if (control->is_leaving)
		return;
	log_warn("send", "no control connections for a moment", "code=%d", result);
	timer_start(control->params.wheel, &control->accept_timer,
		    control_now_ns(control) + ACCEPT_AGAIN_NS);
}

static void on_accept_timer(struct timer *timer)
{
	start_accepting(container_of(timer, struct send_control, accept_timer));
}

static void on_sample_timer(struct timer *timer)
{
	struct send_control *control = container_of(timer, struct send_control, sample_timer);
	u64 now = control_now_ns(control);

	rate_sample(&control->rate, control->params.metrics, now);
	timer_start(control->params.wheel, timer, now + NS_PER_S);
}

/* ---- open and close ---- */

static bool listen_at(struct send_control *control, const char *path, struct error *error)
{
	struct stat st;

	/* A stale socket is replaced; a file that somebody needs is not. */
	if (lstat(path, &st) == 0 && !S_ISSOCK(st.st_mode))
		return error_set(error, "control: %s is there and is no socket", path);
	control->listener = ring_listen_unix(path);
	if (control->listener < 0)
		return error_set_errno(error, -control->listener, "control: %s", path);
	return true;
}

struct send_control *send_control_open(const struct send_control_params *params,
				       struct error *error)
{
	struct send_control *control = calloc(1, sizeof(*control));

	if (!control) {
		error_set(error, "control: out of memory");
		return NULL;
	}
	control->params = *params;
	list_init(&control->links);
	timer_init(&control->accept_timer, on_accept_timer);
	timer_init(&control->sample_timer, on_sample_timer);
	control->accept.accepted = on_accepted;
	control->accept.end = on_accept_end;
	control->accept.tells_user = true;
	control_rights_find(&control->rights, params->config);
	if (!listen_at(control, params->config->control, error)) {
		free(control);
		return NULL;
	}
	control->opened_ns = control_now_ns(control);
	start_accepting(control);
	on_sample_timer(&control->sample_timer);
	return control;
}

bool send_control_stop_requested(const struct send_control *control)
{
	return control->stop_requested;
}

void send_control_leave_planner(struct send_control *control)
{
	if (!control || control->is_leaving)
		return;
	control->is_leaving = true;
	timer_stop(control->params.wheel, &control->accept_timer);
	timer_stop(control->params.wheel, &control->sample_timer);
	if (control->is_accepting)
		ring_accept_stop(control->params.ring, &control->accept);
	list_for_each_safe (node, &control->links) {
		struct control_link *link = list_entry(node, struct control_link, node);

		if (!link->waits_for_end || link->state != LINK_IDLE)
			link_close(link);
	}
}

void send_control_close(struct send_control *control)
{
	struct ring *ring;

	if (!control)
		return;
	ring = control->params.ring;
	send_control_leave_planner(control);
	unlink(control->params.config->control);
	list_for_each_safe (node, &control->links)
		link_close(list_entry(node, struct control_link, node));
	for (u32 i = 0;
	     i < CLOSE_TURNS_MAX && (control->is_accepting || !list_is_empty(&control->links)); i++)
		ring_turn(ring, CLOSE_TURN_NS);
	if (control->is_accepting || !list_is_empty(&control->links))
		CRASH("the control's operations do not end");
	close(control->listener);
	ring_turn(ring, 0);
	free(control);
}
