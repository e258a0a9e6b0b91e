/* `contacts import` and `export`: files of contacts, in and out. */
#include "console/contacts.h"

#include "base/text.h"
#include "console/command.h"
#include "console/human.h"
#include "console/link.h"
#include "console/take_in.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define PATH_MAX_BYTES 60000 /* of a call, condition and columns included */

static const char *const update_words[] = { "filled", "new", "overwrite", NULL };
static const char *const suppressed_words[] = { "keep", "skip", NULL };
static const char *const encoding_words[] = { "utf-8", "utf-16", "cp932", NULL };

const char contacts_import_help[] =
	"Into the customer database of `hikyaku web`: CSV or TSV in UTF-8, Shift_JIS,\n"
	"EUC-JP, ISO-2022-JP or UTF-16 whose first row names the columns; - is standard\n"
	"input. What the columns are is found out by their names and contents. --map says\n"
	"more: COLUMN is a name or #3, or * for all that are not named; TARGET is email,\n"
	"state, ignore, an attribute, list:NAME (who has a yes there joins), new:NAME or\n"
	"new:NAME:TYPE (text, number, date, yes-no). Ctrl-C leaves the import running.\n"
	"\n"
	"Examples:\n"
	"  hikyaku contacts import customers.csv --list news --dry-run\n"
	"  hikyaku contacts import customers.csv --list news --map 'Rank=rank,*=ignore' \\\n"
	"      --consent 'shop, Ginza' --consent-date 2026-11-25T12:00:00+09:00\n"
	"  ssh admin@box contacts import - --list news <customers.csv";

/* ---- the file ---- */

