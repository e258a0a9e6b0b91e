#include "init/orderly.h"

#include "init/ask.h"

#include <stdio.h>
#include <string.h>

int orderly_end(const char *what)
{
	const char *command = strcmp(what, "reboot") == 0 ? "system.reboot" : "system.poweroff";
	struct error error = { "" };

	if (ask_init(json_pack("{s:s, s:s}", "command", command, "who", "kernel"), &error))
		return 0;
	fprintf(stderr, "%s: %s\n", what, error.text);
	return 1;
}
