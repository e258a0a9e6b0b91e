/* An upgrade into the other slot: what is refused, and that the machine starts whatever ends it. */
#include "init/upgrade.h"

#include "base/buf.h"
#include "base/text.h"
#include "fail_write.h"
#include "init/slot_block.h"
#include "init/upgrade_bundle.h"

#include <ftw.h>
#include <setjmp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>

#include <openssl/evp.h>

#include <cmocka.h>

#define KERNEL_SIZE 100000 /* more than one chunk */
#define ROOTFS_SIZE 70001

static struct {
	char folder[64];
	char boot[80];
	char keys[80];
	char words[80];
	EVP_PKEY *key;
	FILE *report;
} world;

static char kernel[KERNEL_SIZE];
static char rootfs[ROOTFS_SIZE];

static const char *path_of(const char *name)
{
	static char path[160];

	snprintf(path, sizeof(path), "%s/%s", world.folder, name);
	return path;
}

static void write_file(const char *name, const char *bytes, size_t len)
{
	FILE *file = fopen(path_of(name), "w");

	assert_non_null(file);
	assert_int_equal(fwrite(bytes, 1, len, file), len);
	assert_int_equal(fclose(file), 0);
}

static void write_text(const char *name, const char *text)
{
	write_file(name, text, strlen(text));
}

/* The file's content and a NUL, to be freed; NULL when there is none. */
static char *read_file(const char *name, size_t *len)
{
	FILE *file = fopen(path_of(name), "r");
	char *bytes;

	if (!file)
		return NULL;
	bytes = malloc(1u << 20);
	*len = fread(bytes, 1, (1u << 20) - 1, file);
	bytes[*len] = 0;
	fclose(file);
	return bytes;
}

static bool holds(const char *name, const char *bytes, size_t len)
{
	size_t got_len = 0;
	char *got = read_file(name, &got_len);
	bool same = got && got_len == len && memcmp(got, bytes, len) == 0;

	free(got);
	return same;
}

static void write_block(const char *lines)
{
	char bytes[SLOT_BLOCK_SIZE];
	int len = snprintf(bytes, sizeof(bytes), "# GRUB Environment Block\n%s", lines);

	memset(bytes + len, '#', sizeof(bytes) - (size_t)len);
	write_file("boot/grub/grubenv", bytes, sizeof(bytes));
}

static bool block_holds(const char *lines)
{
	size_t len = 0;
	char *got = read_file("boot/grub/grubenv", &len);
	bool does = got && len == SLOT_BLOCK_SIZE &&
		    strncmp(got + 25, lines, strlen(lines)) == 0 && got[25 + strlen(lines)] == '#';

	free(got);
	return does;
}

static EVP_PKEY *make_key(const char *name)
{
	EVP_PKEY *pkey = EVP_PKEY_Q_keygen(NULL, NULL, "ED25519");
	struct buf raw;
	char text[128];
	u8 der[44] = { 0x30, 0x2a, 0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x70, 0x03, 0x21, 0x00 };
	size_t len = 32;

	buf_init(&raw, 256);
	assert_int_equal(EVP_PKEY_get_raw_public_key(pkey, der + 12, &len), 1);
	buf_add_text(&raw, "-----BEGIN PUBLIC KEY-----\n");
	buf_add(&raw, text, base64_encode(text, der, sizeof(der)));
	buf_add_text(&raw, "\n-----END PUBLIC KEY-----\n");
	write_text(name, buf_text(&raw));
	buf_done(&raw);
	return pkey;
}

static const char *hash_of(const char *bytes, size_t len)
{
	static char hex[2][SHA256_SIZE * 2 + 1];
	static u32 turn;
	struct sha256 hash;
	u8 sum[SHA256_SIZE];

	turn ^= 1;
	sha256_init(&hash);
	sha256_add(&hash, bytes, len);
	sha256_finish(&hash, sum);
	hex_encode(hex[turn], sum, sizeof(sum));
	return hex[turn];
}

static void release_text(char out[512], const char *version)
{
	snprintf(out, 512, "hikyaku release 1\nversion %s\nkernel %d %s\nrootfs %d %s\n", version,
		 KERNEL_SIZE, hash_of(kernel, KERNEL_SIZE), ROOTFS_SIZE,
		 hash_of(rootfs, ROOTFS_SIZE));
}

