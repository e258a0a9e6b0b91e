/*
 * Files on the appliance: templates and recipients come by ssh, backups go. There is one folder for
 * them and no other way in or out.
 */
#include "base/text.h"
#include "console/command.h"
#include "console/take_in.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define FOLDER "/data/backup"
#define NAME_MAX_BYTES 128

/* HIKYAKU_FILES names another, for tests. */
static const char *folder_path(void)
{
	const char *other = getenv("HIKYAKU_FILES");

	return other ? other : FOLDER;
}

/* Also what a shell or a terminal could take for something else is no name. */
static bool is_name(const char *name)
{
	size_t len = strlen(name);

	if (len == 0 || len > NAME_MAX_BYTES || name[0] == '.' || name[0] == '-')
		return false;
	for (size_t i = 0; i < len; i++) {
		if (!ascii_is_alpha(name[i]) && !ascii_is_digit(name[i]) && name[i] != '.' &&
		    name[i] != '_' && name[i] != '-')
			return false;
	}
	return true;
}

static int open_folder(const struct console *console)
{
	int folder = open(folder_path(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	if (folder < 0)
		console_fail(console, CONSOLE_FAILED, "%s: %s", folder_path(), strerror(errno));
	return folder;
}

/* The folder of a command that takes one name; -1: *code is its answer. */
static int begin(struct console *console, int argc, char **argv, int *code)
{
	int folder;

	if (!console_arguments(console, NULL, 0, argc, argv, 1, 1, code))
		return -1;
	if (!is_name(argv[0])) {
		*code = console_fail(console, CONSOLE_USAGE,
				     "a name is of letters, digits and . _ -, without folders");
		return -1;
	}
	folder = open_folder(console);
	if (folder < 0)
		*code = CONSOLE_FAILED;
	return folder;
}

int file_put_run(struct console *console, int argc, char **argv)
{
	int code;
	int folder = begin(console, argc, argv, &code);
	i64 count;

	if (folder < 0)
		return code;
	if (isatty(STDIN_FILENO)) {
		close(folder);
		return console_fail(console, CONSOLE_USAGE,
				    "it comes by standard input; say "
				    "`ssh admin@host file put %s <%s` elsewhere", argv[0], argv[0]);
	}
	count = take_in(folder, argv[0], 0640, false);
	close(folder);
	if (count < 0)
		return console_fail(console, CONSOLE_FAILED, "%s: %s", argv[0], strerror(errno));
	if (!console->json)
		printf("%lld bytes are in %s/%s.\n", (long long)count, folder_path(), argv[0]);
	return CONSOLE_OK;
}

int file_get_run(struct console *console, int argc, char **argv)
{
	int code;
	int folder = begin(console, argc, argv, &code);
	i64 count;
	int fd;

	if (folder < 0)
		return code;
	fd = openat(folder, argv[0], O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	close(folder);
	if (fd < 0)
		return console_fail(console, CONSOLE_FAILED, "%s: %s", argv[0], strerror(errno));
	fflush(stdout);
	count = take_in_copy(fd, STDOUT_FILENO);
	code = errno;
	close(fd);
	return count < 0 ? console_fail(console, CONSOLE_FAILED, "%s: %s", argv[0], strerror(code))
			 : CONSOLE_OK;
}

int file_remove_run(struct console *console, int argc, char **argv)
{
	int code;
	int folder = begin(console, argc, argv, &code);

	if (folder < 0)
		return code;
	if (unlinkat(folder, argv[0], 0) != 0)
		code = console_fail(console, CONSOLE_FAILED, "%s: %s", argv[0], strerror(errno));
	else
		code = CONSOLE_OK;
	close(folder);
	return code;
}

static void print_file(const struct console *console, const char *name, const struct stat *st)
{
	if (console->json)
		printf("{\"name\": \"%s\", \"bytes\": %lld, \"modified_ms\": %lld}\n", name,
		       (long long)st->st_size, (long long)st->st_mtime * 1000);
	else
		printf("%14lld  %s\n", (long long)st->st_size, name);
}

static int compare_names(const struct dirent **a, const struct dirent **b)
{
	return strcmp((*a)->d_name, (*b)->d_name);
}

static int is_shown(const struct dirent *entry)
{
	return is_name(entry->d_name);
}

int file_list_run(struct console *console, int argc, char **argv)
{
	struct dirent **entries;
	int code;
	int count;

	if (!console_arguments(console, NULL, 0, argc, argv, 0, 0, &code))
		return code;
	count = scandir(folder_path(), &entries, is_shown, compare_names);
	if (count < 0)
		return console_fail(console, CONSOLE_FAILED, "%s: %s", folder_path(),
				    strerror(errno));
	for (int i = 0; i < count; i++) {
		char path[CONSOLE_PATH_SIZE];
		struct stat st;

		snprintf(path, sizeof(path), "%s/%s", folder_path(), entries[i]->d_name);
		if (stat(path, &st) == 0)
			print_file(console, entries[i]->d_name, &st);
		free(entries[i]);
	}
	free(entries);
	return CONSOLE_OK;
}
