#include "web/teller.h"

#include "base/clock.h"
#include "base/log.h"
#include "base/text.h"
#include "store/audience_sender_order.h"
#include "web/confirm_mail.h"

#include <stdlib.h>
#include <string.h>

#define BATCH_MAX 500 /* addresses; the sender takes 1,000 */
#define LOOK_NS (200 * NS_PER_MS)
#define AGAIN_NS (5 * NS_PER_S)
#define LIST_MAX 256

/* One for the process, as the table is: set by whoever adds to it. */
static _Atomic bool is_wanted;

struct teller {
	struct web *web;
	struct timer timer;
	struct exchange *exchange; /* with the sender; NULL: none */
	struct scribe_order order; /* deletes what was told */
	bool is_deleting;
	bool stops;
	/* The batch: the same for all its addresses. */
	u64 last; /* number of its last entry */
	enum sender_order_kind kind;
	char list[LIST_MAX]; /* "": all bulk mail */
	json_t *addresses; /* none of a mail */
	struct confirm_mail mail;
	u32 customer; /* index of the one that is told; lists are each customer's */
};

static void look_again(struct teller *teller, u64 after_ns)
{
	if (!teller->stops)
		timer_start(&teller->web->wheel, &teller->timer, clock_mono_ns() + after_ns);
}

/* ---- deleting ---- */

static enum store_result delete_told(struct scribe_order *order, struct audience_txn *txn)
{
	return sender_orders_delete(txn, container_of(order, struct teller, order)->last);
}

static void on_deleted(struct scribe_order *order)
{
	struct teller *teller = container_of(order, struct teller, order);

	teller->is_deleting = false;
	/* What is still there is told again, which does no harm. */
	look_again(teller, order->result == STORE_OK ? 0 : AGAIN_NS);
}

static void drop_batch(struct teller *teller)
{
	json_decref(teller->addresses);
	teller->addresses = NULL;
	confirm_mail_done(&teller->mail);
}

static void end_batch(struct teller *teller)
{
	drop_batch(teller);
	teller->is_deleting = true;
	teller->order.apply = delete_told;
	teller->order.done = on_deleted;
	scribe_give(&teller->web->desk, &teller->order);
}

static void give_up_batch(struct teller *teller)
{
	drop_batch(teller);
	is_wanted = true;
	look_again(teller, AGAIN_NS);
}

/* ---- telling ---- */

static void tell(struct teller *teller);

static bool is_mail(enum sender_order_kind kind)
{
	return kind != SENDER_SUPPRESSES && kind != SENDER_RELEASES;
}

/* It would be refused for ever, and keep all others from being told. */
static bool is_bad_request(const json_t *json)
{
	const char *code = json_string_value(json_object_get(json, "code"));

	return code && (strcmp(code, control_code_name(CONTROL_BAD_REQUEST)) == 0 ||
			strcmp(code, control_code_name(CONTROL_REFUSED_CONTENT)) == 0);
}

static void on_told(void *owner, enum exchange_end end, const json_t *json)
{
	struct teller *teller = owner;
	bool is_bad = end == EXCHANGE_REFUSED && is_bad_request(json);

	teller->exchange = NULL;
	if (is_bad)
		log_error("web", "the sender does not understand what it is told", "why=%s",
			  json_string_value(json_object_get(json, "error")));
	if (end != EXCHANGE_REPLIED && !is_bad) {
		log_warn("web", "the sender cannot be told who unsubscribed", "count=%zu",
			 json_array_size(teller->addresses));
		give_up_batch(teller);
		return;
	}
	teller->customer++;
	if (!is_mail(teller->kind) && teller->list[0] &&
	    teller->customer < teller->web->config->customer_count)
		tell(teller);
	else
		end_batch(teller);
}

static void ask_suppression(struct teller *teller)
{
	const struct config *config = teller->web->config;
	bool adds = teller->kind == SENDER_SUPPRESSES;
	const char *list = teller->list[0] ? teller->list : NULL;
	const char *customer = list ? config->customers[teller->customer].domain : NULL;

	exchange_request(teller->exchange,
			 json_pack("{s:s, s:O, s:s*, s:s*, s:s*}", "command",
				   adds ? "suppression.add" : "suppression.remove", "addresses",
				   teller->addresses, "customer", customer, "list", list, "reason",
				   adds ? "unsubscribe" : NULL));
}

