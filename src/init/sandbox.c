#include "init/sandbox.h"

#include "init/sandbox_calls.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <linux/capability.h>
#include <linux/landlock.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

/* Rights that came after the headers of Debian 12; the numbers are the kernel's interface. */
#define FS_TRUNCATE (1ull << 14)  /* version 3 */
#define FS_IOCTL_DEV (1ull << 15) /* version 5 */
#define CAPABILITY_LAST 40

#define READ_RIGHTS (LANDLOCK_ACCESS_FS_READ_FILE | LANDLOCK_ACCESS_FS_READ_DIR)
#define RUN_RIGHTS (READ_RIGHTS | LANDLOCK_ACCESS_FS_EXECUTE)
#define WRITE_RIGHTS                                                                               \
	(READ_RIGHTS | LANDLOCK_ACCESS_FS_WRITE_FILE | LANDLOCK_ACCESS_FS_REMOVE_DIR |             \
	 LANDLOCK_ACCESS_FS_REMOVE_FILE | LANDLOCK_ACCESS_FS_MAKE_DIR |                            \
	 LANDLOCK_ACCESS_FS_MAKE_REG | LANDLOCK_ACCESS_FS_MAKE_SOCK |                              \
	 LANDLOCK_ACCESS_FS_MAKE_FIFO | LANDLOCK_ACCESS_FS_MAKE_SYM | LANDLOCK_ACCESS_FS_REFER |   \
	 FS_TRUNCATE | FS_IOCTL_DEV)
/* What concerns a file that is named itself, and not what lies in a folder. */
#define FILE_RIGHTS                                                                                \
	(LANDLOCK_ACCESS_FS_READ_FILE | LANDLOCK_ACCESS_FS_WRITE_FILE |                            \
	 LANDLOCK_ACCESS_FS_EXECUTE | FS_TRUNCATE | FS_IOCTL_DEV)
#define ALL_RIGHTS                                                                                 \
	(RUN_RIGHTS | WRITE_RIGHTS | LANDLOCK_ACCESS_FS_MAKE_CHAR | LANDLOCK_ACCESS_FS_MAKE_BLOCK)

/* ---- users and capabilities ---- */

static bool limit_resources(const struct sandbox *sandbox, struct error *error)
{
	struct rlimit none = { 0, 0 };
	struct rlimit files = { sandbox->open_files, sandbox->open_files };
	struct rlimit unlimited = { RLIM_INFINITY, RLIM_INFINITY };

	/* A core would hold private keys, and recipients. */
	if (setrlimit(RLIMIT_CORE, &none) < 0)
		return error_set_errno(error, errno, "limit of core files");
	if (sandbox->open_files > 0 && setrlimit(RLIMIT_NOFILE, &files) < 0)
		return error_set_errno(error, errno, "limit of %llu open files",
				       (unsigned long long)sandbox->open_files);
	/*
	 * Buffers that a ring registers are locked in memory; the cgroup limits them. Who may not
	 * raise limits (no PID 1: a container) keeps the one there is.
	 */
	if ((sandbox->rights & SANDBOX_RINGS) && setrlimit(RLIMIT_MEMLOCK, &unlimited) < 0 &&
	    errno != EPERM)
		return error_set_errno(error, errno, "limit of locked memory");
	return true;
}

static bool change_user(const struct sandbox *sandbox, struct error *error)
{
	for (u32 capability = 0; capability <= CAPABILITY_LAST; capability++) {
		if (!(sandbox->capabilities >> capability & 1) &&
		    prctl(PR_CAPBSET_DROP, capability, 0, 0, 0) < 0 && errno != EINVAL)
			return error_set_errno(error, errno, "capability %u", capability);
	}
	/* Else the change of the user takes all of them. */
	if (prctl(PR_SET_KEEPCAPS, 1, 0, 0, 0) < 0)
		return error_set_errno(error, errno, "keeping capabilities");
	if (setgroups(sandbox->group_count, sandbox->groups) < 0 ||
	    setresgid(sandbox->group, sandbox->group, sandbox->group) < 0 ||
	    setresuid(sandbox->user, sandbox->user, sandbox->user) < 0)
		return error_set_errno(error, errno, "user %u, group %u", sandbox->user,
				       sandbox->group);
	return true;
}

