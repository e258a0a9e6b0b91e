/*
 * One binary, a role by its first word; anything else is a command of the operator's.
 */
#include "console/console.h"
#include "init/init.h"
#include "init/upgrade.h"
#include "send/send.h"

#include <string.h>

static const struct {
	const char *name;
	int (*run)(int argc, char **argv);
} roles[] = {
	{ "init", init_main },
	{ "send", send_main },
	{ "upgrade-task", upgrade_task_main },
};

int main(int argc, char **argv)
{
	/* The kernel starts /init. */
	if (argc > 0 && strcmp(argv[0], "/init") == 0)
		return init_main(argc, argv);
	for (size_t i = 0; argc > 1 && i < sizeof(roles) / sizeof(roles[0]); i++) {
		if (strcmp(argv[1], roles[i].name) == 0)
			return roles[i].run(argc - 1, argv + 1);
	}
	return console_main(argc, argv);
}
