#include "campaign/image.h"

#include "base/text.h"

#include <string.h>

enum jpeg_state {
	JPEG_BEGINS,  /* FF of the start */
	JPEG_STARTS,  /* D8 of it */
	JPEG_BETWEEN, /* FF of a marker */
	JPEG_MARKER,  /* its code, behind any number of FF */
	JPEG_LENGTH,  /* of the segment, two bytes */
	JPEG_LENGTH_LOW,
	JPEG_FRAME, /* precision, height, width */
	JPEG_SKIPS, /* what is left of the segment */
	JPEG_KNOWN,
	JPEG_BAD,
};

#define JPEG_STANDS_ALONE(marker) ((marker) == 0x01 || ((marker) >= 0xd0 && (marker) <= 0xd8))
#define JPEG_HAS_NO_FRAME(marker) ((marker) == 0xd9 || (marker) == 0xda) /* end, or the picture */

static const char png_head[] = "\x89PNG\r\n\x1a\n\0\0\0\rIHDR";

void image_reader_init(struct image_reader *reader)
{
	memset(reader, 0, sizeof(*reader));
}

/* ---- JPEG ---- */

/* SOF0 to SOF15, without the three codes among them that are tables. */
static bool is_frame(u8 marker)
{
	return marker >= 0xc0 && marker <= 0xcf && marker != 0xc4 && marker != 0xc8 &&
	       marker != 0xcc;
}

static enum jpeg_state state_behind(u8 marker)
{
	if (marker == 0xff)
		return JPEG_MARKER;
	if (JPEG_STANDS_ALONE(marker))
		return JPEG_BETWEEN;
	return marker == 0 || JPEG_HAS_NO_FRAME(marker) ? JPEG_BAD : JPEG_LENGTH;
}

static enum jpeg_state begin_segment(struct image_reader *r)
{
	if (r->left < 2)
		return JPEG_BAD;
	r->left -= 2;
	if (is_frame(r->marker))
		return r->left < sizeof(r->frame) ? JPEG_BAD : JPEG_FRAME;
	return r->left > 0 ? JPEG_SKIPS : JPEG_BETWEEN;
}

/* The state behind one byte. */
static enum jpeg_state jpeg_step(struct image_reader *r, u8 byte)
{
	switch ((enum jpeg_state)r->state) {
	case JPEG_BEGINS: return byte == 0xff ? JPEG_STARTS : JPEG_BAD;
	case JPEG_STARTS: return byte == 0xd8 ? JPEG_BETWEEN : JPEG_BAD;
	case JPEG_BETWEEN: return byte == 0xff ? JPEG_MARKER : JPEG_BAD;
	case JPEG_MARKER: r->marker = byte; return state_behind(byte);
	case JPEG_LENGTH: r->left = (u32)byte << 8; return JPEG_LENGTH_LOW;
	case JPEG_LENGTH_LOW: r->left |= byte; return begin_segment(r);
	case JPEG_FRAME:
		r->frame[r->frame_len++] = byte;
		return r->frame_len == sizeof(r->frame) ? JPEG_KNOWN : JPEG_FRAME;
	case JPEG_SKIPS:
	case JPEG_KNOWN:
	case JPEG_BAD: break;
	}
	return (enum jpeg_state)r->state;
}

static void feed_jpeg(struct image_reader *r, struct slice bytes)
{
	while (bytes.len > 0 && r->state != JPEG_KNOWN && r->state != JPEG_BAD) {
		size_t used = 1;

		if (r->state == JPEG_SKIPS) {
			used = min_size(bytes.len, r->left);
			r->left -= (u32)used;
			r->state = r->left > 0 ? JPEG_SKIPS : JPEG_BETWEEN;
		} else {
			r->state = jpeg_step(r, (u8)bytes.ptr[0]);
		}
		bytes = slice_from(bytes, used);
	}
}

void image_reader_feed(struct image_reader *reader, struct slice bytes)
{
	size_t part = min_size(bytes.len, sizeof(reader->head) - reader->head_len);

	if (part > 0)
		memcpy(reader->head + reader->head_len, bytes.ptr, part);
	reader->head_len += part;
	feed_jpeg(reader, bytes);
}

/* ---- what it was ---- */

static u32 big16(const u8 *at)
{
	return (u32)at[0] << 8 | at[1];
}

static u32 little16(const u8 *at)
{
	return (u32)at[1] << 8 | at[0];
}

static u32 little24(const u8 *at)
{
	return (u32)at[2] << 16 | little16(at);
}

static bool has(const struct image_reader *r, size_t at, const char *bytes, size_t len)
{
	return r->head_len >= at + len && memcmp(r->head + at, bytes, len) == 0;
}

