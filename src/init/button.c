#include "init/button.h"

#include "base/log.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/input.h>
#include <stdio.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/ioctl.h>
#include <unistd.h>

static struct button *the_button; /* sources do not know their owner: there is one */

static void on_input(struct loop_source *source, u32 events)
{
	struct input_event event;
	ssize_t n;

	(void)events;
	while ((n = read(source->fd, &event, sizeof(event))) == (ssize_t)sizeof(event)) {
		if (event.type == EV_KEY && event.code == KEY_POWER && event.value == 1)
			the_button->is_pressed = true;
	}
	/* A keyboard that was pulled out. */
	if (n < 0 && errno == ENODEV) {
		loop_forget(the_button->loop, source);
		close(source->fd);
	}
}

static bool has_power_key(int fd)
{
	u8 keys[KEY_MAX / 8 + 1] = { 0 };

	return ioctl(fd, EVIOCGBIT(EV_KEY, sizeof(keys)), keys) >= 0 &&
	       (keys[KEY_POWER / 8] >> (KEY_POWER % 8) & 1);
}

static void try_device(struct button *button, const char *name)
{
	struct loop_source *source = &button->sources[button->count];
	char path[64];
	int fd;

	if (snprintf(path, sizeof(path), "/dev/input/%s", name) >= (int)sizeof(path))
		return;
	fd = open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
	if (fd < 0)
		return;
	*source = (struct loop_source){ .ready = on_input, .fd = fd };
	if (!has_power_key(fd) || !loop_watch(button->loop, source, EPOLLIN))
		close(fd);
	else
		button->count++;
}

void button_open(struct button *button, struct loop *loop)
{
	DIR *folder = opendir("/dev/input");

	*button = (struct button){ .loop = loop };
	the_button = button;
	if (!folder) {
		log_info("init", "no power button", "");
		return;
	}
	for (struct dirent *entry;
	     button->count < BUTTON_DEVICES_MAX && (entry = readdir(folder));) {
		if (strncmp(entry->d_name, "event", 5) == 0)
			try_device(button, entry->d_name);
	}
	closedir(folder);
}
