/*
 * The control socket as its clients see it: campaigns, imports, and clients that misbehave.
 */
#include "daemon.h"

#include <errno.h>
#include <sys/socket.h>
#include <sys/un.h>

#define PATIENCE_S 60 /* for what hangs, not for what is slow */

/* ---- campaigns ---- */

static json_t *named(const char *command, const char *name)
{
	return json_pack("{s:s, s:s*}", "command", command, "name", name);
}

static u64 campaign_count(void)
{
	return ask_number(named("campaign.status", NULL), "count");
}

static void a_campaign_of_10000_rows_is_created_and_reported_once_each(void **state)
{
	struct answer answer;
	bool *seen = calloc(10000, sizeof(*seen));

	(void)state;
	assert_int_equal(create("news", 10000, 7), 1);
	answer = ask(json_pack("{s:s, s:s, s:i}", "command", "campaign.report", "name", "news",
			       "limit", 100000));
	assert_int_equal(answer.end, CONTROL_REPLY);
	assert_int_equal(json_array_size(answer.items), 10000);
	assert_int_equal(number_of(answer.reply, "count"), 10000);
	for (size_t i = 0; i < 10000; i++) {
		json_t *item = json_array_get(answer.items, i);
		unsigned n;

		assert_string_equal(text_of(item, "outcome"), "queued");
		assert_int_equal(sscanf(text_of(item, "address"), "u%u@", &n), 1);
		assert_true(n < 10000 && !seen[n]);
		seen[n] = true;
	}
	free(seen);
	answer_done(&answer);
}

static void a_report_in_pages_has_every_row_once(void **state)
{
	struct control_client *client;
	char after[256] = "";
	u64 total = 0;
	bool more = true;

	(void)state;
	create("news", 2500, 40);
	client = client_open();
	while (more) {
		struct answer answer;

		client_ask(client,
			   json_pack("{s:s, s:i, s:s*, s:i}", "command", "campaign.report", "id", 1,
				     "after", after[0] ? after : NULL, "limit", 700),
			   &answer);
		assert_int_equal(answer.end, CONTROL_REPLY);
		assert_true(json_array_size(answer.items) <= 700);
		total += json_array_size(answer.items);
		more = json_is_true(json_object_get(answer.reply, "more"));
		snprintf(after, sizeof(after), "%s", text_of(answer.reply, "next"));
		assert_true(!more || after[0]);
		answer_done(&answer);
	}
	assert_int_equal(total, 2500);
	control_client_close(client);
	assert_refused(json_pack("{s:s, s:i, s:s}", "command", "campaign.report", "id", 1, "after",
				 "7.1.x"),
		       "bad-request");
}

static void a_campaign_shows_its_counters(void **state)
{
	struct answer answer;
	json_t *campaign;

	(void)state;
	create("news", 100, 10);
	create("more news", 1, 1);
	assert_int_equal(campaign_count(), 2);
	answer = ask(named("campaign.status", "news"));
	campaign = json_array_get(answer.items, 0);
	assert_string_equal(text_of(campaign, "state"), "ready");
	assert_string_equal(text_of(campaign, "customer"), "courier.example");
	assert_int_equal(number_of(campaign, "total"), 100);
	assert_int_equal(number_of(campaign, "queued"), 100);
	assert_int_equal(number_of(campaign, "domains"), 10);
	answer_done(&answer);
}

static void commands_are_refused_in_the_wrong_state(void **state)
{
	static const char *const steps[][2] = {
		{ "campaign.pause", "conflict" }, { "campaign.resume", "conflict" },
		{ "campaign.start", NULL },       { "campaign.start", "conflict" },
		{ "campaign.pause", NULL },       { "campaign.resume", NULL },
		{ "campaign.cancel", NULL },      { "campaign.start", "conflict" },
	};

	(void)state;
	create("news", 50, 5);
	for (size_t i = 0; i < array_count(steps); i++) {
		if (steps[i][1])
			assert_refused(named(steps[i][0], "news"), steps[i][1]);
		else
			assert_int_equal(ask_number(named(steps[i][0], "news"), "total"), 50);
	}
	assert_refused(named("campaign.start", "olds"), "not-found");
	assert_refused(json_pack("{s:s, s:i}", "command", "campaign.report", "id", 9), "not-found");
	assert_refused(named("campaign.start", NULL), "bad-request");
	assert_refused(named("campaign.begin", NULL), "bad-request");
	assert_refused(json_pack("{s:s, s:i}", "command", "status", "verbose", 1), "bad-request");
}

