#include "console/web_link.h"

#include "base/clock.h"
#include "base/random.h"
#include "base/text.h"
#include "console/key_file.h"
#include "console/link.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#define NAME_PREFIX "console-"
#define LEFT_MS (24ull * 3600 * 1000) /* a key of ours is somebody's who ended otherwise by then */
#define PATIENCE_MS (120 * 1000)
#define PART (256u << 10)
#define ANSWER_MAX (32u << 20)
#define HEAD_MAX (16u << 10) /* of an answer */
#define RETRIES 20	     /* when the interface says that it was called too often */
#define RETRY_MS 500

/* ---- keys ---- */

static volatile sig_atomic_t interrupted;

static void on_signal(int number)
{
	(void)number;
	interrupted = 1;
}

bool web_link_is_interrupted(void)
{
	return interrupted != 0;
}

static void watch_signals(void)
{
	struct sigaction action = { .sa_handler = on_signal };

	sigemptyset(&action.sa_mask);
	sigaction(SIGINT, &action, NULL);
	sigaction(SIGTERM, &action, NULL);
}

/* Those of commands that were killed. */
static void drop_left(struct key_file *file, u64 now_ms)
{
	for (size_t i = file->keys.count; i > 0; i--) {
		const struct api_key *key = &file->keys.keys[i - 1];

		if (slice_has_prefix(slice_of(key->name), SLICE(NAME_PREFIX)) &&
		    key->made_ms + LEFT_MS < now_ms &&
		    !api_keys_remove(&file->keys, slice_of(key->name)))
			return;
	}
}

int web_link_open(struct console *console, struct web_link *link)
{
	static struct key_file file;
	struct api_key key = { .scopes = API_SCOPE_CONTACTS, .made_ms = clock_wall_ms() };
	struct error error;
	u8 number[8];
	int code;

	*link = (struct web_link){ .console = console };
	if (!key_file_open(console, &file, &code))
		return code;
	random_bytes(number, sizeof(number));
	slice_copy(link->name, sizeof(link->name), SLICE(NAME_PREFIX));
	hex_encode(link->name + strlen(NAME_PREFIX), number, sizeof(number));
	slice_copy(key.name, sizeof(key.name), slice_of(link->name));
	drop_left(&file, key.made_ms);
	if (!slice_copy(link->socket, sizeof(link->socket), slice_of(file.config.web.listen)))
		code = console_fail(console, CONSOLE_FAILED, "the path of the web socket is too "
				    "long");
	else if (!api_keys_add(&file.keys, &key, link->secret, &error) ||
		 !key_file_write(&file, &error))
		code = console_fail_error(console, CONSOLE_FAILED, &error);
	else
		code = CONSOLE_OK;
	key_file_close(&file);
	if (code == CONSOLE_OK)
		watch_signals();
	return code;
}

void web_link_close(struct web_link *link)
{
	static struct key_file file;
	struct error error;
	int code;

	explicit_bzero(link->secret, sizeof(link->secret));
	if (!key_file_open(link->console, &file, &code))
		return;
	if (api_keys_remove(&file.keys, slice_of(link->name)) && !key_file_write(&file, &error))
		console_fail_error(link->console, CONSOLE_FAILED, &error);
	key_file_close(&file);
}

/* ---- the connection ---- */

static int connect_web(const struct web_link *link, int *code)
{
	struct sockaddr_un to = { .sun_family = AF_UNIX };
	int fd = -1;

	if (slice_copy(to.sun_path, sizeof(to.sun_path), slice_of(link->socket)))
		fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (fd >= 0 && connect(fd, (struct sockaddr *)&to, sizeof(to)) == 0)
		return fd;
	*code = console_fail(link->console,
			     errno == ENOENT || errno == ECONNREFUSED ? CONSOLE_NO_DAEMON :
									CONSOLE_FAILED,
			     "%s: %s; does `hikyaku web` run?", link->socket, strerror(errno));
	if (fd >= 0)
		close(fd);
	return -1;
}

/* False: the time is over, or somebody wants it to end. */
static bool wait_for(int fd, short events)
{
	struct pollfd one = { .fd = fd, .events = events };
	int ready;

	do
		ready = poll(&one, 1, PATIENCE_MS);
	while (ready < 0 && errno == EINTR && !interrupted);
	if (ready == 0)
		errno = ETIMEDOUT;
	return ready > 0 && !interrupted;
}

