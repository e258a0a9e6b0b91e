#include "init/server.h"

#include "base/list.h"
#include "base/log.h"
#include "base/text.h"
#include "init/init.h"
#include "init/task.h"
#include "init/users.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#define OUT_MAX (4u << 20)
#define OUT_HIGH (256u << 10) /* streams go on below this */
#define CHUNK (64u << 10)

enum activity { LINK_IDLE, LINK_LOG, LINK_TASK };

struct server_link {
	struct list node;
	struct server *server;
	struct loop_source source;
	struct frame_decoder decoder;
	struct buf out;
	size_t sent; /* of out */
	uid_t user;
	enum activity activity;
	bool is_ending;  /* nothing more is read; it is closed when out is sent */
	bool is_holding; /* the task takes no more for now: nothing is read */
	/* LINK_LOG */
	char log_service[LOGBOOK_SERVICE_SIZE]; /* "": all */
	u64 log_next;
	u64 log_until; /* last line of one who does not follow */
	u64 log_count;
	bool log_follows;
	/* LINK_TASK */
	struct task *task;
	bool task_takes_data;
};

struct server {
	struct init *init;
	struct loop_source listener;
	struct list links;
	u32 count;
};

/* ---- a link's life ---- */

static void link_close(struct server_link *link)
{
	loop_forget(&link->server->init->loop, &link->source);
	if (link->task)
		task_leave(link->task);
	close(link->source.fd);
	frame_decoder_done(&link->decoder);
	buf_done(&link->out);
	list_unlink(&link->node);
	link->server->count--;
	free(link);
}

static void watch(struct server_link *link)
{
	u32 events = (link->is_holding || link->is_ending ? 0u : (u32)EPOLLIN) |
		     (link->out.len > link->sent ? (u32)EPOLLOUT : 0u);

	/* Without memory for that in the kernel it will hear of errors only, and be closed then. */
	if (!loop_watch(&link->server->init->loop, &link->source, events))
		log_warn("init", "a control connection cannot be watched", "");
}

/* False: the link is gone. */
static bool flush(struct server_link *link)
{
	while (link->out.len > link->sent) {
		ssize_t n = send(link->source.fd, link->out.ptr + link->sent,
				 link->out.len - link->sent, MSG_NOSIGNAL | MSG_DONTWAIT);

		if (n < 0 && errno == EAGAIN)
			break;
		if (n < 0) {
			link_close(link);
			return false;
		}
		link->sent += (size_t)n;
	}
	if (link->sent == link->out.len) {
		buf_reset(&link->out);
		link->sent = 0;
		if (link->is_ending) {
			link_close(link);
			return false;
		}
	}
	return true;
}

/* ---- answers ---- */

uid_t server_link_user(const struct server_link *link)
{
	return link->user;
}

struct init *server_link_init(struct server_link *link)
{
	return link->server->init;
}

static void add_json(struct server_link *link, enum frame_type type, json_t *json)
{
	/* A client that does not read four megabytes of answers is not there. */
	if (!control_add_json(&link->out, type, json))
		link->is_ending = true;
}

void server_reply(struct server_link *link, json_t *reply)
{
	link->activity = LINK_IDLE;
	add_json(link, FRAME_REPLY, reply);
}

void server_refuse(struct server_link *link, enum control_code code, const char *sentence)
{
	link->activity = LINK_IDLE;
	if (!control_add_error(&link->out, code, sentence))
		link->is_ending = true;
}

/* ---- the log ---- */

static bool out_is_full(const struct server_link *link)
{
	return link->is_ending || link->out.len - link->sent > OUT_HIGH;
}

