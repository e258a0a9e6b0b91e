#include "receive/reader.h"

#include "base/clock.h"
#include "base/log.h"
#include "base/text.h"
#include "base/thread.h"
#include "control/client.h"
#include "metrics/metrics.h"
#include "receive/reader_parts.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#define BATCH_MAX 32 /* messages told by one request */
#define BATCH_BYTES (256 * 1024) /* of JSON, before the last one of a batch */
#define PATIENCE_MS 10000 /* for one answer; an end of the process waits for it */
#define PAUSE_FIRST_MS 500
#define PAUSE_MAX_MS 30000
#define TELL_AGAIN_NS (60 * NS_PER_S) /* that we are here, when nothing came */

/* What the sender said of a message. */
enum told {
	TOLD_DONE,  /* its file may go */
	TOLD_OTHER, /* likewise, but a person may have to see it */
	TOLD_LATER,
	TOLD_NEVER, /* it will not have it */
};

struct message {
	const char *name; /* of its file */
	struct finding finding;
	enum told told;
};

struct reader {
	pthread_t thread;
	const struct config *config;
	struct meter *meter;
	struct reader_files files;
	struct control_client *client;
	struct arena arena;
	struct forward_bucket bucket;
	struct message batch[BATCH_MAX];
	u32 batch_count;
	u32 ended; /* files that went in this look at the folder */
	u64 told_ns; /* when the sender heard of us last */
	pthread_mutex_t mutex; /* of what follows */
	pthread_cond_t moved;
	bool woken;
	bool stopping;
};

static bool is_stopping(struct reader *reader)
{
	bool stopping;

	pthread_mutex_lock(&reader->mutex);
	stopping = reader->stopping;
	pthread_mutex_unlock(&reader->mutex);
	return stopping;
}

/* ---- telling the sender ---- */

static void hang_up(struct reader *reader)
{
	control_client_close(reader->client);
	reader->client = NULL;
}

static bool call(struct reader *reader, struct error *error)
{
	enum control_problem problem;

	if (reader->client)
		return true;
	reader->client = control_client_open(reader->config->control, &problem, error);
	if (reader->client)
		control_client_set_patience(reader->client, PATIENCE_MS);
	return reader->client != NULL;
}

/* One request and its answer; on REPLY *reply is the caller's. */
static enum control_answer ask(struct reader *reader, json_t *request, json_t **reply,
			       struct error *error)
{
	enum control_answer answer;

	*reply = NULL;
	if (!call(reader, error)) {
		json_decref(request);
		return CONTROL_LOST;
	}
	answer = control_client_request(reader->client, request, error);
	while (answer == CONTROL_SENT || answer == CONTROL_ITEM) {
		answer = control_client_next(reader->client, reply, error);
		if (answer == CONTROL_ITEM)
			json_decref(*reply);
	}
	if (answer == CONTROL_LOST)
		hang_up(reader);
	return answer;
}

static json_t *request_of(const struct reader *reader, const struct message *messages, u32 count)
{
	json_t *reports = json_array();

	for (u32 i = 0; i < count; i++)
		json_array_append(reports, messages[i].finding.json);
	return json_pack("{s:s, s:o, s:I, s:I, s:I}", "command", "inbound.report", "reports",
			 reports, "files", (json_int_t)metric_get(&reader->meter->spool_files),
			 "bytes", (json_int_t)metric_get(&reader->meter->spool_bytes), "oldest_ms",
			 (json_int_t)metric_get(&reader->meter->spool_oldest_ms));
}

/* Tells `count` messages at once and says of each what came of it. */
static enum control_answer tell(struct reader *reader, struct message *messages, u32 count,
				struct error *error)
{
	json_t *reply;
	enum control_answer answer =
		ask(reader, request_of(reader, messages, count), &reply, error);
	const json_t *results = json_object_get(reply, "results");
	bool never = answer == CONTROL_REFUSED &&
		     strcmp(control_client_code(reader->client), "bad-request") == 0;

	for (u32 i = 0; i < count; i++) {
		const char *word = json_string_value(json_array_get(results, i));

		messages[i].told = answer != CONTROL_REPLY || !word
					   ? (never ? TOLD_NEVER : TOLD_LATER)
				   : strcmp(word, "other") == 0 ? TOLD_OTHER
								: TOLD_DONE;
		if (word)
			log_info("receive", "read", "id=%s kind=%s result=%s", messages[i].name,
				 report_kind_name(messages[i].finding.kind), word);
	}
	json_decref(reply);
	if (answer == CONTROL_REPLY)
		reader->told_ns = clock_mono_ns();
	return answer;
}

