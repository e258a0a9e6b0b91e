/*
 * The data volume on real block devices (loops) with real e2fsprogs: found, made, grown, mended; and
 * what is not ours stays as it is, byte for byte.
 */
#include "base/log.h"
#include "base/text.h"
#include "init/users.h"
#include "init/volume_disk.h"
#include "base/remove_tree.h"

#include <fcntl.h>
#include <sched.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include <cmocka.h>

#define MIB (1024ull * 1024)
#define IMAGE_MIB 99 /* as long as the image is before it is written to a disk */

static char folder[64];
static char data[80];
static char loops[2][16]; /* "loop3"; "": not attached */
static char only[64];	  /* both, for volume_places.disks */
static struct volume volume;
static struct error error;

static bool holds(const char *fmt, ...) PRINTF_LIKE(1, 2);
static bool holds(const char *fmt, ...)
{
	char command[1024];
	char whole[1200];
	va_list args;

	va_start(args, fmt);
	vsnprintf(command, sizeof(command), fmt, args);
	va_end(args);
	snprintf(whole, sizeof(whole), "cd %s && ( %s ) >words 2>&1", folder, command);
	return system(whole) == 0;
}

#define MUST(...)                                                                                  \
	do {                                                                                       \
		if (!holds(__VA_ARGS__)) {                                                         \
			(void)!system("cat /tmp/volume_test.*/words >&2");                         \
			fail_msg("failed: " __VA_ARGS__);                                          \
		}                                                                                  \
	} while (0)

static void attach(u32 i)
{
	char path[128];
	ssize_t len;
	int fd;

	MUST("losetup -P --show -f disk%u >loop%u", i, i);
	snprintf(path, sizeof(path), "%s/loop%u", folder, i);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	len = pread(fd, loops[i], sizeof(loops[i]) - 1, 5); /* behind "/dev/" */
	close(fd);
	assert_true(len > 4);
	loops[i][len - 1] = '\0';
	snprintf(only, sizeof(only), "%s%s%s", loops[0], loops[0][0] && loops[1][0] ? " " : "",
		 loops[1]);
}

/* Partitions that were told to the kernel by hand stay with the loop: it is left clean. */
static void detach(u32 i)
{
	if (!loops[i][0])
		return;
	MUST("for n in 1 2 3 4 5; do test ! -e /sys/block/%s/%sp$n || delpart /dev/%s $n; done; "
	     "losetup -d /dev/%s",
	     loops[i], loops[i], loops[i], loops[i]);
	loops[i][0] = '\0';
}

/* The boot disk as the image makes it, on a disk of that size. */
static void make_boot_disk(u32 i, u64 mib)
{
	MUST("rm -f disk%u && truncate -s %uM disk%u && sgdisk -n 1:2048:+1M -t 1:ef02 "
	     "-c 1:hikyaku-boot -n 2:4096:+96M -t 2:ef00 -c 2:hikyaku-esp disk%u && "
	     "truncate -s %lluM disk%u",
	     i, IMAGE_MIB, i, i, (unsigned long long)mib, i);
}

static bool open_with(bool wants_blank, bool repairs)
{
	char boot[80];
	struct volume_places places = { .data = data,
					.boot = boot,
					.disks = only,
					.wants_blank = wants_blank,
					.repairs = repairs };

	snprintf(boot, sizeof(boot), "%s/boot", folder);
	error.text[0] = '\0';
	return volume_open_at(&volume, &places, &error);
}

static void must_open(void)
{
	if (!open_with(false, false))
		fail_msg("%s", error.text);
}

static void close_data(void)
{
	assert_int_equal(umount(data), 0);
}

static u64 data_mib(void)
{
	struct statvfs fs;

	assert_int_equal(statvfs(data, &fs), 0);
	return fs.f_blocks * fs.f_frsize / MIB;
}

static int begin(void **state)
{
	(void)state;
	if (geteuid() != 0)
		return 0;
	if (unshare(CLONE_NEWNS) < 0 || mount(NULL, "/", NULL, MS_PRIVATE | MS_REC, NULL) < 0)
		return -1;
	log_set_level(LOG_LEVEL_ERROR);
	snprintf(folder, sizeof(folder), "/tmp/volume_test.XXXXXX");
	if (!mkdtemp(folder))
		return -1;
	snprintf(data, sizeof(data), "%s/data", folder);
	return holds("mkdir data boot") ? 0 : -1;
}

