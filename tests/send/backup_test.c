/*
 * A backup is made beside a running sender, and brought back by the next start.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "../base/remove_tree.h"
#include "base/text.h"
#include "init/restore.h"
#include "send/backup.h"
#include "store/audience_contact.h"
#include "store/audience_hold.h"
#include "store/queue.h"

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

/* More than a header of an archive has room for. */
#define IMAGE "web/audience/images/0123456789abcdef0123456789abcdef.01234567"
#define LONG_PAGE                                                                                  \
	"site/news/"                                                                               \
	"0123456789012345678901234567890123456789012345678901234567890123456789012345678901234"    \
	"56789012345678901234567890123456789.html"

static char data[64];
static char backup[256];

static const char *in_data(const char *name)
{
	static char path[256];

	snprintf(path, sizeof(path), "%s/%s", data, name);
	return path;
}

static void put(const char *name, const char *text)
{
	FILE *file = fopen(in_data(name), "w");

	assert_non_null(file);
	assert_true(fputs(text, file) >= 0);
	assert_int_equal(fclose(file), 0);
}

static const char *text_of(const char *name)
{
	static char text[256];
	FILE *file = fopen(in_data(name), "r");
	size_t len;

	if (!file)
		return "(none)";
	len = fread(text, 1, sizeof(text) - 1, file);
	text[len] = '\0';
	fclose(file);
	return text;
}

static int make_data(void **state)
{
	static const char *const folders[] = { "etc", "send", "send/keys",  "backup",
					       "web", "hook", "site",      "site/news" };

	(void)state;
	snprintf(data, sizeof(data), "/tmp/backup-test-XXXXXX");
	assert_non_null(mkdtemp(data));
	for (size_t i = 0; i < array_count(folders); i++)
		assert_int_equal(mkdir(in_data(folders[i]), 0700), 0);
	put("etc/hikyaku.conf", "the sender's");
	put("etc/appliance.conf", "the appliance's");
	put("etc/history", "of the console, which is no configuration");
	put("send/token.key", "token");
	put("send/keys/a.s1.pem", "key one");
	put("send/keys/a.s2.pem", "key two");
	put("send/journal", "notes of leases");
	put("etc/www.pem", "a certificate");
	put("etc/users", "who may hand in mail");
	put("hook/orders.secret", "whsec_");
	put("site/index.html", "welcome");
	put(LONG_PAGE, "news");
	put("site/.hidden", "nobody's page");
	return 0;
}

static int remove_data(void **state)
{
	(void)state;
	remove_tree(data);
	return 0;
}

static struct queue *open_queue(void)
{
	struct store_params params = { .path = in_data("send/queue"),
				       .map_size = 1 << 20,
				       .map_size_max = 1 << 30 };
	struct error error = { "" };
	struct queue *queue = queue_open(&params, &error);

	if (!queue)
		fail_msg("%s", error.text);
	return queue;
}

/* Two campaigns, one that runs and one that is done. */
static void fill_queue(struct queue *queue)
{
	const u32 states[] = { CAMPAIGN_RUNNING, CAMPAIGN_DONE };

	assert_int_equal(queue_begin(queue), STORE_OK);
	for (u32 i = 0; i < 2; i++) {
		struct queue_campaign campaign = { .state = states[i], .total = 5 };

		snprintf(campaign.name, sizeof(campaign.name), "campaign-%u", i);
		snprintf(campaign.customer, sizeof(campaign.customer), "a.example");
		assert_int_equal(queue_campaign_create(queue, &campaign), STORE_OK);
	}
	assert_int_equal(queue_commit(queue), STORE_OK);
}

static struct audience *open_audience(void)
{
	struct store_params params = { .path = in_data("web/audience"), .map_size_max = 1 << 30 };
	struct error error = { "" };
	struct audience *audience = audience_open(&params, &error);

	if (!audience)
		fail_msg("%s", error.text);
	return audience;
}

/* One contact. */
static void fill_audience(struct audience *audience)
{
	struct audience_txn *txn = audience_txn_open(audience);
	struct contact contact = { .state = CONTACT_ACTIVE, .address = SLICE("ann@x.test") };

	assert_non_null(txn);
	assert_int_equal(audience_begin(txn), STORE_OK);
	assert_int_equal(contact_add(txn, &contact, contact.address), STORE_OK);
	assert_int_equal(audience_commit(txn), STORE_OK);
	audience_txn_close(txn);
}

static void make_backup(void)
{
	struct error error = { "" };

	if (!backup_make(data, backup, sizeof(backup), &error))
		fail_msg("%s", error.text);
}

/* The sender is another process: LMDB forbids the same environment twice in one. */
static void make_backup_beside_a_sender(void)
{
	int ready[2];
	char byte = 0;
	pid_t pid;

	assert_int_equal(pipe(ready), 0);
	pid = fork();
	if (pid == 0) {
		struct queue *queue = open_queue();

		fill_queue(queue);
		assert_int_equal(queue_begin(queue), STORE_OK); /* in the middle of one */
		fill_audience(open_audience());
		if (write(ready[1], &byte, 1) != 1)
			_exit(1);
		pause();
	}
	assert_int_equal(read(ready[0], &byte, 1), 1);
	assert_int_equal(mkdir(in_data("web/audience/images"), 0700), 0);
	put(IMAGE, "an image");
	make_backup();
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
	close(ready[0]);
	close(ready[1]);
}

