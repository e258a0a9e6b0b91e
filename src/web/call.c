#include "web/call.h"

#include "base/clock.h"
#include "base/log.h"
#include "base/text.h"
#include "web/call_upload.h"
#include "web/identity_wait.h"
#include "web/page.h"
#include "web/password.h"
#include "web/route.h"
#include "web/segment_count.h"

#include <stdlib.h>
#include <unistd.h>

#define READ_PATIENCE_NS (30 * NS_PER_S)  /* without a byte of the request */
#define BODY_PATIENCE_NS (300 * NS_PER_S) /* for all of it */
#define ANSWER_PATIENCE_NS (30 * NS_PER_S)
/* Closing on bytes that were not read would reset the connection, and the answer with it. */
#define LINGER_NS (5 * NS_PER_S)
/*
 * Who is told before he has said all may see the connection end instead of the answer, or at the
 * next call: a web server that has not handed all of a body on closes the client's connection after
 * the answer, unannounced. So what is refused is read to its end first, unless it is very large.
 */
#define DRAIN_BODIES 8 /* of the largest size */
#define DRAIN_MIN (1u << 20)
#define HELD_BODIES 2 /* of the largest size, at once */
#define FORM_BODY_MAX FORM_BYTES_MAX
#define FILE_PART (256u << 10) /* bytes read and sent at once */
#define JSON_TYPE SLICE("application/json")
#define BYTES_MAX (64u << 10) /* of a body that may be of any type */

/* ---- the end ---- */

void call_close(struct call *call)
{
	timer_stop(&call->web->wheel, &call->timer);
	if (call->exchange)
		exchange_drop(call->exchange);
	call->exchange = NULL;
	if (call->order)
		call->order->call = NULL;
	call->order = NULL;
	if (call->password)
		password_drop(call->password);
	call->password = NULL;
	if (call->count)
		segment_count_drop(call->count);
	call->count = NULL;
	if (call->identity_wait)
		identity_wait_drop(call->identity_wait);
	conn_close(&call->conn);
}

static void free_form(struct form *form)
{
	if (form)
		form_done(form);
	free(form);
}

static void on_closed(struct conn *conn)
{
	struct call *call = container_of(conn, struct call, conn);

	list_unlink(&call->node);
	call->web->call_count--;
	metric_sub(&call->web->meter->open, 1);
	call->web->held -= call->held;
	if (call->stream_done)
		call->stream_done(call->stream);
	scgi_head_done(&call->head);
	buf_done(&call->body);
	call_upload_close(call);
	free_form(call->form);
	free_form(call->query_form);
	if (call->file >= 0)
		close(call->file);
	buf_done(&call->answer_head);
	buf_done(&call->answer_body);
	json_decref(call->json);
	json_decref(call->items);
	explicit_bzero(&call->key, sizeof(call->key));
	explicit_bzero(&call->session, sizeof(call->session));
	free(call);
}

static void wait_for(struct call *call, u64 patience_ns)
{
	timer_start(&call->web->wheel, &call->timer, clock_mono_ns() + patience_ns);
}

static void on_patience_ends(struct timer *timer)
{
	call_close(container_of(timer, struct call, timer));
}

/* ---- before the body ---- */

static bool is_loopback(struct slice address)
{
	return slice_has_prefix(address, SLICE("127.")) || slice_equal(address, SLICE("::1")) ||
	       slice_has_prefix(address, SLICE("::ffff:127."));
}

/* A key that went over the net in the clear is everybody's: who sends one so is told so. */
static bool check_secure(struct call *call)
{
	struct slice https = scgi_head_find(&call->head, SLICE("HTTPS"));

	if ((call->route->flags & ROUTE_PUBLIC) || slice_equal_nocase(https, SLICE("on")) ||
	    is_loopback(scgi_head_find(&call->head, SLICE("REMOTE_ADDR"))))
		return true;
	call_refuse(call, 403, NULL, "only by https; make a new key, for this one was readable");
	return false;
}

static bool check_key(struct call *call)
{
	struct permits *permits = call->web->permits;

	if (call->route->scopes == 0)
		return true;
	if (!permits_take(permits, scgi_head_find(&call->head, SLICE("HTTP_AUTHORIZATION")),
			  call->began_ns, &call->key, &call->retry_after_s)) {
		call_refuse(call, 401, NULL, "no key, or not one that is known");
		return false;
	}
	if (call->retry_after_s > 0) {
		call_refuse(call, 429, NULL, "more than %u calls a second", permits->rate);
		return false;
	}
	if (!(call->key.scopes & (call->route->scopes | API_SCOPE_ADMIN))) {
		call_refuse(call, 403, NULL, "the key %s may not do this", call->key.name);
		return false;
	}
	return true;
}

