/*
 * One binary, a role by the name it is called by or by its first word; anything else is a command
 * of the operator's.
 */
#include "console/console.h"
#include "console/repl.h"
#include "hook/hook.h"
#include "init/dhcp_event.h"
#include "init/init.h"
#include "init/orderly.h"
#include "init/upgrade.h"
#include "receive/receive.h"
#include "send/backup.h"
#include "send/selftest.h"
#include "send/send.h"
#include "web/front.h"
#include "web/web.h"

#include <stdbool.h>
#include <string.h>

static const struct {
	const char *name;
	int (*run)(int argc, char **argv);
} roles[] = {
	{ "init", init_main },
	{ "send", send_main },
	{ "receive", receive_main },
	{ "hook", hook_main },
	{ "selftest", selftest_main },
	{ "backup-task", backup_task_main },
	{ "restore-task", restore_task_main },
	{ "console", console_repl_main },
	{ "upgrade-task", upgrade_task_main },
	{ "dhcp-event", dhcp_event_main },
	{ "web", web_main },
	{ "www", front_main },
	{ "page-test", front_page_test_main },
};

/*
 * Without folders (the kernel starts /init), and without the dash in front that a login shell is
 * given.
 */
static const char *called_as(const char *path)
{
	const char *slash = strrchr(path, '/');

	path = slash ? slash + 1 : path;
	return *path == '-' ? path + 1 : path;
}

/* "hook --config FILE" is the role, "hook list" an operator's command. */
static bool is_command(int argc, char **argv)
{
	return argc > 2 && strcmp(argv[1], "hook") == 0 && argv[2][0] != '-';
}

int main(int argc, char **argv)
{
	const char *name = argc > 0 ? called_as(argv[0]) : "";

	/* By name only: as a first word these are the operator's commands. */
	if (strcmp(name, "poweroff") == 0 || strcmp(name, "reboot") == 0)
		return orderly_end(name);
	if (is_command(argc, argv))
		return console_main(argc, argv);
	for (size_t i = 0; i < sizeof(roles) / sizeof(roles[0]); i++) {
		if (strcmp(name, roles[i].name) == 0)
			return roles[i].run(argc, argv);
		if (argc > 1 && strcmp(argv[1], roles[i].name) == 0)
			return roles[i].run(argc - 1, argv + 1);
	}
	return console_main(argc, argv);
}
