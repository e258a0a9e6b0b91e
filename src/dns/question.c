#include "dns/question.h"

#include "base/clock.h"
#include "base/text.h"
#include "dns/mx_parts.h"
#include "dns/record_text.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unbound.h>

#define STORE_MAX (256u << 10)
#define CLOSE_PATIENCE_NS (5 * NS_PER_S)
#define RCODE_NXDOMAIN 3

struct question_asker {
	struct ub_ctx *ctx;
	/* Of the question under way: one at a time. */
	struct ub_result *result;
	int code;
	bool is_answered;
};

struct question_asker *question_open(const struct mx_params *params, struct error *error)
{
	struct question_asker *asker = calloc(1, sizeof(*asker));

	if (!asker) {
		error_set(error, "dns: out of memory");
		return NULL;
	}
	asker->ctx = mx_context_open(params, error);
	if (asker->ctx)
		return asker;
	free(asker);
	return NULL;
}

void question_close(struct question_asker *asker)
{
	if (!asker)
		return;
	mx_context_close(asker->ctx, CLOSE_PATIENCE_NS);
	free(asker);
}

/* ---- asking ---- */

static void on_answer(void *data, int code, struct ub_result *result)
{
	struct question_asker *asker = data;

	asker->is_answered = true;
	asker->code = code;
	asker->result = code == 0 ? result : NULL;
	if (code != 0)
		ub_resolve_free(result);
}

static bool wait_for_answer(struct question_asker *asker, u32 timeout_ms)
{
	u64 until_ns = clock_mono_ns() + timeout_ms * NS_PER_MS;
	struct pollfd ready = { .fd = ub_fd(asker->ctx), .events = POLLIN };
	u64 now_ns;

	while (!asker->is_answered && (now_ns = clock_mono_ns()) < until_ns) {
		int n = poll(&ready, 1, (int)((until_ns - now_ns) / NS_PER_MS) + 1);

		if (n < 0 && errno != EINTR)
			return false;
		if (n > 0)
			(void)ub_process(asker->ctx);
	}
	return asker->is_answered;
}

static void keep_records(const struct ub_result *result, struct question_answer *answer)
{
	size_t at = 0;
	size_t count = 0;

	while (count < QUESTION_RECORDS_MAX && result->data && result->data[count]) {
		buf_add(&answer->store, result->data[count], (size_t)result->len[count]);
		answer->records[count].len = (size_t)result->len[count];
		count++;
	}
	if (answer->store.failed)
		return;
	/* The buffer has moved while it grew. */
	for (size_t i = 0; i < count; i++) {
		answer->records[i].bytes = (const u8 *)answer->store.ptr + at;
		at += answer->records[i].len;
	}
	answer->count = count;
}

static void take_result(const struct ub_result *result, struct question_answer *answer)
{
	const char *name = result->canonname ? result->canonname : result->qname;
	struct slice plain = slice_of(name ? name : "");

	if (plain.len > 1 && plain.ptr[plain.len - 1] == '.')
		plain.len--;
	slice_copy(answer->name, sizeof(answer->name), plain);
	answer->secure = result->secure;
	answer->ttl_s = result->ttl > 0 ? (u32)result->ttl : 0;
	if (result->bogus) {
		answer->status = QUESTION_BOGUS;
		slice_copy(answer->why, sizeof(answer->why),
			   slice_of(result->why_bogus ? result->why_bogus : ""));
	} else if (result->havedata) {
		answer->status = QUESTION_OK;
		keep_records(result, answer);
	} else if (result->nxdomain || result->rcode == RCODE_NXDOMAIN) {
		answer->status = QUESTION_NO_DOMAIN;
	} else if (result->rcode == 0) {
		answer->status = QUESTION_NO_DATA;
	} else {
		answer->status = QUESTION_FAILED;
		snprintf(answer->why, sizeof(answer->why), "the servers' answer has code %d",
			 result->rcode);
	}
}

void question_ask(struct question_asker *asker, const char *name, u16 type, u32 timeout_ms,
		  struct question_answer *answer)
{
	int id = 0;
	int code;