/* A bundle of the two files, as appliance/bundle makes it. */
static void write_bundle_of(const char *text, EVP_PKEY *key)
{
	EVP_MD_CTX *ctx = EVP_MD_CTX_new();
	size_t len = strlen(text);
	u8 head[UPGRADE_HEAD_SIZE] = "HKYBNDL1";
	size_t signature_len = CRYPTO_ED25519_SIGNATURE;
	struct buf bundle;

	head[10] = (u8)(len >> 8);
	head[11] = (u8)len;
	assert_int_equal(EVP_DigestSignInit(ctx, NULL, NULL, NULL, key), 1);
	assert_int_equal(EVP_DigestSign(ctx, head + 12, &signature_len, (const u8 *)text, len), 1);
	EVP_MD_CTX_free(ctx);
	buf_init(&bundle, 1u << 20);
	buf_add(&bundle, head, sizeof(head));
	buf_add_text(&bundle, text);
	buf_add(&bundle, kernel, sizeof(kernel));
	buf_add(&bundle, rootfs, sizeof(rootfs));
	assert_false(bundle.failed);
	write_file("bundle", bundle.ptr, bundle.len);
	buf_done(&bundle);
}

static void write_bundle(const char *version)
{
	char text[512];

	release_text(text, version);
	write_bundle_of(text, world.key);
}

/* Slot a runs and is good; slot b holds an older system. */
static int make_world(void **state)
{
	(void)state;
	snprintf(world.folder, sizeof(world.folder), "/tmp/upgrade_test.XXXXXX");
	if (!mkdtemp(world.folder))
		return -1;
	snprintf(world.boot, sizeof(world.boot), "%s/boot", world.folder);
	snprintf(world.keys, sizeof(world.keys), "%s/keys", world.folder);
	snprintf(world.words, sizeof(world.words), "%s/cmdline", world.folder);
	mkdir(world.boot, 0700);
	mkdir(world.keys, 0700);
	mkdir(path_of("boot/grub"), 0700);
	mkdir(path_of("boot/a"), 0700);
	mkdir(path_of("boot/b"), 0700);
	for (size_t i = 0; i < sizeof(kernel); i++)
		kernel[i] = (char)(i * 7 + i / 251);
	for (size_t i = 0; i < sizeof(rootfs); i++)
		rootfs[i] = (char)(i * 11 + i / 241);
	write_text("boot/a/kernel", "good kernel");
	write_text("boot/a/rootfs", "good rootfs");
	write_text("boot/b/kernel", "old kernel");
	write_text("boot/b/rootfs", "old rootfs");
	write_text("boot/b/release", "old release");
	write_text("boot/b/rootfs.new", "left behind");
	write_text("cmdline", "hikyaku.slot=a quiet\n");
	write_block("good=a\ntry=\ntries=0\npending=0\n");
	world.key = make_key("keys/release-2026.pem");
	world.report = tmpfile();
	write_bundle("9.0.1");
	return world.report ? 0 : -1;
}

static int remove_entry(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
	(void)st;
	(void)type;
	(void)ftw;
	return remove(path);
}

static int drop_world(void **state)
{
	(void)state;
	nftw(world.folder, remove_entry, 16, FTW_DEPTH | FTW_PHYS);
	EVP_PKEY_free(world.key);
	fclose(world.report);
	return 0;
}

static bool upgrade(bool allow_downgrade, struct error *error)
{
	struct upgrade upgrade = {
		.slots = { .boot = world.boot, .command_line = world.words },
		.keys = world.keys,
		.allow_downgrade = allow_downgrade,
		.report = world.report,
	};
	int fd = open(path_of("bundle"), O_RDONLY | O_CLOEXEC);
	bool ok = upgrade_run(&upgrade, fd, error);

	close(fd);
	return ok;
}

static bool is_new_system_whole(void)
{
	char text[512];

	release_text(text, "9.0.1");
	return holds("boot/b/kernel", kernel, sizeof(kernel)) &&
	       holds("boot/b/rootfs", rootfs, sizeof(rootfs)) &&
	       holds("boot/b/release", text, strlen(text));
}

static bool is_old_system_there(void)
{
	return holds("boot/b/kernel", "old kernel", 10) && holds("boot/b/release", "old release", 11);
}

/* Whatever happened: slot a is as it was and starts, or a whole slot b is tried before. */
static void assert_machine_starts(void)
{
	bool is_tried = block_holds("good=a\ntry=b\ntries=1\npending=0\n");

	assert_true(holds("boot/a/kernel", "good kernel", 11));
	assert_true(holds("boot/a/rootfs", "good rootfs", 11));
	assert_true(is_tried || block_holds("good=a\ntry=\ntries=0\npending=0\n"));
	if (is_tried)
		assert_true(is_new_system_whole());
	/* A slot that says what it holds, holds it. */
	assert_true(access(path_of("boot/b/release"), F_OK) != 0 || is_old_system_there() ||
		    is_new_system_whole());
}

