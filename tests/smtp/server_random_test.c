/*
 * Random pipelines against a model of the server: commands in any order, in packets of any size,
 * with answers at once or late and replies taken at any moment. The model is written from RFC 5321
 * and 3030 as a list of cases; it says the code of every reply and which messages are taken.
 * `SEED=n` repeats one run.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/random.h"
#include "smtp/dialogue.h"

#define COMMANDS_MAX 60
#define RUNS 20000

struct model {
	bool hello;
	bool mail;
	u32 tried;
	u32 accepted;
	bool chunked;
	bool failed; /* a chunk of this transaction was refused */
	struct buf content;
};

struct run {
	struct random random;
	struct model model;
	struct buf wire;  /* what the client says until it has to listen */
	struct buf codes; /* what it has to hear */
	struct buf taken; /* messages, in order: size and a line end each */
	struct host host;
	struct buf heard;
	struct buf got;
};

static u64 current_seed;
static u32 taken_count;

static u64 below(struct run *run, u64 bound)
{
	return random_below(&run->random, bound);
}

static void expect(struct run *run, const char *codes)
{
	buf_add_text(&run->codes, codes);
}

static void model_clear(struct model *model)
{
	model->mail = false;
	model->tried = 0;
	model->accepted = 0;
	model->chunked = false;
	model->failed = false;
	buf_reset(&model->content);
}

/* The whole message is there. */
static void model_end(struct run *run)
{
	struct slice content = buf_slice(&run->model.content);

	if (slice_has_prefix(content, SLICE("refuse"))) {
		expect(run, "554 ");
	} else {
		expect(run, "250 ");
		buf_add_format(&run->taken, "%zu %.*s\n", content.len, SLICE_FMT(content));
	}
	model_clear(&run->model);
}

static void do_hello(struct run *run)
{
	buf_add_text(&run->wire, below(run, 2) ? "EHLO c.test\r\n" : "HELO c\r\n");
	expect(run, "250 ");
	model_clear(&run->model);
	run->model.hello = true;
}

static void do_mail(struct run *run)
{
	static const char *const lines[] = { "MAIL FROM:<a@x.test>\r\n", "MAIL FROM:<>\r\n",
					     "MAIL FROM:<later@x.test>\r\n", "MAIL FROM:<no@x.test>\r\n",
					     "MAIL FROM:<a\r\n" };
	static const char *const codes[] = { "250 ", "250 ", "451 ", "550 ", "501 " };
	u64 which = below(run, 10) ? below(run, 2) : below(run, 5);

	buf_add_text(&run->wire, lines[which]);
	if (!run->model.hello || run->model.mail) {
		expect(run, "503 ");
		return;
	}
	expect(run, codes[which]);
	run->model.mail = which < 2;
}

static void do_rcpt(struct run *run)
{
	static const char *const lines[] = { "RCPT TO:<b@y.test>\r\n", "RCPT TO:<no@y.test>\r\n",
					     "RCPT TO:<later@y.test>\r\n", "RCPT TO:<>\r\n" };
	static const char *const codes[] = { "250 ", "550 ", "451 ", "501 " };
	struct model *model = &run->model;
	u64 which = below(run, 4) ? 0 : below(run, 4);

	buf_add_text(&run->wire, lines[which]);
	if (!model->mail || model->chunked) {
		expect(run, "503 ");
		return;
	}
	model->tried++;
	expect(run, model->accepted == 3 ? "452 " : codes[which]);
	model->accepted += which == 0 && model->accepted < 3;
}

/* A few lines; *bare: one of them has an end that is none. */
static void make_content(struct run *run, struct buf *content, bool *bare)
{
	static const char *const lines[] = { ".\r\n", "..\r\n", "x\r\n", "\r\n", ".y\r\n", "refuse\r\n",
					     "MAIL FROM:<a@x.test>\r\n" };

	*bare = below(run, 12) == 0;
	for (u64 i = below(run, 5); i > 0; i--)
		buf_add_text(content, lines[below(run, array_count(lines))]);
	if (*bare)
		buf_add_text(content, below(run, 2) ? "a\nb\r\n" : "a\r.\r\n");
}

