/*
 * For tests of the control: a planner, one worker and the control socket, turned by a thread of
 * their own below a folder of their own; and the client's side of it. Mail goes to a port where
 * nobody is.
 */
#ifndef TESTS_SEND_DAEMON_H
#define TESTS_SEND_DAEMON_H

#include "base/clock.h"
#include "base/log.h"
#include "base/text.h"
#include "control/client.h"
#include "dkim/key.h"
#include "send/control.h"
#include "store/row_values.h"

#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#define RELAY "127.0.0.1:1" /* tcpmux: nobody listens there */

struct daemon {
	char dir[64];
	char socket[96];
	struct config config;
	struct metrics *metrics;
	struct planner *planner;
	struct ring *ring;
	struct timer_wheel wheel;
	struct send_control *control;
	struct worker *worker;
	struct worker_thread *worker_thread;
	pthread_t thread;
	_Atomic(struct ring *) running; /* set when it answers; NULL: not */
	atomic_bool stops;
	atomic_bool stop_was_requested;
	_Atomic u64 skip_ns; /* the wheel's clock is ahead by this */
	bool is_running;
};

static struct daemon the;

static void daemon_notify(void *context)
{
	ring_wake(context);
}

static void daemon_open(void)
{
	const struct ring_params ring = {
		.entries = 256, .files = 128, .accepted = 80, .buffers = 64, .buffer_size = 16384
	};
	struct planner_params planner = { .config = &the.config, .worker_count = 1, .seed = 1 };
	struct worker_params worker = {
		.sessions_max = 64, .leases_max = 1024, .seed = 2, .notify = daemon_notify
	};
	struct send_control_params control = { .wheel = &the.wheel, .config = &the.config };
	struct error error = { "" };

	the.metrics = metrics_open(2);
	planner.metrics = the.metrics;
	control.metrics = the.metrics;
	the.planner = planner_open(&planner, &error);
	if (!the.planner)
		fail_msg("%s", error.text);
	the.ring = ring_open(&ring, &error);
	if (!the.ring)
		fail_msg("%s", error.text);
	worker.metrics = metrics_worker(the.metrics, 0);
	worker.context = the.ring;
	the.worker_thread = worker_thread_start(&worker, &the.worker, &error);
	if (!the.worker_thread)
		fail_msg("%s", error.text);
	planner_set_workers(the.planner, &the.worker);
	timer_wheel_init(&the.wheel, clock_mono_ns());
	control.ring = the.ring;
	control.planner = the.planner;
	the.control = send_control_open(&control, &error);
	if (!the.control)
		fail_msg("%s", error.text);
}

static void daemon_turn(void)
{
	u64 now = clock_mono_ns();
	u64 wait = min_u64(planner_wait_ns(the.planner, now), 20 * NS_PER_MS);

	ring_turn(the.ring, wait);
	now = clock_mono_ns();
	timer_wheel_advance(&the.wheel, now + atomic_load(&the.skip_ns));
	planner_turn(the.planner, now, clock_wall_ms());
}

static void daemon_end(void)
{
	planner_stop(the.planner);
	worker_stop(the.worker, true);
	while (!planner_is_quiet(the.planner))
		daemon_turn();
	worker_thread_join(the.worker_thread);
	send_control_leave_planner(the.control);
	planner_close(the.planner);
	send_control_close(the.control);
	ring_close(the.ring);
	metrics_close(the.metrics);
}

static void *daemon_run(void *argument)
{
	(void)argument;
	daemon_open();
	atomic_store(&the.running, the.ring);
	while (!atomic_load(&the.stops)) {
		daemon_turn();
		if (send_control_stop_requested(the.control)) {
			atomic_store(&the.stop_was_requested, true);
			break;
		}
	}
	atomic_store(&the.running, NULL);
	daemon_end();
	return NULL;
}

static void daemon_start(void)
{
	atomic_store(&the.stops, false);
	atomic_store(&the.stop_was_requested, false);
	atomic_store(&the.skip_ns, 0);
	assert_int_equal(pthread_create(&the.thread, NULL, daemon_run, NULL), 0);
	while (!atomic_load(&the.running))
		usleep(500);
	the.is_running = true;
}

static void daemon_join(void)
{
	assert_int_equal(pthread_join(the.thread, NULL), 0);
	the.is_running = false;
}