static void a_cancelled_campaign_reports_its_rows_as_cancelled(void **state)
{
	struct answer answer;
	u64 cancelled = 0;

	(void)state;
	create("news", 5000, 3);
	ask_number(named("campaign.cancel", "news"), "id");
	for (u32 i = 0; i < PATIENCE_S * 100 && cancelled < 5000; i++) {
		answer = ask(named("campaign.status", "news"));
		cancelled = number_of(json_array_get(answer.items, 0), "cancelled");
		answer_done(&answer);
		usleep(10000);
	}
	answer = ask(json_pack("{s:s, s:i, s:[s]}", "command", "campaign.report", "id", 1,
			       "outcomes", "cancelled"));
	assert_int_equal(json_array_size(answer.items), 5000);
	answer_done(&answer);
	answer = ask(json_pack("{s:s, s:i}", "command", "campaign.report", "id", 1));
	assert_int_equal(json_array_size(answer.items), 5000);
	answer_done(&answer);
}

/* ---- bytes on a socket of their own ---- */

static int raw_open(void)
{
	struct sockaddr_un at = { .sun_family = AF_UNIX };
	struct timeval patience = { .tv_sec = PATIENCE_S };
	int fd = socket(AF_UNIX, SOCK_STREAM, 0);

	snprintf(at.sun_path, sizeof(at.sun_path), "%s", the.socket);
	assert_int_equal(connect(fd, (struct sockaddr *)&at, sizeof(at)), 0);
	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
	setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof(patience));
	return fd;
}

/* Reads to the end of the connection; how many bytes. */
static size_t raw_read_all(int fd)
{
	char bytes[4096];
	size_t all = 0;
	ssize_t got;

	while ((got = read(fd, bytes, sizeof(bytes))) > 0)
		all += (size_t)got;
	assert_true(got == 0 || errno == ECONNRESET);
	close(fd);
	return all;
}

static void add_frame(struct buf *out, enum frame_type type, const char *text)
{
	assert_true(frame_add(out, type, slice_of(text)));
}

/* An import that sent so many rows and no END; the campaign is there when this returns. */
static int raw_import(const char *name, u32 rows)
{
	char request[256];
	struct buf frames;
	size_t begin;
	int fd = raw_open();

	snprintf(
		request, sizeof(request),
		"{\"command\":\"campaign.create\",\"name\":\"%s\",\"customer\":\"courier.example\","
		"\"source\":{\"kind\":\"whole\",\"whole\":%zu},\"columns\":[\"name\"]}",
		name, strlen(template_text));
	buf_init(&frames, 2 << 20);
	add_frame(&frames, FRAME_REQUEST, request);
	begin = frame_begin(&frames, FRAME_DATA);
	buf_add_char(&frames, CONTROL_DATA_WHOLE);
	buf_add_text(&frames, template_text);
	assert_true(frame_end(&frames, begin));
	begin = frame_begin(&frames, FRAME_DATA);
	buf_add_char(&frames, CONTROL_DATA_ROWS);
	rows_add(&frames, 0, rows, 50);
	assert_true(frame_end(&frames, begin));
	assert_int_equal(send(fd, frames.ptr, frames.len, MSG_NOSIGNAL), frames.len);
	buf_done(&frames);
	while (campaign_count() == 0)
		usleep(1000);
	return fd;
}

/* ---- imports ---- */

static void a_template_that_would_not_align_is_refused(void **state)
{
	struct control_client *client = client_open();
	struct answer answer;
	struct error error;
	enum control_answer sent;

	(void)state;
	sent = import_begin(client, "news", "From: a@other.example\r\nSubject: x\r\n\r\nx\r\n");
	if (sent == CONTROL_SENT)
		sent = control_client_end(client, &error);
	client_wait(client, sent, &answer);
	assert_int_equal(answer.end, CONTROL_REFUSED);
	assert_string_equal(answer.code, "refused-content");
	answer_done(&answer);
	/* The connection is good for the next request, and nothing was created. */
	client_ask(client, named("campaign.status", NULL), &answer);
	assert_int_equal(answer.end, CONTROL_REPLY);
	assert_int_equal(number_of(answer.reply, "count"), 0);
	answer_done(&answer);
	control_client_close(client);
}

static void rows_behind_a_refusal_are_ignored(void **state)
{
	struct control_client *client = client_open();
	struct answer answer;
	struct error error;
	enum control_answer sent = CONTROL_SENT;

	(void)state;
	sent = import_begin(client, "news", "no header at all");
	for (u32 i = 0; i < 100 && sent == CONTROL_SENT; i++)
		sent = import_rows(client, 0, 1000, 3);
	if (sent == CONTROL_SENT)
		sent = control_client_end(client, &error);
	client_wait(client, sent, &answer);
	assert_int_equal(answer.end, CONTROL_REFUSED);
	answer_done(&answer);
	client_ask(client, named("campaign.status", NULL), &answer);
	assert_int_equal(answer.end, CONTROL_REPLY);
	answer_done(&answer);
	control_client_close(client);
}

