/* Which of two systems starts: GRUB's block of variables, and what a start and a good end make of it. */
#include "init/slot.h"

#include "base/remove_tree.h"
#include "base/text.h"
#include "init/slot_block.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

static char folder[64];
static char block_path[96];
static char words_path[96];

static void write_file(const char *path, const char *bytes, size_t len)
{
	FILE *file = fopen(path, "w");

	assert_non_null(file);
	assert_int_equal(fwrite(bytes, 1, len, file), len);
	assert_int_equal(fclose(file), 0);
}

/* A block of these lines, as GRUB would write it, and a kernel that was started with these words. */
static struct slot_state state_of(const char *lines, const char *words)
{
	char bytes[SLOT_BLOCK_SIZE];
	int len = snprintf(bytes, sizeof(bytes), "# GRUB Environment Block\n%s", lines);

	memset(bytes + len, '#', sizeof(bytes) - (size_t)len);
	write_file(block_path, bytes, sizeof(bytes));
	write_file(words_path, words, strlen(words));
	return (struct slot_state){ .boot = folder, .command_line = words_path };
}

static int make_folder(void **state)
{
	char grub[80];

	(void)state;
	snprintf(folder, sizeof(folder), "/tmp/slot_test.XXXXXX");
	if (!mkdtemp(folder))
		return -1;
	snprintf(grub, sizeof(grub), "%s/grub", folder);
	snprintf(block_path, sizeof(block_path), "%s/grub/grubenv", folder);
	snprintf(words_path, sizeof(words_path), "%s/cmdline", folder);
	return mkdir(grub, 0700);
}

static int drop_folder(void **state)
{
	(void)state;
	remove_tree(folder);
	return 0;
}

static void assert_block(const char *lines)
{
	char want[SLOT_BLOCK_SIZE];
	char got[SLOT_BLOCK_SIZE + 1];
	FILE *file = fopen(block_path, "r");
	int len = snprintf(want, sizeof(want), "# GRUB Environment Block\n%s", lines);

	memset(want + len, '#', sizeof(want) - (size_t)len);
	assert_int_equal(fread(got, 1, sizeof(got), file), SLOT_BLOCK_SIZE);
	fclose(file);
	assert_memory_equal(got, want, sizeof(want));
}

static void a_good_slot_that_runs_is_no_trial(void **state)
{
	struct slot_state s = state_of("good=a\ntry=\ntries=0\npending=1\n",
				       "BOOT_IMAGE=/a/kernel console=ttyS0 hikyaku.slot=a quiet\n");

	(void)state;
	assert_true(slot_read(&s, NULL));
	assert_int_equal(s.running, 'a');
	assert_int_equal(s.good, 'a');
	assert_int_equal(s.try, 0);
	assert_int_equal(s.tries, 0);
	assert_true(s.is_pending);
	assert_false(s.is_trial || s.is_fallback);
}

static void a_slot_that_is_tried_is_on_trial_until_it_is_marked_good(void **state)
{
	struct slot_state s = state_of("good=a\ntry=b\ntries=0\npending=1\n", "hikyaku.slot=b\n");

	(void)state;
	assert_true(slot_read(&s, NULL));
	assert_true(s.is_trial);
	assert_false(s.is_fallback);
	assert_true(slot_mark_good(&s, NULL));
	assert_block("good=b\ntry=\ntries=0\npending=0\n");
	assert_false(s.is_trial || s.is_pending || s.try);
}

static void the_good_slot_knows_that_a_trial_failed(void **state)
{
	struct slot_state s = state_of("good=a\ntry=b\ntries=0\npending=1\n", "hikyaku.slot=a\n");

	(void)state;
	assert_true(slot_read(&s, NULL));
	assert_true(s.is_fallback);
	assert_false(s.is_trial);
	assert_true(slot_mark_good(&s, NULL));
	assert_block("good=a\ntry=\ntries=0\npending=0\n");
	assert_false(s.is_fallback);
}

static void a_slot_that_is_marked_good_already_writes_nothing(void **state)
{
	struct slot_state s = state_of("good=b\ntry=\ntries=0\n", "hikyaku.slot=b\n");

	struct slot_boot boot;

	(void)state;
	assert_true(slot_boot_open(&boot, folder, NULL)); /* or it would have to wait */
	assert_true(slot_mark_good(&s, NULL));
	assert_true(slot_boot_close(&boot, NULL));
	assert_block("good=b\ntry=\ntries=0\n");
}

static void a_try_is_set_and_taken_back(void **state)
{
	struct slot_state s = state_of("good=a\ntry=\ntries=0\npending=1\n", "hikyaku.slot=a\n");

	(void)state;
	assert_true(slot_set_try(&s, 'b', 3, NULL));
	assert_block("good=a\ntry=b\ntries=3\npending=1\n");
	assert_int_equal(s.try, 'b');
	assert_int_equal(s.tries, 3);
	assert_true(slot_set_try(&s, 0, 0, NULL));
	assert_block("good=a\ntry=\ntries=0\npending=1\n");
}

static void variables_of_others_are_kept(void **state)
{
	struct slot_state s = state_of("theirs=x\\\\y z\ngood=a\nempty=\ntry=b\ntries=0\nlast=1\n",
				       "hikyaku.slot=b\n");

	(void)state;
	assert_true(slot_mark_good(&s, NULL));
	assert_block("theirs=x\\\\y z\ngood=b\nempty=\ntry=\ntries=0\nlast=1\npending=0\n");
}

