#include "init/volume_disk.h"

#include "base/log.h"
#include "base/text.h"
#include "init/kernel_file.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/blkpg.h>
#include <linux/fs.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#define ALIGNMENT 4096		 /* of buffers: the largest block of a disk */
#define BLANK_SIZE (1024 * 1024) /* where table and file systems have their marks */
#define SUPERBLOCK_AT 1024

static bool read_at(int fd, void *to, size_t len, u64 offset)
{
	char *at = to;

	while (len > 0) {
		ssize_t got = pread(fd, at, len, (off_t)offset);

		if (got < 0 && errno == EINTR)
			continue;
		if (got <= 0)
			return false;
		at += got;
		len -= (size_t)got;
		offset += (u64)got;
	}
	return true;
}

static bool write_at(int fd, const void *from, size_t len, u64 offset)
{
	const char *at = from;

	while (len > 0) {
		ssize_t put = pwrite(fd, at, len, (off_t)offset);

		if (put < 0 && errno == EINTR)
			continue;
		if (put <= 0)
			return false;
		at += put;
		len -= (size_t)put;
		offset += (u64)put;
	}
	return true;
}

/*
 * Past the cache: a disk's is not that of its partitions, and what programs write to these would
 * not be seen, or be overwritten by what was there before. Buffers are aligned for it.
 */
static int open_disk(const struct volume_disk *disk, int flags)
{
	char path[VOLUME_DEVICE_SIZE];

	volume_device(disk, 0, path);
	return open(path, flags | O_DIRECT | O_CLOEXEC);
}

