/*
 * Any orders over the control socket to a real sender's planner and queue; the ring and the
 * connection are played here. A line of the input is a request (JSON), or an act: "D" and a tag
 * sends data, "E" ends it, "T" lets time pass, "X" breaks the connection off. Each request gets one
 * answer, whatever it is; the rows of every campaign are at one place or final; nothing is left
 * open.
 */
#include "planner_world.h"

#include "control/frame.h"
#include "send/control_parts.h"

#include <errno.h>
#include <fcntl.h>

#define LINES_HEAD 0

static const struct slice known_lines[] = {
	SLICE("{\"command\":\"status\"}\n"),
	SLICE("{\"command\":\"campaign.status\"}\n"),
	SLICE("{\"command\":\"campaign.status\",\"name\":\"spring\"}\n"),
	SLICE("{\"command\":\"campaign.pause\",\"id\":1}\n"),
	SLICE("{\"command\":\"campaign.resume\",\"name\":\"spring\"}\n"),
	SLICE("{\"command\":\"campaign.start\",\"name\":\"n\"}\n"),
	SLICE("{\"command\":\"campaign.cancel\",\"id\":1}\n"),
	SLICE("{\"command\":\"campaign.report\",\"id\":1,\"outcomes\":[\"queued\",\"held\"],\"limit\":2}\n"),
	SLICE("{\"command\":\"campaign.report\",\"id\":1,\"after\":\"x\"}\n"),
	SLICE("{\"command\":\"queue.list\",\"rows\":true}\n"),
	SLICE("{\"command\":\"queue.list\",\"domain\":\"x.example\",\"limit\":1}\n"),
	SLICE("{\"command\":\"queue.show\",\"address\":\"r1@x.example\"}\n"),
	SLICE("{\"command\":\"queue.retry\",\"all\":true}\n"),
	SLICE("{\"command\":\"queue.retry\",\"address\":\"r4@x.example\"}\n"),
	SLICE("{\"command\":\"queue.bounce\",\"domain\":\"x.example\"}\n"),
	SLICE("{\"command\":\"queue.bounce\",\"campaign\":\"spring\"}\n"),
	SLICE("{\"command\":\"queue.suspend\",\"domain\":\"x.example\"}\n"),
	SLICE("{\"command\":\"queue.resume\",\"site\":\"mx.x.example\"}\n"),
	SLICE("{\"command\":\"queue.doubt\",\"action\":\"list\"}\n"),
	SLICE("{\"command\":\"queue.doubt\",\"action\":\"resend\",\"all\":true}\n"),
	SLICE("{\"command\":\"queue.doubt\",\"action\":\"drop\",\"campaign\":\"1\"}\n"),
	SLICE("{\"command\":\"queue.unknown\"}\n"),
	SLICE("{\"command\":\"stop\"}\n"),
	SLICE("{\"command\":\"campaign.create\",\"name\":\"n\",\"customer\":\"a.example\",\"columns\":[],"
	      "\"require_unsubscribe\":false,\"charset\":\"utf-8\",\"encoding\":\"auto\","
	      "\"source\":{\"kind\":\"parts\",\"headers\":17,\"text\":2}}\n"),
	SLICE("D\2From: a@a.example\n"),
	SLICE("D\3hi\n"),
	SLICE("D\5\0\7\0\0y@b.test\n"),
	SLICE("D\5\0\x0d\"a\\ b\"@c.test\0\0\n"),
	SLICE("E\n"),
	SLICE("T\n"),
	SLICE("X\n"),
	SLICE(",\"campaign\":\"spring\""),
	SLICE(",\"limit\":1"),
};

#include "line_mutator.h"

#define TURNS_MAX 200 /* of the ring; no order over six rows takes so many */

int LLVMFuzzerTestOneInput(const u8 *data, size_t size);

/* ---- in the place of the ring and of connections ---- */

static struct {
	struct ring_op *first, *last; /* what waits for the next turn */
	struct ring_accept *accept;
	struct conn *conn; /* NULL: there is none */
	struct ring_op closing;
	struct buf got; /* what the client was sent */
	size_t sent;    /* to be told at the next turn; 0: nothing is under way */
	bool over;
} wire;

void ring_later(struct ring *ring, struct ring_op *op)
{
	(void)ring;
	op->next = NULL;
	*(wire.first ? &wire.last->next : &wire.first) = op;
	wire.last = op;
}

static void tell_closed(struct ring_op *op, i32 result)
{
	struct conn *conn = wire.conn;

	(void)op;
	(void)result;
	wire.conn = NULL;
	conn->events->closed(conn);
}

