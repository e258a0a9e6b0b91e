/*
 * The customer's own web pages, file by file: the folder that `site` of section www names. What is
 * put there is served at once, whole or not at all.
 */
#include "base/config.h"
#include "base/site_path.h"
#include "base/text.h"
#include "console/command.h"
#include "console/human.h"
#include "console/link.h"
#include "console/take_in.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define SITE_DEFAULT "/data/site" /* as long as there is no configuration */
#define NAMES_MAX (16u << 20) /* bytes of those of one folder */

/* Names of a path, without those that could lead elsewhere. */
struct place {
	char text[SITE_PATH_MAX + 1];
	const char *names[SITE_DEPTH_MAX]; /* folders, the file last */
	u32 count;
};

static bool read_place(struct place *place, const char *path)
{
	*place = (struct place){ .count = 0 };
	if (strncmp(path, "./", 2) == 0)
		path += 2;
	if (!site_path_is_valid(slice_of(path)) ||
	    !slice_copy(place->text, sizeof(place->text), slice_of(path)))
		return false;
	for (char *at = place->text; at; place->count++) {
		char *slash = strchr(at, '/');

		if (slash)
			*slash = '\0';
		place->names[place->count] = at;
		at = slash ? slash + 1 : NULL;
	}
	return true;
}

/* The site's folder; -1: told why. */
static int open_site(struct console *console)
{
	char path[CONSOLE_PATH_SIZE];
	struct config config;
	struct error ignored;
	const char *site = SITE_DEFAULT;
	bool has_config = config_read(&config, console_config_path(console, path), &ignored);
	int fd;

	if (has_config)
		site = config.www.site;
	fd = open(site, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0)
		console_fail(console, CONSOLE_FAILED, "%s: %s", site, strerror(errno));
	if (has_config)
		config_free(&config);
	return fd;
}

