/* Links, images and elements of an HTML text, as mail programs will take them. */
#include "message/review_parts.h"

#include "base/text.h"
#include "message/html_entity.h"
#include "message/html_rewrite.h"
#include "message/html_text.h"
#include "message/html_walk.h"

#define WORDS_LEAST 20 /* octets of text without which images stand alone */

static bool is_one_of(struct slice name, const struct slice *names, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		if (slice_equal_nocase(name, names[i]))
			return true;
	}
	return false;
}

/* White space and control characters are not there for browsers. */
static bool has_scheme(struct slice url, struct slice scheme)
{
	size_t at = 0;

	for (size_t i = 0; i < url.len && at < scheme.len; i++) {
		if ((u8)url.ptr[i] <= ' ')
			continue;
		if (ascii_lower(url.ptr[i]) != scheme.ptr[at++])
			return false;
	}
	return at == scheme.len;
}

/* Letters, digits, "+-." and a colon (RFC 3986 section 3.1), or a field that may bring one. */
static bool is_absolute(struct slice url)
{
	if (slice_has_prefix(url, SLICE("{{")))
		return true;
	for (size_t i = 0; i < url.len; i++) {
		char c = url.ptr[i];

		if (c == ':')
			return i > 0;
		if (!ascii_is_alpha(c) && !ascii_is_digit(c) && c != '+' && c != '-' && c != '.')
			return false;
	}
	return false;
}

static struct slice host_of(struct slice url)
{
	i64 slashes = slice_find(url, SLICE("://"));
	struct slice host = slashes < 0 ? SLICE_NONE : slice_from(url, (size_t)slashes + 3);
	size_t len = 0;

	while (len < host.len && host.ptr[len] != '/' && host.ptr[len] != '?' &&
	       host.ptr[len] != '#' && host.ptr[len] != ':')
		len++;
	host = slice_first(host, len);
	return slice_has_prefix_nocase(host, SLICE("www.")) ? slice_from(host, 4) : host;
}

/* They hide where a link leads, and receivers' filters judge them by their worst customers. */
static bool is_shortener(struct slice url)
{
	static const struct slice hosts[] = {
		SLICE("bit.ly"), SLICE("tinyurl.com"), SLICE("goo.gl"), SLICE("t.co"),
		SLICE("ow.ly"), SLICE("is.gd"), SLICE("buff.ly"), SLICE("rebrand.ly"),
		SLICE("cutt.ly"), SLICE("t.ly"), SLICE("x.gd"), SLICE("ux.nu"),
		SLICE("shorturl.at"), SLICE("rb.gy"), SLICE("v.gd"), SLICE("tiny.cc"),
		SLICE("s.id"), SLICE("urx.space"), SLICE("00m.in"), SLICE("bl.ink"),
		SLICE("short.gy"), SLICE("lnkd.in"), SLICE("amzn.to"), SLICE("onl.tw"),
		SLICE("onl.la"), SLICE("qr.paps.jp"),
	};

	return is_one_of(host_of(url), hosts, array_count(hosts));
}

/* Whether the address is one of an image of this host, which is whole without the host's name. */
static bool is_own_image(struct reviewer *r, const struct html_link *link)
{
	enum review_image image = REVIEW_IMAGE_ELSEWHERE;
	u64 bytes = 0;

	if (r->input->image)
		image = r->input->image(r->input->owner, link->url, &bytes);
	if (image == REVIEW_IMAGE_LOST)
		review_add(r, REVIEW_IMAGE_GONE, REVIEW_HTML, link->line, link->url);
	if (link->kind == HTML_LINK_IMAGE)
		r->image_bytes += bytes;
	if (link->kind == HTML_LINK_IMAGE && image == REVIEW_IMAGE_HERE)
		r->inline_bytes += bytes;
	return image != REVIEW_IMAGE_ELSEWHERE;
}

static void check_anchor(struct reviewer *r, const struct html_link *link)
{
	struct slice url = link->url;

	r->has_unsubscribe_link |= review_names_unsubscribe(r, url);
	if (url.len == 0 || slice_equal(url, SLICE("#")))
		review_add(r, REVIEW_LINK_EMPTY, REVIEW_HTML, link->line, SLICE_NONE);
	else if (has_scheme(url, SLICE("javascript:")) || has_scheme(url, SLICE("vbscript:")) ||
		 has_scheme(url, SLICE("data:")))
		review_add(r, REVIEW_LINK_SCRIPT, REVIEW_HTML, link->line, url);
	else if (url.ptr[0] != '#' && !is_own_image(r, link) && !is_absolute(url))
		review_add(r, REVIEW_LINK_RELATIVE, REVIEW_HTML, link->line, url);
	else if (has_scheme(url, SLICE("http:")))
		review_add(r, REVIEW_LINK_PLAIN, REVIEW_HTML, link->line, url);
	if (is_shortener(url))
		review_add(r, REVIEW_LINK_SHORTENED, REVIEW_HTML, link->line, url);
}

/* What a mail program fetches by itself. */
static void check_fetched(struct reviewer *r, const struct html_link *link)
{
	if (!is_absolute(link->url))
		review_add(r, REVIEW_LINK_RELATIVE, REVIEW_HTML, link->line, link->url);
	else if (has_scheme(link->url, SLICE("http:")))
		review_add(r, REVIEW_LINK_PLAIN, REVIEW_HTML, link->line, link->url);
}

static void check_image(struct reviewer *r, const struct html_link *link)
{
	if (has_scheme(link->url, SLICE("data:"))) {
		review_add(r, REVIEW_IMAGE_DATA, REVIEW_HTML, link->line, SLICE_NONE);
		r->image_bytes += link->url.len / 4 * 3;
	} else if (!is_own_image(r, link)) {
		check_fetched(r, link);
	}
	r->images++;
}

