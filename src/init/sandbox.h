/*
 * What a service may do, taken from it in the child between fork and exec: its user and groups, all
 * capabilities but the named ones, the file system but the named paths (landlock), and system calls
 * that no service of ours has a use for (seccomp). Nothing of it can be won back: no_new_privs is
 * set, and the image has no set-user-ID program.
 *
 * A kernel without landlock (a developer's host, a container) leaves that part out.
 */
#ifndef INIT_SANDBOX_H
#define INIT_SANDBOX_H

#include "base/error.h"
#include "base/types.h"

#include <sys/types.h>

enum sandbox_access {
	SANDBOX_READ,  /* files and folders */
	SANDBOX_RUN,   /* ... and programs */
	SANDBOX_WRITE, /* read, write, make, rename, remove; no programs */
};

struct sandbox_path {
	const char *path; /* one that is not there is passed over */
	enum sandbox_access access;
};

/* What seccomp leaves to a service beyond what all may. */
enum sandbox_right {
	SANDBOX_RINGS = 1,   /* io_uring */
	SANDBOX_CLOCK = 2,   /* setting the time */
	SANDBOX_PACKETS = 4, /* packet sockets: DHCP */
	SANDBOX_NETLINK = 8, /* asking for addresses and routes */
	SANDBOX_MOUNTS = 16, /* making the boot partition writable */
};

#define SANDBOX_PATHS_MAX 16
#define SANDBOX_GROUPS_MAX 4

#define SANDBOX_CAPABILITY(cap) (1ull << (cap))

struct sandbox {
	uid_t user;
	gid_t group;
	gid_t groups[SANDBOX_GROUPS_MAX]; /* further ones */
	u32 group_count;
	u64 capabilities; /* SANDBOX_CAPABILITY(CAP_...) or-ed together; kept over exec */
	u32 rights;       /* enum sandbox_right */
	struct sandbox_path
		paths[SANDBOX_PATHS_MAX]; /* ends with a NULL path; none at all: no landlock */
	u64 open_files;                   /* 0: as inherited */
};

/*
 * Enters the sandbox: for the calling process, for good. False: the process must not go on. Only
 * what is safe after fork of a single-threaded process is used.
 */
bool sandbox_enter(const struct sandbox *sandbox, struct error *error) MUST_CHECK;

/* Version of landlock that the kernel has; 0: none. */
u32 sandbox_landlock_version(void);

#endif
