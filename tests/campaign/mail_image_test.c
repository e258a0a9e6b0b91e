/* Images of ours in a mail: by address, for a page, or in the mail itself. */
#include "base/text.h"
#include "campaign/mail_image.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#define BASE "https://mail.shop.example"
#define ID "0123456789abcdef0123456789abcdef"
#define OTHER "ffffffffffffffffffffffffffffffff"
#define LOST "00000000000000000000000000000000"

static u32 loads;
static size_t load_size = 3;

/* All but LOST are there, of load_size bytes. */
static bool load(void *owner, const u8 id[MAIL_IMAGE_ID_SIZE], struct mail_image *image,
		 struct error *error)
{
	static char bytes[MAIL_IMAGES_BYTES_MAX + 1];

	(void)owner;
	loads++;
	if (id[0] == 0xee)
		return error_set(error, "the disk is broken");
	if (id[0] != 0)
		*image = (struct mail_image){ SLICE("Summer sale.PNG"), IMAGE_PNG,
					      { bytes, load_size } };
	return true;
}

static struct mail_images images_of(enum mail_image_way way)
{
	struct mail_images images = { .way = way,
				      .base = SLICE(BASE),
				      .domain = "shop.example",
				      .boundary = "=_b",
				      .load = load };

	buf_init(&images.parts, 32u << 20);
	return images;
}

static void check(enum mail_image_way way, const char *html, const char *wanted)
{
	struct mail_images images = images_of(way);
	struct error error = { "" };
	struct buf out;

	buf_init(&out, 1u << 20);
	if (!mail_images_rewrite(&images, slice_of(html), &out, &error))
		fail_msg("%s", error.text);
	assert_string_equal(buf_text(&out), wanted);
	buf_done(&out);
	buf_done(&images.parts);
}

static void in_mail_the_address_has_our_host(void **state)
{
	(void)state;
	check(MAIL_IMAGE_HOSTED, "<img src=\"/i/" ID "/a.png\"><img src='" BASE "/i/" ID "/b.png'>",
	      "<img src=\"" BASE "/i/" ID "/a.png\"><img src='" BASE "/i/" ID "/b.png'>");
	check(MAIL_IMAGE_HOSTED, "<a href=/i/" ID "/a.png>x</a><td background=\"/i/" ID "/a.png\">",
	      "<a href=\"" BASE "/i/" ID "/a.png\">x</a><td background=\"" BASE "/i/" ID "/a.png\">");
	check(MAIL_IMAGE_HOSTED, "<img srcset=\"/i/" ID "/a.png 1x, /i/" OTHER "/b.png 2x\">",
	      "<img srcset=\"" BASE "/i/" ID "/a.png 1x, " BASE "/i/" OTHER "/b.png 2x\">");
}

#define A "/i/" ID "/a.png"

static void url_in_styles_gets_our_host_too_and_is_never_a_part(void **state)
{
	static const char *const pairs[][2] = {
		{ "<td style=\"background:url(" A ")\">", "<td style=\"background:url(" BASE A ")\">" },
		{ "<td style=\"a:url( '" A "' ) , URL(" A ")\">",
		  "<td style=\"a:url( '" BASE A "' ) , URL(" BASE A ")\">" },
		{ "<td style=\"a:url(&quot;" A "&quot;)\">",
		  "<td style=\"a:url(&quot;" BASE A "&quot;)\">" },
		{ "<td style=a:url(" A ")>", "<td style=a:url(" BASE A ")>" },
		{ "<style>/* ' */ a{b:url(\"" A "\")}</style>",
		  "<style>/* ' */ a{b:url(\"" BASE A "\")}</style>" },
	};

	(void)state;
	for (size_t i = 0; i < array_count(pairs); i++) {
		check(MAIL_IMAGE_HOSTED, pairs[i][0], pairs[i][1]);
		check(MAIL_IMAGE_INLINE, pairs[i][0], pairs[i][1]);
		check(MAIL_IMAGE_LOCAL, pairs[i][1], pairs[i][0]);
	}
}

