/*
 * Private to volume*.c: the disks of the machine, their partition tables, and what may be an ext4
 * on them.
 */
#ifndef INIT_VOLUME_DISK_H
#define INIT_VOLUME_DISK_H

#include "init/gpt.h"
#include "init/volume.h"

#define VOLUME_DISKS_MAX 64
#define VOLUME_DEVICE_SIZE 64

/* Where things are; tests have other places. */
struct volume_places {
	const char *data;
	const char *boot;
	const char *disks; /* the only ones to look at, separated by spaces; NULL: all real ones */
	u64 patience_ms;   /* how long disks may take to appear */
	bool wants_blank;  /* data-disk = "blank" */
	bool repairs;	   /* hikyaku.repair=yes */
};

struct volume_disk {
	char name[32]; /* "vda" */
	u64 bytes;
	u32 block_size;
	bool is_removable;
	bool is_read_only;
	enum gpt_result table;
	struct gpt gpt;
	char trouble[96]; /* of a table that is BAD */
};

struct volume_disks {
	struct volume_disk *items; /* owned */
	size_t count;
};

/* Reads all that there are. False: no memory, or no /sys. */
bool volume_disks_read(struct volume_disks *disks, const struct volume_places *places,
		       struct error *error) MUST_CHECK;
void volume_disks_done(struct volume_disks *disks);

/* The disk with a partition of that GPT name and its number; NULL: none. */
struct volume_disk *volume_disks_find(const struct volume_disks *disks, const char *name,
				      u32 *number);
/* Nothing but zeros in its first and last MiB, and no partitions. */
bool volume_disk_is_blank(const struct volume_disk *disk);
/* Writes both copies of the table, synced, the one at the end first. */
bool volume_disk_write(struct volume_disk *disk, struct error *error) MUST_CHECK;

/* "/dev/vda3", "/dev/nvme0n1p3"; number 0: the disk. */
void volume_device(const struct volume_disk *disk, u32 number, char out[VOLUME_DEVICE_SIZE]);
/* The kernel knows the partition as the table has it: added, resized, or as it is. */
bool volume_device_sync(const struct volume_disk *disk, u32 number, struct error *error) MUST_CHECK;
u64 volume_device_bytes(const struct volume_disk *disk, u32 number);

/* What the superblock at that place says (ext4 documentation, "The Super Block"). */
struct volume_ext4 {
	char label[17];
	bool is_clean;	 /* unmounted in order, or its journal tells the rest */
	bool has_errors; /* the kernel noted some */
	u32 block_size;
	u64 blocks;
};
/* offset in bytes from the disk's start. False: no ext4 there. */
bool volume_ext4_read(const struct volume_disk *disk, u64 offset, struct volume_ext4 *ext4);

/*
 * Runs a program of ours, its words to the log. Its exit code, or -1 with the error set. The last
 * of argv is NULL.
 */
int volume_run(const char *const *argv, struct error *error);

/* volume_open in other places. */
bool volume_open_at(struct volume *volume, const struct volume_places *places,
		    struct error *error) MUST_CHECK;
/* One sentence more in volume.note. */
void volume_note(struct volume *volume, const char *fmt, ...) PRINTF_LIKE(2, 3);

/* The data file system on a disk; number 0: the whole disk. */
struct volume_data {
	struct volume_disk *disk; /* NULL: none */
	u32 number;
};
/* volume_make.c: makes one, where it may be made. */
bool volume_make(struct volume *volume, const struct volume_disks *disks,
		 const struct volume_places *places, struct volume_data *data, struct error *error)
	MUST_CHECK;
/* Its partition to the disk's end; no error if it is there already. */
bool volume_grow_partition(struct volume *volume, const struct volume_data *data,
			   struct error *error) MUST_CHECK;

#endif