static void a_name_that_is_taken_is_a_conflict(void **state)
{
	struct control_client *client = client_open();
	enum control_answer begun;
	struct answer answer;
	struct error error;
	int fd;

	(void)state;
	/* Taken as soon as the first import has its template, long before it is done. */
	fd = raw_import("news", 10);
	begun = import_begin(client, "news", template_text);
	/* The refusal may come before all is sent. */
	client_wait(client, begun == CONTROL_SENT ? control_client_end(client, &error) : begun,
		    &answer);
	assert_int_equal(answer.end, CONTROL_REFUSED);
	assert_string_equal(answer.code, "conflict");
	answer_done(&answer);
	control_client_close(client);
	close(fd);
}

static void an_import_whose_connection_breaks_is_gone(void **state)
{
	(void)state;
	close(raw_import("news", 20000));
	for (u32 i = 0; i < PATIENCE_S * 100 && campaign_count() > 0; i++)
		usleep(10000);
	assert_int_equal(campaign_count(), 0);
	assert_int_equal(ask_number(json_pack("{s:s}", "command", "queue.list"), "count"), 0);
	create("news", 10, 1);
}

static void an_import_that_falls_silent_is_gone_after_ten_minutes(void **state)
{
	int fd;

	(void)state;
	fd = raw_import("news", 10);
	atomic_store(&the.skip_ns, 9 * 60 * NS_PER_S);
	for (u32 i = 0; i < 5; i++)
		assert_int_equal(campaign_count(), 1);
	atomic_store(&the.skip_ns, 11 * 60 * NS_PER_S);
	assert_int_equal(raw_read_all(fd), 0);
	assert_int_equal(campaign_count(), 0);
}

static void rows_that_cannot_be_mailed_are_told_one_by_one(void **state)
{
	static const char *const bad[] = { "nobody",     "@d.example",    "a b@d.example",
					   "a@",         "a@D.example",   "a<b@d.example",
					   "a@b@d.test", "a\r\nb@d.test", "\"a\"b\"@d.test" };
	struct control_client *client = client_open();
	struct answer answer;
	struct error error;
	struct buf batch;

	(void)state;
	buf_init(&batch, 65536);
	for (size_t i = 0; i < array_count(bad); i++)
		control_row_add(&batch, slice_of(bad[i]), SLICE("\x01x"));
	control_row_add(&batch, SLICE("good@d.example"), SLICE("\x01x"));
	control_row_add(&batch, SLICE("\"a@ \\\" b\"@d.example"), SLICE("\x01x"));
	control_row_add(&batch, SLICE("values@d.example"), SLICE("\x01x\x01x")); /* one too many */
	import_begin(client, "news", template_text);
	assert_int_equal(control_client_data(client, CONTROL_DATA_ROWS, buf_slice(&batch), &error),
			 CONTROL_SENT);
	client_wait(client, control_client_end(client, &error), &answer);
	assert_int_equal(answer.end, CONTROL_REPLY);
	assert_int_equal(number_of(answer.reply, "total"), 2);
	assert_int_equal(json_array_size(answer.items), array_count(bad) + 1);
	assert_string_equal(text_of(json_array_get(answer.items, 0), "address"), "nobody");
	assert_true(*text_of(json_array_get(answer.items, 0), "reason"));
	answer_done(&answer);
	control_client_close(client);
	buf_done(&batch);
}

static void an_import_without_rows_creates_nothing(void **state)
{
	struct control_client *client = client_open();
	struct answer answer;
	struct error error;

	(void)state;
	import_begin(client, "news", template_text);
	client_wait(client, control_client_end(client, &error), &answer);
	assert_int_equal(answer.end, CONTROL_REFUSED);
	assert_string_equal(answer.code, "refused-content");
	answer_done(&answer);
	assert_int_equal(campaign_count(), 0);
	control_client_close(client);
}

/* ---- clients that misbehave ---- */

static void assert_closed_after(const char *what, struct slice bytes)
{
	int fd = raw_open();
	ssize_t sent = send(fd, bytes.ptr, bytes.len, MSG_NOSIGNAL);

	if (sent != (ssize_t)bytes.len)
		fail_msg("%s: not sent", what);
	raw_read_all(fd);
}

