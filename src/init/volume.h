/* The data volume, mounted at /data. For the moment it is memory: a reboot forgets it. */
#ifndef INIT_VOLUME_H
#define INIT_VOLUME_H

#include "base/error.h"
#include "base/types.h"

struct volume {
	bool is_read_only; /* when volume_open failed: it could still be mounted so */
	char device[64];
	char note[256]; /* what was done to it */
};

bool volume_open(struct volume *volume, struct error *error) MUST_CHECK;

#endif
