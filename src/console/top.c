/*
 * `top`: the sender live, site by site, on one screen that is redrawn in place.
 */
#include "base/clock.h"
#include "base/text.h"
#include "console/command.h"
#include "console/human.h"
#include "console/link.h"
#include "console/terminal.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#define INTERVAL_MS 2000
#define SITES_MAX 1000
/* With two blanks and the longest state, 79 columns. */
#define SITE_WIDTH 28
#define QUEUED_WIDTH 11
#define DEFERRED_WIDTH 10
#define SESSIONS_WIDTH 9
#define RATE_WIDTH 8

enum order { BY_QUEUE, BY_RATE, BY_SESSIONS, BY_DEFERRED, BY_NAME };

static const struct {
	char key;
	enum order order;
	const char *title;
} orders[] = {
	{ 'u', BY_QUEUE, "queued" },      { 'r', BY_RATE, "rate" },
	{ 's', BY_SESSIONS, "sessions" }, { 'd', BY_DEFERRED, "deferred" },
	{ 'n', BY_NAME, "name" },
};

struct top {
	enum order order;
	u64 interval_ms;
	bool is_paused;
	const json_t *sites[SITES_MAX]; /* of `items` */
	size_t site_count;
	json_t *items;
	struct terminal_size size;
	u32 row;
};

static volatile sig_atomic_t was_stopped;

static void on_stop(int number)
{
	(void)number;
	was_stopped = 1;
}

/* ---- what there is ---- */

static void keep_site(void *arg, const json_t *item)
{
	struct top *top = arg;

	if (top->site_count < SITES_MAX && json_array_append(top->items, (json_t *)item) == 0)
		top->sites[top->site_count++] =
			json_array_get(top->items, json_array_size(top->items) - 1);
}

static int compare(const void *a, const void *b, void *arg)
{
	const struct top *top = arg;
	const json_t *x = *(const json_t *const *)a;
	const json_t *y = *(const json_t *const *)b;
	static const char *const fields[] = { "queued", "rate", "sessions", "deferred" };
	double left;
	double right;

	if (top->order == BY_NAME)
		return strcmp(json_string_value(json_object_get(x, "site")) ?: "",
			      json_string_value(json_object_get(y, "site")) ?: "");
	left = answer_real(x, fields[top->order]);
	right = answer_real(y, fields[top->order]);
	return left < right ? 1 : left > right ? -1 : 0;
}

/* Insertion into order: at most a thousand, most of them in order from the last time. */
static void sort_sites(struct top *top)
{
	for (size_t i = 1; i < top->site_count; i++) {
		const json_t *site = top->sites[i];
		size_t at = i;

		while (at > 0 && compare(&top->sites[at - 1], &site, top) > 0) {
			top->sites[at] = top->sites[at - 1];
			at--;
		}
		top->sites[at] = site;
	}
}

/* ---- drawing ---- */

/* One row of the screen: cut at its width, the rest of the old row wiped. */
static void draw(struct top *top, struct buf *text)
{
	struct slice line = buf_slice(text);

	if (top->row < top->size.rows) {
		while (human_width(line) > top->size.columns - 1)
			line.len--;
		printf("%s%.*s" TERMINAL_CLEAR_LINE, top->row > 0 ? "\r\n" : "", SLICE_FMT(line));
		top->row++;
	}
	buf_reset(text);
}

static void draw_head(struct top *top, const json_t *status, struct buf *text)
{
	const json_t *rates = json_object_get(status, "rates");
	const json_t *totals = json_object_get(status, "totals");
	const json_t *queue = json_object_get(status, "queue");
	const json_t *sessions = json_object_get(status, "sessions");

	human_time(text, clock_wall_ms());
	buf_add_text(text, "  sent ");
	human_rate(text, answer_real(rates, "1m"));
	buf_add_text(text, " 1 min, ");
	human_rate(text, answer_real(rates, "5m"));
	buf_add_text(text, " 5 min; in all ");
	human_number(text, answer_number(totals, "delivered"));
	draw(top, text);
	buf_add_text(text, "queue  ");
	human_number(text, answer_number(queue, "waiting"));
	buf_add_text(text, " waiting, ");
	human_number(text, answer_number(queue, "deferred"));
	buf_add_text(text, " deferred, ");
	human_number(text, answer_number(queue, "in_flight"));
	buf_add_text(text, " in flight; sessions ");
	human_number(text, answer_number(sessions, "open"));
	buf_add_text(text, ", busy ");
	human_number(text, answer_number(sessions, "busy"));
	draw(top, text);
	buf_add_format(text,
		       "keys   q end, p %s, order: u queued, r rate, s sessions, d deferred, "
		       "n name",
		       top->is_paused ? "go on" : "pause");
	draw(top, text);
	draw(top, text);
}

/* A field of `width` columns: numbers to the right. */
static void add_right(struct buf *text, size_t width, const struct buf *value)
{
	for (size_t i = value->len; i < width; i++)
		buf_add_char(text, ' ');
	buf_add_slice(text, buf_slice(value));
}

