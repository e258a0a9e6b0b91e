/*
 * The two file systems on disk: the boot partition (FAT, GPT name `hikyaku-esp`, mounted read-only
 * at /boot) and the data (ext4, label `hikyaku-data`, mounted at /data).
 *
 * Data is looked for on every disk. When there is none it is made: as third partition in the rest
 * of the disk that has the boot partition, or on a second disk if that is wholly blank and
 * appliance.conf of the boot partition says `data-disk = "blank"`. A disk that holds anything else
 * is never written to. A table that a larger disk or a power cut left behind is put in order, the
 * partition and its file system grow to the disk's end.
 *
 * Whether the file system was made is told by the partition's name: it is `hikyaku-new` until
 * mke2fs came to its end, and only such a one is ever formatted.
 */
#ifndef INIT_VOLUME_H
#define INIT_VOLUME_H

#include "base/error.h"
#include "base/types.h"

#define VOLUME_DATA "/data"
#define VOLUME_BOOT "/boot"
#define VOLUME_LABEL "hikyaku-data"
#define VOLUME_NEW "hikyaku-new"
#define VOLUME_BOOT_LABEL "hikyaku-esp"

struct volume {
	bool is_read_only; /* when volume_open failed: it could still be mounted so */
	char device[64];
	char note[256]; /* what was done to it */
};

/*
 * Mounts both and makes the folders of /data. Takes as long as it takes (disks that are slow to
 * appear, a check of a large file system, formatting), so init calls it in a child. False: nothing
 * may be sent; error says why, and is_read_only whether /data can be looked at. The word
 * hikyaku.repair=yes on the kernel's command line has what e2fsck does not dare by itself repaired,
 * at the price of what cannot be saved.
 */
bool volume_open(struct volume *volume, struct error *error) MUST_CHECK;

#endif
