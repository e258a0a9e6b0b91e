#include "console/who.h"

#include "base/text.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

/* The n-th word of "client-address client-port server-address server-port". */
static struct slice connection_word(u32 n)
{
	const char *text = getenv("SSH_CONNECTION");
	struct slice rest = slice_of(text ? text : "");
	struct slice word = SLICE("");

	for (u32 i = 0; i <= n; i++)
		word = rest.ptr ? slice_split(&rest, ' ') : SLICE("");
	return word;
}

bool who_is_remote(void)
{
	return connection_word(0).len > 0;
}

void who_local_address(char address[64])
{
	if (!slice_copy(address, 64, connection_word(2)))
		address[0] = '\0';
}

static void make_plain(char *text)
{
	for (; *text; text++) {
		if ((u8)*text < 0x20 || (u8)*text >= 0x7f)
			*text = '?';
	}
}

void who_describe(char who[WHO_SIZE])
{
	const char *key = getenv("SSH_PUBKEYINFO"); /* dropbear: the comment of the key */
	char tty[128];
	struct slice from = connection_word(0);

	if (from.len > 0)
		snprintf(who, WHO_SIZE, "ssh %.*s%s%.100s", (int)min_size(from.len, 64), from.ptr,
			 key && *key ? " " : "", key ? key : "");
	else if (ttyname_r(STDIN_FILENO, tty, sizeof(tty)) == 0)
		snprintf(who, WHO_SIZE, "%.100s", strncmp(tty, "/dev/", 5) == 0 ? tty + 5 : tty);
	else
		snprintf(who, WHO_SIZE, "uid %u", (unsigned)getuid());
	make_plain(who);
}