static bool look_at(void *owner, const struct html_link *link, struct slice *replacement,
		    struct error *error)
{
	struct reviewer *r = owner;

	(void)replacement;
	(void)error;
	if (link->kind == HTML_LINK_ANCHOR)
		check_anchor(r, link);
	else if (link->kind == HTML_LINK_IMAGE)
		check_image(r, link);
	return true;
}

/* A background, a font, a sheet. "#x" is of the message itself. */
static bool look_in_css(void *owner, const struct html_link *link, struct slice *replacement,
			struct error *error)
{
	struct reviewer *r = owner;

	(void)replacement;
	(void)error;
	if (!is_own_image(r, link) && link->url.len > 0 && link->url.ptr[0] != '#')
		check_fetched(r, link);
	return true;
}

/* One pixel that counts, and spacers: nothing that a description would help with. */
static bool is_tiny(const struct html_token *token)
{
	struct slice width = html_attribute_find(token, SLICE("width"));
	struct slice height = html_attribute_find(token, SLICE("height"));

	return slice_equal(width, SLICE("1")) || slice_equal(height, SLICE("1")) ||
	       slice_equal(width, SLICE("0")) || slice_equal(height, SLICE("0"));
}

static void check_element(struct reviewer *r, struct html_walk *walk,
			  const struct html_token *token)
{
	static const struct slice removed[] = {
		SLICE("script"), SLICE("iframe"), SLICE("object"), SLICE("embed"),    SLICE("form"),
		SLICE("video"),	 SLICE("audio"),  SLICE("base"),   SLICE("frameset"),
	};
	u32 line = html_walk_line(walk, token->whole.ptr);

	if (is_one_of(token->name, removed, array_count(removed)))
		review_add(r, REVIEW_ELEMENT, REVIEW_HTML, line, token->name);
	/* An empty alt says that the image is an ornament. */
	if (slice_equal_nocase(token->name, SLICE("img")) && !is_tiny(token) &&
	    !html_attribute_find(token, SLICE("alt")).ptr)
		review_add(r, REVIEW_IMAGE_WITHOUT_ALT, REVIEW_HTML, line,
			   html_attribute_find(token, SLICE("src")));
}

/* The text behind a link's tag, when it looks like a URL, has the link's own host. */
static void check_disguise(struct reviewer *r, struct html_walk *walk, struct slice href,
			   const struct html_token *text)
{
	struct slice shown = slice_trim(text->whole);
	struct buf url;

	if (!has_scheme(shown, SLICE("http://")) && !has_scheme(shown, SLICE("https://")))
		return;
	buf_init(&url, 1u << 20);
	html_url_decode(&url, href);
	r->no_memory |= url.no_memory;
	if (!slice_equal_nocase(host_of(shown), host_of(slice_trim(buf_slice(&url)))) &&
	    !slice_has_prefix(slice_trim(href), SLICE("{{")))
		review_add(r, REVIEW_LINK_DISGUISED, REVIEW_HTML,
			   html_walk_line(walk, text->whole.ptr), shown);
	buf_done(&url);
}

/* Octets that are text and are shown. */
static u64 count_words(struct slice html)
{
	struct html_walk walk;
	struct html_token token;
	u64 count = 0;

	html_walk_init(&walk, html);
	while (html_walk_next(&walk, &token)) {
		count += token.kind == HTML_TOKEN_TEMPLATE ? WORDS_LEAST : 0;
		for (size_t i = 0; token.kind == HTML_TOKEN_TEXT && i < token.whole.len; i++)
			count += (u8)token.whole.ptr[i] > ' ';
	}
	return count;
}

static void check_weight(struct reviewer *r)
{
	char digits[24];
	struct buf number = { .ptr = digits, .size = sizeof(digits), .max = sizeof(digits) };
	bool is_too_much = r->input->inline_max > 0 && r->inline_bytes > r->input->inline_max;

	buf_add_u64(&number, ((is_too_much ? r->inline_bytes : r->image_bytes) + 1023) >> 10);
	if (is_too_much)
		review_add(r, REVIEW_INLINE_LARGE, REVIEW_HTML, 0, buf_slice(&number));
	else if (r->image_bytes > REVIEW_IMAGES_MAX)
		review_add(r, REVIEW_IMAGES_LARGE, REVIEW_HTML, 0, buf_slice(&number));
}

bool review_html(struct reviewer *r)
{
	const struct html_links links = { .owner = r,
					  .replace = look_at,
					  .replace_in_css = look_in_css };
	struct html_walk walk;
	struct html_token token;
	struct slice href = SLICE_NONE;
	struct error error;

	if (!html_links_rewrite(r->html, &links, NULL, &error))
		return false;
	html_walk_init(&walk, r->html);
	while (html_walk_next(&walk, &token)) {
		if (token.kind == HTML_TOKEN_OPEN)
			check_element(r, &walk, &token);
		if (token.kind == HTML_TOKEN_TEXT && href.ptr)
			check_disguise(r, &walk, href, &token);
		if (token.kind != HTML_TOKEN_OPEN ||
		    !slice_equal_nocase(token.name, SLICE("a")))
			href = SLICE_NONE;
		else
			href = html_attribute_find(&token, SLICE("href"));
	}
	check_weight(r);
	if (r->images > 0 && count_words(r->html) < WORDS_LEAST)
		review_add(r, REVIEW_IMAGES_ALONE, REVIEW_HTML, 0, SLICE_NONE);
	return true;
}
