#include "console/recipients.h"

#include "base/csv.h"
#include "base/text.h"
#include "campaign/intake.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define CHUNK (64u << 10)

struct recipients {
	struct recipients_params params;
	struct intake *intake;
	int fd;
	u64 bytes_read;
	u64 bytes_total;
	char names[INTAKE_COLUMNS_MAX][INTAKE_NAME_MAX + 1];
	const char *columns[INTAKE_COLUMNS_MAX];
	size_t column_count;
	char chunk[CHUNK];
};

struct recipients *recipients_open(const struct recipients_params *params, struct error *error)
{
	struct recipients *recipients = calloc(1, sizeof(*recipients));
	struct stat info;

	if (!recipients) {
		error_set(error, "out of memory");
		return NULL;
	}
	recipients->params = *params;
	recipients->fd = strcmp(params->path, "-") == 0 ?
				 STDIN_FILENO :
				 open(params->path, O_RDONLY | O_CLOEXEC);
	recipients->intake = intake_open(params->delimiter);
	if (recipients->fd < 0)
		error_set_errno(error, errno, "cannot read %s", params->path);
	else if (!recipients->intake)
		error_set(error, "out of memory");
	if (recipients->fd < 0 || !recipients->intake) {
		recipients_close(recipients);
		return NULL;
	}
	if (fstat(recipients->fd, &info) == 0 && S_ISREG(info.st_mode))
		recipients->bytes_total = (u64)info.st_size;
	return recipients;
}

void recipients_close(struct recipients *recipients)
{
	if (!recipients)
		return;
	intake_close(recipients->intake);
	if (recipients->fd > STDIN_FILENO)
		close(recipients->fd);
	free(recipients);
}

/* The next bytes of the file to the intake; false: it cannot be read. */
static bool feed(struct recipients *recipients, struct error *error)
{
	ssize_t n;

	do {
		n = read(recipients->fd, recipients->chunk, sizeof(recipients->chunk));
	} while (n < 0 && errno == EINTR);
	if (n < 0)
		return error_set_errno(error, errno, "cannot read %s", recipients->params.path);
	if (n == 0) {
		intake_finish(recipients->intake);
		return true;
	}
	recipients->bytes_read += (u64)n;
	intake_feed(recipients->intake, (struct slice){ recipients->chunk, (size_t)n });
	return true;
}

/* The sentence without the line's number in front, which is told apart. */
static const char *reason_of(const struct error *error, u64 line)
{
	char prefix[32];
	int n = snprintf(prefix, sizeof(prefix), "line %llu: ", (unsigned long long)line);

	return strncmp(error->text, prefix, (size_t)n) == 0 ? error->text + n : error->text;
}

/* Handles one event of the intake: 1 go on, 0 more bytes are needed or it is the end, -1 failed. */
static int take_event(struct recipients *recipients, enum intake_event *event, struct error *error)
{
	const struct recipients_params *params = &recipients->params;
	struct intake_row row;

	*event = intake_next(recipients->intake, &row, error);
	switch (*event) {
	case INTAKE_ROW:
		params->on_row(params->arg, row.address, row.values);
		return 1;
	case INTAKE_BAD:
	case INTAKE_DUPLICATE:
		params->on_refused(params->arg, row.line, reason_of(error, row.line));
		return 1;
	case INTAKE_MORE:
	case INTAKE_END:
		return 0;
	case INTAKE_FAILED:
		break;
	}
	error_prefix(error, "%s", params->path);
	return -1;
}

static void keep_columns(struct recipients *recipients)
{
	recipients->column_count = intake_column_count(recipients->intake);
	for (size_t i = 0; i < recipients->column_count; i++) {
		slice_copy(recipients->names[i], sizeof(recipients->names[i]),
			   intake_column(recipients->intake, i));
		recipients->columns[i] = recipients->names[i];
	}
}

bool recipients_read_header(struct recipients *recipients, struct error *error)
{
	enum intake_event event;
	int more;

	do {
		more = take_event(recipients, &event, error);
		if (more < 0 || (event == INTAKE_MORE && !feed(recipients, error)))
			return false;
	} while (event == INTAKE_MORE);
	keep_columns(recipients);
	return true;
}

size_t recipients_columns(const struct recipients *recipients, const char *const **columns)
{
	*columns = recipients->columns;
	return recipients->column_count;
}

int recipients_read(struct recipients *recipients, struct error *error)
{
	enum intake_event event;
	int more;

	do {
		more = take_event(recipients, &event, error);
	} while (more > 0);
	if (more < 0)
		return -1;
	if (event == INTAKE_END)
		return 0;
	return feed(recipients, error) ? 1 : -1;
}

void recipients_counts(const struct recipients *recipients, struct recipients_counts *counts)
{
	struct intake_counts rows;

	intake_counts(recipients->intake, &rows);
	*counts = (struct recipients_counts){
		.accepted = rows.accepted,
		.quoted = rows.quoted,
		.refused = rows.bad + rows.duplicates,
		.duplicates = rows.duplicates,
		.bytes_read = recipients->bytes_read,
		.bytes_total = recipients->bytes_total,
	};
}
