#include "smtp/command.h"

#include <string.h>

enum smtp_path smtp_path_check(struct slice path)
{
	unsigned char high = 0;

	if (path.len > SMTP_PATH_MAX)
		return SMTP_PATH_BAD;
	for (size_t i = 0; i < path.len; i++) {
		unsigned char byte = (unsigned char)path.ptr[i];

		if (byte <= 0x20 || byte == 0x7f || byte == '<' || byte == '>')
			return SMTP_PATH_BAD;
		high |= byte;
	}
	return high & 0x80 ? SMTP_PATH_UTF8 : SMTP_PATH_ASCII;
}

static char *add(char *to, struct slice s)
{
	if (s.len > 0)
		memcpy(to, s.ptr, s.len);
	return to + s.len;
}

size_t smtp_command_write(char *to, size_t room, const struct smtp_command *command)
{
	size_t len = command->verb.len + command->argument.len + command->parameters.len +
		     (command->bracketed ? 2 : 0) + 2;

	if (smtp_path_check(command->argument) == SMTP_PATH_BAD || len > room)
		return 0;
	to = add(to, command->verb);
	if (command->bracketed)
		*to++ = '<';
	to = add(to, command->argument);
	if (command->bracketed)
		*to++ = '>';
	to = add(to, command->parameters);
	add(to, SLICE("\r\n"));
	return len;
}
