#include "init/restore.h"

#include "base/durable.h"
#include "base/text.h"
#include "init/users.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define PATH_SIZE 512

struct restore {
	const char *data;
	char stage[PATH_SIZE];
};

static bool name_in(char out[PATH_SIZE], const char *folder, const char *name, struct error *error)
{
	if (snprintf(out, PATH_SIZE, "%s/%s", folder, name) < PATH_SIZE)
		return true;
	return error_set(error, "%s/%s: the name is too long", folder, name);
}

/*
 * A machine that knows its own network and who may log in keeps that: the backup may be another
 * machine's, and nobody would reach this one under its addresses. What the backup says is put
 * beside.
 */
static bool place_of(const struct restore *restore, const char *name, char out[PATH_SIZE],
		     struct error *error)
{
	if (!name_in(out, restore->data, name, error))
		return false;
	if (strcmp(name, "etc/appliance.conf") != 0 || access(out, F_OK) < 0)
		return true;
	return name_in(out, restore->data, "etc/appliance.conf.restored", error);
}

/* One file from the stage to its place; one that is not staged (any more) is no error. */
static bool place(const struct restore *restore, const char *name, uid_t user, gid_t group,
		  mode_t mode, struct error *error)
{
	char from[PATH_SIZE];
	char to[PATH_SIZE];

	if (!name_in(from, restore->stage, name, error) || !place_of(restore, name, to, error))
		return false;
	if (chmod(from, mode) < 0)
		return errno == ENOENT || error_set_errno(error, errno, "%s", from);
	if ((geteuid() == 0 && chown(from, user, group) < 0) || rename(from, to) < 0)
		return error_set_errno(error, errno, "%s", to);
	return true;
}

static bool place_folder(const struct restore *restore, const char *folder, uid_t user, mode_t mode,
			 struct error *error)
{
	char path[PATH_SIZE];
	bool is_placed = true;
	DIR *list;

	if (!name_in(path, restore->stage, folder, error))
		return false;
	list = opendir(path);
	if (!list)
		return errno == ENOENT || error_set_errno(error, errno, "%s", path);
	for (struct dirent *entry; is_placed && (entry = readdir(list));) {
		char name[PATH_SIZE];

		if (entry->d_name[0] == '.')
			continue;
		is_placed = name_in(name, folder, entry->d_name, error) &&
			    place(restore, name, user, USERS_GROUP, mode, error);
	}
	closedir(list);
	return is_placed;
}

/*
 * What is in the folder, and in folders of it, becomes that user's; again after a crash, it is as
 * before.
 */
static bool own_folder(const char *folder, uid_t user, gid_t group, struct error *error)
{
	char path[PATH_SIZE];
	bool is_owned = true;
	DIR *list = opendir(folder);

	if (!list)
		return error_set_errno(error, errno, "%s", folder);
	for (struct dirent *entry; is_owned && (entry = readdir(list));) {
		if (strcmp(entry->d_name, "..") == 0)
			continue;
		is_owned = name_in(path, folder, entry->d_name, error);
		if (is_owned && geteuid() == 0 && chown(path, user, group) < 0)
			is_owned = error_set_errno(error, errno, "%s", path);
		if (is_owned && entry->d_type == DT_DIR && strcmp(entry->d_name, ".") != 0)
			is_owned = own_folder(path, user, group, error);
	}
	closedir(list);
	return is_owned;
}

/* A staged folder with folders, in place of the one that is here. */
static bool own_tree(const char *folder, uid_t user, gid_t group, struct error *error)
{
	bool is_owned = true;
	DIR *list = opendir(folder);

	if (!list)
		return error_set_errno(error, errno, "%s", folder);
	for (struct dirent *entry; is_owned && (entry = readdir(list));) {
		bool is_folder = entry->d_type == DT_DIR;
		char path[PATH_SIZE];

		if (strcmp(entry->d_name, "..") == 0)
			continue;
		is_owned = name_in(path, folder, entry->d_name, error);
		if (is_owned && ((geteuid() == 0 && chown(path, user, group) < 0) ||
				 chmod(path, is_folder ? 0755 : 0644) < 0))
			is_owned = error_set_errno(error, errno, "%s", path);
		if (is_owned && is_folder && strcmp(entry->d_name, ".") != 0)
			is_owned = own_tree(path, user, group, error);
	}
	closedir(list);
	return is_owned;
}

