#include "smtp/command.h"

#include "base/text.h"

#include <string.h>

enum { BYTE_BAD = 1, BYTE_HIGH = 2 };

/* Bytes that may not stand in a path, or only in one beyond ASCII. */
static const u8 path_bytes[256] = {
	[0x00 ... 0x20] = BYTE_BAD, ['<'] = BYTE_BAD,		 ['>'] = BYTE_BAD,
	[0x7f] = BYTE_BAD,	    [0x80 ... 0xff] = BYTE_HIGH,
};

enum smtp_path smtp_path_check(struct slice path)
{
	u8 seen = 0;

	if (path.len > SMTP_PATH_MAX)
		return SMTP_PATH_BAD;
	for (size_t i = 0; i < path.len; i++)
		seen |= path_bytes[(unsigned char)path.ptr[i]];
	if (seen & BYTE_BAD)
		return SMTP_PATH_BAD;
	return seen & BYTE_HIGH ? SMTP_PATH_UTF8 : SMTP_PATH_ASCII;
}

static char *add(char *to, struct slice s)
{
	if (s.len > 0)
		memcpy(to, s.ptr, s.len);
	return to + s.len;
}

/* Length of the local part between quotes that only its dots ask for; 0: there is none. */
static size_t raw_local(struct slice path)
{
	size_t end = 1;

	if (path.len < 2 || path.ptr[0] != '"')
		return 0;
	while (end < path.len && (ascii_is_atext(path.ptr[end]) || path.ptr[end] == '.'))
		end++;
	return end + 1 < path.len && path.ptr[end] == '"' && path.ptr[end + 1] == '@' ? end - 1 : 0;
}

size_t smtp_command_write(char *to, size_t room, const struct smtp_command *command)
{
	size_t raw = command->raw_dots ? raw_local(command->argument) : 0;
	size_t len = command->verb.len + command->argument.len + command->parameters.len +
		     (command->bracketed ? 2 : 0) + 2 - (raw > 0 ? 2 : 0);

	if (smtp_path_check(command->argument) == SMTP_PATH_BAD || len > room)
		return 0;
	to = add(to, command->verb);
	if (command->bracketed)
		*to++ = '<';
	to = add(to, raw > 0 ? slice_first(slice_from(command->argument, 1), raw) : SLICE_NONE);
	to = add(to, slice_from(command->argument, raw > 0 ? raw + 2 : 0));
	if (command->bracketed)
		*to++ = '>';
	to = add(to, command->parameters);
	add(to, SLICE("\r\n"));
	return len;
}

size_t smtp_digits_write(char to[SMTP_DIGITS_MAX], u64 number)
{
	char digits[SMTP_DIGITS_MAX];
	size_t at = sizeof(digits);

	do {
		digits[--at] = (char)('0' + number % 10);
		number /= 10;
	} while (number > 0);
	memcpy(to, digits + at, sizeof(digits) - at);
	return sizeof(digits) - at;
}
