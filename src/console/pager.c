#include "console/pager.h"

#include "base/buf.h"
#include "base/stream.h"
#include "base/text.h"
#include "console/human.h"
#include "console/terminal.h"

#include <errno.h>
#include <stdio.h>
#include <unistd.h>

#define MORE "-- more -- (space: page, enter: line, q: end)"
#define ERASE "\r                                                \r"
#define LINE_MAX_BYTES 65536

struct pager {
	u32 rows; /* that may be shown before the next question */
	const volatile sig_atomic_t *interrupted;
	struct buf line; /* what came of a line so far */
};

u32 pager_rows(struct slice line, u32 columns)
{
	size_t width = human_width(line);

	return width == 0 ? 1 : (u32)((width + columns - 1) / columns);
}

/* False: no more of it. */
static bool ask(struct pager *pager)
{
	struct terminal_keys keys;
	u32 page = terminal_size(STDOUT_FILENO).rows - 1;
	int key;

	if (!stream_write(STDOUT_FILENO, SLICE(MORE)))
		return false;
	terminal_keys_on(&keys);
	do
		key = terminal_key(-1);
	while (!*pager->interrupted && key != TERMINAL_GONE && key != ' ' && key != '\r' &&
	       key != '\n' && key != 'q' && key != 'Q' && key != 4);
	terminal_keys_off(&keys);
	pager->rows = key == ' ' ? page : 1;
	return stream_write(STDOUT_FILENO, SLICE(ERASE)) && !*pager->interrupted &&
	       (key == ' ' || key == '\r' || key == '\n');
}

static bool show_line(struct pager *pager)
{
	struct slice line = buf_slice(&pager->line);
	u32 columns = terminal_size(STDOUT_FILENO).columns;
	u32 rows = pager_rows(slice_first(line, line.len - 1), columns);

	if (rows > pager->rows && !ask(pager))
		return false;
	pager->rows -= min_u32(rows, pager->rows);
	if (!stream_write(STDOUT_FILENO, line))
		return false;
	buf_reset(&pager->line);
	return true;
}

static bool take(struct pager *pager, struct slice bytes)
{
	while (bytes.len > 0) {
		i64 end = slice_find_char(bytes, '\n');
		size_t len = end < 0 ? bytes.len : (size_t)end + 1;

		buf_add_slice(&pager->line, slice_first(bytes, len));
		bytes = slice_from(bytes, len);
		if (pager->line.failed)
			return false;
		if (end >= 0 && !show_line(pager))
			return false;
	}
	/* A line without an end yet (a question, a huge one) is shown as it is. */
	if (pager->line.len > LINE_MAX_BYTES / 2) {
		if (!stream_write(STDOUT_FILENO, buf_slice(&pager->line)))
			return false;
		buf_reset(&pager->line);
	}
	return true;
}

void pager_run(int from, const volatile sig_atomic_t *interrupted)
{
	struct pager pager = { .rows = terminal_size(STDOUT_FILENO).rows - 1,
			       .interrupted = interrupted };
	char bytes[4096];
	bool goes_on = true;

	buf_init(&pager.line, LINE_MAX_BYTES);
	while (goes_on) {
		ssize_t n = read(from, bytes, sizeof(bytes));

		if (n < 0 && errno == EINTR && !*interrupted)
			continue;
		if (n <= 0)
			break;
		goes_on = take(&pager, (struct slice){ bytes, (size_t)n });
	}
	if (goes_on)
		(void)stream_write(STDOUT_FILENO, buf_slice(&pager.line));
	buf_done(&pager.line);
}
