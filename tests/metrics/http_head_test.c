#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/text.h"
#include "metrics/http_head.h"

#include <stdio.h>
#include <string.h>

/* 0: accepted; else the status of the refusal. */
struct row {
	const char *text;
	u32 status;
};

#define REST "\r\n\r\n"

static const struct row rows[] = {
	{ "GET /metrics HTTP/1.1" REST, 0 },
	{ "GET /metrics HTTP/1.0" REST, 0 },
	{ "HEAD /healthz HTTP/1.1\r\nHost: a.test\r\nUser-Agent: x\r\nAccept: */*" REST, 0 },
	{ "GET /metrics?a=b&c[]=d HTTP/1.1" REST, 0 },
	{ "GET http://a.test:9641/metrics HTTP/1.1\r\nHost: a.test" REST, 0 },
	{ "POST /metrics HTTP/1.1\r\nContent-Length: 5" REST, 0 },
	{ "OPTIONS * HTTP/1.1" REST, 0 },
	{ "CONNECT a.test:25 HTTP/1.1" REST, 0 },
	{ "GET / HTTP/1.1\r\nContent-Length: 0" REST, 0 },
	{ "GET / HTTP/1.1\r\nX-Empty:\r\nX-Tab:\ta\tb\t\r\nX-High: \xe6\x97\xa5" REST, 0 },
	/* Request lines that are none. */
	{ "\r\nGET / HTTP/1.1" REST, 400 },
	{ " GET / HTTP/1.1" REST, 400 },
	{ "GET  / HTTP/1.1" REST, 400 },
	{ "GET / HTTP/1.1 " REST, 400 },
	{ "GET /a b HTTP/1.1" REST, 400 },
	{ "GET\t/ HTTP/1.1" REST, 400 },
	{ "GET /" REST, 400 },
	{ "GET" REST, 400 },
	{ "G(T / HTTP/1.1" REST, 400 },
	{ "GET metrics HTTP/1.1" REST, 400 },
	{ "GET * HTTP/1.1" REST, 400 },
	{ "GET http:///metrics HTTP/1.1" REST, 400 },
	{ "GET http://a.test HTTP/1.1" REST, 400 },
	{ "GET ?x HTTP/1.1" REST, 400 },
	{ "POST ?x HTTP/1.1" REST, 400 },
	{ "GET /metrics#x HTTP/1.1" REST, 400 },
	{ "GET /m\xc3\xa9 HTTP/1.1" REST, 400 },
	{ "GET / http/1.1" REST, 400 },
	{ "GET / HTTP/1.11" REST, 400 },
	{ "GET / HTTP/1" REST, 400 },
	{ "GET / HTTP/11" REST, 400 },
	{ "GET / HTTP/2.0" REST, 505 },
	{ "PRI * HTTP/2.0" REST "SM" REST, 505 },
	{ "EHLO a.test\r\n", 400 },
	{ "\x16\x03\x01\x02", 400 },
	/* Line ends that readers differ about. */
	{ "GET / HTTP/1.1\n\n", 400 },
	{ "GET / HTTP/1.1\r\nHost: a\n\r\n", 400 },
	{ "GET / HTTP/1.1\r\nHost: a\rX: b" REST, 400 },
	{ "GET / HTTP/1.1\r\r\n", 400 },
	{ "GET / HTTP/1.1\r\n\rX", 400 },
	/* Fields that are none. */
	{ "GET / HTTP/1.1\r\nHost : a" REST, 400 },
	{ "GET / HTTP/1.1\r\n: a" REST, 400 },
	{ "GET / HTTP/1.1\r\nHost" REST, 400 },
	{ "GET / HTTP/1.1\r\nX: a\r\n folded" REST, 400 },
	{ "GET / HTTP/1.1\r\n\tX: a" REST, 400 },
	{ "GET / HTTP/1.1\r\nX: a\x7f" REST, 400 },
	{ "GET / HTTP/1.1\r\nX: a\x01" REST, 400 },
	{ "GET / HTTP/1.1\r\nH\xc3\xb6st: a" REST, 400 },
	/* Two requests in one. */
	{ "GET / HTTP/1.1\r\nContent-Length: 5" REST, 400 },
	{ "HEAD / HTTP/1.1\r\nContent-Length: 5" REST, 400 },
	{ "GET / HTTP/1.1\r\nContent-Length: 0\r\nContent-Length: 0" REST, 400 },
	{ "GET / HTTP/1.1\r\nContent-Length: 0, 0" REST, 400 },
	{ "GET / HTTP/1.1\r\nContent-Length: +0" REST, 400 },
	{ "GET / HTTP/1.1\r\nContent-Length: 0x0" REST, 400 },
	{ "GET / HTTP/1.1\r\nContent-Length:" REST, 400 },
	{ "POST / HTTP/1.1\r\nContent-Length: 99999999999999999999" REST, 400 },
	{ "POST / HTTP/1.1\r\nTransfer-Encoding: chunked" REST, 400 },
	{ "GET / HTTP/1.1\r\ntRANSFER-eNCODING: identity" REST, 400 },
	{ "GET / HTTP/1.1\r\nHost: a\r\nhost: b" REST, 400 },
};