/* Its length has to be known before: what comes by a pipe is kept first, without a name. */
static int spool(const struct console *console, int from)
{
	const char *const folders[] = { getenv("TMPDIR"), getenv("HIKYAKU_FILES"), "/data/files",
					"/var/tmp", "/tmp" };
	int fd = -1;

	for (size_t i = 0; i < array_count(folders) && fd < 0; i++) {
		if (folders[i])
			fd = open(folders[i], O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
	}
	if (fd >= 0 && take_in_copy(from, fd) >= 0)
		return fd;
	console_fail(console, CONSOLE_FAILED, "what comes cannot be kept: %s", strerror(errno));
	if (fd >= 0)
		close(fd);
	return -1;
}

/* -1: said why. */
static int open_file(const struct console *console, const char *path, u64 *size)
{
	bool is_input = strcmp(path, "-") == 0;
	struct stat st;
	int spooled;
	int fd;

	if (is_input && isatty(STDIN_FILENO)) {
		console_fail(console, CONSOLE_USAGE, "- is standard input: say "
			     "`ssh admin@host contacts import - <FILE` elsewhere");
		return -1;
	}
	fd = is_input ? dup(STDIN_FILENO) : open(path, O_RDONLY | O_CLOEXEC);
	if (fd >= 0 && fstat(fd, &st) == 0 && !S_ISREG(st.st_mode)) {
		spooled = spool(console, fd);
		close(fd);
		if (spooled < 0)
			return -1;
		fd = spooled;
	}
	if (fd < 0 || fstat(fd, &st) < 0) {
		console_fail(console, CONSOLE_FAILED, "%s: %s", path, strerror(errno));
		if (fd >= 0)
			close(fd);
		return -1;
	}
	*size = (u64)st.st_size;
	return fd;
}

/* ---- import ---- */

struct import {
	struct console *console;
	struct web_link link;
	const char *path;
	const char *map;
	const char *lists;
	const char *encoding;
	const char *consent;
	const char *consent_date;
	const char *consent_text;
	bool renews;
	bool is_dry;
	u32 update;
	u32 suppressed;
	u64 id;
};

static void show_upload(u64 sent, u64 size)
{
	fprintf(stderr, "\r%3u %% of the file is there \x1b[K",
		(u32)(size > 0 ? sent * 100 / size : 100));
}

static int bring(struct import *import, json_t **made)
{
	const char *slash = strrchr(import->path, '/');
	struct web_upload upload = { .type = "text/csv" };
	struct buf path;
	int code;

	upload.fd = open_file(import->console, import->path, &upload.size);
	if (upload.fd < 0)
		return CONSOLE_FAILED;
	if (!import->console->json && isatty(STDERR_FILENO))
		upload.on_sent = show_upload;
	buf_init(&path, PATH_MAX_BYTES);
	buf_add_text(&path, "imports?name=");
	web_link_add_encoded(&path, slice_of(slash ? slash + 1 : import->path));
	code = web_link_call(&import->link, "POST", buf_text(&path), &upload, made);
	if (upload.on_sent)
		fprintf(stderr, "\r\x1b[K");
	buf_done(&path);
	close(upload.fd);
	if (web_link_is_interrupted())
		code = console_fail(import->console, CONSOLE_FAILED, "nothing is imported");
	return code;
}

static json_t *make_plan(const struct import *import, json_t *columns)
{
	json_t *consent = NULL;

	if (import->consent)
		consent = json_pack("{s:s, s:s*, s:s*, s:b}", "source", import->consent, "date",
				    import->consent_date, "text", import->consent_text, "renews",
				    (int)import->renews);
	return json_pack("{s:o, s:o, s:s, s:s, s:s*, s:o*}", "columns", columns, "lists",
			 contacts_names(import->lists), "update", update_words[import->update],
			 "suppressed", suppressed_words[import->suppressed], "encoding",
			 import->encoding, "consent", consent);
}

/* An answer with the columns as another encoding has them, when one is said. */
static int look_again(struct import *import, json_t **made)
{
	char path[CONTACTS_PATH_SIZE];
	struct buf query;
	int code;

	if (!import->encoding)
		return CONSOLE_OK;
	buf_init(&query, 256);
	buf_add_text(&query, contacts_path(path, import->id, "preview"));
	buf_add_text(&query, "?encoding=");
	web_link_add_encoded(&query, slice_of(import->encoding));
	json_decref(*made);
	code = web_link_call(&import->link, "GET", buf_text(&query), NULL, made);
	buf_done(&query);
	return code;
}

static int plan(struct import *import, const json_t *made)
{
	struct web_upload upload = { .fd = -1, .type = "application/json" };
	char path[CONTACTS_PATH_SIZE];
	struct error error;
	json_t *columns = contacts_map(made, import->map, &error);
	json_t *json;
	char *text;
	int code;

	if (!columns)
		return console_fail_error(import->console, CONSOLE_USAGE, &error);
	json = make_plan(import, columns);
	text = json ? json_dumps(json, JSON_COMPACT) : NULL;
	json_decref(json);
	if (!text)
		return console_fail(import->console, CONSOLE_FAILED,
				    "a text of the command line is no UTF-8");
	upload.text = slice_of(text);
	upload.size = upload.text.len;
	code = web_link_call(&import->link, "POST", contacts_path(path, import->id, "plan"),
			     &upload, &json);
	json_decref(json);
	free(text);
	return code;
}

/* What nobody can go on with is not left there. */
static void discard(struct import *import)
{
	static const struct web_upload nothing = { .fd = -1, .type = "application/json" };
	char path[CONTACTS_PATH_SIZE];
	json_t *json;

	if (web_link_call(&import->link, "POST", contacts_path(path, import->id, "cancel"),
			  &nothing, &json) == CONSOLE_OK)
		json_decref(json);
}

static int run(struct import *import)
{
	json_t *made = NULL;
	int code = bring(import, &made);

	if (code != CONSOLE_OK)
		return code;
	import->id = answer_number(made, "id");
	code = look_again(import, &made);
	if (code == CONSOLE_OK)
		code = plan(import, made);
	json_decref(made);
	if (code != CONSOLE_OK) {
		discard(import);
		return code;
	}
	return contacts_act(&import->link, import->id, import->is_dry ? "try" : "run");
}

int contacts_import_run(struct console *console, int argc, char **argv)
{
	static struct import import;
	const struct option options[] = {
		{ "map", OPTION_TEXT, &import.map, "COLUMN=TARGET,...",
		  "what columns become, where it is not found out", NULL },
		{ "list", OPTION_TEXT, &import.lists, "NAMES", "everybody joins; by commas",
		  NULL },
		{ "update", OPTION_WORD, &import.update, "HOW",
		  "of known contacts: filled (default), new, overwrite", update_words },
		{ "suppressed", OPTION_WORD, &import.suppressed, "HOW",
		  "who is on the sender's list: keep (default), skip", suppressed_words },
		{ "encoding", OPTION_TEXT, &import.encoding, "NAME", "instead of what is found",
		  NULL },
		{ "consent", OPTION_TEXT, &import.consent, "WHERE", "where they agreed", NULL },
		{ "consent-date", OPTION_TEXT, &import.consent_date, "TIME",
		  "when: 2026-11-25T12:00:00+09:00", NULL },
		{ "consent-text", OPTION_TEXT, &import.consent_text, "TEXT", "to what", NULL },
		{ "renews", OPTION_FLAG, &import.renews, NULL,
		  "who had unsubscribed has agreed anew, too", NULL },
		{ "dry-run", OPTION_FLAG, &import.is_dry, NULL, "changes nothing, reports all",
		  NULL },
	};
	int code;

	import = (struct import){ .console = console };
	if (!console_arguments(console, options, array_count(options), argc, argv, 1, 1, &code))
		return code;
	if ((import.renews || import.consent_date || import.consent_text) && !import.consent)
		return console_fail(console, CONSOLE_USAGE, "--consent says where it was given");
	if (import.consent && !import.consent_date)
		return console_fail(console, CONSOLE_USAGE, "--consent-date says when");
	import.path = argv[0];
	code = web_link_open(console, &import.link);
	if (code != CONSOLE_OK)
		return code;
	code = run(&import);
	web_link_close(&import.link);
	return code;
}

/* ---- export ---- */

static void add_query(struct buf *path, const char *name, const char *value)
{
	if (!value)
		return;
	buf_add_format(path, "&%s=", name);
	web_link_add_encoded(path, slice_of(value));
}

/* What the encoding lacks is told beforehand: in the file they are just question marks. */
static int check(struct web_link *link, struct buf *path)
{
	size_t len = path->len;
	json_t *json;
	int code;

	add_query(path, "check", "1");
	code = web_link_call(link, "GET", buf_text(path), NULL, &json);
	path->len = len;
	if (code == CONSOLE_OK && answer_number(json, "replaced") > 0)
		fprintf(stderr, "%llu characters are none of Shift_JIS and become \"?\".\n",
			(unsigned long long)answer_number(json, "replaced"));
	json_decref(json);
	return code;
}

int contacts_export_run(struct console *console, int argc, char **argv)
{
	const char *segment = NULL;
	const char *columns = NULL;
	const char *list = NULL;
	u32 encoding = 0;
	const struct option options[] = {
		{ "segment", OPTION_TEXT, &segment, "TEXT", "those that this condition takes",
		  NULL },
		{ "list", OPTION_TEXT, &list, "NAME", "of this list, but who left it", NULL },
		{ "columns", OPTION_TEXT, &columns, "NAMES", "instead of all; by commas", NULL },
		{ "encoding", OPTION_WORD, &encoding, "NAME", "utf-8 (default), utf-16, cp932",
		  encoding_words },
	};
	struct web_link link;
	struct buf path;
	int code;

	if (!console_arguments(console, options, array_count(options), argc, argv, 0, 0, &code))
		return code;
	if (console->json)
		return console_fail(console, CONSOLE_USAGE, "an export is CSV");
	code = web_link_open(console, &link);
	if (code != CONSOLE_OK)
		return code;
	buf_init(&path, PATH_MAX_BYTES);
	buf_add_format(&path, "contacts/export?encoding=%s", encoding_words[encoding]);
	add_query(&path, "segment", segment);
	add_query(&path, "list", list);
	add_query(&path, "columns", columns);
	fflush(stdout);
	if (path.failed)
		code = console_fail(console, CONSOLE_USAGE, "the condition is too long");
	else if (encoding == 2)
		code = check(&link, &path);
	if (code == CONSOLE_OK)
		code = web_link_download(&link, buf_text(&path), STDOUT_FILENO);
	buf_done(&path);
	web_link_close(&link);
	return code;
}