static int finish(void **state)
{
	(void)state;
	if (geteuid() != 0)
		return 0;
	umount2(data, MNT_DETACH);
	detach(0);
	detach(1);
	only[0] = '\0';
	remove_tree(folder);
	return 0;
}

#define NEEDS_ROOT()                                                                               \
	do {                                                                                       \
		if (geteuid() != 0) {                                                              \
			print_message("needs root: loop devices\n");                               \
			skip();                                                                    \
		}                                                                                  \
	} while (0)

static void assert_folder(const char *name, mode_t mode, uid_t user, gid_t group)
{
	char path[128];
	struct stat st;

	snprintf(path, sizeof(path), "%s/%s", data, name);
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_mode, S_IFDIR | mode);
	assert_int_equal(st.st_uid, user);
	assert_int_equal(st.st_gid, group);
}

static void the_rest_of_the_boot_disk_is_taken(void **state)
{
	char device[32];
	struct statvfs fs;

	(void)state;
	NEEDS_ROOT();
	make_boot_disk(0, 1024);
	attach(0);
	must_open();
	snprintf(device, sizeof(device), "/dev/%sp3", loops[0]);
	assert_string_equal(volume.device, device);
	assert_non_null(strstr(volume.note, "the partition table of loop"));
	assert_non_null(strstr(volume.note, "p3 was formatted"));
	assert_in_range(data_mib(), 880, 925);
	assert_int_equal(statvfs(data, &fs), 0);
	assert_int_equal(fs.f_flag & (ST_NOSUID | ST_NODEV | ST_NOEXEC | ST_NOATIME | ST_RDONLY),
			 ST_NOSUID | ST_NODEV | ST_NOEXEC | ST_NOATIME);
	assert_true(fs.f_files > 10000);
	assert_folder("etc", 02770, USERS_ADMIN, USERS_GROUP);
	assert_folder("log", 0750, USERS_ROOT, USERS_GROUP);
	assert_folder("ssh", 0700, USERS_ADMIN, USERS_ADMIN);
	assert_folder("send", 0700, USERS_SEND, USERS_GROUP);
	assert_folder("backup", 02770, USERS_SEND, USERS_GROUP);
	MUST("sgdisk -v disk0 | grep 'No problems found'");
	MUST("sgdisk -p disk0 | grep '3 *202752 *20951.. .* 8300 *hikyaku-data'");
	MUST("sgdisk -i 2 disk0 | grep \"'hikyaku-esp'\"");
	MUST("dumpe2fs -h %s | grep 'volume name: *hikyaku-data'", device);
	MUST("dumpe2fs -h %s | grep 'features:.*64bit.*metadata_csum'", device);
	MUST("echo kept >data/etc/x");
	close_data();
	MUST("e2fsck -f -n %s", device);

	/* Again: nothing is done. */
	must_open();
	assert_string_equal(volume.note, "");
	MUST("grep kept data/etc/x");
}

/* Growing a mounted file system needs a right that root in a container may not have. */
static bool may_grow(void)
{
	bool may = holds("grep CapEff /proc/self/status | grep -q '[13579bdf]......$'");

	if (!may)
		print_message("needs CAP_SYS_RESOURCE: file systems cannot grow here\n");
	return may;
}

static void a_larger_disk_is_filled(void **state)
{
	(void)state;
	NEEDS_ROOT();
	if (!may_grow())
		skip();
	make_boot_disk(0, 1024);
	attach(0);
	must_open();
	MUST("head -c 3000000 /dev/urandom >data/etc/x && sha256sum data/etc/x >sum");
	close_data();
	detach(0);
	MUST("truncate -s 6G disk0");
	attach(0);
	must_open();
	assert_non_null(strstr(volume.note, "its partition grew"));
	assert_non_null(strstr(volume.note, "its file system grew from 925 to 6045 MiB"));
	assert_in_range(data_mib(), 5700, 6045);
	MUST("sha256sum -c sum");
	MUST("sgdisk -v disk0 | grep 'No problems found'");
	close_data();
	MUST("e2fsck -f -n /dev/%sp3", loops[0]);
	must_open();
	assert_string_equal(volume.note, "");
}

static void formatting_that_was_cut_off_begins_anew(void **state)
{
	(void)state;
	NEEDS_ROOT();
	make_boot_disk(0, 600);
	MUST("sgdisk -e -n 3:0:0 -c 3:hikyaku-new disk0");
	attach(0);
	/* Whole to look at, but nobody has said that it is. */
	MUST("partx -a -n 3 /dev/%s; head -c 1000000 /dev/urandom >/dev/%sp3; "
	     "mke2fs -q -F -L hikyaku-data /dev/%sp3",
	     loops[0], loops[0], loops[0]);
	must_open();
	assert_non_null(strstr(volume.note, "p3 was formatted"));
	MUST("sgdisk -p disk0 | grep '3 .* hikyaku-data'");
	close_data();
	must_open();
	assert_string_equal(volume.note, "");
}