static bool send_all(int fd, struct slice bytes)
{
	while (bytes.len > 0) {
		ssize_t sent;

		if (!wait_for(fd, POLLOUT))
			return false;
		sent = send(fd, bytes.ptr, bytes.len, MSG_NOSIGNAL | MSG_DONTWAIT);
		if (sent < 0 && errno != EINTR && errno != EAGAIN)
			return false;
		bytes = slice_from(bytes, sent > 0 ? (size_t)sent : 0);
	}
	return true;
}

/* ---- a request ---- */

static void add_pair(struct buf *out, const char *name, struct slice value)
{
	buf_add_text(out, name);
	buf_add_char(out, '\0');
	buf_add_slice(out, value);
	buf_add_char(out, '\0');
}

static bool send_head(const struct web_link *link, int fd, const char *method, const char *path,
		      const struct web_upload *upload)
{
	char length[24];
	char digits[24];
	struct buf line;
	struct buf head;
	bool good;

	buf_init(&line, HEAD_MAX);
	buf_init(&head, 4 * HEAD_MAX);
	snprintf(length, sizeof(length), "%llu", upload ? (unsigned long long)upload->size : 0);
	add_pair(&head, "CONTENT_LENGTH", slice_of(length));
	add_pair(&head, "SCGI", SLICE("1"));
	add_pair(&head, "REQUEST_METHOD", slice_of(method));
	buf_add_format(&line, "/api/v1/%s", path);
	add_pair(&head, "REQUEST_URI", buf_slice(&line));
	add_pair(&head, "REMOTE_ADDR", SLICE("127.0.0.1"));
	buf_reset(&line);
	buf_add_format(&line, "Bearer %s", link->secret);
	add_pair(&head, "HTTP_AUTHORIZATION", buf_slice(&line));
	if (upload)
		add_pair(&head, "CONTENT_TYPE", slice_of(upload->type));
	snprintf(digits, sizeof(digits), "%zu:", head.len);
	buf_add_char(&head, ',');
	good = !head.failed && !line.failed && send_all(fd, slice_of(digits)) &&
	       send_all(fd, buf_slice(&head));
	explicit_bzero(line.ptr, line.len);
	buf_done(&line);
	buf_done(&head);
	return good;
}

static bool send_body(int fd, const struct web_upload *upload)
{
	static char part[PART];
	u64 sent = 0;

	if (upload->fd < 0)
		return send_all(fd, upload->text);
	while (sent < upload->size) {
		size_t want = (size_t)min_u64(sizeof(part), upload->size - sent);
		ssize_t got = pread(upload->fd, part, want, (off_t)sent);

		if (got < 0 && errno == EINTR && !interrupted)
			continue;
		if (got == 0)
			errno = EIO; /* shorter than it was */
		if (got <= 0 || !send_all(fd, (struct slice){ part, (size_t)got }))
			return false;
		sent += (u64)got;
		if (upload->on_sent)
			upload->on_sent(sent, upload->size);
	}
	return true;
}

/* ---- an answer ---- */

struct web_answer {
	u32 status; /* 0: its head is not there yet */
	struct buf head;
	struct buf body; /* what came behind the head so far */
};

/* Once the empty line is there. False: it is no answer. */
static bool read_head(struct web_answer *answer)
{
	struct slice head = buf_slice(&answer->head);
	i64 end = slice_find(head, SLICE("\r\n\r\n"));
	i64 at = slice_find(head, SLICE("Status: "));

	if (end < 0)
		return answer->head.len < HEAD_MAX;
	if (at < 0 || at > end ||
	    !slice_to_u32(slice_first(slice_from(head, (size_t)at + 8), 3), &answer->status))
		return false;
	buf_add_slice(&answer->body, slice_from(head, (size_t)end + 4));
	return true;
}

static bool write_all(int to, struct slice bytes)
{
	while (bytes.len > 0) {
		ssize_t done = write(to, bytes.ptr, bytes.len);

		if (done < 0 && errno == EINTR && !interrupted)
			continue;
		if (done <= 0)
			return false;
		bytes = slice_from(bytes, (size_t)done);
	}
	return true;
}