u32 ring_turn(struct ring *ring, u64 timeout_ns)
{
	struct ring_op *op = wire.first;
	size_t sent = wire.sent;

	(void)ring;
	(void)timeout_ns;
	wire.first = NULL;
	wire.sent = 0;
	if (sent > 0 && wire.conn)
		wire.conn->events->sent(wire.conn, wire.over ? -ECANCELED : (i32)sent);
	while (op) {
		struct ring_op *next = op->next;

		op->done(op, 0);
		op = next;
	}
	return 0;
}

int ring_listen_unix(const char *path)
{
	(void)path;
	return open("/dev/null", O_RDONLY | O_CLOEXEC); /* what is closed when it is over */
}

void ring_accept_start(struct ring *ring, struct ring_accept *accept, int listener)
{
	(void)ring;
	(void)listener;
	wire.accept = accept;
}

void ring_accept_stop(struct ring *ring, struct ring_accept *accept)
{
	(void)ring;
	accept->end(accept, -ECANCELED);
}

void ring_shut(struct ring *ring, i32 handle)
{
	(void)ring;
	(void)handle;
}

void ring_stats(const struct ring *ring, struct ring_stats *stats)
{
	(void)ring;
	*stats = (struct ring_stats){ 0 };
}

void conn_init(struct conn *conn, struct ring *ring, const struct conn_events *events)
{
	*conn = (struct conn){ .events = events, .ring = ring };
}

void conn_adopt(struct conn *conn, i32 handle)
{
	conn->handle = handle;
	wire.conn = conn;
}

bool conn_may_send(const struct conn *conn)
{
	ASSERT(conn == wire.conn);
	return wire.sent == 0 && !wire.over;
}

/* All of it, or half at most when it is long. */
void conn_send(struct conn *conn, struct iovec *iov, u32 count)
{
	size_t len = iov->iov_len > 4096 ? iov->iov_len / 2 : iov->iov_len;

	ASSERT(conn == wire.conn && count == 1 && wire.sent == 0 && len > 0);
	buf_add(&wire.got, iov->iov_base, len);
	wire.sent = len;
}

void conn_close(struct conn *conn)
{
	ASSERT(conn == wire.conn && !wire.over);
	wire.over = true;
	wire.closing.done = tell_closed;
	ring_later(NULL, &wire.closing);
}

/* ---- of those, what a sender without workers never calls ---- */

struct ring *ring_open(const struct ring_params *params, struct error *error)
{
	(void)params;
	(void)error;
	CRASH("not here");
}

void ring_close(struct ring *ring)
{
	(void)ring;
}

void ring_wake(struct ring *ring)
{
	(void)ring;
}

void ring_poll(struct ring *ring, struct ring_op *op, int fd)
{
	(void)ring;
	(void)op;
	(void)fd;
}

void ring_set_option(struct ring *ring, struct ring_op *op, i32 handle, i32 level, i32 name,
		     struct slice value)
{
	(void)ring;
	(void)op;
	(void)handle;
	(void)level;
	(void)name;
	(void)value;
	CRASH("not here");
}

int ring_listen(const struct net_address *at)
{
	(void)at;
	return -EINVAL;
}

i32 conn_dial(struct conn *conn, const struct net_address *to, const struct net_address *from)
{
	(void)conn;
	(void)to;
	(void)from;
	return -EINVAL;
}

void conn_stop_sending(struct conn *conn)
{
	(void)conn;
}

bool conn_took_nothing(const struct conn *conn)
{
	(void)conn;
	return true;
}

const char *conn_why(const struct conn *conn)
{
	(void)conn;
	return "";
}

bool conn_start_tls(struct conn *conn, struct tls_context *context, const struct tls_peer *peer)
{
	(void)conn;
	(void)context;
	(void)peer;
	return false;
}

bool conn_encrypt_in_kernel(struct conn *conn)
{
	(void)conn;
	return false;
}

enum conn_kernel conn_kernel(const struct conn *conn)
{
	(void)conn;
	return CONN_KERNEL_UNASKED;
}

bool conn_is_mute(const struct conn *conn)
{
	(void)conn;
	return false;
}

/* ---- the client ---- */

static struct {
	struct send_control *control;
	struct planner *planner;
	struct timer_wheel wheel;
	u32 requests; /* that reached the sender on a connection that lasted */
} run;

static void turn(u64 ms)
{
	passed_ms += ms;
	timer_wheel_advance(&run.wheel, clock_mono_ns());
	planner_turn(run.planner, clock_mono_ns(), clock_wall_ms());
	ring_turn(NULL, 0);
}

static void connect_client(void)
{
	memset(&wire.closing, 0, sizeof(wire.closing));
	buf_reset(&wire.got);
	wire.sent = 0;
	wire.over = false;
	run.requests = 0;
	wire.accept->accepted(wire.accept, 7);
	ASSERT(wire.conn);
}