static enum http_head_result feed(struct http_head *head, const char *text, size_t len,
				  size_t *used)
{
	return http_head_feed(head, (struct slice){ text, len }, used);
}

static void check(const struct row *row, const struct http_head *head, enum http_head_result result)
{
	if (result != (row->status ? HTTP_HEAD_REFUSED : HTTP_HEAD_DONE) ||
	    head->status != row->status)
		fail_msg("result %d, status %u instead of %u: %s", (int)result, head->status,
			 row->status, row->text);
}

static void requests_are_accepted_or_refused(void **state)
{
	struct http_head head;
	size_t used;

	(void)state;
	for (size_t i = 0; i < array_count(rows); i++) {
		http_head_init(&head);
		check(&rows[i], &head, feed(&head, rows[i].text, strlen(rows[i].text), &used));
	}
}

static void it_does_not_matter_where_a_request_is_split(void **state)
{
	struct http_head head;
	size_t used;

	(void)state;
	for (size_t i = 0; i < array_count(rows); i++) {
		const char *text = rows[i].text;
		size_t len = strlen(text);
		enum http_head_result result = HTTP_HEAD_MORE;

		for (size_t cut = 0; cut <= len; cut++) {
			http_head_init(&head);
			result = feed(&head, text, cut, &used);
			if (result == HTTP_HEAD_MORE) {
				assert_int_equal(used, cut);
				result = feed(&head, text + cut, len - cut, &used);
			}
			check(&rows[i], &head, result);
		}
		http_head_init(&head);
		result = HTTP_HEAD_MORE;
		for (size_t at = 0; at < len && result == HTTP_HEAD_MORE; at++)
			result = feed(&head, text + at, 1, &used);
		check(&rows[i], &head, result);
	}
}

static struct http_head read_whole(const char *text)
{
	struct http_head head;
	size_t used;

	http_head_init(&head);
	assert_int_equal(feed(&head, text, strlen(text), &used), HTTP_HEAD_DONE);
	assert_int_equal(used, strlen(text));
	/* The copy's path must not point into this frame. */
	head.path.ptr = NULL;
	return head;
}

static void assert_path(const char *text, const char *path)
{
	struct http_head head;
	size_t used;

	http_head_init(&head);
	assert_int_equal(feed(&head, text, strlen(text), &used), HTTP_HEAD_DONE);
	if (!slice_equal(head.path, slice_of(path)))
		fail_msg("%.*s instead of %s", SLICE_FMT(head.path), path);
}

static void the_path_ends_at_the_query(void **state)
{
	(void)state;
	assert_path("GET /metrics HTTP/1.1" REST, "/metrics");
	assert_path("GET /metrics?x=/y?z HTTP/1.1" REST, "/metrics");
	assert_path("GET /? HTTP/1.1" REST, "/");
	assert_path("GET HTTP://a.test/metrics?x HTTP/1.1" REST, "/metrics");
	assert_path("GET //metrics HTTP/1.1" REST, "//metrics");
	assert_path("GET /%6detrics HTTP/1.1" REST, "/%6detrics");
}

static void the_path_outlives_the_fields_behind_it(void **state)
{
	(void)state;
	assert_path("GET /metrics HTTP/1.1\r\nX-Something-Longer: than the request line was" REST,
		    "/metrics");
}

static void methods_are_told_apart_by_case(void **state)
{
	(void)state;
	assert_int_equal(read_whole("GET / HTTP/1.1" REST).method, HTTP_GET);
	assert_int_equal(read_whole("HEAD / HTTP/1.1" REST).method, HTTP_HEAD);
	assert_int_equal(read_whole("get / HTTP/1.1" REST).method, HTTP_OTHER);
	assert_int_equal(read_whole("GETS / HTTP/1.1" REST).method, HTTP_OTHER);
	assert_int_equal(read_whole("DELETE / HTTP/1.1" REST).method, HTTP_OTHER);
}

