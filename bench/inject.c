/*
 * inject: hands a newsletter to a mail server over SMTP, one message for each recipient, as a program
 * that uses the server would. It is what peers with a queue are fed with: it costs far less than they
 * do, and says when each message was taken.
 *
 * In the template (a whole message, CRLF, not dot-stuffed) @ADDRESS@ and @NUMBER@ become the
 * recipient's address and its place in the list, from 0. Each session is a thread with a blocking
 * socket: MAIL RCPT DATA in one send when PIPELINING is offered, then the text.
 *
 * 4xx and a closed connection are answered by the same message again after a pause (mail servers
 * push back so); 5xx ends the run with status 1.
 */
#include <arpa/inet.h>
#include <getopt.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define SESSIONS_MAX 1000
#define LINE_BYTES 1024
#define PAUSE_NS 50000000
#define TRIES_MAX 1000

struct recipient {
	const char *address;
	double begun_at;	/* seconds since 1970 */
	double taken_at;
};

struct inject {
	struct sockaddr_in to;
	const char *from;
	char *template;
	size_t template_len;
	struct recipient *recipients;
	size_t count;
	double interval;	/* seconds between messages; 0: as fast as they are taken */
	double started;
	atomic_size_t next;
	atomic_size_t refused;
};

struct session {
	struct inject *inject;
	pthread_t thread;
	int fd;			/* -1: not connected */
	bool pipelining;
	char input[LINE_BYTES];
	size_t have, used;	/* bytes of `input` */
	char *text;
	size_t text_len, text_cap;
};

static _Noreturn void fail(const char *format, ...) __attribute__((format(printf, 1, 2)));

static _Noreturn void fail(const char *format, ...)
{
	va_list args;

	fputs("inject: ", stderr);
	va_start(args, format);
	vfprintf(stderr, format, args);
	va_end(args);
	fputc('\n', stderr);
	_exit(1);
}