static void add_stuffed(struct run *run, struct slice content)
{
	for (size_t i = 0; i < content.len; i++) {
		if (content.ptr[i] == '.' &&
		    (i == 0 || (i > 1 && content.ptr[i - 1] == '\n' && content.ptr[i - 2] == '\r')))
			buf_add_char(&run->wire, '.');
		buf_add_char(&run->wire, content.ptr[i]);
	}
	buf_add_text(&run->wire, ".\r\n");
}

static void listen_now(struct run *run);

/* False: the server closes. */
static bool do_data(struct run *run)
{
	struct model *model = &run->model;
	bool bare;

	buf_add_text(&run->wire, "DATA\r\n");
	if (!model->mail || model->chunked || model->accepted == 0) {
		expect(run, model->mail && !model->chunked && model->tried > 0 ? "554 " : "503 ");
		listen_now(run);
		return true;
	}
	expect(run, "354 ");
	listen_now(run);
	make_content(run, &model->content, &bare);
	add_stuffed(run, buf_slice(&model->content));
	if (bare || model->content.len > 100) {
		expect(run, bare ? "550 " : "552 ");
		model_clear(model);
		return !bare;
	}
	model_end(run);
	return true;
}

/* False: the server closes. */
static bool do_bdat(struct run *run)
{
	struct model *model = &run->model;
	bool last = below(run, 2);
	struct buf chunk;
	bool bare;

	buf_init(&chunk, 4096);
	make_content(run, &chunk, &bare);
	buf_add_format(&run->wire, "BDAT %zu%s\r\n", chunk.len, last ? " LAST" : "");
	buf_add_slice(&run->wire, buf_slice(&chunk));
	if (!model->mail) {
		/* What else is wrong with it makes no difference. */
		expect(run, "503 ");
		buf_done(&chunk);
		return true;
	}
	buf_add_slice(&model->content, buf_slice(&chunk));
	buf_done(&chunk);
	model->chunked = true;
	if (model->content.len > 200) {
		expect(run, "552 ");
		return false;
	}
	if (model->accepted == 0) {
		expect(run, "554 ");
		model->failed = true;
	} else if (bare || (model->failed && slice_find(buf_slice(&model->content), SLICE("a\n")) >= 0) ||
		   slice_find(buf_slice(&model->content), SLICE("a\r.")) >= 0) {
		expect(run, "550 ");
		model->failed = true;
	} else if (model->content.len > 100) {
		expect(run, "552 ");
		model->failed = true;
	} else if (last) {
		model_end(run);
	} else {
		expect(run, "250 ");
	}
	if (last && model->failed)
		model_clear(model);
	return true;
}

static void do_other(struct run *run)
{
	static const char *const lines[] = { "NOOP\r\n", "VRFY x\r\n", "HELP\r\n", "BLAH\r\n",
					     "AUTH PLAIN\r\n", "DATA x\r\n", "noop x \r\n", "\r\n" };
	static const char *const codes[] = { "250 ", "252 ", "214 ", "500 ",
					     "502 ", "501 ", "250 ", "500 " };
	u64 which = below(run, array_count(lines));

	buf_add_text(&run->wire, lines[which]);
	expect(run, codes[which]);
	if (which == 5)
		listen_now(run);
}

static void do_rset(struct run *run)
{
	buf_add_text(&run->wire, "RSET\r\n");
	expect(run, "250 ");
	model_clear(&run->model);
}

/* The codes of what was said, without the lines of a reply that others follow. */
static void hear(struct run *run)
{
	struct slice rest = buf_slice(&run->host.said);

	while (rest.len > 0) {
		struct slice line = slice_split(&rest, '\n');

		if (line.len > 3 && line.ptr[3] == ' ')
			buf_add_slice(&run->heard, slice_first(line, 4));
	}
	buf_reset(&run->host.said);
}

