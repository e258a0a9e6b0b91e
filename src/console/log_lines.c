#include "console/log_lines.h"

#include "base/text.h"
#include "console/command.h"
#include "console/human.h"
#include "console/link.h"

#include <stdio.h>
#include <unistd.h>

/* ---- lines ---- */

/* What stands behind the time that our own services write; the item has the time already. */
static struct slice without_time(struct slice line)
{
	static const char shape[] = "dddd-dd-ddTdd:dd:dd.dddZ ";

	if (line.len < sizeof(shape) - 1)
		return line;
	for (size_t i = 0; i < sizeof(shape) - 1; i++) {
		bool fits = shape[i] == 'd' ? ascii_is_digit(line.ptr[i]) : line.ptr[i] == shape[i];

		if (!fits)
			return line;
	}
	return slice_from(line, sizeof(shape) - 1);
}

bool log_line_is_trouble(struct slice line)
{
	line = without_time(line);
	return slice_has_prefix(line, SLICE("error ")) || slice_has_prefix(line, SLICE("warn "));
}

void log_line_format(struct buf *out, const json_t *item)
{
	struct slice service = answer_text(item, "service");

	human_time(out, answer_number(item, "time_ms"));
	buf_add_char(out, ' ');
	human_text(out, slice_first(service, 64));
	for (size_t i = service.len; i < 9; i++)
		buf_add_char(out, ' ');
	buf_add_char(out, ' ');
	human_text(out, without_time(answer_text(item, "line")));
}

/* ---- logs ---- */

static void print_item(void *arg, const json_t *item)
{
	struct buf text;

	(void)arg;
	buf_init(&text, 64u << 10);
	log_line_format(&text, item);
	puts(buf_text(&text));
	buf_done(&text);
	fflush(stdout);
}

int logs_run(struct console *console, int argc, char **argv)
{
	static char follow_option[] = "--follow";
	const char *service = NULL;
	bool follows = false;
	u64 lines = 0;
	const struct option options[] = {
		{ "follow", OPTION_FLAG, &follows, NULL, "go on until interrupted; also -f", NULL },
		{ "service", OPTION_TEXT, &service, "SERVICE", "of one service", NULL },
		{ "lines", OPTION_NUMBER, &lines, "N", "how many of the newest (200)", NULL },
	};
	json_t *request;
	json_t *reply;
	int words;
	int code;

	for (int i = 0; i < argc; i++) {
		if (strcmp(argv[i], "-f") == 0)
			argv[i] = follow_option;
	}
	if (!console_options(console, options, array_count(options), argc, argv, &words, &code))
		return code;
	if (words > 1 || (words == 1 && service))
		return console_fail(console, CONSOLE_USAGE, "one service, or all of them");
	if (words == 1)
		service = argv[0];
	if (lines > 100000)
		return console_fail(console, CONSOLE_USAGE, "--lines: at most 100000");
	if (lines == 0)
		lines = follows ? 20 : 200;
	request = json_pack("{s:s, s:I, s:s*, s:b}", "command", "log.read", "lines",
			    (json_int_t)lines, "service", service, "follow", follows);
	code = link_run_init(console, request, follows ? 0 : LINK_PATIENCE_MS, print_item, NULL,
			     &reply);
	json_decref(reply);
	return code;
}