static void assert_refused(bool allow_downgrade, const char *words)
{
	struct error error = { "" };

	assert_false(upgrade(allow_downgrade, &error));
	if (!strstr(error.text, words))
		fail_msg("\"%s\" does not say \"%s\"", error.text, words);
	assert_true(is_old_system_there());
	assert_machine_starts();
}

static void a_bundle_becomes_the_other_slot_and_is_tried_once(void **state)
{
	struct error error = { "" };

	(void)state;
	if (!upgrade(false, &error))
		fail_msg("%s", error.text);
	assert_true(is_new_system_whole());
	assert_true(block_holds("good=a\ntry=b\ntries=1\npending=0\n"));
	assert_int_equal(access(path_of("boot/b/rootfs.new"), F_OK), -1);
	assert_machine_starts();
	assert_false(fail_write_broken());
}

static void a_slot_without_a_folder_gets_one(void **state)
{
	(void)state;
	nftw(path_of("boot/b"), remove_entry, 16, FTW_DEPTH | FTW_PHYS);
	assert_true(upgrade(false, NULL));
	assert_true(is_new_system_whole());
}

static void any_of_several_keys_may_have_signed(void **state)
{
	EVP_PKEY *key = make_key("keys/another.pem");
	char text[512];

	(void)state;
	write_text("keys/broken.pem", "no key");
	release_text(text, "9.0.1");
	write_bundle_of(text, key);
	EVP_PKEY_free(key);
	assert_true(upgrade(false, NULL));
}

static void a_strangers_signature_is_refused(void **state)
{
	EVP_PKEY *key = make_key("stranger.pem");
	char text[512];

	(void)state;
	release_text(text, "9.0.1");
	write_bundle_of(text, key);
	EVP_PKEY_free(key);
	assert_refused(true, "not signed by a release key");
}

static void without_a_key_nothing_is_taken(void **state)
{
	(void)state;
	write_text("keys/release.txt", "not looked at");
	assert_int_equal(unlink(path_of("keys/release-2026.pem")), 0);
	assert_refused(true, "no release keys");
}

static void an_older_version_needs_a_word(void **state)
{
	(void)state;
	write_bundle("0.0.9");
	assert_refused(false, "version 0.0.9, older than the ");
	assert_true(upgrade(true, NULL));
}

static void what_runs_is_what_its_slot_says(void **state)
{
	char text[512];

	(void)state;
	release_text(text, "9.0.2");
	write_text("boot/a/release", text);
	assert_refused(false, "version 9.0.1, older than the 9.0.2 that runs");
	release_text(text, "9.0.1");
	write_text("boot/a/release", text);
	assert_true(upgrade(false, NULL));
}

static void on_trial_the_good_slot_is_not_written_over(void **state)
{
	(void)state;
	write_text("cmdline", "hikyaku.slot=b\n");
	assert_refused(false, "slot b is on trial");
	write_text("cmdline", "quiet\n");
	assert_refused(false, "does not tell which slot runs");
}

static void a_changed_head_or_release_text_is_refused(void **state)
{
	char text[512];
	size_t end;

	(void)state;
	release_text(text, "9.0.1");
	end = UPGRADE_HEAD_SIZE + strlen(text);
	for (size_t at = 0; at < end; at += at < UPGRADE_HEAD_SIZE ? 1 : 7) {
		size_t len;
		char *bytes = read_file("bundle", &len);

		bytes[at] ^= 1;
		write_file("bundle", bytes, len);
		free(bytes);
		assert_refused(true, "");
		write_bundle("9.0.1");
	}
}

static void assert_not_tried(const char *words)
{
	struct error error = { "" };

	assert_false(upgrade(false, &error));
	if (!strstr(error.text, words))
		fail_msg("\"%s\" does not say \"%s\"", error.text, words);
	assert_true(block_holds("good=a\ntry=\ntries=0\npending=0\n"));
	assert_int_equal(access(path_of("boot/b/release"), F_OK), -1);
	assert_machine_starts();
}

static void a_changed_kernel_or_rootfs_is_not_tried(void **state)
{
	size_t len;
	char *bytes = read_file("bundle", &len);

	(void)state;
	bytes[len - ROOTFS_SIZE - 1] ^= 1;
	write_file("bundle", bytes, len);
	assert_not_tried("kernel: the bundle is damaged");
	bytes[len - ROOTFS_SIZE - 1] ^= 1;
	bytes[len - 1] ^= 1;
	write_file("bundle", bytes, len);
	assert_not_tried("rootfs: the bundle is damaged");
	free(bytes);
}

