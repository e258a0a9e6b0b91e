/*
 * A call without a connection: what the interface makes of a JSON body, and what it would answer.
 * Whoever includes this has the place of call.c, whose call_send is here.
 */
#ifndef TESTS_WEB_CALL_STAND_H
#define TESTS_WEB_CALL_STAND_H

#include "base/check.h"
#include "base/text.h"
#include "base/log.h"
#include "base/remove_tree.h"
#include "web/call.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static struct {
	struct web web;
	struct config config;
	struct call call;
	u32 answers; /* how often the call was answered */
} stand;

void call_send(struct call *call)
{
	ASSERT(call == &stand.call);
	stand.answers++;
}

/* `config` is more text of the configuration. */
static inline void stand_open(const char *more)
{
	struct error error = { "" };
	char text[2048];

	snprintf(text, sizeof(text),
		 "customer \"shop.example\" { sign = false address \"any\" { ehlo = \"m.shop.example\" } }\n"
		 "%s",
		 more);
	if (!config_parse(&stand.config, slice_of(text), "t.conf", &error))
		CRASH("%s", error.text);
	stand.web.config = &stand.config;
}

/* An audience that is nowhere any more when this is over: its files have no names. */
static inline void stand_open_audience(void)
{
	char folder[] = "/tmp/hikyaku-stand-XXXXXX";
	struct store_params params = { .path = folder, .map_size_max = 16u << 20 };
	struct error error = { "" };

	if (!mkdtemp(folder))
		CRASH("no folder");
	stand.web.audience = audience_open(&params, &error);
	if (!stand.web.audience)
		CRASH("%s", error.text);
	stand.web.reader = audience_txn_open(stand.web.audience);
	remove_tree(folder);
}

static inline void stand_close(void)
{
	audience_txn_close(stand.web.reader);
	audience_close(stand.web.audience);
	config_free(&stand.config);
}

static inline void stand_end_call(void)
{
	struct call *call = &stand.call;

	scgi_head_done(&call->head);
	buf_done(&call->answer_head);
	buf_done(&call->answer_body);
	json_decref(call->json);
	json_decref(call->items);
}

/* A new call with this body; false: it is no JSON object. */
static inline bool stand_begin_call(struct slice body)
{
	struct call *call = &stand.call;

	*call = (struct call){ .web = &stand.web, .key = { .name = "test" } };
	stand.answers = 0;
	scgi_head_init(&call->head);
	buf_init(&call->answer_head, 4096);
	buf_init(&call->answer_body, CALL_ANSWER_MAX);
	call->json = json_loadb(body.ptr ? body.ptr : "", body.len, JSON_REJECT_DUPLICATES, NULL);
	if (json_is_object(call->json))
		return true;
	stand_end_call();
	return false;
}

#endif