	*answer = (struct question_answer){ .status = QUESTION_FAILED };
	buf_init(&answer->store, STORE_MAX);
	slice_copy(answer->name, sizeof(answer->name), slice_of(name));
	asker->is_answered = false;
	asker->result = NULL;
	code = ub_resolve_async(asker->ctx, name, type, RR_CLASS_IN, asker, on_answer, &id);
	if (code != 0) {
		slice_copy(answer->why, sizeof(answer->why), slice_of(ub_strerror(code)));
		return;
	}
	if (!wait_for_answer(asker, timeout_ms)) {
		/* No callback comes behind this. */
		ub_cancel(asker->ctx, id);
		answer->status = QUESTION_TIMEOUT;
		return;
	}
	if (asker->result)
		take_result(asker->result, answer);
	else
		slice_copy(answer->why, sizeof(answer->why), slice_of(ub_strerror(asker->code)));
	ub_resolve_free(asker->result);
	asker->result = NULL;
}

void question_answer_done(struct question_answer *answer)
{
	buf_done(&answer->store);
	answer->count = 0;
}

const char *question_status_text(enum question_status status)
{
	switch (status) {
	case QUESTION_OK:
		return "ok";
	case QUESTION_NO_DATA:
		return "no such record";
	case QUESTION_NO_DOMAIN:
		return "no such name";
	case QUESTION_FAILED:
		return "no useful answer";
	case QUESTION_TIMEOUT:
		return "no answer in time";
	case QUESTION_BOGUS:
		return "bogus";
	}
	return "?";
}

void question_reverse(char out[QUESTION_REVERSE_SIZE], const struct net_address *address)
{
	const u8 *ip = address->ip;
	size_t at = 0;

	if (address->family == 4) {
		snprintf(out, QUESTION_REVERSE_SIZE, "%u.%u.%u.%u.in-addr.arpa", ip[3], ip[2],
			 ip[1], ip[0]);
		return;
	}
	for (size_t i = 16; i-- > 0;) {
		static const char digits[] = "0123456789abcdef";

		out[at++] = digits[ip[i] & 15];
		out[at++] = '.';
		out[at++] = digits[ip[i] >> 4];
		out[at++] = '.';
	}
	snprintf(out + at, QUESTION_REVERSE_SIZE - at, "ip6.arpa");
}

void question_ask_within(void *within, const char *name, u16 type, struct question_answer *answer)
{
	const struct question_within *patience = within;

	question_ask(patience->asker, name, type, patience->timeout_ms, answer);
}

enum question_status question_find_ptr(question_source *ask, void *arg, const char *address,
				       char name[QUESTION_NAME_SIZE])
{
	struct net_address parsed;
	char question[QUESTION_REVERSE_SIZE];
	struct question_answer answer;
	enum question_status status;

	name[0] = '\0';
	if (!net_address_parse(&parsed, slice_of(address), false))
		return QUESTION_FAILED;
	question_reverse(question, &parsed);
	ask(arg, question, RECORD_PTR, &answer);
	status = answer.status;
	if (answer.count > 0 &&
	    record_name(name, answer.records[0].bytes, answer.records[0].len) == 0)
		status = QUESTION_FAILED;
	ascii_lower_in_place(name, strlen(name));
	question_answer_done(&answer);
	return status;
}

bool question_has_address(question_source *ask, void *arg, const char *name, const char *address)
{
	bool is_v6 = strchr(address, ':') != NULL;
	u16 type = is_v6 ? RECORD_AAAA : RECORD_A;
	struct net_address wanted;
	struct question_answer answer;
	bool has = false;

	if (!net_address_parse(&wanted, slice_of(address), false))
		return false;
	ask(arg, name, type, &answer);
	for (size_t i = 0; i < answer.count; i++)
		has |= answer.records[i].len == (is_v6 ? 16 : 4) &&
		       memcmp(answer.records[i].bytes, wanted.ip, answer.records[i].len) == 0;
	question_answer_done(&answer);
	return has;
}
