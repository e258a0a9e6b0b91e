/*
 * Asks an SCGI server at a unix socket as a web server does: a connection for each request, so many
 * at once, paths from a file in turn. Prints requests a second and how long they took.
 *
 *   scgi_load SOCKET PATHS-FILE REQUESTS CONCURRENCY
 */
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#define PATHS_MAX 200000
#define CONCURRENCY_MAX 4096
#define AGENT "Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0"

struct request {
	int fd;
	uint64_t began_ns;
	bool is_good; /* 200 or 302 */
	bool has_answer;
};

static struct sockaddr_un address = { .sun_family = AF_UNIX };
static char *paths[PATHS_MAX];
static size_t path_count;
static struct request requests[CONCURRENCY_MAX];
static uint64_t *times_ns;
static size_t total, started, finished, bad;
static int epoll;

static void fail(const char *what)
{
	perror(what);
	exit(1);
}

static uint64_t now_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

static void read_paths(const char *name)
{
	FILE *file = fopen(name, "r");
	char line[1024];

	if (!file)
		fail(name);
	while (path_count < PATHS_MAX && fgets(line, sizeof(line), file)) {
		line[strcspn(line, "\n")] = '\0';
		paths[path_count++] = strdup(line);
	}
	fclose(file);
	if (path_count == 0) {
		fprintf(stderr, "%s has no paths\n", name);
		exit(1);
	}
}

static size_t add(char *out, size_t at, const char *name, const char *value)
{
	size_t name_len = strlen(name) + 1;
	size_t value_len = strlen(value) + 1;

	memcpy(out + at, name, name_len);
	memcpy(out + at + name_len, value, value_len);
	return at + name_len + value_len;
}

static void begin(struct request *request)
{
	char head[2048];
	char bytes[2100];
	size_t len = 0;
	int written;
	struct epoll_event event = { .events = EPOLLIN, .data.ptr = request };

	len = add(head, len, "CONTENT_LENGTH", "0");
	len = add(head, len, "SCGI", "1");
	len = add(head, len, "REQUEST_METHOD", "GET");
	len = add(head, len, "REQUEST_URI", paths[started % path_count]);
	len = add(head, len, "HTTPS", "on");
	len = add(head, len, "REMOTE_ADDR", "192.0.2.1");
	len = add(head, len, "HTTP_USER_AGENT", AGENT);
	written = snprintf(bytes, sizeof(bytes), "%zu:", len);
	memcpy(bytes + written, head, len);
	bytes[(size_t)written + len] = ',';
	*request = (struct request){ .began_ns = now_ns() };
	request->fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (request->fd < 0 ||
	    connect(request->fd, (struct sockaddr *)&address, sizeof(address)) != 0)
		fail("connect");
	if (write(request->fd, bytes, (size_t)written + len + 1) != (ssize_t)((size_t)written + len + 1))
		fail("write");
	if (epoll_ctl(epoll, EPOLL_CTL_ADD, request->fd, &event) != 0)
		fail("epoll_ctl");
	started++;
}

static void on_bytes(struct request *request)
{
	char bytes[4096];
	ssize_t got = read(request->fd, bytes, sizeof(bytes) - 1);

	if (got > 0 && !request->has_answer) {
		bytes[got] = '\0';
		request->has_answer = true;
		request->is_good = strstr(bytes, "Status: 200") || strstr(bytes, "Status: 302");
	}
	if (got > 0)
		return;
	close(request->fd);
	bad += !request->is_good;
	times_ns[finished++] = now_ns() - request->began_ns;
	if (started < total)
		begin(request);
}

static int by_time(const void *a, const void *b)
{
	const uint64_t *x = a;
	const uint64_t *y = b;

	return (*x > *y) - (*x < *y);
}

int main(int argc, char **argv)
{
	struct epoll_event events[256];
	size_t concurrency = argc == 5 ? strtoul(argv[4], NULL, 10) : 0;
	uint64_t began_ns;
	double seconds;

	total = argc == 5 ? strtoul(argv[3], NULL, 10) : 0;
	if (total == 0 || concurrency == 0 || concurrency > CONCURRENCY_MAX ||
	    strlen(argv[1]) >= sizeof(address.sun_path)) {
		fprintf(stderr, "usage: scgi_load SOCKET PATHS-FILE REQUESTS CONCURRENCY\n");
		return 2;
	}
	memcpy(address.sun_path, argv[1], strlen(argv[1]) + 1);
	read_paths(argv[2]);
	times_ns = calloc(total, sizeof(*times_ns));
	epoll = epoll_create1(EPOLL_CLOEXEC);
	if (!times_ns || epoll < 0)
		fail("memory");
	began_ns = now_ns();
	for (size_t i = 0; i < concurrency && started < total; i++)
		begin(&requests[i]);
	while (finished < total) {
		int count = epoll_wait(epoll, events, 256, 10000);

		if (count <= 0)
			fail("no answer in 10 s");
		for (int i = 0; i < count; i++)
			on_bytes(events[i].data.ptr);
	}
	seconds = (double)(now_ns() - began_ns) / 1e9;
	qsort(times_ns, total, sizeof(*times_ns), by_time);
	printf("%.0f %zu %.3f %.3f %.3f\n", (double)total / seconds, bad,
	       (double)times_ns[total / 2] / 1e6, (double)times_ns[total * 99 / 100] / 1e6,
	       (double)times_ns[total - 1] / 1e6);
	return 0;
}