static void an_image_written_anew_keeps_the_data(void **state)
{
	(void)state;
	NEEDS_ROOT();
	make_boot_disk(0, 600);
	attach(0);
	must_open();
	MUST("echo kept >data/etc/x");
	close_data();
	detach(0);
	/* The image ends with the second copy of its table, in the first MiB behind the ESP. */
	make_boot_disk(1, IMAGE_MIB);
	MUST("dd if=disk1 of=disk0 bs=1M conv=notrunc");
	attach(0);
	must_open();
	assert_non_null(strstr(volume.note, "data of an earlier installation was found"));
	MUST("grep kept data/etc/x");
	MUST("sgdisk -v disk0 | grep 'No problems found'");
}

static void a_lost_table_comes_back_from_its_copy(void **state)
{
	(void)state;
	NEEDS_ROOT();
	make_boot_disk(0, 600);
	attach(0);
	must_open();
	MUST("echo kept >data/etc/x");
	close_data();
	MUST("dd if=/dev/urandom of=/dev/%s bs=512 seek=1 count=33 conv=notrunc,fsync", loops[0]);
	detach(0);
	attach(0);
	must_open();
	assert_non_null(strstr(volume.note, "was put in order"));
	MUST("grep kept data/etc/x");
	MUST("sgdisk -v disk0 | grep 'No problems found'");
}

static void after_a_power_cut_all_that_was_synced_is_there(void **state)
{
	(void)state;
	NEEDS_ROOT();
	make_boot_disk(0, 600);
	attach(0);
	must_open();
	MUST("for i in $(seq 200); do echo $i >data/etc/f$i; done; sync -f data/etc; "
	     "cp --sparse=always disk0 disk1; test -s disk1");
	close_data();
	detach(0);
	MUST("mv disk1 disk0");
	attach(0);
	must_open();
	MUST("for i in $(seq 200); do grep -qx $i data/etc/f$i || exit 1; done");
	close_data();
	MUST("e2fsck -f -n /dev/%sp3", loops[0]);
}

static void errors_that_the_kernel_noted_are_mended(void **state)
{
	(void)state;
	NEEDS_ROOT();
	make_boot_disk(0, 600);
	attach(0);
	must_open();
	MUST("echo kept >data/etc/x; rm -f data/etc/y");
	close_data();
	MUST("debugfs -w -R 'set_super_value free_blocks_count 7' /dev/%sp3 && "
	     "debugfs -w -R 'set_super_value state 3' /dev/%sp3",
	     loops[0], loops[0]);
	must_open();
	assert_non_null(strstr(volume.note, "e2fsck mended it"));
	assert_false(volume.is_read_only);
	MUST("grep kept data/etc/x");
}

static void a_lost_superblock_is_taken_from_its_copy(void **state)
{
	(void)state;
	NEEDS_ROOT();
	make_boot_disk(0, 600);
	attach(0);
	must_open();
	MUST("echo kept >data/etc/x");
	close_data();
	MUST("dd if=/dev/zero of=/dev/%sp3 bs=1024 seek=1 count=1 conv=fsync", loops[0]);
	must_open();
	assert_non_null(strstr(volume.note, "e2fsck mended it"));
	MUST("grep kept data/etc/x");
}

static void what_e2fsck_does_not_dare_is_left_and_shown(void **state)
{
	(void)state;
	NEEDS_ROOT();
	make_boot_disk(0, 600);
	attach(0);
	must_open();
	MUST("mkdir data/etc/d && for i in $(seq 300); do echo $i >data/etc/d/file$i; done; "
	     "echo kept >data/log/x");
	close_data();
	/* A folder without its first block, and a number of links that is wrong. */
	MUST("debugfs -w -R 'clri /etc/d' /dev/%sp3 && "
	     "debugfs -w -R 'set_inode_field /log/x block[0] 12345678' /dev/%sp3 && "
	     "debugfs -w -R 'set_super_value state 2' /dev/%sp3",
	     loops[0], loops[0], loops[0]);
	assert_false(open_with(false, false));
	assert_non_null(strstr(error.text, "p3 is damaged (e2fsck: "));
	assert_true(volume.is_read_only);
	MUST("grep ' %s ext4 ro,' /proc/mounts", data);
	MUST("! touch data/etc/new");
	close_data();
	if (!open_with(false, true))
		fail_msg("%s", error.text);
	assert_false(volume.is_read_only);
	MUST("touch data/etc/new");
	close_data();
	MUST("e2fsck -f -n /dev/%sp3", loops[0]);
}

