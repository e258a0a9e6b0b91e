#include "metrics/http_head.h"

#include "base/text.h"

#include <string.h>

void http_head_init(struct http_head *head)
{
	/* The two arrays are read only as far as they were written. */
	memset(head, 0, offsetof(struct http_head, target));
}

static enum http_head_result refuse(struct http_head *head, u32 status)
{
	head->status = status;
	return HTTP_HEAD_REFUSED;
}

/* RFC 9110 section 5.6.2. */
static bool is_token_char(char c)
{
	return ascii_is_alpha(c) || ascii_is_digit(c) || (c && strchr("!#$%&'*+-.^_`|~", c));
}

static bool is_token(struct slice s)
{
	for (size_t i = 0; i < s.len; i++) {
		if (!is_token_char(s.ptr[i]))
			return false;
	}
	return s.len > 0;
}

/* ---- request line ---- */

/* The path out of "/path?query" or "http://host/path?query" (RFC 9112 section 3.2). */
static bool read_target(struct http_head *head, struct slice target)
{
	i64 at;

	for (size_t i = 0; i < target.len; i++) {
		if (target.ptr[i] < 0x21 || target.ptr[i] > 0x7e || target.ptr[i] == '#')
			return false;
	}
	if (slice_has_prefix_nocase(target, SLICE("http://"))) {
		target = slice_from(target, sizeof("http://") - 1);
		at = slice_find_char(target, '/');
		if (at < 1)
			return false;
		target = slice_from(target, (size_t)at);
	}
	/* "*" and "host:port" belong to OPTIONS and CONNECT, which no path serves. */
	if (target.ptr[0] != '/' && (head->method != HTTP_OTHER || target.ptr[0] == '?'))
		return false;
	at = slice_find_char(target, '?');
	target = slice_first(target, at < 0 ? target.len : (size_t)at);
	memcpy(head->target, target.ptr, target.len);
	head->path = (struct slice){ head->target, target.len };
	return true;
}

static enum http_head_result read_request_line(struct http_head *head, struct slice line)
{
	struct slice rest = line;
	struct slice method = slice_split(&rest, ' ');
	struct slice target = rest.ptr ? slice_split(&rest, ' ') : SLICE_NONE;
	struct slice version = rest;

	if (!is_token(method) || target.len == 0 || version.len != sizeof("HTTP/1.1") - 1 ||
	    !slice_has_prefix(version, SLICE("HTTP/")) || !ascii_is_digit(version.ptr[5]) ||
	    version.ptr[6] != '.' || !ascii_is_digit(version.ptr[7]))
		return refuse(head, 400);
	if (version.ptr[5] != '1')
		return refuse(head, 505);
	head->method = slice_equal(method, SLICE("GET"))  ? HTTP_GET :
		       slice_equal(method, SLICE("HEAD")) ? HTTP_HEAD :
							    HTTP_OTHER;
	return read_target(head, target) ? HTTP_HEAD_MORE : refuse(head, 400);
}

/* ---- Accept (RFC 9110 section 12.5.1) ---- */

/* "0.75" to 750; anything that is no weight counts as 0, so that it chooses nothing. */
static u32 read_weight(struct slice s)
{
	u32 value;

	if (s.len == 0 || s.len > 5 || (s.ptr[0] != '0' && s.ptr[0] != '1') ||
	    (s.len > 1 && s.ptr[1] != '.'))
		return 0;
	value = s.ptr[0] == '1' ? 1000 : 0;
	for (size_t i = 2, unit = 100; i < s.len; i++, unit /= 10) {
		if (!ascii_is_digit(s.ptr[i]))
			return 0;
		value += (u32)(s.ptr[i] - '0') * (u32)unit;
	}
	return value <= 1000 ? value : 0;
}