/* ---- who is signed in ---- */

/*
 * What a browser says about where a request comes from (Fetch Metadata; RFC 6454 for Origin): from
 * another site nothing is taken, whatever it carries. Programs say nothing of it.
 */
static bool is_from_own_site(const struct call *call)
{
	struct slice site = scgi_head_find(&call->head, SLICE("HTTP_SEC_FETCH_SITE"));
	struct slice origin = scgi_head_find(&call->head, SLICE("HTTP_ORIGIN"));
	struct slice host = scgi_head_find(&call->head, SLICE("HTTP_HOST"));
	i64 at = slice_find(origin, SLICE("://"));

	if (site.ptr)
		return slice_equal(site, SLICE("same-origin")) || slice_equal(site, SLICE("none"));
	return !origin.ptr ||
	       (at >= 0 && slice_equal_nocase(slice_from(origin, (size_t)at + 3), host));
}

static void lead_to_login(struct call *call)
{
	struct slice target = scgi_head_find(&call->head, SLICE("REQUEST_URI"));

	if (call->session.user != 0 && call->session.wants_totp)
		CALL_REDIRECT(call, TONE_NEUTRAL, NULL, "/admin/login/code");
	else if (strcmp(call->route->method, "GET") == 0)
		CALL_REDIRECT(call, TONE_NEUTRAL, NULL, "/admin/login?next={}", target);
	else
		CALL_REDIRECT(call, TONE_NEUTRAL, NULL, "/admin/login");
}

static bool check_session(struct call *call)
{
	bool is_ours = (call->route->flags & (ROUTE_SIGNED_IN | ROUTE_OWN_SITE)) != 0;

	if (!is_ours)
		return true;
	if (!session_load(call)) {
		call_refuse(call, 503, NULL, "sessions cannot be read");
		return false;
	}
	if (strcmp(call->route->method, "GET") != 0 && !is_from_own_site(call)) {
		call_problem_page(call, 419, NULL);
		return false;
	}
	if (!(call->route->flags & ROUTE_SIGNED_IN) || web_route_admits(call->route, call))
		return true;
	if (call->session.user == 0 || call->session.wants_totp)
		lead_to_login(call);
	else
		call_refuse(call, 403, NULL, "the role does not allow it");
	return false;
}

static bool is_json(struct slice type)
{
	struct slice kind = slice_trim(slice_split(&type, ';'));

	return slice_equal_nocase(kind, JSON_TYPE);
}

static u64 body_max_of(const struct call *call)
{
	u64 max = call->web->config->web.body_max;

	if (call->route->flags & ROUTE_TAKES_FORM)
		return FORM_BODY_MAX;
	return call->route->flags & ROUTE_TAKES_JSON ? max : min_u64(max, BYTES_MAX);
}

static bool check_room(struct call *call, u64 length)
{
	u64 all = HELD_BODIES * call->web->config->web.body_max;

	if (length <= all - min_u64(call->web->held, all))
		return true;
	call->retry_after_s = 1;
	call_refuse(call, 503, NULL, "too much is being taken in: again in a moment");
	return false;
}

static bool check_body(struct call *call)
{
	u64 length = call->head.content_length;
	u64 max = body_max_of(call);

	if (call->route->flags & (ROUTE_TAKES_UPLOAD | ROUTE_TAKES_FILE))
		return call_upload_open(call);
	if (!(call->route->flags & (ROUTE_TAKES_JSON | ROUTE_TAKES_BYTES | ROUTE_TAKES_FORM))) {
		if (length > 0)
			call_refuse(call, 400, NULL, "this call takes no body");
		return length == 0;
	}
	if (length == 0 && (call->route->flags & ROUTE_MAY_LACK_BODY))
		return true;
	if ((call->route->flags & ROUTE_TAKES_JSON) &&
	    !is_json(scgi_head_find(&call->head, SLICE("CONTENT_TYPE")))) {
		call_refuse(call, 415, NULL, "the body must be application/json");
		return false;
	}
	if (length > max)
		call_refuse(call, 413, NULL, "the body has %llu bytes, at most %llu are taken",
			    (unsigned long long)length, (unsigned long long)max);
	return length <= max && check_room(call, length);
}