static void what_is_no_plain_url_in_a_style_stays_byte_by_byte(void **state)
{
	static const char *const texts[] = {
		"<style>/* url(" A ") */ a{content:\"url(" A ")\"}</style>",
		"<style>a{b:url(\\2f i/" ID "/a.png)} c{d:url(" A "\\29)}</style>",
		"<style>a{b:myurl(" A ")} \\url(" A ")</style>",
		"<td style=\"a:url('" A "\">",
		"<td style=\"a:url('" A "&quot;)\">",
		"<td style=\"a:url(" A "');b:expression(x)\">",
		"<style>a{b:url(" A "</style><script>url(" A ")</script>",
		"<style>/* url(" A ")</style>",
		"<p>url(" A ")</p><!-- <td style=\"a:url(" A ")\"> -->",
	};

	(void)state;
	for (size_t i = 0; i < array_count(texts); i++)
		check(MAIL_IMAGE_HOSTED, texts[i], texts[i]);
}

static void on_a_page_it_has_none(void **state)
{
	(void)state;
	check(MAIL_IMAGE_LOCAL, "<img src=\"" BASE "/i/" ID "/a.png\"><img src=\"/i/" ID "/a.png\">",
	      "<img src=\"/i/" ID "/a.png\"><img src=\"/i/" ID "/a.png\">");
}

static void every_other_address_stays(void **state)
{
	static const char *const texts[] = {
		"<img src=\"/i/" ID "\">",
		"<img src=\"/i/0123/a.png\">",
		"<img src=\"/i/{{id}}/a.png\">",
		"<img src=\"https://x.example/i/" ID "/a.png\">",
		"<img src=\"" BASE ".evil.example/i/" ID "/a.png\">",
		"<img src=\"i/" ID "/a.png\">",
		"<img src=\"data:image/png;base64,AA\">",
		"<form action=\"/i/" ID "/a.png\"></form>",
		"<!-- <img src=\"/i/" ID "/a.png\"> -->",
		"<p>/i/" ID "/a.png</p>",
	};

	(void)state;
	for (size_t i = 0; i < array_count(texts); i++) {
		check(MAIL_IMAGE_HOSTED, texts[i], texts[i]);
		check(MAIL_IMAGE_INLINE, texts[i], texts[i]);
	}
}

static void in_the_mail_itself_each_image_is_one_part(void **state)
{
	struct mail_images images = images_of(MAIL_IMAGE_INLINE);
	struct error error = { "" };
	struct buf out;

	(void)state;
	buf_init(&out, 1u << 20);
	loads = 0;
	assert_true(mail_images_rewrite(&images,
					SLICE("<img src=\"/i/" ID "/a.png\"><img src=\"" BASE "/i/" OTHER
					      "/b.png\"><img src=\"/i/" ID "/again.png\">"
					      "<img src=\"/i/" LOST "/c.png\"><a href=\"/i/" ID
					      "/a.png\">large</a>"),
					&out, &error));
	assert_string_equal(buf_text(&out),
			    "<img src=\"cid:" ID "@shop.example\"><img src=\"cid:" OTHER
			    "@shop.example\"><img src=\"cid:" ID "@shop.example\">"
			    "<img src=\"" BASE "/i/" LOST "/c.png\"><a href=\"" BASE "/i/" ID
			    "/a.png\">large</a>");
	assert_int_equal(loads, 3);
	assert_int_equal(images.count, 2);
	assert_string_equal(buf_text(&images.parts),
			    "\n--=_b\n"
			    "Content-Type: image/png; name=Summer-sale.png\n"
			    "Content-Disposition: inline; filename=Summer-sale.png\n"
			    "Content-ID: <" ID "@shop.example>\n"
			    "Content-Transfer-Encoding: base64\n\nAAAA\n"
			    "\n--=_b\n"
			    "Content-Type: image/png; name=Summer-sale.png\n"
			    "Content-Disposition: inline; filename=Summer-sale.png\n"
			    "Content-ID: <" OTHER "@shop.example>\n"
			    "Content-Transfer-Encoding: base64\n\nAAAA\n");
	buf_done(&out);
	buf_done(&images.parts);
}

