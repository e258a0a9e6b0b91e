/* Answers of calls: JSON, problems, and what the sender's refusals mean to a program. */
#include "base/clock.h"
#include "base/log.h"
#include "base/text.h"
#include "web/page.h"
#include "web/route.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#define PROBLEM_TYPE "application/problem+json"
#define PAGE_TYPE "text/html; charset=utf-8"
#define RETRY_FULL_S 30
#define RETRY_AWAY_S 5

/* No script, style or frame but our own files; a form goes nowhere else (CSP level 3). */
#define PAGE_GUARDS                                                                                \
	"Content-Security-Policy: default-src 'none'; style-src 'self'; script-src 'self'; "       \
	"img-src 'self' data:; connect-src 'self'; frame-src 'self'; form-action 'self'; "         \
	"base-uri 'none'; frame-ancestors 'self'\r\n"                                              \
	"Referrer-Policy: same-origin\r\n"                                                         \
	"Cross-Origin-Opener-Policy: same-origin\r\n"

static const char *title_of(u32 status)
{
	switch (status) {
	case 200: return "OK";
	case 201: return "Created";
	case 202: return "Accepted";
	case 204: return "No Content";
	case 302: return "Found";
	case 303: return "See Other";
	case 304: return "Not Modified";
	case 400: return "Bad Request";
	case 401: return "Unauthorized";
	case 403: return "Forbidden";
	case 404: return "Not Found";
	case 405: return "Method Not Allowed";
	case 409: return "Conflict";
	case 413: return "Content Too Large";
	case 415: return "Unsupported Media Type";
	case 422: return "Unprocessable Content";
	case 429: return "Too Many Requests";
	case 503: return "Service Unavailable";
	case 504: return "Gateway Timeout";
	case 507: return "Insufficient Storage";
	default: return "Internal Server Error";
	}
}

/* A line for each call. The path may hold an address, which is nobody's business in a log. */
static void note(const struct call *call)
{
	/* So many that they would hide all others. */
	if (call->route && (call->route->flags & ROUTE_PUBLIC)) {
		log_debug("web", "reader", "path=%s status=%u", call->route->path, call->status);
		return;
	}
	log_info("web", "call", "key=%s method=%.*s path=%s status=%u bytes=%llu ms=%llu id=%s",
		 call->key.name[0] ? call->key.name : "-",
		 SLICE_FMT(scgi_head_find(&call->head, SLICE("REQUEST_METHOD"))),
		 call->route ? call->route->path : "-", call->status,
		 (unsigned long long)call->head.content_length,
		 (unsigned long long)((clock_mono_ns() - call->began_ns) / NS_PER_MS),
		 call->id[0] ? call->id : "-");
}

static bool has_length(const struct call *call)
{
	return slice_find(buf_slice(&call->answer_head), SLICE("Content-Length: ")) >= 0;
}

/* The head may have fields of the route already. */
static void answer(struct call *call, u32 status, const char *type)
{
	struct buf *head = &call->answer_head;

	call->status = status;
	buf_add_format(head, "Status: %u %s\r\n", status, title_of(status));
	if (type)
		buf_add_format(head, "Content-Type: %s\r\n", type);
	/* Without it the answer ends with the connection, which may wait for the request's body. */
	if (status != 204 && status != 304 && !call->more && !has_length(call))
		buf_add_format(head, "Content-Length: %llu\r\n",
			       (unsigned long long)(call->answer_body.len + call->file_left));
	if (status == 401 && !call->is_page)
		buf_add_text(head, "WWW-Authenticate: Bearer realm=\"hikyaku\"\r\n");
	if (call->retry_after_s > 0)
		buf_add_format(head, "Retry-After: %u\r\n", call->retry_after_s);
	buf_add_text(head, call->is_lasting ?
				   "Cache-Control: public, max-age=31536000, immutable\r\n" :
				   "Cache-Control: no-store\r\n");
	if (call->is_page)
		buf_add_text(head, PAGE_GUARDS);
	buf_add_text(head, "X-Content-Type-Options: nosniff\r\n\r\n");
	note(call);
	call_send(call);
}

static bool dump(struct buf *out, json_t *json)
{
	size_t len = json ? json_dumpb(json, NULL, 0, JSON_COMPACT) : 0;
	char *room = len > 0 ? buf_reserve(out, len) : NULL;

	if (room && json_dumpb(json, room, len, JSON_COMPACT) == len)
		buf_advance(out, len);
	json_decref(json);
	buf_add_char(out, '\n');
	return room && !out->failed;
}

void call_answer(struct call *call, u32 status, json_t *json)
{
	if (dump(&call->answer_body, json)) {
		answer(call, status, "application/json");
		return;
	}
	buf_reset(&call->answer_body);
	call_refuse(call, 500, NULL, "the answer is too large, or there is no memory for it");
}

void call_answer_nothing(struct call *call, u32 status)
{
	answer(call, status, NULL);
}

void call_answer_text(struct call *call, u32 status, const char *type, struct slice text)
{
	buf_add_slice(&call->answer_body, text);
	answer(call, status, type);
}

void call_answer_page(struct call *call, u32 status)
{
	call->is_page = true;
	if (!call->answer_body.failed) {
		answer(call, status, PAGE_TYPE);
		return;
	}
	buf_reset(&call->answer_body);
	buf_add_text(&call->answer_body, "<!doctype html><title>hikyaku</title><p>no memory\n");
	answer(call, 500, PAGE_TYPE);
}

/* RFC 6266: the name as RFC 8187 has it, which all browsers read. */
static void name_file(struct call *call, struct slice name)
{
	buf_add_text(&call->answer_head, "Content-Disposition: attachment; filename*=UTF-8''");
	url_format(&call->answer_head, "{}", &name);
	buf_add_text(&call->answer_head, "\r\n");
}