static void daemon_stop(void)
{
	atomic_store(&the.stops, true);
	daemon_join();
}

/* More of the configuration. */
#ifndef DAEMON_MORE
#define DAEMON_MORE ""
#endif

static void daemon_configure(void)
{
	char text[2048];
	char key[128];
	struct error error;
	int len;

	snprintf(key, sizeof(key), "%s/key.pem", the.dir);
	snprintf(the.socket, sizeof(the.socket), "%s/send.sock", the.dir);
	if (!dkim_key_create(key, CRYPTO_ED25519, 0, &error))
		fail_msg("%s", error.text);
	len = snprintf(
		text, sizeof(text),
		"data = \"%s/data\"\ncontrol = \"%s\"\nmetrics { listen = \"127.0.0.1:1\" }\n"
		"queue { map-size-max = \"256M\" in-flight = 512 }\n"
		"customer \"courier.example\" {\n"
		"\taddress \"any\" { ehlo = \"mail.courier.example\" }\n"
		"\tdkim \"s1\" { key = \"%s\" }\n"
		"\tunsubscribe-url = \"https://courier.example/u/{{_token}}\"\n"
		"\tunsubscribe-mailto = \"u-{{_token}}@courier.example\"\n}\n"
		"site \"default\" { sessions = 2 }\n"
		"route \"*\" { relay = \"" RELAY "\" }\n" DAEMON_MORE,
		the.dir, the.socket, key);
	if (!config_parse(&the.config, (struct slice){ text, (size_t)len }, "test", &error))
		fail_msg("%s", error.text);
}

static int daemon_setup(void **state)
{
	(void)state;
	log_set_level(LOG_LEVEL_ERROR);
	memset(&the, 0, sizeof(the));
	snprintf(the.dir, sizeof(the.dir), "/tmp/hikyaku-control-XXXXXX");
	assert_non_null(mkdtemp(the.dir));
	daemon_configure();
	daemon_start();
	return 0;
}

static int daemon_teardown(void **state)
{
	static const char *const files[] = {
		"key.pem",    "send.sock",    "data/queue/data.mdb", "data/queue/lock.mdb",
		"data/queue", "data/journal", "data/token.key",      "data"
	};
	char path[256];

	(void)state;
	if (the.is_running)
		daemon_stop();
	config_free(&the.config);
	for (size_t i = 0; i < array_count(files); i++) {
		snprintf(path, sizeof(path), "%s/%s", the.dir, files[i]);
		remove(path);
	}
	remove(the.dir);
	return 0;
}

/* ---- the client's side ---- */

static struct control_client *client_open(void)
{
	enum control_problem problem;
	struct error error;
	struct control_client *client = control_client_open(the.socket, &problem, &error);

	if (!client)
		fail_msg("%s", error.text);
	return client;
}

/* What came of a request. */
struct answer {
	enum control_answer end;
	json_t *items;
	json_t *reply;
	char code[32];
	struct error error;
};

static void answer_done(struct answer *answer)
{
	json_decref(answer->items);
	json_decref(answer->reply);
	memset(answer, 0, sizeof(*answer));
}

/*
 * Waits for the end of the answer to what was sent; `sent` is what sending gave, since a refusal
 * may be there already.
 */
static void client_wait(struct control_client *client, enum control_answer sent,
			struct answer *answer)
{
	json_t *json = NULL;

	memset(answer, 0, sizeof(*answer));
	answer->items = json_array();
	answer->end = sent == CONTROL_SENT ? CONTROL_ITEM : sent;
	while (answer->end == CONTROL_ITEM) {
		answer->end = control_client_next(client, &json, &answer->error);
		if (answer->end == CONTROL_ITEM)
			json_array_append_new(answer->items, json);
	}
	if (answer->end == CONTROL_REPLY)
		answer->reply = json;
	snprintf(answer->code, sizeof(answer->code), "%s", control_client_code(client));
}

static void client_ask(struct control_client *client, json_t *request, struct answer *answer)
{
	struct error error = { "" };
	enum control_answer sent = control_client_request(client, request, &error);

	client_wait(client, sent, answer);
	if (sent != CONTROL_SENT)
		answer->error = error;
}

/* On a connection of its own. */
static struct answer ask(json_t *request)
{
	struct control_client *client = client_open();
	struct answer answer;

	client_ask(client, request, &answer);
	control_client_close(client);
	return answer;
}