static void refuse(const char *html, const char *wanted)
{
	struct mail_images images = images_of(MAIL_IMAGE_INLINE);
	struct error error = { "" };
	struct buf out;

	buf_init(&out, 1u << 20);
	assert_false(mail_images_rewrite(&images, slice_of(html), &out, &error));
	assert_string_equal(error.text, wanted);
	buf_done(&out);
	buf_done(&images.parts);
}

static void too_much_for_one_mail_is_refused_with_its_line(void **state)
{
	char html[64 * 80] = "";
	size_t len = 0;

	(void)state;
	load_size = MAIL_IMAGES_BYTES_MAX / 2 + 1;
	refuse("<p>\n<img src=\"/i/" ID "/a.png\">\n<img src=\"/i/" OTHER "/a.png\">",
	       "line 3: the images in the mail itself have more than 5 MB");
	check(MAIL_IMAGE_INLINE, "<img src=\"/i/" ID "/a.png\"><img src=\"/i/" ID "/a.png\">",
	      "<img src=\"cid:" ID "@shop.example\"><img src=\"cid:" ID "@shop.example\">");
	load_size = 3;
	for (u32 i = 0; i <= MAIL_IMAGES_INLINE_MAX; i++)
		len += (size_t)snprintf(html + len, sizeof(html) - len,
					"<img src=\"/i/%032x/a.png\">", 0x100u + i);
	/* %032x begins with zeros, which are LOST to the loader: other beginnings. */
	for (char *at = html; (at = strstr(at, "/i/0")); at++)
		memcpy(at + 3, "aa", 2);
	refuse(html, "line 1: more than 50 images in the mail itself");
	refuse("\n<img src=\"/i/eeeeeeeeeeeeeeeeeeeeeeeeeeeeeeee/a.png\">",
	       "line 2: the disk is broken");
}

static void a_name_becomes_one_that_addresses_can_have(void **state)
{
	static const struct {
		const char *name;
		enum image_kind kind;
		const char *wanted;
	} rows[] = {
		{ "logo.png", IMAGE_PNG, "logo.png" },
		{ "Photo 12.JPEG", IMAGE_JPEG, "Photo-12.jpg" },
		{ "a.tar.gif", IMAGE_GIF, "a-tar.gif" },
		{ "evil.html", IMAGE_WEBP, "evil.webp" },
		{ "../../etc/passwd", IMAGE_PNG, "image.png" },
		{ "夏のセール.png", IMAGE_PNG, "image.png" },
		{ "", IMAGE_PNG, "image.png" },
		{ ".png", IMAGE_PNG, "png.png" },
		{ "a\"><script>", IMAGE_PNG, "a-script.png" },
		{ "no_ending", IMAGE_GIF, "no_ending.gif" },
	};
	char long_name[300];
	char out[MAIL_IMAGE_NAME_MAX + 1];

	(void)state;
	for (size_t i = 0; i < array_count(rows); i++) {
		mail_image_name(out, slice_of(rows[i].name), rows[i].kind);
		assert_string_equal(out, rows[i].wanted);
	}
	memset(long_name, 'x', sizeof(long_name));
	mail_image_name(out, (struct slice){ long_name, sizeof(long_name) }, IMAGE_WEBP);
	assert_int_equal(strlen(out), MAIL_IMAGE_NAME_MAX);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(in_mail_the_address_has_our_host),
		cmocka_unit_test(on_a_page_it_has_none),
		cmocka_unit_test(url_in_styles_gets_our_host_too_and_is_never_a_part),
		cmocka_unit_test(what_is_no_plain_url_in_a_style_stays_byte_by_byte),
		cmocka_unit_test(every_other_address_stays),
		cmocka_unit_test(in_the_mail_itself_each_image_is_one_part),
		cmocka_unit_test(too_much_for_one_mail_is_refused_with_its_line),
		cmocka_unit_test(a_name_becomes_one_that_addresses_can_have),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