/* The folder of a place; it and those before it are made if `make`. Closes `site`. -1: errno. */
static int open_folder(int site, const struct place *place, bool make)
{
	int at = site;

	for (u32 i = 0; i + 1 < place->count; i++) {
		int next;

		if (make && mkdirat(at, place->names[i], 0755) == 0) {
			/* Whatever the umask: the web server's user reads it. */
			if (fchmodat(at, place->names[i], 0755, 0) < 0 || fsync(at) < 0) {
				close(at);
				return -1;
			}
		}
		next = openat(at, place->names[i],
			      O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
		close(at);
		if (next < 0)
			return -1;
		at = next;
	}
	return at;
}

/* Reads the one word of a command; false: *code is its answer. */
static bool begin(struct console *console, int argc, char **argv, struct place *place, int *code)
{
	if (!console_arguments(console, NULL, 0, argc, argv, 1, 1, code))
		return false;
	if (read_place(place, argv[0]))
		return true;
	*code = console_fail(console, CONSOLE_USAGE,
			     "a path is like news/index.html: letters, digits and . _ - in each "
			     "name, at most %d of them", SITE_DEPTH_MAX);
	return false;
}

int pages_put_run(struct console *console, int argc, char **argv)
{
	struct place place;
	i64 count = -1;
	int folder;
	int code;

	if (!begin(console, argc, argv, &place, &code))
		return code;
	if (isatty(STDIN_FILENO))
		return console_fail(console, CONSOLE_USAGE,
				    "it comes by standard input; say `ssh admin@host pages put %s "
				    "<%s` elsewhere", argv[0], argv[0]);
	folder = open_site(console);
	if (folder < 0)
		return CONSOLE_FAILED;
	folder = open_folder(folder, &place, true);
	if (folder >= 0) {
		count = take_in(folder, place.names[place.count - 1], 0644, true);
		code = errno;
		close(folder);
		errno = code;
	}
	if (count < 0)
		return console_fail(console, CONSOLE_FAILED, "%s: %s", argv[0], strerror(errno));
	if (!console->json)
		printf("%lld bytes are served at /%s.\n", (long long)count,
		       strncmp(argv[0], "./", 2) == 0 ? argv[0] + 2 : argv[0]);
	return CONSOLE_OK;
}

int pages_remove_run(struct console *console, int argc, char **argv)
{
	struct place place;
	int folder;
	int code;

	if (!begin(console, argc, argv, &place, &code))
		return code;
	folder = open_site(console);
	if (folder < 0)
		return CONSOLE_FAILED;
	folder = open_folder(folder, &place, false);
	if (folder < 0 || unlinkat(folder, place.names[place.count - 1], 0) < 0 ||
	    fsync(folder) < 0) {
		code = errno;
		if (folder >= 0)
			close(folder);
		return console_fail(console, CONSOLE_FAILED, "%s: %s", argv[0], strerror(code));
	}
	close(folder);
	/* Folders that are empty now go from within outwards; the first that is not ends it. */
	while (place.count > 1) {
		folder = open_site(console);
		if (folder < 0)
			return CONSOLE_FAILED;
		place.count--;
		folder = open_folder(folder, &place, false);
		code = folder < 0 ? -1
				  : unlinkat(folder, place.names[place.count - 1], AT_REMOVEDIR);
		if (folder >= 0)
			close(folder);
		if (code < 0)
			break;
	}
	return CONSOLE_OK;
}

/* ---- the list ---- */

struct listing {
	struct console *console;
	struct table table;
};

static void tell(struct listing *listing, const char *path, const struct stat *st)
{
	struct buf size;

	if (listing->console->json) {
		json_t *item = json_pack("{s:s, s:I, s:I}", "path", path, "bytes",
					 (json_int_t)st->st_size, "changed_s",
					 (json_int_t)st->st_mtime);

		link_print_json(item);
		json_decref(item);
		return;
	}
	buf_init(&size, 64);
	human_bytes(&size, (u64)st->st_size);
	table_text(&listing->table, slice_of(path));
	table_text(&listing->table, buf_slice(&size));
	table_time(&listing->table, (u64)st->st_mtime * 1000);
	buf_done(&size);
}

/* Names of a folder, each ended by a NUL, one behind the other. */
static void read_names(DIR *list, struct buf *names, size_t *count)
{
	struct dirent *entry;

	while ((entry = readdir(list))) {
		if (site_name_is_valid(slice_of(entry->d_name), true)) {
			buf_add(names, entry->d_name, strlen(entry->d_name) + 1);
			(*count)++;
		}
	}
}

/* In order; *sorted is the caller's to free. False: no memory, or more than a site has. */
static bool sort_names(const struct buf *names, size_t count, struct slice **sorted)
{
	const char *at = names->ptr;

	*sorted = names->failed ? NULL : calloc(count + 1, sizeof(**sorted));
	for (size_t i = 0; *sorted && i < count; i++) {
		(*sorted)[i] = slice_of(at);
		at += (*sorted)[i].len + 1;
	}
	if (*sorted)
		qsort(*sorted, count, sizeof(**sorted), slice_order);
	return *sorted != NULL;
}

static void list_folder(struct listing *listing, int fd, const char *before, u32 depth);

static void list_entry(struct listing *listing, int folder, const char *before, const char *name,
		       u32 depth)
{
	char path[SITE_PATH_MAX + 2];
	struct stat st;
	int next;

	if (fstatat(folder, name, &st, AT_SYMLINK_NOFOLLOW) < 0 ||
	    (size_t)snprintf(path, sizeof(path), "%s%s%s", before, name,
			     S_ISDIR(st.st_mode) ? "/" : "") >= sizeof(path))
		return;
	if (S_ISREG(st.st_mode) && site_name_is_valid(slice_of(name), false)) {
		tell(listing, path, &st);
	} else if (S_ISDIR(st.st_mode) && depth < SITE_DEPTH_MAX) {
		next = openat(folder, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
		if (next >= 0)
			list_folder(listing, next, path, depth + 1);
	}
}

/* Takes the descriptor. No link is followed; deeper than files can be put is not looked. */
static void list_folder(struct listing *listing, int fd, const char *before, u32 depth)
{
	DIR *list = fdopendir(fd);
	struct slice *sorted = NULL;
	size_t count = 0;
	struct buf names;

	if (!list) {
		close(fd);
		return;
	}
	buf_init(&names, NAMES_MAX);
	read_names(list, &names, &count);
	if (sort_names(&names, count, &sorted)) {
		for (size_t i = 0; i < count; i++)
			list_entry(listing, dirfd(list), before, sorted[i].ptr, depth);
	} else {
		fprintf(stderr, "hikyaku: /%s has too many files to list\n", before);
	}
	free(sorted);
	buf_done(&names);
	closedir(list);
}

int pages_list_run(struct console *console, int argc, char **argv)
{
	static const char *const titles[] = { "path", "size", "changed" };
	struct listing listing = { .console = console };
	int code;
	int site;

	if (!console_arguments(console, NULL, 0, argc, argv, 0, 0, &code))
		return code;
	site = open_site(console);
	if (site < 0)
		return CONSOLE_FAILED;
	table_init(&listing.table, stdout, titles, array_count(titles), 2);
	list_folder(&listing, site, "", 1);
	table_done(&listing.table);
	return CONSOLE_OK;
}
