#include "control/frame.h"

#include "base/check.h"
#include "base/text.h"

static const char *const type_names[] = {
	[FRAME_REQUEST] = "REQUEST", [FRAME_DATA] = "DATA", [FRAME_END] = "END",
	[FRAME_REPLY] = "REPLY",     [FRAME_ITEM] = "ITEM", [FRAME_ERROR] = "ERROR",
};

static bool is_type(u32 type)
{
	return type >= FRAME_REQUEST && type <= FRAME_ERROR;
}

const char *frame_type_name(u32 type)
{
	return is_type(type) ? type_names[type] : "unknown";
}

/* ---- encoder ---- */

static void put_u32(char *to, u32 value)
{
	to[0] = (char)(value >> 24);
	to[1] = (char)(value >> 16);
	to[2] = (char)(value >> 8);
	to[3] = (char)value;
}

static u32 get_u32(const char *from)
{
	const u8 *p = (const u8 *)from;

	return (u32)p[0] << 24 | (u32)p[1] << 16 | (u32)p[2] << 8 | p[3];
}

size_t frame_begin(struct buf *out, enum frame_type type)
{
	char head[FRAME_HEAD_SIZE] = { 0 };
	size_t begin = out->len;

	head[4] = (char)type;
	buf_add(out, head, sizeof(head));
	return begin;
}

bool frame_end(struct buf *out, size_t begin)
{
	size_t len;

	if (out->failed || out->len - begin - FRAME_HEAD_SIZE > FRAME_PAYLOAD_MAX) {
		ASSERT(begin <= out->len);
		out->len = begin;
		return false;
	}
	len = out->len - begin - FRAME_HEAD_SIZE;
	put_u32(out->ptr + begin, (u32)len);
	return true;
}

bool frame_add(struct buf *out, enum frame_type type, struct slice payload)
{
	size_t begin = frame_begin(out, type);

	buf_add_slice(out, payload);
	return frame_end(out, begin);
}

/* ---- decoder ---- */

void frame_decoder_init(struct frame_decoder *decoder)
{
	*decoder = (struct frame_decoder){ 0 };
	buf_init(&decoder->partial, FRAME_HEAD_SIZE + FRAME_PAYLOAD_MAX);
}

void frame_decoder_done(struct frame_decoder *decoder)
{
	buf_done(&decoder->partial);
}

bool frame_decoder_is_idle(const struct frame_decoder *decoder)
{
	return !decoder->is_bad && (decoder->is_used || decoder->partial.len == 0);
}

static enum frame_result decoder_fail(struct frame_decoder *decoder, struct error *error,
				      const char *what, u32 value)
{
	decoder->is_bad = true;
	error_set(error, "not a control frame: %s %u", what, value);
	return FRAME_BAD;
}

/* Judges a head; FRAME_READY when it may stand. */
static enum frame_result decoder_check_head(struct frame_decoder *decoder, const char *head,
					    struct error *error)
{
	u32 len = get_u32(head);
	u32 type = (u8)head[4];

	if (len > FRAME_PAYLOAD_MAX)
		return decoder_fail(decoder, error, "length", len);
	if (!is_type(type))
		return decoder_fail(decoder, error, "type", type);
	if (type == FRAME_END && len > 0)
		return decoder_fail(decoder, error, "END with a payload of length", len);
	return FRAME_READY;
}

static enum frame_result decoder_emit(struct frame *frame, struct slice whole)
{
	frame->type = (enum frame_type)(u8)whole.ptr[4];
	frame->payload = slice_from(whole, FRAME_HEAD_SIZE);
	return FRAME_READY;
}

/* Moves bytes from the input until `partial` holds `want`; false: the input is used up before. */
static bool decoder_fill(struct frame_decoder *decoder, struct slice *bytes, size_t want)
{
	size_t n = min_size(want - decoder->partial.len, bytes->len);

	if (n > 0) {
		buf_add(&decoder->partial, bytes->ptr, n);
		*bytes = slice_from(*bytes, n);
	}
	return decoder->partial.len == want;
}

enum frame_result frame_decoder_take(struct frame_decoder *decoder, struct slice *bytes,
				     struct frame *frame, struct error *error)
{
	struct buf *partial = &decoder->partial;
	struct slice whole;

	if (decoder->is_bad)
		return decoder_fail(decoder, error, "after a bad frame, state", FRAME_BAD);
	if (decoder->is_used) {
		buf_reset(partial);
		decoder->is_used = false;
	}
	/* A frame that lies whole in the input is not copied. */
	if (partial->len == 0 && bytes->len >= FRAME_HEAD_SIZE) {
		size_t len;

		if (decoder_check_head(decoder, bytes->ptr, error) != FRAME_READY)
			return FRAME_BAD;
		len = FRAME_HEAD_SIZE + get_u32(bytes->ptr);
		if (bytes->len >= len) {
			whole = slice_first(*bytes, len);
			*bytes = slice_from(*bytes, len);
			return decoder_emit(frame, whole);
		}
	}
	if (partial->len < FRAME_HEAD_SIZE) {
		if (!decoder_fill(decoder, bytes, FRAME_HEAD_SIZE))
			goto more;
		if (decoder_check_head(decoder, partial->ptr, error) != FRAME_READY)
			return FRAME_BAD;
	}
	if (!decoder_fill(decoder, bytes, FRAME_HEAD_SIZE + get_u32(partial->ptr)))
		goto more;
	decoder->is_used = true;
	return decoder_emit(frame, buf_slice(partial));
more:
	if (partial->failed)
		return decoder_fail(decoder, error, "no memory behind byte", (u32)partial->len);
	return FRAME_MORE;
}
