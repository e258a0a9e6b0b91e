#include "control/client.h"

#include "base/check.h"
#include "base/clock.h"
#include "base/text.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#define SEND_QUEUE_HIGH (512u << 10)
#define SEND_QUEUE_MAX (4u << 20) /* above: a frame of the largest size on top of the mark */
#define RECEIVE_CHUNK (64u << 10)
#define DATA_CHUNK (256u << 10) /* of long data, in one frame */
#define PENDING_MAX 100000 /* ITEMs that nobody took while sending */

struct control_client {
	int fd;
	struct buf out;
	size_t out_sent; /* of out */
	struct frame_decoder decoder;
	json_t *pending;      /* list of ITEMs */
	size_t pending_taken; /* of them, from the front */
	json_t *reply;
	struct error refusal;
	bool is_refused;
	bool is_closed; /* by the daemon */
	u32 patience_ms; /* 0: for ever */
	char code[32];
	char chunk[RECEIVE_CHUNK];
};

/* ---- connecting ---- */

static struct control_client *connect_failed(const char *path, int code, int fd,
					     enum control_problem *problem, struct error *error)
{
	if (fd >= 0)
		close(fd);
	*problem = CONTROL_TROUBLE;
	switch (code) {
	case ENOENT:
		*problem = CONTROL_NO_DAEMON;
		error_set(error, "no daemon listens on %s; start it with `hikyaku send`", path);
		break;
	case ECONNREFUSED:
		*problem = CONTROL_NO_DAEMON;
		error_set(error,
			  "%s is left over from a daemon that is gone; start `hikyaku send`", path);
		break;
	case EACCES:
	case EPERM:
		*problem = CONTROL_NOT_ALLOWED;
		error_set(error, "no permission for %s; run this as root or as the sender's user",
			  path);
		break;
	case ENOTDIR:
	case ENAMETOOLONG:
	case EPROTOTYPE:
	case ENOTSOCK:
		error_set(error, "%s is not a control socket: %s", path, strerror(code));
		break;
	default:
		error_set_errno(error, code, "cannot connect to %s", path);
	}
	return NULL;
}

static bool wait_for(const struct control_client *client, short events, struct error *error)
{
	struct pollfd poll_fd = { .fd = client->fd, .events = events };
	u64 until_ns = clock_mono_ns() + client->patience_ms * NS_PER_MS;

	for (;;) {
		u64 now_ns = clock_mono_ns();
		int wait_ms = -1;
		int n;

		if (client->patience_ms > 0 && now_ns >= until_ns)
			return error_set(error, "the daemon does not answer (waited %u s)",
					 client->patience_ms / 1000);
		if (client->patience_ms > 0)
			wait_ms = (int)((until_ns - now_ns) / NS_PER_MS) + 1;
		n = poll(&poll_fd, 1, wait_ms);
		if (n > 0)
			return true;
		if (n < 0 && errno != EINTR)
			return error_set_errno(error, errno, "poll");
	}
}

/* Blocking: a non-blocking connect would fail with EAGAIN when the backlog is full. */
static int connect_fd(const char *path, int *code)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	int fd;

	if (!slice_copy(address.sun_path, sizeof(address.sun_path), slice_of(path))) {
		*code = ENAMETOOLONG;
		return -1;
	}
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	*code = errno;
	if (fd < 0)
		return -1;
	while (connect(fd, (struct sockaddr *)&address, sizeof(address)) < 0) {
		*code = errno;
		if (*code == EINTR)
			continue;
		close(fd);
		return -1;
	}
	return fd;
}

struct control_client *control_client_open(const char *path, enum control_problem *problem,
					   struct error *error)
{
	struct control_client *client;
	int code;
	int fd = connect_fd(path, &code);

	if (fd < 0)
		return connect_failed(path, code, -1, problem, error);
	client = calloc(1, sizeof(*client));
	if (!client)
		return connect_failed(path, ENOMEM, fd, problem, error);
	client->fd = fd;
	client->patience_ms = CONTROL_CLIENT_PATIENCE_MS;
	buf_init(&client->out, SEND_QUEUE_MAX);
	frame_decoder_init(&client->decoder);
	client->pending = json_array();
	if (!client->pending) {
		control_client_close(client);
		return connect_failed(path, ENOMEM, -1, problem, error);
	}
	return client;
}

void control_client_close(struct control_client *client)
{
	if (!client)
		return;
	close(client->fd);
	buf_done(&client->out);
	frame_decoder_done(&client->decoder);
	json_decref(client->pending);
	json_decref(client->reply);
	free(client);
}

