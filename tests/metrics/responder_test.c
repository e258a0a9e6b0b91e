/* The responder on a real ring; its clients are ordinary sockets of the same thread. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/clock.h"
#include "base/text.h"
#include "metrics/fixture.h"
#include "metrics/responder.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define TURNS_MAX 20000
#define ANSWER_MAX (METRICS_EXPOSITION_MAX + 1024)

struct bench {
	struct ring *ring;
	struct timer_wheel wheel;
	struct metrics *metrics;
	struct metrics_responder *responder;
	struct net_address at;
	u64 skipped_ns; /* how far the wheel is ahead of the clock */
};

/* A port that was free a moment ago. */
static u16 find_port(void)
{
	struct sockaddr_in sin = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	socklen_t len = sizeof(sin);
	int fd = socket(AF_INET, SOCK_STREAM, 0);

	assert_int_equal(bind(fd, (struct sockaddr *)&sin, sizeof(sin)), 0);
	assert_int_equal(getsockname(fd, (struct sockaddr *)&sin, &len), 0);
	close(fd);
	return ntohs(sin.sin_port);
}

static void open_bench(struct bench *b, u32 accepted)
{
	struct ring_params params = { .entries = 64, .files = accepted + 8, .accepted = accepted,
				      .buffers = 8, .buffer_size = 2048 };
	struct error error = { "" };

	*b = (struct bench){ .at = { .family = 4, .port = find_port(), .ip = { 127, 0, 0, 1 } } };
	b->ring = ring_open(&params, &error);
	b->metrics = metrics_open(FIXTURE_WORKERS);
	assert_true(b->ring && b->metrics);
	timer_wheel_init(&b->wheel, clock_mono_ns());
	b->responder = metrics_responder_open(b->ring, &b->wheel, &b->at, b->metrics, &error);
	if (!b->responder)
		fail_msg("%s", error.text);
}

static void close_bench(struct bench *b)
{
	struct ring_stats stats;

	metrics_responder_close(b->responder);
	ring_turn(b->ring, 0);
	ring_stats(b->ring, &stats);
	assert_int_equal(stats.in_flight, 0);
	assert_int_equal(stats.open_handles, 0);
	assert_int_equal(b->wheel.running, 0);
	ring_close(b->ring);
	metrics_close(b->metrics);
}

static void turn(struct bench *b)
{
	ring_turn(b->ring, NS_PER_MS);
	timer_wheel_advance(&b->wheel, clock_mono_ns() + b->skipped_ns);
}

static void settle(struct bench *b)
{
	for (u32 i = 0; i < 5; i++)
		turn(b);
}

static void skip_time(struct bench *b, u64 ns)
{
	b->skipped_ns += ns;
	settle(b);
}

static int dial(struct bench *b, int receive_buffer)
{
	struct sockaddr_in sin = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK),
				   .sin_port = htons(b->at.port) };
	int fd = socket(AF_INET, SOCK_STREAM, 0);

	if (receive_buffer)
		setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &receive_buffer, sizeof(receive_buffer));
	assert_int_equal(connect(fd, (struct sockaddr *)&sin, sizeof(sin)), 0);
	return fd;
}

static void say(int fd, const char *text)
{
	assert_int_equal(send(fd, text, strlen(text), MSG_NOSIGNAL), strlen(text));
}

/* Everything until the responder closes, NUL behind it; fails when it resets instead. Closes fd. */
static size_t hear(struct bench *b, int fd, char *to, size_t size)
{
	size_t len = 0;

	for (u32 turns = 0; turns < TURNS_MAX;) {
		ssize_t n = recv(fd, to + len, size - 1 - len, MSG_DONTWAIT);

		if (n > 0) {
			len += (size_t)n;
			continue;
		}
		if (n == 0) {
			to[len] = '\0';
			close(fd);
			return len;
		}
		assert_int_equal(errno, EAGAIN);
		turn(b);
		turns++;
	}
	fail_msg("no end of the answer");
	return 0;
}

static const char *ask(struct bench *b, const char *request)
{
	static char answer[ANSWER_MAX];
	int fd = dial(b, 0);

	say(fd, request);
	hear(b, fd, answer, sizeof(answer));
	return answer;
}

static void assert_starts(const char *text, const char *start)
{
	if (strncmp(text, start, strlen(start)) != 0)
		fail_msg("%.60s instead of %s", text, start);
}

static const char *body_of(const char *answer)
{
	const char *at = strstr(answer, "\r\n\r\n");

	assert_non_null(at);
	return at + 4;
}

static size_t length_of(const char *answer)
{
	const char *at = strstr(answer, "\r\nContent-Length: ");

	assert_non_null(at);
	return strtoul(at + 18, NULL, 10);
}

#define REST "\r\n\r\n"

