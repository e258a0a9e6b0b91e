/*
 * What a stranger's request says besides its body: five lines of method, target, cookies, languages and
 * where to go next. A path leads to one route, also when what stands in it is written otherwise;
 * numbers and cookies are what was sent, and nobody is led away from our pages.
 */
#include "base/buf.h"
#include "base/check.h"
#include "base/text.h"
#include "web/page.h"
#include "web/route.h"
#include "web/session.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* In the place of call.c's: the answer is looked at where it was made. */
void call_send(struct call *call)
{
	ASSERT(!call->answer_head.failed);
}

static void encode(struct buf *out, const char *text)
{
	for (; *text; text++)
		buf_add_format(out, "%%%02X", (u8)*text);
}

/* The same path with every character of its variable parts encoded. */
static void check_again(const struct call *call, struct slice method)
{
	static struct call again;
	struct slice rest = slice_of(call->route->path);
	const char *argument = call->argument;
	char allowed[64];
	struct buf path;

	buf_init(&path, 1u << 16);
	for (slice_split(&rest, '/'); rest.ptr;) {
		struct slice part = slice_split(&rest, '/');

		buf_add_char(&path, '/');
		if (slice_equal(part, SLICE("{}"))) {
			encode(&path, argument);
			argument = call->second;
		} else {
			buf_add_slice(&path, part);
		}
	}
	ASSERT(web_route_find(&again, method, buf_slice(&path), allowed) == ROUTE_FOUND);
	ASSERT(again.route == call->route);
	if (strstr(call->route->path, "{}"))
		ASSERT(strcmp(again.argument, call->argument) == 0);
	buf_done(&path);
}

static void check_route(struct call *call, struct slice method, struct slice target)
{
	char allowed[64];
	u64 number = 1;

	if (web_route_find(call, method, target, allowed) == ROUTE_FOUND) {
		ASSERT(slice_equal(method, slice_of(call->route->method)));
		ASSERT(strlen(call->argument) < CALL_ARGUMENT_MAX);
		ASSERT(strlen(call->second) < CALL_ARGUMENT_MAX);
		check_again(call, method);
	}
	ASSERT(strlen(allowed) < sizeof(allowed));
	if (web_query_number(call, SLICE("limit"), &number))
		ASSERT(number <= INT64_MAX);
	ASSERT(!memchr(call_query(call, "next").ptr, 0, call_query(call, "next").len));
	buf_reset(&call->answer_head);
	buf_reset(&call->answer_body);
}

/* RFC 9110 section 10.2.2: what stands behind it is a path of ours and nothing else. */
static void check_next(struct call *call, struct slice next)
{
	struct slice head;
	struct slice place;

	call_redirect_next(call, next);
	head = buf_slice(&call->answer_head);
	ASSERT(slice_has_prefix(head, SLICE("Location: /admin")));
	place = slice_from(slice_split(&head, '\n'), strlen("Location: "));
	ASSERT(place.len > 0 && place.ptr[place.len - 1] == '\r');
	place.len--;
	for (size_t i = 0; i < place.len; i++)
		ASSERT((u8)place.ptr[i] > ' ' && place.ptr[i] != '\\' && place.ptr[i] != 127);
	ASSERT(place.len == 6 || strchr("/?", place.ptr[6]));
	ASSERT(slice_has_prefix(head, SLICE("Status: 303")));
}

static void add_pair(struct buf *out, const char *name, struct slice value)
{
	buf_add_text(out, name);
	buf_add_char(out, '\0');
	buf_add_slice(out, value);
	buf_add_char(out, '\0');
}

/* Cookies come through the reader of heads, as they do from a web server. */
static void check_cookies(struct call *call, struct slice cookies, struct slice languages)
{
	struct buf pairs;
	struct buf text;
	size_t used;

	buf_init(&pairs, SCGI_HEAD_MAX);
	buf_init(&text, SCGI_HEAD_MAX + 16);
	add_pair(&pairs, "CONTENT_LENGTH", SLICE("0"));
	add_pair(&pairs, "SCGI", SLICE("1"));
	add_pair(&pairs, "HTTP_COOKIE", cookies);
	add_pair(&pairs, "HTTP_ACCEPT_LANGUAGE", languages);
	buf_add_format(&text, "%zu:", pairs.len);
	buf_add_slice(&text, buf_slice(&pairs));
	buf_add_char(&text, ',');
	if (!text.failed && scgi_head_feed(&call->head, buf_slice(&text), &used) == SCGI_READY) {
		struct slice cookie = call_cookie(call, SESSION_COOKIE);

		ASSERT(cookie.len == 0 || slice_find_char(cookie, ';') < 0);
		ASSERT(cookie.len <= cookies.len);
		ASSERT((u32)call_language(call) < LANGUAGES);
	}
	buf_done(&pairs);
	buf_done(&text);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct call call;
	struct slice rest = { (const char *)data, size };
	struct slice line[5];

	if (size > 8192)
		return 0;
	for (u32 i = 0; i < array_count(line); i++) {
		line[i] = rest.ptr ? slice_split(&rest, '\n') : SLICE("");
		if (line[i].len > 0 && memchr(line[i].ptr, 0, line[i].len))
			return 0; /* such a head is no head: scgi_fuzz */
	}
	call = (struct call){ .file = -1 };
	scgi_head_init(&call.head);
	buf_init(&call.answer_head, 1u << 16);
	buf_init(&call.answer_body, 1u << 16);
	check_cookies(&call, line[2], line[3]);
	check_route(&call, line[0], line[1]);
	check_next(&call, line[4]);
	if (call.query_form) {
		form_done(call.query_form);
		free(call.query_form);
	}
	scgi_head_done(&call.head);
	buf_done(&call.answer_head);
	buf_done(&call.answer_body);
	return 0;
}
