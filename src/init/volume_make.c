/* A data file system where there is none, and its partition up to the disk's end. */
#include "init/volume_disk.h"

#include "base/log.h"
#include "base/random.h"
#include "base/text.h"

#include <stdio.h>
#include <string.h>

#define MIB (1024ull * 1024)
#define GIB (1024 * MIB)
#define DATA_MIN (256 * MIB)
#define DATA_NUMBER 3
#define SMALL (16 * GIB)
/* By name, so that they do not change with e2fsprogs or its configuration. */
static const char features[] =
	"none,has_journal,ext_attr,resize_inode,dir_index,filetype,extent,64bit,flex_bg,"
	"sparse_super,large_file,huge_file,dir_nlink,extra_isize,metadata_csum";

/*
 * Nothing is left for later: tables of inodes are written now, so that the first campaign has the
 * disk for itself. A queue is few and large files, so a large disk has few inodes to write. One
 * percent is root's: init can still log when the sender has filled the rest.
 */
static bool format(const char *device, u64 bytes, struct error *error)
{
	const char *const argv[] = {
		"/sbin/mke2fs", "-q", "-F", "-t", "ext4", "-L", VOLUME_LABEL, "-b", "4096", "-I",
		"256", "-i", bytes < SMALL ? "65536" : "1048576", "-m", "1", "-O",
		features,
		"-E", "lazy_itable_init=0,lazy_journal_init=0", device, NULL
	};
	int code = volume_run(argv, error);

	if (code > 0)
		error_set(error, "%s: mke2fs ended with code %d", device, code);
	return code == 0;
}

/*
 * The first block for data, and the last, at whole MiB. One is left behind the boot partition: an
 * image that is written to the disk anew ends there with its table, and the data outlives it.
 */
static u64 first_free(const struct gpt *gpt)
{
	u64 step = MIB / gpt->block_size;

	return (gpt_end(gpt) + step) / step * step + step;
}

static u64 last_free(const struct gpt *gpt)
{
	u64 step = MIB / gpt->block_size;

	return (gpt->last_usable + 1) / step * step - 1;
}

/* Every partition has one of our names. */
static bool is_ours(const struct volume_disk *disk, struct error *error)
{
	for (u32 i = 0; i < GPT_PARTITIONS_MAX; i++) {
		const struct gpt_partition *partition = &disk->gpt.partitions[i];

		if (partition->last > 0 &&
		    !slice_has_prefix(slice_of(partition->name), SLICE("hikyaku-")))
			return error_set(error,
					 "%s: partition %u (\"%s\") is not ours: this disk is left "
					 "as it is",
					 disk->name, i + 1, partition->name);
	}
	return true;
}

static bool write_and_sync(struct volume_disk *disk, u32 number, struct error *error)
{
	return volume_disk_write(disk, error) && volume_device_sync(disk, number, error);
}

static bool name_partition(struct volume_disk *disk, const char *name, struct error *error)
{
	struct gpt_partition *partition = &disk->gpt.partitions[DATA_NUMBER - 1];

	return gpt_set(&disk->gpt, DATA_NUMBER, partition->first, partition->last, name,
		       partition->id) ||
	       error_set(error, "%s: its partition table has no room", disk->name);
}

/* Formats partition 3, which is named as new; only then it gets the name that keeps it. */
static bool format_partition(struct volume *volume, struct volume_disk *disk, struct error *error)
{
	char device[VOLUME_DEVICE_SIZE];
	u64 bytes = volume_device_bytes(disk, DATA_NUMBER);

	volume_device(disk, DATA_NUMBER, device);
	log_info("volume", "formatting", "device=%s bytes=%llu", device, (unsigned long long)bytes);
	if (!volume_device_sync(disk, DATA_NUMBER, error) || !format(device, bytes, error) ||
	    !name_partition(disk, VOLUME_LABEL, error) || !volume_disk_write(disk, error))
		return false;
	volume_note(volume, "%s was formatted", device);
	return true;
}

/* Of an earlier installation: its table was written over, the data behind it is still there. */
static bool has_old_data(const struct volume_disk *disk, u64 first, u64 last)
{
	struct volume_ext4 ext4;

	return volume_ext4_read(disk, first * disk->block_size, &ext4) &&
	       strcmp(ext4.label, VOLUME_LABEL) == 0 &&
	       ext4.blocks * ext4.block_size <= (last - first + 1) * disk->block_size;
}

