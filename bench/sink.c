/* sink: processes and totals. The parent serves nobody; it waits for signals and adds up. */
#include "sink.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define BACKLOG 65535

struct parent {
	struct sink_options options;
	struct sink_shared *shared;
	SSL_CTX *tls;
	int *listeners;		/* listen_count for each process */
	int ledger_fd, doubt_fd;
	int stop_pipe[2];	/* closed by the parent to end the children */
	double started;
};

void sink_fail(const char *format, ...)
{
	va_list args;

	fputs("sink: ", stderr);
	va_start(args, format);
	vfprintf(stderr, format, args);
	va_end(args);
	fputc('\n', stderr);
	_exit(1);
}

void sink_buf_add(struct sink_buf *buf, const void *bytes, size_t len)
{
	if (len > buf->cap - buf->len) {
		size_t cap = buf->cap ? 2 * buf->cap : 256;

		while (cap - buf->len < len)
			cap *= 2;
		buf->data = realloc(buf->data, cap);
		if (!buf->data)
			sink_fail("out of memory");
		buf->cap = cap;
	}
	if (len)
		memcpy(buf->data + buf->len, bytes, len);
	buf->len += len;
}

void sink_buf_add_text(struct sink_buf *buf, const char *text)
{
	sink_buf_add(buf, text, strlen(text));
}

void sink_buf_add_number(struct sink_buf *buf, uint64_t number)
{
	char digits[20];
	size_t at = sizeof(digits);

	do {
		digits[--at] = (char)('0' + number % 10);
		number /= 10;
	} while (number);
	sink_buf_add(buf, digits + at, sizeof(digits) - at);
}

void sink_buf_drop(struct sink_buf *buf, size_t len)
{
	buf->len -= len;
	if (buf->len && len)
		memmove(buf->data, buf->data + len, buf->len);
}

void sink_buf_free(struct sink_buf *buf)
{
	free(buf->data);
	*buf = (struct sink_buf){ 0 };
}

/* xorshift64*: chances need no better. */
uint64_t sink_random(struct sink *sink)
{
	sink->random ^= sink->random >> 12;
	sink->random ^= sink->random << 25;
	sink->random ^= sink->random >> 27;
	return sink->random * UINT64_C(0x2545f4914f6cdd1d) >> 16;
}

bool sink_chance(struct sink *sink, double percent)
{
	return percent > 0 && (double)(sink_random(sink) % 1000000) < percent * 10000;
}