static void must_stay_as_it_is(const char *why)
{
	MUST("sync; for d in disk?; do cp --sparse=always $d was-$d; done");
	assert_false(open_with(false, false));
	assert_false(volume.is_read_only);
	if (!strstr(error.text, why))
		fail_msg("not \"%s\" but: %s", why, error.text);
	MUST("sync; for d in disk?; do cmp $d was-$d || exit 1; done");
}

static void what_is_not_ours_stays_as_it_is(void **state)
{
	(void)state;
	NEEDS_ROOT();
	/* Somebody's disk with a partition; one with a file system; noise. */
	MUST("truncate -s 600M disk0 && sgdisk -n 1:0:+100M -c 1:root disk0 && "
	     "truncate -s 600M disk1 && mke2fs -q -F -L home disk1");
	attach(0);
	attach(1);
	must_stay_as_it_is("no disk has data of ours, or a boot partition");
	detach(0);
	detach(1);
	/* Our boot partition beside a stranger's. */
	make_boot_disk(0, 600);
	MUST("sgdisk -e -n 4:0:+50M -c 4:windows disk0");
	attach(0);
	must_stay_as_it_is("partition 4 (\"windows\") is not ours");
	detach(0);
	make_boot_disk(0, 600);
	MUST("sgdisk -e -n 3:0:+50M -c 3:hikyaku-other disk0");
	attach(0);
	must_stay_as_it_is("partition 3 (\"hikyaku-other\") is not for data");
	detach(0);
	/* No copy of the table is whole. */
	make_boot_disk(0, 600);
	MUST("sgdisk -e disk0 && printf x | dd of=disk0 bs=1 seek=570 conv=notrunc && "
	     "printf x | dd of=disk0 bs=1 seek=$((600 * 1048576 - 500)) conv=notrunc");
	attach(0);
	must_stay_as_it_is("its partition table is damaged");
	detach(0);
	/* No room. */
	make_boot_disk(0, 300);
	MUST("sgdisk -e disk0");
	attach(0);
	must_stay_as_it_is("no room for data behind the boot partition");
}

static void a_blank_disk_is_taken_when_that_is_asked_for(void **state)
{
	char device[32];

	(void)state;
	NEEDS_ROOT();
	make_boot_disk(0, 600);
	MUST("sgdisk -e disk0; truncate -s 700M disk1; printf x | dd of=disk1 bs=1 seek=1000 "
	     "conv=notrunc");
	attach(0);
	attach(1);
	assert_false(open_with(true, false));
	assert_string_equal(error.text, "data-disk is \"blank\", but 0 disks are");
	MUST("dd if=/dev/zero of=/dev/%s bs=1k count=1 conv=fsync", loops[1]);
	if (!open_with(true, false))
		fail_msg("%s", error.text);
	snprintf(device, sizeof(device), "/dev/%s", loops[1]);
	assert_string_equal(volume.device, device);
	MUST("echo kept >data/etc/x");
	close_data();
	/* Found by its label from now on, whatever is asked for. */
	must_open();
	assert_string_equal(volume.device, device);
	MUST("grep kept data/etc/x");
	MUST("! sgdisk -p disk0 | grep hikyaku-data");
	close_data();
	if (!may_grow())
		return;
	detach(1);
	MUST("truncate -s 1500M disk1");
	attach(1);
	must_open();
	assert_non_null(strstr(volume.note, "its file system grew from 700 to 1500 MiB"));
	MUST("grep kept data/etc/x");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup_teardown(name, begin, finish)
		TEST(the_rest_of_the_boot_disk_is_taken),
		TEST(a_larger_disk_is_filled),
		TEST(formatting_that_was_cut_off_begins_anew),
		TEST(an_image_written_anew_keeps_the_data),
		TEST(a_lost_table_comes_back_from_its_copy),
		TEST(after_a_power_cut_all_that_was_synced_is_there),
		TEST(errors_that_the_kernel_noted_are_mended),
		TEST(a_lost_superblock_is_taken_from_its_copy),
		TEST(what_e2fsck_does_not_dare_is_left_and_shown),
		TEST(what_is_not_ours_stays_as_it_is),
		TEST(a_blank_disk_is_taken_when_that_is_asked_for),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
