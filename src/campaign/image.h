/*
 * What an image is, by its bytes and nothing else, and how large it is drawn: PNG (ISO/IEC 15948),
 * JPEG (ITU-T T.81), GIF (GIF89a), WebP (RFC 9649). Everything else is no image to us: SVG and HTML
 * can have scripts, and mail programs show neither. Bytes in, facts out; what is kept of them does
 * not depend on the file.
 *
 *   image_reader_init(&reader);
 *   for each piece of the file: image_reader_feed(&reader, piece);
 *   problem = image_reader_end(&reader, &facts);
 */
#ifndef CAMPAIGN_IMAGE_H
#define CAMPAIGN_IMAGE_H

#include "base/types.h"

#define IMAGE_SIDE_MAX 10000	    /* pixels: a mail is some 600 wide */
#define IMAGE_AREA_MAX (50u << 20) /* pixels: what a telephone has the memory to draw */
#define IMAGE_HEAD_SIZE 32

enum image_kind { IMAGE_PNG = 1, IMAGE_JPEG, IMAGE_GIF, IMAGE_WEBP }; /* values are stored */
#define IMAGE_KINDS (IMAGE_WEBP + 1)

struct image_facts {
	enum image_kind kind;
	u32 width; /* pixels */
	u32 height;
};

enum image_problem {
	IMAGE_GOOD,
	IMAGE_EMPTY,
	IMAGE_UNKNOWN, /* none of the four */
	IMAGE_DAMAGED, /* begins as one of them, and does not say how large it is */
	IMAGE_TOO_LARGE, /* more pixels than above */
	IMAGE_PROBLEMS,
};

struct image_reader {
	u8 head[IMAGE_HEAD_SIZE];
	size_t head_len;
	/* Of JPEG, whose size stands behind segments of any length: */
	u32 state;
	u8 marker;
	u32 left; /* bytes of the segment */
	u8 frame[5];
	u32 frame_len;
};

void image_reader_init(struct image_reader *reader);
void image_reader_feed(struct image_reader *reader, struct slice bytes);
/* `facts` are filled in when it is good. */
enum image_problem image_reader_end(const struct image_reader *reader,
				    struct image_facts *facts) MUST_CHECK;

/* A sentence about it, without an end; in Japanese, or in English. */
const char *image_problem_words(enum image_problem problem, bool japanese);
/* "image/png", "png". */
const char *image_kind_type(enum image_kind kind);
const char *image_kind_ending(enum image_kind kind);

#endif