static void pump_log(struct server_link *link)
{
	const struct logbook *logbook = link->server->init->logbook;
	struct logbook_line line;

	while (!out_is_full(link) &&
	       logbook_find(logbook, link->log_next,
			    link->log_service[0] ? link->log_service : NULL, &line) &&
	       (link->log_follows || line.number <= link->log_until)) {
		link->log_next = line.number + 1;
		link->log_count++;
		/* Whatever a service wrote: bytes that are no UTF-8 would be no JSON. */
		add_json(link, FRAME_ITEM,
			 json_pack("{s:I, s:s, s:o}", "time_ms", (json_int_t)line.time_ms,
				   "service", line.service, "line", init_json_text(line.text)));
	}
	if (link->log_follows || out_is_full(link))
		return;
	server_reply(link, json_pack("{s:I}", "count", (json_int_t)link->log_count));
}

void server_send_log(struct server_link *link, const char *service, u64 from, bool follows)
{
	link->activity = LINK_LOG;
	slice_copy(link->log_service, sizeof(link->log_service), slice_of(service ? service : ""));
	link->log_next = from;
	link->log_until = logbook_last(link->server->init->logbook);
	link->log_count = 0;
	link->log_follows = follows;
	pump_log(link);
}

void server_log_grew(struct server *server)
{
	list_for_each_safe (node, &server->links) {
		struct server_link *link = list_entry(node, struct server_link, node);

		if (link->activity != LINK_LOG)
			continue;
		pump_log(link);
		if (flush(link))
			watch(link);
	}
}

/* ---- tasks ---- */

static void on_task_line(void *owner, struct slice text)
{
	struct server_link *link = owner;

	add_json(link, FRAME_ITEM,
		 json_pack("{s:o, s:s}", "line", init_json_text(text), "stream", "output"));
	watch(link);
}

static void on_task_end(void *owner, int exit_code)
{
	struct server_link *link = owner;

	link->task = NULL;
	link->is_holding = false;
	server_reply(link, json_pack("{s:i}", "exit", exit_code));
	watch(link);
}

static void on_task_room(void *owner)
{
	struct server_link *link = owner;

	link->is_holding = false;
	watch(link);
}

void server_run_task(struct server_link *link, const char *name, const json_t *arguments,
		     bool has_input)
{
	static const struct task_listener listener = { on_task_line, on_task_end, on_task_room };
	struct error error = { "" };

	link->task = task_start(&link->server->init->loop, name, arguments, has_input, &listener,
				link, &error);
	if (!link->task) {
		server_refuse(link, CONTROL_FAILED, error.text);
		return;
	}
	link->activity = LINK_TASK;
	link->task_takes_data = has_input;
}

static bool take_data(struct server_link *link, const struct frame *frame)
{
	/* What was on its way when the task ended is nobody's. */
	if (!link->task_takes_data)
		return false;
	if (link->activity != LINK_TASK)
		return true;
	if (frame->type == FRAME_END) {
		task_end_input(link->task);
		link->task_takes_data = false;
	} else {
		/* Of several frames at once the last one tells: it may have found room again. */
		link->is_holding = !task_input(link->task, frame->payload);
	}
	return true;
}

/* ---- requests ---- */

static bool take_frame(struct server_link *link, const struct frame *frame)
{
	struct control_request request = { 0 };
	struct error error = { "" };

	if (frame->type == FRAME_DATA || frame->type == FRAME_END)
		return take_data(link, frame);
	if (frame->type != FRAME_REQUEST || link->activity != LINK_IDLE)
		return false;
	link->task_takes_data = false;
	if (!control_request_parse(&request, frame->payload, &error))
		server_refuse(link, CONTROL_BAD_REQUEST, error.text);
	else
		server_command(link, &request);
	control_request_done(&request);
	return true;
}

/* False: the link is gone. */
static bool take_bytes(struct server_link *link, struct slice bytes)
{
	struct frame frame;
	struct error error = { "" };

	for (;;) {
		switch (frame_decoder_take(&link->decoder, &bytes, &frame, &error)) {
		case FRAME_MORE:
			return true;
		case FRAME_READY:
			if (take_frame(link, &frame))
				continue;
			break;
		case FRAME_BAD:
			break;
		}
		link_close(link);
		return false;
	}
}

