#include "init/mounts.h"

#include "base/text.h"
#include "init/kernel_file.h"
#include "init/machine.h"
#include "init/users.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#define KIB (1ull << 10)
#define RESERVE_MIN (2 * KIB * KIB)
#define RESERVE_MAX (64 * KIB * KIB)
#define LINE_SIZE 4096

static const struct {
	const char *type;
	const char *at;
	unsigned long flags;
	const char *options;
} mounts[] = {
	{ "proc", "/proc", MS_NOSUID | MS_NODEV | MS_NOEXEC, "hidepid=invisible,gid=110" },
	{ "sysfs", "/sys", MS_NOSUID | MS_NODEV | MS_NOEXEC | MS_RDONLY, NULL },
	{ "devtmpfs", "/dev", MS_NOSUID | MS_NOEXEC, NULL },
	{ "devpts", "/dev/pts", MS_NOSUID | MS_NOEXEC, "mode=600,ptmxmode=666" },
	{ "tmpfs", "/run", MS_NOSUID | MS_NODEV | MS_NOEXEC, "mode=755,size=16m" },
	{ "tmpfs", "/tmp", MS_NOSUID | MS_NODEV | MS_NOEXEC, "mode=1777,size=64m" },
	{ "securityfs", "/sys/kernel/security", MS_NOSUID | MS_NODEV | MS_NOEXEC, NULL },
	{ "cgroup2", "/sys/fs/cgroup", MS_NOSUID | MS_NODEV | MS_NOEXEC, NULL },
};

static void complain(const char *what, int code)
{
	dprintf(2, "init: %s: %s\n", what, strerror(code));
}

static bool make_folder(const char *path, mode_t mode, uid_t user, gid_t group)
{
	if (mkdir(path, mode) < 0 && errno != EEXIST)
		return false;
	return chmod(path, mode) == 0 && chown(path, user, group) == 0;
}

void mounts_make(void)
{
	umask(022);
	for (size_t i = 0; i < array_count(mounts); i++) {
		if (mkdir(mounts[i].at, 0755) < 0 && errno != EEXIST && errno != EROFS &&
		    errno != EPERM)
			complain(mounts[i].at, errno);
		/* The kernel may have put devtmpfs there already. */
		if (mount(mounts[i].type, mounts[i].at, mounts[i].type, mounts[i].flags,
			  mounts[i].options) < 0 &&
		    errno != EBUSY)
			complain(mounts[i].at, errno);
	}
	/*
	 * Roles make their sockets here; nobody removes another's. Leases are told of by a user
	 * who is not in the group.
	 */
	/* The web server's keeper puts its page beside init's, and cannot touch that one. */
	if (!make_folder("/run/hikyaku", 01771, 0, USERS_GROUP) ||
	    !make_folder("/run/hikyaku/metrics", 01775, 0, USERS_WWW))
		complain("/run/hikyaku", errno);
	/* The console looks there for the certificate's state. */
	if (!make_folder("/run/www", 0755, USERS_WWW, USERS_WWW))
		complain("/run/www", errno);
}

bool mounts_seal_root(struct error *error)
{
	if (mount(NULL, "/", NULL, MS_REMOUNT | MS_RDONLY | MS_NOSUID | MS_NODEV, NULL) < 0)
		return error_set_errno(error, errno, "making / read-only");
	return true;
}

/* ---- settings ---- */

static const struct {
	const char *name;
	const char *value;
} settings[] = {
	/* Rings for the group of those that have a use for them alone. */
	{ "kernel/io_uring_group", "111" },
	{ "kernel/io_uring_disabled", "1" },
	/* Addresses inside of the kernel, and its messages, are for root. */
	{ "kernel/kptr_restrict", "2" },
	{ "kernel/dmesg_restrict", "1" },
	{ "kernel/printk", "4 4 1 4" },
	/* An oops leaves the kernel in a state that nobody knows: start anew. */
	{ "kernel/panic_on_oops", "1" },
	{ "kernel/sysrq", "0" },
	/* ping without a capability. */
	{ "net/ipv4/ping_group_range", "100 110" },
	{ "fs/protected_symlinks", "1" },
	{ "fs/protected_hardlinks", "1" },
	{ "fs/suid_dumpable", "0" },
	/* LMDB's map is shared and large: the disk gets it in small, steady portions. */
	{ "vm/dirty_background_bytes", "67108864" },
	{ "vm/dirty_bytes", "268435456" },
};

static bool set_setting(const char *name, const char *value)
{
	char path[128];

	snprintf(path, sizeof(path), "/proc/sys/%s", name);
	return kernel_file_write(path, value);
}

/*
 * What the kernel keeps back for those who cannot wait, cards above all. A kernel that can make
 * huge pages keeps up to 67 MiB to make them of, a tenth of a small machine; nobody here asks for
 * huge pages.
 */
static bool set_reserve(void)
{
	struct machine_memory memory;
	char text[24];

	machine_memory(&memory);
	snprintf(text, sizeof(text), "%llu",
		 (unsigned long long)(max_u64(min_u64(memory.total / 256, RESERVE_MAX),
					      RESERVE_MIN) /
				      KIB));
	return set_setting("vm/min_free_kbytes", text);
}

bool mounts_harden(struct error *error)
{
	bool is_done = true;

	if (!set_reserve())
		is_done = error_set_errno(error, errno, "/proc/sys/vm/min_free_kbytes");

	for (size_t i = 0; i < array_count(settings); i++) {
		/* What this kernel does not have cannot be misused either. */
		if (!set_setting(settings[i].name, settings[i].value) && errno != ENOENT)
			is_done = error_set_errno(error, errno, "/proc/sys/%s", settings[i].name);
	}
	return is_done;
}

bool mounts_boot_word(const char *name, char *out, size_t size)
{
	char line[LINE_SIZE];
	struct slice rest = slice_trim(kernel_file_read("/proc/cmdline", line, sizeof(line)));

	while (rest.ptr) {
		struct slice word = slice_split(&rest, ' ');
		struct slice value = word;

		if (slice_equal(slice_split(&value, '='), slice_of(name)) && value.ptr)
			return slice_copy(out, size, value);
	}
	return false;
}
