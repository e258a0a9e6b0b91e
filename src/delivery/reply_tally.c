#include "delivery/reply_tally.h"

#include "base/text.h"

#include <stdlib.h>
#include <string.h>

static struct reply_shape *find(struct reply_tally *tally, u16 code, const char *shape, size_t len)
{
	for (u32 i = 0; i < tally->count; i++) {
		struct reply_shape *s = &tally->shapes[i];

		if (s->code == code && s->shape_len == len && memcmp(s->shape, shape, len) == 0)
			return s;
	}
	return NULL;
}

/* A free place, or the rarest shape's, whose count is taken over. */
static struct reply_shape *place(struct reply_tally *tally)
{
	struct reply_shape *rarest = &tally->shapes[0];

	if (tally->count < REPLY_TALLY_MAX)
		return &tally->shapes[tally->count++];
	for (u32 i = 1; i < tally->count; i++) {
		if (tally->shapes[i].count < rarest->count)
			rarest = &tally->shapes[i];
	}
	rarest->over = rarest->count;
	return rarest;
}

static u16 copy(char *to, size_t size, struct slice from)
{
	size_t len = min_size(from.len, size);

	if (len > 0)
		memcpy(to, from.ptr, len);
	return (u16)len;
}

void reply_tally_note(struct reply_tally *tally, const struct reply_sample *sample)
{
	char shape[SMTP_REPLY_SHAPE_MAX];
	size_t len = smtp_reply_shape(shape, sample->text);
	struct reply_shape *s = find(tally, sample->code, shape, len);

	if (!s) {
		s = place(tally);
		s->code = sample->code;
		s->shape_len = copy(s->shape, sizeof(s->shape), (struct slice){ shape, len });
	}
	tally->total++;
	s->count++;
	s->last_ms = sample->wall_ms;
	s->class = (u8)sample->class;
	memcpy(s->enhanced, sample->enhanced, sizeof(s->enhanced));
	s->example_len = copy(s->example, sizeof(s->example), sample->text);
	s->host_len = copy(s->host, sizeof(s->host), sample->host);
}

static int more_first(const void *a, const void *b)
{
	const struct reply_shape *x = *(const struct reply_shape *const *)a;
	const struct reply_shape *y = *(const struct reply_shape *const *)b;

	if (x->count != y->count)
		return x->count < y->count ? 1 : -1;
	return (x > y) - (x < y);
}

u32 reply_tally_sort(const struct reply_tally *tally,
		     const struct reply_shape *out[REPLY_TALLY_MAX])
{
	for (u32 i = 0; i < tally->count; i++)
		out[i] = &tally->shapes[i];
	qsort(out, tally->count, sizeof(out[0]), more_first);
	return tally->count;
}
