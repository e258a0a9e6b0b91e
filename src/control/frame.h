/*
 * Frames on the control socket: what the command line client and the sender say to each other over
 * a unix stream socket. A frame is
 *
 *   u32 length of the payload (big-endian, at most FRAME_PAYLOAD_MAX)   u8 type   payload
 *
 * No sockets here: the encoder appends to a buffer, the decoder takes bytes in pieces of any size.
 * Both ends use this file, so both are as strict as the other.
 */
#ifndef CONTROL_FRAME_H
#define CONTROL_FRAME_H

#include "base/buf.h"
#include "base/error.h"
#include "base/types.h"

enum frame_type {
	FRAME_REQUEST = 1, /* client: JSON object {"command": ..., arguments} */
	FRAME_DATA,        /* client: bytes that belong to the open request */
	FRAME_END,         /* client: no more DATA; empty */
	FRAME_REPLY,       /* daemon: JSON object; the request is done */
	FRAME_ITEM,        /* daemon: JSON object; one element of a stream, a REPLY ends it */
	FRAME_ERROR,       /* daemon: JSON object {"error": sentence, "code": word}; refused */
};

#define FRAME_HEAD_SIZE 5
#define FRAME_PAYLOAD_MAX (1u << 20)

/* "REQUEST", "DATA", ...; "unknown" for anything else. */
const char *frame_type_name(u32 type);

/* ---- encoder ---- */

/*
 * Appends a whole frame. False: the payload is over FRAME_PAYLOAD_MAX or the buffer is at its
 * maximum; then nothing was appended (the buffer may be marked failed).
 */
bool frame_add(struct buf *out, enum frame_type type, struct slice payload) MUST_CHECK;

/*
 * For payloads that are made in place: frame_begin appends the head and returns where it stands;
 * the caller appends the payload; frame_end fills in the length. False as for frame_add, and then
 * the unfinished frame is taken back.
 */
size_t frame_begin(struct buf *out, enum frame_type type) MUST_CHECK;
bool frame_end(struct buf *out, size_t begin) MUST_CHECK;

/* ---- decoder ---- */

struct frame {
	enum frame_type type;
	struct slice payload;
};

/* Memory: at most one frame, and it grows as bytes arrive, not by what a head announces. */
struct frame_decoder {
	struct buf partial;
	bool is_used; /* `partial` holds a frame that was handed out */
	bool is_bad;
};

enum frame_result {
	FRAME_MORE,  /* *bytes is used up, no frame is complete */
	FRAME_READY, /* *frame is filled in; call again for what follows */
	FRAME_BAD,   /* the peer does not speak this protocol, or no memory; close the connection */
};

void frame_decoder_init(struct frame_decoder *decoder);
void frame_decoder_done(struct frame_decoder *decoder);

/*
 * Takes bytes off the front of *bytes up to the end of one frame. The payload is a view of the
 * decoder's memory or of *bytes itself: valid until the next call and as long as those bytes are.
 * After FRAME_BAD every call is FRAME_BAD, and the error says what was wrong (error may be NULL).
 */
enum frame_result frame_decoder_take(struct frame_decoder *decoder, struct slice *bytes,
				     struct frame *frame, struct error *error) MUST_CHECK;

/* True when the stream may end here: no frame is half read. */
bool frame_decoder_is_idle(const struct frame_decoder *decoder);

#endif