static void the_page_is_the_exposition(void **state)
{
	struct bench b;
	struct buf page;
	const char *answer;

	(void)state;
	open_bench(&b, 70);
	fixture_fill(b.metrics, 1000);
	for (u32 openmetrics = 0; openmetrics < 2; openmetrics++) {
		buf_init(&page, METRICS_EXPOSITION_MAX);
		metrics_expose(b.metrics, openmetrics, &page);
		answer = ask(&b, openmetrics ? "GET /metrics HTTP/1.1\r\nHost: a.test\r\n"
					       "Accept: application/openmetrics-text" REST :
					       "GET /metrics HTTP/1.1" REST);
		assert_starts(answer, "HTTP/1.1 200 OK\r\n");
		assert_non_null(strstr(answer, openmetrics ?
			"\r\nContent-Type: application/openmetrics-text; version=1.0.0; charset=utf-8\r\n" :
			"\r\nContent-Type: text/plain; version=0.0.4; charset=utf-8\r\n"));
		assert_non_null(strstr(answer, "\r\nConnection: close\r\n"));
		assert_int_equal(length_of(answer), page.len);
		assert_string_equal(body_of(answer), buf_text(&page));
		buf_done(&page);
	}
	close_bench(&b);
}

static void head_has_the_length_and_no_body(void **state)
{
	struct bench b;
	const char *answer;
	size_t len;

	(void)state;
	open_bench(&b, 70);
	answer = ask(&b, "GET /metrics HTTP/1.1" REST);
	len = strlen(body_of(answer));
	answer = ask(&b, "HEAD /metrics HTTP/1.1" REST);
	assert_starts(answer, "HTTP/1.1 200 OK\r\n");
	assert_int_equal(length_of(answer), len);
	assert_string_equal(body_of(answer), "");
	answer = ask(&b, "HEAD /nothing HTTP/1.1" REST);
	assert_starts(answer, "HTTP/1.1 404 ");
	assert_string_equal(body_of(answer), "");
	close_bench(&b);
}

static void what_is_not_served_is_refused(void **state)
{
	static const struct {
		const char *request;
		const char *status;
	} rows[] = {
		{ "GET /healthz HTTP/1.1" REST, "HTTP/1.1 200 OK\r\n" },
		{ "GET /healthz?verbose HTTP/1.0" REST, "HTTP/1.1 200 OK\r\n" },
		{ "GET / HTTP/1.1" REST, "HTTP/1.1 404 Not Found\r\n" },
		{ "GET /metrics/ HTTP/1.1" REST, "HTTP/1.1 404 Not Found\r\n" },
		{ "POST /nothing HTTP/1.1" REST, "HTTP/1.1 404 Not Found\r\n" },
		{ "POST /metrics HTTP/1.1\r\nContent-Length: 3" REST "abc",
		  "HTTP/1.1 405 Method Not Allowed\r\n" },
		{ "DELETE /healthz HTTP/1.1" REST, "HTTP/1.1 405 Method Not Allowed\r\n" },
		{ "GET /metrics HTTP/1.1\r\nTransfer-Encoding: chunked" REST "0" REST,
		  "HTTP/1.1 400 Bad Request\r\n" },
		{ "PRI * HTTP/2.0" REST "SM" REST, "HTTP/1.1 505 HTTP Version Not Supported\r\n" },
		{ "\x16\x03\x01 that is TLS", "HTTP/1.1 400 Bad Request\r\n" },
	};
	struct bench b;

	(void)state;
	open_bench(&b, 70);
	for (size_t i = 0; i < array_count(rows); i++) {
		const char *answer;
		int fd = dial(&b, 0);
		static char text[ANSWER_MAX];

		say(fd, rows[i].request);
		shutdown(fd, SHUT_WR);
		hear(&b, fd, text, sizeof(text));
		answer = text;
		assert_starts(answer, rows[i].status);
		assert_int_equal(strlen(body_of(answer)), length_of(answer));
		assert_int_equal(strstr(answer, "\r\nAllow: GET, HEAD\r\n") != NULL,
				 strstr(rows[i].status, "405") != NULL);
	}
	assert_string_equal(body_of(ask(&b, "GET /healthz HTTP/1.1" REST)), "ok\n");
	close_bench(&b);
}

static void a_request_may_come_byte_by_byte(void **state)
{
	static const char request[] = "GET /healthz HTTP/1.1\r\nHost: a.test" REST;
	char answer[1024];
	struct bench b;
	int fd;

	(void)state;
	open_bench(&b, 70);
	fd = dial(&b, 0);
	for (size_t i = 0; i < sizeof(request) - 1; i++) {
		assert_int_equal(send(fd, request + i, 1, MSG_NOSIGNAL), 1);
		turn(&b);
	}
	hear(&b, fd, answer, sizeof(answer));
	assert_string_equal(body_of(answer), "ok\n");
	close_bench(&b);
}

