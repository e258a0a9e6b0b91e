/* What stands in front of an upgrade's kernel: the head, the release text, and how versions are ordered. */
#include "init/upgrade_bundle.h"

#include "base/text.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#define HASH "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1eff"
#define KERNEL_LINE "kernel 8974336 " HASH "\n"
#define ROOTFS_LINE "rootfs 1 " HASH "\n"

static void a_release_text_says_what_it_holds(void **state)
{
	struct upgrade_release release;

	(void)state;
	assert_true(upgrade_release_read(&release, SLICE("hikyaku release 1\nversion 1.20.3\n"
					 KERNEL_LINE ROOTFS_LINE), NULL));
	assert_string_equal(release.version, "1.20.3");
	assert_int_equal(release.parts[UPGRADE_KERNEL].size, 8974336);
	assert_int_equal(release.parts[UPGRADE_ROOTFS].size, 1);
	assert_int_equal(release.parts[UPGRADE_KERNEL].sha256[0], 0);
	assert_int_equal(release.parts[UPGRADE_KERNEL].sha256[1], 1);
	assert_int_equal(release.parts[UPGRADE_ROOTFS].sha256[31], 0xff);
}

static void anything_else_is_refused_with_its_line(void **state)
{
	static const struct {
		const char *text;
		const char *words;
	} cases[] = {
		{ "", "line 1" },
		{ "hikyaku release 1", "line 1" },
		{ "hikyaku release 2\nversion 1\n" KERNEL_LINE ROOTFS_LINE, "line 1" },
		{ "hikyaku release 1\r\nversion 1\n" KERNEL_LINE ROOTFS_LINE, "line 1" },
		{ "hikyaku release 1\nversion 1.\n" KERNEL_LINE ROOTFS_LINE, "line 2" },
		{ "hikyaku release 1\n" KERNEL_LINE ROOTFS_LINE "version 1\n", "line 2" },
		{ "hikyaku release 1\nversion 1\n" ROOTFS_LINE KERNEL_LINE, "line 3" },
		{ "hikyaku release 1\nversion 1\nkernel 0 " HASH "\n" ROOTFS_LINE, "line 3" },
		{ "hikyaku release 1\nversion 1\nkernel -1 " HASH "\n" ROOTFS_LINE, "line 3" },
		{ "hikyaku release 1\nversion 1\nkernel 67108865 " HASH "\n" ROOTFS_LINE, "line 3" },
		{ "hikyaku release 1\nversion 1\nkernel 9 " HASH "0\n" ROOTFS_LINE, "line 3" },
		{ "hikyaku release 1\nversion 1\nkernel 9  " HASH "\n" ROOTFS_LINE, "line 3" },
		{ "hikyaku release 1\nversion 1\nkernel 9\n" ROOTFS_LINE, "line 3" },
		{ "hikyaku release 1\nversion 1\nkernel\n" ROOTFS_LINE, "line 3" },
		{ "hikyaku release 1\nversion 1\n" KERNEL_LINE "rootfs 1 " HASH, "line 4" },
		{ "hikyaku release 1\nversion 1\n" KERNEL_LINE ROOTFS_LINE "\n", "goes on" },
		{ "hikyaku release 1\nversion 1\n" KERNEL_LINE ROOTFS_LINE "more", "goes on" },
	};

	(void)state;
	for (size_t i = 0; i < array_count(cases); i++) {
		struct upgrade_release release;
		struct error error = { "" };

		assert_false(upgrade_release_read(&release, slice_of(cases[i].text), &error));
		if (!strstr(error.text, cases[i].words))
			fail_msg("case %zu: \"%s\"", i, error.text);
	}
}

static void upper_case_digits_are_no_hash(void **state)
{
	struct upgrade_release release;
	char text[512];

	(void)state;
	snprintf(text, sizeof(text), "hikyaku release 1\nversion 1\n%s%s", KERNEL_LINE, ROOTFS_LINE);
	assert_true(upgrade_release_read(&release, slice_of(text), NULL));
	*strstr(text, "0a0b") = 'A';
	assert_false(upgrade_release_read(&release, slice_of(text), NULL));
}

static void versions_are_numbers_with_dots(void **state)
{
	(void)state;
	assert_true(upgrade_version_is_sound(SLICE("0")));
	assert_true(upgrade_version_is_sound(SLICE("2026.11.30.1")));
	assert_true(upgrade_version_is_sound(SLICE("999999.0")));
	assert_false(upgrade_version_is_sound(SLICE("")));
	assert_false(upgrade_version_is_sound(SLICE("1..2")));
	assert_false(upgrade_version_is_sound(SLICE(".1")));
	assert_false(upgrade_version_is_sound(SLICE("1.0-rc1")));
	assert_false(upgrade_version_is_sound(SLICE("1.2.3.4.5")));
	assert_false(upgrade_version_is_sound(SLICE("1000000")));
	assert_false(upgrade_version_is_sound(SLICE("0000001")));
}

static void versions_are_ordered_by_number_and_not_by_letter(void **state)
{
	(void)state;
	assert_true(upgrade_version_compare(SLICE("1.9"), SLICE("1.10")) < 0);
	assert_true(upgrade_version_compare(SLICE("2.0"), SLICE("1.99.99.99")) > 0);
	assert_int_equal(upgrade_version_compare(SLICE("1"), SLICE("1.0.0")), 0);
	assert_true(upgrade_version_compare(SLICE("1.0.0.1"), SLICE("1")) > 0);
	assert_true(upgrade_version_compare(SLICE("0.1.0"), SLICE("0.1.1")) < 0);
}

static void another_format_is_told_from_no_bundle(void **state)
{
	u8 bytes[UPGRADE_HEAD_SIZE] = "HKYBNDL1\0\0\1";
	struct upgrade_head head;
	struct error error;

	(void)state;
	assert_true(upgrade_head_read(&head, bytes, NULL));
	assert_int_equal(head.release_len, 256);
	bytes[7] = '2';
	assert_false(upgrade_head_read(&head, bytes, &error));
	assert_non_null(strstr(error.text, "does not know"));
	bytes[0] = 'h';
	assert_false(upgrade_head_read(&head, bytes, &error));
	assert_non_null(strstr(error.text, "no upgrade bundle"));
}

static void a_text_of_no_length_or_too_long_is_refused(void **state)
{
	u8 bytes[UPGRADE_HEAD_SIZE] = "HKYBNDL1";
	struct upgrade_head head;

	(void)state;
	assert_false(upgrade_head_read(&head, bytes, NULL));
	bytes[10] = UPGRADE_RELEASE_MAX >> 8;
	assert_true(upgrade_head_read(&head, bytes, NULL));
	bytes[11] = 1;
	assert_false(upgrade_head_read(&head, bytes, NULL));
	bytes[8] = 0x80;
	assert_false(upgrade_head_read(&head, bytes, NULL));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_release_text_says_what_it_holds),
		cmocka_unit_test(anything_else_is_refused_with_its_line),
		cmocka_unit_test(upper_case_digits_are_no_hash),
		cmocka_unit_test(versions_are_numbers_with_dots),
		cmocka_unit_test(versions_are_ordered_by_number_and_not_by_letter),
		cmocka_unit_test(another_format_is_told_from_no_bundle),
		cmocka_unit_test(a_text_of_no_length_or_too_long_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
