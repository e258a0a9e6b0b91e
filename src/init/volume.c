#include "init/volume.h"

#include "init/users.h"

#include <errno.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

static const struct {
	const char *path;
	mode_t mode;
	uid_t user;
	gid_t group;
} folders[] = {
	{ "/data/etc", 0770, USERS_ADMIN, USERS_GROUP },
	{ "/data/log", 0750, USERS_ROOT, USERS_GROUP },
	{ "/data/ssh", 0700, USERS_ADMIN, USERS_ADMIN },
	{ "/data/send", 0700, USERS_SEND, USERS_GROUP },
	{ "/data/backup", 0770, USERS_SEND, USERS_GROUP },
};

bool volume_open(struct volume *volume, struct error *error)
{
	(void)volume;
	if (mount("tmpfs", "/data", "tmpfs", MS_NOSUID | MS_NODEV | MS_NOEXEC, "mode=755") < 0)
		return error_set_errno(error, errno, "/data");
	for (size_t i = 0; i < array_count(folders); i++) {
		if ((mkdir(folders[i].path, folders[i].mode) < 0 && errno != EEXIST) ||
		    chown(folders[i].path, folders[i].user, folders[i].group) < 0)
			return error_set_errno(error, errno, "%s", folders[i].path);
	}
	return true;
}