static bool read_link(struct server_link *link)
{
	static char chunk[CHUNK];
	ssize_t n = recv(link->source.fd, chunk, sizeof(chunk), MSG_DONTWAIT);

	if (n > 0)
		return take_bytes(link, (struct slice){ chunk, (size_t)n });
	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return true;
	link_close(link);
	return false;
}

static void on_link(struct loop_source *source, u32 events)
{
	struct server_link *link = container_of(source, struct server_link, source);

	if ((events & (EPOLLIN | EPOLLHUP | EPOLLERR)) && !link->is_holding && !read_link(link))
		return;
	if ((events & (EPOLLHUP | EPOLLERR)) && link->is_holding) {
		link_close(link);
		return;
	}
	if (!flush(link))
		return;
	if (link->activity == LINK_LOG) {
		pump_log(link);
		if (!flush(link))
			return;
	}
	watch(link);
}

/* ---- the listener ---- */

static struct server_link *link_open(struct server *server, int fd)
{
	struct ucred peer = { .uid = (uid_t)-1 };
	socklen_t size = sizeof(peer);
	struct server_link *link = calloc(1, sizeof(*link));

	if (!link || getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &size) < 0) {
		free(link);
		return NULL;
	}
	link->server = server;
	link->user = peer.uid;
	link->source = (struct loop_source){ .ready = on_link, .fd = fd };
	frame_decoder_init(&link->decoder);
	buf_init(&link->out, OUT_MAX);
	return link;
}

static void on_connection(struct loop_source *source, u32 events)
{
	struct server *server = container_of(source, struct server, listener);
	int fd = accept4(source->fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
	struct server_link *link;

	(void)events;
	if (fd < 0)
		return;
	link = server->count < SERVER_LINKS_MAX ? link_open(server, fd) : NULL;
	if (!link || !loop_watch(&server->init->loop, &link->source, EPOLLIN)) {
		log_warn("init", "a control connection was refused", "open=%u", server->count);
		free(link);
		close(fd);
		return;
	}
	list_push_back(&server->links, &link->node);
	server->count++;
}

static int listen_at(const char *path, struct error *error)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

	if (fd < 0) {
		error_set_errno(error, errno, "socket");
		return -1;
	}
	if (!slice_copy(address.sun_path, sizeof(address.sun_path), slice_of(path))) {
		error_set(error, "%s: the name is too long", path);
		close(fd);
		return -1;
	}
	/* PID 1 is alone: what is left over is an earlier one's. */
	unlink(path);
	if (bind(fd, (struct sockaddr *)&address, sizeof(address)) < 0 || chmod(path, 0666) < 0 ||
	    listen(fd, SERVER_LINKS_MAX) < 0) {
		error_set_errno(error, errno, "%s", path);
		close(fd);
		return -1;
	}
	return fd;
}

struct server *server_open(struct init *init, const char *path, struct error *error)
{
	struct server *server = calloc(1, sizeof(*server));

	if (!server) {
		error_set(error, "no memory");
		return NULL;
	}
	server->init = init;
	list_init(&server->links);
	server->listener.ready = on_connection;
	server->listener.fd = listen_at(path, error);
	if (server->listener.fd < 0) {
		free(server);
		return NULL;
	}
	if (!loop_watch(&init->loop, &server->listener, EPOLLIN)) {
		error_set_errno(error, errno, "%s", path);
		server_close(server);
		return NULL;
	}
	return server;
}

void server_close(struct server *server)
{
	if (!server)
		return;
	list_for_each_safe (node, &server->links) {
		struct server_link *link = list_entry(node, struct server_link, node);

		link->is_ending = true;
		if (flush(link))
			link_close(link);
	}
	loop_forget(&server->init->loop, &server->listener);
	close(server->listener.fd);
	free(server);
}