/* ---- handing on ---- */

static enum told hand_on(struct reader *reader, const struct message *message,
			 const struct envelope *envelope)
{
	enum forward_verdict verdict =
		forward_judge(reader->config, envelope, message->finding.kind, &reader->bucket,
			      clock_mono_ns());
	enum control_answer answer = CONTROL_LOST;
	struct error error = { "" };

	if (verdict != FORWARD_GO) {
		metric_add(&reader->meter->not_forwarded[verdict], 1);
		log_info("receive", "not handed on", "id=%s why=%s", message->name,
			 forward_verdict_name(verdict));
		return TOLD_DONE;
	}
	if (call(reader, &error))
		answer = forward_send(reader->client, reader->config, envelope, message->name,
				      &error);
	if (answer == CONTROL_REPLY) {
		metric_add(&reader->meter->forwarded, 1);
		return TOLD_DONE;
	}
	log_warn("receive", "cannot hand on", "id=%s why=%s", message->name, error.text);
	if (answer == CONTROL_REFUSED && strcmp(control_client_code(reader->client), "full") != 0 &&
	    strcmp(control_client_code(reader->client), "failed") != 0)
		answer = CONTROL_REPLY;
	/* Behind a refusal in the middle of data the stream is at no request's beginning. */
	hang_up(reader);
	return answer == CONTROL_REPLY ? TOLD_NEVER : TOLD_LATER;
}

static enum told hand_on_file(struct reader *reader, const struct message *message)
{
	enum told told = TOLD_LATER;
	struct envelope envelope;
	struct slice bytes;

	if (reader_files_read(&reader->files, message->name, &bytes) != READER_FILE_READ)
		return TOLD_LATER;
	if (envelope_read(bytes, &envelope))
		told = hand_on(reader, message, &envelope);
	free((char *)bytes.ptr);
	return told;
}

/* ---- a batch ---- */

static void reject(struct reader *reader, const char *name, const char *why)
{
	metric_add(&reader->meter->bad, 1);
	reader_files_reject(&reader->files, name, why);
	reader->ended++;
}

/* The end of a message's file. False: it has to wait. */
static bool settle(struct reader *reader, struct message *message, const char *why)
{
	if (message->told == TOLD_OTHER)
		message->told = hand_on_file(reader, message);
	json_decref(message->finding.json);
	message->finding.json = NULL;
	switch (message->told) {
	case TOLD_DONE:
	case TOLD_OTHER:
		metric_add(&reader->meter->kinds[message->finding.kind], 1);
		reader_files_remove(&reader->files, message->name);
		reader->ended++;
		return true;
	case TOLD_NEVER:
		reject(reader, message->name, why);
		return true;
	case TOLD_LATER:
		break;
	}
	return false;
}

/* False: something of it has to wait. */
static bool end_batch(struct reader *reader)
{
	const u32 count = reader->batch_count;
	struct error error = { "" };
	enum control_answer answer;
	bool is_full;
	bool all = true;

	reader->batch_count = 0;
	if (count == 0)
		return true;
	answer = tell(reader, reader->batch, count, &error);
	is_full = answer == CONTROL_REFUSED &&
		  strcmp(control_client_code(reader->client), "full") == 0;
	for (u32 i = 0; i < count; i++) {
		struct message *message = &reader->batch[i];

		/* One that cannot be told must not hold up the others; a full disk is for all. */
		if (answer == CONTROL_REFUSED && count > 1 && !is_full)
			(void)tell(reader, message, 1, &error);
		all &= settle(reader, message, error.text);
	}
	metric_set(&reader->meter->waits, !all);
	if (!all)
		log_warn("receive", "mail waits for the sender", "why=%s", error.text);
	return all;
}

/* False: the batch that it filled has to wait. */
static bool take_file(struct reader *reader, const char *name, size_t *bytes_told)
{
	struct message *message = &reader->batch[reader->batch_count];
	enum finding_result result;
	struct slice bytes;

	switch (reader_files_read(&reader->files, name, &bytes)) {
	case READER_FILE_LATER:
		return true;
	case READER_FILE_BAD:
		reject(reader, name, "the process ended at it");
		return true;
	case READER_FILE_READ:
		break;
	}
	*message = (struct message){ .name = name };
	arena_reset(&reader->arena);
	result = finding_make(bytes, name, &reader->arena, &message->finding);
	free((char *)bytes.ptr);
	if (result == FINDING_BAD)
		reject(reader, name, "it has no envelope");
	if (result != FINDING_MADE)
		return true;
	*bytes_told += json_dumpb(message->finding.json, NULL, 0, JSON_COMPACT);
	if (++reader->batch_count < BATCH_MAX && *bytes_told < BATCH_BYTES)
		return true;
	*bytes_told = 0;
	return end_batch(reader);
}

