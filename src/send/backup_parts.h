/* What making a backup and reading one have to agree about. Private to backup*.c. */
#ifndef SEND_BACKUP_PARTS_H
#define SEND_BACKUP_PARTS_H

#include "base/types.h"

#define BACKUP_QUEUE "send/queue/data.mdb"
#define BACKUP_AUDIENCE "web/audience/data.mdb"
#define BACKUP_SITE "site"

/* Files of a folder whose names end so and begin with no dot; names as below the folder of data. */
static const struct backup_folder {
	const char *name;
	const char *end;
	u32 mode;
} backup_folders[] = {
	{ "etc", ".conf", 0640 },
	{ "etc", ".pem", 0640 },
	{ "send/keys", ".pem", 0600 },
	{ "hook", "", 0600 },
};

/* Of any size; in the archive behind the environment that names them. */
static const struct backup_folder backup_images = { "web/audience/images", "", 0600 };

static const struct backup_file {
	const char *folder;
	const char *name;
	u32 mode;
} backup_files[] = {
	{ "etc", "users", 0640 },
	{ "send", "token.key", 0600 },
};

#endif
