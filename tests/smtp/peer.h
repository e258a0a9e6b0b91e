/*
 * What the tests of the SMTP client share: a client with a clock that only the test moves, an end
 * of the wire that takes bytes as a socket would (in part, a few entries at a time), and checks
 * that hold in every dialogue:
 *   each recipient has exactly one event, before its transaction's DONE; one DONE for each
 *   transaction given; one CLOSE, and nothing behind it;
 *   UNSENT only for what is not `ended`, IN_DOUBT only for what is.
 */
#ifndef TESTS_SMTP_PEER_H
#define TESTS_SMTP_PEER_H

#include "base/buf.h"
#include "base/clock.h"
#include "base/random.h"
#include "base/text.h"
#include "smtp/client.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define PEER_IOV_MAX 64
#define PEER_START_NS (1000 * NS_PER_S)

/* `fail_msg` of cmocka, or abort in the fuzzers. */
#ifndef peer_fail
#define peer_fail(...) fail_msg(__VA_ARGS__)
#endif
#define peer_check(cond, ...)                                                                      \
	do {                                                                                       \
		if (!(cond))                                                                       \
			peer_fail(__VA_ARGS__);                                                    \
	} while (0)

/* A message, and what the client told about it. */
struct peer_message {
	struct smtp_transaction transaction;
	struct smtp_recipient recipients[SMTP_RECIPIENTS_MAX];
	u8 told[SMTP_RECIPIENTS_MAX]; /* RECIPIENT events seen */
	struct piece pieces[64];
	const char *name;
	bool given;
	bool done;
};

struct peer {
	struct smtp_client client;
	u64 now_ns;
	struct random random;
	bool split; /* input and output in random bits */
	u64 window; /* bytes that the other side still takes */
	bool over;
	u32 in_flight;
	u32 depth;
	struct buf wire; /* what the client sent */
	void (*on_event)(struct peer *peer, const struct smtp_event *event);
	void *user;
};

static inline struct peer_message *peer_message_of(struct smtp_transaction *transaction)
{
	return container_of(transaction, struct peer_message, transaction);
}

static inline void peer_init(struct peer *peer, const struct smtp_client_params *params, u64 seed)
{
	memset(peer, 0, sizeof(*peer));
	memset(&peer->client, 0xa5, sizeof(peer->client)); /* init must not rely on zeroes */
	peer->now_ns = PEER_START_NS;
	peer->window = UINT64_MAX;
	peer->depth = params->depth;
	random_seed(&peer->random, seed);
	buf_init(&peer->wire, 64u << 20);
	smtp_client_init(&peer->client, params);
	smtp_client_start(&peer->client, peer->now_ns);
}

static inline void peer_done(struct peer *peer)
{
	buf_done(&peer->wire);
}

/* Pieces of the text as the message room would cut them: a stuffing dot where a line has one. */
static inline void peer_message_text(struct peer_message *message, struct slice text)
{
	struct smtp_transaction *transaction = &message->transaction;
	u32 count = 0;
	size_t from = 0;

	for (size_t i = 0; i <= text.len; i++) {
		bool starts = i < text.len && text.ptr[i] == '.' &&
			      (i == 0 || text.ptr[i - 1] == '\n');

		if (i < text.len && (!starts || count + 3 > array_count(message->pieces)))
			continue;
		message->pieces[count++] =
			(struct piece){ text.ptr + from, (u32)(i - from), false };
		if (i < text.len)
			message->pieces[count++] = (struct piece){ ".", 1, true };
		from = i;
	}
	transaction->pieces = message->pieces;
	transaction->piece_count = count;
	transaction->size = text.len;
	transaction->recipients = message->recipients;
}

/* A message to one recipient. */
static inline void peer_message_to(struct peer_message *message, const char *recipient,
				   const char *text)
{
	memset(message, 0, sizeof(*message));
	message->name = "m";
	message->transaction.sender = SLICE("a@x.test");
	message->transaction.recipient_count = 1;
	message->recipients[0].address = slice_of(recipient);
	peer_message_text(message, slice_of(text));
}

/* A client that still reads what is the caller's again is to be caught. */
static inline void peer_forget_content(struct peer_message *message)
{
	memset(message->pieces, 0x5a, sizeof(message->pieces));
}

static inline void peer_check_recipient(const struct smtp_event *event)
{
	struct peer_message *message = peer_message_of(event->transaction);
	const struct smtp_recipient *recipient = &message->recipients[event->recipient];
	bool ended = message->transaction.ended;

	peer_check(event->recipient < message->transaction.recipient_count, "no such recipient");
	peer_check(message->given && !message->done, "verdict on a message not in flight");
	peer_check(message->told[event->recipient]++ == 0, "two verdicts on one recipient");
	peer_check(recipient->verdict != SMTP_VERDICT_NONE, "event without a verdict");
	peer_check(recipient->verdict != SMTP_VERDICT_UNSENT || !ended, "UNSENT but ended");
	peer_check(recipient->verdict != SMTP_VERDICT_IN_DOUBT || ended, "IN_DOUBT, not ended");
	if (recipient->verdict == SMTP_VERDICT_ACCEPTED) {
		peer_check(ended, "ACCEPTED without having been sent");
		peer_check(event->reply && event->reply->code / 100 == 2, "ACCEPTED without 2yz");
	}
	if (recipient->verdict == SMTP_VERDICT_PERMANENT)
		peer_check(event->reply && event->reply->code / 100 == 5, "PERMANENT without 5yz");
	if (recipient->verdict == SMTP_VERDICT_TEMPORARY)
		peer_check(event->reply && event->reply->code >= 400, "TEMPORARY without refusal");
}

