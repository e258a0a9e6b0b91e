/*
 * One call of the interface: an SCGI connection, the request that comes by it, its answer. What the
 * request asks for is done by the function that its route names (route.h); that one answers, at
 * once or when the sender has.
 *
 * Nothing is kept of a body before its key, its type and its length are known to be right, and all
 * bodies at once have a limit; so no stranger can fill the memory.
 */
#ifndef WEB_CALL_H
#define WEB_CALL_H

#include "base/config.h"
#include "base/list.h"
#include "campaign/time_zone.h"
#include "io/conn.h"
#include "io/timer.h"
#include "web/exchange.h"
#include "web/form.h"
#include "web/meter.h"
#include "web/permit.h"
#include "web/repeat.h"
#include "web/scgi.h"
#include "web/scribe.h"
#include "web/session.h"
#include "web/upload.h"

#include <jansson.h>

/* Of a thread at once, those beyond are turned away: what the web server may bring fits one. */
#define CALLS_MAX 1024
#define CALL_ARGUMENT_MAX 512
#define CALL_ANSWER_MAX (32u << 20) /* bytes */

struct web_route;
struct jobs;
struct link_keys;
struct track;
struct bringer;
struct identity_checker;
struct form_guard;
struct call_body;
struct image_uploads;
struct call_order;
struct clerk;
struct doorkeeper;
struct password_work;
struct pulse;
struct segment_count;
struct mailing_start;

/* What calls of one thread share. */
struct web {
	const struct config *config;
	struct meter_worker *meter; /* this thread's block */
	struct permits *permits; /* of all threads, as the audience is */
	struct repeats *repeats;
	struct audience *audience;
	struct audience_txn *reader; /* this thread's: begun and aborted within one turn */
	const struct link_keys *links; /* of all threads */
	struct form_guard *form_guard; /* the same */
	struct track *track;	       /* this thread's opens and clicks */
	struct bringer *bringer;       /* of all threads */
	struct identity_checker *identity; /* of all threads */
	struct scribe_desk desk;
	struct jobs *jobs; /* of all threads */
	struct ring *ring;
	struct timer_wheel wheel;
	struct exchange_line line;
	struct list calls;
	u32 call_count;
	u64 held; /* bytes that bodies were promised */
	struct clerk *clerk; /* this thread's: passwords */
	struct doorkeeper *doorkeeper; /* of all threads: who guesses them */
	struct pulse *pulse; /* of all threads: what the sender did lately */
	u32 uploads; /* under way */
	u32 orders; /* of calls, with the scribe or the clerk */
	u32 counts; /* of segments, under way */
};

enum call_state {
	CALL_HEAD,
	CALL_BODY,
	CALL_DRAINS, /* decided; that is said when the rest of the body has come */
	CALL_WORKS, /* the sender is asked */
	CALL_ANSWERS,
	CALL_LINGERS, /* answered; the rest of the request is thrown away */
};

struct call {
	struct list node;
	struct web *web;
	struct conn conn;
	struct timer timer;
	enum call_state state;
	struct scgi_head head;
	struct buf body;
	struct call_body *upload_reader; /* of a file */
	u64 body_left; /* bytes of the body that have not come */
	u64 held;
	u64 began_ns;
	const struct web_route *route;	  /* NULL: there is none */
	struct api_key key;		  /* name "": the route needs none */
	char argument[CALL_ARGUMENT_MAX]; /* what stands in the path for "{}", decoded */
	char second[CALL_ARGUMENT_MAX];	  /* for the second one */
	struct slice query;
	struct form *query_form; /* made by call_query */
	struct web_session session; /* user 0: nobody, or the route needs none */
	struct time_zone zone; /* of the settings, with a session's route; else UTC */
	struct form *form; /* the body of a route that takes one */
	/* A file that was brought: kept by the route (upload_keep), or it goes with the call. */
	struct upload upload;
	char upload_name[256]; /* as the browser calls it; UTF-8, no path; may be "" */
	struct image_uploads *images; /* of a route that takes images: image_upload.h */
	json_t *json; /* the body of a route that takes one */
	struct slice idempotency; /* the call's key for it; NULL: none */
	u8 body_digest[SHA256_SIZE]; /* with such a key */
	/* The route's own: */
	struct exchange *exchange;
	json_t *items;
	struct call_order *order;
	struct password_work *password;
	struct segment_count *count; /* under way */
	struct identity_wait *identity_wait; /* while DNS is asked */
	char id[64];
	u32 retry_after_s; /* of an answer; 0: not said */
	/*
	 * Gives the next piece of an answer that is longer than memory should be: appends to
	 * answer_body, within one turn; nothing appended: that was all. `stream` is freed by
	 * `stream_done` with the call.
	 */
	void (*more)(struct call *call);
	void (*stream_done)(void *stream);
	void *stream;
	/* The answer. */
	u32 status;
	bool is_lasting; /* never changes: caches may keep it */
	bool is_page; /* HTML: what guards pages goes with it */
	int file; /* what follows the body, when file_left is not 0; closed with the call */
	u64 file_left;
	struct buf answer_head;
	struct buf answer_body;
	struct iovec iov[2];
};