static void listen_now(struct run *run)
{
	struct slice bytes = buf_slice(&run->wire);
	u64 longest = below(run, 3) ? 200 : 5;

	while (bytes.len > 0 && !run->host.over) {
		struct slice packet = slice_first(bytes, below(run, longest) + 1);

		host_packet(&run->host, packet);
		bytes = slice_from(bytes, packet.len);
		/* Sends in full only: what follows EHLO or DATA is never in this batch. */
		if (below(run, 4) == 0)
			dialogue_settle(&run->host);
	}
	dialogue_settle(&run->host);
	hear(run);
	buf_reset(&run->wire);
}

static void on_taken(struct host *host)
{
	struct run *run = host->user;

	buf_add_format(&run->got, "%zu %.*s\n", host->content.len,
		       SLICE_FMT(buf_slice(&host->content)));
	taken_count++;
}

/* One command or more; false: the server has closed. */
static bool do_something(struct run *run)
{
	switch (below(run, 12)) {
	case 0:
		do_hello(run);
		listen_now(run);
		return true;
	case 1:
		do_other(run);
		return true;
	case 2:
		if (below(run, 3) == 0)
			do_rset(run);
		return true;
	case 3:
	case 4:
	case 5:
		do_mail(run);
		return true;
	case 6:
	case 7:
	case 8:
		do_rcpt(run);
		return true;
	case 9:
		return do_bdat(run);
	default:
		return do_data(run);
	}
}

static void run_seed(u64 seed)
{
	struct smtp_server_params params = dialogue_params(PORT_MX);
	struct run run = { .wire = { 0 } };
	bool open = true;

	current_seed = seed;
	random_seed(&run.random, seed);
	params.errors_max = COMMANDS_MAX * 2;
	params.idle_max = COMMANDS_MAX * 2;
	buf_init(&run.wire, 1u << 20);
	buf_init(&run.codes, 1u << 20);
	buf_init(&run.taken, 1u << 20);
	buf_init(&run.heard, 1u << 20);
	buf_init(&run.got, 1u << 20);
	buf_init(&run.model.content, 1u << 20);
	host_init(&run.host, &params);
	run.host.taken = on_taken;
	run.host.user = &run;
	run.host.answers_late = below(&run, 2);
	host_start(&run.host, false);
	expect(&run, "220 ");
	listen_now(&run);
	for (u32 i = 0; i < COMMANDS_MAX && open; i++)
		open = do_something(&run);
	listen_now(&run);
	host_check(run.host.over == !open, "closed, or not");
	host_check(strcmp(buf_text(&run.heard), buf_text(&run.codes)) == 0, "heard %s, not %s",
		   buf_text(&run.heard), buf_text(&run.codes));
	host_check(slice_equal(buf_slice(&run.got), buf_slice(&run.taken)), "took '%s', not '%s'",
		   buf_text(&run.got), buf_text(&run.taken));
	buf_done(&run.wire);
	buf_done(&run.codes);
	buf_done(&run.taken);
	buf_done(&run.heard);
	buf_done(&run.got);
	buf_done(&run.model.content);
	host_done(&run.host);
}

static void the_server_does_what_the_model_says(void **state)
{
	const char *seed = getenv("SEED");

	(void)state;
	if (seed) {
		run_seed(strtoull(seed, NULL, 10));
		return;
	}
	for (u64 i = 1; i <= RUNS; i++)
		run_seed(i);
	assert_true(taken_count > RUNS);
}

static int say_seed(void **state)
{
	(void)state;
	printf("last seed: SEED=%llu, %u messages taken\n", (unsigned long long)current_seed,
	       taken_count);
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_teardown(the_server_does_what_the_model_says, say_seed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