static bool stage(struct error *error)
{
	int fd = open(backup, O_RDONLY);
	bool is_staged;

	assert_true(fd >= 0);
	is_staged = backup_stage(data, fd, error);
	close(fd);
	return is_staged;
}

/* Its contact is there, and nothing begins by itself. */
static void look_at_audience(void)
{
	struct audience *audience = open_audience();
	struct audience_txn *txn = audience_txn_open(audience);
	struct contact contact;
	bool held = false;

	assert_non_null(txn);
	assert_int_equal(audience_begin_read(txn), STORE_OK);
	assert_int_equal(contact_get(txn, 1, &contact), STORE_OK);
	assert_int_equal(contact.address.len, strlen("ann@x.test"));
	assert_int_equal(audience_is_held(txn, &held), STORE_OK);
	assert_true(held);
	audience_abort(txn);
	assert_int_equal(audience_begin(txn), STORE_OK);
	assert_int_equal(audience_release(txn), STORE_OK);
	assert_int_equal(audience_release(txn), STORE_OK);
	assert_int_equal(audience_is_held(txn, &held), STORE_OK);
	assert_false(held);
	audience_txn_close(txn);
	audience_close(audience);
}

static void what_was_backed_up_comes_back_and_running_campaigns_are_paused(void **state)
{
	struct error error = { "" };
	struct queue_campaign campaign;
	struct queue *queue;

	(void)state;
	make_backup_beside_a_sender();
	/* Then everything changes. */
	put("etc/hikyaku.conf", "spoilt");
	put("send/keys/a.s1.pem", "another key");
	assert_int_equal(unlink(in_data("send/token.key")), 0);
	assert_int_equal(unlink(in_data("etc/appliance.conf")), 0);
	remove_tree(in_data("send/queue"));
	remove_tree(in_data("web/audience"));
	remove_tree(in_data("site"));
	put("etc/users", "somebody else");
	assert_int_equal(unlink(in_data("etc/www.pem")), 0);
	assert_int_equal(unlink(in_data("hook/orders.secret")), 0);
	if (!stage(&error))
		fail_msg("%s", error.text);
	assert_string_equal(text_of("etc/hikyaku.conf"), "spoilt"); /* not before the next start */
	assert_int_equal(restore_apply(data, &error), RESTORE_DONE);
	assert_string_equal(text_of("etc/hikyaku.conf"), "the sender's");
	assert_string_equal(text_of("etc/appliance.conf"), "the appliance's");
	assert_string_equal(text_of("send/keys/a.s1.pem"), "key one");
	assert_string_equal(text_of("send/keys/a.s2.pem"), "key two");
	assert_string_equal(text_of("send/token.key"), "token");
	assert_string_equal(text_of("send/journal"), "(none)");
	assert_string_equal(text_of("etc/users"), "who may hand in mail");
	assert_string_equal(text_of("etc/www.pem"), "a certificate");
	assert_string_equal(text_of("hook/orders.secret"), "whsec_");
	assert_string_equal(text_of("site/index.html"), "welcome");
	assert_string_equal(text_of(LONG_PAGE), "news");
	assert_string_equal(text_of("site/.hidden"), "(none)");
	assert_string_equal(text_of(IMAGE), "an image");
	assert_int_equal(access(in_data("send/restore"), F_OK), -1);
	assert_int_equal(restore_apply(data, &error), RESTORE_NONE);
	queue = open_queue();
	assert_int_equal(queue_begin(queue), STORE_OK);
	assert_int_equal(queue_campaign_next(queue, 0, &campaign), STORE_OK);
	assert_string_equal(campaign.name, "campaign-0");
	assert_int_equal(campaign.state, CAMPAIGN_PAUSED);
	assert_int_equal(queue_campaign_next(queue, campaign.id, &campaign), STORE_OK);
	assert_int_equal(campaign.state, CAMPAIGN_DONE);
	queue_abort(queue);
	queue_close(queue);
	look_at_audience();
}

static void a_machine_keeps_its_own_network_and_has_that_of_the_backup_beside(void **state)
{
	struct error error = { "" };

	(void)state;
	make_backup();
	put("etc/appliance.conf", "this machine's");
	assert_true(stage(&error));
	assert_int_equal(restore_apply(data, &error), RESTORE_DONE);
	assert_string_equal(text_of("etc/appliance.conf"), "this machine's");
	assert_string_equal(text_of("etc/appliance.conf.restored"), "the appliance's");
	assert_string_equal(text_of("etc/hikyaku.conf"), "the sender's");
}