static void give_frame(enum frame_type type, struct slice payload)
{
	struct buf frame;
	char *bytes;

	if (!wire.conn || wire.over)
		return;
	buf_init(&frame, FRAME_PAYLOAD_MAX + FRAME_HEAD_SIZE);
	ASSERT(frame_add(&frame, type, payload));
	bytes = malloc(frame.len); /* of its own size, for the sanitizer */
	ASSERT(bytes);
	memcpy(bytes, frame.ptr, frame.len);
	run.requests += type == FRAME_REQUEST;
	wire.conn->events->bytes(wire.conn, (struct slice){ bytes, frame.len });
	free(bytes);
	buf_done(&frame);
}

/* Frames in one piece each, JSON inside; as many ends as requests, but for one that takes data. */
static void check_answers(void)
{
	struct slice rest = buf_slice(&wire.got);
	struct frame_decoder decoder;
	struct frame frame;
	u32 ends = 0;

	if (wire.over || !wire.conn)
		return;
	frame_decoder_init(&decoder);
	while (frame_decoder_take(&decoder, &rest, &frame, NULL) == FRAME_READY) {
		json_t *json = json_loadb(frame.payload.ptr, frame.payload.len, 0, NULL);

		ASSERT(json_is_object(json));
		json_decref(json);
		ASSERT(frame.type >= FRAME_REPLY && frame.type <= FRAME_ERROR);
		ends += frame.type != FRAME_ITEM;
	}
	ASSERT(rest.len == 0 && frame_decoder_is_idle(&decoder));
	ASSERT(ends == run.requests || ends + 1 == run.requests);
	ASSERT(ends == run.requests || run.control->import_count == 1);
	frame_decoder_done(&decoder);
}

static void act(struct slice line)
{
	if (line.len == 1 && line.ptr[0] == 'T') {
		turn(700);
	} else if (line.len == 1 && line.ptr[0] == 'E') {
		give_frame(FRAME_END, SLICE_NONE);
	} else if (line.len == 1 && line.ptr[0] == 'X') {
		if (wire.conn && !wire.over)
			wire.conn->events->ended(wire.conn, 0);
		while (wire.conn)
			ring_turn(NULL, 0);
		connect_client();
	} else if (line.len > 0 && line.ptr[0] == 'D') {
		give_frame(FRAME_DATA, slice_from(line, 1));
	} else {
		give_frame(FRAME_REQUEST, line);
	}
}

/* Whether an answer is still being made or sent. */
static bool is_busy(void)
{
	const struct control_link *link =
		wire.conn ? container_of(wire.conn, struct control_link, conn) : NULL;

	return link && (wire.over || link->state == LINK_STREAM || link_unsent(link) > 0);
}

/* What was taken from a client goes into commands: no control bytes in it. */
static void check_rows(struct queue *queue, u32 campaign)
{
	struct row_ref at = { .id = { campaign, 1, 0 }, .place = ROW_LANE };
	struct queue_row row;

	while (queue_row_next(queue, &at, UINT64_MAX, &row) == STORE_OK) {
		for (size_t i = 0; i < row.address.len; i++)
			ASSERT((u8)row.address.ptr[i] >= ' ' && row.address.ptr[i] != 0x7f);
		at = row.ref;
	}
}

static void check_campaigns(void)
{
	struct queue *queue = planner_queue(run.planner);
	struct queue_campaign c = { 0 };

	ASSERT(queue_begin(queue) == STORE_OK);
	while (queue_campaign_next(queue, c.id, &c) == STORE_OK) {
		if (c.state != CAMPAIGN_IMPORTING)
			check_campaign(queue, &c);
		check_rows(queue, c.id);
	}
	queue_abort(queue);
}

static void open_sender(void)
{
	struct send_control_params params = { .wheel = &run.wheel,
					      .config = &the.config,
					      .metrics = the.metrics };
	struct error error = { "" };

	memset(&run, 0, sizeof(run));
	memset(&wire, 0, sizeof(wire));
	buf_init(&wire.got, 64u << 20);
	timer_wheel_init(&run.wheel, clock_mono_ns());
	run.planner = params.planner = start();
	run.control = send_control_open(&params, &error);
	ASSERT(run.control);
}

int LLVMFuzzerTestOneInput(const u8 *data, size_t size)
{
	struct slice rest = { (const char *)data, size };

	put_back_queue();
	unlink(the.journal_path);
	open_sender();
	connect_client();
	while (rest.ptr)
		act(slice_split(&rest, '\n'));
	for (int i = 0; i < TURNS_MAX && is_busy(); i++)
		turn(50);
	ASSERT(!is_busy());
	check_answers();
	send_control_leave_planner(run.control);
	check_campaigns();
	send_control_close(run.control);
	ASSERT(!wire.conn);
	planner_close(run.planner);
	buf_done(&wire.got);
	return 0;
}