static void tell(struct teller *teller)
{
	static const struct exchange_events events = { NULL, on_told };

	teller->exchange = exchange_new(&teller->web->line, &events, teller);
	if (!teller->exchange) {
		give_up_batch(teller);
		return;
	}
	if (is_mail(teller->kind))
		confirm_mail_ask(&teller->mail, teller->exchange);
	else
		ask_suppression(teller);
	if (exchange_start(teller->exchange))
		return;
	teller->exchange = NULL;
	give_up_batch(teller);
}

/* ---- reading ---- */

/* Whether the order goes with the batch; the first one says what the batch is. */
static bool takes(struct teller *teller, const struct sender_order *order)
{
	bool is_first = json_array_size(teller->addresses) == 0;

	if (is_first) {
		teller->kind = order->kind;
		slice_copy(teller->list, sizeof(teller->list), order->list);
	}
	if (is_mail(order->kind))
		return is_first;
	return order->kind == teller->kind && slice_equal(order->list, slice_of(teller->list)) &&
	       json_array_append_new(teller->addresses, json_stringn(order->address.ptr,
								      order->address.len)) == 0;
}

/* Within a transaction. NOT_FOUND: there is nothing to be told. */
static enum store_result read_batch(struct teller *teller, struct audience_txn *txn)
{
	struct sender_order order;
	enum store_result result;
	u64 number = 0;

	while ((result = sender_order_after(txn, number, &number, &order)) == STORE_OK &&
	       takes(teller, &order)) {
		teller->last = number;
		if (is_mail(teller->kind))
			return confirm_mail_make(&teller->mail, teller->web, txn, &order);
		if (json_array_size(teller->addresses) == BATCH_MAX)
			break;
	}
	if (json_array_size(teller->addresses) > 0)
		return STORE_OK;
	return result == STORE_OK ? STORE_FULL : result;
}

static enum store_result gather(struct teller *teller)
{
	struct audience_txn *txn = teller->web->reader;
	enum store_result result = audience_begin_read(txn);

	if (result != STORE_OK)
		return result;
	teller->addresses = json_array();
	result = read_batch(teller, txn);
	audience_abort(txn);
	return result;
}

static void on_look(struct timer *timer)
{
	struct teller *teller = container_of(timer, struct teller, timer);
	enum store_result result;

	if (!is_wanted) {
		look_again(teller, LOOK_NS);
		return;
	}
	is_wanted = false;
	result = gather(teller);
	if (result == STORE_NOT_FOUND) {
		drop_batch(teller);
		look_again(teller, LOOK_NS);
		return;
	}
	if (result != STORE_OK) {
		give_up_batch(teller);
		return;
	}
	is_wanted = true; /* there may be more behind this batch */
	teller->customer = 0;
	/* A mail that nobody needs any more is none. */
	if (is_mail(teller->kind) && !teller->mail.is_wanted)
		end_batch(teller);
	else
		tell(teller);
}

/* ---- its life ---- */

struct teller *teller_open(struct web *web)
{
	struct teller *teller = calloc(1, sizeof(*teller));

	if (!teller)
		return NULL;
	teller->web = web;
	timer_init(&teller->timer, on_look);
	is_wanted = true;
	look_again(teller, 0);
	return teller;
}

void teller_stop(struct teller *teller)
{
	teller->stops = true;
	timer_stop(&teller->web->wheel, &teller->timer);
	if (teller->exchange)
		exchange_drop(teller->exchange);
	teller->exchange = NULL;
}

void teller_close(struct teller *teller)
{
	if (!teller)
		return;
	drop_batch(teller);
	free(teller);
}

bool teller_is_busy(const struct teller *teller)
{
	return teller && teller->is_deleting;
}

void teller_wake(void)
{
	is_wanted = true;
}