/* To the end of the connection; a body of status 200 goes to `to` as it comes (-1: is kept). */
static bool receive(int fd, struct web_answer *answer, int to)
{
	static char part[PART];

	for (;;) {
		ssize_t got;

		if (!wait_for(fd, POLLIN))
			return false;
		got = recv(fd, part, sizeof(part), MSG_DONTWAIT);
		if (got < 0 && (errno == EINTR || errno == EAGAIN))
			continue;
		if (got <= 0)
			return got == 0 && answer->status != 0;
		buf_add_slice(answer->status == 0 ? &answer->head : &answer->body,
			      (struct slice){ part, (size_t)got });
		if (answer->status == 0 && !read_head(answer))
			return false;
		if (answer->status == 200 && to >= 0) {
			if (!write_all(to, buf_slice(&answer->body)))
				return false;
			buf_reset(&answer->body);
		}
		if (answer->head.failed || answer->body.failed) {
			errno = EMSGSIZE;
			return false;
		}
	}
}

/* ---- calls ---- */

static int refused(const struct web_link *link, const struct web_answer *answer)
{
	json_t *json = json_loadb(answer->body.ptr ? answer->body.ptr : "", answer->body.len, 0,
				  NULL);
	struct slice detail = answer_text(json, "detail");
	struct slice pointer = answer_text(json, "pointer");
	int code;

	code = console_fail(link->console, CONSOLE_FAILED, "%.*s%s%.*s%s",
			    SLICE_FMT(detail.len > 0 ? detail : SLICE("the interface refused it")),
			    pointer.len > 0 ? " (" : "", SLICE_FMT(pointer),
			    pointer.len > 0 ? ")" : "");
	json_decref(json);
	return code;
}

/* One try. CONSOLE_OK: `answer` has what came, whatever it is. */
static int try_call(struct web_link *link, const char *method, const char *path,
		    const struct web_upload *upload, struct web_answer *answer, int to)
{
	int code = CONSOLE_OK;
	int fd = connect_web(link, &code);
	bool good;

	if (fd < 0)
		return code;
	good = send_head(link, fd, method, path, upload);
	/* Who is refused before he has said all finds the answer there all the same. */
	if (good && upload && !send_body(fd, upload))
		good = errno == EPIPE || errno == ECONNRESET;
	good = good && receive(fd, answer, to);
	close(fd);
	if (good)
		return CONSOLE_OK;
	if (interrupted)
		return CONSOLE_FAILED; /* whoever pressed it knows why */
	return console_fail(link->console, CONSOLE_FAILED, "the newsletter service: %s",
			    errno ? strerror(errno) : "the connection broke");
}

static int call(struct web_link *link, const char *method, const char *path,
		const struct web_upload *upload, struct web_answer *answer, int to)
{
	int code;

	for (u32 i = 0;; i++) {
		answer->status = 0;
		buf_reset(&answer->head);
		buf_reset(&answer->body);
		errno = 0;
		code = try_call(link, method, path, upload, answer, to);
		if (code != CONSOLE_OK || answer->status != 429 || i == RETRIES)
			break;
		poll(NULL, 0, RETRY_MS);
	}
	if (code == CONSOLE_OK && answer->status >= 300)
		code = refused(link, answer);
	return code;
}

int web_link_call(struct web_link *link, const char *method, const char *path,
		  const struct web_upload *upload, json_t **json)
{
	struct web_answer answer = { 0 };
	int code;

	*json = NULL;
	buf_init(&answer.head, HEAD_MAX + PART);
	buf_init(&answer.body, ANSWER_MAX);
	code = call(link, method, path, upload, &answer, -1);
	if (code == CONSOLE_OK && answer.body.len > 0) {
		*json = json_loadb(answer.body.ptr, answer.body.len, 0, NULL);
		if (!*json)
			code = console_fail(link->console, CONSOLE_FAILED,
					    "the newsletter service's answer makes no sense");
	}
	buf_done(&answer.head);
	buf_done(&answer.body);
	return code;
}

int web_link_download(struct web_link *link, const char *path, int to)
{
	struct web_answer answer = { 0 };
	int code;

	buf_init(&answer.head, HEAD_MAX + PART);
	buf_init(&answer.body, ANSWER_MAX);
	code = call(link, "GET", path, NULL, &answer, to);
	buf_done(&answer.head);
	buf_done(&answer.body);
	return code;
}

void web_link_add_encoded(struct buf *out, struct slice text)
{
	for (size_t i = 0; i < text.len; i++) {
		char c = text.ptr[i];

		if (ascii_is_alpha(c) || ascii_is_digit(c) || (c != '\0' && strchr("-._~", c)))
			buf_add_char(out, c);
		else
			buf_add_format(out, "%%%02X", (u8)c);
	}
}