static void a_block_without_our_variables_gets_them(void **state)
{
	struct slot_state s = state_of("", "hikyaku.slot=b\n");

	(void)state;
	assert_true(slot_read(&s, NULL));
	assert_int_equal(s.good, 0);
	assert_true(slot_mark_good(&s, NULL));
	assert_block("good=b\npending=0\ntry=\ntries=0\n");
}

static void nonsense_in_the_block_is_no_slot(void **state)
{
	struct slot_state s = state_of("good=c\ntry=ab\ntries=-1\npending=yes\n",
				       "hikyaku.slot=c xhikyaku.slot=a\n");

	(void)state;
	assert_true(slot_read(&s, NULL));
	assert_int_equal(s.good, 0);
	assert_int_equal(s.try, 0);
	assert_int_equal(s.tries, 0);
	assert_int_equal(s.running, 0);
	assert_false(s.is_pending || s.is_trial || s.is_fallback);
}

static void without_a_running_slot_nothing_is_marked(void **state)
{
	struct slot_state s = state_of("good=a\n", "console=ttyS0\n");
	struct error error;

	(void)state;
	assert_false(slot_mark_good(&s, &error));
	assert_non_null(strstr(error.text, "names no slot"));
	assert_block("good=a\n");
}

static void assert_no_block(const char *bytes, size_t len)
{
	struct slot_state s = state_of("good=a\n", "hikyaku.slot=a\n");
	struct error error = { "" };

	write_file(block_path, bytes, len);
	assert_false(slot_read(&s, &error));
	assert_non_null(strstr(error.text, block_path));
	assert_false(slot_mark_good(&s, &error));
	assert_false(slot_set_try(&s, 'b', 1, &error));
}

static void what_is_no_block_is_refused_and_not_written(void **state)
{
	char bytes[SLOT_BLOCK_SIZE];

	(void)state;
	assert_no_block("", 0);
	assert_no_block("# GRUB Environment Block\ngood=a\n", 32);
	memset(bytes, '#', sizeof(bytes));
	assert_no_block(bytes, sizeof(bytes));
	memset(bytes, 0, sizeof(bytes));
	assert_no_block(bytes, sizeof(bytes));
	memcpy(bytes, "# GRUB Environment Block\ngood=a", 31); /* zeros where '#' must be */
	assert_no_block(bytes, sizeof(bytes));
}

static void a_full_block_stays_as_it_is(void **state)
{
	char lines[SLOT_BLOCK_SIZE];
	struct slot_block block;
	struct slot_state s;
	struct error error;

	(void)state;
	memset(lines, 'x', sizeof(lines));
	memcpy(lines, "good=a\nfill=", 12);
	lines[SLOT_BLOCK_SIZE - 25 - 2] = '\n'; /* one byte is left */
	lines[SLOT_BLOCK_SIZE - 25 - 1] = 0;
	s = state_of(lines, "hikyaku.slot=b\n");
	assert_false(slot_set_try(&s, 'b', 1, &error));
	assert_non_null(strstr(error.text, "no room"));
	assert_block(lines);
	memcpy(block.bytes, "# GRUB Environment Block\n", 25);
	memcpy(block.bytes + 25, lines, sizeof(block.bytes) - 26);
	block.bytes[SLOT_BLOCK_SIZE - 1] = '#';
	assert_true(slot_block_set(&block, SLICE("good"), SLICE("ab")));
	assert_true(slot_block_is_sound(&block));
	assert_true(slice_equal(slot_block_get(&block, SLICE("good")), SLICE("ab")));
	assert_false(slot_block_set(&block, SLICE("good"), SLICE("abc")));
	assert_true(slice_equal(slot_block_get(&block, SLICE("good")), SLICE("ab")));
}

static void who_comes_second_is_told_so(void **state)
{
	struct slot_state s = state_of("good=a\ntry=b\ntries=0\n", "hikyaku.slot=b\n");
	struct slot_boot boot;
	struct error error;

	(void)state;
	assert_true(slot_boot_open(&boot, folder, NULL));
	assert_false(slot_mark_good(&s, &error));
	assert_non_null(strstr(error.text, "somebody else"));
	assert_block("good=a\ntry=b\ntries=0\n");
	assert_true(slot_boot_close(&boot, NULL));
	assert_true(slot_mark_good(&s, &error));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_good_slot_that_runs_is_no_trial),
		cmocka_unit_test(a_slot_that_is_tried_is_on_trial_until_it_is_marked_good),
		cmocka_unit_test(the_good_slot_knows_that_a_trial_failed),
		cmocka_unit_test(a_slot_that_is_marked_good_already_writes_nothing),
		cmocka_unit_test(a_try_is_set_and_taken_back),
		cmocka_unit_test(variables_of_others_are_kept),
		cmocka_unit_test(a_block_without_our_variables_gets_them),
		cmocka_unit_test(nonsense_in_the_block_is_no_slot),
		cmocka_unit_test(without_a_running_slot_nothing_is_marked),
		cmocka_unit_test(what_is_no_block_is_refused_and_not_written),
		cmocka_unit_test(a_full_block_stays_as_it_is),
		cmocka_unit_test(who_comes_second_is_told_so),
	};

	return cmocka_run_group_tests(tests, make_folder, drop_folder);
}
