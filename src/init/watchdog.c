#include "init/watchdog.h"

#include "base/log.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/watchdog.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

static void pat(struct watchdog *watchdog)
{
	if (watchdog->fd >= 0 && write(watchdog->fd, "\n", 1) != 1)
		log_warn("init", "the watchdog is not reached", "errno=%d", errno);
}

void watchdog_open(struct watchdog *watchdog)
{
	struct watchdog_info info = { .identity = "unknown" };
	int seconds = WATCHDOG_TIMEOUT_S;

	watchdog->next_ms = 0;
	watchdog->fd = open("/dev/watchdog", O_WRONLY | O_CLOEXEC);
	if (watchdog->fd < 0) {
		log_info("init", "no watchdog", "reason=%s", strerror(errno));
		return;
	}
	if (ioctl(watchdog->fd, WDIOC_SETTIMEOUT, &seconds) < 0)
		log_warn("init", "the watchdog keeps its own timeout", "errno=%d", errno);
	if (ioctl(watchdog->fd, WDIOC_GETSUPPORT, &info) == 0)
		log_info("init", "watchdog armed", "device=%s timeout_s=%d",
			 (const char *)info.identity, seconds);
}

void watchdog_turn(struct watchdog *watchdog, u64 now_ms)
{
	if (now_ms < watchdog->next_ms)
		return;
	watchdog->next_ms = now_ms + WATCHDOG_PERIOD_MS;
	pat(watchdog);
}

void watchdog_last(struct watchdog *watchdog)
{
	pat(watchdog);
}