static void bytes_behind_the_head_are_left(void **state)
{
	static const char text[] = "GET / HTTP/1.1" REST "GET /metrics HTTP/1.1" REST;
	struct http_head head;
	size_t used;

	(void)state;
	http_head_init(&head);
	assert_int_equal(feed(&head, text, sizeof(text) - 1, &used), HTTP_HEAD_DONE);
	assert_int_equal(used, strlen("GET / HTTP/1.1" REST));
}

static void the_head_has_a_limit(void **state)
{
	char text[HTTP_HEAD_MAX + 8];
	static const char start[] = "GET / HTTP/1.1\r\nX: ";
	struct http_head head;
	size_t used;

	(void)state;
	memset(text, 'x', sizeof(text));
	memcpy(text, start, sizeof(start) - 1);
	http_head_init(&head);
	assert_int_equal(feed(&head, text, HTTP_HEAD_MAX, &used), HTTP_HEAD_MORE);
	assert_int_equal(feed(&head, text, 1, &used), HTTP_HEAD_REFUSED);
	assert_int_equal(head.status, 431);
	memcpy(text + HTTP_HEAD_MAX - 4, REST, 4);
	http_head_init(&head);
	assert_int_equal(feed(&head, text, HTTP_HEAD_MAX, &used), HTTP_HEAD_DONE);
	/* A request line as long as all of it. */
	memset(text, 'x', sizeof(text));
	http_head_init(&head);
	assert_int_equal(feed(&head, text, sizeof(text), &used), HTTP_HEAD_REFUSED);
	assert_int_equal(head.status, 431);
}

static bool prefers_openmetrics(const char *accept)
{
	char text[1024];

	snprintf(text, sizeof(text), "GET / HTTP/1.1\r\nAccept: %s" REST, accept);
	return read_whole(text).openmetrics;
}

static void openmetrics_is_sent_to_those_that_prefer_it(void **state)
{
	static const char *const yes[] = {
		"application/openmetrics-text",
		"application/openmetrics-text;version=1.0.0,text/plain;version=0.0.4;q=0.5,*/*;q=0.1",
		"application/openmetrics-text;version=1.0.0;q=0.5,"
		"application/openmetrics-text;version=0.0.1;q=0.4,"
		"text/plain;version=0.0.4;q=0.3,*/*;q=0.2",
		"Application/OpenMetrics-Text ; Version=1.0.0 ; Q=1.000",
		"text/plain;q=0.5\r\nAccept: application/openmetrics-text;q=0.6",
		"*/*;q=0.9, text/plain;q=0.2, application/openmetrics-text;q=0.3",
	};
	static const char *const no[] = {
		"",
		"*/*",
		"text/plain",
		"text/html, */*;q=0.8",
		"application/openmetrics-text;version=0.0.1",
		"application/openmetrics-text;version=2.0.0",
		"application/openmetrics-text;q=0",
		"application/openmetrics-text;q=0.000",
		"application/openmetrics-text;q=0.3,text/plain;q=0.7",
		"application/openmetrics-text;q=0.3,*/*",
		"application/openmetrics-text;q=nonsense",
		"application/openmetrics-text;q=1.5",
		"application/openmetrics-text;q=0.1234",
		"application/openmetrics-textual",
		";,;,=,q=1;",
	};

	(void)state;
	for (size_t i = 0; i < array_count(yes); i++) {
		if (!prefers_openmetrics(yes[i]))
			fail_msg("not seen: %s", yes[i]);
	}
	for (size_t i = 0; i < array_count(no); i++) {
		if (prefers_openmetrics(no[i]))
			fail_msg("wrongly seen: %s", no[i]);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(requests_are_accepted_or_refused),
		cmocka_unit_test(it_does_not_matter_where_a_request_is_split),
		cmocka_unit_test(the_path_ends_at_the_query),
		cmocka_unit_test(the_path_outlives_the_fields_behind_it),
		cmocka_unit_test(methods_are_told_apart_by_case),
		cmocka_unit_test(bytes_behind_the_head_are_left),
		cmocka_unit_test(the_head_has_a_limit),
		cmocka_unit_test(openmetrics_is_sent_to_those_that_prefer_it),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
