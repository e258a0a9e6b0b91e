/*
 * One request to the sender over its control socket and what it answers, on the ring: a connection
 * of its own, so that a broken one spoils nothing else. At most EXCHANGES_MAX are under way, those
 * beyond wait in line.
 *
 *   exchange = exchange_new(line, &events, owner);
 *   exchange_request(exchange, json); exchange_data(exchange, tag, bytes); exchange_end(exchange);
 *   exchange_start(exchange);     then `item`s, and one `over`
 *
 * It frees itself; behind `over`, exchange_drop or a failed exchange_start nobody may touch it.
 */
#ifndef WEB_EXCHANGE_H
#define WEB_EXCHANGE_H

#include "base/list.h"
#include "control/campaign.h"
#include "control/request.h"
#include "io/conn.h"
#include "io/timer.h"

#define EXCHANGES_MAX 16
#define EXCHANGE_PATIENCE_NS (60 * NS_PER_S) /* without a byte moved */

struct exchange;

enum exchange_end {
	EXCHANGE_REPLIED, /* `json` is the REPLY */
	EXCHANGE_REFUSED, /* `json` is {error, code} */
	EXCHANGE_AWAY,    /* the sender is not there, or too busy: it got nothing */
	EXCHANGE_LOST,    /* broken off: what became of the request is not known */
};

/* From the ring's turn only; `json` is borrowed. */
struct exchange_events {
	void (*item)(void *owner, const json_t *json); /* NULL: items are not looked at */
	void (*over)(void *owner, enum exchange_end end, const json_t *json);
};

/* Those under way and those that wait; one for the process. */
struct exchange_line {
	struct ring *ring;
	struct timer_wheel *wheel;
	const char *path; /* of the control socket */
	struct list waiting;
	struct list running;
	u32 running_count;
};
void exchange_line_init(struct exchange_line *line, struct ring *ring, struct timer_wheel *wheel,
			const char *path);

/* NULL: no memory. */
struct exchange *exchange_new(struct exchange_line *line, const struct exchange_events *events,
			      void *owner) MUST_CHECK;

/* What is to be said. Takes the reference. Failures are kept until exchange_start. */
void exchange_request(struct exchange *exchange, json_t *request);
/* Template bytes of any length, or batches of rows of less than FRAME_PAYLOAD_MAX each. */
void exchange_data(struct exchange *exchange, enum control_data_tag tag, struct slice bytes);
void exchange_end(struct exchange *exchange);
/* It lacks memory for what is to be said: exchange_start will say so. */
void exchange_fail(struct exchange *exchange);

/* False: no memory, or a text that is not UTF-8; it is gone, no event comes. */
bool exchange_start(struct exchange *exchange) MUST_CHECK;
/* No event comes any more; what was said already may be carried out. */
void exchange_drop(struct exchange *exchange);

#endif