/* Takes over an accepted connection. False: no memory; the handle stays the caller's. */
bool call_open(struct web *web, i32 handle) MUST_CHECK;
/* Breaks it off. */
void call_close(struct call *call);

/* For answer.c: sends what is in answer_head and answer_body, and ends the call. */
void call_send(struct call *call);

/* ---- for routes: answer.c ---- */

/* Answers with JSON, whose reference it takes; NULL: there was no memory for it. */
void call_answer(struct call *call, u32 status, json_t *json);
/* Without a body. */
void call_answer_nothing(struct call *call, u32 status);
/* Answers with a text that outlives the call. */
void call_answer_text(struct call *call, u32 status, const char *type, struct slice text);
/* Answers with what a page's writer has put into answer_body (page.h). */
void call_answer_page(struct call *call, u32 status);
/*
 * Answers with a file to be saved under that name, UTF-8. Takes the descriptor; the bytes are read
 * from it as they are sent.
 */
void call_answer_file(struct call *call, const char *type, struct slice name, int file, u64 size);
/*
 * Answers with a file to be shown, that never changes: browsers keep it. HEAD has the same head and
 * no bytes.
 */
void call_answer_shown(struct call *call, const char *type, int file, u64 size);
/*
 * The same as call_answer_file, piece by piece: `call->more` is called for the first one here, and
 * whenever one was sent.
 */
void call_answer_stream(struct call *call, const char *type, struct slice name);
/* The same from what is in answer_body: CSV, text. */
void call_answer_saved(struct call *call, const char *type, struct slice name);
/*
 * Answers with problem+json (RFC 9457): a sentence, and the JSON pointer (RFC 6901) of what is
 * wrong in the request, unless it is NULL. Outside of /api/ people see a page instead
 * (call_problem_told), and the sentence goes to the log.
 */
void call_refuse(struct call *call, u32 status, const char *pointer, const char *fmt, ...)
	PRINTF_LIKE(4, 5);
/*
 * Whether the key may have to do with what is the whole service's: users, settings, the audit log.
 * False: it is for one customer, the call was answered.
 */
bool call_is_general(struct call *call) MUST_CHECK;
/* The same for programs, with further members (RFC 9457 section 3.2), whose reference it takes. */
void call_refuse_with(struct call *call, u32 status, json_t *more, const char *fmt, ...)
	PRINTF_LIKE(4, 5);

/*
 * Begins to ask the sender: the request's reference is taken; `events` as of exchange.h, with the
 * call as owner. NULL: the call was answered, there is no memory. Otherwise call_ask_end starts it.
 */
struct exchange *call_ask(struct call *call, const struct exchange_events *events,
			  json_t *request) MUST_CHECK;
/* call->items is an empty list. False: the call was answered. */
bool call_begin_items(struct call *call) MUST_CHECK;
void call_ask_end(struct call *call);
/*
 * In `over`, for everything but a REPLY: answers with what the refusal or the silence means.
 * Refused content has no pointer here: what has to be pointed at is looked at before.
 */
void call_refuse_end(struct call *call, enum exchange_end end, const json_t *json);

/* ---- writing: call_order.c ---- */

/*
 * An order to the scribe (scribe.h) that a call waits for. The route allocates it, with what it
 * writes around it, and sets `order.apply` and `answer`; it is freed with free() afterwards.
 */
struct call_order {
	struct scribe_order order;
	/* On the call's thread; looks at order.result. Not called when the call is gone. */
	void (*answer)(struct call *call, struct call_order *order);
	void (*done)(struct call_order *order); /* before it is freed; NULL: nothing to do */
	/* call_order.c's own: */
	struct call *call;
	struct web *web;
};
void call_give_order(struct call *call, struct call_order *order);
/* For answer(): refuses when the order failed: 503 or 500. True: it is well. */
bool call_order_is_well(struct call *call, const struct call_order *order) MUST_CHECK;
/* For apply(): notes who did what, in the same transaction (store/audience_audit.h). */
struct call_author {
	char who[SESSION_WHO_SIZE];
	char from[SESSION_ADDRESS_MAX + 1];
	u64 now_ms;
};
void call_author(const struct call *call, struct call_author *author);
enum store_result call_audit(struct audience_txn *txn, const struct call_author *author,
			     const char *action, struct slice object) MUST_CHECK;

#endif