static inline void peer_check_done(struct peer *peer, const struct smtp_event *event)
{
	struct peer_message *message = peer_message_of(event->transaction);

	peer_check(message->given && !message->done, "DONE for what is not in flight");
	for (u32 i = 0; i < message->transaction.recipient_count; i++)
		peer_check(message->told[i] == 1, "DONE, but a recipient had no verdict");
	message->done = true;
	peer->in_flight--;
	peer_forget_content(message);
}

static inline void peer_take_events(struct peer *peer)
{
	struct smtp_event event;
	u32 count = 0;

	while (smtp_client_next_event(&peer->client, &event)) {
		peer_check(!peer->over, "event behind CLOSE");
		peer_check(++count < 100000, "events do not end");
		if (event.type == SMTP_EVENT_RECIPIENT) {
			peer_check_recipient(&event);
		} else if (event.type == SMTP_EVENT_DONE) {
			peer_check_done(peer, &event);
		} else if (event.type == SMTP_EVENT_CLOSE) {
			peer_check(peer->in_flight == 0, "CLOSE before all DONE");
			peer->over = true;
		}
		if (peer->on_event)
			peer->on_event(peer, &event);
	}
	peer_check(!peer->over || smtp_client_deadline(&peer->client) == UINT64_MAX,
		   "a timeout runs behind CLOSE");
}

/* One output and its fate; false: nothing to send, or the other side takes no more. */
static inline bool peer_send_once(struct peer *peer)
{
	struct iovec iov[PEER_IOV_MAX];
	struct smtp_output output = { .iov = iov, .iov_max = PEER_IOV_MAX };
	size_t take;
	size_t sum = 0;

	if (peer->split)
		output.iov_max = random_below(&peer->random, 2) ? 1 :
				 (u32)random_below(&peer->random, PEER_IOV_MAX) + 1;
	if (peer->window == 0 || !smtp_client_output(&peer->client, &output))
		return false;
	peer_check(output.iov_count <= output.iov_max && output.bytes > 0, "output is no output");
	peer_check(output.ending_count <= peer->depth, "more endings than messages in flight");
	take = (size_t)min_u64(output.bytes, peer->window);
	if (peer->split && random_below(&peer->random, 3) == 0)
		take = (size_t)random_below(&peer->random, take + 1);
	for (u32 i = 0; i < output.iov_count; i++) {
		size_t len = min_size(output.iov[i].iov_len, take - min_size(take, sum));

		buf_add(&peer->wire, output.iov[i].iov_base, len);
		sum += output.iov[i].iov_len;
	}
	peer_check(sum == output.bytes, "output's sum is wrong");
	peer->window -= peer->window == UINT64_MAX ? 0 : take;
	smtp_client_sent(&peer->client, take, peer->now_ns);
	for (u32 i = 0; take == output.bytes && i < output.ending_count; i++)
		peer_forget_content(peer_message_of(output.ending[i]));
	peer_take_events(peer);
	return true;
}

static inline void peer_send(struct peer *peer)
{
	while (peer_send_once(peer))
		;
}

/* One packet; the copy has its exact size, so that reading beyond it is caught. */
static inline void peer_packet(struct peer *peer, struct slice bytes)
{
	char *copy = malloc(bytes.len + 1);

	memcpy(copy + 1, bytes.ptr, bytes.len);
	smtp_client_receive(&peer->client, (struct slice){ copy + 1, bytes.len }, peer->now_ns);
	peer_take_events(peer);
	free(copy);
	peer_send(peer);
}

/* Bytes from the other side; split: in packets of random length, of one byte when `max` is 1. */
static inline void peer_receive(struct peer *peer, struct slice bytes, size_t max)
{
	while (bytes.len > 0 && !peer->over) {
		size_t len = peer->split ? (size_t)random_below(&peer->random, max) + 1 : bytes.len;
		struct slice packet = slice_first(bytes, len);

		peer_packet(peer, packet);
		bytes = slice_from(bytes, packet.len);
	}
}

static inline void peer_give(struct peer *peer, struct peer_message *message)
{
	peer_check(!message->given, "given twice");
	message->given = true;
	peer->in_flight++;
	peer_check(peer->in_flight <= peer->depth, "more in flight than depth");
	smtp_client_give(&peer->client, &message->transaction, peer->now_ns);
	peer_take_events(peer);
}

static inline void peer_closed(struct peer *peer)
{
	smtp_client_closed(&peer->client, peer->now_ns);
	peer_take_events(peer);
	peer_check(peer->over, "closed, but no CLOSE");
	peer_check(peer->in_flight == 0, "closed with messages in flight");
	peer_check(!peer_send_once(peer), "output behind CLOSE");
}

#endif