static void draw_site(struct top *top, const json_t *site, struct buf *text)
{
	static const char *const fields[] = { "queued", "deferred", "sessions" };
	static const size_t widths[] = { QUEUED_WIDTH, DEFERRED_WIDTH, SESSIONS_WIDTH };
	struct buf value;

	buf_init(&value, 4096);
	human_text(&value, slice_first(answer_text(site, "site"), 200));
	value.len = min_size(value.len, SITE_WIDTH);
	buf_add_slice(text, buf_slice(&value));
	for (size_t i = human_width(buf_slice(text)); i < SITE_WIDTH; i++)
		buf_add_char(text, ' ');
	for (size_t i = 0; i < array_count(fields); i++) {
		buf_reset(&value);
		human_number(&value, answer_number(site, fields[i]));
		add_right(text, widths[i], &value);
	}
	buf_reset(&value);
	human_rate(&value, answer_real(site, "rate"));
	add_right(text, RATE_WIDTH, &value);
	if (!slice_equal(answer_text(site, "state"), SLICE("open"))) {
		buf_add_text(text, "  ");
		human_text(text, answer_text(site, "state"));
	}
	draw(top, text);
	buf_done(&value);
}

static void draw_screen(struct top *top, const json_t *status)
{
	struct buf text;

	buf_init(&text, 16384);
	top->size = terminal_size(STDOUT_FILENO);
	top->row = 0;
	fputs(TERMINAL_HOME, stdout);
	draw_head(top, status, &text);
	buf_add_format(&text, "%-*s%*s%*s%*s%*s", SITE_WIDTH, "site", QUEUED_WIDTH, "queued",
		       DEFERRED_WIDTH, "deferred", SESSIONS_WIDTH, "sessions", RATE_WIDTH, "rate");
	draw(top, &text);
	for (size_t i = 0; i < top->site_count && top->row < top->size.rows; i++)
		draw_site(top, top->sites[i], &text);
	if (top->site_count == 0) {
		buf_add_text(&text, "no mail is queued for any site");
		draw(top, &text);
	}
	fputs(TERMINAL_CLEAR_BELOW, stdout);
	fflush(stdout);
	buf_done(&text);
}

/* ---- the loop ---- */

static int ask(const struct console *console, struct control_client *client, struct top *top)
{
	json_t *status;
	json_t *reply;
	int code = link_ask(console, client, json_pack("{s:s}", "command", "status"), NULL, NULL,
			    &status);

	if (code != CONSOLE_OK)
		return code;
	json_array_clear(top->items);
	top->site_count = 0;
	code = link_ask(console, client,
			json_pack("{s:s, s:i}", "command", "queue.list", "limit", SITES_MAX),
			keep_site, top, &reply);
	json_decref(reply);
	if (code == CONSOLE_OK) {
		sort_sites(top);
		draw_screen(top, status);
	}
	json_decref(status);
	return code;
}

/* Waits for the next look. False: the operator has seen enough. */
static bool wait_for_key(struct top *top)
{
	u64 until_ns = clock_mono_ns() + top->interval_ms * NS_PER_MS;

	while (!was_stopped) {
		u64 now_ns = clock_mono_ns();
		int key;

		if (!top->is_paused && now_ns >= until_ns)
			return true;
		key = terminal_key(top->is_paused ? -1
						  : (int)((until_ns - now_ns) / NS_PER_MS) + 1);
		if (key == 'q' || key == 'Q' || (key == TERMINAL_GONE && !isatty(STDIN_FILENO)))
			return false;
		if (key == 'p')
			top->is_paused = !top->is_paused;
		for (size_t i = 0; i < array_count(orders); i++) {
			if (key == orders[i].key) {
				top->order = orders[i].order;
				return true;
			}
		}
		if (key == 'p' || key == ' ')
			return true;
	}
	return false;
}

static int run(const struct console *console, struct control_client *client, struct top *top)
{
	struct sigaction action = { .sa_handler = on_stop };
	struct terminal_keys keys;
	int code;

	sigaction(SIGINT, &action, NULL);
	sigaction(SIGTERM, &action, NULL);
	terminal_keys_on(&keys);
	fputs(TERMINAL_HOME TERMINAL_CLEAR_BELOW, stdout);
	do
		code = ask(console, client, top);
	while (code == CONSOLE_OK && wait_for_key(top));
	terminal_keys_off(&keys);
	printf("\033[%u;1H" TERMINAL_CLEAR_LINE, top->size.rows ? top->size.rows : 24);
	fflush(stdout);
	return code;
}

int top_run(struct console *console, int argc, char **argv)
{
	struct control_client *client;
	struct top *top;
	u64 interval_ms = INTERVAL_MS;
	const struct option options[] = {
		{ "interval", OPTION_DURATION, &interval_ms, "TIME", "between two looks (2s)",
		  NULL },
	};
	int code;

	if (!console_arguments(console, options, array_count(options), argc, argv, 0, 0, &code))
		return code;
	if (interval_ms < 100)
		return console_fail(console, CONSOLE_USAGE, "--interval must be 100ms or more");
	if (!terminal_can_draw() || !isatty(STDIN_FILENO))
		return console_fail(console, CONSOLE_FAILED,
				    "top needs a terminal; `status` and `queue list` do not");
	code = link_open(console, &client);
	if (code != CONSOLE_OK)
		return code;
	top = calloc(1, sizeof(*top));
	if (top) {
		top->interval_ms = interval_ms;
		top->items = json_array();
		code = run(console, client, top);
		json_decref(top->items);
	}
	free(top);
	control_client_close(client);
	return top ? code : CONSOLE_FAILED;
}
