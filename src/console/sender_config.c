#include "console/sender_config.h"

#include "base/config.h"
#include "base/durable.h"
#include "base/text.h"
#include "console/command.h"
#include "console/link.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#define GROUP_ON_APPLIANCE 110 /* hikyaku: the sender reads its configuration as one of it */
#define FILE_MODE 0640

bool sender_config_write(const char *path, struct slice text, struct error *error)
{
	struct config config;

	if (!config_parse(&config, text, path, error))
		return false;
	config_free(&config);
	if (!durable_replace(path, text, FILE_MODE, error))
		return false;
	/* Who is not of that group (a test) cannot give it the file. */
	if (link_has_init() && chown(path, (uid_t)-1, GROUP_ON_APPLIANCE) < 0 && errno != EPERM)
		return error_set_errno(error, errno, "%s: its group cannot be set", path);
	return true;
}

static bool read_whole(const char *path, struct buf *out, struct error *error)
{
	bool is_input = strcmp(path, "-") == 0;
	int fd = is_input ? STDIN_FILENO : open(path, O_RDONLY | O_CLOEXEC);
	ssize_t n = 0;

	if (fd < 0)
		return error_set_errno(error, errno, "%s", path);
	do {
		char *room = buf_reserve(out, 4096);

		n = room ? read(fd, room, 4096) : 0;
		if (n > 0)
			buf_advance(out, (size_t)n);
	} while (n > 0 || (n < 0 && errno == EINTR));
	if (n < 0)
		error_set_errno(error, errno, "%s", path);
	if (!is_input)
		close(fd);
	return n == 0 &&
	       (!out->failed || error_set(error, "%s is over %d bytes", path, CONFIG_FILE_MAX));
}

int config_show_run(struct console *console, int argc, char **argv)
{
	char path[CONSOLE_PATH_SIZE];
	struct error error;
	struct buf text;
	int code;

	if (!console_arguments(console, NULL, 0, argc, argv, 0, 0, &code))
		return code;
	buf_init(&text, CONFIG_FILE_MAX + 4096);
	if (read_whole(console_config_path(console, path), &text, &error))
		fwrite(text.ptr, 1, text.len, stdout);
	else
		code = console_fail_error(console, CONSOLE_FAILED, &error);
	buf_done(&text);
	return code;
}

int config_replace_run(struct console *console, int argc, char **argv)
{
	char path[CONSOLE_PATH_SIZE];
	struct error error;
	struct buf text;
	int code;

	if (!console_arguments(console, NULL, 0, argc, argv, 1, 1, &code))
		return code;
	if (strcmp(argv[0], "-") == 0 && isatty(STDIN_FILENO))
		return console_fail(console, CONSOLE_USAGE,
				    "- is standard input, and that is the terminal");
	buf_init(&text, CONFIG_FILE_MAX + 4096);
	if (!read_whole(argv[0], &text, &error) ||
	    !sender_config_write(console_config_path(console, path), buf_slice(&text), &error))
		code = console_fail_error(console, CONSOLE_FAILED, &error);
	else if (!console->json)
		puts("Written. It counts when the sender starts: `service restart send`.");
	buf_done(&text);
	return code;
}
