#include "init/volume.h"

#include "base/appliance.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/text.h"
#include "init/mounts.h"
#include "init/users.h"
#include "init/volume_disk.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#define FLAGS (MS_NOSUID | MS_NODEV | MS_NOEXEC)
#define DATA_FLAGS (FLAGS | MS_NOATIME)
/*
 * A power cut in the middle of an upgrade may leave a file whose clusters are not all there. It is
 * removed by the next upgrade, whose writing must not end for that.
 */
#define BOOT_OPTIONS "umask=0022,errors=continue"
#define BOOT_CONFIG "hikyaku/appliance.conf"
#define DISKS_PATIENCE_MS 10000
#define DISKS_PATIENCE_BARE_MS 500 /* without GRUB there need not be any */
#define SETTLE_MS 2000
#define LOOK_MS 50
#define GROWTH_MIN_BLOCKS 4096 /* less is what mke2fs leaves at the end of a disk */
#define EXT4_RESIZE _IOW('f', 16, u64) /* EXT4_IOC_RESIZE_FS of the kernel */

/* Bits of e2fsck's exit code. */
#define FSCK_MENDED 1
#define FSCK_FAILED (~3)

static const struct {
	const char *path;
	mode_t mode;
	uid_t user;
	gid_t group;
} folders[] = {
	/* 02000: admin's files are read by the sender's user and the other way, by their group. */
	{ "etc", 02770, USERS_ADMIN, USERS_GROUP },
	{ "log", 0750, USERS_ROOT, USERS_GROUP },
	{ "ssh", 0700, USERS_ADMIN, USERS_ADMIN },
	{ "send", 0700, USERS_SEND, USERS_GROUP },
	{ "receive", 0700, USERS_RECEIVE, USERS_GROUP },
	{ "backup", 02770, USERS_SEND, USERS_GROUP },
	{ "www", 0700, USERS_WWW, USERS_WWW },
	{ "hook", 0700, USERS_HOOK, USERS_HOOK },
	{ "web", 0700, USERS_WEB, USERS_WWW },
	{ "site", 0755, USERS_ADMIN, USERS_ADMIN }, /* the customer's own pages */
};

void volume_note(struct volume *volume, const char *fmt, ...)
{
	size_t len = strlen(volume->note);
	char text[160];
	va_list args;

	va_start(args, fmt);
	vsnprintf(text, sizeof(text), fmt, args);
	va_end(args);
	log_info("volume", "done", "what=%s", text);
	snprintf(volume->note + len, sizeof(volume->note) - len, "%s%s", len > 0 ? "; " : "", text);
}

/* ---- looking ---- */

/* A partition, or a whole disk, whose file system has our label. */
static bool find_on_disk(struct volume_disk *disk, struct volume_data *data)
{
	struct volume_ext4 ext4;

	if (disk->table == GPT_NONE) {
		*data = (struct volume_data){ disk, 0 };
		return volume_ext4_read(disk, 0, &ext4) && strcmp(ext4.label, VOLUME_LABEL) == 0;
	}
	for (u32 i = 1; disk->table == GPT_READ && i <= GPT_PARTITIONS_MAX; i++) {
		const struct gpt_partition *partition = &disk->gpt.partitions[i - 1];

		/* A new one may have its label before it is whole. */
		if (partition->last == 0 || strcmp(partition->name, VOLUME_NEW) == 0 ||
		    !volume_ext4_read(disk, partition->first * disk->block_size, &ext4) ||
		    strcmp(ext4.label, VOLUME_LABEL) != 0)
			continue;
		*data = (struct volume_data){ disk, i };
		return true;
	}
	return false;
}

/* The one on the disk that we start from goes before others. */
static bool find_data(struct volume *volume, const struct volume_disks *disks,
		      struct volume_data *data)
{
	struct volume_data found;
	size_t count = 0;
	u32 boot;

	for (size_t i = 0; i < disks->count; i++) {
		struct volume_disk *disk = &disks->items[i];

		if (!find_on_disk(disk, &found))
			continue;
		boot = disk->table == GPT_READ ? gpt_find(&disk->gpt, VOLUME_BOOT_LABEL) : 0;
		if (count++ == 0 || boot > 0)
			*data = found;
	}
	if (count > 1)
		volume_note(volume, "%zu disks have data of ours; that of %s is used", count,
			    data->disk->name);
	/* Without its superblock it still has its name. */
	if (count == 0) {
		data->disk = volume_disks_find(disks, VOLUME_LABEL, &boot);
		data->number = boot;
	}
	return data->disk != NULL;
}