void control_client_set_patience(struct control_client *client, u32 ms)
{
	client->patience_ms = ms;
}

/* ---- receiving ---- */

static bool take_refusal(struct control_client *client, const json_t *json)
{
	const char *sentence = json_string_value(json_object_get(json, "error"));
	const char *code = json_string_value(json_object_get(json, "code"));

	error_set(&client->refusal, "%s", sentence ? sentence : "refused without a reason");
	slice_copy(client->code, sizeof(client->code), slice_of(code ? code : ""));
	client->is_refused = true;
	return true;
}

static bool take_frame(struct control_client *client, const struct frame *frame,
		       struct error *error)
{
	json_t *json;
	bool is_done = true;

	if (frame->type != FRAME_ITEM && frame->type != FRAME_REPLY && frame->type != FRAME_ERROR)
		return error_set(error, "the daemon sent a %s frame", frame_type_name(frame->type));
	if (client->reply || client->is_refused)
		return error_set(error, "the daemon went on after its last word");
	json = control_json_parse(frame->payload, error);
	if (!json)
		return error_prefix(error, "the daemon sent bad JSON");
	if (frame->type == FRAME_ERROR)
		is_done = take_refusal(client, json);
	else if (frame->type == FRAME_REPLY)
		client->reply = json_incref(json);
	else if (json_array_size(client->pending) >= PENDING_MAX ||
		 json_array_append(client->pending, json) < 0)
		is_done = error_set(error, "the daemon sent more items than can be kept");
	json_decref(json);
	return is_done;
}

/* Reads what is there, once; false: the connection is of no more use. */
static bool receive(struct control_client *client, struct error *error)
{
	struct frame frame;
	struct slice bytes;
	enum frame_result result;
	ssize_t n = recv(client->fd, client->chunk, sizeof(client->chunk), MSG_DONTWAIT);

	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return true;
	if (n < 0)
		return error_set_errno(error, errno, "the connection to the daemon broke");
	if (n == 0) {
		client->is_closed = true;
		return error_set(error, "the daemon closed the connection without an answer");
	}
	bytes = (struct slice){ client->chunk, (size_t)n };
	while ((result = frame_decoder_take(&client->decoder, &bytes, &frame, error)) ==
	       FRAME_READY) {
		if (!take_frame(client, &frame, error))
			return false;
	}
	if (result == FRAME_BAD)
		return error_prefix(error, "the daemon's answer");
	return true;
}

static enum control_answer refused(struct control_client *client, struct error *error)
{
	*error = client->refusal;
	return CONTROL_REFUSED;
}

/* ---- sending ---- */

static bool send_some(struct control_client *client, struct error *error)
{
	ssize_t n = send(client->fd, client->out.ptr + client->out_sent,
			 client->out.len - client->out_sent, MSG_DONTWAIT | MSG_NOSIGNAL);

	if (n < 0 && errno != EAGAIN && errno != EINTR)
		return error_set_errno(error, errno, "the connection to the daemon broke");
	if (n > 0)
		client->out_sent += (size_t)n;
	if (client->out_sent == client->out.len) {
		buf_reset(&client->out);
		client->out_sent = 0;
	}
	return true;
}

/*
 * The daemon may refuse and close while bytes are under way: then the send fails first, though the
 * reason lies in the receive buffer. So a failed send reads what is left before it counts as lost.
 */
static enum control_answer broken(struct control_client *client, struct error *error)
{
	struct error ignored;

	while (!client->is_refused && receive(client, &ignored)) {
		struct pollfd poll_fd = { .fd = client->fd, .events = POLLIN };

		if (poll(&poll_fd, 1, 0) <= 0)
			break;
	}
	return client->is_refused ? refused(client, error) : CONTROL_LOST;
}

static size_t unsent(const struct control_client *client)
{
	return client->out.len - client->out_sent;
}

/* Sends until no more than `rest` bytes are queued, reading answers meanwhile. */
static enum control_answer push(struct control_client *client, size_t rest, struct error *error)
{
	while (unsent(client) > rest) {
		struct pollfd poll_fd = { .fd = client->fd, .events = POLLIN | POLLOUT };

		if (client->is_refused)
			break;
		if (!send_some(client, error))
			return broken(client, error);
		if (poll(&poll_fd, 1, 0) > 0 && (poll_fd.revents & (POLLIN | POLLHUP)) &&
		    !receive(client, error))
			return client->is_refused ? refused(client, error) : CONTROL_LOST;
		if (unsent(client) > rest && !client->is_refused &&
		    !wait_for(client, POLLIN | POLLOUT, error))
			return CONTROL_LOST;
	}
	return client->is_refused ? refused(client, error) : CONTROL_SENT;
}