static void a_bundle_that_ends_early_or_late_is_not_tried(void **state)
{
	size_t len;
	char *bytes = read_file("bundle", &len);

	(void)state;
	write_file("bundle", bytes, len - 1);
	assert_not_tried("ends too early");
	write_file("bundle", bytes, len + 1);
	assert_not_tried("goes on behind its end");
	for (size_t at = 0; at < 300; at += 13) {
		write_file("bundle", bytes, at);
		assert_not_tried(at < UPGRADE_HEAD_SIZE + 1 ? "" : "ends too early");
	}
	free(bytes);
}

static void parts_that_do_not_fit_are_refused_before_they_are_written(void **state)
{
	char text[512];

	(void)state;
	snprintf(text, sizeof(text), "hikyaku release 1\nversion 9\nkernel %u %s\nrootfs 1 %s\n",
		 UPGRADE_PART_MAX + 1, hash_of(kernel, 1), hash_of(kernel, 1));
	write_bundle_of(text, world.key);
	assert_refused(false, "line 3");
}

static void a_disk_that_gives_back_other_bytes_is_not_believed(void **state)
{
	(void)state;
	fail_write_state.lies = true;
	assert_not_tried("the disk gives back other bytes");
	fail_write_state.lies = false;
}

/* The other slot was written and is to be tried, and then the operator has a newer bundle. */
static void make_world_with_a_try(void **state)
{
	drop_world(state);
	assert_int_equal(make_world(state), 0);
	assert_true(upgrade(false, NULL));
}

/* Every call that touches the disk fails once, in a row of runs. */
static void a_failure_at_any_step_leaves_a_machine_that_starts(void **state)
{
	const int codes[] = { EIO, ENOSPC };
	u64 n = 0;
	bool failed;

	(void)state;
	do {
		struct error error = { "" };
		bool ok;

		make_world_with_a_try(state);
		n++;
		fail_write(n, codes[n % 2]);
		ok = upgrade(false, &error);
		failed = fail_write_end();
		assert_true(ok || error.text[0]);
		assert_machine_starts();
		if (ok)
			assert_true(is_new_system_whole());
		else if (n > 2) /* whatever it was: the next try is as good as the first */
			assert_true(upgrade(false, NULL));
	} while (failed);
	assert_true(n > 30);
}

static void an_end_at_any_step_leaves_a_machine_that_starts(void **state)
{
	u64 n = 0;
	int status;

	(void)state;
	do {
		pid_t child;

		make_world_with_a_try(state);
		n++;
		child = fork();
		if (child == 0) {
			fail_write(n, 0);
			_exit(upgrade(false, NULL) ? 0 : 1);
		}
		assert_int_equal(waitpid(child, &status, 0), child);
		assert_true(WIFEXITED(status));
		assert_machine_starts();
		if (WEXITSTATUS(status) == FAIL_WRITE_ENDED) {
			assert_true(upgrade(false, NULL));
			assert_machine_starts();
		}
	} while (WEXITSTATUS(status) == FAIL_WRITE_ENDED);
	assert_int_equal(WEXITSTATUS(status), 0);
	assert_true(n > 30);
}

int main(void)
{
#define UPGRADE_TEST(f) cmocka_unit_test_setup_teardown(f, make_world, drop_world)
	const struct CMUnitTest tests[] = {
		UPGRADE_TEST(a_bundle_becomes_the_other_slot_and_is_tried_once),
		UPGRADE_TEST(a_slot_without_a_folder_gets_one),
		UPGRADE_TEST(any_of_several_keys_may_have_signed),
		UPGRADE_TEST(a_strangers_signature_is_refused),
		UPGRADE_TEST(without_a_key_nothing_is_taken),
		UPGRADE_TEST(an_older_version_needs_a_word),
		UPGRADE_TEST(what_runs_is_what_its_slot_says),
		UPGRADE_TEST(on_trial_the_good_slot_is_not_written_over),
		UPGRADE_TEST(a_changed_head_or_release_text_is_refused),
		UPGRADE_TEST(a_changed_kernel_or_rootfs_is_not_tried),
		UPGRADE_TEST(a_bundle_that_ends_early_or_late_is_not_tried),
		UPGRADE_TEST(parts_that_do_not_fit_are_refused_before_they_are_written),
		UPGRADE_TEST(a_disk_that_gives_back_other_bytes_is_not_believed),
		UPGRADE_TEST(a_failure_at_any_step_leaves_a_machine_that_starts),
		UPGRADE_TEST(an_end_at_any_step_leaves_a_machine_that_starts),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