static bool has_data(const struct volume_disks *disks)
{
	struct volume_data data;
	u32 number;

	for (size_t i = 0; i < disks->count; i++) {
		if (find_on_disk(&disks->items[i], &data))
			return true;
	}
	return volume_disks_find(disks, VOLUME_LABEL, &number) != NULL;
}

/*
 * Disks appear while the kernel looks for them. Data that is not there may be on one that is still
 * to come: it is waited for a little longer before any is made.
 */
static bool wait_for_disks(struct volume_disks *disks, const struct volume_places *places,
			   struct error *error)
{
	u64 end = clock_mono_ns() / NS_PER_MS + places->patience_ms;
	bool settling = false;
	u32 number;

	while (volume_disks_read(disks, places, error)) {
		u64 now = clock_mono_ns() / NS_PER_MS;

		if (!settling && volume_disks_find(disks, VOLUME_BOOT_LABEL, &number)) {
			settling = true;
			end = min_u64(end, now + SETTLE_MS);
		}
		if (has_data(disks) || now >= end)
			return true;
		volume_disks_done(disks);
		usleep(LOOK_MS * 1000);
	}
	return false;
}

/* ---- the boot partition ---- */

/* Its table is put in order first: firmware of other machines may be less patient with it. */
static void open_boot(struct volume *volume, const struct volume_disks *disks,
		      const struct volume_places *places)
{
	struct error error = { "" };
	char device[VOLUME_DEVICE_SIZE];
	u32 number;
	struct volume_disk *disk = volume_disks_find(disks, VOLUME_BOOT_LABEL, &number);

	if (!disk) {
		log_warn("volume", "no boot partition");
		return;
	}
	if (disk->gpt.needs_writing && !disk->is_read_only) {
		if (volume_disk_write(disk, &error))
			volume_note(volume, "the partition table of %s was put in order",
				    disk->name);
		else
			log_error("volume", "partition table", "error=%s", error.text);
	}
	volume_device(disk, number, device);
	if (!volume_device_sync(disk, number, &error))
		log_error("volume", "boot partition", "error=%s", error.text);
	else if (mount(device, places->boot, "vfat", FLAGS | MS_RDONLY, BOOT_OPTIONS) < 0)
		log_error("volume", "boot partition", "device=%s error=%s", device,
			  strerror(errno));
}

/* ---- checking ---- */

static int check(const char *device, const char *const *more, struct error *error)
{
	const char *argv[8] = { "/sbin/e2fsck" };
	size_t count = 1;

	while (*more)
		argv[count++] = *more++;
	argv[count++] = device;
	argv[count] = NULL;
	return volume_run(argv, error);
}

/*
 * What the journal tells is done by the kernel; e2fsck looks when more than that is the matter.
 * False: there is damage that it does not mend by itself.
 */
static bool mend(struct volume *volume, const struct volume_places *places,
		 const struct volume_ext4 *ext4, bool found, struct error *error)
{
	static const char *const preen[] = { "-p", NULL };
	static const char *const backup[] = { "-p", "-b", "32768", "-B", "4096", NULL };
	static const char *const all[] = { "-f", "-y", NULL };
	static const char *const all_backup[] = { "-f", "-y", "-b", "32768", "-B", "4096", NULL };
	int code;

	if (found && ext4->is_clean && !ext4->has_errors && !places->repairs)
		return true;
	log_warn("volume", "checking", "device=%s superblock=%s", volume->device,
		 found ? "there" : "lost");
	code = check(volume->device, found ? preen : backup, error);
	if (code < 0)
		return false;
	if ((code & FSCK_FAILED) && places->repairs)
		code = check(volume->device, found ? all : all_backup, error);
	if (code < 0)
		return false;
	if (code & FSCK_FAILED)
		return error_set(error,
				 "%s is damaged (e2fsck: %d); hikyaku.repair=yes on the kernel's "
				 "command line has it repaired, whatever that costs",
				 volume->device, code);
	if (code & FSCK_MENDED)
		volume_note(volume, "e2fsck mended it");
	return true;
}

/* ---- mounting ---- */

static bool mount_data(const struct volume *volume, const struct volume_places *places)
{
	return mount(volume->device, places->data, "ext4", DATA_FLAGS, "errors=remount-ro") == 0;
}

static void mount_read_only(struct volume *volume, const struct volume_places *places)
{
	/* noload: a damaged file system is not to be made worse by its journal. */
	volume->is_read_only =
		mount(volume->device, places->data, "ext4", DATA_FLAGS | MS_RDONLY, "noload") == 0;
	if (!volume->is_read_only)
		log_error("volume", "not even read-only", "device=%s error=%s", volume->device,
			  strerror(errno));
}