static bool add_partition(struct volume *volume, struct volume_disk *disk, struct error *error)
{
	u64 first = first_free(&disk->gpt);
	u64 last = last_free(&disk->gpt);
	bool old;
	u8 id[16];

	if (last < first || (last - first + 1) * disk->block_size < DATA_MIN)
		return error_set(error,
				 "%s: no room for data behind the boot partition "
				 "(%llu MiB at least)",
				 disk->name, (unsigned long long)(DATA_MIN / MIB));
	old = has_old_data(disk, first, last);
	random_bytes(id, sizeof(id));
	/* RFC 9562: version 4; the table has the first three fields with their bytes turned. */
	id[7] = (u8)((id[7] & 0x0f) | 0x40);
	id[8] = (u8)((id[8] & 0x3f) | 0x80);
	if (!gpt_set(&disk->gpt, DATA_NUMBER, first, last, old ? VOLUME_LABEL : VOLUME_NEW, id))
		return error_set(error, "%s: its partition table has no room", disk->name);
	if (!write_and_sync(disk, DATA_NUMBER, error))
		return false;
	if (!old)
		return format_partition(volume, disk, error);
	volume_note(volume, "data of an earlier installation was found on %s and kept", disk->name);
	return true;
}

static bool make_on_boot_disk(struct volume *volume, const struct volume_disks *disks,
			      struct volume_data *data, struct error *error)
{
	u32 boot;
	struct volume_disk *disk = volume_disks_find(disks, VOLUME_BOOT_LABEL, &boot);
	const struct gpt_partition *third;

	for (size_t i = 0; !disk && i < disks->count; i++) {
		if (disks->items[i].table == GPT_BAD)
			return error_set(error, "%s: %s", disks->items[i].name,
					 disks->items[i].trouble);
	}
	if (!disk)
		return error_set(error, "no disk has data of ours, or a boot partition");
	if (disk->is_read_only)
		return error_set(error, "%s can only be read", disk->name);
	if (!is_ours(disk, error))
		return false;
	*data = (struct volume_data){ disk, DATA_NUMBER };
	third = &disk->gpt.partitions[DATA_NUMBER - 1];
	if (third->last == 0)
		return add_partition(volume, disk, error);
	if (strcmp(third->name, VOLUME_NEW) == 0)
		return format_partition(volume, disk, error);
	return error_set(error, "%s: partition 3 (\"%s\") is not for data", disk->name,
			 third->name);
}

static bool make_on_blank_disk(struct volume *volume, const struct volume_disks *disks,
			       struct volume_data *data, struct error *error)
{
	char device[VOLUME_DEVICE_SIZE];
	size_t blank = 0;

	for (size_t i = 0; i < disks->count; i++) {
		struct volume_disk *disk = &disks->items[i];

		if (disk->is_removable || disk->is_read_only || disk->bytes < DATA_MIN ||
		    !volume_disk_is_blank(disk))
			continue;
		*data = (struct volume_data){ disk, 0 };
		blank++;
	}
	if (blank != 1)
		return error_set(error, "data-disk is \"blank\", but %zu disks are", blank);
	volume_device(data->disk, 0, device);
	log_info("volume", "formatting", "device=%s bytes=%llu", device,
		 (unsigned long long)data->disk->bytes);
	if (!format(device, data->disk->bytes, error))
		return false;
	volume_note(volume, "%s was formatted", device);
	return true;
}

bool volume_make(struct volume *volume, const struct volume_disks *disks,
		 const struct volume_places *places, struct volume_data *data, struct error *error)
{
	return places->wants_blank ? make_on_blank_disk(volume, disks, data, error)
				   : make_on_boot_disk(volume, disks, data, error);
}

bool volume_grow_partition(struct volume *volume, const struct volume_data *data,
			   struct error *error)
{
	struct volume_disk *disk = data->disk;
	struct gpt_partition *partition;
	u64 last = last_free(&disk->gpt);

	if (data->number == 0 || disk->table != GPT_READ)
		return true;
	partition = &disk->gpt.partitions[data->number - 1];
	if (gpt_end(&disk->gpt) == partition->last && last > partition->last &&
	    !disk->is_read_only) {
		if (!gpt_set(&disk->gpt, data->number, partition->first, last, partition->name,
			     partition->id))
			return error_set(error, "%s: its partition table has no room", disk->name);
		if (!volume_disk_write(disk, error))
			return false;
		volume_note(volume, "its partition grew to the end of %s", disk->name);
	}
	return volume_device_sync(disk, data->number, error);
}
