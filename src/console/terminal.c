#include "console/terminal.h"

#include "base/text.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <unistd.h>

struct terminal_size terminal_size(int fd)
{
	struct winsize size;

	if (ioctl(fd, TIOCGWINSZ, &size) < 0 || size.ws_row < 2 || size.ws_col < 10)
		return (struct terminal_size){ 24, 80 };
	return (struct terminal_size){ size.ws_row, size.ws_col };
}

bool terminal_can_draw(void)
{
	const char *term = getenv("TERM");

	return isatty(STDOUT_FILENO) && term && *term && strcmp(term, "dumb") != 0;
}

void terminal_keys_on(struct terminal_keys *keys)
{
	struct termios mode;

	keys->is_on = tcgetattr(STDIN_FILENO, &keys->saved) == 0;
	if (!keys->is_on)
		return;
	mode = keys->saved;
	mode.c_lflag &= ~(tcflag_t)(ICANON | ECHO);
	mode.c_cc[VMIN] = 1;
	mode.c_cc[VTIME] = 0;
	keys->is_on = tcsetattr(STDIN_FILENO, TCSANOW, &mode) == 0;
}

void terminal_keys_off(struct terminal_keys *keys)
{
	if (keys->is_on)
		(void)tcsetattr(STDIN_FILENO, TCSANOW, &keys->saved); /* a gone line has none */
	keys->is_on = false;
}

int terminal_key(int timeout_ms)
{
	struct pollfd ready = { .fd = STDIN_FILENO, .events = POLLIN };
	u8 byte;
	int n = poll(&ready, 1, timeout_ms);

	if (n == 0)
		return TERMINAL_NO_KEY;
	if (n < 0 || read(STDIN_FILENO, &byte, 1) != 1)
		return TERMINAL_GONE;
	/* What an arrow or function key sends behind ESC comes at once; it means nothing here. */
	if (byte == 27) {
		u8 rest;

		while (poll(&ready, 1, 20) > 0 && read(STDIN_FILENO, &rest, 1) == 1) {
			if (ascii_is_alpha((char)rest) || rest == '~')
				break;
		}
	}
	return byte;
}

bool terminal_ask(const char *question, char *answer, size_t size)
{
	size_t len = 0;
	char c;

	fflush(stdout);
	fputs(question, stderr);
	fflush(stderr);
	for (;;) {
		ssize_t n = read(STDIN_FILENO, &c, 1);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return false;
		if (c == '\n')
			break;
		if (len + 1 >= size)
			return false;
		if (c != '\r')
			answer[len++] = c;
	}
	answer[len] = '\0';
	return true;
}

bool terminal_confirm(const char *question)
{
	char prompt[256];
	char answer[16];

	if (!isatty(STDIN_FILENO))
		return true;
	snprintf(prompt, sizeof(prompt), "%s Type yes to go on: ", question);
	return terminal_ask(prompt, answer, sizeof(answer)) && strcmp(answer, "yes") == 0;
}