static void a_head_that_is_too_long_is_refused(void **state)
{
	static char request[8192] = "GET /metrics HTTP/1.1\r\nX: ";
	struct bench b;

	(void)state;
	memset(request + strlen(request), 'x', sizeof(request) - 1 - strlen(request));
	open_bench(&b, 70);
	b.skipped_ns = 0;
	{
		char answer[1024];
		int fd = dial(&b, 0);

		say(fd, request);
		shutdown(fd, SHUT_WR);
		hear(&b, fd, answer, sizeof(answer));
		assert_starts(answer, "HTTP/1.1 431 ");
	}
	close_bench(&b);
}

static void who_is_refused_may_finish_speaking(void **state)
{
	static char body[65536];
	char answer[1024];
	struct bench b;
	int fd;

	(void)state;
	open_bench(&b, 70);
	fd = dial(&b, 0);
	say(fd, "POST /metrics HTTP/1.1\r\nContent-Length: 262144" REST);
	settle(&b);
	/* Had the responder closed by now, these bytes would be answered by a reset. */
	for (u32 i = 0; i < 4; i++) {
		assert_int_equal(send(fd, body, sizeof(body), MSG_NOSIGNAL), sizeof(body));
		settle(&b);
	}
	assert_true(recv(fd, answer, 12, 0) == 12 && memcmp(answer, "HTTP/1.1 405", 12) == 0);
	/* But not for ever. */
	b.skipped_ns += 2 * NS_PER_S;
	hear(&b, fd, answer, sizeof(answer));
	close_bench(&b);
}

static void only_one_request_is_answered(void **state)
{
	char answer[2048];
	const char *second;
	struct bench b;
	int fd;

	(void)state;
	open_bench(&b, 70);
	fd = dial(&b, 0);
	say(fd, "GET /healthz HTTP/1.1" REST "GET /healthz HTTP/1.1" REST);
	settle(&b);
	b.skipped_ns += 2 * NS_PER_S;
	hear(&b, fd, answer, sizeof(answer));
	second = strstr(answer + 1, "HTTP/1.1 ");
	assert_null(second);
	close_bench(&b);
}

static void who_says_nothing_is_closed_after_ten_seconds(void **state)
{
	char answer[1024];
	struct bench b;
	int silent;
	int slow;

	(void)state;
	open_bench(&b, 70);
	silent = dial(&b, 0);
	slow = dial(&b, 0);
	say(slow, "GET /metr");
	settle(&b);
	skip_time(&b, 8 * NS_PER_S);
	/* A little more at a time buys none. */
	say(slow, "ics HTTP/1.1\r\n");
	settle(&b);
	assert_int_equal(recv(silent, answer, 1, MSG_DONTWAIT), -1);
	assert_int_equal(recv(slow, answer, 1, MSG_DONTWAIT), -1);
	skip_time(&b, 3 * NS_PER_S);
	assert_int_equal(hear(&b, silent, answer, sizeof(answer)), 0);
	assert_int_equal(hear(&b, slow, answer, sizeof(answer)), 0);
	close_bench(&b);
}

/* Pages of several megabytes: more than any socket takes. */
static void make_page_large(struct bench *b)
{
	char site[METRICS_NAME_MAX + 1];

	memset(site, '"', sizeof(site) - 1);
	site[METRICS_NAME_MAX] = '\0';
	for (u32 i = 0; i < METRICS_ROUTES_MAX; i++) {
		site[0] = (char)('a' + i % 16);
		site[1] = (char)('a' + i / 16);
		metric_add(&metrics_worker(b->metrics, 0)
				    ->routes[metrics_route_slot(b->metrics, site, site)].bytes, 1);
	}
}

static void who_does_not_read_holds_up_nobody(void **state)
{
	char answer[1024];
	struct bench b;
	int stuck[2];
	ssize_t n = 1;

	(void)state;
	open_bench(&b, 70);
	make_page_large(&b);
	for (u32 i = 0; i < 2; i++) {
		stuck[i] = dial(&b, 4096);
		say(stuck[i], "GET /metrics HTTP/1.1" REST);
		settle(&b);
	}
	assert_string_equal(body_of(ask(&b, "GET /healthz HTTP/1.1" REST)), "ok\n");
	/* Two such pages are all the memory that there is for answers. */
	{
		int fd = dial(&b, 0);

		say(fd, "GET /metrics HTTP/1.1" REST);
		shutdown(fd, SHUT_WR);
		hear(&b, fd, answer, sizeof(answer));
		assert_starts(answer, "HTTP/1.1 503 ");
	}
	skip_time(&b, 31 * NS_PER_S);
	b.skipped_ns = 0; /* the time that the next one has begins with the clock's */
	assert_starts(ask(&b, "GET /metrics HTTP/1.1" REST), "HTTP/1.1 200 ");
	for (u32 i = 0; i < 2; i++) {
		while (n > 0)
			n = recv(stuck[i], answer, sizeof(answer), 0);
		close(stuck[i]);
	}
	close_bench(&b);
}