static bool check_request(struct call *call)
{
	char allowed[64];
	enum web_route_result result =
		web_route_find(call, scgi_head_find(&call->head, SLICE("REQUEST_METHOD")),
			       scgi_head_find(&call->head, SLICE("REQUEST_URI")), allowed);

	if (result == ROUTE_UNKNOWN) {
		call_refuse(call, 404, NULL, "there is nothing here; see /api/v1/openapi.json");
		return false;
	}
	if (result == ROUTE_OTHER_METHOD) {
		buf_add_format(&call->answer_head, "Allow: %s\r\n", allowed);
		call_refuse(call, 405, NULL, "what is here takes %s", allowed);
		return false;
	}
	return check_secure(call) && check_key(call) && check_session(call) && check_body(call);
}

/* ---- sending the answer ---- */

static void send_rest(struct call *call)
{
	struct iovec *first = call->iov[0].iov_len > 0 ? &call->iov[0] : &call->iov[1];

	conn_send(&call->conn, first, (u32)(&call->iov[2] - first));
}

static void count_answer(struct call *call)
{
	struct slice target = scgi_head_find(&call->head, SLICE("REQUEST_URI"));
	struct meter_worker *meter = call->web->meter;
	enum meter_kind kind = web_meter_kind_of(target);

	metric_add(&meter->answers[kind][min_u64(call->status / 100, 5) - 1], 1);
	metric_observe(&meter->times[kind], clock_mono_ns() - call->began_ns);
}

static void send_answer(struct call *call)
{
	call->state = CALL_ANSWERS;
	call->iov[0] = (struct iovec){ call->answer_head.ptr, call->answer_head.len };
	call->iov[1] = (struct iovec){ call->answer_body.ptr, call->answer_body.len };
	if (call->conn.has_ended || !conn_may_send(&call->conn) || call->answer_head.failed) {
		call_close(call);
		return;
	}
	wait_for(call, ANSWER_PATIENCE_NS);
	send_rest(call);
}

static u64 drain_max(const struct call *call)
{
	return call->route ? max_u64(DRAIN_MIN, DRAIN_BODIES * body_max_of(call)) : DRAIN_MIN;
}

void call_send(struct call *call)
{
	count_answer(call);
	if (call->body_left == 0 || call->body_left > drain_max(call)) {
		send_answer(call);
		return;
	}
	call->state = CALL_DRAINS;
	wait_for(call, BODY_PATIENCE_NS);
}

/* ---- the body ---- */

static void digest_body(struct call *call)
{
	struct sha256 hash;

	sha256_init(&hash);
	sha256_add(&hash, call->body.ptr, call->body.len);
	sha256_finish(&hash, call->body_digest);
}

static void run(struct call *call)
{
	json_error_t problem = { .text = "" };

	call->state = CALL_WORKS;
	timer_stop(&call->web->wheel, &call->timer);
	if (!call_read_form(call))
		return;
	if (!(call->route->flags & ROUTE_TAKES_JSON)) {
		call->route->run(call);
		return;
	}
	call->idempotency = scgi_head_find(&call->head, SLICE("HTTP_IDEMPOTENCY_KEY"));
	if (call->idempotency.ptr)
		digest_body(call);
	if (call->body.len == 0 && (call->route->flags & ROUTE_MAY_LACK_BODY))
		call->json = json_object();
	else
		call->json = json_loadb(call->body.ptr ? call->body.ptr : "", call->body.len,
					JSON_REJECT_DUPLICATES, &problem);
	buf_done(&call->body);
	if (!call->json)
		call_refuse(call, 400, NULL, "not JSON: line %d, column %d: %s", problem.line,
			    problem.column, problem.text);
	else if (!json_is_object(call->json))
		call_refuse(call, 400, "", "the body must be an object");
	else
		call->route->run(call);
}

static void take_body(struct call *call, struct slice bytes)
{
	bytes = slice_first(bytes, min_u64(bytes.len, call->body_left));
	call->body_left -= bytes.len;
	if (call->upload_reader) {
		wait_for(call, BODY_PATIENCE_NS);
		if (!call_upload_take(call, bytes))
			return;
	} else {
		buf_add_slice(&call->body, bytes);
	}
	if (call->body.failed)
		call_refuse(call, 503, NULL, "no memory for the body");
	else if (call->body_left == 0)
		run(call);
}

/* What was decided before all of the body was here is said behind it. */
static void drain(struct call *call, struct slice bytes)
{
	call->body_left -= min_u64(call->body_left, bytes.len);
	if (call->body_left == 0)
		send_answer(call);
}