static u64 number_of(const json_t *object, const char *key)
{
	return (u64)json_integer_value(json_object_get(object, key));
}

static const char *text_of(const json_t *object, const char *key)
{
	const char *text = json_string_value(json_object_get(object, key));

	return text ? text : "";
}

/* ---- requests, and items of answers ---- */

static inline json_t *command(const char *name)
{
	return json_pack("{s:s}", "command", name);
}

static inline json_t *with(json_t *request, const char *key, const char *value)
{
	json_object_set_new(request, key, json_string(value));
	return request;
}

static inline json_t *find_item(const struct answer *answer, const char *key, const char *value)
{
	for (size_t i = 0; i < json_array_size(answer->items); i++) {
		json_t *item = json_array_get(answer->items, i);

		if (strcmp(text_of(item, key), value) == 0)
			return item;
	}
	fail_msg("no item with %s %s", key, value);
	return NULL;
}

/* The number in the REPLY; the request must not be refused. */
static inline u64 ask_number(json_t *request, const char *key)
{
	struct answer answer = ask(request);
	u64 number;

	if (answer.end != CONTROL_REPLY)
		fail_msg("%s", answer.error.text);
	number = number_of(answer.reply, key);
	answer_done(&answer);
	return number;
}

static inline void assert_refused(json_t *request, const char *code)
{
	struct answer answer = ask(request);

	assert_int_equal(answer.end, CONTROL_REFUSED);
	assert_string_equal(answer.code, code);
	assert_true(answer.error.text[0]);
	answer_done(&answer);
}

/* ---- imports ---- */

static const char template_text[] = "From: News <news@courier.example>\r\nSubject: For {{name}}\r\n"
				    "\r\nHello {{name}}.\r\n";

static enum control_answer import_begin(struct control_client *client, const char *name,
					const char *template)
{
	struct control_campaign_create create = { .name = name,
						  .customer = "courier.example",
						  .columns = { "name" },
						  .column_count = 1,
						  .charset = "utf-8",
						  .encoding = "auto",
						  .require_unsubscribe = true };
	enum control_answer answer;
	struct error error;

	create.sizes[CONTROL_DATA_WHOLE] = strlen(template);
	answer = control_client_request(client, control_create_json(&create), &error);
	if (answer != CONTROL_SENT)
		return answer;
	return control_client_data(client, CONTROL_DATA_WHOLE, slice_of(template), &error);
}

/* Rows u<first>@d<n % domains>.example and on. */
static void rows_add(struct buf *batch, u32 first, u32 count, u32 domains)
{
	const struct slice value = SLICE("Ann");
	struct buf values;

	buf_init(&values, 64);
	row_values_pack(&values, &value, 1);
	for (u32 i = first; i < first + count; i++) {
		char address[64];

		snprintf(address, sizeof(address), "u%u@d%u.example", i, i % domains);
		control_row_add(batch, slice_of(address), buf_slice(&values));
	}
	assert_false(batch->failed);
	buf_done(&values);
}

static enum control_answer import_rows(struct control_client *client, u32 first, u32 count,
				       u32 domains)
{
	struct buf batch;
	struct error error;
	enum control_answer answer;

	buf_init(&batch, FRAME_PAYLOAD_MAX - 1);
	rows_add(&batch, first, count, domains);
	answer = control_client_data(client, CONTROL_DATA_ROWS, buf_slice(&batch), &error);
	buf_done(&batch);
	return answer;
}

/* A whole campaign; its id. */
static inline u64 create(const char *name, u32 rows, u32 domains)
{
	struct control_client *client = client_open();
	struct answer answer;
	struct error error;
	u64 id;

	assert_int_equal(import_begin(client, name, template_text), CONTROL_SENT);
	for (u32 done = 0; done < rows; done += 4000)
		assert_int_equal(import_rows(client, done, min_u32(4000, rows - done), domains),
				 CONTROL_SENT);
	client_wait(client, control_client_end(client, &error), &answer);
	if (answer.end != CONTROL_REPLY)
		fail_msg("%s", answer.error.text);
	assert_int_equal(number_of(answer.reply, "total"), rows);
	assert_int_equal(number_of(answer.reply, "domains"), min_u32(rows, domains));
	id = number_of(answer.reply, "id");
	answer_done(&answer);
	control_client_close(client);
	return id;
}

#endif