static void a_large_page_arrives_whole(void **state)
{
	struct bench b;
	const char *answer;

	(void)state;
	open_bench(&b, 70);
	make_page_large(&b);
	answer = ask(&b, "GET /metrics HTTP/1.1\r\nAccept: application/openmetrics-text" REST);
	assert_int_equal(strlen(body_of(answer)), length_of(answer));
	assert_true(length_of(answer) > 4u << 20);
	assert_string_equal(answer + strlen(answer) - 6, "# EOF\n");
	close_bench(&b);
}

static void more_connections_than_fit_are_closed_at_once(void **state)
{
	char answer[1024];
	int fds[RESPONDER_CLIENTS_MAX];
	struct bench b;

	(void)state;
	open_bench(&b, 70);
	for (u32 i = 0; i < RESPONDER_CLIENTS_MAX; i++)
		fds[i] = dial(&b, 0);
	settle(&b);
	assert_int_equal(hear(&b, dial(&b, 0), answer, sizeof(answer)), 0);
	close(fds[7]);
	settle(&b);
	assert_string_equal(body_of(ask(&b, "GET /healthz HTTP/1.1" REST)), "ok\n");
	say(fds[63], "GET /healthz HTTP/1.1" REST);
	hear(&b, fds[63], answer, sizeof(answer));
	assert_string_equal(body_of(answer), "ok\n");
	for (u32 i = 0; i < RESPONDER_CLIENTS_MAX - 1; i++) {
		if (i != 7)
			close(fds[i]);
	}
	close_bench(&b);
}

static void accepting_goes_on_when_sockets_are_back(void **state)
{
	char answer[1024];
	int fds[4];
	struct bench b;

	(void)state;
	open_bench(&b, 2);
	for (u32 i = 0; i < 4; i++) {
		fds[i] = dial(&b, 0);
		settle(&b);
	}
	for (u32 i = 0; i < 4; i++)
		close(fds[i]);
	skip_time(&b, NS_PER_S);
	skip_time(&b, NS_PER_S);
	fds[0] = dial(&b, 0);
	say(fds[0], "GET /healthz HTTP/1.1" REST);
	hear(&b, fds[0], answer, sizeof(answer));
	assert_string_equal(body_of(answer), "ok\n");
	close_bench(&b);
}

static void an_address_that_is_taken_is_refused(void **state)
{
	struct bench b;
	struct error error = { "" };
	char place[NET_ADDRESS_TEXT_SIZE];

	(void)state;
	open_bench(&b, 70);
	assert_null(metrics_responder_open(b.ring, &b.wheel, &b.at, b.metrics, &error));
	net_address_format(place, &b.at, true);
	assert_non_null(strstr(error.text, place));
	assert_non_null(strstr(error.text, "in use"));
	close_bench(&b);
}

static void it_closes_in_the_middle_of_everything(void **state)
{
	struct bench b;
	int fds[4];

	(void)state;
	open_bench(&b, 70);
	make_page_large(&b);
	for (u32 i = 0; i < 4; i++)
		fds[i] = dial(&b, 4096);
	say(fds[0], "GET /metrics HTTP/1.1" REST);
	say(fds[1], "GET /met");
	say(fds[2], "POST /metrics HTTP/1.1" REST);
	settle(&b);
	close_bench(&b);
	for (u32 i = 0; i < 4; i++)
		close(fds[i]);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_page_is_the_exposition),
		cmocka_unit_test(head_has_the_length_and_no_body),
		cmocka_unit_test(what_is_not_served_is_refused),
		cmocka_unit_test(a_request_may_come_byte_by_byte),
		cmocka_unit_test(a_head_that_is_too_long_is_refused),
		cmocka_unit_test(who_is_refused_may_finish_speaking),
		cmocka_unit_test(only_one_request_is_answered),
		cmocka_unit_test(who_says_nothing_is_closed_after_ten_seconds),
		cmocka_unit_test(who_does_not_read_holds_up_nobody),
		cmocka_unit_test(a_large_page_arrives_whole),
		cmocka_unit_test(more_connections_than_fit_are_closed_at_once),
		cmocka_unit_test(accepting_goes_on_when_sockets_are_back),
		cmocka_unit_test(an_address_that_is_taken_is_refused),
		cmocka_unit_test(it_closes_in_the_middle_of_everything),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