static void on_head(struct call *call, struct slice rest)
{
	call->body_left = call->head.content_length;
	if (!check_request(call)) {
		if (call->state == CALL_DRAINS)
			drain(call, rest);
		return;
	}
	call->held = call->upload_reader ? 0 : call->head.content_length;
	call->web->held += call->held;
	call->state = CALL_BODY;
	buf_init(&call->body, call->held + 1);
	wait_for(call, BODY_PATIENCE_NS);
	take_body(call, rest);
}

static void on_bytes(struct conn *conn, struct slice bytes)
{
	struct call *call = container_of(conn, struct call, conn);
	enum scgi_result result;
	size_t used;

	if (call->state == CALL_DRAINS) {
		drain(call, bytes);
		return;
	}
	if (call->state == CALL_BODY) {
		take_body(call, bytes);
		return;
	}
	if (call->state != CALL_HEAD)
		return; /* answered already: thrown away */
	result = scgi_head_feed(&call->head, bytes, &used);
	if (result == SCGI_READY) {
		on_head(call, slice_from(bytes, used));
	} else if (result != SCGI_MORE) {
		log_warn("web", "what a web server sent is no SCGI", "memory=%d",
			 result == SCGI_NO_MEMORY);
		call_close(call);
	}
}

/* ---- sending the rest of it ---- */

/* The next part of a file. False: it could not be read; what was promised cannot be kept. */
static bool read_part(struct call *call)
{
	size_t len = (size_t)min_u64(call->file_left, FILE_PART);
	char *room;
	ssize_t got;

	buf_reset(&call->answer_body);
	room = buf_reserve(&call->answer_body, len);
	got = room ? read(call->file, room, len) : -1;
	if (got <= 0)
		return false;
	buf_advance(&call->answer_body, (size_t)got);
	call->file_left -= (u64)got;
	call->iov[1] = (struct iovec){ call->answer_body.ptr, call->answer_body.len };
	return true;
}

/* The next piece of a stream, or the call's end. */
static void send_more(struct call *call)
{
	buf_reset(&call->answer_body);
	call->more(call);
	if (call->answer_body.failed || call->answer_body.len == 0) {
		call_close(call);
		return;
	}
	call->iov[1] = (struct iovec){ call->answer_body.ptr, call->answer_body.len };
	wait_for(call, ANSWER_PATIENCE_NS);
	send_rest(call);
}

static void on_sent(struct conn *conn, i32 result)
{
	struct call *call = container_of(conn, struct call, conn);
	size_t sent = result > 0 ? (size_t)result : 0;

	for (u32 i = 0; i < array_count(call->iov); i++) {
		struct iovec *iov = &call->iov[i];
		size_t part = min_size(sent, iov->iov_len);

		iov->iov_base = (char *)iov->iov_base + part;
		iov->iov_len -= part;
		sent -= part;
	}
	if (result <= 0) {
		call_close(call);
	} else if (call->iov[0].iov_len + call->iov[1].iov_len > 0) {
		send_rest(call);
	} else if (call->file_left > 0) {
		if (read_part(call)) {
			wait_for(call, ANSWER_PATIENCE_NS);
			send_rest(call);
		} else {
			call_close(call);
		}
	} else if (call->more) {
		send_more(call);
	} else if (call->body_left > 0 && !conn->has_ended) {
		/* Refused before its body was taken. */
		call->state = CALL_LINGERS;
		wait_for(call, LINGER_NS);
	} else {
		call_close(call);
	}
}

static void on_ended(struct conn *conn, i32 result)
{
	struct call *call = container_of(conn, struct call, conn);

	/* What the sender was asked for it does; the answer finds nobody then. */
	if (call->state != CALL_WORKS && (result < 0 || call->state != CALL_ANSWERS))
		call_close(call);
}

static const struct conn_events call_events = {
	.bytes = on_bytes,
	.sent = on_sent,
	.ended = on_ended,
	.closed = on_closed,
};

bool call_open(struct web *web, i32 handle)
{
	struct call *call = calloc(1, sizeof(*call));

	if (!call)
		return false;
	call->web = web;
	call->file = -1;
	call->upload.fd = -1;
	call->began_ns = clock_mono_ns();
	timer_init(&call->timer, on_patience_ends);
	scgi_head_init(&call->head);
	buf_init(&call->body, 0);
	buf_init(&call->answer_head, 16384);
	buf_init(&call->answer_body, CALL_ANSWER_MAX);
	list_push_back(&web->calls, &call->node);
	web->call_count++;
	metric_add(&web->meter->open, 1);
	conn_init(&call->conn, web->ring, &call_events);
	conn_adopt(&call->conn, handle);
	wait_for(call, READ_PATIENCE_NS);
	return true;
}