static bool place_tree(const struct restore *restore, const char *name, uid_t user, gid_t group,
		       struct error *error)
{
	char staged[PATH_SIZE];
	char here[PATH_SIZE];

	if (!name_in(staged, restore->stage, name, error) ||
	    !name_in(here, restore->data, name, error))
		return false;
	if (access(staged, F_OK) < 0)
		return errno == ENOENT || error_set_errno(error, errno, "%s", staged);
	if (!own_tree(staged, user, group, error) || !durable_remove_tree(here, error))
		return false;
	return rename(staged, here) == 0 || error_set_errno(error, errno, "%s", here);
}

/* A staged environment in place of the one that is here; `name` as in the stage. */
static bool place_environment(const struct restore *restore, const char *name, uid_t user,
			      gid_t group, const char *notes, struct error *error)
{
	char staged[PATH_SIZE];
	char here[PATH_SIZE];
	char path[PATH_SIZE];

	if (!name_in(staged, restore->stage, name, error) ||
	    !name_in(here, restore->data, name, error))
		return false;
	if (access(staged, F_OK) < 0)
		return errno == ENOENT || error_set_errno(error, errno, "%s", staged);
	if (notes && !name_in(path, restore->data, notes, error))
		return false;
	if (notes && unlink(path) < 0 && errno != ENOENT)
		return error_set_errno(error, errno, "%s", path);
	if (!own_folder(staged, user, group, error) || !durable_remove_tree(here, error))
		return false;
	return rename(staged, here) == 0 || error_set_errno(error, errno, "%s", here);
}

static bool place_all(const struct restore *restore, struct error *error)
{
	char keys[PATH_SIZE];

	if (!name_in(keys, restore->data, "send/keys", error))
		return false;
	if (mkdir(keys, 0700) < 0 && errno != EEXIST)
		return error_set_errno(error, errno, "%s", keys);
	if (geteuid() == 0 && chown(keys, USERS_SEND, USERS_GROUP) < 0)
		return error_set_errno(error, errno, "%s", keys);
	/* What the journal notes are leases of the queue that goes. */
	return place_environment(restore, "send/queue", USERS_SEND, USERS_GROUP, "send/journal",
				 error) &&
	       place_environment(restore, "web/audience", USERS_WEB, USERS_WWW, NULL, error) &&
	       place_folder(restore, "etc", USERS_ADMIN, 0640, error) &&
	       place_folder(restore, "send/keys", USERS_SEND, 0600, error) &&
	       place_folder(restore, "hook", USERS_HOOK, 0600, error) &&
	       place_tree(restore, "site", USERS_ADMIN, USERS_ADMIN, error) &&
	       place(restore, "send/token.key", USERS_SEND, USERS_GROUP, 0600, error);
}

enum restore_result restore_apply(const char *data, struct error *error)
{
	struct restore restore = { .data = data };
	char ready[PATH_SIZE];

	if (!name_in(restore.stage, data, RESTORE_STAGE, error) ||
	    snprintf(ready, sizeof(ready), "%s/" RESTORE_STAGE "/READY", data) >=
		    (int)sizeof(ready))
		return RESTORE_FAILED;
	if (access(ready, F_OK) < 0) {
		/* A stage that never became whole. */
		if (errno == ENOENT && durable_remove_tree(restore.stage, error))
			return RESTORE_NONE;
		return RESTORE_FAILED;
	}
	/* All of it is on the disk before the stage goes. */
	if (!place_all(&restore, error) || !durable_sync(data, error))
		return RESTORE_FAILED;
	if (unlink(ready) < 0) {
		error_set_errno(error, errno, "%s", ready);
		return RESTORE_FAILED;
	}
	return durable_remove_tree(restore.stage, error) ? RESTORE_DONE : RESTORE_FAILED;
}
