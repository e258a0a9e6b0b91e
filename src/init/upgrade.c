#include "init/upgrade.h"

#include "base/text.h"
#include "base/version.h"
#include "init/upgrade_parts.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

bool upgrade_read(int fd, void *to, size_t len, struct error *error)
{
	char *at = to;

	while (len > 0) {
		ssize_t n = read(fd, at, len);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return error_set_errno(error, errno, "the bundle cannot be read");
		if (n == 0)
			return error_set(error, "the bundle ends too early");
		at += n;
		len -= (size_t)n;
	}
	return true;
}

/* The version in the running slot's folder; that of this program when it does not say. */
static void running_version(const struct upgrade *upgrade, const struct slot_boot *boot,
			    char out[UPGRADE_VERSION_MAX])
{
	const char path[] = { upgrade->slots.running, '/', 'r', 'e', 'l', 'e', 'a', 's', 'e', 0 };
	struct upgrade_release release;
	char text[UPGRADE_RELEASE_MAX];
	int fd = openat(boot->fd, path, O_RDONLY | O_CLOEXEC);
	ssize_t n = fd < 0 ? -1 : read(fd, text, sizeof(text));
	const char *version = HIKYAKU_VERSION;

	if (fd >= 0)
		close(fd);
	if (n > 0 && upgrade_release_read(&release, (struct slice){ text, (size_t)n }, NULL))
		version = release.version;
	slice_copy(out, UPGRADE_VERSION_MAX, slice_of(version));
}

static bool version_fits(const struct upgrade *upgrade, const struct slot_boot *boot,
			 const struct upgrade_release *release, struct error *error)
{
	char version[UPGRADE_VERSION_MAX];

	running_version(upgrade, boot, version);
	if (upgrade->allow_downgrade ||
	    upgrade_version_compare(slice_of(release->version), slice_of(version)) >= 0)
		return true;
	return error_set(error, "the bundle has version %s, older than the %s that runs; "
			 "--allow-downgrade takes it all the same", release->version, version);
}

static bool slots_fit(const struct upgrade *upgrade, struct error *error)
{
	const struct slot_state *slots = &upgrade->slots;

	if (!slots->running)
		return error_set(error, "the kernel's command line does not tell which slot runs");
	if (slots->is_trial)
		return error_set(error, "slot %c is on trial: an upgrade would remove slot %c, "
				 "the last good one; wait until %c is marked good", slots->running,
				 slot_other(slots->running), slots->running);
	return true;
}

/* What the bundle says of itself, once that is known to be ours. Nothing has changed until then. */
static bool read_release(const struct upgrade *upgrade, int fd, char text[UPGRADE_RELEASE_MAX],
			 size_t *len, struct upgrade_release *release, struct error *error)
{
	u8 bytes[UPGRADE_HEAD_SIZE];
	struct upgrade_head head;
	char key[UPGRADE_KEY_NAME_MAX];

	if (!upgrade_read(fd, bytes, sizeof(bytes), error) ||
	    !upgrade_head_read(&head, bytes, error) ||
	    !upgrade_read(fd, text, head.release_len, error))
		return false;
	*len = head.release_len;
	if (!upgrade_key_find(upgrade->keys, (struct slice){ text, *len }, head.signature, key,
			      error) ||
	    !upgrade_release_read(release, (struct slice){ text, *len }, error))
		return false;
	fprintf(upgrade->report, "version %s, signed by %s\n", release->version, key);
	return true;
}

static bool run(struct upgrade *upgrade, int fd, const struct slot_boot *boot, struct error *error)
{
	const char slot = slot_other(upgrade->slots.running);
	char text[UPGRADE_RELEASE_MAX];
	size_t len;
	struct upgrade_release release;

	if (!read_release(upgrade, fd, text, &len, &release, error) ||
	    !version_fits(upgrade, boot, &release, error) ||
	    !slot_set_try_open(&upgrade->slots, boot, 0, 0, error) ||
	    !upgrade_slot_write(boot, slot, &release, (struct slice){ text, len }, fd,
				upgrade->report, error) ||
	    !slot_set_try_open(&upgrade->slots, boot, slot, 1, error))
		return false;
	fprintf(upgrade->report, "slot %c is tried at the next start\n", slot);
	return true;
}

bool upgrade_run(struct upgrade *upgrade, int fd, struct error *error)
{
	const char *path = upgrade->slots.boot ? upgrade->slots.boot : SLOT_BOOT;
	struct slot_boot boot;
	bool ok;

	if (!slot_boot_open(&boot, path, error))
		return false;
	ok = slot_read(&upgrade->slots, error) && slots_fit(upgrade, error) &&
	     run(upgrade, fd, &boot, error);
	return slot_boot_close(&boot, ok ? error : NULL) && ok;
}

int upgrade_task_main(int argc, char **argv)
{
	struct upgrade upgrade = { .keys = UPGRADE_KEYS, .report = stdout };
	struct error error = { "" };
	int at = 1;
	int fd = STDIN_FILENO;
	bool ok;

	if (at < argc && strcmp(argv[at], "--allow-downgrade") == 0) {
		upgrade.allow_downgrade = true;
		at++;
	}
	if (at + 1 != argc) {
		fputs("usage: hikyaku upgrade-task [--allow-downgrade] FILE|-\n", stderr);
		return 2;
	}
	setvbuf(stdout, NULL, _IOLBF, 0);
	if (strcmp(argv[at], "-") != 0)
		fd = open(argv[at], O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		ok = error_set_errno(&error, errno, "%s", argv[at]);
	else
		ok = upgrade_run(&upgrade, fd, &error);
	if (fd > STDIN_FILENO)
		close(fd);
	if (!ok)
		fprintf(stderr, "upgrade: %s\n", error.text);
	return ok ? 0 : 1;
}