static bool keep_capabilities(u64 kept, struct error *error)
{
	struct __user_cap_header_struct header = { .version = _LINUX_CAPABILITY_VERSION_3 };
	struct __user_cap_data_struct sets[2];

	for (u32 i = 0; i < 2; i++) {
		u32 word = (u32)(kept >> (32 * i));

		sets[i] = (struct __user_cap_data_struct){ word, word, word };
	}
	if (syscall(SYS_capset, &header, sets) < 0)
		return error_set_errno(error, errno, "capset");
	for (u32 capability = 0; capability <= CAPABILITY_LAST; capability++) {
		if ((kept >> capability & 1) &&
		    prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, capability, 0, 0) < 0)
			return error_set_errno(error, errno, "capability %u", capability);
	}
	return true;
}

/* ---- landlock ---- */

u32 sandbox_landlock_version(void)
{
	long version =
		syscall(SYS_landlock_create_ruleset, NULL, 0, LANDLOCK_CREATE_RULESET_VERSION);

	return version > 0 ? (u32)version : 0;
}

/* Rights that this kernel knows; asking for others is an error. */
static u64 known_rights(u32 version)
{
	u64 rights = ALL_RIGHTS;

	if (version < 2)
		rights &= ~(u64)LANDLOCK_ACCESS_FS_REFER;
	if (version < 3)
		rights &= ~FS_TRUNCATE;
	if (version < 5)
		rights &= ~FS_IOCTL_DEV;
	return rights;
}

static u64 rights_of(enum sandbox_access access)
{
	switch (access) {
	case SANDBOX_READ:
		return READ_RIGHTS;
	case SANDBOX_RUN:
		return RUN_RIGHTS;
	case SANDBOX_WRITE:
		return WRITE_RIGHTS;
	}
	return 0;
}

static bool allow_path(int rules, const struct sandbox_path *path, u64 known, struct error *error)
{
	struct landlock_path_beneath_attr beneath = {
		.allowed_access = rights_of(path->access) & known,
		.parent_fd = open(path->path, O_PATH | O_CLOEXEC),
	};
	struct stat status;
	bool is_added;

	if (beneath.parent_fd < 0)
		return errno == ENOENT || error_set_errno(error, errno, "%s", path->path);
	if (fstat(beneath.parent_fd, &status) == 0 && !S_ISDIR(status.st_mode))
		beneath.allowed_access &= FILE_RIGHTS;
	is_added = syscall(SYS_landlock_add_rule, rules, LANDLOCK_RULE_PATH_BENEATH, &beneath, 0) ==
		   0;
	if (!is_added)
		error_set_errno(error, errno, "landlock: %s", path->path);
	close(beneath.parent_fd);
	return is_added;
}

static bool restrict_paths(const struct sandbox *sandbox, struct error *error)
{
	u32 version = sandbox_landlock_version();
	struct landlock_ruleset_attr attributes = { .handled_access_fs = known_rights(version) };
	bool is_done = true;
	int rules;

	if (version == 0 || !sandbox->paths[0].path)
		return true;
	rules = (int)syscall(SYS_landlock_create_ruleset, &attributes,
			     sizeof(attributes.handled_access_fs), 0);
	if (rules < 0)
		return error_set_errno(error, errno, "landlock");
	for (u32 i = 0; is_done && i < SANDBOX_PATHS_MAX && sandbox->paths[i].path; i++)
		is_done =
			allow_path(rules, &sandbox->paths[i], attributes.handled_access_fs, error);
	if (is_done && syscall(SYS_landlock_restrict_self, rules, 0) < 0)
		is_done = error_set_errno(error, errno, "landlock");
	close(rules);
	return is_done;
}

bool sandbox_enter(const struct sandbox *sandbox, struct error *error)
{
	if (!limit_resources(sandbox, error) || !change_user(sandbox, error) ||
	    !keep_capabilities(sandbox->capabilities, error))
		return false;
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0)
		return error_set_errno(error, errno, "no_new_privs");
	return restrict_paths(sandbox, error) && sandbox_restrict_calls(sandbox->rights, error);
}