static void what_is_not_the_protocol_closes_the_connection(void **state)
{
	struct buf frames;

	(void)state;
	buf_init(&frames, 1 << 20);
	assert_closed_after("garbage", SLICE("GET / HTTP/1.1\r\n\r\n"));
	assert_closed_after("a frame of 4 GiB", SLICE("\xff\xff\xff\xff\x01"));
	add_frame(&frames, FRAME_REPLY, "{}");
	assert_closed_after("an answer", buf_slice(&frames));
	buf_reset(&frames);
	add_frame(&frames, FRAME_DATA, "\x05");
	assert_closed_after("data without an import", buf_slice(&frames));
	buf_reset(&frames);
	add_frame(
		&frames, FRAME_REQUEST,
		"{\"command\":\"campaign.create\",\"name\":\"n\",\"customer\":\"courier.example\","
		"\"source\":{\"kind\":\"whole\",\"whole\":9},\"columns\":[]}");
	add_frame(&frames, FRAME_REQUEST, "{\"command\":\"status\"}");
	assert_closed_after("a request within an import", buf_slice(&frames));
	buf_done(&frames);
	assert_int_equal(campaign_count(), 0);
}

static void requests_that_are_not_json_are_refused_and_the_next_one_served(void **state)
{
	struct buf frames;
	char bytes[8192];
	size_t len = 0;
	ssize_t got;
	int fd;

	(void)state;
	fd = raw_open();
	buf_init(&frames, 65536);
	add_frame(&frames, FRAME_REQUEST, "{\"command\":");
	add_frame(&frames, FRAME_REQUEST, "[1]");
	add_frame(&frames, FRAME_REQUEST, "{\"command\":\"status\"}");
	add_frame(&frames, FRAME_REQUEST, "{\"command\":\"campaign.status\"}");
	assert_int_equal(send(fd, frames.ptr, frames.len, MSG_NOSIGNAL), frames.len);
	buf_done(&frames);
	/* Four answers, in order, the last one behind a stream. */
	while (len < sizeof(bytes) - 1) {
		got = read(fd, bytes + len, sizeof(bytes) - 1 - len);
		assert_true(got > 0);
		len += (size_t)got;
		if (memmem(bytes, len, "{\"count\":0}", 11))
			break;
	}
	assert_int_equal(bytes[4], FRAME_ERROR);
	assert_non_null(memmem(bytes, len, "\"uptime_ms\"", 11));
	close(fd);
}

static void a_flood_of_requests_ahead_of_their_answers_is_cut_off(void **state)
{
	struct buf frames;
	int fd;

	(void)state;
	create("news", 10000, 3);
	fd = raw_open();
	buf_init(&frames, 1 << 20);
	for (u32 i = 0; i < 5000; i++)
		add_frame(&frames, FRAME_REQUEST,
			  "{\"command\":\"campaign.report\",\"id\":1,\"limit\":100000}");
	/* It may be closed before all is written. */
	send(fd, frames.ptr, frames.len, MSG_NOSIGNAL);
	buf_done(&frames);
	raw_read_all(fd);
	assert_int_equal(campaign_count(), 1);
}

static void a_client_that_does_not_read_holds_up_nobody(void **state)
{
	struct buf frame;
	char bytes[4096];
	size_t len = 0;
	int fd;

	(void)state;
	create("news", 20000, 3);
	fd = raw_open();
	buf_init(&frame, 4096);
	add_frame(&frame, FRAME_REQUEST,
		  "{\"command\":\"campaign.report\",\"id\":1,\"limit\":100000}");
	assert_int_equal(send(fd, frame.ptr, frame.len, MSG_NOSIGNAL), frame.len);
	buf_done(&frame);
	for (u32 i = 0; i < 20; i++)
		assert_int_equal(campaign_count(), 1);
	create("more", 100, 1);
	/* A client that is only slow gets all of it. */
	while (!memmem(bytes, len, "\"count\":20000", 13)) {
		size_t kept = min_size(len, 64);
		ssize_t got;

		memmove(bytes, bytes + len - kept, kept);
		got = read(fd, bytes + kept, sizeof(bytes) - kept);
		assert_true(got > 0);
		len = kept + (size_t)got;
	}
	close(fd);
}