/* All that there is. False: some of it has to wait. */
static bool empty_folder(struct reader *reader)
{
	struct reader_files *files = &reader->files;
	size_t bytes_told = 0;
	bool all = true;

	do {
		reader->ended = 0;
		reader_files_list(files, reader->meter);
		for (u32 i = 0; i < files->count && all && !is_stopping(reader); i++)
			all = take_file(reader, files->names[i], &bytes_told);
		/* Also what a batch began before it had to stop. */
		all = end_batch(reader) && all;
		bytes_told = 0;
		reader_files_rest(files);
	} while (all && reader->ended > 0 && files->count == READER_NAMES_MAX &&
		 !is_stopping(reader));
	return all;
}

/* ---- the thread ---- */

/* So that the sender's status knows of us; whether it hears does not matter. */
static void tell_of_us(struct reader *reader)
{
	struct error error;
	json_t *reply;

	if (clock_mono_ns() - reader->told_ns < TELL_AGAIN_NS)
		return;
	reader->told_ns = clock_mono_ns();
	(void)ask(reader, request_of(reader, NULL, 0), &reply, &error);
	json_decref(reply);
}

/* Until there is another file; with a pause, not before its end. */
static void wait_for_files(struct reader *reader, u64 pause_ms)
{
	const u64 until_ns =
		clock_mono_ns() + (pause_ms > 0 ? pause_ms * NS_PER_MS : TELL_AGAIN_NS);

	pthread_mutex_lock(&reader->mutex);
	while (!reader->stopping && (pause_ms > 0 || !reader->woken)) {
		if (!thread_wait_until(&reader->moved, &reader->mutex, until_ns))
			break;
	}
	reader->woken = false;
	pthread_mutex_unlock(&reader->mutex);
}

static void *run(void *argument)
{
	struct reader *reader = argument;
	u64 pause_ms = 0;

	pthread_setname_np(pthread_self(), "reader"); /* for top -H; harmless if it fails */
	while (!is_stopping(reader)) {
		if (empty_folder(reader)) {
			pause_ms = 0;
			tell_of_us(reader);
		} else {
			hang_up(reader);
			pause_ms = pause_ms ? min_u64(2 * pause_ms, PAUSE_MAX_MS) : PAUSE_FIRST_MS;
		}
		wait_for_files(reader, pause_ms);
	}
	return NULL;
}

static bool start(struct reader *reader, struct error *error)
{
	int code;

	pthread_mutex_init(&reader->mutex, NULL);
	thread_condition_init(&reader->moved);
	code = thread_start(&reader->thread, run, reader);
	return code == 0 || error_set_errno(error, code, "the thread that reads mail");
}

static void reader_free(struct reader *reader)
{
	hang_up(reader);
	reader_files_close(&reader->files);
	arena_done(&reader->arena);
	free(reader);
}

struct reader *reader_open(const struct config *config, struct meter *meter, struct error *error)
{
	struct reader *reader = calloc(1, sizeof(*reader));

	if (!reader) {
		error_set(error, "out of memory for the reader of mail");
		return NULL;
	}
	reader->config = config;
	reader->meter = meter;
	arena_init(&reader->arena, REPORT_ARENA_CHUNK, REPORT_ARENA_MAX);
	forward_bucket_init(&reader->bucket, clock_mono_ns());
	if (!reader_files_open(&reader->files, config->receive.spool, error) ||
	    !start(reader, error)) {
		reader_free(reader);
		return NULL;
	}
	return reader;
}

void reader_close(struct reader *reader)
{
	if (!reader)
		return;
	pthread_mutex_lock(&reader->mutex);
	reader->stopping = true;
	pthread_cond_signal(&reader->moved);
	pthread_mutex_unlock(&reader->mutex);
	pthread_join(reader->thread, NULL);
	reader_free(reader);
}

void reader_wake(struct reader *reader)
{
	pthread_mutex_lock(&reader->mutex);
	reader->woken = true;
	pthread_cond_signal(&reader->moved);
	pthread_mutex_unlock(&reader->mutex);
}