/* Moves what is unsent to the front, so that the queue's maximum counts unsent bytes only. */
static void compact(struct control_client *client)
{
	buf_drop_front(&client->out, client->out_sent);
	client->out_sent = 0;
}

static enum control_answer no_memory(struct error *error)
{
	error_set(error, "no memory, or a text that is not UTF-8, or a request over 1 MiB");
	return CONTROL_LOST;
}

enum control_answer control_client_request(struct control_client *client, json_t *request,
					   struct error *error)
{
	json_decref(client->reply);
	client->reply = NULL;
	client->is_refused = false;
	client->code[0] = '\0';
	json_array_clear(client->pending);
	client->pending_taken = 0;
	compact(client);
	if (!control_add_json(&client->out, FRAME_REQUEST, request))
		return no_memory(error);
	return push(client, 0, error);
}

enum control_answer control_client_data(struct control_client *client, enum control_data_tag tag,
					struct slice bytes, struct error *error)
{
	size_t begin;

	ASSERT(bytes.len < FRAME_PAYLOAD_MAX);
	compact(client);
	begin = frame_begin(&client->out, FRAME_DATA);
	buf_add_char(&client->out, (char)tag);
	buf_add_slice(&client->out, bytes);
	if (!frame_end(&client->out, begin))
		return no_memory(error);
	return push(client, SEND_QUEUE_HIGH, error);
}

enum control_answer control_client_data_all(struct control_client *client,
					    enum control_data_tag tag, struct slice bytes,
					    struct error *error)
{
	enum control_answer answer = CONTROL_SENT;

	while (answer == CONTROL_SENT && bytes.len > 0) {
		struct slice part = slice_first(bytes, DATA_CHUNK);

		answer = control_client_data(client, tag, part, error);
		bytes = slice_from(bytes, part.len);
	}
	return answer;
}

enum control_answer control_client_bytes(struct control_client *client, struct slice bytes,
					 struct error *error)
{
	ASSERT(bytes.len <= FRAME_PAYLOAD_MAX);
	compact(client);
	if (!frame_add(&client->out, FRAME_DATA, bytes))
		return no_memory(error);
	return push(client, SEND_QUEUE_HIGH, error);
}

enum control_answer control_client_end(struct control_client *client, struct error *error)
{
	compact(client);
	if (!frame_add(&client->out, FRAME_END, SLICE_NONE))
		return no_memory(error);
	return push(client, 0, error);
}

/* ---- answers ---- */

json_t *control_client_pending(struct control_client *client)
{
	json_t *item = json_array_get(client->pending, client->pending_taken);

	if (item) {
		client->pending_taken++;
	} else {
		json_array_clear(client->pending);
		client->pending_taken = 0;
	}
	return json_incref(item);
}

enum control_answer control_client_next(struct control_client *client, json_t **json,
					struct error *error)
{
	for (;;) {
		*json = control_client_pending(client);
		if (*json)
			return CONTROL_ITEM;
		if (client->is_refused)
			return refused(client, error);
		if (client->reply) {
			*json = client->reply;
			client->reply = NULL;
			return CONTROL_REPLY;
		}
		if (!wait_for(client, POLLIN, error) || !receive(client, error))
			return CONTROL_LOST;
	}
}

const char *control_client_code(const struct control_client *client)
{
	return client->code;
}

bool control_client_is_final(const struct control_client *client)
{
	static const char *const final[] = { "bad-request", "not-found", "conflict",
					     "refused-content" };

	for (size_t i = 0; i < array_count(final); i++) {
		if (strcmp(control_client_code(client), final[i]) == 0)
			return true;
	}
	return false;
}

bool control_client_wait_closed(struct control_client *client, u64 timeout_ms)
{
	u64 until_ns = clock_mono_ns() + timeout_ms * NS_PER_MS;
	struct error ignored;

	while (!client->is_closed) {
		struct pollfd poll_fd = { .fd = client->fd, .events = POLLIN };
		u64 now_ns = clock_mono_ns();
		u64 wait_ms;

		if (now_ns >= until_ns)
			return false;
		wait_ms = min_u64((until_ns - now_ns) / NS_PER_MS + 1, 1000);
		if (poll(&poll_fd, 1, (int)wait_ms) > 0 && !receive(client, &ignored))
			return true;
	}
	return true;
}
