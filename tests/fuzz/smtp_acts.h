/*
 * The mutator of smtp_client_fuzz.c: it knows the input as a list of acts and packets as replies of
 * a host, so that dialogues grow past the greeting and go wrong one step at a time. Every fifth
 * input is left to libFuzzer's own mutations.
 */
#ifndef TESTS_FUZZ_SMTP_ACTS_H
#define TESTS_FUZZ_SMTP_ACTS_H

#include "base/random.h"
#include "base/text.h"

#include <string.h>

#define ACTS_HEAD 2      /* bytes of parameters in front of the acts */
#define ACTS_MAX 512
#define ACT_BYTES_MAX 128
#define PACKET_MAX 0x7f

size_t LLVMFuzzerMutate(u8 *data, size_t size, size_t max_size);
size_t LLVMFuzzerCustomMutator(u8 *data, size_t size, size_t max_size, unsigned seed);

/* An act with its argument, or a packet with its length in front. */
struct act {
	size_t len;
	u8 bytes[ACT_BYTES_MAX];
};

struct acts {
	u32 count;
	struct act list[ACTS_MAX];
};

static const struct slice replies[] = {
	SLICE("220 host.test\r\n"),
	SLICE("250-host.test\r\n250-PIPELINING\r\n250 CHUNKING\r\n"),
	SLICE("250-host.test\r\n250-STARTTLS\r\n250 PIPELINING\r\n"),
	SLICE("250-h\r\n250-8BITMIME\r\n250-SMTPUTF8\r\n250-SIZE 20\r\n250 ENHANCEDSTATUSCODES\r\n"),
	SLICE("250 ok\r\n"),
	SLICE("250 2.1.5 ok\r\n"),
	SLICE("250-two\r\n250 lines\r\n"),
	SLICE("354 go on\r\n"),
	SLICE("421 4.3.2 busy\r\n"),
	SLICE("450 4.2.1 later\r\n"),
	SLICE("452 4.5.3 too many\r\n"),
	SLICE("500 what\r\n"),
	SLICE("503 5.5.1 nested MAIL\r\n"),
	SLICE("550 5.1.1 unknown\r\n"),
	SLICE("552 too many\r\n"),
	SLICE("554 5.5.1 no valid recipients\r\n"),
	SLICE("220 2.0.0 ready for TLS\r\n"),
	SLICE("250 bare\n"),
	SLICE("25"),
	SLICE("\r\n"),
};

static void acts_parse(struct acts *acts, const u8 *data, size_t size)
{
	acts->count = 0;
	for (size_t at = ACTS_HEAD; at < size && acts->count < ACTS_MAX;) {
		struct act *act = &acts->list[acts->count++];

		act->len = 1 + (data[at] >= 0x80 ? data[at] & PACKET_MAX : 1u);
		act->len = min_size(act->len, size - at);
		memcpy(act->bytes, data + at, act->len);
		at += act->len;
	}
}

static size_t acts_write(const struct acts *acts, u8 *data, size_t max_size)
{
	size_t size = ACTS_HEAD;

	for (u32 i = 0; i < acts->count && size + acts->list[i].len <= max_size; i++) {
		memcpy(data + size, acts->list[i].bytes, acts->list[i].len);
		size += acts->list[i].len;
	}
	return size;
}

static bool act_is_packet(const struct act *act)
{
	return act->len > 0 && act->bytes[0] >= 0x80;
}

static void act_set_packet(struct act *act, const u8 *bytes, size_t len)
{
	len = min_size(len, PACKET_MAX);
	memmove(act->bytes + 1, bytes, len);
	act->bytes[0] = (u8)(0x80 | len);
	act->len = 1 + len;
}

/* A place for one more at `at`; NULL: there are enough. */
static struct act *acts_insert(struct acts *acts, u32 at)
{
	if (acts->count == ACTS_MAX)
		return NULL;
	memmove(&acts->list[at + 1], &acts->list[at], (acts->count - at) * sizeof(struct act));
	acts->count++;
	return &acts->list[at];
}

