#include "init/init.h"

#include "base/log.h"
#include "init/seed.h"
#include "init/task.h"

#include <errno.h>
#include <signal.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/reboot.h>
#include <unistd.h>

/* Whatever services say of their patience: later than this nobody is waited for. */
#define END_PATIENCE_MS 60000

void init_end(struct init *init, enum init_ending ending, const char *why)
{
	if (init->ending != INIT_GOES_ON)
		return;
	init->ending = ending;
	init->ending_since_ms = init_now_ms();
	log_info("init", "ending", "into=%s why=%s",
		 ending == INIT_REBOOTS ? "reboot" : "power off", why);
	if (init->console_fd >= 0)
		dprintf(init->console_fd, "\r\n%s: services are ending\r\n",
			ending == INIT_REBOOTS ? "reboot" : "power off");
	task_stop_all();
	supervisor_end(&init->supervisor);
}

bool init_may_go(const struct init *init)
{
	if (init->ending == INIT_GOES_ON)
		return false;
	return (supervisor_has_ended(&init->supervisor) && task_count() == 0 &&
		init->data_pid == 0) ||
	       init_now_ms() > init->ending_since_ms + END_PATIENCE_MS;
}

static void unmount(const char *at)
{
	if (umount2(at, 0) == 0 || errno == EINVAL || errno == ENOENT)
		return;
	/* Busy: at least nothing more is written, and what was is on the disk. */
	if (mount(NULL, at, NULL, MS_REMOUNT | MS_RDONLY, NULL) < 0)
		dprintf(2, "init: %s stays mounted: %s\n", at, strerror(errno));
}

NORETURN void init_go(struct init *init)
{
	struct error error = { "" };

	server_close(init->server);
	init->server = NULL;
	/* Lines of the way down that are still in the pipe. */
	log_set_fd(init->console_fd >= 0 ? init->console_fd : 2);
	init_output_close(&init->own);
	if (init->data == INIT_DATA_OPEN && !seed_leave(SEED_PATH, &error))
		log_warn("init", "no seed for the next run", "reason=%s", error.text);
	logbook_sync(init->logbook);
	logbook_close(init->logbook);
	watchdog_last(&init->watchdog);
	kill(-1, SIGKILL);
	sync();
	unmount("/data");
	unmount("/boot");
	sync();
	reboot(init->ending == INIT_REBOOTS ? RB_AUTOBOOT : RB_POWER_OFF);
	/* Machines that cannot switch themselves off stop here. */
	dprintf(2, "init: %s\n", strerror(errno));
	for (;;)
		pause();
}