static void the_archive_is_an_ordinary_tar(void **state)
{
	char command[512];
	char list[1024] = "";
	FILE *tar;

	(void)state;
	make_backup_beside_a_sender();
	snprintf(command, sizeof(command), "tar -tf %s | LC_ALL=C sort | tr '\\n' ' '", backup);
	tar = popen(command, "r");
	assert_non_null(fgets(list, sizeof(list), tar));
	assert_int_equal(pclose(tar), 0);
	assert_string_equal(list, "MANIFEST SHA256 etc/appliance.conf etc/hikyaku.conf "
				  "etc/users etc/www.pem hook/orders.secret "
				  "send/keys/a.s1.pem send/keys/a.s2.pem send/queue/data.mdb "
				  "send/token.key site/index.html " LONG_PAGE
				  " web/audience/data.mdb " IMAGE " ");
}

static void a_backup_without_a_queue_leaves_the_queue_alone(void **state)
{
	struct error error = { "" };
	struct queue *queue;
	struct queue_campaign campaign;

	(void)state;
	make_backup();
	queue = open_queue();
	fill_queue(queue);
	queue_close(queue);
	assert_true(stage(&error));
	assert_int_equal(restore_apply(data, &error), RESTORE_DONE);
	queue = open_queue();
	assert_int_equal(queue_begin(queue), STORE_OK);
	assert_int_equal(queue_campaign_next(queue, 0, &campaign), STORE_OK);
	assert_int_equal(campaign.state, CAMPAIGN_RUNNING);
	queue_abort(queue);
	queue_close(queue);
	assert_string_equal(text_of("send/journal"), "notes of leases");
}

static void no_changed_byte_and_no_cut_is_taken(void **state)
{
	struct error error = { "" };
	struct stat status;
	FILE *file;
	long size;

	(void)state;
	make_backup();
	assert_int_equal(stat(backup, &status), 0);
	size = (long)status.st_size;
	for (long at = 0; at < size - 2 * 512 - 512; at += 37) {
		int byte;

		file = fopen(backup, "r+");
		fseek(file, at, SEEK_SET);
		byte = fgetc(file);
		fseek(file, at, SEEK_SET);
		fputc(byte ^ 0x10, file);
		fclose(file);
		if (stage(&error))
			fail_msg("byte %ld changed unnoticed", at);
		assert_int_equal(access(in_data("send/restore"), F_OK), -1);
		file = fopen(backup, "r+");
		fseek(file, at, SEEK_SET);
		fputc(byte, file);
		fclose(file);
	}
	for (long len = size - 3 * 512; len > 0; len -= 700) {
		assert_int_equal(truncate(backup, len), 0);
		assert_false(stage(&error));
		assert_int_equal(access(in_data("send/restore"), F_OK), -1);
	}
	assert_int_equal(restore_apply(data, &error), RESTORE_NONE);
	assert_string_equal(text_of("etc/hikyaku.conf"), "the sender's");
}

static void names_that_are_no_part_of_a_backup_are_refused(void **state)
{
	static const char *const names[] = {
		"etc/../../outside.conf", "send/keys/x/y.pem", "etc/.hidden.conf", "anything",
		"/etc/passwd.conf",       "send/journal",      "etc/.conf",
		"site/../etc/users",      "site/.hidden",      "site/",
		"site//index.html",       "hook/../x",         "etc/users/x"
	};

	(void)state;
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		struct error error = { "" };
		char command[1024];

		snprintf(backup, sizeof(backup), "%s/backup/made.backup", data);
		snprintf(command, sizeof(command),
			 "cd %s/backup && printf 'hikyaku-backup 1\\n' >MANIFEST && printf x >x && "
			 "tar --format=ustar -P --transform 's,^x$,%s,' -cf made.backup MANIFEST x",
			 data, names[i]);
		assert_int_equal(system(command), 0);
		assert_false(stage(&error));
		if (!strstr(error.text, "no part of one"))
			fail_msg("%s: %s", names[i], error.text);
	}
}

static void a_restore_that_was_broken_off_goes_on(void **state)
{
	struct error error = { "" };

	(void)state;
	make_backup_beside_a_sender();
	put("etc/hikyaku.conf", "spoilt");
	put("send/keys/a.s2.pem", "another key");
	assert_true(stage(&error));
	/* As if power had failed between two files: one is in place already. */
	assert_int_equal(unlink(in_data("etc/hikyaku.conf")), 0);
	{
		char from[256];

		snprintf(from, sizeof(from), "%s", in_data("send/restore/etc/hikyaku.conf"));
		assert_int_equal(rename(from, in_data("etc/hikyaku.conf")), 0);
	}
	assert_int_equal(restore_apply(data, &error), RESTORE_DONE);
	assert_string_equal(text_of("etc/hikyaku.conf"), "the sender's");
	assert_string_equal(text_of("send/keys/a.s2.pem"), "key two");
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, make_data, remove_data)
	const struct CMUnitTest tests[] = {
		TEST(what_was_backed_up_comes_back_and_running_campaigns_are_paused),
		TEST(a_machine_keeps_its_own_network_and_has_that_of_the_backup_beside),
		TEST(the_archive_is_an_ordinary_tar),
		TEST(a_backup_without_a_queue_leaves_the_queue_alone),
		TEST(no_changed_byte_and_no_cut_is_taken),
		TEST(names_that_are_no_part_of_a_backup_are_refused),
		TEST(a_restore_that_was_broken_off_goes_on),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