static void grow(struct volume *volume, const struct volume_places *places,
		 const struct volume_data *data)
{
	struct volume_ext4 ext4;
	u64 start = 0;
	u64 blocks;
	int fd;

	if (data->number > 0)
		start = data->disk->gpt.partitions[data->number - 1].first * data->disk->block_size;
	if (!volume_ext4_read(data->disk, start, &ext4))
		return;
	blocks = volume_device_bytes(data->disk, data->number) / ext4.block_size;
	if (blocks < ext4.blocks + GROWTH_MIN_BLOCKS)
		return;
	fd = open(places->data, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd >= 0 && ioctl(fd, EXT4_RESIZE, &blocks) == 0)
		volume_note(volume, "its file system grew from %llu to %llu MiB",
			    (unsigned long long)(ext4.blocks * ext4.block_size >> 20),
			    (unsigned long long)(blocks * ext4.block_size >> 20));
	else
		log_error("volume", "does not grow", "device=%s error=%s", volume->device,
			  strerror(errno));
	if (fd >= 0)
		close(fd);
}

static bool make_folders(const struct volume_places *places, struct error *error)
{
	int at = open(places->data, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	bool done = at >= 0;

	for (size_t i = 0; done && i < array_count(folders); i++) {
		const char *path = folders[i].path;

		done = (mkdirat(at, path, 0700) == 0 || errno == EEXIST) &&
		       fchownat(at, path, folders[i].user, folders[i].group,
				AT_SYMLINK_NOFOLLOW) == 0 &&
		       fchmodat(at, path, folders[i].mode, 0) == 0;
		if (!done)
			error_set_errno(error, errno, "%s/%s", places->data, path);
	}
	done = done && fchmod(at, 0755) == 0 && fsync(at) == 0;
	if (at >= 0)
		close(at);
	return done;
}

static bool open_data(struct volume *volume, const struct volume_disks *disks,
		      const struct volume_places *places, struct error *error)
{
	struct volume_data data = { NULL, 0 };
	struct volume_ext4 ext4;
	u64 start = 0;
	bool found;

	if (!find_data(volume, disks, &data) && !volume_make(volume, disks, places, &data, error))
		return false;
	volume_device(data.disk, data.number, volume->device);
	if (!volume_grow_partition(volume, &data, error))
		return false;
	if (data.number > 0)
		start = data.disk->gpt.partitions[data.number - 1].first * data.disk->block_size;
	found = volume_ext4_read(data.disk, start, &ext4);
	if (!mend(volume, places, &ext4, found, error)) {
		mount_read_only(volume, places);
		return false;
	}
	if (!mount_data(volume, places)) {
		error_set_errno(error, errno, "%s", volume->device);
		mount_read_only(volume, places);
		return false;
	}
	grow(volume, places, &data);
	return make_folders(places, error);
}

bool volume_open_at(struct volume *volume, const struct volume_places *places, struct error *error)
{
	struct volume_places here = *places;
	struct volume_disks disks;
	struct appliance appliance;
	struct error ignored;
	char path[256];
	bool done;

	*volume = (struct volume){ .is_read_only = false };
	if (!wait_for_disks(&disks, places, error))
		return false;
	open_boot(volume, &disks, places);
	snprintf(path, sizeof(path), "%s/%s", places->boot, BOOT_CONFIG);
	/* What is wrong in it is told when init reads it. */
	if (appliance_read(&appliance, path, &ignored)) {
		here.wants_blank =
			here.wants_blank || appliance.data_disk == APPLIANCE_DISK_BLANK;
		appliance_free(&appliance);
	}
	done = open_data(volume, &disks, &here, error);
	volume_disks_done(&disks);
	return done;
}

bool volume_open(struct volume *volume, struct error *error)
{
	struct volume_places places = { .data = VOLUME_DATA,
					.boot = VOLUME_BOOT,
					.patience_ms = DISKS_PATIENCE_MS };
	char word[16];

	if (!mounts_boot_word("hikyaku.slot", word, sizeof(word)))
		places.patience_ms = DISKS_PATIENCE_BARE_MS;
	places.repairs = mounts_boot_word("hikyaku.repair", word, sizeof(word)) &&
			 strcmp(word, "yes") == 0;
	places.wants_blank = mounts_boot_word("hikyaku.data-disk", word, sizeof(word)) &&
			     strcmp(word, "blank") == 0;
	return volume_open_at(volume, &places, error);
}