static double now_seconds(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static uint16_t *port_of(struct sink_address *address)
{
	struct sockaddr_in6 *v6 = (struct sockaddr_in6 *)&address->addr;
	struct sockaddr_in *v4 = (struct sockaddr_in *)&address->addr;

	return address->addr.ss_family == AF_INET6 ? &v6->sin6_port : &v4->sin_port;
}

/* A socket of its own for each process: the kernel spreads the connections over them. */
static int listen_on(struct sink_address *address)
{
	int fd = socket(address->addr.ss_family, SOCK_STREAM | SOCK_CLOEXEC, 0), on = 1;
	socklen_t len = sizeof(address->addr);

	if (fd < 0)
		sink_fail("socket: %m");
	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
	setsockopt(fd, SOL_SOCKET, SO_REUSEPORT, &on, sizeof(on));
	setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
	if (bind(fd, (struct sockaddr *)&address->addr, address->len) != 0)
		sink_fail("bind: %m");
	if (listen(fd, BACKLOG) != 0)
		sink_fail("listen: %m");
	/* Port 0 became a real one. */
	getsockname(fd, (struct sockaddr *)&address->addr, &len);
	return fd;
}

static void listen_all(struct parent *p)
{
	unsigned n = p->options.listen_count;
	struct rlimit files;

	getrlimit(RLIMIT_NOFILE, &files);
	files.rlim_cur = files.rlim_max;
	setrlimit(RLIMIT_NOFILE, &files);
	p->listeners = calloc((size_t)n * p->options.processes, sizeof(int));
	if (!p->listeners)
		sink_fail("out of memory");
	for (unsigned k = 0; k < n * p->options.processes; k++) {
		struct sink_address *address = &p->options.listen[k % n];

		/* Whoever asks for any port gets the same one everywhere. */
		if (!*port_of(address))
			*port_of(address) = *port_of(&p->options.listen[0]);
		p->listeners[k] = listen_on(address);
	}
}

static _Noreturn void run_child(struct parent *p, unsigned process, pid_t parent)
{
	static struct sink sink;
	unsigned n = p->options.listen_count;

	/* Nobody may serve on when the parent was killed. */
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (getppid() != parent)
		_exit(1);
	/* What a terminal or a group gets is the parent's to answer. */
	signal(SIGINT, SIG_IGN);
	signal(SIGTERM, SIG_IGN);
	signal(SIGUSR1, SIG_IGN);
	for (unsigned i = 0; i < n * p->options.processes; i++)
		if (i / n != process)
			close(p->listeners[i]);
	sink.options = &p->options;
	sink.shared = p->shared;
	sink.stats = &p->shared->process[process];
	sink.process = process;
	sink.tls = p->tls;
	sink.random = (p->options.seed + process + 1) * UINT64_C(0x9e3779b97f4a7c15) | 1;
	sink.listeners = p->listeners + process * n;
	sink.sha256 = EVP_MD_fetch(NULL, "SHA256", NULL);
	sink.ledger_fd = p->ledger_fd;
	sink.doubt_fd = p->doubt_fd;
	sink.keep_envelope = p->ledger_fd >= 0 || p->doubt_fd >= 0 || p->options.save_dir;
	sink.stop_fd = p->stop_pipe[0];
	close(p->stop_pipe[1]);
	sink_ring_run(&sink);
	_exit(0);
}

static void start_children(struct parent *p, const sigset_t *signals)
{
	pid_t self = getpid();

	for (unsigned i = 0; i < p->options.processes; i++) {
		pid_t child = fork();

		if (child < 0)
			sink_fail("fork: %m");
		if (child == 0) {
			sigprocmask(SIG_UNBLOCK, signals, NULL);
			run_child(p, i, self);
		}
	}
}

static struct sink_stats add_up(const struct parent *p)
{
	struct sink_stats total = { 0 };

	for (unsigned i = 0; i < p->options.processes; i++) {
		const struct sink_stats *one = &p->shared->process[i];
		const uint64_t *from = (const uint64_t *)one;
		uint64_t *to = (uint64_t *)&total, first = total.first_us, last = total.last_us;

		for (size_t k = 0; k < offsetof(struct sink_stats, first_us) / sizeof(*to); k++)
			to[k] += __atomic_load_n(&from[k], __ATOMIC_RELAXED);
		total.first_us = one->first_us && (!first || one->first_us < first) ?
			one->first_us : first;
		total.last_us = one->last_us > last ? one->last_us : last;
	}
	return total;
}

static void print_totals(const struct parent *p, FILE *to)
{
	struct sink_stats t = add_up(p);
	double span = (double)(t.last_us - t.first_us) / 1e6;

	fprintf(to, "{\"connections\": %llu, \"concurrent\": %lld, \"max_concurrent\": %lld, "
		"\"messages\": %llu, \"recipients\": %llu, \"rejected\": %llu, "
		"\"deferred\": %llu, \"turned_away\": %llu, \"throttled\": %llu, "
		"\"closed_after_dot\": %llu, \"bytes\": %llu, \"malformed\": %llu, "
		"\"violations\": %llu, \"unfinished\": %llu, \"tls_sessions\": %llu, "
		"\"tls_resumed\": %llu, \"tls_failed\": %llu, \"seconds\": %.3f, "
		"\"first_at\": %.6f, \"last_at\": %.6f, \"messages_seconds\": %.6f, "
		"\"messages_per_second\": %.1f}\n",
		(unsigned long long)t.connections, (long long)p->shared->open,
		(long long)p->shared->open_max, (unsigned long long)t.messages,
		(unsigned long long)t.recipients, (unsigned long long)t.rejected,
		(unsigned long long)t.deferred, (unsigned long long)t.turned_away,
		(unsigned long long)t.throttled, (unsigned long long)t.vanished,
		(unsigned long long)t.bytes, (unsigned long long)t.malformed,
		(unsigned long long)t.violations, (unsigned long long)t.unfinished,
		(unsigned long long)t.tls_sessions, (unsigned long long)t.tls_resumed,
		(unsigned long long)t.tls_failed, now_seconds() - p->started,
		(double)t.first_us / 1e6, (double)t.last_us / 1e6, span,
		span > 0 ? (double)(t.messages - 1) / span : 0.0);
	fflush(to);
}

static void print_ready(const struct parent *p)
{
	const struct sink_address *first = &p->options.listen[0];
	char host[INET6_ADDRSTRLEN];
	bool v6 = first->addr.ss_family == AF_INET6;
	const struct sockaddr_in *in = (const struct sockaddr_in *)&first->addr;
	const struct sockaddr_in6 *in6 = (const struct sockaddr_in6 *)&first->addr;

	if (p->options.quiet)
		return;
	inet_ntop(first->addr.ss_family, v6 ? (const void *)&in6->sin6_addr :
		(const void *)&in->sin_addr, host, sizeof(host));
	fprintf(stderr, "listening %s%s%s:%u (%u addresses, %u processes)\n", v6 ? "[" : "", host,
		v6 ? "]" : "", ntohs(v6 ? in6->sin6_port : in->sin_port), p->options.listen_count,
		p->options.processes);
}

/* Until a signal to end or the end of --seconds; false: a child died. */
static bool watch(const struct parent *p, const sigset_t *signals)
{
	double end = p->options.seconds > 0 ? p->started + p->options.seconds : 1e18;
	double tick = p->options.stats_every > 0 ? p->started + p->options.stats_every : 1e18;

	for (;;) {
		double now = now_seconds(), next = end < tick ? end : tick, wait;
		struct timespec t;
		int sig;

		if (now >= end)
			return true;
		if (now >= tick) {
			print_totals(p, stderr);
			tick += p->options.stats_every;
			continue;
		}
		wait = next - now > 3600 ? 3600 : next - now;
		t.tv_sec = (time_t)wait;
		t.tv_nsec = (long)((wait - (double)t.tv_sec) * 1e9);
		sig = sigtimedwait(signals, NULL, &t);
		if (sig == SIGTERM || sig == SIGINT)
			return true;
		if (sig == SIGCHLD)
			return false;
		if (sig == SIGUSR1)
			print_totals(p, stdout);
	}
}

int main(int argc, char **argv)
{
	struct parent p = { 0 };
	sigset_t signals;
	bool good;

	sink_options_parse(&p.options, argc, argv);
	p.shared = mmap(NULL, sizeof(*p.shared) + p.options.processes * sizeof(struct sink_stats),
		PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (p.shared == MAP_FAILED)
		sink_fail("mmap: %m");
	if (p.options.starttls)
		p.tls = tls_context_make(&p.options);
	sigemptyset(&signals);
	sigaddset(&signals, SIGTERM);
	sigaddset(&signals, SIGINT);
	sigaddset(&signals, SIGUSR1);
	sigaddset(&signals, SIGCHLD);
	sigprocmask(SIG_BLOCK, &signals, NULL);
	p.ledger_fd = record_open(p.options.ledger_path);
	p.doubt_fd = record_open(p.options.doubt_path);
	if (pipe2(p.stop_pipe, O_CLOEXEC) != 0)
		sink_fail("pipe: %m");
	listen_all(&p);
	p.started = now_seconds();
	start_children(&p, &signals);
	print_ready(&p);
	good = watch(&p, &signals);
	close(p.stop_pipe[1]);
	while (wait(NULL) > 0)
		;
	print_totals(&p, stdout);
	return good ? 0 : 1;
}
