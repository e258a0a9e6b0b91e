#include "base/buf.h"

#include "base/check.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void buf_init(struct buf *buf, size_t max)
{
	*buf = (struct buf){ .max = max };
}

void buf_done(struct buf *buf)
{
	free(buf->ptr);
	*buf = (struct buf){ .max = buf->max };
}

void buf_reset(struct buf *buf)
{
	buf->len = 0;
	buf->failed = false;
	buf->no_memory = false;
}

char *buf_reserve(struct buf *buf, size_t len)
{
	size_t need;
	size_t size;
	char *ptr;

	if (buf->failed)
		return NULL;
	if (__builtin_add_overflow(buf->len, len, &need) || need > buf->max)
		goto fail;
	if (need <= buf->size)
		return buf->ptr + buf->len;
	size = buf->size ? buf->size : 64;
	while (size < need)
		size *= 2;
	if (size > buf->max)
		size = buf->max;
	ptr = realloc(buf->ptr, size);
	if (!ptr) {
		buf->no_memory = true;
		goto fail;
	}
	buf->ptr = ptr;
	buf->size = size;
	return buf->ptr + buf->len;
fail:
	buf->failed = true;
	return NULL;
}

void buf_advance(struct buf *buf, size_t len)
{
	ASSERT(buf->len + len <= buf->size);
	buf->len += len;
}

void buf_add(struct buf *buf, const void *bytes, size_t len)
{
	char *room;

	if (len == 0)
		return;
	room = buf_reserve(buf, len);
	if (!room)
		return;
	memcpy(room, bytes, len);
	buf->len += len;
}

void buf_add_slice(struct buf *buf, struct slice s)
{
	buf_add(buf, s.ptr, s.len);
}

void buf_add_text(struct buf *buf, const char *cstr)
{
	buf_add(buf, cstr, strlen(cstr));
}

void buf_add_char(struct buf *buf, char c)
{
	buf_add(buf, &c, 1);
}

void buf_add_u64(struct buf *buf, u64 value)
{
	char digits[20];
	size_t at = sizeof(digits);

	do {
		digits[--at] = (char)('0' + value % 10);
		value /= 10;
	} while (value > 0);
	buf_add(buf, digits + at, sizeof(digits) - at);
}

void buf_add_format(struct buf *buf, const char *fmt, ...)
{
	va_list args;
	char *room;
	int len;

	va_start(args, fmt);
	len = vsnprintf(NULL, 0, fmt, args);
	va_end(args);
	if (len < 0) {
		buf->failed = true;
		return;
	}
	room = buf_reserve(buf, (size_t)len + 1);
	if (!room)
		return;
	va_start(args, fmt);
	vsnprintf(room, (size_t)len + 1, fmt, args);
	va_end(args);
	buf->len += (size_t)len;
}

void buf_drop_front(struct buf *buf, size_t len)
{
	ASSERT(len <= buf->len);
	buf->len -= len;
	if (buf->len > 0)
		memmove(buf->ptr, buf->ptr + len, buf->len);
}

struct slice buf_slice(const struct buf *buf)
{
	return (struct slice){ buf->ptr, buf->len };
}

const char *buf_text(struct buf *buf)
{
	char *room;

	if (buf->failed)
		buf->failed = false, buf->len = buf->len > 0 ? buf->len - 1 : 0;
	room = buf_reserve(buf, 1);
	if (!room)
		return "";
	*room = '\0';
	return buf->ptr;
}
