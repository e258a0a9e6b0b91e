#include "console/rejects.h"

#include "base/text.h"
#include "console/human.h"

#include <errno.h>
#include <fcntl.h>
#include <jansson.h>
#include <string.h>
#include <unistd.h>

bool rejects_open(struct rejects *rejects, const struct console *console, const char *path,
		  struct error *error)
{
	int fd;

	*rejects = (struct rejects){ .console = console, .path = path };
	if (!path)
		return true;
	/* Addresses of people: for the operator's eyes only. */
	fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	if (fd >= 0)
		rejects->file = fdopen(fd, "w");
	if (!rejects->file) {
		error_set_errno(error, errno, "cannot write %s", path);
		if (fd >= 0)
			close(fd);
		return false;
	}
	fputs("line,reason\r\n", rejects->file);
	return true;
}

/* What a spreadsheet takes for the start of a formula. */
static bool is_formula(struct slice text)
{
	return text.len > 0 && text.ptr[0] && strchr("=+-@\t\r", text.ptr[0]) != NULL;
}

void rejects_add_cell(FILE *out, struct slice text)
{
	bool is_quoted = is_formula(text);

	for (size_t i = 0; i < text.len; i++)
		is_quoted |= text.ptr[i] == ',' || text.ptr[i] == '"' || text.ptr[i] == '\r' ||
			     text.ptr[i] == '\n' || text.ptr[i] == ';';
	if (!is_quoted) {
		fwrite(text.ptr, 1, text.len, out);
		return;
	}
	fputc('"', out);
	if (is_formula(text))
		fputc('\'', out);
	for (size_t i = 0; i < text.len; i++) {
		if (text.ptr[i] == '"')
			fputc('"', out);
		fputc(text.ptr[i], out);
	}
	fputc('"', out);
}

static void show_json(u64 line, const char *reason)
{
	json_t *json = json_pack("{s:I, s:s}", "refused_line", (json_int_t)line, "reason", reason);

	/* A reason that quotes bytes which are not UTF-8 has no place in JSON. */
	if (!json)
		json = json_pack("{s:I, s:s}", "refused_line", (json_int_t)line, "reason",
				 "not UTF-8");
	json_dumpf(json, stderr, JSON_COMPACT);
	fputc('\n', stderr);
	json_decref(json);
}

static void show(const struct rejects *rejects, u64 line, const char *reason)
{
	struct buf text;

	if (rejects->count > REJECTS_SHOWN_MAX)
		return;
	if (rejects->console->json) {
		show_json(line, reason);
		return;
	}
	buf_init(&text, 8192);
	human_text(&text, slice_of(reason));
	fprintf(stderr, "line %llu: %s\n", (unsigned long long)line, buf_text(&text));
	buf_done(&text);
	if (rejects->count == REJECTS_SHOWN_MAX)
		fputs("(further refused rows are only counted; --rejects FILE keeps all)\n",
		      stderr);
}

void rejects_add(struct rejects *rejects, u64 line, const char *reason)
{
	rejects->count++;
	if (!rejects->file) {
		show(rejects, line, reason);
		return;
	}
	fprintf(rejects->file, "%llu,", (unsigned long long)line);
	rejects_add_cell(rejects->file, slice_of(reason));
	fputs("\r\n", rejects->file);
}

bool rejects_close(struct rejects *rejects, struct error *error)
{
	FILE *file = rejects->file;
	bool is_whole;

	rejects->file = NULL;
	if (!file)
		return true;
	is_whole = !ferror(file);
	if (fclose(file) != 0 || !is_whole)
		return error_set(error, "%s could not be written whole", rejects->path);
	return true;
}