void call_answer_file(struct call *call, const char *type, struct slice name, int file, u64 size)
{
	call->file = file;
	call->file_left = size;
	buf_reset(&call->answer_body);
	name_file(call, name);
	answer(call, 200, type);
}

void call_answer_shown(struct call *call, const char *type, int file, u64 size)
{
	bool is_head = slice_equal(scgi_head_find(&call->head, SLICE("REQUEST_METHOD")),
				   SLICE("HEAD"));

	call->file = file;
	call->is_lasting = true;
	buf_reset(&call->answer_body);
	if (is_head)
		buf_add_format(&call->answer_head, "Content-Length: %llu\r\n",
			       (unsigned long long)size);
	else
		call->file_left = size;
	answer(call, 200, type);
}

void call_answer_stream(struct call *call, const char *type, struct slice name)
{
	call->more(call);
	call_answer_saved(call, type, name);
}

void call_answer_saved(struct call *call, const char *type, struct slice name)
{
	if (call->answer_body.failed) {
		call_refuse(call, 500, NULL, "there is no memory for the answer");
		return;
	}
	name_file(call, name);
	answer(call, 200, type);
}

static bool is_for_people(const struct call *call)
{
	struct slice target = scgi_head_find(&call->head, SLICE("REQUEST_URI"));

	return target.ptr && !slice_has_prefix(target, SLICE("/api/"));
}

/* `more` NULL: no further members. Its reference is taken. */
static void refuse(struct call *call, u32 status, const char *pointer, char *detail, json_t *more)
{
	json_t *words;
	json_t *json;

	buf_reset(&call->answer_body);
	words = json_string(detail);
	/* It may quote what a client sent, cut within a character. */
	if (!words) {
		for (char *at = detail; *at; at++) {
			if ((u8)*at >= 0x80)
				*at = '?';
		}
		words = json_string(detail);
	}
	json = json_pack("{s:s, s:s, s:i, s:o, s:s*}", "type", "about:blank", "title",
			 title_of(status), "status", (int)status, "detail", words, "pointer",
			 pointer);
	if (more)
		(void)json_object_update_new(json, more);
	if (!dump(&call->answer_body, json))
		buf_reset(&call->answer_body);
	answer(call, status, PROBLEM_TYPE);
}

void call_refuse(struct call *call, u32 status, const char *pointer, const char *fmt, ...)
{
	char detail[ERROR_TEXT_MAX];
	va_list args;

	va_start(args, fmt);
	vsnprintf(detail, sizeof(detail), fmt, args);
	va_end(args);
	if (is_for_people(call)) {
		log_info("web", "refused", "status=%u why=%s", status, detail);
		call_problem_told(call, status, slice_of(detail));
		return;
	}
	refuse(call, status, pointer, detail, NULL);
}

void call_refuse_with(struct call *call, u32 status, json_t *more, const char *fmt, ...)
{
	char detail[ERROR_TEXT_MAX];
	va_list args;

	va_start(args, fmt);
	vsnprintf(detail, sizeof(detail), fmt, args);
	va_end(args);
	refuse(call, status, NULL, detail, more);
}

/* ---- asking the sender ---- */

bool call_begin_items(struct call *call)
{
	json_decref(call->items);
	call->items = json_array();
	if (!call->items)
		call_refuse(call, 503, NULL, "no memory");
	return call->items != NULL;
}

struct exchange *call_ask(struct call *call, const struct exchange_events *events, json_t *request)
{
	call->exchange = exchange_new(&call->web->line, events, call);
	if (!call->exchange) {
		json_decref(request);
		call_refuse(call, 503, NULL, "no memory");
		return NULL;
	}
	exchange_request(call->exchange, request);
	return call->exchange;
}

void call_ask_end(struct call *call)
{
	if (exchange_start(call->exchange))
		return;
	call->exchange = NULL;
	call_refuse(call, 503, NULL, "no memory");
}

static u32 status_of(struct slice code)
{
	static const struct {
		enum control_code code;
		u32 status;
	} rows[] = {
		{ CONTROL_BAD_REQUEST, 422 },	  { CONTROL_NOT_FOUND, 404 },
		{ CONTROL_CONFLICT, 409 },	  { CONTROL_REFUSED_CONTENT, 422 },
		{ CONTROL_FULL, 503 },
	};

	for (size_t i = 0; i < array_count(rows); i++) {
		if (slice_equal(code, slice_of(control_code_name(rows[i].code))))
			return rows[i].status;
	}
	return 503;
}

bool call_is_general(struct call *call)
{
	if (!call->key.customer[0])
		return true;
	call_refuse(call, 403, NULL, "the key %s is for %s alone", call->key.name,
		    call->key.customer);
	return false;
}

void call_refuse_end(struct call *call, enum exchange_end end, const json_t *json)
{
	const char *sentence = json_string_value(json_object_get(json, "error"));
	const char *code = json_string_value(json_object_get(json, "code"));
	u32 status;

	if (end == EXCHANGE_AWAY) {
		call->retry_after_s = RETRY_AWAY_S;
		call_refuse(call, 503, NULL, "the sender is not running: nothing was done");
		return;
	}
	if (end == EXCHANGE_LOST) {
		call->retry_after_s = RETRY_AWAY_S;
		call_refuse(call, 504, NULL,
			    "the sender went away: it is not known whether it was done");
		return;
	}
	status = status_of(slice_of(code ? code : ""));
	if (status == 503)
		call->retry_after_s = RETRY_FULL_S;
	call_refuse(call, status, NULL, "%s", sentence ? sentence : "the sender refused it");
}
