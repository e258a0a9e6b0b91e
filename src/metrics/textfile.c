/*
 * Metrics of others on the sender's page: files NAME.prom of one folder, in the text format 0.0.4,
 * written whole by rename(2). On the appliance that is init, which tells of machine and services.
 */
#include "base/text.h"
#include "metrics/metrics_parts.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define FILE_MAX (256u << 10)
#define FILES_MAX 16

/* OpenMetrics names a counter's family without the _total of its samples. */
static void add_line(struct buf *out, struct slice line, bool openmetrics)
{
	struct slice rest = line;
	struct slice name;

	if (!openmetrics || !slice_has_prefix(line, SLICE("# "))) {
		buf_add_slice(out, line);
	} else {
		slice_split(&rest, ' ');
		buf_add_text(out, "# ");
		buf_add_slice(out, slice_split(&rest, ' '));
		name = slice_split(&rest, ' ');
		if (name.len > 6 && slice_equal(slice_from(name, name.len - 6), SLICE("_total")))
			name.len -= 6;
		buf_add_char(out, ' ');
		buf_add_slice(out, name);
		buf_add_char(out, ' ');
		if (rest.ptr)
			buf_add_slice(out, rest);
	}
	buf_add_char(out, '\n');
}

static void add_file(struct buf *out, int folder, const char *name, bool openmetrics)
{
	int fd = openat(folder, name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	struct buf text;
	struct slice rest;
	ssize_t n = -1;

	if (fd < 0)
		return;
	buf_init(&text, FILE_MAX);
	if (buf_reserve(&text, FILE_MAX))
		n = read(fd, text.ptr, FILE_MAX);
	close(fd);
	/* Half a page is worse than none: what is too long is left out. */
	if (n > 0 && n < (ssize_t)FILE_MAX && text.ptr[n - 1] == '\n') {
		rest = (struct slice){ text.ptr, (size_t)n - 1 };
		while (rest.ptr)
			add_line(out, slice_split(&rest, '\n'), openmetrics);
	}
	buf_done(&text);
}

void metrics_add_textfiles(const char *folder, bool openmetrics, struct buf *out)
{
	DIR *list = opendir(folder);
	u32 count = 0;

	if (!list)
		return; /* nobody has written any yet */
	for (struct dirent *entry; count < FILES_MAX && (entry = readdir(list));) {
		struct slice name = slice_of(entry->d_name);

		if (name.len <= 5 || name.ptr[0] == '.' ||
		    !slice_equal(slice_from(name, name.len - 5), SLICE(".prom")))
			continue;
		add_file(out, dirfd(list), entry->d_name, openmetrics);
		count++;
	}
	closedir(list);
}