static void acts_remove(struct acts *acts, u32 at)
{
	acts->count--;
	memmove(&acts->list[at], &acts->list[at + 1], (acts->count - at) * sizeof(struct act));
}

/* One reply or a few, in one packet. */
static void insert_replies(struct acts *acts, u32 at, struct random *random)
{
	struct act *act = acts_insert(acts, at);
	u8 bytes[PACKET_MAX];
	size_t len = 0;

	if (!act)
		return;
	for (u64 left = random_below(random, 4) + 1; left > 0; left--) {
		const struct slice *reply = &replies[random_below(random, array_count(replies))];

		if (len + reply->len > sizeof(bytes))
			break;
		memcpy(bytes + len, reply->ptr, reply->len);
		len += reply->len;
	}
	act_set_packet(act, bytes, len);
}

/* A message is given, time runs out, the window changes, TLS is up, QUIT. */
static void insert_act(struct acts *acts, u32 at, struct random *random)
{
	struct act *act = acts_insert(acts, at);

	if (!act)
		return;
	act->len = 2;
	act->bytes[0] = (u8)random_below(random, 8);
	act->bytes[1] = random_below(random, 4) == 0 ? 0x55 : (u8)random_below(random, 256);
}

static void split_packet(struct acts *acts, u32 at, struct random *random)
{
	size_t len = acts->list[at].len - 1;
	size_t cut = len > 1 ? 1 + random_below(random, len - 1) : 0;
	struct act *second = cut > 0 ? acts_insert(acts, at + 1) : NULL;

	if (!second)
		return;
	act_set_packet(second, acts->list[at].bytes + 1 + cut, len - cut);
	act_set_packet(&acts->list[at], acts->list[at].bytes + 1, cut);
}

/* Another digit where a digit is: another code, another length. */
static void change_digit(struct act *act, struct random *random)
{
	for (int tries = 0; tries < 8; tries++) {
		u8 *byte = &act->bytes[1 + random_below(random, act->len - 1)];

		if (*byte < '0' || *byte > '9')
			continue;
		*byte = (u8)('0' + random_below(random, 10));
		return;
	}
}

static void change_packet(struct acts *acts, u32 at, struct random *random)
{
	struct act *act = &acts->list[at];

	if (!act_is_packet(act) || act->len < 2)
		act->bytes[act->len - 1] = (u8)random_below(random, 256);
	else if (random_below(random, 3) == 0)
		split_packet(acts, at, random);
	else if (random_below(random, 2) == 0)
		change_digit(act, random);
	else
		act_set_packet(act, act->bytes + 1,
			       LLVMFuzzerMutate(act->bytes + 1, act->len - 1, PACKET_MAX));
}

static void acts_change(struct acts *acts, struct random *random)
{
	u32 at = (u32)random_below(random, acts->count + 1);
	struct act *copy;

	switch (random_below(random, acts->count > 0 ? 7 : 2)) {
	case 0:
		insert_act(acts, at, random);
		break;
	case 1:
	case 2:
		insert_replies(acts, at, random);
		break;
	case 3:
		acts_remove(acts, at % acts->count);
		break;
	case 4:
		copy = acts_insert(acts, at);
		if (copy)
			*copy = acts->list[(at + 1) % acts->count];
		break;
	default:
		change_packet(acts, at % acts->count, random);
	}
}

size_t LLVMFuzzerCustomMutator(u8 *data, size_t size, size_t max_size, unsigned seed)
{
	static struct acts acts;
	struct random random;

	random_seed(&random, seed);
	if (size < ACTS_HEAD || max_size < ACTS_HEAD + ACT_BYTES_MAX || random_below(&random, 5) == 0)
		return LLVMFuzzerMutate(data, size, max_size);
	if (random_below(&random, 16) == 0)
		data[random_below(&random, ACTS_HEAD)] = (u8)random_below(&random, 256);
	acts_parse(&acts, data, size);
	for (u64 left = random_below(&random, 3) + 1; left > 0; left--)
		acts_change(&acts, &random);
	return acts_write(&acts, data, max_size);
}

#endif