static void read_png(const struct image_reader *r, struct image_facts *facts)
{
	const u8 *sides = r->head + sizeof(png_head) - 1;

	facts->kind = IMAGE_PNG;
	if (r->head_len < sizeof(png_head) - 1 + 8 || !has(r, 0, png_head, sizeof(png_head) - 1))
		return;
	facts->width = big16(sides) << 16 | big16(sides + 2);
	facts->height = big16(sides + 4) << 16 | big16(sides + 6);
}

static void read_gif(const struct image_reader *r, struct image_facts *facts)
{
	facts->kind = IMAGE_GIF;
	if (r->head_len < 10)
		return;
	facts->width = little16(r->head + 6);
	facts->height = little16(r->head + 8);
}

/* RFC 9649 sections 2.5 to 2.7: lossy, lossless, or with a head of its own. */
static void read_webp(const struct image_reader *r, struct image_facts *facts)
{
	const u8 *data = r->head + 20;

	facts->kind = IMAGE_WEBP;
	if (has(r, 12, "VP8 ", 4) && r->head_len >= 30 && has(r, 23, "\x9d\x01\x2a", 3)) {
		facts->width = little16(data + 6) & 0x3fff;
		facts->height = little16(data + 8) & 0x3fff;
	} else if (has(r, 12, "VP8L", 4) && r->head_len >= 25 && data[0] == 0x2f) {
		facts->width = (little16(data + 1) & 0x3fff) + 1;
		facts->height = ((little24(data + 2) >> 6) & 0x3fff) + 1;
	} else if (has(r, 12, "VP8X", 4) && r->head_len >= 30) {
		facts->width = little24(data + 4) + 1;
		facts->height = little24(data + 7) + 1;
	}
}

enum image_problem image_reader_end(const struct image_reader *reader, struct image_facts *facts)
{
	*facts = (struct image_facts){ 0 };
	if (reader->head_len == 0)
		return IMAGE_EMPTY;
	if (has(reader, 0, png_head, 8)) {
		read_png(reader, facts);
	} else if (has(reader, 0, "GIF87a", 6) || has(reader, 0, "GIF89a", 6)) {
		read_gif(reader, facts);
	} else if (has(reader, 0, "RIFF", 4) && has(reader, 8, "WEBP", 4)) {
		read_webp(reader, facts);
	} else if (has(reader, 0, "\xff\xd8\xff", 3)) {
		facts->kind = IMAGE_JPEG;
		if (reader->state == JPEG_KNOWN) {
			facts->height = big16(reader->frame + 1);
			facts->width = big16(reader->frame + 3);
		}
	} else {
		return IMAGE_UNKNOWN;
	}
	if (facts->width == 0 || facts->height == 0)
		return IMAGE_DAMAGED;
	if (facts->width > IMAGE_SIDE_MAX || facts->height > IMAGE_SIDE_MAX ||
	    facts->width * facts->height > IMAGE_AREA_MAX)
		return IMAGE_TOO_LARGE;
	return IMAGE_GOOD;
}

/* ---- words ---- */

const char *image_problem_words(enum image_problem problem, bool japanese)
{
	static const char *const words[IMAGE_PROBLEMS][2] = {
		[IMAGE_GOOD] = { "", "" },
		[IMAGE_EMPTY] = { "the file is empty", "ファイルが空です" },
		[IMAGE_UNKNOWN] = { "this is no PNG, JPEG, GIF or WebP image",
				    "PNG、JPEG、GIF、WebP の画像ではありません" },
		[IMAGE_DAMAGED] = { "the image is damaged: it does not say how large it is",
				    "画像が壊れています（大きさを読み取れません）" },
		[IMAGE_TOO_LARGE] = { "the image has too many pixels: at most 10,000 on a side and "
				      "50 million in all",
				      "画像が大きすぎます（一辺は 10,000 ピクセル、"
				      "全体は 5,000 万ピクセルまで）" },
	};

	return words[problem < IMAGE_PROBLEMS ? problem : IMAGE_GOOD][japanese];
}

static const struct {
	const char *type;
	const char *ending;
} kinds[IMAGE_KINDS] = {
	{ "application/octet-stream", "bin" }, /* no image is this */
	[IMAGE_PNG] = { "image/png", "png" },
	[IMAGE_JPEG] = { "image/jpeg", "jpg" },
	[IMAGE_GIF] = { "image/gif", "gif" },
	[IMAGE_WEBP] = { "image/webp", "webp" },
};

const char *image_kind_type(enum image_kind kind)
{
	return kinds[kind < IMAGE_KINDS ? kind : 0].type;
}

const char *image_kind_ending(enum image_kind kind)
{
	return kinds[kind < IMAGE_KINDS ? kind : 0].ending;
}