static void *take_buffer(size_t size)
{
	return aligned_alloc(ALIGNMENT, (size + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT);
}

/* ---- which disks ---- */

static u64 attribute(const char *device, const char *name)
{
	char path[320];
	char text[32];
	u64 value;

	snprintf(path, sizeof(path), "/sys/class/block/%s/%s", device, name);
	return slice_to_u64(kernel_file_read(path, text, sizeof(text)), &value) ? value : 0;
}

static bool is_partition(const char *device)
{
	char path[320];

	snprintf(path, sizeof(path), "/sys/class/block/%s/partition", device);
	return access(path, F_OK) == 0;
}

/* What is no disk of its own: memory, files, parts of others, media that come and go. */
static bool is_no_disk(const char *name)
{
	static const char *const prefixes[] = { "loop", "ram", "zram", "sr", "fd", "dm-", "md",
						"nbd" };

	for (size_t i = 0; i < array_count(prefixes); i++) {
		if (slice_has_prefix(slice_of(name), slice_of(prefixes[i])))
			return true;
	}
	return false;
}

static bool is_wanted(const char *name, const char *only)
{
	struct slice rest = only ? slice_of(only) : SLICE_NONE;

	if (name[0] == '.' || is_partition(name) || attribute(name, "size") == 0)
		return false;
	if (!only)
		return !is_no_disk(name);
	while (rest.ptr) {
		if (slice_equal(slice_split(&rest, ' '), slice_of(name)))
			return true;
	}
	return false;
}

static void read_table(struct volume_disk *disk, int fd)
{
	u64 blocks = disk->bytes / disk->block_size;
	size_t head_size = gpt_head_size(disk->block_size);
	size_t tail_size = gpt_tail_size(disk->block_size);
	u8 *head = take_buffer(head_size);
	u8 *tail = take_buffer(tail_size);
	struct error error = { "" };

	disk->table = GPT_BAD;
	if (!head || !tail || disk->bytes < head_size + tail_size ||
	    !read_at(fd, head, head_size, 0) ||
	    !read_at(fd, tail, tail_size, blocks * disk->block_size - tail_size))
		error_set(&error, "it cannot be read");
	else
		disk->table =
			gpt_read(&disk->gpt, head, tail, disk->block_size, blocks, &error);
	slice_copy(disk->trouble, sizeof(disk->trouble), slice_of(error.text));
	free(head);
	free(tail);
}

static bool read_disk(struct volume_disk *disk, const char *name)
{
	int block_size = 0;
	int fd;

	memset(disk, 0, sizeof(*disk));
	slice_copy(disk->name, sizeof(disk->name), slice_of(name));
	fd = open_disk(disk, O_RDONLY);
	if (fd < 0)
		return false;
	if (ioctl(fd, BLKGETSIZE64, &disk->bytes) < 0 || ioctl(fd, BLKSSZGET, &block_size) < 0 ||
	    (block_size != 512 && block_size != 4096)) {
		close(fd);
		return false;
	}
	disk->block_size = (u32)block_size;
	disk->is_removable = attribute(name, "removable") != 0;
	disk->is_read_only = attribute(name, "ro") != 0;
	read_table(disk, fd);
	close(fd);
	return true;
}

static int by_name(const void *a, const void *b)
{
	return strcmp(((const struct volume_disk *)a)->name, ((const struct volume_disk *)b)->name);
}

bool volume_disks_read(struct volume_disks *disks, const struct volume_places *places,
		       struct error *error)
{
	DIR *all = opendir("/sys/class/block");
	struct dirent *entry;

	*disks = (struct volume_disks){ .items = NULL };
	if (!all)
		return error_set_errno(error, errno, "/sys/class/block");
	disks->items = calloc(VOLUME_DISKS_MAX, sizeof(*disks->items));
	while (disks->items && (entry = readdir(all))) {
		if (disks->count < VOLUME_DISKS_MAX && is_wanted(entry->d_name, places->disks) &&
		    read_disk(&disks->items[disks->count], entry->d_name))
			disks->count++;
	}
	closedir(all);
	if (!disks->items)
		return error_set(error, "disks: out of memory");
	qsort(disks->items, disks->count, sizeof(*disks->items), by_name);
	return true;
}

void volume_disks_done(struct volume_disks *disks)
{
	free(disks->items);
	*disks = (struct volume_disks){ .items = NULL };
}

struct volume_disk *volume_disks_find(const struct volume_disks *disks, const char *name,
				      u32 *number)
{
	for (size_t i = 0; i < disks->count; i++) {
		struct volume_disk *disk = &disks->items[i];

		*number = disk->table == GPT_READ ? gpt_find(&disk->gpt, name) : 0;
		if (*number > 0)
			return disk;
	}
	return NULL;
}

bool volume_disk_is_blank(const struct volume_disk *disk)
{
	char *bytes = take_buffer(BLANK_SIZE);
	int fd = open_disk(disk, O_RDONLY);
	bool blank = bytes && fd >= 0 && disk->table == GPT_NONE && disk->bytes >= BLANK_SIZE;
	/* A disk may end with less than an aligned block. */
	u64 end = disk->bytes / disk->block_size * disk->block_size;
	u64 places[] = { 0, end >= BLANK_SIZE ? end - BLANK_SIZE : 0 };

	for (size_t i = 0; blank && i < array_count(places); i++) {
		blank = read_at(fd, bytes, BLANK_SIZE, places[i]);
		for (size_t k = 0; blank && k < BLANK_SIZE; k++)
			blank = bytes[k] == 0;
	}
	if (fd >= 0)
		close(fd);
	free(bytes);
	return blank;
}

bool volume_disk_write(struct volume_disk *disk, struct error *error)
{
	size_t head_size = gpt_head_size(disk->block_size);
	size_t tail_size = gpt_tail_size(disk->block_size);
	u64 tail_at = disk->gpt.blocks * disk->block_size - tail_size;
	u8 *head = take_buffer(head_size);
	u8 *tail = take_buffer(tail_size);
	int fd = open_disk(disk, O_RDWR);
	bool done = false;

	if (head && tail && fd >= 0 && read_at(fd, head, head_size, 0)) {
		gpt_write(&disk->gpt, head, tail);
		done = write_at(fd, tail, tail_size, tail_at) && fsync(fd) == 0 &&
		       write_at(fd, head, head_size, 0) && fsync(fd) == 0;
	}
	if (!done)
		error_set_errno(error, errno, "%s: partition table", disk->name);
	else
		disk->gpt.needs_writing = false;
	if (fd >= 0)
		close(fd);
	free(head);
	free(tail);
	return done;
}

/* ---- devices ---- */

void volume_device(const struct volume_disk *disk, u32 number, char out[VOLUME_DEVICE_SIZE])
{
	char last = disk->name[0] ? disk->name[strlen(disk->name) - 1] : '\0';

	if (number == 0)
		snprintf(out, VOLUME_DEVICE_SIZE, "/dev/%s", disk->name);
	else
		snprintf(out, VOLUME_DEVICE_SIZE, "/dev/%s%s%u", disk->name,
			 ascii_is_digit(last) ? "p" : "", number);
}

u64 volume_device_bytes(const struct volume_disk *disk, u32 number)
{
	const struct gpt_partition *partition;

	if (number == 0)
		return disk->bytes;
	partition = &disk->gpt.partitions[number - 1];
	return (partition->last - partition->first + 1) * disk->block_size;
}

static bool tell_kernel(int fd, int operation, struct blkpg_partition *partition)
{
	struct blkpg_ioctl_arg arg = { .op = operation,
				       .datalen = sizeof(*partition),
				       .data = partition };

	return ioctl(fd, BLKPG, &arg) == 0;
}

bool volume_device_sync(const struct volume_disk *disk, u32 number, struct error *error)
{
	const struct gpt_partition *partition = &disk->gpt.partitions[number - 1];
	struct blkpg_partition wanted = {
		.pno = (int)number,
		.start = (long long)(partition->first * disk->block_size),
		.length = (long long)volume_device_bytes(disk, number),
	};
	char device[VOLUME_DEVICE_SIZE];
	const char *name = device + strlen("/dev/");
	bool done = true;
	int fd;

	if (number == 0)
		return true;
	volume_device(disk, number, device);
	fd = open_disk(disk, O_RDONLY);
	if (fd < 0)
		return error_set_errno(error, errno, "%s", disk->name);
	/* /sys counts in 512 bytes whatever the disk's blocks are. */
	if (!is_partition(name)) {
		done = tell_kernel(fd, BLKPG_ADD_PARTITION, &wanted);
	} else if (attribute(name, "start") * 512 != (u64)wanted.start) {
		done = tell_kernel(fd, BLKPG_DEL_PARTITION, &wanted) &&
		       tell_kernel(fd, BLKPG_ADD_PARTITION, &wanted);
	} else if (attribute(name, "size") * 512 != (u64)wanted.length) {
		done = tell_kernel(fd, BLKPG_RESIZE_PARTITION, &wanted);
	}
	if (!done)
		error_set_errno(error, errno, "%s: the kernel does not take the partition", device);
	close(fd);
	return done;
}

/* ---- ext4 ---- */

static u32 get32(const u8 *p)
{
	return (u32)p[0] | (u32)p[1] << 8 | (u32)p[2] << 16 | (u32)p[3] << 24;
}

bool volume_ext4_read(const struct volume_disk *disk, u64 offset, struct volume_ext4 *ext4)
{
	u8 *start = take_buffer(ALIGNMENT);
	int fd = open_disk(disk, O_RDONLY);
	const u8 *super = start + SUPERBLOCK_AT;
	bool found = start && fd >= 0 && offset + ALIGNMENT <= disk->bytes &&
		     read_at(fd, start, ALIGNMENT, offset);
	u32 log_size = found ? get32(super + 0x18) : 0;
	u32 incompat = found ? get32(super + 0x60) : 0;

	memset(ext4, 0, sizeof(*ext4));
	found = found && super[0x38] == 0x53 && super[0x39] == 0xef && log_size <= 6;
	if (found) {
		memcpy(ext4->label, super + 0x78, 16);
		ext4->is_clean = super[0x3a] & 1;
		ext4->has_errors = super[0x3a] & 2;
		ext4->block_size = 1024u << log_size;
		ext4->blocks = get32(super + 4);
		/* Feature "64bit" gives the number its upper half. */
		if (incompat & 0x80)
			ext4->blocks |= (u64)get32(super + 0x150) << 32;
	}
	if (fd >= 0)
		close(fd);
	free(start);
	return found;
}