/* One item: "type/subtype;version=1.0.0;q=0.5". */
static void read_media_range(struct http_head *head, struct slice item)
{
	struct slice type = slice_trim(slice_split(&item, ';'));
	bool our_version = true;
	u32 weight = 1000;
	u32 *best;

	while (item.ptr) {
		struct slice parameter = slice_trim(slice_split(&item, ';'));

		if (slice_has_prefix_nocase(parameter, SLICE("q=")))
			weight = read_weight(slice_from(parameter, 2));
		else if (slice_has_prefix_nocase(parameter, SLICE("version=")))
			our_version = slice_equal(slice_from(parameter, 8), SLICE("1.0.0"));
	}
	if (slice_equal_nocase(type, SLICE("application/openmetrics-text")) && our_version)
		best = &head->openmetrics_q;
	else if (slice_equal_nocase(type, SLICE("text/plain")))
		best = &head->text_q;
	else if (slice_equal_nocase(type, SLICE("*/*")) ||
		 slice_equal_nocase(type, SLICE("text/*")))
		best = &head->any_q;
	else
		return;
	*best = weight > *best ? weight : *best;
}

/* ---- fields ---- */

static enum http_head_result read_length(struct http_head *head, struct slice value)
{
	u64 length;

	/* Two lengths, or a list of them, are two requests in one. */
	if (head->saw_length || !slice_to_u64(value, &length))
		return refuse(head, 400);
	head->saw_length = true;
	head->has_body = length > 0;
	return HTTP_HEAD_MORE;
}

static enum http_head_result read_field(struct http_head *head, struct slice line)
{
	i64 colon = slice_find_char(line, ':');
	struct slice name;
	struct slice value;

	/* Folded lines and blanks before the colon are no token, either. */
	if (colon < 1 || !is_token(slice_first(line, (size_t)colon)))
		return refuse(head, 400);
	name = slice_first(line, (size_t)colon);
	value = slice_trim(slice_from(line, (size_t)colon + 1));
	if (slice_equal_nocase(name, SLICE("transfer-encoding")))
		return refuse(head, 400);
	if (slice_equal_nocase(name, SLICE("content-length")))
		return read_length(head, value);
	if (slice_equal_nocase(name, SLICE("host"))) {
		if (head->saw_host)
			return refuse(head, 400);
		head->saw_host = true;
	}
	if (slice_equal_nocase(name, SLICE("accept"))) {
		while (value.ptr)
			read_media_range(head, slice_split(&value, ','));
	}
	return HTTP_HEAD_MORE;
}

static enum http_head_result finish(struct http_head *head)
{
	u32 text_q = head->text_q ? head->text_q : head->any_q;

	if (head->has_body && head->method != HTTP_OTHER)
		return refuse(head, 400);
	head->openmetrics = head->openmetrics_q > 0 && head->openmetrics_q >= text_q;
	return HTTP_HEAD_DONE;
}

static enum http_head_result read_line(struct http_head *head)
{
	struct slice line = { head->line, head->line_len };

	head->line_len = 0;
	if (!head->in_fields) {
		head->in_fields = true;
		return read_request_line(head, line);
	}
	return line.len > 0 ? read_field(head, line) : finish(head);
}

/* Lines end with CR LF and nothing else: a lone CR or LF is where readers differ. */
static enum http_head_result take(struct http_head *head, char c)
{
	if (++head->total > HTTP_HEAD_MAX)
		return refuse(head, 431);
	if (head->saw_cr) {
		head->saw_cr = false;
		return c == '\n' ? read_line(head) : refuse(head, 400);
	}
	if (c == '\r') {
		head->saw_cr = true;
		return HTTP_HEAD_MORE;
	}
	if (((u8)c < 0x20 && c != '\t') || c == 0x7f)
		return refuse(head, 400);
	/* Something that is no HTTP at all is not waited for. */
	if (!head->in_fields && head->line_len == 0 && !is_token_char(c))
		return refuse(head, 400);
	head->line[head->line_len++] = c;
	return HTTP_HEAD_MORE;
}

enum http_head_result http_head_feed(struct http_head *head, struct slice bytes, size_t *used)
{
	enum http_head_result result = HTTP_HEAD_MORE;
	size_t at = 0;

	while (at < bytes.len && result == HTTP_HEAD_MORE)
		result = take(head, bytes.ptr[at++]);
	*used = at;
	return result;
}
