/* The ledger of what was acknowledged, and messages saved as they came. */
#include "sink.h"

#include <ctype.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

/* Lines beyond this are written at once; it only bounds memory. */
#define LEDGER_BATCH_BYTES (1u << 20)
#define SHA256_BYTES 32

static const char hex[] = "0123456789abcdef";

int record_open(const char *path)
{
	char last = '\n';
	int fd;

	if (!path)
		return -1;
	fd = open(path, O_RDWR | O_CREAT | O_APPEND | O_CLOEXEC, 0644);
	if (fd < 0)
		sink_fail("%s: %m", path);
	if (lseek(fd, -1, SEEK_END) >= 0 && read(fd, &last, 1) == 1 && last != '\n' &&
	    write(fd, "\n", 1) != 1)
		sink_fail("%s: %m", path);
	return fd;
}

static void flush_one(int fd, struct sink_buf *lines)
{
	size_t done = 0;

	while (done < lines->len) {
		ssize_t n = write(fd, lines->data + done, lines->len - done);

		if (n < 0)
			sink_fail("write of the ledger: %m");
		done += (size_t)n;
	}
	lines->len = 0;
}

void record_flush(struct sink *sink)
{
	if (sink->ledger.len)
		flush_one(sink->ledger_fd, &sink->ledger);
	if (sink->doubt.len)
		flush_one(sink->doubt_fd, &sink->doubt);
}

/* One field of a line: never empty, never with white space in it. */
static void add_field(struct sink_buf *line, const uint8_t *text, size_t len)
{
	if (!len)
		sink_buf_add(line, "-", 1);
	for (size_t i = 0; i < len; i++) {
		uint8_t c = text[i];
		char code[4] = { '\\', 'x', hex[c >> 4], hex[c & 15] };

		if (c <= ' ' || c == '\\' || c == 0x7f)
			sink_buf_add(line, code, sizeof(code));
		else
			sink_buf_add(line, &c, 1);
	}
	sink_buf_add(line, " ", 1);
}

/* The Message-ID field's value without the white space around it; folding is not undone. */
static size_t find_message_id(const struct sink_buf *header, const uint8_t **value)
{
	static const char name[] = "Message-ID:";
	const uint8_t *p = header->data, *end = p + header->len;

	while (p && p < end) {
		const uint8_t *stop = memchr(p, '\n', (size_t)(end - p));

		if (!stop)
			stop = end;
		if ((size_t)(stop - p) >= sizeof(name) - 1 &&
		    strncasecmp((const char *)p, name, sizeof(name) - 1) == 0) {
			p += sizeof(name) - 1;
			/* The value may begin on the next line (RFC 5322 2.2.3). */
			while (p < end && isspace(*p))
				p++;
			*value = p;
			while (p < end && !isspace(*p))
				p++;
			return (size_t)(p - *value);
		}
		p = stop + 1;
	}
	return 0;
}

static void add_lines(struct session *s, struct sink_buf *lines)
{
	char digest_text[2 * SHA256_BYTES + 1] = "-\n";
	uint8_t digest[SHA256_BYTES];
	size_t digest_len = 2, id_len;
	const uint8_t *id = NULL;

	if (s->text.hashing) {
		EVP_DigestFinal_ex(s->text.digest, digest, NULL);
		for (int i = 0; i < SHA256_BYTES; i++) {
			digest_text[2 * i] = hex[digest[i] >> 4];
			digest_text[2 * i + 1] = hex[digest[i] & 15];
		}
		digest_text[2 * SHA256_BYTES] = '\n';
		digest_len = sizeof(digest_text);
	}
	id_len = find_message_id(&s->text.header, &id);
	for (size_t at = 0; at < s->rcpts.len; ) {
		const char *rcpt = (const char *)s->rcpts.data + at;
		size_t len = strlen(rcpt);

		sink_buf_add_number(lines, s->sink->now_epoch_ms);
		sink_buf_add(lines, " ", 1);
		sink_buf_add_number(lines, (uint64_t)getpid());
		sink_buf_add(lines, "-", 1);
		sink_buf_add_number(lines, s->sink->process);
		sink_buf_add(lines, "-", 1);
		sink_buf_add_number(lines, s->number);
		sink_buf_add(lines, " ", 1);
		sink_buf_add_number(lines, s->transactions);
		sink_buf_add(lines, " ", 1);
		add_field(lines, (const uint8_t *)rcpt, len);
		add_field(lines, id, id_len);
		sink_buf_add(lines, digest_text, digest_len);
		at += len + 1;
	}
}

static void save_name(const struct session *s, char *name, size_t size, const char *suffix)
{
	snprintf(name, size, "%s/%d-%u-%llu%s", s->sink->options->save_dir, (int)getpid(),
		s->sink->process, (unsigned long long)s->text.save_number, suffix);
}

void record_save_begin(struct session *s)
{
	char name[4096];

	s->text.save_number = s->sink->texts_begun;
	save_name(s, name, sizeof(name), ".part");
	s->text.save_fd = open(name, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
	if (s->text.save_fd < 0)
		sink_fail("%s: %m", name);
}

void record_save_drop(struct session *s)
{
	char name[4096];

	if (s->text.save_fd < 0)
		return;
	close(s->text.save_fd);
	s->text.save_fd = -1;
	save_name(s, name, sizeof(name), ".part");
	unlink(name);
}

/* The envelope stands in a file beside the message: whoever sees the .eml finds it complete. */
static void save_end(struct session *s)
{
	char part[4096], name[4096];
	FILE *file;

	if (s->text.save_fd < 0)
		return;
	close(s->text.save_fd);
	s->text.save_fd = -1;
	save_name(s, name, sizeof(name), ".env");
	file = fopen(name, "we");
	if (!file)
		sink_fail("%s: %m", name);
	fprintf(file, "from %.*s\n", (int)s->sender.len, (const char *)s->sender.data);
	for (size_t at = 0; at < s->rcpts.len; ) {
		const char *rcpt = (const char *)s->rcpts.data + at;

		fprintf(file, "to %s\n", rcpt);
		at += strlen(rcpt) + 1;
	}
	fprintf(file, "by %s\ntls %s\nmalformed %d\n", s->chunking ? "BDAT" : "DATA",
		s->ssl ? SSL_get_version(s->ssl) : "no", s->text.malformed);
	if (fclose(file) != 0)
		sink_fail("%s: %m", name);
	save_name(s, part, sizeof(part), ".part");
	save_name(s, name, sizeof(name), ".eml");
	if (rename(part, name) != 0)
		sink_fail("%s: %m", name);
}

void record_message(struct session *s, bool acknowledged)
{
	struct sink *sink = s->sink;

	if (acknowledged && sink->ledger_fd >= 0)
		add_lines(s, &sink->ledger);
	if (!acknowledged && sink->doubt_fd >= 0)
		add_lines(s, &sink->doubt);
	save_end(s);
	if (sink->ledger.len + sink->doubt.len > LEDGER_BATCH_BYTES)
		record_flush(sink);
}