static double clock_seconds(clockid_t clock)
{
	struct timespec t;

	clock_gettime(clock, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static void rest(double seconds)
{
	struct timespec t = { .tv_sec = (time_t)seconds };

	t.tv_nsec = (long)((seconds - (double)t.tv_sec) * 1e9);
	if (seconds > 0)
		nanosleep(&t, NULL);
}

static void hang_up(struct session *s)
{
	if (s->fd >= 0)
		close(s->fd);
	s->fd = -1;
	s->have = s->used = 0;
}

static bool send_all(struct session *s, const char *bytes, size_t len)
{
	while (len) {
		ssize_t n = send(s->fd, bytes, len, MSG_NOSIGNAL);

		if (n <= 0)
			return false;
		bytes += n;
		len -= (size_t)n;
	}
	return true;
}

/* One line without its end; NULL: the connection ended. */
static const char *read_line(struct session *s)
{
	for (;;) {
		char *start = s->input + s->used;
		char *lf = memchr(start, '\n', s->have - s->used);
		ssize_t n;

		if (lf) {
			*lf = '\0';
			s->used = (size_t)(lf + 1 - s->input);
			return start;
		}
		memmove(s->input, start, s->have - s->used);
		s->have -= s->used;
		s->used = 0;
		if (s->have == sizeof(s->input))
			fail("a reply line is too long");
		n = recv(s->fd, s->input + s->have, sizeof(s->input) - s->have, 0);
		if (n <= 0)
			return NULL;
		s->have += (size_t)n;
	}
}

/* The code of a whole reply; 0: the connection ended. 5xx is final for the run. */
static int read_reply(struct session *s)
{
	for (;;) {
		const char *line = read_line(s);

		if (!line)
			return 0;
		if (line[0] < '2' || line[0] > '4' || strlen(line) < 3)
			fail("refused: %s", line);
		if (strcasestr(line, "PIPELINING"))
			s->pipelining = true;
		if (line[3] != '-')
			return (line[0] - '0') * 100;
	}
}

static bool greet(struct session *s)
{
	static const char ehlo[] = "EHLO injector.test\r\n";
	int on = 1;

	s->fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (s->fd < 0)
		fail("socket: %m");
	setsockopt(s->fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
	if (connect(s->fd, (struct sockaddr *)&s->inject->to, sizeof(s->inject->to)) != 0)
		return false;
	return read_reply(s) == 200 && send_all(s, ehlo, sizeof(ehlo) - 1) && read_reply(s) == 200;
}

static void text_add(struct session *s, const char *bytes, size_t len)
{
	while (s->text_len + len > s->text_cap) {
		s->text_cap = s->text_cap ? 2 * s->text_cap : 65536;
		s->text = realloc(s->text, s->text_cap);
		if (!s->text)
			fail("out of memory");
	}
	memcpy(s->text + s->text_len, bytes, len);
	s->text_len += len;
}

/* The message for one recipient, in DATA's form. */
static void write_text(struct session *s, size_t number)
{
	const struct inject *inject = s->inject;
	const char *p = inject->template, *end = p + inject->template_len;
	char digits[24];

	s->text_len = 0;
	snprintf(digits, sizeof(digits), "%zu", number);
	while (p < end) {
		const char *stop = p;
		bool line_start = p == inject->template || p[-1] == '\n';

		if (line_start && *p == '.')
			text_add(s, ".", 1);
		while (stop < end && *stop != '@' && *stop != '\n')
			stop++;
		if (stop < end && *stop == '\n')
			stop++;
		text_add(s, p, (size_t)(stop - p));
		p = stop;
		if (p == end || *p != '@')
			continue;
		if (strncmp(p, "@ADDRESS@", 9) == 0) {
			const char *address = inject->recipients[number].address;

			text_add(s, address, strlen(address));
			p += 9;
		} else if (strncmp(p, "@NUMBER@", 8) == 0) {
			text_add(s, digits, strlen(digits));
			p += 8;
		} else {
			text_add(s, p++, 1);
		}
	}
	text_add(s, ".\r\n", 3);
}

/* Commands in front of the text; the last one's reply is 354. False: not taken. */
static bool send_envelope(struct session *s, size_t number)
{
	const struct inject *inject = s->inject;
	char commands[3][LINE_BYTES], all[3 * LINE_BYTES];
	bool good = true;

	snprintf(commands[0], LINE_BYTES, "MAIL FROM:<%s>\r\n", inject->from);
	snprintf(commands[1], LINE_BYTES, "RCPT TO:<%s>\r\n", inject->recipients[number].address);
	snprintf(commands[2], LINE_BYTES, "DATA\r\n");
	if (!s->pipelining) {
		for (int i = 0; i < 3; i++) {
			if (!send_all(s, commands[i], strlen(commands[i])) ||
			    read_reply(s) != (i < 2 ? 200 : 300))
				return false;
		}
		return true;
	}
	snprintf(all, sizeof(all), "%s%s%s", commands[0], commands[1], commands[2]);
	if (!send_all(s, all, strlen(all)))
		return false;
	for (int i = 0; i < 3; i++)
		good &= read_reply(s) == (i < 2 ? 200 : 300);
	return good;
}

static bool send_message(struct session *s, size_t number)
{
	return (s->fd >= 0 || greet(s)) && send_envelope(s, number) &&
		send_all(s, s->text, s->text_len) && read_reply(s) == 200;
}

static void *work(void *arg)
{
	struct session *s = arg;
	struct inject *inject = s->inject;
	size_t number;

	while ((number = atomic_fetch_add(&inject->next, 1)) < inject->count) {
		struct recipient *r = &inject->recipients[number];
		unsigned tries = 0;

		rest(inject->started + inject->interval * (double)number -
			clock_seconds(CLOCK_MONOTONIC));
		r->begun_at = clock_seconds(CLOCK_REALTIME);
		write_text(s, number);
		while (!send_message(s, number)) {
			hang_up(s);
			atomic_fetch_add(&inject->refused, 1);
			if (++tries > TRIES_MAX)
				fail("%s is never taken", r->address);
			rest(PAUSE_NS / 1e9);
		}
		r->taken_at = clock_seconds(CLOCK_REALTIME);
	}
	hang_up(s);
	return NULL;
}

static char *read_file(const char *path, size_t *len)
{
	FILE *file = fopen(path, "re");
	char *bytes = NULL;
	long size;

	if (!file || fseek(file, 0, SEEK_END) != 0 || (size = ftell(file)) < 0 ||
	    fseek(file, 0, SEEK_SET) != 0 || !(bytes = malloc((size_t)size + 1)))
		fail("%s: %m", path);
	*len = fread(bytes, 1, (size_t)size, file);
	bytes[*len] = '\0';
	fclose(file);
	return bytes;
}

static void read_recipients(struct inject *inject, const char *path)
{
	size_t len, room = 0;
	char *line = read_file(path, &len), *end = line + len, *lf;

	for (; line < end && (lf = memchr(line, '\n', (size_t)(end - line))); line = lf + 1) {
		if (inject->count == room) {
			room = room ? 2 * room : 1024;
			inject->recipients = reallocarray(inject->recipients, room,
				sizeof(*inject->recipients));
			if (!inject->recipients)
				fail("out of memory");
		}
		*lf = '\0';
		inject->recipients[inject->count++] = (struct recipient){ .address = line };
	}
}

/* A line for each recipient: address, seconds since 1970 when it was begun and when it was taken. */
static void write_times(const struct inject *inject, const char *path)
{
	FILE *file = fopen(path, "we");

	if (!file)
		fail("%s: %m", path);
	for (size_t i = 0; i < inject->count; i++)
		fprintf(file, "%s %.6f %.6f\n", inject->recipients[i].address,
			inject->recipients[i].begun_at, inject->recipients[i].taken_at);
	if (fclose(file) != 0)
		fail("%s: %m", path);
}

static void parse_to(struct sockaddr_in *to, const char *text)
{
	char host[16];
	unsigned port;

	to->sin_family = AF_INET;
	if (sscanf(text, "%15[0-9.]:%u", host, &port) != 2 || port < 1 || port > 65535 ||
	    inet_pton(AF_INET, host, &to->sin_addr) != 1)
		fail("bad --to: %s", text);
	to->sin_port = htons((uint16_t)port);
}

static const char help[] =
	"inject --to ADDR:PORT --template FILE --recipients FILE --from ADDRESS\n"
	"  [--sessions N] [--interval-ms N] [--times FILE]\n";

static void run(struct inject *inject, unsigned long sessions)
{
	static struct session all[SESSIONS_MAX];

	inject->started = clock_seconds(CLOCK_MONOTONIC);
	for (unsigned long i = 0; i < sessions; i++) {
		all[i] = (struct session){ .inject = inject, .fd = -1 };
		if (pthread_create(&all[i].thread, NULL, work, &all[i]) != 0)
			fail("no thread");
	}
	for (unsigned long i = 0; i < sessions; i++)
		pthread_join(all[i].thread, NULL);
	printf("{\"messages\": %zu, \"seconds\": %.3f, \"refused\": %zu}\n", inject->count,
		clock_seconds(CLOCK_MONOTONIC) - inject->started, atomic_load(&inject->refused));
}

int main(int argc, char **argv)
{
	static const struct option table[] = {
		{ "to", required_argument, NULL, 'a' },
		{ "template", required_argument, NULL, 't' },
		{ "recipients", required_argument, NULL, 'r' },
		{ "from", required_argument, NULL, 'f' },
		{ "sessions", required_argument, NULL, 's' },
		{ "interval-ms", required_argument, NULL, 'i' },
		{ "times", required_argument, NULL, 'o' },
		{ NULL, 0, NULL, 0 },
	};
	static struct inject inject;
	const char *times = NULL;
	unsigned long sessions = 50;
	int id;

	while ((id = getopt_long(argc, argv, "", table, NULL)) != -1) {
		switch (id) {
		case 'a': parse_to(&inject.to, optarg); break;
		case 't': inject.template = read_file(optarg, &inject.template_len); break;
		case 'r': read_recipients(&inject, optarg); break;
		case 'f': inject.from = optarg; break;
		case 's': sessions = strtoul(optarg, NULL, 10); break;
		case 'i': inject.interval = strtod(optarg, NULL) / 1e3; break;
		case 'o': times = optarg; break;
		default: sessions = 0;
		}
	}
	if (sessions < 1 || sessions > SESSIONS_MAX || !inject.to.sin_port || !inject.template ||
	    !inject.from || !inject.count) {
		fputs(help, stderr);
		return 2;
	}
	run(&inject, sessions);
	if (times)
		write_times(&inject, times);
	return 0;
}
