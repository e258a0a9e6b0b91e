#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/buf.h"
#include "base/text.h"
#include "web/multipart.h"

static struct multipart m;
static struct buf told; /* "name|file|content;" for each part, and how it ended */

static void read_body(const char *type, const char *body, size_t step)
{
	struct slice rest = slice_of(body);

	buf_reset(&told);
	assert_true(multipart_init(&m, slice_of(type)));
	while (rest.len > 0) {
		struct slice piece = slice_first(rest, step);
		enum multipart_event event;
		struct slice data;

		rest = slice_from(rest, piece.len);
		while ((event = multipart_next(&m, &piece, &data)) != MULTIPART_MORE) {
			if (event == MULTIPART_PART)
				buf_add_format(&told, "%s|%s|", m.name,
					       m.is_file ? m.file_name : "-");
			else if (event == MULTIPART_DATA)
				buf_add_slice(&told, data);
			else if (event == MULTIPART_PART_END)
				buf_add_char(&told, ';');
			else
				break;
		}
		if (event == MULTIPART_END || event == MULTIPART_BAD) {
			buf_add_text(&told, event == MULTIPART_END ? "END" : "BAD");
			return;
		}
	}
}

#define TYPE "multipart/form-data; boundary=xx"
#define PART(fields, content) "--xx\r\nContent-Disposition: form-data; " fields "\r\n\r\n" content "\r\n"

static void tells(const char *body, const char *expected)
{
	for (size_t step = 1; step <= 1000; step = step < 20 ? step + 1 : step * 7) {
		read_body(TYPE, body, step);
		assert_string_equal(buf_text(&told), expected);
	}
}

static void parts_are_the_same_however_they_come(void **state)
{
	(void)state;
	tells(PART("name=\"a\"", "1") PART("name=b", "") "--xx--\r\nrest", "a|-|1;b|-|;END");
	tells("preamble\r\n" PART("name=\"a\"", "1") "--xx--", "a|-|1;END");
	tells("--xx--", "END");
	tells(PART("name=\"f\"; filename=\"list.csv\"\r\nContent-Type: text/csv", "x\r\ny\r\n--x\r\n-")
	      "--xx--",
	      "f|list.csv|x\r\ny\r\n--x\r\n-;END");
	tells(PART("name=f; filename=\"\"", "") "--xx--", "f||;END");
	tells("--xx \t\r\nContent-Disposition: form-data; name=a\r\n\r\n1\r\n--xx--", "a|-|1;END");
}

static void what_looks_like_a_boundary_is_content(void **state)
{
	(void)state;
	tells(PART("name=a", "\r\r\n\r\n--\r\n--x\r\n-\r--xx\n--xx") "--xx--",
	      "a|-|\r\r\n\r\n--\r\n--x\r\n-\r--xx\n--xx;END");
}

static void a_file_name_has_no_folder_and_its_quotes_come_back(void **state)
{
	(void)state;
	tells(PART("name=f; filename=\"C:\\tmp\\a%22b.csv\"", "") "--xx--", "f|a\"b.csv|;END");
	tells(PART("name=f; filename=\"../../etc/passwd\"", "") "--xx--", "f|passwd|;END");
	tells(PART("filename=\"\xe6\xa3\xae.csv\"; name=\"f\"", "") "--xx--",
	      "f|\xe6\xa3\xae.csv|;END");
}

static void what_is_wrong_ends_it(void **state)
{
	(void)state;
	tells("--xx\r\nContent-Type: text/plain\r\n\r\n1\r\n--xx--", "BAD");
	tells("--xx\r\nContent-Disposition: attachment; name=a\r\n\r\n1\r\n--xx--", "BAD");
	tells(PART("filename=a", "1"), "BAD");
	tells("--xx\r\nContent-Disposition: form-data; name=a\r\n"
	      "Content-Disposition: form-data; name=b\r\n\r\n--xx--",
	      "BAD");
	tells(PART("name=a", "1") "--xxyz", "a|-|1;BAD");
	tells(PART("name=\"\xff\"", "1"), "BAD");
	tells(PART("name=\"a\tb\"", "1"), "BAD");
}

static void a_head_without_end_is_not_kept(void **state)
{
	static char body[2 * MULTIPART_HEAD_MAX];
	size_t len;

	(void)state;
	memcpy(body, "--xx\r\n", 6);
	for (len = 6; len + 1 < sizeof(body); len++)
		body[len] = 'a';
	read_body(TYPE, body, 100);
	assert_string_equal(buf_text(&told), "BAD");
}

static void the_type_has_to_say_the_boundary(void **state)
{
	static const char *const bad[] = {
		"multipart/mixed; boundary=a",	     "multipart/form-data",
		"multipart/form-data; boundary=",    "multipart/form-data; boundary=\"a",
		"multipart/form-data; boundary=a\r", "multipart/form-data; boundary=\"a \"",
		"multipart/form-data; boundary=12345678901234567890123456789012345678901234567890"
		"123456789012345678901",
	};

	(void)state;
	for (size_t i = 0; i < array_count(bad); i++)
		assert_false(multipart_init(&m, slice_of(bad[i])));
	assert_true(multipart_init(&m, SLICE("Multipart/Form-Data; charset=utf-8; "
					     "BOUNDARY=\"a:b c\"")));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(parts_are_the_same_however_they_come),
		cmocka_unit_test(what_looks_like_a_boundary_is_content),
		cmocka_unit_test(a_file_name_has_no_folder_and_its_quotes_come_back),
		cmocka_unit_test(what_is_wrong_ends_it),
		cmocka_unit_test(a_head_without_end_is_not_kept),
		cmocka_unit_test(the_type_has_to_say_the_boundary),
	};
	int failed;

	buf_init(&told, 1 << 20);
	failed = cmocka_run_group_tests(tests, NULL, NULL);
	buf_done(&told);
	return failed;
}