static void connections_over_the_limit_are_told_so(void **state)
{
	struct control_client *clients[40];
	struct answer answer;
	u32 served = 0;
	u32 refused = 0;

	(void)state;
	for (size_t i = 0; i < array_count(clients); i++)
		clients[i] = client_open();
	for (size_t i = 0; i < array_count(clients); i++) {
		client_ask(clients[i], named("status", NULL), &answer);
		served += answer.end == CONTROL_REPLY;
		refused += answer.end == CONTROL_REFUSED && strcmp(answer.code, "full") == 0;
		answer_done(&answer);
	}
	assert_int_equal(served, CONTROL_LINKS_MAX);
	assert_int_equal(refused, 40 - CONTROL_LINKS_MAX);
	for (size_t i = 0; i < array_count(clients); i++)
		control_client_close(clients[i]);
	/* Their places are free again. */
	for (u32 i = 0; i < PATIENCE_S * 100; i++) {
		answer = ask(named("status", NULL));
		served = answer.end == CONTROL_REPLY;
		answer_done(&answer);
		if (served)
			break;
		usleep(10000);
	}
	assert_int_equal(served, 1);
}

/* ---- the end ---- */

static void stop_is_answered_and_the_connection_ends_with_the_sender(void **state)
{
	struct control_client *client = client_open();
	struct answer answer;
	struct stat st;

	(void)state;
	client_ask(client, named("stop", NULL), &answer);
	assert_int_equal(answer.end, CONTROL_REPLY);
	assert_int_equal(number_of(answer.reply, "sessions"), 0);
	answer_done(&answer);
	assert_true(control_client_wait_closed(client, PATIENCE_S * 1000));
	daemon_join();
	assert_true(atomic_load(&the.stop_was_requested));
	assert_int_equal(stat(the.socket, &st), -1);
	control_client_close(client);
}

static void an_import_under_way_at_the_end_leaves_nothing(void **state)
{
	int fd;

	(void)state;
	fd = raw_import("news", 5000);
	daemon_stop();
	assert_int_equal(raw_read_all(fd), 0);
	daemon_start();
	assert_int_equal(campaign_count(), 0);
}

static void a_socket_left_behind_is_replaced_and_other_files_are_not(void **state)
{
	struct ring_params params = {
		.entries = 64, .files = 64, .accepted = 32, .buffers = 8, .buffer_size = 4096
	};
	struct send_control_params control = { .config = &the.config, .wheel = &the.wheel };
	struct sockaddr_un at = { .sun_family = AF_UNIX };
	struct error error = { "" };
	struct stat st;
	FILE *file;
	int fd;

	(void)state;
	daemon_stop();
	snprintf(at.sun_path, sizeof(at.sun_path), "%s", the.socket);
	fd = socket(AF_UNIX, SOCK_STREAM, 0);
	assert_int_equal(bind(fd, (struct sockaddr *)&at, sizeof(at)), 0);
	close(fd);
	daemon_start();
	assert_int_equal(campaign_count(), 0);
	assert_int_equal(stat(the.socket, &st), 0);
	assert_int_equal(st.st_mode & 0777, 0660);
	daemon_stop();
	file = fopen(the.socket, "w");
	assert_non_null(file);
	fclose(file);
	control.ring = ring_open(&params, &error);
	assert_non_null(control.ring);
	assert_null(send_control_open(&control, &error));
	assert_non_null(strstr(error.text, "no socket"));
	assert_int_equal(stat(the.socket, &st), 0);
	ring_close(control.ring);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, daemon_setup, daemon_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_campaign_of_10000_rows_is_created_and_reported_once_each),
		TEST(a_report_in_pages_has_every_row_once),
		TEST(a_campaign_shows_its_counters),
		TEST(commands_are_refused_in_the_wrong_state),
		TEST(a_cancelled_campaign_reports_its_rows_as_cancelled),
		TEST(a_template_that_would_not_align_is_refused),
		TEST(rows_behind_a_refusal_are_ignored),
		TEST(a_name_that_is_taken_is_a_conflict),
		TEST(an_import_whose_connection_breaks_is_gone),
		TEST(an_import_that_falls_silent_is_gone_after_ten_minutes),
		TEST(rows_that_cannot_be_mailed_are_told_one_by_one),
		TEST(an_import_without_rows_creates_nothing),
		TEST(what_is_not_the_protocol_closes_the_connection),
		TEST(requests_that_are_not_json_are_refused_and_the_next_one_served),
		TEST(a_flood_of_requests_ahead_of_their_answers_is_cut_off),
		TEST(a_client_that_does_not_read_holds_up_nobody),
		TEST(connections_over_the_limit_are_told_so),
		TEST(stop_is_answered_and_the_connection_ends_with_the_sender),
		TEST(an_import_under_way_at_the_end_leaves_nothing),
		TEST(a_socket_left_behind_is_replaced_and_other_files_are_not),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
